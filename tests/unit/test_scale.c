/* tests/unit/test_scale.c - as many relays as a consensus may have.
 *
 * Whoever lets many relays join must not make authorities, relays and clients
 * slow. What is done for each relay takes log n steps: sixteen times as many take
 * some twenty times as long, and not 256 times. CPU time of this thread, the
 * shortest of some runs; the bound is three to four times from either, for caches
 * and neighbours on the machine are worth a factor of two. */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "directory/blame.h"
#include "directory/listing.h"
#include "directory/tally.h"
#include "network/diff.h"
#include "tests/heap.h"
#include "tests/network.h"

#ifdef __SANITIZE_ADDRESS__
enum { TIMES_MAX = 300 }; /* its memory is three times further away */
#else
enum { TIMES_MAX = 100 };
#endif
enum { FEW = RELAYS_MAX / 16, RUNS = 3, TARGET = 7 };

static struct rng_seeded rng;

static double
cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The shortest of some runs with n relays; each returns what it took itself. */
static double
shortest_s(double (*run_s)(size_t n), size_t n)
{
    double best_s = 1e9;
    for (int i = 0; i < RUNS; i++) {
        const double s = run_s(n);
        best_s = s < best_s ? s : best_s;
    }
    return best_s;
}

static void
scales(const char *what, double (*run_s)(size_t n))
{
    rng_seeded_init_u64(&rng, test_seed(), what);
    const double few_s = shortest_s(run_s, FEW);
    const double many_s = shortest_s(run_s, RELAYS_MAX);
    printf("  %s: %.4f s for %d, %.4f s for %d\n", what, few_s, FEW, many_s,
           RELAYS_MAX);
    assert_true(many_s < TIMES_MAX * few_s);
}

static int
relay_order(const void *a, const void *b)
{
    return memcmp(((const struct relay_entry *)a)->identity,
                  ((const struct relay_entry *)b)->identity, SPHINX_ID_LEN);
}

static struct relay_entry
relay_draw(size_t i)
{
    struct relay_entry r = {.protocol_min = 1,
                            .protocol_max = 1,
                            .n_addresses = 1,
                            .bandwidth =
                                (uint32_t)(rng_seeded_u64(&rng) % 100000)};
    rng_seeded_bytes(&rng, r.identity, sizeof r.identity);
    rng_seeded_bytes(&rng, r.sphinx_key, 32);
    r.layer = i < 2 ? 0 : i < 4 ? 4 : (uint8_t)(1 + i % 3);
    r.role = r.layer == 0 ? ROLE_GATEWAY : r.layer == 4 ? ROLE_STORE : ROLE_MIX;
    strcpy(r.addresses[0], "127.0.0.1:7100");
    return r;
}

/* A consensus of n relays. */
static struct consensus *
consensus_draw_big(size_t n)
{
    struct consensus *c = calloc(1, sizeof *c);
    assert_non_null(c);
    strcpy(c->network, "test");
    c->epoch = TARGET;
    c->days.n = 1;
    params_default(&c->params, 3600);
    c->n_relays = n;
    c->relays = calloc(n, sizeof *c->relays);
    assert_non_null(c->relays);
    for (size_t i = 0; i < n; i++)
        c->relays[i] = relay_draw(i);
    qsort(c->relays, n, sizeof *c->relays, relay_order);
    return c;
}

/* ---- finding ---- */

static double
find_s(size_t n)
{
    struct consensus *c = consensus_draw_big(n);
    c->left_out = calloc(n, sizeof *c->left_out);
    assert_non_null(c->left_out);
    for (size_t i = 0; i < n; i++) {
        struct left_out *l = &c->left_out[c->n_left_out++];
        memcpy(l->identity, c->relays[i].identity, sizeof l->identity);
        l->cut_permille = 1 + (uint16_t)(i % 1000);
    }
    const double start_s = cpu_s();
    for (size_t i = 0; i < n; i++) {
        const uint8_t *id = c->relays[i].identity;
        assert_int_equal(consensus_find(c, id), i);
        assert_int_equal(consensus_left_out(c, id), 1 + i % 1000);
    }
    const double s = cpu_s() - start_s;
    uint8_t nobody[SPHINX_ID_LEN] = {0};
    assert_int_equal(consensus_find(c, nobody), -1);
    assert_int_equal(consensus_left_out(c, nobody), 0);
    consensus_free(&c);
    return s;
}

