/* relay/pipeline.c - receive, unwrap, replay; then mix and send, or answer.
 *
 * A packet's way: its key is chosen by the epoch byte; sphinx_unwrap() calls
 * check_block() between the own block and the payload work, where command,
 * edge, deadline and replay tag are judged, cheapest first; what is left is
 * copied into a slab buffer and waits in the mix (or, at a store, for the time
 * of its answer). Nothing is answered to the peer, whatever is wrong. */
#include <string.h>

#include <sodium.h>

#include "relay/internal.h"

struct pass {
    struct relay *r;
    struct view *view[SPHINX_BATCH_MAX]; /* of each job */
    struct sphinx_job *jobs;
    const struct source *from;
    uint64_t wall_s;
};

static struct view *
view_of(struct relay *r, uint8_t epoch_byte)
{
    for (size_t i = 0; i < VIEWS; i++)
        if (r->view[i].consensus &&
            (uint8_t)r->view[i].consensus->epoch == epoch_byte)
            return &r->view[i];
    return NULL;
}

/* The sender's layer under this view; UINT8_MAX when it is not in it. */
static uint8_t
peer_layer(struct relay_peer *p, const struct view *v)
{
    uint32_t epoch = v->consensus->epoch;
    size_t i = epoch % VIEWS;
    if (p->epoch[i] != epoch + 1) {
        int number = consensus_find(v->consensus, p->identity);
        p->epoch[i] = epoch + 1;
        p->layer[i] =
            number < 0 ? UINT8_MAX : v->consensus->relays[number].layer;
    }
    return p->layer[i];
}

/* Did this packet come over an edge that exists? */
static int
source_check(const struct source *from, const struct view *v)
{
    if (!from->peer)
        return v->layer == 0 ? 0 : ERR_EDGE;
    uint8_t layer = peer_layer(from->peer, v);
    if (layer == UINT8_MAX ||
        !consensus_has_edge(v->consensus, layer, v->layer))
        return ERR_EDGE;
    return 0;
}

/* Is this command one for us, from there? */
static int
command_check(const struct source *from, const struct view *v,
              const struct sphinx_block *block)
{
    const struct consensus *c = v->consensus;
    unsigned store = c->params.layers + 1u;
    switch (block->command) {
    case SPHINX_FORWARD:
        if (block->next >= c->n_relays)
            return ERR_RELAY;
        if (!consensus_has_edge(c, v->layer, c->relays[block->next].layer))
            return ERR_EDGE;
        /* nobody passes through a store, nor through a gateway inwards */
        return v->layer == store || (v->layer == 0 && from->peer) ? ERR_COMMAND
                                                                  : 0;
    case SPHINX_STORE:
        return v->layer == store ? 0 : ERR_COMMAND;
    default: /* deliver: at the end of an answer, never from a client */
        return from->peer ? 0 : ERR_COMMAND;
    }
}

static int
check_block(void *ctx, struct sphinx_job *job)
{
    struct pass *p = ctx;
    const struct view *v = p->view[job - p->jobs];
    const struct params *params = &v->consensus->params;
    int err = command_check(p->from, v, &job->block);
    if (err)
        return err;
    uint64_t deadline_s =
        v->consensus->valid_after_s +
        (uint64_t)job->block.deadline * params->deadline_unit_s;
    if (deadline_s > p->wall_s + params->deadline_ahead_s)
        return ERR_DEADLINE_FAR;
    return replay_insert(p->r->replay, job->replay_tag, deadline_s, p->wall_s);
}

/* Keep a packet until its time; it is copied. */
static int
hold(struct relay *r, const struct view *v, const struct sphinx_job *job,
     uint8_t kind, uint32_t *number)
{
    *number = slab_take(r->slab);
    if (*number == SLAB_NONE)
        return ERR_FULL;
    struct held *h = relay_held_at(r, *number);
    *h = (struct held){
        .kind = kind, .next = job->block.next, .epoch = v->consensus->epoch};
    memcpy(h->surb_id, job->block.surb_id, sizeof h->surb_id);
    memcpy(h->handle, job->block.handle, sizeof h->handle);
    memcpy(h->packet, job->packet, r->geometry.packet_len);
    return 0;
}

static int
mix_in(struct relay *r, const struct view *v, const struct sphinx_job *job,
       uint64_t now_us)
{
    uint32_t number;
    bool deliver = job->block.command == SPHINX_DELIVER;
    int err = hold(r, v, job, deliver ? HELD_DELIVER : HELD_FORWARD, &number);
    if (err)
        return err;
    err = mix_push(r->mix, number, job->block.next, now_us,
                   (uint64_t)job->block.delay * r->geometry.delay_unit_us);
    if (err)
        slab_give(r->slab, number);
    return err;
}

static uint32_t
expiry_day(const struct relay *r, uint64_t wall_s)
{
    return (uint32_t)(wall_s / 86400) +
           r->newest->consensus->params.letter_days;
}

