/* sim/scenario_keys.c - every key of a scenario file: one table for reading,
 * for the schema, and for defaults. No state. */
#include <string.h>

#include "sim/json_internal.h"

#define AT(type, field) \
    offsetof(struct type, field), sizeof(((struct type *)0)->field)
#define MS  1e3 /* to microseconds */
#define MHZ 1e3 /* packets a second to packets in 1,000 s */
#define NO  0, 1, 0, 0, NULL

static const struct scenario_key file_keys[] = {
    {"format", KEY_OTHER, 0, 0, 1, 1, 1, NULL, "version of this format: 1"},
    {"name", KEY_OTHER, 0, NO, "what it is called"},
    {"about", KEY_OTHER, 0, NO, "what it is for"},
    {"level", KEY_ENUM, AT(scenario, level), 1, 0, 0, "packets|network",
     "packets: mixes and clocks alone, up to millions of clients; network: "
     "whole relays, stores and clients, every octet"},
    {"seed", KEY_U64, AT(scenario, seed), 1, 0, 9007199254740991.0, NULL,
     "the same seed gives the same course"},
    {"runs", KEY_U32, AT(scenario, runs), 1, 1, 10000, NULL,
     "independent runs; figures are means over them"},
    {"network", KEY_OTHER, 0, NO, "relays and links"},
    {"mix", KEY_OTHER, 0, NO, "mixing strategy and delays"},
    {"clients", KEY_OTHER, 0, NO, "groups of clients"},
    {"run", KEY_OTHER, 0, NO, "how long"},
    {"measure", KEY_OTHER, 0, NO, "what is measured"},
    {"attack", KEY_OTHER, 0, NO, "what an active adversary does"},
    {"cases", KEY_OTHER, 0, NO,
     "variants: each a name and what it sets, as \"network.layers\": 5"},
    {"expect", KEY_OTHER, 0, NO, "what figures should come to"}};

static const struct scenario_key network_keys[] = {
    {"topology", KEY_ENUM, AT(scenario_network, topology), 1, 0, 0,
     "stratified|cascade|free-route",
     "stratified: a relay of each layer; cascade: those behind the first; "
     "free-route: `layers` hops among `width` relays"},
    {"trip", KEY_ENUM, AT(scenario_network, trip), 1, 0, 0, "one-way|round",
     "one-way: through the layers and out; round: to a store and back"},
    {"layers", KEY_U32, AT(scenario_network, layers), 1, 1, SCENARIO_LAYERS_MAX,
     NULL, "of mixes"},
    {"width", KEY_U32, AT(scenario_network, width), 1, 1, SCENARIO_WIDTH_MAX,
     NULL, "mixes of each layer"},
    {"weights", KEY_OTHER, 0, NO,
     "for each layer the weight of each relay; gives layers and width too"},
    {"gateways", KEY_U32, AT(scenario_network, gateways), 1, 0,
     SCENARIO_WIDTH_MAX, NULL, "where clients connect; they mix too"},
    {"stores", KEY_U32, AT(scenario_network, stores), 1, 0, SCENARIO_WIDTH_MAX,
     NULL, "of a round trip"},
    {"latency", KEY_OTHER, 0, NO, "of every link"},
    {"loss", KEY_DOUBLE, AT(scenario_network, loss), 1, 0, 1, NULL,
     "share of frames lost on each link"},
    {"corrupt", KEY_U32, AT(scenario_network, corrupt), 1, 0, 65535, NULL,
     "so many mixes, drawn by the seed, are the adversary's"},
    {"corrupt_of_layer", KEY_DOUBLE, AT(scenario_network, corrupt_of_layer), 1,
     0, 1, NULL, "this share of each layer is, instead"},
    {"corrupt_relays", KEY_OTHER, 0, NO,
     "a list of those that are, by number: gateways, layer by layer, stores"}};

