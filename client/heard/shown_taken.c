/* client/heard/shown_taken.c - slices become lists, lists are judged and kept.
 *
 * shown.h has the rules. A slice is joined with those before it (list.h); a whole list
 * waits for its consensus or for a signature check of this second, and is then kept
 * for its interval, or refused and counted. A second list of one interval with a good
 * signature is kept beside the first, as evidence.
 * Failure modes: what is too old, too far ahead, of no board, or more than may wait is
 * dropped; each way has its count (struct shown_counts). */
#include "client/heard/shown_internal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/bucket.h"
#include "lib/codec.h"

/* Two lists of one interval, both signed by the board: once for each epoch. */
static void
evidence_keep(struct shown *l, const struct kept *k, uint8_t board,
              const uint8_t *bytes)
{
    for (size_t i = 0; i < LIARS; i++)
        if (l->liar[i].epoch == k->epoch && l->liar[i].board == board)
            return;
    l->counts.evidence++;
    l->liar[l->next_liar].epoch = k->epoch;
    l->liar[l->next_liar].board = board;
    l->next_liar = (l->next_liar + 1) % LIARS;
    if (l->n_evidence == SHOWN_EVIDENCE)
        return;
    struct kept_pair *e = &l->evidence[l->n_evidence];
    e->list[0] = shown_copy(k->bytes, k->len);
    e->list[1] = shown_copy(bytes, k->len);
    if (e->list[0] && e->list[1]) {
        e->epoch = k->epoch;
        e->len = k->len;
        l->n_evidence++;
        return;
    }
    free(e->list[0]);
    free(e->list[1]);
    *e = (struct kept_pair){0};
}

/* Keep a second list of an interval beside the first, while no store has said which
 * of them all have; or in its place, when it is the one that was named. */
static void
other_keep(struct kept *k, const uint8_t *bytes, const uint8_t *root)
{
    if (k->sure || (k->named ? memcmp(k->said, root, LIST_ROOT_LEN) != 0
                             : k->other != NULL))
        return;
    uint8_t *copy = shown_copy(bytes, k->len);
    if (!copy)
        return;
    free(k->other);
    k->other = copy;
    memcpy(k->other_root, root, LIST_ROOT_LEN);
    if (k->named)
        (void)kept_choose(k, k->said);
}

/* Take a whole list of consensus c. */
static int
list_take(struct shown *l, const struct shown_now *now,
          const struct consensus *c, const uint8_t *bytes, size_t len)
{
    struct board_list list;
    uint8_t root[LIST_ROOT_LEN];
    int err = list_parse(&list, &c->params, bytes, len);
    if (!err && list.board >= c->boards.n)
        err = ERR_RANGE;
    if (!err)
        err = shown_judge_interval(&c->params, list.interval, now->unix_ms);
    if (err)
        return err;
    list_root(bytes, len, root);
    struct kept *had = kept_find(l, list.board, c->epoch, list.interval);
    if (had && had->bytes &&
        (memcmp(had->root, root, sizeof root) == 0 ||
         (had->other && memcmp(had->other_root, root, sizeof root) == 0))) {
        l->counts.again++;
        return 0;
    }
    if (!bucket_take(&l->checks_us, now->mono_us, 1000000 / SHOWN_CHECKS,
                     1000000))
        return ERR_RATE;
    err = list_verify(c, bytes, len);
    if (err)
        return err;
    l->counts.seen++;
    if (had && had->bytes) {
        evidence_keep(l, had, list.board, bytes);
        other_keep(had, bytes, root);
        kept_prove(l, now, c, list.board, list.interval);
        return ERR_CONFLICT;
    }
    uint8_t *copy = shown_copy(bytes, len);
    if (!copy)
        return ERR_NOMEM;
    struct kept *k = kept_take(l, list.board, c->epoch, list.interval);
    if (!k) {
        free(copy);
        return ERR_STALE;
    }
    struct kept_board *b = &l->board[list.board];
    k->bytes = copy;
    k->len = len;
    memcpy(k->root, root, sizeof root);
    b->n_unsure++;
    if (b->epoch < c->epoch ||
        (b->epoch == c->epoch && b->newest < list.interval)) {
        b->epoch = c->epoch;
        b->newest = list.interval;
    }
    kept_prove(l, now, c, list.board, list.interval);
    return 0;
}

/* Keep a list until its consensus comes, or until its signature may be checked; the
 * one that has waited longest gives way. */
static int
waiting_add(struct shown *l, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < SHOWN_WAITING; i++)
        if (l->waiting[i].bytes && l->waiting[i].len == len &&
            memcmp(l->waiting[i].bytes, bytes, len) == 0)
            return 0;
    struct kept_back *w = &l->waiting[l->next_waiting];
    const bool fits = w->bytes && w->len == len;
    uint8_t *copy = fits ? w->bytes : shown_copy(bytes, len);
    if (!copy)
        return ERR_NOMEM;
    l->next_waiting = (l->next_waiting + 1) % SHOWN_WAITING;
    l->counts.refused += w->bytes != NULL;
    if (fits)
        memcpy(copy, bytes, len);
    else
        free(w->bytes);
    *w = (struct kept_back){copy, len};
    return 0;
}

/* May a list of this interval belong to an epoch after the newest that is here?
 */
static int
waiting_judge(const struct shown_now *now, const struct consensus *newest,
              uint32_t interval)
{
    const struct params *p = &newest->params;
    const uint64_t end_ms = (newest->valid_after_s + p->epoch_len_s) * 1000;
    int err = shown_judge_interval(p, interval, now->unix_ms);
    if (!err && list_interval_start_ms(p, interval) < end_ms)
        err = ERR_EPOCH;
    return err;
}

int
shown_slice(struct shown *l, const struct shown_now *now,
            const struct wire_slice *slice)
{
    const uint8_t *bytes;
    const struct consensus *c = shown_view(now, slice->interval);
    const struct consensus *newest = shown_view_newest(now);
    int err = 0;
    if (!newest || (!c && slice->board >= BOARDS_MAX) ||
        (c && slice->board >= c->boards.n))
        err = ERR_RANGE;
    else if (!c)
        err = waiting_judge(now, newest, slice->interval);
    if (err) {
        l->counts.refused++;
        return err;
    }
    const size_t len = list_len(c ? &c->params : &newest->params);
    err = gather_take(&l->gather, slice, len, &bytes);
    if (err == 1 &&
        (codec_get32(bytes) != slice->interval || bytes[4] != slice->board))
        err = ERR_FORMAT;
    else if (err == 1)
        err = c ? list_take(l, now, c, bytes, len) : ERR_RATE;
    if (err == ERR_RATE) /* shown once: it is looked at when its turn comes */
        err = waiting_add(l, bytes, len);
    l->counts.refused += err != 0;
    return err;
}

/* Take those whose consensus has come, as fast as signatures may be checked, and
 * forget those that are too old. */
void
shown_take_waiting(struct shown *l, const struct shown_now *now)
{
    const struct consensus *newest = shown_view_newest(now);
    for (size_t i = 0; i < SHOWN_WAITING && newest; i++) {
        struct kept_back *w = &l->waiting[i];
        if (!w->bytes)
            continue;
        const uint32_t interval = codec_get32(w->bytes);
        const struct consensus *c = shown_view(now, interval);
        int err = c ? list_take(l, now, c, w->bytes, w->len)
                    : waiting_judge(now, newest, interval);
        if (err == ERR_RATE || (!c && !err))
            continue;
        l->counts.refused += err != 0;
        free(w->bytes);
        *w = (struct kept_back){0};
    }
}
