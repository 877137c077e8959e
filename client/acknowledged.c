/* client/acknowledged.c - see acknowledged.h.
 *
 * A letter's states towards this: going (a letter of its reader's names it, and the
 * journal has that), unsure (what names it may speak of another life's letter of that
 * number), or neither. A conversation's: in step once its reader has shown something
 * that this life sent; doubted when a place was taken where this life put nothing; told
 * when its reader has had more than the records here know.
 *
 * Failure modes: no memory or a journal that takes nothing (the letter comes again, and
 * nothing is noted); a reader that names what was never sent (nothing goes, but numbers
 * go on behind it, OVERTAKEN_MAX at once). */
#include "client/acknowledged.h"

#include "client/conversations.h"
#include "client/messages.h"
#include "client/staging.h"

enum { OVERTAKEN_MAX = 1 << 20 }; /* numbers at once, whoever says so */
/* That another life may have used, unheard of; its reader has a window for them, so
 * that what that life wrote is read, too. */
enum { DOUBT_NUMBERS = LETTER_WINDOW / 2 };

/* Does a letter that came name the number of l as here? */
static bool
is_named(const struct letter *letter, const struct out_letter *l)
{
    if (l->sequence <= letter->ack)
        return l->sequence > 0;
    const uint32_t i = l->sequence - letter->ack - 1;
    return i < LETTER_WINDOW && (letter->map[i / 8] >> i % 8 & 1);
}

/* Can nobody have read l under its number? It was never put, nor was it elsewhere. */
static bool
is_unread(const struct out_letter *l)
{
    return !l->tried && !l->loaded && (!l->moved || l->renumbered);
}

/* Is l's number one that no other life can have used, behind all that are known or in
 * doubt? */
static bool
number_is_own(const struct conversation *v, const struct out_letter *l)
{
    return l->renumbered ||
           ((v->doubted || v->told) && l->sequence > v->overtaken);
}

/* May a letter that came speak of l? One that speaks of what was never sent speaks of
 * nothing; until its reader is in step, a letter whose place was another life's is
 * spoken of when a store has it. */
static bool
is_spoken_of(const struct conversation *v, const struct letter *letter,
             const struct out_letter *l)
{
    if (letter->ack >= v->next_sequence || l->sequence == 0 || is_unread(l) ||
        staging_letter_is_overtaken(v, l) ||
        (!v->in_step && l->renumbered && !l->kept))
        return false;
    return is_named(letter, l);
}

/* May a letter that was committed no earlier than sure_us speak of another's that had
 * the number of l? Until its reader is in step, one that may be older than l may. */
static bool
is_unsure(const struct conversation *v, uint64_t sure_us,
          const struct out_letter *l)
{
    return !v->in_step && !number_is_own(v, l) && sure_us < l->since_us;
}

/* The highest number that a letter acknowledges. */
static uint32_t
ack_highest(const struct letter *letter)
{
    uint32_t n = LETTER_WINDOW;
    while (n > 0 && !(letter->map[(n - 1) / 8] >> (n - 1) % 8 & 1))
        n--;
    return n > UINT32_MAX - letter->ack ? UINT32_MAX : letter->ack + n;
}

/* Does a letter, whose acknowledgements are noted, show that its reader has something
 * of what this life has sent, and nothing of another's? */
static bool
is_in_step(const struct conversation *v, const struct letter *letter)
{
    const uint32_t highest = ack_highest(letter);
    bool own = false;
    if (highest <= v->overtaken || highest >= v->next_sequence)
        return false;
    for (const struct out_letter *l = v->letters; l; l = l->next) {
        if (staging_letter_is_overtaken(v, l))
            return false;
        own = own || (l->going && l->since_us > 0);
    }
    return own;
}

/* Go on behind the numbers up to highest: another life has used them. Letters get new ones
 * from due_us on. */
static int
numbers_pass(struct client *c, struct conversation *v, uint32_t highest,
             uint64_t due_us)
{
    const struct conversation before = *v;
    v->overtaken_us = due_us;
    v->overtaken = highest;
    v->next_sequence = highest + 1;
    journal_begin(c->journal);
    int err = journal_finish(c->journal, conversation_save(c, v));
    if (err)
        *v = before;
    return err;
}

/* The highest number that a letter names and that this life has not used: that of
 * nothing which it has sent, or of a letter that it has not put yet. 0: none. */
static uint32_t
number_of_another(const struct conversation *v, const struct letter *letter)
{
    const uint32_t highest = ack_highest(letter);
    if (highest >= v->next_sequence)
        return highest;
    for (const struct out_letter *l = v->letters; l; l = l->next)
        if (is_unread(l) && is_named(letter, l) &&
            !staging_letter_is_overtaken(v, l))
            return v->next_sequence - 1;
    return 0;
}

