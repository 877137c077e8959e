/* lib/os/confine.h - a running daemon gives up what it does not need, and says
 * so in its log; for edges.
 *
 * confine() is called once, when the daemon listens and before it makes a
 * thread. What stays open: the daemon's own folder, what the libraries read
 * late, the network. When the kernel lacks a part, the log says which, and the
 * rest holds. Builds with a sanitizer are not confined, since those read any
 * file at the end. */
#ifndef LIB_OS_CONFINE_H
#define LIB_OS_CONFINE_H
#include <stdbool.h>

#include "lib/error.h"
#include "lib/os/log.h"

enum { CONFINE_FILES_MAX = 4 };

struct confine {
    const char *module; /* in the log */
    const char *conf;   /* the name of its configuration file */
    const char *dir;    /* its own: read and written */
    /* Files to be read besides, each a path, or a name in dir, which may be a
     * link to a file elsewhere. The first NULL ends them. */
    const char *file[CONFINE_FILES_MAX];
    const char *user; /* to become when started as root; "": none is set;
                         NULL: it cannot be set */
    bool sandbox;     /* false: the configuration wants none; the user counts */
    bool settled;     /* sandbox_calls() */
};

/* Confine this process as c says, and log how far to log. Returns 0, also when
 * the kernel has no sandboxes; ERR_NOT_FOUND, ERR_SYSTEM, ERR_IO: the process
 * is root and cannot become c->user, or could not do its work as that user,
 * which the log explains; ERR_LONG: a path is too long; ERR_SYSTEM also when
 * descriptors are short, which is for the caller to say (system.h). */
int confine(const struct log *log, const struct confine *c) CHECK_RESULT;
#endif
