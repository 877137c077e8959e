/* sim/scenario/scenario_fields.c - the tables behind scenario files, and the
 * defaults.
 *
 * A key of a file is a row here: its name, kind, place in the structure, range
 * and help. Add a row and it is read, checked and in the schema; add its
 * default to the functions at the end, from the network's own parameters where
 * these have it (params_default()). Names of choices stand in the order of
 * their enums, which count from 1.
 *
 * No state, and nothing here can fail. */
#include "sim/scenario/scenario_fields.h"

#include <stdio.h>
#include <string.h>

#define LEN(a)      (sizeof(a) / sizeof((a)[0]))
#define AT(s, f)    offsetof(struct s, f), sizeof(((struct s *)0)->f)
#define COUNT(s, f) AT(s, f)
#define FIELD(kind, flags, s, f, key, lo, hi, text)                           \
    {                                                                         \
        key, FIELD_##kind, flags, AT(s, f), lo, hi, 0, 0, 0, NULL, NULL, text \
    }
#define NAMES(s, f, key, list, text)                                  \
    {                                                                 \
        key, FIELD_NAME, 0, AT(s, f), 0, 0, 0, 0, 0, list, NULL, text \
    }
#define OBJECT(s, f, key, table, text)                                   \
    {                                                                    \
        key, FIELD_OBJECT, 0, AT(s, f), 0, 0, 0, 0, 0, NULL, table, text \
    }

enum { DAY_S = 86400, YEAR_S = 366 * DAY_S };
#define MS_MAX    (1000.0 * DAY_S)
#define RATE_MIN  0.001
#define RATE_MAX  100000.0
#define VALUE_MAX 1e300
#define SEED_MAX  9007199254740991.0 /* all programs read such numbers alike */

/* The enums count from 1, in this order. */
static const char *const level_names[] = {"packets", "network", "announce",
                                          NULL};
static const char *const topology_names[] = {"stratified", "cascade",
                                             "free-route", NULL};
static const char *const trip_names[] = {"one-way", "round", NULL};
static const char *const law_names[] = {"constant", "exponential", "matrix",
                                        NULL};
static const char *const strategy_names[] = {
    "poisson", "timed-pool", "threshold-pool", "binomial", NULL};
static const char *const send_names[] = {"poisson", "constant", "trace", NULL};
static const char *const kinds_names[] = {"alike", "sends", "polls", NULL};
static const char *const attack_names[] = {"none", "drop", "flush", NULL};
static const char *const use_names[] = {"lists",   "running", "first",
                                        "file",    "copies",  "host",
                                        "service", "probe",   NULL};
static const char *const schedule_names[] = {"fronts", "recency", NULL};
static const char *const probe_names[] = {"text", "ping",    "file", "silent",
                                          "ack",  "nothing", NULL};

static const struct field latency_fields[] = {
    NAMES(scenario_network, latency_law, "law", law_names,
          "fixed_ms; fixed_ms and an exponential of mean mean_ms; or for each "
          "two relays from a file"),
    FIELD(THOUSANDTHS, 0, scenario_network, latency_fixed_us, "fixed_ms", 0,
          MS_MAX, "What each link takes at least"),
    FIELD(THOUSANDTHS, 0, scenario_network, latency_mean_us, "mean_ms", 0,
          MS_MAX, "Mean of the exponential part"),
    FIELD(PATH, 0, scenario_network, latency_file, "file", 0, 0,
          "CSV of milliseconds, a line a relay, in relays' order: gateways, "
          "layer 1, .., stores")};
static const struct field_table latency_table = {latency_fields,
                                                 LEN(latency_fields), NULL};

