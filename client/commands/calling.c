/* client/commands/calling.c - one line out, one line in (JSON-RPC 2.0). */
#include "client/commands/calling.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/json_text.h"
#include "lib/os/program.h"

static const char program[] = "brusio-client";

int
calling_open(struct calling *l, const char *dir)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int n = snprintf(a.sun_path, sizeof a.sun_path, "%s/client.sock", dir);
    *l = (struct calling){.fd = -1};
    if (n >= (int)sizeof a.sun_path)
        return program_fail(program,
                            "%s: the path is too long for a socket; a client's "
                            "directory has %zu bytes at most",
                            dir, sizeof a.sun_path - sizeof "/client.sock");
    l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (l->fd < 0 || connect(l->fd, (struct sockaddr *)&a, sizeof a) ||
        !(l->in = fdopen(l->fd, "r"))) {
        if (errno == EACCES || errno == EPERM)
            program_fail(program,
                         "%s: %s; a client takes calls of its own user alone",
                         dir, strerror(errno));
        else
            program_fail(program,
                         "no client answers in %s; is it running? "
                         "'brusio-client run --dir %s' starts it",
                         dir, dir);
        if (l->fd >= 0)
            close(l->fd);
        return 1;
    }
    return 0;
}

void
calling_close(struct calling *l)
{
    if (l->in)
        fclose(l->in);
}

static bool
text_write(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text += n;
        len -= (size_t)n;
    }
    return true;
}

const char *
calling_hint(const char *method, const char *message)
{
    static const char not_whole[] =
        "this is no whole invitation; copy the line that 'invite' printed "
        "again";
    static const struct {
        int err;
        const char *method; /* NULL: any other */
        const char *hint;
    } row[] = {{ERR_AGAIN, NULL,
                "there is no consensus yet; 'status' tells how it stands"},
               {ERR_EXISTS, "readers.add", "there is a reader of this name"},
               {ERR_EXISTS, NULL, "there is a contact of this name"},
               {ERR_NOT_FOUND, "readers.remove", "'readers' lists them"},
               {ERR_NOT_FOUND, "show", "'history' lists what is here"},
               {ERR_NOT_FOUND, "delete", "'history' lists what is here"},
               {ERR_RANGE, "keep", "36525 days at most, or always"},
               {ERR_FULL, "readers.add", "there are 8 readers at most"},
               {ERR_NOT_FOUND, NULL,
                "no such contact or message; 'contacts' lists them"},
               {ERR_USED, "withdraw",
                "or it is not one of yours; 'remove' takes the contact away"},
               {ERR_USED, "invitation",
                "or it is not one of yours; a new one is made by 'invite'"},
               {ERR_EXPIRED, "invitation",
                "'withdraw' takes it away, and 'invite' makes a new one"},
               {ERR_USED, NULL, "an invitation works once; ask for a new one"},
               {ERR_FOREIGN, NULL, "the invitation is for another network"},
               {ERR_EXPIRED, NULL, "ask for a new invitation"},
               {ERR_FUTURE, "add",
                "the invitation is of a time to come; 'status' tells whether "
                "this clock is right"},
               {ERR_FORMAT, "add", not_whole},
               {ERR_SHORT, "add", not_whole},
               {ERR_LOCKED, NULL, "'brusio-client unlock' opens it"},
               {ERR_ROOM, NULL,
                "make room; the client tries again by itself, and nothing that "
                "it has is lost"},
               {ERR_ARG, NULL,
                "a name is 1 to 32 bytes without blanks; letters with accents "
                "have 2 or more"}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        if (strcmp(message, error_text(row[i].err)) == 0 &&
            (!row[i].method || strcmp(row[i].method, method) == 0))
            return row[i].hint;
    return NULL;
}

/* Say why a call failed. */
static void
error_print(const char *method, const json_t *error)
{
    const char *message = json_string_value(json_object_get(error, "message"));
    const char *where = json_string_value(
        json_object_get(json_object_get(error, "data"), "parameter"));
    const char *more = where && strcmp(where, "reader") == 0
                           ? "'readers' lists them"
                       : message ? calling_hint(method, message)
                                 : NULL;
    program_fail(program, "%s%s%s%s%s", where ? where : "", where ? ": " : "",
                 message ? message : "no answer", more ? "; " : "",
                 more ? more : "");
}

json_t *
calling_make(struct calling *l, const char *method, json_t *params)
{
    char *text, *answer = NULL;
    size_t len, room = 0;
    json_t *result = NULL, *reply = NULL;
    if (!params) {
        program_fail(
            program,
            "a word after the command is not UTF-8, as names and texts are; a "
            "file of any bytes goes with 'send NAME --file FILE'");
        return NULL;
    }
    json_t *root = json_pack("{ss si ss so}", "jsonrpc", "2.0", "id", 1,
                             "method", method, "params", params);
    int err = json_to_text(root, JSON_COMPACT, &text, &len);
    json_decref(root);
    if (err) {
        program_fail(program, "%s", error_text(err));
        goto out;
    }
    if (!text_write(l->fd, text, len) || !text_write(l->fd, "\n", 1) ||
        getline(&answer, &room, l->in) < 0) {
        program_fail(program,
                     "the client closed the connection; its log says why");
        goto out;
    }
    err = json_from_text(&reply, answer, strlen(answer), JSON_ALLOW_NUL, NULL);
    if (err) {
        program_fail(program, "the answer: %s", error_text(err));
        goto out;
    }
    result = json_incref(json_object_get(reply, "result"));
    if (!result)
        error_print(method, json_object_get(reply, "error"));
out:
    json_decref(reply);
    free(text);
    free(answer);
    return result;
}

json_t *
calling_once(const char *dir, const char *method, json_t *params)
{
    struct calling l;
    if (calling_open(&l, dir)) {
        json_decref(params);
        return NULL;
    }
    json_t *r = calling_make(&l, method, params);
    calling_close(&l);
    return r;
}

int64_t
calling_number(const json_t *o, const char *name)
{
    return json_integer_value(json_object_get(o, name));
}

int
calling_json_to(FILE *out, const json_t *o)
{
    char *text;
    const int err =
        json_to_text(o, JSON_COMPACT | JSON_ENSURE_ASCII, &text, NULL);
    if (err)
        return program_fail(program, "%s", error_text(err));
    fprintf(out, "%s\n", text);
    free(text);
    return 0;
}

int
calling_json(const json_t *o)
{
    return calling_json_to(stdout, o);
}

int
calling_print(json_t *o)
{
    const int status = calling_json(o);
    json_decref(o);
    return status;
}
