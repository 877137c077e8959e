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

#include <inttypes.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/os/database.h"
#include "lib/os/system.h"
#include "lib/secret.h"
#include "network/os/netfile.h"
#include "relay/daemon/describe.h"
#include "relay/daemon/monitor.h"

enum { PACKET_HEAD_LEN = 128 }; /* what is kept beside a packet, at most */
enum { DIRECTORY_US = 250000, DRAIN_US = 30000000, MINUTE_US = 60000000 };
enum { LOCK_TRIES = 20, LOCK_US = 50000 };
enum { FILES_REST = 1000 }; /* relays, both ways, and what check_files() says */

static void
relay_timer(void *ctx)
{
    struct relay_daemon *d = ctx;
    if (d->relay)
        relay_tick(d->relay);
}

/* Tell the operator when the relay's own loops stay away, and when they come
 * again. */
static void
alarm_tell(struct relay_daemon *d)
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

/* Say once a minute that connections were refused for lack of descriptors. */
static void
files_tell(struct relay_daemon *d)
{
    const uint64_t now_us = loop_now_us(d->host.loop);
    const uint64_t n = net_starved(d->net);
    if (n == d->starved || (d->starved_us && now_us < d->starved_us))
        return;
    log_write(&d->host.log, LOG_WARNING, "relay",
              "no descriptors are left: connections were refused; raise the "
              "limit ('ulimit -n', LimitNOFILE= in the systemd unit), or lower "
              "'clients_max'");
    d->starved = n;
    d->starved_us = now_us + MINUTE_US;
}

/* Let out what is held, at SIGTERM, then leave. What arrives meanwhile is
 * dropped and counted; its senders repeat it. */
static void
daemon_drain(void *ctx)
{
    struct relay_daemon *d = ctx;
    workers_drain(d);
    d->drain_until_us = loop_now_us(d->host.loop) + DRAIN_US;
    log_write(&d->host.log, LOG_NOTICE, "relay",
              "leaves when the %zu packets it holds are out",
              relay_held(d->relay));
}

/* Leave when all is out. What is due within a turn has left at its end, so one
 * turn more is waited. */
static void
drain_step(struct relay_daemon *d)
{
    const bool empty = relay_held(d->relay) == 0;
    if (d->drain_until_us && ((empty && d->drained) ||
                              loop_now_us(d->host.loop) >= d->drain_until_us))
        loop_stop(d->host.loop);
    d->drained = empty;
}

/* End the doubt about which packets were seen, if there is one, when the
 * longest deadline is over and the newest consensus bears out the clock that
 * says so. */
static void
replay_step(struct relay_daemon *d)
{
    struct replay *set = replay_file_set(d->replay);
    const struct daemon_view *v = views_find(d, d->newest);
    const uint64_t now_s = env_now_wall_s(&d->host.env);
    if (!replay_is_in_doubt(set) || !v)
        return;
    d->accept_us =
        d->start_us + (uint64_t)v->consensus->params.deadline_ahead_s * 1000000;
    if (loop_now_us(d->host.loop) >= d->accept_us &&
        consensus_judge_time(v->consensus, now_s) == 0)
        replay_trust(set, now_s);
}

/* Have the letters of days that are over destroyed. Two consensuses have to say
 * so, since what is destroyed does not come back. */
static void
letters_step(struct relay_daemon *d)
{
    if (!d->letters)
        return;
    const int err =
        store_sqlite_expire(d->letters, (uint32_t)(views_past_s(d, 2) / 86400));
    if (err && err != d->letters_err)
        log_write(&d->host.log, LOG_ERROR, "relay",
                  "letters that are over cannot be destroyed: %s; it is tried "
                  "again",
                  error_text(err));
    d->letters_err = err;
    const int full = store_sqlite_error(d->letters);
    if (full && !d->letters_full)
        log_write(&d->host.log, LOG_ERROR, "relay",
                  "letters cannot be kept in %s: %s. Until then who writes is "
                  "told to try again",
                  d->dir, database_remedy(full));
    if (!full && d->letters_full)
        log_write(&d->host.log, LOG_NOTICE, "relay",
                  "letters are kept in %s again", d->dir);
    d->letters_full = full;
    const unsigned damaged = store_sqlite_damaged(d->letters);
    if (damaged != d->letters_damaged)
        log_write(&d->host.log, LOG_ERROR, "relay",
                  "a day's letters in %s were damaged, and are set aside as "
                  "letters-DAY.damaged: that day begins anew. Look at the disk",
                  d->dir);
    d->letters_damaged = damaged;
}

