/* tests/unit/test_client_calls.c - the calls about contacts, as JSON-RPC: what each
 * answers, and how it says what is wrong. */
#include "tests/runner.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/daemon/json.h"
#include "client/inbox.h"
#include "lib/codec.h"
#include "lib/os/files.h"
#include "tests/heap.h"
#include "tests/pair.h"

/* Carries out a line; returns its answer's text, malloc'd, or NULL: there is
 * none. */
static char *
line_answer(struct client *c, const char *line, size_t len)
{
    char *answer;
    size_t answer_len;
    struct json_call *k = json_call_parse(line, len);
    assert_non_null(k);
    while (json_call_run(k, c))
        ;
    assert_int_equal(json_call_answer(&k, &answer, &answer_len), 0);
    assert_int_equal(answer ? strlen(answer) : 0, answer_len);
    return answer;
}

/* Makes a call with these parameters; returns its answer's text, malloc'd. */
static char *
answer_of(struct client *c, const char *method, const char *params)
{
    char line[1024];
    int len = snprintf(
        line, sizeof line,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}",
        method, params);
    assert_true(len > 0 && len < (int)sizeof line);
    char *answer = line_answer(c, line, (size_t)len);
    assert_non_null(answer);
    return answer;
}

/* Makes a call whose answer has this in it. */
static void
call(struct client *c, const char *method, const char *params, const char *want)
{
    char *answer = answer_of(c, method, params);
    if (!strstr(answer, want))
        fail_msg("%s %s: %s", method, params, answer);
    free(answer);
}

static void
wrong_parameters_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *method, *params, *message, *where;
    } row[] = {
        {"status", "{\"name\":\"b\"}", "unknown name", "name"},
        {"mute", "{\"nam\":\"b\",\"muted\":true}", "unknown name", "nam"},
        {"recv", "{\"to\":\"b\"}", "unknown name", "to"},
        {"send",
         "{\"to\":\"b\",\"text\":\"x\",\"file_name\":\"y\",\"data\":\"\"}",
         "given twice", "text"},
        {"send", "{\"to\":\"b\",\"text\":\"x\",\"data\":\"\"}",
         "required value is missing", "file_name"},
        {"release", "{}", "required value is missing", "order"},
        {"send", "{\"to\":\"b\",\"text\":\"a\\u0000b\"}", "malformed input",
         "text"},
        {"release", "{\"order\":1,\"reader\":\"app\"}", "not found", "reader"},
        {"recv", "{\"reader\":7}", "malformed input", "reader"},
        {"recv", "{\"reader\":\"app\"}", "not found", "reader"},
        {"keep", "{\"days\":\"7\"}", "malformed input", "days"},
        {"keep", "{\"days\":-1}", "malformed input", "days"},
        {"keep", "{\"days\":4294967295}", "value out of range", "days"},
        {"history", "{\"count\":true}", "malformed input", "count"},
        {"history", "{\"count\":0}", "value out of range", "count"},
        {"history", "{\"count\":1001}", "value out of range", "count"},
        {"keep", "{\"days\":36526}", "value out of range", "days"},
        {"readers.add", "{\"name\":\"a b\"}", "invalid argument", "name"},
        {"show", "{}", "required value is missing", "order"},
        {"delete", "{}", "required value is missing", "order"},
        {"readers.add", "{}", "required value is missing", "name"},
        {"readers.add", "{\"name\":\"x\",\"from_now\":1}", "malformed input",
         "from_now"},
        {"rename", "{\"name\":\"b\\u0000\",\"new_name\":\"c\"}",
         "malformed input", "name"},
        {"mute", "{}", "required value is missing", "name"},
        {"mute", "{\"name\":\"b\"}", "required value is missing", "muted"},
        {"mute", "{\"name\":\"b\",\"muted\":1}", "malformed input", "muted"},
        {"mute", "{\"name\":7,\"muted\":true}", "malformed input", "name"},
        {"mute", "{\"id\":\"1\",\"muted\":true}", "malformed input", "id"},
        {"mute", "{\"id\":-1,\"muted\":true}", "malformed input", "id"},
        {"mute", "{\"id\":4294967296,\"muted\":true}", "value out of range",
         "id"},
        {"mute", "{\"id\":1,\"name\":\"b\",\"muted\":true}", "given twice",
         "id"},
        {"pings", "{\"name\":\"b\"}", "required value is missing", "allowed"},
        {"rename", "{\"name\":\"b\"}", "required value is missing", "new_name"},
        {"rename", "{\"name\":\"b\",\"new_name\":7}", "malformed input",
         "new_name"},
        {"remove", "{}", "required value is missing", "name"},
        {"open", "{}", "required value is missing", "name"},
        {"withdraw", "{}", "required value is missing", "name"},
        {"send", "{\"id\":1,\"to\":\"b\",\"text\":\"x\"}", "given twice", "id"},
    };
    struct pair p;
    pair_make(&p, &pair_net);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        char where[64], message[64];
        snprintf(where, sizeof where, ",\"parameter\":\"%s\"}", row[i].where);
        snprintf(message, sizeof message, "\"message\":\"%s\"", row[i].message);
        call(p.c[0], row[i].method, row[i].params, where);
        call(p.c[0], row[i].method, row[i].params, message);
        call(p.c[0], row[i].method, row[i].params, "\"code\":-32602");
    }
    pair_free(&p);
}

