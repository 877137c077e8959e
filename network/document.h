/* network/document.h - signed documents: the envelope.
 *
 *   brusio-KIND/1 LENGTH\n
 *   BODY (LENGTH bytes)\n
 *   sig IDENTITY SIGNATURE\n     (hex; one line a signer, sorted, none twice)
 *   sig IDENTITY SIGNATURE KEY SHARE_KEY FROM UNTIL CERTIFICATE\n
 *
 * A signature is Ed25519 over BLAKE2b-512("brusio/1 KIND\n" | body as
 * received), so that no JSON is parsed before the signature holds, and no
 * document passes for one of another kind. The key is the identity's own or, on
 * the longer line, the key that its certificate names (network/certificate.h).
 * The body is canonical JSON (network/json.h). */
#ifndef NETWORK_DOCUMENT_H
#define NETWORK_DOCUMENT_H
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "network/certificate.h"

enum document_kind {
    DOCUMENT_DESCRIPTOR = 1,
    DOCUMENT_CONSENSUS,
    DOCUMENT_HELLO, /* these between authorities: directory/vote.h */
    DOCUMENT_CLAIM,
    DOCUMENT_SHARES,
    DOCUMENT_SIGNATURE,
    DOCUMENT_DIFF, /* network/diff.h */
    DOCUMENT_KINDS
};

enum {
    DOCUMENT_BODY_MAX = 16 << 20,
    DOCUMENT_SIGNERS_MAX = 32,
    DOCUMENT_ID_LEN = 32,
    DOCUMENT_SIGNATURE_LEN = 64,
    DOCUMENT_HASH_LEN = 64,
    DOCUMENT_SIGN_SEED_LEN = 32
};

struct document_signature {
    uint8_t signer[DOCUMENT_ID_LEN];
    uint8_t signature[DOCUMENT_SIGNATURE_LEN];
    bool certified;          /* by the certificate's key */
    struct certificate cert; /* if so */
};

/* A document taken apart; body points into the input. */
struct document {
    enum document_kind kind;
    const uint8_t *body;
    size_t body_len;
    size_t n_signers;
    struct document_signature sig[DOCUMENT_SIGNERS_MAX];
};

/* Whoever signs: seed is of the certificate's key, or of the identity's when
 * there is none. */
struct document_key {
    uint8_t identity[DOCUMENT_ID_LEN];
    const uint8_t *seed; /* DOCUMENT_SIGN_SEED_LEN; Ed25519 (RFC 8032) */
    const struct certificate *cert; /* NULL: none */
};

/* Return the name of kind (static): "descriptor", "consensus", .. */
const char *document_kind_name(enum document_kind kind);

/* Tell the kind of the document of len bytes by its head; 0 when it is none. */
enum document_kind document_kind_of(const uint8_t *bytes, size_t len);

/* Take len bytes apart into *d, strictly, as a document of this kind. No
 * signature is checked. Returns 0, ERR_FORMAT, ERR_VERSION, ERR_LONG, ERR_SHORT
 * or ERR_DUPLICATE. */
int document_parse(struct document *d, enum document_kind kind,
                   const uint8_t *bytes, size_t len) CHECK_RESULT;

/* Take len bytes apart as document_parse() does, then require good signatures
 * of at least `need` of the n allowed signers. Signatures of others are not
 * counted; a wrong signature of an allowed signer is an error. Returns also
 * ERR_SIGNATURE, ERR_THRESHOLD. */
int document_open(struct document *d, enum document_kind kind,
                  const uint8_t *bytes, size_t len,
                  const uint8_t (*allowed)[DOCUMENT_ID_LEN], size_t n,
                  size_t need) CHECK_RESULT;

/* Return the smallest number that is more than two thirds of n. */
static inline size_t
document_two_thirds(size_t n)
{
    return n * 2 / 3 + 1;
}

/* Count those of the n allowed signers of d whose certificates, if any, cover
 * at_s and are not revoked by *newest, the newest certificates that are known.
 */
size_t document_signers_at(const struct document *d,
                           const uint8_t (*allowed)[DOCUMENT_ID_LEN], size_t n,
                           uint64_t at_s, const struct certificates *newest);

/* Compute the hash of a body, which is what signers sign. */
void document_hash(enum document_kind kind, const uint8_t *body,
                   size_t body_len, uint8_t hash[static DOCUMENT_HASH_LEN]);

/* Sign hash with key, and fill *s. */
void document_sign_hash(struct document_signature *s,
                        const uint8_t hash[static DOCUMENT_HASH_LEN],
                        const struct document_key *key);

/* Check the signature s of hash, and its certificate, if any. Returns 0,
 * ERR_SIGNATURE or ERR_RANGE. */
int document_check(const struct document_signature *s,
                   const uint8_t hash[static DOCUMENT_HASH_LEN]) CHECK_RESULT;

/* Fill *key with an identity's own key, of this seed, which stays the caller's.
 */
void document_key_direct(struct document_key *key,
                         const uint8_t seed[static DOCUMENT_SIGN_SEED_LEN]);

/* Sign d, whose kind, body and body_len are set, with key, and put the
 * signature in its place among the others. Returns what document_add() returns.
 */
int document_sign(struct document *d,
                  const struct document_key *key) CHECK_RESULT;

/* Put the signature s in its place among those of d. Returns 0, ERR_FULL, or
 * ERR_DUPLICATE when that signer is there. */
int document_add(struct document *d,
                 const struct document_signature *s) CHECK_RESULT;

enum {
    DOCUMENT_SIG_LINE_LEN = 4 + 64 + 1 + 128 + 1,
    DOCUMENT_SIG_LINE_MAX =
        DOCUMENT_SIG_LINE_LEN + 2 * (1 + 64) + 2 * (1 + 16) + 1 + 128
};

/* Write the document d to *out, which is malloc'd and the caller's. Returns 0
 * or ERR_NOMEM. */
int document_write(const struct document *d, uint8_t **out,
                   size_t *len) CHECK_RESULT;

/* Compute the digest of d, BLAKE2b-256 of its body, which is in every packet's
 * keys. */
void document_digest(const struct document *d, uint8_t digest[static 32]);
#endif
