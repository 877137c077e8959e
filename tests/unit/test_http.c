/* tests/unit/test_http.c - documents over HTTP on loopback. */
#include "tests/runner.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/address.h"
#include "lib/os/socket.h"
#include "lib/os/clock.h"
#include "lib/os/http/http.h"
#include "lib/os/http/http_server.h"
#include "lib/os/system.h"
#include "tests/adversary.h"

enum { BODY_MAX = 100000 };

struct talk {
    struct loop *loop;
    struct http_server *server;
    bool over;
    int err, status;
    size_t len;
    uint8_t body[BODY_MAX];
    unsigned handled;
    enum seats_class class; /* of whoever comes now */
};

static void
handle(void *ctx, const char *path, const uint8_t *body, size_t len,
       struct http_answer *answer)
{
    struct talk *t = ctx;
    struct sockaddr_storage from;
    char text[ADDRESS_TEXT_MAX];
    assert_true(http_server_peer(t->server, &from));
    address_text(text, &from);
    assert_true(address_is_loopback(text));
    t->handled++;
    if (strcmp(path, "/echo") == 0 && body) {
        answer->status = 200;
        answer->body = body;
        answer->len = len;
    } else if (strcmp(path, "/hello") == 0 && !body) {
        answer->status = 200;
        answer->body = (const uint8_t *)"hello";
        answer->len = 5;
    } else if (strcmp(path, "/tagged") == 0 && !body) {
        answer->status = 200;
        answer->etag = "\"one\"";
        answer->body = (const uint8_t *)"tagged body";
        answer->len = 11;
    }
}

static void
answered(void *ctx, int err, int status, const uint8_t *body, size_t len)
{
    struct talk *t = ctx;
    t->over = true;
    t->err = err;
    t->status = status;
    t->len = len;
    if (len > 0 && len <= BODY_MAX)
        memcpy(t->body, body, len);
}

static void
turns_until(struct talk *t, const bool *flag, unsigned ms)
{
    uint64_t until_us = clock_mono_us() + ms * 1000ull;
    while (clock_mono_us() < until_us && !(flag && *flag)) {
        loop_stop(t->loop);
        usleep(500);
        assert_int_equal(loop_turn(t->loop), 0);
    }
}

static void
talk_make(struct talk *t)
{
    memset(t, 0, sizeof *t);
    assert_int_equal(loop_new(&t->loop), 0);
    assert_int_equal(http_server_new(&t->server, t->loop, "127.0.0.1:0",
                                     BODY_MAX, handle, t),
                     0);
}

static void
talk_free(struct talk *t)
{
    struct sockaddr_storage from;
    turns_until(t, NULL, 20);
    assert_false(http_server_peer(t->server, &from)); /* nobody asks now */
    http_server_free(&t->server);
    loop_free(&t->loop);
}

static int
ask(struct talk *t, const char *path, const uint8_t *post, size_t len,
    size_t max)
{
    struct http_request *r;
    t->over = false;
    assert_int_equal(http_ask(&r, t->loop, http_server_address(t->server), path,
                              post, len, max, answered, t),
                     0);
    turns_until(t, &t->over, 3000);
    assert_true(t->over);
    turns_until(t, NULL, 5);
    return t->err ? t->err : t->status;
}

static void
documents_go_both_ways(void **state)
{
    (void)state;
    static struct talk t;
    static uint8_t big[BODY_MAX + 1];
    talk_make(&t);
    assert_int_equal(ask(&t, "/hello", NULL, 0, 100), 200);
    assert_int_equal(t.len, 5);
    assert_memory_equal(t.body, "hello", 5);
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (uint8_t)(i * 31);
    assert_int_equal(ask(&t, "/echo", big, BODY_MAX, BODY_MAX), 200);
    assert_int_equal(t.len, BODY_MAX);
    assert_memory_equal(t.body, big, BODY_MAX);
    assert_int_equal(ask(&t, "/nothing", NULL, 0, 100), 404);
    assert_int_equal(ask(&t, "/a/../b", NULL, 0, 100), 400);
    assert_int_equal(ask(&t, "/hello?x", NULL, 0, 100), 400);
    unsigned handled = t.handled;
    assert_true(ask(&t, "/echo", big, BODY_MAX + 1, BODY_MAX) != 200);
    assert_int_equal(t.handled, handled); /* too long: not handled */
    assert_true(ask(&t, "/echo", big, 5000, 100) != 200); /* answer too long */
    talk_free(&t);
}

