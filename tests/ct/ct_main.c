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
    ct_sphinx();
    if (argc > 1 && strcmp(argv[1], "leak") == 0)
        leak();
    printf("ct: done %u\n", sink > 0);
    return 0;
}
