/* client/letters/ratchet.c - see ratchet.h: the states of a side, and its two moves.
 *
 * States: offering (no peer, neither writes nor reads), taken (writes, reads nothing
 * yet), both. A move to a new key of the peer's makes the chain that is read with, and
 * with a fresh key pair the one that is written with.
 * Failure modes: a head that does not follow from the state, by the error that says
 * how; the state is as before. */
#include "client/letters/ratchet.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

static const char root_label[] = "brusio/1 root";

/* Mix what the two sides' keys give into the root of r, and with_share: the share, too,
 * which is wiped. Write the chain that comes of it. */
static int
root_step(struct ratchet *r, bool with_share,
          uint8_t chain[static RATCHET_KEY_LEN])
{
    enum { LABEL_LEN = sizeof root_label - 1 };
    uint8_t in[LABEL_LEN + 2 * RATCHET_KEY_LEN], out[64];
    size_t len = LABEL_LEN + RATCHET_KEY_LEN;
    memcpy(in, root_label, LABEL_LEN);
    const int bad =
        crypto_scalarmult(in + LABEL_LEN, r->own_secret, r->peer_key);
    if (!bad && with_share) {
        memcpy(in + len, r->share, RATCHET_KEY_LEN);
        len += RATCHET_KEY_LEN;
        sodium_memzero(r->share, sizeof r->share);
        r->has_share = false;
        r->hardened = true;
        r->mixed++;
    }
    if (!bad) {
        crypto_generichash(out, sizeof out, in, len, r->root, RATCHET_KEY_LEN);
        memcpy(r->root, out, RATCHET_KEY_LEN);
        memcpy(chain, out + RATCHET_KEY_LEN, RATCHET_KEY_LEN);
    }
    sodium_memzero(in, sizeof in);
    sodium_memzero(out, sizeof out);
    return bad ? ERR_POINT : 0;
}

/* Write the key that is next in a chain, and step the chain. */
static void
chain_next(uint8_t chain[static RATCHET_KEY_LEN],
           uint8_t key[static RATCHET_KEY_LEN])
{
    uint8_t next[RATCHET_KEY_LEN];
    const uint8_t letter = 1, step = 2;
    crypto_generichash(key, RATCHET_KEY_LEN, &letter, 1, chain,
                       RATCHET_KEY_LEN);
    crypto_generichash(next, sizeof next, &step, 1, chain, RATCHET_KEY_LEN);
    memcpy(chain, next, sizeof next);
    sodium_memzero(next, sizeof next);
}

/* Have r's key pair be that of a secret. */
static void
own_key_take(struct ratchet *r, const uint8_t *own_secret)
{
    memcpy(r->own_secret, own_secret, RATCHET_KEY_LEN);
    crypto_scalarmult_base(r->own_key, r->own_secret);
}

void
ratchet_offer(struct ratchet *r, const uint8_t secret[static RATCHET_KEY_LEN],
              const uint8_t own_secret[static RATCHET_KEY_LEN])
{
    memset(r, 0, sizeof *r);
    memcpy(r->root, secret, RATCHET_KEY_LEN);
    own_key_take(r, own_secret);
}

int
ratchet_take(struct ratchet *r, const uint8_t secret[static RATCHET_KEY_LEN],
             const uint8_t peer_key[static RATCHET_KEY_LEN],
             const uint8_t own_secret[static RATCHET_KEY_LEN])
{
    ratchet_offer(r, secret, own_secret);
    memcpy(r->peer_key, peer_key, RATCHET_KEY_LEN);
    r->has_peer = r->can_write = true;
    return root_step(r, false, r->out);
}

bool
ratchet_sends_key(const struct ratchet *r)
{
    /* a taker's keys are as many as the other's, an offerer's one more */
    const bool took = r->has_peer && r->own_step == r->peer_step;
    return took == (r->mixed % 2 == 0);
}

