/* relay/daemon/options.c - relay.conf, key by key. No state. */
#include "relay/daemon/options.h"

#include <stddef.h>

#include "lib/os/log.h"
#include "network/family.h"
#include "relay/daemon/memory.h"
#include "relay/operator/status.h"
#include "relay/relay.h"

#define OPTION(field) \
    .name = #field, .offset = offsetof(struct relay_settings, field)
const struct config_option relay_options[] = {
    {OPTION(role), .type = CONFIG_ENUM, .required = true, .value = "mix",
     .names = status_role_name,
     .help = "what this relay is; mixes are dealt out to layers"},
    {OPTION(listen), .type = CONFIG_STRING, .value = "127.0.0.1:7100", .min = 1,
     .max = 63,
     .help = "address and port to accept links at; port 0 takes any"},
    {OPTION(addresses), .type = CONFIG_LIST, .value = "", .max = ADDRESSES_MAX,
     .help = "where others reach it; empty: the address that was bound"},
    {OPTION(network), .type = CONFIG_STRING, .value = "network.json", .min = 1,
     .max = 400, .help = "the network file, from this directory"},
    {OPTION(family), .type = CONFIG_STRING, .value = "",
     .max = FAMILY_TEXT_LEN - 1,
     .help = "what 'brusio-relay family' printed for this relay; no path uses "
             "two of one family"},
    {OPTION(user), .type = CONFIG_STRING, .value = "", .max = 64,
     .help = "started as root: the user to become when it listens"},
    {OPTION(sandbox), .type = CONFIG_BOOLEAN, .value = "true",
     .help = "give up all files but its own, and calls that it never makes"},
    {OPTION(bandwidth), .type = CONFIG_INTEGER, .value = "1000", .min = 1,
     .max = 10000000,
     .help = "packets per second offered; paths are drawn by it"},
    {OPTION(workers), .type = CONFIG_INTEGER, .value = "0",
     .max = RELAY_WORKERS_MAX,
     .help = "threads that carry packets; 0: one for each processor, 8 at "
             "most"},
    {OPTION(memory_max), .type = CONFIG_INTEGER, .value = "512",
     .min = MEMORY_MIN_MIB, .max = 1048576,
     .help = "MiB it may use; packets_max and clients_max are lowered to fit"},
    {OPTION(rate), .type = CONFIG_INTEGER, .value = "0", .max = 100000000,
     .help = "KiB a second taken in, and as much let out; 0: no limit"},
    {OPTION(burst), .type = CONFIG_INTEGER, .value = "0", .max = 100000000,
     .help = "KiB that may come at once; 0: what 'rate' brings in two seconds"},
    {OPTION(quota_gb), .type = CONFIG_INTEGER, .value = "0", .max = 1000000000,
     .help = "GB a month, both ways together; 0: no limit"},
    {OPTION(quota_day), .type = CONFIG_INTEGER, .value = "1", .min = 1,
     .max = 28, .help = "the day on which the quota's month begins (UTC)"},
    {OPTION(assume_reachable), .type = CONFIG_BOOLEAN, .value = "false",
     .help = "publish its addresses though it does not reach itself there"},
    {OPTION(packets_max), .type = CONFIG_INTEGER, .value = "20000", .min = 100,
     .max = 10000000, .help = "packets held at once, 2 KiB each"},
    {OPTION(clients_max), .type = CONFIG_INTEGER, .value = "2000", .min = 1,
     .max = 1000000, .help = "clients of a gateway"},
    {OPTION(disk_max), .type = CONFIG_INTEGER, .value = "0", .max = 1000000000,
     .help = "MiB of disk for a store's letters; 0: half of what is free"},
    {OPTION(replay_tags), .type = CONFIG_INTEGER, .value = "1000000",
     .min = 1000, .max = 100000000,
     .help = "packets remembered against replays, 8 bytes each"},
    {OPTION(log_level), .type = CONFIG_ENUM, .value = "notice",
     .names = log_level_names, .help = "what is logged"},
    {OPTION(metrics), .type = CONFIG_LOOPBACK, .value = "",
     .help = "where to serve /metrics for Prometheus; empty: nowhere"},
#ifdef BRUSIO_DEBUG
    {OPTION(fault_drop_permille), .type = CONFIG_INTEGER, .value = "0",
     .max = 1000, .help = "test builds: packets dropped of a thousand"},
    {OPTION(fault_delay_ms), .type = CONFIG_INTEGER, .value = "0", .max = 60000,
     .help = "test builds: packets to relays are held back so long"},
#endif
};
const size_t relay_options_len = sizeof relay_options / sizeof relay_options[0];
