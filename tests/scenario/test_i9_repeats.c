/* tests/scenario/test_i9_repeats.c - I9, I12: a restart shows at no store.
 *
 * Letters that a store has kept and nobody has acknowledged are put again after
 * a minute, two, four, .. A client that began this anew with each start would
 * put all of them at once, into all of its boxes: stores would see which are
 * one client's, and whoever sees connections, whose. So no letter is put again
 * earlier than it would have been, however often the client starts; and after a
 * long time off, when all are due, each conversation waits a random time of its
 * own; so it does when it was the line that was off.
 *
 * All stores write down when they get which letter of a client whose contacts
 * are away. Times at stores are those of the client and a way of some seconds.
 *
 * Defences: due times are journalled (letter_kept()), letters_loaded() and
 * outgoing_resume() draw for each conversation, in client/outgoing.c. */
#include "tests/runner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/rogue_relay.h"

enum {
    STORES = 3,
    PEOPLE = 8,
    PUTS_MAX = 4096,
    STOPS_MAX = 64,
    FIRST_S = 120, /* the first repeat; then doubled */
    LAST_S = 3600,
    WAY_S = 15, /* between client and store, by far */
    BURST_S = 15
};

/* A letter that came. */
struct put {
    double s;
    uint8_t box[32], slot;
};

struct stage {
    struct world *w;
    struct world_client *a, *other[PEOPLE];
    struct rogue *spy[STORES];
    struct put put[PUTS_MAX];
    size_t n;
    double stop_s[STOPS_MAX]; /* a's ends */
    unsigned n_stops;
};

static void
put_see(void *ctx, const struct rogue_sight *seen)
{
    struct stage *s = ctx;
    if (!seen->request || seen->request->kind != WIRE_PUT)
        return;
    assert_true(s->n < PUTS_MAX);
    struct put *p = &s->put[s->n++];
    p->s = (double)seen->now_us / 1e6;
    p->slot = seen->request->slot;
    memcpy(p->box, seen->request->box, sizeof p->box);
}

/* Hours are cheap. */
static void
params_quiet(struct params *p)
{
    p->relay_loop_mhz = 10;
    p->list_interval_ms = 60000; /* for courses of days */
}

/* A text to each of PEOPLE, who are away, is kept by stores. */
static void
stage_set(struct stage *s, uint64_t seed)
{
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = 2,
                                        .layers = 3,
                                        .mixes = 1,
                                        .stores = STORES,
                                        .params = params_quiet,
                                        .seed = test_seed() + seed};
    char name[16];
    memset(s, 0, sizeof *s);
    s->w = world_new(&config);
    s->a = world_client_add(s->w, "default", 0);
    for (unsigned i = 0; i < PEOPLE; i++)
        s->other[i] = world_client_add(s->w, "default", 1);
    world_run_s(s->w, 5);
    for (unsigned i = 0; i < PEOPLE; i++) {
        snprintf(name, sizeof name, "other%u", i);
        world_pair(s->w, s->a, name, s->other[i], "a");
    }
    world_run_s(s->w, 120);
    for (unsigned i = 0; i < PEOPLE; i++)
        world_client_stop(s->other[i]);
    world_run_s(s->w, 30);
    for (unsigned i = 0; i < STORES; i++) {
        s->spy[i] = rogue_new(s->w, world_first(s->w, 4) + i);
        s->spy[i]->spy = put_see;
        s->spy[i]->spy_ctx = s;
    }
    for (unsigned i = 0; i < PEOPLE; i++) {
        snprintf(name, sizeof name, "other%u", i);
        (void)world_say(s->a, name, "are you there?");
    }
    world_run_s(s->w, 30);
}

static void
stage_clear(struct stage *s)
{
    for (unsigned i = 0; i < STORES; i++)
        rogue_free(&s->spy[i]);
    world_free(&s->w);
}

static bool
is_same(const struct put *p, const struct put *q)
{
    return p->slot == q->slot && memcmp(p->box, q->box, sizeof p->box) == 0;
}

/* May this put's answer have come to a client that was no more? */
static bool
is_unheard(const struct stage *s, const struct put *p)
{
    for (unsigned i = 0; i < s->n_stops; i++)
        if (fabs(p->s - s->stop_s[i]) < WAY_S)
            return true;
    return false;
}

/* How many seconds too early the letter p came again, at worst. One whose
 * answer was not heard is put again as if it had not been. */
static double
early_s(const struct stage *s, size_t first, unsigned *repeats)
{
    const struct put *last = &s->put[first];
    double wait_s = FIRST_S, worst_s = 0;
    *repeats = 0;
    for (size_t i = first + 1; i < s->n; i++) {
        if (!is_same(&s->put[i], last))
            continue;
        if (!is_unheard(s, last)) {
            const double early = last->s + wait_s - WAY_S - s->put[i].s;
            worst_s = early > worst_s ? early : worst_s;
            wait_s = wait_s * 2 < LAST_S ? wait_s * 2 : LAST_S;
        }
        last = &s->put[i];
        ++*repeats;
    }
    return worst_s;
}

static bool
is_first(const struct stage *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is_same(&s->put[i], &s->put[n]))
            return false;
    return true;
}

