/* tests/unit/test_session.c - sessions as two friends, a second, a liar, a thief and a
 * machine that was set back have them (doc/PROTOCOL.md 8.10). */
#include "tests/runner.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "lib/codec.h"
#include "tests/recall.h"
#include "tests/sides.h"

/* ---- beginning ---- */

/* The invitee writes at once, the inviter once he has read something; of the first
 * letters any may come first. */
static void
an_invitation_begins_with_the_invitees_letters(void **state)
{
    (void)state;
    struct side s[2];
    sides_make(s);
    assert_false(session_may_write(&s[INVITER].session));
    assert_false(session_is_open(&s[INVITER].session));
    assert_true(session_may_write(&s[INVITEE].session));
    assert_true(session_is_open(&s[INVITEE].session));
    const struct posted one = side_write(&s[INVITEE], "one"),
                        two = side_write(&s[INVITEE], "two"),
                        three = side_write(&s[INVITEE], "three");
    side_reads(&s[INVITER], &two, "two");
    assert_true(session_may_write(&s[INVITER].session));
    assert_true(session_is_open(&s[INVITER].session));
    assert_true(s[INVITER].session.answered);
    const struct posted answer = side_write(&s[INVITER], "answer");
    side_reads(&s[INVITER], &one, "one");
    assert_false(s[INVITEE].session.answered);
    side_reads(&s[INVITEE], &answer, "answer");
    assert_true(s[INVITEE].session.answered);
    side_reads(&s[INVITER], &three, "three"); /* it was under way */
    assert_int_equal(s[INVITER].n_kept, 0);
    const struct posted four = side_write(&s[INVITEE], "four");
    side_reads(&s[INVITER], &four, "four");
    assert_memory_equal(s[INVITER].session.pair, s[INVITEE].session.pair, 32);
}

/* An invitation whose key is of small order makes no pair. */
static void
an_invitation_with_a_key_of_zeros_is_refused(void **state)
{
    (void)state;
    static const uint8_t seed[32] = {1}, own[32] = {2};
    static const uint8_t share[MLKEM_SEED_LEN] = {3};
    uint8_t key[32] = {0};
    struct session s;
    for (uint8_t one = 0; one < 2; one++) {
        key[0] = one;
        assert_int_equal(session_accept(&s, seed, key, own, share), ERR_POINT);
    }
}

/* A letter whose head somebody makes up who has the keys of the place and pair, sealed
 * by its place. */
static struct posted
forged(const struct side *from, const uint8_t *pair,
       const struct letter_head *head, uint32_t n)
{
    const struct letter l = {.count = 1};
    struct posted p = {.at = {SIDE_DAY, n}};
    struct letter_keys keys;
    uint8_t chain[LETTER_CHAIN_LEN];
    chain_key(&from->chains[CHAIN_OUT], SIDE_DAY, chain);
    letter_place_keys(chain, p.at, pair, &keys);
    assert_int_equal(letter_seal(&l, head, &keys, p.at, p.bytes, SIDE_LEN), 0);
    return p;
}

/* What somebody makes up who has the line, and what cannot be, begins nothing. */
static void
a_first_letter_that_does_not_open_begins_nothing(void **state)
{
    (void)state;
    struct side s[2], inviter;
    static const uint8_t zeros[LETTER_KEY_LEN];
    sides_make(s);
    inviter = s[INVITER];
    for (uint8_t byte = 0; byte < 3;
         byte++) { /* the first two of small order */
        const struct letter_head head = {.seal = LETTER_BY_RATCHET,
                                         .ratchet = {.key = {byte}}};
        const struct posted made =
            forged(&s[INVITEE], zeros, &head, 900 + byte);
        side_judges(&s[INVITER], &made, SESSION_PASSED);
    }
    struct posted p = side_write(&s[INVITEE], "first");
    p.bytes[SIDE_LEN - 1] ^= 1;
    side_refuses(&s[INVITER], &p, ERR_MAC);
    assert_memory_equal(&inviter.session, &s[INVITER].session,
                        sizeof inviter.session);
    p.bytes[SIDE_LEN - 1] ^= 1;
    side_reads(&s[INVITER], &p, "first");
}

/* ---- a liar's letters ---- */

/* A letter opens once, in its place, for its reader, in its pair. */
static void
a_letter_opens_once_and_nowhere_else(void **state)
{
    (void)state;
    struct side s[2], other[2];
    sides_make(s);
    sides_meet(s);
    memcpy(other, s, sizeof other);
    for (unsigned from = 0; from < 2; from++) {
        struct posted a = side_write(&s[from], "a"),
                      b = side_write(&s[from], "b");
        const struct posted moved = {.at = b.at};
        struct posted swapped = moved;
        memcpy(swapped.bytes, a.bytes, sizeof swapped.bytes);
        side_refuses(&s[!from], &swapped, ERR_MAC);
        swapped.at = (struct letter_place){a.at.period + 1, a.at.n};
        side_refuses(&s[!from], &swapped, ERR_MAC);
        side_refuses(&s[from], &a, ERR_MAC); /* the other direction */
        side_reads(&s[!from], &a, "a");
        side_judges(&s[!from], &a, SESSION_BROKEN); /* its key is gone */
        side_reads(&s[!from], &b, "b");
        side_judges(&s[!from], &a, SESSION_BROKEN);
    }
}

