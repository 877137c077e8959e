/* tests/load/load_relay.c - a real relay under attack.
 *
 * Honest neighbours keep the relay busy, closed-loop, with packets made before
 * the run. What comes out of it each second is measured in turns, undisturbed and
 * under the attack: what a machine that others use gives a process changes by the
 * second, often by half, so each turn under attack is compared with the undisturbed
 * ones right before and after it. Of these ratios the median has to be at least
 * HONEST_MIN.
 *
 *   flood       a neighbour repeats valid packets as fast as they are taken
 *   garbage     a neighbour sends frames of noise as fast as they are taken
 *   clients     clients send noise to a gateway as fast as it is taken
 *   half-open   500 connections say nothing, or half a hello
 *   handshakes  strangers shake hands without end. That takes as much of this
 *               process's time as of the relay's: so packets are counted by the
 *               second of the relay's processor time
 *   deaf        a neighbour stops reading
 *   crowd       10,000 clients of the light profile: memory, downlinks
 *
 * The relay runs on the last core, without vector code, so that it is what is
 * short; this process on the first. usage: load_relay BIN [SCENARIO] */
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/os/host.h"
#include "lib/wire.h"
#include "tests/attack.h"

enum {
    SIDE = 8,
    ATTACKER = SIDE - 1, /* before the relay */
    DEAF = SIDE - 1,     /* after the relay */
    PACKETS = 240000,
    ROUNDS = 7, /* under attack; less when packets run short */
    ROUNDS_MIN = 3,
    WINDOW = 400, /* under way to each neighbour */
    TURN = 8,     /* packets over each link in turn */
    HONEST_CLIENTS = 100,
    RUDE_CLIENTS = 5,
    CLIENT_RATE = 400,
    CROWD = 10000,
    CROWD_S = 8,
    CROWD_KIB = 20
};
#define WARM_S         0.4
#define WARM_CLIENTS_S 1.5 /* until what the rude have saved up is used */
#define MEASURE_S      0.5
#define HONEST_MIN     0.80

struct load;
static void deaf_begin(struct load *l);

struct scenario {
    const char *name;
    bool gateway;
    void (*begin)(struct load *l);
    void (*turn)(struct load *l);
    void (*end)(struct load *l);
    bool
        by_processor; /* what this process does not get to is not the relay's */
};

struct load {
    struct rig rig;
    const struct scenario *scenario;
    uint8_t *packets;
    size_t sent[SIDE], got[SIDE]; /* by the neighbour after the relay */
    bool attacked;
    struct link *client[CROWD];
    uint32_t clients, clients_up;
    uint64_t down_frames;
    struct attack attack;
};

static uint8_t *
packet_at(struct load *l, size_t i)
{
    return l->packets + i * l->rig.packet_len;
}

/* ---- honest load ---- */

static void
came(void *ctx, struct rig_peer *at, size_t n)
{
    struct load *l = ctx;
    l->got[at - &l->rig.peer[SIDE]] += n;
}

static bool
may_send(const struct load *l, size_t to)
{
    if (l->sent[to] == PACKETS / SIDE)
        return false;
    if (to == DEAF && l->scenario->begin == deaf_begin)
        return l->sent[to] < l->sent[0]; /* it gets its packets all the same */
    return l->sent[to] < l->got[to] + WINDOW;
}

/* The next packet for a neighbour in turn, over this link. */
static void
send_one(struct load *l, struct link *link, size_t k)
{
    for (size_t i = 0; i < SIDE; i++) {
        size_t to = (k + i) % SIDE;
        if (!may_send(l, to))
            continue;
        if (link_send(link, packet_at(l, l->sent[to] * SIDE + to)) == 0)
            l->sent[to]++;
        return;
    }
}

static bool
turn(void *ctx)
{
    struct load *l = ctx;
    static size_t k;
    if (l->scenario->gateway)
        for (size_t i = 0; i < HONEST_CLIENTS; i++, k++)
            send_one(l, l->client[i], k);
    else
        for (size_t i = 0; i < (size_t)SIDE * TURN; i++, k++)
            if (i % SIDE != ATTACKER)
                send_one(l, l->rig.peer[i % SIDE].link, k / SIDE);
    if (l->attacked && l->scenario->turn)
        l->scenario->turn(l);
    return false;
}

static size_t
packets_arrived(const struct load *l)
{
    size_t n = 0;
    for (size_t i = 0; i < SIDE; i++)
        n += i == DEAF ? 0 : l->got[i];
    return n;
}

/* Packets a second that came to all but the one that may be deaf; a second of the
 * relay's processor time, where the scenario says so. */
