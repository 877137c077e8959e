/* tests/unit/test_acks.c - when what a contact wrote is acknowledged, and what an
 * acknowledgement tells: against a model of sets, and the law of its time through a
 * client. */
#include "tests/runner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/announce.h"
#include "client/arrival.h"
#include "client/conversations.h"
#include "client/outgoing.h"
#include "client/pace/acks.h"
#include "client/staging.h"
#include "lib/rng_seeded.h"
#include "client/sealing.h"
#include "tests/recall.h"
#include "tests/heap.h"
#include "tests/pair.h"
#include "tests/stats.h"

#define S 1000000ULL

static const uint8_t data[3000] = {7};

/* ---- against a model ---- */

enum { MODEL = 600 };

/* What is here of numbers 1..MODEL, and what of it is kept back until when. */
struct model {
    bool here[MODEL + 1], waits[MODEL + 1];
    uint64_t shown_us[MODEL + 1], due_us[MODEL + 1];
};

static bool
model_tells(const struct model *m, uint32_t i, uint64_t now_us,
            enum acks_teller teller)
{
    if (!m->here[i])
        return false;
    return !m->waits[i] ||
           (teller == ACKS_OWN ? m->shown_us[i] : m->due_us[i]) <= now_us;
}

/* Does what is told agree with the model, bit for bit? */
static void
told_is_right(const struct acks *a, const struct model *m, uint64_t now_us,
              enum acks_teller teller)
{
    uint32_t ack = 0;
    uint8_t map[ACKS_MAP_LEN] = {0};
    while (ack < MODEL && m->here[ack + 1])
        ack++;
    for (uint32_t i = 0; i < ACKS_WINDOW && ack + 1 + i <= MODEL; i++)
        if (m->here[ack + 1 + i])
            map[i / 8] |= (uint8_t)(1u << i % 8);
    acks_tell(a, now_us, teller, &ack, map);
    for (uint32_t i = 1; i <= MODEL; i++) {
        const bool is_told =
            i <= ack || (i - ack - 1 < ACKS_WINDOW &&
                         (map[(i - ack - 1) / 8] >> (i - ack - 1) % 8 & 1));
        if (i - ack - 1 < ACKS_WINDOW || i <= ack)
            assert_int_equal(is_told, model_tells(m, i, now_us, teller));
    }
}

/* A letter that tells has been sealed: what it told is kept back no more. */
static void
model_told(struct model *m, uint64_t now_us, enum acks_teller teller)
{
    for (uint32_t i = 1; i <= MODEL; i++)
        if (model_tells(m, i, now_us, teller))
            m->waits[i] = false;
}

static void
a_letter_is_told_when_it_is_due_and_no_other(void **state)
{
    (void)state;
    struct rng_seeded rng;
    rng_seeded_init_u64(&rng, test_seed(), "acks");
    for (unsigned run = 0; run < 40; run++) {
        struct model m = {{0}, {0}, {0}, {0}};
        struct acks *a;
        uint64_t now_us = 1000;
        assert_int_equal(acks_new(&a), 0);
        for (uint32_t n = 1; n < 240; n++) {
            /* ahead of what is missing by less than a window */
            const uint32_t i = 1 + (uint32_t)(rng_seeded_u64(&rng) % n);
            const struct acks_times t = {
                .shown_us = now_us + rng_seeded_u64(&rng) % 50,
                .due_us = now_us + 50 + rng_seeded_u64(&rng) % 400};
            if (!m.here[i]) {
                acks_owe(a, i, false, t);
                m.here[i] = m.waits[i] = true;
                m.shown_us[i] = t.shown_us;
                m.due_us[i] = t.due_us;
            }
            now_us += rng_seeded_u64(&rng) % 40;
            told_is_right(a, &m, now_us, ACKS_ALONE);
            told_is_right(a, &m, now_us, ACKS_OWN);
            if (rng_seeded_u64(&rng) % 8 == 0) {
                const enum acks_teller teller =
                    rng_seeded_u64(&rng) % 2 ? ACKS_OWN : ACKS_ALONE;
                acks_told(a, now_us, teller);
                model_told(&m, now_us, teller);
                told_is_right(a, &m, now_us, ACKS_ALONE);
            }
        }
        acks_free(&a);
    }
}

