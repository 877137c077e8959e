/* relay/loss.c - counting loops by link, and what is told of the links; loss.h
 * says why.
 *
 *   counts of all windows, older ones weighing less -> sums by link and cell
 *     -> each link's loss -> beyond what others lose -> enough evidence?
 *     -> the worst LINKS_TOLD_MAX, rounded at random
 *
 * No state but the caller's counts, no timer. Failure modes: a count is full
 * (it stands still); no memory (nothing is told this time). */
#include "relay/loss.h"

#include <stdlib.h>
#include <string.h>

#include "lib/rng.h"

/* Relays beyond a neighbour that may lie without spoiling what is told of
 * it. */
enum { LIARS = 2 };
enum { WEIGHT = 1 << (LOSS_DECAY_BITS * (LOSS_WINDOWS - 1)) };

/* A link over all windows; counts in parts of WEIGHT. */
struct sum {
    uint64_t ended[LOSS_CELLS], lost[LOSS_CELLS];
};

/* A neighbour with enough loops to tell something. */
struct neighbour {
    uint16_t number;
    uint16_t permille; /* lost; then: beyond what others lose */
    uint64_t sent;
};

void
loss_count(struct loss_link *l, size_t beyond, bool lost)
{
    const size_t i = beyond % LOSS_CELLS;
    if (l->ended[i] == UINT16_MAX)
        return;
    l->ended[i]++;
    l->lost[i] = (uint16_t)(l->lost[i] + lost);
}

unsigned
loss_layer_to(const struct consensus *c, unsigned layer)
{
    return layer == c->params.layers + 1u ? 1 : layer + 1;
}

unsigned
loss_layer_from(const struct consensus *c, unsigned layer)
{
    return layer == 0   ? c->params.layers
           : layer == 1 ? c->params.layers + 1u
                        : layer - 1;
}

/* Add a window to the sums of the newest one's relays; both are sorted by
 * identity. */
static void
window_add(struct sum *sum, const struct consensus *c,
           const struct loss_window *w, unsigned age)
{
    const uint64_t weight = (uint64_t)WEIGHT >> (age * LOSS_DECAY_BITS);
    size_t k = 0;
    for (size_t i = 0; i < c->n_relays; i++) {
        int order = -1;
        while (k < w->consensus->n_relays &&
               (order = memcmp(w->consensus->relays[k].identity,
                               c->relays[i].identity, SPHINX_ID_LEN)) < 0)
            k++;
        if (k == w->consensus->n_relays)
            return;
        for (size_t j = 0; order == 0 && j < LOSS_CELLS; j++) {
            sum[i].ended[j] += weight * w->links[k].ended[j];
            sum[i].lost[j] += weight * w->links[k].lost[j];
        }
    }
}

static int
permille_order(const void *a, const void *b)
{
    const uint16_t x = *(const uint16_t *)a, y = *(const uint16_t *)b;
    return (x > y) - (x < y);
}

/* Choose the cell, of n sorted ones, that speaks for the link: the lower
 * median, and where the cells are few one below which LIARS are not. */
static size_t
cell_choose(size_t n)
{
    const size_t median = (n - 1) / 2, spared = n > LIARS ? n - 1 - LIARS : 0;
    return median < spared ? median : spared;
}

/* Compute the loss of a link: that of the chosen one of its cells that have
 * enough loops, if these have most of all loops, else that of all together. */
static uint16_t
sum_permille(const struct sum *s, uint64_t *sent)
{
    uint16_t cell[LOSS_CELLS];
    uint64_t ended = 0, lost = 0, in_cells = 0;
    size_t n = 0;
    for (size_t i = 0; i < LOSS_CELLS; i++) {
        ended += s->ended[i];
        lost += s->lost[i];
        if (s->ended[i] < (uint64_t)LOSS_CELL_MIN * WEIGHT)
            continue;
        in_cells += s->ended[i];
        cell[n++] = (uint16_t)(1000 * s->lost[i] / s->ended[i]);
    }
    *sent = ended / WEIGHT;
    if (ended == 0)
        return 0;
    if (n == 0 || 2 * in_cells < ended)
        return (uint16_t)(1000 * lost / ended);
    qsort(cell, n, sizeof *cell, permille_order);
    return cell[cell_choose(n)];
}

/* Tell what the median of these neighbours loses, of two in the middle the
 * smaller. */
