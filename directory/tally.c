/* directory/tally.c - counting votes. No state. */
#include "directory/tally.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "directory/newcomers.h"
#include "directory/past.h"
#include "lib/codec.h"
#include "network/descriptor.h"
#include "network/schedule.h"

/* One descriptor of one vote. */
struct entry {
    struct descriptor descriptor;
    const char *text;
    size_t count; /* votes that list this very text */
};

static int
entry_order(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int c = memcmp(x->descriptor.relay.identity, y->descriptor.relay.identity,
                   SPHINX_ID_LEN);
    return c ? c : strcmp(x->text, y->text);
}

/* Is it of this network and does it have a key for the epoch? */
static bool
descriptor_fits(const struct descriptor *d, const char *network, uint32_t epoch)
{
    return strcmp(d->network, network) == 0 && d->epoch <= epoch &&
           epoch - d->epoch < d->n_keys;
}

static int
text_order(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->text,
                  ((const struct entry *)b)->text);
}

/* All descriptors of all votes, sorted, equal ones counted once each vote. Each
 * text is opened once, however often it is listed. */
static int
entries_gather(struct vote *const *votes, size_t n,
               const struct sphinx_geometry *g, struct entry **out,
               size_t *n_out)
{
    char where[JSON_WHERE_LEN];
    size_t room = 0, m = 0, k = 0, good = 0;
    for (size_t i = 0; i < n; i++)
        room += votes[i]->n;
    struct entry *e = calloc(room ? room : 1, sizeof *e);
    if (!e)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        for (size_t d = 0; d < votes[i]->n; d++)
            e[m++] =
                (struct entry){.text = votes[i]->descriptors[d], .count = 1};
    qsort(e, m, sizeof *e, text_order);
    for (size_t i = 0; i < m; i++)
        if (k > 0 && strcmp(e[k - 1].text, e[i].text) == 0)
            e[k - 1].count++;
        else
            e[k++] = e[i];
    for (size_t i = 0; i < k; i++) {
        const char *text = e[i].text;
        int err = descriptor_open(&e[i].descriptor, g, (const uint8_t *)text,
                                  strlen(text), where);
        if (err == ERR_NOMEM) { /* that is not the descriptor's fault */
            free(e);
            return err;
        }
        if (err || !descriptor_fits(&e[i].descriptor, votes[0]->network,
                                    votes[0]->epoch))
            continue; /* an authority that lists rubbish lists nothing */
        e[good++] = e[i];
    }
    qsort(e, good, sizeof *e, entry_order);
    *out = e;
    *n_out = good;
    return 0;
}

/* Parameters that more than half voted for. */
static const struct params *
params_agreed(struct vote *const *votes, size_t n, size_t n_authorities)
{
    for (size_t i = 0; i < n; i++) {
        size_t same = 0;
        for (size_t k = 0; k < n; k++)
            same += strcmp(votes[i]->params_text, votes[k]->params_text) == 0;
        if (2 * same > n_authorities)
            return &votes[i]->params;
    }
    return NULL;
}

static void
value_set(struct consensus *c, const uint8_t random[static 32])
{
    uint8_t work[32];
    static const char label[] = "brusio/1 work";
    memcpy(c->shared_random, random, sizeof c->shared_random);
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, sizeof work);
    crypto_generichash_update(&h, (const uint8_t *)label, sizeof label - 1);
    crypto_generichash_update(&h, random, 32);
    crypto_generichash_final(&h, work, sizeof work);
    memcpy(c->work_challenge, work, sizeof c->work_challenge);
}

/* Entries of one relay stand together: take the one most often listed. */
static void
relays_choose(struct consensus *c, const struct entry *e, size_t n,
              size_t n_authorities, uint16_t *lost)
{
    size_t public_len = c->params.geometry.public_len;
    for (size_t i = 0, end; i < n; i = end) {
        size_t best = i, listed = 0;
        const uint8_t *identity = e[i].descriptor.relay.identity;
        for (end = i; end < n && memcmp(e[end].descriptor.relay.identity,
                                        identity, SPHINX_ID_LEN) == 0;
             end++) {
            listed += e[end].count;
            if (e[end].count > e[best].count)
                best = end;
        }
        if (2 * listed <= n_authorities)
            continue;
        const struct descriptor *d = &e[best].descriptor;
        if (d->hibernates_until_s > c->valid_after_s)
            continue; /* as it says of itself */
        lost[c->n_relays] = d->loops_lost_permille;
        struct relay_entry *r = &c->relays[c->n_relays++];
        *r = d->relay;
        memcpy(r->sphinx_key, d->keys[c->epoch - d->epoch], public_len);
    }
}

/* ---- relays whose own loops get lost ---- */

static size_t
role_count(const struct consensus *c, enum relay_role role)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n_relays; i++)
        n += c->relays[i].role == role;
    return n;
}

