/* tests/unit/test_authority.c - authorities agree on a consensus. */
#include "tests/runner.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory/authority.h"
#include "directory/descriptor.h"
#include "tests/network.h"

enum { MAX = 7, LEN_S = 40, GENESIS = 1800000100 };

struct house;

/* One authority, what it made, and what reaches it. */
struct seat {
    struct house *house;
    size_t number;
    struct test_env env;
    struct authority *authority; /* NULL: down */
    uint8_t seed[32];
    uint8_t *vote, *consensus; /* kept */
    size_t vote_len, consensus_len;
    uint32_t epoch;
    bool mute; /* nothing it sends arrives */
};

struct house {
    size_t n;
    struct network network;
    struct params params;
    struct seat seat[MAX];
    uint64_t now_s;
};

static void
keep(uint8_t **to, size_t *to_len, const uint8_t *bytes, size_t len)
{
    free(*to);
    *to = malloc(len);
    assert_non_null(*to);
    memcpy(*to, bytes, len);
    *to_len = len;
}

static void
publish(void *ctx, enum authority_output what, uint32_t epoch,
        const uint8_t *bytes, size_t len)
{
    struct seat *s = ctx;
    struct house *h = s->house;
    if (what == AUTHORITY_VOTE)
        keep(&s->vote, &s->vote_len, bytes, len);
    if (what == AUTHORITY_CONSENSUS) {
        keep(&s->consensus, &s->consensus_len, bytes, len);
        s->epoch = epoch;
        return;
    }
    for (size_t i = 0; i < h->n; i++) {
        struct seat *to = &h->seat[i];
        if (i == s->number || !to->authority || s->mute)
            continue;
        if (what == AUTHORITY_SIGNATURE)
            (void)!authority_signature(to->authority, bytes, len);
        else
            (void)!authority_vote(to->authority, bytes, len);
    }
}

static bool
admit(void *ctx, const struct descriptor *d)
{
    (void)ctx;
    return d->relay.identity[0] != 0xee || d->relay.bandwidth != 13;
}

static void
seat_start(struct seat *s)
{
    struct authority_config config = {.env = &s->env.env,
                                      .seed = s->seed,
                                      .network = &s->house->network,
                                      .params = s->house->params,
                                      .admit = admit,
                                      .publish = publish,
                                      .ctx = s};
    s->env.wall_s = s->house->now_s;
    assert_int_equal(authority_new(&s->authority, &config), 0);
}

static void
house_make(struct house *h, size_t n)
{
    memset(h, 0, sizeof *h);
    h->n = n;
    h->now_s = GENESIS - LEN_S;
    strcpy(h->network.name, "test");
    h->network.genesis_s = GENESIS;
    h->network.epoch_len_s = LEN_S;
    h->network.n_authorities = n;
    params_default(&h->params, LEN_S);
    for (size_t i = 0; i < n; i++) {
        struct seat *s = &h->seat[i];
        uint8_t secret[64];
        s->house = h;
        s->number = i;
        memset(s->seed, (int)(i + 1), sizeof s->seed);
        test_env_init(&s->env, test_seed() + i);
        crypto_sign_seed_keypair(h->network.authorities[i].identity, secret,
                                 s->seed);
    }
    for (size_t i = 0; i < n; i++)
        seat_start(&h->seat[i]);
}

static void
house_free(struct house *h)
{
    for (size_t i = 0; i < h->n; i++) {
        authority_free(&h->seat[i].authority);
        free(h->seat[i].vote);
        free(h->seat[i].consensus);
    }
}

/* Let wall time pass, a second at a time. */
static void
house_run(struct house *h, uint64_t until_s)
{
    for (; h->now_s < until_s; h->now_s++)
        for (size_t i = 0; i < h->n; i++) {
            struct seat *s = &h->seat[i];
            s->env.wall_s = h->now_s;
            s->env.mono_us += 1000000;
            if (s->authority)
                authority_tick(s->authority);
        }
}

