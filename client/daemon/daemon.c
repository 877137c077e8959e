/* client/daemon/daemon.c - a client's life on the real machine.
 *
 * Files in its directory: client.conf, client.db (all records), client.db-keys
 * and client.db-seal (what they are sealed under), client.sock.
 *
 * Timers: the client's own; the reconnection's; every WATCH_US a look at the link and
 * at the storage. A link that fails is tried
 * again after half a second, doubled up to 30 s, with a random part; which
 * gateway comes next the client knows (client/heard/gateways.h).
 *
 * What it keeps open is opened first; then it is confined to its directory and
 * to connections that it makes itself (lib/os/confine.h), and only then reads
 * what came from others, and makes threads. Files that a user names are read
 * and written by the program that the user calls (cli.c), never here. */
#include "client/daemon/daemon.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/client.h"
#include "client/daemon/backup.h"
#include "client/daemon/guard.h"
#include "client/daemon/master.h"
#include "client/daemon/outbox_sqlite.h"
#include "client/daemon/prover.h"
#include "client/daemon/rpc.h"
#include "lib/os/confine.h"
#include "lib/os/database.h"
#include "lib/os/files.h"
#include "lib/os/host.h"
#include "lib/os/link.h"
#include "lib/os/program.h"
#include "lib/os/socket.h"
#include "lib/os/storage.h"
#include "lib/os/system.h"
#include "network/os/netfile.h"
#include "sphinx/mlkem.h"

enum {
    RETRY_US = 500000,
    RETRY_MAX_US = 30000000,
    WATCH_US = 5000000,
    HANDSHAKE_US = 5000000, /* then the next gateway is tried */
    QUEUE_FRAMES = 1,       /* that of one tick */
    STALLED_US = SOCKET_SILENT_S * 1000000,
    STORAGE_QUEUE = 65536
};
#define HOUR_US 3600000000ULL

#define OPTION(field) \
    .name = #field, .offset = offsetof(struct daemon_config, field)
const struct config_option client_options[] = {
    {OPTION(profile), .type = CONFIG_STRING, .value = "default", .min = 1,
     .max = PROFILE_NAME_MAX - 1,
     .help = "how fast it sends, always: light, default or fast; chosen once"},
    {OPTION(network), .type = CONFIG_STRING, .value = "network.json", .min = 1,
     .max = 400, .help = "the network file, from this directory"},
    {OPTION(log_level), .type = CONFIG_ENUM, .value = "notice",
     .names = log_level_names, .help = "what is logged"},
    {OPTION(sandbox), .type = CONFIG_BOOLEAN, .value = "true",
     .help = "give up all files but its own, and calls that it never makes"},
};
const size_t client_options_len =
    sizeof client_options / sizeof client_options[0];

struct daemon {
    struct host host;
    const struct daemon_config *config;
    struct network network;
    struct client *client;
    struct outbox_sqlite *outbox;
    struct master *master; /* of its records */
    struct guard *guard;   /* of its calls */
    bool look;             /* it is asked only whether it could run */
    int lock; /* the directory's, for a whole life, also when the disk fails */
    struct storage *storage;
    struct storage_port *port; /* to it */
    struct prover *prover;     /* NULL: there was no thread for it */
    struct rpc *rpc;
    struct tls *tls;
    struct link *link;
    bool up, store_told;       /* in the log, that storage has failed */
    bool overtaken_told;       /* that it is old */
    bool clock_told;           /* that it is far off */
    int down_told;             /* why there is no link (down_tell()), or 0 */
    const char *fault_told;    /* why the link was made anew */
    char gateway[ADDRESS_MAX]; /* that it is, or was, linked to */
    char store_path[FILES_PATH_MAX];
    struct loop_timer *reconnect, *watch;
    uint64_t wait_us;
    size_t frame_len;
    uint64_t starved, starved_us; /* callers without descriptors; when said */
};

/* ---- link ---- */

static void
link_is_up(void *ctx, struct link *l, const uint8_t *peer)
{
    struct daemon *d = ctx;
    (void)peer;
    d->up = true;
    link_set_ahead(l, client_ahead(d->client));
    d->down_told = 0;
    log_write(&d->host.log, LOG_NOTICE, "client", "connected to the gateway %s",
              d->gateway);
    client_link_up(d->client);
}

