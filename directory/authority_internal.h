/* directory/authority_internal.h - what the files of an authority share. */
#ifndef DIRECTORY_AUTHORITY_INTERNAL_H
#define DIRECTORY_AUTHORITY_INTERNAL_H
#include "directory/authority.h"
#include "directory/listing.h"
#include "directory/promises.h"
#include "directory/rounds.h"

enum {
    AUTHORITY_RECENT = 256,
    AUTHORITY_VOTES_EPOCHS = 8 /* votes are kept so long without a consensus */
};

/* What is known of an authority, the own one too. */
struct colleague {
    uint32_t seen;
    bool has_cert;
    struct certificate cert; /* the newest that was seen */
    /* of the target */
    bool evident;   /* evidence was published */
    uint8_t *claim; /* the first one seen, for evidence */
    size_t claim_len;
    struct shares *shares;
    uint8_t *shares_doc;
    size_t shares_len;
    bool has_note;
    struct signature_note note;
    struct document_signature sig;
    uint8_t *note_doc;
    size_t note_len;
};

/* A vote that counts, once the rounds are over. */
struct counted {
    struct vote vote;
    size_t author;
    bool deals; /* its dealing is good */
    uint8_t context[SHARE_CONTEXT_LEN];
    uint32_t tried;  /* bit k: holder k's opening was looked at */
    size_t n_opened; /* that check */
    size_t place[SHARE_MAX];
    uint8_t point[SHARE_MAX][SHARE_LEN];
};

struct authority {
    struct authority_config config;
    struct network network;
    struct certificate cert;
    struct document_key key; /* seed and cert: the copies here */
    uint8_t *seed;           /* guarded */
    uint8_t *share_secret[AUTHORITY_SHARE_KEYS]; /* guarded */
    uint8_t ids[AUTHORITIES_MAX][SPHINX_ID_LEN]; /* sorted */
    size_t n, self;
    struct schedule schedule;
    uint32_t target, abstains; /* abstains: from this epoch, 0 none */
    enum schedule_phase next;
    struct promises promises[PROMISE_KINDS]; /* bind for ever */
    int64_t clock_ms; /* wall clock less monotonic clock ... */
    uint64_t even_ms; /* ... since then, by the monotonic clock */
    bool doubts;      /* the clock, when it was last to do something */
    bool ask_now;     /* ask the others, whatever is known here */
    uint64_t ask_ms; /* not before, by the monotonic clock; 0: nothing to ask */
    uint64_t retry_ms; /* the phase that lacked memory; 0: none */
    /* digests of documents that were looked at of late; the next to replace */
    uint8_t recent[AUTHORITY_RECENT][16];
    unsigned next_recent;
    struct rounds rounds;
    struct colleague colleague[AUTHORITIES_MAX];
    struct listing listing;
    uint8_t *hello; /* the newest own one */
    size_t hello_len;
    size_t n_counted; /* from OPEN on */
    struct counted *counted;
    bool opened;
    /* the consensus of the target, as computed here */
    bool hopeless; /* the votes give none */
    bool to_sign;  /* it is computed, and not looked at whether to sign it */
    char *body;
    size_t body_len;
    uint8_t hash[DOCUMENT_HASH_LEN];
    /* the newest one published */
    struct consensus *newest;
    struct certificates certificates; /* the newest that consensuses listed */
    uint8_t *published;
    size_t published_len;
    struct authority_status status;
};

/* authority_internal.c: give what there is to say to publish(). */
int authority_output(struct authority *a, enum authority_output what,
                     const uint8_t *bytes, size_t len) CHECK_RESULT;
/* Look at the clock; tell whether it is believed (authority.h). */
bool clock_look(struct authority *a);
/* Tell the epoch that the clock of now would prepare. */
uint32_t clock_epoch(const struct authority *a);
/* Tell the epoch of the newest consensus; 0 when there is none, or none but one
 * that a wrong clock made: such a one is more than two epochs ahead of the
 * epoch that a clock that is believed prepares. */
uint32_t newest_epoch(struct authority *a);
/* Make the promises durable. */
int promises_keep(struct authority *a) CHECK_RESULT;
/* Count what was of no use, for the reason err; returns err. */
int authority_count(struct authority *a, int err);
/* Sign a body of body_len bytes, which is freed, and write the document of this
 * kind to *out, malloc'd. */
int authority_sign_body(struct authority *a, enum document_kind kind,
                        char *body, size_t body_len, uint8_t **out,
                        size_t *len) CHECK_RESULT;
/* Replace *to by a copy of len bytes with a final 0. */
int bytes_copy(uint8_t **to, size_t *to_len, const uint8_t *bytes,
               size_t len) CHECK_RESULT;

/* authority_vote.c: make the own vote, keep it, and send its claim. */
int vote_make(struct authority *a) CHECK_RESULT;
/* Send the claim of the own vote that was loaded, since perhaps nobody has
 * it. */
int vote_repeat(struct authority *a) CHECK_RESULT;
/* Read the votes that count, once the rounds are over. */
int votes_open(struct authority *a) CHECK_RESULT;
void votes_clear(struct authority *a);
/* Compute the shared value from the secrets of all dealings, to out. Returns 0;
 * ERR_AGAIN when secrets are still missing; ERR_THRESHOLD when too few votes
 * deal. */
int votes_random(struct authority *a, uint8_t out[static 32]) CHECK_RESULT;

/* authority_sign.c: open the own shares of all votes' dealings, and send
 * them. */
int shares_send(struct authority *a) CHECK_RESULT;
/* Compute, sign and publish the consensus, as far as that is possible now, from
 * SIGN on. */
int consensus_step(struct authority *a) CHECK_RESULT;
/* Make a consensus of len bytes the newest one, if it is newer and of no epoch
 * after `last`; keep nothing on disk. */
int consensus_adopt(struct authority *a, const uint8_t *bytes, size_t len,
                    uint32_t last) CHECK_RESULT;

/* authority_take.c: do again what lacked memory before: pass on the claims that
 * count, ask for the votes that came. */
void claims_again(struct authority *a);
#endif
