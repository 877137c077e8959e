/* tests/unit/test_announcing.c - telling boards that a letter is there: when, by
 * which token, and what becomes of it. */
#include "tests/runner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/announce.h"
#include "client/conversations.h"
#include "client/outgoing.h"
#include "client/places.h"
#include "client/requests.h"
#include "client/staging.h"
#include "lib/rng_seeded.h"
#include "network/boards.h"
#include "tests/day_key.h"
#include "tests/recall.h"
#include "tests/heap.h"
#include "tests/pair.h"

#define S 1000000ULL

static const uint8_t data[3000] = {7};

static int
net_make(void **state)
{
    (void)state;
    test_network_make(&pair_net, SPHINX_SUITE_NULL, 2, 3, 1, 3);
    assert_true(pair_net.consensus->boards.n >= 2);
    pair_net.consensus->params.announce_bits = 2; /* found in a few steps */
    test_network_sign(&pair_net);
    return 0;
}

/* ---- what was announced ---- */

enum { SEEN_MAX = 4000, IDLE_STEPS = 100 /* dear proofs are made within */ };
struct seen {
    size_t n, selfs; /* selfs: to the client itself, which are listed at once */
    uint8_t token[SEEN_MAX][WIRE_TOKEN_LEN];
    uint16_t board[SEEN_MAX];
};

/* Is it a token of one of c's letters? */
static bool
is_of_letter(const struct client *c, const uint8_t *token)
{
    uint8_t one[WIRE_TOKEN_LEN];
    for (const struct conversation *v = c->conversations; v; v = v->next)
        for (uint32_t period = client_period(c) - 1;
             period <= client_period(c) + 1; period++)
            for (uint32_t k = 0; k < announce_used(v, period); k++) {
                letter_token(day_key(c, v, CHAIN_OUT, period).key, period, k,
                             one);
                if (memcmp(one, token, sizeof one) == 0)
                    return true;
            }
    return false;
}

/* Let what can be announced be announced, and note it. */
static void
announce_all(struct client *c, struct seen *seen)
{
    const struct consensus *n = client_consensus(c);
    const int gateway = consensus_find(n, gateways_current(&c->gateways));
    struct announce_choice choice;
    proofs_consensus(c->proofs, n, n->epoch);
    for (unsigned idle = 0; idle < IDLE_STEPS; idle++) {
        announce_prepare(c, n);
        proofs_step(c->proofs);
        announce_pick(c, n, (uint16_t)gateway, &choice);
        if (choice.number == 0)
            continue;
        assert_true(seen->n < SEEN_MAX);
        assert_true(boards_find(n, choice.board) >= 0);
        struct work_task task;
        work_announce_task(&task, n->work_challenge,
                           n->relays[choice.board].identity, choice.token);
        assert_true(work_bits(&task, choice.nonce) >= n->params.announce_bits);
        announce_sent(c, choice.number, env_now_mono_us(c->env));
        idle = 0;
        if (!is_of_letter(c, choice.token)) {
            seen->selfs++;
            assert_true(announce_listed(c, choice.token));
            continue;
        }
        memcpy(seen->token[seen->n], choice.token, WIRE_TOKEN_LEN);
        seen->board[seen->n++] = choice.board;
    }
}

/* Let letters leave, as ticks of sending do. */
static void
letters_leave(struct client *c)
{
    struct conversation *of;
    struct out_letter *l;
    bool spare = false;
    while ((l = outgoing_pick(c, true, &spare, &of)) != NULL)
        outgoing_asked(c, l, UINT64_MAX);
}

static void
seen_differ(const struct seen *seen)
{
    for (size_t i = 0; i < seen->n; i++)
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(seen->token[i], seen->token[k],
                                    WIRE_TOKEN_LEN);
}

static void
text_send(struct pair *p, unsigned from)
{
    uint64_t order;
    assert_int_equal(client_send(p->c[from], from ? "a" : "b", LETTER_TEXT,
                                 data, 20, &order),
                     0);
}

/* b's contacts have acknowledged all: nothing is left of b's letters. */
static void
letters_drop(struct pair *p)
{
    while (p->v[1]->letters)
        staging_letter_unlink(p->c[1], &p->v[1]->letters);
}

static void
pair_begin(struct pair *p, struct seen *seen)
{
    pair_make(p, &pair_net);
    pair_settle(p);
    letters_drop(p);
    p->disk[1].test.mono_us += 4000 * S; /* a's promises are over */
    *seen = (struct seen){0};
    announce_all(p->c[1], seen);
    for (size_t i = 0; i < seen->n; i++)
        assert_true(announce_listed(p->c[1], seen->token[i]));
    assert_int_equal(announce_count(p->c[1]), 0);
    seen->n = 0;
}

static uint64_t
check_after_us(void)
{
    return ANNOUNCE_LATE * 1000ULL *
           pair_net.consensus->params.list_interval_ms;
}

