/* client/pace/traffic.c - the clock, and the numbers of requests.
 *
 * The permutation of 64-bit numbers is a Feistel network of four rounds with
 * SipHash-2-4 as the round function (Luby and Rackoff, SIAM J. Computing
 * 1988): a gateway that sees the ids cannot tell their order. */
#include "client/pace/traffic.h"

#include <sodium.h>

#include "lib/codec.h"
#include "lib/rng.h"

enum { ROUNDS = 4 };

void
traffic_rates(struct traffic *t, const struct profile *profile)
{
    uint64_t sum_mhz =
        (uint64_t)profile->send_mhz + profile->poll_mhz + profile->loop_mhz;
    t->send_mhz = profile->send_mhz;
    t->poll_mhz = profile->poll_mhz;
    t->loop_mhz = profile->loop_mhz;
    t->mean_us = 1000000000ULL / (sum_mhz ? sum_mhz : 1);
}

void
traffic_init(struct traffic *t, const struct profile *profile, struct env *env)
{
    *t = (struct traffic){0};
    traffic_rates(t, profile);
    env_random_crypto(env, t->id_key, sizeof t->id_key);
    env_random_crypto(env, t->seed_key, sizeof t->seed_key);
    t->next_us = env_now_mono_us(env) + rng_exp_us(env, t->mean_us);
}

int
traffic_tick(struct traffic *t, struct env *env, uint64_t now_us,
             enum traffic_kind *kind)
{
    if (now_us < t->next_us)
        return 0;
    uint64_t sum_mhz = (uint64_t)t->send_mhz + t->poll_mhz + t->loop_mhz;
    uint64_t at = rng_below(env, sum_mhz ? sum_mhz : 1);
    *kind = at < t->send_mhz                           ? TRAFFIC_SEND
            : at < (uint64_t)t->send_mhz + t->poll_mhz ? TRAFFIC_POLL
                                                       : TRAFFIC_LOOP;
    t->next_us += rng_exp_us(env, t->mean_us);
    if (t->next_us <= now_us) /* missed: the process has no memory, so the
                                 next one after now is as good as any */
        t->next_us = now_us + rng_exp_us(env, t->mean_us);
    return 1;
}

uint64_t
traffic_number(struct traffic *t)
{
    return t->request++;
}

static uint32_t
round_of(const struct traffic *t, uint32_t half, unsigned round)
{
    uint8_t in[5], out[8];
    codec_put32(in, half);
    in[4] = (uint8_t)round;
    crypto_shorthash(out, in, sizeof in, t->id_key);
    return codec_get32(out);
}

void
traffic_surb_id(const struct traffic *t, uint64_t number, uint8_t id[static 8])
{
    uint32_t left = (uint32_t)(number >> 32), right = (uint32_t)number;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t next = left ^ round_of(t, right, round);
        left = right;
        right = next;
    }
    codec_put32(id, left);
    codec_put32(id + 4, right);
}

uint64_t
traffic_surb_number(const struct traffic *t, const uint8_t id[static 8])
{
    uint32_t left = codec_get32(id), right = codec_get32(id + 4);
    for (uint8_t round = ROUNDS; round-- > 0;) {
        uint32_t next = right ^ round_of(t, left, round);
        right = left;
        left = next;
    }
    return (uint64_t)left << 32 | right;
}

void
traffic_surb_seed(const struct traffic *t, uint64_t number,
                  uint8_t seed[static SPHINX_SEED_LEN])
{
    uint8_t in[8];
    codec_put64(in, number);
    crypto_generichash(seed, SPHINX_SEED_LEN, in, sizeof in, t->seed_key,
                       sizeof t->seed_key);
}
