/* client/daemon/json_params.c - parameters of calls.
 *
 * A wrong one is an error that names it, and so is one that the method does not
 * know. A contact is told by its name or, in the parameter "id", by its number,
 * which stays when it gets another name. Binary data is base64url without
 * padding. No state. */
#include <stdlib.h>
#include <string.h>

#include "client/daemon/json_call.h"
#include "lib/codec.h"

/* The first error stays. */
static void
param_fail(struct call *k, int err, const char *name)
{
    if (k->err)
        return;
    k->err = err;
    k->where = name;
}

/* Is word one of those in list, which blanks part? */
static bool
is_among(const char *list, const char *word)
{
    const size_t len = strlen(word);
    while (*list) {
        const size_t n = strcspn(list, " ");
        if (n == len && memcmp(list, word, n) == 0)
            return true;
        list += n + (list[n] == ' ');
    }
    return false;
}

const char *
call_text(const json_t *v)
{
    const char *s = json_string_value(v);
    return s && strlen(s) == json_string_length(v) ? s : NULL;
}

static const char *
text_get(struct call *k, const char *name, bool required)
{
    const json_t *v = json_object_get(k->params, name);
    const char *s = call_text(v);
    if (s)
        return s;
    if (v || required)
        param_fail(k, v ? ERR_FORMAT : ERR_MISSING, name);
    return NULL;
}

static uint64_t
number_get(struct call *k, const char *name, bool required)
{
    const json_t *v = json_object_get(k->params, name);
    if (json_is_integer(v) && json_integer_value(v) >= 0)
        return (uint64_t)json_integer_value(v);
    if (v || required)
        param_fail(k, v ? ERR_FORMAT : ERR_MISSING, name);
    return 0;
}

static bool
flag_get(struct call *k, const char *name)
{
    const json_t *v = json_object_get(k->params, name);
    if (!json_is_boolean(v))
        param_fail(k, v ? ERR_FORMAT : ERR_MISSING, name);
    return json_is_true(v);
}

/* A contact that is there, by the parameter of this name or by "id", not both. */
static void
contact_get(struct call *k, const char *name, bool required)
{
    k->by_id = json_object_get(k->params, "id") != NULL;
    if (!k->by_id) {
        k->name = text_get(k, name, required);
        return;
    }
    const uint64_t id = number_get(k, "id", true);
    k->contact = (uint32_t)id;
    if (json_object_get(k->params, name))
        param_fail(k, ERR_DUPLICATE, "id");
    else if (id > UINT32_MAX)
        param_fail(k, ERR_RANGE, "id");
}

/* All that methods take, in the order in which it is taken; `send` takes the
 * rest. */
static const char *const param_names[] = {
    "name",   "to",     "from",    "invitation", "new_name", "passphrase",
    "reader", "muted",  "allowed", "verified",   "from_now", "order",
    "bytes",  "before", "count",   "days"};

/* A number of days, or null: for ever. */
static void
days_get(struct call *k)
{
    const json_t *v = json_object_get(k->params, "days");
    k->sets_days = v != NULL;
    k->days = CLIENT_KEEP_ALWAYS;
    if (!v || json_is_null(v))
        return;
    const uint64_t days = number_get(k, "days", true);
    k->days = (uint32_t)days;
    if (days >= CLIENT_KEEP_ALWAYS)
        param_fail(k, ERR_RANGE, "days");
}

/* How many of a list. */
static void
count_get(struct call *k)
{
    k->count = number_get(k, "count", false);
    if (json_object_get(k->params, "count") &&
        (k->count == 0 || k->count > CALL_HISTORY_MAX))
        param_fail(k, ERR_RANGE, "count");
}

/* Take the parameter of this name, which the method has. */
static void
param_take(struct call *k, const char *name)
{
    const bool required = !is_among(k->method->optional, name);
    if (is_among("name to from", name) && is_among(k->method->params, "id"))
        contact_get(k, name, required);
    else if (strcmp(name, "name") == 0)
        k->name = text_get(k, name, required);
    else if (is_among("invitation new_name passphrase", name))
        k->text = text_get(k, name, required);
    else if (strcmp(name, "reader") == 0)
        k->reader = text_get(k, name, required);
    else if (is_among("muted allowed verified", name))
        k->flag = flag_get(k, name);
    else if (strcmp(name, "from_now") == 0)
        k->flag = json_object_get(k->params, name) && flag_get(k, name);
    else if (strcmp(name, "days") == 0)
        days_get(k);
    else if (strcmp(name, "before") == 0)
        k->before = number_get(k, name, required);
    else if (strcmp(name, "count") == 0)
        count_get(k);
    else if (strcmp(name, "order") == 0)
        k->order = number_get(k, name, required);
    else
        k->letters = number_get(k, name, required);
    if (k->letters > LETTER_MESSAGE_MAX)
        param_fail(k, ERR_LONG, name);
}

/* A file's message: length of its name, name, contents. */
static void
parse_file(struct call *k, const char *name)
{
    const char *base64 = text_get(k, "data", true);
    size_t name_len = strlen(name), len = 0;
    if (name_len == 0 || name_len > 255)
        param_fail(k, ERR_RANGE, "file_name");
    if (k->err)
        return;
    size_t room = strlen(base64) + 1;
    k->data = malloc(1 + name_len + room);
    if (!k->data) {
        k->err = ERR_NOMEM;
        return;
    }
    if (codec_unbase64(k->data + 1 + name_len, room, &len, base64))
        param_fail(k, ERR_FORMAT, "data");
    k->data[0] = (uint8_t)name_len;
    memcpy(k->data + 1, name, name_len);
    k->len = 1 + name_len + len;
    k->kind = LETTER_FILE;
}

/* A text, or a file, to a contact. */
static void
message_take(struct call *k)
{
    const char *file = text_get(k, "file_name", false);
    contact_get(k, "to", true);
    if (file) {
        if (json_object_get(k->params, "text"))
            param_fail(k, ERR_DUPLICATE, "text");
        parse_file(k, file);
        return;
    }
    k->kind = LETTER_TEXT;
    k->text = text_get(k, "text", true);
    if (json_object_get(k->params, "data"))
        param_fail(k, ERR_MISSING, "file_name");
}

void
call_take_params(struct call *k)
{
    const char *name;
    const json_t *v;
    json_object_foreach((json_t *)k->params, name, v)
    {
        if (!is_among(k->method->params, name))
            param_fail(k, ERR_UNKNOWN, name);
    }
    if (is_among(k->method->params, "text")) {
        message_take(k);
        return;
    }
    for (size_t i = 0; i < sizeof param_names / sizeof param_names[0]; i++)
        if (is_among(k->method->params, param_names[i]))
            param_take(k, param_names[i]);
}
