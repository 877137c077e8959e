/* client/heard/tokens.c - see tokens.h.
 *
 * State: items, of which the used ones hang in buckets by the first bits of
 * their prefix (tokens are uniform; who chooses his own chooses for himself) and in
 * others by their contact, the rest in one chain of free ones. No timer. Failure modes:
 * no memory for more items, or TOKENS_MAX: what was awaited stays, and the sweep finds
 * what is not. A call that changes what is awaited looks at items of this contact's
 * bucket alone; contacts are numbered, so it has no others as long as there are fewer
 * contacts than items. */
#include "client/heard/tokens.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/letters/letter.h"
#include "lib/codec.h"

enum { TOKENS_FIRST = 256 };
#define TOKENS_NONE UINT32_MAX

struct tokens {
    struct token *item; /* of which `room`: a power of two; used: k as it is */
    bool *used;
    uint32_t *bucket; /* as many */
    uint32_t *owner;  /* and these, by contact */
    uint32_t room, free;
    size_t count;
};

void
awaited_note(struct awaited *a, uint32_t k)
{
    if (k < a->next) {
        if (a->next - 1 - k < TOKENS_BEHIND)
            a->behind &= (uint8_t) ~(1u << (a->next - 1 - k));
        return;
    }
    const uint32_t past = k - a->next; /* passed over */
    const uint32_t all = past < TOKENS_BEHIND ? (1u << past) - 1 : UINT8_MAX;
    const uint32_t old =
        past + 1 < TOKENS_BEHIND ? (uint32_t)a->behind << (past + 1) : 0;
    a->behind = (uint8_t)(old | all << 1);
    a->next = k < UINT32_MAX ? k + 1 : k;
}

static uint32_t
token_bucket(const struct tokens *t, const uint8_t *prefix)
{
    return codec_get32(prefix) & (t->room - 1);
}

static uint32_t *
token_owner(const struct tokens *t, uint32_t contact)
{
    return &t->owner[contact & (t->room - 1)];
}

/* Hang item i, which is used, into its buckets. */
static void
token_hang(struct tokens *t, uint32_t i)
{
    struct token *item = &t->item[i];
    uint32_t *head = &t->bucket[token_bucket(t, item->prefix)];
    uint32_t *mates = token_owner(t, item->contact);
    item->next = *head;
    *head = i;
    item->mate = *mates;
    *mates = i;
}

/* Fill the buckets and the chain of free items anew. */
static void
tokens_hang(struct tokens *t)
{
    t->free = TOKENS_NONE;
    for (uint32_t i = 0; i < t->room; i++)
        t->bucket[i] = t->owner[i] = TOKENS_NONE;
    for (uint32_t i = t->room; i-- > 0;) {
        if (t->used[i]) {
            token_hang(t, i);
            continue;
        }
        t->item[i].next = t->free;
        t->free = i;
    }
}

static void
tokens_wipe(struct tokens *t)
{
    if (t->item)
        sodium_memzero(t->item, t->room * sizeof *t->item);
    free(t->item);
    free(t->used);
    free(t->bucket);
    free(t->owner);
}

/* Give the table `room` items. */
static int
tokens_grow(struct tokens *t, uint32_t room)
{
    struct tokens to = {.room = room, .count = t->count};
    assert(room > t->room);
    to.item = calloc(room, sizeof *to.item);
    to.used = calloc(room, sizeof *to.used);
    to.bucket = calloc(room, sizeof *to.bucket);
    to.owner = calloc(room, sizeof *to.owner);
    if (!to.item || !to.used || !to.bucket || !to.owner) {
        tokens_wipe(&to);
        return ERR_NOMEM;
    }
    if (t->room > 0) {
        memcpy(to.item, t->item, t->room * sizeof *t->item);
        memcpy(to.used, t->used, t->room * sizeof *t->used);
    }
    struct tokens before = *t;
    *t = to;
    tokens_hang(t);
    tokens_wipe(&before);
    return 0;
}

int
tokens_new(struct tokens **out)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return ERR_NOMEM;
    int err = tokens_grow(*out, TOKENS_FIRST);
    if (err)
        tokens_free(out);
    return err;
}

void
tokens_free(struct tokens **tp)
{
    struct tokens *t = *tp;
    *tp = NULL;
    if (!t)
        return;
    tokens_wipe(t);
    free(t);
}

/* Make sure that n more have room. */
static int
tokens_room(struct tokens *t, size_t n)
{
    if (t->count + n <= t->room)
        return 0;
    return t->room < TOKENS_MAX ? tokens_grow(t, 2 * t->room) : ERR_FULL;
}

