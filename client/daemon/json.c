/* client/daemon/json.c - JSON-RPC 2.0: what is a call, a batch, an answer.
 *
 * A line's states: parsed; carried out, call by call; kept, or not; answered.
 * Failure modes: what is no call, or a call too many, is answered as section 5.1
 * says; without memory for an answer there is none. */
#include "client/daemon/json.h"

#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/daemon/guard.h"
#include "client/daemon/json_call.h"
#include "lib/json_text.h"

struct json_call {
    json_t *root; /* the line */
    bool batch;
    size_t n, done; /* calls; of them carried out */
    size_t contents_len;
    struct call *calls;
    struct guard *guard; /* or NULL */
};

/* ---- parsing ---- */

static void
call_refuse(struct call *k, int code, int err, const char *message)
{
    k->code = code;
    k->err = err;
    k->message = message;
}

/* An id that can be none is answered as null, which any answer has that is not
 * to a known call. */
static bool
id_take(struct call *k, const json_t *root)
{
    json_t *id = json_object_get(root, "id");
    k->id = id;
    if (!id || json_is_string(id) || json_is_number(id) || json_is_null(id))
        return true;
    k->id = json_null();
    return false;
}

static void
call_parse(struct call *k, const json_t *root)
{
    const char *method = call_text(json_object_get(root, "method"));
    const char *version = call_text(json_object_get(root, "jsonrpc"));
    const json_t *params = json_object_get(root, "params");
    if (!id_take(k, root)) {
        call_refuse(k, RPC_REQUEST, ERR_FORMAT,
                    "an id is a string, a number or null");
        return;
    }
    if (!method || !version || strcmp(version, "2.0") != 0 ||
        (params && !json_is_object(params) && !json_is_array(params))) {
        if (!k->id)
            k->id = json_null(); /* it is no notification either */
        call_refuse(k, RPC_REQUEST, ERR_FORMAT, "not a JSON-RPC 2.0 call");
        return;
    }
    k->method = call_find_method(method);
    if (!k->method) {
        call_refuse(k, RPC_METHOD, ERR_UNKNOWN,
                    "no such method; 'api' lists them");
    } else if (json_array_size(params) > 0) {
        call_refuse(k, RPC_PARAMS, ERR_FORMAT,
                    "parameters go by name, in an object");
    } else {
        k->params = json_is_object(params) ? params : NULL;
        call_take_params(k);
    }
}

/* One answer, to nobody's id: there is no call in the line. */
static void
line_refuse(struct json_call *k, int code, int err, const char *message)
{
    k->batch = false;
    k->n = 1;
    k->calls[0].id = json_null();
    call_refuse(&k->calls[0], code, err, message);
}

static void
root_parse(struct json_call *k)
{
    if (k->batch && json_array_size(k->root) == 0) {
        line_refuse(k, RPC_REQUEST, ERR_FORMAT, "a batch of no calls");
        return;
    }
    if (k->n > JSON_BATCH_MAX) {
        line_refuse(k, RPC_REQUEST, ERR_LONG, "a batch has 64 calls at most");
        return;
    }
    for (size_t i = 0; i < k->n; i++)
        call_parse(&k->calls[i],
                   k->batch ? json_array_get(k->root, i) : k->root);
}

_Static_assert(JSON_BATCH_MAX == 64, "the message says so");
_Static_assert(JSON_LINE_MAX == 24 << 20, "and another");

/* A word with U+0000 in it is JSON; what makes no use of it says so by name. */
static const size_t line_flags =
    JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;

struct json_call *
json_call_parse(const char *line, size_t len)
{
    struct json_call *k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    int err = ERR_LONG;
    if (len <= JSON_LINE_MAX)
        err = json_from_text(&k->root, line, len, line_flags, NULL);
    k->batch = json_is_array(k->root);
    const size_t n = json_array_size(k->root);
    k->n = !k->batch ? 1 : n > JSON_BATCH_MAX ? JSON_BATCH_MAX + 1 : n;
    k->calls = calloc(k->n + 1, sizeof k->calls[0]);
    if (!k->calls) {
        json_call_free(&k);
        return NULL;
    }
    if (!err)
        root_parse(k);
    else
        line_refuse(k, err == ERR_NOMEM ? RPC_OWN + err : RPC_PARSE, err,
                    err == ERR_NOMEM  ? error_text(err)
                    : err == ERR_LONG ? "a line has 24 MiB at most"
                                      : "not JSON");
    return k;
}

/* ---- carrying out ---- */

