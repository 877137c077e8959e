/* tests/fuzz/test_corpus.c - every input that the fuzzers are kept from
 * forgetting, through the harness that found it. */
#include "tests/runner.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 65536, PATH_LEN = 512 };

static void
replay(const char *folder, int (*harness)(const uint8_t *, size_t))
{
    static uint8_t data[INPUT_MAX];
    char path[PATH_LEN];
    unsigned count = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        FILE *f = fopen(path, "rb");
        assert_non_null(f);
        size_t len = fread(data, 1, sizeof data, f);
        fclose(f);
        assert_int_equal(harness(data, len), 0);
        count++;
    }
    closedir(d);
    assert_true(count >= 20); /* an empty folder would prove nothing */
}

static void
parsers(void **state)
{
    (void)state;
    replay("tests/fuzz/corpus/parsers", fuzz_parsers);
}

static void
packets_and_json(void **state)
{
    (void)state;
    replay("tests/fuzz/corpus/sphinx", fuzz_sphinx);
}

const struct CMUnitTest test_corpus[] = {
    cmocka_unit_test(parsers),
    cmocka_unit_test(packets_and_json),
};
TEST_SUITE(test_corpus);
