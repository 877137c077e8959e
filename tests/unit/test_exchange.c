/* tests/unit/test_exchange.c - what an authority asks others for. Each of them is
 * a server on loopback of its own. What lacks memory: test_heap_directory.c. */
#include "tests/runner.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "directory/daemon/exchange.h"
#include "lib/os/clock.h"
#include "lib/os/http/http_server.h"
#include "lib/os/socket.h"
#include "tests/adversary.h"

/* By what they do with whoever asks for a vote. */
enum { SLOW, FALSE, LACKING, HONEST, OTHERS };
enum { PATIENCE_MS = 5000 };

struct town {
    struct loop *loop;
    struct network network;
    struct other {
        struct http_server *server;
        const char *says; /* to whoever asks for a vote */
        unsigned asked;
    } other[OTHERS];
    unsigned came, wrong;
    int listening, fd; /* of the slow one, */
    uint64_t next_us;  /* who says his next byte then */
};

static const char vote[] = "the vote", rubbish[] = "rubbish";

static void
answer_give(void *ctx, const char *path, const uint8_t *body, size_t len,
            struct http_answer *a)
{
    struct other *o = ctx;
    (void)body;
    (void)len;
    assert_int_equal(strncmp(path, "/v1/vote/", 9), 0);
    o->asked++;
    a->status = o->says ? 200 : 404;
    a->body = (const uint8_t *)o->says;
    a->len = o->says ? strlen(o->says) : 0;
}

static void
vote_come(void *ctx, const uint8_t *bytes, size_t len)
{
    struct town *t = ctx;
    if (len == sizeof vote - 1 && memcmp(bytes, vote, len) == 0)
        t->came++;
    else
        t->wrong++;
}

static void
town_turns(struct town *t, unsigned ms)
{
    const uint64_t until_us = clock_mono_us() + ms * 1000ull;
    while (t->came == 0 && clock_mono_us() < until_us) {
        loop_stop(t->loop); /* so that no turn waits */
        assert_int_equal(loop_turn(t->loop), 0);
        usleep(500);
        if (clock_mono_us() >= t->next_us) {
            adversary_answer_slowly(t->listening, &t->fd);
            t->next_us = clock_mono_us() + 100000;
        }
    }
}

/* The first to be asked gives a byte now and then, the second rubbish for the vote
 * that is wanted, the third has none: the fourth is asked, before a round is over,
 * and what is no vote goes nowhere. */
static void
i10_one_false_vote_is_not_the_last_word(void **state)
{
    (void)state;
    static const uint8_t self[SPHINX_ID_LEN] = {99};
    static struct town t;
    struct exchange *x;
    uint8_t digest[32];
    memset(&t, 0, sizeof t);
    assert_int_equal(loop_new(&t.loop), 0);
    char slow[ADDRESS_TEXT_MAX];
    t.other[FALSE].says = rubbish;
    t.other[HONEST].says = vote;
    t.fd = -1;
    assert_int_equal(socket_listen(&t.listening, "127.0.0.1:0", slow), 0);
    t.network.n_authorities = OTHERS;
    t.network.epoch_len_s = 30;
    for (size_t i = 0; i < OTHERS; i++) {
        struct network_authority *a = &t.network.authorities[i];
        assert_int_equal(http_server_new(&t.other[i].server, t.loop,
                                         "127.0.0.1:0", 1000, answer_give,
                                         &t.other[i]),
                         0);
        a->identity[0] = (uint8_t)(i + 1);
        snprintf(a->address, ADDRESS_MAX, "%s",
                 i == SLOW ? slow : http_server_address(t.other[i].server));
    }
    const struct exchange_config config = {.loop = t.loop,
                                           .network = &t.network,
                                           .self = self,
                                           .vote = vote_come,
                                           .ctx = &t};
    assert_int_equal(exchange_new(&x, &config), 0);
    crypto_generichash(digest, sizeof digest, (const uint8_t *)vote,
                       sizeof vote - 1, NULL, 0);
    assert_int_equal(exchange_want(x, digest), 0);
    town_turns(&t, PATIENCE_MS);
    assert_int_equal(t.came, 1);
    assert_int_equal(t.wrong, 0);
    for (size_t i = 0; i < OTHERS; i++)
        assert_int_equal(t.other[i].asked, i != SLOW);
    assert_true(t.fd >= 0);
    close(t.fd);
    close(t.listening);
    exchange_free(&x);
    for (size_t i = 0; i < OTHERS; i++)
        http_server_free(&t.other[i].server);
    loop_free(&t.loop);
}

/* No route leads to any other, which is known at once: what is wanted is asked for
 * again later, and whoever wants it has his answer meanwhile. */
static void
without_a_route_it_goes_on(void **state)
{
    (void)state;
    static const uint8_t self[SPHINX_ID_LEN] = {99};
    static struct town t;
    struct exchange *x;
    uint8_t digest[32] = {1};
    memset(&t, 0, sizeof t);
    assert_int_equal(loop_new(&t.loop), 0);
    t.next_us = UINT64_MAX; /* nobody is slow */
    t.network.n_authorities = OTHERS;
    t.network.epoch_len_s = 30;
    for (size_t i = 0; i < OTHERS; i++) {
        struct network_authority *a = &t.network.authorities[i];
        a->identity[0] = (uint8_t)(i + 1);
        snprintf(a->address, ADDRESS_MAX, "255.255.255.255:9");
    }
    const struct exchange_config config = {.loop = t.loop,
                                           .network = &t.network,
                                           .self = self,
                                           .vote = vote_come,
                                           .ctx = &t};
    assert_int_equal(exchange_new(&x, &config), 0);
    assert_int_equal(exchange_send(x, digest, sizeof digest), 0);
    assert_int_equal(exchange_want(x, digest), 0);
    exchange_ask(x);
    town_turns(&t, 100);
    exchange_ask(x);
    exchange_free(&x);
    loop_free(&t.loop);
}

const struct CMUnitTest test_exchange[] = {
    cmocka_unit_test(without_a_route_it_goes_on),
    cmocka_unit_test(i10_one_false_vote_is_not_the_last_word),
};
TEST_SUITE(test_exchange);
