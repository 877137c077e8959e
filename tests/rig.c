/* tests/rig.c - see rig.h. */
#include "tests/rig.h"

#include <sched.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/codec.h"
#include "lib/os/files.h"
#include "lib/rng.h"
#include "network/document.h"
#include "relay/daemon/keys.h"

enum {
    EPOCH = 5,
    EPOCH_LEN_S = 3600,
    QUEUE = 4096,
    TICK_US = 500,
    PATH = 2,
    UP_S = 30
};

void
rig_must(int err, const char *what)
{
    if (err) {
        fprintf(stderr, "error: %s: %s\n", what, error_text(err));
        exit(1);
    }
}

static size_t
self_of(const struct rig *r)
{
    return 2 * (size_t)r->config.side;
}

static size_t
relays_of(const struct rig *r)
{
    return self_of(r) + 2;
}

/* ---- the network ---- */

static const struct link_config *
link_settings(const struct rig *r)
{
    static struct link_config config;
    config =
        (struct link_config){.frame_len = r->packet_len, .queue_max = QUEUE};
    return &config;
}

static void
peer_up(void *ctx, struct link *l, const uint8_t *id)
{
    (void)l;
    (void)id;
    ((struct rig_peer *)ctx)->up = true;
}

static void
peer_frames(void *ctx, struct link *l, uint8_t *frames, size_t n)
{
    struct rig_peer *p = ctx;
    const struct rig_config *c = &p->rig->config;
    (void)l;
    (void)frames;
    if (c->frames)
        c->frames(c->ctx, p, n);
}

static void
peer_down(void *ctx, struct link *l, int err)
{
    struct rig_peer *p = ctx;
    rig_must(p->up && !p->rig->ending ? err : 0, "a link of the rig ended");
    p->up = false;
    p->link = NULL;
    link_free(&l);
}

static const struct link_ops peer_ops = {peer_up, peer_frames, peer_down};

static void
peer_accept(void *ctx, struct link *l, const uint8_t *id)
{
    struct rig_peer *p = ctx;
    (void)id;
    link_free(&p->link);
    p->link = l;
    p->up = true;
    link_set_owner(l, &peer_ops, p);
}

static void
peers_make(struct rig *r)
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    for (size_t i = 0; i < relays_of(r); i++) {
        struct rig_peer *p = &r->peer[i];
        p->rig = r;
        randombytes_buf(p->seed, sizeof p->seed);
        randombytes_buf(p->packet_seed, sizeof p->packet_seed);
        crypto_sign_seed_keypair(p->identity, secret, p->seed);
        rig_must(tls_new(&p->tls, p->seed), "TLS");
        snprintf(p->address, sizeof p->address, "127.0.0.1:9");
        if (i < r->config.side || i > self_of(r))
            continue;
        /* for the relay's own: a port that was free a moment ago */
        rig_must(listener_new(&p->listener, r->loop, p->tls, link_settings(r),
                              "127.0.0.1:0", 16, peer_accept, p),
                 "listen");
        snprintf(p->address, sizeof p->address, "%s",
                 listener_address(p->listener));
    }
    listener_free(&r->peer[self_of(r)].listener);
}

static int
by_identity(const void *a, const void *b)
{
    const struct relay_entry *x = a, *y = b;
    return memcmp(x->identity, y->identity, sizeof x->identity);
}

static uint8_t
layer_of(const struct rig *r, size_t i)
{
    const unsigned side = r->config.side;
    if (i > self_of(r))
        return 3;
    if (i == self_of(r))
        return r->config.gateway ? 0 : 1;
    if (i >= side)
        return r->config.gateway ? 1 : 2;
    return r->config.gateway ? 2 : 0;
}

static void
consensus_make(struct rig *r)
{
    struct consensus *c = calloc(1, sizeof *c);
    rig_must(c ? 0 : ERR_NOMEM, "consensus");
    r->consensus = c;
    snprintf(c->network, sizeof c->network, "rig");
    c->epoch = EPOCH;
    c->days.n = 1; /* one value, of zeros */
    c->valid_after_s = (uint64_t)time(NULL) - 10;
    params_default(&c->params, EPOCH_LEN_S);
    c->params.layers = 2;
    c->params.deadline_ahead_s = 900;
    c->params.relay_loop_mhz = 1; /* what comes out is what was sent in */
    if (r->config.client_rate > 0)
        c->params.profiles[0].send_mhz = r->config.client_rate * 1000;
    c->n_relays = relays_of(r);
    c->relays = calloc(c->n_relays, sizeof *c->relays);
    rig_must(c->relays ? 0 : ERR_NOMEM, "consensus");
    for (size_t i = 0; i < c->n_relays; i++) {
        struct relay_entry *e = &c->relays[i];
        memcpy(e->identity, r->peer[i].identity, sizeof e->identity);
        e->layer = layer_of(r, i);
        e->role = e->layer == 0   ? ROLE_GATEWAY
                  : e->layer == 3 ? ROLE_STORE
                                  : ROLE_MIX;
        e->protocol_min = e->protocol_max = 1;
        e->bandwidth = 1000;
        e->n_addresses = 1;
        memcpy(e->addresses[0], r->peer[i].address, ADDRESS_MAX);
        rig_must(sphinx_keypair(&c->params.geometry, e->sphinx_key,
                                r->peer[i].packet_seed),
                 "key pair");
    }
    qsort(c->relays, c->n_relays, sizeof *c->relays, by_identity);
    rig_must(consensus_index(c), "consensus");
    for (size_t i = 0; i < c->n_relays; i++)
        r->peer[i].index = (uint16_t)consensus_find(c, r->peer[i].identity);
}

