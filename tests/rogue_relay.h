/* tests/rogue_relay.h - a relay of the test world in the hands of an adversary.
 *
 * He has the relay's keys, its disk, and stands between it and the network
 * (engine_front), so honest code has no hook for him: what no vice concerns
 * goes to the honest relay behind him, and what one does he does himself, with
 * the packet's library and the storage that the honest relay has. He may turn
 * honest and back at any time, by the fields below.
 *
 * He also looks: every packet that comes is unwrapped and shown to his spy,
 * which is what this relay can know and no more. */
#ifndef TESTS_ROGUE_RELAY_H
#define TESTS_ROGUE_RELAY_H
#include "lib/wire.h"
#include "tests/adversary.h"
#include "tests/world.h"

/* What a relay sees of a packet. */
struct rogue_sight {
    uint64_t now_us;
    uint32_t from;  /* node: a relay, or a gateway's client */
    uint32_t epoch; /* whose keys it was made for */
    const struct sphinx_block *block;
    const struct wire_request *request; /* a store's; else NULL */
};
typedef void (*rogue_spy_fn)(void *ctx, const struct rogue_sight *seen);

/* What "withholds" keeps back. */
enum rogue_withheld {
    ROGUE_BOX = 1,       /* a store: all answers about `box` */
    ROGUE_DOCUMENTS = 2, /* a gateway: consensuses after `withheld_after` */
    ROGUE_PACKETS = 4,   /* all that passes between relay and `withheld_node` */
    ROGUE_GETS = 8       /* a store: answers to gets about `box` */
};

#define ROGUE_EVERYBODY (UINT32_MAX - 1) /* as link_from: from all */

struct rogue {
    /* to be set, and changed, by the test */
    unsigned vices;                          /* enum vice, or-ed */
    int64_t lie_ms;                          /* lies_about_time: so far ahead */
    uint32_t false_epoch;                    /* false_epoch: names this one, */
    uint8_t false_digest[SPHINX_DIGEST_LEN]; /* with this digest */
    uint64_t hoard_us; /* hoards_answers: all leave at multiples of this */
    bool
        box_only; /* lies_about_time, hoards_answers, false_slots, false_status:
                     about `box` */
    uint8_t false_status; /* false_status: says this to puts */
    uint8_t work_steps;   /* asks_for_work: so many steps */
    unsigned burn_slots;  /* burns_boxes: so many of a box; 0: the first */
    unsigned withheld;    /* enum rogue_withheld, or-ed */
    uint8_t box[32];      /* withheld; and box_only */
    uint32_t withheld_after, withheld_node;
    uint32_t link_from, link_to; /* drops_by_link; UINT32_MAX: none */
    uint32_t drop_permille;      /* of it; 0: all */
    uint64_t replay_us;          /* replays: sends all again so much later */
    uint64_t delay_us;           /* delays: packets by so much more */
    rogue_spy_fn spy;
    void *spy_ctx;
    uint64_t done[VICES]; /* how often each vice was given way to */
    /* his own */
    struct world *world;
    uint32_t number, node;
    struct env *env;
    struct rogue_own *own;
};

/* Take over the relay with this number, which lives; all fields are zero. Fails
 * the test on any error. */
struct rogue *rogue_new(struct world *w, uint32_t number);
/* Let go of it; before world_free(). */
void rogue_free(struct rogue **r);
#endif
