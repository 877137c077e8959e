/* tests/unit/test_offers.c - ratchets that are offered anew: by who comes back from any
 * time, whatever waits, and by a contact who means no good (doc/PROTOCOL.md 8.10). */
#include "tests/runner.h"

#include <sodium.h>
#include <string.h>

#include "client/arrival.h"
#include "client/conversations.h"
#include "client/sealing.h"
#include "tests/day_key.h"
#include "tests/invitee.h"
#include "tests/pair.h"
#include "tests/sides.h"
#include "tests/toy_kem.h"

enum { DAY_S = 86400 };

enum { BOXED = 64 };
struct course {
    struct side s[2];
    struct posted box[2][BOXED]; /* to whom */
    unsigned n[2];
    uint32_t told[2], now;
    bool due[2];
    unsigned read[2];
    uint64_t offers;
};

static void
w_put(struct course *w, unsigned to, struct posted p)
{
    if (w->n[to] == BOXED) {
        memmove(&w->box[to][0], &w->box[to][1],
                sizeof w->box[to][0] * (BOXED - 1));
        w->n[to]--;
    }
    w->box[to][w->n[to]++] = p;
}

static void
w_write(struct course *w, unsigned from)
{
    struct side *s = &w->s[from];
    struct session *x = &s->session;
    w->now++;
    if (w->due[from] ||
        (x->state == SESSION_OFFERED && w->told[from] >= x->generation)) {
        if (!x->answered) {
            w->due[from] = false;
        } else {
            uint32_t g = w->now;
            if (g <= x->generation)
                g = x->generation + 1;
            if (g <= w->told[from])
                g = w->told[from] + 1;
            w->due[from] = false;
            w->offers++;
            w_put(w, !from, side_offer(s, g));
            return;
        }
    }
    if (!session_may_write(x))
        return;
    if (session_is_open(x))
        w_put(w, !from, side_write(s, "text"));
    else
        w_put(w, !from, side_hello(s));
}

static void
w_read(struct course *w, unsigned to, unsigned i, bool keep)
{
    struct session_step step;
    const struct posted p = w->box[to][i];
    if (!keep) {
        memmove(&w->box[to][i], &w->box[to][i + 1],
                sizeof p * (w->n[to] - i - 1));
        w->n[to]--;
    }
    if (w->s[to].n_kept > 900)
        w->s[to].n_kept = 0;
    if (side_open(&w->s[to], &p, &step))
        return;
    if (step.told > w->told[to])
        w->told[to] = step.told;
    if (step.verdict == SESSION_BROKEN || step.unmet)
        w->due[to] = true;
    if (step.verdict == SESSION_READ && step.letter.kind == LETTER_TEXT)
        w->read[to]++;
}

static uint32_t
dice(struct rng_seeded *r, uint32_t of)
{
    return (uint32_t)(rng_seeded_u64(r) % of);
}

/* Whatever happens, the two come together again. */
static void
i9_whatever_happens_the_two_come_together(void **state)
{
    (void)state;
    static struct course w;
    static struct side old[2][4];
    const unsigned runs = test_proof() ? 3000 : 300;
    for (unsigned run = 0; run < runs; run++) {
        struct rng_seeded r;
        char name[32];
        snprintf(name, sizeof name, "run %u", run);
        rng_seeded_init_u64(&r, test_seed() + run, name);
        memset(&w, 0, sizeof w);
        w.now = 100;
        sides_make(w.s);
        for (unsigned k = 0; k < 2; k++)
            w.s[k].session.mlkem = dice(&r, 8) ? &toy_kem : NULL;
        sides_meet(w.s);
        for (unsigned k = 0; k < 2; k++)
            for (unsigned i = 0; i < 4; i++)
                old[k][i] = w.s[k];
        const unsigned bad = 1 + dice(&r, 8);
        for (unsigned i = 0; i < 400; i++) {
            const unsigned k = dice(&r, 2), what = dice(&r, 100);
            if (what < 40) {
                w_write(&w, k);
            } else if (what < 80) {
                if (w.n[k])
                    w_read(&w, k, dice(&r, 4) ? 0 : dice(&r, w.n[k]), false);
            } else if (what < 80 + bad) {
                if (w.n[k]) { /* lost */
                    memmove(&w.box[k][0], &w.box[k][1],
                            sizeof w.box[0][0] * (w.n[k] - 1));
                    w.n[k]--;
                }
            } else if (what < 94) {
                if (dice(&r, 3) == 0)
                    old[k][dice(&r, 4)] = w.s[k];
            } else if (what < 96) {
                if (dice(&r, 4) == 0) {
                    const struct rng_seeded g = w.s[k].rng;
                    const uint32_t at = w.s[k].at.n;
                    w.s[k] = old[k][dice(&r, 4)];
                    w.s[k].at.n = at;
                    if (dice(&r, 2))
                        w.s[k].rng = g;
                    w.told[k] = 0;
                    w.due[k] = false;
                }
            } else if (what < 97) {
                w.s[k].session.mlkem = w.s[k].session.mlkem ? NULL : &toy_kem;
            }
        }
        for (unsigned k = 0; k < 2; k++)
            w.s[k].session.mlkem = &toy_kem;
        unsigned settled = 0;
        for (unsigned i = 0; i < 60; i++) {
            w.read[0] = w.read[1] = 0;
            w_write(&w, 0);
            w_write(&w, 1);
            for (unsigned k = 0; k < 2; k++)
                while (w.n[k])
                    w_read(&w, k, 0, false);
            settled = w.read[0] && w.read[1] ? settled + 1 : 0;
        }
        const struct session *a = &w.s[0].session, *b = &w.s[1].session;
        if (settled < 40 || session_quantum(a) || session_quantum(b) ||
            a->generation != b->generation)
            assert_true(settled >= 40);
        assert_int_equal(session_quantum(a) + session_quantum(b), 0);
        assert_int_equal(a->generation, b->generation);
    }
}

