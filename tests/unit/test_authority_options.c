/* tests/unit/test_authority_options.c - what directory.conf says of the network:
 * what an authority votes for, and that others can read it.
 *
 * Defences: server_params() of directory/daemon/options.c, params_check(). */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory/daemon/server.h"
#include "network/json.h"
#include "network/list.h"
#include "tests/network.h"

enum { EPOCH_S = 3600, TEXT_MAX = 256 };

static int
configured(const char *text, struct server_config *config)
{
    char error[CONFIG_ERROR_LEN];
    return config_read_text(server_options, server_options_len, "f", text,
                            strlen(text), config, error);
}

/* What an authority with this text votes for, in a network of this epoch. */
static int
voted(const char *text, uint32_t epoch_len_s, struct params *p,
      const char **where)
{
    struct server_config config;
    struct network n = {.epoch_len_s = epoch_len_s};
    sphinx_geometry_default(&n.geometry);
    assert_int_equal(configured(text, &config), 0);
    int err = server_params(&config, &n, p, where);
    config_free(server_options, server_options_len, &config);
    return err;
}

/* An authority votes for what its configuration says, and for nothing that others
 * could not read. */
static void
authorities_vote_for_what_goes_together(void **state)
{
    (void)state;
    struct server_config config;
    struct network n = {.epoch_len_s = EPOCH_S};
    struct params p;
    const char *where;
    sphinx_geometry_default(&n.geometry);
    assert_int_equal(configured("boards = 3\nlist_interval_ms = 500\n"
                                "list_entries = 384\n",
                                &config),
                     0);
    assert_int_equal(server_params(&config, &n, &p, &where), 0);
    assert_true(p.boards == 3 && p.list_interval_ms == 500 &&
                p.list_entries == 384 && p.announce_bits == 16);
    n.geometry.packet_len = LIST_LEN_MAX; /* a network of small frames */
    assert_int_equal(server_params(&config, &n, &p, &where), ERR_RANGE);
    assert_string_equal(where, "list_entries");
    config_free(server_options, server_options_len, &config);
}

/* So it is with the work of announcements, and with whom clients poll for. */
static void
authorities_vote_for_how_clients_hear(void **state)
{
    (void)state;
    struct params p;
    const char *where;
    static const char text[] =
        "announce_bits = 20\nfronts = 1\nfront = 35\nlane = 21\nsweep = 8\n"
        "spare_of = 9\nolder_of = 10\nhold_min_s = 11\nhold_max_s = 12\n"
        "sweep_mean_s = 13\nscript_every_s = 14\nlook_s = 15\nack_s = 16\n"
        "ack_noise_s = 17\n";
    const struct conversation_params wanted = {1,  35, 21, 8,  9,  10, 11,
                                               12, 13, 14, 15, 16, 17};
    assert_int_equal(voted(text, EPOCH_S, &p, &where), 0);
    assert_int_equal(p.announce_bits, 20);
    assert_memory_equal(&p.conversations, &wanted, sizeof wanted);
    assert_int_equal(voted("hold_min_s = 1201\n", EPOCH_S, &p, &where),
                     ERR_RANGE);
    assert_string_equal(where, "hold_max_s");
    assert_int_equal(voted("lane = 12\n", EPOCH_S, &p, &where), ERR_RANGE);
    assert_string_equal(where, "front");
}

/* Who says nothing votes for the defaults, also where epochs are short. */
static void
authorities_vote_for_defaults(void **state)
{
    (void)state;
    struct params p, usual;
    const char *where;
    for (uint32_t epoch_s = EPOCH_S; epoch_s >= 36; epoch_s /= 10) {
        assert_int_equal(voted("", epoch_s, &p, &where), 0);
        params_default(&usual, epoch_s);
        assert_int_equal(p.announce_bits, usual.announce_bits);
        assert_memory_equal(&p.conversations, &usual.conversations,
                            sizeof usual.conversations);
    }
}

struct limit {
    const char *key;
    long least, most;
    const char *rest; /* without which it would not go with others */
};

