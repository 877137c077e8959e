/* client/letters/session_codec.c - a session as it is kept: session.h has what is in it,
 * client/disk/records.h where it lies. No state.
 *
 * Failure modes: what is cut short, or has a flag or state that cannot be, is refused. */
#include "client/letters/session.h"

#include <sodium.h>
#include <string.h>

enum {
    FLAG_INVITER = 1,
    FLAG_PAIRED = 2,
    FLAG_ANSWERED = 4,
    FLAG_BEFORE = 8,
    FLAG_VERIFIED = 16,
    FLAG_LASTING = 32,
    FLAG_PEER_LACKS = 64,
    FLAG_SEED = 128,
    FLAGS = 255,
    FLAGS_FIRST = 31 /* before there were shares */
};
enum {
    RATCHET_PEER = 1,
    RATCHET_WRITES = 2,
    RATCHET_READS = 4,
    RATCHET_SHARE = 8,
    RATCHET_HARDENED = 16,
    RATCHET_FLAGS = 31,
    RATCHET_FLAGS_FIRST = 7
};
_Static_assert(SESSION_RECORD_FIRST_LEN ==
                   2 + 3 * 4 + 2 * 32 + 2 * (1 + 5 * 32 + 5 * 4),
               "length of a session");

static void
ratchet_encode(struct codec_writer *w, const struct ratchet *r)
{
    codec_write8(w, (uint8_t)((r->has_peer ? RATCHET_PEER : 0) |
                              (r->can_write ? RATCHET_WRITES : 0) |
                              (r->can_read ? RATCHET_READS : 0) |
                              (r->has_share ? RATCHET_SHARE : 0) |
                              (r->hardened ? RATCHET_HARDENED : 0)));
    codec_write_bytes(w, r->root, sizeof r->root);
    codec_write_bytes(w, r->own_secret, sizeof r->own_secret);
    codec_write_bytes(w, r->peer_key, sizeof r->peer_key);
    codec_write_bytes(w, r->out, sizeof r->out);
    codec_write_bytes(w, r->in, sizeof r->in);
    codec_write32(w, r->own_step);
    codec_write32(w, r->peer_step);
    codec_write32(w, r->n_out);
    codec_write32(w, r->n_in);
    codec_write32(w, r->n_previous);
}

static void
share_encode(struct codec_writer *w, const struct ratchet *r)
{
    codec_write32(w, r->mixed);
    codec_write_bytes(w, r->share, sizeof r->share);
    codec_write_bytes(w, r->own_key, sizeof r->own_key);
}

static void
bytes_read(struct codec_reader *r, uint8_t *out, size_t len)
{
    const uint8_t *bytes = codec_read_bytes(r, len);
    if (bytes)
        memcpy(out, bytes, len);
}

static void
key_read(struct codec_reader *r, uint8_t key[static 32])
{
    bytes_read(r, key, 32);
}

static bool
ratchet_decode(struct codec_reader *in, unsigned known, struct ratchet *r)
{
    const uint8_t flags = codec_read8(in);
    r->has_peer = flags & RATCHET_PEER;
    r->can_write = flags & RATCHET_WRITES;
    r->can_read = flags & RATCHET_READS;
    r->has_share = flags & RATCHET_SHARE;
    r->hardened = flags & RATCHET_HARDENED;
    key_read(in, r->root);
    key_read(in, r->own_secret);
    key_read(in, r->peer_key);
    key_read(in, r->out);
    key_read(in, r->in);
    r->own_step = codec_read32(in);
    r->peer_step = codec_read32(in);
    r->n_out = codec_read32(in);
    r->n_in = codec_read32(in);
    r->n_previous = codec_read32(in);
    return !(flags & ~known);
}

static void
share_decode(struct codec_reader *in, struct ratchet *r)
{
    r->mixed = codec_read32(in);
    key_read(in, r->share);
    key_read(in, r->own_key);
}

