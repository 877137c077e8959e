/* client/polls.c - which box of a conversation a poll asks for.
 *
 * State: a cursor of each period that is read, in struct conversation.
 *
 * Of a period's boxes eight are looked at, from the first that is not wholly read.
 * One poll in 128 glances at another of them than what follows would ask for, drawn
 * whatever is there, half of these at the next: so letters behind a box whose stores
 * keep nothing become known. A box with letters known to be there comes first; then the
 * first that is not full, or, for a busy reader, whichever of it and the three after it
 * was asked for least. A poll begins at one of the letters that are known to be there and that
 * no poll under way begins at, drawn alike among them. Without such a letter a busy
 * reader's begins at the first slot that is not here and that no poll begins at;
 * another's at the second one that is not here, in one of four at the first: what
 * polls under way have not named yet may have been served to them. So polls of one
 * box bring different letters, and the store needs no memory of them. Where nothing
 * was read yet, as where nobody reads, a poll begins anywhere. A letter that a front
 * has seen and that is not to be shown yet is named as held by fronts alone; others
 * ask for it as if no front had.
 *
 * Today's and yesterday's period are always open, whatever was read of them and
 * however young the conversation is: how often yesterday's box is asked for says
 * nothing. An older one is closed when a later letter says how many it held and they
 * were read, when it is empty, or when its letters have expired. A poll for the
 * older period is for yesterday's, or for one with letters known to be there; the
 * sweep's may be for any. A look after connecting has a period of its own.
 *
 * A get of lane, sweep or look has one more follow while letters are known to be there,
 * of whatever day, or lie behind a box that may have some: else those of all days but
 * one would wait for the sweep when a reader comes back, and those of a box before.
 *
 * Of a box whose second store has given two letters one poll in four goes there: the
 * first has no room for what is written, or loses it.
 *
 * Failure modes: a store that gives what does not open, or that contradicts
 * itself, LIES_MAX times is asked less than the box's other one; a letter that
 * opens at neither (its writer's doing) is passed over; a box with a hole (a letter its
 * writer gave up, or which its stores lost or have let go) is passed over, and glanced
 * at still, when there are letters in later ones and HOLE_POLLS were in vain, and left
 * for good when the seventh box has letters; what is said to lie in a box and is not
 * given EMPTIES_FORGET times is not believed. */
#include "client/polls.h"

#include <assert.h>
#include <string.h>

#include "client/conversations.h"

enum {
    ALL = 0xffff,
    EMPTIES_CLOSE = 8,  /* of a period that is over */
    EMPTIES_FORGET = 8, /* of a box where letters are said to lie */
    SECOND_LETTERS = 2, /* from the second store: it is asked more */
    SECOND_SHARE = 4,   /* one poll of so many more */
    HOLE_POLLS = 256,   /* of a box that others have overtaken: in less a letter
                         is put again that a dying gateway has lost */
    HOLE_POLLS_SELDOM = 8,
    LIED_SHARE = 4,  /* of the polls, to a box that was passed over for lies */
    HOLE_SHARE = 8,  /* of that for a box more, of which nothing was heard */
    HOLE_BEHIND = 2, /* of a cursor's boxes, the last: there it moves on */
    GLANCE_DICE = 1536, /* of so many polls */
    GLANCE_NEXT = 6,    /* are for the box after the current one, */
    GLANCE_FAR = 6,     /* and for each of the others one; */
    GLANCE_LANE = 96,   /* so many times as many of the lane's fourth gets; */
    GLANCE_UNBURNT = GLANCE_DICE + 1 /* drawn for the next that nobody burnt */
};
#define BEHIND_US \
    600000000ULL /* what may lie before the first letter comes within */
#define HIDDEN_US 10000000ULL /* a letter that was announced is found within */
static_assert(GLANCE_FAR == CURSOR_BOXES - 2, "one for each");

static unsigned
bits_count(uint16_t v)
{
    return (unsigned)__builtin_popcount(v);
}

