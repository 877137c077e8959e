/* tests/unit/test_share.c - secrets dealt out: who can open them, and that
 * nothing wrong passes. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "directory/share.h"
#include "tests/network.h"

enum { MAX = 7 };

struct table {
    struct test_env env;
    struct share_dealing dealing;
    uint8_t secret[MAX][SHARE_LEN];
    uint8_t context[SHARE_CONTEXT_LEN];
    struct share_opened opened[MAX];
};

static void
table_make(struct table *t, uint8_t n)
{
    memset(t, 0, sizeof *t);
    test_env_init(&t->env, test_seed() + n);
    env_random_crypto(&t->env.env, t->context, sizeof t->context);
    t->dealing.n = n;
    t->dealing.degree = (uint8_t)((n - 1) / 3);
    for (uint8_t k = 0; k < n; k++) {
        uint8_t seed[32];
        env_random_crypto(&t->env.env, seed, sizeof seed);
        t->dealing.at[k] = (uint8_t)(2 * k + 1); /* some have no share */
        share_keypair(t->dealing.key[k], t->secret[k], seed);
    }
    assert_int_equal(share_deal(&t->dealing, &t->env.env, t->context), 0);
    for (uint8_t k = 0; k < n; k++)
        assert_int_equal(share_open(&t->opened[k], &t->dealing, k, t->secret[k],
                                    &t->env.env, t->context),
                         0);
}

/* Whoever of the holders withholds: as long as degree + 1 open theirs, it is
 * the same secret. Every pattern. */
static void
any_few_give_the_secret(void **state)
{
    (void)state;
    static struct table t;
    for (uint8_t n = 1; n <= MAX; n++) {
        uint8_t first[SHARE_LEN], out[SHARE_LEN];
        unsigned patterns = 0;
        table_make(&t, n);
        assert_int_equal(share_check(&t.dealing, t.context), 0);
        for (unsigned who = 0; who < 1u << n; who++) {
            size_t place[MAX], m = 0;
            uint8_t point[MAX][SHARE_LEN];
            for (size_t k = 0; k < n && m <= t.dealing.degree; k++) {
                if (!(who >> k & 1))
                    continue;
                assert_int_equal(
                    share_open_check(&t.opened[k], &t.dealing, k, t.context),
                    0);
                memcpy(point[m], t.opened[k].point, SHARE_LEN);
                place[m++] = k;
            }
            if (m <= t.dealing.degree)
                continue;
            assert_int_equal(share_combine(patterns ? out : first, &t.dealing,
                                           place,
                                           (const uint8_t(*)[SHARE_LEN])point),
                             0);
            if (patterns++)
                assert_memory_equal(out, first, SHARE_LEN);
        }
        assert_true(patterns > 0);
    }
}

/* With one share less than it takes, whatever stands for the last one gives
 * another secret, so the others tell nothing about it. */
static void
one_share_less_says_nothing(void **state)
{
    (void)state;
    static struct table t;
    uint8_t point[3][SHARE_LEN], right[SHARE_LEN], wrong[SHARE_LEN];
    const size_t place[3] = {0, 2, 5};
    table_make(&t, MAX);
    for (size_t i = 0; i < 3; i++)
        memcpy(point[i], t.opened[place[i]].point, SHARE_LEN);
    assert_int_equal(share_combine(right, &t.dealing, place,
                                   (const uint8_t(*)[SHARE_LEN])point),
                     0);
    for (size_t k = 0; k < MAX; k++) {
        memcpy(point[2], t.opened[k].point, SHARE_LEN);
        assert_int_equal(share_combine(wrong, &t.dealing, place,
                                       (const uint8_t(*)[SHARE_LEN])point),
                         0);
        assert_int_equal(memcmp(wrong, right, SHARE_LEN) == 0, k == place[2]);
    }
    const size_t twice[3] = {0, 2, 2};
    assert_int_equal(share_combine(wrong, &t.dealing, twice,
                                   (const uint8_t(*)[SHARE_LEN])point),
                     ERR_ARG);
}

/* Any octet changed, in a dealing or an opened share, is noticed. */
static void
changes_are_noticed(void **state)
{
    (void)state;
    static struct table t;
    static struct share_dealing bad;
    table_make(&t, 4);
    struct {
        size_t from, len;
    } part[] = {
        {offsetof(struct share_dealing, key), 4 * SHARE_LEN},
        {offsetof(struct share_dealing, commitment), 2 * SHARE_LEN},
        {offsetof(struct share_dealing, share), 4 * SHARE_LEN},
        {offsetof(struct share_dealing, challenge), SHARE_LEN},
        {offsetof(struct share_dealing, response), 4 * SHARE_LEN},
    };
    for (size_t p = 0; p < sizeof part / sizeof part[0]; p++)
        for (size_t i = 0; i < part[p].len; i += 5) {
            bad = t.dealing;
            ((uint8_t *)&bad)[part[p].from + i] ^= 1;
            assert_int_not_equal(share_check(&bad, t.context), 0);
        }
    for (size_t i = 0; i < sizeof(struct share_opened); i += 3) {
        struct share_opened o = t.opened[1];
        ((uint8_t *)&o)[i] ^= 1;
        assert_int_not_equal(share_open_check(&o, &t.dealing, 1, t.context), 0);
    }
    assert_int_not_equal(
        share_open_check(&t.opened[1], &t.dealing, 2, t.context), 0);
    t.context[0] ^= 1; /* another epoch's, another dealer's */
    assert_int_not_equal(share_check(&t.dealing, t.context), 0);
    assert_int_not_equal(
        share_open_check(&t.opened[1], &t.dealing, 1, t.context), 0);
}

static void
shapes_are_checked(void **state)
{
    (void)state;
    static struct table t;
    static struct share_dealing bad;
    struct share_opened o;
    table_make(&t, 4);
    for (size_t i = 0; i < 6; i++) {
        bad = t.dealing;
        bad.n = i == 0 ? 0 : i == 1 ? SHARE_MAX + 1 : bad.n;
        bad.degree = i == 2 ? 4 : bad.degree;
        bad.at[0] = i == 3 ? 0 : bad.at[0];
        bad.at[3] = i == 4 ? bad.at[2] : i == 5 ? SHARE_MAX + 1 : bad.at[3];
        assert_int_equal(share_check(&bad, t.context), ERR_ARG);
        assert_int_equal(share_deal(&bad, &t.env.env, t.context), ERR_ARG);
    }
    bad = t.dealing;
    memset(bad.key[2], 0xff, SHARE_LEN);
    assert_int_equal(share_deal(&bad, &t.env.env, t.context), ERR_POINT);
    assert_int_equal(
        share_open(&o, &t.dealing, 1, t.secret[2], &t.env.env, t.context),
        ERR_PEER);
}

const struct CMUnitTest test_share[] = {
    cmocka_unit_test(any_few_give_the_secret),
    cmocka_unit_test(one_share_less_says_nothing),
    cmocka_unit_test(changes_are_noticed),
    cmocka_unit_test(shapes_are_checked),
};
TEST_SUITE(test_share);
