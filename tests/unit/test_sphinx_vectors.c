/* tests/unit/test_sphinx_vectors.c - the committed vectors against the
 * library, against a second implementation of a hop written here from
 * doc/PROTOCOL.md with libsodium's calls, and against the tool. */
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sphinx/cipher.h"
#include "lib/error.h"
#include "sphinx/sphinx.h"
#include "sphinx/tool/tool.h"
#include "tests/runner.h"

#define VECTORS        "tests/vectors/sphinx.json"
#define VECTORS_HYBRID "tests/vectors/sphinx-mlkem768.json"
enum { HOPS = 5, LEN = 1024, B = 55, ROUTING = 275, HEADER = 325 };
enum { HYBRID_LEN = 4096 };

static void
bytes(json_t *object, const char *key, uint8_t *out, size_t len)
{
    const char *hex = json_string_value(json_object_get(object, key));
    size_t got = 0;
    assert_non_null(hex);
    assert_int_equal(
        sodium_hex2bin(out, len, hex, strlen(hex), NULL, &got, NULL), 0);
    assert_int_equal(got, len);
    assert_int_equal(strlen(hex), 2 * len);
}

static void
equals(json_t *object, const char *key, const uint8_t *want, size_t len)
{
    uint8_t got[LEN];
    bytes(object, key, got, len);
    assert_memory_equal(got, want, len);
}

static int
number(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    assert_true(json_is_integer(value));
    return (int)json_integer_value(value);
}

/* The file's network, as a sender sees it and as its relays are keyed. */
struct network {
    json_t *root;
    struct sphinx_worker *worker;
    struct sphinx_view view;
    struct sphinx_hop path[HOPS];
    struct sphinx_key *key[HOPS];
    uint8_t seed[HOPS][32], public_key[HOPS][32], identity[HOPS][32];
};

static void
network_read(struct network *n)
{
    json_error_t e;
    memset(n, 0, sizeof *n);
    n->root = json_load_file(VECTORS, JSON_REJECT_DUPLICATES, &e);
    assert_non_null(n->root);
    assert_int_equal(sphinx_geometry_init(&n->view.geometry,
                                          SPHINX_SUITE_X25519, HOPS, LEN, 1000),
                     0);
    assert_int_equal(n->view.geometry.header_len, HEADER);
    assert_int_equal(sphinx_worker_new(&n->worker), 0);
    n->view.epoch = (uint8_t)number(n->root, "epoch");
    bytes(n->root, "digest", n->view.digest, 32);
    json_t *path = json_object_get(n->root, "path");
    assert_int_equal(json_array_size(path), HOPS);
    for (size_t i = 0; i < HOPS; i++) {
        json_t *o = json_array_get(path, i);
        bytes(o, "seed", n->seed[i], 32);
        bytes(o, "public_key", n->public_key[i], 32);
        bytes(o, "identity", n->identity[i], 32);
        n->path[i] =
            (struct sphinx_hop){.public_key = n->public_key[i],
                                .identity = n->identity[i],
                                .index = (uint16_t)number(o, "index"),
                                .delay = (uint16_t)number(o, "delay"),
                                .deadline = (uint16_t)number(o, "deadline")};
        assert_int_equal(sphinx_key_new(&n->key[i], &n->view.geometry,
                                        n->seed[i], n->identity[i],
                                        n->view.digest),
                         0);
    }
}

static void
network_free(struct network *n)
{
    for (size_t i = 0; i < HOPS; i++)
        sphinx_key_free(&n->key[i]);
    sphinx_worker_free(&n->worker);
    json_decref(n->root);
}

/* The keys of PROTOCOL.md 3.1 for hop i of the packet; compared with the
 * file's. okm is header key | payload key, k the stream K. */