static void
who_is_not_there_is_not_found(void **state)
{
    (void)state;
    static const char *const params[][2] = {
        {"mute", "{\"%s\":%s,\"muted\":true}"},
        {"pings", "{\"%s\":%s,\"allowed\":true}"},
        {"rename", "{\"%s\":%s,\"new_name\":\"x\"}"},
        {"remove", "{\"%s\":%s}"},
        {"open", "{\"%s\":%s}"},
        {"withdraw", "{\"%s\":%s}"},
        {"ping", "{\"%s\":%s}"},
        {"message", "{\"%s\":%s}"}};
    struct pair p;
    char text[100];
    pair_make(&p, &pair_net);
    assert_int_equal(client_remove(p.c[0], "b"), 0);
    for (size_t i = 0; i < sizeof params / sizeof params[0]; i++) {
        snprintf(text, sizeof text, params[i][1], i < 6 ? "name" : "to",
                 "\"b\"");
        call(p.c[0], params[i][0], text, "\"message\":\"not found\"");
        for (unsigned id = 0; id < 3; id++) { /* 1 is removed */
            char number[16];
            snprintf(number, sizeof number, "%u", id);
            snprintf(text, sizeof text, params[i][1], "id", number);
            call(p.c[0], params[i][0], text, "\"message\":\"not found\"");
        }
    }
    call(p.c[0], "recv", "{\"from\":\"b\"}", "\"message\":\"not found\"");
    pair_free(&p);
}

static void
contacts_are_changed_by_name_and_by_id(void **state)
{
    (void)state;
    struct pair p;
    struct client *c;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    c = p.c[0];
    call(c, "invite", "{\"name\":\"carol\"}", "\"id\":2,\"expires\":");
    call(c, "invitation", "{\"id\":2}", "\"id\":2,\"expires\":");
    call(c, "invitation", "{\"id\":1}", "\"message\":\"used already\"");
    call(c, "contacts", "{}",
         "{\"id\":2,\"name\":\"carol\",\"confirmed\":false,\"invited\":true,"
         "\"refused\":false,\"muted\":false,\"pings\":false,"
         "\"shared\":false,\"verified\":false,\"post_quantum\":\"soon\","
         "\"waiting\":0,\"expires\":1");
    call(c, "contacts", "{}",
         "{\"id\":1,\"name\":\"b\",\"confirmed\":true,\"invited\":false,"
         "\"refused\":false,\"muted\":false,\"pings\":false,"
         "\"shared\":false,\"verified\":false,\"post_quantum\":\"soon\","
         "\"waiting\":0,\"expires\":0}");
    call(c, "rename", "{\"id\":1,\"new_name\":\"carol\"}",
         "\"message\":\"exists already\"");
    call(c, "rename", "{\"id\":1,\"new_name\":\"no name\"}",
         "\"message\":\"invalid argument\"");
    call(c, "rename", "{\"name\":\"b\",\"new_name\":\"bob\"}", "\"result\":{}");
    call(c, "mute", "{\"id\":1,\"muted\":true}", "\"result\":{}");
    call(c, "pings", "{\"name\":\"bob\",\"allowed\":true}", "\"result\":{}");
    call(c, "verify", "{\"id\":1}", "required value is missing");
    call(c, "verify", "{\"id\":2,\"verified\":true}", "not now, try again");
    call(c, "safety", "{\"id\":2}", "not now, try again");
    call(c, "safety", "{\"id\":1}", "\"verified\":false");
    call(c, "verify", "{\"id\":1,\"verified\":true}", "\"result\":{}");
    pair_restart(&p, 0);
    c = p.c[0];
    call(c, "safety", "{\"name\":\"bob\"}", "\"verified\":true");
    call(c, "contacts", "{}",
         "{\"id\":1,\"name\":\"bob\",\"confirmed\":true,\"invited\":false,"
         "\"refused\":false,\"muted\":true,\"pings\":true,"
         "\"shared\":false,\"verified\":true,\"post_quantum\":\"soon\","
         "\"waiting\":0,\"expires\":0}");
    call(c, "open", "{\"id\":1}", "\"result\":{}");
    call(c, "withdraw", "{\"id\":1}", "\"message\":\"used already\"");
    call(c, "withdraw", "{\"name\":\"carol\"}", "\"result\":{}");
    call(c, "send", "{\"id\":1,\"text\":\"x\"}", "\"id\":1,\"order\":");
    call(c, "ping", "{\"to\":\"bob\"}", "\"id\":1,\"order\":");
    call(c, "remove", "{\"id\":1}", "\"result\":{}");
    call(c, "contacts", "{}", "\"result\":[]");
    call(c, "invite", "{\"name\":\"bob\"}", "\"id\":3");
    pair_free(&p);
}

