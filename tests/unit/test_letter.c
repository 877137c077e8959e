/* tests/unit/test_letter.c - letters and invitations. */
#include "tests/by_place.h"
#include "tests/runner.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "client/letters/invite.h"
#include "client/letters/letter.h"
#include "lib/codec.h"
#include "lib/rng_seeded.h"

enum { LEN = 1232 };

static void
letter_make(struct letter *l, const uint8_t *data, uint32_t total,
            uint32_t index)
{
    size_t room = letter_data_max(LEN);
    *l = (struct letter){.ack = 7,
                         .floor = 3,
                         .previous_period = 20000,
                         .previous_count = 33,
                         .sequence = 9,
                         .kind = LETTER_TEXT,
                         .index = index,
                         .count = letter_count(total, LEN),
                         .total = total,
                         .after = 8};
    size_t left = total - index * room;
    l->data_len = (uint16_t)(left < room ? left : room);
    l->data = data;
    memset(l->map, 0x5a, sizeof l->map);
    memcpy(l->message, "12345678", 8);
}

/* Every length around the fragment bounds comes back as it was. */
static void
sealed_letters_open(void **state)
{
    (void)state;
    uint8_t chain[32] = {1}, data[LEN], out[LEN];
    struct rng_seeded rng;
    size_t room = letter_data_max(LEN);
    const size_t totals[] = {0, 1, room - 1, room, room + 1, 2 * room, 5000};
    rng_seeded_init_u64(&rng, test_seed(), "letter");
    for (size_t t = 0; t < sizeof totals / sizeof totals[0]; t++)
        for (uint32_t i = 0; i < letter_count(totals[t], LEN); i++) {
            struct letter l, back;
            struct letter_place at = {20001, 77 + i};
            rng_seeded_bytes(&rng, data, sizeof data);
            letter_make(&l, data, (uint32_t)totals[t], i);
            assert_int_equal(by_place_seal(&l, chain, at, out, LEN), 0);
            assert_int_equal(by_place_open(&back, chain, at, out, LEN), 0);
            assert_int_equal(back.ack, 7);
            assert_int_equal(back.previous_count, 33);
            assert_int_equal(back.floor, 3);
            assert_int_equal(back.index, i);
            assert_int_equal(back.total, totals[t]);
            assert_int_equal(back.count, letter_count(totals[t], LEN));
            assert_int_equal(back.after, 8);
            assert_int_equal(back.data_len, l.data_len);
            assert_memory_equal(back.data, data, l.data_len);
            assert_memory_equal(back.map, l.map, sizeof l.map);
        }
}

/* A letter opens with its own key at its own place only, and unchanged. */
static void
letters_are_bound(void **state)
{
    (void)state;
    uint8_t chain[32] = {1}, other[32] = {2};
    uint8_t data[LEN] = {0}, sealed[LEN], copy[LEN];
    struct letter l;
    struct letter_place at = {5, 6};
    letter_make(&l, data, 10, 0);
    assert_int_equal(by_place_seal(&l, chain, at, sealed, LEN), 0);
    const struct {
        const uint8_t *chain;
        struct letter_place at;
        int flip;
    } row[] = {{other, {5, 6}, -1},     {chain, {5, 7}, -1},
               {chain, {6, 6}, -1},     {chain, {5, 6}, 0},
               {chain, {5, 6}, 30},     {chain, {5, 6}, 75},
               {chain, {5, 6}, LEN - 1}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        memcpy(copy, sealed, LEN);
        if (row[i].flip >= 0)
            copy[row[i].flip] ^= 1;
        assert_int_equal(by_place_open(&l, row[i].chain, row[i].at, copy, LEN),
                         ERR_MAC);
    }
    assert_int_equal(by_place_open(&l, chain, at, sealed, LEN), 0);
}

/* Bodies that contradict themselves, re-sealed so that they reach the parser:
 * each row changes one field of a good letter. */
static void
bad_bodies_are_refused(void **state)
{
    (void)state;
    uint8_t chain[32] = {1}, data[LEN] = {0};
    uint8_t out[LEN];
    struct letter_place at = {5, 6};
    for (unsigned row = 0; row < 8; row++) {
        struct letter l;
        letter_make(&l, data, 2000, 1);
        int want = ERR_RANGE;
        switch (row) {
        case 0:
            l.kind = LETTER_KINDS;
            want = ERR_UNKNOWN;
            break;
        case 1:
            l.kind = LETTER_ACK;
            want = ERR_FORMAT;
            break;
        case 2:
            l.sequence = 0;
            want = ERR_FORMAT;
            break;
        case 3:
            l.total = LETTER_MESSAGE_MAX + 1;
            want = ERR_LONG;
            break;
        case 4: /* only what is shown is shown after something */
            l.kind = LETTER_PING;
            l.total = l.index = l.data_len = 0;
            l.after = 1;
            want = ERR_FORMAT;
            break;
        case 5:
            l.index = 2;
            break;
        case 6:
            l.data_len--;
            want = ERR_FORMAT;
            break;
        default:
            l.total = 100;
            break;
        }
        assert_int_equal(by_place_seal(&l, chain, at, out, LEN), 0);
        assert_int_equal(by_place_open(&l, chain, at, out, LEN), want);
    }
    uint8_t body[100] = {0};
    struct letter l;
    for (size_t len = 0; len < LETTER_BODY_HEAD_LEN; len++)
        assert_int_equal(letter_parse(&l, body, len, LEN), ERR_SHORT);
}

/* Only texts and files have data, and are cut: a letter of another kind that says it
 * is a part would be held for long as one, and sends its reader to boxes ahead. */
