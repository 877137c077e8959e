/* client/arrival.c - see arrival.h. No state of its own.
 *
 * A letter tells four things: what its sender has read (outgoing), how many
 * letters were written before it (polls), a fragment (incoming), and that its
 * place is read (polls). When that is told to its sender is drawn at once, and alike
 * for every letter (client/pace/acks.h); a ping is answered when it is
 * acknowledged, if its sender may ping. All that changes on disk is one group. When it cannot be built, the letter
 * was not received: everything is as before, its place is not read, and it
 * comes again. */
#include "client/arrival.h"

#include <sodium.h>

#include "client/conversations.h"
#include "client/incoming.h"
#include "client/outgoing.h"
#include "client/polls.h"

#define LEASE_MAX_US 3600000000ULL /* longer ones are not believed */

/* Is this a judgement of the letter, not a failure of ours? */
static bool
is_verdict(int err)
{
    return err == 0 || err == ERR_DUPLICATE || err == ERR_CONFLICT ||
           err == ERR_RANGE || err == ERR_FULL;
}

/* Journal all that a letter changes; the lists stay as they are. What was
 * judged of its content is *verdict. */
static int
letter_save(struct client *c, struct conversation *v, struct letter_place at,
            const struct letter *l, struct incoming_step *step, int *verdict)
{
    v->confirmed = true;
    polls_previous(v, at.period, l->previous_period, l->previous_count);
    *verdict = incoming_take(c, v, l, step);
    if (!is_verdict(*verdict))
        return *verdict;
    if (*verdict != ERR_FULL) /* else it stays in its box */
        polls_hold(v, at);
    int err = outgoing_acknowledge(c, v, l);
    if (!err)
        err = conversation_save(c, v);
    if (err)
        incoming_revert(c, v, l, step);
    return err;
}

/* Plan when l is acknowledged, and its ping answered. seen: up to which number all
 * was here before it. One that owes nothing is told no sooner for that. */
static void
ack_plan(struct client *c, struct conversation *v, const struct letter *l,
         const struct incoming_step *step, int verdict, uint32_t seen,
         uint64_t commit_us)
{
    const uint64_t now_us = env_now_mono_us(c->env);
    const struct acks_times times = {
        .shown_us = now_us,
        .due_us = fronts_ack_us(c->fronts, c->env, v->id, now_us, commit_us,
                                l->count > 1),
        .part = l->count > 1};
    if (v->removed)
        return;
    if (l->floor > 1 && l->floor - 1 > seen)
        acks_hide(v->acks, seen + 1, l->floor - 1, times);
    if (step->is_owed)
        acks_owe(v->acks, l->sequence, verdict == ERR_DUPLICATE, times);
    else if (verdict == 0 && l->sequence > 0)
        acks_hide(v->acks, l->sequence, l->sequence, times);
    int err = 0;
    if (step->is_whole && l->kind == LETTER_PING && v->pings)
        err = acks_ping(v->acks, l->message, times.due_us);
    if (err) /* one that there is no room to answer is not answered */
        client_drop(c, err);
}

/* Note until when the letter's writer promises to look for what is written to
 * him. */
static void
lease_take(struct client *c, const struct conversation *v,
           const struct letter *l)
{
    const uint64_t now_us = client_now_us(c);
    uint64_t until_us = (uint64_t)l->lease_s * 1000000;
    if (until_us > now_us + LEASE_MAX_US) /* a lie, or a clock that is off */
        until_us = now_us + LEASE_MAX_US;
    if (until_us > now_us)
        fronts_leased(c->fronts, v->id,
                      env_now_mono_us(c->env) + until_us - now_us);
}

/* Returns 0, or why the letter was not received or not all of it taken. */
static int
letter_take(struct client *c, struct conversation *v, struct letter_place at,
            const struct letter *l, uint64_t commit_us)
{
    const struct conversation before = *v;
    struct incoming_step step;
    int verdict;
    journal_begin(c->journal);
    int err = letter_save(c, v, at, l, &step, &verdict);
    if (err) {
        journal_cancel(c->journal);
        *v = before;
        return err;
    }
    c->status.changes += !before.confirmed;
    lease_take(c, v, l);
    ack_plan(c, v, l, &step, verdict, before.ack, commit_us);
    incoming_taken(c, v, l, &step);
    outgoing_acknowledged(c, v, l);
    polls_journalled(v, at, journal_end(c->journal));
    return verdict;
}

void
arrival_letter(struct client *c, struct conversation *v, struct letter_place at,
               enum store_rank rank, uint64_t commit_us, uint8_t *bytes)
{
    struct letter l;
    int err =
        letter_open(&l, v->chains + LETTER_CHAIN_LEN, at, bytes, c->letter_len);
    if (err)
        polls_bad(v, at, rank);
    else
        err = letter_take(c, v, at, &l, commit_us);
    if (err)
        client_drop(c, err);
    sodium_memzero(bytes, c->letter_len);
}
