/* tests/unit/test_sealing.c - what a client keeps so that letters open: keys of those
 * that are late, on disk and over restarts, and no longer than they are of use. */
#include "tests/runner.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/arrival.h"
#include "client/conversations.h"
#include "client/inbox.h"
#include "client/sealing.h"
#include "tests/day_key.h"
#include "tests/heap.h"
#include "tests/invitee.h"
#include "tests/pair.h"

enum { DAY_S = 86400, LATE = 4, KEPT_MAX = 2048 };

static int
net_make(void **state)
{
    (void)pair_net_make(state);
    pair_net.consensus->params.epoch_len_s = 30 * DAY_S;
    pair_net.consensus->params.letter_days = 2;
    test_network_sign(&pair_net);
    return 0;
}

/* A pair, and letters that a has written, as stores have them. */
struct written {
    struct pair pair;
    struct out_letter *letter[LATE];
};

static void
written_make(struct written *w)
{
    uint64_t order;
    struct pair *p = &w->pair;
    pair_make(p, &pair_net);
    pair_settle(p);
    p->c[0]->settled = p->c[1]->settled = true;
    for (unsigned i = 0; i < LATE; i++)
        assert_int_equal(client_send(p->c[0], "b", LETTER_TEXT,
                                     (const uint8_t *)"text", 4, &order),
                         0);
    disk_client_run(&p->disk[0], p->c[0], 5);
    const struct out_letter *l = p->v[0]->letters;
    while (l && l->sequence == 0)
        l = l->next;
    for (unsigned i = 0; i < LATE; i++, l = l->next) {
        const size_t len = sizeof *l + p->c[0]->letter_len;
        assert_true(l && l->sequence > 0);
        w->letter[i] = malloc(len);
        assert_non_null(w->letter[i]);
        memcpy(w->letter[i], l, len);
    }
}

static void
written_free(struct written *w)
{
    for (unsigned i = 0; i < LATE; i++)
        free(w->letter[i]);
    pair_free(&w->pair);
}

static void
written_bring(struct written *w, unsigned i)
{
    pair_bring(&w->pair, 1, w->letter[i]);
}

/* Count what has come, shown or not. */
static unsigned
inbox(const struct written *w)
{
    return w->pair.v[1]->n_received;
}

/* So many keys are kept, in memory and on the disk. */
static void
kept_is(const struct written *w, size_t n)
{
    const struct conversation *v = w->pair.v[1];
    assert_int_equal(v->n_kept, n);
    assert_int_equal(disk_count(&w->pair.disk[1], 'K', NULL), n);
    for (size_t i = 0; i < n; i++)
        assert_true(disk_has(&w->pair.disk[1], v->kept[i].key, LETTER_KEY_LEN));
}

/* ---- how long keys are kept ---- */

/* The keys of letters that are late are on the disk, each until its letter comes, also
 * in other lives. */
static void
i9_a_letter_that_is_late_opens_after_a_restart(void **state)
{
    (void)state;
    struct written w;
    struct kept_key keys[LATE - 1];
    written_make(&w);
    written_bring(&w, LATE - 1);
    kept_is(&w, LATE - 1);
    memcpy(keys, w.pair.v[1]->kept, sizeof keys);
    for (unsigned i = 0; i < LATE - 1; i++) {
        const unsigned which = (i + 1) % (LATE - 1); /* not the oldest first */
        pair_restart(&w.pair, 1);
        kept_is(&w, LATE - 1 - i);
        written_bring(&w, which);
        assert_int_equal(inbox(&w), i + 2);
        kept_is(&w, LATE - 2 - i);
        assert_false(
            disk_has(&w.pair.disk[1], keys[which].key, sizeof keys[which].key));
        for (size_t k = 0; k < w.pair.v[1]->n_kept; k++)
            assert_memory_not_equal(w.pair.v[1]->kept[k].key, keys[which].key,
                                    LETTER_KEY_LEN);
    }
    written_free(&w);
}

