/* tests/runner.c - every suite in one process, one summary at the end.
 * usage: run-tests [PATTERN]   e.g. run-tests 'sphinx/''*'
 * A pattern that names no test is an error (2): nothing was tested. */
#include "tests/runner.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_TESTS 4096
static struct CMUnitTest all[MAX_TESTS];
static char names[MAX_TESTS][96];
static size_t count;

uint64_t
test_seed(void)
{
    const char *s = getenv("BRUSIO_TEST_SEED");
    return s ? strtoull(s, NULL, 0) : 1;
}

bool
test_proof(void)
{
    const char *s = getenv("BRUSIO_TEST_PROOF");
    return s && strcmp(s, "1") == 0;
}

/* ---- attacks that still work ---- */

#define EXPECTED "expected_to_fail_"
static CMUnitTestFunction expected[MAX_TESTS];
static size_t n_expected;
static bool attack_asked, attack_said;

void
test_attack_works(bool works)
{
    if (!attack_asked)
        fail_msg("only a test named " EXPECTED "* may show an attack");
    attack_said = true;
    if (!works)
        fail_msg("the attack works no more: turn this test round, so that it "
                 "asserts what now holds, and name it after that");
}

static void
expected_run(void **state)
{
    void *none = NULL;
    attack_asked = true;
    attack_said = false;
    (*(CMUnitTestFunction *)*state)(&none);
    attack_asked = false; /* after a failure the next one sets it right */
    if (!attack_said)
        fail_msg("does not say whether its attack works");
}

/* Tests that are expected to fail are run with a look at what they say. */
static void
expected_wrap(struct CMUnitTest *t)
{
    if (strncmp(t->name, EXPECTED, sizeof EXPECTED - 1) != 0)
        return;
    CMUnitTestFunction *fn = &expected[n_expected++];
    *fn = t->test_func;
    t->test_func = expected_run;
    t->initial_state = fn;
}

static void
add(const char *module, const struct CMUnitTest *tests, size_t n)
{
    for (size_t i = 0; i < n && count < MAX_TESTS; i++, count++) {
        all[count] = tests[i];
        expected_wrap(&all[count]);
        snprintf(names[count], sizeof names[count], "%s/%s", module,
                 tests[i].name);
        all[count].name = names[count];
    }
}

/* Does any test have such a name? cmocka itself passes when none has. */
static bool
is_named(const char *pattern)
{
    for (size_t i = 0; i < count; i++)
        if (fnmatch(pattern, names[i], 0) == 0)
            return true;
    return false;
}

bool
test_is_there(const char *name)
{
    for (size_t i = 0; i < count; i++) {
        const char *slash = strchr(names[i], '/');
        if (slash && strcmp(slash + 1, name) == 0)
            return true;
    }
    return false;
}

int
main(int argc, char **argv)
{
    dup2(STDOUT_FILENO, STDERR_FILENO); /* cmocka's summary goes to stderr */
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("seed %" PRIu64 " (set BRUSIO_TEST_SEED to replay)\n", test_seed());
    test_list(add);
    if (n_expected > 0)
        printf("%zu attacks are expected to work still (" EXPECTED "*)\n",
               n_expected);
    if (argc > 2 || (argc > 1 && !is_named(argv[1]))) {
        if (argc == 2)
            printf("no test is named '%s'\n", argv[1]);
        puts("usage: run-tests [PATTERN], one, as 'sphinx*'");
        return 2;
    }
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    /* the count of failures must not wrap around to exit status 0 */
    return _cmocka_run_group_tests("all", all, count, NULL, NULL) == 0
               ? EXIT_SUCCESS
               : EXIT_FAILURE;
}
