/* sphinx/surb.c - answers along a path that only its maker knows.
 *
 * A SURB's maker keeps the seed; whoever answers encrypts the payload once
 * with the payload key in the SURB, and every hop decrypts with its own. So
 * the maker encrypts with the hops' keys, the last hop's first, and decrypts
 * with the payload key.
 *
 * State: none. No timers. Failure: ERR_TAG when a payload is not the answer. */
#include <sodium.h>
#include <string.h>

#include "sphinx/packet.h"
#include "sphinx/sphinx.h"
#include "sphinx/suite.h"

int
sphinx_surb_create(struct sphinx_worker *w, const struct sphinx_view *view,
                   const struct sphinx_hop *path, size_t n,
                   const struct sphinx_end *end,
                   const uint8_t seed[static SPHINX_SEED_LEN], uint8_t *surb)
{
    struct sphinx_order o = {
        .path = path, .n = n, .end = end, .seed = seed, .out = surb};
    sphinx_create_batch(w, view, &o, 1);
    return o.err;
}

int
sphinx_surb_use(struct sphinx_worker *w, const struct sphinx_geometry *g,
                const uint8_t *surb, const uint8_t *body, uint8_t *packet,
                uint16_t *first_hop)
{
    const struct suite *s = suite_find(g->suite);
    uint8_t *payload = packet + g->header_len, key[SPHINX_KEY_LEN];
    if (!s)
        return ERR_SUITE;
    if (surb[0] != SPHINX_VERSION)
        return ERR_VERSION;
    /* what follows the header is where the payload goes when surb is packet */
    *first_hop = packet_get16(surb + g->header_len);
    memcpy(key, surb + g->header_len + 2, sizeof key);
    if (packet != surb)
        memcpy(packet, surb, g->header_len);
    memset(payload, 0, SPHINX_TAG_LEN);
    memcpy(payload + SPHINX_TAG_LEN, body, g->body_len);
    int err = s->payload(w->cipher, key, payload, g->payload_len, true);
    sodium_memzero(key, sizeof key);
    return err;
}

int
sphinx_surb_keys(struct sphinx_worker *w, const struct sphinx_view *view,
                 const struct sphinx_hop *path, size_t n,
                 const uint8_t seed[static SPHINX_SEED_LEN],
                 uint8_t (*keys)[SPHINX_KEY_LEN])
{
    const struct sphinx_geometry *g = &view->geometry;
    struct sphinx_order o = {.path = path, .n = n, .seed = seed};
    packet_exchange(w, view, &o, 1);
    if (!o.err)
        o.err = packet_derive(w, view, &o, w->shared);
    packet_forget(w, 1);
    if (o.err)
        return o.err;
    for (size_t i = 0; i < n; i++)
        memcpy(keys[i], w->hops.keys[n - 1 - i].payload, SPHINX_KEY_LEN);
    packet_wipe(w, g, n);
    suite_find(g->suite)->expand(seed, PACKET_LABEL_SURB_KEY, keys[n],
                                 SPHINX_KEY_LEN);
    return 0;
}

int
sphinx_surb_open_keys(struct sphinx_worker *w, const struct sphinx_geometry *g,
                      const uint8_t (*keys)[SPHINX_KEY_LEN], size_t n,
                      uint8_t *payload)
{
    const struct suite *s = suite_find(g->suite);
    if (!s)
        return ERR_SUITE;
    for (size_t i = 0; i <= n; i++) {
        int err =
            s->payload(w->cipher, keys[i], payload, g->payload_len, i < n);
        if (err)
            return err;
    }
    return sphinx_payload_is_intact(payload) ? 0 : ERR_TAG;
}

int
sphinx_surb_open(struct sphinx_worker *w, const struct sphinx_view *view,
                 const struct sphinx_hop *path, size_t n,
                 const uint8_t seed[static SPHINX_SEED_LEN], uint8_t *payload)
{
    uint8_t keys[SPHINX_HOPS_MAX + 1][SPHINX_KEY_LEN];
    int err = sphinx_surb_keys(w, view, path, n, seed, keys);
    if (!err)
        err = sphinx_surb_open_keys(w, &view->geometry,
                                    (const uint8_t(*)[SPHINX_KEY_LEN])keys, n,
                                    payload);
    sodium_memzero(keys, sizeof keys);
    return err;
}
