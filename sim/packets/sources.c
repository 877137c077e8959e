/* sim/packets/sources.c - one wheel of what clients do next; see sources.h.
 *
 * State of a client: away, or online with one entry in the wheel for its next
 * packet (none when its schedule is over) and, if it comes and goes, one for
 * its leaving. An entry carries the client's generation, which changes when it
 * leaves, so that the tick of a client that has left says nothing. */
#include "sim/packets/sources.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/pace/traffic.h"
#include "lib/rng.h"
#include "lib/wheel.h"
#include "sim/scenario/trace_in.h"

enum { BATCH = 256, AHEAD = 8 };
enum entry_kind { ENTRY_TICK, ENTRY_COME, ENTRY_GO, ENTRY_KINDS = 4 };

struct group {
    const struct scenario_clients *is;
    uint32_t first; /* client */
    struct trace_in *trace;
};

struct sources {
    struct env *env;
    struct wheel *wheel;
    struct group group[SCENARIO_GROUPS_MAX];
    uint32_t n_groups, n_clients, online;
    struct traffic *clock; /* of each client; next_us and mean_us alone where
                              the schedule is another */
    uint32_t *generation;  /* NULL: nobody comes or goes */
    uint16_t *group_of;
};

static uint32_t
entry_of(const struct sources *src, uint32_t client, enum entry_kind kind)
{
    uint32_t generation = src->generation ? src->generation[client] : 0;
    return generation * ENTRY_KINDS + kind;
}

static int
entry_add(struct sources *src, uint32_t client, enum entry_kind kind,
          uint64_t at_us)
{
    return wheel_add(src->wheel, at_us, client, entry_of(src, client, kind));
}

static uint64_t
exp_s(struct sources *src, double mean_s)
{
    return rng_exp_us(src->env, (uint64_t)(mean_s * 1e6));
}

/* Its clock starts, at now_us. */
static int
client_start(struct sources *src, uint32_t client, uint64_t now_us)
{
    const struct group *g = &src->group[src->group_of[client]];
    const uint32_t n = client - g->first;
    struct profile profile = g->is->profile;
    struct traffic *t = &src->clock[client];
    if (g->is->rates_mhz)
        profile =
            (struct profile){.send_mhz = g->is->rates_mhz[n % g->is->n_rates]};
    if (profile.send_mhz + profile.poll_mhz + profile.loop_mhz == 0)
        return 0; /* this one never sends */
    switch (g->is->send) {
    case SEND_TRACE:
        return 0; /* one entry for the whole group */
    case SEND_CONSTANT:
        traffic_rates(t, &profile);
        t->next_us = now_us + rng_below(src->env, t->mean_us ? t->mean_us : 1);
        break;
    default:
        traffic_init(t, &profile, src->env);
        break;
    }
    return entry_add(src, client, ENTRY_TICK, t->next_us);
}

static int
client_come(struct sources *src, uint32_t client, uint64_t now_us)
{
    const struct group *g = &src->group[src->group_of[client]];
    src->online++;
    int err = client_start(src, client, now_us);
    if (!err && g->is->stay_mean_s > 0)
        err = entry_add(src, client, ENTRY_GO,
                        now_us + exp_s(src, g->is->stay_mean_s));
    return err;
}

static int
client_go(struct sources *src, uint32_t client, uint64_t now_us)
{
    const struct group *g = &src->group[src->group_of[client]];
    src->online--;
    src->generation[client]++;
    return entry_add(src, client, ENTRY_COME,
                     now_us + exp_s(src, g->is->away_mean_s));
}

/* A group at the start: who comes and goes is there with the share of time that
 * it is there at all. */
static int
group_start(struct sources *src, uint32_t number)
{
    const struct group *g = &src->group[number];
    const double stay_s = g->is->stay_mean_s, away_s = g->is->away_mean_s;
    int err = 0;
    for (uint32_t i = 0; i < g->is->count && !err; i++) {
        uint32_t client = g->first + i;
        src->group_of[client] = (uint16_t)number;
        if (stay_s > 0 && rng_unit(src->env) > stay_s / (stay_s + away_s))
            err = entry_add(src, client, ENTRY_COME, exp_s(src, away_s));
        else
            err = client_come(src, client, 0);
    }
    if (!err && g->trace)
        err = entry_add(src, g->first, ENTRY_TICK, trace_in_at_us(g->trace));
    return err;
}

