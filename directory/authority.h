/* directory/authority.h - a directory authority as a state machine.
 *
 * Time and documents drive the machine: authority_tick() at the times that it
 * asks its environment for, authority_take() and its like when something came.
 * What the authority has to say goes out through publish(). Schedule:
 * network/schedule.h; how the votes become the same ones everywhere:
 * directory/rounds.h; how they become the consensus: directory/tally.h.
 *
 * Safety rests on one rule: an authority signs one consensus an epoch, and
 * knows that it has even after a crash. A consensus needs signatures of more
 * than two thirds, so two of them for one epoch would need a third that signs
 * twice. publish() therefore has to make AUTHORITY_KEEP_* durable before it
 * returns, and what was kept comes back through authority_load() (I9). An
 * authority that has lost what it kept abstains until the next epoch.
 *
 * The clock may jump, and come back (I10). A clock that the newest consensus
 * contradicts (consensus_judge_time()) is not believed until it has gone evenly
 * for half an epoch: meanwhile nothing is done, and nothing forgotten. A clock
 * that is believed is followed, forward and back; an epoch that is prepared a
 * second time is taken up as after a restart, with what recall() gives. */
#ifndef DIRECTORY_AUTHORITY_H
#define DIRECTORY_AUTHORITY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/env.h"
#include "network/document.h"
#include "network/json.h"

struct authority;

enum authority_output {
    AUTHORITY_SEND = 1,      /* a document, to all other authorities */
    AUTHORITY_WANT,          /* a digest, 32 bytes: ask them for that vote */
    AUTHORITY_ASK,           /* ask for their documents and newest consensus */
    AUTHORITY_KEEP_VOTE,     /* the own vote, see authority_load(): it binds */
    AUTHORITY_KEEP_HEARD,    /* another's that counts: of use while its epoch is
                                prepared, and may be lost */
    AUTHORITY_KEEP_PROMISES, /* directory/promises.h; the newest replaces all */
    AUTHORITY_KEEP_CONSENSUS,  /* and serve it */
    AUTHORITY_KEEP_DESCRIPTOR, /* one that was taken */
    AUTHORITY_EVIDENCE         /* keep: two documents that one authority may not
                                  both sign (directory/evidence.h) */
};

enum { AUTHORITY_SHARE_KEYS = 2 };

struct authority_config {
    struct env *env;
    /* For documents; its certificate has the public key of share_secret[0]. The
     * other may be that of a certificate before, or NULL. All are copied. */
    struct document_key key;
    const uint8_t *share_secret[AUTHORITY_SHARE_KEYS];
    const struct network *network; /* copied */
    struct params params;
    bool abstain; /* it does not know what it has signed: wait for the next */
    /* May this relay take part? NULL: every one may. */
    bool (*admit)(void *ctx, const struct descriptor *d);
    /* Returns 0; what cannot be kept is not acted upon. */
    int (*publish)(void *ctx, enum authority_output what, uint32_t epoch,
                   const uint8_t *bytes, size_t len);
    /* Give authority_load() the votes kept of this epoch; NULL: there are none.
     * What cannot be read is an error, and the authority abstains. */
    int (*recall)(void *ctx, uint32_t epoch);
    void *ctx;
};

/* Make an authority of this config. Returns 0, ERR_NOMEM, ERR_NOT_FOUND: the
 * network does not list this authority, or ERR_ARG: the key has no
 * certificate. */
int authority_new(struct authority **out,
                  const struct authority_config *config) CHECK_RESULT;
void authority_free(struct authority **a);

/* Load, before the first tick, what publish() kept in an earlier life, with the
 * same `what`; consensus and promises before the rest. A vote is the length of
 * its claim (4 bytes, big-endian), the claim, the vote. What speaks of other
 * epochs is remembered as far as it binds. Votes or promises that cannot be
 * read make the authority abstain, as in authority_config. */
int authority_load(struct authority *a, enum authority_output what,
                   const uint8_t *bytes, size_t len) CHECK_RESULT;

