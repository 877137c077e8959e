/* relay/daemon/directory.c - what a relay does with the authorities.
 *
 * Consensus: asked of one authority after the other, from 5 % of an epoch
 * before it is needed until it is there; as a diff from the one before, if
 * there is one. When each was asked and none gave it, of one gateway after the
 * other, drawn at random (borrow.h): what an authority answers instead, and
 * whether it answers, is one's word. Descriptor: posted to all of them for
 * the next epoch whose votes are still to come, until each has taken it; with
 * the addresses at which the relay has reached itself (reach.h). Both
 * are stepped by the daemon's timer, several times a second; at most one
 * request of each kind is under way with an authority.
 *
 * Failure modes: no authority answers (the consensuses at hand stay usable for
 * EPOCHS_USABLE epochs); a bad answer (counted, the next one is asked). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/codec.h"
#include "lib/os/http/http.h"
#include "lib/os/system.h"
#include "lib/pack.h"
#include "network/diff.h"
#include "network/fetch.h"
#include "network/receive.h"
#include "network/schedule.h"
#include "relay/daemon/borrow.h"
#include "relay/daemon/daemon.h"
#include "relay/daemon/describe.h"
#include "relay/daemon/reach.h"

enum { PATH_LEN = 96 };

struct upload {
    struct directory *directory;
    size_t to;
    struct http_request *request;
    uint32_t epoch, asked; /* taken, and under way, for this epoch */
    uint64_t retry_us;
    char refusal[DIRECTORY_TEXT_LEN]; /* what it said; "": nothing */
    struct log_limit said;
};

struct directory {
    struct relay_daemon *daemon;
    struct http_request *fetch;
    size_t next_authority;
    uint64_t fetch_us; /* not before */
    uint32_t asked;    /* a diff from this epoch's; 0: the whole */
    bool whole;        /* no diff next time */
    size_t fruitless;  /* requests, the last so many */
    struct borrow *borrow;
    uint64_t borrow_us;            /* not before */
    int fetch_err;                 /* why the last one was not used */
    bool reached[AUTHORITIES_MAX]; /* answered the last request */
    uint32_t first;                /* epoch a descriptor was taken for */
    struct upload upload[AUTHORITIES_MAX];
    struct reach reach;
    struct link *probe;
    int probing; /* the address under test, or REACH_NONE */
    struct describe describe;
    int address_err;  /* why none is published, which was said */
    int describe_err; /* why there is none, which was said */
    uint32_t descriptor_epoch;
    uint64_t hibernates_until_s; /* in it */
    uint64_t renew_ms; /* made anew then, by the wall clock; 0: it was */
    uint8_t *descriptor;
    size_t descriptor_len;
};

static uint64_t
retry_us(const struct relay_daemon *d)
{
    uint64_t us = (uint64_t)d->network.epoch_len_s * 1000000 / 60;
    return us < 250000 ? 250000 : us;
}

/* ---- consensus ---- */

/* Unpack what was fetched: the whole document or a diff, compressed. */
static int
document_unpack(struct directory *u, const uint8_t *body, size_t len,
                uint8_t **out, size_t *out_len)
{
    uint8_t *plain;
    size_t plain_len;
    const struct daemon_view *v = views_find(u->daemon, u->asked);
    int err = pack_inflate(body, len, FETCH_DOCUMENT_MAX, &plain, &plain_len);
    if (err || u->asked == 0) {
        *out = err ? NULL : plain;
        *out_len = plain_len;
        return err;
    }
    err = v ? diff_apply(v->consensus, plain, plain_len, out, out_len)
            : ERR_STALE;
    free(plain);
    return err;
}

/* Take up what was fetched, unless err says that nothing was. Returns why it
 * was not used. */