/* Does a letter name one of the numbers that v passed over in doubt? Then another life
 * has used it. The last of them its reader may have by the word of a later letter, that
 * it waits for no more. */
static bool
is_doubt_confirmed(const struct conversation *v, const struct letter *letter)
{
    const uint32_t highest = ack_highest(letter);
    return v->doubted && highest < v->overtaken &&
           highest + DOUBT_NUMBERS > v->overtaken;
}

/* Note that v's contact has had more than the records know; at due_us keys are renewed. */
static void
overtaken_note(struct client *c, struct conversation *v, uint64_t due_us)
{
    if (!v->told && !v->removed && !v->self)
        c->status.overtaken++;
    v->told = true;
    if (v->renew_us == 0) /* keys have been used twice, too */
        v->renew_us = due_us;
}

int
acknowledged_catch_up(struct client *c, struct conversation *v,
                      const struct letter *letter)
{
    const uint32_t highest = number_of_another(v, letter);
    if (is_doubt_confirmed(v, letter))
        overtaken_note(c, v, v->due_us);
    if (v->removed || v->self || highest == 0 || highest > INT32_MAX ||
        (highest >= v->next_sequence &&
         highest - v->next_sequence >= OVERTAKEN_MAX))
        return 0;
    const int err = numbers_pass(c, v, highest, v->due_us);
    if (!err)
        overtaken_note(c, v, v->due_us);
    return err;
}

void
acknowledged_broken(struct client *c, struct conversation *v, bool ahead)
{
    v->broken = true;
    if (ahead || v->doubted)
        overtaken_note(c, v, v->due_us);
}

int
acknowledged_doubt(struct client *c, struct conversation *v)
{
    if (v->broken)
        overtaken_note(c, v, env_now_mono_us(c->env));
    if (v->in_step || v->doubted || v->next_sequence > INT32_MAX)
        return 0;
    const int err = numbers_pass(c, v, v->next_sequence + DOUBT_NUMBERS - 1, 0);
    v->doubted = err == 0;
    return err;
}

void
acknowledged_undo(const struct client *c, struct conversation *v)
{
    for (struct out_letter *l = v->letters; l; l = l->next) {
        l->going = false;
        if (l->empty)
            staging_letter_unlink(c, &l->empty);
    }
}

int
acknowledged_note(struct client *c, struct conversation *v,
                  const struct letter *letter, uint64_t sure_us)
{
    int err = 0;
    struct message *m;
    for (m = v->messages; m; m = m->next)
        m->acking = 0;
    for (struct out_letter *l = v->letters; l && !err; l = l->next) {
        if (!is_spoken_of(v, letter, l))
            continue;
        l->unsure = is_unsure(v, sure_us, l);
        if (l->unsure)
            continue;
        l->going = true;
        m = message_find(v, l->order);
        if (m && !message_is_over(m) && ++m->acking + m->acked == m->count)
            err = record_message_save(c->journal, v->id, m, CLIENT_DELIVERED);
        if (!err)
            err = l->moved && !l->tried
                      ? staging_letter_empty(c, v, l, 0, &l->empty)
                      : record_letter_delete(c->journal, v->id, l->at);
    }
    if (err)
        acknowledged_undo(c, v);
    else
        v->in_step = v->in_step || is_in_step(v, letter);
    return err;
}

/* The letter at this place of its list is acknowledged: it goes, and what is to take
 * its place is there. */
static void
letter_acknowledged(const struct client *c, struct out_letter **at)
{
    struct out_letter *empty = (*at)->empty;
    if (empty)
        staging_letter_replace(c, at, empty);
    else
        staging_letter_unlink(c, at);
}

void
acknowledged_drop(struct client *c, struct conversation *v,
                  const struct letter *letter)
{
    bool finished = false;
    if (letter->ack >= v->next_sequence)
        client_drop(c, ERR_RANGE);
    for (struct out_letter **at = &v->letters; *at;) {
        const struct out_letter *l = *at;
        if (!l->going) {
            at = &(*at)->next;
            continue;
        }
        struct message *m = message_find(v, l->order);
        if (m && !message_is_over(m)) {
            m->kept -= l->kept;
            if (++m->acked == m->count) {
                message_finish(c, v, m, CLIENT_DELIVERED);
                finished = true;
            }
        }
        letter_acknowledged(c, at);
    }
    if (finished)
        messages_prune(c, v);
}
