/* client/daemon/cli.c - commands: a call or two over the client's socket. */
#include "client/daemon/cli.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/client.h"
#include "lib/codec.h"
#include "lib/json_text.h"
#include "lib/os/clock.h"
#include "lib/os/files.h"

enum { POLL_US = 50000, PROGRESS_US = 2000000, PROGRESS_EVERY_US = 5000000 };

/* ---- calling ---- */

struct line {
    int fd;
    FILE *in;
};

static int
line_open(struct line *l, const char *dir)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int n = snprintf(a.sun_path, sizeof a.sun_path, "%s/client.sock", dir);
    if (n >= (int)sizeof a.sun_path) {
        fprintf(stderr,
                "brusio-client: %s: the path is too long for a socket; a "
                "client's directory has %zu bytes at most\n",
                dir, sizeof a.sun_path - sizeof "/client.sock");
        return 1;
    }
    l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (l->fd < 0 || connect(l->fd, (struct sockaddr *)&a, sizeof a) ||
        !(l->in = fdopen(l->fd, "r"))) {
        fprintf(stderr,
                "brusio-client: no client answers in %s; is it running? "
                "'brusio-client run --dir %s' starts it\n",
                dir, dir);
        if (l->fd >= 0)
            close(l->fd);
        return 1;
    }
    return 0;
}

static void
line_close(struct line *l)
{
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

/* What people should know about an error, where its text does not say it. */
static const char *
hint(const char *method, const char *message)
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
               {ERR_EXISTS, NULL, "there is a contact of this name"},
               {ERR_NOT_FOUND, NULL,
                "no such contact or message; 'contacts' lists them"},
               {ERR_USED, "withdraw",
                "or it is not one of yours; 'remove' takes the contact away"},
               {ERR_USED, NULL, "an invitation works once; ask for a new one"},
               {ERR_FOREIGN, NULL, "the invitation is for another network"},
               {ERR_EXPIRED, NULL, "ask for a new invitation"},
               {ERR_FORMAT, "add", not_whole},
               {ERR_SHORT, "add", not_whole},
               {ERR_DB, NULL,
                "client.db cannot be written; is the disk full? Make room and "
                "start the client again"},
               {ERR_ARG, NULL,
                "a name is 1 to 32 bytes without blanks; letters with accents "
                "have 2 or more"}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        if (strcmp(message, error_text(row[i].err)) == 0 &&
            (!row[i].method || strcmp(row[i].method, method) == 0))
            return row[i].hint;
    return NULL;
}

/* One call. Takes params over, which are NULL if a word of the user's is no
 * text. Returns the result, or NULL and has printed why. */
static json_t *
call(struct line *l, const char *method, json_t *params)
{
    char *text, *answer = NULL;
    size_t len, room = 0;
    json_t *result = NULL, *reply = NULL;
    if (!params) {
        fputs("brusio-client: a word after the command is not UTF-8, as names "
              "and texts are; a file of any bytes goes with 'send NAME "
              "--file FILE'\n",
              stderr);
        return NULL;
    }
    json_t *root = json_pack("{ss si ss so}", "jsonrpc", "2.0", "id", 1,
                             "method", method, "params", params);
    int err = json_to_text(root, JSON_COMPACT, &text, &len);
    json_decref(root);
    if (err) {
        fprintf(stderr, "brusio-client: %s\n", error_text(err));
        goto out;
    }
    if (!text_write(l->fd, text, len) || !text_write(l->fd, "\n", 1) ||
        getline(&answer, &room, l->in) < 0) {
        fputs("brusio-client: the client closed the connection; its log says "
              "why\n",
              stderr);
        goto out;
    }
    err = json_from_text(&reply, answer, strlen(answer), 0, NULL);
    if (err) {
        fprintf(stderr, "brusio-client: the answer: %s\n", error_text(err));
        goto out;
    }
    result = json_incref(json_object_get(reply, "result"));
    if (!result) {
        const json_t *error = json_object_get(reply, "error");
        const char *message =
            json_string_value(json_object_get(error, "message"));
        const char *where = json_string_value(
            json_object_get(json_object_get(error, "data"), "parameter"));
        const char *more = message ? hint(method, message) : NULL;
        fprintf(stderr, "brusio-client: %s%s%s%s%s\n", where ? where : "",
                where ? ": " : "", message ? message : "no answer",
                more ? "; " : "", more ? more : "");
    }
out:
    json_decref(reply);
    free(text);
    free(answer);
    return result;
}

static int64_t
number_of(const json_t *o, const char *name)
{
    return json_integer_value(json_object_get(o, name));
}

/* ---- simple ones ---- */

