/* directory/past.c - what the votes of an epoch know of those before: which
 * ring of values of days goes on, and where relays stood.
 *
 * Votes may differ, since each author has the newest consensus that came to it,
 * and liars say anything. So each question has one rule that gives every
 * authority the same answer from the same votes: what is said most often, of
 * several the smallest, and nothing that fewer than `need` say.
 *
 * No state, no timer. Failure modes: too few agree (the relay is new, the ring
 * of days begins anew); no memory. */
#include "directory/past.h"

#include <stdlib.h>
#include <string.h>

#include "lib/codec.h"

static int
known_order(const void *key, const void *item)
{
    return memcmp(key, ((const struct standing *)item)->identity,
                  SPHINX_ID_LEN);
}

/* Find what `vote` knew of the relay `identity`; NULL when nothing: a vote may
 * know nobody, and then has no array to search. */
static const struct standing *
vote_known_find(const struct vote *vote, const uint8_t identity[SPHINX_ID_LEN])
{
    return vote->n_known == 0 ? NULL
                              : bsearch(identity, vote->known, vote->n_known,
                                        sizeof *vote->known, known_order);
}

/* Find what is said most often, of several the smallest; NULL when fewer than
 * `need` say it. */
static const uint8_t *
most_said(const uint8_t *const *said, size_t n, size_t len, size_t need)
{
    const uint8_t *best = NULL;
    size_t best_n = 0;
    for (size_t i = 0; i < n; i++) {
        size_t same = 0;
        for (size_t k = 0; k < n; k++)
            same += memcmp(said[i], said[k], len) == 0;
        if (same > best_n ||
            (same == best_n && memcmp(said[i], best, len) < 0)) {
            best = said[i];
            best_n = same;
        }
    }
    return best_n >= need ? best : NULL;
}

static unsigned
role_of(unsigned layer, unsigned layers)
{
    return layer == 0 ? ROLE_GATEWAY : layer > layers ? ROLE_STORE : ROLE_MIX;
}

static int
latest_first(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x < y) - (x > y);
}

/* ---- days ---- */

/* Do two votes have the same values of days, of the same period? */
static bool
days_agree(const struct vote *a, const struct vote *b)
{
    return a->day == b->day && a->days.n == b->days.n &&
           memcmp(a->days.value, b->days.value,
                  a->days.n * sizeof a->days.value[0]) == 0;
}

/* Does the ring of a, which so many votes have, go before that of b? */
static bool
days_beat(const struct vote *a, size_t n_a, const struct vote *b, size_t n_b)
{
    if (a->day != b->day)
        return a->day > b->day;
    if (n_a != n_b)
        return n_a > n_b;
    if (a->days.n != b->days.n)
        return a->days.n < b->days.n;
    return memcmp(a->days.value, b->days.value,
                  a->days.n * sizeof a->days.value[0]) < 0;
}

/* Go on with the values of days. Returns a vote whose ring goes on; NULL:
 * nobody's does. */
static const struct vote *
days_go_on(struct vote *const *votes, size_t n, size_t need,
           struct consensus *c)
{
    const uint32_t period = consensus_period(c);
    const struct vote *best = NULL;
    size_t n_best = 0;
    for (size_t i = 0; i < n; i++) {
        size_t same = 0;
        for (size_t k = 0; k < n; k++)
            same += days_agree(votes[i], votes[k]);
        if (votes[i]->days.n > 0 && votes[i]->day <= period && same >= need &&
            (!best || days_beat(votes[i], same, best, n_best))) {
            best = votes[i];
            n_best = same;
        }
    }
    days_next(
        &c->days, period, days_keep(c->params.letter_days, c->params.period_s),
        c->shared_random, best ? &best->days : NULL, best ? best->day : 0);
    return best;
}

/* ---- where relays stood ---- */

/* Find what the votes know of a relay in this role; false when too few know of
 * it. */
