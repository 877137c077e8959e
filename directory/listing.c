/* directory/listing.c - keeping descriptors. No state of its own. */
#include "directory/listing.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { LISTED_MAX = 2 * RELAYS_MAX };

static struct listed *
listed_find(const struct listing *l, const uint8_t *identity, uint32_t epoch)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->item[i].epoch == epoch &&
            memcmp(l->item[i].identity, identity, SPHINX_ID_LEN) == 0)
            return &l->item[i];
    return NULL;
}

/* Has it a key for the target? */
static bool
listed_serves(const struct listed *item, uint32_t target)
{
    return item->epoch <= target && item->epoch + KEYS_AHEAD > target;
}

/* Is there a newer one that the vote of the target can use? */
static bool
listed_is_superseded(const struct listing *l, const uint8_t *identity,
                     uint32_t epoch, uint32_t target)
{
    for (uint32_t e = epoch + 1; e <= target; e++)
        if (listed_find(l, identity, e))
            return true;
    return false;
}

static int
listing_grow(struct listing *l)
{
    size_t room = l->room ? 2 * l->room : 32;
    if (l->n < l->room)
        return 0;
    if (l->n == LISTED_MAX)
        return ERR_FULL;
    struct listed *more = realloc(l->item, room * sizeof *more);
    if (!more)
        return ERR_NOMEM;
    l->item = more;
    l->room = room;
    return 0;
}

int
listing_put(struct listing *l, const struct descriptor *d, const uint8_t *bytes,
            size_t len, uint32_t target, uint64_t now_ms)
{
    const uint8_t *identity = d->relay.identity;
    struct listed *item = listed_find(l, identity, d->epoch);
    if (listed_is_superseded(l, identity, d->epoch, target))
        return ERR_STALE;
    if (item && strlen(item->text) == len &&
        memcmp(item->text, bytes, len) == 0)
        return ERR_EXISTS;
    if (item && now_ms - item->taken_ms < LISTING_CHANGE_MS)
        return ERR_RATE;
    int err = item ? 0 : listing_grow(l);
    char *text = err ? NULL : malloc(len + 1);
    if (!text)
        return err ? err : ERR_NOMEM;
    memcpy(text, bytes, len);
    text[len] = 0;
    if (item)
        free(item->text);
    else
        item = &l->item[l->n++];
    memcpy(item->identity, identity, SPHINX_ID_LEN);
    item->epoch = d->epoch;
    item->text = text;
    item->taken_ms = now_ms;
    return 0;
}

static int
text_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int
listing_texts(const struct listing *l, uint32_t target, char ***texts,
              size_t *n)
{
    *n = 0;
    *texts = calloc(l->n + 1, sizeof **texts);
    if (!*texts)
        return ERR_NOMEM;
    for (size_t i = 0; i < l->n && *n < RELAYS_MAX; i++) {
        const struct listed *item = &l->item[i];
        if (listed_serves(item, target) &&
            !listed_is_superseded(l, item->identity, item->epoch, target))
            (*texts)[(*n)++] = item->text;
    }
    qsort(*texts, *n, sizeof **texts, text_order);
    return 0;
}

void
listing_prune(struct listing *l, uint32_t target, uint32_t needed)
{
    for (size_t i = l->n; i-- > 0;)
        if (l->item[i].epoch + KEYS_AHEAD <= needed ||
            l->item[i].epoch > target + KEYS_AHEAD) {
            free(l->item[i].text);
            l->item[i] = l->item[--l->n];
        }
}

bool
listing_has(const struct listing *l, const uint8_t *identity, uint32_t target)
{
    for (size_t i = 0; i < l->n; i++)
        if (listed_serves(&l->item[i], target) &&
            memcmp(l->item[i].identity, identity, SPHINX_ID_LEN) == 0)
            return true;
    return false;
}

bool
listing_serves(const struct listing *l, uint32_t target)
{
    for (size_t i = 0; i < l->n; i++)
        if (listed_serves(&l->item[i], target))
            return true;
    return false;
}

void
listing_drop(struct listing *l, const uint8_t *identity)
{
    for (size_t i = l->n; i-- > 0;)
        if (memcmp(l->item[i].identity, identity, SPHINX_ID_LEN) == 0) {
            free(l->item[i].text);
            l->item[i] = l->item[--l->n];
        }
}

void
listing_free(struct listing *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->item[i].text);
    free(l->item);
    *l = (struct listing){0};
}
