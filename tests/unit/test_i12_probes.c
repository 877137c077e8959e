/* tests/unit/test_i12_probes.c - what a contact may learn by what he writes, announces
 * and leaves: nothing of what the user looks at.
 *
 * Two clients from the same seeds have the same contacts, a and x. The user of one
 * opens the conversation with a, that of the other with x: both hold a front, and draw
 * alike. Then a does the same to both, whatever he can think of, as long as lanes and
 * sweeps take to find it. All that they write to him has to be the same, to the
 * microsecond. Of the user's own letters a lease tells; that is stated (PROTOCOL 7.2).
 *
 * Defences: places_may_show(); polled_of() and letters_held() in client/polls.c;
 * fronts_lease_us() of answers. */
#include "tests/runner.h"

#include <stdio.h>
#include <string.h>

#include "client/arrival.h"
#include "client/conversations.h"
#include "client/places.h"
#include "client/polls.h"
#include "client/staging.h"
#include "lib/rng.h"
#include "client/sealing.h"
#include "tests/recall.h"
#include "tests/pair.h"

enum { BOARDS = 4, LETTERS_MAX = 64, RUN_S = 5400, WAY_S = 900 };
#define S 1000000ULL

static const uint8_t data[64] = {9};

static int
net_make(void **state)
{
    (void)state;
    test_network_month(&pair_net);
    return 0;
}

/* ---- a box's store ---- */

/* A letter of a's in b's boxes, at their first stores. */
struct put {
    struct letter_place at;
    uint64_t commit_us;
    uint8_t bytes[LETTER_LEN_MAX];
};

/* Gets under way, answered in the order in which they are asked. */
enum { UNDER_WAY = 64 };
#define ROUND_US (4 * S) /* about as by a network (doc/PARAMETERS.md) */

/* One of the two: b, with what a has put. */
struct twin {
    struct pair p;
    struct client *c;
    struct conversation *v; /* b's of a */
    size_t n;
    struct put put[LETTERS_MAX];
    uint32_t place, sequence;
    uint64_t round_us; /* a get is answered after */
    struct {
        uint64_t us;
        struct choice k;
    } way[UNDER_WAY];
    size_t asked, answered;
};

static void
twin_make(struct twin *t, const char *opened)
{
    char line[INVITE_TEXT_LEN];
    memset(t, 0, sizeof *t);
    pair_make(&t->p, &pair_net);
    pair_settle(&t->p);
    t->c = t->p.c[1];
    t->v = t->p.v[1];
    t->v->muted = true; /* nobody empties the inbox */
    assert_int_equal(client_invite(t->c, "x", line), 0);
    t->c->boards = BOARDS;
    t->c->settled = true;
    t->p.disk[1].test.mono_us += 7200 * S; /* fronts and leases are over */
    t->p.disk[1].test.wall_s += 7200;
    for (unsigned i = 0; i < 400; i++) { /* and looks */
        struct choice k = {.spare = false};
        t->p.disk[1].test.mono_us += S / 2;
        places_pick(t->c, &k);
        if (k.conversation)
            polls_unasked(k.conversation, k.at, k.request.slot, k.spare,
                          k.whom.place == FRONTS_FRONT);
    }
    assert_int_equal(
        fronts_of(t->c->fronts, env_now_mono_us(t->c->env), t->v->id), -1);
    t->place = 48; /* a box that nothing lies in */
    while (t->v->cursor[0].base < t->place / LETTER_SLOTS) {
        t->v->cursor[0].held[0] = UINT16_MAX;
        polls_hold(t->v,
                   (struct letter_place){client_period(t->c),
                                         t->v->cursor[0].base * LETTER_SLOTS});
    }
    t->sequence = t->v->ack;
    if (opened)
        assert_int_equal(client_open(t->c, opened), 0);
}

/* a puts a letter for its next place. */
static void
twin_put(struct twin *t, struct letter l)
{
    assert_true(t->n < LETTERS_MAX);
    struct put *p = &t->put[t->n++];
    p->at = (struct letter_place){client_period(t->c), t->place++};
    p->commit_us = env_now_mono_us(t->c->env);
    if (l.kind != LETTER_ACK)
        l.sequence = ++t->sequence;
    l.count = 1;
    l.total = l.data_len;
    l.data = data;
    assert_int_equal(sealing_seal(t->p.c[0], t->p.v[0], &l, p->at, p->bytes),
                     0);
}

