/* lib/wheel.c - the timer wheel.
 *
 * State. `hand` is the absolute number (due_us >> WHEEL_SLOT_BITS) of a slot.
 * Entries of this slot and of earlier ones lie in `ready`, in order; all that
 * are due later lie in the slots of their due times modulo WHEEL_SLOTS, in the
 * order in which they came. When the hand reaches a slot, and `ready` is
 * empty, the slot's entries of this turn are sorted into it; those of later
 * turns stay.
 *
 * A slot is a ring of chunks, full but for the last. `tail` tells where the
 * slot's next entry goes, and the last chunk leads to the first.
 *
 * next_us caches the earliest due time; 0 means not known.
 *
 * Why so. What costs time is waiting for memory: with lists of single entries,
 * sorted by following them, a simulator of 100,000 clients and 30 mixes spent
 * half of its time there. Now neighbours share cache lines, and a slot's lines
 * are fetched one slot ahead of the hand: 2.2 times as many hops a second, 3.4
 * times when the simulator fetches its own data ahead as well. Slots of 256 us
 * made it a quarter slower: the ends of eight times as many slots, which are
 * what adding writes to, do not stay in the cache. In a relay an entry
 * takes, by packets a second, lists and this: 28 and 36 ns at 1,000, 29 and
 * 22 at 5,000, 28 and 12 at 40,000, 35 and 12 at 100,000. 8,000 entries in 200
 * ms take 18 bytes each in even slots, 36 in exponential ones with the room to
 * grow; one alone in its slot takes 143, and there are 2,048 slots.
 *
 * Failure mode: no memory for more; the entry is refused and the wheel stays
 * as it was. Popping needs none: `ready` has room for the fullest slot before
 * that slot gets its entries. */
#include "lib/wheel.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK = 8, /* entries in two lines of the cache */
    LINE = 64,
    LINE_ENTRIES = LINE / sizeof(struct wheel_entry),
    FIRST_CHUNKS = 16,
    FIRST_READY = 16,
    FEW = 8 /* fewer are sorted by insertion alone */
};
#define WORDS      (WHEEL_SLOTS / 64)
#define SLOT_MASK  ((uint64_t)WHEEL_SLOTS - 1)
#define CHUNKS_MAX ((UINT32_MAX - CHUNK) / CHUNK)

struct chunk {
    struct wheel_entry e[CHUNK];
};
_Static_assert(sizeof(struct chunk) % LINE == 0, "a chunk is whole lines");

/* What is known of a chunk; chunk 0 is none. */
struct wheel_link {
    uint32_t next;   /* of the ring; of the free ones */
    uint32_t before; /* entries of the slot in earlier chunks */
};

struct wheel {
    uint64_t hand, next_us;
    uint32_t max, count;
    uint32_t made, free_head;  /* chunks */
    uint32_t first, end, room; /* of ready */
    struct wheel_entry *ready;
    struct chunk *chunk;
    struct wheel_link *link;
    uint64_t word[WORDS]; /* bit set: the slot is not empty */
    /* Where the slot's next entry goes, CHUNK * chunk + index; at the end of a
     * chunk when that is full, 0 when the slot is empty. */
    uint32_t tail[WHEEL_SLOTS];
};

int
wheel_new(struct wheel **out, uint32_t max)
{
    *out = NULL;
    if (max == 0 || max == UINT32_MAX)
        return ERR_ARG;
    struct wheel *w = calloc(1, sizeof *w);
    if (!w)
        return ERR_NOMEM;
    w->max = max;
    *out = w;
    return 0;
}

void
wheel_free(struct wheel **w)
{
    if (!*w)
        return;
    free((*w)->ready);
    free((*w)->chunk);
    free((*w)->link);
    free(*w);
    *w = NULL;
}

