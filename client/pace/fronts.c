/* client/pace/fronts.c - see fronts.h.
 *
 * State of a front: free, or held by a contact until a time. Of a contact: when
 * its sweep's next turn is, and whether a look at yesterday follows it; how many
 * gets of a script are left and when they are due; when it may have another
 * script; until when either side has promised a lease; how many looks after
 * connecting there are and were, and its rank among them.
 *
 * The clock of a contact's sweep is a Poisson process that goes on whatever
 * becomes of its turns; one that was not served by the next is one with it. */
#include "client/pace/fronts.h"

#include <stdlib.h>
#include <string.h>

#include "lib/rng.h"

enum {
    SECOND_US = 1000000,
    OLDER_SWEEPS = 4, /* one turn of so many looks at yesterday too */
    LOOKS = 2,        /* today's period and yesterday's */
    SCRIPT_GAP_S = 5, /* mean time to the second get; then twice as long */
    SPREAD_S = 2,     /* mean time from reading to acknowledging, at least */
    EXTRA_GETS = 15,  /* of a script: a box but one */
    FIRST_ROOM = 8
};

struct front {
    uint32_t contact; /* FRONTS_NOBODY: free */
    uint64_t until_us;
    uint64_t took_us; /* the user wrote or opened last at */
};

struct contact {
    uint32_t number;
    uint32_t look_rank;
    uint8_t looks, looked; /* to be had since connecting, and had */
    bool sweep_older, script_older;
    bool script_both; /* its gets are for today and for yesterday */
    bool again; /* a token came that the gets that were left are too few for */
    uint8_t step;   /* of the script; FRONTS_SCRIPT_GETS: none */
    uint8_t tokens; /* whose letters it is for */
    uint8_t extra;  /* gets beyond it, for what else lay where one looked */
    bool more, more_older, more_spare; /* one such is due, and where */
    uint64_t get_us[FRONTS_SCRIPT_GETS];
    uint64_t sweep_us;
    uint64_t scripts_us; /* all scripts so far are paid for then */
    uint64_t given_us;   /* a lease, and its margin */
    uint64_t parts_us;   /* its front is held for parts until then */
    uint64_t got_us;     /* a lease of the other's */
};

struct fronts {
    struct conversation_params params;
    struct front front[FRONTS_MAX];
    uint32_t self[FRONTS_MAX]; /* whom each asks for while it is free */
    struct contact *contact;   /* n of them, room for `room` */
    size_t n, room, n_looks;   /* n_looks: contacts with looks left */
    uint64_t look_until_us;
    uint64_t start_us[FRONTS_MAX + 2]; /* of the fronts, the lane, the sweep */
};

void
fronts_params_default(struct conversation_params *p, unsigned fronts)
{
    struct params all;
    params_default(&all, 3600);
    *p = all.conversations;
    if (fronts == 1) {
        p->fronts = 1;
        p->front = 35;
        p->lane = 21;
        p->sweep = 8;
    }
}

int
fronts_params_check(const struct conversation_params *p)
{
    const bool odds = p->fronts >= 1 && p->fronts <= FRONTS_MAX &&
                      p->front > 0 && p->lane > 0 && p->sweep > 0 &&
                      p->fronts * p->front + p->lane + p->sweep == FRONTS_ODDS;
    const bool times = p->hold_min_s > 0 && p->hold_max_s >= p->hold_min_s &&
                       p->sweep_mean_s > 0 && p->script_every_s > 0;
    return odds && times && p->spare_of > 0 && p->older_of > 0 ? 0 : ERR_RANGE;
}

int
fronts_new(struct fronts **out, const struct conversation_params *p)
{
    int err = fronts_params_check(p);
    *out = NULL;
    if (err)
        return err;
    struct fronts *f = calloc(1, sizeof *f);
    if (!f)
        return ERR_NOMEM;
    f->params = *p;
    *out = f;
    return 0;
}

int
fronts_set(struct fronts *f, const struct conversation_params *p)
{
    int err = fronts_params_check(p);
    if (err)
        return err;
    for (size_t i = p->fronts; i < FRONTS_MAX; i++)
        f->front[i] = (struct front){0};
    f->params = *p;
    return 0;
}

void
fronts_free(struct fronts **f)
{
    if (!*f)
        return;
    if ((*f)->contact)
        memset((*f)->contact, 0, (*f)->room * sizeof *(*f)->contact);
    free((*f)->contact);
    memset(*f, 0, sizeof **f);
    free(*f);
    *f = NULL;
}

