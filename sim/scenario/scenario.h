/* sim/scenario/scenario.h - what a simulation is to do, as read from a scenario
 * file.
 *
 * A scenario is one JSON object; scenario_schema() prints the JSON Schema of
 * it, made from the same tables that read it, with every default. Defaults are
 * the consensus parameters' (params_default()), so a scenario that says nothing
 * of a thing simulates what the network does; which key is which field is in
 * sim/scenario/scenario_fields.c. Times are given in ms or s as the key says;
 * ms are kept in microseconds here, rates, given in packets per second, as
 * packets per 1,000 s (mhz), both rounded to the nearest. */
#ifndef SIM_SCENARIO_SCENARIO_H
#define SIM_SCENARIO_SCENARIO_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "network/consensus.h"
#include "relay/mix.h"

enum {
    SCENARIO_NAME_MAX = 64,
    SCENARIO_PATH_MAX = 512,
    SCENARIO_LAYERS_MAX = 20,
    SCENARIO_WIDTH_MAX = 10000,
    SCENARIO_GROUPS_MAX = 64,
    SCENARIO_CASES_MAX = 128,
    SCENARIO_EXPECTS_MAX = 16,
    SCENARIO_SET_MAX = 64, /* paths that are told of each case */
    SCENARIO_TARGETS_AT_ONCE = 8
};

/* packets: mixes and clients' clocks alone, packets are numbers; up to millions
 * of clients. network: whole relays, stores and clients, every byte. announce:
 * letters, and which polls find them; what lies between is a delay drawn. */
enum scenario_level { LEVEL_PACKETS = 1, LEVEL_NETWORK, LEVEL_ANNOUNCE };

/* stratified: each hop's relay is drawn from its layer. cascade: the first is
 * drawn, the others stand behind it. free-route: `layers` hops, each drawn from
 * one set of `width` relays, never the one before. */
enum scenario_topology {
    TOPOLOGY_STRATIFIED = 1,
    TOPOLOGY_CASCADE,
    TOPOLOGY_FREE_ROUTE
};

/* one-way: from the client through the layers, and out. round: as Brusio does
 * it, client, gateway, layers, store, layers, gateway, client. */
enum scenario_trip { TRIP_ONE_WAY = 1, TRIP_ROUND };

/* How long a frame is under way on a link. */
enum latency_law {
    LATENCY_CONSTANT = 1, /* fixed */
    LATENCY_EXPONENTIAL,  /* fixed + Exp(mean) */
    LATENCY_MATRIX        /* of two relays, from a file */
};

struct scenario_network {
    enum scenario_topology topology;
    enum scenario_trip trip;
    uint32_t layers, width;
    uint32_t gateways, stores;
    /* Weight of each relay of each layer, owned; NULL: all of a layer alike.
     * Layer i < layers has widths[i] relays, its weights begin at weights +
     * weights_start[i], which is also the sum of the widths before it. Cascade:
     * every layer has the weights of the first. Free route: every hop has the
     * one set's widths and weights, from 0. `width` is that of the first. */
    double *weights;
    uint32_t widths[SCENARIO_LAYERS_MAX];
    uint32_t weights_start[SCENARIO_LAYERS_MAX];
    enum latency_law latency_law;
    uint64_t latency_fixed_us, latency_mean_us;
    /* Matrix: CSV of milliseconds, a line a relay, in relays' order (gateways,
     * layer 1, .., stores); read by the caller. */
    char latency_file[SCENARIO_PATH_MAX];
    double loss;             /* share of frames lost on each link */
    uint32_t corrupt;        /* relays of the mix layers, drawn by the seed */
    double corrupt_of_layer; /* share of each mix layer, rounded; instead */
};

struct scenario_mix {
    struct mix_params params;
    uint32_t delay_unit_us;      /* packets say delays in it */
    uint64_t delay_mean_us;      /* at the gateway and each mix */
    uint64_t poll_delay_mean_us; /* outward over all mixes together; round */
    uint64_t store_delay_fixed_us, store_delay_mean_us; /* round */
    uint32_t loop_mhz; /* each relay's own loops (I4) */
};

