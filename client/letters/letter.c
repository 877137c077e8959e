/* client/letters/letter.c - letters: keys of a place, sealing, opening.
 *
 * doc/PROTOCOL.md 8.1 and 8.2 have every byte. No state, no time: whatever a letter
 * says is an argument, and the same arguments give the same bytes, so that one that
 * is put again is the same one.
 * Failure modes: what was sealed by another key or for another place does not open
 * (ERR_MAC); a head that cannot be has the error of the field that is wrong. */
#include "client/letters/letter.h"

#include <sodium.h>
#include <string.h>

#include "lib/codec.h"
#include "network/box.h"

enum {
    NONCE_LEN = 24,
    HEAD_LEN = 48,
    MAC_LEN = 16,
    HEAD_VERSION = 3,
    SEAL_SHIFT = 4, /* version in the low bits, seal above */
    WHERE_LEN = 4 + 4,
    HASH_LEN = 32,
    HEAD_BOUND_LEN = WHERE_LEN + HASH_LEN
};

static void
chain_derive(uint8_t *out, size_t len, const uint8_t *chain, const char *label,
             uint32_t period, uint32_t number)
{
    uint8_t in[32];
    size_t n = strlen(label);
    memcpy(in, label, n);
    codec_put32(in + n, period);
    codec_put32(in + n + 4, number);
    crypto_generichash(out, len, in, n + 8, chain, LETTER_CHAIN_LEN);
}

/* Write a place: what heads and bodies are bound to. */
static void
where_write(uint8_t out[static WHERE_LEN], struct letter_place at)
{
    codec_put32(out, at.period);
    codec_put32(out + 4, at.n);
}

void
letter_place_keys(const uint8_t chain[static LETTER_CHAIN_LEN],
                  struct letter_place at,
                  const uint8_t pair[static LETTER_KEY_LEN],
                  struct letter_keys *keys)
{
    static const char label[] = "brusio/1 letter";
    uint8_t in[sizeof label - 1 + WHERE_LEN + LETTER_KEY_LEN];
    uint8_t out[2 * LETTER_KEY_LEN];
    memcpy(in, label, sizeof label - 1);
    where_write(in + sizeof label - 1, at);
    memcpy(in + sizeof label - 1 + WHERE_LEN, pair, LETTER_KEY_LEN);
    crypto_generichash(out, sizeof out, in, sizeof in, chain, LETTER_CHAIN_LEN);
    memcpy(keys->head, out, LETTER_KEY_LEN);
    memcpy(keys->body, out + LETTER_KEY_LEN, LETTER_KEY_LEN);
    sodium_memzero(in, sizeof in);
    sodium_memzero(out, sizeof out);
}

void
letter_box_seed(const uint8_t chain[static LETTER_CHAIN_LEN],
                struct letter_place at, uint8_t seed[static LETTER_BOX_LEN])
{
    chain_derive(seed, LETTER_BOX_LEN, chain, "brusio/1 box", at.period,
                 at.n / LETTER_SLOTS);
}

void
letter_box(const uint8_t chain[static LETTER_CHAIN_LEN], struct letter_place at,
           uint8_t box[static LETTER_BOX_LEN])
{
    uint8_t seed[BOX_SEED_LEN], key[WIRE_BOX_LEN];
    letter_box_seed(chain, at, seed);
    box_key_public(seed, key);
    box_id(key, box);
    sodium_memzero(seed, sizeof seed);
}

void
letter_token(const uint8_t chain[static LETTER_CHAIN_LEN], uint32_t period,
             uint32_t k, uint8_t token[static LETTER_TOKEN_LEN])
{
    chain_derive(token, LETTER_TOKEN_LEN, chain, "brusio/1 announce", period,
                 k);
}

uint32_t
letter_number(const uint8_t id[static LETTER_ID_LEN])
{
    return codec_get32(id);
}

uint32_t
letter_sent_s(const uint8_t id[static LETTER_ID_LEN])
{
    return codec_get32(id + 4);
}

