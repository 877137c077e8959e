/* tests/unit/test_heap_documents.c - what is read, written and judged of
 * documents when memory runs out: the error says so, and nothing else comes of
 * it. */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory/evidence.h"
#include "directory/vote.h"
#include "lib/codec.h"
#include "lib/json_text.h"
#include "lib/pack.h"
#include "network/descriptor.h"
#include "network/diff.h"
#include "network/fetch.h"
#include "network/receive.h"
#include "relay/operator/status.h"
#include "tests/heap.h"
#include "tests/house.h"
#include "tests/network.h"

/* What a call is given, what it makes, and what that should be. */
struct work {
    const struct consensus *from, *to;
    const struct network *network;
    const struct descriptor *descriptor;
    const struct status *status;
    const struct receive_rules *rules;
    const uint8_t *in;
    size_t in_len;
    struct sphinx_geometry geometry;
    uint8_t *out;
    size_t out_len;
    const void *want; /* NULL: any */
    size_t want_len;
    enum document_kind kind;
};

static char where[JSON_WHERE_LEN];

/* Take what was made instead of what was made before, which is the same. */
static int
work_done(struct work *w, int err, uint8_t *out, size_t len)
{
    const bool armed = heap_pause();
    if (!err) {
        if (w->want) {
            assert_int_equal(len, w->want_len);
            assert_memory_equal(out, w->want, len);
        }
        free(w->out);
        w->out = out;
        w->out_len = len;
    }
    heap_resume(armed);
    return err;
}

/* ---- JSON ---- */

/* Words of every length: whichever byte has no room, its last quote too, the
 * word is whole or there is none. */
static void
no_byte_of_a_word_is_lost(void **state)
{
    (void)state;
    char text[80];
    for (int len = 1; len < 70; len++) {
        const int n = snprintf(text, sizeof text, "[\"%.*s\"]", len,
                               "0123456789abcdefghijklmnopqrstuvwxyz"
                               "0123456789abcdefghijklmnopqrstuvwxyz");
        for (struct heap h = {0}; heap_next(&h);) {
            json_t *root = NULL;
            char *again = NULL;
            heap_arm(&h);
            int err = json_from_text(&root, text, (size_t)n, 0, NULL);
            if (!err)
                err = json_to_text(root, 0, &again, NULL);
            heap_disarm(&h);
            assert_int_equal(err, h.failed ? ERR_NOMEM : 0);
            if (!err)
                assert_string_equal(again, text);
            json_decref(root);
            free(again);
        }
    }
}

/* ---- consensuses, from one to the next ---- */

/* Of it, and of what it says when it is written. */
static int
consensus_reread(void *ctx)
{
    struct work *w = ctx;
    struct consensus *c = NULL;
    char *text = NULL;
    size_t len = 0;
    int err = json_read_consensus(&c, w->in, w->in_len, where);
    if (!err)
        err = json_write_consensus(c, &text, &len);
    consensus_free(&c);
    return work_done(w, err, (uint8_t *)text, len);
}

static int
consensus_receive(void *ctx)
{
    struct work *w = ctx;
    struct consensus *c = NULL;
    int err = receive_consensus(&c, w->rules, w->in, w->in_len, 0,
                                w->to->valid_after_s);
    if (!err && memcmp(c->digest, w->to->digest, sizeof c->digest) != 0)
        err = ERR_CONFLICT;
    consensus_free(&c);
    return err;
}

static int
diff_write(void *ctx)
{
    struct work *w = ctx;
    uint8_t *out = NULL;
    size_t len = 0;
    int err = diff_make(w->from, w->to, w->in, w->in_len, &out, &len);
    return work_done(w, err, out, len);
}

static int
diff_read(void *ctx)
{
    struct work *w = ctx;
    uint8_t *out = NULL;
    size_t len = 0;
    int err = diff_apply(w->from, w->in, w->in_len, &out, &len);
    return work_done(w, err, out, len);
}

static int
pack_both(void *ctx)
{
    struct work *w = ctx;
    uint8_t *packed = NULL, *out = NULL;
    size_t packed_len = 0, len = 0;
    int err = pack_deflate(w->in, w->in_len, &packed, &packed_len);
    if (!err)
        err = pack_inflate(packed, packed_len, w->in_len, &out, &len);
    free(packed);
    return work_done(w, err, out, len);
}

static int
fetch_all(void *ctx)
{
    enum { PACKET = 2048, ROOM = PACKET - WIRE_PIECE_HEAD_LEN };
    struct work *w = ctx;
    struct fetch f = {0};
    int err = 0;
    for (size_t at = 0; at < w->in_len && err == 0; at += ROOM) {
        const size_t left = w->in_len - at;
        const struct wire_piece p = {
            .epoch = 5,
            .index = (uint16_t)(at / ROOM),
            .count = (uint16_t)((w->in_len + ROOM - 1) / ROOM),
            .len = (uint16_t)(left < ROOM ? left : ROOM),
            .data = w->in + at};
        err = fetch_piece(&f, 4, PACKET, &p);
    }
    if (err == 1 && (f.len != w->in_len || memcmp(f.bytes, w->in, f.len) != 0))
        err = ERR_CONFLICT;
    fetch_reset(&f);
    return err == 1 ? 0 : err;
}

