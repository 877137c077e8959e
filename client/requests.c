/* client/requests.c - the packet of a tick, and what its answer says.
 *
 * Every tick makes one request of the same shape and sends it (I2). When what
 * it was meant for cannot be built (the box's store is of the gateway's family,
 * no way avoids families, a relay's key is refused), its contents wait for
 * another tick and a loop goes instead; when no loop can be built either, the
 * one that was made beforehand goes; when there is none, the link is left.
 * While the link takes nothing, ticks are skipped and nothing has changed. */
#include "client/requests.h"

#include <sodium.h>
#include <string.h>

#include "client/announce.h"
#include "client/arrival.h"
#include "client/asked.h"
#include "client/conversations.h"
#include "client/listed.h"
#include "client/network.h"
#include "client/outgoing.h"
#include "client/places.h"
#include "client/polls.h"
#include "client/state.h"
#include "client/taken.h"
#include "lib/rng.h"

enum { LOOP_TRIES = 64 };   /* loops drawn before the one kept goes */
enum { BOARD_DICE = 12 };   /* what each of 1..BOARDS_MAX divides */
enum { AHEAD_LETTERS = 8 }; /* so many before a box ends, the next is readied */
#define AHEAD_US   3600000000ULL /* of a conversation that was heard since */
#define RESERVE_US 8000000ULL /* a loop is kept for; its deadlines allow more */

/* Make a choice a poll. */
static void
poll_choose(struct client *c, bool spare, struct choice *out)
{
    const struct choice loop = *out;
    *out = (struct choice){
        .request = {.kind = WIRE_LOOP}, .at = loop.at, .spare = spare};
    memcpy(out->request.box, loop.request.box, WIRE_BOX_LEN);
    places_pick(c, out);
}

/* Make a choice a loop: to the store of a random box, or one in ANNOUNCE_LOOPS to
 * one of the boards, like an announcement, but of nothing. So packets that end
 * there are what all clients send at all times. */
static void
loop_choose(struct client *c, const struct consensus *view, struct choice *out)
{
    *out = (struct choice){.request = {.kind = WIRE_LOOP},
                           .at = {.period = client_period(c)}};
    env_random_traffic(c->env, out->request.box, WIRE_BOX_LEN);
    const uint64_t dice = rng_below(c->env, ANNOUNCE_LOOPS * BOARD_DICE);
    const int self = consensus_find(view, gateways_current(&c->gateways));
    uint16_t able[BOARDS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < view->boards.n; i++)
        if (self >= 0 &&
            !consensus_are_related(view, (uint16_t)self, view->boards.relay[i]))
            able[n++] = view->boards.relay[i];
    if (n == 0 || dice % ANNOUNCE_LOOPS != 0)
        return;
    out->request.kind = WIRE_ANNOUNCE;
    out->board = able[dice / ANNOUNCE_LOOPS % n];
}

/* Make a choice the announcement of a letter. */
static void
announcement_choose(const struct announce_choice *announcement,
                    struct choice *out)
{
    out->request.kind = WIRE_ANNOUNCE;
    memcpy(out->request.box, announcement->token, WIRE_TOKEN_LEN);
    memcpy(out->work, announcement->nonce, WIRE_NONCE_LEN);
    out->announcement = announcement->number;
    out->board = announcement->board;
}

/* Make a choice the put of a letter of a conversation's. */
static void
letter_put(const struct client *c, struct out_letter *l,
           struct conversation *of, bool spare, struct choice *out)
{
    out->spare = spare;
    out->letter = l;
    out->conversation = of;
    out->request.kind = WIRE_PUT;
    out->at = l->at;
    out->request.slot = (uint8_t)(l->at.n % LETTER_SLOTS);
    out->request.letter = l->bytes;
    conversation_box(c, of, CHAIN_OUT, l->at, out->request.box);
    conversation_box_seed(c, of, CHAIN_OUT, l->at, out->request.seed);
}

/* Choose the letter of a tick of sending, if it is not an announcement's turn. */
static void
letter_choose(struct client *c, bool announces, struct choice *out)
{
    struct conversation *of;
    bool spare = out->spare;
    struct out_letter *l = outgoing_pick(c, !c->answered_last, &spare, &of);
    if (l && (!announces || c->announced_last || outgoing_is_first(l)))
        letter_put(c, l, of, spare, out);
}

