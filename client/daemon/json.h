/* client/daemon/json.h - the calls of client/daemon/rpc.h, as JSON-RPC 2.0, in
 * three steps.
 *
 * Parsing and writing JSON and base64 takes milliseconds for a large message.
 * It happens on the thread of the calls; only the step in the middle, which
 * copies at most, runs where the client's clock does (I2). */
#ifndef CLIENT_DAEMON_JSON_H
#define CLIENT_DAEMON_JSON_H
#include "client/client.h"

struct json_call;

/* Take a line apart. Returns NULL without memory; what is wrong with the line
 * is told by the answer. */
struct json_call *json_call_parse(const char *line, size_t len);
/* Carry it out, on the client's thread. */
void json_call_run(struct json_call *k, struct client *c);
/* The answer's text without the newline, malloc'd (NULL without memory).
 * Frees the call. */
char *json_call_answer(struct json_call **k);
void json_call_free(struct json_call **k);
#endif
