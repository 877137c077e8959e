/* client/inbox.h - whole messages, until they are forgotten. */
#ifndef CLIENT_INBOX_H
#define CLIENT_INBOX_H
#include "client/disk/records.h"
#include "client/state.h"

enum {
    INBOX_CONTACT_MAX = 4096, /* messages of one contact */
    INBOX_HELD_MAX = 1 << 20  /* bytes kept in memory too, of all contacts */
};
#define INBOX_CONTACT_LEN_MAX (256ULL << 20) /* bytes of one contact, on disk */

/* Makes the message of v that l is the last missing letter of, len bytes of data,
 * which will be in the inbox, and journals it, within the caller's group. There is room
 * (readers_have_room()). Returns 0, ERR_NOMEM or the journal's error. */
int inbox_make(struct client *c, struct conversation *v, const struct letter *l,
               const uint8_t *data, size_t len,
               struct received **out) CHECK_RESULT;

/* Puts what inbox_make() made into the inbox, before all of its contact that has a
 * higher number. It is not shown yet: incoming_settle() decides. */
void inbox_link(struct client *c, struct received *r);

/* Tells whether a message of v's with this id is here, or is one of the last that were
 * forgotten: a life of v's that does not know of another has sent it again. */
bool inbox_has(const struct conversation *v,
               const uint8_t id[static LETTER_ID_LEN]);

/* Shows r, which was held, to readers. Returns 0, ERR_NOMEM or the journal's error: then
 * it is held still. */
int inbox_show(struct client *c, struct received *r) CHECK_RESULT;

/* Finds the message of this order, or NULL. */
struct received *inbox_find(const struct client *c, uint64_t order);

/* How many of c->by_event were shown before this event. */
size_t inbox_shown_before(const struct client *c, uint64_t event);

/* Holds a copy of a message's data, unless memory for that is used up; `must`: in any
 * case. Then wipes and frees it again. */
void inbox_data_hold(struct client *c, struct received *r, const uint8_t *data,
                     bool must);
void inbox_data_drop(struct client *c, struct received *r);

/* Takes those of v's messages that are marked as forgotten out of the inbox; wipes and
 * frees them. */
void inbox_drop_marked(struct client *c, struct conversation *v);

/* Wipes and frees what inbox_make() made, and is not in the inbox. */
void inbox_discard(struct client *c, struct received **r);

/* Takes a record of an earlier life. */
int inbox_load(struct client *c, const struct record_key *key,
               const uint8_t *value, size_t len) CHECK_RESULT;

/* Takes the record of when a message of an earlier life was shown. */
int inbox_load_shown(struct client *c, const struct record_key *key,
                     const uint8_t *value, size_t len) CHECK_RESULT;

/* Erases the records of v's messages, and of who has read them, within the caller's group. Returns 0 or the
 * journal's error. */
int inbox_erase(struct client *c, const struct conversation *v) CHECK_RESULT;

/* Wipes and frees v's messages, of which there are no records any more. */
void inbox_forget(struct client *c, struct conversation *v);

/* Wipes and frees all of it. */
void inbox_free(struct client *c);
#endif