/* A relay says it is there; returns what seat 0 says. */
static int
relay_upload_until(struct house *h, uint8_t number, uint8_t role,
                   uint32_t epoch, uint32_t bandwidth, size_t seats,
                   uint64_t hibernates_until_s)
{
    struct descriptor d = {.epoch = epoch,
                           .n_keys = KEYS_AHEAD,
                           .hibernates_until_s = hibernates_until_s};
    uint8_t seed[32] = {0xee, number}, secret[64], *bytes;
    char where[JSON_WHERE_LEN];
    size_t len;
    int err = 0;
    strcpy(d.network, "test");
    crypto_sign_seed_keypair(d.relay.identity, secret, seed);
    d.relay.role = role;
    d.relay.protocol_min = d.relay.protocol_max = 1;
    d.relay.bandwidth = bandwidth;
    d.relay.n_addresses = 1;
    snprintf(d.relay.addresses[0], ADDRESS_MAX, "127.0.0.1:%u", 9000u + number);
    for (uint8_t i = 0; i < KEYS_AHEAD; i++) {
        uint8_t key_seed[32] = {number, (uint8_t)(epoch + i)};
        assert_int_equal(
            sphinx_keypair(&h->params.geometry, d.keys[i], key_seed), 0);
    }
    assert_int_equal(
        descriptor_sign(&d, h->params.geometry.public_len, seed, &bytes, &len),
        0);
    for (size_t i = seats; i-- > 0;)
        if (h->seat[i].authority)
            err = authority_descriptor(h->seat[i].authority, bytes, len, where);
    free(bytes);
    return err;
}

static int
relay_upload(struct house *h, uint8_t number, uint8_t role, uint32_t epoch,
             uint32_t bandwidth, size_t seats)
{
    return relay_upload_until(h, number, role, epoch, bandwidth, seats, 0);
}

static void
relays_upload(struct house *h, uint32_t epoch, size_t seats)
{
    for (uint8_t i = 0; i < 2; i++)
        assert_int_equal(relay_upload(h, i, ROLE_GATEWAY, epoch, 100, seats),
                         0);
    for (uint8_t i = 2; i < 11; i++)
        assert_int_equal(relay_upload(h, i, ROLE_MIX, epoch, 100, seats), 0);
    for (uint8_t i = 11; i < 13; i++)
        assert_int_equal(relay_upload(h, i, ROLE_STORE, epoch, 100, seats), 0);
}

static struct consensus *
consensus_open(const struct house *h, const struct seat *s)
{
    uint8_t ids[MAX][32];
    char where[JSON_WHERE_LEN];
    struct document d;
    struct consensus *c;
    for (size_t i = 0; i < h->n; i++)
        memcpy(ids[i], h->network.authorities[i].identity, 32);
    assert_non_null(s->consensus);
    assert_int_equal(document_open(&d, DOCUMENT_CONSENSUS, s->consensus,
                                   s->consensus_len, (const uint8_t(*)[32])ids,
                                   h->n, document_two_thirds(h->n)),
                     0);
    assert_int_equal(json_read_consensus(&c, d.body, d.body_len, where), 0);
    document_digest(&d, c->digest);
    return c;
}

/* Three epochs: the schedule, the layers, what stays and what changes. */
static void
agree(size_t n)
{
    static struct house h;
    struct consensus *before = NULL;
    house_make(&h, n);
    for (uint32_t epoch = 1; epoch <= 3; epoch++) {
        uint64_t start_s = GENESIS + (epoch - 1) * LEN_S;
        relays_upload(&h, epoch, n);
        house_run(&h, start_s - 2); /* publish: 5 % of 40 s before */
        assert_true(h.seat[0].epoch == epoch - 1);
        house_run(&h, start_s);
        struct consensus *c = consensus_open(&h, &h.seat[0]);
        assert_int_equal(c->epoch, epoch);
        assert_true(c->valid_after_s == start_s);
        assert_int_equal(c->n_relays, 13);
        for (unsigned layer = 0; layer <= 4; layer++) {
            size_t count;
            consensus_layer(c, layer, &count);
            assert_int_equal(count, layer == 0 || layer == 4 ? 2 : 3);
        }
        for (size_t i = 1; i < n; i++) {
            struct consensus *other = consensus_open(&h, &h.seat[i]);
            assert_memory_equal(c->digest, other->digest, 32);
            consensus_free(&other);
        }
        for (size_t i = 0; before && i < c->n_relays; i++) {
            assert_int_equal(c->relays[i].layer, before->relays[i].layer);
            assert_memory_equal(c->relays[i].placement,
                                before->relays[i].placement, 32);
            assert_memory_not_equal(c->relays[i].sphinx_key,
                                    before->relays[i].sphinx_key, 32);
        }
        assert_true(!before ||
                    memcmp(before->shared_random, c->shared_random, 32) != 0);
        consensus_free(&before);
        before = c;
        house_run(&h, start_s + 1);
    }
    consensus_free(&before);
    house_free(&h);
}

static void
one_agrees(void **state)
{
    (void)state;
    agree(1);
}

static void
four_agree(void **state)
{
    (void)state;
    agree(4);
}

