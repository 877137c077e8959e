/* client/inbox.c - whole messages, until the application releases them.
 *
 * They lie on the client's disk, as records. The newest INBOX_HELD_MAX bytes or
 * so are in memory too; when the application asks for one that is not, it is
 * read, one at a time, and the answer is "none yet" until then.
 *
 * States of a message: journalled, committed (may be handed out), released. Of
 * its data: held, on disk alone, being read. Bounds: INBOX_CONTACT_MAX messages
 * and INBOX_CONTACT_LEN_MAX bytes for each contact; what is beyond stays in its
 * box, unacknowledged. Failure modes: no memory or a record that cannot be read
 * (the message is not handed out; asking again reads again). */
#include "client/inbox.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/conversations.h"
#include "lib/codec.h"

enum { RECEIVED_HEAD_LEN = 5 };

struct inbox_read {
    struct env_store_req req;
    struct client *client; /* NULL: it is gone */
    uint64_t order;
    uint8_t key[JOURNAL_KEY_MAX];
};

bool
inbox_has_room(const struct conversation *v, size_t len)
{
    return v->n_received < INBOX_CONTACT_MAX &&
           v->received_len + len <= INBOX_CONTACT_LEN_MAX;
}

static void
data_drop(struct client *c, struct received *r)
{
    if (!r->data)
        return;
    sodium_memzero(r->data, r->len);
    free(r->data);
    r->data = NULL;
    c->inbox_held -= r->len;
}

/* Hold a copy of a message's data, unless memory for that is used up; one that
 * was read from disk is held in any case. */
static void
data_hold(struct client *c, struct received *r, const uint8_t *data, bool must)
{
    if (!must && c->inbox_held + r->len > INBOX_HELD_MAX)
        return;
    r->data = malloc((size_t)r->len + 1);
    if (!r->data)
        return;
    if (r->len > 0)
        memcpy(r->data, data, r->len);
    c->inbox_held += r->len;
}

static struct received *
received_link(struct client *c, struct conversation *v, uint64_t order,
              uint8_t kind, const uint8_t *data, size_t len)
{
    struct received *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    *r = (struct received){
        .from = v, .order = order, .kind = kind, .len = (uint32_t)len};
    data_hold(c, r, data, false);
    *c->inbox_end = r;
    c->inbox_end = &r->next;
    c->n_inbox++;
    v->n_received++;
    v->received_len += len;
    if (order >= c->next_received)
        c->next_received = order + 1;
    return r;
}

static void
received_unlink(struct client *c, struct received **at)
{
    struct received *r = *at;
    *at = r->next;
    if (c->inbox_end == &r->next)
        c->inbox_end = at;
    c->n_inbox--;
    r->from->n_received--;
    r->from->received_len -= r->len;
    data_drop(c, r);
    free(r);
}

int
inbox_put(struct client *c, struct conversation *v, uint8_t kind,
          const uint8_t *data, size_t len)
{
    uint8_t key[JOURNAL_KEY_MAX];
    if (!inbox_has_room(v, len))
        return ERR_FULL;
    uint8_t *value = malloc(RECEIVED_HEAD_LEN + len);
    struct received *r =
        value ? received_link(c, v, c->next_received, kind, data, len) : NULL;
    if (!r) {
        free(value);
        return ERR_NOMEM;
    }
    codec_put32(value, v->id);
    value[4] = kind;
    if (len > 0)
        memcpy(value + RECEIVED_HEAD_LEN, data, len);
    size_t key_len = record_key(key, RECORD_RECEIVED, 0, r->order, 0);
    journal_begin(c->journal); /* within the letter's group */
    journal_put(c->journal, key, key_len, value, RECEIVED_HEAD_LEN + len);
    r->ticket = journal_end(c->journal);
    sodium_memzero(value, RECEIVED_HEAD_LEN + len);
    free(value);
    return 0;
}

int
inbox_load(struct client *c, uint64_t order, const uint8_t *value, size_t len)
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

void
inbox_free(struct client *c)
{
    while (c->inbox)
        received_unlink(c, &c->inbox);
    if (c->inbox_read)
        c->inbox_read->client = NULL; /* frees itself when it is answered */
    c->inbox_read = NULL;
}

/* ---- the application's side ---- */

/* The one that was read is the only one held beyond the bound. */
static void
others_drop(struct client *c, const struct received *kept)
{
    for (struct received *r = c->inbox; r && c->inbox_held > INBOX_HELD_MAX;
         r = r->next)
        if (r != kept)
            data_drop(c, r);
}

static void
read_done(struct env_store_req *req)
{
    struct inbox_read *i = req->owner;
    struct client *c = i->client;
    struct received *r = c ? c->inbox : NULL;
    while (r && r->order != i->order)
        r = r->next;
    if (r && !r->data && !req->err &&
        req->value_len == RECEIVED_HEAD_LEN + (size_t)r->len) {
        data_hold(c, r, req->value + RECEIVED_HEAD_LEN, true);
        others_drop(c, r);
    }
    if (c) {
        c->inbox_read = NULL;
        c->status.changes++; /* who waits for a message asks again */
    }
    if (req->value)
        sodium_memzero(req->value, req->value_len);
    free(req->value);
    free(i);
}

static void
read_begin(struct client *c, const struct received *r)
{
    if (c->inbox_read)
        return;
    struct inbox_read *i = calloc(1, sizeof *i);
    if (!i)
        return;
    i->client = c;
    i->order = r->order;
    i->req = (struct env_store_req){
        .op = ENV_STORE_READ,
        .letter = i->key,
        .letter_len = record_key(i->key, RECORD_RECEIVED, 0, r->order, 0),
        .done = read_done,
        .owner = i};
    c->inbox_read = i;
    env_store(c->env, &i->req);
}

bool
client_next(struct client *c, const char *name, struct client_received *out)
{
    struct received *r = c->inbox;
    while (r && ((name && strcmp(name, r->from->name) != 0) ||
                 !journal_is_committed(c->journal, r->ticket)))
        r = r->next;
    if (r && !r->data)
        read_begin(c, r);
    if (!r || !r->data)
        return false;
    *out = (struct client_received){.contact = r->from->name,
                                    .kind = (enum letter_kind)r->kind,
                                    .order = r->order,
                                    .data = r->data,
                                    .len = r->len};
    return true;
}

void
client_release(struct client *c, uint64_t order)
{
    uint8_t key[JOURNAL_KEY_MAX];
    struct received **at = &c->inbox;
    while (*at && (*at)->order != order)
        at = &(*at)->next;
    if (!*at)
        return;
    received_unlink(c, at);
    journal_begin(c->journal);
    size_t len = record_key(key, RECORD_RECEIVED, 0, order, 0);
    journal_delete(c->journal, key, len);
    (void)journal_end(c->journal);
}
