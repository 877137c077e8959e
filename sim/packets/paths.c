/* sim/packets/paths.c - counts since the last way of corrupt relays; see
 * paths.h. Counts of AGES_MAX and more are one. */
#include "sim/packets/paths.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { AGES_MAX = 1 << 16 };

struct paths {
    uint32_t clients;
    uint64_t ways, corrupt;
    uint32_t *age;     /* of each client: packets since */
    uint64_t *caught;  /* at which age */
    uint64_t *waiting; /* of each age, for paths_survival() */
};

int
paths_new(struct paths **out, uint32_t clients)
{
    struct paths *p = calloc(1, sizeof *p);
    *out = NULL;
    if (!p)
        return ERR_NOMEM;
    p->clients = clients;
    p->age = calloc(clients + 1, sizeof *p->age);
    p->caught = calloc(AGES_MAX + 1, sizeof *p->caught);
    p->waiting = calloc(AGES_MAX + 1, sizeof *p->waiting);
    if (!p->age || !p->caught || !p->waiting)
        paths_free(&p);
    *out = p;
    return p ? 0 : ERR_NOMEM;
}

void
paths_free(struct paths **p)
{
    if (!*p)
        return;
    free((*p)->age);
    free((*p)->caught);
    free((*p)->waiting);
    free(*p);
    *p = NULL;
}

void
paths_add(struct paths *p, uint32_t client, bool corrupt)
{
    uint32_t *age = &p->age[client];
    p->ways++;
    if (*age < AGES_MAX)
        ++*age;
    if (!corrupt)
        return;
    p->corrupt++;
    p->caught[*age]++;
    *age = 0;
}

struct estimate
paths_share(const struct paths *p)
{
    const double n = (double)p->ways, share = (double)p->corrupt / n;
    return (struct estimate){share, 1.96 * sqrt(share * (1 - share) / n)};
}

/* Survival up to each age in turn, until stop() or the last that was at risk.
 * Returns 1 - survival after n ages; *median: the first age where it reaches
 * one half. */
static double
paths_survival(const struct paths *p, uint32_t n, double *median,
               double *greenwood)
{
    uint64_t *waiting = p->waiting, risk = 0;
    double alive = 1, at_n = NAN;
    *median = NAN;
    *greenwood = 0;
    memset(waiting, 0, (AGES_MAX + 1) * sizeof *waiting);
    for (uint32_t i = 0; i < p->clients; i++)
        waiting[p->age[i]]++;
    for (uint32_t a = 1; a <= AGES_MAX; a++)
        risk += waiting[a] + p->caught[a];
    for (uint32_t a = 1; a <= AGES_MAX && risk > 0; a++) {
        const double r = (double)risk, d = (double)p->caught[a];
        alive *= 1 - d / r;
        if (a <= n && r > d)
            *greenwood += d / (r * (r - d));
        if (a == n)
            at_n = 1 - alive;
        if (alive <= 0.5 && isnan(*median))
            *median = a;
        risk -= waiting[a] + p->caught[a];
    }
    /* nobody is left to be caught so late, or nearly so */
    return isnan(at_n) && alive < 0.01 ? 1 - alive : at_n;
}

struct estimate
paths_caught(const struct paths *p, uint32_t n)
{
    double median, greenwood,
        caught = paths_survival(p, n, &median, &greenwood);
    return (struct estimate){caught, 1.96 * (1 - caught) * sqrt(greenwood)};
}

double
paths_median(const struct paths *p)
{
    double median, greenwood;
    (void)paths_survival(p, 1, &median, &greenwood);
    return median;
}