/* More than there is room for, or no memory: all that comes later is told no sooner
 * than the last of it is due, and then it is. */
static void
what_there_is_no_room_for_is_told_late(void **state)
{
    (void)state;
    for (struct heap h = {0}; heap_next(&h);) {
        struct acks *a;
        uint64_t last_us = 0;
        assert_int_equal(acks_new(&a), 0);
        heap_arm(&h);
        for (uint32_t i = 1; i <= ACKS_WINDOW + 40; i++) {
            last_us = 100 * S + i * S;
            acks_owe(a, i, false, (struct acks_times){0, last_us, false});
        }
        heap_disarm(&h);
        for (uint64_t now_us = 0; now_us <= last_us; now_us += S / 2) {
            uint32_t ack = ACKS_WINDOW + 40;
            uint8_t map[ACKS_MAP_LEN] = {0};
            acks_tell(a, now_us, ACKS_ALONE, &ack, map);
            /* nothing sooner than its own time */
            const uint64_t told = now_us < 101 * S ? 0 : (now_us - 100 * S) / S;
            assert_true(ack <= told);
        }
        acks_told(a, last_us, ACKS_ALONE);
        assert_int_equal(acks_count(a), 0);
        acks_free(&a);
    }
}

static void
who_does_not_look_is_told_once_an_hour(void **state)
{
    (void)state;
    const struct acks_times now = {0, 0, false}, part = {0, 0, true};
    struct acks *a;
    assert_int_equal(acks_new(&a), 0);
    assert_false(acks_is_due(a, 10 * S, true));
    acks_owe(a, 1, false, now);
    assert_true(acks_is_due(a, 10 * S, false)); /* the first at once */
    acks_told(a, 10 * S, ACKS_ALONE);
    assert_false(acks_is_due(a, 10 * S, true));
    acks_owe(a, 2, false, now);
    assert_false(acks_is_due(a, 10 * S + ACKS_GAP_US - 1, true));
    assert_true(acks_is_due(a, 10 * S + ACKS_GAP_US, true));
    assert_false(acks_is_due(a, 10 * S + ACKS_UNSEEN_US - 1, false));
    assert_true(acks_is_due(a, 10 * S + ACKS_UNSEEN_US, false));
    acks_clear(a);
    acks_owe(a, 3, false, part);
    assert_false(acks_is_due(a, 10 * S + ACKS_PARTS_US - 1, true));
    assert_true(acks_is_due(a, 10 * S + ACKS_PARTS_US, true));
    acks_clear(a);
    /* the last part of a file is none, when it is due and no sooner */
    acks_owe(a, 4, false, part);
    acks_owe(a, 5, false, (struct acks_times){0, 13 * S, false});
    assert_false(acks_is_due(a, 13 * S - 1, true));
    assert_true(acks_is_due(a, 13 * S, true));
    acks_clear(a);
    /* a letter that comes again owes once, and what is hidden owes nothing */
    acks_owe(a, 4, true, now);
    acks_owe(a, 4, true, now);
    assert_int_equal(acks_count(a), 1);
    acks_clear(a);
    acks_hide(a, 1, 9, now);
    assert_false(acks_is_due(a, 1ULL << 40, true));
    acks_free(&a);
}

static void
pings_wait_and_are_bounded(void **state)
{
    (void)state;
    struct acks *a;
    uint8_t id[ACKS_PING_LEN] = {0}, out[ACKS_PING_LEN];
    assert_int_equal(acks_new(&a), 0);
    for (uint8_t i = 0; i < ACKS_PONGS; i++) {
        id[0] = i;
        assert_int_equal(acks_ping(a, id, (10 + i) * S), 0);
        assert_int_equal(acks_ping(a, id, (10 + i) * S), 0);
    }
    id[0] = ACKS_PONGS;
    assert_int_equal(acks_ping(a, id, S), ERR_FULL);
    assert_false(acks_pong_due(a, 10 * S - 1, out));
    assert_true(acks_pong_due(a, 10 * S, out));
    assert_int_equal(out[0], 0);
    acks_ponged(a, out);
    assert_false(acks_pong_due(a, 11 * S - 1, out));
    assert_int_equal(acks_ping(a, id, S), 0);
    acks_free(&a);
}

/* ---- through a client ---- */

