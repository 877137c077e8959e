/* sim/fast.c - clocks, mixes, and the loop over them.
 *
 * A packet is its number: an index of start times, taken from a free list. Its
 * path is drawn layer by layer as it goes, which is the same law as drawing it
 * at the start, and saves keeping it. */
#include "sim/fast.h"

#include <stdlib.h>
#include <time.h>

#include "client/traffic.h"
#include "lib/rng.h"
#include "lib/rng_seeded.h"
#include "lib/wheel.h"
#include "relay/mix.h"

enum { STEP_US = 1 << WHEEL_SLOT_BITS, BATCH = 256 };
#define NONE UINT32_MAX

struct fast {
    struct env env; /* first: the environment is this */
    struct rng_seeded traffic, crypto;
    uint64_t now_us;
    const struct fast_config *config;
    struct traffic *client;
    struct wheel *clocks;
    struct mix **mix; /* layers * mixes */
    struct packet {
        uint64_t start_us;
        uint32_t next_free;
    } * packet;
    uint32_t free_head, packets_max;
    struct fast_result *result;
    double latency_sum_us;
};

static uint64_t
fast_mono_us(struct env *env)
{
    return ((struct fast *)env)->now_us;
}

static void
fast_traffic(struct env *env, void *out, size_t len)
{
    rng_seeded_bytes(&((struct fast *)env)->traffic, out, len);
}

static void
fast_crypto(struct env *env, void *out, size_t len)
{
    rng_seeded_bytes(&((struct fast *)env)->crypto, out, len);
}

static const struct env_ops fast_ops = {.now_mono_us = fast_mono_us,
                                        .random_traffic = fast_traffic,
                                        .random_crypto = fast_crypto};

static void
packet_free(struct fast *f, uint32_t number)
{
    f->packet[number].next_free = f->free_head;
    f->free_head = number;
}

/* Into a random mix of a layer. */
static void
packet_hop(struct fast *f, uint32_t number, uint32_t layer)
{
    uint64_t mix = rng_below(&f->env, f->config->mixes);
    uint64_t delay_us = rng_exp_us(&f->env, f->config->delay_mean_us);
    if (mix_push(f->mix[layer * f->config->mixes + mix], number, layer + 1,
                 f->now_us, delay_us)) {
        f->result->refused++;
        packet_free(f, number);
    }
}

static void
clients_step(struct fast *f)
{
    struct wheel_entry e[BATCH];
    enum traffic_kind kind;
    size_t n;
    do {
        n = wheel_pop_due(f->clocks, f->now_us, e, BATCH);
        for (size_t i = 0; i < n; i++) {
            struct traffic *t = &f->client[e[i].a];
            uint32_t number = f->free_head;
            (void)traffic_tick(t, &f->env, t->next_us, &kind);
            if (wheel_add(f->clocks, t->next_us, e[i].a, 0) || number == NONE) {
                f->result->refused++;
                continue;
            }
            f->free_head = f->packet[number].next_free;
            f->packet[number].start_us = f->now_us;
            packet_hop(f, number, 0);
        }
    } while (n == BATCH);
}

static void
packet_arrive(struct fast *f, uint32_t number)
{
    f->latency_sum_us += (double)(f->now_us - f->packet[number].start_us);
    f->result->packets++;
    packet_free(f, number);
}

/* Later layers first, so that a packet makes one hop a step at most. */
static void
mixes_step(struct fast *f)
{
    struct mix_out out[BATCH];
    for (uint32_t i = f->config->layers * f->config->mixes; i-- > 0;) {
        size_t n;
        do {
            n = mix_pop_due(f->mix[i], f->now_us, out, BATCH);
            f->result->hops += n;
            for (size_t k = 0; k < n; k++)
                if (out[k].next == f->config->layers)
                    packet_arrive(f, out[k].handle);
                else
                    packet_hop(f, out[k].handle, out[k].next);
        } while (n == BATCH);
    }
}

static void
run_until(struct fast *f, uint64_t until_us)
{
    for (; f->now_us < until_us; f->now_us += STEP_US) {
        mixes_step(f);
        clients_step(f);
    }
}

static int
fast_make(struct fast *f, const struct fast_config *c)
{
    const struct profile profile = {.send_mhz = c->rate_mhz};
    uint64_t rate_mhz = (uint64_t)c->clients * c->rate_mhz;
    /* twice the expected number in flight, which is Poisson */
    f->packets_max = (uint32_t)(2 * rate_mhz / 1000 * c->layers *
                                (c->delay_mean_us + STEP_US) / 1000000) +
                     10000;
    static const struct mix_params poisson = {.strategy = MIX_POISSON};
    size_t n_mixes = (size_t)c->layers * c->mixes;
    f->client = calloc(c->clients, sizeof *f->client);
    f->mix = calloc(n_mixes, sizeof(struct mix *));
    f->packet = calloc(f->packets_max, sizeof *f->packet);
    if (!f->client || !f->mix || !f->packet)
        return ERR_NOMEM;
    f->free_head = NONE;
    for (uint32_t i = f->packets_max; i-- > 0;)
        packet_free(f, i);
    int err = wheel_new(&f->clocks, c->clients + 1);
    for (size_t i = 0; i < n_mixes && !err; i++)
        err = mix_new(&f->mix[i], &poisson, f->packets_max, NULL);
    for (uint32_t i = 0; i < c->clients && !err; i++) {
        traffic_init(&f->client[i], &profile, &f->env);
        err = wheel_add(f->clocks, f->client[i].next_us, i, 0);
    }
    return err;
}

static double
wall_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int
fast_run(const struct fast_config *config, struct fast_result *result)
{
    *result = (struct fast_result){0};
    if (config->clients == 0 || config->layers == 0 || config->mixes == 0 ||
        config->rate_mhz == 0)
        return ERR_ARG;
    struct fast *f = calloc(1, sizeof *f);
    if (!f)
        return ERR_NOMEM;
    f->env.ops = &fast_ops;
    f->config = config;
    f->result = result;
    rng_seeded_init_u64(&f->traffic, config->seed, "traffic");
    rng_seeded_init_u64(&f->crypto, config->seed, "crypto");
    int err = fast_make(f, config);
    if (!err) {
        run_until(f, config->warm_us);
        *result = (struct fast_result){0};
        f->latency_sum_us = 0;
        double start_s = wall_s();
        run_until(f, config->warm_us + config->run_us);
        result->wall_s = wall_s() - start_s;
        if (result->packets > 0)
            result->latency_mean_s =
                f->latency_sum_us / 1e6 / (double)result->packets;
        for (uint32_t i = 0; i < config->layers * config->mixes; i++)
            result->in_flight += mix_count(f->mix[i]);
    }
    for (uint32_t i = 0; f->mix && i < config->layers * config->mixes; i++)
        mix_free(&f->mix[i]);
    wheel_free(&f->clocks);
    free(f->client);
    free(f->mix);
    free(f->packet);
    free(f);
    return err;
}
