/* directory/admission.h - which relays an authority lists.
 *
 * A relay asks by sending its descriptor, again and again. Under the policy
 * `manual` the relay waits until the operator approves it. Under `open` a relay
 * is let in while not too many of its block of addresses (a /24 or /48), of its
 * range (a /16 or /32) or of its family are in, unless relays of its role are
 * let in by hand: gateways know who their users are, and stores choose among
 * boxes. A relay's block is the one that it asks from, and it has to publish an
 * address there: anybody can write anything into a descriptor, but nobody can
 * hold a conversation from an address elsewhere. A relay that moves is judged
 * anew, and one that is approved is so in the role that it had then. Rejected
 * and banned relays stay out under both policies.
 *
 *   unknown -> waiting -approve-> approved
 *      `-> let in (open)    reject, ban: out;   forget: unknown again
 *
 * Decisions are lines that the operator's commands append to a file, so that
 * neither the commands nor the authority ever wait for each other:
 *
 *   VERB IDENTITY TIME REASON..      (approve, reject, ban, forget)
 *
 * Pure: files are read and written by whoever owns it. */
#ifndef DIRECTORY_ADMISSION_H
#define DIRECTORY_ADMISSION_H
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>

#include "lib/address.h"
#include "network/json.h"

enum admission_policy { ADMISSION_OPEN, ADMISSION_MANUAL };
enum admission_state {
    ADMISSION_UNKNOWN,
    ADMISSION_WAITS,
    ADMISSION_LET_IN,
    ADMISSION_APPROVED,
    ADMISSION_REJECTED,
    ADMISSION_BANNED
};
enum {
    ADMISSION_WHY_LEN = 160,
    ADMISSION_WAITING_MAX = 1024,
    ADMISSION_WAITING_BLOCK_MAX = 32,  /* of them from one block */
    ADMISSION_WAITING_RANGE_MAX = 256, /* and from one range */
    ADMISSION_EPOCHS = 3 /* one let in and not seen for so long is unknown */
};

struct admission_config {
    enum admission_policy policy;
    uint32_t block_max, range_max, family_max; /* let in; 0: no limit */
    unsigned by_hand; /* bit 1 << role: by the operator alone, also if open */
    bool local; /* a network on this machine: loopback is where relays are */
    enum address_kind
        kind; /* what relays publish is as wide (netfile_kind()) */
};

struct admission;
/* Make an admission by this config that knows no relay. Returns 0 or
 * ERR_NOMEM. */
int admission_new(struct admission **out,
                  const struct admission_config *config) CHECK_RESULT;
void admission_free(struct admission **a);
/* Judge by this config from now on; what was decided stands. */
void admission_configure(struct admission *a,
                         const struct admission_config *config);

/* Judge whether the relay of descriptor d may be listed. from: where the
 * descriptor comes from; NULL: from an earlier life, in which it was taken.
 * epoch, now_s: the present. Returns 0, ERR_COMMAND and in why the reason, for
 * people, or ERR_NOMEM. */
int admission_judge(struct admission *a, const struct descriptor *d,
                    const struct sockaddr_storage *from, uint32_t epoch,
                    uint64_t now_s,
                    char why[static ADMISSION_WHY_LEN]) CHECK_RESULT;

/* Forget what was decided and take the decisions in `text`, a line each. Lines
 * that are no decision are counted in *bad. Returns 0, ERR_NOMEM or ERR_FULL;
 * after an error, what was decided before stands. */
int admission_decide(struct admission *a, const char *text,
                     size_t *bad) CHECK_RESULT;

/* Write the line of one decision to `out`. Returns 0, ERR_FORMAT when the verb
 * or identity is none, or ERR_LONG. */
int admission_line(char *out, size_t room, const char *verb,
                   const char *identity, uint64_t now_s,
                   const char *reason) CHECK_RESULT;

/* What is known of a relay; reason: of a rejection or ban, else "". */
struct admission_item {
    uint8_t identity[SPHINX_ID_LEN];
    enum admission_state state;
    uint8_t role;
    char address[ADDRESS_MAX];
    uint64_t since_s; /* first seen, or decided */
    uint32_t epoch;   /* last seen */
    const char *reason;
};
/* Count the relays that are known. */
size_t admission_count(const struct admission *a);
/* Tell what is known of the i-th of them. */
struct admission_item admission_item(const struct admission *a, size_t i);
/* Tell in *out what is known of the relay with this identity; false:
 * nothing. */
bool admission_find(const struct admission *a,
                    const uint8_t identity[static SPHINX_ID_LEN],
                    struct admission_item *out);
/* "waiting", "approved", .. */
extern const char *const admission_state_name[];

/* Write the relays that wait, a line each: identity, role, address, since. */
void admission_write_waiting(const struct admission *a, FILE *to);
#endif