/* What the store of k's box says. */
static struct wire_answer
store_answer(const struct twin *t, const struct choice *k, const uint8_t **out)
{
    struct wire_answer a = {.status = WIRE_EMPTY};
    unsigned best = LETTER_SLOTS;
    for (size_t i = 0; i < t->n && !k->spare; i++) {
        const struct put *p = &t->put[i];
        const unsigned slot = p->at.n % LETTER_SLOTS;
        const unsigned from =
            (slot + LETTER_SLOTS - k->request.slot) % LETTER_SLOTS;
        if (p->at.period != k->at.period ||
            p->at.n / LETTER_SLOTS != k->at.n / LETTER_SLOTS)
            continue;
        a.full |= (uint16_t)(1u << slot);
        if ((k->request.held >> slot & 1) || from >= best)
            continue;
        best = from;
        a.status = WIRE_LETTER;
        a.slot = (uint8_t)slot;
        *out = p->bytes;
    }
    return a;
}

static uint64_t
commit_of(const struct twin *t, struct letter_place at)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->put[i].at.period == at.period && t->put[i].at.n == at.n)
            return t->put[i].commit_us;
    fail();
    return 0;
}

/* What is done with the answer to a poll is what client/requests.c does. */
static void
twin_answer(struct twin *t, const struct choice *k)
{
    uint8_t bytes[LETTER_LEN_MAX];
    const uint8_t *letter = NULL;
    bool announced = false, more = false;
    const bool front = k->whom.place == FRONTS_FRONT;
    polls_unasked(k->conversation, k->at, k->request.slot, k->spare, front);
    if (k->conversation != t->v)
        return;
    const struct wire_answer a = store_answer(t, k, &letter);
    uint16_t others = (uint16_t)(a.full & ~k->request.held);
    struct fronts_choice whom = k->whom;
    const enum store_rank rank = k->spare ? STORE_SECOND : STORE_FIRST;
    if (polls_answer(t->v, k->at, k->request.held, rank, front, &a))
        return;
    if (a.status == WIRE_LETTER) {
        struct arrival came = {.at = k->at, .rank = rank, .whom = k->whom};
        came.at.n += a.slot;
        came.commit_us = came.sure_us = commit_of(t, came.at);
        others &= (uint16_t) ~(1u << a.slot);
        memcpy(bytes, letter, t->c->letter_len);
        announced = arrival_letter(t->c, t->v, &came, bytes);
    } else if (places_may_show(t->c, t->v, &k->whom,
                               env_now_mono_us(t->c->env))) {
        polls_missed(t->c, t->v, k->at, front);
    }
    more = others == 0 && polls_know_more(t->c, t->v, &whom.older);
    whom.spare = whom.spare && !more;
    places_answered(t->c, &whom, announced, more || others != 0);
}

/* A poll; and the answers to those that were asked a round trip ago. */
static void
twin_poll(struct twin *t)
{
    const uint64_t now_us = env_now_mono_us(t->c->env);
    struct choice k = {.at = {.period = client_period(t->c)}};
    while (t->answered < t->asked &&
           t->way[t->answered % UNDER_WAY].us <= now_us)
        twin_answer(t, &t->way[t->answered++ % UNDER_WAY].k);
    places_pick(t->c, &k);
    if (!k.conversation)
        return;
    if (t->round_us == 0) {
        twin_answer(t, &k);
        return;
    }
    assert_true(t->asked - t->answered < UNDER_WAY);
    t->way[t->asked % UNDER_WAY].us = now_us + t->round_us;
    t->way[t->asked++ % UNDER_WAY].k = k;
}

/* ---- what a sees ---- */

enum { SEEN_MAX = 64 };
struct seen {
    size_t n;
    struct {
        uint64_t us;
        struct letter l;
    } of[SEEN_MAX];
};

/* All that b has written to a is taken out, as soon as it is there. */
static void
twin_see(struct twin *t, struct seen *s)
{
    staging_run(t->c);
    while (t->v->letters) {
        const struct out_letter *l = t->v->letters;
        assert_true(s->n < SEEN_MAX);
        s->of[s->n].l = recall_letter(l->bytes);
        s->of[s->n++].us = env_now_mono_us(t->c->env);
        staging_letter_unlink(t->c, &t->v->letters);
    }
}