/* Three of four are enough, two are not. */
static void
thresholds(void **state)
{
    (void)state;
    for (size_t down = 0; down <= 2; down++) {
        static struct house h;
        house_make(&h, 4);
        relays_upload(&h, 1, 4);
        for (size_t i = 0; i < down; i++)
            authority_free(&h.seat[3 - i].authority);
        house_run(&h, GENESIS + 1);
        assert_int_equal(h.seat[0].epoch, down <= 1 ? 1 : 0);
        house_free(&h);
    }
}

/* A relay is in when more than half list it; one that is not admitted never. */
static void
half_have_to_list(void **state)
{
    (void)state;
    static struct house h;
    house_make(&h, 4);
    relays_upload(&h, 1, 4);
    assert_int_equal(relay_upload(&h, 50, ROLE_MIX, 1, 100, 2), 0);
    assert_int_equal(relay_upload(&h, 51, ROLE_MIX, 1, 100, 3), 0);
    house_run(&h, GENESIS + 1);
    struct consensus *c = consensus_open(&h, &h.seat[0]);
    assert_int_equal(c->n_relays, 14);
    consensus_free(&c);
    house_free(&h);
}

/* One that hibernates is left out until then, whoever lists it; its older word
 * is not listened to any more. */
static void
hibernation_is_kept(void **state)
{
    (void)state;
    for (uint64_t late = 0; late < 2; late++) {
        static struct house h;
        house_make(&h, 4);
        relays_upload(&h, 1, 4);
        assert_int_equal(relay_upload(&h, 50, ROLE_MIX, 1, 100, 4), 0);
        assert_int_equal(
            relay_upload_until(&h, 50, ROLE_MIX, 1, 100, 4, GENESIS + late), 0);
        house_run(&h, GENESIS + 1);
        struct consensus *c = consensus_open(&h, &h.seat[0]);
        assert_int_equal(c->n_relays, late ? 13 : 14);
        consensus_free(&c);
        house_free(&h);
    }
}

static void
descriptors_are_judged(void **state)
{
    (void)state;
    static struct house h;
    house_make(&h, 1);
    assert_int_equal(relay_upload(&h, 1, ROLE_MIX, 1, 100, 1), 0);
    assert_int_equal(relay_upload(&h, 1, ROLE_MIX, 2, 100, 1), 0);
    assert_int_equal(relay_upload(&h, 1, ROLE_MIX, 1, 100, 1), 0);
    assert_int_equal(relay_upload(&h, 1, ROLE_MIX, 9, 100, 1), ERR_FUTURE);
    strcpy(h.network.name, "other");
    authority_free(&h.seat[0].authority);
    seat_start(&h.seat[0]);
    assert_int_equal(relay_upload(&h, 1, ROLE_MIX, 1, 100, 1), ERR_FOREIGN);
    struct authority_status s;
    authority_status(h.seat[0].authority, &s);
    assert_int_equal(s.refused[-ERR_FOREIGN], 1);
    house_free(&h);
}

/* Whoever votes twice is excluded, also when the others learn of it from each
 * other: seat 3's second vote reaches seat 0 alone. */
static void
two_votes_exclude(void **state)
{
    (void)state;
    static struct house h, twin;
    house_make(&h, 4);
    house_make(&twin, 4);
    twin.seat[3].env.env = h.seat[3].env.env;
    for (size_t i = 0; i < 3; i++)
        twin.seat[i].mute = true;
    relays_upload(&h, 1, 4);
    relays_upload(&twin, 1, 3); /* the second vote lists less */
    twin.seat[3].mute = true;
    house_run(&twin, GENESIS - 5);
    house_run(&h, GENESIS - 5);
    assert_non_null(twin.seat[3].vote);
    assert_int_equal(authority_vote(h.seat[0].authority, twin.seat[3].vote,
                                    twin.seat[3].vote_len),
                     ERR_CONFLICT);
    struct authority_status s;
    house_run(&h, GENESIS + 1);
    authority_status(h.seat[0].authority, &s);
    assert_int_equal(s.votes, 3);
    house_free(&h);
    house_free(&twin);
}

/* I9: an authority that died after its vote comes back with the same vote and
 * the epoch is not missed. */
