/* relay/store_memory.c - a chained hash table of letters.
 *
 * State: the table, and the queue of requests not yet carried out. Failure
 * modes: a put without memory for the letter answers ERR_DB, as a full disk
 * would. */
#include "relay/store_memory.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "network/work.h"

enum { TABLE_LEN = 65536, BOX_SLOTS = 16 };

struct stored_letter {
    struct stored_letter *next;
    uint32_t expiry_day, named; /* the hour in which it was; 0: it was not */
    uint8_t box[32], slot, mark[8];
    bool gone; /* let go: what it was is remembered */
    uint8_t bytes[];
};

struct store_memory {
    size_t letter_len, max, count;
    uint32_t hour; /* the last that was told */
    struct env_store_req *head, **tail;
    struct stored_letter *table[TABLE_LEN];
};

int
store_memory_new(struct store_memory **out, size_t letter_len,
                 size_t letters_max)
{
    struct store_memory *s = calloc(1, sizeof *s);
    *out = s;
    if (!s)
        return ERR_NOMEM;
    s->letter_len = letter_len;
    s->max = letters_max;
    s->tail = &s->head;
    return 0;
}

static void
letter_free(struct store_memory *s, struct stored_letter *l)
{
    s->count -= !l->gone;
    sodium_memzero(l, sizeof *l + s->letter_len);
    free(l);
}

void
store_memory_free(struct store_memory **sp)
{
    struct store_memory *s = *sp;
    if (!s)
        return;
    store_memory_expire(s, UINT32_MAX);
    free(s);
    *sp = NULL;
}

/* Find the chain of a box. Box ids are pseudorandom already: two of their bytes
 * are the place. */
static struct stored_letter **
chain_of(struct store_memory *s, const uint8_t box[static 32])
{
    return &s->table[box[0] | (unsigned)box[1] << 8];
}

static struct stored_letter *
letter_find(struct store_memory *s, const uint8_t box[static 32], unsigned slot)
{
    for (struct stored_letter *l = *chain_of(s, box); l; l = l->next)
        if (l->slot == slot && memcmp(l->box, box, sizeof l->box) == 0)
            return l;
    return NULL;
}

/* Tell which slots hold letters; with_gone: or once did. */
static uint16_t
slots_full(struct store_memory *s, const uint8_t box[static 32], bool with_gone)
{
    uint16_t full = 0;
    for (unsigned slot = 0; slot < BOX_SLOTS; slot++) {
        const struct stored_letter *l = letter_find(s, box, slot);
        if (l && (with_gone || !l->gone))
            full |= (uint16_t)(1u << slot);
    }
    return full;
}

static bool
is_filling(const struct store_memory *s)
{
    return s->count >= s->max / 2;
}

/* Note what the reader of a box names as held. */
static void
held_note(struct store_memory *s, const struct env_store_req *req)
{
    for (unsigned slot = 0; slot < BOX_SLOTS && is_filling(s); slot++) {
        struct stored_letter *l = letter_find(s, req->box, slot);
        if (l && !l->named && (req->held >> slot & 1) &&
            memcmp(l->mark, req->mark, sizeof l->mark) == 0)
            l->named = req->hour;
    }
}

/* Let go of what was named an hour ago, while room is short. */
static void
held_let_go(struct store_memory *s, uint32_t hour)
{
    for (size_t i = 0; i < TABLE_LEN && hour > 0 && is_filling(s); i++)
        for (struct stored_letter *l = s->table[i]; l; l = l->next)
            if (l->named && !l->gone && l->named < hour - 1) {
                l->gone = true;
                s->count--;
            }
}

static int
letter_put(struct store_memory *s, struct env_store_req *req)
{
    struct stored_letter *l = letter_find(s, req->box, req->slot);
    if (l)
        return memcmp(l->bytes, req->letter, s->letter_len) ? ERR_SLOT : 0;
    if (s->count >= s->max)
        return ERR_QUOTA;
    int err = slots_full(s, req->box, true)
                  ? 0
                  : work_judge(req->work_wanted, req->work, s->count, s->max,
                               &req->steps);
    if (err)
        return err;
    l = calloc(1, sizeof *l + s->letter_len);
    if (!l)
        return ERR_DB;
    memcpy(l->box, req->box, sizeof l->box);
    memcpy(l->mark, req->mark, sizeof l->mark);
    memcpy(l->bytes, req->letter, s->letter_len);
    l->slot = req->slot;
    l->expiry_day = req->expiry_day;
    l->next = *chain_of(s, req->box);
    *chain_of(s, req->box) = l;
    s->count++;
    req->is_new = true;
    return 0;
}

/* Get the letter in the first wanted slot from req->slot on, going round. */
static int
letter_get(struct store_memory *s, struct env_store_req *req)
{
    for (unsigned i = 0; i < BOX_SLOTS; i++) {
        unsigned slot = (req->slot + i) % BOX_SLOTS;
        struct stored_letter *l = letter_find(s, req->box, slot);
        if (!l || l->gone || req->held >> slot & 1)
            continue;
        memcpy(req->letter, l->bytes, s->letter_len);
        req->got = (uint8_t)slot;
        return 0;
    }
    return ERR_NOT_FOUND;
}

void
store_memory_request(struct store_memory *s, struct env_store_req *req)
{
    req->next = NULL;
    *s->tail = req;
    s->tail = &req->next;
}

size_t
store_memory_run(struct store_memory *s, size_t max)
{
    size_t n = 0;
    for (; n < max && s->head; n++) {
        struct env_store_req *req = s->head;
        s->head = req->next;
        if (!s->head)
            s->tail = &s->head;
        const bool is_put = req->op == ENV_STORE_PUT;
        if (!is_put)
            held_note(s, req);
        req->err = is_put ? letter_put(s, req) : letter_get(s, req);
        req->full = slots_full(s, req->box, is_put);
        if (s->hour < req->hour) {
            s->hour = req->hour;
            held_let_go(s, s->hour);
        }
        req->done(req);
    }
    return n;
}

size_t
store_memory_expire(struct store_memory *s, uint32_t day)
{
    size_t before = s->count;
    for (size_t i = 0; i < TABLE_LEN; i++)
        for (struct stored_letter **l = &s->table[i]; *l;) {
            struct stored_letter *old = *l;
            if (old->expiry_day >= day && day != UINT32_MAX) {
                l = &old->next;
                continue;
            }
            *l = old->next;
            letter_free(s, old);
        }
    return before - s->count;
}

size_t
store_memory_count(const struct store_memory *s)
{
    return s->count;
}
