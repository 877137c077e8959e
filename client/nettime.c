/* client/nettime.c - see nettime.h.
 *
 * State: a sample for each of the NETTIME_STORES stores heard last. No timer;
 * what is older than an hour does not count. Failure modes: fewer families than
 * are needed (the own clock, or the gateway's word); liars in fewer than half
 * of the families (the median stands among honest ones). */
#include "client/nettime.h"

#include <sodium.h>
#include <string.h>

static bool
families_are_one(const uint8_t *a, const uint8_t *b)
{
    return !sodium_is_zero(a, FAMILY_LEN) && memcmp(a, b, FAMILY_LEN) == 0;
}

void
nettime_start(struct nettime *n, uint64_t time_ms, uint64_t now_us)
{
    if (time_ms > (uint64_t)INT64_MAX / 1000)
        return;
    n->start_base_us = (int64_t)(time_ms * 1000) - (int64_t)now_us;
    n->has_start = true;
}

/* The place of a store's sample: its own, or that of the one heard longest ago.
 */
static unsigned
sample_place(const struct nettime *n, const uint8_t *store)
{
    unsigned oldest = 0;
    for (unsigned i = 0; i < NETTIME_STORES; i++) {
        if (n->sample[i].heard_us &&
            memcmp(n->sample[i].store, store, SPHINX_ID_LEN) == 0)
            return i;
        if (n->sample[i].heard_us < n->sample[oldest].heard_us)
            oldest = i;
    }
    return oldest;
}

void
nettime_note(struct nettime *n, const struct relay_entry *store,
             uint64_t arrived_ms, uint64_t expected_us, uint64_t now_us)
{
    if (arrived_ms > (uint64_t)INT64_MAX / 1000)
        return;
    const int64_t base_us = (int64_t)(arrived_ms * 1000) - (int64_t)expected_us;
    const unsigned i = sample_place(n, store->identity);
    bool anew = n->sample[i].heard_us == 0 ||
                memcmp(n->sample[i].store, store->identity, SPHINX_ID_LEN) != 0;
    int64_t off_us = anew ? 0 : base_us - n->sample[i].base_us;
    anew |= off_us > NETTIME_RESET_US || off_us < -NETTIME_RESET_US;
    if (anew) {
        memcpy(n->sample[i].store, store->identity, SPHINX_ID_LEN);
        n->sample[i].base_us = base_us;
        n->sample[i].count = 1;
    } else {
        if (n->sample[i].count < NETTIME_MEAN)
            n->sample[i].count++;
        n->sample[i].base_us += off_us / (int64_t)n->sample[i].count;
    }
    memcpy(n->sample[i].family, store->family, FAMILY_LEN);
    n->sample[i].heard_us = now_us ? now_us : 1;
}

unsigned
nettime_families(const struct consensus *c)
{
    size_t n;
    const uint16_t *store = consensus_layer(c, c->params.layers + 1u, &n);
    unsigned families = 0;
    for (size_t i = 0; i < n && families < NETTIME_FAMILIES; i++) {
        bool is_new = true;
        for (size_t k = 0; k < i && is_new; k++)
            is_new = !families_are_one(c->relays[store[i]].family,
                                       c->relays[store[k]].family);
        families += is_new;
    }
    return families;
}

/* The samples that count, one a family (that heard last), sorted. */
static unsigned
samples_gather(const struct nettime *n, uint64_t now_us,
               int64_t base_us[static NETTIME_STORES])
{
    unsigned count = 0;
    for (unsigned i = 0; i < NETTIME_STORES; i++) {
        bool counts = n->sample[i].heard_us != 0 &&
                      now_us - n->sample[i].heard_us <= NETTIME_OLD_US;
        const bool alone = sodium_is_zero(n->sample[i].family, FAMILY_LEN);
        for (unsigned k = 0; k < NETTIME_STORES && counts && !alone; k++)
            counts =
                k == i || n->sample[k].heard_us == 0 ||
                !families_are_one(n->sample[i].family, n->sample[k].family) ||
                n->sample[k].heard_us < n->sample[i].heard_us ||
                (n->sample[k].heard_us == n->sample[i].heard_us && k > i);
        if (!counts)
            continue;
        unsigned k = count++;
        for (; k > 0 && base_us[k - 1] > n->sample[i].base_us; k--)
            base_us[k] = base_us[k - 1];
        base_us[k] = n->sample[i].base_us;
    }
    return count;
}

static int64_t
distance_us(int64_t a_us, int64_t b_us)
{
    return a_us > b_us ? a_us - b_us : b_us - a_us;
}

bool
nettime_agreed(const struct nettime *n, unsigned families, int64_t own_base_us,
               uint64_t now_us, int64_t *base_us)
{
    int64_t sorted[NETTIME_STORES];
    const unsigned count = samples_gather(n, now_us, sorted);
    if (count == 0 || count < families)
        return false;
    if (count >= NETTIME_FAMILIES) {
        *base_us = count % 2
                       ? sorted[count / 2]
                       : sorted[count / 2 - 1] / 2 + sorted[count / 2] / 2;
        return true;
    }
    *base_us = sorted[0];
    if (count == 2 && distance_us(sorted[1], own_base_us) <
                          distance_us(sorted[0], own_base_us))
        *base_us = sorted[1];
    if (distance_us(*base_us, own_base_us) > NETTIME_FAR_US)
        *base_us = own_base_us;
    return true;
}

int64_t
nettime_base_us(const struct nettime *n, unsigned families, int64_t own_base_us,
                uint64_t now_us)
{
    int64_t base_us = own_base_us;
    if (n->has_start &&
        distance_us(n->start_base_us, own_base_us) > NETTIME_FAR_US)
        base_us = n->start_base_us;
    (void)nettime_agreed(n, families, base_us, now_us, &base_us);
    return base_us;
}
