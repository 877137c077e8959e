/* tests/unit/test_rekey.c - shares of ML-KEM-768 in the letters of a pair: that they come
 * to be mixed whatever happens to letters, that both halves of the secrecy hold alone, and
 * that what a liar or a machine without a library says does no harm (doc/PROTOCOL.md
 * 8.10). A stand-in of the same lengths takes the library's place (tests/toy_kem.h). */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "tests/sides.h"
#include "tests/toy_kem.h"

/* Make a pair whose sides have these libraries, and whose first letters are read. */
static void
pair_begin(struct side s[2], const struct mlkem *inviter,
           const struct mlkem *invitee)
{
    sides_make(s);
    s[INVITER].session.mlkem = inviter;
    s[INVITEE].session.mlkem = invitee;
    sides_meet(s);
}

/* Have both write, and read, a letter in turn. */
static void
turns(struct side s[2], unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        for (unsigned from = 0; from < 2; from++) {
            const struct posted p = side_write(&s[from], "turn");
            side_reads(&s[!from], &p, "turn");
        }
}

static enum session_quantum
quantum(const struct side *s)
{
    return session_quantum(&s->session);
}

/* ---- how it comes about ---- */

/* Shares are mixed one after the other, by turns, and no letter is more for it. */
static void
shares_are_mixed_again_and_again(void **state)
{
    (void)state;
    struct side s[2];
    uint32_t mixed = 0;
    pair_begin(s, &toy_kem, &toy_kem);
    assert_int_equal(quantum(&s[0]), SESSION_QUANTUM_SOON);
    for (unsigned i = 0; i < 40; i++) {
        turns(s, 1);
        const uint32_t here = s[0].session.now.mixed,
                       there = s[1].session.now.mixed;
        assert_true(here >= mixed && here <= mixed + 1);
        assert_true(here <= there + 1 && there <= here + 1);
        mixed = here;
        assert_true(s[0].session.has_lasting == (s[0].session.now.mixed > 0));
    }
    assert_true(mixed >= 8);
    assert_int_equal(quantum(&s[0]), SESSION_QUANTUM_YES);
    assert_int_equal(quantum(&s[1]), SESSION_QUANTUM_YES);
    assert_memory_equal(s[0].session.lasting, s[1].session.lasting, 32);
    assert_int_equal(s[0].n_kept + s[1].n_kept, 0);
}

/* More than 256 of them, so that what a head says begins anew. */
static void
shares_are_more_than_a_head_can_count(void **state)
{
    (void)state;
    struct side s[2];
    pair_begin(s, &toy_kem, &toy_kem);
    for (unsigned i = 0; i < 2000 && s[0].session.now.mixed < 260; i++)
        turns(s, 1);
    assert_int_equal(s[0].session.now.mixed, 260);
    assert_true(s[1].session.now.mixed >= 259);
}

/* Of letters one in two is lost, by chance: the exchange comes to its end all the same.
 * A client repeats those with content, so that it loses less. */
static void
lost_letters_delay_a_share(void **state)
{
    (void)state;
    struct rng_seeded rng;
    rng_seeded_init_u64(&rng, test_seed(), "loss");
    for (unsigned run = 0; run < 40; run++) {
        struct side s[2];
        pair_begin(s, &toy_kem, &toy_kem);
        for (unsigned i = 0; i < 200 && s[0].session.now.mixed < 2; i++)
            for (unsigned from = 0; from < 2; from++) {
                const struct posted p = side_write(&s[from], "turn");
                uint8_t lost;
                rng_seeded_bytes(&rng, &lost, 1);
                if (lost % 2)
                    side_reads(&s[!from], &p, "turn");
            }
        assert_int_equal(s[0].session.now.mixed, 2);
    }
}