static void
link_frames(void *ctx, struct link *l, uint8_t *frames, size_t n)
{
    struct daemon *d = ctx;
    client_frames(d->client, frames, n, d->frame_len);
    link_set_ahead(l, client_ahead(d->client)); /* the first consensus tells */
}

static void
reconnect_later(struct daemon *d)
{
    uint64_t wait_us =
        d->wait_us / 2 + rng_below(&d->host.env, d->wait_us / 2 + 1);
    loop_timer_at(d->reconnect, loop_now_us(d->host.loop) + wait_us);
    d->wait_us = 2 * d->wait_us < RETRY_MAX_US ? 2 * d->wait_us : RETRY_MAX_US;
}

/* Say that there is no link because of why, an error or the system's number:
 * once, and when it changes, since it is tried again every half a minute. */
static void
down_tell(struct daemon *d, int why)
{
    if (why == d->down_told)
        return;
    if (why == ERR_NOT_FOUND)
        log_write(&d->host.log, LOG_WARNING, "client",
                  "no gateway is known to connect to; it is tried again");
    else
        log_write(&d->host.log, LOG_NOTICE, "client",
                  "no link to the gateway %s: %s; it is tried again, and "
                  "others are",
                  d->gateway, system_reason(why));
    d->down_told = why;
}

static void
link_is_down(void *ctx, struct link *l, int err)
{
    struct daemon *d = ctx;
    down_tell(d, err);
    if (d->up)
        client_link_down(d->client);
    else
        client_link_failed(d->client);
    d->up = false;
    d->link = NULL;
    link_free(&l);
    reconnect_later(d);
}

static const struct link_ops link_ops = {link_is_up, link_frames, link_is_down};

/* The gateway's address: the consensus's word, else the network file's. */
static const char *
gateway_address(const struct daemon *d, const uint8_t *identity)
{
    const struct consensus *c = client_consensus(d->client);
    int i = c ? consensus_find(c, identity) : -1;
    if (i >= 0)
        return c->relays[i].role == ROLE_GATEWAY ? c->relays[i].addresses[0]
                                                 : NULL;
    for (size_t k = 0; !c && k < d->network.n_gateways; k++)
        if (memcmp(d->network.gateways[k].identity, identity, SPHINX_ID_LEN) ==
            0)
            return d->network.gateways[k].address;
    return NULL;
}

static void
gateway_connect(void *ctx)
{
    struct daemon *d = ctx;
    const struct link_config config = {.frame_len = d->frame_len,
                                       .handshake_us = HANDSHAKE_US,
                                       .queue_max = QUEUE_FRAMES};
    const uint8_t *identity = client_gateway(d->client);
    const char *address = identity ? gateway_address(d, identity) : NULL;
    if (address)
        snprintf(d->gateway, sizeof d->gateway, "%s", address);
    int err = address ? link_connect(&d->link, d->host.loop, d->tls, &config,
                                     address, identity, &link_ops, d)
                      : ERR_NOT_FOUND;
    if (err) {
        down_tell(d, err == ERR_SYSTEM ? system_number() : err);
        client_link_failed(d->client);
        reconnect_later(d);
    }
}

/* Why the link is to be made anew, or NULL. */
static const char *
link_fault(const struct daemon *d)
{
    static const char *const why[] = {
        [CLIENT_STUCK] = "no answer for a minute",
        [CLIENT_BEHIND] = "the gateway withholds the newest consensus",
        [CLIENT_LOSSY] = "the gateway gives fewer than half of the answers",
        [CLIENT_WITHHELD] = "the gateway withholds lists",
        [CLIENT_BROKEN] = "no request could be made for this gateway",
        [CLIENT_MOVED] = "the gateway has left the network"};
    const uint64_t now_us = loop_now_us(d->host.loop);
    if (d->up && link_stalled_us(d->link, now_us) >= STALLED_US)
        return "the line carries nothing";
    return why[client_leave(d->client)];
}

/* Say once that the clock is far off; packets go by the network's time. */
static void
clock_watch(struct daemon *d, int64_t off_us)
{
    const bool far = client_clock_is_far(off_us);
    if (far && !d->clock_told)
        log_write(&d->host.log, LOG_WARNING, "client",
                  "the clock is %lld s %s the network's; packets go by the "
                  "network's time, but set this clock with NTP",
                  (long long)(off_us < 0 ? -off_us : off_us) / 1000000,
                  off_us < 0 ? "behind" : "ahead of");
    d->clock_told = far;
}

