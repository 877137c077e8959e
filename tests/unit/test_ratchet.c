/* tests/unit/test_ratchet.c - the Double Ratchet alone: keys in and out of order, over
 * changes of key, and heads that do not follow. */
#include "tests/runner.h"

#include <string.h>

#include "client/letters/ratchet.h"
#include "lib/codec.h"
#include "lib/rng_seeded.h"

enum { A, B };

/* a takes what b offers. */
struct talk {
    struct ratchet side[2];
    struct rng_seeded rng;
};

/* What a letter is for the ratchet. */
struct note {
    struct ratchet_head head;
    uint8_t key[RATCHET_KEY_LEN];
};

static void
talk_make(struct talk *t)
{
    uint8_t secret[32], own[2][32], key[32];
    rng_seeded_init_u64(&t->rng, test_seed(), "ratchet");
    rng_seeded_bytes(&t->rng, secret, sizeof secret);
    rng_seeded_bytes(&t->rng, own[A], sizeof own[A]);
    rng_seeded_bytes(&t->rng, own[B], sizeof own[B]);
    ratchet_offer(&t->side[B], secret, own[B]);
    memcpy(key, t->side[B].own_key, sizeof key);
    assert_int_equal(ratchet_take(&t->side[A], secret, key, own[A]), 0);
}

static struct note
note_write(struct talk *t, unsigned from)
{
    struct note n;
    assert_int_equal(ratchet_write(&t->side[from], &n.head, n.key), 0);
    return n;
}

/* Read a letter, as one that opens: its key is that which it was written with. */
static struct ratchet_step
note_read(struct talk *t, unsigned to, const struct note *n)
{
    struct ratchet_step step;
    uint8_t fresh[32];
    rng_seeded_bytes(&t->rng, fresh, sizeof fresh);
    assert_int_equal(ratchet_read(&t->side[to], &n->head, fresh, &step), 0);
    assert_memory_equal(step.key, n->key, sizeof n->key);
    t->side[to] = step.next;
    return step;
}

/* Try a head that leads nowhere: nothing comes of it, and the side is as before. */
static void
head_fails(const struct talk *t, unsigned to, const struct ratchet_head *head,
           int want)
{
    static const struct ratchet_step nothing;
    static const uint8_t fresh[32] = {77};
    const struct ratchet was = t->side[to];
    struct ratchet_step step;
    memset(&step, 0x5a, sizeof step);
    assert_int_equal(ratchet_read(&t->side[to], head, fresh, &step), want);
    assert_memory_equal(&step, &nothing, sizeof step);
    assert_memory_equal(&t->side[to], &was, sizeof was);
}

/* Let both sides write and read one letter so often. */
static void
talk_turns(struct talk *t, unsigned turns)
{
    for (unsigned i = 0; i < turns; i++)
        for (unsigned from = A; from <= B; from++) {
            const struct note n = note_write(t, from);
            const struct ratchet_step step = note_read(t, !from, &n);
            assert_int_equal(n.head.n, 0);
            assert_int_equal(n.head.step, from == A ? i : i + 1);
            assert_int_equal(step.gap[0].end - step.gap[0].n, 0);
            assert_int_equal(step.gap[1].end - step.gap[1].n, 0);
        }
}

static uint32_t
gap_len(const struct ratchet_gap *gap)
{
    return gap->end - gap->n;
}

/* ---- talking ---- */

/* One who offers can neither write nor read, one who takes writes at once; with the
 * first letter both do. */
static void
who_offers_writes_when_he_has_read(void **state)
{
    (void)state;
    struct talk t;
    talk_make(&t);
    assert_false(t.side[B].can_write || t.side[B].can_read);
    assert_true(t.side[A].can_write && !t.side[A].can_read);
    const struct note first = note_write(&t, A);
    (void)note_read(&t, B, &first);
    assert_true(t.side[B].can_write && t.side[B].can_read);
    const struct note answer = note_write(&t, B);
    assert_int_equal(answer.head.step, 1);
    (void)note_read(&t, A, &answer);
    assert_true(t.side[A].can_read);
}

/* Each letter in order has a key of its own, many in a chain and with each answer. */
static void
letters_in_order_have_the_keys_of_both(void **state)
{
    (void)state;
    enum { TURNS = 6, RUN = 5 };
    struct talk t;
    struct note all[TURNS * RUN];
    unsigned n = 0;
    talk_make(&t);
    for (unsigned turn = 0; turn < TURNS; turn++)
        for (unsigned i = 0; i < RUN; i++, n++) {
            all[n] = note_write(&t, turn % 2);
            assert_int_equal(all[n].head.n, i);
            assert_int_equal(all[n].head.previous, turn < 2 ? 0 : RUN);
            (void)note_read(&t, !(turn % 2), &all[n]);
            for (unsigned k = 0; k < n; k++)
                assert_memory_not_equal(all[k].key, all[n].key, 32);
        }
}

