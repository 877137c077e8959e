/* directory/daemon/server.h - an authority on the real machine: HTTP, files,
 * timer. */
#ifndef DIRECTORY_DAEMON_SERVER_H
#define DIRECTORY_DAEMON_SERVER_H
#include <stdbool.h>

#include "lib/error.h"
#include "lib/os/config.h"
#include "lib/os/log.h"

struct server_config {
    char *listen, *network, *user;
    int log_level;
    int64_t layers;
    int policy;  /* enum admission_policy */
    int by_hand; /* names of options.c */
    int64_t block_max, range_max, family_max;
    int64_t store_trial_epochs, newcomer_permille;
    bool sandbox;
};

extern const struct config_option server_options[];
extern const size_t server_options_len;

/* Run until a signal. Returns the exit status. */
int server_run(const char *dir, const struct server_config *config,
               int ready_fd);
#endif
