/* client/commands/received.h - telling what came, and putting it into a file of the
 * user's. */
#ifndef CLIENT_COMMANDS_RECEIVED_H
#define CLIENT_COMMANDS_RECEIVED_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/os/files.h"

/* Keep len bytes at data, and write where to path. place: as `--out` has it, or
 * NULL, which is this directory; a directory takes a file under its name, or under
 * the next that is free ("a (2).txt"); '-' and what is no regular file are written
 * to; any other path must not be there yet. What is there is never replaced or
 * changed, and nothing is kept by half. name: of the file, already made safe. *made:
 * there is a file at path that was not there. Returns 0, or -1 and has said why on
 * stderr. */
int received_save(char path[static FILES_PATH_MAX], bool *made,
                  const char *place, const char *name, const void *data,
                  size_t len);

/* Puts a message, as `recv` gives it, where it is to go, and tells of it, in an object
 * of JSON or for people: a file of which nobody was told does not stay, since the message
 * does. place: as above. Returns the exit status. */
int received_take(const char *place, bool json, const json_t *message);

/* Prints when a message was written, by the local clock's zone, its number with its
 * sender, and whom it is from. */
void received_head(FILE *out, const json_t *message);

/* Can `--out` take more than one message? */
bool received_takes_many(const char *place);
#endif