void
letter_id(uint8_t id[static LETTER_ID_LEN], uint32_t number, uint32_t sent_s)
{
    codec_put32(id, number);
    codec_put32(id + 4, sent_s);
}

bool
letter_id_is_before(const uint8_t a[static LETTER_ID_LEN],
                    const uint8_t b[static LETTER_ID_LEN])
{
    enum { CLOCK_S = 3600 }; /* a clock may have been set back by */
    const uint64_t sent_s = letter_sent_s(b);
    return letter_number(a) < letter_number(b) &&
           (sent_s == 0 || letter_sent_s(a) <= sent_s + CLOCK_S);
}

static void
part_write(struct codec_writer *w, const struct letter_part *part)
{
    codec_write8(w, part->kind);
    if (part->count == 0)
        return;
    codec_write32(w, part->exchange);
    codec_write8(w, part->first);
    codec_write8(w, part->count);
    codec_write_bytes(w, part->bytes,
                      part->count * letter_part_len(part->kind));
}

static int
body_write(const struct letter *l, uint8_t *body, size_t len)
{
    struct codec_writer w;
    codec_writer_init(&w, body, len);
    codec_write32(&w, l->ack);
    codec_write_bytes(&w, l->map, LETTER_MAP_LEN);
    codec_write32(&w, l->floor);
    codec_write32(&w, l->previous_period);
    codec_write32(&w, l->previous_count);
    codec_write32(&w, l->sequence);
    codec_write_bytes(&w, l->message, LETTER_ID_LEN);
    codec_write8(&w, l->kind);
    codec_write32(&w, l->index);
    codec_write32(&w, l->total);
    codec_write32(&w, l->after);
    codec_write8(&w, l->announced);
    codec_write16(&w, l->tokens);
    codec_write32(&w, l->lease_s);
    codec_write16(&w, l->data_len);
    if (l->data_len > 0)
        codec_write_bytes(&w, l->data, l->data_len);
    if (l->part.kind != LETTER_PART_NONE)
        part_write(&w, &l->part);
    if (w.err)
        return w.err;
    memset(w.at, 0, w.left);
    return 0;
}

int
letter_check(const struct letter *l, size_t letter_len)
{
    size_t room = letter_data_max(letter_len);
    if (l->kind >= LETTER_KINDS)
        return ERR_UNKNOWN;
    const bool bare = l->kind == LETTER_ACK || l->kind == LETTER_USED;
    if (bare != (l->sequence == 0))
        return ERR_FORMAT;
    if (l->announced && (bare || l->tokens == 0))
        return ERR_FORMAT;
    if ((l->after > 0 || l->total > 0) && !letter_is_content(l->kind))
        return ERR_FORMAT;
    if (l->total > LETTER_MESSAGE_MAX)
        return ERR_LONG;
    if (l->count != letter_count(l->total, letter_len) || l->index >= l->count)
        return ERR_RANGE;
    size_t want = l->index + 1 < l->count ? room : l->total - l->index * room;
    return l->data_len == want ? 0 : ERR_FORMAT;
}

/* Read what is behind the data. Parts that cannot be are none: what was written counts
 * all the same. */
static struct letter_part
part_read(const uint8_t *in, size_t len)
{
    struct codec_reader r;
    struct letter_part part;
    codec_reader_init(&r, in, len);
    part.kind = codec_read8(&r);
    const size_t part_len = letter_part_len(part.kind);
    if (part.kind == LETTER_PART_LACKS && !r.err)
        return (struct letter_part){.kind = LETTER_PART_LACKS};
    part.exchange = codec_read32(&r);
    part.first = codec_read8(&r);
    part.count = codec_read8(&r);
    const bool fits = !r.err && part_len > 0 && part.count > 0 &&
                      part.count <= LETTER_PARTS && part.first < LETTER_PARTS;
    part.bytes = fits ? codec_read_bytes(&r, part.count * part_len) : NULL;
    return part.bytes ? part : (struct letter_part){.kind = LETTER_PART_NONE};
}

