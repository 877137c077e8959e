/* relay/daemon/confine.c - what a running relay gives up (lib/os/sandbox.h). No
 * state.
 *
 * After it listens and before it makes a thread: root, when a user is
 * configured; every file but its own folder and what libraries may read late;
 * calls that no relay makes. A kernel that lacks a part is said so in the log,
 * and the rest holds. */
#include <string.h>
#include <unistd.h>

#include "lib/os/sandbox.h"
#include "relay/daemon/daemon.h"

/* Sanitizers trace and read what they like at the end. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { CONFINED = 0 };
#else
enum { CONFINED = 1 };
#endif

static int
user_change(struct daemon *d)
{
    const char *user = d->config->user;
    if (geteuid() != 0)
        return 0;
    if (!user[0]) {
        log_write(&d->host.log, LOG_WARNING, "relay",
                  "runs as root; set 'user' in relay.conf to an ordinary one");
        return 0;
    }
    int err = sandbox_user(user);
    if (err == ERR_NOT_FOUND)
        log_write(&d->host.log, LOG_ERROR, "relay",
                  "'user': there is no user '%s' on this machine", user);
    else if (err)
        log_write(&d->host.log, LOG_ERROR, "relay", "cannot become user '%s'",
                  user);
    else if (access(d->dir, R_OK | W_OK | X_OK)) {
        log_write(&d->host.log, LOG_ERROR, "relay",
                  "user '%s' cannot write in %s; as root: chown -R %s %s", user,
                  d->dir, user, d->dir);
        err = ERR_IO;
    }
    return err;
}

int
daemon_confine(struct daemon *d)
{
    char network[FILES_PATH_MAX];
    const char *const rw[] = {d->dir, NULL};
    const char *const ro[] = {network,
                              "/etc/ssl",
                              "/usr/lib",
                              "/lib",
                              "/lib64",
                              "/dev/urandom",
                              "/etc/localtime",
                              "/usr/share/zoneinfo",
                              "/etc/ld.so.cache",
                              "/proc/self",
                              NULL};
    int err = user_change(d);
    if (err || !CONFINED)
        return err;
    if (d->config->network[0] == '/')
        err = files_path(network, "", d->config->network + 1);
    else
        err = files_path(network, d->dir, d->config->network);
    if (err)
        return err;
    int files = sandbox_files(rw, ro), calls = sandbox_calls();
    log_write(&d->host.log, LOG_NOTICE, "relay", "confined: files %s, calls %s",
              files ? "not" : "yes", calls ? "not" : "yes");
    if ((files && files != ERR_UNSUPPORTED) ||
        (calls && calls != ERR_UNSUPPORTED))
        log_write(&d->host.log, LOG_WARNING, "relay",
                  "the kernel has sandboxes but refused them; it goes on");
    return 0;
}