/* ---- tests ---- */

static void
a_token_follows_its_letter_and_is_sent_once(void **state)
{
    (void)state;
    static struct seen seen;
    struct pair p;
    uint8_t token[WIRE_TOKEN_LEN];
    pair_begin(&p, &seen);
    const uint32_t used = announce_used(p.v[1], client_period(p.c[1]));
    text_send(&p, 1);
    assert_true(p.v[1]->letters->announced);
    announce_all(p.c[1], &seen);
    assert_int_equal(seen.n, 0); /* the letter is still here */
    letters_leave(p.c[1]);
    announce_all(p.c[1], &seen);
    assert_int_equal(seen.n, 1);
    const uint32_t period = client_period(p.c[1]);
    letter_token(day_key(p.c[1], p.v[1], CHAIN_OUT, period).key, period, used,
                 token);
    assert_memory_equal(seen.token[0], token, sizeof token);
    /* it is listed: no more of it */
    assert_false(announce_listed(p.c[1], data));
    assert_true(announce_listed(p.c[1], token));
    assert_false(announce_listed(p.c[1], token));
    p.disk[1].test.mono_us += 1000 * S;
    staging_run(p.c[1]);
    announce_all(p.c[1], &seen);
    assert_int_equal(seen.n, 1);
    pair_free(&p);
}

static void
what_is_not_listed_is_announced_elsewhere(void **state)
{
    (void)state;
    static struct seen seen;
    struct pair p;
    struct client_status s;
    pair_begin(&p, &seen);
    text_send(&p, 1);
    letters_leave(p.c[1]);
    for (unsigned i = 1; i <= ANNOUNCE_TRIES + 1; i++) {
        const unsigned want = i < ANNOUNCE_TRIES ? i : ANNOUNCE_TRIES;
        announce_all(p.c[1], &seen);
        assert_int_equal(seen.n, want);
        p.disk[1].test.mono_us += check_after_us() - 1;
        staging_run(p.c[1]);
        announce_all(p.c[1], &seen);
        assert_int_equal(seen.n, want); /* not yet */
        p.disk[1].test.mono_us += 1;
        staging_run(p.c[1]);
    }
    for (unsigned i = 1; i < seen.n; i++)
        assert_int_not_equal(seen.board[i], seen.board[i - 1]);
    seen_differ(&seen);
    client_status(p.c[1], &s);
    assert_int_equal(s.unlisted, ANNOUNCE_TRIES);
    assert_int_equal(announce_count(p.c[1]), 0);
    /* one that is acknowledged meanwhile is not announced again */
    text_send(&p, 1);
    letters_leave(p.c[1]);
    announce_all(p.c[1], &seen);
    const size_t n = seen.n;
    letters_drop(&p);
    p.disk[1].test.mono_us += 1000 * S;
    staging_run(p.c[1]);
    announce_all(p.c[1], &seen);
    assert_int_equal(seen.n, n);
    pair_free(&p);
}

/* Announce `n` texts, one after the other. Returns how many went to this board. */
static unsigned
texts_to_board(struct pair *p, struct seen *seen, unsigned n, uint16_t board)
{
    unsigned to_it = 0;
    for (unsigned i = 0; i < n; i++) {
        text_send(p, 1);
        letters_leave(p->c[1]);
        seen->n = 0;
        announce_all(p->c[1], seen);
        assert_int_equal(seen->n, 1);
        to_it += seen->board[0] == board;
        assert_true(announce_listed(p->c[1], seen->token[0]));
        letters_drop(p);
    }
    return to_it;
}

/* Of one board alone stores name lists: what is announced goes there. As long as none
 * is named, it goes to any of three; of 40 all or none go to that one in one run of
 * 10^7. */
static void
i10_a_board_that_nobody_hears_is_told_nothing(void **state)
{
    (void)state;
    enum { TEXTS = 40, HEARD = 1 };
    static struct seen seen;
    struct pair p;
    pair_begin(&p, &seen);
    struct client *c = p.c[1];
    const struct consensus *n = client_consensus(c);
    const struct consensus *const view[1] = {n};
    const uint16_t board = n->boards.relay[HEARD];
    assert_in_range(texts_to_board(&p, &seen, TEXTS, board), 1, TEXTS - 1);
    const struct shown_now now = {.view = view,
                                  .n = 1,
                                  .mono_us = env_now_mono_us(c->env),
                                  .unix_ms = client_now_us(c) / 1000};
    const uint8_t named[LIST_ROOT_LEN] = {1};
    struct wire_root root[BOARDS_MAX] = {{0}};
    root[HEARD] = (struct wire_root){
        .interval = list_interval(&n->params, now.unix_ms), .root = named};
    for (size_t i = 0; i < n->n_relays; i++)
        if (n->relays[i].role == ROLE_STORE)
            shown_named(c->shown, &now, &n->relays[i], root);
    assert_int_equal(texts_to_board(&p, &seen, TEXTS, board), TEXTS);
    pair_free(&p);
}

