/* tests/unit/test_tally.c - what one lying authority's vote cannot do (I10). */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory/daemon/disk.h"
#include "directory/tally.h"
#include "tests/house.h"

enum {
    VOTES = 4,
    HONEST = 13, /* relays that all votes list */
    STRANGER = 50,
    EPOCH = 3,
    TEXTS_MAX = RELAYS_MAX + HONEST
};

/* Votes that list the same relays, but for the first, which lists more. */
struct ballot {
    struct house house;
    struct vote vote[VOTES], *votes[VOTES];
    char *text[TEXTS_MAX]; /* the liar's; the first HONEST are everybody's */
    size_t n;
};

static int
texts_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
text_add(struct ballot *b, uint8_t number, uint8_t role, uint32_t bandwidth)
{
    const struct house_relay r = {
        .number = number, .role = role, .epoch = 1, .bandwidth = bandwidth};
    uint8_t *bytes;
    size_t len;
    house_descriptor(&b->house, &r, &bytes, &len);
    b->text[b->n++] = strndup((char *)bytes, len);
    free(bytes);
}

static struct ballot *
ballot_new(void)
{
    struct ballot *b = calloc(1, sizeof *b);
    assert_non_null(b);
    house_make(&b->house, VOTES, test_seed());
    for (uint8_t i = 0; i < HONEST; i++)
        text_add(b, i,
                 i < 2    ? ROLE_GATEWAY
                 : i < 11 ? ROLE_MIX
                          : ROLE_STORE,
                 100);
    return b;
}

static void
ballot_free(struct ballot *b)
{
    for (size_t i = 0; i < b->n; i++)
        free(b->text[i]);
    house_free(&b->house);
    free(b);
}

/* Count the votes; the liar lists its texts from `first` on. The texts pass for
 * verified ones if `opened`. */
static struct consensus *
ballot_count(struct ballot *b, size_t first, bool opened)
{
    static const uint8_t random[32] = {5}, ids[VOTES][SPHINX_ID_LEN] = {{0}};
    static char same[] = "the same";
    char *all[TEXTS_MAX], *honest[HONEST], *liar[TEXTS_MAX];
    struct consensus *c = NULL;
    memcpy(all, b->text, b->n * sizeof *all);
    memcpy(honest, b->text, sizeof honest);
    memcpy(liar, b->text + first, (b->n - first) * sizeof *liar);
    qsort(all, b->n, sizeof *all, texts_order);
    qsort(honest, HONEST, sizeof *honest, texts_order);
    qsort(liar, b->n - first, sizeof *liar, texts_order);
    for (size_t i = 0; i < VOTES; i++) {
        b->vote[i] = (struct vote){.network = "test",
                                   .epoch = EPOCH,
                                   .params = b->house.params,
                                   .params_text = same,
                                   .descriptors = i ? honest : liar,
                                   .n = i ? HONEST : b->n - first};
        b->votes[i] = &b->vote[i];
    }
    const struct tally_opened known = {all, opened ? b->n : 0};
    assert_int_equal(tally_votes(&c, b->votes, VOTES, ids, VOTES, random,
                                 HOUSE_GENESIS, &known),
                     0);
    return c;
}

/* A relay that one authority lists three times is listed by one of four. */
static void
i10_many_descriptors_are_one_word(void **state)
{
    (void)state;
    struct ballot *b = ballot_new();
    uint8_t id[SPHINX_ID_LEN];
    for (uint32_t i = 0; i < 3; i++)
        text_add(b, STRANGER, ROLE_MIX, 100 + i);
    struct consensus *c = ballot_count(b, 0, false);
    house_relay_id(STRANGER, id);
    assert_int_equal(consensus_find(c, id), -1);
    assert_int_equal(c->n_relays, HONEST);
    consensus_free(&c);
    ballot_free(b);
}

/* Nor does it hinder a consensus by listing as many as a vote may that nobody
 * else lists: here of one relay, each with another bandwidth. */
static void
i10_a_long_vote_hinders_no_consensus(void **state)
{
    (void)state;
    enum { FIRST = 10000, DIGITS = 5 };
    struct ballot *b = ballot_new();
    text_add(b, STRANGER, ROLE_MIX, FIRST);
    const char *at = strstr(b->text[HONEST], "\"bandwidth\":10000");
    assert_non_null(at);
    const size_t offset =
        (size_t)(at - b->text[HONEST]) + sizeof "\"bandwidth\":" - 1;
    while (b->n < TEXTS_MAX) {
        char digits[DIGITS + 8];
        char *text = strdup(b->text[HONEST]);
        assert_non_null(text);
        snprintf(digits, sizeof digits, "%zu", FIRST + b->n);
        memcpy(text + offset, digits, DIGITS);
        b->text[b->n++] = text;
    }
    struct consensus *c = ballot_count(b, HONEST, true);
    assert_int_equal(c->n_relays, HONEST);
    consensus_free(&c);
    ballot_free(b);
}

static void
length_note(void *ctx, enum authority_output what, const uint8_t *bytes,
            size_t len)
{
    (void)bytes;
    assert_int_equal(what, AUTHORITY_KEEP_VOTE);
    *(size_t *)ctx = len;
}