/* Letters come in any order, and their parts again with another letter. */
static void
late_letters_count(void **state)
{
    (void)state;
    enum { MANY = 12 };
    static struct posted p[MANY];
    struct side s[2];
    struct session_step step;
    pair_begin(s, &toy_kem, &toy_kem);
    for (unsigned round = 0; round < 12; round++) {
        const unsigned from = round % 2;
        for (unsigned i = 0; i < MANY; i++)
            p[i] = side_write(&s[from], "late");
        for (unsigned i = 0; i < MANY; i++)
            side_reads(&s[!from], &p[(7 * i + round) % MANY], "late");
        /* nothing is read twice, and nothing of it taken */
        assert_int_equal(side_try(&s[!from], &p[3], &step), 0);
        assert_int_equal(step.verdict, SESSION_BROKEN);
    }
    assert_true(s[0].session.now.mixed >= 2);
}

/* A full letter carries nothing, and a nearly full one what there is room for. */
static void
parts_take_the_room_that_data_leaves(void **state)
{
    (void)state;
    struct side s[2];
    struct session_step step;
    const size_t max = letter_data_max(SIDE_LEN);
    uint8_t data[SIDE_LEN] = {0};
    unsigned seen = 0;
    pair_begin(s, &toy_kem, &toy_kem);
    for (size_t len = 0; len <= max; len += len + 8 < max ? 8 : 1) {
        const struct letter l = {.kind = LETTER_TEXT,
                                 .sequence = 1,
                                 .count = 1,
                                 .total = (uint32_t)len,
                                 .data_len = (uint16_t)len,
                                 .data = data};
        struct side *from = &s[INVITEE];
        from->session.rekey.next = 0;
        const struct posted p = side_seal(from, &l);
        assert_int_equal(side_try(&s[INVITER], &p, &step), 0);
        assert_int_equal(step.verdict, SESSION_READ);
        const size_t room = max - len,
                     fits = room < 7 ? 0 : (room - 7) / (MLKEM_PUBLIC_LEN / 8);
        assert_int_equal(step.letter.part.count,
                         fits < LETTER_PARTS ? fits : LETTER_PARTS);
        assert_int_equal(step.letter.part.kind,
                         fits > 0 ? LETTER_PART_KEY : LETTER_PART_NONE);
        seen |= 1U << step.letter.part.count;
    }
    assert_int_equal(seen, 0xff);
}

/* ---- what it is for ---- */

/* Let s open p, and a spy who draws as s does; says whether the spy reads it. */
static bool
spied(struct side *s, struct side *spy, const struct posted *p)
{
    struct session_step step;
    struct side next = *spy;
    side_reads(s, p, "turn");
    if (side_open(&next, p, &step) || step.verdict != SESSION_READ)
        return false;
    *spy = next;
    return true;
}

/* Who has all of a side but one: the share, or one secret of X25519. He reads what that
 * side reads until the missing one is used, and nothing after it. */
static void
one_spy(bool lacks_share)
{
    struct side s[2], *spy = calloc(1, sizeof *spy);
    unsigned before = 0, after = 0;
    bool lost = false;
    assert_non_null(spy);
    pair_begin(s, &toy_kem, &toy_kem);
    *spy = s[INVITER];
    for (unsigned i = 0; i < 60; i++) {
        const struct posted p = side_write(&s[INVITEE], "turn");
        const bool had = s[INVITER].session.now.has_share;
        const bool reads = spied(&s[INVITER], spy, &p);
        before += reads && !lost;
        after += reads && lost;
        lost = lost || !reads;
        if (lacks_share && !had && spy->session.now.has_share)
            spy->session.now.share[0] ^= 1; /* the one he lacks */
        if (!lacks_share && i == 20)
            spy->session.now.own_secret[5] ^= 1;
        const struct posted answer = side_write(&s[INVITER], "turn");
        side_reads(&s[INVITEE], &answer, "turn");
    }
    assert_true(lost && before >= 2);
    assert_int_equal(after, 0);
    free(spy);
}

static void
i8_who_has_every_x25519_secret_reads_nothing_after_a_share(void **state)
{
    (void)state;
    one_spy(true);
}

static void
i8_who_has_every_share_reads_nothing_after_a_key(void **state)
{
    (void)state;
    one_spy(false);
}