static void
token_add(struct tokens *t, const struct token *token)
{
    const uint32_t i = t->free;
    assert(i != TOKENS_NONE);
    t->free = t->item[i].next;
    t->item[i] = *token;
    t->used[i] = true;
    token_hang(t, i);
    t->count++;
}

/* Drop the item at this place of its contact's bucket. */
static void
token_drop(struct tokens *t, uint32_t *mates)
{
    const uint32_t i = *mates;
    uint32_t *at = &t->bucket[token_bucket(t, t->item[i].prefix)];
    while (*at != i)
        at = &t->item[*at].next;
    *at = t->item[i].next;
    *mates = t->item[i].mate;
    t->count--;
    sodium_memzero(&t->item[i], sizeof t->item[i]);
    t->item[i].next = t->free;
    t->used[i] = false;
    t->free = i;
}

/* Drop a contact's items of the periods from `first` to `last`. */
static void
tokens_drop(struct tokens *t, uint32_t contact, uint32_t first, uint32_t last)
{
    for (uint32_t *at = token_owner(t, contact); *at != TOKENS_NONE;) {
        struct token *item = &t->item[*at];
        if (item->contact == contact && item->period >= first &&
            item->period <= last)
            token_drop(t, at);
        else
            at = &item->mate;
    }
}

/* Count a contact's items of a period. */
static size_t
tokens_of(const struct tokens *t, uint32_t contact, uint32_t period)
{
    size_t n = 0;
    for (uint32_t i = *token_owner(t, contact); i != TOKENS_NONE;
         i = t->item[i].mate)
        n += t->item[i].contact == contact && t->item[i].period == period;
    return n;
}

static struct token
token_of(uint32_t contact, const uint8_t *chain, uint32_t period, uint32_t k)
{
    uint8_t token[LETTER_TOKEN_LEN];
    struct token out = {.contact = contact, .period = period, .k = k};
    letter_token(chain, period, k, token);
    memcpy(out.prefix, token, LIST_ENTRY_LEN);
    sodium_memzero(token, sizeof token);
    return out;
}

/* Make the awaited tokens in `out`; returns how many they are. */
static size_t
awaited_make(const struct awaited *a, uint32_t contact, const uint8_t *chain,
             struct token out[static TOKENS_BEHIND + TOKENS_WINDOW])
{
    size_t n = 0;
    for (uint32_t i = 0; i < TOKENS_BEHIND && i < a->next; i++)
        if (a->behind >> i & 1)
            out[n++] = token_of(contact, chain, a->period, a->next - 1 - i);
    for (uint32_t i = 0; i < TOKENS_WINDOW && i <= UINT32_MAX - a->next; i++)
        out[n++] = token_of(contact, chain, a->period, a->next + i);
    return n;
}

int
tokens_set(struct tokens *t, uint32_t contact,
           const uint8_t chain[static TOKENS_CHAIN_LEN],
           const struct awaited *a)
{
    struct token token[TOKENS_BEHIND + TOKENS_WINDOW];
    const size_t n = awaited_make(a, contact, chain, token);
    /* those of before stay until the new ones have room */
    const size_t before = tokens_of(t, contact, a->period);
    int err = n > before ? tokens_room(t, n - before) : 0;
    if (!err && before > 0)
        tokens_drop(t, contact, a->period, a->period);
    for (size_t i = 0; !err && i < n; i++)
        token_add(t, &token[i]);
    sodium_memzero(token, sizeof token);
    return err;
}

void
tokens_remove(struct tokens *t, uint32_t contact)
{
    tokens_drop(t, contact, 0, UINT32_MAX);
}

void
tokens_expire(struct tokens *t, uint32_t contact, uint32_t oldest)
{
    if (oldest > 0)
        tokens_drop(t, contact, 0, oldest - 1);
}

int
tokens_reserve(struct tokens *t, size_t n)
{
    uint32_t room = t->room;
    while (room < n && room < TOKENS_MAX)
        room *= 2;
    return room > t->room ? tokens_grow(t, room) : 0;
}

const struct token *
tokens_find(const struct tokens *t, const uint8_t prefix[static LIST_ENTRY_LEN],
            const struct token *after)
{
    uint32_t i = after ? after->next : t->bucket[token_bucket(t, prefix)];
    while (i != TOKENS_NONE &&
           memcmp(t->item[i].prefix, prefix, LIST_ENTRY_LEN) != 0)
        i = t->item[i].next;
    return i == TOKENS_NONE ? NULL : &t->item[i];
}

size_t
tokens_count(const struct tokens *t)
{
    return t->count;
}
