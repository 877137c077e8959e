/* client/readers.c - who has read what of the inbox, and what is forgotten then.
 *
 * State: readers, each with a name, and for each contact the event up to which it has
 * had all; for how many days what all have had is kept; one message that is being read
 * from the disk, since the newest alone are in memory (client/inbox.c). When somebody
 * asks for one that is not, the answer is "none yet" until it is; no other is read before
 * he has fetched that one, WANTED_US at most, so that two who read long ones do not take
 * them out of memory from each other.
 *
 * A message is forgotten when it is deleted, read or not; when all readers have had it and
 * it is older than is to be kept; and when its contact's room is used up and all have had
 * it. Then its id is one of the last HAD_MAX that are known when they come again. What is
 * forgotten is gone from the disk too (client/daemon/outbox_sqlite.c).
 *
 * Nothing here shows on the wire: what is acknowledged, asked for and promised goes by
 * what came, not by what was read.
 *
 * Timers: readers_expire() at each tick, for some contacts in turn, so that no tick takes
 * longer the more there is. Failure modes: no memory, or a disk that fails to read (the
 * message is not handed out, nor any of its contact that was shown later: asking again
 * after UNREAD_US reads again, other contacts go first, and it is counted); a record that
 * is damaged (it is told of, without its contents); a journal that takes nothing (nothing
 * has changed). */
#include "client/readers.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/conversations.h"
#include "client/inbox.h"

#define UNREAD_US 60000000ULL /* what cannot be read gives way to others */
#define WANTED_US 5000000ULL  /* what was read waits so long for who asked */
#define DAY_S     86400U
enum {
    FORGET_MOST = 64,    /* messages at a tick */
    FORGET_CONTACTS = 16 /* looked at, at a tick */
};

struct inbox_read {
    struct env_store_req req;
    struct client *client; /* NULL: it is gone */
    uint64_t order;
    uint8_t key[RECORD_KEY_LEN];
};

/* ---- readers ---- */

/* The first is the client's own. It is there from the start, and has a record when it was
 * removed; others have one while they are there. */
static const char own[] = "recv";

static bool
reader_is(const struct client *c, size_t i)
{
    return (c->reader[i][0] != '\0') == (i > 0);
}

/* The number of the reader of this name (NULL, "": the own), or -1. */
static int
reader_find(const struct client *c, const char *name)
{
    if (!name || !*name || strcmp(name, own) == 0)
        return reader_is(c, 0) ? 0 : -1;
    for (int i = 1; i < CLIENT_READERS_MAX; i++)
        if (reader_is(c, (size_t)i) && strcmp(c->reader[i], name) == 0)
            return i;
    return -1;
}

/* Have all readers had r? */
static bool
received_was_had(const struct client *c, const struct received *r)
{
    bool had = r->event > 0;
    for (size_t i = 0; i < CLIENT_READERS_MAX; i++)
        had = had && (!reader_is(c, i) || r->event <= r->from->seen[i]);
    return had;
}

/* The first of v's that this reader has not had, or NULL. */
static struct received *
unread_first(const struct conversation *v, size_t reader)
{
    struct received *first = NULL;
    if (v->last_event <= v->seen[reader])
        return NULL;
    for (struct received *r = v->received; r; r = r->next)
        if (r->event > v->seen[reader] && (!first || r->event < first->event))
            first = r;
    return first;
}

size_t
readers_waiting(const struct client *c, size_t reader)
{
    size_t n = 0;
    const struct conversation *v =
        reader_is(c, reader) ? c->conversations : NULL;
    for (; v; v = v->next) {
        if (v->last_event <= v->seen[reader])
            continue;
        for (const struct received *r = v->received; r; r = r->next)
            n += r->event > v->seen[reader];
    }
    return n;
}

/* Set what reader i has had of every contact to its last event (now), or to nothing, in
 * the caller's group. */
