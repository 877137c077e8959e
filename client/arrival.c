/* client/arrival.c - see arrival.h. No state of its own.
 *
 * Of a letter that a front has brought, committed outside of a lease, nothing is
 * taken, so nothing that anybody sees tells that it was read: it is as if there were
 * no front, until another poll brings it (client/places.h).
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
#include <string.h>

#include "client/acknowledged.h"
#include "client/announce.h"
#include "client/conversations.h"
#include "client/incoming.h"
#include "client/listed.h"
#include "client/messages.h"
#include "client/places.h"
#include "client/polls.h"
#include "client/sealing.h"
#include "client/staging.h"

/* Is this a judgement of the letter, not a failure of ours? */
static bool
is_verdict(int err)
{
    return err == 0 || err == ERR_DUPLICATE || err == ERR_CONFLICT ||
           err == ERR_RANGE || err == ERR_FULL;
}

/* Take the word that a second one has used the invitation. Is it not this client's
 * that made the pair, then this client is the second. */
static void
used_take(struct conversation *v, const struct letter *l)
{
    uint8_t mark[LETTER_ID_LEN];
    session_first_mark(v->session->first, mark);
    if (memcmp(mark, l->message, sizeof mark) == 0)
        v->shared = true;
    else if (!v->session->answered)
        v->refused = true;
}

/* Journal all that a letter changes; the lists stay as they are. What was
 * judged of its content is *verdict. */
static int
letter_save(struct client *c, struct conversation *v, const struct arrival *a,
            const struct session_step *opened, struct incoming_step *step,
            int *verdict)
{
    const struct letter *l = &opened->letter;
    const struct session *s = &opened->next;
    if (s->state == SESSION_NONE || s->answered)
        v->confirmed = true;
    if (opened->by_pair)
        v->refused = false; /* that was another's word */
    /* first, while v tells nothing of this letter yet */
    int err = acknowledged_note(c, v, l, a->sure_us);
    if (err)
        return err;
    polls_previous(v, a->at.period, l->previous_period, l->previous_count);
    listed_letter(v, a->at.period, l);
    *verdict = incoming_take(c, v, l, step);
    if (!is_verdict(*verdict)) {
        acknowledged_undo(c, v);
        return *verdict;
    }
    if (*verdict != ERR_FULL) /* else it stays in its box */
        polls_hold(v, a->at);
    err = sealing_take(c, v, opened, *verdict == ERR_FULL);
    if (!err)
        err = conversation_save(c, v);
    if (err) {
        incoming_revert(c, v, l, step);
        acknowledged_undo(c, v);
    }
    return err;
}

/* Plan when l is acknowledged, and its ping answered. seen: up to which number all
 * was here before it. One that owes nothing is told no sooner for that; the time is
 * drawn whatever becomes of it. */
