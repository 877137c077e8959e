/* tests/runner.c - every suite in one process, one summary at the end.
 * usage: run-tests [FILTER]   e.g. run-tests 'sphinx/''*' */
#include "tests/runner.h"

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

static void
add(const char *module, const struct CMUnitTest *tests, size_t n)
{
    for (size_t i = 0; i < n && count < MAX_TESTS; i++, count++) {
        all[count] = tests[i];
        snprintf(names[count], sizeof names[count], "%s/%s", module,
                 tests[i].name);
        all[count].name = names[count];
    }
}

int
main(int argc, char **argv)
{
    dup2(STDOUT_FILENO, STDERR_FILENO); /* cmocka's summary goes to stderr */
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("seed %" PRIu64 " (set BRUSIO_TEST_SEED to replay)\n", test_seed());
    test_list(add);
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    /* the count of failures must not wrap around to exit status 0 */
    return _cmocka_run_group_tests("all", all, count, NULL, NULL) == 0
               ? EXIT_SUCCESS
               : EXIT_FAILURE;
}
