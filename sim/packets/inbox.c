/* sim/packets/inbox.c - what waits at a relay for its turn. Failure mode: no
 * memory, and the run ends. */
#include <stdlib.h>

#include "sim/packets/packets_internal.h"

void
inbox_add(struct packet_run *run, uint32_t relay, uint64_t at_us,
          uint32_t number, enum inbox_kind kind)
{
    struct relay_inbox *in = &run->inbox[relay];
    if (in->n == in->room) {
        uint32_t room = in->room ? 2 * in->room : 64;
        struct wheel_entry *more = realloc(in->e, room * sizeof *more);
        if (!more) {
            run_fail(run, ERR_NOMEM);
            return;
        }
        in->e = more;
        in->room = room;
    }
    in->e[in->n++] = (struct wheel_entry){at_us, number, kind};
}

/* What several relays sent comes each in order, one after the other: runs that
 * are in order already are merged (natural merge sort; Knuth, TAOCP 3, 5.2.4).
 */
bool
inbox_sort(struct packet_run *run, struct relay_inbox *in)
{
    if (run->spare_room < in->n) {
        struct wheel_entry *more = realloc(run->spare, in->room * sizeof *more);
        if (!more)
            return false;
        run->spare = more;
        run->spare_room = in->room;
    }
    for (bool sorted = in->n < 2; !sorted;) {
        struct wheel_entry *e = in->e, *out = run->spare;
        uint32_t i = 0, n = in->n, runs = 0;
        while (i < n) {
            uint32_t a = i, a_end = i + 1, b, b_end;
            while (a_end < n && e[a_end - 1].due_us <= e[a_end].due_us)
                a_end++;
            b = b_end = a_end;
            if (b < n)
                b_end++;
            while (b_end < n && e[b_end - 1].due_us <= e[b_end].due_us)
                b_end++;
            while (a < a_end && b < b_end)
                *out++ = e[b].due_us < e[a].due_us ? e[b++] : e[a++];
            while (a < a_end)
                *out++ = e[a++];
            while (b < b_end)
                *out++ = e[b++];
            i = b_end;
            runs++;
        }
        sorted = runs == 1;
        struct wheel_entry *swap = in->e;
        uint32_t room = in->room;
        in->e = run->spare;
        in->room = run->spare_room;
        run->spare = swap;
        run->spare_room = room;
    }
    return true;
}