/* Find the store that a request goes to: the box's first one, or the second
 * for a spare request and while the first is bad for this box. One of the
 * gateway's family is neither. */
static int
store_find(const struct client *c, const struct consensus *view, uint16_t self,
           struct choice *choice, uint16_t *store)
{
    uint16_t first, second;
    if (choice->request.kind == WIRE_ANNOUNCE) {
        choice->rank = STORE_ALONE;
        *store = choice->board;
        return 0;
    }
    int err = consensus_store_of(view, choice->at.period, choice->request.box,
                                 &first, &second);
    if (err)
        return err;
    const bool first_is = !consensus_are_related(view, self, first);
    const bool second_is =
        second != UINT16_MAX && !consensus_are_related(view, self, second);
    if (!first_is && !second_is)
        return ERR_RELAY;
    bool spare = choice->spare != asked_avoids_first(c, choice);
    *store = !second_is || (first_is && !spare) ? first : second;
    choice->rank = !first_is || !second_is ? STORE_ALONE
                   : *store == first       ? STORE_FIRST
                                           : STORE_SECOND;
    return 0;
}

/* Find the box of a choice at the store that it would go to now. Returns 0 or
 * what store_find() does. */
static int
proof_place_find(const struct client *c, const struct consensus *view,
                 struct choice *choice, struct proof_place *out)
{
    const int self = consensus_find(view, gateways_current(&c->gateways));
    uint16_t store;
    int err = self < 0 ? ERR_RELAY
                       : store_find(c, view, (uint16_t)self, choice, &store);
    if (!err)
        *out = (struct proof_place){choice->request.box,
                                    view->relays[store].identity};
    return err;
}

/* Go by the newest consensus in force; within the window of its beginning also by
 * the one before, as packets do. So a proof's epoch says no more than its
 * packet's. */
static const struct consensus *
proofs_look(struct client *c)
{
    const uint64_t now_us = client_now_us(c);
    const struct consensus *view[VIEWS], *before;
    for (size_t i = 0; i < VIEWS; i++)
        view[i] = c->view[i];
    const struct consensus *newest =
        consensus_in_force(view, VIEWS, now_us, &before);
    if (!newest)
        newest = c->current;
    const uint64_t until_s =
        newest->valid_after_s + newest->params.switch_window_s;
    c->proofs_since =
        before && now_us / 1000000 < until_s ? before->epoch : newest->epoch;
    proofs_consensus(c->proofs, newest, c->proofs_since);
    return newest;
}

/* Find the letter whose turn it is and that could leave on this tick of sending, but is
 * still to be announced; NULL: there is none. Its announcement goes before it: a list
 * takes longer to be acted on than a put to arrive. */
static struct out_letter *
letter_after(struct client *c, const struct consensus *view, uint16_t gateway,
             bool spare, struct announce_choice *out)
{
    struct choice next = {.request = {.kind = WIRE_PUT}};
    struct conversation *of;
    struct proof_place at;
    uint8_t unused[WORK_NONCE_LEN];
    struct out_letter *l = outgoing_pick(c, !c->answered_last, &spare, &of);
    if (!l || outgoing_is_first(l) || l->announcement == 0)
        return NULL;
    (void)proofs_look(c);
    letter_put(c, l, of, spare, &next);
    const bool after = !proof_place_find(c, view, &next, &at) &&
                       !proofs_take(c->proofs, at, unused, &next.steps) &&
                       announce_ahead(c, view, gateway, l->announcement, out);
    sodium_memzero(next.request.seed, sizeof next.request.seed);
    return after ? l : NULL;
}

/* Choose what this tick is for. Before the client has settled, or when there is
 * nothing, it is cover. On ticks of sending letters and announcements take turns,
 * but what answers a contact goes before both, on every second tick at most, whether
 * anything else is to be sent or not; on those of loops an announcement takes the
 * place of one. */