static int
box_in(struct relay *r, const struct view *v, const struct sphinx_job *job,
       uint64_t now_us, uint64_t wall_s)
{
    const struct sphinx_geometry *g = &r->geometry;
    const uint8_t *payload = job->packet + g->header_len;
    struct wire_request request;
    uint32_t number;
    if (!sphinx_payload_is_intact(payload))
        return ERR_TAG;
    int err = wire_request_parse(&request, payload + SPHINX_TAG_LEN,
                                 g->body_len, g->surb_len);
    if (!err)
        err = hold(r, v, job, HELD_ANSWER, &number);
    if (err)
        return err;
    struct held *h = relay_held_at(r, number);
    err = boxes_begin(r->boxes, &request, expiry_day(r, wall_s), &h->job);
    if (!err)
        err = wheel_add(r->due,
                        now_us + (uint64_t)job->block.delay * g->delay_unit_us,
                        number, DUE_ANSWER);
    if (err) {
        boxes_done(r->boxes, &h->job);
        slab_give(r->slab, number);
    }
    return err;
}

static int
packet_accept(struct relay *r, const struct view *v,
              const struct sphinx_job *job, uint64_t now_us, uint64_t wall_s)
{
    if (job->block.command == SPHINX_STORE)
        return box_in(r, v, job, now_us, wall_s);
    if (job->block.command == SPHINX_DELIVER && loops_take(r, &job->block))
        return 0;
    if (job->block.command == SPHINX_DELIVER && v->layer != 0)
        return ERR_HANDLE;
    return mix_in(r, v, job, now_us);
}

static void
batch_run(struct relay *r, const struct source *from, uint8_t *frames, size_t n)
{
    struct sphinx_job jobs[SPHINX_BATCH_MAX];
    struct pass pass = {
        .r = r, .jobs = jobs, .from = from, .wall_s = env_now_wall_s(r->env)};
    uint64_t now_us = env_now_mono_us(r->env);
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t *frame = frames + i * r->geometry.packet_len;
        struct view *v = view_of(r, frame[1]);
        int err = frame[0] != WIRE_PACKET ? ERR_VERSION
                  : !v                    ? ERR_EPOCH
                                          : source_check(from, v);
        if (err) {
            relay_drop(r, err);
            continue;
        }
        pass.view[m] = v;
        jobs[m++] = (struct sphinx_job){.packet = frame, .key = v->key};
    }
    sphinx_unwrap(r->worker, &r->geometry, jobs, m, check_block, &pass);
    for (size_t i = 0; i < m; i++) {
        int err = jobs[i].err;
        if (!err)
            err = packet_accept(r, pass.view[i], &jobs[i], now_us, pass.wall_s);
        if (err)
            relay_drop(r, err);
    }
}

void
pipeline_run(struct relay *r, const struct source *from, uint8_t *frames,
             size_t n)
{
    r->stats.received += n;
    for (size_t i = 0; i < n; i += SPHINX_BATCH_MAX)
        batch_run(r, from, frames + i * r->geometry.packet_len,
                  n - i < SPHINX_BATCH_MAX ? n - i : SPHINX_BATCH_MAX);
}

void
pipeline_leave(struct relay *r, uint32_t number)
{
    struct held *h = relay_held_at(r, number);
    if (h->kind == HELD_DELIVER) {
        gateway_deliver(r, number);
        return;
    }
    struct env_dest to = {ENV_TO_RELAY, h->next, h->epoch};
    int err = env_send(r->env, to, h->packet, r->geometry.packet_len);
    if (err)
        relay_drop(r, err);
    else
        r->stats.forwarded++;
    slab_give(r->slab, number);
}

void
pipeline_answer(struct relay *r, uint32_t number)
{
    const struct sphinx_geometry *g = &r->geometry;
    struct held *h = relay_held_at(r, number);
    uint8_t *body = h->packet + g->header_len + SPHINX_TAG_LEN;
    const struct consensus *newest = r->newest->consensus; /* relay_tick() */
    struct wire_request request;
    struct wire_answer answer;
    uint16_t first;
    int err = wire_request_parse(&request, body, g->body_len, g->surb_len);
    boxes_finish(r->boxes, h->job, &answer);
    if (!err) {
        /* the answer is built where its SURB stands */
        memcpy(r->frame, request.surb, g->surb_len);
        answer.epoch = newest->epoch;
        answer.digest = newest->digest;
        answer.time_s = env_now_wall_s(r->env);
        env_random_crypto(r->env, body, g->body_len);
        err = wire_answer_write(body, g->body_len, g->surb_len, &answer);
    }
    if (!err)
        err = sphinx_surb_use(r->worker, g, r->frame, body, r->frame, &first);
    const struct consensus *c = NULL;
    for (size_t i = 0; i < VIEWS; i++)
        if (r->view[i].consensus && r->view[i].consensus->epoch == h->epoch)
            c = r->view[i].consensus;
    if (!err && (!c || first >= c->n_relays || c->relays[first].layer != 1))
        err = ERR_EDGE; /* an answer starts at the first layer of mixes */
    if (!err)
        err = env_send(r->env, (struct env_dest){ENV_TO_RELAY, first, h->epoch},
                       r->frame, g->packet_len);
    if (err)
        relay_drop(r, err);
    else
        r->stats.answered++;
    boxes_done(r->boxes, &h->job);
    slab_give(r->slab, number);
}
