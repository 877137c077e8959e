/* network/consensus.c - questions to a consensus: which relays stand where,
 * which store has a box, which consensus is in force.
 *
 * No state of its own, no timers: time comes in as an argument, and a consensus
 * is not changed by a question. What is asked for each packet (layers,
 * identities, cut links) is found by an index or by halving; the store of a box
 * is found by looking at all stores. Failure modes: no store at all
 * (ERR_NOT_FOUND); a consensus that has expired or lies in the future. */
#include "network/consensus.h"

#include <stdlib.h>
#include <string.h>

#include "lib/rng.h"
#include "network/family.h"
#include "network/placement.h"

const uint16_t *
consensus_layer(const struct consensus *c, unsigned layer, size_t *n)
{
    if (layer >= consensus_layers(c)) {
        *n = 0;
        return c->by_layer;
    }
    *n = c->layer_start[layer + 1] - c->layer_start[layer];
    return c->by_layer + c->layer_start[layer];
}

static int
relay_order(const void *key, const void *item)
{
    return memcmp(key, ((const struct relay_entry *)item)->identity,
                  SPHINX_ID_LEN);
}

int
consensus_find(const struct consensus *c,
               const uint8_t identity[static SPHINX_ID_LEN])
{
    const struct relay_entry *e =
        c->n_relays == 0
            ? NULL
            : bsearch(identity, c->relays, c->n_relays, sizeof *e, relay_order);
    return e ? (int)(e - c->relays) : -1;
}

static int
left_out_order(const void *key, const void *item)
{
    return memcmp(key, ((const struct left_out *)item)->identity,
                  SPHINX_ID_LEN);
}

uint16_t
consensus_left_out(const struct consensus *c,
                   const uint8_t identity[static SPHINX_ID_LEN])
{
    const struct left_out *l =
        c->n_left_out == 0 ? NULL
                           : bsearch(identity, c->left_out, c->n_left_out,
                                     sizeof *l, left_out_order);
    return l ? l->cut_permille : 0;
}

bool
consensus_has_edge(const struct consensus *c, unsigned from, unsigned to)
{
    unsigned store = c->params.layers + 1u;
    if (from > store || to > store)
        return false;
    if (to == from + 1)
        return true;
    return (from == store && to == 1) || (from == c->params.layers && to == 0);
}

static uint32_t
cut_key(const struct cut_link *l)
{
    return (uint32_t)l->a << 16 | l->b;
}

bool
consensus_is_cut(const struct consensus *c, uint16_t a, uint16_t b)
{
    const struct cut_link l =
        a < b ? (struct cut_link){a, b} : (struct cut_link){b, a};
    size_t at = 0, end = c->n_cut;
    while (at < end) {
        const size_t middle = (at + end) / 2;
        if (cut_key(&c->cut[middle]) < cut_key(&l))
            at = middle + 1;
        else
            end = middle;
    }
    return at < c->n_cut && cut_key(&c->cut[at]) == cut_key(&l);
}

void
consensus_view(const struct consensus *c, struct sphinx_view *view)
{
    view->geometry = c->params.geometry;
    view->epoch = (uint8_t)c->epoch;
    memcpy(view->digest, c->digest, sizeof view->digest);
}

uint32_t
consensus_away_max(const struct params *p)
{
    return (uint32_t)(p->letter_days * 86400ull / p->epoch_len_s);
}

uint32_t
consensus_period(const struct consensus *c)
{
    return (uint32_t)(c->valid_after_s / c->params.period_s);
}