/* Both sides see the same number, 12 times 5 digits. */
static void
safety_numbers_are_alike(void **state)
{
    (void)state;
    struct pair p;
    char mine[CLIENT_SAFETY_LEN], theirs[CLIENT_SAFETY_LEN];
    bool verified;
    pair_make(&p, &pair_net);
    assert_int_equal(client_safety(p.c[1], "a", mine, &verified), ERR_AGAIN);
    pair_settle(&p);
    assert_int_equal(client_safety(p.c[0], "b", mine, &verified), 0);
    assert_int_equal(client_safety(p.c[1], "a", theirs, &verified), 0);
    assert_string_equal(mine, theirs);
    for (size_t i = 0; i < CLIENT_SAFETY_LEN - 1; i++)
        assert_true(i % 6 == 5 ? mine[i] == ' '
                               : mine[i] >= '0' && mine[i] <= '9');
    assert_int_equal(client_safety(p.c[0], "nobody", mine, &verified),
                     ERR_NOT_FOUND);
    pair_free(&p);
}

/* a writes "hello", and b has it. */
static void
hello_bring(struct pair *p)
{
    uint64_t order;
    assert_int_equal(client_send(p->c[0], "b", LETTER_TEXT,
                                 (const uint8_t *)"hello", 5, &order),
                     0);
    pair_settle(p);
}

static void
messages_tell_whose_they_are(void **state)
{
    (void)state;
    struct pair p;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    hello_bring(&p);
    call(p.c[1], "rename", "{\"name\":\"a\",\"new_name\":\"anna\"}",
         "\"result\":{}");
    for (unsigned i = 0; i < 2; i++) {
        call(p.c[1], "recv", i ? "{\"id\":1}" : "{}",
             "\"from\":\"anna\",\"from_id\":1,\"order\":1,\"event\":1,"
             "\"kind\":\"text\","
             "\"number\":1,\"sent_s\":1800000360,\"late_after\":0,"
             "\"text\":\"hello\"");
        call(p.c[1], "recv", "{\"id\":2}", "\"message\":\"not found\"");
    }
    pair_free(&p);
}

static void
what_came_is_kept_and_read_by_several(void **state)
{
    (void)state;
    struct pair p;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    hello_bring(&p);
    struct client *c = p.c[1];
    call(c, "readers.add", "{\"name\":\"app\"}", "\"result\":{}");
    call(c, "readers.add", "{\"name\":\"app\"}", "\"name\":\"EXISTS\"");
    call(c, "readers.add", "{\"name\":\"late\",\"from_now\":true}",
         "\"result\":{}");
    call(c, "readers", "{}",
         "[{\"name\":\"recv\",\"waiting\":1},{\"name\":\"app\",\"waiting\":1},"
         "{\"name\":\"late\",\"waiting\":0}]");
    call(c, "release", "{\"order\":1,\"reader\":\"app\"}", "\"result\":{}");
    call(c, "release", "{\"order\":1,\"reader\":\"app\"}",
         "\"name\":\"NOT_FOUND\"");
    call(c, "recv", "{\"reader\":\"app\"}", "\"result\":null");
    call(c, "recv", "{}", "\"text\":\"hello\"");
    call(c, "history", "{\"id\":1}",
         "\"late_after\":0,\"bytes\":5,\"read\":false}]");
    call(c, "release", "{\"order\":1}", "\"result\":{}");
    call(c, "history", "{\"from\":\"a\",\"count\":1}", "\"read\":true}]");
    call(c, "history", "{\"before\":1}", "\"result\":[]");
    free(answer_of(c, "show", "{\"order\":1}")); /* it is read from the disk */
    call(c, "show", "{\"order\":1}", "\"text\":\"hello\"");
    call(c, "show", "{\"order\":2}", "\"name\":\"NOT_FOUND\"");
    call(c, "keep", "{}", "{\"days\":null,\"kept\":1}");
    call(c, "keep", "{\"days\":7}", "{\"days\":7,\"kept\":1}");
    call(c, "keep", "{\"days\":0}", "{\"days\":0,\"kept\":0}");
    call(c, "keep", "{\"days\":null}", "{\"days\":null,\"kept\":0}");
    call(c, "delete", "{\"order\":1}", "\"name\":\"NOT_FOUND\"");
    call(c, "readers.remove", "{\"name\":\"app\"}", "\"result\":{}");
    call(c, "readers.remove", "{\"name\":\"app\"}", "\"name\":\"NOT_FOUND\"");
    pair_free(&p);
}

/* ---- JSON-RPC 2.0 ---- */

