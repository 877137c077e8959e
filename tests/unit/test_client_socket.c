/* tests/unit/test_client_socket.c - the socket of calls: who is served, who gives
 * way, and when an answer is given.
 *
 * The client runs on this thread's loop, with a disk that answers when it is
 * told to; callers are sockets that never wait. */
#include "tests/runner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "client/daemon/json.h"
#include "client/daemon/rpc.h"
#include "client/inbox.h"
#include "lib/os/clock.h"
#include "tests/client_disk.h"
#include "tests/pair.h"

enum { TURN_US = 2000, WAIT_US = 120000000, QUIET_US = 100000 };

struct talk {
    char dir[64], path[96];
    struct pair pair;
    struct client *client;
    struct client_disk *disk;
    struct loop *loop;
    struct loop_timer *timer;
    struct rpc *rpc;
};

static void
turn(void *ctx)
{
    struct talk *t = ctx;
    loop_timer_at(t->timer, loop_now_us(t->loop) + TURN_US);
}

/* The second of a pair, which the first has a message for. */
static void
talk_make(struct talk *t)
{
    *t = (struct talk){.dir = "/tmp/brusio-test-XXXXXX"};
    assert_non_null(mkdtemp(t->dir));
    snprintf(t->path, sizeof t->path, "%s/sock", t->dir);
    pair_make(&t->pair, &pair_net);
    t->client = t->pair.c[1];
    t->disk = &t->pair.disk[1];
    assert_int_equal(loop_new(&t->loop), 0);
    assert_int_equal(loop_timer_new(t->loop, turn, t, &t->timer), 0);
    assert_int_equal(rpc_new(&t->rpc, t->loop, t->path), 0);
    assert_int_equal(rpc_start(t->rpc, t->client), 0);
    turn(t);
}

static void
talk_free(struct talk *t)
{
    rpc_free(&t->rpc);
    disk_release(t->disk);
    loop_timer_free(&t->timer);
    loop_free(&t->loop);
    pair_free(&t->pair);
    assert_int_equal(rmdir(t->dir), 0);
}

/* Has the client's loop turned for so long? */
static bool
turned(struct talk *t, uint64_t since_us, uint64_t for_us)
{
    assert_int_equal(loop_turn(t->loop), 0);
    return clock_mono_us() - since_us > for_us;
}

static int
caller_new(struct talk *t)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    const uint64_t since_us = clock_mono_us();
    const int fd =
        socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    memcpy(a.sun_path, t->path, strlen(t->path) + 1);
    while (connect(fd, (struct sockaddr *)&a, sizeof a)) {
        assert_int_equal(errno, EAGAIN);
        assert_false(turned(t, since_us, WAIT_US));
    }
    return fd;
}

static void
say_bytes(struct talk *t, int fd, const char *text, size_t len)
{
    const uint64_t since_us = clock_mono_us();
    while (len > 0) {
        const ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
        if (n < 0)
            assert_int_equal(errno, EAGAIN);
        text += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
        assert_false(turned(t, since_us, WAIT_US));
    }
}

static void
say(struct talk *t, int fd, const char *text)
{
    say_bytes(t, fd, text, strlen(text));
}

/* What comes until there are so many lines; malloc'd. Less when the
 * connection ends. */
static char *
hear(struct talk *t, int fd, unsigned lines)
{
    const uint64_t since_us = clock_mono_us();
    size_t len = 0, room = 1 << 20;
    char *text = malloc(room);
    assert_non_null(text);
    while (lines > 0) {
        if (len + 65536 > room) {
            text = realloc(text, room *= 2);
            assert_non_null(text);
        }
        const ssize_t n = recv(fd, text + len, 65536, 0);
        if (n == 0)
            break;
        if (n < 0) {
            assert_true(errno == EAGAIN);
            assert_false(turned(t, since_us, WAIT_US));
            continue;
        }
        for (ssize_t i = 0; i < n; i++)
            lines -= text[len + (size_t)i] == '\n';
        len += (size_t)n;
    }
    text[len] = 0;
    return text;
}

