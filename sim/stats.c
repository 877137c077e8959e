/* sim/stats.c - means, resamples, truncation, quantiles.
 *
 * Each estimate comes with half the width of its interval, by the law that its
 * header names; where a sample is too small for one that is NAN, which all who
 * print it know. Random numbers of resamples come from a seed, so that the same
 * sample has the same interval.
 *
 * No state, and nothing here allocates or fails. */
#include "sim/stats.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

/* Upper tail of the normal law by Newton's method on erfc(). */
static double
normal_quantile(double alpha)
{
    double z = 1;
    for (int i = 0; i < 60; i++) {
        double p = erfc(z / sqrt(2)), d = -sqrt(2 / M_PI) * exp(-z * z / 2);
        double step = (p - alpha) / d;
        if (step < -1)
            step = -1;
        z -= step;
        if (fabs(step) < 1e-12)
            break;
    }
    return z;
}

/* P(|T| > t) by the finite sums of Abramowitz and Stegun 26.7.3 and 26.7.4. */
static double
t_tail(double t, size_t degrees)
{
    double theta = atan(t / sqrt((double)degrees)), sum = 0, term = 1;
    double c2 = cos(theta) * cos(theta);
    if (degrees % 2 == 0) {
        for (size_t k = 0; 2 * k + 2 <= degrees; k++) {
            sum += term;
            term *= c2 * (double)(2 * k + 1) / (double)(2 * k + 2);
        }
        return 1 - sin(theta) * sum;
    }
    term = cos(theta);
    for (size_t k = 1; 2 * k + 1 <= degrees; k++) {
        sum += term;
        term *= c2 * (double)(2 * k) / (double)(2 * k + 1);
    }
    return 1 - 2 / M_PI * (theta + sin(theta) * sum);
}

double
stats_t_quantile(double alpha, size_t degrees)
{
    double low = 0, high = 1;
    if (degrees > 1000) /* nearer than 0.3 % */
        return normal_quantile(alpha);
    while (t_tail(high, degrees) > alpha)
        high *= 2;
    for (int i = 0; i < 100; i++) {
        double mid = (low + high) / 2;
        if (t_tail(mid, degrees) > alpha)
            low = mid;
        else
            high = mid;
    }
    return high;
}

static double
mean_of(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

/* Sum of squares about the mean. */
static double
squares_of(const double *x, size_t n)
{
    double mean = mean_of(x, n), sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    return sum;
}

struct estimate
stats_mean(const double *x, size_t n)
{
    struct estimate e = {n > 0 ? mean_of(x, n) : NAN, NAN};
    if (n >= 2)
        e.half = stats_t_quantile(0.05, n - 1) *
                 sqrt(squares_of(x, n) / (double)(n - 1) / (double)n);
    return e;
}

static int
order_of(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* splitmix64 (Steele, Lea and Flood, OOPSLA 2014): which values a resample
 * takes need no better generator. */
static uint64_t
next_of(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15ULL;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
}

struct estimate
stats_bootstrap(const double *x, size_t n, unsigned rounds, uint64_t seed)
{
    struct estimate e = stats_mean(x, n);
    double mean[STATS_ROUNDS_MAX];
    assert(rounds <= STATS_ROUNDS_MAX);
    if (n < 2 || rounds < 40)
        return e;
    for (unsigned r = 0; r < rounds; r++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += x[next_of(&seed) % n];
        mean[r] = sum / (double)n;
    }
    qsort(mean, rounds, sizeof *mean, order_of);
    unsigned low = rounds / 40, high = rounds - 1 - rounds / 40;
    e.half = (mean[high] - mean[low]) / 2;
    return e;
}

size_t
stats_mser5(const double *x, size_t n)
{
    const size_t batches = n / 5;
    double sum = 0, squares = 0, least = INFINITY;
    size_t best = SIZE_MAX;
    if (batches < 10)
        return SIZE_MAX;
    /* from the end, so that each place adds one batch to what is kept */
    for (size_t i = batches; i-- > 0;) {
        double mean = mean_of(x + 5 * i, 5), kept = (double)(batches - i);
        sum += mean;
        squares += mean * mean;
        if (kept < 5)
            continue;
        double rest = squares - sum * sum / kept;
        double error = (rest > 0 ? rest : 0) / (kept * kept);
        if (error <= least) {
            least = error;
            best = i;
        }
    }
    return best <= batches / 2 ? 5 * best : SIZE_MAX;
}

/* ---- times ---- */

static unsigned
bucket_of(uint64_t us)
{
    if (us < 64)
        return (unsigned)us;
    unsigned octave = 63 - (unsigned)__builtin_clzll(us);
    unsigned b = (octave - 5) * 64 + (unsigned)(us >> (octave - 6)) % 64;
    return b < STATS_BUCKETS ? b : STATS_BUCKETS - 1;
}

static double
bucket_low_us(unsigned b)
{
    return b < 64 ? b : ldexp(64 + b % 64, (int)(b / 64) - 1);
}

void
stats_times_add(struct stats_times *t, uint64_t us)
{
    t->n++;
    t->sum_us += (double)us;
    t->squares += (double)us * (double)us;
    t->bucket[bucket_of(us)]++;
}

void
stats_times_merge(struct stats_times *sum, const struct stats_times *t)
{
    sum->n += t->n;
    sum->sum_us += t->sum_us;
    sum->squares += t->squares;
    for (unsigned b = 0; b < STATS_BUCKETS; b++)
        sum->bucket[b] += t->bucket[b];
}

double
stats_times_sd_us(const struct stats_times *t)
{
    const double n = (double)t->n, mean = t->sum_us / n;
    return t->n > 1 ? sqrt((t->squares - n * mean * mean) / (n - 1)) : NAN;
}

double
stats_times_quantile_us(const struct stats_times *t, double q)
{
    double before = 0, want = q * (double)t->n;
    for (unsigned b = 0; b < STATS_BUCKETS && t->n > 0; b++) {
        double here = t->bucket[b];
        if (here > 0 && before + here >= want) {
            double low = bucket_low_us(b), high = bucket_low_us(b + 1);
            return low + (high - low) * (want - before) / here;
        }
        before += here;
    }
    return NAN;
}

static int
by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void
stats_sort(double *x, size_t n)
{
    if (n > 0)
        qsort(x, n, sizeof *x, by_value);
}

/* The interval's ends are order statistics: how many samples lie below the
 * quantile is binomial, whatever their law (David and Nagaraja, Order
 * Statistics, 7.1). */
struct estimate
stats_quantile(const double *sorted, size_t n, double q)
{
    struct estimate e = {NAN, NAN};
    if (n == 0)
        return e;
    const double at = q * (double)n;
    const double off = stats_t_quantile(0.05, SIZE_MAX) * sqrt(at * (1 - q));
    const double low = floor(at - off), high = ceil(at + off);
    const size_t i = (size_t)at;
    e.value = sorted[i < n ? i : n - 1];
    if (low >= 0 && high < (double)n)
        e.half = (sorted[(size_t)high] - sorted[(size_t)low]) / 2;
    return e;
}
