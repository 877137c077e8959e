/* tests/scenario/test_withheld.c - a gateway that keeps the newest consensus
 * from its client: the answers of stores tell. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "directory/document.h"
#include "directory/json.h"
#include "tests/world.h"

enum { EPOCH_S = 600 };

static void
short_epochs(struct params *p)
{
    p->epoch_len_s = EPOCH_S;
}

/* The next epoch's consensus and its document, of the same relays. */
static struct consensus *
next_make(struct test_network *n)
{
    static struct document d;
    struct consensus *c;
    char where[JSON_WHERE_LEN];
    n->consensus->epoch++;
    n->consensus->valid_after_s += EPOCH_S;
    test_network_sign(n);
    assert_int_equal(
        document_parse(&d, DOCUMENT_CONSENSUS, n->document, n->document_len),
        0);
    assert_int_equal(json_read_consensus(&c, d.body, d.body_len, where), 0);
    document_digest(&d, c->digest);
    /* what everybody points to is as it was */
    n->consensus->epoch--;
    n->consensus->valid_after_s -= EPOCH_S;
    return c;
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
        uint8_t digest[SPHINX_DIGEST_LEN];
        world_run_s(w, 60);
        memcpy(digest, w->net.consensus->digest, sizeof digest);
        struct consensus *next = next_make(&w->net);
        memcpy(w->net.consensus->digest, digest, sizeof digest);
        for (uint32_t i = 0; i < w->n_relays; i++) {
            team_set_consensus(w->relay[i].team, next, w->net.seed[i]);
            if (brings && next->relays[i].layer == 0)
                team_set_document(w->relay[i].team, next->epoch,
                                  w->net.document, w->net.document_len);
        }
        world_run_s(w, 20);
        assert_false(client_is_behind(k->client)); /* it may be on its way */
        world_run_s(w, 100);
        assert_int_equal(client_is_behind(k->client), !brings);
        assert_int_equal(client_consensus(k->client)->epoch,
                         next->epoch - !brings);
        world_free(&w);
        consensus_free(&next);
    }
}

const struct CMUnitTest test_withheld[] = {
    cmocka_unit_test(a_withheld_consensus_is_noticed),
};
TEST_SUITE(test_withheld);
