/* client/requests.c - the packet of a tick, and what its answer says.
 *
 * Every tick makes one request of the same shape, with the same draws from the
 * traffic stream. Requests under way stand in a table of a fixed length, found
 * by the number that the SURB id hides; an entry is given up when it is taken
 * by a later number. An answer that is later than expected by more than the
 * margin counts as lost, but is still used when it comes. */
#include "client/requests.h"

#include <sodium.h>
#include <string.h>

#include "client/arrival.h"
#include "client/conversations.h"
#include "client/outgoing.h"
#include "client/polls.h"
#include "client/state.h"
#include "lib/rng.h"

static void
lateness_note(struct client *c, int64_t late_us)
{
    if (c->late_dev_us == 0) {
        c->late_us = late_us;
        c->late_dev_us = (late_us < 0 ? -late_us : late_us) / 2 + 1;
        return;
    }
    int64_t off_us = late_us - c->late_us;
    c->late_us += off_us / 8;
    c->late_dev_us += ((off_us < 0 ? -off_us : off_us) - c->late_dev_us) / 4;
    if (c->late_dev_us < 1)
        c->late_dev_us = 1;
}

static void
asked_release(struct client *c, struct asked *a)
{
    if (a->kind == WIRE_GET && !a->overdue && !a->spare &&
        a->conversation != UINT32_MAX) {
        struct conversation *v = conversation_by_id(c, a->conversation);
        if (v)
            polls_unasked(v, a->at);
    }
}

static void
asked_drop(struct client *c, struct asked *a)
{
    if (a->number == 0)
        return;
    asked_release(c, a);
    if (!a->overdue)
        c->status.lost++;
    a->number = 0;
}

/* Give up waiting for those that are overdue. */
static void
asked_sweep(struct client *c, uint64_t now_us)
{
    uint64_t margin_us = client_margin_us(c);
    for (; c->oldest < c->traffic.request; c->oldest++) {
        struct asked *a = &c->asked[c->oldest & (c->asked_len - 1)];
        if (a->number != c->oldest + 1 || a->overdue)
            continue;
        if (a->expected_us + margin_us > now_us)
            break;
        asked_release(c, a);
        a->overdue = true;
        c->status.lost++;
    }
}

void
requests_forget(struct client *c)
{
    for (uint64_t i = 0; i < c->asked_len; i++)
        asked_drop(c, &c->asked[i]);
    c->oldest = c->traffic.request;
}

static void
choose(struct client *c, enum traffic_kind kind, struct choice *out)
{
    *out = (struct choice){.request = {.kind = WIRE_LOOP}};
    /* drawn for every kind, needed or not: the stream goes on alike */
    out->spare = rng_below(c->env, 8) == 0;
    env_random_traffic(c->env, out->request.box, WIRE_BOX_LEN);
    if (kind == TRAFFIC_POLL)
        polls_pick(c, out);
    if (kind != TRAFFIC_SEND)
        return;
    out->letter = outgoing_pick(c, out->spare, &out->conversation);
    if (!out->letter)
        return;
    out->request.kind = WIRE_PUT;
    out->at = out->letter->at;
    out->request.slot = (uint8_t)(out->at.n % LETTER_SLOTS);
    out->request.letter = out->letter->bytes;
    letter_box(out->conversation->chains, out->at, out->request.box);
}

static int
choice_send(struct client *c, const struct choice *choice,
            const struct route *route)
{
    const struct sphinx_geometry *g = &c->current->params.geometry;
    uint64_t now_us = env_now_mono_us(c->env);
    uint64_t number = traffic_number(&c->traffic);
    struct asked *a = &c->asked[number & (c->asked_len - 1)];
    struct sphinx_end end;
    uint8_t seed[SPHINX_SEED_LEN];
    asked_drop(c, a);
    memcpy(end.handle, c->handle, sizeof end.handle);
    traffic_surb_id(&c->traffic, number, end.surb_id);
    traffic_surb_seed(&c->traffic, number, seed);
    int err =
        request_build(c->worker, c->current, c->env, route, client_time_s(c),
                      &choice->request, &end, seed, c->frame);
    sodium_memzero(seed, sizeof seed);
    if (!err)
        err = env_send(c->env, (struct env_dest){ENV_TO_GATEWAY, 0, 0},
                       c->frame, g->packet_len);
    if (err)
        return err;
    *a = (struct asked){.number = number + 1,
                        .expected_us = now_us + route->answer_us,
                        .epoch = c->current->epoch,
                        .conversation = choice->conversation
                                            ? choice->conversation->id
                                            : UINT32_MAX,
                        .at = choice->at,
                        .kind = choice->request.kind,
                        .spare = choice->spare,
                        .store = route->out[route->n_out - 1],
                        .n_back = route->n_back};
    memcpy(a->back, route->back, sizeof a->back);
    return 0;
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

void
requests_tick(struct client *c, enum traffic_kind kind)
{
    struct choice choice;
    struct route route;
    uint16_t store, fallback;
    uint64_t now_us = env_now_mono_us(c->env);
    int self = consensus_find(c->current, c->gateway);
    asked_sweep(c, now_us);
    choose(c, kind, &choice);
    int err = self < 0 ? ERR_RELAY
                       : consensus_store_of(c->current, choice.request.box,
                                            &store, &fallback);
    if (!err && choice.spare && fallback != UINT16_MAX)
        store = fallback;
    if (!err)
        err = route_draw(&route, c->current, c->env, (uint16_t)self, store,
                         true, kind == TRAFFIC_POLL ? ROUTE_POLL : ROUTE_SEND);
    if (!err)
        err = choice_send(c, &choice, &route);
    if (err) {
        client_drop(c, err);
        if (choice.request.kind == WIRE_GET && choice.conversation &&
            !choice.spare)
            polls_unasked(choice.conversation, choice.at);
        return;
    }
    request_count(c, choice.request.kind);
    if (choice.letter)
        outgoing_asked(c, choice.letter,
                       now_us + route.answer_us + client_margin_us(c));
}

/* ---- answers ---- */

static struct asked *
asked_find(struct client *c, const uint8_t *id)
{
    uint64_t number = traffic_surb_number(&c->traffic, id);
    struct asked *a = &c->asked[number & (c->asked_len - 1)];
    return a->number == number + 1 && number < c->traffic.request ? a : NULL;
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
        outgoing_answer(c, v, a->at, answer->status);
        return;
    }
    polls_answer(c, v, a->at, answer->status, answer->slot, answer->full);
    if (answer->status != WIRE_LETTER)
        return;
    struct letter_place at = a->at;
    at.n += answer->slot;
    arrival_letter(c, v, at, letter);
}

/* What the store says of time and network. */
static void
answer_note(struct client *c, const struct asked *a,
            const struct wire_answer *answer)
{
    uint64_t now_us = env_now_mono_us(c->env);
    const struct consensus *known = c->view[answer->epoch % VIEWS];
    if (!a->overdue)
        lateness_note(c, (int64_t)(now_us - a->expected_us));
    c->answer_us = now_us;
    c->status.answers++;
    witness_note(&c->witness, &c->view[a->epoch % VIEWS]->relays[a->store],
                 answer->epoch, answer->digest, c->newest, now_us);
    clock_offset_add(&c->offset, answer->time_s, env_now_wall_s(c->env));
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
