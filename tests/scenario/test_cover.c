/* tests/scenario/test_cover.c - I4: cover is on, at clients, at relays, on
 * downlinks, in every program's defaults and in the simulator.
 *
 * Real clients and relays in virtual time, seen from their wires. What should be
 * there is what the network's own defaults say (params_default()); a count below
 * it by more than five deviations of a Poisson number (by chance once in three
 * million) is a lack. The last tests turn cover off, one part after the other,
 * and want the same functions to say which part is lacking. What programs write
 * into their configuration is in tests/cover.sh. */
#include "tests/runner.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/os/files.h"
#include "lib/wire.h"
#include "sim/scenario/scenario.h"
#include "tests/world.h"

enum {
    LOOPS = 150, /* own loops that a client is to send while it is watched */
    WARM_S = 60,
    IDLE = 0, /* clients of a world: one idle, two who talk */
    BUSY = 1,
    PEER = 2,
    CLIENTS = 3
};

/* What a client did while it was watched; of up and down, frames seen on its
 * wire. */
struct seen {
    double seconds;
    uint64_t up, down, puts, gets, loops;
};

/* One world while it is watched. */
struct watch {
    struct world *world;
    struct world_client *client[CLIENTS];
    struct seen seen[CLIENTS];
    double seconds;
    uint64_t *relay_loops; /* of each relay, sent before */
};

static void
params_ours(struct params *p)
{
    params_default(p, 3600);
}

/* ---- what is lacking: a word that says what, NULL: nothing ---- */

static bool
is_few(uint64_t n, double mhz, double seconds)
{
    const double expected = mhz * seconds / 1000;
    return (double)n < expected - 5 * sqrt(expected);
}

/* Every tick makes a packet, whatever there is to send or to fetch; sends carry
 * letters or loops, and loops of their own do not give way to letters. */
static const char *
client_lacks(const struct seen *s, const struct profile *p)
{
    if (is_few(s->up, (double)p->send_mhz + p->poll_mhz + p->loop_mhz,
               s->seconds))
        return "packets";
    if (s->up != s->puts + s->gets + s->loops)
        return "a tick's packet";
    if (is_few(s->puts + s->loops, (double)p->send_mhz + p->loop_mhz,
               s->seconds))
        return "sends";
    if (is_few(s->gets, p->poll_mhz, s->seconds))
        return "polls";
    if (is_few(s->loops, p->loop_mhz, s->seconds))
        return "loops";
    return NULL;
}

/* A frame in each interval, an answer or a dummy. */
static const char *
downlink_lacks(const struct seen *s, const struct profile *p)
{
    const double expected = s->seconds * 1e6 / p->down_interval_us;
    return (double)s->down < expected - 2 ? "dummies" : NULL;
}

static const char *
relay_lacks(uint64_t loops, double seconds, const struct params *p)
{
    return is_few(loops, p->relay_loop_mhz, seconds) ? "loops" : NULL;
}

/* A relay whose loops are too few takes that for loss, and sends twice as many:
 * cover that alarms made is not its own. Where nobody withholds anything two bad
 * windows in a row come once in 8,600; beyond the bound once in 10^6. */
static bool
alarms_are_many(const struct world *w)
{
    double windows = 0, alarms = 0;
    for (uint32_t i = 0; i < w->n_relays; i++) {
        const struct alarm *a = relay_alarm(w->relay[i].relay);
        windows += a->windows;
        alarms += a->alarms;
    }
    const double expected = windows / 8600;
    return alarms > expected + 5 * sqrt(expected) + 3;
}

static const char *
scenario_lacks(const struct scenario *s)
{
    struct params p;
    params_ours(&p);
    if (s->mix.loop_mhz < p.relay_loop_mhz)
        return "relays' loops";
    for (uint32_t i = 0; i < s->n_clients; i++) {
        const struct profile *ours =
            params_profile(&p, s->clients[i].profile.name);
        if (ours && s->clients[i].profile.loop_mhz < ours->loop_mhz)
            return "clients' loops";
    }
    return NULL;
}

/* ---- watching ---- */