int
letter_parse(struct letter *l, const uint8_t *body, size_t body_len,
             size_t letter_len)
{
    struct codec_reader r;
    const uint8_t *map, *message;
    codec_reader_init(&r, body, body_len);
    l->ack = codec_read32(&r);
    map = codec_read_bytes(&r, LETTER_MAP_LEN);
    l->floor = codec_read32(&r);
    l->previous_period = codec_read32(&r);
    l->previous_count = codec_read32(&r);
    l->sequence = codec_read32(&r);
    message = codec_read_bytes(&r, LETTER_ID_LEN);
    l->kind = codec_read8(&r);
    l->index = codec_read32(&r);
    l->total = codec_read32(&r);
    l->after = codec_read32(&r);
    l->count = letter_count(l->total, letter_len);
    const uint8_t announced = codec_read8(&r);
    l->tokens = codec_read16(&r);
    l->lease_s = codec_read32(&r);
    l->data_len = codec_read16(&r);
    l->data = codec_read_bytes(&r, l->data_len);
    l->announced = announced == 1;
    if (r.err)
        return r.err;
    if (announced > 1)
        return ERR_FORMAT;
    memcpy(l->map, map, LETTER_MAP_LEN);
    memcpy(l->message, message, LETTER_ID_LEN);
    l->part = part_read(r.at, r.left);
    return letter_check(l, letter_len);
}

static void
put24(uint8_t *out, uint32_t n)
{
    out[0] = (uint8_t)(n >> 16);
    out[1] = (uint8_t)(n >> 8);
    out[2] = (uint8_t)n;
}

static uint32_t
get24(const uint8_t *in)
{
    return (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
}

static void
head_write(const struct letter_head *head, uint8_t out[static HEAD_LEN])
{
    const struct ratchet_head *r = &head->ratchet;
    memset(out, 0, HEAD_LEN);
    out[0] = (uint8_t)(HEAD_VERSION | head->seal << SEAL_SHIFT);
    codec_put32(out + 1, head->generation);
    codec_put32(out + 5, r->step);
    memcpy(out + 9, r->key, RATCHET_KEY_LEN);
    put24(out + 41, r->n);
    put24(out + 44, r->previous);
    out[HEAD_LEN - 1] = r->mixed;
}

static int
head_read(struct letter_head *head, const uint8_t in[static HEAD_LEN])
{
    struct ratchet_head *r = &head->ratchet;
    if ((in[0] & ((1 << SEAL_SHIFT) - 1)) != HEAD_VERSION)
        return ERR_VERSION;
    head->seal = in[0] >> SEAL_SHIFT;
    head->generation = codec_get32(in + 1);
    r->step = codec_get32(in + 5);
    memcpy(r->key, in + 9, RATCHET_KEY_LEN);
    r->n = get24(in + 41);
    r->previous = get24(in + 44);
    r->mixed = in[HEAD_LEN - 1];
    return head->seal < LETTER_SEALS ? 0 : ERR_FORMAT;
}

/* Write the nonce of a letter: a hash of its head and body, as yet open, and its
 * place. */
static void
nonce_make(const uint8_t key[static LETTER_KEY_LEN],
           const uint8_t where[static WHERE_LEN], const uint8_t *head,
           const uint8_t *body, size_t body_len,
           uint8_t nonce[static NONCE_LEN])
{
    static const char label[] = "brusio/1 nonce";
    crypto_generichash_state h;
    crypto_generichash_init(&h, key, LETTER_KEY_LEN, NONCE_LEN);
    crypto_generichash_update(&h, (const uint8_t *)label, sizeof label - 1);
    crypto_generichash_update(&h, where, WHERE_LEN);
    crypto_generichash_update(&h, head, HEAD_LEN);
    crypto_generichash_update(&h, body, body_len);
    crypto_generichash_final(&h, nonce, NONCE_LEN);
    sodium_memzero(&h, sizeof h);
}

/* Write what a head's seal covers besides: its place and its sealed body. So what a store
 * has changed anywhere is none of the pair's; a body that does not open under a head that
 * does was sealed so. */
static void
head_bound(uint8_t out[static HEAD_BOUND_LEN],
           const uint8_t where[static WHERE_LEN], const uint8_t *body,
           size_t sealed_len)
{
    memcpy(out, where, WHERE_LEN);
    crypto_generichash(out + WHERE_LEN, HASH_LEN, body, sealed_len, NULL, 0);
}

/* Write what a body's seal covers besides: its place and its head. */
static void
body_bound(uint8_t out[static WHERE_LEN + HEAD_LEN],
           const uint8_t where[static WHERE_LEN],
           const uint8_t head[static HEAD_LEN])
{
    memcpy(out, where, WHERE_LEN);
    memcpy(out + WHERE_LEN, head, HEAD_LEN);
}

int
letter_seal(const struct letter *l, const struct letter_head *head,
            const struct letter_keys *keys, struct letter_place at,
            uint8_t *out, size_t letter_len)
{
    uint8_t where[WHERE_LEN], bound[WHERE_LEN + HEAD_LEN];
    uint8_t head_with[HEAD_BOUND_LEN];
    uint8_t *sealed = out + NONCE_LEN, *body = sealed + HEAD_LEN + MAC_LEN;
    if (letter_data_max(letter_len) == 0)
        return ERR_RANGE;
    const size_t body_len = letter_len - LETTER_OVERHEAD;
    const int err = body_write(l, body, body_len);
    if (err)
        return err;
    where_write(where, at);
    head_write(head, sealed);
    nonce_make(keys->body, where, sealed, body, body_len, out);
    body_bound(bound, where, sealed);
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        body, NULL, body, body_len, bound, sizeof bound, NULL, out, keys->body);
    head_bound(head_with, where, body, body_len + MAC_LEN);
    crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, NULL, sealed, HEAD_LEN,
                                               head_with, sizeof head_with,
                                               NULL, out, keys->head);
    sodium_memzero(bound, sizeof bound);
    return 0;
}

