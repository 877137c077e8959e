/* sphinx/sphinx.h - the packet: create, unwrap, answer by SURB.
 *
 * Sphinx (Danezis and Goldberg, IEEE S&P 2009) with a KEM-style header: each
 * hop's encrypted block carries the next hop's fresh element instead of a
 * blinded one (as in Outfox, arXiv 2412.19937), so a hop costs one scalar
 * multiplication. Byte for byte:
 *
 *   packet  = version 1 | epoch 1 | element E | routing hops*B | mac 16
 *             | payload
 *   block   = command 1 | next relay 2 | delay 2 | deadline 2
 *             | next element E | next mac 16                     (B = 23 + E)
 *   payload = zero tag 16 | body
 *   SURB    = header | first hop 2 | payload key 32
 *
 * Integers are big endian. E is 32 for x25519 and null. Keys of one hop:
 *   ctx  = BLAKE2b-256("brusio/1 hop context" | suite 1 | digest 32
 *                      | identity 32 | public key)
 *   okm  = BLAKE2b-512(key = shared secret, ctx | element)
 *   header key = okm[0..31], payload key = okm[32..63]
 *   block 0 of ChaCha20(header key, nonce 0): mac key 32 | replay tag 16 | --
 *   blocks 1..: the routing keystream
 * MAC = Poly1305(mac key, version | epoch | element | routing).
 * Payload = HPolyC with XChaCha20 and AES-256 (Crowley and Biggers, ToSC
 * 2018), nonce of 0 bytes.
 *
 * Order of a hop: parse, shared secret, MAC, own block, deadline, replay tag,
 * rest of the header, payload: a bad packet never costs payload work.
 *
 * How it is used; doc/examples/sphinx.c is the whole of it, in 150 lines.
 *
 * Everybody: agree on a geometry (all lengths of the network's packets), know
 * the consensus (a number and a digest) and the relays' public keys. Make a
 * worker for each thread; it has the cipher objects and belongs to that thread.
 *
 * A relay makes a key for each consensus and unwraps whatever has arrived, many
 * packets at once, which is several times as fast as one by one:
 *
 *     job[i] = (struct sphinx_job){.packet = p, .key = key_of_epoch(p[1])};
 *     sphinx_unwrap(worker, &geometry, job, n, check, ctx);
 *
 * check() is asked in the middle, when block and replay tag are known and the
 * costly half is not done yet: it refuses what is late or was seen before. A
 * library without a clock or a memory cannot do that for you, and without it
 * packets can be replayed. Then, for each job whose err is 0: send packet to
 * relay block.next after block.delay, or take the payload.
 *
 * A sender draws a path and delays, makes a request with sphinx_create(), and
 * hands it to the first relay. To be answered it puts a SURB into the body:
 * sphinx_surb_create(), from a seed that it keeps. Whoever has the SURB answers
 * with sphinx_surb_use(), not knowing whom. When the answer comes,
 * sphinx_surb_open() with the same seed and path takes its layers off.
 *
 * Memory: callers own all buffers and structures; what a function made with
 * _new() is freed with _free(), which takes the address of the pointer, wipes,
 * and sets it to NULL. Threads: a worker belongs to one; keys and views may be
 * shared. Time: nothing that is secret changes how long a call takes, but that
 * of a packet that is refused is shorter. */
#ifndef SPHINX_SPHINX_H
#define SPHINX_SPHINX_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

enum {
    SPHINX_VERSION = 1,
    SPHINX_HOPS_MAX = 8,
    SPHINX_MAC_LEN = 16,
    SPHINX_TAG_LEN = 16, /* zero tag in the payload */
    SPHINX_REPLAY_TAG_LEN = 16,
    SPHINX_KEY_LEN = 32,
    SPHINX_DIGEST_LEN = 32,
    SPHINX_ID_LEN = 32, /* a relay's Ed25519 identity */
    SPHINX_SEED_LEN = 32,
    SPHINX_HANDLE_LEN = 8,
    SPHINX_SURB_ID_LEN = 8,
    SPHINX_ELEMENT_MAX = 1120, /* 32 + ML-KEM-768 ciphertext */
    SPHINX_PUBLIC_MAX = 1216,  /* 32 + ML-KEM-768 public key */
    SPHINX_PACKET_MAX = 65535,
    SPHINX_BATCH_MAX = 32,
    SPHINX_ORDERS_MAX = 8 /* made together; more are made eight by eight */
};

enum sphinx_suite {
    SPHINX_SUITE_NULL = 0, /* no cryptography: tests and simulator only */
    SPHINX_SUITE_X25519 = 1,
    SPHINX_SUITE_X25519_MLKEM768 = 2
};

enum sphinx_command {
    SPHINX_FORWARD = 1, /* to relay next after delay */
    SPHINX_STORE = 2,   /* last hop of a request; answer delay after arrival */
    SPHINX_DELIVER = 3  /* last hop of an answer: handle, SURB id */
};

