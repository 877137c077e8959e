/* directory/daemon/server.h - an authority on the real machine: HTTP, files,
 * timer. */
#ifndef DIRECTORY_DAEMON_SERVER_H
#define DIRECTORY_DAEMON_SERVER_H
#include <stdbool.h>

#include "lib/error.h"
#include "lib/os/config.h"
#include "lib/os/log.h"
#include "network/json.h"

enum { ANNOUNCE_BITS_SCALED = -1 };

struct server_config {
    char *listen, *network, *user;
    int log_level;
    int64_t layers;
    int policy;  /* enum admission_policy */
    int by_hand; /* names of options.c */
    int64_t block_max, range_max, family_max;
    int64_t store_trial_epochs, newcomer_permille;
    int64_t boards, list_interval_ms, list_entries;
    int64_t announce_bits; /* ANNOUNCE_BITS_SCALED: as epochs are long */
    /* as in struct conversation_params */
    int64_t fronts, front, lane, sweep, spare_of, older_of;
    int64_t hold_min_s, hold_max_s, sweep_mean_s, script_every_s, look_s;
    int64_t ack_s, ack_noise_s;
    bool sandbox;
};

extern const struct config_option server_options[];
extern const size_t server_options_len;

enum { SERVER_NAMES_LEN = 512 };
/* Take over from `next` to *now what can change while the authority runs, and
 * leave in `next` what that replaces. applied and restart name what differs and
 * is in force, or will be after a restart, with ", " between the names; "":
 * nothing. */
void server_config_take(struct server_config *now, struct server_config *next,
                        char applied[static SERVER_NAMES_LEN],
                        char restart[static SERVER_NAMES_LEN]);

/* Fill in p, what an authority of this config votes for in the network n.
 * Returns 0, or ERR_RANGE with the name of what does not go with the rest in
 * *where: others could not read such parameters. */
int server_params(const struct server_config *config, const struct network *n,
                  struct params *p, const char **where) CHECK_RESULT;

/* Run the authority of the folder dir until a signal; write its address to
 * ready_fd when it listens (negative: do not). config changes when SIGHUP says
 * so. Returns the exit status. */
int server_run(const char *dir, struct server_config *config, int ready_fd);
#endif