static const struct scenario_key latency_keys[] = {
    {"law", KEY_ENUM, AT(scenario_network, latency_law), 1, 0, 0,
     "constant|exponential|matrix",
     "constant: fixed_ms; exponential: fixed_ms and an exponential of "
     "mean_ms; matrix: of two relays, from a file"},
    {"fixed_ms", KEY_INTERVAL, AT(scenario_network, latency_fixed_us), MS, 0,
     60000, NULL, "at least"},
    {"mean_ms", KEY_INTERVAL, AT(scenario_network, latency_mean_us), MS, 0,
     60000, NULL, "of the exponential part"},
    {"file", KEY_FILE, AT(scenario_network, latency_file), 1, 0, 0, NULL,
     "CSV of milliseconds, a line and a column for each relay: gateways, "
     "layer by layer, stores"}};

static const struct scenario_key mix_keys[] = {
    {"strategy", KEY_ENUM, AT(scenario_mix, params.strategy), 1, 0, 0,
     "poisson|timed-pool|threshold-pool|binomial", "see relay/mix.h"},
    {"delay_mean_ms", KEY_INTERVAL, AT(scenario_mix, delay_mean_us), MS, 0.001,
     60000000, NULL, "at the gateway and each mix"},
    {"delay_unit_us", KEY_U32, AT(scenario_mix, delay_unit_us), 1, 1, 1000000,
     NULL, "packets say delays in it, at most 65,535 of them"},
    {"poll_delay_mean_ms", KEY_INTERVAL, AT(scenario_mix, poll_delay_mean_us),
     MS, 0, 60000000, NULL, "of a poll, outward, over all mixes together"},
    {"store_delay_fixed_ms", KEY_INTERVAL,
     AT(scenario_mix, store_delay_fixed_us), MS, 0, 60000, NULL,
     "between a request and its answer, at least"},
    {"store_delay_mean_ms", KEY_INTERVAL, AT(scenario_mix, store_delay_mean_us),
     MS, 0, 60000, NULL, "and an exponential of this mean"},
    {"interval_ms", KEY_INTERVAL, AT(scenario_mix, params.interval_us), MS, 1,
     60000000, NULL, "timed-pool and binomial: between flushes"},
    {"threshold", KEY_U32, AT(scenario_mix, params.threshold), 1, 1, 1000000,
     NULL, "threshold-pool: so many leave at once"},
    {"keep", KEY_U32, AT(scenario_mix, params.keep), 1, 0, 1000000, NULL,
     "timed-pool and threshold-pool: so many stay"},
    {"share", KEY_U32, AT(scenario_mix, params.permille), 1e3, 0.001, 1, NULL,
     "binomial: chance of each to leave at a flush"},
    {"loop_rate", KEY_U32, AT(scenario_mix, loop_mhz), MHZ, 0, 100000, NULL,
     "each relay's own loops, packets a second"}};

static const struct scenario_key clients_keys[] = {
    {"name", KEY_TEXT, AT(scenario_clients, name), 1, 0, 0, NULL,
     "of the group"},
    {"count", KEY_U32, AT(scenario_clients, count), 1, 1, 20000000, NULL,
     "clients in it"},
    {"send", KEY_ENUM, AT(scenario_clients, send), 1, 0, 0,
     "poisson|constant|trace",
     "poisson: the clock of Brusio's clients; constant: equal intervals; "
     "trace: as a file says"},
    {"profile", KEY_OTHER, 0, NO, "default, light or fast"},
    {"rate", KEY_OTHER, 0, 0, 1, 0.001, 100000, NULL,
     "packets a second of each, in place of a profile"},
    {"rates", KEY_OTHER, 0, 0, 1, 0.001, 100000, NULL,
     "a list of them, dealt out to the clients in turn"},
    {"trace", KEY_FILE, AT(scenario_clients, trace), 1, 0, 0, NULL,
     "CSV \"time_s,client\", clients of the group from 0"},
    {"stay_mean_s", KEY_DOUBLE, AT(scenario_clients, stay_mean_s), 1, 0, 1e9,
     NULL, "there for an exponential time of this mean; 0: always"},
    {"away_mean_s", KEY_DOUBLE, AT(scenario_clients, away_mean_s), 1, 0, 1e9,
     NULL, "then away"},
    {"challenger", KEY_BOOL, AT(scenario_clients, challenger), 1, 0, 0, NULL,
     "one of the two whom the observer compares: measure.epsilon"},
    {"message_rate", KEY_U32, AT(scenario_clients, message_mhz), MHZ, 0, 100000,
     NULL,
     "challenger: messages a second, at equal intervals, each waits for a "
     "packet; other packets are cover. 0: every packet is a message"},
    {"target", KEY_BOOL, AT(scenario_clients, target), 1, 0, 0, NULL,
     "tagged packets are of such groups; if none is, of all"}};

