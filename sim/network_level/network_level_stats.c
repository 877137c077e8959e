/* sim/network_level/network_level_stats.c - estimates and their confidence
 * intervals. No state. */
#include <math.h>

#include "sim/network_level/network_level_internal.h"

#define Z95 1.959964

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
