/* sim/command/output.h - files that figures and events go to.
 *
 * A run may take hours and be interrupted, so an older file of the same name
 * stays as it is until there is a whole one to take its place: what is written
 * goes to NAME.part first. What is no ordinary file (a terminal, a pipe,
 * /dev/null) is written to directly. */
#ifndef SIM_COMMAND_OUTPUT_H
#define SIM_COMMAND_OUTPUT_H
#include <stdbool.h>
#include <stdio.h>

enum { OUTPUT_PATH_MAX = 4096 + 8 };

struct output {
    const char
        *name;   /* as the user gave it; "-": standard output; NULL: none */
    FILE *file;  /* NULL: closed, or none */
    bool beside; /* `part` is written, and to be named `path` */
    char path[OUTPUT_PATH_MAX], part[OUTPUT_PATH_MAX];
};

/* Whole: it takes its name. Part: it stays beside it, as NAME.part. None:
 * nothing is left of it. */
enum output_end { OUTPUT_WHOLE, OUTPUT_PART, OUTPUT_NONE };

/* Tell whether o is standard output. */
bool output_is_stdout(const struct output *o);
/* Open o by its name. Returns 0, or 1 when it cannot be written, which is said
 * on standard error. */
int output_open(struct output *o);
/* Tell whether o, which is open, and another go to the same place. */
bool output_is_same(const struct output *o, const struct output *other);
/* Tell whether o, which is open, would take the place of the file at path. */
bool output_replaces(const struct output *o, const char *path);
/* End o; one that is not open is left alone. Returns as output_open(). */
int output_close(struct output *o, enum output_end end);
#endif
