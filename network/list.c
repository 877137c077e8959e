/* network/list.c - writing, signing, reading and judging lists. No state. */
#include "network/list.h"

#include <sodium.h>
#include <string.h>

#include "lib/codec.h"

enum { HASH_LEN = crypto_generichash_BYTES_MAX };

uint32_t
list_interval(const struct params *p, uint64_t unix_ms)
{
    const uint64_t interval = unix_ms / p->list_interval_ms;
    return interval <= UINT32_MAX ? (uint32_t)interval : 0;
}

uint64_t
list_interval_start_ms(const struct params *p, uint32_t interval)
{
    return (uint64_t)interval * p->list_interval_ms;
}

bool
list_is_of(const struct consensus *c, uint32_t interval)
{
    const uint64_t at_ms = list_interval_start_ms(&c->params, interval);
    const uint64_t from_ms = c->valid_after_s * 1000;
    return at_ms >= from_ms &&
           at_ms - from_ms < c->params.epoch_len_s * 1000ULL;
}

void
list_write(uint8_t *out, const struct params *p, const struct board_list *l)
{
    static const uint8_t none[LIST_ROOT_LEN];
    struct codec_writer w;
    codec_writer_init(&w, out, list_len(p));
    codec_write32(&w, l->interval);
    codec_write8(&w, l->board);
    codec_write_bytes(&w, l->before ? l->before : none, LIST_ROOT_LEN);
    codec_write_bytes(&w, l->entries, (size_t)p->list_entries * LIST_ENTRY_LEN);
}

/* Compute what a list's signature is over. */
static void
signed_hash(const uint8_t *list, size_t len, const uint8_t *digest,
            uint8_t hash[static HASH_LEN])
{
    static const char domain[] = "brusio/1 list";
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, HASH_LEN);
    crypto_generichash_update(&h, (const uint8_t *)domain, sizeof domain - 1);
    crypto_generichash_update(&h, digest, SPHINX_DIGEST_LEN);
    crypto_generichash_update(&h, list, len - LIST_SIGNATURE_LEN);
    crypto_generichash_final(&h, hash, HASH_LEN);
}

static const uint8_t *
board_identity(const struct consensus *c, uint8_t board)
{
    return c->relays[c->boards.relay[board]].identity;
}

/* Tell whether lists of c have no signature: suite 0 is without cryptography,
 * and the programs of real networks lack that suite. */
static bool
is_unsigned(const struct consensus *c)
{
    return c->params.geometry.suite == SPHINX_SUITE_NULL;
}

/* Write what stands in the place of a signature in suite 0, so that simulated
 * weeks are not spent on checking lists. */
static void
mark_make(const uint8_t hash[static HASH_LEN],
          const uint8_t identity[static SPHINX_ID_LEN],
          uint8_t mark[static LIST_SIGNATURE_LEN])
{
    crypto_generichash(mark, LIST_SIGNATURE_LEN, hash, HASH_LEN, identity,
                       SPHINX_ID_LEN);
}

void
list_sign(uint8_t *list, size_t len, const struct consensus *c,
          const uint8_t seed[static 32])
{
    uint8_t public[crypto_sign_PUBLICKEYBYTES];
    uint8_t secret[crypto_sign_SECRETKEYBYTES], hash[HASH_LEN];
    signed_hash(list, len, c->digest, hash);
    (void)crypto_sign_seed_keypair(public, secret, seed); /* it cannot fail */
    if (is_unsigned(c))
        mark_make(hash, public, list + len - LIST_SIGNATURE_LEN);
    else
        (void)crypto_sign_detached(list + len - LIST_SIGNATURE_LEN, NULL, hash,
                                   sizeof hash, secret);
    sodium_memzero(secret, sizeof secret);
}

int
list_parse(struct board_list *l, const struct params *p, const uint8_t *list,
           size_t len)
{
    struct codec_reader in;
    codec_reader_init(&in, list, len);
    l->interval = codec_read32(&in);
    l->board = codec_read8(&in);
    l->before = codec_read_bytes(&in, LIST_ROOT_LEN);
    l->entries =
        codec_read_bytes(&in, (size_t)p->list_entries * LIST_ENTRY_LEN);
    l->signature = codec_read_bytes(&in, LIST_SIGNATURE_LEN);
    if (in.err || in.left > 0)
        return in.err ? in.err : ERR_LONG;
    if (l->interval == 0 || l->board >= BOARDS_MAX)
        return ERR_RANGE;
    for (size_t i = 1; i < p->list_entries; i++) {
        const uint8_t *entry = l->entries + i * LIST_ENTRY_LEN;
        if (memcmp(entry - LIST_ENTRY_LEN, entry, LIST_ENTRY_LEN) >= 0)
            return ERR_FORMAT;
    }
    return 0;
}

int
list_verify(const struct consensus *c, const uint8_t *list, size_t len)
{
    struct board_list l;
    uint8_t hash[HASH_LEN];
    int err = list_parse(&l, &c->params, list, len);
    if (err)
        return err;
    if (!list_is_of(c, l.interval))
        return ERR_EPOCH;
    if (l.board >= c->boards.n)
        return ERR_NOT_FOUND;
    signed_hash(list, len, c->digest, hash);
    if (is_unsigned(c)) {
        uint8_t mark[LIST_SIGNATURE_LEN];
        mark_make(hash, board_identity(c, l.board), mark);
        return memcmp(mark, l.signature, sizeof mark) != 0 ? ERR_SIGNATURE : 0;
    }
    return crypto_sign_verify_detached(l.signature, hash, sizeof hash,
                                       board_identity(c, l.board)) != 0
               ? ERR_SIGNATURE
               : 0;
}

void
list_root(const uint8_t *list, size_t len, uint8_t root[static LIST_ROOT_LEN])
{
    static const char domain[] = "brusio/1 list root";
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, LIST_ROOT_LEN);
    crypto_generichash_update(&h, (const uint8_t *)domain, sizeof domain - 1);
    crypto_generichash_update(&h, list, len - LIST_SIGNATURE_LEN);
    crypto_generichash_final(&h, root, LIST_ROOT_LEN);
}

int
list_judge_pair(const struct consensus *c, const uint8_t *a, const uint8_t *b)
{
    const size_t len = list_len(&c->params);
    uint8_t root_a[LIST_ROOT_LEN], root_b[LIST_ROOT_LEN];
    int err = list_verify(c, a, len);
    if (!err)
        err = list_verify(c, b, len);
    if (err)
        return err;
    list_root(a, len, root_a);
    list_root(b, len, root_b);
    /* interval and board are the first bytes */
    return memcmp(a, b, LIST_HEAD_LEN - LIST_ROOT_LEN) != 0 ||
                   memcmp(root_a, root_b, LIST_ROOT_LEN) == 0
               ? ERR_ARG
               : 0;
}