/* What polls of its class have met in box i. What those of fronts have asked for and
 * heard counts for fronts alone: where others begin, at which store and of which box,
 * tells by the letters that they bring. */
static const struct polled *
polled_of(const struct cursor *k, size_t i, bool front)
{
    return &k->by[front ? POLLED_FRONTS : POLLED_OTHERS][i];
}

static struct polled *
polled_note(struct cursor *k, size_t i, bool front)
{
    return &k->by[front ? POLLED_FRONTS : POLLED_OTHERS][i];
}

/* The letters of box i that a poll names as held: a front also those that it has had
 * and may not show. */
static uint16_t
letters_held(const struct cursor *k, size_t i, bool front)
{
    return (uint16_t)(k->held[i] | (front ? k->later[i] : 0));
}

/* ---- cursors ---- */

static void
cursor_close(struct conversation *v, size_t i)
{
    memmove(&v->cursor[i], &v->cursor[i + 1],
            (CURSORS - i - 1) * sizeof v->cursor[0]);
    v->cursor[CURSORS - 1] = (struct cursor){0};
}

static void
cursor_open(struct conversation *v, uint32_t period)
{
    memmove(&v->cursor[1], &v->cursor[0], (CURSORS - 1) * sizeof v->cursor[0]);
    v->cursor[0] =
        (struct cursor){.open = true, .period = period, .end = UINT32_MAX};
}

static bool
cursor_is_read(const struct cursor *k)
{
    uint32_t read = k->base * LETTER_SLOTS;
    for (size_t i = 0; i < CURSOR_BOXES; i++)
        read += bits_count(k->held[i]);
    return k->skipped || (k->end != UINT32_MAX && read >= k->end);
}

/* The letters of box i that are known to be there and are not here. */
static uint16_t
letters_known(const struct cursor *k, size_t i, bool front)
{
    return (uint16_t)(polled_of(k, i, front)->full &
                      ~letters_held(k, i, front));
}

/* Have others than fronts, which all contacts have, found nothing often? */
static bool
cursor_is_empty(const struct cursor *k)
{
    for (size_t i = 0; i < CURSOR_BOXES; i++)
        if (letters_known(k, i, false))
            return false;
    return polled_of(k, 0, false)->empties >= EMPTIES_CLOSE;
}

void
polls_period(struct client *c, struct conversation *v)
{
    uint32_t now = client_period(c);
    uint32_t life = c->current
                        ? (uint32_t)((uint64_t)c->current->params.letter_days *
                                     86400 / c->current->params.period_s)
                        : 1;
    if (life > CURSORS - 2)
        life = CURSORS - 2;
    if (life < 1)
        life = 1;
    /* one before it was born, for what polls show */
    const uint32_t first = v->born > 0 ? v->born - 1 : 0;
    uint32_t from = v->cursor[0].open ? v->cursor[0].period + 1 : first;
    if (from + life < now)
        from = now - life;
    for (; from <= now; from++)
        cursor_open(v, from);
    for (size_t i = CURSORS; i-- > 1;) {
        const struct cursor *k = &v->cursor[i];
        if (!k->open)
            continue;
        bool old = k->period + 1 < now;
        if (old && (cursor_is_read(k) || k->period + life < now ||
                    (k->end == UINT32_MAX && cursor_is_empty(k))))
            cursor_close(v, i);
    }
}

static struct cursor *
cursor_of(struct conversation *v, uint32_t period)
{
    for (size_t i = 0; i < CURSORS && v->cursor[i].open; i++)
        if (v->cursor[i].period == period)
            return &v->cursor[i];
    return NULL;
}

/* The box's index in the cursor, or -1. */
static int
cursor_box(const struct cursor *k, struct letter_place at)
{
    uint32_t box = at.n / LETTER_SLOTS;
    if (!k || box < k->base || box - k->base >= CURSOR_BOXES)
        return -1;
    return (int)(box - k->base);
}

