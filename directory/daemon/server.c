/* directory/daemon/server.c - the authority's edge: HTTP, files, the timer.
 *
 *   GET  /v1/consensus, /v1/consensus.z, /v1/diff/DIGEST.z   served.h
 *   POST /v1/descriptor   from relays
 *   GET, POST /v1/documents, GET /v1/vote/DIGEST   exchange.h
 *   GET  /, /status.json  page.h
 *   GET  /v1/status       counts, for the operator
 *
 * Files: directory/daemon/disk.h. Once the port is open the authority is
 * confined to its files (lib/os/confine.h), and only then reads what came from
 * others.
 *
 * Failure modes: a full disk (nothing is signed that is not kept; said once); a
 * consensus that cannot be served (tried again at the next tick); connections
 * for which there are no descriptors (told once a minute). */
#include "directory/daemon/server.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "directory/authority.h"
#include "directory/daemon/callers.h"
#include "directory/daemon/disk.h"
#include "directory/daemon/exchange.h"
#include "directory/daemon/gate.h"
#include "directory/daemon/page.h"
#include "directory/daemon/ready.h"
#include "directory/daemon/renewal.h"
#include "directory/daemon/served.h"
#include "lib/codec.h"
#include "lib/address.h"
#include "lib/os/confine.h"
#include "lib/os/files.h"
#include "lib/os/host.h"
#include "lib/os/http/http_server.h"
#include "lib/os/socket.h"
#include "lib/os/system.h"
#include "lib/secret.h"
#include "network/os/netfile.h"

enum { STATUS_LEN = 4096, PAGE_US = 5000000, MINUTE_US = 60000000 };

/* The roles that are let in by hand, for each of by_hand_names in options.c. */
static const unsigned by_hand_roles[] = {1u << ROLE_GATEWAY | 1u << ROLE_STORE,
                                         1u << ROLE_GATEWAY, 1u << ROLE_STORE,
                                         0};

struct server {
    struct host host;
    struct server_config *config;
    char dir[FILES_PATH_MAX / 2];
    int lock; /* of dir: two processes would contradict each other */
    struct network network;
    struct authority *authority;
    struct exchange *exchange;
    struct http_server *http;
    struct callers callers;
    struct renewal renewal;
    uint32_t pruned; /* votes of epochs before this one are gone, */
    uint32_t heard;  /* and those of others that are not of this one */
    int unmade;      /* why there is no consensus, as it was said */
    bool unsure;     /* the clock is not believed, which was said */
    struct exchange_buffer answer;
    struct served served;
    bool unserved; /* the newest consensus is not in it yet */
    struct page {
        char *text;
        size_t len;
        uint64_t at_us; /* made then */
    } html, json;
    struct gate gate;
    int unkept; /* why the last output was not kept, which was said */
    struct loop_signal *hup;
    uint64_t starved, starved_us; /* connections for which there were no
                                     descriptors, as told; again then */
    char status[STATUS_LEN];
    char reason[STATUS_LEN / 16];
};

static size_t status_write(struct server *s);

/* ---- the authority's side ---- */

static int
document_keep(struct server *s, enum authority_output what, uint32_t epoch,
              const uint8_t *bytes, size_t len)
{
    int err = disk_put(s->dir, what, epoch, bytes, len);
    if (err && err != s->unkept)
        log_write(&s->host.log, LOG_ERROR, "directory",
                  "cannot write to %s: %s. Nothing is signed that is not kept; "
                  "it is tried again until there is room",
                  s->dir, error_text(err));
    if (!err && s->unkept)
        log_write(&s->host.log, LOG_NOTICE, "directory", "%s is written again",
                  s->dir);
    s->unkept = err;
    return err;
}

static void
status_keep(struct server *s)
{
    size_t n = status_write(s);
    int err = files_write_in(s->dir, "status", s->status, n);
    if (err)
        log_write(&s->host.log, LOG_WARNING, "directory",
                  "cannot write the status to %s: %s", s->dir, error_text(err));
}

/* Serve a published consensus; what fails now is tried again at the next
 * tick. */
