/* client/heard/gateways.h - the few gateways that a client keeps for months.
 *
 * Every gateway that a client ever uses learns its address, so a client keeps a
 * small set that it has drawn once, as Tor keeps guards (Dingledine et al.,
 * "One Fast Guard for Life", PETS 2014), and goes to the next of them when one
 * fails. Whatever attackers do to its connections, it stays within the set. A
 * gateway is replaced
 *
 *   at once     when the consensus says that its family runs a store (together
 *               they would see both ends) and there is another one, or when
 *               none of the set is listed;
 *   after a day out of the consensus, as seen by two consensuses at least;
 *   after GATEWAYS_RENEW_S, one, when all have failed since the last success.
 *
 * The set is drawn from the network file before there is a consensus, and
 * from the consensus afterwards, by bandwidth + 1, of which the authorities bound
 * what one may claim, so that many that carry little draw few clients. Times are the client's sure time
 * (client/state.h), so that no word of a store moves them. Pure. */
#ifndef CLIENT_GATEWAYS_H
#define CLIENT_GATEWAYS_H
#include <stdbool.h>
#include <stdint.h>

#include "lib/codec.h"
#include "lib/env.h"
#include "network/consensus.h"

enum {
    GATEWAYS_MAX = 3,
    GATEWAYS_OUT_S = 86400,        /* out of the consensus: replaced after */
    GATEWAYS_RENEW_S = 21 * 86400, /* all fail: one new one each */
    GATEWAYS_RECORD_LEN = 1 + GATEWAYS_MAX * (SPHINX_ID_LEN + 8) + 8
};

struct gateways {
    uint8_t n, current; /* which one is used; n 0: none is drawn yet */
    struct {
        uint8_t identity[SPHINX_ID_LEN];
        uint64_t out_s; /* not in the consensus since; 0: it is */
    } member[GATEWAYS_MAX];
    uint64_t renewed_s; /* when one was last drawn in place of a failing one;
                           0 before the first consensus */
    uint8_t failed;     /* changes in a row without an answer */
};

/* The gateway in use, or NULL. */
const uint8_t *gateways_current(const struct gateways *g);

/* May this relay be a client's gateway: is it one, and does its family run no
 * store in c? */
bool gateways_admit(const struct consensus *c, uint16_t relay);

/* Draw the set from n identities of the network file, if there is none yet. */
void gateways_begin(struct gateways *g, struct env *env,
                    uint8_t (*identity)[SPHINX_ID_LEN], size_t n);

/* A new consensus: fill the set up, note who has left, replace who has to be
 * replaced. Returns true when the set or the gateway in use has changed, so
 * that it has to be kept. */
bool gateways_consensus(struct gateways *g, struct env *env,
                        const struct consensus *c, uint64_t now_s);

/* The gateway in use fails: go to the next one that c (NULL: none yet) lists.
 * When all have failed and GATEWAYS_RENEW_S have passed since one was last
 * drawn, replace the one that fails now. */
void gateways_next(struct gateways *g, struct env *env,
                   const struct consensus *c, uint64_t now_s);

/* The gateway in use has brought an answer. */
void gateways_works(struct gateways *g);

/* Write and read a set, in GATEWAYS_RECORD_LEN bytes:
 *
 *   number of gateways 1/2, the one in use 1/2
 *   | GATEWAYS_MAX times: identity 32, out of the consensus since 8
 *   | renewed 8
 *
 * gateways_read() returns 0, ERR_SHORT or ERR_RANGE, and then g is empty. */
void gateways_write(const struct gateways *g, struct codec_writer *w);
int gateways_read(struct gateways *g, struct codec_reader *r) CHECK_RESULT;
#endif
