/* network/os/netfile.h - the network file on disk, for the programs. */
#ifndef NETWORK_OS_NETFILE_H
#define NETWORK_OS_NETFILE_H
#include "lib/address.h"
#include "network/json.h"

enum { NETFILE_ERROR_LEN = 512 };

/* Read the network file at path into *n. Returns 0, or an error: then `error`
 * has a line for people. */
int netfile_read(const char *path, struct network *n,
                 char error[static NETFILE_ERROR_LEN]) CHECK_RESULT;

/* Read as netfile_read() does the file that a configuration calls name,
 * relative to dir, the program's directory. */
int netfile_read_in(const char *dir, const char *name, struct network *n,
                    char error[static NETFILE_ERROR_LEN]) CHECK_RESULT;

/* Read the file that a configuration calls name, for the command `check` of
 * program, and print what is wrong, or that the file is good. Returns the exit
 * status. */
int netfile_check(const char *program, const char *dir, const char *name);

/* Tell for whom the network n is: for those who reach its authorities, by the
 * widest kind of their addresses. What relays publish has to be as wide. */
enum address_kind netfile_kind(const struct network *n);

/* Write n as a network file to path. Returns 0 or an error of files_write(). */
int netfile_write(const char *path, const struct network *n) CHECK_RESULT;
#endif
