/* directory/authority.h - a directory authority as a state machine.
 *
 * It is driven by (time, document): authority_tick() at the times it asks its
 * environment for, authority_take() and its like when something came. What it
 * has to say goes out through publish(). Schedule: network/schedule.h; how
 * the votes become the same ones everywhere: directory/rounds.h; how they
 * become the consensus: directory/tally.h.
 *
 * Safety rests on one rule: an authority signs one consensus an epoch, and
 * knows that it has even after a crash. A consensus needs signatures of more
 * than two thirds, so two of them for one epoch would need a third that signs
 * twice. publish() therefore has to make AUTHORITY_KEEP_* durable before it
 * returns, and what it kept comes back through authority_load() (I9). An
 * authority that has lost it abstains until the next epoch.
 *
 * Its clock may jump, and come back (I10). A clock that the newest consensus
 * contradicts (consensus_judge_time()) is not believed until it has gone evenly
 * for half an epoch: meanwhile nothing is done, and nothing forgotten. One that
 * is believed is followed, forward and back; an epoch that is prepared a second
 * time is taken up as after a restart, with what recall() gives. */
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
    AUTHORITY_WANT,          /* 32 octets: ask them for the vote they digest */
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

/* Returns also ERR_NOT_FOUND: the network does not list this authority;
 * ERR_ARG: the key has no certificate. */
int authority_new(struct authority **out,
                  const struct authority_config *config) CHECK_RESULT;
void authority_free(struct authority **a);

/* Before the first tick: what publish() kept in an earlier life, with the same
 * `what`; consensus and promises before the rest. A vote is the length of its
 * claim (4 octets, big-endian), the claim, the vote. What speaks of other epochs
 * is remembered as far as it binds. Votes or promises that cannot be read make
 * the authority abstain, as in authority_config. */
int authority_load(struct authority *a, enum authority_output what,
                   const uint8_t *bytes, size_t len) CHECK_RESULT;

/* A descriptor from a relay; `where` names what is wrong. Returns also
 * ERR_PEER, ERR_FOREIGN, ERR_STALE, ERR_FUTURE, ERR_COMMAND (not admitted),
 * ERR_FULL, ERR_AGAIN (closed for this epoch, it counts for the next one). */
int authority_descriptor(struct authority *a, const uint8_t *bytes, size_t len,
                         char where[static JSON_WHERE_LEN]) CHECK_RESULT;

/* List this relay no more; what it sends is judged anew. */
void authority_forget(struct authority *a,
                      const uint8_t identity[static SPHINX_ID_LEN]);

/* Does it have a descriptor of this relay for the epoch being prepared? */
bool authority_lists(const struct authority *a,
                     const uint8_t identity[static SPHINX_ID_LEN]);

/* A document of another authority: hello, claim, shares, signature. Whatever is
 * not 0 was of no use; ERR_DUPLICATE and ERR_AGAIN are not its sender's fault.
 */
int authority_take(struct authority *a, const uint8_t *bytes,
                   size_t len) CHECK_RESULT;
/* A vote that was wanted. */
int authority_take_vote(struct authority *a, const uint8_t *bytes,
                        size_t len) CHECK_RESULT;
/* A consensus, from anywhere. ERR_STALE: it is not newer. */
int authority_take_consensus(struct authority *a, const uint8_t *bytes,
                             size_t len) CHECK_RESULT;

void authority_tick(struct authority *a);

/* Other keys from now on; the identity stays. As in authority_config. Returns
 * ERR_NOMEM, ERR_ARG; then they are as before. */
int authority_rekey(struct authority *a, const struct document_key *key,
                    const uint8_t *const share_secret[AUTHORITY_SHARE_KEYS])
    CHECK_RESULT;

/* The epoch being prepared; its own identity. */
uint32_t authority_target(const struct authority *a);
/* Does it believe its clock now? Nothing is to be made for good by one that it
 * does not believe. */
bool authority_is_sure(struct authority *a);
/* Has a consensus listed a newer certificate of this authority than the one that
 * it works with? Then what it signs counts nowhere any more. */
bool authority_is_revoked(const struct authority *a);
/* No vote for an epoch before this one is of use any more. */
uint32_t authority_floor(struct authority *a);
const uint8_t *authority_identity(const struct authority *a);

/* For those who ask: the newest published consensus as signed bytes, a vote by
 * its digest (both NULL when there is none), and every document of the epoch
 * being prepared. */
const uint8_t *authority_consensus(const struct authority *a, uint32_t *epoch,
                                   size_t *len);
/* The same, read; NULL when there is none. */
const struct consensus *authority_newest(const struct authority *a);
const uint8_t *authority_vote(const struct authority *a,
                              const uint8_t digest[static 32], size_t *len);
void authority_documents(struct authority *a,
                         void (*each)(void *ctx, const uint8_t *bytes,
                                      size_t len),
                         void *ctx);

struct authority_status {
    uint32_t epoch;  /* of the newest consensus */
    uint32_t target; /* being prepared */
    size_t descriptors, votes, dealings, signatures;
    int unmade; /* why no consensus came of the votes of the last epoch for which
                   they were counted: ERR_MISSING, a layer without a relay; 0 */
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
