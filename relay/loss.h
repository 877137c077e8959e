/* relay/loss.h - which of a relay's links lose more than they should, by its
 * own loops.
 *
 * A loop that does not return was lost at one of the ten links of its way, or
 * at a relay between. For each neighbour the loops are counted whose first hop
 * goes to it or whose last hop comes from it. Three things keep what happens
 * elsewhere out of that count:
 *
 *   cells      loops by way of a neighbour are counted apart by the relay
 *              beyond the neighbour, in LOSS_CELLS cells. The link's loss is
 *              the lower median of its cells' losses (medians of means), with
 *              three cells the least: a lying relay beyond, which drops what
 *              comes from the neighbour, spoils one cell, however often that
 *              relay is drawn, and two liars are to spoil nothing
 *   others     what the median of the neighbours on that side loses is taken
 *              off, since so much is lost further away
 *   evidence   LOSS_SENT loops, LOSS_LOST lost, and four deviations
 *
 * Windows are consensuses: an older window counts an eighth of the one after,
 * so that what was said is forgotten in an epoch or two.
 *
 * Only the worst links are told, in steps of LOSS_STEP drawn at random. A
 * relay's loops depend on no client. Pure: no state. */
#ifndef RELAY_LOSS_H
#define RELAY_LOSS_H
#include "network/consensus.h"
#include "network/json.h"

enum {
    LOSS_CELLS = 8,
    LOSS_CELL_MIN = 4, /* loops that a cell's loss is taken of, at least */
    LOSS_SENT = 8,
    LOSS_LOST = 4,
    LOSS_PERMILLE = 100, /* less than this beyond the others is not told */
    LOSS_STEP = 4,
    LOSS_WINDOWS = EPOCHS_USABLE + 1,
    LOSS_DECAY_BITS = 3
};

/* Own loops by way of one neighbour, under one consensus. */
struct loss_link {
    uint16_t ended[LOSS_CELLS], lost[LOSS_CELLS];
};

/* Count a loop over link l that has ended, lost or not; `beyond`: the number,
 * in its layer, of the relay beyond the neighbour. */
void loss_count(struct loss_link *l, size_t beyond, bool lost);

/* A consensus and its links, by the numbers of its relays; NULL: none. */
struct loss_window {
    const struct consensus *consensus;
    const struct loss_link *links;
};

/* Tell the layer that the own loops of a relay of this layer go to first. */
unsigned loss_layer_to(const struct consensus *c, unsigned layer);
/* Tell the layer that they come from last. */
unsigned loss_layer_from(const struct consensus *c, unsigned layer);

/* Write to `out` what relay `self` of w[0], the newest consensus in force, has
 * to tell; the other windows are older, in the order of their age in epochs.
 * env gives the random rounding. Returns how many links, sorted by identity, or
 * ERR_NOMEM. */
int loss_tell(const struct loss_window w[static LOSS_WINDOWS], uint16_t self,
              struct env *env,
              struct link_told out[static LINKS_TOLD_MAX]) CHECK_RESULT;
#endif