static void
directory_timer(void *ctx)
{
    struct relay_daemon *d = ctx;
    alarm_tell(d);
    files_tell(d);
    drain_step(d);
    replay_step(d);
    hibernate_step(d);
    directory_step(d->directory);
    views_step(d);
    monitor_step(d->monitor);
    letters_step(d);
    loop_timer_at(d->timer, loop_now_us(d->host.loop) + DIRECTORY_US);
}

/* Fit the number of clients to the descriptors that there are, beside those
 * that the rest of a gateway needs. */
static uint32_t
clients_fit(struct relay_daemon *d, uint32_t wish)
{
    struct rlimit files;
    if (wish == 0 || getrlimit(RLIMIT_NOFILE, &files) ||
        files.rlim_cur == RLIM_INFINITY)
        return wish;
    const uint64_t all = files.rlim_cur,
                   rest = all / 2 < FILES_REST ? all / 2 : FILES_REST;
    if (all - rest >= wish)
        return wish;
    log_write(&d->host.log, LOG_WARNING, "relay",
              "%u clients instead of clients_max = %u: only %" PRIu64
              " files may be open; raise that with 'ulimit -n %u' or "
              "LimitNOFILE= in the systemd unit",
              (unsigned)(all - rest), wish, all, wish + FILES_REST);
    return (uint32_t)(all - rest);
}

