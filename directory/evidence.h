/* directory/evidence.h - proof that an authority contradicts itself.
 *
 * Two documents, one after the other, that nobody may both sign for one epoch:
 * two claims of different votes by the same author, or two signatures of
 * different consensuses. Whoever has the network file can check it. Pure. */
#ifndef DIRECTORY_EVIDENCE_H
#define DIRECTORY_EVIDENCE_H
#include "network/document.h"
#include "network/json.h"

/* Check the evidence in `bytes` and tell whom it convicts, `who`, for which
 * epoch. Returns 0; ERR_FOREIGN: the documents are of another network;
 * ERR_PEER: of no authority of this one; ERR_CONFLICT: they do not contradict
 * each other; or what is wrong with a document. */
int evidence_check(const struct network *network, const uint8_t *bytes,
                   size_t len, uint8_t who[static SPHINX_ID_LEN],
                   uint32_t *epoch) CHECK_RESULT;
#endif
