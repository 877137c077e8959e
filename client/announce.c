/* client/announce.c - announcements from their token to a list.
 *
 * announce.h has the states. Here, in this order: tokens that letters take when they
 * are sealed; the life of an entry of the table; what is announced for letters
 * without a token of their own, and to oneself; boards, proofs and packets.
 * Timers, all looked at in announce_renew(), which each tick of the client calls: a
 * sent one is looked for in lists until check_us; letters that a store has late wait
 * ANNOUNCE_AGAIN_US for the next token; one to oneself is drawn from an exponential
 * law (self_us).
 * Failure modes: a full table and a period without tokens leave a letter as one that
 * is found by the sweep; a journal that fails leaves an entry bare. */
#include "client/announce.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/conversations.h"
#include "client/sealing.h"
#include "client/letters/letter.h"
#include "client/places.h"
#include "lib/codec.h"
#include "lib/rng.h"
#include "network/boards.h"

_Static_assert((int)LETTER_TOKEN_LEN == (int)WIRE_TOKEN_LEN, "one token");

enum { SELF = 0 }; /* no contact has this number */

enum announcement_state {
    ANNOUNCE_NONE = 0,
    ANNOUNCE_HELD,
    ANNOUNCE_WAITING,
    ANNOUNCE_SENT,
    ANNOUNCE_BARE
};

struct announcement {
    uint8_t state;  /* enum announcement_state */
    bool has_token; /* held ones of an earlier life have none */
    bool has_board;
    uint8_t tries; /* tokens so far */
    uint32_t number, contact, period;
    uint32_t self;  /* which one it tells; FRONTS_NOBODY: none */
    uint32_t epoch; /* whose board it is */
    uint8_t token[WIRE_TOKEN_LEN], board[SPHINX_ID_LEN];
    uint64_t ticket;   /* of the journal, for its token */
    uint64_t check_us; /* sent: it should be in a list by then */
};

struct announce {
    struct announcement entry[ANNOUNCE_MAX];
    uint32_t last;    /* number given */
    uint64_t self_us; /* the next one to oneself; 0: not drawn yet */
};

int
announce_new(struct announce **out)
{
    *out = calloc(1, sizeof **out);
    return *out ? 0 : ERR_NOMEM;
}

void
announce_free(struct announce **a)
{
    if (*a)
        sodium_memzero(*a, sizeof **a);
    free(*a);
    *a = NULL;
}

/* ---- the table ---- */

static struct announcement *
entry_find(const struct client *c, uint32_t number)
{
    for (size_t i = 0; i < ANNOUNCE_MAX && number > 0; i++) {
        struct announcement *e = &c->announce->entry[i];
        if (e->state != ANNOUNCE_NONE && e->number == number)
            return e;
    }
    return NULL;
}

static struct announcement *
entry_free(const struct client *c)
{
    for (size_t i = 0; i < ANNOUNCE_MAX; i++)
        if (c->announce->entry[i].state == ANNOUNCE_NONE)
            return &c->announce->entry[i];
    return NULL;
}

/* Make an entry for a contact; returns NULL when the table is full. */
static struct announcement *
entry_make(struct client *c, uint32_t contact, uint32_t period)
{
    struct announcement *e = entry_free(c);
    if (!e)
        return NULL;
    if (++c->announce->last == 0)
        c->announce->last = 1;
    *e = (struct announcement){.state = ANNOUNCE_HELD,
                               .number = c->announce->last,
                               .contact = contact,
                               .period = period};
    return e;
}

/* What is proved for an entry: its token, at its board. */
static struct proof_place
entry_place(const struct announcement *e, uint8_t box[static WIRE_BOX_LEN])
{
    memset(box, 0, WIRE_BOX_LEN);
    memcpy(box, e->token, sizeof e->token);
    return (struct proof_place){box, e->board};
}

static void
proof_drop(const struct client *c, struct announcement *e)
{
    uint8_t box[WIRE_BOX_LEN];
    if (e->has_board)
        proofs_forget(c->proofs, entry_place(e, box));
    e->has_board = false;
}

