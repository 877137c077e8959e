/* client/letters/letter.c - letters: keys of a place, sealing, opening, the keys' chains.
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

enum { NONCE_LEN = 24, HEAD_LEN = 48, MAC_LEN = 16, HEAD_VERSION = 2 };

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
    if ((l->kind == LETTER_ACK) != (l->sequence == 0))
        return ERR_FORMAT;
    if (l->announced && (l->kind == LETTER_ACK || l->tokens == 0))
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
    return letter_check(l, letter_len);
}

int
letter_seal(const struct letter *l,
            const uint8_t chain[static LETTER_CHAIN_LEN],
            struct letter_place at,
            const uint8_t random[static LETTER_RANDOM_LEN], uint8_t *out,
            size_t letter_len)
{
    uint8_t key[64], *head = out + NONCE_LEN;
    uint8_t *body = head + HEAD_LEN + MAC_LEN;
    if (letter_data_max(letter_len) == 0)
        return ERR_RANGE;
    size_t body_len = letter_len - LETTER_OVERHEAD;
    int err = body_write(l, body, body_len);
    if (err)
        return err;
    memcpy(out, random, NONCE_LEN);
    head[0] = HEAD_VERSION;
    memcpy(head + 1, random + NONCE_LEN, HEAD_LEN - 1);
    chain_derive(key, sizeof key, chain, "brusio/1 letter", at.period, at.n);
    crypto_aead_xchacha20poly1305_ietf_encrypt(head, NULL, head, HEAD_LEN, NULL,
                                               0, NULL, out, key);
    crypto_aead_xchacha20poly1305_ietf_encrypt(body, NULL, body, body_len, NULL,
                                               0, NULL, out, key + 32);
    sodium_memzero(key, sizeof key);
    return 0;
}

int
letter_open(struct letter *l, const uint8_t chain[static LETTER_CHAIN_LEN],
            struct letter_place at, uint8_t *letter, size_t letter_len)
{
    uint8_t key[64], *head = letter + NONCE_LEN;
    uint8_t *body = head + HEAD_LEN + MAC_LEN;
    if (letter_data_max(letter_len) == 0)
        return ERR_RANGE;
    size_t body_len = letter_len - LETTER_OVERHEAD;
    chain_derive(key, sizeof key, chain, "brusio/1 letter", at.period, at.n);
    int bad = crypto_aead_xchacha20poly1305_ietf_decrypt(
        head, NULL, NULL, head, HEAD_LEN + MAC_LEN, NULL, 0, letter, key);
    if (!bad)
        bad = crypto_aead_xchacha20poly1305_ietf_decrypt(
            body, NULL, NULL, body, body_len + MAC_LEN, NULL, 0, letter,
            key + 32);
    sodium_memzero(key, sizeof key);
    if (bad)
        return ERR_MAC;
    if (head[0] != HEAD_VERSION)
        return ERR_VERSION;
    return letter_parse(l, body, body_len, letter_len);
}
