/* tests/unit/test_journal.c - groups, tickets, and what a failure stops. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "client/disk/journal.h"
#include "lib/rng_seeded.h"
#include "tests/heap.h"

enum { QUEUE = 64 };

/* A storage that answers when it is told to. */
struct served {
    struct env env;
    struct env_store_req *queue[QUEUE];
    size_t n;
    unsigned commits;
};

static void
served_store(struct env *env, struct env_store_req *req)
{
    struct served *s = (struct served *)env;
    assert_true(s->n < QUEUE);
    s->queue[s->n++] = req;
}

static void
served_answer(struct served *s, int err)
{
    struct env_store_req *req = s->queue[0];
    memmove(s->queue, s->queue + 1, --s->n * sizeof s->queue[0]);
    req->err = err;
    req->done(req);
}

static void
committed(void *ctx)
{
    ((struct served *)ctx)->commits++;
}

static const struct env_ops ops = {.store = served_store};

static uint64_t
put(struct journal *j, uint8_t key, size_t len)
{
    uint8_t *value;
    journal_begin(j);
    assert_int_equal(journal_put(j, &key, 1, len, &value), 0);
    memset(value, key, len);
    return journal_end(j);
}

static void
tickets_follow_commits(void **state)
{
    (void)state;
    struct served s = {.env.ops = &ops};
    struct journal *j;
    assert_int_equal(journal_new(&j, &s.env), 0);
    journal_on_commit(j, committed, &s);
    uint64_t a = put(j, 1, 10), b = put(j, 2, 0);
    assert_true(b == a + 1);
    assert_false(journal_is_committed(j, a));
    served_answer(&s, 0);
    assert_true(journal_is_committed(j, a));
    assert_false(journal_is_committed(j, b));
    served_answer(&s, 0);
    assert_true(journal_is_committed(j, b));
    assert_int_equal(s.commits, 2);
    /* an empty group is none */
    journal_begin(j);
    assert_true(journal_end(j) == b);
    assert_int_equal(s.n, 0);
    journal_free(&j);
}

static int
record_count(void *ctx, const uint8_t *key, size_t key_len,
             const uint8_t *value, size_t value_len)
{
    unsigned *count = ctx;
    (void)key;
    (void)key_len;
    (void)value_len;
    count[value == NULL]++;
    return 0;
}

/* Nested groups are one, and the inner ticket is the whole's. */
static void
nested_groups_are_one(void **state)
{
    (void)state;
    struct served s = {.env.ops = &ops};
    struct journal *j;
    unsigned count[2] = {0};
    uint8_t key = 9;
    assert_int_equal(journal_new(&j, &s.env), 0);
    journal_begin(j);
    uint64_t before = put(j, 1, 1000);
    journal_begin(j);
    assert_int_equal(journal_delete(j, &key, 1), 0);
    uint64_t inner = journal_end(j);
    uint64_t whole = journal_end(j);
    assert_true(before == whole && inner == whole);
    assert_int_equal(s.n, 1);
    assert_int_equal(journal_parse(s.queue[0]->letter, s.queue[0]->letter_len,
                                   record_count, count),
                     0);
    assert_int_equal(count[0], 1);
    assert_int_equal(count[1], 1);
    served_answer(&s, 0);
    assert_true(journal_is_committed(j, inner));
    journal_free(&j);
}

/* What a part of a group put is taken back with it, and no more; what is ended
 * is as it was built. */
static void
a_part_is_taken_back_alone(void **state)
{
    (void)state;
    struct served s = {.env.ops = &ops};
    struct journal *j;
    unsigned count[2] = {0};
    uint8_t key = 7, *value;
    assert_int_equal(journal_new(&j, &s.env), 0);
    journal_begin(j);
    assert_int_equal(journal_put(j, &key, 1, 5000, &value), 0);
    journal_cancel(j);
    journal_begin(j);
    uint64_t before = put(j, 1, 100);
    journal_begin(j);
    (void)put(j, 2, 5000); /* the group moves */
    assert_int_equal(journal_delete(j, &key, 1), 0);
    assert_int_equal(journal_finish(j, ERR_NOMEM), ERR_NOMEM);
    assert_int_equal(s.n, 0);
    (void)put(j, 1, 50);
    assert_true(journal_end(j) == before);
    assert_int_equal(s.n, 1);
    assert_int_equal(s.queue[0]->letter_len, 2 * (2 + 1 + 4) + 150);
    assert_int_equal(journal_parse(s.queue[0]->letter, s.queue[0]->letter_len,
                                   record_count, count),
                     0);
    assert_true(count[0] == 2 && count[1] == 0);
    served_answer(&s, 0);
    /* all of it taken back: there was no group */
    journal_begin(j);
    (void)put(j, 1, 10);
    journal_cancel(j);
    assert_int_equal(s.n, 0);
    assert_true(put(j, 1, 1) == before + 1);
    served_answer(&s, 0);
    journal_free(&j);
}

