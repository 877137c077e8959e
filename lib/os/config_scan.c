/* lib/os/config_scan.c - the strict look at a file before libconfuse sees it.
 *
 * libconfuse takes more than we want to mean anything: sections left open,
 * functions, ${VAR} from the environment, a key given twice, octal numbers,
 * strings that end with the file. So the text is walked once by a grammar
 * that is smaller than its own; what passes means the same to both.
 *
 * State: none. */
#include "lib/os/config_scan.h"

#include <stdarg.h>
#include <string.h>

#include "lib/words.h"

enum { WORD_MAX = WORDS_MAX }; /* of a key, and of what messages quote */

struct cursor {
    char *at, *end;
    unsigned line;
};

int
config_fail(const struct config_run *run, int err, unsigned line,
            const char *format, ...)
{
    va_list args;
    int n =
        snprintf(run->error, CONFIG_ERROR_LEN, "%.120s:%u: ", run->name, line);
    va_start(args, format);
    vsnprintf(run->error + n, CONFIG_ERROR_LEN - (size_t)n, format, args);
    va_end(args);
    for (char *p = run->error; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 127)
            *p = '?';
    return err;
}

/* No octet that an editor hides, and none that ends a C string. */
static int
octets_check(const struct config_run *run, const char *text, size_t len)
{
    unsigned line = 1;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        line += c == '\n';
        if ((c < ' ' && c != '\n' && c != '\t') || c == 127)
            return config_fail(run, ERR_FORMAT, line,
                               "control character 0x%02x; expected text with "
                               "lines that end in a newline alone",
                               c);
    }
    return 0;
}

static void
blanks_skip(struct cursor *in)
{
    while (in->at < in->end && (*in->at == ' ' || *in->at == '\t'))
        in->at++;
}

/* Blanks, comments and newlines. Comments are blanked, since libconfuse does
 * not take them everywhere. */
static void
lines_skip(struct cursor *in)
{
    for (;;) {
        blanks_skip(in);
        if (in->at < in->end && *in->at == '#')
            while (in->at < in->end && *in->at != '\n')
                *in->at++ = ' ';
        if (in->at == in->end || *in->at != '\n')
            return;
        in->at++;
        in->line++;
    }
}

static bool
peek(const struct cursor *in, const char *text)
{
    size_t len = strlen(text);
    return (size_t)(in->end - in->at) >= len && memcmp(in->at, text, len) == 0;
}

static bool
is_one_of(char c, const char *others)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || (c != 0 && strchr(others, c) != NULL);
}

/* "the end of the file", "the end of the line", or the character. */
static const char *
what_is_here(const struct cursor *in, char out[static 24])
{
    if (in->at == in->end)
        return "the end of the file";
    if (*in->at == '\n')
        return "the end of the line";
    if ((unsigned char)*in->at >= 128)
        return "a character outside ASCII";
    snprintf(out, 24, "'%c'", *in->at);
    return out;
}

static int
expansion_refuse(const struct config_run *run, const struct cursor *in)
{
    return config_fail(run, ERR_FORMAT, in->line,
                       "'${' is not allowed; expected the value itself, "
                       "nothing is taken from the environment");
}

static int
string_scan(const struct config_run *run, struct cursor *in)
{
    for (in->at++; in->at < in->end && *in->at != '\n'; in->at++) {
        if (*in->at == '"') {
            in->at++;
            return 0;
        }
        if (peek(in, "${"))
            return expansion_refuse(run, in);
        if (*in->at != '\\')
            continue;
        in->at++;
        if (!peek(in, "\"") && !peek(in, "\\"))
            return config_fail(run, ERR_FORMAT, in->line,
                               "unknown escape; expected \\\" or \\\\ after "
                               "a backslash");
    }
    return config_fail(run, ERR_FORMAT, in->line,
                       "string is not closed; expected '\"' before the end "
                       "of the line");
}

/* A word or a "string". */
static int
scalar_scan(const struct config_run *run, struct cursor *in, const char *key)
{
    char here[24];
    const char *start = in->at;
    if (peek(in, "\""))
        return string_scan(run, in);
    while (in->at < in->end && is_one_of(*in->at, "_./:@%-")) {
        if (peek(in, "//"))
            return config_fail(run, ERR_FORMAT, in->line,
                               "'//' in the value of '%s'; expected a value "
                               "in double quotes",
                               key);
        in->at++;
    }
    if (in->at > start)
        return 0;
    if (peek(in, "${"))
        return expansion_refuse(run, in);
    return config_fail(run, ERR_FORMAT, in->line,
                       "%s where the value of '%s' should be; expected a word "
                       "or a \"string\"",
                       what_is_here(in, here), key);
}

