/* sim/announce/people.c - see people.h.
 *
 * States of a letter: written (waits for a tick), under way, committed, read,
 * shown, acknowledged. Each get names where to begin in a box, so that several
 * under way bring several letters; what was held when it was sent is not
 * brought again. Failure modes: no memory ends the run; a frame that is lost
 * (network. loss) is put, or announced, again when nothing has come back. */
#include "sim/announce/people.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rng.h"
#include "sim/announce/delays.h"

enum {
    EVENT_TICK = 1, /* a: person */
    EVENT_COMMIT,   /* a: way, b: note */
    EVENT_TOKEN,
    EVENT_SHOW,
    EVENT_ACK,
    EVENT_READ, /* a: get */
    EVENT_ANSWER,
    EVENT_AGAIN,
    EVENT_TIMER
};

enum {
    SEND_ODDS = 64,
    COPIES = 8,             /* of 64: to second stores */
    DEAF_US = 2000000,      /* until a letter has its effects */
    AGAIN_US = 5000000,     /* a lost letter is put again */
    SILENT_US = 3000000,    /* a letter's commit is as far away at most */
    ACK_WAIT_US = 1000000,  /* between two acknowledgements of one way */
    ACK_PARTS_US = 5000000, /* the same, of a transfer */
    FIRST_ROOM = 8
};

#define ACK_UNSEEN_US 3600000000ULL /* the same, to who does not look */

static void
event_put(struct people *p, uint64_t at_us, uint32_t kind, uint32_t a,
          uint32_t b)
{
    people_fail(p, events_put(&p->events, at_us, kind, a, b));
}

void
people_timer(struct people *p, uint64_t at_us, uint32_t a, uint32_t b)
{
    event_put(p, at_us, EVENT_TIMER, a, b);
}

/* What happened to a letter, for the course and the trace. */
static void
note_trace(struct people *p, const char *event, uint32_t way, uint32_t i)
{
    p->course = (p->course ^ (p->now_us * 0x9e3779b97f4a7c15ULL +
                              ((uint64_t)way << 32 | i) + (uint8_t)event[0])) *
                0x100000001b3ULL;
    if (p->trace)
        fprintf(p->trace, "%" PRIu64 ",%s,%" PRIu32 ",%" PRIu32 ",%s\n",
                p->now_us, event, way, i,
                p->way[way].note[i].kind == NOTE_ACK ? "acknowledgement"
                                                     : "letter");
}

/* ---- lines ---- */

static void
line_push(struct people *p, struct people_line *l, uint32_t way, uint32_t note)
{
    if (l->n == l->room) {
        const size_t room = l->room ? 2 * l->room : FIRST_ROOM;
        struct people_waiting *made = realloc(l->at, room * sizeof *made);
        if (!made) {
            people_fail(p, ERR_NOMEM);
            return;
        }
        l->at = made;
        l->room = room;
    }
    l->at[l->n++] = (struct people_waiting){way, note};
}

static struct people_waiting
line_take(struct people_line *l, size_t i)
{
    const struct people_waiting w = l->at[i];
    memmove(&l->at[i], &l->at[i + 1], (--l->n - i) * sizeof l->at[0]);
    return w;
}

/* The first that waits of one of the ways, drawn: a file keeps no text waiting.
 */
static size_t
line_draw(struct people *p, const struct people_line *l)
{
    size_t ways = 0, at = 0;
    for (size_t i = 0; i < l->n; i++) {
        size_t k = 0;
        while (k < i && l->at[k].way != l->at[i].way)
            k++;
        if (k == i && rng_below(&p->env, ++ways) == 0)
            at = i;
    }
    return at;
}

/* The letter whose turn it is: one that is announced already, or one that is
 * drawn. */
static size_t
line_next(struct people *p, const struct people_line *l)
{
    for (size_t i = 0; i < l->n; i++)
        if (p->way[l->at[i].way].note[l->at[i].note].tokened)
            return i;
    return line_draw(p, l);
}

/* ---- clocks ---- */

static bool
has_use(const struct person *me)
{
    return me->always || me->own.n > 0 || me->answers.n > 0 ||
           (me->expects > 0 && !me->deaf);
}

