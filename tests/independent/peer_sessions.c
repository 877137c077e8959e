/* tests/independent/peer_sessions.c - the sessions of pairs (PROTOCOL.md 8.10), held by
 * number, each with the keys of letters that are late, which client/sealing.c keeps. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/letters/session.h"
#include "tests/independent/peer_letters.h"
#include "tests/toy_kem.h"

enum { HELD = 128, KEPT_MAX = 2048 };

/* The key of a letter that is late. */
struct kept {
    uint32_t generation, step, n, day;
    uint8_t key[LETTER_KEY_LEN];
};

struct peer_session {
    struct session s;
    struct kept *kept; /* the oldest first */
    size_t n_kept, room;
};

void
peer_sessions_free(struct peer *p)
{
    for (size_t i = 0; p->sessions && i < HELD; i++)
        free(p->sessions[i].kept);
    free(p->sessions);
    p->sessions = NULL;
}

static struct peer_session *
held(struct peer *p, const char *key)
{
    if (!p->sessions)
        p->sessions = calloc(HELD, sizeof *p->sessions);
    if (!p->sessions)
        peer_fail("memory", "is out");
    return &p->sessions[peer_get_number(p, key, HELD - 1)];
}

/* ---- keys of letters that are late ---- */

static void
kept_reserve(struct peer_session *v, size_t n)
{
    if (n <= v->room)
        return;
    v->room = 2 * n;
    v->kept = realloc(v->kept, v->room * sizeof *v->kept);
    if (!v->kept)
        peer_fail("memory", "is out");
}

/* Take n keys out of the list, from key i on. */
static void
kept_drop(struct peer_session *v, size_t i, size_t n)
{
    memmove(v->kept + i, v->kept + i + n,
            (v->n_kept - i - n) * sizeof *v->kept);
    v->n_kept -= n;
}

static void
kept_add(struct peer_session *v, const struct kept *k)
{
    kept_reserve(v, v->n_kept + 1);
    v->kept[v->n_kept++] = *k;
    if (v->n_kept > KEPT_MAX)
        kept_drop(v, 0, 1);
}

static size_t
kept_find(const struct peer_session *v, uint32_t generation, uint32_t step,
          uint32_t n)
{
    size_t i = 0;
    while (i < v->n_kept && (v->kept[i].generation != generation ||
                             v->kept[i].step != step || v->kept[i].n != n))
        i++;
    return i;
}

static bool
kept_read(void *ctx, uint32_t generation, uint32_t step, uint32_t n,
          uint8_t key[static LETTER_KEY_LEN])
{
    const struct peer_session *v = ctx;
    const size_t i = kept_find(v, generation, step, n);
    if (i < v->n_kept)
        memcpy(key, v->kept[i].key, LETTER_KEY_LEN);
    return i < v->n_kept;
}

/* Take what a letter leads to. again: its key stays, since it will come again. */
static void
step_take(struct peer_session *v, const struct session_step *step, uint32_t day,
          bool again)
{
    struct kept k = {.generation = step->generation, .day = day};
    v->s = step->next;
    for (size_t i = 0; i < 2; i++) {
        struct ratchet_gap gap = step->gap[i];
        k.step = gap.step;
        while (ratchet_gap_next(&gap, &k.n, k.key))
            kept_add(v, &k);
    }
    if (!step->by_ratchet)
        return;
    const size_t i =
        kept_find(v, step->generation, step->head.step, step->head.n);
    if (step->is_kept && !again && i < v->n_kept) {
        kept_drop(v, i, 1);
    } else if (!step->is_kept && again) {
        k.step = step->head.step;
        k.n = step->head.n;
        memcpy(k.key, step->key, sizeof k.key);
        kept_add(v, &k);
    }
}

/* ---- commands ---- */

/* Choose by "kem" which ML-KEM-768 a session has: 0 none, 1 the toy, 2 this machine's. */
static void
kem_get(struct peer *p, struct peer_session *v)
{
    const uint64_t kem = peer_get_number(p, "kem", 2);
    v->s.mlkem = kem == 1 ? &toy_kem : kem == 2 ? mlkem_find() : NULL;
}

static int
kem_found(struct peer *p)
{
    peer_say_number(p, "found", mlkem_find() != NULL);
    return 0;
}

