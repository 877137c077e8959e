/* lib/os/args_help.c - the help of one command, and completions for shells.
 *
 * Both are made from what a program has anyway, its help text and its table of
 * options, so that nothing is written twice. The help has a fixed shape: lines
 * of use, an empty line, paragraphs of which each begins with a command, and
 * lines of options; a line that goes on with the one before stands further in.
 * No state, no timers. Failure modes: the output cannot be written, or the
 * shell is not known: the exit status says so. */
#include <stdio.h>
#include <string.h>

#include "lib/os/args.h"

bool
args_is_among(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = list; (at = strstr(at, word)); at++)
        if (len > 0 && at > list && at[-1] == ' ' && at[len] == ' ')
            return true;
    return false;
}

/* ---- help of one command ---- */

/* Return the line after this one. */
static const char *
line_next(const char *line)
{
    const char *end = strchr(line, '\n');
    return end ? end + 1 : line + strlen(line);
}

/* Tell whether word, between blanks, stands in line. */
static bool
line_has(const char *line, const char *word)
{
    const size_t len = strlen(word);
    const char *end = line_next(line);
    for (const char *at = strstr(line, word); at && at + len < end;
         at = strstr(at + 1, word))
        if (at > line && at[-1] == ' ' && (at[len] == ' ' || at[len] == '\n'))
            return true;
    return false;
}

/* Print line and those that go on with it, which stand further in. */
static const char *
paragraph_print(const char *line)
{
    printf("%.*s", (int)(line_next(line) - line), line);
    line = line_next(line);
    while (strncmp(line, "   ", 3) == 0) {
        printf("%.*s", (int)(line_next(line) - line), line);
        line = line_next(line);
    }
    return line;
}

/* Tell whether this line of the help is about an option that the command takes.
 */
static bool
line_is_option(const struct args_form *f, const char *line, const char *command)
{
    if (strncmp(line, "  --", 4) != 0)
        return false;
    for (size_t i = 0; i < f->n_options; i++) {
        const size_t len = strlen(f->options[i].name);
        const char *value = line + 4 + len + 1;
        if (strncmp(line + 4, f->options[i].name, len) == 0 &&
            (line[4 + len] == ' ' || line[4 + len] == '\n') &&
            (line[4 + len] == '\n' || f->options[i].flag == (*value == ' ')) &&
            args_is_among(f->options[i].commands, command))
            return true;
    }
    return false;
}

int
args_help(const struct args_form *f, const char *command)
{
    static const char use[] = "usage: ";
    const size_t len = strlen(command);
    const char *line = f->usage;
    bool first = true, mine = false, apart = false;
    /* how it is called: the lines up to the first empty one, and those that go
     * on with one further in than all begin */
    for (; *line && *line != '\n'; line = line_next(line)) {
        const bool more = line[sizeof use - 1] == ' ';
        mine = more ? mine : line_has(line, command);
        if (mine)
            printf("%s%.*s", first ? use : "       ",
                   (int)(line_next(line) - line) - (int)sizeof use + 1,
                   line + sizeof use - 1);
        first &= !mine;
    }
    while (*line) {
        const bool told = strncmp(line, "  ", 2) == 0 &&
                          strncmp(line + 2, command, len) == 0 &&
                          (line[2 + len] == ' ' || line[2 + len] == '\n');
        if (!told && !line_is_option(f, line, command)) {
            line = line_next(line);
            continue;
        }
        if (told || !apart)
            putchar('\n');
        apart |= !told;
        line = paragraph_print(line);
    }
    return fflush(stdout) ? ARGS_EXIT_FAILED : 0;
}

/* ---- completions ---- */

/* Walk a list between blanks: set [*word, *word + *len) to the next one after
 * *at. Returns false at its end. */
static bool
word_next(const char **at, const char **word, size_t *len)
{
    *word = *at + strspn(*at, " ");
    *len = strcspn(*word, " ");
    *at = *word + *len;
    return *len > 0;
}

/* Print the options of one command, each after these characters. */
static void
options_print(const struct args_form *f, const char *command, size_t len,
              const char *before)
{
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)len, command);
    for (size_t i = 0; i < f->n_options; i++)
        if (args_is_among(f->options[i].commands, name))
            printf("%s%s", before, f->options[i].name);
}

/* For bash and zsh: a list of options for each command. */
static void
cases_print(const struct args_form *f)
{
    const char *at = f->commands, *word;
    size_t len;
    while (word_next(&at, &word, &len)) {
        printf("        %.*s) words='", (int)len, word);
        options_print(f, word, len, " --");
        puts("' ;;");
    }
}

/* The function's name is the program's, without what no name may have. */
static void
function_print(const char *program)
{
    putchar('_');
    for (; *program; program++)
        putchar(*program == '-' || *program == '.' ? '_' : *program);
}

static void
completion_bash(const struct args_form *f, const char *program)
{
    function_print(program);
    printf("()\n{\n    local word words= command= at\n"
           "    word=${COMP_WORDS[COMP_CWORD]}\n"
           "    for ((at = 1; at < COMP_CWORD; at++)); do\n"
           "        case ' %s ' in\n"
           "        *\" ${COMP_WORDS[at]} \"*) command=${COMP_WORDS[at]}; "
           "break ;;\n"
           "        esac\n    done\n    case $command in\n"
           "        '') words='%s' ;;\n",
           f->commands, f->commands);
    cases_print(f);
    puts("    esac\n"
         "    [[ -n $command && $word != -* ]] ||\n"
         "        COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n}");
    printf("complete -o default -F ");
    function_print(program);
    printf(" %s\n", program);
}

static void
completion_zsh(const struct args_form *f, const char *program)
{
    printf("#compdef %s\n", program);
    function_print(program);
    printf("()\n{\n    local words_before=(${words[2,CURRENT-1]}) command= w\n"
           "    local words=\n"
           "    for w in $words_before; do\n"
           "        case ' %s ' in\n"
           "        *\" $w \"*) command=$w; break ;;\n"
           "        esac\n    done\n    case $command in\n"
           "        '') words='%s' ;;\n",
           f->commands, f->commands);
    cases_print(f);
    puts("    esac\n"
         "    if [[ -n $command && ${PREFIX} != -* ]]; then _files\n"
         "    else compadd -- ${=words}; fi\n}");
    printf("compdef ");
    function_print(program);
    printf(" %s\n", program);
}

static void
completion_fish(const struct args_form *f, const char *program)
{
    const char *at = f->commands, *word;
    size_t len;
    while (word_next(&at, &word, &len)) {
        printf("complete -c %s -n __fish_use_subcommand -f -a %.*s\n", program,
               (int)len, word);
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)len, word);
        for (size_t i = 0; i < f->n_options; i++)
            if (args_is_among(f->options[i].commands, name))
                printf("complete -c %s -n '__fish_seen_subcommand_from %s' -l "
                       "%s%s\n",
                       program, name, f->options[i].name,
                       f->options[i].flag ? "" : " -r");
    }
}

int
args_completion(const struct args_form *f, const char *program,
                const char *shell)
{
    static const struct {
        const char *shell;
        void (*print)(const struct args_form *f, const char *program);
    } row[] = {{"bash", completion_bash},
               {"zsh", completion_zsh},
               {"fish", completion_fish}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        if (strcmp(row[i].shell, shell) == 0) {
            row[i].print(f, program);
            return fflush(stdout) ? ARGS_EXIT_FAILED : 0;
        }
    fprintf(stderr,
            "%s: completion wants bash, zsh or fish; with bash: "
            "eval \"$(%s completion bash)\"\n",
            program, program);
    return ARGS_EXIT_USAGE;
}
