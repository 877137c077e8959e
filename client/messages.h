/* client/messages.h - the messages to a contact, from being queued to being
 * forgotten. Which letters they become is outgoing's matter. */
#ifndef CLIENT_MESSAGES_H
#define CLIENT_MESSAGES_H
#include "client/disk/records.h"
#include "client/state.h"

/* Finds v's message of this number; returns NULL when there is none. */
struct message *message_find(const struct conversation *v, uint64_t order);

/* Tells whether m is delivered or expired. */
static inline bool
message_is_over(const struct message *m)
{
    return client_state_is_over((enum client_state)m->state);
}

/* Queues a message for v and journals it. id: NULL for its number and time, or,
 * of what is no text or file, a random one. *order is its number. Returns 0, ERR_USED (v is refused), ERR_LONG, ERR_FULL,
 * ERR_NOMEM, or why the disk keeps nothing; then nothing has changed. */
int message_submit(struct client *c, struct conversation *v,
                   enum letter_kind kind, const uint8_t *id,
                   const uint8_t *data, size_t len,
                   uint64_t *order) CHECK_RESULT;

/* Offers a new ratchet where letters of v's did not open, not often; sees that an offer
 * is under way as long as nobody has taken it; and tells whoever has v's invitation that a
 * second one has used it. now_us: of the monotonic clock. Returns 0 or an error: the next
 * tick tries again. */
int messages_renew(struct client *c, struct conversation *v,
                   uint64_t now_us) CHECK_RESULT;

/* Forgets m, of which there is no record any more. */
void message_forget(struct client *c, struct conversation *v,
                    const struct message *m);

/* Makes m one that is over, as its record says already. */
void message_finish(struct client *c, struct conversation *v, struct message *m,
                    enum client_state state);

/* Remembers finished messages, but not all of them: forgets the oldest, as far
 * as the journal takes it. */
void messages_prune(struct client *c, struct conversation *v);

/* Takes a record of an earlier life. */
int message_load(struct client *c, struct conversation *v,
                 const struct record_key *key, const uint8_t *value,
                 size_t len) CHECK_RESULT;

/* Erases the records of v's messages, within the caller's group. Returns 0 or the
 * journal's error. */
int messages_erase(struct client *c, const struct conversation *v) CHECK_RESULT;

/* Forgets v's messages, of which there are no records any more: none waits. */
void messages_forget(struct client *c, struct conversation *v);

/* Wipes and frees v's messages. */
void messages_free(struct conversation *v);

/* Is a message of this kind waiting or under way? */
bool messages_wait(const struct conversation *v, enum letter_kind kind);
#endif