/* ---- files ---- */

static void
file_put(const struct rig *r, const char *name, const void *data, size_t len)
{
    char path[FILES_PATH_MAX];
    rig_must(files_path(path, r->relay_dir, name), name);
    rig_must(files_write(path, data, len), name);
}

static void
key_put(const struct rig *r, const char *name, const uint8_t key[32])
{
    char hex[65];
    codec_hex(hex, key, 32);
    hex[64] = '\n';
    file_put(r, name, hex, 65);
}

static void
conf_put(const struct rig *r)
{
    char conf[1024];
    int len =
        snprintf(conf, sizeof conf,
                 "role = \"%s\"\nlisten = \"%s\"\nnetwork = \"network.json\"\n"
                 "log_level = \"error\"\n%s\n",
                 r->config.gateway ? "gateway" : "mix", r->relay_address,
                 r->config.conf ? r->config.conf : "");
    rig_must(len < (int)sizeof conf ? 0 : ERR_LONG, "relay.conf");
    file_put(r, "relay.conf", conf, (size_t)len);
}

/* A replay set as old as its packet key, so that it does not wait for one. */
static void
set_make(const struct rig *r)
{
    static const char option[] = "replay_tags = ";
    const char *tags = r->config.conf ? strstr(r->config.conf, option) : NULL;
    struct replay_file *set;
    bool wait;
    rig_must(replay_file_open(&set, r->relay_dir,
                              tags ? strtoul(tags + strlen(option), NULL, 10)
                                   : 1000000,
                              &wait),
             "replay set");
    replay_file_close(&set);
}

/* Sign the consensus; write all that the relay finds when it starts. */
static void
files_make(struct rig *r)
{
    static const uint8_t seed[DOCUMENT_SIGN_SEED_LEN] = {0xbe};
    struct document d = {.kind = DOCUMENT_CONSENSUS};
    struct document_key key;
    uint8_t *bytes;
    struct network *n = &r->network;
    const struct rig_peer *self = &r->peer[self_of(r)];
    char *body, path[FILES_PATH_MAX];
    size_t len;
    rig_must(json_write_consensus(r->consensus, &body, &d.body_len),
             "consensus");
    d.body = (const uint8_t *)body;
    document_key_direct(&key, seed);
    memcpy(n->authorities[0].identity, key.identity, sizeof key.identity);
    rig_must(document_sign(&d, &key), "signature");
    rig_must(document_write(&d, &bytes, &len), "consensus");
    document_digest(&d, r->consensus->digest);
    consensus_view(r->consensus, &r->view);
    snprintf(n->name, sizeof n->name, "rig");
    n->epoch_len_s = EPOCH_LEN_S;
    n->genesis_s = r->consensus->valid_after_s - (EPOCH - 1) * EPOCH_LEN_S;
    n->geometry = r->consensus->params.geometry;
    n->n_authorities = 1;
    snprintf(n->authorities[0].address, ADDRESS_MAX, "127.0.0.1:9");
    rig_must(files_mkdir(r->relay_dir), r->relay_dir);
    file_put(r, "consensus-5", bytes, len);
    key_put(r, "identity.key", self->seed);
    set_make(r);
    key_put(r, "packet-5.key", self->packet_seed);
    rig_must(files_path(path, r->relay_dir, "network.json"), "network file");
    rig_must(netfile_write(path, n), "network file");
    conf_put(r);
    free(bytes);
    free(body);
}

double
rig_now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double
scalarmult_us(void)
{
    uint8_t k[32] = {1}, u[32] = {9}, out[32];
    double start = rig_now_s();
    for (int i = 0; i < 1000; i++)
        rig_must(crypto_scalarmult(out, k, u) ? ERR_CRYPTO : 0, "X25519");
    return (rig_now_s() - start) * 1e3;
}

static void
tick(void *ctx)
{
    struct rig *r = ctx;
    loop_timer_at(r->tick, loop_now_us(r->loop) + TICK_US);
}

