/* sim/engine/net.c - keys from a seed, and a consensus of them.
 *
 * Every relay's packet key and identity comes from the plan's seed and its
 * number, so that tests can be who they like. The consensus is filled from the
 * plan, signed by one authority, whose key is known, too, and written as
 * authorities write it: clients read the document, relays take the structure.
 *
 * State: the consensus and its document, one epoch at a time; sim_net_next()
 * makes the next one of the same relays. Failure modes: what a consensus may
 * not have is refused (ERR_RANGE, ERR_SUITE); no memory. */
#include "sim/engine/net.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rng_seeded.h"
#include "network/document.h"
#include "network/json.h"
#include "sphinx/null.h"

enum { FIRST_EPOCH = 7, FIRST_S = 1800000000, PACKET_LEN = 2048 };
enum { DELAY_UNIT_US = 1000, BANDWIDTH = 1000, FIRST_PORT = 7000 };

static int
relay_make(struct sim_net *n, size_t i, unsigned layer,
           const struct sim_net_plan *plan)
{
    struct relay_entry *e = &n->consensus->relays[i];
    struct rng_seeded rng;
    /* one stream a relay; a multiple of the seed keeps those of near seeds
     * apart */
    rng_seeded_init_u64(&rng, plan->seed * 0x9e3779b97f4a7c15u ^ i, "relay");
    rng_seeded_bytes(&rng, n->identity_seed[i], sizeof n->identity_seed[i]);
    rng_seeded_bytes(&rng, e->placement, sizeof e->placement);
    rng_seeded_bytes(&rng, n->seed[i], SPHINX_SEED_LEN);
    e->layer = (uint8_t)layer;
    e->role = layer == 0                          ? ROLE_GATEWAY
              : layer == plan->params.layers + 1u ? ROLE_STORE
                                                  : ROLE_MIX;
    e->counts = e->role == ROLE_STORE ? DAYS_COUNTS_ALL : 0;
    e->protocol_min = e->protocol_max = 1;
    e->bandwidth = plan->bandwidth ? plan->bandwidth[i] : BANDWIDTH;
    e->n_addresses = 1;
    snprintf(e->addresses[0], ADDRESS_MAX, "127.0.0.1:%u",
             FIRST_PORT + (unsigned)i);
    if (plan->family && plan->family[i])
        memset(e->family, plan->family[i], sizeof e->family);
    if (plan->zero_key && plan->zero_key[i])
        return 0;
    return sphinx_keypair(&n->consensus->params.geometry, e->sphinx_key,
                          n->seed[i]);
}

/* The public part of an identity, and its seed. */
struct identity {
    uint8_t key[SPHINX_ID_LEN], seed[32];
};

static int
identity_order(const void *a, const void *b)
{
    return memcmp(a, b, SPHINX_ID_LEN);
}

/* A consensus is sorted by identity, and here by layer as well: each relay gets
 * the next smallest of all identities that were drawn. */
static int
identities_make(struct sim_net *n)
{
    struct consensus *c = n->consensus;
    struct identity *id = calloc(c->n_relays + 1, sizeof *id);
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    if (!id)
        return ERR_NOMEM;
    for (size_t i = 0; i < c->n_relays; i++) {
        memcpy(id[i].seed, n->identity_seed[i], sizeof id[i].seed);
        crypto_sign_seed_keypair(id[i].key, secret, id[i].seed);
    }
    qsort(id, c->n_relays, sizeof *id, identity_order);
    for (size_t i = 0; i < c->n_relays; i++) {
        memcpy(c->relays[i].identity, id[i].key, SPHINX_ID_LEN);
        memcpy(n->identity_seed[i], id[i].seed, sizeof id[i].seed);
    }
    free(id);
    return 0;
}

static uint32_t
layer_width(const struct sim_net_plan *plan, unsigned layer)
{
    return layer == 0                          ? plan->gateways
           : layer == plan->params.layers + 1u ? plan->stores
                                               : plan->widths[layer - 1];
}

static int
relays_make(struct sim_net *n, const struct sim_net_plan *plan)
{
    size_t i = 0;
    for (unsigned layer = 0; layer <= plan->params.layers + 1u; layer++)
        for (uint32_t k = 0; k < layer_width(plan, layer); k++) {
            int err = relay_make(n, i++, layer, plan);
            if (err)
                return err;
        }
    int err = identities_make(n);
    return err ? err : consensus_index(n->consensus);
}

/* Give c its shared value, which is drawn by the number of its epoch, and the
 * values of days that follow `before`, those of before_period. */
static void
days_go_on(struct consensus *c, const struct days *before,
           uint32_t before_period)
{
    struct rng_seeded rng;
    rng_seeded_init_u64(&rng, c->epoch, "days");
    rng_seeded_bytes(&rng, c->shared_random, sizeof c->shared_random);
    days_next(&c->days, consensus_period(c),
              days_keep(c->params.letter_days, c->params.period_s),
              c->shared_random, before, before_period);
}

