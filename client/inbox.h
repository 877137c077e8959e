/* client/inbox.h - whole messages that the application has not released yet. */
#ifndef CLIENT_INBOX_H
#define CLIENT_INBOX_H
#include "client/records.h"
#include "client/state.h"

enum {
    INBOX_CONTACT_MAX = 4096, /* messages of one contact */
    INBOX_HELD_MAX = 1 << 20  /* bytes kept in memory too, of all contacts */
};
#define INBOX_CONTACT_LEN_MAX (256ULL << 20) /* bytes of one contact, on disk */

/* Is there room for a message of len bytes more from v? Other contacts'
 * messages have no part in it. */
bool inbox_has_room(const struct conversation *v, size_t len);

/* Makes the message of v that l is the last missing letter of, len bytes of data,
 * which will be in the inbox, and journals it, within the caller's group. Returns 0,
 * ERR_FULL, ERR_NOMEM or the journal's error. */
int inbox_make(struct client *c, struct conversation *v, const struct letter *l,
               const uint8_t *data, size_t len,
               struct received **out) CHECK_RESULT;

/* Puts what inbox_make() made into the inbox, before all of its contact that has a
 * higher number. The application does not have it yet, when it is to be shown after
 * another: then incoming_settle() decides. */
void inbox_link(struct client *c, struct received *r);

/* Tells whether a message of v's with this id waits here, or is one of the last that
 * the application has had: a life of v's that does not know of another has sent it
 * again. */
bool inbox_has(const struct client *c, const struct conversation *v,
               const uint8_t id[static LETTER_ID_LEN]);

/* Lets the application have r, which was held. */
void inbox_show(struct client *c, struct received *r);

/* Wipes and frees what inbox_make() made, and is not in the inbox. */
void inbox_discard(struct client *c, struct received **r);

/* Takes a record of an earlier life. */
int inbox_load(struct client *c, const struct record_key *key,
               const uint8_t *value, size_t len) CHECK_RESULT;

/* Erases the records of v's messages, within the caller's group. Returns 0 or the
 * journal's error. */
int inbox_erase(struct client *c, const struct conversation *v) CHECK_RESULT;

/* Wipes and frees v's messages, of which there are no records any more. */
void inbox_forget(struct client *c, const struct conversation *v);

/* Wipes and frees all of it. */
void inbox_free(struct client *c);
#endif