static void
entry_drop(const struct client *c, struct announcement *e)
{
    proof_drop(c, e);
    sodium_memzero(e, sizeof *e);
}

size_t
announce_count(const struct client *c)
{
    size_t n = 0;
    for (size_t i = 0; i < ANNOUNCE_MAX; i++)
        n += c->announce->entry[i].state != ANNOUNCE_NONE;
    return n;
}

/* ---- what letters say ---- */

uint16_t
announce_used(const struct conversation *v, uint32_t period)
{
    if (v->token_period == period)
        return (uint16_t)v->tokens_used;
    return v->past_token_period == period ? (uint16_t)v->past_tokens_used : 0;
}

/* Count v's letters whose tokens may still be awaited. */
static unsigned
announced_count(const struct conversation *v)
{
    unsigned n = 0;
    for (const struct out_letter *l = v->letters; l; l = l->next)
        n += l->announced;
    return n;
}

bool
announce_is_full(const struct conversation *v)
{
    return announced_count(v) >= ANNOUNCE_AHEAD;
}

/* Find where v's tokens of a period are counted; NULL when none is left. Two periods
 * are counted, since what is in yesterday's box is announced by a token of yesterday.
 * Of one before those, as after a clock that was ahead, nobody knows which are left. */
static uint32_t *
tokens_counted(struct conversation *v, uint32_t period)
{
    if (period > v->token_period) {
        v->past_token_period = v->token_period;
        v->past_tokens_used = v->tokens_used;
        v->token_period = period;
        v->tokens_used = 0;
    } else if (period < v->token_period && period > v->past_token_period) {
        v->past_token_period = period;
        v->past_tokens_used = 0;
    }
    uint32_t *used = period == v->token_period        ? &v->tokens_used
                     : period == v->past_token_period ? &v->past_tokens_used
                                                      : NULL;
    return used && *used < LETTER_TOKENS_MAX ? used : NULL;
}

bool
announce_take(const struct client *c, struct conversation *v, uint32_t period)
{
    const uint64_t commit_us = env_now_mono_us(c->env) + SILENT_US;
    if (!c->current || places_may_be_silent(c, v, commit_us))
        return false;
    v->uncovered = announce_is_full(v) || !entry_free(c);
    if (v->uncovered)
        return false;
    uint32_t *used = tokens_counted(v, period);
    if (used)
        ++*used;
    return used != NULL;
}

static void
token_set(const struct client *c, struct announcement *e,
          const struct conversation *v)
{
    uint8_t key[LETTER_CHAIN_LEN];
    sealing_key(c, v, CHAIN_OUT, e->period, key);
    letter_token(key, e->period, announce_used(v, e->period) - 1u, e->token);
    sodium_memzero(key, sizeof key);
    e->has_token = true;
    e->tries++;
}

/* Nobody else awaits this token: any will do. */
static void
self_token(struct client *c, struct announcement *e)
{
    env_random_crypto(c->env, e->token, sizeof e->token);
    e->has_token = true;
    e->tries++;
}

uint32_t
announce_letter(struct client *c, const struct conversation *v, uint32_t period)
{
    struct announcement *e = entry_make(c, v->id, period);
    if (!e)
        return 0;
    token_set(c, e, v);
    return e->number;
}

/* ---- its life ---- */

uint32_t
announce_again(struct client *c, const struct conversation *v, uint32_t period)
{
    const struct announcement *e = entry_make(c, v->id, period);
    return e ? e->number : 0;
}

void
announce_left(struct client *c, uint32_t number)
{
    struct announcement *e = entry_find(c, number);
    if (e && e->state == ANNOUNCE_HELD)
        e->state = e->has_token ? ANNOUNCE_WAITING : ANNOUNCE_BARE;
}

void
announce_forget(const struct client *c, uint32_t number)
{
    struct announcement *e = entry_find(c, number);
    /* a letter to oneself is gone when a store has it */
    if (e && (e->contact != SELF || e->state == ANNOUNCE_HELD))
        entry_drop(c, e);
}