void
session_encode(struct codec_writer *w, const struct session *s)
{
    codec_write8(w, s->state);
    codec_write8(w, (uint8_t)((s->inviter ? FLAG_INVITER : 0) |
                              (s->paired ? FLAG_PAIRED : 0) |
                              (s->answered ? FLAG_ANSWERED : 0) |
                              (s->has_before ? FLAG_BEFORE : 0) |
                              (s->verified ? FLAG_VERIFIED : 0) |
                              (s->has_lasting ? FLAG_LASTING : 0) |
                              (s->rekey.peer_lacks ? FLAG_PEER_LACKS : 0) |
                              (s->rekey.has_seed ? FLAG_SEED : 0)));
    codec_write32(w, s->generation);
    codec_write32(w, s->before_generation);
    codec_write32(w, s->before_day);
    codec_write_bytes(w, s->pair, sizeof s->pair);
    codec_write_bytes(w, s->first, sizeof s->first);
    ratchet_encode(w, &s->now);
    ratchet_encode(w, &s->before);
    share_encode(w, &s->now);
    share_encode(w, &s->before);
    codec_write_bytes(w, s->lasting, sizeof s->lasting);
    codec_write_bytes(w, s->seed, sizeof s->seed);
    codec_write32(w, s->expiry_h);
    codec_write8(w, s->rekey.next);
    codec_write8(w, s->rekey.have);
    codec_write_bytes(w, s->rekey.seed, sizeof s->rekey.seed);
    codec_write_bytes(w, s->rekey.bytes, sizeof s->rekey.bytes);
}

static bool
shares_decode(struct codec_reader *r, struct session *s)
{
    share_decode(r, &s->now);
    share_decode(r, &s->before);
    key_read(r, s->lasting);
    key_read(r, s->seed);
    s->expiry_h = codec_read32(r);
    s->rekey.next = codec_read8(r);
    s->rekey.have = codec_read8(r);
    bytes_read(r, s->rekey.seed, sizeof s->rekey.seed);
    bytes_read(r, s->rekey.bytes, sizeof s->rekey.bytes);
    return s->rekey.next < LETTER_PARTS;
}

int
session_decode(struct codec_reader *r, size_t len, struct session *s)
{
    const bool has_shares = len == SESSION_RECORD_LEN;
    const unsigned known = has_shares ? FLAGS : FLAGS_FIRST,
                   ratchet_known =
                       has_shares ? RATCHET_FLAGS : RATCHET_FLAGS_FIRST;
    memset(s, 0, sizeof *s);
    s->state = codec_read8(r);
    const uint8_t flags = codec_read8(r);
    s->inviter = flags & FLAG_INVITER;
    s->paired = flags & FLAG_PAIRED;
    s->answered = flags & FLAG_ANSWERED;
    s->has_before = flags & FLAG_BEFORE;
    s->verified = flags & FLAG_VERIFIED;
    s->has_lasting = flags & FLAG_LASTING;
    s->rekey.peer_lacks = flags & FLAG_PEER_LACKS;
    s->rekey.has_seed = flags & FLAG_SEED;
    s->generation = codec_read32(r);
    s->before_generation = codec_read32(r);
    s->before_day = codec_read32(r);
    key_read(r, s->pair);
    key_read(r, s->first);
    bool good = ratchet_decode(r, ratchet_known, &s->now);
    good = ratchet_decode(r, ratchet_known, &s->before) && good;
    if (has_shares) {
        good = shares_decode(r, s) && good;
    } else {
        crypto_scalarmult_base(s->now.own_key, s->now.own_secret);
        crypto_scalarmult_base(s->before.own_key, s->before.own_secret);
    }
    if (r->err)
        return r->err;
    if (!good || s->state >= SESSION_STATES || flags & ~known)
        return ERR_FORMAT;
    return s->state == SESSION_OPEN && !s->now.can_write ? ERR_FORMAT : 0;
}
