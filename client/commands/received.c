/* client/commands/received.c - files that came, put where the user wants them.
 *
 * A file is written and synced under a name of its own, and then gets the name that
 * it is to have, if that is free: whatever fails or happens meanwhile, no other file
 * is touched and no half of one is left. */
#include "client/commands/received.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "client/commands/calling.h"
#include "client/commands/terminal.h"
#include "lib/codec.h"
#include "lib/error.h"
#include "lib/os/program.h"

static const char program[] = "brusio-client";

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

/* ---- telling what came ---- */

/* A message, and what is to be told of it. */
struct reading {
    const json_t *root;
    const char *text; /* NULL: a file */
    size_t text_len;
    const char *path; /* where it went; NULL: to the output */
    size_t len;
};

/* Where is told what came? What goes to the standard output alone is told beside
 * it. */
static FILE *
told_to(const char *place)
{
    return place && strcmp(place, "-") == 0 ? stderr : stdout;
}

/* A path as JSON can say it: bytes that are no UTF-8 are '_'. NULL: no memory. */
static json_t *
path_json(const char *path)
{
    json_t *whole = json_string(path);
    char *text = whole ? NULL : strdup(path);
    for (char *at = text; at && *at; at++)
        if ((unsigned char)*at >= 0x80)
            *at = '_';
    if (text)
        whole = json_string(text);
    free(text);
    return whole;
}

/* Tell in one object of JSON what came, and where it is. */
static int
json_tell(const struct reading *m, const char *place)
{
    json_t *o = json_deep_copy(m->root);
    int status = 1;
    if (o && m->path) {
        json_object_del(o, "data");
        json_object_del(o, "text");
        json_object_set_new(o, "file", path_json(m->path));
        json_object_set_new(o, "len", json_integer((json_int_t)m->len));
    }
    if (o)
        status = calling_json_to(told_to(place), o);
    json_decref(o);
    return status;
}

void
received_head(FILE *out, const json_t *root)
{
    const int64_t number = calling_number(root, "number");
    const int64_t late_after = calling_number(root, "late_after");
    const time_t sent_s = (time_t)calling_number(root, "sent_s");
    char when[32];
    struct tm tm;
    if (sent_s > 0 && localtime_r(&sent_s, &tm) &&
        strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &tm) > 0)
        fprintf(out, "%s ", when);
    if (number > 0)
        fprintf(out, "[%" PRId64 "] ", number);
    terminal_word(out, json_string_value(json_object_get(root, "from")));
    if (late_after > 0)
        fprintf(out, " (written before [%" PRId64 "], which came first)",
                late_after);
    fputs(": ", out);
}

/* Tell people. */
static void
plain_tell(const struct reading *m, const char *place)
{
    FILE *const out = told_to(place);
    received_head(out, m->root);
    if (!m->path) {
        terminal_text(out, m->text, m->text_len);
        putc('\n', out);
        return;
    }
    fputs(m->text ? "text to " : "file ", out);
    terminal_word(out, m->path);
    fprintf(out, ", %zu byte%s\n", m->len, m->len == 1 ? "" : "s");
}

/* What a file holds; *data is malloc'd. Returns 0, or 1 and has said why. */
static int
data_read(const json_t *root, uint8_t **data, size_t *len)
{
    const char *base64 = json_string_value(json_object_get(root, "data"));
    const size_t room = base64 ? strlen(base64) + 1 : 1;
    *data = malloc(room);
    *len = 0;
    const int err =
        *data && base64 ? codec_unbase64(*data, room, len, base64) : ERR_NOMEM;
    if (err)
        program_fail(program, "%s; the message stays", error_text(err));
    return err ? 1 : 0;
}

/* Tell that a message came and cannot be read any more. */
static int
damaged_tell(bool json, const json_t *root)
{
    if (json)
        return calling_json(root);
    received_head(stdout, root);
    puts("its record on the disk is damaged; nobody can read it any more");
    return program_flush(program, "");
}

int
received_take(const char *place, bool json, const json_t *root)
{
    if (json_is_true(json_object_get(root, "damaged")))
        return damaged_tell(json, root);
    const char *given = json_string_value(json_object_get(root, "file_name"));
    const json_t *text = json_object_get(root, "text");
    char name[TERMINAL_NAME_MAX], path[FILES_PATH_MAX];
    uint8_t *data = NULL;
    struct reading m = {.root = root,
                        .text = json_string_value(text),
                        .text_len = json_string_length(text)};
    bool made = false;
    int status = 0;
    if (!m.text || place) {
        terminal_file_name(name, sizeof name,
                           m.text  ? "text"
                           : given ? given
                                   : "file");
        m.len = m.text_len;
        /* a text that is none is there as it came, too */
        if (json_object_get(root, "data"))
            status = data_read(root, &data, &m.len);
        if (!status)
            status = received_save(path, &made, place, name,
                                   data ? (const void *)data : m.text, m.len)
                         ? 1
                         : 0;
        m.path = path;
    }
    if (!status && json)
        status = json_tell(&m, place);
    else if (!status)
        plain_tell(&m, place);
    if (!status)
        status = program_flush(program, "; the message stays");
    if (status && made && !unlink(path))
        (void)!files_sync_directory(path);
    free(data);
    return status;
}