/* Of two pairs of one seed, neither reads what is the other's. */
static void
pairs_of_one_seed_read_nothing_of_each_other(void **state)
{
    (void)state;
    struct side a[2], b[2];
    struct invite invite;
    side_invite(&a[INVITER], &invite, "inviter");
    b[INVITER] = a[INVITER];
    side_accept(&a[INVITEE], &invite, "one");
    side_accept(&b[INVITEE], &invite, "two");
    sides_meet(a);
    sides_meet(b);
    assert_memory_not_equal(a[0].session.pair, b[0].session.pair, 32);
    for (unsigned from = 0; from < 2; from++) {
        const struct posted p = side_write(&a[from], "a"),
                            q = side_write(&b[from], "b");
        side_refuses(&b[!from], &p, ERR_MAC);
        side_refuses(&a[!from], &q, ERR_MAC);
        side_reads(&a[!from], &p, "a");
        side_reads(&b[!from], &q, "b");
    }
}

/* Flip each bit in turn: wherever it is, the head notices. */
static void
flips_are_noticed(const struct side *to, const struct posted *p)
{
    for (unsigned at = 0; at < SIDE_LEN; at++) {
        struct posted bad = *p;
        struct session_step step;
        bad.bytes[at] ^= (uint8_t)(1 << at % 8);
        assert_int_equal(side_try(to, &bad, &step), ERR_MAC);
    }
}

/* Cut it: what is left has no place for a body, or one that does not open. */
static void
cuts_are_noticed(const struct side *to, const struct posted *p)
{
    static const uint8_t fresh[32] = {3}, fresh_share[MLKEM_SEED_LEN] = {4};
    const struct session_context context = {.day = SIDE_DAY,
                                            .latest = UINT32_MAX,
                                            .fresh = fresh,
                                            .fresh_share = fresh_share};
    uint8_t key[LETTER_CHAIN_LEN], bytes[SIDE_LEN];
    chain_key(&to->chains[CHAIN_IN], p->at.period, key);
    for (size_t len = 0; len < SIDE_LEN; len++) {
        struct session_step step;
        memcpy(bytes, p->bytes, len);
        const int err =
            session_open(&to->session, key, p->at, &context, bytes, len, &step);
        if (letter_data_max(len) == 0)
            assert_int_equal(err, ERR_RANGE);
        else
            assert_true(err || step.verdict != SESSION_READ);
    }
}

static void
i7_a_changed_letter_is_never_read(void **state)
{
    (void)state;
    struct side s[2];
    sides_make(s);
    struct posted p = side_write(&s[INVITEE], "first");
    flips_are_noticed(&s[INVITER], &p);
    cuts_are_noticed(&s[INVITER], &p);
    side_reads(&s[INVITER], &p, "first");
    p = side_write(&s[INVITER], "answer");
    flips_are_noticed(&s[INVITEE], &p);
    cuts_are_noticed(&s[INVITEE], &p);
    side_reads(&s[INVITEE], &p, "answer");
    p = side_offer(&s[INVITEE], 7); /* sealed by its place */
    flips_are_noticed(&s[INVITER], &p);
    cuts_are_noticed(&s[INVITER], &p);
}

/* ---- a second who has the invitation ---- */

/* Let a second one try a letter by all that he has: his session as it is and as it was,
 * and the keys of the place without a pair, and with his own. */
static void
second_opens_nothing(const struct side *second, const struct posted *p,
                     unsigned way)
{
    static const uint8_t zeros[LETTER_KEY_LEN];
    const uint8_t *pairs[2] = {zeros, second->session.pair};
    const struct ratchet *r = &second->session.now;
    const uint8_t *keys[] = {r->root, r->own_secret, r->peer_key, r->out};
    struct side reader = *second;
    struct session_step step;
    uint8_t chain[LETTER_CHAIN_LEN];
    if (way != CHAIN_IN)
        reader.chains[CHAIN_IN] = second->chains[way];
    const int err = side_try(&reader, p, &step);
    assert_true(err || step.verdict != SESSION_READ);
    chain_key(&second->chains[way], p->at.period, chain);
    for (unsigned i = 0; i < 2; i++) {
        struct letter_keys place;
        struct letter_head head;
        letter_place_keys(chain, p->at, pairs[i], &place);
        if (letter_open_head(&head, place.head, p->at, p->bytes, SIDE_LEN))
            continue;
        assert_true(pairs[i] == zeros && head.seal == LETTER_BY_RATCHET);
        for (unsigned k = 0; k <= sizeof keys / sizeof keys[0]; k++) {
            struct posted copy = *p;
            struct letter l;
            assert_int_equal(letter_open_body(&l, &head,
                                              k ? keys[k - 1] : place.body,
                                              p->at, copy.bytes, SIDE_LEN),
                             ERR_MAC);
        }
    }
}

