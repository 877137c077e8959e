/* sphinx/tool/tool_json.c - values of brusio-sphinx's JSON. State: none. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sphinx/cipher.h"
#include "sphinx/tool/tool.h"

int
tool_fail(struct tool *t, const char *key, const char *why)
{
    snprintf(t->error, sizeof t->error, "%s: %s", key, why);
    return ERR_FORMAT;
}

/* Read a value in hex. Returns the number of bytes, or -1 with the reason in
 * t->error. */
static int
hex_read(struct tool *t, json_t *in, const char *key, uint8_t *out, size_t max)
{
    const char *hex = json_string_value(json_object_get(in, key));
    const char *end = NULL;
    size_t len = 0;
    if (!hex) {
        tool_fail(t, key, "a hexadecimal string is required");
        return -1;
    }
    if (sodium_hex2bin(out, max, hex, strlen(hex), NULL, &len, &end) != 0 ||
        *end != '\0') {
        tool_fail(t, key, "too long, or not hexadecimal");
        return -1;
    }
    return (int)len;
}

int
tool_get_bytes(struct tool *t, json_t *in, const char *key, uint8_t *out,
               size_t len)
{
    int got = hex_read(t, in, key, out, len);
    if (got < 0)
        return ERR_FORMAT;
    if ((size_t)got == len)
        return 0;
    snprintf(t->error, sizeof t->error, "%s: %zu hexadecimal digits expected",
             key, 2 * len);
    return ERR_SHORT;
}

int
tool_get_body(struct tool *t, json_t *in, uint8_t *out, size_t len)
{
    memset(out, 0, len);
    return hex_read(t, in, "body", out, len) < 0 ? ERR_FORMAT : 0;
}

static int
number_read(struct tool *t, json_t *in, const char *key, uint32_t max,
            uint32_t *out)
{
    json_t *value = json_object_get(in, key);
    json_int_t n = json_integer_value(value);
    if (!json_is_integer(value) || n < 0 || n > max) {
        snprintf(t->error, sizeof t->error,
                 "%s: a whole number from 0 to %lu is required", key,
                 (unsigned long)max);
        return ERR_RANGE;
    }
    *out = (uint32_t)n;
    return 0;
}

int
tool_suite(struct tool *t, const char *where, const char *name, uint8_t *suite)
{
    if (sphinx_suite_from_name(name, suite) || *suite == SPHINX_SUITE_NULL)
        return tool_fail(t, where, "x25519 or x25519-mlkem768 is required");
    if (sphinx_suite_works(*suite))
        return 0;
    snprintf(t->error, sizeof t->error,
             "%s: %s needs OpenSSL 3.5 or newer; this is %s", where, name,
             cipher_library_version());
    return ERR_SUITE;
}

int
tool_get_geometry(struct tool *t, json_t *in, struct sphinx_geometry *g)
{
    uint32_t hops, packet_len, delay_unit_us;
    json_t *o = json_object_get(in, "geometry");
    if (!o) {
        sphinx_geometry_default(g);
        return 0;
    }
    const char *name = json_string_value(json_object_get(o, "suite"));
    uint8_t suite;
    int err = tool_suite(t, "geometry.suite", name ? name : "", &suite);
    if (err)
        return err;
    err = number_read(t, o, "hops", SPHINX_HOPS_MAX, &hops);
    if (!err)
        err = number_read(t, o, "packet_len", SPHINX_PACKET_MAX, &packet_len);
    if (!err)
        err = number_read(t, o, "delay_unit_us", UINT32_MAX, &delay_unit_us);
    if (err)
        return err;
    err = sphinx_geometry_init(g, suite, (uint8_t)hops, (uint16_t)packet_len,
                               delay_unit_us);
    if (err)
        tool_fail(t, "geometry", error_text(err));
    return err;
}

json_t *
tool_geometry(const struct sphinx_geometry *g)
{
    return json_pack(
        "{s:s, s:i, s:i, s:I, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "suite",
        sphinx_suite_name(g->suite), "hops", g->hops, "packet_len",
        g->packet_len, "delay_unit_us", (json_int_t)g->delay_unit_us,
        "element_len", g->element_len, "public_len", g->public_len, "block_len",
        g->block_len, "routing_len", g->routing_len, "header_len",
        g->header_len, "payload_len", g->payload_len, "body_len", g->body_len,
        "surb_len", g->surb_len);
}

static int
hop_read(struct tool *t, json_t *o, struct tool_path *p, size_t i)
{
    struct sphinx_hop *hop = &p->hop[i];
    uint32_t index, delay, deadline;
    int err = tool_get_bytes(t, o, "public_key", p->public_key[i],
                             p->view.geometry.public_len);
    if (!err)
        err = tool_get_bytes(t, o, "identity", p->identity[i], SPHINX_ID_LEN);
    if (!err)
        err = number_read(t, o, "index", UINT16_MAX, &index);
    if (!err)
        err = number_read(t, o, "delay", UINT16_MAX, &delay);
    if (!err)
        err = number_read(t, o, "deadline", UINT16_MAX, &deadline);
    if (err)
        return err;
    *hop = (struct sphinx_hop){.public_key = p->public_key[i],
                               .identity = p->identity[i],
                               .index = (uint16_t)index,
                               .delay = (uint16_t)delay,
                               .deadline = (uint16_t)deadline};
    return 0;
}

int
tool_get_path(struct tool *t, json_t *in, struct tool_path *p)
{
    uint32_t epoch;
    int err = tool_get_geometry(t, in, &p->view.geometry);
    if (!err)
        err = number_read(t, in, "epoch", 255, &epoch);
    if (!err)
        err =
            tool_get_bytes(t, in, "digest", p->view.digest, SPHINX_DIGEST_LEN);
    if (err)
        return err;
    p->view.epoch = (uint8_t)epoch;
    json_t *list = json_object_get(in, "path");
    p->n = json_array_size(list);
    if (p->n < 1 || p->n > p->view.geometry.hops)
        return tool_fail(t, "path", "must have 1 hop to geometry.hops hops");
    for (size_t i = 0; i < p->n; i++) {
        err = hop_read(t, json_array_get(list, i), p, i);
        if (err) {
            char why[sizeof t->error];
            memcpy(why, t->error, sizeof why);
            snprintf(t->error, sizeof t->error, "path[%zu].%.120s", i, why);
            return err;
        }
    }
    return 0;
}