/* Does the storage keep what it is given? The log says when that changes. */
static void
store_watch(struct daemon *d, const struct client_status *s)
{
    if (s->storage_err && !d->store_told)
        log_write(&d->host.log, LOG_ERROR, "client",
                  "%s cannot be written: %s. Until then nothing new is sent or "
                  "taken in; it is tried every half minute",
                  d->store_path, database_remedy(s->storage_err));
    if (!s->storage_err && d->store_told)
        log_write(&d->host.log, LOG_NOTICE, "client",
                  "%s is written again, and all goes on", d->store_path);
    d->store_told = s->storage_err != 0;
    if (s->overtaken > 0 && !d->overtaken_told)
        log_write(&d->host.log, LOG_WARNING, "client",
                  "%s is older than what contacts have had of it: was a copy "
                  "put back, or does another machine use one? Only one may "
                  "run: each takes letters that the other then misses. What "
                  "was written elsewhere since that copy is not here; what is "
                  "queued goes out under new numbers",
                  d->store_path);
    d->overtaken_told = s->overtaken > 0;
}

/* The last try, when the storage has ended. */
static void
store_end(const struct daemon *d)
{
    struct client_status s;
    if (!d->client)
        return;
    client_status(d->client, &s);
    if (s.storage_err)
        log_write(&d->host.log, LOG_ERROR, "client",
                  "%s could not be written up to the end: %s. The next start "
                  "goes on with what it has",
                  d->store_path, database_remedy(s.storage_err));
}

/* Say that descriptors run short, once an hour at most. */
static void
files_tell(struct daemon *d)
{
    const uint64_t now_us = loop_now_us(d->host.loop);
    const uint64_t n = rpc_starved(d->rpc);
    if (n == d->starved || (d->starved_us && now_us < d->starved_us))
        return;
    log_write(
        &d->host.log, LOG_WARNING, "client",
        "no descriptors are left for callers of client.sock; raise the limit "
        "('ulimit -n', LimitNOFILE= in the systemd unit), or let fewer "
        "programs call");
    d->starved = n;
    d->starved_us = now_us + HOUR_US;
}

/* Every so often: is the gateway of any use, and the disk? */
static void
link_watch(void *ctx)
{
    struct daemon *d = ctx;
    loop_timer_at(d->watch, loop_now_us(d->host.loop) + WATCH_US);
    struct client_status s;
    client_store_again(d->client, false);
    client_status(d->client, &s);
    store_watch(d, &s);
    clock_watch(d, s.clock_off_us);
    files_tell(d);
    if (d->up && s.answer_age_us < WATCH_US) {
        d->wait_us = RETRY_US;
        d->fault_told = NULL;
    }
    const char *why = link_fault(d);
    if (!why)
        return;
    if (why != d->fault_told)
        log_write(&d->host.log, LOG_NOTICE, "client",
                  "gateway %s: %s: connecting anew%s", d->gateway, why,
                  s.waits == CLIENT_NO_CONSENSUS
                      ? "; no consensus came that the authorities of the "
                        "network file have signed: is it the right file?"
                      : "");
    d->fault_told = why;
    link_free(&d->link);
    client_link_down(d->client);
    d->up = false;
    reconnect_later(d);
}

/* ---- environment ---- */

static int
daemon_send(struct env *env, struct env_dest to, const uint8_t *frame,
            size_t len)
{
    struct daemon *d = ((struct host *)env)->owner;
    (void)to;
    if (!d->link || len != d->frame_len)
        return ERR_CLOSED;
    return link_send(d->link, frame);
}

static void
daemon_store(struct env *env, struct env_store_req *req)
{
    storage_request(((struct daemon *)((struct host *)env)->owner)->port, req);
}

static void
client_timer(void *ctx)
{
    struct daemon *d = ctx;
    if (d->client)
        client_tick(d->client);
}

/* ---- life ---- */

static int
record_load(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
            size_t value_len)
{
    return client_load(ctx, key, key_len, value, value_len);
}

