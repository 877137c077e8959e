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
 * How it is used; doc/examples/sphinx.c shows all of it in 150 lines.
 *
 * Everybody: agree on a geometry (all lengths of the network's packets), know
 * the consensus (a number and a digest) and the relays' public keys. Make a
 * worker for each thread: the worker has the cipher objects and belongs to that
 * thread.
 *
 * A relay makes a key for each consensus and unwraps whatever has arrived, many
 * packets at once, which is several times as fast as one by one:
 *
 *     job[i].packet = p;
 *     job[i].key = key_of_epoch(p[1]);
 *     sphinx_unwrap(worker, &geometry, job, n, check, ctx);
 *
 * check() is asked in the middle, when block and replay tag are known and the
 * costly half is not done yet: check() refuses what is late or was seen before.
 * A library without a clock or a memory cannot do that for you, and without it
 * packets can be replayed. Then, for each job whose err is 0: send packet to
 * relay block.next after block.delay, or take the payload.
 *
 * A sender draws a path and delays, makes a request with sphinx_create(), and
 * hands the request to the first relay. A sender who wants an answer puts a
 * SURB into the body: sphinx_surb_create(), from a seed that the sender keeps.
 * Whoever has the SURB answers with sphinx_surb_use(), and does not learn whom.
 * When the answer comes, sphinx_surb_open() with the same seed and path takes
 * its layers off.
 *
 * Errors: functions return 0 or a negative SPHINX_ERR_*; results marked
 * SPHINX_CHECK must be looked at. Memory: callers own all buffers and
 * structures; what a function made with _new() is freed with _free(), which
 * takes the address of the pointer, wipes, and sets the pointer to NULL.
 * Threads: a worker belongs to one; keys and views may be shared. Time: no
 * secret changes how long a call takes. A refused packet takes less time than
 * an accepted one.
 *
 * Every name here begins with sphinx_ or SPHINX_, and the header can be
 * included from C++. */
#ifndef SPHINX_SPHINX_H
#define SPHINX_SPHINX_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The compiler warns where the result of such a function is not looked at. */
#ifdef __GNUC__
#define SPHINX_CHECK __attribute__((warn_unused_result))
#else
#define SPHINX_CHECK
#endif

/* The length of an array parameter, which in C says that the caller's array has
 * as many elements at least. C++ has no such declaration. */
#ifdef __cplusplus
#define SPHINX_AT_LEAST(n) n
extern "C" {
#else
#define SPHINX_AT_LEAST(n) static n
#endif

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

/* What can go wrong. The numbers never change and none is used again. The
 * library itself returns those of the first group; the others are for a
 * sphinx_check_fn, which may return any negative number. */
enum sphinx_err {
    SPHINX_OK = 0,
    SPHINX_ERR_NOMEM = -2,
    SPHINX_ERR_VERSION = -6, /* of the packet: unknown */
    SPHINX_ERR_SUITE = -7,   /* unknown, not in this build, or another's key */
    SPHINX_ERR_POINT = -8,   /* a public key of which every secret is known */
    SPHINX_ERR_MAC = -9,     /* the header was changed, or is for another key */
    SPHINX_ERR_TAG = -10,    /* the payload was changed */
    SPHINX_ERR_EPOCH = -11,  /* there is no key for the packet's epoch */
    SPHINX_ERR_COMMAND = -15,
    SPHINX_ERR_RANGE = -32,
    SPHINX_ERR_UNKNOWN = -34, /* no suite has this name */
    SPHINX_ERR_CRYPTO = -47,  /* libsodium or OpenSSL failed */

    SPHINX_ERR_ARG = -1,
    SPHINX_ERR_REPLAY = -12, /* the replay tag was seen before */
    SPHINX_ERR_DEADLINE_PAST = -13,
    SPHINX_ERR_DEADLINE_FAR = -14,
    SPHINX_ERR_RELAY = -16, /* block.next is no relay */
    SPHINX_ERR_FULL = -19,
    SPHINX_ERR_RATE = -20,
    SPHINX_ERR_SYSTEM = -46,
    SPHINX_ERR_DELAY = -49 /* longer than allowed */
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

/* Return a line for people about err, a SPHINX_ERR_* (static). */
const char *sphinx_error_text(int err);

/* Return the name of suite (static): "x25519", "x25519-mlkem768", "null"; NULL
 * for any other number. */
const char *sphinx_suite_name(uint8_t suite);

/* Find the suite called name. Returns 0, or SPHINX_ERR_UNKNOWN. */
int sphinx_suite_from_name(const char *name, uint8_t *suite) SPHINX_CHECK;

/* Tell whether this process can use suite. x25519-mlkem768 takes ML-KEM from
 * OpenSSL, which has ML-KEM from 3.5 on; null is there where
 * sphinx_null_register() was called. */
bool sphinx_suite_works(uint8_t suite);

/* All lengths of a network's packets. Made by sphinx_geometry_init() only; a
 * value, copied freely. The first four fields travel in the consensus, the
 * rest is derived. */
struct sphinx_geometry {
    uint8_t suite;          /* enum sphinx_suite */
    uint8_t hops;           /* slots in the header, 1..SPHINX_HOPS_MAX */
    uint16_t packet_len;    /* bytes */
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

/* Fill *g from the four numbers. Returns 0; SPHINX_ERR_SUITE when this build
 * lacks suite (null is there only where sphinx_null_register() was called);
 * SPHINX_ERR_RANGE when a header of hops does not fit into packet_len bytes, or
 * hops or delay_unit_us is out of range. */
int sphinx_geometry_init(struct sphinx_geometry *g, uint8_t suite, uint8_t hops,
                         uint16_t packet_len,
                         uint32_t delay_unit_us) SPHINX_CHECK;

/* Fill *g with the default: x25519, 5 hops, 2,048 bytes, 1 ms. */
void sphinx_geometry_default(struct sphinx_geometry *g);

/* Compute the public key, of g->public_len bytes, that belongs to seed. (The
 * secret key is the seed, clamped where used.) Returns 0, SPHINX_ERR_SUITE or
 * SPHINX_ERR_CRYPTO. */
int sphinx_keypair(const struct sphinx_geometry *g, uint8_t *public_key,
                   const uint8_t seed[SPHINX_AT_LEAST(SPHINX_SEED_LEN)])
    SPHINX_CHECK;

/* Tell whether a relay may have public_key, of g->public_len bytes. Returns 0;
 * SPHINX_ERR_POINT for a key with which every secret is known, or none can be
 * had (an X25519 point of low order, an ML-KEM key with a number of q or more),
 * so that nobody could build a packet for that relay; SPHINX_ERR_SUITE. Works
 * for every suite, also where sphinx_suite_works() says no. Whoever lists
 * relays for others refuses such keys. */
int sphinx_public_check(const struct sphinx_geometry *g,
                        const uint8_t *public_key) SPHINX_CHECK;

/* ---- relays ---- */

/* Scratch of one thread: cipher objects kept between packets. */
struct sphinx_worker;

/* Make a worker. The caller owns *out. Returns 0, SPHINX_ERR_NOMEM or
 * SPHINX_ERR_CRYPTO. */
int sphinx_worker_new(struct sphinx_worker **out) SPHINX_CHECK;

/* Wipe and free *w, which may be NULL, and set it to NULL. */
void sphinx_worker_free(struct sphinx_worker **w);

/* A relay's private key under one consensus, in guarded memory, with the hop
 * context computed. */
struct sphinx_key;

/* Make the key of the relay with this seed and identity, under the consensus
 * with this digest. The caller owns *out. Returns 0, SPHINX_ERR_SUITE,
 * SPHINX_ERR_NOMEM or SPHINX_ERR_CRYPTO. */
int sphinx_key_new(struct sphinx_key **out, const struct sphinx_geometry *g,
                   const uint8_t seed[SPHINX_AT_LEAST(SPHINX_SEED_LEN)],
                   const uint8_t identity[SPHINX_AT_LEAST(SPHINX_ID_LEN)],
                   const uint8_t digest[SPHINX_AT_LEAST(SPHINX_DIGEST_LEN)])
    SPHINX_CHECK;

/* Wipe and free *key, which may be NULL, and set it to NULL. */
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
    int err; /* out: 0, SPHINX_ERR_VERSION, _EPOCH (key is NULL), _POINT, _MAC,
                _COMMAND, or what check() returned; the packet is then as it
                was received. SPHINX_ERR_SUITE (key of another geometry) and
                SPHINX_ERR_CRYPTO are the caller's or the machine's fault */
};

/* Judge the deadline, command and replay tag of job; called between the own
 * block and the rest of the work. Returns 0 to go on, or the error to refuse
 * the packet with. NULL in place of a function accepts every packet. */
typedef int (*sphinx_check_fn)(void *ctx, struct sphinx_job *job);

/* Unwrap the n packets of jobs in place, any n, all of geometry g; check, which
 * is given ctx, judges each. Afterwards a packet to be forwarded is complete;
 * after SPHINX_STORE or SPHINX_DELIVER the payload is at
 * packet + g->header_len. Bad packets never stop the others. */
void sphinx_unwrap(struct sphinx_worker *w, const struct sphinx_geometry *g,
                   struct sphinx_job *jobs, size_t n, sphinx_check_fn check,
                   void *ctx);

/* Tell whether the zero tag of payload, decrypted, is intact; in constant
 * time. */
bool sphinx_payload_is_intact(const uint8_t *payload);

/* Build the answer packet, of g->packet_len bytes, from surb and a body of
 * g->body_len bytes. *first_hop is the relay to hand the packet to. surb may be
 * packet itself; body may not overlap packet. Returns 0, SPHINX_ERR_VERSION,
 * SPHINX_ERR_SUITE or SPHINX_ERR_CRYPTO. */
int sphinx_surb_use(struct sphinx_worker *w, const struct sphinx_geometry *g,
                    const uint8_t *surb, const uint8_t *body, uint8_t *packet,
                    uint16_t *first_hop) SPHINX_CHECK;

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
    /* SPHINX_SEED_LEN bytes of fresh randomness, the source of every key and
     * filler, never used for a second request or SURB */
    const uint8_t *seed;
    /* of a request: geometry.body_len bytes, which do not overlap out, or
     * stand in their place there: out + header_len + SPHINX_TAG_LEN */
    const uint8_t *body;
    uint8_t *out; /* packet_len bytes, or surb_len */
    int err; /* out: 0, SPHINX_ERR_RANGE (n), _POINT (a relay's key), _SUITE,
                _CRYPTO; what is at out is undefined then */
};

/* Make the count requests (last hop SPHINX_STORE) and SURBs (last hop
 * SPHINX_DELIVER) of orders, all in one view. The key exchanges of all of them
 * are done together, which is what makes it fast. The packets are finished in
 * the order of the list, so a SURB may be made in the body of a later
 * request. */
void sphinx_create_batch(struct sphinx_worker *w,
                         const struct sphinx_view *view,
                         struct sphinx_order *orders, size_t count);

/* Make one request along the n hops of path, from seed and body, at packet.
 * Returns what an order's err says. */
int sphinx_create(struct sphinx_worker *w, const struct sphinx_view *view,
                  const struct sphinx_hop *path, size_t n,
                  const uint8_t seed[SPHINX_AT_LEAST(SPHINX_SEED_LEN)],
                  const uint8_t *body, uint8_t *packet) SPHINX_CHECK;

/* Make one SURB along the n hops of path to end, from seed, at surb. Returns
 * what an order's err says. */
int sphinx_surb_create(struct sphinx_worker *w, const struct sphinx_view *view,
                       const struct sphinx_hop *path, size_t n,
                       const struct sphinx_end *end,
                       const uint8_t seed[SPHINX_AT_LEAST(SPHINX_SEED_LEN)],
                       uint8_t *surb) SPHINX_CHECK;

/* Undo the n layers an answer gathered on its way, in place at payload, of
 * geometry.payload_len bytes. The hop keys come again from seed and the same
 * view and path (n hops). Returns 0, SPHINX_ERR_TAG if payload is not an answer
 * to this SURB or was tampered with, or what an order's err says. */
int sphinx_surb_open(struct sphinx_worker *w, const struct sphinx_view *view,
                     const struct sphinx_hop *path, size_t n,
                     const uint8_t seed[SPHINX_AT_LEAST(SPHINX_SEED_LEN)],
                     uint8_t *payload) SPHINX_CHECK;

/* Compute the payload keys of an answer, n + 1 keys in the order in which they
 * are to be applied, from what the SURB was made of. A client may keep keys in
 * place of path and seed: sphinx_surb_open() is this and
 * sphinx_surb_open_keys(). Returns what an order's err says. */
int sphinx_surb_keys(struct sphinx_worker *w, const struct sphinx_view *view,
                     const struct sphinx_hop *path, size_t n,
                     const uint8_t seed[SPHINX_AT_LEAST(SPHINX_SEED_LEN)],
                     uint8_t (*keys)[SPHINX_KEY_LEN]) SPHINX_CHECK;

/* Undo the layers of payload with the keys of sphinx_surb_keys(), where n is
 * the number of hops. Returns 0, SPHINX_ERR_TAG, SPHINX_ERR_SUITE or
 * SPHINX_ERR_CRYPTO. */
int sphinx_surb_open_keys(struct sphinx_worker *w,
                          const struct sphinx_geometry *g,
                          const uint8_t (*keys)[SPHINX_KEY_LEN], size_t n,
                          uint8_t *payload) SPHINX_CHECK;

#ifdef __cplusplus
}
#endif
#endif
