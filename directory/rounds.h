/* directory/rounds.h - votes are passed on until all have the same ones.
 *
 * The authenticated broadcast of Dolev and Strong (SIAM J. Computing 12(4),
 * 1983, section 4), for all authors at once. What is broadcast is a claim: who
 * votes what, by digest. A claim with k signatures, the author's and k - 1
 * others', counts when it and the vote it speaks of are here by the end of
 * round k (network/schedule.h); whoever counts it signs it and passes it on.
 * With f liars and f + 1 rounds, the last signature that still counts is of an
 * honest one, who has passed it on in time, so all honest ones count the same
 * claims.
 *
 *   unknown -claim-> wanted -vote-> counted
 *
 * Two counted claims of one author mean that the author lies: then neither is a
 * vote. More than two are not looked at. Failure modes: a claim that is late
 * (TIMEOUT), whose author lies (CONFLICT), or without room (FULL: whoever signs
 * more than two claims of one author finds none; an honest one never does).
 * Pure. */
#ifndef DIRECTORY_ROUNDS_H
#define DIRECTORY_ROUNDS_H
#include "directory/vote.h"
#include "network/schedule.h"

enum {
    ROUNDS_COUNTED_MAX = 2,
    ROUNDS_CLAIMS_MAX = 2 * AUTHORITIES_MAX /* of one author */
};

struct rounds_claim {
    struct document_signature *sig; /* owned, n_sig of them */
    size_t n_sig;
    uint32_t signers; /* bit i: authority i */
    uint32_t len;     /* of the vote */
    uint8_t digest[32];
    uint8_t body[32]; /* BLAKE2b-256 of the claim's own body */
    bool counted;
    bool missed; /* its vote came, and there was no memory for it */
    bool passed; /* set by the owner: it was signed and sent on */
    char *vote;  /* when it counts; owned */
};

struct rounds {
    const struct certificates *certificates; /* the newest that consensuses have
                                                listed; what they revoke does
                                                not count */
    char network[NETWORK_NAME_MAX];
    struct schedule schedule;
    uint32_t epoch;
    size_t self;
    const uint8_t (*ids)[SPHINX_ID_LEN]; /* sorted; schedule.n of them */
    struct {
        struct rounds_claim claim[ROUNDS_CLAIMS_MAX];
        size_t n, counted;
    } author[AUTHORITIES_MAX];
};

/* Begin an epoch. Zeroed memory holds no claims; r->ids stay the caller's. */
void rounds_begin(struct rounds *r, uint32_t epoch);

/* Take a claim's document of len bytes that came at now_ms. On 0, ERR_AGAIN and
 * ERR_DUPLICATE *author and *claim identify the claim. Returns 0: the claim is
 * new, its vote is wanted; ERR_AGAIN: its vote was wanted before;
 * ERR_DUPLICATE: the claim counts already; ERR_FOREIGN, ERR_STALE, ERR_FUTURE
 * (another epoch), ERR_PEER (no authority's), ERR_TIMEOUT, ERR_CONFLICT (two
 * count), ERR_FULL, and what document_open() says. */
int rounds_claim(struct rounds *r, const uint8_t *bytes, size_t len,
                 uint64_t now_ms, size_t *author, size_t *claim) CHECK_RESULT;

/* Take a vote of len bytes that came at now_ms; it is copied. Returns 0: the
 * claim *claim of *author counts now, sign it and pass it on with
 * rounds_write(); ERR_NOT_FOUND (no claim speaks of this vote), ERR_TIMEOUT,
 * ERR_CONFLICT (two count already), ERR_NOMEM. */
int rounds_vote(struct rounds *r, const uint8_t *bytes, size_t len,
                uint64_t now_ms, size_t *author, size_t *claim) CHECK_RESULT;

/* Load the own vote, or one that counted in an earlier life: a claim's document
 * and the vote. The claim counts, whatever the time, and is taken to be passed
 * on. Returns as rounds_claim(), ERR_FORMAT when the vote is not that of the
 * claim. */
int rounds_load(struct rounds *r, const uint8_t *claim, size_t claim_len,
                const uint8_t *vote, size_t vote_len) CHECK_RESULT;

/* Forget this claim of an author, whether it counts or not; the same claim may
 * come again. */
void rounds_forget(struct rounds *r, size_t author, size_t claim);

/* Write the document of this claim with all signatures known, to which that of
 * key (NULL: none) is added before. *out is malloc'd. After an error all is as
 * it was. */
int rounds_write(struct rounds *r, size_t author, size_t claim,
                 const struct document_key *key, uint8_t **out,
                 size_t *len) CHECK_RESULT;

/* Find the text of an author's vote, *len bytes, when exactly one counts, else
 * NULL. */
const char *rounds_result(const struct rounds *r, size_t author, size_t *len);

/* Find a counted vote, *len bytes, by its digest; NULL when there is none. */
const char *rounds_find(const struct rounds *r, const uint8_t digest[static 32],
                        size_t *len);
#endif