/* Let both write for days, and the second listen, who also writes. */
static void
second_listens(struct side s[2], struct side *second)
{
    for (unsigned day = 0; day < 3; day++) {
        for (unsigned i = 0; i < 4; i++) {
            const unsigned from = i % 2;
            const struct posted p = side_write(&s[from], "theirs");
            second_opens_nothing(second, &p,
                                 from == INVITER ? CHAIN_IN : CHAIN_OUT);
            side_reads(&s[!from], &p, "theirs");
            const struct posted own = side_write(second, "mine");
            side_judges(&s[INVITER], &own, SESSION_SECOND);
            side_refuses(&s[INVITEE], &own, ERR_MAC);
        }
        s[0].at.period = s[1].at.period = ++second->at.period;
    }
}

static void
i8_who_takes_up_an_invitation_second_reads_nothing(void **state)
{
    (void)state;
    for (unsigned answered = 0; answered < 2; answered++) {
        struct side s[2], second;
        struct invite invite;
        struct session_step step;
        side_invite(&s[INVITER], &invite, "inviter");
        side_accept(&s[INVITEE], &invite, "invitee");
        side_accept(&second, &invite, "second");
        const struct posted first = side_write(&s[INVITEE], "first");
        second_opens_nothing(&second, &first, CHAIN_OUT);
        side_reads(&s[INVITER], &first, "first");
        if (answered) {
            const struct posted answer = side_write(&s[INVITER], "answer");
            second_opens_nothing(&second, &answer, CHAIN_IN);
            side_reads(&s[INVITEE], &answer, "answer");
        }
        second_listens(s, &second);
        /* both of the others hear of him, and he of that */
        struct letter used = {.kind = LETTER_USED, .count = 1};
        session_first_mark(s[INVITER].session.first, used.message);
        const struct posted word = side_seal(&s[INVITER], &used);
        for (unsigned who = 0; who < 2; who++) {
            struct side *reader = who ? &second : &s[INVITEE];
            uint8_t mark[LETTER_ID_LEN];
            assert_int_equal(side_try(reader, &word, &step), 0);
            assert_int_equal(step.verdict, SESSION_USED);
            session_first_mark(reader->session.first, mark);
            assert_int_equal(
                memcmp(mark, step.letter.message, sizeof mark) != 0, who);
        }
    }
}

/* One who is faster than the friend whose invitation it was: that one is the second. */
static void
who_comes_first_makes_the_pair(void **state)
{
    (void)state;
    struct side s[2], late;
    struct invite invite;
    side_invite(&s[INVITER], &invite, "inviter");
    side_accept(&s[INVITEE], &invite, "fast");
    side_accept(&late, &invite, "late");
    const struct posted early = side_write(&late, "late");
    const struct posted fast = side_write(&s[INVITEE], "fast");
    side_reads(&s[INVITER], &fast, "fast");
    side_judges(&s[INVITER], &early, SESSION_SECOND);
    second_listens(s, &late);
}

/* All but LETTER_USED that is sealed by its place alone is passed over, by both. */
static void
what_is_sealed_for_all_is_not_read(void **state)
{
    (void)state;
    static const uint8_t zeros[LETTER_KEY_LEN];
    const struct letter_head head = {.seal = LETTER_BY_PLACE};
    struct side s[2];
    sides_make(s);
    for (unsigned met = 0; met < 2; met++) {
        for (unsigned to = 0; to < 2; to++)
            for (uint8_t kind = 0; kind < LETTER_KINDS; kind++) {
                const struct letter l = {.kind = kind,
                                         .count = 1,
                                         .sequence = kind != LETTER_ACK &&
                                                     kind != LETTER_USED};
                struct posted p = {.at = {SIDE_DAY, 900}};
                struct letter_keys keys;
                uint8_t chain[LETTER_CHAIN_LEN];
                chain_key(&s[!to].chains[CHAIN_OUT], SIDE_DAY, chain);
                letter_place_keys(chain, p.at, zeros, &keys);
                assert_int_equal(
                    letter_seal(&l, &head, &keys, p.at, p.bytes, SIDE_LEN), 0);
                side_judges(&s[to], &p,
                            to == INVITEE && kind == LETTER_USED
                                ? SESSION_USED
                                : SESSION_PASSED);
            }
        if (!met)
            sides_meet(s);
    }
}