static void
cursor_advance(struct cursor *k)
{
    while (k->held[0] == ALL) {
        for (size_t i = 0; i + 1 < CURSOR_BOXES; i++) {
            k->held[i] = k->held[i + 1];
            k->later[i] = k->later[i + 1];
            k->ticket[i] = k->ticket[i + 1];
            for (size_t p = 0; p < POLLED_CLASSES; p++)
                k->by[p][i] = k->by[p][i + 1];
        }
        k->held[CURSOR_BOXES - 1] = k->later[CURSOR_BOXES - 1] = 0;
        k->ticket[CURSOR_BOXES - 1] = 0;
        for (size_t p = 0; p < POLLED_CLASSES; p++)
            k->by[p][CURSOR_BOXES - 1] = (struct polled){0};
        k->base++;
        k->missed = 0;
        k->empty_us = 0;
    }
}

bool
polls_is_read(struct conversation *v, struct letter_place at)
{
    const struct cursor *k = cursor_of(v, at.period);
    const int i = cursor_box(k, at);
    if (i < 0)
        return k && at.n / LETTER_SLOTS < k->base;
    return k->held[i] >> at.n % LETTER_SLOTS & 1;
}

bool
polls_may_be_first(struct conversation *v, struct letter_place at,
                   uint64_t now_us)
{
    const struct cursor *k = cursor_of(v, at.period);
    const int box = cursor_box(k, at);
    const uint16_t before = (uint16_t)((1u << at.n % LETTER_SLOTS) - 1);
    bool unread = box < 0 ? before != 0 : (before & ~k->held[box]) != 0;
    for (size_t i = 0; i < CURSORS && v->cursor[i].open; i++)
        unread |= v->cursor[i].period < at.period &&
                  v->cursor[i].period >= v->born && v->cursor[i].empty_us == 0;
    if (!unread)
        return true;
    if (v->behind_us == 0)
        v->behind_us = now_us;
    return now_us - v->behind_us > BEHIND_US;
}

void
polls_hold(struct conversation *v, struct letter_place at)
{
    struct cursor *k = cursor_of(v, at.period);
    int i = cursor_box(k, at);
    if (i < 0)
        return;
    k->held[i] |= (uint16_t)(1u << at.n % LETTER_SLOTS);
    k->later[i] &= (uint16_t)~k->held[i];
    for (size_t p = 0; p < POLLED_CLASSES; p++)
        k->by[p][i].empties = k->by[p][i].vain = 0;
    if (i == 0)
        k->missed = 0;
    cursor_advance(k);
}

void
polls_later(struct conversation *v, struct letter_place at)
{
    struct cursor *k = cursor_of(v, at.period);
    int i = cursor_box(k, at);
    if (i >= 0)
        k->later[i] |= (uint16_t)(1u << at.n % LETTER_SLOTS & ~k->held[i]);
}

void
polls_show(struct conversation *v)
{
    for (size_t i = 0; i < CURSORS; i++)
        memset(v->cursor[i].later, 0, sizeof v->cursor[i].later);
}

void
polls_journalled(struct conversation *v, struct letter_place at,
                 uint64_t ticket)
{
    struct cursor *k = cursor_of(v, at.period);
    int i = cursor_box(k, at);
    if (i >= 0)
        k->ticket[i] = ticket;
}

/* What polls of this class have heard of box i's slots is void; of others, for fronts
 * too. */
static void
heard_forget(struct cursor *k, size_t i, bool front)
{
    k->by[POLLED_FRONTS][i].full = k->held[i] | k->later[i];
    if (!front)
        k->by[POLLED_OTHERS][i].full = k->held[i];
}

/* Count a lie about box i of the cursor: what was said of its slots is void. */
static void
lie_note(struct cursor *k, size_t i, enum store_rank rank, bool front)
{
    uint8_t *lies = &polled_note(k, i, front)->lies[rank == STORE_SECOND];
    if (*lies < UINT8_MAX)
        (*lies)++;
    heard_forget(k, i, front);
}

