/* tests/house.h - directory authorities and the network between them, in
 * virtual time. Each has a clock of its own; what they send each other arrives
 * late, or not at all, or is a lie, as a test wishes. */
#ifndef TESTS_HOUSE_H
#define TESTS_HOUSE_H
#include <stdbool.h>

#include "directory/authority.h"
#include "network/schedule.h"
#include "tests/heap.h"
#include "tests/network.h"

enum {
    HOUSE_MAX = 7,
    HOUSE_FACES = 2, /* of a liar */
    HOUSE_LEN_S = 40,
    HOUSE_GENESIS = 1800000100,
    HOUSE_KEPT_MAX = 512,
    HOUSE_DOCUMENTS_MAX = 4096
};

struct house;

struct house_bytes {
    uint8_t *bytes;
    size_t len;
    enum authority_output what;
    uint32_t epoch;
};

/* One object: an honest authority has one, a liar two with the same keys. */
struct house_face {
    struct house_seat *seat;
    struct test_env env;
    struct authority *authority; /* NULL: down */
};

struct house_seat {
    struct house *house;
    size_t number;
    struct house_face face[HOUSE_FACES];
    bool liar;
    int64_t ahead_ms; /* its clock */
    uint8_t identity_seed[32], seed[32], share_secret[32];
    struct certificate cert;
    /* its disk */
    struct house_bytes kept[HOUSE_KEPT_MAX];
    size_t n_kept;
    bool lost_disk, full_disk; /* full: nothing more can be kept */
    struct consensus *newest;  /* of its own; owned */
    uint32_t evidence;         /* bit i: against authority i */
};

/* What a test decides about a message on its way; from and to are seats.
 * Returns whether it arrives, *delay_ms after how long. what: the sender's
 * output; an answer has that of the question. kind: 0 when it is no document.
 */
typedef bool (*house_carry_fn)(void *ctx, const struct house_face *from,
                               size_t to, enum authority_output what,
                               enum document_kind kind, uint64_t *delay_ms);

struct house {
    size_t n;
    struct network network;
    struct params params;
    struct house_seat seat[HOUSE_MAX];
    uint64_t now_ms;
    struct rng_seeded rng;
    house_carry_fn carry; /* NULL: all arrives after 10 ms */
    void *ctx;
    struct house_event *events; /* in the order of their times */
    /* Every consensus hash that was signed in some epoch, and by whom. */
    struct {
        uint32_t epoch, signers;
        uint8_t hash[DOCUMENT_HASH_LEN];
    } * signed_;
    size_t n_signed;
    size_t messages;
    /* When set, armed in every call of the authority of seat 0. */
    struct heap *heap;
};

/* n authorities, one epoch before the genesis. None runs yet. */
void house_make(struct house *h, size_t n, uint64_t seed);
void house_free(struct house *h);
/* Start one with what its disk has; faces: 1, or 2 for a liar. Its clock may be
 * set meanwhile, or while it runs: ahead_ms. */
void house_start(struct house *h, size_t seat, size_t faces);
void house_start_all(struct house *h);
void house_stop(struct house *h, size_t seat);
/* Let time pass until so many milliseconds after the genesis. */
void house_run(struct house *h, int64_t until_ms);
/* When a phase of an epoch is due by a right clock, after the genesis. */
int64_t house_ms(const struct house *h, uint32_t epoch, enum schedule_phase p);

/* A relay uploads to the seats whose bit is set, to both faces of liars;
 * returns what the last one says. */
struct house_relay {
    uint8_t number, role;
    uint32_t epoch, bandwidth, seats;
    uint64_t hibernates_until_s;
    /* says that so much got lost on its links with the relays lossy_first and
     * the following, `lossy` of them */
    uint16_t lost_permille;
    uint8_t lossy_first, lossy;
    bool zero_key; /* of its third epoch */
};
int house_upload(struct house *h, const struct house_relay *r);
/* What it uploads; malloc'd. */
void house_descriptor(const struct house *h, const struct house_relay *r,
                      uint8_t **bytes, size_t *len);
void house_relay_id(uint8_t number, uint8_t id[static SPHINX_ID_LEN]);

/* The epoch of the newest consensus that a seat has, 0: none. */
uint32_t house_epoch(const struct house *h, size_t seat);
/* Fails the test when enough have signed two consensuses of one epoch. */
void house_check_safety(const struct house *h);
#endif