/* b, and a contact of b's who writes what he likes: he has a's keys. */
struct reader {
    struct pair p;
    struct letter_place at;
    uint32_t sequence;
};

static void
reader_make(struct reader *r)
{
    pair_make(&r->p, &pair_net);
    pair_settle(&r->p);
    r->p.v[1]->muted = true; /* nobody empties the inbox */
    r->at = (struct letter_place){client_period(r->p.c[1]), 100};
    r->sequence = 100;
}

/* Brings b a letter like l, committed at commit_us. */
static void
reader_bring(struct reader *r, struct letter l, uint64_t commit_us)
{
    struct client *c = r->p.c[1];
    uint8_t bytes[LETTER_LEN_MAX];
    assert_int_equal(sealing_seal(r->p.c[0], r->p.v[0], &l, r->at, bytes), 0);
    const struct arrival came = {
        .at = r->at,
        .rank = STORE_FIRST,
        .whom = {.place = FRONTS_SWEEP, .contact = r->p.v[1]->id},
        .commit_us = commit_us,
        .sure_us = commit_us};
    (void)arrival_letter(c, r->p.v[1], &came, bytes);
    r->at.n++;
}

static struct letter
text(struct reader *r)
{
    return (struct letter){.sequence = ++r->sequence,
                           .floor = r->sequence,
                           .kind = LETTER_TEXT,
                           .count = 1,
                           .total = 20,
                           .data_len = 20,
                           .data = data};
}

/* After how many seconds will an acknowledgement be due? */
static double
due_s(const struct reader *r)
{
    const uint64_t now_us = env_now_mono_us(r->p.c[1]->env);
    uint64_t low = 0, high = 4000 * S;
    while (high - low > 1) {
        const uint64_t middle = low + (high - low) / 2;
        if (acks_is_due(r->p.v[1]->acks, now_us + middle, true))
            high = middle;
        else
            low = middle;
    }
    return (double)high / 1e6;
}

static double
exponential(struct rng_seeded *rng, double mean)
{
    return -mean * log(((double)(rng_seeded_u64(rng) >> 11) + 1) / 0x1p53);
}

enum { DRAWS = 3000 };

/* How b's answers are timed whose letters were committed age_s before. busy: b has
 * written to another contact, whose letters come as well. */
static void
times_take(double *out, double age_s, bool busy)
{
    struct reader r;
    struct conversation *other = NULL;
    char line[INVITE_TEXT_LEN];
    reader_make(&r);
    struct client *c = r.p.c[1];
    if (busy) {
        uint64_t order;
        assert_int_equal(client_invite(c, "other", line), 0);
        assert_int_equal(client_send(c, "other", LETTER_TEXT, data, 20, &order),
                         0);
        other = conversation_find(c, "other");
        assert_true(fronts_of(c->fronts, env_now_mono_us(c->env), other->id) >=
                    0);
    }
    for (unsigned i = 0; i < DRAWS; i++) {
        r.p.disk[1].test.mono_us += 1000 * S;
        const uint64_t now_us = env_now_mono_us(c->env);
        if (busy) {
            fronts_took(c->fronts, c->env, now_us, other->id);
            acks_owe(other->acks, i + 1, false,
                     (struct acks_times){now_us, now_us, false});
        }
        acks_clear(r.p.v[1]->acks);
        reader_bring(&r, text(&r), now_us - (uint64_t)(age_s * 1e6));
        out[i] = due_s(&r);
    }
    pair_free(&r.p);
}

/* The time of each is that of the design, max(Exp(2), Exp(20) + 20 - age), at three
 * ages, and the same whatever else the reader does (I12). */
