/* client/incoming.c - letters to messages.
 *
 * A letter that opens is journalled (its data, and with the contact's record
 * what is acknowledged) in one group; it is acknowledged by the next letter
 * staged the other way, which the journal keeps later still. So nothing is
 * acknowledged that a crash could lose, and nothing whole is handed out twice:
 * the group that completes a message puts it in the inbox and deletes its
 * fragments.
 *
 * Bounds: INCOMING_MAX messages a contact and CLIENT_QUEUE_MAX octets in all
 * are gathered at once; what is beyond is left in its box, unacknowledged. */
#include "client/incoming.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/conversations.h"
#include "client/state.h"
#include "lib/codec.h"

enum { INCOMING_MAX = 32, FRAGMENT_HEAD_LEN = 9, RECEIVED_HEAD_LEN = 5 };

static size_t
fragment_key(uint8_t key[static JOURNAL_KEY_MAX], const struct conversation *v,
             const uint8_t *id, uint32_t index)
{
    return record_key(key, RECORD_FRAGMENT, v->id, codec_get64(id), index);
}

static struct incoming *
incoming_find(const struct conversation *v, const uint8_t *id)
{
    struct incoming *m = v->incoming;
    while (m && memcmp(m->id, id, LETTER_ID_LEN) != 0)
        m = m->next;
    return m;
}

static void
incoming_delete(struct conversation *v, const struct incoming *m)
{
    struct incoming **at = &v->incoming, *gone;
    while (*at != m)
        at = &(*at)->next;
    gone = *at;
    *at = gone->next;
    sodium_memzero(gone->data, gone->total);
    free(gone->data);
    free(gone->seen);
    free(gone);
}

void
incoming_free(struct conversation *v)
{
    while (v->incoming)
        incoming_delete(v, v->incoming);
}

static size_t
gathered_len(const struct client *c)
{
    size_t len = 0;
    for (const struct conversation *v = c->conversations; v; v = v->next)
        for (const struct incoming *m = v->incoming; m; m = m->next)
            len += m->total;
    return len;
}

static int
incoming_make(struct client *c, struct conversation *v, const uint8_t *id,
              uint8_t kind, uint32_t count, uint32_t total,
              struct incoming **out)
{
    unsigned n = 0;
    for (const struct incoming *m = v->incoming; m; m = m->next)
        n++;
    if (n >= INCOMING_MAX || gathered_len(c) + total > CLIENT_QUEUE_MAX ||
        c->n_inbox >= CLIENT_INBOX_MAX)
        return ERR_FULL;
    struct incoming *m = calloc(1, sizeof *m);
    if (!m)
        return ERR_NOMEM;
    m->data = malloc((size_t)total + 1);
    m->seen = calloc(1, count / 8u + 1u);
    if (!m->data || !m->seen) {
        free(m->data);
        free(m->seen);
        free(m);
        return ERR_NOMEM;
    }
    memcpy(m->id, id, LETTER_ID_LEN);
    m->kind = kind;
    m->count = count;
    m->total = total;
    m->next = v->incoming;
    v->incoming = m;
    *out = m;
    return 0;
}

/* Put a fragment in its place. Fragments of one message that contradict each
 * other are the sender's fault: ERR_CONFLICT. */
static int
fragment_take(struct client *c, struct incoming *m, uint8_t kind,
              uint32_t count, uint32_t total, uint32_t index,
              const uint8_t *data, size_t len)
{
    size_t at = index * letter_data_max(c->letter_len);
    if (m->kind != kind || m->count != count || m->total != total ||
        index >= count || at + len > total)
        return ERR_CONFLICT;
    if (len > 0)
        memcpy(m->data + at, data, len);
    if (!(m->seen[index / 8] >> index % 8 & 1)) {
        m->seen[index / 8] |= (uint8_t)(1u << index % 8);
        m->have++;
    }
    return 0;
}

static struct received *
received_link(struct client *c, struct conversation *v, uint64_t order,
              uint8_t kind, const uint8_t *data, size_t len)
{
    struct received *r = malloc(sizeof *r + len);
    if (!r)
        return NULL;
    *r = (struct received){
        .from = v, .order = order, .kind = kind, .len = (uint32_t)len};
    if (len > 0)
        memcpy(r->data, data, len);
    *c->inbox_end = r;
    c->inbox_end = &r->next;
    c->n_inbox++;
    if (order >= c->next_received)
        c->next_received = order + 1;
    return r;
}

