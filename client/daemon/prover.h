/* client/daemon/prover.h - the thread that makes proofs of work
 * (network/work.h), so that no tick waits for one (I2).
 *
 * It has the lowest priority that the system gives, and sleeps while there is
 * nothing to make. */
#ifndef CLIENT_DAEMON_PROVER_H
#define CLIENT_DAEMON_PROVER_H
#include "lib/error.h"
#include "network/work.h"

struct prover;

int prover_new(struct prover **out) CHECK_RESULT;
/* Ends the thread within some milliseconds, whatever it searches for. */
void prover_free(struct prover **p);

/* What a client is to be given. */
struct work_maker *prover_maker(struct prover *p);
#endif
