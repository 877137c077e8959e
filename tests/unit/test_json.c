/* tests/unit/test_json.c - bodies of documents. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "lib/rng_seeded.h"
#include "network/json.h"
#include "tests/network.h"

static int
by_identity(const void *a, const void *b)
{
    return memcmp(((const struct relay_entry *)a)->identity,
                  ((const struct relay_entry *)b)->identity, SPHINX_ID_LEN);
}

static const uint16_t cut_a[] = {0, 2}, cut_b[] = {2, 4};

static void
body_make(char **body, size_t *len)
{
    struct sim_net n;
    test_network_make(&n, SPHINX_SUITE_X25519, 2, 3, 2, 2);
    struct consensus *c = n.consensus;
    qsort(c->relays, c->n_relays, sizeof *c->relays, by_identity);
    strcpy(c->relays[3].addresses[1], "[2001:db8::1]:7100");
    c->relays[3].n_addresses = 2;
    test_network_blame(&n, cut_a, cut_b, 2, 5);
    assert_int_equal(json_write_consensus(c, body, len), 0);
    test_network_free(&n);
}

static int
read_text(const char *text, size_t len, char *where)
{
    struct consensus *c;
    int err = json_read_consensus(&c, (const uint8_t *)text, len, where);
    assert_true((c == NULL) == (err != 0));
    consensus_free(&c);
    return err;
}

static void
consensus_round_trip(void **state)
{
    (void)state;
    char *body, *again, where[JSON_WHERE_LEN];
    size_t len, len2;
    struct consensus *c;
    body_make(&body, &len);
    assert_int_equal(json_read_consensus(&c, (const uint8_t *)body, len, where),
                     0);
    assert_string_equal(c->network, "test");
    assert_int_equal(c->epoch, 7);
    assert_int_equal(c->n_relays, 10);
    assert_int_equal(c->params.n_profiles, 3);
    assert_string_equal(c->params.profiles[2].name, "fast");
    assert_int_equal(c->params.geometry.header_len, 325);
    assert_int_equal(c->params.boards, 4);
    assert_int_equal(c->params.conversations.hold_max_s, 1200);
    assert_int_equal(c->boards.n, 2); /* of the two stores that there are */
    assert_string_equal(c->relays[3].addresses[1], "[2001:db8::1]:7100");
    size_t n;
    consensus_layer(c, 4, &n);
    assert_int_equal(n, 2);
    consensus_layer(c, 2, &n); /* but the one that is left out */
    assert_int_equal(n, 1);
    assert_true(c->relays[5].out && !c->relays[4].out);
    assert_int_equal(consensus_left_out(c, c->relays[5].identity), 501);
    for (uint16_t a = 0; a < 10; a++)
        for (uint16_t b = 0; b < 10; b++)
            assert_int_equal(consensus_is_cut(c, a, b),
                             (a + b == 2 && a != b) ||
                                 (a + b == 6 && a * b == 8));
    assert_int_equal(json_write_consensus(c, &again, &len2), 0);
    assert_int_equal(len, len2);
    assert_memory_equal(body, again, len);
    consensus_free(&c);
    free(body);
    free(again);
}

/* Replace `from` (which must be there) by `to`. */
static int
edited(const char *body, const char *from, const char *to, char *where)
{
    const char *at = strstr(body, from);
    assert_non_null(at);
    size_t head = (size_t)(at - body);
    char *text = malloc(strlen(body) + strlen(to) + 1);
    assert_non_null(text);
    memcpy(text, body, head);
    strcpy(text + head, to);
    strcat(text, at + strlen(from));
    int err = read_text(text, strlen(text), where);
    free(text);
    return err;
}

