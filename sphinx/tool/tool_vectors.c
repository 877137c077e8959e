/* sphinx/tool/tool_vectors.c - test vectors with every intermediate value.
 *
 * All inputs are BLAKE2b outputs of names, so the file depends on nothing but
 * the format. State: none. */
#include <sodium.h>
#include <string.h>

#include "sphinx/packet.h"
#include "sphinx/tool/tool.h"

/* Short packets; of the hybrid suite, with its long headers, two hops. */
enum { HOPS = 5, PACKET_LEN = 1024, HYBRID_HOPS = 2, HYBRID_LEN = 4096 };
enum { LEN_MAX = HYBRID_LEN };

struct vectors_relay {
    uint8_t seed[SPHINX_SEED_LEN];
    uint8_t public_key[SPHINX_PUBLIC_MAX];
    uint8_t identity[SPHINX_ID_LEN];
    struct sphinx_key *key;
};

struct vectors {
    struct tool *tool;
    struct sphinx_view view;
    size_t hops;
    struct vectors_relay relay[HOPS];
    struct sphinx_hop path[HOPS];
};

/* out = as much as it takes of ChaCha20 under BLAKE2b(text | a | b). */
static void
bytes_invent(const char *text, unsigned a, unsigned b, uint8_t *out, size_t len)
{
    static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
    uint8_t key[crypto_stream_chacha20_KEYBYTES];
    crypto_generichash_state s;
    const uint8_t tail[2] = {(uint8_t)a, (uint8_t)b};
    crypto_generichash_init(&s, NULL, 0, sizeof key);
    crypto_generichash_update(&s, (const uint8_t *)text, strlen(text));
    crypto_generichash_update(&s, tail, sizeof tail);
    crypto_generichash_final(&s, key, sizeof key);
    crypto_stream_chacha20(out, len, nonce, key);
}

static void
vectors_free(struct vectors *v)
{
    for (size_t i = 0; i < HOPS; i++)
        sphinx_key_free(&v->relay[i].key);
}

static int
vectors_init(struct vectors *v, struct tool *t)
{
    memset(v, 0, sizeof *v);
    v->tool = t;
    const bool hybrid = t->geometry.suite == SPHINX_SUITE_X25519_MLKEM768;
    v->hops = hybrid ? HYBRID_HOPS : HOPS;
    int err = sphinx_geometry_init(&v->view.geometry, t->geometry.suite,
                                   (uint8_t)v->hops,
                                   hybrid ? HYBRID_LEN : PACKET_LEN, 1000);
    v->view.epoch = 7;
    bytes_invent("digest", 0, 0, v->view.digest, SPHINX_DIGEST_LEN);
    for (unsigned i = 0; i < v->hops && !err; i++) {
        struct vectors_relay *r = &v->relay[i];
        bytes_invent("relay seed", i, 0, r->seed, sizeof r->seed);
        bytes_invent("relay identity", i, 0, r->identity, sizeof r->identity);
        err = sphinx_keypair(&v->view.geometry, r->public_key, r->seed);
        if (!err)
            err = sphinx_key_new(&r->key, &v->view.geometry, r->seed,
                                 r->identity, v->view.digest);
        v->path[i] = (struct sphinx_hop){.public_key = r->public_key,
                                         .identity = r->identity,
                                         .index = (uint16_t)(260 + i),
                                         .delay = (uint16_t)(i * 300 + 17),
                                         .deadline = (uint16_t)(i + 511)};
    }
    return err;
}

static json_t *
path_json(const struct vectors *v)
{
    json_t *list = json_array();
    for (size_t i = 0; i < v->hops; i++) {
        const struct sphinx_hop *h = &v->path[i];
        json_array_append_new(
            list,
            json_pack("{s:i, s:i, s:i, s:o, s:o, s:o}", "index", h->index,
                      "delay", h->delay, "deadline", h->deadline, "seed",
                      json_hex_make(v->relay[i].seed, SPHINX_SEED_LEN),
                      "public_key",
                      json_hex_make(h->public_key, v->view.geometry.public_len),
                      "identity", json_hex_make(h->identity, SPHINX_ID_LEN)));
    }
    return list;
}

/* Make an object of what hop i computes; w->hops holds the sender's side. */
static json_t *
hop_json(const struct vectors *v, size_t i, const uint8_t *packet)
{
    const struct sphinx_geometry *g = &v->view.geometry;
    const struct sphinx_worker *w = v->tool->worker;
    const struct packet_hops *h = &w->hops;
    const uint8_t *routing = packet + PACKET_ELEMENT_AT + g->element_len;
    uint8_t block[BLOCK_MAX];
    for (size_t k = 0; k < g->block_len; k++)
        block[k] = routing[k] ^ h->stream[i][k];
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "packet",
        json_hex_make(packet, g->packet_len), "element",
        json_hex_make(w->shared[0].element[i], g->element_len), "shared_secret",
        json_hex_make(w->shared[0].secret[i], SPHINX_KEY_LEN), "context",
        json_hex_make(h->ctx[i], SPHINX_KEY_LEN), "header_key",
        json_hex_make(h->keys[i].header, SPHINX_KEY_LEN), "payload_key",
        json_hex_make(h->keys[i].payload, SPHINX_KEY_LEN), "mac_key",
        json_hex_make(h->keys[i].mac, SPHINX_KEY_LEN), "replay_tag",
        json_hex_make(h->keys[i].replay_tag, SPHINX_REPLAY_TAG_LEN),
        "keystream", json_hex_make(h->stream[i], (g->hops + 1u) * g->block_len),
        "block", json_hex_make(block, g->block_len));
}

