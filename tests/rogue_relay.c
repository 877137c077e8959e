/* tests/rogue_relay.c - see rogue_relay.h.
 *
 * State: the keys of the relay's consensuses, made when a packet needs them;
 * packets that wait to be answered or sent, in a wheel whose timer is that of a
 * node of his own. What he takes over never reaches the honest relay. */
#include "tests/rogue_relay.h"

#include <stdlib.h>
#include <string.h>

#include "lib/rng.h"
#include "lib/slab.h"
#include "lib/wheel.h"
#include "network/box.h"
#include "relay/boxes.h"
#include "tests/runner.h"

enum { HELD_MAX = 1 << 20, KEYS = 4, POP_MAX = 64 };

/* Vices for which a store's requests are answered here. */
enum {
    STORE_VICES = VICE_LIES_ABOUT_TIME | VICE_FALSE_EPOCH | VICE_KEEPS_NOTHING |
                  VICE_ASKS_FOR_WORK | VICE_BURNS_BOXES | VICE_HOARDS_ANSWERS |
                  VICE_FALSE_SLOTS | VICE_FALSE_STATUS
};

/* A packet that waits: to be sent, or (job) to be answered. */
struct held {
    uint32_t to, epoch;
    bool kept_nothing, refused;
    uint64_t arrived_ms; /* a request */
    struct boxes_job *job;
    uint8_t packet[WORLD_PACKET];
};

struct rogue_own {
    struct sphinx_worker *worker;
    struct {
        uint32_t epoch; /* 0: free */
        struct sphinx_key *key;
    } key[KEYS];
    struct wheel *wheel;
    struct slab *slab;
    struct boxes *boxes; /* of a store */
    uint8_t packet[WORLD_PACKET];
};

static const struct consensus *
consensus_of(const struct world *w, uint8_t epoch_byte)
{
    if ((uint8_t)w->net.consensus->epoch == epoch_byte)
        return w->net.consensus;
    for (size_t i = w->n_old; i-- > 0;)
        if ((uint8_t)w->old[i]->epoch == epoch_byte)
            return w->old[i];
    return NULL;
}

static const struct sphinx_geometry *
geometry_of(const struct rogue *r)
{
    return &r->world->net.consensus->params.geometry;
}

static struct sphinx_key *
key_of(struct rogue *r, const struct consensus *c)
{
    struct rogue_own *o = r->own;
    const size_t i = c->epoch % KEYS;
    if (o->key[i].key && o->key[i].epoch == c->epoch)
        return o->key[i].key;
    sphinx_key_free(&o->key[i].key);
    assert_int_equal(sphinx_key_new(&o->key[i].key, &c->params.geometry,
                                    r->world->net.seed[r->number],
                                    c->relays[r->number].identity, c->digest),
                     0);
    o->key[i].epoch = c->epoch;
    return o->key[i].key;
}

/* ---- what waits ---- */

static void
arm(struct rogue *r)
{
    env_timer(r->env, wheel_next_due_us(r->own->wheel));
}

static struct held *
hold(struct rogue *r, uint64_t due_us, const struct held *what,
     const uint8_t *packet)
{
    uint32_t number = slab_take(r->own->slab);
    assert_true(number != SLAB_NONE);
    struct held *h = (struct held *)(void *)slab_at(r->own->slab, number);
    *h = (struct held){.to = what->to, .epoch = what->epoch};
    memcpy(h->packet, packet, sizeof h->packet);
    assert_int_equal(wheel_add(r->own->wheel, due_us, number, 0), 0);
    arm(r);
    return h;
}

static void
hold_to_send(struct rogue *r, uint64_t due_us, uint32_t to,
             const uint8_t *packet)
{
    const struct held h = {.to = to};
    (void)hold(r, due_us, &h, packet);
}

/* ---- a store's answers ---- */

/* The box that a request is about. */
static void
box_of(const struct wire_request *q, uint8_t box[static WIRE_BOX_LEN])
{
    if (q->kind == WIRE_PUT)
        box_id(q->box, box);
    else
        memcpy(box, q->box, WIRE_BOX_LEN);
}

static bool
is_about_box(const struct rogue *r, const struct wire_request *q)
{
    uint8_t box[WIRE_BOX_LEN];
    box_of(q, box);
    return memcmp(box, r->box, sizeof r->box) == 0;
}

/* Do vices that may be of one box alone concern this request? */
static bool
is_concerned(const struct rogue *r, const struct wire_request *q)
{
    return !r->box_only || is_about_box(r, q);
}