bool
announce_listed(struct client *c, const uint8_t entry[static LIST_ENTRY_LEN])
{
    for (size_t i = 0; i < ANNOUNCE_MAX; i++) {
        struct announcement *e = &c->announce->entry[i];
        if (e->state != ANNOUNCE_SENT ||
            memcmp(e->token, entry, LIST_ENTRY_LEN) != 0)
            continue;
        if (e->self != FRONTS_NOBODY)
            places_announced(c, e->self, e->period);
        entry_drop(c, e);
        c->status.listed++;
        return true;
    }
    return false;
}

/* Has the letter of an announcement not left yet? */
static bool
letter_is_here(const struct conversation *v, const struct announcement *e)
{
    const struct out_letter *l = v->letters;
    while (l && l->announcement != e->number)
        l = l->next;
    return l && !l->tried;
}

/* Take another token for a letter. Returns 0, or what conversation_save() says:
 * then it stays bare. Where its period's tokens are over it is given up: the letter
 * will be found without. */
static int
token_renew(struct client *c, struct announcement *e)
{
    struct conversation *v =
        e->contact == SELF ? NULL : conversation_by_id(c, e->contact);
    if (e->contact == SELF) {
        self_token(c, e);
        e->state = ANNOUNCE_WAITING;
        return 0;
    }
    uint32_t *used =
        !v || v->removed || v->refused ? NULL : tokens_counted(v, e->period);
    if (!used) {
        entry_drop(c, e);
        return 0;
    }
    ++*used;
    journal_begin(c->journal);
    int err = conversation_save(c, v);
    if (err) {
        journal_cancel(c->journal);
        --*used;
        return err;
    }
    token_set(c, e, v);
    e->state = letter_is_here(v, e) ? ANNOUNCE_HELD : ANNOUNCE_WAITING;
    e->ticket = journal_end(c->journal);
    return 0;
}

/* Are there letters with content that no token is of? */
static bool
letters_are_bare(const struct conversation *v)
{
    for (const struct out_letter *l = v->letters; l; l = l->next)
        if (l->sequence > 0 && !l->announced && l->kept)
            return true;
    return false;
}

void
announce_kept(const struct client *c, struct conversation *v,
              const struct out_letter *l)
{
    const uint64_t now_us = env_now_mono_us(c->env);
    /* one that was sealed within a lease may be kept after it, or in another life */
    const bool late = now_us - l->put_us >= ANNOUNCE_STALE_US ||
                      (!l->announced && !v->uncovered);
    if (l->keeps > 1 ? l->keeps <= 1 + ANNOUNCE_REPEATS : late)
        v->again_period = l->at.period;
}

/* Is there anything of v's that wants a token of no letter of its own? What does
 * not any more is forgotten. */
static bool
cover_is_due(const struct client *c, struct conversation *v, uint64_t now_us)
{
    const bool gone = v->removed || v->refused;
    if (gone || (v->uncovered && !announce_is_full(v) && !letters_are_bare(v)))
        v->uncovered = false;
    if (v->again_period > 0 &&
        (gone ||
         (!v->again_to_all && places_may_be_silent(c, v, now_us + SILENT_US))))
        v->again_period = 0;
    return (v->uncovered && !announce_is_full(v) && now_us >= v->cover_us) ||
           (v->again_period > 0 && now_us >= v->again_us);
}

/* Is one more token of a period for letters of v's: such as no token is of, and where
 * some were kept again, all that stores have? */
static bool
cover_is_for(const struct conversation *v, uint32_t period)
{
    if (v->again_period == period)
        return true;
    for (const struct out_letter *l = v->letters; l; l = l->next)
        if (l->sequence > 0 && l->kept && l->at.period == period &&
            (v->again_period > 0 || !l->announced))
            return true;
    return false;
}

/* Make a bare entry for v; it takes its token in announce_renew(). */
static bool
cover_make(struct client *c, const struct conversation *v, uint32_t period)
{
    struct announcement *e = entry_make(c, v->id, period);
    if (e)
        e->state = ANNOUNCE_BARE;
    return e != NULL;
}

