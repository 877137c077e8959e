/* tests/unit/test_fetch.c - documents that come in pieces, and their judging.
 */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "lib/rng_seeded.h"
#include "network/descriptor.h"
#include "network/document.h"
#include "network/fetch.h"
#include "network/receive.h"
#include "tests/network.h"

enum { PACKET = 2048, ROOM = PACKET - WIRE_PIECE_HEAD_LEN };

static struct wire_piece
piece_of(const uint8_t *bytes, size_t len, uint32_t epoch, uint16_t index)
{
    size_t at = (size_t)index * ROOM;
    struct wire_piece p = {.epoch = epoch,
                           .index = index,
                           .count = (uint16_t)((len + ROOM - 1) / ROOM),
                           .len = (uint16_t)(len - at < ROOM ? len - at : ROOM),
                           .data = bytes + at};
    return p;
}

/* In any order, some twice: the document comes out whole, once. */
static void
pieces_make_documents(void **state)
{
    (void)state;
    static uint8_t bytes[100000];
    struct rng_seeded rng;
    rng_seeded_init_u64(&rng, test_seed(), "fetch");
    rng_seeded_bytes(&rng, bytes, sizeof bytes);
    for (unsigned round = 0; round < 50; round++) {
        struct fetch f = {0};
        size_t len = 1 + rng_seeded_u64(&rng) % sizeof bytes;
        uint16_t count = (uint16_t)((len + ROOM - 1) / ROOM), order[64];
        unsigned whole = 0;
        for (uint16_t i = 0; i < count; i++)
            order[i] = i;
        for (uint16_t i = count; i-- > 1;) {
            uint16_t k = (uint16_t)(rng_seeded_u64(&rng) % (i + 1u));
            uint16_t swap = order[i];
            order[i] = order[k];
            order[k] = swap;
        }
        for (uint16_t i = 0; i < count; i++) {
            struct wire_piece p = piece_of(bytes, len, 5, order[i]);
            for (unsigned again = 0; again < 1 + i % 2u && !whole; again++) {
                int r = fetch_piece(&f, 4, PACKET, &p);
                assert_true(r == 0 || r == 1);
                whole = r == 1;
            }
            assert_true(whole == (i + 1 == count));
        }
        assert_int_equal(f.len, len);
        assert_memory_equal(f.bytes, bytes, len);
        fetch_reset(&f);
        assert_null(f.bytes);
    }
}

static void
lying_gateways_gain_nothing(void **state)
{
    (void)state;
    static uint8_t bytes[5000];
    struct fetch f = {0};
    struct wire_piece p = piece_of(bytes, sizeof bytes, 5, 0);
    assert_int_equal(fetch_piece(&f, 5, PACKET, &p), ERR_STALE);
    assert_int_equal(fetch_piece(&f, 4, PACKET, &p), 0);
    p.count++;
    assert_int_equal(fetch_piece(&f, 4, PACKET, &p), ERR_CONFLICT);
    p = piece_of(bytes, sizeof bytes, 5, 1);
    p.len--; /* only the last may be short */
    assert_int_equal(fetch_piece(&f, 4, PACKET, &p), ERR_RANGE);
    p.len = 0;
    assert_int_equal(fetch_piece(&f, 4, PACKET, &p), ERR_RANGE);
    p = piece_of(bytes, sizeof bytes, 5, 1);
    p.index = 3;
    assert_int_equal(fetch_piece(&f, 4, PACKET, &p), ERR_RANGE);
    /* a newer epoch starts anew, an older one is ignored then */
    p = piece_of(bytes, sizeof bytes, 6, 0);
    assert_int_equal(fetch_piece(&f, 4, PACKET, &p), 0);
    assert_int_equal(f.have, 1);
    p = piece_of(bytes, sizeof bytes, 5, 0);
    assert_int_equal(fetch_piece(&f, 4, PACKET, &p), ERR_STALE);
    /* more than a document can have is not begun */
    p = piece_of(bytes, sizeof bytes, 7, 0);
    p.count = UINT16_MAX;
    assert_int_equal(fetch_piece(&f, 4, PACKET, &p), ERR_RANGE);
    p.count = 0;
    assert_int_equal(fetch_piece(&f, 4, PACKET, &p), ERR_RANGE);
    fetch_reset(&f);
}