static void
person_wake(struct people *p, uint32_t person)
{
    struct person *me = &p->person[person];
    if (me->awake || !has_use(me))
        return;
    me->awake = true;
    me->traffic.next_us = p->now_us + rng_exp_us(&p->env, me->traffic.mean_us);
    event_put(p, me->traffic.next_us, EVENT_TICK, person, 0);
}

/* ---- writing ---- */

static uint32_t
note_add(struct people *p, struct people_way *w, enum note_kind kind)
{
    if (w->n == w->room) {
        const uint32_t room = w->room ? 2 * w->room : FIRST_ROOM;
        struct note *made = realloc(w->note, room * sizeof *made);
        if (!made) {
            people_fail(p, ERR_NOMEM);
            return 0;
        }
        w->note = made;
        w->room = room;
    }
    w->note[w->n] = (struct note){.kind = kind,
                                  .written_us = p->now_us,
                                  .commit_us = NEVER_US,
                                  .read_us = NEVER_US,
                                  .shown_us = NEVER_US,
                                  .ack_us = NEVER_US,
                                  .acked_us = NEVER_US};
    return w->n++;
}

uint32_t
people_write(struct people *p, uint32_t way, enum note_kind kind, bool user,
             bool announce)
{
    struct people_way *w = &p->way[way];
    struct person *me = &p->person[w->from];
    const uint32_t i = note_add(p, w, kind);
    if (p->err)
        return 0;
    struct note *note = &w->note[i];
    if (user)
        fronts_took(me->fronts, &p->env, p->now_us, w->number);
    if (user)
        me->active[w->number] = ++p->recency;
    if (kind == NOTE_PART)
        fronts_transfer(me->fronts, p->now_us, w->number);
    note->announced = announce && kind != NOTE_ACK;
    line_push(p, kind == NOTE_ACK ? &me->answers : &me->own, way, i);
    person_wake(p, w->from);
    return i;
}

/* A letter that leaves acknowledges all that was shown until then. */
static void
acks_carry(struct people *p, uint32_t way)
{
    struct people_way *w = &p->way[way];
    for (uint32_t i = w->unacked; i < w->n; i++) {
        if (w->note[i].shown_us != NEVER_US && w->note[i].acked_us == NEVER_US)
            w->note[i].acked_us = p->now_us;
        if (i == w->unacked && w->note[i].acked_us != NEVER_US)
            w->unacked++;
    }
}

static void
note_send(struct people *p, struct people_waiting at)
{
    struct people_way *w = &p->way[at.way];
    struct note *n = &w->note[at.note];
    struct person *me = &p->person[w->from];
    if (n->kind != NOTE_ACK)
        acks_carry(p, at.way ^ 1);
    n->lease_us =
        fronts_lease_us(me->fronts, p->now_us, w->number, n->kind == NOTE_ACK);
    const uint64_t arrives_us = p->now_us + delays_out_us(p, false);
    if (delays_lose(p))
        event_put(p, p->now_us + AGAIN_US, EVENT_AGAIN, at.way, at.note);
    else
        event_put(p, arrives_us, EVENT_COMMIT, at.way, at.note);
}

/* Announce a letter that could leave now, if that is still to be done: it takes
 * its letter's tick, since a list takes longer to be acted on than a put to
 * arrive. */
static bool
token_send(struct people *p, const struct person *me, struct people_waiting at)
{
    const struct people_way *w = &p->way[at.way];
    struct note *n = &w->note[at.note];
    if (!n->announced || n->tokened ||
        fronts_may_be_silent(me->fronts, w->number, p->now_us + SILENT_US))
        return false;
    n->tokened = true;
    p->tokens++;
    /* who does not see his own in the list announces anew */
    const uint64_t arrives_us = p->now_us + delays_out_us(p, false);
    const uint64_t again_us = delays_lose(p) ? AGAIN_US : 0;
    event_put(p, boards_listed_us(&p->boards, &p->env, arrives_us + again_us),
              EVENT_TOKEN, at.way, at.note);
    return true;
}