static void
i9_a_restart_misses_nothing(void **state)
{
    (void)state;
    static struct house h;
    house_make(&h, 1);
    struct seat *s = &h.seat[0];
    relays_upload(&h, 1, 1);
    house_run(&h, GENESIS + 1);
    assert_int_equal(s->epoch, 1);
    relays_upload(&h, 2, 1);
    house_run(&h, GENESIS + LEN_S - 4); /* it has voted */
    uint8_t *vote = NULL;
    size_t vote_len;
    keep(&vote, &vote_len, s->vote, s->vote_len);
    authority_free(&s->authority);
    seat_start(s);
    assert_int_equal(authority_load(s->authority, AUTHORITY_CONSENSUS,
                                    s->consensus, s->consensus_len),
                     0);
    assert_int_equal(
        authority_load(s->authority, AUTHORITY_VOTE, vote, vote_len), 0);
    house_run(&h, GENESIS + LEN_S + 1);
    assert_int_equal(s->epoch, 2);
    assert_int_equal(s->vote_len, vote_len);
    assert_memory_equal(s->vote, vote, vote_len);
    struct consensus *c = consensus_open(&h, s);
    assert_int_equal(c->n_relays, 13);
    consensus_free(&c);
    free(vote);
    house_free(&h);
}

/* New mixes go where bandwidth is least; a layer left behind gets relays. */
static void
layers_stay_even(void **state)
{
    (void)state;
    static struct house h;
    house_make(&h, 1);
    relays_upload(&h, 1, 1);
    house_run(&h, GENESIS + 1);
    struct consensus *c = consensus_open(&h, &h.seat[0]);
    /* all mixes of layer 1 leave: they upload no more, and keys run out */
    uint8_t gone[3], n = 0;
    for (uint8_t k = 2; k < 11; k++) {
        uint8_t seed[32] = {0xee, k}, id[32], secret[64];
        crypto_sign_seed_keypair(id, secret, seed);
        if (c->relays[consensus_find(c, id)].layer == 1)
            gone[n++] = k;
    }
    assert_int_equal(n, 3);
    consensus_free(&c);
    for (uint32_t epoch = 2; epoch <= 5; epoch++) {
        for (uint8_t k = 0; k < 13; k++)
            if (k != gone[0] && k != gone[1] && k != gone[2])
                assert_int_equal(relay_upload(&h, k,
                                              k < 2    ? ROLE_GATEWAY
                                              : k < 11 ? ROLE_MIX
                                                       : ROLE_STORE,
                                              epoch, 100, 1),
                                 0);
        house_run(&h, GENESIS + (epoch - 1) * LEN_S + 1);
        assert_int_equal(h.seat[0].epoch, epoch);
    }
    c = consensus_open(&h, &h.seat[0]);
    assert_int_equal(c->n_relays, 10);
    for (unsigned layer = 1; layer <= 3; layer++) {
        size_t count;
        consensus_layer(c, layer, &count);
        assert_in_range(count, 1, 3);
    }
    consensus_free(&c);
    house_free(&h);
}

static void
network_files_go_round(void **state)
{
    (void)state;
    struct network n = {.genesis_s = 5, .epoch_len_s = 30, .n_authorities = 2};
    struct network back;
    char *text, where[JSON_WHERE_LEN];
    size_t len;
    sphinx_geometry_default(&n.geometry);
    strcpy(n.name, "here");
    n.authorities[1].identity[0] = 9;
    strcpy(n.authorities[0].address, "127.0.0.1:7000");
    strcpy(n.authorities[1].address, "127.0.0.1:7001");
    n.n_gateways = 1;
    strcpy(n.gateways[0].address, "[::1]:7100");
    assert_int_equal(json_write_network(&n, &text, &len), 0);
    assert_int_equal(json_read_network(&back, (uint8_t *)text, len, where), 0);
    assert_memory_equal(&n, &back, sizeof n);
    free(text);
    n.authorities[1].identity[0] = 0;
    assert_int_equal(json_write_network(&n, &text, &len), 0);
    assert_int_equal(json_read_network(&back, (uint8_t *)text, len, where),
                     ERR_DUPLICATE);
    assert_string_equal(where, "authorities");
    free(text);
    n.authorities[1].identity[0] = 9;
    n.geometry.suite = 9;
    assert_int_equal(json_write_network(&n, &text, &len), 0);
    assert_int_equal(json_read_network(&back, (uint8_t *)text, len, where),
                     ERR_SUITE);
    assert_string_equal(where, "geometry");
    free(text);
}

const struct CMUnitTest test_authority[] = {
    cmocka_unit_test(one_agrees),
    cmocka_unit_test(four_agree),
    cmocka_unit_test(thresholds),
    cmocka_unit_test(half_have_to_list),
    cmocka_unit_test(hibernation_is_kept),
    cmocka_unit_test(descriptors_are_judged),
    cmocka_unit_test(two_votes_exclude),
    cmocka_unit_test(i9_a_restart_misses_nothing),
    cmocka_unit_test(layers_stay_even),
    cmocka_unit_test(network_files_go_round),
};
TEST_SUITE(test_authority);