/* A line for people about an ERR_* (static). */
const char *sphinx_error_text(int err);

/* "x25519", "x25519-mlkem768", "null"; NULL for any other number. */
const char *sphinx_suite_name(uint8_t suite);

/* Returns 0, or ERR_UNKNOWN. */
int sphinx_suite_from_name(const char *name, uint8_t *suite) CHECK_RESULT;

/* Can this process use it? x25519-mlkem768 takes ML-KEM from OpenSSL, which has
 * it from 3.5 on; null is there where sphinx_null_register() was called. */
bool sphinx_suite_works(uint8_t suite);

/* All lengths of a network's packets. Made by sphinx_geometry_init() only; a
 * value, copied freely. The first four fields travel in the consensus, the
 * rest is derived. */
struct sphinx_geometry {
    uint8_t suite;          /* enum sphinx_suite */
    uint8_t hops;           /* slots in the header, 1..SPHINX_HOPS_MAX */
    uint16_t packet_len;    /* octets */
    uint32_t delay_unit_us; /* of the block's delay field */
    uint16_t element_len;
    uint16_t public_len; /* of a relay's public key */
    uint16_t block_len;
    uint16_t routing_len;
    uint16_t header_len;
    uint16_t payload_len; /* zero tag included */
    uint16_t body_len;    /* payload_len - SPHINX_TAG_LEN */
    uint16_t surb_len;
};

/* Returns 0; ERR_SUITE when this build lacks the suite (null is there only
 * where sphinx_null_register() was called), ERR_RANGE when the lengths do not
 * fit. */
int sphinx_geometry_init(struct sphinx_geometry *g, uint8_t suite, uint8_t hops,
                         uint16_t packet_len,
                         uint32_t delay_unit_us) CHECK_RESULT;

/* The default: x25519, 5 hops, 2,048 octets, 1 ms. */
void sphinx_geometry_default(struct sphinx_geometry *g);

/* Key pair from a seed of SPHINX_SEED_LEN bytes (the secret key is the seed,
 * clamped where used). public_key has g->public_len bytes. */
int sphinx_keypair(const struct sphinx_geometry *g, uint8_t *public_key,
                   const uint8_t seed[static SPHINX_SEED_LEN]) CHECK_RESULT;

/* May a relay have this public key, of g->public_len bytes? Returns 0;
 * ERR_POINT for one with which every secret is known, or none can be had (an
 * X25519 point of low order, an ML-KEM key with a number of q or more), so that
 * nobody could build a packet for it; ERR_SUITE. Works for every suite, also
 * where sphinx_suite_works() says no. Whoever lists relays for others refuses
 * such keys. */
int sphinx_public_check(const struct sphinx_geometry *g,
                        const uint8_t *public_key) CHECK_RESULT;

/* ---- relays ---- */

/* Scratch of one thread: cipher objects kept between packets. */
struct sphinx_worker;
int sphinx_worker_new(struct sphinx_worker **out) CHECK_RESULT;
void sphinx_worker_free(struct sphinx_worker **w);

/* A relay's private key under one consensus, in guarded memory, with the hop
 * context computed. Owned by the caller. */
struct sphinx_key;
int sphinx_key_new(struct sphinx_key **out, const struct sphinx_geometry *g,
                   const uint8_t seed[static SPHINX_SEED_LEN],
                   const uint8_t identity[static SPHINX_ID_LEN],
                   const uint8_t digest[static SPHINX_DIGEST_LEN]) CHECK_RESULT;
void sphinx_key_free(struct sphinx_key **key);

/* What a hop reads in its block. next, delay, deadline as on the wire;
 * handle and surb_id are set for SPHINX_DELIVER only. */
struct sphinx_block {
    uint8_t command;
    uint16_t next;
    uint16_t delay;    /* in geometry.delay_unit_us */
    uint16_t deadline; /* in the consensus's deadline unit after valid-after */
    uint8_t handle[SPHINX_HANDLE_LEN];
    uint8_t surb_id[SPHINX_SURB_ID_LEN];
};

struct sphinx_job {
    uint8_t *packet;              /* in: as received; out: as to be sent on */
    const struct sphinx_key *key; /* chosen by the caller from packet[1] */
    void *user;                   /* the caller's */
    struct sphinx_block block;    /* out */
    uint8_t replay_tag[SPHINX_REPLAY_TAG_LEN]; /* out */
    int err; /* out: 0, ERR_VERSION, ERR_EPOCH (key is NULL), ERR_POINT,
                ERR_MAC, ERR_COMMAND, or what check() returned; the packet is
                then as it was received. ERR_SUITE (key of another geometry)
                and ERR_CRYPTO are the caller's or the machine's fault */
};

/* Called between the own block and the rest of the work: judges deadline,
 * command and replay tag. Returns 0 to go on, or the error to refuse with.
 * NULL in its place accepts every packet. */
typedef int (*sphinx_check_fn)(void *ctx, struct sphinx_job *job);