enum client_send {
    SEND_POISSON = 1, /* client/pace/traffic.h */
    SEND_CONSTANT,    /* equal intervals, first at a random time in one */
    SEND_TRACE        /* times from a CSV file: "time_s,client" */
};

struct scenario_clients {
    char name[SCENARIO_NAME_MAX];
    uint32_t count;
    enum client_send send;
    /* By name from the consensus parameters; or "rate", which is all sends; or
     * of "rates" and "trace" the name alone. */
    struct profile profile;
    uint32_t *rates_mhz; /* owned; client i has rates_mhz[i % n]; or NULL */
    uint32_t n_rates;
    char trace[SCENARIO_PATH_MAX];
    double stay_mean_s, away_mean_s; /* 0: always there; level network: of the
                                        first of a pair, for both */
    bool challenger;                 /* one of the two whose packets are told
                                        apart: measure.epsilon */
    uint32_t message_mhz; /* challenger: messages come at this rate, at equal
                             intervals, and wait for a packet; all others are
                             cover. 0: every packet is a message */
    bool target; /* tagged packets are of such groups; of none: of all */
};

/* Level announce: what people do. */
enum announce_use {
    USE_LISTS = 1, /* nothing: what lists cost */
    USE_RUNNING,   /* two who write in turn */
    USE_FIRST,     /* any contact of one who has been connected for a minute */
    USE_FILE,      /* parts of a file from one to another, without a pause */
    USE_COPIES,    /* a text to each of a group */
    USE_HOST,      /* a text to a host, who writes it to each of a group */
    USE_SERVICE,   /* all contacts ask one, who answers at once */
    USE_PROBE      /* what a contact sees of one who talks with others */
};
/* recency: polls as they were before there were fronts; the control. */
enum announce_schedule { SCHEDULE_FRONTS = 1, SCHEDULE_RECENCY };
enum announce_probe {
    PROBE_TEXT = 1,
    PROBE_PING, /* that its user lets be answered */
    PROBE_FILE,
    PROBE_SILENT, /* a text that is put and not announced */
    PROBE_ACK,
    PROBE_NOTHING
};
struct scenario_announce {
    enum announce_use use;
    enum announce_schedule schedule;
    enum announce_probe probe;
    uint32_t contacts; /* of the one who is written to, or group */
    uint32_t poll_mhz; /* 0: the profile's */
    uint32_t fronts, front_share, lane_share, sweep_share;
    uint32_t boards;
    uint64_t interval_us;
    uint32_t per_hour_m, cover_per_hour_m; /* announcements of each client */
    bool confirm;            /* act on a list when two stores name it */
    uint64_t read_before_us; /* stores look so long before they answer; 0: when
                                the request comes */
    uint32_t window;         /* parts not acknowledged */
    uint32_t ack_s, ack_noise_s;
    uint64_t think_us; /* mean time from reading to writing */
    uint32_t others;   /* whom the one who is probed talks with */
};

struct scenario_run {
    double warmup_s;  /* negative: found by the run itself */
    double measure_s; /* at least so long, and until all targets are done */
    uint32_t batches; /* for confidence intervals */
};

/* Whom an observer takes a target for: any packet, or, since a mix tells polls
 * from all others by how long they are to wait, one of its own kind. */
enum scenario_kinds { KINDS_ALIKE = 1, KINDS_SENDS, KINDS_POLLS };

struct scenario_measure {
    enum scenario_kinds kinds;
    bool latency, occupancy, mix_entropy, epsilon, alarm, watch;
    uint32_t targets;       /* tagged packets, one after the other */
    uint32_t at_once;       /* of them under way together */
    double drained;         /* a target is done when less of it is inside */
    uint32_t path_messages; /* corrupt paths: messages of one user; 0: no */
    uint32_t texts;         /* levels network, announce: texts in all */
    double text_gap_mean_s; /* between texts of one pair */
    uint32_t contacts; /* level network: of each client, all with its pair */
    bool first; /* each text is of a contact to whom its reader does not write;
                   else the two of a pair write in turn */
};

