/* client/arrival.c - see arrival.h. No state of its own.
 *
 * A letter tells four things: what its sender has read (outgoing), how many
 * letters were written before it (polls), a fragment (incoming), and that its
 * place is read (polls). A ping is answered at once, if its sender may ping.
 * All that changes on disk is one group. When it cannot be built, the letter
 * was not received: everything is as before, its place is not read, and it
 * comes again. */
#include "client/arrival.h"

#include <sodium.h>

#include "client/conversations.h"
#include "client/incoming.h"
#include "client/messages.h"
#include "client/outgoing.h"
#include "client/polls.h"

/* Is this a judgement of the letter, not a failure of ours? */
static bool
is_verdict(int err)
{
    return err == 0 || err == ERR_DUPLICATE || err == ERR_CONFLICT ||
           err == ERR_RANGE || err == ERR_FULL;
}

/* Answer a ping. One that there is no room to answer is not answered. */
static int
ping_answer(struct client *c, struct conversation *v, const struct letter *l)
{
    uint64_t order;
    int err = message_submit(c, v, LETTER_PONG, l->message, NULL, 0, &order);
    if (err != ERR_FULL && err != ERR_USED)
        return err;
    client_drop(c, err);
    return 0;
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
    /* last, since it changes the list of messages */
    if (!err && step->is_whole && l->kind == LETTER_PING && v->pings)
        err = ping_answer(c, v, l);
    if (err)
        incoming_revert(c, v, l, step);
    return err;
}

/* Returns 0, or why the letter was not received or not all of it taken. */
static int
letter_take(struct client *c, struct conversation *v, struct letter_place at,
            const struct letter *l)
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
    incoming_taken(c, v, l, &step);
    outgoing_acknowledged(c, v, l);
    polls_journalled(v, at, journal_end(c->journal));
    return verdict;
}

void
arrival_letter(struct client *c, struct conversation *v, struct letter_place at,
               enum store_rank rank, uint8_t *bytes)
{
    struct letter l;
    int err =
        letter_open(&l, v->chains + LETTER_CHAIN_LEN, at, bytes, c->letter_len);
    if (err)
        polls_bad(v, at, rank);
    else
        err = letter_take(c, v, at, &l);
    if (err)
        client_drop(c, err);
    sodium_memzero(bytes, c->letter_len);
}
