/* client/staging.c - see staging.h.
 *
 * A place is journalled before its letter's first put, so that no two letters
 * are ever sealed for one place. Failure modes: no memory (a letter is staged
 * later, and nothing has changed); a full disk (nothing is staged any more, the
 * status says so). */
#include "client/staging.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/conversations.h"
#include "client/messages.h"
#include "client/records.h"

/* ---- the list ---- */

struct out_letter *
staging_letter_new(const struct client *c, const struct out_letter *head)
{
    struct out_letter *l = calloc(1, sizeof *l + c->letter_len);
    if (l)
        *l = *head;
    return l;
}

static void
letter_free(const struct client *c, struct out_letter *l)
{
    sodium_memzero(l->bytes, c->letter_len);
    free(l);
}

void
staging_letter_link(struct conversation *v, struct out_letter *l)
{
    struct out_letter **end = &v->letters;
    while (*end)
        end = &(*end)->next;
    *end = l;
}

void
staging_letter_unlink(const struct client *c, struct out_letter **at)
{
    struct out_letter *l = *at;
    *at = l->next;
    letter_free(c, l);
}

int
staging_letter_erase(struct client *c, const struct conversation *v,
                     struct out_letter **at)
{
    int err = record_letter_delete(c->journal, v->id, (*at)->at);
    if (!err)
        staging_letter_unlink(c, at);
    return err;
}

/* ---- staging ---- */

/* The lowest sequence number that is still kept here, and that of `made`, which
 * is not in the list yet. */
static uint32_t
floor_of(const struct conversation *v, const struct out_letter *made)
{
    uint32_t lowest = v->next_sequence;
    if (made && made->sequence > 0 && made->sequence < lowest)
        lowest = made->sequence;
    for (const struct out_letter *l = v->letters; l; l = l->next)
        if (l->sequence > 0 && l->sequence < lowest)
            lowest = l->sequence;
    return lowest;
}

/* The place of the next letter; a new period starts at its first box. */
static struct letter_place
place_take(struct client *c, struct conversation *v)
{
    uint32_t period = client_period(c);
    if (period > v->at.period) {
        if (v->at.n > 0) {
            v->previous_period = v->at.period;
            v->previous_count = v->at.n;
        }
        v->at = (struct letter_place){.period = period};
    }
    struct letter_place at = v->at;
    v->at.n++;
    return at;
}

/* Seal a letter of m (NULL: an acknowledgement alone) into l. */
static int
letter_fill(struct client *c, struct conversation *v, struct out_letter *l,
            const struct message *m)
{
    uint8_t random[LETTER_RANDOM_LEN];
    size_t room = letter_data_max(c->letter_len);
    struct letter letter = {.ack = v->ack,
                            .floor = floor_of(v, l),
                            .previous_period = v->previous_period,
                            .previous_count = v->previous_count,
                            .sequence = l->sequence,
                            .count = 1};
    memcpy(letter.map, v->map, sizeof letter.map);
    if (m) {
        size_t left = m->len - l->index * room;
        memcpy(letter.message, m->id, sizeof letter.message);
        letter.kind = m->kind;
        letter.index = l->index;
        letter.count = m->count;
        letter.total = (uint32_t)m->len;
        letter.data_len = (uint16_t)(left < room ? left : room);
        letter.data = m->data + l->index * room;
    }
    env_random_crypto(c->env, random, sizeof random);
    return letter_seal(&letter, v->chains, l->at, random, l->bytes,
                       c->letter_len);
}

/* Make a letter like head of m (NULL: an acknowledgement alone): give it a
 * place, seal it, and journal both. It is in no list yet. When that fails v is
 * as before, and the place is free: nothing was put there. */
static int
letter_make(struct client *c, struct conversation *v,
            const struct out_letter *head, const struct message *m,
            struct out_letter **out)
{
    const struct conversation before = *v;
    struct out_letter *l = staging_letter_new(c, head);
    if (!l)
        return ERR_NOMEM;
    l->at = place_take(c, v);
    l->due_us = env_now_mono_us(c->env);
    v->ack_owed_us = 0;
    journal_begin(c->journal);
    int err = letter_fill(c, v, l, m);
    if (!err)
        err = record_letter_save(c->journal, v->id, l, 0, c->letter_len);
    if (!err)
        err = conversation_save(c, v);
    if (err) {
        journal_cancel(c->journal);
        letter_free(c, l);
        *v = before;
        return err;
    }
    l->ticket = journal_end(c->journal);
    *out = l;
    return 0;
}

/* Give the letter of m at *at another place. When that fails it stays. In a box
 * of another day, with other stores, its repeats begin anew. */