/* What opened a share is gone when it is mixed: the seed of its key, and the share. */
static void
i8_a_share_leaves_nothing(void **state)
{
    (void)state;
    static const uint8_t zeros[MLKEM_SEED_LEN];
    struct side s[2];
    unsigned seen = 0;
    pair_begin(s, &toy_kem, &toy_kem);
    for (unsigned i = 0; i < 40; i++) {
        turns(s, 1);
        for (unsigned k = 0; k < 2; k++) {
            const struct session *x = &s[k].session;
            if (!x->now.has_share)
                assert_memory_equal(x->now.share, zeros, sizeof x->now.share);
            if (x->now.has_share || !ratchet_sends_key(&x->now))
                assert_memory_equal(x->rekey.seed, zeros, sizeof zeros);
            seen += x->now.has_share;
        }
    }
    assert_true(seen > 0);
}

/* ---- machines without a library ---- */

static void
a_side_without_a_library_says_so(void **state)
{
    (void)state;
    for (unsigned lacking = 0; lacking < 2; lacking++) {
        struct side s[2];
        pair_begin(s, lacking == INVITER ? NULL : &toy_kem,
                   lacking == INVITEE ? NULL : &toy_kem);
        turns(s, 20);
        assert_int_equal(quantum(&s[lacking]), SESSION_QUANTUM_HERE_LACKS);
        assert_int_equal(quantum(&s[!lacking]), SESSION_QUANTUM_PEER_LACKS);
        assert_int_equal(s[0].session.now.mixed, 0);
        s[lacking].session.mlkem = &toy_kem; /* the machine is upgraded */
        turns(s, 1);
        assert_int_equal(quantum(&s[lacking]), SESSION_QUANTUM_SOON);
        turns(s, 20);
        assert_int_equal(quantum(&s[0]), SESSION_QUANTUM_YES);
        assert_int_equal(quantum(&s[1]), SESSION_QUANTUM_YES);
        const uint32_t mixed = s[0].session.now.mixed;
        s[lacking].session.mlkem = NULL; /* and set back */
        turns(s, 20);
        assert_true(s[0].session.now.mixed <= mixed + 1);
        assert_int_equal(quantum(&s[0]), SESSION_QUANTUM_YES);
    }
}

/* A library that has no memory, or is broken, delays. */
static int
failing_new(void **key, const uint8_t seed[static MLKEM_SEED_LEN])
{
    (void)seed;
    *key = NULL;
    return ERR_NOMEM;
}

static int
failing_encapsulate(const uint8_t public_key[static MLKEM_PUBLIC_LEN],
                    const uint8_t message[static MLKEM_MESSAGE_LEN],
                    uint8_t ciphertext[static MLKEM_CIPHERTEXT_LEN],
                    uint8_t share[static MLKEM_SHARE_LEN])
{
    (void)public_key;
    (void)message;
    (void)ciphertext;
    (void)share;
    return ERR_CRYPTO;
}

static void
a_library_that_fails_delays_a_share(void **state)
{
    (void)state;
    struct mlkem bad = toy_kem;
    struct side s[2];
    bad.key_new = failing_new;
    bad.encapsulate = failing_encapsulate;
    for (unsigned failing = 0; failing < 2; failing++) {
        pair_begin(s, &toy_kem, &toy_kem);
        s[failing].session.mlkem = &bad;
        turns(s, 20);
        assert_int_equal(s[0].session.now.mixed, 0);
        s[failing].session.mlkem = &toy_kem;
        turns(s, 20);
        assert_int_equal(quantum(&s[0]), SESSION_QUANTUM_YES);
    }
}

/* ---- liars ---- */

/* Seal a text of s's whose part is this, as its session would go on. */
static struct posted
part_post(struct side *s, struct letter_part part)
{
    struct posted p = {.at = s->at};
    struct letter_head head = {.seal = LETTER_BY_RATCHET,
                               .generation = s->session.generation};
    struct letter_keys keys;
    uint8_t key[LETTER_CHAIN_LEN];
    const struct letter l = {.kind = LETTER_TEXT,
                             .sequence = 1,
                             .count = 1,
                             .total = 4,
                             .data_len = 4,
                             .data = (const uint8_t *)"part",
                             .part = part};
    s->at.n++;
    chain_key(&s->chains[CHAIN_OUT], p.at.period, key);
    letter_place_keys(key, p.at, s->session.pair, &keys);
    assert_int_equal(ratchet_write(&s->session.now, &head.ratchet, keys.body),
                     0);
    assert_int_equal(letter_seal(&l, &head, &keys, p.at, p.bytes, SIDE_LEN), 0);
    return p;
}