static void
tap(void *ctx, uint64_t now_us, uint32_t from, uint32_t to,
    const uint8_t *frame, size_t len)
{
    struct watch *v = ctx;
    (void)now_us;
    (void)len;
    if (frame[0] != WIRE_PACKET)
        return;
    for (size_t i = 0; i < CLIENTS; i++) {
        v->seen[i].up += from == v->client[i]->node;
        v->seen[i].down += to == v->client[i]->node;
    }
}

/* What a client counts itself, since the last time. */
static void
status_note(struct watch *v, size_t i, bool begin)
{
    struct client_status s;
    struct seen *seen = &v->seen[i];
    client_status(v->client[i]->client, &s);
    if (begin) {
        *seen = (struct seen){.puts = s.puts, .gets = s.gets, .loops = s.loops};
        return;
    }
    seen->seconds = v->seconds;
    seen->puts = s.puts - seen->puts;
    seen->gets = s.gets - seen->gets;
    seen->loops = s.loops - seen->loops;
}

static uint64_t
relay_loops(const struct watch *v, uint32_t relay)
{
    struct relay_stats s;
    team_stats(v->world->relay[relay].team, &s);
    return s.loops_sent;
}

/* A world of three clients of one profile with these parameters, warm, so that
 * the two talk. */
static void
watch_begin(struct watch *v, const char *profile,
            void (*params)(struct params *), uint64_t seed)
{
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = 2,
                                        .layers = 3,
                                        .mixes = 1,
                                        .stores = 2,
                                        .seed = seed,
                                        .params = params};
    *v = (struct watch){.world = world_new(&config)};
    v->relay_loops = calloc(v->world->n_relays, sizeof *v->relay_loops);
    assert_non_null(v->relay_loops);
    for (size_t i = 0; i < CLIENTS; i++)
        v->client[i] = world_client_add(v->world, profile, i % 2);
    world_run_s(v->world, 5);
    world_pair(v->world, v->client[BUSY], "peer", v->client[PEER], "busy");
    for (unsigned i = 0; i < WARM_S; i++) {
        world_keep_busy(v->client[BUSY], "peer", v->client[PEER], "busy");
        world_run_s(v->world, 1);
    }
}

/* Watch for so many seconds. */
static void
watch_run(struct watch *v, double seconds)
{
    v->seconds = seconds;
    for (size_t i = 0; i < CLIENTS; i++)
        status_note(v, i, true);
    for (uint32_t i = 0; i < v->world->n_relays; i++)
        v->relay_loops[i] = relay_loops(v, i);
    engine_tap(v->world->engine, tap, v);
    for (double s = 0; s < seconds; s++) {
        world_keep_busy(v->client[BUSY], "peer", v->client[PEER], "busy");
        world_epoch_due(v->world);
        world_run_s(v->world, 1);
    }
    engine_tap(v->world->engine, NULL, NULL);
    for (size_t i = 0; i < CLIENTS; i++)
        status_note(v, i, false);
    for (uint32_t i = 0; i < v->world->n_relays; i++)
        v->relay_loops[i] = relay_loops(v, i) - v->relay_loops[i];
}

static void
watch_end(struct watch *v)
{
    free(v->relay_loops);
    world_free(&v->world);
}

/* So long that a client of the profile is to send LOOPS loops; by our own
 * parameters, whatever the world's are. */
static double
watch_length_s(const struct profile *p)
{
    return ceil(LOOPS * 1000.0 / p->loop_mhz);
}

static void
lacks_nothing(const char *lacks, const char *what, const char *profile)
{
    if (lacks)
        fail_msg("%s of the profile %s lacks %s", what, profile, lacks);
}