/* Nothing is lost that was put, and nothing that was not is kept: an allocation
 * that fails is an error at once, and the group goes on without that record. */
static void
memory_that_fails_costs_one_record(void **state)
{
    (void)state;
    for (struct heap h = {0}; heap_next(&h);) {
        struct served s = {.env.ops = &ops};
        struct journal *j;
        unsigned count[2] = {0}, kept = 0;
        heap_arm(&h);
        int err = journal_new(&j, &s.env);
        if (!err)
            journal_begin(j);
        for (uint8_t key = 0; key < 8 && !err; key++) {
            uint8_t *value;
            int one = journal_put(j, &key, 1, 1000, &value);
            if (!one)
                memset(value, key, 1000);
            kept += !one;
        }
        uint64_t ticket = err ? 0 : journal_end(j);
        heap_disarm(&h);
        assert_int_equal(err, h.n == 0 ? ERR_NOMEM : 0);
        if (err)
            continue;
        assert_true(kept == (h.failed ? 7 : 8) && s.n == 1);
        assert_int_equal(journal_parse(s.queue[0]->letter,
                                       s.queue[0]->letter_len, record_count,
                                       count),
                         0);
        assert_int_equal(count[0], kept);
        served_answer(&s, 0);
        assert_true(journal_is_committed(j, ticket));
        assert_int_equal(journal_error(j), 0);
        journal_free(&j);
    }
}

/* A group that is not kept stops everything after it, since kept out of order is
 * worse than not kept; all come again in their order, until they are. */
static void
what_is_not_kept_comes_again_in_order(void **state)
{
    (void)state;
    struct served s = {.env.ops = &ops};
    struct journal *j;
    assert_int_equal(journal_new(&j, &s.env), 0);
    assert_false(journal_retry(j)); /* nothing has failed */
    uint64_t a = put(j, 1, 10), b = put(j, 2, 10);
    served_answer(&s, ERR_ROOM);
    assert_false(journal_retry(j)); /* the storage has one still */
    served_answer(&s, 0);           /* and did keep it */
    assert_int_equal(journal_error(j), ERR_ROOM);
    assert_false(journal_is_committed(j, a));
    assert_false(journal_is_committed(j, b));
    uint8_t key = 3, *value;
    journal_begin(j);
    assert_int_equal(journal_put(j, &key, 1, 10, &value), ERR_ROOM);
    assert_int_equal(journal_delete(j, &key, 1), ERR_ROOM);
    assert_true(journal_end(j) == b);
    for (unsigned kept = 0; kept < 3; kept++) {
        assert_int_equal(s.n, 0);
        assert_true(journal_retry(j));
        assert_int_equal(s.n, kept < 2 ? 2 : 1);
        assert_true(s.queue[0]->ticket == (kept < 2 ? a : b));
        if (kept > 0) /* at first neither, then the first, then all */
            served_answer(&s, 0);
        while (s.n > 0)
            served_answer(&s, ERR_IO);
        assert_int_equal(journal_is_committed(j, a), kept > 0);
        assert_int_equal(journal_is_committed(j, b), kept > 1);
        assert_int_equal(journal_error(j), kept > 1 ? 0 : ERR_ROOM);
    }
    assert_true(put(j, 3, 10) == b + 1);
    served_answer(&s, 0);
    assert_true(journal_is_committed(j, b + 1));
    journal_free(&j);
}

static void
taken_back(void *ctx)
{
    struct journal *j = ctx;
    uint8_t key = 1;
    assert_int_equal(journal_error(j), 0);
    journal_begin(j);
    assert_int_equal(journal_delete(j, &key, 1), 0);
    (void)journal_end(j);
}