int
cli_invite(const struct cli *c)
{
    struct line l;
    if (line_open(&l, c->dir))
        return 1;
    json_t *r = call(&l, "invite", json_pack("{ss}", "name", c->name));
    if (r)
        puts(json_string_value(json_object_get(r, "invitation")));
    json_decref(r);
    line_close(&l);
    return r ? 0 : 1;
}

int
cli_contacts(const struct cli *c)
{
    struct line l;
    size_t i;
    json_t *v;
    if (line_open(&l, c->dir))
        return 1;
    json_t *r = call(&l, "contacts", json_object());
    json_array_foreach(r, i, v)
    {
        printf("%-32s %s, %" PRId64 " waiting%s%s\n",
               json_string_value(json_object_get(v, "name")),
               json_is_true(json_object_get(v, "refused"))
                   ? "invitation was used by somebody else"
               : json_is_true(json_object_get(v, "confirmed")) ? "confirmed"
               : json_is_true(json_object_get(v, "invited"))
                   ? "invitation not used yet"
                   : "not yet heard",
               number_of(v, "waiting"),
               json_is_true(json_object_get(v, "muted")) ? ", muted" : "",
               json_is_true(json_object_get(v, "pings")) ? ", may ping" : "");
    }
    json_decref(r);
    line_close(&l);
    return r ? 0 : 1;
}

/* A call of which nothing is told but that it failed. Takes params over. */
static int
call_quietly(const struct cli *c, const char *method, json_t *params)
{
    struct line l;
    if (line_open(&l, c->dir)) {
        json_decref(params);
        return 1;
    }
    json_t *r = call(&l, method, params);
    json_decref(r);
    line_close(&l);
    return r ? 0 : 1;
}

int
cli_add(const struct cli *c)
{
    return call_quietly(
        c, "add", json_pack("{ss ss}", "name", c->name, "invitation", c->text));
}

int
cli_rename(const struct cli *c)
{
    return call_quietly(
        c, "rename",
        json_pack("{ss ss}", "name", c->name, "new_name", c->text));
}

int
cli_mute(const struct cli *c)
{
    return call_quietly(c, "mute",
                        json_pack("{ss sb}", "name", c->name, "muted", true));
}

int
cli_unmute(const struct cli *c)
{
    return call_quietly(c, "mute",
                        json_pack("{ss sb}", "name", c->name, "muted", false));
}

int
cli_open(const struct cli *c)
{
    return call_quietly(c, "open", json_pack("{ss}", "name", c->name));
}

int
cli_pings(const struct cli *c)
{
    const bool allowed = strcmp(c->text, "on") == 0;
    if (!allowed && strcmp(c->text, "off") != 0) {
        fputs("brusio-client: pings wants on or off\n", stderr);
        return 2;
    }
    return call_quietly(
        c, "pings", json_pack("{ss sb}", "name", c->name, "allowed", allowed));
}

int
cli_remove(const struct cli *c)
{
    return call_quietly(c, "remove", json_pack("{ss}", "name", c->name));
}

int
cli_withdraw(const struct cli *c)
{
    return call_quietly(c, "withdraw", json_pack("{ss}", "name", c->name));
}

/* ---- send ---- */

static json_t *
file_params(const struct cli *c)
{
    uint8_t *data;
    size_t len;
    int err = files_read(c->file, LETTER_MESSAGE_MAX - 256, &data, &len);
    if (err) {
        fprintf(stderr, "brusio-client: %s: %s%s\n", c->file, error_text(err),
                err == ERR_LONG ? "; files of up to 16 MB go through" : "");
        return NULL;
    }
    const char *slash = strrchr(c->file, '/');
    char *text = malloc(CODEC_BASE64_LEN(len));
    json_t *params = NULL;
    if (text) {
        codec_base64(text, CODEC_BASE64_LEN(len), data, len);
        params = json_pack("{ss ss ss}", "to", c->name, "file_name",
                           slash ? slash + 1 : c->file, "data", text);
    }
    free(text);
    free(data);
    return params;
}

static void
progress(const char *what, int64_t done, int64_t of, uint64_t since_us)
{
    static uint64_t last_us;
    uint64_t now_us = clock_mono_us();
    if (now_us - since_us < PROGRESS_US || now_us - last_us < PROGRESS_EVERY_US)
        return;
    last_us = now_us;
    fprintf(stderr,
            "brusio-client: %s %" PRId64 " of %" PRId64 ", %" PRIu64 " s\n",
            what, done, of, (now_us - since_us) / 1000000);
}

/* Can the client keep nothing any more? Then says so. */
static bool
storage_failed(struct line *l)
{
    json_t *r = call(l, "status", json_object());
    const char *storage = json_string_value(json_object_get(r, "storage"));
    const char *more = storage ? hint("status", storage) : NULL;
    if (storage)
        fprintf(stderr, "brusio-client: the message is not kept: %s%s%s\n",
                storage, more ? "; " : "", more ? more : "");
    const bool failed = !r || storage;
    json_decref(r);
    return failed;
}