/* The two of a pair have one safety number, and whoever made another pair of the same
 * invitation has another. */
static void
a_safety_number_is_the_pairs_alone(void **state)
{
    (void)state;
    struct side s[2], second;
    struct invite invite;
    char text[3][SESSION_SAFETY_LEN];
    side_invite(&s[INVITER], &invite, "inviter");
    side_accept(&s[INVITEE], &invite, "invitee");
    side_accept(&second, &invite, "second");
    sides_meet(s);
    session_safety(&s[0].session, text[0]);
    session_safety(&s[1].session, text[1]);
    session_safety(&second.session, text[2]);
    assert_string_equal(text[0], text[1]);
    assert_string_not_equal(text[0], text[2]);
    assert_int_equal(strlen(text[0]), SESSION_SAFETY_LEN - 1);
    const struct posted offer = side_offer(&s[INVITER], 5);
    side_judges(&s[INVITEE], &offer, SESSION_READ);
    session_safety(&s[INVITEE].session,
                   text[1]); /* a ratchet changes nothing */
    assert_string_equal(text[0], text[1]);
}

/* ---- a thief of the line ---- */

/* Whoever has the line, and all letters: he can be an inviter or an invitee of it, but
 * has the secrets of neither. He opens heads of the invitee's, until that one has read
 * something, and no body. */
static void
i8_who_has_the_line_opens_no_body(void **state)
{
    (void)state;
    struct side s[2], thief;
    struct invite invite;
    struct letter_head head;
    uint8_t chain[LETTER_CHAIN_LEN], own[32] = {9};
    side_invite(&s[INVITER], &invite, "inviter");
    side_accept(&s[INVITEE], &invite, "invitee");
    for (unsigned i = 0; i < 12; i++) {
        const unsigned from = i % 3 == 2 ? INVITER : INVITEE;
        const struct posted p = side_write(&s[from], "x");
        side_accept(&thief, &invite, "thief");
        for (unsigned way = 0; way < 2; way++)
            second_opens_nothing(&thief, &p, way);
        if (from == INVITEE) { /* as an inviter, with a key of his own */
            struct session_step step;
            struct side poser = s[INVITER];
            session_invite(&poser.session, invite.seed, invite.expiry_h, own);
            const int err = side_try(&poser, &p, &step);
            assert_true(err || step.verdict == SESSION_PASSED);
        }
        chain_key(&s[from].chains[CHAIN_OUT], p.at.period, chain);
        const int err = session_own_head(&thief.session, chain, p.at, p.bytes,
                                         SIDE_LEN, &head);
        assert_int_equal(err, i < 2 ? 0 : ERR_MAC);
        side_reads(&s[!from], &p, "x");
    }
}

/* ---- a thief of a device ---- */

enum { DERIVED = 24 };

static bool
body_opens(const struct posted *p, const struct letter_head *head,
           const uint8_t *key)
{
    struct posted copy = *p;
    struct letter l;
    return letter_open_body(&l, head, key, p->at, copy.bytes, SIDE_LEN) !=
           ERR_MAC;
}

/* Try 32 bytes as the key of a body, and as a chain that leads to it. */
static bool
bytes_lead_to(const struct posted *p, const struct letter_head *head,
              const uint8_t *bytes)
{
    const uint8_t letter = 1, step = 2;
    uint8_t chain[32], key[32], next[32];
    if (body_opens(p, head, bytes))
        return true;
    memcpy(chain, bytes, sizeof chain);
    for (unsigned i = 0; i < DERIVED; i++) {
        crypto_generichash(key, sizeof key, &letter, 1, chain, sizeof chain);
        if (body_opens(p, head, key))
            return true;
        crypto_generichash(next, sizeof next, &step, 1, chain, sizeof chain);
        memcpy(chain, next, sizeof chain);
    }
    return false;
}

/* Try roots with all secrets and keys that there are. */
static bool
roots_lead_to(const struct posted *p, const struct letter_head *head,
              const struct session *s)
{
    const uint8_t *roots[] = {s->now.root, s->before.root, s->pair};
    const uint8_t *secrets[] = {s->now.own_secret, s->before.own_secret};
    const uint8_t *keys[] = {s->now.peer_key, s->before.peer_key, s->first,
                             head->ratchet.key};
    for (unsigned i = 0; i < 3 * 2 * 4; i++) {
        struct ratchet r;
        if (ratchet_take(&r, roots[i % 3], keys[i / 6], secrets[i / 3 % 2]))
            continue;
        if (bytes_lead_to(p, head, r.out) || bytes_lead_to(p, head, r.root))
            return true;
    }
    return false;
}

