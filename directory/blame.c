/* directory/blame.c - see blame.h. No state.
 *
 * Relays are left out one after the other, up to a quarter of all, and each
 * time what is said of the others weighs something else. Whoever has many
 * relays say much must make no authority slow, so sums are kept, and changed by
 * what changes: a relay that goes costs a step for each relay and for each of
 * its links. */
#include "directory/blame.h"

#include <stdlib.h>
#include <string.h>

#include "network/family.h"

enum { LAYER_COUNT = LAYERS_MAX + 2, PART = 1000000000 };

/* A link that one of its ends says is bad, or both; a < b. */
struct said {
    uint16_t a, b;
    uint16_t permille; /* the greater of two */
    bool by_a, by_b;
};

/* A relay in its family and layer. */
struct family_member {
    uint16_t relay;
    uint8_t layer;
    uint8_t family[FAMILY_LEN];
};

/* So many members of a neighbour disagree with a relay. */
struct voice {
    uint16_t owner, relay;
    uint32_t n;
};

/* A link said to be bad, seen from one of its ends: the other one, and the
 * voice with which this end speaks of it. */
struct link_end {
    uint16_t other;
    uint32_t voice;
};

struct judge {
    struct consensus *c;
    size_t n_said;
    struct said *said;
    uint16_t *owner;       /* of each relay: the first of its family there */
    uint32_t *members;     /* of each owner, that are in */
    uint8_t *layer;        /* of each relay; 0 too when it is left out */
    struct voice *voice;   /* by owner, */
    uint32_t *first_voice; /* from here on; one more than relays */
    struct link_end *end;  /* by relay, */
    uint32_t *first_end;   /* likewise */
    uint64_t (*sum)[LAYER_COUNT]; /* of each relay: its neighbours of a layer
                                     that are said to be bad, a PART each */
    uint64_t *part;               /* and of all of them, a PART for a layer's */
    size_t in[LAYER_COUNT];       /* relays, */
    size_t owners[LAYER_COUNT], may_go[LAYER_COUNT];
};

/* ---- what was said ---- */

static int
relay_find(const struct consensus *c, const uint8_t identity[SPHINX_ID_LEN])
{
    size_t at = 0, end = c->n_relays;
    while (at < end) {
        const size_t middle = (at + end) / 2;
        const int order =
            memcmp(c->relays[middle].identity, identity, SPHINX_ID_LEN);
        if (order == 0)
            return (int)middle;
        if (order < 0)
            at = middle + 1;
        else
            end = middle;
    }
    return -1;
}

static bool
layers_touch(const struct consensus *c, unsigned a, unsigned b)
{
    return consensus_has_edge(c, a, b) || consensus_has_edge(c, b, a);
}

/* Is this word of a link that there is, and bad enough? */
static bool
told_is_bad(const struct consensus *c, uint16_t teller, int other,
            const struct link_told *l)
{
    return other >= 0 && l->sent >= BLAME_SENT &&
           l->lost * 1000u >= l->sent * (uint32_t)BLAME_PERMILLE &&
           layers_touch(c, c->relays[teller].layer, c->relays[other].layer) &&
           !consensus_are_related(c, teller, (uint16_t)other);
}

static int
said_order(const void *a, const void *b)
{
    const struct said *x = a, *y = b;
    return x->a != y->a ? (x->a > y->a) - (x->a < y->a)
           : x->b != y->b
               ? (x->b > y->b) - (x->b < y->b)
               : (x->permille < y->permille) - (x->permille > y->permille);
}

