/* lib/os/confine.c - giving up a user, files and system calls, by the means of
 * lib/os/sandbox.h. No state. */
#include "lib/os/confine.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/os/files.h"
#include "lib/os/sandbox.h"
#include "lib/os/system.h"

/* Sanitizers trace and read any file at the end. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* What libraries read late: certificates and OpenSSL's providers, what threads
 * and the loader need, times of day. */
static const char *const libraries[] = {"/etc/ssl",
                                        "/usr/lib",
                                        "/lib",
                                        "/lib64",
                                        "/dev/urandom",
                                        "/etc/localtime",
                                        "/usr/share/zoneinfo",
                                        "/etc/ld.so.cache",
                                        "/proc/self",
                                        "/proc/sys/vm/overcommit_memory"};
enum { LIBRARIES = sizeof libraries / sizeof libraries[0], VERDICT_LEN = 100 };

static int
user_change(const struct log *log, const struct confine *c)
{
    if (!c->user || geteuid() != 0)
        return 0;
    if (!c->user[0]) {
        log_write(log, LOG_WARNING, c->module,
                  "runs as root; set 'user' in %s to an ordinary one", c->conf);
        return 0;
    }
    int err = sandbox_user(c->user);
    if (err == ERR_NOT_FOUND)
        log_write(log, LOG_ERROR, c->module,
                  "'user': there is no user '%s' on this machine", c->user);
    else if (err)
        log_write(log, LOG_ERROR, c->module, "cannot become user '%s'",
                  c->user);
    else if (access(c->dir, R_OK | W_OK | X_OK)) {
        log_write(log, LOG_ERROR, c->module,
                  "user '%s' cannot write in %s; as root: chown -R %s %s",
                  c->user, c->dir, c->user, c->dir);
        err = ERR_IO;
    }
    return err;
}

static int
files_close(const struct confine *c)
{
    char path[CONFINE_FILES_MAX][FILES_PATH_MAX];
    const char *const rw[] = {c->dir, NULL};
    const char *ro[LIBRARIES + CONFINE_FILES_MAX + 1] = {NULL};
    size_t n = 0;
    for (size_t i = 0; i < CONFINE_FILES_MAX && c->file[i]; i++) {
        const bool whole = c->file[i][0] == '/';
        int err = files_path(path[i], whole ? "" : c->dir, c->file[i] + whole);
        if (err)
            return err;
        ro[n++] = path[i];
    }
    memcpy(ro + n, libraries, sizeof libraries);
    return sandbox_files(rw, ro);
}

static void
verdict_write(char out[static VERDICT_LEN], int err)
{
    snprintf(out, VERDICT_LEN, "%s%s",
             !err                     ? "yes"
             : err == ERR_UNSUPPORTED ? "no, this kernel cannot"
                                      : "no, it was refused: ",
             !err || err == ERR_UNSUPPORTED ? "" : system_reason(err));
}

int
confine(const struct log *log, const struct confine *c)
{
    int err = user_change(log, c);
    if (err || SANITIZED)
        return err;
    if (!c->sandbox) {
        log_write(log, LOG_WARNING, c->module,
                  "not confined: %s has sandbox = false", c->conf);
        return 0;
    }
    char verdict[2][VERDICT_LEN];
    const int files = files_close(c);
    if (files == ERR_LONG || system_is_short(files))
        return files; /* that can be helped */
    verdict_write(verdict[0], files);
    const int calls = sandbox_calls(c->settled);
    verdict_write(verdict[1], calls);
    const bool whole = !files && !calls;
    log_write(log, whole ? LOG_NOTICE : LOG_WARNING, c->module,
              "confined: files (Landlock) %s; calls (seccomp) %s", verdict[0],
              verdict[1]);
    return 0;
}
