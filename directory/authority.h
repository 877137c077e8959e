/* directory/authority.h - a directory authority as a state machine.
 *
 * Epoch e is valid from genesis + (e - 1) * length. Counted back from there, in
 * parts of the length:
 *
 *   -15 %   close: no more descriptors; the own vote is made and sent
 *   -12.5 % first votes passed on; -10 % once more (votes of third parties)
 *   -7.5 %  tally: the consensus is computed, signed, the signature sent
 *   -5 %    publish: with signatures of more than two thirds it is published,
 *           or later, as soon as they are there
 *
 * Two different votes of one authority for one epoch exclude it. An epoch that
 * comes to nothing is left out; the ones before stay usable.
 *
 * Votes, signatures and the consensus go out through publish(), which has to
 * make VOTE and CONSENSUS durable before anybody sees them: given back with
 * authority_load() they keep a restarted authority from contradicting itself
 * (I9). */
#ifndef DIRECTORY_AUTHORITY_H
#define DIRECTORY_AUTHORITY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "directory/json.h"
#include "lib/env.h"

struct authority;

enum authority_output {
    AUTHORITY_VOTE = 1,  /* own: keep, then send to the others */
    AUTHORITY_PASS,      /* another's vote: send to the others */
    AUTHORITY_SIGNATURE, /* consensus with the own signature: send */
    AUTHORITY_CONSENSUS  /* keep, serve */
};

struct authority_config {
    struct env *env;
    const uint8_t *seed;           /* DOCUMENT_SIGN_SEED_LEN; copied */
    const struct network *network; /* copied */
    struct params params;
    /* May this relay take part? NULL: every one may. */
    bool (*admit)(void *ctx, const struct descriptor *d);
    void (*publish)(void *ctx, enum authority_output what, uint32_t epoch,
                    const uint8_t *bytes, size_t len);
    void *ctx;
};

int authority_new(struct authority **out,
                  const struct authority_config *config) CHECK_RESULT;
void authority_free(struct authority **a);

/* What publish() kept of an earlier life: the newest consensus, and the own
 * vote of the epoch being prepared. Before the first tick. */
int authority_load(struct authority *a, enum authority_output what,
                   const uint8_t *bytes, size_t len) CHECK_RESULT;

/* A descriptor from a relay; `where` names what is wrong. Returns also
 * ERR_PEER, ERR_FOREIGN, ERR_STALE, ERR_FUTURE, ERR_COMMAND (not admitted),
 * ERR_FULL, ERR_AGAIN (closed for this epoch, it counts for the next one). */
int authority_descriptor(struct authority *a, const uint8_t *bytes, size_t len,
                         char where[static JSON_WHERE_LEN]) CHECK_RESULT;
/* From another authority. Returns also ERR_STALE, ERR_CONFLICT. */
int authority_vote(struct authority *a, const uint8_t *bytes,
                   size_t len) CHECK_RESULT;
int authority_signature(struct authority *a, const uint8_t *bytes,
                        size_t len) CHECK_RESULT;

void authority_tick(struct authority *a);

/* Its own identity. */
const uint8_t *authority_identity(const struct authority *a);

/* The newest published consensus as signed bytes, or NULL. */
const uint8_t *authority_consensus(const struct authority *a, uint32_t *epoch,
                                   size_t *len);

struct authority_status {
    uint32_t epoch;  /* of the newest consensus */
    uint32_t target; /* being prepared */
    size_t descriptors, votes, signatures;
    uint64_t refused[ERROR_COUNT];
};
void authority_status(const struct authority *a, struct authority_status *out);
#endif
