/* directory/tally.c - counting votes; tally.h says by which rules.
 *
 *   texts of descriptors -> opened, good ones -> one for each relay
 *     -> without newcomers that wait -> bandwidths bounded -> layers
 *     -> those away -> blame (blame.h) -> indexed
 *
 * Strangers can fill votes with descriptors. So each text is opened once,
 * however many votes list it, those that were verified before not again, and no
 * step takes more than n log n.
 *
 * No state, no timer. Failure modes: the votes do not agree (THRESHOLD), an
 * empty layer (MISSING), too many relays (RANGE), no memory: no consensus is
 * made. A descriptor that cannot be opened is as if it were not listed. */
#include "directory/tally.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "directory/blame.h"
#include "network/draw.h"
#include "directory/newcomers.h"
#include "directory/past.h"
#include "network/descriptor.h"
#include "network/schedule.h"

/* A descriptor as text, and who lists it. */
struct listed_text {
    const char *text;
    uint32_t votes; /* bit i: vote i lists this very text */
};

/* A descriptor that was opened. */
struct tally_descriptor {
    struct descriptor descriptor;
    const char *text;
    uint32_t votes;
};
_Static_assert(AUTHORITIES_MAX <= 32, "each vote has a bit");

static size_t
votes_count(uint32_t votes)
{
    return (size_t)__builtin_popcount(votes);
}

static int
entry_order(const void *a, const void *b)
{
    const struct tally_descriptor *x = a, *y = b;
    int c = memcmp(x->descriptor.relay.identity, y->descriptor.relay.identity,
                   SPHINX_ID_LEN);
    return c ? c : strcmp(x->text, y->text);
}

/* Is the descriptor of this network, and does it have a key for the epoch? */
static bool
descriptor_fits(const struct descriptor *d, const char *network, uint32_t epoch)
{
    return strcmp(d->network, network) == 0 && d->epoch <= epoch &&
           epoch - d->epoch < d->n_keys;
}

static int
text_order(const void *a, const void *b)
{
    return strcmp(((const struct listed_text *)a)->text,
                  ((const struct listed_text *)b)->text);
}

/* Read the descriptor of an entry; *next of the texts that were opened before
 * stand before it, or more. */
static int
entry_open(struct tally_descriptor *e, const struct sphinx_geometry *g,
           const struct tally_opened *opened, size_t *next)
{
    char where[JSON_WHERE_LEN];
    const uint8_t *bytes = (const uint8_t *)e->text;
    const size_t len = strlen(e->text);
    while (*next < opened->n && strcmp(opened->text[*next], e->text) < 0)
        ++*next;
    return *next < opened->n && strcmp(opened->text[*next], e->text) == 0
               ? descriptor_reopen(&e->descriptor, g, bytes, len)
               : descriptor_open(&e->descriptor, g, bytes, len, where);
}

/* Gather all texts of all votes, sorted, each once: an opened descriptor is
 * long, and all votes list the same ones. */
static int
texts_gather(struct vote *const *votes, size_t n, struct listed_text **out,
             size_t *n_out)
{
    size_t room = 0, m = 0, k = 0;
    for (size_t i = 0; i < n; i++)
        room += votes[i]->n;
    struct listed_text *t = calloc(room + 1, sizeof *t);
    *out = t;
    if (!t)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        for (size_t d = 0; d < votes[i]->n; d++)
            t[m++] = (struct listed_text){votes[i]->descriptors[d], 1u << i};
    qsort(t, m, sizeof *t, text_order);
    for (size_t i = 0; i < m; i++)
        if (k > 0 && strcmp(t[k - 1].text, t[i].text) == 0)
            t[k - 1].votes |= t[i].votes;
        else
            t[k++] = t[i];
    *n_out = k;
    return 0;
}

/* Gather all good descriptors of all votes, sorted. Each text is opened once,
 * however often it is listed. */
