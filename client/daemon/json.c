/* client/daemon/json.c - calls to the client object, as JSON-RPC 2.0.
 *
 * A table says which method takes which parameters; a wrong one is an error
 * that names it. A contact is told by its name or, in the parameter "id", by
 * its number, which stays when it gets another name. Binary data is base64url
 * without padding. */
#include "client/daemon/json.h"

#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lib/codec.h"
#include "lib/json_text.h"

/* Error codes of JSON-RPC 2.0, section 5.1; ours count from -32000. */
enum {
    RPC_PARSE = -32700,
    RPC_REQUEST = -32600,
    RPC_METHOD = -32601,
    RPC_PARAMS = -32602,
    RPC_OWN = -32000
};

struct method {
    const char *name;
    void (*parse)(struct json_call *k);
    void (*run)(struct json_call *k, struct client *c);
    json_t *(*result)(struct json_call *k);
};

struct json_call {
    json_t *root; /* the line; strings below point into it */
    const struct method *method;
    int code;            /* of JSON-RPC; 0: well formed */
    const char *message; /* then */
    int err;             /* ERR_*, 0 */
    const char *where;   /* the parameter that is wrong, or NULL */
    /* in */
    const char *name, *text;
    bool by_id, flag;
    uint32_t id; /* also out: of a contact */
    uint64_t order;
    /* in or out: contents */
    uint8_t *data;
    size_t len;
    /* out */
    enum letter_kind kind;
    bool none;
    char word[INVITE_TEXT_LEN]; /* an invitation, a contact */
    struct client_message message_out;
    struct client_status status;
    struct client_contact *contacts;
    size_t n_contacts;
};

/* ---- parameters ---- */

static const char *
text_get(struct json_call *k, const char *name, bool required)
{
    const json_t *v = json_object_get(json_object_get(k->root, "params"), name);
    const char *s = json_string_value(v);
    if (s && strlen(s) == json_string_length(v))
        return s;
    if ((v || required) && !k->err) {
        k->err = v ? ERR_FORMAT : ERR_MISSING;
        k->where = name;
    }
    return NULL;
}

static uint64_t
number_get(struct json_call *k, const char *name, bool required)
{
    const json_t *v = json_object_get(json_object_get(k->root, "params"), name);
    if (json_is_integer(v) && json_integer_value(v) >= 0)
        return (uint64_t)json_integer_value(v);
    if ((v || required) && !k->err) {
        k->err = v ? ERR_FORMAT : ERR_MISSING;
        k->where = name;
    }
    return 0;
}

static bool
flag_get(struct json_call *k, const char *name)
{
    const json_t *v = json_object_get(json_object_get(k->root, "params"), name);
    if (!json_is_boolean(v) && !k->err) {
        k->err = v ? ERR_FORMAT : ERR_MISSING;
        k->where = name;
    }
    return json_is_true(v);
}

/* A contact that is there, by the parameter of this name or by "id", not both. */
static void
contact_get(struct json_call *k, const char *name, bool required)
{
    const json_t *params = json_object_get(k->root, "params");
    k->by_id = json_object_get(params, "id") != NULL;
    if (!k->by_id) {
        k->name = text_get(k, name, required);
        return;
    }
    const uint64_t id = number_get(k, "id", true);
    k->id = (uint32_t)id;
    if (k->err)
        return;
    if (json_object_get(params, name))
        k->err = ERR_DUPLICATE;
    else if (id > UINT32_MAX)
        k->err = ERR_RANGE;
    if (k->err)
        k->where = "id";
}

static void
parse_name(struct json_call *k)
{
    k->name = text_get(k, "name", true);
}

static void
parse_contact(struct json_call *k)
{
    contact_get(k, "name", true);
}

static void
parse_rename(struct json_call *k)
{
    parse_contact(k);
    k->text = text_get(k, "new_name", true);
}

static void
parse_mute(struct json_call *k)
{
    parse_contact(k);
    k->flag = flag_get(k, "muted");
}

static void
parse_pings(struct json_call *k)
{
    parse_contact(k);
    k->flag = flag_get(k, "allowed");
}

static void
parse_add(struct json_call *k)
{
    k->name = text_get(k, "name", true);
    k->text = text_get(k, "invitation", true);
}