static void
model_keys(const struct network *n, size_t i, json_t *o, const uint8_t *packet,
           uint8_t okm[64], uint8_t k[64 + ROUTING + B])
{
    static const uint8_t nonce[8];
    uint8_t s[32], ctx[32], in[64], text[20 + 1 + 96];
    assert_int_equal(crypto_scalarmult(s, n->seed[i], packet + 2), 0);
    memcpy(text, "brusio/1 hop context", 20);
    text[20] = 1;
    memcpy(text + 21, n->view.digest, 32);
    memcpy(text + 53, n->identity[i], 32);
    memcpy(text + 85, n->public_key[i], 32);
    crypto_generichash(ctx, 32, text, sizeof text, NULL, 0);
    memcpy(in, ctx, 32);
    memcpy(in + 32, packet + 2, 32);
    crypto_generichash(okm, 64, in, 64, s, 32);
    crypto_stream_chacha20(k, 64 + ROUTING + B, nonce, okm);
    equals(o, "element", packet + 2, 32);
    equals(o, "shared_secret", s, 32);
    equals(o, "context", ctx, 32);
    equals(o, "header_key", okm, 32);
    equals(o, "payload_key", okm + 32, 32);
    equals(o, "mac_key", k, 32);
    equals(o, "replay_tag", k + 32, 16);
    equals(o, "keystream", k + 64, ROUTING + B);
}

/* PROTOCOL.md 3.2, without the library: packet becomes the next hop's. */
static void
model_unwrap(const struct network *n, size_t i, json_t *o, uint8_t *packet)
{
    uint8_t okm[64], k[64 + ROUTING + B], mac[16], wide[ROUTING + B] = {0};
    struct cipher *c;
    model_keys(n, i, o, packet, okm, k);
    crypto_onetimeauth(mac, packet, HEADER - 16, k);
    assert_memory_equal(mac, packet + HEADER - 16, 16);
    memcpy(wide, packet + 34, ROUTING);
    for (size_t j = 0; j < sizeof wide; j++)
        wide[j] ^= k[64 + j];
    equals(o, "block", wide, B);
    memcpy(packet + 2, wide + 7, 32);
    memcpy(packet + 34, wide + B, ROUTING);
    memcpy(packet + HEADER - 16, wide + 39, 16);
    assert_int_equal(cipher_new(&c), 0);
    assert_int_equal(cipher_hpolyc(c, okm + 32, NULL, 0, packet + HEADER,
                                   LEN - HEADER, false),
                     0);
    cipher_free(&c);
}

/* The way of one packet through library and model at once. */
static void
replay_hops(struct network *n, json_t *vector, size_t hops,
            const uint8_t *start)
{
    uint8_t packet[LEN], model[LEN];
    json_t *list = json_object_get(vector, "hops");
    assert_int_equal(json_array_size(list), hops);
    memcpy(packet, start, LEN);
    for (size_t i = 0; i < hops; i++) {
        json_t *o = json_array_get(list, i);
        equals(o, "packet", packet, LEN);
        memcpy(model, packet, LEN);
        model_unwrap(n, i, o, model);
        struct sphinx_job job = {.packet = packet, .key = n->key[i]};
        sphinx_unwrap(n->worker, &n->view.geometry, &job, 1, NULL, NULL);
        assert_int_equal(job.err, 0);
        equals(o, "replay_tag", job.replay_tag, SPHINX_REPLAY_TAG_LEN);
        assert_int_equal(job.block.delay, n->path[i].delay);
        assert_int_equal(job.block.deadline, n->path[i].deadline);
        assert_memory_equal(packet + HEADER, model + HEADER, LEN - HEADER);
        if (i + 1 < hops) {
            assert_int_equal(job.block.next, n->path[i + 1].index);
            assert_memory_equal(packet, model, LEN);
        } else if (job.block.command == SPHINX_DELIVER) {
            equals(vector, "handle", job.block.handle, SPHINX_HANDLE_LEN);
            equals(vector, "surb_id", job.block.surb_id, SPHINX_SURB_ID_LEN);
        } else {
            assert_int_equal(job.block.command, SPHINX_STORE);
        }
    }
    equals(vector, "payload", packet + HEADER, LEN - HEADER);
}

