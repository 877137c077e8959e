/* tests/sides.c - see sides.h. */
#include "tests/sides.h"

#include <string.h>

#include "tests/runner.h"

static void
side_begin(struct side *s, const char *name)
{
    memset(s, 0, sizeof *s);
    rng_seeded_init_u64(&s->rng, test_seed(), name);
    s->at.period = SIDE_DAY;
    s->latest = UINT32_MAX;
}

/* Take the chains of an invitation, the way that is one's own first. */
static void
side_chains(struct side *s, const struct invite *invite, bool inviter)
{
    struct chain *mine = &s->chains[CHAIN_OUT], *other = &s->chains[CHAIN_IN];
    if (inviter)
        invite_chains(invite, mine, other);
    else
        invite_chains(invite, other, mine);
    chain_step(mine, SIDE_DAY);
    chain_step(other, SIDE_DAY);
}

void
side_invite(struct side *s, struct invite *invite, const char *name)
{
    uint8_t secret[RATCHET_KEY_LEN];
    side_begin(s, name);
    *invite = (struct invite){.expiry_h = 24 * (SIDE_DAY + 7)};
    rng_seeded_bytes(&s->rng, invite->seed, sizeof invite->seed);
    rng_seeded_bytes(&s->rng, secret, sizeof secret);
    session_invite(&s->session, invite->seed, invite->expiry_h, secret);
    memcpy(invite->key, s->session.now.own_key, sizeof invite->key);
    side_chains(s, invite, true);
}

void
side_accept(struct side *s, const struct invite *invite, const char *name)
{
    uint8_t secret[RATCHET_KEY_LEN], share[MLKEM_SEED_LEN];
    side_begin(s, name);
    rng_seeded_bytes(&s->rng, secret, sizeof secret);
    rng_seeded_bytes(&s->rng, share, sizeof share);
    assert_int_equal(
        session_accept(&s->session, invite->seed, invite->key, secret, share),
        0);
    side_chains(s, invite, false);
}

void
sides_make(struct side s[2])
{
    struct invite invite;
    side_invite(&s[INVITER], &invite, "inviter");
    side_accept(&s[INVITEE], &invite, "invitee");
}

void
sides_meet(struct side s[2])
{
    const struct posted first = side_write(&s[INVITEE], "first");
    side_reads(&s[INVITER], &first, "first");
    const struct posted answer = side_write(&s[INVITER], "answer");
    side_reads(&s[INVITEE], &answer, "answer");
}

struct posted
side_seal(struct side *s, const struct letter *l)
{
    struct posted p = {.at = s->at};
    uint8_t key[LETTER_CHAIN_LEN];
    s->at.n++;
    chain_key(&s->chains[CHAIN_OUT], p.at.period, key);
    assert_int_equal(session_seal(&s->session, l, key, p.at, p.bytes, SIDE_LEN),
                     0);
    return p;
}

struct posted
side_write(struct side *s, const char *text)
{
    const struct letter l = {.kind = LETTER_TEXT,
                             .sequence = 1,
                             .floor = 1,
                             .count = 1,
                             .total = (uint32_t)strlen(text),
                             .data_len = (uint16_t)strlen(text),
                             .data = (const uint8_t *)text};
    return side_seal(s, &l);
}

struct posted
side_hello(struct side *s)
{
    return side_seal(
        s, &(struct letter){
               .kind = LETTER_HELLO, .sequence = 1, .floor = 1, .count = 1});
}

struct posted
side_offer(struct side *s, uint32_t generation)
{
    uint8_t secret[RATCHET_KEY_LEN];
    rng_seeded_bytes(&s->rng, secret, sizeof secret);
    session_offer(&s->session, generation, s->at.period, secret);
    return side_hello(s);
}

/* ---- reading ---- */

static const struct side_key *
kept_find(const struct side *s, uint32_t generation, uint32_t step, uint32_t n)
{
    for (size_t i = 0; i < s->n_kept; i++)
        if (s->kept[i].generation == generation && s->kept[i].step == step &&
            s->kept[i].n == n)
            return &s->kept[i];
    return NULL;
}