/* ---- contacts ---- */

static struct contact *
contact_find(const struct fronts *f, uint32_t number)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->contact[i].number == number)
            return &f->contact[i];
    return NULL;
}

static int
contacts_grow(struct fronts *f)
{
    const size_t room = f->room ? 2 * f->room : FIRST_ROOM;
    struct contact *made = calloc(room, sizeof *made);
    if (!made)
        return ERR_NOMEM;
    if (f->n > 0)
        memcpy(made, f->contact, f->n * sizeof *made);
    if (f->contact)
        memset(f->contact, 0, f->room * sizeof *made);
    free(f->contact);
    f->contact = made;
    f->room = room;
    return 0;
}

static uint64_t
sweep_gap_us(const struct fronts *f, struct env *env)
{
    return rng_exp_us(env, (uint64_t)f->params.sweep_mean_s * SECOND_US);
}

int
fronts_add(struct fronts *f, struct env *env, uint64_t now_us, uint32_t contact)
{
    if (contact == FRONTS_NOBODY)
        return ERR_ARG;
    if (contact_find(f, contact))
        return ERR_EXISTS;
    if (f->n == f->room) {
        int err = contacts_grow(f);
        if (err)
            return err;
    }
    f->contact[f->n++] =
        (struct contact){.number = contact,
                         .step = FRONTS_SCRIPT_GETS,
                         .sweep_us = now_us + sweep_gap_us(f, env)};
    return 0;
}

int
fronts_add_self(struct fronts *f, struct env *env, uint64_t now_us,
                unsigned front, uint32_t contact)
{
    int err =
        front < FRONTS_MAX ? fronts_add(f, env, now_us, contact) : ERR_ARG;
    if (!err)
        f->self[front] = contact;
    return err;
}

void
fronts_remove(struct fronts *f, uint32_t contact)
{
    struct contact *k = contact_find(f, contact);
    if (!k)
        return;
    for (size_t i = 0; i < FRONTS_MAX; i++) {
        if (f->front[i].contact == contact)
            f->front[i] = (struct front){0};
        if (f->self[i] == contact)
            f->self[i] = FRONTS_NOBODY;
    }
    f->n_looks -= k->looked < k->looks;
    *k = f->contact[--f->n];
    f->contact[f->n] = (struct contact){0};
}

void
fronts_start(struct fronts *f, struct env *env, uint64_t now_us,
             uint64_t within_us)
{
    for (size_t i = 0; i < FRONTS_MAX + 2; i++)
        f->start_us[i] = now_us + rng_below(env, within_us + 1);
}

void
fronts_connected(struct fronts *f, struct env *env, uint64_t now_us)
{
    for (size_t i = 0; i < f->n; i++) {
        f->contact[i].looks = LOOKS;
        f->contact[i].looked = 0;
        f->contact[i].look_rank = (uint32_t)rng_u64(env);
    }
    f->n_looks = f->n;
    f->look_until_us = now_us + (uint64_t)f->params.look_s * SECOND_US;
}

void
fronts_looks(struct fronts *f, uint32_t contact, unsigned looks)
{
    struct contact *k = contact_find(f, contact);
    if (!k)
        return;
    f->n_looks -= k->looked < k->looks;
    k->looks = (uint8_t)(looks < LOOKS       ? LOOKS
                         : looks > UINT8_MAX ? UINT8_MAX
                                             : looks);
    f->n_looks += k->looked < k->looks;
}

/* ---- fronts ---- */

static bool
front_is_free(const struct front *k, uint64_t now_us)
{
    return k->contact == FRONTS_NOBODY || now_us >= k->until_us;
}

/* For whom a front asks. */
static uint32_t
front_holder(const struct fronts *f, unsigned i, uint64_t now_us)
{
    const struct front *k = &f->front[i];
    return front_is_free(k, now_us) ? f->self[i] : k->contact;
}

int
fronts_of(const struct fronts *f, uint64_t now_us, uint32_t contact)
{
    for (unsigned i = 0; i < f->params.fronts; i++)
        if (front_holder(f, i, now_us) == contact)
            return (int)i;
    return -1;
}

/* The contact's front, or one of those that are free, drawn; -1: none is. */
static int
front_find(const struct fronts *f, struct env *env, uint64_t now_us,
           uint32_t contact)
{
    const unsigned from = env ? (unsigned)rng_below(env, f->params.fronts) : 0;
    const int has = fronts_of(f, now_us, contact);
    if (has >= 0 || !contact_find(f, contact))
        return has;
    for (unsigned i = 0; i < f->params.fronts; i++) {
        const unsigned at = (from + i) % f->params.fronts;
        if (front_is_free(&f->front[at], now_us))
            return (int)at;
    }
    return -1;
}