/* Gather all links said to be bad, sorted, each once. */
static int
said_gather(struct judge *j, const struct blame_word *word)
{
    const struct consensus *c = j->c;
    size_t room = 1, n = 0, k = 0;
    for (size_t i = 0; i < c->n_relays; i++)
        room += word[i].n;
    j->said = calloc(room, sizeof *j->said);
    if (!j->said)
        return ERR_NOMEM;
    for (uint16_t i = 0; i < c->n_relays; i++)
        for (size_t m = 0; m < word[i].n; m++) {
            const struct link_told *l = &word[i].links[m];
            const int other = relay_find(c, l->identity);
            if (!told_is_bad(c, i, other, l))
                continue;
            const uint16_t o = (uint16_t)other;
            j->said[n++] = (struct said){
                .a = i < o ? i : o,
                .b = i < o ? o : i,
                .by_a = i < o,
                .by_b = o < i,
                .permille = (uint16_t)(l->lost * 1000u / l->sent)};
        }
    qsort(j->said, n, sizeof *j->said, said_order);
    for (size_t i = 0; i < n; i++) {
        struct said *last = k > 0 ? &j->said[k - 1] : NULL;
        if (last && last->a == j->said[i].a && last->b == j->said[i].b) {
            last->by_a |= j->said[i].by_a;
            last->by_b |= j->said[i].by_b;
        } else {
            j->said[k++] = j->said[i];
        }
    }
    j->n_said = k;
    return 0;
}

/* ---- families ---- */

static int
member_order(const void *a, const void *b)
{
    const struct family_member *x = a, *y = b;
    const int family = memcmp(x->family, y->family, FAMILY_LEN);
    return x->layer != y->layer ? (x->layer > y->layer) - (x->layer < y->layer)
           : family             ? family
                                : (x->relay > y->relay) - (x->relay < y->relay);
}

static int
owners_find(struct judge *j)
{
    const struct consensus *c = j->c;
    struct family_member *m = calloc(c->n_relays + 1, sizeof *m);
    if (!m)
        return ERR_NOMEM;
    for (uint16_t i = 0; i < c->n_relays; i++) {
        m[i].relay = i;
        m[i].layer = c->relays[i].layer;
        memcpy(m[i].family, c->relays[i].family, FAMILY_LEN);
    }
    qsort(m, c->n_relays, sizeof *m, member_order);
    for (size_t i = 0; i < c->n_relays; i++) {
        const bool goes_on = i > 0 && m[i].layer == m[i - 1].layer &&
                             family_is_one(m[i].family, m[i - 1].family);
        const uint16_t owner = goes_on ? j->owner[m[i - 1].relay] : m[i].relay;
        j->owner[m[i].relay] = owner;
        j->layer[m[i].relay] = m[i].layer;
        j->members[owner]++;
        j->owners[m[i].layer] += !goes_on;
        j->in[m[i].layer]++;
    }
    free(m);
    return 0;
}

/* ---- who is left out ---- */

/* Count the layers that a relay of this layer has links with, but for
 * gateways. */
static uint64_t
sides_count(const struct judge *j, unsigned layer)
{
    uint64_t n = 0;
    for (unsigned l = 1; l < consensus_layers(j->c); l++)
        n += layers_touch(j->c, layer, l);
    return n;
}

/* Tell with what part of its neighbours relay i, which is in, disagrees. */
static uint64_t
part_count(const struct judge *j, size_t i)
{
    uint64_t part = 0;
    for (unsigned l = 0; l < consensus_layers(j->c); l++)
        if (j->sum[i][l] > 0)
            part += j->sum[i][l] / j->owners[l];
    return part;
}

/* Count anew the parts of those that have links with this layer. */
static void
parts_count(struct judge *j, unsigned layer)
{
    bool touches[LAYER_COUNT] = {false};
    for (unsigned l = 1; l < consensus_layers(j->c); l++)
        touches[l] = layers_touch(j->c, layer, l);
    for (size_t i = 0; i < j->c->n_relays; i++)
        if (touches[j->layer[i]])
            j->part[i] = part_count(j, i);
}

/* One end of a link says of the other, or hears from it. */
struct word_end {
    uint16_t owner, relay, of; /* `of`, whose owner this is, and relay */
};

static int
word_end_order(const void *a, const void *b)
{
    const struct word_end *x = a, *y = b;
    return x->owner != y->owner ? (x->owner > y->owner) - (x->owner < y->owner)
           : x->relay != y->relay
               ? (x->relay > y->relay) - (x->relay < y->relay)
               : (x->of > y->of) - (x->of < y->of);
}