static void
what_has_no_content_is_whole(void **state)
{
    (void)state;
    uint8_t chain[32] = {1}, data[LEN] = {0};
    uint8_t out[LEN];
    struct letter_place at = {5, 6};
    static const uint32_t totals[] = {0, 1, 1046, 2000, LETTER_MESSAGE_MAX};
    for (uint8_t kind = 0; kind < LETTER_KINDS; kind++)
        for (size_t i = 0; i < sizeof totals / sizeof totals[0]; i++) {
            struct letter l;
            letter_make(&l, data, totals[i], letter_count(totals[i], LEN) - 1);
            l.kind = kind;
            l.sequence = kind != LETTER_ACK && kind != LETTER_USED;
            l.after = 0;
            assert_int_equal(by_place_seal(&l, chain, at, out, LEN), 0);
            assert_int_equal(
                by_place_open(&l, chain, at, out, LEN),
                letter_is_content(kind) || totals[i] == 0 ? 0 : ERR_FORMAT);
        }
}

/* Boxes differ by chain, period and sixteen letters. */
static void
boxes_differ(void **state)
{
    (void)state;
    uint8_t chain[32] = {1}, other[32] = {2}, a[32], b[32];
    letter_box(chain, (struct letter_place){1, 0}, a);
    letter_box(chain, (struct letter_place){1, 15}, b);
    assert_memory_equal(a, b, 32);
    letter_box(chain, (struct letter_place){1, 16}, b);
    assert_memory_not_equal(a, b, 32);
    letter_box(chain, (struct letter_place){2, 0}, b);
    assert_memory_not_equal(a, b, 32);
    letter_box(other, (struct letter_place){1, 0}, b);
    assert_memory_not_equal(a, b, 32);
}

static void
invitations_go_round(void **state)
{
    (void)state;
    struct invite i = {.expiry_h = 500000}, back;
    char text[INVITE_TEXT_LEN], longer[INVITE_TEXT_LEN + 8];
    struct rng_seeded rng;
    unsigned caught = 0;
    rng_seeded_init_u64(&rng, test_seed(), "invite");
    rng_seeded_bytes(&rng, i.seed, sizeof i.seed);
    rng_seeded_bytes(&rng, i.network, sizeof i.network);
    invite_write(&i, text);
    assert_int_equal(strlen(text), INVITE_TEXT_LEN - 1);
    assert_int_equal(invite_read(&back, text), 0);
    assert_memory_equal(back.seed, i.seed, sizeof i.seed);
    assert_memory_equal(back.network, i.network, sizeof i.network);
    assert_int_equal(back.expiry_h, 500000);
    snprintf(longer, sizeof longer, " %s \n", text);
    assert_int_equal(invite_read(&back, longer), 0);
    /* one wrong character anywhere is noticed */
    for (size_t k = 0; k < INVITE_TEXT_LEN - 1; k++) {
        char wrong[INVITE_TEXT_LEN];
        memcpy(wrong, text, sizeof wrong);
        wrong[k] = wrong[k] == 'A' ? 'B' : 'A';
        caught += invite_read(&back, wrong) != 0;
    }
    assert_int_equal(caught, INVITE_TEXT_LEN - 1);
    text[INVITE_TEXT_LEN - 2] = 0;
    assert_int_equal(invite_read(&back, text), ERR_SHORT);
    assert_int_equal(invite_read(&back, ""), ERR_FORMAT);
    assert_int_equal(invite_read(&back, "brusio2:abc"), ERR_VERSION);
    assert_int_equal(invite_read(&back, "brusio1:a b"), ERR_FORMAT);
}

/* A network is the same in whichever order a file names its authorities, and another
 * one when its name or one of them is another, or one is missing. */
static void
networks_have_no_order(void **state)
{
    (void)state;
    const uint8_t in[3][SPHINX_ID_LEN] = {{3, 1}, {1, 9}, {2}};
    const uint8_t sorted[3][SPHINX_ID_LEN] = {{1, 9}, {2}, {3, 1}};
    const uint8_t other[3][SPHINX_ID_LEN] = {{3, 1}, {1, 9}, {2, 1}};
    uint8_t a[INVITE_NETWORK_LEN], b[INVITE_NETWORK_LEN], hash[32];
    uint8_t text[4 + sizeof sorted] = "net";
    memcpy(text + 4, sorted, sizeof sorted);
    crypto_generichash(hash, sizeof hash, text, sizeof text, NULL, 0);
    invite_network(a, "net", in, 3);
    assert_memory_equal(a, hash, sizeof a);
    invite_network(b, "net", sorted, 3);
    assert_memory_equal(a, b, sizeof a);
    invite_network(b, "ne", in, 3);
    assert_memory_not_equal(a, b, sizeof a);
    invite_network(b, "net", other, 3);
    assert_memory_not_equal(a, b, sizeof a);
    invite_network(b, "net", in, 2);
    assert_memory_not_equal(a, b, sizeof a);
}

static void
chains_differ(void **state)
{
    (void)state;
    const struct invite i = {.expiry_h = 24 * 20000, .seed = {1}};
    struct chain a, b;
    invite_chains(&i, &a, &b);
    assert_memory_not_equal(a.key, b.key, sizeof a.key);
    assert_int_equal(a.day, 20000 - INVITE_DAYS);
    assert_int_equal(b.day, 20000 - INVITE_DAYS);
}

const struct CMUnitTest test_letter[] = {
    cmocka_unit_test(sealed_letters_open),
    cmocka_unit_test(letters_are_bound),
    cmocka_unit_test(bad_bodies_are_refused),
    cmocka_unit_test(what_has_no_content_is_whole),
    cmocka_unit_test(boxes_differ),
    cmocka_unit_test(invitations_go_round),
    cmocka_unit_test(networks_have_no_order),
    cmocka_unit_test(chains_differ),
};
TEST_SUITE(test_letter);
