/* client/letters/session.c - see session.h: beginning, offering, sealing, opening.
 *
 * States of a pair: offered (the inviter's, until a letter comes; or a generation that
 * was offered because letters did not open), open. While offered again, what the other
 * side has sealed with the ratchet of before still opens.
 * Failure modes: a letter that is none of the pair's (an error), or one of the pair's
 * that does not open (a verdict); then the session is as before. */
#include "client/letters/session.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "lib/codec.h"

static const uint8_t no_pair[LETTER_KEY_LEN];

static void
label_hash(uint8_t out[static 32], const uint8_t key[static 32],
           const char *label, const uint8_t *more, size_t more_len)
{
    crypto_generichash_state h;
    crypto_generichash_init(&h, key, 32, 32);
    crypto_generichash_update(&h, (const uint8_t *)label, strlen(label));
    crypto_generichash_update(&h, more, more_len);
    crypto_generichash_final(&h, out, 32);
    sodium_memzero(&h, sizeof h);
}

/* ---- beginning ---- */

/* Find what the two sides of an invitation share for good. */
static int
pair_make(struct session *s, const uint8_t *secret, const uint8_t *own_secret,
          const uint8_t *peer_key)
{
    uint8_t shared[32];
    const int bad = crypto_scalarmult(shared, own_secret, peer_key);
    if (!bad)
        label_hash(s->pair, secret, "brusio/1 both", shared, sizeof shared);
    s->paired = !bad;
    sodium_memzero(shared, sizeof shared);
    return bad ? ERR_POINT : 0;
}

void
session_invite(struct session *s, const uint8_t seed[static LETTER_KEY_LEN],
               uint32_t expiry_h,
               const uint8_t own_secret[static RATCHET_KEY_LEN])
{
    uint8_t secret[32];
    memset(s, 0, sizeof *s);
    memcpy(s->seed, seed, sizeof s->seed);
    s->expiry_h = expiry_h;
    label_hash(secret, seed, "brusio/1 first", NULL, 0);
    ratchet_offer(&s->now, secret, own_secret);
    s->state = SESSION_OFFERED;
    s->inviter = true;
    sodium_memzero(secret, sizeof secret);
}

/* Are the heads of s's own letters in the key of the pair? */
static bool
heads_are_paired(const struct session *s)
{
    return s->state != SESSION_NONE && (s->inviter || s->answered);
}

void
session_held_seed(const struct session *s, uint8_t seed[static LETTER_BOX_LEN])
{
    uint8_t in[LETTER_BOX_LEN];
    if (!s->paired)
        return;
    memcpy(in, seed, sizeof in);
    label_hash(seed, s->pair, "brusio/1 held", in, sizeof in);
    sodium_memzero(in, sizeof in);
}

void
session_uninvite(struct session *s)
{
    sodium_memzero(s->seed, sizeof s->seed);
    s->expiry_h = 0;
}

int
session_accept(struct session *s, const uint8_t seed[static LETTER_KEY_LEN],
               const uint8_t key[static RATCHET_KEY_LEN],
               const uint8_t own_secret[static RATCHET_KEY_LEN],
               const uint8_t fresh_share[static MLKEM_SEED_LEN])
{
    uint8_t secret[32];
    memset(s, 0, sizeof *s);
    label_hash(secret, seed, "brusio/1 first", NULL, 0);
    int err = ratchet_take(&s->now, secret, key, own_secret);
    if (!err)
        err = pair_make(s, secret, own_secret, key);
    memcpy(s->first, s->now.own_key, sizeof s->first);
    rekey_ready(&s->rekey, &s->now, fresh_share);
    s->state = SESSION_OPEN;
    sodium_memzero(secret, sizeof secret);
    return err;
}

static void
secret_of(const struct session *s, uint32_t generation, uint8_t out[static 32])
{
    uint8_t in[4 + sizeof s->lasting];
    codec_put32(in, generation);
    memcpy(in + 4, s->lasting, sizeof s->lasting);
    label_hash(out, s->pair, "brusio/1 again", in,
               s->has_lasting ? sizeof in : 4);
    sodium_memzero(in, sizeof in);
}

/* Which lasting share there is: what a head that offers says of it. */
static uint32_t
lasting_mark(const struct session *s)
{
    uint8_t hash[16];
    crypto_generichash(hash, sizeof hash, s->lasting, sizeof s->lasting, NULL,
                       0);
    return codec_get32(hash);
}

static void
lasting_forget(struct session *s)
{
    sodium_memzero(s->lasting, sizeof s->lasting);
    s->has_lasting = false;
}

