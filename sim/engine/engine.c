/* sim/engine/engine.c - the event queue and the virtual environments.
 *
 * Events: a timer of a node (void when the node has set another since), a frame
 * that arrives, a storage request that is committed. A binary heap keeps them
 * by (time, sequence), so equal times keep the order of their making.
 *
 * Links keep order, as TCP does: a frame never arrives before an earlier one of
 * the same pair of nodes. Loss is therefore a property of the sender's queue,
 * not of the wire.
 *
 * Failure mode: no memory for an event ends the run, since a course with a
 * timer or an answer missing is that of no network. */
#include "sim/engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "lib/rng.h"
#include "lib/rng_seeded.h"
#include "lib/slab.h"

enum event_kind { EVENT_TIMER = 1, EVENT_FRAME, EVENT_STORE };

struct event {
    uint64_t at_us, seq;
    uint32_t kind, node;
    uint32_t from, frame; /* frame: slab number */
    size_t len;
    uint64_t generation; /* timer */
    struct env_store_req *req;
};

struct venv {
    struct env env;
    struct engine *engine;
    uint32_t node;
};

struct sim_node {
    struct venv venv;
    const struct sim_node_ops *ops;
    void *self;
    const struct sim_front_ops *front; /* NULL: nobody */
    void *front_ctx;
    uint64_t timer_generation, life;
    int64_t ahead_ms; /* its wall clock */
    struct rng_seeded traffic, crypto;
};

/* The link from one node to another: when its last frame arrives. */
struct node_pair {
    uint64_t key; /* (from << 32 | to) + 1; 0: free */
    uint64_t last_us;
};

struct engine {
    struct engine_config config;
    uint64_t now_us, seq, events, trace;
    int err;                    /* the first thing that went wrong */
    struct env_store_req *lost; /* had no room in the heap */
    struct event *heap;
    size_t n_heap, heap_room;
    struct sim_node **node;
    uint32_t n_nodes, node_room;
    struct slab *frames;
    struct rng_seeded link;
    struct node_pair *pair; /* open addressing, a power of two of them */
    size_t n_pairs, pair_room;
    engine_tap_fn tap;
    void *tap_ctx;
    engine_pass_fn pass;
    void *pass_ctx;
};

static bool
event_before(const struct event *a, const struct event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->seq < b->seq;
}

static int
engine_fail(struct engine *e, int err)
{
    if (!e->err)
        e->err = err;
    return err;
}

static int
heap_push(struct engine *e, struct event ev)
{
    if (e->n_heap == e->heap_room) {
        size_t room = e->heap_room ? 2 * e->heap_room : 1024;
        struct event *h = realloc(e->heap, room * sizeof *h);
        if (!h)
            return engine_fail(e, ERR_NOMEM);
        e->heap = h;
        e->heap_room = room;
    }
    ev.seq = e->seq++;
    size_t i = e->n_heap++;
    for (size_t up; i > 0 && event_before(&ev, &e->heap[up = (i - 1) / 2]);
         i = up)
        e->heap[i] = e->heap[up];
    e->heap[i] = ev;
    return 0;
}

static struct event
heap_pop(struct engine *e)
{
    struct event top = e->heap[0], last = e->heap[--e->n_heap];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= e->n_heap)
            break;
        if (child + 1 < e->n_heap &&
            event_before(&e->heap[child + 1], &e->heap[child]))
            child++;
        if (!event_before(&e->heap[child], &last))
            break;
        e->heap[i] = e->heap[child];
        i = child;
    }
    e->heap[i] = last;
    return top;
}

static struct sim_node *
node_of(struct env *env)
{
    struct venv *v = (struct venv *)env;
    return v->engine->node[v->node];
}

static uint64_t
venv_mono_us(struct env *env)
{
    return ((struct venv *)env)->engine->now_us;
}

static uint64_t
venv_wall_ms(struct env *env)
{
    const struct engine *e = ((struct venv *)env)->engine;
    return e->config.start_wall_s * 1000 + e->now_us / 1000 +
           (uint64_t)node_of(env)->ahead_ms;
}

static void
venv_traffic(struct env *env, void *out, size_t len)
{
    rng_seeded_bytes(&node_of(env)->traffic, out, len);
}

static void
venv_crypto(struct env *env, void *out, size_t len)
{
    rng_seeded_bytes(&node_of(env)->crypto, out, len);
}

static void
venv_timer(struct env *env, uint64_t at_us)
{
    struct venv *v = (struct venv *)env;
    struct sim_node *n = node_of(env);
    n->timer_generation++;
    if (at_us == UINT64_MAX)
        return;
    if (at_us < v->engine->now_us)
        at_us = v->engine->now_us;
    struct event ev = {.at_us = at_us,
                       .kind = EVENT_TIMER,
                       .node = v->node,
                       .generation = n->timer_generation};
    (void)!heap_push(v->engine, ev); /* engine_run() says it */
}

