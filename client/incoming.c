/* client/incoming.c - letters to messages.
 *
 * What a letter brings is journalled (its data, and with the contact's record
 * what is acknowledged) in one group, and made true here when the whole group
 * is built; it is acknowledged by the next letter staged the other way, which
 * the journal keeps later still. So nothing is acknowledged that a crash could
 * lose, and nothing whole is handed out twice: the group that completes a
 * message puts it in the inbox and deletes its fragments.
 *
 * Messages of one letter need no gathering and are never refused for it. Of
 * longer ones memory is taken as fragments come, whatever they announce, and
 * each contact has a budget of its own: INCOMING_MAX messages and
 * GATHER_CONTACT_MAX bytes; when all contacts together have GATHER_MAX, each
 * still has GATHER_SHARE, whatever number of them there is: no contact learns that.
 * What is beyond is left in its box, unacknowledged. A message whose last fragment
 * came letter_days ago is given up: its sender has given it up, too; and one that its
 * sender says is given up (a letter without content that has its id) at once. */
#include "client/incoming.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/conversations.h"
#include "client/inbox.h"
#include "client/readers.h"
#include "client/disk/records.h"

enum { INCOMING_MAX = 32, DAY_S = 86400 };
enum {
    GATHER_CONTACT_MAX = 32 << 20,
    GATHER_MAX = 64 << 20,
    GATHER_SHARE = 256 << 10
};

static struct incoming *
incoming_find(const struct conversation *v, const uint8_t *id)
{
    struct incoming *m = v->incoming;
    while (m && memcmp(m->id, id, LETTER_ID_LEN) != 0)
        m = m->next;
    return m;
}

static void
incoming_delete(struct client *c, struct conversation *v,
                const struct incoming *m)
{
    struct incoming **at = &v->incoming, *gone;
    while (*at != m)
        at = &(*at)->next;
    gone = *at;
    *at = gone->next;
    c->gathered_len -= gone->len;
    v->gathered_len -= gone->len;
    for (uint32_t i = 0; i < gone->have; i++) {
        sodium_memzero(gone->fragment[i].data, gone->fragment[i].len);
        free(gone->fragment[i].data);
    }
    free(gone->fragment);
    free(gone);
}

void
incoming_free(struct client *c, struct conversation *v)
{
    while (v->incoming)
        incoming_delete(c, v, v->incoming);
}

/* Is there room for len bytes more of v's unfinished messages? */
static bool
gather_has_room(const struct client *c, const struct conversation *v,
                size_t len)
{
    return v->gathered_len + len <= GATHER_CONTACT_MAX &&
           (c->gathered_len + len <= GATHER_MAX ||
            v->gathered_len + len <= GATHER_SHARE);
}

static int
incoming_make(const struct client *c, struct conversation *v,
              const struct letter *l, struct incoming **out)
{
    unsigned n = 0;
    for (const struct incoming *m = v->incoming; m; m = m->next)
        n++;
    if (n >= INCOMING_MAX || (!v->muted && !readers_have_room(c, v, l->total)))
        return ERR_FULL;
    struct incoming *m = calloc(1, sizeof *m);
    if (!m)
        return ERR_NOMEM;
    memcpy(m->id, l->message, LETTER_ID_LEN);
    m->kind = l->kind;
    m->count = l->count;
    m->total = l->total;
    m->next = v->incoming;
    v->incoming = m;
    *out = m;
    return 0;
}

/* The place of a fragment among those that are here: before it lie smaller
 * ones alone. */