static void
send_tick(struct people *p, struct person *me)
{
    const uint64_t u = rng_below(&p->env, SEND_ODDS);
    me->sends++;
    if (u < COPIES) {
        return; /* second stores' */
    } else if (me->answers.n > 0) {
        note_send(p, line_take(&me->answers, 0));
    } else if (me->own.n > 0) {
        const size_t i = line_next(p, &me->own);
        if (!token_send(p, me, me->own.at[i]))
            note_send(p, line_take(&me->own, i));
    }
}

/* ---- polls ---- */

/* As polls were before: four places by recency, one for the rest. */
static void
recency_pick(struct people *p, const struct person *me,
             struct fronts_choice *out)
{
    const uint64_t u = rng_below(&p->env, 64);
    uint32_t rank = u < 35 ? 0 : u < 42 ? 1 : u < 49 ? 2 : u < 56 ? 3 : 4;
    if (rank == 4 && me->contacts > 4)
        rank += (uint32_t)rng_below(&p->env, me->contacts - 4);
    *out = (struct fronts_choice){.place = FRONTS_LANE,
                                  .older = rng_below(&p->env, 4) == 0,
                                  .spare = rng_below(&p->env, 8) == 0};
    uint64_t below = UINT64_MAX;
    for (uint32_t r = 0; r <= rank && r < me->contacts; r++) {
        uint32_t best = 0;
        for (uint32_t k = 1; k <= me->contacts; k++)
            if (me->active[k] < below &&
                (best == 0 || me->active[k] > me->active[best]))
                best = k;
        below = me->active[best];
        out->contact = best;
    }
}

static uint32_t
get_new(struct people *p)
{
    if (p->free_get) {
        const uint32_t i = p->free_get - 1;
        p->free_get = p->get[i].next_free;
        return i;
    }
    if ((p->n_gets & (p->n_gets - 1)) == 0) { /* a power of two is full */
        const size_t room = p->n_gets ? 2 * (size_t)p->n_gets : 1;
        struct get *made = realloc(p->get, room * sizeof *made);
        if (!made) {
            people_fail(p, ERR_NOMEM);
            return 0;
        }
        p->get = made;
    }
    return p->n_gets++;
}

static void
poll_tick(struct people *p, uint32_t person)
{
    struct person *me = &p->person[person];
    struct fronts_choice choice;
    if (p->scenario->announce.schedule == SCHEDULE_RECENCY)
        recency_pick(p, me, &choice);
    else
        fronts_pick(me->fronts, &p->env, p->now_us, &choice);
    const uint32_t from = me->way[choice.contact];
    if (from == 0 || choice.older || choice.spare || delays_lose(p))
        return;
    struct people_way *w = &p->way[from - 1];
    const uint32_t i = get_new(p);
    if (p->err)
        return;
    /* the next in line, or the one after it, which the answer under way cannot
     * bring */
    const uint32_t ahead = w->asked % 2 % (BOX_SLOTS - w->base % BOX_SLOTS);
    p->get[i] = (struct get){.choice = choice,
                             .person = person,
                             .way = from - 1,
                             .begin = w->base + ahead,
                             .sent_us = p->now_us};
    w->asked++;
    const struct scenario_mix *m = &p->scenario->mix;
    const uint64_t before_us = p->scenario->announce.read_before_us;
    const uint64_t at_us = p->now_us + delays_out_us(p, true);
    const uint64_t stays_us =
        m->store_delay_fixed_us + rng_exp_us(&p->env, m->store_delay_mean_us);
    const uint64_t read_us =
        before_us == 0 || before_us > stays_us ? 0 : stays_us - before_us;
    event_put(p, at_us + read_us, EVENT_READ, i, 0);
    event_put(p, at_us + stays_us + delays_back_us(p), EVENT_ANSWER, i, 0);
}

/* Is it a front's get, which names this letter as held, since it may not show
 * it? */
static bool
is_left(const struct people *p, const struct get *g, const struct note *n)
{
    return n->later && g->choice.place == FRONTS_FRONT &&
           !fronts_may_show(p->person[g->person].fronts, &g->choice,
                            n->commit_us);
}

/* The store looks: the first letter from where the get begins, cyclic in its
 * box, that is there and was not held when it was sent. */
