/* sim/hops.c - a packet from hop to hop.
 *
 * client clock -> link -> relay -> mix -> link -> .. -> out
 *                              -> store -> link -> ..     (round trip)
 *                              -> own loop's end
 *
 * What falls due within a step is done relay by relay, at its exact time. */
#include <math.h>
#include <string.h>

#include "lib/rng.h"
#include "sim/packets_internal.h"

enum { BATCH = 256, AHEAD = 4, AT_CLIENT = UINT32_MAX };

static void packet_come(struct run *f, uint32_t number, uint64_t at_us);
static void relay_mix(struct run *f, uint32_t relay);

/* ---- ends ---- */

static void
packet_give(struct run *f, uint32_t number)
{
    if (f->real)
        real_give(f->real, number);
    records_give(&f->records, number);
}

void
hops_lost(struct run *f, uint32_t number, uint64_t at_us, uint32_t at)
{
    struct record *p = record_at(&f->records, number);
    struct gauge_batch *b = gauges_at(f->gauges, at_us);
    run_note(f, at_us, EVENT_LOST, p, at);
    if (b && !(p->flags & RECORD_LOOP))
        b->lost++;
    if (f->tracker)
        tracker_rule_out(f->tracker, record_mass(&f->records, p), p->label);
    packet_give(f, number);
}

/* Where an observer sees a packet's way end: out of the network, or at a store.
 * From here on nothing of it is of use to him. */
static void
packet_seen_out(struct run *f, struct record *p, struct gauge_batch *b)
{
    float *mass = record_mass(&f->records, p);
    if (!f->tracker)
        return;
    tracker_out(f->tracker, mass, p->label);
    if (b && f->scenario->measure.epsilon) {
        const uint32_t last = record_relays(p)[p->stage - 1];
        double both[2];
        tracker_challengers(f->tracker, mass, both);
        if (!f->topology->corrupt[last])
            gauges_loss(b, both[0], both[1]);
        if (p->challenger)
            gauges_own(f->gauges, b, both[p->challenger - 1],
                       both[2 - p->challenger]);
    }
    memset(mass, 0, tracker_labels(f->tracker) * sizeof *mass);
    p->label = TRACKER_NONE;
    p->challenger = 0;
}

static void
packet_out(struct run *f, uint32_t number, uint64_t at_us)
{
    struct record *p = record_at(&f->records, number);
    struct gauge_batch *b = gauges_at(f->gauges, at_us);
    run_note(f, at_us, EVENT_OUT, p, p->sender);
    if (b) {
        b->out++;
        stats_times_add(&b->latency, at_us - p->start_us);
    }
    if (!p->turns)
        packet_seen_out(f, p, b);
    packet_give(f, number);
}

/* ---- links ---- */

static uint64_t
link_us(struct run *f, uint32_t from, uint32_t to)
{
    const struct scenario_network *n = &f->scenario->network;
    if (f->matrix)
        return from == AT_CLIENT || to == AT_CLIENT
                   ? 0
                   : f->matrix[(size_t)from * f->topology->n_relays + to];
    return n->latency_fixed_us + (n->latency_law == LATENCY_EXPONENTIAL
                                      ? rng_exp_us(&f->env, n->latency_mean_us)
                                      : 0);
}

static void
packet_link(struct run *f, uint32_t number, uint64_t at_us, uint32_t from)
{
    struct record *p = record_at(&f->records, number);
    uint32_t to = p->stage == p->n ? AT_CLIENT : record_relays(p)[p->stage];
    if (f->scenario->network.loss > 0 &&
        rng_unit(&f->env) <= f->scenario->network.loss) {
        hops_lost(f, number, at_us, from);
        return;
    }
    uint64_t late_us = link_us(f, from, to);
    if (late_us == 0)
        packet_come(f, number, at_us);
    else if (wheel_add(f->wait, at_us + late_us, number, WAIT_LINK))
        run_fail(f, ERR_NOMEM);
}

/* ---- relays ---- */