/* To who has promised to look nothing is announced, and of letters that nobody has
 * acknowledged no more than a reader awaits. */
static void
no_more_is_announced_than_is_needed(void **state)
{
    (void)state;
    static struct seen seen;
    struct pair p;
    unsigned announced = 0;
    pair_begin(&p, &seen);
    const uint64_t now_us = env_now_mono_us(p.c[1]->env);
    fronts_leased(p.c[1]->fronts, p.v[1]->id, now_us + 60 * S);
    text_send(&p, 1);
    assert_false(p.v[1]->letters->announced);
    letters_drop(&p);
    p.disk[1].test.mono_us += 60 * S - SILENT_US; /* it would be late */
    for (unsigned i = 0; i < 2 * ANNOUNCE_AHEAD; i++) {
        text_send(&p, 1);
        letters_leave(p.c[1]);
    }
    for (const struct out_letter *l = p.v[1]->letters; l; l = l->next)
        announced += l->announced;
    assert_int_equal(announced, ANNOUNCE_AHEAD);
    announce_all(p.c[1], &seen);
    assert_int_equal(seen.n, ANNOUNCE_AHEAD);
    pair_free(&p);
}

/* What was written while there was no room for more tokens is announced when there
 * is, by one token for all of it. */
static void
i6_one_token_is_for_all_that_had_none(void **state)
{
    (void)state;
    static struct seen seen;
    struct pair p;
    pair_begin(&p, &seen);
    struct conversation *v = p.v[1];
    for (unsigned i = 0; i < ANNOUNCE_AHEAD + 4; i++)
        text_send(&p, 1);
    letters_leave(p.c[1]);
    for (struct out_letter *l = v->letters; l; l = l->next)
        outgoing_answer(p.c[1], v, l->at, STORE_FIRST, WIRE_KEPT);
    announce_all(p.c[1], &seen);
    assert_int_equal(seen.n, ANNOUNCE_AHEAD);
    for (size_t i = 0; i < seen.n; i++)
        assert_true(announce_listed(p.c[1], seen.token[i]));
    staging_run(p.c[1]);
    announce_all(p.c[1], &seen);
    assert_int_equal(seen.n, ANNOUNCE_AHEAD); /* none is acknowledged */
    for (struct out_letter **at = &v->letters; *at;)
        if ((*at)->announced)
            staging_letter_unlink(p.c[1], at);
        else
            at = &(*at)->next;
    for (unsigned i = 0; i < 20; i++) {
        staging_run(p.c[1]);
        announce_all(p.c[1], &seen);
        assert_int_equal(seen.n, ANNOUNCE_AHEAD + 1);
        (void)announce_listed(p.c[1], seen.token[ANNOUNCE_AHEAD]);
        p.disk[1].test.mono_us += 5 * S; /* no repeat is due */
    }
    seen_differ(&seen);
    pair_free(&p);
}

/* ---- over a period's end ---- */

enum { PERIOD_S = 600 };

static int
net_make_short(void **state)
{
    (void)net_make(state);
    pair_net.consensus->params.period_s = PERIOD_S;
    test_network_sign(&pair_net);
    return 0;
}

/* Let both clocks go on. */
static void
time_pass(struct pair *p, uint64_t us)
{
    p->disk[1].test.mono_us += us;
    p->disk[1].test.wall_ms += us / 1000;
}

/* Pass time until 5 s before the end of a period. Returns which. */
static uint32_t
period_end(struct pair *p)
{
    const uint64_t now_us = client_now_us(p->c[1]);
    time_pass(p, 2 * PERIOD_S * S - 5 * S - now_us % (PERIOD_S * S));
    return client_period(p->c[1]);
}

/* Is the i-th that was seen token k of this period? */
static bool
seen_is(const struct pair *p, const struct seen *seen, size_t i,
        uint32_t period, uint32_t k)
{
    uint8_t token[WIRE_TOKEN_LEN];
    letter_token(day_key(p->c[1], p->v[1], CHAIN_OUT, period).key, period, k,
                 token);
    return i < seen->n && memcmp(seen->token[i], token, sizeof token) == 0;
}

/* A text's token is in no list, and meanwhile a period has ended and one of the next is
 * used. What is in yesterday's box is announced again as of yesterday: when it was not
 * listed, when its store has it late, and when it is kept again. */
