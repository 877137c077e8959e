/* tests/unit/test_served.c - what an authority serves of its consensuses. */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory/daemon/served.h"
#include "lib/codec.h"
#include "lib/pack.h"
#include "network/diff.h"
#include "tests/network.h"

enum { EPOCHS = 6, DOCUMENT_MAX = 1 << 20 };

static void
every_one_of_the_last_leads_to_the_newest(void **state)
{
    (void)state;
    struct sim_net n;
    struct served s = {0};
    uint8_t digest[EPOCHS][SPHINX_DIGEST_LEN];
    char path[128], hex[65];
    size_t len;
    bool current;
    assert_null(served_find(&s, "/v1/consensus", &len, &current));
    test_network_make(&n, SPHINX_SUITE_X25519, 1, 3, 2, 1);
    for (size_t e = 0; e < EPOCHS; e++) {
        n.consensus->epoch++;
        n.consensus->relays[e].sphinx_key[3] ^= 1;
        test_network_sign(&n);
        memcpy(digest[e], n.consensus->digest, SPHINX_DIGEST_LEN);
        assert_int_equal(served_put(&s, n.document, n.document_len), 0);
        const uint8_t *plain = served_find(&s, "/v1/consensus", &len, &current);
        assert_int_equal(len, n.document_len);
        assert_memory_equal(plain, n.document, len);
        for (size_t i = 0; i <= e; i++) {
            uint8_t *diff, *document;
            size_t diff_len, document_len;
            codec_hex(hex, digest[i], SPHINX_DIGEST_LEN);
            snprintf(path, sizeof path, "/v1/diff/%s.z", hex);
            const uint8_t *found = served_find(&s, path, &len, &current);
            assert_int_equal(current, i == e);
            assert_int_equal(found != NULL, i < e && i + SERVED_KEPT >= e);
            if (!found)
                continue;
            assert_int_equal(
                pack_inflate(found, len, DOCUMENT_MAX, &diff, &diff_len), 0);
            const struct consensus *from = s.before[e - i - 1];
            assert_memory_equal(from->digest, digest[i], SPHINX_DIGEST_LEN);
            assert_int_equal(
                diff_apply(from, diff, diff_len, &document, &document_len), 0);
            assert_int_equal(document_len, n.document_len);
            assert_memory_equal(document, n.document, document_len);
            free(diff);
            free(document);
        }
    }
    assert_null(served_find(&s, "/v1/diff/00.z", &len, &current));
    assert_int_equal(served_put(&s, n.document, n.document_len / 2), ERR_SHORT);
    assert_non_null(served_find(&s, "/v1/consensus.z", &len, &current));
    served_clear(&s);
    test_network_free(&n);
}

const struct CMUnitTest test_served[] = {
    cmocka_unit_test(every_one_of_the_last_leads_to_the_newest),
};
TEST_SUITE(test_served);
