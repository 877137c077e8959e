/* relay/internal.h - the relay's state, shared by its own files only. */
#ifndef RELAY_INTERNAL_H
#define RELAY_INTERNAL_H
#include "lib/slab.h"
#include "lib/wheel.h"
#include "relay/alarm.h"
#include "relay/boxes.h"
#include "relay/downlink.h"
#include "relay/handles.h"
#include "relay/mix.h"
#include "relay/relay.h"

enum {
    VIEWS = EPOCHS_USABLE + 1,
    LOOPS_OUT = 256, /* own loops remembered */
    TICK_BATCH = 64
};

/* A consensus kept. */
struct view {
    const struct consensus *consensus; /* NULL: empty */
    struct sphinx_key *key;
    uint16_t self;
    uint8_t layer;
};

/* An own loop under way. */
struct loop_sent {
    uint8_t id[8];
    bool open;
    uint16_t first, last; /* neighbours, in the consensus of `epoch` */
    uint32_t epoch;
    uint64_t lost_us; /* when it is given up */
};

/* What a held packet waits for. */
enum held_kind { HELD_FORWARD = 1, HELD_DELIVER, HELD_ANSWER };

/* One held packet: the head of a slab buffer, the bytes follow. */
struct held {
    uint8_t kind;
    uint16_t next; /* forward: in the consensus of `epoch` */
    uint32_t epoch;
    uint8_t surb_id[8];    /* deliver */
    uint8_t handle[8];     /* deliver */
    struct boxes_job *job; /* answer */
    uint8_t packet[];
};

/* Entries of the wheel of things that are due by themselves. */
enum due_kind { DUE_ANSWER = 1, DUE_CLIENT };

struct client {
    bool open;
    bool waiting;        /* an entry in the wheel is under way */
    uint32_t generation; /* tells an old entry in the wheel from a new one */
    uint32_t frames_mhz; /* what its profile sends; 0: not told yet */
    uint64_t full_us;    /* when its bucket of frames is full again */
    struct downlink down;
};

struct relay {
    struct env *env;
    struct replay *replay;
    uint8_t identity[SPHINX_ID_LEN];
    uint8_t keys[3][16]; /* for boxes, handles, loops; drawn at the start */
    struct view view[VIEWS];
    struct view *newest;
    struct sphinx_worker *worker;
    struct sphinx_geometry geometry;
    struct slab *slab;
    uint32_t packets_max;
    struct mix *mix;
    struct wheel *due;
    struct boxes *boxes;
    /* gateway */
    struct client *clients;
    uint32_t clients_max, clients_made;
    struct handles *handles;
    uint8_t *document;
    size_t document_len;
    uint32_t document_epoch;
    uint16_t pieces;
    /* own loops */
    uint64_t loop_us;
    struct alarm alarm;
    uint8_t loop_handle[8];
    struct loop_sent loops[LOOPS_OUT];
    uint32_t loop_next;
    struct relay_link_loops *link_loops; /* by number, of the newest view */
    uint32_t link_loops_len;
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

/* relay.c: set the one timer to what is due next. */
void relay_arm(struct relay *r);

/* pipeline.c: unwrap a batch; from_layer(view) says where it came from. */
struct source {
    struct relay_peer *peer; /* NULL: a client */
};
void pipeline_run(struct relay *r, const struct source *from, uint8_t *frames,
                  size_t n);
/* A held packet's mixing delay is over. Frees it. */
void pipeline_leave(struct relay *r, uint32_t number);
/* A store's answer is due. Frees it. */
void pipeline_answer(struct relay *r, uint32_t number);

/* gateway.c */
void gateway_deliver(struct relay *r, uint32_t number);
void gateway_due(struct relay *r, uint32_t client, uint32_t generation,
                 uint64_t now_us);
void gateway_free(struct relay *r);

/* loops.c */
int loops_equip(struct relay *r) CHECK_RESULT;
void loops_start(struct relay *r, uint64_t now_us);
void loops_send(struct relay *r, uint64_t now_us);
/* Is it the end of an own loop? */
bool loops_take(struct relay *r, const struct sphinx_block *block);
#endif
