/* network/placement.c - the ranking of a box's stores. No state. */
#include "network/placement.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "lib/codec.h"

enum { FRACTION_BITS = 30, PART_LEN = 32 };

/* The integer part of log2 x is the place of the highest bit of x. Each
 * squaring of what is left, a number from 1 to 2 in 31 bits after the point,
 * gives one more bit of the fraction. What is cut off is below 2^-29 of the
 * logarithm. */
uint64_t
placement_wait(uint64_t x)
{
    assert(x > 0);
    const unsigned zeros = (unsigned)__builtin_clzll(x);
    uint64_t m = x << zeros >> 32, fraction = 0;
    for (unsigned i = 0; i < FRACTION_BITS; i++) {
        m = m * m >> 31;
        fraction = 2 * fraction + (m >> 32);
        m >>= m >> 32;
    }
    return ((uint64_t)(zeros + 1) << FRACTION_BITS) - fraction;
}

uint64_t
placement_draw(const uint8_t value[static 32],
               const uint8_t placement[static 32], const uint8_t box[static 32])
{
    uint8_t in[3 * PART_LEN], out[crypto_generichash_BYTES_MIN];
    memcpy(in, value, PART_LEN);
    memcpy(in + PART_LEN, placement, PART_LEN);
    memcpy(in + 2 * PART_LEN, box, PART_LEN);
    crypto_generichash(out, sizeof out, in, sizeof in, NULL, 0);
    const uint64_t x = codec_get64(out);
    return placement_wait(x > 0 ? x : 1);
}

bool
placement_is_before(const struct placement *a, const struct placement *b)
{
    if (a->counts != b->counts)
        return a->counts;
    return a->wait * b->weight < b->wait * a->weight;
}
