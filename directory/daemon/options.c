/* directory/daemon/options.c - directory.conf, key by key. No state. */
#include <stddef.h>

#include "directory/daemon/server.h"
#include "network/downlink.h"
#include "network/list.h"

static const char *const level_names[] = {"error", "warning", "notice",
                                          "info",  "debug",   NULL};

static const char *const policy_names[] = {"open", "manual", NULL};

/* In the order of by_hand_roles in server.c. */
static const char *const by_hand_names[] = {"both", "gateways", "stores",
                                            "none", NULL};

#define OPTION(field) \
    .name = #field, .offset = offsetof(struct server_config, field)
const struct config_option server_options[] = {
    {OPTION(listen), .type = CONFIG_STRING, .value = "127.0.0.1:7000", .min = 1,
     .max = 63,
     .help = "address and port of the HTTP server; port 0 takes any"},
    {OPTION(network), .type = CONFIG_STRING, .value = "network.json", .min = 1,
     .max = 400, .help = "the network file, from this directory"},
    {OPTION(layers), .type = CONFIG_INTEGER, .value = "3", .min = 1, .max = 3,
     .help = "mix layers of the network"},
    {OPTION(policy), .type = CONFIG_ENUM, .value = "manual",
     .names = policy_names,
     .help = "who approves relays: 'manual', you; 'open', nobody, but only so "
             "many of one kind, who ask from an address that they publish"},
    {OPTION(by_hand), .type = CONFIG_ENUM, .value = "both",
     .names = by_hand_names,
     .help = "roles that wait for you under 'open' too: 'gateways', 'stores', "
             "'both', 'none'"},
    {OPTION(block_max), .type = CONFIG_INTEGER, .value = "4", .max = 65535,
     .help =
         "under 'open', relays of one block of addresses (/24, /48); 0: any"},
    {OPTION(range_max), .type = CONFIG_INTEGER, .value = "16", .max = 65535,
     .help = "under 'open', relays of one provider's range (/16, /32); 0: any"},
    {OPTION(family_max), .type = CONFIG_INTEGER, .value = "32", .max = 65535,
     .help = "under 'open', relays of one family; 0: any"},
    {OPTION(store_trial_epochs), .type = CONFIG_INTEGER, .value = "24",
     .max = 10000,
     .help = "epochs before a new store may count, from the next day on; the "
             "same at all authorities"},
    {OPTION(newcomer_permille), .type = CONFIG_INTEGER, .value = "100",
     .min = 1, .max = 1000000,
     .help = "new relays of a role in a day, of 1,000 that are there; one in "
             "any case; the same at all authorities"},
    {OPTION(boards), .type = CONFIG_INTEGER, .value = "4", .max = BOARDS_MAX,
     .help = "stores that list announcements in an epoch; 0: none, and texts "
             "from whom nobody talks with take long; the same at all "
             "authorities"},
    {OPTION(list_interval_ms), .type = CONFIG_INTEGER, .value = "2000",
     .min = 500, .max = 60000,
     .help = "between two lists of a board; the same at all authorities"},
    {OPTION(list_entries), .type = CONFIG_INTEGER, .value = "40", .min = 1,
     .max = LIST_ENTRIES_MAX,
     .help = "entries of a list; 40 are enough for 10,000 clients with four "
             "boards; the same at all authorities"},
    {OPTION(user), .type = CONFIG_STRING, .value = "", .max = 64,
     .help = "started as root: the user to become when it listens"},
    {OPTION(sandbox), .type = CONFIG_BOOLEAN, .value = "true",
     .help = "give up all files but its own, and calls that it never makes"},
    {OPTION(log_level), .type = CONFIG_ENUM, .value = "notice",
     .names = level_names, .help = "what is logged"},
};
const size_t server_options_len =
    sizeof server_options / sizeof server_options[0];

int
server_params(const struct server_config *config, const struct network *n,
              struct params *p, const char **where)
{
    params_default(p, n->epoch_len_s);
    p->layers = (uint8_t)config->layers;
    p->geometry = n->geometry;
    p->store_trial_epochs = (uint16_t)config->store_trial_epochs;
    p->newcomer_permille = (uint32_t)config->newcomer_permille;
    p->boards = (uint8_t)config->boards;
    p->list_interval_ms = (uint32_t)config->list_interval_ms;
    p->list_entries = (uint16_t)config->list_entries;
    downlink_fit(p);
    return params_check(p, where);
}