static void
requests_replay(void **state)
{
    (void)state;
    struct network n;
    uint8_t seed[32], body[LEN], packet[LEN], payload[LEN] = {0};
    network_read(&n);
    json_t *list = json_object_get(n.root, "requests");
    assert_int_equal(json_array_size(list), HOPS);
    for (size_t hops = 1; hops <= HOPS; hops++) {
        json_t *v = json_array_get(list, hops - 1);
        bytes(v, "seed", seed, 32);
        bytes(v, "body", body, n.view.geometry.body_len);
        assert_int_equal(
            sphinx_create(n.worker, &n.view, n.path, hops, seed, body, packet),
            0);
        replay_hops(&n, v, hops, packet);
        memcpy(payload + 16, body, n.view.geometry.body_len);
        equals(v, "payload", payload, LEN - HEADER);
    }
    network_free(&n);
}

static void
answers_replay(void **state)
{
    (void)state;
    struct network n;
    struct sphinx_end end;
    uint8_t seed[32], body[LEN], packet[LEN], surb[359], payload[LEN];
    uint8_t keys[HOPS + 1][SPHINX_KEY_LEN], key[SPHINX_KEY_LEN];
    uint16_t first = 0;
    network_read(&n);
    const struct sphinx_geometry *g = &n.view.geometry;
    json_t *list = json_object_get(n.root, "answers");
    assert_int_equal(json_array_size(list), HOPS);
    for (size_t hops = 1; hops <= HOPS; hops++) {
        json_t *v = json_array_get(list, hops - 1);
        bytes(v, "seed", seed, 32);
        bytes(v, "body", body, g->body_len);
        bytes(v, "handle", end.handle, sizeof end.handle);
        bytes(v, "surb_id", end.surb_id, sizeof end.surb_id);
        assert_int_equal(sphinx_surb_create(n.worker, &n.view, n.path, hops,
                                            &end, seed, surb),
                         0);
        equals(v, "surb", surb, sizeof surb);
        assert_int_equal(
            sphinx_surb_use(n.worker, g, surb, body, packet, &first), 0);
        assert_int_equal(first, n.path[0].index);
        replay_hops(&n, v, hops, packet);
        assert_int_equal(
            sphinx_surb_keys(n.worker, &n.view, n.path, hops, seed, keys), 0);
        for (size_t i = 0; i <= hops; i++) {
            const char *hex = json_string_value(
                json_array_get(json_object_get(v, "keys"), i));
            assert_int_equal(sodium_hex2bin(key, 32, hex, 64, NULL, NULL, NULL),
                             0);
            assert_memory_equal(keys[i], key, 32);
        }
        bytes(v, "payload", payload, LEN - HEADER);
        assert_int_equal(
            sphinx_surb_open(n.worker, &n.view, n.path, hops, seed, payload),
            0);
        assert_memory_equal(payload + 16, body, g->body_len);
    }
    network_free(&n);
}

/* `brusio-sphinx vectors` prints the committed file, octet for octet. */
static void
prints(const struct sphinx_geometry *g, const char *path)
{
    struct tool t = {.error = "", .geometry = *g};
    assert_int_equal(sphinx_worker_new(&t.worker), 0);
    json_t *out = tool_do_vectors(&t, NULL);
    assert_non_null(out);
    char *text = json_dumps(out, TOOL_JSON_FLAGS);
    assert_non_null(text);
    size_t len = strlen(text);
    char *file = malloc(len + 2);
    FILE *f = fopen(path, "rb");
    assert_non_null(file);
    assert_non_null(f);
    assert_int_equal(fread(file, 1, len + 2, f), len + 1);
    fclose(f);
    assert_memory_equal(file, text, len);
    assert_int_equal(file[len], '\n');
    free(file);
    free(text);
    json_decref(out);
    sphinx_worker_free(&t.worker);
}

