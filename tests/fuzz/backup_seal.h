/* tests/fuzz/backup_seal.h - a backup of whatever contents, sealed as the words of
 * client/daemon/backup.h say, by libsodium's secretstream and none of our own code but
 * for the passphrase. */
#ifndef TESTS_FUZZ_BACKUP_SEAL_H
#define TESTS_FUZZ_BACKUP_SEAL_H
#include <sodium.h>
#include <string.h>

#include "client/daemon/backup.h"
#include "lib/codec.h"

enum {
    BACKUP_LABEL_LEN = 16,
    BACKUP_PROOF_AT = BACKUP_LABEL_LEN + 1 + 16 + 8 + 8 + 24,
    BACKUP_CHECK_AT = BACKUP_PROOF_AT + 17,
    BACKUP_HEAD_LEN = BACKUP_CHECK_AT + 32,
    BACKUP_CHUNK = 65536,
    BACKUP_CHUNKS = 2,
    BACKUP_FILE_LEN = BACKUP_HEAD_LEN + BACKUP_CHUNKS * (BACKUP_CHUNK + 17),
    BACKUP_PLAIN_LEN = BACKUP_CHUNKS * BACKUP_CHUNK
};

/* Make the check of a head anew. */
static inline void
backup_head_check(uint8_t *file)
{
    crypto_generichash(file + BACKUP_CHECK_AT, 32, file, BACKUP_CHECK_AT, NULL,
                       0);
}

/* Seal all of plain under `word`, of Argon2id of this cost; last: which message says that
 * it is the last. Returns 0 or the error of the passphrase. */
static inline int
backup_seal(uint8_t file[static BACKUP_FILE_LEN], const uint8_t *plain,
            const char *word, const struct passphrase_cost *cost, unsigned last)
{
    crypto_secretstream_xchacha20poly1305_state s;
    uint8_t key[PASSPHRASE_KEY_LEN];
    struct passphrase p;
    memcpy(file, "brusio/1 backup\n", BACKUP_LABEL_LEN);
    file[BACKUP_LABEL_LEN] = 1;
    memset(file + BACKUP_LABEL_LEN + 1, 5, 16);
    codec_put64(file + BACKUP_LABEL_LEN + 17, cost->ops);
    codec_put64(file + BACKUP_LABEL_LEN + 25, cost->mem);
    int err = passphrase_set(&p, word, strlen(word));
    if (!err)
        err = passphrase_key(key, &p, file + BACKUP_LABEL_LEN + 1, cost);
    passphrase_free(&p);
    if (err)
        return err;
    crypto_secretstream_xchacha20poly1305_init_push(
        &s, file + BACKUP_PROOF_AT - 24, key);
    crypto_secretstream_xchacha20poly1305_push(
        &s, file + BACKUP_PROOF_AT, NULL, NULL, 0, file, BACKUP_PROOF_AT, 0);
    backup_head_check(file);
    for (unsigned i = 0; i < BACKUP_CHUNKS; i++)
        crypto_secretstream_xchacha20poly1305_push(
            &s, file + BACKUP_HEAD_LEN + (size_t)i * (BACKUP_CHUNK + 17), NULL,
            plain + (size_t)i * BACKUP_CHUNK, BACKUP_CHUNK, NULL, 0,
            i == last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : 0);
    return 0;
}
#endif
