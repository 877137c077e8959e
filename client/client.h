/* client/client.h - a client as a pure object.
 *
 *   application -> messages -> letters -> journal -> puts -+
 *                                                          +-> one clock ->
 * gateway application <- messages <- letters <------- gets ------+
 *
 * It has contacts, keeps messages until they are acknowledged, and sends and
 * polls on its one clock (client/pace/traffic.h). Nothing an application calls sends
 * a packet: it changes only what the next ticks of that clock carry. Records
 * go to durable storage through the environment's store (ENV_STORE_APPEND) and
 * come back through client_load() at the next start. */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/letters/invite.h"
#include "client/letters/letter.h"
#include "client/letters/session.h"
#include "lib/env.h"
#include "network/consensus.h"
#include "network/work.h"

enum {
    CLIENT_CONTACTS_MAX = 1024,
    CLIENT_NAME_MAX = 33,        /* of a contact, with the final 0 */
    CLIENT_READERS_MAX = 8,      /* with the client's own */
    CLIENT_QUEUE_MAX = 64 << 20, /* bytes of messages not yet delivered */
    CLIENT_MESSAGES_MAX = 4096,  /* outgoing, of one contact */
    CLIENT_AUTHORITIES_MAX = AUTHORITIES_MAX,
    CLIENT_GATEWAYS_MAX = 16,
    CLIENT_STUCK_US = 60000000
};
#define CLIENT_KEEP_ALWAYS UINT32_MAX

struct client;

struct client_config {
    struct env *env;
    char profile[PROFILE_NAME_MAX];
    char network[NETWORK_NAME_MAX];
    struct sphinx_geometry geometry; /* of its packets; hops 0: any */
    struct work_maker *maker;        /* of proofs; NULL: the client itself */
    const struct mlkem *mlkem; /* for the letters of contacts; NULL: none */
    size_t n_authorities, n_gateways;
    uint8_t authorities[CLIENT_AUTHORITIES_MAX][SPHINX_ID_LEN];
    uint8_t gateways[CLIENT_GATEWAYS_MAX][SPHINX_ID_LEN]; /* to start with */
};

int client_new(struct client **out,
               const struct client_config *config) CHECK_RESULT;
/* Wipes everything. */
void client_free(struct client **c);

/* Give back a record of an earlier life; all of them before client_start().
 * Returns 0, or what is wrong with it (ERR_FORMAT, ERR_VERSION, ..). */
int client_load(struct client *c, const uint8_t *key, size_t key_len,
                const uint8_t *value, size_t value_len) CHECK_RESULT;
int client_start(struct client *c) CHECK_RESULT;

/* A signed consensus, from a file or a gateway. Returns 0, ERR_STALE, or what
 * is wrong with it. */
int client_set_document(struct client *c, const uint8_t *bytes,
                        size_t len) CHECK_RESULT;

/* Where to connect: the identity of the gateway in use, one of a few that are
 * kept for months (client/heard/gateways.h), or NULL. A new consensus may change it:
 * then leave the old one's link. */
const uint8_t *client_gateway(const struct client *c);
/* The newest consensus, or NULL. */
const struct consensus *client_consensus(const struct client *c);

/* Why a link is to be closed, and a new one made to client_gateway(). All of it
 * depends on the network alone, never on use. */
enum client_leave {
    CLIENT_STAY = 0,
    CLIENT_STUCK, /* connected for CLIENT_STUCK_US without a single answer, or
                      without a first consensus */
    CLIENT_BEHIND, /* enough stores know a newer consensus (client/heard/witness.h),
                      which everybody uses by now, and it has not come */
    CLIENT_WITHHELD, /* enough stores name lists of boards that it does not
                        show (client/heard/shown.h) */
    CLIENT_LOSSY,    /* it gave fewer than half of the answers to loops for too
                        long (client/heard/giving.h) */
    CLIENT_BROKEN,   /* not even cover could be made for this link */
    CLIENT_MOVED     /* a new consensus has changed the gateway */
};
enum client_leave client_leave(const struct client *c);

