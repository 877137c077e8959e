/* network/diff.h - what is new in a consensus, for who has another one.
 *
 * A document of kind "diff" with the signatures of the consensus that it leads
 * to. Its body is canonical JSON:
 *
 *   {"base": hex 32, "changed": [relay, ..], "consensus": {..},
 *    "gone": [number, ..], "keys": [hex, ..]}
 *
 * "base" is the digest of the consensus it starts from; "gone" are numbers of
 * relays of that, ascending; "keys" the new packet keys of all its others, in
 * their order, of which those whose entries differ in anything else, and relays
 * that are new, stand in "changed" as a whole. "consensus" is the new one
 * without its relays. What comes out is a consensus' document like any other,
 * to be judged as such: a wrong diff gives one that no signature is good for.
 */
#ifndef NETWORK_DIFF_H
#define NETWORK_DIFF_H
#include "network/consensus.h"
#include "network/document.h"

/* From one to another, whose document is given. *out is malloc'd. Returns 0,
 * ERR_NOMEM, or what is wrong with the document. */
int diff_make(const struct consensus *from, const struct consensus *to,
              const uint8_t *document, size_t document_len, uint8_t **out,
              size_t *len) CHECK_RESULT;

/* The document that a diff leads to from `from`. *out is malloc'd; nothing is
 * verified. Returns also ERR_CONFLICT: it starts from another one. */
int diff_apply(const struct consensus *from, const uint8_t *diff, size_t len,
               uint8_t **out, size_t *out_len) CHECK_RESULT;
#endif
