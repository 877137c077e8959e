/* relay/ages.c - a keyed table of rows of WAYS places.
 *
 * A letter's row and tag are a keyed hash of its box and slot; that two letters
 * of one row share a tag happens once in 2^64. */
#include "relay/ages.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { WAYS = 8, ROWS = AGES_MAX / WAYS };

struct ages_place {
    uint64_t tag;
    uint64_t at_us; /* + 1; 0: free */
};

struct ages {
    uint8_t key[crypto_shorthash_KEYBYTES];
    struct ages_place row[ROWS][WAYS];
};

int
ages_new(struct ages **out, const uint8_t key[static 16])
{
    struct ages *a = calloc(1, sizeof *a);
    *out = a;
    if (!a)
        return ERR_NOMEM;
    /* its pages are had now: what grows later has another cause */
    sodium_memzero(a, sizeof *a);
    memcpy(a->key, key, sizeof a->key);
    return 0;
}

void
ages_free(struct ages **ap)
{
    struct ages *a = *ap;
    *ap = NULL;
    if (!a)
        return;
    sodium_memzero(a, sizeof *a);
    free(a);
}

static uint64_t
tag_of(const struct ages *a, const uint8_t box[static 32], uint8_t slot)
{
    uint8_t in[33], hash[crypto_shorthash_BYTES];
    uint64_t tag;
    memcpy(in, box, 32);
    in[32] = slot;
    crypto_shorthash(hash, in, sizeof in, a->key);
    memcpy(&tag, hash, sizeof tag);
    return tag;
}

void
ages_note(struct ages *a, const uint8_t box[static 32], uint8_t slot,
          uint64_t now_us)
{
    const uint64_t tag = tag_of(a, box, slot);
    struct ages_place *row = a->row[tag % ROWS], *oldest = row;
    for (unsigned i = 0; i < WAYS; i++) {
        if (row[i].at_us && row[i].tag == tag)
            return; /* the first time counts */
        if (row[i].at_us < oldest->at_us)
            oldest = &row[i];
    }
    *oldest = (struct ages_place){tag, now_us + 1};
}

uint8_t
ages_find(const struct ages *a, const uint8_t box[static 32], uint8_t slot,
          uint64_t now_us)
{
    const uint64_t tag = tag_of(a, box, slot);
    const struct ages_place *row = a->row[tag % ROWS];
    for (unsigned i = 0; i < WAYS; i++)
        if (row[i].at_us && row[i].tag == tag) {
            const uint64_t age_s = (now_us + 1 - row[i].at_us) / 1000000;
            return age_s <= WIRE_AGE_MAX_S ? (uint8_t)age_s : WIRE_AGE_UNKNOWN;
        }
    return WIRE_AGE_UNKNOWN;
}
