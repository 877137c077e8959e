/* sim/engine/team.h - a relay of several workers on one node of sim/engine:
 * each has an environment of its own, all share the node's clock, links and
 * storage. */
#ifndef SIM_ENGINE_TEAM_H
#define SIM_ENGINE_TEAM_H
#include "relay/relay.h"

struct team;

/* config->workers of them (0: one) over config->env. */
int team_new(struct team **out, const struct relay_config *config) CHECK_RESULT;
void team_free(struct team **t);
/* The node's timer has fired. */
void team_tick(struct team *t);
struct relay *team_worker(struct team *t, uint32_t number);
uint32_t team_workers(const struct team *t);
void team_stats(const struct team *t, struct relay_stats *sum);

int team_set_consensus(struct team *t, const struct consensus *c,
                       const uint8_t *seed) CHECK_RESULT;
/* The consensus of this epoch is about to be freed (relay_forget()). */
void team_forget(struct team *t, uint32_t epoch);
int team_set_document(struct team *t, uint32_t epoch, const uint8_t *bytes,
                      size_t len) CHECK_RESULT;

/* A frame over the link from the relay with this number. */
void team_frame(struct team *t, uint32_t from, struct relay_peer *peer,
                const uint8_t *frame);
/* The n-th client. What goes to it is sent with `node` as the environment's
 * client number; *link is what the other two calls want. */
int team_client_open(struct team *t, uint32_t n, uint32_t node,
                     uint32_t *link) CHECK_RESULT;
void team_client_close(struct team *t, uint32_t link);
void team_client_frame(struct team *t, uint32_t link, const uint8_t *frame);
#endif