static const struct field network_fields[] = {
    NAMES(scenario_network, topology, "topology", topology_names,
          "Each hop's relay drawn from its layer; the first drawn and the "
          "others behind it; or each drawn from one set"),
    NAMES(scenario_network, trip, "trip", trip_names,
          "From client through the layers; or client, gateway, layers, store "
          "and back (default at level network)"),
    FIELD(WHOLE, 0, scenario_network, layers, "layers", 1, SCENARIO_LAYERS_MAX,
          "Mix layers, or hops of a free route"),
    FIELD(WHOLE, 0, scenario_network, width, "width", 1, SCENARIO_WIDTH_MAX,
          "Relays of each layer, or of the one set; 2 at level network"),
    {"weights", FIELD_WEIGHTS, FIELD_BARE, 0, 0, 0, 1e9, 0, 0,
     SCENARIO_WIDTH_MAX, NULL, NULL,
     "Weight of each relay, a list a layer, in place of layers and width; one "
     "list in place of width for cascades and free routes"},
    FIELD(WHOLE, 0, scenario_network, gateways, "gateways", 0,
          SCENARIO_WIDTH_MAX,
          "Round trip: gateways, by default 10, at level network 2"),
    FIELD(WHOLE, 0, scenario_network, stores, "stores", 0, SCENARIO_WIDTH_MAX,
          "Round trip: stores, by default 10, at level network 2"),
    {"latency", FIELD_OBJECT, 0, 0, 0, 0, 0, 0, 0, 0, NULL, &latency_table,
     "How long a packet is under way on a link"},
    FIELD(NUMBER, 0, scenario_network, loss, "loss", 0, 0.99,
          "Share of packets lost on each link"),
    FIELD(WHOLE, 0, scenario_network, corrupt, "corrupt", 0,
          SCENARIO_LAYERS_MAX *SCENARIO_WIDTH_MAX,
          "Relays of the mix layers that are the adversary's, drawn by seed"),
    FIELD(NUMBER, 0, scenario_network, corrupt_of_layer, "corrupt_of_layer", 0,
          1, "Share of each mix layer that is the adversary's, instead")};
static const struct field_table network_table = {network_fields,
                                                 LEN(network_fields), NULL};

static const struct field mix_fields[] = {
    NAMES(scenario_mix, params.strategy, "strategy", strategy_names,
          "How mixes let packets out"),
    FIELD(THOUSANDTHS, 0, scenario_mix, delay_mean_us, "delay_mean_ms", 0,
          MS_MAX, "poisson: mean delay at the gateway and each mix"),
    FIELD(WHOLE, 0, scenario_mix, delay_unit_us, "delay_unit_us", 1, 1000000,
          "Packets say delays in it, at most 65,535 of them"),
    FIELD(THOUSANDTHS, 0, scenario_mix, poll_delay_mean_us,
          "poll_delay_mean_ms", 0, MS_MAX,
          "Mean delay of a poll outward, over all mixes together"),
    FIELD(THOUSANDTHS, 0, scenario_mix, store_delay_fixed_us,
          "store_delay_fixed_ms", 0, MS_MAX,
          "What a store waits at least before it answers"),
    FIELD(THOUSANDTHS, 0, scenario_mix, store_delay_mean_us,
          "store_delay_mean_ms", 0, MS_MAX,
          "Mean of the exponential that a store waits beyond that"),
    FIELD(THOUSANDTHS, 0, scenario_mix, params.interval_us, "interval_ms", 1,
          MS_MAX, "timed-pool, binomial: time between two flushes"),
    FIELD(WHOLE, 0, scenario_mix, params.threshold, "threshold", 1, 1000000,
          "threshold-pool: so many leave together"),
    FIELD(WHOLE, 0, scenario_mix, params.keep, "keep", 0, 1000000,
          "timed-pool, threshold-pool: so many stay behind"),
    FIELD(THOUSANDTHS, 0, scenario_mix, params.permille, "share", 0.001, 1,
          "binomial: with this probability a packet leaves at a flush"),
    FIELD(THOUSANDTHS, 0, scenario_mix, loop_mhz, "loop_rate", 0, RATE_MAX,
          "Packets a second that each relay sends to itself as cover; 0 is for "
          "experiments at level packets")};
static const struct field_table mix_table = {mix_fields, LEN(mix_fields), NULL};