/* Nor does a vote that is as long as may be, which is kept with its claim, keep an
 * authority from starting again. */
static void
i10_a_long_vote_hinders_no_start(void **state)
{
    (void)state;
    enum { CLAIM_LEN = 16384, LEN = 4 + CLAIM_LEN + VOTE_LEN_MAX };
    char dir[] = "/tmp/brusio-vote-XXXXXX", path[128];
    uint8_t *kept = calloc(1, LEN);
    size_t len = 0;
    assert_non_null(kept);
    assert_non_null(mkdtemp(dir));
    assert_int_equal(disk_begin(dir), 0);
    assert_int_equal(disk_put(dir, AUTHORITY_KEEP_VOTE, EPOCH, kept, LEN), 0);
    assert_int_equal(disk_each(dir, length_note, &len), 0);
    assert_int_equal(len, LEN);
    disk_prune(dir, EPOCH + 1, EPOCH + 1);
    free(kept);
    snprintf(path, sizeof path, "rm -r %s", dir);
    assert_int_equal(system(path), 0);
}

static void
lengths_add(void *ctx, enum authority_output what, const uint8_t *bytes,
            size_t len)
{
    (void)what;
    (void)bytes;
    *(size_t *)ctx += len;
}

/* Nor do votes fill an authority's disk while no consensus comes about: of others
 * there are those of one epoch, however many pass. */
static void
i10_votes_of_others_take_one_epochs_room(void **state)
{
    (void)state;
    enum { LEN = 1000, OTHERS = 4, EPOCHS = 6 };
    char dir[] = "/tmp/brusio-votes-XXXXXX", path[128];
    uint8_t kept[LEN] = {0};
    assert_non_null(mkdtemp(dir));
    assert_int_equal(disk_begin(dir), 0);
    for (uint32_t epoch = EPOCH; epoch < EPOCH + EPOCHS; epoch++) {
        size_t len = 0;
        kept[0] = (uint8_t)epoch;
        disk_prune(dir, EPOCH, epoch);
        assert_int_equal(disk_put(dir, AUTHORITY_KEEP_VOTE, epoch, kept, LEN),
                         0);
        for (kept[1] = 1; kept[1] <= OTHERS; kept[1]++)
            assert_int_equal(
                disk_put(dir, AUTHORITY_KEEP_HEARD, epoch, kept, LEN), 0);
        kept[1] = 0;
        assert_int_equal(disk_each(dir, lengths_add, &len), 0);
        assert_int_equal(len, (OTHERS + 1 + epoch - EPOCH) * LEN);
        len = 0;
        assert_int_equal(disk_votes(dir, epoch, lengths_add, &len), 0);
        assert_int_equal(len, (OTHERS + 1) * LEN);
    }
    snprintf(path, sizeof path, "rm -r %s", dir);
    assert_int_equal(system(path), 0);
}

/* A body that is all of `value`, as often as it goes into it. malloc'd. */
static char *
dense_make(const char *value, size_t len)
{
    static const char head[] = "{\"author\":[";
    const size_t one = strlen(value);
    char *text = malloc(len + 1);
    size_t n = sizeof head - 1;
    assert_non_null(text);
    memcpy(text, head, n);
    memset(text + n, ' ', len - n);
    for (; n + one + 2 < len; n += one)
        memcpy(text + n, value, one);
    text[n - 1] = ' '; /* the last comma */
    memcpy(text + len - 2, "]}", 3);
    return text;
}

/* Nor does it take a hundred times its length in memory to find that it is none.
 */
static void
i11_a_dense_vote_is_not_taken_apart(void **state)
{
    (void)state;
    static const char *const value[] = {"{},", "[],", "0,", "{\"\":0},"};
    for (size_t i = 0; i < sizeof value / sizeof value[0]; i++) {
        struct vote v;
        char where[JSON_WHERE_LEN];
        char *text = dense_make(value[i], 1 << 20);
        assert_int_equal(
            json_read_vote(&v, (uint8_t *)text, strlen(text), where),
            ERR_RANGE);
        assert_string_equal(where, "JSON");
        free(text);
    }
    /* in a text the same are letters: it is read, and what is wrong is told */
    struct vote v;
    char where[JSON_WHERE_LEN];
    char *text = dense_make(
        "\"{,[\\\"{,\\\\{,[,[,[,[,[,[,[,[,[,[,[,[,[,[,[,[,[,[\",", 1 << 20);
    assert_int_not_equal(
        json_read_vote(&v, (uint8_t *)text, strlen(text), where), 0);
    assert_string_not_equal(where, "JSON");
    free(text);
}

const struct CMUnitTest test_tally[] = {
    cmocka_unit_test(i10_many_descriptors_are_one_word),
    cmocka_unit_test(i10_a_long_vote_hinders_no_consensus),
    cmocka_unit_test(i10_votes_of_others_take_one_epochs_room),
    cmocka_unit_test(i10_a_long_vote_hinders_no_start),
    cmocka_unit_test(i11_a_dense_vote_is_not_taken_apart),
};
TEST_SUITE(test_tally);
