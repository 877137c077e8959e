/* doc/pages/conf_page.c - the section 5 pages of configuration files. Each is a
 * template beside its table of options (lib/os/config.h): where a line of the
 * template is @KEY@, there comes what the table says of that key, in the words
 * that `init` writes into an example file; what else the template has is copied.
 * So a page cannot differ from the program. @SYNTAX@ is what all files share.
 *
 * A key that the template leaves out, names twice, or that the program does not
 * know, is an error. Keys of test builds are in no page.
 *
 * usage: conf_page client|relay|directory <TEMPLATE >PAGE */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/os/config.h"

/* The headers of these cannot be included together. */
extern const struct config_option client_options[], relay_options[],
    server_options[];
extern const size_t client_options_len, relay_options_len, server_options_len;

static const char syntax[] =
    "Each line is empty, or is\n"
    ".Ql key = value ,\n"
    "and what follows\n"
    ".Sq #\n"
    "is a comment; the file has %u KiB at most.\n"
    "Values are words and numbers,\n"
    ".Ql \\(dqstrings\\(dq ,\n"
    "in which \\e\\(dq and \\e\\e stand for a quote and a backslash, and lists "
    "of strings,\n"
    ".Ql {\\(dqa\\(dq, \\(dqb\\(dq} .\n"
    "A key that is not known or is given twice, and a value that is out of its "
    "limits,\n"
    "are errors.\n"
    "Below, each key stands with its default, or with an example if it is "
    "required.\n";

/* Write text that roff takes for nothing else. */
static void
text_write(const char *text, size_t len)
{
    if (len > 0 && (text[0] == '\'' || text[0] == '.'))
        fputs("\\&", stdout);
    for (size_t i = 0; i < len; i++)
        if (text[i] == '\\')
            fputs("\\e", stdout);
        else if (text[i] == '"')
            fputs("\\(dq", stdout);
        else if (text[i] == '-')
            fputs("\\-", stdout);
        else
            putchar(text[i]);
}

/* Write one key's entry from the three lines of its example:
 *     # help
 *     # Takes an integer from 1 to 3; this is the default.
 *     #layers = 3                          (required: without the #) */
static int
entry_write(const struct config_option *o)
{
    static const char takes[] = "\n# Takes ", is_default[] = "; this is the";
    char *example = NULL;
    size_t len;
    FILE *to = open_memstream(&example, &len);
    if (!to)
        return -1;
    config_write_example(o, 1, to);
    if (fclose(to)) {
        free(example);
        return -1;
    }
    const char *help = example + strlen("# "), *type = strstr(help, takes);
    const char *key = type ? strchr(type + 1, '\n') : NULL;
    const char *type_end =
        type ? strstr(type, o->required ? "; required" : is_default) : NULL;
    if (!key || !type_end || type_end > key) {
        free(example);
        return -1;
    }
    key += strlen(o->required ? "\n" : "\n#");
    fputs(".It Ic ", stdout);
    text_write(o->name, strlen(o->name));
    fputs(" No = ", stdout);
    key += strlen(o->name) + strlen(" = ");
    text_write(key, strcspn(key, "\n"));
    putchar('\n');
    putchar(toupper((unsigned char)help[0]));
    text_write(help + 1, (size_t)(type - help) - 1);
    type += strlen(takes);
    fputs(".\nThe value is ", stdout);
    text_write(type, (size_t)(type_end - type));
    puts(o->required ? "; it is required." : ".");
    free(example);
    return 0;
}

/* Copy the template with its keys filled in. */
static int
page_write(const struct config_option *table, size_t n, bool *seen)
{
    char line[1024];
    while (fgets(line, sizeof line, stdin)) {
        const size_t len = strcspn(line, "\n");
        size_t i = 0;
        if (len < 3 || line[0] != '@' || line[len - 1] != '@') {
            fputs(line, stdout);
            continue;
        }
        line[len - 1] = 0;
        if (strcmp(line + 1, "SYNTAX") == 0) {
            printf(syntax, (unsigned)CONFIG_FILE_MAX >> 10);
            continue;
        }
        while (i < n && strcmp(table[i].name, line + 1) != 0)
            i++;
        if (i == n || seen[i]) {
            fprintf(stderr, "conf_page: the template names '%s'%s\n", line + 1,
                    i == n ? ", which is no key" : " twice");
            return -1;
        }
        seen[i] = true;
        if (entry_write(&table[i])) {
            fprintf(stderr, "conf_page: '%s' cannot be written\n", line + 1);
            return -1;
        }
    }
    return ferror(stdin) || fflush(stdout) ? -1 : 0;
}

int
main(int argc, char **argv)
{
    const struct {
        const char *program;
        const struct config_option *table;
        size_t n;
    } row[] = {{"client", client_options, client_options_len},
               {"relay", relay_options, relay_options_len},
               {"directory", server_options, server_options_len}};
    bool seen[CONFIG_OPTIONS_MAX] = {false};
    for (size_t r = 0; argc == 2 && r < sizeof row / sizeof row[0]; r++) {
        if (strcmp(argv[1], row[r].program) != 0)
            continue;
        int status = page_write(row[r].table, row[r].n, seen) ? 1 : 0;
        for (size_t i = 0; i < row[r].n && !status; i++) {
            const char *name = row[r].table[i].name;
            if (seen[i] || strncmp(name, "fault_", strlen("fault_")) == 0)
                continue;
            fprintf(stderr,
                    "conf_page: brusio-%s takes the key '%s', which the "
                    "template does not have; a line @%s@ puts it there\n",
                    argv[1], name, name);
            status = 1;
        }
        return status;
    }
    fputs("usage: conf_page client|relay|directory <TEMPLATE >PAGE\n", stderr);
    return 2;
}
