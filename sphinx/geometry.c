/* sphinx/geometry.c - all lengths, from four numbers; the installed header's
 * errors. State: none. */
#include "sphinx/sphinx.h"

#include <string.h>

#include "lib/error.h"
#include "sphinx/packet.h"
#include "sphinx/suite.h"

/* The installed header has its own names for the errors of lib/error.h. */
#define SAME(name)                                            \
    _Static_assert((int)SPHINX_ERR_##name == (int)ERR_##name, \
                   "SPHINX_ERR_" #name " is another than ERR_" #name)
_Static_assert((int)SPHINX_OK == (int)ERR_OK, "SPHINX_OK is 0");
SAME(NOMEM);
SAME(VERSION);
SAME(SUITE);
SAME(POINT);
SAME(MAC);
SAME(TAG);
SAME(EPOCH);
SAME(COMMAND);
SAME(RANGE);
SAME(UNKNOWN);
SAME(CRYPTO);
SAME(ARG);
SAME(REPLAY);
SAME(DEADLINE_PAST);
SAME(DEADLINE_FAR);
SAME(RELAY);
SAME(FULL);
SAME(RATE);
SAME(SYSTEM);
SAME(DELAY);
#undef SAME

int
sphinx_geometry_init(struct sphinx_geometry *g, uint8_t suite, uint8_t hops,
                     uint16_t packet_len, uint32_t delay_unit_us)
{
    memset(g, 0, sizeof *g);
    const struct suite *s = suite_find(suite);
    if (!s)
        return ERR_SUITE;
    if (hops < 1 || hops > SPHINX_HOPS_MAX || delay_unit_us == 0)
        return ERR_RANGE;
    size_t block_len = (size_t)BLOCK_FIXED_LEN + s->element_len;
    size_t routing_len = hops * block_len;
    size_t header_len =
        PACKET_ELEMENT_AT + s->element_len + routing_len + SPHINX_MAC_LEN;
    if (packet_len < header_len + SPHINX_TAG_LEN + 1)
        return ERR_RANGE;
    *g = (struct sphinx_geometry){
        .suite = suite,
        .hops = hops,
        .packet_len = packet_len,
        .delay_unit_us = delay_unit_us,
        .element_len = s->element_len,
        .public_len = s->public_len,
        .block_len = (uint16_t)block_len,
        .routing_len = (uint16_t)routing_len,
        .header_len = (uint16_t)header_len,
        .payload_len = (uint16_t)(packet_len - header_len),
        .body_len = (uint16_t)(packet_len - header_len - SPHINX_TAG_LEN),
        .surb_len = (uint16_t)(header_len + 2 + SPHINX_KEY_LEN),
    };
    return 0;
}

const char *
sphinx_error_text(int err)
{
    return error_text(err);
}

void
sphinx_geometry_default(struct sphinx_geometry *g)
{
    int err = sphinx_geometry_init(g, SPHINX_SUITE_X25519, 5, 2048, 1000);
    (void)err; /* these five constants fit */
}

int
sphinx_keypair(const struct sphinx_geometry *g, uint8_t *public_key,
               const uint8_t seed[static SPHINX_SEED_LEN])
{
    const struct suite *s = suite_find(g->suite);
    return s ? s->keypair(public_key, seed) : ERR_SUITE;
}