static void
relay_leave_out(struct consensus *c, uint16_t *lost, size_t i)
{
    struct left_out *l = &c->left_out[c->n_left_out++];
    const size_t after = --c->n_relays - i;
    memcpy(l->identity, c->relays[i].identity, sizeof l->identity);
    l->lost_permille = lost[i];
    memmove(&c->relays[i], &c->relays[i + 1], after * sizeof c->relays[0]);
    memmove(&lost[i], &lost[i + 1], after * sizeof lost[0]);
}

static int
left_out_order(const void *a, const void *b)
{
    return memcmp(((const struct left_out *)a)->identity,
                  ((const struct left_out *)b)->identity, SPHINX_ID_LEN);
}

/* The worst of each role, but not more than a quarter of it: when all lose
 * loops it is the network, and not they. */
static int
relays_demote(struct consensus *c, uint16_t *lost)
{
    c->left_out = calloc(c->n_relays / 4 + 1, sizeof *c->left_out);
    if (!c->left_out)
        return ERR_NOMEM;
    for (enum relay_role role = ROLE_GATEWAY; role <= ROLE_STORE; role++)
        for (size_t left = role_count(c, role) / 4; left > 0; left--) {
            size_t worst = c->n_relays;
            for (size_t i = 0; i < c->n_relays; i++)
                if (c->relays[i].role == role &&
                    lost[i] >= TALLY_LOST_PERMILLE &&
                    (worst == c->n_relays || lost[i] > lost[worst]))
                    worst = i;
            if (worst == c->n_relays)
                break;
            relay_leave_out(c, lost, worst);
        }
    qsort(c->left_out, c->n_left_out, sizeof *c->left_out, left_out_order);
    return 0;
}

/* ---- bandwidth ---- */

static uint64_t
weight_of(const struct relay_entry *r)
{
    return (uint64_t)r->bandwidth + 1;
}