static const struct field client_fields[] = {
    FIELD(TEXT, 0, scenario_clients, name, "name", 0, 0,
          "What results call this group"),
    FIELD(WHOLE, 0, scenario_clients, count, "count", 1, SCENARIO_CLIENTS_MAX,
          "Clients in it; must be given, but for a trace"),
    NAMES(scenario_clients, send, "send", send_names,
          "Exponential gaps, equal gaps, or at the times in a file (default "
          "when there is a trace)"),
    FIELD(PROFILE, 0, scenario_clients, profile, "profile", 0, 0,
          "Rates by the network's parameters; one of profile, rate, rates, "
          "trace"),
    FIELD(THOUSANDTHS, FIELD_BARE, scenario_clients, profile.send_mhz, "rate",
          RATE_MIN, RATE_MAX, "Packets a second of each client"),
    {"rates", FIELD_RATES, FIELD_BARE, AT(scenario_clients, rates_mhz),
     RATE_MIN, RATE_MAX, COUNT(scenario_clients, n_rates), SCENARIO_RATES_MAX,
     NULL, NULL,
     "Packets a second of one client after the other, from the start again "
     "when there are more clients"},
    FIELD(PATH, FIELD_BARE, scenario_clients, trace, "trace", 0, 0,
          "CSV of times to send at: time_s,client"),
    FIELD(NUMBER, 0, scenario_clients, stay_mean_s, "stay_mean_s", 0, YEAR_S,
          "Mean time that a client stays; 0: always there; level network: "
          "that a pair writes, the group of its first client decides"),
    FIELD(NUMBER, 0, scenario_clients, away_mean_s, "away_mean_s", 0, YEAR_S,
          "Mean time that it is away then"),
    FIELD(BOOL, 0, scenario_clients, challenger, "challenger", 0, 0,
          "One of the two clients whose packets are told apart: "
          "measure.epsilon"),
    FIELD(THOUSANDTHS, 0, scenario_clients, message_mhz, "message_rate", 0,
          RATE_MAX,
          "Of a challenger: messages a second, at equal intervals, each waits "
          "for a packet and the other packets are cover; 0: each packet is a "
          "message"),
    FIELD(BOOL, 0, scenario_clients, target, "target", 0, 0,
          "Tagged packets are of such groups; of none: of all")};
static const struct field_table client_table = {client_fields,
                                                LEN(client_fields), NULL};

static const struct field run_fields[] = {
    FIELD(NUMBER, 0, scenario_run, warmup_s, "warmup_s", -1, YEAR_S,
          "Virtual time before measuring; negative: found by the run"),
    FIELD(NUMBER, 0, scenario_run, measure_s, "measure_s", 0.001, YEAR_S,
          "Virtual time measured at least, and until all targets are done"),
    FIELD(WHOLE, 0, scenario_run, batches, "batches", 5, 1000,
          "Batches for confidence intervals")};
static const struct field_table run_table = {run_fields, LEN(run_fields), NULL};

static const struct field measure_fields[] = {
    FIELD(BOOL, 0, scenario_measure, latency, "latency", 0, 0,
          "How long packets are under way"),
    FIELD(BOOL, 0, scenario_measure, occupancy, "occupancy", 0, 0,
          "How many packets wait in mixes"),
    FIELD(BOOL, 0, scenario_measure, mix_entropy, "mix_entropy", 0, 0,
          "Entropy at each single mix"),
    FIELD(BOOL, 0, scenario_measure, epsilon, "epsilon", 0, 0,
          "How well two clients' packets are told apart"),
    FIELD(BOOL, 0, scenario_measure, alarm, "alarm", 0, 0,
          "When relays notice that their own loops get lost"),
    FIELD(BOOL, 0, scenario_measure, watch, "watch", 0, 0,
          "Round trip: what a store learns of two challengers whose links it "
          "watches"),
    FIELD(WHOLE, 0, scenario_measure, targets, "targets", 0, 1000000,
          "Packets whose whole anonymity set is computed"),
    NAMES(scenario_measure, kinds, "kinds", kinds_names,
          "Whether the observer tells polls from other packets, as mixes can "
          "by their delays; and which of both are tagged then"),
    FIELD(WHOLE, 0, scenario_measure, at_once, "at_once", 1,
          SCENARIO_TARGETS_AT_ONCE, "Of them under way together"),
    FIELD(NUMBER, 0, scenario_measure, drained, "drained", 1e-15, 0.1,
          "A target is done when less of it is inside"),
    FIELD(WHOLE, 0, scenario_measure, path_messages, "path_messages", 0, 1e9,
          "Messages of one user until a whole path is corrupt; 0: not "
          "measured"),
    FIELD(WHOLE, 0, scenario_measure, texts, "texts", 0, 1000000,
          "Levels network, announce: texts in all, parts of a file, or probes"),
    FIELD(NUMBER, 0, scenario_measure, text_gap_mean_s, "text_gap_mean_s",
          0.001, DAY_S, "Mean time between the texts of one pair"),
    FIELD(WHOLE, 0, scenario_measure, contacts, "contacts", 1, 1024,
          "Level network: contacts of each client, all with the other of its "
          "pair"),
    FIELD(BOOL, 0, scenario_measure, first, "first", 0, 0,
          "Level network: each text is the first of one of half of these, to "
          "whom its reader never writes; else both write in turn with one")};
