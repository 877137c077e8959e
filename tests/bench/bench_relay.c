/* tests/bench/bench_relay.c - a real brusio-relay under load, on one core.
 *
 * The program under test is a mix between four gateways and four mixes, all of
 * which this process plays, over TLS on loopback. Every packet is made before
 * the run, distinct and valid, with an exponential delay of mean 100 ms. The
 * relay runs with one ISA after the other (BRUSIO_ISA), pinned to the last
 * core; this process to the first.
 *
 * Sending is closed-loop: IN_FLIGHT packets are on their way, so the relay is
 * always busy and never overrun. Lines as in bench_sphinx: microseconds of the
 * relay's CPU time per packet, and of one crypto_scalarmult timed beside it;
 * then packets per second of wall-clock time.
 *
 * usage: bench_relay BIN; BENCH_ONLY, BENCH_PACKETS (default 100000). */
#include <sched.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "directory/document.h"
#include "directory/netfile.h"
#include "lib/codec.h"
#include "lib/files.h"
#include "lib/link.h"
#include "lib/rng.h"
#include "sphinx/x25519.h"

enum {
    SIDE = 4, /* gateways before, mixes after */
    RELAYS = 2 * SIDE + 2,
    EPOCH = 5,
    EPOCH_LEN_S = 3600,
    IN_FLIGHT = 12000,
    QUEUE = 4096,
    TURN = 64, /* packets a gateway sends at once */
    CREATE_PATH = 2
};

struct peer {
    struct bench *bench;
    uint8_t seed[32], identity[32], packet_seed[32];
    char address[ADDRESS_MAX];
    struct tls *tls;
    struct listener *listener; /* of those after the relay */
    struct link *link;
    bool up;
    uint16_t index;
};

struct bench {
    char dir[64], relay_dir[128];
    struct network network;
    struct consensus *consensus;
    struct sphinx_view view;
    struct peer
        peer[RELAYS]; /* 0..3 gateways, 4..7 mixes, the relay, a store */
    struct loop *loop;
    struct loop_timer *timer;
    uint8_t *packets;
    size_t count, sent, got, mark;
    pid_t pid;
    double cpu_us, wall_us, x_us;
    uint64_t start_cpu_ns;
    struct timespec start;
};
enum { SELF = 2 * SIDE, STORE };

static void
must(int err, const char *what)
{
    if (err) {
        fprintf(stderr, "bench_relay: %s: %s\n", what, error_text(err));
        exit(1);
    }
}

/* ---- the network ---- */

static int
by_identity(const void *a, const void *b)
{
    const struct relay_entry *x = a, *y = b;
    return memcmp(x->identity, y->identity, sizeof x->identity);
}

static void
peers_make(struct bench *b)
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    for (size_t i = 0; i < RELAYS; i++) {
        struct peer *p = &b->peer[i];
        p->bench = b;
        randombytes_buf(p->seed, sizeof p->seed);
        randombytes_buf(p->packet_seed, sizeof p->packet_seed);
        crypto_sign_seed_keypair(p->identity, secret, p->seed);
        must(tls_new(&p->tls, p->seed), "TLS");
        snprintf(p->address, sizeof p->address, "127.0.0.1:9");
    }
}

static void
consensus_make(struct bench *b)
{
    static const uint8_t layers[RELAYS] = {0, 0, 0, 0, 2, 2, 2, 2, 1, 3};
    struct consensus *c = calloc(1, sizeof *c);
    must(c ? 0 : ERR_NOMEM, "consensus");
    b->consensus = c;
    snprintf(c->network, sizeof c->network, "bench");
    c->epoch = EPOCH;
    c->valid_after_s = (uint64_t)time(NULL) - 10;
    params_default(&c->params, EPOCH_LEN_S);
    c->params.layers = 2;
    c->params.deadline_ahead_s = 900;
    c->n_relays = RELAYS;
    c->relays = calloc(RELAYS, sizeof *c->relays);
    must(c->relays ? 0 : ERR_NOMEM, "consensus");
    for (size_t i = 0; i < RELAYS; i++) {
        struct relay_entry *e = &c->relays[i];
        memcpy(e->identity, b->peer[i].identity, sizeof e->identity);
        e->layer = layers[i];
        e->role = layers[i] == 0   ? ROLE_GATEWAY
                  : layers[i] == 3 ? ROLE_STORE
                                   : ROLE_MIX;
        e->protocol_min = e->protocol_max = 1;
        e->bandwidth = 1000;
        e->n_addresses = 1;
        memcpy(e->addresses[0], b->peer[i].address, ADDRESS_MAX);
        must(sphinx_keypair(&c->params.geometry, e->sphinx_key,
                            b->peer[i].packet_seed),
             "key pair");
    }
    qsort(c->relays, RELAYS, sizeof *c->relays, by_identity);
    must(consensus_index(c), "consensus");
    for (size_t i = 0; i < RELAYS; i++)
        b->peer[i].index = (uint16_t)consensus_find(c, b->peer[i].identity);
}

