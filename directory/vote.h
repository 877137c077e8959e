/* directory/vote.h - what authorities tell each other.
 *
 *   hello       "I am here": it carries the sender's certificate
 *   claim       who votes for which epoch, and the digest of the vote. Signed
 *               by the author and by who passes it on (directory/rounds.h)
 *   vote        not signed itself, and fetched by its digest
 *   shares      the sender's opened shares of all votes' dealings
 *   signature   of the consensus that the sender has computed, by its hash
 *
 * All bodies are canonical JSON (network/json.h). Their readers return as
 * json_read_consensus(). */
#ifndef DIRECTORY_VOTE_H
#define DIRECTORY_VOTE_H
#include "directory/share.h"
#include "network/certificate.h"
#include "network/document.h"
#include "network/json.h"

struct hello {
    char network[NETWORK_NAME_MAX];
    uint32_t epoch; /* being prepared */
};

/* A vote has descriptors of RELAYS_MAX relays, and what is known of these and
 * of as many that are away: VOTE_KNOWN_LEN_MAX for each, and VOTE_HEAD_MAX for
 * the rest. When there are so many relays, 1,580 bytes are left for each
 * descriptor: one with X25519 keys takes 1,111, and 110 for each link that it
 * tells of, so there is room for four links. Of descriptors with 32 links,
 * 4,630 bytes, 5,591 fit (listing_texts()). */
enum {
    VOTE_LEN_MAX = 2 * DOCUMENT_BODY_MAX,
    VOTE_KNOWN_MAX = 2 * RELAYS_MAX,
    VOTE_KNOWN_LEN_MAX = 232,
    VOTE_HEAD_MAX = 65536
};
struct claim {
    char network[NETWORK_NAME_MAX];
    uint32_t epoch;
    uint8_t author[SPHINX_ID_LEN];
    uint8_t digest[32]; /* BLAKE2b-256 of the vote */
    uint32_t len;       /* of the vote */
};

/* The certificates say whom the shares of the dealing are for. */
struct vote_holder {
    uint8_t identity[SPHINX_ID_LEN];
    struct certificate cert;
};

/* What one authority has seen when an epoch's descriptors are closed. Freed
 * with vote_free(). */
struct vote {
    char network[NETWORK_NAME_MAX];
    uint32_t epoch;
    uint8_t author[SPHINX_ID_LEN];
    struct params params;
    char *params_text;  /* canonical, for comparing; owned */
    size_t n;           /* descriptors, as signed documents; owned */
    char **descriptors; /* texts, sorted by their bytes, none twice */
    struct days days;   /* of the newest consensus that the voter has, whose */
    uint32_t day;       /* period is this; n = 0: it has none */
    size_t n_known;
    /* in the newest consensus that the voter has, or away in it; sorted by
     * identity, none twice; owned */
    struct standing *known;
    struct share_dealing dealing; /* n = 0: none; at and key: vote_dealing() */
    struct vote_holder holder[SHARE_MAX]; /* dealing.n, sorted by identity */
};
int json_write_vote(const struct vote *v, char **out, size_t *len) CHECK_RESULT;
int json_read_vote(struct vote *v, const uint8_t *body, size_t len,
                   char where[static JSON_WHERE_LEN]) CHECK_RESULT;
void vote_free(struct vote *v);

/* Check the dealing in the vote v and give each holder its place: among the n
 * authorities (sorted ids), of which all but (n - 1) / 3 at least have to hold
 * shares, by certificates that cover valid_after_s. context is filled in as
 * share_*() want it. Returns 0, ERR_MISSING (no dealing), or what is wrong with
 * the dealing. */
int vote_dealing_check(struct vote *v, const uint8_t (*ids)[SPHINX_ID_LEN],
                       size_t n, uint64_t valid_after_s,
                       uint8_t context[static SHARE_CONTEXT_LEN]) CHECK_RESULT;
/* Compute the context of the dealing in the vote v. */
void vote_dealing_context(const struct vote *v,
                          uint8_t context[static SHARE_CONTEXT_LEN]);

/* Opened shares, of any number of dealers. */
struct shares_entry {
    uint8_t dealer[SPHINX_ID_LEN];
    struct share_opened opened;
};
struct shares {
    char network[NETWORK_NAME_MAX];
    uint32_t epoch;
    size_t n;
    struct shares_entry entry[SHARE_MAX]; /* sorted by dealer, none twice */
};

/* A consensus' hash as document_hash() makes it. The signature of a document of
 * this kind is not over its own body but over that hash. */
struct signature_note {
    char network[NETWORK_NAME_MAX];
    uint32_t epoch;
    uint8_t hash[DOCUMENT_HASH_LEN];
};

int json_write_hello(const struct hello *h, char **out,
                     size_t *len) CHECK_RESULT;
int json_read_hello(struct hello *h, const uint8_t *body, size_t len,
                    char where[static JSON_WHERE_LEN]) CHECK_RESULT;
int json_write_claim(const struct claim *c, char **out,
                     size_t *len) CHECK_RESULT;
int json_read_claim(struct claim *c, const uint8_t *body, size_t len,
                    char where[static JSON_WHERE_LEN]) CHECK_RESULT;
int json_write_shares(const struct shares *s, char **out,
                      size_t *len) CHECK_RESULT;
int json_read_shares(struct shares *s, const uint8_t *body, size_t len,
                     char where[static JSON_WHERE_LEN]) CHECK_RESULT;
int json_write_signature(const struct signature_note *s, char **out,
                         size_t *len) CHECK_RESULT;
int json_read_signature(struct signature_note *s, const uint8_t *body,
                        size_t len,
                        char where[static JSON_WHERE_LEN]) CHECK_RESULT;
#endif
