/* sim/engine/team.h - a relay of several workers on one node of sim/engine:
 * each has an environment of its own, all share the node's clock, links and
 * storage. */
#ifndef SIM_ENGINE_TEAM_H
#define SIM_ENGINE_TEAM_H
#include "relay/relay.h"

struct team;

/* Make a team of config->workers workers (0: one) over config->env. Returns 0
 * or what relay_new() does. */
int team_new(struct team **out, const struct relay_config *config) CHECK_RESULT;
/* Free *t and its workers. */
void team_free(struct team **t);
/* Do what is due: the node's timer has fired. */
void team_tick(struct team *t);
/* Return the worker of this number, from 0. */
struct relay *team_worker(struct team *t, uint32_t number);
/* Add up the counts of all workers of t. */
void team_stats(const struct team *t, struct relay_stats *sum);

/* Have all workers of t take up the consensus c, with the relay's key of this
 * seed. Returns what relay_set_consensus() does. */
int team_set_consensus(struct team *t, const struct consensus *c,
                       const uint8_t *seed) CHECK_RESULT;
/* Forget the consensus of this epoch, which is about to be freed
 * (relay_forget()). */
void team_forget(struct team *t, uint32_t epoch);
/* Give all workers of t the document of this epoch, len bytes. Returns what
 * relay_set_document() does. */
int team_set_document(struct team *t, uint32_t epoch, const uint8_t *bytes,
                      size_t len) CHECK_RESULT;

/* Take a frame over the link from the relay with the number `from`, which is
 * `peer`. */
void team_frame(struct team *t, uint32_t from, struct relay_peer *peer,
                const uint8_t *frame);
/* Take the n-th client. What goes to it is sent with `node` as the
 * environment's client number; *link is what the other two calls want. */
int team_client_open(struct team *t, uint32_t n, uint32_t node,
                     uint32_t *link) CHECK_RESULT;
/* Let the client of this link go. */
void team_client_close(struct team *t, uint32_t link);
/* Take a frame of the client of this link. */
void team_client_frame(struct team *t, uint32_t link, const uint8_t *frame);
#endif
