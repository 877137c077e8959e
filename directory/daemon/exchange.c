/* directory/daemon/exchange.c - see exchange.h.
 *
 * State of each other authority: what waits, what is under way, how often it
 * was tried; and whether it is being asked. Timer: what is to be tried again.
 * Failure modes: an authority that does not answer (given up after TRIES, it
 * asks when it is back); one that gets behind (FULL). */
#include "directory/daemon/exchange.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory/vote.h"
#include "lib/codec.h"
#include "lib/os/http/http.h"
#include "network/document.h"

enum {
    TRIES = 6,
    RETRY_US = 200000, /* doubled each time */
    WANTS_MAX = 64,
    WANT_ROUNDS = 3,
    WANT_TURNS =
        240, /* of an epoch; the next time each may take twice as long */
    EACH_MAX = 4096,
    CONSENSUS_MAX = DOCUMENT_BODY_MAX + 65536,
    PATH_LEN = 96
};

struct exchange_peer {
    struct exchange *exchange;
    const char *address;
    struct exchange_buffer waits, flies;
    struct http_request *post, *documents, *consensus;
    unsigned tries;
    uint64_t retry_us; /* 0: not waiting for another try */
};

struct want {
    struct exchange *exchange;
    bool used;
    uint8_t digest[32];
    size_t asked;      /* so many authorities */
    uint64_t retry_us; /* 0: under way */
    struct http_request *request;
};

struct exchange {
    struct exchange_config config;
    size_t n;
    struct exchange_peer peer[AUTHORITIES_MAX];
    struct want want[WANTS_MAX];
    struct loop_timer *timer;
};

int
exchange_append(struct exchange_buffer *b, const uint8_t *document, size_t len)
{
    if (len > EXCHANGE_POST_MAX || b->len + 4 + len > EXCHANGE_POST_MAX)
        return ERR_FULL;
    uint8_t *more = realloc(b->bytes, b->len + 4 + len);
    if (!more)
        return ERR_NOMEM;
    codec_put32(more + b->len, (uint32_t)len);
    memcpy(more + b->len + 4, document, len);
    b->bytes = more;
    b->len += 4 + len;
    return 0;
}

int
exchange_each(const uint8_t *bytes, size_t len,
              int (*each)(void *ctx, const uint8_t *bytes, size_t len),
              void *ctx)
{
    struct codec_reader in;
    codec_reader_init(&in, bytes, len);
    for (size_t n = 0; in.left > 0; n++) {
        const uint32_t one = codec_read32(&in);
        const uint8_t *document = codec_read_bytes(&in, one);
        if (in.err)
            return in.err;
        if (n == EACH_MAX)
            return ERR_LONG;
        int err = each(ctx, document, one);
        if (err)
            return err;
    }
    return 0;
}

static void
timer_set(struct exchange *x)
{
    uint64_t at_us = UINT64_MAX;
    for (size_t i = 0; i < x->n; i++)
        if (x->peer[i].retry_us && x->peer[i].retry_us < at_us)
            at_us = x->peer[i].retry_us;
    for (size_t i = 0; i < WANTS_MAX; i++)
        if (x->want[i].used && x->want[i].retry_us &&
            x->want[i].retry_us < at_us)
            at_us = x->want[i].retry_us;
    loop_timer_at(x->timer, at_us);
}

/* ---- posts ---- */

static void peer_post(struct exchange_peer *p);

static void
peer_drop(struct exchange_peer *p)
{
    free(p->flies.bytes);
    p->flies = (struct exchange_buffer){0};
    p->tries = 0;
    p->retry_us = 0;
}

/* Try again later. An authority that is not reached in the end asks when it is
 * back. */
static void
peer_fail(struct exchange_peer *p)
{
    if (++p->tries == TRIES)
        peer_drop(p);
    else
        p->retry_us = loop_now_us(p->exchange->config.loop) +
                      ((uint64_t)RETRY_US << p->tries);
}

static void
post_done(void *ctx, int err, int status, const uint8_t *body, size_t len)
{
    struct exchange_peer *p = ctx;
    (void)body;
    (void)len;
    p->post = NULL;
    if (!err && status < 500)
        peer_drop(p);
    else
        peer_fail(p);
    peer_post(p);
    timer_set(p->exchange);
}

static void
peer_post(struct exchange_peer *p)
{
    if (p->post || p->retry_us)
        return;
    if (!p->flies.bytes) {
        p->flies = p->waits;
        p->waits = (struct exchange_buffer){0};
    }
    if (!p->flies.bytes)
        return;
    if (http_ask(&p->post, p->exchange->config.loop, p->address,
                 "/v1/documents", p->flies.bytes, p->flies.len, 4096, post_done,
                 p))
        peer_fail(p);
}

int
exchange_send(struct exchange *x, const uint8_t *document, size_t len)
{
    int err = 0;
    for (size_t i = 0; i < x->n; i++) {
        int one = exchange_append(&x->peer[i].waits, document, len);
        err = one ? one : err;
        peer_post(&x->peer[i]);
    }
    timer_set(x);
    return err;
}

/* ---- votes ---- */

static void want_ask(struct want *w);

/* Ask the next authority; later, when all were asked or none can be for now. */
static void
want_next(struct want *w, bool later)
{
    struct exchange *x = w->exchange;
    w->asked++;
    if (w->asked >= WANT_ROUNDS * x->n)
        w->used = false; /* its claim comes again if anybody has it */
    else if (later || w->asked % x->n == 0)
        w->retry_us = loop_now_us(x->config.loop) + RETRY_US;
    else
        want_ask(w);
}