static void
trace_add(struct engine *e, uint64_t v)
{
    /* FNV-1a over 64-bit words: only equality is asked of it */
    e->trace = (e->trace ^ v) * 0x100000001b3ULL;
}

/* ---- links ---- */

/* The place of a key, or the free one where it belongs. */
static struct node_pair *
pair_place(struct node_pair *table, size_t room, uint64_t key)
{
    size_t i = (key * 0x9e3779b97f4a7c15ULL >> 20) & (room - 1);
    while (table[i].key && table[i].key != key)
        i = (i + 1) & (room - 1);
    return &table[i];
}

/* A larger table, half full at most. Links whose last frame has arrived have
 * nothing to say any more and stay behind. */
static int
pairs_grow(struct engine *e)
{
    size_t live = 0, room = 64;
    for (size_t i = 0; i < e->pair_room; i++)
        live += e->pair[i].last_us > e->now_us;
    while (room < 4 * live)
        room *= 2;
    if (room < e->pair_room)
        room = e->pair_room;
    struct node_pair *made = calloc(room, sizeof *made);
    if (!made)
        return ERR_NOMEM;
    for (size_t i = 0; i < e->pair_room; i++)
        if (e->pair[i].last_us > e->now_us)
            *pair_place(made, room, e->pair[i].key) = e->pair[i];
    free(e->pair);
    e->pair = made;
    e->pair_room = room;
    e->n_pairs = live;
    return 0;
}

static struct node_pair *
pair_of(struct engine *e, uint32_t from, uint32_t to)
{
    const uint64_t key = ((uint64_t)from << 32 | to) + 1;
    if (2 * e->n_pairs >= e->pair_room && pairs_grow(e))
        return NULL;
    struct node_pair *p = pair_place(e->pair, e->pair_room, key);
    e->n_pairs += !p->key;
    p->key = key;
    return p;
}

static int
frame_send(struct engine *e, uint32_t from, uint32_t to, const uint8_t *frame,
           size_t len)
{
    if (len > e->config.frame_len)
        return ERR_LONG;
    if (e->tap)
        e->tap(e->tap_ctx, e->now_us, from, to, frame, len);
    if (e->pass && !e->pass(e->pass_ctx, e->now_us, from, to))
        return 0;
    trace_add(e, e->now_us);
    trace_add(e, (uint64_t)from << 32 | to);
    uint64_t bits = rng_seeded_u64(&e->link);
    uint64_t late_us =
        rng_exp_from(rng_seeded_u64(&e->link), e->config.jitter_mean_us);
    if (bits % 1000000 < e->config.loss_ppm)
        return 0;
    struct node_pair *p = pair_of(e, from, to);
    if (!p)
        return engine_fail(e, ERR_NOMEM);
    uint32_t number = slab_take(e->frames);
    if (number == SLAB_NONE)
        return engine_fail(e, slab_why(e->frames));
    memcpy(slab_at(e->frames, number), frame, len);
    uint64_t at_us = e->now_us + e->config.latency_us + late_us;
    if (at_us < p->last_us)
        at_us = p->last_us;
    p->last_us = at_us;
    struct event ev = {.at_us = at_us,
                       .kind = EVENT_FRAME,
                       .node = to,
                       .from = from,
                       .frame = number,
                       .len = len};
    int err = heap_push(e, ev);
    if (err)
        slab_give(e->frames, number);
    return err;
}

static int
venv_send(struct env *env, struct env_dest to, const uint8_t *frame, size_t len)
{
    struct venv *v = (struct venv *)env;
    struct sim_node *n = node_of(env);
    uint32_t node = n->ops->resolve(n->self, to);
    if (node >= v->engine->n_nodes || !v->engine->node[node]->self)
        return ERR_CLOSED;
    if (n->front && n->front->leaves &&
        !n->front->leaves(n->front_ctx, node, frame, len))
        return 0;
    return frame_send(v->engine, v->node, node, frame, len);
}

static void
venv_store(struct env *env, struct env_store_req *req)
{
    struct venv *v = (struct venv *)env;
    struct event ev = {.at_us = v->engine->now_us + v->engine->config.commit_us,
                       .kind = EVENT_STORE,
                       .node = v->node,
                       .generation = node_of(env)->life,
                       .req = req};
    if (heap_push(v->engine, ev)) {
        req->next = v->engine->lost;
        v->engine->lost = req;
    }
}

static const struct env_ops ops_plain = {.now_mono_us = venv_mono_us,
                                         .now_wall_ms = venv_wall_ms,
                                         .random_traffic = venv_traffic,
                                         .random_crypto = venv_crypto,
                                         .timer = venv_timer,
                                         .send = venv_send};
static const struct env_ops ops_store = {.now_mono_us = venv_mono_us,
                                         .now_wall_ms = venv_wall_ms,
                                         .random_traffic = venv_traffic,
                                         .random_crypto = venv_crypto,
                                         .timer = venv_timer,
                                         .send = venv_send,
                                         .store = venv_store};

static void
request_fail(struct env_store_req *req)
{
    req->err = ERR_CLOSED;
    req->done(req);
}