/* Answers that a line has to have; NULL: it has none. */
static void
lines_are_answered_as_json_rpc_says(void **state)
{
    (void)state;
#define CALL_OF(id, more)   "{\"jsonrpc\":\"2.0\",\"id\":" id "," more "}"
#define ANSWER_OF(id, more) "{\"jsonrpc\":\"2.0\",\"id\":" id "," more "}"
#define ERROR_OF(code, message, name)                     \
    "\"error\":{\"code\":" code ",\"message\":\"" message \
    "\",\"data\":{\"name\":\"" name "\"}}"
#define NO_CALL \
    ANSWER_OF("null", ERROR_OF("-32600", "not a JSON-RPC 2.0 call", "FORMAT"))
#define LIST "\"method\":\"contacts\""
#define NOTE "{\"jsonrpc\":\"2.0\",\"method\":\"contacts\"}"
    static const struct {
        const char *line, *answer;
    } row[] = {
        {CALL_OF("7", LIST), ANSWER_OF("7", "\"result\":[]")},
        {CALL_OF("7", LIST ",\"params\":{}"), ANSWER_OF("7", "\"result\":[]")},
        {CALL_OF("7", LIST ",\"params\":[]"), ANSWER_OF("7", "\"result\":[]")},
        {CALL_OF("7", "\"method\":\"contacts.list\""),
         ANSWER_OF("7", "\"result\":[]")},
        /* ids */
        {CALL_OF("\"a\"", LIST), ANSWER_OF("\"a\"", "\"result\":[]")},
        {CALL_OF("\"\"", LIST), ANSWER_OF("\"\"", "\"result\":[]")},
        {CALL_OF("null", LIST), ANSWER_OF("null", "\"result\":[]")},
        {CALL_OF("-1.5", LIST), ANSWER_OF("-1.5", "\"result\":[]")},
        {CALL_OF("true", LIST),
         ANSWER_OF("null",
                   ERROR_OF("-32600", "an id is a string, a number or null",
                            "FORMAT"))},
        {CALL_OF("[1]", LIST),
         ANSWER_OF("null",
                   ERROR_OF("-32600", "an id is a string, a number or null",
                            "FORMAT"))},
        {CALL_OF("{}", LIST),
         ANSWER_OF("null",
                   ERROR_OF("-32600", "an id is a string, a number or null",
                            "FORMAT"))},
        /* notifications */
        {NOTE, NULL},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"nothing\"}", NULL},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"mute\",\"params\":{}}", NULL},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"mute\",\"params\":[1]}", NULL},
        /* what is no call */
        {"{", ANSWER_OF("null", ERROR_OF("-32700", "not JSON", "FORMAT"))},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"contacts\",\"id\":2}",
         ANSWER_OF("null", ERROR_OF("-32700", "not JSON", "FORMAT"))},
        {"1", NO_CALL},
        {"{}", NO_CALL},
        {"{\"jsonrpc\":\"2.0\",\"method\":1,\"params\":\"bar\"}", NO_CALL},
        {"{\"jsonrpc\":\"1.0\",\"method\":\"contacts\"}", NO_CALL},
        {"{\"id\":1,\"method\":\"contacts\"}",
         ANSWER_OF("1",
                   ERROR_OF("-32600", "not a JSON-RPC 2.0 call", "FORMAT"))},
        {CALL_OF("7", LIST ",\"params\":null"),
         ANSWER_OF("7",
                   ERROR_OF("-32600", "not a JSON-RPC 2.0 call", "FORMAT"))},
        /* errors */
        {CALL_OF("7", "\"method\":\"nothing\""),
         ANSWER_OF("7", ERROR_OF("-32601", "no such method; 'api' lists them",
                                 "UNKNOWN"))},
        {CALL_OF("7", "\"method\":\"contacts\\u0000\""),
         ANSWER_OF("7",
                   ERROR_OF("-32600", "not a JSON-RPC 2.0 call", "FORMAT"))},
        {CALL_OF("\"\\u0000\"", LIST),
         ANSWER_OF("\"\\u0000\"", "\"result\":[]")},
        {CALL_OF("7", "\"method\":\"open\",\"params\":[\"b\"]"),
         ANSWER_OF("7",
                   ERROR_OF("-32602", "parameters go by name, in an object",
                            "FORMAT"))},
        {CALL_OF("7", "\"method\":\"open\",\"params\":{\"name\":\"b\"}"),
         ANSWER_OF("7", ERROR_OF("-32035", "not found", "NOT_FOUND"))},
        {CALL_OF("7", "\"method\":\"release\",\"params\":{\"order\":9}"),
         ANSWER_OF("7", ERROR_OF("-32035", "not found", "NOT_FOUND"))},
        /* batches */
        {"[]", ANSWER_OF("null",
                         ERROR_OF("-32600", "a batch of no calls", "FORMAT"))},
        {"[1,{}]", "[" NO_CALL "," NO_CALL "]"},
        {"[" NOTE "," NOTE "]", NULL},
        {"[" CALL_OF("1", LIST) "," NOTE "," CALL_OF("\"2\"", LIST) ",0]",
         "[" ANSWER_OF("1", "\"result\":[]") "," ANSWER_OF(
             "\"2\"", "\"result\":[]") "," NO_CALL "]"},
        {"[" CALL_OF("1", LIST) ",",
         ANSWER_OF("null", ERROR_OF("-32700", "not JSON", "FORMAT"))}};
    struct client_disk disk;
    disk_init(&disk, test_seed());
    struct client *c = disk_client(&disk, &pair_net);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        char *answer = line_answer(c, row[i].line, strlen(row[i].line));
        if ((answer == NULL) != (row[i].answer == NULL) ||
            (answer && strcmp(answer, row[i].answer) != 0))
            fail_msg("%s\nis answered %s\ninstead of  %s", row[i].line,
                     answer ? answer : "nothing",
                     row[i].answer ? row[i].answer : "nothing");
        free(answer);
    }
    client_free(&c);
    disk_free(&disk);
}