static void
work_try(struct work *w, int (*call)(void *ctx), const void *want,
         size_t want_len)
{
    w->want = want;
    w->want_len = want_len;
    heap_try(call, w);
}

static void
consensuses(void **state)
{
    (void)state;
    struct sim_net n;
    struct document d;
    struct consensus *before;
    struct work w = {.in = NULL};
    test_network_make(&n, SPHINX_SUITE_X25519, 2, 3, 2, 2);
    const uint16_t cut_a[] = {0}, cut_b[] = {2};
    test_network_blame(&n, cut_a, cut_b, 1, -1);
    assert_int_equal(sim_net_next(&n, &before), 0);
    assert_int_equal(
        document_parse(&d, DOCUMENT_CONSENSUS, n.document, n.document_len), 0);
    const struct receive_rules rules = {
        .network = n.consensus->network,
        .geometry = &n.consensus->params.geometry,
        .authorities = (const uint8_t(*)[SPHINX_ID_LEN])n.authority,
        .n_authorities = 1};
    w.from = before;
    w.to = n.consensus;
    w.rules = &rules;
    w.in = d.body;
    w.in_len = d.body_len;
    work_try(&w, consensus_reread, d.body, d.body_len);
    w.in = n.document;
    w.in_len = n.document_len;
    work_try(&w, consensus_receive, NULL, 0);
    work_try(&w, pack_both, n.document, n.document_len);
    work_try(&w, fetch_all, NULL, 0);
    work_try(&w, diff_write, NULL, 0);
    uint8_t *diff = w.out;
    w.in = diff;
    w.in_len = w.out_len;
    w.out = NULL;
    work_try(&w, diff_read, n.document, n.document_len);
    free(diff);
    free(w.out);
    consensus_free(&before);
    test_network_free(&n);
}

/* ---- descriptors, the network file, a relay's status ---- */

static int
descriptor_both(void *ctx)
{
    struct work *w = ctx;
    const uint8_t seed[32] = {7};
    struct descriptor d;
    uint8_t *out = NULL;
    size_t len = 0;
    int err = descriptor_sign(w->descriptor, w->geometry.public_len, seed, &out,
                              &len);
    if (!err)
        err = descriptor_open(&d, &w->geometry, out, len, where);
    if (!err && memcmp(&d, w->descriptor, sizeof d) != 0)
        err = ERR_CONFLICT;
    if (err)
        free(out);
    return work_done(w, err, out, len);
}

static int
network_both(void *ctx)
{
    struct work *w = ctx;
    static struct network n;
    char *text = NULL;
    size_t len = 0;
    int err = json_write_network(w->network, &text, &len);
    if (!err)
        err = json_read_network(&n, (uint8_t *)text, len, where);
    if (!err && memcmp(&n, w->network, sizeof n) != 0)
        err = ERR_CONFLICT;
    if (err)
        free(text);
    return work_done(w, err, (uint8_t *)text, len);
}

static int
status_both(void *ctx)
{
    struct work *w = ctx;
    static struct status s;
    char *text = NULL, *again = NULL;
    size_t len = 0, again_len = 0;
    int err = status_write_json(w->status, &text, &len);
    if (!err)
        err = status_read_json(&s, (uint8_t *)text, len);
    if (!err)
        err = status_write_json(&s, &again, &again_len);
    if (!err && strcmp(text, again) != 0)
        err = ERR_CONFLICT;
    free(again);
    if (err)
        free(text);
    return work_done(w, err, (uint8_t *)text, len);
}

static void
other_texts(void **state)
{
    (void)state;
    static struct network network;
    struct params params;
    struct document_key key;
    static struct descriptor d;
    static struct status s;
    const uint8_t seed[32] = {7};
    params_default(&params, 3600);
    document_key_direct(&key, seed);
    memset(&d, 0, sizeof d);
    strcpy(d.network, "test");
    d.epoch = 1;
    memcpy(d.relay.identity, key.identity, sizeof d.relay.identity);
    d.relay.role = ROLE_MIX;
    d.relay.protocol_min = d.relay.protocol_max = 1;
    d.relay.n_addresses = 1;
    strcpy(d.relay.addresses[0], "192.0.2.1:7001");
    d.n_keys = KEYS_AHEAD;
    d.n_links = 1;
    d.links[0].sent = 8;
    for (unsigned i = 0; i < KEYS_AHEAD; i++)
        d.keys[i][0] = 9;
    memset(&network, 0, sizeof network);
    strcpy(network.name, "test");
    network.epoch_len_s = 3600;
    network.geometry = params.geometry;
    network.n_authorities = 2;
    network.authorities[1].identity[0] = 1;
    strcpy(network.authorities[0].address, "192.0.2.1:7000");
    strcpy(network.authorities[1].address, "192.0.2.2:7000");
    network.n_gateways = 1;
    strcpy(network.gateways[0].address, "192.0.2.3:7000");
    memset(&s, 0, sizeof s);
    s.seen.refused[-ERR_TLS] = 100;
    s.seen.dropped[-ERR_REPLAY] = 3000;
    strcpy(s.listen, "192.0.2.1:7001");
    strcpy(s.descriptor_refusal, "\"quoted\" \\ text");
    struct work w = {.descriptor = &d,
                     .geometry = params.geometry,
                     .network = &network,
                     .status = &s};
    work_try(&w, descriptor_both, NULL, 0);
    work_try(&w, network_both, NULL, 0);
    work_try(&w, status_both, NULL, 0);
    free(w.out);
}