/* Make room for twice as many chunks, but no more than max entries can need. */
static int
chunks_grow(struct wheel *w)
{
    uint32_t parts = w->max < WHEEL_SLOTS ? w->max : WHEEL_SLOTS;
    uint64_t most = (uint64_t)w->max / CHUNK + parts + 1;
    uint64_t room = w->made ? 2 * (uint64_t)w->made : FIRST_CHUNKS;
    if (room > most)
        room = most;
    if (room > CHUNKS_MAX)
        room = CHUNKS_MAX;
    if (room <= w->made)
        return ERR_NOMEM;
    struct wheel_link *link = realloc(w->link, (size_t)room * sizeof *link);
    if (!link)
        return ERR_NOMEM;
    w->link = link;
    struct chunk *chunk = aligned_alloc(LINE, (size_t)room * sizeof *chunk);
    if (!chunk)
        return ERR_NOMEM;
    if (w->made)
        memcpy(chunk, w->chunk, w->made * sizeof *chunk);
    free(w->chunk);
    w->chunk = chunk;
    for (uint32_t i = (uint32_t)room; i-- > (w->made ? w->made : 1);) {
        link[i].next = w->free_head;
        w->free_head = i;
    }
    w->made = (uint32_t)room;
    return 0;
}

/* Make room for n entries that are ready. */
static int
ready_grow(struct wheel *w, uint32_t n)
{
    uint64_t room = w->room ? w->room : FIRST_READY;
    if (n <= w->room)
        return 0;
    while (room < n)
        room *= 2;
    struct wheel_entry *e = realloc(w->ready, (size_t)room * sizeof *e);
    if (!e)
        return ERR_NOMEM;
    w->ready = e;
    w->room = room < UINT32_MAX ? (uint32_t)room : UINT32_MAX;
    return 0;
}

/* Return the first slot >= from that is not empty, or WHEEL_SLOTS. */
static uint32_t
slot_find(const struct wheel *w, uint32_t from)
{
    uint32_t i = from / 64;
    if (from >= WHEEL_SLOTS)
        return WHEEL_SLOTS;
    uint64_t bits = w->word[i] & (~0ULL << (from % 64));
    while (!bits && ++i < WORDS)
        bits = w->word[i];
    return bits ? i * 64 + (uint32_t)__builtin_ctzll(bits) : WHEEL_SLOTS;
}

/* Return the chunk that holds the slot's last entry. */
static uint32_t
slot_last(const struct wheel *w, uint32_t slot)
{
    return (w->tail[slot] - 1) / CHUNK;
}

/* Return how many entries a slot holds that is not empty. */
static uint32_t
slot_count(const struct wheel *w, uint32_t slot)
{
    uint32_t last = slot_last(w, slot);
    return w->link[last].before + (w->tail[slot] - last * CHUNK);
}

/* Add a chunk at the end of a slot, in the ring before the oldest chunk. */
static int
slot_extend(struct wheel *w, uint32_t slot)
{
    uint32_t n = w->tail[slot] ? slot_count(w, slot) : 0;
    int err = ready_grow(w, n + CHUNK);
    if (!err && !w->free_head)
        err = chunks_grow(w);
    if (err)
        return err;
    uint32_t c = w->free_head;
    w->free_head = w->link[c].next;
    w->link[c].before = n;
    if (n == 0) {
        w->word[slot / 64] |= 1ULL << (slot % 64);
        w->link[c].next = c;
    } else {
        uint32_t last = slot_last(w, slot);
        w->link[c].next = w->link[last].next;
        w->link[last].next = c;
    }
    w->tail[slot] = c * CHUNK;
    return 0;
}

/* Return where an entry belongs among those that are ready: after its equals.
 */
