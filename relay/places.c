/* relay/places.c - a count for each link. The counts are statistics that steer:
 * two workers that ask at once may both be let in by the same free place. */
#include "relay/places.h"

#include <assert.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* How many times the free places a link may hold (alpha of the paper). */
enum { PLACES_TIMES_FREE = 2 };

struct places {
    uint8_t key[crypto_shorthash_KEYBYTES];
    uint32_t max, links;
    _Atomic uint32_t all;    /* taken */
    _Atomic uint32_t held[]; /* by link: relays, then clients */
};

int
places_new(struct places **out, uint32_t max, uint32_t clients,
           const uint8_t key[static 16])
{
    *out = NULL;
    if (max == 0 || clients > UINT32_MAX / 8)
        return ERR_ARG;
    const uint32_t links = PLACES_RELAYS + clients;
    struct places *p = calloc(1, sizeof *p + links * sizeof p->held[0]);
    if (!p)
        return ERR_NOMEM;
    p->max = max;
    p->links = links;
    memcpy(p->key, key, sizeof p->key);
    *out = p;
    return 0;
}

void
places_free(struct places **pp)
{
    struct places *p = *pp;
    *pp = NULL;
    if (!p)
        return;
    sodium_memzero(p, sizeof *p);
    free(p);
}

uint32_t
places_relay(const struct places *p,
             const uint8_t identity[static SPHINX_ID_LEN])
{
    uint8_t hash[crypto_shorthash_BYTES];
    crypto_shorthash(hash, identity, SPHINX_ID_LEN, p->key);
    return (hash[0] | (uint32_t)hash[1] << 8) % PLACES_RELAYS;
}

uint32_t
places_client(const struct places *p, uint32_t client)
{
    assert(client < p->links - PLACES_RELAYS);
    return PLACES_RELAYS + client;
}

int
places_take(struct places *p, uint32_t link, uint64_t delay_us,
            uint64_t delay_max_us)
{
    if (link == PLACES_OWN)
        return 0;
    const uint32_t held = atomic_load(&p->all);
    const uint64_t free_now = held < p->max ? p->max - held : 0;
    const uint64_t share = PLACES_TIMES_FREE * free_now;
    const uint64_t mine = atomic_load(&p->held[link]);
    if (mine >= share)
        return ERR_SHARE;
    if (delay_us * p->max > delay_max_us * free_now ||
        delay_us * share > delay_max_us * (share - mine))
        return ERR_DELAY;
    atomic_fetch_add(&p->held[link], 1);
    atomic_fetch_add(&p->all, 1);
    return 0;
}

void
places_give(struct places *p, uint32_t link)
{
    if (link == PLACES_OWN)
        return;
    assert(atomic_load(&p->held[link]) > 0);
    atomic_fetch_sub(&p->held[link], 1);
    atomic_fetch_sub(&p->all, 1);
}

uint32_t
places_held(const struct places *p, uint32_t link)
{
    return atomic_load(&p->held[link]);
}
