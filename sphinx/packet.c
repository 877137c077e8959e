/* sphinx/packet.c - making headers and requests; workers.
 *
 * State: a worker's cipher objects and scratch; between calls the scratch
 * holds nothing. No timers. Failure: a bad relay key (ERR_POINT) or the cipher
 * library (ERR_CRYPTO); the output is then undefined and nothing is kept.
 *
 * The header is built from the last hop backwards (section 3.2 of the Sphinx
 * paper). With r slots, blocks of B bytes and S_i the keystream of hop i, of
 * (r + 1) B bytes, hop i sees
 *
 *   routing_i = ((block_i | routing_{i+1} without its last B) xor S_i
 *
 * and sends on routing_{i+1} = the rest of (routing_i | zeros B) xor S_i: what
 * it appends is the last B bytes of S_i. So routing_{n-1} ends with a filler
 * of (n - 1) B bytes that is the sum of the ends of all earlier keystreams,
 * and before the filler, in slots no hop uses, with random bytes. */
#include "sphinx/packet.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

int
sphinx_worker_new(struct sphinx_worker **out)
{
    *out = NULL;
    struct sphinx_worker *w = calloc(1, sizeof *w);
    if (!w)
        return ERR_NOMEM;
    int err = cipher_new(&w->cipher);
    if (err) {
        free(w);
        return err;
    }
    *out = w;
    return 0;
}

void
sphinx_worker_free(struct sphinx_worker **w)
{
    if (!*w)
        return;
    cipher_free(&(*w)->cipher);
    sodium_memzero(*w, sizeof **w);
    free(*w);
    *w = NULL;
}

static void
bytes_xor(uint8_t *to, const uint8_t *from, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] ^= from[i];
}

/* Judge what of an order can be refused before any work. */
static int
order_judge(const struct suite *s, const struct sphinx_view *view,
            const struct sphinx_order *o)
{
    if (!s)
        return ERR_SUITE;
    return o->n < 1 || o->n > view->geometry.hops ? ERR_RANGE : 0;
}

void
packet_exchange(struct sphinx_worker *w, const struct sphinx_view *view,
                struct sphinx_order *orders, size_t m)
{
    const struct suite *s = suite_find(view->geometry.suite);
    struct suite_kem kem[SPHINX_ORDERS_MAX * SPHINX_HOPS_MAX];
    uint8_t seeds[SPHINX_ORDERS_MAX][SPHINX_HOPS_MAX][SPHINX_SEED_LEN];
    size_t jobs = 0;
    for (size_t k = 0; k < m; k++) {
        struct sphinx_order *o = &orders[k];
        o->err = order_judge(s, view, o);
        if (o->err)
            continue;
        s->expand(o->seed, PACKET_LABEL_ELEMENTS, seeds[k][0],
                  o->n * SPHINX_SEED_LEN);
        for (size_t i = 0; i < o->n; i++)
            kem[jobs++] =
                (struct suite_kem){.seed = seeds[k][i],
                                   .public_key = o->path[i].public_key,
                                   .element = w->shared[k].element[i],
                                   .secret = w->shared[k].secret[i]};
    }
    if (jobs > 0)
        s->encapsulate(kem, jobs);
    sodium_memzero(seeds, sizeof seeds);
    jobs = 0;
    for (size_t k = 0; k < m; k++) {
        struct sphinx_order *o = &orders[k];
        size_t n = o->err ? 0 : o->n;
        for (size_t i = 0; i < n; i++, jobs++)
            if (!o->err)
                o->err = kem[jobs].err;
    }
}

int
packet_derive(struct sphinx_worker *w, const struct sphinx_view *view,
              const struct sphinx_order *o, const struct packet_shared *shared)
{
    const struct sphinx_geometry *g = &view->geometry;
    const struct suite *s = suite_find(g->suite);
    const size_t len = (g->hops + 1u) * g->block_len;
    struct packet_hops *h = &w->hops;
    int err = 0;
    for (size_t i = 0; i < o->n && !err; i++) {
        s->context(s, h->ctx[i], view->digest, o->path[i].identity,
                   o->path[i].public_key);
        err = s->hop_keys(s, w->cipher, shared->secret[i], h->ctx[i],
                          shared->element[i], &h->keys[i]);
        memset(h->stream[i], 0, len);
        if (!err)
            err = s->stream(w->cipher, h->stream[i], len);
    }
    if (err)
        packet_wipe(w, g, o->n);
    return err;
}

