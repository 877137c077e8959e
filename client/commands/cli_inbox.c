/* client/commands/cli_inbox.c - what came and is still here, and who reads it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/commands/calling.h"
#include "client/commands/cli.h"
#include "client/commands/received.h"
#include "client/commands/terminal.h"
#include "lib/os/program.h"

static const char program[] = "brusio-client";

enum {
    SHOW_TRIES = 200,
    SHOW_WAIT_US = 50000,
    FETCH_MAX = 65536 /* bytes of one that a list fetches */
};

/* A number of a message, from the command line. Returns it, or 0 and has said what is
 * wrong. */
static int64_t
order_read(const char *text)
{
    char *end;
    const char *digits = text + (*text == '#');
    const long long order = strtoll(digits, &end, 10);
    if (!*end && end != digits && order > 0)
        return order;
    program_misuse(
        program, "'%s' is no number of a message; 'history' lists them", text);
    return 0;
}

/* Get a message again; one that has to be read from the disk is there in a moment. The
 * result is the caller's; NULL: has said why not. */
static json_t *
message_get(struct calling *l, int64_t order)
{
    json_t *r = NULL;
    for (unsigned i = 0; i < SHOW_TRIES; i++) {
        r = calling_make(l, "show",
                         json_pack("{sI}", "order", (json_int_t)order));
        if (!json_is_null(r))
            return r;
        json_decref(r);
        usleep(SHOW_WAIT_US);
    }
    program_fail(program,
                 "message %" PRId64 " cannot be read from the disk now", order);
    return NULL;
}

int
cli_show(const struct cli *c)
{
    struct calling l;
    const int64_t order = order_read(c->name);
    if (order == 0)
        return 2;
    if (calling_open(&l, c->dir))
        return 1;
    json_t *r = message_get(&l, order);
    const int status = r ? received_take(c->out, c->json, r) : 1;
    json_decref(r);
    calling_close(&l);
    return status;
}

/* Print what a message is: a text itself, of a file its name. */
static void
contents_print(const json_t *r)
{
    const json_t *text = json_object_get(r, "text");
    if (text) {
        terminal_text(stdout, json_string_value(text),
                      json_string_length(text));
        return;
    }
    fputs("file ", stdout);
    terminal_word(stdout, json_string_value(json_object_get(r, "file_name")));
}

/* Print one of the list. What is long is not fetched for that, and what cannot be read
 * stops nothing. */
static int
history_print(struct calling *l, const struct cli *c, const json_t *one)
{
    const int64_t bytes = calling_number(one, "bytes");
    const bool is_read = json_is_true(json_object_get(one, "read"));
    json_t *r =
        bytes > FETCH_MAX ? NULL : message_get(l, calling_number(one, "order"));
    int status = 0;
    if (c->json) {
        json_t *told = r ? json_incref(r) : json_deep_copy(one);
        json_object_set_new(told, "read", json_boolean(is_read));
        status = calling_json(told);
        json_decref(told);
    } else {
        printf("%c #%" PRId64 " ", is_read ? ' ' : '*',
               calling_number(one, "order"));
        received_head(stdout, one);
        if (r && !json_object_get(r, "damaged"))
            contents_print(r);
        else
            printf("%s of %" PRId64 " bytes%s",
                   json_string_value(json_object_get(one, "kind")), bytes,
                   bytes > FETCH_MAX ? "" : ", which cannot be read");
        putc('\n', stdout);
    }
    json_decref(r);
    return status;
}

int
cli_history(const struct cli *c)
{
    struct calling l;
    if (calling_open(&l, c->dir))
        return 1;
    json_t *list = calling_make(
        &l, "history",
        json_pack("{sI ss*}", "count", (json_int_t)c->count, "from", c->name));
    int status = list ? 0 : 1;
    for (size_t i = json_array_size(list); i-- > 0 && !status;)
        status = history_print(&l, c, json_array_get(list, i));
    json_decref(list);
    calling_close(&l);
    return status;
}

int
cli_delete(const struct cli *c)
{
    struct calling l;
    const int64_t order = order_read(c->name);
    if (order == 0)
        return 2;
    if (calling_open(&l, c->dir))
        return 1;
    /* what it was is told, so that a wrong number is seen */
    json_t *r = message_get(&l, order);
    json_t *done = calling_make(&l, "delete",
                                json_pack("{sI}", "order", (json_int_t)order));
    if (done && r) {
        printf("deleted: #%" PRId64 " ", order);
        received_head(stdout, r);
        if (!json_object_get(r, "damaged"))
            contents_print(r);
        putc('\n', stdout);
    }
    const int status = done ? 0 : 1;
    json_decref(r);
    json_decref(done);
    calling_close(&l);
    return status;
}

static void
keep_print(const json_t *v)
{
    const json_t *days = json_object_get(v, "days");
    if (json_is_null(days))
        puts("messages stay until they are deleted");
    else if (json_integer_value(days) == 0)
        puts("messages are forgotten when they have been read");
    else
        printf("messages that have been read are forgotten %" PRId64
               " days after they came\n",
               (int64_t)json_integer_value(days));
}

/* Print how many messages there are, and who has not read them. */
static void
kept_print(const struct cli *c, const json_t *v)
{
    const int64_t kept = calling_number(v, "kept");
    json_t *readers = kept > 0 && !c->json
                          ? calling_once(c->dir, "readers", json_object())
                          : NULL;
    if (!readers)
        return;
    printf("%" PRId64 " message%s here\n", kept, kept == 1 ? " is" : "s are");
    for (size_t i = 0; i < json_array_size(readers); i++) {
        const json_t *one = json_array_get(readers, i);
        if (calling_number(one, "waiting") == 0)
            continue;
        terminal_word(stdout, json_string_value(json_object_get(one, "name")));
        printf(" has not read %" PRId64 " of them\n",
               calling_number(one, "waiting"));
    }
    json_decref(readers);
}

int
cli_keep(const struct cli *c)
{
    char *end = NULL;
    const char *word = c->name ? c->name : "";
    const bool always = strcmp(word, "always") == 0;
    const long long days = strtoll(word, &end, 10);
    if (c->name && !always && (*end || end == word || days < 0))
        return program_misuse(
            program, "keep wants a number of days, 0 for none, or always");
    json_t *r =
        calling_once(c->dir, "keep",
                     !c->name ? json_object()
                     : always ? json_pack("{sn}", "days")
                              : json_pack("{sI}", "days", (json_int_t)days));
    if (r && c->json)
        (void)calling_json(r);
    else if (r)
        keep_print(r);
    if (r)
        kept_print(c, r);
    json_decref(r);
    return r ? 0 : 1;
}

static void
reader_print(const json_t *v)
{
    terminal_word(stdout, json_string_value(json_object_get(v, "name")));
    printf(": %" PRId64 " not read yet\n", calling_number(v, "waiting"));
}

int
cli_readers(const struct cli *c)
{
    if (c->from_now && (!c->name || strcmp(c->name, "add") != 0))
        return program_misuse(program, "--from-now goes with 'readers add'");
    if (!c->name)
        return cli_call(c, "readers", json_object(), reader_print);
    if (strcmp(c->name, "add") == 0)
        return cli_call(
            c, "readers.add",
            json_pack("{ss sb}", "name", c->text, "from_now", c->from_now),
            NULL);
    if (strcmp(c->name, "remove") == 0)
        return cli_call(c, "readers.remove", json_pack("{ss}", "name", c->text),
                        NULL);
    return program_misuse(program, "readers wants add NAME or remove NAME");
}
