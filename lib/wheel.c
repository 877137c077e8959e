/* lib/wheel.c - the timer wheel.
 *
 * State. `hand` is the absolute number (due_us >> WHEEL_SLOT_BITS) of the slot
 * up to which all has been popped; every entry lies in the slot of its due
 * time modulo WHEEL_SLOTS, or in the hand's slot when it came too late. An
 * entry in a list "belongs to this turn" when its due time is not beyond the
 * slot the hand would have there.
 *
 * A slot's list is in order of time once it is looked at; until then entries
 * are put in front of it, and the bit in `mixed` says so. The wheel of 100,000
 * clients has a hundred entries a slot: sorting each list once, when its time
 * has come, made the simulator three times as fast as keeping them so.
 *
 * next_us caches the earliest due time; 0 means not known.
 *
 * Failure mode: no memory for more nodes; the entry is refused and the wheel
 * stays as it was. */
#include "lib/wheel.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NONE      UINT32_MAX
#define WORDS     (WHEEL_SLOTS / 64)
#define SLOT_MASK ((uint64_t)WHEEL_SLOTS - 1)

struct node {
    uint64_t due_us;
    uint32_t a, b, next;
    uint32_t number; /* of its coming: decides between equal times */
};

struct wheel {
    uint64_t hand, next_us;
    uint32_t max, made, count, free_head, number;
    struct node *node;
    uint64_t word[WORDS];         /* bit set: the slot is not empty */
    uint64_t summary[WORDS / 64]; /* bit set: the word is not zero */
    uint64_t mixed[WORDS];        /* bit set: the list is not in order */
    uint32_t head[WHEEL_SLOTS];
};

int
wheel_new(struct wheel **out, uint32_t max)
{
    *out = NULL;
    if (max == 0 || max == NONE)
        return ERR_ARG;
    struct wheel *w = calloc(1, sizeof *w);
    if (!w)
        return ERR_NOMEM;
    w->max = max;
    w->free_head = NONE;
    memset(w->head, 0xff, sizeof w->head);
    *out = w;
    return 0;
}

void
wheel_free(struct wheel **w)
{
    if (!*w)
        return;
    free((*w)->node);
    free(*w);
    *w = NULL;
}

static int
wheel_grow(struct wheel *w)
{
    uint32_t room = w->made ? w->made : 64;
    if (w->made >= w->max)
        return ERR_FULL;
    if (room > w->max - w->made)
        room = w->max - w->made;
    struct node *n = realloc(w->node, ((size_t)w->made + room) * sizeof *n);
    if (!n)
        return ERR_NOMEM;
    w->node = n;
    for (uint32_t i = w->made + room; i-- > w->made;) {
        n[i].next = w->free_head;
        w->free_head = i;
    }
    w->made += room;
    return 0;
}

static void
slot_mark(struct wheel *w, uint32_t slot)
{
    w->word[slot / 64] |= 1ULL << (slot % 64);
    w->summary[slot / 4096] |= 1ULL << (slot / 64 % 64);
}

static void
slot_unmark(struct wheel *w, uint32_t slot)
{
    w->word[slot / 64] &= ~(1ULL << (slot % 64));
    if (w->word[slot / 64] == 0)
        w->summary[slot / 4096] &= ~(1ULL << (slot / 64 % 64));
}

/* First marked slot >= from, or WHEEL_SLOTS. */
static uint32_t
slot_find(const struct wheel *w, uint32_t from)
{
    if (from >= WHEEL_SLOTS)
        return WHEEL_SLOTS;
    uint32_t i = from / 64;
    uint64_t bits = w->word[i] & (~0ULL << (from % 64));
    if (bits)
        return i * 64 + (uint32_t)__builtin_ctzll(bits);
    for (i++; i < WORDS;) {
        uint64_t sum = w->summary[i / 64] & (~0ULL << (i % 64));
        if (sum) {
            i = i / 64 * 64 + (uint32_t)__builtin_ctzll(sum);
            return i * 64 + (uint32_t)__builtin_ctzll(w->word[i]);
        }
        i = (i / 64 + 1) * 64;
    }
    return WHEEL_SLOTS;
}

/* Equal times keep the order in which they came; numbers may wrap around. */
static bool
is_before(const struct node *a, const struct node *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us
                                  : (int32_t)(a->number - b->number) < 0;
}

/* Two lists in order to one. */
static uint32_t
lists_merge(struct node *node, uint32_t a, uint32_t b)
{
    uint32_t head = NONE, *link = &head;
    while (a != NONE && b != NONE) {
        uint32_t *least = is_before(&node[a], &node[b]) ? &a : &b;
        *link = *least;
        link = &node[*least].next;
        *least = *link;
    }
    *link = a != NONE ? a : b;
    return head;
}

/* Bring a slot's list into order: entries go into runs of 1, 2, 4, .. that are
 * merged like a carry. */
