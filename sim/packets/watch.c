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
loop_wait_us(struct packet_run *run, uint32_t relay)
{
    uint32_t mhz =
        run->scenario->mix.loop_mhz * alarm_cover(&run->alarm[relay]);
    return rng_exp_us(&run->env, 1000000000ULL / mhz);
}

int
watch_start(struct packet_run *run)
{
    const uint32_t mhz = run->scenario->mix.loop_mhz;
    run->flush_until_us = UINT64_MAX; /* until measuring begins */
    if (mhz == 0)
        return 0;
    run->alarm = calloc(run->topology->n_relays, sizeof *run->alarm);
    if (!run->alarm)
        return ERR_NOMEM;
    if (run->scenario->mix.params.strategy == MIX_POISSON)
        run->beside =
            mhz / 1000.0 * (double)run->scenario->mix.delay_mean_us / 1e6;
    for (uint32_t i = 0; i < run->topology->n_relays; i++) {
        alarm_start(&run->alarm[i], 0,
                    (uint64_t)topology_loop_mean_us(run->topology), mhz);
        int err = wheel_add(run->wait, loop_wait_us(run, i), i, WAIT_LOOP);
        if (err)
            return err;
    }
    return 0;
}

void
watch_loop(struct packet_run *run, uint32_t relay, uint64_t at_us)
{
    struct packet_way w;
    if (wheel_add(run->wait, at_us + loop_wait_us(run, relay), relay,
                  WAIT_LOOP)) {
        run_fail(run, ERR_NOMEM);
        return;
    }
    topology_loop(run->topology, &run->env, relay, &w);
    uint32_t number = transit_new(run, &w, at_us, relay, RECORD_LOOP);
    if (number == RECORD_NONE)
        return;
    inbox_add(run, relay, at_us, number, INBOX_LOOP);
}

void
watch_loop_leaves(struct packet_run *run, uint32_t relay, uint32_t number,
                  uint64_t at_us)
{
    struct record *p = record_at(&run->records, number);
    if (run->tracker && !run->topology->corrupt[relay] && run->mix[relay]) {
        const struct crowd crowd =
            crowd_of(run, p, relay, mix_count(run->mix[relay]));
        tracker_leave(run->tracker, crowd.place, crowd.count, crowd.beside,
                      record_mass(&run->records, p));
    }
    transit_start(run, number, at_us, relay);
}

void
watch_loop_back(struct packet_run *run, uint32_t relay, uint64_t at_us)
{
    struct gauge_batch *b = gauges_at(run->gauges, at_us);
    alarm_returned(&run->alarm[relay], at_us);
    if (b)
        b->loops_back++;
}

/* ---- the adversary ---- */

static bool
flush_takes(struct packet_run *run, uint32_t number, uint64_t at_us)
{
    const uint64_t block_us = (uint64_t)(run->scenario->attack.block_s * 1e6);
    struct record *p = record_at(&run->records, number);
    if (run->flush == FLUSH_REST || p->flags & RECORD_HELD)
        return false;
    if (run->flush != FLUSH_READY || p->flags & RECORD_LOOP) {
        if (run->flush == FLUSH_READY)
            return false;
        transit_lost(run, number, at_us, run->scenario->attack.relay);
        return true;
    }
    run->flush = FLUSH_BLOCK;
    p->flags |= RECORD_HELD;
    if (wheel_add(run->wait, at_us + block_us, number, WAIT_HELD))
        run_fail(run, ERR_NOMEM);
    return true;
}

bool
watch_takes(struct packet_run *run, uint32_t number, uint64_t at_us)
{
    const struct scenario_attack *a = &run->scenario->attack;
    if (a->kind == ATTACK_FLUSH)
        return flush_takes(run, number, at_us);
    if (a->kind != ATTACK_DROP || rng_unit(&run->env) > a->share)
        return false;
    transit_lost(run, number, at_us, a->relay);
    return true;
}

void
watch_admits(struct packet_run *run, uint32_t number)
{
    struct record *p = record_at(&run->records, number);
    run->flush = FLUSH_DRAIN;
    if (!run->tracker)
        return;
    p->label = tracker_tag(run->tracker, record_mass(&run->records, p));
    run->tagged += p->label != TRACKER_NONE;
}

void
watch_sample(struct packet_run *run)
{
    const uint32_t mhz = run->scenario->mix.loop_mhz;
    for (uint32_t i = 0; run->alarm && i < run->topology->n_relays; i++)
        (void)alarm_turn(&run->alarm[i], run->now_us, mhz);
    if (run->scenario->attack.kind != ATTACK_FLUSH)
        return;
    if (run->flush == FLUSH_DRAIN &&
        mix_count(run->mix[run->scenario->attack.relay]) == 0) {
        run->flush = FLUSH_REST;
        run->flush_until_us =
            run->now_us + REST_DELAYS * run->scenario->mix.delay_mean_us;
    }
    if (run->flush == FLUSH_REST && run->now_us >= run->flush_until_us &&
        run->tagged < run->scenario->measure.targets)
        run->flush = FLUSH_READY;
}

/* ---- figures ---- */

/* Of the relay under attack, or of all. */
static void
alarms_sum(const struct packet_run *run, uint64_t *windows, uint64_t *bad,
           uint64_t *raised)
{
    const bool one = run->scenario->attack.kind != ATTACK_NONE;
    *windows = *bad = *raised = 0;
    for (uint32_t i = 0; run->alarm && i < run->topology->n_relays; i++) {
        if (one && i != run->scenario->attack.relay)
            continue;
        *windows += run->alarm[i].windows;
        *bad += run->alarm[i].bad;
        *raised += run->alarm[i].alarms;
    }
}

void
watch_begin(struct packet_run *run)
{
    run->flush_until_us = run->now_us;
    alarms_sum(run, &run->alarm_windows, &run->alarm_bad, &run->alarm_raised);
}

void
watch_report(const struct packet_run *run, struct sim_result *r)
{
    uint64_t windows, bad, raised;
    if (!run->scenario->measure.alarm)
        return;
    alarms_sum(run, &windows, &bad, &raised);
    windows -= run->alarm_windows;
    bad -= run->alarm_bad;
    const double n = (double)windows, share = (double)bad / n;
    result_add(r, "alarm.windows", n, NAN);
    result_add(r, "alarm.bad", share, 1.96 * sqrt(share * (1 - share) / n));
    result_add(r, "alarm.raised", (double)(raised - run->alarm_raised), NAN);
}