/* What a notification asks is done, and what stands before in a batch as well. */
static void
calls_of_a_line_are_carried_out_in_order(void **state)
{
    (void)state;
    static const char line[] =
        "[{\"jsonrpc\":\"2.0\",\"method\":\"rename\",\"params\":"
        "{\"name\":\"b\",\"new_name\":\"bob\"}},"
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"contacts.rename\","
        "\"params\":{\"name\":\"bob\",\"new_name\":\"bo\"}},"
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"mute\","
        "\"params\":{\"name\":\"bob\",\"muted\":true}}]";
    struct pair p;
    pair_make(&p, &pair_net);
    char *answer = line_answer(p.c[0], line, strlen(line));
    assert_non_null(strstr(answer, "{\"jsonrpc\":\"2.0\",\"id\":1,"
                                   "\"result\":{}}"));
    assert_non_null(strstr(answer, "\"NOT_FOUND\""));
    free(answer);
    call(p.c[0], "contacts", "{}", "\"name\":\"bo\"");
    pair_free(&p);
}

static void
too_much_is_refused(void **state)
{
    (void)state;
    struct client_disk disk;
    char line[512] = "[0";
    disk_init(&disk, test_seed());
    struct client *c = disk_client(&disk, &pair_net);
    for (size_t i = 1; i < JSON_BATCH_MAX; i++)
        strcat(line, ",0");
    strcat(line, "]");
    char *answer = line_answer(c, line, strlen(line));
    assert_int_equal(answer[0], '[');
    free(answer);
    strcpy(strrchr(line, ']'), ",0]");
    answer = line_answer(c, line, strlen(line));
    assert_non_null(strstr(answer, "a batch has 64 calls at most"));
    free(answer);
    answer = line_answer(c, "", JSON_LINE_MAX + 1);
    assert_non_null(strstr(answer, "a line has 24 MiB at most"));
    free(answer);
    client_free(&c);
    disk_free(&disk);
}

/* ---- what contacts write ---- */

/* A message of this kind lies in b's inbox, and was taken in by the disk. */
static void
message_put(struct pair *p, enum letter_kind kind, const void *data, size_t len)
{
    struct client *c = p->c[1];
    struct received *r;
    struct letter l = {.kind = (uint8_t)kind};
    letter_id(l.message, 7, 1700000000);
    journal_begin(c->journal);
    assert_int_equal(inbox_make(c, p->v[1], &l, data, len, &r), 0);
    (void)journal_end(c->journal);
    inbox_link(c, r);
    assert_int_equal(inbox_show(c, r), 0);
}

/* Takes the only message; returns it, as a reader without any tolerance sees
 * it. */
static json_t *
message_take(struct pair *p)
{
    json_error_t e;
    char params[64];
    char *answer = answer_of(p->c[1], "recv", "{}");
    assert_true(strlen(answer) < JSON_LINE_MAX);
    json_t *v = json_loads(answer, JSON_REJECT_DUPLICATES, &e);
    if (!v)
        fail_msg("%s: %.200s", e.text, answer);
    free(answer);
    json_t *r = json_incref(json_object_get(v, "result"));
    json_decref(v);
    snprintf(params, sizeof params, "{\"order\":%d}",
             (int)json_integer_value(json_object_get(r, "order")));
    call(p->c[1], "release", params, "\"result\":{}");
    call(p->c[1], "release", params, "\"NOT_FOUND\"");
    call(p->c[1], "recv", "{}", "\"result\":null");
    return r;
}

static void
data_is(const json_t *r, const void *data, size_t len)
{
    const char *base64 = json_string_value(json_object_get(r, "data"));
    assert_non_null(base64);
    const size_t room = strlen(base64) + 1;
    uint8_t *got = malloc(room);
    size_t got_len;
    assert_non_null(got);
    assert_int_equal(codec_unbase64(got, room, &got_len, base64), 0);
    assert_int_equal(got_len, len);
    assert_memory_equal(got, data, len);
    free(got);
}

