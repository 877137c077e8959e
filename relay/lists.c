/* relay/lists.c - judging, keeping and naming the lists of boards, and cutting
 * them into slices; lists.h says by which rules.
 *
 * State: a ring of lists in the order of coming, numbered from 0; an index to
 * it by interval and board; of each board the newest; pairs that are evidence;
 * of each link and board when it has its checks back.
 *
 * Failure modes: a link that brings forged lists uses up its own checks and
 * nobody else's, and so does a board that signs a list for each interval of
 * long ago. A board that signs many lists of one interval has two of them kept.
 * A relay whose clock is wrong takes no lists and says so by a counter. */
#include "relay/lists.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bucket.h"
#include "lib/wire.h"

enum { NEWEST = 2 };

struct lists_entry {
    uint32_t epoch, interval;
    uint64_t start_ms; /* of the interval */
    uint32_t since;    /* from this interval on all that it leads to is here;
                          0: from the board's beginning */
    uint16_t len;
    uint8_t board;
    bool late; /* or early: that it is here is no sign that all have it */
    uint8_t root[LIST_ROOT_LEN], before[LIST_ROOT_LEN];
};

/* The newest list of a board in an epoch that may be named. */
struct newest {
    uint32_t epoch, interval, since;
    uint64_t start_ms;
    uint8_t root[LIST_ROOT_LEN];
};

struct lists_pair {
    uint32_t epoch;
    uint8_t board;
    uint16_t len;
    uint8_t *list[2]; /* owned, in one piece */
};

struct lists {
    pthread_mutex_t mutex;
    uint64_t next;    /* number of the list that comes next */
    size_t room;      /* lists in the ring, 0: no board as yet */
    size_t bytes;     /* of each */
    size_t intervals; /* that the index holds */
    struct lists_entry *entry;
    uint8_t *list;
    uint64_t *index; /* number + 1 by interval modulo intervals, board */
    struct newest newest[BOARDS_MAX][NEWEST]; /* by epoch modulo NEWEST */
    size_t n_pairs;                           /* ever; the oldest gives way */
    struct lists_pair pair[LISTS_EVIDENCE_MAX];
    uint64_t full_us[LISTS_LINKS][BOARDS_MAX];
};

unsigned
lists_burst(const struct params *p)
{
    /* two intervals beside, both ends, and the one that contradicts */
    return (LISTS_BEHIND_MS + LISTS_AHEAD_MS) / p->list_interval_ms + 4;
}

int
lists_new(struct lists **out)
{
    struct lists *l = calloc(1, sizeof *l);
    *out = l;
    if (!l)
        return ERR_NOMEM;
    pthread_mutex_init(&l->mutex, NULL);
    return 0;
}

void
lists_free(struct lists **lp)
{
    struct lists *l = *lp;
    *lp = NULL;
    if (!l)
        return;
    pthread_mutex_destroy(&l->mutex);
    for (size_t i = 0; i < LISTS_EVIDENCE_MAX; i++)
        free(l->pair[i].list[0]);
    free(l->entry);
    free(l->list);
    free(l->index);
    free(l);
}

/* Make the ring and its index anew, for `intervals` intervals and lists of so
 * many bytes. */
static int
ring_make(struct lists *l, size_t intervals, size_t bytes)
{
    const size_t room = intervals * (LISTS_KEPT_MS + LISTS_SHOWING_MS) /
                            LISTS_KEPT_MS * BOARDS_MAX +
                        LISTS_EVIDENCE_MAX;
    struct lists_entry *entry = calloc(room, sizeof *entry);
    uint8_t *list = calloc(room, bytes);
    uint64_t *index = calloc(intervals * BOARDS_MAX, sizeof *index);
    if (!entry || !list || !index) {
        free(entry);
        free(list);
        free(index);
        return ERR_NOMEM;
    }
    /* its pages are had now: what grows later has another cause */
    sodium_memzero(list, room * bytes);
    sodium_memzero(entry, room * sizeof *entry);
    free(l->entry);
    free(l->list);
    free(l->index);
    l->entry = entry;
    l->list = list;
    l->index = index;
    l->intervals = intervals;
    l->bytes = bytes;
    /* numbers go on, and none of those before is in the ring */
    l->next += l->room + room;
    l->room = room;
    return 0;
}

int
lists_fit(struct lists *l, const struct params *p)
{
    int err = 0;
    if (p->boards == 0)
        return 0;
    size_t intervals = (LISTS_KEPT_MS + LISTS_AHEAD_MS + LISTS_PASSING_MS) /
                           p->list_interval_ms +
                       2;
    size_t bytes = list_len(p);
    pthread_mutex_lock(&l->mutex);
    if (l->intervals < intervals || l->bytes < bytes) {
        intervals = l->intervals > intervals ? l->intervals : intervals;
        bytes = l->bytes > bytes ? l->bytes : bytes;
        err = ring_make(l, intervals, bytes);
    }
    pthread_mutex_unlock(&l->mutex);
    return err;
}

