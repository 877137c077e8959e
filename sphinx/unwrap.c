/* sphinx/unwrap.c - what a relay does with a packet; its keys.
 *
 * State: none between calls but the caller's worker and keys. No timers, and
 * nothing is allocated. Failure: each job ends with its own error and the
 * others go on.
 *
 * The work of one packet stops at the first thing that is wrong with it, in
 * this order: version, key, shared secret, MAC, command, the caller's check.
 * Only the shared secrets are computed for several packets at once, and those
 * of packets already refused are not. */
#include <sodium.h>
#include <string.h>

#include "lib/secret.h"
#include "sphinx/packet.h"
#include "sphinx/sphinx.h"
#include "sphinx/suite.h"

struct sphinx_key {
    const struct suite *suite;
    void *expanded; /* the suite's, or NULL */
    uint8_t seed[SPHINX_SEED_LEN];
    uint8_t ctx[SPHINX_KEY_LEN];
};

int
sphinx_key_new(struct sphinx_key **out, const struct sphinx_geometry *g,
               const uint8_t seed[static SPHINX_SEED_LEN],
               const uint8_t identity[static SPHINX_ID_LEN],
               const uint8_t digest[static SPHINX_DIGEST_LEN])
{
    uint8_t public_key[SPHINX_PUBLIC_MAX];
    *out = NULL;
    const struct suite *s = suite_find(g->suite);
    if (!s)
        return ERR_SUITE;
    if (sodium_init() < 0)
        return ERR_CRYPTO;
    int err = s->keypair(public_key, seed);
    if (err)
        return err;
    struct sphinx_key *key = sodium_malloc(sizeof *key);
    if (!key)
        return ERR_NOMEM;
    key->suite = s;
    key->expanded = NULL;
    if (s->key_expand && (err = s->key_expand(&key->expanded, seed))) {
        sodium_free(key);
        return err;
    }
    memcpy(key->seed, seed, SPHINX_SEED_LEN);
    s->context(s, key->ctx, digest, identity, public_key);
    sodium_mprotect_readonly(key);
    *out = key;
    return 0;
}

void
sphinx_key_free(struct sphinx_key **key)
{
    if (*key && (*key)->expanded)
        (*key)->suite->key_forget((*key)->expanded);
    sodium_free(*key); /* wipes; NULL is fine */
    *key = NULL;
}

bool
sphinx_payload_is_intact(const uint8_t *payload)
{
    int zero = sodium_is_zero(payload, SPHINX_TAG_LEN);
    secret_declassify(&zero, sizeof zero);
    return zero == 1;
}

static int
job_judge(const struct suite *s, const struct sphinx_job *job)
{
    if (!s)
        return ERR_SUITE;
    if (job->packet[0] != SPHINX_VERSION)
        return ERR_VERSION;
    if (!job->key)
        return ERR_EPOCH;
    return job->key->suite == s ? 0 : ERR_SUITE;
}

static int
block_read(struct sphinx_block *out, const uint8_t *block)
{
    *out = (struct sphinx_block){
        .command = block[BLOCK_COMMAND_AT],
        .next = packet_get16(block + BLOCK_NEXT_AT),
        .delay = packet_get16(block + BLOCK_DELAY_AT),
        .deadline = packet_get16(block + BLOCK_DEADLINE_AT),
    };
    if (out->command < SPHINX_FORWARD || out->command > SPHINX_DELIVER)
        return ERR_COMMAND;
    if (out->command == SPHINX_DELIVER) {
        const uint8_t *p = block + BLOCK_ELEMENT_AT;
        memcpy(out->handle, p, SPHINX_HANDLE_LEN);
        memcpy(out->surb_id, p + SPHINX_HANDLE_LEN, SPHINX_SURB_ID_LEN);
    }
    return 0;
}

/* Put the next hop's header in the place of ours. The keystream stands after
 * our own block. */
