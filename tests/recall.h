/* tests/recall.h - what letters said when they were sealed: their keys are gone with
 * that, also for a test that sees all there is. The last RECALL_MAX are known. */
#ifndef TESTS_RECALL_H
#define TESTS_RECALL_H
#include "client/letters/letter.h"

enum { RECALL_MAX = 4096 };

/* Recall a letter by its bytes; without its data. It must be known. */
struct letter recall_letter(const uint8_t *bytes);

/* Count the pairs of letters, of those that are known, in which one key sealed two
 * contents under one nonce. */
size_t recall_clashes(void);
#endif