static void
i6_what_is_of_yesterday_is_announced_as_of_yesterday(void **state)
{
    (void)state;
    static struct seen seen;
    struct pair p;
    pair_begin(&p, &seen);
    struct client *c = p.c[1];
    const uint32_t period = period_end(&p), k = announce_used(p.v[1], period);
    text_send(&p, 1);
    const struct letter_place at = p.v[1]->letters->at;
    letters_leave(c);
    announce_all(c, &seen);
    time_pass(&p, 6 * S);
    assert_int_equal(client_period(c), period + 1);
    text_send(&p, 1);
    letters_leave(c);
    announce_all(c, &seen);
    assert_int_equal(seen.n, 2);
    assert_true(seen_is(&p, &seen, 0, period, k));
    assert_true(seen_is(&p, &seen, 1, period + 1, 0));
    assert_true(announce_listed(c, seen.token[1]));
    time_pass(&p, check_after_us());
    staging_run(c);
    announce_all(c, &seen);
    assert_int_equal(seen.n, 3);
    assert_true(seen_is(&p, &seen, 2, period, k + 1));
    assert_true(announce_listed(c, seen.token[2]));
    for (unsigned n = 0; n < 2; n++) { /* late, and again */
        time_pass(&p, 61 * S);
        outgoing_answer(c, p.v[1], at, STORE_FIRST, WIRE_KEPT);
        staging_run(c);
        announce_all(c, &seen);
        assert_int_equal(seen.n, 4 + n);
        assert_true(seen_is(&p, &seen, 3 + n, period, k + 2 + n));
        assert_true(announce_listed(c, seen.token[3 + n]));
    }
    pair_free(&p);
}

/* What was written on both sides of a period's end while there was no room for more
 * tokens: one token is for each box. */
static void
i6_one_token_is_for_each_box_that_had_none(void **state)
{
    (void)state;
    static struct seen seen;
    struct pair p;
    pair_begin(&p, &seen);
    struct client *c = p.c[1];
    struct conversation *v = p.v[1];
    const uint32_t period = period_end(&p), k = announce_used(v, period);
    for (unsigned i = 0; i < ANNOUNCE_AHEAD + 4; i++) {
        if (i == ANNOUNCE_AHEAD + 2)
            time_pass(&p, 6 * S);
        text_send(&p, 1);
    }
    assert_int_equal(client_period(c), period + 1);
    letters_leave(c);
    for (struct out_letter *l = v->letters; l; l = l->next)
        outgoing_answer(c, v, l->at, STORE_FIRST, WIRE_KEPT);
    announce_all(c, &seen);
    for (size_t i = 0; i < seen.n; i++)
        assert_true(announce_listed(c, seen.token[i]));
    for (struct out_letter **at = &v->letters; *at;)
        if ((*at)->announced)
            staging_letter_unlink(c, at);
        else
            at = &(*at)->next;
    for (unsigned i = 0; i < 10; i++) {
        staging_run(c);
        announce_all(c, &seen);
        time_pass(&p, S);
    }
    assert_int_equal(seen.n, ANNOUNCE_AHEAD + 2);
    const bool first = seen_is(&p, &seen, ANNOUNCE_AHEAD, period, k + 8);
    assert_true(seen_is(&p, &seen, ANNOUNCE_AHEAD + first, period + 1, 0));
    assert_true(first || seen_is(&p, &seen, ANNOUNCE_AHEAD + 1, period, k + 8));
    pair_free(&p);
}

/* ---- what letters say ---- */

/* What a letter says of its token agrees with what is sent. */
static void
letters_say_what_is_announced(void **state)
{
    (void)state;
    static struct seen seen;
    struct pair p;
    uint8_t token[WIRE_TOKEN_LEN];
    pair_begin(&p, &seen);
    for (unsigned i = 0; i < 5; i++) {
        text_send(&p, 1);
        letters_leave(p.c[1]);
    }
    announce_all(p.c[1], &seen);
    size_t n = 0;
    for (const struct out_letter *k = p.v[1]->letters; k; k = k->next) {
        const struct letter l = recall_letter(k->bytes);
        const struct day_key key =
            day_key(p.c[1], p.v[1], CHAIN_OUT, k->at.period);
        assert_true(l.announced && l.tokens > 0);
        letter_token(key.key, k->at.period, l.tokens - 1u, token);
        assert_memory_equal(seen.token[n++], token, sizeof token);
    }
    assert_int_equal(n, 5);
    assert_int_equal(seen.n, 5);
    pair_free(&p);
}

/* Starts b anew on what its disk has: groups that were not kept yet are lost. */
static void
crash(struct pair *p)
{
    p->disk[1].full = true;
    disk_release(&p->disk[1]);
    p->disk[1].full = p->disk[1].slow = false;
    pair_restart(p, 1);
}

/* Texts, announcements that are not listed, disks that are slow and crashes, in an
 * order that is drawn: no token is ever sent twice. */
