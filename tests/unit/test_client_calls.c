/* tests/unit/test_client_calls.c - the calls about contacts, as JSON-RPC: what each
 * answers, and how it says what is wrong. */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/daemon/json.h"
#include "tests/pair.h"

static struct sim_net net;

static int
net_make(void **state)
{
    (void)state;
    test_network_make(&net, SPHINX_SUITE_NULL, 2, 3, 1, 2);
    return 0;
}

static int
net_free(void **state)
{
    (void)state;
    test_network_free(&net);
    return 0;
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
    struct json_call *k = json_call_parse(line, (size_t)len);
    assert_non_null(k);
    json_call_run(k, c);
    char *answer = json_call_answer(&k);
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
    pair_make(&p, &net);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        char where[64], message[64];
        snprintf(where, sizeof where, "{\"parameter\":\"%s\"}", row[i].where);
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
    pair_make(&p, &net);
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
    pair_make(&p, &net);
    pair_settle(&p);
    c = p.c[0];
    call(c, "invite", "{\"name\":\"carol\"}", "\"id\":2");
    call(c, "contacts", "{}",
         "{\"id\":2,\"name\":\"carol\",\"confirmed\":false,\"invited\":true,"
         "\"refused\":false,\"muted\":false,\"pings\":false,\"waiting\":0}");
    call(c, "contacts", "{}",
         "{\"id\":1,\"name\":\"b\",\"confirmed\":true,\"invited\":false,"
         "\"refused\":false,\"muted\":false,\"pings\":false,\"waiting\":0}");
    call(c, "rename", "{\"id\":1,\"new_name\":\"carol\"}",
         "\"message\":\"exists already\"");
    call(c, "rename", "{\"id\":1,\"new_name\":\"no name\"}",
         "\"message\":\"invalid argument\"");
    call(c, "rename", "{\"name\":\"b\",\"new_name\":\"bob\"}", "\"result\":{}");
    call(c, "mute", "{\"id\":1,\"muted\":true}", "\"result\":{}");
    call(c, "pings", "{\"name\":\"bob\",\"allowed\":true}", "\"result\":{}");
    call(c, "contacts", "{}",
         "{\"id\":1,\"name\":\"bob\",\"confirmed\":true,\"invited\":false,"
         "\"refused\":false,\"muted\":true,\"pings\":true,\"waiting\":0}");
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

static void
messages_tell_whose_they_are(void **state)
{
    (void)state;
    struct pair p;
    uint64_t order;
    pair_make(&p, &net);
    pair_settle(&p);
    assert_int_equal(client_send(p.c[0], "b", LETTER_TEXT,
                                 (const uint8_t *)"hello", 5, &order),
                     0);
    pair_settle(&p);
    call(p.c[1], "rename", "{\"name\":\"a\",\"new_name\":\"anna\"}",
         "\"result\":{}");
    for (unsigned i = 0; i < 2; i++) {
        call(p.c[1], "recv", i ? "{\"id\":1}" : "{}",
             "\"from\":\"anna\",\"from_id\":1,\"order\":1,\"text\":\"hello\"");
        call(p.c[1], "recv", "{\"id\":2}", "\"message\":\"not found\"");
    }
    pair_free(&p);
}

#define CALLS_TEST(f) cmocka_unit_test_setup_teardown(f, net_make, net_free)
const struct CMUnitTest test_client_calls[] = {
    CALLS_TEST(wrong_parameters_are_named),
    CALLS_TEST(who_is_not_there_is_not_found),
    CALLS_TEST(contacts_are_changed_by_name_and_by_id),
    CALLS_TEST(messages_tell_whose_they_are),
};
TEST_SUITE(test_client_calls);
