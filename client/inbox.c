/* client/inbox.c - whole messages, from their coming until they are forgotten.
 *
 * They lie on the client's disk, as records. The newest INBOX_HELD_MAX bytes or
 * so are in memory too; the others are read when somebody asks (client/readers.c).
 *
 * In the list those of one contact are in the order of their numbers. One that came
 * before another that its sender wrote earlier is held for that one, HOLD_US at most,
 * restarts included. When a message is shown it gets its event, the next number of all
 * that are shown, and a record of that: so whoever reads by events meets each once, and
 * in one order for ever. One that is shown after what was written later, or is a file,
 * which texts overtake, says that it is late.
 *
 * States of a message: journalled, held, shown, committed (may be handed out),
 * forgotten. Bounds: INBOX_CONTACT_MAX messages and INBOX_CONTACT_LEN_MAX bytes for
 * each contact; where these are used up the oldest that all readers have had give way,
 * and what is beyond stays in its box, unacknowledged. Failure modes: no memory (a
 * message is not held, or stays in its box); a journal that takes no event (the message
 * is held until it does). */
#include "client/inbox.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/conversations.h"
#include "client/disk/records.h"

#define HOLD_US 3600000000ULL /* a lost letter is repeated several times */

void
inbox_data_drop(struct client *c, struct received *r)
{
    if (!r->data)
        return;
    sodium_memzero(r->data, r->len);
    free(r->data);
    r->data = NULL;
    c->inbox_held -= r->len;
}

void
inbox_data_hold(struct client *c, struct received *r, const uint8_t *data,
                bool must)
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

/* ---- in order ---- */

/* Have room for one message more in both arrays. */
static int
arrays_grow(struct client *c)
{
    if (c->n_inbox < c->inbox_room)
        return 0;
    const size_t room = c->inbox_room ? 2 * c->inbox_room : 64;
    struct received **order = realloc(c->by_order, room * sizeof *order);
    if (order)
        c->by_order = order;
    struct received **event = realloc(c->by_event, room * sizeof *event);
    if (event)
        c->by_event = event;
    if (!order || !event)
        return ERR_NOMEM;
    c->inbox_room = room;
    return 0;
}

static uint64_t
received_order(const struct received *r)
{
    return r->order;
}

static uint64_t
received_event(const struct received *r)
{
    return r->event;
}

