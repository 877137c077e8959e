/* relay/internal.h - the relay's state, shared by its own files only. */
#ifndef RELAY_INTERNAL_H
#define RELAY_INTERNAL_H
#include "lib/slab.h"
#include "lib/wheel.h"
#include "network/boards.h"
#include "relay/alarm.h"
#include "relay/board.h"
#include "relay/boxes.h"
#include "relay/downlink.h"
#include "relay/handles.h"
#include "relay/lists.h"
#include "relay/loss.h"
#include "relay/mix.h"
#include "relay/plane.h"
#include "relay/relay.h"

enum {
    VIEWS = EPOCHS_USABLE + 1,
    LOOPS_OUT = 256, /* own loops remembered */
    TICK_BATCH = 64,
    TICK_US = 1000
};

/* A consensus kept. */
struct view {
    const struct consensus *consensus; /* NULL: empty */
    const uint8_t *owner; /* the worker with the link to each relay, or NULL */
    struct sphinx_key *key;
    struct relay_link_loops *links; /* of each of its relays; worker 0's */
    struct loss_link *loss;         /* likewise */
    struct board_ways *ways;        /* of lists */
    int board;                      /* index, -1: it is none */
    uint16_t self;
    uint8_t layer;
};

/* An own loop under way. */
struct loop_sent {
    uint8_t id[8];
    bool open;
    uint16_t first, last;   /* neighbours, in the consensus of `epoch` */
    uint16_t after, before; /* where those beyond them stand in their layers */
    uint32_t epoch;
    uint64_t lost_us; /* when it is given up */
};

/* What a held packet waits for. */
enum held_kind {
    HELD_FORWARD = 1,
    HELD_DELIVER,
    HELD_ANSWER,
    HELD_LOOP,
    HELD_SEND
};

/* One held packet: the head of a slab buffer, the bytes follow. */
struct held {
    uint8_t kind;
    bool mixed;    /* forward, deliver: its delay is over */
    uint16_t next; /* forward: in the consensus of `epoch` */
    uint32_t epoch;
    uint32_t link; /* whose place it has (relay/places.h) */
    uint64_t come_us, delay_us;
    uint8_t surb_id[8];    /* deliver, loop */
    uint8_t handle[8];     /* deliver */
    struct boxes_job *job; /* answer */
    uint8_t packet[];
};

/* Frames that have come, in the order of coming, until there are enough for a
 * batch or the turn is over. */
struct intake {
    uint32_t n;
    struct {
        uint32_t epoch, link; /* link: relay/places.h */
        bool from_client;
    } head[SPHINX_BATCH_MAX];
    uint8_t *frames; /* SPHINX_BATCH_MAX of them */
};

/* Entries of the wheel of things that are due by themselves. */
enum due_kind { DUE_READ = 1, DUE_ANSWER, DUE_CLIENT };

/* A client's connection to this gateway. */
struct gateway_client {
    bool open;
    bool waiting;        /* an entry in the wheel is under way */
    uint32_t generation; /* tells an old entry in the wheel from a new one */
    uint32_t frames_mhz; /* what its profile sends; 0: not told yet */
    char profile[PROFILE_NAME_MAX]; /* likewise; its rates may change */
    uint64_t opened_us;
    uint64_t stays_us; /* till then answers keep its place; 0: none came */
    uint64_t full_us;  /* when its bucket of frames is full again */
    uint8_t mark[WIRE_MARK_LEN]; /* of the last frame read */
    struct downlink down;
    struct lists_place lists;
};

struct relay {
    struct env *env;
    struct plane *plane;
    uint32_t number; /* of this worker; 0 sends the relay's own loops */
    struct view view[VIEWS];
    struct view *newest;
    struct sphinx_worker *worker;
    struct sphinx_geometry geometry;
    struct slab *slab;
    struct intake intake;
    struct hand hand[RELAY_WORKERS_MAX]; /* [number] stays empty */
    uint32_t handing;                    /* in all hands */
    bool more;                           /* in the inbox, after this turn */
    struct mix *mix;
    bool one_mix; /* pools: worker 0 mixes for all */
    struct wheel *due;
    struct boxes *boxes;
    struct board *board; /* of stores; worker 0's */
    /* gateway */
    struct gateway_client *clients;
    uint32_t clients_made;
    bool unarmed; /* there was no room for a client's clock in the wheel */
    uint8_t *document;
    size_t document_len;
    uint32_t document_epoch;
    uint16_t pieces;
    /* own loops */
    uint64_t loop_us;
    struct alarm alarm;
    struct loop_sent loops[LOOPS_OUT];
    uint32_t loop_next;
    bool draining;
    struct relay_stats stats;
    uint8_t *frame; /* scratch of one packet */
};

static inline void
relay_drop(struct relay *r, int err)
{
    r->stats.dropped[-err]++;
}

static inline struct held *
relay_held_at(const struct relay *r, uint32_t number)
{
    return (struct held *)(void *)slab_at(r->slab, number);
}