static const struct field_table measure_table = {measure_fields,
                                                 LEN(measure_fields), NULL};

static const struct field attack_fields[] = {
    NAMES(scenario_attack, kind, "kind", attack_names,
          "Withholding a share of what goes to a relay; or all, until one "
          "target alone gets in (n-1)"),
    FIELD(WHOLE, 0, scenario_attack, relay, "relay", 0,
          (SCENARIO_LAYERS_MAX + 2) * SCENARIO_WIDTH_MAX,
          "Its number, from 0, in relays' order"),
    FIELD(NUMBER, 0, scenario_attack, share, "share", 0, 1,
          "drop: share withheld"),
    FIELD(NUMBER, 0, scenario_attack, block_s, "block_s", 0, DAY_S,
          "flush: all is withheld for so long")};
static const struct field_table attack_table = {attack_fields,
                                                LEN(attack_fields), NULL};

static const struct field announce_fields[] = {
    NAMES(scenario_announce, use, "use", use_names,
          "What people do: nothing, what lists cost; two who write in turn; "
          "any contact of one who has been connected for a minute; a file; a "
          "text to each of a group; the same by way of a host; all contacts "
          "ask one who answers; what a contact sees of one who talks with "
          "others"),
    NAMES(scenario_announce, schedule, "schedule", schedule_names,
          "Whom polls are for: fronts, lane and sweep; or by recency, as a "
          "control"),
    NAMES(scenario_announce, probe, "probe", probe_names,
          "probe: what the contact does"),
    FIELD(WHOLE, 0, scenario_announce, contacts, "contacts", 1, 1024,
          "Contacts of the one who is written to; of a group, the others"),
    FIELD(THOUSANDTHS, 0, scenario_announce, poll_mhz, "poll_rate", 0, RATE_MAX,
          "Polls a second; 0: the profile's"),
    FIELD(WHOLE, 0, scenario_announce, fronts, "fronts", 1, 2,
          "Conversations that have a pace of their own"),
    FIELD(WHOLE, 0, scenario_announce, front_share, "front_share", 1, 62,
          "Of 64 polls: each front's"),
    FIELD(WHOLE, 0, scenario_announce, lane_share, "lane_share", 1, 62,
          "Of 64 polls: who was announced"),
    FIELD(WHOLE, 0, scenario_announce, sweep_share, "sweep_share", 1, 62,
          "Of 64 polls: each contact in turn; the three add up to 64"),
    FIELD(WHOLE, 0, scenario_announce, boards, "boards", 1, 16,
          "Stores that list announcements"),
    FIELD(THOUSANDTHS, 0, scenario_announce, interval_us, "interval_ms", 100,
          60000, "Time between two lists of a board"),
    FIELD(THOUSANDTHS, 0, scenario_announce, per_hour_m, "per_hour", 0, 10000,
          "Announcements of each client in an hour"),
    FIELD(THOUSANDTHS, 0, scenario_announce, cover_per_hour_m, "cover_per_hour",
          0, 10000, "And of each to itself"),
    FIELD(BOOL, 0, scenario_announce, confirm, "confirm", 0, 0,
          "Lists are acted on when answers of two stores name them"),
    FIELD(THOUSANDTHS, 0, scenario_announce, read_before_us, "read_before_ms",
          0, MS_MAX,
          "A store looks into a box so long before its answer leaves; 0: when "
          "the request comes"),
    FIELD(WHOLE, 0, scenario_announce, window, "window", 1, 100000,
          "Parts of a file that are under way without acknowledgement"),
    FIELD(WHOLE, 0, scenario_announce, ack_s, "ack_s", 0, DAY_S,
          "A letter is acknowledged so long after its commit at least"),
    FIELD(WHOLE, 0, scenario_announce, ack_noise_s, "ack_noise_s", 0, DAY_S,
          "Mean of what is added to that"),
    FIELD(THOUSANDTHS, 0, scenario_announce, think_us, "think_ms", 0, MS_MAX,
          "Mean time from reading a text to writing one"),
    FIELD(WHOLE, 0, scenario_announce, others, "others", 0, 1000,
          "probe: with how many others the user talks")};
static const struct field_table announce_table = {announce_fields,
                                                  LEN(announce_fields), NULL};

