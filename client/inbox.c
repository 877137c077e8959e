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
#include "client/records.h"

struct inbox_read {
    struct env_store_req req;
    struct client *client; /* NULL: it is gone */
    uint64_t order;
    uint8_t key[RECORD_KEY_LEN];
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
received_new(struct client *c, struct conversation *v,
             const struct record_received *record)
{
    struct received *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    *r = (struct received){.from = v,
                           .order = record->order,
                           .kind = record->kind,
                           .len = record->len};
    data_hold(c, r, record->data, false);
    return r;
}

void
inbox_link(struct client *c, struct received *r)
{
    *c->inbox_end = r;
    c->inbox_end = &r->next;
    c->n_inbox++;
    r->from->n_received++;
    r->from->received_len += r->len;
    if (r->order >= c->next_received)
        c->next_received = r->order + 1;
}

void
inbox_discard(struct client *c, struct received **rp)
{
    struct received *r = *rp;
    *rp = NULL;
    if (!r)
        return;
    data_drop(c, r);
    free(r);
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
    inbox_discard(c, &r);
}

int
inbox_make(struct client *c, struct conversation *v, uint8_t kind,
           const uint8_t *data, size_t len, struct received **out)
{
    const struct record_received record = {.order = c->next_received,
                                           .contact = v->id,
                                           .kind = kind,
                                           .data = data,
                                           .len = (uint32_t)len};
    if (!inbox_has_room(v, len))
        return ERR_FULL;
    struct received *r = received_new(c, v, &record);
    if (!r)
        return ERR_NOMEM;
    journal_begin(c->journal); /* within the letter's group */
    int err = record_received_save(c->journal, &record);
    if (err) {
        journal_cancel(c->journal);
        inbox_discard(c, &r);
        return err;
    }
    r->ticket = journal_end(c->journal);
    *out = r;
    return 0;
}

int
inbox_load(struct client *c, const struct record_key *key, const uint8_t *value,
           size_t len)
{
    struct record_received record;
    int err = record_received_read(&record, key, value, len);
    if (err)
        return err;
    struct conversation *v = conversation_by_id(c, record.contact);
    if (!v || v->removed)
        return ERR_MISSING;
    struct received *r = received_new(c, v, &record);
    if (!r)
        return ERR_NOMEM;
    inbox_link(c, r);
    return 0;
}

int
inbox_erase(struct client *c, const struct conversation *v)
{
    int err = 0;
    for (const struct received *r = c->inbox; r && !err; r = r->next)
        if (r->from == v)
            err = record_received_delete(c->journal, r->order);
    return err;
}

void
inbox_forget(struct client *c, const struct conversation *v)
{
    for (struct received **at = &c->inbox; *at;)
        if ((*at)->from == v)
            received_unlink(c, at);
        else
            at = &(*at)->next;
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

/* The record of r was read: hold its data. */
static void
received_fill(struct client *c, struct received *r, const struct inbox_read *i)
{
    struct record_key key;
    struct record_received record;
    if (record_key_read(&key, i->key, sizeof i->key) ||
        record_received_read(&record, &key, i->req.value, i->req.value_len) ||
        record.len != r->len)
        return;
    data_hold(c, r, record.data, true);
    others_drop(c, r);
}

static void
read_done(struct env_store_req *req)
{
    struct inbox_read *i = req->owner;
    struct client *c = i->client;
    struct received *r = c ? c->inbox : NULL;
    while (r && r->order != i->order)
        r = r->next;
    if (r && !r->data && !req->err)
        received_fill(c, r, i);
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
        .letter_len = record_key_write(
            i->key, (struct record_key){RECORD_RECEIVED, 0, r->order, 0}),
        .done = read_done,
        .owner = i};
    c->inbox_read = i;
    env_store(c->env, &i->req);
}

bool
client_next(struct client *c, const char *name, struct client_received *out)
{
    struct received *r = c->inbox;
    while (r && ((name ? strcmp(name, r->from->name) != 0 : r->from->muted) ||
                 !journal_is_committed(c->journal, r->ticket)))
        r = r->next;
    if (r && !r->data)
        read_begin(c, r);
    if (!r || !r->data)
        return false;
    *out = (struct client_received){.contact = r->from->name,
                                    .id = r->from->id,
                                    .kind = (enum letter_kind)r->kind,
                                    .order = r->order,
                                    .data = r->data,
                                    .len = r->len};
    return true;
}

int
client_release(struct client *c, uint64_t order)
{
    struct received **at = &c->inbox;
    while (*at && (*at)->order != order)
        at = &(*at)->next;
    if (!*at)
        return ERR_NOT_FOUND;
    client_store_again(c, true);
    journal_begin(c->journal);
    int err = record_received_delete(c->journal, order);
    if (err) {
        journal_cancel(c->journal);
        return err;
    }
    received_unlink(c, at);
    (void)journal_end(c->journal);
    return 0;
}
