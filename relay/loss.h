/* relay/loss.h - which of a relay's links lose more than they should, by its
 * own loops.
 *
 * A loop that does not return was lost at one of the ten links of its way, or
 * at a relay between. Counted are those whose first or last hop goes to or comes
 * from a neighbour; three things keep what happens elsewhere out of that count:
 *
 *   cells      loops by way of a neighbour are counted apart by the relay beyond
 *              it, in LOSS_CELLS cells. The link's loss is the lower median of
 *              its cells' (medians of means), of three the least: a liar beyond
 *              that drops what comes from the neighbour spoils one cell, however
 *              often it is drawn, and two liars are to spoil nothing
 *   others     what the median of the neighbours on that side loses is taken off:
 *              it is lost further away
 *   evidence   LOSS_SENT loops, LOSS_LOST lost, and four deviations
 *
 * Windows are consensuses: of each older one an eighth counts, so that what was
 * said is forgotten in an epoch or two.
 *
 * What is told are the worst links alone, in steps of LOSS_STEP drawn at random.
 * A relay's loops depend on no client. Pure: no state. */
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

/* One loop has ended; `beyond`: the number, in its layer, of the relay beyond
 * the neighbour. */
void loss_count(struct loss_link *l, size_t beyond, bool lost);

/* A consensus and its links, by the numbers of its relays; NULL: none. */
struct loss_window {
    const struct consensus *consensus;
    const struct loss_link *links;
};

/* The layers that a relay's own loops go to first and come from last. */
unsigned loss_layer_to(const struct consensus *c, unsigned layer);
unsigned loss_layer_from(const struct consensus *c, unsigned layer);

/* Write what relay `self` of w[0], the newest in force, has to tell; the others
 * are older, in the order of their age in epochs. Returns how many, sorted by
 * identity, or ERR_NOMEM. */
int loss_tell(const struct loss_window w[static LOSS_WINDOWS], uint16_t self,
              struct env *env,
              struct link_told out[static LINKS_TOLD_MAX]) CHECK_RESULT;
#endif