static void
i7_finding_scales(void **state)
{
    (void)state;
    scales("find each relay, and each left out", find_s);
}

/* ---- listing ---- */

/* All post what is for the target, and what is for the next epoch; in their
 * order, since what a listing moves for those out of order, 8 bytes for each
 * that is behind, is not looked for here: 0.06 s for all. */
static double
listing_s(size_t n)
{
    struct listing l = {0};
    struct consensus *c = consensus_draw_big(n);
    char **texts, text[80];
    size_t n_texts;
    const double start_s = cpu_s();
    for (uint32_t epoch = TARGET; epoch <= TARGET + 1; epoch++)
        for (size_t i = 0; i < n; i++) {
            struct descriptor d = {.epoch = epoch, .relay = c->relays[i]};
            const int len = snprintf(text, sizeof text, "%zu of %u", i, epoch);
            assert_int_equal(
                listing_put(&l, &d, (uint8_t *)text, (size_t)len, TARGET, 1),
                0);
        }
    assert_int_equal(l.n, 2 * n);
    for (size_t i = 0; i < n; i++)
        assert_true(listing_has(&l, c->relays[i].identity, TARGET));
    assert_int_equal(listing_texts(&l, TARGET, c, 1 << 24, &texts, &n_texts),
                     0);
    assert_int_equal(n_texts, n);
    free(texts);
    listing_prune(&l, TARGET + KEYS_AHEAD, TARGET + KEYS_AHEAD);
    assert_int_equal(l.n, n);
    const double s = cpu_s() - start_s;
    listing_free(&l);
    consensus_free(&c);
    return s;
}

static void
i7_listing_scales(void **state)
{
    (void)state;
    scales("list descriptors", listing_s);
}

/* A vote that is too long would be none: relays of the newest consensus go
 * first, and strangers take what room they leave. */
static void
i7_strangers_take_no_room_in_a_vote(void **state)
{
    (void)state;
    enum { N = 40, KNOWN = 10 };
    struct listing l = {0};
    rng_seeded_init_u64(&rng, test_seed(), "room");
    struct consensus *c = consensus_draw_big(N), newest = *c;
    newest.relays = &c->relays[N - KNOWN]; /* the last by identity */
    newest.n_relays = KNOWN;
    char **texts, text[16];
    size_t n;
    for (size_t i = 0; i < N; i++) {
        struct descriptor d = {.epoch = TARGET, .relay = c->relays[i]};
        const int len = snprintf(text, sizeof text, "\"%zu\"", 100 + i);
        assert_int_equal(
            listing_put(&l, &d, (uint8_t *)text, (size_t)len, TARGET, 1), 0);
    }
    /* each is written as "\"123\"", */
    const size_t each = 10;
    for (size_t fits = 0; fits <= N; fits++) {
        size_t known = 0;
        const size_t room = fits * each + each - 1;
        assert_int_equal(listing_texts(&l, TARGET, &newest, room, &texts, &n),
                         0);
        assert_int_equal(n, fits);
        for (size_t i = 0; i < n; i++) {
            known += (size_t)atoi(texts[i] + 1) >= 100 + N - KNOWN;
            assert_true(i == 0 || strcmp(texts[i - 1], texts[i]) < 0);
        }
        assert_int_equal(known, fits < KNOWN ? fits : KNOWN);
        free(texts);
    }
    listing_free(&l);
    consensus_free(&c);
}

/* Relays that tell of many links make their descriptors long: those that need no
 * more than their share of a vote have their places all the same. */