static void
wrong_values_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *where;
        int err;
    } row[] = {
        {"\"cut\":[", "\"cut\":[0,", "cut", ERR_RANGE},
        {"\"cut\":[", "\"cut\":[0,\"1\",", "cut", ERR_FORMAT},
        {"\"cut\":[", "\"cut\":[0,-1,", "cut", ERR_RANGE},
        {"\"cut\":[", "\"cut\":[0,16384,", "cut", ERR_RANGE},
        {"\"cut\":[", "\"cut\":[0,1,", "layer", ERR_RANGE}, /* one layer */
        {"\"cut\":[", "\"cut\":[2,0,", "layer", ERR_RANGE},
        {"\"cut\":[", "\"cut\":[0,10,", "layer", ERR_RANGE}, /* nobody */
        {"\"cut\":[0,2,", "\"cut\":[0,2,0,2,", "layer", ERR_RANGE},
        {"\"cut\":[0,2,2,4]", "\"cut\":[2,4,0,2]", "layer", ERR_RANGE},
        {"\"cut_permille\":501", "\"cut_permille\":1001", "cut_permille",
         ERR_RANGE},
        {"\"left_out\":[{\"cut_permille\":501,\"identity\":\"",
         "\"left_out\":[{\"cut_permille\":501,\"identity\":\"f", "identity",
         ERR_FORMAT},
        {"\"epoch\":7", "\"epoch\":7.5", "epoch", ERR_FORMAT},
        {"\"epoch\":7", "\"epoch\":-7", "epoch", ERR_RANGE},
        {"\"epoch\":7", "\"epoch\":\"7\"", "epoch", ERR_FORMAT},
        {"\"epoch\":7,", "", "epoch", ERR_MISSING},
        {"\"epoch\":7", "\"epoch\":7,\"epoch\":7", "JSON", ERR_FORMAT},
        {"\"epoch\":7", "\"epoch\": 7", "not canonical", ERR_FORMAT},
        {"\"epoch\":7", "\"epoch\":7,\"fpoch\":1", "network", ERR_UNKNOWN},
        {"\"layers\":3", "\"layers\":0", "layers", ERR_RANGE},
        {"\"mix_strategy\":1", "\"mix_strategy\":5", "mix_strategy", ERR_RANGE},
        {"\"layers\":3", "\"layers\":4", "geometry", ERR_RANGE},
        {"\"suite\":1", "\"suite\":9", "geometry", ERR_SUITE},
        {"\"network\":\"test\"", "\"network\":\"\"", "network", ERR_FORMAT},
        {"\"network\":\"test\"", "\"network\":\"a b\"", "network", ERR_FORMAT},
        {"\"network\":\"test\"",
         "\"network\":\"0123456789012345678901234567890123456789\"", "network",
         ERR_LONG},
        {"\"role\":2", "\"role\":3", "layer", ERR_RANGE},
        {"\"addresses\":[\"127", "\"addresses\":[],\"x\":[\"127", "addresses",
         ERR_RANGE},
        {"\"days\":[\"", "\"days\":[\"0", "days", ERR_FORMAT},
        {"\"days\":[\"", "\"days\":[7,\"", "days", ERR_FORMAT},
        {"\"days\":[", "\"dayr\":[", "days", ERR_MISSING},
        {"\"since\":0", "\"since\":-1", "since", ERR_RANGE},
        {"\"since\":0", "\"since\":4294967280", "since", ERR_RANGE},
        {"\"counts\":0", "\"counts\":65536", "counts", ERR_RANGE},
        {"\"store_trial_epochs\":24", "\"store_trial_epochs\":10001",
         "store_trial_epochs", ERR_RANGE},
        {"\"newcomer_permille\":100", "\"newcomer_permille\":0",
         "newcomer_permille", ERR_RANGE},
        {"\"work_bits\":4", "\"work_bits\":25", "work_bits", ERR_RANGE},
        {"\"profiles\":[{", "\"profiles\":[{\"a\":1,", "name", ERR_UNKNOWN},
        {"\"boards\":4", "\"boards\":5", "boards", ERR_RANGE},
        {"\"boards\":4,", "", "boards", ERR_MISSING},
        {"\"list_interval_ms\":2000", "\"list_interval_ms\":499",
         "list_interval_ms", ERR_RANGE},
        {"\"list_interval_ms\":2000", "\"list_interval_ms\":60001",
         "list_interval_ms", ERR_RANGE},
        {"\"list_entries\":40", "\"list_entries\":0", "list_entries",
         ERR_RANGE},
        {"\"list_entries\":40", "\"list_entries\":385", "list_entries",
         ERR_RANGE},
        {"\"announce_bits\":16", "\"announce_bits\":25", "announce_bits",
         ERR_RANGE},
        {"\"conversations\":{", "\"conversation\":{", "fronts", ERR_FORMAT},
        {"\"conversations\":{", "\"conversations\":{\"a\":1,", "fronts",
         ERR_UNKNOWN},
        {"\"fronts\":2", "\"fronts\":3", "fronts", ERR_RANGE},
        {"\"fronts\":2", "\"fronts\":1", "front", ERR_RANGE}, /* not 64 */
        {"\"lane\":11", "\"lane\":12", "front", ERR_RANGE},
        {"\"sweep\":3", "\"sweep\":0", "sweep", ERR_RANGE},
        {"\"spare_of\":16", "\"spare_of\":256", "spare_of", ERR_RANGE},
        {"\"older_of\":16", "\"older_of\":0", "older_of", ERR_RANGE},
        {"\"hold_min_s\":300", "\"hold_min_s\":1201", "hold_max_s", ERR_RANGE},
        {"\"sweep_mean_s\":3600", "\"sweep_mean_s\":0", "sweep_mean_s",
         ERR_RANGE},
        {"\"look_s\":60,", "", "look_s", ERR_MISSING},
        {"\"ack_s\":20", "\"ack_s\":3601", "ack_s", ERR_RANGE},
    };
    char *body, where[JSON_WHERE_LEN];
    size_t len;
    body_make(&body, &len);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        int err = edited(body, row[i].from, row[i].to, where);
        if (row[i].where[0] == 'a' && err == ERR_UNKNOWN)
            continue; /* found by the table before the list: as good */
        assert_int_equal(err, row[i].err);
        assert_string_equal(where, row[i].where);
    }
    for (size_t cut = 0; cut < len; cut += 7)
        assert_int_not_equal(read_text(body, cut, where), 0);
    free(body);
}