/* Give a front to a contact until then; what it holds already is not cut. */
static void
front_hold(struct fronts *f, int at, uint64_t now_us, uint32_t contact,
           uint64_t until_us)
{
    struct front *k = &f->front[at];
    if (front_is_free(k, now_us))
        k->until_us = 0;
    k->contact = contact;
    k->took_us = now_us;
    if (until_us > k->until_us)
        k->until_us = until_us;
}

int
fronts_took(struct fronts *f, struct env *env, uint64_t now_us,
            uint32_t contact)
{
    const uint64_t least_us = (uint64_t)f->params.hold_min_s * SECOND_US;
    const uint64_t most_us = (uint64_t)f->params.hold_max_s * SECOND_US;
    const uint64_t until_us =
        now_us + least_us + rng_below(env, most_us - least_us + 1);
    const int at = front_find(f, env, now_us, contact);
    if (at >= 0)
        front_hold(f, at, now_us, contact, until_us);
    return at;
}

int
fronts_restore(struct fronts *f, uint64_t now_us, uint32_t contact,
               uint64_t until_us)
{
    const int at =
        until_us > now_us ? front_find(f, NULL, now_us, contact) : -1;
    if (at < 0)
        return -1;
    front_hold(f, at, now_us, contact, until_us);
    fronts_lease_us(f, now_us, contact, false);
    return at;
}

unsigned
fronts_transfer(struct fronts *f, uint64_t now_us, uint32_t contact)
{
    uint64_t until_us = now_us + (uint64_t)f->params.hold_min_s * SECOND_US;
    const int own = fronts_of(f, now_us, contact);
    unsigned n = 0;
    if (own >= 0) {
        const uint64_t most_us =
            f->front[own].took_us + (uint64_t)FRONTS_PARTS_S * SECOND_US;
        if (until_us > most_us)
            until_us = most_us;
        contact_find(f, contact)->parts_us = until_us;
    }
    if (own >= 0 && f->front[own].until_us < until_us)
        f->front[own].until_us = until_us;
    for (unsigned i = 0; i < f->params.fronts && own >= 0; i++) {
        if (front_is_free(&f->front[i], now_us) ||
            f->front[i].contact == contact)
            f->front[i] = f->front[own];
        n += f->front[i].contact == contact;
    }
    return n;
}

uint64_t
fronts_lease_us(struct fronts *f, uint64_t now_us, uint32_t contact,
                bool is_answer)
{
    const int at = fronts_of(f, now_us, contact);
    struct contact *k = contact_find(f, contact);
    if (at < 0 || !k || (is_answer && now_us >= k->given_us))
        return 0;
    const uint64_t margin_us = (uint64_t)FRONTS_MARGIN_S * SECOND_US;
    uint64_t until_us = f->front[at].until_us;
    if (is_answer && until_us > k->parts_us)
        until_us = k->parts_us;
    if (!is_answer || until_us > k->given_us)
        k->given_us = until_us;
    return k->given_us > now_us + margin_us ? k->given_us - margin_us : 0;
}

void
fronts_leased(struct fronts *f, uint32_t contact, uint64_t until_us)
{
    struct contact *k = contact_find(f, contact);
    if (k && until_us > k->got_us)
        k->got_us = until_us;
}

bool
fronts_may_be_silent(const struct fronts *f, uint32_t contact,
                     uint64_t commit_us)
{
    const struct contact *k = contact_find(f, contact);
    return k && commit_us < k->got_us;
}

/* ---- the lane ---- */

/* When the contact may have another script. */
static uint64_t
script_start_us(const struct fronts *f, uint64_t now_us,
                const struct contact *k)
{
    const uint64_t every_us = (uint64_t)f->params.script_every_s * SECOND_US;
    const uint64_t ahead_us = (FRONTS_SCRIPTS - 1) * every_us;
    return k->scripts_us > now_us + ahead_us ? k->scripts_us - ahead_us
                                             : now_us;
}