/* ---- the ring ---- */

static struct lists_entry *
entry_at(const struct lists *l, uint64_t number)
{
    return &l->entry[number % l->room];
}

static uint8_t *
list_at(const struct lists *l, uint64_t number)
{
    return l->list + number % l->room * l->bytes;
}

/* Is this list in the ring, and not from before the ring was made? */
static bool
entry_is_kept(const struct lists *l, uint64_t number)
{
    return number < l->next && l->next - number <= l->room &&
           entry_at(l, number)->len > 0;
}

static uint64_t *
index_at(const struct lists *l, uint32_t interval, uint8_t board)
{
    return &l->index[interval % l->intervals * BOARDS_MAX + board];
}

/* Find the list of an interval and board of an epoch that was kept first. */
static bool
entry_find(const struct lists *l, uint32_t epoch, uint32_t interval,
           uint8_t board, uint64_t *number)
{
    const uint64_t at = *index_at(l, interval, board);
    if (at == 0 || !entry_is_kept(l, at - 1))
        return false;
    const struct lists_entry *e = entry_at(l, at - 1);
    *number = at - 1;
    return e->epoch == epoch && e->interval == interval && e->board == board;
}

/* Tell from which interval on all lists are here that e leads to. */
static uint32_t
entry_since(const struct lists *l, const struct lists_entry *e)
{
    uint64_t number;
    if (sodium_is_zero(e->before, LIST_ROOT_LEN))
        return 0;
    for (uint32_t i = 1; i < l->intervals && i < e->interval; i++)
        if (entry_find(l, e->epoch, e->interval - i, e->board, &number)) {
            const struct lists_entry *b = entry_at(l, number);
            return !b->late && memcmp(b->root, e->before, LIST_ROOT_LEN) == 0
                       ? b->since
                       : e->interval;
        }
    return e->interval;
}

static struct newest *
newest_at(struct lists *l, uint8_t board, uint32_t epoch)
{
    return &l->newest[board][epoch % NEWEST];
}

/* Name a list, and since when all is here that it leads to. So nobody acts on a
 * list that a board has shown to one reader alone and that later lists lead to
 * (client/heard/shown.h). What came at the edge of its time is not named: a mix that
 * lies can keep a list until some relays, by their clocks, take it and others do not,
 * and honest gateways that lack what is named are left. */
static void
newest_note(struct lists *l, const struct lists_entry *e, uint64_t now_ms)
{
    struct newest *n = newest_at(l, e->board, e->epoch);
    /* what begins later than any list that is taken came by a wrong clock */
    const bool is_wrong =
        n->start_ms > now_ms + LISTS_AHEAD_MS + LISTS_PASSING_MS;
    if (e->late || e->epoch < n->epoch ||
        (e->epoch == n->epoch && e->interval < n->interval && !is_wrong))
        return;
    *n = (struct newest){.epoch = e->epoch,
                         .interval = e->interval,
                         .since = e->since,
                         .start_ms = e->start_ms};
    memcpy(n->root, e->root, LIST_ROOT_LEN);
}

/* Look what may be named now of the lists that lead to `number`, which is
 * new. */
static void
chain_look(struct lists *l, uint64_t number, uint64_t now_ms)
{
    struct lists_entry *e = entry_at(l, number);
    e->since = entry_since(l, e);
    newest_note(l, e, now_ms);
    const uint32_t from = e->interval;
    for (uint32_t i = 1; i < l->intervals; i++) {
        if (!entry_find(l, e->epoch, from + i, e->board, &number))
            continue;
        struct lists_entry *next = entry_at(l, number);
        if (memcmp(next->before, e->root, LIST_ROOT_LEN) != 0)
            return;
        next->since = e->late ? next->interval : e->since;
        newest_note(l, next, now_ms);
        e = next;
    }
}

static uint64_t
entry_add(struct lists *l, const struct lists_entry *e, const uint8_t *list)
{
    const uint64_t number = l->next++;
    *entry_at(l, number) = *e;
    memcpy(list_at(l, number), list, e->len);
    return number;
}

/* ---- taking one ---- */

static bool
board_lies(const struct lists *l, uint32_t epoch, uint8_t board)
{
    for (size_t i = 0; i < LISTS_EVIDENCE_MAX; i++)
        if (l->pair[i].list[0] && l->pair[i].epoch == epoch &&
            l->pair[i].board == board)
            return true;
    return false;
}

/* Judge a list by those that are here. Returns ERR_EXISTS when *first is one of
 * its interval and board; ERR_CONFLICT when the two are evidence; else 0. */
