/* lib/os/args.h - the command lines of the programs: COMMAND [--option
 * VALUE].. [WORD]..; options may stand before the command and among the words,
 * and '--' ends the options. */
#ifndef LIB_OS_ARGS_H
#define LIB_OS_ARGS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

enum { ARGS_EXIT_FAILED = 1, ARGS_EXIT_USAGE = 2 };

/* One option; a flag takes no value. commands names the commands that take the
 * option, between blanks, e.g. " init run ". */
struct args_option {
    const char *name; /* without the dashes */
    bool flag;
    const char *commands;
};

enum { ARGS_MANY_MAX = 64 }; /* values of all such options together */

struct args {
    const char *program, *command;
    const char *value[32]; /* of each option; "" for a flag; NULL: not given */
    const char *const *rest;
    size_t n_rest;
    size_t n_before; /* of them, those before a '--' */
    struct {
        size_t option;
        const char *value;
    } many[ARGS_MANY_MAX];
    size_t n_many;
};

/* What a program's command line may be. */
struct args_form {
    const struct args_option *options;
    size_t n_options;
    const char *commands; /* between blanks */
    const char *texts;    /* commands after whose first word any word is text,
                          whatever it looks like, unless the word is an option
                          exactly as in the table; NULL: none */
    const char *many;     /* options that may be given several times, for
                         args_values(); NULL: none */
    size_t rest_max;      /* words that may follow */
    const char *usage;    /* the help, of which args_help() tells a part */
};

/* Take argv apart into *a, as form allows. Prints what is wrong, or help,
 * version and completions when asked. Returns -1 to go on, else the exit
 * status. The words are moved to the front of argv, and a keeps pointing into
 * argv. */
int args_read(struct args *a, int argc, char **argv,
              const struct args_form *form);

/* Print what form's help says of command: the lines of its use, its paragraph,
 * its options. Returns the exit status. */
int args_help(const struct args_form *form, const char *command);

/* Print a script by which shell ("bash", "zsh", "fish") completes commands and
 * options of program. Returns the exit status. */
int args_completion(const struct args_form *form, const char *program,
                    const char *shell);

/* Read the value of option i, a whole number from min to max, into *out, or
 * `otherwise` when that option was not given. Returns false when the value is
 * wrong, and has printed why. */
bool args_number(const struct args *a, const struct args_option *options,
                 size_t i, uint64_t min, uint64_t max, uint64_t otherwise,
                 uint64_t *out);

/* Write to out the values of option i, which may be given several times, max at
 * most. Returns how many. */
size_t args_values(const struct args *a, size_t i, const char **out,
                   size_t max);

/* Tell whether word is one of list, which has its words between blanks. */
bool args_is_among(const char *list, const char *word);
#endif