static void
i10_long_descriptors_push_nobody_out(void **state)
{
    (void)state;
    enum { LONG = 100, SHARE = 30 };
    struct listing l = {0};
    rng_seeded_init_u64(&rng, test_seed(), "long");
    struct consensus *c = consensus_draw_big(RELAYS_MAX);
    char **texts, text[LONG];
    size_t n, shorts = 0;
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < RELAYS_MAX; i++) {
        const struct descriptor d = {.epoch = TARGET, .relay = c->relays[i]};
        /* the first by identity are the long ones, which come first */
        const size_t len = i < RELAYS_MAX / 2 ? LONG : SHARE - 3;
        assert_int_equal(listing_put(&l, &d, (uint8_t *)text, len, TARGET, 1),
                         0);
    }
    assert_int_equal(
        listing_texts(&l, TARGET, c, (size_t)SHARE * RELAYS_MAX, &texts, &n),
        0);
    for (size_t i = 0; i < n; i++)
        shorts += strlen(texts[i]) == SHARE - 3;
    assert_int_equal(shorts, RELAYS_MAX / 2);
    assert_int_equal(n - shorts, (size_t)SHARE * RELAYS_MAX / 2 / (LONG + 3));
    free(texts);
    listing_free(&l);
    consensus_free(&c);
}

/* ---- the tally ---- */

/* What each of n relays tells of its links: TOLD of them. */
struct telling {
    struct blame_word *word;
    struct link_told *told;
};

enum { TOLD = 16, STORE = 2 + 3 * TOLD / 2, JUDGE_TIMES_MAX = 12 };

static void
telling_free(struct telling *t)
{
    free(t->word);
    free(t->told);
}

static struct telling
telling_new(size_t n)
{
    struct telling t = {calloc(n, sizeof *t.word),
                        calloc(n * TOLD, sizeof *t.told)};
    assert_true(t.word && t.told);
    for (size_t i = 0; i < n; i++)
        t.word[i].links = &t.told[i * TOLD];
    return t;
}

/* Who says that neighbours lose everything: stores of no family or of one, of all
 * neighbours, so that a quarter of them is left out, one after the other; or of
 * half of them, twice, and all stay. */
enum judged { OF_NONE, OF_ONE, ALL_STAY };

/* All of RELAYS_MAX are stores but two gateways and three lines of mixes. */
static double
judge_s(enum judged kind)
{
    struct consensus *c = consensus_draw_big(RELAYS_MAX);
    struct telling t = telling_new(RELAYS_MAX);
    size_t neighbour[TOLD], n = 0;
    for (size_t i = 0; i < RELAYS_MAX; i++) {
        struct relay_entry *r = &c->relays[i];
        r->layer = i < 2 ? 0 : i < STORE ? (uint8_t)(1 + i % 3) : 4;
        r->role = r->layer == 0   ? ROLE_GATEWAY
                  : r->layer == 4 ? ROLE_STORE
                                  : ROLE_MIX;
        r->family[0] = kind == OF_ONE && r->layer == 4;
        if (r->layer == 1 || (r->layer == 3 && kind != ALL_STAY))
            neighbour[n++] = i;
    }
    for (size_t i = STORE; i < RELAYS_MAX; i++)
        for (size_t m = 0; m < TOLD; m++) {
            struct link_told *l = &t.told[i * TOLD + t.word[i].n++];
            *l = (struct link_told){.sent = 10, .lost = 10};
            memcpy(l->identity, c->relays[neighbour[m % n]].identity,
                   sizeof l->identity);
        }
    const double start_s = cpu_s();
    assert_int_equal(blame_judge(c, t.word), 0);
    const double s = cpu_s() - start_s;
    assert_int_equal(c->n_left_out,
                     kind == ALL_STAY ? 0 : (RELAYS_MAX - STORE + 1) / 4);
    telling_free(&t);
    consensus_free(&c);
    return s;
}

/* Leaving a quarter out takes not much more than reading what is said. Step by
 * step over all that is said it is fifty times as long. */
