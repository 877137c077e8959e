/* relay/daemon/daemon.c - a relay's life on the real machine.
 *
 * Files in its directory: relay.conf, identity.key, packet-EPOCH.key, replay,
 * consensus-EPOCH (those in use), letters/ (a store's), status.json.
 *
 * Timers: the relay's own (through its environment); the directory's, four
 * times a second (links, authorities, what the operator sees).
 *
 * SIGINT ends it at once. SIGTERM drains: no packet is taken any more, what is
 * held leaves at its time, 30 s at most; then it ends. */
#include "relay/daemon/daemon.h"

#include <dirent.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/secret.h"
#include "lib/wire.h"
#include "network/family.h"
#include "network/os/netfile.h"
#include "network/receive.h"
#include "relay/daemon/panel.h"

enum { PACKET_HEAD_LEN = 128 }; /* what is kept beside a packet, at most */
enum { DIRECTORY_US = 250000, STORAGE_QUEUE = 4096, DRAIN_US = 30000000 };

static const char *const level_names[] = {"error", "warning", "notice",
                                          "info",  "debug",   NULL};

#define OPTION(field) \
    .name = #field, .offset = offsetof(struct daemon_config, field)
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
    {OPTION(bandwidth), .type = CONFIG_INTEGER, .value = "1000", .min = 1,
     .max = 10000000,
     .help = "packets per second offered; paths are drawn by it"},
    {OPTION(workers), .type = CONFIG_INTEGER, .value = "0",
     .max = RELAY_WORKERS_MAX,
     .help = "threads that carry packets; 0: one for each processor, 8 at "
             "most"},
    {OPTION(memory_max), .type = CONFIG_INTEGER, .value = "512",
     .min = MEMORY_MIN_MIB, .max = 1048576,
     .help = "MiB it may use; the next two are lowered to fit"},
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
    {OPTION(letters_max), .type = CONFIG_INTEGER, .value = "1000000", .min = 1,
     .max = 1000000000, .help = "letters a store keeps, 1.4 KB each"},
    {OPTION(replay_tags), .type = CONFIG_INTEGER, .value = "1000000",
     .min = 1000, .max = 100000000,
     .help = "packets remembered against replays, 8 bytes each"},
    {OPTION(log_level), .type = CONFIG_ENUM, .value = "notice",
     .names = level_names, .help = "what is logged"},
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

const struct daemon_view *
daemon_view_of(const struct daemon *d, uint32_t epoch)
{
    const struct daemon_view *v = &d->view[epoch % DAEMON_VIEWS];
    return v->consensus && v->consensus->epoch == epoch ? v : NULL;
}

/* ---- storage ---- */

/* A store opens its letters when it knows how long they are. */
static int
letters_open(struct daemon *d, const struct consensus *c)
{
    const struct sphinx_geometry *g = &c->params.geometry;
    char path[FILES_PATH_MAX];
    if (d->letters || d->config->role + ROLE_GATEWAY != ROLE_STORE)
        return 0;
    int err = files_path(path, d->dir, "letters");
    if (!err)
        err = store_sqlite_new(&d->letters, path,
                               wire_letter_len(g->body_len, g->surb_len),
                               (size_t)d->config->letters_max);
    if (!err)
        err = storage_new(&d->storage, STORAGE_QUEUE, store_sqlite_run,
                          d->letters);
    if (!err)
        err = workers_storage(d);
    if (err)
        log_write(&d->host.log, LOG_ERROR, "relay",
                  "the letters cannot be opened: %s", error_text(err));
    return err;
}

/* ---- consensus ---- */

static void
consensus_path(const struct daemon *d, uint32_t epoch,
               char path[static FILES_PATH_MAX])
{
    snprintf(path, FILES_PATH_MAX, "%s/consensus-%u", d->dir, epoch);
}

static void
view_free(struct daemon_view *v)
{
    consensus_free(&v->consensus);
    free(v->owner);
    v->owner = NULL;
}

static int
consensus_use(struct daemon *d, struct consensus *c, const uint8_t *bytes,
              size_t len)
{
    uint8_t *seed = NULL;
    struct daemon_view *v = &d->view[c->epoch % DAEMON_VIEWS];
    struct daemon_view made = {c, workers_owners(d, c)};
    int err = made.owner ? letters_open(d, c) : ERR_NOMEM;
    if (!err)
        err = keys_seed(d->dir, c->epoch, &seed);
    if (!err)
        err = workers_consensus(d, &made, seed);
    secret_free((void **)&seed);
    if (err && err != ERR_NOT_FOUND) {
        view_free(&made);
        return err;
    }
    view_free(v);
    *v = made;
    if (c->epoch > d->newest)
        d->newest = c->epoch;
    if (c->epoch == d->newest && net_favour(d->net, c))
        d->refused[-ERR_NOMEM]++;
    if (err) /* it is without us, and still tells who is who */
        log_write(&d->host.log, LOG_NOTICE, "relay",
                  "epoch %u is without this relay", c->epoch);
    else if (c->epoch == d->newest)
        (void)!workers_document(d, c->epoch, bytes, len);
    return 0;
}

