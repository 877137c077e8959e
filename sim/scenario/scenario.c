/* sim/scenario/scenario.c - what a scenario adds up to, and its end. No
 * state. */
#include "sim/scenario/scenario.h"

#include <stdlib.h>

double
scenario_group_rate(const struct scenario_clients *c)
{
    if (c->send == SEND_TRACE)
        return 0;
    uint64_t each = (uint64_t)c->profile.send_mhz + c->profile.poll_mhz +
                    c->profile.loop_mhz;
    if (!c->rates_mhz || c->n_rates == 0)
        return (double)c->count * (double)each / 1000;
    /* every rate is that of as many clients as there are whole rounds, the
     * first ones' of one more */
    uint64_t sum = 0, rounds = c->count / c->n_rates;
    for (uint32_t i = 0; i < c->n_rates; i++)
        sum += c->rates_mhz[i] * (rounds + (i < c->count % c->n_rates));
    return (double)sum / 1000;
}

double
scenario_rate(const struct scenario *s)
{
    double sum = 0;
    for (uint32_t i = 0; i < s->n_clients; i++)
        sum += scenario_group_rate(&s->clients[i]);
    return sum;
}

uint32_t
scenario_clients_count(const struct scenario *s)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < s->n_clients; i++)
        sum += s->clients[i].count;
    return sum;
}

uint32_t
scenario_hops(const struct scenario *s)
{
    const struct scenario_network *n = &s->network;
    return n->trip == TRIP_ROUND ? 2 * n->layers + 3 : n->layers;
}

uint32_t
scenario_relays(const struct scenario *s)
{
    const struct scenario_network *n = &s->network;
    uint32_t sum = n->gateways + n->stores;
    if (n->topology == TOPOLOGY_FREE_ROUTE)
        return sum + n->widths[0];
    for (uint32_t i = 0; i < n->layers; i++)
        sum += n->widths[i];
    return sum;
}

static void
texts_free(char **texts, size_t n)
{
    for (size_t i = 0; texts && i < n; i++)
        free(texts[i]);
    free(texts);
}

static void
scenario_one_free(struct scenario *s, size_t n_set)
{
    if (!s)
        return;
    free(s->network.weights);
    for (uint32_t i = 0; i < SCENARIO_GROUPS_MAX; i++)
        free(s->clients[i].rates_mhz);
    texts_free(s->set, n_set);
    free(s);
}

void
scenario_cases_keep(struct scenario_file *f, size_t n)
{
    while (f->n_cases > n)
        scenario_one_free(f->cases[--f->n_cases], f->n_set);
}

void
scenario_free(struct scenario_file **f)
{
    if (!*f)
        return;
    scenario_cases_keep(*f, 0);
    for (size_t i = 0; i < SCENARIO_EXPECTS_MAX; i++)
        free((*f)->expects[i].values);
    texts_free((*f)->set_paths, (*f)->n_set);
    free((*f)->cases);
    free((*f)->about);
    free(*f);
    *f = NULL;
}
