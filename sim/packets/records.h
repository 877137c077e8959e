/* sim/packets/records.h - packets under way, as numbers: one record each, no
 * bytes.
 *
 * A record is a head, the relays and delays of the packet's way, and its
 * probabilities (sim/packets/tracker.h), as many as this run needs: 48 bytes
 * for three hops and no targets. Records move when more are needed: an address
 * is good until the next records_take(). */
#ifndef SIM_PACKETS_RECORDS_H
#define SIM_PACKETS_RECORDS_H
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

enum { RECORD_LOOP = 1, RECORD_IN_USE = 2, RECORD_HELD = 4, RECORD_POLL = 8 };
#define RECORD_NONE UINT32_MAX

struct record {
    uint64_t start_us;
    uint64_t at_us;   /* when it came to where it is */
    uint32_t sender;  /* client, or the relay whose loop it is */
    uint32_t serial;  /* of its making; free: the next free record */
    uint8_t n, turns; /* of its way; see struct packet_way */
    uint8_t stage;    /* hops that are over */
    uint8_t flags;
    uint8_t label;      /* tracker's, or TRACKER_NONE */
    uint8_t challenger; /* 0: no, else 1 or 2 */
};

struct records {
    uint8_t *base; /* owned */
    size_t stride;
    uint32_t hops, labels;
    uint32_t made, used, most, free_head;
};

/* Make room for packets of so many hops and labels, for `expected` of them at
 * first. Returns 0, ERR_NOMEM, ERR_FULL. */
int records_new(struct records *r, uint32_t hops, uint32_t labels,
                uint32_t expected) CHECK_RESULT;
/* Free what r has. */
void records_free(struct records *r);

/* Take a record, all zero. Returns its number; RECORD_NONE without memory. */
uint32_t records_take(struct records *r);
/* Give the record of this number back. */
void records_give(struct records *r, uint32_t number);
/* Clear this label in all records. */
void records_clear(struct records *r, uint32_t label);

static inline struct record *
record_at(const struct records *r, uint32_t number)
{
    return (struct record *)(void *)(r->base + number * r->stride);
}
static inline uint16_t *
record_relays(struct record *p)
{
    return (uint16_t *)(void *)(p + 1);
}
static inline uint16_t *
record_delays(const struct records *r, struct record *p)
{
    return record_relays(p) + r->hops;
}
static inline float *
record_mass(const struct records *r, struct record *p)
{
    return (float *)(void *)(record_relays(p) + 2 * (size_t)r->hops);
}
#endif
