/* lib/os/args.c - taking argv apart.
 *
 * First the command is looked for, since which options there are depends on the
 * command; then every other word is taken, in order, as an option, its value,
 * or a word that follows the command. No state, no timers. Failure mode: the
 * line is wrong; the first wrong word is named on stderr, and the exit status
 * is 2. */
#include "lib/os/args.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/version.h"

/* The command line while it is read. */
struct args_line {
    struct args *a;
    const struct args_form *form;
    char **argv;
    int argc, at;
};

static int
args_refuse(const struct args *a, const char *what, const char *word)
{
    fprintf(stderr, "%s: %s '%s'; '%s --help' lists what there is\n",
            a->program, what, word, a->program);
    return ARGS_EXIT_USAGE;
}

/* Return the length of the option's name in word, which begins with two dashes.
 */
static size_t
name_len(const char *word)
{
    const char *equals = strchr(word, '=');
    return (equals ? (size_t)(equals - word) : strlen(word)) - 2;
}

static bool
is_option(const struct args_option *o, const char *word)
{
    return strlen(o->name) == name_len(word) &&
           memcmp(o->name, word + 2, name_len(word)) == 0;
}

/* Find the option of the command that word names. Returns NULL when the command
 * has no such option. */
static const struct args_option *
option_find(const struct args_line *l, const char *word)
{
    const struct args_form *f = l->form;
    for (size_t i = 0; i < f->n_options; i++)
        if (is_option(&f->options[i], word) &&
            args_is_among(f->options[i].commands, l->a->command))
            return &f->options[i];
    return NULL;
}

/* Take the option at l->at, and its value. */
static int
option_take(struct args_line *l)
{
    const char *word = l->argv[l->at], *equals = strchr(word, '=');
    const struct args_option *o = option_find(l, word);
    if (!o)
        return args_refuse(l->a, "unknown option", word);
    const bool many = l->form->many && args_is_among(l->form->many, o->name);
    const char **value = &l->a->value[o - l->form->options];
    if (*value && !many)
        return args_refuse(l->a, "given twice:", word);
    if (o->flag && equals)
        return args_refuse(l->a, "no value is wanted in", word);
    if (o->flag)
        *value = "";
    else if (equals)
        *value = equals + 1;
    else if (l->at + 1 < l->argc && strncmp(l->argv[l->at + 1], "--", 2) != 0)
        *value = l->argv[++l->at];
    else
        return args_refuse(l->a, "a value is missing after", word);
    if (!o->flag && !**value && strcmp(o->name, "dir") == 0)
        return args_refuse(l->a, "no directory is named by", word);
    if (many && l->a->n_many == ARGS_MANY_MAX)
        return args_refuse(l->a, "given too often:", word);
    if (many) {
        l->a->many[l->a->n_many].option = (size_t)(o - l->form->options);
        l->a->many[l->a->n_many++].value = *value;
    }
    return -1;
}

/* Find the command: the first word that is neither an option nor the value of
 * one. Returns argc when there is none. */
static int
command_find(const struct args_line *l)
{
    for (int i = 1; i < l->argc; i++) {
        bool value = false, flag = false;
        if (strncmp(l->argv[i], "--", 2) != 0)
            return i;
        if (strcmp(l->argv[i], "--") == 0)
            return i + 1;
        for (size_t k = 0; k < l->form->n_options; k++)
            if (is_option(&l->form->options[k], l->argv[i])) {
                value |= !l->form->options[k].flag;
                flag |= l->form->options[k].flag;
            }
        value &= !strchr(l->argv[i], '=');
        /* what is a flag for some commands and has a value for others */
        if (value && flag && i + 1 < l->argc)
            value = !args_is_among(l->form->commands, l->argv[i + 1]);
        i += value;
    }
    return l->argc;
}

/* Answer word if it asks for help or the version: print that and set *status.
 * Returns whether it did. */
