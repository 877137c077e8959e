/* client/inbox.c - whole messages, until the application releases them.
 *
 * They lie on the client's disk, as records. The newest INBOX_HELD_MAX bytes or
 * so are in memory too; when the application asks for one that is not, it is
 * read, one at a time, and the answer is "none yet" until then.
 *
 * Those of one contact are in the order of their numbers. One that came before
 * another that its sender wrote earlier is held for that one, HOLD_US at most; when
 * that one comes later still, or is a file, which texts overtake, it says that it is
 * late.
 *
 * States of a message: journalled, held, committed (may be handed out), released. Of
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

#define HOLD_US 3600000000ULL /* a lost letter is repeated several times */

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
                           .after = record->after,
                           .len = record->len};
    memcpy(r->id, record->id, sizeof r->id);
    data_hold(c, r, record->data, false);
    return r;
}

/* Where r belongs: at the end, or before the first of its contact with a higher
 * number. */
static struct received **
place_find(struct client *c, const struct received *r)
{
    const uint32_t number = letter_number(r->id);
    struct received **at = &c->inbox;
    if (r->from->n_received == 0 || number >= r->from->highest || number == 0)
        return c->inbox_end;
    while (*at &&
           ((*at)->from != r->from || !letter_id_is_before(r->id, (*at)->id)))
        at = &(*at)->next;
    return at;
}

void
inbox_link(struct client *c, struct received *r)
{
    struct received **at = place_find(c, r);
    if (!*at)
        c->inbox_end = &r->next;
    r->next = *at;
    *at = r;
    if (r->from->n_received == 0 || letter_number(r->id) > r->from->highest)
        r->from->highest = letter_number(r->id);
    c->n_inbox++;
    r->from->n_received++;
    r->from->received_len += r->len;
    r->held = r->after > 0;
    r->until_us = env_now_mono_us(c->env) + HOLD_US;
    r->from->n_held += r->held;
    c->n_held += r->held;
    if (r->order >= c->next_received)
        c->next_received = r->order + 1;
}

void
inbox_show(struct client *c, struct received *r)
{
    r->held = false;
    r->from->n_held--;
    c->n_held--;
    /* not before what it was held for, which may not be on disk yet */
    journal_begin(c->journal);
    r->ticket = journal_end(c->journal);
    c->status.changes++;
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
    r->from->n_held -= r->held;
    c->n_held -= r->held;
    inbox_discard(c, &r);
}

int
inbox_make(struct client *c, struct conversation *v, const struct letter *l,
           const uint8_t *data, size_t len, struct received **out)
{
    struct record_received record = {.order = c->next_received,
                                     .contact = v->id,
                                     .kind = l->kind,
                                     .after = l->after,
                                     .data = data,
                                     .len = (uint32_t)len};
    memcpy(record.id, l->message, sizeof record.id);
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

/* The number of what the application has had of r's contact and was written last, if
 * r was written before that, else 0. */
static uint32_t
late_after(const struct received *r)
{
    const bool late = letter_number(r->id) > 0 &&
                      letter_id_is_before(r->id, r->from->released);
    return late ? letter_number(r->from->released) : 0;
}

bool
client_next(struct client *c, const char *name, struct client_received *out)
{
    struct received *r = c->inbox;
    while (r && ((name ? strcmp(name, r->from->name) != 0 : r->from->muted) ||
                 r->held || !journal_is_committed(c->journal, r->ticket)))
        r = r->next;
    if (r && !r->data)
        read_begin(c, r);
    if (!r || !r->data)
        return false;
    *out = (struct client_received){.contact = r->from->name,
                                    .id = r->from->id,
                                    .kind = (enum letter_kind)r->kind,
                                    .order = r->order,
                                    .number = letter_number(r->id),
                                    .sent_s = letter_sent_s(r->id),
                                    .late_after = late_after(r),
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
    struct conversation *v = (*at)->from;
    uint8_t before[LETTER_ID_LEN];
    memcpy(before, v->released, sizeof before);
    const bool newest =
        !letter_id_is_before((*at)->id, before) && letter_number((*at)->id) > 0;
    if (newest)
        memcpy(v->released, (*at)->id, sizeof before);
    journal_begin(c->journal);
    int err = record_received_delete(c->journal, order);
    if (!err && newest)
        err = conversation_save(c, v);
    if (err) {
        journal_cancel(c->journal);
        memcpy(v->released, before, sizeof before);
        return err;
    }
    received_unlink(c, at);
    (void)journal_end(c->journal);
    return 0;
}
