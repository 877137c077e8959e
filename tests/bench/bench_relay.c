/* tests/bench/bench_relay.c - a real brusio-relay under load.
 *
 *   relay.forward.ISA   a mix between four relays before it and four after it,
 *                       on the last core alone; this process on the first.
 *                       Every packet is made before the run, distinct and
 *                       valid, with an exponential delay of mean 100 ms
 *   relay.rate.ISA      the same run: packets per second of wall-clock time
 *   relay.forward2.ISA  two workers on any core
 *   relay.gateway.ISA   1,000 clients with their downlink, one packet a send
 *   relay.rss.*         memory: without packets, the map of the replay set
 *                       apart; anonymous memory at 5,000 packets/s that stay
 *                       1 s on average; and that map
 *
 * Sending is closed-loop: IN_FLIGHT packets are on their way, so the relay is
 * always busy and never overrun. Lines as in bench_sphinx: microseconds of the
 * relay's processor time per packet, and of one crypto_scalarmult timed beside
 * it.
 *
 * usage: bench_relay BIN; BENCH_ONLY, BENCH_PACKETS (default 100000). */
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/os/host.h"
#include "lib/wire.h"
#include "tests/rig.h"

enum {
    SIDE = 4,
    IN_FLIGHT = 12000,
    BURST = 64, /* packets that one relay sends at once */
    ROUNDS = 3,
    CLIENTS = 1000,
    CLIENT_RATE = 200, /* packets a second that a client may send */
    RSS_RATE = 5000,
    RSS_IDLE_S = 5,
    RSS_LOADED_S = 12
};

struct bench {
    struct rig rig;
    uint8_t *packets;
    size_t count, sent, got, mark;
    struct link *client[CLIENTS];
    unsigned clients_up;
    double start_s, start_us, rate; /* rate: packets a second to send; 0: all */
};

/* ---- the load ---- */

static void
came(void *ctx, struct rig_peer *at, size_t n)
{
    (void)at;
    ((struct bench *)ctx)->got += n;
}

static bool
may_send(const struct bench *b)
{
    if (b->sent == b->count || b->sent >= b->got + IN_FLIGHT)
        return false;
    return b->rate == 0 ||
           (double)b->sent < (rig_now_s() - b->start_s) * b->rate;
}

static void
send_by_relays(struct bench *b)
{
    for (size_t i = 0; i < SIDE; i++)
        for (int k = 0; k < BURST && may_send(b); k++) {
            if (link_send(b->rig.peer[i].link,
                          b->packets + b->sent * b->rig.packet_len))
                break;
            b->sent++;
        }
}

static void
send_by_clients(struct bench *b)
{
    for (size_t i = 0; i < BURST && may_send(b); i++)
        if (link_send(b->client[b->sent % CLIENTS],
                      b->packets + b->sent * b->rig.packet_len) == 0)
            b->sent++;
}

/* A tenth is for warming up; the last packets trickle: their delays, not the
 * relay, decide. */
static bool
over(void *ctx)
{
    struct bench *b = ctx;
    if (b->clients_up > 0)
        send_by_clients(b);
    else
        send_by_relays(b);
    if (b->mark == 0 && b->got >= b->count / 10) {
        b->mark = b->got;
        b->start_us = rig_cpu_us(&b->rig);
        b->start_s = rig_now_s();
    }
    return b->got >= b->count - IN_FLIGHT;
}

struct figures {
    double us[ROUNDS], per_x[ROUNDS], rate[ROUNDS];
};

static void
measure(struct bench *b, struct figures *f, int round, const char *name)
{
    rig_must(rig_turn(&b->rig, 120, over, b) ? 0 : ERR_TIMEOUT, name);
    const double n = (double)(b->got - b->mark);
    f->us[round] = (rig_cpu_us(&b->rig) - b->start_us) / n;
    f->per_x[round] = f->us[round] / b->rig.x_us;
    f->rate[round] = n / (rig_now_s() - b->start_s);
}

