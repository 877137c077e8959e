/* lib/os/passphrase.h - passphrases: asked for, and made into keys; for edges.
 *
 * A passphrase is one line of UTF-8, and comes from a file (its first line), from
 * the credentials that systemd gives a service, or from the terminal, where it is
 * not shown. A key is made of it by Argon2id (crypto_pwhash of libsodium). */
#ifndef LIB_OS_PASSPHRASE_H
#define LIB_OS_PASSPHRASE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

enum {
    PASSPHRASE_MAX = 1024, /* bytes */
    PASSPHRASE_SALT_LEN = 16,
    PASSPHRASE_KEY_LEN = 32,
    PASSPHRASE_TRIES = 3 /* at a terminal */
};

struct passphrase {
    char *text; /* from secret_new(), with a final 0; NULL: none */
    size_t len;
};

/* Wipe and free p's text; p may hold none. */
void passphrase_free(struct passphrase *p);

/* Copy len bytes at text into *p, which the caller frees. Returns 0, ERR_LONG,
 * ERR_FORMAT (a byte of 0, or bytes that are no UTF-8), ERR_NOMEM. */
int passphrase_set(struct passphrase *p, const char *text,
                   size_t len) CHECK_RESULT;

/* ---- keys ---- */

/* What it costs to try one passphrase: passes over so many bytes of memory. */
struct passphrase_cost {
    uint64_t ops, mem;
};

/* What keys cost that we make: crypto_pwhash's MODERATE. */
extern const struct passphrase_cost passphrase_cost;

/* Make key of p. A cost beyond 16 passes or 1 GiB is refused, so that no file can ask
 * for more than a machine has. Returns 0, ERR_RANGE (the cost), ERR_NOMEM. */
int passphrase_key(uint8_t key[static PASSPHRASE_KEY_LEN],
                   const struct passphrase *p,
                   const uint8_t salt[static PASSPHRASE_SALT_LEN],
                   const struct passphrase_cost *cost) CHECK_RESULT;

/* ---- where it comes from ---- */

struct passphrase_source {
    const char *program;    /* that says what is wrong */
    const char *file;       /* that has it, "-": standard input; NULL: none */
    const char *option;     /* by which the user names file, without dashes */
    const char *credential; /* its name in $CREDENTIALS_DIRECTORY; NULL: none */
    const char *what;       /* the question, e.g. "Passphrase of /x" */
};

/* Get a passphrase from s and hand it to fn, which returns ERR_PASSPHRASE if it is
 * wrong; at a terminal ask again then, PASSPHRASE_TRIES times in all. Returns what fn
 * returned last, or why there was none (ERR_UNSUPPORTED: no file, and no terminal);
 * both the latter and a wrong one have been said. */
int passphrase_try(const struct passphrase_source *s,
                   int (*fn)(void *ctx, const struct passphrase *p),
                   void *ctx) CHECK_RESULT;

/* Get a new passphrase from s, at a terminal twice. *p is the caller's, and may be
 * empty. Returns 0, or an error and has said why. */
int passphrase_choose(const struct passphrase_source *s,
                      struct passphrase *p) CHECK_RESULT;
#endif
