/* relay/pipeline.c - receive, unwrap, replay.
 *
 * Lists of boards go their own way at once (spread.c).
 *
 * A packet's way: what needs no key exchange is judged as it comes (version,
 * epoch, edge), and it waits with those of all other links for a batch, a
 * millisecond at most. sphinx_unwrap() calls check_block() between the own
 * block and the payload work, where command, edge, deadline and replay tag are
 * judged, cheapest first; what is left is copied into a slab buffer and goes on
 * in dispatch.c. Nothing is answered to the peer, whatever is wrong.
 *
 * Packets of an epoch that has not begun by the own clock are judged as all
 * others are: their deadlines lie after its valid-after, so none passes that is
 * further ahead than deadline_ahead_s, which is what clocks may differ by. */
#include <string.h>

#include <sodium.h>

#include "relay/internal.h"

struct pass {
    struct relay *r;
    struct view *view[SPHINX_BATCH_MAX]; /* of each job */
    uint32_t link[SPHINX_BATCH_MAX];
    bool from_client[SPHINX_BATCH_MAX];
    struct sphinx_job *jobs;
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

/* Tell the sender's layer under this view; UINT8_MAX when the sender is not in
 * it. */
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

/* Tell the number of the link that a packet comes over, for its share of what
 * is held. */
static uint32_t
link_number(const struct relay *r, struct relay_peer *peer, uint32_t client)
{
    if (!peer)
        return places_client(r->plane->places,
                             r->number * r->plane->clients_max + client);
    if (peer->link == 0)
        peer->link = 1 + places_relay(r->plane->places, peer->identity);
    return peer->link - 1;
}

/* Did this packet come over an edge that exists? */
static int
source_check(struct relay_peer *from, const struct view *v)
{
    if (!from)
        return v->layer == 0 ? 0 : ERR_EDGE;
    uint8_t layer = peer_layer(from, v);
    if (layer == UINT8_MAX ||
        !consensus_has_edge(v->consensus, layer, v->layer))
        return ERR_EDGE;
    return 0;
}

/* May a packet from there have this command for us? */
static int
command_check(bool from_client, const struct view *v,
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
        return v->layer == store || (v->layer == 0 && !from_client)
                   ? ERR_COMMAND
                   : 0;
    case SPHINX_STORE:
        return v->layer == store ? 0 : ERR_COMMAND;
    default: /* deliver: at the end of an answer, never from a client */
        return from_client ? ERR_COMMAND : 0;
    }
}

static uint64_t
delay_max_us(const struct view *v, const struct sphinx_block *block)
{
    const struct params *p = &v->consensus->params;
    return block->command == SPHINX_STORE ? p->store_delay_max_us
                                          : p->delay_max_us;
}

static int
check_block(void *ctx, struct sphinx_job *job)
{
    struct pass *p = ctx;
    const size_t i = (size_t)(job - p->jobs);
    const struct view *v = p->view[i];
    const struct params *params = &v->consensus->params;
    int err = command_check(p->from_client[i], v, &job->block);
    if (!err && (uint64_t)job->block.delay * params->geometry.delay_unit_us >
                    delay_max_us(v, &job->block))
        err = ERR_DELAY;
    if (err)
        return err;
    uint64_t deadline_s =
        v->consensus->valid_after_s +
        (uint64_t)job->block.deadline * params->deadline_unit_s;
    if (deadline_s > p->wall_s + params->deadline_ahead_s)
        return ERR_DEADLINE_FAR;
    return replay_insert(p->r->plane->replay, job->replay_tag, deadline_s,
                         p->wall_s);
}

/* Hold a packet, which is copied. */
static int
packet_hold(struct relay *r, const struct view *v, const struct sphinx_job *job,
            uint32_t link, enum held_kind kind, uint64_t now_us)
{
    const uint64_t delay_us =
        (uint64_t)job->block.delay * r->geometry.delay_unit_us;
    int err = places_take(r->plane->places, link, delay_us,
                          delay_max_us(v, &job->block));
    if (err)
        return err;
    uint32_t number = slab_take(r->slab);
    if (number == SLAB_NONE) {
        places_give(r->plane->places, link);
        return slab_why(r->slab);
    }
    struct held *h = relay_held_at(r, number);
    *h = (struct held){.kind = (uint8_t)kind,
                       .next = job->block.next,
                       .epoch = v->consensus->epoch,
                       .link = link,
                       .come_us = now_us,
                       .delay_us = delay_us};
    memcpy(h->surb_id, job->block.surb_id, sizeof h->surb_id);
    memcpy(h->handle, job->block.handle, sizeof h->handle);
    memcpy(h->packet, job->packet, r->geometry.packet_len);
    dispatch_place(r, number);
    return 0;
}