static void
i7_judging_links_scales(void **state)
{
    (void)state;
    double s[ALL_STAY + 1];
    rng_seeded_init_u64(&rng, test_seed(), "judge");
    for (enum judged kind = OF_NONE; kind <= ALL_STAY; kind++) {
        s[kind] = 1e9;
        for (int i = 0; i < RUNS; i++) {
            const double run_s = judge_s(kind);
            s[kind] = run_s < s[kind] ? run_s : s[kind];
        }
    }
    printf("  judge links: %.4f s, of a family %.4f, of whom all stay %.4f\n",
           s[OF_NONE], s[OF_ONE], s[ALL_STAY]);
    assert_true(s[OF_NONE] < JUDGE_TIMES_MAX * s[ALL_STAY]);
    assert_true(s[OF_ONE] < JUDGE_TIMES_MAX * s[ALL_STAY]);
}

/* All mixes in layer 1, of one weight: two thirds of them, or nearly, move. */
static double
even_out_s(size_t n)
{
    struct consensus *c = consensus_draw_big(n);
    size_t *relay = calloc(n, sizeof *relay), in[4] = {0};
    assert_non_null(relay);
    for (size_t i = 0; i < n; i++) {
        relay[i] = i;
        c->relays[i].layer = 1;
        c->relays[i].bandwidth = 9;
    }
    const double start_s = cpu_s();
    assert_int_equal(tally_even_out(c, relay, n), 0);
    const double s = cpu_s() - start_s;
    for (size_t i = 0; i < n; i++)
        in[c->relays[i].layer]++;
    assert_true(in[1] <= 2 * in[2] && in[1] <= 2 * in[3] && in[2] > n / 5);
    free(relay);
    consensus_free(&c);
    return s;
}

static void
i7_evening_out_scales(void **state)
{
    (void)state;
    scales("even layers out", even_out_s);
}

/* As PROTOCOL.md has it, mix by mix. */
static bool
move_one(struct consensus *c, const size_t *relay, size_t n)
{
    uint64_t weight[LAYERS_MAX + 1] = {0};
    unsigned most = 1, least = 1;
    for (size_t i = 0; i < n; i++)
        weight[c->relays[relay[i]].layer] +=
            (uint64_t)c->relays[relay[i]].bandwidth + 1;
    for (unsigned k = 2; k <= c->params.layers; k++) {
        most = weight[k] > weight[most] ? k : most;
        least = weight[k] < weight[least] ? k : least;
    }
    for (size_t i = 0; i < n && weight[most] > 2 * weight[least]; i++) {
        struct relay_entry *r = &c->relays[relay[i]];
        if (r->layer != most ||
            weight[least] + r->bandwidth + 1 >= weight[most])
            continue;
        r->layer = (uint8_t)least;
        return true;
    }
    return false;
}

static void
layers_are_evened_out_as_written(void **state)
{
    (void)state;
    enum { MOST = 70 };
    size_t moved = 0;
    rng_seeded_init_u64(&rng, test_seed(), "even");
    for (size_t n = 0; n < MOST; n++) {
        struct consensus *a = consensus_draw_big(n + 1);
        uint8_t before[MOST + 1], layer[MOST + 1];
        size_t relay[MOST + 1];
        a->params.layers = (uint8_t)(1 + n % LAYERS_MAX);
        for (size_t i = 0; i < n; i++) {
            const uint64_t r = rng_seeded_u64(&rng);
            relay[i] = (i * 71 + n) % n; /* in another order */
            before[i] = (uint8_t)(1 + r % a->params.layers % (1 + r / 8 % 6));
            a->relays[i].layer = before[i];
            a->relays[i].bandwidth = (uint32_t)(r >> 40) % 5000;
        }
        for (size_t moves = 0; moves < n && move_one(a, relay, n); moves++)
            moved++;
        for (size_t i = 0; i < n; i++) {
            layer[i] = a->relays[i].layer;
            a->relays[i].layer = before[i];
        }
        assert_int_equal(tally_even_out(a, relay, n), 0);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(a->relays[i].layer, layer[i]);
        consensus_free(&a);
    }
    assert_true(moved > MOST);
}