static void
nobody_answers(void **state)
{
    (void)state;
    static struct talk t;
    struct http_request *r;
    char free_address[ADDRESS_TEXT_MAX];
    int fd;
    talk_make(&t);
    assert_int_equal(socket_listen(&fd, "127.0.0.1:0", free_address), 0);
    /* silent, then cancelled */
    assert_int_equal(
        http_ask(&r, t.loop, free_address, "/", NULL, 0, 10, answered, &t), 0);
    turns_until(&t, NULL, 30);
    http_cancel(&r);
    assert_false(t.over);
    close(fd);
    /* refused */
    assert_int_equal(
        http_ask(&r, t.loop, free_address, "/", NULL, 0, 10, answered, &t), 0);
    turns_until(&t, &t.over, 3000);
    assert_int_equal(t.err, ERR_CLOSED);
    assert_int_equal(
        http_ask(&r, t.loop, "nowhere", "/", NULL, 0, 10, answered, &t),
        ERR_FORMAT);
    talk_free(&t);
}

static void
limit_restore(rlim_t before)
{
    struct rlimit files;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = before;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
}

/* Ask where connect() fails before anything is waited for. Returns the request,
 * of which nobody has been told yet. */
static struct http_request *
ask_at_once(struct talk *t)
{
    struct http_request *r = NULL;
    t->over = false;
    t->err = 0;
    /* a broadcast: no process may connect there */
    assert_int_equal(http_ask(&r, t->loop, "255.255.255.255:9", "/", NULL, 0,
                              10, answered, t),
                     0);
    assert_non_null(r);
    assert_false(t->over);
    return r;
}

/* A socket that fails at once is told of when the one who asked has the request:
 * no route leads there, or no descriptor is left. */
static void
what_fails_at_once_is_told_later(void **state)
{
    (void)state;
    static struct talk t;
    struct rlimit files;
    talk_make(&t);
    struct http_request *r = ask_at_once(&t);
    http_within(r, 60);
    http_within(NULL, 60);
    turns_until(&t, &t.over, 1000);
    assert_true(t.over);
    assert_int_equal(t.err, ERR_SYSTEM);
    assert_true(system_number() == ENETUNREACH || system_number() == EACCES);
    r = ask_at_once(&t);
    http_cancel(&r);
    turns_until(&t, NULL, 20);
    assert_false(t.over);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    const struct rlimit none = {0, files.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    r = ask_at_once(&t);
    limit_restore(files.rlim_cur);
    turns_until(&t, &t.over, 1000);
    assert_int_equal(t.err, ERR_SYSTEM);
    assert_int_equal(system_number(), EMFILE);
    assert_int_equal(ask(&t, "/hello", NULL, 0, 100), 200);
    talk_free(&t);
}

/* Who answers with a byte now and then is given up, and the next one is asked. */
static void
i10_a_slow_answer_is_given_up(void **state)
{
    (void)state;
    static struct talk t;
    struct http_request *r;
    char slow[ADDRESS_TEXT_MAX];
    int listening, fd = -1;
    talk_make(&t);
    assert_int_equal(socket_listen(&listening, "127.0.0.1:0", slow), 0);
    assert_int_equal(
        http_ask(&r, t.loop, slow, "/", NULL, 0, 100, answered, &t), 0);
    http_within(r, 1);
    for (unsigned i = 0; i < 30 && !t.over; i++) {
        adversary_answer_slowly(listening, &fd);
        turns_until(&t, &t.over, 100);
    }
    assert_true(t.over);
    assert_int_equal(t.err, ERR_TIMEOUT);
    assert_true(fd >= 0);
    close(fd);
    close(listening);
    assert_int_equal(http_turn_s(20), 10);
    assert_int_equal(http_turn_s(3600), 60);
    assert_int_equal(http_turn_s(UINT32_MAX), HTTP_WHOLE_S);
    talk_free(&t);
}

static void
garbage_is_refused(void **state)
{
    (void)state;
    static struct talk t;
    static const char *const row[] = {
        "\x16\x03\x01garbage\r\n\r\n", "GET\r\n\r\n",
        "BREW /hello HTTP/1.1\r\n\r\n",
        "POST /echo HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n"};
    talk_make(&t);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        int fd;
        assert_int_equal(socket_connect(&fd, http_server_address(t.server)), 0);
        turns_until(&t, NULL, 10);
        assert_true(write(fd, row[i], strlen(row[i])) > 0);
        turns_until(&t, NULL, 20);
        close(fd);
    }
    turns_until(&t, NULL, 10);
    assert_int_equal(t.handled, 0);
    assert_int_equal(ask(&t, "/hello", NULL, 0, 100), 200);
    talk_free(&t);
}

