/* client/outgoing.h - messages to letters, letters to boxes, until they are
 * acknowledged. */
#ifndef CLIENT_OUTGOING_H
#define CLIENT_OUTGOING_H
#include "client/state.h"

/* Queues a message for v, and journals it. id: NULL for a random one. *order is
 * its number. Returns 0, ERR_USED (v is refused), ERR_LONG, ERR_FULL,
 * ERR_NOMEM. */
int outgoing_submit(struct client *c, struct conversation *v,
                    enum letter_kind kind, const uint8_t *id,
                    const uint8_t *data, size_t len,
                    uint64_t *order) CHECK_RESULT;

/* Keeps STAGED_MAX letters ready, contacts taking turns. */
void outgoing_stage(struct client *c);

/* Chooses the letter that is due longest, of contact *of, or returns NULL.
 * spare: for the fallback store, so only one that was put already. */
struct out_letter *outgoing_pick(struct client *c, bool spare,
                                 struct conversation **of);

/* Notes that l was put; it is due again at due_us. */
void outgoing_asked(struct client *c, struct out_letter *l, uint64_t due_us);

/* Takes a store's answer (WIRE_KEPT, ..) to the put of v's letter at a place. */
void outgoing_answer(struct client *c, struct conversation *v,
                     struct letter_place at, uint8_t status);

/* Drops what l, a letter from v, acknowledges. */
void outgoing_acknowledged(struct client *c, struct conversation *v,
                           const struct letter *l);

/* Gives up messages that no store keeps any more. */
void outgoing_expire(struct client *c);

/* Take records of an earlier life; outgoing_loaded() when v has all of its own,
 * which finds out how far each message had come. */
int outgoing_load_letter(struct client *c, struct conversation *v,
                         struct letter_place at, const uint8_t *value,
                         size_t len) CHECK_RESULT;
int outgoing_load_message(struct client *c, struct conversation *v,
                          uint64_t order, const uint8_t *value,
                          size_t len) CHECK_RESULT;
void outgoing_loaded(struct client *c, struct conversation *v);

/* Wipes and frees v's messages and letters. */
void outgoing_free(struct conversation *v);
#endif
