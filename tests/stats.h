/* tests/stats.h - statistics with stated false-alarm rates.
 *
 * Every verdict is a z value or its like; ALARM is exceeded by chance once in
 * 10^6 comparisons (two-sided normal 4.9; Kolmogorov-Smirnov c = 2.69). ALARM_MANY
 * is once in 5 * 10^7: by fifty comparisons together once in 10^6. */
#ifndef TESTS_STATS_H
#define TESTS_STATS_H
#include <stddef.h>

#define STATS_ALARM         4.9
#define STATS_KS_ALARM      2.69
#define STATS_ALARM_MANY    5.61
#define STATS_KS_ALARM_MANY 3.04

/* Two-sample Kolmogorov-Smirnov: D * sqrt(n m / (n + m)). Sorts both. */
double stats_ks(double *a, size_t n, double *b, size_t m);

/* Difference of two means in standard errors. */
double stats_mean_z(const double *a, size_t n, const double *b, size_t m);

/* Correlation of x[i] with y[i + lag]; its standard error is 1 / sqrt(n). */
double stats_correlation(const double *x, const double *y, size_t n,
                         size_t lag);

/* chi^2 of two rows of counts, as a deviation of the normal law (Wilson and Hilferty);
 * cells that are empty in both count for nothing. */
double stats_chi_z(const double *a, const double *b, size_t cells);

/* Difference of two correlations in standard errors, n each. */
double stats_correlation_z(double a, double b, size_t n);
#endif
