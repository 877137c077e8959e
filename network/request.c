/* network/request.c - deadlines, requests and their answers.
 *
 * No state. Keys, padding and slack come from the crypto stream. */
#include "network/request.h"

#include <sodium.h>

/* Draw a random time of up to spread_us, anew for each hop, so that no two hops
 * see a value in common. It is the sum of three uniform draws. What deadlines
 * of one sender tell of its clock in the long run goes with the Fisher
 * information of their law, which for draws from an interval is least for a
 * raised cosine, 39.5 / spread^2, and 41.2 / spread^2 for this sum; a single
 * uniform draw, with its sharp ends, tells several times as much. */
static uint64_t
lateness_draw(struct env *env, uint64_t spread_us)
{
    uint64_t bits[3], us = 0;
    env_random_crypto(env, bits, sizeof bits);
    for (size_t i = 0; i < 3; i++)
        us += bits[i] % (spread_us / 3 + 1);
    return us;
}

uint16_t
request_deadline(const struct params *p, struct env *env, uint64_t at_us,
                 bool is_prompt)
{
    const uint64_t unit_us = p->deadline_unit_s * 1000000ULL;
    const uint64_t slack_us =
        1000000ULL * (is_prompt ? p->deadline_back_s : p->deadline_slack_s);
    at_us += slack_us +
             lateness_draw(env, is_prompt ? unit_us
                                          : p->deadline_spread_s * 1000000ULL);
    const uint64_t deadline = (at_us + unit_us - 1) / unit_us;
    return (uint16_t)(deadline > UINT16_MAX ? UINT16_MAX : deadline);
}

/* Fill the hops of one way that starts at_us after valid-after; all but the
 * last are prompt, or none. */
static void
hops_fill(struct sphinx_hop *hop, const struct consensus *c, struct env *env,
          const uint16_t *way, const uint16_t *delay, size_t n, uint64_t at_us,
          bool is_prompt)
{
    for (size_t i = 0; i < n; i++) {
        const struct relay_entry *e = &c->relays[way[i]];
        hop[i] = (struct sphinx_hop){
            .public_key = e->sphinx_key,
            .identity = e->identity,
            .index = way[i],
            .delay = delay[i],
            .deadline = request_deadline(&c->params, env, at_us,
                                         is_prompt && i + 1 < n)};
        at_us += (uint64_t)delay[i] * c->params.geometry.delay_unit_us;
    }
}

/* Fill the hops of the way back for opening an answer: keys alone. */
static void
hops_open(struct sphinx_hop *hop, const struct consensus *c,
          const struct route *r)
{
    for (size_t i = 0; i < r->n_back; i++)
        hop[i] =
            (struct sphinx_hop){.public_key = c->relays[r->back[i]].sphinx_key,
                                .identity = c->relays[r->back[i]].identity,
                                .index = r->back[i]};
}

/* Write the body of a request. All kinds are signed, though a put alone bears
 * the signature, so that no kind takes longer than another. The suite null,
 * which hides nothing, signs puts alone, and simulations take half as long. */
static int
body_write(const struct request *req, struct env *env,
           const struct sphinx_geometry *g, uint8_t *body)
{
    uint8_t key[WIRE_BOX_LEN], signature[WIRE_SIGNATURE_LEN];
    const bool is_put = req->kind == WIRE_PUT;
    const size_t letter_len = wire_letter_len(g->body_len, g->surb_len);
    env_random_crypto(env, body, g->body_len);
    if (letter_len == 0)
        return ERR_SHORT;
    if (is_put || g->suite != SPHINX_SUITE_NULL)
        box_sign(req->seed, req->slot,
                 req->letter ? req->letter : body + g->body_len - letter_len,
                 letter_len, key, signature);
    const struct wire_request wire = {.kind = req->kind,
                                      .slot = req->slot,
                                      .held = req->held,
                                      .box = is_put ? key : req->box,
                                      .work = req->work,
                                      .signature = is_put ? signature : NULL,
                                      .letter = req->letter};
    return wire_request_write(body, g->body_len, g->surb_len, &wire);
}

int
request_build(struct sphinx_worker *w, const struct consensus *c,
              struct env *env, const struct route *r, uint64_t now_us,
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
    const uint64_t after_us = c->valid_after_s * 1000000;
    const uint64_t at_us = now_us > after_us ? now_us - after_us : 0;
    consensus_view(c, &view);
    uint64_t store_us = (uint64_t)r->out_delay[r->n_out - 1] * g->delay_unit_us;
    int err = body_write(req, env, g, body);
    if (err)
        goto out;
    hops_fill(back, c, env, r->back, r->back_delay, r->n_back,
              at_us + r->at_store_us + store_us, !req->is_rough);
    hops_fill(out, c, env, r->out, r->out_delay, r->n_out, at_us, false);
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
    hops_open(hop, c, r);
    int err = sphinx_surb_open(w, &view, hop, r->n_back, surb_seed, payload);
    if (err)
        return err;
    return wire_answer_parse(answer, payload + SPHINX_TAG_LEN, g->body_len,
                             g->surb_len);
}
