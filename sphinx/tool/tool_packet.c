/* sphinx/tool/tool_packet.c - keygen, new, unwrap and the three steps of a
 * SURB.
 *
 * Each command reads what it needs from its input, calls the library once, and
 * makes an object of the result. State: none but the tool's. No timers. Failure
 * modes: a value is missing or malformed (t->error names its key), or the
 * library refuses (t->error says why); secrets on the stack are wiped on every
 * way out. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "sphinx/tool/tool.h"

/* Say why the library refused. Returns NULL, for the caller to return. */
static json_t *
packet_refuse(struct tool *t, const char *what, int err)
{
    if (err && t->error[0] == '\0')
        tool_fail(t, what, error_text(err));
    return NULL;
}

json_t *
tool_do_keygen(struct tool *t, json_t *in)
{
    uint8_t public_key[SPHINX_PUBLIC_MAX];
    (void)in;
    int err = sphinx_keypair(&t->geometry, public_key, t->seed);
    if (err)
        return packet_refuse(t, "keygen", err);
    return json_pack("{s:o, s:o}", "seed",
                     json_hex_make(t->seed, SPHINX_SEED_LEN), "public_key",
                     json_hex_make(public_key, t->geometry.public_len));
}

json_t *
tool_do_new(struct tool *t, json_t *in)
{
    struct tool_path p;
    uint8_t body[SPHINX_PACKET_MAX], packet[SPHINX_PACKET_MAX];
    int err = tool_get_path(t, in, &p);
    if (!err)
        err = tool_get_body(t, in, body, p.view.geometry.body_len);
    if (!err)
        err = sphinx_create(t->worker, &p.view, p.hop, p.n, t->seed, body,
                            packet);
    if (err)
        return packet_refuse(t, "new", err);
    return json_pack("{s:i, s:o}", "first_hop", p.hop[0].index, "packet",
                     json_hex_make(packet, p.view.geometry.packet_len));
}

static json_t *
block_json(const struct sphinx_job *job)
{
    static const char *const names[] = {
        [SPHINX_FORWARD] = "forward",
        [SPHINX_STORE] = "store",
        [SPHINX_DELIVER] = "deliver",
    };
    const struct sphinx_block *b = &job->block;
    json_t *out =
        json_pack("{s:s, s:i, s:i, s:o}", "command", names[b->command], "delay",
                  b->delay, "deadline", b->deadline, "replay_tag",
                  json_hex_make(job->replay_tag, SPHINX_REPLAY_TAG_LEN));
    if (b->command == SPHINX_FORWARD)
        json_object_set_new(out, "next", json_integer(b->next));
    if (b->command == SPHINX_DELIVER) {
        json_object_set_new(out, "handle",
                            json_hex_make(b->handle, SPHINX_HANDLE_LEN));
        json_object_set_new(out, "surb_id",
                            json_hex_make(b->surb_id, SPHINX_SURB_ID_LEN));
    }
    return out;
}

json_t *
tool_do_unwrap(struct tool *t, json_t *in)
{
    uint8_t packet[SPHINX_PACKET_MAX];
    struct sphinx_geometry g;
    struct sphinx_key *key = NULL;
    uint8_t seed[SPHINX_SEED_LEN], identity[SPHINX_ID_LEN];
    uint8_t digest[SPHINX_DIGEST_LEN];
    json_t *out = NULL;
    struct sphinx_job job = {.packet = packet};
    int err = tool_get_geometry(t, in, &g);
    if (!err)
        err = tool_get_bytes(t, in, "seed", seed, sizeof seed);
    if (!err)
        err = tool_get_bytes(t, in, "identity", identity, sizeof identity);
    if (!err)
        err = tool_get_bytes(t, in, "digest", digest, sizeof digest);
    if (!err)
        err = tool_get_bytes(t, in, "packet", packet, g.packet_len);
    if (!err)
        err = sphinx_key_new(&key, &g, seed, identity, digest);
    if (err)
        goto out;
    job.key = key;
    sphinx_unwrap(t->worker, &g, &job, 1, NULL, NULL);
    if ((err = job.err))
        goto out;
    out = block_json(&job);
    if (job.block.command == SPHINX_FORWARD) {
        json_object_set_new(out, "packet", json_hex_make(packet, g.packet_len));
    } else {
        const uint8_t *payload = packet + g.header_len;
        json_object_set_new(out, "payload",
                            json_hex_make(payload, g.payload_len));
        json_object_set_new(out, "intact",
                            json_boolean(sphinx_payload_is_intact(payload)));
    }
out:
    sodium_memzero(seed, sizeof seed);
    sphinx_key_free(&key);
    return out ? out : packet_refuse(t, "unwrap", err);
}

