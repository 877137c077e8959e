/* relay/daemon/memory.h - one ceiling for a relay's memory, dealt out to what
 * fills it, so that a flood of one kind takes nothing from the others:
 *
 *   1/2  packets held          beyond it: dropped at unwrapping (FULL)
 *   1/4  clients of a gateway  beyond it: turned away (FULL)
 *   1/8  frames that wait to leave, over all links: the newest dropped (FULL)
 *   1/8  handshakes under way  beyond it: closed at once (FULL)
 *
 * of what is left when the program itself has its share. What was taken in goes
 * its way; what is shed is what comes. All of that depends on how much there
 * is, and never on whose the packets are. Pure. */
#ifndef RELAY_DAEMON_MEMORY_H
#define RELAY_DAEMON_MEMORY_H
#include <stdint.h>

#include "lib/error.h"

enum {
    MEMORY_MIN_MIB = 48,
    MEMORY_CLIENT_LEN = 24576,   /* a link after its handshake, two frames */
    MEMORY_HANDSHAKE_LEN = 65536 /* a link during its handshake */
};

struct memory_wish {
    uint64_t max_mib;
    uint32_t workers, packets, clients;
    uint64_t packet_len; /* with all that is kept for one */
};

struct memory_plan {
    uint32_t packets, clients,
        handshakes; /* packets, clients: as wished at most
                     */
    uint64_t queued_len;
};

/* Deal the memory of *wish out to *out. Returns 0, or ERR_RANGE: there is so
 * little that the relay cannot work. */
int memory_deal(struct memory_plan *out,
                const struct memory_wish *wish) CHECK_RESULT;
#endif
