/* directory/tally.c - counting votes. No state. */
#include "directory/tally.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "directory/descriptor.h"
#include "lib/codec.h"

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

/* All descriptors of all votes, sorted, equal ones counted once each vote. */
static int
entries_gather(const struct vote *votes, size_t n, size_t public_len,
               struct entry **out, size_t *n_out)
{
    char where[JSON_WHERE_LEN];
    size_t room = 0, m = 0, k = 0;
    for (size_t i = 0; i < n; i++)
        room += votes[i].n;
    struct entry *e = calloc(room ? room : 1, sizeof *e);
    if (!e)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        for (size_t d = 0; d < votes[i].n; d++) {
            const char *text = votes[i].descriptors[d];
            if (descriptor_open(&e[m].descriptor, public_len,
                                (const uint8_t *)text, strlen(text), where))
                continue; /* an authority that lists rubbish lists nothing */
            if (!descriptor_fits(&e[m].descriptor, votes[i].network,
                                 votes[i].epoch))
                continue;
            e[m].text = text;
            e[m++].count = 1;
        }
    qsort(e, m, sizeof *e, entry_order);
    for (size_t i = 0; i < m; i++)
        if (k > 0 && strcmp(e[k - 1].text, e[i].text) == 0)
            e[k - 1].count++;
        else
            e[k++] = e[i];
    *out = e;
    *n_out = k;
    return 0;
}

/* Parameters that more than half voted for. */
static const struct params *
params_agreed(const struct vote *votes, size_t n, size_t n_authorities)
{
    for (size_t i = 0; i < n; i++) {
        size_t same = 0;
        for (size_t k = 0; k < n; k++)
            same += strcmp(votes[i].params_text, votes[k].params_text) == 0;
        if (2 * same > n_authorities)
            return &votes[i].params;
    }
    return NULL;
}

static void
value_draw(struct consensus *c, const struct vote *votes, size_t n)
{
    crypto_generichash_state h;
    uint8_t epoch[4], work[32];
    static const char label[] = "brusio/1 random",
                      work_label[] = "brusio/1 work";
    codec_put32(epoch, c->epoch);
    crypto_generichash_init(&h, NULL, 0, sizeof c->shared_random);
    crypto_generichash_update(&h, (const uint8_t *)label, sizeof label - 1);
    crypto_generichash_update(&h, epoch, sizeof epoch);
    for (size_t i = 0; i < n; i++)
        crypto_generichash_update(&h, votes[i].random, sizeof votes[i].random);
    crypto_generichash_final(&h, c->shared_random, sizeof c->shared_random);
    crypto_generichash(work, sizeof work, (const uint8_t *)work_label,
                       sizeof work_label - 1, c->shared_random,
                       sizeof c->shared_random);
    memcpy(c->work_challenge, work, sizeof c->work_challenge);
}

static void
draw(const struct consensus *c, const char *label, const uint8_t *identity,
     uint8_t *out, size_t len)
{
    crypto_generichash_state h;
    uint8_t hash[32];
    crypto_generichash_init(&h, NULL, 0, sizeof hash);
    crypto_generichash_update(&h, (const uint8_t *)label, strlen(label));
    crypto_generichash_update(&h, c->shared_random, sizeof c->shared_random);
    crypto_generichash_update(&h, identity, SPHINX_ID_LEN);
    crypto_generichash_final(&h, hash, sizeof hash);
    memcpy(out, hash, len);
}

/* Entries of one relay stand together: take the one most often listed. */
static void
relays_choose(struct consensus *c, const struct entry *e, size_t n,
              size_t n_authorities)
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
        struct relay_entry *r = &c->relays[c->n_relays++];
        *r = d->relay;
        memcpy(r->sphinx_key, d->keys[c->epoch - d->epoch], public_len);
        if (r->role == ROLE_STORE)
            draw(c, "brusio/1 placement", r->identity, r->placement,
                 PLACEMENT_LEN);
    }
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

static uint64_t
weight_of(const struct relay_entry *r)
{
    return (uint64_t)r->bandwidth + 1;
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

static int
layers_assign(struct consensus *c, const struct consensus *previous)
{
    uint64_t weight[LAYERS_MAX + 1] = {0};
    struct rank *rank = calloc(c->n_relays + 1, sizeof *rank);
    size_t n = 0;
    if (!rank)
        return ERR_NOMEM;
    for (size_t i = 0; i < c->n_relays; i++) {
        struct relay_entry *r = &c->relays[i];
        uint8_t hash[8];
        int before = previous ? consensus_find(previous, r->identity) : -1;
        const struct relay_entry *old =
            before >= 0 ? &previous->relays[before] : NULL;
        if (old && old->role != r->role)
            old = NULL;
        r->layer = r->role == ROLE_GATEWAY ? 0
                   : r->role == ROLE_STORE ? (uint8_t)(c->params.layers + 1)
                   : old && old->layer <= c->params.layers ? old->layer
                                                           : UINT8_MAX;
        if (r->role == ROLE_STORE && old)
            memcpy(r->placement, old->placement, PLACEMENT_LEN);
        if (r->role != ROLE_MIX)
            continue;
        draw(c, "brusio/1 layer", r->identity, hash, sizeof hash);
        rank[n++] = (struct rank){codec_get64(hash), i};
        if (r->layer != UINT8_MAX)
            weight[r->layer] += weight_of(r);
    }
    qsort(rank, n, sizeof *rank, rank_order);
    for (size_t i = 0; i < n; i++) {
        struct relay_entry *r = &c->relays[rank[i].relay];
        if (r->layer != UINT8_MAX)
            continue;
        r->layer = (uint8_t)layer_extreme(weight, c->params.layers, false);
        weight[r->layer] += weight_of(r);
    }
    for (size_t moves = 0; moves < n && layers_narrow(c, rank, n, weight);)
        moves++;
    free(rank);
    return 0;
}

int
tally_votes(struct consensus **out, const struct vote *votes, size_t n,
            size_t n_authorities, const struct consensus *previous,
            uint64_t valid_after_s)
{
    struct entry *e = NULL;
    size_t n_entries = 0;
    const struct params *params = params_agreed(votes, n, n_authorities);
    *out = NULL;
    if (!params)
        return ERR_THRESHOLD;
    struct consensus *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    memcpy(c->network, votes[0].network, sizeof c->network);
    c->epoch = votes[0].epoch;
    c->valid_after_s = valid_after_s;
    c->params = *params;
    value_draw(c, votes, n);
    int err =
        entries_gather(votes, n, params->geometry.public_len, &e, &n_entries);
    if (!err && n_entries > RELAYS_MAX)
        err = ERR_RANGE;
    if (!err && !(c->relays = calloc(n_entries + 1, sizeof *c->relays)))
        err = ERR_NOMEM;
    if (!err) {
        relays_choose(c, e, n_entries, n_authorities);
        err = layers_assign(c, previous);
    }
    if (!err)
        err = consensus_index(c);
    for (unsigned layer = 0; !err && layer < consensus_layers(c); layer++) {
        size_t count;
        consensus_layer(c, layer, &count);
        if (count == 0)
            err = ERR_MISSING; /* of no use: the one before serves better */
    }
    free(e);
    if (err)
        consensus_free(&c);
    *out = c;
    return err;
}