/* They go with the day on which their letters are not looked for any more. */
static void
i8_keys_of_late_letters_go_with_their_days(void **state)
{
    (void)state;
    struct written w;
    written_make(&w);
    written_bring(&w, LATE - 1);
    struct client_disk *d = &w.pair.disk[1];
    const uint32_t kept_on = (uint32_t)(d->test.wall_s / DAY_S);
    kept_is(&w, LATE - 1);
    for (unsigned day = 0; day < 8; day++) {
        disk_days_pass(d, 1);
        disk_client_run(d, w.pair.c[1], 10);
        const bool over = w.pair.v[1]->chains[CHAIN_IN].day > kept_on;
        kept_is(&w, over ? 0 : LATE - 1);
        assert_int_equal(over, day >= 4);
    }
    written_bring(&w, 0);
    assert_int_equal(inbox(&w), 1);
    written_free(&w);
}

static void
i8_keys_of_late_letters_go_with_their_contact(void **state)
{
    (void)state;
    struct written w;
    struct kept_key key;
    written_make(&w);
    written_bring(&w, LATE - 1);
    key = w.pair.v[1]->kept[0];
    assert_int_equal(client_remove(w.pair.c[1], "a"), 0);
    for (unsigned life = 0; life < 2; life++) {
        kept_is(&w, 0);
        assert_false(disk_has(&w.pair.disk[1], key.key, sizeof key.key));
        written_bring(&w, 0); /* what is late is passed over */
        kept_is(&w, 0);
        pair_restart(&w.pair, 1);
    }
    written_free(&w);
}

/* Of a contact that skips letters on purpose so many keys are kept and no more; of those
 * the newest. */
static void
i11_of_a_contact_so_many_keys_are_kept(void **state)
{
    (void)state;
    enum { GAP = 900, GAPS = 4 };
    static uint8_t bytes[LETTER_LEN_MAX];
    struct written w;
    struct invitee i;
    char line[INVITE_TEXT_LEN];
    const struct letter ack = {.count = 1};
    written_make(&w);
    struct client *c = w.pair.c[1];
    assert_int_equal(client_invite(c, "e", line), 0);
    invitee_make(&i, line);
    w.pair.v[1] = conversation_find(c, "e");
    for (uint32_t n = 0; n < GAPS; n++) {
        for (unsigned k = 0; k < GAP; k++)
            assert_int_equal(session_seal(&i.session, &ack, i.chain.key,
                                          (struct letter_place){1, k}, bytes,
                                          c->letter_len),
                             0);
        invitee_write(&i, c, w.pair.v[1], &ack,
                      (struct letter_place){client_period(c), n});
        const size_t all = (size_t)(n + 1) * GAP;
        assert_in_range(w.pair.v[1]->n_kept,
                        all < KEPT_MAX ? all : KEPT_MAX - 1,
                        all < KEPT_MAX ? all : KEPT_MAX);
        kept_is(&w, w.pair.v[1]->n_kept);
    }
    const struct conversation *v = w.pair.v[1];
    assert_int_equal(v->kept[v->n_kept - 1].n, GAPS * (GAP + 1) - 2);
    assert_in_range(v->kept[0].n, GAPS * (GAP + 1) - KEPT_MAX - GAPS,
                    GAPS * (GAP + 1) - KEPT_MAX + 2);
    const uint32_t oldest = v->kept[0].n;
    const size_t n_kept = v->n_kept;
    pair_restart(&w.pair, 1);
    kept_is(&w, n_kept);
    assert_int_equal(w.pair.v[1]->kept[0].n, oldest);
    written_free(&w);
}

/* What opening letter i tells, of which nothing is taken. */
static enum session_verdict
verdict_of(struct written *w, unsigned i)
{
    static uint8_t bytes[LETTER_LEN_MAX];
    struct session_step step;
    struct client *c = w->pair.c[1];
    memcpy(bytes, w->letter[i]->bytes, c->letter_len);
    assert_int_equal(
        sealing_open(c, w->pair.v[1], w->letter[i]->at, bytes, &step), 0);
    return step.verdict;
}