void
rig_init(struct rig *r, const struct rig_config *config)
{
    struct params p;
    *r = (struct rig){.config = *config};
    rig_must(config->side <= RIG_SIDE_MAX ? 0 : ERR_RANGE, "side");
    params_default(&p, EPOCH_LEN_S);
    r->packet_len = p.geometry.packet_len;
    snprintf(r->dir, sizeof r->dir, "/tmp/brusio-rig-XXXXXX");
    rig_must(mkdtemp(r->dir) ? 0 : ERR_SYSTEM, "mkdtemp");
    snprintf(r->relay_dir, sizeof r->relay_dir, "%s/relay", r->dir);
    rig_must(loop_new(&r->loop), "loop");
    rig_must(loop_timer_new(r->loop, tick, r, &r->tick), "timer");
    peers_make(r);
    memcpy(r->relay_address, r->peer[self_of(r)].address, ADDRESS_MAX);
    consensus_make(r);
    files_make(r);
    r->x_us = scalarmult_us();
    tick(r);
}

void
rig_stop(struct rig *r, int signo)
{
    r->ending = true;
    kill(r->pid, signo);
    waitpid(r->pid, NULL, 0);
    r->pid = 0;
    (void)rig_turn(r, 0.1, NULL, NULL); /* their ends arrive */
    for (size_t i = 0; i < relays_of(r); i++) {
        r->peer[i].up = false;
        link_free(&r->peer[i].link);
    }
    r->ending = false;
}

void
rig_free(struct rig *r)
{
    char command[128];
    for (size_t i = 0; i < relays_of(r); i++) {
        r->peer[i].up = false;
        link_free(&r->peer[i].link);
        listener_free(&r->peer[i].listener);
        tls_free(&r->peer[i].tls);
    }
    if (r->pid > 0) {
        kill(r->pid, SIGINT);
        waitpid(r->pid, NULL, 0);
    }
    loop_timer_free(&r->tick);
    loop_free(&r->loop);
    consensus_free(&r->consensus);
    snprintf(command, sizeof command, "rm -rf %s", r->dir);
    rig_must(system(command) ? ERR_SYSTEM : 0, command);
}

/* ---- packets ---- */

static uint16_t
delay_draw(const struct rig *r)
{
    uint64_t bits;
    randombytes_buf(&bits, sizeof bits);
    uint64_t ms = rng_exp_from(bits, r->config.delay_mean_us) / 1000;
    return (uint16_t)(ms < UINT16_MAX ? ms : UINT16_MAX);
}

/* Two hops: the relay, then one after it. */
static void
path_make(struct rig *r, size_t i, uint16_t deadline, struct sphinx_hop *path)
{
    const struct consensus *c = r->consensus;
    const unsigned side = r->config.side;
    const size_t hop[PATH] = {self_of(r), side + i % side};
    for (size_t h = 0; h < PATH; h++) {
        const uint16_t at = r->peer[hop[h]].index;
        path[h] = (struct sphinx_hop){.public_key = c->relays[at].sphinx_key,
                                      .identity = c->relays[at].identity,
                                      .index = at,
                                      .delay = delay_draw(r),
                                      .deadline = deadline};
    }
}

uint8_t *
rig_packets(struct rig *r, size_t count)
{
    static uint8_t body[2048], seed[SPHINX_ORDERS_MAX][SPHINX_SEED_LEN];
    const struct consensus *c = r->consensus;
    struct sphinx_hop path[SPHINX_ORDERS_MAX][PATH];
    struct sphinx_order o[SPHINX_ORDERS_MAX];
    struct sphinx_worker *w;
    uint8_t *packets = malloc(count * r->packet_len);
    rig_must(packets ? 0 : ERR_NOMEM, "packets");
    rig_must(sphinx_worker_new(&w), "worker");
    const uint16_t deadline =
        (uint16_t)(((uint64_t)time(NULL) - c->valid_after_s + 600) /
                   c->params.deadline_unit_s);
    for (size_t i = 0; i < count; i += SPHINX_ORDERS_MAX) {
        randombytes_buf(seed, sizeof seed);
        for (size_t k = 0; k < SPHINX_ORDERS_MAX; k++) {
            path_make(r, i + k, deadline, path[k]);
            o[k] =
                (struct sphinx_order){.path = path[k],
                                      .n = PATH,
                                      .seed = seed[k],
                                      .body = body,
                                      .out = packets + (i + k) * r->packet_len};
        }
        sphinx_create_batch(w, &r->view, o, SPHINX_ORDERS_MAX);
        for (size_t k = 0; k < SPHINX_ORDERS_MAX; k++)
            rig_must(o[k].err, "packet");
    }
    sphinx_worker_free(&w);
    return packets;
}

