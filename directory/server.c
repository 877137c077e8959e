/* directory/server.c - the authority's edge.
 *
 *   GET  /v1/consensus    the newest consensus
 *   POST /v1/descriptor   from relays
 *   POST /v1/vote, /v1/signature   from the other authorities
 *   GET  /v1/status       counts, for the operator
 *
 * Files: authority.key, consensus (newest), vote (own, newest). Posts to the
 * other authorities are tried a few times; what stays undelivered is made good
 * by the rounds of the schedule. */
#include "directory/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory/authority.h"
#include "directory/document.h"
#include "directory/netfile.h"
#include "lib/codec.h"
#include "lib/files.h"
#include "lib/host.h"
#include "lib/http.h"
#include "lib/secret.h"

enum { POSTS_MAX = 256, TRIES = 3, STATUS_LEN = 4096 };

static const char *const level_names[] = {"error", "warning", "notice",
                                          "info",  "debug",   NULL};

const struct config_option server_options[] = {
    {.name = "listen",
     .type = CONFIG_STRING,
     .offset = offsetof(struct server_config, listen),
     .value = "127.0.0.1:7000",
     .min = 1,
     .max = 63,
     .help = "address and port of the HTTP server; port 0 takes any"},
    {.name = "network",
     .type = CONFIG_STRING,
     .offset = offsetof(struct server_config, network),
     .value = "network.json",
     .min = 1,
     .max = 400,
     .help = "the network file, from this directory"},
    {.name = "layers",
     .type = CONFIG_INTEGER,
     .offset = offsetof(struct server_config, layers),
     .value = "3",
     .min = 1,
     .max = 3,
     .help = "mix layers of the network"},
    {.name = "admit",
     .type = CONFIG_LIST,
     .offset = offsetof(struct server_config, admit),
     .value = "",
     .max = CONFIG_LIST_MAX,
     .help = "identities of relays that may take part; empty: all"},
    {.name = "log_level",
     .type = CONFIG_ENUM,
     .offset = offsetof(struct server_config, log_level),
     .value = "notice",
     .names = level_names,
     .help = "what is logged"},
};
const size_t server_options_len =
    sizeof server_options / sizeof server_options[0];

struct server;

struct post {
    struct server *server;
    struct http_request *request;
    size_t to;
    unsigned tries;
    const char *path;
    uint8_t *bytes;
    size_t len;
};

struct server {
    struct host host;
    const struct server_config *config;
    char dir[FILES_PATH_MAX / 2];
    struct network network;
    size_t self;
    struct authority *authority;
    struct http_server *http;
    struct post *post[POSTS_MAX];
    char status[STATUS_LEN];
    char reason[STATUS_LEN / 16];
};

static size_t status_write(struct server *s);
static void keep(struct server *s, const char *name, const uint8_t *bytes,
                 size_t len);

/* ---- posts to the others ---- */

static void post_done(void *ctx, int err, int status, const uint8_t *body,
                      size_t len);

static void
post_drop(struct post *p)
{
    for (size_t i = 0; i < POSTS_MAX; i++)
        if (p->server->post[i] == p)
            p->server->post[i] = NULL;
    http_cancel(&p->request);
    free(p->bytes);
    free(p);
}

static void
post_try(struct post *p)
{
    struct server *s = p->server;
    p->tries++;
    if (http_ask(&p->request, s->host.loop,
                 s->network.authorities[p->to].address, p->path, p->bytes,
                 p->len, 4096, post_done, p))
        post_drop(p);
}

static void
post_done(void *ctx, int err, int status, const uint8_t *body, size_t len)
{
    struct post *p = ctx;
    (void)body;
    (void)len;
    p->request = NULL;
    if ((err || status >= 500) && p->tries < TRIES)
        post_try(p);
    else
        post_drop(p);
}