/* With real packets, what was unwrapped says where and when; a record that says
 * otherwise is a bug of ours. */
static void
packet_unwrap(struct run *f, uint32_t number, struct record *p)
{
    uint16_t *relay = record_relays(p), next, delay;
    const bool ends = p->stage + 1 == p->n || p->stage + 1 == p->turns;
    int err = real_unwrap(f->real, number, relay[p->stage], &delay, &next);
    if (!err && ends != (next == UINT16_MAX))
        err = ERR_COMMAND;
    if (!err && p->stage + 1 == p->turns)
        err = real_turn(f->real, number, &next);
    if (err) {
        run_fail(f, err);
        return;
    }
    record_delays(&f->records, p)[p->stage] = delay;
    if (p->stage + 1 < p->n)
        relay[p->stage + 1] = next;
}

static uint64_t
packet_delay_us(const struct run *f, struct record *p)
{
    return (uint64_t)record_delays(&f->records, p)[p->stage] *
           f->scenario->mix.delay_unit_us;
}

static void
packet_at_store(struct run *f, uint32_t number, struct record *p)
{
    struct gauge_batch *b = gauges_at(f->gauges, p->at_us);
    if (b && !(p->flags & RECORD_LOOP))
        stats_times_add(&b->to_store, p->at_us - p->start_us);
    packet_seen_out(f, p, b);
    if (wheel_add(f->wait, p->at_us + packet_delay_us(f, p), number,
                  WAIT_STORE))
        run_fail(f, ERR_NOMEM);
}

/* The observer sees it come. */
static void
packet_enter(struct run *f, struct record *p, uint32_t relay)
{
    /* an answer on its last link: no request goes to a gateway from there */
    if (p->turns && p->stage + 1 == p->n) {
        float *mass = record_mass(&f->records, p);
        tracker_rule_out(f->tracker, mass, TRACKER_NONE);
        memset(mass, 0, tracker_labels(f->tracker) * sizeof *mass);
    } else if (!f->topology->corrupt[relay]) {
        tracker_enter(f->tracker, relay, record_mass(&f->records, p));
    }
}

static void
packet_into_mix(struct run *f, uint32_t number, struct record *p,
                uint32_t relay)
{
    const uint64_t delay_us = packet_delay_us(f, p);
    int err = mix_push(f->mix[relay], number, 0, p->at_us, delay_us);
    if (err) {
        run_fail(f, err);
        return;
    }
    if (f->memory)
        f->memory[relay].arrived++;
    if (f->tracker)
        packet_enter(f, p, relay);
    if (f->scenario->mix.params.strategy == MIX_POISSON) {
        if (p->at_us + delay_us < f->due_us[relay])
            f->due_us[relay] = p->at_us + delay_us;
        return;
    }
    /* what a full pool lets go leaves before another comes; the packet's record
     * may be gone after this */
    f->due_us[relay] = mix_next_due(f->mix[relay]);
    if (f->due_us[relay] == 0 && f->mixing[relay] == 0)
        relay_mix(f, relay);
}

static void
packet_come(struct run *f, uint32_t number, uint64_t at_us)
{
    struct record *p = record_at(&f->records, number);
    p->at_us = at_us;
    if (p->stage == p->n) {
        packet_out(f, number, at_us);
        return;
    }
    const uint32_t relay = record_relays(p)[p->stage];
    if (relay == f->scenario->attack.relay && watch_takes(f, number, at_us))
        return;
    run_note(f, at_us, EVENT_IN, p, relay);
    if (f->real)
        packet_unwrap(f, number, p);
    if (p->stage + 1 == p->turns) {
        packet_at_store(f, number, p);
    } else if (p->flags & RECORD_LOOP && p->stage + 1 == p->n) {
        watch_loop_back(f, relay, at_us);
        if (f->tracker)
            tracker_rule_out(f->tracker, record_mass(&f->records, p),
                             TRACKER_NONE);
        packet_give(f, number);
    } else {
        packet_into_mix(f, number, p, relay);
    }
}