static void
i9_a_restart_puts_nothing_early(void **state)
{
    (void)state;
    static struct stage s;
    const unsigned starts = test_proof() ? 60 : 12;
    unsigned letters = 0, early = 0, all = 0, repeats;
    double worst_s = 0;
    stage_set(&s, 1);
    for (unsigned i = 0; i < starts; i++) {
        world_client_stop(s.a);
        s.stop_s[s.n_stops++] = (double)engine_now_us(s.w->engine) / 1e6;
        world_run_s(s.w, 1 + i % 3);
        world_client_start(s.a);
        world_run_s(s.w, 70 + 7 * (i % 11));
    }
    for (size_t i = 0; i < s.n; i++) {
        if (!is_first(&s, i))
            continue;
        const double e = early_s(&s, i, &repeats);
        worst_s = e > worst_s ? e : worst_s;
        early += e > 0;
        all += repeats;
        letters++;
    }
    printf("  %u letters put again %u times within %u starts: %u too early, by "
           "%.0f s at most\n",
           letters, all, starts, early, worst_s);
    /* and what acknowledges theirs, and goes to itself */
    assert_in_range(letters, PEOPLE, 3 * PEOPLE);
    assert_true(all >= 2 * PEOPLE);
    assert_int_equal(early, 0);
    stage_clear(&s);
}

static void
i12_conversations_wait_each_for_itself(void **state)
{
    (void)state;
    static struct stage s;
    const unsigned starts = test_proof() ? 40 : 6;
    unsigned at_once = 0, came = 0;
    stage_set(&s, 2);
    for (unsigned i = 0; i < starts; i++) {
        world_client_stop(s.a);
        world_epoch(s.w);
        world_run_s(s.w, LAST_S);
        world_epoch(s.w);
        world_run_s(s.w, LAST_S - 300); /* all are due */
        s.n = 0;
        const double start_s = (double)engine_now_us(s.w->engine) / 1e6;
        world_client_start(s.a);
        world_run_s(s.w, 300);
        for (size_t k = 0; k < s.n; k++) {
            if (!is_first(&s, k))
                continue;
            came++;
            at_once += s.put[k].s < start_s + BURST_S;
        }
    }
    printf("  of %u letters that were due at a start %u came, %u within %u s\n",
           PEOPLE * starts, came, at_once, (unsigned)BURST_S);
    assert_true(came > PEOPLE * starts * 9 / 10);
    /* 90 s give 17 %; this is six deviations more */
    assert_true(at_once < PEOPLE * starts / 2);
    stage_clear(&s);
}

/* Nothing passes between the client and its gateways. */
struct cut {
    uint32_t node;
    bool is_cut;
};

static bool
cut_pass(void *ctx, uint64_t now_us, uint32_t from, uint32_t to)
{
    const struct cut *x = ctx;
    (void)now_us;
    return !x->is_cut || (from != x->node && to != x->node);
}

static void
watched_run(struct stage *s, unsigned seconds)
{
    for (unsigned t = 0; t < seconds; t += 5) {
        world_client_watch(s->a);
        world_run_s(s->w, 5);
    }
}

/* Letters that came due while the line was cut, each counted once: how many
 * came within the fullest BURST_S after its return, and how many at all? */
static void
cut_run(struct stage *s, struct cut *x, unsigned *came, unsigned *at_once)
{
    x->is_cut = true;
    watched_run(s, 2 * LAST_S - 300); /* all are due */
    s->n = 0;
    x->is_cut = false;
    watched_run(s, 300);
    unsigned most = 0;
    for (size_t i = 0; i < s->n; i++) {
        unsigned within = 0;
        *came += is_first(s, i);
        for (size_t k = i; k < s->n; k++)
            within += is_first(s, k) && s->put[k].s < s->put[i].s + BURST_S;
        most = within > most ? within : most;
    }
    *at_once += most;
}

static void
i12_what_a_cut_line_held_up_does_not_come_at_once(void **state)
{
    (void)state;
    static struct stage s;
    const unsigned cuts = test_proof() ? 40 : 6;
    unsigned at_once = 0, came = 0;
    stage_set(&s, 3);
    struct cut x = {.node = s.a->node};
    engine_adversary(s.w->engine, cut_pass, &x);
    for (unsigned i = 0; i < cuts; i++) {
        world_epoch(s.w);
        world_epoch(s.w);
        cut_run(&s, &x, &came, &at_once);
    }
    engine_adversary(s.w->engine, NULL, NULL);
    printf("  of %u letters that came due while the line was cut %u came, %u "
           "within %u s\n",
           PEOPLE * cuts, came, at_once, (unsigned)BURST_S);
    assert_true(came > PEOPLE * cuts * 3 / 4);
    /* the most of any 15 s, of eight in 90 s: 40 %; with letters to itself more
     * than eight come */
    assert_true(at_once < came * 2 / 3);
    stage_clear(&s);
}

const struct CMUnitTest test_i9_repeats[] = {
    cmocka_unit_test(i9_a_restart_puts_nothing_early),
    cmocka_unit_test(i12_conversations_wait_each_for_itself),
    cmocka_unit_test(i12_what_a_cut_line_held_up_does_not_come_at_once),
};
TEST_SUITE(test_i9_repeats);
