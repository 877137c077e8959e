/* sim/packets/tracker.h - what an observer of every link knows of tagged
 * packets.
 *
 * Exact passive tracking: he sees each packet come and go and knows how many a
 * relay holds, but not which is which. Every packet therefore carries, for each
 * label, the probability that it is the labelled one. In an honest relay these
 * add up, and whoever leaves takes an equal share: exponential delays have no
 * memory, and pools draw uniformly (Serjantov and Danezis, PET 2002; Loopix,
 * section 4.3). Through a corrupt relay a packet keeps its own.
 *
 * Labels 0 .. targets - 1 are single packets, followed until what is left of
 * them inside is negligible, and used again. With challengers two labels more
 * are two users all of whose packets carry them; a packet that comes out has
 * the probabilities p0, p1 of being from either (Loopix's epsilon).
 *
 * A relay's own loops leave beside its pool, at rate R when the pool's n leave
 * at rate n/mean: whatever leaves has the share 1/(n + R mean) then (Loopix,
 * theorem 2).
 *
 * Where an observer can rule a packet out (an answer reaches a gateway, a loop
 * its relay), the rest is normalised in the end. */
#ifndef SIM_PACKETS_TRACKER_H
#define SIM_PACKETS_TRACKER_H
#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"

enum { TRACKER_LABELS_MAX = 16 };
#define TRACKER_NONE UINT8_MAX

/* A target that is done. */
struct target_found {
    double shannon;   /* bits */
    double min;       /* min-entropy, bits */
    double degree;    /* of the greatest entropy for as many places */
    double guess;     /* probability of the likeliest packet */
    double truth;     /* probability given to the right one */
    double collision; /* sum of squares: what truth is on average */
    double first;     /* the first to leave the relay it came to was it */
};

struct tracker;

/* Make a tracker of so many relays with `targets` labels for single packets,
 * and two more with challengers. A target is done when less than `drained` of
 * it is inside. Returns 0 or ERR_NOMEM. */
int tracker_new(struct tracker **out, uint32_t relays, uint32_t targets,
                bool challengers, double drained) CHECK_RESULT;
/* Free *t. */
void tracker_free(struct tracker **t);
/* Count the labels of t. */
uint32_t tracker_labels(const struct tracker *t);

/* Take a packet into an honest relay; or let one leave it, of `count` held
 * there before (and `beside` own loops are as likely to be it). A packet's
 * probabilities are float mass[labels], kept by the caller; zero at first. */
void tracker_enter(struct tracker *t, uint32_t relay, const float *mass);
void tracker_leave(struct tracker *t, uint32_t relay, double count,
                   double beside, float *mass);

/* Tag a packet as a target with a free label. Returns the label, or
 * TRACKER_NONE when all are in use. */
uint8_t tracker_tag(struct tracker *t, float *mass);
/* Mark the packet as one of challenger 0 or 1. */
void tracker_challenge(struct tracker *t, unsigned challenger, float *mass);

/* Count a packet that has come out; it is the target of this label, or of none.
 */
void tracker_out(struct tracker *t, const float *mass, uint8_t label);
/* Rule out a packet that cannot be any target, or is lost. */
void tracker_rule_out(struct tracker *t, const float *mass, uint8_t label);

/* Rule out a packet that goes on: it cannot be any target. */
void tracker_exclude(struct tracker *t, float *mass);

/* Find a target that is done. Returns its label, or TRACKER_NONE. The caller
 * then clears that label in all packets and calls tracker_clear(). */
uint8_t tracker_done(struct tracker *t, struct target_found *found);
/* Free this label for another target. */
void tracker_clear(struct tracker *t, uint8_t label);

/* Read the probabilities p0, p1 of a packet's being of either challenger. */
void tracker_challengers(const struct tracker *t, const float *mass,
                         double p[static 2]);
#endif
