/* client/inbox.c - whole messages, until the application releases them.
 *
 * They lie on the client's disk, as records. The newest INBOX_HELD_MAX bytes or
 * so are in memory too; when the application asks for one that is not, it is
 * read, one at a time, and the answer is "none yet" until then.
 *
 * Those of one contact are in the order of their numbers. One that came before
 * another that its sender wrote earlier is held for that one, HOLD_US at most, restarts
 * included; when that one comes later still, or is a file, which texts overtake, it says
 * that it is late. Contacts have their turns in the order in which messages came,
 * whatever numbers they write: each message takes a slot when it comes, and those of one
 * contact share theirs in the order of their numbers.
 *
 * States of a message: journalled, held, committed (may be handed out), released. Of
 * its data: held, on disk alone, being read. Bounds: INBOX_CONTACT_MAX messages
 * and INBOX_CONTACT_LEN_MAX bytes for each contact; what is beyond stays in its
 * box, unacknowledged. Failure modes: no memory or a record that cannot be read
 * (the message is not handed out; asking again reads again, others going first for
 * UNREAD_US, and it is counted). */
#include "client/inbox.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/conversations.h"
#include "client/records.h"

#define HOLD_US   3600000000ULL /* a lost letter is repeated several times */
#define UNREAD_US 60000000ULL   /* what cannot be read gives way to others */

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

/* Until when is a message held that came then? */
static uint64_t
hold_until_us(const struct client *c, uint64_t came_s)
{
    const uint64_t now_s = client_time_s(c), now_us = env_now_mono_us(c->env);
    const uint64_t past_us =
        came_s > 0 && now_s > came_s ? (now_s - came_s) * 1000000 : 0;
    return past_us < HOLD_US ? now_us + HOLD_US - past_us : now_us;
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
                           .until_us = hold_until_us(c, record->came_s),
                           .len = record->len};
    memcpy(r->id, record->id, sizeof r->id);
    data_hold(c, r, record->data, false);
    return r;
}

/* Find where r belongs: at the end, or before the first of its contact with a higher
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

/* Give r, which is in the list, its slot: those of its contact that have a higher
 * number pass theirs on, each to the next. */
static void
slot_take(struct client *c, struct received *r)
{
    uint64_t slot = c->next_slot++;
    struct received *last = r;
    for (struct received *o = r->next; o; o = o->next)
        if (o->from == r->from) {
            last->slot = o->slot;
            last = o;
        }
    last->slot = slot;
}

void
inbox_link(struct client *c, struct received *r)
{
    struct received **at = place_find(c, r);
    if (!*at)
        c->inbox_end = &r->next;
    r->next = *at;
    *at = r;
    slot_take(c, r);
    if (r->from->n_received == 0 || letter_number(r->id) > r->from->highest)
        r->from->highest = letter_number(r->id);
    c->n_inbox++;
    r->from->n_received++;
    r->from->received_len += r->len;
    r->held = r->after > 0;
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

bool
inbox_has(const struct client *c, const struct conversation *v,
          const uint8_t id[static LETTER_ID_LEN])
{
    if (letter_number(id) == 0)
        return false;
    for (size_t i = 0; i < HAD_MAX; i++)
        if (memcmp(v->had[i], id, LETTER_ID_LEN) == 0)
            return true;
    const struct received *r = c->inbox;
    while (r && (r->from != v || memcmp(r->id, id, LETTER_ID_LEN) != 0))
        r = r->next;
    return r != NULL;
}

int
inbox_make(struct client *c, struct conversation *v, const struct letter *l,
           const uint8_t *data, size_t len, struct received **out)
{
    struct record_received record = {
        .order = c->next_received,
        .contact = v->id,
        .kind = l->kind,
        .after = l->after,
        .came_s = client_time_is_known(c) ? client_time_s(c) : 0,
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

/* Hold the data of r, whose record was read. Returns 0 or why it is of no use. */
static int
received_fill(struct client *c, struct received *r, const struct inbox_read *i)
{
    struct record_key key;
    struct record_received record;
    int err = record_key_read(&key, i->key, sizeof i->key);
    if (!err)
        err =
            record_received_read(&record, &key, i->req.value, i->req.value_len);
    if (!err && record.len != r->len)
        err = ERR_FORMAT;
    if (err)
        return err;
    data_hold(c, r, record.data, true);
    others_drop(c, r);
    return r->data ? 0 : ERR_NOMEM;
}

static void
read_done(struct env_store_req *req)
{
    struct inbox_read *i = req->owner;
    struct client *c = i->client;
    struct received *r = c ? c->inbox : NULL;
    while (r && r->order != i->order)
        r = r->next;
    if (r && !r->data) {
        const int err = req->err ? req->err : received_fill(c, r, i);
        r->again_us = err ? env_now_mono_us(c->env) + UNREAD_US : 0;
        if (err)
            client_drop(c, err);
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

/* May r be handed out now? name: its contact's; NULL: any that is not muted. */
static bool
received_is_ready(const struct client *c, const struct received *r,
                  const char *name, uint64_t now_us)
{
    return (name ? strcmp(name, r->from->name) == 0 : !r->from->muted) &&
           !r->held && r->again_us <= now_us &&
           journal_is_committed(c->journal, r->ticket);
}

bool
client_next(struct client *c, const char *name, struct client_received *out)
{
    const uint64_t now_us = env_now_mono_us(c->env);
    struct received *r = NULL;
    for (struct received *o = c->inbox; o; o = o->next)
        if (received_is_ready(c, o, name, now_us) && (!r || o->slot < r->slot))
            r = o;
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
    const struct conversation before = *v;
    memmove(v->had[1], v->had[0], sizeof v->had - sizeof v->had[0]);
    memcpy(v->had[0], (*at)->id, sizeof v->had[0]);
    if (!letter_id_is_before((*at)->id, v->released) &&
        letter_number((*at)->id) > 0)
        memcpy(v->released, (*at)->id, sizeof v->released);
    journal_begin(c->journal);
    int err = record_received_delete(c->journal, order);
    if (!err)
        err = conversation_save(c, v);
    if (!err) /* so that no life gives its order to another */
        err = client_save(c);
    if (err) {
        journal_cancel(c->journal);
        *v = before;
        return err;
    }
    received_unlink(c, at);
    (void)journal_end(c->journal);
    return 0;
}
