/* lib/os/key_slots.h - a file of keys, one for each record that has to be
 * forgotten alone.
 *
 * A database copies records within its pages and its journal; no overwriting of
 * one place reaches all copies. So each record is sealed under a key of its
 * own, and the keys lie here, each in a slot that is overwritten where it lies.
 * The file consists of slots of 32 bytes, zeros where there is no key.
 *
 * This order survives a crash at any moment: take slots, key_slots_sync(),
 * commit the records that are sealed under their keys; retire the slots whose
 * records are gone, key_slots_wipe(). A file is used on one thread. */
#ifndef LIB_OS_KEY_SLOTS_H
#define LIB_OS_KEY_SLOTS_H
#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"

enum { KEY_SLOT_LEN = 32 };

struct key_slots;

/* Open the file at path; make: make one (0600) if there is none. All slots are
 * free until they are claimed. The caller owns *out. Returns 0, ERR_NOT_FOUND,
 * ERR_NOMEM, ERR_IO. */
int key_slots_open(struct key_slots **out, const char *path,
                   bool make) CHECK_RESULT;

/* Close *k, which may be NULL, and set it to NULL. */
void key_slots_close(struct key_slots **k);

/* Claim slot, after opening, for a record that is sealed under the slot's key.
 * Returns 0; ERR_MISSING: there is no key in slot; ERR_DUPLICATE: another
 * record has claimed slot. */
int key_slots_claim(struct key_slots *k, uint32_t slot) CHECK_RESULT;

/* Overwrite all slots that nobody has claimed; call after all claims. Returns
 * 0, ERR_NOMEM or ERR_IO. */
int key_slots_settle(struct key_slots *k) CHECK_RESULT;

/* Draw key and write it into a free slot, whose number is *slot. Returns 0,
 * ERR_NOMEM, ERR_IO, ERR_FULL. */
int key_slots_take(struct key_slots *k, uint32_t *slot,
                   uint8_t key[static KEY_SLOT_LEN]) CHECK_RESULT;

/* Read the key of slot, which is taken. Returns 0, ERR_MISSING, ERR_IO. */
int key_slots_read(const struct key_slots *k, uint32_t slot,
                   uint8_t key[static KEY_SLOT_LEN]) CHECK_RESULT;

/* Note that the record of slot, which is taken, will be gone with the next
 * commit. */
void key_slots_retire(struct key_slots *k, uint32_t slot);

/* Write to the disk the keys of all slots that were taken. Returns 0 or ERR_IO.
 */
int key_slots_sync(struct key_slots *k) CHECK_RESULT;

/* Overwrite all retired slots on the disk; then they are free. Returns 0, or
 * ERR_IO: the next call tries again. */
int key_slots_wipe(struct key_slots *k) CHECK_RESULT;
#endif