static void
consensuses_are_judged(void **state)
{
    (void)state;
    struct sim_net n;
    struct consensus *c;
    test_network_make(&n, SPHINX_SUITE_X25519, 2, 3, 2, 2);
    const uint8_t(*id)[32] = (const uint8_t(*)[32]) & n.authority;
    const uint8_t other[1][32] = {{1}};
    uint64_t after_s = n.consensus->valid_after_s;
    const struct {
        const char *network;
        const uint8_t (*ids)[32];
        uint32_t known;
        uint64_t now_s;
        int err;
    } row[] = {{"test", id, 6, after_s, 0},
               {"test", id, 0, after_s - 7000, 0},
               {"tset", id, 6, after_s, ERR_FOREIGN},
               {"test", other, 6, after_s, ERR_THRESHOLD},
               {"test", id, 7, after_s, ERR_STALE},
               {"test", id, 6, after_s + 3 * 3600, ERR_EXPIRED},
               {"test", id, 6, after_s - 7300, ERR_FUTURE}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct receive_rules rules = {.network = row[i].network,
                                      .geometry = &n.consensus->params.geometry,
                                      .authorities = row[i].ids,
                                      .n_authorities = 1};
        int err = receive_consensus(&c, &rules, n.document, n.document_len,
                                    row[i].known, row[i].now_s);
        assert_int_equal(err, row[i].err);
        assert_true((c != NULL) == (err == 0));
        if (c)
            assert_memory_equal(c->digest, n.consensus->digest, 32);
        consensus_free(&c);
    }
    struct sphinx_geometry longer;
    struct receive_rules rules = {.network = "test",
                                  .geometry = &longer,
                                  .authorities = id,
                                  .n_authorities = 1};
    assert_int_equal(sphinx_geometry_init(&longer, 1, 5, 2049, 1000), 0);
    assert_int_equal(
        receive_consensus(&c, &rules, n.document, n.document_len, 6, after_s),
        ERR_FOREIGN);
    rules.geometry = NULL;
    assert_int_equal(
        receive_consensus(&c, &rules, n.document, n.document_len, 6, after_s),
        0);
    consensus_free(&c);
    n.document[n.document_len / 2] ^= 1;
    assert_int_equal(
        receive_consensus(&c, &rules, n.document, n.document_len, 6, after_s),
        ERR_SIGNATURE);
    test_network_free(&n);
}

static void
descriptors_speak_for_their_signer(void **state)
{
    (void)state;
    struct descriptor d = {.epoch = 3, .n_keys = 1}, back;
    uint8_t seed[32] = {7}, *bytes;
    struct sphinx_geometry g;
    struct document_key key;
    char where[JSON_WHERE_LEN];
    size_t len;
    sphinx_geometry_default(&g);
    d.keys[0][0] = 9;
    strcpy(d.network, "test");
    document_key_direct(&key, seed);
    memcpy(d.relay.identity, key.identity, sizeof d.relay.identity);
    d.relay.role = ROLE_MIX;
    d.relay.protocol_min = d.relay.protocol_max = 1;
    d.relay.n_addresses = 1;
    strcpy(d.relay.addresses[0], "127.0.0.1:1");
    assert_int_equal(descriptor_sign(&d, 32, seed, &bytes, &len), 0);
    assert_int_equal(descriptor_open(&back, &g, bytes, len, where), 0);
    assert_memory_equal(&back, &d, sizeof d);
    assert_int_equal(descriptor_open(&back, &g, bytes, len - 1, where),
                     ERR_SHORT);
    static uint8_t big[DESCRIPTOR_LEN_MAX + 1];
    assert_int_equal(descriptor_open(&back, &g, big, sizeof big, where),
                     ERR_LONG);
    bytes[len / 2] ^= 1;
    assert_int_equal(descriptor_open(&back, &g, bytes, len, where),
                     ERR_SIGNATURE);
    free(bytes);
    d.relay.identity[0] ^= 1; /* somebody else's name */
    assert_int_equal(descriptor_sign(&d, 32, seed, &bytes, &len), 0);
    assert_int_equal(descriptor_open(&back, &g, bytes, len, where), ERR_PEER);
    free(bytes);
}

const struct CMUnitTest test_fetch[] = {
    cmocka_unit_test(pieces_make_documents),
    cmocka_unit_test(lying_gateways_gain_nothing),
    cmocka_unit_test(consensuses_are_judged),
    cmocka_unit_test(descriptors_speak_for_their_signer),
};
TEST_SUITE(test_fetch);
