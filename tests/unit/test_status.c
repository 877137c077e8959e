/* tests/unit/test_status.c - what an operator is told, and when. */
#include "tests/runner.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/os/clock.h"
#include "lib/os/files.h"
#include "relay/alarm.h"
#include "relay/operator/status.h"
#include "relay/operator/top.h"

enum { NOW = 1000000 };

/* A mix that is well, in epoch 28 of a network that began at 900,000. */
static struct status
good(void)
{
    struct status s = {.written_s = NOW - 2,
                       .started_s = NOW - 7200,
                       .pid = 4242,
                       .running = true,
                       .role = 1,
                       .listen = "192.0.2.7:7100",
                       .genesis_s = 900000,
                       .epoch_len_s = 3600,
                       .epoch = 28,
                       .valid_after_s = 997200,
                       .relays = 10,
                       .layer = 2,
                       .layers = 3,
                       .key_until_s = 1008090,
                       .authorities = 4,
                       .reached = 4,
                       .descriptor_epoch = 29,
                       .descriptor_taken = 4,
                       .descriptor_first = 27,
                       .links_out = 5,
                       .links_out_up = 5,
                       .links_in = 4,
                       .quota_percent = -1,
                       .clients_max = 2000,
                       .packets_max = 20000};
    s.seen = (struct publish_out){.minutes = 120,
                                  .count = {100000, 90000, 0, 0, 5000, 0},
                                  .loops_percent = 95,
                                  .rate = 14};
    return s;
}

/* What is printed; *exit: the exit status. */
static const char *
printed(const struct status *s, enum status_process process, int *status)
{
    static char text[8192];
    memset(text, 0, sizeof text);
    FILE *f = fmemopen(text, sizeof text - 1, "w");
    assert_non_null(f);
    *status = status_print(s, process, NOW, f);
    assert_int_equal(fclose(f), 0);
    return text;
}

static void
is_well(const struct status *s)
{
    int status;
    const char *text = printed(s, STATUS_ALIVE, &status);
    if (status != 0 || !strstr(text, "state       healthy"))
        fail_msg("not well:\n%s", text);
}

/* It is not well (or only warned of), and both words stand in one line. */
static void
says(const struct status *s, enum status_process process, int status,
     const char *what, const char *todo)
{
    int got;
    char *text = (char *)(uintptr_t)printed(s, process, &got);
    char *line = strstr(text, what);
    if (got != status || !line)
        fail_msg("'%s' (%d) is not in (%d):\n%s", what, status, got, text);
    line[strcspn(line, "\n")] = 0;
    if (!strstr(line, todo))
        fail_msg("'%s' is not in: %s", todo, line);
}

static void
a_good_relay_is_healthy(void **state)
{
    (void)state;
    struct status s = good();
    int status;
    is_well(&s);
    const char *text = printed(&s, STATUS_ALIVE, &status);
    assert_non_null(strstr(text, "mix, layer 2 of 3, links at 192.0.2.7:7100"));
    assert_non_null(strstr(text, "in the one of epoch 28, 10 relays"));
    assert_non_null(strstr(text, "until 1970-01-12 16:01:30 UTC, in 2 h"));
    assert_non_null(strstr(text, "loops       95 % of its own return\n"));
    assert_non_null(strstr(text, "about 14 packets a second"));
    assert_null(strstr(text, "error"));
    assert_null(strstr(text, "warning"));
}

static void
a_process_that_is_gone_is_noticed(void **state)
{
    (void)state;
    struct status s = good();
    says(&s, STATUS_GONE, 1, "ended without a word", "its log");
    s.written_s = NOW - STATUS_OLD_S - 100;
    says(&s, STATUS_ALIVE, 1, "written 2 min ago", "disk is full");
    s.written_s = NOW - STATUS_OLD_S;
    is_well(&s);
    s.written_s = NOW + 3600;
    says(&s, STATUS_ALIVE, 1, "dated in the future", "NTP");
    s = good();
    s.leaving = true;
    says(&s, STATUS_ALIVE, 1, "it is about to end", "wait");
    s.running = false;
    says(&s, STATUS_GONE, 1, "is not running; it was stopped", "run --dir");
}

