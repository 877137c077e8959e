/* client/daemon/backup.c - see backup.h.
 *
 * While records are gone through the client's lists wait, as they do for a slow disk;
 * its clock does not. No timers. Failure modes: a disk that is full or fails (no file
 * is left); a file that was changed or cut (told by what it is); no memory. */
#include "client/daemon/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/daemon/outbox_sqlite.h"
#include "lib/codec.h"
#include "lib/os/files.h"
#include "lib/secret.h"

static const char label[] = "brusio/1 backup\n";
enum {
    LABEL_LEN = sizeof label - 1,
    VERSION = 1,
    CHUNK = 65536,
    TAG_LEN = crypto_secretstream_xchacha20poly1305_ABYTES,
    STREAM_LEN = crypto_secretstream_xchacha20poly1305_HEADERBYTES,
    CHECK_LEN = 32,
    ENTRY_LEN = 6,
    DATA_MAX = 1 << 28,
    FILE_MAX = 1 << 20,
    /* places in the head */
    VERSION_AT = LABEL_LEN,
    SALT_AT,
    OPS_AT = SALT_AT + PASSPHRASE_SALT_LEN,
    MEM_AT = OPS_AT + 8,
    STREAM_AT = MEM_AT + 8,
    PROOF_AT = STREAM_AT + STREAM_LEN,
    CHECK_AT = PROOF_AT + TAG_LEN,
    HEAD_LEN = CHECK_AT + CHECK_LEN
};

_Static_assert((int)PASSPHRASE_KEY_LEN ==
                   crypto_secretstream_xchacha20poly1305_KEYBYTES,
               "the stream's");
_Static_assert(CHUNK + TAG_LEN == 65553, "as the header says");

/* What is read or written, in guarded memory. */
struct stream {
    crypto_secretstream_xchacha20poly1305_state state;
    uint8_t key[PASSPHRASE_KEY_LEN];
    uint8_t chunk[CHUNK];
    size_t at; /* of the chunk: what is used, or was read */
    bool last; /* this chunk is */
};

/* ---- writing ---- */

struct writer {
    int fd;
    struct stream *s;
    uint8_t sealed[CHUNK + TAG_LEN];
};