static void
i12_an_acknowledgement_tells_how_old_a_letter_was_and_no_more(void **state)
{
    (void)state;
    static double seen[DRAWS], busy[DRAWS], law[DRAWS];
    const double age_s[] = {0.5, 15, 200};
    struct rng_seeded rng;
    rng_seeded_init_u64(&rng, test_seed(), "law");
    for (size_t k = 0; k < sizeof age_s / sizeof age_s[0]; k++) {
        for (unsigned i = 0; i < DRAWS; i++) {
            const double read = exponential(&rng, 2);
            const double commit = 20 - age_s[k] + exponential(&rng, 20);
            law[i] = read > commit ? read : commit;
        }
        times_take(seen, age_s[k], false);
        times_take(busy, age_s[k], true);
        const double a = stats_ks(seen, DRAWS, law, DRAWS);
        const double b = stats_ks(seen, DRAWS, busy, DRAWS);
        printf("  committed %5.1f s before: median %5.2f s; KS against the law "
               "%.2f, of a busy reader %.2f; alarm at %.2f\n",
               age_s[k], seen[DRAWS / 2], a, b, STATS_KS_ALARM);
        assert_true(a < STATS_KS_ALARM && b < STATS_KS_ALARM);
        for (unsigned i = 0; i < DRAWS; i++) /* it can be red: 2 s later */
            busy[i] += 2;
        assert_true(stats_ks(seen, DRAWS, busy, DRAWS) > STATS_KS_ALARM);
    }
}

/* What b's newest letter to a says. */
static struct letter
newest_of(const struct reader *r, bool *is_ack)
{
    const struct out_letter *k = r->p.v[1]->letters;
    assert_non_null(k);
    while (k->next)
        k = k->next;
    const struct letter l = recall_letter(k->bytes);
    *is_ack = l.sequence == 0;
    return l;
}

static bool
tells(const struct letter *l, uint32_t sequence)
{
    const uint32_t i = sequence - l->ack - 1;
    return sequence <= l->ack ||
           (i < LETTER_WINDOW && (l->map[i / 8] >> i % 8 & 1));
}

/* Of two letters the one that is due is acknowledged, and by nothing in that letter
 * can its reader tell that the other was read; what its user writes tells of both. */
static void
i12_an_acknowledgement_tells_of_what_is_due_alone(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 4; way++) {
        struct reader r;
        bool is_ack;
        uint64_t order;
        reader_make(&r);
        struct client *c = r.p.c[1];
        r.p.disk[1].test.mono_us += 4000 * S;
        acks_clear(r.p.v[1]->acks);
        struct letter first = text(&r), second = text(&r);
        const uint32_t before = first.sequence - 1;
        first.floor = second.floor = 0;
        reader_bring(&r, first, 0);
        r.p.disk[1].test.mono_us += 60 * S; /* it is due, e^-30 */
        const uint64_t now_us = env_now_mono_us(c->env);
        switch (way) {
        case 0: /* content that was committed now: 20 s at least */
        case 3:
            reader_bring(&r, second, now_us);
            break;
        case 1: /* a ping of who may not */
            second.kind = LETTER_PING;
            second.total = second.data_len = 0;
            reader_bring(&r, second, now_us);
            break;
        default: /* a floor alone */
            second.kind = LETTER_ACK;
            second.sequence = 0;
            second.total = second.data_len = 0;
            second.floor = first.sequence;
            reader_bring(&r, second, now_us);
            break;
        }
        if (way == 3)
            assert_int_equal(client_send(c, "a", LETTER_TEXT, data, 9, &order),
                             0);
        else
            staging_run(c);
        const struct letter l = newest_of(&r, &is_ack);
        assert_int_equal(is_ack, way != 3);
        assert_false(tells(&l, before)); /* it never came */
        assert_true(tells(&l, first.sequence));
        assert_int_equal(tells(&l, first.sequence + 1), way == 3);
        pair_free(&r.p);
    }
}

/* An acknowledgement that a contact sends is not seen in the floor of what answers
 * him before his own is due. */
static void
i12_a_floor_tells_nothing_of_what_was_read(void **state)
{
    (void)state;
    struct reader r;
    uint32_t floor[2];
    for (unsigned acked = 0; acked < 2; acked++) {
        bool is_ack;
        uint64_t order;
        reader_make(&r);
        struct client *c = r.p.c[1];
        assert_int_equal(client_send(c, "a", LETTER_TEXT, data, 9, &order), 0);
        for (struct out_letter *o = r.p.v[1]->letters; o; o = o->next)
            o->tried = true;
        acks_clear(r.p.v[1]->acks);
        r.p.disk[1].test.mono_us += 4000 * S;
        struct letter l = text(&r);
        reader_bring(&r, l, 0);
        l = text(&r);
        l.ack = acked ? r.p.v[1]->next_sequence - 1 : 0;
        reader_bring(&r, l, env_now_mono_us(c->env));
        assert_int_equal(r.p.v[1]->n_waiting, !acked);
        r.p.disk[1].test.mono_us += 19 * S;
        staging_run(c);
        l = newest_of(&r, &is_ack);
        assert_true(is_ack);
        floor[acked] = l.floor;
        pair_free(&r.p);
    }
    assert_int_equal(floor[0], floor[1]);
}