static const struct scenario_key run_keys[] = {
    {"warmup_s", KEY_DOUBLE, AT(scenario_run, warmup_s), 1, -1, 1e9, NULL,
     "before measuring; -1: until the packets under way are stationary"},
    {"measure_s", KEY_DOUBLE, AT(scenario_run, measure_s), 1, 0.001, 1e9, NULL,
     "of virtual time, and until all targets are done"},
    {"batches", KEY_U32, AT(scenario_run, batches), 1, 5, 1000, NULL,
     "parts of it, for confidence intervals"}};

static const struct scenario_key measure_keys[] = {
    {"latency", KEY_BOOL, AT(scenario_measure, latency), 1, 0, 0, NULL,
     "how long packets are under way"},
    {"occupancy", KEY_BOOL, AT(scenario_measure, occupancy), 1, 0, 0, NULL,
     "packets in a mix"},
    {"mix_entropy", KEY_BOOL, AT(scenario_measure, mix_entropy), 1, 0, 0, NULL,
     "of each departure from a mix (Loopix, appendix A)"},
    {"epsilon", KEY_BOOL, AT(scenario_measure, epsilon), 1, 0, 0, NULL,
     "how well an observer tells two challengers apart (Loopix, 4.3)"},
    {"alarm", KEY_BOOL, AT(scenario_measure, alarm), 1, 0, 0, NULL,
     "what relays' own loops tell them (relay/alarm.h)"},
    {"targets", KEY_U32, AT(scenario_measure, targets), 1, 0, 1000000, NULL,
     "tagged packets, followed until they are out: entropy.*"},
    {"at_once", KEY_U32, AT(scenario_measure, at_once), 1, 1,
     SCENARIO_TARGETS_AT_ONCE, NULL, "of them at the same time, at most"},
    {"drained", KEY_DOUBLE, AT(scenario_measure, drained), 1, 1e-9, 0.1, NULL,
     "a target is done when less than this of it is inside"},
    {"path_messages", KEY_U32, AT(scenario_measure, path_messages), 1, 0, 60000,
     NULL,
     "corrupt paths: the share of users of whose first so many packets one "
     "meets corrupt mixes alone; 0: not measured"},
    {"texts", KEY_U32, AT(scenario_measure, texts), 1, 0, 1000000, NULL,
     "level network: texts between pairs of clients"},
    {"text_gap_mean_s", KEY_DOUBLE, AT(scenario_measure, text_gap_mean_s), 1, 0,
     86400, NULL, "between the arrival of a text and the next of that pair"}};

static const struct scenario_key attack_keys[] = {
    {"kind", KEY_ENUM, AT(scenario_attack, kind), 1, 0, 0, "none|drop|flush",
     "drop: withholds a share of what goes to a relay; flush: n-1, all of it, "
     "then lets one target in, again and again"},
    {"relay", KEY_U32, AT(scenario_attack, relay), 1, 0, 65534, NULL,
     "number: gateways, layer by layer, stores"},
    {"share", KEY_DOUBLE, AT(scenario_attack, share), 1, 0, 1, NULL,
     "drop: of the packets"},
    {"block_s", KEY_DOUBLE, AT(scenario_attack, block_s), 1, 0, 86400, NULL,
     "flush: how long the target is held back"}};