/* Unwrap n packets of geometry g in place, any n. After it a packet to be
 * forwarded is complete; after SPHINX_STORE or SPHINX_DELIVER the payload is
 * at packet + g->header_len. Bad packets never stop the others. */
void sphinx_unwrap(struct sphinx_worker *w, const struct sphinx_geometry *g,
                   struct sphinx_job *jobs, size_t n, sphinx_check_fn check,
                   void *ctx);

/* Is the zero tag of this decrypted payload intact? Constant time. */
bool sphinx_payload_is_intact(const uint8_t *payload);

/* Build the answer packet from a SURB and a body of g->body_len bytes.
 * *first_hop is the relay to hand it to. surb may be packet itself; body may
 * not overlap it. */
int sphinx_surb_use(struct sphinx_worker *w, const struct sphinx_geometry *g,
                    const uint8_t *surb, const uint8_t *body, uint8_t *packet,
                    uint16_t *first_hop) CHECK_RESULT;

/* ---- senders ---- */

/* One hop as its sender knows it. Pointers stay the caller's. */
struct sphinx_hop {
    const uint8_t *public_key; /* g->public_len */
    const uint8_t *identity;   /* SPHINX_ID_LEN */
    uint16_t index;            /* in the consensus */
    uint16_t delay;
    uint16_t deadline;
};

/* The consensus a packet is made for. */
struct sphinx_view {
    struct sphinx_geometry geometry;
    uint8_t epoch; /* number mod 256 */
    uint8_t digest[SPHINX_DIGEST_LEN];
};

/* Where an answer ends: the gateway's handle and the client's own number. */
struct sphinx_end {
    uint8_t handle[SPHINX_HANDLE_LEN];
    uint8_t surb_id[SPHINX_SURB_ID_LEN];
};

/* One packet or SURB to be made. Pointers stay the caller's. */
struct sphinx_order {
    const struct sphinx_hop *path;
    size_t n;                     /* hops, 1..geometry.hops */
    const struct sphinx_end *end; /* of a SURB; NULL for a request */
    /* SPHINX_SEED_LEN octets of fresh randomness, the source of every key and
     * filler, never used for a second request or SURB */
    const uint8_t *seed;
    /* of a request: geometry.body_len octets; it does not overlap out, or
     * stands in its place there: out + header_len + SPHINX_TAG_LEN */
    const uint8_t *body;
    uint8_t *out; /* packet_len octets, or surb_len */
    int err; /* out: 0, ERR_RANGE (n), ERR_POINT (a relay's key), ERR_SUITE,
                ERR_CRYPTO; what is at out is undefined then */
};

/* Make requests, whose last hop has SPHINX_STORE, and SURBs, whose last hop has
 * SPHINX_DELIVER, all in one view. The key exchanges of all of them are done
 * together, which is what makes it fast. The packets are finished in the order
 * of the list, so a SURB may be made in the body of a later request. */
void sphinx_create_batch(struct sphinx_worker *w,
                         const struct sphinx_view *view,
                         struct sphinx_order *orders, size_t count);

/* One request, one SURB, alone. Return what an order's err says. */
int sphinx_create(struct sphinx_worker *w, const struct sphinx_view *view,
                  const struct sphinx_hop *path, size_t n,
                  const uint8_t seed[static SPHINX_SEED_LEN],
                  const uint8_t *body, uint8_t *packet) CHECK_RESULT;
int sphinx_surb_create(struct sphinx_worker *w, const struct sphinx_view *view,
                       const struct sphinx_hop *path, size_t n,
                       const struct sphinx_end *end,
                       const uint8_t seed[static SPHINX_SEED_LEN],
                       uint8_t *surb) CHECK_RESULT;

/* Undo the n layers an answer gathered on its way. The hop keys come again
 * from seed and the same view and path (n hops). payload has
 * geometry.payload_len bytes, decrypted in place. Returns ERR_TAG if it is not
 * an answer to this SURB or was tampered with. */
int sphinx_surb_open(struct sphinx_worker *w, const struct sphinx_view *view,
                     const struct sphinx_hop *path, size_t n,
                     const uint8_t seed[static SPHINX_SEED_LEN],
                     uint8_t *payload) CHECK_RESULT;

/* The payload keys of an answer can be kept instead of the path: n + 1 keys of
 * 32 bytes, in the order in which they are to be applied. surb_open above is
 * surb_keys followed by surb_open_keys. */
int sphinx_surb_keys(struct sphinx_worker *w, const struct sphinx_view *view,
                     const struct sphinx_hop *path, size_t n,
                     const uint8_t seed[static SPHINX_SEED_LEN],
                     uint8_t (*keys)[SPHINX_KEY_LEN]) CHECK_RESULT;
int sphinx_surb_open_keys(struct sphinx_worker *w,
                          const struct sphinx_geometry *g,
                          const uint8_t (*keys)[SPHINX_KEY_LEN], size_t n,
                          uint8_t *payload) CHECK_RESULT;
#endif
