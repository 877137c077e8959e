/* tests/ct/ct_sphinx.c - a request and an answer all the way, their seeds, keys
 * and bodies secret. What goes over a wire is public from there on. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/error.h"
#include "sphinx/sphinx.h"
#include "sphinx/x25519/x25519.h"
#include "tests/ct/ct.h"

enum { HOPS = 5, LEN = 2048 };

struct net {
    struct sphinx_view view;
    struct sphinx_worker *worker;
    struct sphinx_key *key[HOPS];
    struct sphinx_hop path[HOPS];
    uint8_t public_key[HOPS][SPHINX_KEY_LEN], identity[HOPS][SPHINX_ID_LEN];
};

static void
must(int err)
{
    if (err) {
        printf("ct: %s\n", error_text(err));
        exit(1);
    }
}

/* Relays whose keys are secret and whose public keys are not. */
static void
net_new(struct net *n)
{
    const struct sphinx_geometry *g = &n->view.geometry;
    memset(n, 0, sizeof *n);
    sphinx_geometry_default(&n->view.geometry);
    must(sphinx_worker_new(&n->worker));
    for (size_t i = 0; i < HOPS; i++) {
        uint8_t seed[SPHINX_SEED_LEN];
        randombytes_buf(seed, sizeof seed);
        SECRET(seed, sizeof seed);
        must(sphinx_keypair(g, n->public_key[i], seed));
        PUBLIC(n->public_key[i], sizeof n->public_key[i]);
        must(sphinx_key_new(&n->key[i], g, seed, n->identity[i],
                            n->view.digest));
        n->path[i] = (struct sphinx_hop){.public_key = n->public_key[i],
                                         .identity = n->identity[i],
                                         .index = (uint16_t)i};
    }
}

static void
net_free(struct net *n)
{
    for (size_t i = 0; i < HOPS; i++)
        sphinx_key_free(&n->key[i]);
    sphinx_worker_free(&n->worker);
}

/* Over the wire and through all hops. */
static void
travel(struct net *n, uint8_t *packet)
{
    for (size_t i = 0; i < HOPS; i++) {
        struct sphinx_job job = {.packet = packet, .key = n->key[i]};
        PUBLIC(packet, LEN);
        sphinx_unwrap(n->worker, &n->view.geometry, &job, 1, NULL, NULL);
        must(job.err);
    }
}

static void
request(struct net *n)
{
    const struct sphinx_geometry *g = &n->view.geometry;
    uint8_t seed[SPHINX_SEED_LEN], body[LEN] = {1}, packet[LEN];
    randombytes_buf(seed, sizeof seed);
    SECRET(seed, sizeof seed);
    SECRET(body, sizeof body);
    must(sphinx_create(n->worker, &n->view, n->path, HOPS, seed, body, packet));
    travel(n, packet);
    must(sphinx_payload_is_intact(packet + g->header_len) ? 0 : ERR_TAG);
}

static void
answer(struct net *n)
{
    const struct sphinx_geometry *g = &n->view.geometry;
    const struct sphinx_end end = {{1}, {2}};
    uint8_t seed[SPHINX_SEED_LEN], body[LEN] = {1}, packet[LEN], surb[LEN];
    uint16_t first;
    randombytes_buf(seed, sizeof seed);
    SECRET(seed, sizeof seed);
    SECRET(body, sizeof body);
    must(sphinx_surb_create(n->worker, &n->view, n->path, HOPS, &end, seed,
                            surb));
    PUBLIC(surb, g->header_len + 2); /* the payload key stays secret */
    must(sphinx_surb_use(n->worker, g, surb, body, packet, &first));
    travel(n, packet);
    SECRET(packet + g->header_len, g->payload_len);
    must(sphinx_surb_open(n->worker, &n->view, n->path, HOPS, seed,
                          packet + g->header_len));
}

void
ct_sphinx(void)
{
    for (int isa = X25519_GENERIC; isa <= X25519_ISAS; isa++) {
        struct net n;
        if (!x25519_isa_works((enum x25519_isa)isa)) {
            printf("ct: valgrind cannot run %s\n",
                   x25519_isa_name((enum x25519_isa)isa));
            continue;
        }
        x25519_isa_use((enum x25519_isa)isa);
        net_new(&n);
        request(&n);
        answer(&n);
        net_free(&n);
        printf("ct: create, unwrap, SURB: %s\n",
               x25519_isa_name((enum x25519_isa)isa));
    }
}
