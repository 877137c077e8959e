/* client/heard/shown.c - see shown.h.
 *
 * State: of each board and interval a place, by the interval modulo
 * SHOWN_INTERVALS, with the list that the gateway has shown and the root that
 * stores have named; either may come first. A list goes from shown to sure to
 * given. Beside it the slices of unfinished lists, the lists whose consensus is
 * not here, and what stores said last.
 *
 * Timers: none of its own; shown_tick() looks once a second. Failure modes: a
 * lost slice loses its list (the next connection shows it again, for ten
 * minutes); a board that begins anew cuts its chain, so that older lists which
 * had not been named stay unsure; without memory a list is lost likewise. Each
 * is a token not seen, and what it announced is found by the sweep. */
#include "client/heard/shown_internal.h"

#include <stdlib.h>
#include <string.h>

int
shown_new(struct shown **out)
{
    *out = calloc(1, sizeof **out);
    return *out ? 0 : ERR_NOMEM;
}

static void
kept_free(struct kept *k)
{
    free(k->bytes);
    free(k->other);
}

void
shown_free(struct shown **lp)
{
    struct shown *l = *lp;
    *lp = NULL;
    if (!l)
        return;
    for (size_t b = 0; b < BOARDS_MAX; b++)
        for (size_t i = 0; i < SHOWN_INTERVALS; i++)
            kept_free(&l->board[b].kept[i]);
    for (size_t i = 0; i < SHOWN_WAITING; i++)
        free(l->waiting[i].bytes);
    for (size_t i = 0; i < SHOWN_EVIDENCE; i++)
        for (size_t k = 0; k < 2; k++)
            free(l->evidence[i].list[k]);
    free(l);
}

uint8_t *
shown_copy(const uint8_t *bytes, size_t len)
{
    uint8_t *out = malloc(len);
    if (out)
        memcpy(out, bytes, len);
    return out;
}

/* ---- consensuses and boards ---- */

/* The consensus that an interval belongs to, or NULL. */
const struct consensus *
shown_view(const struct shown_now *now, uint32_t interval)
{
    for (size_t i = 0; i < now->n; i++)
        if (now->view[i] && list_is_of(now->view[i], interval))
            return now->view[i];
    return NULL;
}

const struct consensus *
shown_view_newest(const struct shown_now *now)
{
    const struct consensus *out = NULL;
    for (size_t i = 0; i < now->n; i++)
        if (now->view[i] && (!out || now->view[i]->epoch > out->epoch))
            out = now->view[i];
    return out;
}

/* May a list of this interval, of c's length, be looked at now? */
int
shown_judge_interval(const struct params *p, uint32_t interval,
                     uint64_t unix_ms)
{
    const uint64_t at_ms = list_interval_start_ms(p, interval);
    const uint64_t ring_ms = (uint64_t)SHOWN_INTERVALS * p->list_interval_ms;
    if (at_ms > unix_ms + SHOWN_AHEAD_MS)
        return ERR_FUTURE;
    if (at_ms + (ring_ms < SHOWN_KEPT_MS ? ring_ms : SHOWN_KEPT_MS) < unix_ms)
        return ERR_STALE;
    return 0;
}

/* Count the families of stores that have nothing to do with a board nor with the
 * gateway (-1: none), three at most. */
static unsigned
families_beside(const struct consensus *c, const struct relay_entry *board,
                int gateway)
{
    size_t n;
    const uint16_t *store = consensus_layer(c, c->params.layers + 1u, &n);
    const struct relay_entry *of[SHOWN_SURE + 1];
    unsigned found = 0;
    for (size_t i = 0; i < n && found <= SHOWN_SURE; i++) {
        const struct relay_entry *s = &c->relays[store[i]];
        bool is_new =
            !naming_are_related(s, board) &&
            (gateway < 0 || !naming_are_related(s, &c->relays[gateway]));
        for (unsigned k = 0; k < found && is_new; k++)
            is_new = !naming_are_related(s, of[k]);
        if (is_new)
            of[found++] = s;
    }
    return found;
}

struct shown_jury
shown_jury(const struct consensus *c, const struct relay_entry *board,
           const uint8_t *gateway)
{
    const int self = gateway ? consensus_find(c, gateway) : -1;
    const unsigned others = families_beside(c, board, self);
    struct shown_jury j = {.board = board,
                           .need = others < SHOWN_SURE ? 1 : SHOWN_SURE};
    j.signer = others == SHOWN_SURE &&
               (self < 0 || !naming_are_related(board, &c->relays[self]));
    j.own = j.signer || others == 0;
    return j;
}

bool
shown_is_enough(const struct shown_jury *j, const struct naming *w,
                uint32_t good, uint32_t bad, bool is_here)
{
    const uint32_t others = naming_unrelated(w, j->board);
    const bool signs = j->signer && is_here;
    const unsigned families =
        naming_families(w, j->own && !signs ? good : good & others) + signs;
    return families >= j->need &&
           families > naming_families(w, j->own ? bad : bad & others);
}

/* ---- places ---- */

static bool
kept_is_free(const struct kept *k)
{
    return !k->bytes && !k->named;
}

static void
kept_clear(struct shown *l, struct kept_board *b, struct kept *k)
{
    l->n_sure -= k->sure && !k->given;
    b->n_unsure -= k->bytes && !k->sure;
    l->counts.missed += k->named && !k->forked && !k->bytes;
    kept_free(k);
    *k = (struct kept){0};
}

