/* client/heard/witness.c - see witness.h.
 *
 * State: the last word of each of the WITNESSES stores heard last. No timer:
 * words age. */
#include "client/heard/witness.h"

#include <string.h>

#include "network/family.h"

/* Where this store's word goes: over its last one, or the oldest. */
static unsigned
witness_place(const struct witness *w, const uint8_t *store)
{
    unsigned oldest = 0;
    for (unsigned i = 0; i < WITNESSES; i++) {
        if (w->said[i].epoch &&
            memcmp(w->said[i].store, store, SPHINX_ID_LEN) == 0)
            return i;
        if (w->said[oldest].epoch &&
            (w->said[i].epoch == 0 ||
             w->said[i].heard_us < w->said[oldest].heard_us))
            oldest = i;
    }
    return oldest;
}

void
witness_note(struct witness *w, const struct relay_entry *store, uint32_t epoch,
             const uint8_t digest[static SPHINX_DIGEST_LEN], uint32_t newest,
             uint32_t latest, uint64_t now_us)
{
    if (epoch < newest || epoch > (uint64_t)latest + WITNESS_AHEAD)
        return;
    const unsigned i = witness_place(w, store->identity);
    w->said[i].epoch = epoch;
    w->said[i].heard_us = now_us;
    memcpy(w->said[i].digest, digest, SPHINX_DIGEST_LEN);
    memcpy(w->said[i].store, store->identity, SPHINX_ID_LEN);
    memcpy(w->said[i].family, store->family, FAMILY_LEN);
}

/* Do the words i and k, both of them counting, come from one family? */
static bool
words_are_related(const struct witness *w, unsigned i, unsigned k)
{
    return family_is_one(w->said[i].family, w->said[k].family);
}

uint32_t
witness_epoch(const struct witness *w, unsigned families, uint64_t max_age_us,
              uint64_t now_us)
{
    uint32_t best = 0;
    for (unsigned i = 0; i < WITNESSES; i++) {
        unsigned named = 0;
        for (unsigned k = 0; k < WITNESSES; k++) {
            bool counts = w->said[k].epoch == w->said[i].epoch &&
                          w->said[k].epoch > best &&
                          now_us - w->said[k].heard_us <= max_age_us &&
                          memcmp(w->said[k].digest, w->said[i].digest,
                                 SPHINX_DIGEST_LEN) == 0;
            for (unsigned j = 0; j < k && counts; j++)
                counts = w->said[j].epoch != w->said[i].epoch ||
                         memcmp(w->said[j].digest, w->said[i].digest,
                                SPHINX_DIGEST_LEN) != 0 ||
                         now_us - w->said[j].heard_us > max_age_us ||
                         !words_are_related(w, j, k);
            named += counts;
        }
        if (named > 0 && named >= families)
            best = w->said[i].epoch;
    }
    return best;
}