int
sim_net_make(struct sim_net *n, const struct sim_net_plan *plan)
{
    const uint8_t hops = (uint8_t)(plan->params.layers + 2);
    struct consensus *c = calloc(1, sizeof *c);
    int err = 0;
    *n = (struct sim_net){.consensus = c};
    if (!c)
        return ERR_NOMEM;
    if (plan->suite == SPHINX_SUITE_NULL)
        sphinx_null_register();
    strcpy(c->network, "test");
    c->epoch = FIRST_EPOCH;
    c->valid_after_s = FIRST_S;
    c->params = plan->params;
    days_go_on(c, NULL, 0);
    for (unsigned layer = 0; layer <= plan->params.layers + 1u; layer++)
        c->n_relays += layer_width(plan, layer);
    if (plan->params.layers > LAYERS_MAX || c->n_relays > RELAYS_MAX)
        err = ERR_RANGE;
    else
        err = sphinx_geometry_init(&c->params.geometry, plan->suite, hops,
                                   PACKET_LEN, DELAY_UNIT_US);
    if (err)
        goto out;
    c->relays = calloc(c->n_relays + 1, sizeof *c->relays);
    n->seed = calloc(c->n_relays + 1, sizeof *n->seed);
    n->identity_seed = calloc(c->n_relays + 1, sizeof *n->identity_seed);
    err = c->relays && n->seed && n->identity_seed ? relays_make(n, plan)
                                                   : ERR_NOMEM;
    if (!err)
        err = sim_net_sign(n);
out:
    if (err)
        sim_net_free(n);
    return err;
}

int
sim_net_sign(struct sim_net *n)
{
    static const uint8_t seed[DOCUMENT_SIGN_SEED_LEN] = {0xa1};
    struct document *d = calloc(1, sizeof *d);
    struct document_key key;
    char *body = NULL;
    if (!d)
        return ERR_NOMEM;
    free(n->document);
    n->document = NULL;
    d->kind = DOCUMENT_CONSENSUS;
    int err = json_write_consensus(n->consensus, &body, &d->body_len);
    if (err)
        goto out;
    d->body = (const uint8_t *)body;
    document_key_direct(&key, seed);
    memcpy(n->authority, key.identity, sizeof n->authority);
    err = document_sign(d, &key);
    if (!err)
        err = document_write(d, &n->document, &n->document_len);
    if (err)
        goto out;
    document_digest(d, n->consensus->digest);
out:
    free(body);
    free(d);
    return err;
}

/* What clients will read. */
static int
read_back(const struct sim_net *n, struct consensus **out)
{
    char where[JSON_WHERE_LEN];
    struct document *d = calloc(1, sizeof *d); /* too large for a stack */
    *out = NULL;
    if (!d)
        return ERR_NOMEM;
    int err =
        document_parse(d, DOCUMENT_CONSENSUS, n->document, n->document_len);
    if (!err)
        err = json_read_consensus(out, d->body, d->body_len, where);
    if (!err)
        document_digest(d, (*out)->digest);
    free(d);
    return err;
}

int
sim_net_check(const struct sim_net *n)
{
    struct consensus *c;
    int err = read_back(n, &c);
    consensus_free(&c);
    return err;
}

/* Change the consensus that was made for n, and sign it as changed. */
static int
next_change(struct sim_net *n)
{
    if (!n->change)
        return 0;
    n->change(n->change_ctx, n->consensus);
    int err = consensus_index(n->consensus);
    return err ? err : sim_net_sign(n);
}

int
sim_net_next(struct sim_net *n, struct consensus **old)
{
    struct consensus *next = NULL, *was = n->consensus;
    uint8_t digest[SPHINX_DIGEST_LEN], random[DAYS_VALUE_LEN];
    const struct days days = was->days;
    const uint32_t period = consensus_period(was);
    memcpy(digest, was->digest, sizeof digest);
    memcpy(random, was->shared_random, sizeof random);
    was->epoch++;
    was->valid_after_s += was->params.epoch_len_s;
    days_go_on(was, &days, period);
    int err = sim_net_sign(n);
    if (!err)
        err = read_back(n, &next);
    /* what everybody points to is as it was */
    was->epoch--;
    was->days = days;
    was->valid_after_s -= was->params.epoch_len_s;
    memcpy(was->digest, digest, sizeof digest);
    memcpy(was->shared_random, random, sizeof random);
    if (err)
        return err;
    n->consensus = next;
    err = next_change(n);
    if (err) {
        consensus_free(&n->consensus);
        n->consensus = was;
        return err;
    }
    *old = was;
    return 0;
}

void
sim_net_free(struct sim_net *n)
{
    consensus_free(&n->consensus);
    free(n->seed);
    free(n->identity_seed);
    free(n->document);
    *n = (struct sim_net){0};
}