/* Send packet through its n hops. On success hops is their list and the
 * payload, as the last hop has it, is left in packet. */
static int
vectors_travel(struct vectors *v, size_t n, const uint8_t *seed,
               uint8_t *packet, json_t *hops)
{
    struct sphinx_worker *w = v->tool->worker;
    struct sphinx_order o = {.path = v->path, .n = n, .seed = seed};
    packet_exchange(w, &v->view, &o, 1);
    int err = o.err ? o.err : packet_derive(w, &v->view, &o, w->shared);
    for (size_t i = 0; i < n && !err; i++) {
        struct sphinx_job job = {.packet = packet, .key = v->relay[i].key};
        json_array_append_new(hops, hop_json(v, i, packet));
        sphinx_unwrap(w, &v->view.geometry, &job, 1, NULL, NULL);
        err = job.err;
    }
    packet_wipe(w, &v->view.geometry, n);
    packet_forget(w, 1);
    return err;
}

static json_t *
request_json(struct vectors *v, size_t n)
{
    const struct sphinx_geometry *g = &v->view.geometry;
    uint8_t seed[SPHINX_SEED_LEN], body[LEN_MAX], packet[LEN_MAX];
    json_t *hops = json_array();
    bytes_invent("request seed", (unsigned)n, 0, seed, sizeof seed);
    bytes_invent("request body", (unsigned)n, 0, body, g->body_len);
    int err = sphinx_create(v->tool->worker, &v->view, v->path, n, seed, body,
                            packet);
    if (!err)
        err = vectors_travel(v, n, seed, packet, hops);
    if (err) {
        json_decref(hops);
        return NULL;
    }
    return json_pack("{s:o, s:o, s:o, s:o}", "seed",
                     json_hex_make(seed, sizeof seed), "body",
                     json_hex_make(body, g->body_len), "hops", hops, "payload",
                     json_hex_make(packet + g->header_len, g->payload_len));
}

static json_t *
answer_json(struct vectors *v, size_t n)
{
    const struct sphinx_geometry *g = &v->view.geometry;
    struct sphinx_worker *w = v->tool->worker;
    uint8_t seed[SPHINX_SEED_LEN], body[LEN_MAX], packet[LEN_MAX];
    uint8_t surb[LEN_MAX], keys[HOPS + 1][SPHINX_KEY_LEN];
    uint16_t first = 0;
    struct sphinx_end end;
    json_t *hops = json_array();
    bytes_invent("answer seed", (unsigned)n, 0, seed, sizeof seed);
    bytes_invent("answer body", (unsigned)n, 0, body, g->body_len);
    bytes_invent("handle", (unsigned)n, 0, end.handle, sizeof end.handle);
    bytes_invent("SURB id", (unsigned)n, 0, end.surb_id, sizeof end.surb_id);
    int err = sphinx_surb_create(w, &v->view, v->path, n, &end, seed, surb);
    if (!err)
        err = sphinx_surb_keys(w, &v->view, v->path, n, seed, keys);
    if (!err)
        err = sphinx_surb_use(w, g, surb, body, packet, &first);
    if (!err)
        err = vectors_travel(v, n, seed, packet, hops);
    if (err) {
        json_decref(hops);
        return NULL;
    }
    json_t *list = json_array();
    for (size_t i = 0; i <= n; i++)
        json_array_append_new(list, json_hex_make(keys[i], SPHINX_KEY_LEN));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "seed",
                     json_hex_make(seed, sizeof seed), "handle",
                     json_hex_make(end.handle, sizeof end.handle), "surb_id",
                     json_hex_make(end.surb_id, sizeof end.surb_id), "surb",
                     json_hex_make(surb, g->surb_len), "body",
                     json_hex_make(body, g->body_len), "hops", hops, "payload",
                     json_hex_make(packet + g->header_len, g->payload_len),
                     "keys", list);
}

json_t *
tool_do_vectors(struct tool *t, json_t *in)
{
    struct vectors v;
    json_t *requests = json_array(), *answers = json_array(), *out = NULL;
    (void)in;
    int err = vectors_init(&v, t);
    for (size_t n = 1; n <= v.hops && !err; n++)
        if (json_array_append_new(requests, request_json(&v, n)) != 0 ||
            json_array_append_new(answers, answer_json(&v, n)) != 0)
            err = ERR_CRYPTO;
    if (err)
        tool_fail(t, "vectors", error_text(err));
    else
        out = json_pack(
            "{s:s, s:o, s:i, s:o, s:o, s:O, s:O}", "about",
            "brusio-sphinx vectors: the first n hops of path, for "
            "n = 1, 2, ..; hops[i].packet is what hop i receives, "
            "payload what the last hop hands on",
            "geometry", tool_geometry(&v.view.geometry), "epoch", v.view.epoch,
            "digest", json_hex_make(v.view.digest, SPHINX_DIGEST_LEN), "path",
            path_json(&v), "requests", requests, "answers", answers);
    json_decref(requests);
    json_decref(answers);
    vectors_free(&v);
    return out;
}
