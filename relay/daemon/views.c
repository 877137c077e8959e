/* relay/daemon/views.c - the consensuses a relay keeps: judged, taken up by the
 * workers, written down, found again by the next life. directory.c, which
 * brings them, stands above.
 *
 * State: struct relay_daemon's views, by epoch modulo DAEMON_VIEWS. Timer: the
 * daemon's, for what could not be told to clients at once. Failure modes: a
 * worker has no memory, or a store's letters cannot be opened (the consensus
 * before stays in use); the disk is full (the new one is taken up, and not
 * kept). */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/os/database.h"
#include "lib/secret.h"
#include "lib/wire.h"
#include "network/receive.h"
#include "relay/daemon/daemon.h"

enum { STORAGE_QUEUE = 4096 };

const struct daemon_view *
views_find(const struct relay_daemon *d, uint32_t epoch)
{
    const struct daemon_view *v = &d->view[epoch % DAEMON_VIEWS];
    return v->consensus && v->consensus->epoch == epoch ? v : NULL;
}

/* ---- storage ---- */

/* Open a store's letters, once it is known how long they are. */
static int
letters_open(struct relay_daemon *d, const struct consensus *c)
{
    const struct sphinx_geometry *g = &c->params.geometry;
    char path[FILES_PATH_MAX];
    if (settings_role(d->config) != ROLE_STORE)
        return 0;
    /* what is there already is of a time before that failed in the middle */
    int err = files_path(path, d->dir, "letters");
    if (!err && !d->letters)
        err = store_sqlite_new(&d->letters, path,
                               wire_letter_len(g->body_len, g->surb_len),
                               (uint64_t)d->config->disk_max << 20);
    if (!err && !d->storage)
        err = storage_new(&d->storage, STORAGE_QUEUE, store_sqlite_run,
                          d->letters);
    if (!err)
        err = workers_storage(d);
    if (err)
        log_write(&d->host.log, LOG_ERROR, "relay",
                  "%s: the letters cannot be opened: %s", path,
                  database_remedy(err));
    return err;
}

/* ---- taking up ---- */

