/* tests/unit/test_document.c - the envelope of signed documents. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "lib/rng_seeded.h"
#include "lib/secret.h"
#include "network/document.h"

enum { SIGNERS = 4, FROM = 1000, UNTIL = 2000 };

struct fixture {
    uint8_t seed[SIGNERS][32], id[SIGNERS][32];
    uint8_t work[SIGNERS][32];
    struct certificate cert[SIGNERS];
    uint8_t *bytes;
    size_t len;
};

static const uint8_t body[] = "{\"epoch\":7}";

/* This signer works with a key of its own, from FROM to UNTIL + i. */
static void
certify(struct fixture *f, unsigned i, struct document_key *key)
{
    struct document_key work;
    struct certificate *c = &f->cert[i];
    document_key_direct(&work, f->work[i]);
    *c = (struct certificate){.from_s = FROM, .until_s = UNTIL + i};
    memcpy(c->key, work.identity, sizeof c->key);
    memset(c->share_key, 7, sizeof c->share_key);
    certificate_sign(c, f->seed[i]);
    key->seed = f->work[i];
    key->cert = c;
}

/* A consensus signed by the signers whose bit is set; every other one by a key
 * that it certifies. */
static void
fixture_make(struct fixture *f, unsigned who)
{
    struct document d = {
        .kind = DOCUMENT_CONSENSUS, .body = body, .body_len = sizeof body - 1};
    assert_int_equal(secret_init(), 0);
    for (unsigned i = 0; i < SIGNERS; i++) {
        struct document_key key;
        memset(f->seed[i], (int)i + 1, 32);
        memset(f->work[i], (int)i + 100, 32);
        document_key_direct(&key, f->seed[i]);
        memcpy(f->id[i], key.identity, sizeof f->id[i]);
        if (i & 1)
            certify(f, i, &key);
        if (who >> i & 1)
            assert_int_equal(document_sign(&d, &key), 0);
        if (who >> i & 1)
            assert_int_equal(document_sign(&d, &key), ERR_DUPLICATE);
    }
    assert_int_equal(document_write(&d, &f->bytes, &f->len), 0);
}

static int
fixture_open(const struct fixture *f, size_t n, size_t need)
{
    struct document d;
    return document_open(&d, DOCUMENT_CONSENSUS, f->bytes, f->len,
                         (const uint8_t(*)[32])f->id, n, need);
}

static void
more_than_two_thirds(void **state)
{
    (void)state;
    struct fixture f;
    static const size_t need[] = {0, 1, 2, 3, 3, 4, 5, 5, 6, 7};
    for (size_t n = 1; n < 10; n++) {
        assert_int_equal(document_two_thirds(n), need[n]);
        assert_true(3 * document_two_thirds(n) > 2 * n);
    }
    for (unsigned who = 0; who < 16; who++) { /* every set of signers */
        unsigned count = (unsigned)__builtin_popcount(who);
        fixture_make(&f, who);
        assert_int_equal(fixture_open(&f, SIGNERS, 3),
                         count >= 3 ? 0 : ERR_THRESHOLD);
        /* one that is not allowed does not count */
        unsigned of3 = (unsigned)__builtin_popcount(who & 7);
        assert_int_equal(fixture_open(&f, 3, 3), of3 >= 3 ? 0 : ERR_THRESHOLD);
        assert_int_equal(fixture_open(&f, SIGNERS, 0),
                         count > 0 ? 0 : ERR_THRESHOLD);
        free(f.bytes);
    }
}

static void
every_changed_byte_is_noticed(void **state)
{
    (void)state;
    struct fixture f;
    fixture_make(&f, 15);
    assert_int_equal(fixture_open(&f, SIGNERS, 4), 0);
    for (size_t i = 0; i < f.len; i++)
        for (int bit = 0; bit < 8; bit++) {
            f.bytes[i] ^= (uint8_t)(1 << bit);
            int err = fixture_open(&f, SIGNERS, 4);
            f.bytes[i] ^= (uint8_t)(1 << bit);
            assert_int_not_equal(err, 0);
        }
    for (size_t len = 0; len < f.len; len++) {
        struct document d;
        assert_int_not_equal(document_open(&d, DOCUMENT_CONSENSUS, f.bytes, len,
                                           (const uint8_t(*)[32])f.id, SIGNERS,
                                           4),
                             0);
    }
    struct document d;
    assert_int_equal(document_parse(&d, DOCUMENT_CLAIM, f.bytes, f.len),
                     ERR_FORMAT);
    free(f.bytes);
}