int
daemon_consensus(struct daemon *d, struct consensus *c, const uint8_t *bytes,
                 size_t len)
{
    char path[FILES_PATH_MAX];
    uint32_t epoch = c->epoch;
    int err = consensus_use(d, c, bytes, len);
    if (err)
        return err;
    consensus_path(d, epoch, path);
    if (files_write(path, bytes, len))
        log_write(&d->host.log, LOG_WARNING, "relay",
                  "the consensus cannot be kept; is the disk full?");
    if (epoch > DAEMON_VIEWS) {
        consensus_path(d, epoch - DAEMON_VIEWS, path);
        unlink(path);
        keys_forget(d->dir, epoch - DAEMON_VIEWS + 1);
    }
    log_write(&d->host.log, LOG_NOTICE, "relay", "epoch %u: %zu relays", epoch,
              c->n_relays);
    return 0;
}

int
daemon_receive(struct daemon *d, struct consensus **out, const uint8_t *bytes,
               size_t len)
{
    const struct receive_rules rules = {
        .network = d->network.name,
        .geometry = &d->network.geometry,
        .authorities = (const uint8_t(*)[SPHINX_ID_LEN])d->authorities,
        .n_authorities = d->network.n_authorities};
    return receive_consensus(out, &rules, bytes, len, d->newest,
                             env_now_wall_s(&d->host.env));
}

/* What an earlier life had, oldest first. */
static void
consensus_load(struct daemon *d)
{
    uint32_t first = UINT32_MAX, last = 0;
    unsigned number;
    char path[FILES_PATH_MAX];
    DIR *dir = opendir(d->dir);
    for (struct dirent *e; dir && (e = readdir(dir));)
        if (sscanf(e->d_name, "consensus-%u", &number) == 1 &&
            !strstr(e->d_name, ".new")) {
            first = number < first ? number : first;
            last = number > last ? number : last;
        }
    if (dir)
        closedir(dir);
    if (last > DAEMON_VIEWS && first < last - DAEMON_VIEWS)
        first = last - DAEMON_VIEWS;
    for (uint32_t epoch = first; epoch <= last; epoch++) {
        struct consensus *c;
        uint8_t *bytes;
        size_t len;
        consensus_path(d, epoch, path);
        if (files_read(path, DOCUMENT_BODY_MAX * 2, &bytes, &len))
            continue;
        int err = daemon_receive(d, &c, bytes, len);
        if (!err)
            err = consensus_use(d, c, bytes, len);
        if (err)
            d->refused[-err]++;
        free(bytes);
    }
}

/* ---- life ---- */

static void
relay_timer(void *ctx)
{
    struct daemon *d = ctx;
    if (d->relay)
        relay_tick(d->relay);
}

/* Tell the operator when the relay's own loops stay away, and when they come
 * again. */
static void
alarm_tell(struct daemon *d)
{
    const enum alarm_state state = relay_alarm(d->relay)->state;
    if (state == ALARM_RAISED && !d->alarmed)
        log_write(&d->host.log, LOG_WARNING, "relay",
                  "own loops stay away: packets to this relay are withheld (an "
                  "n-1 attack), or its links lose them; it covers more");
    else if (state == ALARM_QUIET && d->alarmed)
        log_write(&d->host.log, LOG_NOTICE, "relay", "own loops come again");
    d->alarmed = state == ALARM_RAISED || (d->alarmed && state != ALARM_QUIET);
}

/* SIGTERM: let out what is held, then leave. What arrives meanwhile is dropped
 * and counted; its senders repeat it. */
static void
daemon_drain(void *ctx)
{
    struct daemon *d = ctx;
    workers_drain(d);
    d->drain_until_us = loop_now_us(d->host.loop) + DRAIN_US;
    log_write(&d->host.log, LOG_NOTICE, "relay",
              "leaves when the %zu packets it holds are out",
              relay_held(d->relay));
}

/* What is due within a turn has left at its end, so one turn more. */
static void
drain_step(struct daemon *d)
{
    const bool empty = relay_held(d->relay) == 0;
    if (d->drain_until_us && ((empty && d->drained) ||
                              loop_now_us(d->host.loop) >= d->drain_until_us))
        loop_stop(d->host.loop);
    d->drained = empty;
}

static void
directory_timer(void *ctx)
{
    struct daemon *d = ctx;
    alarm_tell(d);
    drain_step(d);
    hibernate_step(d);
    directory_step(d->directory);
    panel_step(d->panel);
    if (d->letters)
        store_sqlite_expire(d->letters,
                            (uint32_t)(env_now_wall_s(&d->host.env) / 86400));
    loop_timer_at(d->timer, loop_now_us(d->host.loop) + DIRECTORY_US);
}