/* Parts that cannot be, or are not due, are not taken, and the text is read. */
static void
parts_that_cannot_be_are_passed_over(void **state)
{
    (void)state;
    static const uint8_t bytes[MLKEM_PUBLIC_LEN];
    static const struct letter_part parts[] = {
        {LETTER_PART_KEY, 1, 8, 1, bytes},
        {LETTER_PART_KEY, 1, 255, 1, bytes},
        {LETTER_PART_KEY, 0, 0, 6, bytes},
        {LETTER_PART_KEY, 2, 0, 6, bytes},
        {LETTER_PART_KEY, UINT32_MAX, 0, 6, bytes},
        {LETTER_PART_CIPHERTEXT, 1, 0, 6, bytes},
        {4, 1, 0, 0, bytes},
        {255, 1, 0, 0, bytes},
    };
    struct side s[2];
    pair_begin(s, &toy_kem, &toy_kem);
    assert_false(s[INVITER].session.now.has_share);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const struct rekey was = s[INVITER].session.rekey;
        const struct posted p = part_post(&s[INVITEE], parts[i]);
        side_reads(&s[INVITER], &p, "part");
        assert_memory_equal(&s[INVITER].session.rekey, &was, sizeof was);
    }
    turns(s, 20);
    assert_int_equal(quantum(&s[0]), SESSION_QUANTUM_YES);
}

/* A key that is none is forgotten; a ciphertext of something else makes a share that its
 * liar alone does not have: his own letters do not open from then on. */
static void
a_liars_key_or_ciphertext_harms_himself(void **state)
{
    (void)state;
    static const uint8_t bytes[MLKEM_PUBLIC_LEN] = {9};
    struct side s[2];
    struct session_step step;
    pair_begin(s, &toy_kem, &toy_kem);
    for (uint8_t first = 0; first < LETTER_PARTS; first += 4) {
        const struct posted p = part_post(
            &s[INVITEE],
            (struct letter_part){LETTER_PART_KEY, 1, first, 4,
                                 bytes + first * MLKEM_PUBLIC_LEN / 8});
        side_reads(&s[INVITER], &p, "part");
    }
    assert_false(s[INVITER].session.now.has_share);
    assert_int_equal(s[INVITER].session.rekey.have, 0);
    turns(s, 20);
    assert_int_equal(quantum(&s[INVITER]), SESSION_QUANTUM_YES);

    pair_begin(s, &toy_kem, &toy_kem);
    for (uint8_t first = 0; first < LETTER_PARTS; first += 4) {
        const struct posted p = part_post(
            &s[INVITER], (struct letter_part){LETTER_PART_CIPHERTEXT, 1, first,
                                              4, bytes + first});
        side_reads(&s[INVITEE], &p, "part");
    }
    assert_true(s[INVITEE].session.now.has_share);
    s[INVITER].session.mlkem = NULL;
    struct posted p = side_write(&s[INVITEE], "turn");
    side_reads(&s[INVITER], &p, "turn");
    p = side_write(&s[INVITER], "turn");
    side_reads(&s[INVITEE], &p, "turn"); /* it mixes with its next key */
    p = side_write(&s[INVITEE], "turn");
    assert_int_equal(side_open(&s[INVITER], &p, &step), 0);
    assert_int_equal(step.verdict, SESSION_BROKEN);
}

/* A head that says that a share is in which its reader does not have, or that it is not
 * the writer's turn to mix, does not open. */
