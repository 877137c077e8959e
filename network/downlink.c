/* network/downlink.c - room for lists beside the frames of a profile. No state.
 */
#include "network/downlink.h"

#include "network/list.h"

void
downlink_fit(struct params *p)
{
    const struct sphinx_geometry *g = &p->geometry;
    const uint64_t parts =
        p->boards *
        wire_slice_parts(list_len(p),
                         wire_slice_room(g->packet_len, g->payload_len));
    if (parts == 0)
        return;
    const uint64_t most_us = p->list_interval_ms * 4000ULL / (5 * parts);
    for (size_t i = 0; i < p->n_profiles; i++)
        if (p->profiles[i].down_interval_us > most_us)
            p->profiles[i].down_interval_us = (uint32_t)most_us;
}