/* A whole text or file goes into the inbox. */
static int
inbox_put(struct client *c, struct conversation *v, const struct incoming *m)
{
    uint8_t key[JOURNAL_KEY_MAX];
    uint8_t *value = malloc(RECEIVED_HEAD_LEN + (size_t)m->total);
    struct received *r = value ? received_link(c, v, c->next_received, m->kind,
                                               m->data, m->total)
                               : NULL;
    if (!r) {
        free(value);
        return ERR_NOMEM;
    }
    codec_put32(value, v->id);
    value[4] = m->kind;
    memcpy(value + RECEIVED_HEAD_LEN, m->data, m->total);
    size_t len = record_key(key, RECORD_RECEIVED, 0, r->order, 0);
    journal_begin(c->journal); /* within the letter's group */
    journal_put(c->journal, key, len, value, RECEIVED_HEAD_LEN + m->total);
    r->ticket = journal_end(c->journal);
    sodium_memzero(value, RECEIVED_HEAD_LEN + m->total);
    free(value);
    return 0;
}

static void
pong_take(struct client *c, struct conversation *v, const uint8_t *id)
{
    for (struct message *m = v->messages; m; m = m->next)
        if (m->kind == LETTER_PING && memcmp(m->id, id, LETTER_ID_LEN) == 0 &&
            m->rtt_us == 0)
            m->rtt_us = env_now_mono_us(c->env) - m->started_us;
}

static int
message_complete(struct client *c, struct conversation *v, struct incoming *m,
                 bool *is_ping)
{
    uint8_t key[JOURNAL_KEY_MAX];
    int err = 0;
    if (m->kind == LETTER_TEXT || m->kind == LETTER_FILE)
        err = inbox_put(c, v, m);
    else if (m->kind == LETTER_PONG)
        pong_take(c, v, m->id);
    if (err)
        return err;
    *is_ping = m->kind == LETTER_PING;
    for (uint32_t i = 0; i < m->count; i++) {
        size_t len = fragment_key(key, v, m->id, i);
        journal_delete(c->journal, key, len);
    }
    c->status.changes++;
    incoming_delete(v, m);
    return 0;
}

/* ---- what was received, for acknowledging ---- */

static bool
sequence_is_known(const struct conversation *v, uint32_t sequence)
{
    if (sequence <= v->ack)
        return true;
    uint32_t i = sequence - v->ack - 1;
    return i < LETTER_WINDOW && (v->map[i / 8] >> i % 8 & 1);
}

static void
map_shift(struct conversation *v, uint32_t by)
{
    uint8_t map[LETTER_MAP_LEN] = {0};
    for (uint32_t i = by; i < LETTER_WINDOW; i++)
        if (v->map[i / 8] >> i % 8 & 1)
            map[(i - by) / 8] |= (uint8_t)(1u << (i - by) % 8);
    memcpy(v->map, map, sizeof map);
    v->ack += by;
}

/* The first bit stands for ack + 1: while it is set, that one has come. */
static void
map_settle(struct conversation *v)
{
    uint32_t run = 0;
    while (run < LETTER_WINDOW && (v->map[run / 8] >> run % 8 & 1))
        run++;
    if (run > 0)
        map_shift(v, run);
}

static void
sequence_note(struct conversation *v, uint32_t sequence)
{
    uint32_t i = sequence - v->ack - 1;
    v->map[i / 8] |= (uint8_t)(1u << i % 8);
    map_settle(v);
}

/* The sender waits for nothing below its floor. */
static void
floor_take(struct conversation *v, uint32_t floor)
{
    if (floor > v->ack + 1) {
        map_shift(v, floor - 1 - v->ack);
        map_settle(v);
    }
}

/* ---- a letter ---- */

