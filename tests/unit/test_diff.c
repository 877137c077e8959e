/* tests/unit/test_diff.c - from one consensus to another by a diff. */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network/diff.h"
#include "network/json.h"
#include "tests/network.h"

enum { PAIRS = 300, MUTANTS = 20000 };

static struct rng_seeded rng;

static struct consensus *
reread(struct sim_net *n)
{
    struct document *d = malloc(sizeof *d);
    struct consensus *c;
    char where[JSON_WHERE_LEN];
    assert_non_null(d);
    test_network_sign(n);
    assert_int_equal(
        document_parse(d, DOCUMENT_CONSENSUS, n->document, n->document_len), 0);
    assert_int_equal(json_read_consensus(&c, d->body, d->body_len, where), 0);
    document_digest(d, c->digest);
    free(d);
    return c;
}

static int
identity_order(const void *a, const void *b)
{
    return memcmp(((const struct relay_entry *)a)->identity,
                  ((const struct relay_entry *)b)->identity, SPHINX_ID_LEN);
}

/* Some link is cut, some relay left out, or none. */
static void
blame(struct consensus *c)
{
    const uint16_t a = (uint16_t)(rng_seeded_u64(&rng) % c->n_relays);
    const uint16_t b = (uint16_t)(rng_seeded_u64(&rng) % c->n_relays);
    const unsigned la = c->relays[a].layer, lb = c->relays[b].layer;
    free(c->cut);
    free(c->left_out);
    c->cut = calloc(1, sizeof *c->cut);
    c->left_out = calloc(1, sizeof *c->left_out);
    assert_non_null(c->cut);
    assert_non_null(c->left_out);
    c->cut[0] = a < b ? (struct cut_link){a, b} : (struct cut_link){b, a};
    c->n_cut = consensus_has_edge(c, la, lb) || consensus_has_edge(c, lb, la);
    memcpy(c->left_out->identity, c->relays[a].identity, SPHINX_ID_LEN);
    c->left_out->cut_permille = 700;
    c->n_left_out = b % 2;
}

/* An epoch goes by: keys are new, some relays go, come, change. */
static void
evolve(struct consensus *c, unsigned churn)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n_relays; i++) {
        struct relay_entry e = c->relays[i];
        if (rng_seeded_u64(&rng) % 100 < churn && c->n_relays > 6 && n > 3)
            continue;
        if (rng_seeded_u64(&rng) % 100 < churn)
            e.bandwidth++;
        if (rng_seeded_u64(&rng) % 100 < churn)
            rng_seeded_bytes(&rng, e.identity, sizeof e.identity);
        rng_seeded_bytes(&rng, e.sphinx_key, 32);
        c->relays[n++] = e;
    }
    c->n_relays = n;
    qsort(c->relays, n, sizeof *c->relays, identity_order);
    blame(c);
    c->epoch++;
    c->valid_after_s += c->params.epoch_len_s;
}

static void
diffs_lead_to_the_document(void **state)
{
    (void)state;
    rng_seeded_init_u64(&rng, test_seed(), "diff");
    for (unsigned i = 0; i < PAIRS; i++) {
        struct sim_net n;
        uint8_t *diff, *document;
        size_t diff_len, len;
        test_network_make(&n, SPHINX_SUITE_X25519, 1 + i % 3, 3, 1 + i % 7,
                          1 + i % 2);
        struct consensus *from = reread(&n);
        evolve(n.consensus, i % 4 ? i % 60 : 0);
        struct consensus *to = reread(&n);
        assert_int_equal(
            diff_make(from, to, n.document, n.document_len, &diff, &diff_len),
            0);
        assert_int_equal(diff_apply(from, diff, diff_len, &document, &len), 0);
        assert_int_equal(len, n.document_len);
        assert_memory_equal(document, n.document, len);
        free(document);
        assert_int_equal(diff_apply(to, diff, diff_len, &document, &len),
                         ERR_CONFLICT);
        free(diff);
        consensus_free(&from);
        consensus_free(&to);
        test_network_free(&n);
    }
}

/* Whatever is in a diff: an error, or a document to be judged. */
static void
mutants_do_no_harm(void **state)
{
    (void)state;
    struct sim_net n;
    uint8_t *diff, *document;
    size_t diff_len, len;
    unsigned count[ERROR_COUNT] = {0};
    rng_seeded_init_u64(&rng, test_seed(), "diff mutants");
    test_network_make(&n, SPHINX_SUITE_X25519, 1, 3, 2, 1);
    struct consensus *from = reread(&n);
    evolve(n.consensus, 40);
    struct consensus *to = reread(&n);
    assert_int_equal(
        diff_make(from, to, n.document, n.document_len, &diff, &diff_len), 0);
    for (unsigned i = 0; i < MUTANTS; i++) {
        uint8_t *copy = malloc(diff_len);
        assert_non_null(copy);
        memcpy(copy, diff, diff_len);
        for (uint64_t k = 1 + i % 3; k > 0; k--) {
            uint8_t *c = &copy[rng_seeded_u64(&rng) % diff_len];
            *c = *c >= '0' && *c <= '9'
                     ? (uint8_t)('0' + rng_seeded_u64(&rng) % 10)
                     : (uint8_t)rng_seeded_u64(&rng);
        }
        int err = diff_apply(from, copy, diff_len, &document, &len);
        count[-err]++;
        if (!err)
            free(document);
        free(copy);
    }
    printf("  diffs: taken %u", count[0]);
    for (int i = 1; i < ERROR_COUNT; i++)
        if (count[i])
            printf(" %s %u", error_name(-i), count[i]);
    puts("");
    assert_true(count[0] > 0 && count[-ERR_FORMAT] > 0);
    free(diff);
    consensus_free(&from);
    consensus_free(&to);
    test_network_free(&n);
}

const struct CMUnitTest test_diff[] = {
    cmocka_unit_test(diffs_lead_to_the_document),
    cmocka_unit_test(mutants_do_no_harm),
};
TEST_SUITE(test_diff);