static void
consensus_serve(struct server *s, const uint8_t *bytes, size_t len)
{
    int err = callers_relays(&s->callers, authority_newest(s->authority));
    if (!err)
        err = served_put(&s->served, bytes, len);
    if (err && !s->unserved)
        log_write(&s->host.log, LOG_ERROR, "directory",
                  "the new consensus is not served yet: %s", error_text(err));
    s->unserved = err != 0;
}

static void
consensus_serve_again(struct server *s)
{
    uint32_t epoch;
    size_t len;
    const uint8_t *bytes = authority_consensus(s->authority, &epoch, &len);
    if (s->unserved && bytes)
        consensus_serve(s, bytes, len);
}

static int
server_publish(void *ctx, enum authority_output what, uint32_t epoch,
               const uint8_t *bytes, size_t len)
{
    struct server *s = ctx;
    int err = 0;
    switch (what) {
    case AUTHORITY_SEND:
        return exchange_send(s->exchange, bytes, len);
    case AUTHORITY_WANT:
        return exchange_want(s->exchange, bytes);
    case AUTHORITY_ASK:
        exchange_ask(s->exchange);
        return 0;
    case AUTHORITY_EVIDENCE:
        log_write(&s->host.log, LOG_WARNING, "directory",
                  "an authority contradicts itself in epoch %u; see the "
                  "evidence file",
                  epoch);
        return document_keep(s, what, epoch, bytes, len);
    case AUTHORITY_KEEP_CONSENSUS:
        err = document_keep(s, what, epoch, bytes, len);
        consensus_serve(s, bytes, len);
        log_write(&s->host.log, LOG_NOTICE, "directory",
                  "consensus of epoch %u published",
                  authority_newest(s->authority)->epoch);
        status_keep(s);
        return err;
    default:
        if (authority_floor(s->authority) != s->pruned || epoch != s->heard)
            disk_prune(s->dir, authority_floor(s->authority), epoch);
        s->pruned = authority_floor(s->authority);
        s->heard = epoch;
        return document_keep(s, what, epoch, bytes, len);
    }
}

/* Is this authority reached on this machine alone? If so, its network is local
 * too. */
static bool
is_local(const struct server *s)
{
    const uint8_t *self = authority_identity(s->authority);
    for (size_t i = 0; i < s->network.n_authorities; i++)
        if (memcmp(s->network.authorities[i].identity, self, SPHINX_ID_LEN) ==
            0)
            return address_is_loopback(s->network.authorities[i].address);
    return false;
}

static struct admission_config
admission_wanted(const struct server *s)
{
    const struct server_config *c = s->config;
    return (struct admission_config){.policy = (enum admission_policy)c->policy,
                                     .block_max = (uint32_t)c->block_max,
                                     .range_max = (uint32_t)c->range_max,
                                     .family_max = (uint32_t)c->family_max,
                                     .by_hand = by_hand_roles[c->by_hand],
                                     .local = is_local(s),
                                     .kind = netfile_kind(&s->network)};
}

static bool
server_admits(void *ctx, const struct descriptor *d)
{
    struct server *s = ctx;
    struct sockaddr_storage from;
    const bool asks = s->http && http_server_peer(s->http, &from);
    return gate_admits(&s->gate, d, asks ? &from : NULL);
}

/* ---- HTTP ---- */

static size_t
status_write(struct server *s)
{
    struct authority_status st;
    authority_status(s->authority, &st);
    int n =
        snprintf(s->status, sizeof s->status,
                 "epoch %u\npreparing %u\nrelays %zu\nvotes %zu\n"
                 "signatures %zu\n",
                 st.epoch, st.target, st.descriptors, st.votes, st.signatures);
    if (n > 0 && n < (int)sizeof s->status && s->http)
        n += callers_status(s->http, s->status + n,
                            sizeof s->status - (size_t)n);
    for (int i = 1; i < ERROR_COUNT && n > 0 && n < (int)sizeof s->status; i++)
        if (st.refused[i])
            n += snprintf(s->status + n, sizeof s->status - (size_t)n,
                          "refused %s %llu\n", error_name(-i),
                          (unsigned long long)st.refused[i]);
    return n < (int)sizeof s->status ? (size_t)n : sizeof s->status - 1;
}