/* The link to client_gateway() is there; it is gone; it could not be made.
 * Either of the last two may change client_gateway(): a link that brought no
 * answer makes the client go to the next gateway of its set. */
void client_link_up(struct client *c);
void client_link_down(struct client *c);
void client_link_failed(struct client *c);
/* n frames of packet_len bytes from the gateway; changed in place. */
void client_frames(struct client *c, uint8_t *frames, size_t n, size_t len);
/* How many frames may be under way to the gateway, since none is ever made up
 * for: what the link is to be set to (lib/os/link.h). 0 before the first
 * consensus, which tells the rates. */
uint32_t client_ahead(const struct client *c);
/* The timer has fired. */
void client_tick(struct client *c);

/* ---- storage ----
 *
 * When it fails (status.storage_err), what the client has gathered for it waits in
 * memory, and nothing more is begun: no letter is written or taken in, calls that
 * change something are refused with that error. What is on disk already goes out
 * as before. Messages, invitations and contacts that were asked for just before and
 * are not on disk are taken back; other changes are made when there is room. It is
 * tried again now and then, and then all goes on. */

/* Try it again, if it has failed and it is time for that: sooner when an application
 * has asked for something. All that an application calls does so by itself, and
 * client_tick(), but not before the first consensus. */
void client_store_again(struct client *c, bool asked);

/* A mark behind all that has been asked for so far. Is all before it on disk?
 * Returns 0; ERR_AGAIN: not yet; or status.storage_err. */
uint64_t client_mark(const struct client *c);
int client_kept(const struct client *c, uint64_t mark) CHECK_RESULT;
/* fn is called from the loop when client_kept() may say something else than
 * before; NULL: nobody is. */
void client_on_kept(struct client *c, void (*fn)(void *ctx), void *ctx);

/* ---- contacts ---- */

/* Make a contact and the line that its other side adds. Returns 0, ERR_EXISTS
 * (the name), ERR_FULL, ERR_ARG (not a name: 1..32 printable bytes without
 * blanks). */
int client_invite(struct client *c, const char *name,
                  char text[static INVITE_TEXT_LEN]) CHECK_RESULT;
/* Write the line of an invitation again that nobody has used, and when it is over, in
 * seconds since 1970. Returns 0, ERR_NOT_FOUND, ERR_USED (it was, or this contact has
 * invited us), ERR_EXPIRED, or ERR_AGAIN: there is no consensus yet. */
int client_invitation(const struct client *c, const char *name,
                      char text[static INVITE_TEXT_LEN],
                      uint64_t *expires_s) CHECK_RESULT;
/* Take an invitation up. Returns also ERR_EXPIRED, ERR_FUTURE (it is over in more than
 * INVITE_DAYS), ERR_FOREIGN (of another
 * network), ERR_USED (by this client before), or what invite_read() says. */
int client_add(struct client *c, const char *name,
               const char *text) CHECK_RESULT;

struct client_contact {
    uint32_t id; /* stays its own for ever, also when it is renamed or gone */
    char name[CLIENT_NAME_MAX];
    bool confirmed; /* the other side has written */
    bool invited;   /* its invitation is ours and not used yet */
    bool muted;     /* what it writes is not shown */
    bool pings;     /* its pings are answered */
    bool shared;    /* somebody else has used its invitation, too */
    bool verified;  /* client_verify() */
    bool refused;   /* the invitation was used by somebody else */
    enum session_quantum quantum;
    uint32_t waiting;   /* messages not yet delivered */
    uint64_t expires_s; /* of one that is invited, since 1970; 0: of an earlier
                           version */
};
/* The i-th contact; returns false beyond the last. */
bool client_contact(const struct client *c, size_t i,
                    struct client_contact *out);
/* The safety number of a contact, 12 groups of 5 digits, which both sides have alike
 * unless somebody stands between them; and whether the user has compared it. It never
 * changes. Returns ERR_NOT_FOUND; ERR_AGAIN: the other side has not been heard yet. */
