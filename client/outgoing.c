/* client/outgoing.c - see outgoing.h.
 *
 * A letter's states: staged (sealed for its place, waiting for the journal),
 * due (its next put may be sent), asked (due again when the answer is overdue),
 * kept (a store has it; due again much later), gone (acknowledged, or kept by
 * both stores and nothing but an acknowledgement itself). What was staged goes out
 * as it is, however often.
 *
 * Failure modes: no memory (a store's answer counts as none, and comes again); a
 * store that kept nothing (what is not acknowledged is put at both stores in turn,
 * and after a day at another place); a place that is taken (taken.c); an endless
 * silence (the message expires, its letters are dropped and the floor tells the other
 * side). */
#include "client/outgoing.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/announce.h"
#include "client/conversations.h"
#include "client/messages.h"
#include "client/disk/records.h"
#include "client/sealing.h"
#include "client/staging.h"
#include "client/state.h"
#include "lib/rng.h"

enum { DAY_S = 86400 };

/* ---- puts ---- */

/* May the next put of l be one at the second store? */
static bool
letter_may_spare(const struct out_letter *l)
{
    return l->answered ? l->second : l->tried;
}

bool
outgoing_is_first(const struct out_letter *l)
{
    return l->answers && !l->kept;
}

/* The next letter of one contact, and since when its turn is due. */
struct turn {
    struct conversation *of;
    struct out_letter *letter; /* NULL: there is none */
    uint64_t due_us;
};

/* Give l a turn of its contact's, if it goes before what has it: what answers, then
 * what is of no file, then what is due longest. The turn itself is due as before:
 * which letter takes it is no other contact's matter. */
static void
turn_give(struct turn *t, struct out_letter *l)
{
    const struct out_letter *had = t->letter;
    if (!had || l->due_us < t->due_us)
        t->due_us = l->due_us;
    if (had && outgoing_is_first(l) != outgoing_is_first(had)) {
        if (outgoing_is_first(l))
            t->letter = l;
    } else if (had && (l->kind == LETTER_FILE) != (had->kind == LETTER_FILE)) {
        if (had->kind == LETTER_FILE)
            t->letter = l;
    } else if (!had || l->due_us < had->due_us) {
        t->letter = l;
    }
}

/* May l be put now? spare, answers: as of outgoing_pick(). One that is old is staged
 * anew. */
static bool
letter_may_leave(const struct client *c, const struct conversation *v,
                 const struct out_letter *l, bool answers, bool spare,
                 uint32_t period, uint64_t now_us)
{
    return l->due_us <= now_us && (answers || !outgoing_is_first(l)) &&
           !(l->kept && staging_letter_is_old(v, l, period, now_us)) &&
           journal_is_committed(c->journal, l->ticket) &&
           (!spare || l->answered || letter_may_spare(l));
}

/* Does turn t go before that of another contact? What answers a contact before all
 * that the user writes, contacts taking turns: else one who has many answers to get
 * would hold up those of all (I11). Then by turns of being due. */
static bool
is_sooner(const struct turn *t, const struct turn *other)
{
    const bool first = outgoing_is_first(t->letter);
    if (first != outgoing_is_first(other->letter))
        return first;
    if (first && t->of->answered_us != other->of->answered_us)
        return t->of->answered_us < other->of->answered_us;
    return t->due_us < other->due_us;
}

struct out_letter *
outgoing_pick(struct client *c, bool answers, bool *spare,
              struct conversation **of)
{
    const uint64_t now_us = env_now_mono_us(c->env);
    const uint32_t period = client_period(c);
    struct turn next = {0};
    for (struct conversation *v = c->conversations; v; v = v->next) {
        struct turn t = {.of = v};
        for (struct out_letter *l = v->letters; l; l = l->next)
            if ((!v->refused || l->kind == LETTER_HELLO) &&
                letter_may_leave(c, v, l, answers, *spare, period, now_us))
                turn_give(&t, l);
        if (t.letter && (!next.letter || is_sooner(&t, &next)))
            next = t;
    }
    struct out_letter *best = next.letter;
    *of = next.of;
    if (best && best->answered) /* whatever was drawn */
        *spare = letter_may_spare(best);
    return best;
}

void
outgoing_resume(struct client *c, uint64_t gap_us)
{
    const uint64_t now_us = env_now_mono_us(c->env);
    const uint64_t most_us = gap_us < HELD_UP_US / 2 ? 2 * gap_us : HELD_UP_US;
    for (struct conversation *v = c->conversations; v; v = v->next) {
        const uint64_t due_us = now_us + rng_below(c->env, most_us + 1);
        for (struct out_letter *l = v->letters; l; l = l->next)
            if (l->due_us + GAP_US <= now_us)
                l->due_us = due_us;
    }
}

