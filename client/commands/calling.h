/* client/commands/calling.h - calls to a client that runs, by its socket. */
#ifndef CLIENT_COMMANDS_CALLING_H
#define CLIENT_COMMANDS_CALLING_H
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

/* A connection to a client. */
struct calling {
    int fd;
    FILE *in;
};

/* Connect to the client that runs on dir. Returns 0, or 1 and has said why not. */
int calling_open(struct calling *l, const char *dir);
void calling_close(struct calling *l);

/* Make one call. Takes params over, which are NULL if a word of the user's is no
 * text. Returns the result, which is the caller's, or NULL and has said why. */
json_t *calling_make(struct calling *l, const char *method, json_t *params);

/* Make one call of a connection of its own. */
json_t *calling_once(const char *dir, const char *method, json_t *params);

/* What people should know about an error of a method, where its text does not say
 * it; or NULL. */
const char *calling_hint(const char *method, const char *message);

/* A whole number of an object; 0 when it is not there. */
int64_t calling_number(const json_t *o, const char *name);

/* Print an object as one line of JSON, in ASCII, whatever stands in it. Returns the
 * exit status. */
int calling_json(const json_t *o);
int calling_json_to(FILE *out, const json_t *o);
/* The same; takes o over, which is NULL without memory. */
int calling_print(json_t *o);
#endif