static void
parse_to(struct json_call *k)
{
    contact_get(k, "to", true);
}

static void
parse_message(struct json_call *k)
{
    parse_to(k);
    k->order = number_get(k, "order", false);
}

static void
parse_from(struct json_call *k)
{
    contact_get(k, "from", false);
}

static void
parse_order(struct json_call *k)
{
    k->order = number_get(k, "order", true);
}

static void
parse_nothing(struct json_call *k)
{
    (void)k;
}

/* A file's message: length of its name, name, contents. */
static void
parse_file(struct json_call *k, const char *name)
{
    const char *base64 = text_get(k, "data", true);
    size_t name_len = strlen(name), len = 0;
    if (k->err)
        return;
    if (name_len == 0 || name_len > 255) {
        k->err = ERR_RANGE;
        k->where = "file_name";
        return;
    }
    size_t room = strlen(base64) + 1;
    k->data = malloc(1 + name_len + room);
    if (!k->data) {
        k->err = ERR_NOMEM;
        return;
    }
    if (codec_unbase64(k->data + 1 + name_len, room, &len, base64)) {
        k->err = ERR_FORMAT;
        k->where = "data";
    }
    k->data[0] = (uint8_t)name_len;
    memcpy(k->data + 1, name, name_len);
    k->len = 1 + name_len + len;
    k->kind = LETTER_FILE;
}

static void
parse_send(struct json_call *k)
{
    const char *file = text_get(k, "file_name", false);
    parse_to(k);
    if (file) {
        parse_file(k, file);
        return;
    }
    k->kind = LETTER_TEXT;
    k->text = text_get(k, "text", true);
}

/* ---- on the client's thread ---- */

static void
run_invite(struct json_call *k, struct client *c)
{
    k->err = client_invite(c, k->name, k->word);
    k->id = client_contact_id(c, k->name);
}

static void
run_add(struct json_call *k, struct client *c)
{
    k->err = client_add(c, k->name, k->text);
    k->id = client_contact_id(c, k->name);
}

static void
run_rename(struct json_call *k, struct client *c)
{
    k->err = client_rename(c, k->name, k->text);
}

static void
run_mute(struct json_call *k, struct client *c)
{
    k->err = client_mute(c, k->name, k->flag);
}

static void
run_open(struct json_call *k, struct client *c)
{
    k->err = client_open(c, k->name);
}

static void
run_pings(struct json_call *k, struct client *c)
{
    k->err = client_pings(c, k->name, k->flag);
}

static void
run_remove(struct json_call *k, struct client *c)
{
    k->err = client_remove(c, k->name);
}

static void
run_withdraw(struct json_call *k, struct client *c)
{
    k->err = client_withdraw(c, k->name);
}

static void
run_contacts(struct json_call *k, struct client *c)
{
    struct client_contact one;
    size_t n = 0;
    while (client_contact(c, n, &one))
        n++;
    k->contacts = calloc(n + 1, sizeof *k->contacts);
    if (!k->contacts) {
        k->err = ERR_NOMEM;
        return;
    }
    for (; k->n_contacts < n; k->n_contacts++)
        (void)client_contact(c, k->n_contacts, &k->contacts[k->n_contacts]);
}

static void
run_send(struct json_call *k, struct client *c)
{
    const uint8_t *data = k->text ? (const uint8_t *)k->text : k->data;
    k->err = client_send(c, k->name, k->kind, data,
                         k->text ? strlen(k->text) : k->len, &k->order);
    k->id = client_contact_id(c, k->name);
}

static void
run_ping(struct json_call *k, struct client *c)
{
    k->err = client_send(c, k->name, LETTER_PING, NULL, 0, &k->order);
    k->id = client_contact_id(c, k->name);
}

static void
run_message(struct json_call *k, struct client *c)
{
    k->err = client_message(c, k->name, k->order, &k->message_out);
}

static void
run_recv(struct json_call *k, struct client *c)
{
    struct client_received r;
    if (k->name && client_contact_id(c, k->name) == 0) {
        k->err = ERR_NOT_FOUND;
        return;
    }
    k->none = !client_next(c, k->name, &r);
    if (k->none)
        return;
    k->data = malloc(r.len + 1);
    if (!k->data) {
        k->err = ERR_NOMEM;
        return;
    }
    memcpy(k->data, r.data, r.len);
    k->len = r.len;
    k->kind = r.kind;
    k->order = r.order;
    k->id = r.id;
    memcpy(k->word, r.contact, strlen(r.contact) + 1);
}