static int
bandwidth_order(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Relays say themselves what they can do. Whoever says too much does not draw a
 * layer's packets to himself: no weight is more than TALLY_WEIGHT_MAX times the
 * median of its role, which half of the role would have to lie to move. */
static int
bandwidths_bound(struct consensus *c)
{
    uint32_t *all = calloc(c->n_relays + 1, sizeof *all);
    if (!all)
        return ERR_NOMEM;
    for (enum relay_role role = ROLE_GATEWAY; role <= ROLE_STORE; role++) {
        size_t n = 0;
        for (size_t i = 0; i < c->n_relays; i++)
            if (c->relays[i].role == role)
                all[n++] = c->relays[i].bandwidth;
        if (n == 0)
            continue;
        qsort(all, n, sizeof *all, bandwidth_order);
        const uint64_t most =
            TALLY_WEIGHT_MAX * ((uint64_t)all[(n - 1) / 2] + 1);
        for (size_t i = 0; i < c->n_relays; i++)
            if (c->relays[i].role == role && weight_of(&c->relays[i]) > most)
                c->relays[i].bandwidth = (uint32_t)(most - 1);
    }
    free(all);
    return 0;
}

/* ---- layers ---- */

struct rank {
    uint64_t hash;
    size_t relay;
};

static int
rank_order(const void *a, const void *b)
{
    const struct rank *x = a, *y = b;
    return x->hash != y->hash    ? (x->hash < y->hash ? -1 : 1)
           : x->relay < y->relay ? -1
                                 : x->relay > y->relay;
}

static unsigned
layer_extreme(const uint64_t *weight, unsigned layers, bool most)
{
    unsigned best = 1;
    for (unsigned i = 2; i <= layers; i++)
        if (most ? weight[i] > weight[best] : weight[i] < weight[best])
            best = i;
    return best;
}

/* Even out: the first relay in rank whose move narrows the gap. */
static bool
layers_narrow(struct consensus *c, const struct rank *rank, size_t n,
              uint64_t *weight)
{
    unsigned most = layer_extreme(weight, c->params.layers, true);
    unsigned least = layer_extreme(weight, c->params.layers, false);
    if (weight[most] <= 2 * weight[least])
        return false;
    for (size_t i = 0; i < n; i++) {
        struct relay_entry *r = &c->relays[rank[i].relay];
        uint64_t w = weight_of(r);
        if (r->layer != most || weight[least] + w >= weight[most])
            continue;
        r->layer = (uint8_t)least;
        weight[most] -= w;
        weight[least] += w;
        return true;
    }
    return false;
}

/* Where a relay stood, which came in with the epoch of c unless it is known. */
static struct standing
standing_of(const struct consensus *c, const struct past *past,
            const struct relay_entry *r)
{
    const struct standing *s = past_find(past, r->identity, r->role);
    struct standing fresh = {.layer = UINT8_MAX,
                             .since = past->is_empty ? 0 : c->epoch};
    if (!s)
        newcomers_draw(c, "brusio/1 placement", r->identity, fresh.placement,
                       PLACEMENT_LEN);
    return s ? *s : fresh;
}

static int
layers_assign(struct consensus *c, const struct past *past)
{
    const unsigned layers = c->params.layers;
    uint64_t weight[LAYERS_MAX + 1] = {0};
    struct rank *rank = calloc(c->n_relays + 1, sizeof *rank);
    size_t n = 0;
    if (!rank)
        return ERR_NOMEM;
    for (size_t i = 0; i < c->n_relays; i++) {
        struct relay_entry *r = &c->relays[i];
        uint8_t hash[8];
        const struct standing s = standing_of(c, past, r);
        r->since = s.since;
        r->layer = r->role == ROLE_GATEWAY ? 0
                   : r->role == ROLE_STORE ? (uint8_t)(layers + 1)
                   : s.layer <= layers     ? s.layer
                                           : UINT8_MAX;
        if (r->role == ROLE_STORE) {
            memcpy(r->placement, s.placement, PLACEMENT_LEN);
            r->counts = past_counts(
                past, c, past_find(past, r->identity, r->role), r->since);
        }
        if (r->role != ROLE_MIX)
            continue;
        newcomers_draw(c, "brusio/1 layer", r->identity, hash, sizeof hash);
        rank[n++] = (struct rank){codec_get64(hash), i};
        if (r->layer != UINT8_MAX)
            weight[r->layer] += weight_of(r);
    }
    qsort(rank, n, sizeof *rank, rank_order);
    for (size_t i = 0; i < n; i++) {
        struct relay_entry *r = &c->relays[rank[i].relay];
        if (r->layer != UINT8_MAX)
            continue;
        r->layer = (uint8_t)layer_extreme(weight, layers, false);
        weight[r->layer] += weight_of(r);
    }
    for (size_t moves = 0; moves < n && layers_narrow(c, rank, n, weight);)
        moves++;
    free(rank);
    return 0;
}

/* Take those out that have to wait. */
static int
newcomers_limit(struct consensus *c, const struct past *past, uint16_t *lost)
{
    bool *waits = calloc(c->n_relays + 1, sizeof *waits);
    size_t n = 0;
    if (!waits)
        return ERR_NOMEM;
    int err = newcomers_find(c, past, waits);
    for (size_t i = 0; i < c->n_relays && !err; i++) {
        if (waits[i])
            continue;
        lost[n] = lost[i];
        c->relays[n++] = c->relays[i];
    }
    if (!err)
        c->n_relays = n;
    free(waits);
    return err;
}

/* From the votes' descriptors to relays in their layers. */
static int
relays_make(struct consensus *c, struct vote *const *votes, size_t n,
            size_t n_authorities)
{
    struct past past = {0};
    struct entry *e = NULL;
    uint16_t *lost = NULL;
    size_t n_entries = 0;
    int err = entries_gather(votes, n, &c->params.geometry, &e, &n_entries);
    if (!err && n_entries > RELAYS_MAX)
        err = ERR_RANGE;
    if (!err) {
        c->relays = calloc(n_entries + 1, sizeof *c->relays);
        lost = calloc(n_entries + 1, sizeof *lost);
        err = c->relays && lost ? 0 : ERR_NOMEM;
    }
    if (!err) {
        relays_choose(c, e, n_entries, n_authorities, lost);
        err = past_make(&past, votes, n, schedule_faults(n_authorities) + 1, c);
    }
    if (!err)
        err = newcomers_limit(c, &past, lost);
    if (!err)
        err = relays_demote(c, lost);
    if (!err)
        err = bandwidths_bound(c);
    if (!err)
        err = layers_assign(c, &past);
    if (!err)
        err = past_away(&past, c);
    past_free(&past);
    free(lost);
    free(e);
    return err;
}

int
tally_votes(struct consensus **out, struct vote *const *votes, size_t n,
            size_t n_authorities, const uint8_t random[static 32],
            uint64_t valid_after_s)
{
    const struct params *params = params_agreed(votes, n, n_authorities);
    *out = NULL;
    if (!params)
        return ERR_THRESHOLD;
    struct consensus *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    memcpy(c->network, votes[0]->network, sizeof c->network);
    c->epoch = votes[0]->epoch;
    c->valid_after_s = valid_after_s;
    c->params = *params;
    value_set(c, random);
    int err = relays_make(c, votes, n, n_authorities);
    if (!err)
        err = consensus_index(c);
    for (unsigned layer = 0; !err && layer < consensus_layers(c); layer++) {
        size_t count;
        consensus_layer(c, layer, &count);
        if (count == 0)
            err = ERR_MISSING; /* of no use: the one before serves better */
    }
    if (err)
        consensus_free(&c);
    *out = c;
    return err;
}