enum { CLIENT_SAFETY_LEN = 12 * 6 }; /* with the final 0 */
int client_safety(const struct client *c, const char *name,
                  char text[static CLIENT_SAFETY_LEN],
                  bool *verified) CHECK_RESULT;

/* Note that the user has compared it, or has not. The same errors; on disk as a whole or
 * not done. */
int client_verify(struct client *c, const char *name,
                  bool verified) CHECK_RESULT;

/* The name of the contact with this id, or NULL. It stays until that contact is
 * renamed or removed. */
const char *client_contact_name(const struct client *c, uint32_t id);
/* The id of the contact with this name, or 0. */
uint32_t client_contact_id(const struct client *c, const char *name);

/* Each is on disk as a whole or, when it fails, not done: then it returns
 * ERR_NOT_FOUND (no such contact), ERR_NOMEM or status.storage_err. None of
 * them changes what the client sends, but for acknowledgements and answers of
 * its own: whoever sees stores sees nothing of them. */

/* Give a contact another name; what is under way stays. Returns also ERR_ARG
 * (not a name) and ERR_EXISTS. */
int client_rename(struct client *c, const char *name,
                  const char *new_name) CHECK_RESULT;
/* Mute a contact or not. What a muted one writes is taken in and acknowledged
 * as ever, so that it cannot tell, and thrown away; what came before is handed
 * out when asked for by its name alone. */
int client_mute(struct client *c, const char *name, bool muted) CHECK_RESULT;
/* May this contact ping? A new one may not: its pings are not answered, and
 * acknowledged only with whatever else is. */
int client_pings(struct client *c, const char *name, bool allowed) CHECK_RESULT;
/* Remove a contact: its name is free, what was written to it and not delivered
 * is given up, what came of it and was not released is gone. What it writes is
 * not acknowledged any more. */
int client_remove(struct client *c, const char *name) CHECK_RESULT;
/* Withdraw an invitation that nobody has used: the same. Who takes it up later
 * is not answered. Returns also ERR_USED. */
int client_withdraw(struct client *c, const char *name) CHECK_RESULT;

/* ---- messages ---- */

enum client_state {
    CLIENT_QUEUED = 1, /* kept here */
    CLIENT_SENT,       /* kept by stores */
    CLIENT_DELIVERED,  /* acknowledged by the other side, which has kept it */
    CLIENT_EXPIRED     /* given up */
};
const char *client_state_name(enum client_state s);

/* Queue a message of kind (LETTER_TEXT, LETTER_FILE, LETTER_PING); a ping has no
 * bytes. *order is its number with this contact. Returns ERR_NOT_FOUND (contact),
 * ERR_LONG, ERR_FULL, ERR_USED, ERR_ARG, ERR_AGAIN (no consensus was there ever),
 * ERR_NOMEM or status.storage_err; then nothing is queued. */
int client_send(struct client *c, const char *name, enum letter_kind kind,
                const uint8_t *data, size_t len, uint64_t *order) CHECK_RESULT;

/* The user has opened this conversation, and is about to read or write: like writing
 * that, and nothing else, makes it one of those that are asked for most, for some
 * minutes, unless others have these places. It promises the contact nothing, and so
 * shows nothing sooner that he might time (client/places.h); after a restart it is
 * over. Returns 0 or ERR_NOT_FOUND. */
int client_open(struct client *c, const char *name) CHECK_RESULT;

struct client_message {
    enum client_state state;
    bool durable; /* on disk */
    enum letter_kind kind;
    uint64_t order, created_s;     /* 0: while nobody knew the time */
    uint32_t letters, kept, acked; /* fragments */
    uint64_t len;                  /* bytes */
    uint64_t rtt_us;               /* a ping's, once answered; else 0 */
    uint64_t estimate_s; /* until it is delivered; 0: nobody can say */
};
/* Returns ERR_NOT_FOUND; order 0: the newest of the application's. */
int client_message(const struct client *c, const char *name, uint64_t order,
                   struct client_message *out) CHECK_RESULT;

