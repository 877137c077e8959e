/* client/conversations.c - the list of contacts: finding, making, keeping.
 * See conversations.h. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/conversations.h"
#include "client/invite.h"
#include "client/state.h"
#include "lib/codec.h"
#include "lib/secret.h"

enum { RECORD_VERSION = 1, CURSOR_RECORD_LEN = 12 + 2 * CURSOR_BOXES };
enum { FLAG_CONFIRMED = 1, FLAG_REFUSED = 2, FLAG_INVITER = 4 };

struct conversation *
conversation_find(const struct client *c, const char *name)
{
    for (struct conversation *v = c->conversations; v; v = v->next)
        if (strcmp(v->name, name) == 0)
            return v;
    return NULL;
}

struct conversation *
conversation_by_id(const struct client *c, uint32_t id)
{
    for (struct conversation *v = c->conversations; v; v = v->next)
        if (v->id == id)
            return v;
    return NULL;
}

void
conversation_touch(struct client *c, struct conversation *v)
{
    v->active = ++c->recency;
}

/* Where sending stands: the first message with letters still to be made. */
static const struct message *
message_current(const struct conversation *v)
{
    const struct message *m = v->messages;
    while (m && m->next_index == m->count)
        m = m->next;
    return m;
}

void
conversation_save(struct client *c, const struct conversation *v)
{
    uint8_t key[JOURNAL_KEY_MAX], value[512];
    const struct message *m = message_current(v);
    struct codec_writer w;
    size_t name_len = strlen(v->name);
    codec_writer_init(&w, value, sizeof value);
    codec_write8(&w, RECORD_VERSION);
    codec_write8(&w, (uint8_t)((v->confirmed ? FLAG_CONFIRMED : 0) |
                               (v->refused ? FLAG_REFUSED : 0) |
                               (v->inviter ? FLAG_INVITER : 0)));
    codec_write8(&w, (uint8_t)name_len);
    codec_write_bytes(&w, v->name, name_len);
    codec_write_bytes(&w, v->chains, (size_t)2 * LETTER_CHAIN_LEN);
    codec_write32(&w, v->born);
    codec_write64(&w, v->active);
    codec_write32(&w, v->at.period);
    codec_write32(&w, v->at.n);
    codec_write32(&w, v->previous_period);
    codec_write32(&w, v->previous_count);
    codec_write32(&w, v->next_sequence);
    codec_write64(&w, v->next_order);
    codec_write64(&w, m ? m->order : v->next_order);
    codec_write32(&w, m ? m->next_index : 0);
    codec_write32(&w, v->ack);
    codec_write_bytes(&w, v->map, sizeof v->map);
    for (size_t i = 0; i < CURSORS && v->cursor[i].open; i++) {
        const struct cursor *k = &v->cursor[i];
        codec_write32(&w, k->period);
        codec_write32(&w, k->base);
        codec_write32(&w, k->end);
        for (size_t b = 0; b < CURSOR_BOXES; b++)
            codec_write16(&w, k->held[b]);
    }
    size_t len = record_key(key, RECORD_CONTACT, v->id, 0, 0);
    journal_put(c->journal, key, len, value, sizeof value - w.left);
    sodium_memzero(value, sizeof value);
}

static int
cursors_read(struct conversation *v, struct codec_reader *r)
{
    if (r->left % CURSOR_RECORD_LEN || r->left > CURSORS * CURSOR_RECORD_LEN)
        return ERR_FORMAT;
    for (size_t i = 0; r->left > 0; i++) {
        struct cursor *k = &v->cursor[i];
        k->open = true;
        k->period = codec_read32(r);
        k->base = codec_read32(r);
        k->end = codec_read32(r);
        for (size_t b = 0; b < CURSOR_BOXES; b++)
            k->held[b] = codec_read16(r);
        if (i > 0 && k->period >= v->cursor[i - 1].period)
            return ERR_FORMAT;
    }
    return 0;
}

static struct conversation *
conversation_new(void)
{
    struct conversation *v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    v->chains = secret_new((size_t)2 * LETTER_CHAIN_LEN);
    v->messages_end = &v->messages;
    v->next_sequence = 1;
    if (!v->chains) {
        free(v);
        return NULL;
    }
    return v;
}