static int
seen_set_all(struct client *c, uint32_t i, bool now)
{
    int err = 0;
    for (struct conversation *v = c->conversations; v && !err; v = v->next) {
        const uint64_t event = now ? v->last_event : 0;
        if (event > 0)
            err = record_seen_save(c->journal, v->id, i, event);
        else if (v->seen[i] > 0)
            err = record_seen_delete(c->journal, v->id, i);
        v->seen[i] = event;
    }
    return err;
}

/* Put back what each contact's seen[i] was, which seen_set_all() has set. */
static void
seen_put_back(struct client *c, size_t i, const uint64_t *before)
{
    for (struct conversation *v = c->conversations; v; v = v->next)
        v->seen[i] = *before++;
}

/* What each contact's seen[i] is; NULL: no memory. */
static uint64_t *
seen_copy(const struct client *c, size_t i)
{
    size_t n = 0;
    for (const struct conversation *v = c->conversations; v; v = v->next)
        n++;
    uint64_t *out = calloc(n + 1, sizeof *out);
    n = 0;
    for (const struct conversation *v = c->conversations; v && out; v = v->next)
        out[n++] = v->seen[i];
    return out;
}

/* The record of reader i has this name, or there is none (""), in one group. */
static int
reader_change(struct client *c, uint32_t i, const char *name, bool now)
{
    const bool gone = name[0] == '\0';
    uint64_t *before = seen_copy(c, i);
    if (!before)
        return ERR_NOMEM;
    client_store_again(c, true);
    journal_begin(c->journal);
    int err = gone ? record_reader_delete(c->journal, i)
                   : record_reader_save(c->journal, i, name);
    if (!err)
        err = seen_set_all(c, i, now);
    if (err)
        seen_put_back(c, i, before);
    else
        memcpy(c->reader[i], name, strlen(name) + 1);
    free(before);
    return journal_finish(c->journal, err);
}

bool
client_reader_is(const struct client *c, const char *name)
{
    return reader_find(c, name) >= 0;
}

int
client_reader_add(struct client *c, const char *name, bool from_now)
{
    uint32_t i = 1;
    if (!conversation_name_is_good(name))
        return ERR_ARG;
    if (reader_find(c, name) >= 0)
        return ERR_EXISTS;
    if (strcmp(name, own) == 0)
        return reader_change(c, 0, "", from_now);
    while (i < CLIENT_READERS_MAX && reader_is(c, i))
        i++;
    return i < CLIENT_READERS_MAX ? reader_change(c, i, name, from_now)
                                  : ERR_FULL;
}

int
client_reader_remove(struct client *c, const char *name)
{
    const int i = reader_find(c, name);
    if (i < 0)
        return ERR_NOT_FOUND;
    const int err = reader_change(c, (uint32_t)i, i == 0 ? own : "", false);
    if (!err)
        readers_expire(c); /* it may have been the last that had not read */
    return err;
}

bool
client_reader(const struct client *c, size_t n,
              char name[static CLIENT_NAME_MAX], size_t *waiting)
{
    for (size_t i = 0; i < CLIENT_READERS_MAX; i++) {
        if (!reader_is(c, i) || n-- > 0)
            continue;
        memcpy(name, i == 0 ? own : c->reader[i],
               i == 0 ? sizeof own : CLIENT_NAME_MAX);
        *waiting = readers_waiting(c, i);
        return true;
    }
    return false;
}

/* ---- forgetting ---- */

/* Journal that those of v's messages that are marked are forgotten, and what is to be
 * known when they come again. */
static int
forgotten_save(struct client *c, struct conversation *v)
{
    int err = 0;
    for (const struct received *r = v->received; r && !err; r = r->next) {
        if (!r->forgotten)
            continue;
        memmove(v->had[1], v->had[0], sizeof v->had - sizeof v->had[0]);
        memcpy(v->had[0], r->id, sizeof v->had[0]);
        err = record_received_delete(c->journal, r->order);
    }
    if (!err)
        err = conversation_save(c, v);
    if (!err) /* so that no life gives its order to another */
        err = client_save(c);
    return err;
}

/* Forget those of v's messages that are marked, in the caller's group; on failure they
 * are marked no more. */
