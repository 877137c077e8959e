/* client/pace/acks.c - what was read, and is not told of yet.
 *
 * acks.h has the states. A growing table has a range of sequence numbers for each
 * letter that is kept back, with its times; acks_tell() takes those that are not due
 * off the map that a letter carries, and acks_told() forgets what has been told.
 * Timers: due_us of each range, and the last acknowledgement that went alone, so that
 * the next keeps its distance (ACKS_GAP_US, ACKS_PARTS_US, ACKS_UNSEEN_US).
 * Failure modes: without memory, or beyond ACKS_WINDOW, ranges are joined, and told
 * when the last of them is due: late, never early. */
#include "client/pace/acks.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 4 };

/* Sequence numbers from..to that are kept back. */
struct owed {
    uint32_t from, to; /* 0, 0: nothing is, one that came again is owed */
    bool hidden;       /* no acknowledgement is owed for it */
    struct acks_times times;
};

struct ping {
    bool waits;
    uint8_t id[ACKS_PING_LEN];
    uint64_t due_us;
};

struct acks {
    struct owed *owed; /* n of them, room for `room` */
    size_t n, room;
    bool is_over; /* there were too many: the rest is */
    struct owed rest;
    bool has_told;
    uint64_t told_us; /* the last acknowledgement alone */
    struct ping ping[ACKS_PONGS];
};

int
acks_new(struct acks **out)
{
    *out = calloc(1, sizeof **out);
    return *out ? 0 : ERR_NOMEM;
}

void
acks_free(struct acks **ap)
{
    struct acks *a = *ap;
    *ap = NULL;
    if (!a)
        return;
    if (a->owed)
        memset(a->owed, 0, a->room * sizeof *a->owed);
    free(a->owed);
    memset(a, 0, sizeof *a);
    free(a);
}

void
acks_clear(struct acks *a)
{
    struct acks cleared = {.has_told = a->has_told, .told_us = a->told_us};
    free(a->owed);
    *a = cleared;
}

size_t
acks_count(const struct acks *a)
{
    return a->n + a->is_over;
}

/* ---- owing ---- */

static bool
owed_has(const struct owed *o, uint32_t sequence)
{
    return sequence > 0 && sequence >= o->from && sequence <= o->to;
}

static bool
is_listed(const struct acks *a, uint32_t sequence)
{
    for (size_t i = 0; i < a->n; i++)
        if (!a->owed[i].hidden && (owed_has(&a->owed[i], sequence) ||
                                   (sequence == 0 && a->owed[i].to == 0)))
            return true;
    return false;
}

static bool
is_owed(const struct acks *a, uint32_t sequence)
{
    return is_listed(a, sequence) ||
           (a->is_over && owed_has(&a->rest, sequence));
}

/* Make room for one more. Without it the rest takes it. */
static bool
owed_grow(struct acks *a)
{
    if (a->n < a->room)
        return true;
    const size_t room = a->room ? 2 * a->room : FIRST_ROOM;
    struct owed *more =
        room <= ACKS_WINDOW ? realloc(a->owed, room * sizeof *more) : NULL;
    if (!more)
        return false;
    a->owed = more;
    a->room = room;
    return true;
}

/* Where there is no room for one by itself, all from it on wait for the last. */
static void
rest_add(struct acks *a, const struct owed *o)
{
    struct owed *r = &a->rest;
    if (!a->is_over)
        *r = *o;
    a->is_over = true;
    if (o->to > 0 && (r->to == 0 || o->from < r->from))
        r->from = o->from;
    r->to = UINT32_MAX;
    r->hidden = r->hidden && o->hidden;
    r->times.part = r->times.part && o->times.part;
    if (o->times.shown_us > r->times.shown_us)
        r->times.shown_us = o->times.shown_us;
    if (o->times.due_us > r->times.due_us)
        r->times.due_us = o->times.due_us;
}

static void
owed_add(struct acks *a, const struct owed *o)
{
    if (owed_grow(a))
        a->owed[a->n++] = *o;
    else
        rest_add(a, o);
}

void
acks_owe(struct acks *a, uint32_t sequence, bool again, struct acks_times times)
{
    if (again ? is_owed(a, sequence) || is_owed(a, 0) : is_listed(a, sequence))
        return;
    owed_add(a, &(struct owed){.from = again ? 0 : sequence,
                               .to = again ? 0 : sequence,
                               .times = times});
}

void
acks_hide(struct acks *a, uint32_t from, uint32_t to, struct acks_times times)
{
    if (from <= to)
        owed_add(a, &(struct owed){from, to, true, times});
}

/* ---- telling ---- */

static bool
may_tell(const struct owed *o, uint64_t now_us, enum acks_teller teller)
{
    return (teller == ACKS_OWN ? o->times.shown_us : o->times.due_us) <= now_us;
}

