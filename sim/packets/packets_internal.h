/* sim/packets/packets_internal.h - the state of one run at the level
 * "packets". */
#ifndef SIM_PACKETS_PACKETS_INTERNAL_H
#define SIM_PACKETS_PACKETS_INTERNAL_H
#include "lib/rng_seeded.h"
#include "lib/wheel.h"
#include "relay/alarm.h"
#include "relay/mix.h"
#include "sim/packets/gauges.h"
#include "sim/packets/packets.h"
#include "sim/packets/real.h"
#include "sim/packets/records.h"
#include "sim/packets/sources.h"
#include "sim/packets/spy.h"
#include "sim/packets/topology.h"
#include "sim/packets/tracker.h"

#define AT_CLIENT UINT32_MAX /* where a relay's number stands else */

/* What waits in the wheel, a packet or a relay. */
enum wait_kind {
    WAIT_LINK,  /* a packet on a link */
    WAIT_STORE, /* a packet at a store */
    WAIT_HELD,  /* a packet that the adversary holds back */
    WAIT_LOOP   /* a relay, until its next own loop */
};

/* The n-1 attack, over and over: the next packet to come to the relay is held
 * back for block_s and all others are withheld; then it alone gets in, and
 * nothing else until the relay is empty. */
enum flush_state { FLUSH_REST, FLUSH_READY, FLUSH_BLOCK, FLUSH_DRAIN };

enum phase { PHASE_WARM, PHASE_MEASURE, PHASE_OVER };

struct mix_memory {
    double entropy;   /* of the last departure (Loopix, appendix A) */
    uint32_t arrived; /* since then */
};

/* What has come to a relay in this window and waits for its turn: packets, and
 * own loops that set out. In the entry, b is the kind. */
enum inbox_kind { INBOX_PACKET, INBOX_LOOP };
struct relay_inbox {
    struct wheel_entry *e;
    uint32_t n, room;
};

struct packet_run {
    struct env env; /* first: the environment is this */
    struct rng_seeded traffic, crypto, looks;
    uint64_t now_us, window_us; /* now: the end of this window */
    const struct scenario *scenario;
    const struct sim_options *options;
    struct topology *topology;
    struct sources *sources;
    struct records records;
    struct wheel *wait;
    struct relay_inbox *inbox; /* of each relay */
    struct wheel_entry *spare;
    uint32_t spare_room;
    bool in_order;             /* arrivals wait for departures before them */
    struct mix **mix;          /* of each relay; stores have none */
    uint64_t *due_us;          /* of each relay: mix_next_due(), or earlier */
    uint32_t *matrix;          /* latencies; NULL: another law */
    struct mix_memory *memory; /* NULL: not asked for */
    struct tracker *tracker;   /* NULL: nothing is followed */
    struct real *real;         /* NULL: numbers alone */
    struct spy *spy;           /* NULL: nobody watches links */
    struct gauges *gauges;
    struct alarm *alarm; /* of each relay; NULL: no loops */
    uint64_t alarm_windows, alarm_bad, alarm_raised; /* before measuring */
    double beside;     /* own loops in a mean delay */
    uint32_t *answers; /* at each gateway, of those that wait there; NULL:
                          nobody looks */
    uint32_t *polls;   /* in the mix of each relay, when the observer tells
                          them from others; NULL: he does not */
    /* the attack */
    enum flush_state flush;
    uint64_t flush_until_us;
    /* tags */
    uint32_t tagged;
    struct challenger {
        uint32_t client;
        uint64_t message_us; /* when the next message to be sent has come */
        uint64_t every_us;   /* 0: every packet is one */
    } challenger[2];
    bool tag_some;     /* groups say who may be tagged; else all */
    double tag_chance; /* of each packet */
    /* the run */
    enum phase phase;
    struct packets_plan plan;
    double *inside; /* samples while warming up */
    size_t n_inside, room_inside;
    uint64_t sample_us, sample_next_us;
    uint64_t look_us, look_from_us; /* when gauges are read */
    uint32_t serial;
    uint64_t course;
    int err; /* of anything that ended the run */
};

/* Is it a poll on its way out, whose delay in a mix is another than that of all
 * other packets? The gateway holds all alike. */
static inline bool
record_is_slow(const struct record *p)
{
    return p->flags & RECORD_POLL && p->stage > 0 && p->stage + 1 < p->turns;
}