static void
i9_no_token_is_used_twice(void **state)
{
    (void)state;
    static struct seen seen;
    struct rng_seeded rng;
    rng_seeded_init_u64(&rng, test_seed(), "tokens");
    unsigned crashes = 0;
    size_t sent = 0;
    for (unsigned run = 0; run < 8; run++) {
        struct pair p;
        pair_begin(&p, &seen);
        for (unsigned step = 0; step < 300; step++) {
            const uint64_t u = rng_seeded_u64(&rng) % 16;
            p.disk[1].test.mono_us += 1 + check_after_us() * (u % 4) / 3;
            if (u < 4)
                text_send(&p, 1);
            else if (u < 8)
                letters_leave(p.c[1]);
            else if (u < 12)
                announce_all(p.c[1], &seen);
            else if (u == 12)
                letters_drop(&p);
            else if (u == 13 && !p.disk[1].slow)
                p.disk[1].slow = true;
            else if (u == 14) {
                crash(&p);
                crashes++;
            }
            staging_run(p.c[1]);
            if (p.disk[1].slow && p.disk[1].n_held > DISK_HELD_MAX / 2) {
                p.disk[1].slow = false;
                disk_release(&p.disk[1]);
            }
        }
        seen_differ(&seen);
        crash(&p);
        pair_free(&p);
        sent += seen.n;
    }
    printf("  %u crashes, %zu tokens\n", crashes, sent);
    assert_true(crashes > 60 && sent > 150); /* it is a walk */
}

/* Tokens of two periods are counted, whichever comes first, also over a restart; of
 * one before those nobody knows which are left. */
static void
i9_tokens_of_two_periods_are_counted(void **state)
{
    (void)state;
    static struct seen seen;
    struct pair p;
    pair_begin(&p, &seen);
    const uint32_t period = client_period(p.c[1]);
    for (unsigned n = 1; n <= 3; n++) {
        struct conversation *v = p.v[1];
        const uint16_t used = announce_used(v, period);
        assert_true(announce_take(p.c[1], v, period));
        assert_true(announce_take(p.c[1], v, period + 1));
        assert_true(announce_take(p.c[1], v, period + 1));
        assert_int_equal(announce_used(v, period), used + 1);
        assert_int_equal(announce_used(v, period + 1), 2 * n);
        journal_begin(p.c[1]->journal);
        assert_int_equal(conversation_save(p.c[1], v), 0);
        (void)journal_end(p.c[1]->journal);
        disk_release(&p.disk[1]);
        pair_restart(&p, 1);
        assert_int_equal(announce_used(p.v[1], period), used + 1);
        assert_int_equal(announce_used(p.v[1], period + 1), 2 * n);
    }
    struct conversation *v = p.v[1];
    assert_true(announce_take(p.c[1], v, period + 3));
    assert_false(announce_take(p.c[1], v, period));
    assert_true(
        announce_take(p.c[1], v, period + 2)); /* of which none was used */
    assert_false(announce_take(p.c[1], v, period + 1));
    assert_int_equal(announce_used(v, period + 2), 1);
    assert_int_equal(announce_used(v, period + 3), 1);
    pair_free(&p);
}

/* Memory or the disk fail while texts are written and announced: what could not be
 * done is done later, and by tokens that are new. */
static void
announcing_survives_faults(void **state)
{
    (void)state;
    static struct seen seen;
    for (struct heap h = {0}; heap_next(&h);) {
        struct pair p;
        uint64_t order;
        pair_begin(&p, &seen);
        heap_arm(&h);
        int err = client_send(p.c[1], "a", LETTER_TEXT, data, 20, &order);
        heap_disarm(&h);
        if (err)
            text_send(&p, 1);
        for (unsigned i = 0; i < 2; i++) {
            staging_run(p.c[1]);
            letters_leave(p.c[1]);
            announce_all(p.c[1], &seen);
            p.disk[1].test.mono_us += check_after_us();
            heap_arm(&h);
            staging_run(p.c[1]); /* it takes another token */
            heap_disarm(&h);
        }
        staging_run(p.c[1]);
        announce_all(p.c[1], &seen);
        assert_int_equal(seen.n, 3);
        seen_differ(&seen);
        pair_free(&p);
    }
    struct pair p;
    pair_begin(&p, &seen);
    text_send(&p, 1);
    letters_leave(p.c[1]);
    announce_all(p.c[1], &seen);
    p.disk[1].full = true; /* no token without its record */
    p.disk[1].test.mono_us += check_after_us();
    staging_run(p.c[1]);
    announce_all(p.c[1], &seen);
    assert_int_equal(seen.n, 1);
    pair_free(&p);
}

