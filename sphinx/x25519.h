/* sphinx/x25519.h - many X25519 at once (RFC 7748), by the best means of the
 * processor. Internal to sphinx.
 *
 * ifma     eight at a time, AVX-512 IFMA
 * generic  libsodium, one at a time; also wherever nothing else is faster
 *
 * Every one gives the same bytes on every input, in constant time. Chosen when
 * first used; the environment's BRUSIO_ISA=generic|ifma overrides. */
#ifndef SPHINX_X25519_H
#define SPHINX_X25519_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum x25519_isa { X25519_GENERIC = 1, X25519_IFMA };

/* out = scalar * point, all of 32 octets; scalars are clamped. */
struct x25519_job {
    const uint8_t *scalar, *point;
    uint8_t *out;
    int err; /* out: 0, or ERR_POINT when out is zero (low-order point) */
};

void x25519_batch(struct x25519_job *jobs, size_t n);

const char *x25519_isa_name(enum x25519_isa isa);
enum x25519_isa x25519_isa(void);
/* Is it there on this machine? */
bool x25519_isa_works(enum x25519_isa isa);
/* For tests and benches; before any other thread runs. */
void x25519_isa_use(enum x25519_isa isa);

/* x25519_ifma.c: n <= X25519_IFMA_MAX; errors are the caller's to find. */
enum { X25519_IFMA_LANES = 8, X25519_IFMA_MAX = 32 };
void x25519_ifma(const uint8_t *const *scalar, const uint8_t *const *point,
                 uint8_t *const *out, size_t n);
#endif