/* The place of an interval; a newer one takes that of an older one, NULL: it is
 * too old. */
struct kept *
kept_take(struct shown *l, uint8_t board, uint32_t epoch, uint32_t interval)
{
    struct kept *k = &l->board[board].kept[interval % SHOWN_INTERVALS];
    if (k->epoch == epoch && k->interval == interval)
        return k;
    if (!kept_is_free(k) &&
        (epoch < k->epoch || (epoch == k->epoch && interval < k->interval)))
        return NULL;
    kept_clear(l, &l->board[board], k);
    k->epoch = epoch;
    k->interval = interval;
    return k;
}

struct kept *
kept_find(struct shown *l, uint8_t board, uint32_t epoch, uint32_t interval)
{
    struct kept *k = &l->board[board].kept[interval % SHOWN_INTERVALS];
    return k->epoch == epoch && k->interval == interval && !kept_is_free(k)
               ? k
               : NULL;
}

/* ---- which lists are sure ---- */

static void
kept_make_sure(struct shown *l, struct kept_board *b, struct kept *k)
{
    k->sure = true;
    b->n_unsure--;
    l->n_sure++;
    l->counts.sure++;
}

bool
kept_choose(struct kept *k, const uint8_t root[static LIST_ROOT_LEN])
{
    uint8_t *bytes = k->bytes, other_root[LIST_ROOT_LEN];
    if (bytes && memcmp(k->root, root, LIST_ROOT_LEN) == 0)
        return true;
    if (!k->other || k->sure || memcmp(k->other_root, root, LIST_ROOT_LEN) != 0)
        return false;
    memcpy(other_root, k->root, LIST_ROOT_LEN);
    memcpy(k->root, k->other_root, LIST_ROOT_LEN);
    memcpy(k->other_root, other_root, LIST_ROOT_LEN);
    k->bytes = k->other;
    k->other = bytes;
    return true;
}

/* Find out which lists of a board and epoch are sure, now that something about
 * the one of interval `at` is new. From the newest back, what was said of a list
 * counts for those that it leads to as well, as far back as it is said, until the
 * chain is cut. */
void
kept_prove(struct shown *l, const struct shown_now *now,
           const struct consensus *c, uint8_t board, uint32_t at)
{
    struct kept_board *b = &l->board[board];
    uint32_t good = 0, bad = 0;
    const uint8_t *leads_to = NULL;
    const struct shown_jury jury =
        shown_jury(c, &c->relays[c->boards.relay[board]], now->gateway);
    uint32_t i = b->epoch == c->epoch ? b->newest : at + SHOWN_INTERVALS - 1;
    for (unsigned n = 0; n < 2 * SHOWN_INTERVALS && b->n_unsure > 0; n++, i--) {
        struct kept *k = kept_find(l, board, c->epoch, i);
        if (!k || !k->bytes)
            continue;
        if (leads_to && !kept_choose(k, leads_to))
            good = bad = 0;
        good = naming_reaching(&b->words, good, i) |
               naming_for(&b->words, i, k->root);
        bad |= naming_against(&b->words, i, k->root);
        if (!k->sure && shown_is_enough(&jury, &b->words, good, bad, true))
            kept_make_sure(l, b, k);
        if (good == 0 && i < at)
            return; /* nothing that is new counts for older ones */
        leads_to = k->bytes + BEFORE_AT;
    }
}

bool
shown_next(struct shown *l, struct sure_list *out)
{
    struct kept *oldest = NULL;
    uint8_t board = 0;
    for (uint8_t b = 0; b < BOARDS_MAX && l->n_sure > 0; b++)
        for (size_t i = 0; i < SHOWN_INTERVALS; i++) {
            struct kept *k = &l->board[b].kept[i];
            if (!k->sure || k->given ||
                (oldest && (k->epoch > oldest->epoch ||
                            (k->epoch == oldest->epoch &&
                             k->interval >= oldest->interval))))
                continue;
            oldest = k;
            board = b;
        }
    *out = (struct sure_list){0};
    if (!oldest)
        return false;
    oldest->given = true;
    l->n_sure--;
    *out = (struct sure_list){
        .epoch = oldest->epoch,
        .interval = oldest->interval,
        .board = board,
        .n =
            (oldest->len - LIST_HEAD_LEN - LIST_SIGNATURE_LEN) / LIST_ENTRY_LEN,
        .entries = oldest->bytes + LIST_HEAD_LEN};
    return true;
}

/* ---- what others ask ---- */

bool
shown_has_voice(const struct shown *l, const struct consensus *c, uint8_t board,
                uint64_t unix_ms)
{
    const struct kept_board *b = &l->board[board];
    return board < c->boards.n && b->said_epoch == c->epoch &&
           (uint64_t)b->said_newest + SHOWN_SILENT >=
               list_interval(&c->params, unix_ms);
}

void
shown_count(const struct shown *l, struct shown_counts *out)
{
    *out = l->counts;
}

bool
shown_evidence(const struct shown *l, size_t i, uint32_t *epoch,
               const uint8_t *list[static 2], size_t *len)
{
    if (i >= l->n_evidence)
        return false;
    *epoch = l->evidence[i].epoch;
    *len = l->evidence[i].len;
    list[0] = l->evidence[i].list[0];
    list[1] = l->evidence[i].list[1];
    return true;
}