static int
by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* What was measured so often, the middle first. */
static void
figures_print(struct figures *f, const char *name)
{
    qsort(f->us, ROUNDS, sizeof f->us[0], by_size);
    qsort(f->per_x, ROUNDS, sizeof f->per_x[0], by_size);
    qsort(f->rate, ROUNDS, sizeof f->rate[0], by_size);
    printf("%-28s %9.2f %9.2f %9.2f %7.3f\n", name, f->us[ROUNDS / 2], f->us[0],
           f->us[ROUNDS - 1], f->per_x[ROUNDS / 2]);
}

static void
bench_start(struct bench *b, const struct rig_config *config, const char *bin,
            size_t count)
{
    memset(b, 0, sizeof *b);
    rig_init(&b->rig, config);
    b->count = count - count % SPHINX_ORDERS_MAX;
    b->packets = rig_packets(&b->rig, b->count);
    rig_start(&b->rig, bin);
}

static void
bench_end(struct bench *b)
{
    for (size_t i = 0; i < CLIENTS; i++)
        link_free(&b->client[i]);
    rig_free(&b->rig);
    free(b->packets);
    fflush(stdout);
}

static int
last_core(void)
{
    return (int)sysconf(_SC_NPROCESSORS_ONLN) - 1;
}

/* ---- a mix ---- */

static void
forward_once(struct bench *b, const char *bin, enum x25519_isa isa,
             size_t count, bool two, struct figures *f, int round)
{
    const struct rig_config config = {
        .side = SIDE,
        .core = two ? -1 : last_core(),
        .conf = two ? "workers = 2\npackets_max = 50000\nreplay_tags = 2000000"
                    : "packets_max = 50000\nreplay_tags = 2000000",
        .isa = isa,
        .delay_mean_us = 100000,
        .frames = came,
        .ctx = b};
    bench_start(b, &config, bin, count);
    measure(b, f, round, "packets");
    bench_end(b);
}

/* One worker and two in turn, so that both see the same machine. */
static void
forward(struct bench *b, const char *bin, enum x25519_isa isa, size_t count)
{
    char name[64];
    struct figures one, two;
    const bool both = last_core() > 0;
    for (int round = 0; round < ROUNDS; round++) {
        forward_once(b, bin, isa, count, false, &one, round);
        if (both)
            forward_once(b, bin, isa, count, true, &two, round);
    }
    snprintf(name, sizeof name, "relay.forward.%s", x25519_isa_name(isa));
    figures_print(&one, name);
    printf("relay.rate.%-17s %9.0f packets/s\n", x25519_isa_name(isa),
           one.rate[ROUNDS / 2]);
    snprintf(name, sizeof name, "relay.forward2.%s", x25519_isa_name(isa));
    if (both)
        figures_print(&two, name);
    fflush(stdout);
}

/* ---- a gateway ---- */

static void
client_up(void *ctx, struct link *l, const uint8_t *peer)
{
    struct bench *b = ctx;
    struct wire_control control = {.profile = 0};
    uint8_t frame[4096];
    (void)peer;
    randombytes_buf(frame, b->rig.packet_len);
    randombytes_buf(control.handle, sizeof control.handle);
    rig_must(wire_control_write(frame, b->rig.packet_len, &control),
             "control frame");
    rig_must(link_send(l, frame), "control frame");
    b->clients_up++;
}

static void
client_frames(void *ctx, struct link *l, uint8_t *frames, size_t n)
{
    (void)ctx;
    (void)l;
    (void)frames;
    (void)n;
}

static void
client_down(void *ctx, struct link *l, int err)
{
    (void)ctx;
    (void)l;
    rig_must(err, "a client's link ended");
}

static const struct link_ops client_ops = {client_up, client_frames,
                                           client_down};

static bool
clients_are_up(void *ctx)
{
    return ((struct bench *)ctx)->clients_up == CLIENTS;
}