/* Does whoever has all of a side's memory open a letter that it wrote or reads? */
static bool
thief_opens(const struct side *copy, const struct posted *p, unsigned way)
{
    struct side reader = *copy;
    struct session_step step;
    struct letter_head head;
    uint8_t chain[LETTER_CHAIN_LEN];
    reader.chains[CHAIN_IN] = copy->chains[way];
    if (side_try(&reader, p, &step) == 0 && step.verdict == SESSION_READ)
        return true;
    chain_key(&copy->chains[way], p->at.period, chain);
    assert_int_equal(session_own_head(&copy->session, chain, p->at, p->bytes,
                                      SIDE_LEN, &head),
                     0); /* he has pair */
    const uint8_t *memory = (const uint8_t *)&copy->session;
    for (size_t at = 0; at + 32 <= sizeof copy->session; at += 4)
        if (bytes_lead_to(p, &head, memory + at))
            return true;
    for (size_t i = 0; i < copy->n_kept; i++)
        if (bytes_lead_to(p, &head, copy->kept[i].key))
            return true;
    return roots_lead_to(p, &head, &copy->session);
}

/* All letters of two sides so far, each with its writer. */
struct record {
    struct posted letter[40];
    unsigned from[40], n;
};

static void
record_turn(struct record *all, struct side s[2], unsigned from, bool read)
{
    const struct posted p = side_write(&s[from], "x");
    if (read)
        side_reads(&s[!from], &p, "x");
    all->letter[all->n] = p;
    all->from[all->n++] = from;
}

/* Which letters of a record, from `begin` on, does a copy of this side open? */
static unsigned
thief_counts(const struct side *copy, unsigned side, const struct record *all,
             unsigned begin)
{
    unsigned n = 0;
    for (unsigned i = begin; i < all->n; i++)
        n += thief_opens(copy, &all->letter[i],
                         all->from[i] == side ? CHAIN_OUT : CHAIN_IN);
    return n;
}

/* A device that is taken opens nothing that was read before, and nothing that is written
 * once its owner has drawn a key anew and the other has answered; what is late it does. */
static void
i8_who_takes_a_device_opens_nothing_of_before(void **state)
{
    (void)state;
    static struct record all;
    for (unsigned taken = 0; taken < 2; taken++) {
        struct side s[2], copy;
        all.n = 0;
        sides_make(s);
        sides_meet(s);
        for (unsigned i = 0; i < 8; i++)
            record_turn(&all, s, i / 2 % 2, true);
        copy = s[taken];
        assert_int_equal(thief_counts(&copy, taken, &all, 0), 0);
        /* of four the first three are late: their keys are there */
        const unsigned late = all.n;
        for (unsigned i = 0; i < 4; i++)
            record_turn(&all, s, !taken, i == 3);
        copy = s[taken];
        assert_int_equal(copy.n_kept, 3);
        assert_int_equal(thief_counts(&copy, taken, &all, late), 3);
        assert_int_equal(thief_counts(&copy, taken, &all, 0), 3);
        for (unsigned i = 0; i < 3; i++)
            side_reads(&s[taken], &all.letter[late + i], "x");
        assert_int_equal(thief_counts(&s[taken], taken, &all, 0), 0);
        /* a step of each */
        for (unsigned i = 0; i < 2; i++)
            record_turn(&all, s, i ? !taken : taken, true);
        const unsigned healed = all.n;
        for (unsigned i = 0; i < 6; i++)
            record_turn(&all, s, i % 2 ? !taken : taken, true);
        assert_int_equal(thief_counts(&copy, taken, &all, healed), 0);
    }
}

/* The same over a renewed ratchet: the one of before, which is kept, opens none of the
 * letters that it has read. */
static void
i8_a_ratchet_that_was_left_opens_nothing_of_before(void **state)
{
    (void)state;
    static struct record all;
    struct side s[2];
    all.n = 0;
    sides_make(s);
    sides_meet(s);
    for (unsigned i = 0; i < 4; i++)
        record_turn(&all, s, i % 2, true);
    const struct posted offer = side_offer(&s[INVITER], 5);
    side_judges(&s[INVITEE], &offer, SESSION_READ);
    for (unsigned i = 0; i < 4; i++)
        record_turn(&all, s, !(i % 2), true);
    for (unsigned side = 0; side < 2; side++) {
        assert_true(s[side].session.has_before);
        assert_int_equal(thief_counts(&s[side], side, &all, 0), 0);
    }
}

/* ---- offers ---- */

static void
sides_are_at(const struct side s[2], uint32_t generation)
{
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(s[i].session.generation, generation);
        assert_int_equal(s[i].session.state, SESSION_OPEN);
    }
}

/* Both write, and read what the other wrote. */
static void
sides_talk(struct side s[2])
{
    for (unsigned i = 0; i < 4; i++) {
        const unsigned from = i / 2;
        const struct posted p = side_write(&s[from], "talk");
        side_reads(&s[!from], &p, "talk");
    }
}