static int
document_use(struct directory *u, int err, const uint8_t *document, size_t len)
{
    struct relay_daemon *d = u->daemon;
    struct consensus *c;
    if (!err)
        err = views_receive(d, &c, document, len);
    if (!err)
        err = views_take(d, c, document, len);
    if (!err)
        u->fruitless = 0;
    u->fetch_err = err == ERR_STALE ? 0 : err;
    if (err && err != ERR_STALE) {
        d->refused[-err]++;
        log_write(&d->host.log, LOG_WARNING, "relay",
                  "a consensus is not used: %s", error_text(err));
    }
    return err;
}

static void
fetch_done(void *ctx, int err, int status, const uint8_t *body, size_t len)
{
    struct directory *u = ctx;
    struct relay_daemon *d = u->daemon;
    u->fetch = NULL;
    u->fruitless++; /* until it is used */
    u->fetch_us = loop_now_us(d->host.loop) + retry_us(d);
    u->reached[(u->next_authority - 1) % d->network.n_authorities] = !err;
    if (err || status != 200) {
        u->whole = u->whole || (!err && status == 404); /* no such diff */
        return;
    }
    uint8_t *document = NULL;
    err = document_unpack(u, body, len, &document, &len);
    err = document_use(u, err, document, len);
    free(document);
    /* a diff that leads nowhere: the whole of it next time */
    u->whole = err != 0 && err != ERR_STALE;
}

/* Is the next consensus due to have been published? */
static bool
fetch_is_due(struct relay_daemon *d)
{
    const struct daemon_view *v = views_find(d, d->newest);
    if (!v)
        return true;
    uint64_t next_s = v->consensus->valid_after_s + d->network.epoch_len_s;
    uint64_t early_s = d->network.epoch_len_s / 20 + 1;
    return env_now_wall_s(&d->host.env) + early_s >= next_s;
}

static void
fetch_step(struct directory *u)
{
    struct relay_daemon *d = u->daemon;
    if (u->fetch || loop_now_us(d->host.loop) < u->fetch_us || !fetch_is_due(d))
        return;
    size_t i = u->next_authority++ % d->network.n_authorities;
    u->fetch_us = loop_now_us(d->host.loop) + retry_us(d);
    char path[PATH_LEN] = "/v1/consensus.z";
    const struct daemon_view *v = views_find(d, d->newest);
    u->asked = v && !u->whole ? d->newest : 0;
    if (u->asked) {
        char hex[2 * SPHINX_DIGEST_LEN + 1];
        codec_hex(hex, v->consensus->digest, SPHINX_DIGEST_LEN);
        snprintf(path, sizeof path, "/v1/diff/%s.z", hex);
    }
    int err =
        http_ask(&u->fetch, d->host.loop, d->network.authorities[i].address,
                 path, NULL, 0, FETCH_DOCUMENT_MAX, fetch_done, u);
    if (!err) { /* the others want their turn, whatever this one does */
        http_within(u->fetch, http_turn_s(d->network.epoch_len_s));
        return;
    }
    u->fruitless++;
    d->refused[-err]++;
}

/* ---- a consensus from a gateway ---- */

static void
borrow_done(void *ctx, int err, const uint8_t *document, size_t len)
{
    struct directory *u = ctx;
    if (document)
        (void)!document_use(u, err, document, len);
    else if (err != ERR_STALE)
        u->daemon->refused[-err]++;
}

/* Draw a gateway other than this relay, and one of its addresses: of the newest
 * consensus, or of the network file when there is none. Returns the address,
 * and the identity; NULL when there is no gateway. */
static const char *
gateway_draw(struct relay_daemon *d, const uint8_t **identity)
{
    const struct daemon_view *v = views_find(d, d->newest);
    size_t n = d->network.n_gateways;
    const uint16_t *row = v ? consensus_layer(v->consensus, 0, &n) : NULL;
    uint32_t random[2];
    if (n == 0)
        return NULL;
    env_random_crypto(&d->host.env, random, sizeof random);
    const size_t i = random[0] % n;
    const struct relay_entry *e = v ? &v->consensus->relays[row[i]] : NULL;
    const char *address = e ? e->addresses[random[1] % e->n_addresses]
                            : d->network.gateways[i].address;
    *identity = e ? e->identity : d->network.gateways[i].identity;
    return memcmp(*identity, d->identity, SPHINX_ID_LEN) == 0 ? NULL : address;
}