static void
a_relay_without_a_network_is_told_why(void **state)
{
    (void)state;
    struct status s = good();
    s.epoch = 0;
    s.layer = -1;
    says(&s, STATUS_ALIVE, 1, "have no consensus in force", "wait");
    s.reached = 0;
    says(&s, STATUS_ALIVE, 1, "no authority answers, of 4", "network file");
    s.started_s = s.written_s;
    says(&s, STATUS_ALIVE, 1, "just started", "wait a few seconds");
    s.reached = 4;
    s.genesis_s = NOW + 100;
    says(&s, STATUS_ALIVE, 1, "first epoch has not begun", "wait");
    s = good();
    s.epoch = 0;
    strcpy(s.consensus_refusal, "dated in the future");
    s.consensus_is_mistimed = true;
    says(&s, STATUS_ALIVE, 1, "the clock is off", "NTP");
    s.consensus_is_mistimed = false;
    s.consensus_is_foreign = true;
    says(&s, STATUS_ALIVE, 1, "does not fit the network file",
         "ask whoever runs");
    s = good();
    s.valid_after_s = NOW - 3 * 3600; /* just over */
    s.reached = 0;
    says(&s, STATUS_ALIVE, 1, "has expired 0 s ago", "");
    says(&s, STATUS_ALIVE, 1, "no authority answers", "network file");
    s.valid_after_s++; /* the last second, yet late */
    s.reached = 4;
    says(&s, STATUS_ALIVE, 0,
         "warning: the consensus of epoch 28 is the newest", "three epochs");
}

static void
a_relay_outside_the_consensus_is_told_why(void **state)
{
    (void)state;
    struct status s = good();
    s.layer = -1;
    s.left_out_permille = 340;
    says(&s, STATUS_ALIVE, 1, "34 % of its neighbours lose",
         "its links are bad");
    s.left_out_permille = 0;
    s.descriptor_taken = 0;
    s.descriptor_first = 0;
    says(&s, STATUS_ALIVE, 1, "no authority has taken the descriptor yet",
         "wait a minute");
    strcpy(s.descriptor_refusal, "role: value out of range");
    says(&s, STATUS_ALIVE, 1, "refuse the descriptor: role: value",
         "admission");
    strcpy(s.descriptor_refusal, "3 of 4: banned; 1 of 4: it waits");
    s.descriptor_taken = 2; /* half of them: not enough */
    says(&s, STATUS_ALIVE, 1, "3 of 4: banned; 1 of 4: it waits", "admission");
    s.descriptor_taken = 0;
    s.descriptor_refusal[0] = 0;
    s.reached = 0;
    says(&s, STATUS_ALIVE, 1, "not in the consensus: no authority answers",
         "network file");
    s = good();
    s.layer = -1;
    s.descriptor_first = 29; /* begins at 1,000,800 */
    says(&s, STATUS_ALIVE, 1, "taken for epoch 29",
         "begins at 1970-01-12 14:00:00 UTC, in 13 min");
    s.descriptor_first = 28; /* that is here, without it */
    says(&s, STATUS_ALIVE, 1, "though 4 of 4 authorities have taken", "ask");
}

/* Somebody else describes it. */
static void
a_copied_identity_is_told(void **state)
{
    (void)state;
    struct status s = good();
    s.doubled = true;
    says(&s, STATUS_ALIVE, 1, "another machine runs with this relay's identity",
         "let one machine alone run");
}

/* Its operator has taken it out. */
static void
a_relay_that_leaves_says_so(void **state)
{
    (void)state;
    struct status s = good();
    s.left = true;
    says(&s, STATUS_ALIVE, 0, "warning: it leaves: it serves the consensus of",
         "let it run");
    s.layer = -1;
    says(&s, STATUS_ALIVE, 0, "warning: it has left", "end it");
    s.running = false;
    says(&s, STATUS_GONE, 1, "has left the network, and is not running",
         "'brusio-relay join' or 'run' brings it back");
}