/* Leave the ratchet there is for the next generation's. One that was offered and that
 * nobody has taken has sealed nothing. */
static void
now_leave(struct session *s, uint32_t generation, uint32_t day)
{
    if (s->state == SESSION_OPEN) {
        s->before = s->now;
        s->before_generation = s->generation;
        s->before_day = day;
        s->has_before = true;
    }
    s->generation = generation;
    rekey_begin(&s->rekey);
}

void
session_offer(struct session *s, uint32_t generation, uint32_t day,
              const uint8_t own_secret[static RATCHET_KEY_LEN])
{
    uint8_t secret[32];
    now_leave(s, generation, day);
    secret_of(s, generation, secret);
    ratchet_offer(&s->now, secret, own_secret);
    s->now.hardened = s->has_lasting;
    s->state = SESSION_OFFERED;
    sodium_memzero(secret, sizeof secret);
}

/* Take the offer of a head. */
static int
offer_take(struct session *s, const struct letter_head *head,
           const struct session_context *context)
{
    uint8_t secret[32];
    now_leave(s, head->generation, context->day);
    secret_of(s, head->generation, secret);
    const int err =
        ratchet_take(&s->now, secret, head->ratchet.key, context->fresh);
    s->now.hardened = s->has_lasting;
    rekey_ready(&s->rekey, &s->now, context->fresh_share);
    s->state = SESSION_OPEN;
    sodium_memzero(secret, sizeof secret);
    return err;
}

bool
session_is_open(const struct session *s)
{
    return s->state != SESSION_OFFERED;
}

bool
session_may_write(const struct session *s)
{
    return s->state != SESSION_OFFERED || s->paired;
}

/* ---- sealing ---- */

int
session_seal(struct session *s, const struct letter *l,
             const uint8_t chain[static LETTER_CHAIN_LEN],
             struct letter_place at, uint8_t *out, size_t letter_len)
{
    struct letter_head head = {.seal = LETTER_BY_PLACE};
    struct letter_keys keys;
    struct letter with = *l;
    uint8_t part[MLKEM_PUBLIC_LEN];
    const bool to_all = s->state == SESSION_NONE || l->kind == LETTER_USED;
    int err = 0;
    letter_place_keys(
        chain, at, to_all || !heads_are_paired(s) ? no_pair : s->pair, &keys);
    if (!to_all && s->state == SESSION_OFFERED) {
        head.seal = LETTER_BY_OFFER;
        memcpy(head.ratchet.key, s->now.own_key, RATCHET_KEY_LEN);
        head.ratchet.mixed = s->has_lasting;
        head.ratchet.step = s->has_lasting ? lasting_mark(s) : 0;
    } else if (!to_all) {
        head.seal = LETTER_BY_RATCHET;
        err = ratchet_write(&s->now, &head.ratchet, keys.body);
        with.part =
            rekey_write(&s->rekey, &s->now, s->mlkem,
                        letter_part_room(l->data_len, letter_len), part);
    }
    head.generation = to_all ? 0 : s->generation;
    if (!err)
        err = letter_seal(&with, &head, &keys, at, out, letter_len);
    sodium_memzero(&keys, sizeof keys);
    return err;
}

/* Open a head by the pair's key, or by that of whoever has the invitation; which of
 * them, and the keys, are the caller's. */
static int
head_open(const struct session *s, const uint8_t *chain, struct letter_place at,
          const uint8_t *letter, size_t letter_len, struct letter_head *head,
          struct letter_keys *keys, bool *by_pair)
{
    int err = ERR_MAC;
    *by_pair = s->paired;
    if (s->paired) {
        letter_place_keys(chain, at, s->pair, keys);
        err = letter_open_head(head, keys->head, at, letter, letter_len);
    }
    if (err == ERR_MAC) {
        *by_pair = false;
        letter_place_keys(chain, at, no_pair, keys);
        err = letter_open_head(head, keys->head, at, letter, letter_len);
    }
    return err;
}

int
session_own_head(const struct session *s,
                 const uint8_t chain[static LETTER_CHAIN_LEN],
                 struct letter_place at, const uint8_t *letter,
                 size_t letter_len, struct letter_head *head)
{
    struct letter_keys keys;
    bool by_pair;
    const int err =
        head_open(s, chain, at, letter, letter_len, head, &keys, &by_pair);
    sodium_memzero(&keys, sizeof keys);
    return err;
}

/* ---- opening ---- */

/* What session_open() is about, for the functions that it is made of. */
struct opening {
    const struct session *s;
    const struct session_context *context;
    struct letter_place at;
    uint8_t *letter;
    size_t letter_len;
    struct letter_head head;
    struct letter_keys keys;
};