/* Announce what v wrote while there was no room for more tokens, and what a store
 * has late or again: one is for all of a box's period, since whom it sends there finds
 * what there is. Of yesterday's box is a token of yesterday, as long as there is one. */
static void
conversation_cover(struct client *c, struct conversation *v, uint64_t now_us)
{
    if (!cover_is_due(c, v, now_us))
        return;
    const uint32_t today = client_period(c);
    const bool past =
        today > 0 && cover_is_for(v, today - 1) && tokens_counted(v, today - 1);
    const bool now =
        (!past || cover_is_for(v, today)) && tokens_counted(v, today);
    if ((!past && !now) || (past && !cover_make(c, v, today - 1)) ||
        (now && !cover_make(c, v, today) && !past))
        return;
    v->uncovered = v->again_to_all = false;
    v->again_period = 0;
    v->again_us = now_us + ANNOUNCE_AGAIN_US;
}

int
announce_renew(struct client *c)
{
    const uint64_t now_us = env_now_mono_us(c->env);
    int err = 0;
    for (struct conversation *v = c->conversations; v; v = v->next)
        conversation_cover(c, v, now_us);
    for (size_t i = 0; i < ANNOUNCE_MAX && !err; i++) {
        struct announcement *e = &c->announce->entry[i];
        if (e->state == ANNOUNCE_SENT && now_us >= e->check_us) {
            c->status.unlisted++;
            if (e->tries >= ANNOUNCE_TRIES)
                entry_drop(c, e);
            else
                e->state = ANNOUNCE_BARE;
        }
        if (e->state == ANNOUNCE_BARE)
            err = token_renew(c, e);
    }
    return err;
}

bool
announce_self_due(struct client *c)
{
    const uint64_t now_us = env_now_mono_us(c->env);
    struct announce *a = c->announce;
    const bool is_due = a->self_us > 0 && now_us >= a->self_us;
    if (is_due || a->self_us == 0)
        a->self_us = now_us + rng_exp_us(c->env, ANNOUNCE_SELF_US);
    return is_due && places_have_boards(c);
}

uint32_t
announce_self(struct client *c, const struct conversation *v)
{
    struct announcement *e = entry_make(c, SELF, client_period(c));
    if (!e)
        return 0;
    e->self = v ? v->id : FRONTS_NOBODY;
    self_token(c, e);
    return e->number;
}

/* ---- packets ---- */

/* Find the boards of n that may be announced to: not those of the gateway's family,
 * and with `heard` those alone of whose lists enough stores speak. Returns how many
 * they are. */
static size_t
boards_able(const struct client *c, const struct consensus *n, int gateway,
            bool heard, uint16_t able[static BOARDS_MAX])
{
    const uint64_t unix_ms = client_now_us(c) / 1000;
    size_t k = 0;
    for (size_t i = 0; i < n->boards.n; i++) {
        const uint16_t relay = n->boards.relay[i];
        if (gateway >= 0 && consensus_are_related(n, (uint16_t)gateway, relay))
            continue;
        if (!heard || shown_has_voice(c->shown, n, (uint8_t)i, unix_ms))
            able[k++] = relay;
    }
    return k;
}

/* Choose a board by c's newest consensus in force: of those whose lists are named, if
 * there is one, any; and if there is another, not the one of before. The gateway has
 * no say in it, nor what it shows. */
static void
board_choose(struct client *c, const struct consensus *n, int gateway,
             struct announcement *e)
{
    uint16_t able[BOARDS_MAX];
    uint8_t dice[8];
    size_t k = boards_able(c, n, gateway, true, able);
    if (k == 0)
        k = boards_able(c, n, gateway, false, able);
    if (k == 0)
        return;
    for (size_t i = 0; k > 1 && i < k; i++)
        if (memcmp(n->relays[able[i]].identity, e->board, sizeof e->board) == 0)
            able[i] = able[--k];
    /* not of the traffic stream: what ticks draw does not depend on this */
    env_random_crypto(c->env, dice, sizeof dice);
    const uint16_t board = able[codec_get64(dice) % k];
    memcpy(e->board, n->relays[board].identity, sizeof e->board);
    e->epoch = n->epoch;
    e->has_board = true;
}