/* Two gets may bring one letter: the second time it is one that has come, not one that
 * cannot be opened, for a while. Then its key is nowhere. */
static void
i8_a_key_that_was_used_is_wiped_a_while_later(void **state)
{
    (void)state;
    static const struct kept_key none[RECENT_KEYS];
    struct written w;
    uint8_t key[LETTER_KEY_LEN];
    written_make(&w);
    struct pair *p = &w.pair;
    pair_wait(p); /* nothing is known to be used of before */
    disk_days_pass(&p->disk[1], 0.01);
    disk_client_run(&p->disk[1], p->c[1], 5);
    assert_int_equal(p->v[1]->n_recent, 0);
    for (unsigned times = 0; times < 3; times++)
        for (unsigned i = 0; i < 2; i++) {
            written_bring(&w, i);
            assert_int_equal(p->v[1]->n_recent, times ? 2 : i + 1);
            assert_int_equal(p->v[1]->renew_us, 0);
        }
    assert_int_equal(inbox(&w), 2);
    memcpy(key, p->v[1]->secrets->recent[0].key, sizeof key);
    assert_false(disk_has(&p->disk[1], key, sizeof key));
    p->disk[1].test.mono_us += 119000000;
    client_tick(p->c[1]);
    assert_memory_equal(p->v[1]->secrets->recent[0].key, key, sizeof key);
    assert_int_equal(verdict_of(&w, 0), SESSION_READ);
    p->disk[1].test.mono_us += 2000000;
    disk_client_run(&p->disk[1], p->c[1], 2);
    assert_memory_equal(p->v[1]->secrets->recent, none, sizeof none);
    assert_int_equal(p->v[1]->n_recent, 0);
    assert_int_equal(verdict_of(&w, 0), SESSION_BROKEN);
    written_free(&w);
}

/* ---- what is not taken ---- */

/* A letter that there is no room for stays in its box, and its key with it. */
static void
i6_a_letter_that_found_no_room_opens_again(void **state)
{
    (void)state;
    for (unsigned restart = 0; restart < 2; restart++) {
        struct written w;
        written_make(&w);
        const uint32_t used = w.pair.v[1]->n_received;
        for (unsigned times = 0; times < 3; times++) {
            w.pair.v[1]->n_received = INBOX_CONTACT_MAX;
            written_bring(&w, 2); /* those before it are late, too */
            w.pair.v[1]->n_received = used;
            kept_is(&w, 3);
            assert_int_equal(inbox(&w), 0);
            if (restart)
                pair_restart(&w.pair, 1);
        }
        for (unsigned i = 0; i < LATE; i++)
            written_bring(&w, i);
        kept_is(&w, 0);
        assert_int_equal(inbox(&w), LATE);
        written_free(&w);
    }
}

/* All that a letter changes of what opens letters. */
struct view {
    struct conversation v;
    struct session session;
    struct kept_key recent[RECENT_KEYS];
    uint8_t disk[DISK_DIGEST_LEN], kept[DISK_DIGEST_LEN];
};

static void
view_take(const struct written *w, struct view *out)
{
    const struct conversation *v = w->pair.v[1];
    memset(out, 0, sizeof *out);
    memcpy(&out->v, v, sizeof *v);
    out->v.kept = NULL; /* room may have been made */
    out->v.kept_room = 0;
    out->session = *v->session;
    memcpy(out->recent, v->secrets->recent, sizeof out->recent);
    crypto_generichash(out->kept, sizeof out->kept, (const uint8_t *)v->kept,
                       v->n_kept * sizeof v->kept[0], NULL, 0);
    disk_digest(&w->pair.disk[1], out->disk);
}

/* A letter with a gap, and one that is late, come while memory fails: each is taken or
 * all is as before, and it opens when it comes again. */