bool
acks_is_due(const struct acks *a, uint64_t now_us, bool seen)
{
    bool due = false, parts = true;
    for (size_t i = 0; i <= a->n; i++) {
        const struct owed *o = i < a->n ? &a->owed[i] : &a->rest;
        if ((i == a->n && !a->is_over) || o->hidden ||
            !may_tell(o, now_us, ACKS_ALONE))
            continue;
        due = true;
        parts = parts && o->times.part;
    }
    const uint64_t gap_us = !seen   ? ACKS_UNSEEN_US
                            : parts ? ACKS_PARTS_US
                                    : ACKS_GAP_US;
    return due && (!a->has_told || now_us - a->told_us >= gap_us);
}

/* Is this number kept back? */
static bool
is_kept_back(const struct acks *a, uint64_t now_us, enum acks_teller teller,
             uint32_t sequence)
{
    for (size_t i = 0; i < a->n; i++)
        if (owed_has(&a->owed[i], sequence) &&
            !may_tell(&a->owed[i], now_us, teller))
            return true;
    return a->is_over && owed_has(&a->rest, sequence) &&
           !may_tell(&a->rest, now_us, teller);
}

static bool
map_has(uint32_t ack, const uint8_t *map, uint32_t sequence)
{
    if (sequence <= ack)
        return true;
    const uint32_t i = sequence - ack - 1;
    return i < ACKS_WINDOW && (map[i / 8] >> i % 8 & 1);
}

/* Lower *least to the first number that o keeps back. */
static void
least_note(const struct owed *o, uint64_t now_us, enum acks_teller teller,
           uint32_t *least)
{
    if (o->to > 0 && o->from <= *least && !may_tell(o, now_us, teller))
        *least = o->from > 0 ? o->from - 1 : 0;
}

void
acks_tell(const struct acks *a, uint64_t now_us, enum acks_teller teller,
          uint32_t *ack, uint8_t map[static ACKS_MAP_LEN])
{
    uint8_t told[ACKS_MAP_LEN] = {0};
    uint32_t least = *ack;
    for (size_t i = 0; i < a->n; i++)
        least_note(&a->owed[i], now_us, teller, &least);
    if (a->is_over)
        least_note(&a->rest, now_us, teller, &least);
    for (uint32_t i = 0; i < ACKS_WINDOW; i++) {
        const uint32_t sequence = least + 1 + i;
        if (sequence > least && map_has(*ack, map, sequence) &&
            !is_kept_back(a, now_us, teller, sequence))
            told[i / 8] |= (uint8_t)(1u << i % 8);
    }
    *ack = least;
    memcpy(map, told, sizeof told);
}

void
acks_told(struct acks *a, uint64_t now_us, enum acks_teller teller)
{
    size_t n = 0;
    for (size_t i = 0; i < a->n; i++)
        if (!may_tell(&a->owed[i], now_us, teller))
            a->owed[n++] = a->owed[i];
    if (a->n > n)
        memset(&a->owed[n], 0, (a->n - n) * sizeof *a->owed);
    a->n = n;
    if (a->is_over && may_tell(&a->rest, now_us, teller)) {
        a->is_over = false;
        a->rest = (struct owed){0};
    }
    if (teller == ACKS_ALONE) {
        a->has_told = true;
        a->told_us = now_us;
    }
}

/* ---- pings ---- */

static struct ping *
ping_find(struct acks *a, const uint8_t *id)
{
    for (size_t i = 0; i < ACKS_PONGS; i++)
        if (a->ping[i].waits && memcmp(a->ping[i].id, id, ACKS_PING_LEN) == 0)
            return &a->ping[i];
    return NULL;
}

int
acks_ping(struct acks *a, const uint8_t id[static ACKS_PING_LEN],
          uint64_t due_us)
{
    if (ping_find(a, id))
        return 0;
    for (size_t i = 0; i < ACKS_PONGS; i++) {
        struct ping *p = &a->ping[i];
        if (p->waits)
            continue;
        p->waits = true;
        p->due_us = due_us;
        memcpy(p->id, id, sizeof p->id);
        return 0;
    }
    return ERR_FULL;
}

bool
acks_pong_due(const struct acks *a, uint64_t now_us,
              uint8_t id[static ACKS_PING_LEN])
{
    for (size_t i = 0; i < ACKS_PONGS; i++)
        if (a->ping[i].waits && a->ping[i].due_us <= now_us) {
            memcpy(id, a->ping[i].id, ACKS_PING_LEN);
            return true;
        }
    return false;
}

void
acks_ponged(struct acks *a, const uint8_t id[static ACKS_PING_LEN])
{
    struct ping *p = ping_find(a, id);
    if (p)
        *p = (struct ping){0};
}
