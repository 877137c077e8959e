/* network/boards.h - the stores that list announcements, and how lists spread.
 *
 * A board is a store that counts on the day on which the consensus begins and
 * is not left out. Boards stand in the order of draw(label, identity) with the
 * label "brusio/1 board" (network/draw.h), one of a family, params.boards at
 * most.
 *
 * A list goes from its board to the board's carriers, which are the first
 * BOARDS_CARRIERS mixes of layer 1 in the order of "brusio/1 carrier", and from
 * layer to layer to all relays; stores and gateways are the layer after the
 * last. Each relay gets a list from three predecessors (two when there are 2 or
 * 4, one when there is one), so that one of them may be down. With both layers
 * in that order, the relay at place j of n gets lists from those at the places
 *
 *   (floor(j m / n) + k ceil(m / 3)) mod m, k = 0, 1, 2, doubles dropped,
 *
 * of the m before, where layer 1 consists of the carriers alone. Each store that
 * is no board passes every list back to carriers: with S stores and M carriers,
 * the one at place j to those at
 *
 *   (floor(j M / S) + k) mod M, 0 <= k < min(M, max(4, ceil(4 M / S))),
 *
 * so that each carrier has it of four stores, or of all when there are fewer.
 * Without that a board that gives a list to one carrier chooses who has it: in
 * layers of like sizes what one carrier reaches is a class of places, which some
 * stores are in and some gateways are not.
 *
 * So everybody knows who passes lists to whom, nobody passes a list to more than
 * 3 ceil(n / m) relays of a layer, a store or board to more than all carriers,
 * and the number of frames depends on the network alone. Mixes of layer 1 that
 * are no carriers, and relays that are left out, get no lists. Pure. */
#ifndef NETWORK_BOARDS_H
#define NETWORK_BOARDS_H
#include "network/consensus.h"

enum { BOARDS_CARRIERS = 32, BOARDS_BEFORE = 3, BOARDS_AFTER = 4 };

/* Draw the boards of c, which has its layers already, into *out.
 * consensus_index() calls this to fill c->boards. */
void boards_draw(const struct consensus *c, struct board_set *out);

/* Find the index of the board that c's relay of this number is. Returns -1 when
 * that relay is no board. */
int boards_find(const struct consensus *c, uint16_t relay);

/* From whom one relay of a consensus gets lists, and to whom that relay passes
 * them. The numbers are those of the consensus, which need not stay in memory.
 */
struct board_ways {
    size_t n_before, n_next;
    uint16_t *before; /* owned; of a carrier the boards, then stores */
    uint16_t *next;   /* owned; of boards and stores: carriers */
};

/* Work out the ways of c's relay `self`: O(n log n) of the layers beside it.
 * *out is freed by boards_ways_free(). A relay that gets no lists has neither
 * before nor next. Returns 0, ERR_RELAY (no such number) or ERR_NOMEM. */
int boards_ways_new(struct board_ways **out, const struct consensus *c,
                    uint16_t self) CHECK_RESULT;

/* Free *w, which may be NULL, and set it to NULL. */
void boards_ways_free(struct board_ways **w);

/* Tell whether the relay `from` may pass lists to the relay whose ways w are. A
 * carrier takes lists of all boards from each; the list's signature says whose a
 * list is. */
bool boards_ways_takes(const struct board_ways *w, uint16_t from);
#endif
