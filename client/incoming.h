/* client/incoming.h - letters to messages. */
#ifndef CLIENT_INCOMING_H
#define CLIENT_INCOMING_H
#include "client/state.h"

/* Takes what l, a letter from v, carries of a message, and journals it.
 * *is_ping: it completes a ping, which is to be answered. Returns 0, then the
 * caller saves the rest and calls incoming_taken(); ERR_DUPLICATE (is here);
 * ERR_CONFLICT or ERR_RANGE (the sender's fault); ERR_FULL or ERR_NOMEM: it has
 * to come again. */
int incoming_take(struct client *c, struct conversation *v,
                  const struct letter *l, bool *is_ping) CHECK_RESULT;

/* Notes that l is to be acknowledged. */
void incoming_taken(struct client *c, struct conversation *v,
                    const struct letter *l);

/* Takes a record of an earlier life. */
int incoming_load_fragment(struct client *c, struct conversation *v,
                           const uint8_t *id, uint32_t index,
                           const uint8_t *value, size_t len) CHECK_RESULT;

/* Gives up messages of which nothing has come for letter_days. */
void incoming_expire(struct client *c);

/* Wipes and frees what is gathered of v's messages. */
void incoming_free(struct client *c, struct conversation *v);
#endif