/* Open the body by a key. What opens and cannot be is passed over: it was its writer's
 * doing, not a store's. Returns 0 or ERR_MAC. */
static int
body_open(const struct opening *o, const uint8_t *key,
          struct session_step *step)
{
    const int err = letter_open_body(&step->letter, &o->head, key, o->at,
                                     o->letter, o->letter_len);
    if (err == ERR_MAC)
        return err;
    step->violation = err;
    step->verdict = err ? SESSION_PASSED : SESSION_READ;
    return 0;
}

/* Open a letter by a ratchet of the next session's. What it leads to is in step, and in
 * *r. Returns 0, or an error: it does not open. */
static int
ratchet_open(const struct opening *o, struct ratchet *r,
             struct session_step *step)
{
    const struct ratchet_head *head = &o->head.ratchet;
    struct ratchet_step found;
    int err = ratchet_read(r, head, o->context->fresh, &found);
    step->ahead = err == ERR_STALE;
    step->by_ratchet = true;
    step->generation = o->head.generation;
    step->head = *head;
    if (err == ERR_DUPLICATE &&
        o->context->kept(o->context->ctx, step->generation, head->step, head->n,
                         step->key)) {
        step->is_kept = true;
        return body_open(o, step->key, step);
    }
    if (!err)
        err = body_open(o, found.key, step);
    if (!err) {
        memcpy(step->key, found.key, sizeof step->key);
        memcpy(step->gap, found.gap, sizeof step->gap);
        *r = found.next;
    }
    sodium_memzero(&found, sizeof found);
    return err;
}

/* Go on with what the letters of a ratchet carry for its next share: after one with new
 * keys, which may have mixed the last, and after parts of this one. */
static void
share_go_on(const struct opening *o, struct session_step *step)
{
    struct session *s = &step->next;
    const struct ratchet *was = &o->s->now;
    if (s->now.mixed != was->mixed) {
        if (!s->has_lasting)
            memcpy(s->lasting, was->share, sizeof s->lasting);
        s->has_lasting = true;
        rekey_begin(&s->rekey);
    }
    if (step->verdict == SESSION_READ)
        rekey_read(&s->rekey, &s->now, s->mlkem, &step->letter.part,
                   o->context->fresh_share);
    rekey_ready(&s->rekey, &s->now, o->context->fresh_share);
}

/* Open a letter by the ratchet of its generation: this one, or the one before. Does not
 * open what is of an older one, what was opened before, and what an older copy of either
 * side's records has to do with. */
static void
generation_open(const struct opening *o, struct session_step *step)
{
    struct session *s = &step->next;
    const bool is_now = o->head.generation == s->generation;
    const bool is_before =
        s->has_before && o->head.generation == s->before_generation;
    if ((!is_now && !is_before) ||
        ratchet_open(o, is_now ? &s->now : &s->before, step)) {
        *s = *o->s;
        step->by_ratchet = false;
        step->ahead = step->ahead || o->head.generation > s->generation;
        step->verdict = o->head.generation >= s->generation ? SESSION_BROKEN
                                                            : SESSION_PASSED;
        step->behind = o->head.generation < s->generation;
    } else if (is_now) {
        s->state = SESSION_OPEN;
        share_go_on(o, step);
    }
}

/* Open one of the first letters of an invitee. Once he has answered by a key of his own,
 * or by another generation, one that does not open tells nothing. */
static void
first_open(const struct opening *o, struct session_step *step)
{
    struct session *s = &step->next;
    const uint8_t *key = o->head.ratchet.key;
    if (!s->inviter || o->head.generation != 0 || o->head.ratchet.step != 0)
        return;
    if (s->paired && memcmp(key, s->first, sizeof s->first) != 0) {
        step->verdict = SESSION_SECOND;
        return;
    }
    /* pair comes from the secret that the ratchet begins with */
    if (!s->paired && pair_make(s, s->now.root, s->now.own_secret, key))
        return;
    memcpy(s->first, key, sizeof s->first);
    generation_open(o, step);
    s->answered = true;
    session_uninvite(s);
    const bool is_over = o->s->generation > 0 || o->s->now.peer_step > 0;
    if (step->verdict == SESSION_BROKEN && (!o->s->paired || is_over)) {
        step->verdict = SESSION_PASSED; /* made up by who has the line; or by an
                                           invitee who is back where he began */
        step->behind = o->s->paired;
    }
    if (step->verdict != SESSION_READ && !step->violation)
        *s = *o->s;
}

/* See whether an offer begins with the lasting share of s, or with none. Then s has none
 * either; and none when it is another, so that the next offer of s can be taken. */