/* ---- the diff ---- */

static void
document_make(struct consensus *c, uint8_t **out, size_t *len)
{
    static const uint8_t seed[DOCUMENT_SIGN_SEED_LEN] = {1};
    struct document *d = calloc(1, sizeof *d);
    struct document_key key;
    char *body;
    assert_non_null(d);
    d->kind = DOCUMENT_CONSENSUS;
    assert_int_equal(json_write_consensus(c, &body, &d->body_len), 0);
    d->body = (uint8_t *)body;
    document_digest(d, c->digest);
    document_key_direct(&key, seed);
    assert_int_equal(document_sign(d, &key), 0);
    assert_int_equal(document_write(d, out, len), 0);
    free(body);
    free(d);
}

/* Half of the relays are new, each before one that was there. */
static double
diff_s(size_t n)
{
    struct consensus *to = consensus_draw_big(n), from = *to;
    uint8_t *document, *was, *diff, *made;
    size_t len, was_len, diff_len, made_len;
    from.relays = calloc(n / 2, sizeof *from.relays);
    from.n_relays = n / 2;
    assert_non_null(from.relays);
    for (size_t i = 0; i < n / 2; i++)
        from.relays[i] = to->relays[2 * i + 1];
    to->epoch++;
    document_make(&from, &was, &was_len);
    document_make(to, &document, &len);
    assert_int_equal(diff_make(&from, to, document, len, &diff, &diff_len), 0);
    const double start_s = cpu_s();
    assert_int_equal(diff_apply(&from, diff, diff_len, &made, &made_len), 0);
    const double s = cpu_s() - start_s;
    assert_int_equal(made_len, len);
    assert_memory_equal(made, document, len);
    free(from.relays);
    free(was);
    free(document);
    free(diff);
    free(made);
    consensus_free(&to);
    return s;
}

static void
i7_applying_a_diff_scales(void **state)
{
    (void)state;
    scales("apply a diff", diff_s);
}

/* ---- no memory ---- */

static int
listing_call(void *ctx)
{
    struct listing l = {0};
    struct consensus *c = ctx;
    int err = 0;
    for (size_t i = 0; i < c->n_relays && !err; i++) {
        const struct descriptor d = {.epoch = TARGET, .relay = c->relays[i]};
        err = listing_put(&l, &d, (const uint8_t *)"x", 1, TARGET, 1);
    }
    listing_free(&l);
    return err;
}

static int
tally_call(void *ctx)
{
    const struct consensus *from = ctx;
    struct consensus c = *from;
    size_t relay[40];
    c.relays = malloc(c.n_relays * sizeof *c.relays);
    if (!c.relays)
        return ERR_NOMEM;
    memcpy(c.relays, from->relays, c.n_relays * sizeof *c.relays);
    for (size_t i = 0; i < c.n_relays; i++) {
        relay[i] = i;
        c.relays[i].layer = 1;
    }
    const int err = tally_even_out(&c, relay, c.n_relays);
    free(c.relays);
    return err;
}

static void
memory_runs_out(void **state)
{
    (void)state;
    rng_seeded_init_u64(&rng, test_seed(), "memory");
    struct consensus *c = consensus_draw_big(40);
    heap_try(listing_call, c);
    heap_try(tally_call, c);
    consensus_free(&c);
}

const struct CMUnitTest test_scale[] = {
    cmocka_unit_test(i7_finding_scales),
    cmocka_unit_test(i7_listing_scales),
    cmocka_unit_test(i7_strangers_take_no_room_in_a_vote),
    cmocka_unit_test(i10_long_descriptors_push_nobody_out),
    cmocka_unit_test(i7_judging_links_scales),
    cmocka_unit_test(i7_evening_out_scales),
    cmocka_unit_test(layers_are_evened_out_as_written),
    cmocka_unit_test(i7_applying_a_diff_scales),
    cmocka_unit_test(memory_runs_out),
};
TEST_SUITE(test_scale);
