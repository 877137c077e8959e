/* tests/team.h - a relay of several workers on one node of sim/engine: each has
 * an environment of its own, all share the node's clock, links and storage. */
#ifndef TESTS_TEAM_H
#define TESTS_TEAM_H
#include "relay/relay.h"

struct team;

/* config->workers of them (0: one) over config->env. */
struct team *team_new(const struct relay_config *config);
void team_free(struct team **t);
/* The node's timer has fired. */
void team_tick(struct team *t);
struct relay *team_worker(struct team *t, uint32_t number);
void team_stats(const struct team *t, struct relay_stats *sum);

void team_set_consensus(struct team *t, const struct consensus *c,
                        const uint8_t *seed);
void team_set_document(struct team *t, uint32_t epoch, const uint8_t *bytes,
                       size_t len);

/* A frame over the link from the relay with this number. */
void team_frame(struct team *t, uint32_t from, struct relay_peer *peer,
                const uint8_t *frame);
/* The n-th client; its link is what the environment sends to. */
void team_client_open(struct team *t, uint32_t n, uint32_t *link);
void team_client_close(struct team *t, uint32_t link);
void team_client_frame(struct team *t, uint32_t link, const uint8_t *frame);
#endif