/* Take a relay's descriptor of len bytes; `where` names what is wrong. Returns
 * 0, what descriptor_open() says, or ERR_FOREIGN, ERR_STALE, ERR_FUTURE,
 * ERR_COMMAND (not admitted), ERR_RATE, ERR_FULL, ERR_AGAIN (this epoch is
 * closed, the descriptor counts for the next one). */
int authority_descriptor(struct authority *a, const uint8_t *bytes, size_t len,
                         char where[static JSON_WHERE_LEN]) CHECK_RESULT;

/* List the relay with this identity no more; what it sends is judged anew. */
void authority_forget(struct authority *a,
                      const uint8_t identity[static SPHINX_ID_LEN]);

/* Tell whether there is a descriptor of the relay with this identity for the
 * epoch being prepared. */
bool authority_lists(const struct authority *a,
                     const uint8_t identity[static SPHINX_ID_LEN]);

/* Take a document of another authority, of len bytes: hello, claim, shares,
 * signature. Returns 0, or why the document was of no use; ERR_DUPLICATE and
 * ERR_AGAIN are not its sender's fault. */
int authority_take(struct authority *a, const uint8_t *bytes,
                   size_t len) CHECK_RESULT;
/* Take a vote that was wanted. */
int authority_take_vote(struct authority *a, const uint8_t *bytes,
                        size_t len) CHECK_RESULT;
/* Take a consensus, from anywhere. ERR_STALE: it is not newer than the one
 * here. */
int authority_take_consensus(struct authority *a, const uint8_t *bytes,
                             size_t len) CHECK_RESULT;

/* Do what is due; call when the environment's timer has fired. */
void authority_tick(struct authority *a);

/* Work with another key and other share_secrets from now on, given as in
 * authority_config; the identity stays. Returns 0, or ERR_NOMEM, ERR_ARG, and
 * the keys are as before. */
int authority_rekey(struct authority *a, const struct document_key *key,
                    const uint8_t *const share_secret[AUTHORITY_SHARE_KEYS])
    CHECK_RESULT;

/* Tell the epoch being prepared. */
uint32_t authority_target(const struct authority *a);
/* Tell whether the authority believes its clock now. Nothing is to be made for
 * good by a clock that is not believed. */
bool authority_is_sure(struct authority *a);
/* Tell whether a consensus has listed a newer certificate of this authority
 * than the one that it works with. If so, what it signs counts nowhere any
 * more. */
bool authority_is_revoked(const struct authority *a);
/* Tell the floor: no vote for an epoch before it is of use any more. */
uint32_t authority_floor(struct authority *a);
/* Tell the authority's own identity. */
const uint8_t *authority_identity(const struct authority *a);

/* Find the newest published consensus, that of *epoch, as *len signed bytes;
 * NULL when there is none. */
const uint8_t *authority_consensus(const struct authority *a, uint32_t *epoch,
                                   size_t *len);
/* Find the same consensus as an object. */
const struct consensus *authority_newest(const struct authority *a);
/* Find the vote with this digest, *len bytes; NULL when there is none. */
const uint8_t *authority_vote(const struct authority *a,
                              const uint8_t digest[static 32], size_t *len);
/* Call each() with ctx for every document of the epoch being prepared. */
void authority_documents(struct authority *a,
                         void (*each)(void *ctx, const uint8_t *bytes,
                                      size_t len),
                         void *ctx);

struct authority_status {
    uint32_t epoch;  /* of the newest consensus */
    uint32_t target; /* being prepared */
    size_t descriptors, votes, dealings, signatures;
    int unmade; /* why no consensus came of the votes of the last epoch for
                   which they were counted: ERR_MISSING, a layer without a
                   relay; 0 */
    uint64_t refused[ERROR_COUNT];
    size_t n; /* authorities, by their sorted identities */
    struct {
        uint8_t identity[SPHINX_ID_LEN];
        uint32_t seen; /* the newest epoch that it said it prepares */
        bool voted, lies, opened, signed_;
        uint64_t until_s; /* end of its certificate, 0: unknown */
    } other[AUTHORITIES_MAX];
};
void authority_status(const struct authority *a, struct authority_status *out);
#endif
