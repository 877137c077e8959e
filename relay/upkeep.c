/* relay/upkeep.c - what a relay does with the authorities.
 *
 * Consensus: asked of one authority after the other, from 5 % of an epoch
 * before it is needed until it is there. Descriptor: posted to all of them for
 * the next epoch whose votes are still to come, until each has taken it. Both
 * are stepped by the daemon's timer, several times a second; at most one
 * request of each kind is under way with an authority.
 *
 * Failure modes: no authority answers (the consensuses at hand stay usable for
 * EPOCHS_USABLE epochs); a bad answer (counted, the next one is asked). */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory/descriptor.h"
#include "directory/receive.h"
#include "lib/secret.h"
#include "relay/daemon.h"

struct upload {
    struct upkeep *upkeep;
    size_t to;
    struct http_request *request;
    uint32_t epoch, asked; /* taken, and under way, for this epoch */
    uint64_t retry_us;
    char refusal[UPKEEP_TEXT_LEN]; /* what it said; "": nothing */
};

struct upkeep {
    struct daemon *daemon;
    struct http_request *fetch;
    size_t next_authority;
    uint64_t fetch_us;             /* not before */
    int fetch_err;                 /* why the last one was not used */
    bool reached[AUTHORITIES_MAX]; /* answered the last request */
    uint32_t first;                /* epoch a descriptor was taken for */
    struct upload upload[AUTHORITIES_MAX];
    uint32_t descriptor_epoch;
    uint8_t *descriptor;
    size_t descriptor_len;
};

static uint64_t
retry_us(const struct daemon *d)
{
    uint64_t us = (uint64_t)d->network.epoch_len_s * 1000000 / 60;
    return us < 250000 ? 250000 : us;
}

/* ---- consensus ---- */

static void
fetch_done(void *ctx, int err, int status, const uint8_t *body, size_t len)
{
    struct upkeep *u = ctx;
    struct daemon *d = u->daemon;
    struct consensus *c;
    u->fetch = NULL;
    u->fetch_us = loop_now_us(d->host.loop) + retry_us(d);
    u->reached[(u->next_authority - 1) % d->network.n_authorities] = !err;
    if (err || status != 200)
        return;
    err = daemon_receive(d, &c, body, len);
    if (!err)
        err = daemon_consensus(d, c, body, len);
    u->fetch_err = err == ERR_STALE ? 0 : err;
    if (err && err != ERR_STALE) {
        d->refused[-err]++;
        log_write(&d->host.log, LOG_WARNING, "relay",
                  "a consensus is not used: %s", error_text(err));
    }
}

/* Is the next consensus due to have been published? */
static bool
fetch_is_due(struct daemon *d)
{
    const struct daemon_view *v = daemon_view_of(d, d->newest);
    if (!v)
        return true;
    uint64_t next_s = v->consensus->valid_after_s + d->network.epoch_len_s;
    uint64_t early_s = d->network.epoch_len_s / 20 + 1;
    return env_now_wall_s(&d->host.env) + early_s >= next_s;
}

static void
fetch_step(struct upkeep *u)
{
    struct daemon *d = u->daemon;
    if (u->fetch || loop_now_us(d->host.loop) < u->fetch_us || !fetch_is_due(d))
        return;
    size_t i = u->next_authority++ % d->network.n_authorities;
    u->fetch_us = loop_now_us(d->host.loop) + retry_us(d);
    int err = http_ask(&u->fetch, d->host.loop,
                       d->network.authorities[i].address, "/v1/consensus", NULL,
                       0, (size_t)DOCUMENT_BODY_MAX + 65536, fetch_done, u);
    if (err)
        d->refused[-err]++;
}

/* ---- descriptor ---- */

/* The first epoch whose votes are still to come. */
static uint32_t
epoch_open(struct daemon *d)
{
    uint64_t now_s = env_now_wall_s(&d->host.env);
    uint64_t len = d->network.epoch_len_s, genesis = d->network.genesis_s;
    uint64_t close_s = len * 15 / 100 + 1;
    if (now_s + close_s < genesis)
        return 1;
    return (uint32_t)((now_s + close_s - genesis) / len) + 2;
}

/* Own loops that have to have ended before their losses are told. */
enum { LOOPS_TELL = 100 };