static void
consensus_path(const struct relay_daemon *d, uint32_t epoch,
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

/* Give clients their copy, and let in whom the consensus names whatever
 * strangers do; what fails is tried again by views_step(). */
static void
consensus_tell(struct relay_daemon *d, const uint8_t *bytes, size_t len)
{
    const struct consensus *c = views_find(d, d->newest)->consensus;
    int err = net_favour(d->net, c);
    if (consensus_find(c, d->identity) >= 0) {
        int document = workers_document(d, c->epoch, bytes, len);
        err = err ? err : document;
    }
    if (err && !d->untold)
        log_write(&d->host.log, LOG_ERROR, "relay",
                  "epoch %u is not told to clients yet: %s", c->epoch,
                  error_text(err));
    d->untold = err != 0;
}

void
views_step(struct relay_daemon *d)
{
    char path[FILES_PATH_MAX];
    uint8_t *bytes;
    size_t len;
    if (!d->untold)
        return;
    consensus_path(d, d->newest, path);
    if (files_read(path, DOCUMENT_BODY_MAX * 2, &bytes, &len))
        return;
    consensus_tell(d, bytes, len);
    free(bytes);
}

/* Does the consensus name another packet key than this relay has for that
 * epoch? If so, somebody else described this identity: another machine, or a
 * later life than this folder knows of. */
static int
self_check(struct relay_daemon *d, const struct consensus *c,
           const uint8_t *seed)
{
    const int self = consensus_find(c, d->identity);
    uint8_t key[SPHINX_PUBLIC_MAX];
    if (self < 0 || c->epoch < d->newest)
        return 0;
    int err = sphinx_keypair(&d->network.geometry, key, seed);
    if (err)
        return err;
    const bool other = memcmp(key, c->relays[self].sphinx_key,
                              d->network.geometry.public_len) != 0;
    if (other && !d->doubled)
        log_write(
            &d->host.log, LOG_ERROR, "relay",
            "epoch %u names another packet key for this relay than it has: "
            "another machine runs with its identity, or its folder is an "
            "older copy; see 'brusio-relay status'",
            c->epoch);
    d->doubled = other;
    return 0;
}

static int
consensus_use(struct relay_daemon *d, struct consensus *c, const uint8_t *bytes,
              size_t len)
{
    uint8_t *seed = NULL;
    struct daemon_view *v = &d->view[c->epoch % DAEMON_VIEWS];
    const struct daemon_view *before = views_find(d, d->newest);
    struct daemon_view made = {c, workers_owners(d, before, c)};
    int err = made.owner ? letters_open(d, c) : ERR_NOMEM;
    if (!err)
        err = keys_seed(d->dir, c->epoch, &seed);
    if (!err)
        err = self_check(d, c, seed);
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
    if (c->epoch == d->newest)
        consensus_tell(d, bytes, len);
    if (err) /* it is without us, and still tells who is who */
        log_write(&d->host.log, LOG_NOTICE, "relay",
                  "epoch %u is without this relay", c->epoch);
    const int self = consensus_find(c, d->identity);
    if (self >= 0 && c->relays[self].out)
        log_write(&d->host.log, LOG_WARNING, "relay",
                  "epoch %u leaves this relay out, for what gets lost on its "
                  "links; see 'brusio-relay status'",
                  c->epoch);
    return 0;
}

int
views_take(struct relay_daemon *d, struct consensus *c, const uint8_t *bytes,
           size_t len)
{
    char path[FILES_PATH_MAX];
    uint32_t epoch = c->epoch;
    if (d->newest == 0) /* those that a wrong clock refused at the start */
        views_load(d);
    if (epoch <= d->newest) {
        consensus_free(&c);
        return ERR_STALE;
    }
    int err = consensus_use(d, c, bytes, len);
    if (err)
        return err;
    consensus_path(d, epoch, path);
    err = files_write(path, bytes, len);
    if (err)
        log_write(&d->host.log, LOG_WARNING, "relay", "%s cannot be kept: %s",
                  path, database_remedy(err));
    if (epoch > DAEMON_VIEWS) {
        consensus_path(d, epoch - DAEMON_VIEWS, path);
        unlink(path);
        err = keys_forget(d->dir, epoch - DAEMON_VIEWS + 1);
        if (err)
            log_write(&d->host.log, LOG_ERROR, "relay",
                      "keys of old epochs cannot be destroyed: %s; it is tried "
                      "again in the next",
                      error_text(err));
    }
    log_write(&d->host.log, LOG_NOTICE, "relay", "epoch %u: %zu relays", epoch,
              c->n_relays);
    return 0;
}

int
views_receive(struct relay_daemon *d, struct consensus **out,
              const uint8_t *bytes, size_t len)
{
    const struct receive_rules rules = {
        .network = d->network.name,
        .geometry = &d->network.geometry,
        .authorities = (const uint8_t(*)[SPHINX_ID_LEN])d->authorities,
        .n_authorities = d->network.n_authorities,
        .seen = &d->certificates};
    return receive_consensus(out, &rules, bytes, len, d->newest,
                             env_now_wall_s(&d->host.env));
}

uint64_t
views_past_s(struct relay_daemon *d, size_t need)
{
    const struct consensus *c[DAEMON_VIEWS];
    for (size_t i = 0; i < DAEMON_VIEWS; i++)
        c[i] = d->view[i].consensus;
    return consensus_past_s(c, DAEMON_VIEWS, need,
                            env_now_wall_s(&d->host.env));
}

void
views_load(struct relay_daemon *d)
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
        int err = views_receive(d, &c, bytes, len);
        if (!err)
            err = consensus_use(d, c, bytes, len);
        if (err)
            d->refused[-err]++;
        free(bytes);
    }
}

void
views_free(struct relay_daemon *d)
{
    for (size_t i = 0; i < DAEMON_VIEWS; i++)
        view_free(&d->view[i]);
}
