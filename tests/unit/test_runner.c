/* tests/unit/test_runner.c - the runner itself: a pattern that names no test is
 * an error, lest what was never run be taken for what passed. */
#include "tests/runner.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Run this program again, quietly, with one or two arguments; returns its exit
 * status. */
static int
runner_run(const char *one, const char *two)
{
    int status;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const int quiet = open("/dev/null", O_WRONLY);
        if (quiet >= 0 && dup2(quiet, STDOUT_FILENO) >= 0)
            execl("/proc/self/exe", "run-tests", one, two, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* What the next test lets the runner find: it passes, unless it is told not to.
 */
static void
one_that_is_named(void **state)
{
    (void)state;
    assert_null(getenv("BRUSIO_TEST_PLANTED"));
}

static void
a_pattern_has_to_name_a_test(void **state)
{
    (void)state;
    assert_int_equal(runner_run("runner/one_that*", NULL), 0);
    assert_int_equal(runner_run("runner/one_that", NULL), 2);
    assert_int_equal(runner_run("one_that*", NULL), 2);
    assert_int_equal(runner_run("", NULL), 2);
    assert_int_equal(runner_run("--help", NULL), 2);
    assert_int_equal(runner_run("runner/one_that*", "runner/one_that*"), 2);
    assert_int_equal(setenv("BRUSIO_TEST_PLANTED", "1", 1), 0);
    const int failed = runner_run("runner/one_that*", NULL);
    assert_int_equal(unsetenv("BRUSIO_TEST_PLANTED"), 0);
    assert_int_equal(failed, 1);
}

const struct CMUnitTest test_runner[] = {
    cmocka_unit_test(one_that_is_named),
    cmocka_unit_test(a_pattern_has_to_name_a_test),
};
TEST_SUITE(test_runner);