static void
answer_result(struct server *s, int err, const char *where,
              struct http_answer *a)
{
    a->status = err == 0 || err == ERR_AGAIN ? 200
                : err == ERR_RATE            ? 429
                : err == ERR_NOMEM           ? 503
                                             : 400;
    int n = err == ERR_COMMAND
                ? snprintf(s->reason, sizeof s->reason, "%s\n", s->gate.why)
            : err == ERR_AGAIN
                ? snprintf(s->reason, sizeof s->reason,
                           "taken, too late for the epoch being prepared\n")
            : where[0] ? snprintf(s->reason, sizeof s->reason, "%s: %s\n",
                                  where, error_text(err))
                       : snprintf(s->reason, sizeof s->reason, "%s\n",
                                  err ? error_text(err) : "taken");
    a->body = (const uint8_t *)s->reason;
    a->len = (size_t)n;
}

/* Take one document of a batch. What no honest authority sends ends the batch,
 * so that whoever makes up documents has one looked at, not thousands; so does
 * lack of memory, and then the batch is sent again. */
static int
document_came(void *ctx, const uint8_t *bytes, size_t len)
{
    int err = authority_take(((struct server *)ctx)->authority, bytes, len);
    return err == ERR_SIGNATURE || err == ERR_FORMAT || err == ERR_SHORT ||
                   err == ERR_LONG || err == ERR_VERSION || err == ERR_PEER ||
                   err == ERR_THRESHOLD || err == ERR_FOREIGN ||
                   err == ERR_NOMEM
               ? err
               : 0;
}

/* Take a vote that was asked for. The authority counts what comes of it, and
 * asks again for what is lacking. */
static void
vote_came(void *ctx, const uint8_t *bytes, size_t len)
{
    (void)!authority_take_vote(((struct server *)ctx)->authority, bytes, len);
}

static void
consensus_came(void *ctx, const uint8_t *bytes, size_t len)
{
    (void)!authority_take_consensus(((struct server *)ctx)->authority, bytes,
                                    len);
}

/* Write one document to an answer. Whoever asks and gets less asks again. */
static void
document_write_one(void *ctx, const uint8_t *bytes, size_t len)
{
    (void)!exchange_append(&((struct server *)ctx)->answer, bytes, len);
}

static void
documents_handle(struct server *s, const uint8_t *body, size_t len,
                 struct http_answer *a)
{
    if (body) {
        int err = exchange_each(body, len, document_came, s);
        answer_result(s, err, "", a);
        return;
    }
    free(s->answer.bytes);
    s->answer = (struct exchange_buffer){0};
    authority_documents(s->authority, document_write_one, s);
    *a = (struct http_answer){.status = 200,
                              .type = "application/octet-stream",
                              .body = s->answer.bytes,
                              .len = s->answer.len};
}

/* Answer with a page, which is made anew every few seconds, however often it is
 * asked for. */
static void
page_handle(struct server *s, struct page *p,
            int (*make)(const struct page_input *, char **, size_t *),
            const char *type, struct http_answer *a)
{
    const uint64_t now_us = loop_now_us(s->host.loop);
    if (!p->text || now_us - p->at_us > PAGE_US) {
        const struct page_input in = {.network = &s->network,
                                      .authority = s->authority,
                                      .admission = s->gate.admission,
                                      .now_s = env_now_wall_s(&s->host.env)};
        free(p->text);
        p->at_us = now_us;
        if (make(&in, &p->text, &p->len))
            p->text = NULL;
    }
    a->status = p->text ? 200 : 503;
    a->type = p->text ? type : NULL;
    a->body = (const uint8_t *)p->text;
    a->len = p->text ? p->len : 0;
}

static const char vote_path[] = "/v1/vote/";

static void
vote_handle(struct server *s, const char *hex, struct http_answer *a)
{
    uint8_t digest[32];
    if (strlen(hex) == 64 && codec_unhex(digest, sizeof digest, hex) == 0)
        a->body = authority_vote(s->authority, digest, &a->len);
    a->status = a->body ? 200 : 404;
    a->type = "application/octet-stream";
}