static void
borrow_try(struct directory *u)
{
    struct relay_daemon *d = u->daemon;
    const uint8_t *identity;
    borrow_step(u->borrow);
    if (borrow_is_under_way(u->borrow) ||
        u->fruitless < d->network.n_authorities ||
        loop_now_us(d->host.loop) < u->borrow_us || !fetch_is_due(d))
        return;
    u->borrow_us = loop_now_us(d->host.loop) + retry_us(d);
    const char *address = gateway_draw(d, &identity);
    int err =
        address ? borrow_start(u->borrow, address, identity, d->newest) : 0;
    if (err)
        d->refused[-err]++;
}

/* ---- reachability ---- */

static void
probe_over(struct directory *u, int err)
{
    struct relay_daemon *d = u->daemon;
    const size_t i = (size_t)u->probing;
    const bool was = u->reach.at[i].reached, first = !u->reach.at[i].tested;
    const uint64_t again_us = (uint64_t)d->network.epoch_len_s * 1000000;
    u->probing = REACH_NONE;
    link_free(&u->probe);
    const int why = err == ERR_SYSTEM ? system_number() : err;
    reach_result(&u->reach, i, why, loop_now_us(d->host.loop), again_us);
    if (u->reach.at[i].reached && !was)
        log_write(&d->host.log, LOG_INFO, "relay", "%s is reached",
                  u->reach.at[i].address);
    else if (!u->reach.at[i].reached && (was || first))
        log_write(&d->host.log, LOG_WARNING, "relay",
                  "%s is not reached: %s; it is not published",
                  u->reach.at[i].address, system_reason(why));
}

static void
probe_up(void *ctx, struct link *l, const uint8_t *peer)
{
    (void)l;
    (void)peer; /* its own key: the link was pinned */
    probe_over(ctx, 0);
}

/* Never called: the other end is this relay, which says nothing to itself. */
static void
probe_frames(void *ctx, struct link *l, uint8_t *frames, size_t n)
{
    (void)ctx;
    (void)l;
    (void)frames;
    (void)n;
}

static void
probe_down(void *ctx, struct link *l, int err)
{
    (void)l;
    probe_over(ctx, err);
}

static const struct link_ops probe_ops = {probe_up, probe_frames, probe_down};

/* Look where the relay would be reached now, since its machine may have got
 * another address. */
static void
addresses_look(struct directory *u)
{
    struct relay_daemon *d = u->daemon;
    struct describe *x = &u->describe;
    char why[DESCRIBE_WHY_LEN];
    x->config = d->config;
    describe_addresses(x, net_address(d->net));
    const int err = describe_judge(x, why);
    if (err)
        x->n_addresses = 0;
    if (err && err != u->address_err)
        log_write(&d->host.log, LOG_WARNING, "relay",
                  "no address is published: %s", why);
    u->address_err = err;
}

static void
reach_step(struct directory *u)
{
    struct relay_daemon *d = u->daemon;
    struct describe *x = &u->describe;
    const uint64_t now_us = loop_now_us(d->host.loop);
    if (u->probe || d->quota.state == QUOTA_SPENT)
        return;
    addresses_look(u);
    reach_set(&u->reach, x->addresses, x->n_addresses);
    u->probing = reach_next(&u->reach, now_us);
    if (u->probing == REACH_NONE)
        return;
    int err = net_probe(d->net, &u->probe, u->reach.at[u->probing].address,
                        &probe_ops, u);
    if (err == ERR_NOMEM || system_is_short(err))
        u->probing = REACH_NONE; /* that says nothing of the address */
    else if (err)
        probe_over(u, err);
}

/* ---- descriptor ---- */