static int
marked_forget(struct client *c, struct conversation *v)
{
    uint8_t had[HAD_MAX][LETTER_ID_LEN];
    memcpy(had, v->had, sizeof had);
    journal_begin(c->journal);
    const int err = journal_finish(c->journal, forgotten_save(c, v));
    if (err)
        memcpy(v->had, had, sizeof had);
    for (struct received *r = v->received; r && err; r = r->next)
        r->forgotten = false;
    inbox_drop_marked(c, v);
    return err;
}

/* Have all had r, for longer than is to be kept? Without a time nothing grows old, and
 * what came without one came when there is one first. */
static bool
received_is_over(const struct client *c, struct received *r)
{
    if (!received_was_had(c, r))
        return false;
    if (c->keep_days == 0 || !client_time_is_known(c))
        return c->keep_days == 0;
    if (r->came_s == 0)
        r->came_s = client_time_s(c);
    return r->came_s + (uint64_t)c->keep_days * DAY_S <= client_time_s(c);
}

/* Forget of v what is over, `most` messages at most, in the caller's group. *n: so many
 * were. */
static int
over_forget(struct client *c, struct conversation *v, unsigned most,
            unsigned *n)
{
    *n = 0;
    if (c->keep_days == CLIENT_KEEP_ALWAYS)
        return 0;
    for (struct received *r = v->received; r && *n < most; r = r->next)
        if (received_is_over(c, r)) {
            r->forgotten = true;
            ++*n;
        }
    return *n > 0 ? marked_forget(c, v) : 0;
}

/* The contact that comes after this id, going round; NULL: there is none. */
static struct conversation *
contact_after(const struct client *c, uint32_t id)
{
    struct conversation *next = NULL, *least = NULL;
    for (struct conversation *v = c->conversations; v; v = v->next) {
        if (!least || v->id < least->id)
            least = v;
        if (v->id > id && (!next || v->id < next->id))
            next = v;
    }
    return next ? next : least;
}

void
readers_expire(struct client *c)
{
    unsigned n, left = FORGET_MOST;
    if (c->keep_days == CLIENT_KEEP_ALWAYS || journal_error(c->journal))
        return;
    for (unsigned i = 0; i < FORGET_CONTACTS && left > 0; i++) {
        struct conversation *v = contact_after(c, c->expired_id);
        if (!v)
            return;
        const int err = over_forget(c, v, left, &n);
        left -= n;
        if (left > 0) /* else there may be more of it */
            c->expired_id = v->id;
        if (err) { /* it will be tried again */
            client_drop(c, err);
            return;
        }
    }
}

/* Has v room for n messages more, of len bytes in all, when the oldest give way that all
 * have had? marks: those are marked, as many as are needed. */
static bool
room_find(const struct client *c, const struct conversation *v, uint32_t n,
          uint64_t len, bool marks)
{
    n += v->n_received;
    len += v->received_len;
    for (struct received *r = v->received;
         r && (n > INBOX_CONTACT_MAX || len > INBOX_CONTACT_LEN_MAX);
         r = r->next) {
        if (!received_was_had(c, r))
            continue;
        r->forgotten = marks;
        n--;
        len -= r->len;
    }
    return n <= INBOX_CONTACT_MAX && len <= INBOX_CONTACT_LEN_MAX;
}

bool
readers_have_room(const struct client *c, const struct conversation *v,
                  size_t len)
{
    return room_find(c, v, 1, len, false);
}

void
readers_trim(struct client *c, struct conversation *v)
{
    if (v->n_received <= INBOX_CONTACT_MAX &&
        v->received_len <= INBOX_CONTACT_LEN_MAX)
        return;
    (void)room_find(c, v, 0, 0, true);
    const int err = marked_forget(c, v);
    if (err) /* with the next one that comes */
        client_drop(c, err);
}

int
client_delete(struct client *c, uint64_t order)
{
    struct received *r = inbox_find(c, order);
    if (!r || r->event == 0)
        return ERR_NOT_FOUND;
    client_store_again(c, true);
    r->forgotten = true;
    return marked_forget(c, r->from);
}

