/* relay/operator/status_json.c - struct status as JSON and back; jansson is
 * used here alone.
 *
 * Flat fields are written and read by one table; counts of refusals by the
 * names of errors, without those that are 0. No state. Failure modes: no
 * memory; a file of another version (VERSION) or with anything unknown or
 * missing in it (FORMAT). */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json_text.h"
#include "relay/alarm.h"
#include "relay/operator/status.h"

enum field_type { U64, U32, INT, BOOL, TEXT, LONG_TEXT, ALL_TEXT };
static const struct status_field {
    const char *name;
    enum field_type type;
    size_t offset;
} fields[] = {
#define FIELD(name, type)                          \
    {                                              \
#name, type, offsetof(struct status, name) \
    }
#define SEEN(name, type)                                \
    {                                                   \
#name, type, offsetof(struct status, seen.name) \
    }
    FIELD(written_s, U64),
    FIELD(started_s, U64),
    FIELD(pid, U64),
    FIELD(running, BOOL),
    FIELD(leaving, BOOL),
    FIELD(left, BOOL),
    FIELD(role, INT),
    FIELD(listen, TEXT),
    FIELD(waits_s, U64),
    FIELD(genesis_s, U64),
    FIELD(epoch_len_s, U32),
    FIELD(epoch, U32),
    FIELD(valid_after_s, U64),
    FIELD(relays, U32),
    FIELD(layer, INT),
    FIELD(layers, INT),
    FIELD(doubled, BOOL),
    FIELD(left_out_permille, U32),
    FIELD(key_until_s, U64),
    FIELD(authorities, U32),
    FIELD(reached, U32),
    FIELD(descriptor_epoch, U32),
    FIELD(descriptor_taken, U32),
    FIELD(descriptor_first, U32),
    FIELD(descriptor_refusal, ALL_TEXT),
    FIELD(consensus_refusal, LONG_TEXT),
    FIELD(consensus_is_foreign, BOOL),
    FIELD(consensus_is_mistimed, BOOL),
    FIELD(unreached, TEXT),
    FIELD(unreached_why, LONG_TEXT),
    FIELD(hibernates_until_s, U64),
    FIELD(spent, BOOL),
    FIELD(quota_percent, INT),
    FIELD(links_out, U32),
    FIELD(links_out_up, U32),
    FIELD(links_in, U32),
    FIELD(clients_max, U32),
    FIELD(packets_max, U32),
    FIELD(alarm, INT),
    SEEN(minutes, U64),
    SEEN(clients, U64),
    SEEN(rate, U64),
    SEEN(equivocations, U64),
    SEEN(held_percent, INT),
    SEEN(cpu_percent, INT),
    SEEN(loops_percent, INT),
#undef FIELD
#undef SEEN
};
enum { FIELDS = sizeof fields / sizeof fields[0] };
_Static_assert(sizeof((struct status *)0)->listen == ADDRESS_MAX, "TEXT");

static json_t *
field_get(const struct status_field *f, const struct status *s)
{
    const void *at = (const char *)s + f->offset;
    switch (f->type) {
    case U64:
        return json_integer((json_int_t) * (const uint64_t *)at);
    case U32:
        return json_integer(*(const uint32_t *)at);
    case INT:
        return json_integer(*(const int *)at);
    case BOOL:
        return json_boolean(*(const bool *)at);
    default:
        return json_string(at);
    }
}

static int
field_set(const struct status_field *f, struct status *s, const json_t *v)
{
    void *at = (char *)s + f->offset;
    const json_int_t n = json_integer_value(v);
    const size_t room = f->type == TEXT       ? ADDRESS_MAX
                        : f->type == ALL_TEXT ? STATUS_ALL_LEN
                                              : STATUS_TEXT_LEN;
    switch (f->type) {
    case U64:
        *(uint64_t *)at = (uint64_t)n;
        return json_is_integer(v) && n >= 0 ? 0 : ERR_FORMAT;
    case U32:
        *(uint32_t *)at = (uint32_t)n;
        return json_is_integer(v) && n >= 0 && n <= UINT32_MAX ? 0 : ERR_FORMAT;
    case INT:
        *(int *)at = (int)n;
        return json_is_integer(v) && n >= -1 && n <= 1000000 ? 0 : ERR_FORMAT;
    case BOOL:
        *(bool *)at = json_is_true(v);
        return json_is_boolean(v) ? 0 : ERR_FORMAT;
    default:
        if (!json_is_string(v) || json_string_length(v) >= room)
            return ERR_FORMAT;
        memcpy(at, json_string_value(v), json_string_length(v) + 1);
        return 0;
    }
}