/* Is it an answer that waits at the gateway for its client? */
static inline bool
record_is_answer(const struct record *p)
{
    return p->turns && p->stage + 1 == p->n;
}

/* What the observer takes a packet in a relay for: where one of so many is,
 * with so many own loops beside. At a gateway he sees requests come from
 * clients and go to mixes, answers the other way, so that a request is one of
 * the requests alone. Kinds, where he knows them, divide what is left. */
struct crowd {
    uint32_t place;
    double count, beside;
};
static inline struct crowd
crowd_of(const struct packet_run *run, const struct record *p, uint32_t relay,
         size_t held)
{
    const double requests = (double)held - run->answers[relay];
    if (!run->polls)
        return (struct crowd){relay, requests, run->beside};
    const uint32_t polls = run->polls[relay];
    return record_is_slow(p)
               ? (struct crowd){2 * relay + 1, (double)polls, 0}
               : (struct crowd){2 * relay, requests - polls, run->beside};
}

/* From the lowest up; each file uses those before it alone. */

/* run.c: end the run for the reason err; the first one stays. */
void run_fail(struct packet_run *run, int err);
/* Note an event of the packet p in the digest and the trace; `at` is a relay's
 * or a client's number. */
enum run_event { EVENT_SEND, EVENT_IN, EVENT_LEFT, EVENT_OUT, EVENT_LOST };
void run_note(struct packet_run *run, uint64_t at_us, enum run_event event,
              const struct record *p, uint32_t at);

/* inbox.c: put a packet, or the relay's own loop, into its inbox. */
void inbox_add(struct packet_run *run, uint32_t relay, uint64_t at_us,
               uint32_t number, enum inbox_kind kind);
/* Sort an inbox by time, stable. Returns false without memory. */
bool inbox_sort(struct packet_run *run, struct relay_inbox *in);

/* transit.c: make a record on the way w. Returns its number; RECORD_NONE: the
 * run has failed. */
uint32_t transit_new(struct packet_run *run, const struct packet_way *w,
                     uint64_t at_us, uint32_t sender, uint8_t flags);
/* Let the packet set out, from a client (AT_CLIENT) or a relay. */
void transit_start(struct packet_run *run, uint32_t number, uint64_t at_us,
                   uint32_t relay);
/* Put the packet on its next link, which begins at `from`. */
void transit_link(struct packet_run *run, uint32_t number, uint64_t at_us,
                  uint32_t from);
/* Take the packet out of the network, and count it. */
void transit_out(struct packet_run *run, uint32_t number, uint64_t at_us);
/* Count the packet p where an observer sees its way end: out of the network, or
 * at a store. From there on nothing of it is of use to him. */
void transit_seen_out(struct packet_run *run, struct record *p,
                      struct gauge_batch *b);
/* Lose the packet at the relay `at`, or on a link from there. */
void transit_lost(struct packet_run *run, uint32_t number, uint64_t at_us,
                  uint32_t at);
/* Forget the packet. */
void transit_end(struct packet_run *run, uint32_t number);

/* watch.c: relays' own loops and their alarms; the adversary. Begin with them.
 * Returns 0 or ERR_NOMEM. */
int watch_start(struct packet_run *run);
/* Make a relay's own loop; let it leave; take it back. */
void watch_loop(struct packet_run *run, uint32_t relay, uint64_t at_us);
void watch_loop_leaves(struct packet_run *run, uint32_t relay, uint32_t number,
                       uint64_t at_us);
void watch_loop_back(struct packet_run *run, uint32_t relay, uint64_t at_us);
/* Look at all alarms; begin to count them; add their figures to r. */
void watch_sample(struct packet_run *run);
void watch_begin(struct packet_run *run);
void watch_report(const struct packet_run *run, struct sim_result *r);
/* Show the adversary a packet that comes to the relay under attack. Returns
 * true when he has taken it. */
bool watch_takes(struct packet_run *run, uint32_t number, uint64_t at_us);
/* Let in the packet that he held back. */
void watch_admits(struct packet_run *run, uint32_t number);

/* hops.c: carry on clients' clocks, what waits, and the mixes, up to now. */
void hops_send(struct packet_run *run);
void hops_wait(struct packet_run *run);
void hops_mix(struct packet_run *run);
#endif