static enum seats_class
server_classify(void *ctx, const struct sockaddr_storage *from)
{
    return callers_class(&((struct server *)ctx)->callers, from);
}

static void
server_handle(void *ctx, const char *path, const uint8_t *body, size_t len,
              struct http_answer *a)
{
    struct server *s = ctx;
    char where[JSON_WHERE_LEN] = "";
    bool current = false;
    const uint8_t *shelved =
        body ? NULL : served_find(&s->served, path, &a->len, &current);
    if (current) {
        a->status = 304;
    } else if (shelved) {
        a->body = shelved;
        a->status = 200;
        a->type = "application/octet-stream";
        a->etag = s->served.etag;
    } else if (!body && strcmp(path, "/") == 0) {
        page_handle(s, &s->html, page_html, "text/html; charset=utf-8", a);
    } else if (!body && strcmp(path, "/status.json") == 0) {
        page_handle(s, &s->json, page_json, "application/json", a);
    } else if (!body && strcmp(path, "/v1/status") == 0) {
        a->len = status_write(s);
        a->body = (const uint8_t *)s->status;
        a->status = 200;
    } else if (body && strcmp(path, "/v1/descriptor") == 0) {
        answer_result(s, authority_descriptor(s->authority, body, len, where),
                      where, a);
    } else if (strcmp(path, "/v1/documents") == 0) {
        documents_handle(s, body, len, a);
    } else if (!body && strncmp(path, vote_path, sizeof vote_path - 1) == 0) {
        vote_handle(s, path + sizeof vote_path - 1, a);
    }
}

/* ---- life ---- */

static void
clock_tell(struct server *s)
{
    const bool sure = authority_is_sure(s->authority);
    if (sure == !s->unsure)
        return;
    s->unsure = !sure;
    log_write(&s->host.log, LOG_WARNING, "directory",
              sure ? "the clock is believed"
                   : "the clock contradicts the newest consensus: no epoch is "
                     "prepared until it has gone evenly for half an epoch");
}

/* Say once a minute that connections were refused for lack of descriptors. */
static void
files_tell(struct server *s)
{
    struct http_counts n;
    const uint64_t now_us = loop_now_us(s->host.loop);
    http_server_counts(s->http, &n);
    if (n.starved == s->starved || (s->starved_us && now_us < s->starved_us))
        return;
    log_write(&s->host.log, LOG_WARNING, "directory",
              "no descriptors are left: connections were refused; raise the "
              "limit ('ulimit -n', LimitNOFILE= in the systemd unit)");
    s->starved = n.starved;
    s->starved_us = now_us + MINUTE_US;
}

/* Tell the reason why an epoch has no consensus. */
static void
unmade_tell(struct server *s)
{
    struct authority_status st;
    authority_status(s->authority, &st);
    if (st.unmade == s->unmade)
        return;
    s->unmade = st.unmade;
    if (st.unmade == ERR_MISSING)
        log_write(
            &s->host.log, LOG_WARNING, "directory",
            "no consensus comes of the votes for epoch %u: the gateways, "
            "the stores, or a layer of the mixes would be without a relay; "
            "see who is let in, and who runs",
            st.target);
    else if (st.unmade)
        log_write(&s->host.log, LOG_WARNING, "directory",
                  "no consensus comes of the votes for epoch %u: %s", st.target,
                  st.unmade == ERR_THRESHOLD
                      ? "too few have come; see whether the other authorities "
                        "run, and reach this one"
                      : error_text(st.unmade));
    else
        log_write(&s->host.log, LOG_NOTICE, "directory",
                  "a consensus comes of the votes again");
}

static void
server_tick(void *ctx)
{
    struct server *s = ctx;
    clock_tell(s);
    gate_look(&s->gate);
    files_tell(s);
    unmade_tell(s);
    consensus_serve_again(s);
    authority_tick(s->authority);
}