static void
i4_clients_gateways_and_relays_cover_whatever_happens(void **state)
{
    (void)state;
    static const char *const name[CLIENTS] = {"an idle client", "a busy client",
                                              "its peer"};
    struct params p;
    params_ours(&p);
    for (size_t k = 0; k < p.n_profiles; k++) {
        const struct profile *profile = &p.profiles[k];
        struct watch v;
        watch_begin(&v, profile->name, NULL, test_seed() + k);
        /* the lightest longest: its ticks for letters fill, so that loops of
         * its own that gave way to letters would be missed */
        watch_run(&v, (k == 1 ? 4 : 1) * (test_proof() ? 10 : 1) *
                          watch_length_s(profile));
        for (size_t i = 0; i < CLIENTS; i++) {
            lacks_nothing(client_lacks(&v.seen[i], profile), name[i],
                          profile->name);
            lacks_nothing(downlink_lacks(&v.seen[i], profile), name[i],
                          profile->name);
        }
        for (uint32_t i = 0; i < v.world->n_relays; i++)
            lacks_nothing(relay_lacks(v.relay_loops[i], v.seconds, &p),
                          "a relay", profile->name);
        assert_false(alarms_are_many(v.world));
        printf("  %s: idle %llu up, %llu down; busy %llu up, of them %llu "
               "puts\n",
               profile->name, (unsigned long long)v.seen[IDLE].up,
               (unsigned long long)v.seen[IDLE].down,
               (unsigned long long)v.seen[BUSY].up,
               (unsigned long long)v.seen[BUSY].puts);
        /* the idle one wrote to itself alone, twice an hour */
        assert_true(v.seen[IDLE].puts <= 4 * (uint64_t)v.seconds / 3600 + 8);
        assert_true(v.seen[BUSY].puts > 2 * LOOPS);
        watch_end(&v);
    }
}

/* No store answers: downlink and uplink are full all the same. */
static void
i4_downlinks_are_full_without_an_answer(void **state)
{
    (void)state;
    struct params p;
    struct watch v;
    struct client_status before, after;
    params_ours(&p);
    watch_begin(&v, "default", NULL, test_seed() + 10);
    for (uint32_t i = 0; i < v.world->n_relays; i++)
        if (v.world->relay[i].store)
            world_relay_stop(v.world, i);
    world_run_s(v.world, 30); /* what was under way */
    client_status(v.client[IDLE]->client, &before);
    engine_tap(v.world->engine, tap, &v);
    memset(v.seen, 0, sizeof v.seen);
    world_run_s(v.world, 100);
    engine_tap(v.world->engine, NULL, NULL);
    client_status(v.client[IDLE]->client, &after);
    assert_int_equal(after.answers, before.answers);
    v.seen[IDLE].seconds = 100;
    lacks_nothing(downlink_lacks(&v.seen[IDLE], &p.profiles[0]),
                  "a client without answers", "default");
    assert_int_equal(after.dummies - before.dummies, v.seen[IDLE].down);
    watch_end(&v);
}

/* ---- defaults and documents ---- */

/* Is a consensus with these parameters read? */
static int
consensus_read(void (*change)(struct params *p))
{
    static const uint32_t widths[] = {1, 1, 1};
    struct sim_net_plan plan = {.suite = SPHINX_SUITE_X25519,
                                .gateways = 1,
                                .stores = 1,
                                .widths = widths};
    struct sim_net n;
    params_ours(&plan.params);
    change(&plan.params);
    assert_int_equal(sim_net_make(&n, &plan), 0);
    int err = sim_net_check(&n);
    sim_net_free(&n);
    return err;
}

static void
relays_silent(struct params *p)
{
    p->relay_loop_mhz = 0;
}

static void
loops_off(struct params *p)
{
    p->profiles[p->n_profiles - 1].loop_mhz = 0;
}

static void
downlink_stopped(struct params *p)
{
    p->profiles[0].down_interval_us = 60000001;
}

static void
profiles_none(struct params *p)
{
    p->n_profiles = 0;
}

/* As good as off, but in range. */
static void
relays_quiet(struct params *p)
{
    p->relay_loop_mhz = 1;
}

static void
loops_give_way(struct params *p)
{
    for (size_t i = 0; i < p->n_profiles; i++) {
        p->profiles[i].send_mhz += p->profiles[i].loop_mhz - 1;
        p->profiles[i].loop_mhz = 1;
    }
}

static void
downlink_slow(struct params *p)
{
    p->profiles[0].down_interval_us = 60000000;
}