/* Sort what is said between relays that are no gateways, from both ends. */
static size_t
word_ends_gather(const struct judge *j, struct word_end *w)
{
    size_t n = 0;
    for (size_t i = 0; i < j->n_said; i++) {
        const struct said *s = &j->said[i];
        if (j->layer[s->a] == 0 || j->layer[s->b] == 0)
            continue;
        w[n++] = (struct word_end){j->owner[s->a], s->b, s->a};
        w[n++] = (struct word_end){j->owner[s->b], s->a, s->b};
    }
    qsort(w, n, sizeof *w, word_end_order);
    return n;
}

/* Say where each one's items begin; count[i + 1] says how many i has. */
static void
firsts_make(uint32_t *count, size_t n)
{
    for (size_t i = 0; i < n; i++)
        count[i + 1] += count[i];
}

static int
voices_find(struct judge *j)
{
    const size_t n_relays = j->c->n_relays, room = 2 * j->n_said + 1;
    struct word_end *w = calloc(room, sizeof *w);
    uint32_t *filled = calloc(n_relays + 1, sizeof *filled);
    size_t n, n_voices = 0;
    j->voice = calloc(room, sizeof *j->voice);
    j->end = calloc(room, sizeof *j->end);
    j->first_voice = calloc(n_relays + 1, sizeof *j->first_voice);
    j->first_end = calloc(n_relays + 1, sizeof *j->first_end);
    const int err =
        w && filled && j->voice && j->end && j->first_voice && j->first_end
            ? 0
            : ERR_NOMEM;
    if (err)
        goto out;
    n = word_ends_gather(j, w);
    for (size_t i = 0; i < n; i++)
        j->first_end[w[i].of + 1]++;
    firsts_make(j->first_end, n_relays);
    for (size_t i = 0; i < n; i++) {
        struct voice *v = n_voices > 0 ? &j->voice[n_voices - 1] : NULL;
        if (!v || v->owner != w[i].owner || v->relay != w[i].relay) {
            v = &j->voice[n_voices++];
            *v = (struct voice){w[i].owner, w[i].relay, 0};
            j->first_voice[w[i].owner + 1]++;
        }
        v->n++;
        j->sum[w[i].relay][j->layer[w[i].of]] += PART / j->members[w[i].owner];
        j->end[j->first_end[w[i].of] + filled[w[i].of]++] =
            (struct link_end){w[i].relay, (uint32_t)(n_voices - 1)};
    }
    firsts_make(j->first_voice, n_relays);
    for (unsigned l = 1; l < consensus_layers(j->c); l++)
        parts_count(j, l);
out:
    free(w);
    free(filled);
    return err;
}

/* End the voice of a relay that goes: what that relay said is void, and what
 * the others of its family say weighs more. */
static void
voice_end(struct judge *j, uint16_t i)
{
    const uint16_t owner = j->owner[i];
    const unsigned layer = j->layer[i];
    const uint64_t each = PART / j->members[owner];
    for (size_t k = j->first_end[i]; k < j->first_end[i + 1]; k++) {
        j->voice[j->end[k].voice].n--;
        j->sum[j->end[k].other][layer] -= each;
    }
    if (--j->members[owner] == 0)
        j->owners[layer]--;
    else
        for (size_t k = j->first_voice[owner]; k < j->first_voice[owner + 1];
             k++)
            j->sum[j->voice[k].relay][layer] +=
                j->voice[k].n * (PART / j->members[owner] - each);
    j->layer[i] = 0;
    parts_count(j, layer);
}

/* Find the relay that disagrees with the greatest part, which is more than
 * half, and may go; of equal ones the smallest number. -1: there is none. */
static int
worst_find(const struct judge *j)
{
    int worst = -1;
    uint64_t of_worst = 0;
    uint64_t sides[LAYER_COUNT];
    for (unsigned l = 0; l < consensus_layers(j->c); l++)
        sides[l] = sides_count(j, l);
    for (size_t i = 0; i < j->c->n_relays; i++) {
        const unsigned layer = j->layer[i];
        const uint64_t of = sides[layer];
        if (j->may_go[layer] == 0 || 2 * j->part[i] <= of * PART ||
            (worst >= 0 &&
             j->part[i] * of_worst <= j->part[(size_t)worst] * of))
            continue;
        worst = (int)i;
        of_worst = of;
    }
    return worst;
}

static int
left_out_order(const void *a, const void *b)
{
    return memcmp(((const struct left_out *)a)->identity,
                  ((const struct left_out *)b)->identity, SPHINX_ID_LEN);
}

