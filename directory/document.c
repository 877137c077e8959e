/* directory/document.c - the envelope of signed documents. No state. */
#include "directory/document.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/codec.h"

enum { HEAD_MAX = 64, SIG_LINE_LEN = 4 + 64 + 1 + 128 + 1 };

static const char *const kind_names[DOCUMENT_KINDS] = {"?", "descriptor",
                                                       "vote", "consensus"};

const char *
document_kind_name(enum document_kind kind)
{
    return (unsigned)kind < DOCUMENT_KINDS ? kind_names[kind] : "?";
}

/* The number after the head's blank: digits alone, no leading zero. */
static int
length_parse(const uint8_t *p, size_t len, size_t *out, size_t *used)
{
    size_t v = 0, i = 0;
    for (; i < len && p[i] >= '0' && p[i] <= '9'; i++) {
        v = v * 10 + (size_t)(p[i] - '0');
        if (v > DOCUMENT_BODY_MAX)
            return ERR_LONG;
    }
    if (i == 0 || (p[0] == '0' && i > 1))
        return ERR_FORMAT;
    if (i == len)
        return ERR_SHORT;
    if (p[i] != '\n')
        return ERR_FORMAT;
    *out = v;
    *used = i + 1;
    return 0;
}

static int
head_parse(struct document *d, struct codec_reader *in)
{
    char name[HEAD_MAX];
    size_t body_len, used;
    int n =
        snprintf(name, sizeof name, "brusio-%s/", document_kind_name(d->kind));
    const uint8_t *p = codec_read_bytes(in, (size_t)n);
    if (!p)
        return ERR_SHORT;
    if (memcmp(p, name, (size_t)n) != 0)
        return ERR_FORMAT;
    p = codec_read_bytes(in, 2);
    if (!p)
        return ERR_SHORT;
    if (p[0] != '1' || p[1] != ' ')
        return ERR_VERSION;
    int err = length_parse(in->at, in->left, &body_len, &used);
    if (err)
        return err;
    (void)codec_read_bytes(in, used);
    d->body = codec_read_bytes(in, body_len);
    d->body_len = body_len;
    uint8_t newline = codec_read8(in);
    if (in->err)
        return in->err;
    return newline == '\n' ? 0 : ERR_FORMAT;
}

static int
signature_parse(struct document *d, const uint8_t *line)
{
    char hex[2 * DOCUMENT_SIGNATURE_LEN + 1];
    uint8_t *signer = d->signer[d->n_signers];
    uint8_t *signature = d->signature[d->n_signers];
    for (size_t i = 0; i < SIG_LINE_LEN; i++)
        if (line[i] >= 'A' && line[i] <= 'F')
            return ERR_FORMAT; /* one way to write a document, not two */
    if (memcmp(line, "sig ", 4) != 0 || line[4 + 64] != ' ' ||
        line[SIG_LINE_LEN - 1] != '\n')
        return ERR_FORMAT;
    memcpy(hex, line + 4, 64);
    hex[64] = 0;
    if (codec_unhex(signer, DOCUMENT_ID_LEN, hex))
        return ERR_FORMAT;
    memcpy(hex, line + 4 + 65, 128);
    hex[128] = 0;
    if (codec_unhex(signature, DOCUMENT_SIGNATURE_LEN, hex))
        return ERR_FORMAT;
    if (d->n_signers > 0) {
        int order =
            memcmp(d->signer[d->n_signers - 1], signer, DOCUMENT_ID_LEN);
        if (order >= 0)
            return order == 0 ? ERR_DUPLICATE : ERR_FORMAT;
    }
    d->n_signers++;
    return 0;
}

int
document_parse(struct document *d, enum document_kind kind,
               const uint8_t *bytes, size_t len)
{
    struct codec_reader in;
    *d = (struct document){.kind = kind};
    codec_reader_init(&in, bytes, len);
    int err = head_parse(d, &in);
    while (!err && in.left > 0) {
        if (d->n_signers == DOCUMENT_SIGNERS_MAX)
            return ERR_LONG;
        const uint8_t *line = codec_read_bytes(&in, SIG_LINE_LEN);
        err = line ? signature_parse(d, line) : ERR_SHORT;
    }
    return err;
}

/* What is signed: the kind, so that no body serves for another, and the body.
 * Ed25519 wants one piece of memory; the body is hashed first (BLAKE2b-512). */