static void
request_choose(struct client *c, const struct consensus *view,
               enum traffic_kind kind, struct choice *out)
{
    struct announce_choice announcement = {0};
    const int self = consensus_find(view, gateways_current(&c->gateways));
    /* drawn for every kind, needed or not: the stream goes on alike */
    const bool spare = rng_below(c->env, 8) == 0;
    loop_choose(c, view, out);
    if (kind == TRAFFIC_POLL) {
        poll_choose(c, spare, out);
        return;
    }
    if (!c->settled)
        return;
    out->spare = kind == TRAFFIC_SEND && spare;
    if (self >= 0)
        announce_pick(c, view, (uint16_t)self, &announcement);
    if (self >= 0 && announcement.number == 0 &&
        (kind == TRAFFIC_LOOP || !c->announced_last))
        out->after =
            letter_after(c, view, (uint16_t)self, out->spare, &announcement);
    if (kind == TRAFFIC_SEND && !out->after)
        letter_choose(c, announcement.number > 0, out);
    if (!out->letter && announcement.number > 0)
        announcement_choose(&announcement, out);
}

/* ---- proofs of work ---- */

/* Show the store that a get names as held what its box's reader has, if all that
 * was received of this box is on the disk: then the store may let it go (I6). What
 * other boxes brought changes nothing here (I12). */
static void
token_show(struct client *c, const struct consensus *view,
           struct choice *choice, uint16_t store)
{
    uint8_t seed[LETTER_BOX_LEN];
    if (choice->request.kind != WIRE_GET || !choice->conversation ||
        choice->check || choice->hides ||
        !journal_is_committed(c->journal, choice->ticket))
        return;
    conversation_box_seed(c, choice->conversation, CHAIN_IN, choice->at, seed);
    session_held_seed(choice->conversation->session, seed);
    box_token(seed, view->relays[store].identity, choice->work);
    sodium_memzero(seed, sizeof seed);
    choice->request.work = choice->work;
}

/* Take the proof of a put. Returns 0, ERR_AGAIN or ERR_QUOTA (client/proofs.h);
 * then its letter waits, or goes to its other store. */
static int
proof_take(struct client *c, const struct consensus *view,
           struct choice *choice, uint16_t store)
{
    const struct proof_place at = {choice->request.box,
                                   view->relays[store].identity};
    (void)proofs_look(c);
    env_random_crypto(c->env, choice->work, sizeof choice->work);
    choice->request.work = choice->work;
    uint8_t token[BOX_TOKEN_LEN], seed[LETTER_BOX_LEN];
    memcpy(seed, choice->request.seed, sizeof seed);
    session_held_seed(choice->conversation->session, seed);
    box_token(seed, at.store, token);
    sodium_memzero(seed, sizeof seed);
    box_mark(token, choice->work + WORK_NONCE_LEN);
    sodium_memzero(token, sizeof token);
    int err = proofs_take(c->proofs, at, choice->work, &choice->steps);
    if (err == ERR_AGAIN)
        outgoing_wait(c, choice->conversation, choice->letter);
    else if (err)
        outgoing_refused(c, choice->letter, choice->rank);
    return err;
}

/* Build the packet of a choice under this consensus into c->frame. */
static int
request_make(struct client *c, const struct consensus *view,
             struct choice *choice, enum traffic_kind kind, uint64_t number,
             struct route *route)
{
    const int self = consensus_find(view, gateways_current(&c->gateways));
    struct sphinx_end end;
    uint8_t seed[SPHINX_SEED_LEN];
    uint16_t store;
    if (self < 0)
        return ERR_RELAY;
    int err = store_find(c, view, (uint16_t)self, choice, &store);
    if (!err && choice->letter)
        err = proof_take(c, view, choice, store);
    else if (!err && choice->announcement)
        choice->request.work = choice->work;
    else if (!err)
        token_show(c, view, choice, store);
    struct request request = choice->request;
    if (!err)
        err = route_draw(route, view, c->env, (uint16_t)self, store, true,
                         kind == TRAFFIC_POLL ? ROUTE_POLL : ROUTE_SEND);
    if (err)
        return err;
    request.is_rough = !c->settled;
    memcpy(end.handle, c->handle, sizeof end.handle);
    traffic_surb_id(&c->traffic, number, end.surb_id);
    traffic_surb_seed(&c->traffic, number, seed);
    err = request_build(c->worker, view, c->env, route, client_now_us(c),
                        &request, &end, seed, c->frame);
    sodium_memzero(seed, sizeof seed);
    return err;
}

static void
request_count(struct client *c, uint8_t kind)
{
    c->status.requests++;
    if (kind == WIRE_PUT)
        c->status.puts++;
    else if (kind == WIRE_GET)
        c->status.gets++;
    else
        c->status.loops++;
}