static void
links_and_load_are_judged(void **state)
{
    (void)state;
    struct status s = good();
    s.waits_s = 50;
    says(&s, STATUS_ALIVE, 1, "takes no packets yet", "wait 50 s");
    s = good();
    s.reached = 3;
    says(&s, STATUS_ALIVE, 0, "warning: 1 of 4 authorities do not answer", "");
    s = good();
    s.links_out_up = 0;
    says(&s, STATUS_ALIVE, 1, "no link to any of 5", "firewall");
    s.links_out_up = 2;
    says(&s, STATUS_ALIVE, 0, "warning: only 2 of 5 links", "outgoing TCP");
    s.links_out_up = 3;
    is_well(&s);
    s.links_in = 0;
    says(&s, STATUS_ALIVE, 1, "no relay has a link to this one", "addresses");
    s.started_s = NOW - 30; /* too early to say */
    is_well(&s);
    s = good();
    s.quota_percent = 90;
    s.hibernates_until_s = 1036800;
    says(&s, STATUS_ALIVE, 0, "until 1970-01-13", "quota_gb");
    s.spent = true;
    says(&s, STATUS_ALIVE, 1, "used up", "comes back by itself");
    s = good();
    strcpy(s.unreached, "192.0.2.7:7100");
    strcpy(s.unreached_why, "timed out");
    says(&s, STATUS_ALIVE, 0, "192.0.2.7:7100: timed out", "firewall");
    s.layer = -1;
    s.descriptor_epoch = s.descriptor_first = s.descriptor_taken = 0;
    says(&s, STATUS_ALIVE, 1, "not in the consensus: it does not reach itself",
         "assume_reachable");
    s = good();
    is_well(&s);
    s = good();
    s.seen.dropped[-ERR_DEADLINE_PAST] = 10000;
    says(&s, STATUS_ALIVE, 1, "come too late: the clock is ahead", "NTP");
    s.seen.dropped[-ERR_DEADLINE_FAR] = 11000;
    says(&s, STATUS_ALIVE, 1, "come too early: the clock is behind", "NTP");
    s = good();
    s.seen.dropped[-ERR_DEADLINE_PAST] = 9000;
    is_well(&s);
    s.seen.held_percent = 90;
    says(&s, STATUS_ALIVE, 1, "90 % of the packets it may hold", "bandwidth");
    s = good();
    s.seen.dropped[-ERR_FULL] = 3000;
    says(&s, STATUS_ALIVE, 0, "dropped because it was full", "packets_max");
    s = good();
    s.role = 2;
    s.seen.equivocations = 2;
    s.seen.list[PUBLISH_LISTS_MADE] = 700;
    s.seen.list[PUBLISH_ANNOUNCED_LOST] = 4000;
    says(&s, STATUS_ALIVE, 0, "700 lists made", "4000 given up");
    says(&s, STATUS_ALIVE, 0, "2 lists that contradict others", "tell whoever");
    s = good();
    s.role = 0;
    s.seen.clients = 1800;
    says(&s, STATUS_ALIVE, 0, "about 1800 clients of 2000", "");
    s = good();
    s.seen.loops_percent = 75;
    says(&s, STATUS_ALIVE, 0, "only 75 % of the relay's own loops", "links");
    s.alarm = ALARM_RAISED;
    says(&s, STATUS_ALIVE, 1, "own loops stay away", "n-1");
}