static void
post_all(struct server *s, const char *path, const uint8_t *bytes, size_t len)
{
    for (size_t to = 0; to < s->network.n_authorities; to++) {
        size_t i = 0;
        while (i < POSTS_MAX && s->post[i])
            i++;
        if (to == s->self || i == POSTS_MAX)
            continue;
        struct post *p = calloc(1, sizeof *p);
        uint8_t *copy = malloc(len);
        if (!p || !copy) {
            free(p);
            free(copy);
            return;
        }
        memcpy(copy, bytes, len);
        *p = (struct post){
            .server = s, .to = to, .path = path, .bytes = copy, .len = len};
        s->post[i] = p;
        post_try(p);
    }
}

/* ---- the authority's side ---- */

static void
keep(struct server *s, const char *name, const uint8_t *bytes, size_t len)
{
    char path[FILES_PATH_MAX];
    int err = files_path(path, s->dir, name);
    if (!err)
        err = files_write(path, bytes, len);
    if (err)
        log_write(&s->host.log, LOG_ERROR, "directory",
                  "cannot write %s: %s; is the disk full?", name,
                  error_text(err));
}

static void
published(void *ctx, enum authority_output what, uint32_t epoch,
          const uint8_t *bytes, size_t len)
{
    struct server *s = ctx;
    switch (what) {
    case AUTHORITY_VOTE:
        keep(s, "vote", bytes, len);
        post_all(s, "/v1/vote", bytes, len);
        break;
    case AUTHORITY_PASS:
        post_all(s, "/v1/vote", bytes, len);
        break;
    case AUTHORITY_SIGNATURE:
        post_all(s, "/v1/signature", bytes, len);
        break;
    default:
        keep(s, "consensus", bytes, len);
        log_write(&s->host.log, LOG_NOTICE, "directory",
                  "consensus of epoch %u published", epoch);
    }
    size_t n = status_write(s);
    keep(s, "status", (const uint8_t *)s->status, n);
}

static bool
admitted(void *ctx, const struct descriptor *d)
{
    const struct server *s = ctx;
    char hex[2 * SPHINX_ID_LEN + 1];
    if (s->config->admit.n == 0)
        return true;
    codec_hex(hex, d->relay.identity, SPHINX_ID_LEN);
    for (size_t i = 0; i < s->config->admit.n; i++)
        if (strcmp(s->config->admit.item[i], hex) == 0)
            return true;
    return false;
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
    a->status = err == 0 || err == ERR_AGAIN ? 200 : 400;
    int n = err == ERR_AGAIN
                ? snprintf(s->reason, sizeof s->reason,
                           "taken, too late for the epoch being prepared\n")
            : where[0] ? snprintf(s->reason, sizeof s->reason, "%s: %s\n",
                                  where, error_text(err))
                       : snprintf(s->reason, sizeof s->reason, "%s\n",
                                  err ? error_text(err) : "taken");
    a->body = (const uint8_t *)s->reason;
    a->len = (size_t)n;
}

static void
handle(void *ctx, const char *path, const uint8_t *body, size_t len,
       struct http_answer *a)
{
    struct server *s = ctx;
    char where[JSON_WHERE_LEN] = "";
    uint32_t epoch;
    if (!body && strcmp(path, "/v1/consensus") == 0) {
        a->body = authority_consensus(s->authority, &epoch, &a->len);
        a->status = a->body ? 200 : 404;
        a->type = "application/octet-stream";
    } else if (!body && strcmp(path, "/v1/status") == 0) {
        a->len = status_write(s);
        a->body = (const uint8_t *)s->status;
        a->status = 200;
    } else if (body && strcmp(path, "/v1/descriptor") == 0) {
        answer_result(s, authority_descriptor(s->authority, body, len, where),
                      where, a);
    } else if (body && strcmp(path, "/v1/vote") == 0) {
        answer_result(s, authority_vote(s->authority, body, len), "", a);
    } else if (body && strcmp(path, "/v1/signature") == 0) {
        answer_result(s, authority_signature(s->authority, body, len), "", a);
    }
}

