/* network/boards.c - drawing the boards of a consensus, and the ways of lists.
 *
 * The boards are chosen in one walk over the stores, which keeps the best of
 * each family so far. A way is worked out for one relay, from the order of its
 * own layer and of the layers beside it. No state, no timers: all follows from
 * the consensus. Failure modes: no memory, or a relay's number that is none; a
 * network without boards is no failure, but gives ways without anybody on them.
 */
#include "network/boards.h"

#include <stdlib.h>
#include <string.h>

#include "network/draw.h"

static const char board_label[] = "brusio/1 board";
static const char carrier_label[] = "brusio/1 carrier";

/* The best of each family so far, the first `most` of them. */
struct boards_choice {
    size_t n, most;
    struct draw_rank rank[BOARDS_MAX];
};

static bool
is_before(const struct draw_rank *a, const struct draw_rank *b)
{
    return a->value != b->value ? a->value < b->value : a->relay < b->relay;
}

/* Take r out of place i. */
static void
choice_remove(struct boards_choice *ch, size_t i)
{
    memmove(&ch->rank[i], &ch->rank[i + 1], (--ch->n - i) * sizeof ch->rank[0]);
}

/* Take in r, if its store is good enough. A store takes the place of another of
 * its family when it comes before that one; a store that came after `most`
 * better families never comes in again. */
static void
choice_offer(struct boards_choice *ch, const struct consensus *c,
             struct draw_rank r)
{
    size_t at = 0;
    for (size_t i = 0; i < ch->n; i++) {
        if (!consensus_are_related(c, (uint16_t)ch->rank[i].relay,
                                   (uint16_t)r.relay))
            continue;
        if (is_before(&ch->rank[i], &r))
            return;
        choice_remove(ch, i);
        break;
    }
    while (at < ch->n && is_before(&ch->rank[at], &r))
        at++;
    if (at == ch->most)
        return;
    if (ch->n == ch->most)
        ch->n--;
    memmove(&ch->rank[at + 1], &ch->rank[at],
            (ch->n++ - at) * sizeof ch->rank[0]);
    ch->rank[at] = r;
}

void
boards_draw(const struct consensus *c, struct board_set *out)
{
    size_t n;
    const uint16_t *store = consensus_layer(c, c->params.layers + 1u, &n);
    struct boards_choice ch = {
        .most = c->params.boards < BOARDS_MAX ? c->params.boards : BOARDS_MAX};
    *out = (struct board_set){0};
    for (size_t i = 0; i < n && ch.most > 0; i++)
        if (c->relays[store[i]].counts & 1)
            choice_offer(&ch, c, draw_rank(c, board_label, store[i]));
    for (size_t i = 0; i < ch.n; i++)
        out->relay[out->n++] = (uint16_t)ch.rank[i].relay;
}

int
boards_find(const struct consensus *c, uint16_t relay)
{
    for (size_t i = 0; i < c->boards.n; i++)
        if (c->boards.relay[i] == relay)
            return (int)i;
    return -1;
}

/* ---- ways ---- */

/* A layer in the order of carriers. */
struct order {
    size_t n;
    struct draw_rank *rank;
};

static int
order_make(struct order *o, const struct consensus *c, unsigned layer)
{
    const uint16_t *relay = consensus_layer(c, layer, &o->n);
    o->rank = calloc(o->n + 1, sizeof *o->rank);
    if (!o->rank)
        return ERR_NOMEM;
    for (size_t i = 0; i < o->n; i++)
        o->rank[i] = draw_rank(c, carrier_label, relay[i]);
    draw_ranks_sort(o->rank, o->n);
    if (layer == 1 && o->n > BOARDS_CARRIERS)
        o->n = BOARDS_CARRIERS;
    return 0;
}

/* Return the place of relay, or n. */
static size_t
order_find(const struct order *o, uint16_t relay)
{
    size_t i = 0;
    while (i < o->n && o->rank[i].relay != relay)
        i++;
    return i;
}

/* Compute the places, of m, of the predecessors of the relay at place j of n.
 * Returns how many there are. */
static size_t
places_before(size_t j, size_t n, size_t m, size_t place[static BOARDS_BEFORE])
{
    size_t count = 0;
    for (size_t k = 0; k < BOARDS_BEFORE && m > 0; k++) {
        const size_t p =
            (j * m / n + k * ((m + BOARDS_BEFORE - 1) / BOARDS_BEFORE)) % m;
        bool is_double = false;
        for (size_t i = 0; i < count; i++)
            is_double |= place[i] == p;
        if (!is_double)
            place[count++] = p;
    }
    return count;
}

/* Add the relays of layer `to` to which the relay at place `at` of m passes
 * lists. */
static int
next_add(struct board_ways *w, const struct consensus *c, size_t at, size_t m,
         unsigned to)
{
    struct order o;
    size_t place[BOARDS_BEFORE];
    int err = order_make(&o, c, to);
    if (err)
        return err;
    uint16_t *next = realloc(w->next, (w->n_next + o.n + 1) * sizeof *next);
    if (next)
        w->next = next;
    for (size_t j = 0; next && j < o.n; j++) {
        const size_t count = places_before(j, o.n, m, place);
        for (size_t k = 0; k < count; k++)
            if (place[k] == at)
                next[w->n_next++] = (uint16_t)o.rank[j].relay;
    }
    free(o.rank);
    return next ? 0 : ERR_NOMEM;
}

/* Add to whom a mix passes lists: to the layer after its own, or to stores and
 * gateways. */