/* Keep a loop for the tick on which none can be made. Its answer, should it
 * come, is taken for a dummy. */
static void
reserve_fill(struct client *c, uint64_t now_us)
{
    struct choice loop;
    struct route route;
    const struct consensus *view = network_draw(c);
    const size_t len = view->params.geometry.packet_len;
    if (c->reserve_us && now_us - c->reserve_us < RESERVE_US)
        return;
    loop_choose(c, view, &loop);
    if (request_make(c, view, &loop, TRAFFIC_LOOP, traffic_number(&c->traffic),
                     &route))
        return;
    memcpy(c->reserve, c->frame, len);
    c->reserve_us = now_us;
}

/* The last resort: the loop kept. When there is none, nothing more is sent on
 * this link. */
static void
reserve_send(struct client *c, uint64_t now_us)
{
    int err = ERR_NOT_FOUND;
    if (c->reserve_us && now_us - c->reserve_us < 2 * RESERVE_US)
        err = network_send(c, c->reserve);
    if (err == ERR_FULL) { /* it will do for a later tick */
        c->status.skipped++;
        return;
    }
    if (err)
        c->broken = true;
    else
        request_count(c, WIRE_LOOP);
    c->reserve_us = 0;
}

static void
choice_unasked(const struct choice *choice)
{
    if (choice->check)
        choice->conversation->looked--;
    if (choice->request.kind == WIRE_GET && choice->conversation &&
        !choice->check)
        polls_unasked(choice->conversation, choice->at, choice->request.slot,
                      choice->spare, choice->whom.place == FRONTS_FRONT);
}

/* No packet can be made of a choice: what it was for waits, and what waits for an
 * announcement does so no longer. */
static void
choice_unmade(struct client *c, enum traffic_kind kind,
              const struct choice *choice)
{
    choice_unasked(choice);
    if (choice->announcement > 0) {
        announce_failed(c, choice->announcement);
        c->announced_last |= kind == TRAFFIC_SEND;
    }
}

/* After a time in which nothing could be put (no line, or one that is stalled),
 * each conversation waits for itself. Were all that came due in it put at once,
 * a store could tell by what comes with a line's return which boxes are that
 * client's, and whoever cuts lines, whose. */
static void
gap_look(struct client *c, uint64_t now_us)
{
    if (!c->settled)
        return;
    if (now_us - c->slot_us > GAP_US)
        outgoing_resume(c, now_us - c->slot_us);
    c->slot_us = now_us;
}

/* A tick of sending is used: for an answer, or not. */
static void
tick_used(struct client *c, const struct choice *choice, uint64_t now_us)
{
    c->answered_last = choice->letter && outgoing_is_first(choice->letter);
    if (c->answered_last)
        choice->conversation->answered_us = now_us;
}

void
requests_tick(struct client *c, enum traffic_kind kind)
{
    struct choice choice;
    struct route route;
    const uint64_t now_us = env_now_mono_us(c->env);
    const struct consensus *view = network_draw(c);
    asked_sweep(c, now_us); /* before this request has a number */
    gap_look(c, now_us);
    reserve_fill(c, now_us);
    const uint64_t number = traffic_number(&c->traffic);
    request_choose(c, view, kind, &choice);
    int err = request_make(c, view, &choice, kind, number, &route);
    for (unsigned tries = 0; err && tries < LOOP_TRIES; tries++) {
        if (err != ERR_AGAIN) /* a proof is being made */
            client_drop(c, err);
        choice_unmade(c, kind, &choice);
        loop_choose(c, view, &choice);
        err = request_make(c, view, &choice, kind, number, &route);
    }
    sodium_memzero(choice.request.seed, sizeof choice.request.seed);
    if (err) {
        client_drop(c, err);
        reserve_send(c, now_us);
        return;
    }
    err = network_send(c, c->frame);
    if (err) { /* the link is blocked or gone: this tick is skipped */
        choice_unasked(&choice);
        c->status.skipped++;
        return;
    }
    if (kind == TRAFFIC_SEND)
        tick_used(c, &choice, now_us);
    asked_note(c, view, &choice, &route, number, kind == TRAFFIC_LOOP);
    request_count(c, choice.request.kind);
    if (choice.letter)
        outgoing_asked(c, choice.letter, now_us + route.answer_us + LATE_US);
    if (choice.announcement)
        announce_sent(c, choice.announcement, now_us + route.answer_us);
    if (choice.after && choice.after->put_us == 0)
        choice.after->put_us = now_us; /* of both the first */
    if (kind == TRAFFIC_SEND && (choice.letter || choice.announcement))
        c->announced_last = choice.announcement > 0;
}

