/* client/proofs.c - a table of boxes at stores, and of tokens at boards.
 *
 * States of an entry: ahead (wanted some time), wanted, ready, open (the store
 * has a letter there: nothing is needed), refused (till the epoch ends). One
 * search at a time, the easiest first, so a store that asks for much holds up
 * its own boxes alone (I11). One that gives way goes on where it was, as long as
 * its challenge is the same; to one as easy none gives way.
 *
 * Failure modes: the table is full (the entry that was used longest ago is
 * forgotten, and made again when it is asked for); a store that never has
 * enough (ERR_QUOTA, until the next epoch). */
#include "client/proofs.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/wire.h"

enum proof_state {
    PROOF_NONE = 0,
    PROOF_AHEAD,
    PROOF_WANTED,
    PROOF_READY,
    PROOF_OPEN,
    PROOF_REFUSED
};

struct proof {
    uint8_t box[WIRE_BOX_LEN], store[SPHINX_ID_LEN];
    uint8_t nonce[WORK_NONCE_LEN]; /* or where its search goes on */
    uint8_t state, steps, lies;
    bool announces; /* of a token at a board, not of a box */
    uint32_t epoch; /* of its challenge */
    uint64_t used;  /* a count that grows */
};

struct proofs {
    struct work_maker *maker;
    uint8_t challenge[WORK_CHALLENGE_LEN];
    uint8_t base;          /* bits; 0: no box costs anything */
    uint8_t announce_bits; /* 0: no announcement does */
    uint32_t epoch, oldest;
    uint64_t used, cost;
    struct proof *under_way; /* at the maker, or NULL */
    struct proof proof[PROOFS_MAX];
};

int
proofs_new(struct proofs **out, struct work_maker *maker)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return ERR_NOMEM;
    (*out)->maker = maker;
    return 0;
}

void
proofs_free(struct proofs **pp)
{
    if (*pp)
        sodium_memzero(*pp, sizeof **pp);
    free(*pp);
    *pp = NULL;
}

void
proofs_consensus(struct proofs *p, const struct consensus *newest,
                 uint32_t oldest)
{
    p->oldest = oldest;
    p->base = newest->params.work_bits;
    p->announce_bits = newest->params.announce_bits;
    if (p->epoch == newest->epoch)
        return;
    p->epoch = newest->epoch;
    p->under_way = NULL;
    memcpy(p->challenge, newest->work_challenge, sizeof p->challenge);
}

static struct proof *
proof_find(struct proofs *p, struct proof_place at)
{
    for (size_t i = 0; i < PROOFS_MAX; i++)
        if (p->proof[i].state != PROOF_NONE &&
            memcmp(p->proof[i].box, at.box, WIRE_BOX_LEN) == 0 &&
            memcmp(p->proof[i].store, at.store, SPHINX_ID_LEN) == 0)
            return &p->proof[i];
    return NULL;
}

/* Find an entry, or make one in the place of that used longest ago. What has
 * grown old in it is wanted anew. */
static struct proof *
proof_get(struct proofs *p, struct proof_place at)
{
    struct proof *e = proof_find(p, at);
    if (!e) {
        e = &p->proof[0];
        for (size_t i = 1; i < PROOFS_MAX; i++)
            if (p->proof[i].used < e->used)
                e = &p->proof[i];
        if (p->under_way == e)
            p->under_way = NULL;
        *e = (struct proof){.state = PROOF_AHEAD, .epoch = p->epoch};
        memcpy(e->box, at.box, sizeof e->box);
        memcpy(e->store, at.store, sizeof e->store);
    }
    if (e->epoch < p->oldest &&
        (e->state == PROOF_READY || e->state == PROOF_REFUSED)) {
        e->state = PROOF_AHEAD;
        e->steps = e->lies = 0;
    }
    e->used = ++p->used;
    return e;
}

int
proofs_take(struct proofs *p, struct proof_place at,
            uint8_t nonce[static WORK_NONCE_LEN], uint8_t *steps)
{
    *steps = 0;
    if (p->base == 0)
        return 0;
    struct proof *e = proof_get(p, at);
    switch (e->state) {
    case PROOF_READY:
        *steps = e->steps;
        memcpy(nonce, e->nonce, sizeof e->nonce);
        return 0;
    case PROOF_OPEN:
        return 0;
    case PROOF_REFUSED:
        return ERR_QUOTA;
    default:
        e->state = PROOF_WANTED;
        return ERR_AGAIN;
    }
}

