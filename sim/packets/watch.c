/* sim/packets/watch.c - relays' own loops, their alarms, and the adversary.
 *
 * The alarm is relay/alarm.h itself; it says how many loops are sent, too.
 *
 * The n-1 attack:  rest -time-> ready -a packet comes-> block (it is held back,
 * others are withheld) -block_s-> drain (it gets in, others are withheld)
 * -relay empty-> rest */
#include <math.h>
#include <stdlib.h>

#include "lib/rng.h"
#include "sim/packets/packets_internal.h"

enum { REST_DELAYS = 20 };

/* ---- own loops ---- */

static uint64_t
loop_wait_us(struct run *f, uint32_t relay)
{
    uint32_t mhz = f->scenario->mix.loop_mhz * alarm_cover(&f->alarm[relay]);
    return rng_exp_us(&f->env, 1000000000ULL / mhz);
}

int
watch_start(struct run *f)
{
    const uint32_t mhz = f->scenario->mix.loop_mhz;
    f->flush_until_us = UINT64_MAX; /* until measuring begins */
    if (mhz == 0)
        return 0;
    f->alarm = calloc(f->topology->n_relays, sizeof *f->alarm);
    if (!f->alarm)
        return ERR_NOMEM;
    if (f->scenario->mix.params.strategy == MIX_POISSON)
        f->beside = mhz / 1000.0 * (double)f->scenario->mix.delay_mean_us / 1e6;
    for (uint32_t i = 0; i < f->topology->n_relays; i++) {
        alarm_start(&f->alarm[i], 0,
                    (uint64_t)topology_loop_mean_us(f->topology), mhz);
        int err = wheel_add(f->wait, loop_wait_us(f, i), i, WAIT_LOOP);
        if (err)
            return err;
    }
    return 0;
}

void
watch_loop(struct run *f, uint32_t relay, uint64_t at_us)
{
    struct way w;
    if (wheel_add(f->wait, at_us + loop_wait_us(f, relay), relay, WAIT_LOOP)) {
        run_fail(f, ERR_NOMEM);
        return;
    }
    topology_loop(f->topology, &f->env, relay, &w);
    uint32_t number = transit_new(f, &w, at_us, relay, RECORD_LOOP);
    if (number == RECORD_NONE)
        return;
    inbox_add(f, relay, at_us, number, INBOX_LOOP);
}

void
watch_loop_leaves(struct run *f, uint32_t relay, uint32_t number,
                  uint64_t at_us)
{
    struct record *p = record_at(&f->records, number);
    if (f->tracker && !f->topology->corrupt[relay] && f->mix[relay]) {
        const struct crowd crowd =
            crowd_of(f, p, relay, mix_count(f->mix[relay]));
        tracker_leave(f->tracker, crowd.place, crowd.count, crowd.beside,
                      record_mass(&f->records, p));
    }
    transit_start(f, number, at_us, relay);
}

void
watch_loop_back(struct run *f, uint32_t relay, uint64_t at_us)
{
    struct gauge_batch *b = gauges_at(f->gauges, at_us);
    alarm_returned(&f->alarm[relay], at_us);
    if (b)
        b->loops_back++;
}

/* ---- the adversary ---- */

static bool
flush_takes(struct run *f, uint32_t number, uint64_t at_us)
{
    const uint64_t block_us = (uint64_t)(f->scenario->attack.block_s * 1e6);
    struct record *p = record_at(&f->records, number);
    if (f->flush == FLUSH_REST || p->flags & RECORD_HELD)
        return false;
    if (f->flush != FLUSH_READY || p->flags & RECORD_LOOP) {
        if (f->flush == FLUSH_READY)
            return false;
        transit_lost(f, number, at_us, f->scenario->attack.relay);
        return true;
    }
    f->flush = FLUSH_BLOCK;
    p->flags |= RECORD_HELD;
    if (wheel_add(f->wait, at_us + block_us, number, WAIT_HELD))
        run_fail(f, ERR_NOMEM);
    return true;
}

bool
watch_takes(struct run *f, uint32_t number, uint64_t at_us)
{
    const struct scenario_attack *a = &f->scenario->attack;
    if (a->kind == ATTACK_FLUSH)
        return flush_takes(f, number, at_us);
    if (a->kind != ATTACK_DROP || rng_unit(&f->env) > a->share)
        return false;
    transit_lost(f, number, at_us, a->relay);
    return true;
}

void
watch_admits(struct run *f, uint32_t number)
{
    struct record *p = record_at(&f->records, number);
    f->flush = FLUSH_DRAIN;
    if (!f->tracker)
        return;
    p->label = tracker_tag(f->tracker, record_mass(&f->records, p));
    f->tagged += p->label != TRACKER_NONE;
}

void
watch_sample(struct run *f)
{
    for (uint32_t i = 0; f->alarm && i < f->topology->n_relays; i++)
        (void)alarm_turn(&f->alarm[i], f->now_us, f->scenario->mix.loop_mhz);
    if (f->scenario->attack.kind != ATTACK_FLUSH)
        return;
    if (f->flush == FLUSH_DRAIN &&
        mix_count(f->mix[f->scenario->attack.relay]) == 0) {
        f->flush = FLUSH_REST;
        f->flush_until_us =
            f->now_us + REST_DELAYS * f->scenario->mix.delay_mean_us;
    }
    if (f->flush == FLUSH_REST && f->now_us >= f->flush_until_us &&
        f->tagged < f->scenario->measure.targets)
        f->flush = FLUSH_READY;
}

/* ---- figures ---- */

/* Of the relay under attack, or of all. */
static void
alarms_sum(const struct run *f, uint64_t *windows, uint64_t *bad,
           uint64_t *raised)
{
    const bool one = f->scenario->attack.kind != ATTACK_NONE;
    *windows = *bad = *raised = 0;
    for (uint32_t i = 0; f->alarm && i < f->topology->n_relays; i++) {
        if (one && i != f->scenario->attack.relay)
            continue;
        *windows += f->alarm[i].windows;
        *bad += f->alarm[i].bad;
        *raised += f->alarm[i].alarms;
    }
}

void
watch_begin(struct run *f)
{
    f->flush_until_us = f->now_us;
    alarms_sum(f, &f->alarm_windows, &f->alarm_bad, &f->alarm_raised);
}

void
watch_report(const struct run *f, struct sim_result *r)
{
    uint64_t windows, bad, raised;
    if (!f->scenario->measure.alarm)
        return;
    alarms_sum(f, &windows, &bad, &raised);
    windows -= f->alarm_windows;
    bad -= f->alarm_bad;
    const double n = (double)windows, share = (double)bad / n;
    result_add(r, "alarm.windows", n, NAN);
    result_add(r, "alarm.bad", share, 1.96 * sqrt(share * (1 - share) / n));
    result_add(r, "alarm.raised", (double)(raised - f->alarm_raised), NAN);
}