static void
get_read(struct people *p, struct get *g)
{
    const struct people_way *w = &p->way[g->way];
    const uint32_t box = g->begin - g->begin % BOX_SLOTS;
    for (uint32_t k = 0; k < BOX_SLOTS; k++) {
        const uint32_t i = box + (g->begin + k) % BOX_SLOTS;
        if (i >= w->n || w->note[i].commit_us > p->now_us ||
            w->note[i].read_us <= g->sent_us || is_left(p, g, &w->note[i]))
            continue;
        g->more = g->found > 0;
        if (g->found > 0)
            return;
        g->found = i + 1;
    }
}

/* Of a transfer each get names another slot, and no two bring the same: the
 * best that a client can do. */
static void
part_read(struct people *p, struct get *g)
{
    struct people_way *w = &p->way[g->way];
    const uint32_t end = w->base + BOXES_AHEAD * BOX_SLOTS;
    for (uint32_t i = w->base; i < w->n && i < end; i++) {
        struct note *n = &w->note[i];
        if (n->commit_us > p->now_us || n->taken || n->read_us != NEVER_US ||
            is_left(p, g, n))
            continue;
        g->more = g->found > 0;
        if (g->found > 0)
            return;
        n->taken = true;
        g->found = i + 1;
    }
}

/* ---- reading ---- */

/* How long until it is acknowledged. */
static void
ack_plan(struct people *p, uint32_t way, uint32_t i)
{
    struct people_way *w = &p->way[way];
    struct note *n = &w->note[i];
    const struct person *me = &p->person[w->to];
    if (p->scenario->announce.schedule == SCHEDULE_RECENCY)
        n->ack_us = p->now_us + ACK_WAIT_US;
    else
        n->ack_us = fronts_ack_us(me->fronts, &p->env, w->number, n->shown_us,
                                  n->commit_us, n->kind == NOTE_PART);
    event_put(p, n->ack_us, EVENT_ACK, way, i);
}

static void
note_show(struct people *p, uint32_t way, uint32_t i)
{
    struct people_way *w = &p->way[way];
    struct note *n = &w->note[i];
    struct person *me = &p->person[w->to];
    if (n->shown_us != NEVER_US)
        return;
    n->shown_us = p->now_us;
    note_trace(p, "shown", way, i);
    if (n->lease_us > 0)
        fronts_leased(me->fronts, w->number, n->lease_us);
    me->active[w->number] = ++p->recency;
    if (n->kind == NOTE_PART)
        fronts_transfer(me->fronts, p->now_us, w->number);
    if (n->kind != NOTE_ACK && !me->deaf)
        ack_plan(p, way, i);
    if (p->shown)
        p->shown(p, way, i);
}

static void
note_read(struct people *p, const struct get *g, uint32_t i)
{
    struct people_way *w = &p->way[g->way];
    struct note *n = &w->note[i];
    struct person *me = &p->person[w->to];
    if (p->scenario->announce.schedule == SCHEDULE_FRONTS &&
        !fronts_may_show(me->fronts, &g->choice, n->commit_us)) {
        n->later = true;
        n->taken = false;
        return;
    }
    n->read_us = p->now_us;
    note_trace(p, "read", g->way, i);
    w->busy = n->kind == NOTE_PART;
    me->expects--;
    while (w->base < w->n && w->note[w->base].read_us != NEVER_US)
        w->base++;
    note_show(p, g->way, i);
}

static void
get_answered(struct people *p, uint32_t at)
{
    const struct get g = p->get[at];
    struct people_way *w = &p->way[g.way];
    p->get[at].next_free = p->free_get;
    p->free_get = at + 1;
    w->asked--;
    const struct note *n = g.found > 0 ? &w->note[g.found - 1] : NULL;
    const bool fresh = n && n->read_us == NEVER_US;
    fronts_answered(p->person[g.person].fronts, &p->env, p->now_us, &g.choice,
                    fresh && n->tokened, g.more);
    if (fresh)
        note_read(p, &g, g.found - 1);
}

