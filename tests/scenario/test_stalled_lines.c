/* tests/scenario/test_stalled_lines.c - I2 on real sockets: a real gateway, a
 * real client, and a line between that stands still. */
#include "tests/runner.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/os/files.h"
#include "lib/wire.h"
#include "tests/line.h"
#include "tests/rig.h"

enum {
    SIDE = 2,
    RATE = 60, /* of letters; polls and loops are 3.5 beside them */
    WINDOW = 2 + 16,
    FAST = 2 /* the profile's index */
};
#define CLOCK_S 63.5
#define STALL_S 2.0

struct course {
    struct rig rig;
    pid_t client;
    char client_dir[160], bin[RIG_BIN_MAX];
    size_t came; /* out of the gateway, or down to our own client */
};

static void
gateway_frames(void *ctx, struct rig_peer *at, size_t n)
{
    (void)at;
    ((struct course *)ctx)->came += n;
}

static void
course_make(struct course *c)
{
    memset(c, 0, sizeof *c);
    const struct rig_config config = {.gateway = true,
                                      .side = SIDE,
                                      .core = -1,
                                      .isa = X25519_GENERIC,
                                      .client_rate = RATE,
                                      .frames = gateway_frames,
                                      .ctx = c};
    rig_bin(c->bin);
    rig_init(&c->rig, &config);
    rig_start(&c->rig, c->bin);
}

/* ---- a real client ---- */

static void
client_file(const struct course *c, const char *name, const char *text)
{
    char path[FILES_PATH_MAX];
    assert_int_equal(files_path(path, c->client_dir, name), 0);
    assert_int_equal(files_write(path, text, strlen(text)), 0);
}

static void
client_start(struct course *c)
{
    char program[FILES_PATH_MAX], path[FILES_PATH_MAX], parent[16];
    const struct rig *r = &c->rig;
    struct network n = r->network;
    n.n_gateways = 1;
    memcpy(n.gateways[0].identity, r->peer[2 * SIDE].identity,
           sizeof n.gateways[0].identity);
    memcpy(n.gateways[0].address, r->relay_address, ADDRESS_MAX);
    snprintf(c->client_dir, sizeof c->client_dir, "%s/client", r->dir);
    assert_int_equal(files_mkdir(c->client_dir), 0);
    assert_int_equal(files_path(path, c->client_dir, "network.json"), 0);
    assert_int_equal(netfile_write(path, &n), 0);
    client_file(c, "client.conf",
                "profile = \"default\"\nlog_level = \"error\"\n");
    assert_int_equal(files_path(program, c->bin, "brusio-client"), 0);
    snprintf(parent, sizeof parent, "%d", (int)getpid());
    c->client = fork();
    if (c->client == 0) {
        execl(program, program, "run", "--dir", c->client_dir, "--parent",
              parent, (char *)NULL);
        _exit(127);
    }
    assert_true(c->client > 0);
}

static void
course_free(struct course *c)
{
    if (c->client > 0) {
        kill(c->client, SIGTERM);
        waitpid(c->client, NULL, 0);
    }
    rig_free(&c->rig);
}

/* A count of `brusio-client status`. */
static unsigned long
client_count(const struct course *c, const char *name)
{
    char command[RIG_BIN_MAX + 256], line[256];
    unsigned long count = 0;
    bool found = false;
    const size_t len = strlen(name);
    snprintf(command, sizeof command, "%s/brusio-client status --dir %s",
             c->bin, c->client_dir);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        if (strncmp(line, name, len) == 0 && line[len] == ' ') {
            count = strtoul(line + len, NULL, 10);
            found = true;
        }
    assert_int_equal(pclose(f), 0);
    assert_true(found);
    return count;
}

static bool
hundred_came(void *ctx)
{
    return ((struct course *)ctx)->came >= 100;
}

/* What has come within so many seconds, or a little more: *seconds. */
static size_t
came_within(struct course *c, double *seconds)
{
    const double start_s = rig_now_s();
    c->came = 0;
    (void)rig_turn(&c->rig, *seconds, NULL, NULL);
    *seconds = rig_now_s() - start_s;
    return c->came;
}

/* At most what the clock sends in so long, 5 standard deviations. */
static double
clock_most(double seconds)
{
    return CLOCK_S * seconds + 5 * sqrt(CLOCK_S * seconds);
}