static void
i6_a_gap_is_kept_whole_or_not_at_all(void **state)
{
    (void)state;
    static const unsigned order[] = {3, 1, 0, 2};
    for (struct heap h = {.most = 200}; heap_next(&h);) {
        struct written w;
        struct view before, after;
        written_make(&w);
        for (unsigned i = 0; i < LATE; i++) {
            const unsigned had = inbox(&w);
            view_take(&w, &before);
            heap_arm(&h);
            written_bring(&w, order[i]);
            heap_disarm(&h);
            if (inbox(&w) == had) {
                assert_true(h.failed);
                view_take(&w, &after);
                assert_memory_equal(&after, &before, sizeof after);
                written_bring(&w, order[i]);
            }
            assert_int_equal(inbox(&w), had + 1);
            kept_is(&w, LATE - 1 - i);
        }
        written_free(&w);
    }
}

/* A text of an invitee's that so many others should have come before. */
static void
far_text(struct written *w, struct letter_place at, unsigned gap,
         uint8_t *bytes)
{
    struct invitee i;
    char line[INVITE_TEXT_LEN];
    struct client *c = w->pair.c[1];
    const struct letter l = {.kind = LETTER_TEXT,
                             .sequence = 1,
                             .floor = 1,
                             .count = 1,
                             .total = 4,
                             .data_len = 4,
                             .data = (const uint8_t *)"text"};
    assert_int_equal(client_invite(c, "e", line), 0);
    invitee_make(&i, line);
    w->pair.v[1] = conversation_find(c, "e");
    const struct day_key key =
        day_key_of(&i.chain, &c->current->params, at.period);
    for (unsigned k = 0; k <= gap; k++)
        assert_int_equal(
            session_seal(&i.session, &l, key.key, at, bytes, c->letter_len), 0);
}

/* The same of a gap that is longer than what the journal has room for at once. */
static void
i6_a_gap_of_many_is_kept_whole_or_not_at_all(void **state)
{
    (void)state;
    enum { GAP = 600 };
    static uint8_t sealed[LETTER_LEN_MAX], bytes[LETTER_LEN_MAX];
    for (struct heap h = {.most = 200}; heap_next(&h);) {
        struct written w;
        struct view before, after;
        pair_make(&w.pair, &pair_net);
        const struct letter_place at = {client_period(w.pair.c[1]), 0};
        far_text(&w, at, GAP, sealed);
        const struct arrival came = {
            .at = at,
            .rank = STORE_FIRST,
            .whom = {.place = FRONTS_SWEEP, .contact = w.pair.v[1]->id}};
        for (unsigned times = 0; inbox(&w) == 0; times++) {
            assert_true(times < 2);
            memcpy(bytes, sealed, sizeof bytes);
            view_take(&w, &before);
            if (times == 0)
                heap_arm(&h);
            (void)arrival_letter(w.pair.c[1], w.pair.v[1], &came, bytes);
            heap_disarm(&h);
            view_take(&w, &after);
            if (inbox(&w) == 0)
                assert_memory_equal(&after, &before, sizeof after);
        }
        kept_is(&w, GAP);
        pair_free(&w.pair);
    }
}

/* Bring a text that so many others should have come before. */
static void
far_text_comes(struct written *w, unsigned gap)
{
    static uint8_t bytes[LETTER_LEN_MAX];
    struct client *c = w->pair.c[1];
    const struct letter_place at = {client_period(c), 0};
    far_text(w, at, gap, bytes);
    const struct arrival came = {
        .at = at,
        .rank = STORE_FIRST,
        .whom = {.place = FRONTS_SWEEP, .contact = w->pair.v[1]->id}};
    (void)arrival_letter(c, w->pair.v[1], &came, bytes);
    kept_is(w, gap);
}

/* When keys are over while memory fails, what is in memory is what is on the disk; and all
 * are gone before long. So many that the journal grows here or there. */
static void
i8_keys_go_from_memory_and_disk_together(void **state)
{
    (void)state;
    const unsigned most = test_proof() ? 360 : 120;
    for (unsigned gap = 30; gap <= most; gap += 30)
        for (struct heap h = {.most = 200}; heap_next(&h);) {
            struct written w;
            pair_make(&w.pair, &pair_net);
            far_text_comes(&w, gap);
            struct client_disk *d = &w.pair.disk[1];
            w.pair.c[1]->settled = true;
            disk_days_pass(d, 6);
            heap_arm(&h);
            disk_client_run(d, w.pair.c[1], 4);
            heap_disarm(&h);
            kept_is(&w, w.pair.v[1]->n_kept);
            disk_days_pass(d, 0.1); /* until it is tried again */
            disk_client_run(d, w.pair.c[1], 10);
            kept_is(&w, 0);
            pair_free(&w.pair);
        }
}