int
engine_new(struct engine **out, const struct engine_config *config)
{
    struct engine *e = calloc(1, sizeof *e);
    *out = NULL;
    if (!e)
        return ERR_NOMEM;
    e->config = *config;
    e->trace = 0xcbf29ce484222325ULL;
    rng_seeded_init_u64(&e->link, config->seed, "links");
    int err = slab_new(&e->frames, config->frame_len, 1 << 22);
    if (err)
        engine_free(&e);
    *out = e;
    return err;
}

void
engine_free(struct engine **ep)
{
    struct engine *e = *ep;
    *ep = NULL;
    if (!e)
        return;
    for (size_t i = 0; i < e->n_heap; i++)
        if (e->heap[i].kind == EVENT_STORE)
            request_fail(e->heap[i].req);
    while (e->lost) {
        struct env_store_req *req = e->lost;
        e->lost = req->next;
        request_fail(req);
    }
    for (uint32_t i = 0; i < e->n_nodes; i++)
        free(e->node[i]);
    free(e->node);
    free(e->heap);
    free(e->pair);
    slab_free(&e->frames);
    free(e);
}

static int
nodes_grow(struct engine *e)
{
    uint32_t room = e->node_room ? 2 * e->node_room : 16;
    struct sim_node **n = realloc(e->node, room * sizeof *n);
    if (!n)
        return ERR_NOMEM;
    e->node = n;
    e->node_room = room;
    return 0;
}

uint32_t
engine_add(struct engine *e, const struct sim_node_ops *ops, bool with_store,
           struct env **env)
{
    if (e->n_nodes == e->node_room && nodes_grow(e))
        return UINT32_MAX;
    struct sim_node *n = calloc(1, sizeof *n);
    if (!n)
        return UINT32_MAX;
    uint32_t number = e->n_nodes++;
    e->node[number] = n;
    n->venv = (struct venv){.env.ops = with_store ? &ops_store : &ops_plain,
                            .engine = e,
                            .node = number};
    n->ops = ops;
    rng_seeded_init_u64(&n->traffic, e->config.seed ^ (uint64_t)number << 32,
                        "traffic");
    rng_seeded_init_u64(&n->crypto, e->config.seed ^ (uint64_t)number << 32,
                        "crypto");
    *env = &n->venv.env;
    return number;
}

void
engine_set_object(struct engine *e, uint32_t node, void *self)
{
    struct sim_node *n = e->node[node];
    n->self = self;
    n->timer_generation++;
    n->life++;
}

static void
frame_arrive(struct sim_node *n, uint32_t from, uint8_t *frame, size_t len)
{
    if (!n->self || (n->front && n->front->comes &&
                     !n->front->comes(n->front_ctx, from, frame, len)))
        return;
    n->ops->frame(n->self, from, frame, len);
}

static void
event_run(struct engine *e, const struct event *ev)
{
    struct sim_node *n = e->node[ev->node];
    e->events++;
    switch (ev->kind) {
    case EVENT_TIMER:
        if (n->self && ev->generation == n->timer_generation)
            n->ops->tick(n->self);
        break;
    case EVENT_FRAME:
        frame_arrive(n, ev->from, slab_at(e->frames, ev->frame), ev->len);
        slab_give(e->frames, ev->frame);
        break;
    default:
        if (n->self && ev->generation == n->life) {
            n->ops->store(n->self, ev->req);
            break;
        }
        request_fail(ev->req); /* its owner died meanwhile */
        break;
    }
}

int
engine_run(struct engine *e, uint64_t until_us)
{
    while (!e->err && e->n_heap > 0 && e->heap[0].at_us <= until_us) {
        struct event ev = heap_pop(e);
        e->now_us = ev.at_us;
        event_run(e, &ev);
    }
    if (!e->err && e->now_us < until_us)
        e->now_us = until_us;
    return e->err;
}

uint64_t
engine_now_us(const struct engine *e)
{
    return e->now_us;
}

void
engine_inject(struct engine *e, uint32_t from, uint32_t to,
              const uint8_t *frame, size_t len)
{
    (void)!frame_send(e, from, to, frame, len); /* as venv_timer() */
}

void
engine_front(struct engine *e, uint32_t node, const struct sim_front_ops *ops,
             void *ctx)
{
    e->node[node]->front = ops;
    e->node[node]->front_ctx = ctx;
}

void
engine_clock(struct engine *e, uint32_t node, int64_t ahead_ms)
{
    e->node[node]->ahead_ms = ahead_ms;
}

void
engine_adversary(struct engine *e, engine_pass_fn pass, void *ctx)
{
    e->pass = pass;
    e->pass_ctx = ctx;
}

void
engine_tap(struct engine *e, engine_tap_fn tap, void *ctx)
{
    e->tap = tap;
    e->tap_ctx = ctx;
}

uint64_t
engine_trace(const struct engine *e)
{
    return e->trace;
}

uint64_t
engine_events(const struct engine *e)
{
    return e->events;
}