static void
hears(struct talk *t, int fd, unsigned lines, const char *want)
{
    char *text = hear(t, fd, lines);
    if (strcmp(text, want) != 0)
        fail_msg("'%.300s' instead of '%.300s'", text, want);
    free(text);
}

/* What comes is an error, and an answer to no other call. */
static void
hears_an_error(struct talk *t, int fd)
{
    static const char want[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":";
    char *text = hear(t, fd, 1);
    if (strncmp(text, want, strlen(want)) != 0 ||
        strchr(text, '\n') != text + strlen(text) - 1)
        fail_msg("'%.300s' instead of an error", text);
    free(text);
}

/* Nothing comes, and the connection stays. */
static void
hears_nothing(struct talk *t, int fd)
{
    char byte;
    const uint64_t since_us = clock_mono_us();
    while (!turned(t, since_us, QUIET_US))
        ;
    assert_int_equal(recv(fd, &byte, 1, 0), -1);
    assert_int_equal(errno, EAGAIN);
}

/* The connection ends, without another byte. */
static void
ends(struct talk *t, int fd)
{
    hears(t, fd, 1, "");
    close(fd);
}

#define CALL(id, more) "{\"jsonrpc\":\"2.0\",\"id\":" #id "," more "}"
#define RESULT(id, result) \
    "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"result\":" result "}\n"
#define OPEN "\"method\":\"open\",\"params\":{\"id\":1}"
#define MUTE "\"method\":\"mute\",\"params\":{\"id\":1,\"muted\":true}"
#define BYE  "\"method\":\"pings\",\"params\":{\"id\":1,\"allowed\":true}"
static void
who_says_no_more_gets_his_answers(void **state)
{
    (void)state;
    static const struct {
        const char *said, *heard;
        unsigned lines;
    } row[] = {
        {CALL(1, OPEN) "\n", RESULT(1, "{}"), 1},
        {CALL(1, OPEN), RESULT(1, "{}"), 1}, /* the end ends a line, too */
        {CALL(1, OPEN) "\n" CALL(2, MUTE) "\r\n\n \n" CALL(3, OPEN),
         RESULT(1, "{}") RESULT(2, "{}") RESULT(3, "{}"), 3},
        {"{\"jsonrpc\":\"2.0\"," OPEN "}\n", "", 0},
        {"", "", 0},
        {"\n", "", 0}};
    struct talk t;
    talk_make(&t);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        const int fd = caller_new(&t);
        say(&t, fd, row[i].said);
        assert_int_equal(shutdown(fd, SHUT_WR), 0);
        hears(&t, fd, row[i].lines + 1, row[i].heard);
        close(fd);
    }
    talk_free(&t);
}

/* Neither what was consumed counts, nor what waits to be taken. */
static void
calls_sent_ahead_are_served(void **state)
{
    (void)state;
    enum { CALLS = 5, BLANKS = 10 << 20, SMALL = 3000 };
    struct talk t;
    talk_make(&t);
    const int fd = caller_new(&t);
    char *blanks = malloc(BLANKS + 1);
    assert_non_null(blanks);
    memset(blanks, ' ', BLANKS);
    blanks[BLANKS] = 0;
    for (unsigned i = 0; i < CALLS; i++) {
        say(&t, fd, blanks);
        say(&t, fd, CALL(1, OPEN) "\n");
    }
    hears(&t, fd, CALLS,
          RESULT(1, "{}") RESULT(1, "{}") RESULT(1, "{}") RESULT(1, "{}")
              RESULT(1, "{}"));
    free(blanks);
    /* and small ones, cut wherever a reading ends */
    char *many = malloc(SMALL * sizeof(CALL(2, OPEN) "\n"));
    assert_non_null(many);
    many[0] = 0;
    for (unsigned i = 0; i < SMALL; i++)
        memcpy(many + i * strlen(CALL(2, OPEN) "\n"), CALL(2, OPEN) "\n",
               sizeof(CALL(2, OPEN) "\n"));
    say(&t, fd, many);
    free(many);
    char *text = hear(&t, fd, SMALL);
    assert_int_equal(strlen(text), SMALL * strlen(RESULT(2, "{}")));
    free(text);
    close(fd);
    talk_free(&t);
}