/* What a descriptor says of links: more lost than sent, one twice, too many. */
static void
links_are_judged(const char *good, size_t len)
{
    static const struct {
        const char *from, *to, *where;
        int err;
    } row[] = {
        {"\"lost\":100", "\"lost\":101", "lost", ERR_RANGE},
        {"\"lost\":100,", "", "lost", ERR_MISSING},
        {"\"sent\":65535", "\"sent\":65536", "sent", ERR_RANGE},
        {"\"identity\":\"33", "\"identity\":\"00", "links", ERR_DUPLICATE},
        {"\"links\":[", "\"links\":[1,", "identity", ERR_FORMAT},
        {"\"links\":[", "\"lynks\":[", "links", ERR_MISSING},
    };
    char where[JSON_WHERE_LEN];
    struct descriptor d;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        const char *at = strstr(good, row[i].from);
        char *text = malloc(len + strlen(row[i].to) + 1);
        assert_non_null(at);
        assert_non_null(text);
        memcpy(text, good, (size_t)(at - good));
        strcpy(text + (at - good), row[i].to);
        strcat(text, at + strlen(row[i].from));
        if (row[i].err == ERR_DUPLICATE) { /* the whole of it is zeros */
            char *id = strstr(text, "\"identity\":\"0033");
            assert_non_null(id);
            memset(id + 12, '0', 64);
        }
        assert_int_equal(json_read_descriptor(&d, 32, (const uint8_t *)text,
                                              strlen(text), where),
                         row[i].err);
        if (row[i].err != ERR_MISSING)
            assert_string_equal(where, row[i].where);
        free(text);
    }
    struct descriptor many = {.n_links = LINKS_TOLD_MAX};
    char *body;
    size_t body_len;
    assert_int_equal(
        json_read_descriptor(&d, 32, (const uint8_t *)good, len, where), 0);
    d.n_links = LINKS_TOLD_MAX;
    for (uint8_t i = 0; i < LINKS_TOLD_MAX; i++)
        d.links[i].identity[0] = i;
    memcpy(&many, &d, sizeof many);
    assert_int_equal(json_write_descriptor(&d, 32, &body, &body_len), 0);
    assert_int_equal(
        json_read_descriptor(&d, 32, (const uint8_t *)body, body_len, where),
        0);
    assert_int_equal(d.n_links, LINKS_TOLD_MAX);
    char *more = malloc(body_len + 200);
    assert_non_null(more);
    const size_t head = (size_t)(strstr(body, "\"links\":[") - body) + 9;
    memcpy(more, body, head);
    strcpy(more + head, "0,");
    strcat(more, body + head);
    assert_int_equal(json_read_descriptor(&d, 32, (const uint8_t *)more,
                                          strlen(more), where),
                     ERR_RANGE);
    assert_string_equal(where, "links");
    free(more);
    free(body);
}

