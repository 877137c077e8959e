/* tests/unit/test_args.c - command lines, as people write them. */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/os/args.h"

enum { DIR, WAIT_FLAG, WAIT, FILE_OPTION, OPTIONS, WORDS = 12 };
static const struct args_option options[OPTIONS] = {
    {"dir", false, " send recv list "},
    {"wait", true, " send "},
    {"wait", false, " recv "},
    {"file", false, " send "}};
static const char usage[] = "usage: p send NAME TEXT | send NAME --file FILE\n"
                            "         [--wait]\n"
                            "       p recv [--wait SECONDS]\n"
                            "       p list\n"
                            "\n"
                            "What p does.\n"
                            "\n"
                            "  send      say something\n"
                            "            to somebody\n"
                            "  recv      read\n"
                            "  list      say all\n"
                            "\n"
                            "  --dir DIR       where\n"
                            "  --wait          (send) until it is there\n"
                            "  --wait SECONDS  (recv) so long\n"
                            "  --file FILE     this one\n"
                            "  --help, --version\n";
static const struct args_form form = {.options = options,
                                      .n_options = OPTIONS,
                                      .commands = " send recv list ",
                                      .texts = " send ",
                                      .rest_max = 2,
                                      .usage = usage};

static struct args a;
static char said[4096]; /* on both outputs */

/* Read a command line, written with blanks; '_' is an empty word. */
static int
read_line(const char *line)
{
    static char copy[200], *argv[WORDS + 1]; /* a points there */
    int argc = 0;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *w = strtok(copy, " "); w; w = strtok(NULL, " ")) {
        assert_true(argc < WORDS);
        argv[argc++] = strcmp(w, "_") == 0 ? w + 1 : w;
    }
    argv[argc] = NULL;
    FILE *out = stdout, *err = stderr, *f = fmemopen(said, sizeof said, "w");
    assert_non_null(f);
    stdout = stderr = f;
    const int status = args_read(&a, argc, argv, &form);
    stdout = out;
    stderr = err;
    fclose(f);
    return status;
}

/* What follows a name is a text, however it looks, but for an option as it stands in
 * the table; '--' ends these, too. */
static void
a_text_is_a_text(void **state)
{
    (void)state;
    static const struct {
        const char *line, *text;
    } row[] = {{"p send b hi", "hi"},
               {"p send b --help", "--help"},
               {"p send b -h", "-h"},
               {"p send b --version", "--version"},
               {"p send b --file=/etc/hostname", "--file=/etc/hostname"},
               {"p send b --wait=1", "--wait=1"},
               {"p send b ---", "---"},
               {"p send b -- --wait", "--wait"},
               {"p send -- b --wait", "--wait"},
               {"p send --dir d b --x --wait", "--x"},
               {"p --dir d send b --x", "--x"},
               {"p --dir=d send --wait b --dirs", "--dirs"},
               {"p --wait send b hi", "hi"},
               {"p send b _", ""},
               {"p send b -", "-"}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        assert_int_equal(read_line(row[i].line), -1);
        assert_string_equal(a.command, "send");
        assert_int_equal(a.n_rest, 2);
        assert_string_equal(a.rest[0], "b");
        assert_string_equal(a.rest[1], row[i].text);
    }
    assert_int_equal(read_line("p send b hi --wait --dir d"), -1);
    assert_int_equal(a.n_rest, 2);
    assert_non_null(a.value[WAIT_FLAG]);
    assert_string_equal(a.value[DIR], "d");
    assert_int_equal(read_line("p send b --file f --dir d"), -1);
    assert_int_equal(a.n_rest, 1);
    assert_string_equal(a.value[FILE_OPTION], "f");
}

static void
options_stand_anywhere(void **state)
{
    (void)state;
    assert_int_equal(read_line("p --wait 5 recv b"), -1);
    assert_string_equal(a.value[WAIT], "5");
    assert_string_equal(a.rest[0], "b");
    assert_int_equal(read_line("p recv b --wait 5"), -1);
    assert_string_equal(a.value[WAIT], "5");
    assert_int_equal(read_line("p recv b -- --wait"), -1);
    assert_string_equal(a.rest[1], "--wait");
    assert_null(a.value[WAIT]);
    assert_int_equal(read_line("p -- recv b"), -1);
    assert_string_equal(a.command, "recv");
}