static const struct limit limits[] = {
    {"announce_bits", 0, 24, ""},
    {"fronts", 1, 1, "front = 50\n"},
    {"front", 1, 1, "fronts = 2\nlane = 59\n"},
    {"front", 62, 62, "fronts = 1\nlane = 1\nsweep = 1\n"},
    {"lane", 1, 1, "fronts = 1\nfront = 1\nsweep = 62\n"},
    {"lane", 62, 62, "fronts = 1\nfront = 1\nsweep = 1\n"},
    {"spare_of", 1, 255, ""},
    {"older_of", 1, 255, ""},
    {"hold_min_s", 1, 86400, "hold_max_s = 86400\n"},
    {"hold_max_s", 1, 86400, "hold_min_s = 1\n"},
    {"sweep_mean_s", 1, 604800, ""},
    {"script_every_s", 1, 86400, ""},
    {"look_s", 0, 3600, ""},
    {"ack_s", 0, 3600, ""},
    {"ack_noise_s", 0, 3600, ""},
};

/* Is a consensus with what is voted for one that everybody can read? */
static void
consensus_is_read(struct sim_net *n, const struct limit *l, long value)
{
    char text[TEXT_MAX], where[JSON_WHERE_LEN], *body;
    const char *which;
    struct params p;
    struct consensus *read;
    size_t len;
    snprintf(text, sizeof text, "%s = %ld\n%s", l->key, value, l->rest);
    assert_int_equal(voted(text, EPOCH_S, &p, &which), 0);
    n->consensus->params.announce_bits = p.announce_bits;
    n->consensus->params.conversations = p.conversations;
    assert_int_equal(json_write_consensus(n->consensus, &body, &len), 0);
    assert_int_equal(
        json_read_consensus(&read, (const uint8_t *)body, len, where), 0);
    assert_memory_equal(&read->params.conversations, &p.conversations,
                        sizeof p.conversations);
    consensus_free(&read);
    free(body);
}

/* Is one beyond the limits refused as the file is read? */
static void
beyond_is_refused(const struct limit *l, long value)
{
    char text[TEXT_MAX];
    struct server_config config;
    snprintf(text, sizeof text, "%s = %ld\n%s", l->key, value, l->rest);
    assert_int_equal(configured(text, &config), ERR_RANGE);
}

/* SIGHUP: what can change while it runs does, and the rest is named. */
static void
what_can_change_is_taken(void **state)
{
    (void)state;
    char applied[SERVER_NAMES_LEN], restart[SERVER_NAMES_LEN];
    struct server_config now, next;
    assert_int_equal(configured("", &now), 0);
    assert_int_equal(configured("", &next), 0);
    server_config_take(&now, &next, applied, restart);
    assert_string_equal(applied, "");
    assert_string_equal(restart, "");
    config_free(server_options, server_options_len, &next);
    assert_int_equal(configured("policy = open\nblock_max = 7\nboards = 2\n"
                                "listen = \"127.0.0.1:1\"\nsandbox = false\n"
                                "log_level = debug\n",
                                &next),
                     0);
    server_config_take(&now, &next, applied, restart);
    assert_string_equal(applied, "policy, block_max, log_level");
    assert_string_equal(restart, "listen, boards, sandbox");
    assert_true(now.block_max == 7 && next.block_max == 4 && now.boards == 4);
    assert_string_equal(now.listen, "127.0.0.1:7000");
    config_free(server_options, server_options_len, &now);
    config_free(server_options, server_options_len, &next);
}

/* What an authority's configuration takes at its ends is what consensuses take. */
static void
what_is_configured_can_be_read(void **state)
{
    (void)state;
    struct sim_net n;
    test_network_make(&n, SPHINX_SUITE_X25519, 2, 3, 2, 2);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        const struct limit *l = &limits[i];
        consensus_is_read(&n, l, l->most);
        if (l->rest[0] == 0 || strncmp(l->key, "hold", 4) == 0) {
            consensus_is_read(&n, l, l->least);
            beyond_is_refused(l, l->most + 1);
        }
    }
    beyond_is_refused(&(struct limit){.key = "announce_bits", .rest = ""}, -2);
    beyond_is_refused(&(struct limit){.key = "fronts", .rest = ""}, 3);
    beyond_is_refused(&(struct limit){.key = "sweep", .rest = ""}, 63);
    test_network_free(&n);
}

const struct CMUnitTest test_authority_options[] = {
    cmocka_unit_test(authorities_vote_for_what_goes_together),
    cmocka_unit_test(authorities_vote_for_how_clients_hear),
    cmocka_unit_test(authorities_vote_for_defaults),
    cmocka_unit_test(what_can_change_is_taken),
    cmocka_unit_test(what_is_configured_can_be_read),
};
TEST_SUITE(test_authority_options);