void
polls_bad(struct conversation *v, struct letter_place at, enum store_rank rank,
          bool front)
{
    struct cursor *k = cursor_of(v, at.period);
    int i = cursor_box(k, at);
    if (i < 0)
        return;
    lie_note(k, (size_t)i, rank, front);
    uint8_t *lies = polled_note(k, (size_t)i, front)->lies;
    const bool both = lies[0] >= LIES_MAX && lies[1] >= LIES_MAX;
    if (!both && (rank != STORE_ALONE || lies[0] < BAD_LETTERS_MAX))
        return;
    lies[0] = lies[1] = 0;
    polls_hold(v, at);
}

bool
polls_avoids_first(struct conversation *v, struct letter_place at, bool front)
{
    const struct cursor *k = cursor_of(v, at.period);
    const int i = cursor_box(k, at);
    if (i < 0)
        return false;
    const uint8_t *lies = polled_of(k, (size_t)i, front)->lies;
    return lies[0] >= LIES_MAX && lies[1] < LIES_MAX;
}

void
polls_previous(struct conversation *v, uint32_t period, uint32_t previous,
               uint32_t count)
{
    for (size_t i = 0; i < CURSORS && v->cursor[i].open; i++) {
        struct cursor *k = &v->cursor[i];
        if (k->period >= period)
            continue;
        if (count > 0 && k->period == previous)
            k->end = count;
        else if (k->period > previous || count == 0)
            k->skipped = true;
    }
}

void
polls_unasked(struct conversation *v, struct letter_place at, uint8_t slot,
              bool spare, bool front)
{
    struct cursor *k = cursor_of(v, at.period);
    int i = cursor_box(k, at);
    if (i < 0)
        return;
    struct polled *p = polled_note(k, (size_t)i, front);
    if (!spare && p->asked > 0)
        p->asked--;
    p->named &= (uint16_t) ~(1u << slot);
}

/* Does an answer contradict itself? One that gives nothing names no slot that
 * was not held already, and one that gives a letter gives another. */
static bool
answer_is_false(const struct wire_answer *answer, uint16_t held)
{
    if (answer->status == WIRE_EMPTY)
        return (answer->full & ~held) != 0;
    return answer->status == WIRE_LETTER && (held >> answer->slot & 1) != 0;
}

void
polls_empty(struct conversation *v, struct letter_place at,
            enum store_rank rank, uint64_t at_us)
{
    struct cursor *k = cursor_of(v, at.period);
    if (cursor_box(k, at) == 0 && rank != STORE_SECOND && at_us > k->empty_us)
        k->empty_us = at_us;
}

uint64_t
polls_empty_us(struct conversation *v, struct letter_place at,
               enum store_rank rank)
{
    const struct cursor *k = cursor_of(v, at.period);
    return cursor_box(k, at) == 0 && rank != STORE_SECOND ? k->empty_us : 0;
}

int
polls_answer(struct conversation *v, struct letter_place at, uint16_t held,
             enum store_rank rank, bool front, const struct wire_answer *answer)
{
    struct cursor *k = cursor_of(v, at.period);
    int i = cursor_box(k, at);
    if (i < 0)
        return 0;
    if (answer_is_false(answer, held)) {
        lie_note(k, (size_t)i, rank, front);
        return ERR_CONFLICT;
    }
    if (answer->status != WIRE_EMPTY && answer->status != WIRE_LETTER)
        return 0;
    struct polled *p = polled_note(k, (size_t)i, front);
    p->full |= answer->full;
    k->by[POLLED_FRONTS][i].full |= answer->full; /* they may know it, too */
    if (answer->status == WIRE_LETTER) {
        if (rank == STORE_SECOND && p->second < UINT8_MAX)
            p->second++;
        p->empties = p->vain = 0;
        return 0;
    }
    if (p->empties < UINT16_MAX)
        p->empties++;
    if (p->empties % EMPTIES_FORGET == 0) /* it was not true, or is no more */
        heard_forget(k, (size_t)i, front);
    return 0;
}