/* Is this a request that a box can answer? */
static int
request_check(const struct relay *r, const struct sphinx_job *job)
{
    const struct sphinx_geometry *g = &r->geometry;
    const uint8_t *payload = job->packet + g->header_len;
    struct wire_request request;
    if (!sphinx_payload_is_intact(payload))
        return ERR_TAG;
    return wire_request_parse(&request, payload + SPHINX_TAG_LEN, g->body_len,
                              g->surb_len);
}

static int
packet_accept(struct relay *r, const struct view *v,
              const struct sphinx_job *job, uint32_t link, uint64_t now_us)
{
    const struct sphinx_block *block = &job->block;
    if (block->command == SPHINX_FORWARD)
        return packet_hold(r, v, job, link, HELD_FORWARD, now_us);
    if (block->command == SPHINX_STORE) {
        int err = request_check(r, job);
        return err ? err : packet_hold(r, v, job, link, HELD_ANSWER, now_us);
    }
    if (sodium_memcmp(block->handle, r->plane->loop_handle, 8) == 0)
        return packet_hold(r, v, job, link, HELD_LOOP, now_us);
    return v->layer == 0 ? packet_hold(r, v, job, link, HELD_DELIVER, now_us)
                         : ERR_HANDLE;
}

/* Can any packet be accepted now? Not by a clock that says that the newest
 * consensus is over, or lies far ahead: such a clock is wrong, or there is no
 * network, and the replay set is not to learn of such times (replay.c). */
static int
time_check(const struct relay *r, uint64_t wall_s)
{
    return replay_is_in_doubt(r->plane->replay)
               ? ERR_AGAIN
               : consensus_judge_time(r->newest->consensus, wall_s);
}

void
pipeline_unwrap(struct relay *r)
{
    struct sphinx_job jobs[SPHINX_BATCH_MAX];
    struct pass pass = {.r = r, .jobs = jobs};
    struct intake *in = &r->intake;
    const size_t n = in->n;
    if (n == 0)
        return;
    pass.wall_s = env_now_wall_s(r->env);
    uint64_t now_us = env_now_mono_us(r->env);
    in->n = 0;
    const int untimely = time_check(r, pass.wall_s);
    if (untimely) {
        r->stats.dropped[-untimely] += n;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        pass.view[i] = relay_view(r, in->head[i].epoch);
        pass.link[i] = in->head[i].link;
        pass.from_client[i] = in->head[i].from_client;
        jobs[i] = (struct sphinx_job){.packet = in->frames +
                                                i * r->geometry.packet_len,
                                      .key = pass.view[i]->key};
    }
    sphinx_unwrap(r->worker, &r->geometry, jobs, n, check_block, &pass);
    for (size_t i = 0; i < n; i++) {
        int err = jobs[i].err;
        if (!err)
            err =
                packet_accept(r, pass.view[i], &jobs[i], pass.link[i], now_us);
        if (err)
            relay_drop(r, err);
    }
}

void
pipeline_receive(struct relay *r, struct relay_peer *peer, uint32_t client,
                 const uint8_t *frames, size_t n)
{
    const size_t len = r->geometry.packet_len;
    const uint32_t link = link_number(r, peer, client);
    struct intake *in = &r->intake;
    r->stats.received += n;
    for (const uint8_t *frame = frames; frame < frames + n * len;
         frame += len) {
        if (frame[0] == WIRE_LIST && peer) {
            spread_take(r, peer, link, frame);
            continue;
        }
        struct view *v = view_of(r, frame[1]);
        int err = frame[0] != WIRE_PACKET ? ERR_VERSION
                  : !v                    ? ERR_EPOCH
                                          : source_check(peer, v);
        if (err) {
            relay_drop(r, err);
            continue;
        }
        in->head[in->n].epoch = v->consensus->epoch;
        in->head[in->n].link = link;
        in->head[in->n].from_client = !peer;
        memcpy(in->frames + in->n * len, frame, len);
        if (++in->n == SPHINX_BATCH_MAX)
            pipeline_unwrap(r);
    }
}