static void
run_release(struct json_call *k, struct client *c)
{
    k->err = client_release(c, k->order);
}

static void
run_status(struct json_call *k, struct client *c)
{
    client_status(c, &k->status);
}

/* ---- results ---- */

static json_t *
result_word(struct json_call *k)
{
    return json_pack("{ss sI}", "invitation", k->word, "id", (json_int_t)k->id);
}

static json_t *
result_id(struct json_call *k)
{
    return json_pack("{sI}", "id", (json_int_t)k->id);
}

static json_t *
result_nothing(struct json_call *k)
{
    (void)k;
    return json_object();
}

static json_t *
result_order(struct json_call *k)
{
    return json_pack("{sI sI}", "id", (json_int_t)k->id, "order",
                     (json_int_t)k->order);
}

static json_t *
result_contacts(struct json_call *k)
{
    json_t *list = json_array();
    for (size_t i = 0; i < k->n_contacts; i++) {
        const struct client_contact *one = &k->contacts[i];
        json_array_append_new(
            list, json_pack("{sI ss sb sb sb sb sb sI}", "id",
                            (json_int_t)one->id, "name", one->name, "confirmed",
                            one->confirmed, "invited", one->invited, "refused",
                            one->refused, "muted", one->muted, "pings",
                            one->pings, "waiting", (json_int_t)one->waiting));
    }
    return list;
}

static json_t *
result_message(struct json_call *k)
{
    const struct client_message *m = &k->message_out;
    return json_pack("{ss sb sI sI sI sI}", "state",
                     client_state_name(m->state), "durable", m->durable,
                     "letters", (json_int_t)m->letters, "kept",
                     (json_int_t)m->kept, "acked", (json_int_t)m->acked,
                     "rtt_us", (json_int_t)m->rtt_us);
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
result_recv(struct json_call *k)
{
    if (k->none)
        return json_null();
    json_t *o = json_pack("{ss sI sI}", "from", k->word, "from_id",
                          (json_int_t)k->id, "order", (json_int_t)k->order);
    json_t *text = k->kind == LETTER_TEXT
                       ? json_stringn((const char *)k->data, k->len)
                       : NULL;
    if (text) {
        json_object_set_new(o, "text", text);
        return o;
    }
    size_t name_len = 0;
    if (k->kind == LETTER_FILE && k->len > 0 && k->data[0] < k->len)
        name_len = k->data[0];
    json_t *name =
        name_len ? json_stringn((const char *)k->data + 1, name_len) : NULL;
    size_t skip = name_len ? name_len + 1 : 0;
    json_object_set_new(o, "file_name", name ? name : json_string("file"));
    json_object_set_new(o, "data", base64_make(k->data + skip, k->len - skip));
    return o;
}

/* What has come of boards' lists. */
static json_t *
lists_make(const struct client_status *s)
{
    const struct client_lists *l = &s->lists;
    return json_pack(
        "{sI sI sI sI sI sI sI sI sI}", "seen", (json_int_t)l->seen, "sure",
        (json_int_t)l->sure, "late", (json_int_t)l->late, "missed",
        (json_int_t)l->missed, "refused", (json_int_t)l->refused, "forked",
        (json_int_t)l->forked, "evidence", (json_int_t)l->evidence,
        "gateways_left", (json_int_t)l->left, "tokens", (json_int_t)l->tokens);
}

static json_t *
result_status(struct json_call *k)
{
    const struct client_status *s = &k->status;
    json_t *dropped = json_object();
    for (int i = 1; i < ERROR_COUNT; i++)
        if (s->dropped[i])
            json_object_set_new(dropped, error_name(-i),
                                json_integer((json_int_t)s->dropped[i]));
    return json_pack(
        "{sb sb sI sI sI sI sI sI sI sI sI sI sI sI sI so? so so}", "connected",
        s->connected, "sending", s->started, "epoch", (json_int_t)s->epoch,
        "answer_age_us",
        s->answer_age_us == UINT64_MAX ? (json_int_t)-1
                                       : (json_int_t)s->answer_age_us,
        "requests", (json_int_t)s->requests, "answers", (json_int_t)s->answers,
        "lost", (json_int_t)s->lost, "dummies", (json_int_t)s->dummies, "puts",
        (json_int_t)s->puts, "gets", (json_int_t)s->gets, "loops",
        (json_int_t)s->loops, "skipped", (json_int_t)s->skipped, "contacts",
        (json_int_t)s->contacts, "queued", (json_int_t)s->queued, "inbox",
        (json_int_t)s->inbox, "storage",
        s->storage_err ? json_string(error_text(s->storage_err)) : NULL,
        "dropped", dropped, "lists", lists_make(s));
}

static const struct method methods[] = {
    {"add", parse_add, run_add, result_id},
    {"contacts", parse_nothing, run_contacts, result_contacts},
    {"invite", parse_name, run_invite, result_word},
    {"message", parse_message, run_message, result_message},
    {"mute", parse_mute, run_mute, result_nothing},
    {"open", parse_contact, run_open, result_nothing},
    {"ping", parse_to, run_ping, result_order},
    {"pings", parse_pings, run_pings, result_nothing},
    {"recv", parse_from, run_recv, result_recv},
    {"release", parse_order, run_release, result_nothing},
    {"remove", parse_contact, run_remove, result_nothing},
    {"rename", parse_rename, run_rename, result_nothing},
    {"send", parse_send, run_send, result_order},
    {"status", parse_nothing, run_status, result_status},
    {"withdraw", parse_contact, run_withdraw, result_nothing}};

/* ---- calls and answers ---- */

static void
request_parse(struct json_call *k)
{
    const char *method = json_string_value(json_object_get(k->root, "method"));
    const char *version =
        json_string_value(json_object_get(k->root, "jsonrpc"));
    const json_t *params = json_object_get(k->root, "params");
    if (!json_is_object(k->root) || !method || !version ||
        strcmp(version, "2.0") != 0 || (params && !json_is_object(params))) {
        k->code = RPC_REQUEST;
        k->message = "not a JSON-RPC 2.0 call";
        return;
    }
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strcmp(methods[i].name, method) == 0)
            k->method = &methods[i];
    if (!k->method) {
        k->code = RPC_METHOD;
        k->message = "no such method";
        return;
    }
    k->method->parse(k);
}