/* Find the view of this epoch; NULL when there is none. */
static inline struct view *
relay_view(struct relay *r, uint32_t epoch)
{
    struct view *v = &r->view[epoch % VIEWS];
    return v->consensus && v->consensus->epoch == epoch ? v : NULL;
}

/* Give back the held packet with this number, and its place. */
static inline void
relay_give(struct relay *r, uint32_t number)
{
    places_give(r->plane->places, relay_held_at(r, number)->link);
    slab_give(r->slab, number);
}

/* pipeline.c: take in n frames from a relay, `peer`, or (peer NULL) from the
 * client with this number. */
void pipeline_receive(struct relay *r, struct relay_peer *peer, uint32_t client,
                      const uint8_t *frames, size_t n);
/* Unwrap what was taken in. */
void pipeline_unwrap(struct relay *r);

/* dispatch.c. Each call takes the number of a held packet over. */

/* Do what comes next with a packet, or hand it to the worker that does. */
void dispatch_place(struct relay *r, uint32_t number);
/* Send or deliver a packet whose mixing delay is over. */
void dispatch_leave(struct relay *r, uint32_t number);
/* Look, in a store, for what the answer to a packet will bring. */
void dispatch_read(struct relay *r, uint32_t number);
/* Send a store's answer, which is due. */
void dispatch_answer(struct relay *r, uint32_t number);
/* Send a frame at once to relay `next` of an epoch, over a link that may be
 * another worker's. Returns 0 or why the frame was not sent. */
int dispatch_send(struct relay *r, uint16_t next, uint32_t epoch,
                  const uint8_t *frame) CHECK_RESULT;
/* Do what other workers have handed over. */
void dispatch_take(struct relay *r);
/* Hand over to other workers what is theirs. */
void dispatch_hand_over(struct relay *r);

/* gateway.c: open and close a client's link, as relay.h has it. */
int gateway_open(struct relay *r, uint32_t *client) CHECK_RESULT;
void gateway_close(struct relay *r, uint32_t client);
bool gateway_is_open(const struct relay *r, uint32_t client);
/* Find a client to give way, as relay_client_idler() does. */
bool gateway_idler(const struct relay *r, uint32_t *client);
/* Note the last frame of a client that was read, whatever came of that
 * frame. */
void gateway_mark(struct relay *r, uint32_t client, const uint8_t *frame);
/* Answer as relay_client_ahead() does, for an open client. */
uint32_t gateway_ahead(const struct relay *r, uint32_t client);
/* Take up the newest consensus, as relay_set_document() does. */
int gateway_set_document(struct relay *r, uint32_t epoch, const uint8_t *bytes,
                         size_t len) CHECK_RESULT;
/* Tell how many of n frames that came from an open client at once may pass. */
size_t gateway_allow(struct relay *r, uint32_t client, size_t n);
/* Take a control frame of an open client. Returns 0 or why it is refused. */
int gateway_take_control(struct relay *r, uint32_t client,
                         const uint8_t *frame) CHECK_RESULT;
/* Deliver the held packet with this number to the client with its handle, if
 * that client is one of this worker's. */
void gateway_deliver(struct relay *r, uint32_t number);
/* Find the worker that has the client with this handle; this worker if no
 * client has the handle. */
uint32_t gateway_owner(const struct relay *r, const uint8_t handle[static 8]);
/* Serve the clocks of a client, unless its generation is another by now. */
void gateway_due(struct relay *r, uint32_t client, uint32_t generation,
                 uint64_t now_us);
/* Arm the clocks that lacked memory before. */
void gateway_again(struct relay *r);
void gateway_free(struct relay *r);

/* announced.c: take an announcement that came to this store; worker 0 does. */
void announced_take(struct relay *r, const struct wire_request *request);
/* Tell whether this relay, worker 0, is a board of any view and has all that a
 * board needs. */
bool announced_is_board(const struct relay *r);

/* spread.c: take a list that came in `frame` from a relay, over this link. */
void spread_take(struct relay *r, struct relay_peer *peer, uint32_t link,
                 const uint8_t *frame);
/* List the intervals that are over. */
void spread_step(struct relay *r);
/* Tell when spread_step() is next of use. */
uint64_t spread_next_us(const struct relay *r);

/* loops.c: start the relay's own loops at now_us; worker 0 does. */
void loops_start(struct relay *r, uint64_t now_us);
/* Find the view whose loops are sent now; NULL: no loops are. */
const struct view *loops_view(const struct relay *r);
/* Tell whether a loop is due at now_us; draw the time of the next. */
bool loops_turn(struct relay *r, uint64_t now_us);
/* Make a loop in r->frame; *first is the relay that the loop goes to first, a
 * number in the consensus of *epoch. Returns ERR_EPOCH when no consensus is in
 * force. */
int loops_build(struct relay *r, uint16_t *first, uint32_t *epoch) CHECK_RESULT;
/* Note that the loop with this id has come back. */
void loops_returned(struct relay *r, const uint8_t id[static 8]);
#endif