/* Does an entry's board still serve? */
static bool
board_serves(const struct consensus *n, int gateway,
             const struct announcement *e)
{
    const int board =
        e->has_board && e->epoch == n->epoch ? consensus_find(n, e->board) : -1;
    return board >= 0 && boards_find(n, (uint16_t)board) >= 0 &&
           (gateway < 0 ||
            !consensus_are_related(n, (uint16_t)gateway, (uint16_t)board));
}

/* How many bits is an entry's work to be worth beyond the price? */
static unsigned
announce_more(const struct announcement *e)
{
    return e->tries > 1 ? (e->tries - 1u) * ANNOUNCE_DEARER : 0;
}

void
announce_prepare(struct client *c, const struct consensus *newest)
{
    const int gateway = consensus_find(newest, gateways_current(&c->gateways));
    uint8_t box[WIRE_BOX_LEN], nonce[WIRE_NONCE_LEN];
    for (size_t i = 0; i < ANNOUNCE_MAX; i++) {
        struct announcement *e = &c->announce->entry[i];
        if (!e->has_token ||
            (e->state != ANNOUNCE_HELD && e->state != ANNOUNCE_WAITING))
            continue;
        if (!board_serves(newest, gateway, e)) {
            proof_drop(c, e);
            board_choose(c, newest, gateway, e);
        }
        if (e->has_board)
            (void)!proofs_announce(c->proofs, entry_place(e, box),
                                   announce_more(e), nonce);
    }
}

/* Could an entry leave from this gateway, in a packet of this consensus? Then its
 * packet is in out. */
static bool
entry_is_ready(struct client *c, const struct consensus *view, uint16_t gateway,
               const struct announcement *e, struct announce_choice *out)
{
    uint8_t box[WIRE_BOX_LEN];
    if (!e->has_board || !journal_is_committed(c->journal, e->ticket))
        return false;
    const int board = consensus_find(view, e->board);
    if (board < 0 || boards_find(view, (uint16_t)board) < 0 ||
        consensus_are_related(view, gateway, (uint16_t)board) ||
        proofs_announce(c->proofs, entry_place(e, box), announce_more(e),
                        out->nonce))
        return false;
    out->number = e->number;
    out->board = (uint16_t)board;
    memcpy(out->token, e->token, sizeof out->token);
    return true;
}

/* A choice of none yet. Where no work is asked for its nonce stays as it is here. */
static void
choice_begin(struct client *c, struct announce_choice *out)
{
    *out = (struct announce_choice){0};
    env_random_crypto(c->env, out->nonce, sizeof out->nonce);
}

void
announce_pick(struct client *c, const struct consensus *view, uint16_t gateway,
              struct announce_choice *out)
{
    choice_begin(c, out);
    for (size_t i = 0; i < ANNOUNCE_MAX; i++) {
        const struct announcement *e = &c->announce->entry[i];
        /* numbers go round */
        if (e->state == ANNOUNCE_WAITING &&
            (!out->number || e->number - out->number >= UINT32_MAX / 2))
            (void)entry_is_ready(c, view, gateway, e, out);
    }
}

bool
announce_ahead(struct client *c, const struct consensus *view, uint16_t gateway,
               uint32_t number, struct announce_choice *out)
{
    const struct announcement *e = entry_find(c, number);
    choice_begin(c, out);
    return e && e->state == ANNOUNCE_HELD &&
           entry_is_ready(c, view, gateway, e, out);
}

void
announce_failed(struct client *c, uint32_t number)
{
    struct announcement *e = entry_find(c, number);
    if (e)
        proof_drop(c, e);
    announce_left(c, number);
}

void
announce_sent(struct client *c, uint32_t number, uint64_t answer_us)
{
    struct announcement *e = entry_find(c, number);
    if (!e)
        return;
    proof_drop(c, e);
    e->state = ANNOUNCE_SENT;
    e->check_us = answer_us +
                  ANNOUNCE_LATE * 1000ULL * c->current->params.list_interval_ms;
    c->status.announced++;
}
