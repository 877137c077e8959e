/* tests/ct/ct_main.c - do branches or addresses depend on secrets?
 *
 * Secrets are marked as undefined memory; run under valgrind's memcheck, any
 * jump or address that depends on them is reported (Langley's ctgrind). What
 * is public by its nature (a verdict) is marked as defined again.
 *
 * usage: valgrind --error-exitcode=99 ct [leak]
 * With "leak" it does what must be reported: the check of the check. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "client/letters/invite.h"
#include "client/letters/letter.h"
#include "client/letters/session.h"
#include "client/pace/traffic.h"
#include "lib/codec.h"
#include "lib/secret.h"
#include "sphinx/sphinx.h"
#include "tests/by_place.h"
#include "tests/ct/ct.h"

static unsigned sink;

static void
codec(void)
{
    uint8_t key[32], back[32];
    char hex[65], base64[CODEC_BASE64_LEN(32)];
    size_t len;
    randombytes_buf(key, sizeof key);
    SECRET(key, sizeof key);
    codec_hex(hex, key, sizeof key);
    hex[64] = 0;
    codec_base64(base64, sizeof base64, key, sizeof key);
    PUBLIC(&base64[sizeof base64 - 1], 1);
    PUBLIC(&hex[64], 1);
    /* reading: length and verdict are public, the digits are not */
    (void)len;
    (void)back;
    PUBLIC(hex, sizeof hex);
    sink += (unsigned)hex[0];
}

static void
comparing(void)
{
    uint8_t a[32], b[32];
    randombytes_buf(a, sizeof a);
    memcpy(b, a, sizeof b);
    b[31] ^= 1;
    SECRET(a, sizeof a);
    bool equal = secret_is_equal(a, b, sizeof a);
    PUBLIC(&equal, sizeof equal);
    sink += equal;
}

static void
zero_tag(void)
{
    uint8_t payload[64] = {0};
    SECRET(payload, sizeof payload);
    bool intact = sphinx_payload_is_intact(payload);
    PUBLIC(&intact, sizeof intact);
    sink += intact;
}

/* Ids and seeds of requests from their secret keys. */
static void
requests(void)
{
    struct traffic t = {0};
    uint8_t id[8], seed[SPHINX_SEED_LEN];
    randombytes_buf(t.id_key, sizeof t.id_key);
    randombytes_buf(t.seed_key, sizeof t.seed_key);
    SECRET(t.id_key, sizeof t.id_key);
    SECRET(t.seed_key, sizeof t.seed_key);
    traffic_surb_id(&t, 77, id);
    traffic_surb_seed(&t, 77, seed);
    PUBLIC(id, sizeof id);
    uint64_t number = traffic_surb_number(&t, id);
    PUBLIC(&number, sizeof number);
    sink += number == 77;
}

/* Sealing with a secret chain and secret data. */
static void
letters(void)
{
    uint8_t chain[32], data[500], out[1296], box[32];
    struct letter l = {.sequence = 1,
                       .kind = LETTER_TEXT,
                       .count = 1,
                       .total = sizeof data,
                       .data_len = sizeof data,
                       .data = data};
    randombytes_buf(chain, sizeof chain);
    memset(data, 'x', sizeof data);
    SECRET(chain, sizeof chain);
    SECRET(data, sizeof data);
    letter_box(chain, (struct letter_place){1, 2}, box);
    if (by_place_seal(&l, chain, (struct letter_place){1, 2}, out, sizeof out))
        sink++;
    PUBLIC(out, sizeof out);
    sink += out[0];
}

/* ---- sessions ---- */

int __real_crypto_scalarmult(unsigned char *q, const unsigned char *n,
                             const unsigned char *p);
int __wrap_crypto_scalarmult(unsigned char *q, const unsigned char *n,
                             const unsigned char *p);
int __real_crypto_aead_xchacha20poly1305_ietf_decrypt(
    unsigned char *m, unsigned long long *mlen, unsigned char *nsec,
    const unsigned char *c, unsigned long long clen, const unsigned char *ad,
    unsigned long long adlen, const unsigned char *npub,
    const unsigned char *k);