static void
ten_thousand_turns_keep_both_in_step(void **state)
{
    (void)state;
    enum { TURNS = 10000 };
    struct talk t;
    talk_make(&t);
    talk_turns(&t, TURNS);
    assert_int_equal(t.side[A].own_step, TURNS);
    assert_int_equal(t.side[A].peer_step, t.side[B].own_step);
    assert_int_equal(t.side[B].peer_step + 1, t.side[A].own_step);
}

/* What a letter leaves behind leads to its key no more: a copy of the state, one byte
 * after the other, has none of the keys that were read or written. */
static void
i8_a_key_that_was_used_is_nowhere(void **state)
{
    (void)state;
    enum { TURNS = 4 };
    struct talk t;
    struct note all[2 * TURNS];
    talk_make(&t);
    for (unsigned i = 0; i < 2 * TURNS; i++) {
        const struct ratchet was[2] = {t.side[A], t.side[B]};
        all[i] = note_write(&t, i % 2);
        (void)note_read(&t, !(i % 2), &all[i]);
        assert_memory_not_equal(was[i % 2].out, t.side[i % 2].out, 32);
        for (unsigned side = A; side <= B; side++)
            for (unsigned k = 0; k <= i; k++)
                for (size_t at = 0; at + 32 <= sizeof t.side[side]; at++)
                    assert_memory_not_equal((uint8_t *)&t.side[side] + at,
                                            all[k].key, 32);
    }
}

/* ---- gaps ---- */

/* Compare the keys of a gap with those of letters that were written, the first of which
 * has number n. */
static void
gap_is(struct ratchet_gap gap, uint32_t step, const struct note *all,
       uint32_t n, uint32_t len)
{
    uint8_t key[32];
    uint32_t number;
    assert_int_equal(gap.step, step);
    assert_int_equal(gap_len(&gap), len);
    for (uint32_t i = 0; i < len; i++) {
        assert_true(ratchet_gap_next(&gap, &number, key));
        assert_int_equal(number, n + i);
        assert_memory_equal(key, all[i].key, sizeof key);
    }
    assert_false(ratchet_gap_next(&gap, &number, key));
}

/* A letter that comes before others says which they are, and has their keys; they
 * themselves are behind then. */
static void
letters_that_are_passed_over_leave_their_keys(void **state)
{
    (void)state;
    enum { LATE = 9 };
    struct talk t;
    struct note all[LATE + 1];
    talk_make(&t);
    for (unsigned i = 0; i <= LATE; i++)
        all[i] = note_write(&t, A);
    struct ratchet_step step = note_read(&t, B, &all[3]);
    gap_is(step.gap[1], 0, all, 0, 3);
    step = note_read(&t, B, &all[LATE]);
    assert_int_equal(gap_len(&step.gap[0]), 0);
    gap_is(step.gap[1], 0, all + 4, 4, LATE - 4);
    for (unsigned i = 0; i <= LATE; i++)
        head_fails(&t, B, &all[i].head, ERR_DUPLICATE);
}

/* A gap may reach over a change of key: the rest of the chain before, as its writer
 * says, and the beginning of this one. */
static void
a_gap_reaches_over_a_change_of_key(void **state)
{
    (void)state;
    enum { OLD = 6, NEW = 4 };
    struct talk t;
    struct note old[OLD], new[NEW];
    talk_make(&t);
    for (unsigned i = 0; i < OLD; i++)
        old[i] = note_write(&t, A);
    (void)note_read(&t, B, &old[1]);
    const struct note answer = note_write(&t, B);
    (void)note_read(&t, A, &answer);
    for (unsigned i = 0; i < NEW; i++)
        new[i] = note_write(&t, A);
    assert_int_equal(new[NEW - 1].head.previous, OLD);
    const struct ratchet_step step = note_read(&t, B, &new[NEW - 1]);
    gap_is(step.gap[0], 0, old + 2, 2, OLD - 2);
    gap_is(step.gap[1], 1, new, 0, NEW - 1);
    for (unsigned i = 0; i < OLD; i++)
        head_fails(&t, B, &old[i].head, ERR_DUPLICATE);
    for (unsigned i = 0; i < NEW; i++)
        head_fails(&t, B, &new[i].head, ERR_DUPLICATE);
}

/* 1,024 letters may be missing before one, in this chain and that before it together,
 * and not one more. */
