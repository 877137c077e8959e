/* client/daemon/daemon.h - a client on the real machine: link, disk, local
 * calls. */
#ifndef CLIENT_DAEMON_DAEMON_H
#define CLIENT_DAEMON_DAEMON_H
#include <stdbool.h>

#include "lib/error.h"
#include "lib/os/config.h"

struct daemon_config {
    char *profile, *network;
    int log_level;
    bool sandbox;
    const char *passphrase_file; /* of the command line; NULL: none */
};
extern const struct config_option client_options[];
extern const size_t client_options_len;

/* Run until a signal. A client with a passphrase asks for that first. Returns the exit status. */
int client_run(const char *dir, const struct daemon_config *config,
               int ready_fd);

/* Open and load in dir what client_run() would, and change nothing. Says what is wrong,
 * and how the master key lies there. Returns the exit status; 0 also while a client
 * runs there, or where records are sealed under a passphrase that nobody gives. */
int client_check(const char *dir, const struct daemon_config *config);
#endif