/* ---- life ---- */

static void
server_tick(void *ctx)
{
    authority_tick(((struct server *)ctx)->authority);
}

static void
load(struct server *s, enum authority_output what, const char *name)
{
    char path[FILES_PATH_MAX];
    uint8_t *bytes;
    size_t len;
    if (files_path(path, s->dir, name) ||
        files_read(path, DOCUMENT_BODY_MAX * 2, &bytes, &len))
        return;
    int err = authority_load(s->authority, what, bytes, len);
    if (err && err != ERR_STALE)
        log_write(&s->host.log, LOG_WARNING, "directory", "%s is not used: %s",
                  name, error_text(err));
    free(bytes);
}

static int
authority_start(struct server *s)
{
    char path[FILES_PATH_MAX];
    uint8_t *seed;
    int err = files_path(path, s->dir, "authority.key");
    if (!err)
        err = files_key(path, &seed);
    if (err)
        return err;
    struct authority_config config = {.env = &s->host.env,
                                      .seed = seed,
                                      .network = &s->network,
                                      .admit = admitted,
                                      .publish = published,
                                      .ctx = s};
    params_default(&config.params, s->network.epoch_len_s);
    config.params.layers = (uint8_t)s->config->layers;
    config.params.geometry = s->network.geometry;
    err = authority_new(&s->authority, &config);
    for (size_t i = 0; !err && i < s->network.n_authorities; i++)
        if (memcmp(s->network.authorities[i].identity,
                   authority_identity(s->authority), SPHINX_ID_LEN) == 0)
            s->self = i;
    secret_free((void **)&seed);
    if (err == ERR_NOT_FOUND)
        log_write(&s->host.log, LOG_ERROR, "directory",
                  "the network file does not list this authority; "
                  "'brusio-directory init' prints its identity");
    return err;
}

static int
server_start(struct server *s, const char *dir, int ready_fd)
{
    char error[NETFILE_ERROR_LEN];
    int err;
    if (snprintf(s->dir, sizeof s->dir, "%s", dir) >= (int)sizeof s->dir)
        return ERR_LONG;
    err = netfile_read_in(dir, s->config->network, &s->network, error);
    if (err) {
        log_write(&s->host.log, LOG_ERROR, "directory", "%s", error);
        return err;
    }
    err = authority_start(s);
    if (err)
        return err;
    load(s, AUTHORITY_CONSENSUS, "consensus");
    load(s, AUTHORITY_VOTE, "vote");
    err = http_server_new(&s->http, s->host.loop, s->config->listen,
                          DOCUMENT_BODY_MAX, handle, s);
    if (err) {
        log_write(&s->host.log, LOG_ERROR, "directory",
                  "cannot listen on %s: %s", s->config->listen,
                  error_text(err));
        return err;
    }
    log_write(&s->host.log, LOG_NOTICE, "directory", "serving on %s",
              http_server_address(s->http));
    files_report(ready_fd, "http", http_server_address(s->http));
    return 0;
}

int
server_run(const char *dir, const struct server_config *config, int ready_fd)
{
    struct server *s = calloc(1, sizeof *s);
    if (!s)
        return 1;
    s->config = config;
    int err = host_init(&s->host, server_tick, s);
    if (!err) {
        host_log(&s->host, "brusio-directory",
                 (enum log_level)config->log_level);
        err = host_stop_on_signals(&s->host, NULL, NULL);
    }
    if (!err)
        err = server_start(s, dir, ready_fd);
    if (!err)
        err = loop_run(s->host.loop);
    for (size_t i = 0; i < POSTS_MAX; i++)
        if (s->post[i])
            post_drop(s->post[i]);
    http_server_free(&s->http);
    authority_free(&s->authority);
    host_free(&s->host);
    free(s);
    return err ? 1 : 0;
}