enum scenario_attack_kind {
    ATTACK_NONE = 1,
    ATTACK_DROP, /* withholds this share of all that goes to the relay */
    ATTACK_FLUSH /* n-1: all, for block_s; then one target alone gets in */
};
struct scenario_attack {
    enum scenario_attack_kind kind;
    uint32_t relay; /* number, in relays' order */
    double share;   /* drop */
    double block_s; /* flush */
};

/* What a metric should come to: |measured - value| <= tolerance + z * its
 * standard error, z from the false alarms allowed (two-sided, normal). */
struct scenario_expect {
    char metric[SCENARIO_NAME_MAX];
    double *values; /* one a case, always; owned */
    size_t n_values;
    double tolerance; /* absolute, or */
    double relative;  /* of the value; the other is 0 */
    double false_alarm;
};

struct scenario {
    char name[SCENARIO_NAME_MAX];
    enum scenario_level level;
    uint32_t packet_len; /* bytes, of the default geometry */
    uint64_t seed;
    uint32_t runs;
    struct scenario_network network;
    struct scenario_mix mix;
    uint32_t n_clients; /* groups */
    struct scenario_clients clients[SCENARIO_GROUPS_MAX];
    struct scenario_run run;
    struct scenario_measure measure;
    struct scenario_attack attack;
    struct scenario_announce announce;
    /* Of each path that a case of the file sets, what it is in this one, as JSON
     * writes it, a text without its quotes; owned, the file's n_set of them. */
    char **set;
};

/* A file: one scenario, or one for each of its cases. */
struct scenario_file {
    char name[SCENARIO_NAME_MAX];
    char *about; /* owned; NULL: nothing said */
    size_t n_cases;
    struct scenario **cases; /* owned */
    size_t n_set;
    char **set_paths; /* "network.layers", all that any case sets; owned */
    size_t n_expects;
    struct scenario_expect expects[SCENARIO_EXPECTS_MAX];
};

/* Where a file is wrong, for people: "clients[0].rate: must be .. not ..". */
struct scenario_problem {
    char text[512];
};

/* Read the text of a file, len bytes, at most 16 MiB. `directory` is where
 * paths in it begin ("": here). Returns 0; ERR_FORMAT (problem says what and
 * where), ERR_NOMEM; *out is NULL then. Where memory is short it may be
 * ERR_FORMAT too. */
int scenario_parse(struct scenario_file **out, const char *text, size_t len,
                   const char *directory,
                   struct scenario_problem *problem) CHECK_RESULT;
/* Free *f with its cases. */
void scenario_free(struct scenario_file **f);
/* Forget all cases of f but the first n. */
void scenario_cases_keep(struct scenario_file *f, size_t n);

/* Check whether the values of s go together: a part of scenario_parse(), for
 * scenarios made in another way. Returns 0, or ERR_FORMAT and problem. */
int scenario_check(const struct scenario *s,
                   struct scenario_problem *problem) CHECK_RESULT;

/* Make the JSON Schema (draft 2020-12) of scenario files, to be freed by the
 * caller; NULL without memory. */
char *scenario_schema(void);

/* Return the packets a second of all clients of s together, when all are there:
 * sends, polls and loops; without those that follow a trace. */
double scenario_rate(const struct scenario *s);
/* Return the same of one group. */
double scenario_group_rate(const struct scenario_clients *c);
/* Count the clients of all groups of s. */
uint32_t scenario_clients_count(const struct scenario *s);
/* Count the hops of a packet's whole way: one a relay that it passes, out and
 * back. */
uint32_t scenario_hops(const struct scenario *s);
/* Count the relays of s in all: gateways and stores too. */
uint32_t scenario_relays(const struct scenario *s);
#endif