void
conversation_free(struct conversation **vp)
{
    struct conversation *v = *vp;
    *vp = NULL;
    if (!v)
        return;
    secret_free((void **)&v->chains);
    sodium_memzero(v, sizeof *v);
    free(v);
}

static void
conversation_link(struct client *c, struct conversation *v)
{
    struct conversation **at = &c->conversations;
    while (*at)
        at = &(*at)->next;
    *at = v;
    c->status.contacts++;
    if (v->id >= c->next_id)
        c->next_id = v->id + 1;
    if (v->active > c->recency)
        c->recency = v->active;
}

/* The current message's place waits in its own fields until the messages are
 * loaded: see outgoing_loaded(). */
static int
record_read(struct conversation *v, struct codec_reader *r)
{
    uint8_t version = codec_read8(r), flags = codec_read8(r);
    uint8_t name_len = codec_read8(r);
    const uint8_t *name = codec_read_bytes(r, name_len);
    const uint8_t *chains = codec_read_bytes(r, (size_t)2 * LETTER_CHAIN_LEN);
    if (r->err)
        return r->err;
    if (version != RECORD_VERSION)
        return ERR_VERSION;
    if (name_len == 0 || name_len >= CLIENT_NAME_MAX)
        return ERR_FORMAT;
    memcpy(v->name, name, name_len);
    memcpy(v->chains, chains, (size_t)2 * LETTER_CHAIN_LEN);
    v->confirmed = flags & FLAG_CONFIRMED;
    v->refused = flags & FLAG_REFUSED;
    v->inviter = flags & FLAG_INVITER;
    v->born = codec_read32(r);
    v->active = codec_read64(r);
    v->at.period = codec_read32(r);
    v->at.n = codec_read32(r);
    v->previous_period = codec_read32(r);
    v->previous_count = codec_read32(r);
    v->next_sequence = codec_read32(r);
    v->next_order = codec_read64(r);
    v->loaded_order = codec_read64(r);
    v->loaded_index = codec_read32(r);
    v->ack = codec_read32(r);
    const uint8_t *map = codec_read_bytes(r, LETTER_MAP_LEN);
    if (r->err)
        return r->err;
    memcpy(v->map, map, LETTER_MAP_LEN);
    return cursors_read(v, r);
}

int
conversation_load(struct client *c, uint32_t id, const uint8_t *value,
                  size_t len)
{
    struct codec_reader r;
    if (conversation_by_id(c, id))
        return ERR_DUPLICATE;
    struct conversation *v = conversation_new();
    if (!v)
        return ERR_NOMEM;
    v->id = id;
    codec_reader_init(&r, value, len);
    int err = record_read(v, &r);
    if (err) {
        conversation_free(&v);
        return err;
    }
    conversation_link(c, v);
    return 0;
}

/* 1..32 printable octets, no blanks; UTF-8 passes. */
static bool
name_is_good(const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < len; i++)
        if ((uint8_t)name[i] <= ' ' || name[i] == 0x7f)
            return false;
    return len > 0 && len < CLIENT_NAME_MAX;
}

int
conversation_make(struct client *c, const char *name, const uint8_t *seed,
                  bool inviter, uint32_t born, struct conversation **out)
{
    if (!name_is_good(name))
        return ERR_ARG;
    if (conversation_find(c, name))
        return ERR_EXISTS;
    if (c->status.contacts >= CLIENT_CONTACTS_MAX)
        return ERR_FULL;
    struct conversation *v = conversation_new();
    if (!v)
        return ERR_NOMEM;
    memcpy(v->name, name, strlen(name));
    v->id = c->next_id;
    v->inviter = inviter;
    v->born = born;
    v->next_order = 1;
    if (inviter)
        invite_chains(seed, v->chains, v->chains + LETTER_CHAIN_LEN);
    else
        invite_chains(seed, v->chains + LETTER_CHAIN_LEN, v->chains);
    conversation_link(c, v);
    conversation_touch(c, v);
    *out = v;
    return 0;
}