static const struct field scenario_fields[] = {
    NAMES(scenario, level, "level", level_names,
          "Packets as numbers and up to millions of clients; whole relays, "
          "stores and clients; or letters, and which polls find them"),
    FIELD(WHOLE, 0, scenario, seed, "seed", 0, SEED_MAX,
          "Same seed, same course"),
    FIELD(WHOLE, 0, scenario, runs, "runs", 1, 10000,
          "Independent runs; figures are means over them"),
    OBJECT(scenario, network, "network", &network_table,
           "Relays and the links between them"),
    OBJECT(scenario, mix, "mix", &mix_table, "What relays do"),
    {"clients", FIELD_OBJECTS, FIELD_REQUIRED,
     offsetof(struct scenario, clients), sizeof(struct scenario_clients), 0, 0,
     COUNT(scenario, n_clients), SCENARIO_GROUPS_MAX, NULL, &client_table,
     "Groups of clients"},
    OBJECT(scenario, run, "run", &run_table, "How long"),
    OBJECT(scenario, measure, "measure", &measure_table, "What is measured"),
    OBJECT(scenario, attack, "attack", &attack_table,
           "What an adversary does on the links"),
    OBJECT(scenario, announce, "announce", &announce_table,
           "Level announce: what people do, and how they hear of it")};
const struct field_table scenario_table = {
    scenario_fields, LEN(scenario_fields), &scenario_file_table};

static const struct field set_fields[] = {
    FIELD(TEXT, FIELD_REQUIRED, scenario_set, name, "name", 0, 0,
          "What results call it"),
    FIELD(SET, 0, scenario_set, set, "set", 0, 0,
          "Values by the paths of what they replace, as clients[0].rate; null "
          "takes a key away")};
static const struct field_table set_table = {set_fields, LEN(set_fields), NULL};

static const struct field expect_fields[] = {
    FIELD(TEXT, FIELD_REQUIRED, scenario_expect, metric, "metric", 0, 0,
          "Name of a result"),
    {"values", FIELD_VALUES, FIELD_BARE, AT(scenario_expect, values),
     -VALUE_MAX, VALUE_MAX, COUNT(scenario_expect, n_values),
     SCENARIO_CASES_MAX, NULL, NULL, "What it should be, one value a case"},
    {"value", FIELD_VALUE, FIELD_BARE, AT(scenario_expect, values), -VALUE_MAX,
     VALUE_MAX, COUNT(scenario_expect, n_values), 1, NULL, NULL,
     "What it should be in every case"},
    FIELD(NUMBER, FIELD_BARE, scenario_expect, tolerance, "tolerance", 0,
          VALUE_MAX, "How far it may be off; this or relative"),
    FIELD(NUMBER, FIELD_BARE, scenario_expect, relative, "relative", 0, 100,
          "The same, as a share of the value"),
    FIELD(NUMBER, 0, scenario_expect, false_alarm, "false_alarm", 1e-12, 1,
          "How often chance alone may take it further off than that")};
static const struct field_table expect_table = {expect_fields,
                                                LEN(expect_fields), NULL};

static const struct field file_fields[] = {
    {"format", FIELD_WHOLE, FIELD_REQUIRED | FIELD_BARE, 0, 0, 1, 1, 0, 0, 0,
     NULL, NULL, "Version of this format"},
    FIELD(TEXT, 0, scenario_file, name, "name", 0, 0, "Name of the scenario"),
    FIELD(LONG_TEXT, FIELD_BARE, scenario_file, about, "about", 0, 0,
          "What it shows, and where its expectations come from"),
    {"cases", FIELD_CASES, FIELD_BARE, 0, 0, 0, 0, 0, 0, SCENARIO_CASES_MAX,
     NULL, &set_table,
     "The same with some values replaced, one run after another"},
    {"expect", FIELD_OBJECTS, FIELD_BARE,
     offsetof(struct scenario_file, expects), sizeof(struct scenario_expect), 0,
     0, COUNT(scenario_file, n_expects), SCENARIO_EXPECTS_MAX, NULL,
     &expect_table, "What results should come to"}};
const struct field_table scenario_file_table = {file_fields, LEN(file_fields),
                                                &scenario_table};

const struct field *
field_find(const struct field_table *t, const char *key)
{
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->fields[i].key, key) == 0)
            return &t->fields[i];
    return NULL;
}

