/* relay/daemon/fault.h - test builds lose and delay what they send on request
 * (the options fault_drop_permille and fault_delay_ms), as a bad network would.
 * Only between relays: clients' links are left alone, so that a loss shows as
 * the network's. Not there in other builds. */
#ifndef RELAY_DAEMON_FAULT_H
#define RELAY_DAEMON_FAULT_H
#include "relay/daemon/worker.h"

struct fault;
typedef int (*fault_send_fn)(struct worker *w, struct env_dest to,
                             const uint8_t *frame);

/* Make the faults of worker w's frames; send() sends what was delayed. Returns
 * 0 or ERR_NOMEM. */
int fault_new(struct fault **out, struct worker *w,
              fault_send_fn send) CHECK_RESULT;
void fault_free(struct fault **f);
/* Decide whether this frame to `to` is lost or delayed. If so, the frame is not
 * to be sent, and *err is what the sender is told. */
bool fault_takes(struct fault *f, struct env_dest to, const uint8_t *frame,
                 int *err) CHECK_RESULT;
#endif