int
ratchet_write(struct ratchet *r, struct ratchet_head *head,
              uint8_t key[static RATCHET_KEY_LEN])
{
    assert(r->can_write);
    if (r->n_out > RATCHET_NUMBER_MAX)
        return ERR_FULL;
    memcpy(head->key, r->own_key, RATCHET_KEY_LEN);
    head->step = r->own_step;
    head->n = r->n_out++;
    head->previous = r->n_previous;
    head->mixed = (uint8_t)r->mixed;
    chain_next(r->out, key);
    return 0;
}

/* Go over the letters of the chain that is read with, up to number n: they are the
 * gap. */
static int
gap_make(struct ratchet *r, uint32_t n, struct ratchet_gap *gap)
{
    uint8_t key[RATCHET_KEY_LEN];
    if (n < r->n_in)
        n = r->n_in;
    if (n - r->n_in > RATCHET_SKIP_MAX)
        return ERR_RANGE;
    *gap = (struct ratchet_gap){.step = r->peer_step, .n = r->n_in, .end = n};
    memcpy(gap->chain, r->in, RATCHET_KEY_LEN);
    for (; r->n_in < n; r->n_in++)
        chain_next(r->in, key);
    sodium_memzero(key, sizeof key);
    return 0;
}

static uint32_t
gap_len(const struct ratchet_gap *gap)
{
    return gap->end - gap->n;
}

/* Take up a new key of the peer's, and answer it with one of our own. */
static int
key_follow(struct ratchet *r, const struct ratchet_head *head,
           const uint8_t *fresh)
{
    const bool peer_mixes = head->mixed != (uint8_t)r->mixed;
    if (peer_mixes && (head->mixed != (uint8_t)(r->mixed + 1) ||
                       !r->has_share || ratchet_sends_key(r)))
        return ERR_CONFLICT;
    memcpy(r->peer_key, head->key, RATCHET_KEY_LEN);
    r->has_peer = r->can_read = true;
    r->peer_step = head->step;
    r->n_in = 0;
    int err = root_step(r, peer_mixes, r->in);
    if (err)
        return err;

    own_key_take(r, fresh);
    r->own_step++;
    r->n_previous = r->n_out;
    r->n_out = 0;
    r->can_write = true;
    return root_step(r, r->has_share && ratchet_sends_key(r), r->out);
}

/* How a head stands to r: 0: in the chain that is read with; 1: it has the next key;
 * else an error of ratchet_read(). */
static int
head_place(const struct ratchet *r, const struct ratchet_head *head)
{
    if (!r->has_peer)
        return head->step == 0 ? 1 : ERR_STALE;
    if (head->step > r->peer_step)
        return head->step - r->peer_step == 1 && r->can_write ? 1 : ERR_STALE;
    if (head->step < r->peer_step)
        return ERR_DUPLICATE;
    if (!r->can_read || memcmp(head->key, r->peer_key, RATCHET_KEY_LEN) != 0)
        return ERR_CONFLICT;
    return head->n < r->n_in ? ERR_DUPLICATE : 0;
}

int
ratchet_read(const struct ratchet *r, const struct ratchet_head *head,
             const uint8_t fresh[static RATCHET_KEY_LEN],
             struct ratchet_step *step)
{
    memset(step, 0, sizeof *step);
    step->next = *r;
    const int place = head_place(r, head);
    int err = place < 0 ? place : 0;
    if (place == 1) {
        if (r->can_read)
            err = gap_make(&step->next, head->previous, &step->gap[0]);
        if (!err)
            err = key_follow(&step->next, head, fresh);
    }
    if (!err)
        err = gap_make(&step->next, head->n, &step->gap[1]);
    if (!err &&
        gap_len(&step->gap[0]) + gap_len(&step->gap[1]) > RATCHET_SKIP_MAX)
        err = ERR_RANGE;
    if (!err) {
        chain_next(step->next.in, step->key);
        step->next.n_in++;
    } else {
        sodium_memzero(step, sizeof *step);
    }
    return err;
}

bool
ratchet_gap_next(struct ratchet_gap *gap, uint32_t *n,
                 uint8_t key[static RATCHET_KEY_LEN])
{
    if (gap->n == gap->end)
        return false;
    *n = gap->n++;
    chain_next(gap->chain, key);
    return true;
}