/* Have a proof made for the box of a choice at the store that it would go to. */
static void
proof_want(struct client *c, const struct consensus *view,
           struct choice *choice, bool is_ahead)
{
    uint8_t unused[WORK_NONCE_LEN];
    struct proof_place at;
    if (proof_place_find(c, view, choice, &at))
        return;
    if (is_ahead)
        proofs_ahead(c->proofs, at);
    else /* what it says the put will see */
        (void)!proofs_take(c->proofs, at, unused, &choice->steps);
}

/* Have a proof made for the box that comes next in the conversation that the user
 * has used last, while it goes on. */
static void
proof_ahead(struct client *c, const struct consensus *view)
{
    struct choice choice = {.request = {.kind = WIRE_PUT}};
    struct conversation *v = c->conversations;
    for (struct conversation *of = v; of; of = of->next)
        if (of->used_us > v->used_us)
            v = of;
    if (!v || v->used_us == 0 || v->refused || v->letter_us == 0 ||
        env_now_mono_us(c->env) - v->letter_us > AHEAD_US)
        return;
    choice.conversation = v;
    choice.at.period = client_period(c);
    choice.at.n =
        (choice.at.period > v->at.period ? 0 : v->at.n) + AHEAD_LETTERS;
    const uint32_t box = choice.at.n / LETTER_SLOTS;
    if (c->ahead.conversation == v->id && c->ahead.since == c->proofs_since &&
        c->ahead.period == choice.at.period && c->ahead.box == box)
        return;
    c->ahead.conversation = v->id;
    c->ahead.since = c->proofs_since;
    c->ahead.period = choice.at.period;
    c->ahead.box = box;
    conversation_box(c, v, CHAIN_OUT, choice.at, choice.request.box);
    proof_want(c, view, &choice, true);
}

void
requests_prepare(struct client *c)
{
    struct choice choice = {.request = {.kind = WIRE_PUT}};
    if (!c->settled || !c->current)
        return;
    const struct consensus *view = proofs_look(c);
    announce_prepare(c, view);
    choice.letter = outgoing_pick(c, true, &choice.spare, &choice.conversation);
    if (choice.letter) {
        choice.at = choice.letter->at;
        conversation_box(c, choice.conversation, CHAIN_OUT, choice.at,
                         choice.request.box);
        proof_want(c, view, &choice, false);
    }
    proof_ahead(c, view);
    proofs_step(c->proofs);
}

/* ---- answers ---- */

/* Take the answer to a put: what it says of the box's price goes to the proofs. */
static void
put_answered(struct client *c, struct conversation *v, const struct asked *a,
             const struct wire_answer *answer)
{
    uint8_t box[WIRE_BOX_LEN];
    conversation_box(c, v, CHAIN_OUT, a->at, box);
    const struct proof_place at = {
        box, c->view[a->epoch % VIEWS]->relays[a->store].identity};
    const uint8_t status =
        proofs_answer(c->proofs, at, answer->status, a->steps, answer->slot);
    if (status == WIRE_TAKEN)
        taken_answer(c, v, a->at, a->rank);
    else
        outgoing_answer(c, v, a->at, a->rank, status);
}

/* When was the letter of an answer committed, by the monotonic clock? One that is
 * older than stores remember, or of a store that has forgotten, was long ago. */
static uint64_t
letter_commit_us(const struct asked *a, const struct wire_answer *answer)
{
    const uint64_t age_s =
        answer->age == WIRE_AGE_UNKNOWN ? WIRE_AGE_MAX_S : answer->age;
    return a->at_store_us > age_s * 1000000 ? a->at_store_us - age_s * 1000000
                                            : 1;
}

