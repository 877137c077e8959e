/* tests/bad_disk.c - see bad_disk.h. State: for each thread, which call is to fail. */
/* else these are inlined where they are defined */
#undef _FORTIFY_SOURCE
#include "tests/bad_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "tests/runner.h"

static _Thread_local struct {
    bool armed, failed, rest;
    bool quick; /* between the first run and the last no disk is waited for */
    unsigned calls;
    long left; /* so many more succeed; negative: none fails */
    long seen;
} mine;

static bool
call_fails(enum bad_calls call, int number)
{
    if (!mine.armed || !(mine.calls & call))
        return false;
    mine.seen++;
    if (mine.left != 0) {
        mine.left -= mine.left > 0;
        return false;
    }
    if (!mine.rest)
        mine.left = -1;
    mine.failed = true;
    errno = number;
    return true;
}

/* Sanitizers see who waits for whom by what is read and written. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define REAL(name) __interceptor_##name
extern ssize_t REAL(read)(int fd, void *to, size_t n);
extern ssize_t REAL(write)(int fd, const void *from, size_t n);
extern ssize_t REAL(pread)(int fd, void *to, size_t n, off_t at);
extern ssize_t REAL(pwrite)(int fd, const void *from, size_t n, off_t at);
#define DO_READ(fd, to, n)         REAL(read)(fd, to, n)
#define DO_WRITE(fd, from, n)      REAL(write)(fd, from, n)
#define DO_PREAD(fd, to, n, at)    REAL(pread)(fd, to, n, at)
#define DO_PWRITE(fd, from, n, at) REAL(pwrite)(fd, from, n, at)
#else
#define DO_READ(fd, to, n)         syscall(SYS_read, fd, to, n)
#define DO_WRITE(fd, from, n)      syscall(SYS_write, fd, from, n)
#define DO_PREAD(fd, to, n, at)    syscall(SYS_pread64, fd, to, n, at)
#define DO_PWRITE(fd, from, n, at) syscall(SYS_pwrite64, fd, from, n, at)
#endif

ssize_t
read(int fd, void *to, size_t n)
{
    return call_fails(BAD_READ, EIO) ? -1 : DO_READ(fd, to, n);
}

ssize_t
write(int fd, const void *from, size_t n)
{
    return call_fails(BAD_WRITE, ENOSPC) ? -1 : DO_WRITE(fd, from, n);
}

ssize_t
pread(int fd, void *to, size_t n, off_t at)
{
    return call_fails(BAD_READ, EIO) ? -1 : DO_PREAD(fd, to, n, at);
}

ssize_t
pread64(int fd, void *to, size_t n, off64_t at)
{
    return call_fails(BAD_READ, EIO) ? -1 : DO_PREAD(fd, to, n, at);
}

ssize_t
pwrite(int fd, const void *from, size_t n, off_t at)
{
    return call_fails(BAD_WRITE, ENOSPC) ? -1 : DO_PWRITE(fd, from, n, at);
}

ssize_t
pwrite64(int fd, const void *from, size_t n, off64_t at)
{
    return call_fails(BAD_WRITE, ENOSPC) ? -1 : DO_PWRITE(fd, from, n, at);
}

int
ftruncate(int fd, off_t len)
{
    return call_fails(BAD_WRITE, ENOSPC) ? -1
                                         : (int)syscall(SYS_ftruncate, fd, len);
}

int
ftruncate64(int fd, off64_t len)
{
    return call_fails(BAD_WRITE, ENOSPC) ? -1
                                         : (int)syscall(SYS_ftruncate, fd, len);
}

_Thread_local bool bad_disk_reserves_nothing;

/* Returns the number of the error, as fallocate(2) does not. */
int
posix_fallocate(int fd, off_t at, off_t len)
{
    if (bad_disk_reserves_nothing)
        return EOPNOTSUPP;
    if (call_fails(BAD_WRITE, ENOSPC))
        return ENOSPC;
    return syscall(SYS_fallocate, fd, 0, at, len) ? errno : 0;
}

int
posix_fallocate64(int fd, off64_t at, off64_t len)
{
    return posix_fallocate(fd, at, len);
}

int
fsync(int fd)
{
    return call_fails(BAD_SYNC, EIO) ? -1
           : mine.quick              ? 0
                                     : (int)syscall(SYS_fsync, fd);
}

int
fdatasync(int fd)
{
    return call_fails(BAD_SYNC, EIO) ? -1
           : mine.quick              ? 0
                                     : (int)syscall(SYS_fdatasync, fd);
}

int
rename(const char *from, const char *to)
{
    return call_fails(BAD_RENAME, EIO)
               ? -1
               : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* ---- runs ---- */

/* The call that fails in the next run of a quick one: spread over all. */
static long
sample_next(const struct bad_disk *d)
{
    const long most = d->most ? d->most : BAD_MOST;
    return d->total <= most ? d->runs - 1 : (d->runs - 1) * d->total / most;
}

/* Choose the call that fails in the next run. Returns false: there is none. */
static bool
call_choose(struct bad_disk *d)
{
    if (d->runs == 0) {
        d->n = -1;
    } else {
        if (d->runs == 1)
            d->total = mine.seen;
        d->failures += d->failed;
        if (d->runs > 1 && !d->failed) {
            assert_true(d->failures > 0);
            return false;
        }
        d->n = test_proof() ? d->runs - 1 : sample_next(d);
        if (d->n >= d->total && d->total > 0 && !test_proof())
            return false;
    }
    return true;
}

bool
bad_disk_next(struct bad_disk *d)
{
    mine.quick = call_choose(d);
    if (!mine.quick)
        return false;
    d->runs++;
    d->failed = false;
    mine.seen = 0;
    mine.failed = false;
    mine.left = d->n;
    return true;
}

void
bad_disk_arm(struct bad_disk *d)
{
    mine.calls = d->calls;
    mine.rest = d->rest;
    mine.armed = true;
}

void
bad_disk_disarm(struct bad_disk *d)
{
    mine.armed = false;
    d->failed = mine.failed;
}