static void
some_options_come_several_times(void **state)
{
    (void)state;
    struct args_form many = form;
    char *argv[] = {"p", "list", "--dir", "a", "--dir=b", NULL};
    const char *got[3];
    many.many = " dir ";
    assert_int_equal(args_read(&a, 5, argv, &many), -1);
    assert_int_equal(args_values(&a, DIR, got, 3), 2);
    assert_string_equal(got[0], "a");
    assert_string_equal(got[1], "b");
    assert_int_equal(args_values(&a, DIR, got, 1), 1);
    assert_int_equal(args_values(&a, WAIT, got, 3), 0);
}

static void
wrong_lines_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *line, *says;
    } row[] = {{"p", "usage: p send"},
               {"p --dir d", "usage: p send"},
               {"p talk", "unknown command 'talk'"},
               {"p help talk", "unknown command 'talk'"},
               {"p recv --file f", "unknown option '--file'"},
               {"p --file f recv", "unknown option '--file'"},
               {"p recv --wait", "value is missing after '--wait'"},
               {"p recv --wait --dir d", "value is missing after '--wait'"},
               {"p recv --dir a --dir b", "given twice: '--dir'"},
               {"p send --wait=1 b hi", "no value is wanted in '--wait=1'"},
               {"p send b hello world", "in quotes"},
               {"p list a b c", "nothing is wanted after the command, not 'c'"},
               {"p completion", "bash, zsh or fish"},
               {"p completion csh", "bash, zsh or fish"}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        assert_int_equal(read_line(row[i].line), ARGS_EXIT_USAGE);
        if (!strstr(said, row[i].says))
            fail_msg("'%s' says: %s", row[i].line, said);
    }
}

static void
help_is_had_everywhere(void **state)
{
    (void)state;
    static const char *const whole[] = {"p --help", "p -h", "p help",
                                        "p --dir d --help"};
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        assert_int_equal(read_line(whole[i]), 0);
        assert_string_equal(said, usage);
    }
    static const char *const part[] = {"p recv --help", "p recv b -h",
                                       "p help recv", "p --dir d recv -h"};
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++) {
        assert_int_equal(read_line(part[i]), 0);
        assert_string_equal(said, "usage: p recv [--wait SECONDS]\n"
                                  "\n"
                                  "  recv      read\n"
                                  "\n"
                                  "  --dir DIR       where\n"
                                  "  --wait SECONDS  (recv) so long\n");
    }
    assert_int_equal(read_line("p help send"), 0);
    assert_string_equal(said,
                        "usage: p send NAME TEXT | send NAME --file FILE\n"
                        "         [--wait]\n"
                        "\n"
                        "  send      say something\n"
                        "            to somebody\n"
                        "\n"
                        "  --dir DIR       where\n"
                        "  --wait          (send) until it is there\n"
                        "  --file FILE     this one\n");
    assert_int_equal(read_line("p list --version"), 0);
    assert_true(strncmp(said, "p ", 2) == 0);
}

/* Each shell's script names all commands, and the options of each. That bash takes
 * it `make faults` shows. */
static void
completions_come_from_the_table(void **state)
{
    (void)state;
    static const char *const shell[] = {"bash", "zsh", "fish"};
    char line[40];
    for (size_t i = 0; i < 3; i++) {
        snprintf(line, sizeof line, "p completion %s", shell[i]);
        assert_int_equal(read_line(line), 0);
        assert_non_null(strstr(said, "list"));
        assert_non_null(strstr(said, i == 2 ? "-l file -r" : "--file"));
    }
}

const struct CMUnitTest test_args[] = {
    cmocka_unit_test(a_text_is_a_text),
    cmocka_unit_test(options_stand_anywhere),
    cmocka_unit_test(some_options_come_several_times),
    cmocka_unit_test(wrong_lines_are_told),
    cmocka_unit_test(help_is_had_everywhere),
    cmocka_unit_test(completions_come_from_the_table),
};
TEST_SUITE(test_args);
