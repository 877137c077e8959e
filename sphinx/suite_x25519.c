/* sphinx/suite_x25519.c - the suite x25519, and the older half of every hybrid.
 *
 * No state, no timers. Failure: ERR_POINT for an element of low order. */
#include <sodium.h>

#include "sphinx/suite.h"
#include "sphinx/x25519/x25519.h"

static int
x25519_keypair(uint8_t *public_key, const uint8_t *seed)
{
    return crypto_scalarmult_base(public_key, seed) == 0 ? 0 : ERR_CRYPTO;
}

static void
x25519_encapsulate(struct suite_kem *jobs, size_t n)
{
    struct x25519_job x[2 * X25519_BATCH_MAX];
    for (size_t done = 0; done < n; done += X25519_BATCH_MAX) {
        size_t m = n - done < X25519_BATCH_MAX ? n - done : X25519_BATCH_MAX;
        for (size_t i = 0; i < m; i++) {
            const struct suite_kem *j = &jobs[done + i];
            x[i] = (struct x25519_job){j->seed, NULL, j->element, 0};
            x[m + i] =
                (struct x25519_job){j->seed, j->public_key, j->secret, 0};
        }
        x25519_batch(x, 2 * m);
        for (size_t i = 0; i < m; i++)
            jobs[done + i].err = x[m + i].err;
    }
}

static void
x25519_decapsulate(struct suite_kem *jobs, size_t n)
{
    struct x25519_job x[SPHINX_BATCH_MAX];
    for (size_t done = 0; done < n; done += SPHINX_BATCH_MAX) {
        size_t m = n - done < SPHINX_BATCH_MAX ? n - done : SPHINX_BATCH_MAX;
        for (size_t i = 0; i < m; i++) {
            const struct suite_kem *j = &jobs[done + i];
            x[i] = (struct x25519_job){j->seed, j->element, j->secret, 0};
        }
        x25519_batch(x, m);
        for (size_t i = 0; i < m; i++)
            jobs[done + i].err = x[i].err;
    }
}

/* The seed is the secret key. */
const struct suite suite_x25519 = {
    .id = SPHINX_SUITE_X25519,
    .element_len = crypto_scalarmult_BYTES,
    .public_len = crypto_scalarmult_BYTES,
    .keypair = x25519_keypair,
    .encapsulate = x25519_encapsulate,
    .decapsulate = x25519_decapsulate,
    SUITE_SEALED,
};