static void
relay_leave_out(struct judge *j, uint16_t i)
{
    struct relay_entry *r = &j->c->relays[i];
    struct left_out *l = &j->c->left_out[j->c->n_left_out++];
    const uint64_t all = sides_count(j, r->layer) * PART;
    const uint64_t permille = (1000 * j->part[i] + all / 2) / all;
    memcpy(l->identity, r->identity, sizeof l->identity);
    l->cut_permille = (uint16_t)(permille < 1000 ? permille : 1000);
    r->out = true;
    j->in[r->layer]--;
    j->may_go[r->layer]--;
    voice_end(j, i);
}

static int
relays_judge(struct judge *j)
{
    struct consensus *c = j->c;
    size_t most = 0;
    for (unsigned l = 1; l < consensus_layers(c); l++)
        most += j->may_go[l] = (j->in[l] + 1) / 4;
    c->left_out = calloc(most + 1, sizeof *c->left_out);
    if (!c->left_out)
        return ERR_NOMEM;
    for (int worst = worst_find(j); worst >= 0; worst = worst_find(j))
        relay_leave_out(j, (uint16_t)worst);
    qsort(c->left_out, c->n_left_out, sizeof *c->left_out, left_out_order);
    return 0;
}

/* ---- which links are cut ---- */

static int
worst_order(const void *a, const void *b)
{
    const struct said *x = a, *y = b;
    return x->permille != y->permille
               ? (x->permille < y->permille) - (x->permille > y->permille)
               : said_order(a, b);
}

static int
cut_order(const void *a, const void *b)
{
    const struct cut_link *x = a, *y = b;
    return x->a != y->a ? (x->a > y->a) - (x->a < y->a)
                        : (x->b > y->b) - (x->b < y->b);
}

/* Links cut so far: between two layers, of how many; and of a relay with a
 * layer, by its own word and by others', of which it has links with all but its
 * kin. */
struct cut_counts {
    size_t between[LAYER_COUNT][LAYER_COUNT], links[LAYER_COUNT][LAYER_COUNT];
    uint16_t (*by)[LAYER_COUNT], (*on)[LAYER_COUNT], (*kin)[LAYER_COUNT];
};

static int
kin_order(const void *a, const void *b)
{
    return memcmp(((const struct family_member *)a)->family,
                  ((const struct family_member *)b)->family, FAMILY_LEN);
}

/* Count for each relay those of its family that are in, by layers. */
static int
kin_count(const struct judge *j, uint16_t (*kin)[LAYER_COUNT])
{
    const struct consensus *c = j->c;
    struct family_member *m = calloc(c->n_relays + 1, sizeof *m);
    size_t n = 0;
    if (!m)
        return ERR_NOMEM;
    for (uint16_t i = 0; i < c->n_relays; i++) {
        const struct relay_entry *r = &c->relays[i];
        if (r->out || family_is_none(r->family))
            continue;
        m[n].relay = i;
        m[n].layer = r->layer;
        memcpy(m[n++].family, r->family, FAMILY_LEN);
    }
    qsort(m, n, sizeof *m, kin_order);
    for (size_t i = 0, end; i < n; i = end) {
        uint16_t of[LAYER_COUNT] = {0};
        for (end = i; end < n && kin_order(&m[i], &m[end]) == 0; end++)
            of[m[end].layer]++;
        for (size_t k = i; k < end; k++)
            memcpy(kin[m[k].relay], of, sizeof of);
    }
    free(m);
    return 0;
}

static int
counts_new(struct cut_counts *n, const struct judge *j)
{
    const struct consensus *c = j->c;
    n->by = calloc(c->n_relays + 1, sizeof *n->by);
    n->on = calloc(c->n_relays + 1, sizeof *n->on);
    n->kin = calloc(c->n_relays + 1, sizeof *n->kin);
    int err = n->by && n->on && n->kin ? kin_count(j, n->kin) : ERR_NOMEM;
    for (size_t i = 0; i < c->n_relays && !err; i++)
        for (unsigned l = 0; l < consensus_layers(c); l++)
            if (!c->relays[i].out)
                n->links[c->relays[i].layer][l] += j->in[l] - n->kin[i][l];
    return err;
}

