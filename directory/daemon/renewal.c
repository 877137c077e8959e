/* directory/daemon/renewal.c - see renewal.h. Timer: an eighth of an epoch.
 * Failure modes: keys that cannot be read or made (logged; the authority goes
 * on with those it has, and tries again a day later). */
#include "directory/daemon/renewal.h"

#include <string.h>

enum { LOOKS_PER_EPOCH = 8 };
static const uint64_t day_us = 86400000000;

const char *
renewal_why(const struct disk_keys *k, int err)
{
    return k->why[0] ? k->why
           : err == ERR_MISSING
               ? "there is no certificate that can be read; 'brusio-directory "
                 "request' begins to get one"
           : err == ERR_PEER
               ? "the certificate is for other keys than those here; restore "
                 "working.key, or begin with 'brusio-directory request'"
               : error_text(err);
}

static int
keys_complain(struct renewal *r, const struct disk_keys *k, int err)
{
    log_write(&r->host->log, LOG_ERROR, "directory", "%s%s%s",
              k->why[0] ? "" : r->dir, k->why[0] ? "" : ": ",
              renewal_why(k, err));
    return err;
}

int
renewal_read(struct renewal *r, struct host *host, const char *dir,
             struct disk_keys *k)
{
    r->host = host;
    r->dir = dir;
    int err = disk_keys(k, dir, env_now_wall_s(&host->env), DISK_KEEP);
    if (err)
        return keys_complain(r, k, err);
    r->cert = k->cert;
    return 0;
}

void
renewal_key(struct document_key *key, const struct disk_keys *k)
{
    *key = (struct document_key){.seed = k->seed, .cert = &k->cert};
    memcpy(key->identity, k->identity, sizeof key->identity);
}

static void
certificate_tell(struct renewal *r, uint64_t now_s)
{
    const uint64_t until_s = r->cert.until_s;
    if (until_s < now_s)
        log_write(&r->host->log, LOG_ERROR, "directory",
                  "the certificate has run out; 'brusio-directory request' "
                  "begins to get another");
    else if (authority_is_revoked(r->authority))
        log_write(
            &r->host->log, LOG_ERROR, "directory",
            "a newer certificate of this authority revokes the keys here, "
            "so nothing that it signs counts; 'brusio-directory install' "
            "the newer one, or begin with 'brusio-directory request'");
    else if (r->due)
        log_write(&r->host->log, LOG_WARNING, "directory",
                  "the certificate runs out in %u days; 'brusio-directory "
                  "request' begins to get another",
                  (unsigned)((until_s - now_s) / 86400));
}

static void
keys_look(void *ctx)
{
    struct renewal *r = ctx;
    struct disk_keys k;
    const uint64_t now_s = env_now_wall_s(&r->host->env),
                   now_us = loop_now_us(r->host->loop);
    const bool revoked = authority_is_revoked(r->authority),
               due = revoked || disk_is_due(&r->cert, now_s);
    loop_timer_at(r->timer, now_us + r->every_us);
    r->due &= due;
    if (!authority_is_sure(r->authority) ||
        (now_us < r->again_us && (!due || r->due)))
        return;
    r->again_us = now_us + day_us;
    r->due = due;
    int err = disk_keys(&k, r->dir, now_s, revoked ? DISK_NOW : DISK_WHEN_DUE);
    if (!err) {
        r->cert = k.cert;
        struct document_key key;
        renewal_key(&key, &k);
        err = authority_rekey(r->authority, &key,
                              (const uint8_t *const *)k.share_secret);
        r->due =
            disk_is_due(&r->cert, now_s) || authority_is_revoked(r->authority);
        certificate_tell(r, now_s);
    }
    if (err)
        (void)keys_complain(r, &k, err);
    disk_keys_free(&k);
}

int
renewal_start(struct renewal *r, struct authority *authority,
              uint32_t epoch_len_s)
{
    r->authority = authority;
    r->every_us = (uint64_t)epoch_len_s * 1000000 / LOOKS_PER_EPOCH;
    int err = loop_timer_new(r->host->loop, keys_look, r, &r->timer);
    if (!err)
        keys_look(r);
    return err;
}

void
renewal_stop(struct renewal *r)
{
    loop_timer_free(&r->timer);
}
