/* sphinx/suite.c - the list of suites, above them all.
 *
 * State: one pointer for the whole process, to the suite `null`; NULL until
 * sphinx_null_register(), which programs call before they start a thread.
 * No timers, no failure. */
#include "sphinx/suite.h"

#include <string.h>

static const struct suite *null_suite_known;

const struct suite *
suite_find(uint8_t id)
{
    if (id == SPHINX_SUITE_X25519)
        return &suite_x25519;
    if (id == SPHINX_SUITE_X25519_MLKEM768)
        return suite_mlkem_works() ? &suite_mlkem : NULL;
    return id == SPHINX_SUITE_NULL ? null_suite_known : NULL;
}

void
suite_set_null(const struct suite *null_suite)
{
    null_suite_known = null_suite;
}

static const char *const names[] = {
    [SPHINX_SUITE_NULL] = "null",
    [SPHINX_SUITE_X25519] = "x25519",
    [SPHINX_SUITE_X25519_MLKEM768] = "x25519-mlkem768",
};
enum { NAMES = sizeof names / sizeof *names };

const char *
sphinx_suite_name(uint8_t suite)
{
    return suite < NAMES ? names[suite] : NULL;
}

int
sphinx_suite_from_name(const char *name, uint8_t *suite)
{
    for (*suite = 0; *suite < NAMES; ++*suite)
        if (strcmp(name, names[*suite]) == 0)
            return 0;
    return ERR_UNKNOWN;
}

bool
sphinx_suite_works(uint8_t suite)
{
    return suite_find(suite) != NULL;
}