static void
certificates_cover_a_time(void **state)
{
    (void)state;
    struct fixture f;
    struct document d;
    fixture_make(&f, 15);
    static const struct {
        uint64_t at_s;
        size_t n;
    } row[] = {{FROM - 1, 2},  {FROM, 4},      {UNTIL + 1, 4},
               {UNTIL + 2, 3}, {UNTIL + 3, 3}, {UNTIL + 4, 2}};
    assert_int_equal(document_parse(&d, DOCUMENT_CONSENSUS, f.bytes, f.len), 0);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        assert_int_equal(document_signers_at(&d, (const uint8_t(*)[32])f.id,
                                             SIGNERS, row[i].at_s,
                                             &(struct certificates){0}),
                         row[i].n);
    assert_int_equal(document_signers_at(&d, (const uint8_t(*)[32])f.id, 1,
                                         FROM, &(struct certificates){0}),
                     1);
    free(f.bytes);
    struct certificate c = {.from_s = 2, .until_s = 1};
    certificate_sign(&c, f.seed[0]);
    assert_int_equal(certificate_check(&c, f.id[0]), ERR_RANGE);
    c.until_s = 2;
    assert_int_equal(certificate_check(&c, f.id[0]), ERR_SIGNATURE);
    certificate_sign(&c, f.seed[0]);
    assert_int_equal(certificate_check(&c, f.id[0]), 0);
    assert_int_equal(certificate_check(&c, f.id[1]), ERR_SIGNATURE);
}

static void
heads_are_strict(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int err;
    } row[] = {{"", ERR_SHORT},
               {"brusio-claim/1 2\n{}\n", 0},
               {"brusio-claim/1 0\n\n", 0},
               {"brusio-claim/2 2\n{}\n", ERR_VERSION},
               {"brusio-claim/1 02\n{}\n", ERR_FORMAT},
               {"brusio-claim/1 +2\n{}\n", ERR_FORMAT},
               {"brusio-claim/1 \n{}\n", ERR_FORMAT},
               {"brusio-claim/1 3\n{}\n", ERR_SHORT},
               {"brusio-claim/1 1\n{}\n", ERR_FORMAT},
               {"brusio-claim/1 2\n{}\nx", ERR_SHORT},
               {"brusio-claim/1 2", ERR_SHORT},
               {"brusio-claim/1 99999999999999999999\n", ERR_LONG},
               {"brusio-consensus/1 2\n{}\n", ERR_FORMAT}};
    struct document d;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        assert_int_equal(document_parse(&d, DOCUMENT_CLAIM,
                                        (const uint8_t *)row[i].text,
                                        strlen(row[i].text)),
                         row[i].err);
}

/* 100,000 documents with a few bytes changed, moved or cut: none opens but the
 * unchanged ones. */
static void
mutations_never_open(void **state)
{
    (void)state;
    struct fixture f;
    struct rng_seeded rng;
    struct document d;
    fixture_make(&f, 15);
    uint8_t *copy = malloc(f.len);
    assert_non_null(copy);
    rng_seeded_init_u64(&rng, test_seed(), "documents");
    for (int i = 0; i < 100000; i++) {
        uint64_t u = rng_seeded_u64(&rng);
        size_t len = u & 1 ? f.len : (u >> 8) % (f.len + 1);
        memcpy(copy, f.bytes, f.len);
        for (unsigned k = 0; k < (u >> 40) % 4; k++)
            copy[rng_seeded_u64(&rng) % f.len] = (uint8_t)(u >> (8 * k));
        int same = len == f.len && memcmp(copy, f.bytes, f.len) == 0;
        int err = document_parse(&d, DOCUMENT_CONSENSUS, copy, len);
        if (err == 0 && i % 50 == 0) /* verifying is slow: a sample */
            err = document_open(&d, DOCUMENT_CONSENSUS, copy, len,
                                (const uint8_t(*)[32])f.id, SIGNERS, 4);
        else if (err == 0)
            continue;
        if (same)
            assert_int_equal(err, 0);
        else if (err == 0)
            assert_true(d.body_len == sizeof body - 1 &&
                        memcmp(d.body, body, d.body_len) == 0);
    }
    free(copy);
    free(f.bytes);
}

const struct CMUnitTest test_document[] = {
    cmocka_unit_test(more_than_two_thirds),
    cmocka_unit_test(every_changed_byte_is_noticed),
    cmocka_unit_test(certificates_cover_a_time),
    cmocka_unit_test(heads_are_strict),
    cmocka_unit_test(mutations_never_open),
};
TEST_SUITE(test_document);