int
consensus_store_of(const struct consensus *c, uint32_t period,
                   const uint8_t box[static 32], uint16_t *primary,
                   uint16_t *fallback)
{
    size_t n;
    const uint16_t *store = consensus_layer(c, c->params.layers + 1u, &n);
    const unsigned bit = days_counts_bit(consensus_period(c), period);
    uint8_t value[DAYS_VALUE_LEN];
    struct placement best = {0}, second = {0};
    *primary = *fallback = UINT16_MAX;
    days_value(&c->days, consensus_period(c), period > 0 ? period - 1 : 0,
               value);
    for (size_t i = 0; i < n; i++) {
        const struct relay_entry *e = &c->relays[store[i]];
        const struct placement p = {
            .counts = (e->counts >> bit & 1) != 0,
            .wait = placement_draw(value, e->placement, box),
            .weight = (uint64_t)e->bandwidth + 1};
        if (*primary == UINT16_MAX || placement_is_before(&p, &best)) {
            second = best;
            *fallback = *primary;
            best = p;
            *primary = store[i];
        } else if (*fallback == UINT16_MAX ||
                   placement_is_before(&p, &second)) {
            second = p;
            *fallback = store[i];
        }
    }
    return n > 0 ? 0 : ERR_NOT_FOUND;
}

bool
consensus_is_expired(const struct consensus *c, uint64_t now_s)
{
    return now_s >=
           c->valid_after_s + (uint64_t)EPOCHS_USABLE * c->params.epoch_len_s;
}

int
consensus_judge_time(const struct consensus *c, uint64_t now_s)
{
    if (consensus_is_expired(c, now_s))
        return ERR_EXPIRED;
    return c->valid_after_s > now_s + 2ULL * c->params.epoch_len_s ? ERR_FUTURE
                                                                   : 0;
}

uint64_t
consensus_bound_time(const struct consensus *c, uint64_t now_s)
{
    const uint64_t end_s =
        c->valid_after_s + (uint64_t)EPOCHS_USABLE * c->params.epoch_len_s;
    return now_s < c->valid_after_s ? c->valid_after_s
           : now_s > end_s          ? end_s
                                    : now_s;
}

const struct consensus *
consensus_in_force(const struct consensus *const *c, size_t n, uint64_t now_us,
                   const struct consensus **before)
{
    const struct consensus *best = NULL, *second = NULL;
    for (size_t i = 0; i < n; i++) {
        if (!c[i] || c[i]->valid_after_s * 1000000 > now_us ||
            consensus_is_expired(c[i], now_us / 1000000))
            continue;
        if (!best || c[i]->epoch > best->epoch) {
            second = best;
            best = c[i];
        } else if (!second || c[i]->epoch > second->epoch)
            second = c[i];
    }
    if (before)
        *before = second;
    return best;
}

const struct consensus *
consensus_draw(const struct consensus *const *c, size_t n, struct env *env,
               uint64_t now_us)
{
    const struct consensus *before;
    const struct consensus *best = consensus_in_force(c, n, now_us, &before);
    if (!best)
        return NULL;
    const uint64_t at_us =
        rng_below(env, best->params.switch_window_s * 1000000ULL + 1);
    const bool early = now_us - best->valid_after_s * 1000000 < at_us;
    return before && early ? before : best;
}

uint64_t
consensus_past_s(const struct consensus *const *c, size_t n, size_t need,
                 uint64_t now_s)
{
    uint64_t newest_s = 0, second_s = 0;
    for (size_t i = 0; i < n; i++) {
        const uint64_t at_s = c[i] ? c[i]->valid_after_s : 0;
        if (at_s > newest_s) {
            second_s = newest_s;
            newest_s = at_s;
        } else if (at_s > second_s && at_s < newest_s)
            second_s = at_s;
    }
    const uint64_t said_s = need == 1 ? newest_s : second_s;
    return now_s < said_s ? now_s : said_s;
}

void
consensus_free(struct consensus **c)
{
    if (!*c)
        return;
    free((*c)->relays);
    free((*c)->left_out);
    free((*c)->cut);
    free((*c)->away);
    free((*c)->by_layer);
    free(*c);
    *c = NULL;
}

bool
consensus_are_related(const struct consensus *c, uint16_t a, uint16_t b)
{
    return a == b || family_is_one(c->relays[a].family, c->relays[b].family);
}
