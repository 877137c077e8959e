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

static double
stretch_mean(const double *x, size_t len)
{
    double sum = 0;
    for (size_t i = 0; i < len; i++)
        sum += x[i];
    return sum / (double)len;
}

/* Of the means of n stretches of this length. */
static struct estimate
stretches_mean(const double *x, size_t n, size_t len)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        sum += stretch_mean(x + i * len, len);
    const double mean = n > 0 ? sum / (double)n : NAN;
    for (size_t i = 0; i < n; i++) {
        const double off = stretch_mean(x + i * len, len) - mean;
        squares += off * off;
    }
    const double variance = n > 1 ? squares / (double)(n - 1) : NAN;
    return (struct estimate){mean, Z95 * sqrt(variance / (double)n)};
}

struct estimate
whole_mean(const double *x, size_t n)
{
    return stretches_mean(x, n, 1);
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
    const size_t len = batches > 0 ? n / batches : 0;
    if (len > 0 && batches > 1)
        e.half = stretches_mean(x, batches, len).half;
    return e;
}

struct estimate
whole_rate(uint64_t events, double over)
{
    return (struct estimate){(double)events / over,
                             Z95 * sqrt((double)events) / over};
}