static bool
standing_find(struct vote *const *votes, size_t n, size_t need,
              const uint8_t identity[static SPHINX_ID_LEN], unsigned role,
              unsigned layers, const struct vote *newest, struct standing *out)
{
    const uint8_t *layer[AUTHORITIES_MAX], *placement[AUTHORITIES_MAX];
    const uint8_t *since[AUTHORITIES_MAX], *counts[AUTHORITIES_MAX];
    uint8_t number[AUTHORITIES_MAX][4], bits[AUTHORITIES_MAX][2];
    uint32_t seen[AUTHORITIES_MAX];
    size_t m = 0, n_counts = 0;
    for (size_t i = 0; i < n; i++) {
        const struct standing *k = vote_known_find(votes[i], identity);
        if (!k || role_of(k->layer, layers) != role)
            continue; /* or it had another role */
        codec_put32(number[m], k->since);
        since[m] = number[m];
        seen[m] = k->seen;
        layer[m] = &k->layer;
        placement[m++] = k->placement;
        if (!newest || !days_agree(votes[i], newest))
            continue;
        codec_put16(bits[n_counts], k->counts);
        counts[n_counts] = bits[n_counts];
        n_counts++;
    }
    const uint8_t *l = most_said(layer, m, 1, need);
    const uint8_t *p = most_said(placement, m, PLACEMENT_LEN, need);
    const uint8_t *from = most_said(since, m, sizeof number[0], need);
    const uint8_t *days = most_said(counts, n_counts, sizeof bits[0], need);
    if (!l || !p || !from)
        return false;
    qsort(seen, m, sizeof *seen, latest_first);
    *out = (struct standing){.layer = *l,
                             .since = codec_get32(from),
                             .counts = days ? codec_get16(days) : 0,
                             .seen = seen[need - 1]};
    memcpy(out->identity, identity, SPHINX_ID_LEN);
    memcpy(out->placement, p, PLACEMENT_LEN);
    return true;
}

static int
identity_order(const void *a, const void *b)
{
    return memcmp(a, b, SPHINX_ID_LEN);
}

/* Gather all whom any vote knows, sorted; some stand there more than once. */
static int
identities_gather(struct vote *const *votes, size_t n,
                  uint8_t (**out)[SPHINX_ID_LEN], size_t *n_out)
{
    size_t room = 0, m = 0;
    for (size_t i = 0; i < n; i++)
        room += votes[i]->n_known;
    *out = calloc(room + 1, sizeof **out);
    *n_out = 0;
    if (!*out)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < votes[i]->n_known; k++)
            memcpy((*out)[m++], votes[i]->known[k].identity, SPHINX_ID_LEN);
    qsort(*out, m, sizeof **out, identity_order);
    *n_out = m;
    return 0;
}

int
past_make(struct past *p, struct vote *const *votes, size_t n, size_t need,
          struct consensus *c)
{
    const struct vote *newest = days_go_on(votes, n, need, c);
    const unsigned layers = c->params.layers;
    uint8_t(*id)[SPHINX_ID_LEN];
    size_t m, know = 0;
    *p = (struct past){.layers = layers};
    for (size_t i = 0; i < n; i++)
        know += votes[i]->n_known > 0;
    p->is_empty = know < need;
    p->periods = newest ? consensus_period(c) - newest->day : 1;
    int err = identities_gather(votes, n, &id, &m);
    if (!err) {
        p->known = calloc(m + 1, sizeof *p->known);
        err = p->known ? 0 : ERR_NOMEM;
    }
    for (size_t i = 0; i < m && !err; i++) {
        if (i > 0 && memcmp(id[i - 1], id[i], sizeof id[i]) == 0)
            continue;
        for (unsigned role = ROLE_GATEWAY; role <= ROLE_STORE; role++)
            if (standing_find(votes, n, need, id[i], role, layers, newest,
                              &p->known[p->n])) {
                p->n++;
                break;
            }
    }
    free(id);
    return err;
}

void
past_free(struct past *p)
{
    free(p->known);
    *p = (struct past){0};
}

const struct standing *
past_find(const struct past *p, const uint8_t identity[static SPHINX_ID_LEN],
          unsigned role)
{
    const struct standing *s =
        p->n == 0
            ? NULL
            : bsearch(identity, p->known, p->n, sizeof *p->known, known_order);
    return s && role_of(s->layer, p->layers) == role ? s : NULL;
}

uint16_t
past_counts(const struct past *p, const struct consensus *c,
            const struct standing *s, uint32_t since)
{
    const uint32_t trial = c->params.store_trial_epochs;
    if (trial == 0 || (since == 0 && !s))
        return DAYS_COUNTS_ALL;
    return days_counts(s ? s->counts : 0, p->periods,
                       since == 0 || c->epoch - since >= trial);
}

/* Both lists are sorted by identity. */
int
past_away(const struct past *p, struct consensus *c)
{
    const uint32_t most = consensus_away_max(&c->params);
    size_t at = 0;
    c->away = calloc(p->n + 1, sizeof *c->away);
    if (!c->away)
        return ERR_NOMEM;
    for (size_t i = 0; i < p->n && c->n_away < RELAYS_MAX; i++) {
        const struct standing *s = &p->known[i];
        int order = 1;
        while (at < c->n_relays &&
               (order = memcmp(c->relays[at].identity, s->identity,
                               SPHINX_ID_LEN)) < 0)
            at++;
        if ((at == c->n_relays || order != 0) && s->seen < c->epoch &&
            c->epoch - s->seen <= most) {
            struct standing *away = &c->away[c->n_away++];
            *away = *s;
            away->counts = days_counts(s->counts, p->periods, false);
        }
    }
    return 0;
}
