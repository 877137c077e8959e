/* client/places.c - see places.h.
 *
 * States of a connection: before the client has settled polls are for random boxes,
 * as those of a place are that waits for its start; with the first poll after that
 * the looks begin. Every poll makes the same draws, and draws its place anew: polls
 * of one box are a Poisson process that no other box's polls tell anything of. A
 * turn that goes round would tie boxes together.
 *
 * Failure modes: no memory or disk for a self-conversation (its front asks for a
 * random box, until the next connection); parameters that contradict each other
 * (those of before stay). */
#include "client/places.h"

#include <string.h>

#include "client/conversations.h"
#include "client/polls.h"
#include "lib/rng.h"

enum {
    OLDER_OF =
        4, /* without boards: of so many polls one is for older periods */
};
#define SECOND_US     1000000ULL
#define LEASE_MOST_US (7200 * SECOND_US)

/* ---- a consensus, a connection ---- */

void
places_consensus(struct client *c, const struct consensus *n)
{
    c->boards = n->boards.n; /* there may be none that count yet */
    int err = fronts_set(c->fronts, &n->params.conversations);
    if (err)
        client_drop(c, err);
}

bool
places_have_boards(const struct client *c)
{
    return c->boards > 0;
}

static void
place_renew(struct client *c, struct place *p)
{
    env_random_traffic(c->env, p->box, WIRE_BOX_LEN);
    p->period = client_period(c);
    p->until_us = env_now_mono_us(c->env) +
                  (uint64_t)c->current->params.period_s * SECOND_US;
}

void
places_start(struct client *c)
{
    const uint64_t window_us =
        (uint64_t)c->current->params.switch_window_s * SECOND_US / 15;
    for (size_t i = 0; i < POLL_PLACES; i++)
        place_renew(c, &c->place[i]);
    fronts_start(c->fronts, c->env, env_now_mono_us(c->env), window_us);
    c->looked = false;
}

/* Make a front's conversation with this client itself, for good. */
static int
self_make(struct client *c, unsigned front)
{
    struct conversation *v;
    int err = conversation_self_make(c, front, client_period(c), &v);
    if (err)
        return err;
    polls_period(c, v);
    journal_begin(c->journal);
    err = journal_finish(c->journal, conversation_save(c, v));
    if (err)
        conversation_unlink(c, &v);
    return err;
}

/* The client has settled for the first time since it is connected: it knows the
 * time, and may ask for its own boxes. */
static void
looks_begin(struct client *c)
{
    int err = 0;
    c->looked = true;
    for (unsigned i = 0; i < FRONTS_MAX && !err; i++)
        if (!conversation_by_id(c, SELF_FIRST + i))
            err = self_make(c, i);
    if (err)
        client_drop(c, err);
    fronts_connected(c->fronts, c->env, env_now_mono_us(c->env));
    for (struct conversation *v = c->conversations; v; v = v->next)
        fronts_looks(c->fronts, v->id, polls_periods(c, v));
}

void
places_restore(struct client *c)
{
    const uint64_t now_us = env_now_mono_us(c->env), now_s = client_time_s(c);
    for (struct conversation *v = c->conversations; v; v = v->next) {
        uint64_t left_us = v->front_s > now_s ? (v->front_s - now_s) : 0;
        if (left_us == 0)
            continue;
        left_us = (left_us + FRONTS_MARGIN_S) * SECOND_US;
        if (left_us > LEASE_MOST_US) /* a clock that was ahead */
            left_us = LEASE_MOST_US;
        (void)fronts_restore(c->fronts, now_us, v->id, now_us + left_us);
    }
}

/* ---- choosing ---- */

/* Where nobody announces anything, what is left goes to all contacts alike. any,
 * dice: what this poll has drawn for it. */
static void
choice_spread(const struct client *c, uint64_t any, uint64_t dice,
              struct fronts_choice *whom)
{
    const struct conversation *v = c->conversations;
    if (places_have_boards(c) || whom->waits || whom->place == FRONTS_FRONT ||
        whom->contact != FRONTS_NOBODY || c->n_conversations == 0)
        return;
    for (; any > 0; any--)
        v = v->next;
    whom->place = FRONTS_SWEEP;
    whom->contact = v->id;
    whom->older = dice % OLDER_OF == 0;
}

/* The conversation that a poll is for; NULL: a random box. */
static struct conversation *
choice_find(const struct client *c, const struct fronts_choice *whom)
{
    return whom->contact == FRONTS_NOBODY
               ? NULL
               : conversation_by_id(c, whom->contact);
}