static int
entry_judge(const struct lists *l, const struct lists_entry *e, uint64_t *first)
{
    if (!entry_find(l, e->epoch, e->interval, e->board, first))
        return 0;
    return memcmp(entry_at(l, *first)->root, e->root, LIST_ROOT_LEN) == 0 ||
                   board_lies(l, e->epoch, e->board)
               ? ERR_EXISTS
               : ERR_CONFLICT;
}

static int
list_judge(struct lists *l, const struct consensus *c,
           const struct lists_entry *e, uint32_t link, uint64_t now_us)
{
    const uint64_t each_us =
        c->params.list_interval_ms * 1000ULL / LISTS_CHECKS;
    uint64_t first;
    int err = 0;
    pthread_mutex_lock(&l->mutex);
    if (l->bytes < e->len)
        err = ERR_AGAIN; /* no room was made for it yet */
    else if (entry_judge(l, e, &first) == ERR_EXISTS)
        err = ERR_EXISTS;
    else if (link != LISTS_OWN &&
             !bucket_take(&l->full_us[link % LISTS_LINKS][e->board], now_us,
                          each_us, lists_burst(&c->params) * each_us))
        err = ERR_RATE;
    pthread_mutex_unlock(&l->mutex);
    return err;
}

/* Keep the pair of the list that is there and this one. */
static int
pair_keep(struct lists *l, uint64_t first, const struct lists_entry *e,
          const uint8_t *list)
{
    struct lists_pair *p = &l->pair[l->n_pairs % LISTS_EVIDENCE_MAX];
    uint8_t *both = malloc((size_t)2 * e->len);
    if (!both)
        return ERR_NOMEM;
    free(p->list[0]);
    *p = (struct lists_pair){e->epoch, e->board, e->len, {both, both + e->len}};
    memcpy(p->list[0], list_at(l, first), e->len);
    memcpy(p->list[1], list, e->len);
    l->n_pairs++;
    struct newest *n = newest_at(l, e->board, e->epoch);
    if (n->epoch == e->epoch)
        n->interval = 0;
    return 0;
}

static int
list_keep(struct lists *l, const struct lists_entry *e, const uint8_t *list,
          uint64_t now_ms)
{
    uint64_t first;
    pthread_mutex_lock(&l->mutex);
    /* another worker may have kept it meanwhile */
    int err = l->bytes < e->len ? ERR_AGAIN : entry_judge(l, e, &first);
    if (err == ERR_CONFLICT) {
        int short_of_memory = pair_keep(l, first, e, list);
        if (short_of_memory)
            err = short_of_memory;
        else
            entry_add(l, e, list);
    } else if (!err) {
        const uint64_t number = entry_add(l, e, list);
        *index_at(l, e->interval, e->board) = number + 1;
        if (!board_lies(l, e->epoch, e->board))
            chain_look(l, number, now_ms);
    }
    pthread_mutex_unlock(&l->mutex);
    return err;
}

int
lists_judge_time(const struct params *p, uint32_t interval, uint64_t now_ms,
                 uint64_t more_ms)
{
    const uint64_t start_ms = list_interval_start_ms(p, interval);
    if (start_ms + 2ULL * p->list_interval_ms + LISTS_BEHIND_MS + more_ms <
        now_ms)
        return ERR_STALE;
    return start_ms > now_ms + LISTS_AHEAD_MS + more_ms ? ERR_FUTURE : 0;
}

int
lists_take(struct lists *l, const struct consensus *c, const uint8_t *list,
           uint32_t link, uint64_t now_ms, uint64_t now_us)
{
    const size_t len = list_len(&c->params);
    struct board_list b;
    int err = list_parse(&b, &c->params, list, len);
    if (err)
        return err;
    if (!list_is_of(c, b.interval))
        return ERR_EPOCH;
    struct lists_entry e = {.epoch = c->epoch,
                            .interval = b.interval,
                            .start_ms =
                                list_interval_start_ms(&c->params, b.interval),
                            .len = (uint16_t)len,
                            .board = b.board};
    err = lists_judge_time(&c->params, b.interval, now_ms, LISTS_PASSING_MS);
    if (err)
        return err;
    list_root(list, len, e.root);
    memcpy(e.before, b.before, LIST_ROOT_LEN);
    e.late = lists_judge_time(&c->params, b.interval, now_ms, 0) != 0;
    err = list_judge(l, c, &e, link, now_us);
    if (!err)
        err = list_verify(c, list, len);
    return err ? err : list_keep(l, &e, list, now_ms);
}

/* ---- what is known ---- */

/* Pick the one to be named of one board's newest lists of two epochs. The last
 * list of an epoch would else be named for one interval alone, too few times
 * for many clients; and a board that dates the first list of an epoch ahead
 * would end that interval at once. */
