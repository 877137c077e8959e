/* client/json.h - the calls of client/rpc.h, as JSON. */
#ifndef CLIENT_JSON_H
#define CLIENT_JSON_H
#include "client/client.h"

/* Carry out one call; returns the answer's text without the newline, malloc'd,
 * or NULL without memory. */
char *json_call(struct client *c, const char *line, size_t len);
#endif
