/* network/downlink.h - how fast a profile's frames come down, so that the lists of
 * boards have room beside them (doc/PROTOCOL.md 4). Pure. */
#ifndef NETWORK_DOWNLINK_H
#define NETWORK_DOWNLINK_H
#include "network/consensus.h"

/* Give each profile of p that has fewer a quarter more frames down than there are
 * parts of lists: without that quarter a client whose line was held up for a minute
 * has every list a minute late from then on, and leaves its gateway for it; and of the
 * ten minutes before it came it is shown nothing. Where there are no boards nothing
 * changes. */
void downlink_fit(struct params *p);
#endif