/* Answers that nobody takes do not pile up, and are all there for who does. */
static void
answers_wait_for_their_reader(void **state)
{
    (void)state;
    enum { CALLS = 6, LEN = 9 << 20 };
    struct talk t;
    struct received *r;
    char *data = malloc(LEN);
    assert_non_null(data);
    memset(data, 'x', LEN);
    talk_make(&t);
    journal_begin(t.client->journal);
    const struct letter l = {.kind = LETTER_TEXT};
    assert_int_equal(
        inbox_make(t.client, t.pair.v[1], &l, (const uint8_t *)data, LEN, &r),
        0);
    (void)journal_end(t.client->journal);
    inbox_link(t.client, r);
    assert_int_equal(inbox_show(t.client, r), 0);
    const int fd = caller_new(&t);
    for (unsigned i = 0; i < CALLS; i++)
        say(&t, fd, CALL(1, "\"method\":\"recv\"") "\n");
    char *text = hear(&t, fd, CALLS), *at = text;
    for (unsigned i = 0; i < CALLS; i++) {
        const char *end = strchr(at, '\n');
        assert_non_null(end);
        assert_true(end - at > LEN);
        assert_memory_equal(at, text, (size_t)(end - at));
        at += end + 1 - at;
    }
    assert_int_equal(*at, 0);
    free(text);
    free(data);
    close(fd);
    talk_free(&t);
}

static void
a_line_that_is_too_long_is_skipped(void **state)
{
    (void)state;
#define TOO_LONG                                                   \
    "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700," \
    "\"message\":\"a line has 24 MiB at most\","                   \
    "\"data\":{\"name\":\"LONG\"}}}\n"
    struct talk t;
    talk_make(&t);
    const size_t len = JSON_LINE_MAX + 1;
    char *blanks = malloc(len + 1);
    assert_non_null(blanks);
    memset(blanks, ' ', len);
    const int fd = caller_new(&t);
    for (unsigned i = 0; i < 2; i++) { /* at the bound, and beyond it */
        const char *call = CALL(1, OPEN);
        say_bytes(&t, fd, blanks, JSON_LINE_MAX - strlen(call) + i);
        say(&t, fd, call);
        say(&t, fd, "\n");
        hears(&t, fd, 1, i ? TOO_LONG : RESULT(1, "{}"));
    }
    say_bytes(&t, fd, blanks, len);
    say_bytes(&t, fd, blanks, len);
    say(&t, fd, "\n" CALL(2, OPEN) "\n");
    hears(&t, fd, 2, TOO_LONG RESULT(2, "{}"));
    say_bytes(&t, fd, blanks, len); /* one that never ends */
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    hears(&t, fd, 2, TOO_LONG);
    close(fd);
    free(blanks);
    talk_free(&t);
}

/* An answer waits for the disk, other callers do not. */
static void
what_is_changed_is_kept_before_it_is_answered(void **state)
{
    (void)state;
    struct talk t;
    int fd[3];
    talk_make(&t);
    t.disk->slow = true;
    for (unsigned i = 0; i < 3; i++)
        fd[i] = caller_new(&t);
    say(&t, fd[0], CALL(1, MUTE) "\n" CALL(2, OPEN) "\n");
    say(&t, fd[1], "[" CALL(1, BYE) "," CALL(2, OPEN) "]\n");
    hears_nothing(&t, fd[0]);
    hears_nothing(&t, fd[1]);
    say(&t, fd[2], CALL(1, OPEN) "\n");
    hears(&t, fd[2], 1, RESULT(1, "{}"));
    disk_release(t.disk);
    hears(&t, fd[0], 2, RESULT(1, "{}") RESULT(2, "{}"));
    hears(&t, fd[1], 1,
          "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}},"
          "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}]\n");
    /* a caller who leaves meanwhile; a disk that is full */
    say(&t, fd[2], CALL(1, MUTE) "\n");
    hears_nothing(&t, fd[2]);
    close(fd[2]);
    say(&t, fd[0], CALL(1, MUTE) "\n");
    hears_nothing(&t, fd[0]);
    t.disk->full = true;
    disk_release(t.disk);
    hears_an_error(&t, fd[0]);
    say(&t, fd[0], CALL(1, MUTE) "\n");
    hears_an_error(&t, fd[0]);
    say(&t, fd[0], CALL(3, OPEN) "\n");
    hears(&t, fd[0], 1, RESULT(3, "{}"));
    /* and one that waits still when the client ends */
    close(fd[0]);
    close(fd[1]);
    talk_free(&t);
    talk_make(&t);
    t.disk->slow = true;
    fd[0] = caller_new(&t);
    say(&t, fd[0], CALL(1, MUTE) "\n");
    hears_nothing(&t, fd[0]);
    talk_free(&t);
    close(fd[0]);
}

