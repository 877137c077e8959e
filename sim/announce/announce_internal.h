/* sim/announce/announce_internal.h - between the files of the level. */
#ifndef SIM_ANNOUNCE_ANNOUNCE_INTERNAL_H
#define SIM_ANNOUNCE_ANNOUNCE_INTERNAL_H
#include "sim/announce/people.h"
#include "sim/result.h"

/* Numbers that are gathered one by one. */
struct series {
    double *x;
    size_t n, room;
};

/* One run of one use. */
struct outing {
    const struct scenario *scenario;
    const struct sim_options *options;
    struct sim_result *result;
    struct people people;
    struct series took;     /* seconds, of each letter */
    struct series last;     /* of the last of each group */
    uint32_t wanted, skip;  /* letters, without the first ones */
    uint32_t group, rounds; /* letters of a group that are still to come */
    uint64_t start_us;
    bool over;
};

/* outing.c: add x to s; what fails ends the run of p. */
void series_add(struct people *p, struct series *s, double x);
/* Sort s, and add its metrics NAME.p50, .p90, .p99 and .mean to r. */
void series_report(struct series *s, struct sim_result *r, const char *name);

/* Note in o a letter's time since since_us, when it, or what it answers, was
 * written. Returns whether there are enough. */
bool outing_took(struct outing *o, uint64_t since_us);

/* Run until the outing o is over. */
int outing_run(struct outing *o) CHECK_RESULT;

/* uses.c: make the people of the use of o, who then begin. */
int uses_begin(struct outing *o) CHECK_RESULT;
/* Put the figures of o into its result. */
void uses_report(struct outing *o);

/* probes.c: run what a contact sees, in two worlds one after the other. */
int probes_run(struct outing *o) CHECK_RESULT;

/* Compare a and b, n times each that were seen in two worlds, in order. *out is
 * by how much more often than in the first world somebody says "the second" in
 * the second, who has learnt from the first halves and looks at at_once times
 * in a row; NAN where there is too little. Returns 0 or ERR_NOMEM. */
int probes_advantage(const double *a, const double *b, size_t n, size_t at_once,
                     struct estimate *out) CHECK_RESULT;
#endif
