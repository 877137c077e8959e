/* lib/blocks.c - a table of address blocks, four places for each hash.
 *
 * An entry is idle when it holds no link and its bucket is full again: then it
 * says nothing any more and its place can be taken. The last entry is the one
 * that blocks without a place share. */
#include "lib/blocks.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bucket.h"

enum { PLACES = 4, BLOCK_LEN = 7, MINUTE_US = 60000000 };

struct entry {
    uint8_t block[BLOCK_LEN]; /* family, then 3 or 6 octets */
    bool used;
    uint32_t links;
    uint64_t full_us; /* when the bucket is full again */
};

struct blocks {
    pthread_mutex_t mutex;
    struct blocks_config config;
    uint8_t key[crypto_shorthash_KEYBYTES];
    uint64_t token_us; /* one handshake's worth of time */
    uint32_t count;    /* a multiple of PLACES; the shared one follows */
    struct entry entry[];
};

int
blocks_new(struct blocks **out, const struct blocks_config *config)
{
    *out = NULL;
    if (config->per_minute == 0 || config->burst == 0 || config->entries == 0)
        return ERR_ARG;
    uint32_t count = (config->entries + PLACES - 1) / PLACES * PLACES;
    struct blocks *b =
        calloc(1, sizeof *b + (count + 1u) * sizeof(struct entry));
    if (!b)
        return ERR_NOMEM;
    pthread_mutex_init(&b->mutex, NULL);
    b->config = *config;
    memcpy(b->key, config->hash_key, sizeof b->key);
    b->config.hash_key = NULL;
    b->token_us = MINUTE_US / config->per_minute;
    b->count = count;
    *out = b;
    return 0;
}

void
blocks_free(struct blocks **b)
{
    if (!*b)
        return;
    pthread_mutex_destroy(&(*b)->mutex);
    free(*b);
    *b = NULL;
}

/* False: not to be limited. An IPv4 address in IPv6 clothes counts as IPv4. */
static bool
block_of(const struct sockaddr_storage *from, uint8_t block[BLOCK_LEN])
{
    memset(block, 0, BLOCK_LEN);
    uint8_t v4[4];
    if (from->ss_family == AF_INET) {
        memcpy(v4, &((const struct sockaddr_in *)(const void *)from)->sin_addr,
               4);
    } else if (from->ss_family == AF_INET6) {
        const struct in6_addr *a =
            &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr;
        if (!IN6_IS_ADDR_V4MAPPED(a)) {
            block[0] = 6;
            memcpy(block + 1, a->s6_addr, 6);
            return !IN6_IS_ADDR_LOOPBACK(a);
        }
        memcpy(v4, a->s6_addr + 12, 4);
    } else {
        return false;
    }
    block[0] = 4;
    memcpy(block + 1, v4, 3);
    return v4[0] != 127;
}

static bool
entry_is_idle(const struct entry *e, uint64_t now_us)
{
    return e->links == 0 && e->full_us <= now_us;
}

static struct entry *
entry_find(struct blocks *b, const uint8_t block[BLOCK_LEN], uint64_t now_us)
{
    uint8_t hash[crypto_shorthash_BYTES];
    uint64_t h;
    struct entry *idle = NULL;
    crypto_shorthash(hash, block, BLOCK_LEN, b->key);
    memcpy(&h, hash, sizeof h);
    struct entry *set = &b->entry[h % (b->count / PLACES) * PLACES];
    for (size_t i = 0; i < PLACES; i++) {
        if (set[i].used && memcmp(set[i].block, block, BLOCK_LEN) == 0)
            return &set[i];
        if (!idle && (!set[i].used || entry_is_idle(&set[i], now_us)))
            idle = &set[i];
    }
    if (!idle)
        return &b->entry[b->count];
    *idle = (struct entry){.used = true};
    memcpy(idle->block, block, BLOCK_LEN);
    return idle;
}

static int
entry_take(struct blocks *b, const uint8_t block[BLOCK_LEN], uint64_t now_us,
           uint32_t *number)
{
    struct entry *e = entry_find(b, block, now_us);
    if (e->links >= b->config.links_max)
        return ERR_FULL;
    if (!bucket_take(&e->full_us, now_us, b->token_us,
                     b->config.burst * b->token_us))
        return ERR_RATE;
    e->links++;
    *number = (uint32_t)(e - b->entry);
    return 0;
}

int
blocks_take(struct blocks *b, const struct sockaddr_storage *from,
            uint64_t now_us, uint32_t *number)
{
    uint8_t block[BLOCK_LEN];
    *number = BLOCKS_NONE;
    if (!block_of(from, block))
        return 0;
    pthread_mutex_lock(&b->mutex);
    int err = entry_take(b, block, now_us, number);
    pthread_mutex_unlock(&b->mutex);
    return err;
}

void
blocks_give(struct blocks *b, uint32_t number)
{
    if (number == BLOCKS_NONE)
        return;
    pthread_mutex_lock(&b->mutex);
    b->entry[number].links--;
    pthread_mutex_unlock(&b->mutex);
}