/* Tell when the descriptor for `epoch` is made anew, Unix time in ms: shortly
 * before the votes, so that what it says of links is fresh. Relays do so one
 * after the other, over a fortieth of an epoch. */
static uint64_t
descriptor_renew_ms(const struct relay_daemon *d, uint32_t epoch)
{
    const struct network *n = &d->network;
    const struct schedule s = {n->genesis_s, n->epoch_len_s, n->n_authorities};
    const uint64_t fortieth_ms = n->epoch_len_s * 1000ULL / 40;
    return schedule_ms(&s, epoch, SCHEDULE_VOTE) - fortieth_ms -
           fortieth_ms * (d->identity[SPHINX_ID_LEN - 1] + 1u) / 256;
}

static int
descriptor_make(struct directory *u, uint32_t epoch)
{
    struct relay_daemon *d = u->daemon;
    struct describe *x = &u->describe;
    const int told = relay_links_tell(d->relay, x->links);
    if (told < 0)
        return told;
    x->n_links = (uint8_t)told;
    x->alarms = relay_alarm(d->relay)->alarms;
    x->hibernates_until_s = hibernate_until_s(d);
    addresses_look(u);
    if (!d->config->assume_reachable)
        x->n_addresses = reach_good(&u->reach, x->addresses);
    uint8_t *made;
    size_t len;
    int err = describe_make(x, epoch, &made, &len);
    if (err)
        return err;
    free(u->descriptor);
    u->descriptor = made;
    u->descriptor_len = len;
    u->descriptor_epoch = epoch;
    u->renew_ms = descriptor_renew_ms(d, epoch);
    u->hibernates_until_s = x->hibernates_until_s;
    return 0;
}

/* Is there an address to be published? */
static bool
descriptor_may(const struct directory *u)
{
    char good[ADDRESSES_MAX][ADDRESS_MAX];
    if (u->daemon->config->assume_reachable)
        return u->address_err == 0;
    return reach_is_known(&u->reach) && reach_good(&u->reach, good) > 0;
}

/* Log what an authority answers, when it is new: a relay may wait for weeks to
 * be let in. */
static void
answer_tell(struct upload *p, const char *text)
{
    struct relay_daemon *d = p->directory->daemon;
    const size_t number = p->to + 1, all = d->network.n_authorities;
    if (strcmp(p->refusal, text) == 0)
        return;
    snprintf(p->refusal, sizeof p->refusal, "%s", text);
    if (text[0])
        log_write_limited(&d->host.log, &p->said, loop_now_us(d->host.loop),
                          LOG_WARNING, "relay",
                          "authority %zu of %zu refuses the descriptor: %s",
                          number, all, text);
    else
        log_write_limited(
            &d->host.log, &p->said, loop_now_us(d->host.loop), LOG_NOTICE,
            "relay", "authority %zu of %zu takes the descriptor", number, all);
}

static void
upload_done(void *ctx, int err, int status, const uint8_t *body, size_t len)
{
    struct upload *p = ctx;
    struct relay_daemon *d = p->directory->daemon;
    char text[DIRECTORY_TEXT_LEN];
    p->request = NULL;
    p->directory->reached[p->to] = !err;
    if (!err && status == 200) {
        p->epoch = p->asked;
        answer_tell(p, "");
        if (p->directory->first == 0)
            p->directory->first = p->asked;
        return;
    }
    p->retry_us = loop_now_us(d->host.loop) + retry_us(d);
    if (err)
        return;
    describe_answer(text, body, len);
    answer_tell(p, text);
}

