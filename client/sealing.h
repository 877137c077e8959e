/* client/sealing.h - the letters of a conversation, sealed and opened by its session
 * (client/letters/session.h), and the keys of letters that are late. */
#ifndef CLIENT_SEALING_H
#define CLIENT_SEALING_H
#include "client/letters/session.h"
#include "client/disk/records.h"
#include "client/state.h"

/* Writes the key of v's letters of a period in this direction: a day's of its chain. */
void sealing_key(const struct client *c, const struct conversation *v,
                 enum chain_way way, uint32_t period,
                 uint8_t key[static LETTER_CHAIN_LEN]);

/* Seal letter for a place of v's: v's session steps, which the caller's group is to
 * save, and is to be taken back by sealing_back() when that fails. Returns what
 * session_seal() does. */
int sealing_seal(struct client *c, struct conversation *v,
                 const struct letter *letter, struct letter_place at,
                 uint8_t *out) CHECK_RESULT;

/* Copy v's session before it steps, and put that copy back; wipe it when it is not
 * needed. */
struct session sealing_copy(const struct conversation *v);
void sealing_back(struct conversation *v, struct session *copy);

/* Tell of which generation's ratchet a letter of v's own is. */
uint32_t sealing_generation(struct client *c, const struct conversation *v,
                            const struct out_letter *l);

/* Was l sealed with a ratchet that has been left, so that its reader may not open it? */
bool sealing_is_left(const struct conversation *v, const struct out_letter *l);

/* Open a letter of v's, in place. What it leads to is in step, whose secrets the caller
 * wipes; v stays as it is, but has room for what sealing_take() keeps. Returns what
 * session_open() does, ERR_NOMEM, or the journal's error. */
int sealing_open(struct client *c, struct conversation *v,
                 struct letter_place at, uint8_t *bytes,
                 struct session_step *step) CHECK_RESULT;

/* Journal what a letter leads to, in the caller's group, but for conversation_save();
 * v's session is the next one. again: the letter will come again, and its key is kept
 * for that. Returns 0, ERR_NOMEM or the journal's error: then v has changed, and the
 * caller puts *v and its session back. Else sealing_taken() follows, after the group. */
int sealing_take(struct client *c, struct conversation *v,
                 const struct session_step *step, bool again) CHECK_RESULT;
void sealing_taken(struct client *c, struct conversation *v,
                   const struct session_step *step, bool again);

/* Wipe keys that were used a while ago. now_us: of the monotonic clock. */
void sealing_age(struct conversation *v, uint64_t now_us);

/* Forget what letters before this day need, in the caller's group: v's session at once,
 * which the caller puts back when that fails; else sealing_forgotten() follows, after the
 * group. Returns 0 or the journal's error. */
int sealing_forget(struct client *c, struct conversation *v,
                   uint32_t day) CHECK_RESULT;
void sealing_forgotten(struct conversation *v, uint32_t day);

/* Take a record of an earlier life. */
int sealing_load(struct conversation *v, const struct record_key *key,
                 const uint8_t *value, size_t len) CHECK_RESULT;

/* Erase the records of v's kept keys, within the caller's group; wipe the keys. */
int sealing_erase(struct client *c, const struct conversation *v) CHECK_RESULT;
void sealing_empty(struct conversation *v);
#endif