static void
file_put(const struct bench *b, const char *name, const void *data, size_t len)
{
    char path[FILES_PATH_MAX];
    must(files_path(path, b->relay_dir, name), name);
    must(files_write(path, data, len), name);
}

static void
key_put(const struct bench *b, const char *name, const uint8_t key[32])
{
    char hex[65];
    codec_hex(hex, key, 32);
    hex[64] = '\n';
    file_put(b, name, hex, 65);
}

/* Sign the consensus; write all that the relay finds when it starts. */
static void
files_make(struct bench *b, const char *listen)
{
    static const uint8_t seed[DOCUMENT_SIGN_SEED_LEN] = {0xbe};
    struct document d = {.kind = DOCUMENT_CONSENSUS};
    uint8_t signature[DOCUMENT_SIGNATURE_LEN], *bytes;
    struct network *n = &b->network;
    char *body, conf[512];
    size_t len;
    must(json_write_consensus(b->consensus, &body, &d.body_len), "consensus");
    d.body = (const uint8_t *)body;
    document_sign(d.kind, d.body, d.body_len, seed, n->authorities[0].identity,
                  signature);
    must(document_add(&d, n->authorities[0].identity, signature), "signature");
    must(document_write(&d, &bytes, &len), "consensus");
    document_digest(&d, b->consensus->digest);
    consensus_view(b->consensus, &b->view);
    snprintf(n->name, sizeof n->name, "bench");
    n->epoch_len_s = EPOCH_LEN_S;
    n->genesis_s = b->consensus->valid_after_s - (EPOCH - 1) * EPOCH_LEN_S;
    n->geometry = b->consensus->params.geometry;
    n->n_authorities = 1;
    snprintf(n->authorities[0].address, ADDRESS_MAX, "127.0.0.1:9");
    must(files_mkdir(b->relay_dir), b->relay_dir);
    file_put(b, "consensus-5", bytes, len);
    key_put(b, "identity.key", b->peer[SELF].seed);
    key_put(b, "packet-5.key", b->peer[SELF].packet_seed);
    char path[FILES_PATH_MAX];
    must(files_path(path, b->relay_dir, "network.json"), "network file");
    must(netfile_write(path, n), "network file");
    int conf_len = snprintf(
        conf, sizeof conf,
        "role = \"mix\"\nlisten = \"%s\"\nnetwork = \"network.json\"\n"
        "packets_max = 50000\nreplay_tags = 2000000\nlog_level = \"warning\"\n",
        listen);
    file_put(b, "relay.conf", conf, (size_t)conf_len);
    free(bytes);
    free(body);
}

/* ---- packets ---- */

/* Exponential with a mean of 100 ms, in milliseconds. */
static uint16_t
delay_draw(void)
{
    uint64_t bits;
    randombytes_buf(&bits, sizeof bits);
    return (uint16_t)(rng_exp_from(bits, 100000) / 1000);
}

static void
packets_make(struct bench *b)
{
    static uint8_t body[2048], seed[SPHINX_ORDERS_MAX][SPHINX_SEED_LEN];
    const struct consensus *c = b->consensus;
    const size_t len = c->params.geometry.packet_len;
    struct sphinx_hop path[SPHINX_ORDERS_MAX][CREATE_PATH];
    struct sphinx_order o[SPHINX_ORDERS_MAX];
    struct sphinx_worker *w;
    must(sphinx_worker_new(&w), "worker");
    const uint16_t deadline =
        (uint16_t)(((uint64_t)time(NULL) - c->valid_after_s + 600) /
                   c->params.deadline_unit_s);
    for (size_t i = 0; i < b->count; i += SPHINX_ORDERS_MAX) {
        randombytes_buf(seed, sizeof seed);
        for (size_t k = 0; k < SPHINX_ORDERS_MAX; k++) {
            const size_t hop[CREATE_PATH] = {SELF, SIDE + (i + k) % SIDE};
            for (size_t h = 0; h < CREATE_PATH; h++) {
                const uint16_t at = b->peer[hop[h]].index;
                path[k][h] =
                    (struct sphinx_hop){.public_key = c->relays[at].sphinx_key,
                                        .identity = c->relays[at].identity,
                                        .index = at,
                                        .delay = delay_draw(),
                                        .deadline = deadline};
            }
            o[k] = (struct sphinx_order){.path = path[k],
                                         .n = CREATE_PATH,
                                         .seed = seed[k],
                                         .body = body,
                                         .out = b->packets + (i + k) * len};
        }
        sphinx_create_batch(w, &b->view, o, SPHINX_ORDERS_MAX);
        for (size_t k = 0; k < SPHINX_ORDERS_MAX; k++)
            must(o[k].err, "packet");
    }
    sphinx_worker_free(&w);
}