static uint32_t
ready_place(const struct wheel *w, uint64_t due_us)
{
    uint32_t from = w->first, to = w->end;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (w->ready[middle].due_us <= due_us)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

/* Put an entry there, moving those before it or after it. */
static int
ready_add(struct wheel *w, struct wheel_entry e)
{
    if (w->end == w->room && w->first == 0) {
        int err = ready_grow(w, w->room + 1);
        if (err)
            return err;
    }
    uint32_t place = ready_place(w, e.due_us);
    uint32_t before = place - w->first, after = w->end - place;
    struct wheel_entry *at = w->ready + place;
    if (w->first > 0 && (before < after || w->end == w->room)) {
        at--;
        memmove(at - before, at - before + 1, before * sizeof e);
        w->first--;
    } else {
        memmove(at + 1, at, after * sizeof e);
        w->end++;
    }
    *at = e;
    return 0;
}

int
wheel_add(struct wheel *w, uint64_t due_us, uint32_t a, uint32_t b)
{
    const struct wheel_entry e = {due_us, a, b};
    uint64_t at = due_us >> WHEEL_SLOT_BITS;
    int err = 0;
    if (w->count >= w->max)
        return ERR_FULL;
    if (at <= w->hand) {
        err = ready_add(w, e);
    } else {
        uint32_t *tail = &w->tail[at & SLOT_MASK];
        if (*tail % CHUNK == 0)
            err = slot_extend(w, (uint32_t)(at & SLOT_MASK));
        if (!err) {
            w->chunk[*tail / CHUNK].e[*tail % CHUNK] = e;
            ++*tail;
        }
    }
    if (err)
        return err;
    if (w->count++ == 0 || (w->next_us && due_us < w->next_us))
        w->next_us = due_us;
    return 0;
}

void
wheel_prefetch(const struct wheel *w, uint64_t due_us)
{
    const uint32_t tail = w->tail[(due_us >> WHEEL_SLOT_BITS) & SLOT_MASK];
    if (tail % CHUNK)
        __builtin_prefetch(&w->chunk[tail / CHUNK].e[tail % CHUNK], 1);
}

/* Fetch the cache lines of a slot, which will be wanted soon. */
static void
slot_prefetch(const struct wheel *w, uint32_t slot)
{
    if (!w->tail[slot])
        return;
    uint32_t last = slot_last(w, slot), c = last;
    do {
        c = w->link[c].next;
        for (int i = 0; i < CHUNK; i += LINE_ENTRIES)
            __builtin_prefetch(&w->chunk[c].e[i]);
    } while (c != last);
}

/* Tell whether an entry is of the turn that the hand is in. */
static bool
is_now(const struct wheel *w, const struct wheel_entry *e)
{
    return e->due_us >> WHEEL_SLOT_BITS <= w->hand;
}

/* A walk over the entries of a slot in the order in which they came. */
struct walk {
    uint32_t left, chunk, i;
};

static struct walk
walk_start(const struct wheel *w, uint32_t slot)
{
    return (struct walk){slot_count(w, slot), w->link[slot_last(w, slot)].next,
                         0};
}

static struct wheel_entry *
walk_next(const struct wheel *w, struct walk *k)
{
    if (k->left == 0)
        return NULL;
    if (k->i == CHUNK) {
        k->chunk = w->link[k->chunk].next;
        k->i = 0;
    }
    k->left--;
    return &w->chunk[k->chunk].e[k->i++];
}

/* Return how many low bits of their times to leave out when n entries are
 * sorted roughly, so that few entries share the other bits. */
static unsigned
sort_shift(uint32_t n)
{
    unsigned bits = n < FEW ? 0 : 31 - (unsigned)__builtin_clz(n);
    return bits < WHEEL_SLOT_BITS ? WHEEL_SLOT_BITS - bits : 0;
}

/* Copy a slot's entries of this turn to ready, roughly in order: counted by
 * the upper bits in which their times differ. */
static void
gather_roughly(struct wheel *w, uint32_t slot, unsigned shift)
{
    uint32_t at[WHEEL_SLOT_US], n = 0, keys = WHEEL_SLOT_US >> shift;
    struct walk k = walk_start(w, slot);
    const struct wheel_entry *e;
    memset(at, 0, keys * sizeof *at);
    while ((e = walk_next(w, &k)))
        at[e->due_us % WHEEL_SLOT_US >> shift] += is_now(w, e);
    for (uint32_t i = 0; i < keys; i++) {
        uint32_t here = at[i];
        at[i] = n;
        n += here;
    }
    for (k = walk_start(w, slot); (e = walk_next(w, &k));)
        if (is_now(w, e))
            w->ready[at[e->due_us % WHEEL_SLOT_US >> shift]++] = *e;
    w->end = n;
}

/* Sort by insertion; an entry's place is near. */
static void
ready_sort(struct wheel *w)
{
    struct wheel_entry *ready = w->ready;
    for (uint32_t i = 1; i < w->end; i++) {
        const struct wheel_entry e = ready[i];
        uint32_t k = i;
        for (; k > 0 && ready[k - 1].due_us > e.due_us; k--)
            ready[k] = ready[k - 1];
        ready[k] = e;
    }
}

/* Leave to a slot its entries of later turns, in the chunks at its start. */
static void
slot_keep_later(struct wheel *w, uint32_t slot)
{
    struct walk k = walk_start(w, slot), to = k;
    uint32_t last = slot_last(w, slot), first = k.chunk;
    const struct wheel_entry *e;
    while ((e = walk_next(w, &k)))
        if (!is_now(w, e))
            *walk_next(w, &to) = *e;
    w->tail[slot] = to.chunk * CHUNK + to.i;
    if (to.chunk != last) {
        w->link[last].next = w->free_head;
        w->free_head = w->link[to.chunk].next;
        w->link[to.chunk].next = first;
    }
}

/* Make ready the entries of a slot that is not empty, to which the hand has
 * come; nothing else is ready. */
static void
slot_gather(struct wheel *w, uint32_t slot)
{
    uint32_t n = slot_count(w, slot), last = slot_last(w, slot);
    slot_prefetch(w, (slot + 1) & SLOT_MASK);
    w->first = 0;
    unsigned shift = sort_shift(n);
    gather_roughly(w, slot, shift);
    if (shift > 0)
        ready_sort(w);
    if (w->end == n) {
        uint32_t first = w->link[last].next;
        w->link[last].next = w->free_head;
        w->free_head = first;
        w->tail[slot] = 0;
        w->word[slot / 64] &= ~(1ULL << (slot % 64));
    } else if (w->end > 0) {
        slot_keep_later(w, slot);
    }
}

/* Take what is due from the front of ready. */
static size_t
ready_pop(struct wheel *w, uint64_t now_us, struct wheel_entry *out, size_t max)
{
    const struct wheel_entry *e = w->ready + w->first;
    size_t n = w->end - w->first;
    if (n > max)
        n = max;
    if (n > 0 && e[n - 1].due_us > now_us)
        for (n = 0; e[n].due_us <= now_us;)
            n++;
    if (n > 0)
        memcpy(out, e, n * sizeof *e);
    w->first += (uint32_t)n;
    w->count -= (uint32_t)n;
    return n;
}

size_t
wheel_pop_due(struct wheel *w, uint64_t now_us, struct wheel_entry *out,
              size_t max)
{
    uint64_t end = now_us >> WHEEL_SLOT_BITS;
    size_t n = 0;
    if (w->count > 0 && w->next_us > now_us)
        return 0;
    while (w->count > 0) {
        n += ready_pop(w, now_us, out + n, max - n);
        if (w->first < w->end || w->hand >= end)
            break;
        /* leap to the next slot that holds something, at most to the end */
        uint32_t slot = (uint32_t)(w->hand & SLOT_MASK);
        uint32_t next = slot_find(w, slot + 1);
        uint64_t leap = next - slot;
        w->hand = leap > end - w->hand ? end : w->hand + leap;
        slot = (uint32_t)(w->hand & SLOT_MASK);
        if (w->tail[slot])
            slot_gather(w, slot);
    }
    if (w->count == 0 && end > w->hand)
        w->hand = end;
    w->next_us = w->first < w->end ? w->ready[w->first].due_us : 0;
    return n;
}

/* Return the due time of a slot's earliest entry. */
static uint64_t
slot_least_us(const struct wheel *w, uint32_t slot)
{
    struct walk k = walk_start(w, slot);
    const struct wheel_entry *e;
    uint64_t least_us = UINT64_MAX;
    while ((e = walk_next(w, &k)))
        if (e->due_us < least_us)
            least_us = e->due_us;
    return least_us;
}

uint64_t
wheel_next_due_us(struct wheel *w)
{
    if (w->count == 0)
        return UINT64_MAX;
    if (w->next_us)
        return w->next_us;
    if (w->first < w->end)
        return w->ready[w->first].due_us;
    /* from the hand once around: the first slot that has an entry of this turn
     * has the earliest; failing that, the least of all */
    uint64_t best = UINT64_MAX;
    uint32_t start = (uint32_t)(w->hand & SLOT_MASK), slot = start + 1;
    for (int turn = 0; turn < 2; turn++, slot = 0) {
        uint32_t stop = turn == 0 ? WHEEL_SLOTS : start + 1;
        for (;; slot++) {
            slot = slot_find(w, slot);
            if (slot >= stop)
                break;
            uint64_t due_us = slot_least_us(w, slot);
            uint64_t at = w->hand + ((slot - start) & SLOT_MASK);
            if (due_us < best)
                best = due_us;
            if (due_us >> WHEEL_SLOT_BITS <= at)
                goto out;
        }
    }
out:
    w->next_us = best;
    return best;
}

uint32_t
wheel_count(const struct wheel *w)
{
    return w->count;
}