static int
entries_gather(struct vote *const *votes, size_t n,
               const struct sphinx_geometry *g,
               const struct tally_opened *opened, struct tally_descriptor **out,
               size_t *n_out)
{
    struct listed_text *t;
    size_t next = 0, k = 0, good = 0;
    int err = texts_gather(votes, n, &t, &k);
    *out = err ? NULL : calloc(k + 1, sizeof **out);
    if (!*out)
        err = ERR_NOMEM;
    for (size_t i = 0; i < k && !err; i++) {
        struct tally_descriptor *e = &(*out)[good];
        e->text = t[i].text;
        e->votes = t[i].votes;
        const int one = entry_open(e, g, opened, &next);
        if (one == ERR_NOMEM) /* that is not the descriptor's fault */
            err = one;
        else if (!one && descriptor_fits(&e->descriptor, votes[0]->network,
                                         votes[0]->epoch))
            good++; /* an authority that lists rubbish lists nothing */
    }
    free(t);
    if (good > 0)
        qsort(*out, good, sizeof **out, entry_order);
    *n_out = good;
    return err;
}

/* Find the parameters that more than half voted for. */
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

/* Entries of one relay stand together, from e[i] to before e[*end]. Choose the
 * one most often listed; NULL: fewer list the relay than have to. A vote that
 * lists several of a relay's descriptors lists it once. */
static const struct tally_descriptor *
entry_choose(const struct tally_descriptor *e, size_t n, size_t i,
             size_t n_authorities, size_t *end)
{
    const uint8_t *identity = e[i].descriptor.relay.identity;
    const struct tally_descriptor *best = &e[i];
    uint32_t listed = 0;
    size_t k = i;
    for (; k < n &&
           memcmp(e[k].descriptor.relay.identity, identity, SPHINX_ID_LEN) == 0;
         k++) {
        listed |= e[k].votes;
        if (votes_count(e[k].votes) > votes_count(best->votes))
            best = &e[k];
    }
    *end = k;
    return 2 * votes_count(listed) > n_authorities ? best : NULL;
}

/* Take the relays that enough votes list, and what each says of its links. What
 * one vote alone lists needs no room, however much that is. */
