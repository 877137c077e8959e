/* tests/unit/test_sim_parts.c - the simulator's records, paths and files of
 * numbers, each alone. */
#include "tests/runner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/rng_seeded.h"
#include "sim/packets/paths.h"
#include "sim/packets/records.h"
#include "sim/packets/tracker.h"
#include "sim/scenario/trace_in.h"
#include "tests/heap.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* ---- records ---- */

enum { HOPS = 5, LABELS = 3, MANY = 5000 };

/* What was written is there after it has moved. */
static void
records_grow(void **state)
{
    (void)state;
    struct records r;
    assert_int_equal(records_new(&r, HOPS, LABELS, 1), 0);
    for (uint32_t i = 0; i < MANY; i++) {
        const uint32_t n = records_take(&r);
        assert_int_not_equal(n, RECORD_NONE);
        struct record *p = record_at(&r, n);
        assert_true(p->label == TRACKER_NONE && p->start_us == 0);
        assert_true(record_mass(&r, p)[LABELS - 1] == 0);
        p->start_us = n;
        record_relays(p)[HOPS - 1] = (uint16_t)(n + 1);
        record_delays(&r, p)[HOPS - 1] = (uint16_t)(n + 2);
        record_mass(&r, p)[1] = (float)n;
        record_mass(&r, p)[2] = 1;
        p->label = (uint8_t)(n % 3);
    }
    records_clear(&r, 1);
    for (uint32_t n = 0; n < MANY; n++) {
        struct record *p = record_at(&r, n);
        assert_int_equal(p->start_us, n);
        assert_int_equal(record_relays(p)[HOPS - 1], n + 1);
        assert_int_equal(record_delays(&r, p)[HOPS - 1], n + 2);
        assert_true(record_mass(&r, p)[1] == 0 && record_mass(&r, p)[2] == 1);
        assert_int_equal(p->label, n % 3 == 1 ? TRACKER_NONE : n % 3);
    }
    for (uint32_t n = 0; n < 10; n++)
        records_give(&r, n);
    assert_true(r.used == MANY - 10 && r.most == MANY);
    const uint32_t again = records_take(&r);
    assert_int_equal(again, 9); /* and nothing of its past is in it */
    assert_true(record_at(&r, again)->start_us == 0);
    assert_true(record_mass(&r, record_at(&r, again))[2] == 0);
    assert_int_equal(r.most, MANY);
    records_free(&r);
}

/* ---- paths ---- */

enum { USERS = 20000 };

static void
paths_geometric(void **state)
{
    (void)state;
    const double share = 0.02;
    struct rng_seeded r;
    struct paths *p;
    rng_seeded_init_u64(&r, test_seed(), "paths");
    assert_int_equal(paths_new(&p, USERS), 0);
    /* users of many packets and of few: most wait still at the end */
    for (uint32_t i = 0; i < USERS; i++)
        for (uint32_t k = 0; k < 10 + i % 50; k++)
            paths_add(p, i,
                      (double)(rng_seeded_u64(&r) >> 11) * 0x1p-53 < share);
    const struct estimate all = paths_share(p);
    assert_true(fabs(all.value - share) < 5 / 1.96 * all.half);
    for (uint32_t n = 1; n <= 50; n += 7) {
        const struct estimate e = paths_caught(p, n);
        /* 5 standard errors by Greenwood's formula */
        assert_true(fabs(e.value - (1 - pow(1 - share, n))) <
                    5 / 1.96 * e.half);
        assert_true(e.half > 0 && e.half < 0.05);
    }
    assert_true(isnan(paths_caught(p, 100000).value));
    paths_free(&p);
    assert_null(p);
}

static void
paths_by_hand(void **state)
{
    (void)state;
    struct paths *p;
    assert_int_equal(paths_new(&p, 4), 0);
    /* caught at 1, at 2, at 2; one waits since 1 packet */
    paths_add(p, 0, true);
    paths_add(p, 3, false);
    for (uint32_t i = 1; i < 3; i++) {
        paths_add(p, i, false);
        paths_add(p, i, true);
    }
    assert_true(fabs(paths_share(p).value - 0.5) < 1e-12);
    assert_true(fabs(paths_caught(p, 1).value - 0.25) < 1e-12);
    assert_true(fabs(paths_caught(p, 2).value - 1) < 1e-12);
    assert_true(paths_median(p) == 2);
    paths_free(&p);
}

/* ---- files ---- */

static char file[] = "/tmp/brusio-parts-XXXXXX";

static void
file_write(const char *text)
{
    strcpy(file + sizeof file - 7, "XXXXXX");
    const int fd = mkstemp(file);
    assert_true(fd >= 0);
    const size_t len = strlen(text);
    assert_true(write(fd, text, len) == (ssize_t)len);
    close(fd);
}

