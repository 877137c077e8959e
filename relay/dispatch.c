/* relay/dispatch.c - what is done next with a packet that was unwrapped: mix
 * and send, deliver, put, get or announce and answer; and by which worker.
 *
 *   forward, deliver   unmixed -> mix -> mixed -> link, client
 *   answer             box -> wheel: read -> wheel -> link
 *   loop               noted, by worker 0
 *   send               link: the relay's own, handed over
 *
 * Before each arrow the packet goes to the worker that owns what comes next. A
 * Poisson mix delays each packet for itself, so the worker that will send it
 * mixes it; a pool has to see all packets of the relay, and is worker 0's.
 *
 * Failure modes: an inbox is full, a buffer is missing, a link takes no more:
 * the packet is dropped and counted. */
#include <sodium.h>
#include <string.h>

#include "network/box.h"
#include "network/work.h"
#include "relay/internal.h"

enum { TAKE_TURNS = 16 }; /* batches out of the inbox in one turn */

static void
held_drop(struct relay *r, uint32_t number, int err)
{
    relay_drop(r, err);
    relay_give(r, number);
}

/* ---- who ---- */

static uint32_t
link_owner(struct relay *r, uint16_t next, uint32_t epoch)
{
    const struct view *v = relay_view(r, epoch);
    return v && v->owner && next < v->consensus->n_relays ? v->owner[next]
                                                          : r->number;
}

/* Tell the worker of a box. What is put into a box and what is asked of it goes
 * to one worker, which remembers when the letters were committed. */
static uint32_t
box_owner(const struct relay *r, const struct held *h)
{
    const struct sphinx_geometry *g = &r->geometry;
    struct wire_request request;
    uint8_t hash[crypto_shorthash_BYTES], box[WIRE_BOX_LEN];
    if (r->plane->n_workers == 1 ||
        wire_request_parse(&request, h->packet + g->header_len + SPHINX_TAG_LEN,
                           g->body_len, g->surb_len))
        return r->number;
    if (request.kind == WIRE_ANNOUNCE)
        return 0;                 /* the board is worker 0's */
    if (request.kind == WIRE_PUT) /* which has the box's key there */
        box_id(request.box, box);
    else
        memcpy(box, request.box, sizeof box);
    crypto_shorthash(hash, box, sizeof box, r->plane->boxes_key);
    return (hash[0] | (unsigned)hash[1] << 8) % r->plane->n_workers;
}

static uint32_t
owner_of(struct relay *r, const struct held *h)
{
    switch (h->kind) {
    case HELD_LOOP:
        return 0;
    case HELD_ANSWER:
        return box_owner(r, h);
    default:
        if (!h->mixed && r->one_mix)
            return 0;
        return h->kind == HELD_DELIVER ? gateway_owner(r, h->handle)
                                       : link_owner(r, h->next, h->epoch);
    }
}

/* ---- what ---- */

/* Tell how many bits the proof of a put is worth, under any consensus that its
 * sender can have gone by. Bits beyond the price of that consensus count beyond
 * the price of the newest: nobody pays a price that is only to come. */
static uint8_t
put_work(const struct relay *r, const struct wire_request *request)
{
    const unsigned price = r->newest->consensus->params.work_bits;
    struct work_task task;
    unsigned best = 0;
    box_id(request->box, task.box);
    memcpy(task.store, r->plane->identity, sizeof task.store);
    for (size_t i = 0; i < VIEWS; i++) {
        const struct consensus *c = r->view[i].consensus;
        if (!c || c->epoch + WORK_EPOCHS <= r->newest->consensus->epoch)
            continue;
        memcpy(task.challenge, c->work_challenge, sizeof task.challenge);
        const unsigned bits = work_bits(&task, request->work);
        if (bits < c->params.work_bits)
            continue;
        const unsigned worth = bits - c->params.work_bits + price;
        best = worth > best ? worth : best;
    }
    return best < UINT8_MAX ? (uint8_t)best : UINT8_MAX;
}

static int
box_begin(struct relay *r, uint32_t number)
{
    const struct sphinx_geometry *g = &r->geometry;
    struct held *h = relay_held_at(r, number);
    struct wire_request request;
    const struct consensus *c = r->newest->consensus;
    const uint64_t now_s = consensus_bound_time(c, env_now_wall_s(r->env));
    struct boxes_terms terms = {.expiry_day = (uint32_t)(now_s / 86400) +
                                              c->params.letter_days,
                                .hour = (uint32_t)(now_s / 3600),
                                .work_wanted = c->params.work_bits};
    int err =
        wire_request_parse(&request, h->packet + g->header_len + SPHINX_TAG_LEN,
                           g->body_len, g->surb_len);
    if (!err && !r->boxes)
        err = ERR_COMMAND;
    if (!err && request.kind == WIRE_ANNOUNCE)
        announced_take(r, &request);
    if (!err && request.kind == WIRE_PUT && terms.work_wanted > 0)
        terms.work = put_work(r, &request);
    if (!err)
        err = boxes_begin(r->boxes, &request, &terms, &h->job);
    if (err)
        return err;
    uint64_t early_us = boxes_read_us(r->boxes);
    if (early_us > h->delay_us)
        early_us = h->delay_us;
    err = wheel_add(r->due, h->come_us + h->delay_us - early_us, number,
                    DUE_READ);
    if (err)
        boxes_done(&h->job);
    return err;
}

static void
link_send_held(struct relay *r, uint32_t number)
{
    struct held *h = relay_held_at(r, number);
    struct env_dest to = {ENV_TO_RELAY, h->next, h->epoch};
    int err = env_send(r->env, to, h->packet, r->geometry.packet_len);
    if (err)
        relay_drop(r, err);
    else
        r->stats.forwarded += h->kind == HELD_FORWARD;
    relay_give(r, number);
}

