/* relay/plane.h - what the workers of one relay share, and the ways between
 * them; for the relay's own files.
 *
 * A worker is a struct relay with an environment, a thread and connections of
 * its own. Each worker unwraps what comes over its connections; the next step
 * of a packet is done by the one worker that has what the step needs: the link
 * to the next relay, the client, the box. Packets lie in a slab that all
 * workers share, so what changes hands is a number.
 *
 *   worker 0   receive -> unwrap -> replay -+-> mix -> send
 *                                           |
 *                                 inbox of worker 1
 *                                           |
 *   worker 1   receive -> unwrap -> replay -+-> mix -> send
 *
 * An inbox is bounded: a worker that is behind loses packets (ERR_FULL, counted
 * by who wanted to hand them over), not the memory of the others. Numbers are
 * handed over in batches, once a tick; a worker that will tick soon is not
 * woken for them. */
#ifndef RELAY_PLANE_H
#define RELAY_PLANE_H
#include <pthread.h>
#include <stdatomic.h>

#include "relay/handles.h"
#include "relay/lists.h"
#include "relay/places.h"
#include "relay/relay.h"

enum { INBOX_MAX = 4096, HAND_MAX = 64 };

/* Several threads put, one takes. */
struct plane_inbox {
    pthread_mutex_t mutex;
    uint32_t head, n;
    uint32_t number[INBOX_MAX];
};

/* Numbers on their way to one inbox. */
struct hand {
    uint32_t n;
    uint32_t number[HAND_MAX];
};

struct slab;

struct plane {
    struct replay *replay;
    uint8_t identity[SPHINX_ID_LEN];
    const uint8_t *identity_seed; /* the caller's; NULL: it signs nothing */
    uint8_t handles_key[16], boxes_key[16], ages_key[16];
    uint8_t loop_handle[8];
    uint32_t packets_max, clients_max, n_workers, users;
    struct handles *handles; /* to worker << PLANE_WORKER_SHIFT | client */
    struct slab *slab;       /* the first view, of worker 0 */
    struct places *places;   /* who holds how much of it */
    struct lists *lists;     /* of boards */
    _Atomic uint32_t clients;
    _Atomic uint32_t queued; /* answers that wait in all downlinks */
    struct {
        struct env *env;
        _Atomic uint64_t armed_us; /* when it ticks next */
        struct plane_inbox inbox;
    } worker[]; /* n_workers */
};
enum { PLANE_WORKER_SHIFT = 24 };

/* Make what the workers of a relay of this config share. Returns 0 or an error
 * of the parts. */
int plane_new(struct plane **out,
              const struct relay_config *config) CHECK_RESULT;
/* Free *p when its last user has gone. */
void plane_free(struct plane **p);

/* Put n numbers into a worker's inbox, and wake the worker if it sleeps beyond
 * until_us. Returns how many found room. */
uint32_t plane_put(struct plane *p, uint32_t worker, const uint32_t *number,
                   uint32_t n, uint64_t until_us);
/* Note that this worker ticks at at_us. Returns whether its inbox holds
 * something, for which the worker may not have been woken. */
bool plane_arm(struct plane *p, uint32_t worker, uint64_t at_us);
/* Take at most max numbers out of this worker's own inbox. Returns how many. */
uint32_t plane_take(struct plane *p, uint32_t worker, uint32_t *number,
                    uint32_t max);
#endif