static int
descriptor_make(struct upkeep *u, uint32_t epoch)
{
    struct daemon *d = u->daemon;
    const struct sphinx_geometry *g = &d->network.geometry;
    struct descriptor x = {.epoch = epoch, .n_keys = KEYS_AHEAD};
    struct relay_entry *r = &x.relay;
    const struct relay_stats *s = relay_stats(d->relay);
    const uint64_t ended = s->loops_returned + s->loops_lost;
    x.alarms = relay_alarm(d->relay)->alarms;
    if (ended >= LOOPS_TELL)
        x.loops_lost_permille = (uint16_t)(s->loops_lost * 100 / ended * 10);
    int err = 0;
    memcpy(x.network, d->network.name, sizeof x.network);
    memcpy(r->identity, d->identity, sizeof r->identity);
    r->role = (uint8_t)(ROLE_GATEWAY + d->config->role);
    r->protocol_min = r->protocol_max = 1;
    r->bandwidth = (uint32_t)d->config->bandwidth;
    if (d->config->family[0])
        crypto_generichash(r->family, sizeof r->family,
                           (const uint8_t *)d->config->family,
                           strlen(d->config->family), NULL, 0);
    for (size_t i = 0; i < d->config->addresses.n && i < ADDRESSES_MAX; i++)
        snprintf(r->addresses[r->n_addresses++], ADDRESS_MAX, "%s",
                 d->config->addresses.item[i]);
    if (r->n_addresses == 0)
        snprintf(r->addresses[r->n_addresses++], ADDRESS_MAX, "%s",
                 net_address(d->net));
    for (uint32_t i = 0; i < KEYS_AHEAD && !err; i++) {
        uint8_t *seed = NULL;
        err = keys_seed(d->dir, epoch + i, &seed);
        if (!err)
            err = sphinx_keypair(g, x.keys[i], seed);
        secret_free((void **)&seed);
    }
    if (err)
        return err;
    free(u->descriptor);
    u->descriptor = NULL;
    err = descriptor_sign(&x, g->public_len, d->identity_seed, &u->descriptor,
                          &u->descriptor_len);
    u->descriptor_epoch = err ? 0 : epoch;
    return err;
}

/* What an authority said, with nothing in it that a terminal would obey or
 * that tells a machine apart. */
static void
text_keep(char out[static UPKEEP_TEXT_LEN], const uint8_t *text, size_t len)
{
    char plain[UPKEEP_TEXT_LEN];
    size_t n = 0;
    for (; n < len && n + 1 < sizeof plain && text[n] != '\n'; n++)
        plain[n] = text[n] >= ' ' && text[n] < 127 ? (char)text[n] : '?';
    plain[n] = 0;
    log_scrub(out, UPKEEP_TEXT_LEN, n ? plain : "without a word");
}

static void
upload_done(void *ctx, int err, int status, const uint8_t *body, size_t len)
{
    struct upload *p = ctx;
    struct daemon *d = p->upkeep->daemon;
    p->request = NULL;
    p->upkeep->reached[p->to] = !err;
    if (!err && status == 200) {
        p->epoch = p->asked;
        p->refusal[0] = 0;
        if (p->upkeep->first == 0)
            p->upkeep->first = p->asked;
        return;
    }
    if (!err)
        text_keep(p->refusal, body, len);
    p->retry_us = loop_now_us(d->host.loop) + retry_us(d);
    if (!err)
        log_write(&d->host.log, LOG_WARNING, "relay",
                  "an authority refuses the descriptor: %.*s",
                  (int)(len < 100 ? len : 100), (const char *)body);
}

static void
upload_step(struct upkeep *u, size_t to)
{
    struct daemon *d = u->daemon;
    struct upload *p = &u->upload[to];
    if (p->request || p->epoch == u->descriptor_epoch ||
        loop_now_us(d->host.loop) < p->retry_us)
        return;
    p->asked = u->descriptor_epoch;
    p->retry_us = loop_now_us(d->host.loop) + retry_us(d);
    int err = http_ask(&p->request, d->host.loop,
                       d->network.authorities[to].address, "/v1/descriptor",
                       u->descriptor, u->descriptor_len, 4096, upload_done, p);
    if (err)
        d->refused[-err]++;
}

void
upkeep_step(struct upkeep *u)
{
    struct daemon *d = u->daemon;
    uint32_t epoch = epoch_open(d);
    if (epoch != u->descriptor_epoch) {
        int err = descriptor_make(u, epoch);
        if (err)
            log_write(&d->host.log, LOG_ERROR, "relay",
                      "no descriptor can be made: %s", error_text(err));
    }
    for (size_t i = 0; u->descriptor && i < d->network.n_authorities; i++)
        upload_step(u, i);
    fetch_step(u);
}

void
upkeep_status(const struct upkeep *u, struct upkeep_status *out)
{
    *out = (struct upkeep_status){.descriptor_epoch = u->descriptor_epoch,
                                  .descriptor_first = u->first,
                                  .descriptor_refusal = "",
                                  .fetch_err = u->fetch_err};
    for (size_t i = 0; i < u->daemon->network.n_authorities; i++) {
        out->reached += u->reached[i];
        out->descriptor_taken += u->descriptor_epoch != 0 &&
                                 u->upload[i].epoch == u->descriptor_epoch;
        if (u->upload[i].refusal[0])
            out->descriptor_refusal = u->upload[i].refusal;
    }
}

int
upkeep_new(struct upkeep **out, struct daemon *d)
{
    struct upkeep *u = calloc(1, sizeof *u);
    *out = u;
    if (!u)
        return ERR_NOMEM;
    u->daemon = d;
    for (size_t i = 0; i < AUTHORITIES_MAX; i++)
        u->upload[i] = (struct upload){.upkeep = u, .to = i};
    return 0;
}

void
upkeep_free(struct upkeep **up)
{
    struct upkeep *u = *up;
    *up = NULL;
    if (!u)
        return;
    http_cancel(&u->fetch);
    for (size_t i = 0; i < AUTHORITIES_MAX; i++)
        http_cancel(&u->upload[i].request);
    free(u->descriptor);
    free(u);
}
