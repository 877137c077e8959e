/* tests/mutate.h - seeded mutation of input, and the count of what came of it.
 *
 * How many inputs each parser gets stands here, so that the sum is seen; ten
 * times as many when everything is tried (mutate_inputs()). */
#ifndef TESTS_MUTATE_H
#define TESTS_MUTATE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/rng_seeded.h"

enum {
    MUTATE_PACKETS_NULL = 120000,
    MUTATE_PACKETS_X25519 = 4000,
    MUTATE_WIRE = 185000, /* each of six parsers */
    MUTATE_LISTS = 20000,
    MUTATE_DOCUMENTS = 50000,
    MUTATE_SIGNED = 8000,
    MUTATE_CONSENSUS = 30000,
    MUTATE_DESCRIPTORS = 40000,
    MUTATE_CONFIG = 30000,
    MUTATE_HEADS = 50000,
    MUTATE_BACKUPS = 1500,
    MUTATE_KEY_FILES = 6000
};
_Static_assert(MUTATE_PACKETS_NULL + MUTATE_PACKETS_X25519 + 6 * MUTATE_WIRE +
                       MUTATE_DOCUMENTS + MUTATE_SIGNED + MUTATE_CONSENSUS +
                       MUTATE_DESCRIPTORS + MUTATE_CONFIG >=
                   1000000,
               "a million inputs");

/* How many inputs this run gives a parser that gets so many in a quick one. */
unsigned mutate_inputs(unsigned quick);

/* What one parser said. valid counts the inputs that were sealed again after
 * the change, or are well formed on the outside, so that they got inside. */
struct tally {
    const char *parser;
    unsigned long accepted, valid, refused[ERROR_COUNT];
};

/* Count one input and its result, 0 or ERR_*. Fails the test on any other. */
void tally_add(struct tally *t, int err, bool valid);

/* Print one line. Fails the test unless there were exactly `inputs`, half of
 * them valid, some accepted, and refusals for at least `errors` reasons. */
void tally_report(const struct tally *t, unsigned long inputs, unsigned errors);

/* 0..n-1, n > 0. */
size_t mutate_below(struct rng_seeded *rng, size_t n);

/* One to four edits: a bit, an octet, a run copied or an extreme number
 * written. The length stays. */
void mutate_bytes(struct rng_seeded *rng, uint8_t *bytes, size_t len);

/* The same, and sometimes cut short or followed by up to max - *len octets. */
void mutate_input(struct rng_seeded *rng, uint8_t *bytes, size_t *len,
                  size_t max);
#endif
