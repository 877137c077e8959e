/* network/route.c - paths and delays.
 *
 * No state. All of it can be seen from outside, so it is drawn from the traffic
 * stream, in the same number of draws whatever the request is. */
#include "network/route.h"

#include <sodium.h>
#include <string.h>

#include "lib/rng.h"

enum {
    WAY_DRAWS = 16, /* whole ways drawn before one is searched for */
    WAY_SWEEPS = 4, /* of redrawing a way that was searched for */
    WAY_WALKS = 64  /* of going from relay to relay where links are cut */
};

/* Tell whether relay i may stand on a way with those already chosen. */
static bool
way_admits(const struct consensus *c, const uint16_t *way, size_t n, uint16_t i)
{
    for (size_t k = 0; k < n; k++)
        if (consensus_are_related(c, way[k], i))
            return false;
    return true;
}

/* Draw a relay of a layer, by bandwidth, that fits the n others of its way. */
static int
layer_draw(const struct consensus *c, struct env *env, unsigned layer,
           const uint16_t *way, size_t n, uint16_t *out)
{
    size_t count;
    const uint16_t *relay = consensus_layer(c, layer, &count);
    uint64_t total = 0, at;
    for (size_t i = 0; i < count; i++)
        if (way_admits(c, way, n, relay[i]))
            total += (uint64_t)c->relays[relay[i]].bandwidth + 1;
    if (total == 0)
        return ERR_NOT_FOUND;
    at = rng_below(env, total);
    for (size_t i = 0; i < count; i++) {
        if (!way_admits(c, way, n, relay[i]))
            continue;
        uint64_t weight = (uint64_t)c->relays[relay[i]].bandwidth + 1;
        if (at < weight) {
            *out = relay[i];
            return 0;
        }
        at -= weight;
    }
    return ERR_NOT_FOUND; /* not reached: the weights add up to total */
}

/* Draw what is added to a delay in the packet's units: exponential, and no more
 * than most_us, which the relay would refuse. The rest of a division by most_us
 * has the exponential law of the same mean given that it is less, since that
 * law has no memory. */
static uint16_t
delay_draw(const struct consensus *c, struct env *env, uint64_t fixed_us,
           uint64_t mean_us, uint64_t most_us)
{
    const uint64_t unit_us = c->params.geometry.delay_unit_us;
    const uint64_t room_us = most_us > fixed_us ? most_us - fixed_us : 0;
    const uint64_t us = rng_exp_us(env, mean_us) % (room_us + 1);
    const uint64_t units = (fixed_us + us + unit_us / 2) / unit_us;
    const uint64_t most = most_us / unit_us;
    return (uint16_t)(units < most ? units : most);
}

/* The mixes of one way between two relays, whose families the way must avoid.
 */
struct way {
    const struct consensus *c;
    unsigned first, n; /* layers first..first + n - 1 */
    uint16_t ends[2];  /* before the first, after the last */
    uint16_t tested;   /* stands in its layer; ROUTE_NONE */
    uint16_t relay[SPHINX_HOPS_MAX];
};

static int
way_draw(struct way *w, struct env *env)
{
    for (unsigned k = 0; k < w->n; k++) {
        const bool pinned = w->tested != ROUTE_NONE &&
                            w->c->relays[w->tested].layer == w->first + k;
        int err = 0;
        if (pinned)
            w->relay[k] = w->tested;
        else
            err = layer_draw(w->c, env, w->first + k, w->ends, 2, &w->relay[k]);
        if (err)
            return err;
    }
    return 0;
}

/* Tell whether no two relays of the way are of one family. Relays that were
 * drawn fit the ends of the way already; the relay that is tested may not. */
static bool
way_is_disjoint(const struct way *w)
{
    for (unsigned k = 0; k < w->n; k++)
        if (!way_admits(w->c, w->relay, k, w->relay[k]) ||
            !way_admits(w->c, w->ends, 2, w->relay[k]))
            return false;
    return true;
}

/* Tell whether a packet may go from relay a to b. The relay that is tested is
 * tested over all its links, also over those that are cut. */
static bool
way_links(const struct way *w, uint16_t a, uint16_t b)
{
    return a == w->tested || b == w->tested || !consensus_is_cut(w->c, a, b);
}

static bool
way_is_whole(const struct way *w)
{
    uint16_t at = w->ends[0];
    if (w->c->n_cut == 0)
        return true;
    for (unsigned k = 0; k < w->n; k++) {
        if (!way_links(w, at, w->relay[k]))
            return false;
        at = w->relay[k];
    }
    return way_links(w, at, w->ends[1]);
}

