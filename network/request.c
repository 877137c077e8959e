/* network/request.c - deadlines, requests and their answers.
 *
 * No state. Keys, padding and slack come from the crypto stream. */
#include "network/request.h"

#include <sodium.h>

/* The hops of one way, with deadlines: ceil((arrival + slack + U(0, unit)) /
 * unit), where U is the same draw for the whole way so that hops compare
 * nothing. `at_us` is when the way starts, counted from valid-after. */
static void
hops_fill(struct sphinx_hop *hop, const struct consensus *c,
          const uint16_t *way, const uint16_t *delay, size_t n, uint64_t at_us,
          uint64_t slack_us)
{
    uint64_t unit_us = (uint64_t)c->params.deadline_unit_s * 1000000;
    for (size_t i = 0; i < n; i++) {
        const struct relay_entry *e = &c->relays[way[i]];
        uint64_t deadline = (at_us + slack_us + unit_us - 1) / unit_us;
        hop[i] = (struct sphinx_hop){
            .public_key = e->sphinx_key,
            .identity = e->identity,
            .index = way[i],
            .delay = delay[i],
            .deadline =
                (uint16_t)(deadline > UINT16_MAX ? UINT16_MAX : deadline)};
        at_us += (uint64_t)delay[i] * c->params.geometry.delay_unit_us;
    }
}

/* Slack of one way: the parameter and a uniform part, from the crypto stream
 * because nobody's schedule depends on it. */
static uint64_t
slack_draw(const struct consensus *c, struct env *env)
{
    uint64_t bits, unit_us = (uint64_t)c->params.deadline_unit_s * 1000000;
    env_random_crypto(env, &bits, sizeof bits);
    return (uint64_t)c->params.deadline_slack_s * 1000000 + bits % unit_us;
}

int
request_build(struct sphinx_worker *w, const struct consensus *c,
              struct env *env, const struct route *r, uint64_t now_s,
              const struct request *req, const struct sphinx_end *end,
              const uint8_t surb_seed[static SPHINX_SEED_LEN], uint8_t *packet)
{
    const struct sphinx_geometry *g = &c->params.geometry;
    struct sphinx_hop back[SPHINX_HOPS_MAX], out[SPHINX_HOPS_MAX];
    struct sphinx_view view;
    uint8_t seed[SPHINX_SEED_LEN];
    /* body and SURB are made where they stand in the packet */
    uint8_t *body = packet + g->header_len + SPHINX_TAG_LEN;
    struct sphinx_order order[2] = {{.path = back,
                                     .n = r->n_back,
                                     .end = end,
                                     .seed = surb_seed,
                                     .out = body + WIRE_REQUEST_HEAD_LEN},
                                    {.path = out,
                                     .n = r->n_out,
                                     .seed = seed,
                                     .body = body,
                                     .out = packet}};
    uint64_t at_us = 0;
    consensus_view(c, &view);
    if (now_s > c->valid_after_s)
        at_us = (now_s - c->valid_after_s) * 1000000;
    uint64_t store_us = (uint64_t)r->out_delay[r->n_out - 1] * g->delay_unit_us;
    struct wire_request wire = {.kind = req->kind,
                                .slot = req->slot,
                                .held = req->held,
                                .box = req->box,
                                .work = req->work,
                                .letter = req->letter};
    env_random_crypto(env, body, g->body_len);
    int err = wire_request_write(body, g->body_len, g->surb_len, &wire);
    if (err)
        goto out;
    hops_fill(back, c, r->back, r->back_delay, r->n_back,
              at_us + r->at_store_us + store_us, slack_draw(c, env));
    hops_fill(out, c, r->out, r->out_delay, r->n_out, at_us,
              slack_draw(c, env));
    env_random_crypto(env, seed, sizeof seed);
    sphinx_create_batch(w, &view, order, 2);
    err = order[0].err ? order[0].err : order[1].err;
    sodium_memzero(seed, sizeof seed);
out:
    if (err)
        sodium_memzero(packet, g->packet_len);
    return err;
}

int
request_open_answer(struct sphinx_worker *w, const struct consensus *c,
                    const struct route *r,
                    const uint8_t surb_seed[static SPHINX_SEED_LEN],
                    uint8_t *payload, struct wire_answer *answer)
{
    const struct sphinx_geometry *g = &c->params.geometry;
    struct sphinx_hop hop[SPHINX_HOPS_MAX];
    struct sphinx_view view;
    consensus_view(c, &view);
    hops_fill(hop, c, r->back, r->back_delay, r->n_back, 0, 0);
    int err = sphinx_surb_open(w, &view, hop, r->n_back, surb_seed, payload);
    if (err)
        return err;
    return wire_answer_parse(answer, payload + SPHINX_TAG_LEN, g->body_len,
                             g->surb_len);
}