/* The idle one gives way, the one that has been so for longest; those with a
 * call under way stay. */
static void
who_is_idle_gives_way(void **state)
{
    (void)state;
    enum { N = RPC_CONNECTIONS_MAX };
    struct talk t;
    int fd[N], more[3];
    talk_make(&t);
    t.disk->slow = true;
    for (unsigned i = 0; i < N; i++)
        fd[i] = caller_new(&t);
    /* all but the last two have a call under way; of these the former has
     * called since */
    for (unsigned i = 0; i + 2 < N; i++)
        say(&t, fd[i], CALL(1, MUTE) "\n");
    for (unsigned i = N - 2; i < N; i++) {
        say(&t, fd[N - 1 - (i - (N - 2))], CALL(1, OPEN) "\n");
        hears(&t, fd[N - 1 - (i - (N - 2))], 1, RESULT(1, "{}"));
    }
    more[0] = caller_new(&t);
    say(&t, more[0], CALL(1, MUTE) "\n");
    ends(&t, fd[N - 1]);
    more[1] = caller_new(&t);
    say(&t, more[1], CALL(1, MUTE) "\n");
    ends(&t, fd[N - 2]);
    /* now all are busy: the next one waits at the door, nobody is closed */
    more[2] = caller_new(&t);
    say(&t, more[2], CALL(1, OPEN) "\n");
    hears_nothing(&t, more[2]);
    /* one of them leaves: his place is the next one's */
    close(fd[0]);
    hears(&t, more[2], 1, RESULT(1, "{}"));
    disk_release(t.disk);
    for (unsigned i = 1; i + 2 < N; i++) {
        hears(&t, fd[i], 1, RESULT(1, "{}"));
        close(fd[i]);
    }
    for (unsigned i = 0; i < 3; i++) {
        if (i < 2)
            hears(&t, more[i], 1, RESULT(1, "{}"));
        close(more[i]);
    }
    talk_free(&t);
}

/* While the thread reads a long line a newcomer comes to the door, and the one
 * that was to give way for him makes a call: he stays. */
static void
who_has_just_called_is_not_idle(void **state)
{
    (void)state;
    enum { N = RPC_CONNECTIONS_MAX, LEN = 2 << 20 };
    struct talk t;
    int fd[N];
    static const char call[] = CALL(1, OPEN) "\n";
    char *line = malloc(LEN + 1);
    assert_non_null(line);
    talk_make(&t);
    for (unsigned i = 0; i < N; i++) {
        fd[i] = caller_new(&t);
        say(&t, fd[i], CALL(1, OPEN) "\n");
        hears(&t, fd[i], 1, RESULT(1, "{}"));
    }
    for (size_t i = 0; i < LEN; i += 2)
        memcpy(line + i, i ? "0," : "[ ", 2);
    memcpy(line + LEN - 2, "0]", 3);
    say(&t, fd[N - 1], line);
    hears_nothing(&t, fd[N - 1]);
    say(&t, fd[N - 1], "\n");
    const int late = caller_new(&t);
    /* he cannot, if the thread was faster and has let him go */
    const bool called = send(fd[0], call, strlen(call), MSG_NOSIGNAL) > 0;
    say(&t, late, call);
    if (called)
        hears(&t, fd[0], 1, RESULT(1, "{}"));
    hears(&t, late, 1, RESULT(1, "{}"));
    free(hear(&t, fd[N - 1], 1));
    ends(&t, fd[called ? 1 : 0]);
    free(line);
    for (unsigned i = 0; i < N; i++)
        if (i != (called ? 1 : 0))
            close(fd[i]);
    close(late);
    talk_free(&t);
}