static void
slot_sort(struct wheel *w, uint32_t slot)
{
    uint32_t run[33], n = w->head[slot];
    uint64_t bit = 1ULL << (slot % 64);
    unsigned k;
    if (!(w->mixed[slot / 64] & bit))
        return;
    w->mixed[slot / 64] &= ~bit;
    for (k = 0; k < 33; k++)
        run[k] = NONE;
    while (n != NONE) {
        uint32_t carry = n;
        n = w->node[n].next;
        w->node[carry].next = NONE;
        for (k = 0; k < 32 && run[k] != NONE; k++) {
            carry = lists_merge(w->node, carry, run[k]);
            run[k] = NONE;
        }
        run[k] = carry;
    }
    for (k = 0; k < 33; k++)
        if (run[k] != NONE)
            n = n == NONE ? run[k] : lists_merge(w->node, n, run[k]);
    w->head[slot] = n;
}

int
wheel_add(struct wheel *w, uint64_t due_us, uint32_t a, uint32_t b)
{
    uint64_t at = due_us >> WHEEL_SLOT_BITS;
    if (w->free_head == NONE) {
        int err = wheel_grow(w);
        if (err)
            return err;
    }
    uint32_t n = w->free_head;
    w->free_head = w->node[n].next;
    uint32_t slot = (uint32_t)((at > w->hand ? at : w->hand) & SLOT_MASK);
    uint32_t *link = &w->head[slot];
    if (*link == NONE) {
        slot_mark(w, slot);
    } else if (slot == (w->hand & SLOT_MASK)) {
        slot_sort(w, slot);
        while (*link != NONE && w->node[*link].due_us <= due_us)
            link = &w->node[*link].next;
    } else {
        w->mixed[slot / 64] |= 1ULL << (slot % 64);
    }
    w->node[n] = (struct node){
        .due_us = due_us, .a = a, .b = b, .next = *link, .number = w->number++};
    *link = n;
    if (w->count++ == 0 || (w->next_us && due_us < w->next_us))
        w->next_us = due_us;
    return 0;
}

/* Take what is due from one slot. */
static size_t
slot_pop(struct wheel *w, uint32_t slot, uint64_t until_us,
         struct wheel_entry *out, size_t max)
{
    size_t n = 0;
    slot_sort(w, slot);
    uint32_t i = w->head[slot];
    while (n < max && i != NONE && w->node[i].due_us <= until_us) {
        struct node *e = &w->node[i];
        out[n++] = (struct wheel_entry){e->due_us, e->a, e->b};
        uint32_t next = e->next;
        e->next = w->free_head;
        w->free_head = i;
        i = next;
    }
    w->head[slot] = i;
    if (i == NONE)
        slot_unmark(w, slot);
    w->count -= (uint32_t)n;
    return n;
}

size_t
wheel_pop_due(struct wheel *w, uint64_t now_us, struct wheel_entry *out,
              size_t max)
{
    uint64_t end = now_us >> WHEEL_SLOT_BITS;
    size_t n = 0;
    if (w->count == 0 || (w->next_us && w->next_us > now_us)) {
        /* nothing is due; the hand may not pass entries, but none is here */
        if (w->count == 0 && end > w->hand)
            w->hand = end;
        return 0;
    }
    w->next_us = 0;
    while (n < max) {
        uint32_t slot = (uint32_t)(w->hand & SLOT_MASK);
        /* not the entries of a later turn, should now_us be that far on */
        uint64_t slot_end_us = ((w->hand + 1) << WHEEL_SLOT_BITS) - 1;
        uint64_t until_us = now_us < slot_end_us ? now_us : slot_end_us;
        if (w->head[slot] != NONE)
            n += slot_pop(w, slot, until_us, out + n, max - n);
        if (n == max || w->hand >= end)
            break;
        /* leap to the next slot that holds something, at most to the end */
        uint32_t next = slot_find(w, slot + 1);
        uint64_t leap =
            next < WHEEL_SLOTS ? next - slot : (uint64_t)WHEEL_SLOTS - slot;
        w->hand = leap > end - w->hand ? end : w->hand + leap;
    }
    return n;
}

uint64_t
wheel_next_due_us(struct wheel *w)
{
    if (w->count == 0)
        return UINT64_MAX;
    if (w->next_us)
        return w->next_us;
    /* from the hand once around: the first head of this turn is the earliest;
     * failing that, the least of all heads */
    uint64_t best = UINT64_MAX;
    uint32_t start = (uint32_t)(w->hand & SLOT_MASK), slot = start;
    for (int turn = 0; turn < 2; turn++, slot = 0) {
        uint32_t stop = turn == 0 ? WHEEL_SLOTS : start;
        for (;; slot++) {
            slot = slot_find(w, slot);
            if (slot >= stop)
                break;
            slot_sort(w, slot);
            uint64_t due_us = w->node[w->head[slot]].due_us;
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
