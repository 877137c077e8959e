/* client/heard/nettime.c - see nettime.h.
 *
 * State: a sample for each of the NETTIME_STORES stores heard last. No timer;
 * what is older than an hour does not count. Failure modes: fewer families than
 * are needed (the own clock, or the gateway's word); liars in fewer than half
 * of the families (the median stands among honest ones). */
#include "client/heard/nettime.h"

#include <assert.h>
#include <string.h>

#include "network/family.h"

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

/* The median of n sorted ones. */
static int64_t
sorted_median_us(const int64_t *sorted_us, unsigned n)
{
    assert(n > 0);
    return n % 2 ? sorted_us[n / 2]
                 : sorted_us[n / 2 - 1] / 2 + sorted_us[n / 2] / 2;
}

/* Put one more among n sorted ones. */
static void
sorted_insert(int64_t *sorted_us, unsigned n, int64_t us)
{
    for (; n > 0 && sorted_us[n - 1] > us; n--)
        sorted_us[n] = sorted_us[n - 1];
    sorted_us[n] = us;
}

/* The median of what a store has said lately, of its last NETTIME_LEAST words at
 * least. */
static int64_t
words_median_us(const struct nettime_sample *s, uint64_t now_us)
{
    int64_t sorted_us[NETTIME_WORDS];
    unsigned n = 0;
    while (n < s->count && n < NETTIME_WORDS) {
        const unsigned at = (s->count - 1 - n) % NETTIME_WORDS;
        if (n >= NETTIME_LEAST &&
            now_us - s->word[at].heard_us > NETTIME_SPAN_US)
            break;
        sorted_insert(sorted_us, n++, s->word[at].base_us);
    }
    return sorted_median_us(sorted_us, n);
}

void
nettime_note(struct nettime *n, const struct relay_entry *store,
             uint64_t arrived_ms, uint64_t expected_us, uint64_t now_us)
{
    if (arrived_ms > (uint64_t)INT64_MAX / 1000)
        return;
    struct nettime_sample *s = &n->sample[sample_place(n, store->identity)];
    if (memcmp(s->store, store->identity, SPHINX_ID_LEN) != 0 ||
        now_us - s->heard_us > NETTIME_OLD_US)
        s->count = 0;
    const unsigned at = s->count++ % NETTIME_WORDS;
    s->word[at].base_us = (int64_t)(arrived_ms * 1000) - (int64_t)expected_us;
    s->word[at].heard_us = now_us;
    s->base_us = words_median_us(s, now_us);
    memcpy(s->store, store->identity, SPHINX_ID_LEN);
    memcpy(s->family, store->family, FAMILY_LEN);
    s->heard_us = now_us ? now_us : 1;
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
            is_new = !family_is_one(c->relays[store[i]].family,
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
        for (unsigned k = 0; k < NETTIME_STORES && counts; k++)
            counts = k == i || n->sample[k].heard_us == 0 ||
                     !family_is_one(n->sample[i].family, n->sample[k].family) ||
                     n->sample[k].heard_us < n->sample[i].heard_us ||
                     (n->sample[k].heard_us == n->sample[i].heard_us && k > i);
        if (!counts)
            continue;
        sorted_insert(base_us, count++, n->sample[i].base_us);
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
        *base_us = sorted_median_us(sorted, count);
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
