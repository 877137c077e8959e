/* network/index.c - what is worked out of a consensus once. No state. */
#include <stdlib.h>
#include <string.h>

#include "network/boards.h"
#include "network/consensus.h"

static uint32_t
cut_key(const struct cut_link *l)
{
    return (uint32_t)l->a << 16 | l->b;
}

/* Check that each cut link is one that could be used, and stands in its place.
 */
static int
cut_check(const struct consensus *c)
{
    for (size_t i = 0; i < c->n_cut; i++) {
        const struct cut_link *l = &c->cut[i];
        if (l->a >= l->b || l->b >= c->n_relays ||
            (i > 0 && cut_key(l - 1) >= cut_key(l)))
            return ERR_RANGE;
        const unsigned a = c->relays[l->a].layer, b = c->relays[l->b].layer;
        if (!consensus_has_edge(c, a, b) && !consensus_has_edge(c, b, a))
            return ERR_RANGE;
    }
    return c->n_cut > CUT_MAX ? ERR_RANGE : 0;
}

/* Mark the relays that are left out; both lists are sorted by identity. */
static int
left_out_mark(struct consensus *c)
{
    size_t k = 0;
    for (size_t i = 0; i < c->n_relays; i++) {
        struct relay_entry *e = &c->relays[i];
        e->out =
            k < c->n_left_out &&
            memcmp(e->identity, c->left_out[k].identity, SPHINX_ID_LEN) == 0;
        k += e->out;
    }
    return k == c->n_left_out ? 0 : ERR_RANGE;
}

int
consensus_index(struct consensus *c)
{
    size_t n = 0, out = 0;
    if (c->params.layers < 1 || c->params.layers > LAYERS_MAX ||
        c->n_relays > RELAYS_MAX)
        return ERR_RANGE;
    int err = cut_check(c);
    if (!err)
        err = left_out_mark(c);
    if (err)
        return err;
    size_t start[LAYERS_MAX + 3];
    uint16_t *list = calloc(c->n_relays ? c->n_relays : 1, sizeof *list);
    if (!list)
        return ERR_NOMEM;
    for (unsigned layer = 0; layer < consensus_layers(c); layer++) {
        start[layer] = n;
        for (size_t i = 0; i < c->n_relays; i++)
            if (c->relays[i].layer == layer && c->relays[i].out)
                out++;
            else if (c->relays[i].layer == layer)
                list[n++] = (uint16_t)i;
    }
    start[consensus_layers(c)] = n;
    if (n + out != c->n_relays) {
        free(list);
        return ERR_RANGE;
    }
    memcpy(c->layer_start, start, (consensus_layers(c) + 1) * sizeof start[0]);
    free(c->by_layer);
    c->by_layer = list;
    boards_draw(c, &c->boards);
    return 0;
}
