/* tests/fuzz/fuzz_sphinx.c - libFuzzer on packets, SURBs and the tool's JSON;
 * the first octet says which. Corpus: corpus/sphinx, replayed by `make check`
 * (test_corpus.c). */
#include "tests/fuzz/fuzz.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "sphinx/packet.h"
#include "sphinx/tool/tool.h"

enum { HOPS = 2, LEN = 300 };

/* One relay with a fixed key, made once a process. */
static struct {
    struct tool tool;
    struct sphinx_view view;
    struct sphinx_key *key;
    struct sphinx_hop path[HOPS];
    uint8_t seed[SPHINX_SEED_LEN], identity[SPHINX_ID_LEN];
    uint8_t public_key[SPHINX_KEY_LEN];
} f;

static void
must(bool ok)
{
    if (!ok)
        abort();
}

static void
ready(void)
{
    if (f.key)
        return;
    f.seed[0] = 1;
    must(sphinx_geometry_init(&f.view.geometry, SPHINX_SUITE_X25519, HOPS, LEN,
                              1000) == 0);
    sphinx_geometry_default(&f.tool.geometry);
    must(sphinx_worker_new(&f.tool.worker) == 0);
    must(sphinx_keypair(&f.view.geometry, f.public_key, f.seed) == 0);
    must(sphinx_key_new(&f.key, &f.view.geometry, f.seed, f.identity,
                        f.view.digest) == 0);
    for (size_t i = 0; i < HOPS; i++)
        f.path[i] = (struct sphinx_hop){.public_key = f.public_key,
                                        .identity = f.identity};
}

/* A header that is the relay's own up to the routing gets the MAC it needs, so
 * that what comes after the MAC is reached. */
static void
seal(uint8_t *packet)
{
    const struct sphinx_geometry *g = &f.view.geometry;
    const struct suite *s = suite_find(g->suite);
    const size_t mac_at = g->header_len - (size_t)SPHINX_MAC_LEN;
    uint8_t secret[SPHINX_KEY_LEN], ctx[SPHINX_KEY_LEN];
    uint8_t *element = packet + PACKET_ELEMENT_AT;
    struct cipher *c = f.tool.worker->cipher;
    struct suite_keys keys;
    struct suite_kem kem = {
        .seed = f.seed, .element = element, .secret = secret};
    packet[0] = SPHINX_VERSION;
    s->decapsulate(&kem, 1);
    if (kem.err)
        return;
    s->context(s, ctx, f.view.digest, f.identity, f.public_key);
    must(s->hop_keys(s, c, secret, ctx, element, &keys) == 0);
    must(s->stream(c, element + g->element_len, g->routing_len) == 0);
    must(s->mac(c, keys.mac, packet, mac_at, packet + mac_at) == 0);
}

static void
packet(const uint8_t *data, size_t len, bool sealed)
{
    uint8_t p[LEN] = {0}, before[LEN];
    struct sphinx_job job = {.packet = p, .key = f.key};
    memcpy(p, data, len < LEN ? len : (size_t)LEN);
    if (sealed)
        seal(p);
    memcpy(before, p, LEN);
    sphinx_unwrap(f.tool.worker, &f.view.geometry, &job, 1, NULL, NULL);
    if (job.err)
        must(memcmp(p, before, LEN) == 0); /* as it was received */
    must(!sealed || job.err != ERR_MAC);
}

static void
surb(const uint8_t *data, size_t len)
{
    uint8_t s[LEN] = {0}, body[LEN] = {0}, p[LEN];
    uint16_t first;
    memcpy(s, data, len < LEN ? len : (size_t)LEN);
    int err =
        sphinx_surb_use(f.tool.worker, &f.view.geometry, s, body, p, &first);
    must(err == (s[0] == SPHINX_VERSION ? 0 : ERR_VERSION));
    if (sphinx_surb_open(f.tool.worker, &f.view, f.path, HOPS, f.seed,
                         s + f.view.geometry.header_len) == 0)
        abort(); /* 16 zeros by chance */
}

static void
json(uint8_t which, const uint8_t *data, size_t len)
{
    static json_t *(*const commands[])(struct tool *, json_t *) = {
        tool_do_new, tool_do_unwrap, tool_do_surb_create, tool_do_surb_use,
        tool_do_surb_open};
    json_t *in =
        json_loadb((const char *)data, len, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(in)) {
        f.tool.error[0] = 0;
        json_t *out =
            commands[which % (sizeof commands / sizeof *commands)](&f.tool, in);
        must(out || f.tool.error[0]); /* a refusal has a reason */
        json_decref(out);
    }
    json_decref(in);
}

int
fuzz_sphinx(const uint8_t *data, size_t len)
{
    if (len < 1)
        return 0;
    ready();
    const uint8_t which = data[0];
    data++;
    len--;
    if (which < 2)
        packet(data, len, which == 1);
    else if (which == 2)
        surb(data, len);
    else
        json(which, data, len);
    return 0;
}

#ifdef BRUSIO_FUZZ
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    return fuzz_sphinx(data, len);
}
#endif