static int
letter_move(struct client *c, struct conversation *v, struct out_letter **at,
            struct message *m)
{
    struct out_letter *old = *at, *l;
    const struct out_letter head = {
        .sequence = old->sequence,
        .index = old->index,
        .order = old->order,
        .keeps = old->at.period < client_period(c) ? 0 : old->keeps};
    journal_begin(c->journal);
    int err = record_letter_delete(c->journal, v->id, old->at);
    if (!err)
        err = letter_make(c, v, &head, m, &l);
    if (err) {
        journal_cancel(c->journal);
        return err;
    }
    l->next = old->next;
    *at = l;
    m->kept -= old->kept;
    letter_free(c, old);
    (void)journal_end(c->journal);
    return 0;
}

/* Letters that wait for their first put, of one contact or of all. Those that wait
 * for a proof leave their places to others: else a store that asks for much work
 * would hold up whatever is said to anybody (I11). */
static unsigned
staged_count(const struct conversation *v)
{
    unsigned n = 0;
    for (const struct out_letter *l = v->letters; l; l = l->next)
        n += !l->tried && !l->waits;
    return n;
}

/* Make the next letter of the first message that has one. Returns 1, 0 when
 * there is none to be made, or an error. */
static int
content_stage(struct client *c, struct conversation *v)
{
    struct message *m = v->messages;
    struct out_letter *l;
    while (m && (m->next_index == m->count || message_is_over(m)))
        m = m->next;
    if (!m || v->refused ||
        v->next_sequence - floor_of(v, NULL) >= LETTER_WINDOW)
        return 0;
    const struct out_letter head = {.sequence = v->next_sequence,
                                    .index = m->next_index,
                                    .order = m->order};
    v->next_sequence++;
    m->next_index++;
    int err = letter_make(c, v, &head, m, &l);
    if (err) {
        v->next_sequence--;
        m->next_index--;
        return err;
    }
    staging_letter_link(v, l);
    return 1;
}

static int
ack_stage(struct client *c, struct conversation *v)
{
    const struct out_letter head = {0};
    uint64_t now_us = env_now_mono_us(c->env);
    struct out_letter *l;
    if (v->ack_owed_us == 0 || now_us < v->ack_owed_us)
        return 0;
    int err = letter_make(c, v, &head, NULL, &l);
    if (!err)
        staging_letter_link(v, l);
    return err;
}

int
staging_move(struct client *c, struct conversation *v,
             struct out_letter **letter)
{
    struct message *m = message_find(v, (*letter)->order);
    if ((*letter)->sequence == 0 || !m || !m->data)
        return staging_letter_erase(c, v, letter);
    return letter_move(c, v, letter, m);
}

bool
staging_letter_is_old(const struct out_letter *l, uint32_t period,
                      uint64_t now_us)
{
    const bool unread = l->at.period + 1 < period;
    if (!l->kept)
        return unread;
    return l->due_us <= now_us && l->at.period < period &&
           (unread || l->keeps >= KEEPS_DAY);
}

/* Was this an acknowledgement alone, which a store has and a later letter repeats?
 * Else they would add up while the box's second store does not answer. */
static bool
ack_is_repeated(const struct out_letter *l)
{
    return l->sequence == 0 && l->kept && l->next;
}

/* Letters that grew old get a place of today. */
static int
letters_renew(struct client *c, struct conversation *v)
{
    const uint32_t period = client_period(c);
    const uint64_t now_us = env_now_mono_us(c->env);
    int err = 0;
    for (struct out_letter **at = &v->letters; *at && !err;)
        if (ack_is_repeated(*at))
            err = staging_letter_erase(c, v, at);
        else if (staging_letter_is_old(*at, period, now_us))
            err = staging_move(c, v, at); /* then *at is young, or the next */
        else
            at = &(*at)->next;
    return err;
}

/* Stage letters until enough of them wait, contacts taking turns. */
static int
contents_stage(struct client *c, unsigned staged)
{
    bool more = true;
    while (more && staged < STAGED_MAX) {
        more = false;
        for (struct conversation *v = c->conversations;
             v && staged < STAGED_MAX; v = v->next) {
            int made = content_stage(c, v);
            if (made < 0)
                return made;
            more |= made > 0;
            staged += made > 0;
        }
    }
    return 0;
}

void
staging_run(struct client *c)
{
    unsigned staged = 0;
    int err = 0;
    if (!c->current || journal_error(c->journal))
        return;
    journal_begin(c->journal);
    for (struct conversation *v = c->conversations; v && !err; v = v->next) {
        err = letters_renew(c, v);
        staged += staged_count(v);
    }
    if (!err)
        err = contents_stage(c, staged);
    for (struct conversation *v = c->conversations; v && !err; v = v->next)
        err = ack_stage(c, v);
    if (err) /* the rest with the next tick */
        client_drop(c, err);
    (void)journal_end(c->journal);
}
