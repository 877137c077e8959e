/* client/commands/received.c - files that came, put where the user wants them.
 *
 * A file is written and synced under a name of its own, and then gets the name that
 * it is to have, if that is free: whatever fails or happens meanwhile, no other file
 * is touched and no half of one is left. */
#include "client/commands/received.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/commands/terminal.h"

enum { SAME_NAME_MAX = 1000, SHORT_NAME = 120 };

static int
place_fail(const char *path, const char *what)
{
    fputs("brusio-client: ", stderr);
    terminal_word(stderr, path);
    fprintf(stderr,
            ": %s; the message stays, '--out FILE' or '--out DIRECTORY' names "
            "another place\n",
            what);
    return -1;
}

static bool
is_directory(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool
received_takes_many(const char *place)
{
    struct stat st;
    return !place || strcmp(place, "-") == 0 ||
           (stat(place, &st) == 0 && !S_ISREG(st.st_mode));
}

/* Write all of it. Returns 0 or -1, and errno. */
static int
all_write(int fd, const char *at, size_t len)
{
    while (len > 0) {
        const ssize_t n = write(fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

/* To the standard output, or to a pipe or device that is there. */
static int
stream_write(const char *place, const void *data, size_t len)
{
    const bool out = strcmp(place, "-") == 0;
    const int fd =
        out ? STDOUT_FILENO : open(place, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return place_fail(place, strerror(errno));
    struct stat st;
    if (!out && (fstat(fd, &st) || S_ISREG(st.st_mode))) {
        close(fd);
        return place_fail(place, "there is such a file already");
    }
    if (isatty(fd)) {
        if (!out)
            close(fd);
        return place_fail(place,
                          "it is a terminal, which would obey what the contact "
                          "wrote");
    }
    fflush(stdout);
    const int bad = all_write(fd, data, len), why = errno;
    if (!out && close(fd) && !bad)
        return place_fail(place, strerror(errno));
    return bad ? place_fail(place, strerror(why)) : 0;
}

/* Write a file with a name of its own beside path. Returns 0 or -1, and errno; then
 * nothing is left. */
static int
temporary_make(char temporary[static FILES_PATH_MAX], const char *path,
               const void *data, size_t len)
{
    const char *slash = strrchr(path, '/');
    const int n = slash ? (int)(slash - path) + 1 : 0;
    if (snprintf(temporary, FILES_PATH_MAX, "%.*s.brusio-XXXXXX", n, path) >=
        FILES_PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    const int fd = mkostemp(temporary, O_CLOEXEC);
    int bad = fd < 0 || all_write(fd, data, len) || fsync(fd), why = errno;
    if (fd >= 0 && close(fd) && !bad) {
        bad = 1;
        why = errno;
    }
    if (bad && fd >= 0)
        unlink(temporary);
    errno = why;
    return bad ? -1 : 0;
}

/* Give the temporary file this name, which must be free. Returns 0 or -1, and
 * errno. */
static int
name_give(const char *temporary, const char *path)
{
    if (link(temporary, path) == 0)
        return unlink(temporary);
    if (errno != EPERM && errno != ENOTSUP && errno != ENOSYS)
        return -1;
    /* a file system without links: the name is taken, and then replaced */
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    close(fd);
    return rename(temporary, path);
}

/* The same in this directory under the file's name, or the next that is free. */
static int
name_find(const char *temporary, char path[static FILES_PATH_MAX],
          const char *dir, const char *name)
{
    char short_name[SHORT_NAME], other[TERMINAL_NAME_MAX];
    for (unsigned n = 0; n < SAME_NAME_MAX; n++) {
        if (n == 0)
            snprintf(other, sizeof other, "%s", name);
        else
            terminal_file_name_next(other, sizeof other, name, n);
        if (files_path(path, dir, other)) {
            errno = ENAMETOOLONG;
            return -1;
        }
        if (name_give(temporary, path) == 0)
            return 0;
        if (errno == ENAMETOOLONG && name != short_name) {
            /* some file systems have less room than others */
            terminal_file_name(short_name, sizeof short_name, name);
            name = short_name;
        } else if (errno != EEXIST) {
            return -1;
        }
    }
    errno = EEXIST;
    return -1;
}

int
received_save(char path[static FILES_PATH_MAX], bool *made, const char *place,
              const char *name, const void *data, size_t len)
{
    struct stat st;
    *made = false;
    const char *dir = place ? place : ".";
    snprintf(path, FILES_PATH_MAX, "%s", place ? place : name);
    const bool taken = place && stat(place, &st) == 0;
    if (place && strlen(place) >= FILES_PATH_MAX)
        return place_fail(place, strerror(ENAMETOOLONG));
    if (place && strcmp(place, "-") == 0)
        return stream_write(place, data, len);
    if (taken && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return stream_write(place, data, len);
    const bool named = place && !is_directory(place);
    char beside[FILES_PATH_MAX], temporary[FILES_PATH_MAX];
    if (!named && files_path(beside, dir, ""))
        return place_fail(dir, strerror(ENAMETOOLONG));
    if (temporary_make(temporary, named ? path : beside, data, len))
        return place_fail(path, strerror(errno));
    if (named ? name_give(temporary, path)
              : name_find(temporary, path, dir, name)) {
        const int why = errno;
        unlink(temporary);
        return place_fail(path, why == EEXIST ? "there is such a file already"
                                              : strerror(why));
    }
    *made = true;
    if (files_sync_directory(path))
        return place_fail(path, strerror(errno));
    return 0;
}
