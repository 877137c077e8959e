/* relay/operator/status_json.c - struct status as JSON and back, by one table.
 *
 * Counts of refusals stand by the names of errors, without those that are 0. No
 * state. Failure modes: no memory; a file of another version (VERSION) or with
 * anything unknown or missing in it (FORMAT). */
#include <stdlib.h>

#include "lib/json_table.h"
#include "lib/json_text.h"
#include "relay/alarm.h"
#include "relay/operator/status.h"

enum { INT_MOST = 1000000 };

static json_t *
version_make(struct json_writer *w, const void *at)
{
    (void)w;
    (void)at;
    return json_integer(STATUS_VERSION);
}

static void
version_read(struct json_reader *r, const json_t *v, void *at)
{
    (void)at;
    if (!json_is_integer(v))
        json_reader_fail(r, ERR_FORMAT, "version");
    else if (json_integer_value(v) != STATUS_VERSION)
        json_reader_fail(r, ERR_VERSION, "version");
}

#define ROW(name, kind, at, lo, hi) \
    JSON_FIELD(name, kind, JSON_IN(status, at), .min = (lo), .max = (hi))
#define U64(f)                F_INT(status, f, 0, INT64_MAX)
#define U32(f)                F_INT(status, f, 0, UINT32_MAX)
#define INT(f, lo, hi)        ROW(#f, JSON_INT, f, lo, hi)
#define BOOL(f)               ROW(#f, JSON_BOOL, f, 0, 0)
#define TEXT(f)               ROW(#f, JSON_TEXT, f, 0, 0)
#define SEEN(f, kind, lo, hi) ROW(#f, kind, seen.f, lo, hi)
#define COUNTS(name, f, n, by)                                         \
    JSON_FIELD(name, JSON_COUNTS, JSON_AT(status, seen.f), .max = (n), \
               .names = (by))
#define ERRORS(f) ROW(#f, JSON_ERRORS, seen.f, 0, 0)

static const struct json_field status_fields[] = {
    {"version", JSON_OTHER, .read = version_read, .make = version_make},
    U64(written_s),
    U64(started_s),
    U64(pid),
    BOOL(running),
    BOOL(leaving),
    BOOL(left),
    INT(role, 0, ROLE_STORE - ROLE_GATEWAY),
    TEXT(listen),
    U64(waits_s),
    U64(genesis_s),
    U32(epoch_len_s),
    U32(epoch),
    U64(valid_after_s),
    U32(relays),
    INT(layer, -1, INT_MOST),
    INT(layers, -1, INT_MOST),
    BOOL(doubled),
    U32(left_out_permille),
    U64(key_until_s),
    U32(authorities),
    U32(reached),
    U32(descriptor_epoch),
    U32(descriptor_taken),
    U32(descriptor_first),
    TEXT(descriptor_refusal),
    TEXT(consensus_refusal),
    BOOL(consensus_is_foreign),
    BOOL(consensus_is_mistimed),
    TEXT(unreached),
    TEXT(unreached_why),
    U64(hibernates_until_s),
    BOOL(spent),
    INT(quota_percent, -1, INT_MOST),
    U32(links_out),
    U32(links_out_up),
    U32(links_in),
    U32(clients_max),
    U32(packets_max),
    INT(alarm, 0, ALARM_RAISED),
    SEEN(minutes, JSON_WHOLE, 0, INT64_MAX),
    SEEN(clients, JSON_WHOLE, 0, INT64_MAX),
    SEEN(rate, JSON_WHOLE, 0, INT64_MAX),
    SEEN(equivocations, JSON_WHOLE, 0, INT64_MAX),
    SEEN(held_percent, JSON_INT, -1, INT_MOST),
    SEEN(cpu_percent, JSON_INT, -1, INT_MOST),
    SEEN(loops_percent, JSON_INT, -1, INT_MOST),
    COUNTS("packets", count, PUBLISH_COUNTERS, publish_counter_name),
    COUNTS("lists", list, PUBLISH_LISTS, publish_list_name),
    ERRORS(dropped),
    ERRORS(link),
    ERRORS(refused)};
static const struct json_table status_table = {JSON_FIELDS(status_fields)};

int
status_write_json(const struct status *s, char **out, size_t *len)
{
    struct json_writer w = {0};
    json_t *o = json_table_make(&w, &status_table, s);
    char *text;
    int err = json_to_text(w.bad ? NULL : o, JSON_INDENT(1), &text, len);
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

int
status_read_json(struct status *s, const uint8_t *text, size_t len)
{
    struct json_reader r = {0};
    *s = (struct status){0};
    json_t *o;
    int err = json_from_text(&o, (const char *)text, len,
                             JSON_REJECT_DUPLICATES, NULL);
    if (!err) {
        version_read(&r, json_object_get(o, "version"), NULL);
        json_table_read(&r, &status_table, o, s);
        err = r.err && r.err != ERR_VERSION ? ERR_FORMAT : r.err;
    }
    json_decref(o);
    if (err)
        *s = (struct status){0};
    return err;
}
