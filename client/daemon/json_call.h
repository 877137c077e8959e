/* client/daemon/json_call.h - what the files share that take calls apart, carry
 * them out and put answers together. */
#ifndef CLIENT_DAEMON_JSON_CALL_H
#define CLIENT_DAEMON_JSON_CALL_H
#include <jansson.h>

#include "client/client.h"

/* Error codes of JSON-RPC 2.0, section 5.1; ours count from -32000. */
enum {
    RPC_PARSE = -32700,
    RPC_REQUEST = -32600,
    RPC_METHOD = -32601,
    RPC_PARAMS = -32602,
    RPC_OWN = -32000
};

enum { CALL_HISTORY_MAX = 1000 }; /* messages listed at once */

struct guard;
struct method;

/* One call, alone in its line or one of a batch. Strings that are not its own
 * point into the line. */
struct call {
    const json_t *params; /* an object, or NULL: none */
    json_t *id;           /* borrowed; NULL: a notification, to be carried out
                             and not answered */
    const struct method *method;
    int err;             /* ERR_*, 0 */
    int code;            /* of JSON-RPC; 0: what follows from err and where */
    const char *message; /* then; NULL: err's */
    const char *where;   /* the parameter that is wrong, or NULL */
    /* in */
    const char *name, *text;
    bool by_id, flag;
    uint32_t contact; /* its number; also out */
    uint64_t order;
    const char *reader; /* NULL: the client's own */
    uint64_t before, count;
    uint32_t days; /* to keep, when */
    bool sets_days;
    /* in or out: contents */
    uint8_t *data;
    size_t len;
    /* out */
    enum letter_kind kind;
    bool none;
    char word[INVITE_TEXT_LEN]; /* an invitation, a contact, a safety number */
    struct client_message message_out;
    struct client_status status;
    struct client_contact *contacts;
    size_t n_contacts;
    struct call_queued {
        uint32_t id;
        char name[CLIENT_NAME_MAX];
        struct client_message m;
    } * queued; /* messages that wait */
    size_t n_queued, queued_room;
    struct client_received received; /* without its name and data */
    struct call_received {
        struct client_received r;
        char name[CLIENT_NAME_MAX];
    } * history; /* what is here, the newest first */
    size_t n_history;
    struct {
        char name[CLIENT_NAME_MAX];
        size_t waiting;
    } readers[CLIENT_READERS_MAX + 1];
    size_t n_readers;
    uint64_t letters, estimate_s, expires_s;
    uint64_t mark; /* of the client, when it was carried out */
    bool waits;    /* what it changed is to be on disk, and is not yet */
    /* of the guard; NULL: there is none */
    struct guard *guard;
    bool locked, sealed; /* calls are; there is a passphrase */
};

struct method {
    const char *name;
    const char *also;     /* its other name, or NULL */
    const char *params;   /* all that it takes, a blank between */
    const char *optional; /* of them, those that may be left out */
    bool keeps;  /* it changes what is to be on disk before it is answered */
    bool always; /* it is carried out while the client is locked, too */
    void (*run)(struct call *k, struct client *c);
    json_t *(*result)(struct call *k);
};

/* ---- json_methods.c ---- */

/* The method of this name, or NULL. */
const struct method *call_find_method(const char *name);
/* Do on the thread of calls what k needs of g, and wipe its passphrase. *slow tells
 * that a call of its line took long already: a second one is refused (ERR_RATE). */
void call_prepare(struct call *k, struct guard *g, bool *slow);

/* ---- json_inbox.c: what methods do, and what they give ---- */

void call_run_recv(struct call *k, struct client *c);
void call_run_release(struct call *k, struct client *c);
void call_run_show(struct call *k, struct client *c);
void call_run_history(struct call *k, struct client *c);
void call_run_delete(struct call *k, struct client *c);
void call_run_keep(struct call *k, struct client *c);
void call_run_readers(struct call *k, struct client *c);
void call_run_reader_add(struct call *k, struct client *c);
void call_run_reader_remove(struct call *k, struct client *c);
json_t *call_result_recv(struct call *k);
json_t *call_result_history(struct call *k);
json_t *call_result_keep(struct call *k);
json_t *call_result_readers(struct call *k);

/* ---- json_params.c ---- */

/* A string without U+0000, or NULL. */
const char *call_text(const json_t *v);
/* Take what k's method takes into k, or the first that is wrong as err and
 * where. */
void call_take_params(struct call *k);

/* ---- json_results.c: NULL without memory ---- */

json_t *call_result_nothing(struct call *k);
json_t *call_result_id(struct call *k);
json_t *call_result_invite(struct call *k);
json_t *call_result_order(struct call *k);
json_t *call_result_contacts(struct call *k);
json_t *call_result_message(struct call *k);
json_t *call_result_outbox(struct call *k);
json_t *call_result_estimate(struct call *k);
json_t *call_result_safety(struct call *k);
json_t *call_result_status(struct call *k);
json_t *call_result_backup(struct call *k);
/* Gives o what k has, as a text or a file. Returns 0, or not: no memory. */
int call_put_contents(json_t *o, const struct call *k, enum letter_kind kind);
#endif
