/* relay/handles.c - open addressing, linear probing, deletion by moving back
 * (Knuth, TAOCP volume 3, 6.4, algorithm R), never more than half full. */
#include "relay/handles.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct handles_entry {
    uint8_t handle[8];
    uint32_t client; /* HANDLES_NONE: empty */
};

struct handles {
    pthread_mutex_t mutex;
    size_t mask, max, count;
    uint8_t key[16];
    struct handles_entry entry[];
};

int
handles_new(struct handles **out, size_t max, const uint8_t key[static 16])
{
    size_t len = 16;
    *out = NULL;
    while (len < 2 * max)
        len *= 2;
    struct handles *h = calloc(1, sizeof *h + len * sizeof h->entry[0]);
    if (!h)
        return ERR_NOMEM;
    pthread_mutex_init(&h->mutex, NULL);
    h->mask = len - 1;
    h->max = max;
    memcpy(h->key, key, sizeof h->key);
    for (size_t i = 0; i < len; i++)
        h->entry[i].client = HANDLES_NONE;
    *out = h;
    return 0;
}

void
handles_free(struct handles **h)
{
    if (!*h)
        return;
    pthread_mutex_destroy(&(*h)->mutex);
    sodium_memzero(*h, sizeof **h +
                           ((*h)->mask + 1) * sizeof(struct handles_entry));
    free(*h);
    *h = NULL;
}

static size_t
place_of(const struct handles *h, const uint8_t handle[static 8])
{
    uint8_t hash[8];
    uint64_t v;
    crypto_shorthash(hash, handle, 8, h->key);
    memcpy(&v, hash, sizeof v);
    return (size_t)v & h->mask;
}

/* Find the place of a handle, or the empty place where it would be. */
static size_t
entry_find(const struct handles *h, const uint8_t handle[static 8])
{
    size_t i = place_of(h, handle);
    while (h->entry[i].client != HANDLES_NONE &&
           memcmp(h->entry[i].handle, handle, 8) != 0)
        i = (i + 1) & h->mask;
    return i;
}

static int
entry_add(struct handles *h, const uint8_t handle[static 8], uint32_t client)
{
    size_t i = entry_find(h, handle);
    if (h->entry[i].client != HANDLES_NONE)
        return h->entry[i].client == client ? 0 : ERR_EXISTS;
    if (h->count >= h->max)
        return ERR_FULL;
    memcpy(h->entry[i].handle, handle, 8);
    h->entry[i].client = client;
    h->count++;
    return 0;
}

int
handles_add(struct handles *h, const uint8_t handle[static 8], uint32_t client)
{
    pthread_mutex_lock(&h->mutex);
    int err = entry_add(h, handle, client);
    pthread_mutex_unlock(&h->mutex);
    return err;
}

static void
entry_remove(struct handles *h, const uint8_t handle[static 8], uint32_t client)
{
    size_t hole = entry_find(h, handle);
    if (h->entry[hole].client != client || client == HANDLES_NONE)
        return;
    h->count--;
    for (size_t i = (hole + 1) & h->mask; h->entry[i].client != HANDLES_NONE;
         i = (i + 1) & h->mask) {
        size_t home = place_of(h, h->entry[i].handle);
        /* may move back unless its home lies between the hole and itself */
        if (((i - home) & h->mask) >= ((i - hole) & h->mask)) {
            h->entry[hole] = h->entry[i];
            hole = i;
        }
    }
    h->entry[hole].client = HANDLES_NONE;
    sodium_memzero(h->entry[hole].handle, 8);
}

void
handles_remove(struct handles *h, const uint8_t handle[static 8],
               uint32_t client)
{
    pthread_mutex_lock(&h->mutex);
    entry_remove(h, handle, client);
    pthread_mutex_unlock(&h->mutex);
}

uint32_t
handles_find(struct handles *h, const uint8_t handle[static 8])
{
    pthread_mutex_lock(&h->mutex);
    uint32_t client = h->entry[entry_find(h, handle)].client;
    pthread_mutex_unlock(&h->mutex);
    return client;
}
