/* lib/os/program.h - what the programs' commands do alike: begin, read the
 * configuration, say what is wrong and return the exit status. */
#ifndef LIB_OS_PROGRAM_H
#define LIB_OS_PROGRAM_H
#include "lib/os/args.h"
#include "lib/os/config.h"
#include "lib/os/files.h"

/* Print "program: ", what format makes, and the line's end to the standard
 * error. Returns the exit status: ARGS_EXIT_FAILED; ARGS_EXIT_USAGE. */
int program_fail(const char *program, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int program_misuse(const char *program, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Say that `what` is wrong by err. Returns ARGS_EXIT_FAILED. */
int program_error(const char *program, const char *what, int err);

/* Write out what was printed. Returns 0, or ARGS_EXIT_FAILED when standard output did
 * not take all, and has said so, and what that means. */
int program_flush(const char *program, const char *meaning);

/* End a program: write out what was printed. Returns status, or ARGS_EXIT_FAILED where
 * that was 0 and not all could be written. */
int program_end(const char *program, int status);

/* Begin: see that the descriptors 0 to 2 are taken, and read the command line as
 * args_read() does. Returns -1 to go on, else the exit status. */
int program_begin(struct args *a, int argc, char **argv,
                  const struct args_form *form);

/* What `run` is told by the program that starts it. */
struct program_start {
    int ready_fd; /* -1: none */
    long parent;  /* 0: none */
};

/* Read the options ready_fd and parent of a. Returns false and has said why. */
bool program_read_start(struct program_start *s, const struct args *a,
                        const struct args_option *options, size_t ready_fd,
                        size_t parent);

/* Make this process one for secrets: no core dumps, an end with its parent, and
 * libsodium. Returns 0 or the exit status. */
int program_harden(const char *program, long parent);

/* What a daemon has in its directory. */
struct program_folder {
    const char *program, *kind; /* "brusio-relay", "relay" */
    const char *conf;           /* "relay.conf" */
    const char *option, *value; /* that 'init' wants; NULL: the directory */
};

/* Write the path of the configuration in dir, if there is one. Returns 0, or the
 * exit status and has said that 'init' makes one. */
int program_find_config(const struct program_folder *f, const char *dir,
                        char path[static FILES_PATH_MAX]);

/* Read that configuration, by a table of n options, into out. Returns as
 * program_find_config() does. */
int program_read_config(const struct program_folder *f, const char *dir,
                        const struct config_option *table, size_t n, void *out);

/* Print the identity that the key of this seed has. */
void program_print_identity(const uint8_t *seed);
#endif