/* ---- mixes ---- */

/* Of what an observer of this mix alone knows: which of those that came is the
 * one that leaves (Loopix, appendix A, equation 5). */
static void
memory_leave(struct run *f, uint32_t relay, double count, uint64_t at_us)
{
    struct mix_memory *m = &f->memory[relay];
    struct gauge_batch *b = gauges_at(f->gauges, at_us);
    const double k = m->arrived, l = count - k;
    if (k > 0) {
        double share = k / count, rest = l / count;
        m->entropy = share * log2(k) + rest * m->entropy - share * log2(share) -
                     (l > 0 ? rest * log2(rest) : 0);
        m->arrived = 0;
    }
    if (b) {
        b->entropy_sum += m->entropy;
        b->entropy_n++;
    }
}

static void
packet_leave(struct run *f, uint32_t number, uint32_t relay, size_t count,
             uint64_t pool_us)
{
    struct record *p = record_at(&f->records, number);
    const uint64_t at_us = pool_us ? pool_us : p->at_us + packet_delay_us(f, p);
    struct gauge_batch *b = gauges_at(f->gauges, at_us);
    if (b)
        b->hops++;
    run_note(f, at_us, EVENT_LEFT, p, relay);
    if (f->memory)
        memory_leave(f, relay, (double)count, at_us);
    if (f->tracker && !f->topology->corrupt[relay] &&
        !(p->turns && p->stage + 1 == p->n))
        tracker_leave(f->tracker, relay, (double)count, f->beside,
                      record_mass(&f->records, p));
    p->stage++;
    packet_link(f, number, at_us, relay);
}

/* When what a pool let go at or before now has left; 0: each at its own time.
 */
static uint64_t
pool_left_us(const struct run *f)
{
    const struct mix_params *m = &f->scenario->mix.params;
    if (m->strategy == MIX_POISSON)
        return 0;
    if (m->strategy == MIX_THRESHOLD_POOL)
        return f->now_us;
    return f->now_us / m->interval_us * m->interval_us;
}

static void
relay_mix(struct run *f, uint32_t relay)
{
    const uint64_t pool_us = pool_left_us(f);
    struct mix *m = f->mix[relay];
    struct mix_out out[BATCH];
    size_t n;
    f->mixing[relay] = 1;
    do {
        n = mix_pop_due(m, f->now_us, out, BATCH);
        size_t count = mix_count(m) + n;
        for (size_t i = 0; i < n && i < AHEAD; i++)
            __builtin_prefetch(record_at(&f->records, out[i].handle), 1);
        for (size_t i = 0; i < n; i++) {
            if (i + AHEAD < n)
                __builtin_prefetch(
                    record_at(&f->records, out[i + AHEAD].handle), 1);
            packet_leave(f, out[i].handle, relay, count--, pool_us);
        }
    } while (n == BATCH && !f->err);
    /* a busy mix is asked at every step */
    f->due_us[relay] = n > 0 ? 0 : mix_next_due(m);
    f->mixing[relay] = 0;
}

void
hops_mix(struct run *f)
{
    for (uint32_t r = 0; r < f->topology->n_relays; r++)
        if (f->due_us[r] <= f->now_us)
            relay_mix(f, r);
}

void
hops_wait(struct run *f)
{
    struct wheel_entry e[BATCH];
    size_t n;
    do {
        n = wheel_pop_due(f->wait, f->now_us, e, BATCH);
        for (size_t i = 0; i < n; i++)
            switch ((enum wait_kind)e[i].b) {
            case WAIT_LOOP:
                watch_loop(f, e[i].a, e[i].due_us);
                break;
            case WAIT_HELD:
                watch_admits(f, e[i].a);
                packet_come(f, e[i].a, e[i].due_us);
                break;
            case WAIT_STORE: {
                struct record *p = record_at(&f->records, e[i].a);
                uint32_t relay = record_relays(p)[p->stage++];
                run_note(f, e[i].due_us, EVENT_LEFT, p, relay);
                packet_link(f, e[i].a, e[i].due_us, relay);
                break;
            }
            default:
                packet_come(f, e[i].a, e[i].due_us);
                break;
            }
    } while (n == BATCH && !f->err);
}