static void
tool_prints_the_committed_vectors(void **state)
{
    (void)state;
    struct sphinx_geometry g;
    sphinx_geometry_default(&g);
    prints(&g, VECTORS);
    if (sphinx_geometry_init(&g, SPHINX_SUITE_X25519_MLKEM768, 5, 16384, 1000))
        puts("  this OpenSSL has no ML-KEM: its vectors are not checked");
    else
        prints(&g, VECTORS_HYBRID);
}

/* A suite the library cannot do is said to be so, and why. */
static void
missing_suite_is_named(void **state)
{
    (void)state;
    struct tool t = {.error = ""};
    uint8_t suite;
    assert_int_equal(tool_suite(&t, "--suite", "x25519", &suite), 0);
    assert_int_equal(suite, SPHINX_SUITE_X25519);
    assert_int_equal(tool_suite(&t, "--suite", "null", &suite), ERR_FORMAT);
    assert_string_equal(t.error,
                        "--suite: x25519 or x25519-mlkem768 is required");
    t.error[0] = 0;
    int err = tool_suite(&t, "--suite", "x25519-mlkem768", &suite);
    if (sphinx_suite_works(SPHINX_SUITE_X25519_MLKEM768)) {
        assert_int_equal(err, 0);
    } else {
        assert_int_equal(err, ERR_SUITE);
        assert_non_null(strstr(t.error, "needs OpenSSL 3.5 or newer; this is"));
    }
}

/* Public keys that are none: coefficients of 12 bits that are not below q. */
static void
wrong_mlkem_keys_are_refused(void **state)
{
    (void)state;
    static uint8_t public_key[SPHINX_PUBLIC_MAX], body[HYBRID_LEN];
    static uint8_t packet[HYBRID_LEN];
    uint8_t seed[SPHINX_SEED_LEN] = {1}, identity[SPHINX_ID_LEN] = {2};
    struct sphinx_view view = {.epoch = 1};
    struct sphinx_worker *w;
    struct sphinx_hop hop = {.public_key = public_key, .identity = identity};
    if (sphinx_geometry_init(&view.geometry, SPHINX_SUITE_X25519_MLKEM768, 2,
                             HYBRID_LEN, 1000)) {
        puts("  this OpenSSL has no ML-KEM");
        return;
    }
    assert_int_equal(sphinx_worker_new(&w), 0);
    assert_int_equal(sphinx_keypair(&view.geometry, public_key, seed), 0);
    assert_int_equal(sphinx_create(w, &view, &hop, 1, seed, body, packet), 0);
    public_key[32] = public_key[33] = 0xff;
    assert_int_equal(sphinx_create(w, &view, &hop, 1, seed, body, packet),
                     ERR_POINT);
    sphinx_worker_free(&w);
}

/* ---- the tool's other commands, joined as a user would ---- */

static json_t *
step(json_t *(*command)(struct tool *, json_t *), struct tool *t, json_t *in)
{
    json_t *out = command(t, in);
    assert_non_null(out);
    assert_string_equal(t->error, "");
    return out;
}

/* in of the k-th hop: the network, the relay's secrets and the packet. */
static json_t *
hop_input(json_t *root, json_t *base, size_t k, json_t *packet)
{
    json_t *relay = json_array_get(json_object_get(root, "path"), k);
    json_t *in = json_copy(base);
    json_object_set(in, "seed", json_object_get(relay, "seed"));
    json_object_set(in, "identity", json_object_get(relay, "identity"));
    json_object_set(in, "packet", packet);
    return in;
}

