/* directory/daemon/options.c - directory.conf, key by key. No state. */
#include <stddef.h>

#include "directory/daemon/server.h"

static const char *const level_names[] = {"error", "warning", "notice",
                                          "info",  "debug",   NULL};

static const char *const policy_names[] = {"open", "manual", NULL};

const struct config_option server_options[] = {
    {.name = "listen",
     .type = CONFIG_STRING,
     .offset = offsetof(struct server_config, listen),
     .value = "127.0.0.1:7000",
     .min = 1,
     .max = 63,
     .help = "address and port of the HTTP server; port 0 takes any"},
    {.name = "network",
     .type = CONFIG_STRING,
     .offset = offsetof(struct server_config, network),
     .value = "network.json",
     .min = 1,
     .max = 400,
     .help = "the network file, from this directory"},
    {.name = "layers",
     .type = CONFIG_INTEGER,
     .offset = offsetof(struct server_config, layers),
     .value = "3",
     .min = 1,
     .max = 3,
     .help = "mix layers of the network"},
    {.name = "policy",
     .type = CONFIG_ENUM,
     .offset = offsetof(struct server_config, policy),
     .value = "manual",
     .names = policy_names,
     .help = "who approves relays: 'manual', you; 'open', nobody, but only so "
             "many of one kind, who ask from an address that they publish"},
    {.name = "block_max",
     .type = CONFIG_INTEGER,
     .offset = offsetof(struct server_config, block_max),
     .value = "4",
     .max = 65535,
     .help =
         "under 'open', relays of one block of addresses (/24, /48); 0: any"},
    {.name = "family_max",
     .type = CONFIG_INTEGER,
     .offset = offsetof(struct server_config, family_max),
     .value = "32",
     .max = 65535,
     .help = "under 'open', relays of one family; 0: any"},
    {.name = "user",
     .type = CONFIG_STRING,
     .offset = offsetof(struct server_config, user),
     .value = "",
     .max = 64,
     .help = "started as root: the user to become when it listens"},
    {.name = "sandbox",
     .type = CONFIG_BOOLEAN,
     .offset = offsetof(struct server_config, sandbox),
     .value = "true",
     .help = "give up all files but its own, and calls that it never makes"},
    {.name = "log_level",
     .type = CONFIG_ENUM,
     .offset = offsetof(struct server_config, log_level),
     .value = "notice",
     .names = level_names,
     .help = "what is logged"},
};
const size_t server_options_len =
    sizeof server_options / sizeof server_options[0];
