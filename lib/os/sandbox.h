/* lib/os/sandbox.h - giving up what a daemon does not need, for edges.
 *
 * Three parts, each for good, for this thread and those it makes later (calls:
 * for all threads). What a kernel lacks is said with ERR_UNSUPPORTED and left
 * out; everything else still holds. */
#ifndef LIB_OS_SANDBOX_H
#define LIB_OS_SANDBOX_H
#include "lib/error.h"

/* Become `user`, with its groups, and nobody else ever again. Nothing happens
 * when the process is that user already. Returns 0, ERR_NOT_FOUND (no such
 * user), ERR_SYSTEM (not allowed, or root could be had back). */
int sandbox_user(const char *user) CHECK_RESULT;

/* Files (Landlock): read and write beneath the folders rw, read the files and
 * folders ro; both end with NULL, and what does not exist is passed over.
 * Nothing else can be opened, and nothing executed. */
int sandbox_files(const char *const *rw, const char *const *ro) CHECK_RESULT;

/* Calls (seccomp): no new programs, no tracing of others, no mounts, modules,
 * namespaces or keys of the kernel, no sockets but IPv4, IPv6 and local ones.
 * Such a call fails with EPERM. */
int sandbox_calls(void) CHECK_RESULT;
#endif