/* An offer is taken with the next letter; what was under way of the ratchet before is
 * read, until there is a third one: then it is passed over, keys or not. */
static void
an_offer_is_taken(void **state)
{
    (void)state;
    for (unsigned offers = 0; offers < 2; offers++) {
        struct side s[2];
        sides_make(s);
        sides_meet(s);
        struct posted late[6];
        for (unsigned i = 0; i < 6; i++)
            late[i] = side_write(&s[i % 2 ? !offers : offers], "late");
        for (unsigned i = 4; i < 6; i++) /* the keys of the others are kept */
            side_reads(&s[i % 2 ? offers : !offers], &late[i], "late");
        const struct posted offer = side_offer(&s[offers], 5);
        assert_false(session_is_open(&s[offers].session));
        assert_true(session_may_write(&s[offers].session));
        side_reads(&s[offers], &late[1], "late"); /* also while offered */
        side_judges(&s[!offers], &offer, SESSION_READ);
        side_reads(&s[!offers], &late[0], "late");
        assert_true(session_is_open(&s[!offers].session));
        const struct posted taken = side_write(&s[!offers], "taken");
        side_reads(&s[offers], &taken, "taken");
        sides_are_at(s, 5);
        for (unsigned i = 0; i < 3; i++)
            sides_talk(s);
        side_reads(&s[offers], &late[3], "late");
        const struct posted again = side_offer(&s[!offers], 6);
        side_judges(&s[offers], &again, SESSION_READ);
        sides_talk(s);
        sides_are_at(s, 6);
        side_judges(&s[!offers], &late[2], SESSION_PASSED);
        side_judges(&s[offers], &late[3], SESSION_PASSED);
    }
}

/* Of two offers of one generation the inviter's counts, whoever reads first. */
static void
of_two_offers_the_inviters_counts(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 2; first++) {
        struct side s[2];
        sides_make(s);
        sides_meet(s);
        const struct posted offer[2] = {side_offer(&s[0], 8),
                                        side_offer(&s[1], 8)};
        for (unsigned i = 0; i < 2; i++) {
            const unsigned to = i ? !first : first;
            side_judges(&s[to], &offer[!to], SESSION_READ);
        }
        assert_int_equal(s[INVITER].session.state, SESSION_OFFERED);
        const struct posted taken = side_write(&s[INVITEE], "taken");
        side_reads(&s[INVITER], &taken, "taken");
        sides_talk(s);
        sides_are_at(s, 8);
        /* one that is taken already is not offered against */
        const struct posted again = side_offer(&s[INVITER], 9);
        struct side other = s[INVITEE];
        side_judges(&s[INVITEE], &again, SESSION_READ);
        sides_talk((struct side[2]){s[INVITER], s[INVITEE]});
        const struct posted lost = side_offer(&other, 8);
        side_judges(&s[INVITER], &lost, SESSION_READ);
        assert_int_equal(s[INVITER].session.generation, 9);
    }
}

/* A lower offer, one from beyond what time it is, and one that was taken, change
 * nothing; what they carry is read. */
static void
i10_an_offer_that_does_not_win_changes_nothing(void **state)
{
    (void)state;
    struct side s[2];
    struct session was;
    sides_make(s);
    sides_meet(s);
    struct side behind = s[INVITER];
    const struct posted offer = side_offer(&s[INVITER], 100);
    s[INVITEE].latest = 99;
    was = s[INVITEE].session;
    side_judges(&s[INVITEE], &offer, SESSION_READ);
    assert_memory_equal(&s[INVITEE].session, &was, sizeof was);
    s[INVITEE].latest = 100;
    side_judges(&s[INVITEE], &offer, SESSION_READ);
    assert_int_equal(s[INVITEE].session.generation, 100);
    for (unsigned i = 0; i < 2; i++) { /* before and after it is open */
        was = s[INVITEE].session;
        side_judges(&s[INVITEE], &offer, SESSION_READ);
        assert_memory_equal(&s[INVITEE].session, &was, sizeof was);
        sides_talk((struct side[2]){s[INVITER], s[INVITEE]});
        const struct posted taken = side_write(&s[INVITEE], "taken");
        side_reads(&s[INVITER], &taken, "taken");
        const struct posted answer = side_write(&s[INVITER], "answer");
        side_reads(&s[INVITEE], &answer, "answer");
    }
    behind.at.n = 500;
    const struct posted lower = side_offer(&behind, 99);
    was = s[INVITEE].session;
    side_judges(&s[INVITEE], &lower, SESSION_READ);
    assert_memory_equal(&s[INVITEE].session, &was, sizeof was);
}

