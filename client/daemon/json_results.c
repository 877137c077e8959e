/* client/daemon/json_results.c - what calls found out, as JSON.
 *
 * What a contact wrote goes out as what every reader of JSON takes: UTF-8 without
 * U+0000. What is none of that has U+FFFD in its place, and the bytes beside it
 * as data. No state. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/daemon/json.h"
#include "client/daemon/json_call.h"
#include "lib/codec.h"

/* Of a line, what is left for a message's contents. */
enum { CONTENTS_MAX = JSON_LINE_MAX - 65536 };

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
enum { REPLACEMENT_LEN = sizeof replacement - 1 };

/* v, or NULL when it is not all there. */
static json_t *
json_or_null(json_t *v, int bad)
{
    if (!bad)
        return v;
    json_decref(v);
    return NULL;
}

json_t *
call_result_invite(struct call *k)
{
    return json_pack("{ss sI sI}", "invitation", k->word, "id",
                     (json_int_t)k->contact, "expires",
                     (json_int_t)k->expires_s);
}

json_t *
call_result_id(struct call *k)
{
    return json_pack("{sI}", "id", (json_int_t)k->contact);
}

json_t *
call_result_nothing(struct call *k)
{
    (void)k;
    return json_object();
}

json_t *
call_result_order(struct call *k)
{
    return json_pack("{sI sI}", "id", (json_int_t)k->contact, "order",
                     (json_int_t)k->order);
}

/* By enum session_quantum. */
static const char *const quantum_words[] = {"yes", "soon", "lacking here",
                                            "lacking there", "old contact"};

json_t *
call_result_contacts(struct call *k)
{
    json_t *list = json_array();
    int bad = list ? 0 : -1;
    for (size_t i = 0; i < k->n_contacts && !bad; i++) {
        const struct client_contact *one = &k->contacts[i];
        bad = json_array_append_new(
            list,
            json_pack("{sI ss sb sb sb sb sb sb sb ss sI sI}", "id",
                      (json_int_t)one->id, "name", one->name, "confirmed",
                      one->confirmed, "invited", one->invited, "refused",
                      one->refused, "muted", one->muted, "pings", one->pings,
                      "shared", one->shared, "verified", one->verified,
                      "post_quantum", quantum_words[one->quantum], "waiting",
                      (json_int_t)one->waiting, "expires",
                      (json_int_t)(one->invited ? one->expires_s : 0)));
    }
    return json_or_null(list, bad);
}

json_t *
call_result_safety(struct call *k)
{
    return json_pack("{ss sb}", "safety", k->word, "verified", k->flag);
}

/* What is told of a message of ours. */
static json_t *
message_make(const struct client_message *m)
{
    return json_pack(
        "{ss sI ss sI sI sb sI sI sI sI sI}", "state",
        client_state_name(m->state), "order", (json_int_t)m->order, "kind",
        m->kind == LETTER_FILE   ? "file"
        : m->kind == LETTER_PING ? "ping"
                                 : "text",
        "bytes", (json_int_t)m->len, "created_s", (json_int_t)m->created_s,
        "durable", m->durable, "letters", (json_int_t)m->letters, "kept",
        (json_int_t)m->kept, "acked", (json_int_t)m->acked, "rtt_us",
        (json_int_t)m->rtt_us, "estimate_s", (json_int_t)m->estimate_s);
}

json_t *
call_result_message(struct call *k)
{
    return message_make(&k->message_out);
}

json_t *
call_result_outbox(struct call *k)
{
    json_t *list = json_array();
    int bad = list ? 0 : -1;
    for (size_t i = 0; i < k->n_queued && !bad; i++) {
        const struct call_queued *q = &k->queued[i];
        json_t *o = message_make(&q->m);
        bad = o ? json_object_set_new(o, "id", json_integer(q->id)) : -1;
        if (!bad)
            bad = json_object_set_new(o, "to", json_string(q->name));
        if (json_array_append_new(list, o))
            bad = -1;
    }
    return json_or_null(list, bad);
}

json_t *
call_result_estimate(struct call *k)
{
    return json_pack("{sI sI}", "letters", (json_int_t)k->letters, "estimate_s",
                     (json_int_t)k->estimate_s);
}

/* ---- contents ---- */

static json_t *
base64_make(const uint8_t *data, size_t len)
{
    char *text = malloc(CODEC_BASE64_LEN(len));
    if (!text)
        return NULL;
    codec_base64(text, CODEC_BASE64_LEN(len), data, len);
    json_t *v = json_string(text);
    sodium_memzero(text, strlen(text));
    free(text);
    return v;
}

/* How many of these bytes are one character of a text, RFC 3629; 0: the first is
 * none, or U+0000. */