static enum seats_class
classify(void *ctx, const struct sockaddr_storage *from)
{
    (void)from;
    return ((struct talk *)ctx)->class;
}

static size_t
descriptors_open(void)
{
    size_t n = 0;
    DIR *d = opendir("/proc/self/fd");
    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

/* A server as it is made where a process may have so many descriptors more than
 * it has now. Returns the limit before. */
static rlim_t
talk_make_within(struct talk *t, rlim_t more)
{
    struct rlimit files;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    const rlim_t before = files.rlim_cur;
    files.rlim_cur = descriptors_open() + more;
    assert_true(files.rlim_cur <= files.rlim_max);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    talk_make(t);
    http_server_classify(t->server, classify);
    return before;
}

/* A stranger opens connections, says half a request on each, and a byte more
 * whenever he has to: 140, then twice as many as there are seats. */
static void
i11_idle_sockets_change_nothing(void **state)
{
    (void)state;
    static struct talk t;
    enum { SOCKETS_MAX = 800 };
    int fd[SOCKETS_MAX];
    struct http_counts c;
    const rlim_t before = talk_make_within(&t, 400);
    const size_t seats = http_server_seats(t.server);
    assert_in_range(seats, 150, SOCKETS_MAX / 2);
    limit_restore(before);
    size_t n = 0;
    for (size_t most = 140; most <= 2 * seats; most += 2 * seats - 140) {
        while (n < most) {
            const size_t some = most - n < 20 ? most - n : 20;
            assert_int_equal(adversary_sockets_open(
                                 http_server_address(t.server), fd + n, some),
                             some);
            n += some;
            turns_until(&t, NULL, 1);
        }
        for (unsigned i = 0; i < 20; i++) {
            t.class = i % SEATS_CLASSES;
            assert_int_equal(ask(&t, "/hello", NULL, 0, 100), 200);
            t.class = SEATS_STRANGER;
            (void)adversary_sockets_hold(fd, n);
        }
        http_server_counts(t.server, &c);
        assert_true(c.open <= seats);
        assert_true(most == 140 ? c.gave_way == 0 : c.gave_way >= seats);
    }
    /* who has a seat set aside keeps it, whoever comes */
    t.class = SEATS_AUTHORITY;
    int mine[4];
    assert_int_equal(
        adversary_sockets_open(http_server_address(t.server), mine, 4), 4);
    turns_until(&t, NULL, 5);
    t.class = SEATS_STRANGER;
    adversary_sockets_close(fd, n);
    for (n = 0; n < seats + 40; n += 20) {
        (void)adversary_sockets_open(http_server_address(t.server), fd + n, 20);
        turns_until(&t, NULL, 1);
    }
    turns_until(&t, NULL, 5);
    assert_int_equal(adversary_sockets_hold(mine, 4), 4);
    assert_int_equal(ask(&t, "/hello", NULL, 0, 100), 200);
    adversary_sockets_close(mine, 4);
    adversary_sockets_close(fd, n);
    talk_free(&t);
}

/* No descriptor is left at all: nothing spins, and when some are free again all
 * is well. */
static void
i11_without_descriptors_it_waits(void **state)
{
    (void)state;
    static struct talk t;
    int fd[128];
    struct http_counts c;
    const rlim_t before = talk_make_within(&t, 64);
    size_t n = 0;
    t.class = SEATS_AUTHORITY; /* there is no stranger to give way */
    while (n < 128 &&
           socket_connect(&fd[n], http_server_address(t.server)) == 0)
        n++;
    assert_in_range(n, 20, 127); /* the process has no more */
    const uint64_t start_us = clock_mono_us();
    turns_until(&t, NULL, 600);
    http_server_counts(t.server, &c);
    const uint64_t end_us = clock_mono_us();
    assert_int_equal(c.open, 0);
    assert_in_range(c.refused, 1, 1 + (end_us - start_us) / 100000);
    for (size_t i = 0; i < n / 2; i++)
        close(fd[i]);
    assert_int_equal(ask(&t, "/hello", NULL, 0, 100), 200);
    for (size_t i = n / 2; i < n; i++)
        close(fd[i]);
    limit_restore(before);
    talk_free(&t);
}

/* Write so much, as the server takes it; less when it has had enough. */
static void
bulk_write(struct talk *t, int fd, size_t len)
{
    static const uint8_t bulk[65536];
    while (len > 0) {
        const size_t part = len < sizeof bulk ? len : sizeof bulk;
        const ssize_t n = send(fd, bulk, part, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN)
            return;
        len -= n > 0 ? (size_t)n : 0;
        loop_stop(t->loop);
        assert_int_equal(loop_turn(t->loop), 0);
    }
}

/* Large requests that are never whole take a bounded memory, and whoever asks
 * meanwhile is answered. */
static void
i11_unfinished_requests_are_bounded(void **state)
{
    (void)state;
    enum { EACH = 4 << 20, SOCKETS = 20, ROOM = HTTP_HELD_MAX / EACH };
    static struct talk t;
    struct http_counts c;
    char head[100];
    int fd[SOCKETS];
    memset(&t, 0, sizeof t);
    assert_int_equal(loop_new(&t.loop), 0);
    assert_int_equal(
        http_server_new(&t.server, t.loop, "127.0.0.1:0", EACH, handle, &t), 0);
    const int head_len =
        snprintf(head, sizeof head,
                 "POST /echo HTTP/1.1\r\nContent-Length: %d\r\n\r\n", EACH);
    for (size_t i = 0; i < SOCKETS; i++) {
        assert_int_equal(socket_connect(&fd[i], http_server_address(t.server)),
                         0);
        turns_until(&t, NULL, 1);
        assert_int_equal(write(fd[i], head, (size_t)head_len), head_len);
        bulk_write(&t, fd[i], EACH - 1);
    }
    turns_until(&t, NULL, 5);
    http_server_counts(t.server, &c);
    assert_in_range(c.open, ROOM / 2, ROOM);
    assert_int_equal(c.open + c.gave_way + c.expired, SOCKETS);
    assert_int_equal(t.handled, 0);
    assert_int_equal(ask(&t, "/hello", NULL, 0, 100), 200);
    for (size_t i = 0; i < SOCKETS; i++)
        close(fd[i]);
    talk_free(&t);
}

/* Write an address of this machine that is not loopback. */
static bool
address_find(char text[static ADDRESS_TEXT_MAX])
{
    struct ifaddrs *all;
    bool found = false;
    if (getifaddrs(&all))
        return false;
    for (struct ifaddrs *i = all; i && !found; i = i->ifa_next) {
        char ip[INET_ADDRSTRLEN];
        const struct sockaddr_in *a = (const void *)i->ifa_addr;
        if (!a || a->sin_family != AF_INET || (i->ifa_flags & IFF_LOOPBACK) ||
            !(i->ifa_flags & IFF_UP))
            continue;
        found = inet_ntop(AF_INET, &a->sin_addr, ip, sizeof ip) != NULL;
        snprintf(text, ADDRESS_TEXT_MAX, "%s:0", ip);
    }
    freeifaddrs(all);
    return found;
}

static void
handle_anybody(void *ctx, const char *path, const uint8_t *body, size_t len,
               struct http_answer *answer)
{
    (void)path;
    (void)body;
    (void)len;
    ((struct talk *)ctx)->handled++;
    answer->status = 200;
}

/* A relay of the consensus that asks without end is refused, as a stranger is;
 * authorities, which are few, are not. */
static void
i11_no_relay_asks_without_end(void **state)
{
    (void)state;
    enum { TRIES = 200, BURST = 120, PER_S = 10 };
    static struct talk t;
    char address[ADDRESS_TEXT_MAX];
    struct http_counts c;
    if (!address_find(address))
        skip(); /* loopback is nobody's */
    memset(&t, 0, sizeof t);
    assert_int_equal(loop_new(&t.loop), 0);
    assert_int_equal(http_server_new(&t.server, t.loop, address, BODY_MAX,
                                     handle_anybody, &t),
                     0);
    http_server_classify(t.server, classify);
    static const enum seats_class class[] = {SEATS_RELAY, SEATS_AUTHORITY};
    for (size_t k = 0; k < 2; k++) {
        const uint64_t from_us = clock_mono_us();
        t.class = class[k];
        t.handled = 0;
        for (unsigned i = 0; i < TRIES; i++)
            (void)ask(&t, "/hello", NULL, 0, 100);
        const uint64_t more = (clock_mono_us() - from_us) * PER_S / 1000000;
        if (class[k] == SEATS_AUTHORITY)
            assert_int_equal(t.handled, TRIES);
        else
            assert_in_range(t.handled, BURST, BURST + more + 1);
    }
    http_server_counts(t.server, &c);
    assert_true(c.refused > 0);
    talk_free(&t);
}

/* Say that EACH bytes will come, and send one less than the room that is made
 * for them doubles to. Returns the connection. */
static int
half_post(struct talk *t, size_t each, size_t room)
{
    char head[100];
    int fd;
    const int head_len =
        snprintf(head, sizeof head,
                 "POST /echo HTTP/1.1\r\nContent-Length: %zu\r\n\r\n", each);
    assert_int_equal(socket_connect(&fd, http_server_address(t->server)), 0);
    turns_until(t, NULL, 1);
    assert_int_equal(write(fd, head, (size_t)head_len), head_len);
    bulk_write(t, fd, room - (size_t)head_len - 1);
    return fd;
}

/* Relays hold all the memory that requests that are not whole may have, to the
 * last kilobyte: authorities and strangers do not notice, and a relay that has
 * something to say is heard. */
static void
i11_a_class_holds_memory_of_its_own(void **state)
{
    (void)state;
    enum { EACH = 4 << 20, SOCKETS = 64, LEN = 3000 };
    static struct talk t;
    static const uint8_t vote[LEN];
    int fd[SOCKETS];
    size_t n = 0;
    memset(&t, 0, sizeof t);
    assert_int_equal(loop_new(&t.loop), 0);
    assert_int_equal(
        http_server_new(&t.server, t.loop, "127.0.0.1:0", EACH, handle, &t), 0);
    http_server_classify(t.server, classify);
    t.class = SEATS_RELAY;
    for (size_t i = 0; i < 20; i++)
        fd[n++] = half_post(&t, EACH, EACH);
    for (size_t room = EACH / 2; room >= 1024; room /= 2)
        for (size_t i = 0; i < 2; i++)
            fd[n++] = half_post(&t, EACH, room);
    for (unsigned i = 0; i < SEATS_CLASSES; i++) {
        t.class = SEATS_CLASSES - 1 - i;
        assert_int_equal(ask(&t, "/echo", vote, LEN, LEN), 200);
    }
    for (size_t i = 0; i < n; i++)
        close(fd[i]);
    talk_free(&t);
}

/* Who gives a byte now and then is not waited for. */
static void
i11_a_slow_head_gives_way(void **state)
{
    (void)state;
    static struct talk t;
    struct http_counts c;
    int fd[3];
    if (!test_proof())
        return; /* it takes HTTP_HEAD_S */
    talk_make(&t);
    assert_int_equal(
        adversary_sockets_open(http_server_address(t.server), fd, 3), 3);
    for (unsigned i = 0; i < 10 * HTTP_HEAD_S - 20; i++) {
        turns_until(&t, NULL, 100);
        assert_int_equal(adversary_sockets_hold(fd, 3), 3);
    }
    for (unsigned i = 0; i < 40; i++) {
        turns_until(&t, NULL, 100);
        (void)adversary_sockets_hold(fd, 3);
    }
    http_server_counts(t.server, &c);
    assert_int_equal(c.expired, 3);
    assert_int_equal(c.open, 0);
    adversary_sockets_close(fd, 3);
    talk_free(&t);
}

/* What it says to whoever does not keep to the rules, though he goes on. */
static void
refusals_arrive(void **state)
{
    (void)state;
    static struct talk t;
    static uint8_t waste[65536];
    static const struct {
        const char *asked, *status;
    } row[] = {
        {"GET /\x01 HTTP/1.1\r\n\r\n", " 400 "},
        {"BREW /hello HTTP/1.1\r\n\r\n", " 501 "},
        {"POST /echo HTTP/1.1\r\nContent-Length: 100001\r\n\r\n", " 413 "},
    };
    talk_make(&t);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        char got[512] = "";
        int fd;
        assert_int_equal(socket_connect(&fd, http_server_address(t.server)), 0);
        turns_until(&t, NULL, 10);
        assert_true(write(fd, row[i].asked, strlen(row[i].asked)) > 0);
        turns_until(&t, NULL, 10);
        assert_true(write(fd, waste, sizeof waste) > 0);
        turns_until(&t, NULL, 10);
        assert_true(read(fd, got, sizeof got - 1) > 0);
        assert_non_null(strstr(got, row[i].status));
        close(fd);
    }
    turns_until(&t, NULL, 10);
    assert_int_equal(t.handled, 0);
    talk_free(&t);
}