static void
ack_plan(struct client *c, struct conversation *v, const struct letter *l,
         const struct incoming_step *step, int verdict, uint32_t seen,
         uint64_t commit_us)
{
    const bool part = l->count > 1;
    const struct acks_times times = {.shown_us = env_now_mono_us(c->env),
                                     .due_us =
                                         places_ack_us(c, v, commit_us, part),
                                     .part = part && !step->is_whole};
    if (v->removed || v->self)
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

/* Note that an offer of our own is due, and above which generation. */
static void
offer_due(struct conversation *v, const struct session_step *opened)
{
    if (v->renew_us == 0)
        v->renew_us = v->due_us;
    if (opened->told > v->told_generation)
        v->told_generation = opened->told;
}

/* Note when what follows from another ratchet, to which a letter has led, may be done. The
 * first letters of an invitee are not waited for. */
static void
left_note(struct conversation *v, const struct session_step *opened)
{
    const struct session *s = v->session, *next = &opened->next;
    if (next->generation > 0 &&
        (next->generation != s->generation || next->state != s->state))
        v->left_us = v->due_us;
}

/* Drop what a letter acknowledges, and note when what follows from that may be done:
 * another letter that offers, and tokens, of which some are left again. */
static void
drop_note(struct client *c, struct conversation *v, const struct letter *l)
{
    const bool offers = messages_wait(v, LETTER_HELLO);
    const bool full = announce_is_full(v);
    acknowledged_drop(c, v, l);
    if (offers && !messages_wait(v, LETTER_HELLO))
        v->hello_us = v->due_us;
    if (full && !announce_is_full(v))
        v->cover_us = v->due_us;
}

/* Returns 0, or why the letter was not received or not all of it taken. */
static int
letter_take(struct client *c, struct conversation *v, const struct arrival *a,
            const struct session_step *opened)
{
    const struct letter *l = &opened->letter;
    const struct conversation before = *v;
    struct session session = sealing_copy(v);
    struct incoming_step step;
    int verdict;
    if (opened->unmet)
        offer_due(v, opened);
    left_note(v, opened);
    journal_begin(c->journal);
    int err = letter_save(c, v, a, opened, &step, &verdict);
    if (err) {
        journal_cancel(c->journal);
        *v = before;
        sealing_back(v, &session);
        return err;
    }
    sodium_memzero(&session, sizeof session);
    c->status.changes += v->confirmed != before.confirmed ||
                         v->refused != before.refused ||
                         v->shared != before.shared;
    ack_plan(c, v, l, &step, verdict, before.ack, a->commit_us);
    incoming_taken(c, v, l, &step);
    drop_note(c, v, l);
    sealing_taken(c, v, opened, verdict == ERR_FULL);
    polls_journalled(v, a->at, journal_end(c->journal));
    places_shown(c, v, l->count > 1, l->lease_s);
    return verdict;
}

/* Pass over a letter of the pair's, or of one who has its invitation: its place is
 * read, and nothing of it is taken. What is written for that is written when the letter
 * would have been acknowledged: it tells no sooner that there was a reader. */
static int
letter_pass(struct client *c, struct conversation *v, const struct arrival *a,
            const struct session_step *opened)
{
    const struct conversation before = *v;
    struct session session = sealing_copy(v);
    if (opened->verdict == SESSION_BROKEN || opened->unmet)
        offer_due(v, opened);
    if (opened->behind && v->lag_us == 0)
        v->lag_us = v->due_us;
    if (opened->verdict == SESSION_SECOND && v->warn_us == 0)
        v->warn_us = v->due_us;
    if (opened->verdict == SESSION_SECOND)
        v->warns = STAGING_WARNS;
    left_note(v, opened);
    journal_begin(c->journal);
    if (opened->verdict == SESSION_USED)
        used_take(v, &opened->letter);
    if (opened->by_pair)
        v->refused = false;
    v->shared = v->shared || opened->verdict == SESSION_SECOND;
    /* where a second one has put his letter, the first one's is at the other store */
    if (opened->verdict == SESSION_SECOND)
        polls_bad(v, a->at, a->rank, a->whom.place == FRONTS_FRONT);
    else
        polls_hold(v, a->at);
    int err = sealing_take(c, v, opened, false);
    if (!err)
        err = conversation_save(c, v);
    if (err) {
        journal_cancel(c->journal);
        *v = before;
        sealing_back(v, &session);
        return err;
    }
    sodium_memzero(&session, sizeof session);
    if (opened->verdict == SESSION_BROKEN)
        acknowledged_broken(c, v, opened->ahead);
    c->status.changes +=
        v->shared != before.shared || v->refused != before.refused;
    sealing_taken(c, v, opened, false);
    polls_journalled(v, a->at, journal_end(c->journal));
    return opened->violation;
}

bool
arrival_letter(struct client *c, struct conversation *v,
               const struct arrival *a, uint8_t *bytes)
{
    struct session_step opened;
    bool announced = false;
    int err = 0;
    if (!places_may_show(c, v, &a->whom, a->commit_us)) {
        polls_later(v, a->at);
        goto out;
    }
    if (!session_may_write(v->session) &&
        !polls_may_be_first(v, a->at, env_now_mono_us(c->env)))
        goto out; /* it comes again */
    err = sealing_open(c, v, a->at, bytes, &opened);
    v->due_us = places_ack_us(c, v, a->commit_us, false);
    if (err == ERR_NOMEM || journal_error(c->journal)) {
        err = err ? err : journal_error(c->journal);
    } else if (err) {
        polls_bad(v, a->at, a->rank, a->whom.place == FRONTS_FRONT);
    } else if (opened.verdict != SESSION_READ &&
               opened.verdict != SESSION_SECOND && polls_is_read(v, a->at)) {
        err = ERR_DUPLICATE; /* it came twice, and its key is gone */
    } else if (opened.verdict != SESSION_READ) {
        err = letter_pass(c, v, a, &opened);
    } else {
        announced = opened.letter.announced;
        err = acknowledged_catch_up(c, v, &opened.letter);
        if (!err)
            err = letter_take(c, v, a, &opened);
    }
    sodium_memzero(&opened, sizeof opened);
    v->due_us = 0;
out:
    if (err)
        client_drop(c, err);
    sodium_memzero(bytes, c->letter_len);
    return err == 0 && announced;
}
