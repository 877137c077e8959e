/* network/downlink.h - how fast the frames of a profile come down, so that the
 * lists of boards have room beside them (doc/PROTOCOL.md 4). Pure. */
#ifndef NETWORK_DOWNLINK_H
#define NETWORK_DOWNLINK_H
#include "network/consensus.h"

/* Give each profile of p that has fewer frames down a quarter more frames than
 * there are parts of lists. Without that quarter a client whose line was held
 * up for a minute would have every list a minute late from then on, and leave
 * its gateway for that; and a client that connects would be shown nothing of
 * the ten minutes before. Where there are no boards nothing changes. */
void downlink_fit(struct params *p);
#endif
