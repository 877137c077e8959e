/* client/commands/cli_send.c - commands that write, and what becomes of it: send, state,
 * outbox, cancel, estimate.
 *
 * No state: what is sent is the running client's from the answer on, which comes when
 * it is on that client's disk. 'send --wait' asks again and again how far it is; who
 * ends that loses nothing.
 * Failure modes: a file or a pipe that cannot be read (input.h says why), no client,
 * a refused call, an output that fails. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/commands/calling.h"
#include "client/commands/cli.h"
#include "client/commands/input.h"
#include "client/commands/terminal.h"
#include "client/letters/letter.h"
#include "lib/codec.h"
#include "lib/error.h"
#include "lib/os/clock.h"
#include "lib/os/program.h"

static const char program[] = "brusio-client";

enum { POLL_US = 50000 };

/* Make a name of any bytes one that a message can carry. */
static void
name_make(char out[static TERMINAL_NAME_MAX], const struct cli *c)
{
    const char *given = c->file_name                ? c->file_name
                        : strcmp(c->file, "-") == 0 ? "file"
                                                    : c->file;
    const char *slash = strrchr(given, '/');
    json_t *whole;
    size_t n = 0;
    for (const char *at = slash ? slash + 1 : given;
         *at && n + 1 < TERMINAL_NAME_MAX; at++)
        out[n++] = *at;
    out[n] = 0;
    whole = json_string(out); /* NULL: not UTF-8 */
    for (char *at = out; !whole && *at; at++)
        if ((unsigned char)*at >= 0x80)
            *at = '_';
    json_decref(whole);
    if (n == 0)
        snprintf(out, TERMINAL_NAME_MAX, "file");
}

static json_t *
file_params(const struct cli *c)
{
    uint8_t *data;
    size_t len;
    char name[TERMINAL_NAME_MAX];
    if (input_read(c->file, &data, &len))
        return NULL;
    name_make(name, c);
    char *text = malloc(CODEC_BASE64_LEN(len));
    json_t *params = NULL;
    if (text) {
        codec_base64(text, CODEC_BASE64_LEN(len), data, len);
        params = json_pack("{ss ss ss}", "to", c->name, "file_name", name,
                           "data", text);
    }
    if (!params)
        program_fail(program, "%s",
                     text ? "the contact's name is not UTF-8"
                          : error_text(ERR_NOMEM));
    free(text);
    free(data);
    return params;
}

/* ---- what waits ---- */

/* Write so many seconds for people: "40 s", "12 min", "3.9 hours". */
static const char *
duration_write(char out[static 32], int64_t seconds)
{
    enum { MIN = 60, HOUR = 3600, DAY = 86400 };
    if (seconds < 2 * MIN)
        snprintf(out, 32, "%" PRId64 " s", seconds);
    else if (seconds < 2 * HOUR)
        snprintf(out, 32, "%" PRId64 " min", (seconds + MIN / 2) / MIN);
    else if (seconds < 2 * DAY)
        snprintf(out, 32, "%.1f hours", (double)seconds / HOUR);
    else
        snprintf(out, 32, "%.1f days", (double)seconds / DAY);
    return out;
}

/* Say how long a message takes, if that is long. */
static void
estimate_say(const json_t *m)
{
    enum { LONG_S = 20 };
    char text[32];
    const int64_t s = calling_number(m, "estimate_s");
    if (s >= LONG_S)
        program_fail(program,
                     "%" PRId64
                     " letters: about %s, if both clients are connected; "
                     "'outbox' tells how far it is, 'cancel' gives it up",
                     calling_number(m, "letters"), duration_write(text, s));
}

static void
queued_print(const json_t *m)
{
    char text[32];
    terminal_word(stdout, json_string_value(json_object_get(m, "to")));
    printf(" %" PRId64 ": %s of %" PRId64 " bytes, %s, %" PRId64 " of %" PRId64
           " letters acknowledged, about %s\n",
           calling_number(m, "order"),
           json_string_value(json_object_get(m, "kind")),
           calling_number(m, "bytes"),
           json_string_value(json_object_get(m, "state")),
           calling_number(m, "acked"), calling_number(m, "letters"),
           duration_write(text, calling_number(m, "estimate_s")));
}

