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

enum { SHOW_TRIES = 200, SHOW_WAIT_US = 50000 };

/* A number of a message, from the command line. Returns it, or 0 and has said what is
 * wrong. */
static int64_t
order_read(const char *text)
{
    char *end;
    const long long order = strtoll(text, &end, 10);
    if (!*end && end != text && order > 0)
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

/* Print one of the list: a text itself, of a file its name and length. */
static int
history_print(struct calling *l, const struct cli *c, const json_t *one)
{
    const int64_t order = calling_number(one, "order");
    json_t *r = message_get(l, order);
    if (!r)
        return 1;
    const json_t *text = json_object_get(r, "text");
    json_object_set(r, "read", json_object_get(one, "read"));
    if (c->json) {
        const int status = calling_json(r);
        json_decref(r);
        return status;
    }
    printf("%c%" PRId64 " ",
           json_is_true(json_object_get(one, "read")) ? ' ' : '*', order);
    received_head(stdout, r);
    if (text) {
        terminal_text(stdout, json_string_value(text),
                      json_string_length(text));
    } else {
        fputs("file ", stdout);
        terminal_word(stdout,
                      json_string_value(json_object_get(r, "file_name")));
        printf(", %" PRId64 " bytes with its name",
               calling_number(one, "bytes"));
    }
    putc('\n', stdout);
    json_decref(r);
    return 0;
}

int
cli_history(const struct cli *c)
{
    struct calling l;
    json_t *params = json_pack("{sI}", "count", (json_int_t)c->count);
    if (c->name && json_object_set_new(params, "from", json_string(c->name))) {
        json_decref(params);
        params = NULL;
    }
    if (calling_open(&l, c->dir)) {
        json_decref(params);
        return 1;
    }
    json_t *list = calling_make(&l, "history", params);
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
    const int64_t order = order_read(c->name);
    return order ? cli_call(c, "delete",
                            json_pack("{sI}", "order", (json_int_t)order), NULL)
                 : 2;
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
    return cli_call(c, "keep",
                    !c->name ? json_object()
                    : always ? json_pack("{sn}", "days")
                             : json_pack("{sI}", "days", (json_int_t)days),
                    keep_print);
}

static void
reader_print(const json_t *v)
{
    const char *name = json_string_value(json_object_get(v, "name"));
    if (name && *name)
        terminal_word(stdout, name);
    else
        fputs("'recv' itself", stdout);
    printf(": %" PRId64 " not read yet\n", calling_number(v, "waiting"));
}

int
cli_readers(const struct cli *c)
{
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
