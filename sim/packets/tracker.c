/* sim/packets/tracker.c - probabilities in relays and on packets; see
 * tracker.h.
 *
 * State: of each relay and label the sum held there; of each target what has
 * come out. A label is free, followed, or done. Numbers on packets are floats:
 * a sum loses exactly what a packet takes, so that nothing is made or lost but
 * by rounding, 10^-7 of each share. */
#include "sim/packets/tracker.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct target {
    bool followed;
    bool lost;     /* the packet itself went missing */
    double inside; /* not yet out or ruled out */
    double sum, plogp, squares, greatest, truth;
    double first;     /* negative: nothing has left yet */
    uint32_t entered; /* the relay it came to first; UINT32_MAX: none yet */
    uint64_t places;
};

struct tracker {
    uint32_t labels, targets, relays;
    double drained;
    double *held; /* relays * labels */
    struct target target[TRACKER_LABELS_MAX];
    uint32_t waiting; /* targets whose first departure is to be seen */
};

int
tracker_new(struct tracker **out, uint32_t relays, uint32_t targets,
            bool challengers, double drained)
{
    struct tracker *t = calloc(1, sizeof *t);
    *out = NULL;
    if (!t)
        return ERR_NOMEM;
    t->relays = relays;
    t->targets = targets;
    t->labels = targets + (challengers ? 2 : 0);
    assert(t->labels <= TRACKER_LABELS_MAX);
    t->drained = drained;
    t->held = calloc((size_t)relays * t->labels + 1, sizeof *t->held);
    if (!t->held)
        tracker_free(&t);
    *out = t;
    return t ? 0 : ERR_NOMEM;
}

void
tracker_free(struct tracker **t)
{
    if (*t)
        free((*t)->held);
    free(*t);
    *t = NULL;
}

uint32_t
tracker_labels(const struct tracker *t)
{
    return t->labels;
}

void
tracker_enter(struct tracker *t, uint32_t relay, const float *mass)
{
    double *held = t->held + (size_t)relay * t->labels;
    for (uint32_t k = 0; k < t->labels; k++)
        held[k] += (double)mass[k];
    for (uint32_t k = 0; t->waiting > 0 && k < t->targets; k++)
        if (t->target[k].followed && t->target[k].entered == UINT32_MAX &&
            mass[k] == 1)
            t->target[k].entered = relay;
}

/* The first that leaves the relay to which a target came. */
static void
first_note(struct tracker *t, uint32_t relay, const float *mass)
{
    for (uint32_t k = 0; k < t->targets; k++) {
        struct target *x = &t->target[k];
        if (!x->followed || x->first >= 0 || x->entered != relay)
            continue;
        x->first = (double)mass[k];
        t->waiting--;
    }
}

void
tracker_leave(struct tracker *t, uint32_t relay, double count, double beside,
              float *mass)
{
    double *held = t->held + (size_t)relay * t->labels;
    const double share = 1 / (count + beside);
    for (uint32_t k = 0; k < t->labels; k++) {
        mass[k] = (float)(held[k] * share);
        held[k] -= (double)mass[k];
    }
    if (t->waiting > 0)
        first_note(t, relay, mass);
}

uint8_t
tracker_tag(struct tracker *t, float *mass)
{
    for (uint32_t k = 0; k < t->targets; k++) {
        if (t->target[k].followed)
            continue;
        t->target[k] = (struct target){
            .followed = true, .inside = 1, .first = -1, .entered = UINT32_MAX};
        t->waiting++;
        mass[k] = 1;
        return (uint8_t)k;
    }
    return TRACKER_NONE;
}

void
tracker_challenge(struct tracker *t, unsigned challenger, float *mass)
{
    mass[t->targets + challenger] = 1;
}

void
tracker_out(struct tracker *t, const float *mass, uint8_t label)
{
    for (uint32_t k = 0; k < t->targets; k++) {
        struct target *x = &t->target[k];
        const double p = (double)mass[k];
        if (p <= 0 || !x->followed)
            continue;
        x->inside -= p;
        x->sum += p;
        x->plogp += p * log2(p);
        x->squares += p * p;
        x->places++;
        if (p > x->greatest)
            x->greatest = p;
    }
    if (label != TRACKER_NONE)
        t->target[label].truth = (double)mass[label];
}

void
tracker_rule_out(struct tracker *t, const float *mass, uint8_t label)
{
    for (uint32_t k = 0; k < t->targets; k++)
        if (t->target[k].followed)
            t->target[k].inside -= (double)mass[k];
    if (label != TRACKER_NONE)
        t->target[label].lost = true;
}

void
tracker_exclude(struct tracker *t, float *mass)
{
    tracker_rule_out(t, mass, TRACKER_NONE);
    memset(mass, 0, t->targets * sizeof *mass);
}

uint8_t
tracker_done(struct tracker *t, struct target_found *found)
{
    for (uint32_t k = 0; k < t->targets; k++) {
        struct target *x = &t->target[k];
        if (!x->followed || x->inside > t->drained)
            continue;
        /* nothing came out: it was lost before it could be mixed */
        const double sum = x->sum > 0 ? x->sum : 1;
        const double bits = log2(sum) - x->plogp / sum;
        *found = (struct target_found){
            .shannon = x->sum > 0 ? fmax(bits, 0) : NAN,
            .min = x->sum > 0 ? -log2(x->greatest / sum) : NAN,
            .degree = x->places > 1 ? bits / log2((double)x->places) : 0,
            .guess = x->greatest / sum,
            .truth = x->lost ? NAN : x->truth / sum,
            .collision = x->squares / sum / sum,
            .first = x->first >= 0 ? x->first : NAN};
        return (uint8_t)k;
    }
    return TRACKER_NONE;
}

void
tracker_clear(struct tracker *t, uint8_t label)
{
    struct target *x = &t->target[label];
    if (x->followed && x->first < 0)
        t->waiting--;
    x->followed = false;
    for (uint32_t r = 0; r < t->relays; r++)
        t->held[(size_t)r * t->labels + label] = 0;
}

void
tracker_challengers(const struct tracker *t, const float *mass,
                    double p[static 2])
{
    p[0] = (double)mass[t->targets];
    p[1] = (double)mass[t->targets + 1];
}
