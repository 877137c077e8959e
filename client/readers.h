/* client/readers.h - who has read what of the inbox, and what is forgotten then. */
#ifndef CLIENT_READERS_H
#define CLIENT_READERS_H
#include "client/disk/records.h"
#include "client/state.h"

/* Is there room for a message of len bytes more from v, or would be if what all readers
 * have had gave way? Other contacts' messages have no part in it. */
bool readers_have_room(const struct client *c, const struct conversation *v,
                       size_t len);

/* Forgets the oldest messages of v that all readers have had, as long as there are more
 * than there is room for. */
void readers_trim(struct client *c, struct conversation *v);

/* Forgets some of what was read by all for longer than is to be kept: of a few contacts,
 * which take turns. */
void readers_expire(struct client *c);

/* Take records of an earlier life: what is kept, a reader, what one has had. */
int readers_load_settings(struct client *c, const uint8_t *value,
                          size_t len) CHECK_RESULT;
int readers_load(struct client *c, const struct record_key *key,
                 const uint8_t *value, size_t len) CHECK_RESULT;
int readers_load_seen(struct client *c, const struct record_key *key,
                      const uint8_t *value, size_t len) CHECK_RESULT;

/* How many messages this reader has not had; 0 is the client's own. */
size_t readers_waiting(const struct client *c, size_t reader);

/* A read that is under way is for nobody any more. */
void readers_free(struct client *c);
#endif
