/* sim/network_level/network_level_stats.c - estimates and their confidence
 * intervals. No state. */
#include <math.h>
#include <stdlib.h>

#include "sim/network_level/network_level_internal.h"

#define Z95 1.959964

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void
whole_sort(double *x, size_t n)
{
    if (n > 0)
        qsort(x, n, sizeof *x, by_value);
}

struct estimate
whole_mean(const double *x, size_t n)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    const double mean = n > 0 ? sum / (double)n : NAN;
    for (size_t i = 0; i < n; i++)
        squares += (x[i] - mean) * (x[i] - mean);
    const double variance = n > 1 ? squares / (double)(n - 1) : NAN;
    return (struct estimate){mean, Z95 * sqrt(variance / (double)n)};
}

/* The interval's ends are order statistics: how many samples lie below the
 * quantile is binomial, whatever their law (David and Nagaraja, Order
 * Statistics, 7.1). */
struct estimate
whole_quantile(const double *sorted, size_t n, double p)
{
    struct estimate e = {NAN, NAN};
    if (n == 0)
        return e;
    const double at = p * (double)n, off = Z95 * sqrt(at * (1 - p));
    const double low = floor(at - off), high = ceil(at + off);
    size_t i = (size_t)at;
    e.value = sorted[i < n ? i : n - 1];
    if (low >= 0 && high < (double)n)
        e.half = (sorted[(size_t)high] - sorted[(size_t)low]) / 2;
    return e;
}

struct estimate
whole_batch_mean(const double *x, size_t n, size_t batches)
{
    struct estimate all = whole_mean(x, n), e = {all.value, NAN};
    double *mean = calloc(batches + 1, sizeof *mean);
    const size_t len = batches > 0 ? n / batches : 0;
    if (mean && len > 0 && batches > 1) {
        for (size_t i = 0; i < batches; i++)
            mean[i] = whole_mean(x + i * len, len).value;
        e.half = whole_mean(mean, batches).half;
    }
    free(mean);
    return e;
}

struct estimate
whole_rate(uint64_t events, double over)
{
    return (struct estimate){(double)events / over,
                             Z95 * sqrt((double)events) / over};
}
