/* client/heard/naming.c - see words.h. No timer: words are replaced, and what
 * they name is looked for among lists that are at most minutes old. */
#include "client/heard/naming.h"

#include <string.h>

#include "network/family.h"

bool
naming_are_related(const struct relay_entry *a, const struct relay_entry *b)
{
    return memcmp(a->identity, b->identity, SPHINX_ID_LEN) == 0 ||
           family_is_one(a->family, b->family);
}

void
naming_note(struct naming *w, const struct relay_entry *store,
            const struct wire_root *root, uint64_t now_us)
{
    unsigned at = 0;
    for (unsigned i = 0; i < NAMING_STORES; i++) {
        if (w->word[i].heard_us &&
            memcmp(w->word[i].store, store->identity, SPHINX_ID_LEN) == 0) {
            at = i;
            break;
        }
        if (w->word[i].heard_us < w->word[at].heard_us)
            at = i;
    }
    w->word[at].heard_us = now_us + 1;
    w->word[at].interval = root->interval;
    w->word[at].since =
        root->back == WIRE_BACK_MOST || root->back > root->interval
            ? 0
            : root->interval - root->back;
    memcpy(w->word[at].root, root->root, LIST_ROOT_LEN);
    memcpy(w->word[at].store, store->identity, SPHINX_ID_LEN);
    memcpy(w->word[at].family, store->family, FAMILY_LEN);
}

static uint32_t
naming_of(const struct naming *w, uint32_t interval, const uint8_t *root,
          bool is_equal)
{
    uint32_t out = 0;
    for (unsigned i = 0; i < NAMING_STORES; i++)
        if (w->word[i].heard_us && w->word[i].interval == interval &&
            (memcmp(w->word[i].root, root, LIST_ROOT_LEN) == 0) == is_equal)
            out |= 1u << i;
    return out;
}

uint32_t
naming_for(const struct naming *w, uint32_t interval,
           const uint8_t root[static LIST_ROOT_LEN])
{
    return naming_of(w, interval, root, true);
}

uint32_t
naming_against(const struct naming *w, uint32_t interval,
               const uint8_t root[static LIST_ROOT_LEN])
{
    return naming_of(w, interval, root, false);
}

uint32_t
naming_reaching(const struct naming *w, uint32_t words, uint32_t interval)
{
    uint32_t out = 0;
    for (unsigned i = 0; i < NAMING_STORES; i++)
        if (w->word[i].since <= interval)
            out |= words & 1u << i;
    return out;
}

uint32_t
naming_unrelated(const struct naming *w, const struct relay_entry *store)
{
    uint32_t out = 0;
    for (unsigned i = 0; i < NAMING_STORES; i++)
        if (memcmp(w->word[i].store, store->identity, SPHINX_ID_LEN) != 0 &&
            !family_is_one(w->word[i].family, store->family))
            out |= 1u << i;
    return out;
}

unsigned
naming_families(const struct naming *w, uint32_t words)
{
    unsigned out = 0;
    for (unsigned i = 0; i < NAMING_STORES; i++) {
        bool is_new = words >> i & 1;
        for (unsigned k = 0; k < i && is_new; k++)
            is_new = !(words >> k & 1) ||
                     !family_is_one(w->word[i].family, w->word[k].family);
        out += is_new;
    }
    return out;
}
