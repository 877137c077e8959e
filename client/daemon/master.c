/* client/daemon/master.c - see master.h.
 *
 * The file is changed in four steps, each on the disk before the next: the new one
 * beside it (-seal.new), a second name for the old one (-seal-old), the new one in its
 * place, and the old one overwritten and removed. A program may be killed after any of
 * them: the file is the old one or the new one, and master_tidy() does what is left.
 * Who changes the file holds its lock, and the daemon leaves it alone meanwhile.
 *
 * Failure modes: a damaged file, which check tells; one that asks for more passes or
 * memory than passphrase_key() takes; a full or broken disk, on which the old file
 * stays. */
#include "client/daemon/master.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/codec.h"
#include "lib/os/files.h"
#include "lib/os/program.h"
#include "lib/os/wipe.h"
#include "lib/secret.h"

static const char label[] = "brusio/1 seal\n";
enum {
    LABEL_LEN = sizeof label - 1,
    VERSION = 1,
    NONCE_LEN = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    /* places in the page */
    VERSION_AT = LABEL_LEN,
    KIND_AT,
    BODY_AT,
    SALT_AT = BODY_AT,
    OPS_AT = SALT_AT + PASSPHRASE_SALT_LEN,
    MEM_AT = OPS_AT + 8,
    NONCE_AT = MEM_AT + 8,
    SEALED_AT = NONCE_AT + NONCE_LEN,
    SEALED_LEN = MASTER_LEN + MASTER_TAG_LEN,
    CHECK_LEN = 32,
    CHECK_AT = WIPE_PAGE_LEN - CHECK_LEN
};

_Static_assert((int)MASTER_TAG_LEN == crypto_aead_xchacha20poly1305_ietf_ABYTES,
               "the cipher's");
_Static_assert((int)PASSPHRASE_KEY_LEN ==
                   crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
               "the cipher's");
_Static_assert((int)KEY_SLOT_LEN == crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
               "the cipher's");

struct master {
    char path[FILES_PATH_MAX]; /* of the file */
    enum master_kind kind;
    uint8_t *key;  /* in guarded memory; NULL: not known */
    uint8_t *page; /* likewise: what was read; NULL: none */
    int lock;      /* the file, while it is to be changed; -1 */
};

enum master_kind
master_kind(const struct master *m)
{
    return m->kind;
}

bool
master_is_open(const struct master *m)
{
    return m->key != NULL;
}

bool
master_is_same(const struct master *a, const struct master *b)
{
    return a->key && b->key && secret_is_equal(a->key, b->key, MASTER_LEN);
}

/* ---- reading ---- */

static void
page_check(const uint8_t *page, uint8_t check[static CHECK_LEN])
{
    crypto_generichash(check, CHECK_LEN, page, CHECK_AT, NULL, 0);
}

/* Set the key of m to these bytes. */
static int
key_set(struct master *m, const uint8_t *bytes)
{
    if (!m->key && !(m->key = secret_new(MASTER_LEN)))
        return ERR_NOMEM;
    memcpy(m->key, bytes, MASTER_LEN);
    return 0;
}

/* Look at the page that was read, and take what it says. */
static int
page_take(struct master *m, size_t len)
{
    uint8_t check[CHECK_LEN];
    if (len != WIPE_PAGE_LEN || memcmp(m->page, label, LABEL_LEN) != 0)
        return ERR_DAMAGED;
    page_check(m->page, check);
    if (memcmp(check, m->page + CHECK_AT, CHECK_LEN) != 0)
        return ERR_DAMAGED;
    const uint8_t kind = m->page[KIND_AT];
    const size_t end =
        kind == MASTER_PLAIN ? BODY_AT + MASTER_LEN : SEALED_AT + SEALED_LEN;
    if (m->page[VERSION_AT] != VERSION || kind > MASTER_SEALED)
        return ERR_VERSION;
    if (!sodium_is_zero(m->page + end, CHECK_AT - end))
        return ERR_DAMAGED;
    m->kind = kind;
    return kind == MASTER_PLAIN ? key_set(m, m->page + BODY_AT) : 0;
}

/* Read the file, if there is one. */
static int
file_take(struct master *m)
{
    uint8_t *bytes;
    size_t len;
    int err = files_read(m->path, WIPE_PAGE_LEN, &bytes, &len);
    if (err)
        return err == ERR_NOT_FOUND ? 0 : err == ERR_LONG ? ERR_DAMAGED : err;
    m->page = secret_new(WIPE_PAGE_LEN);
    if (m->page)
        memcpy(m->page, bytes, len);
    else
        err = ERR_NOMEM;
    sodium_memzero(bytes, len);
    free(bytes);
    return err ? err : page_take(m, len);
}