static int
list_scan(const struct config_run *run, struct cursor *in, const char *key)
{
    char here[24];
    size_t n = 0;
    for (in->at++;; in->at++) {
        lines_skip(in);
        if (n == 0 && peek(in, "}"))
            break;
        int err = scalar_scan(run, in, key);
        if (err)
            return err;
        if (++n > CONFIG_LIST_MAX)
            return config_fail(run, ERR_RANGE, in->line,
                               "list '%s' is too long; expected at most %d "
                               "elements",
                               key, CONFIG_LIST_MAX);
        lines_skip(in);
        if (peek(in, "}"))
            break;
        if (!peek(in, ","))
            return config_fail(run, ERR_FORMAT, in->line,
                               "%s in the list '%s'; expected ',' or '}'",
                               what_is_here(in, here), key);
    }
    in->at++;
    return 0;
}

static int
value_scan(const struct config_run *run, struct cursor *in,
           const struct config_option *o)
{
    char here[24];
    bool braces = peek(in, "{");
    if (braces != (o->type == CONFIG_LIST))
        if (braces || is_one_of(in->at < in->end ? *in->at : 0, "_./:@%-\""))
            return config_fail(
                run, ERR_FORMAT, in->line, "'%s' is %s; expected %s", o->name,
                braces ? "a list" : "not a list",
                braces ? "one value without braces" : "a list {\"a\", \"b\"}");
    int err =
        braces ? list_scan(run, in, o->name) : scalar_scan(run, in, o->name);
    if (err)
        return err;
    blanks_skip(in);
    if (in->at < in->end && *in->at != '\n' && *in->at != '#')
        return config_fail(run, ERR_FORMAT, in->line,
                           "%s after the value of '%s'; expected the end of "
                           "the line, or the value in double quotes",
                           what_is_here(in, here), o->name);
    return 0;
}

/* What stands between key and value. */
static int
equals_scan(const struct config_run *run, struct cursor *in, const char *key)
{
    char here[24];
    blanks_skip(in);
    if (peek(in, "="))
        in->at++;
    else if (peek(in, "("))
        return config_fail(run, ERR_FORMAT, in->line,
                           "function '%s()' is not allowed; expected "
                           "'key = value'",
                           key);
    else if (peek(in, "{"))
        return config_fail(run, ERR_FORMAT, in->line,
                           "section '%s' is not allowed; expected "
                           "'key = value'",
                           key);
    else if (peek(in, "+="))
        return config_fail(run, ERR_FORMAT, in->line,
                           "'+=' is not allowed; expected '%s = value'", key);
    else
        return config_fail(run, ERR_FORMAT, in->line,
                           "%s after '%s'; expected '='",
                           what_is_here(in, here), key);
    blanks_skip(in);
    return 0;
}

static int
key_find(const struct config_run *run, unsigned line, const char *key,
         size_t *index)
{
    unsigned best = WORD_MAX;
    const char *nearest = "";
    for (size_t i = 0; i < run->n; i++) {
        unsigned d = words_distance(key, run->table[i].name);
        if (d < best) {
            best = d;
            nearest = run->table[i].name;
            *index = i;
        }
    }
    if (best == 0)
        return 0;
    if (!words_are_near(key, best))
        return config_fail(run, ERR_UNKNOWN, line,
                           "unknown key '%s'; expected a key of the example "
                           "file",
                           key);
    return config_fail(run, ERR_UNKNOWN, line,
                       "unknown key '%s'; expected a key of the example file; "
                       "did you mean '%s'?",
                       key, nearest);
}

static int
entry_scan(struct config_run *run, struct cursor *in)
{
    char key[WORD_MAX], here[24];
    size_t len = 0, i = 0;
    const char *start = in->at;
    while (in->at < in->end && is_one_of(*in->at, "_-") && len < WORD_MAX - 1)
        key[len++] = *in->at++;
    key[len] = 0;
    if (peek(in, "${"))
        return expansion_refuse(run, in);
    if (in->at == start)
        return config_fail(run, ERR_FORMAT, in->line,
                           "%s at the beginning of an entry; expected "
                           "'key = value' or a comment with '#'",
                           what_is_here(in, here));
    int err = equals_scan(run, in, key);
    if (!err)
        err = key_find(run, in->line, key, &i);
    if (err)
        return err;
    if (run->line[i])
        return config_fail(run, ERR_DUPLICATE, in->line,
                           "'%s' is given again; expected it once, it stands "
                           "in line %u already",
                           key, run->line[i]);
    run->line[i] = in->line;
    return value_scan(run, in, &run->table[i]);
}

int
config_scan(struct config_run *run, char *text, size_t len)
{
    struct cursor in = {.at = text, .end = text + len, .line = 1};
    int err = octets_check(run, text, len);
    memset(run->line, 0, sizeof run->line);
    for (lines_skip(&in); !err && in.at < in.end; lines_skip(&in))
        err = entry_scan(run, &in);
    run->last_line = in.line;
    return err;
}
