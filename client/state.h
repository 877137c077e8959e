/* client/state.h - what a client is made of, and the few questions that all
 * of its files ask of it. For the client's own files only.
 *
 * The files, each with a header of its own, stand in this order; none calls
 * one above it:
 *
 *   client             life, link, timer
 *   contacts requests  what applications ask; a tick's packet and its answer
 *   arrival            a letter that came, as a whole
 *   asked              requests under way
 *   incoming outgoing  letters to messages, letters to boxes
 *   staging            messages to letters
 *   listed             what boards' lists tell
 *   announce           that letters are there, to boards
 *   network inbox messages proofs
 *   places             for whom a poll is
 *   conversations polls
 *   sealing            what letters are sealed with, and opened
 *   state
 *   records journal    the disk
 *
 * Memory or the disk may fail at every step, and nothing is ever done by half:
 * what changes on disk is put into the journal first, in a part of a group that
 * is taken back when something fails; then, when nothing can fail any more, the
 * lists here change. */
#ifndef CLIENT_STATE_H
#define CLIENT_STATE_H
#include "client/client.h"
#include "client/heard/gateways.h"
#include "client/heard/giving.h"
#include "client/heard/shown.h"
#include "client/heard/tokens.h"
#include "client/disk/journal.h"
#include "client/letters/chain.h"
#include "client/letters/session.h"
#include "client/heard/nettime.h"
#include "client/pace/acks.h"
#include "client/pace/fronts.h"
#include "client/proofs.h"
#include "client/pace/traffic.h"
#include "client/pace/window.h"
#include "client/heard/witness.h"
#include "lib/wire.h"
#include "network/fetch.h"
#include "network/request.h"

enum {
    CURSORS = 9,      /* periods read at once: letter_days and two */
    CURSOR_BOXES = 8, /* boxes of a period read at once */
    AHEAD_BOXES = 4,  /* of them not known to be full */
    POLL_PLACES = FRONTS_MAX + 2, /* fronts, lane, sweep */
    STAGED_MAX = 16,              /* letters ready before their first put */
    VIEWS = EPOCHS_USABLE + 1,
    LIES_MAX = 2,        /* to polls of a box, before the other store serves */
    BAD_LETTERS_MAX = 8, /* where there is no other: then a slot is given up */
    KEEPS_DAY = 28,      /* of a letter, in a day: KEPT_US, doubled, .. */
    CHECKS = 4,          /* looks at what is said to be taken */
    QUALITY_ASKED = 16,  /* answers judged together */
    RECENT = 32,         /* answers that tell of the line */
    GONE_MAX = 8,        /* messages that are remembered to come no more */
    HAD_MAX = 8,         /* messages that are known when they come again */
    PASSED_MAX = 64      /* places that one store's word gives up in a row */
};

/* Ids of the fronts' self-conversations; no contact has one from here on. */
#define SELF_FIRST (UINT32_MAX - FRONTS_MAX)

/* Times of the reliability, in microseconds. */
#define ACK_WAIT_US 1000000ULL  /* where nobody announces: an acknowledgement */
#define SILENT_US   3000000ULL  /* a letter's commit is as far away at most */
#define HELD_UP_US  90000000ULL /* a wait after a start or a gap: at most */
#define GAP_US      20000000ULL /* so long without a slot is a gap */
#define RETRY_US    500000ULL   /* after "retry" */
#define FULL_US     30000000ULL /* after "full" of both stores */
#define PROOF_US    250000ULL   /* a letter whose proof is being made waits */
#define KEPT_US     120000000ULL /* kept, not acknowledged: first repeat */
#define ACK_AGAIN_US \
    60000000ULL /* an acknowledgement alone: at the other store */
#define KEPT_MAX_US 3600000000ULL /* and doubled up to this */
#define LATE_US     2000000ULL    /* an answer may be late by */
#define QUALITY_US  3600000000ULL /* a store is bad for a box for */
#define BUSY_US     10000000ULL   /* part of a message keeps a reader busy */

enum { TAKEN_FIRST = 1, TAKEN_SECOND = 2, TAKEN = 3 };

/* A letter on its way into a box. Its states follow from its fields: waiting
 * for the journal (ticket), due (due_us), asked (due_us = when its answer is
 * overdue), kept. */