#define TABLE(name, keys, type)                      \
    {                                                \
        name, keys, sizeof keys / sizeof *keys, type \
    }
const struct scenario_table scenario_tables[] = {
    TABLE("", file_keys, 0),
    TABLE("network", network_keys, offsetof(struct scenario, network)),
    TABLE("latency", latency_keys, offsetof(struct scenario, network)),
    TABLE("mix", mix_keys, offsetof(struct scenario, mix)),
    TABLE("clients", clients_keys, offsetof(struct scenario, clients)),
    TABLE("run", run_keys, offsetof(struct scenario, run)),
    TABLE("measure", measure_keys, offsetof(struct scenario, measure)),
    TABLE("attack", attack_keys, offsetof(struct scenario, attack))};
const size_t scenario_tables_len =
    sizeof scenario_tables / sizeof *scenario_tables;

const struct scenario_table *
scenario_table(const char *name)
{
    for (size_t i = 0; i < scenario_tables_len; i++)
        if (strcmp(scenario_tables[i].name, name) == 0)
            return &scenario_tables[i];
    return NULL;
}

const char *
scenario_enum_name(const char *names, int number, size_t *len)
{
    while (names && --number > 0) {
        names = strchr(names, '|');
        names = names ? names + 1 : NULL;
    }
    *len = names ? strcspn(names, "|") : 0;
    return names;
}

/* ---- defaults ---- */

void
scenario_defaults(struct scenario *s, enum scenario_level level,
                  enum scenario_trip trip)
{
    struct params p;
    params_default(&p, 3600);
    const bool round = trip == TRIP_ROUND, whole = level == LEVEL_NETWORK;
    *s = (struct scenario){.level = level,
                           .packet_len = p.geometry.packet_len,
                           .seed = 1,
                           .runs = 1};
    s->network = (struct scenario_network){.topology = TOPOLOGY_STRATIFIED,
                                           .trip = trip,
                                           .layers = p.layers,
                                           .width = whole ? 2 : 10,
                                           .gateways = whole   ? 2
                                                       : round ? 10
                                                               : 0,
                                           .stores = whole ? 2 : 10,
                                           .latency_law = LATENCY_CONSTANT};
    s->mix = (struct scenario_mix){
        .params = {.strategy = (enum mix_strategy)p.mix_strategy,
                   .interval_us = p.mix_interval_us,
                   .threshold = p.mix_threshold,
                   .keep = p.mix_keep,
                   .permille = p.mix_permille},
        .delay_unit_us = p.geometry.delay_unit_us,
        .delay_mean_us = p.delay_mean_us,
        .poll_delay_mean_us = p.poll_delay_mean_us,
        .store_delay_fixed_us = p.store_delay_fixed_us,
        .store_delay_mean_us = p.store_delay_mean_us,
        .loop_mhz = round ? p.relay_loop_mhz : 0};
    s->run =
        (struct scenario_run){.warmup_s = -1, .measure_s = 60, .batches = 20};
    s->measure = (struct scenario_measure){.latency = true,
                                           .occupancy = true,
                                           .at_once = SCENARIO_TARGETS_AT_ONCE,
                                           .drained = 1e-6,
                                           .text_gap_mean_s = 0.5};
    s->attack = (struct scenario_attack){.kind = ATTACK_NONE, .share = 0.5};
}

void
scenario_group_defaults(struct scenario_clients *g)
{
    struct params p;
    params_default(&p, 3600);
    *g = (struct scenario_clients){
        .count = 1, .send = SEND_POISSON, .profile = p.profiles[0]};
}