/* Lock the file, of this path, and see that it is the one that lies there. */
static int
file_lock(const char *path, int *fd)
{
    struct stat mine, now;
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (*fd < 0)
        return errno == ENOENT ? 0 : files_error(errno);
    if (!flock(*fd, LOCK_EX | LOCK_NB) && !fstat(*fd, &mine) &&
        !stat(path, &now) && mine.st_ino == now.st_ino)
        return 0;
    close(*fd);
    *fd = -1;
    return ERR_AGAIN;
}

int
master_read(struct master **out, const char *path, bool change)
{
    struct master *m = calloc(1, sizeof *m);
    *out = NULL;
    if (!m)
        return ERR_NOMEM;
    m->kind = MASTER_NONE;
    m->lock = -1;
    int err =
        snprintf(m->path, sizeof m->path, "%s-seal", path) < (int)sizeof m->path
            ? 0
            : ERR_LONG;
    if (!err && change)
        err = file_lock(m->path, &m->lock);
    if (!err)
        err = file_take(m);
    if (err)
        master_free(&m);
    *out = m;
    return err;
}

void
master_free(struct master **mp)
{
    struct master *m = *mp;
    *mp = NULL;
    if (!m)
        return;
    secret_free((void **)&m->key);
    secret_free((void **)&m->page);
    if (m->lock >= 0)
        close(m->lock);
    free(m);
}

int
master_open(struct master *m, const struct passphrase *p)
{
    uint8_t key[PASSPHRASE_KEY_LEN], master[MASTER_LEN];
    if (m->kind != MASTER_SEALED)
        return m->key ? 0 : ERR_SEAL;
    const struct passphrase_cost cost = {.ops = codec_get64(m->page + OPS_AT),
                                         .mem = codec_get64(m->page + MEM_AT)};
    int err = passphrase_key(key, p, m->page + SALT_AT, &cost);
    if (!err && crypto_aead_xchacha20poly1305_ietf_decrypt(
                    master, NULL, NULL, m->page + SEALED_AT, SEALED_LEN,
                    m->page, SEALED_AT, m->page + NONCE_AT, key))
        err = ERR_PASSPHRASE;
    if (!err)
        err = key_set(m, master);
    sodium_memzero(key, sizeof key);
    sodium_memzero(master, sizeof master);
    return err;
}

static int
passphrase_take(void *ctx, const struct passphrase *p)
{
    return master_open(ctx, p);
}

int
master_ask(struct master *m, const char *dir, const char *file)
{
    char what[FILES_PATH_MAX + 32];
    const struct passphrase_source from = {.program = "brusio-client",
                                           .file = file,
                                           .option = "passphrase-file",
                                           .credential = "passphrase",
                                           .what = what};
    if (m->kind != MASTER_SEALED || m->key)
        return 0;
    snprintf(what, sizeof what, "Passphrase of %s", dir);
    const int err = passphrase_try(&from, passphrase_take, m);
    if (err == ERR_RANGE || err == ERR_NOMEM)
        program_fail(from.program, "%s: %s", m->path,
                     err == ERR_NOMEM
                         ? "no memory to try a passphrase; it takes 256 MiB"
                         : "it asks for more memory than any that we make");
    return err;
}

/* ---- writing ---- */

/* Make the page for m's key, under p unless that is empty. */
static int
page_make(const struct master *m, const struct passphrase *p,
          const struct passphrase_cost *cost, uint8_t *page)
{
    uint8_t key[PASSPHRASE_KEY_LEN];
    int err = 0;
    memset(page, 0, WIPE_PAGE_LEN);
    memcpy(page, label, LABEL_LEN);
    page[VERSION_AT] = VERSION;
    page[KIND_AT] = p && p->len > 0 ? MASTER_SEALED : MASTER_PLAIN;
    if (page[KIND_AT] == MASTER_PLAIN) {
        memcpy(page + BODY_AT, m->key, MASTER_LEN);
    } else {
        randombytes_buf(page + SALT_AT, PASSPHRASE_SALT_LEN);
        codec_put64(page + OPS_AT, cost->ops);
        codec_put64(page + MEM_AT, cost->mem);
        randombytes_buf(page + NONCE_AT, NONCE_LEN);
        err = passphrase_key(key, p, page + SALT_AT, cost);
        if (!err)
            crypto_aead_xchacha20poly1305_ietf_encrypt(
                page + SEALED_AT, NULL, m->key, MASTER_LEN, page, SEALED_AT,
                NULL, page + NONCE_AT, key);
        sodium_memzero(key, sizeof key);
    }
    page_check(page, page + CHECK_AT);
    return err;
}