static const char *
word_of(const json_t *r, const char *name)
{
    return json_string_value(json_object_get(r, name));
}

#define U "\xef\xbf\xbd"
static void
any_text_can_be_read_and_released(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        size_t len;
        const char *text;
        bool exact;
    } row[] = {
        {"", 0, "", true},
        {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", 14,
         "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", true},
        {"\x1b\"\\\n\x7f", 5, "\x1b\"\\\n\x7f", true},
        {"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf", 10,
         "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf", true},
        {"a\0b", 3, "a" U "b", false},
        {"\0", 1, U, false},
        {"caf\xe9", 4, "caf" U, false},
        {"\xc0\x80", 2, U U, false},             /* overlong */
        {"\xe0\x9f\xbf", 3, U U U, false},       /* likewise */
        {"\xed\xa0\x80", 3, U U U, false},       /* a surrogate */
        {"\xf4\x90\x80\x80", 4, U U U U, false}, /* beyond Unicode */
        {"\xf5\xff", 2, U U, false},
        {"\xe2\x82", 2, U U, false}, /* cut */
        {"\xe2\x28\xac", 3, U "(" U, false},
    };
    struct pair p;
    pair_make(&p, &pair_net);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        message_put(&p, LETTER_TEXT, row[i].data, row[i].len);
        json_t *r = message_take(&p);
        assert_string_equal(word_of(r, "kind"), "text");
        assert_string_equal(word_of(r, "text"), row[i].text);
        assert_null(word_of(r, "file_name"));
        if (row[i].exact)
            assert_null(word_of(r, "data"));
        else
            data_is(r, row[i].data, row[i].len);
        json_decref(r);
    }
    pair_free(&p);
}

static void
any_file_can_be_read_and_released(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        size_t len;
        const char *name;
        size_t skip;
    } row[] = {
        {"\5a.txthello", 11, "a.txt", 6}, {"\3a\0bhello", 9, "a" U "b", 4},
        {"\4caf\xe9", 5, "caf" U, 5},     {"\0hello", 6, "file", 0},
        {"\xff", 1, "file", 0},           {"", 0, "file", 0}};
    struct pair p;
    pair_make(&p, &pair_net);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        message_put(&p, LETTER_FILE, row[i].data, row[i].len);
        json_t *r = message_take(&p);
        assert_string_equal(word_of(r, "kind"), "file");
        assert_string_equal(word_of(r, "file_name"), row[i].name);
        assert_null(word_of(r, "text"));
        data_is(r, row[i].data + row[i].skip, row[i].len - row[i].skip);
        json_decref(r);
    }
    pair_free(&p);
}

/* The largest text of what takes most in JSON has a place in a line. */
static void
the_largest_text_can_be_read(void **state)
{
    (void)state;
    static const char fill[] = {'a', 1, '"', 0, (char)0xff};
    struct pair p;
    char *data = malloc(LETTER_MESSAGE_MAX);
    assert_non_null(data);
    pair_make(&p, &pair_net);
    for (size_t i = 0; i < sizeof fill; i++) {
        memset(data, fill[i], LETTER_MESSAGE_MAX);
        message_put(&p, LETTER_TEXT, data, LETTER_MESSAGE_MAX);
        json_t *r = message_take(&p);
        assert_string_equal(word_of(r, "kind"), "text");
        if (fill[i] == 'a') {
            assert_int_equal(strlen(word_of(r, "text")), LETTER_MESSAGE_MAX);
        } else {
            assert_null(word_of(r, "text"));
            assert_string_equal(word_of(r, "file_name"), "text.txt");
            data_is(r, data, LETTER_MESSAGE_MAX);
        }
        json_decref(r);
    }
    /* a batch has as much of it as one call, once */
    memset(data, 1, LETTER_MESSAGE_MAX);
    message_put(&p, LETTER_TEXT, data, LETTER_MESSAGE_MAX);
    free(data);
    static const char line[] =
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"recv\"},"
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"recv\"}]";
    char *answer = line_answer(p.c[1], line, strlen(line));
    assert_true(strlen(answer) < JSON_LINE_MAX);
    assert_non_null(strstr(answer, "\"id\":1,\"result\""));
    assert_non_null(strstr(answer, "\"id\":2,\"error\""));
    assert_non_null(strstr(answer, "\"FULL\""));
    free(answer);
    pair_free(&p);
}

/* ---- memory, disk, words ---- */