/* Do the next step, which this worker owns. */
static void
dispatch_do(struct relay *r, uint32_t number)
{
    struct held *h = relay_held_at(r, number);
    int err = 0;
    if (h->kind == HELD_LOOP) {
        loops_returned(r, h->surb_id);
        relay_give(r, number);
    } else if (h->kind == HELD_ANSWER)
        err = box_begin(r, number);
    else if (!h->mixed)
        err = mix_push(r->mix, number, h->next, h->come_us, h->delay_us);
    else if (h->kind == HELD_DELIVER)
        gateway_deliver(r, number);
    else
        link_send_held(r, number);
    if (err)
        held_drop(r, number, err);
}

/* ---- between workers ---- */

static void
hand_empty(struct relay *r, uint32_t to)
{
    struct hand *hand = &r->hand[to];
    uint32_t n = plane_put(r->plane, to, hand->number, hand->n,
                           env_now_mono_us(r->env) + 2ULL * TICK_US);
    for (; n < hand->n; n++)
        held_drop(r, hand->number[n], ERR_FULL);
    r->handing -= hand->n;
    hand->n = 0;
}

void
dispatch_place(struct relay *r, uint32_t number)
{
    uint32_t to = owner_of(r, relay_held_at(r, number));
    if (to == r->number) {
        dispatch_do(r, number);
        return;
    }
    struct hand *hand = &r->hand[to];
    hand->number[hand->n++] = number;
    r->handing++;
    if (hand->n == HAND_MAX)
        hand_empty(r, to);
}

void
dispatch_leave(struct relay *r, uint32_t number)
{
    relay_held_at(r, number)->mixed = true;
    dispatch_place(r, number);
}

void
dispatch_hand_over(struct relay *r)
{
    for (uint32_t i = 0; i < r->plane->n_workers && r->handing > 0; i++)
        if (r->hand[i].n > 0)
            hand_empty(r, i);
}

void
dispatch_take(struct relay *r)
{
    uint32_t number[HAND_MAX], n = HAND_MAX;
    if (r->plane->n_workers == 1)
        return;
    for (unsigned turn = 0; turn < TAKE_TURNS && n == HAND_MAX; turn++) {
        n = plane_take(r->plane, r->number, number, HAND_MAX);
        for (uint32_t i = 0; i < n; i++)
            dispatch_do(r, number[i]);
    }
    r->more = n == HAND_MAX;
}

int
dispatch_send(struct relay *r, uint16_t next, uint32_t epoch,
              const uint8_t *frame)
{
    if (link_owner(r, next, epoch) == r->number)
        return env_send(r->env, (struct env_dest){ENV_TO_RELAY, next, epoch},
                        frame, r->geometry.packet_len);
    uint32_t number = slab_take(r->slab);
    if (number == SLAB_NONE)
        return slab_why(r->slab);
    struct held *h = relay_held_at(r, number);
    *h = (struct held){.kind = HELD_SEND,
                       .mixed = true,
                       .next = next,
                       .epoch = epoch,
                       .link = PLACES_OWN};
    memcpy(h->packet, frame, r->geometry.packet_len);
    dispatch_place(r, number);
    return 0;
}

/* ---- a store's answer ---- */

/* All kinds of requests come by here, so that none takes another way than
 * others. */
void
dispatch_read(struct relay *r, uint32_t number)
{
    struct held *h = relay_held_at(r, number);
    boxes_read(h->job);
    int err = wheel_add(r->due, h->come_us + h->delay_us, number, DUE_ANSWER);
    if (err) {
        boxes_done(&h->job);
        held_drop(r, number, err);
    }
}

void
dispatch_answer(struct relay *r, uint32_t number)
{
    const struct sphinx_geometry *g = &r->geometry;
    struct held *h = relay_held_at(r, number);
    uint8_t *body = h->packet + g->header_len + SPHINX_TAG_LEN;
    const struct consensus *newest = r->newest->consensus; /* relay_tick() */
    struct wire_request request;
    struct wire_answer answer;
    struct lists_root root[BOARDS_MAX];
    uint16_t first;
    int err = wire_request_parse(&request, body, g->body_len, g->surb_len);
    boxes_finish(r->boxes, h->job, &answer);
    if (!err) {
        /* the answer is built where its SURB stands */
        memcpy(r->frame, request.surb, g->surb_len);
        answer.epoch = newest->epoch;
        answer.digest = newest->digest;
        answer.arrived_ms = env_now_wall_ms(r->env) -
                            (env_now_mono_us(r->env) - h->come_us) / 1000;
        uint8_t coin;
        env_random_crypto(r->env, &coin, sizeof coin);
        lists_name(r->plane->lists, coin & 1, root);
        for (size_t i = 0; i < BOARDS_MAX; i++)
            answer.root[i] = (struct wire_root){root[i].interval, root[i].root,
                                                root[i].back};
        env_random_crypto(r->env, body, g->body_len);
        err = wire_answer_write(body, g->body_len, g->surb_len, &answer);
    }
    if (!err)
        err = sphinx_surb_use(r->worker, g, r->frame, body, r->frame, &first);
    const struct view *v = relay_view(r, h->epoch);
    if (!err && (!v || first >= v->consensus->n_relays ||
                 v->consensus->relays[first].layer != 1))
        err = ERR_EDGE; /* an answer starts at the first layer of mixes */
    if (!err)
        err = dispatch_send(r, first, h->epoch, r->frame);
    if (err)
        relay_drop(r, err);
    else
        r->stats.answered++;
    boxes_done(&h->job);
    relay_give(r, number);
}
