/* relay/daemon/monitor.c - status file, metrics, SIGHUP.
 *
 * Counts leave through relay/operator/publish.h alone: status.json every
 * STATUS_WRITE_S has those of the last minute, the text of the metrics is made
 * once a minute. What is about relays and authorities, not about anybody's
 * packets, is exact.
 *
 * Failure modes: the status cannot be written (logged once; an old file is
 * found out by its date); the metrics' address is taken (at the start an error;
 * on SIGHUP the old configuration stays). */
#include "relay/daemon/monitor.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/os/database.h"
#include "lib/os/socket.h"
#include "lib/os/system.h"
#include "relay/daemon/describe.h"
#include "relay/daemon/reload.h"
#include "relay/operator/metrics.h"

enum { STARTING_S = 20, QUOTA_STEP = 5 };

struct monitor {
    struct relay_daemon *daemon;
    struct relay_settings *config;
    struct publish publish;
    struct status now, minute; /* minute: as of the last publication */
    uint64_t write_us;
    bool cannot_write;
    struct http_server *http; /* NULL: no metrics */
    char *text;               /* of the metrics */
    size_t text_len;
    struct loop_signal *hup;
};

/* ---- gathering ---- */

static void
counts_gather(struct monitor *m, struct publish_in *in)
{
    struct relay_daemon *d = m->daemon;
    struct relay_stats r;
    struct net_status net;
    struct rusage usage = {0};
    net_status(d->net, &net);
    workers_stats(d, &r);
    getrusage(RUSAGE_SELF, &usage);
    const uint64_t cpu_us =
        (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
        (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    *in = (struct publish_in){
        .count = {[PUBLISH_RECEIVED] = r.received,
                  [PUBLISH_FORWARDED] = r.forwarded,
                  [PUBLISH_DELIVERED] = r.delivered,
                  [PUBLISH_ANSWERED] = r.answered,
                  [PUBLISH_DUMMIES] = r.dummies,
                  [PUBLISH_PIECES] = r.pieces},
        .list = {[PUBLISH_ANNOUNCED] = r.announced,
                 [PUBLISH_ANNOUNCED_BAD] = r.announced_bad,
                 [PUBLISH_ANNOUNCED_LOST] = r.announced_lost,
                 [PUBLISH_LISTS_MADE] = r.lists_made,
                 [PUBLISH_LISTS_TAKEN] = r.lists_taken,
                 [PUBLISH_LISTS_PASSED] = r.lists_passed,
                 [PUBLISH_LISTS_REFUSED] = r.lists_refused},
        .equivocations = r.equivocations,
        .loops_returned = r.loops_returned,
        .loops_lost = r.loops_lost,
        .cpu_us = cpu_us / d->n_workers,
        .clients = net.clients,
        .held = relay_held(d->relay),
        .held_max = d->memory.packets};
    memcpy(in->dropped, r.dropped, sizeof in->dropped);
    memcpy(in->link, net.refused, sizeof in->link);
    memcpy(in->refused, d->refused, sizeof in->refused);
    m->now.links_out = (uint32_t)net.out;
    m->now.links_out_up = (uint32_t)net.out_up;
    m->now.links_in = (uint32_t)net.in;
}

static void
network_gather(struct monitor *m)
{
    struct relay_daemon *d = m->daemon;
    struct status *s = &m->now;
    const struct daemon_view *v = views_find(d, d->newest);
    const int listed = v ? consensus_find(v->consensus, d->identity) : -1;
    const int self =
        listed >= 0 && v->consensus->relays[listed].out ? -1 : listed;
    s->epoch = v ? d->newest : 0;
    s->valid_after_s = v ? v->consensus->valid_after_s : 0;
    s->relays = v ? (uint32_t)v->consensus->n_relays : 0;
    s->layers = v ? v->consensus->params.layers : 0;
    s->layer = self < 0 ? -1 : v->consensus->relays[self].layer;
    s->doubled = d->doubled;
    s->left_out_permille =
        v ? consensus_left_out(v->consensus, d->identity) : 0;
    s->key_until_s = self < 0 ? 0
                              : s->valid_after_s +
                                    (uint64_t)EPOCHS_USABLE * s->epoch_len_s +
                                    v->consensus->params.key_grace_s;
}

static void
authorities_gather(struct monitor *m)
{
    struct status *s = &m->now;
    struct directory_status u;
    directory_status(m->daemon->directory, &u);
    s->reached = u.reached;
    s->descriptor_epoch = u.descriptor_epoch;
    s->descriptor_taken = u.descriptor_taken;
    s->descriptor_first = u.descriptor_first;
    snprintf(s->descriptor_refusal, sizeof s->descriptor_refusal, "%s",
             u.descriptor_refusal);
    snprintf(s->consensus_refusal, sizeof s->consensus_refusal, "%s",
             u.fetch_err ? error_text(u.fetch_err) : "");
    snprintf(s->unreached, sizeof s->unreached, "%s",
             u.unreached ? u.unreached : "");
    snprintf(s->unreached_why, sizeof s->unreached_why, "%s",
             u.unreached ? system_reason(u.unreached_err) : "");
    s->consensus_is_mistimed =
        u.fetch_err == ERR_FUTURE || u.fetch_err == ERR_EXPIRED;
    s->consensus_is_foreign =
        u.fetch_err && u.fetch_err != ERR_NOMEM && !s->consensus_is_mistimed;
}

static void
status_gather(struct monitor *m)
{
    struct relay_daemon *d = m->daemon;
    struct status *s = &m->now;
    const uint64_t now_us = loop_now_us(d->host.loop);
    s->written_s = env_now_wall_s(&d->host.env);
    s->waits_s =
        d->accept_us > now_us ? (d->accept_us - now_us) / 1000000 + 1 : 0;
    s->leaving = d->drain_until_us != 0;
    s->left = d->left;
    s->hibernates_until_s = d->left ? 0 : hibernate_until_s(d);
    s->spent = d->quota.limit > 0 && d->quota.state == QUOTA_SPENT;
    s->quota_percent =
        d->quota.limit > 0
            ? publish_percent(d->quota.used, d->quota.limit, QUOTA_STEP)
            : -1;
    s->alarm = (int)relay_alarm(d->relay)->state;
    network_gather(m);
    authorities_gather(m);
    s->seen = m->publish.out;
}

static void
status_keep(struct monitor *m)
{
    struct relay_daemon *d = m->daemon;
    char *text;
    size_t len;
    int err = status_write_json(&m->now, &text, &len);
    if (!err)
        err = files_write_in(d->dir, "status.json", text, len);
    free(text);
    if (err && !m->cannot_write)
        log_write(&d->host.log, LOG_WARNING, "relay",
                  "%s/status.json cannot be written: %s", d->dir,
                  database_remedy(err));
    m->cannot_write = err != 0;
}

/* ---- metrics ---- */

static void
metrics_make(struct monitor *m)
{
    free(m->text);
    if (metrics_write(&m->minute, &m->text, &m->text_len))
        m->text_len = 0;
}

static void
metrics_handle(void *ctx, const char *path, const uint8_t *body, size_t len,
               struct http_answer *answer)
{
    struct monitor *m = ctx;
    (void)len;
    if (body || strcmp(path, "/metrics") != 0)
        return;
    answer->status = m->text_len > 0 ? 200 : 503;
    answer->type = "text/plain; version=0.0.4";
    answer->body = (const uint8_t *)m->text;
    answer->len = m->text_len;
}

static int
metrics_serve(struct monitor *m, const char *address, struct http_server **out)
{
    struct relay_daemon *d = m->daemon;
    char why[SOCKET_WHY_LEN];
    *out = NULL;
    if (!address[0])
        return 0;
    int err = http_server_new(out, d->host.loop, address, 0, metrics_handle, m);
    if (err) {
        socket_listen_why(why, err);
        log_write(&d->host.log, LOG_ERROR, "relay",
                  "metrics cannot be served at %s: %s", address, why);
    } else
        log_write(&d->host.log, LOG_NOTICE, "relay",
                  "metrics at http://%s/metrics", http_server_address(*out));
    return err;
}

/* ---- SIGHUP ---- */

static void
keys_tell(struct monitor *m, enum log_level level, const char *what,
          const char *keys)
{
    if (keys[0])
        log_write(&m->daemon->host.log, level, "relay", "%s: %s", what, keys);
}

/* Read the new configuration, and say why when it is of no use. */
static int
next_read(struct monitor *m, struct relay_settings *next,
          enum reload_network *network)
{
    struct relay_daemon *d = m->daemon;
    char error[NETFILE_ERROR_LEN];
    struct describe x = {.config = next, .network = &d->network};
    _Static_assert((int)NETFILE_ERROR_LEN >= (int)DESCRIBE_WHY_LEN, "a line");
    int err = reload_read(next, d->dir, &d->network, network, error);
    if (!err) {
        describe_addresses(&x, net_address(d->net));
        if (describe_judge(&x, error) == ERR_FORMAT) {
            config_free(relay_options, relay_options_len, next);
            err = ERR_FORMAT;
        }
    }
    if (err)
        log_write(&d->host.log, LOG_ERROR, "relay",
                  "the old configuration stays: %s", error);
    return err;
}

static void
config_reload(void *ctx)
{
    struct monitor *m = ctx;
    struct relay_daemon *d = m->daemon;
    struct relay_settings next = {0};
    struct http_server *http = m->http;
    struct reload r;
    enum reload_network network;
    if (next_read(m, &next, &network))
        return;
    const bool moved = strcmp(next.metrics, m->config->metrics) != 0;
    if (moved && metrics_serve(m, next.metrics, &http)) {
        log_write(&d->host.log, LOG_ERROR, "relay",
                  "the old configuration stays");
        config_free(relay_options, relay_options_len, &next);
        return;
    }
    if (moved) {
        http_server_free(&m->http);
        m->http = http;
    }
    reload_apply(&r, m->config, &next);
    d->host.log.level = (enum log_level)m->config->log_level;
    config_free(relay_options, relay_options_len, &next);
    log_write(&d->host.log, LOG_NOTICE, "relay", "configuration read again%s",
              r.applied[0] || r.next[0] || r.restart[0] || network
                  ? ""
                  : "; nothing has changed");
    keys_tell(m, LOG_NOTICE, "in force now", r.applied);
    keys_tell(m, LOG_NOTICE, "in force with the next descriptor", r.next);
    keys_tell(m, LOG_WARNING, "only after a restart", r.restart);
    if (network == RELOAD_NETWORK_CHANGED)
        keys_tell(m, LOG_WARNING, "only after a restart", "the network file");
    if (network == RELOAD_NETWORK_CLOSED)
        log_write(&d->host.log, LOG_WARNING, "relay",
                  "the network file was replaced outside the relay's folder, "
                  "where it may not look any more; it is read at a restart");
}

/* ---- life ---- */

void
monitor_step(struct monitor *m)
{
    struct relay_daemon *d = m->daemon;
    const uint64_t now_us = loop_now_us(d->host.loop);
    struct publish_in in;
    if (now_us < m->write_us && now_us < m->publish.at_us)
        return;
    counts_gather(m, &in);
    const bool minute = publish_take(&m->publish, &in, now_us);
    status_gather(m);
    status_keep(m);
    /* an operator looks right after the start */
    const bool young = m->now.written_s < m->now.started_s + STARTING_S;
    m->write_us = now_us + (young ? 1u : STATUS_WRITE_S) * 1000000u;
    if (minute) {
        m->minute = m->now;
        metrics_make(m);
    }
}

int
monitor_new(struct monitor **out, struct relay_daemon *d,
            struct relay_settings *config)
{
    struct monitor *m = calloc(1, sizeof *m);
    *out = m;
    if (!m)
        return ERR_NOMEM;
    m->daemon = d;
    m->config = config;
    m->now = (struct status){.started_s = env_now_wall_s(&d->host.env),
                             .pid = (uint64_t)getpid(),
                             .running = true,
                             .role = config->role,
                             .genesis_s = d->network.genesis_s,
                             .epoch_len_s = d->network.epoch_len_s,
                             .authorities = (uint32_t)d->network.n_authorities,
                             .clients_max = d->memory.clients,
                             .packets_max = d->memory.packets};
    snprintf(m->now.listen, sizeof m->now.listen, "%s", net_address(d->net));
    publish_init(&m->publish, &d->host.env, loop_now_us(d->host.loop));
    status_gather(m);
    m->minute = m->now;
    metrics_make(m);
    int err = metrics_serve(m, config->metrics, &m->http);
    if (!err)
        err = loop_signal_new(d->host.loop, SIGHUP, config_reload, m, &m->hup);
    return err;
}

void
monitor_free(struct monitor **mp)
{
    struct monitor *m = *mp;
    *mp = NULL;
    if (!m)
        return;
    loop_signal_free(&m->hup);
    http_server_free(&m->http);
    status_gather(m);
    m->now.running = m->now.leaving = false;
    status_keep(m);
    free(m->text);
    free(m);
}
