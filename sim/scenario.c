/* sim/scenario.c - questions to a scenario. No state. */
#include "sim/scenario.h"

#include <stdlib.h>

static void
case_free(struct scenario *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < s->n_clients; i++)
        free(s->clients[i].rates_mhz);
    free(s->network.weights);
    free(s);
}

void
scenario_cases_keep(struct scenario_file *f, size_t n)
{
    while (f->n_cases > n)
        case_free(f->cases[--f->n_cases]);
}

void
scenario_free(struct scenario_file **f)
{
    if (!*f)
        return;
    scenario_cases_keep(*f, 0);
    for (size_t i = 0; i < (*f)->n_expects; i++)
        free((*f)->expects[i].values);
    free((*f)->cases);
    free((*f)->about);
    free(*f);
    *f = NULL;
}

static double
group_rate(const struct scenario_clients *g)
{
    double hz = ((double)g->profile.send_mhz + g->profile.poll_mhz +
                 g->profile.loop_mhz) /
                1000;
    double there = g->stay_mean_s > 0
                       ? g->stay_mean_s / (g->stay_mean_s + g->away_mean_s)
                       : 1;
    if (g->send == SEND_TRACE)
        return 0; /* not known before the file is read */
    if (!g->rates_mhz)
        return hz * g->count * there;
    double sum = 0;
    for (uint32_t i = 0; i < g->count; i++)
        sum += g->rates_mhz[i % g->n_rates] / 1000.0;
    return sum * there;
}

double
scenario_rate(const struct scenario *s)
{
    double sum = 0;
    for (uint32_t i = 0; i < s->n_clients; i++)
        sum += group_rate(&s->clients[i]);
    return sum;
}

uint32_t
scenario_hops(const struct scenario *s)
{
    const struct scenario_network *n = &s->network;
    const uint32_t way = n->layers + (n->gateways > 0);
    return n->trip == TRIP_ROUND ? 2 * way + 1 : way;
}

uint32_t
scenario_relays(const struct scenario *s)
{
    const struct scenario_network *n = &s->network;
    uint32_t sum = n->gateways + (n->trip == TRIP_ROUND ? n->stores : 0);
    if (n->topology == TOPOLOGY_FREE_ROUTE)
        return sum + n->widths[0];
    for (uint32_t i = 0; i < n->layers; i++)
        sum += n->widths[i];
    return sum;
}
