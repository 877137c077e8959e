/* sim/stats.h - estimates with their uncertainty.
 *
 * A simulation's numbers are correlated in time, so that the usual standard
 * error is too small. Those of a stationary run are cut into batches long
 * against the memory of the network, whose means are nearly independent
 * (batch means; Law and Kelton, Simulation Modeling and Analysis, ch. 9);
 * numbers that are independent, one of each target, are resampled (bootstrap;
 * Efron 1979). Half widths are of 95 % intervals. */
#ifndef SIM_STATS_H
#define SIM_STATS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

/* A value and half the width of its interval; NAN: it has none. */
struct estimate {
    double value, half;
};
/* Estimate the mean of n independent values, with the half width by Student's
 * t; that is NAN for n < 2. */
struct estimate stats_mean(const double *x, size_t n);

/* Sort the n values of x. */
void stats_sort(double *x, size_t n);

/* Estimate the quantile q of n independent values, sorted; half is NAN where
 * the sample is too small for an interval. */
struct estimate stats_quantile(const double *sorted, size_t n, double q);

/* Estimate the mean of n independent values, with the half width from the 2.5
 * and 97.5 % quantiles of the means of `rounds` resamples, STATS_ROUNDS_MAX at
 * most; the seed makes it repeatable. Of fewer than 40 rounds it is that of
 * stats_mean(). */
enum { STATS_ROUNDS_MAX = 1000 };
struct estimate stats_bootstrap(const double *x, size_t n, unsigned rounds,
                                uint64_t seed);

/* Return the two-sided quantile of Student's t: P(|T| > t) = alpha, `degrees`
 * of freedom >= 1; SIZE_MAX: of the normal law. */
double stats_t_quantile(double alpha, size_t degrees);

/* Find where a series that began at an arbitrary state becomes stationary:
 * MSER-5 (White, Cobb and Spratt, WSC 2000). Means of five are kept from that
 * place on which leaves the least standard error. Returns how many of the n
 * values are to be left out, SIZE_MAX when it is more than half of them: the
 * series is too short to tell. */
size_t stats_mser5(const double *x, size_t n);

/* Counts of times in buckets 1/64 of their octave wide: a quantile is within a
 * bucket of the sample's, 1.6 %, and within 0.8 % where buckets hold many. */
enum { STATS_BUCKETS = 64 * 44 };
struct stats_times {
    uint64_t n;
    double sum_us, squares;
    uint32_t bucket[STATS_BUCKETS];
};
/* Count a time in t; add what t has to sum. */
void stats_times_add(struct stats_times *t, uint64_t us);
void stats_times_merge(struct stats_times *sum, const struct stats_times *t);
/* Return the standard deviation, and the quantile q, of t; NAN when there is
 * none. */
double stats_times_sd_us(const struct stats_times *t);
double stats_times_quantile_us(const struct stats_times *t, double q);
#endif
