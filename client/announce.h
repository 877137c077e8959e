/* client/announce.h - telling boards that a letter is there.
 *
 * A letter that its reader may not look for soon has a token, used once
 * (client/letters/letter.h). The token goes to one of the consensus's boards, beside the
 * letter: on a tick of sending or of a loop before it, when that letter is the next
 * and all is there by then, else after it, by turns with letters; to everybody on the
 * way it is a loop. What answers a contact goes before its announcement.
 * A board lists what came, for all; the writer sees by a list whether his token was
 * taken, and when it is in none six intervals after the answer, he announces by
 * another token at another board, ANNOUNCE_TRIES times in all. That one has more
 * work: a board may be full of tokens that were made beforehand, and lists first what
 * is worth most. What one announcement met changes nothing for others, or a board
 * could mark its client (I12).
 *
 * A letter that a store has late, or once more, since it was not read where it was
 * before, is announced when that store has it: whom its token sent found nothing. One
 * token is for all such letters of a contact that are of one period.
 *
 * A token says of which period's box it is, so it is always one of its letter's period.
 * Those of two periods are counted: over a period's end a letter is announced as within.
 *
 * The board is one of those whose lists enough stores name (shown_has_voice()), if there
 * is one: of others nobody hears. What the gateway shows has no say in it.
 *
 * Of the tokens of one direction ANNOUNCE_AHEAD are out at most while their
 * letters are not acknowledged: with what is announced again a reader awaits no
 * more. A client also announces to itself, twice an hour on average, so that a board
 * cannot tell by the number of tokens how much is written, and a client learns when
 * lists are kept from it.
 *
 * An announcement's states:
 *
 *   held -> waiting -> sent -> gone (listed, given up, or its letter is gone)
 *    |        ^         | ^
 *    |        +- bare <-+ |  bare: it needs another token
 *    +--------------------+
 *
 * held: its letter has not left; it may go when that could (announce_ahead()).
 * waiting: its letter has left, or waits for it no longer; for a board, a proof of
 * work (made ahead, client/proofs.h), a tick. A restart makes all whose letters no
 * store has confirmed bare ones. Number k of a token is on the disk before its use, so
 * that none is used twice.
 *
 * Failure modes: no room in the table or no token left in this period (the letter
 * says that it is not announced); a full disk (what is bare waits); no board that
 * is not of the gateway's family (it waits). */
#ifndef CLIENT_ANNOUNCE_H
#define CLIENT_ANNOUNCE_H
#include "client/state.h"
#include "network/list.h"

enum {
    ANNOUNCE_MAX = 64,    /* under way, of all contacts */
    ANNOUNCE_AHEAD = 8,   /* of one direction, not acknowledged */
    ANNOUNCE_TRIES = 3,   /* tokens for one letter */
    ANNOUNCE_DEARER = 7,  /* bits of work that each after the first has more */
    ANNOUNCE_LATE = 6,    /* intervals after the answer: it was not listed */
    ANNOUNCE_REPEATS = 6, /* of a letter's repeats so many are announced */
    ANNOUNCE_LOOPS = 8    /* one loop of so many goes to a board, for nothing */
};
#define ANNOUNCE_STALE_US 30000000ULL /* since its token or it left: too late */
#define ANNOUNCE_AGAIN_US 60000000ULL /* between two for repeats, of a pair */
#define ANNOUNCE_SELF_US  1800000000ULL /* mean time between two to oneself */

struct announce;

/* Makes one without announcements. Returns 0 or ERR_NOMEM. */
int announce_new(struct announce **out) CHECK_RESULT;
void announce_free(struct announce **a);

/* ---- what letters say ---- */

/* Tells how many tokens of a period v's letters have used. */
uint16_t announce_used(const struct conversation *v, uint32_t period);

/* Decides whether a letter of v's that is sealed now for this period is to be
 * announced, and takes its token: of v only numbers change. */
bool announce_take(const struct client *c, struct conversation *v,
                   uint32_t period);

/* Begins the announcement of a letter, once the token that was taken last is
 * journalled. Returns its number. */
uint32_t announce_letter(struct client *c, const struct conversation *v,
                         uint32_t period);

/* ---- its life ---- */

/* Begins the announcement of a letter of an earlier life: by another token.
 * Returns its number; 0: there is no room. */
uint32_t announce_again(struct client *c, const struct conversation *v,
                        uint32_t period);

/* Notes that a store has v's letter l: whom it is for is told when that is later than
 * he would look, or a repeat. */
void announce_kept(const struct client *c, struct conversation *v,
                   const struct out_letter *l);

/* Notes that the letter with this announcement has left. 0: none. */
void announce_left(struct client *c, uint32_t number);

/* The letter with this announcement is gone: nobody need be told. 0: none. */
void announce_forget(const struct client *c, uint32_t number);

/* Gives tokens to what needs another one. Returns 0 or the journal's error: then
 * the rest waits. */
int announce_renew(struct client *c) CHECK_RESULT;

/* Is it time to announce something to oneself? Draws the next time. */
bool announce_self_due(struct client *c);

/* Begins an announcement to this client itself, of a letter that has not left yet, to
 * v (NULL: to none): when it is listed, v is looked at as a contact would be. Returns
 * its number; 0: there is no room. */
uint32_t announce_self(struct client *c, const struct conversation *v);

/* Notes an entry of a list that may be acted on: was it one of this client's? */
bool announce_listed(struct client *c,
                     const uint8_t entry[static LIST_ENTRY_LEN]);

/* ---- packets ---- */

/* Chooses boards by the newest consensus in force, and has proofs made. */
void announce_prepare(struct client *c, const struct consensus *newest);

/* An announcement that could leave now, in a packet of this consensus. */
struct announce_choice {
    uint32_t number; /* 0: there is none */
    uint16_t board;  /* number of a relay */
    uint8_t token[WIRE_TOKEN_LEN], nonce[WIRE_NONCE_LEN];
};

/* Chooses one that can leave from this gateway. */
void announce_pick(struct client *c, const struct consensus *view,
                   uint16_t gateway, struct announce_choice *out);

/* The same for the one of this number, whose letter could leave now. 0: none. Returns
 * whether it can, when its letter is to wait for it. */
bool announce_ahead(struct client *c, const struct consensus *view,
                    uint16_t gateway, uint32_t number,
                    struct announce_choice *out);

/* Notes that no packet to its board can be made: it takes another one, and its letter
 * waits for it no longer. */
void announce_failed(struct client *c, uint32_t number);

/* Notes that it has left, and when its answer is expected. */
void announce_sent(struct client *c, uint32_t number, uint64_t answer_us);

/* Counts what is under way, for tests. */
size_t announce_count(const struct client *c);

/* Are as many letters of v's announced, and not acknowledged, as may be? */
bool announce_is_full(const struct conversation *v);
#endif