/* Make the key of a seed, a ciphertext for it, and find the shares of that and another. */
static int
kem_use(struct peer *p)
{
    const struct mlkem *kem =
        peer_get_number(p, "kem", 2) == 1 ? &toy_kem : mlkem_find();
    uint8_t key[MLKEM_PUBLIC_LEN], ciphertext[MLKEM_CIPHERTEXT_LEN];
    uint8_t share[3][MLKEM_SHARE_LEN];
    void *pair;
    if (!kem)
        return ERR_UNKNOWN;
    int err = kem->key_new(&pair, peer_get_exact(p, "seed", MLKEM_SEED_LEN));
    if (err)
        return err;
    err = kem->key_public(pair, key);
    if (!err)
        err = kem->encapsulate(key,
                               peer_get_exact(p, "message", MLKEM_MESSAGE_LEN),
                               ciphertext, share[0]);
    if (!err)
        err = kem->decapsulate(pair, ciphertext, share[1]);
    if (!err)
        err = kem->decapsulate(
            pair, peer_get_exact(p, "other", MLKEM_CIPHERTEXT_LEN), share[2]);
    kem->key_free(pair);
    peer_say_bytes(p, "key", key, sizeof key);
    peer_say_bytes(p, "ciphertext", ciphertext, sizeof ciphertext);
    peer_say_bytes(p, "shares", *share, sizeof share);
    return err;
}

/* Make a ciphertext for a key that may be none. */
static int
kem_encapsulate(struct peer *p)
{
    const struct mlkem *kem =
        peer_get_number(p, "kem", 2) == 1 ? &toy_kem : mlkem_find();
    uint8_t ciphertext[MLKEM_CIPHERTEXT_LEN], share[MLKEM_SHARE_LEN];
    if (!kem)
        return ERR_UNKNOWN;
    const int err = kem->encapsulate(
        peer_get_exact(p, "key", MLKEM_PUBLIC_LEN),
        peer_get_exact(p, "message", MLKEM_MESSAGE_LEN), ciphertext, share);
    if (!err) {
        peer_say_bytes(p, "ciphertext", ciphertext, sizeof ciphertext);
        peer_say_bytes(p, "share", share, sizeof share);
    }
    return err;
}

static void
session_say(struct peer *p, const struct peer_session *v)
{
    const struct session *s = &v->s;
    peer_say_number(p, "open", session_is_open(s));
    peer_say_number(p, "may_write", session_may_write(s));
    peer_say_number(p, "generation", s->generation);
    peer_say_number(p, "has_before", s->has_before);
    peer_say_number(p, "answered", s->answered);
    peer_say_number(p, "paired", s->paired);
    peer_say_bytes(p, "pair", s->pair, sizeof s->pair);
    peer_say_bytes(p, "first", s->first, sizeof s->first);
    peer_say_number(p, "kept", v->n_kept);
    peer_say_number(p, "mixed", s->now.mixed);
    peer_say_number(p, "has_lasting", s->has_lasting);
    peer_say_number(p, "quantum", session_quantum(s));
}

static int
invite(struct peer *p)
{
    struct peer_session *v = held(p, "session");
    v->n_kept = 0;
    session_invite(&v->s, peer_get_exact(p, "seed", LETTER_KEY_LEN), 480000,
                   peer_get_exact(p, "own_secret", RATCHET_KEY_LEN));
    kem_get(p, v);
    session_say(p, v);
    return 0;
}

static int
accept_invitation(struct peer *p)
{
    struct peer_session *v = held(p, "session");
    v->n_kept = 0;
    const int err =
        session_accept(&v->s, peer_get_exact(p, "seed", LETTER_KEY_LEN),
                       peer_get_exact(p, "key", RATCHET_KEY_LEN),
                       peer_get_exact(p, "own_secret", RATCHET_KEY_LEN),
                       peer_get_exact(p, "fresh_share", MLKEM_SEED_LEN));
    kem_get(p, v);
    session_say(p, v);
    return err;
}

static int
offer(struct peer *p)
{
    struct peer_session *v = held(p, "session");
    session_offer(&v->s, (uint32_t)peer_get_number(p, "generation", UINT32_MAX),
                  (uint32_t)peer_get_number(p, "day", UINT32_MAX),
                  peer_get_exact(p, "own_secret", RATCHET_KEY_LEN));
    session_say(p, v);
    return 0;
}

static int
seal(struct peer *p)
{
    struct peer_session *v = held(p, "session");
    const size_t len = (size_t)peer_get_number(p, "len", LETTER_LEN_MAX);
    const struct letter l = peer_get_letter(p);
    uint8_t *out = peer_alloc(p, len);
    const int err =
        session_seal(&v->s, &l, peer_get_exact(p, "chain", LETTER_CHAIN_LEN),
                     peer_get_place(p), out, len);
    peer_say_bytes(p, "letter", out, len);
    session_say(p, v);
    return err;
}