static double
rate(struct load *l)
{
    const bool saved = l->scenario->gateway && l->attacked;
    (void)rig_turn(&l->rig, saved ? WARM_CLIENTS_S : WARM_S, turn, l);
    const size_t before = packets_arrived(l);
    const double start_s = rig_now_s(), start_us = rig_cpu_us(&l->rig);
    (void)rig_turn(&l->rig, MEASURE_S, turn, l);
    const size_t after = packets_arrived(l);
    for (size_t i = 0; i < DEAF; i++)
        rig_must(l->sent[i] == PACKETS / SIDE ? ERR_RANGE : 0,
                 "too few packets were made");
    return (double)(after - before) /
           (l->scenario->by_processor ? (rig_cpu_us(&l->rig) - start_us) * 1e-6
                                      : rig_now_s() - start_s);
}

/* ---- clients ---- */

static void
client_up(void *ctx, struct link *link, const uint8_t *peer)
{
    struct load *l = ctx;
    struct wire_control control = {.profile = l->scenario ? 0 : 1};
    uint8_t frame[4096];
    (void)peer;
    randombytes_buf(frame, l->rig.packet_len);
    randombytes_buf(control.handle, sizeof control.handle);
    rig_must(wire_control_write(frame, l->rig.packet_len, &control),
             "control frame");
    rig_must(link_send(link, frame), "control frame");
    l->clients_up++;
}

static void
client_frames(void *ctx, struct link *link, uint8_t *frames, size_t n)
{
    struct load *l = ctx;
    (void)link;
    for (size_t i = 0; i < n; i++) /* pieces of the consensus apart */
        l->down_frames += frames[i * l->rig.packet_len] == WIRE_PACKET;
}

static void
client_down(void *ctx, struct link *link, int err)
{
    (void)ctx;
    (void)link;
    rig_must(err, "a client's link ended");
}

static const struct link_ops client_ops = {client_up, client_frames,
                                           client_down};

static bool
clients_are_up(void *ctx)
{
    const struct load *l = ctx;
    return l->clients_up == l->clients;
}

static void
clients_connect(struct load *l, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        l->client[l->clients++] = rig_connect(&l->rig, -1, &client_ops, l);
        if (l->clients - l->clients_up > 64)
            (void)rig_turn(&l->rig, 0.02, NULL, NULL);
    }
    rig_must(rig_turn(&l->rig, 60, clients_are_up, l) ? 0 : ERR_TIMEOUT,
             "clients");
}

/* ---- attacks ---- */

static void
flood_turn(struct load *l)
{
    /* packets that came through long ago */
    for (size_t i = 0; i < 512; i++)
        if (link_send(l->rig.peer[ATTACKER].link, packet_at(l, i)))
            break;
}

static void
garbage_turn(struct load *l)
{
    (void)attack_noise(&l->attack, l->rig.peer[ATTACKER].link, 512);
}

static void
clients_turn(struct load *l)
{
    for (size_t c = HONEST_CLIENTS; c < l->clients; c++)
        (void)attack_noise(&l->attack, l->client[c], 32);
}

static void
half_open_begin(struct load *l)
{
    attack_half_open(&l->attack);
}

static void
half_open_end(struct load *l)
{
    attack_half_open_end(&l->attack);
}

static void
handshakes_turn(struct load *l)
{
    attack_handshakes(&l->attack);
}

static void
handshakes_end(struct load *l)
{
    attack_handshakes_end(&l->attack);
}

static void
deaf_begin(struct load *l)
{
    attack_deafen(&l->rig.peer[SIDE + DEAF]);
}

static void
deaf_end(struct load *l)
{
    attack_deafen_end(&l->rig.peer[SIDE + DEAF]);
}

static const struct scenario scenarios[] = {
    {"flood", false, NULL, flood_turn, NULL, false},
    {"garbage", false, NULL, garbage_turn, NULL, false},
    {"clients", true, NULL, clients_turn, NULL, false},
    {"half-open", false, half_open_begin, NULL, half_open_end, false},
    {"handshakes", false, NULL, handshakes_turn, handshakes_end, true},
    {"deaf", false, deaf_begin, NULL, deaf_end, false},
};

/* ---- runs ---- */

static struct load *
load_new(const struct scenario *s, const char *bin, const char *conf)
{
    struct load *l = calloc(1, sizeof *l);
    rig_must(l ? 0 : ERR_NOMEM, "load");
    const struct rig_config config = {
        .gateway = !s || s->gateway,
        .side = SIDE,
        .core = (int)sysconf(_SC_NPROCESSORS_ONLN) - 1,
        .conf = conf,
        .isa = X25519_GENERIC,
        .client_rate = s && s->gateway ? CLIENT_RATE : 0,
        .delay_mean_us = 20000,
        .frames = came,
        .ctx = l};
    l->scenario = s;
    rig_init(&l->rig, &config);
    if (s) {
        l->packets = rig_packets(&l->rig, PACKETS);
        attack_init(&l->attack, &l->rig, packet_at(l, 0));
    }
    rig_start(&l->rig, bin);
    return l;
}