void
json_call_guard(struct json_call *line, struct guard *g)
{
    bool slow = false;
    line->guard = g;
    for (size_t i = 0; i < line->n && g; i++)
        if (!line->calls[i].err && line->calls[i].method)
            call_prepare(&line->calls[i], g, &slow);
}

/* May the call be carried out? */
static bool
is_allowed(const struct json_call *line, const struct call *k)
{
    return !line->guard || k->method->always || !guard_is_locked(line->guard);
}

/* Contents of a batch's messages are held until all is answered. */
static void
contents_count(struct json_call *line, struct call *k)
{
    if (k->method->keeps || !k->data)
        return;
    line->contents_len += k->len;
    if (line->n == 1 || line->contents_len <= LETTER_MESSAGE_MAX)
        return;
    line->contents_len -= k->len;
    sodium_memzero(k->data, k->len);
    free(k->data);
    k->data = NULL;
    k->len = 0;
    k->err = ERR_FULL;
}

bool
json_call_run(struct json_call *line, struct client *c)
{
    if (line->done == line->n)
        return false;
    struct call *k = &line->calls[line->done++];
    if (!k->err && !is_allowed(line, k))
        k->err = ERR_LOCKED;
    if (!k->err && k->by_id) {
        k->name = client_contact_name(c, k->contact);
        k->err = k->name ? 0 : ERR_NOT_FOUND;
    }
    if (!k->err) {
        k->method->run(k, c);
        contents_count(line, k);
        k->waits = !k->err && k->method->keeps;
        k->mark = client_mark(c);
    }
    return line->done < line->n;
}

bool
json_call_waits(struct json_call *line, const struct client *c)
{
    bool waits = false;
    for (size_t i = 0; i < line->done; i++) {
        struct call *k = &line->calls[i];
        if (!k->waits)
            continue;
        const int err = client_kept(c, k->mark);
        k->waits = err == ERR_AGAIN;
        if (err && !k->waits)
            k->err = err;
        waits |= k->waits;
    }
    return waits;
}

/* ---- answers ---- */

static int
error_code(const struct call *k)
{
    return k->code ? k->code : k->where ? RPC_PARAMS : RPC_OWN + k->err;
}

/* These two: NULL without memory. */
static json_t *
error_make(const struct call *k)
{
    json_t *data = json_pack("{ss}", "name", error_name(k->err));
    if (k->where &&
        json_object_set_new(data, "parameter", json_string(k->where))) {
        json_decref(data);
        data = NULL;
    }
    return json_pack("{si ss so}", "code", error_code(k), "message",
                     k->message ? k->message : error_text(k->err), "data",
                     data);
}

static json_t *
answer_make(struct call *k)
{
    return json_pack("{ss sO so}", "jsonrpc", "2.0", "id", k->id,
                     k->err ? "error" : "result",
                     k->err ? error_make(k) : k->method->result(k));
}

/* Add to the answer of a batch what k has to say. */
static int
answer_add(json_t *list, struct call *k)
{
    return k->id && json_array_append_new(list, answer_make(k)) ? ERR_NOMEM : 0;
}

static int
line_answer(struct json_call *k, json_t **answer)
{
    int err = 0;
    *answer = NULL;
    if (!k->batch) {
        if (k->calls[0].id && !(*answer = answer_make(&k->calls[0])))
            err = ERR_NOMEM;
        return err;
    }
    *answer = json_array();
    if (!*answer)
        return ERR_NOMEM;
    for (size_t i = 0; i < k->n && !err; i++)
        err = answer_add(*answer, &k->calls[i]);
    if (err || json_array_size(*answer) == 0) { /* of notifications alone */
        json_decref(*answer);
        *answer = NULL;
    }
    return err;
}

int
json_call_answer(struct json_call **kp, char **text, size_t *len)
{
    json_t *answer;
    *text = NULL;
    *len = 0;
    int err = line_answer(*kp, &answer);
    if (!err && answer)
        err = json_to_text(answer, JSON_COMPACT, text, len);
    json_decref(answer);
    json_call_free(kp);
    return err;
}

static void
call_wipe(struct call *k)
{
    if (k->data)
        sodium_memzero(k->data, k->len);
    free(k->data);
    free(k->contacts);
    free(k->queued);
    free(k->history);
    sodium_memzero(k, sizeof *k);
}

void
json_call_free(struct json_call **kp)
{
    struct json_call *k = *kp;
    *kp = NULL;
    if (!k)
        return;
    for (size_t i = 0; k->calls && i < k->n; i++)
        call_wipe(&k->calls[i]);
    free(k->calls);
    json_decref(k->root);
    free(k);
}