static int
header_advance(struct cipher *c, const struct suite *s,
               const struct sphinx_geometry *g, uint8_t *packet,
               const uint8_t *block)
{
    uint8_t *element = packet + PACKET_ELEMENT_AT;
    uint8_t *routing = element + g->element_len;
    const size_t rest = (size_t)g->routing_len - g->block_len;
    memmove(routing, routing + g->block_len, rest);
    memset(routing + rest, 0, g->block_len);
    memcpy(element, block + BLOCK_ELEMENT_AT, g->element_len);
    memcpy(routing + g->routing_len, block + BLOCK_ELEMENT_AT + g->element_len,
           SPHINX_MAC_LEN);
    return s->stream(c, routing, g->routing_len);
}

/* All that follows the shared secret. keys is the caller's, to be wiped. */
static int
job_finish(struct cipher *c, const struct sphinx_geometry *g,
           struct sphinx_job *job, const uint8_t *secret,
           struct suite_keys *keys, sphinx_check_fn check, void *ctx)
{
    const struct suite *s = job->key->suite;
    uint8_t *packet = job->packet;
    const size_t mac_at = g->header_len - (size_t)SPHINX_MAC_LEN;
    uint8_t mac[SPHINX_MAC_LEN];
    uint8_t block[BLOCK_MAX];
    int err = s->hop_keys(s, c, secret, job->key->ctx,
                          packet + PACKET_ELEMENT_AT, keys);
    if (!err)
        err = s->mac(c, keys->mac, packet, mac_at, mac);
    if (err)
        return err;
    int differs = sodium_memcmp(mac, packet + mac_at, SPHINX_MAC_LEN);
    secret_declassify(&differs, sizeof differs);
    if (differs)
        return ERR_MAC;
    memcpy(block, packet + PACKET_ELEMENT_AT + g->element_len, g->block_len);
    if ((err = s->stream(c, block, g->block_len)))
        return err;
    /* where the packet goes is what the relay is about to show */
    secret_declassify(block, BLOCK_ELEMENT_AT);
    if ((err = block_read(&job->block, block)))
        return err;
    memcpy(job->replay_tag, keys->replay_tag, SPHINX_REPLAY_TAG_LEN);
    if (check && (err = check(ctx, job)))
        return err;
    if (job->block.command == SPHINX_FORWARD &&
        (err = header_advance(c, s, g, packet, block)))
        return err;
    return s->payload(c, keys->payload, packet + g->header_len, g->payload_len,
                      false);
}

static void
unwrap_batch(struct sphinx_worker *w, const struct sphinx_geometry *g,
             struct sphinx_job *jobs, size_t n, sphinx_check_fn check,
             void *ctx)
{
    const struct suite *s = suite_find(g->suite);
    struct suite_kem kem[SPHINX_BATCH_MAX];
    uint8_t secret[SPHINX_BATCH_MAX][SPHINX_KEY_LEN];
    struct suite_keys keys;
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        jobs[i].err = job_judge(s, &jobs[i]);
        if (jobs[i].err)
            continue;
        kem[m] =
            (struct suite_kem){.seed = jobs[i].key->seed,
                               .expanded = jobs[i].key->expanded,
                               .element = jobs[i].packet + PACKET_ELEMENT_AT,
                               .secret = secret[m]};
        m++;
    }
    if (m == 0)
        return;
    s->decapsulate(kem, m);
    for (size_t i = 0, k = 0; i < n; i++) {
        if (jobs[i].err)
            continue;
        jobs[i].err = kem[k].err;
        if (!jobs[i].err)
            jobs[i].err = job_finish(w->cipher, g, &jobs[i], secret[k], &keys,
                                     check, ctx);
        k++;
    }
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(&keys, sizeof keys);
}

void
sphinx_unwrap(struct sphinx_worker *w, const struct sphinx_geometry *g,
              struct sphinx_job *jobs, size_t n, sphinx_check_fn check,
              void *ctx)
{
    for (size_t i = 0; i < n; i += SPHINX_BATCH_MAX) {
        size_t m = n - i < SPHINX_BATCH_MAX ? n - i : SPHINX_BATCH_MAX;
        unwrap_batch(w, g, jobs + i, m, check, ctx);
    }
}