static void
i7_so_many_may_be_missing_and_no_more(void **state)
{
    (void)state;
    static struct note all[RATCHET_SKIP_MAX + 2];
    struct talk t;
    talk_make(&t);
    for (unsigned i = 0; i < RATCHET_SKIP_MAX + 2; i++)
        all[i] = note_write(&t, A);
    head_fails(&t, B, &all[RATCHET_SKIP_MAX + 1].head, ERR_RANGE);
    const struct talk was = t;
    struct ratchet_step step = note_read(&t, B, &all[RATCHET_SKIP_MAX]);
    gap_is(step.gap[1], 0, all, 0, RATCHET_SKIP_MAX);
    /* the same beyond what was read */
    t = was;
    (void)note_read(&t, B, &all[0]);
    (void)note_read(&t, B, &all[RATCHET_SKIP_MAX + 1]);
}

static void
i7_what_is_missing_of_two_chains_is_one_sum(void **state)
{
    (void)state;
    enum { OLD = RATCHET_SKIP_MAX - 23 };
    struct talk t;
    struct note n = {0}, last = {0};
    talk_make(&t);
    n = note_write(&t, A);
    (void)note_read(&t, B, &n);
    const struct note answer = note_write(&t, B);
    for (unsigned i = 0; i < OLD; i++)
        (void)note_write(&t, A);
    (void)note_read(&t, A, &answer);
    for (unsigned i = 0; i <= RATCHET_SKIP_MAX - OLD + 1; i++) {
        last = n;
        n = note_write(&t, A);
    }
    head_fails(&t, B, &n.head, ERR_RANGE);
    struct ratchet_head lie = last.head;
    lie.previous = RATCHET_SKIP_MAX + 2; /* one more of the chain before */
    lie.n = 0;
    head_fails(&t, B, &lie, ERR_RANGE);
    lie.previous = UINT32_MAX;
    head_fails(&t, B, &lie, ERR_RANGE);
    const struct ratchet_step step = note_read(&t, B, &last);
    assert_int_equal(gap_len(&step.gap[0]), OLD);
    assert_int_equal(gap_len(&step.gap[1]), RATCHET_SKIP_MAX - OLD);
}

/* A writer who says that there were fewer letters than were read gets no gap for it. */
static void
a_previous_number_that_is_too_low_is_no_gap(void **state)
{
    (void)state;
    struct talk t;
    struct note n = {0};
    talk_make(&t);
    for (unsigned i = 0; i < 5; i++) {
        n = note_write(&t, A);
        (void)note_read(&t, B, &n);
    }
    const struct note answer = note_write(&t, B);
    (void)note_read(&t, A, &answer);
    n = note_write(&t, A);
    n.head.previous = 2;
    const struct ratchet_step step = note_read(&t, B, &n);
    assert_int_equal(gap_len(&step.gap[0]), 0);
}

/* ---- heads that do not follow ---- */

/* The points of small order, and zeros, which are one of them, each with its high bit
 * set, too. */