void
outgoing_answered(struct out_letter *l, enum store_rank rank)
{
    l->answered = true;
    l->second = rank == STORE_FIRST;
}

void
outgoing_asked(struct client *c, struct out_letter *l, uint64_t due_us)
{
    announce_left(c, l->announcement);
    if (l->put_us == 0)
        l->put_us = env_now_mono_us(c->env);
    l->tried = true;
    l->due_us = due_us;
}

/* An acknowledgement alone is put once at each store, since nothing asks for it
 * again when one of them loses it; a letter to oneself at one, as if it had been
 * acknowledged. */
static int
ack_kept(struct client *c, struct conversation *v, struct out_letter **at,
         enum store_rank rank)
{
    struct out_letter *l = *at;
    if (l->kind == LETTER_USED) {
        v->again_period = l->at.period;
        v->again_to_all = true;
    }
    if (l->kept || rank == STORE_ALONE || v->self)
        return staging_letter_erase(c, v, at);
    l->kept = true;
    l->keeps = 1;
    l->due_us = env_now_mono_us(c->env) + ACK_AGAIN_US;
    return 0;
}

/* Note that a store has a letter. A restart puts the letter again no earlier than
 * this life would. */
static int
letter_kept(struct client *c, struct conversation *v, struct out_letter **at,
            enum store_rank rank)
{
    struct out_letter *l = *at;
    const struct out_letter before = *l;
    const unsigned doublings = staging_letter_is_in_doubt(v, l) ? 0 : l->keeps;
    uint64_t wait_us = KEPT_US << (doublings < 6 ? doublings : 6);
    struct message *m = message_find(v, l->order);
    if (l->sequence == 0)
        return ack_kept(c, v, at, rank);
    if (wait_us > KEPT_MAX_US)
        wait_us = KEPT_MAX_US;
    l->due_us = env_now_mono_us(c->env) + wait_us;
    if (l->keeps < UINT8_MAX)
        l->keeps++;
    l->kept = true;
    l->taken = 0;
    v->passed = 0;
    int err =
        record_letter_save(c->journal, v->id, l,
                           client_time_s(c) + wait_us / 1000000, c->letter_len);
    if (err) {
        *l = before;
        return err;
    }
    announce_kept(c, v, l);
    if (!before.kept && m && ++m->kept + m->acked >= m->count &&
        m->state == CLIENT_QUEUED) {
        m->state = CLIENT_SENT;
        c->status.changes++;
    }
    return 0;
}

struct out_letter **
outgoing_find(struct conversation *v, struct letter_place place)
{
    struct out_letter **at = &v->letters;
    while (*at && ((*at)->at.period != place.period || (*at)->at.n != place.n))
        at = &(*at)->next;
    return at;
}

void
outgoing_wait(struct client *c, struct conversation *v, struct out_letter *l)
{
    const uint64_t due_us = env_now_mono_us(c->env) + PROOF_US;
    for (struct out_letter *o = v->letters; o; o = o->next)
        if (o->at.period == l->at.period &&
            o->at.n / LETTER_SLOTS == l->at.n / LETTER_SLOTS &&
            letter_may_spare(o) == letter_may_spare(l) && o->due_us < due_us)
            o->due_us = due_us;
    l->due_us = due_us + 1; /* the others have their turns before */
}

void
outgoing_refused(struct client *c, struct out_letter *l, enum store_rank rank)
{
    outgoing_answered(l, rank);
    l->due_us =
        env_now_mono_us(c->env) + (l->second && !l->taken ? RETRY_US : FULL_US);
}

void
outgoing_answer(struct client *c, struct conversation *v,
                struct letter_place place, enum store_rank rank, uint8_t status)
{
    uint64_t now_us = env_now_mono_us(c->env);
    struct out_letter **at = outgoing_find(v, place);
    if (!*at)
        return; /* acknowledged meanwhile */
    if (status == WIRE_FULL) {
        outgoing_refused(c, *at, rank);
        return;
    }
    if (status != WIRE_RETRY) /* that one may have it in a moment */
        outgoing_answered(*at, rank);
    if (status != WIRE_KEPT) {
        (*at)->due_us = now_us + RETRY_US;
        return;
    }
    journal_begin(c->journal);
    int err = journal_finish(c->journal, letter_kept(c, v, at, rank));
    if (err) { /* the store will say so again; a disk that takes nothing shows to
                  it as no more than what is not acknowledged yet */
        (*at)->due_us = now_us + (err == ERR_NOMEM ? RETRY_US : KEPT_US);
        client_drop(c, err);
    }
}

/* ---- expiry ---- */