/* b comes back with a copy of before a ratchet was renewed, and writes; a has nothing to
 * say, and what he wrote is not there any more (stores let go of what was read, or
 * letter_days are over). b's text comes all the same. */
static void
i9_who_comes_back_from_before_a_renewal_is_read(void **state)
{
    (void)state;
    for (unsigned back = 0; back < 2; back++) {
        static const uint8_t secret[RATCHET_KEY_LEN] = {7};
        struct pair p;
        struct client_disk old;
        pair_make(&p, &pair_net);
        pair_settle(&p);
        (void)pair_text(&p, 0);
        (void)pair_text(&p, 1);
        pair_settle(&p);
        disk_init(&old, test_seed());
        disk_copy(&old, &p.disk[back]);
        /* a renewal, for whatever reason */
        for (unsigned i = 0; i < 2; i++) {
            session_offer(p.v[!back]->session,
                          (uint32_t)p.disk[0].test.wall_s + i,
                          (uint32_t)(p.disk[0].test.wall_s / DAY_S), secret);
            (void)pair_text(&p, 0);
            (void)pair_text(&p, 1);
            pair_settle(&p);
            pair_settle(&p);
            assert_int_equal(p.v[0]->session->generation,
                             p.v[1]->session->generation);
            assert_true(p.v[0]->session->generation > 0);
        }
        const unsigned had = p.v[!back]->n_received;
        disk_copy(&p.disk[back], &old);
        pair_restart(&p, back);
        (void)pair_text(&p, back);
        for (unsigned round = 0; round < 60; round++) {
            pair_wait(&p);
            for (unsigned i = 0; i < 2; i++)
                pair_bring_all(&p, i);
            for (unsigned i = 0; i < 2; i++)
                pair_acks_keep(&p, i);
        }
        assert_int_equal(p.v[!back]->n_received, had + 1);
        pair_free(&p);
        disk_free(&old);
    }
}

/* Two have 4,096 messages for each other, and one comes back with an older copy: an offer
 * finds room, else neither reads the other until all of that is given up. */
static void
i9_a_full_queue_keeps_no_ratchet_from_being_renewed(void **state)
{
    (void)state;
    struct pair p;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    struct conversation *v = p.v[1];
    while (v->n_waiting < CLIENT_MESSAGES_MAX)
        (void)pair_text(&p, 1);
    v->renew_us = 1; /* what came did not open, a while ago */
    disk_client_run(&p.disk[1], p.c[1], 10);
    assert_int_equal(v->session->state, SESSION_OFFERED);
    pair_free(&p);
}

/* 256 texts are on their way to one who is away; then what comes of him does not open: the
 * offer leaves all the same. */
static void
i9_a_full_window_keeps_no_offer_back(void **state)
{
    (void)state;
    struct pair p;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    struct conversation *v = p.v[1];
    for (unsigned i = 0; i < 300; i++)
        (void)pair_text(&p, 1);
    for (unsigned i = 0; i < 400; i++) {
        disk_client_run(&p.disk[1], p.c[1], 1);
        for (struct out_letter *o = v->letters; o; o = o->next)
            o->tried = o->kept = true; /* stores have them */
    }
    v->renew_us = 1; /* what came did not open, a while ago */
    for (unsigned i = 0; i < 20; i++)
        pair_wait(&p);
    unsigned offers = 0, all = 0;
    for (struct out_letter *o = v->letters; o; o = o->next) {
        all++;
        offers += o->generation > 0 && o->generation == v->session->generation;
    }
    assert_int_equal(v->session->state, SESSION_OFFERED);
    assert_true(offers > 0);
    pair_free(&p);
}

/* a comes back with a copy of a time when 256 texts of his were open, as a nightly backup
 * may be; all have been read since. The two read each other again. */