/* ---- the relay's process ---- */

static void
core_take(int core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)core, &set);
    (void)sched_setaffinity(0, sizeof set, &set);
}

static void
relay_start(struct bench *b, const char *bin, enum x25519_isa isa)
{
    char program[FILES_PATH_MAX];
    must(files_path(program, bin, "brusio-relay"), bin);
    b->pid = fork();
    if (b->pid == 0) {
        core_take((int)sysconf(_SC_NPROCESSORS_ONLN) - 1);
        setenv("BRUSIO_ISA", x25519_isa_name(isa), 1);
        execl(program, program, "run", "--dir", b->relay_dir, (char *)NULL);
        _exit(127);
    }
    must(b->pid > 0 ? 0 : ERR_SYSTEM, "fork");
}

/* Nanoseconds on a processor, of all its threads. */
static uint64_t
relay_cpu_ns(const struct bench *b)
{
    char path[64];
    unsigned long long user, system;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)b->pid);
    FILE *f = fopen(path, "r");
    must(f ? 0 : ERR_NOT_FOUND, "the relay has ended");
    int got = fscanf(f,
                     "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu "
                     "%llu",
                     &user, &system);
    fclose(f);
    must(got == 2 ? 0 : ERR_FORMAT, path);
    return (user + system) * (1000000000ULL / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* ---- the load ---- */

static double
since_us(const struct timespec *from)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)(t.tv_sec - from->tv_sec) * 1e6 +
           (double)(t.tv_nsec - from->tv_nsec) * 1e-3;
}

static void
pump(void *ctx)
{
    struct bench *b = ctx;
    const size_t len = b->consensus->params.geometry.packet_len;
    unsigned up = 0;
    for (size_t i = 0; i < 2 * SIDE; i++)
        up += b->peer[i].up;
    for (size_t g = 0; g < SIDE && up == 2 * SIDE; g++)
        for (int k = 0;
             k < TURN && b->sent < b->count && b->sent < b->got + IN_FLIGHT;
             k++) {
            if (link_send(b->peer[g].link, b->packets + b->sent * len))
                break;
            b->sent++;
        }
    loop_timer_at(b->timer, loop_now_us(b->loop) + 500);
}

/* A tenth is for warming up. */
static void
sink(void *ctx, struct link *l, uint8_t *frames, size_t n)
{
    struct bench *b = ((struct peer *)ctx)->bench;
    (void)l;
    (void)frames;
    b->got += n;
    if (b->mark == 0 && b->got >= b->count / 10) {
        b->mark = b->got;
        b->start_cpu_ns = relay_cpu_ns(b);
        clock_gettime(CLOCK_MONOTONIC, &b->start);
    }
    /* the last packets trickle: their delays, not the relay, decide */
    if (b->mark > 0 && b->got >= b->count - IN_FLIGHT && b->cpu_us == 0) {
        double n_packets = (double)(b->got - b->mark);
        b->wall_us = since_us(&b->start) / n_packets;
        b->cpu_us =
            (double)(relay_cpu_ns(b) - b->start_cpu_ns) * 1e-3 / n_packets;
        loop_stop(b->loop);
    }
}

static void
peer_up(void *ctx, struct link *l, const uint8_t *id)
{
    (void)l;
    (void)id;
    ((struct peer *)ctx)->up = true;
}

static void
peer_down(void *ctx, struct link *l, int err)
{
    struct peer *p = ctx;
    (void)l;
    must(p->up ? err : 0, "a link ended");
    p->link = NULL;
    link_free(&l);
}

static const struct link_ops ops = {peer_up, sink, peer_down};

static void
accepted(void *ctx, struct link *l, const uint8_t *id)
{
    struct peer *p = ctx;
    (void)id;
    p->link = l;
    p->up = true;
    link_set_owner(l, &ops, p);
}

static const struct link_config *
link_settings(const struct bench *b)
{
    static struct link_config config;
    config = (struct link_config){
        .frame_len =
            b->consensus ? b->consensus->params.geometry.packet_len : 2048,
        .queue_max = QUEUE};
    return &config;
}

