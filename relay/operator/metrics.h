/* relay/operator/metrics.h - a relay's state as text for Prometheus.
 *
 * The text is written from a struct status, whose counts are coarse; whoever
 * serves the text takes a new one once a minute and no oftener (I8). No state,
 * no clock. */
#ifndef RELAY_OPERATOR_METRICS_H
#define RELAY_OPERATOR_METRICS_H
#include "relay/operator/status.h"

/* Write s in the text format 0.0.4; *out is malloc'd. Returns 0 or
 * ERR_NOMEM. */
int metrics_write(const struct status *s, char **out, size_t *len) CHECK_RESULT;

/* Every metric that the text can hold, then NULL. */
extern const char *const metrics_names[];
#endif