static void
answer_falsify(struct rogue *r, const struct held *h,
               const struct wire_request *q, struct wire_answer *a)
{
    if (h->kept_nothing && (r->vices & VICE_KEEPS_NOTHING)) {
        a->status = WIRE_KEPT;
        adversary_count(r->done, VICE_KEEPS_NOTHING);
    }
    if (h->refused) {
        a->status = r->false_status;
        adversary_count(r->done, VICE_FALSE_STATUS);
    }
    if ((r->vices & VICE_LIES_ABOUT_TIME) && is_concerned(r, q)) {
        a->arrived_ms += (uint64_t)r->lie_ms;
        adversary_count(r->done, VICE_LIES_ABOUT_TIME);
    }
    if ((r->vices & VICE_FALSE_SLOTS) && q->kind == WIRE_GET &&
        is_concerned(r, q)) {
        a->status = WIRE_EMPTY;
        a->full = 0xffff;
        adversary_count(r->done, VICE_FALSE_SLOTS);
    }
    if ((r->vices & VICE_ASKS_FOR_WORK) && h->kept_nothing) {
        a->status = WIRE_WORK;
        a->slot = r->work_steps;
        adversary_count(r->done, VICE_ASKS_FOR_WORK);
    }
    if (r->vices & VICE_FALSE_EPOCH) {
        a->epoch = r->false_epoch;
        a->digest = r->false_digest;
        adversary_count(r->done, VICE_FALSE_EPOCH);
    }
}

/* The answer of an honest store, but for what vices change. */
static void
answer_send(struct rogue *r, struct held *h)
{
    const struct sphinx_geometry *g = geometry_of(r);
    const struct consensus *newest = r->world->net.consensus;
    uint8_t *body = h->packet + g->header_len + SPHINX_TAG_LEN;
    struct wire_request request;
    struct wire_answer answer = {.epoch = newest->epoch,
                                 .digest = newest->digest,
                                 .arrived_ms = h->arrived_ms};
    uint16_t first;
    assert_int_equal(
        wire_request_parse(&request, body, g->body_len, g->surb_len), 0);
    boxes_finish(r->own->boxes, h->job, &answer);
    answer_falsify(r, h, &request, &answer);
    memcpy(r->own->packet, request.surb, g->surb_len);
    env_random_crypto(r->env, body, g->body_len);
    assert_int_equal(wire_answer_write(body, g->body_len, g->surb_len, &answer),
                     0);
    if (sphinx_surb_use(r->own->worker, g, r->own->packet, body, r->own->packet,
                        &first) == 0 &&
        first < r->world->n_relays)
        engine_inject(r->world->engine, r->number, first, r->own->packet,
                      WORLD_PACKET);
    boxes_done(&h->job);
}

static void
burnt_free(struct env_store_req *req)
{
    free(req->letter);
    free(req);
}

/* Rubbish into a slot of a box that is asked for. */
static void
slot_burn(struct rogue *r, const uint8_t *box, uint8_t slot)
{
    const struct sphinx_geometry *g = geometry_of(r);
    const size_t len = wire_letter_len(g->body_len, g->surb_len);
    if (len == 0)
        return;
    struct env_store_req *put = calloc(1, sizeof *put);
    assert_non_null(put);
    put->op = ENV_STORE_PUT;
    put->slot = slot;
    memcpy(put->box, box, sizeof put->box);
    put->letter_len = len;
    put->letter = malloc(len);
    assert_non_null(put->letter);
    env_random_crypto(r->env, put->letter, put->letter_len);
    put->expiry_day = UINT32_MAX;
    put->done = burnt_free;
    env_store(r->env, put);
    adversary_count(r->done, VICE_BURNS_BOXES);
}

static void
box_burn(struct rogue *r, const uint8_t *box)
{
    unsigned i = 0;
    do
        slot_burn(r, box, (uint8_t)i);
    while (++i < r->burn_slots);
}