/* ---- what authorities tell each other ---- */

static int
flat_reread(void *ctx)
{
    struct work *w = ctx;
    static union {
        struct hello hello;
        struct claim claim;
        struct signature_note note;
        struct shares shares;
    } u;
    char *text = NULL;
    size_t len = 0;
    int err = ERR_ARG;
    switch (w->kind) {
    case DOCUMENT_HELLO:
        err = json_read_hello(&u.hello, w->in, w->in_len, where);
        if (!err)
            err = json_write_hello(&u.hello, &text, &len);
        break;
    case DOCUMENT_CLAIM:
        err = json_read_claim(&u.claim, w->in, w->in_len, where);
        if (!err)
            err = json_write_claim(&u.claim, &text, &len);
        break;
    case DOCUMENT_SIGNATURE:
        err = json_read_signature(&u.note, w->in, w->in_len, where);
        if (!err)
            err = json_write_signature(&u.note, &text, &len);
        break;
    case DOCUMENT_SHARES:
        err = json_read_shares(&u.shares, w->in, w->in_len, where);
        if (!err)
            err = json_write_shares(&u.shares, &text, &len);
        break;
    default:
        break;
    }
    return work_done(w, err, (uint8_t *)text, len);
}

static int
vote_reread(void *ctx)
{
    struct work *w = ctx;
    static struct vote v;
    char *text = NULL;
    size_t len = 0;
    int err = json_read_vote(&v, w->in, w->in_len, where);
    if (!err)
        err = json_write_vote(&v, &text, &len);
    vote_free(&v);
    return work_done(w, err, (uint8_t *)text, len);
}

struct seen {
    unsigned kinds;
    const struct house *house;
};

static void
document_try(void *ctx, const uint8_t *bytes, size_t len)
{
    struct seen *seen = ctx;
    static struct document d;
    struct work w = {.kind = document_kind_of(bytes, len)};
    if (seen->kinds >> w.kind & 1)
        return; /* one of each will do */
    seen->kinds |= 1u << w.kind;
    assert_int_equal(document_parse(&d, w.kind, bytes, len), 0);
    w.in = d.body;
    w.in_len = d.body_len;
    work_try(&w, flat_reread, d.body, d.body_len);
    free(w.out);
}

static void
votes_and_notes(void **state)
{
    (void)state;
    static struct house h;
    struct seen seen = {.house = &h};
    house_make(&h, 4, test_seed());
    house_start_all(&h);
    for (uint8_t i = 0; i < 5; i++) {
        const struct house_relay r = {.number = i,
                                      .role = i == 0   ? ROLE_GATEWAY
                                              : i == 4 ? ROLE_STORE
                                                       : ROLE_MIX,
                                      .epoch = 1,
                                      .bandwidth = 100,
                                      .seats = 0xff};
        assert_int_equal(house_upload(&h, &r), 0);
    }
    house_run(&h, house_ms(&h, 1, SCHEDULE_VALID) - 1);
    authority_documents(h.seat[0].face[0].authority, document_try, &seen);
    assert_int_equal(seen.kinds, 1u << DOCUMENT_HELLO | 1u << DOCUMENT_CLAIM |
                                     1u << DOCUMENT_SHARES |
                                     1u << DOCUMENT_SIGNATURE);
    struct work w = {.in = NULL};
    for (size_t i = 0; i < h.seat[0].n_kept && !w.in; i++) {
        const struct house_bytes *k = &h.seat[0].kept[i];
        if (k->what != AUTHORITY_KEEP_VOTE)
            continue;
        const size_t claim_len = codec_get32(k->bytes);
        w.in = k->bytes + 4 + claim_len;
        w.in_len = k->len - 4 - claim_len;
    }
    assert_non_null(w.in);
    work_try(&w, vote_reread, w.in, w.in_len);
    free(w.out);
    house_free(&h);
}

const struct CMUnitTest test_heap_documents[] = {
    cmocka_unit_test(no_byte_of_a_word_is_lost),
    cmocka_unit_test(consensuses),
    cmocka_unit_test(other_texts),
    cmocka_unit_test(votes_and_notes),
};
TEST_SUITE(test_heap_documents);
