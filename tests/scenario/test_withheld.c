/* tests/scenario/test_withheld.c - a gateway that keeps the newest consensus
 * from its client: the answers of stores tell. */
#include "tests/runner.h"

#include "tests/world.h"

enum { EPOCH_S = 600 };

static void
short_epochs(struct params *p)
{
    p->epoch_len_s = EPOCH_S;
    p->switch_window_s = EPOCH_S / 12;
}

static void
a_withheld_consensus_is_noticed(void **state)
{
    (void)state;
    for (unsigned brings = 0; brings < 2; brings++) {
        const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                            .gateways = 1,
                                            .layers = 3,
                                            .mixes = 1,
                                            .stores = 2,
                                            .seed = test_seed(),
                                            .params = short_epochs};
        struct world *w = world_new(&config);
        struct world_client *k = world_client_add(w, "light", 0);
        struct consensus *old;
        world_run_s(w, 60);
        assert_int_equal(sim_net_next(&w->net, &old), 0);
        const struct consensus *next = w->net.consensus;
        for (uint32_t i = 0; i < w->n_relays; i++) {
            assert_int_equal(
                team_set_consensus(w->relay[i].team, next, w->net.seed[i]), 0);
            if (brings && next->relays[i].layer == 0)
                assert_int_equal(team_set_document(w->relay[i].team,
                                                   next->epoch, w->net.document,
                                                   w->net.document_len),
                                 0);
        }
        /* 100 s into the next epoch; its window is over after 50 */
        world_run_s(w, EPOCH_S + 20 - 60);
        assert_int_equal(client_leave(k->client), CLIENT_STAY);
        world_run_s(w, 80);
        assert_int_equal(client_leave(k->client),
                         brings ? CLIENT_STAY : CLIENT_BEHIND);
        assert_int_equal(client_consensus(k->client)->epoch,
                         next->epoch - !brings);
        world_free(&w);
        consensus_free(&old);
    }
}

static bool
nothing_passes(void *ctx, uint64_t now_us, uint32_t from, uint32_t to)
{
    (void)now_us;
    (void)to;
    return from != *(uint32_t *)ctx;
}

/* A gateway that gives no consensus at all: its client asks for nothing, but
 * is not content either. */
static void
a_silent_gateway_is_noticed(void **state)
{
    (void)state;
    struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                  .gateways = 1,
                                  .layers = 3,
                                  .mixes = 1,
                                  .stores = 1,
                                  .seed = test_seed()};
    struct world *w = world_new(&config);
    uint32_t gateway = 0;
    engine_adversary(w->engine, nothing_passes, &gateway);
    struct world_client *k = world_client_add(w, "light", 0);
    world_run_s(w, CLIENT_STUCK_US / 1000000 - 1);
    assert_null(client_consensus(k->client));
    assert_int_equal(client_leave(k->client), CLIENT_STAY);
    world_run_s(w, 2);
    assert_int_equal(client_leave(k->client), CLIENT_STUCK);
    world_free(&w);
}

const struct CMUnitTest test_withheld[] = {
    cmocka_unit_test(a_silent_gateway_is_noticed),
    cmocka_unit_test(a_withheld_consensus_is_noticed),
};
TEST_SUITE(test_withheld);
