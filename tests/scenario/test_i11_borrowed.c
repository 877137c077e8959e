/* tests/scenario/test_i11_borrowed.c - I11: authorities whom strangers keep from
 * answering. A real gateway gives its consensus to whoever connects; a real
 * relay to which no authority gives one takes it from there. */
#include "tests/runner.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/os/http/http_server.h"
#include "lib/secret.h"
#include "relay/daemon/borrow.h"
#include "tests/heap.h"
#include "tests/relay_config.h"
#include "tests/rig.h"

enum { SIDE = 2, SELF = 2 * SIDE };

struct course {
    struct rig rig;
    uint8_t *document; /* what the gateway was started with */
    size_t len;
    char dir[128]; /* the other relay's */
    bool over, same;
    int err;
};

static void
course_make(struct course *c)
{
    char bin[RIG_BIN_MAX], path[FILES_PATH_MAX];
    const struct rig_config config = {.gateway = true,
                                      .side = SIDE,
                                      .core = -1,
                                      .isa = X25519_GENERIC,
                                      .delay_mean_us = 5000};
    memset(c, 0, sizeof *c);
    rig_bin(bin);
    rig_init(&c->rig, &config);
    rig_start(&c->rig, bin);
    assert_int_equal(files_path(path, c->rig.relay_dir, "consensus-5"), 0);
    assert_int_equal(files_read(path, 1 << 20, &c->document, &c->len), 0);
}

static void
course_free(struct course *c)
{
    free(c->document);
    rig_free(&c->rig);
}

static void
borrowed(void *ctx, int err, const uint8_t *document, size_t len)
{
    struct course *c = ctx;
    c->over = true;
    c->err = err;
    c->same =
        document && len == c->len && memcmp(document, c->document, len) == 0;
}

static bool
is_over(void *ctx)
{
    return ((struct course *)ctx)->over;
}

static int
ask(struct course *c, struct borrow *b, const uint8_t *identity, uint32_t known)
{
    c->over = c->same = false;
    assert_int_equal(borrow_start(b, c->rig.relay_address, identity, known), 0);
    assert_true(rig_turn(&c->rig, 20, is_over, c));
    assert_false(borrow_is_under_way(b));
    assert_true(c->same == (c->err == 0));
    return c->err;
}

static void
a_gateway_tells_whoever_asks(void **state)
{
    (void)state;
    static struct course c;
    struct borrow *b;
    course_make(&c);
    assert_int_equal(borrow_new(&b, c.rig.loop, c.rig.packet_len, borrowed, &c),
                     0);
    const uint8_t *gateway = c.rig.peer[SELF].identity;
    const uint32_t epoch = c.rig.consensus->epoch;
    assert_int_equal(ask(&c, b, gateway, 0), 0);
    assert_int_equal(ask(&c, b, gateway, epoch - 1), 0);
    assert_int_equal(ask(&c, b, gateway, epoch), ERR_STALE);
    assert_int_equal(ask(&c, b, c.rig.peer[0].identity, 0), ERR_PEER);
    /* given up in the middle */
    c.over = false;
    assert_int_equal(borrow_start(b, c.rig.relay_address, gateway, 0), 0);
    borrow_free(&b);
    (void)rig_turn(&c.rig, 0.05, NULL, NULL);
    assert_false(c.over);
    course_free(&c);
}

static int
borrow_make(void *ctx)
{
    struct borrow *b;
    int err = borrow_new(&b, ctx, 2048, borrowed, NULL);
    borrow_free(&b);
    return err;
}

static void
it_is_there_or_not(void **state)
{
    (void)state;
    struct loop *l;
    assert_int_equal(loop_new(&l), 0);
    for (struct heap h = {.how = HEAP_OWN}; heap_next(&h);) {
        heap_arm(&h);
        int err = borrow_make(l);
        heap_disarm(&h);
        assert_int_equal(err, h.failed ? ERR_NOMEM : 0);
    }
    loop_free(&l);
}

/* ---- a relay ---- */

/* liar: the address of an authority that answers; NULL: none does. */
static pid_t
relay_spawn(struct course *c, const char *liar)
{
    char path[FILES_PATH_MAX];
    struct network n = c->rig.network; /* where no authority answers */
    const pid_t self = getpid();
    snprintf(c->dir, sizeof c->dir, "%s/other", c->rig.dir);
    assert_int_equal(files_mkdir(c->dir), 0);
    n.n_gateways = 1;
    memcpy(n.gateways[0].identity, c->rig.peer[SELF].identity, SPHINX_ID_LEN);
    memcpy(n.gateways[0].address, c->rig.relay_address, ADDRESS_MAX);
    if (liar)
        snprintf(n.authorities[0].address, ADDRESS_MAX, "%s", liar);
    assert_int_equal(files_path(path, c->dir, "network.json"), 0);
    assert_int_equal(netfile_write(path, &n), 0);
    uint8_t *seed; /* as 'init' makes it */
    assert_int_equal(files_path(path, c->dir, "identity.key"), 0);
    assert_int_equal(files_key(path, &seed), 0);
    secret_free((void **)&seed);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    host_harden((long)self);
    struct relay_settings config =
        test_relay_config("role = mix\nlisten = \"127.0.0.1:0\"\n"
                          "log_level = error\n");
    _exit(relay_run(c->dir, &config, -1));
}

static bool
has_it(void *ctx)
{
    struct course *c = ctx;
    char path[FILES_PATH_MAX];
    uint8_t *bytes;
    size_t len;
    if (files_path(path, c->dir, "consensus-5") ||
        files_read(path, 1 << 20, &bytes, &len))
        return false;
    const bool same = len == c->len && memcmp(bytes, c->document, len) == 0;
    free(bytes);
    return same;
}

static void
borrow_run(struct course *c, const char *liar)
{
    int status;
    const pid_t pid = relay_spawn(c, liar);
    const bool came = rig_turn(&c->rig, 20, has_it, c);
    kill(pid, SIGTERM);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(came);
}

static void
i11_relays_need_no_authority_to_answer(void **state)
{
    (void)state;
    static struct course c;
    course_make(&c);
    borrow_run(&c, NULL);
    course_free(&c);
}

/* An authority that has nothing for anybody. */
static void
refuse(void *ctx, const char *path, const uint8_t *body, size_t len,
       struct http_answer *answer)
{
    (void)path;
    (void)body;
    (void)len;
    (void)answer; /* 404 */
    ++*(unsigned *)ctx;
}

/* The only one that answers has nothing: relays ask gateways all the same. */
static void
i10_an_authority_that_has_nothing_is_not_waited_for(void **state)
{
    (void)state;
    static struct course c;
    struct http_server *liar;
    unsigned asked = 0;
    course_make(&c);
    assert_int_equal(http_server_new(&liar, c.rig.loop, "127.0.0.1:0", 1 << 20,
                                     refuse, &asked),
                     0);
    borrow_run(&c, http_server_address(liar));
    assert_true(asked > 0);
    http_server_free(&liar);
    course_free(&c);
}

const struct CMUnitTest test_i11_borrowed[] = {
    cmocka_unit_test(it_is_there_or_not),
    cmocka_unit_test(a_gateway_tells_whoever_asks),
    cmocka_unit_test(i11_relays_need_no_authority_to_answer),
    cmocka_unit_test(i10_an_authority_that_has_nothing_is_not_waited_for),
};
TEST_SUITE(test_i11_borrowed);