/* Take a request over; false: the honest store may have it. */
static bool
request_take(struct rogue *r, const struct rogue_sight *s,
             const uint8_t *packet)
{
    const struct wire_request *q = s->request;
    const struct params *p = &r->world->net.consensus->params;
    struct wire_request own = *q;
    uint64_t due_us =
        s->now_us + (uint64_t)s->block->delay * p->geometry.delay_unit_us;
    if ((r->vices & VICE_WITHHOLDS) && is_about_box(r, q) &&
        ((r->withheld & ROGUE_BOX) ||
         ((r->withheld & ROGUE_GETS) && q->kind == WIRE_GET))) {
        adversary_count(r->done, VICE_WITHHOLDS);
        return true;
    }
    if (!(r->vices & STORE_VICES))
        return false;
    const bool keeps =
        !(r->vices & (VICE_KEEPS_NOTHING | VICE_ASKS_FOR_WORK)) ||
        q->kind != WIRE_PUT;
    const bool refuses = (r->vices & VICE_FALSE_STATUS) &&
                         q->kind == WIRE_PUT && is_concerned(r, q);
    if (!keeps || refuses)
        own.kind = WIRE_LOOP;
    if ((r->vices & VICE_BURNS_BOXES) && q->kind == WIRE_GET)
        box_burn(r, q->box);
    if ((r->vices & VICE_HOARDS_ANSWERS) && is_concerned(r, q)) {
        due_us = (due_us / r->hoard_us + 1) * r->hoard_us;
        adversary_count(r->done, VICE_HOARDS_ANSWERS);
    }
    const struct held h = {.epoch = s->epoch};
    struct held *made = hold(r, due_us, &h, packet);
    made->kept_nothing = !keeps;
    made->refused = refuses;
    made->arrived_ms = env_now_wall_ms(r->world->relay[r->number].env);
    const struct boxes_terms terms = {
        .expiry_day =
            (uint32_t)(env_now_wall_s(r->env) / 86400) + p->letter_days};
    assert_int_equal(boxes_begin(r->own->boxes, &own, &terms, &made->job), 0);
    boxes_read(made->job);
    return true;
}

/* ---- what comes, what leaves ---- */

/* Fill s from a packet that is being unwrapped in own->packet; false: it is
 * none of this relay's, and the honest one may say why. */
static bool
packet_look(struct rogue *r, struct sphinx_job *job, struct rogue_sight *s,
            struct wire_request *request)
{
    const struct consensus *c = consensus_of(r->world, job->packet[1]);
    const struct sphinx_geometry *g = geometry_of(r);
    if (job->packet[0] != WIRE_PACKET || !c)
        return false;
    job->key = key_of(r, c);
    sphinx_unwrap(r->own->worker, g, job, 1, NULL, NULL);
    if (job->err)
        return false;
    s->epoch = c->epoch;
    s->block = &job->block;
    const uint8_t *payload = job->packet + g->header_len;
    if (job->block.command == SPHINX_STORE && r->own->boxes &&
        sphinx_payload_is_intact(payload) &&
        wire_request_parse(request, payload + SPHINX_TAG_LEN, g->body_len,
                           g->surb_len) == 0)
        s->request = request;
    return true;
}

static bool
link_drops(struct rogue *r, uint32_t link, uint32_t other)
{
    if (!(r->vices & VICE_DROPS_BY_LINK) ||
        (link != other && link != ROGUE_EVERYBODY))
        return false;
    if (r->drop_permille && rng_below(r->env, 1000) >= r->drop_permille)
        return false;
    adversary_count(r->done, VICE_DROPS_BY_LINK);
    return true;
}

static bool
rogue_comes(void *ctx, uint32_t from, uint8_t *frame, size_t len)
{
    struct rogue *r = ctx;
    struct sphinx_job job = {.packet = r->own->packet};
    struct rogue_sight s = {.now_us = engine_now_us(r->world->engine),
                            .from = from};
    struct wire_request request;
    if (link_drops(r, r->link_from, from))
        return false;
    if ((r->vices & VICE_WITHHOLDS) && (r->withheld & ROGUE_PACKETS) &&
        from == r->withheld_node) {
        adversary_count(r->done, VICE_WITHHOLDS);
        return false;
    }
    memcpy(r->own->packet, frame, len);
    if (!packet_look(r, &job, &s, &request))
        return true;
    if (r->spy)
        r->spy(r->spy_ctx, &s);
    if (s.request)
        return !request_take(r, &s, job.packet);
    if ((r->vices & VICE_DELAYS) && job.block.command == SPHINX_FORWARD &&
        job.block.next < r->world->n_relays) {
        const uint64_t delay_us =
            (uint64_t)job.block.delay * geometry_of(r)->delay_unit_us;
        hold_to_send(r, s.now_us + delay_us + r->delay_us, job.block.next,
                     job.packet);
        adversary_count(r->done, VICE_DELAYS);
        return false;
    }
    return true;
}

/* Is this a piece of a consensus that clients are not to have? */
static bool
piece_is_withheld(const struct rogue *r, const uint8_t *frame, size_t len)
{
    struct wire_piece piece;
    return (r->withheld & ROGUE_DOCUMENTS) &&
           wire_piece_parse(&piece, frame, len) == 0 &&
           piece.epoch > r->withheld_after;
}

/* Send a piece on with another time in it. */
static void
piece_falsify(struct rogue *r, uint32_t to, const uint8_t *frame, size_t len)
{
    struct wire_piece piece;
    memcpy(r->own->packet, frame, len);
    if (wire_piece_parse(&piece, frame, len))
        return;
    piece.time_ms += (uint64_t)r->lie_ms;
    assert_int_equal(wire_piece_write(r->own->packet, len, &piece), 0);
    engine_inject(r->world->engine, r->number, to, r->own->packet, len);
    adversary_count(r->done, VICE_LIES_ABOUT_TIME);
}

