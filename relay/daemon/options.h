/* relay/daemon/options.h - what an operator may set: relay.conf. */
#ifndef RELAY_DAEMON_OPTIONS_H
#define RELAY_DAEMON_OPTIONS_H
#include "lib/os/config.h"
#include "network/consensus.h"

struct relay_settings {
    int role; /* index in its names: gateway, mix, store */
    char *listen, *network, *family, *user;
    struct config_list addresses; /* to be reached at; empty: as bound */
    int64_t workers;              /* 0: one for each processor */
    int64_t memory_max;           /* MiB */
    int64_t rate, burst;          /* KiB/s, KiB; 0: no limit */
    int64_t quota_gb, quota_day;  /* a month; 0: none */
    bool assume_reachable, sandbox;
    int64_t bandwidth, packets_max, clients_max, disk_max, replay_tags;
    int64_t fault_drop_permille, fault_delay_ms; /* test builds */
    int log_level;
    char *metrics; /* loopback address; "": none */
};
/* Tell the role that s sets. */
static inline enum relay_role
settings_role(const struct relay_settings *s)
{
    return (enum relay_role)(ROLE_GATEWAY + s->role);
}

extern const struct config_option relay_options[];
extern const size_t relay_options_len;
#endif
