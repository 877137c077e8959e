/* lib/blocks.c - a table of address blocks, four places for each hash.
 *
 * State: the table, its secret hash key, the bucket of all handshakes, and the
 * favoured addresses, all under one mutex. An entry is idle when it holds no
 * link and its bucket is full again: the entry then tells nothing any more, and
 * another block can have its place. The last entry is shared by all blocks
 * without a place. No timers: time comes in. Failure mode: a full table, which
 * is no error: further blocks share the last entry and its limits. */
#include "lib/blocks.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bucket.h"

enum {
    PLACES = 4,
    BLOCK_LEN = BLOCKS_HOST_LEN, /* of a name or a host */
    HOST_LEN = BLOCKS_HOST_LEN,
    MINUTE_US = 60000000
};

struct block_entry {
    uint8_t block[BLOCK_LEN]; /* family, then 3 or 6 bytes; or the host */
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
    uint64_t all_full_us;
    uint8_t (*favoured)[HOST_LEN]; /* sorted */
    size_t n_favoured;
    struct block_entry entry[];
};

int
blocks_new(struct blocks **out, const struct blocks_config *config)
{
    *out = NULL;
    if (config->per_minute == 0 || config->burst == 0 || config->entries == 0)
        return ERR_ARG;
    uint32_t count = (config->entries + PLACES - 1) / PLACES * PLACES;
    struct blocks *b =
        calloc(1, sizeof *b + (count + 1u) * sizeof(struct block_entry));
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
    free((*b)->favoured);
    free(*b);
    *b = NULL;
}

bool
blocks_host(const struct sockaddr_storage *from,
            uint8_t host[static BLOCKS_HOST_LEN])
{
    memset(host, 0, HOST_LEN);
    if (from->ss_family == AF_INET) {
        host[10] = host[11] = 0xff;
        memcpy(host + 12,
               &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
        return true;
    }
    if (from->ss_family != AF_INET6)
        return false;
    memcpy(host, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr,
           HOST_LEN);
    return true;
}

/* Write the name of the block of host. Returns false when it is not limited. */
static bool
name_of(const uint8_t host[HOST_LEN], uint8_t block[BLOCKS_NAME_LEN])
{
    struct in6_addr a;
    memcpy(&a, host, sizeof a);
    memset(block, 0, BLOCKS_NAME_LEN);
    if (IN6_IS_ADDR_V4MAPPED(&a)) {
        block[0] = 4;
        memcpy(block + 1, host + 12, 3);
        return host[12] != 127;
    }
    block[0] = 6;
    memcpy(block + 1, host, 6);
    return !IN6_IS_ADDR_LOOPBACK(&a);
}

static bool
block_of(const struct blocks *b, const uint8_t host[HOST_LEN],
         uint8_t block[BLOCK_LEN])
{
    memset(block, 0, BLOCK_LEN);
    const bool limited = name_of(host, block);
    if (limited && b->config.by_host)
        memcpy(block, host, HOST_LEN);
    return limited;
}

static int
host_order(const void *a, const void *b)
{
    return memcmp(a, b, HOST_LEN);
}

int
blocks_favour(struct blocks *b, const struct sockaddr_storage *address,
              size_t n)
{
    uint8_t(*host)[HOST_LEN] = calloc(n + 1, HOST_LEN);
    size_t made = 0;
    if (!host)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        made += blocks_host(&address[i], host[made]);
    qsort(host, made, HOST_LEN, host_order);
    pthread_mutex_lock(&b->mutex);
    free(b->favoured);
    b->favoured = host;
    b->n_favoured = made;
    pthread_mutex_unlock(&b->mutex);
    return 0;
}

/* Take a handshake of the share of all together. */
static bool
all_take(struct blocks *b, const uint8_t host[HOST_LEN], uint64_t now_us)
{
    const uint32_t per_s = b->config.all_per_s;
    if (per_s == 0 ||
        (b->n_favoured > 0 &&
         bsearch(host, b->favoured, b->n_favoured, HOST_LEN, host_order)))
        return true;
    return bucket_take(&b->all_full_us, now_us, 1000000 / per_s,
                       1000000ull * b->config.all_burst / per_s);
}

static bool
entry_is_idle(const struct block_entry *e, uint64_t now_us)
{
    return e->links == 0 && e->full_us <= now_us;
}

static struct block_entry *
entry_find(struct blocks *b, const uint8_t block[BLOCK_LEN], uint64_t now_us)
{
    uint8_t hash[crypto_shorthash_BYTES];
    uint64_t h;
    struct block_entry *idle = NULL;
    crypto_shorthash(hash, block, BLOCK_LEN, b->key);
    memcpy(&h, hash, sizeof h);
    struct block_entry *set = &b->entry[h % (b->count / PLACES) * PLACES];
    for (size_t i = 0; i < PLACES; i++) {
        if (set[i].used && memcmp(set[i].block, block, BLOCK_LEN) == 0)
            return &set[i];
        if (!idle && (!set[i].used || entry_is_idle(&set[i], now_us)))
            idle = &set[i];
    }
    if (!idle)
        return &b->entry[b->count];
    *idle = (struct block_entry){.used = true};
    memcpy(idle->block, block, BLOCK_LEN);
    return idle;
}

bool
blocks_name(const struct sockaddr_storage *from,
            uint8_t name[static BLOCKS_NAME_LEN])
{
    uint8_t host[HOST_LEN];
    return blocks_host(from, host) && name_of(host, name);
}

size_t
blocks_range_len(const uint8_t name[static BLOCKS_NAME_LEN])
{
    return name[0] == 4 ? 1 + 2 : 1 + 4;
}

static int
entry_take(struct blocks *b, const uint8_t block[BLOCK_LEN], uint64_t now_us,
           uint32_t *number)
{
    struct block_entry *e = entry_find(b, block, now_us);
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
    uint8_t host[HOST_LEN], block[BLOCK_LEN];
    *number = BLOCKS_NONE;
    if (!blocks_host(from, host))
        return 0;
    pthread_mutex_lock(&b->mutex);
    int err =
        block_of(b, host, block) ? entry_take(b, block, now_us, number) : 0;
    if (!err && !all_take(b, host, now_us)) { /* one block cannot use it up */
        err = ERR_RATE;
        if (*number != BLOCKS_NONE)
            b->entry[*number].links--;
        *number = BLOCKS_NONE;
    }
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