static bool
letter_is_of(const struct out_letter *l, const struct message *m)
{
    return l->sequence > 0 && l->order == m->order;
}

/* Is there a letter of a message that its reader shows after m? */
static bool
message_is_awaited(const struct conversation *v, const struct message *m)
{
    const struct out_letter *l = v->letters;
    while (l && !(l->sequence > 0 && l->order > m->order &&
                  letter_is_content(l->kind) &&
                  (m->kind == LETTER_TEXT || l->kind == LETTER_FILE)))
        l = l->next;
    return l != NULL;
}

/* Journal that the letters of m are given up. Those that a store has are erased; those
 * that were never put become letters without content at the same places, since a
 * place in which nothing ever lies would keep the reader at its box; those whose put
 * was not answered yet go on, so that no store sees two letters for one place. What
 * takes places is made in *empty, in the order of v's list. */
static int
letters_give_up(struct client *c, struct conversation *v,
                const struct message *m, struct out_letter **empty)
{
    struct out_letter **end = empty;
    const bool awaited = message_is_awaited(v, m);
    int err = 0;
    *empty = NULL;
    for (const struct out_letter *l = v->letters; l && !err; l = l->next) {
        if (!letter_is_of(l, m))
            continue;
        if (l->kept)
            err = record_letter_delete(c->journal, v->id, l->at);
        else if (!l->tried && !l->loaded)
            err = staging_letter_empty(c, v, l, awaited ? l->sequence : 0, end);
        if (*end)
            end = &(*end)->next;
    }
    return err;
}

/* The same in v's list, once that is journalled; or, after an error, forget what was
 * made for it. */
static void
letters_given_up(const struct client *c, struct conversation *v,
                 const struct message *m, int err, struct out_letter *empty)
{
    while (err && empty)
        staging_letter_unlink(c, &empty);
    for (struct out_letter **at = &v->letters; *at && !err;) {
        const bool mine = letter_is_of(*at, m);
        if (mine && (*at)->kept) {
            staging_letter_unlink(c, at);
            continue;
        }
        if (mine && !(*at)->tried && !(*at)->loaded && empty) {
            struct out_letter *next = empty->next;
            staging_letter_replace(c, at, empty);
            empty = next;
        }
        at = &(*at)->next;
    }
}

/* Give up a message and its letters. */
static int
message_expire(struct client *c, struct conversation *v, struct message *m)
{
    journal_begin(c->journal);
    struct out_letter *empty = NULL;
    int err = record_message_save(c->journal, v->id, m, CLIENT_EXPIRED);
    if (!err)
        err = letters_give_up(c, v, m, &empty);
    letters_given_up(c, v, m, journal_finish(c->journal, err), empty);
    if (err)
        return err;
    message_finish(c, v, m, CLIENT_EXPIRED);
    return 0;
}

int
client_cancel(struct client *c, const char *name, uint64_t order)
{
    struct conversation *v = conversation_find(c, name);
    struct message *m = v ? message_find(v, order) : NULL;
    client_store_again(c, true);
    if (!m)
        return ERR_NOT_FOUND;
    if (message_is_over(m))
        return ERR_USED;
    const bool told = m->count > 1 && m->next_index > 0;
    uint8_t id[LETTER_ID_LEN];
    memcpy(id, m->id, sizeof id);
    journal_begin(c->journal);
    const int err = journal_finish(c->journal, message_expire(c, v, m));
    if (err)
        return err;
    messages_prune(c, v);
    /* its reader is to wait for no more of it; without room he does, for days */
    const int untold =
        told ? message_submit(c, v, LETTER_HELLO, id, NULL, 0, &order) : 0;
    if (untold)
        client_drop(c, untold);
    return 0;
}

static int
message_take_back(struct client *c, struct conversation *v,
                  const struct message *m)
{
    journal_begin(c->journal);
    struct out_letter *empty = NULL;
    int err = record_message_delete(c->journal, v->id, m->order);
    if (!err)
        err = letters_give_up(c, v, m, &empty);
    letters_given_up(c, v, m, journal_finish(c->journal, err), empty);
    if (err)
        return err;
    message_forget(c, v, m);
    return 0;
}

void
outgoing_take_back(struct client *c, struct conversation *v)
{
    int err = 0;
    for (struct message *m = v->messages, *next; m && !err; m = next) {
        next = m->next;
        if ((letter_is_content(m->kind) || m->kind == LETTER_PING) &&
            !message_is_over(m) && !journal_is_committed(c->journal, m->ticket))
            err = message_take_back(c, v, m);
    }
    if (err)
        client_drop(c, err);
}

/* Date a message that was made while nobody knew the time: its life begins now.
 */