/* What a does in a second. */
typedef void act_fn(struct twin *t, unsigned second);

static void
twin_run(struct twin *t, act_fn *act, unsigned seconds, struct seen *s)
{
    memset(s, 0, sizeof *s);
    for (unsigned i = 0; i < seconds; i++) {
        act(t, i);
        for (unsigned k = 0; k < 3; k++) {
            t->p.disk[1].test.mono_us += S / 3;
            twin_poll(t);
        }
        t->p.disk[1].test.wall_s++;
        twin_see(t, s);
    }
}

static bool
seen_differ(const struct seen *one, const struct seen *other)
{
    if (one->n != other->n)
        return true;
    for (size_t i = 0; i < one->n; i++)
        if (one->of[i].us != other->of[i].us ||
            memcmp(&one->of[i].l, &other->of[i].l, sizeof one->of[i].l) != 0)
            return true;
    return false;
}

/* ---- what a does ---- */

static struct letter
text(bool announced)
{
    return (struct letter){.kind = LETTER_TEXT,
                           .announced = announced,
                           .tokens = announced,
                           .data_len = 20};
}

static void
announce(const struct twin *t, bool older)
{
    places_announced(t->c, t->v->id, client_period(t->c) - older);
}

/* He writes as he should, once a quarter of an hour, with a lease or without. */
static void
writes(struct twin *t, unsigned second)
{
    struct letter l = text(true);
    if (second % 900 == 5) {
        if (second > 2000)
            l.lease_s = (uint32_t)client_time_s(t->c) + 600;
        twin_put(t, l);
    } else if (second % 900 == 10) {
        announce(t, false);
    }
}

/* He announces nothing. */
static void
is_silent(struct twin *t, unsigned second)
{
    if (second % 1000 == 5)
        twin_put(t, text(false));
}

/* As much at once as a box has. */
static void
bursts(struct twin *t, unsigned second)
{
    for (unsigned i = 0; i < 10 && second == 5; i++)
        twin_put(t, text(false));
}

/* He announces by tokens of the day before what lies in a box of today. */
static void
dates_wrong(struct twin *t, unsigned second)
{
    if (second % 500 == 5)
        twin_put(t, text(true));
    else if (second % 500 == 10)
        announce(t, true);
}

/* He has used up what he may announce when he writes. */
static void
spends_his_ration(struct twin *t, unsigned second)
{
    if (second < 1200 && second % 3 == 0)
        announce(t, false);
    if (second == 1000 || second == 1130)
        twin_put(t, text(true));
}

/* A letter of no content promises a front: when that was read a second text is
 * acknowledged within seconds, else in an hour. */
static void
promises_silently(struct twin *t, unsigned second)
{
    struct letter l = {.kind = LETTER_ACK};
    if (second == 100 || second == 400)
        twin_put(t, text(true));
    if (second == 105 || second == 405)
        announce(t, false);
    if (second == 300) {
        l.lease_s = (uint32_t)client_time_s(t->c) + 3000;
        t->place += 4;
        twin_put(t, l);
        t->place -= 5;
    }
}

/* What he writes does not open, and stands before what does. */
static void
writes_rubbish(struct twin *t, unsigned second)
{
    if (second == 5) {
        for (unsigned i = 0; i < 6; i++) {
            twin_put(t, text(false));
            t->put[t->n - 1].bytes[200] ^= 1;
        }
        t->sequence -= 6;
    }
    if (second == 600)
        twin_put(t, text(true));
    if (second == 605)
        announce(t, false);
}

static void
pings(struct twin *t, unsigned second)
{
    struct letter l = text(second % 2);
    t->v->pings = true;
    l.kind = LETTER_PING;
    l.data_len = 0;
    if (second % 701 == 5)
        twin_put(t, l);
    else if (second % 701 == 10)
        announce(t, false);
}

/* He promises to look, so that he is answered within seconds. */
static struct letter
text_leased(const struct twin *t, bool announced)
{
    struct letter l = text(announced);
    l.lease_s = (uint32_t)client_time_s(t->c) + 3000;
    return l;
}

/* So many letters at once, announced once. */
static void
fills(struct twin *t, unsigned second, unsigned letters)
{
    for (unsigned i = 0; i < letters && second == 5; i++)
        twin_put(t, text_leased(t, i == 0));
    if (second == 6)
        announce(t, false);
}