/* Set how many packets, clients and so on the relay may have. */
static int
limits_set(struct relay_daemon *d)
{
    const bool gateway = settings_role(d->config) == ROLE_GATEWAY;
    const struct memory_wish wish = {
        .max_mib = (uint64_t)d->config->memory_max,
        .workers = workers_count(d),
        .packets = (uint32_t)d->config->packets_max,
        .clients =
            clients_fit(d, gateway ? (uint32_t)d->config->clients_max : 0),
        /* a store has the letter beside its packet */
        .packet_len =
            (uint64_t)(settings_role(d->config) == ROLE_STORE ? 2 : 1) *
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

/* Open the replay set, with a moment's patience: 'join' has the set for as long
 * as it takes to make one. */
static int
replay_load(struct relay_daemon *d, bool *wait)
{
    int err = ERR_AGAIN;
    for (unsigned i = 0; i < LOCK_TRIES && err == ERR_AGAIN; i++) {
        if (i > 0)
            usleep(LOCK_US);
        err = replay_file_open(&d->replay, d->dir,
                               (size_t)d->config->replay_tags, wait);
    }
    if (err == ERR_AGAIN)
        log_write(&d->host.log, LOG_ERROR, "relay",
                  "another relay runs in %s; end that first, or 'init' one of "
                  "its own in another directory",
                  d->dir);
    else if (err)
        log_write(&d->host.log, LOG_ERROR, "relay",
                  "%s/replay cannot be used: %s", d->dir,
                  replay_file_remedy(err));
    return err;
}

static int
files_load(struct relay_daemon *d)
{
    char why[KEYS_WHY_LEN], error[NETFILE_ERROR_LEN];
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
    err = keys_identity(d->dir, &d->identity_seed, why);
    if (err) {
        log_write(&d->host.log, LOG_ERROR, "relay", "%s", why);
        return err;
    }
    keys_openness(d->dir, why);
    if (why[0])
        log_write(&d->host.log, LOG_WARNING, "relay", "%s", why);
    crypto_sign_seed_keypair(d->identity, secret, d->identity_seed);
    sodium_memzero(secret, sizeof secret);
    err = replay_load(d, &wait);
    d->start_us = loop_now_us(d->host.loop);
    if (!err && wait) {
        struct params p;
        params_default(&p, d->network.epoch_len_s);
        d->accept_us = d->start_us + (uint64_t)p.deadline_ahead_s * 1000000;
        log_write(&d->host.log, LOG_NOTICE, "relay",
                  "waits %u s: what it has seen of late is not known, since "
                  "the machine has started anew or the file 'replay' is not "
                  "what it was, and packets could pass twice",
                  p.deadline_ahead_s);
    }
    return err;
}

/* Check the addresses: a relay that says it is where nobody finds it is of no
 * use. */
static int
addresses_check(struct relay_daemon *d)
{
    struct describe x = {.config = d->config, .network = &d->network};
    char why[DESCRIBE_WHY_LEN];
    describe_addresses(&x, net_address(d->net));
    if (describe_judge(&x, why) != ERR_FORMAT)
        return 0; /* none is known now: it is looked for again */
    log_write(&d->host.log, LOG_ERROR, "relay", "%s", why);
    return ERR_FORMAT;
}

static int
daemon_start(struct relay_daemon *d, const char *dir,
             struct relay_settings *config, int ready_fd)
{
    if (snprintf(d->dir, sizeof d->dir, "%s", dir) >= (int)sizeof d->dir)
        return ERR_LONG;
    int err = files_load(d);
    if (!err)
        err = limits_set(d);
    if (err)
        return err;
    struct relay_config setup = {.identity_seed = d->identity_seed,
                                 .replay = replay_file_set(d->replay),
                                 .packets_max = d->memory.packets,
                                 .clients_max = d->memory.clients};
    memcpy(setup.identity, d->identity, sizeof setup.identity);
    err = workers_new(d, &setup);
    if (!err)
        err = net_new(&d->net, d);
    if (!err)
        err = addresses_check(d);
    if (!err)
        err = directory_new(&d->directory, d);
    if (!err)
        err = loop_timer_new(d->host.loop, directory_timer, d, &d->timer);
    if (err)
        return err;
    err = daemon_confine(d); /* before there is another thread */
    if (err)
        return err;
    views_load(d);
    err = hibernate_start(d);
    if (!err)
        err = monitor_new(&d->monitor, d, config);
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
daemon_free(struct relay_daemon *d)
{
    monitor_free(&d->monitor); /* asks the workers for the last time */
    workers_stop(d);
    directory_free(&d->directory);
    loop_timer_free(&d->timer);
    hibernate_end(d);
    net_free(&d->net);
    storage_free(&d->storage);
    workers_free(d);
    store_sqlite_free(&d->letters);
    views_free(d);
    replay_file_close(&d->replay);
    secret_free((void **)&d->identity_seed);
    host_free(&d->host);
    free(d);
}

int
relay_run(const char *dir, struct relay_settings *config, int ready_fd)
{
    struct relay_daemon *d = calloc(1, sizeof *d);
    if (!d)
        return 1;
    d->config = config;
    host_files_max();
    signal(SIGHUP, SIG_IGN); /* until it is of use */
    int err = host_init(&d->host, relay_timer, d);
    host_log(&d->host, "brusio-relay", (enum log_level)config->log_level);
    if (!err)
        err = host_stop_on_signals(&d->host, daemon_drain, d);
    if (!err)
        err = daemon_start(d, dir, config, ready_fd);
    if (!err)
        err = loop_run(d->host.loop);
    if (err == ERR_NOMEM || err == ERR_SYSTEM || err == ERR_LONG)
        log_write(&d->host.log, LOG_ERROR, "relay", "cannot run in %s: %s", dir,
                  system_reason(err)); /* all else has been said */
    daemon_free(d);
    return err ? 1 : 0;
}
