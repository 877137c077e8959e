/* sim/packets/run.c - what any file of a run may do: end it, note an event. */
#include <inttypes.h>

#include "sim/packets/packets_internal.h"

void
run_fail(struct run *f, int err)
{
    if (!f->err)
        f->err = err;
}

void
run_note(struct run *f, uint64_t at_us, enum run_event event,
         const struct record *p, uint32_t at)
{
    static const char *const name[] = {"send", "in", "left", "out", "lost"};
    /* Multiplication by odd numbers and FNV's prime: only equality is asked
     * of it. */
    f->course = (f->course ^ (at_us * 0x9e3779b97f4a7c15ULL +
                              ((uint64_t)p->serial << 3 | event) +
                              at * 0xc2b2ae3d27d4eb4fULL)) *
                0x100000001b3ULL;
    if (f->options->trace)
        fprintf(f->options->trace,
                "%" PRIu64 ",%s,%" PRIu32 ",%s,%" PRIu32 "\n", at_us,
                name[event], p->serial,
                p->flags & RECORD_LOOP ? "loop" : "client", at);
}