static void
the_file_says_the_same(void **state)
{
    (void)state;
    struct status s = good(), back;
    char *text;
    size_t len;
    strcpy(s.descriptor_refusal, "\"quoted\" \\ text");
    s.seen.dropped[-ERR_REPLAY] = 3000;
    s.seen.link[-ERR_TLS] = 100;
    s.seen.refused[-ERR_UNSUPPORTED] = 100; /* the last of them */
    s.seen.list[PUBLISH_LISTS_REFUSED] = 300;
    s.seen.equivocations = 3;
    s.seen.loops_percent = -1;
    s.layer = -1;
    s.leaving = true;
    assert_int_equal(status_write_json(&s, &text, &len), 0);
    assert_int_equal(text[len - 1], '\n');
    assert_int_equal(status_read_json(&back, (uint8_t *)text, len), 0);
    char *again;
    size_t again_len;
    assert_int_equal(status_write_json(&back, &again, &again_len), 0);
    assert_string_equal(text, again);
    assert_int_equal(back.seen.dropped[-ERR_REPLAY], 3000);
    assert_int_equal(back.seen.refused[-ERR_UNSUPPORTED], 100);
    assert_int_equal(back.seen.list[PUBLISH_LISTS_REFUSED], 300);
    assert_int_equal(back.seen.equivocations, 3);
    assert_string_equal(back.descriptor_refusal, "\"quoted\" \\ text");
    assert_int_equal(back.layer, -1);
    assert_true(back.leaving);
    /* cut off anywhere, it is refused */
    for (size_t n = 0; n + 2 < len; n++)
        assert_int_equal(status_read_json(&back, (uint8_t *)text, n),
                         ERR_FORMAT);
    assert_int_equal(back.pid, 0);
    free(again);
    free(text);
}

/* The good file with one piece of text replaced. */
static int
read_changed(const char *from, const char *to)
{
    struct status s = good(), back;
    char *text, changed[8192];
    size_t len;
    assert_int_equal(status_write_json(&s, &text, &len), 0);
    const char *at = strstr(text, from);
    assert_non_null(at);
    int n = snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text),
                     text, to, at + strlen(from));
    free(text);
    return status_read_json(&back, (uint8_t *)changed, (size_t)n);
}

/* Add the names of an object's fields, and of those in it, to a sum of their CRCs. */
static uint32_t
names_sum(const json_t *o)
{
    const char *name;
    json_t *v;
    uint32_t sum = 0;
    json_object_foreach((json_t *)(uintptr_t)o, name, v) sum +=
        (uint32_t)crc32(0, (const Bytef *)name, (uInt)strlen(name)) +
        names_sum(v);
    return sum;
}

/* Who reads a file of an older or newer program is to say so, and not that it is
 * spoilt: the version changes with the fields. Whoever changes them comes by here,
 * and adds one to both. */
static void
other_fields_are_another_version(void **state)
{
    (void)state;
    const struct status s = {0};
    char *text;
    size_t len;
    assert_int_equal(status_write_json(&s, &text, &len), 0);
    json_t *o = json_loadb(text, len, 0, NULL);
    assert_non_null(o);
    assert_int_equal(json_integer_value(json_object_get(o, "version")), 3);
    assert_int_equal(names_sum(o), 0x83553252);
    json_decref(o);
    free(text);
}

static void
a_strange_file_is_refused(void **state)
{
    (void)state;
    assert_int_equal(read_changed("\"epoch\": 28", "\"epoch\": 28"), 0);
    assert_int_equal(read_changed("\"version\": 3", "\"version\": 1"),
                     ERR_VERSION);
    assert_int_equal(read_changed("\"version\": 3", "\"version\": 4"),
                     ERR_VERSION);
    static const char *const change[][2] = {
        {"\"version\": 3,", ""},
        {"\"epoch\": 28", "\"epoch\": -1"},
        {"\"epoch\": 28", "\"epoch\": 4294967296"},
        {"\"epoch\": 28", "\"epoch\": \"28\""},
        {"\"epoch\": 28", "\"epoch\": 28, \"epoch\": 28"},
        {"\"epoch\": 28", "\"epoch\": 28, \"other\": 1"},
        {"\"role\": 1", "\"role\": 3"},
        {"\"role\": 1", "\"role\": -1"},
        {"\"alarm\": 0", "\"alarm\": 3"},
        {"\"running\": true", "\"running\": 1"},
        {"\"received\": 100000", "\"received\": -1"},
        {"\"received\": 100000,", ""},
        {"\"dropped\": {}", "\"dropped\": {\"NOTHING\": 1}"},
        {"\"dropped\": {}", "\"dropped\": {\"TLS\": -1}"},
        {"\"dropped\": {}", "\"dropped\": []"},
        {"192.0.2.7:7100",
         "123456789012345678901234567890123456789012345678901234567890abcd"},
    };
    for (size_t i = 0; i < sizeof change / sizeof change[0]; i++)
        assert_int_equal(read_changed(change[i][0], change[i][1]), ERR_FORMAT);
}

