/* tests/independent/peer.c - reads requests, runs commands, writes answers. */
#include "tests/independent/peer.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/codec.h"

static const struct peer_command *const all[] = {
    peer_packets,  peer_frames,    peer_letters,     peer_sessions,
    peer_networks, peer_documents, peer_authorities,
};

void
peer_fail(const char *key, const char *why)
{
    fprintf(stderr, "peer: '%s' %s\n", key, why);
    exit(2);
}

void *
peer_alloc(struct peer *p, size_t len)
{
    void *memory = calloc(1, len ? len : 1);
    if (!memory || p->n_owned == sizeof p->owned / sizeof p->owned[0])
        peer_fail("memory", "is out");
    p->owned[p->n_owned++] = memory;
    return memory;
}

int
peer_has(const struct peer *p, const char *key)
{
    return json_object_get(p->in, key) != NULL;
}

static const char *
text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (!text)
        peer_fail(key, "is no text");
    return text;
}

const char *
peer_get_text(struct peer *p, const char *key)
{
    return text_of(p->in, key);
}

uint8_t *
peer_get_bytes(struct peer *p, const char *key, size_t *len)
{
    const char *hex = peer_get_text(p, key);
    *len = strlen(hex) / 2;
    uint8_t *bytes = peer_alloc(p, *len);
    if (codec_unhex(bytes, *len, hex))
        peer_fail(key, "is no hex");
    return bytes;
}

void
peer_unhex(const json_t *object, const char *key, uint8_t *out, size_t len)
{
    if (codec_unhex(out, len, text_of(object, key)))
        peer_fail(key, "is no hex of this length");
}

uint8_t *
peer_get_exact(struct peer *p, const char *key, size_t len)
{
    uint8_t *bytes = peer_alloc(p, len);
    peer_unhex(p->in, key, bytes, len);
    return bytes;
}

uint64_t
peer_get_number(struct peer *p, const char *key, uint64_t max)
{
    const json_t *value = json_object_get(p->in, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        (uint64_t)json_integer_value(value) > max)
        peer_fail(key, "is no number of this size");
    return (uint64_t)json_integer_value(value);
}

json_t *
peer_get_list(struct peer *p, const char *key)
{
    json_t *list = json_object_get(p->in, key);
    if (!json_is_array(list))
        peer_fail(key, "is no list");
    return list;
}

json_t *
peer_hex(const void *bytes, size_t len)
{
    char *hex = malloc(2 * len + 1);
    if (!hex)
        peer_fail("memory", "is out");
    codec_hex(hex, bytes, len);
    json_t *value = json_string(hex);
    free(hex);
    return value;
}

void
peer_say(struct peer *p, const char *key, json_t *value)
{
    if (json_object_set_new(p->out, key, value))
        peer_fail(key, "cannot be answered");
}

void
peer_say_bytes(struct peer *p, const char *key, const void *bytes, size_t len)
{
    peer_say(p, key, peer_hex(bytes, len));
}

void
peer_say_number(struct peer *p, const char *key, uint64_t value)
{
    if (value <= INT64_MAX)
        peer_say(p, key, json_integer((json_int_t)value));
    else
        peer_say(p, key, json_sprintf("%" PRIu64, value));
}

static const struct peer_command *
command_find(const char *name)
{
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        for (const struct peer_command *c = all[i]; c->name; c++)
            if (strcmp(c->name, name) == 0)
                return c;
    peer_fail(name, "is no command");
}

/* Run one request; false when the answer cannot be written. */
static int
request_run(struct peer *p, const char *line)
{
    json_error_t where;
    p->in = json_loads(line, JSON_REJECT_DUPLICATES, &where);
    p->out = json_object();
    if (!p->in || !p->out)
        peer_fail("request", where.text);
    int err = command_find(peer_get_text(p, "do"))->run(p);
    if (err) {
        json_object_clear(p->out);
        peer_say(p, "err", json_string(error_name(err)));
    }
    int ok = json_dumpf(p->out, stdout, JSON_COMPACT) == 0 &&
             putchar('\n') != EOF && fflush(stdout) == 0;
    while (p->n_owned > 0)
        free(p->owned[--p->n_owned]);
    json_decref(p->in);
    json_decref(p->out);
    return ok;
}

int
main(void)
{
    struct peer *p = calloc(1, sizeof *p);
    char *line = NULL;
    size_t room = 0;
    int ok = p && sodium_init() >= 0 && sphinx_worker_new(&p->worker) == 0;
    while (ok && getline(&line, &room, stdin) > 0)
        ok = request_run(p, line);
    if (p) {
        sphinx_worker_free(&p->worker);
        consensus_free(&p->consensus);
        peer_sessions_free(p);
    }
    free(line);
    free(p);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
