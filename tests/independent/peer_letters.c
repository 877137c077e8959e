/* tests/independent/peer_letters.c - boxes, letters, invitations, work
 * (PROTOCOL.md 8). */
#include <sodium.h>
#include <string.h>

#include "client/letters/invite.h"
#include "client/letters/letter.h"
#include "network/box.h"
#include "network/work.h"
#include "tests/independent/peer_letters.h"

static int
box(struct peer *p)
{
    const uint8_t *seed = peer_get_exact(p, "seed", BOX_SEED_LEN);
    uint8_t key[WIRE_BOX_LEN], id[WIRE_BOX_LEN];
    uint8_t token[BOX_TOKEN_LEN], mark[BOX_MARK_LEN];
    box_key_public(seed, key);
    box_id(key, id);
    box_token(seed, peer_get_exact(p, "store", 32), token);
    box_mark(token, mark);
    peer_say_bytes(p, "key", key, sizeof key);
    peer_say_bytes(p, "id", id, sizeof id);
    peer_say_bytes(p, "token", token, sizeof token);
    peer_say_bytes(p, "mark", mark, sizeof mark);
    return 0;
}

static int
put_sign(struct peer *p)
{
    size_t len;
    const uint8_t *letter = peer_get_bytes(p, "letter", &len);
    uint8_t key[WIRE_BOX_LEN], signature[WIRE_SIGNATURE_LEN];
    box_sign(peer_get_exact(p, "seed", BOX_SEED_LEN),
             (uint8_t)peer_get_number(p, "slot", UINT8_MAX), letter, len, key,
             signature);
    peer_say_bytes(p, "signature", signature, sizeof signature);
    return 0;
}

static int
put_verify(struct peer *p)
{
    size_t len;
    const uint8_t *letter = peer_get_bytes(p, "letter", &len);
    return box_verify(peer_get_exact(p, "key", WIRE_BOX_LEN),
                      (uint8_t)peer_get_number(p, "slot", UINT8_MAX), letter,
                      len, peer_get_exact(p, "signature", WIRE_SIGNATURE_LEN));
}

static int
day_key(struct peer *p)
{
    struct chain c = {.day = (uint32_t)peer_get_number(p, "day", UINT32_MAX)};
    uint8_t key[LETTER_CHAIN_LEN], mark[CHAIN_MARK_LEN];
    memcpy(c.key, peer_get_exact(p, "key", sizeof c.key), sizeof c.key);
    chain_key(&c, (uint32_t)peer_get_number(p, "wanted", UINT32_MAX), key);
    chain_mark(c.key, mark);
    peer_say_bytes(p, "key", key, sizeof key);
    peer_say_bytes(p, "mark", mark, sizeof mark);
    return 0;
}

static int
period_day(struct peer *p)
{
    peer_say_number(
        p, "day",
        chain_day((uint32_t)peer_get_number(p, "period", UINT32_MAX),
                  (uint32_t)peer_get_number(p, "period_s", UINT32_MAX)));
    return 0;
}

static int
place(struct peer *p)
{
    const uint8_t *chain = peer_get_exact(p, "chain", LETTER_CHAIN_LEN);
    const struct letter_place at = peer_get_place(p);
    uint8_t seed[LETTER_BOX_LEN], id[LETTER_BOX_LEN], token[LETTER_TOKEN_LEN];
    letter_box_seed(chain, at, seed);
    letter_box(chain, at, id);
    letter_token(chain, at.period, at.n, token);
    peer_say_bytes(p, "seed", seed, sizeof seed);
    peer_say_bytes(p, "box", id, sizeof id);
    peer_say_bytes(p, "token", token, sizeof token);
    return 0;
}

/* Read what two contacts alone know, and derive the keys of a place. */
static void
keys_get(struct peer *p, struct letter_place at, struct letter_keys *keys)
{
    letter_place_keys(peer_get_exact(p, "chain", LETTER_CHAIN_LEN), at,
                      peer_get_exact(p, "pair", LETTER_KEY_LEN), keys);
}

static int
letter_make(struct peer *p)
{
    const size_t len = (size_t)peer_get_number(p, "len", LETTER_LEN_MAX);
    const struct letter_place at = peer_get_place(p);
    const struct letter l = peer_get_letter(p);
    struct letter_keys keys;
    struct letter_head head;
    peer_get_head(p, &head);
    keys_get(p, at, &keys);
    if (peer_has(p, "key"))
        memcpy(keys.body, peer_get_exact(p, "key", LETTER_KEY_LEN),
               LETTER_KEY_LEN);
    uint8_t *out = peer_alloc(p, len);
    int err = letter_seal(&l, &head, &keys, at, out, len);
    if (!err)
        peer_say_bytes(p, "letter", out, len);
    return err;
}

static int
letter_read(struct peer *p)
{
    size_t len;
    struct letter l;
    struct letter_keys keys;
    struct letter_head head;
    const struct letter_place at = peer_get_place(p);
    const uint8_t *key = peer_get_exact(p, "key", LETTER_KEY_LEN);
    uint8_t *bytes = peer_get_bytes(p, "letter", &len);
    keys_get(p, at, &keys);
    int err = letter_open_head(&head, keys.head, at, bytes, len);
    if (!err)
        err = letter_open_body(&l, &head,
                               head.seal == LETTER_BY_RATCHET ? key : keys.body,
                               at, bytes, len);
    if (err)
        return err;
    peer_say_letter(p, &l);
    peer_say_head(p, &head);
    return 0;
}