static int
sources_room(struct sources *src, const struct scenario *s)
{
    bool moves = false;
    for (uint32_t i = 0; i < s->n_clients; i++) {
        src->group[i] =
            (struct group){.is = &s->clients[i], .first = src->n_clients};
        src->n_clients += s->clients[i].count;
        moves = moves || s->clients[i].stay_mean_s > 0;
    }
    src->n_groups = s->n_clients;
    /* a cache line holds all of a clock that a tick needs */
    size_t len = (size_t)src->n_clients * sizeof *src->clock;
    src->clock = aligned_alloc(64, (len + 63) / 64 * 64);
    src->group_of = calloc(src->n_clients + 1, sizeof *src->group_of);
    if (moves)
        src->generation = calloc(src->n_clients, sizeof *src->generation);
    if (!src->clock || !src->group_of || (moves && !src->generation))
        return ERR_NOMEM;
    memset(src->clock, 0, len);
    /* a tick and a leaving each, and what departed clients left behind */
    return wheel_new(&src->wheel, 4 * src->n_clients + 64);
}

int
sources_new(struct sources **out, const struct scenario *s, struct env *env,
            trace_in_open_fn open, struct scenario_problem *problem)
{
    struct sources *src = calloc(1, sizeof *src);
    int err;
    *out = NULL;
    if (!src)
        return ERR_NOMEM;
    src->env = env;
    err = sources_room(src, s);
    for (uint32_t i = 0; i < src->n_groups && !err; i++) {
        if (s->clients[i].send == SEND_TRACE)
            err = trace_in_read(&src->group[i].trace, open, s->clients[i].trace,
                                s->clients[i].count, problem);
        if (!err)
            err = group_start(src, i);
    }
    if (err)
        sources_free(&src);
    *out = src;
    return err;
}

void
sources_free(struct sources **sp)
{
    struct sources *src = *sp;
    *sp = NULL;
    if (!src)
        return;
    for (uint32_t i = 0; i < src->n_groups; i++)
        trace_in_free(&src->group[i].trace);
    wheel_free(&src->wheel);
    free(src->clock);
    free(src->group_of);
    free(src->generation);
    free(src);
}

/* The client's clock has ticked: what for, and when next. */
static int
client_tick(struct sources *src, uint32_t client, struct source_tick *tick)
{
    const uint16_t number = src->group_of[client];
    const struct group *g = &src->group[number];
    struct traffic *t = &src->clock[client];
    enum traffic_kind kind = TRAFFIC_SEND;
    *tick = (struct source_tick){t->next_us, client, number, false};
    if (g->trace) {
        tick->at_us = trace_in_at_us(g->trace);
        tick->client = g->first + trace_in_next(g->trace);
        return trace_in_is_over(g->trace) ? 0
                                          : entry_add(src, client, ENTRY_TICK,
                                                      trace_in_at_us(g->trace));
    }
    if (g->is->send == SEND_CONSTANT)
        t->next_us += t->mean_us;
    else
        (void)traffic_tick(t, src->env, t->next_us, &kind);
    tick->poll = kind == TRAFFIC_POLL;
    return entry_add(src, client, ENTRY_TICK, t->next_us);
}

/* What an entry of the wheel says; a tick is added to out. */
static int
entry_run(struct sources *src, const struct wheel_entry *e,
          struct source_tick *out, size_t *n)
{
    const enum entry_kind kind = e->b % ENTRY_KINDS;
    if (e->b != entry_of(src, e->a, kind))
        return 0; /* it has left */
    switch (kind) {
    case ENTRY_COME:
        return client_come(src, e->a, e->due_us);
    case ENTRY_GO:
        return client_go(src, e->a, e->due_us);
    default:
        return client_tick(src, e->a, &out[(*n)++]);
    }
}

size_t
sources_pop(struct sources *src, uint64_t now_us, struct source_tick *out,
            size_t max)
{
    struct wheel_entry e[BATCH];
    size_t n = 0, got;
    do {
        size_t want = max - n < BATCH ? max - n : BATCH;
        got = wheel_pop_due(src->wheel, now_us, e, want);
        for (size_t i = 0; i < got; i++) {
            if (i + AHEAD < got)
                __builtin_prefetch(&src->clock[e[i + AHEAD].a], 1);
            if (entry_run(src, &e[i], out, &n))
                return SIZE_MAX;
        }
    } while (got > 0 && n < max);
    return n;
}

uint32_t
sources_online(const struct sources *src)
{
    return src->online;
}

uint32_t
sources_count(const struct sources *src)
{
    return src->n_clients;
}
