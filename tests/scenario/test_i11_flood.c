/* tests/scenario/test_i11_flood.c - who has 64 cores announces without end, and texts
 * of others come all the same.
 *
 * A flood of announcements is worth the price, in tokens made beforehand, and goes to
 * all boards at once. What a board makes of it is in test_lists.c; here whole clients
 * write to each other meanwhile. Lists are shorter than usual and work is cheaper, both
 * the flood's and clients', in proportion: of a list's places it could fill as many
 * times as many as 64 cores could. The flood comes straight to the boards; what it
 * would do to the relays on its way is test_overload.c's.
 *
 * Defences: announce_more() of client/announce.c, proofs_announce(), board_take(). */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/codec.h"
#include "network/boards.h"
#include "network/work.h"
#include "relay/internal.h"
#include "tests/world.h"

enum {
    WRITERS = 3,
    TEXTS =
        12, /* of a course, and as many in a flood: of each writer eight in all,
                   which is how many may be announced and not acknowledged */
    BITS = 4,
    ENTRIES = 4,
    /* 64 cores, 6.9 million hashes a second each, 16 bits a token: 6,700 tokens a
     * second, 3,370 in the interval of each of four boards' lists of 40 */
    TIMES = 84, /* so many for each place */
    STEPS = 21, /* of an interval */
    WAIT_S = 60,
    APART_S = 20,
    LATER_S = 30, /* the bar */
    WORK_S = 8, /* 2^23 hashes take a core longer once in 100 times: not here */
    USUAL_S = 15, /* p99 of first texts without a flood: the simulator's */
    REST_S = 120, /* until no front is held */
};

struct course {
    struct world *w;
    struct world_client *to, *from[WRITERS];
    bool flooded;
    uint64_t flood; /* tokens so far */
};

static void
short_lists(struct params *p)
{
    p->announce_bits = BITS;
    p->list_entries = ENTRIES;
    p->conversations.hold_min_s = 5; /* first texts soon */
    p->conversations.hold_max_s = 10;
    p->conversations.script_every_s = 10; /* as if each wrote seldom */
}

static void
flood_one(struct course *x, uint16_t board)
{
    const struct consensus *c = x->w->net.consensus;
    struct relay *r = x->w->relay[board].relay;
    uint8_t box[WIRE_BOX_LEN] = {0}, work[WIRE_WORK_LEN] = {0};
    const struct wire_request request = {
        .kind = WIRE_ANNOUNCE, .box = box, .work = work};
    struct work_task task;
    codec_put64(box,
                ++x->flood * 0x9e3779b97f4a7c15ULL); /* spread: none alike */
    work_announce_task(&task, c->work_challenge, c->relays[board].identity,
                       box);
    assert_true(work_search(&task, BITS, 1 << 16, work));
    announced_take(r, &request);
}

static void
course_run(struct course *x, double seconds)
{
    const double step_s =
        x->w->net.consensus->params.list_interval_ms * 1e-3 / STEPS;
    const struct board_set *boards = &x->w->net.consensus->boards;
    for (double s = 0; s < seconds; s += step_s) {
        for (size_t i = 0; x->flooded && i < boards->n; i++)
            for (unsigned k = 0; k < TIMES * ENTRIES / STEPS; k++)
                flood_one(x, boards->relay[i]);
        world_run_s(x->w, step_s);
    }
}

static void
course_make(struct course *x, unsigned seed)
{
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = 2,
                                        .layers = 3,
                                        .mixes = 2,
                                        .stores = 5,
                                        .seed = test_seed() + seed,
                                        .params = short_lists};
    char name[16];
    *x = (struct course){.w = world_new(&config)};
    x->to = world_client_add(x->w, "default", 0);
    for (unsigned i = 0; i < WRITERS; i++)
        x->from[i] = world_client_add(x->w, "default", i % 2);
    world_run_s(x->w, 5);
    for (unsigned i = 0; i < WRITERS; i++) {
        snprintf(name, sizeof name, "c%u", i);
        world_pair(x->w, x->to, name, x->from[i], "to");
    }
    world_run_s(x->w, REST_S);
    assert_int_equal(x->w->net.consensus->boards.n, BOARDS_MAX);
    (void)world_take(x->to, NULL);
}

/* A first text, and when it is there. */
static double
text_s(struct course *x, unsigned i)
{
    double s = 0;
    (void)world_say(x->from[i % WRITERS], "to", "hello");
    while (s < WAIT_S && world_take(x->to, NULL) == 0) {
        course_run(x, 0.5);
        s += 0.5;
    }
    course_run(x, APART_S);
    return s;
}

/* How many of a course's texts take longer than they may? Adds to *sum_s how long all
 * take, and raises *longest_s. */
static unsigned
texts_late(struct course *x, double most_s, double *sum_s, double *longest_s)
{
    unsigned late = 0;
    for (unsigned i = 0; i < TEXTS; i++) {
        const double s = text_s(x, i);
        *sum_s += s;
        *longest_s = s > *longest_s ? s : *longest_s;
        late += s > most_s;
    }
    return late;
}

static void
i11_first_texts_come_in_a_flood_of_announcements(void **state)
{
    (void)state;
    const unsigned courses = test_proof() ? 16 : 1, n = courses * TEXTS;
    unsigned late[2] = {0};
    double sum_s[2] = {0}, longest_s[2] = {0};
    for (unsigned i = 0; i < courses; i++) {
        struct course x;
        struct client_status status;
        course_make(&x, i);
        late[0] += texts_late(&x, USUAL_S, &sum_s[0], &longest_s[0]);
        x.flooded = true;
        course_run(&x, 20);
        late[1] += texts_late(&x, USUAL_S + LATER_S - WORK_S, &sum_s[1],
                              &longest_s[1]);
        client_status(x.from[0]->client, &status);
        assert_true(status.unlisted > 0); /* it was one */
        world_free(&x.w);
    }
    for (unsigned k = 0; k < 2; k++)
        print_message("  %u first texts%s: mean %.1f s, longest %.1f s\n", n,
                      k ? " in a flood" : "", sum_s[k] / n, longest_s[k]);
    assert_in_range(late[0], 0, n / 12);
    assert_in_range(late[1], 0, n / 100 + 1);
    assert_true(sum_s[1] / n < sum_s[0] / n + LATER_S);
}

const struct CMUnitTest test_i11_flood[] = {
    cmocka_unit_test(i11_first_texts_come_in_a_flood_of_announcements),
};
TEST_SUITE(test_i11_flood);
