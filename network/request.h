/* network/request.h - the packet that goes along a route to a store and brings
 * the store's answer back: deadlines, SURB, body. */
#ifndef NETWORK_REQUEST_H
#define NETWORK_REQUEST_H
#include <stdbool.h>

#include "lib/wire.h"
#include "network/box.h"
#include "network/route.h"

/* What goes to the store. For a put, letter has wire_letter_len() bytes and
 * seed is the seed of the box (network/box.h). box is the id of the box, or,
 * for an announcement, the token and what follows the token. */
struct request {
    uint8_t kind; /* enum wire_request_kind */
    uint8_t box[32];
    uint8_t seed[BOX_SEED_LEN]; /* put; else anything */
    uint8_t slot;               /* put; get: where to begin */
    uint16_t held;              /* get */
    const uint8_t *work;        /* of a put that brings a proof; NULL: random */
    const uint8_t *letter;      /* put, else NULL: random */
    bool is_rough; /* the sender's clock was not compared with others yet: the
                      answer may be as late as a request */
};

/* Draw the deadline, in units, of a hop that a packet reaches at_us after the
 * consensus's valid-after. is_prompt: the hop is a mix of the way back, which
 * has to refuse what a store has hoarded. */
uint16_t request_deadline(const struct params *p, struct env *env,
                          uint64_t at_us, bool is_prompt);

/* Build the packet of req for route r at now_us, microseconds since 1970: SURB
 * from surb_seed and end, request body, layers. All other randomness comes from
 * the crypto stream of env. packet has geometry.packet_len bytes, zero after an
 * error; its first hop is r->out[0]. Returns 0, or an error of the packet or
 * the body.
 *
 * An answer may be late by deadline_back_s at each mix, so that a store cannot
 * hoard answers and send them together; the gateway, which can keep packets as
 * it likes, is given as much time as on the way out. */
int request_build(struct sphinx_worker *w, const struct consensus *c,
                  struct env *env, const struct route *r, uint64_t now_us,
                  const struct request *req, const struct sphinx_end *end,
                  const uint8_t surb_seed[static SPHINX_SEED_LEN],
                  uint8_t *packet) CHECK_RESULT;

/* Undo the layers of payload, an answer along route r to the SURB of surb_seed
 * (see sphinx_surb_open()), and parse its body into *answer. payload has
 * geometry.payload_len bytes. Returns what sphinx_surb_open() and
 * wire_answer_parse() return. */
int request_open_answer(struct sphinx_worker *w, const struct consensus *c,
                        const struct route *r,
                        const uint8_t surb_seed[static SPHINX_SEED_LEN],
                        uint8_t *payload,
                        struct wire_answer *answer) CHECK_RESULT;
#endif