static bool
rogue_leaves(void *ctx, uint32_t to, const uint8_t *frame, size_t len)
{
    struct rogue *r = ctx;
    const bool client = to >= r->world->n_relays;
    if ((r->vices & VICE_WITHHOLDS) &&
        ((client && piece_is_withheld(r, frame, len)) ||
         ((r->withheld & ROGUE_PACKETS) && to == r->withheld_node))) {
        adversary_count(r->done, VICE_WITHHOLDS);
        return false;
    }
    if ((r->vices & VICE_LIES_ABOUT_TIME) && client && frame[0] == WIRE_PIECE) {
        piece_falsify(r, to, frame, len);
        return false;
    }
    if (link_drops(r, r->link_to, to))
        return false;
    if ((r->vices & VICE_REPLAYS) && !client && frame[0] == WIRE_PACKET) {
        hold_to_send(r, engine_now_us(r->world->engine) + r->replay_us, to,
                     frame);
        adversary_count(r->done, VICE_REPLAYS);
    }
    return true;
}

static const struct sim_front_ops front = {rogue_comes, rogue_leaves};

/* ---- the node of his own ---- */

static void
node_tick(void *self)
{
    struct rogue *r = self;
    struct wheel_entry e[POP_MAX];
    size_t n;
    do {
        n = wheel_pop_due(r->own->wheel, engine_now_us(r->world->engine), e,
                          POP_MAX);
        for (size_t i = 0; i < n; i++) {
            struct held *h =
                (struct held *)(void *)slab_at(r->own->slab, e[i].a);
            if (h->job)
                answer_send(r, h);
            else
                engine_inject(r->world->engine, r->number, h->to, h->packet,
                              WORLD_PACKET);
            slab_give(r->own->slab, e[i].a);
        }
    } while (n == POP_MAX);
    arm(r);
}

static uint32_t
node_resolve(void *self, struct env_dest to)
{
    (void)self;
    (void)to;
    return UINT32_MAX; /* he sends in the relay's name */
}

static void
node_store(void *self, struct env_store_req *req)
{
    struct rogue *r = self;
    struct store_memory *s = r->world->relay[r->number].store;
    store_memory_request(s, req);
    while (store_memory_run(s, 16) > 0)
        ;
}

static const struct sim_node_ops node_ops = {NULL, node_tick, node_resolve,
                                             node_store};

struct rogue *
rogue_new(struct world *w, uint32_t number)
{
    static const uint8_t ages_key[16] = {3};
    struct rogue *r = calloc(1, sizeof *r);
    struct rogue_own *o = calloc(1, sizeof *o);
    assert_non_null(r);
    assert_non_null(o);
    r->world = w;
    r->number = number;
    r->own = o;
    r->link_from = r->link_to = r->withheld_node = UINT32_MAX;
    r->node = engine_add(w->engine, &node_ops, true, &r->env);
    assert_true(r->node != UINT32_MAX);
    engine_set_object(w->engine, r->node, r);
    assert_int_equal(sphinx_worker_new(&o->worker), 0);
    assert_int_equal(wheel_new(&o->wheel, HELD_MAX), 0);
    assert_int_equal(slab_new(&o->slab, sizeof(struct held), HELD_MAX), 0);
    const struct sphinx_geometry *g = geometry_of(r);
    assert_int_equal(g->packet_len, WORLD_PACKET);
    if (w->relay[number].store)
        assert_int_equal(boxes_new(&o->boxes, r->env,
                                   wire_letter_len(g->body_len, g->surb_len),
                                   ages_key),
                         0);
    engine_front(w->engine, number, &front, r);
    return r;
}

void
rogue_free(struct rogue **rp)
{
    struct rogue *r = *rp;
    struct wheel_entry e;
    *rp = NULL;
    if (!r)
        return;
    struct rogue_own *o = r->own;
    engine_front(r->world->engine, r->number, NULL, NULL);
    engine_set_object(r->world->engine, r->node, NULL);
    while (wheel_pop_due(o->wheel, UINT64_MAX >> 1, &e, 1) == 1)
        boxes_done(&((struct held *)(void *)slab_at(o->slab, e.a))->job);
    for (size_t i = 0; i < KEYS; i++)
        sphinx_key_free(&o->key[i].key);
    boxes_free(&o->boxes);
    wheel_free(&o->wheel);
    slab_free(&o->slab);
    sphinx_worker_free(&o->worker);
    free(o);
    free(r);
}
