/* client/json.c - calls to the client object, as JSON-RPC 2.0.
 *
 * A table says which method takes which parameters; a wrong one is an error
 * that names it. Binary data is base64url without padding. No state. */
#include "client/json.h"

#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lib/codec.h"

/* Error codes of JSON-RPC 2.0, section 5.1; ours count from -32000. */
enum {
    RPC_PARSE = -32700,
    RPC_REQUEST = -32600,
    RPC_METHOD = -32601,
    RPC_PARAMS = -32602,
    RPC_OWN = -32000
};

struct call {
    struct client *client;
    const json_t *params;
    int err;           /* ERR_*, 0 */
    const char *where; /* the parameter that is wrong, or NULL */
};

static const char *
text_get(struct call *k, const char *name, bool required)
{
    const json_t *v = json_object_get(k->params, name);
    const char *s = json_string_value(v);
    if (s && strlen(s) == json_string_length(v))
        return s;
    if (v || required) {
        k->err = v ? ERR_FORMAT : ERR_MISSING;
        k->where = name;
    }
    return NULL;
}

static uint64_t
number_get(struct call *k, const char *name)
{
    const json_t *v = json_object_get(k->params, name);
    if (json_is_integer(v) && json_integer_value(v) >= 0)
        return (uint64_t)json_integer_value(v);
    k->err = v ? ERR_FORMAT : ERR_MISSING;
    k->where = name;
    return 0;
}

static json_t *
order_make(uint64_t order)
{
    return json_pack("{sI}", "order", (json_int_t)order);
}

/* ---- the methods ---- */

static json_t *
call_invite(struct call *k)
{
    char text[INVITE_TEXT_LEN];
    const char *name = text_get(k, "name", true);
    if (k->err)
        return NULL;
    k->err = client_invite(k->client, name, text);
    json_t *result = k->err ? NULL : json_pack("{ss}", "invitation", text);
    sodium_memzero(text, sizeof text);
    return result;
}

static json_t *
call_add(struct call *k)
{
    const char *name = text_get(k, "name", true);
    const char *text = text_get(k, "invitation", true);
    if (!k->err)
        k->err = client_add(k->client, name, text);
    return k->err ? NULL : json_object();
}

static json_t *
call_contacts(struct call *k)
{
    json_t *list = json_array();
    struct client_contact c;
    for (size_t i = 0; client_contact(k->client, i, &c); i++)
        json_array_append_new(list, json_pack("{ss sb sb sI}", "name", c.name,
                                              "confirmed", c.confirmed,
                                              "refused", c.refused, "waiting",
                                              (json_int_t)c.waiting));
    return list;
}

/* A file's message: length of its name, name, contents. */
static json_t *
file_send(struct call *k, const char *to, const char *name, const char *base64)
{
    uint64_t order = 0;
    size_t name_len = strlen(name), len = 0, room = strlen(base64) + 1;
    uint8_t *data = malloc(1 + name_len + room);
    if (!data) {
        k->err = ERR_NOMEM;
        return NULL;
    }
    if (name_len == 0 || name_len > 255) {
        k->err = ERR_RANGE;
        k->where = "file_name";
    }
    if (!k->err && codec_unbase64(data + 1 + name_len, room, &len, base64)) {
        k->err = ERR_FORMAT;
        k->where = "data";
    }
    if (!k->err) {
        data[0] = (uint8_t)name_len;
        memcpy(data + 1, name, name_len);
        k->err = client_send(k->client, to, LETTER_FILE, data,
                             1 + name_len + len, &order);
    }
    sodium_memzero(data, 1 + name_len + len);
    free(data);
    return k->err ? NULL : order_make(order);
}

static json_t *
call_send(struct call *k)
{
    uint64_t order;
    const char *to = text_get(k, "to", true);
    const char *text = text_get(k, "text", false);
    const char *name = text_get(k, "file_name", false);
    if (k->err)
        return NULL;
    if (name) {
        const char *data = text_get(k, "data", true);
        return k->err ? NULL : file_send(k, to, name, data);
    }
    if (!text) {
        k->err = ERR_MISSING;
        k->where = "text";
        return NULL;
    }
    k->err = client_send(k->client, to, LETTER_TEXT, (const uint8_t *)text,
                         strlen(text), &order);
    return k->err ? NULL : order_make(order);
}

static json_t *
call_ping(struct call *k)
{
    uint64_t order;
    const char *to = text_get(k, "to", true);
    if (!k->err)
        k->err = client_send(k->client, to, LETTER_PING, NULL, 0, &order);
    return k->err ? NULL : order_make(order);
}

static json_t *
call_message(struct call *k)
{
    struct client_message m;
    const char *to = text_get(k, "to", true);
    uint64_t order = 0; /* not given: the newest */
    if (json_object_get(k->params, "order"))
        order = number_get(k, "order");
    if (!k->err)
        k->err = client_message(k->client, to, order, &m);
    if (k->err)
        return NULL;
    return json_pack("{ss sb sI sI sI sI}", "state", client_state_name(m.state),
                     "durable", m.durable, "letters", (json_int_t)m.letters,
                     "kept", (json_int_t)m.kept, "acked", (json_int_t)m.acked,
                     "rtt_us", (json_int_t)m.rtt_us);
}