static void
upload_step(struct directory *u, size_t to)
{
    struct relay_daemon *d = u->daemon;
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
directory_step(struct directory *u)
{
    struct relay_daemon *d = u->daemon;
    uint32_t epoch = describe_epoch(&d->network, env_now_wall_s(&d->host.env));
    reach_step(u);
    const bool renewed = u->renew_ms != 0 && epoch == u->descriptor_epoch &&
                         env_now_wall_ms(&d->host.env) >= u->renew_ms &&
                         descriptor_may(u);
    const bool changed =
        renewed || hibernate_until_s(d) != u->hibernates_until_s;
    if (changed) /* the authorities are to have the new one */
        for (size_t i = 0; i < AUTHORITIES_MAX; i++)
            u->upload[i].epoch = 0;
    if ((changed || epoch != u->descriptor_epoch) && descriptor_may(u)) {
        int err = descriptor_make(u, epoch);
        if (err && err != u->describe_err)
            log_write(&d->host.log, LOG_ERROR, "relay",
                      "no descriptor can be made: %s", error_text(err));
        u->describe_err = err;
        if (renewed)
            u->renew_ms = 0;
    }
    for (size_t i = 0; u->descriptor && i < d->network.n_authorities; i++)
        upload_step(u, i);
    fetch_step(u);
    borrow_try(u);
}

/* Write the refusals: "3 of 4: banned; 1 of 4: waits", how many say what; when
 * all say the same, that alone. */
static void
refusals_write(const struct directory *u, char out[static DIRECTORY_ALL_LEN])
{
    const size_t all = u->daemon->network.n_authorities;
    size_t len = 0;
    out[0] = 0;
    for (size_t i = 0; i < all && len < DIRECTORY_ALL_LEN; i++) {
        const char *text = u->upload[i].refusal;
        size_t before = 0, same = 0;
        for (size_t k = 0; k < all; k++) {
            const bool alike = strcmp(u->upload[k].refusal, text) == 0;
            same += alike;
            before += alike && k < i;
        }
        if (!text[0] || before > 0)
            continue;
        if (same == all)
            snprintf(out, DIRECTORY_ALL_LEN, "%s", text);
        else
            len += (size_t)snprintf(out + len, DIRECTORY_ALL_LEN - len,
                                    "%s%zu of %zu: %s", len ? "; " : "", same,
                                    all, text);
    }
}

void
directory_status(const struct directory *u, struct directory_status *out)
{
    *out = (struct directory_status){.descriptor_epoch = u->descriptor_epoch,
                                     .descriptor_first = u->first,
                                     .fetch_err = u->fetch_err};
    if (!u->daemon->config->assume_reachable)
        out->unreached = reach_bad(&u->reach, &out->unreached_err);
    if (u->address_err) {
        out->unreached = net_address(u->daemon->net);
        out->unreached_err = u->address_err;
    }
    for (size_t i = 0; i < u->daemon->network.n_authorities; i++) {
        out->reached += u->reached[i];
        out->descriptor_taken += u->descriptor_epoch != 0 &&
                                 u->upload[i].epoch == u->descriptor_epoch;
    }
    refusals_write(u, out->descriptor_refusal);
}

int
directory_new(struct directory **out, struct relay_daemon *d)
{
    struct directory *u = calloc(1, sizeof *u);
    *out = u;
    if (!u)
        return ERR_NOMEM;
    u->daemon = d;
    u->probing = REACH_NONE;
    u->describe = (struct describe){.dir = d->dir,
                                    .config = d->config,
                                    .network = &d->network,
                                    .identity = d->identity,
                                    .identity_seed = d->identity_seed};
    for (size_t i = 0; i < AUTHORITIES_MAX; i++)
        u->upload[i] = (struct upload){.directory = u, .to = i};
    return borrow_new(&u->borrow, d->host.loop, d->network.geometry.packet_len,
                      borrow_done, u);
}

void
directory_free(struct directory **up)
{
    struct directory *u = *up;
    *up = NULL;
    if (!u)
        return;
    http_cancel(&u->fetch);
    borrow_free(&u->borrow);
    for (size_t i = 0; i < AUTHORITIES_MAX; i++)
        http_cancel(&u->upload[i].request);
    link_free(&u->probe);
    free(u->descriptor);
    free(u);
}