json_t *
tool_do_surb_create(struct tool *t, json_t *in)
{
    struct tool_path p;
    uint8_t surb[SPHINX_PACKET_MAX];
    uint8_t keys[SPHINX_HOPS_MAX + 1][SPHINX_KEY_LEN];
    struct sphinx_end end;
    int err = tool_get_path(t, in, &p);
    if (!err)
        err = tool_get_bytes(t, in, "handle", end.handle, sizeof end.handle);
    if (!err)
        err = tool_get_bytes(t, in, "surb_id", end.surb_id, sizeof end.surb_id);
    if (!err)
        err = sphinx_surb_create(t->worker, &p.view, p.hop, p.n, &end, t->seed,
                                 surb);
    if (!err)
        err = sphinx_surb_keys(t->worker, &p.view, p.hop, p.n, t->seed, keys);
    if (err)
        return packet_refuse(t, "surb create", err);
    json_t *list = json_array();
    for (size_t i = 0; i <= p.n; i++)
        json_array_append_new(list, json_hex_make(keys[i], SPHINX_KEY_LEN));
    sodium_memzero(keys, sizeof keys);
    return json_pack("{s:o, s:o, s:o}", "surb",
                     json_hex_make(surb, p.view.geometry.surb_len), "seed",
                     json_hex_make(t->seed, SPHINX_SEED_LEN), "keys", list);
}

json_t *
tool_do_surb_use(struct tool *t, json_t *in)
{
    uint8_t surb[SPHINX_PACKET_MAX], body[SPHINX_PACKET_MAX];
    uint8_t packet[SPHINX_PACKET_MAX];
    struct sphinx_geometry g;
    uint16_t first = 0;
    int err = tool_get_geometry(t, in, &g);
    if (!err)
        err = tool_get_bytes(t, in, "surb", surb, g.surb_len);
    if (!err)
        err = tool_get_body(t, in, body, g.body_len);
    if (!err)
        err = sphinx_surb_use(t->worker, &g, surb, body, packet, &first);
    if (err)
        return packet_refuse(t, "surb use", err);
    return json_pack("{s:i, s:o}", "first_hop", first, "packet",
                     json_hex_make(packet, g.packet_len));
}

/* Read the n + 1 keys that `surb create` printed. */
static int
keys_read(struct tool *t, json_t *in, uint8_t (*keys)[SPHINX_KEY_LEN],
          size_t *n)
{
    json_t *list = json_object_get(in, "keys");
    size_t len = json_array_size(list);
    if (len < 2 || len > SPHINX_HOPS_MAX + 1)
        return tool_fail(t, "keys", "2 to 9 keys are required");
    for (size_t i = 0; i < len; i++) {
        json_t *o = json_pack("{s:O}", "keys", json_array_get(list, i));
        int err = tool_get_bytes(t, o, "keys", keys[i], SPHINX_KEY_LEN);
        json_decref(o);
        if (err)
            return err;
    }
    *n = len - 1;
    return 0;
}

json_t *
tool_do_surb_open(struct tool *t, json_t *in)
{
    uint8_t payload[SPHINX_PACKET_MAX];
    uint8_t keys[SPHINX_HOPS_MAX + 1][SPHINX_KEY_LEN];
    struct sphinx_geometry g;
    size_t n = 0;
    int err = tool_get_geometry(t, in, &g);
    if (!err)
        err = tool_get_bytes(t, in, "payload", payload, g.payload_len);
    if (!err)
        err = keys_read(t, in, keys, &n);
    if (!err)
        err = sphinx_surb_open_keys(
            t->worker, &g, (const uint8_t(*)[SPHINX_KEY_LEN])keys, n, payload);
    sodium_memzero(keys, sizeof keys);
    if (err)
        return packet_refuse(t, "surb open", err);
    return json_pack("{s:o}", "body",
                     json_hex_make(payload + SPHINX_TAG_LEN, g.body_len));
}
