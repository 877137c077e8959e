/* client/commands/terminal.h - what came from others, made fit for a terminal and
 * for names of files. */
#ifndef CLIENT_COMMANDS_TERMINAL_H
#define CLIENT_COMMANDS_TERMINAL_H
#include <stddef.h>
#include <stdio.h>

enum { TERMINAL_NAME_MAX = 256 }; /* a file's name, with the final 0 */

/* Write len bytes of UTF-8 to out, with '?' for whatever steers a terminal or
 * turns the direction of writing; further lines stand in, so that none looks like
 * a message from somebody else. */
void terminal_text(FILE *out, const char *text, size_t len);

/* The same on one line: lines and tabs are '?', too. */
void terminal_word(FILE *out, const char *word);

/* Make a file's name of one from outside: its last part, with '_' for the same
 * characters, cut to len - 1 bytes before its ending; "file" when it has nothing
 * else or begins with a dot; '-' at its beginning is '_', too. */
void terminal_file_name(char *out, size_t len, const char *name);

/* Write to out the name that is tried when n files have this one: "a (2).txt"
 * for n = 1, cut to len - 1 bytes. */
void terminal_file_name_next(char *out, size_t len, const char *name,
                             unsigned n);
#endif
