/* client/conversations.h - the list of contacts, and each one's record.
 *
 * A conversation's states: invited (made here, nothing came yet), added (taken
 * up here, nothing came yet), confirmed (a letter came), refused (the store
 * says that somebody else took the invitation's place); and from each of them
 * removed, then forgotten.
 *
 * One that is removed has no name, no messages and no key to write with. It stays
 * in the list, and its boxes are asked for as if nothing had happened: were they
 * not, whoever sees stores would see that it is gone, and what else is asked for
 * more often from that moment on. What lies there is read and thrown away, and not
 * acknowledged. When invitations and letters of before its removal are over, it is
 * forgotten, as a period begins: then all boxes are new ones. */
#ifndef CLIENT_CONVERSATIONS_H
#define CLIENT_CONVERSATIONS_H
#include "client/letters/invite.h"
#include "client/state.h"

/* Finds a contact by its name; returns NULL when there is none. None that is
 * removed has a name, and no self. By its id they are found, too. */
struct conversation *conversation_find(const struct client *c,
                                       const char *name);
struct conversation *conversation_by_id(const struct client *c, uint32_t id);

/* Makes a contact from an invitation, at the end of the list. inviter: is the
 * invitation ours? own_secret: of the key in it when it is, else a fresh one. born: the first period that its letters can lie in. Journals
 * nothing. Its id is one that no contact had before. Returns 0,
 * ERR_ARG (the name), ERR_EXISTS, ERR_FULL, ERR_NOMEM; ERR_POINT: the key in the invitation. */
int conversation_make(struct client *c, const char *name,
                      const struct invite *invite,
                      const uint8_t own_secret[static RATCHET_KEY_LEN],
                      bool inviter, uint32_t born,
                      struct conversation **out) CHECK_RESULT;

/* Wipes and frees a contact that is in no list and has no messages or letters
 * any more. */
void conversation_free(struct conversation **v);

/* Takes a contact or self out of the list, and frees it like
 * conversation_free(). */
void conversation_unlink(struct client *c, struct conversation **v);

/* Makes v one that is removed, and journals that as the last thing of the
 * caller's group, in which nothing of v is left; then its lists are to be
 * emptied. Returns 0, or what conversation_save() does: then nothing has
 * changed. */
int conversation_remove(struct client *c, struct conversation *v) CHECK_RESULT;

/* Forgets those that have been removed for long enough; when a period begins. */
void conversations_expire(struct client *c);

/* Tells whether a contact may have this name: 1 to 32 bytes without blanks and
 * control characters. */
bool conversation_name_is_good(const char *name);

/* Writes the id of the box of a place of v's in this direction; and the seed of its
 * key pair, which is secret. */
void conversation_box(const struct client *c, const struct conversation *v,
                      enum chain_way way, struct letter_place at,
                      uint8_t box[static LETTER_BOX_LEN]);
void conversation_box_seed(const struct client *c, const struct conversation *v,
                           enum chain_way way, struct letter_place at,
                           uint8_t seed[static LETTER_BOX_LEN]);

/* Forgets the keys of days of which no letter is read or put any more, once stores have
 * said what time it is; of one contact at a time: whoever has many is no longer about
 * it in one tick. */
void conversations_step(struct client *c);

/* Journals its record, within the caller's group. Returns 0 or what
 * record_contact_save() does. */
int conversation_save(struct client *c,
                      const struct conversation *v) CHECK_RESULT;

/* Makes the conversation of a front with this client itself: one chain, written
 * and read, of which nobody else knows. It stands in the list behind all contacts.
 * Journals nothing. Returns 0 or ERR_NOMEM. */
int conversation_self_make(struct client *c, unsigned front, uint32_t born,
                           struct conversation **out) CHECK_RESULT;

/* Takes a record of an earlier life, of a contact or of a self. */
int conversation_load(struct client *c, uint32_t id, bool self,
                      const uint8_t *value, size_t len) CHECK_RESULT;
#endif
