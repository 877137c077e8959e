/* directory/newcomers.c - see newcomers.h. No state. */
#include "directory/newcomers.h"

#include <stdlib.h>
#include <string.h>

#include "network/draw.h"

/* Did a relay that is in since this epoch come in within a period? */
static bool
is_recent(const struct consensus *c, uint32_t since)
{
    const uint32_t epochs = c->params.period_s / c->params.epoch_len_s;
    return since > 0 && since + (epochs > 0 ? epochs : 1) > c->epoch;
}

/* Tell how many more relays of a role may come in. */
static size_t
role_room(const struct consensus *c, const struct past *past, unsigned role)
{
    size_t old = 0, recent = 0;
    for (size_t i = 0; i < past->n; i++)
        recent += past_find(past, past->known[i].identity, role) != NULL &&
                  is_recent(c, past->known[i].since);
    for (size_t i = 0; i < c->n_relays; i++) {
        const struct standing *s =
            c->relays[i].role == role
                ? past_find(past, c->relays[i].identity, role)
                : NULL;
        old += s && !is_recent(c, s->since);
    }
    const uint64_t share = (uint64_t)old * c->params.newcomer_permille / 1000;
    const uint64_t most = share > 0 ? share : 1;
    return most > recent ? (size_t)(most - recent) : 0;
}

int
newcomers_find(const struct consensus *c, const struct past *past, bool *waits)
{
    struct draw_rank *all = calloc(c->n_relays + 1, sizeof *all);
    if (!all)
        return ERR_NOMEM;
    memset(waits, 0, c->n_relays * sizeof *waits);
    for (unsigned role = ROLE_GATEWAY; role <= ROLE_STORE && !past->is_empty;
         role++) {
        size_t n = 0;
        for (size_t i = 0; i < c->n_relays; i++) {
            const struct relay_entry *r = &c->relays[i];
            if (r->role != role || past_find(past, r->identity, role))
                continue;
            all[n++] = draw_rank(c, "brusio/1 newcomer", i);
        }
        draw_ranks_sort(all, n);
        for (size_t i = role_room(c, past, role); i < n; i++)
            waits[all[i].relay] = true;
    }
    free(all);
    return 0;
}