static void
tool_answers_with_a_surb(void **state)
{
    (void)state;
    json_t *root = json_load_file(VECTORS, 0, NULL);
    json_t *base =
        json_pack("{s:O, s:O, s:O, s:O, s:s, s:s, s:s}", "geometry",
                  json_object_get(root, "geometry"), "epoch",
                  json_object_get(root, "epoch"), "digest",
                  json_object_get(root, "digest"), "path",
                  json_object_get(root, "path"), "handle", "0001020304050607",
                  "surb_id", "08090a0b0c0d0e0f", "body", "c0ffee");
    struct tool t = {.seed = {1}, .error = ""};
    assert_int_equal(sphinx_worker_new(&t.worker), 0);
    json_t *surb = step(tool_do_surb_create, &t, base);
    json_object_update(base, surb);
    json_t *hop = step(tool_do_surb_use, &t, base);
    assert_int_equal(number(hop, "first_hop"), 260);
    for (size_t k = 0; k < HOPS; k++) {
        json_t *in = hop_input(root, base, k, json_object_get(hop, "packet"));
        json_decref(hop);
        hop = step(tool_do_unwrap, &t, in);
        json_decref(in);
    }
    assert_string_equal(json_string_value(json_object_get(hop, "surb_id")),
                        "08090a0b0c0d0e0f");
    json_object_set(base, "payload", json_object_get(hop, "payload"));
    json_t *answer = step(tool_do_surb_open, &t, base);
    const char *body = json_string_value(json_object_get(answer, "body"));
    assert_memory_equal(body, "c0ffee0000", 10);
    json_decref(answer);
    json_decref(hop);
    json_decref(surb);
    json_decref(base);
    json_decref(root);
    sphinx_worker_free(&t.worker);
}

/* Each line takes one value out of a good input or spoils it; the error names
 * the value. */
static void
tool_names_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *key, *json, *error;
    } bad[] = {
        {"epoch", "256", "epoch: a whole number from 0 to 255 is required"},
        {"epoch", "null", "epoch: a whole number from 0 to 255 is required"},
        {"digest", "\"00\"", "digest: 64 hexadecimal digits expected"},
        {"digest", "7", "digest: a hexadecimal string is required"},
        {"digest", "\"0g\"", "digest: too long, or not hexadecimal"},
        {"path", "[]", "path: must have 1 hop to geometry.hops hops"},
        {"path", "[{}]",
         "path[0].public_key: a hexadecimal string is required"},
        {"geometry", "{}",
         "geometry.suite: x25519 or x25519-mlkem768 is required"},
        {"geometry",
         "{\"suite\":\"x25519\",\"hops\":5,\"packet_len\":9,"
         "\"delay_unit_us\":1}",
         "geometry: value out of range"},
        {"body", "\"0\"", "body: too long, or not hexadecimal"},
    };
    json_t *root = json_load_file(VECTORS, 0, NULL);
    json_object_set_new(root, "body", json_string("00"));
    for (size_t i = 0; i <= sizeof bad / sizeof *bad; i++) {
        struct tool t = {.error = ""};
        json_t *in = json_copy(root);
        if (i < sizeof bad / sizeof *bad)
            json_object_set_new(in, bad[i].key,
                                json_loads(bad[i].json, JSON_DECODE_ANY, NULL));
        assert_int_equal(sphinx_worker_new(&t.worker), 0);
        json_t *out = tool_do_new(&t, in);
        if (i < sizeof bad / sizeof *bad) {
            assert_null(out);
            assert_string_equal(t.error, bad[i].error);
        } else {
            assert_non_null(out); /* unspoilt, it works */
        }
        json_decref(out);
        json_decref(in);
        sphinx_worker_free(&t.worker);
    }
    json_decref(root);
}

const struct CMUnitTest test_sphinx_vectors[] = {
    cmocka_unit_test(requests_replay),
    cmocka_unit_test(answers_replay),
    cmocka_unit_test(tool_prints_the_committed_vectors),
    cmocka_unit_test(missing_suite_is_named),
    cmocka_unit_test(wrong_mlkem_keys_are_refused),
    cmocka_unit_test(tool_answers_with_a_surb),
    cmocka_unit_test(tool_names_what_is_wrong),
};
TEST_SUITE(test_sphinx_vectors);