static void
note_committed(struct people *p, uint32_t way, uint32_t i)
{
    struct people_way *w = &p->way[way];
    struct person *me = &p->person[w->to];
    w->note[i].commit_us = p->now_us;
    note_trace(p, "committed", way, i);
    if (me->deaf) {
        event_put(p, p->now_us + DEAF_US, EVENT_SHOW, way, i);
    } else {
        me->expects++;
        person_wake(p, w->to);
    }
    if (p->committed)
        p->committed(p, way, i);
}

static void
note_listed(struct people *p, uint32_t way, uint32_t i)
{
    struct people_way *w = &p->way[way];
    struct person *me = &p->person[w->to];
    note_trace(p, "listed", way, i);
    fronts_announced(me->fronts, &p->env, p->now_us, w->number, false);
}

/* An acknowledgement carries all that are due, unless a letter of the user's
 * was sooner. */
static void
note_ack(struct people *p, uint32_t way, uint32_t i)
{
    struct people_way *w = &p->way[way];
    if (w->note[i].acked_us != NEVER_US)
        return;
    if (p->now_us < w->ack_after_us) {
        event_put(p, w->ack_after_us, EVENT_ACK, way, i);
        return;
    }
    /* who has promised no front does not look: one in an hour, lest they stand
     * before what will be announced */
    const struct person *me = &p->person[w->to];
    const bool seen =
        p->scenario->announce.schedule == SCHEDULE_RECENCY ||
        fronts_may_be_silent(me->fronts, w->number, p->now_us + SILENT_US);
    w->ack_after_us =
        p->now_us + (!seen                          ? ACK_UNSEEN_US
                     : w->note[i].kind == NOTE_PART ? ACK_PARTS_US
                                                    : ACK_WAIT_US);
    for (uint32_t k = i; k < w->n; k++)
        if (w->note[k].ack_us <= p->now_us && w->note[k].acked_us == NEVER_US)
            w->note[k].acked_us = p->now_us;
    people_write(p, way ^ 1, NOTE_ACK, false, false);
}

static void
note_again(struct people *p, uint32_t way, uint32_t i)
{
    const uint32_t from = p->way[way].from;
    line_push(p, &p->person[from].own, way, i);
    person_wake(p, from);
}

/* ---- going on ---- */

static void
person_tick(struct people *p, uint32_t person)
{
    struct person *me = &p->person[person];
    enum traffic_kind kind = TRAFFIC_LOOP;
    me->awake = has_use(me);
    if (!me->awake)
        return;
    traffic_tick(&me->traffic, &p->env, p->now_us, &kind);
    if (kind == TRAFFIC_SEND)
        send_tick(p, me);
    else if (kind == TRAFFIC_POLL && !me->deaf)
        poll_tick(p, person);
    else if (kind == TRAFFIC_LOOP && me->own.n > 0)
        (void)token_send(p, me, me->own.at[line_next(p, &me->own)]);
    event_put(p, me->traffic.next_us, EVENT_TICK, person, 0);
}

static void
happening_do(struct people *p, const struct happening *h)
{
    switch (h->kind) {
    case EVENT_TICK:
        person_tick(p, h->a);
        return;
    case EVENT_COMMIT:
        note_committed(p, h->a, h->b);
        return;
    case EVENT_TOKEN:
        note_listed(p, h->a, h->b);
        return;
    case EVENT_SHOW:
        note_show(p, h->a, h->b);
        return;
    case EVENT_ACK:
        note_ack(p, h->a, h->b);
        return;
    case EVENT_READ:
        if (p->way[p->get[h->a].way].busy)
            part_read(p, &p->get[h->a]);
        else
            get_read(p, &p->get[h->a]);
        return;
    case EVENT_ANSWER:
        get_answered(p, h->a);
        return;
    case EVENT_AGAIN:
        note_again(p, h->a, h->b);
        return;
    default:
        if (p->timer)
            p->timer(p, h->a, h->b);
        return;
    }
}

int
people_run(struct people *p, uint64_t until_us)
{
    struct happening h;
    while (!p->err && events_take(&p->events, until_us, &h)) {
        p->now_us = h.at_us;
        happening_do(p, &h);
    }
    if (!p->err && until_us != NEVER_US)
        p->now_us = until_us;
    return p->err;
}