/* Do polls of this class know of letters, read or not, in boxes from i on to before
 * `end`? */
static bool
boxes_have_letters(const struct cursor *k, unsigned i, unsigned end, bool front)
{
    for (; i < end; i++)
        if (letters_held(k, i, front) | polled_of(k, i, front)->full)
            return true;
    return false;
}

/* So many polls in vain make a hole of a slot that is free: as long as a front needs
 * for that, its letter may be on its way, or wait to be put again. Where boards
 * announce others ask seldom, and when there is something. */
static unsigned
hole_polls(const struct client *c, bool front)
{
    return front || c->boards == 0 ? HOLE_POLLS : HOLE_POLLS_SELDOM;
}

void
polls_missed(struct client *c, struct conversation *v, struct letter_place at,
             bool front)
{
    struct cursor *k = cursor_of(v, at.period);
    if (cursor_box(k, at) != 0 || letters_known(k, 0, false) ||
        !boxes_have_letters(k, CURSOR_BOXES - HOLE_BEHIND, CURSOR_BOXES, false))
        return;
    k->missed += (uint16_t)(HOLE_POLLS / hole_polls(c, front));
    if (k->missed >= HOLE_POLLS) {
        k->held[0] = ALL;
        cursor_advance(k);
    }
}

/* ---- choosing ---- */

static bool
box_is_full(const struct cursor *k, size_t i, bool front)
{
    return (letters_held(k, i, front) | polled_of(k, i, front)->full) == ALL;
}

/* The first box behind those with holes, which polls of this class have asked for so
 * often in vain while letters lie in later ones. */
static unsigned
box_behind_holes(const struct cursor *k, unsigned hole, bool front)
{
    for (unsigned i = 0; i + 1 < CURSOR_BOXES; i++) {
        const bool heard = i == 0 || boxes_have_letters(k, i, i + 1, front);
        const unsigned in_vain = heard ? hole : hole / HOLE_SHARE;
        if (polled_of(k, i, front)->vain < in_vain ||
            letters_known(k, i, front) ||
            !boxes_have_letters(k, i + 1, CURSOR_BOXES, front))
            return i;
    }
    return CURSOR_BOXES - 1;
}

/* Choose instead of box b, one time in LIED_SHARE, a box before it that was passed over
 * while its first store had lied: what that one has is put at the other as well, but not
 * before it is put again. */
static unsigned
box_lied_about(const struct cursor *k, unsigned b, bool front, uint64_t dice)
{
    for (unsigned i = 0; i < b && dice / 64 % LIED_SHARE == 0; i++)
        if (polled_of(k, i, front)->lies[0] >= LIES_MAX &&
            !box_is_full(k, i, front))
            return i;
    return b;
}

/* Has one who took up v's invitation announced a letter, of which none has come for a
 * while? Then stores hide what lies in the first box, and it may be in the next
 * (taken.c). */
static bool
first_is_hidden(const struct conversation *v, uint64_t now_us)
{
    return !v->confirmed && v->awaited_us > 0 &&
           now_us - v->awaited_us > HIDDEN_US;
}

/* The box behind box i of which no store has lied to polls of this class: those before
 * it were burnt, and left. */
static unsigned
box_unburnt(const struct cursor *k, unsigned i, bool front)
{
    const uint8_t *lies;
    do {
        i = (i + 1) % CURSOR_BOXES;
        lies = polled_of(k, i, front)->lies;
    } while (i + 1 < CURSOR_BOXES && (lies[0] | lies[1]));
    return i;
}

/* What a poll has drawn for glancing. A look is all that a period gets; of a script,
 * which has few gets, three in eight of the fourth ones glance; of all of both, while
 * the first letter is hidden, half. */