struct out_letter {
    struct out_letter *next;
    struct letter_place at;
    uint32_t sequence; /* 0: acknowledgement only */
    uint32_t index;
    uint64_t order; /* its message */
    uint64_t ticket, due_us;
    /* when it left first in this life, or its token before it; 0: not yet */
    uint64_t put_us;
    bool tried, kept;
    bool answers; /* it is an acknowledgement alone or a pong: it goes first */
    bool fills;   /* it has no content, and takes the place of one given up */
    uint8_t kind; /* enum letter_kind of its message */
    bool moved; /* it was at another place, where its reader may have it from */
    bool renumbered; /* its number was of another life, too, and is a new one */
    bool loaded;     /* it may have been put by an earlier life */
    bool going;  /* acknowledged, when the group that is being built is true */
    bool unsure; /* what acknowledges it may be older: it is to be said again */
    uint64_t
        since_us; /* no letter committed earlier can acknowledge it; 0: any */
    struct out_letter *empty; /* that is to take its place, when the group that
                                 is being built is true; else NULL */
    bool announced;           /* it says that there is a token of it */
    uint32_t announcement;    /* of it, by its number; 0: none under way */
    uint32_t generation;      /* of the ratchet that it is sealed with */
    uint8_t keeps;            /* times it was kept, for the doubling */
    uint8_t taken; /* who says its place is taken: TAKEN_FIRST, TAKEN_SECOND */
    bool answered, second; /* a store has; its next put goes to the second */
    uint64_t due_s;        /* of one loaded from disk, by the network's time */
    uint8_t bytes[];
};

/* A message of the application's. What was made while nobody knew the time has
 * created_s 0 until somebody does. */
struct message {
    struct message *next;
    uint64_t order, created_s, ticket, started_us, rtt_us;
    uint8_t id[LETTER_ID_LEN];
    uint8_t kind, state;
    uint32_t count, next_index, kept, acked;
    uint32_t acking; /* by the letter that is being taken */
    size_t len;
    uint8_t *data; /* NULL once delivered or expired */
};

/* What polls of one class, those of fronts or all others, have met in a box. Each class
 * goes by its own alone. */
struct polled {
    uint8_t asked;    /* under way */
    uint16_t named;   /* letters that these begin at */
    uint16_t full;    /* letters that are said to be there */
    uint16_t empties; /* answers that had none, since one had */
    uint16_t vain;    /* gets while letters lay in later ones, since one had */
    uint8_t second;   /* letters that the box's second store gave */
    uint8_t lies[2];  /* of the box's first store, its second */
};

/* Whose polls: others also tell fronts what they have heard, fronts tell nobody. */
enum polled_class { POLLED_OTHERS, POLLED_FRONTS, POLLED_CLASSES };

/* How far one period of a contact's letters was read. Box base + i has the
 * bits i of held. */
struct cursor {
    bool open, skipped; /* skipped: a later letter says it is empty */
    uint32_t period, base;
    uint32_t end; /* letters in it, UINT32_MAX while not known */
    uint16_t held[CURSOR_BOXES];
    uint16_t later[CURSOR_BOXES];  /* fronts had it, and may not show it yet */
    uint64_t ticket[CURSOR_BOXES]; /* of the journal, for the last of held */
    struct polled by[POLLED_CLASSES][CURSOR_BOXES];
    uint16_t missed;   /* gets of the first box in vain, far behind others */
    uint64_t empty_us; /* the first box had nothing more then; 0: not yet */
};

/* A message that is not yet whole. */
struct fragment {
    uint32_t index;
    uint16_t len;
    uint8_t *data;
};

struct incoming {
    struct incoming *next;
    uint8_t id[LETTER_ID_LEN];
    uint8_t kind;
    uint32_t count, have, room, total;
    size_t len;                /* bytes here */
    uint64_t progress_s;       /* the last fragment came */
    struct fragment *fragment; /* have of them, by index */
};

/* A message for the application; those of one contact in the order of their
 * numbers. */
struct received {
    struct received *next;
    struct conversation *from;
    uint64_t order, ticket;
    uint8_t id[LETTER_ID_LEN];
    uint8_t kind;
    uint64_t until_us;   /* it is shown then, whatever of before is missing */
    uint64_t event;      /* its place among all that was shown; 0: it is held */
    uint64_t came_s;     /* by the network's time; 0: nobody knew it */
    uint32_t late_after; /* shown before, written later; 0: nothing was */
    bool forgotten;      /* while a group that does that is written */
    bool damaged;        /* its record on the disk is of no use */
    uint64_t again_us;   /* it could not be read: other contacts go before */
    uint64_t asked_us;   /* it was read for somebody, who has not had it */
    uint32_t after, len;
    uint8_t *data; /* NULL: on disk alone */
};

/* A message being read from the disk. */
struct inbox_read;