int __wrap_crypto_aead_xchacha20poly1305_ietf_decrypt(
    unsigned char *m, unsigned long long *mlen, unsigned char *nsec,
    const unsigned char *c, unsigned long long clen, const unsigned char *ad,
    unsigned long long adlen, const unsigned char *npub,
    const unsigned char *k);

/* Whether a key is of small order is told by what becomes of the letter. */
int
__wrap_crypto_scalarmult(unsigned char *q, const unsigned char *n,
                         const unsigned char *p)
{
    int bad = __real_crypto_scalarmult(q, n, p);
    PUBLIC(&bad, sizeof bad);
    return bad;
}

/* libsodium turns on its own verdict, which is public, as are the fields of a head and
 * of the beginning of a body, and of what stands behind its data: what a client does
 * follows from them. The data is not. It
 * is called with a copy of its key that counts as known, so what it does with that is not
 * looked at here. */
int
__wrap_crypto_aead_xchacha20poly1305_ietf_decrypt(
    unsigned char *m, unsigned long long *mlen, unsigned char *nsec,
    const unsigned char *c, unsigned long long clen, const unsigned char *ad,
    unsigned long long adlen, const unsigned char *npub, const unsigned char *k)
{
    unsigned char key[32];
    memcpy(key, k, sizeof key);
    PUBLIC(key, sizeof key);
    const int bad = __real_crypto_aead_xchacha20poly1305_ietf_decrypt(
        m, mlen, nsec, c, clen, ad, adlen, npub, key);
    const size_t len = (size_t)clen - 16;
    if (len > LETTER_BODY_HEAD_LEN)
        SECRET(m + LETTER_BODY_HEAD_LEN, len - LETTER_BODY_HEAD_LEN);
    /* what stands behind the data says what it is */
    const size_t at =
        LETTER_BODY_HEAD_LEN + (len > LETTER_BODY_HEAD_LEN
                                    ? codec_get16(m + LETTER_BODY_HEAD_LEN - 2)
                                    : 0);
    if (at + LETTER_PART_HEAD_LEN <= len)
        PUBLIC(m + at, LETTER_PART_HEAD_LEN);
    return bad;
}

/* What is secret of a ratchet, of a session. Steps, numbers and states are told by when a
 * client writes; public keys lie in heads, which whoever has pair can read, and are secret
 * to the others. */
static void
ratchet_secret(struct ratchet *r)
{
    SECRET(r->root, sizeof r->root);
    SECRET(r->own_secret, sizeof r->own_secret);
    SECRET(r->out, sizeof r->out);
    SECRET(r->in, sizeof r->in);
    SECRET(r->share, sizeof r->share);
}

static void
session_secret(struct session *s)
{
    SECRET(s->pair, sizeof s->pair);
    PUBLIC(s->first, sizeof s->first);
    ratchet_secret(&s->now);
    ratchet_secret(&s->before);
}

/* A letter of the other's is late, but its key is not kept. */
static bool
key_kept(void *ctx, uint32_t generation, uint32_t step, uint32_t n,
         uint8_t key[static LETTER_KEY_LEN])
{
    (void)ctx;
    (void)generation;
    (void)step;
    (void)n;
    (void)key;
    return false;
}

enum { SESSION_LEN = 1232 };

/* Seal a letter: what leaves is public. */
static void
session_writes(struct session *s, const uint8_t *chain, uint32_t n,
               uint8_t out[static SESSION_LEN])
{
    uint8_t data[100];
    const struct letter l = {.sequence = 1,
                             .kind = LETTER_TEXT,
                             .count = 1,
                             .total = sizeof data,
                             .data_len = sizeof data,
                             .data = data};
    memset(data, 'x', sizeof data);
    SECRET(data, sizeof data);
    session_secret(s);
    if (session_seal(s, &l, chain, (struct letter_place){1, n}, out,
                     SESSION_LEN))
        sink++;
    PUBLIC(out, SESSION_LEN);
}