static uint16_t
others_permille(const struct neighbour *x, size_t n, uint16_t *scratch)
{
    for (size_t i = 0; i < n; i++)
        scratch[i] = x[i].permille;
    qsort(scratch, n, sizeof *scratch, permille_order);
    return n ? scratch[(n - 1) / 2] : 0;
}

/* Is this loss so much more than `others` that chance does not explain it? The
 * measure is four deviations of the binomial law, in which at least one in a
 * hundred is lost. */
static bool
is_told(uint64_t sent, uint64_t permille, uint64_t others)
{
    const uint64_t p = others < 10 ? 10 : others;
    if (sent < LOSS_SENT || permille <= p ||
        sent * (permille - others) < 1000ULL * LOSS_LOST)
        return false;
    const uint64_t more = permille - p;
    return more * more * sent >= 16 * p * (1000 - p);
}

/* Keep those of the n neighbours of one side that are told, with what they lose
 * beyond the others. Returns how many. */
static size_t
side_judge(struct neighbour *x, size_t n, uint16_t *scratch)
{
    const uint64_t others = others_permille(x, n, scratch);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (!is_told(x[i].sent, x[i].permille, others))
            continue;
        const uint64_t more = 1000 * (x[i].permille - others) / (1000 - others);
        if (more < LOSS_PERMILLE)
            continue;
        x[kept] = x[i];
        x[kept++].permille = (uint16_t)more;
    }
    return kept;
}

static int
worst_order(const void *a, const void *b)
{
    const struct neighbour *x = a, *y = b;
    return x->permille != y->permille
               ? (x->permille < y->permille ? 1 : -1)
               : (x->number > y->number) - (x->number < y->number);
}

static int
number_order(const void *a, const void *b)
{
    const struct neighbour *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static size_t
side_gather(struct neighbour *x, const struct sum *sum,
            const struct consensus *c, unsigned layer)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n_relays; i++) {
        if (c->relays[i].layer != layer)
            continue;
        x[n].number = (uint16_t)i;
        x[n].permille = sum_permille(&sum[i], &x[n].sent);
        n += x[n].sent >= LOSS_SENT;
    }
    return n;
}

/* Round up or down at random to whole steps, so that the result is right on
 * average. */
static uint16_t
step_draw(struct env *env, uint64_t n, uint64_t most)
{
    n = (n + rng_below(env, LOSS_STEP)) / LOSS_STEP * LOSS_STEP;
    return (uint16_t)(n < most ? n : most);
}

int
loss_tell(const struct loss_window w[static LOSS_WINDOWS], uint16_t self,
          struct env *env, struct link_told out[static LINKS_TOLD_MAX])
{
    const struct consensus *c = w[0].consensus;
    const unsigned to = loss_layer_to(c, c->relays[self].layer);
    const unsigned from = loss_layer_from(c, c->relays[self].layer);
    const size_t room = c->n_relays + 1;
    struct sum *sum = calloc(room, sizeof *sum);
    struct neighbour *x = calloc(room, sizeof *x);
    uint16_t *scratch = calloc(room, sizeof *scratch);
    size_t n = 0;
    int err = sum && x && scratch ? 0 : ERR_NOMEM;
    for (unsigned age = 0; age < LOSS_WINDOWS && !err; age++)
        if (w[age].consensus)
            window_add(sum, c, &w[age], age);
    if (!err)
        n = side_judge(x, side_gather(x, sum, c, to), scratch);
    if (!err && from != to)
        n += side_judge(x + n, side_gather(x + n, sum, c, from), scratch);
    if (n > 0)
        qsort(x, n, sizeof *x, worst_order);
    if (n > LINKS_TOLD_MAX)
        n = LINKS_TOLD_MAX;
    if (n > 0)
        qsort(x, n, sizeof *x, number_order);
    for (size_t i = 0; i < n; i++) {
        memcpy(out[i].identity, c->relays[x[i].number].identity, SPHINX_ID_LEN);
        out[i].sent =
            step_draw(env, x[i].sent, UINT16_MAX / LOSS_STEP * LOSS_STEP);
        out[i].lost = step_draw(
            env, (uint64_t)out[i].sent * x[i].permille / 1000, out[i].sent);
    }
    free(sum);
    free(x);
    free(scratch);
    return err ? err : (int)n;
}