void
packet_forget(struct sphinx_worker *w, size_t m)
{
    for (size_t k = 0; k < m; k++)
        sodium_memzero(w->shared[k].secret, sizeof w->shared[k].secret);
}

void
packet_wipe(struct sphinx_worker *w, const struct sphinx_geometry *g, size_t n)
{
    struct packet_hops *h = &w->hops;
    for (size_t i = 0; i < n; i++) {
        sodium_memzero(&h->keys[i], sizeof h->keys[i]);
        sodium_memzero(h->stream[i], (g->hops + 1u) * g->block_len);
    }
    sodium_memzero(w->fill, packet_fill_len(g, n));
}

size_t
packet_fill_len(const struct sphinx_geometry *g, size_t n)
{
    return (g->hops - n) * g->block_len + 2 + g->element_len + SPHINX_MAC_LEN;
}

static void
block_begin(uint8_t *block, uint8_t command, const struct sphinx_hop *hop)
{
    block[BLOCK_COMMAND_AT] = command;
    packet_put16(block + BLOCK_DELAY_AT, hop->delay);
    packet_put16(block + BLOCK_DEADLINE_AT, hop->deadline);
}

/* Write the last hop's block; what that hop does not use is random from fill.
 */
static void
block_last(uint8_t *block, const struct sphinx_geometry *g,
           const struct sphinx_hop *hop, const struct sphinx_end *end,
           const uint8_t *fill)
{
    block_begin(block, end ? SPHINX_DELIVER : SPHINX_STORE, hop);
    memcpy(block + BLOCK_NEXT_AT, fill, 2);
    memcpy(block + BLOCK_ELEMENT_AT, fill + 2,
           (size_t)g->element_len + SPHINX_MAC_LEN);
    if (end) {
        uint8_t *p = block + BLOCK_ELEMENT_AT;
        memcpy(p, end->handle, SPHINX_HANDLE_LEN);
        memcpy(p + SPHINX_HANDLE_LEN, end->surb_id, SPHINX_SURB_ID_LEN);
    }
}

/* Write routing_{n-1}, as in the head of this file. */
static void
routing_last(struct sphinx_worker *w, const struct sphinx_geometry *g,
             const struct sphinx_hop *path, size_t n,
             const struct sphinx_end *end, uint8_t *routing)
{
    const size_t b = g->block_len;
    const size_t padding = (g->hops - n) * b;
    uint8_t *filler = routing + b + padding;
    block_last(routing, g, &path[n - 1], end, w->fill + padding);
    memcpy(routing + b, w->fill, padding);
    bytes_xor(routing, w->hops.stream[n - 1], b + padding);
    memset(filler, 0, (n - 1) * b);
    for (size_t i = 1; i < n; i++)
        bytes_xor(filler, w->hops.stream[i - 1] + (g->hops + 1u - i) * b,
                  i * b);
}

