/* lib/os/args.h - the command lines of the programs: COMMAND [--option
 * VALUE].. */
#ifndef LIB_OS_ARGS_H
#define LIB_OS_ARGS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

enum { ARGS_EXIT_FAILED = 1, ARGS_EXIT_USAGE = 2 };

/* One option; a flag takes no value. Which commands take it: a string of their
 * names between blanks, e.g. " init run ". */
struct args_option {
    const char *name; /* without the dashes */
    bool flag;
    const char *commands;
};

struct args {
    const char *program, *command;
    const char *value[32]; /* of each option; "" for a flag; NULL: not given */
    const char *const *rest;
    size_t n_rest;
};

/* Take argv apart. Prints what is wrong, or help and version when asked.
 * Returns -1 to go on, else the exit status. rest_max: words that may follow.
 */
int args_parse(struct args *a, int argc, char **argv,
               const struct args_option *options, size_t n,
               const char *commands, size_t rest_max, const char *usage);

/* A whole number of an option, or `otherwise` when it was not given. Prints
 * what is wrong; returns false then. */
bool args_number(const struct args *a, const struct args_option *options,
                 size_t i, uint64_t min, uint64_t max, uint64_t otherwise,
                 uint64_t *out);
#endif