/* Write to out the path of a file beside m's. */
static int
beside(char out[static FILES_PATH_MAX + 8], const char *path, const char *what)
{
    return snprintf(out, FILES_PATH_MAX + 8, "%s%s", path, what) <
                   FILES_PATH_MAX + 8
               ? 0
               : ERR_LONG;
}

/* Overwrite what was called path, unless it is still the file itself. */
static void
leftover_wipe(const char *file, const char *path)
{
    struct stat st, itself;
    if (stat(path, &st))
        return;
    if (stat(file, &itself) == 0 && st.st_ino == itself.st_ino)
        unlink(path);
    else
        (void)!wipe_file(path);
}

/* Put the page in the file's place, and overwrite what was there, where the file
 * system has second names for files. */
static int
page_replace(const struct master *m, const uint8_t *page)
{
    char old[FILES_PATH_MAX + 8];
    int err = beside(old, m->path, "-old");
    if (err || m->kind == MASTER_NONE)
        return err ? err : files_write(m->path, page, WIPE_PAGE_LEN);
    leftover_wipe(m->path, old);
    const bool named = link(m->path, old) == 0;
    if (!named && errno != EPERM && errno != EOPNOTSUPP && errno != EMLINK)
        return files_error(errno);
    err = files_write(m->path, page, WIPE_PAGE_LEN);
    if (err)
        leftover_wipe(m->path, old);
    else if (named)
        err = wipe_file(old);
    return err;
}

int
master_write(struct master *m, const struct passphrase *p,
             const struct passphrase_cost *cost)
{
    uint8_t *page = secret_new(WIPE_PAGE_LEN);
    int err = page ? 0 : ERR_NOMEM;
    if (!err && !m->key && m->kind != MASTER_NONE)
        err = ERR_LOCKED;
    if (!err && !m->key) {
        m->key = secret_new(MASTER_LEN);
        if (m->key)
            randombytes_buf(m->key, MASTER_LEN);
        else
            err = ERR_NOMEM;
    }
    if (!err)
        err = page_make(m, p, cost, page);
    if (!err)
        err = page_replace(m, page);
    if (!err) {
        m->kind = page[KIND_AT];
        secret_free((void **)&m->page);
        m->page = page;
        page = NULL;
    } else if (m->kind == MASTER_NONE) {
        secret_free((void **)&m->key); /* another is drawn the next time */
    }
    secret_free((void **)&page);
    return err;
}

int
master_make(struct master *m)
{
    return m->kind != MASTER_NONE ? 0 : master_write(m, NULL, &passphrase_cost);
}

void
master_tidy(const char *path)
{
    char file[FILES_PATH_MAX], left[FILES_PATH_MAX + 8];
    int fd;
    if (snprintf(file, sizeof file, "%s-seal", path) >= (int)sizeof file ||
        file_lock(file, &fd))
        return;
    if (!beside(left, file, "-old"))
        leftover_wipe(file, left);
    if (!beside(left, file, ".new"))
        leftover_wipe(file, left);
    if (fd >= 0)
        close(fd);
}

/* ---- values ---- */

static const uint8_t zeros[NONCE_LEN]; /* a key is used once */

static void
value_key(const struct master *m, const uint8_t *slot_key,
          uint8_t out[static KEY_SLOT_LEN])
{
    if (m)
        crypto_generichash(out, KEY_SLOT_LEN, slot_key, KEY_SLOT_LEN, m->key,
                           MASTER_LEN);
    else
        memcpy(out, slot_key, KEY_SLOT_LEN);
}

void
master_seal_value(const struct master *m,
                  const uint8_t slot_key[static KEY_SLOT_LEN],
                  const uint8_t *key, size_t key_len, const uint8_t *value,
                  size_t len, uint8_t *out)
{
    uint8_t own[KEY_SLOT_LEN];
    value_key(m, slot_key, own);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, value, len, key,
                                               key_len, NULL, zeros, own);
    sodium_memzero(own, sizeof own);
}

int
master_open_value(const struct master *m,
                  const uint8_t slot_key[static KEY_SLOT_LEN],
                  const uint8_t *key, size_t key_len, const uint8_t *sealed,
                  size_t len, uint8_t *out)
{
    uint8_t own[KEY_SLOT_LEN];
    if (m && !m->key)
        return ERR_LOCKED;
    value_key(m, slot_key, own);
    const int bad = crypto_aead_xchacha20poly1305_ietf_decrypt(
        out, NULL, NULL, sealed, len, key, key_len, zeros, own);
    sodium_memzero(own, sizeof own);
    return bad ? ERR_MAC : 0;
}