/* Ask until the message is durable, or delivered. The contact is told by its
 * number in sent, which it keeps when it is renamed meanwhile. */
static int
sent_wait(struct line *l, const struct cli *c, const json_t *sent,
          uint64_t since_us)
{
    const int64_t id = number_of(sent, "id"), order = number_of(sent, "order");
    for (;;) {
        json_t *r =
            call(l, "message", json_pack("{sI sI}", "id", id, "order", order));
        if (!r)
            return 1;
        const char *state = json_string_value(json_object_get(r, "state"));
        bool delivered = strcmp(state, "delivered") == 0;
        bool expired = strcmp(state, "expired") == 0;
        bool enough = c->wait ? delivered || expired
                              : json_is_true(json_object_get(r, "durable"));
        if (enough)
            printf("%s %" PRId64 "\n", state, order);
        else if (c->wait)
            progress("letters acknowledged:", number_of(r, "acked"),
                     number_of(r, "letters"), since_us);
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
    struct line l;
    uint64_t since_us = clock_mono_us();
    json_t *params = c->file
                         ? file_params(c)
                         : json_pack("{ss ss}", "to", c->name, "text", c->text);
    if (!params && c->file)
        return 1;
    if (line_open(&l, c->dir)) {
        json_decref(params);
        return 1;
    }
    json_t *r = call(&l, "send", params);
    int status = r ? sent_wait(&l, c, r, since_us) : 1;
    json_decref(r);
    line_close(&l);
    return status;
}

/* The newest message to a contact. */
int
cli_state(const struct cli *c)
{
    struct line l;
    if (line_open(&l, c->dir))
        return 1;
    json_t *r = call(&l, "message", json_pack("{ss}", "to", c->name));
    if (r)
        printf("%s, %" PRId64 " of %" PRId64 " letters acknowledged\n",
               json_string_value(json_object_get(r, "state")),
               number_of(r, "acked"), number_of(r, "letters"));
    json_decref(r);
    line_close(&l);
    return r ? 0 : 1;
}

/* ---- recv ---- */

/* How many bytes at text, which is UTF-8, are one character that steers a
 * terminal or turns the direction of writing; 0: none. */
static size_t
control_len(const char *text)
{
    const unsigned char *t = (const unsigned char *)text;
    if (t[0] < ' ' || t[0] == 0x7f)
        return 1;
    if (t[0] == 0xc2 && t[1] >= 0x80 && t[1] <= 0x9f) /* U+0080 to U+009F */
        return 2;
    if (t[0] == 0xe2 && t[1] == 0x80 && t[2] >= 0xa8 && t[2] <= 0xae)
        return 3; /* U+2028 to U+202E */
    if (t[0] == 0xe2 && t[1] == 0x81 && t[2] >= 0xa6 && t[2] <= 0xa9)
        return 3; /* U+2066 to U+2069 */
    return 0;
}

/* A name from outside: only its last part, without control characters. */
static void
name_clean(char *out, size_t len, const char *name)
{
    const char *slash = strrchr(name, '/');
    size_t n = 0;
    if (slash)
        name = slash + 1;
    while (*name && n + 1 < len) {
        const size_t skip = control_len(name);
        out[n++] = skip ? '_' : *name;
        name += skip ? skip : 1;
    }
    out[n] = 0;
    if (n == 0 || out[0] == '.')
        snprintf(out, len, "file");
}

static int
file_save(const struct cli *c, const json_t *r)
{
    const char *base64 = json_string_value(json_object_get(r, "data"));
    const char *given = json_string_value(json_object_get(r, "file_name"));
    char name[256], path[FILES_PATH_MAX];
    size_t room = strlen(base64) + 1, len;
    uint8_t *data = malloc(room);
    int err = data ? codec_unbase64(data, room, &len, base64) : ERR_NOMEM;
    name_clean(name, sizeof name, given);
    if (!err && c->out)
        err = snprintf(path, sizeof path, "%s", c->out) < (int)sizeof path
                  ? 0
                  : ERR_LONG;
    else if (!err)
        err = files_path(path, ".", name);
    if (!err)
        err = files_save(path, data, len, c->out != NULL);
    if (err)
        fprintf(stderr,
                "brusio-client: %s: %s; the message stays, --out FILE names "
                "another place\n",
                c->out ? c->out : name, error_text(err));
    else
        printf("%s: file %s, %zu octets\n",
               json_string_value(json_object_get(r, "from")), path, len);
    free(data);
    return err ? 1 : 0;
}

static int
message_print(const struct cli *c, const json_t *r)
{
    const char *text = json_string_value(json_object_get(r, "text"));
    if (!text)
        return file_save(c, r);
    if (c->out)
        return files_save(c->out, text, strlen(text), true) ? 1 : 0;
    printf("%s: ", json_string_value(json_object_get(r, "from")));
    /* no control characters from outside reach the terminal; further lines
     * stand in, so that none looks like a message from somebody else */
    while (*text) {
        const bool line = *text == '\n';
        const size_t skip = line || *text == '\t' ? 0 : control_len(text);
        putchar(skip ? '?' : *text);
        if (line)
            fputs("    ", stdout);
        text += skip ? skip : 1;
    }
    putchar('\n');
    return 0;
}

int
cli_recv(const struct cli *c)
{
    struct line l;
    uint64_t since_us = clock_mono_us(), seen = 0;
    int status = 0;
    if (line_open(&l, c->dir))
        return 1;
    while (status == 0 && seen < c->count) {
        json_t *r =
            call(&l, "recv",
                 c->name ? json_pack("{ss}", "from", c->name) : json_object());
        if (!r) {
            status = 1;
        } else if (json_is_null(r)) {
            if (clock_mono_us() - since_us >= c->wait_s * 1000000)
                break;
            progress("waiting; messages so far:", (int64_t)seen,
                     (int64_t)c->count, since_us);
            usleep(POLL_US);
        } else {
            status = message_print(c, r);
            fflush(stdout);
            if (status == 0) {
                seen++;
                json_decref(
                    call(&l, "release",
                         json_pack("{sI}", "order", number_of(r, "order"))));
            }
        }
        json_decref(r);
    }
    if (status == 0 && seen == 0 && c->wait_s > 0) {
        fputs("brusio-client: nothing came\n", stderr);
        status = 1;
    }
    line_close(&l);
    return status;
}

/* ---- ping, status ---- */

int
cli_ping(const struct cli *c)
{
    struct line l;
    uint64_t since_us = clock_mono_us();
    if (line_open(&l, c->dir))
        return 1;
    json_t *r = call(&l, "ping", json_pack("{ss}", "to", c->name));
    int64_t order = r ? number_of(r, "order") : -1, rtt_us = 0;
    const int64_t id = number_of(r, "id");
    json_decref(r);
    while (order >= 0 && rtt_us == 0 &&
           clock_mono_us() - since_us < c->wait_s * 1000000) {
        r = call(&l, "message", json_pack("{sI sI}", "id", id, "order", order));
        if (!r)
            break;
        rtt_us = number_of(r, "rtt_us");
        json_decref(r);
        progress("waiting for the pong: answered", 0, 1, since_us);
        usleep(POLL_US);
    }
    line_close(&l);
    if (rtt_us > 0)
        printf("%s answered after %.2f s\n", c->name, (double)rtt_us / 1e6);
    else if (order >= 0)
        fprintf(stderr,
                "brusio-client: %s did not answer within %" PRIu64 " s\n",
                c->name, c->wait_s);
    return rtt_us > 0 ? 0 : 1;
}

int
cli_status(const struct cli *c)
{
    static const char *const counts[] = {
        "requests", "answers", "lost",     "puts",   "gets",
        "loops",    "skipped", "contacts", "queued", "inbox"};
    struct line l;
    const char *name;
    json_t *v;
    if (line_open(&l, c->dir))
        return 1;
    json_t *r = call(&l, "status", json_object());
    line_close(&l);
    if (!r)
        return 1;
    int64_t age_us = number_of(r, "answer_age_us");
    printf("%s, %s, epoch %" PRId64 "\n",
           json_is_true(json_object_get(r, "connected")) ? "connected"
                                                         : "not connected",
           json_is_true(json_object_get(r, "sending"))
               ? "sending"
               : "not sending (no valid consensus, or no link)",
           number_of(r, "epoch"));
    if (age_us < 0)
        puts("last answer: none yet");
    else
        printf("last answer: %.1f s ago\n", (double)age_us / 1e6);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        printf("%s %" PRId64 "\n", counts[i], number_of(r, counts[i]));
    if (json_is_string(json_object_get(r, "storage")))
        printf("storage: %s; nothing new is sent until it is mended and the "
               "client started again\n",
               json_string_value(json_object_get(r, "storage")));
    json_object_foreach(json_object_get(r, "dropped"), name, v) printf(
        "dropped %s %" JSON_INTEGER_FORMAT "\n", name, json_integer_value(v));
    json_object_foreach(json_object_get(r, "lists"), name, v) printf(
        "lists %s %" JSON_INTEGER_FORMAT "\n", name, json_integer_value(v));
    json_decref(r);
    return 0;
}