int
letter_open_head(struct letter_head *head,
                 const uint8_t key[static LETTER_KEY_LEN],
                 struct letter_place at, const uint8_t *letter,
                 size_t letter_len)
{
    uint8_t where[WHERE_LEN], with[HEAD_BOUND_LEN], open[HEAD_LEN];
    const size_t body_at = NONCE_LEN + HEAD_LEN + MAC_LEN;
    if (letter_data_max(letter_len) == 0)
        return ERR_RANGE;
    where_write(where, at);
    head_bound(with, where, letter + body_at, letter_len - body_at);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            open, NULL, NULL, letter + NONCE_LEN, HEAD_LEN + MAC_LEN, with,
            sizeof with, letter, key))
        return ERR_MAC;
    const int err = head_read(head, open);
    sodium_memzero(open, sizeof open);
    return err;
}

int
letter_open_body(struct letter *l, const struct letter_head *head,
                 const uint8_t key[static LETTER_KEY_LEN],
                 struct letter_place at, uint8_t *letter, size_t letter_len)
{
    uint8_t where[WHERE_LEN], open[HEAD_LEN], bound[WHERE_LEN + HEAD_LEN];
    uint8_t *body = letter + NONCE_LEN + HEAD_LEN + MAC_LEN;
    const size_t body_len = letter_len - LETTER_OVERHEAD;
    where_write(where, at);
    head_write(head, open);
    body_bound(bound, where, open);
    const int bad = crypto_aead_xchacha20poly1305_ietf_decrypt(
        body, NULL, NULL, body, body_len + MAC_LEN, bound, sizeof bound, letter,
        key);
    sodium_memzero(open, sizeof open);
    sodium_memzero(bound, sizeof bound);
    return bad ? ERR_MAC : letter_parse(l, body, body_len, letter_len);
}