int
client_keep(struct client *c, uint32_t days)
{
    enum { KEEP_MAX = 36525 };
    if (days > KEEP_MAX && days != CLIENT_KEEP_ALWAYS)
        return ERR_RANGE;
    client_store_again(c, true);
    journal_begin(c->journal);
    const int err =
        journal_finish(c->journal, record_settings_save(c->journal, days));
    if (err)
        return err;
    c->keep_days = days;
    readers_expire(c);
    return 0;
}

/* ---- reading ---- */

/* Was r read from the disk for somebody who may ask for it still? */
static bool
received_is_wanted(const struct received *r, uint64_t now_us)
{
    return r->data && r->asked_us > 0 && now_us - r->asked_us < WANTED_US;
}

/* What was read and not fetched yet is the only one held beyond the bound. */
static void
others_drop(struct client *c, const struct received *kept)
{
    for (size_t i = 0; i < c->n_inbox && c->inbox_held > INBOX_HELD_MAX; i++)
        if (c->by_order[i] != kept)
            inbox_data_drop(c, c->by_order[i]);
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
    inbox_data_hold(c, r, record.data, true);
    others_drop(c, r);
    return r->data ? 0 : ERR_NOMEM;
}

/* May a read that failed so go well another time? */
static bool
error_passes(int err)
{
    return err == ERR_NOMEM || err == ERR_DB || err == ERR_IO ||
           err == ERR_SYSTEM || err == ERR_ROOM || err == ERR_AGAIN;
}