static void
server_load(void *ctx, enum authority_output what, const uint8_t *bytes,
            size_t len)
{
    struct server *s = ctx;
    int err = authority_load(s->authority, what, bytes, len);
    if (!err && what == AUTHORITY_KEEP_CONSENSUS)
        consensus_serve(s, bytes, len);
    if (err && err != ERR_STALE && err != ERR_FUTURE && err != ERR_DUPLICATE &&
        what != AUTHORITY_KEEP_DESCRIPTOR)
        log_write(&s->host.log, LOG_WARNING, "directory",
                  "something that was kept is not used: %s", error_text(err));
}

/* Load the votes of an epoch that is prepared again. */
static int
server_recall(void *ctx, uint32_t epoch)
{
    struct server *s = ctx;
    return disk_votes(s->dir, epoch, server_load, s);
}

static int
authority_start(struct server *s)
{
    struct disk_keys k;
    const char *where;
    int err = renewal_read(&s->renewal, &s->host, s->dir, &k);
    if (err)
        return err;
    struct authority_config config = {
        .env = &s->host.env,
        .share_secret = {k.share_secret[0], k.share_secret[1]},
        .network = &s->network,
        .abstain = !disk_is_whole(s->dir),
        .admit = server_admits,
        .publish = server_publish,
        .recall = server_recall,
        .ctx = s};
    renewal_key(&config.key, &k);
    err = server_params(s->config, &s->network, &config.params, &where);
    if (err)
        log_write(&s->host.log, LOG_ERROR, "directory",
                  "%s does not go with the other parameters, or with the "
                  "network file's geometry",
                  where);
    else
        err = authority_new(&s->authority, &config);
    if (err == ERR_NOT_FOUND)
        log_write(&s->host.log, LOG_ERROR, "directory",
                  "the network file does not list this authority; "
                  "'brusio-directory init' prints its identity");
    if (!err && config.abstain) {
        log_write(&s->host.log, LOG_WARNING, "directory",
                  "there is no file 'state': what was voted before may be "
                  "lost, so this authority does not vote in the epoch that is "
                  "being prepared");
        err = disk_begin(s->dir);
    }
    disk_keys_free(&k);
    return err;
}

/* Confine the authority to its files. The identity's key may be a link to where
 * it is kept, decisions to where they are made. */
static int
server_confine(struct server *s)
{
    const struct confine c = {.module = "directory",
                              .conf = "directory.conf",
                              .dir = s->dir,
                              .file = {"authority.key", "decisions"},
                              .user = s->config->user,
                              .sandbox = s->config->sandbox,
                              .settled = true};
    char why[SOCKET_WHY_LEN];
    int err = http_server_new(&s->http, s->host.loop, s->config->listen,
                              EXCHANGE_POST_MAX, server_handle, s);
    if (err) {
        socket_listen_why(why, err);
        log_write(&s->host.log, LOG_ERROR, "directory",
                  "cannot listen on %s: %s", s->config->listen, why);
        return err;
    }
    http_server_classify(s->http, server_classify);
    return confine(&s->host.log, &c);
}

static void
names_tell(struct server *s, enum log_level level, const char *what,
           const char *names)
{
    if (names[0])
        log_write(&s->host.log, level, "directory", "%s: %s", what, names);
}

/* Take the new directory.conf at SIGHUP, or go on with the old one. */
static void
server_reload(void *ctx)
{
    struct server *s = ctx;
    struct server_config next = {0};
    char path[FILES_PATH_MAX], error[CONFIG_ERROR_LEN];
    char applied[SERVER_NAMES_LEN], restart[SERVER_NAMES_LEN];
    if (files_path(path, s->dir, "directory.conf"))
        return; /* by which it was started */
    if (config_read(server_options, server_options_len, path, &next, error)) {
        log_write(&s->host.log, LOG_ERROR, "directory",
                  "the old configuration stays: %s", error);
        return;
    }
    server_config_take(s->config, &next, applied, restart);
    config_free(server_options, server_options_len, &next);
    s->host.log.level = (enum log_level)s->config->log_level;
    const struct admission_config admission = admission_wanted(s);
    admission_configure(s->gate.admission, &admission);
    log_write(&s->host.log, LOG_NOTICE, "directory",
              "configuration read again%s",
              applied[0] || restart[0] ? "" : "; nothing has changed");
    names_tell(s, LOG_NOTICE, "in force now", applied);
    names_tell(s, LOG_WARNING, "only after a restart", restart);
}

