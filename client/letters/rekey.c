/* client/letters/rekey.c - see rekey.h.
 *
 * States of an exchange, by the ratchet's turn and whether it has the share:
 *   sends the key, no share     parts of the key go out, of the ciphertext come in
 *   sends the key, share        nothing: the share is mixed with the next key pair
 *   the other, no share         parts of the key come in
 *   the other, share            parts of the ciphertext go out
 * Failure modes: no library, or no memory: nothing is sent or taken, and the ratchet goes
 * on without; a key that is none is forgotten, and comes again. */
#include "client/letters/rekey.h"

#include <sodium.h>
#include <string.h>

enum { ALL_PARTS = (1 << LETTER_PARTS) - 1 };

void
rekey_begin(struct rekey *k)
{
    const bool lacks = k->peer_lacks;
    sodium_memzero(k, sizeof *k);
    k->peer_lacks = lacks;
}

/* Does r's side send a key, and wait for its ciphertext? */
static bool
key_is_sent(const struct ratchet *r)
{
    return ratchet_sends_key(r) && !r->has_share;
}

void
rekey_ready(struct rekey *k, const struct ratchet *r,
            const uint8_t fresh[static MLKEM_SEED_LEN])
{
    if (!key_is_sent(r) || k->has_seed)
        return;
    memcpy(k->seed, fresh, sizeof k->seed);
    k->has_seed = true;
}

/* Take the parts of whole that are next and fit, and copy them. */
static struct letter_part
parts_take(struct rekey *k, const struct ratchet *r, uint8_t kind, size_t room,
           const uint8_t *whole, uint8_t bytes[static MLKEM_PUBLIC_LEN])
{
    const size_t len = letter_part_len(kind);
    size_t n = (room - LETTER_PART_HEAD_LEN) / len;
    if (n > LETTER_PARTS)
        n = LETTER_PARTS;
    for (size_t i = 0; i < n; i++)
        memcpy(bytes + i * len, whole + (k->next + i) % LETTER_PARTS * len,
               len);
    const struct letter_part part = {.kind = kind,
                                     .exchange = r->mixed + 1,
                                     .first = k->next,
                                     .count = (uint8_t)n,
                                     .bytes = bytes};
    k->next = (uint8_t)((k->next + n) % LETTER_PARTS);
    return part;
}

struct letter_part
rekey_write(struct rekey *k, const struct ratchet *r, const struct mlkem *mlkem,
            size_t room, uint8_t bytes[static MLKEM_PUBLIC_LEN])
{
    const struct letter_part none = {.kind = LETTER_PART_NONE};
    uint8_t key[MLKEM_PUBLIC_LEN];
    void *pair;
    if (!mlkem)
        return (struct letter_part){.kind = room > 0 ? LETTER_PART_LACKS
                                                     : LETTER_PART_NONE};
    if (room < LETTER_PART_HEAD_LEN + letter_part_len(LETTER_PART_KEY))
        return none;
    if (!ratchet_sends_key(r) && r->has_share)
        return parts_take(k, r, LETTER_PART_CIPHERTEXT, room, k->bytes, bytes);
    if (!key_is_sent(r) || !k->has_seed || mlkem->key_new(&pair, k->seed))
        return none;
    const int err = mlkem->key_public(pair, key);
    mlkem->key_free(pair);
    return err ? none : parts_take(k, r, LETTER_PART_KEY, room, key, bytes);
}

/* Put parts to those that have come. Returns whether they are all there. */
static bool
parts_put(struct rekey *k, const struct letter_part *part)
{
    const size_t len = letter_part_len(part->kind);
    for (size_t i = 0; i < part->count; i++) {
        const size_t number = (part->first + i) % LETTER_PARTS;
        memcpy(k->bytes + number * len, part->bytes + i * len, len);
        k->have |= (uint8_t)(1U << number);
    }
    return k->have == ALL_PARTS;
}

/* Make the ciphertext for a key that has come, and the share. */
static void
ciphertext_make(struct rekey *k, struct ratchet *r, const struct mlkem *mlkem,
                const uint8_t *message)
{
    uint8_t ciphertext[MLKEM_CIPHERTEXT_LEN];
    k->have = 0;
    r->has_share =
        mlkem->encapsulate(k->bytes, message, ciphertext, r->share) == 0;
    memset(k->bytes, 0, sizeof k->bytes);
    if (r->has_share)
        memcpy(k->bytes, ciphertext, sizeof ciphertext);
    k->next = 0;
}

/* Find the share of a ciphertext that has come. */
static void
share_find(struct rekey *k, struct ratchet *r, const struct mlkem *mlkem)
{
    void *pair;
    k->have = 0;
    if (mlkem->key_new(&pair, k->seed))
        return;
    r->has_share = mlkem->decapsulate(pair, k->bytes, r->share) == 0;
    mlkem->key_free(pair);
    if (r->has_share)
        rekey_begin(k);
}

void
rekey_read(struct rekey *k, struct ratchet *r, const struct mlkem *mlkem,
           const struct letter_part *part,
           const uint8_t fresh[static MLKEM_SEED_LEN])
{
    const bool sent = key_is_sent(r);
    const uint8_t wanted = sent ? LETTER_PART_CIPHERTEXT : LETTER_PART_KEY;
    if (part->kind != LETTER_PART_NONE)
        k->peer_lacks = part->kind == LETTER_PART_LACKS;
    if (!mlkem || r->has_share || part->kind != wanted ||
        (sent && !k->has_seed) || part->exchange != r->mixed + 1 ||
        !parts_put(k, part))
        return;
    if (sent)
        share_find(k, r, mlkem);
    else
        ciphertext_make(k, r, mlkem, fresh);
}