struct json_call *
json_call_parse(const char *line, size_t len)
{
    struct json_call *k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    int err = json_from_text(&k->root, line, len, JSON_REJECT_DUPLICATES, NULL);
    if (!err) {
        request_parse(k);
    } else if (err == ERR_NOMEM) {
        k->err = err;
    } else {
        k->code = RPC_PARSE;
        k->message = "not JSON";
    }
    return k;
}

void
json_call_run(struct json_call *k, struct client *c)
{
    if (!k->code && !k->err && k->by_id) {
        k->name = client_contact_name(c, k->id);
        k->err = k->name ? 0 : ERR_NOT_FOUND;
    }
    if (!k->code && !k->err)
        k->method->run(k, c);
}

void
json_call_free(struct json_call **kp)
{
    struct json_call *k = *kp;
    *kp = NULL;
    if (!k)
        return;
    if (k->data)
        sodium_memzero(k->data, k->len);
    free(k->data);
    free(k->contacts);
    json_decref(k->root);
    sodium_memzero(k, sizeof *k);
    free(k);
}

char *
json_call_answer(struct json_call **kp)
{
    struct json_call *k = *kp;
    json_t *id = json_object_get(k->root, "id"), *answer;
    if (k->code || k->err) {
        int code = k->code ? k->code : k->where ? RPC_PARAMS : RPC_OWN + k->err;
        json_t *e = json_pack("{si ss}", "code", code, "message",
                              k->code ? k->message : error_text(k->err));
        if (k->where)
            json_object_set_new(e, "data",
                                json_pack("{ss}", "parameter", k->where));
        answer =
            json_pack("{ss sO? so}", "jsonrpc", "2.0", "id", id, "error", e);
    } else {
        answer = json_pack("{ss sO? so}", "jsonrpc", "2.0", "id", id, "result",
                           k->method->result(k));
    }
    char *text;
    if (json_to_text(answer, JSON_COMPACT, &text, NULL))
        text = NULL;
    json_decref(answer);
    json_call_free(kp);
    return text;
}
