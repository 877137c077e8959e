/* tests/folder.h - a folder of one's own under /tmp, for tests of files. */
#ifndef TESTS_FOLDER_H
#define TESTS_FOLDER_H

enum { FOLDER_LEN = 64 };

/* Make an empty folder and write its path to out. Returns 0, or -1 where /tmp takes
 * none. */
int folder_make(char out[static FOLDER_LEN]);

/* Remove the folder at path with all that is in it; links are not followed. Returns
 * 0, or -1 if something stayed. */
int folder_remove(const char *path);

/* The folder of tests that are set up by folder_setup and end by folder_teardown. */
extern char folder_path[FOLDER_LEN];
int folder_setup(void **state);
int folder_teardown(void **state);

#define FOLDER_TEST(f) \
    cmocka_unit_test_setup_teardown(f, folder_setup, folder_teardown)
#endif
