/* lib/os/sandbox.h - giving up what a daemon does not need, for edges.
 *
 * There are three parts, each for good, for this thread and those that it makes
 * later (calls: for all threads). Of what a kernel lacks ERR_UNSUPPORTED tells;
 * everything else still holds. */
#ifndef LIB_OS_SANDBOX_H
#define LIB_OS_SANDBOX_H
#include <stdbool.h>

#include "lib/error.h"

/* Become user, with that user's groups, and nobody else ever again. A process
 * that ends with its parent still does so. Nothing happens when the process is
 * that user already. Returns 0, ERR_NOT_FOUND (no such user), ERR_SYSTEM (not
 * allowed, or the process could become root again). */
int sandbox_user(const char *user) CHECK_RESULT;

/* Restrict which files can be opened (Landlock): beneath the folders rw, files
 * and folders, of no other kind, can be read, written, made and removed; the
 * files and folders ro can be read. Both lists end with NULL, and what does not
 * exist is passed over. Nothing else can be opened, and nothing executed.
 * Returns 0, ERR_UNSUPPORTED or ERR_SYSTEM. */
int sandbox_files(const char *const *rw, const char *const *ro) CHECK_RESULT;

/* Restrict system calls (seccomp): no new programs, no tracing of others, no
 * mounts, modules, namespaces or keys of the kernel, no typing into a terminal,
 * no sockets but IPv4, IPv6 and local ones. A process that has settled listens
 * already wherever it ever will; it makes no local socket either (behind those
 * are session buses, agents of keys, container engines), binds none, sends no
 * signal to others, shares no memory with them, and changes no file's owner,
 * mode or length by its name. Such a call fails with EPERM, and the kernel's
 * log has a line about that. Returns 0, ERR_UNSUPPORTED or ERR_SYSTEM. */
int sandbox_calls(bool settled) CHECK_RESULT;
#endif
