/* tests/stats.c - see stats.h. */
#include "tests/stats.h"

#include <math.h>
#include <stdlib.h>

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

double
stats_ks(double *a, size_t n, double *b, size_t m)
{
    double d = 0;
    size_t i = 0, k = 0;
    qsort(a, n, sizeof *a, by_value);
    qsort(b, m, sizeof *b, by_value);
    while (i < n && k < m) {
        double at = a[i] < b[k] ? a[i] : b[k];
        while (i < n && a[i] <= at)
            i++;
        while (k < m && b[k] <= at)
            k++;
        double gap = fabs((double)i / (double)n - (double)k / (double)m);
        if (gap > d)
            d = gap;
    }
    return d * sqrt((double)n * (double)m / (double)(n + m));
}

static void
moments(const double *x, size_t n, double *mean, double *variance)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    *mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (x[i] - *mean) * (x[i] - *mean);
    *variance = squares / (double)(n - 1);
}

double
stats_mean_z(const double *a, size_t n, const double *b, size_t m)
{
    double ma, va, mb, vb;
    moments(a, n, &ma, &va);
    moments(b, m, &mb, &vb);
    double se = sqrt(va / (double)n + vb / (double)m);
    return se > 0 ? (ma - mb) / se : ma == mb ? 0 : INFINITY;
}

double
stats_chi_z(const double *a, const double *b, size_t cells)
{
    double n = 0, m = 0, chi = 0, freedom = -1;
    for (size_t i = 0; i < cells; i++) {
        n += a[i];
        m += b[i];
        freedom += a[i] + b[i] > 0;
    }
    for (size_t i = 0; i < cells; i++) {
        const double sum = a[i] + b[i];
        const double by = a[i] * m - b[i] * n;
        chi += sum > 0 ? by * by / (n * m * sum) : 0;
    }
    if (n == 0 || m == 0 || freedom < 1)
        return 0;
    const double spread = 2 / (9 * freedom);
    return (cbrt(chi / freedom) - 1 + spread) / sqrt(spread);
}

double
stats_correlation(const double *x, const double *y, size_t n, size_t lag)
{
    double mx, vx, my, vy, sum = 0;
    moments(x, n, &mx, &vx);
    moments(y, n, &my, &vy);
    for (size_t i = 0; i + lag < n; i++)
        sum += (x[i] - mx) * (y[i + lag] - my);
    return sum / (double)(n - lag) / sqrt(vx * vy);
}

double
stats_correlation_z(double a, double b, size_t n)
{
    return (a - b) * sqrt((double)n / 2);
}