/* How the first store of a direction's boxes answers. */
struct quality {
    uint8_t asked, late;
    uint64_t bad_until_us; /* the second store serves instead */
};

/* An answer of late, whatever it was about. */
struct recent {
    uint16_t store;
    bool late;
};

/* The key of a letter that is late: secret. */
struct kept_key {
    uint32_t generation, step, n; /* of its head */
    uint32_t day;                 /* since 1970, on which it was kept */
    uint8_t key[LETTER_KEY_LEN];
};

/* What a conversation has in guarded memory. A letter that two gets bring at once is
 * opened twice: keys that were used last are there for so long. */
enum { RECENT_KEYS = 32 };
struct conversation_secrets {
    struct chain chains[CHAIN_WAYS];
    struct session session;
    struct kept_key recent[RECENT_KEYS];
};

struct conversation {
    struct conversation *next;
    uint32_t id;
    char name[CLIENT_NAME_MAX];
    struct conversation_secrets *secrets; /* in guarded memory, with: */
    struct chain *chains;                 /* [CHAIN_OUT], [CHAIN_IN] */
    struct session *session;
    uint8_t mark[CHAIN_MARK_LEN]; /* of the chain that is read, as it began */
    struct kept_key *kept;        /* in guarded memory too; the oldest first */
    size_t n_kept, kept_room;
    size_t n_recent;          /* keys used last, going round; 0: none */
    uint64_t recent_until_us; /* they are wiped then */
    uint64_t renew_us; /* a letter did not open: a new ratchet is to be offered
                            then; 0: none is */
    uint32_t
        told_generation;  /* the highest that a letter which did not open was
                                 of, since the start */
    uint64_t renewed_us;  /* one was offered last at; 0: not since the start */
    uint64_t warn_us;     /* it is to be told then that another has used the
                            invitation; 0: it is not */
    uint8_t warns;        /* so often */
    uint64_t lag_us;      /* who goes on with a ratchet that was left is to be
                            answered then; 0: nobody is */
    uint64_t offer_us;    /* what is offered is said again then, where no letter
                            with a number may leave */
    uint32_t offer_tries; /* so often it was */
    /* What follows from a letter is done when that would have been acknowledged, so
     * that its writer does not see when it was read: due_us, of the one that is
     * being taken. Since a ratchet was left, numbers were overtaken, a letter that
     * offers was acknowledged, tokens are left again: */
    uint64_t due_us, left_us, overtaken_us, hello_us, cover_us;
    bool shared; /* another has used the invitation, too */
    bool confirmed, refused, inviter;
    bool muted;           /* what comes is not shown */
    bool pings;           /* its pings are answered */
    bool removed;         /* read for a while, and that is all */
    bool self;            /* of a front, with this client itself */
    uint64_t removed_s;   /* then; 0: nobody knew the time */
    uint64_t ticket;      /* of its first record; 0: of an earlier life */
    uint32_t born;        /* period of the first letter to look for */
    uint64_t letter_us;   /* a letter came last at */
    uint64_t answered_us; /* an answer left last at */
    uint64_t
        behind_us; /* a letter came first at that may not be the first one */
    uint64_t
        awaited_us; /* a letter was announced first at, and none has come ever */
    uint64_t used_us; /* the user wrote or opened last at; 0: not since start */
    uint64_t front_s; /* its front is promised until then, since 1970 */
    /* out */
    struct letter_place at; /* of the next letter */
    uint32_t previous_period, previous_count;
    uint32_t next_sequence;
    uint32_t sure_sequence; /* smaller ones are of an earlier life that was the
                               only one: its reader knew of no other */
    uint32_t overtaken; /* from there up to this one a life that the records do
                               not know has used them all; 0: none */
    bool in_step; /* its reader has what this life has sent, and no more */
    bool doubted; /* a store called a place taken: another life may have used
                     numbers that nobody has told of yet */
    bool broken;  /* a letter of its reader's did not open */
    bool told;    /* its reader has had more than the records know */
    uint8_t
        passed; /* places given up by one store's word, since one was kept */
    uint8_t gone[GONE_MAX]
                [LETTER_ID_LEN]; /* messages of its that come no more */
    uint8_t n_gone;              /* the next of these, going round */
    uint64_t next_order;
    struct out_letter *letters;
    struct letter_place check_at; /* taken, as its stores say: is that true? */
    uint8_t checks; /* looks at it that are to end; 0: there are none */
    uint8_t looked; /* of CHECKS, so many were asked for */
    struct message *messages, **messages_end;
    uint32_t n_messages, n_waiting;
    uint32_t floor_told; /* by the last letter of the user's own */
    uint32_t token_period;
    uint32_t tokens_used;       /* of that period, which is the last */
    uint32_t past_token_period; /* the last one before it, */
    uint32_t past_tokens_used;  /* and of that one */
    bool uncovered; /* letters were written that there was no token for */
    uint32_t
        again_period; /* of the letter that was kept again last, and is to be
                              announced for that; 0: none */
    bool
        again_to_all; /* also to one who has promised nothing: not the contact alone
                          reads that letter */
    uint64_t again_us; /* such letters are announced no sooner */
    struct {
        uint64_t order;
        uint32_t index;
    } loaded[2]; /* where sending stood, while loading; [1]: of files */
    /* in */
    uint32_t ack;
    uint8_t map[LETTER_MAP_LEN];
    struct acks *acks;                      /* what of this is not told yet */
    struct cursor cursor[CURSORS];          /* newest first */
    struct awaited awaited[TOKENS_PERIODS]; /* newest first */
    uint32_t tokens_period; /* in which these are in client.tokens; 0: not */
    struct incoming *incoming;
    size_t gathered_len;                       /* bytes of these */
    struct received *received, *received_last; /* by number */
    uint64_t last_event;                       /* of those that were shown */
    uint32_t n_received; /* messages in the inbox, and their bytes */
    uint64_t received_len;
    uint32_t highest; /* number of these, when there are any */
    uint32_t n_held;  /* of them wait for what was written before */
    uint64_t seen
        [CLIENT_READERS_MAX]; /* up to which event each reader has had all */
    uint8_t shown[LETTER_ID_LEN]; /* of those that were shown, the one that was
                                     written last */
    uint8_t had[HAD_MAX][LETTER_ID_LEN]; /* forgotten last, the newest first */
    struct quality quality[2];           /* of puts, of gets */
};