static int
relays_choose(struct consensus *c, const struct tally_descriptor *e, size_t n,
              size_t n_authorities, struct blame_word **word)
{
    const size_t public_len = c->params.geometry.public_len;
    size_t most = 0;
    for (size_t i = 0, end; i < n; i = end)
        most += entry_choose(e, n, i, n_authorities, &end) != NULL;
    c->relays = calloc(most + 1, sizeof *c->relays);
    *word = calloc(most + 1, sizeof **word);
    if (!c->relays || !*word)
        return ERR_NOMEM;
    for (size_t i = 0, end; i < n; i = end) {
        const struct tally_descriptor *best =
            entry_choose(e, n, i, n_authorities, &end);
        /* or it hibernates, as it says of itself */
        if (!best || best->descriptor.hibernates_until_s > c->valid_after_s)
            continue;
        const struct descriptor *d = &best->descriptor;
        (*word)[c->n_relays] = (struct blame_word){d->n_links, d->links};
        struct relay_entry *r = &c->relays[c->n_relays++];
        *r = d->relay;
        memcpy(r->sphinx_key, d->keys[c->epoch - d->epoch], public_len);
    }
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

/* Bound what relays say of their bandwidth. Whoever says too much does not draw
 * a layer's packets: no weight is more than TALLY_WEIGHT_MAX times the median
 * of its role, and half of the role would have to lie to move that. */
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

static unsigned
layer_extreme(const uint64_t *weight, unsigned layers, bool most)
{
    unsigned best = 1;
    for (unsigned i = 2; i <= layers; i++)
        if (most ? weight[i] > weight[best] : weight[i] < weight[best])
            best = i;
    return best;
}

/* The weights of one layer's mixes, by rank: the leaves of a tree whose nodes
 * have the least of those below. What is not in the layer is UINT64_MAX. */
struct weight_tree {
    size_t leaves; /* a power of two */
    uint64_t *least;
};

static void
ladder_set(struct weight_tree *l, size_t rank, uint64_t weight)
{
    size_t at = l->leaves + rank;
    l->least[at] = weight;
    while (at > 1) {
        at /= 2;
        const uint64_t a = l->least[2 * at], b = l->least[2 * at + 1];
        l->least[at] = a < b ? a : b;
    }
}

/* Find the first rank with a weight below `most`; SIZE_MAX when there is none.
 */
static size_t
ladder_first(const struct weight_tree *l, uint64_t most)
{
    size_t at = 1;
    if (l->least[1] >= most)
        return SIZE_MAX;
    while (at < l->leaves)
        at = 2 * at + (l->least[2 * at] >= most);
    return at - l->leaves;
}

/* Move the first relay in rank whose move narrows the gap. Returns whether one
 * moved. */
static bool
layers_narrow(struct consensus *c, const size_t *relay,
              struct weight_tree *ladder, uint64_t *weight)
{
    const unsigned most = layer_extreme(weight, c->params.layers, true);
    const unsigned least = layer_extreme(weight, c->params.layers, false);
    if (weight[most] <= 2 * weight[least])
        return false;
    const size_t rank =
        ladder_first(&ladder[most], weight[most] - weight[least]);
    if (rank == SIZE_MAX)
        return false;
    struct relay_entry *r = &c->relays[relay[rank]];
    const uint64_t w = weight_of(r);
    r->layer = (uint8_t)least;
    weight[most] -= w;
    weight[least] += w;
    ladder_set(&ladder[most], rank, UINT64_MAX);
    ladder_set(&ladder[least], rank, w);
    return true;
}

int
tally_even_out(struct consensus *c, const size_t *relay, size_t n)
{
    const unsigned layers = c->params.layers;
    uint64_t weight[LAYERS_MAX + 1] = {0};
    struct weight_tree ladder[LAYERS_MAX + 1];
    size_t leaves = 1;
    while (leaves < n)
        leaves *= 2;
    uint64_t *all = malloc((layers + 1u) * 2 * leaves * sizeof *all);
    if (!all)
        return ERR_NOMEM;
    memset(all, 0xff, (layers + 1u) * 2 * leaves * sizeof *all);
    for (unsigned i = 0; i <= layers; i++)
        ladder[i] = (struct weight_tree){leaves, &all[i * 2 * leaves]};
    for (size_t i = 0; i < n; i++) {
        const struct relay_entry *r = &c->relays[relay[i]];
        weight[r->layer] += weight_of(r);
        ladder_set(&ladder[r->layer], i, weight_of(r));
    }
    for (size_t moves = 0;
         moves < n && layers_narrow(c, relay, ladder, weight);)
        moves++;
    free(all);
    return 0;
}

/* Find where a relay stood; a relay that is not known came in with the epoch of
 * c. */
static struct standing
standing_of(const struct consensus *c, const struct past *past,
            const struct relay_entry *r)
{
    const struct standing *s = past_find(past, r->identity, r->role);
    struct standing fresh = {.layer = UINT8_MAX,
                             .since = past->is_empty ? 0 : c->epoch};
    if (!s)
        draw_bytes(c, "brusio/1 placement", r->identity, fresh.placement,
                   PLACEMENT_LEN);
    return s ? *s : fresh;
}

static int
layers_assign(struct consensus *c, const struct past *past)
{
    const unsigned layers = c->params.layers;
    uint64_t weight[LAYERS_MAX + 1] = {0};
    struct draw_rank *rank = calloc(c->n_relays + 1, sizeof *rank);
    size_t *relay = calloc(c->n_relays + 1, sizeof *relay), n = 0;
    int err = rank && relay ? 0 : ERR_NOMEM;
    for (size_t i = 0; i < c->n_relays && !err; i++) {
        struct relay_entry *r = &c->relays[i];
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
        rank[n++] = draw_rank(c, "brusio/1 layer", i);
        if (r->layer != UINT8_MAX)
            weight[r->layer] += weight_of(r);
    }
    draw_ranks_sort(rank, n);
    for (size_t i = 0; i < n; i++) {
        struct relay_entry *r = &c->relays[relay[i] = rank[i].relay];
        if (r->layer != UINT8_MAX)
            continue;
        r->layer = (uint8_t)layer_extreme(weight, layers, false);
        weight[r->layer] += weight_of(r);
    }
    if (!err)
        err = tally_even_out(c, relay, n);
    free(rank);
    free(relay);
    return err;
}

/* Take those relays out that have to wait. */
static int
newcomers_limit(struct consensus *c, const struct past *past,
                struct blame_word *word)
{
    bool *waits = calloc(c->n_relays + 1, sizeof *waits);
    size_t n = 0;
    if (!waits)
        return ERR_NOMEM;
    int err = newcomers_find(c, past, waits);
    for (size_t i = 0; i < c->n_relays && !err; i++) {
        if (waits[i])
            continue;
        word[n] = word[i];
        c->relays[n++] = c->relays[i];
    }
    if (!err)
        c->n_relays = n;
    free(waits);
    return err;
}

/* Make relays in their layers from the votes' descriptors. */
static int
relays_make(struct consensus *c, struct vote *const *votes, size_t n,
            size_t n_authorities, const struct tally_opened *opened)
{
    struct past past = {0};
    struct tally_descriptor *e = NULL;
    struct blame_word *word = NULL;
    size_t n_entries = 0;
    int err =
        entries_gather(votes, n, &c->params.geometry, opened, &e, &n_entries);
    if (!err)
        err = relays_choose(c, e, n_entries, n_authorities, &word);
    if (!err)
        err = past_make(&past, votes, n, schedule_faults(n_authorities) + 1, c);
    if (!err)
        err = newcomers_limit(c, &past, word);
    if (!err && c->n_relays > RELAYS_MAX)
        err = ERR_RANGE; /* of those that were there: strangers wait */
    if (!err)
        err = bandwidths_bound(c);
    if (!err)
        err = layers_assign(c, &past);
    if (!err)
        err = past_away(&past, c);
    if (!err)
        err = blame_judge(c, word);
    past_free(&past);
    free(word);
    free(e);
    return err;
}

/* Gather the newest certificate of each authority that some vote's dealing has.
 * The identity has signed it, so one vote that has it is enough, and no vote
 * can invent one. */
static void
certificates_gather(struct consensus *c, struct vote *const *votes, size_t n,
                    const uint8_t (*ids)[SPHINX_ID_LEN], size_t n_ids)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < votes[i]->dealing.n; k++) {
            const struct vote_holder *h = &votes[i]->holder[k];
            const struct certificate *known =
                certificates_find(&c->certificates, h->identity);
            bool listed = false;
            for (size_t m = 0; m < n_ids; m++)
                listed |= memcmp(ids[m], h->identity, SPHINX_ID_LEN) == 0;
            if (listed && !(known && !certificate_is_newer(&h->cert, known)) &&
                certificate_covers(&h->cert, c->valid_after_s) &&
                certificate_check(&h->cert, h->identity) == 0)
                certificates_note(&c->certificates, h->identity, &h->cert,
                                  c->valid_after_s);
        }
}

int
tally_votes(struct consensus **out, struct vote *const *votes, size_t n,
            const uint8_t (*ids)[SPHINX_ID_LEN], size_t n_authorities,
            const uint8_t random[static 32], uint64_t valid_after_s,
            const struct tally_opened *opened)
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
    certificates_gather(c, votes, n, ids, n_authorities);
    int err = relays_make(c, votes, n, n_authorities, opened);
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
