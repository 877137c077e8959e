/* directory/listing.c - keeping descriptors, and choosing those for a vote.
 *
 * State: the listing, an array of LISTED_MAX items at most, sorted by identity
 * and epoch. A vote has room for less than the longest descriptors of all
 * relays, so texts come to it in turns (enum listing_turn); in each turn by
 * identity.
 *
 * Timers: none; the caller prunes with each epoch. Failure modes: a relay that
 * changes its descriptor too fast (RATE), one that a newer one has replaced
 * (STALE), no place (FULL), no memory: the listing is then as it was. */
#include "directory/listing.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { LISTED_MAX = 2 * RELAYS_MAX };

/* Compare what lies at `item` with the descriptor that this relay has for this
 * epoch. */
static int
listed_order(const struct listed *item, const uint8_t *identity, uint32_t epoch)
{
    const int c = memcmp(item->identity, identity, SPHINX_ID_LEN);
    return c ? c : item->epoch == epoch ? 0 : item->epoch < epoch ? -1 : 1;
}

/* Find the first place whose item does not come before that of this relay and
 * epoch. */
static size_t
place_find(const struct listing *l, const uint8_t *identity, uint32_t epoch)
{
    size_t at = 0, end = l->n;
    while (at < end) {
        const size_t middle = at + (end - at) / 2;
        if (listed_order(l->item[middle], identity, epoch) < 0)
            at = middle + 1;
        else
            end = middle;
    }
    return at;
}

static struct listed *
listed_find(const struct listing *l, const uint8_t *identity, uint32_t epoch)
{
    const size_t at = place_find(l, identity, epoch);
    return at < l->n && listed_order(l->item[at], identity, epoch) == 0
               ? l->item[at]
               : NULL;
}

static void
listed_free(struct listed *item)
{
    free(item->text);
    free(item);
}

/* Has the descriptor a key for the target? */
static bool
listed_serves(const struct listed *item, uint32_t target)
{
    return item->epoch <= target && item->epoch + KEYS_AHEAD > target;
}

/* Is the item at `at` a newer descriptor of the same relay that serves the vote
 * for the target better than the one before? Items of one relay stand in the
 * order of their epochs. */
static bool
is_superseded(const struct listing *l, size_t at, const uint8_t *identity,
              uint32_t target)
{
    return at < l->n && l->item[at]->epoch <= target &&
           memcmp(l->item[at]->identity, identity, SPHINX_ID_LEN) == 0;
}

static int
listing_grow(struct listing *l)
{
    size_t room = l->room ? 2 * l->room : 32;
    if (l->n < l->room)
        return 0;
    if (l->n == LISTED_MAX)
        return ERR_FULL;
    struct listed **more = realloc(l->item, room * sizeof *more);
    if (!more)
        return ERR_NOMEM;
    l->item = more;
    l->room = room;
    return 0;
}

/* Put a new item of this relay and epoch in its place. */
static int
listed_enter(struct listing *l, const uint8_t *identity, uint32_t epoch,
             struct listed **out)
{
    int err = listing_grow(l);
    *out = err ? NULL : calloc(1, sizeof **out);
    if (!*out)
        return err ? err : ERR_NOMEM;
    const size_t at = place_find(l, identity, epoch);
    memmove(&l->item[at + 1], &l->item[at], (l->n++ - at) * sizeof *l->item);
    l->item[at] = *out;
    memcpy((*out)->identity, identity, SPHINX_ID_LEN);
    (*out)->epoch = epoch;
    return 0;
}

int
listing_put(struct listing *l, const struct descriptor *d, const uint8_t *bytes,
            size_t len, uint32_t target, uint64_t now_ms)
{
    const uint8_t *identity = d->relay.identity;
    struct listed *item = listed_find(l, identity, d->epoch);
    if (d->epoch < target &&
        is_superseded(l, place_find(l, identity, d->epoch + 1), identity,
                      target))
        return ERR_STALE;
    if (item && strlen(item->text) == len &&
        memcmp(item->text, bytes, len) == 0)
        return ERR_EXISTS;
    if (item && now_ms - item->taken_ms < LISTING_CHANGE_MS)
        return ERR_RATE;
    char *text = malloc(len + 1);
    int err = !text  ? ERR_NOMEM
              : item ? 0
                     : listed_enter(l, identity, d->epoch, &item);
    if (err) {
        free(text);
        return err;
    }
    memcpy(text, bytes, len);
    text[len] = 0;
    free(item->text);
    item->text = text;
    item->taken_ms = now_ms;
    return 0;
}

