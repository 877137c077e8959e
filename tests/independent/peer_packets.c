/* tests/independent/peer_packets.c - packets and SURBs (PROTOCOL.md 2 and 3). */
#include <string.h>

#include "tests/independent/peer.h"

/* A request's "geometry", and for makers "epoch", "digest" and "path". */
struct task {
    struct sphinx_view view;
    size_t n;
    struct sphinx_hop hop[SPHINX_HOPS_MAX + 1];
};

static int
geometry_get(struct peer *p, struct sphinx_geometry *g)
{
    return sphinx_geometry_init(
        g, (uint8_t)peer_get_number(p, "suite", UINT8_MAX),
        (uint8_t)peer_get_number(p, "hops", UINT8_MAX),
        (uint16_t)peer_get_number(p, "packet_len", UINT16_MAX),
        (uint32_t)peer_get_number(p, "delay_unit_us", UINT32_MAX));
}

static uint16_t
number_of(const json_t *object, const char *key)
{
    return (uint16_t)json_integer_value(json_object_get(object, key));
}

static int
task_get(struct peer *p, struct task *t)
{
    int err = geometry_get(p, &t->view.geometry);
    if (err)
        return err;
    t->view.epoch = (uint8_t)peer_get_number(p, "epoch", UINT8_MAX);
    memcpy(t->view.digest, peer_get_exact(p, "digest", SPHINX_DIGEST_LEN),
           SPHINX_DIGEST_LEN);
    const json_t *path = peer_get_list(p, "path");
    t->n = json_array_size(path);
    if (t->n > SPHINX_HOPS_MAX)
        peer_fail("path", "is too long");
    for (size_t i = 0; i < t->n; i++) {
        const json_t *hop = json_array_get(path, i);
        uint8_t *identity = peer_alloc(p, SPHINX_ID_LEN);
        uint8_t *public_key = peer_alloc(p, t->view.geometry.public_len);
        peer_unhex(hop, "identity", identity, SPHINX_ID_LEN);
        peer_unhex(hop, "public", public_key, t->view.geometry.public_len);
        t->hop[i] = (struct sphinx_hop){.public_key = public_key,
                                        .identity = identity,
                                        .index = number_of(hop, "index"),
                                        .delay = number_of(hop, "delay"),
                                        .deadline = number_of(hop, "deadline")};
    }
    return 0;
}

static int
suite_works(struct peer *p)
{
    uint8_t suite = (uint8_t)peer_get_number(p, "suite", UINT8_MAX);
    peer_say_number(p, "works", sphinx_suite_works(suite));
    return 0;
}

static int
geometry(struct peer *p)
{
    struct sphinx_geometry g;
    int err = geometry_get(p, &g);
    if (err)
        return err;
    peer_say_number(p, "element_len", g.element_len);
    peer_say_number(p, "public_len", g.public_len);
    peer_say_number(p, "block_len", g.block_len);
    peer_say_number(p, "routing_len", g.routing_len);
    peer_say_number(p, "header_len", g.header_len);
    peer_say_number(p, "payload_len", g.payload_len);
    peer_say_number(p, "body_len", g.body_len);
    peer_say_number(p, "surb_len", g.surb_len);
    return 0;
}

static int
keypair(struct peer *p)
{
    struct sphinx_geometry g;
    uint8_t public_key[SPHINX_PUBLIC_MAX];
    int err = geometry_get(p, &g);
    if (!err)
        err = sphinx_keypair(&g, public_key,
                             peer_get_exact(p, "seed", SPHINX_SEED_LEN));
    if (!err)
        peer_say_bytes(p, "public", public_key, g.public_len);
    return err;
}

static int
public_check(struct peer *p)
{
    struct sphinx_geometry g;
    int err = geometry_get(p, &g);
    return err ? err
               : sphinx_public_check(&g,
                                     peer_get_exact(p, "public", g.public_len));
}

static int
request_make(struct peer *p)
{
    struct task t;
    int err = task_get(p, &t);
    if (err)
        return err;
    const struct sphinx_geometry *g = &t.view.geometry;
    uint8_t *packet = peer_alloc(p, g->packet_len);
    err = sphinx_create(p->worker, &t.view, t.hop, t.n,
                        peer_get_exact(p, "seed", SPHINX_SEED_LEN),
                        peer_get_exact(p, "body", g->body_len), packet);
    if (!err)
        peer_say_bytes(p, "packet", packet, g->packet_len);
    return err;
}