/* The gateway's program stands still, and with it everything that would say
 * that frames have come, but not its kernel, which takes and acknowledges them
 * as a box on the way could. Afterwards come those that were ahead and what the
 * clock sends. */
static void
i2_a_gateway_that_stood_still_gets_no_burst(void **state)
{
    static struct course c;
    (void)state;
    course_make(&c);
    client_start(&c);
    assert_true(rig_turn(&c.rig, 30, hundred_came, &c));
    const unsigned long skipped = client_count(&c, "skipped");
    kill(c.rig.pid, SIGSTOP);
    (void)rig_turn(&c.rig, STALL_S, NULL, NULL);
    kill(c.rig.pid, SIGCONT);
    double seconds = 0.5;
    const size_t burst = came_within(&c, &seconds);
    const unsigned long skips = client_count(&c, "skipped") - skipped;
    print_message("  %zu frames in %.1f s after %.0f s, of which the clock "
                  "sends %.0f; %lu ticks skipped\n",
                  burst, seconds, STALL_S, CLOCK_S * seconds, skips);
    /* those at the mixes' delay in the gateway when it stopped are of before:
     * 6 of them on average, and chance */
    assert_true((double)burst < WINDOW + 18 + clock_most(seconds));
    assert_true((double)skips > CLOCK_S * STALL_S - clock_most(0.3) - WINDOW);
    c.came = 0;
    assert_true(rig_turn(&c.rig, 30, hundred_came, &c)); /* and it goes on */
    course_free(&c);
}

/* ---- our own client ---- */

static bool own_up;

static void
own_is_up(void *ctx, struct link *l, const uint8_t *peer)
{
    (void)ctx;
    (void)l;
    (void)peer;
    own_up = true;
}

static void
own_frames(void *ctx, struct link *l, uint8_t *frames, size_t n)
{
    (void)l;
    (void)frames;
    ((struct course *)ctx)->came += n;
}

static void
own_is_down(void *ctx, struct link *l, int err)
{
    (void)ctx;
    (void)l;
    rig_must(err, "the link to the gateway");
}

static const struct link_ops own_ops = {own_is_up, own_frames, own_is_down};

static bool
own_is_ready(void *ctx)
{
    (void)ctx;
    return own_up;
}

static bool
one_came(void *ctx)
{
    return ((struct course *)ctx)->came > 0;
}

/* The gateway's clock to a client of the profile `fast`, 68 a second, while the
 * line carries nothing. */
static void
i2_a_client_whose_line_stood_still_gets_no_burst(void **state)
{
    static struct course c;
    uint8_t frame[2048] = {0};
    const struct wire_control control = {.profile = FAST, .handle = {7}};
    (void)state;
    course_make(&c);
    const struct params *p = &c.rig.consensus->params;
    const double down_s = 1e6 / p->profiles[FAST].down_interval_us;
    const uint32_t window =
        params_window(1000000000ull / p->profiles[FAST].down_interval_us +
                      1000000000ull / p->piece_interval_us);
    own_up = false;
    struct link *l = rig_connect(&c.rig, -1, &own_ops, &c);
    assert_true(rig_turn(&c.rig, 10, own_is_ready, NULL));
    assert_int_equal(wire_control_write(frame, sizeof frame, &control), 0);
    assert_int_equal(link_send(l, frame), 0);
    assert_true(rig_turn(&c.rig, 10, hundred_came, &c));
    line_cut(l, true);
    (void)rig_turn(&c.rig, STALL_S, NULL, NULL);
    c.came = 0;
    line_cut(l, false);
    assert_true(rig_turn(&c.rig, 10, one_came, &c)); /* TCP tries again */
    const size_t first = c.came;
    double seconds = 0.2;
    const size_t burst = first + came_within(&c, &seconds);
    print_message("  %zu frames in %.1f s after %.0f s; the window is %u, and "
                  "the clock sends %.0f\n",
                  burst, seconds, STALL_S, window, down_s * seconds);
    assert_true((double)burst <= window + down_s * seconds + 2);
    c.came = 0;
    assert_true(rig_turn(&c.rig, 10, hundred_came, &c)); /* and it goes on */
    link_free(&l);
    course_free(&c);
}

const struct CMUnitTest test_stalled_lines[] = {
    cmocka_unit_test(i2_a_gateway_that_stood_still_gets_no_burst),
    cmocka_unit_test(i2_a_client_whose_line_stood_still_gets_no_burst),
};
TEST_SUITE(test_stalled_lines);