/* Is this the vote that was asked for? If not, whoever was asked has none, and
 * says something else. */
static bool
vote_is(const struct want *w, const uint8_t *bytes, size_t len)
{
    uint8_t digest[32];
    crypto_generichash(digest, sizeof digest, bytes, len, NULL, 0);
    return memcmp(digest, w->digest, sizeof digest) == 0;
}

static void
want_done(void *ctx, int err, int status, const uint8_t *body, size_t len)
{
    struct want *w = ctx;
    struct exchange *x = w->exchange;
    w->request = NULL;
    if (!err && status == 200 && vote_is(w, body, len)) {
        w->used = false;
        x->config.vote(x->config.ctx, body, len);
    } else
        want_next(w, false);
    timer_set(x);
}

static void
want_ask(struct want *w)
{
    struct exchange *x = w->exchange;
    char path[PATH_LEN], hex[65];
    codec_hex(hex, w->digest, sizeof w->digest);
    snprintf(path, sizeof path, "/v1/vote/%s", hex);
    w->retry_us = 0;
    if (http_ask(&w->request, x->config.loop, x->peer[w->asked % x->n].address,
                 path, NULL, 0, VOTE_LEN_MAX, want_done, w)) {
        want_next(w, true);
        return;
    }
    /* the others want their turn within a round, whatever this one does */
    const uint32_t turn_s = 1 + x->config.network->epoch_len_s / WANT_TURNS;
    http_within(w->request, turn_s << w->asked / x->n);
}

int
exchange_want(struct exchange *x, const uint8_t digest[static 32])
{
    struct want *room = NULL;
    for (size_t i = 0; i < WANTS_MAX; i++) {
        struct want *w = &x->want[i];
        if (w->used && memcmp(w->digest, digest, sizeof w->digest) == 0)
            return 0;
        if (!w->used && !room)
            room = w;
    }
    if (!room || x->n == 0)
        return ERR_FULL;
    *room = (struct want){.exchange = x, .used = true};
    memcpy(room->digest, digest, sizeof room->digest);
    want_ask(room);
    timer_set(x);
    return 0;
}

/* ---- asking ---- */

static void
documents_done(void *ctx, int err, int status, const uint8_t *body, size_t len)
{
    struct exchange_peer *p = ctx;
    const struct exchange_config *c = &p->exchange->config;
    p->documents = NULL;
    if (!err && status == 200)
        (void)!exchange_each(body, len, c->document, c->ctx);
}

static void
consensus_done(void *ctx, int err, int status, const uint8_t *body, size_t len)
{
    struct exchange_peer *p = ctx;
    const struct exchange_config *c = &p->exchange->config;
    p->consensus = NULL;
    if (!err && status == 200)
        c->consensus(c->ctx, body, len);
}

void
exchange_ask(struct exchange *x)
{
    for (size_t i = 0; i < x->n; i++) {
        struct exchange_peer *p = &x->peer[i];
        /* what is not asked for now is asked for the next time */
        if (!p->documents)
            (void)!http_ask(&p->documents, x->config.loop, p->address,
                            "/v1/documents", NULL, 0, 4 * EXCHANGE_POST_MAX,
                            documents_done, p);
        if (!p->consensus)
            (void)!http_ask(&p->consensus, x->config.loop, p->address,
                            "/v1/consensus", NULL, 0, CONSENSUS_MAX,
                            consensus_done, p);
    }
}

/* ---- life ---- */

static void
exchange_tick(void *ctx)
{
    struct exchange *x = ctx;
    const uint64_t now_us = loop_now_us(x->config.loop);
    for (size_t i = 0; i < x->n; i++)
        if (x->peer[i].retry_us && x->peer[i].retry_us <= now_us) {
            x->peer[i].retry_us = 0;
            peer_post(&x->peer[i]);
        }
    for (size_t i = 0; i < WANTS_MAX; i++) {
        struct want *w = &x->want[i];
        if (w->used && w->retry_us && w->retry_us <= now_us)
            want_ask(w);
    }
    timer_set(x);
}

int
exchange_new(struct exchange **out, const struct exchange_config *config)
{
    struct exchange *x = calloc(1, sizeof *x);
    *out = x;
    if (!x)
        return ERR_NOMEM;
    x->config = *config;
    for (size_t i = 0; i < config->network->n_authorities; i++) {
        const struct network_authority *a = &config->network->authorities[i];
        if (memcmp(a->identity, config->self, SPHINX_ID_LEN) == 0)
            continue;
        x->peer[x->n].exchange = x;
        x->peer[x->n++].address = a->address;
    }
    int err = loop_timer_new(config->loop, exchange_tick, x, &x->timer);
    if (err)
        exchange_free(out);
    return err;
}

void
exchange_free(struct exchange **xp)
{
    struct exchange *x = *xp;
    *xp = NULL;
    if (!x)
        return;
    for (size_t i = 0; i < x->n; i++) {
        struct exchange_peer *p = &x->peer[i];
        http_cancel(&p->post);
        http_cancel(&p->documents);
        http_cancel(&p->consensus);
        free(p->waits.bytes);
        free(p->flies.bytes);
    }
    for (size_t i = 0; i < WANTS_MAX; i++)
        if (x->want[i].used)
            http_cancel(&x->want[i].request);
    loop_timer_free(&x->timer);
    free(x);
}