static int
message_id(struct peer *p)
{
    uint8_t id[LETTER_ID_LEN];
    letter_id(id, (uint32_t)peer_get_number(p, "number", UINT32_MAX),
              (uint32_t)peer_get_number(p, "sent_s", UINT32_MAX));
    peer_say_bytes(p, "id", id, sizeof id);
    return 0;
}

static int
invitation_network(struct peer *p)
{
    const json_t *list = peer_get_list(p, "authorities");
    uint8_t id[INVITE_NETWORK_LEN];
    uint8_t(*authorities)[SPHINX_ID_LEN] =
        peer_alloc(p, (json_array_size(list) + 1) * SPHINX_ID_LEN);
    for (size_t i = 0; i < json_array_size(list); i++)
        peer_unhex(json_array_get(list, i), "identity", authorities[i],
                   SPHINX_ID_LEN);
    invite_network(id, peer_get_text(p, "name"),
                   (const uint8_t(*)[SPHINX_ID_LEN])authorities,
                   json_array_size(list));
    peer_say_bytes(p, "network", id, sizeof id);
    return 0;
}

static int
invitation_make(struct peer *p)
{
    struct invite i;
    char text[INVITE_TEXT_LEN];
    memcpy(i.network, peer_get_exact(p, "network", INVITE_NETWORK_LEN),
           INVITE_NETWORK_LEN);
    memcpy(i.seed, peer_get_exact(p, "seed", INVITE_SEED_LEN), INVITE_SEED_LEN);
    memcpy(i.key, peer_get_exact(p, "key", RATCHET_KEY_LEN), RATCHET_KEY_LEN);
    i.expiry_h = (uint32_t)peer_get_number(p, "expiry_h", UINT32_MAX);
    invite_write(&i, text);
    peer_say(p, "text", json_string(text));
    return 0;
}

static int
invitation_read(struct peer *p)
{
    struct invite i;
    struct chain inviter, invitee;
    int err = invite_read(&i, peer_get_text(p, "text"));
    if (err)
        return err;
    invite_chains(&i, &inviter, &invitee);
    peer_say_bytes(p, "network", i.network, INVITE_NETWORK_LEN);
    peer_say_bytes(p, "seed", i.seed, INVITE_SEED_LEN);
    peer_say_bytes(p, "key", i.key, RATCHET_KEY_LEN);
    peer_say_number(p, "expiry_h", i.expiry_h);
    peer_say_bytes(p, "inviter", inviter.key, sizeof inviter.key);
    peer_say_bytes(p, "invitee", invitee.key, sizeof invitee.key);
    peer_say_number(p, "day", inviter.day);
    return 0;
}

static struct work_task
work_get(struct peer *p)
{
    struct work_task t;
    const uint8_t *challenge =
        peer_get_exact(p, "challenge", WORK_CHALLENGE_LEN);
    const uint8_t *store = peer_get_exact(p, "store", 32);
    if (peer_has(p, "token")) {
        work_announce_task(&t, challenge, store,
                           peer_get_exact(p, "token", WORK_TOKEN_LEN));
        return t;
    }
    memcpy(t.challenge, challenge, sizeof t.challenge);
    memcpy(t.store, store, sizeof t.store);
    memcpy(t.box, peer_get_exact(p, "box", 32), sizeof t.box);
    return t;
}

static int
work_worth(struct peer *p)
{
    const struct work_task t = work_get(p);
    peer_say_number(p, "bits",
                    work_bits(&t, peer_get_exact(p, "nonce", WORK_NONCE_LEN)));
    return 0;
}

static int
work_find(struct peer *p)
{
    const struct work_task t = work_get(p);
    uint8_t nonce[WORK_NONCE_LEN] = {0};
    if (!work_search(&t, (unsigned)peer_get_number(p, "bits", WORK_BITS_MAX),
                     UINT64_C(1) << 20, nonce))
        return ERR_NOT_FOUND;
    peer_say_bytes(p, "nonce", nonce, sizeof nonce);
    return 0;
}

static int
work_price(struct peer *p)
{
    peer_say_number(p, "steps",
                    work_steps(peer_get_number(p, "used", INT64_MAX),
                               peer_get_number(p, "room", INT64_MAX)));
    return 0;
}

const struct peer_command peer_letters[] = {
    {"box", box},
    {"put_sign", put_sign},
    {"put_verify", put_verify},
    {"day", day_key},
    {"period_day", period_day},
    {"place", place},
    {"letter_make", letter_make},
    {"letter_read", letter_read},
    {"message_id", message_id},
    {"invitation_network", invitation_network},
    {"invitation_make", invitation_make},
    {"invitation_read", invitation_read},
    {"work_worth", work_worth},
    {"work_find", work_find},
    {"work_price", work_price},
    {NULL, NULL},
};