static FILE *
file_open(const char *name)
{
    return fopen(name, "r");
}

static void
trace_good(void **state)
{
    (void)state;
    static const uint64_t at_us[] = {0, 500000, 1250000, 1250000, 3000000};
    static const uint32_t client[] = {2, 1, 0, 2, 1};
    struct scenario_problem p;
    struct trace_in *t;
    file_write("time_s,client\n3,1\n0.5,1\r\n1.25,0\n0,2\n1.25,2");
    assert_int_equal(trace_in_read(&t, file_open, file, 3, &p), 0);
    unlink(file);
    for (size_t i = 0; i < LEN(client); i++) {
        assert_false(trace_in_is_over(t));
        assert_int_equal(trace_in_at_us(t), at_us[i]);
        assert_int_equal(trace_in_next(t), client[i]);
    }
    assert_true(trace_in_is_over(t) && trace_in_at_us(t) == UINT64_MAX);
    trace_in_free(&t);
}

static void
trace_bad(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } bad[] = {{"1,0\n2,3\n", "line 2"},    {"-1,0\n", "line 1"},
               {"1,0\nx,1\n", "line 2"},    {"1,0\n1,0.5\n", "line 2"},
               {"1,0\n\n", "line 2"},       {"1,0\n1\n", "line 2"},
               {"1,0\n1,0,0\n", "line 2"},  {"time\n1e10,0\n", "line 2"},
               {"time_s,client\n", "send"}, {"", "send"},
               {"1;0\n", "line 1"},         {"1,0\nnan,0\n", "line 2"}};
    struct scenario_problem p;
    struct trace_in *t;
    for (size_t i = 0; i < LEN(bad); i++) {
        file_write(bad[i].text);
        const int err = trace_in_read(&t, file_open, file, 3, &p);
        unlink(file);
        if (err != ERR_FORMAT || t || !strstr(p.text, bad[i].says) ||
            !strstr(p.text, file))
            fail_msg("'%s': %d, %s", bad[i].text, err, err ? p.text : "");
    }
    assert_int_equal(trace_in_read(&t, file_open, file, 3, &p), ERR_IO);
    assert_non_null(strstr(p.text, file));
    file_write("1,0\n"); /* who can open nothing reads nothing */
    assert_int_equal(trace_in_read(&t, NULL, file, 3, &p), ERR_IO);
    unlink(file);
    assert_non_null(strstr(p.text, file));
}

static void
matrix(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } bad[] = {{"0,1\n", "line 2"},
               {"0,1\n2,3\n4,5\n", "line 3"},
               {"0\n1,2\n", "line 1"},
               {"0,1,2\n3,4\n", "line 1"},
               {"0,1\n2,x\n", "line 2"},
               {"0,1\n2,-1\n", "line 2"},
               {"", "line 1"}};
    struct scenario_problem p;
    uint32_t *m;
    file_write("0, 1.5\n2 ,0.0004\n");
    assert_int_equal(matrix_read(&m, file_open, file, 2, &p), 0);
    unlink(file);
    assert_true(m[0] == 0 && m[1] == 1500 && m[2] == 2000 && m[3] == 0);
    free(m);
    for (size_t i = 0; i < LEN(bad); i++) {
        file_write(bad[i].text);
        const int err = matrix_read(&m, file_open, file, 2, &p);
        unlink(file);
        if (err != ERR_FORMAT || m || !strstr(p.text, bad[i].says))
            fail_msg("'%s': %d, %s", bad[i].text, err, err ? p.text : "");
    }
    assert_int_equal(matrix_read(&m, file_open, file, 2, &p), ERR_IO);
}

/* Each allocation of each fails in turn: said, and nothing left behind. */
static void
memory_short(void **state)
{
    (void)state;
    for (struct heap h = {0}; heap_next(&h);) {
        struct paths *p;
        heap_arm(&h);
        const int err = paths_new(&p, 10);
        heap_disarm(&h);
        assert_int_equal(err, h.failed ? ERR_NOMEM : 0);
        assert_true((p == NULL) == h.failed);
        paths_free(&p);
    }
}

const struct CMUnitTest test_sim_parts[] = {
    cmocka_unit_test(records_grow),  cmocka_unit_test(paths_geometric),
    cmocka_unit_test(paths_by_hand), cmocka_unit_test(trace_good),
    cmocka_unit_test(trace_bad),     cmocka_unit_test(matrix),
    cmocka_unit_test(memory_short),
};
TEST_SUITE(test_sim_parts);