static void
signed_hash(enum document_kind kind, const uint8_t *body, size_t body_len,
            uint8_t hash[static 64])
{
    crypto_generichash_state state;
    char label[HEAD_MAX];
    int n = snprintf(label, sizeof label, "brusio/1 %s\n",
                     document_kind_name(kind));
    crypto_generichash_init(&state, NULL, 0, 64);
    crypto_generichash_update(&state, (const uint8_t *)label,
                              (unsigned long long)n);
    crypto_generichash_update(&state, body, body_len);
    crypto_generichash_final(&state, hash, 64);
}

int
document_open(struct document *d, enum document_kind kind, const uint8_t *bytes,
              size_t len, const uint8_t (*allowed)[DOCUMENT_ID_LEN], size_t n,
              size_t need)
{
    uint8_t hash[64];
    size_t good = 0;
    int err = document_parse(d, kind, bytes, len);
    if (err)
        return err;
    signed_hash(kind, d->body, d->body_len, hash);
    for (size_t i = 0; i < d->n_signers; i++) {
        size_t k = 0;
        while (k < n && memcmp(allowed[k], d->signer[i], DOCUMENT_ID_LEN) != 0)
            k++;
        if (k == n)
            continue;
        if (crypto_sign_verify_detached(d->signature[i], hash, sizeof hash,
                                        d->signer[i]) != 0)
            return ERR_SIGNATURE;
        good++;
    }
    return good >= need && good > 0 ? 0 : ERR_THRESHOLD;
}

void
document_sign(enum document_kind kind, const uint8_t *body, size_t body_len,
              const uint8_t seed[static DOCUMENT_SIGN_SEED_LEN],
              uint8_t signer[static DOCUMENT_ID_LEN],
              uint8_t signature[static DOCUMENT_SIGNATURE_LEN])
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES], hash[64];
    crypto_sign_seed_keypair(signer, secret, seed);
    signed_hash(kind, body, body_len, hash);
    crypto_sign_detached(signature, NULL, hash, sizeof hash, secret);
    sodium_memzero(secret, sizeof secret);
}

int
document_add(struct document *d, const uint8_t signer[static DOCUMENT_ID_LEN],
             const uint8_t signature[static DOCUMENT_SIGNATURE_LEN])
{
    size_t at = 0;
    while (at < d->n_signers &&
           memcmp(d->signer[at], signer, DOCUMENT_ID_LEN) < 0)
        at++;
    if (at < d->n_signers &&
        memcmp(d->signer[at], signer, DOCUMENT_ID_LEN) == 0)
        return ERR_DUPLICATE;
    if (d->n_signers == DOCUMENT_SIGNERS_MAX)
        return ERR_FULL;
    size_t rest = d->n_signers++ - at;
    memmove(d->signer[at + 1], d->signer[at], rest * sizeof d->signer[0]);
    memmove(d->signature[at + 1], d->signature[at],
            rest * sizeof d->signature[0]);
    memcpy(d->signer[at], signer, DOCUMENT_ID_LEN);
    memcpy(d->signature[at], signature, DOCUMENT_SIGNATURE_LEN);
    return 0;
}

int
document_write(const struct document *d, uint8_t **out, size_t *len)
{
    char head[HEAD_MAX];
    struct codec_writer w;
    int n = snprintf(head, sizeof head, "brusio-%s/1 %zu\n",
                     document_kind_name(d->kind), d->body_len);
    *out = NULL;
    *len = 0;
    if (d->body_len > DOCUMENT_BODY_MAX)
        return ERR_LONG;
    size_t total = (size_t)n + d->body_len + 1 + d->n_signers * SIG_LINE_LEN;
    uint8_t *bytes = malloc(total);
    if (!bytes)
        return ERR_NOMEM;
    codec_writer_init(&w, bytes, total);
    codec_write_bytes(&w, head, (size_t)n);
    codec_write_bytes(&w, d->body, d->body_len);
    codec_write8(&w, '\n');
    for (size_t i = 0; i < d->n_signers; i++) {
        char hex[2 * DOCUMENT_SIGNATURE_LEN + 1];
        codec_write_bytes(&w, "sig ", 4);
        codec_hex(hex, d->signer[i], DOCUMENT_ID_LEN);
        codec_write_bytes(&w, hex, 64);
        codec_write8(&w, ' ');
        codec_hex(hex, d->signature[i], DOCUMENT_SIGNATURE_LEN);
        codec_write_bytes(&w, hex, 128);
        codec_write8(&w, '\n');
    }
    *out = bytes;
    *len = total;
    return w.err;
}

void
document_digest(const struct document *d, uint8_t digest[static 32])
{
    crypto_generichash(digest, 32, d->body, d->body_len, NULL, 0);
}
