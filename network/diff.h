/* network/diff.h - what is new in a consensus, for those who have another one.
 *
 * A diff is a document of kind "diff" with the signatures of the consensus to
 * which the diff leads. The body is canonical JSON:
 *
 *   {"base": hex 32, "changed": [relay, ..], "consensus": {..},
 *    "gone": [number, ..], "keys": [hex, ..]}
 *
 * "base" is the digest of the old consensus, from which the diff starts. "gone"
 * are the numbers of relays of the old consensus that are in no more,
 * ascending; "keys" are the new packet keys of all other relays of the old
 * consensus, in their order. Relays whose entries differ in anything else, and
 * new relays, stand in "changed" as a whole. "consensus" is the new consensus
 * without its relays. The result is a consensus' document like any other, to be
 * judged as such: a wrong diff gives a document for which no signature is good.
 */
#ifndef NETWORK_DIFF_H
#define NETWORK_DIFF_H
#include "network/consensus.h"
#include "network/document.h"

/* Make the diff that leads from `from` to `to`, whose document has document_len
 * bytes. *out is malloc'd and the caller's. Returns 0, ERR_NOMEM, or what is
 * wrong with document. */
int diff_make(const struct consensus *from, const struct consensus *to,
              const uint8_t *document, size_t document_len, uint8_t **out,
              size_t *len) CHECK_RESULT;

/* Make the document to which diff, of len bytes, leads from `from`. *out is
 * malloc'd and the caller's; nothing is verified. Returns 0, ERR_NOMEM, what is
 * wrong with diff, or ERR_CONFLICT: diff starts from another consensus. */
int diff_apply(const struct consensus *from, const uint8_t *diff, size_t len,
               uint8_t **out, size_t *out_len) CHECK_RESULT;
#endif