static uint32_t
fragment_place(const struct incoming *m, uint32_t index)
{
    uint32_t low = 0, high = m->have;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (m->fragment[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Gather a fragment, whose fields agree with each other. Those of one message
 * that contradict each other are the sender's fault: ERR_CONFLICT. Returns 0
 * also for one that is here. */
static int
fragment_keep(struct client *c, struct conversation *v, struct incoming *m,
              const struct letter *l)
{
    uint32_t at = fragment_place(m, l->index);
    if (m->kind != l->kind || m->count != l->count || m->total != l->total)
        return ERR_CONFLICT;
    if (at < m->have && m->fragment[at].index == l->index)
        return 0;
    if (m->have == m->room) {
        uint32_t room = m->room ? 2 * m->room : 8;
        struct fragment *more = realloc(m->fragment, room * sizeof *more);
        if (!more)
            return ERR_NOMEM;
        m->fragment = more;
        m->room = room;
    }
    uint8_t *copy = malloc(l->data_len + 1u);
    if (!copy)
        return ERR_NOMEM;
    if (l->data_len > 0)
        memcpy(copy, l->data, l->data_len);
    memmove(&m->fragment[at + 1], &m->fragment[at],
            (m->have - at) * sizeof m->fragment[0]);
    m->fragment[at] = (struct fragment){l->index, l->data_len, copy};
    m->have++;
    m->len += l->data_len;
    v->gathered_len += l->data_len;
    c->gathered_len += l->data_len;
    return 0;
}

static void
fragment_drop(struct client *c, struct conversation *v, struct incoming *m,
              uint32_t index)
{
    uint32_t at = fragment_place(m, index);
    const struct fragment gone = m->fragment[at];
    sodium_memzero(gone.data, gone.len);
    free(gone.data);
    memmove(&m->fragment[at], &m->fragment[at + 1],
            (--m->have - at) * sizeof m->fragment[0]);
    m->len -= gone.len;
    v->gathered_len -= gone.len;
    c->gathered_len -= gone.len;
}

/* Erase the records of an unfinished message. */
static int
incoming_unsave(struct client *c, const struct conversation *v,
                const struct incoming *m)
{
    int err = 0;
    for (uint32_t i = 0; i < m->have && !err; i++)
        err = record_fragment_delete(c->journal, v->id, m->id,
                                     m->fragment[i].index);
    return err;
}

int
incoming_erase(struct client *c, const struct conversation *v)
{
    int err = 0;
    for (const struct incoming *m = v->incoming; m && !err; m = m->next)
        err = incoming_unsave(c, v, m);
    return err;
}

void
incoming_expire(struct client *c)
{
    const uint64_t now_s = client_sure_time_s(c);
    if (!c->current)
        return;
    uint64_t life_s = (uint64_t)c->current->params.letter_days * DAY_S;
    for (struct conversation *v = c->conversations; v; v = v->next)
        for (struct incoming *m = v->incoming, *next; m; m = next) {
            next = m->next;
            if (m->progress_s + life_s >= now_s)
                continue;
            journal_begin(c->journal);
            int err = incoming_unsave(c, v, m);
            if (err) { /* next time */
                journal_cancel(c->journal);
                client_drop(c, err);
                return;
            }
            incoming_delete(c, v, m);
            (void)journal_end(c->journal);
        }
    for (struct conversation *v = c->conversations; v; v = v->next)
        incoming_settle(c, v);
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

/* A message is whole: texts and files go into the inbox, or, of a contact that is
 * muted, or one that is there already, nowhere. Up to here one that is muted is like
 * any other, so that it is acknowledged alike. */
static int
message_take(struct client *c, struct conversation *v, const struct letter *l,
             const uint8_t *data, size_t len, struct incoming_step *step)
{
    step->is_whole = true;
    if (v->muted || !letter_is_content(l->kind) || inbox_has(v, l->message))
        return 0;
    return readers_have_room(c, v, len)
               ? inbox_make(c, v, l, data, len, &step->received)
               : ERR_FULL;
}

/* All fragments of a message are here. */
static int
fragments_join(struct client *c, struct conversation *v, const struct letter *l,
               struct incoming_step *step)
{
    const struct incoming *m = step->message;
    uint8_t *data = malloc((size_t)m->total + 1);
    size_t at = 0;
    if (!data)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < m->have; i++) {
        memcpy(data + at, m->fragment[i].data, m->fragment[i].len);
        at += m->fragment[i].len;
    }
    int err = message_take(c, v, l, data, at, step);
    if (!err)
        err = incoming_unsave(c, v, m);
    sodium_memzero(data, at);
    free(data);
    return err;
}

/* Has the sender of this message given it up? */
static bool
is_gone(const struct conversation *v, const uint8_t *id)
{
    for (size_t i = 0; i < GONE_MAX && !sodium_is_zero(id, LETTER_ID_LEN); i++)
        if (memcmp(v->gone[i], id, LETTER_ID_LEN) == 0)
            return true;
    return false;
}

/* Take the word of a sender who has given up a message: what is here of it goes. */
static int
gone_take(struct client *c, struct conversation *v, const struct letter *l,
          struct incoming_step *step)
{
    struct incoming *m = sodium_is_zero(l->message, LETTER_ID_LEN)
                             ? NULL
                             : incoming_find(v, l->message);
    const int err = m ? incoming_unsave(c, v, m) : 0;
    step->gone = err ? NULL : m;
    step->is_whole = err == 0;
    if (!m)
        return err;
    memcpy(v->gone[v->n_gone], l->message, LETTER_ID_LEN);
    v->n_gone = (uint8_t)((v->n_gone + 1) % GONE_MAX);
    return 0;
}

/* Take one fragment of a longer message. */
static int
fragment_take(struct client *c, struct conversation *v, const struct letter *l,
              struct incoming_step *step)
{
    if (is_gone(v, l->message))
        return 0;
    int err = gather_has_room(c, v, l->data_len) ? 0 : ERR_FULL;
    step->message = incoming_find(v, l->message);
    step->is_first = !step->message;
    if (!err && step->is_first)
        err = incoming_make(c, v, l, &step->message);
    if (err) {
        step->message = NULL;
        return err;
    }
    const uint32_t before = step->message->have;
    err = fragment_keep(c, v, step->message, l);
    step->is_added = step->message->have > before;
    if (err)
        return err;
    if (step->message->have == step->message->count)
        return fragments_join(c, v, l, step);
    return record_fragment_save(c->journal, v->id, l, client_time_s(c));
}

/* Take the content of a letter that was not here yet. Of a contact that is removed,
 * and of a self, nothing is kept. */
static int
content_take(struct client *c, struct conversation *v, const struct letter *l,
             struct incoming_step *step)
{
    if (v->removed || v->self)
        return 0;
    if (l->kind == LETTER_USED) /* arrival.c has noted it */
        return 0;
    journal_begin(c->journal);
    int err = l->kind == LETTER_HELLO ? gone_take(c, v, l, step)
              : l->count == 1
                  ? message_take(c, v, l, l->data, l->data_len, step)
                  : fragment_take(c, v, l, step);
    if (journal_finish(c->journal, err))
        incoming_revert(c, v, l, step);
    return err;
}

/* Is this a ping of a contact that may not ping? It has no consequence at once:
 * as long as nothing else is to be acknowledged, its sender sees what he would see
 * if the user were away. */
static bool
is_idle_ping(const struct conversation *v, const struct letter *l)
{
    return l->kind == LETTER_PING && !v->pings;
}

int
incoming_take(struct client *c, struct conversation *v, const struct letter *l,
              struct incoming_step *step)
{
    const uint64_t now_us = env_now_mono_us(c->env);
    *step = (struct incoming_step){0};
    floor_take(v, l->floor);
    if (l->sequence == 0)
        return 0;
    if (sequence_is_known(v, l->sequence)) {
        step->is_owed =
            !is_idle_ping(v, l); /* ours was lost, or is under way */
        return ERR_DUPLICATE;
    }
    if (l->sequence - v->ack > LETTER_WINDOW)
        return ERR_RANGE;
    int err = content_take(c, v, l, step);
    if (err)
        return err;
    sequence_note(v, l->sequence);
    step->is_owed = !is_idle_ping(v, l);
    if (!v->removed || l->count > 1)
        v->letter_us = now_us;
    return 0;
}

/* ---- in order ---- */

/* Are there parts of a text that was written before this id? */
static bool
parts_wait(const struct conversation *v, const uint8_t *id)
{
    const struct incoming *m = v->incoming;
    while (m && (m->kind != LETTER_TEXT || !letter_id_is_before(m->id, id)))
        m = m->next;
    return m != NULL;
}

/* Is all here that r's sender wrote before, texts alone, or for a file files too?
 * Where no letter up to that one is missing any more, all is here that will ever come.
 * Of texts, whose letters leave in their order, it is enough that the last one's last
 * letter is here, and no text before r is in parts or waits itself (waits). */
static bool
received_is_due(const struct conversation *v, const struct received *r,
                bool waits)
{
    if (r->after <= v->ack)
        return true;
    return r->kind == LETTER_TEXT && sequence_is_known(v, r->after) && !waits &&
           !parts_wait(v, r->id);
}

void
incoming_settle(struct client *c, struct conversation *v)
{
    const uint64_t now_us = env_now_mono_us(c->env);
    bool text_waits = false;
    for (struct received *r = v->received; r && v->n_held > 0; r = r->next) {
        if (r->event > 0)
            continue;
        const bool is_due =
            r->until_us <= now_us || received_is_due(v, r, text_waits);
        if (!is_due || inbox_show(c, r))
            text_waits = text_waits || r->kind == LETTER_TEXT;
    }
}

void
incoming_resume(struct client *c)
{
    for (size_t i = 0; i < c->n_inbox; i++) {
        struct received *r = c->by_order[i];
        bool text_waits = false;
        if (r->event > 0)
            continue;
        for (const struct received *o = r->from->received; o != r; o = o->next)
            text_waits =
                text_waits || (o->event == 0 && o->kind == LETTER_TEXT);
        if (received_is_due(r->from, r, text_waits) && inbox_show(c, r))
            return; /* the journal takes nothing: they are shown later */
    }
}

/* ---- a letter is taken ---- */

static void
pong_take(struct client *c, struct conversation *v, const uint8_t *id)
{
    for (struct message *m = v->messages; m; m = m->next)
        if (m->kind == LETTER_PING && memcmp(m->id, id, LETTER_ID_LEN) == 0 &&
            m->rtt_us == 0)
            m->rtt_us = env_now_mono_us(c->env) - m->started_us;
}

void
incoming_taken(struct client *c, struct conversation *v, const struct letter *l,
               struct incoming_step *step)
{
    if (step->is_whole) {
        if (step->received) {
            inbox_link(c, step->received);
            readers_trim(c, v);
        }
        if (l->kind == LETTER_PONG)
            pong_take(c, v, l->message);
        if (step->message)
            incoming_delete(c, v, step->message);
        if (step->gone)
            incoming_delete(c, v, step->gone);
        c->status.changes++;
    } else if (step->message) {
        step->message->progress_s = client_time_s(c);
    }
    incoming_settle(c, v);
    *step = (struct incoming_step){0};
}

void
incoming_revert(struct client *c, struct conversation *v,
                const struct letter *l, struct incoming_step *step)
{
    inbox_discard(c, &step->received);
    if (step->message && step->is_first)
        incoming_delete(c, v, step->message);
    else if (step->message && step->is_added)
        fragment_drop(c, v, step->message, l->index);
    *step = (struct incoming_step){0};
}

/* ---- loading ---- */

int
incoming_load_fragment(struct client *c, struct conversation *v,
                       const struct record_key *key, const uint8_t *value,
                       size_t len)
{
    struct letter l;
    uint64_t progress_s;
    int err =
        record_fragment_read(&l, &progress_s, key, value, len, c->letter_len);
    if (err)
        return err;
    struct incoming *m = incoming_find(v, l.message);
    const bool is_first = !m;
    if (is_first)
        err = incoming_make(c, v, &l, &m);
    if (err)
        return err;
    err = fragment_keep(c, v, m, &l);
    if (err && is_first)
        incoming_delete(c, v, m);
    else if (!err && progress_s > m->progress_s)
        m->progress_s = progress_s;
    return err;
}