/* Make an object of counts by their names. */
static json_t *
counts_get(const uint64_t *count, const char *const *name, size_t n, int *bad)
{
    json_t *o = json_object();
    for (size_t i = 0; i < n; i++)
        *bad |=
            json_object_set_new(o, name[i], json_integer((json_int_t)count[i]));
    return o;
}

static int
counts_set(uint64_t *count, const char *const *name, size_t n, const json_t *o)
{
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_object_get(o, name[i]);
        if (!json_is_integer(v) || json_integer_value(v) < 0)
            return ERR_FORMAT;
        count[i] = (uint64_t)json_integer_value(v);
    }
    return json_object_size(o) == n ? 0 : ERR_FORMAT;
}

static json_t *
reasons_get(const uint64_t *count, int *bad)
{
    json_t *o = json_object();
    for (int i = 1; i < ERROR_COUNT; i++)
        if (count[i])
            *bad |= json_object_set_new(o, error_name(-i),
                                        json_integer((json_int_t)count[i]));
    return o;
}

static int
reasons_set(uint64_t *count, const json_t *o)
{
    size_t known = 0;
    for (int i = 1; i < ERROR_COUNT; i++) {
        const json_t *v = json_object_get(o, error_name(-i));
        if (v && (!json_is_integer(v) || json_integer_value(v) < 0))
            return ERR_FORMAT;
        count[i] = (uint64_t)json_integer_value(v);
        known += v != NULL;
    }
    return json_is_object(o) && known == json_object_size(o) ? 0 : ERR_FORMAT;
}

/* jansson reports lack of memory through -1 and NULL, which
 * json_object_set_new() takes as a value, so one look at the end is enough. */
int
status_write_json(const struct status *s, char **out, size_t *len)
{
    json_t *o = json_object();
    int bad = json_object_set_new(o, "version", json_integer(STATUS_VERSION));
    for (size_t i = 0; i < FIELDS; i++)
        bad |= json_object_set_new(o, fields[i].name, field_get(&fields[i], s));
    json_t *packets =
        counts_get(s->seen.count, publish_counter_name, PUBLISH_COUNTERS, &bad);
    bad |= json_object_set_new(o, "packets", packets);
    json_t *lists =
        counts_get(s->seen.list, publish_list_name, PUBLISH_LISTS, &bad);
    bad |= json_object_set_new(o, "lists", lists);
    bad |=
        json_object_set_new(o, "dropped", reasons_get(s->seen.dropped, &bad));
    bad |= json_object_set_new(o, "link", reasons_get(s->seen.link, &bad));
    bad |=
        json_object_set_new(o, "refused", reasons_get(s->seen.refused, &bad));
    char *text;
    int err = json_to_text(bad ? NULL : o, JSON_INDENT(1), &text, len);
    json_decref(o);
    *out = err ? NULL : realloc(text, *len + 2);
    if (!*out) {
        free(text);
        *len = 0;
        return ERR_NOMEM;
    }
    (*out)[(*len)++] = '\n';
    (*out)[*len] = 0;
    return 0;
}

static int
status_set(struct status *s, const json_t *o)
{
    const json_t *v;
    int err = 0;
    if (!json_is_object(o) || !json_is_integer(json_object_get(o, "version")))
        return ERR_FORMAT;
    if (json_integer_value(json_object_get(o, "version")) != STATUS_VERSION)
        return ERR_VERSION;
    for (size_t i = 0; i < FIELDS && !err; i++)
        err = (v = json_object_get(o, fields[i].name))
                  ? field_set(&fields[i], s, v)
                  : ERR_FORMAT;
    if (!err)
        err = counts_set(s->seen.count, publish_counter_name, PUBLISH_COUNTERS,
                         json_object_get(o, "packets"));
    if (!err)
        err = counts_set(s->seen.list, publish_list_name, PUBLISH_LISTS,
                         json_object_get(o, "lists"));
    if (!err)
        err = reasons_set(s->seen.dropped, json_object_get(o, "dropped"));
    if (!err)
        err = reasons_set(s->seen.link, json_object_get(o, "link"));
    if (!err)
        err = reasons_set(s->seen.refused, json_object_get(o, "refused"));
    if (!err && (json_object_size(o) != FIELDS + 6 || s->role < 0 ||
                 s->role > ROLE_STORE - ROLE_GATEWAY || s->alarm < 0 ||
                 s->alarm > ALARM_RAISED))
        err = ERR_FORMAT;
    return err;
}

int
status_read_json(struct status *s, const uint8_t *text, size_t len)
{
    *s = (struct status){0};
    json_t *o;
    int err = json_from_text(&o, (const char *)text, len,
                             JSON_REJECT_DUPLICATES, NULL);
    if (!err)
        err = status_set(s, o);
    json_decref(o);
    if (err)
        *s = (struct status){0};
    return err;
}
