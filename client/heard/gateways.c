/* client/heard/gateways.c - see gateways.h.
 *
 * State: the set, which of it is used, how many changes in a row brought no
 * answer. No timer: others say when. Failure modes: every gateway of the set is
 * down or blocked (the client waits, going round; it takes one new gateway in
 * weeks), or has left the network (replaced at once). */
#include "client/heard/gateways.h"

#include <assert.h>
#include <string.h>

#include "lib/codec.h"
#include "lib/rng.h"
#include "network/family.h"

const uint8_t *
gateways_current(const struct gateways *g)
{
    return g->n ? g->member[g->current].identity : NULL;
}

static bool
gateways_have(const struct gateways *g, const uint8_t *identity)
{
    for (unsigned i = 0; i < g->n; i++)
        if (memcmp(g->member[i].identity, identity, SPHINX_ID_LEN) == 0)
            return true;
    return false;
}

bool
gateways_admit(const struct consensus *c, uint16_t relay)
{
    size_t n;
    const struct relay_entry *r = &c->relays[relay];
    const uint16_t *store = consensus_layer(c, c->params.layers + 1u, &n);
    if (r->role != ROLE_GATEWAY)
        return false;
    for (size_t i = 0; i < n; i++)
        if (family_is_one(c->relays[store[i]].family, r->family))
            return false;
    return true;
}

void
gateways_begin(struct gateways *g, struct env *env,
               uint8_t (*identity)[SPHINX_ID_LEN], size_t n)
{
    if (g->n > 0 || n == 0)
        return;
    size_t start = (size_t)rng_below(env, n);
    *g = (struct gateways){0};
    for (size_t i = 0; i < n && g->n < GATEWAYS_MAX; i++) {
        const uint8_t *one = identity[(start + i) % n];
        if (!gateways_have(g, one))
            memcpy(g->member[g->n++].identity, one, SPHINX_ID_LEN);
    }
}

/* The weight of a relay of c in the draw; 0: it may not be drawn. */
static uint64_t
gateway_weight(const struct gateways *g, const struct consensus *c,
               uint16_t relay)
{
    const struct relay_entry *r = &c->relays[relay];
    return gateways_admit(c, relay) && !gateways_have(g, r->identity)
               ? (uint64_t)r->bandwidth + 1
               : 0;
}

/* Draw a gateway of c that is not in the set, by bandwidth; -1: there is none. */
static int
gateway_draw(const struct gateways *g, struct env *env,
             const struct consensus *c)
{
    size_t n;
    const uint16_t *relay = consensus_layer(c, 0, &n);
    uint64_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += gateway_weight(g, c, relay[i]);
    if (total == 0)
        return -1;
    uint64_t at = rng_below(env, total);
    for (size_t i = 0; i < n; i++) {
        const uint64_t weight = gateway_weight(g, c, relay[i]);
        if (at < weight)
            return relay[i];
        at -= weight;
    }
    return -1; /* not reached: the weights add up to total */
}

/* Put a newly drawn one in the place of member i, or behind the last. */
static bool
member_draw(struct gateways *g, struct env *env, const struct consensus *c,
            unsigned i)
{
    int drawn = gateway_draw(g, env, c);
    if (drawn < 0)
        return false;
    if (i == g->n)
        g->n++;
    memcpy(g->member[i].identity, c->relays[drawn].identity, SPHINX_ID_LEN);
    g->member[i].out_s = 0;
    return true;
}

static void
set_write(const struct gateways *g, uint8_t out[static GATEWAYS_RECORD_LEN])
{
    struct codec_writer w;
    codec_writer_init(&w, out, GATEWAYS_RECORD_LEN);
    gateways_write(g, &w);
    assert(!w.err && w.left == 0);
}

bool
gateways_consensus(struct gateways *g, struct env *env,
                   const struct consensus *c, uint64_t now_s)
{
    uint8_t before[GATEWAYS_RECORD_LEN], after[GATEWAYS_RECORD_LEN];
    unsigned listed = 0;
    set_write(g, before);
    /* the weeks begin with the first consensus, not by a clock that nothing
     * binds: one that was years behind would let another be drawn at once, one
     * that was years ahead would let none be drawn for years */
    if (g->renewed_s == 0 || g->renewed_s > now_s)
        g->renewed_s = now_s;
    for (unsigned i = 0; i < g->n; i++) {
        int number = consensus_find(c, g->member[i].identity);
        if (number >= 0 && !gateways_admit(c, (uint16_t)number))
            (void)member_draw(g, env, c, i); /* if there is a better one */
        if (number >= 0)
            g->member[i].out_s = 0;
        else if (g->member[i].out_s == 0)
            g->member[i].out_s = now_s;
        listed += number >= 0;
    }
    for (unsigned i = 0; i < g->n; i++)
        if (g->member[i].out_s &&
            (listed == 0 || now_s > g->member[i].out_s + GATEWAYS_OUT_S))
            (void)member_draw(g, env, c, i);
    while (g->n < GATEWAYS_MAX && member_draw(g, env, c, g->n))
        ;
    if (g->n > 0 && g->member[g->current].out_s)
        gateways_next(g, env, c, now_s);
    set_write(g, after);
    return memcmp(before, after, sizeof before) != 0;
}

void
gateways_next(struct gateways *g, struct env *env, const struct consensus *c,
              uint64_t now_s)
{
    if (g->n == 0)
        return;
    if (g->failed < UINT8_MAX)
        g->failed++;
    if (c && g->failed >= g->n && now_s > g->renewed_s + GATEWAYS_RENEW_S &&
        member_draw(g, env, c, g->current)) {
        g->renewed_s = now_s;
        g->failed = 0;
        return;
    }
    for (unsigned i = 1; i <= g->n; i++) {
        unsigned next = (g->current + i) % g->n;
        if (g->member[next].out_s == 0 || i == g->n) {
            g->current = (uint8_t)next;
            return;
        }
    }
}

void
gateways_works(struct gateways *g)
{
    g->failed = 0;
}

void
gateways_write(const struct gateways *g, struct codec_writer *w)
{
    codec_write8(w, (uint8_t)(g->n << 4 | g->current));
    for (unsigned i = 0; i < GATEWAYS_MAX; i++) {
        codec_write_bytes(w, g->member[i].identity, SPHINX_ID_LEN);
        codec_write64(w, g->member[i].out_s);
    }
    codec_write64(w, g->renewed_s);
}

int
gateways_read(struct gateways *g, struct codec_reader *r)
{
    *g = (struct gateways){0};
    uint8_t head = codec_read8(r);
    g->n = head >> 4;
    g->current = head & 15;
    for (unsigned i = 0; i < GATEWAYS_MAX; i++) {
        const uint8_t *identity = codec_read_bytes(r, SPHINX_ID_LEN);
        if (identity)
            memcpy(g->member[i].identity, identity, SPHINX_ID_LEN);
        g->member[i].out_s = codec_read64(r);
    }
    g->renewed_s = codec_read64(r);
    int err = r->err;
    if (!err && (g->n > GATEWAYS_MAX || g->current >= (g->n ? g->n : 1)))
        err = ERR_RANGE;
    if (err)
        *g = (struct gateways){0};
    return err;
}
