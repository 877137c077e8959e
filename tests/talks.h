/* tests/talks.h - two whole clients among four stores, with ten contacts each who write
 * letters of their own: what all stores together see of their gets, over days of ten
 * minutes and a start every two. */
#ifndef TESTS_TALKS_H
#define TESTS_TALKS_H
#include "client/conversations.h"
#include "tests/adversary.h"

enum {
    TALKS_DAY_S = 600,
    TALKS_CLIENTS = 2,
    TALKS_CONTACTS = 10,
    TALKS_VIEWS_MAX =
        TALKS_CONTACTS + FRONTS_MAX, /* conversations of a client */
    TALKS_BEGIN_S =
        200, /* until those that were invited hold no front any more */
    TALKS_DAYS_MAX = 64,
    TALKS_BOX_SEEN = 8 /* bytes of an id: no two are alike */
};

/* A get as a store sees it, and which box that is. */
struct talks_get {
    double at_s;
    uint64_t packet; /* a hash of it */
    uint8_t box[TALKS_BOX_SEEN], work[TALKS_BOX_SEEN];
    uint32_t store;
    uint16_t held;
    uint8_t slot;
    bool came, known, shows;
    uint8_t client, of; /* conversation: contacts first, then selves */
    uint32_t period, n; /* the n-th box of it */
};

/* A letter that lies there. */
struct talks_put {
    double at_s;
    uint8_t client, of;
    struct letter_place at;
};

struct talks_client {
    struct world_client *k;
    struct adversary_contact contact[TALKS_CONTACTS], self[FRONTS_MAX];
    double started_s[256];
    unsigned starts;
    int8_t *front; /* of the first contact, each second; -1: none */
    /* to this self the client has written itself, in this day's box */
    bool writes[FRONTS_MAX][TALKS_DAYS_MAX];
};

struct talks {
    struct world *w;
    bool ten; /* all conversations are running, two with a front */
    struct talks_client player[TALKS_CLIENTS];
    struct talks_get *get;
    size_t n, room;
    struct talks_put *put;
    size_t n_puts, puts_room;
    uint32_t first_period;
    double first_s,
        seen_s; /* of that, in the course's time; of the first get */
};

/* How many days a course takes: 3, or 30 where all is tried. */
unsigned talks_days(void);

/* Let a course pass. ten: all conversations are running, and two of them have fronts;
 * else one has, and as much is put for the self of the other front. Contacts are x0
 * to x9. */
void talks_run(struct talks *x, bool ten, uint64_t seed);
void talks_free(struct talks *x);

/* Find out whose boxes they are, which no store knows. */
void talks_name(struct talks *x);

/* The day's number at this time of the course. */
uint32_t talks_period(const struct talks *x, double at_s);
#endif