static int
text_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Compute the length of a text in a vote: in quotes, with what JSON escapes by
 * another character, and a comma. */
static size_t
written_len(const char *text)
{
    size_t len = 3;
    for (; *text; text++)
        len += 1u + (*text == '"' || *text == '\\' || *text == '\n');
    return len;
}

/* The turns in which texts come to the room of a vote. */
enum listing_turn { TURN_KNOWN, TURN_KNOWN_LONG, TURN_STRANGER };

/* Tell in which turn a text of len bytes comes. Relays of the newest consensus
 * that need no more than their share of the room have it whatever others say: a
 * descriptor with many links is four times as long as one without, and whoever
 * makes a long one must not push another's out. */
static enum listing_turn
turn_of(const struct consensus *newest, const uint8_t *identity, size_t len,
        size_t share)
{
    if (newest && consensus_find(newest, identity) < 0)
        return TURN_STRANGER;
    return len <= share ? TURN_KNOWN : TURN_KNOWN_LONG;
}

int
listing_texts(const struct listing *l, uint32_t target,
              const struct consensus *newest, size_t room, char ***texts,
              size_t *n)
{
    const size_t share = room / RELAYS_MAX;
    *n = 0;
    *texts = calloc(l->n + 1, sizeof **texts);
    if (!*texts)
        return ERR_NOMEM;
    for (enum listing_turn turn = TURN_KNOWN; turn <= TURN_STRANGER; turn++)
        for (size_t i = 0; i < l->n && *n < RELAYS_MAX; i++) {
            const struct listed *item = l->item[i];
            if (!listed_serves(item, target) ||
                is_superseded(l, i + 1, item->identity, target))
                continue;
            const size_t len = written_len(item->text);
            if (turn_of(newest, item->identity, len, share) != turn ||
                len > room)
                continue;
            room -= len;
            (*texts)[(*n)++] = item->text;
        }
    qsort(*texts, *n, sizeof **texts, text_order);
    return 0;
}

/* Drop those that `goes` names; those behind move up once. */
static void
listing_sift(struct listing *l,
             bool (*goes)(const void *ctx, const struct listed *item),
             const void *ctx)
{
    size_t kept = 0;
    for (size_t i = 0; i < l->n; i++)
        if (goes(ctx, l->item[i]))
            listed_free(l->item[i]);
        else
            l->item[kept++] = l->item[i];
    l->n = kept;
}

struct epochs_needed {
    uint32_t target, needed;
};

static bool
is_of_no_use(const void *ctx, const struct listed *item)
{
    const struct epochs_needed *s = ctx;
    return item->epoch + KEYS_AHEAD <= s->needed ||
           item->epoch > s->target + KEYS_AHEAD;
}

void
listing_prune(struct listing *l, uint32_t target, uint32_t needed)
{
    const struct epochs_needed s = {target, needed};
    listing_sift(l, is_of_no_use, &s);
}

bool
listing_has(const struct listing *l, const uint8_t *identity, uint32_t target)
{
    for (size_t at = place_find(l, identity, 0);
         at < l->n &&
         memcmp(l->item[at]->identity, identity, SPHINX_ID_LEN) == 0;
         at++)
        if (listed_serves(l->item[at], target))
            return true;
    return false;
}

bool
listing_serves(const struct listing *l, uint32_t target)
{
    for (size_t i = 0; i < l->n; i++)
        if (listed_serves(l->item[i], target))
            return true;
    return false;
}

static bool
is_of(const void *ctx, const struct listed *item)
{
    return memcmp(item->identity, ctx, SPHINX_ID_LEN) == 0;
}

void
listing_drop(struct listing *l, const uint8_t *identity)
{
    listing_sift(l, is_of, identity);
}

void
listing_free(struct listing *l)
{
    for (size_t i = 0; i < l->n; i++)
        listed_free(l->item[i]);
    free(l->item);
    *l = (struct listing){0};
}