/* What the one who asks has already is not sent again. */
static void
known_documents_are_not_sent(void **state)
{
    (void)state;
    static struct talk t;
    char got[512] = "";
    static const char asked[] =
        "GET /tagged HTTP/1.1\r\nIf-None-Match: \"one\"\r\n\r\n";
    int fd;
    talk_make(&t);
    assert_int_equal(ask(&t, "/tagged", NULL, 0, 100), 200);
    assert_int_equal(socket_connect(&fd, http_server_address(t.server)), 0);
    turns_until(&t, NULL, 10);
    assert_true(write(fd, asked, sizeof asked - 1) > 0);
    turns_until(&t, NULL, 50);
    assert_true(read(fd, got, sizeof got - 1) > 0);
    assert_non_null(strstr(got, " 304 "));
    assert_null(strstr(got, "tagged body"));
    close(fd);
    talk_free(&t);
}

const struct CMUnitTest test_http[] = {
    cmocka_unit_test(documents_go_both_ways),
    cmocka_unit_test(nobody_answers),
    cmocka_unit_test(what_fails_at_once_is_told_later),
    cmocka_unit_test(i10_a_slow_answer_is_given_up),
    cmocka_unit_test(garbage_is_refused),
    cmocka_unit_test(i11_idle_sockets_change_nothing),
    cmocka_unit_test(i11_without_descriptors_it_waits),
    cmocka_unit_test(i11_unfinished_requests_are_bounded),
    cmocka_unit_test(i11_a_class_holds_memory_of_its_own),
    cmocka_unit_test(i11_no_relay_asks_without_end),
    cmocka_unit_test(i11_a_slow_head_gives_way),
    cmocka_unit_test(refusals_arrive),
    cmocka_unit_test(known_documents_are_not_sent),
};
TEST_SUITE(test_http);