/* How many packets, clients, .. it may have. */
static int
limits_set(struct daemon *d)
{
    const bool gateway = d->config->role + ROLE_GATEWAY == ROLE_GATEWAY;
    const struct memory_wish wish = {
        .max_mib = (uint64_t)d->config->memory_max,
        .workers = workers_count(d),
        .packets = (uint32_t)d->config->packets_max,
        .clients = gateway ? (uint32_t)d->config->clients_max : 0,
        /* a store has the letter beside its packet */
        .packet_len =
            (uint64_t)(d->config->role + ROLE_GATEWAY == ROLE_STORE ? 2 : 1) *
            (d->network.geometry.packet_len + PACKET_HEAD_LEN)};
    struct memory_plan *p = &d->memory;
    int err = memory_deal(p, &wish);
    if (err)
        log_write(&d->host.log, LOG_ERROR, "relay",
                  "memory_max = %" PRIu64
                  " is too little for %u workers; raise it, or lower 'workers'",
                  wish.max_mib, wish.workers);
    else if (p->packets < wish.packets || p->clients < wish.clients)
        log_write(&d->host.log, LOG_NOTICE, "relay",
                  "to stay below memory_max = %" PRIu64
                  " MiB: %u packets at once, %u clients",
                  wish.max_mib, p->packets, p->clients);
    return err;
}

static int
files_load(struct daemon *d)
{
    char path[FILES_PATH_MAX], error[NETFILE_ERROR_LEN];
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    bool wait;
    int err = netfile_read_in(d->dir, d->config->network, &d->network, error);
    if (err) {
        log_write(&d->host.log, LOG_ERROR, "relay", "%s", error);
        return err;
    }
    for (size_t i = 0; i < d->network.n_authorities; i++)
        memcpy(d->authorities[i], d->network.authorities[i].identity,
               SPHINX_ID_LEN);
    err = files_path(path, d->dir, "identity.key");
    if (!err)
        err = files_key(path, &d->identity_seed);
    if (err)
        return err;
    crypto_sign_seed_keypair(d->identity, secret, d->identity_seed);
    sodium_memzero(secret, sizeof secret);
    err = replay_file_open(&d->replay, d->dir, (size_t)d->config->replay_tags,
                           &wait);
    if (err == ERR_AGAIN)
        log_write(&d->host.log, LOG_ERROR, "relay",
                  "another relay runs on this directory");
    if (!err && wait) {
        struct params p;
        params_default(&p, d->network.epoch_len_s);
        d->accept_us =
            loop_now_us(d->host.loop) + (uint64_t)p.deadline_ahead_s * 1000000;
        log_write(&d->host.log, LOG_NOTICE, "relay",
                  "waits %u s, since replays could pass after a restart of "
                  "the machine",
                  p.deadline_ahead_s);
    }
    return err;
}

static int
daemon_start(struct daemon *d, const char *dir, struct daemon_config *config,
             int ready_fd)
{
    if (snprintf(d->dir, sizeof d->dir, "%s", dir) >= (int)sizeof d->dir)
        return ERR_LONG;
    int err = files_load(d);
    if (!err)
        err = limits_set(d);
    if (err)
        return err;
    struct relay_config setup = {.replay = replay_file_set(d->replay),
                                 .packets_max = d->memory.packets,
                                 .clients_max = d->memory.clients};
    memcpy(setup.identity, d->identity, sizeof setup.identity);
    err = workers_new(d, &setup);
    if (!err)
        err = net_new(&d->net, d);
    if (err) {
        log_write(&d->host.log, LOG_ERROR, "relay", "cannot listen on %s: %s",
                  d->config->listen, error_text(err));
        return err;
    }
    err = directory_new(&d->directory, d);
    if (!err)
        err = loop_timer_new(d->host.loop, directory_timer, d, &d->timer);
    if (err)
        return err;
    err = daemon_confine(d); /* before there is another thread */
    if (err)
        return err;
    consensus_load(d);
    hibernate_start(d);
    err = panel_new(&d->panel, d, config);
    if (!err)
        err = workers_start(d);
    if (err)
        return err;
    directory_timer(d);
    log_write(&d->host.log, LOG_NOTICE, "relay", "accepts links at %s",
              net_address(d->net));
    files_report(ready_fd, "links", net_address(d->net));
    return 0;
}

static void
daemon_free(struct daemon *d)
{
    panel_free(&d->panel); /* asks the workers for the last time */
    workers_stop(d);
    directory_free(&d->directory);
    loop_timer_free(&d->timer);
    hibernate_end(d);
    net_free(&d->net);
    storage_free(&d->storage);
    workers_free(d);
    store_sqlite_free(&d->letters);
    for (size_t i = 0; i < DAEMON_VIEWS; i++)
        view_free(&d->view[i]);
    replay_file_close(&d->replay);
    secret_free((void **)&d->identity_seed);
    host_free(&d->host);
    free(d);
}

int
relay_run(const char *dir, struct daemon_config *config, int ready_fd)
{
    struct daemon *d = calloc(1, sizeof *d);
    if (!d)
        return 1;
    d->config = config;
    host_files_max();
    int err = host_init(&d->host, relay_timer, d);
    if (!err) {
        host_log(&d->host, "brusio-relay", (enum log_level)config->log_level);
        err = host_stop_on_signals(&d->host, daemon_drain, d);
    }
    if (!err)
        err = daemon_start(d, dir, config, ready_fd);
    if (!err)
        err = loop_run(d->host.loop);
    daemon_free(d);
    return err ? 1 : 0;
}
