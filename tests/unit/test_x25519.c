/* tests/unit/test_x25519.c - every means gives libsodium's bytes. */
#include "tests/runner.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "lib/codec.h"
#include "lib/error.h"
#include "lib/rng_seeded.h"
#include "sphinx/x25519/x25519.h"

#ifdef BRUSIO_DEBUG
enum { INPUTS = 10000 }; /* slow builds look at bounds, not for rare cases */
#else
enum { INPUTS = 100000 };
#endif
enum { BATCH = 37 }; /* more than a batch, no multiple of 8 */

static const enum x25519_isa all[] = {X25519_GENERIC, X25519_AVX2, X25519_IFMA};
enum { ALL = sizeof all / sizeof *all, ALIKE = 9 };

static void
hex(uint8_t out[32], const char *text)
{
    assert_int_equal(codec_unhex(out, 32, text), 0);
}

/* The iterated vector of RFC 7748, section 5.2: k = u = 9, then k, u =
 * X25519(k, u), k; n jobs alike, so that every number of lanes is seen. */
static void
iterate(size_t n)
{
    uint8_t scalar[32] = {9}, point[32] = {9}, out[ALIKE][32], want[32];
    struct x25519_job job[ALIKE];
    for (unsigned i = 1; i <= 1000; i++) {
        for (size_t j = 0; j < n; j++)
            job[j] = (struct x25519_job){scalar, point, out[j], 0};
        x25519_batch(job, n);
        for (size_t j = 1; j < n; j++)
            assert_memory_equal(out[0], out[j], 32);
        memcpy(point, scalar, 32);
        memcpy(scalar, out[0], 32);
        if (i != 1 && i != 1000)
            continue;
        hex(want, i == 1 ? "422c8e7a6227d7bca1350b3e2bb7279f"
                           "7897b87bb6854b783c60e80311ae3079"
                         : "684cf59ba83309552800ef566f2f4d3c"
                           "1c3887c49360e3875f2eb94d99532c51");
        assert_memory_equal(scalar, want, 32);
    }
}

/* RFC 7748, section 5.2: the two vectors, and the iterated one. */
static void
rfc_7748(void **state)
{
    (void)state;
    static const char *const row[][3] = {
        {"a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
         "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
         "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"},
        {"4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
         "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
         "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"}};
    enum x25519_isa before = x25519_isa();
    for (size_t a = 0; a < ALL; a++) {
        uint8_t k[2][32], u[2][32], out[ALIKE][32], want[32];
        struct x25519_job job[ALIKE];
        if (!x25519_isa_works(all[a]))
            continue;
        x25519_isa_use(all[a]);
        for (size_t i = 0; i < 2; i++) {
            hex(k[i], row[i][0]);
            hex(u[i], row[i][1]);
            job[i] = (struct x25519_job){k[i], u[i], out[i], -1};
        }
        x25519_batch(job, 2);
        for (size_t i = 0; i < 2; i++) {
            hex(want, row[i][2]);
            assert_memory_equal(out[i], want, 32);
            assert_int_equal(job[i].err, 0);
        }
        iterate(1);
        iterate(3);
        iterate(ALIKE);
    }
    x25519_isa_use(before);
}

/* Points that go wrong easily: of low order, not canonical, top bit set. */
static void
odd_point(uint8_t u[32], uint64_t which, struct rng_seeded *rng)
{
    static const uint8_t order8[2][32] = {
        {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
         0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
         0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
        {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
         0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
         0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57}};
    if (which < 40) { /* 0..19, p - 20 .. p + 19, some above 2^255 */
        memset(u, which < 20 ? 0 : 0xff, 32);
        u[0] = (uint8_t)(which < 20 ? which : 0xed + which - 40);
        u[31] = which < 20 ? 0 : 0x7f;
        if (which >= 20 && 0xed + which - 40 > 0xff)
            u[0] = 0xff;
        u[31] |= (uint8_t)(rng_seeded_u64(rng) & 0x80);
    } else if (which < 42) {
        memcpy(u, order8[which - 40], 32);
    } else {
        rng_seeded_bytes(rng, u, 32);
    }
}

/* Is out what libsodium gives? Counts the zero results. */
static void
compare(const struct x25519_job *job, unsigned *low)
{
    uint8_t want[32] = {0};
    int bad = job->point ? crypto_scalarmult(want, job->scalar, job->point)
                         : crypto_scalarmult_base(want, job->scalar);
    if (bad)
        memset(want, 0, sizeof want);
    assert_memory_equal(job->out, want, 32);
    assert_int_equal(job->err, bad ? ERR_POINT : 0);
    *low += bad != 0;
}

/* 100,000 points, a third of them odd, and a fifth as many multiples of the
 * base point, in batches of any size: byte for byte as libsodium, and the zero
 * result is told. */
static void
as_libsodium(enum x25519_isa isa)
{
    static uint8_t k[BATCH][32], u[BATCH][32], out[BATCH][32];
    struct x25519_job job[BATCH];
    struct rng_seeded rng;
    const unsigned inputs = test_proof() ? 10 * INPUTS : INPUTS;
    unsigned low = 0;
    enum x25519_isa before = x25519_isa();
    if (!x25519_isa_works(isa)) {
        printf("  this processor has no %s\n", x25519_isa_name(isa));
        return;
    }
    x25519_isa_use(isa);
    rng_seeded_init_u64(&rng, test_seed(), "x25519");
    for (unsigned done = 0; done < inputs + inputs / 5;) {
        size_t n = 1 + rng_seeded_u64(&rng) % BATCH;
        size_t base = rng_seeded_u64(&rng) % (n / 2 + 1);
        base = done % 2 ? base : 0;
        for (size_t i = 0; i < n; i++) {
            rng_seeded_bytes(&rng, k[i], 32);
            if (rng_seeded_u64(&rng) % 64 == 0)
                memset(k[i], (int)(rng_seeded_u64(&rng) % 2 * 255), 32);
            odd_point(u[i], rng_seeded_u64(&rng) % 126, &rng);
            job[i] =
                (struct x25519_job){k[i], i < base ? NULL : u[i], out[i], -1};
        }
        x25519_batch(job, n);
        for (size_t i = 0; i < n; i++)
            compare(&job[i], &low);
        done += (unsigned)n;
    }
    assert_true(low > inputs / 100);
    x25519_isa_use(before);
}

static void
as_libsodium_avx2(void **state)
{
    (void)state;
    as_libsodium(X25519_AVX2);
}

static void
as_libsodium_ifma(void **state)
{
    (void)state;
    as_libsodium(X25519_IFMA);
}

/* BRUSIO_ISA is a wish: the best of the processor that is not above it. */
static void
names(void **state)
{
    (void)state;
    assert_true(x25519_isa_works(X25519_GENERIC));
    for (size_t a = 0; a < ALL; a++)
        assert_true(strlen(x25519_isa_name(all[a])) > 0);
    assert_true(x25519_isa_works(x25519_isa()));
}

const struct CMUnitTest test_x25519[] = {
    cmocka_unit_test(rfc_7748),
    cmocka_unit_test(as_libsodium_avx2),
    cmocka_unit_test(as_libsodium_ifma),
    cmocka_unit_test(names),
};
TEST_SUITE(test_x25519);
