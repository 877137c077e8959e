/* client/incoming.h - letters to messages. */
#ifndef CLIENT_INCOMING_H
#define CLIENT_INCOMING_H
#include "client/disk/records.h"
#include "client/state.h"

/* What a letter brings: journalled, but not yet true here. */
struct incoming_step {
    bool is_whole;             /* a message is complete */
    struct received *received; /* it, when it is for the inbox */
    struct incoming *message;  /* that the letter is a fragment of, or NULL */
    bool is_first, is_added;   /* made by this letter; the fragment is new */
    struct incoming *gone; /* a message that its sender has given up, or NULL */
    bool is_owed;          /* an acknowledgement is */
};

/* Takes what l, a letter from v, carries of a message, and journals it within
 * the caller's group; of v only numbers change. Returns 0, then
 * incoming_taken() or incoming_revert() follows. Else there is nothing to take:
 * ERR_DUPLICATE (it is here); ERR_CONFLICT or ERR_RANGE (the sender's fault);
 * ERR_FULL, ERR_NOMEM or the journal's error: it has to come again. */
int incoming_take(struct client *c, struct conversation *v,
                  const struct letter *l,
                  struct incoming_step *step) CHECK_RESULT;

/* Makes it true: the message is in the inbox, or the fragment gathered. */
void incoming_taken(struct client *c, struct conversation *v,
                    const struct letter *l, struct incoming_step *step);

/* Takes it back, but for v's numbers, which are the caller's to restore. */
void incoming_revert(struct client *c, struct conversation *v,
                     const struct letter *l, struct incoming_step *step);

/* Shows what an earlier life had not shown, of all contacts in the order in which it
 * came. */
void incoming_resume(struct client *c);

/* Lets the application have what waits no more for what its sender wrote before. */
void incoming_settle(struct client *c, struct conversation *v);

/* Takes a record of an earlier life. */
int incoming_load_fragment(struct client *c, struct conversation *v,
                           const struct record_key *key, const uint8_t *value,
                           size_t len) CHECK_RESULT;

/* Gives up messages of which nothing has come for letter_days. */
void incoming_expire(struct client *c);

/* Erases the records of v's unfinished messages, within the caller's group. Returns
 * 0 or the journal's error. */
int incoming_erase(struct client *c, const struct conversation *v) CHECK_RESULT;

/* Wipes and frees what is gathered of v's messages. */
void incoming_free(struct client *c, struct conversation *v);
#endif
