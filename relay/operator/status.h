/* relay/operator/status.h - what an operator is told about a relay.
 *
 * The running relay fills a struct status every few seconds
 * (relay/daemon/monitor.c) and keeps it as status.json in its directory;
 * `brusio-relay status` and `top` read that file and say what the status means
 * and what to do. Counts in a status are coarse (relay/operator/publish.h). No
 * state, no clock. */
#ifndef RELAY_OPERATOR_STATUS_H
#define RELAY_OPERATOR_STATUS_H
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "network/consensus.h"
#include "relay/operator/publish.h"

enum {
    STATUS_VERSION = 3, /* of its fields: it changes when they do */
    STATUS_FILE_MAX = 1 << 16,
    STATUS_TEXT_LEN = 104,
    STATUS_ALL_LEN = 480, /* what several authorities say */
    STATUS_WRITE_S = 5,   /* written so often */
    STATUS_OLD_S = 30     /* older than this: something is wrong */
};

struct status {
    uint64_t written_s, started_s; /* wall clock */
    uint64_t pid;
    bool running; /* false: it said goodbye */
    bool leaving; /* lets out what it holds, then ends */
    bool left;    /* its operator has taken it out of the network */
    int role;     /* index into status_role_name */
    char listen[ADDRESS_MAX];
    uint64_t waits_s; /* after a restart of the machine; 0: accepts */

    /* the network */
    uint64_t genesis_s;
    uint32_t epoch_len_s;
    uint32_t epoch;             /* of the newest consensus, 0: none */
    uint64_t valid_after_s;     /* of that */
    uint32_t relays;            /* in it */
    int layer;                  /* of this relay there, -1: it is not in it */
    int layers;                 /* of mixes */
    bool doubled;               /* with another packet key than this relay's */
    uint32_t left_out_permille; /* for so many bad links; 0: it is not */
    uint64_t key_until_s;       /* the packet key of that epoch ends; 0: none */

    /* the authorities */
    uint32_t authorities, reached; /* reached: answered the last request */
    uint32_t descriptor_epoch;     /* being offered */
    uint32_t descriptor_taken;     /* by so many */
    uint32_t descriptor_first; /* first epoch for which any took one; 0: none */
    char descriptor_refusal[STATUS_ALL_LEN]; /* of all who do; "": none */
    char consensus_refusal[STATUS_TEXT_LEN]; /* why the last was not used */
    bool consensus_is_foreign;  /* that is about the network file */
    bool consensus_is_mistimed; /* that is about the clock */

    char unreached[ADDRESS_MAX];         /* an own address; "": none */
    char unreached_why[STATUS_TEXT_LEN]; /* not published for that */
    uint64_t hibernates_until_s;         /* 0: it does not */
    bool spent;                          /* the month's quota */
    int quota_percent;                   /* of it used; -1: no quota */

    uint32_t links_out, links_out_up, links_in; /* with relays */
    uint32_t clients_max, packets_max;
    int alarm; /* enum alarm_state */
    struct publish_out seen;
};

/* "gateway", "mix", "store", NULL. */
extern const char *const status_role_name[];

/* status_json.c: write s as canonical text with a final newline; *out is
 * malloc'd. Returns 0, ERR_FORMAT, ERR_VERSION or ERR_NOMEM, as the next call
 * does. */
int status_write_json(const struct status *s, char **out,
                      size_t *len) CHECK_RESULT;
/* Read such a text of len bytes, strictly. */
int status_read_json(struct status *s, const uint8_t *text,
                     size_t len) CHECK_RESULT;

/* One finding, for people: "what is so; what to do", or the first alone. */
enum finding_level { FINDING_OK, FINDING_WARNING, FINDING_ERROR };
enum { FINDINGS_MAX = 32, FINDING_LEN = 960 };
struct findings {
    size_t n;
    struct {
        enum finding_level level;
        char text[FINDING_LEN];
    } found[FINDINGS_MAX];
};
/* Add a finding of this level, which is printed by format. */
void finding_add(struct findings *f, enum finding_level level,
                 const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Print "error: what is so; what to do", one finding a line. Returns the worst
 * level. */
enum finding_level findings_print(const struct findings *f, FILE *to);

/* What can be said of the process that wrote the file. */
enum status_process { STATUS_ALIVE, STATUS_GONE, STATUS_UNKNOWN };

/* Find why the relay with the status s is not well at now_s; without a finding
 * all is well. */
void status_judge(struct findings *f, const struct status *s,
                  enum status_process process, uint64_t now_s);

/* Print all of s and its findings at now_s. Returns the exit status: 0 healthy,
 * 1 not. */
int status_print(const struct status *s, enum status_process process,
                 uint64_t now_s, FILE *to);
#endif