static int
next_of_mix(struct board_ways *w, const struct consensus *c,
            const struct order *own, size_t at)
{
    const unsigned layer = c->relays[own->rank[at].relay].layer;
    int err = next_add(w, c, at, own->n, layer + 1);
    if (!err && layer == c->params.layers)
        err = next_add(w, c, at, own->n, 0);
    return err;
}

static int
next_of_board(struct board_ways *w, const struct consensus *c)
{
    struct order o;
    int err = order_make(&o, c, 1);
    if (err)
        return err;
    w->next = calloc(o.n + 1, sizeof *w->next);
    for (size_t i = 0; w->next && i < o.n; i++)
        w->next[w->n_next++] = (uint16_t)o.rank[i].relay;
    free(o.rank);
    return w->next ? 0 : ERR_NOMEM;
}

/* ---- from stores back to carriers ---- */

/* Tell to how many of m carriers each of n stores passes lists. */
static size_t
carriers_each(size_t n, size_t m)
{
    size_t each = (BOARDS_AFTER * m + n - 1) / n;
    if (each < BOARDS_AFTER)
        each = BOARDS_AFTER;
    return each < m ? each : m;
}

/* Does the store at place j of n pass lists to the carrier at place p of m? */
static bool
is_carrier_of(size_t j, size_t n, size_t p, size_t m)
{
    return (p + m - j * m / n) % m < carriers_each(n, m);
}

/* Fill in to whom the store at place j of n, which is no board, passes lists. */
static int
next_of_store(struct board_ways *w, const struct consensus *c, size_t j,
              size_t n)
{
    struct order o;
    int err = order_make(&o, c, 1);
    if (err)
        return err;
    const size_t each = carriers_each(n, o.n);
    w->next = calloc(each + 1, sizeof *w->next);
    for (size_t k = 0; w->next && k < each; k++)
        w->next[w->n_next++] = (uint16_t)o.rank[(j * o.n / n + k) % o.n].relay;
    free(o.rank);
    return w->next ? 0 : ERR_NOMEM;
}

/* Fill in from whom the carrier at place p of m gets lists: from all boards, and
 * from the stores that pass on to it. */
static int
before_of_carrier(struct board_ways *w, const struct consensus *c, size_t p,
                  size_t m)
{
    struct order o;
    int err = order_make(&o, c, c->params.layers + 1u);
    if (err)
        return err;
    w->before = calloc(c->boards.n + o.n, sizeof *w->before);
    if (w->before) {
        memcpy(w->before, c->boards.relay,
               c->boards.n * sizeof c->boards.relay[0]);
        w->n_before = c->boards.n;
    }
    for (size_t j = 0; w->before && j < o.n; j++)
        if (is_carrier_of(j, o.n, p, m) &&
            boards_find(c, (uint16_t)o.rank[j].relay) < 0)
            w->before[w->n_before++] = (uint16_t)o.rank[j].relay;
    free(o.rank);
    return w->before ? 0 : ERR_NOMEM;
}

/* ---- of one relay ---- */

/* Fill in from whom the relay at place j of n gets lists. */
static int
before_fill(struct board_ways *w, const struct consensus *c, unsigned layer,
            size_t j, size_t n)
{
    struct order o;
    size_t place[BOARDS_BEFORE];
    if (layer == 1)
        return before_of_carrier(w, c, j, n);
    int err = order_make(&o, c, layer == 0 ? c->params.layers : layer - 1u);
    if (err)
        return err;
    w->before = calloc(BOARDS_BEFORE, sizeof *w->before);
    w->n_before = w->before ? places_before(j, n, o.n, place) : 0;
    for (size_t i = 0; i < w->n_before; i++)
        w->before[i] = (uint16_t)o.rank[place[i]].relay;
    free(o.rank);
    return w->before ? 0 : ERR_NOMEM;
}

/* Fill in to whom the relay at place `at` of its layer passes lists. */
static int
next_fill(struct board_ways *w, const struct consensus *c, uint16_t self,
          const struct order *own, size_t at)
{
    const unsigned layer = c->relays[self].layer;
    if (layer >= 1 && layer <= c->params.layers)
        return next_of_mix(w, c, own, at);
    if (boards_find(c, self) >= 0)
        return next_of_board(w, c);
    return layer > c->params.layers ? next_of_store(w, c, at, own->n) : 0;
}

int
boards_ways_new(struct board_ways **out, const struct consensus *c,
                uint16_t self)
{
    struct order own;
    *out = NULL;
    if (self >= c->n_relays)
        return ERR_RELAY;
    const unsigned layer = c->relays[self].layer;
    struct board_ways *w = calloc(1, sizeof *w);
    if (!w)
        return ERR_NOMEM;
    int err = order_make(&own, c, layer);
    const size_t at = err ? 0 : order_find(&own, self);
    if (!err && at < own.n && c->boards.n > 0) {
        err = before_fill(w, c, layer, at, own.n);
        if (!err)
            err = next_fill(w, c, self, &own, at);
    }
    free(own.rank);
    if (err)
        boards_ways_free(&w);
    *out = w;
    return err;
}

void
boards_ways_free(struct board_ways **w)
{
    if (!*w)
        return;
    free((*w)->before);
    free((*w)->next);
    free(*w);
    *w = NULL;
}

bool
boards_ways_takes(const struct board_ways *w, uint16_t from)
{
    for (size_t i = 0; i < w->n_before; i++)
        if (w->before[i] == from)
            return true;
    return false;
}
