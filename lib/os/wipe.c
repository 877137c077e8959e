/* lib/os/wipe.c - overwriting, and pages of keys. No state. */
#include "lib/os/wipe.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/os/files.h"
#include "lib/secret.h"

static const char label[] = "brusio/1 key page\n";
enum { LABEL_LEN = sizeof label - 1 };

static int
zeros_write(int fd, off_t len)
{
    static const uint8_t zeros[WIPE_PAGE_LEN];
    for (off_t at = 0; at < len;) {
        const off_t left = len - at;
        const size_t n =
            left < WIPE_PAGE_LEN ? (size_t)left : (size_t)WIPE_PAGE_LEN;
        const ssize_t k = pwrite(fd, zeros, n, at);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return files_error(errno);
        at += k;
    }
    return fsync(fd) ? files_error(errno) : 0;
}

int
wipe_file(const char *path)
{
    struct stat st;
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW), err;
    if (fd < 0)
        return errno == ENOENT ? 0 : files_error(errno);
    err = fstat(fd, &st) || !S_ISREG(st.st_mode) ? ERR_IO : 0;
    if (!err)
        err = zeros_write(fd, st.st_size);
    close(fd);
    if (!err && unlink(path))
        err = files_error(errno);
    return err ? err : files_sync_directory(path);
}

static int
page_read(const uint8_t *page, size_t len, uint8_t *key)
{
    if (len != WIPE_PAGE_LEN)
        return ERR_FORMAT;
    if (sodium_is_zero(page, len))
        return ERR_EXPIRED;
    if (memcmp(page, label, LABEL_LEN) != 0)
        return ERR_FORMAT;
    memcpy(key, page + LABEL_LEN, WIPE_KEY_LEN);
    return 0;
}

int
wipe_key(const char *path, uint8_t **key)
{
    uint8_t *page;
    size_t len;
    *key = secret_new(WIPE_KEY_LEN);
    if (!*key)
        return ERR_NOMEM;
    int err = files_read(path, WIPE_PAGE_LEN, &page, &len);
    if (err == ERR_NOT_FOUND) {
        len = WIPE_PAGE_LEN;
        page = calloc(1, len);
        err = page ? 0 : ERR_NOMEM;
        if (!err) {
            randombytes_buf(*key, WIPE_KEY_LEN);
            memcpy(page, label, LABEL_LEN);
            memcpy(page + LABEL_LEN, *key, WIPE_KEY_LEN);
            err = files_write(path, page, len);
        }
    } else if (!err) {
        err = page_read(page, len, *key);
    }
    if (page) {
        sodium_memzero(page, len);
        free(page);
    }
    if (err)
        secret_free((void **)key);
    return err;
}
