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

/* A store that watches the challengers' links compares them. */
static void
store_weighs(struct run *f, struct gauge_batch *b, const struct record *p)
{
    const bool poll = p->flags & RECORD_POLL;
    for (unsigned i = 0; i < 2; i++)
        if (p->sender == f->challenger[i].client) {
            b->watched_nats[poll] += spy_came(f->spy, i, poll, p->at_us);
            b->watched[poll]++;
        }
}

static void
packet_at_store(struct run *f, uint32_t number, struct record *p)
{
    struct gauge_batch *b = gauges_at(f->gauges, p->at_us);
    if (b && !(p->flags & RECORD_LOOP))
        stats_times_add(&b->to_store, p->at_us - p->start_us);
    if (b && f->spy && !(p->flags & RECORD_LOOP))
        store_weighs(f, b, p);
    transit_seen_out(f, p, b);
    if (wheel_add(f->wait, p->at_us + packet_delay_us(f, p), number,
                  WAIT_STORE))
        run_fail(f, ERR_NOMEM);
}

/* The observer sees it come. */
static void
packet_enter(struct run *f, struct record *p, uint32_t relay)
{
    /* targets are of one kind, and this one shows to be of the other */
    if (f->polls && p->stage > 0 &&
        record_is_slow(p) != (f->scenario->measure.kinds == KINDS_POLLS))
        tracker_exclude(f->tracker, record_mass(&f->records, p));
    /* an answer on its last link: no request goes to a gateway from there */
    if (record_is_answer(p)) {
        float *mass = record_mass(&f->records, p);
        f->answers[relay]++;
        tracker_rule_out(f->tracker, mass, TRACKER_NONE);
        memset(mass, 0, tracker_labels(f->tracker) * sizeof *mass);
    } else if (!f->topology->corrupt[relay]) {
        tracker_enter(f->tracker, crowd_of(f, p, relay, 0).place,
                      record_mass(&f->records, p));
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
    if (f->polls)
        f->polls[relay] += record_is_slow(p);
    if (f->tracker)
        packet_enter(f, p, relay);
    if (f->scenario->mix.params.strategy != MIX_POISSON)
        f->due_us[relay] = mix_next_due(f->mix[relay]);
    else if (p->at_us + delay_us < f->due_us[relay])
        f->due_us[relay] = p->at_us + delay_us;
}

static void
packet_come(struct run *f, uint32_t number, uint64_t at_us)
{
    struct record *p = record_at(&f->records, number);
    p->at_us = at_us;
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
        transit_end(f, number);
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
    if (f->tracker && record_is_answer(p))
        f->answers[relay]--;
    else if (f->tracker && !f->topology->corrupt[relay]) {
        const struct crowd crowd = crowd_of(f, p, relay, count);
        tracker_leave(f->tracker, crowd.place, crowd.count, crowd.beside,
                      record_mass(&f->records, p));
    }
    if (f->polls)
        f->polls[relay] -= record_is_slow(p);
    p->stage++;
    transit_link(f, number, at_us, relay);
}

/* When what a pool lets go at now_us has left; 0: each at its own time. */
static uint64_t
pool_left_us(const struct run *f, uint64_t now_us)
{
    const struct mix_params *m = &f->scenario->mix.params;
    if (m->strategy == MIX_POISSON)
        return 0;
    if (m->strategy == MIX_THRESHOLD_POOL)
        return now_us;
    return now_us / m->interval_us * m->interval_us;
}

/* All that is due at a relay leaves. */
static void
relay_mix(struct run *f, uint32_t relay, uint64_t now_us)
{
    const uint64_t pool_us = pool_left_us(f, now_us);
    struct mix *m = f->mix[relay];
    struct mix_out out[BATCH];
    size_t n;
    do {
        n = mix_pop_due(m, now_us, out, BATCH);
        size_t count = mix_count(m) + n;
        for (size_t i = 0; i < n && i < 3 * AHEAD; i++)
            __builtin_prefetch(record_at(&f->records, out[i].handle), 1);
        for (size_t i = 0; i < n; i++) {
            if (i + 3 * AHEAD < n)
                __builtin_prefetch(
                    record_at(&f->records, out[i + 3 * AHEAD].handle), 1);
            packet_leave(f, out[i].handle, relay, count--, pool_us);
        }
    } while (n == BATCH && !f->err);
    f->due_us[relay] = mix_next_due(m);
}

/* Soon this packet will be put into the relay's mix. */
static void
mix_expect(const struct run *f, uint32_t relay, const struct wheel_entry *e)
{
    struct record *p = record_at(&f->records, e->a);
    if (f->mix[relay] && p->stage < p->n)
        mix_prefetch(f->mix[relay], e->due_us + packet_delay_us(f, p));
}

/* A window of one relay. Where only times are asked for, arrivals need not wait
 * for departures before them. */
static void
relay_window(struct run *f, uint32_t relay)
{
    struct inbox *in = &f->inbox[relay];
    if (!inbox_sort(f, in)) {
        run_fail(f, ERR_NOMEM);
        return;
    }
    for (uint32_t i = 0; i < in->n && !f->err; i++) {
        const struct wheel_entry *e = &in->e[i];
        if (i + 3 * AHEAD < in->n)
            __builtin_prefetch(record_at(&f->records, in->e[i + 3 * AHEAD].a),
                               1);
        if (i + AHEAD < in->n)
            mix_expect(f, relay, &in->e[i + AHEAD]);
        if (f->in_order && f->due_us[relay] <= e->due_us)
            relay_mix(f, relay, e->due_us);
        if (e->b == INBOX_LOOP)
            watch_loop_leaves(f, relay, e->a, e->due_us);
        else
            packet_come(f, e->a, e->due_us);
        if (f->in_order && f->due_us[relay] <= e->due_us)
            relay_mix(f, relay, e->due_us);
    }
    in->n = 0;
    if (f->due_us[relay] <= f->now_us)
        relay_mix(f, relay, f->now_us);
}

void
hops_mix(struct run *f)
{
    for (uint32_t r = 0; r < f->topology->n_relays; r++)
        if (f->inbox[r].n > 0 || f->due_us[r] <= f->now_us)
            relay_window(f, r);
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
                inbox_add(f, f->scenario->attack.relay, e[i].due_us, e[i].a,
                          INBOX_PACKET);
                break;
            case WAIT_STORE: {
                struct record *p = record_at(&f->records, e[i].a);
                uint32_t relay = record_relays(p)[p->stage++];
                run_note(f, e[i].due_us, EVENT_LEFT, p, relay);
                transit_link(f, e[i].a, e[i].due_us, relay);
                break;
            }
            default: {
                struct record *p = record_at(&f->records, e[i].a);
                if (p->stage == p->n)
                    transit_out(f, e[i].a, e[i].due_us);
                else
                    inbox_add(f, record_relays(p)[p->stage], e[i].due_us,
                              e[i].a, INBOX_PACKET);
                break;
            }
            }
    } while (n == BATCH && !f->err);
}

/* ---- clients ---- */

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
        (f->polls && tick->poll != (s->measure.kinds == KINDS_POLLS)) ||
        rng_unit(&f->env) > f->tag_chance)
        return;
    p->label = tracker_tag(f->tracker, mass);
    if (p->label == TRACKER_NONE)
        return;
    f->tagged++;
}

/* Are all its mixes the adversary's, of a round trip on the way out? */
static bool
way_is_corrupt(const struct run *f, const struct way *w)
{
    for (unsigned i = 0; i < (w->turns ? w->turns : w->n); i++) {
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
    uint32_t number = transit_new(f, &w, tick->at_us, tick->client,
                                  tick->poll ? RECORD_POLL : 0);
    if (number == RECORD_NONE)
        return;
    for (unsigned i = 0; f->spy && i < 2; i++)
        if (tick->client == f->challenger[i].client)
            spy_sent(f->spy, i, tick->at_us);
    if (b)
        b->sent++;
    if (b && f->gauges->paths)
        paths_add(f->gauges->paths, tick->client, way_is_corrupt(f, &w));
    if (f->tracker)
        packet_tag(f, record_at(&f->records, number), tick);
    transit_start(f, number, tick->at_us, AT_CLIENT);
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
