/* sphinx/x25519/x25519.h - many X25519 at once (RFC 7748), by the best means of
 * the processor. Internal to sphinx.
 *
 * ifma     eight or four at a time, AVX-512 IFMA
 * avx2     four at a time, AVX2
 * generic  libsodium, one at a time; also wherever nothing else is there
 *
 * All three give the same bytes on every input, in constant time. The choice is
 * made at first use: the best that the processor has, from
 * BRUSIO_ISA=generic|avx2|ifma downwards where the environment has that. */
#ifndef SPHINX_X25519_X25519_H
#define SPHINX_X25519_X25519_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum x25519_isa { X25519_GENERIC = 1, X25519_AVX2, X25519_IFMA };
enum { X25519_ISAS = X25519_IFMA };

/* One multiplication: out = scalar * point, all of 32 bytes; scalars are
 * clamped. */
struct x25519_job {
    const uint8_t *scalar;
    const uint8_t *point; /* NULL: the base point, 9 */
    uint8_t *out;
    int err; /* out: 0, or ERR_POINT when out is zero (low-order point) */
};

/* Do n jobs. Their order is free, but jobs on the base point are cheaper next
 * to each other. */
void x25519_batch(struct x25519_job *jobs, size_t n);

/* Return the name of isa (static): "generic", "avx2", "ifma". */
const char *x25519_isa_name(enum x25519_isa isa);

/* Return the means that is in use; the first call chooses. */
enum x25519_isa x25519_isa(void);

/* Tell whether this machine has isa. */
bool x25519_isa_works(enum x25519_isa isa);

/* Use isa from now on, for tests and benches; before any other thread runs. */
void x25519_isa_use(enum x25519_isa isa);

/* ---- between x25519.c and the files that know a processor ---- */

enum { X25519_BATCH_MAX = 32 };

/* Jobs in groups of `lanes` rows of 32 bytes, X25519_BATCH_MAX at most. */
struct x25519_lanes {
    size_t lanes;
    void (*multiply)(const uint8_t (*scalar)[32], const uint8_t (*point)[32],
                     uint8_t (*out)[32], size_t groups);
    void (*multiply_base)(const uint8_t (*scalar)[32], uint8_t (*out)[32],
                          size_t groups);
};
extern const struct x25519_lanes x25519_ifma8, x25519_ifma4, x25519_avx2;
#endif