static void
script_begin(struct fronts *f, struct env *env, uint64_t now_us,
             struct contact *k, bool older)
{
    uint64_t at_us = script_start_us(f, now_us, k);
    uint64_t gap_us = (uint64_t)SCRIPT_GAP_S * SECOND_US;
    if (k->scripts_us < now_us)
        k->scripts_us = now_us;
    k->scripts_us += (uint64_t)f->params.script_every_s * SECOND_US;
    k->tokens = k->step < FRONTS_SCRIPT_GETS ? k->tokens : 0;
    k->step = k->extra = 0;
    k->again = false;
    k->script_older = older;
    k->script_both = false;
    for (size_t i = 0; i < FRONTS_SCRIPT_GETS; i++) {
        k->get_us[i] = at_us;
        at_us += rng_exp_us(env, gap_us);
        gap_us *= 2;
    }
}

bool
fronts_announced(struct fronts *f, struct env *env, uint64_t now_us,
                 uint32_t contact, bool older)
{
    struct contact *k = contact_find(f, contact);
    if (!k)
        return false;
    /* one whose first get is still to come serves this token too; while no other
     * is allowed the gets that are left of one have to, and another follows */
    const bool served =
        k->step == 0 || (k->step < FRONTS_SCRIPT_GETS &&
                         script_start_us(f, now_us, k) > now_us);
    const bool both = k->step < FRONTS_SCRIPT_GETS &&
                      (k->script_both || k->script_older != older);
    k->again = served && k->step > 0;
    if (!served)
        script_begin(f, env, now_us, k, older);
    k->script_both = both;
    if (k->tokens < UINT8_MAX)
        k->tokens++;
    return !served;
}

void
fronts_answered(struct fronts *f, struct env *env, uint64_t now_us,
                const struct fronts_choice *asked, bool announced, bool more)
{
    struct contact *k = contact_find(f, asked->contact);
    if (!k || asked->place == FRONTS_FRONT)
        return;
    const bool none = k->step == FRONTS_SCRIPT_GETS;
    if (announced && !none && k->tokens > 0)
        k->tokens--;
    if (more && none && (k->tokens == 0 || k->extra == EXTRA_GETS))
        script_begin(f, env, now_us, k, asked->older);
    else if (announced && !more && k->step > 0 && k->tokens == 0)
        k->step = FRONTS_SCRIPT_GETS;
    if (more && k->extra < EXTRA_GETS) {
        k->more = true;
        k->more_older = asked->older;
        k->more_spare = asked->spare;
    }
}

/* How far back a contact's next get stands: by what its scripts have used up of
 * its ration, each get like a script more. */
static uint64_t
script_rank_us(const struct fronts *f, const struct contact *k)
{
    const uint64_t gets = (uint64_t)k->step + k->extra;
    return k->scripts_us + gets * f->params.script_every_s * SECOND_US;
}

/* Is a get of k's due: one of its script's, or one more? */
static bool
script_has_get(const struct contact *k, uint64_t now_us)
{
    return k->more ||
           (k->step < FRONTS_SCRIPT_GETS && k->get_us[k->step] <= now_us);
}

/* The contact whose get is due and who has used least, so that many who announce
 * without end keep nobody else waiting. */
static struct contact *
script_due(const struct fronts *f, uint64_t now_us)
{
    struct contact *best = NULL;
    for (size_t i = 0; i < f->n; i++) {
        struct contact *k = &f->contact[i];
        if (script_has_get(k, now_us) &&
            (!best || script_rank_us(f, k) < script_rank_us(f, best)))
            best = k;
    }
    return best;
}

/* ---- the sweep, and looks ---- */

static struct contact *
sweep_due(const struct fronts *f, uint64_t now_us)
{
    struct contact *best = NULL;
    for (size_t i = 0; i < f->n; i++) {
        struct contact *k = &f->contact[i];
        if (k->sweep_older)
            return k;
        if (k->sweep_us <= now_us && (!best || k->sweep_us < best->sweep_us))
            best = k;
    }
    return best;
}

static struct contact *
look_due(const struct fronts *f)
{
    struct contact *best = NULL;
    for (size_t i = 0; i < f->n && f->n_looks > 0; i++) {
        struct contact *k = &f->contact[i];
        if (k->looked < k->looks &&
            (!best || k->looked < best->looked ||
             (k->looked == best->looked && k->look_rank < best->look_rank)))
            best = k;
    }
    return best;
}

static void
look_take(struct fronts *f, struct fronts_choice *out)
{
    struct contact *k = look_due(f);
    if (!k)
        return;
    out->place = FRONTS_LOOK;
    out->contact = k->number;
    out->back = k->looked++;
    out->older = out->back > 0;
    f->n_looks -= k->looked == k->looks;
}

