/* tests/unit/test_metrics.c - the text for Prometheus, and the files that go
 * by its names. */
#include "tests/runner.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/os/files.h"
#include "relay/operator/metrics.h"
#include "tests/network.h"

/* A gateway with something in every field. */
static struct status
full_status(void)
{
    struct status s = {.written_s = 1000000,
                       .started_s = 990000,
                       .running = true,
                       .genesis_s = 900000,
                       .epoch_len_s = 3600,
                       .epoch = 28,
                       .valid_after_s = 997200,
                       .relays = 10,
                       .layers = 3,
                       .key_until_s = 1008090,
                       .authorities = 4,
                       .reached = 4,
                       .descriptor_epoch = 29,
                       .descriptor_taken = 3,
                       .links_out = 5,
                       .links_out_up = 4,
                       .links_in = 2,
                       .clients_max = 2000,
                       .packets_max = 20000,
                       .alarm = 1};
    s.seen = (struct publish_out){.minutes = 7,
                                  .count = {5000, 4000, 3000, 2000, 1000, 0},
                                  .list = {3000, 1000, 2000, 400, 500, 600},
                                  .equivocations = 1,
                                  .clients = 150,
                                  .held_percent = 10,
                                  .cpu_percent = 25,
                                  .loops_percent = 95};
    s.seen.dropped[-ERR_REPLAY] = 1000;
    s.seen.link[-ERR_TLS] = 100;
    s.seen.refused[-ERR_FOREIGN] = 200;
    return s;
}

static char *
text_of(const struct status *s)
{
    char *text;
    size_t len;
    assert_int_equal(metrics_write(s, &text, &len), 0);
    assert_int_equal(strlen(text), len);
    return text;
}

/* Every line is HELP, TYPE or "NAME{LABELS} NUMBER"; HELP and TYPE come once,
 * before the values; every name is in the list, and all of the list is seen. */
static void
the_text_is_well_formed(void **state)
{
    (void)state;
    struct status s = full_status();
    char *text = text_of(&s), *line = text;
    unsigned helps[64] = {0}, values[64] = {0};
    while (*line) {
        char *end = strchr(line, '\n');
        assert_non_null(end);
        *end = 0;
        const bool help = strncmp(line, "# HELP ", 7) == 0;
        const bool type = strncmp(line, "# TYPE ", 7) == 0;
        const char *name = help || type ? line + 7 : line;
        const size_t len = strcspn(name, " {");
        size_t i = 0;
        while (metrics_names[i] && (strlen(metrics_names[i]) != len ||
                                    memcmp(metrics_names[i], name, len) != 0))
            i++;
        assert_non_null(metrics_names[i]);
        if (help)
            assert_int_equal(helps[i]++, 0);
        else if (!type) {
            const char *number = strrchr(line, ' ') + 1;
            assert_int_equal(helps[i], 1);
            assert_true(*number &&
                        strspn(number, "0123456789") == strlen(number));
            values[i]++;
        } else
            assert_true(strcmp(name + len, " gauge") == 0 ||
                        (strcmp(name + len, " counter") == 0 &&
                         strncmp(name + len - 6, "_total", 6) == 0));
        line = end + 1;
    }
    for (size_t i = 0; metrics_names[i]; i++)
        assert_true(values[i] > 0);
    free(text);
}