/* Two an hour to oneself, whatever is done; none where there are no boards. */
static void
a_client_announces_to_itself(void **state)
{
    (void)state;
    static struct seen seen;
    enum { HOURS = 300, STEP_S = 300 };
    struct pair p;
    pair_begin(&p, &seen);
    for (unsigned i = 0; i < HOURS * 3600 / STEP_S; i++) {
        p.disk[1].test.mono_us += STEP_S * S;
        staging_run(p.c[1]);
        letters_leave(p.c[1]);
        announce_all(p.c[1], &seen);
    }
    printf("  %zu in %d hours\n", seen.selfs, HOURS);
    assert_true(fabs((double)seen.selfs - 2 * HOURS) < 5 * sqrt(2 * HOURS));
    const size_t before = seen.selfs;
    p.c[1]->boards = 0;
    for (unsigned i = 0; i < 20 * 3600 / STEP_S; i++) {
        p.disk[1].test.mono_us += STEP_S * S;
        staging_run(p.c[1]);
        announce_all(p.c[1], &seen);
    }
    text_send(&p, 1);
    assert_false(p.v[1]->letters->announced);
    assert_true(seen.n == 0 && seen.selfs == before);
    pair_free(&p);
}

/* ---- ticks ---- */

/* The kind of the request that a tick of this kind makes; its board, if any. */
static uint8_t
tick(struct client *c, enum traffic_kind kind, uint16_t *board)
{
    c->settled = true;
    window_reset(&c->window);
    requests_tick(c, kind);
    requests_prepare(c);
    const uint64_t next = c->traffic.request; /* a reserve may have had one */
    const struct asked *a = &c->asked[(next - 1) & (c->asked_len - 1)];
    assert_int_equal(a->number, next);
    *board = a->store;
    return a->kind;
}

/* One loop in eight goes to a board, all boards alike; a poll never does. */
static void
i2_one_loop_in_eight_goes_to_a_board(void **state)
{
    (void)state;
    enum { TICKS = 8000 };
    struct pair p;
    unsigned boards[BOARDS_MAX] = {0}, n = 0;
    uint16_t board;
    pair_make(&p, &pair_net);
    const struct consensus *view = client_consensus(p.c[0]);
    for (unsigned i = 0; i < TICKS; i++) {
        const bool is_send = i % 2;
        if (tick(p.c[0], is_send ? TRAFFIC_SEND : TRAFFIC_LOOP, &board) !=
            WIRE_ANNOUNCE)
            continue;
        const int k = boards_find(view, board);
        assert_true(k >= 0);
        boards[k]++;
        n++;
    }
    const double mean = TICKS / 8.0;
    assert_true(fabs(n - mean) < 5 * sqrt(mean * 7 / 8));
    const double each = mean / view->boards.n;
    for (unsigned k = 0; k < view->boards.n; k++)
        assert_true(fabs(boards[k] - each) < 5 * sqrt(each));
    for (unsigned i = 0; i < 200; i++)
        assert_int_equal(tick(p.c[0], TRAFFIC_POLL, &board), WIRE_GET);
    pair_free(&p);
}

/* A token to a self without a front is acted on once it is listed, like a
 * contact's: the lane asks for it. */
static void
i12_a_token_to_oneself_is_acted_on(void **state)
{
    (void)state;
    static struct seen seen;
    struct pair p;
    struct choice k;
    bool asked = false;
    pair_begin(&p, &seen);
    struct client *c = p.c[1];
    c->settled = true;
    places_pick(c, &k); /* makes it */
    places_took(c, c->conversations);
    const int front =
        fronts_of(c->fronts, env_now_mono_us(c->env), c->conversations->id);
    assert_true(front >= 0);
    const struct conversation *self =
        conversation_by_id(c, SELF_FIRST + (uint32_t)front);
    announce_left(c, announce_self(c, self));
    announce_all(c, &seen);
    for (unsigned i = 0; i < 400; i++) {
        k = (struct choice){0};
        places_pick(c, &k);
        asked |= k.whom.place == FRONTS_LANE && k.conversation == self;
    }
    assert_true(asked);
    pair_free(&p);
}

/* Announcements take ticks of loops; on those of sending letters and they take
 * turns. */
static void
letters_and_announcements_take_turns(void **state)
{
    (void)state;
    static struct seen seen;
    struct pair p;
    struct client_status before, after;
    uint16_t board;
    unsigned letters = 0, tokens = 0, row = 0, most = 0;
    pair_begin(&p, &seen);
    p.c[1]->settled = true;
    for (unsigned i = 0; i < 30; i++)
        announce_left(p.c[1], announce_self(p.c[1], NULL));
    for (unsigned i = 0; i < 400; i++) /* their work */
        requests_prepare(p.c[1]);
    for (unsigned i = 0; i < 30; i++)
        text_send(&p, 1);
    for (unsigned i = 0; i < 400; i++)
        requests_prepare(p.c[1]);
    for (unsigned i = 0; i < 24; i++) {
        client_status(p.c[1], &before);
        const uint8_t kind = tick(p.c[1], TRAFFIC_SEND, &board);
        client_status(p.c[1], &after);
        if (kind == WIRE_PUT)
            letters++;
        if (after.announced > before.announced)
            tokens++;
        row = kind == WIRE_PUT ? row + 1 : 0;
        most = row > most ? row : most;
    }
    printf("  of 24 ticks of sending: %u letters, %u tokens\n", letters,
           tokens);
    /* one tick in eight is for copies to second stores, of which there are none */
    assert_true(letters >= 6 && tokens >= 10 && most <= 1);
    client_status(p.c[1], &before);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(tick(p.c[1], TRAFFIC_LOOP, &board), WIRE_ANNOUNCE);
    client_status(p.c[1], &after);
    assert_int_equal(after.announced - before.announced, 5);
    pair_free(&p);
}