static void
sweep_take(struct fronts *f, struct env *env, uint64_t now_us, unsigned dice,
           struct fronts_choice *out)
{
    struct contact *k = sweep_due(f, now_us);
    if (!k)
        return;
    out->contact = k->number;
    out->older = k->sweep_older;
    if (k->sweep_older) {
        k->sweep_older = false;
        return;
    }
    k->sweep_older = dice % OLDER_SWEEPS == 0;
    while (k->sweep_us <= now_us)
        k->sweep_us += sweep_gap_us(f, env);
}

/* ---- choosing ---- */

/* dice: what this poll has drawn for it, at least 32 bits. */
static void
front_choose(const struct fronts *f, uint64_t now_us, uint64_t dice,
             struct fronts_choice *out)
{
    if (now_us < f->look_until_us && dice % 2 == 0) {
        out->place = FRONTS_LOOK;
        return;
    }
    out->older = dice / 2 % f->params.older_of == 0;
    out->contact = front_holder(f, out->front, now_us);
}

static void
lane_choose(struct fronts *f, struct env *env, uint64_t now_us,
            struct fronts_choice *out)
{
    struct contact *k = script_due(f, now_us);
    if (!k)
        return;
    out->contact = k->number;
    if (k->more) {
        out->older = k->more_older;
        out->spare = k->more_spare;
        k->more = false;
        k->extra++;
        return;
    }
    const bool both = k->script_both;
    out->older = both ? k->step == 1 || k->step == 4 : k->script_older;
    out->spare = k->step % 2 == 0 && k->step > 0; /* never the first */
    out->fourth = k->step == 3;
    k->step++;
    if (k->step == FRONTS_SCRIPT_GETS && k->again) {
        script_begin(f, env, now_us, k, k->script_older);
        k->script_both = both;
    }
}

/* Draw a poll's place. Returns what else it has drawn, at least 32 bits. */
static uint64_t
place_draw(const struct fronts *f, struct env *env, struct fronts_choice *out)
{
    const struct conversation_params *p = &f->params;
    const unsigned u = (unsigned)rng_below(env, FRONTS_ODDS);
    const unsigned held = (unsigned)p->fronts * p->front;
    /* drawn for every poll, needed or not */
    const uint64_t spare = rng_below(env, p->spare_of);
    const uint64_t dice = rng_below(env, UINT32_MAX);
    *out =
        (struct fronts_choice){.place = u < held             ? FRONTS_FRONT
                                        : u < held + p->lane ? FRONTS_LANE
                                                             : FRONTS_SWEEP,
                               .front = (uint8_t)(u < held ? u / p->front : 0),
                               .spare = spare == 0};
    return dice;
}

void
fronts_pass(struct fronts *f, struct env *env, struct fronts_choice *out)
{
    (void)place_draw(f, env, out);
    out->waits = true;
}

void
fronts_pick(struct fronts *f, struct env *env, uint64_t now_us,
            struct fronts_choice *out)
{
    const uint64_t dice = place_draw(f, env, out);
    const size_t at = out->place == FRONTS_FRONT  ? out->front
                      : out->place == FRONTS_LANE ? FRONTS_MAX
                                                  : FRONTS_MAX + 1;
    out->waits = now_us < f->start_us[at];
    if (out->waits)
        return;
    if (out->place == FRONTS_FRONT)
        front_choose(f, now_us, dice, out);
    else if (out->place == FRONTS_LANE)
        lane_choose(f, env, now_us, out);
    else
        sweep_take(f, env, now_us, (unsigned)(dice % UINT16_MAX), out);
    if (out->place != FRONTS_FRONT && out->contact == FRONTS_NOBODY)
        look_take(f, out);
}

/* ---- letters ---- */

bool
fronts_may_show(const struct fronts *f, const struct fronts_choice *asked,
                uint64_t commit_us)
{
    const struct contact *k = contact_find(f, asked->contact);
    return !k || asked->place != FRONTS_FRONT || commit_us < k->given_us;
}

uint64_t
fronts_ack_us(const struct fronts *f, struct env *env, uint32_t contact,
              uint64_t shown_us, uint64_t commit_us, bool part)
{
    const struct contact *k = contact_find(f, contact);
    const uint64_t read_us =
        shown_us + rng_exp_us(env, (uint64_t)SPREAD_S * SECOND_US);
    const uint64_t from_us =
        commit_us + (uint64_t)f->params.ack_s * SECOND_US +
        rng_exp_us(env, (uint64_t)f->params.ack_noise_s * SECOND_US);
    if (part && k && commit_us < k->given_us)
        return read_us;
    return read_us > from_us ? read_us : from_us;
}