/* Say why it cannot start: in the log, or to who asked whether it could. */
static void
start_tell(const struct daemon *d, const char *what, const char *how,
           const char *why)
{
    if (d->look)
        fprintf(stderr, "brusio-client: %s%s%s\n", what, how, why);
    else
        log_write(&d->host.log, LOG_ERROR, "client", "%s%s%s", what, how, why);
}

static int
client_make(struct daemon *d)
{
    struct client_config config = {.env = &d->host.env,
                                   .mlkem = mlkem_find(),
                                   .geometry = d->network.geometry,
                                   .n_authorities = d->network.n_authorities,
                                   .n_gateways = d->network.n_gateways};
    if (config.n_gateways == 0 || config.n_gateways > CLIENT_GATEWAYS_MAX) {
        start_tell(d, "the network file names no gateway to start with", "; ",
                   "get the current one from whoever runs the network");
        return ERR_FORMAT;
    }
    memcpy(config.profile, d->config->profile, strlen(d->config->profile) + 1);
    memcpy(config.network, d->network.name, sizeof config.network);
    for (size_t i = 0; i < config.n_authorities; i++)
        memcpy(config.authorities[i], d->network.authorities[i].identity,
               SPHINX_ID_LEN);
    for (size_t i = 0; i < config.n_gateways; i++)
        memcpy(config.gateways[i], d->network.gateways[i].identity,
               SPHINX_ID_LEN);
    int err = d->look ? 0 : prover_new(&d->prover);
    if (err)
        log_write(&d->host.log, LOG_WARNING, "client",
                  "no thread for proofs of work, first letters take longer: %s",
                  system_reason(err));
    config.maker = prover_maker(d->prover);
    return client_new(&d->client, &config);
}

/* Read the master key, by a passphrase where it has one; who only looks is not asked
 * for that. */
static int
master_take(struct daemon *d, const char *dir)
{
    const char *file = d->config->passphrase_file;
    if (!d->look) {
        master_tidy(d->store_path);
        backup_tidy(dir);
    }
    int err = master_read(&d->master, d->store_path, false);
    if (err)
        start_tell(d, d->store_path,
                   "-seal cannot be used: ", database_remedy(err));
    else if (!d->look || file)
        err = master_ask(d->master, dir, file);
    return err;
}

/* Take the directory for this client, and open its records. */
static int
records_open(struct daemon *d, const char *dir)
{
    int err = files_path(d->store_path, dir, "client.db");
    if (!err)
        err = files_lock(dir, &d->lock);
    if (err == ERR_AGAIN) {
        if (!d->look) /* else it has opened them */
            start_tell(d, "another client runs on ", dir, "; end that first");
        return err;
    }
    if (err || (err = master_take(d, dir)))
        return err;
    err = d->look ? outbox_sqlite_look(&d->outbox, d->store_path, d->master)
                  : outbox_sqlite_new(&d->outbox, d->store_path, d->master);
    if (err)
        start_tell(d, d->store_path,
                   " cannot be opened: ", database_remedy(err));
    return err;
}

/* All that is to be open for good: the records, the socket for calls, whose path
 * is told, and what TLS reads. */
static int
files_open(struct daemon *d, const char *dir, char path[static FILES_PATH_MAX])
{
    int err = records_open(d, dir);
    if (!err)
        err = tls_new(&d->tls, NULL);
    if (!err)
        err = files_path(path, dir, "client.sock");
    if (err)
        return err;
    err = rpc_new(&d->rpc, d->host.loop, path);
    if (err)
        start_tell(d, path, ": ", rpc_why(err));
    return err ? ERR_IO : 0; /* it has been said */
}

static int
storage_start(struct daemon *d)
{
    int err =
        storage_new(&d->storage, STORAGE_QUEUE, outbox_sqlite_run, d->outbox);
    return err ? err : storage_port_new(&d->port, d->storage, d->host.loop);
}

/* Make the client of its records, which only now are known to be whole. */
static int
records_load(struct daemon *d)
{
    int err = d->look ? 0 : storage_start(d);
    if (!err)
        err = client_make(d);
    if (err == ERR_FORMAT) /* has been said */
        return err;
    if (!err)
        err = outbox_sqlite_load(d->outbox, record_load, d->client);
    if (!err && !d->look)
        outbox_sqlite_settle(d->outbox);
    if (err)
        start_tell(d, d->store_path, " cannot be used: ", database_remedy(err));
    return err;
}

