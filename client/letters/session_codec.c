/* client/letters/session_codec.c - a session as it is kept: session.h has what is in it,
 * client/records.h where it lies. No state.
 *
 * Failure modes: what is cut short, or has a flag or state that cannot be, is refused. */
#include "client/letters/session.h"

#include <string.h>

enum {
    FLAG_INVITER = 1,
    FLAG_PAIRED = 2,
    FLAG_ANSWERED = 4,
    FLAG_BEFORE = 8,
    FLAG_VERIFIED = 16,
    FLAGS = 31
};
enum {
    RATCHET_PEER = 1,
    RATCHET_WRITES = 2,
    RATCHET_READS = 4,
    RATCHET_FLAGS = 7
};
_Static_assert(SESSION_RECORD_LEN ==
                   2 + 3 * 4 + 2 * 32 + 2 * (1 + 5 * 32 + 5 * 4),
               "length of a session");

static void
ratchet_encode(struct codec_writer *w, const struct ratchet *r)
{
    codec_write8(w, (uint8_t)((r->has_peer ? RATCHET_PEER : 0) |
                              (r->can_write ? RATCHET_WRITES : 0) |
                              (r->can_read ? RATCHET_READS : 0)));
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
key_read(struct codec_reader *r, uint8_t key[static 32])
{
    const uint8_t *bytes = codec_read_bytes(r, 32);
    if (bytes)
        memcpy(key, bytes, 32);
}

static bool
ratchet_decode(struct codec_reader *in, struct ratchet *r)
{
    const uint8_t flags = codec_read8(in);
    r->has_peer = flags & RATCHET_PEER;
    r->can_write = flags & RATCHET_WRITES;
    r->can_read = flags & RATCHET_READS;
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
    return !(flags & ~RATCHET_FLAGS);
}

void
session_encode(struct codec_writer *w, const struct session *s)
{
    codec_write8(w, s->state);
    codec_write8(w, (uint8_t)((s->inviter ? FLAG_INVITER : 0) |
                              (s->paired ? FLAG_PAIRED : 0) |
                              (s->answered ? FLAG_ANSWERED : 0) |
                              (s->has_before ? FLAG_BEFORE : 0) |
                              (s->verified ? FLAG_VERIFIED : 0)));
    codec_write32(w, s->generation);
    codec_write32(w, s->before_generation);
    codec_write32(w, s->before_day);
    codec_write_bytes(w, s->pair, sizeof s->pair);
    codec_write_bytes(w, s->first, sizeof s->first);
    ratchet_encode(w, &s->now);
    ratchet_encode(w, &s->before);
}

int
session_decode(struct codec_reader *r, struct session *s)
{
    memset(s, 0, sizeof *s);
    s->state = codec_read8(r);
    const uint8_t flags = codec_read8(r);
    s->inviter = flags & FLAG_INVITER;
    s->paired = flags & FLAG_PAIRED;
    s->answered = flags & FLAG_ANSWERED;
    s->has_before = flags & FLAG_BEFORE;
    s->verified = flags & FLAG_VERIFIED;
    s->generation = codec_read32(r);
    s->before_generation = codec_read32(r);
    s->before_day = codec_read32(r);
    key_read(r, s->pair);
    key_read(r, s->first);
    bool good = ratchet_decode(r, &s->now);
    good = ratchet_decode(r, &s->before) && good;
    if (r->err)
        return r->err;
    if (!good || s->state >= SESSION_STATES || flags & ~FLAGS)
        return ERR_FORMAT;
    return s->state == SESSION_OPEN && !s->now.can_write ? ERR_FORMAT : 0;
}