static bool
is_asked(const struct args_line *l, const char *word, int *status)
{
    const bool help = strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
    if (help && l->a->command &&
        args_is_among(l->form->commands, l->a->command))
        *status = args_help(l->form, l->a->command);
    else if (help)
        *status = fputs(l->form->usage, stdout) < 0;
    else if (strcmp(word, "--version") == 0)
        *status = printf("%s %s\n", l->a->program, BRUSIO_VERSION) < 0;
    else
        return false;
    return true;
}

/* Answer what every program answers: 'help', 'help COMMAND', 'completion
 * SHELL'. Returns false when the command is another. */
static bool
is_told(const struct args_line *l, int command, int *status)
{
    const char *name = l->argv[command];
    const char *next = command + 1 < l->argc ? l->argv[command + 1] : NULL;
    const bool more = next && command + 2 < l->argc;
    if (more &&
        (strcmp(name, "completion") == 0 || strcmp(name, "help") == 0)) {
        *status = args_refuse(l->a, "a word too many:", l->argv[command + 2]);
        return true;
    }
    if (strcmp(name, "completion") == 0) {
        *status = args_completion(l->form, l->a->program, next ? next : "");
        return true;
    }
    if (strcmp(name, "help") != 0)
        return is_asked(l, name, status);
    if (!next)
        *status = fputs(l->form->usage, stdout) < 0;
    else if (args_is_among(l->form->commands, next))
        *status = args_help(l->form, next);
    else
        *status = args_refuse(l->a, "unknown command", next);
    return true;
}

/* Take every word but the command. */
static int
words_take(struct args_line *l, int command)
{
    const struct args_form *f = l->form;
    const bool texts = f->texts && args_is_among(f->texts, l->a->command);
    bool ended = false;
    int words = 1, status;
    for (l->at = 1; l->at < l->argc; l->at++) {
        char *word = l->argv[l->at];
        const bool dashes = strncmp(word, "--", 2) == 0;
        const bool text = ended || (texts && words > 1);
        if (l->at == command)
            continue;
        if (!ended && strcmp(word, "--") == 0) {
            ended = true;
            continue;
        }
        if (!text && is_asked(l, word, &status))
            return status;
        if (dashes &&
            (text ? !ended && !strchr(word, '=') && option_find(l, word)
                  : true)) {
            status = option_take(l);
            if (status >= 0)
                return status;
            continue;
        }
        l->argv[words++] = word; /* words is at most l->at */
        l->a->n_before += !ended;
    }
    l->a->rest = (const char *const *)l->argv + 1;
    l->a->n_rest = (size_t)words - 1;
    if (l->a->n_rest > f->rest_max && texts)
        return args_refuse(l->a,
                           "a text is one word, in quotes; there is one more,",
                           l->a->rest[f->rest_max]);
    if (l->a->n_rest > f->rest_max)
        return args_refuse(l->a, "nothing is wanted after the command, not",
                           l->a->rest[f->rest_max]);
    return -1;
}

int
args_read(struct args *a, int argc, char **argv, const struct args_form *form)
{
    const char *slash = strrchr(argv[0], '/');
    struct args_line l = {.a = a, .form = form, .argv = argv, .argc = argc};
    *a = (struct args){.program = slash ? slash + 1 : argv[0]};
    const int command = command_find(&l);
    int status;
    for (int i = 1; i < command && i < argc; i++)
        if (is_asked(&l, argv[i], &status))
            return status;
    if (command >= argc) {
        fputs(form->usage, stderr);
        return ARGS_EXIT_USAGE;
    }
    if (!args_is_among(form->commands, argv[command]))
        return is_told(&l, command, &status)
                   ? status
                   : args_refuse(a, "unknown command", argv[command]);
    a->command = argv[command];
    return words_take(&l, command);
}

size_t
args_values(const struct args *a, size_t i, const char **out, size_t max)
{
    size_t n = 0;
    for (size_t k = 0; k < a->n_many && n < max; k++)
        if (a->many[k].option == i)
            out[n++] = a->many[k].value;
    return n;
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