static int
network_read(struct daemon *d, const char *dir)
{
    char error[NETFILE_ERROR_LEN];
    const int err =
        netfile_read_in(dir, d->config->network, &d->network, error);
    if (err)
        start_tell(d, error, "", "");
    return err;
}

static int
daemon_start(struct daemon *d, const char *dir, int ready_fd)
{
    char path[FILES_PATH_MAX];
    int err = network_read(d, dir);
    if (err)
        return err;
    d->frame_len = d->network.geometry.packet_len;
    d->wait_us = RETRY_US;
    d->host.owner = d;
    d->host.ops.send = daemon_send;
    d->host.ops.store = daemon_store;
    const struct confine confined = {.module = "client",
                                     .conf = "client.conf",
                                     .dir = dir,
                                     .sandbox = d->config->sandbox,
                                     .settled = true};
    err = files_open(d, dir, path);
    if (!err)
        err = confine(&d->host.log, &confined);
    if (!err)
        err = records_load(d);
    if (!err)
        err = loop_timer_new(d->host.loop, gateway_connect, d, &d->reconnect);
    if (!err)
        err = loop_timer_new(d->host.loop, link_watch, d, &d->watch);
    if (!err)
        err = client_start(d->client);
    if (!err)
        err =
            guard_new(&d->guard, dir, d->config->network, d->master, d->outbox);
    if (!err) {
        rpc_set_guard(d->rpc, d->guard);
        err = rpc_start(d->rpc, d->client);
    }
    if (err)
        return err;
    gateway_connect(d);
    link_watch(d);
    files_report(ready_fd, "socket", path);
    return 0;
}

static void
daemon_free(struct daemon *d)
{
    rpc_free(&d->rpc);
    link_free(&d->link);
    if (d->client)
        client_store_again(d->client, true);
    storage_free(&d->storage); /* everything is on the disk after it */
    store_end(d);
    storage_port_free(&d->port);
    client_free(&d->client);
    prover_free(&d->prover);
    guard_free(&d->guard);
    outbox_sqlite_free(&d->outbox);
    master_free(&d->master);
    tls_free(&d->tls);
    loop_timer_free(&d->reconnect);
    loop_timer_free(&d->watch);
    host_free(&d->host);
    if (d->lock >= 0)
        close(d->lock);
    free(d);
}

int
client_run(const char *dir, const struct daemon_config *config, int ready_fd)
{
    struct daemon *d = calloc(1, sizeof *d);
    if (!d)
        return 1;
    d->config = config;
    d->lock = -1;
    int err = host_init(&d->host, client_timer, d);
    host_log(&d->host, "brusio-client", (enum log_level)config->log_level);
    if (!err)
        err = host_stop_on_signals(&d->host, NULL, NULL);
    signal(SIGHUP, SIG_IGN); /* the terminal may close */
    if (!err)
        err = daemon_start(d, dir, ready_fd);
    if (!err)
        err = loop_run(d->host.loop);
    if (err == ERR_NOMEM || err == ERR_SYSTEM || err == ERR_LONG)
        log_write(&d->host.log, LOG_ERROR, "client", "cannot run in %s: %s",
                  dir, system_reason(err)); /* all else has been said */
    daemon_free(d);
    return err ? 1 : 0;
}

int
client_check(const char *dir, const struct daemon_config *config)
{
    struct daemon *d = calloc(1, sizeof *d);
    if (!d)
        return 1;
    d->config = config;
    d->look = true;
    d->lock = -1;
    int err = host_init(&d->host, client_timer, d);
    d->host.owner = d;
    d->host.ops.store = daemon_store;
    if (!err)
        err = network_read(d, dir);
    if (!err)
        err = records_open(d, dir);
    const bool runs = err == ERR_AGAIN;
    if (!err && master_kind(d->master) == MASTER_SEALED &&
        !master_is_open(d->master))
        program_fail("brusio-client",
                     "%s is sealed under a passphrase, and was not looked "
                     "into; --passphrase-file FILE has that done",
                     d->store_path);
    else if (!err)
        err = records_load(d);
    daemon_free(d);
    return err && !runs ? 1 : 0;
}