static void
read_done(struct env_store_req *req)
{
    struct inbox_read *i = req->owner;
    struct client *c = i->client;
    struct received *r = c ? inbox_find(c, i->order) : NULL;
    if (r && !r->data) {
        const int err = req->err ? req->err : received_fill(c, r, i);
        const uint64_t now_us = env_now_mono_us(c->env);
        r->damaged = err && !error_passes(err);
        r->again_us = err && !r->damaged ? now_us + UNREAD_US : 0;
        r->asked_us = err ? 0 : now_us;
        c->wanted_order = r->order;
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

/* Read r, unless another is being read, or was and waits for who asked. */
static void
read_begin(struct client *c, const struct received *r)
{
    const struct received *last = inbox_find(c, c->wanted_order);
    if (c->inbox_read ||
        (last && received_is_wanted(last, env_now_mono_us(c->env))))
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

void
readers_free(struct client *c)
{
    if (c->inbox_read)
        c->inbox_read->client = NULL; /* frees itself when it is answered */
    c->inbox_read = NULL;
}

static void
received_tell(const struct received *r, struct client_received *out)
{
    *out = (struct client_received){.contact = r->from->name,
                                    .id = r->from->id,
                                    .kind = (enum letter_kind)r->kind,
                                    .order = r->order,
                                    .event = r->event,
                                    .number = letter_number(r->id),
                                    .sent_s = letter_sent_s(r->id),
                                    .late_after = r->late_after,
                                    .read = r->event <= r->from->seen[0],
                                    .damaged = r->damaged,
                                    .data = r->data,
                                    .len = r->len};
}

/* Is r in memory, or of no use? Else it is read. */
static bool
received_is_here(struct client *c, const struct received *r)
{
    if (!r->data && !r->damaged)
        read_begin(c, r);
    return r->data || r->damaged;
}

/* Hand out r, which is in memory. */
static void
received_give(struct received *r, struct client_received *out)
{
    r->asked_us = 0;
    received_tell(r, out);
}

/* The next of v's for this reader: NULL also while that is not durable, or cannot be
 * read. Then others go first, but none of v's, which would be taken for read with it. */
static struct received *
contact_next(const struct client *c, const struct conversation *v,
             size_t reader)
{
    struct received *r = unread_first(v, reader);
    return r && r->again_us <= env_now_mono_us(c->env) &&
                   journal_is_committed(c->journal, r->ticket)
               ? r
               : NULL;
}

bool
client_next(struct client *c, const char *reader, const char *name,
            struct client_received *out)
{
    const int who = reader_find(c, reader);
    struct received *r = NULL, *o;
    const struct conversation *v = who < 0 ? NULL : c->conversations;
    for (; v; v = v->next)
        if ((name ? strcmp(name, v->name) == 0 : !v->muted) &&
            (o = contact_next(c, v, (size_t)who)) &&
            (!r || o->event < r->event))
            r = o;
    if (!r || !received_is_here(c, r))
        return false;
    received_give(r, out);
    return true;
}

int
client_read(struct client *c, uint64_t order, struct client_received *out)
{
    struct received *r = inbox_find(c, order);
    if (!r || r->event == 0 || !journal_is_committed(c->journal, r->ticket))
        return ERR_NOT_FOUND;
    if (!r->data && r->again_us > env_now_mono_us(c->env))
        return ERR_DB;
    if (!received_is_here(c, r))
        return ERR_AGAIN;
    received_give(r, out);
    return 0;
}

int
client_history(const struct client *c, const char *name, uint64_t before,
               size_t count,
               void (*fn)(void *ctx, const struct client_received *one),
               void *ctx)
{
    const struct conversation *v = name ? conversation_find(c, name) : NULL;
    if (name && !v)
        return ERR_NOT_FOUND;
    size_t i = inbox_shown_before(c, before ? before : UINT64_MAX);
    while (i-- > 0 && count > 0) {
        const struct received *r = c->by_event[i];
        struct client_received one;
        if ((v && r->from != v) || !journal_is_committed(c->journal, r->ticket))
            continue;
        received_tell(r, &one);
        one.data = NULL;
        fn(ctx, &one);
        count--;
    }
    return 0;
}

/* Note that the reader has had r, and forget what is over then, in the caller's group. */
static int
received_release(struct client *c, const struct received *r, uint32_t reader)
{
    struct conversation *v = r->from;
    const int err = record_seen_save(c->journal, v->id, reader, r->event);
    if (err)
        return err;
    unsigned n;
    v->seen[reader] = r->event;
    return over_forget(c, v, FORGET_MOST, &n);
}

/* What all have had of v need not be in memory. */
static void
read_drop(struct client *c, const struct conversation *v)
{
    for (struct received *r = v->received; r; r = r->next)
        if (r->data && received_was_had(c, r))
            inbox_data_drop(c, r);
}

int
client_release(struct client *c, const char *reader, uint64_t order)
{
    const int who = reader_find(c, reader);
    struct received *r = inbox_find(c, order);
    if (who < 0 || !r || r->event <= r->from->seen[who])
        return ERR_NOT_FOUND;
    client_store_again(c, true);
    struct conversation *v = r->from;
    const uint64_t before = v->seen[who];
    journal_begin(c->journal);
    const int err =
        journal_finish(c->journal, received_release(c, r, (uint32_t)who));
    if (err)
        v->seen[who] = before;
    else
        read_drop(c, v);
    return err;
}

/* ---- loading ---- */

int
readers_load_settings(struct client *c, const uint8_t *value, size_t len)
{
    return record_settings_read(&c->keep_days, value, len);
}

int
readers_load(struct client *c, const struct record_key *key,
             const uint8_t *value, size_t len)
{
    if (key->a >= CLIENT_READERS_MAX)
        return ERR_RANGE;
    return record_reader_read(c->reader[key->a], value, len);
}

int
readers_load_seen(struct client *c, const struct record_key *key,
                  const uint8_t *value, size_t len)
{
    struct conversation *v = conversation_by_id(c, key->contact);
    if (!v || v->removed)
        return ERR_MISSING;
    if (key->a >= CLIENT_READERS_MAX || !reader_is(c, key->a))
        return ERR_RANGE;
    const int err = record_seen_read(&v->seen[key->a], value, len);
    if (!err && v->seen[key->a] >= c->next_event)
        c->next_event = v->seen[key->a] + 1;
    return err;
}
