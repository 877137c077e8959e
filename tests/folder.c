/* tests/folder.c - see folder.h. */
#include "tests/folder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char folder_path[FOLDER_LEN];

int
folder_make(char out[static FOLDER_LEN])
{
    strcpy(out, "/tmp/brusio-test-XXXXXX");
    return mkdtemp(out) ? 0 : -1;
}

static int
entry_remove(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

int
folder_remove(const char *path)
{
    return nftw(path, entry_remove, 16, FTW_DEPTH | FTW_PHYS) ? -1 : 0;
}

int
folder_setup(void **state)
{
    (void)state;
    return folder_make(folder_path);
}

int
folder_teardown(void **state)
{
    (void)state;
    return folder_remove(folder_path);
}
