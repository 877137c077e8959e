/* client/daemon/received.c - files that came, put where the user wants them.
 *
 * A name is taken first (O_EXCL), and then replaced by a whole file that is on the
 * disk: whatever fails, no other file is touched and no half of one is left. */
#include "client/daemon/received.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/daemon/terminal.h"

enum { SAME_NAME_MAX = 1000, SHORT_NAME = 120 };

static int
fail(const char *path, const char *what)
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
        return fail(place, strerror(errno));
    if (isatty(fd)) {
        if (!out)
            close(fd);
        return fail(place,
                    "it is a terminal, which would obey what the contact "
                    "wrote");
    }
    fflush(stdout);
    const int bad = all_write(fd, data, len), why = errno;
    if (!out && close(fd) && !bad)
        return fail(place, strerror(errno));
    return bad ? fail(place, strerror(why)) : 0;
}

/* Take the name, which must be free. Returns 0 or -1, and errno. */
static int
name_take(const char *path)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return fd < 0 ? -1 : close(fd);
}

/* Take the file's name in this directory, or the next that is free. */
static int
name_find(char path[static FILES_PATH_MAX], const char *dir, const char *name)
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
        if (name_take(path) == 0)
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

/* Put a whole file in the place of the empty one at path, which is ours. Returns 0
 * or -1, and errno. */
static int
file_fill(const char *path, const void *data, size_t len)
{
    char temporary[FILES_PATH_MAX + 16];
    const char *slash = strrchr(path, '/');
    const int n = slash ? (int)(slash - path) + 1 : 0;
    snprintf(temporary, sizeof temporary, "%.*s.brusio-XXXXXX", n, path);
    const int fd = mkostemp(temporary, O_CLOEXEC);
    int bad = fd < 0 || all_write(fd, data, len) || fsync(fd), why = errno;
    if (fd >= 0 && close(fd) && !bad) {
        bad = 1;
        why = errno;
    }
    if (!bad && rename(temporary, path)) {
        bad = 1;
        why = errno;
    }
    if (bad && fd >= 0)
        unlink(temporary);
    errno = why;
    return bad ? -1 : 0;
}

int
received_save(char path[static FILES_PATH_MAX], const char *place,
              const char *name, const void *data, size_t len)
{
    struct stat st;
    const char *dir = place ? place : ".";
    snprintf(path, FILES_PATH_MAX, "%s", place ? place : name);
    const bool taken = place && stat(place, &st) == 0;
    if (place && strlen(place) >= FILES_PATH_MAX)
        return fail(place, strerror(ENAMETOOLONG));
    if (place && strcmp(place, "-") == 0)
        return stream_write(place, data, len);
    if (taken && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return stream_write(place, data, len);
    if (!place || is_directory(place) ? name_find(path, dir, name)
                                      : name_take(path))
        return fail(path, errno == EEXIST ? "there is such a file already"
                                          : strerror(errno));
    if (file_fill(path, data, len)) {
        const int why = errno;
        unlink(path); /* the empty one */
        return fail(path, strerror(why));
    }
    if (files_sync_directory(path))
        return fail(path, strerror(errno));
    return 0;
}
