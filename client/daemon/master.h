/* client/daemon/master.h - the master key of a client's records, and the file in
 * which it lies.
 *
 * Each record is sealed (XChaCha20-Poly1305, its key as what goes with it, a nonce of
 * zeros) under a key that is used for nothing else:
 *
 *   BLAKE2b-256(the 32 bytes of the record's slot, keyed with the 32 of the master key)
 *
 * So the database and its file of slots (lib/os/key_slots.h) open nothing without the
 * master key, and the master key opens no record whose slot was overwritten. It is
 * drawn once and stays. Its file, PATH-seal beside the database, is one page:
 *
 *   "brusio/1 seal\n" 14 | version 1 = 1 | kind 1 | body | zeros | check 32
 *   kind 0, without a passphrase: master key 32
 *   kind 1, under a passphrase:   salt 16 | passes 8 | bytes of memory 8 | nonce 24 |
 *                                 XChaCha20-Poly1305 of the master key 48
 *
 * sealed under Argon2id of the passphrase (lib/os/passphrase.h), with all that stands
 * before as what goes with it. The check is BLAKE2b-256 of all before it: it tells a
 * damaged file from a wrong passphrase, and keeps nobody from anything. */
#ifndef CLIENT_DAEMON_MASTER_H
#define CLIENT_DAEMON_MASTER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/os/key_slots.h"
#include "lib/os/passphrase.h"

enum { MASTER_LEN = 32, MASTER_TAG_LEN = 16 };

enum master_kind {
    MASTER_NONE = -1, /* there is no file yet */
    MASTER_PLAIN = 0,
    MASTER_SEALED = 1
};

struct master;

/* Read the file PATH-seal into *out, which is the caller's; where there is none *out is
 * MASTER_NONE. change: keep others from changing the file until *out is freed. Returns
 * 0, ERR_AGAIN (another program changes it), ERR_DAMAGED, ERR_VERSION, ERR_LONG,
 * ERR_NOMEM, files_error(). */
int master_read(struct master **out, const char *path,
                bool change) CHECK_RESULT;
void master_free(struct master **m);

/* Of which kind is the file that was read or written? */
enum master_kind master_kind(const struct master *m);
/* Is the key known? */
bool master_is_open(const struct master *m);
/* Have two the same key, which both know? */
bool master_is_same(const struct master *a, const struct master *b);

/* Open a file that is MASTER_SEALED by its passphrase. Returns 0, ERR_PASSPHRASE,
 * ERR_RANGE (what it asks for), ERR_NOMEM. */
int master_open(struct master *m, const struct passphrase *p) CHECK_RESULT;

/* Open m by a passphrase that the user gives: in file, NULL: by systemd's credential
 * `passphrase` or, for the client in dir, at the terminal. Returns 0, also when the key
 * is known, or an error and has said why. */
int master_ask(struct master *m, const char *dir,
               const char *file) CHECK_RESULT;

/* Draw a key where there is none yet, and write the file without a passphrase. Returns
 * 0, also when there is a key, or files_error(). */
int master_make(struct master *m) CHECK_RESULT;

/* Write the file anew, at this cost: the key, which is known or else drawn, sealed
 * under p, or as it is when p is empty. The file that was there is replaced in one
 * step, and then overwritten where it lay. Returns 0, ERR_NOMEM, ERR_RANGE, or
 * files_error(): the file is the old one or the new one. */
int master_write(struct master *m, const struct passphrase *p,
                 const struct passphrase_cost *cost) CHECK_RESULT;

/* Overwrite and remove what a program that was killed left of master_write(), unless
 * another is at work there. */
void master_tidy(const char *path);

/* Seal len bytes of a record's value into out, which has MASTER_TAG_LEN more, by the
 * key of its slot; key is the record's. m NULL: under that key as it is, as records
 * were before there was a master key. */
void master_seal_value(const struct master *m,
                       const uint8_t slot_key[static KEY_SLOT_LEN],
                       const uint8_t *key, size_t key_len, const uint8_t *value,
                       size_t len, uint8_t *out);
/* Open what the former sealed, len bytes, into out, which has MASTER_TAG_LEN less.
 * Returns 0, ERR_LOCKED (the master key is not known), ERR_MAC. */
int master_open_value(const struct master *m,
                      const uint8_t slot_key[static KEY_SLOT_LEN],
                      const uint8_t *key, size_t key_len, const uint8_t *sealed,
                      size_t len, uint8_t *out) CHECK_RESULT;
#endif