/* Make ticks of this kind until one is used for a letter or an announcement. Returns
 * the kind of what left; of nothing in `most` ticks WIRE_LOOP. */
static uint8_t
next_use(struct client *c, enum traffic_kind kind, unsigned most)
{
    struct client_status before, after;
    uint16_t board;
    while (most-- > 0) {
        client_status(c, &before);
        const uint8_t made = tick(c, kind, &board);
        client_status(c, &after);
        if (made == WIRE_PUT || after.announced > before.announced)
            return made;
    }
    return WIRE_LOOP;
}

/* b's letter of a text, with all the work done that it and its announcement need. */
static struct out_letter *
letter_ready(struct pair *p)
{
    text_send(p, 1);
    for (unsigned k = 0; k < IDLE_STEPS; k++)
        requests_prepare(p->c[1]);
    assert_true(p->v[1]->letters->announced && !p->v[1]->letters->next);
    return p->v[1]->letters;
}

/* A letter's announcement takes the tick before it, of sending or of a loop; while
 * the letter may not leave, as after a gap, neither does. */
static void
i12_a_token_leaves_when_its_letter_could(void **state)
{
    (void)state;
    enum { TICKS = 60 };
    static struct seen seen;
    struct pair p;
    pair_begin(&p, &seen);
    struct client *c = p.c[1];
    c->settled = true;
    for (unsigned i = 0; i < 8; i++) {
        const enum traffic_kind kind = i % 2 ? TRAFFIC_SEND : TRAFFIC_LOOP;
        struct out_letter *l = letter_ready(&p);
        l->due_us = env_now_mono_us(c->env) + S;
        assert_int_equal(next_use(c, kind, TICKS), WIRE_LOOP);
        l->due_us = env_now_mono_us(c->env);
        requests_prepare(c);
        assert_int_equal(next_use(c, kind, TICKS), WIRE_ANNOUNCE);
        assert_false(l->tried);
        assert_int_equal(next_use(c, TRAFFIC_SEND, TICKS), WIRE_PUT);
        assert_true(l->tried);
        assert_int_equal(next_use(c, TRAFFIC_SEND, TICKS), WIRE_LOOP);
        letters_drop(&p);
    }
    pair_free(&p);
}

/* Of a letter that is still here: could its announcement leave? Where to? */
static bool
ahead_of(struct client *c, const struct out_letter *l,
         struct announce_choice *out)
{
    const struct consensus *n = client_consensus(c);
    const int gateway = consensus_find(n, gateways_current(&c->gateways));
    return announce_ahead(c, n, (uint16_t)gateway, l->announcement, out);
}

/* Make a mix of the only way and this relay one family's, or nobody's again. */
static void
way_close(struct client *c, uint16_t relay, uint8_t family)
{
    for (size_t i = 0; i < VIEWS; i++) {
        struct consensus *n = c->view[i];
        size_t mixes;
        if (!n)
            continue;
        const uint16_t *mix = consensus_layer(n, 2, &mixes);
        assert_int_equal(mixes, 1);
        memset(n->relays[mix[0]].family, family, FAMILY_LEN);
        memset(n->relays[relay].family, family, FAMILY_LEN);
    }
}

/* A board that no way leads to holds up neither its letter nor others: another has
 * the announcement. */
static void
i11_a_board_without_a_way_holds_up_no_letter(void **state)
{
    (void)state;
    enum { TICKS = 60, TRIES = 40 };
    static struct seen seen;
    struct pair p;
    unsigned met = 0;
    pair_begin(&p, &seen);
    struct client *c = p.c[1];
    c->settled = true;
    for (unsigned i = 0; i < TRIES && met < 4; i++, letters_drop(&p)) {
        const struct out_letter *l = letter_ready(&p);
        struct announce_choice choice;
        uint8_t box[WIRE_BOX_LEN];
        uint16_t first, second, board;
        assert_true(ahead_of(c, l, &choice));
        conversation_box(c, p.v[1], CHAIN_OUT, l->at, box);
        assert_int_equal(consensus_store_of(client_consensus(c), l->at.period,
                                            box, &first, &second),
                         0);
        if (choice.board == first || choice.board == second)
            continue;
        met++;
        way_close(c, choice.board, 9);
        unsigned ticks = 0;
        while (!l->tried && ticks++ < TICKS)
            (void)tick(c, TRAFFIC_SEND, &board);
        assert_true(l->tried && ticks < 20);
        struct client_status before, after;
        client_status(c, &before);
        for (unsigned k = 0; k < TICKS; k++)
            (void)tick(c, TRAFFIC_SEND, &board);
        client_status(c, &after);
        assert_int_equal(after.announced - before.announced, 1);
        way_close(c, choice.board, 0);
    }
    assert_true(met >= 2);
    pair_free(&p);
}

