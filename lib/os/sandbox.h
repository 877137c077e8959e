/* lib/os/sandbox.h - giving up what a daemon does not need, for edges.
 *
 * Three parts, each for good, for this thread and those it makes later (calls:
 * for all threads). What a kernel lacks is said with ERR_UNSUPPORTED and left
 * out; everything else still holds. */
#ifndef LIB_OS_SANDBOX_H
#define LIB_OS_SANDBOX_H
#include <stdbool.h>

#include "lib/error.h"

/* Become `user`, with its groups, and nobody else ever again; who ends with its
 * parent does so still. Nothing happens when the process is that user already.
 * Returns 0, ERR_NOT_FOUND (no such user), ERR_SYSTEM (not allowed, or root could
 * be had back). */
int sandbox_user(const char *user) CHECK_RESULT;

/* Files (Landlock): beneath the folders rw, read, write, make and remove files
 * and folders, of no other kind; read the files and folders ro; both end with
 * NULL, and what does not exist is passed over. Nothing else can be opened, and
 * nothing executed. */
int sandbox_files(const char *const *rw, const char *const *ro) CHECK_RESULT;

/* Calls (seccomp): no new programs, no tracing of others, no mounts, modules,
 * namespaces or keys of the kernel, no typing into a terminal, no sockets but
 * IPv4, IPv6 and local ones. Who has settled listens already wherever it will,
 * and makes no local socket either (behind those are session buses, agents of
 * keys, container engines), binds none, sends no signal to others, shares no
 * memory with them, and changes no file's owner, mode or length by its name.
 * Such a call fails with EPERM, and the kernel's log has a line about it. */
int sandbox_calls(bool settled) CHECK_RESULT;
#endif