/* Find the first of n in this order whose key is not below this one. */
static size_t
array_find(struct received *const *at, size_t n,
           uint64_t (*key)(const struct received *r), uint64_t wanted)
{
    size_t low = 0, high = n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (key(at[middle]) < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void
array_insert(struct received **at, size_t *n,
             uint64_t (*key)(const struct received *r), struct received *r)
{
    const size_t i = array_find(at, *n, key, key(r));
    memmove(at + i + 1, at + i, (*n - i) * sizeof *at);
    at[i] = r;
    (*n)++;
}

static void
array_remove(struct received **at, size_t *n,
             uint64_t (*key)(const struct received *r),
             const struct received *r)
{
    const size_t i = array_find(at, *n, key, key(r));
    memmove(at + i, at + i + 1, (*n - i - 1) * sizeof *at);
    (*n)--;
}

struct received *
inbox_find(const struct client *c, uint64_t order)
{
    const size_t i = array_find(c->by_order, c->n_inbox, received_order, order);
    return i < c->n_inbox && c->by_order[i]->order == order ? c->by_order[i]
                                                            : NULL;
}

size_t
inbox_shown_before(const struct client *c, uint64_t event)
{
    return array_find(c->by_event, c->n_shown, received_event, event);
}

static struct received *
received_new(struct client *c, struct conversation *v,
             const struct record_received *record)
{
    struct received *r = arrays_grow(c) ? NULL : calloc(1, sizeof *r);
    if (!r)
        return NULL;
    *r = (struct received){.from = v,
                           .order = record->order,
                           .kind = record->kind,
                           .after = record->after,
                           .until_us = hold_until_us(c, record->came_s),
                           .came_s = record->came_s,
                           .len = record->len};
    memcpy(r->id, record->id, sizeof r->id);
    return r;
}

/* Put r at its contact's end, or before the first that has a higher number. */
static void
list_insert(struct received *r)
{
    struct conversation *v = r->from;
    const uint32_t number = letter_number(r->id);
    struct received **at = &v->received;
    if (v->received_last && (number >= v->highest || number == 0))
        at = &v->received_last->next;
    while (*at && !letter_id_is_before(r->id, (*at)->id))
        at = &(*at)->next;
    r->next = *at;
    *at = r;
    if (!r->next)
        v->received_last = r;
}

void
inbox_link(struct client *c, struct received *r)
{
    list_insert(r);
    array_insert(c->by_order, &c->n_inbox, received_order, r);
    if (r->from->n_received == 0 || letter_number(r->id) > r->from->highest)
        r->from->highest = letter_number(r->id);
    r->from->n_received++;
    r->from->received_len += r->len;
    r->from->n_held++;
    if (r->order >= c->next_received)
        c->next_received = r->order + 1;
}

/* r has this event, which it has had before or gets now. */
static void
received_shown(struct client *c, struct received *r, uint64_t event,
               uint32_t late_after)
{
    struct conversation *v = r->from;
    r->event = event;
    r->late_after = late_after;
    array_insert(c->by_event, &c->n_shown, received_event, r);
    if (event > v->last_event)
        v->last_event = event;
    v->n_held--;
    if (event >= c->next_event)
        c->next_event = event + 1;
    if (letter_number(r->id) > 0 && !letter_id_is_before(r->id, v->shown))
        memcpy(v->shown, r->id, sizeof v->shown);
}

int
inbox_show(struct client *c, struct received *r)
{
    const bool late =
        letter_number(r->id) > 0 && letter_id_is_before(r->id, r->from->shown);
    const uint32_t late_after = late ? letter_number(r->from->shown) : 0;
    journal_begin(c->journal);
    const int err =
        record_shown_save(c->journal, r->order, c->next_event, late_after);
    if (err) {
        journal_cancel(c->journal);
        return err;
    }
    received_shown(c, r, c->next_event, late_after);
    /* not before what it was held for, which may not be on disk yet */
    r->ticket = journal_end(c->journal);
    c->status.changes++;
    return 0;
}

void
inbox_discard(struct client *c, struct received **rp)
{
    struct received *r = *rp;
    *rp = NULL;
    if (!r)
        return;
    inbox_data_drop(c, r);
    free(r);
}

/* Wipe and free r, which is in both arrays, and in no list any more. */
static void
received_drop(struct client *c, struct received *r)
{
    struct conversation *v = r->from;
    array_remove(c->by_order, &c->n_inbox, received_order, r);
    if (r->event > 0)
        array_remove(c->by_event, &c->n_shown, received_event, r);
    v->n_received--;
    v->received_len -= r->len;
    v->n_held -= r->event == 0;
    inbox_discard(c, &r);
}

void
inbox_drop_marked(struct client *c, struct conversation *v)
{
    v->received_last = NULL;
    for (struct received **at = &v->received; *at;) {
        struct received *r = *at;
        if (r->forgotten) {
            *at = r->next;
            received_drop(c, r);
        } else {
            v->received_last = r;
            at = &r->next;
        }
    }
}

bool
inbox_has(const struct conversation *v, const uint8_t id[static LETTER_ID_LEN])
{
    if (letter_number(id) == 0)
        return false;
    for (size_t i = 0; i < HAD_MAX; i++)
        if (memcmp(v->had[i], id, LETTER_ID_LEN) == 0)
            return true;
    const struct received *r = v->received;
    while (r && memcmp(r->id, id, LETTER_ID_LEN) != 0)
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
    inbox_data_hold(c, r, data, false);
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
inbox_load_shown(struct client *c, const struct record_key *key,
                 const uint8_t *value, size_t len)
{
    uint64_t event;
    uint32_t late_after;
    int err = record_shown_read(&event, &late_after, value, len);
    if (err)
        return err;
    struct received *r = inbox_find(c, key->a);
    if (!r || r->event > 0)
        return ERR_MISSING;
    received_shown(c, r, event, late_after);
    return 0;
}

int
inbox_erase(struct client *c, const struct conversation *v)
{
    int err = 0;
    for (const struct received *r = v->received; r && !err; r = r->next)
        err = record_received_delete(c->journal, r->order);
    for (uint32_t i = 0; i < CLIENT_READERS_MAX && !err; i++)
        if (v->seen[i] > 0)
            err = record_seen_delete(c->journal, v->id, i);
    return err;
}

void
inbox_forget(struct client *c, struct conversation *v)
{
    memset(v->seen, 0, sizeof v->seen);
    v->last_event = 0;
    for (struct received *r = v->received; r; r = r->next)
        r->forgotten = true;
    inbox_drop_marked(c, v);
}

void
inbox_free(struct client *c)
{
    for (struct conversation *v = c->conversations; v; v = v->next)
        inbox_forget(c, v);
    free(c->by_order);
    free(c->by_event);
    c->by_order = c->by_event = NULL;
}
