/* client/commands/input.h - what a user gives a command to read. */
#ifndef CLIENT_COMMANDS_INPUT_H
#define CLIENT_COMMANDS_INPUT_H
#include <stddef.h>
#include <stdint.h>

#include "client/letters/letter.h"

enum { INPUT_MAX = LETTER_MESSAGE_MAX - 256 }; /* a file's name goes with it */

/* Read a file, a pipe or (path is "-") the standard input, INPUT_MAX bytes at most.
 * *data is malloc'd and has room for one byte more. Returns 0, or -1 and has said
 * why. */
int input_read(const char *path, uint8_t **data, size_t *len);
#endif