static void
i4_no_consensus_turns_cover_off(void **state)
{
    (void)state;
    assert_int_equal(consensus_read(params_ours), 0);
    assert_int_equal(consensus_read(relays_silent), ERR_RANGE);
    assert_int_equal(consensus_read(loops_off), ERR_RANGE);
    assert_int_equal(consensus_read(downlink_stopped), ERR_RANGE);
    assert_int_equal(consensus_read(profiles_none), ERR_RANGE);
    /* the ends of the ranges are taken, so it was these values */
    assert_int_equal(consensus_read(relays_quiet), 0);
    assert_int_equal(consensus_read(loops_give_way), 0);
    assert_int_equal(consensus_read(downlink_slow), 0);
}

/* Epochs of any length have the same rates, none of them 0. */
static void
i4_defaults_cover(void **state)
{
    (void)state;
    static const uint32_t epochs_s[] = {20, 60, 600, 3600, 86400};
    struct params ours, p;
    params_ours(&ours);
    for (size_t i = 0; i < sizeof epochs_s / sizeof epochs_s[0]; i++) {
        params_default(&p, epochs_s[i]);
        assert_true(p.relay_loop_mhz > 0);
        assert_int_equal(p.relay_loop_mhz, ours.relay_loop_mhz);
        assert_memory_equal(p.profiles, ours.profiles, sizeof p.profiles);
        assert_int_equal(p.n_profiles, ours.n_profiles);
    }
    for (size_t i = 0; i < ours.n_profiles; i++)
        assert_true(ours.profiles[i].loop_mhz > 0 &&
                    ours.profiles[i].down_interval_us > 0);
}

/* ---- scenarios ---- */

/* What the first case of it that lacks something lacks. */
static const char *
file_lacks(const char *text, size_t len, const char *name)
{
    struct scenario_file *f;
    struct scenario_problem problem;
    const char *lacks = NULL;
    if (scenario_parse(&f, text, len, "sim/scenarios", &problem))
        fail_msg("%s: %s", name, problem.text);
    assert_true(f->n_cases > 0);
    for (size_t i = 0; i < f->n_cases && !lacks; i++)
        lacks = scenario_lacks(f->cases[i]);
    scenario_free(&f);
    return lacks;
}

static const char *
path_lacks(const char *path)
{
    uint8_t *text;
    size_t len;
    if (files_read(path, 1 << 20, &text, &len))
        fail_msg("%s cannot be read", path);
    const char *lacks = file_lacks((const char *)text, len, path);
    free(text);
    return lacks;
}

static void
i4_the_simulator_covers(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"format\":1,\"clients\":[{\"count\":2}]}",
        ("{\"format\":1,\"clients\":[{\"count\":2,\"profile\":\"light\"}],"
         "\"network\":{\"trip\":\"round\"}}"),
        "{\"format\":1,\"clients\":[{\"count\":2}],\"level\":\"network\"}"};
    static const char study[] = "sim/scenarios/study";
    char path[512];
    size_t n = 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_null(file_lacks(texts[i], strlen(texts[i]), texts[i]));
    assert_null(path_lacks("sim/scenarios/testnet.json"));
    DIR *d = opendir(study);
    assert_non_null(d);
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        if (!strstr(e->d_name, ".json"))
            continue;
        snprintf(path, sizeof path, "%s/%s", study, e->d_name);
        const char *lacks = path_lacks(path);
        if (lacks)
            fail_msg("%s lacks %s", path, lacks);
        n++;
    }
    closedir(d);
    assert_true(n > 0);
}

/* ---- cover switched off ---- */

static void
sends_off(struct params *p)
{
    p->profiles[0].send_mhz = 0;
}

/* Sends become polls: as many packets as before. */
static void
sends_poll(struct params *p)
{
    p->profiles[0].poll_mhz += p->profiles[0].send_mhz;
    p->profiles[0].send_mhz = 0;
}

static void
polls_send(struct params *p)
{
    p->profiles[0].send_mhz += p->profiles[0].poll_mhz;
    p->profiles[0].poll_mhz = 0;
}

/* A world with one part of cover switched off: what a client of it lacks, what
 * its downlink, what all relays of it. A usual time has to be enough to see it,
 * also where everything is tried. */