int
cli_outbox(const struct cli *c)
{
    return cli_call(c, "outbox",
                    c->name ? json_pack("{ss}", "to", c->name) : json_object(),
                    queued_print);
}

int
cli_cancel(const struct cli *c)
{
    char *end;
    const long long order = strtoll(c->text, &end, 10);
    if (*end || end == c->text || order < 1)
        return program_misuse(
            program, "'%s' is no number of a message; 'outbox' lists them",
            c->text);
    return cli_call(
        c, "cancel",
        json_pack("{ss sI}", "to", c->name, "order", (json_int_t)order), NULL);
}

int
cli_estimate(const struct cli *c)
{
    char text[32];
    uint8_t *data;
    size_t len;
    if (input_read(c->text, &data, &len))
        return 1;
    free(data);
    json_t *r = calling_once(
        c->dir, "estimate",
        json_pack("{ss sI}", "to", c->name, "bytes", (json_int_t)len));
    if (r && c->json)
        (void)calling_json(r);
    else if (r)
        printf("%zu bytes, %" PRId64 " letters: about %s\n", len,
               calling_number(r, "letters"),
               duration_write(text, calling_number(r, "estimate_s")));
    json_decref(r);
    return r ? 0 : 1;
}

/* ---- sending ---- */

/* Can the client keep nothing any more? Then says so. */
static bool
storage_failed(struct calling *l)
{
    json_t *r = calling_make(l, "status", json_object());
    const char *storage = json_string_value(json_object_get(r, "storage"));
    const char *more = storage ? calling_hint("status", storage) : NULL;
    if (storage)
        program_fail(program, "the message is not kept: %s%s%s", storage,
                     more ? "; " : "", more ? more : "");
    const bool failed = !r || storage;
    json_decref(r);
    return failed;
}

/* Ask until the message is durable, or delivered. The contact is told by its
 * number in sent, which it keeps when it is renamed meanwhile. */
static int
sent_wait(struct calling *l, const struct cli *c, const json_t *sent,
          uint64_t since_us)
{
    const int64_t id = calling_number(sent, "id"),
                  order = calling_number(sent, "order");
    bool told = false;
    for (;;) {
        json_t *r = calling_make(
            l, "message", json_pack("{sI sI}", "id", id, "order", order));
        if (!r)
            return 1;
        const char *state = json_string_value(json_object_get(r, "state"));
        if (!told)
            estimate_say(r);
        told = true;
        bool delivered = strcmp(state, "delivered") == 0;
        bool expired = strcmp(state, "expired") == 0;
        bool enough = c->wait ? delivered || expired
                              : json_is_true(json_object_get(r, "durable"));
        if (enough && c->json)
            (void)calling_print(json_pack("{sI sI ss}", "id", (json_int_t)id,
                                          "order", (json_int_t)order, "state",
                                          state));
        else if (enough)
            printf("%s %" PRId64 "\n", state, order);
        else if (c->wait)
            cli_progress("letters acknowledged:", calling_number(r, "acked"),
                         calling_number(r, "letters"), since_us);
        bool lost = !enough && !json_is_true(json_object_get(r, "durable")) &&
                    storage_failed(l);
        json_decref(r);
        if (enough || lost)
            return expired || lost;
        usleep(POLL_US);
    }
}

int
cli_send(const struct cli *c)
{
    struct calling l;
    uint64_t since_us = clock_mono_us();
    json_t *params = c->file
                         ? file_params(c)
                         : json_pack("{ss ss}", "to", c->name, "text", c->text);
    if (!params && c->file)
        return 1;
    if (calling_open(&l, c->dir)) {
        json_decref(params);
        return 1;
    }
    json_t *r = calling_make(&l, "send", params);
    int status = r ? sent_wait(&l, c, r, since_us) : 1;
    json_decref(r);
    calling_close(&l);
    return status;
}

static void
state_print(const json_t *m)
{
    printf("%s, %" PRId64 " of %" PRId64 " letters acknowledged\n",
           json_string_value(json_object_get(m, "state")),
           calling_number(m, "acked"), calling_number(m, "letters"));
}

/* The newest message to a contact. */
int
cli_state(const struct cli *c)
{
    return cli_call(c, "message", json_pack("{ss}", "to", c->name),
                    state_print);
}
