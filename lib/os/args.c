/* lib/os/args.c - taking argv apart. No state. */
#include "lib/os/args.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/version.h"

/* Is word one of a list between blanks? */
static bool
is_among(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = list; (at = strstr(at, word)); at++)
        if (len > 0 && at > list && at[-1] == ' ' && at[len] == ' ')
            return true;
    return false;
}

static int
wrong(const struct args *a, const char *what, const char *word)
{
    fprintf(stderr, "%s: %s '%s'; '%s --help' lists what there is\n",
            a->program, what, word, a->program);
    return ARGS_EXIT_USAGE;
}

static int
option_take(struct args *a, char **argv, int argc, int *i,
            const struct args_option *options, size_t n)
{
    const char *word = argv[*i] + 2, *equals = strchr(word, '=');
    size_t len = equals ? (size_t)(equals - word) : strlen(word);
    for (size_t k = 0; k < n; k++) {
        if (strlen(options[k].name) != len ||
            memcmp(options[k].name, word, len) != 0 ||
            !is_among(options[k].commands, a->command))
            continue;
        if (options[k].flag && equals)
            return wrong(a, "no value is wanted in", argv[*i]);
        if (options[k].flag)
            a->value[k] = "";
        else if (equals)
            a->value[k] = equals + 1;
        else if (*i + 1 < argc)
            a->value[k] = argv[++*i];
        else
            return wrong(a, "a value is missing after", argv[*i]);
        return -1;
    }
    return wrong(a, "unknown option", argv[*i]);
}

int
args_parse(struct args *a, int argc, char **argv,
           const struct args_option *options, size_t n, const char *commands,
           size_t rest_max, const char *usage)
{
    int i = 2;
    const char *slash = strrchr(argv[0], '/');
    *a = (struct args){.program = slash ? slash + 1 : argv[0]};
    for (int k = 1; k < argc && strcmp(argv[k], "--") != 0; k++) {
        if (strcmp(argv[k], "--help") == 0)
            return fputs(usage, stdout) < 0;
        if (strcmp(argv[k], "--version") == 0)
            return printf("%s %s\n", a->program, BRUSIO_VERSION) < 0;
    }
    if (argc < 2) {
        fputs(usage, stderr);
        return ARGS_EXIT_USAGE;
    }
    a->command = argv[1];
    if (!is_among(commands, a->command))
        return wrong(a, "unknown command", a->command);
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if (strcmp(argv[i], "--") == 0) {
            i++;
            break;
        }
        int status = option_take(a, argv, argc, &i, options, n);
        if (status >= 0)
            return status;
    }
    a->rest = (const char *const *)argv + i;
    a->n_rest = (size_t)(argc - i);
    /* options may follow the words, too */
    for (int k = i; k < argc; k++)
        if (strncmp(argv[k], "--", 2) == 0 && strcmp(argv[i - 1], "--") != 0) {
            int words = k, at = k;
            int status = option_take(a, argv, argc, &at, options, n);
            if (status >= 0)
                return status;
            memmove(&argv[words], &argv[at + 1],
                    (size_t)(argc - at - 1) * sizeof *argv);
            argc -= at + 1 - words;
            a->n_rest = (size_t)(argc - i);
            k--;
        }
    if (a->n_rest > rest_max)
        return wrong(a, "nothing is wanted after the command, not",
                     a->rest[rest_max]);
    return -1;
}

bool
args_number(const struct args *a, const struct args_option *options, size_t i,
            uint64_t min, uint64_t max, uint64_t otherwise, uint64_t *out)
{
    const char *text = a->value[i];
    char *end;
    *out = otherwise;
    if (!text)
        return true;
    errno = 0;
    uint64_t v = strtoull(text, &end, 10);
    if (errno || *text < '0' || *text > '9' || *end || v < min || v > max) {
        fprintf(stderr,
                "%s: --%s wants a whole number from %" PRIu64 " to %" PRIu64
                ", not '%s'\n",
                a->program, options[i].name, min, max, text);
        return false;
    }
    *out = v;
    return true;
}