/* An offer with a key of small order is passed by. */
static void
an_offer_of_a_key_of_zeros_is_not_taken(void **state)
{
    (void)state;
    struct side s[2];
    sides_make(s);
    sides_meet(s);
    for (uint8_t one = 0; one < 2; one++) {
        const struct letter_head head = {.seal = LETTER_BY_OFFER,
                                         .generation = 5,
                                         .ratchet = {.key = {one}}};
        const struct session was = s[INVITEE].session;
        const struct posted p =
            forged(&s[INVITER], s[INVITER].session.pair, &head, 700 + one);
        side_judges(&s[INVITEE], &p, SESSION_READ);
        assert_memory_equal(&s[INVITEE].session, &was, sizeof was);
    }
    sides_talk(s);
}

/* ---- older copies ---- */

/* What both sides were at some moments of their life, with two ratchets that came. */
enum { MOMENTS = 12 };
struct life {
    struct side at[MOMENTS][2];
};

static void
life_live(struct life *l)
{
    struct side s[2];
    sides_make(s);
    memcpy(l->at[0], s, sizeof s);
    const struct posted first = side_write(&s[INVITEE], "first");
    side_reads(&s[INVITER], &first, "first");
    memcpy(l->at[1], s, sizeof s);
    const struct posted answer = side_write(&s[INVITER], "answer");
    side_reads(&s[INVITEE], &answer, "answer");
    for (unsigned i = 2; i < MOMENTS; i++) {
        memcpy(l->at[i], s, sizeof s);
        if (i == 5 || i == 9) {
            const struct posted offer = side_offer(&s[i == 9], 1000 * i);
            side_judges(&s[i != 9], &offer, SESSION_READ);
            const struct posted taken = side_write(&s[i != 9], "taken");
            side_reads(&s[i == 9], &taken, "taken");
        } else {
            sides_talk(s);
        }
    }
}

/* What a client does about letters that do not open (client/sealing.c). */
static void
renew(struct side *s, bool *broken, uint32_t *now)
{
    uint8_t fresh[RATCHET_KEY_LEN];
    struct session *x = &s->session;
    if (!*broken || !x->answered || x->state == SESSION_OFFERED)
        return;
    rng_seeded_bytes(&s->rng, fresh, sizeof fresh);
    session_offer(x, ++*now, s->at.period, fresh);
    *broken = false;
}

/* Let both write in turn until each reads what the other writes. Returns how many turns
 * it took. */
static unsigned
sides_mend(struct side s[2])
{
    enum { TURNS = 8 };
    bool broken[2] = {false, false};
    uint32_t now = 1000000;
    for (unsigned turn = 0; turn < TURNS; turn++) {
        unsigned texts = 0;
        for (unsigned from = 0; from < 2; from++) {
            struct session_step step;
            renew(&s[from], &broken[from], &now);
            if (!session_may_write(&s[from].session))
                continue;
            const bool text = session_is_open(&s[from].session);
            s[from].at.n = 1000 + 2 * turn + from;
            const struct posted p =
                text ? side_write(&s[from], "mended") : side_hello(&s[from]);
            if (side_open(&s[!from], &p, &step))
                continue;
            broken[!from] |= step.verdict == SESSION_BROKEN;
            texts += text && step.verdict == SESSION_READ;
        }
        if (texts == 2 && s[0].session.generation == s[1].session.generation)
            return turn + 1;
    }
    return TURNS + 1;
}

/* Whichever copies the two come back with, they are soon in one ratchet, and write to
 * each other; but an inviter's of before he had a pair does not know the other any
 * more. */
static void
i9_older_copies_come_together(void **state)
{
    (void)state;
    static struct life l;
    life_live(&l);
    for (unsigned i = 0; i < MOMENTS; i++)
        for (unsigned k = 0; k < MOMENTS; k++) {
            struct side s[2] = {l.at[i][INVITER], l.at[k][INVITEE]};
            const bool lost = i == 0 && k >= 2;
            if (lost)
                continue;
            const unsigned turns = sides_mend(s);
            if (turns > 4)
                fail_msg("%u turns, inviter of moment %u, invitee of %u", turns,
                         i, k);
            sides_talk(s);
        }
}

/* ---- a machine that was set back ---- */

/* Letters that a copy seals again, for the same places and with the same keys, are
 * other letters under other nonces, or the same; and never two of one nonce. */
static void
i9_what_is_sealed_again_has_a_nonce_of_its_own(void **state)
{
    (void)state;
    struct side s[2];
    sides_make(s);
    for (unsigned phase = 0; phase < 3; phase++) {
        for (unsigned from = 0; from < 2; from++) {
            if (!session_may_write(&s[from].session))
                continue;
            for (unsigned life = 0; life < 12; life++) {
                struct side copy = s[from];
                const struct letter l = {.count = 1, .ack = life / 2};
                const uint8_t fresh[32] = {(uint8_t)(life % 3)};
                if (phase == 2)
                    session_offer(&copy.session, 5 + life % 2, SIDE_DAY, fresh);
                (void)side_seal(&copy, &l);
                (void)side_write(&copy, life % 2 ? "one" : "two");
            }
        }
        if (phase == 0)
            sides_meet(s);
    }
    assert_int_equal(recall_clashes(), 0);
}