static void
listeners_make(struct bench *b)
{
    for (size_t i = SIDE; i < 2 * SIDE; i++) {
        struct peer *p = &b->peer[i];
        must(listener_new(&p->listener, b->loop, p->tls, link_settings(b),
                          "127.0.0.1:0", 16, accepted, p),
             "listen");
        snprintf(p->address, sizeof p->address, "%s",
                 listener_address(p->listener));
    }
    /* a port for the relay: one that was free a moment ago */
    struct listener *probe;
    must(listener_new(&probe, b->loop, b->peer[SELF].tls, link_settings(b),
                      "127.0.0.1:0", 16, accepted, &b->peer[SELF]),
         "listen");
    snprintf(b->peer[SELF].address, ADDRESS_MAX, "%s", listener_address(probe));
    listener_free(&probe);
}

static double
scalarmult_us(void)
{
    uint8_t k[32] = {1}, u[32] = {9}, out[32];
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int i = 0; i < 1000; i++)
        must(crypto_scalarmult(out, k, u) ? ERR_CRYPTO : 0, "X25519");
    return since_us(&start) / 1000;
}

static void
gateways_connect(void *ctx)
{
    struct bench *b = ctx;
    bool all = true;
    for (size_t i = 0; i < SIDE; i++) {
        struct peer *p = &b->peer[i];
        if (!p->link)
            must(link_connect(&p->link, b->loop, p->tls, link_settings(b),
                              b->peer[SELF].address, b->peer[SELF].identity,
                              &ops, p),
                 "connect");
        all = all && p->up;
    }
    if (all)
        pump(b);
    else
        loop_timer_at(b->timer, loop_now_us(b->loop) + 100000);
}

static void
timer(void *ctx)
{
    struct bench *b = ctx;
    bool all = true;
    for (size_t i = 0; i < SIDE; i++)
        all = all && b->peer[i].up;
    if (all)
        pump(b);
    else
        gateways_connect(b);
}

static void
run(const char *bin, enum x25519_isa isa, size_t count)
{
    static struct bench b;
    char command[128];
    memset(&b, 0, sizeof b);
    snprintf(b.dir, sizeof b.dir, "/tmp/brusio-bench-XXXXXX");
    must(mkdtemp(b.dir) ? 0 : ERR_SYSTEM, "mkdtemp");
    snprintf(b.relay_dir, sizeof b.relay_dir, "%s/relay", b.dir);
    b.count = count;
    must(loop_new(&b.loop), "loop");
    must(loop_timer_new(b.loop, timer, &b, &b.timer), "timer");
    peers_make(&b);
    listeners_make(&b);
    consensus_make(&b);
    files_make(&b, b.peer[SELF].address);
    b.packets = malloc(count * b.consensus->params.geometry.packet_len);
    must(b.packets ? 0 : ERR_NOMEM, "packets");
    packets_make(&b);
    b.x_us = scalarmult_us();
    relay_start(&b, bin, isa);
    loop_timer_at(b.timer, loop_now_us(b.loop) + 300000);
    must(loop_run(b.loop), "loop");
    printf("relay.forward.%-14s %9.2f %9.2f %9.2f %7.3f\n",
           x25519_isa_name(isa), b.cpu_us, b.cpu_us, b.cpu_us,
           b.cpu_us / b.x_us);
    printf("relay.rate.%-17s %9.0f packets/s\n", x25519_isa_name(isa),
           1e6 / b.wall_us);
    fflush(stdout);
    for (size_t i = 0; i < RELAYS; i++) {
        b.peer[i].up = false;
        link_free(&b.peer[i].link);
        listener_free(&b.peer[i].listener);
        tls_free(&b.peer[i].tls);
    }
    kill(b.pid, SIGTERM);
    waitpid(b.pid, NULL, 0);
    loop_timer_free(&b.timer);
    loop_free(&b.loop);
    consensus_free(&b.consensus);
    free(b.packets);
    snprintf(command, sizeof command, "rm -rf %s", b.dir);
    must(system(command) ? ERR_SYSTEM : 0, command);
}

int
main(int argc, char **argv)
{
    const char *only = getenv("BENCH_ONLY"), *wish = getenv("BENCH_PACKETS");
    size_t count = wish && *wish ? strtoul(wish, NULL, 10) : 100000;
    if (argc != 2 || count < 4 * IN_FLIGHT || sodium_init() < 0) {
        fprintf(stderr, "usage: bench_relay BIN; BENCH_PACKETS at least %d\n",
                4 * IN_FLIGHT);
        return 2;
    }
    core_take(0);
    signal(SIGPIPE, SIG_IGN);
    for (int isa = X25519_ISAS; isa >= X25519_GENERIC; isa--) {
        char name[64];
        snprintf(name, sizeof name, "relay.forward.%s",
                 x25519_isa_name((enum x25519_isa)isa));
        if (!x25519_isa_works((enum x25519_isa)isa) ||
            (only && strncmp(name, only, strlen(only)) != 0))
            continue;
        run(argv[1], (enum x25519_isa)isa, count - count % SPHINX_ORDERS_MAX);
    }
    return 0;
}
