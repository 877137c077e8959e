/* client/taken.c - see taken.h. No state of its own.
 *
 * A store's word alone is nothing (I10). What one store calls taken is put at
 * the box's other store; when both say so, the letter moves to another place. As long
 * as nothing has shown that the reader has what this life has sent, the records may be
 * an older copy: then one store's word is enough, PASSED_MAX times in a row, and
 * letters get numbers that no other life has used (acknowledged_doubt()).
 * For the first letter of an invitation the word means that somebody else has
 * used it, and it would be dead: so, be it one store's, the client reads the box,
 * CHECKS times, at both stores in turn; a look that gets no answer is over, too,
 * so that silence keeps nobody from his own polls. The invitation is used when a letter of
 * another lies there that opens, for that one knew the invitation. Otherwise who
 * said so lies, and the letter moves when neither store keeps it.
 *
 * Failure modes: a full disk or no memory (nothing has changed, the stores will
 * say so again); stores that hide the letter of who was first (the inviter hears
 * both, and answers the first); a restart (the place is put, called taken, and
 * read anew). */
#include "client/taken.h"

#include <sodium.h>
#include <string.h>

#include "client/acknowledged.h"
#include "client/conversations.h"
#include "client/outgoing.h"
#include "client/sealing.h"
#include "client/staging.h"

/* Note a store's word, in the caller's group. Returns 0, ERR_NOMEM or the
 * journal's error. */
static int
taken_note(struct client *c, struct conversation *v, struct out_letter **letter,
           enum store_rank rank)
{
    struct out_letter *l = *letter;
    const uint64_t now_us = env_now_mono_us(c->env);
    l->taken |= rank == STORE_ALONE    ? TAKEN
                : rank == STORE_SECOND ? TAKEN_SECOND
                                       : TAKEN_FIRST;
    outgoing_answered(l, rank);
    const bool is_new = !v->confirmed && !v->inviter;
    /* behind the first letter that of a second one may lie */
    const bool decides = is_new && l->sequence == 1;
    int err = is_new ? 0 : acknowledged_doubt(c, v);
    if (err)
        return err;
    /* by another life, it seems: the other store may not have had what it put there;
     * a store that lies costs so many letters another place, not all */
    if (!is_new && !v->in_step && v->passed < PASSED_MAX) {
        l->taken = TAKEN;
        v->passed++;
    }
    if (decides && v->checks == 0) {
        v->checks = CHECKS;
        v->looked = 0;
        v->check_at = l->at;
    }
    /* what decides is looked at first: the other store may have room for a letter that
     * is the second one */
    if (l->taken != TAKEN) {
        l->due_us = now_us + (decides ? FULL_US : RETRY_US);
        return 0;
    }
    if (!decides)
        return staging_move(c, v, letter);
    l->taken = 0;
    l->due_us = now_us + FULL_US;
    return 0;
}

void
taken_answer(struct client *c, struct conversation *v, struct letter_place at,
             enum store_rank rank)
{
    struct out_letter **letter = outgoing_find(v, at);
    if (!*letter)
        return; /* acknowledged meanwhile */
    journal_begin(c->journal);
    int err = journal_finish(c->journal, taken_note(c, v, letter, rank));
    if (err) { /* the store will say so again */
        (*letter)->due_us = env_now_mono_us(c->env) + RETRY_US;
        client_drop(c, err);
    }
}

/* Was what lies in this place of v's own boxes written by another who knows the
 * invitation, whatever it says? Of places that this client has used, those whose
 * letter has moved tell nothing. */
static bool
is_of_another(const struct client *c, struct conversation *v,
              struct letter_place at, const uint8_t *bytes)
{
    struct letter_head head;
    uint8_t key[LETTER_CHAIN_LEN];
    const struct out_letter *own = *outgoing_find(v, at);
    const bool differs =
        own ? sodium_memcmp(own->bytes, bytes, c->letter_len) != 0
            : at.period == v->at.period && at.n >= v->at.n;
    sealing_key(c, v, CHAIN_OUT, at.period, key);
    const bool opens =
        differs &&
        session_own_head(v->session, key, at, bytes, c->letter_len, &head) ==
            0 &&
        memcmp(head.ratchet.key, v->session->first, RATCHET_KEY_LEN) != 0;
    sodium_memzero(key, sizeof key);
    return opens;
}

static bool
box_is_same(struct letter_place a, struct letter_place b)
{
    return a.period == b.period && a.n / LETTER_SLOTS == b.n / LETTER_SLOTS;
}

/* Both stores of the first letter's box call its place taken, and show nothing there.
 * Leave the box with all that was written behind, of which none would be taken for the
 * first. Each letter's move is whole in itself, on disk as in memory: where one fails
 * those before it have moved, and the rest do when their place is called taken again. */
static int
box_leave(struct client *c, struct conversation *v, struct letter_place box)
{
    int err = 0;
    client_drop(c, ERR_CONFLICT);
    if (box_is_same(v->at, box))
        v->at.n += LETTER_SLOTS - v->at.n % LETTER_SLOTS;
    for (struct out_letter **at = &v->letters; *at && !err;)
        if ((*at)->sequence > 0 && box_is_same((*at)->at, box))
            err = staging_move(c, v, at);
        else
            at = &(*at)->next;
    return err;
}

/* What a look shows of the letter, in the caller's group. */
static int
look_judge(struct client *c, struct conversation *v, struct out_letter **letter,
           const struct wire_answer *answer, const uint8_t *bytes)
{
    const struct letter_place at = {
        v->check_at.period,
        v->check_at.n - v->check_at.n % LETTER_SLOTS + answer->slot};
    if (answer->status != WIRE_LETTER || !is_of_another(c, v, at, bytes))
        return 0;
    v->refused = true; /* the inviter and the first one are to hear of it */
    const int err = staging_move(c, v, letter);
    v->refused = err == 0;
    c->status.changes += err == 0;
    return err;
}

void
taken_unseen(struct client *c, struct conversation *v)
{
    struct out_letter **letter = outgoing_find(v, v->check_at);
    if (v->checks == 0 || --v->checks > 0 || !*letter || (*letter)->kept)
        return;
    const int err = box_leave(c, v, v->check_at);
    if (err)
        client_drop(c, err);
}

void
taken_look(struct client *c, struct conversation *v,
           const struct wire_answer *answer, uint8_t *bytes)
{
    struct out_letter **letter = outgoing_find(v, v->check_at);
    if (v->checks == 0)
        return; /* an answer of an earlier look */
    if (!*letter || v->confirmed || v->refused) {
        v->checks = 0;
        return;
    }
    journal_begin(c->journal);
    int err =
        journal_finish(c->journal, look_judge(c, v, letter, answer, bytes));
    if (!err) { /* else it looks again */
        v->checks = v->refused ? 0 : v->checks - 1;
        if (v->checks == 0 && !v->refused && !(*letter)->kept)
            err = box_leave(c, v, v->check_at);
    }
    if (err)
        client_drop(c, err);
    if (answer->status == WIRE_LETTER)
        sodium_memzero(bytes, c->letter_len);
}