/* Far more callers at once than there are places: each is served. */
static void
a_rush_is_served(void **state)
{
    (void)state;
    enum { N = 3 * RPC_CONNECTIONS_MAX };
    struct talk t;
    int fd[N];
    unsigned made = 0, served = 0;
    talk_make(&t);
    const uint64_t since_us = clock_mono_us();
    while (served < N) {
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        memcpy(a.sun_path, t.path, strlen(t.path) + 1);
        while (made < N) {
            fd[made] =
                socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
            if (connect(fd[made], (struct sockaddr *)&a, sizeof a)) {
                assert_int_equal(errno, EAGAIN); /* no room at the door */
                close(fd[made]);
                break;
            }
            static const char call[] = CALL(1, OPEN) "\n";
            assert_int_equal(send(fd[made], call, strlen(call), 0),
                             strlen(call));
            made++;
        }
        if (served < made) {
            hears(&t, fd[served], 1, RESULT(1, "{}"));
            served++;
        }
        assert_false(turned(&t, since_us, WAIT_US));
    }
    for (unsigned i = 0; i < N; i++)
        close(fd[i]);
    talk_free(&t);
}

/* Without a descriptor for who is at the door an idle caller gives way, or there
 * is a rest: the thread does not turn without end. */
static void
without_descriptors_nothing_spins(void **state)
{
    (void)state;
    struct talk t;
    struct rlimit old, low;
    struct timespec before, after;
    int fd[4];
    talk_make(&t);
    t.disk->slow = true;
    for (unsigned i = 0; i < 2; i++) {
        fd[i] = caller_new(&t);
        say(&t, fd[i], i ? CALL(1, OPEN) "\n" : CALL(1, MUTE) "\n");
    }
    hears(&t, fd[1], 1, RESULT(1, "{}"));
    for (unsigned i = 2; i < 4; i++)
        fd[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    low = old;
    low.rlim_cur = (rlim_t)fd[3] + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    memcpy(a.sun_path, t.path, strlen(t.path) + 1);
    /* the idle one goes for the first */
    assert_int_equal(connect(fd[2], (struct sockaddr *)&a, sizeof a), 0);
    say(&t, fd[2], CALL(1, MUTE) "\n");
    hears(&t, fd[1], 1, "");
    hears_nothing(&t, fd[2]);
    /* none can go for the second; fd[1] is not closed here, so no place is */
    assert_int_equal(connect(fd[3], (struct sockaddr *)&a, sizeof a), 0);
    say(&t, fd[3], CALL(1, OPEN) "\n");
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    for (unsigned i = 0; i < 5; i++)
        hears_nothing(&t, fd[3]);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    const double cpu_s = (double)(after.tv_sec - before.tv_sec) +
                         (double)(after.tv_nsec - before.tv_nsec) / 1e9;
    assert_true(cpu_s < 5 * QUIET_US / 1e6 / 4);
    disk_release(t.disk);
    hears(&t, fd[3], 1, RESULT(1, "{}"));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    for (unsigned i = 0; i < 4; i++)
        close(fd[i]);
    talk_free(&t);
}

#define SOCKET_TEST(f) \
    cmocka_unit_test_setup_teardown(f, pair_net_make, pair_net_free)
const struct CMUnitTest test_client_socket[] = {
    SOCKET_TEST(who_says_no_more_gets_his_answers),
    SOCKET_TEST(calls_sent_ahead_are_served),
    SOCKET_TEST(answers_wait_for_their_reader),
    SOCKET_TEST(a_line_that_is_too_long_is_skipped),
    SOCKET_TEST(what_is_changed_is_kept_before_it_is_answered),
    SOCKET_TEST(who_is_idle_gives_way),
    SOCKET_TEST(who_has_just_called_is_not_idle),
    SOCKET_TEST(a_rush_is_served),
    SOCKET_TEST(without_descriptors_nothing_spins),
};
TEST_SUITE(test_client_socket);
