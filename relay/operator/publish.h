/* relay/operator/publish.h - the gate through which a relay's counts become
 * visible.
 *
 * Status file and metrics show what comes out here, never a count itself (I8):
 *
 *   * once a minute, by the clock alone; nothing changes in between;
 *   * a counter grows by whole steps (PUBLISH_PACKETS): what a minute brought
 *     is rounded up or down at random, so that the counter is right on average,
 *     and what was rounded off is forgotten. One packet more makes one minute's
 *     step likelier by 1 in PUBLISH_PACKETS and leaves every later minute as it
 *     would have been, even to somebody who knows all other packets;
 *   * a level (clients) stays until it is off by a step and a random part of
 *     another;
 *   * shares are whole steps of percents.
 *
 * doc/DESIGN.md has the argument. Pure: time and randomness come in. */
#ifndef RELAY_OPERATOR_PUBLISH_H
#define RELAY_OPERATOR_PUBLISH_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/env.h"
#include "lib/error.h"

enum {
    PUBLISH_PERIOD_US = 60000000,
    PUBLISH_PACKETS = 1000, /* step of packets */
    PUBLISH_LINKS = 100,    /* step of refused connections and documents */
    PUBLISH_CLIENTS = 50,
    PUBLISH_HELD_PERCENT = 10,
    PUBLISH_CPU_PERCENT = 5,
    PUBLISH_LOOPS_PERCENT = 5,
    PUBLISH_LOOPS_MIN = 50, /* loops that a share is taken of, at least */
    PUBLISH_MINUTES = 60,   /* that a share goes back */
    PUBLISH_RATE_MINUTES = 10
};

enum publish_counter {
    PUBLISH_RECEIVED,
    PUBLISH_FORWARDED,
    PUBLISH_DELIVERED,
    PUBLISH_ANSWERED,
    PUBLISH_DUMMIES,
    PUBLISH_PIECES,
    PUBLISH_COUNTERS
};
/* "received", .. */
extern const char *const publish_counter_name[PUBLISH_COUNTERS];

/* Of a board's announcements (by PUBLISH_PACKETS, for users make them) and of
 * all boards' lists (by PUBLISH_LINKS; their number is the network's). */
enum publish_list {
    PUBLISH_ANNOUNCED,
    PUBLISH_ANNOUNCED_BAD,
    PUBLISH_ANNOUNCED_LOST,
    PUBLISH_LISTS_MADE,
    PUBLISH_LISTS_TAKEN,
    PUBLISH_LISTS_PASSED,
    PUBLISH_LISTS_REFUSED,
    PUBLISH_LISTS
};
/* "announced", .. */
extern const char *const publish_list_name[PUBLISH_LISTS];

/* Exact values, as the relay has them. */
struct publish_in {
    uint64_t count[PUBLISH_COUNTERS], list[PUBLISH_LISTS];
    uint64_t dropped[ERROR_COUNT], link[ERROR_COUNT], refused[ERROR_COUNT];
    uint64_t loops_returned, loops_lost;
    uint64_t equivocations;
    uint64_t cpu_us; /* since its start; of the process, by its workers */
    size_t clients, held, held_max;
};

/* What may be seen. */
struct publish_out {
    uint64_t minutes; /* published so often; 0: not yet */
    uint64_t count[PUBLISH_COUNTERS], list[PUBLISH_LISTS];
    uint64_t dropped[ERROR_COUNT], link[ERROR_COUNT], refused[ERROR_COUNT];
    uint64_t equivocations; /* exact: no user has a part in them */
    uint64_t clients;
    uint64_t rate; /* packets received a second, by the counter's steps */
    int held_percent, cpu_percent;
    int loops_percent; /* own loops that returned; -1: too few as yet */
};

/* A counter at the gate. */
struct publish_step {
    uint64_t shown, counted; /* counted: at the last minute */
};
/* A level: it moves when it is `slack` away from what is shown. */
struct publish_level {
    uint64_t shown, slack;
};

struct publish {
    struct env *env;
    uint64_t at_us; /* the next minute */
    struct publish_step count[PUBLISH_COUNTERS], list[PUBLISH_LISTS];
    struct publish_step dropped[ERROR_COUNT], link[ERROR_COUNT],
        refused[ERROR_COUNT];
    struct publish_level clients;
    struct {
        uint64_t returned, lost, received, cpu_us;
    } minute[PUBLISH_MINUTES + 1]; /* [minutes % ..] is the newest */
    struct publish_out out;
};

/* Begin at now_us, when all counts are 0; env gives the randomness. */
void publish_init(struct publish *p, struct env *env, uint64_t now_us);

/* Take `in` in, if a minute is over at now_us. Returns whether p->out has
 * changed. */
bool publish_take(struct publish *p, const struct publish_in *in,
                  uint64_t now_us);

/* Compute `part` of `whole` in percent, as a whole multiple of step, rounded
 * down. */
int publish_percent(uint64_t part, uint64_t whole, int step);
#endif