static void
gateway_once(struct bench *b, const char *bin, enum x25519_isa isa,
             size_t count, struct figures *f, int round)
{
    const struct rig_config config = {
        .gateway = true,
        .side = SIDE,
        .core = last_core(),
        .conf = "packets_max = 50000\nreplay_tags = 2000000",
        .isa = isa,
        .client_rate = CLIENT_RATE,
        .delay_mean_us = 100000,
        .frames = came,
        .ctx = b};
    bench_start(b, &config, bin, count);
    for (size_t i = 0; i < CLIENTS; i++) {
        b->client[i] = rig_connect(&b->rig, -1, &client_ops, b);
        (void)rig_turn(&b->rig, 0.001, NULL, NULL);
    }
    rig_must(rig_turn(&b->rig, 60, clients_are_up, b) ? 0 : ERR_TIMEOUT,
             "clients");
    measure(b, f, round, "packets");
    bench_end(b);
}

static void
gateway(struct bench *b, const char *bin, enum x25519_isa isa, size_t count)
{
    char name[64];
    struct figures f;
    snprintf(name, sizeof name, "relay.gateway.%s", x25519_isa_name(isa));
    for (int round = 0; round < ROUNDS; round++)
        gateway_once(b, bin, isa, count, &f, round);
    figures_print(&f, name);
    fflush(stdout);
}

/* ---- memory ---- */

static bool
send_steadily(void *ctx)
{
    send_by_relays(ctx);
    return false;
}

static void
memory_print(const char *name, double kib)
{
    printf("%-28s %9.1f MiB\n", name, kib / 1024);
}

/* As an operator starts it: one worker for each core, default limits. */
static void
memory(struct bench *b, const char *bin)
{
    const struct rig_config config = {.side = SIDE,
                                      .core = -1,
                                      .isa = X25519_IFMA,
                                      .delay_mean_us = 1000000,
                                      .frames = came,
                                      .ctx = b};
    bench_start(b, &config, bin, RSS_RATE * RSS_LOADED_S);
    (void)rig_turn(&b->rig, RSS_IDLE_S, NULL, NULL);
    memory_print("relay.rss.idle", (double)(rig_memory_kib(&b->rig, "VmRSS:") -
                                            rig_map_kib(&b->rig, "/replay")));
    b->rate = RSS_RATE;
    b->start_s = rig_now_s();
    (void)rig_turn(&b->rig, RSS_LOADED_S, send_steadily, b);
    rig_must(b->got * 10 > b->sent * 7 ? 0 : ERR_RATE, "5,000 packets/s");
    memory_print("relay.rss.loaded",
                 (double)rig_memory_kib(&b->rig, "RssAnon:"));
    memory_print("relay.rss.replay_map",
                 (double)rig_map_kib(&b->rig, "/replay"));
    bench_end(b);
}

static bool
wanted(const char *what, enum x25519_isa isa)
{
    char name[64];
    const char *only = getenv("BENCH_ONLY");
    snprintf(name, sizeof name, "relay.%s.%s", what, x25519_isa_name(isa));
    return x25519_isa_works(isa) &&
           (!only || strncmp(name, only, strlen(only)) == 0);
}

int
main(int argc, char **argv)
{
    static struct bench b;
    const char *only = getenv("BENCH_ONLY"), *wish = getenv("BENCH_PACKETS");
    size_t count = wish && *wish ? strtoul(wish, NULL, 10) : 100000;
    if (argc != 2 || count < 4 * IN_FLIGHT || sodium_init() < 0) {
        fprintf(stderr, "usage: bench_relay BIN; BENCH_PACKETS at least %d\n",
                4 * IN_FLIGHT);
        return 2;
    }
    rig_core_take(0);
    signal(SIGPIPE, SIG_IGN);
    host_files_max();
    for (int i = X25519_ISAS; i >= X25519_GENERIC; i--) {
        const enum x25519_isa isa = (enum x25519_isa)i;
        if (wanted("forward", isa))
            forward(&b, argv[1], isa, count);
        if (wanted("gateway", isa))
            gateway(&b, argv[1], isa, count);
    }
    if (!only || strncmp("relay.rss", only, strlen(only)) == 0)
        memory(&b, argv[1]);
    return 0;
}