static const char *const small[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"};
enum { SMALL = 2 * (int)(sizeof small / sizeof small[0]) };

static void
small_point(unsigned i, uint8_t key[static 32])
{
    assert_int_equal(codec_unhex(key, 32, small[i / 2]), 0);
    key[31] |= (uint8_t)(i % 2 << 7);
}

static void
i7_a_key_of_small_order_is_refused(void **state)
{
    (void)state;
    static const uint8_t secret[32] = {1}, own[32] = {2};
    struct talk t;
    struct ratchet r;
    uint8_t key[32];
    talk_make(&t);
    for (unsigned i = 0; i < SMALL; i++) { /* of an offer, of a first letter */
        small_point(i, key);
        assert_int_equal(ratchet_take(&r, secret, key, own), ERR_POINT);
        struct ratchet_head head = {.step = 0};
        memcpy(head.key, key, sizeof key);
        head_fails(&t, B, &head, ERR_POINT);
    }
    talk_turns(&t, 3);
    for (unsigned i = 0; i < SMALL; i++) /* of a change of key */
        for (unsigned side = A; side <= B; side++) {
            struct ratchet_head head = {.step = t.side[side].peer_step + 1};
            small_point(i, head.key);
            head_fails(&t, side, &head, ERR_POINT);
        }
    const struct note n = note_write(&t, A);
    (void)note_read(&t, B, &n);
}

/* Each head that cannot follow from the state has its error. */
static void
i7_what_does_not_follow_is_refused(void **state)
{
    (void)state;
    struct talk t;
    talk_make(&t);
    struct ratchet_head head = {.step = 1, .key = {9}};
    head_fails(&t, B, &head, ERR_STALE); /* to one who has read nothing */
    head.step = UINT32_MAX;
    head_fails(&t, B, &head, ERR_STALE);
    head.step = 0;
    memcpy(head.key, t.side[A].peer_key, sizeof head.key);
    head_fails(&t, A, &head, ERR_CONFLICT); /* nothing is written under this */
    head.step = 2;
    head_fails(&t, A, &head, ERR_STALE);

    talk_turns(&t, 5);
    struct note n = note_write(&t, A);
    (void)note_read(&t, B, &n);
    head_fails(&t, B, &n.head, ERR_DUPLICATE);
    n.head.n = 1;
    for (unsigned bit = 0; bit < 256;
         bit += 5) { /* its own key, but for a bit */
        struct ratchet_head other = n.head;
        other.key[bit / 8] ^= (uint8_t)(1 << bit % 8);
        head_fails(&t, B, &other, ERR_CONFLICT);
    }
    for (uint32_t ahead = 2; ahead < 5; ahead++) {
        head = n.head;
        head.step += ahead;
        head_fails(&t, B, &head, ERR_STALE);
    }
    head.step = UINT32_MAX;
    head_fails(&t, B, &head, ERR_STALE);
    for (uint32_t step = 0; step < n.head.step; step++) {
        head = n.head;
        head.step = step;
        head_fails(&t, B, &head, ERR_DUPLICATE);
    }
}

/* A chain has 2^24 letters, the last of which is read as any. */
static void
a_chain_has_an_end(void **state)
{
    (void)state;
    struct talk t;
    talk_make(&t);
    struct note n = note_write(&t, A);
    (void)note_read(&t, B, &n);
    t.side[A].n_out = t.side[B].n_in = RATCHET_NUMBER_MAX;
    n = note_write(&t, A);
    assert_int_equal(n.head.n, RATCHET_NUMBER_MAX);
    (void)note_read(&t, B, &n);
    head_fails(&t, B, &n.head, ERR_DUPLICATE);
    const struct ratchet was = t.side[A];
    assert_int_equal(ratchet_write(&t.side[A], &n.head, n.key), ERR_FULL);
    assert_memory_equal(&t.side[A], &was, sizeof was);
    /* the next key has numbers again, and its head says how many there were */
    n = note_write(&t, B);
    (void)note_read(&t, A, &n);
    n = note_write(&t, A);
    assert_int_equal(n.head.previous, RATCHET_NUMBER_MAX + 1);
}

/* ---- a thief ---- */

/* Whoever has a copy of one side opens what that side opens, until it has drawn a key of
 * its own and the other has answered that: then nothing. */
static void
i8_a_copy_is_of_no_use_after_a_step_of_each(void **state)
{
    (void)state;
    for (unsigned taken = A; taken <= B; taken++) {
        struct talk t;
        struct ratchet_step step;
        static const uint8_t fresh[32] = {5};
        talk_make(&t);
        talk_turns(&t, 3);
        struct talk thief = t;
        rng_seeded_init_u64(&thief.rng, test_seed(), "thief");
        const struct note first = note_write(&t, !taken);
        (void)note_read(&thief, taken, &first); /* so far he can */
        (void)note_read(&t, taken, &first);
        for (unsigned i = 0; i < 4; i++) {
            const struct note a = note_write(&t, taken);
            (void)note_read(&t, !taken, &a);
            const struct note b = note_write(&t, !taken);
            (void)note_read(&t, taken, &b);
            const int err =
                ratchet_read(&thief.side[taken], &b.head, fresh, &step);
            const bool opens = !err && memcmp(step.key, b.key, 32) == 0;
            assert_false(opens && i > 0); /* with i 0 the copy's own key ends */
            if (opens)
                thief.side[taken] = step.next;
        }
    }
}

const struct CMUnitTest test_ratchet[] = {
    cmocka_unit_test(who_offers_writes_when_he_has_read),
    cmocka_unit_test(letters_in_order_have_the_keys_of_both),
    cmocka_unit_test(ten_thousand_turns_keep_both_in_step),
    cmocka_unit_test(i8_a_key_that_was_used_is_nowhere),
    cmocka_unit_test(letters_that_are_passed_over_leave_their_keys),
    cmocka_unit_test(a_gap_reaches_over_a_change_of_key),
    cmocka_unit_test(i7_so_many_may_be_missing_and_no_more),
    cmocka_unit_test(i7_what_is_missing_of_two_chains_is_one_sum),
    cmocka_unit_test(a_previous_number_that_is_too_low_is_no_gap),
    cmocka_unit_test(i7_a_key_of_small_order_is_refused),
    cmocka_unit_test(i7_what_does_not_follow_is_refused),
    cmocka_unit_test(a_chain_has_an_end),
    cmocka_unit_test(i8_a_copy_is_of_no_use_after_a_step_of_each),
};
TEST_SUITE(test_ratchet);