/* Give layer k a relay, moving other layers to other families if need be: one
 * augmenting path of a matching of layers to families (Kuhn 1955), depth
 * first. Layers are tried at most once each (bit mask seen); has says which
 * have a relay. Where to begin in the layer is drawn by bandwidth. */
static int
way_augment(struct way *w, struct env *env, unsigned k, unsigned *seen,
            unsigned has)
{
    size_t count, start = 0;
    uint16_t drawn;
    const uint16_t *relay = consensus_layer(w->c, w->first + k, &count);
    int err = layer_draw(w->c, env, w->first + k, w->ends, 2, &drawn);
    if (err)
        return err;
    while (relay[start] != drawn)
        start++;
    *seen |= 1u << k;
    for (size_t i = 0; i < count; i++) {
        uint16_t r = relay[(start + i) % count];
        unsigned owner = 0;
        if (!way_admits(w->c, w->ends, 2, r))
            continue;
        while (owner < w->n && (!(has >> owner & 1) ||
                                way_admits(w->c, &w->relay[owner], 1, r)))
            owner++;
        if (owner < w->n &&
            (*seen >> owner & 1 || way_augment(w, env, owner, seen, has) != 0))
            continue;
        w->relay[k] = r;
        return 0;
    }
    return ERR_NOT_FOUND;
}

/* Find any way if there is one, then redraw layer by layer given the others
 * (Gibbs sampling), which leads the way towards the law of way_draw() given
 * that the families differ. */
static int
way_search(struct way *w, struct env *env)
{
    uint16_t others[SPHINX_HOPS_MAX + 2];
    unsigned has = 0, seen;
    for (unsigned k = 0; k < w->n; k++) {
        int err = way_augment(w, env, k, (seen = 0, &seen), has);
        if (err)
            return err;
        has |= 1u << k;
    }
    for (unsigned i = 0; i < WAY_SWEEPS * w->n; i++) {
        unsigned k = i % w->n, n = 2;
        memcpy(others, w->ends, sizeof w->ends);
        for (unsigned m = 0; m < w->n; m++)
            if (m != k)
                others[n++] = w->relay[m];
        int err = layer_draw(w->c, env, w->first + k, others, n, &w->relay[k]);
        if (err)
            return err; /* not reached: the present one fits */
    }
    return 0;
}

/* Draw a relay of a layer that no cut link parts from the relay `at`. */
static int
step_draw(struct way *w, struct env *env, uint16_t at, unsigned k)
{
    uint16_t others[SPHINX_HOPS_MAX + 2];
    memcpy(others, w->ends, sizeof w->ends);
    memcpy(others + 2, w->relay, k * sizeof *w->relay);
    for (unsigned draws = 0; draws < WAY_DRAWS; draws++) {
        int err =
            layer_draw(w->c, env, w->first + k, others, k + 2, &w->relay[k]);
        if (err)
            return err;
        if (way_links(w, at, w->relay[k]))
            return 0;
    }
    return ERR_NOT_FOUND;
}

/* Draw a way where cut links part many relays: go from relay to relay, and
 * begin again where no relay follows. */
static int
way_walk(struct way *w, struct env *env)
{
    for (unsigned walks = 0; walks < WAY_WALKS; walks++) {
        unsigned k = 0;
        for (uint16_t at = w->ends[0]; k < w->n; at = w->relay[k++])
            if (step_draw(w, env, at, k))
                break;
        if (k == w->n && way_is_whole(w))
            return 0;
    }
    return ERR_NOT_FOUND;
}

/* Fill mixes of layers first..last into a way between `from` and `to`, both of
 * which its families must avoid; n is where the first goes. When `tested` is of
 * one of these layers, it stands there.
 *
 * The law: every layer's relay by bandwidth, independently, given that no two
 * are of one family. That is what rejecting whole ways gives. Skipping, layer
 * by layer, what no longer fits would favour the relays of later layers whose
 * families are rare, and can end where no relay is left although there is a
 * way. When WAY_DRAWS ways in a row are rejected, way_search() finds one if
 * any exists; its law is near this one but not the same. Without families the
 * first draw is taken, one number a layer.
 *
 * A way over a cut link is rejected alike: the law is that of the ways that are
 * left. If way_search() finds one with such a link, way_walk() looks further.
 */