static int
surb_make(struct peer *p)
{
    struct task t;
    struct sphinx_end end;
    uint8_t keys[SPHINX_HOPS_MAX + 1][SPHINX_KEY_LEN];
    int err = task_get(p, &t);
    if (err)
        return err;
    const struct sphinx_geometry *g = &t.view.geometry;
    const uint8_t *seed = peer_get_exact(p, "seed", SPHINX_SEED_LEN);
    uint8_t *surb = peer_alloc(p, g->surb_len);
    memcpy(end.handle, peer_get_exact(p, "handle", SPHINX_HANDLE_LEN),
           SPHINX_HANDLE_LEN);
    memcpy(end.surb_id, peer_get_exact(p, "surb_id", SPHINX_SURB_ID_LEN),
           SPHINX_SURB_ID_LEN);
    err = sphinx_surb_create(p->worker, &t.view, t.hop, t.n, &end, seed, surb);
    if (!err)
        err = sphinx_surb_keys(p->worker, &t.view, t.hop, t.n, seed, keys);
    if (err)
        return err;
    peer_say_bytes(p, "surb", surb, g->surb_len);
    peer_say_bytes(p, "keys", keys, (t.n + 1) * SPHINX_KEY_LEN);
    return 0;
}

static int
surb_use(struct peer *p)
{
    struct sphinx_geometry g;
    uint16_t first = 0;
    int err = geometry_get(p, &g);
    if (err)
        return err;
    uint8_t *packet = peer_alloc(p, g.packet_len);
    err =
        sphinx_surb_use(p->worker, &g, peer_get_exact(p, "surb", g.surb_len),
                        peer_get_exact(p, "body", g.body_len), packet, &first);
    if (err)
        return err;
    peer_say_bytes(p, "packet", packet, g.packet_len);
    peer_say_number(p, "first", first);
    return 0;
}

static int
surb_open(struct peer *p)
{
    struct sphinx_geometry g;
    size_t len;
    int err = geometry_get(p, &g);
    if (err)
        return err;
    const uint8_t *keys = peer_get_bytes(p, "keys", &len);
    uint8_t *payload = peer_get_exact(p, "payload", g.payload_len);
    if (len < SPHINX_KEY_LEN)
        peer_fail("keys", "are none");
    err = sphinx_surb_open_keys(
        p->worker, &g, (const uint8_t(*)[SPHINX_KEY_LEN])(const void *)keys,
        len / SPHINX_KEY_LEN - 1, payload);
    if (!err)
        peer_say_bytes(p, "body", payload + SPHINX_TAG_LEN, g.body_len);
    return err;
}

static void
block_say(struct peer *p, const struct sphinx_job *job)
{
    const struct sphinx_block *b = &job->block;
    peer_say_number(p, "command", b->command);
    peer_say_number(p, "next", b->next);
    peer_say_number(p, "delay", b->delay);
    peer_say_number(p, "deadline", b->deadline);
    peer_say_bytes(p, "tag", job->replay_tag, SPHINX_REPLAY_TAG_LEN);
    if (b->command == SPHINX_DELIVER) {
        peer_say_bytes(p, "handle", b->handle, SPHINX_HANDLE_LEN);
        peer_say_bytes(p, "surb_id", b->surb_id, SPHINX_SURB_ID_LEN);
    }
}

static int
unwrap(struct peer *p)
{
    struct sphinx_geometry g;
    struct sphinx_key *key = NULL;
    int err = geometry_get(p, &g);
    if (err)
        return err;
    uint8_t *packet = peer_get_exact(p, "packet", g.packet_len);
    err = sphinx_key_new(&key, &g, peer_get_exact(p, "seed", SPHINX_SEED_LEN),
                         peer_get_exact(p, "identity", SPHINX_ID_LEN),
                         peer_get_exact(p, "digest", SPHINX_DIGEST_LEN));
    if (err)
        return err;
    const int is_known = packet[1] == peer_get_number(p, "epoch", UINT8_MAX);
    struct sphinx_job job = {.packet = packet, .key = is_known ? key : NULL};
    sphinx_unwrap(p->worker, &g, &job, 1, NULL, NULL);
    if (!job.err) {
        block_say(p, &job);
        peer_say_bytes(p, "header", packet, g.header_len);
        peer_say_bytes(p, "payload", packet + g.header_len, g.payload_len);
        peer_say_number(p, "intact",
                        sphinx_payload_is_intact(packet + g.header_len));
    }
    sphinx_key_free(&key);
    return job.err;
}

const struct peer_command peer_packets[] = {
    {"suite_works", suite_works},
    {"geometry", geometry},
    {"keypair", keypair},
    {"public_check", public_check},
    {"request_make", request_make},
    {"surb_make", surb_make},
    {"surb_use", surb_use},
    {"surb_open", surb_open},
    {"unwrap", unwrap},
    {NULL, NULL},
};
