/* sim/packets/hops.c - a packet from hop to hop: clients' clocks, relays; its
 * links are transit.c's.
 *
 * client clock -> link -> relay -> mix -> link -> .. -> out
 *                              -> store -> link -> ..     (round trip)
 *                              -> own loop's end
 *
 * Within a window of time, relays are gone through in order, layer by layer:
 * what comes to a relay waits in its inbox until its turn, and then arrivals
 * and departures are carried out in order of time. So the order of events is
 * exact at every relay that a packet reaches only after those before it in
 * number; on the way back to a gateway, and on a free route, an arrival may be
 * late by a window, of which a mean delay has many. Going through one mix for
 * a whole window keeps its queue in the processor's cache. */
#include <math.h>
#include <string.h>

#include "lib/rng.h"
#include "sim/packets/packets_internal.h"

enum { BATCH = 256, AHEAD = 8 };

/* ---- relays ---- */

/* With real packets, what was unwrapped says where and when; a record that says
 * otherwise is a bug of ours. */
static void
packet_unwrap(struct packet_run *run, uint32_t number, struct record *p)
{
    uint16_t *relay = record_relays(p), next, delay;
    const bool ends = p->stage + 1 == p->n || p->stage + 1 == p->turns;
    int err = real_unwrap(run->real, number, relay[p->stage], &delay, &next);
    if (!err && ends != (next == UINT16_MAX))
        err = ERR_COMMAND;
    if (!err && p->stage + 1 == p->turns)
        err = real_turn(run->real, number, &next);
    if (err) {
        run_fail(run, err);
        return;
    }
    record_delays(&run->records, p)[p->stage] = delay;
    if (p->stage + 1 < p->n)
        relay[p->stage + 1] = next;
}

static uint64_t
packet_delay_us(const struct packet_run *run, struct record *p)
{
    return (uint64_t)record_delays(&run->records, p)[p->stage] *
           run->scenario->mix.delay_unit_us;
}

/* A store that watches the challengers' links compares them. */
static void
store_weighs(struct packet_run *run, struct gauge_batch *b,
             const struct record *p)
{
    const bool poll = p->flags & RECORD_POLL;
    for (unsigned i = 0; i < 2; i++)
        if (p->sender == run->challenger[i].client) {
            b->watched_nats[poll] += spy_came(run->spy, i, poll, p->at_us);
            b->watched[poll]++;
        }
}

static void
packet_at_store(struct packet_run *run, uint32_t number, struct record *p)
{
    struct gauge_batch *b = gauges_at(run->gauges, p->at_us);
    if (b && !(p->flags & RECORD_LOOP))
        stats_times_add(&b->to_store, p->at_us - p->start_us);
    if (b && run->spy && !(p->flags & RECORD_LOOP))
        store_weighs(run, b, p);
    transit_seen_out(run, p, b);
    if (wheel_add(run->wait, p->at_us + packet_delay_us(run, p), number,
                  WAIT_STORE))
        run_fail(run, ERR_NOMEM);
}

/* The observer sees it come. */
static void
packet_enter(struct packet_run *run, struct record *p, uint32_t relay)
{
    /* targets are of one kind, and this one shows to be of the other */
    if (run->polls && p->stage > 0 &&
        record_is_slow(p) != (run->scenario->measure.kinds == KINDS_POLLS))
        tracker_exclude(run->tracker, record_mass(&run->records, p));
    /* an answer on its last link: no request goes to a gateway from there */
    if (record_is_answer(p)) {
        float *mass = record_mass(&run->records, p);
        tracker_rule_out(run->tracker, mass, TRACKER_NONE);
        memset(mass, 0, tracker_labels(run->tracker) * sizeof *mass);
    } else if (!run->topology->corrupt[relay]) {
        tracker_enter(run->tracker, crowd_of(run, p, relay, 0).place,
                      record_mass(&run->records, p));
    }
}

static void
packet_into_mix(struct packet_run *run, uint32_t number, struct record *p,
                uint32_t relay)
{
    const uint64_t delay_us = packet_delay_us(run, p);
    int err = mix_push(run->mix[relay], number, 0, p->at_us, delay_us);
    if (err) {
        run_fail(run, err);
        return;
    }
    if (run->answers)
        run->answers[relay] += record_is_answer(p);
    if (run->memory && !record_is_answer(p))
        run->memory[relay].arrived++;
    if (run->polls)
        run->polls[relay] += record_is_slow(p);
    if (run->tracker)
        packet_enter(run, p, relay);
    if (run->scenario->mix.params.strategy != MIX_POISSON)
        run->due_us[relay] = mix_next_due(run->mix[relay]);
    else if (p->at_us + delay_us < run->due_us[relay])
        run->due_us[relay] = p->at_us + delay_us;
}