/* ---- starts ---- */

uint32_t
hops_record(struct run *f, const struct way *w, uint64_t at_us, uint32_t sender,
            uint8_t flags)
{
    uint32_t number = records_take(&f->records);
    if (number == RECORD_NONE) {
        run_fail(f, ERR_NOMEM);
        return RECORD_NONE;
    }
    struct record *p = record_at(&f->records, number);
    p->start_us = at_us;
    p->sender = sender;
    p->serial = f->serial++;
    p->n = w->n;
    p->turns = w->turns;
    p->flags |= flags;
    if (f->real) { /* only where to begin; the rest is in the packet */
        record_relays(p)[0] = w->relay[0];
        int err = real_make(f->real, number, w);
        if (err)
            run_fail(f, err);
    } else {
        memcpy(record_relays(p), w->relay, w->n * sizeof *w->relay);
        memcpy(record_delays(&f->records, p), w->delay,
               w->n * sizeof *w->delay);
    }
    return number;
}

void
hops_start(struct run *f, uint32_t number, uint64_t at_us, uint32_t relay)
{
    run_note(f, at_us, EVENT_SEND, record_at(&f->records, number),
             relay == AT_CLIENT ? record_at(&f->records, number)->sender
                                : relay);
    packet_link(f, number, at_us, relay);
}

/* Is this packet to be followed? */
static void
packet_tag(struct run *f, struct record *p, const struct source_tick *tick)
{
    const struct scenario *s = f->scenario;
    float *mass = record_mass(&f->records, p);
    for (unsigned i = 0; s->measure.epsilon && i < 2; i++) {
        struct challenger *c = &f->challenger[i];
        if (tick->client != c->client || tick->at_us < c->message_us)
            continue;
        c->message_us += c->every_us;
        tracker_challenge(f->tracker, i, mass);
        p->challenger = (uint8_t)(i + 1);
    }
    if (f->phase != PHASE_MEASURE || f->tagged >= s->measure.targets ||
        s->attack.kind == ATTACK_FLUSH ||
        (f->tag_some && !s->clients[tick->group].target) ||
        rng_unit(&f->env) > f->tag_chance)
        return;
    p->label = tracker_tag(f->tracker, mass);
    if (p->label == TRACKER_NONE)
        return;
    f->tagged++;
}

static bool
way_is_corrupt(const struct run *f, const struct way *w)
{
    for (unsigned i = 0; i < w->n; i++) {
        uint8_t layer = f->topology->layer_of[w->relay[i]];
        if (layer > 0 && layer <= f->topology->n_layers &&
            !f->topology->corrupt[w->relay[i]])
            return false;
    }
    return true;
}

static void
client_send(struct run *f, const struct source_tick *tick)
{
    struct gauge_batch *b = gauges_at(f->gauges, tick->at_us);
    struct way w;
    topology_way(f->topology, &f->env, tick->client, tick->poll, &w);
    uint32_t number = hops_record(f, &w, tick->at_us, tick->client, 0);
    if (number == RECORD_NONE)
        return;
    if (b)
        b->sent++;
    if (b && f->gauges->paths)
        paths_add(f->gauges->paths, tick->client, way_is_corrupt(f, &w));
    if (f->tracker)
        packet_tag(f, record_at(&f->records, number), tick);
    hops_start(f, number, tick->at_us, AT_CLIENT);
}

void
hops_send(struct run *f)
{
    struct source_tick tick[BATCH];
    size_t n;
    do {
        n = sources_pop(f->sources, f->now_us, tick, BATCH);
        if (n == SIZE_MAX) {
            run_fail(f, ERR_NOMEM);
            return;
        }
        for (size_t i = 0; i < n && !f->err; i++)
            client_send(f, &tick[i]);
    } while (n == BATCH && !f->err);
}