/* What takes something back is kept after what it takes back, and told once. */
static void
a_failure_can_be_answered_once(void **state)
{
    (void)state;
    struct served s = {.env.ops = &ops};
    struct journal *j;
    assert_int_equal(journal_new(&j, &s.env), 0);
    journal_on_failure(j, taken_back, j);
    uint64_t a = put(j, 1, 10);
    served_answer(&s, ERR_ROOM);
    assert_int_equal(s.n, 1);
    served_answer(&s, ERR_AGAIN);
    assert_int_equal(s.n, 0);
    assert_int_equal(journal_error(j), ERR_ROOM);
    assert_true(journal_last(j) == a + 1);
    assert_true(journal_retry(j));
    assert_true(s.n == 2 && s.queue[0]->ticket == a &&
                s.queue[1]->ticket == a + 1);
    served_answer(&s, 0);
    served_answer(&s, 0);
    assert_int_equal(journal_error(j), 0);
    (void)put(j, 2, 10); /* and the next time again */
    served_answer(&s, ERR_ROOM);
    assert_int_equal(s.n, 1);
    journal_free(&j);
    served_answer(&s, ERR_AGAIN);
}

/* The journal goes while the storage holds its groups. */
static void
groups_outlive_the_journal(void **state)
{
    (void)state;
    struct served s = {.env.ops = &ops}, none = {.env.ops = &ops};
    static const struct env_ops no_store = {0};
    struct journal *j;
    assert_int_equal(journal_new(&j, &s.env), 0);
    (void)put(j, 1, 10);
    (void)put(j, 2, 10);
    journal_free(&j);
    served_answer(&s, 0);
    served_answer(&s, ERR_CLOSED);
    none.env.ops = &no_store;
    assert_int_equal(journal_new(&j, &none.env), ERR_ARG);
    journal_free(&j);
}

static int
record_refuse(void *ctx, const uint8_t *key, size_t key_len,
              const uint8_t *value, size_t value_len)
{
    (void)ctx;
    (void)key;
    (void)value;
    return key_len == 2 ? ERR_ARG : value_len > 500 ? ERR_LONG : 0;
}

/* 100,000 mutated groups: an error or records that lie inside. */
static void
mutated_groups(void **state)
{
    (void)state;
    struct rng_seeded rng;
    uint8_t good[64], bytes[64];
    unsigned errors[ERROR_COUNT] = {0};
    rng_seeded_init_u64(&rng, test_seed(), "journal");
    memset(good, 0, sizeof good);
    memcpy(good, "\1\2ab\0\0\0\4wxyz\2\3abc\1\1q\0\0\0\0", 24);
    for (unsigned i = 0; i < 100000; i++) {
        size_t len = 24 - (i % 4 == 0 ? rng_seeded_u64(&rng) % 24 : 0);
        memcpy(bytes, good, sizeof bytes);
        for (uint64_t k = rng_seeded_u64(&rng) % 3; k > 0; k--)
            bytes[rng_seeded_u64(&rng) % 24] = (uint8_t)rng_seeded_u64(&rng);
        uint8_t *exact = malloc(len + 1); /* for asan: nothing beyond */
        assert_non_null(exact);
        memcpy(exact, bytes, len);
        errors[-journal_parse(exact, len, record_refuse, NULL)]++;
        free(exact);
    }
    assert_true(errors[0] > 0 || errors[-ERR_ARG] > 0);
    assert_true(errors[-ERR_SHORT] > 1000 && errors[-ERR_FORMAT] > 1000);
}

const struct CMUnitTest test_journal[] = {
    cmocka_unit_test(tickets_follow_commits),
    cmocka_unit_test(nested_groups_are_one),
    cmocka_unit_test(a_part_is_taken_back_alone),
    cmocka_unit_test(memory_that_fails_costs_one_record),
    cmocka_unit_test(what_is_not_kept_comes_again_in_order),
    cmocka_unit_test(a_failure_can_be_answered_once),
    cmocka_unit_test(groups_outlive_the_journal),
    cmocka_unit_test(mutated_groups),
};
TEST_SUITE(test_journal);