static unsigned
glance_draw(const struct fronts_choice *whom, bool hidden, uint64_t dice)
{
    const unsigned drawn = (unsigned)(GLANCE_DICE - 1 - dice % GLANCE_DICE);
    if (hidden && !whom->spare &&
        (whom->place == FRONTS_LANE || whom->place == FRONTS_SWEEP))
        return drawn % 2 == 0 ? GLANCE_UNBURNT : GLANCE_DICE;
    if (whom->place == FRONTS_LANE)
        return whom->fourth ? drawn / GLANCE_LANE : GLANCE_DICE;
    return whom->place == FRONTS_LOOK || whom->spare ? GLANCE_DICE : drawn;
}

/* Do letters lie behind a box that may have some, and that no get under way asks for? */
static bool
box_is_overtaken(const struct cursor *k, unsigned hole)
{
    const unsigned i = box_behind_holes(k, hole, false);
    return !box_is_full(k, i, false) && polled_of(k, i, false)->asked == 0 &&
           boxes_have_letters(k, i + 1, CURSOR_BOXES, false);
}

bool
polls_know_more(const struct client *c, const struct conversation *v,
                bool *older)
{
    for (size_t i = CURSORS; i-- > 0;) {
        const struct cursor *k = &v->cursor[i];
        bool more = k->open && box_is_overtaken(k, hole_polls(c, false));
        for (size_t b = 0; k->open && b < CURSOR_BOXES; b++)
            more |= bits_count(letters_known(k, b, false)) >
                    polled_of(k, b, false)->asked;
        if (more) {
            *older = i > 0;
            return true;
        }
    }
    return false;
}

/* The box to ask for. hole: after so many polls in vain a box is passed over. glance:
 * what this poll has drawn, whatever is there. */
static unsigned
box_pick(const struct cursor *k, bool busy, bool front, unsigned hole,
         unsigned glance)
{
    unsigned first = box_behind_holes(k, hole, front), best;
    while (first < CURSOR_BOXES && box_is_full(k, first, front))
        first++;
    if (first == CURSOR_BOXES)
        first = 0; /* all is on its way */
    if (glance == GLANCE_UNBURNT)
        return box_unburnt(k, first, front);
    if (glance < GLANCE_NEXT)
        return (first + 1) % CURSOR_BOXES;
    if (glance < GLANCE_NEXT + GLANCE_FAR)
        return (first + 2 + glance - GLANCE_NEXT) % CURSOR_BOXES;
    for (unsigned i = 0; i < CURSOR_BOXES; i++)
        if (bits_count(letters_known(k, i, front)) >
            polled_of(k, i, front)->asked)
            return i;
    best = first;
    for (unsigned i = first + 1;
         busy && i < CURSOR_BOXES && i < first + AHEAD_BOXES; i++)
        if (polled_of(k, i, front)->asked < polled_of(k, best, front)->asked)
            best = i;
    return best;
}

/* The slot of a bit of `of`, drawn alike by dice. */
static uint8_t
bit_pick(uint16_t of, uint64_t dice)
{
    for (uint64_t n = dice % bits_count(of); n > 0; n--)
        of &= (uint16_t)(of - 1);
    return (uint8_t)__builtin_ctz(of);
}

/* Choose where a poll of box b begins, by what it has drawn for it. first: nothing of
 * this contact has been read ever. */
static uint8_t
slot_pick(struct cursor *k, unsigned b, bool busy, bool front, bool first,
          uint64_t dice)
{
    struct polled *p = polled_note(k, b, front);
    const uint16_t wanted = (uint16_t)~letters_held(k, b, front);
    const uint16_t known = letters_known(k, b, front);
    const uint16_t left = known & (uint16_t)~p->named;
    const uint16_t next = wanted & (uint16_t)~p->named;
    const uint16_t second = wanted & (uint16_t)(wanted - 1);
    uint8_t slot = bit_pick(ALL, dice);
    if (left && first) /* behind it nothing is taken yet */
        slot = (uint8_t)__builtin_ctz(left);
    else if (left)
        slot = bit_pick(left, dice);
    else if (busy && next)
        slot = (uint8_t)__builtin_ctz(next);
    else if ((k->held[b] || known) && second)
        slot = (uint8_t)__builtin_ctz(dice % 4 > 0 ? second : wanted);
    if (busy || known)
        p->named |= (uint16_t)(1u << slot);
    return slot;
}

