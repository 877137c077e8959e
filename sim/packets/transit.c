/* sim/packets/transit.c - a packet outside of relays: it is made and sets out,
 * is on a link, comes to an inbox, is out of the network, or lost. */
#include <string.h>

#include "lib/rng.h"
#include "sim/packets/packets_internal.h"

/* ---- ends ---- */

void
transit_end(struct packet_run *run, uint32_t number)
{
    if (run->real)
        real_give(run->real, number);
    records_give(&run->records, number);
}

void
transit_lost(struct packet_run *run, uint32_t number, uint64_t at_us,
             uint32_t at)
{
    struct record *p = record_at(&run->records, number);
    struct gauge_batch *b = gauges_at(run->gauges, at_us);
    run_note(run, at_us, EVENT_LOST, p, at);
    if (b && !(p->flags & RECORD_LOOP))
        b->lost++;
    if (run->tracker)
        tracker_rule_out(run->tracker, record_mass(&run->records, p), p->label);
    transit_end(run, number);
}

void
transit_seen_out(struct packet_run *run, struct record *p,
                 struct gauge_batch *b)
{
    float *mass = record_mass(&run->records, p);
    if (!run->tracker)
        return;
    tracker_out(run->tracker, mass, p->label);
    if (b && run->scenario->measure.epsilon) {
        const uint32_t last = record_relays(p)[p->stage - 1];
        double both[2];
        tracker_challengers(run->tracker, mass, both);
        if (!run->topology->corrupt[last])
            gauges_loss(b, both[0], both[1]);
        if (p->challenger)
            gauges_own(b, both[p->challenger - 1], both[2 - p->challenger]);
    }
    memset(mass, 0, tracker_labels(run->tracker) * sizeof *mass);
    p->label = TRACKER_NONE;
    p->challenger = 0;
}

void
transit_out(struct packet_run *run, uint32_t number, uint64_t at_us)
{
    struct record *p = record_at(&run->records, number);
    struct gauge_batch *b = gauges_at(run->gauges, at_us);
    run_note(run, at_us, EVENT_OUT, p, p->sender);
    if (b) {
        b->out++;
        stats_times_add(&b->latency, at_us - p->start_us);
    }
    if (!p->turns)
        transit_seen_out(run, p, b);
    transit_end(run, number);
}

/* ---- links ---- */

static uint64_t
link_us(struct packet_run *run, uint32_t from, uint32_t to)
{
    const struct scenario_network *n = &run->scenario->network;
    if (run->matrix)
        return from == AT_CLIENT || to == AT_CLIENT
                   ? 0
                   : run->matrix[(size_t)from * run->topology->n_relays + to];
    return n->latency_fixed_us +
           (n->latency_law == LATENCY_EXPONENTIAL
                ? rng_exp_us(&run->env, n->latency_mean_us)
                : 0);
}

void
transit_link(struct packet_run *run, uint32_t number, uint64_t at_us,
             uint32_t from)
{
    struct record *p = record_at(&run->records, number);
    uint32_t to = p->stage == p->n ? AT_CLIENT : record_relays(p)[p->stage];
    if (run->scenario->network.loss > 0 &&
        rng_unit(&run->env) <= run->scenario->network.loss) {
        transit_lost(run, number, at_us, from);
        return;
    }
    uint64_t come_us = at_us + link_us(run, from, to);
    if (come_us > run->now_us && come_us > at_us) {
        if (wheel_add(run->wait, come_us, number, WAIT_LINK))
            run_fail(run, ERR_NOMEM);
    } else if (to == AT_CLIENT) {
        transit_out(run, number, come_us);
    } else {
        inbox_add(run, to, come_us, number, INBOX_PACKET);
    }
}

/* ---- starts ---- */

uint32_t
transit_new(struct packet_run *run, const struct packet_way *w, uint64_t at_us,
            uint32_t sender, uint8_t flags)
{
    uint32_t number = records_take(&run->records);
    if (number == RECORD_NONE) {
        run_fail(run, ERR_NOMEM);
        return RECORD_NONE;
    }
    struct record *p = record_at(&run->records, number);
    p->start_us = at_us;
    p->sender = sender;
    p->serial = run->serial++;
    p->n = w->n;
    p->turns = w->turns;
    p->flags |= flags;
    if (run->real) { /* only where to begin; the rest is in the packet */
        record_relays(p)[0] = w->relay[0];
        int err = real_make(run->real, number, w);
        if (err)
            run_fail(run, err);
    } else {
        memcpy(record_relays(p), w->relay, w->n * sizeof *w->relay);
        memcpy(record_delays(&run->records, p), w->delay,
               w->n * sizeof *w->delay);
    }
    return number;
}

void
transit_start(struct packet_run *run, uint32_t number, uint64_t at_us,
              uint32_t relay)
{
    run_note(run, at_us, EVENT_SEND, record_at(&run->records, number),
             relay == AT_CLIENT ? record_at(&run->records, number)->sender
                                : relay);
    transit_link(run, number, at_us, relay);
}