static int
message_date(struct client *c, const struct conversation *v, struct message *m)
{
    if (!client_time_is_known(c))
        return 0;
    m->created_s = client_time_s(c);
    int err = record_message_save(c->journal, v->id, m, CLIENT_QUEUED);
    if (err)
        m->created_s = 0;
    return err;
}

void
outgoing_expire(struct client *c)
{
    uint64_t now_s = client_sure_time_s(c);
    int err = 0;
    if (!c->current)
        return;
    uint64_t life_s = (uint64_t)c->current->params.letter_days * DAY_S;
    journal_begin(c->journal);
    for (struct conversation *v = c->conversations; v; v = v->next) {
        for (struct message *m = v->messages; m && !err; m = m->next)
            if (!message_is_over(m) && m->created_s == 0)
                err = message_date(c, v, m);
            else if (!message_is_over(m) && m->created_s + life_s <= now_s)
                err = message_expire(c, v, m);
        messages_prune(c, v); /* also where nobody acknowledges anything */
    }
    if (err) /* the rest next time */
        client_drop(c, err);
    (void)journal_end(c->journal);
}

/* ---- loading ---- */

int
outgoing_load_letter(struct client *c, struct conversation *v,
                     const struct record_key *key, const uint8_t *value,
                     size_t len)
{
    struct out_letter head;
    const uint8_t *bytes;
    int err = record_letter_read(&head, &bytes, key, value, len, c->letter_len);
    if (err)
        return err;
    struct out_letter *l = staging_letter_new(c, &head);
    if (!l)
        return ERR_NOMEM;
    memcpy(l->bytes, bytes, c->letter_len);
    /* whether its token was listed nobody knows: it has another */
    if (l->announced && !l->kept)
        l->announcement = announce_again(c, v, l->at.period);
    staging_letter_link(v, l);
    return 0;
}

/* Set when the letters of an earlier life are due: kept ones when they would
 * have been, the others after a time that this conversation draws for itself.
 * Were all of them due at once, a store could tell by the burst after a start
 * which boxes are one client's. */
static void
letters_loaded(struct client *c, struct conversation *v)
{
    const uint64_t now_us = env_now_mono_us(c->env);
    const uint64_t now_s = client_time_s(c);
    const uint64_t wait_us = rng_below(c->env, HELD_UP_US + 1);
    for (struct out_letter *l = v->letters; l; l = l->next) {
        uint64_t left_us = 0;
        l->answered = l->kept;
        l->second = l->keeps % 2 == 1;
        if (l->kept && l->due_s > now_s)
            left_us = (l->due_s - now_s) * 1000000;
        if (left_us > KEPT_MAX_US) /* a clock that was ahead */
            left_us = KEPT_MAX_US;
        l->due_us = now_us + (left_us > wait_us ? left_us : wait_us);
        const struct message *m = message_find(v, l->order);
        l->kind = m ? m->kind : LETTER_ACK;
        l->generation = sealing_generation(c, v, l);
        l->since_us = l->sequence >= v->sure_sequence ? now_us : 0;
        l->answers = l->kind == LETTER_PONG || (l->sequence == 0 && !l->fills);
    }
}

/* All records are there: how far had each message come? What is neither to be
 * sent nor on its way was acknowledged. */
int
outgoing_loaded(struct client *c, struct conversation *v)
{
    int err = 0;
    letters_loaded(c, v);
    for (struct message *m = v->messages; m && !err; m = m->next) {
        uint32_t under_way = 0, kept = 0;
        if (message_is_over(m))
            continue;
        const size_t file = m->kind == LETTER_FILE;
        m->next_index = m->order < v->loaded[file].order ? m->count
                        : m->order == v->loaded[file].order
                            ? v->loaded[file].index
                            : 0;
        for (const struct out_letter *l = v->letters; l; l = l->next)
            if (l->sequence > 0 && l->order == m->order) {
                under_way++;
                kept += l->kept;
            }
        m->acked = m->next_index - under_way;
        m->kept = kept;
        m->state = m->kept + m->acked >= m->count ? CLIENT_SENT : CLIENT_QUEUED;
        if (m->acked != m->count)
            continue;
        err = record_message_save(c->journal, v->id, m, CLIENT_DELIVERED);
        if (!err)
            message_finish(c, v, m, CLIENT_DELIVERED);
    }
    return err;
}

int
outgoing_erase(struct client *c, const struct conversation *v)
{
    int err = 0;
    for (const struct out_letter *l = v->letters; l && !err; l = l->next)
        err = record_letter_delete(c->journal, v->id, l->at);
    return err;
}

void
outgoing_free(const struct client *c, struct conversation *v)
{
    while (v->letters)
        staging_letter_unlink(c, &v->letters);
}