static bool
lasting_agrees(struct session *s, const struct ratchet_head *head)
{
    const bool same =
        head->mixed && s->has_lasting && head->step == lasting_mark(s);
    if (!same)
        lasting_forget(s);
    return same || !head->mixed;
}

/* Open a letter that offers a ratchet: by its place, whatever becomes of the offer. */
static void
offer_open(const struct opening *o, struct session_step *step)
{
    struct session *s = &step->next;
    const uint32_t generation = o->head.generation;
    const bool wins = generation > s->generation ||
                      (generation == s->generation &&
                       s->state == SESSION_OFFERED && !s->inviter);
    s->answered = true;
    if (body_open(o, o->keys.body, step) || !wins ||
        generation > o->context->latest)
        return;
    step->unmet = !lasting_agrees(s, &o->head.ratchet);
    if (!step->unmet && offer_take(s, &o->head, o->context))
        *s = *o->s;
}

/* Open a letter whose head has opened by the key of whoever has the invitation. */
static int
unpaired_open(const struct opening *o, struct session_step *step)
{
    const uint8_t seal = o->head.seal;
    if (o->s->state == SESSION_NONE)
        return seal == LETTER_BY_PLACE ? body_open(o, o->keys.body, step)
                                       : ERR_FORMAT;
    if (seal == LETTER_BY_RATCHET)
        first_open(o, step);
    else if (seal == LETTER_BY_PLACE && !o->s->inviter &&
             body_open(o, o->keys.body, step) == 0 && !step->violation)
        step->verdict =
            step->letter.kind == LETTER_USED ? SESSION_USED : SESSION_PASSED;
    return 0;
}

/* Open a letter whose head has opened by the pair's key. */
static void
paired_open(const struct opening *o, struct session_step *step)
{
    if (o->head.seal == LETTER_BY_OFFER)
        offer_open(o, step);
    if (o->head.seal == LETTER_BY_RATCHET)
        generation_open(o, step);
    /* its writer knows pair, whatever it opens with */
    step->next.answered = true;
}

int
session_open(const struct session *s,
             const uint8_t chain[static LETTER_CHAIN_LEN],
             struct letter_place at, const struct session_context *context,
             uint8_t *letter, size_t letter_len, struct session_step *step)
{
    struct opening o = {.s = s,
                        .context = context,
                        .at = at,
                        .letter = letter,
                        .letter_len = letter_len};
    bool by_pair;
    memset(step, 0, sizeof *step);
    step->next = *s;
    step->verdict = SESSION_PASSED;
    int err =
        head_open(s, chain, at, letter, letter_len, &o.head, &o.keys, &by_pair);
    if (!err && by_pair) {
        step->told = o.head.generation;
        step->by_pair = true;
        paired_open(&o, step);
    } else if (!err) {
        err = unpaired_open(&o, step);
    }
    sodium_memzero(&o, sizeof o);
    if (err)
        sodium_memzero(step, sizeof *step);
    return err;
}

enum session_quantum
session_quantum(const struct session *s)
{
    if (s->state == SESSION_NONE)
        return SESSION_QUANTUM_NEVER;
    if (s->state == SESSION_OPEN && s->now.hardened)
        return SESSION_QUANTUM_YES;
    if (!s->mlkem)
        return SESSION_QUANTUM_HERE_LACKS;
    return s->rekey.peer_lacks ? SESSION_QUANTUM_PEER_LACKS
                               : SESSION_QUANTUM_SOON;
}

void
session_first_mark(const uint8_t first[static RATCHET_KEY_LEN],
                   uint8_t id[static LETTER_ID_LEN])
{
    uint8_t hash[32];
    crypto_generichash(hash, sizeof hash, first, RATCHET_KEY_LEN, NULL, 0);
    memcpy(id, hash, LETTER_ID_LEN);
}

void
session_safety(const struct session *s, char text[static SESSION_SAFETY_LEN])
{
    static const char label[] = "brusio/1 safety";
    uint8_t hash[64];
    crypto_generichash(hash, sizeof hash, (const uint8_t *)label,
                       sizeof label - 1, s->pair, sizeof s->pair);
    for (size_t i = 0; i < 12; i++) { /* a group is 40 bits, modulo 10^5 */
        uint64_t n = 0;
        for (size_t k = 0; k < 5; k++)
            n = n << 8 | hash[5 * i + k];
        snprintf(text + 6 * i, 6, "%05u", (unsigned)(n % 100000));
        text[6 * i + 5] = i < 11 ? ' ' : 0;
    }
    sodium_memzero(hash, sizeof hash);
}
