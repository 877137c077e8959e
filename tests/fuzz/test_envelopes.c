/* tests/fuzz/test_envelopes.c - mutated documents: their envelope, and bodies
 * that were changed and then signed. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "lib/secret.h"
#include "network/document.h"
#include "tests/mutate.h"

enum { SIGNERS = 4, ROOM = 4096, LINE = 4 + 64 + 1 + 128 + 1 };

static const char body_text[] = "{\"epoch\":7,\"network\":\"test\"}";

struct fixture {
    struct rng_seeded rng;
    uint8_t seed[SIGNERS][DOCUMENT_SIGN_SEED_LEN];
    uint8_t id[SIGNERS][DOCUMENT_ID_LEN];
    uint8_t *good; /* signed by all */
    size_t len;
};

/* A document of this body signed by those in the bit mask; *out is malloc'd. */
static void
document_make(struct fixture *f, const uint8_t *body, size_t len, unsigned who,
              uint8_t **out, size_t *out_len)
{
    struct document d = {
        .kind = DOCUMENT_CONSENSUS, .body = body, .body_len = len};
    for (unsigned i = 0; i < SIGNERS; i++) {
        struct document_key key;
        if (!(who >> i & 1))
            continue;
        document_key_direct(&key, f->seed[i]);
        memcpy(f->id[i], key.identity, sizeof f->id[i]);
        assert_int_equal(document_sign(&d, &key), 0);
    }
    assert_int_equal(document_write(&d, out, out_len), 0);
}

static void
fixture_make(struct fixture *f, const char *label)
{
    assert_int_equal(secret_init(), 0);
    rng_seeded_init_u64(&f->rng, test_seed(), label);
    for (unsigned i = 0; i < SIGNERS; i++)
        memset(f->seed[i], (int)i + 1, sizeof f->seed[i]);
    document_make(f, (const uint8_t *)body_text, sizeof body_text - 1, 15,
                  &f->good, &f->len);
}

/* Change the envelope by whole parts: another head, lines left out, repeated
 * or moved, hex digits for hex digits. */
static void
parts_change(struct fixture *f, uint8_t *bytes, size_t *len)
{
    static const char *const head[] = {
        "brusio-consensus/1 28\n",  "brusio-consensus/1 28\n",
        "brusio-consensus/1 28\n",  "brusio-consensus/2 28\n",
        "brusio-consensus/1 27\n",  "brusio-consensus/1 29\n",
        "brusio-consensus/1 028\n", "brusio-consensus/1 99999999\n",
        "brusio-consensus/1 900\n", "brusio-claim/1 28\n"};
    struct rng_seeded *rng = &f->rng;
    const char *h = head[mutate_below(rng, sizeof head / sizeof head[0])];
    const uint8_t *lines = f->good + f->len - (size_t)SIGNERS * LINE;
    size_t n = strlen(h);
    memcpy(bytes, h, n);
    memcpy(bytes + n, body_text, sizeof body_text - 1);
    n += sizeof body_text - 1;
    bytes[n++] = '\n';
    size_t at = mutate_below(rng, SIGNERS), left = mutate_below(rng, 5);
    for (; left > 0; left--) {
        memcpy(bytes + n, lines + at * LINE, LINE);
        if (mutate_below(rng, 4) == 0)
            bytes[n + 4 + mutate_below(rng, 64)] = (uint8_t) "0af9"[left % 4];
        n += LINE;
        at += mutate_below(rng, 8) > 0; /* else the same one again */
        at = mutate_below(rng, 8) ? at % SIGNERS : mutate_below(rng, SIGNERS);
    }
    if (mutate_below(rng, 100) == 0) /* more than there is room for */
        while (n + LINE < 40 * LINE) {
            memcpy(bytes + n, lines, LINE);
            memset(bytes + n + 4, '0' + (int)(n / LINE % 10), 3);
            n += LINE;
        }
    *len = n;
}

static int
parse_exact(const uint8_t *bytes, size_t len)
{
    struct document d;
    uint8_t *again, *exact = malloc(len ? len : 1);
    size_t again_len;
    assert_non_null(exact);
    memcpy(exact, bytes, len);
    int err = document_parse(&d, DOCUMENT_CONSENSUS, exact, len);
    if (!err) { /* one way to write a document */
        assert_int_equal(document_write(&d, &again, &again_len), 0);
        assert_int_equal(again_len, len);
        assert_memory_equal(again, bytes, len);
        free(again);
    }
    free(exact);
    return err;
}

static void
envelopes(void **state)
{
    (void)state;
    struct tally t = {.parser = "document_parse"};
    struct fixture f;
    uint8_t bytes[3 * ROOM];
    fixture_make(&f, "fuzz documents");
    for (unsigned i = 0; i < mutate_inputs(MUTATE_DOCUMENTS); i++) {
        size_t len = f.len;
        memcpy(bytes, f.good, f.len);
        if (i & 1)
            parts_change(&f, bytes, &len);
        else if (i & 2)
            mutate_input(&f.rng, bytes, &len, f.len + 300);
        else /* the head and the body */
            mutate_bytes(&f.rng, bytes, 52);
        tally_add(&t, parse_exact(bytes, len), i & 1);
    }
    tally_report(&t, mutate_inputs(MUTATE_DOCUMENTS), 5);
    free(f.good);
}

/* Bodies changed and signed anew by some, then at times changed again. What
 * opens is what enough of the allowed signed, octet by octet. */
static void
signed_bodies(void **state)
{
    (void)state;
    struct tally t = {.parser = "document_open"};
    struct fixture f;
    fixture_make(&f, "fuzz signed documents");
    for (unsigned i = 0; i < mutate_inputs(MUTATE_SIGNED); i++) {
        uint8_t body[sizeof body_text + 40], *bytes;
        size_t body_len = sizeof body_text - 1, len;
        struct document d;
        unsigned who = (unsigned)mutate_below(&f.rng, 16);
        memcpy(body, body_text, body_len);
        mutate_input(&f.rng, body, &body_len, sizeof body);
        document_make(&f, body, body_len, who, &bytes, &len);
        bool broken = i % 8 == 0;
        if (broken && i % 16 == 0 && who) /* a digit of a signature */
            bytes[len - 2 - mutate_below(&f.rng, 128)] = '7';
        else if (broken)
            mutate_bytes(&f.rng, bytes, len);
        /* the fourth is not allowed, two of the others are enough */
        int err = document_open(&d, DOCUMENT_CONSENSUS, bytes, len,
                                (const uint8_t(*)[DOCUMENT_ID_LEN])f.id,
                                SIGNERS - 1, 2);
        unsigned good = (unsigned)__builtin_popcount(who & 7);
        if (!broken)
            assert_int_equal(err, good >= 2 ? 0 : ERR_THRESHOLD);
        if (!err) {
            assert_int_equal(d.body_len, body_len);
            assert_memory_equal(d.body, body, body_len);
        }
        tally_add(&t, err, !broken);
        free(bytes);
    }
    tally_report(&t, mutate_inputs(MUTATE_SIGNED), 3);
    free(f.good);
}

const struct CMUnitTest test_envelopes[] = {
    cmocka_unit_test(envelopes),
    cmocka_unit_test(signed_bodies),
};
TEST_SUITE(test_envelopes);