static void
load_free(struct load *l)
{
    for (size_t i = 0; i < l->clients; i++)
        link_free(&l->client[i]);
    attack_free(&l->attack);
    rig_free(&l->rig);
    free(l->packets);
    free(l);
}

static int
double_compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double
median(double *x, size_t n)
{
    qsort(x, n, sizeof *x, double_compare);
    return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

/* One turn under attack. */
static double
attacked_rate(struct load *l)
{
    if (l->scenario->begin)
        l->scenario->begin(l);
    l->attacked = true;
    const double result = rate(l);
    l->attacked = false;
    if (l->scenario->end)
        l->scenario->end(l);
    return result;
}

static bool
attack(const struct scenario *s, const char *bin)
{
    double quiet[ROUNDS + 1], under[ROUNDS], ratio[ROUNDS];
    struct load *l = load_new(
        s, bin, "packets_max = 50000\nreplay_tags = 2000000\nworkers = 1");
    if (s->gateway)
        clients_connect(l, HONEST_CLIENTS + RUDE_CLIENTS);
    quiet[0] = rate(l);
    const long kib = rig_memory_kib(&l->rig, "RssAnon:");
    size_t n = 0, used = 0;
    do {
        const size_t before = l->sent[0];
        under[n] = attacked_rate(l);
        quiet[n + 1] = rate(l);
        ratio[n] = under[n] / ((quiet[n] + quiet[n + 1]) / 2);
        used = l->sent[0] - before;
    } while (++n < ROUNDS && l->sent[0] + 2 * used < PACKETS / SIDE);
    rig_must(n < ROUNDS_MIN ? ERR_RANGE : 0, "too few packets were made");
    const double share = median(ratio, n);
    const bool good = share >= HONEST_MIN;
    if (l->attack.shaken > 0)
        printf("%-11s %u handshakes\n", s->name, l->attack.shaken);
    printf("%-11s honest %6.0f packets/s, under attack %6.0f: %3.0f %% (%zu "
           "rounds, "
           "%.0f to %.0f %%); memory %+ld KiB%s\n",
           s->name, median(quiet, n + 1), median(under, n), 100 * share, n,
           100 * ratio[0], 100 * ratio[n - 1],
           rig_memory_kib(&l->rig, "RssAnon:") - kib, good ? "" : "  TOO LOW");
    fflush(stdout);
    load_free(l);
    return good;
}

/* Memory a client, and whether each gets its frames at their times. */
static bool
crowd(const char *bin)
{
    struct load *l = load_new(
        NULL, bin, "clients_max = 10000\nmemory_max = 2048\nworkers = 1");
    const long kib = rig_memory_kib(&l->rig, "RssAnon:");
    const double every_s =
        l->rig.consensus->params.profiles[1].down_interval_us * 1e-6;
    const double start = rig_now_s();
    clients_connect(l, CROWD);
    printf("crowd       %u clients connected in %.1f s\n", l->clients,
           rig_now_s() - start);
    (void)rig_turn(&l->rig, 2 * every_s, NULL, NULL);
    const uint64_t before = l->down_frames;
    const double from = rig_now_s(), cpu_us = rig_cpu_us(&l->rig);
    (void)rig_turn(&l->rig, CROWD_S, NULL, NULL);
    const double s = rig_now_s() - from;
    const double share =
        (double)(l->down_frames - before) / (CROWD * s / every_s);
    const double each =
        (double)(rig_memory_kib(&l->rig, "RssAnon:") - kib) / CROWD;
    const bool good = each <= CROWD_KIB && share > 0.95;
    printf("crowd       %.1f KiB each (limit %d); %.1f %% of their downlink "
           "frames; %.0f %% of a core%s\n",
           each, CROWD_KIB, 100 * share,
           (rig_cpu_us(&l->rig) - cpu_us) / s * 1e-4, good ? "" : "  SHORT");
    load_free(l);
    return good;
}

int
main(int argc, char **argv)
{
    bool good = true;
    const char *only = argc > 2 ? argv[2] : NULL;
    if (argc < 2 || sodium_init() < 0) {
        fprintf(stderr, "usage: load_relay BIN [SCENARIO]\n");
        return 2;
    }
    rig_core_take(0);
    signal(SIGPIPE, SIG_IGN);
    host_files_max();
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++)
        if (!only || strcmp(only, scenarios[i].name) == 0)
            good = attack(&scenarios[i], argv[1]) && good;
    if (!only || strcmp(only, "crowd") == 0)
        good = crowd(argv[1]) && good;
    return good ? 0 : 1;
}
