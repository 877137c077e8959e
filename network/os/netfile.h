/* network/os/netfile.h - the network file on disk, for the programs. */
#ifndef NETWORK_OS_NETFILE_H
#define NETWORK_OS_NETFILE_H
#include "lib/address.h"
#include "network/json.h"

enum { NETFILE_ERROR_LEN = 512 };

/* Read it; error is a line for people. */
int netfile_read(const char *path, struct network *n,
                 char error[static NETFILE_ERROR_LEN]) CHECK_RESULT;
/* The same for a name that a configuration gives, relative to the program's
 * directory. */
int netfile_read_in(const char *dir, const char *name, struct network *n,
                    char error[static NETFILE_ERROR_LEN]) CHECK_RESULT;
/* For `check`: read it and print what is wrong, or that it is good. Returns the
 * exit status. */
int netfile_check(const char *program, const char *dir, const char *name);
/* Whom is this network for: who reaches its authorities, the widest of their
 * kinds. What its relays publish has to be as wide. */
enum address_kind netfile_kind(const struct network *n);
int netfile_write(const char *path, const struct network *n) CHECK_RESULT;
#endif