static void
a_head_with_a_share_too_many_is_broken(void **state)
{
    (void)state;
    struct side s[2];
    struct session_step step;
    for (unsigned from = 0; from < 2; from++)
        for (unsigned more = 1; more < 256; more += more == 1 ? 1 : 254 / 2) {
            pair_begin(s, &toy_kem, &toy_kem);
            s[from].session.now.mixed += more;
            const struct posted p = side_write(&s[from], "turn");
            assert_int_equal(side_try(&s[!from], &p, &step), 0);
            assert_int_equal(step.verdict,
                             from == INVITER ? SESSION_READ : SESSION_BROKEN);
        }
}

/* ---- older copies ---- */

/* Let the two come together after an offer of from's. Returns in how many letters. */
static unsigned
renewed(struct side s[2], unsigned from, uint32_t generation)
{
    for (unsigned i = 1; i < 8; i++, from = !from, generation++) {
        struct session_step step;
        const struct posted offer = side_offer(&s[from], generation);
        assert_int_equal(side_open(&s[!from], &offer, &step), 0);
        assert_int_equal(step.verdict, SESSION_READ);
        if (!step.unmet) {
            const struct posted p = side_write(&s[!from], "again");
            side_reads(&s[from], &p, "again");
            return i;
        }
    }
    return 0;
}

/* A new generation begins with the lasting share, so that who has the line, and breaks
 * X25519, does not follow; an older copy without it makes it begin without. */
static void
a_new_generation_keeps_the_lasting_share(void **state)
{
    (void)state;
    struct side s[2], old, spy;
    struct session_step step;
    pair_begin(s, &toy_kem, &toy_kem);
    old = s[INVITEE]; /* before any share */
    turns(s, 20);
    assert_int_equal(quantum(&s[INVITER]), SESSION_QUANTUM_YES);
    spy = s[INVITER];
    spy.session.lasting[3] ^= 1; /* he has all but that */
    const struct posted offer = side_offer(&s[INVITEE], 7);
    assert_int_equal(side_open(&s[INVITER], &offer, &step), 0);
    assert_false(step.unmet);
    assert_int_equal(quantum(&s[INVITER]), SESSION_QUANTUM_YES);
    assert_int_equal(side_open(&spy, &offer, &step), 0);
    assert_true(step.unmet && !spy.session.has_lasting);
    const struct posted p = side_write(&s[INVITER], "again");
    side_reads(&s[INVITEE], &p, "again");
    assert_int_equal(quantum(&s[INVITEE]), SESSION_QUANTUM_YES);

    for (unsigned from = 0; from < 2; from++) {
        struct side pair[2] = {s[INVITER], old};
        assert_in_range(renewed(pair, from, 9), 1, 2);
        for (unsigned k = 0; k < 2; k++) {
            assert_int_equal(quantum(&pair[k]), SESSION_QUANTUM_SOON);
            assert_false(pair[k].session.has_lasting);
        }
        turns(pair, 20);
        assert_int_equal(quantum(&pair[0]), SESSION_QUANTUM_YES);
        assert_memory_equal(pair[0].session.lasting, pair[1].session.lasting,
                            32);
    }
}

const struct CMUnitTest test_rekey[] = {
    cmocka_unit_test(shares_are_mixed_again_and_again),
    cmocka_unit_test(shares_are_more_than_a_head_can_count),
    cmocka_unit_test(lost_letters_delay_a_share),
    cmocka_unit_test(late_letters_count),
    cmocka_unit_test(parts_take_the_room_that_data_leaves),
    cmocka_unit_test(
        i8_who_has_every_x25519_secret_reads_nothing_after_a_share),
    cmocka_unit_test(i8_who_has_every_share_reads_nothing_after_a_key),
    cmocka_unit_test(i8_a_share_leaves_nothing),
    cmocka_unit_test(a_side_without_a_library_says_so),
    cmocka_unit_test(a_library_that_fails_delays_a_share),
    cmocka_unit_test(parts_that_cannot_be_are_passed_over),
    cmocka_unit_test(a_liars_key_or_ciphertext_harms_himself),
    cmocka_unit_test(a_head_with_a_share_too_many_is_broken),
    cmocka_unit_test(a_new_generation_keeps_the_lasting_share),
};
TEST_SUITE(test_rekey);