/* Calls fn with each text or file that is not over, in the order in which those of a
 * contact were queued, and the contact's id and name. */
typedef void (*client_outbox_fn)(void *ctx, uint32_t id, const char *name,
                                 const struct client_message *m);
void client_outbox(const struct client *c, client_outbox_fn fn, void *ctx);
/* About how long a message of len bytes would take to this contact, beside all that
 * waits; both clients connected. Returns ERR_NOT_FOUND or ERR_AGAIN (no consensus was
 * there ever). */
int client_estimate(const struct client *c, const char *name, uint64_t len,
                    uint64_t *letters, uint64_t *estimate_s) CHECK_RESULT;
/* Give up a message, which is CLIENT_EXPIRED then. What is on its way arrives; the
 * other side sees of a file that nothing more of it comes. Returns ERR_NOT_FOUND,
 * ERR_USED (it is over), ERR_NOMEM or status.storage_err. */
int client_cancel(struct client *c, const char *name,
                  uint64_t order) CHECK_RESULT;

/* ---- what came ---- */

/* Messages are shown one after the other, and each *reader* has had all of a contact's up
 * to one of them. Readers have names; the client's own, which is there until it is removed,
 * is "recv", or NULL. A message stays, and can be read again, until it is deleted, until it was read by all for
 * as long as is to be kept, or until its contact's room is needed and all have read it. */

/* A message that came; its pointers are good until the next call, or event, that the
 * client gets. */
struct client_received {
    const char *contact; /* its name, and its id */
    uint32_t id;
    enum letter_kind kind;
    uint64_t order;  /* here: of all that came */
    uint64_t event;  /* its place among all that was shown, from 1 on */
    uint32_t number; /* as its sender counts, who calls it order; 0: unknown */
    uint32_t sent_s; /* written then, since 1970, as he says; 0: unknown */
    uint32_t late_after; /* it was written before the message with this number,
                            which was shown already; 0: in order */
    bool read;           /* the client's own reader has had it */
    bool damaged;        /* its record on the disk is: there are no data */
    const uint8_t *data; /* NULL: of client_history() */
    size_t len;
};
/* Gives the oldest message that the reader has not had, of this contact or (NULL) of any
 * that is not muted; those of one contact come in the order in which they were written,
 * but for files, which texts overtake. Returns false when there is none, or no such
 * reader. Only durable ones are handed out. One that has to be read from disk first is
 * there when status.changes has grown. */
bool client_next(struct client *c, const char *reader, const char *name,
                 struct client_received *out);
/* Notes that the reader has had this message of its contact, and all that were shown
 * before. Returns 0, ERR_NOT_FOUND (no such message or reader, or it has had it),
 * ERR_NOMEM or status.storage_err: then it will be handed out again. What the disk fails
 * to keep later (client_kept()) may be handed out again in another life. */
int client_release(struct client *c, const char *reader,
                   uint64_t order) CHECK_RESULT;

/* Gives a message that is here again. Returns 0, ERR_NOT_FOUND, ERR_AGAIN (it is read
 * from disk, and there when status.changes has grown), or ERR_DB (that has just failed). */
int client_read(struct client *c, uint64_t order,
                struct client_received *out) CHECK_RESULT;
/* Tells fn of the `count` newest messages that were shown, of this contact or (NULL) of
 * all, before this event (0: of all), newest first and without their data. Returns 0 or
 * ERR_NOT_FOUND: no such contact. */
int client_history(const struct client *c, const char *name, uint64_t before,
                   size_t count,
                   void (*fn)(void *ctx, const struct client_received *one),
                   void *ctx) CHECK_RESULT;
/* Deletes a message, read or not. Returns 0, ERR_NOT_FOUND, ERR_NOMEM or
 * status.storage_err. */
