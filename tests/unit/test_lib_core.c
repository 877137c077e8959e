/* tests/unit/test_lib_core.c - errors, secrets, codec, draws, clock, slab. */
#include "tests/runner.h"

#include <math.h>
#include <sodium.h>
#include <string.h>

#include "lib/codec.h"
#include "lib/error.h"
#include "lib/os/clock.h"
#include "lib/rng.h"
#include "lib/rng_seeded.h"
#include "lib/secret.h"
#include "lib/slab.h"

static void
error_names_are_total(void **state)
{
    (void)state;
    for (int i = 0; i < ERROR_COUNT; i++) {
        assert_true(strlen(error_text(-i)) > 0);
        assert_string_not_equal(error_name(-i), "?");
    }
    assert_string_equal(error_name(ERR_REPLAY), "REPLAY");
    assert_string_equal(error_text(1), "unknown error");
    assert_string_equal(error_text(-ERROR_COUNT), "unknown error");
}

/* Other programs have these numbers; a new error goes to the end. */
static void
error_numbers_never_change(void **state)
{
    (void)state;
    static const char *const name[] = {
        "OK",         "ARG",       "NOMEM",    "SHORT",         "LONG",
        "FORMAT",     "VERSION",   "SUITE",    "POINT",         "MAC",
        "TAG",        "EPOCH",     "REPLAY",   "DEADLINE_PAST", "DEADLINE_FAR",
        "COMMAND",    "RELAY",     "EDGE",     "HANDLE",        "FULL",
        "RATE",       "SLOT",      "QUOTA",    "WORK",          "SIGNATURE",
        "PROOF",      "THRESHOLD", "STALE",    "FUTURE",        "FOREIGN",
        "CONFLICT",   "DUPLICATE", "RANGE",    "MISSING",       "UNKNOWN",
        "NOT_FOUND",  "EXISTS",    "EXPIRED",  "USED",          "AGAIN",
        "CLOSED",     "TIMEOUT",   "PEER",     "TLS",           "DB",
        "IO",         "SYSTEM",    "CRYPTO",   "UNSUPPORTED",   "DELAY",
        "SHARE",      "ROOM",      "READONLY", "ACCESS",        "KIND",
        "FOLDER",     "NAME",      "FILES",    "DAMAGED",       "LOCKED",
        "PASSPHRASE", "SEAL"};
    enum { NAMES = sizeof name / sizeof *name };
    assert_true((int)ERROR_COUNT >= (int)NAMES);
    for (int i = 0; i < NAMES; i++)
        assert_string_equal(error_name(-i), name[i]);
}

static void
secret_memory_starts_zero_and_compares(void **state)
{
    (void)state;
    void *p = secret_new(40), *q = secret_new(40);
    assert_non_null(p);
    assert_true(secret_is_equal(p, q, 40));
    ((uint8_t *)q)[39] = 1;
    assert_false(secret_is_equal(p, q, 40));
    secret_wipe(q, 40);
    assert_true(secret_is_equal(p, q, 40));
    secret_wipe(q, 0);
    secret_free(&p);
    secret_free(&q);
    assert_null(p);
    secret_free(&p);
}

static void
codec_round_trip_and_bounds(void **state)
{
    (void)state;
    uint8_t b[15];
    struct codec_writer w;
    codec_writer_init(&w, b, sizeof b);
    codec_write8(&w, 0x01);
    codec_write16(&w, 0x0203);
    codec_write32(&w, 0x04050607);
    codec_write64(&w, 0x08090a0b0c0d0e0f);
    assert_int_equal(w.err, 0);
    for (unsigned i = 0; i < sizeof b; i++)
        assert_int_equal(b[i], i + 1); /* big endian throughout */
    codec_write8(&w, 1);
    codec_write_bytes(&w, b, 1);
    assert_int_equal(w.err, ERR_LONG);
    struct codec_reader r;
    codec_reader_init(&r, b, sizeof b);
    assert_int_equal(codec_read8(&r), 0x01);
    assert_int_equal(codec_read16(&r), 0x0203);
    assert_int_equal(codec_read32(&r), 0x04050607);
    assert_true(codec_read64(&r) == 0x08090a0b0c0d0e0f);
    assert_int_equal(r.err, 0);
    assert_int_equal(codec_read8(&r), 0);
    assert_int_equal(r.err, ERR_SHORT);
    assert_null(codec_read_bytes(&r, 0)); /* the first error stays */
}