/* Take the answer to a get. */
static void
get_answered(struct client *c, struct conversation *v, const struct asked *a,
             const struct wire_answer *answer, uint8_t *letter)
{
    int err = polls_answer(v, a->at, a->held, a->rank,
                           a->whom.place == FRONTS_FRONT, answer);
    if (err) {
        client_drop(c, err);
        asked_miss(c, v, a);
        return;
    }
    if (answer->status != WIRE_LETTER && answer->status != WIRE_EMPTY)
        return;
    if (answer->status == WIRE_EMPTY)
        polls_empty(v, a->at, a->rank, a->at_store_us);
    uint16_t others = (uint16_t)(answer->full & ~a->held);
    struct fronts_choice whom = a->whom; /* where one more get is for */
    bool announced = false, more = false;
    if (answer->status == WIRE_LETTER) {
        struct arrival came = {.at = a->at,
                               .rank = a->rank,
                               .whom = a->whom,
                               .commit_us = letter_commit_us(a, answer)};
        came.sure_us = answer->age == WIRE_AGE_UNKNOWN
                           ? polls_empty_us(v, a->at, a->rank)
                           : came.commit_us;
        came.at.n += answer->slot;
        others &= (uint16_t) ~(1u << answer->slot);
        announced = arrival_letter(c, v, &came, letter);
    } else {
        asked_miss(c, v, a);
    }
    more = others == 0 && polls_know_more(c, v, &whom.older);
    whom.spare = whom.spare && !more;
    places_answered(c, &whom, announced, more || others != 0);
}

static void
answer_take(struct client *c, const struct asked *a, struct wire_answer *answer,
            uint8_t *letter)
{
    struct conversation *v = a->conversation == UINT32_MAX
                                 ? NULL
                                 : conversation_by_id(c, a->conversation);
    if (!v)
        return;
    if (a->kind == WIRE_PUT) {
        put_answered(c, v, a, answer);
        return;
    }
    if (a->check) {
        taken_look(c, v, answer, letter);
        return;
    }
    get_answered(c, v, a, answer, letter);
}

/* What the store says of time and network. */
static void
answer_note(struct client *c, const struct asked *a,
            const struct wire_answer *answer)
{
    uint64_t now_us = env_now_mono_us(c->env);
    const struct consensus *known = c->view[answer->epoch % VIEWS];
    const struct relay_entry *store =
        &c->view[a->epoch % VIEWS]->relays[a->store];
    if (!a->overdue)
        asked_judge(c, a, false);
    c->answer_us = now_us;
    if (a->cover)
        giving_answer(&c->giving);
    c->status.answers++;
    gateways_works(&c->gateways);
    witness_note(&c->witness, store, answer->epoch, answer->digest, c->newest,
                 network_epoch(c), now_us);
    listed_named(c, store, answer);
    /* Stores of loops are drawn anew for each. One that has a box of this
     * client's would be heard so often that its clock, and how far it is, were
     * a mark of whoever reads there. */
    if (a->kind == WIRE_LOOP || !c->settled)
        nettime_note(&c->time, store, answer->arrived_ms, a->at_store_us,
                     now_us);
    if (known && known->epoch == answer->epoch &&
        memcmp(known->digest, answer->digest, sizeof known->digest) != 0)
        client_drop(c, ERR_CONFLICT); /* two views of one epoch */
}

void
requests_answer(struct client *c, uint8_t *frame, size_t len)
{
    struct asked *a = c->asked ? asked_find(c, frame + 1) : NULL;
    struct wire_answer answer;
    uint8_t seed[SPHINX_SEED_LEN];
    if (!a) {
        c->status.dummies++;
        return;
    }
    const struct consensus *view = c->view[a->epoch % VIEWS];
    if (!view || view->epoch != a->epoch) {
        client_drop(c, ERR_STALE);
        return;
    }
    if (len < (size_t)WIRE_DOWN_HEAD_LEN + view->params.geometry.payload_len) {
        client_drop(c, ERR_SHORT);
        return;
    }
    struct route route = {.n_back = a->n_back};
    memcpy(route.back, a->back, sizeof route.back);
    traffic_surb_seed(&c->traffic, a->number - 1, seed);
    int err = request_open_answer(c->worker, view, &route, seed,
                                  frame + WIRE_DOWN_HEAD_LEN, &answer);
    sodium_memzero(seed, sizeof seed);
    if (err) {
        client_drop(c, err);
        return;
    }
    /* the letter lies in the frame, which may be changed */
    uint8_t *letter = frame + (answer.letter - frame);
    answer_note(c, a, &answer);
    asked_release(c, a);
    answer_take(c, a, &answer, letter);
    a->number = 0;
}