/* A place of the polls: what it asks for while it asks for nobody. */
struct place {
    uint8_t box[WIRE_BOX_LEN];
    uint32_t period; /* of the box */
    uint64_t until_us;
};

/* Which of a box's stores is asked: its first, its second, or the one there is. */
enum store_rank { STORE_FIRST, STORE_SECOND, STORE_ALONE };

/* A request under way. */
struct asked {
    uint64_t number; /* + 1; 0: empty */
    uint64_t expected_us;
    uint32_t epoch, conversation;
    struct letter_place at; /* put: the letter's; get: period, box * 16 */
    uint64_t at_store_us;   /* when it is expected there */
    uint8_t kind;           /* enum wire_request_kind */
    bool overdue, spare, check;
    bool cover; /* of the clock's tick for a loop */
    enum store_rank rank;
    uint8_t steps;             /* put: that its proof was worth */
    uint16_t held;             /* by what was asked */
    uint8_t slot;              /* get: where it begins */
    struct fronts_choice whom; /* get */
    uint8_t n_back;
    uint16_t store, back[SPHINX_HOPS_MAX];
};

/* One tick's request, decided before anything is drawn for its packet. */
struct choice {
    struct request request;
    struct out_letter *letter;
    struct conversation *conversation;
    struct letter_place at;
    bool spare; /* to the fallback store */
    bool check; /* a look at a place of one's own that is said to be taken */
    enum store_rank rank;
    uint8_t work[WIRE_WORK_LEN], steps; /* of a put; or a get's token */
    uint32_t announcement;     /* its number; 0: none, or one of nothing */
    struct out_letter *after;  /* and its letter, which waits for it */
    uint16_t board;            /* WIRE_ANNOUNCE: where to */
    struct fronts_choice whom; /* get */
    uint64_t ticket;           /* get: of what it names as held */
    bool hides;                /* get: some of that is not to be shown yet */
};

