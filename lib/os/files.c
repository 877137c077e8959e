/* lib/os/files.c - reading and replacing whole files.
 *
 * A file is replaced by a new one that is written beside it, synced and
 * renamed, and the directory is synced too: after a crash there is the old file
 * or the new one, never a part. No state, no timers. Failure modes: what the
 * system says, by files_error(); a file that is too long, or is no ordinary
 * file. A replacement that failed leaves the old file as it was. */
#include "lib/os/files.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/codec.h"
#include "lib/secret.h"

int
files_error(int number)
{
    switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: /* of this process, or of the file system */
        return ERR_ROOM;
    case EROFS:
        return ERR_READONLY;
    case EACCES:
    case EPERM:
        return ERR_ACCESS;
    case EISDIR:
    case ELOOP:
    case ENXIO:
        return ERR_KIND;
    case ENOENT:
    case ENOTDIR:
        return ERR_FOLDER;
    case ENAMETOOLONG:
        return ERR_NAME;
    case EMFILE:
    case ENFILE:
        return ERR_FILES;
    case ENOMEM:
        return ERR_NOMEM;
    default:
        return ERR_IO;
    }
}

int
files_path(char out[static FILES_PATH_MAX], const char *dir, const char *name)
{
    int n = snprintf(out, FILES_PATH_MAX, "%s/%s", dir, name);
    return n < FILES_PATH_MAX ? 0 : ERR_LONG;
}

int
files_read(const char *path, size_t max, uint8_t **out, size_t *len)
{
    struct stat st;
    *out = NULL;
    *len = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
    if (fd < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : files_error(errno);
    if (fstat(fd, &st))
        err = files_error(errno);
    else if (!S_ISREG(st.st_mode))
        err = ERR_KIND;
    else if ((uint64_t)st.st_size > max)
        err = ERR_LONG;
    else if (!(*out = malloc((size_t)st.st_size + 1)))
        err = ERR_NOMEM;
    while (!err && *len < (size_t)st.st_size) {
        ssize_t n = read(fd, *out + *len, (size_t)st.st_size - *len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            err = n < 0 ? files_error(errno) : ERR_IO;
        else
            *len += (size_t)n;
    }
    close(fd);
    if (err) {
        free(*out);
        *out = NULL;
        return err;
    }
    (*out)[*len] = 0;
    return 0;
}

int
files_sync_directory(const char *path)
{
    char dir[FILES_PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 1;
    if (n >= sizeof dir)
        return ERR_LONG;
    memcpy(dir, slash ? path : ".", n);
    dir[n] = 0;
    int fd = open(n ? dir : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return files_error(errno);
    const int err = fsync(fd) ? files_error(errno) : 0;
    close(fd);
    return err;
}

/* Write len bytes to fd and on to the disk, and close fd. */
static int
descriptor_write(int fd, const uint8_t *at, size_t len)
{
    int err = 0;
    while (len > 0 && !err) {
        ssize_t k = write(fd, at, len);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0) {
            err = k < 0 ? files_error(errno) : ERR_IO;
        } else {
            at += k;
            len -= (size_t)k;
        }
    }
    if (fsync(fd) && !err)
        err = files_error(errno);
    if (close(fd) && !err)
        err = files_error(errno);
    return err;
}

int
files_write(const char *path, const void *data, size_t len)
{
    char temporary[FILES_PATH_MAX + 8];
    int n = snprintf(temporary, sizeof temporary, "%s.new", path);
    if (n >= (int)sizeof temporary)
        return ERR_LONG;
    int fd = open(temporary,
                  O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return files_error(errno);
    int err = descriptor_write(fd, data, len);
    if (!err && rename(temporary, path))
        err = files_error(errno);
    if (err) {
        unlink(temporary);
        return err;
    }
    /* the directory's entry has to reach the disk as well */
    return files_sync_directory(path);
}

/* Write each block of the first len bytes of fd anew, with what it holds, which
 * gives room to those that have none. */
static int
blocks_write(int fd, size_t len)
{
    enum { BLOCK = 4096 };
    uint8_t block[BLOCK];
    for (size_t at = 0; at < len; at += BLOCK) {
        const size_t n = len - at < BLOCK ? len - at : BLOCK;
        memset(block, 0, n); /* what lies beyond the end */
        errno = EIO;         /* for a write that ends early */
        if (pread(fd, block, n, (off_t)at) < 0 ||
            pwrite(fd, block, n, (off_t)at) != (ssize_t)n)
            return errno;
    }
    return 0;
}

int
files_reserve(int fd, size_t len)
{
    struct stat st;
    int number;
    if (fstat(fd, &st))
        return files_error(errno);
    do
        number = posix_fallocate(fd, 0, (off_t)len);
    while (number == EINTR);
    if (number == EOPNOTSUPP || number == EINVAL || number == ENOSYS)
        number = blocks_write(fd, len); /* a file system that cannot */
    if (number && ftruncate(fd, st.st_size))
        return files_error(number); /* the first reason is the one */
    return number ? files_error(number) : 0;
}

int
files_read_in(const char *dir, const char *name, size_t max, uint8_t **out,
              size_t *len)
{
    char path[FILES_PATH_MAX];
    const int err = files_path(path, dir, name);
    return err ? err : files_read(path, max, out, len);
}

int
files_write_in(const char *dir, const char *name, const void *data, size_t len)
{
    char path[FILES_PATH_MAX];
    const int err = files_path(path, dir, name);
    return err ? err : files_write(path, data, len);
}

int
files_mkdir(const char *path)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : files_error(errno);
}

int
files_lock(const char *dir, int *fd)
{
    *fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd < 0)
        return files_error(errno);
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    int err = errno == EWOULDBLOCK ? ERR_AGAIN : files_error(errno);
    close(*fd);
    *fd = -1;
    return err;
}

int
files_key(const char *path, uint8_t **key)
{
    uint8_t *text;
    size_t len;
    *key = secret_new(32);
    if (!*key)
        return ERR_NOMEM;
    int err = files_read(path, 128, &text, &len);
    if (err == ERR_NOT_FOUND) {
        char hex[66];
        randombytes_buf(*key, 32);
        codec_hex(hex, *key, 32);
        hex[64] = '\n';
        err = files_write(path, hex, 65);
        sodium_memzero(hex, sizeof hex);
    } else if (!err) {
        if (len > 0 && text[len - 1] == '\n')
            text[len - 1] = 0;
        err = codec_unhex(*key, 32, (char *)text);
        sodium_memzero(text, len);
        free(text);
    }
    if (err)
        secret_free((void **)key);
    return err;
}

int
files_print(const char *program, const char *dir, const char *name,
            const char *absent)
{
    uint8_t *text;
    size_t len;
    int err = files_read_in(dir, name, 1 << 16, &text, &len);
    if (err) {
        fprintf(stderr, "%s: %s: %s\n", program, dir,
                err == ERR_NOT_FOUND ? absent : error_text(err));
        return 1;
    }
    fwrite(text, 1, len, stdout);
    free(text);
    return 0;
}

void
files_report(int fd, const char *name, const char *value)
{
    if (fd < 0)
        return;
    dprintf(fd, "%s %s\n", name, value);
}
