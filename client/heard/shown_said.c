/* client/heard/shown_said.c - see shown.h: what stores say of lists,
 * and what a gateway has not shown of it. */
#include "client/heard/shown_internal.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_US 1000000ULL

/* So many stores name this list that it exists: it has to come. */
static void
kept_name(struct shown *l, const struct shown_now *now,
          const struct consensus *c, uint8_t board,
          const struct wire_root *root)
{
    struct kept_board *b = &l->board[board];
    struct kept *k = kept_take(l, board, c->epoch, root->interval);
    if (!k)
        return;
    if (k->named) {
        if (!k->forked && memcmp(k->said, root->root, LIST_ROOT_LEN) != 0) {
            k->forked = true;
            l->counts.forked++;
        }
        return;
    }
    const uint64_t intervals_us =
        (uint64_t)SHOWN_LATE_INTERVALS * 1000 * c->params.list_interval_ms;
    k->named = true;
    memcpy(k->said, root->root, LIST_ROOT_LEN);
    (void)kept_choose(k, k->said);
    k->named_us = now->mono_us;
    k->late_us = intervals_us > SHOWN_LATE_US ? intervals_us : SHOWN_LATE_US;
    if (b->said_epoch < c->epoch ||
        (b->said_epoch == c->epoch && b->said_newest < root->interval)) {
        b->said_epoch = c->epoch;
        b->said_newest = root->interval;
    }
}

/* Note what a store says of one board. */
static void
board_named(struct shown *l, const struct shown_now *now,
            const struct relay_entry *store, uint8_t board,
            const struct wire_root *root)
{
    const struct consensus *c = shown_view(now, root->interval);
    struct naming *w = &l->board[board].words;
    if (root->interval == 0 || !c || board >= c->boards.n ||
        shown_judge_interval(&c->params, root->interval, now->unix_ms))
        return;
    const struct relay_entry *of = &c->relays[c->boards.relay[board]];
    const struct shown_jury jury = shown_jury(c, of, now->gateway);
    naming_note(w, store, root, now->mono_us);
    if (shown_is_enough(&jury, w, naming_for(w, root->interval, root->root),
                        naming_against(w, root->interval, root->root), false))
        kept_name(l, now, c, board, root);
    const struct kept *k = kept_find(l, board, c->epoch, root->interval);
    if (k && k->bytes && l->board[board].n_unsure > 0)
        kept_prove(l, now, c, board, root->interval);
}

void
shown_named(struct shown *l, const struct shown_now *now,
            const struct relay_entry *store,
            const struct wire_root root[static BOARDS_MAX])
{
    for (unsigned i = 0; i < BOARDS_MAX; i++)
        board_named(l, now, store, (uint8_t)i, &root[i]);
}

/* ---- gateways that withhold ---- */

void
shown_link_up(struct shown *l, uint64_t mono_us)
{
    l->linked = true;
    l->linked_us = mono_us;
    l->is_stuck = false;
    l->times = 0;
    l->gather = (struct gather){0};
}

void
shown_link_down(struct shown *l)
{
    l->linked = l->is_stuck = false;
}

static uint64_t
stuck_us(const struct shown *l)
{
    return SHOWN_STUCK_US << (l->leaves < SHOWN_STUCK_DOUBLINGS
                                  ? l->leaves
                                  : SHOWN_STUCK_DOUBLINGS);
}

/* Has the list of this place been named on this connection, and is it not here?
 */
static bool
kept_is_missing(const struct shown *l, const struct kept *k)
{
    return k->named && !k->forked && k->named_us >= l->linked_us &&
           !(k->bytes && memcmp(k->root, k->said, LIST_ROOT_LEN) == 0);
}

/* Count what has become late since the last look. What becomes late in a row is
 * one time: a gateway that is held up for a while is late with many lists. */
static void
late_look(struct shown *l, uint64_t now_us)
{
    bool is_new = false;
    l->is_stuck = false;
    for (unsigned b = 0; b < BOARDS_MAX; b++)
        for (size_t i = 0; i < SHOWN_INTERVALS; i++) {
            struct kept *k = &l->board[b].kept[i];
            if (!kept_is_missing(l, k) || now_us - k->named_us <= k->late_us)
                continue;
            l->counts.late += !k->late;
            is_new = is_new || !k->late;
            k->late = true;
            l->is_stuck = l->is_stuck || now_us - k->named_us > stuck_us(l);
        }
    if (is_new && now_us - l->late_us > SHOWN_LATE_US &&
        l->times < SHOWN_LATE_MAX)
        l->times++;
    if (is_new)
        l->late_us = now_us;
    if (now_us - l->late_us > SHOWN_CALM_US)
        l->leaves = 0;
}

void
shown_tick(struct shown *l, const struct shown_now *now)
{
    if (l->look_us && now->mono_us - l->look_us < LOOK_US)
        return;
    l->look_us = now->mono_us;
    shown_take_waiting(l, now);
    if (l->linked)
        late_look(l, now->mono_us);
}

bool
shown_is_withheld(const struct shown *l, uint64_t mono_us)
{
    return l->linked && mono_us - l->linked_us > stuck_us(l) &&
           (l->is_stuck || l->times >= SHOWN_LATE_MAX);
}

void
shown_leave(struct shown *l)
{
    l->counts.left++;
    if (l->leaves < SHOWN_STUCK_DOUBLINGS)
        l->leaves++;
}
