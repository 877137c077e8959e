/* client/commands/cli_recv.c - reading what came.
 *
 * A message is released when it was surely written where it was to go: then, and
 * not before, the client forgets it. One that cannot be written stays, and is the
 * next one again. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/commands/calling.h"
#include "client/commands/cli.h"
#include "client/commands/received.h"
#include "client/commands/terminal.h"
#include "lib/codec.h"
#include "lib/error.h"
#include "lib/os/clock.h"
#include "lib/os/program.h"

static const char program[] = "brusio-client";

enum { POLL_US = 50000, FOLLOW_US = 200000, READ_US = 10000000 };

/* A message, and what is to be told of it. */
struct reading {
    const json_t *root;
    const char *from;
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

/* Print when the message was written, by the local clock's zone, and its number with
 * its sender; a program of before told neither. */
static void
head_print(FILE *out, const json_t *root)
{
    const int64_t number = calling_number(root, "number");
    const time_t sent_s = (time_t)calling_number(root, "sent_s");
    char when[32];
    struct tm tm;
    if (sent_s > 0 && localtime_r(&sent_s, &tm) &&
        strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &tm) > 0)
        fprintf(out, "%s ", when);
    if (number > 0)
        fprintf(out, "[%" PRId64 "] ", number);
}

/* Tell people. */
static void
plain_tell(const struct reading *m, const char *place)
{
    FILE *const out = told_to(place);
    const int64_t late_after = calling_number(m->root, "late_after");
    head_print(out, m->root);
    terminal_word(out, m->from);
    if (late_after > 0)
        fprintf(out, " (written before [%" PRId64 "], which came first)",
                late_after);
    fputs(": ", out);
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

/* Put the message where it is to go, and tell of it: a file of which nobody was told
 * does not stay, since the message does. Returns the exit status. */
static int
message_take(const struct cli *c, const json_t *root)
{
    const char *given = json_string_value(json_object_get(root, "file_name"));
    const json_t *text = json_object_get(root, "text");
    char name[TERMINAL_NAME_MAX], path[FILES_PATH_MAX];
    uint8_t *data = NULL;
    struct reading m = {.root = root,
                        .from =
                            json_string_value(json_object_get(root, "from")),
                        .text = json_string_value(text),
                        .text_len = json_string_length(text)};
    bool made = false;
    int status = 0;
    if (!m.text || c->out) {
        terminal_file_name(name, sizeof name,
                           m.text  ? "text"
                           : given ? given
                                   : "file");
        m.len = m.text_len;
        /* a text that is none is there as it came, too */
        if (json_object_get(root, "data"))
            status = data_read(root, &data, &m.len);
        if (!status)
            status = received_save(path, &made, c->out, name,
                                   data ? (const void *)data : m.text, m.len)
                         ? 1
                         : 0;
        m.path = path;
    }
    if (!status && c->json)
        status = json_tell(&m, c->out);
    else if (!status)
        plain_tell(&m, c->out);
    if (!status)
        status = program_flush(program, "; the message stays");
    if (status && made && !unlink(path))
        (void)!files_sync_directory(path);
    free(data);
    return status;
}

static int
message_release(struct calling *l, const json_t *r)
{
    json_t *done = calling_make(
        l, "release", json_pack("{sI}", "order", calling_number(r, "order")));
    json_decref(done);
    return done ? 0 : 1;
}

/* Take the next message, if there is one: counts it. Returns the exit status. */
static int
message_next(struct calling *l, const struct cli *c, uint64_t *seen, bool *none)
{
    json_t *r = calling_make(l, "recv",
                             c->name ? json_pack("{ss}", "from", c->name)
                                     : json_object());
    *none = json_is_null(r);
    int status = r ? 0 : 1;
    if (r && !*none) {
        status = c->skip ? 0 : message_take(c, r);
        if (!status)
            status = message_release(l, r);
        *seen += status == 0;
    }
    json_decref(r);
    return status;
}

/* Is the next message on its way from the disk? Then it is there in a moment. */
static bool
message_is_read(struct calling *l)
{
    json_t *r = calling_make(l, "status", json_object());
    const bool reads = json_is_true(json_object_get(r, "reading"));
    json_decref(r);
    return reads;
}

int
cli_recv(const struct cli *c)
{
    struct calling l;
    const uint64_t since_us = clock_mono_us();
    uint64_t seen = 0;
    int status = 0;
    bool none;
    if (c->out && (c->count > 1 || c->follow) && !received_takes_many(c->out))
        return program_misuse(
            program,
            "%s takes one message; name a directory, or '-', for several",
            c->out);
    if (calling_open(&l, c->dir))
        return 1;
    while (status == 0 && (c->follow || seen < c->count)) {
        status = message_next(&l, c, &seen, &none);
        if (status || !none)
            continue;
        const uint64_t waited_us = clock_mono_us() - since_us;
        if (!c->follow && waited_us >= c->wait_s * 1000000 &&
            (waited_us >= READ_US || !message_is_read(&l)))
            break;
        if (!c->follow)
            cli_progress("waiting; messages so far:", (int64_t)seen,
                         (int64_t)c->count, since_us);
        usleep(c->follow ? FOLLOW_US : POLL_US);
    }
    if (status == 0 && seen == 0 && c->wait_s > 0) {
        program_fail(program, "nothing came");
        status = 1;
    }
    calling_close(&l);
    return status;
}
