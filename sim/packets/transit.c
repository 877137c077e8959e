/* sim/packets/transit.c - a packet outside of relays: it is made and sets out,
 * is on a link, comes to an inbox, is out of the network, or lost. */
#include <string.h>

#include "lib/rng.h"
#include "sim/packets/packets_internal.h"

/* ---- ends ---- */

void
transit_end(struct run *f, uint32_t number)
{
    if (f->real)
        real_give(f->real, number);
    records_give(&f->records, number);
}

void
transit_lost(struct run *f, uint32_t number, uint64_t at_us, uint32_t at)
{
    struct record *p = record_at(&f->records, number);
    struct gauge_batch *b = gauges_at(f->gauges, at_us);
    run_note(f, at_us, EVENT_LOST, p, at);
    if (b && !(p->flags & RECORD_LOOP))
        b->lost++;
    if (f->tracker)
        tracker_rule_out(f->tracker, record_mass(&f->records, p), p->label);
    transit_end(f, number);
}

void
transit_seen_out(struct run *f, struct record *p, struct gauge_batch *b)
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
            gauges_own(b, both[p->challenger - 1], both[2 - p->challenger]);
    }
    memset(mass, 0, tracker_labels(f->tracker) * sizeof *mass);
    p->label = TRACKER_NONE;
    p->challenger = 0;
}

void
transit_out(struct run *f, uint32_t number, uint64_t at_us)
{
    struct record *p = record_at(&f->records, number);
    struct gauge_batch *b = gauges_at(f->gauges, at_us);
    run_note(f, at_us, EVENT_OUT, p, p->sender);
    if (b) {
        b->out++;
        stats_times_add(&b->latency, at_us - p->start_us);
    }
    if (!p->turns)
        transit_seen_out(f, p, b);
    transit_end(f, number);
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

void
transit_link(struct run *f, uint32_t number, uint64_t at_us, uint32_t from)
{
    struct record *p = record_at(&f->records, number);
    uint32_t to = p->stage == p->n ? AT_CLIENT : record_relays(p)[p->stage];
    if (f->scenario->network.loss > 0 &&
        rng_unit(&f->env) <= f->scenario->network.loss) {
        transit_lost(f, number, at_us, from);
        return;
    }
    uint64_t come_us = at_us + link_us(f, from, to);
    if (come_us > f->now_us && come_us > at_us) {
        if (wheel_add(f->wait, come_us, number, WAIT_LINK))
            run_fail(f, ERR_NOMEM);
    } else if (to == AT_CLIENT) {
        transit_out(f, number, come_us);
    } else {
        inbox_add(f, to, come_us, number, INBOX_PACKET);
    }
}

/* ---- starts ---- */

uint32_t
transit_new(struct run *f, const struct way *w, uint64_t at_us, uint32_t sender,
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
transit_start(struct run *f, uint32_t number, uint64_t at_us, uint32_t relay)
{
    run_note(f, at_us, EVENT_SEND, record_at(&f->records, number),
             relay == AT_CLIENT ? record_at(&f->records, number)->sender
                                : relay);
    transit_link(f, number, at_us, relay);
}
