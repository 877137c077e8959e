/* directory/daemon/options.c - directory.conf, key by key. No state. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "directory/daemon/server.h"
#include "lib/os/log.h"
#include "network/downlink.h"
#include "network/list.h"
#include "network/work.h"

enum { DAY_S = 86400 };

static const char *const policy_names[] = {"open", "manual", NULL};

/* The order is that of by_hand_roles in server.c. */
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
    {OPTION(announce_bits), .type = CONFIG_INTEGER, .value = "-1",
     .min = ANNOUNCE_BITS_SCALED, .max = WORK_BITS_MAX,
     .help = "of work for an announcement: each more doubles what a flood "
             "costs, and what a text does; -1: 16, or 8 where epochs are "
             "shorter than an hour; the same at all authorities"},
    {OPTION(fronts), .type = CONFIG_INTEGER, .value = "2", .min = 1, .max = 2,
     .help = "conversations at once that a client asks for all the time; "
             "the same at all authorities"},
    {OPTION(front), .type = CONFIG_INTEGER, .value = "25", .min = 1, .max = 62,
     .help = "of 64 polls those for each front; with lane and sweep they "
             "are 64; the same at all authorities"},
    {OPTION(lane), .type = CONFIG_INTEGER, .value = "11", .min = 1, .max = 62,
     .help = "of 64 polls those for what was announced; the same at all "
             "authorities"},
    {OPTION(sweep), .type = CONFIG_INTEGER, .value = "3", .min = 1, .max = 62,
     .help = "of 64 polls those for all contacts in turn; the same at all "
             "authorities"},
    {OPTION(spare_of), .type = CONFIG_INTEGER, .value = "16", .min = 1,
     .max = 255,
     .help = "one poll of so many is for a box's second store; the same "
             "at all authorities"},
    {OPTION(older_of), .type = CONFIG_INTEGER, .value = "16", .min = 1,
     .max = 255,
     .help = "one poll of a front of so many is for the day before; the "
             "same at all authorities"},
    {OPTION(hold_min_s), .type = CONFIG_INTEGER, .value = "300", .min = 1,
     .max = DAY_S,
     .help = "a front is held at least so long after its user's last "
             "letter; the same at all authorities"},
    {OPTION(hold_max_s), .type = CONFIG_INTEGER, .value = "1200", .min = 1,
     .max = DAY_S,
     .help = "and at most so long, not less than hold_min_s; the same at "
             "all authorities"},
    {OPTION(sweep_mean_s), .type = CONFIG_INTEGER, .value = "3600", .min = 1,
     .max = 7 * DAY_S,
     .help = "mean time between two turns of a contact; the same at all "
             "authorities"},
    {OPTION(script_every_s), .type = CONFIG_INTEGER, .value = "100", .min = 1,
     .max = DAY_S,
     .help = "one announcement of a contact in so long is followed at "
             "once, of six; the same at all authorities"},
    {OPTION(look_s), .type = CONFIG_INTEGER, .value = "60", .min = 0,
     .max = 3600,
     .help = "so long after connecting half of the fronts' polls look for "
             "what came meanwhile; the same at all authorities"},
    {OPTION(ack_s), .type = CONFIG_INTEGER, .value = "20", .min = 0,
     .max = 3600,
     .help = "an acknowledgement leaves no sooner after the letter's "
             "arrival at its store; the same at all authorities"},
    {OPTION(ack_noise_s), .type = CONFIG_INTEGER, .value = "20", .min = 0,
     .max = 3600,
     .help = "mean of the random time that is added; the same at all "
             "authorities"},
    {OPTION(user), .type = CONFIG_STRING, .value = "", .max = 64,
     .help = "started as root: the user to become when it listens"},
    {OPTION(sandbox), .type = CONFIG_BOOLEAN, .value = "true",
     .help = "give up all files but its own, and calls that it never makes"},
    {OPTION(log_level), .type = CONFIG_ENUM, .value = "notice",
     .names = log_level_names, .help = "what is logged"},
};
const size_t server_options_len =
    sizeof server_options / sizeof server_options[0];

static const char *const at_once[] = {"policy",    "by_hand",    "block_max",
                                      "range_max", "family_max", "log_level",
                                      NULL};

static void
name_add(char list[static SERVER_NAMES_LEN], const char *name)
{
    const size_t len = strlen(list);
    snprintf(list + len, SERVER_NAMES_LEN - len, "%s%s", len ? ", " : "", name);
}

void
server_config_take(struct server_config *now, struct server_config *next,
                   char applied[static SERVER_NAMES_LEN],
                   char restart[static SERVER_NAMES_LEN])
{
    applied[0] = restart[0] = 0;
    for (size_t i = 0; i < server_options_len; i++) {
        const struct config_option *o = &server_options[i];
        size_t k = 0;
        if (config_same(o, now, next))
            continue;
        while (at_once[k] && strcmp(at_once[k], o->name) != 0)
            k++;
        name_add(at_once[k] ? applied : restart, o->name);
        if (at_once[k])
            config_swap(o, now, next);
    }
}

static struct conversation_params
conversations_of(const struct server_config *config)
{
    return (struct conversation_params){
        .fronts = (uint8_t)config->fronts,
        .front = (uint8_t)config->front,
        .lane = (uint8_t)config->lane,
        .sweep = (uint8_t)config->sweep,
        .spare_of = (uint8_t)config->spare_of,
        .older_of = (uint8_t)config->older_of,
        .hold_min_s = (uint32_t)config->hold_min_s,
        .hold_max_s = (uint32_t)config->hold_max_s,
        .sweep_mean_s = (uint32_t)config->sweep_mean_s,
        .script_every_s = (uint32_t)config->script_every_s,
        .look_s = (uint32_t)config->look_s,
        .ack_s = (uint32_t)config->ack_s,
        .ack_noise_s = (uint32_t)config->ack_noise_s};
}

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
    if (config->announce_bits != ANNOUNCE_BITS_SCALED)
        p->announce_bits = (uint8_t)config->announce_bits;
    p->conversations = conversations_of(config);
    downlink_fit(p);
    return params_check(p, where);
}
