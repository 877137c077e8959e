/* directory/document.h - signed documents: the envelope.
 *
 *   brusio-KIND/1 LENGTH\n
 *   BODY (LENGTH octets)\n
 *   sig IDENTITY SIGNATURE\n     (hex; one line a signer, sorted, none twice)
 *
 * A signature is Ed25519 over BLAKE2b-512("brusio/1 KIND\n" | body as
 * received), so that no JSON is parsed before it holds and no document passes
 * for one of another kind. The body is canonical JSON (directory/json.h). */
#ifndef DIRECTORY_DOCUMENT_H
#define DIRECTORY_DOCUMENT_H
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

enum document_kind {
    DOCUMENT_DESCRIPTOR = 1,
    DOCUMENT_VOTE,
    DOCUMENT_CONSENSUS,
    DOCUMENT_KINDS
};

enum {
    DOCUMENT_BODY_MAX = 16 << 20,
    DOCUMENT_SIGNERS_MAX = 32,
    DOCUMENT_ID_LEN = 32,
    DOCUMENT_SIGNATURE_LEN = 64,
    DOCUMENT_SIGN_SEED_LEN = 32
};

/* A document taken apart; body points into the input. */
struct document {
    enum document_kind kind;
    const uint8_t *body;
    size_t body_len;
    size_t n_signers;
    uint8_t signer[DOCUMENT_SIGNERS_MAX][DOCUMENT_ID_LEN];
    uint8_t signature[DOCUMENT_SIGNERS_MAX][DOCUMENT_SIGNATURE_LEN];
};

/* "descriptor", "vote", "consensus". */
const char *document_kind_name(enum document_kind kind);

/* Take bytes apart, strictly, as a document of this kind. No signature is
 * checked. Returns 0, ERR_FORMAT, ERR_VERSION, ERR_LONG, ERR_SHORT or
 * ERR_DUPLICATE. */
int document_parse(struct document *d, enum document_kind kind,
                   const uint8_t *bytes, size_t len) CHECK_RESULT;

/* Parse, then require good signatures of at least `need` of the n allowed
 * signers. Signatures of others are not counted; a wrong signature of an
 * allowed one is an error. Returns also ERR_SIGNATURE, ERR_THRESHOLD. */
int document_open(struct document *d, enum document_kind kind,
                  const uint8_t *bytes, size_t len,
                  const uint8_t (*allowed)[DOCUMENT_ID_LEN], size_t n,
                  size_t need) CHECK_RESULT;

/* More than two thirds of n. */
static inline size_t
document_two_thirds(size_t n)
{
    return n * 2 / 3 + 1;
}

/* One signature over a body. seed: the signer's Ed25519 seed (RFC 8032). */
void document_sign(enum document_kind kind, const uint8_t *body,
                   size_t body_len,
                   const uint8_t seed[static DOCUMENT_SIGN_SEED_LEN],
                   uint8_t signer[static DOCUMENT_ID_LEN],
                   uint8_t signature[static DOCUMENT_SIGNATURE_LEN]);

/* Put a signature in its place among d's. Returns 0, ERR_FULL, or
 * ERR_DUPLICATE when that signer is there. */
int document_add(
    struct document *d, const uint8_t signer[static DOCUMENT_ID_LEN],
    const uint8_t signature[static DOCUMENT_SIGNATURE_LEN]) CHECK_RESULT;

/* Write d out; *out is malloc'd and the caller's. */
int document_write(const struct document *d, uint8_t **out,
                   size_t *len) CHECK_RESULT;

/* BLAKE2b-256 of the body: the digest in every packet's keys. */
void document_digest(const struct document *d, uint8_t digest[static 32]);
#endif