static void
codec_text_forms(void **state)
{
    (void)state;
    const uint8_t d[4] = {0x00, 0xff, 0x10, 0xab};
    uint8_t back[4];
    char hex[9], b64[CODEC_BASE64_LEN(4)];
    size_t len;
    codec_hex(hex, d, 4);
    assert_string_equal(hex, "00ff10ab");
    assert_int_equal(codec_unhex(back, 4, hex), 0);
    assert_memory_equal(back, d, 4);
    assert_int_equal(codec_unhex(back, 4, "00ff10"), ERR_SHORT);
    assert_int_equal(codec_unhex(back, 4, "00ff10ab00"), ERR_LONG);
    assert_int_equal(codec_unhex(back, 4, "00ff10ag"), ERR_FORMAT);
    assert_int_equal(codec_unhex(back, 4, "00ff 0ab"), ERR_FORMAT);
    codec_base64(b64, sizeof b64, d, 4);
    assert_string_equal(b64, "AP8Qqw");
    assert_int_equal(codec_unbase64(back, 4, &len, b64), 0);
    assert_int_equal(len, 4);
    assert_memory_equal(back, d, 4);
    assert_int_equal(codec_unbase64(back, 4, &len, "AP8Q+w"), ERR_FORMAT);
    assert_int_equal(codec_unbase64(back, 4, &len, "AP8Qqw=="), ERR_FORMAT);
    assert_int_equal(codec_unbase64(back, 3, &len, b64), ERR_FORMAT);
    assert_int_equal(codec_unbase64(back, 4, &len, "AAAAAAAAAAAA"), ERR_LONG);
}

/* An environment that has nothing but a seeded stream. */
struct seeded_env {
    struct env env;
    struct rng_seeded rng;
};

static void
seeded_env_bytes(struct env *env, void *out, size_t len)
{
    rng_seeded_bytes(&((struct seeded_env *)env)->rng, out, len);
}

static const struct env_ops seeded_ops = {.random_traffic = seeded_env_bytes};

/* Sums of 10^6 draws against their laws. Each bound is 5.3 standard errors:
 * a false alarm in 10^7 runs. */
static void
rng_exponential_has_its_mean_and_tail(void **state)
{
    (void)state;
    enum { N = 1000000 };
    const double mean = 100000;
    struct seeded_env e = {.env.ops = &seeded_ops};
    rng_seeded_init_u64(&e.rng, test_seed(), "exponential");
    double sum = 0, sum2 = 0;
    int tail = 0;
    for (int i = 0; i < N; i++) {
        double x = (double)rng_exp_us(&e.env, (uint64_t)mean);
        sum += x;
        sum2 += x * x;
        tail += x > 7 * mean; /* clamping near the mean would show here */
    }
    double m = sum / N, var = sum2 / N - m * m, p = exp(-7);
    assert_true(fabs(m / mean - 1) < 5.3 / sqrt(N));
    assert_true(fabs(var / (mean * mean) - 1) < 5.3 * sqrt(8.0 / N));
    assert_true(fabs(tail - N * p) < 5.3 * sqrt(N * p));
    assert_true(rng_exp_from(UINT64_MAX, 1000) == 0);
    assert_true(rng_exp_from(0, 1000) > 36000);
}

static void
rng_below_is_uniform(void **state)
{
    (void)state;
    enum { N = 600000, SIDES = 6 };
    struct seeded_env e = {.env.ops = &seeded_ops};
    rng_seeded_init_u64(&e.rng, test_seed(), "below");
    double count[SIDES] = {0}, chi2 = 0;
    for (int i = 0; i < N; i++)
        count[rng_below(&e.env, SIDES)]++;
    for (int i = 0; i < SIDES; i++)
        chi2 += pow(count[i] - N / SIDES, 2) / (N / SIDES);
    assert_true(chi2 < 39.8); /* chi-square, 5 degrees of freedom: 1.6e-7 */
    /* 2^63 + 1 refuses almost half of all draws: the rest must be in range */
    for (int i = 0; i < 1000; i++)
        assert_true(rng_below(&e.env, (1ULL << 63) + 1) <= 1ULL << 63);
    assert_true(rng_below(&e.env, 1) == 0);
    for (int i = 0; i < 1000; i++) {
        double u = rng_unit(&e.env);
        assert_true(u > 0 && u <= 1);
    }
}

static void
rng_streams_repeat_and_differ(void **state)
{
    (void)state;
    struct rng_seeded a, b, c;
    uint8_t x[3000], y[3000], z[3000];
    rng_seeded_init_u64(&a, 7, "one");
    rng_seeded_init_u64(&b, 7, "one");
    rng_seeded_init_u64(&c, 7, "two");
    rng_seeded_bytes(&a, x, sizeof x);
    for (size_t i = 0; i < sizeof y; i += 5) /* any split gives the same */
        rng_seeded_bytes(&b, y + i, 5);
    rng_seeded_bytes(&c, z, sizeof z);
    assert_memory_equal(x, y, sizeof x);
    assert_memory_not_equal(x, z, sizeof x);
}

/* Two copies of one memory, saved and started twice, draw other bytes from the first
 * on, however soon after the save and near to each other: a clock of nanoseconds
 * tells them apart, also when the system's randomness is not asked for yet. */
