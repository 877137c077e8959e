/* relay/moments.c - runs of moments in one word each. No failure modes. */
#include "relay/moments.h"

#include <stddef.h>

enum { UNIT_MS = 500, MORE_BITS = 28 };

struct run {
    uint64_t from, to; /* both belong to it */
};

static struct run
run_read(uint64_t word)
{
    const uint64_t to = word >> MORE_BITS;
    return (struct run){to - (word & ((1u << MORE_BITS) - 1)), to};
}

/* Four years fit: what is older no consensus is kept for. */
static uint64_t
run_write(struct run run)
{
    const uint64_t most = (1u << MORE_BITS) - 1;
    const uint64_t more = run.to - run.from;
    return run.to << MORE_BITS | (more < most ? more : most);
}

static bool
run_has(uint64_t word, uint64_t at)
{
    const struct run run = run_read(word);
    return word > 0 && run.from <= at && at <= run.to;
}

bool
moments_has(const struct moments *m, uint64_t ms)
{
    for (size_t i = 0; i < MOMENTS_RUNS; i++)
        if (run_has(atomic_load(&m->run[i]), ms / UNIT_MS))
            return true;
    return false;
}

/* Make the run that has all of both and what is between them. */
static struct run
run_join(struct run a, struct run b)
{
    return (struct run){a.from < b.from ? a.from : b.from,
                        a.to > b.to ? a.to : b.to};
}

/* Tell how far two runs are from each other. */
static uint64_t
run_gap(struct run a, struct run b)
{
    return a.to < b.from ? b.from - a.to : b.to < a.from ? a.from - b.to : 0;
}

/* Find the place with the run that is nearest to `run`, and how far away it is;
 * MOMENTS_RUNS when there is none. `but` is passed over. */
static size_t
run_nearest(const struct moments *m, struct run run, size_t but, uint64_t *gap)
{
    size_t best = MOMENTS_RUNS;
    *gap = UINT64_MAX;
    for (size_t i = 0; i < MOMENTS_RUNS; i++) {
        const uint64_t word = atomic_load(&m->run[i]);
        if (word == 0 || i == but)
            continue;
        const uint64_t far = run_gap(run_read(word), run);
        if (far < *gap) {
            *gap = far;
            best = i;
        }
    }
    return best;
}

/* Make the run in place i one with another one. */
static void
run_extend(struct moments *m, size_t i, struct run other)
{
    const struct run run = run_read(atomic_load(&m->run[i]));
    atomic_store(&m->run[i], run_write(run_join(run, other)));
}

/* Empty a place, by joining the two runs that are nearest to each other, unless
 * each two are farther from each other than `gap`. Returns the place. */
static size_t
place_empty(struct moments *m, uint64_t gap)
{
    size_t into = MOMENTS_RUNS, from = MOMENTS_RUNS;
    for (size_t i = 0; i < MOMENTS_RUNS; i++) {
        const uint64_t word = atomic_load(&m->run[i]);
        uint64_t far;
        if (word == 0)
            return i;
        const size_t other = run_nearest(m, run_read(word), i, &far);
        if (far >= gap)
            continue;
        gap = far;
        into = other;
        from = i;
    }
    if (from < MOMENTS_RUNS) {
        run_extend(m, into, run_read(atomic_load(&m->run[from])));
        atomic_store(&m->run[from], 0);
    }
    return from;
}

bool
moments_note(struct moments *m, uint64_t ms, uint64_t near_ms)
{
    const struct run at = {ms / UNIT_MS, ms / UNIT_MS};
    uint64_t gap;
    if (moments_has(m, ms))
        return false;
    const size_t nearest = run_nearest(m, at, MOMENTS_RUNS, &gap);
    size_t place = MOMENTS_RUNS;
    if (nearest == MOMENTS_RUNS || gap * UNIT_MS > near_ms)
        place = place_empty(m, gap);
    if (place < MOMENTS_RUNS)
        atomic_store(&m->run[place], run_write(at));
    else
        run_extend(m, nearest, at);
    return true;
}