static bool
kept_read(void *ctx, uint32_t generation, uint32_t step, uint32_t n,
          uint8_t key[static LETTER_KEY_LEN])
{
    const struct side_key *k = kept_find(ctx, generation, step, n);
    if (k)
        memcpy(key, k->key, sizeof k->key);
    return k != NULL;
}

/* Open a letter with a fresh secret. */
static int
opened(const struct side *s, const struct posted *p,
       const uint8_t fresh[static RATCHET_KEY_LEN],
       const uint8_t fresh_share[static MLKEM_SEED_LEN],
       struct session_step *step)
{
    static uint8_t bytes[SIDE_LEN];
    static struct side looked_at; /* what is asked for kept keys */
    uint8_t key[LETTER_CHAIN_LEN];
    looked_at = *s;
    const struct session_context context = {.day = s->at.period,
                                            .latest = s->latest,
                                            .fresh = fresh,
                                            .fresh_share = fresh_share,
                                            .kept = kept_read,
                                            .ctx = &looked_at};
    memcpy(bytes, p->bytes, sizeof bytes);
    chain_key(&s->chains[CHAIN_IN], p->at.period, key);
    const int err = session_open(&s->session, key, p->at, &context, bytes,
                                 sizeof bytes, step);
    assert_memory_equal(&looked_at.session, &s->session, sizeof s->session);
    return err;
}

int
side_try(const struct side *s, const struct posted *p,
         struct session_step *step)
{
    static const uint8_t fresh[RATCHET_KEY_LEN] = {42};
    static const uint8_t fresh_share[MLKEM_SEED_LEN] = {43};
    return opened(s, p, fresh, fresh_share, step);
}

/* Keep the keys of a gap. */
static void
gap_keep(struct side *s, uint32_t generation, struct ratchet_gap gap)
{
    struct side_key k = {.generation = generation, .step = gap.step};
    while (ratchet_gap_next(&gap, &k.n, k.key)) {
        assert_true(s->n_kept < SIDE_KEPT);
        s->kept[s->n_kept++] = k;
    }
}

int
side_open(struct side *s, const struct posted *p, struct session_step *step)
{
    uint8_t fresh[RATCHET_KEY_LEN], fresh_share[MLKEM_SEED_LEN];
    rng_seeded_bytes(&s->rng, fresh, sizeof fresh);
    rng_seeded_bytes(&s->rng, fresh_share, sizeof fresh_share);
    const int err = opened(s, p, fresh, fresh_share, step);
    if (err)
        return err;
    const struct side_key *k =
        step->is_kept
            ? kept_find(s, step->generation, step->head.step, step->head.n)
            : NULL;
    if (k)
        s->kept[k - s->kept] = s->kept[--s->n_kept];
    else
        for (unsigned i = 0; i < 2; i++)
            gap_keep(s, step->generation, step->gap[i]);
    memset(&s->kept[s->n_kept], 0, sizeof s->kept[0]);
    s->session = step->next;
    return 0;
}

void
side_reads(struct side *s, const struct posted *p, const char *text)
{
    struct session_step step;
    assert_int_equal(side_open(s, p, &step), 0);
    assert_int_equal(step.verdict, SESSION_READ);
    assert_int_equal(step.letter.data_len, strlen(text));
    assert_memory_equal(step.letter.data, text, strlen(text));
}

/* What is not read changes nothing. */
void
side_judges(struct side *s, const struct posted *p, enum session_verdict want)
{
    struct session_step step;
    const struct session was = s->session;
    assert_int_equal(side_open(s, p, &step), 0);
    assert_int_equal(step.verdict, want);
    if (want != SESSION_READ)
        assert_memory_equal(&s->session, &was, sizeof was);
}

void
side_refuses(const struct side *s, const struct posted *p, int want)
{
    struct session_step step;
    assert_int_equal(side_try(s, p, &step), want);
}