static void
i12_a_restored_generator_repeats_nothing(void **state)
{
    (void)state;
    static const uint64_t after_ns[][2] = {
        {300000, 900000}, {1000, 1001}, {0, 1}, {5, RNG_STALE_NS}};
    static const size_t lens[] = {1, 8, 31, 32, 33, 64, 95, 96, 97, 3000};
    const uint64_t saved_ns = 1700000000000000000ULL;
    for (size_t i = 0; i < sizeof after_ns / sizeof after_ns[0]; i++)
        for (size_t k = 0; k < sizeof lens / sizeof lens[0]; k++) {
            struct rng_os o, copy;
            uint8_t x[3000] = {0}, y[3000] = {0}, z[64], w[64];
            rng_os_init(&o, saved_ns);
            rng_os_bytes(&o, saved_ns, x, 64);
            copy = o;
            rng_os_bytes(&o, saved_ns + after_ns[i][0], x, lens[k]);
            rng_os_bytes(&copy, saved_ns + after_ns[i][1], y, lens[k]);
            if (lens[k] >= 8) /* once in 2^64 */
                assert_memory_not_equal(x, y, 8);
            /* and go on so, also once their clocks are the same */
            rng_os_bytes(&o, saved_ns + after_ns[i][1], z, sizeof z);
            rng_os_bytes(&copy, saved_ns + after_ns[i][1], w, sizeof w);
            assert_memory_not_equal(z, w, sizeof z);
            rng_os_wipe(&o);
            rng_os_wipe(&copy);
        }
}

/* The bytes of a draw are never given again, at whatever time, nor left in the
 * generator; a draw of any length is filled to its end. */
static void
what_a_generator_gave_is_gone(void **state)
{
    (void)state;
    struct rng_os o;
    uint8_t x[300], y[300], or [300];
    rng_os_init(&o, 1000);
    for (size_t len = 1; len <= sizeof x; len++) {
        memset(or, 0, sizeof or);
        for (unsigned k = 0; k < 8; k++) { /* a byte stays 0 once in 2^64 */
            memset(x, 0, sizeof x);
            rng_os_bytes(&o, 1000, x, len);
            for (size_t i = 0; i < sizeof x; i++)
                or [i] |= x[i];
        }
        for (size_t i = 0; i < sizeof or ; i++)
            assert_int_equal(or [i] != 0, i < len);
        rng_os_bytes(&o, 1000, y, len);
        if (len >= 8)
            assert_memory_not_equal(x, y, 8);
        for (size_t i = 0; i + 8 <= sizeof o && len >= 8; i++)
            assert_memory_not_equal((const uint8_t *)&o + i, y, 8);
    }
    rng_os_wipe(&o);
    assert_true(sodium_is_zero((const uint8_t *)&o, sizeof o));
}

static void
slab_gives_distinct_wiped_buffers(void **state)
{
    (void)state;
    struct slab *s;
    enum { MAX = 200 };
    uint8_t seen[MAX] = {0};
    assert_int_equal(slab_new(&s, 100, MAX), 0);
    for (int i = 0; i < MAX; i++) {
        uint32_t n = slab_take(s);
        assert_true(n < MAX && !seen[n]);
        seen[n] = 1;
        memset(slab_at(s, n), 0xa5, 100);
    }
    assert_int_equal(slab_take(s), SLAB_NONE);
    assert_int_equal(slab_count(s), MAX);
    slab_give(s, 77);
    for (int i = 0; i < 100; i++)
        assert_int_equal(slab_at(s, 77)[i], 0);
    assert_int_equal(slab_at(s, 76)[99], 0xa5);
    assert_int_equal(slab_at(s, 78)[0], 0xa5);
    assert_int_equal(slab_take(s), 77);
    slab_free(&s);
    slab_free(&s);
    assert_int_equal(slab_new(&s, 0, 1), ERR_ARG);
    assert_int_equal(slab_new(&s, 1, UINT32_MAX), ERR_ARG);
}

const struct CMUnitTest test_lib_core[] = {
    cmocka_unit_test(error_names_are_total),
    cmocka_unit_test(error_numbers_never_change),
    cmocka_unit_test(secret_memory_starts_zero_and_compares),
    cmocka_unit_test(codec_round_trip_and_bounds),
    cmocka_unit_test(codec_text_forms),
    cmocka_unit_test(rng_exponential_has_its_mean_and_tail),
    cmocka_unit_test(rng_below_is_uniform),
    cmocka_unit_test(rng_streams_repeat_and_differ),
    cmocka_unit_test(i12_a_restored_generator_repeats_nothing),
    cmocka_unit_test(what_a_generator_gave_is_gone),
    cmocka_unit_test(slab_gives_distinct_wiped_buffers),
};
TEST_SUITE(test_lib_core);