/* Open one: what the head and the verdict tell is public, what is in it is not. */
static bool
session_reads(struct session *s, const uint8_t *chain, uint32_t n,
              uint8_t letter[static SESSION_LEN])
{
    uint8_t fresh[RATCHET_KEY_LEN], fresh_share[MLKEM_SEED_LEN];
    struct session_step step;
    const struct session_context context = {.day = 1,
                                            .latest = UINT32_MAX,
                                            .fresh = fresh,
                                            .fresh_share = fresh_share,
                                            .kept = key_kept};
    randombytes_buf(fresh, sizeof fresh);
    randombytes_buf(fresh_share, sizeof fresh_share);
    SECRET(fresh, sizeof fresh);
    SECRET(fresh_share, sizeof fresh_share);
    session_secret(s);
    int err = session_open(s, chain, (struct letter_place){1, n}, &context,
                           letter, SESSION_LEN, &step);
    PUBLIC(&err, sizeof err);
    PUBLIC(&step.verdict, sizeof step.verdict);
    const bool read = !err && step.verdict == SESSION_READ;
    if (read)
        *s = step.next;
    return read;
}

/* Both write in turn, with a gap, and one offers a ratchet anew. */
static void
sessions(void)
{
    uint8_t seed[32], own[2][32], key[32], chain[2][32];
    uint8_t out[2][SESSION_LEN], share[MLKEM_SEED_LEN];
    struct session s[2];
    unsigned read = 0;
    randombytes_buf(seed, sizeof seed);
    randombytes_buf(own, sizeof own);
    randombytes_buf(chain, sizeof chain);
    crypto_scalarmult_base(key, own[0]);
    randombytes_buf(share, sizeof share);
    SECRET(seed, sizeof seed);
    SECRET(own, sizeof own);
    SECRET(share, sizeof share);
    SECRET(chain, sizeof chain);
    session_invite(&s[0], seed, 1, own[0]);
    if (session_accept(&s[1], seed, key, own[1], share))
        return;
    for (uint32_t i = 0; i < 8; i++) {
        const unsigned from = i % 2 == 0;
        if (i == 4) {
            uint8_t fresh[32];
            randombytes_buf(fresh, sizeof fresh);
            SECRET(fresh, sizeof fresh);
            session_offer(&s[1], 7, 1, fresh);
        }
        session_writes(&s[from], chain[from], 3 * i, out[0]);
        session_writes(&s[from], chain[from], 3 * i + 1, out[1]);
        read += session_reads(&s[!from], chain[from], 3 * i + 1, out[1]);
        out[0][700] ^= 1; /* what is changed does not open */
        read += session_reads(&s[!from], chain[from], 3 * i, out[0]);
    }
    printf("ct: %u of 8 letters read\n", read);
    sink += read;
}

static void
chains(void)
{
    struct invite i = {.expiry_h = 24 * 20000};
    struct chain a, b;
    uint8_t key[LETTER_CHAIN_LEN];
    randombytes_buf(i.seed, sizeof i.seed);
    SECRET(i.seed, sizeof i.seed);
    invite_chains(&i, &a, &b);
    chain_step(&a, a.day + 3);
    chain_key(&a, a.day + 2, key);
    PUBLIC(key, sizeof key);
    sink += key[0];
}

/* The negative control: a comparison that stops at the first difference. */
static void
leak(void)
{
    uint8_t a[32];
    randombytes_buf(a, sizeof a);
    SECRET(a, sizeof a);
    for (size_t i = 0; i < sizeof a; i++)
        if (a[i] != 7)
            break;
        else
            sink++;
}

int
main(int argc, char **argv)
{
    if (secret_init())
        return 1;
    codec();
    comparing();
    zero_tag();
    requests();
    letters();
    chains();
    sessions();
    ct_sphinx();
    if (argc > 1 && strcmp(argv[1], "leak") == 0)
        leak();
    printf("ct: done %u\n", sink > 0);
    return 0;
}
