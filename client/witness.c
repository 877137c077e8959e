/* client/witness.c - see witness.h. */
#include "client/witness.h"

#include <sodium.h>
#include <string.h>

static bool
is_unrelated(const struct witness *w, unsigned i,
             const struct relay_entry *store)
{
    if (memcmp(w->said[i].store, store->identity, SPHINX_ID_LEN) == 0)
        return false;
    return sodium_is_zero(store->family, FAMILY_LEN) ||
           memcmp(w->said[i].family, store->family, FAMILY_LEN) != 0;
}

/* Where this store's word goes: over its last one, or the oldest. */
static unsigned
place_of(struct witness *w, const struct relay_entry *store)
{
    for (unsigned i = 0; i < WITNESSES; i++)
        if (w->said[i].epoch &&
            memcmp(w->said[i].store, store->identity, SPHINX_ID_LEN) == 0)
            return i;
    return w->next++ % WITNESSES;
}

void
witness_note(struct witness *w, const struct relay_entry *store, uint32_t epoch,
             const uint8_t digest[static SPHINX_DIGEST_LEN], uint32_t newest,
             uint64_t now_us)
{
    if (w->epoch && w->epoch <= newest)
        w->epoch = 0; /* it came */
    if (epoch <= newest)
        return;
    for (unsigned i = 0; i < WITNESSES; i++)
        if (w->said[i].epoch == epoch && w->epoch < epoch &&
            memcmp(w->said[i].digest, digest, SPHINX_DIGEST_LEN) == 0 &&
            is_unrelated(w, i, store)) {
            if (w->epoch == 0) /* else it is behind since the one before */
                w->since_us = now_us;
            w->epoch = epoch;
        }
    const unsigned i = place_of(w, store);
    w->said[i].epoch = epoch;
    memcpy(w->said[i].digest, digest, SPHINX_DIGEST_LEN);
    memcpy(w->said[i].store, store->identity, SPHINX_ID_LEN);
    memcpy(w->said[i].family, store->family, FAMILY_LEN);
}

bool
witness_is_behind(const struct witness *w, uint32_t newest,
                  uint64_t patience_us, uint64_t now_us)
{
    return w->epoch > newest && now_us - w->since_us > patience_us;
}