/* What answers a contact leaves before all that the user writes, however long that
 * has waited. */
static void
i12_answers_go_first(void **state)
{
    (void)state;
    struct reader r;
    bool spare = false;
    uint64_t order;
    struct conversation *of;
    reader_make(&r);
    struct client *c = r.p.c[1];
    c->period = client_period(c);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(
            client_send(c, "a", LETTER_FILE, data, sizeof data, &order), 0);
    acks_clear(r.p.v[1]->acks);
    r.p.v[1]->pings = true;
    struct letter ping = text(&r);
    ping.kind = LETTER_PING;
    ping.total = ping.data_len = 0;
    reader_bring(&r, ping, 0);
    r.p.disk[1].test.mono_us += 4000 * S;
    staging_run(c);
    struct out_letter *l = outgoing_pick(c, true, &spare, &of);
    assert_non_null(l);
    assert_true(outgoing_is_first(l));
    /* the pong, or what was written before it in the conversation */
    for (unsigned i = 0; i < 2 && l && outgoing_is_first(l); i++) {
        outgoing_asked(c, l, UINT64_MAX);
        l = outgoing_pick(c, true, &spare, &of);
    }
    assert_true(l && !outgoing_is_first(l));
    pair_free(&r.p);
}

/* Parts are acknowledged together, each 5 s; the one that made its message whole like a
 * text. */
static void
a_whole_file_is_acknowledged_soon(void **state)
{
    (void)state;
    enum { TRIES = 8 };
    static const uint8_t bytes[LETTER_LEN_MAX];
    unsigned soon[2] = {0};
    for (unsigned try = 0; try < 2 * TRIES; try++) {
        const bool whole = try % 2;
        struct reader r;
        uint64_t order;
        reader_make(&r);
        struct client *c = r.p.c[1];
        struct acks *acks = r.p.v[1]->acks;
        const size_t room = letter_data_max(c->letter_len);
        /* a lease: parts are acknowledged at once, but for the draw */
        assert_int_equal(client_send(c, "a", LETTER_TEXT, data, 9, &order), 0);
        acks_clear(acks);
        acks_told(acks, env_now_mono_us(c->env), ACKS_ALONE);
        for (unsigned i = 0; i < 3u + whole; i++) {
            struct letter part = text(&r);
            memset(part.message, 7, sizeof part.message);
            part.kind = LETTER_FILE;
            part.count = 4;
            part.index = i;
            part.total = (uint32_t)(3 * room + 1);
            part.data = bytes;
            part.data_len = (uint16_t)(i < 3 ? room : 1);
            reader_bring(&r, part, 0);
        }
        assert_int_equal(r.p.v[1]->incoming == NULL, whole);
        soon[whole] += acks_is_due(acks, env_now_mono_us(c->env) + 4 * S, true);
        pair_free(&r.p);
    }
    assert_int_equal(soon[0], 0);
    assert_true(soon[1] > TRIES / 2);
}

#define ACKS_TEST(f) \
    cmocka_unit_test_setup_teardown(f, pair_net_make, pair_net_free)
const struct CMUnitTest test_acks[] = {
    cmocka_unit_test(a_letter_is_told_when_it_is_due_and_no_other),
    cmocka_unit_test(what_there_is_no_room_for_is_told_late),
    cmocka_unit_test(who_does_not_look_is_told_once_an_hour),
    cmocka_unit_test(pings_wait_and_are_bounded),
    ACKS_TEST(i12_an_acknowledgement_tells_how_old_a_letter_was_and_no_more),
    ACKS_TEST(i12_an_acknowledgement_tells_of_what_is_due_alone),
    ACKS_TEST(i12_a_floor_tells_nothing_of_what_was_read),
    ACKS_TEST(i12_answers_go_first),
    ACKS_TEST(a_whole_file_is_acknowledged_soon),
};
TEST_SUITE(test_acks);
