/* client/commands/terminal.c - the one place where bytes from outside become
 * something to print, or a name. No state. */
#include "client/commands/terminal.h"

#include <stdbool.h>
#include <string.h>

/* How many of the len bytes at text are one character that steers a terminal or
 * turns the direction of writing (Unicode: Cc, the separators of lines, and the
 * bidirectional controls of UAX 9); 0: none. */
static size_t
control_len(const char *text, size_t len)
{
    const unsigned char *t = (const unsigned char *)text;
    if (t[0] < ' ' || t[0] == 0x7f)
        return 1;
    if (len >= 2 && t[0] == 0xc2 && t[1] >= 0x80 && t[1] <= 0x9f)
        return 2; /* U+0080 to U+009F */
    if (len >= 2 && t[0] == 0xd8 && t[1] == 0x9c)
        return 2; /* U+061C */
    if (len < 3 || t[0] != 0xe2)
        return 0;
    if (t[1] == 0x80 &&
        (t[2] == 0x8e || t[2] == 0x8f || (t[2] >= 0xa8 && t[2] <= 0xae)))
        return 3; /* U+200E, U+200F, U+2028 to U+202E */
    if (t[1] == 0x81 && t[2] >= 0xa6 && t[2] <= 0xa9)
        return 3; /* U+2066 to U+2069 */
    return 0;
}

static void
text_filter(FILE *out, const char *text, size_t len, bool lines)
{
    for (size_t i = 0; i < len;) {
        const bool line = lines && text[i] == '\n';
        const size_t skip = line || (lines && text[i] == '\t')
                                ? 0
                                : control_len(text + i, len - i);
        putc(skip ? '?' : text[i], out);
        if (line)
            fputs("    ", out);
        i += skip ? skip : 1;
    }
}

void
terminal_text(FILE *out, const char *text, size_t len)
{
    text_filter(out, text, len, true);
}

void
terminal_word(FILE *out, const char *word)
{
    text_filter(out, word, strlen(word), false);
}

/* Where the ending of a name begins, which is short and not all of it. */
static size_t
ending_at(const char *name)
{
    enum { ENDING_MAX = 16 };
    const char *dot = strrchr(name, '.');
    const size_t len = strlen(name);
    return dot && dot > name && strlen(dot) <= ENDING_MAX ? (size_t)(dot - name)
                                                          : len;
}

/* Write stem, middle and ending to out, the stem cut between two characters. */
static void
name_join(char *out, size_t len, const char *name, const char *middle)
{
    const size_t at = ending_at(name);
    size_t stem = at;
    const size_t more = strlen(middle) + strlen(name + at);
    if (stem + more > len - 1)
        stem = len - 1 - more;
    while (stem < at && stem > 0 && ((unsigned char)name[stem] & 0xc0) == 0x80)
        stem--;
    snprintf(out, len, "%.*s%s%s", (int)stem, name, middle, name + at);
}

void
terminal_file_name(char *out, size_t len, const char *name)
{
    char clean[4 * TERMINAL_NAME_MAX];
    const char *slash = strrchr(name, '/');
    size_t n = 0;
    if (slash)
        name = slash + 1;
    while (*name && n + 1 < sizeof clean) {
        const size_t skip = control_len(name, strlen(name));
        clean[n++] = skip ? '_' : *name;
        name += skip ? skip : 1;
    }
    clean[n] = 0;
    if (clean[0] == '-') /* no program's option */
        clean[0] = '_';
    if (n == 0 || clean[0] == '.')
        snprintf(out, len, "file");
    else
        name_join(out, len, clean, "");
}

void
terminal_file_name_next(char *out, size_t len, const char *name, unsigned n)
{
    char middle[16];
    snprintf(middle, sizeof middle, " (%u)", n + 1);
    name_join(out, len, name, middle);
}
