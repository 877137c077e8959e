/* lib/os/key_slots.c - taking, retiring and overwriting keys.
 *
 * States of a slot: free (zeros on the disk); taken; retired (taken still, for
 * the disk). Failure modes: a full or broken disk (files_error()), a table that
 * cannot grow (ERR_NOMEM, nothing has changed). */
#include "lib/os/key_slots.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/os/files.h"

enum { SLOTS_STEP = 128, /* a page */ SLOTS_MAX = 1 << 24 };
enum slot_state { SLOT_FREE = 0, SLOT_TAKEN, SLOT_RETIRED };

struct key_slots {
    int fd;
    bool unsynced;  /* keys were written */
    uint8_t *state; /* enum slot_state */
    uint32_t n, first_free, n_retired;
};

/* Write or read all of a slot. */
static int
slot_write(const struct key_slots *k, uint32_t slot, const uint8_t *key)
{
    ssize_t n;
    do
        n = pwrite(k->fd, key, KEY_SLOT_LEN, (off_t)slot * KEY_SLOT_LEN);
    while (n < 0 && errno == EINTR);
    return n == KEY_SLOT_LEN ? 0 : n < 0 ? files_error(errno) : ERR_ROOM;
}

int
key_slots_read(const struct key_slots *k, uint32_t slot,
               uint8_t key[static KEY_SLOT_LEN])
{
    ssize_t n;
    do
        n = pread(k->fd, key, KEY_SLOT_LEN, (off_t)slot * KEY_SLOT_LEN);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return files_error(errno);
    return n < KEY_SLOT_LEN || sodium_is_zero(key, KEY_SLOT_LEN) ? ERR_MISSING
                                                                 : 0;
}

static int
slots_grow(struct key_slots *k, uint32_t n)
{
    if (n > SLOTS_MAX)
        return ERR_FULL;
    uint8_t *state = realloc(k->state, n);
    if (!state)
        return ERR_NOMEM;
    for (uint32_t i = k->n; i < n; i++)
        state[i] = SLOT_FREE;
    k->state = state;
    k->n = n;
    return 0;
}

int
key_slots_open(struct key_slots **out, const char *path, bool make)
{
    struct stat st = {.st_size = 0};
    struct key_slots *k = calloc(1, sizeof *k);
    *out = NULL;
    if (!k)
        return ERR_NOMEM;
    k->fd = open(path, O_RDWR | (make ? O_CREAT : 0) | O_CLOEXEC | O_NOFOLLOW,
                 0600);
    int err = k->fd < 0 || fstat(k->fd, &st) ? files_error(errno) : 0;
    if (!make && k->fd < 0 && errno == ENOENT)
        err = ERR_NOT_FOUND;
    if (!err)
        err = files_sync_directory(path);
    if (!err && st.st_size > (off_t)SLOTS_MAX * KEY_SLOT_LEN)
        err = ERR_LONG;
    if (!err)
        err = slots_grow(k, (uint32_t)(st.st_size / KEY_SLOT_LEN + SLOTS_STEP) /
                                SLOTS_STEP * SLOTS_STEP);
    if (err)
        key_slots_close(&k);
    *out = k;
    return err;
}

void
key_slots_close(struct key_slots **kp)
{
    struct key_slots *k = *kp;
    *kp = NULL;
    if (!k)
        return;
    if (k->fd >= 0)
        close(k->fd);
    free(k->state);
    free(k);
}

int
key_slots_claim(struct key_slots *k, uint32_t slot)
{
    uint8_t key[KEY_SLOT_LEN];
    int err = slot < k->n ? key_slots_read(k, slot, key) : ERR_MISSING;
    sodium_memzero(key, sizeof key);
    if (err)
        return err;
    if (k->state[slot] != SLOT_FREE)
        return ERR_DUPLICATE;
    k->state[slot] = SLOT_TAKEN;
    return 0;
}

int
key_slots_settle(struct key_slots *k)
{
    uint8_t key[KEY_SLOT_LEN];
    for (uint32_t i = 0; i < k->n; i++) {
        if (k->state[i] != SLOT_FREE)
            continue;
        int err = key_slots_read(k, i, key);
        sodium_memzero(key, sizeof key);
        if (err == ERR_MISSING) /* it is zeros already */
            continue;
        if (err)
            return err;
        k->state[i] = SLOT_RETIRED;
        k->n_retired++;
    }
    return key_slots_wipe(k);
}

int
key_slots_take(struct key_slots *k, uint32_t *slot,
               uint8_t key[static KEY_SLOT_LEN])
{
    while (k->first_free < k->n && k->state[k->first_free] != SLOT_FREE)
        k->first_free++;
    int err = k->first_free < k->n ? 0 : slots_grow(k, k->n + SLOTS_STEP);
    if (err)
        return err;
    *slot = k->first_free;
    randombytes_buf(key, KEY_SLOT_LEN);
    k->unsynced = true;
    err = slot_write(k, *slot, key);
    if (!err)
        k->state[*slot] = SLOT_TAKEN;
    return err;
}

void
key_slots_retire(struct key_slots *k, uint32_t slot)
{
    if (slot >= k->n || k->state[slot] != SLOT_TAKEN)
        return;
    k->state[slot] = SLOT_RETIRED;
    k->n_retired++;
}

int
key_slots_sync(struct key_slots *k)
{
    if (k->unsynced && fdatasync(k->fd))
        return files_error(errno);
    k->unsynced = false;
    return 0;
}

int
key_slots_wipe(struct key_slots *k)
{
    static const uint8_t zeros[KEY_SLOT_LEN];
    if (k->n_retired == 0)
        return 0;
    for (uint32_t i = 0; i < k->n; i++)
        if (k->state[i] == SLOT_RETIRED) {
            int err = slot_write(k, i, zeros);
            if (err)
                return err;
        }
    if (fdatasync(k->fd))
        return files_error(errno);
    for (uint32_t i = 0; i < k->n; i++)
        if (k->state[i] == SLOT_RETIRED) {
            k->state[i] = SLOT_FREE;
            k->first_free = i < k->first_free ? i : k->first_free;
        }
    k->n_retired = 0;
    return 0;
}