static int
open_letter(struct peer *p)
{
    static const char *const verdicts[] = {"read", "second", "used", "passed",
                                           "broken"};
    struct peer_session *v = held(p, "session");
    size_t len;
    uint8_t *bytes = peer_get_bytes(p, "letter", &len);
    const struct session_context context = {
        .day = (uint32_t)peer_get_number(p, "day", UINT32_MAX),
        .latest = (uint32_t)peer_get_number(p, "latest", UINT32_MAX),
        .fresh = peer_get_exact(p, "fresh", RATCHET_KEY_LEN),
        .fresh_share = peer_get_exact(p, "fresh_share", MLKEM_SEED_LEN),
        .kept = kept_read,
        .ctx = v};
    const uint32_t generation = v->s.generation;
    struct session_step step;
    const int err =
        session_open(&v->s, peer_get_exact(p, "chain", LETTER_CHAIN_LEN),
                     peer_get_place(p), &context, bytes, len, &step);
    if (err)
        return err;
    if (step.verdict == SESSION_READ || step.verdict == SESSION_USED)
        peer_say_letter(p, &step.letter);
    peer_say(p, "verdict", json_string(verdicts[step.verdict]));
    peer_say_number(p, "ahead", step.ahead);
    peer_say_number(p, "is_kept", step.is_kept);
    peer_say_number(p, "unmet", step.unmet);
    peer_say_number(p, "behind", step.behind);
    step_take(v, &step, context.day,
              step.verdict == SESSION_READ && peer_get_number(p, "again", 1));
    peer_say_number(p, "taken", v->s.generation != generation);
    session_say(p, v);
    return 0;
}

/* Hold a copy of a session under another number: what a backup is, and its return. */
static int
copy(struct peer *p)
{
    const struct peer_session *from = held(p, "session");
    struct peer_session *to = held(p, "to");
    if (from == to)
        peer_fail("to", "is the same session");
    kept_reserve(to, from->n_kept);
    if (from->n_kept > 0)
        memcpy(to->kept, from->kept, from->n_kept * sizeof *to->kept);
    to->n_kept = from->n_kept;
    to->s = from->s;
    session_say(p, to);
    return 0;
}

/* Write a session as its record has it, and read that. */
static int
restart(struct peer *p)
{
    struct peer_session *v = held(p, "session");
    uint8_t record[SESSION_RECORD_LEN];
    struct codec_writer w;
    struct codec_reader r;
    codec_writer_init(&w, record, sizeof record);
    session_encode(&w, &v->s);
    if (w.err || w.left > 0)
        peer_fail("session", "has another length");
    memset(&v->s, 0xff, sizeof v->s);
    codec_reader_init(&r, record, sizeof record);
    const int err = session_decode(&r, sizeof record, &v->s);
    kem_get(p, v);
    session_say(p, v);
    return err;
}

/* Forget what letters before a day need. */
static int
forget(struct peer *p)
{
    struct peer_session *v = held(p, "session");
    const uint32_t day = (uint32_t)peer_get_number(p, "day", UINT32_MAX);
    size_t n = 0;
    if (v->s.has_before && v->s.before_day < day) {
        memset(&v->s.before, 0, sizeof v->s.before);
        v->s.has_before = false;
    }
    while (n < v->n_kept && v->kept[n].day < day)
        n++;
    if (n > 0)
        kept_drop(v, 0, n);
    session_say(p, v);
    return 0;
}

/* Make of a box's seed that of a token. */
static int
held_seed(struct peer *p)
{
    const struct peer_session *v = held(p, "session");
    uint8_t seed[LETTER_BOX_LEN];
    memcpy(seed, peer_get_exact(p, "seed", sizeof seed), sizeof seed);
    session_held_seed(&v->s, seed);
    peer_say_bytes(p, "seed", seed, sizeof seed);
    return 0;
}

const struct peer_command peer_sessions[] = {
    {"kem_found", kem_found},
    {"kem_use", kem_use},
    {"kem_encapsulate", kem_encapsulate},
    {"session_invite", invite},
    {"session_accept", accept_invitation},
    {"session_offer", offer},
    {"session_seal", seal},
    {"session_open", open_letter},
    {"session_copy", copy},
    {"session_restart", restart},
    {"session_forget", forget},
    {"session_held", held_seed},
    {NULL, NULL},
};