/* A disk that keeps nothing of a letter has the keys that open it and those before it
 * when it comes to another life. */
static void
i6_a_letter_that_the_disk_did_not_keep_opens_again(void **state)
{
    (void)state;
    static const unsigned order[] = {3, 1, 0, 2};
    struct written w;
    written_make(&w);
    for (unsigned i = 0; i < LATE; i++) {
        uint8_t before[DISK_DIGEST_LEN], after[DISK_DIGEST_LEN];
        disk_digest(&w.pair.disk[1], before);
        w.pair.disk[1].full = true;
        written_bring(&w, order[i]);
        disk_release(&w.pair.disk[1]);
        w.pair.disk[1].full = false;
        disk_digest(&w.pair.disk[1], after);
        assert_memory_equal(after, before, sizeof after);
        pair_restart(&w.pair, 1);
        kept_is(&w, i == 0 ? 0 : LATE - i);
        assert_int_equal(inbox(&w), i);
        written_bring(&w, order[i]);
        assert_int_equal(inbox(&w), i + 1);
        kept_is(&w, LATE - 1 - i);
    }
    written_free(&w);
}

/* ---- older copies ---- */

/* A client that comes back with the disk of an earlier day offers a ratchet, or the other
 * does; then both read each other again. */
static void
i9_a_client_that_was_set_back_is_read_again(void **state)
{
    (void)state;
    for (unsigned back = 0; back < 2; back++) {
        struct pair p;
        struct client_disk old;
        uint64_t order;
        pair_make(&p, &pair_net);
        pair_settle(&p);
        disk_init(&old, test_seed());
        disk_copy(&old, &p.disk[back]);
        for (unsigned i = 0; i < 6; i++) {
            assert_int_equal(client_send(p.c[i % 2], i % 2 ? "a" : "b",
                                         LETTER_TEXT, (const uint8_t *)"x", 1,
                                         &order),
                             0);
            pair_settle(&p);
        }
        disk_copy(&p.disk[back], &old);
        pair_restart(&p, back);
        for (unsigned i = 0; i < 2; i++)
            assert_int_equal(client_send(p.c[i], i ? "a" : "b", LETTER_TEXT,
                                         (const uint8_t *)"y", 1, &order),
                             0);
        for (unsigned i = 0; i < 2; i++)
            disk_client_run(&p.disk[i], p.c[i], 5);
        pair_settle(&p);
        pair_settle(&p);
        assert_true(p.v[0]->session->generation > 0);
        assert_int_equal(p.v[0]->session->generation,
                         p.v[1]->session->generation);
        pair_free(&p);
        disk_free(&old);
    }
}

/* Seal something for the place of l, a letter of a's, by a chain that b does not have. */
static void
other_key_seals(struct pair *p, struct out_letter *l)
{
    const struct letter ack = {.count = 1};
    struct session other = *p->v[0]->session;
    other.now.out[0] ^= 1;
    assert_int_equal(
        session_seal(&other, &ack,
                     day_key(p->c[0], p->v[0], CHAIN_OUT, l->at.period).key,
                     l->at, l->bytes, p->c[0]->letter_len),
        0);
}

/* A letter that a store has damaged anywhere is none of the pair's. One of the pair's that
 * does not open, since another key was used, is passed over, and
 * answered by an offer when it would have been acknowledged; then it is read anew, and
 * what else is under way, too. */