static size_t
character_len(const uint8_t *s, size_t left)
{
    static const struct {
        uint8_t from, to; /* the first byte */
        uint8_t second, second_to;
        uint8_t len;
    } row[] = {{0x01, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2},
               {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
               {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
               {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
               {0xf4, 0xf4, 0x80, 0x8f, 4}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        const size_t len = row[i].len;
        if (s[0] < row[i].from || s[0] > row[i].to)
            continue;
        if (len > left ||
            (len > 1 && (s[1] < row[i].second || s[1] > row[i].second_to)))
            return 0;
        for (size_t j = 2; j < len; j++)
            if ((s[j] & 0xc0) != 0x80)
                return 0;
        return len;
    }
    return 0;
}

/* What a character takes in JSON. */
static size_t
escaped_len(const uint8_t *s, size_t len)
{
    if (len == 1 && *s < 0x20)
        return strchr("\b\f\n\r\t", *s) ? 2 : 6;
    return len == 1 && (*s == '"' || *s == '\\') ? 2 : len;
}

/* What came as a text. */
struct text {
    size_t len;     /* with all that is no text replaced */
    size_t in_line; /* the same, as it stands in JSON */
    bool is_whole;  /* nothing is replaced */
};

/* Look at a text, and write it with all replaced to out, if that is not NULL. */
static struct text
text_look(const uint8_t *data, size_t len, char *out)
{
    struct text t = {.is_whole = true};
    for (size_t at = 0, n; at < len; at += n) {
        const uint8_t *from = data + at;
        size_t put = n = character_len(from, len - at);
        if (n == 0) {
            from = (const uint8_t *)replacement;
            put = REPLACEMENT_LEN;
            n = 1;
            t.is_whole = false;
        }
        if (out)
            memcpy(out + t.len, from, put);
        t.len += put;
        t.in_line += escaped_len(from, put);
    }
    return t;
}

/* A string of what is meant to be one. */
static json_t *
text_make(const uint8_t *data, size_t len)
{
    const struct text t = text_look(data, len, NULL);
    if (t.is_whole)
        return json_stringn((const char *)data, len);
    char *out = malloc(t.len + 1);
    if (!out)
        return NULL;
    (void)text_look(data, len, out);
    json_t *v = json_stringn(out, t.len);
    sodium_memzero(out, t.len);
    free(out);
    return v;
}

/* Give o a text; one that has no place in a line as what a file would be. */
static int
text_put(json_t *o, const struct call *k)
{
    const struct text t = text_look(k->data, k->len, NULL);
    const size_t data_len = t.is_whole ? 0 : CODEC_BASE64_LEN(k->len);
    const bool fits = t.in_line + data_len <= CONTENTS_MAX;
    int bad = 0;
    if (fits)
        bad |= json_object_set_new(o, "text", text_make(k->data, k->len));
    else
        bad |= json_object_set_new(o, "file_name", json_string("text.txt"));
    if (!fits || !t.is_whole)
        bad |= json_object_set_new(o, "data", base64_make(k->data, k->len));
    return bad;
}

static int
file_put(json_t *o, const struct call *k)
{
    const size_t name_len = k->len > 0 && k->data[0] < k->len ? k->data[0] : 0;
    const size_t skip = name_len > 0 ? name_len + 1 : 0;
    int bad = json_object_set_new(o, "file_name",
                                  name_len ? text_make(k->data + 1, name_len)
                                           : json_string("file"));
    bad |= json_object_set_new(o, "data",
                               base64_make(k->data + skip, k->len - skip));
    return bad;
}

int
call_put_contents(json_t *o, const struct call *k, enum letter_kind kind)
{
    return kind == LETTER_TEXT ? text_put(o, k) : file_put(o, k);
}

/* ---- status ---- */

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

/* Frames and letters refused, by the name of the error. */
static json_t *
dropped_make(const struct client_status *s)
{
    json_t *o = json_object();
    int bad = 0;
    for (int i = 1; i < ERROR_COUNT && !bad; i++)
        if (s->dropped[i])
            bad = json_object_set_new(o, error_name(-i),
                                      json_integer((json_int_t)s->dropped[i]));
    return json_or_null(o, bad);
}

/* What is told of contacts and messages, and so not while it is locked. */
static json_t *
contents_make(const struct client_status *s)
{
    return json_pack("{sI sI sI sI sI sI so so}", "puts", (json_int_t)s->puts,
                     "gets", (json_int_t)s->gets, "contacts",
                     (json_int_t)s->contacts, "queued", (json_int_t)s->queued,
                     "inbox", (json_int_t)s->inbox, "overtaken",
                     (json_int_t)s->overtaken, "dropped", dropped_make(s),
                     "lists", lists_make(s));
}

json_t *
call_result_backup(struct call *k)
{
    return json_pack("{ss}", "file", k->word);
}

json_t *
call_result_status(struct call *k)
{
    const struct client_status *s = &k->status;
    json_t *o =
        json_pack("{sb sb sb ss? sI sI sI sI sI}", "connected", s->connected,
                  "sending", s->started, "reading", s->reading, "waits_for",
                  s->waits == CLIENT_SENDS ? NULL : client_wait_name(s->waits),
                  "epoch", (json_int_t)s->epoch, "answer_age_us",
                  s->answer_age_us == UINT64_MAX ? (json_int_t)-1
                                                 : (json_int_t)s->answer_age_us,
                  "clock_off_us", (json_int_t)s->clock_off_us, "up_bytes_day",
                  (json_int_t)s->up_bytes_day, "down_bytes_day",
                  (json_int_t)s->down_bytes_day);
    json_t *counts = json_pack(
        "{sI sI sI sI sI sI sI ss? sb sb}", "requests", (json_int_t)s->requests,
        "answers", (json_int_t)s->answers, "late", (json_int_t)s->late, "lost",
        (json_int_t)s->lost, "dummies", (json_int_t)s->dummies, "loops",
        (json_int_t)s->loops, "skipped", (json_int_t)s->skipped, "storage",
        s->storage_err ? error_text(s->storage_err) : NULL, "passphrase",
        k->sealed, "locked", k->locked);
    json_t *contents = k->locked ? json_object() : contents_make(s);
    if (!o || !counts || !contents || json_object_update(o, counts) ||
        json_object_update(o, contents)) {
        json_decref(o);
        o = NULL;
    }
    json_decref(counts);
    json_decref(contents);
    return o;
}