static void
i9_who_comes_back_with_a_full_window_is_read(void **state)
{
    (void)state;
    for (unsigned texts = 40; texts <= 300; texts += 260) {
        struct pair p;
        struct client_disk old;
        pair_make(&p, &pair_net);
        pair_settle(&p);
        for (unsigned i = 0; i < texts; i++)
            (void)pair_text(&p, 0);
        for (unsigned i = 0; i < 400; i++) {
            disk_client_run(&p.disk[0], p.c[0], 1);
            for (struct out_letter *o = p.v[0]->letters; o; o = o->next)
                o->tried = true;
        }
        disk_init(&old, test_seed());
        disk_copy(&old, &p.disk[0]);
        for (unsigned i = 0; i < 4; i++) {
            pair_settle(&p);
            (void)pair_text(&p, 0);
            (void)pair_text(&p, 1);
        }
        pair_settle(&p);
        disk_copy(&p.disk[0], &old);
        pair_restart(&p, 0);
        const unsigned had = p.v[0]->n_received;
        (void)pair_text(&p, 1);
        for (unsigned round = 0; round < 120; round++) { /* an hour */
            pair_wait(&p);
            for (unsigned i = 0; i < 2; i++)
                pair_bring_all(&p, i);
            for (unsigned i = 0; i < 2; i++)
                pair_acks_keep(&p, i);
        }
        assert_true(p.v[0]->n_received > had);
        pair_free(&p);
        disk_free(&old);
    }
}

/* See that a text to "e", another contact of b's, gets its letter within minutes. */
static void
e_is_written_to(struct pair *p)
{
    struct client *c = p->c[1];
    uint64_t order;
    assert_int_equal(
        client_send(c, "e", LETTER_TEXT, (const uint8_t *)"x", 1, &order), 0);
    for (unsigned i = 0; i < 20; i++) {
        p->disk[1].test.mono_us += PAIR_WAIT_US;
        disk_client_run(&p->disk[1], c, 3);
    }
    const struct out_letter *l = conversation_find(c, "e")->letters;
    while (l && l->kind != LETTER_TEXT)
        l = l->next;
    assert_non_null(l);
}

/* A contact who never answers by a key of his own lets the chain that he is acknowledged
 * with run out of numbers (2^24: half a year of one a second). Others are written to. */
static void
i11_a_chain_that_is_over_stops_no_other_contact(void **state)
{
    (void)state;
    struct pair p;
    char line[INVITE_TEXT_LEN];
    pair_make(&p, &pair_net);
    pair_settle(&p);
    struct client *c = p.c[1];
    assert_int_equal(client_invite(c, "e", line), 0);
    invitee_take_up(c, "e", line);
    (void)pair_text(&p, 0);
    disk_client_run(&p.disk[0], p.c[0], 5);
    for (const struct out_letter *l = p.v[0]->letters; l; l = l->next)
        pair_bring(&p, 1, l);
    p.v[1]->session->now.n_out = RATCHET_NUMBER_MAX + 1;
    p.disk[1].test.mono_us += PAIR_WAIT_US;
    disk_client_run(&p.disk[1], c, 3);
    e_is_written_to(&p);
    pair_free(&p);
}

/* A contact has b offer a ratchet, acknowledges the hello, and never takes the offer; what
 * b's bot answers him waits, until no more can. Others are written to. */
static void
i11_who_never_takes_an_offer_stops_no_other_contact(void **state)
{
    (void)state;
    struct pair p;
    char line[INVITE_TEXT_LEN];
    pair_make(&p, &pair_net);
    pair_settle(&p);
    struct client *c = p.c[1];
    struct conversation *v = p.v[1];
    assert_int_equal(client_invite(c, "e", line), 0);
    invitee_take_up(c, "e", line);
    v->renew_us = 1; /* the contact wrote what does not open, a while ago */
    disk_client_run(&p.disk[1], c, 5);
    assert_int_equal(v->session->state, SESSION_OFFERED);
    while (v->n_waiting < CLIENT_MESSAGES_MAX)
        (void)pair_text(&p, 1);
    for (struct out_letter *o = v->letters; o; o = o->next)
        o->tried = true; /* a store has it */
    const struct letter l = {.count = 1, .ack = v->next_sequence - 1};
    pair_forge(&p, 1, 100, &l);
    /* one more answer fits for the hello that is gone */
    (void)pair_text(&p, 1);
    assert_int_equal(v->n_waiting, CLIENT_MESSAGES_MAX);
    v->n_waiting += 1000; /* so that even what nobody asked for has no room */
    for (unsigned i = 0; i < 10; i++) { /* until another hello is due */
        p.disk[1].test.mono_us += PAIR_WAIT_US;
        disk_client_run(&p.disk[1], c, 3);
    }
    e_is_written_to(&p);
    pair_free(&p);
}

#define ATTACK(f) \
    cmocka_unit_test_setup_teardown(f, pair_net_long_make, pair_net_free)
const struct CMUnitTest test_offers[] = {
    ATTACK(i9_who_comes_back_from_before_a_renewal_is_read),
    ATTACK(i9_a_full_queue_keeps_no_ratchet_from_being_renewed),
    ATTACK(i9_a_full_window_keeps_no_offer_back),
    ATTACK(i9_who_comes_back_with_a_full_window_is_read),
    ATTACK(i11_a_chain_that_is_over_stops_no_other_contact),
    ATTACK(i11_who_never_takes_an_offer_stops_no_other_contact),
    cmocka_unit_test(i9_whatever_happens_the_two_come_together),
};
TEST_SUITE(test_offers);
