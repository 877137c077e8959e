/* lib/os/wipe.h - files of which nothing is to be left.
 *
 * An unlinked file's bytes stay on the disk until something else is written
 * there. So a small file is overwritten where it lies, and a large file is
 * written sealed, under a key in a page of its own that is overwritten. What a
 * device or a file system that writes elsewhere keeps: doc/THREATS.md. */
#ifndef LIB_OS_WIPE_H
#define LIB_OS_WIPE_H
#include <stdint.h>

#include "lib/error.h"

enum {
    /* One block of a file system: smaller files may lie inside of an inode,
     * from where they are copied. */
    WIPE_PAGE_LEN = 4096,
    WIPE_KEY_LEN = 32
};

/* Overwrite the file at path in place, on the disk, and remove the file.
 * Returns 0, also when there is none, or ERR_IO: then something may be left,
 * and the call may be made again. */
int wipe_file(const char *path) CHECK_RESULT;

/* Read the key in the page at path; draw a key and write the page to the disk
 * when there is no such file. *key is from secret_new(). Returns 0, ERR_NOMEM,
 * ERR_IO, ERR_FORMAT; ERR_EXPIRED: wipe_file() was at work there. */
int wipe_key(const char *path, uint8_t **key) CHECK_RESULT;
#endif
