/* client/inbox.h - whole messages that the application has not released yet. */
#ifndef CLIENT_INBOX_H
#define CLIENT_INBOX_H
#include "client/state.h"

enum {
    INBOX_CONTACT_MAX = 4096, /* messages of one contact */
    INBOX_HELD_MAX = 1 << 20  /* bytes kept in memory too, of all contacts */
};
#define INBOX_CONTACT_LEN_MAX (256ULL << 20) /* bytes of one contact, on disk */

/* Is there room for a message of len bytes more from v? Other contacts' messages
 * have no part in it. */
bool inbox_has_room(const struct conversation *v, size_t len);

/* Puts a message from v into the inbox and journals it, within the caller's
 * group. Returns 0, ERR_FULL or ERR_NOMEM. */
int inbox_put(struct client *c, struct conversation *v, uint8_t kind,
              const uint8_t *data, size_t len) CHECK_RESULT;

/* Takes a record of an earlier life. */
int inbox_load(struct client *c, uint64_t order, const uint8_t *value,
               size_t len) CHECK_RESULT;

/* Wipes and frees all of it. */
void inbox_free(struct client *c);
#endif