int
proofs_announce(struct proofs *p, struct proof_place at, unsigned more,
                uint8_t nonce[static WORK_NONCE_LEN])
{
    if (p->announce_bits == 0)
        return 0;
    struct proof *e = proof_get(p, at);
    const unsigned most = WORK_BITS_MAX - p->announce_bits;
    e->announces = true;
    e->steps = (uint8_t)(more < most ? more : most);
    if (e->state != PROOF_READY) {
        e->state = PROOF_WANTED;
        return ERR_AGAIN;
    }
    memcpy(nonce, e->nonce, sizeof e->nonce);
    return 0;
}

void
proofs_forget(struct proofs *p, struct proof_place at)
{
    struct proof *e = proof_find(p, at);
    if (!e)
        return;
    if (p->under_way == e)
        p->under_way = NULL;
    sodium_memzero(e, sizeof *e);
}

void
proofs_ahead(struct proofs *p, struct proof_place at)
{
    if (p->base > 0)
        (void)proof_get(p, at);
}

/* Has a put that brought enough been asked for more, once too often? */
static bool
proof_is_refused(struct proof *e, uint8_t steps, uint8_t wanted)
{
    if (wanted > WORK_STEPS_MAX)
        return true;
    return e->state == PROOF_READY && wanted <= steps &&
           ++e->lies >= PROOFS_LIES;
}

uint8_t
proofs_answer(struct proofs *p, struct proof_place at, uint8_t status,
              uint8_t steps, uint8_t wanted)
{
    struct proof *e = proof_find(p, at);
    if (!e)
        return status == WIRE_WORK ? WIRE_RETRY : status;
    if (status == WIRE_KEPT || status == WIRE_TAKEN)
        e->state = PROOF_OPEN;
    if (status != WIRE_WORK)
        return status;
    if (proof_is_refused(e, steps, wanted)) {
        e->state = PROOF_REFUSED;
        e->epoch = p->epoch;
    }
    if (e->state == PROOF_REFUSED)
        return WIRE_FULL;
    if (wanted > e->steps || e->state == PROOF_OPEN || wanted <= steps) {
        e->steps = wanted > e->steps ? wanted : e->steps;
        e->state = PROOF_WANTED;
        if (p->under_way == e)
            p->under_way = NULL;
    }
    return WIRE_RETRY;
}

/* How many bits is it to be worth? 0: nothing is to be found. */
static unsigned
proof_bits(const struct proofs *p, const struct proof *e)
{
    const unsigned base = e->announces ? p->announce_bits : p->base;
    return base > 0 ? base + e->steps : 0;
}

/* Of two as easy: does e go before best? Were the one under way to give way,
 * letters that ask in turn could keep all searches from their end. */
static bool
is_sooner(const struct proofs *p, const struct proof *e,
          const struct proof *best)
{
    return best != p->under_way && (e == p->under_way || e->used < best->used);
}

/* Is e easier than best, or as easy and its turn sooner? */
static bool
is_easier(const struct proofs *p, const struct proof *e,
          const struct proof *best)
{
    const unsigned bits = proof_bits(p, e), other = proof_bits(p, best);
    return bits < other || (bits == other && is_sooner(p, e, best));
}

/* The easiest of what letters wait for, then of what is made ahead; of these the
 * one under way, then the longest unused. */
static struct proof *
proof_next(struct proofs *p)
{
    struct proof *best = NULL;
    for (size_t i = 0; i < PROOFS_MAX; i++) {
        struct proof *e = &p->proof[i];
        if ((e->state != PROOF_AHEAD && e->state != PROOF_WANTED) ||
            proof_bits(p, e) == 0)
            continue;
        if (!best || e->state > best->state ||
            (e->state == best->state && is_easier(p, e, best)))
            best = e;
    }
    return best;
}

static void
proof_found(struct proofs *p, struct proof *e)
{
    e->state = PROOF_READY;
    if (!e->announces)
        p->cost += (uint64_t)1 << proof_bits(p, e);
    p->under_way = NULL;
}

void
proofs_step(struct proofs *p)
{
    if (p->maker && p->under_way &&
        p->maker->found(p->maker, p->under_way->nonce))
        proof_found(p, p->under_way);
    struct proof *e = proof_next(p);
    if (!e)
        return;
    struct work_task task;
    memcpy(task.challenge, p->challenge, sizeof task.challenge);
    memcpy(task.store, e->store, sizeof task.store);
    memcpy(task.box, e->box, sizeof task.box);
    const unsigned bits = proof_bits(p, e);
    const bool is_new = e != p->under_way;
    if (e->epoch != p->epoch)
        memset(e->nonce, 0, sizeof e->nonce);
    p->under_way = e;
    e->epoch = p->epoch;
    if (p->maker && is_new)
        p->maker->start(p->maker, &task, bits, e->nonce);
    else if (!p->maker && work_search(&task, bits, PROOFS_TRIES, e->nonce))
        proof_found(p, e);
}

uint64_t
proofs_cost(const struct proofs *p)
{
    return p->cost;
}
