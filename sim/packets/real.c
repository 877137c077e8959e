/* sim/packets/real.c - bytes for packets that are otherwise numbers; see
 * real.h. State: a buffer for each packet under way. */
#include "sim/packets/real.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "sphinx/sphinx.h"

struct real {
    struct env *env;
    struct sphinx_worker *worker;
    struct sphinx_view view;
    uint32_t n_relays;
    struct sphinx_key **key;
    uint8_t (*identity)[SPHINX_ID_LEN];
    uint8_t *public_key; /* n_relays * public_len */
    uint8_t **packet;    /* by number; NULL: none */
    uint32_t n_packets;
    uint8_t *body;
};

static int
keys_make(struct real *r)
{
    const struct sphinx_geometry *g = &r->view.geometry;
    uint8_t seed[SPHINX_SEED_LEN];
    int err = 0;
    r->key = calloc(r->n_relays, sizeof(struct sphinx_key *));
    r->identity = calloc(r->n_relays, sizeof *r->identity);
    r->public_key = calloc(r->n_relays, g->public_len);
    r->body = calloc(1, g->body_len);
    if (!r->key || !r->identity || !r->public_key || !r->body)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < r->n_relays && !err; i++) {
        env_random_crypto(r->env, seed, sizeof seed);
        env_random_crypto(r->env, r->identity[i], SPHINX_ID_LEN);
        err =
            sphinx_keypair(g, r->public_key + (size_t)i * g->public_len, seed);
        if (!err)
            err = sphinx_key_new(&r->key[i], g, seed, r->identity[i],
                                 r->view.digest);
    }
    sodium_memzero(seed, sizeof seed);
    return err;
}

int
real_new(struct real **out, const struct topology *t, struct env *env,
         uint32_t hops_max)
{
    struct real *r = calloc(1, sizeof *r);
    *out = NULL;
    if (!r)
        return ERR_NOMEM;
    r->env = env;
    r->n_relays = t->n_relays;
    int err = hops_max > SPHINX_HOPS_MAX
                  ? ERR_RANGE
                  : sphinx_geometry_init(&r->view.geometry, SPHINX_SUITE_X25519,
                                         (uint8_t)hops_max, 2048,
                                         t->scenario->mix.delay_unit_us);
    if (!err)
        err = sphinx_worker_new(&r->worker);
    if (!err)
        err = keys_make(r);
    if (err)
        real_free(&r);
    *out = r;
    return err;
}

void
real_free(struct real **rp)
{
    struct real *r = *rp;
    *rp = NULL;
    if (!r)
        return;
    for (uint32_t i = 0; r->key && i < r->n_relays; i++)
        sphinx_key_free(&r->key[i]);
    for (uint32_t i = 0; i < r->n_packets; i++)
        free(r->packet[i]);
    sphinx_worker_free(&r->worker);
    free(r->key);
    free(r->identity);
    free(r->public_key);
    free(r->packet);
    free(r->body);
    free(r);
}

static int
buffer_take(struct real *r, uint32_t number)
{
    if (number >= r->n_packets) {
        uint32_t n = number + number / 4 + 64;
        uint8_t **more = realloc(r->packet, n * sizeof *more);
        if (!more)
            return ERR_NOMEM;
        memset(more + r->n_packets, 0, (n - r->n_packets) * sizeof *more);
        r->packet = more;
        r->n_packets = n;
    }
    r->packet[number] = malloc(r->view.geometry.packet_len);
    return r->packet[number] ? 0 : ERR_NOMEM;
}

static void
hops_fill(const struct real *r, struct sphinx_hop *hop,
          const struct packet_way *w, uint32_t first, uint32_t n)
{
    const size_t len = r->view.geometry.public_len;
    for (uint32_t i = 0; i < n; i++) {
        uint16_t relay = w->relay[first + i];
        hop[i] = (struct sphinx_hop){.public_key = r->public_key + relay * len,
                                     .identity = r->identity[relay],
                                     .index = relay,
                                     .delay = w->delay[first + i]};
    }
}

int
real_make(struct real *r, uint32_t number, const struct packet_way *w)
{
    struct sphinx_hop out[SPHINX_HOPS_MAX], back[SPHINX_HOPS_MAX];
    uint8_t seed[2][SPHINX_SEED_LEN];
    struct sphinx_end end;
    const uint32_t n_out = w->turns ? w->turns : w->n;
    int err = buffer_take(r, number);
    if (err)
        return err;
    env_random_crypto(r->env, seed, sizeof seed);
    env_random_crypto(r->env, &end, sizeof end);
    hops_fill(r, out, w, 0, n_out);
    hops_fill(r, back, w, n_out, w->n - n_out);
    struct sphinx_order order[2] = {{.path = back,
                                     .n = w->n - n_out,
                                     .end = &end,
                                     .seed = seed[0],
                                     .out = r->body},
                                    {.path = out,
                                     .n = n_out,
                                     .seed = seed[1],
                                     .body = r->body,
                                     .out = r->packet[number]}};
    /* a way of one direction needs no SURB */
    size_t skip = w->n == n_out;
    sphinx_create_batch(r->worker, &r->view, order + skip, 2 - skip);
    return order[skip].err ? order[skip].err : order[1].err;
}

int
real_turn(struct real *r, uint32_t number, uint16_t *next)
{
    const struct sphinx_geometry *g = &r->view.geometry;
    uint8_t *packet = r->packet[number], *payload = packet + g->header_len;
    if (!sphinx_payload_is_intact(payload))
        return ERR_TAG;
    memcpy(r->body, payload + SPHINX_TAG_LEN, g->body_len);
    return sphinx_surb_use(r->worker, g, r->body, r->body, packet, next);
}

int
real_unwrap(struct real *r, uint32_t number, uint16_t relay, uint16_t *delay,
            uint16_t *next)
{
    struct sphinx_job job = {.packet = r->packet[number], .key = r->key[relay]};
    sphinx_unwrap(r->worker, &r->view.geometry, &job, 1, NULL, NULL);
    if (job.err)
        return job.err;
    *delay = job.block.delay;
    *next = job.block.command == SPHINX_FORWARD ? job.block.next : UINT16_MAX;
    return 0;
}

void
real_give(struct real *r, uint32_t number)
{
    free(r->packet[number]);
    r->packet[number] = NULL;
}
