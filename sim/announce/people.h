/* sim/announce/people.h - people who write to each other, at the size of
 * letters: clocks and schedules are the client's own (I5), what lies between is
 * drawn from the mixes' delays.
 *
 * A person's clock ticks as struct traffic says. One tick of sending in eight
 * is for copies to second stores. The others carry acknowledgements that are
 * due, before all else, so that they tell nothing of what the user writes; then
 * what he wrote and what announces it, by turns. An announcement takes ticks of
 * loops too. A poll asks for whom struct fronts says.
 *
 * Clocks have no memory, so that of who has nothing to do stands still, unless
 * the person is `always` there. Who is `deaf` asks for nothing: a letter to him
 * has its effects two seconds after its commit. */
#ifndef SIM_ANNOUNCE_PEOPLE_H
#define SIM_ANNOUNCE_PEOPLE_H
#include <stdio.h>

#include "client/pace/fronts.h"
#include "client/pace/traffic.h"
#include "lib/rng_seeded.h"
#include "sim/announce/boards.h"
#include "sim/announce/events.h"
#include "sim/stats.h"

#define NEVER_US UINT64_MAX

enum { BOX_SLOTS = 16, BOXES_AHEAD = 8, PERSON_CONTACTS_MAX = 1024 };

enum note_kind {
    NOTE_TEXT = 1, /* an application's */
    NOTE_PART,     /* of a file: its reader stays busy */
    NOTE_ACK
};

/* A letter. Times are NEVER_US until it is so. */
struct note {
    enum note_kind kind;
    bool announced; /* where no lease makes it needless */
    bool tokened;   /* it has a token */
    bool later;     /* a front had it, and might not show it */
    bool taken;     /* a get that is under way has it */
    uint64_t written_us, commit_us, read_us, shown_us, ack_us, acked_us;
    uint64_t lease_us; /* promised in it; 0: none */
};

/* One direction of two people; the other is way ^ 1. */
struct people_way {
    uint32_t from, to; /* people */
    uint32_t number;   /* by which both have it among their contacts */
    struct note *note;
    uint32_t n, room;
    uint32_t base;         /* all before it are read */
    uint32_t unacked;      /* all before it are acknowledged */
    uint32_t asked;        /* gets under way */
    bool busy;             /* parts come */
    uint64_t ack_after_us; /* the next acknowledgement waits until then */
};

struct people_waiting {
    uint32_t way, note;
};
struct people_line {
    struct people_waiting *at;
    size_t n, room;
};

struct person {
    struct traffic traffic;
    struct fronts *fronts;
    bool always, deaf, awake;
    uint32_t expects; /* letters for him that he has not read */
    struct people_line own, answers;
    uint32_t way[PERSON_CONTACTS_MAX + 1];    /* to him from contact k, + 1 */
    uint64_t active[PERSON_CONTACTS_MAX + 1]; /* by recency: the control */
    uint32_t contacts;
    uint64_t sends; /* ticks of sending */
};

/* A get under way. */
struct get {
    struct fronts_choice choice;
    uint32_t person, way, begin;
    uint64_t sent_us;
    uint32_t found; /* a note's number + 1; 0: none */
    bool more;
    uint32_t next_free; /* + 1 */
};

struct people {
    struct env env; /* first */
    struct rng_seeded traffic, crypto;
    const struct scenario *scenario;
    struct profile profile;
    struct boards boards;
    struct events events;
    uint64_t now_us, recency;
    struct person *person;
    uint32_t n_persons;
    struct people_way *way;
    uint32_t n_ways, ways_room;
    struct get *get;
    uint32_t n_gets, free_get; /* + 1 */
    uint64_t tokens, course;
    int err;
    FILE *trace;
    /* What a use does; each may be NULL. */
    void (*shown)(struct people *p, uint32_t way, uint32_t note);
    void (*committed)(struct people *p, uint32_t way, uint32_t note);
    void (*timer)(struct people *p, uint32_t a, uint32_t b);
    void *use;
};

/* Make p of n people who know nobody, for the scenario s, with randomness of
 * this seed. Returns 0, ERR_RANGE, ERR_NOMEM; p is to be freed all the same. */
int people_make(struct people *p, const struct scenario *s, uint32_t n,
                uint64_t seed) CHECK_RESULT;
/* Free what p has. */
void people_free(struct people *p);

/* Add n contacts who never write to this person of p, from the number `from`
 * on. */
int people_idle(struct people *p, uint32_t person, uint32_t from,
                uint32_t n) CHECK_RESULT;

/* Make a and b know each other by this number. *way: from a to b. */
int people_meet(struct people *p, uint32_t a, uint32_t b, uint32_t number,
                uint32_t *way) CHECK_RESULT;

/* Write a letter of this kind on this way. With `user` it is the user's own
 * doing, which takes a front; with `announce` it is announced, unless a lease
 * makes that needless. Returns its number. What fails ends the run. */
uint32_t people_write(struct people *p, uint32_t way, enum note_kind kind,
                      bool user, bool announce);

/* Have p->timer called with a and b, at at_us. */
void people_timer(struct people *p, uint64_t at_us, uint32_t a, uint32_t b);

/* Carry p on until until_us. Returns 0 or what has gone wrong. */
int people_run(struct people *p, uint64_t until_us) CHECK_RESULT;

/* End the run of p, for the reason err; 0: go on. */
void people_fail(struct people *p, int err);
#endif