static int
bytes_write(int fd, const uint8_t *at, size_t len)
{
    while (len > 0) {
        const ssize_t n = write(fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? files_error(errno) : ERR_IO;
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

static int
chunk_write(struct writer *w, uint8_t tag)
{
    struct stream *s = w->s;
    memset(s->chunk + s->at, 0, CHUNK - s->at);
    s->at = 0;
    crypto_secretstream_xchacha20poly1305_push(&s->state, w->sealed, NULL,
                                               s->chunk, CHUNK, NULL, 0, tag);
    return bytes_write(w->fd, w->sealed, sizeof w->sealed);
}

static int
stream_write(struct writer *w, const uint8_t *data, size_t len)
{
    struct stream *s = w->s;
    while (len > 0) {
        const int err = s->at == CHUNK ? chunk_write(w, 0) : 0;
        if (err)
            return err;
        const size_t n = len < CHUNK - s->at ? len : CHUNK - s->at;
        memcpy(s->chunk + s->at, data, n);
        s->at += n;
        data += n;
        len -= n;
    }
    return 0;
}

static int
entry_write(struct writer *w, enum backup_kind kind, const void *name,
            size_t name_len, const uint8_t *data, size_t len)
{
    uint8_t head[ENTRY_LEN] = {(uint8_t)kind, (uint8_t)name_len};
    if (name_len > UINT8_MAX || len > DATA_MAX)
        return ERR_LONG;
    codec_put32(head + 2, (uint32_t)len);
    int err = stream_write(w, head, sizeof head);
    if (!err)
        err = stream_write(w, name, name_len);
    return err ? err : stream_write(w, data, len);
}

static int
record_write(void *ctx, const uint8_t *key, size_t key_len,
             const uint8_t *value, size_t len)
{
    return entry_write(ctx, BACKUP_RECORD, key, key_len, value, len);
}

/* Write a file of the directory, if it is there. */
static int
file_write(struct writer *w, const char *dir, const char *name)
{
    uint8_t *bytes;
    size_t len;
    int err = files_read_in(dir, name, FILE_MAX, &bytes, &len);
    if (err)
        return err == ERR_NOT_FOUND ? 0 : err;
    err = entry_write(w, BACKUP_FILE, name, strlen(name), bytes, len);
    free(bytes);
    return err;
}

/* A network file elsewhere stays there. */
static int
contents_write(struct writer *w, const struct backup_source *from)
{
    int err =
        from->sealed ? entry_write(w, BACKUP_SEALED, NULL, 0, NULL, 0) : 0;
    if (!err)
        err = file_write(w, from->dir, "client.conf");
    if (!err)
        err = file_write(w, from->dir, "profile");
    if (!err && !strchr(from->network, '/'))
        err = file_write(w, from->dir, from->network);
    if (!err)
        err = outbox_sqlite_load(from->outbox, record_write, w);
    if (!err)
        err = entry_write(w, BACKUP_END, NULL, 0, NULL, 0);
    return err ? err
               : chunk_write(w,
                             crypto_secretstream_xchacha20poly1305_TAG_FINAL);
}

static void
head_check(const uint8_t *head, uint8_t check[static CHECK_LEN])
{
    crypto_generichash(check, CHECK_LEN, head, CHECK_AT, NULL, 0);
}

/* Begin the stream, and write what stands before it. */
static int
head_write(struct writer *w, const struct passphrase *p,
           const struct passphrase_cost *cost)
{
    uint8_t head[HEAD_LEN] = {0};
    memcpy(head, label, LABEL_LEN);
    head[VERSION_AT] = VERSION;
    randombytes_buf(head + SALT_AT, PASSPHRASE_SALT_LEN);
    codec_put64(head + OPS_AT, cost->ops);
    codec_put64(head + MEM_AT, cost->mem);
    const int err = passphrase_key(w->s->key, p, head + SALT_AT, cost);
    if (err)
        return err;
    crypto_secretstream_xchacha20poly1305_init_push(
        &w->s->state, head + STREAM_AT, w->s->key);
    crypto_secretstream_xchacha20poly1305_push(
        &w->s->state, head + PROOF_AT, NULL, NULL, 0, head, PROOF_AT, 0);
    head_check(head, head + CHECK_AT);
    return bytes_write(w->fd, head, sizeof head);
}

int
backup_write(const char *path, const struct backup_source *from,
             const struct passphrase *p, const struct passphrase_cost *cost)
{
    struct writer *w = malloc(sizeof *w);
    struct stream *s = secret_new(sizeof *s);
    int err = w && s ? 0 : ERR_NOMEM, fd = -1;
    if (!err) {
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                  0600);
        err = fd >= 0 ? 0 : errno == EEXIST ? ERR_EXISTS : files_error(errno);
    }
    if (!err) {
        w->fd = fd;
        w->s = s;
        err = head_write(w, p, cost);
        if (!err)
            err = contents_write(w, from);
        if (!err && fsync(fd))
            err = files_error(errno);
        if (close(fd) && !err)
            err = files_error(errno);
        if (!err)
            err = files_sync_directory(path);
        if (err)
            unlink(path);
    }
    free(w);
    secret_free((void **)&s);
    return err;
}

void
backup_tidy(const char *dir)
{
    char path[FILES_PATH_MAX];
    const struct dirent *e;
    DIR *d = opendir(dir);
    while (d && (e = readdir(d)))
        if (strncmp(e->d_name, BACKUP_PART, sizeof BACKUP_PART - 1) == 0 &&
            !files_path(path, dir, e->d_name))
            unlink(path);
    if (d)
        closedir(d);
}

/* ---- reading ---- */

struct backup {
    int fd;
    struct stream *s;
    uint8_t head[HEAD_LEN];
    uint8_t sealed[CHUNK + TAG_LEN];
};

/* Read len bytes, or as many as there are. */
static int
bytes_read(int fd, uint8_t *out, size_t len, size_t *got)
{
    *got = 0;
    while (*got < len) {
        const ssize_t n = read(fd, out + *got, len - *got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return files_error(errno);
        if (n == 0)
            break;
        *got += (size_t)n;
    }
    return 0;
}

static int
head_take(struct backup *b)
{
    uint8_t check[CHECK_LEN];
    size_t n;
    const int err = bytes_read(b->fd, b->head, HEAD_LEN, &n);
    if (err)
        return err;
    if (n < LABEL_LEN || memcmp(b->head, label, LABEL_LEN) != 0)
        return ERR_FORMAT;
    if (n < HEAD_LEN)
        return ERR_SHORT;
    head_check(b->head, check);
    if (memcmp(check, b->head + CHECK_AT, CHECK_LEN) != 0)
        return ERR_DAMAGED;
    return b->head[VERSION_AT] == VERSION ? 0 : ERR_VERSION;
}

int
backup_open(struct backup **out, const char *path)
{
    struct backup *b = calloc(1, sizeof *b);
    *out = b;
    if (!b)
        return ERR_NOMEM;
    b->fd = -1;
    b->s = secret_new(sizeof *b->s);
    int err = b->s ? 0 : ERR_NOMEM;
    if (!err) {
        b->fd = open(path, O_RDONLY | O_CLOEXEC);
        err = b->fd >= 0        ? 0
              : errno == ENOENT ? ERR_NOT_FOUND
                                : files_error(errno);
    }
    if (!err)
        err = head_take(b);
    if (err)
        backup_free(out);
    return err;
}

void
backup_free(struct backup **bp)
{
    struct backup *b = *bp;
    *bp = NULL;
    if (!b)
        return;
    if (b->fd >= 0)
        close(b->fd);
    secret_free((void **)&b->s);
    free(b);
}

/* Begin the stream, with the key that is known. */
static int
stream_begin(struct backup *b)
{
    uint8_t none[1], tag;
    struct stream *s = b->s;
    s->at = CHUNK;
    s->last = false;
    return crypto_secretstream_xchacha20poly1305_init_pull(
               &s->state, b->head + STREAM_AT, s->key) ||
                   crypto_secretstream_xchacha20poly1305_pull(
                       &s->state, none, NULL, &tag, b->head + PROOF_AT, TAG_LEN,
                       b->head, PROOF_AT)
               ? ERR_PASSPHRASE
               : 0;
}

int
backup_unlock(struct backup *b, const struct passphrase *p)
{
    const struct passphrase_cost cost = {.ops = codec_get64(b->head + OPS_AT),
                                         .mem = codec_get64(b->head + MEM_AT)};
    const int err = passphrase_key(b->s->key, p, b->head + SALT_AT, &cost);
    return err ? err : stream_begin(b);
}

static int
chunk_read(struct backup *b)
{
    struct stream *s = b->s;
    uint8_t tag = 0, more;
    size_t n;
    if (s->last)
        return ERR_FORMAT; /* its entries go beyond it */
    int err = bytes_read(b->fd, b->sealed, sizeof b->sealed, &n);
    if (!err && n < sizeof b->sealed)
        err = ERR_SHORT;
    if (!err && crypto_secretstream_xchacha20poly1305_pull(
                    &s->state, s->chunk, NULL, &tag, b->sealed, n, NULL, 0))
        err = ERR_DAMAGED;
    if (err)
        return err;
    s->at = 0;
    s->last = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
    if (s->last)
        err = bytes_read(b->fd, &more, 1, &n);
    return err ? err : s->last && n > 0 ? ERR_DAMAGED : 0;
}

static int
stream_read(struct backup *b, uint8_t *out, size_t len)
{
    struct stream *s = b->s;
    while (len > 0) {
        const int err = s->at == CHUNK ? chunk_read(b) : 0;
        if (err)
            return err;
        const size_t n = len < CHUNK - s->at ? len : CHUNK - s->at;
        memcpy(out, s->chunk + s->at, n);
        s->at += n;
        out += n;
        len -= n;
    }
    return 0;
}

/* Read one entry and hand it on; *over tells that it was the end. */
static int
entry_read(struct backup *b, backup_fn fn, void *ctx, bool *over)
{
    uint8_t head[ENTRY_LEN] = {0}, name[UINT8_MAX], *data = NULL;
    int err = stream_read(b, head, sizeof head);
    const size_t name_len = head[1], len = codec_get32(head + 2);
    if (!err && (head[0] > BACKUP_SEALED || len > DATA_MAX))
        err = ERR_FORMAT;
    if (!err && !(data = malloc(len + 1)))
        err = ERR_NOMEM;
    if (!err)
        err = stream_read(b, name, name_len);
    if (!err)
        err = stream_read(b, data, len);
    *over = !err && head[0] == BACKUP_END;
    if (!err && !*over)
        err = fn(ctx, head[0], name, name_len, data, len);
    if (data)
        sodium_memzero(data, len);
    free(data);
    return err;
}

int
backup_each(struct backup *b, backup_fn fn, void *ctx)
{
    bool over = false;
    int err = lseek(b->fd, HEAD_LEN, SEEK_SET) < 0 ? files_error(errno) : 0;
    if (!err)
        err = stream_begin(b);
    while (!err && !over)
        err = entry_read(b, fn, ctx, &over);
    return err || b->s->last ? err : ERR_FORMAT;
}