/* ---- the record ---- */

static size_t
encoded(const struct session *s, uint8_t out[static SESSION_RECORD_LEN])
{
    struct codec_writer w;
    codec_writer_init(&w, out, SESSION_RECORD_LEN);
    session_encode(&w, s);
    assert_int_equal(w.err, 0);
    return SESSION_RECORD_LEN - w.left;
}

static int
decoded(const uint8_t *bytes, size_t len, struct session *s)
{
    struct codec_reader r;
    codec_reader_init(&r, bytes, len);
    return session_decode(&r, SESSION_RECORD_LEN, s);
}

/* Each byte of a session's fields is another one in the record, and comes back. */
static void
a_session_comes_back_from_its_record(void **state)
{
    (void)state;
    struct side s[2];
    struct session back;
    uint8_t bytes[SESSION_RECORD_LEN];
    sides_make(s);
    for (unsigned i = 0; i < 4; i++) {
        for (unsigned k = 0; k < 2; k++) {
            s[k].session.verified = i % 2;
            assert_int_equal(encoded(&s[k].session, bytes), sizeof bytes);
            assert_int_equal(decoded(bytes, sizeof bytes, &back), 0);
            assert_memory_equal(&back, &s[k].session, sizeof back);
            for (size_t len = 0; len < sizeof bytes; len++)
                assert_int_equal(decoded(bytes, len, &back), ERR_SHORT);
        }
        if (i == 0)
            sides_meet(s);
        else
            (void)side_offer(&s[i % 2], i);
    }
}

/* Every bit is a field's, or refused: no two records are one session. */
static void
i7_what_a_record_cannot_say_is_refused(void **state)
{
    (void)state;
    struct side s[2];
    struct session back, good;
    uint8_t bytes[SESSION_RECORD_LEN], again[SESSION_RECORD_LEN];
    unsigned refused = 0;
    sides_make(s);
    sides_meet(s);
    (void)encoded(&s[0].session, bytes);
    assert_int_equal(decoded(bytes, sizeof bytes, &good), 0);
    for (unsigned bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        const int err = decoded(bytes, sizeof bytes, &back);
        assert_true(err == 0 || err == ERR_FORMAT);
        refused += err != 0;
        if (!err) {
            assert_memory_not_equal(&back, &good, sizeof back);
            (void)encoded(&back, again);
            assert_memory_equal(again, bytes, sizeof bytes);
        }
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    /* of the state 7 bits; 3 flags of each ratchet; that it can
     * write, while it is open; and of the next of eight parts 5 bits */
    assert_int_equal(refused, 7 + 2 * 3 + 1 + 5);
    for (unsigned value = SESSION_STATES; value < 256; value++) {
        bytes[0] = (uint8_t)value;
        assert_int_equal(decoded(bytes, sizeof bytes, &back), ERR_FORMAT);
    }
}

const struct CMUnitTest test_session[] = {
    cmocka_unit_test(an_invitation_begins_with_the_invitees_letters),
    cmocka_unit_test(an_invitation_with_a_key_of_zeros_is_refused),
    cmocka_unit_test(a_first_letter_that_does_not_open_begins_nothing),
    cmocka_unit_test(a_letter_opens_once_and_nowhere_else),
    cmocka_unit_test(pairs_of_one_seed_read_nothing_of_each_other),
    cmocka_unit_test(i7_a_changed_letter_is_never_read),
    cmocka_unit_test(i8_who_takes_up_an_invitation_second_reads_nothing),
    cmocka_unit_test(who_comes_first_makes_the_pair),
    cmocka_unit_test(a_safety_number_is_the_pairs_alone),
    cmocka_unit_test(what_is_sealed_for_all_is_not_read),
    cmocka_unit_test(i8_who_has_the_line_opens_no_body),
    cmocka_unit_test(i8_who_takes_a_device_opens_nothing_of_before),
    cmocka_unit_test(i8_a_ratchet_that_was_left_opens_nothing_of_before),
    cmocka_unit_test(an_offer_is_taken),
    cmocka_unit_test(of_two_offers_the_inviters_counts),
    cmocka_unit_test(i10_an_offer_that_does_not_win_changes_nothing),
    cmocka_unit_test(an_offer_of_a_key_of_zeros_is_not_taken),
    cmocka_unit_test(i9_older_copies_come_together),
    cmocka_unit_test(i9_what_is_sealed_again_has_a_nonce_of_its_own),
    cmocka_unit_test(a_session_comes_back_from_its_record),
    cmocka_unit_test(i7_what_a_record_cannot_say_is_refused),
};
TEST_SUITE(test_session);