static void
counts_free(struct cut_counts *n)
{
    free(n->by);
    free(n->on);
    free(n->kin);
}

/* May one more link of relay i with a layer be cut, by its word or by
 * another's? What a mix says leaves room for what is said of it: else it would
 * shield a link by lies about others. Requests begin and end at gateways and
 * stores, so these keep half of their links whoever speaks. */
static bool
half_is_left(const struct judge *j, const struct cut_counts *n, uint16_t i,
             unsigned layer, bool own)
{
    const bool mix = j->c->relays[i].role == ROLE_MIX;
    const size_t by = mix && !own ? 0 : n->by[i][layer];
    const size_t on = mix && own ? 0 : n->on[i][layer];
    return 2 * (by + on + 1) <= j->in[layer] - n->kin[i][layer];
}

/* Cut the link between two by the word of the first, if there is room. */
static bool
word_cuts(const struct judge *j, struct cut_counts *n, uint16_t teller,
          uint16_t other)
{
    const unsigned t = j->c->relays[teller].layer;
    const unsigned o = j->c->relays[other].layer;
    if (!half_is_left(j, n, teller, o, true) ||
        !half_is_left(j, n, other, t, false))
        return false;
    n->by[teller][o]++;
    n->on[other][t]++;
    return true;
}

static bool
link_cuts(const struct judge *j, struct cut_counts *n, const struct said *s)
{
    const struct relay_entry *a = &j->c->relays[s->a], *b = &j->c->relays[s->b];
    const unsigned low = a->layer < b->layer ? a->layer : b->layer;
    const unsigned high = a->layer < b->layer ? b->layer : a->layer;
    const size_t links = n->links[low][high];
    if (a->out || b->out || j->c->n_cut == CUT_MAX || links < BLAME_LINKS ||
        4 * (n->between[low][high] + 1) > links)
        return false;
    const bool cuts = (s->by_a && word_cuts(j, n, s->a, s->b)) ||
                      (s->by_b && word_cuts(j, n, s->b, s->a));
    n->between[low][high] += cuts;
    return cuts;
}

static int
links_judge(struct judge *j)
{
    struct consensus *c = j->c;
    struct cut_counts n = {0};
    const size_t room = j->n_said < CUT_MAX ? j->n_said : CUT_MAX;
    c->cut = calloc(room + 1, sizeof *c->cut);
    const int err = c->cut ? counts_new(&n, j) : ERR_NOMEM;
    if (err) {
        counts_free(&n);
        return err;
    }
    qsort(j->said, j->n_said, sizeof *j->said, worst_order);
    for (size_t i = 0; i < j->n_said; i++) {
        const struct said *s = &j->said[i];
        if (link_cuts(j, &n, s))
            c->cut[c->n_cut++] = (struct cut_link){s->a, s->b};
    }
    qsort(c->cut, c->n_cut, sizeof *c->cut, cut_order);
    counts_free(&n);
    return 0;
}

static void
judge_free(struct judge *j)
{
    free(j->owner);
    free(j->members);
    free(j->layer);
    free(j->voice);
    free(j->first_voice);
    free(j->end);
    free(j->first_end);
    free(j->sum);
    free(j->part);
    free(j->said);
}

int
blame_judge(struct consensus *c, const struct blame_word *word)
{
    struct judge j = {.c = c};
    for (size_t i = 0; i < c->n_relays; i++)
        c->relays[i].out = false;
    j.owner = calloc(c->n_relays + 1, sizeof *j.owner);
    j.members = calloc(c->n_relays + 1, sizeof *j.members);
    j.layer = calloc(c->n_relays + 1, sizeof *j.layer);
    j.sum = calloc(c->n_relays + 1, sizeof *j.sum);
    j.part = calloc(c->n_relays + 1, sizeof *j.part);
    int err = j.owner && j.members && j.layer && j.sum && j.part
                  ? said_gather(&j, word)
                  : ERR_NOMEM;
    if (!err)
        err = owners_find(&j);
    if (!err)
        err = voices_find(&j);
    if (!err)
        err = relays_judge(&j);
    if (!err)
        err = links_judge(&j);
    judge_free(&j);
    return err;
}