static json_t *
base64_make(const uint8_t *data, size_t len)
{
    char *text = malloc(CODEC_BASE64_LEN(len));
    if (!text)
        return NULL;
    codec_base64(text, CODEC_BASE64_LEN(len), data, len);
    json_t *v = json_string(text);
    free(text);
    return v;
}

/* A text that is no UTF-8 comes as data, like a file. */
static json_t *
call_recv(struct call *k)
{
    struct client_received r;
    const char *from = text_get(k, "from", false);
    if (k->err)
        return NULL;
    if (!client_next(k->client, from, &r))
        return json_null();
    json_t *o =
        json_pack("{ss sI}", "from", r.contact, "order", (json_int_t)r.order);
    json_t *text = r.kind == LETTER_TEXT
                       ? json_stringn((const char *)r.data, r.len)
                       : NULL;
    if (text) {
        json_object_set_new(o, "text", text);
        return o;
    }
    size_t name_len = 0;
    if (r.kind == LETTER_FILE && r.len > 0 && r.data[0] < r.len)
        name_len = r.data[0];
    json_t *name =
        name_len ? json_stringn((const char *)r.data + 1, name_len) : NULL;
    size_t skip = name_len ? name_len + 1 : 0;
    json_object_set_new(o, "file_name", name ? name : json_string("file"));
    json_object_set_new(o, "data", base64_make(r.data + skip, r.len - skip));
    return o;
}

static json_t *
call_release(struct call *k)
{
    uint64_t order = number_get(k, "order");
    if (k->err)
        return NULL;
    client_release(k->client, order);
    return json_object();
}

static json_t *
call_status(struct call *k)
{
    struct client_status s;
    client_status(k->client, &s);
    json_t *dropped = json_object();
    for (int i = 1; i < ERROR_COUNT; i++)
        if (s.dropped[i])
            json_object_set_new(dropped, error_name(-i),
                                json_integer((json_int_t)s.dropped[i]));
    return json_pack(
        "{sb sb sI sI sI sI sI sI sI sI sI sI sI sI sI so? so}", "connected",
        s.connected, "sending", s.started, "epoch", (json_int_t)s.epoch,
        "answer_age_us",
        s.answer_age_us == UINT64_MAX ? (json_int_t)-1
                                      : (json_int_t)s.answer_age_us,
        "requests", (json_int_t)s.requests, "answers", (json_int_t)s.answers,
        "lost", (json_int_t)s.lost, "dummies", (json_int_t)s.dummies, "puts",
        (json_int_t)s.puts, "gets", (json_int_t)s.gets, "loops",
        (json_int_t)s.loops, "skipped", (json_int_t)s.skipped, "contacts",
        (json_int_t)s.contacts, "queued", (json_int_t)s.queued, "inbox",
        (json_int_t)s.inbox, "storage",
        s.storage_err ? json_string(error_text(s.storage_err)) : NULL,
        "dropped", dropped);
}

static const struct {
    const char *name;
    json_t *(*call)(struct call *k);
} methods[] = {{"add", call_add},         {"contacts", call_contacts},
               {"invite", call_invite},   {"message", call_message},
               {"ping", call_ping},       {"recv", call_recv},
               {"release", call_release}, {"send", call_send},
               {"status", call_status}};

/* ---- calls and answers ---- */

static char *
answer_text(json_t *answer)
{
    char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
    json_decref(answer);
    return text;
}

static char *
error_answer(const json_t *id, int code, const char *message, const char *where)
{
    json_t *e = json_pack("{si ss}", "code", code, "message", message);
    if (where)
        json_object_set_new(e, "data", json_pack("{ss}", "parameter", where));
    return answer_text(
        json_pack("{ss sO? so}", "jsonrpc", "2.0", "id", id, "error", e));
}

char *
json_call(struct client *c, const char *line, size_t len)
{
    json_error_t error;
    struct call k = {.client = c};
    json_t *root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        return error_answer(NULL, RPC_PARSE, "not JSON", NULL);
    json_t *id = json_object_get(root, "id");
    const char *method = json_string_value(json_object_get(root, "method"));
    const char *version = json_string_value(json_object_get(root, "jsonrpc"));
    char *text = NULL;
    k.params = json_object_get(root, "params");
    if (!json_is_object(root) || !method || !version ||
        strcmp(version, "2.0") != 0 ||
        (k.params && !json_is_object(k.params))) {
        text = error_answer(id, RPC_REQUEST, "not a JSON-RPC 2.0 call", NULL);
        goto out;
    }
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (strcmp(methods[i].name, method) != 0)
            continue;
        json_t *result = methods[i].call(&k);
        if (k.err)
            text = error_answer(id, k.where ? RPC_PARAMS : RPC_OWN + k.err,
                                error_text(k.err), k.where);
        else
            text = answer_text(json_pack("{ss sO? so}", "jsonrpc", "2.0", "id",
                                         id, "result", result));
        goto out;
    }
    text = error_answer(id, RPC_METHOD, "no such method", NULL);
out:
    json_decref(root);
    return text;
}