int client_delete(struct client *c, uint64_t order) CHECK_RESULT;

/* Says for how many days messages that all readers have had are kept: 0, none;
 * CLIENT_KEEP_ALWAYS, until they are deleted. Returns 0, ERR_RANGE, ERR_NOMEM or
 * status.storage_err. */
int client_keep(struct client *c, uint32_t days) CHECK_RESULT;

/* Adds a reader, who begins with the oldest message that is here, or (from_now) with the
 * next one. Returns 0, ERR_ARG (not a name), ERR_EXISTS, ERR_FULL, ERR_NOMEM or
 * status.storage_err. */
int client_reader_add(struct client *c, const char *name,
                      bool from_now) CHECK_RESULT;
/* Is there such a reader? */
bool client_reader_is(const struct client *c, const char *name);
/* Removes a reader. Returns 0, ERR_NOT_FOUND, ERR_NOMEM or status.storage_err. */
int client_reader_remove(struct client *c, const char *name) CHECK_RESULT;
/* Tells of the i-th reader, the client's own first, and how many messages wait for it.
 * Returns false when there are not so many. */
bool client_reader(const struct client *c, size_t i,
                   char name[static CLIENT_NAME_MAX], size_t *waiting);

/* ---- status ---- */

/* Of boards' lists, since the start (client/heard/shown.h). */
struct client_lists {
    uint64_t seen, sure;   /* with a good signature; of them to be acted on */
    uint64_t late, missed; /* withheld for seconds, for ten minutes */
    uint64_t refused, forked; /* damaged; stores said two things */
    uint64_t evidence;        /* of boards that lie */
    uint64_t left;            /* gateways, for what was late */
    uint64_t tokens;          /* of contacts, in lists that are sure */
};

/* What a client that does not send waits for. */
enum client_wait {
    CLIENT_SENDS = 0,
    CLIENT_NO_LINK,
    CLIENT_NO_CONSENSUS,
    CLIENT_OLD_CONSENSUS, /* the newest that it has is of use no more */
    CLIENT_IS_BEHIND,     /* as CLIENT_BEHIND */
    CLIENT_OPENING,       /* the line's first frames */
    CLIENT_NO_WAY         /* as CLIENT_BROKEN */
};
/* What it waits for, in words for people. */
const char *client_wait_name(enum client_wait w);

struct client_status {
    bool connected, started; /* link up; sends on a valid consensus */
    enum client_wait waits;
    int64_t clock_off_us; /* the own clock is so far ahead of the network's; 0
                             also while nobody has told the time */
    uint64_t up_bytes_day, down_bytes_day; /* what the profile sends; 0: no
                                              consensus yet */
    int storage_err;
    uint32_t epoch;         /* of the consensus in use; 0 none */
    uint64_t valid_after_s; /* of it */
    uint64_t answer_age_us; /* since the last answer; UINT64_MAX never */
    uint64_t requests, answers, lost, late, dummies; /* since the start */
    uint64_t puts, gets, loops, skipped;
    uint64_t announced, listed,
        unlisted; /* tokens: sent, seen in a list, not */
    struct client_lists lists;
    size_t contacts, queued;
    size_t inbox, kept; /* messages not read yet, and all that are here */
    uint32_t keep_days; /* client_keep() */
    bool reading; /* a message that was asked for is on its way from the disk */
    uint64_t
        overtaken; /* contacts who had more than the records here know of */
    uint64_t dropped[ERROR_COUNT]; /* frames and letters refused, by -err */
    uint64_t changes; /* grows whenever a message comes or changes state */
};
void client_status(const struct client *c, struct client_status *out);

/* Is a clock with this status.clock_off_us so far off that people should be told?
 * Packets go by the network's time from there on. */
static inline bool
client_clock_is_far(int64_t off_us)
{
    enum { FAR_S = 15 };
    return off_us / 1000000 >= FAR_S || off_us / 1000000 <= -FAR_S;
}
#endif