int
packet_header(struct sphinx_worker *w, const struct sphinx_view *view,
              const struct sphinx_order *o, const struct packet_shared *shared)
{
    const struct sphinx_geometry *g = &view->geometry;
    const struct suite *s = suite_find(g->suite);
    const struct packet_hops *h = &w->hops;
    uint8_t *header = o->out;
    uint8_t *element = header + PACKET_ELEMENT_AT;
    uint8_t *routing = element + g->element_len;
    uint8_t *mac = routing + g->routing_len;
    int err = 0;
    header[0] = SPHINX_VERSION;
    header[PACKET_EPOCH_AT] = view->epoch;
    routing_last(w, g, o->path, o->n, o->end, routing);
    for (size_t i = o->n; i-- > 0 && !err;) {
        if (i + 1 < o->n) { /* element and mac are still those of hop i + 1 */
            memmove(routing + g->block_len, routing,
                    (g->hops - 1u) * g->block_len);
            block_begin(routing, SPHINX_FORWARD, &o->path[i]);
            packet_put16(routing + BLOCK_NEXT_AT, o->path[i + 1].index);
            memcpy(routing + BLOCK_ELEMENT_AT, element, g->element_len);
            memcpy(routing + BLOCK_ELEMENT_AT + g->element_len, mac,
                   SPHINX_MAC_LEN);
            bytes_xor(routing, h->stream[i], g->routing_len);
        }
        memcpy(element, shared->element[i], g->element_len);
        err = s->mac(w->cipher, h->keys[i].mac, header,
                     g->header_len - (size_t)SPHINX_MAC_LEN, mac);
    }
    return err;
}

int
packet_begin(struct sphinx_worker *w, const struct sphinx_view *view,
             const struct sphinx_order *o, const struct packet_shared *shared)
{
    const struct sphinx_geometry *g = &view->geometry;
    int err = packet_derive(w, view, o, shared);
    if (err)
        return err;
    suite_find(g->suite)->expand(o->seed, PACKET_LABEL_FILL, w->fill,
                                 packet_fill_len(g, o->n));
    err = packet_header(w, view, o, shared);
    if (err)
        packet_wipe(w, g, o->n);
    return err;
}

/* Write what follows the header: the payload, wrapped for every hop. */
static int
request_payload(struct sphinx_worker *w, const struct sphinx_geometry *g,
                const struct sphinx_order *o)
{
    const struct suite *s = suite_find(g->suite);
    uint8_t *payload = o->out + g->header_len;
    int err = 0;
    memset(payload, 0, SPHINX_TAG_LEN);
    if (o->body != payload + SPHINX_TAG_LEN)
        memcpy(payload + SPHINX_TAG_LEN, o->body, g->body_len);
    for (size_t i = o->n; i-- > 0 && !err;)
        err = s->payload(w->cipher, w->hops.keys[i].payload, payload,
                         g->payload_len, true);
    return err;
}

static void
surb_rest(const struct sphinx_geometry *g, const struct sphinx_order *o)
{
    uint8_t *rest = o->out + g->header_len;
    packet_put16(rest, o->path[0].index);
    suite_find(g->suite)->expand(o->seed, PACKET_LABEL_SURB_KEY, rest + 2,
                                 SPHINX_KEY_LEN);
}

static int
order_make(struct sphinx_worker *w, const struct sphinx_view *view,
           const struct sphinx_order *o, const struct packet_shared *shared)
{
    const struct sphinx_geometry *g = &view->geometry;
    int err = packet_begin(w, view, o, shared);
    if (err)
        return err;
    if (o->end)
        surb_rest(g, o);
    else
        err = request_payload(w, g, o);
    packet_wipe(w, g, o->n);
    return err;
}

void
sphinx_create_batch(struct sphinx_worker *w, const struct sphinx_view *view,
                    struct sphinx_order *orders, size_t count)
{
    while (count > 0) {
        size_t m = count < SPHINX_ORDERS_MAX ? count : SPHINX_ORDERS_MAX;
        packet_exchange(w, view, orders, m);
        for (size_t k = 0; k < m; k++)
            if (!orders[k].err)
                orders[k].err = order_make(w, view, &orders[k], &w->shared[k]);
        packet_forget(w, m);
        orders += m;
        count -= m;
    }
}

int
sphinx_create(struct sphinx_worker *w, const struct sphinx_view *view,
              const struct sphinx_hop *path, size_t n,
              const uint8_t seed[static SPHINX_SEED_LEN], const uint8_t *body,
              uint8_t *packet)
{
    struct sphinx_order o = {
        .path = path, .n = n, .seed = seed, .body = body, .out = packet};
    sphinx_create_batch(w, view, &o, 1);
    return o.err;
}
