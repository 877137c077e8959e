/* sim/packets/run.c - what any file of a run may do: end it, note an event. */
#include <inttypes.h>

#include "sim/packets/packets_internal.h"

void
run_fail(struct packet_run *run, int err)
{
    if (!run->err)
        run->err = err;
}

void
run_note(struct packet_run *run, uint64_t at_us, enum run_event event,
         const struct record *p, uint32_t at)
{
    static const char *const name[] = {"send", "in", "left", "out", "lost"};
    /* Multiplication by odd numbers and FNV's prime: only equality is asked
     * of it. */
    run->course = (run->course ^ (at_us * 0x9e3779b97f4a7c15ULL +
                                  ((uint64_t)p->serial << 3 | event) +
                                  at * 0xc2b2ae3d27d4eb4fULL)) *
                  0x100000001b3ULL;
    if (run->options->trace)
        fprintf(run->options->trace,
                "%" PRIu64 ",%s,%" PRIu32 ",%s,%" PRIu32 "\n", at_us,
                name[event], p->serial,
                p->flags & RECORD_LOOP ? "loop" : "client", at);
}
