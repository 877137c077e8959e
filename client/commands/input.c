/* client/commands/input.c - see input.h. No state. */
#include "client/commands/input.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/error.h"
#include "lib/os/program.h"

static const char program[] = "brusio-client";

int
input_read(const char *path, uint8_t **data, size_t *len)
{
    const bool in = strcmp(path, "-") == 0;
    const char *why = NULL;
    *len = 0;
    *data = malloc(INPUT_MAX + 1);
    FILE *f = in ? stdin : fopen(path, "rbe");
    if (!*data)
        why = error_text(ERR_NOMEM);
    else if (!f)
        why = strerror(errno);
    else
        *len = fread(*data, 1, INPUT_MAX + 1, f);
    if (!why && ferror(f))
        why = strerror(errno);
    else if (!why && *len > INPUT_MAX)
        why = "too long; files of up to 16 MB go through";
    if (f && !in)
        fclose(f);
    if (!why)
        return 0;
    program_fail(program, "%s: %s", in ? "standard input" : path, why);
    free(*data);
    *data = NULL;
    return -1;
}
