/* client/letters/invite.c - writing and reading an invitation. No state. */
#include "client/letters/invite.h"

#include <sodium.h>
#include <string.h>

#include "lib/codec.h"

enum {
    VERSION = 2,
    CHECK_LEN = 4,
    BODY_LEN = 1 + INVITE_NETWORK_LEN + 4 + INVITE_SEED_LEN + RATCHET_KEY_LEN,
    RAW_LEN = BODY_LEN + CHECK_LEN
};
static const char prefix[] = "brusio1:";
_Static_assert(sizeof prefix - 1 + CODEC_BASE64_LEN(RAW_LEN) == INVITE_TEXT_LEN,
               "length of an invitation");

static void
check_make(const uint8_t *raw, uint8_t check[static CHECK_LEN])
{
    uint8_t hash[32];
    crypto_generichash(hash, sizeof hash, raw, BODY_LEN, NULL, 0);
    memcpy(check, hash, CHECK_LEN);
}

/* Find the smallest of n identities that is greater than after (NULL: of all). Returns
 * NULL when there is none. */
static const uint8_t *
identity_next(const uint8_t (*of)[SPHINX_ID_LEN], size_t n,
              const uint8_t *after)
{
    const uint8_t *next = NULL;
    for (size_t i = 0; i < n; i++)
        if ((!after || memcmp(of[i], after, SPHINX_ID_LEN) > 0) &&
            (!next || memcmp(of[i], next, SPHINX_ID_LEN) < 0))
            next = of[i];
    return next;
}

void
invite_network(uint8_t id[static INVITE_NETWORK_LEN], const char *name,
               const uint8_t (*authorities)[SPHINX_ID_LEN], size_t n)
{
    crypto_generichash_state h;
    uint8_t out[32];
    crypto_generichash_init(&h, NULL, 0, sizeof out);
    crypto_generichash_update(&h, (const uint8_t *)name, strlen(name) + 1);
    for (const uint8_t *a = identity_next(authorities, n, NULL); a;
         a = identity_next(authorities, n, a))
        crypto_generichash_update(&h, a, SPHINX_ID_LEN);
    crypto_generichash_final(&h, out, sizeof out);
    memcpy(id, out, INVITE_NETWORK_LEN);
}

void
invite_write(const struct invite *i, char text[static INVITE_TEXT_LEN])
{
    uint8_t raw[RAW_LEN];
    struct codec_writer w;
    codec_writer_init(&w, raw, sizeof raw);
    codec_write8(&w, VERSION);
    codec_write_bytes(&w, i->network, INVITE_NETWORK_LEN);
    codec_write32(&w, i->expiry_h);
    codec_write_bytes(&w, i->seed, INVITE_SEED_LEN);
    codec_write_bytes(&w, i->key, RATCHET_KEY_LEN);
    check_make(raw, w.at);
    memcpy(text, prefix, sizeof prefix);
    codec_base64(text + sizeof prefix - 1, INVITE_TEXT_LEN - sizeof prefix + 1,
                 raw, sizeof raw);
    sodium_memzero(raw, sizeof raw);
}

/* The line without blanks around it and without its prefix. */
static int
text_strip(const char *text, char out[static INVITE_TEXT_LEN])
{
    static const char blank[] = " \t\r\n";
    text += strspn(text, blank);
    size_t len = strcspn(text, blank);
    if (text[len + strspn(text + len, blank)] != 0)
        return ERR_FORMAT;
    if (strncmp(text, prefix, sizeof prefix - 1) != 0)
        return strncmp(text, "brusio", 6) == 0 ? ERR_VERSION : ERR_FORMAT;
    if (len != INVITE_TEXT_LEN - 1)
        return len < INVITE_TEXT_LEN ? ERR_SHORT : ERR_LONG;
    memcpy(out, text + sizeof prefix - 1, len - sizeof prefix + 1);
    out[len - sizeof prefix + 1] = 0;
    return 0;
}

int
invite_read(struct invite *i, const char *text)
{
    char stripped[INVITE_TEXT_LEN];
    uint8_t raw[RAW_LEN], check[CHECK_LEN];
    size_t len;
    int err = text_strip(text, stripped);
    if (!err)
        err = codec_unbase64(raw, sizeof raw, &len, stripped);
    if (!err && len != sizeof raw)
        err = ERR_SHORT;
    if (!err && raw[0] != VERSION)
        err = ERR_VERSION;
    if (!err) {
        check_make(raw, check);
        if (memcmp(check, raw + BODY_LEN, CHECK_LEN) != 0)
            err = ERR_FORMAT;
    }
    if (!err) {
        memcpy(i->network, raw + 1, INVITE_NETWORK_LEN);
        i->expiry_h = codec_get32(raw + 1 + INVITE_NETWORK_LEN);
        memcpy(i->seed, raw + 5 + INVITE_NETWORK_LEN, INVITE_SEED_LEN);
        memcpy(i->key, raw + 5 + INVITE_NETWORK_LEN + INVITE_SEED_LEN,
               RATCHET_KEY_LEN);
    }
    sodium_memzero(stripped, sizeof stripped);
    sodium_memzero(raw, sizeof raw);
    return err;
}

static void
chain_begin(const struct invite *i, const char *label, struct chain *out)
{
    const uint32_t day = i->expiry_h / 24;
    out->day = day > INVITE_DAYS ? day - INVITE_DAYS : 0;
    crypto_generichash(out->key, sizeof out->key, (const uint8_t *)label,
                       strlen(label), i->seed, INVITE_SEED_LEN);
}

void
invite_chains(const struct invite *i, struct chain *inviter,
              struct chain *invitee)
{
    chain_begin(i, "brusio/1 chain inviter", inviter);
    chain_begin(i, "brusio/1 chain invitee", invitee);
}
