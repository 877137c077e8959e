/* tests/bad_disk.h - a disk that fails when a test says so.
 *
 * The definitions in bad_disk.c take the place of read(), write(), fsync(),
 * rename() and their kin for the whole process, libraries included, SQLite too, and
 * pass the work on to the kernel. Only the thread that asks for failures gets them.
 *
 *     for (struct bad_disk d = {.calls = BAD_SYNC}; bad_disk_next(&d);) {
 *         struct thing *t = thing_prepare();
 *         bad_disk_arm(&d);
 *         int err = thing_do(t);
 *         bad_disk_disarm(&d);
 *         assert_true(d.failed || !err);
 *         thing_check(t);
 *     }
 *
 * In the first run nothing fails, and d.n is -1; then call d.n of those made while
 * armed fails, and with d.rest all that follow while it is armed, for d.n = 0, 1, 2
 * and so on, until a run in which none has failed. Nothing waits for a disk
 * meanwhile: what is synced is not, unless that fails. A quick run of the tests takes a
 * sample of these. */
#ifndef TESTS_BAD_DISK_H
#define TESTS_BAD_DISK_H
#include <stdbool.h>

enum bad_calls {
    BAD_READ = 1,   /* EIO */
    BAD_WRITE = 2,  /* ENOSPC; lengthening a file, too */
    BAD_SYNC = 4,   /* EIO */
    BAD_RENAME = 8, /* EIO */
    BAD_ALL = 15
};

struct bad_disk {
    unsigned calls; /* enum bad_calls */
    bool rest;
    long most; /* runs of a quick run; 0: BAD_MOST */
    /* from here on: read only; starts as zeros */
    long n;
    bool failed;   /* after bad_disk_disarm(): one has failed in this run */
    long total;    /* calls of the first run */
    long runs;     /* this one included */
    long failures; /* runs in which one has failed */
};

enum { BAD_MOST = 8 };

/* Begin the next run: is there one? */
bool bad_disk_next(struct bad_disk *d);
/* While this is true no file system can set room aside: it says EOPNOTSUPP. */
extern _Thread_local bool bad_disk_reserves_nothing;

/* Calls count and fail between these. A run may arm several times: it counts on,
 * and what has begun to fail goes on. */
void bad_disk_arm(struct bad_disk *d);
void bad_disk_disarm(struct bad_disk *d);
#endif