/* Without memory there is no answer, or one that says so; never half of one. */
static void
answers_are_whole_or_none(void **state)
{
    (void)state;
    static const char line[] =
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"contacts\"},"
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"api\"},"
        "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"recv\"},"
        "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"open\"},"
        "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"message\","
        "\"params\":{\"to\":\"a\"}}]";
    struct pair p;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    message_put(&p, LETTER_TEXT, "a\0b", 3);
    char *want = line_answer(p.c[1], line, strlen(line));
    for (struct heap h = {.most = 200}; heap_next(&h);) {
        char *answer = NULL;
        size_t len;
        int err = 0;
        heap_arm(&h);
        struct json_call *k = json_call_parse(line, strlen(line));
        while (k && json_call_run(k, p.c[1]))
            ;
        if (k)
            err = json_call_answer(&k, &answer, &len);
        heap_disarm(&h);
        assert_true(err == 0 || (err == ERR_NOMEM && h.failed));
        if (!h.failed)
            assert_string_equal(answer, want);
        else if (answer && strcmp(answer, want) != 0 &&
                 !strstr(answer, "out of memory"))
            fail_msg("%ld: %s", h.n, answer);
        free(answer);
    }
    free(want);
    pair_free(&p);
}

/* A call that changes something waits for the disk, and no other does. */
static void
call_is_kept(struct pair *p, unsigned side, const char *method,
             const char *params, bool keeps)
{
    char line[512], *answer;
    size_t len;
    struct client *c = p->c[side];
    snprintf(line, sizeof line,
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}",
             method, params);
    struct json_call *k = json_call_parse(line, strlen(line));
    assert_non_null(k);
    const uint64_t before = client_mark(c);
    assert_false(json_call_run(k, c));
    if (json_call_waits(k, c) != keeps || (client_mark(c) > before) != keeps)
        fail_msg("%s: %sto be kept", method, keeps ? "" : "nothing is ");
    disk_release(&p->disk[side]);
    assert_false(json_call_waits(k, c));
    assert_int_equal(json_call_answer(&k, &answer, &len), 0);
    free(answer);
}

/* Of a batch each call has its own answer: what the disk kept before it failed, and
 * what it did not; and what was taken back stays so when it heals. */
static void
i6_each_call_of_a_batch_has_its_answer(void **state)
{
    (void)state;
    static const char line[] =
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"send\",\"params\":"
        "{\"to\":\"b\",\"text\":\"one\"}},"
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"send\",\"params\":"
        "{\"to\":\"b\",\"text\":\"two\"}},"
        "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"send\",\"params\":"
        "{\"to\":\"b\",\"text\":\"three\"}}]";
    struct pair p;
    char *answer;
    size_t len;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    p.disk[0].slow = true;
    struct json_call *k = json_call_parse(line, sizeof line - 1);
    assert_non_null(k);
    assert_true(json_call_run(k, p.c[0]));
    assert_true(json_call_waits(k, p.c[0]));
    disk_release(&p.disk[0]);
    assert_false(json_call_waits(k, p.c[0]));
    p.disk[0].full = true;
    assert_true(json_call_run(k, p.c[0]));
    assert_true(json_call_waits(k, p.c[0]));
    disk_release(&p.disk[0]);
    assert_false(json_call_waits(k, p.c[0]));
    p.disk[0].full = p.disk[0].slow = false;
    p.disk[0].test.mono_us += STORE_ASKED_US;
    assert_false(json_call_run(k, p.c[0]));
    assert_false(json_call_waits(k, p.c[0]));
    assert_int_equal(json_call_answer(&k, &answer, &len), 0);
    json_t *v = json_loads(answer, 0, NULL);
    assert_non_null(json_object_get(json_array_get(v, 0), "result"));
    assert_non_null(json_object_get(json_array_get(v, 1), "error"));
    assert_non_null(json_object_get(json_array_get(v, 2), "result"));
    json_decref(v);
    free(answer);
    assert_int_equal(p.v[0]->n_waiting, 2);
    pair_free(&p);
}

static void
what_changes_something_waits_for_the_disk(void **state)
{
    (void)state;
    static const struct {
        const char *method, *params;
        bool keeps;
    } row[] = {{"invite", "{\"name\":\"x\"}", true},
               {"rename", "{\"name\":\"b\",\"new_name\":\"b2\"}", true},
               {"mute", "{\"id\":1,\"muted\":true}", true},
               {"pings", "{\"id\":1,\"allowed\":true}", true},
               {"send", "{\"id\":1,\"text\":\"x\"}", true},
               {"send", "{\"id\":1,\"file_name\":\"x\",\"data\":\"\"}", true},
               {"ping", "{\"id\":1}", true},
               {"open", "{\"id\":1}", false},
               {"message", "{\"id\":1}", false},
               {"withdraw", "{\"id\":1}", true},
               {"remove", "{\"name\":\"x\"}", true},
               {"remove", "{\"id\":9}", false},
               {"release", "{\"order\":9}", false},
               {"contacts", "{}", false},
               {"status", "{}", false},
               {"api", "{}", false},
               {"recv", "{}", false}};
    struct pair p;
    char line[INVITE_TEXT_LEN], params[INVITE_TEXT_LEN + 64];
    pair_make(&p, &pair_net);
    message_put(&p, LETTER_TEXT, "hello", 5);
    assert_int_equal(client_invite(p.c[1], "c", line), 0);
    snprintf(params, sizeof params, "{\"name\":\"c\",\"invitation\":\"%s\"}",
             line);
    for (unsigned i = 0; i < 2; i++)
        p.disk[i].slow = true;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        call_is_kept(&p, 0, row[i].method, row[i].params, row[i].keeps);
    call_is_kept(&p, 0, "add", params, true);
    call_is_kept(&p, 1, "recv", "{}", false);
    call_is_kept(&p, 1, "release", "{\"order\":1}", true);
    for (unsigned i = 0; i < 2; i++)
        disk_release(&p.disk[i]);
    pair_free(&p);
}