static void
i9_a_letter_that_does_not_open_is_answered_by_an_offer(void **state)
{
    (void)state;
    struct written w;
    written_make(&w);
    struct pair *p = &w.pair;
    const struct session was = *p->v[1]->session;
    w.letter[0]->bytes[p->c[0]->letter_len - 1] ^= 1;
    written_bring(&w, 0);
    assert_int_equal(p->v[1]->renew_us, 0);
    other_key_seals(p, w.letter[0]);
    written_bring(&w, 0);
    assert_memory_equal(p->v[1]->session, &was, sizeof was);
    assert_true(p->v[1]->renew_us > p->disk[1].test.mono_us);
    p->v[1]->renew_us = p->disk[1].test.mono_us + PAIR_WAIT_US / 2;
    disk_client_run(&p->disk[1], p->c[1], 3);
    assert_true(p->disk[1].test.mono_us < p->v[1]->renew_us);
    assert_int_equal(p->v[1]->session->generation, 0); /* no sooner */
    pair_wait(p);
    const uint32_t generation = p->v[1]->session->generation;
    assert_in_range(generation, 1, p->disk[1].test.wall_s + 1);
    assert_int_equal(p->v[1]->session->state, SESSION_OFFERED);
    pair_settle(p);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(p->v[i]->session->generation, generation);
    assert_int_equal(inbox(&w), LATE);
    written_free(&w);
}

/* The ratchet of the two may be of a generation that the clock of one who comes back has
 * not reached: his offer is of a higher one all the same; and one that he has made, and
 * which is too low, is made anew. */
static void
i9_an_offer_is_above_what_the_other_has(void **state)
{
    (void)state;
    static const uint8_t secret[RATCHET_KEY_LEN] = {7};
    for (unsigned way = 0; way < 4; way++) {
        struct pair p;
        struct client_disk old;
        uint64_t order;
        const unsigned back = way % 2;
        pair_make(&p, &pair_net);
        pair_settle(&p);
        disk_init(&old, test_seed());
        disk_copy(&old, &p.disk[back]);
        const uint32_t ahead = (uint32_t)p.disk[0].test.wall_s + DAY_S / 2;
        p.v[!back]->session->generation = ahead;
        disk_copy(&p.disk[back], &old);
        pair_restart(&p, back);
        if (way >= 2)
            session_offer(p.v[back]->session, 5, 1, secret);
        for (unsigned i = 0; i < 2; i++)
            assert_int_equal(client_send(p.c[i], i ? "a" : "b", LETTER_TEXT,
                                         (const uint8_t *)"y", 1, &order),
                             0);
        for (unsigned i = 0; i < 2; i++)
            disk_client_run(&p.disk[i], p.c[i], 5);
        pair_settle(&p);
        assert_true(p.v[0]->session->generation > ahead);
        assert_int_equal(p.v[0]->session->generation,
                         p.v[1]->session->generation);
        pair_free(&p);
        disk_free(&old);
    }
}

#define SEALING_TEST(f) \
    cmocka_unit_test_setup_teardown(f, net_make, pair_net_free)
const struct CMUnitTest test_sealing[] = {
    SEALING_TEST(i9_a_letter_that_is_late_opens_after_a_restart),
    SEALING_TEST(i8_keys_of_late_letters_go_with_their_days),
    SEALING_TEST(i8_keys_of_late_letters_go_with_their_contact),
    SEALING_TEST(i11_of_a_contact_so_many_keys_are_kept),
    SEALING_TEST(i8_a_key_that_was_used_is_wiped_a_while_later),
    SEALING_TEST(i8_keys_go_from_memory_and_disk_together),
    SEALING_TEST(i6_a_letter_that_found_no_room_opens_again),
    SEALING_TEST(i6_a_gap_is_kept_whole_or_not_at_all),
    SEALING_TEST(i6_a_gap_of_many_is_kept_whole_or_not_at_all),
    SEALING_TEST(i6_a_letter_that_the_disk_did_not_keep_opens_again),
    SEALING_TEST(i9_a_letter_that_does_not_open_is_answered_by_an_offer),
    SEALING_TEST(i9_an_offer_is_above_what_the_other_has),
    SEALING_TEST(i9_a_client_that_was_set_back_is_read_again),
};
TEST_SUITE(test_sealing);