struct client {
    struct env *env;
    struct client_config config;
    struct journal *journal;
    struct sphinx_worker *worker;
    struct traffic traffic;
    bool started, connected, controlled;
    bool heard;   /* what the gateway has is here; per connection */
    bool settled; /* time and newest consensus are agreed; per connection */
    bool broken;  /* not even a loop could be made: leave this link */
    uint64_t expire_us;   /* next look for expired messages */
    uint32_t period;      /* at the last tick */
    uint32_t stepped_day; /* to which all chains were stepped since the start */
    uint64_t linked_us;   /* the link came up */
    uint8_t linked_to[SPHINX_ID_LEN];
    /* network */
    struct consensus *view[VIEWS];    /* by epoch modulo VIEWS, owned */
    struct consensus *current;        /* in use; one of view */
    uint32_t newest;                  /* epoch of the newest */
    struct certificates certificates; /* of authorities, the newest seen */
    uint64_t switch_s;                /* take up a newer one then; 0: none */
    uint8_t profile;                  /* its index */
    struct gateways gateways;
    uint8_t handle[8];
    struct window window;
    struct shown *shown;   /* lists of boards */
    struct tokens *tokens; /* that are awaited in them */
    struct fetch fetch;
    struct {
        uint32_t epoch;
        uint8_t *bytes; /* NULL: none */
        size_t len;
    } document[2]; /* of an earlier life, until client_start() */
    struct nettime time;
    struct witness witness;
    unsigned families; /* of stores, whose word is needed */
    size_t letter_len;
    bool unsaved;      /* gateways or letter_len, since the disk failed */
    uint64_t store_us; /* storage was tried last at, since it has failed */
    /* requests */
    struct asked *asked;
    uint64_t asked_len, oldest; /* length: a power of two */
    uint64_t answer_us;
    struct giving giving;
    struct recent recent[RECENT];
    uint32_t n_recent;
    struct announce *announce;
    bool answered_last; /* the last tick of sending was for an answer */
    bool
        announced_last; /* of a letter and an announcement: whose turn was it? */
    struct proofs *proofs;
    uint32_t proofs_since; /* the oldest epoch whose proofs still count */
    struct {
        uint32_t conversation, since, period, box;
    } ahead;             /* the proof that was made ready last */
    uint64_t slot_us;    /* a put could be sent last at */
    uint8_t *reserve;    /* a loop made beforehand */
    uint64_t reserve_us; /* when it was made; 0: there is none */
    struct place place[POLL_PLACES];
    struct fronts *fronts;
    unsigned boards; /* of the consensus in use */
    bool looked;     /* there are looks at all since the link came up */
    /* people */
    struct conversation *conversations; /* the fronts' selves are the last */
    size_t n_conversations; /* with those that are removed, without selves */
    uint32_t next_id;
    struct received **by_order, **by_event; /* all that came; of them, what was
                                               shown */
    size_t n_inbox, n_shown, inbox_room;
    uint64_t next_received, next_event;
    char reader[CLIENT_READERS_MAX]
               [CLIENT_NAME_MAX]; /* "": none, but for the first, the
                                                  client's own */
    uint32_t expired_id; /* of the contact that was looked at last for that */
    uint32_t keep_days;  /* what was read; CLIENT_KEEP_ALWAYS */
    size_t inbox_held, queue_len;  /* inbox_held: bytes in memory */
    struct inbox_read *inbox_read; /* NULL: none is being read */
    uint64_t wanted_order;         /* what was read last for somebody */
    size_t gathered_len;           /* of all contacts */
    struct client_status status;
    void (*kept_fn)(void *ctx); /* client_on_kept() */
    void *kept_ctx;
    uint8_t *frame; /* scratch of one packet */
};

/* Is a message in this state done with, one way or the other? */
static inline bool
client_state_is_over(enum client_state s)
{
    return s == CLIENT_DELIVERED || s == CLIENT_EXPIRED;
}

/* Counts what was refused or could not be done, by its error. */
static inline void
client_drop(struct client *c, int err)
{
    c->status.dropped[-err]++;
}

/* Tells the network's time in microseconds since 1970, for deadlines and for
 * the epoch of a packet: client/heard/nettime.h. */
uint64_t client_now_us(const struct client *c);

/* Tells the time in seconds for what is decided for good, one way: what stores
 * agree on, else the own clock, bound to what the newest consensus allows. */
uint64_t client_time_s(const struct client *c);

/* Does the newest consensus allow what client_time_s() would say by itself? Not
 * without one, nor after a long absence, nor by a clock that is far off: then
 * nobody knows what time it is. */
bool client_time_is_known(const struct client *c);

/* Tells the earlier of that and the own clock, likewise bound: for what cannot
 * be undone. */
uint64_t client_sure_time_s(const struct client *c);

/* Tells the period that letters written now belong to. */
uint32_t client_period(const struct client *c);

/* Tells the own wall clock minus the monotonic one, in microseconds. */
int64_t client_own_base_us(const struct client *c);

/* Times between two tries of storage that has failed: by itself, and when an
 * application asks for something that is to be kept. */
#define STORE_AGAIN_US 30000000ULL
#define STORE_ASKED_US 1000000ULL

/* Takes back contacts that storage has not kept: contacts.c. */
void contacts_take_back(struct client *c);

/* Journals the client's own record. What fails is done again by
 * client_tick(). Returns 0 or the journal's error. */
int client_save(struct client *c);
#endif