static int
mixes_draw(const struct consensus *c, struct env *env, unsigned first,
           unsigned last, uint16_t from, uint16_t to, uint16_t tested,
           uint16_t *way, uint8_t *n)
{
    struct way w = {
        .c = c, .first = first, .ends = {from, to}, .tested = tested};
    w.n = last >= first ? last - first + 1 : 0;
    if (consensus_are_related(c, from, to))
        return ERR_NOT_FOUND;
    int err = 0;
    unsigned left = WAY_DRAWS;
    do
        err = way_draw(&w, env);
    while (!err && !(way_is_disjoint(&w) && way_is_whole(&w)) && --left > 0);
    if (!err && left == 0 && tested != ROUTE_NONE)
        return ERR_NOT_FOUND; /* another test will do */
    if (!err && left == 0)
        err = way_search(&w, env);
    if (!err && !way_is_whole(&w))
        err = way_walk(&w, env);
    if (err)
        return err;
    memcpy(way + *n, w.relay, w.n * sizeof *way);
    *n = (uint8_t)(*n + w.n);
    return 0;
}

/* Draw the delays of both ways. The gateway holds every packet alike, whatever
 * its kind, since the gateway knows whose packet it is; polls wait longer in
 * the mixes only. */
static void
delays_draw(struct route *r, const struct consensus *c, struct env *env,
            bool as_client, enum route_kind kind)
{
    const struct params *p = &c->params;
    uint64_t unit_us = p->geometry.delay_unit_us;
    uint64_t mix_us = p->delay_mean_us, out_us = 0, back_us = 0;
    if (kind == ROUTE_POLL)
        mix_us = p->poll_delay_mean_us / p->layers;
    for (unsigned i = 0; i + 1 < r->n_out; i++) {
        bool gateway = as_client && i == 0;
        r->out_delay[i] = delay_draw(
            c, env, 0, gateway ? p->delay_mean_us : mix_us, p->delay_max_us);
        out_us += r->out_delay[i] * unit_us;
    }
    r->out_delay[r->n_out - 1] =
        delay_draw(c, env, p->store_delay_fixed_us, p->store_delay_mean_us,
                   p->store_delay_max_us);
    for (unsigned i = 0; i < r->n_back; i++) {
        r->back_delay[i] =
            delay_draw(c, env, 0, p->delay_mean_us, p->delay_max_us);
        back_us += r->back_delay[i] * unit_us;
    }
    r->at_store_us = out_us;
    r->answer_us = out_us + r->out_delay[r->n_out - 1] * unit_us + back_us;
}

/* Draw what route_draw() draws, by way of a relay that is tested. */
static int
way_there_and_back(struct route *r, const struct consensus *c, struct env *env,
                   uint16_t self, uint16_t store, uint16_t tested,
                   bool as_client)
{
    const unsigned layers = c->params.layers, layer = c->relays[self].layer;
    /* a relay's loop starts after its own layer and ends before it */
    const unsigned first = layer == layers + 1 ? 1 : layer + 1;
    const unsigned last = layer == 0 ? layers : layer - 1;
    const bool on = tested != ROUTE_NONE &&
                    consensus_has_edge(c, layer, c->relays[tested].layer);
    if (as_client)
        r->out[r->n_out++] = self;
    int err = mixes_draw(c, env, first, layers, self, store,
                         on || tested == store ? tested : ROUTE_NONE, r->out,
                         &r->n_out);
    if (err)
        return err;
    r->out[r->n_out++] = store;
    err = mixes_draw(c, env, 1, last, store, self,
                     !on || tested == store ? tested : ROUTE_NONE, r->back,
                     &r->n_back);
    if (err)
        return err;
    r->back[r->n_back++] = self;
    return 0;
}

static int
draw_by(struct route *r, const struct consensus *c, struct env *env,
        uint16_t self, uint16_t store, uint16_t tested, bool as_client,
        enum route_kind kind)
{
    const unsigned layers = c->params.layers;
    *r = (struct route){0};
    if (self >= c->n_relays || store >= c->n_relays)
        return ERR_RELAY;
    const unsigned layer = c->relays[self].layer;
    if (c->relays[store].layer != layers + 1 || (as_client && layer != 0) ||
        self == store || layers + 2 > SPHINX_HOPS_MAX)
        return ERR_EDGE;
    int err = way_there_and_back(r, c, env, self, store, tested, as_client);
    if (!err)
        delays_draw(r, c, env, as_client, kind);
    return err;
}

int
route_draw(struct route *r, const struct consensus *c, struct env *env,
           uint16_t self, uint16_t store, bool as_client, enum route_kind kind)
{
    return draw_by(r, c, env, self, store, ROUTE_NONE, as_client, kind);
}

int
route_draw_test(struct route *r, const struct consensus *c, struct env *env,
                uint16_t self, uint16_t store, uint16_t tested)
{
    return draw_by(r, c, env, self, store, tested, false, ROUTE_SEND);
}