/* ---- the relay's process ---- */

void
rig_bin(char bin[static RIG_BIN_MAX])
{
    ssize_t n = readlink("/proc/self/exe", bin, RIG_BIN_MAX - 1);
    rig_must(n > 0 ? 0 : ERR_SYSTEM, "/proc/self/exe");
    bin[n] = 0;
    *strrchr(bin, '/') = 0;
}

void
rig_core_take(int core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)core, &set);
    (void)sched_setaffinity(0, sizeof set, &set);
}

static void
cores_all(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (long i = 0; i < sysconf(_SC_NPROCESSORS_ONLN); i++)
        CPU_SET((size_t)i, &set);
    (void)sched_setaffinity(0, sizeof set, &set);
}

struct link *
rig_connect(struct rig *r, int before, const struct link_ops *ops, void *ctx)
{
    static struct tls *anonymous;
    struct link *l;
    if (!anonymous)
        rig_must(tls_new(&anonymous, NULL), "TLS");
    rig_must(link_connect(&l, r->loop,
                          before < 0 ? anonymous : r->peer[before].tls,
                          link_settings(r), r->relay_address,
                          r->peer[self_of(r)].identity, ops, ctx),
             "connect");
    return l;
}

bool
rig_turn(struct rig *r, double seconds, bool (*done)(void *ctx), void *ctx)
{
    const double end = rig_now_s() + seconds;
    while (!(done && done(ctx))) {
        if (rig_now_s() >= end)
            return false;
        rig_must(loop_turn(r->loop), "loop");
    }
    return true;
}

/* Connects again what was refused, since the relay takes a moment. */
static bool
all_up(void *ctx)
{
    struct rig *r = ctx;
    bool all = true;
    for (unsigned i = 0; i < 2 * r->config.side; i++)
        all = all && r->peer[i].up;
    for (unsigned i = 0; i < r->config.side; i++)
        if (!r->peer[i].link)
            r->peer[i].link = rig_connect(r, (int)i, &peer_ops, &r->peer[i]);
    return all;
}

void
rig_start(struct rig *r, const char *bin)
{
    char program[FILES_PATH_MAX], parent[16];
    rig_must(files_path(program, bin, "brusio-relay"), bin);
    snprintf(parent, sizeof parent, "%d", (int)getpid());
    r->pid = fork();
    if (r->pid == 0) {
        if (r->config.core >= 0)
            rig_core_take(r->config.core);
        else
            cores_all();
        setenv("BRUSIO_ISA", x25519_isa_name(r->config.isa), 1);
        execl(program, program, "run", "--dir", r->relay_dir, "--parent",
              parent, (char *)NULL);
        _exit(127);
    }
    rig_must(r->pid > 0 ? 0 : ERR_SYSTEM, "fork");
    (void)rig_turn(r, 0.3, NULL, NULL);
    rig_must(rig_turn(r, UP_S, all_up, r) ? 0 : ERR_TIMEOUT,
             "links to the relay");
}

double
rig_cpu_us(const struct rig *r)
{
    char path[64];
    unsigned long long user, system;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)r->pid);
    FILE *f = fopen(path, "r");
    rig_must(f ? 0 : ERR_NOT_FOUND, "the relay has ended");
    int got = fscanf(f,
                     "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu "
                     "%llu",
                     &user, &system);
    fclose(f);
    rig_must(got == 2 ? 0 : ERR_FORMAT, path);
    return (double)(user + system) * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

long
rig_memory_kib(const struct rig *r, const char *name)
{
    char path[64], line[256];
    long kib = -1;
    snprintf(path, sizeof path, "/proc/%d/status", (int)r->pid);
    FILE *f = fopen(path, "r");
    rig_must(f ? 0 : ERR_NOT_FOUND, "the relay has ended");
    while (kib < 0 && fgets(line, sizeof line, f))
        if (strncmp(line, name, strlen(name)) == 0)
            kib = strtol(line + strlen(name), NULL, 10);
    fclose(f);
    rig_must(kib < 0 ? ERR_FORMAT : 0, name);
    return kib;
}

long
rig_map_kib(const struct rig *r, const char *end)
{
    char path[64], line[512];
    bool is = false;
    long sum = 0;
    snprintf(path, sizeof path, "/proc/%d/smaps", (int)r->pid);
    FILE *f = fopen(path, "r");
    rig_must(f ? 0 : ERR_NOT_FOUND, "the relay has ended");
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = 0;
        const size_t len = strlen(line), tail = strlen(end);
        if (strchr(line, '-') && strchr(line, '-') < line + 17)
            is = len > tail && strcmp(line + len - tail, end) == 0;
        else if (is && strncmp(line, "Rss:", 4) == 0)
            sum += strtol(line + 4, NULL, 10);
    }
    fclose(f);
    return sum;
}