static void
values_arrive(void **state)
{
    (void)state;
    struct status s = full_status();
    char *text = text_of(&s);
    static const char *const lines[] = {
        "\nbrusio_relay_info{role=\"gateway\",version=\"",
        "\nbrusio_relay_healthy 1\n",
        "\nbrusio_relay_in_consensus 1\n",
        "\nbrusio_relay_layer 0\n",
        "\nbrusio_relay_links_out 4\n",
        "\nbrusio_relay_clients 150\n",
        "\nbrusio_relay_loops_returned_percent 95\n",
        "\nbrusio_relay_packets_total{kind=\"forwarded\"} 4000\n",
        "\nbrusio_relay_lists_total{kind=\"announced\"} 3000\n",
        "\nbrusio_relay_lists_total{kind=\"lists_passed\"} 600\n",
        "\nbrusio_relay_equivocations_total 1\n",
        "\nbrusio_relay_dropped_total{reason=\"REPLAY\"} 1000\n",
        "\nbrusio_relay_documents_refused_total{reason=\"FOREIGN\"} 200\n"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_non_null(strstr(text, lines[i]));
    free(text);
    s.layer = -1; /* not in the consensus: no layer, and not well */
    s.role = 1;
    s.seen.loops_percent = -1;
    text = text_of(&s);
    assert_non_null(strstr(text, "\nbrusio_relay_in_consensus 0\n"));
    assert_non_null(strstr(text, "\nbrusio_relay_healthy 0\n"));
    assert_null(strstr(text, "brusio_relay_layer"));
    assert_null(strstr(text, "brusio_relay_clients"));
    assert_null(strstr(text, "brusio_relay_loops"));
    free(text);
}

/* The texts of an hour of a relay that has this traffic, and in the minute
 * `from` some packets more, and some clients from then on.
 *
 * The seed is fixed: with three counts touched, the texts differ for 3 seeds of
 * 1,000 (tests/unit/test_publish.c). */
static char *
hour_text(uint64_t from, uint64_t more)
{
    char *all = NULL;
    size_t all_len;
    FILE *f = open_memstream(&all, &all_len);
    struct test_env env;
    struct publish p;
    struct publish_in in = {.held_max = 20000};
    struct status s = full_status();
    assert_non_null(f);
    test_env_init(&env, 1);
    publish_init(&p, &env.env, 0);
    for (uint64_t m = 1; m <= 60; m++) {
        for (size_t i = 0; i < PUBLISH_COUNTERS; i++)
            in.count[i] = m * 2345 + 17 * i;
        if (m >= from) {
            /* a client comes, and a message passes, to end with no client */
            in.count[PUBLISH_RECEIVED] += more;
            in.count[PUBLISH_DELIVERED] += more;
            in.dropped[-ERR_HANDLE] = more;
            in.clients = more;
            in.held = more;
        }
        assert_true(publish_take(&p, &in, m * PUBLISH_PERIOD_US));
        s.seen = p.out;
        char *text = text_of(&s);
        fputs(text, f);
        free(text);
    }
    assert_int_equal(fclose(f), 0);
    return all;
}

static void
i8_one_message_more_gives_the_same_text(void **state)
{
    (void)state;
    char *without = hour_text(30, 0), *with = hour_text(30, 1);
    assert_string_equal(without, with);
    free(with);
    with = hour_text(30, 3000); /* and what matters to the operator shows */
    assert_string_not_equal(without, with);
    free(with);
    free(without);
}

/* Every name of ours in a file is one that the relay prints. */
static void
names_exist(const char *path)
{
    uint8_t *text;
    size_t len, n = 0;
    assert_int_equal(files_read(path, 1 << 20, &text, &len), 0);
    for (const char *at = (char *)text; (at = strstr(at, "brusio_relay_"));) {
        size_t i = 0, k = 0;
        while (isalnum((unsigned char)at[k]) || at[k] == '_')
            k++;
        while (metrics_names[i] && (strlen(metrics_names[i]) != k ||
                                    memcmp(metrics_names[i], at, k) != 0))
            i++;
        if (!metrics_names[i])
            fail_msg("%s: there is no %.*s", path, (int)k, at);
        at += k;
        n++;
    }
    assert_true(n > 10);
    free(text);
}

static void
alerts_and_dashboard_name_what_there_is(void **state)
{
    (void)state;
    names_exist("contrib/prometheus/alerts.yml");
    names_exist("contrib/grafana/brusio-relay.json");
}

const struct CMUnitTest test_metrics[] = {
    cmocka_unit_test(the_text_is_well_formed),
    cmocka_unit_test(values_arrive),
    cmocka_unit_test(i8_one_message_more_gives_the_same_text),
    cmocka_unit_test(alerts_and_dashboard_name_what_there_is),
};
TEST_SUITE(test_metrics);