/* What was announced, and held up for longer than its reader looks, is announced once
 * more when a store has it; and not before it leaves. */
static void
i6_a_letter_held_up_is_announced_again(void **state)
{
    (void)state;
    enum { TICKS = 60 };
    static struct seen seen;
    struct pair p;
    pair_begin(&p, &seen);
    struct client *c = p.c[1];
    struct letter_place at;
    c->settled = true;
    struct out_letter *l = letter_ready(&p);
    assert_int_equal(next_use(c, TRAFFIC_SEND, TICKS), WIRE_ANNOUNCE);
    p.disk[1].test.mono_us += 100 * S;
    l->due_us = env_now_mono_us(c->env) + 50 * S;
    staging_run(c); /* it was in no list, and has another token */
    for (unsigned k = 0; k < IDLE_STEPS; k++)
        requests_prepare(c);
    assert_int_equal(next_use(c, TRAFFIC_LOOP, TICKS), WIRE_LOOP);
    p.disk[1].test.mono_us += 50 * S;
    at = l->at;
    for (unsigned k = 0; k < TICKS && !l->tried; k++)
        (void)next_use(c, TRAFFIC_SEND, 1);
    assert_true(l->tried);
    announce_all(c, &seen);
    const size_t before = seen.n;
    p.disk[1].test.mono_us += S;
    outgoing_answer(c, p.v[1], at, STORE_FIRST, WIRE_KEPT);
    staging_run(c);
    announce_all(c, &seen);
    assert_int_equal(seen.n, before + 1);
    pair_free(&p);
}

/* What answers a contact goes before its announcement, or it would take two ticks of
 * three; an announcement that needs no work has a nonce like others. */
static void
i11_answers_wait_for_no_announcement(void **state)
{
    (void)state;
    static struct seen seen;
    struct pair p;
    struct announce_choice a, b;
    pair_begin(&p, &seen);
    struct client *c = p.c[1];
    c->settled = true;
    struct out_letter *l = letter_ready(&p);
    l->answers = true;
    assert_int_equal(next_use(c, TRAFFIC_SEND, 60), WIRE_PUT);
    letters_drop(&p);
    l = letter_ready(&p);
    for (size_t i = 0; i < VIEWS; i++)
        if (c->view[i])
            c->view[i]->params.announce_bits = 0;
    requests_prepare(c);
    assert_true(ahead_of(c, l, &a) && ahead_of(c, l, &b));
    assert_memory_not_equal(a.nonce, b.nonce, sizeof a.nonce);
    pair_free(&p);
}

#define ANNOUNCING_TEST(f) \
    cmocka_unit_test_setup_teardown(f, net_make, pair_net_free)
const struct CMUnitTest test_announcing[] = {
    ANNOUNCING_TEST(a_token_follows_its_letter_and_is_sent_once),
    ANNOUNCING_TEST(what_is_not_listed_is_announced_elsewhere),
    ANNOUNCING_TEST(i10_a_board_that_nobody_hears_is_told_nothing),
    ANNOUNCING_TEST(no_more_is_announced_than_is_needed),
    ANNOUNCING_TEST(i6_one_token_is_for_all_that_had_none),
    cmocka_unit_test_setup_teardown(
        i6_what_is_of_yesterday_is_announced_as_of_yesterday, net_make_short,
        pair_net_free),
    cmocka_unit_test_setup_teardown(i6_one_token_is_for_each_box_that_had_none,
                                    net_make_short, pair_net_free),
    ANNOUNCING_TEST(letters_say_what_is_announced),
    ANNOUNCING_TEST(i9_no_token_is_used_twice),
    ANNOUNCING_TEST(i9_tokens_of_two_periods_are_counted),
    ANNOUNCING_TEST(announcing_survives_faults),
    ANNOUNCING_TEST(a_client_announces_to_itself),
    ANNOUNCING_TEST(i12_a_token_to_oneself_is_acted_on),
    ANNOUNCING_TEST(i2_one_loop_in_eight_goes_to_a_board),
    ANNOUNCING_TEST(letters_and_announcements_take_turns),
    ANNOUNCING_TEST(i12_a_token_leaves_when_its_letter_could),
    ANNOUNCING_TEST(i11_a_board_without_a_way_holds_up_no_letter),
    ANNOUNCING_TEST(i6_a_letter_held_up_is_announced_again),
    ANNOUNCING_TEST(i11_answers_wait_for_no_announcement),
};
TEST_SUITE(test_announcing);