static unsigned kept_told;

static void
kept(void *ctx)
{
    (void)ctx;
    kept_told++;
}

static void
a_client_tells_what_is_kept(void **state)
{
    (void)state;
    char line[INVITE_TEXT_LEN];
    struct client_disk disk;
    kept_told = 0;
    disk_init(&disk, test_seed());
    struct client *c = disk_client(&disk, &pair_net);
    disk.slow = true;
    assert_int_equal(client_kept(c, client_mark(c)), 0);
    client_on_kept(c, kept, NULL);
    assert_int_equal(client_invite(c, "b", line), 0);
    const uint64_t one = client_mark(c);
    assert_int_equal(client_kept(c, one), ERR_AGAIN);
    disk_release(&disk);
    assert_true(kept_told > 0);
    assert_int_equal(client_kept(c, one), 0);
    assert_int_equal(client_invite(c, "c", line), 0);
    disk.full = true;
    kept_told = 0;
    disk_release(&disk);
    assert_true(kept_told > 0);
    assert_int_equal(client_kept(c, one), 0);
    const int err = client_kept(c, client_mark(c));
    assert_true(err && err != ERR_AGAIN);
    client_on_kept(c, NULL, NULL);
    client_free(&c);
    disk_free(&disk);
}

/* doc/CALLS.md has a head for each method, and names its parameters there. */
static void
the_manual_has_every_method(void **state)
{
    (void)state;
    char *manual, head[64];
    size_t i, j, len;
    json_t *m, *param;
    struct client_disk disk;
    disk_init(&disk, test_seed());
    struct client *c = disk_client(&disk, &pair_net);
    char *answer = answer_of(c, "api", "{}");
    json_t *v = json_loads(answer, 0, NULL);
    const json_t *list =
        json_object_get(json_object_get(v, "result"), "methods");
    assert_int_equal(
        files_read("doc/CALLS.md", 1 << 20, (uint8_t **)&manual, &len), 0);
    manual = realloc(manual, len + 1);
    assert_non_null(manual);
    manual[len] = 0;
    assert_true(json_array_size(list) > 10);
    json_array_foreach(list, i, m)
    {
        const char *also = word_of(m, "also");
        snprintf(head, sizeof head, also ? "\n### %s, %s\n" : "\n### %s\n",
                 word_of(m, "name"), also);
        char *at = strstr(manual, head);
        if (!at)
            fail_msg("doc/CALLS.md has no '%s'", head + 1);
        char *end = strstr(at + 1, "\n#");
        if (end)
            *end = 0;
        json_array_foreach(json_object_get(m, "params"), j, param)
        {
            snprintf(head, sizeof head, "`%s`", json_string_value(param));
            if (!strstr(at, head))
                fail_msg("doc/CALLS.md: %s lacks %s", word_of(m, "name"), head);
        }
        if (end)
            *end = '\n';
    }
    free(manual);
    free(answer);
    json_decref(v);
    client_free(&c);
    disk_free(&disk);
}

#define CALLS_TEST(f) \
    cmocka_unit_test_setup_teardown(f, pair_net_make, pair_net_free)
const struct CMUnitTest test_client_calls[] = {
    CALLS_TEST(wrong_parameters_are_named),
    CALLS_TEST(who_is_not_there_is_not_found),
    CALLS_TEST(contacts_are_changed_by_name_and_by_id),
    CALLS_TEST(safety_numbers_are_alike),
    CALLS_TEST(messages_tell_whose_they_are),
    CALLS_TEST(what_came_is_kept_and_read_by_several),
    CALLS_TEST(lines_are_answered_as_json_rpc_says),
    CALLS_TEST(calls_of_a_line_are_carried_out_in_order),
    CALLS_TEST(too_much_is_refused),
    CALLS_TEST(any_text_can_be_read_and_released),
    CALLS_TEST(any_file_can_be_read_and_released),
    CALLS_TEST(the_largest_text_can_be_read),
    CALLS_TEST(answers_are_whole_or_none),
    CALLS_TEST(what_changes_something_waits_for_the_disk),
    CALLS_TEST(i6_each_call_of_a_batch_has_its_answer),
    CALLS_TEST(a_client_tells_what_is_kept),
    CALLS_TEST(the_manual_has_every_method),
};
TEST_SUITE(test_client_calls);