static int
server_start(struct server *s, const char *dir, int ready_fd)
{
    char error[NETFILE_ERROR_LEN], open_why[READY_WHY_LEN];
    int err;
    if (snprintf(s->dir, sizeof s->dir, "%s", dir) >= (int)sizeof s->dir)
        return ERR_LONG;
    err = files_lock(dir, &s->lock);
    if (err) {
        log_write(&s->host.log, LOG_ERROR, "directory",
                  err == ERR_AGAIN ? "another authority runs in %s; end that "
                                     "first"
                                   : "%s cannot be opened and locked: %s",
                  dir, system_reason(err));
        return err;
    }
    if (access(dir, W_OK)) { /* what it signs it must know after a crash */
        err = files_error(errno);
        log_write(&s->host.log, LOG_ERROR, "directory",
                  "%s cannot be written: %s; mount its disk for writing, and "
                  "let the authority's user write there",
                  dir, system_reason(err));
        return err;
    }
    err = netfile_read_in(dir, s->config->network, &s->network, error);
    if (err) {
        log_write(&s->host.log, LOG_ERROR, "directory", "%s", error);
        return err;
    }
    ready_openness(dir, open_why);
    if (open_why[0])
        log_write(&s->host.log, LOG_WARNING, "directory", "%s", open_why);
    err = server_confine(s);
    if (!err)
        err = authority_start(s);
    if (err)
        return err;
    const struct exchange_config exchange = {
        .loop = s->host.loop,
        .network = &s->network,
        .self = authority_identity(s->authority),
        .document = document_came,
        .vote = vote_came,
        .consensus = consensus_came,
        .ctx = s};
    const struct admission_config admission = admission_wanted(s);
    err = callers_authorities(&s->callers, &s->network,
                              authority_identity(s->authority));
    if (!err)
        err = gate_open(&s->gate, &s->host, s->dir, s->authority, &admission);
    if (!err)
        err = exchange_new(&s->exchange, &exchange);
    if (err)
        return err;
    err = disk_each(s->dir, server_load, s);
    if (err) { /* it might vote or sign a second time */
        log_write(&s->host.log, LOG_ERROR, "directory", DISK_KEPT_TEXT, s->dir,
                  system_reason(err));
        return err;
    }
    err = renewal_start(&s->renewal, s->authority, s->network.epoch_len_s);
    if (!err)
        err = loop_signal_new(s->host.loop, SIGHUP, server_reload, s, &s->hup);
    if (err)
        return err;
    log_write(&s->host.log, LOG_NOTICE, "directory", "serving on %s",
              http_server_address(s->http));
    files_report(ready_fd, "http", http_server_address(s->http));
    return 0;
}

int
server_run(const char *dir, struct server_config *config, int ready_fd)
{
    struct server *s = calloc(1, sizeof *s);
    if (!s)
        return 1;
    s->config = config;
    s->lock = -1;
    signal(SIGHUP, SIG_IGN); /* until it is of use */
    int err = host_init(&s->host, server_tick, s);
    host_log(&s->host, "brusio-directory", (enum log_level)config->log_level);
    if (!err)
        err = host_stop_on_signals(&s->host, NULL, NULL);
    if (!err)
        err = server_start(s, dir, ready_fd);
    if (!err)
        err = loop_run(s->host.loop);
    if (err == ERR_NOMEM || err == ERR_SYSTEM || err == ERR_LONG)
        log_write(&s->host.log, LOG_ERROR, "directory", "cannot run in %s: %s",
                  dir, system_reason(err)); /* all else has been said */
    http_server_free(&s->http);
    exchange_free(&s->exchange);
    renewal_stop(&s->renewal);
    free(s->answer.bytes);
    served_clear(&s->served);
    callers_clear(&s->callers);
    gate_close(&s->gate);
    loop_signal_free(&s->hup);
    free(s->html.text);
    free(s->json.text);
    authority_free(&s->authority);
    host_free(&s->host);
    if (s->lock >= 0)
        close(s->lock);
    free(s);
    return err ? 1 : 0;
}