static void
packet_come(struct packet_run *run, uint32_t number, uint64_t at_us)
{
    struct record *p = record_at(&run->records, number);
    p->at_us = at_us;
    const uint32_t relay = record_relays(p)[p->stage];
    if (relay == run->scenario->attack.relay && watch_takes(run, number, at_us))
        return;
    run_note(run, at_us, EVENT_IN, p, relay);
    if (run->real)
        packet_unwrap(run, number, p);
    if (p->stage + 1 == p->turns) {
        packet_at_store(run, number, p);
    } else if (p->flags & RECORD_LOOP && p->stage + 1 == p->n) {
        watch_loop_back(run, relay, at_us);
        if (run->tracker)
            tracker_rule_out(run->tracker, record_mass(&run->records, p),
                             TRACKER_NONE);
        transit_end(run, number);
    } else {
        packet_into_mix(run, number, p, relay);
    }
}

/* ---- mixes ---- */

/* Of what an observer of this mix alone knows: which of those that came is the
 * one that leaves (Loopix, appendix A, equation 5). */
static void
memory_leave(struct packet_run *run, uint32_t relay, double count,
             uint64_t at_us)
{
    struct mix_memory *m = &run->memory[relay];
    struct gauge_batch *b = gauges_at(run->gauges, at_us);
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
packet_leave(struct packet_run *run, uint32_t number, uint32_t relay,
             size_t count, uint64_t pool_us)
{
    struct record *p = record_at(&run->records, number);
    const uint64_t at_us =
        pool_us ? pool_us : p->at_us + packet_delay_us(run, p);
    struct gauge_batch *b = gauges_at(run->gauges, at_us);
    if (b)
        b->hops++;
    run_note(run, at_us, EVENT_LEFT, p, relay);
    if (run->memory && !record_is_answer(p))
        memory_leave(run, relay, (double)count - run->answers[relay], at_us);
    if (run->tracker && !run->topology->corrupt[relay] &&
        !record_is_answer(p)) {
        const struct crowd crowd = crowd_of(run, p, relay, count);
        tracker_leave(run->tracker, crowd.place, crowd.count, crowd.beside,
                      record_mass(&run->records, p));
    }
    if (run->answers)
        run->answers[relay] -= record_is_answer(p);
    if (run->polls)
        run->polls[relay] -= record_is_slow(p);
    p->stage++;
    transit_link(run, number, at_us, relay);
}

/* When what a pool lets go at now_us has left; 0: each at its own time. */
static uint64_t
pool_left_us(const struct packet_run *run, uint64_t now_us)
{
    const struct mix_params *m = &run->scenario->mix.params;
    if (m->strategy == MIX_POISSON)
        return 0;
    if (m->strategy == MIX_THRESHOLD_POOL)
        return now_us;
    return now_us / m->interval_us * m->interval_us;
}

/* All that is due at a relay leaves. */
static void
relay_mix(struct packet_run *run, uint32_t relay, uint64_t now_us)
{
    const uint64_t pool_us = pool_left_us(run, now_us);
    struct mix *m = run->mix[relay];
    struct mix_out out[BATCH];
    size_t n;
    do {
        n = mix_pop_due(m, now_us, out, BATCH);
        size_t count = mix_count(m) + n;
        for (size_t i = 0; i < n && i < 3 * AHEAD; i++)
            __builtin_prefetch(record_at(&run->records, out[i].handle), 1);
        for (size_t i = 0; i < n; i++) {
            if (i + 3 * AHEAD < n)
                __builtin_prefetch(
                    record_at(&run->records, out[i + 3 * AHEAD].handle), 1);
            packet_leave(run, out[i].handle, relay, count--, pool_us);
        }
    } while (n == BATCH && !run->err);
    run->due_us[relay] = mix_next_due(m);
}

/* Soon this packet will be put into the relay's mix. */
static void
mix_expect(const struct packet_run *run, uint32_t relay,
           const struct wheel_entry *e)
{
    struct record *p = record_at(&run->records, e->a);
    if (run->mix[relay] && p->stage < p->n)
        mix_prefetch(run->mix[relay], e->due_us + packet_delay_us(run, p));
}

/* A window of one relay. Where only times are asked for, arrivals need not wait
 * for departures before them. */
static void
relay_window(struct packet_run *run, uint32_t relay)
{
    struct relay_inbox *in = &run->inbox[relay];
    if (!inbox_sort(run, in)) {
        run_fail(run, ERR_NOMEM);
        return;
    }
    for (uint32_t i = 0; i < in->n && !run->err; i++) {
        const struct wheel_entry *e = &in->e[i];
        if (i + 3 * AHEAD < in->n)
            __builtin_prefetch(record_at(&run->records, in->e[i + 3 * AHEAD].a),
                               1);
        if (i + AHEAD < in->n)
            mix_expect(run, relay, &in->e[i + AHEAD]);
        if (run->in_order && run->due_us[relay] <= e->due_us)
            relay_mix(run, relay, e->due_us);
        if (e->b == INBOX_LOOP)
            watch_loop_leaves(run, relay, e->a, e->due_us);
        else
            packet_come(run, e->a, e->due_us);
        if (run->in_order && run->due_us[relay] <= e->due_us)
            relay_mix(run, relay, e->due_us);
    }
    in->n = 0;
    if (run->due_us[relay] <= run->now_us)
        relay_mix(run, relay, run->now_us);
}

void
hops_mix(struct packet_run *run)
{
    for (uint32_t r = 0; r < run->topology->n_relays; r++)
        if (run->inbox[r].n > 0 || run->due_us[r] <= run->now_us)
            relay_window(run, r);
}

void
hops_wait(struct packet_run *run)
{
    struct wheel_entry e[BATCH];
    size_t n;
    do {
        n = wheel_pop_due(run->wait, run->now_us, e, BATCH);
        for (size_t i = 0; i < n; i++)
            switch ((enum wait_kind)e[i].b) {
            case WAIT_LOOP:
                watch_loop(run, e[i].a, e[i].due_us);
                break;
            case WAIT_HELD:
                watch_admits(run, e[i].a);
                inbox_add(run, run->scenario->attack.relay, e[i].due_us, e[i].a,
                          INBOX_PACKET);
                break;
            case WAIT_STORE: {
                struct record *p = record_at(&run->records, e[i].a);
                uint32_t relay = record_relays(p)[p->stage++];
                run_note(run, e[i].due_us, EVENT_LEFT, p, relay);
                transit_link(run, e[i].a, e[i].due_us, relay);
                break;
            }
            default: {
                struct record *p = record_at(&run->records, e[i].a);
                if (p->stage == p->n)
                    transit_out(run, e[i].a, e[i].due_us);
                else
                    inbox_add(run, record_relays(p)[p->stage], e[i].due_us,
                              e[i].a, INBOX_PACKET);
                break;
            }
            }
    } while (n == BATCH && !run->err);
}

/* ---- clients ---- */

/* Is this packet to be followed? */
static void
packet_tag(struct packet_run *run, struct record *p,
           const struct source_tick *tick)
{
    const struct scenario *s = run->scenario;
    float *mass = record_mass(&run->records, p);
    for (unsigned i = 0; s->measure.epsilon && i < 2; i++) {
        struct challenger *c = &run->challenger[i];
        if (tick->client != c->client || tick->at_us < c->message_us)
            continue;
        c->message_us += c->every_us;
        tracker_challenge(run->tracker, i, mass);
        p->challenger = (uint8_t)(i + 1);
    }
    if (run->phase != PHASE_MEASURE || run->tagged >= s->measure.targets ||
        s->attack.kind == ATTACK_FLUSH ||
        (run->tag_some && !s->clients[tick->group].target) ||
        (run->polls && tick->poll != (s->measure.kinds == KINDS_POLLS)) ||
        rng_unit(&run->env) > run->tag_chance)
        return;
    p->label = tracker_tag(run->tracker, mass);
    if (p->label == TRACKER_NONE)
        return;
    run->tagged++;
}

/* Are all its mixes the adversary's, of a round trip on the way out? */
static bool
way_is_corrupt(const struct packet_run *run, const struct packet_way *w)
{
    for (unsigned i = 0; i < (w->turns ? w->turns : w->n); i++) {
        uint8_t layer = run->topology->layer_of[w->relay[i]];
        if (layer > 0 && layer <= run->topology->n_layers &&
            !run->topology->corrupt[w->relay[i]])
            return false;
    }
    return true;
}

static void
client_send(struct packet_run *run, const struct source_tick *tick)
{
    struct gauge_batch *b = gauges_at(run->gauges, tick->at_us);
    struct packet_way w;
    topology_way(run->topology, &run->env, tick->client, tick->poll, &w);
    uint32_t number = transit_new(run, &w, tick->at_us, tick->client,
                                  tick->poll ? RECORD_POLL : 0);
    if (number == RECORD_NONE)
        return;
    for (unsigned i = 0; run->spy && i < 2; i++)
        if (tick->client == run->challenger[i].client)
            spy_sent(run->spy, i, tick->at_us);
    if (b)
        b->sent++;
    if (b && run->gauges->paths)
        paths_add(run->gauges->paths, tick->client, way_is_corrupt(run, &w));
    if (run->tracker)
        packet_tag(run, record_at(&run->records, number), tick);
    transit_start(run, number, tick->at_us, AT_CLIENT);
}

void
hops_send(struct packet_run *run)
{
    struct source_tick tick[BATCH];
    size_t n;
    do {
        n = sources_pop(run->sources, run->now_us, tick, BATCH);
        if (n == SIZE_MAX) {
            run_fail(run, ERR_NOMEM);
            return;
        }
        for (size_t i = 0; i < n && !run->err; i++)
            client_send(run, &tick[i]);
    } while (n == BATCH && !run->err);
}
