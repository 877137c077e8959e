/* lib/os/key_slots.h - a file of keys, one for each thing that is to be
 * forgotten alone.
 *
 * What lies in a database is copied within its pages and its journal; no
 * overwriting of one place reaches all copies. So each record is sealed under a
 * key of its own, and the keys lie here, each in a slot that is overwritten where
 * it lies. The file is slots of 32 octets, zeros where there is no key.
 *
 * The order that survives a crash at any moment: take slots, key_slots_sync(),
 * commit what is sealed under them; retire those whose records are gone,
 * key_slots_wipe(). Used on one thread. */
#ifndef LIB_OS_KEY_SLOTS_H
#define LIB_OS_KEY_SLOTS_H
#include <stdint.h>

#include "lib/error.h"

enum { KEY_SLOT_LEN = 32 };

struct key_slots;

/* Open the file, made (0600) when it is not there. All slots are free until they
 * are claimed. Returns 0, ERR_NOMEM, ERR_IO. */
int key_slots_open(struct key_slots **out, const char *path) CHECK_RESULT;
void key_slots_close(struct key_slots **k);

/* When opened: a record is sealed under this slot's key. Returns 0; ERR_MISSING:
 * there is no key; ERR_DUPLICATE: another record claims it. Then: overwrite what
 * nobody has claimed. */
int key_slots_claim(struct key_slots *k, uint32_t slot) CHECK_RESULT;
int key_slots_settle(struct key_slots *k) CHECK_RESULT;

/* Draw a key into a free slot. Returns 0, ERR_NOMEM, ERR_IO, ERR_FULL. */
int key_slots_take(struct key_slots *k, uint32_t *slot,
                   uint8_t key[static KEY_SLOT_LEN]) CHECK_RESULT;
/* Read a taken slot's key. Returns 0, ERR_MISSING, ERR_IO. */
int key_slots_read(const struct key_slots *k, uint32_t slot,
                   uint8_t key[static KEY_SLOT_LEN]) CHECK_RESULT;
/* The record of a taken slot will be gone with the next commit. */
void key_slots_retire(struct key_slots *k, uint32_t slot);

/* See that the keys that were taken are on the disk. */
int key_slots_sync(struct key_slots *k) CHECK_RESULT;
/* Overwrite all retired slots, and see that this is on the disk; then they are
 * free. Returns 0 or ERR_IO: the next call tries again. */
int key_slots_wipe(struct key_slots *k) CHECK_RESULT;
#endif
