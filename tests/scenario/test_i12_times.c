/* tests/scenario/test_i12_times.c - I12: whole clients whose clocks err by up to
 * 5 s write deadlines by one law and by one time.
 *
 * What stores read in a world is held against request_deadline() itself (alarm
 * once in 10^6), which test_i12_clocks.c shows to tell nothing; and a store
 * tells the readers of one box another time than everybody else.
 *
 * Defence: answer_note() in client/requests.c, which hears loops alone. */
#include "tests/runner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/state.h"
#include "lib/codec.h"
#include "sphinx/packet.h"
#include "tests/rogue_relay.h"
#include "tests/stats.h"

#define OWN_S 5.0 /* clients' clocks err by up to */

enum { LAYERS = 3, STORES = 5, PAIRS_MAX = 1 << 16, WARM_S = 60 };

static struct world *
world_make(uint64_t seed)
{
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = 2,
                                        .layers = LAYERS,
                                        .mixes = 1,
                                        .stores = STORES,
                                        .seed = test_seed() + seed};
    return world_new(&config);
}

/* What stores read: when a packet came, and its deadline less that. */
struct pairs {
    const struct world *world;
    size_t n;
    double came_s[PAIRS_MAX], x_s[PAIRS_MAX];
};

static void
pairs_see(void *ctx, uint64_t now_us, uint32_t from, uint32_t to,
          const uint8_t *frame, size_t len)
{
    struct pairs *p = ctx;
    const struct consensus *c = p->world->net.consensus;
    const uint8_t *block =
        frame + PACKET_ELEMENT_AT + c->params.geometry.element_len;
    (void)from;
    (void)len;
    if (to >= p->world->n_relays || frame[0] != WIRE_PACKET ||
        c->relays[to].layer != LAYERS + 1 || p->n == PAIRS_MAX)
        return;
    const double came_s = (double)now_us / 1e6;
    p->came_s[p->n] = came_s;
    p->x_s[p->n++] = codec_get16(block + BLOCK_DEADLINE_AT) *
                         (double)c->params.deadline_unit_s -
                     came_s;
}

/* How far what was read is from the law of request_deadline(), in alarms. */
static double
pairs_alarm(struct pairs *p, double valid_s)
{
    const struct params *params = &p->world->net.consensus->params;
    double *law = calloc(p->n, sizeof *law);
    struct test_env e;
    assert_non_null(law);
    test_env_init(&e, test_seed());
    for (size_t i = 0; i < p->n; i++)
        law[i] = request_deadline(params, &e.env,
                                  (uint64_t)(1e6 * (p->came_s[i] + valid_s)),
                                  false) *
                     (double)params->deadline_unit_s -
                 p->came_s[i];
    const double ks = stats_ks(p->x_s, p->n, law, p->n);
    free(law);
    return ks / STATS_KS_ALARM;
}

/* How far apart the times of these clients are, at most, in milliseconds. */
static double
apart_ms(struct world_client *const *k, size_t n)
{
    uint64_t least = UINT64_MAX, most = 0;
    for (size_t i = 0; i < n; i++) {
        const uint64_t us = client_now_us(k[i]->client);
        least = us < least ? us : least;
        most = us > most ? us : most;
    }
    return (double)(most - least) / 1e3;
}

static void
i12_whole_clients_keep_the_law(void **state)
{
    (void)state;
    enum { CLIENTS = 8 };
    struct world_client *k[CLIENTS];
    struct world *w = world_make(1);
    struct pairs *p = calloc(1, sizeof *p);
    double apart = 0;
    assert_non_null(p);
    p->world = w;
    for (unsigned i = 0; i < CLIENTS; i++) {
        k[i] = world_client_add(w, "default", i % 2);
        world_client_clock(k[i], OWN_S * (2.0 * i / (CLIENTS - 1) - 1));
    }
    const double own = apart_ms(k, CLIENTS);
    world_run_s(w, WARM_S);
    engine_tap(w->engine, pairs_see, p);
    for (unsigned t = 0; t < (test_proof() ? 1200 : 300); t += 10) {
        world_run_s(w, 10);
        apart = fmax(apart, apart_ms(k, CLIENTS));
    }
    engine_tap(w->engine, NULL, NULL);
    /* the world begins ten seconds after valid-after */
    const double alarm = pairs_alarm(p, 10), other = pairs_alarm(p, 12);
    printf("  %zu deadlines, %.2f of the alarm from the law, %.2f from one 2 s "
           "off; times %.0f ms apart by the own clocks, then %.1f at most\n",
           p->n, alarm, other, own, apart);
    free(p);
    world_free(&w);
    assert_true(alarm < 1 && other > 1);
    assert_true(own > 2e3 * OWN_S - 100 && apart < 5);
}

/* A store whose clock is behind the two others' says to the readers of one box
 * that it is ahead, and to everybody else the truth. Were it believed, the
 * median of the three would move for them by up to 0.2 s. */
static void
i12_a_store_tells_no_reader_another_time(void **state)
{
    (void)state;
    static const double apart_s = 0.2;
    struct world *w = world_make(2);
    struct world_client *k[3];
    char text[INVITE_TEXT_LEN];
    for (unsigned i = 0; i < 3; i++)
        k[i] = world_client_add(w, "default", i % 2);
    world_run_s(w, WARM_S);
    assert_int_equal(client_invite(k[0]->client, "b", text), 0);
    assert_int_equal(client_add(k[1]->client, "a", text), 0);
    uint8_t box[LETTER_BOX_LEN];
    struct rogue *r = rogue_new(w, world_first_box(w, text, box));
    memcpy(r->box, box, sizeof r->box);
    for (uint32_t i = world_first(w, LAYERS + 1), n = 0; i < w->n_relays; i++)
        world_relay_clock(w, i, i == r->number ? -apart_s : apart_s * n++);
    world_run_s(w, WARM_S);
    const double before = apart_ms(k, 3);
    r->lie_ms = 1000;
    r->box_only = true;
    r->vices = VICE_LIES_ABOUT_TIME;
    world_run_s(w, 2 * WARM_S);
    const double after = apart_ms(k, 3);
    const uint64_t lies = r->done[__builtin_ctz(VICE_LIES_ABOUT_TIME)];
    printf("  times are %.1f ms apart, after %llu lies to one of three clients "
           "%.1f\n",
           before, (unsigned long long)lies, after);
    rogue_free(&r);
    world_free(&w);
    assert_true(lies > 100);
    assert_true(before < 5 && after < 5);
}

const struct CMUnitTest test_i12_times[] = {
    cmocka_unit_test(i12_whole_clients_keep_the_law),
    cmocka_unit_test(i12_a_store_tells_no_reader_another_time),
};
TEST_SUITE(test_i12_times);