static void
descriptor_round_trip(void **state)
{
    (void)state;
    struct descriptor d = {.network = "test",
                           .epoch = 5,
                           .n_keys = 3,
                           .alarms = 7,
                           .n_links = 2,
                           .links = {{.sent = 100, .lost = 100},
                                     {.sent = 65535, .lost = 0}},
                           .hibernates_until_s = 1800000000},
                      back;
    char *body, where[JSON_WHERE_LEN];
    size_t len;
    memset(d.relay.identity, 0x11, 32);
    memset(d.links[1].identity, 0x33, 32);
    memset(d.keys, 0x22, sizeof d.keys);
    d.relay.role = ROLE_STORE;
    d.relay.protocol_min = d.relay.protocol_max = 1;
    d.relay.n_addresses = 1;
    strcpy(d.relay.addresses[0], "192.0.2.1:7100");
    assert_int_equal(json_write_descriptor(&d, 32, &body, &len), 0);
    assert_int_equal(
        json_read_descriptor(&back, 32, (const uint8_t *)body, len, where), 0);
    assert_int_equal(back.n_keys, 3);
    assert_int_equal(back.alarms, 7);
    assert_int_equal(back.n_links, 2);
    assert_memory_equal(back.links, d.links, sizeof d.links);
    links_are_judged(body, len);
    assert_int_equal(back.hibernates_until_s, 1800000000);
    assert_int_equal(back.relay.role, ROLE_STORE);
    assert_memory_equal(back.keys[2], d.keys[2], 32);
    assert_string_equal(back.relay.addresses[0], "192.0.2.1:7100");
    assert_int_equal(
        json_read_descriptor(&back, 31, (const uint8_t *)body, len, where),
        ERR_FORMAT);
    assert_string_equal(where, "sphinx_keys");
    free(body);
    d.relay.placement[0] = 1; /* a relay may not choose its own */
    assert_int_equal(json_write_descriptor(&d, 32, &body, &len), 0);
    assert_int_equal(
        json_read_descriptor(&back, 32, (const uint8_t *)body, len, where),
        ERR_RANGE);
    free(body);
    d.relay.placement[0] = 0;
    d.relay.since = 1; /* nor say how long it is there, */
    assert_int_equal(json_write_descriptor(&d, 32, &body, &len), 0);
    assert_int_equal(
        json_read_descriptor(&back, 32, (const uint8_t *)body, len, where),
        ERR_RANGE);
    free(body);
    d.relay.since = 0;
    d.relay.counts = 1; /* nor for which days it counts */
    assert_int_equal(json_write_descriptor(&d, 32, &body, &len), 0);
    assert_int_equal(
        json_read_descriptor(&back, 32, (const uint8_t *)body, len, where),
        ERR_RANGE);
    free(body);
}

/* A list of no days, and of more than there may be. */
static void
days_are_one_to_sixteen(void **state)
{
    (void)state;
    struct sim_net n;
    struct consensus *back;
    char *body, where[JSON_WHERE_LEN];
    size_t len;
    test_network_make(&n, SPHINX_SUITE_X25519, 1, 1, 1, 1);
    for (unsigned days = 0; days <= DAYS_MAX; days++) {
        n.consensus->days.n = (uint8_t)days;
        assert_int_equal(json_write_consensus(n.consensus, &body, &len), 0);
        assert_int_equal(
            json_read_consensus(&back, (const uint8_t *)body, len, where),
            days == 0 ? ERR_RANGE : 0);
        consensus_free(&back);
        if (days == DAYS_MAX)
            assert_int_equal(
                edited(body, "\"days\":[\"", "\"days\":[\"00\",\"", where),
                ERR_RANGE);
        free(body);
    }
    assert_string_equal(where, "days");
    test_network_free(&n);
}

/* 30,000 bodies with bytes changed: an error, or the very bytes again. */
static void
mutations_are_refused_or_canonical(void **state)
{
    (void)state;
    struct rng_seeded rng;
    char *body, *again, where[JSON_WHERE_LEN];
    size_t len, len2;
    unsigned accepted = 0;
    body_make(&body, &len);
    rng_seeded_init_u64(&rng, test_seed(), "json");
    char *copy = malloc(len);
    assert_non_null(copy);
    for (int i = 0; i < 30000; i++) {
        struct consensus *c;
        memcpy(copy, body, len);
        for (uint64_t k = rng_seeded_u64(&rng) % 3 + 1; k > 0; k--) {
            uint64_t u = rng_seeded_u64(&rng);
            static const char set[] = "0123456789abcdef{}[]\",:-.eE";
            copy[u % len] = set[(u >> 32) % (sizeof set - 1)];
        }
        int err = json_read_consensus(&c, (const uint8_t *)copy, len, where);
        if (err)
            continue;
        accepted++;
        assert_int_equal(json_write_consensus(c, &again, &len2), 0);
        assert_int_equal(len, len2);
        assert_memory_equal(copy, again, len);
        free(again);
        consensus_free(&c);
    }
    assert_true(accepted > 100); /* digits for digits, mostly */
    free(copy);
    free(body);
}

const struct CMUnitTest test_json[] = {
    cmocka_unit_test(consensus_round_trip),
    cmocka_unit_test(wrong_values_are_named),
    cmocka_unit_test(descriptor_round_trip),
    cmocka_unit_test(days_are_one_to_sixteen),
    cmocka_unit_test(mutations_are_refused_or_canonical),
};
TEST_SUITE(test_json);