static char viewed[8192]; /* what the last view printed */

static int
view(const char *dir, const struct status *s, int (*show)(const char *))
{
    char path[FILES_PATH_MAX], *text;
    size_t len;
    assert_int_equal(files_path(path, dir, "status.json"), 0);
    if (s) {
        assert_int_equal(status_write_json(s, &text, &len), 0);
        assert_int_equal(files_write(path, text, len), 0);
        free(text);
    }
    assert_int_equal(files_path(path, dir, "printed"), 0);
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    FILE *f = fopen(path, "w+");
    assert_non_null(f);
    assert_true(dup2(fileno(f), STDOUT_FILENO) >= 0);
    const int status = show(dir);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    rewind(f);
    viewed[fread(viewed, 1, sizeof viewed - 1, f)] = 0;
    fclose(f);
    unlink(path);
    return status;
}

static int
top_once(const char *dir)
{
    return top_follow(dir, 1);
}

static void
the_programs_exit_says_whether_it_is_well(void **state)
{
    (void)state;
    char dir[] = "/tmp/brusio-status-XXXXXX", path[FILES_PATH_MAX];
    struct status s = good();
    const uint64_t now_s = clock_wall_s(), by = now_s - NOW;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(view(dir, NULL, top_print), 1);
    assert_non_null(strstr(viewed, "no relay has run in"));
    s.written_s += by;
    s.started_s += by;
    s.genesis_s += by;
    s.valid_after_s += by;
    s.pid = (uint64_t)getpid();
    assert_int_equal(view(dir, &s, top_print), 0);
    assert_non_null(strstr(viewed, "state       healthy\n"));
    assert_int_equal(view(dir, &s, top_once), 0);
    assert_non_null(strstr(viewed, "state       healthy\n"));
    assert_null(strchr(viewed, 27)); /* plain where there is no terminal */
    pid_t gone = fork();
    if (gone == 0)
        _exit(0);
    assert_int_equal(waitpid(gone, NULL, 0), gone);
    s.pid = (uint64_t)gone;
    assert_int_equal(view(dir, &s, top_print), 1);
    assert_non_null(strstr(viewed, "is not running; it ended without a word"));
    assert_int_equal(files_path(path, dir, "status.json"), 0);
    assert_int_equal(files_write(path, "{}", 2), 0);
    assert_int_equal(view(dir, NULL, top_print), 1);
    assert_non_null(strstr(viewed, "cannot be understood"));
    unlink(path);
    assert_int_equal(rmdir(dir), 0);
}

const struct CMUnitTest test_status[] = {
    cmocka_unit_test(a_good_relay_is_healthy),
    cmocka_unit_test(a_process_that_is_gone_is_noticed),
    cmocka_unit_test(a_relay_without_a_network_is_told_why),
    cmocka_unit_test(a_relay_outside_the_consensus_is_told_why),
    cmocka_unit_test(a_copied_identity_is_told),
    cmocka_unit_test(a_relay_that_leaves_says_so),
    cmocka_unit_test(links_and_load_are_judged),
    cmocka_unit_test(the_file_says_the_same),
    cmocka_unit_test(other_fields_are_another_version),
    cmocka_unit_test(a_strange_file_is_refused),
    cmocka_unit_test(the_programs_exit_says_whether_it_is_well),
};
TEST_SUITE(test_status);