size_t
field_names(const struct field *f, const struct params *p,
            const char *names[static FIELD_NAMES_MAX + 1])
{
    size_t n = 0;
    if (f->kind == FIELD_NAME)
        for (; n < FIELD_NAMES_MAX && f->names[n]; n++)
            names[n] = f->names[n];
    else if (f->kind == FIELD_PROFILE)
        for (; n < FIELD_NAMES_MAX && n < p->n_profiles; n++)
            names[n] = p->profiles[n].name;
    names[n] = NULL;
    return n;
}
_Static_assert((int)FIELD_NAMES_MAX >= (int)PROFILES_MAX, "all profiles");

static void
network_defaults(struct scenario *s, const struct params *p)
{
    bool whole = s->level != LEVEL_PACKETS;
    struct scenario_network *n = &s->network;
    n->topology = TOPOLOGY_STRATIFIED;
    n->layers = p->layers;
    n->width = whole ? 2 : 10;
    n->latency_law = LATENCY_CONSTANT;
    if (n->trip == TRIP_ROUND)
        n->gateways = n->stores = n->width;
}

static void
mix_defaults(struct scenario *s, const struct params *p)
{
    struct scenario_mix *m = &s->mix;
    m->params.strategy = (enum mix_strategy)p->mix_strategy;
    m->params.interval_us = p->mix_interval_us;
    m->params.threshold = p->mix_threshold;
    m->params.keep = p->mix_keep;
    m->params.permille = p->mix_permille;
    m->delay_mean_us = p->delay_mean_us;
    m->delay_unit_us = p->geometry.delay_unit_us;
    m->poll_delay_mean_us = p->poll_delay_mean_us;
    m->store_delay_fixed_us = p->store_delay_fixed_us;
    m->store_delay_mean_us = p->store_delay_mean_us;
    m->loop_mhz = p->relay_loop_mhz;
}

static void
clients_defaults(struct scenario_clients *c, const struct params *p)
{
    snprintf(c->name, sizeof c->name, "clients");
    c->count = 1;
    c->send = SEND_POISSON;
    c->profile = p->profiles[0];
}

static void
announce_defaults(struct scenario_announce *a)
{
    *a = (struct scenario_announce){.use = USE_FIRST,
                                    .schedule = SCHEDULE_FRONTS,
                                    .probe = PROBE_TEXT,
                                    .contacts = 50,
                                    .poll_mhz = 4000,
                                    .fronts = 2,
                                    .front_share = 25,
                                    .lane_share = 11,
                                    .sweep_share = 3,
                                    .boards = 4,
                                    .interval_us = 2000000,
                                    .per_hour_m = 10000,
                                    .cover_per_hour_m = 2000,
                                    .confirm = true,
                                    .read_before_us = 50000,
                                    .window = 256,
                                    .ack_s = 20,
                                    .ack_noise_s = 20,
                                    .think_us = 500000};
}

void
scenario_defaults(struct scenario *s, enum scenario_level level,
                  enum scenario_trip trip)
{
    struct params p;
    params_default(&p, 3600);
    memset(s, 0, sizeof *s);
    s->level = level;
    s->packet_len = p.geometry.packet_len;
    s->seed = 1;
    s->runs = 1;
    s->network.trip = trip                     ? trip
                      : level == LEVEL_PACKETS ? TRIP_ONE_WAY
                                               : TRIP_ROUND;
    network_defaults(s, &p);
    mix_defaults(s, &p);
    for (size_t i = 0; i < SCENARIO_GROUPS_MAX; i++)
        clients_defaults(&s->clients[i], &p);
    s->run.warmup_s = -1;
    s->run.measure_s = 60;
    s->run.batches = 20;
    s->measure.latency = s->measure.occupancy = true;
    s->measure.at_once = SCENARIO_TARGETS_AT_ONCE;
    s->measure.drained = 1e-6;
    s->measure.text_gap_mean_s = 0.5;
    s->measure.contacts = 1;
    s->attack.kind = ATTACK_NONE;
    s->measure.kinds = KINDS_ALIKE;
    s->attack.share = 0.5;
    s->attack.block_s = 10;
    announce_defaults(&s->announce);
}

void
scenario_file_defaults(struct scenario_file *f)
{
    memset(f, 0, sizeof *f);
    snprintf(f->name, sizeof f->name, "scenario");
    for (size_t i = 0; i < SCENARIO_EXPECTS_MAX; i++)
        f->expects[i].false_alarm = 1e-4;
}
