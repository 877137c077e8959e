/* tests/lister.h - boards that sign lists, stores that name them and a gateway
 * that shows them to one client's struct shown: as honest ones do, or as a test
 * likes. All by hand: nothing passes but what a test says. */
#ifndef TESTS_LISTER_H
#define TESTS_LISTER_H
#include "client/heard/shown.h"
#include "lib/rng_seeded.h"

enum { LISTER_EPOCHS = 3, LISTER_STORES_MAX = 16 };

struct lister_plan {
    unsigned stores;
    const uint8_t *family;  /* of each, 0: none; NULL: no families */
    uint8_t gateway_family; /* of the gateway */
    uint16_t entries;       /* of a list; 0: 40 */
    uint8_t boards;         /* 0: 4 */
    uint32_t interval_ms;   /* 0: 2,000 */
};

struct lister {
    struct consensus *epoch[LISTER_EPOCHS];      /* of the same relays */
    uint8_t (*seed)[32];                         /* of each relay's identity */
    const struct consensus *view[LISTER_EPOCHS]; /* the client's */
    struct shown *shown;
    struct shown_now now;
    struct rng_seeded rng;
};

/* A signed list. */
struct listed {
    uint32_t interval;
    uint8_t board;
    size_t len;
    uint8_t root[LIST_ROOT_LEN];
    uint8_t bytes[LIST_LEN_MAX];
};

/* Time begins with the first epoch; the client has its consensus alone, and a
 * connection. */
void lister_make(struct lister *l, const struct lister_plan *plan);
void lister_free(struct lister *l);

/* Pass time, looking each second as a client does. */
void lister_pass(struct lister *l, uint64_t ms);

/* The interval that is now. */
uint32_t lister_interval(const struct lister *l);

/* Make and sign the list of a board and interval after `before` (NULL: its
 * first), with random entries but for the first, unless `entry` is NULL. */
void lister_list(struct lister *l, const struct consensus *c, uint8_t board,
                 uint32_t interval, const struct listed *before,
                 const uint8_t *entry, struct listed *out);

/* Show a list in its slices. Returns what the last of them gave. */
int lister_show(struct lister *l, const struct listed *list);
/* Show one part of it. */
int lister_part(struct lister *l, const struct listed *list, uint8_t part);
/* How many parts it has. */
uint8_t lister_parts(const struct lister *l, const struct listed *list);

/* The k-th store that may name a board's lists: of families none of which is the
 * board's, no two of one. */
const struct relay_entry *lister_store(const struct lister *l,
                                       const struct consensus *c, uint8_t board,
                                       unsigned k);
/* That store names this list, and vouches for all that it leads to. */
void lister_name(struct lister *l, const struct relay_entry *store,
                 const struct listed *list);

/* The same, for those of `back` intervals before it alone. */
void lister_name_back(struct lister *l, const struct relay_entry *store,
                      const struct listed *list, uint16_t back);

/* How many sure lists are given out, and the interval of the first and the last. */
unsigned lister_given(struct lister *l, uint32_t *first, uint32_t *last);
struct shown_counts lister_counts(const struct lister *l);
#endif
