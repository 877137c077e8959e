/* client/daemon/json.h - the calls of client/daemon/rpc.h, as JSON-RPC 2.0, in
 * three steps.
 *
 * Parsing and writing JSON and base64 takes milliseconds for a large message.
 * It happens on the thread of the calls; only the step in the middle, which
 * copies at most, runs where the client's clock does (I2). */
#ifndef CLIENT_DAEMON_JSON_H
#define CLIENT_DAEMON_JSON_H
#include "client/client.h"

struct guard;

/* Bounds: bytes of a line, either way, but for answers of a batch; calls of a
 * batch. A batch's answers hold LETTER_MESSAGE_MAX bytes of contents together. */
enum { JSON_LINE_MAX = 24 << 20, JSON_BATCH_MAX = 64 };

/* What a line asks for: a call, or a batch. */
struct json_call;

/* Take a line apart; one of more than JSON_LINE_MAX bytes is not looked at.
 * Returns NULL without memory; what is wrong with the line is told by the
 * answer. */
struct json_call *json_call_parse(const char *line, size_t len);
/* Have the calls looked at by g, on the thread of calls, before any is carried out: what
 * takes long of `unlock` and `backup` is done here, and while g is locked most are
 * refused. g NULL: nothing is locked, and those two are not supported. */
void json_call_guard(struct json_call *k, struct guard *g);
/* Carry out the next call, on the client's thread. Returns whether there is
 * another: others want their turn too. */
bool json_call_run(struct json_call *k, struct client *c);
/* See, on the client's thread and whenever client_on_kept() says so, what has become
 * of all that was changed so far: each call has an answer of its own, and what was
 * taken back once is not kept later. Returns whether some of it is to be waited
 * for. */
bool json_call_waits(struct json_call *k, const struct client *c);
/* The answer's text without the newline, malloc'd; NULL: nobody wants one.
 * Frees the call. Returns 0 or ERR_NOMEM. */
int json_call_answer(struct json_call **k, char **text,
                     size_t *len) CHECK_RESULT;
void json_call_free(struct json_call **k);
#endif