static void
fills_a_box(struct twin *t, unsigned second)
{
    fills(t, second, LETTER_SLOTS);
}

static void
fills_two_boxes(struct twin *t, unsigned second)
{
    fills(t, second, 2 * LETTER_SLOTS);
}

/* Three, each announced. */
static void
writes_thrice(struct twin *t, unsigned second)
{
    for (unsigned i = 0; i < 3 && second == 5; i++)
        twin_put(t, text_leased(t, true));
    for (unsigned i = 0; i < 3 && second == 6; i++)
        announce(t, false);
}

/* He announces, and puts while the reader looks. */
static void
writes_while_looked_for(struct twin *t, unsigned second)
{
    if (second == 5)
        announce(t, false);
    if (second >= 6 && second < 22)
        twin_put(t, text_leased(t, second == 6));
}

/* Nothing lies in a box until it was asked for often; then what does not open lies
 * there, and then more. */
static void
writes_rubbish_late(struct twin *t, unsigned second)
{
    if (second == 300)
        for (unsigned i = 0; i < 3; i++) {
            twin_put(t, text(false));
            t->put[t->n - 1].bytes[200] ^= 1;
        }
    if (second == 301)
        t->sequence -= 3;
    if (second == 301 || second == 500)
        twin_put(t, text_leased(t, true));
    if (second == 302 || second == 501)
        announce(t, false);
}

struct probe {
    const char *what;
    act_fn *act;
};

static const struct probe probe[] = {
    {"writes and promises", writes},
    {"announces nothing", is_silent},
    {"ten letters at once", bursts},
    {"tokens of the day before", dates_wrong},
    {"spends his ration", spends_his_ration},
    {"promises by what has no content", promises_silently},
    {"rubbish", writes_rubbish},
    {"pings", pings},
};

static const struct probe probe_way[] = {
    {"three texts, announced", writes_thrice},
    {"a full box, announced", fills_a_box},
    {"two boxes, announced", fills_two_boxes},
    {"writes while he is looked for", writes_while_looked_for},
    {"rubbish, late", writes_rubbish_late},
};

/* By how many of these probes does a tell the two, when a get takes so long? */
static unsigned
probes_tell(const struct probe *p, size_t n, unsigned seconds,
            uint64_t round_us, size_t *answers)
{
    static struct twin t[2];
    static struct seen s[2];
    const char *opened[2] = {"x", "a"};
    unsigned differ = 0;
    for (size_t k = 0; k < n; k++) {
        for (unsigned i = 0; i < 2; i++) {
            twin_make(&t[i], opened[i]);
            t[i].round_us = round_us;
            twin_run(&t[i], p[k].act, seconds, &s[i]);
            pair_free(&t[i].p);
        }
        const bool d = seen_differ(&s[0], &s[1]);
        printf("  %-32s %zu answers, %zu when it is open%s\n", p[k].what,
               s[0].n, s[1].n, d ? ": they differ" : "");
        differ += d;
        *answers += s[0].n;
    }
    return differ;
}

static void
i12_a_contact_does_not_see_what_is_opened(void **state)
{
    (void)state;
    size_t answers = 0;
    assert_int_equal(
        probes_tell(probe, sizeof probe / sizeof probe[0], RUN_S, 0, &answers),
        0);
    assert_true(answers >= 10);
}

/* The same while gets are under way: which those of a front are, and what they have
 * heard, steers none of the others. */
static void
i12_a_contact_does_not_see_what_is_opened_by_gets_under_way(void **state)
{
    (void)state;
    size_t answers = 0;
    assert_int_equal(probes_tell(probe_way,
                                 sizeof probe_way / sizeof probe_way[0], WAY_S,
                                 ROUND_US, &answers),
                     0);
    assert_true(answers >= 10);
}

#define PROBES_TEST(f) \
    cmocka_unit_test_setup_teardown(f, net_make, pair_net_free)
const struct CMUnitTest test_i12_probes[] = {
    PROBES_TEST(i12_a_contact_does_not_see_what_is_opened),
    PROBES_TEST(i12_a_contact_does_not_see_what_is_opened_by_gets_under_way),
};
TEST_SUITE(test_i12_probes);
