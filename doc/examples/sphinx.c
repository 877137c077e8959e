/* doc/examples/sphinx.c - a question through three relays and its answer back.
 *
 *     cc -o sphinx-example sphinx.c $(pkg-config --cflags --libs \
 *         libbrusio-sphinx) && ./sphinx-example
 *
 * All parts play in one process here; in a network every relay is a program of
 * its own, and the packets go over links. */
#include <sphinx/sphinx.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { HOPS = 3, PACKET_LEN = 2048 };

struct example_relay {
    uint8_t seed[SPHINX_SEED_LEN]; /* its secret key */
    uint8_t identity[SPHINX_ID_LEN];
    uint8_t public_key[SPHINX_PUBLIC_MAX];
    struct sphinx_key *key;
};

static void
must_work(int err, const char *what)
{
    if (err) {
        fprintf(stderr, "%s: %s\n", what, sphinx_error_text(err));
        exit(1);
    }
}

static void
bytes_draw(uint8_t *out, size_t len)
{
    if (getrandom(out, len, 0) != (ssize_t)len)
        must_work(SPHINX_ERR_SYSTEM, "getrandom");
}

/* Do with packet what every relay does, from relay number `at` on, until one of
 * them keeps it. Returns which. A real relay waits job.block.delay before it
 * sends a packet on. */
static size_t
packet_travel(struct sphinx_worker *w, const struct sphinx_geometry *g,
              struct example_relay relay[HOPS], uint16_t at, uint8_t *packet)
{
    for (;;) {
        struct sphinx_job job = {.packet = packet, .key = relay[at].key};
        /* a real relay gives a check here that refuses what it saw before */
        sphinx_unwrap(w, g, &job, 1, NULL, NULL);
        must_work(job.err, "unwrap");
        if (job.block.command != SPHINX_FORWARD)
            return at;
        printf("relay %u passes it on to relay %u\n", at, job.block.next);
        at = job.block.next;
    }
}

int
main(void)
{
    struct example_relay relay[HOPS];
    struct sphinx_hop there[HOPS], back[HOPS];
    struct sphinx_view view = {.epoch = 7};
    struct sphinx_worker *w;

    /* What the consensus of a network says: lengths, a digest, the relays. */
    sphinx_geometry_default(&view.geometry);
    const struct sphinx_geometry *g = &view.geometry;
    bytes_draw(view.digest, sizeof view.digest);
    must_work(sphinx_worker_new(&w), "worker");
    for (uint16_t i = 0; i < HOPS; i++) {
        struct example_relay *r = &relay[i];
        bytes_draw(r->seed, sizeof r->seed);
        bytes_draw(r->identity, sizeof r->identity);
        must_work(sphinx_keypair(g, r->public_key, r->seed), "key pair");
        must_work(sphinx_key_new(&r->key, g, r->seed, r->identity, view.digest),
                  "key");
        there[i] = (struct sphinx_hop){.public_key = r->public_key,
                                       .identity = r->identity,
                                       .index = i,
                                       .delay = 100,
                                       .deadline = 9};
        back[HOPS - 1 - i] = there[i];
    }

    /* Alice: a SURB for the answer, then the question with the SURB in it. */
    uint8_t surb_seed[SPHINX_SEED_LEN], seed[SPHINX_SEED_LEN];
    uint8_t body[PACKET_LEN] = "what time is it?", packet[PACKET_LEN];
    struct sphinx_end end = {.handle = "alice"};
    bytes_draw(surb_seed, sizeof surb_seed);
    bytes_draw(seed, sizeof seed);
    must_work(
        sphinx_surb_create(w, &view, back, HOPS, &end, surb_seed, body + 100),
        "SURB");
    must_work(sphinx_create(w, &view, there, HOPS, seed, body, packet),
              "request");

    /* The relays. The last one sees the question, and not from whom. */
    size_t last = packet_travel(w, g, relay, there[0].index, packet);
    uint8_t *payload = packet + g->header_len;
    must_work(sphinx_payload_is_intact(payload) ? 0 : SPHINX_ERR_TAG,
              "question");
    printf("relay %zu reads: %s\n", last, (char *)payload + SPHINX_TAG_LEN);

    /* It answers with the SURB, and does not know whom. */
    uint8_t surb[PACKET_LEN], answer[PACKET_LEN] = "a quarter past nine";
    uint16_t first;
    memcpy(surb, payload + SPHINX_TAG_LEN + 100, g->surb_len);
    must_work(sphinx_surb_use(w, g, surb, answer, packet, &first), "answer");
    packet_travel(w, g, relay, first, packet);

    /* Alice alone can take the layers off. */
    must_work(sphinx_surb_open(w, &view, back, HOPS, surb_seed,
                               packet + g->header_len),
              "open");
    printf("alice reads: %s\n",
           (char *)packet + g->header_len + SPHINX_TAG_LEN);

    for (size_t i = 0; i < HOPS; i++)
        sphinx_key_free(&relay[i].key);
    sphinx_worker_free(&w);
    return 0;
}