static const struct newest *
newest_pick(const struct newest n[static NEWEST], bool older)
{
    const struct newest *a = &n[0], *b = &n[1];
    if (a->epoch < b->epoch) {
        a = &n[1];
        b = &n[0];
    }
    if (b->interval == 0 || b->epoch + 1 != a->epoch)
        return a;
    return older && a->start_ms <= b->start_ms + LISTS_TURN_MS ? b : a;
}

void
lists_name(struct lists *l, bool older,
           struct lists_root root[static BOARDS_MAX])
{
    pthread_mutex_lock(&l->mutex);
    for (size_t i = 0; i < BOARDS_MAX; i++) {
        const struct newest *n = newest_pick(l->newest[i], older);
        const uint32_t back = n->interval - n->since;
        root[i].interval = n->interval;
        root[i].back = n->since == 0 || back > WIRE_BACK_MOST ? WIRE_BACK_MOST
                                                              : (uint16_t)back;
        memcpy(root[i].root, n->root, LIST_ROOT_LEN);
    }
    pthread_mutex_unlock(&l->mutex);
}

bool
lists_evidence(struct lists *l, size_t number, struct lists_evidence *out)
{
    pthread_mutex_lock(&l->mutex);
    const bool found =
        number < LISTS_EVIDENCE_MAX && l->pair[number].list[0] != NULL;
    if (found) {
        const struct lists_pair *p = &l->pair[number];
        out->epoch = p->epoch;
        out->len = p->len;
        memcpy(out->list[0], p->list[0], p->len);
        memcpy(out->list[1], p->list[1], p->len);
    }
    pthread_mutex_unlock(&l->mutex);
    return found;
}

/* ---- slices ---- */

struct lists_place
lists_enter(struct lists *l, uint64_t now_ms)
{
    pthread_mutex_lock(&l->mutex);
    const struct lists_place at = {
        .next = l->next,
        .back = l->next,
        .back_ms = now_ms > LISTS_KEPT_MS ? now_ms - LISTS_KEPT_MS : 0};
    pthread_mutex_unlock(&l->mutex);
    return at;
}

/* Write a part of a list. Returns whether it is the last one. */
static bool
part_write(const struct lists *l, uint64_t number, uint8_t part, uint8_t *rest,
           size_t room)
{
    const struct lists_entry *e = entry_at(l, number);
    const size_t each = wire_slice_data_len(room);
    const size_t at = part * each, left = e->len - at;
    const struct wire_slice slice = {.kind = WIRE_SLICE_PART,
                                     .interval = e->interval,
                                     .board = e->board,
                                     .part = part,
                                     .data = list_at(l, number) + at,
                                     .len = left < each ? left : each};
    if (wire_slice_write(rest, room, &slice))
        return true; /* cannot be: params_check() wants room for slices */
    return at + each >= e->len;
}

/* Find what is next for a client at *at; lists that are gone are passed over.
 * Returns false when there is nothing; else the number and part of a list. */
static bool
place_find(const struct lists *l, struct lists_place *at, uint64_t *number,
           uint8_t *part)
{
    if (at->next < l->next && !entry_is_kept(l, at->next)) {
        /* a line that was blocked for so long, or a ring that was made anew */
        at->next_part = 0;
        at->next = l->next > l->room ? l->next - l->room : 0;
        while (at->next < l->next && !entry_is_kept(l, at->next))
            at->next++;
    }
    if (at->next < l->next) {
        *number = at->next;
        *part = at->next_part;
        return true;
    }
    if (at->back == 0)
        return false;
    *number = at->back - 1;
    *part = at->back_part;
    if (entry_is_kept(l, *number) &&
        entry_at(l, *number)->start_ms >= at->back_ms)
        return true;
    at->back = 0;
    return false;
}

struct lists_place
lists_slice(struct lists *l, struct lists_place at, uint8_t *rest, size_t room)
{
    const struct wire_slice none = {.kind = WIRE_SLICE_NONE};
    uint64_t number;
    uint8_t part;
    pthread_mutex_lock(&l->mutex);
    if (wire_slice_data_len(room) == 0 || l->room == 0 ||
        !place_find(l, &at, &number, &part)) {
        if (wire_slice_write(rest, room, &none))
            at.back = 0; /* no room for as much as that */
    } else {
        const bool is_new = number == at.next;
        const bool last = part_write(l, number, part, rest, room);
        if (is_new) {
            at.next += last;
            at.next_part = last ? 0 : (uint8_t)(part + 1);
        } else {
            at.back -= last;
            at.back_part = last ? 0 : (uint8_t)(part + 1);
        }
    }
    pthread_mutex_unlock(&l->mutex);
    return at;
}
