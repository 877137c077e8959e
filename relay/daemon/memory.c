/* relay/daemon/memory.c - the shares. No state. */
#include "relay/daemon/memory.h"

/* Measured: an idle relay has 3 MiB of its own and each worker 1 MiB more;
 * twice that leaves room for what the allocator cannot give back. */
#define PROGRAM_LEN (8ull << 20)
#define WORKER_LEN  (2ull << 20)

static uint32_t
at_most(uint32_t wish, uint64_t room)
{
    return room < wish ? (uint32_t)room : wish;
}

int
memory_deal(struct memory_plan *out, const struct memory_wish *wish)
{
    const uint64_t all = wish->max_mib << 20;
    const uint64_t own = PROGRAM_LEN + WORKER_LEN * wish->workers;
    *out = (struct memory_plan){0};
    if (wish->max_mib < MEMORY_MIN_MIB || all < 2 * own ||
        wish->packet_len == 0)
        return ERR_RANGE;
    const uint64_t rest = all - own;
    out->packets = at_most(wish->packets, rest / 2 / wish->packet_len);
    out->clients = at_most(wish->clients, rest / 4 / MEMORY_CLIENT_LEN);
    out->queued_len = rest / 8;
    out->handshakes = at_most(UINT32_MAX, rest / 8 / MEMORY_HANDSHAKE_LEN);
    return 0;
}