static void
world_lacks(void (*params)(struct params *p), const char *name, double times,
            size_t client, const char **of_client, const char **of_downlink,
            const char **of_relays)
{
    struct params p;
    struct watch v;
    params_ours(&p);
    const struct profile *profile = params_profile(&p, name);
    watch_begin(&v, name, params, test_seed() + 20);
    watch_run(&v, times * watch_length_s(profile));
    *of_client = client_lacks(&v.seen[client], profile);
    *of_downlink = downlink_lacks(&v.seen[client], profile);
    *of_relays = relay_lacks(v.relay_loops[0], v.seconds, &p);
    for (uint32_t i = 1; i < v.world->n_relays; i++)
        if (relay_lacks(v.relay_loops[i], v.seconds, &p) != *of_relays)
            fail_msg("relay %u is unlike the others", i);
    watch_end(&v);
}

static void
i4_cover_that_is_off_is_seen(void **state)
{
    (void)state;
    static const struct {
        void (*params)(struct params *p);
        const char *profile;
        double times; /* the usual time, so that few and fewer differ */
        size_t client;
        const char *of_client, *of_downlink, *of_relays;
    } row[] = {{params_ours, "default", 1, BUSY, NULL, NULL, NULL},
               {params_ours, "light", 1, BUSY, NULL, NULL, NULL},
               {relays_quiet, "default", 1, IDLE, NULL, NULL, "loops"},
               {sends_off, "default", 1, IDLE, "packets", NULL, NULL},
               {sends_poll, "default", 1, IDLE, "sends", NULL, NULL},
               {polls_send, "default", 1, IDLE, "polls", NULL, NULL},
               /* letters fill seven of eight ticks for sending: the eighth
                * must not be taken for a loop of its own */
               {loops_give_way, "light", 8, BUSY, "loops", NULL, NULL},
               /* and no more goes up than is read, which frames down say */
               {downlink_slow, "default", 1, IDLE, "packets", "dummies", NULL}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        const char *client, *downlink, *relays;
        world_lacks(row[i].params, row[i].profile, row[i].times, row[i].client,
                    &client, &downlink, &relays);
        printf("  switched off %zu: client %s, downlink %s, relays %s\n", i,
               client ? client : "-", downlink ? downlink : "-",
               relays ? relays : "-");
        assert_true((client == NULL) == (row[i].of_client == NULL));
        assert_true((downlink == NULL) == (row[i].of_downlink == NULL));
        assert_true((relays == NULL) == (row[i].of_relays == NULL));
        if (client)
            assert_string_equal(client, row[i].of_client);
    }
}

/* A tick without its packet, and scenarios that say that relays be silent. */
static void
i4_gaps_and_silent_scenarios_are_seen(void **state)
{
    (void)state;
    static const char off[] = "{\"format\":1,\"clients\":[{\"count\":2}],"
                              "\"mix\":{\"loop_rate\":0}}";
    struct params p;
    params_ours(&p);
    struct seen s = {
        .seconds = 100, .up = 550, .puts = 20, .gets = 300, .loops = 230};
    assert_null(client_lacks(&s, &p.profiles[0]));
    s.up--;
    assert_string_equal(client_lacks(&s, &p.profiles[0]), "a tick's packet");
    assert_string_equal(file_lacks(off, sizeof off - 1, "off"),
                        "relays' loops");
    assert_string_equal(path_lacks("sim/scenarios/accept/T01.json"),
                        "relays' loops");
    struct scenario quiet = {.mix = {.loop_mhz = p.relay_loop_mhz},
                             .n_clients = 1};
    quiet.clients[0].profile = p.profiles[0];
    assert_null(scenario_lacks(&quiet));
    quiet.clients[0].profile.loop_mhz--;
    assert_string_equal(scenario_lacks(&quiet), "clients' loops");
}

const struct CMUnitTest test_cover[] = {
    cmocka_unit_test(i4_clients_gateways_and_relays_cover_whatever_happens),
    cmocka_unit_test(i4_downlinks_are_full_without_an_answer),
    cmocka_unit_test(i4_no_consensus_turns_cover_off),
    cmocka_unit_test(i4_defaults_cover),
    cmocka_unit_test(i4_the_simulator_covers),
    cmocka_unit_test(i4_cover_that_is_off_is_seen),
    cmocka_unit_test(i4_gaps_and_silent_scenarios_are_seen),
};
TEST_SUITE(test_cover);
