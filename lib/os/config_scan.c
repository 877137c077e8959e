/* lib/os/config_scan.c - the grammar of configuration files.
 *
 * One walk over the text checks it and finds the values. They stay in the text:
 * each is moved to where what stood before it has been read already, so that there
 * is room for the zero behind it, and those of a list follow one another.
 *
 * State: none but the text. Failure modes: the first thing that is not in the shape
 * of lib/os/config.h ends the walk with its line and what was expected there. */
#include "lib/os/config_scan.h"

#include <stdarg.h>
#include <string.h>

#include "lib/words.h"

enum { WORD_MAX = WORDS_MAX }; /* of a key, and of what messages quote */

/* Where a text is read, and where the next value goes, which is never later. */
struct config_cursor {
    char *at, *end, *value;
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

/* Refuse a byte that an editor hides, and one that ends a C string. */
static int
bytes_check(const struct config_run *run, const char *text, size_t len)
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
blanks_skip(struct config_cursor *in)
{
    while (in->at < in->end && (*in->at == ' ' || *in->at == '\t'))
        in->at++;
}

/* Skip blanks, comments and newlines. */
static void
lines_skip(struct config_cursor *in)
{
    for (;;) {
        blanks_skip(in);
        if (in->at < in->end && *in->at == '#')
            while (in->at < in->end && *in->at != '\n')
                in->at++;
        if (in->at == in->end || *in->at != '\n')
            return;
        in->at++;
        in->line++;
    }
}

static bool
text_is_next(const struct config_cursor *in, const char *text)
{
    size_t len = strlen(text);
    return (size_t)(in->end - in->at) >= len && memcmp(in->at, text, len) == 0;
}

static bool
is_word_char(char c, const char *others)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || (c != 0 && strchr(others, c) != NULL);
}

/* "the end of the file", "the end of the line", or the character. */
static const char *
next_describe(const struct config_cursor *in, char out[static 24])
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
expansion_refuse(const struct config_run *run, const struct config_cursor *in)
{
    return config_fail(run, ERR_FORMAT, in->line,
                       "'${' is not allowed; expected the value itself, "
                       "nothing is taken from the environment");
}

/* Take the string that begins here: with its escapes undone it is a value. */
static int
string_scan(const struct config_run *run, struct config_cursor *in)
{
    for (in->at++; in->at < in->end && *in->at != '\n';) {
        if (*in->at == '"') {
            in->at++;
            *in->value++ = 0;
            return 0;
        }
        if (text_is_next(in, "${"))
            return expansion_refuse(run, in);
        const bool escaped = *in->at == '\\';
        in->at += escaped;
        if (escaped && !text_is_next(in, "\"") && !text_is_next(in, "\\"))
            return config_fail(run, ERR_FORMAT, in->line,
                               "unknown escape; expected \\\" or \\\\ after "
                               "a backslash");
        *in->value++ = *in->at++;
    }
    return config_fail(run, ERR_FORMAT, in->line,
                       "string is not closed; expected '\"' before the end "
                       "of the line");
}

/* Take a word or a "string", which something stands before. */
static int
scalar_scan(const struct config_run *run, struct config_cursor *in,
            const char *key)
{
    char here[24];
    if (text_is_next(in, "\""))
        return string_scan(run, in);
    const char *start = in->at;
    while (in->at < in->end && is_word_char(*in->at, "_./:@%-"))
        *in->value++ = *in->at++;
    if (in->at > start) {
        *in->value++ = 0;
        return 0;
    }
    if (text_is_next(in, "${"))
        return expansion_refuse(run, in);
    return config_fail(run, ERR_FORMAT, in->line,
                       "%s where the value of '%s' should be; expected a word "
                       "or a \"string\"",
                       next_describe(in, here), key);
}

/* Take the list that begins here; *out is how many values it has. */
static int
list_scan(const struct config_run *run, struct config_cursor *in,
          const char *key, size_t *out)
{
    char here[24];
    size_t n = 0;
    for (in->at++;; in->at++) {
        lines_skip(in);
        if (n == 0 && text_is_next(in, "}"))
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
        if (text_is_next(in, "}"))
            break;
        if (!text_is_next(in, ","))
            return config_fail(run, ERR_FORMAT, in->line,
                               "%s in the list '%s'; expected ',' or '}'",
                               next_describe(in, here), key);
    }
    in->at++;
    *out = n;
    return 0;
}

/* Take the value of option i, of one line but for lists. */
static int
value_scan(struct config_run *run, struct config_cursor *in, size_t i)
{
    const struct config_option *o = &run->table[i];
    char here[24];
    in->value = in->at - 1; /* on what stands between key and value */
    run->value[i] = in->value;
    run->n_values[i] = 1;
    bool braces = text_is_next(in, "{");
    if (braces != (o->type == CONFIG_LIST))
        if (braces || is_word_char(in->at < in->end ? *in->at : 0, "_./:@%-\""))
            return config_fail(
                run, ERR_FORMAT, in->line, "'%s' is %s; expected %s", o->name,
                braces ? "a list" : "not a list",
                braces ? "one value without braces" : "a list {\"a\", \"b\"}");
    int err = braces ? list_scan(run, in, o->name, &run->n_values[i])
                     : scalar_scan(run, in, o->name);
    if (err)
        return err;
    blanks_skip(in);
    if (in->at < in->end && *in->at != '\n' && *in->at != '#')
        return config_fail(run, ERR_FORMAT, in->line,
                           "%s after the value of '%s'; expected the end of "
                           "the line, or the value in double quotes",
                           next_describe(in, here), o->name);
    return 0;
}

/* Take what stands between a key and its value. */
static int
equals_scan(const struct config_run *run, struct config_cursor *in,
            const char *key)
{
    char here[24];
    blanks_skip(in);
    if (!text_is_next(in, "="))
        return config_fail(run, ERR_FORMAT, in->line,
                           "%s after '%s'; expected '='",
                           next_describe(in, here), key);
    in->at++;
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
entry_scan(struct config_run *run, struct config_cursor *in)
{
    char key[WORD_MAX], here[24];
    size_t len = 0, i = 0;
    const char *start = in->at;
    while (in->at < in->end && is_word_char(*in->at, "_-") &&
           len < WORD_MAX - 1)
        key[len++] = *in->at++;
    key[len] = 0;
    if (text_is_next(in, "${"))
        return expansion_refuse(run, in);
    if (in->at == start)
        return config_fail(run, ERR_FORMAT, in->line,
                           "%s at the beginning of an entry; expected "
                           "'key = value' or a comment with '#'",
                           next_describe(in, here));
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
    return value_scan(run, in, i);
}

int
config_scan(struct config_run *run, char *text, size_t len)
{
    struct config_cursor in = {.at = text, .end = text + len, .line = 1};
    int err = bytes_check(run, text, len);
    memset(run->line, 0, sizeof run->line);
    for (lines_skip(&in); !err && in.at < in.end; lines_skip(&in))
        err = entry_scan(run, &in);
    run->last_line = in.line;
    return err;
}