static void
place_ask(struct client *c, uint64_t start, struct choice *out)
{
    const struct fronts_choice *whom = &out->whom;
    struct place *p = &c->place[whom->place == FRONTS_FRONT  ? whom->front
                                : whom->place == FRONTS_LANE ? FRONTS_MAX
                                                             : FRONTS_MAX + 1];
    if (env_now_mono_us(c->env) >= p->until_us)
        place_renew(c, p);
    memcpy(out->request.box, p->box, WIRE_BOX_LEN);
    out->request.slot = (uint8_t)(start % LETTER_SLOTS);
    out->at.period = p->period;
}

void
places_pick(struct client *c, struct choice *out)
{
    const size_t people = c->n_conversations;
    if (c->settled && !c->looked)
        looks_begin(c);
    /* drawn for every poll, needed or not */
    const uint64_t any = rng_below(c->env, people > 0 ? people : 1);
    const uint64_t dice = rng_below(c->env, UINT32_MAX);
    const uint64_t start = rng_below(c->env, POLLS_SLOT_DICE);
    if (c->settled)
        fronts_pick(c->fronts, c->env, env_now_mono_us(c->env), &out->whom);
    else
        fronts_pass(c->fronts, c->env, &out->whom);
    choice_spread(c, any, dice, &out->whom);
    out->request.kind = WIRE_GET;
    out->spare = out->whom.spare;
    struct conversation *v = choice_find(c, &out->whom);
    if (v)
        polls_ask(c, v, dice / OLDER_OF, start, out);
    else
        place_ask(c, start, out);
}

/* ---- what they are told ---- */

void
places_took(struct client *c, struct conversation *v)
{
    v->used_us = env_now_mono_us(c->env);
    (void)fronts_took(c->fronts, c->env, v->used_us, v->id);
}

void
places_announced(struct client *c, uint32_t contact, uint32_t period)
{
    const uint64_t now_us = env_now_mono_us(c->env);
    struct conversation *v = conversation_by_id(c, contact);
    if (!v)
        return;
    if (!v->confirmed && v->awaited_us == 0)
        v->awaited_us = now_us;
    (void)fronts_announced(c->fronts, c->env, now_us, contact,
                           period < client_period(c));
}

void
places_answered(struct client *c, const struct fronts_choice *whom,
                bool announced, bool more)
{
    if (whom->contact != FRONTS_NOBODY)
        fronts_answered(c->fronts, c->env, env_now_mono_us(c->env), whom,
                        announced, more);
}

void
places_shown(struct client *c, struct conversation *v, bool is_part,
             uint64_t lease_s)
{
    const uint64_t now_us = env_now_mono_us(c->env);
    const uint64_t now_s = client_now_us(c) / SECOND_US;
    if (is_part)
        (void)fronts_transfer(c->fronts, now_us, v->id);
    if (lease_s <= now_s)
        return;
    uint64_t left_us = (lease_s - now_s) * SECOND_US;
    if (left_us > LEASE_MOST_US)
        left_us = LEASE_MOST_US;
    fronts_leased(c->fronts, v->id, now_us + left_us);
}

/* ---- what they say ---- */

bool
places_may_show(const struct client *c, const struct conversation *v,
                const struct fronts_choice *whom, uint64_t commit_us)
{
    return !places_have_boards(c) || v->self ||
           fronts_may_show(c->fronts, whom, commit_us);
}

uint64_t
places_ack_us(struct client *c, const struct conversation *v,
              uint64_t commit_us, bool is_part)
{
    const uint64_t now_us = env_now_mono_us(c->env);
    if (!places_have_boards(c))
        return now_us + ACK_WAIT_US;
    return fronts_ack_us(c->fronts, c->env, v->id, now_us, commit_us, is_part);
}

uint64_t
places_lease_s(struct client *c, struct conversation *v, bool is_answer)
{
    const uint64_t now_us = env_now_mono_us(c->env);
    const uint64_t until_us =
        fronts_lease_us(c->fronts, now_us, v->id, is_answer);
    if (!places_have_boards(c) || until_us <= now_us)
        return 0;
    if (!is_answer) /* what is there was committed before */
        polls_show(v);
    const uint64_t until_s = (client_now_us(c) + until_us - now_us) / SECOND_US;
    if (until_s > v->front_s)
        v->front_s = until_s;
    return until_s;
}

bool
places_may_be_silent(const struct client *c, const struct conversation *v,
                     uint64_t commit_us)
{
    return !places_have_boards(c) ||
           fronts_may_be_silent(c->fronts, v->id, commit_us);
}
