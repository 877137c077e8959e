/* lib/wheel.h - a hashed timer wheel: many entries, due in order of time.
 *
 * After Varghese and Lauck, "Hashed and hierarchical timing wheels" (SOSP
 * 1987), scheme 6: WHEEL_SLOTS slots of WHEEL_SLOT_US microseconds. Entries
 * further ahead than one turn wait in their slots among the others. A slot is
 * sorted when its time has come. A bitmap of the slots that are not empty lets
 * the hand leap. Adding and popping cost O(1) whether a slot holds one entry or
 * thousands; only wheel_next_due_us() looks at every entry when all are a turn
 * ahead and more.
 *
 * Entries of equal times come out in the order in which they were added. An
 * entry carries two numbers of the caller's and cannot be cancelled: a caller
 * who may have to cancel puts a generation into one of them. */
#ifndef LIB_WHEEL_H
#define LIB_WHEEL_H
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

enum {
    WHEEL_SLOT_BITS = 11, /* a slot is 2,048 us, */
    WHEEL_SLOT_US = 1 << WHEEL_SLOT_BITS,
    WHEEL_SLOTS = 2048 /* a turn 4.2 s */
};

struct wheel;

struct wheel_entry {
    uint64_t due_us;
    uint32_t a, b;
};

/* Make a wheel for at most max entries (max < UINT32_MAX); memory grows with
 * use. The caller owns *out. Returns 0, ERR_ARG or ERR_NOMEM. */
int wheel_new(struct wheel **out, uint32_t max) CHECK_RESULT;

/* Free *w, which may be NULL, and set it to NULL. */
void wheel_free(struct wheel **w);

/* Add an entry due at due_us with the numbers a and b. A due time that has
 * passed is fine. Returns 0, ERR_FULL or ERR_NOMEM. */
int wheel_add(struct wheel *w, uint64_t due_us, uint32_t a,
              uint32_t b) CHECK_RESULT;

/* Fetch into the cache what adding an entry due at due_us will touch. Changes
 * nothing. */
void wheel_prefetch(const struct wheel *w, uint64_t due_us);

/* Take out the entries that are due by now_us, earliest first, and write at
 * most max of them to out. now_us must not step back between calls. Returns how
 * many were taken out. */
size_t wheel_pop_due(struct wheel *w, uint64_t now_us, struct wheel_entry *out,
                     size_t max);

/* Return the due time of the earliest entry, UINT64_MAX when there is none. */
uint64_t wheel_next_due_us(struct wheel *w);

/* Return the number of entries. */
uint32_t wheel_count(const struct wheel *w);
#endif
