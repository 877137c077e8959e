/* tests/independent/peer.h - the C side of tests/independent: one request a line,
 * one answer a line, both JSON. A request names what to do in "do"; byte strings
 * are hex. An answer has what was made or read, or alone "err", the name of an
 * ERR_* (lib/error.h) that C refused with. A request that is wrong in itself is a
 * mistake of the test: the program says so and ends.
 *
 * Each command reads what it needs with peer_get_*() and answers with peer_say_*().
 * Memory that it is given is its own until it returns. */
#ifndef INDEPENDENT_PEER_H
#define INDEPENDENT_PEER_H
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "network/consensus.h"
#include "sphinx/sphinx.h"

struct peer {
    json_t *in, *out;
    struct sphinx_worker *worker;
    struct consensus *consensus;   /* the last that "consensus_take" has read */
    struct peer_session *sessions; /* by number (peer_sessions.c) */
    void *owned[512];              /* freed when the command returns */
    size_t n_owned;
};

struct peer_command {
    const char *name;
    int (*run)(struct peer *p); /* 0, or the ERR_* that C refused with */
};

/* Say what is wrong with the request, and end. */
_Noreturn void peer_fail(const char *key, const char *why);

/* Give len zeroed bytes, freed after the command. */
void *peer_alloc(struct peer *p, size_t len);

/* Does the request have this key? */
int peer_has(const struct peer *p, const char *key);

/* Read a byte string of any length; exactly so many bytes are allocated, that a
 * parser which reads beyond its input is seen. */
uint8_t *peer_get_bytes(struct peer *p, const char *key, size_t *len);

/* Read a byte string of exactly len bytes; its copy. */
uint8_t *peer_get_exact(struct peer *p, const char *key, size_t len);

/* Read a number of max at most. */
uint64_t peer_get_number(struct peer *p, const char *key, uint64_t max);

/* Read a text. */
const char *peer_get_text(struct peer *p, const char *key);

/* Read a list; its length is the caller's to judge. */
json_t *peer_get_list(struct peer *p, const char *key);

/* Read bytes of an object that is not the request itself. */
void peer_unhex(const json_t *object, const char *key, uint8_t *out,
                size_t len);

/* Answer. */
void peer_say_bytes(struct peer *p, const char *key, const void *bytes,
                    size_t len);
/* A number above INT64_MAX is said as a text. */
void peer_say_number(struct peer *p, const char *key, uint64_t value);
void peer_say(struct peer *p, const char *key, json_t *value);

/* Make hex of bytes. */
json_t *peer_hex(const void *bytes, size_t len);

/* Wipe and free the sessions that are held. */
void peer_sessions_free(struct peer *p);

/* The commands, each list closed by a name of NULL. */
extern const struct peer_command peer_packets[];
extern const struct peer_command peer_frames[];
extern const struct peer_command peer_letters[];
extern const struct peer_command peer_sessions[];
extern const struct peer_command peer_networks[];
extern const struct peer_command peer_documents[];
extern const struct peer_command peer_authorities[];
#endif