/* Look at the letter in a place of this client's own that is said to be taken,
 * at each of the box's stores in turn. Nothing is named as held. As many looks
 * as are needed, and no more while their answers are out: own letters are read
 * meanwhile. */
static void
check_poll(const struct client *c, struct conversation *v, struct choice *out)
{
    out->conversation = v;
    out->check = true;
    out->spare = v->looked++ % 2;
    out->at = v->check_at;
    out->request.slot = (uint8_t)(out->at.n % LETTER_SLOTS);
    conversation_box(c, v, CHAIN_OUT, out->at, out->request.box);
}

/* Are letters of one message coming? Of a contact that is removed none is kept,
 * but as long as they come they are asked for as before. */
static bool
conversation_is_busy(const struct conversation *v, uint64_t now_us)
{
    return (v->incoming || (v->removed && v->letter_us > 0)) &&
           now_us - v->letter_us < BUSY_US;
}

/* The cursor that a poll is for. dice: what it has drawn for that. */
static struct cursor *
cursor_pick(struct conversation *v, const struct fronts_choice *whom,
            uint64_t dice)
{
    size_t open = 1, i;
    while (open < CURSORS && v->cursor[open].open)
        open++;
    if (!whom->older || open == 1)
        return &v->cursor[0];
    if (whom->place == FRONTS_LOOK)
        return &v->cursor[whom->back < open ? whom->back : open - 1];
    if (whom->place == FRONTS_SWEEP)
        return &v->cursor[1 + dice % (open - 1)];
    for (i = 1; i < open; i++)
        for (size_t b = 0; b < CURSOR_BOXES; b++)
            if (letters_known(&v->cursor[i], b, whom->place == FRONTS_FRONT))
                return &v->cursor[i];
    return &v->cursor[1];
}

void
polls_ask(struct client *c, struct conversation *v, uint64_t dice,
          uint64_t start, struct choice *out)
{
    const uint64_t now_us = env_now_mono_us(c->env);
    const bool busy = conversation_is_busy(v, now_us);
    const bool front = out->whom.place == FRONTS_FRONT;
    polls_period(c, v);
    if (v->checks > 0 && v->looked < CHECKS) {
        check_poll(c, v, out);
        return;
    }
    struct cursor *k = cursor_pick(v, &out->whom, dice);
    const unsigned hole = hole_polls(c, front);
    const unsigned glance =
        glance_draw(&out->whom, first_is_hidden(v, now_us), dice / 4096);
    /* what the fallback store has was unanswered at the first one: old */
    const unsigned b =
        out->spare ? box_behind_holes(k, hole, front)
                   : box_lied_about(k, box_pick(k, busy, front, hole, glance),
                                    front, dice);
    struct polled *p = polled_note(k, b, front);
    if (p->second >= SECOND_LETTERS && dice / SECOND_SHARE % SECOND_SHARE == 0)
        out->spare = true;
    if (!out->spare && p->asked < UINT8_MAX)
        p->asked++;
    if (boxes_have_letters(k, b + 1, CURSOR_BOXES, front) &&
        p->vain < UINT16_MAX)
        p->vain++;
    out->request.slot =
        slot_pick(k, b, busy, front, !session_may_write(v->session), start);
    out->conversation = v;
    out->at = (struct letter_place){k->period, (k->base + b) * LETTER_SLOTS};
    out->request.held = letters_held(k, b, front);
    out->hides = front && k->later[b] != 0;
    out->ticket = k->ticket[b];
    conversation_box(c, v, CHAIN_IN, out->at, out->request.box);
}

unsigned
polls_periods(struct client *c, struct conversation *v)
{
    unsigned open = 0;
    polls_period(c, v);
    while (open < CURSORS && v->cursor[open].open)
        open++;
    return open;
}