int
incoming_take(struct client *c, struct conversation *v, const struct letter *l,
              bool *is_ping)
{
    uint8_t key[JOURNAL_KEY_MAX], value[FRAGMENT_HEAD_LEN + LETTER_LEN_MAX];
    *is_ping = false;
    floor_take(v, l->floor);
    if (l->sequence == 0)
        return 0;
    if (sequence_is_known(v, l->sequence)) {
        if (v->ack_owed_us == 0) /* ours was lost, or is under way */
            v->ack_owed_us = env_now_mono_us(c->env);
        return ERR_DUPLICATE;
    }
    if (l->sequence - v->ack > LETTER_WINDOW)
        return ERR_RANGE;
    struct incoming *m = incoming_find(v, l->message);
    int err =
        m ? 0
          : incoming_make(c, v, l->message, l->kind, l->count, l->total, &m);
    if (!err)
        err = fragment_take(c, m, l->kind, l->count, l->total, l->index,
                            l->data, l->data_len);
    if (err)
        return err;
    if (m->have < m->count) {
        value[0] = l->kind;
        codec_put32(value + 1, l->count);
        codec_put32(value + 5, l->total);
        memcpy(value + FRAGMENT_HEAD_LEN, l->data, l->data_len);
        size_t len = fragment_key(key, v, l->message, l->index);
        journal_put(c->journal, key, len, value,
                    (size_t)FRAGMENT_HEAD_LEN + l->data_len);
    } else {
        err = message_complete(c, v, m, is_ping);
    }
    return err;
}

void
incoming_taken(struct client *c, struct conversation *v, const struct letter *l)
{
    if (l->sequence == 0)
        return;
    sequence_note(v, l->sequence);
    if (v->ack_owed_us == 0)
        v->ack_owed_us = env_now_mono_us(c->env);
    v->letter_us = env_now_mono_us(c->env);
    conversation_touch(c, v);
}

/* ---- the application's side ---- */

bool
client_next(const struct client *c, const char *name,
            struct client_received *out)
{
    for (const struct received *r = c->inbox; r; r = r->next) {
        if ((name && strcmp(name, r->from->name) != 0) ||
            !journal_is_committed(c->journal, r->ticket))
            continue;
        *out = (struct client_received){.contact = r->from->name,
                                        .kind = (enum letter_kind)r->kind,
                                        .order = r->order,
                                        .data = r->data,
                                        .len = r->len};
        return true;
    }
    return false;
}

void
client_release(struct client *c, uint64_t order)
{
    uint8_t key[JOURNAL_KEY_MAX];
    struct received **at = &c->inbox;
    while (*at && (*at)->order != order)
        at = &(*at)->next;
    struct received *r = *at;
    if (!r)
        return;
    *at = r->next;
    if (c->inbox_end == &r->next)
        c->inbox_end = at;
    c->n_inbox--;
    sodium_memzero(r->data, r->len);
    free(r);
    journal_begin(c->journal);
    size_t len = record_key(key, RECORD_RECEIVED, 0, order, 0);
    journal_delete(c->journal, key, len);
    (void)journal_end(c->journal);
}

/* ---- loading ---- */

int
incoming_load_fragment(struct client *c, struct conversation *v,
                       const uint8_t *id, uint32_t index, const uint8_t *value,
                       size_t len)
{
    struct incoming *m = incoming_find(v, id);
    if (len < FRAGMENT_HEAD_LEN)
        return ERR_FORMAT;
    uint32_t count = codec_get32(value + 1), total = codec_get32(value + 5);
    if (total > LETTER_MESSAGE_MAX || count > LETTER_MESSAGE_MAX)
        return ERR_FORMAT;
    int err = m ? 0 : incoming_make(c, v, id, value[0], count, total, &m);
    if (!err)
        err = fragment_take(c, m, value[0], count, total, index,
                            value + FRAGMENT_HEAD_LEN, len - FRAGMENT_HEAD_LEN);
    return err;
}

int
incoming_load_received(struct client *c, uint64_t order, const uint8_t *value,
                       size_t len)
{
    if (len < RECEIVED_HEAD_LEN)
        return ERR_FORMAT;
    struct conversation *v = conversation_by_id(c, codec_get32(value));
    if (!v || value[4] >= LETTER_KINDS)
        return ERR_FORMAT;
    return received_link(c, v, order, value[4], value + RECEIVED_HEAD_LEN,
                         len - RECEIVED_HEAD_LEN)
               ? 0
               : ERR_NOMEM;
}
