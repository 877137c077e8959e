/* network/consensus.c - questions to a consensus. No state of its own. */
#include "network/consensus.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rng.h"
#include "network/placement.h"

/* Rates per 1,000 s; the downlink runs 1.5 times as fast as the clock of the
 * client, so that its queue stays short. */
static struct profile
profile_make(const char *name, uint32_t send_mhz, uint32_t poll_mhz,
             uint32_t loop_mhz)
{
    struct profile p = {
        .send_mhz = send_mhz, .poll_mhz = poll_mhz, .loop_mhz = loop_mhz};
    uint64_t sum_mhz = (uint64_t)send_mhz + poll_mhz + loop_mhz;
    p.down_interval_us = (uint32_t)(2000000000ULL / 3 / sum_mhz);
    strncpy(p.name, name, sizeof p.name - 1);
    return p;
}

static uint32_t
at_least(uint32_t value, uint32_t least)
{
    return value > least ? value : least;
}

void
params_default(struct params *p, uint32_t epoch_len_s)
{
    *p = (struct params){
        .epoch_len_s = epoch_len_s,
        .layers = 3,
        .mix_strategy = 1,
        .mix_interval_us = 1000000,
        .mix_threshold = 100,
        .mix_keep = 100,
        .mix_permille = 600,
        .delay_mean_us = 100000,
        .poll_delay_mean_us = 2000000,
        .store_delay_fixed_us = 200000,
        .store_delay_mean_us = 100000,
        .deadline_unit_s = 1,
        .deadline_slack_s = 20,
        .deadline_spread_s = 60,
        .deadline_back_s = 5,
        .deadline_ahead_s = 100,
        .delay_max_us = 16000000,
        .store_delay_max_us = 3000000,
        .key_grace_s = 100,
        .switch_window_s = 300,
        .piece_interval_us = 50000,
        .relay_loop_mhz = 500,
        .period_s = 86400,
        .letter_days = 7,
        .store_trial_epochs = 24,
        .newcomer_permille = 100,
        .work_bits = 20,
        .n_profiles = 3,
    };
    sphinx_geometry_default(&p->geometry);
    p->profiles[0] = profile_make("default", 2000, 3000, 500);
    p->profiles[1] = profile_make("light", 500, 750, 125);
    p->profiles[2] = profile_make("fast", 20000, 25000, 500);
    if (epoch_len_s < 3600) {
        /* Short epochs: the slack still has to cover what a slow machine adds
         * to a poll's way, whose delays the deadline counts already. */
        p->deadline_slack_s = at_least(epoch_len_s / 180, 12);
        p->deadline_spread_s = at_least(epoch_len_s / 60, 12);
        p->deadline_back_s = 12;
        p->deadline_ahead_s = p->deadline_slack_s + p->deadline_spread_s +
                              at_least(epoch_len_s / 180, 20);
        p->key_grace_s = p->deadline_ahead_s;
        p->switch_window_s = at_least(epoch_len_s / 12, 1);
        p->work_bits = 12;
    }
}

uint32_t
params_window(uint64_t frames_mhz)
{
    const uint64_t quarter = (frames_mhz + 3999) / 4000;
    return quarter < PARAMS_WINDOW_MAX - 2 ? (uint32_t)quarter + 2
                                           : PARAMS_WINDOW_MAX;
}

const struct profile *
params_profile(const struct params *p, const char *name)
{
    for (size_t i = 0; i < p->n_profiles; i++)
        if (strcmp(p->profiles[i].name, name) == 0)
            return &p->profiles[i];
    return NULL;
}

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

/* Is each cut link one that could be used, and in its place? */
static int
cut_check(const struct consensus *c)
{
    for (size_t i = 0; i < c->n_cut; i++) {
        const struct cut_link *l = &c->cut[i];
        if (l->a >= l->b || l->b >= c->n_relays ||
            (i > 0 && cut_key(l - 1) >= cut_key(l)))
            return ERR_RANGE;
        const unsigned a = c->relays[l->a].layer, b = c->relays[l->b].layer;
        if (!consensus_has_edge(c, a, b) && !consensus_has_edge(c, b, a))
            return ERR_RANGE;
    }
    return c->n_cut > CUT_MAX ? ERR_RANGE : 0;
}

/* Both lists are sorted by identity. */
static int
left_out_mark(struct consensus *c)
{
    size_t k = 0;
    for (size_t i = 0; i < c->n_relays; i++) {
        struct relay_entry *e = &c->relays[i];
        e->out =
            k < c->n_left_out &&
            memcmp(e->identity, c->left_out[k].identity, SPHINX_ID_LEN) == 0;
        k += e->out;
    }
    return k == c->n_left_out ? 0 : ERR_RANGE;
}

int
consensus_index(struct consensus *c)
{
    size_t n = 0, out = 0;
    if (c->params.layers < 1 || c->params.layers > LAYERS_MAX ||
        c->n_relays > RELAYS_MAX)
        return ERR_RANGE;
    int err = cut_check(c);
    if (!err)
        err = left_out_mark(c);
    if (err)
        return err;
    size_t start[LAYERS_MAX + 3];
    uint16_t *list = calloc(c->n_relays ? c->n_relays : 1, sizeof *list);
    if (!list)
        return ERR_NOMEM;
    for (unsigned layer = 0; layer < consensus_layers(c); layer++) {
        start[layer] = n;
        for (size_t i = 0; i < c->n_relays; i++)
            if (c->relays[i].layer == layer && c->relays[i].out)
                out++;
            else if (c->relays[i].layer == layer)
                list[n++] = (uint16_t)i;
    }
    start[consensus_layers(c)] = n;
    if (n + out != c->n_relays) {
        free(list);
        return ERR_RANGE;
    }
    memcpy(c->layer_start, start, (consensus_layers(c) + 1) * sizeof start[0]);
    free(c->by_layer);
    c->by_layer = list;
    return 0;
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
    const uint8_t *family = c->relays[a].family;
    return a == b || (!sodium_is_zero(family, FAMILY_LEN) &&
                      memcmp(family, c->relays[b].family, FAMILY_LEN) == 0);
}
