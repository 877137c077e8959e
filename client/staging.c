/* client/staging.c - see staging.h.
 *
 * A place is journalled before its letter's first put, so that no two letters
 * are ever sealed for one place; the token that is to announce it likewise. Failure
 * modes: no memory (a letter is staged later, and nothing has changed); a full disk
 * (nothing is staged any more, the status says so); a restart (pings that wait for
 * their answer get none). */
#include "client/staging.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/announce.h"
#include "client/conversations.h"
#include "client/messages.h"
#include "client/places.h"
#include "client/disk/records.h"
#include "client/sealing.h"
#include "lib/rng.h"

enum { EMPTY_US = 10000000 }; /* what is written meanwhile goes before */
enum { DOUBT_KEEPS = 16 };    /* places of which each repeat may have another */
enum { TEXTS_ROOM = 32 }; /* of the window: files leave it to what is shorter */
#define WORD_US \
    60000000ULL /* then what may not have been heard is said again */
#define WARN_US 120000000ULL /* and that an invitation was used */

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
    announce_forget(c, l->announcement);
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

/* Who tells what has come by a letter of m? What is not the user's own doing tells
 * of what is due alone. */
static enum acks_teller
letter_teller(const struct conversation *v, const struct message *m)
{
    const bool own = m && m->kind != LETTER_PONG && session_is_open(v->session);
    return own ? ACKS_OWN : ACKS_ALONE;
}

/* Write into a letter what its reader is told of his own. A floor that has risen
 * says that an acknowledgement of his was read. */
static void
letter_tell(const struct client *c, struct conversation *v,
            const struct out_letter *l, enum acks_teller teller,
            struct letter *letter)
{
    letter->ack = v->ack;
    memcpy(letter->map, v->map, sizeof letter->map);
    acks_tell(v->acks, env_now_mono_us(c->env), teller, &letter->ack,
              letter->map);
    if (teller == ACKS_OWN)
        v->floor_told = floor_of(v, l);
    letter->floor = v->floor_told;
}

/* The last letter under way of what is to be shown before m: of texts alone, or,
 * when m is a file, of both. 0: all of that has been acknowledged. */
static uint32_t
after_of(const struct conversation *v, const struct message *m)
{
    uint32_t last = 0;
    if (!letter_is_content(m->kind))
        return 0;
    for (const struct out_letter *l = v->letters; l; l = l->next)
        if (l->order < m->order && l->sequence > last &&
            (l->kind == LETTER_TEXT ||
             (l->kind == LETTER_FILE && m->kind == LETTER_FILE)))
            last = l->sequence;
    return last;
}

/* Seal a letter of m into l; NULL: one without content, which acknowledges, or when
 * it has a number stands for one that was given up. */
static int
letter_fill(struct client *c, struct conversation *v, struct out_letter *l,
            const struct message *m, enum acks_teller teller)
{
    size_t room = letter_data_max(c->letter_len);
    struct letter used = {.kind = LETTER_USED, .count = 1};
    if (!m && l->kind == LETTER_USED) {
        session_first_mark(v->session->first, used.message);
        return sealing_seal(c, v, &used, l->at, l->bytes);
    }
    struct letter letter = {
        .previous_period = v->previous_period,
        .previous_count = v->previous_count,
        .sequence = l->sequence,
        .count = 1,
        .announced = l->announced,
        .tokens = announce_used(v, l->at.period),
        .lease_s = (uint32_t)places_lease_s(c, v, teller == ACKS_ALONE)};
    letter_tell(c, v, l, teller, &letter);
    if (m) {
        size_t left = m->len - l->index * room;
        memcpy(letter.message, m->id, sizeof letter.message);
        letter.kind = m->kind;
        letter.index = l->index;
        letter.count = m->count;
        letter.total = (uint32_t)m->len;
        letter.data_len = (uint16_t)(left < room ? left : room);
        letter.data = m->data + l->index * room;
        letter.after = after_of(v, m);
    } else if (l->sequence > 0) {
        letter.kind = LETTER_HELLO;
    }
    l->generation = v->session->generation;
    return sealing_seal(c, v, &letter, l->at, l->bytes);
}

/* Make a letter like head of m (NULL: an acknowledgement alone): give it a
 * place, and a token when it is to be announced, seal it, and journal both. It is
 * in no list yet. When that fails v is as before, and place and token are free:
 * nothing was put there. */
static int
letter_make(struct client *c, struct conversation *v,
            const struct out_letter *head, const struct message *m,
            enum acks_teller teller, struct out_letter **out)
{
    const struct conversation before = *v;
    struct session session = sealing_copy(v);
    struct out_letter *l = staging_letter_new(c, head);
    if (!l)
        return ERR_NOMEM;
    l->kind = m ? m->kind : head->kind;
    l->at = place_take(c, v);
    l->due_us = env_now_mono_us(c->env);
    l->answers = letter_teller(v, m) == ACKS_ALONE;
    l->announced = m && announce_take(c, v, l->at.period);
    journal_begin(c->journal);
    int err = letter_fill(c, v, l, m, teller);
    if (!err)
        err = record_letter_save(c->journal, v->id, l, 0, c->letter_len);
    if (!err)
        err = conversation_save(c, v);
    if (err) {
        journal_cancel(c->journal);
        letter_free(c, l);
        *v = before;
        sealing_back(v, &session);
        return err;
    }
    sodium_memzero(&session, sizeof session);
    acks_told(v->acks, env_now_mono_us(c->env), teller);
    if (l->announced)
        l->announcement = announce_letter(c, v, l->at.period);
    l->ticket = journal_end(c->journal);
    *out = l;
    return 0;
}

int
staging_letter_empty(struct client *c, struct conversation *v,
                     const struct out_letter *l, uint32_t sequence,
                     struct out_letter **out)
{
    /* an earlier life may have put it: then it goes as it is */
    const bool same = l->loaded && !l->tried;
    const struct out_letter head = {
        .at = l->at,
        .sequence = same ? 0 : sequence,
        .due_us = same ? l->due_us : env_now_mono_us(c->env) + EMPTY_US,
        .loaded = same,
        .fills = true};
    struct out_letter *e = staging_letter_new(c, &head);
    struct session session = sealing_copy(v);
    *out = NULL;
    if (!e)
        return ERR_NOMEM;
    journal_begin(c->journal);
    int err = 0;
    if (same)
        memcpy(e->bytes, l->bytes, c->letter_len);
    else
        err = letter_fill(c, v, e, NULL, ACKS_ALONE);
    if (!err)
        err = record_letter_save(c->journal, v->id, e, 0, c->letter_len);
    if (!err && !same)
        err = conversation_save(c, v);
    if (err) {
        journal_cancel(c->journal);
        letter_free(c, e);
        sealing_back(v, &session);
        return err;
    }
    sodium_memzero(&session, sizeof session);
    e->ticket = journal_end(c->journal);
    *out = e;
    return 0;
}

void
staging_letter_replace(const struct client *c, struct out_letter **at,
                       struct out_letter *empty)
{
    struct out_letter *old = *at;
    empty->next = old->next;
    *at = empty;
    letter_free(c, old);
}

/* Journal that l leaves its place. Where nothing was put there, and its reader looks
 * there, something without content takes it: *filler, else NULL. */
static int
place_vacate(struct client *c, struct conversation *v,
             const struct out_letter *l, struct out_letter **filler)
{
    *filler = NULL;
    if (l->tried || l->at.period + 1 < client_period(c))
        return record_letter_delete(c->journal, v->id, l->at);
    return staging_letter_empty(c, v, l, 0, filler);
}

/* Give the letter of m at *at another place. When that fails it stays. In a box
 * of another day, with other stores, its repeats begin anew. It is no doing of the
 * user's, and so tells of what is due alone: whoever knows the box can have it
 * called taken when he likes. */
static int
letter_move(struct client *c, struct conversation *v, struct out_letter **at,
            struct message *m, uint32_t sequence)
{
    struct out_letter *old = *at, *l, *filler;
    const bool renumbered = sequence != old->sequence;
    const struct out_letter head = {
        .sequence = sequence,
        .index = old->index,
        .order = old->order,
        .moved = true,
        .renumbered = renumbered || old->renumbered,
        .since_us = renumbered ? env_now_mono_us(c->env) : old->since_us,
        .keeps = old->at.period < client_period(c) ? 0 : old->keeps};
    journal_begin(c->journal);
    int err = place_vacate(c, v, old, &filler);
    if (!err)
        err = letter_make(c, v, &head, m, ACKS_ALONE, &l);
    if (err) {
        journal_cancel(c->journal);
        if (filler)
            letter_free(c, filler);
        return err;
    }
    l->next = filler ? filler : old->next;
    if (filler)
        filler->next = old->next;
    *at = l;
    m->kept -= old->kept;
    letter_free(c, old);
    (void)journal_end(c->journal);
    return 0;
}

/* Letters that wait for their first put, of one contact or of all, but for those
 * that only fill places, as long as they are few. */
static unsigned
staged_count(const struct conversation *v)
{
    unsigned n = 0, fill = 0;
    for (const struct out_letter *l = v->letters; l; l = l->next) {
        n += !l->tried && !l->fills;
        fill += !l->tried && l->fills;
    }
    return n + (fill > STAGED_MAX ? fill - STAGED_MAX : 0);
}

/* May letters of m be made? While a ratchet is offered that nobody has taken, those
 * without a user's words alone; and the inviter has not even these before somebody has
 * taken up his invitation. */
static bool
message_may_leave(const struct conversation *v, const struct message *m,
                  uint64_t now_us)
{
    return m->kind == LETTER_HELLO
               ? session_may_write(v->session)
               : session_is_open(v->session) && now_us >= v->left_us;
}

/* The first message that has letters to be made; files come last. */
static struct message *
message_next(const struct conversation *v, uint64_t now_us)
{
    struct message *file = NULL;
    for (struct message *m = v->messages; m; m = m->next) {
        if (m->next_index == m->count || message_is_over(m) ||
            !message_may_leave(v, m, now_us))
            continue;
        if (m->kind != LETTER_FILE)
            return m;
        if (!file)
            file = m;
    }
    return file;
}

static bool
pong_is_next(const struct conversation *v, uint64_t now_us)
{
    const struct message *m = message_next(v, now_us);
    return m && m->kind == LETTER_PONG;
}

/* May one more number be open, for a letter of this kind? */
static bool
numbers_are_left(const struct conversation *v, uint8_t kind)
{
    const uint32_t window =
        LETTER_WINDOW - (kind == LETTER_FILE ? TEXTS_ROOM : 0);
    return v->next_sequence - floor_of(v, NULL) < window;
}

/* Make the next letter of the first message that has one. Returns 1, 0 when
 * there is none to be made, or an error. */
static int
content_stage(struct client *c, struct conversation *v, uint64_t now_us)
{
    struct message *m = message_next(v, now_us);
    struct out_letter *l;
    if (!m || v->refused || !numbers_are_left(v, m->kind))
        return 0;
    const struct out_letter head = {.sequence = v->next_sequence,
                                    .index = m->next_index,
                                    .order = m->order,
                                    .since_us = env_now_mono_us(c->env)};
    v->next_sequence++;
    m->next_index++;
    int err = letter_make(c, v, &head, m, letter_teller(v, m), &l);
    if (err) {
        v->next_sequence--;
        m->next_index--;
        return err;
    }
    staging_letter_link(v, l);
    return 1;
}

/* Does an acknowledgement alone wait until a store keeps it? The next one tells what
 * it tells, and more: while no store answers, one is enough. */
static bool
ack_waits(const struct conversation *v)
{
    const struct out_letter *l = v->letters;
    while (l &&
           (l->sequence > 0 || l->kept || l->fills || l->kind == LETTER_USED))
        l = l->next;
    return l != NULL;
}

/* Is something said again that nobody is known to have heard: what is offered, where no
 * letter with a number may leave; or that a ratchet was left, to who goes on with it? */
static bool
word_is_due(const struct conversation *v, uint64_t now_us)
{
    const bool offers = !session_is_open(v->session) &&
                        session_may_write(v->session) &&
                        !numbers_are_left(v, LETTER_HELLO);
    return (offers && now_us >= v->offer_us) ||
           (v->lag_us > 0 && now_us >= v->lag_us);
}

/* Note that it was said. */
static void
word_said(struct conversation *v, uint64_t now_us)
{
    const unsigned doublings = v->offer_tries < 6 ? v->offer_tries : 6;
    v->lag_us = 0;
    v->offer_us = now_us + (WORD_US << doublings);
    v->offer_tries++;
}

/* Write an acknowledgement alone, when it is time for one: to who does not look
 * that is later. */
static int
ack_stage(struct client *c, struct conversation *v, uint64_t now_us)
{
    const struct out_letter head = {0};
    struct out_letter *l;
    const bool acks =
        acks_is_due(v->acks, now_us, true) &&
        acks_is_due(v->acks, now_us,
                    places_may_be_silent(c, v, now_us + SILENT_US));
    if ((!acks && (v->removed || !word_is_due(v, now_us))) || ack_waits(v))
        return 0;
    int err = letter_make(c, v, &head, NULL, ACKS_ALONE, &l);
    if (err)
        return err;
    word_said(v, now_us);
    staging_letter_link(v, l);
    return 0;
}

/* Tell whoever has the invitation that it was used: the one with whom it made a pair, and
 * the one who used it then. The letter has nothing else in it, not even a number, since
 * both read it. */
static int
warn_stage(struct client *c, struct conversation *v, uint64_t now_us)
{
    const struct out_letter head = {.kind = LETTER_USED};
    struct out_letter *l;
    if (v->warn_us == 0 || now_us < v->warn_us || v->removed || v->refused ||
        !session_may_write(v->session))
        return 0;
    int err = letter_make(c, v, &head, NULL, ACKS_ALONE, &l);
    if (err)
        return err;
    if (v->warns > 0)
        v->warns--;
    const unsigned doublings = STAGING_WARNS - 1u - v->warns;
    v->warn_us = v->warns > 0 ? now_us + (WARN_US << doublings) : 0;
    staging_letter_link(v, l);
    return 0;
}

/* Answer a ping whose time has come. One that there is no room to answer is not
 * answered. */
static int
pong_stage(struct client *c, struct conversation *v, uint64_t now_us)
{
    uint8_t id[LETTER_ID_LEN];
    uint64_t order;
    if (!acks_pong_due(v->acks, now_us, id))
        return 0;
    int err = ERR_USED;
    if (v->pings)
        err = message_submit(c, v, LETTER_PONG, id, NULL, 0, &order);
    if (err && err != ERR_FULL && err != ERR_USED)
        return err;
    acks_ponged(v->acks, id);
    if (err)
        client_drop(c, err);
    return 0;
}

/* Give a letter of m another number, and place: the other side takes this one for one
 * that it has. */
static int
letter_renumber(struct client *c, struct conversation *v,
                struct out_letter **letter, struct message *m)
{
    v->next_sequence++;
    int err = letter_move(c, v, letter, m, v->next_sequence - 1);
    if (err)
        v->next_sequence--;
    return err;
}

/* Take its number from a letter without content: its reader takes that for one that he
 * has. What was never put still fills its place. */
static int
letter_unnumber(struct client *c, struct conversation *v,
                struct out_letter **letter)
{
    struct out_letter *filler;
    journal_begin(c->journal);
    const int err =
        journal_finish(c->journal, place_vacate(c, v, *letter, &filler));
    if (err && filler)
        letter_free(c, filler);
    if (err)
        return err;
    if (filler)
        staging_letter_replace(c, letter, filler);
    else
        staging_letter_unlink(c, letter);
    return 0;
}

int
staging_move(struct client *c, struct conversation *v,
             struct out_letter **letter)
{
    struct message *m = message_find(v, (*letter)->order);
    if ((*letter)->sequence == 0 || !m || !m->data)
        return staging_letter_erase(c, v, letter);
    if (staging_letter_is_overtaken(v, *letter))
        return letter_renumber(c, v, letter, m);
    return letter_move(c, v, letter, m, (*letter)->sequence);
}

bool
staging_letter_is_overtaken(const struct conversation *v,
                            const struct out_letter *l)
{
    return l->sequence > 0 && l->sequence >= v->sure_sequence &&
           l->sequence <= v->overtaken;
}

bool
staging_letter_is_in_doubt(const struct conversation *v,
                           const struct out_letter *l)
{
    return l->renumbered && !v->in_step && l->keeps < DOUBT_KEEPS;
}

bool
staging_letter_is_old(const struct conversation *v, const struct out_letter *l,
                      uint32_t period, uint64_t now_us)
{
    const bool unread = l->at.period + 1 < period;
    if (sealing_is_left(v, l))
        return true;
    if (!l->kept)
        return unread;
    if (l->unsure || staging_letter_is_in_doubt(v, l))
        return l->due_us <= now_us;
    return l->due_us <= now_us && l->at.period < period &&
           (unread || l->keeps >= KEEPS_DAY);
}

/* Was this an acknowledgement alone, which a store has and a later letter repeats?
 * Else they would add up while the box's second store does not answer. */
static bool
ack_is_repeated(const struct out_letter *l)
{
    return l->sequence == 0 && l->kept && l->next && l->kind != LETTER_USED;
}

/* Give a letter that another life has overtaken its own number. A few at a time, so
 * that one who names numbers of nothing does not have all letters to him put before
 * those to others. */
static int
overtaken_renew(struct client *c, struct conversation *v,
                struct out_letter ***at)
{
    struct message *m = message_find(v, (**at)->order);
    if (!m || !m->data)
        return letter_unnumber(c, v, *at);
    if (staged_count(v) < STAGED_MAX / 2)
        return letter_renumber(c, v, *at, m);
    *at = &(**at)->next;
    return 0;
}

/* Seal a letter anew, and give it a place, whose ratchet was left: its reader may not
 * have been able to open it. A few at a time, likewise. */
static int
left_renew(struct client *c, struct conversation *v, struct out_letter ***at)
{
    const struct message *m = message_find(v, (**at)->order);
    if (m && m->data && staged_count(v) >= STAGED_MAX / 2) {
        *at = &(**at)->next;
        return 0;
    }
    return staging_move(c, v, *at);
}

/* Does what has become of a letter wait, so that nobody sees when its reader's was read? */
static bool
letter_lags(const struct conversation *v, const struct out_letter *l,
            uint64_t now_us)
{
    return (staging_letter_is_overtaken(v, l) && now_us < v->overtaken_us) ||
           (sealing_is_left(v, l) && now_us < v->left_us);
}

/* Does a letter get another number, or another place? One of a ratchet that was left is
 * old. */
static bool
letter_is_to_move(const struct conversation *v, const struct out_letter *l,
                  uint32_t period, uint64_t now_us)
{
    return staging_letter_is_overtaken(v, l) ||
           staging_letter_is_old(v, l, period, now_us);
}

/* Letters that grew old get a place of today. */
static int
letters_renew(struct client *c, struct conversation *v, uint32_t period,
              uint64_t now_us)
{
    int err = 0;
    for (struct out_letter **at = &v->letters; *at && !err;)
        if (ack_is_repeated(*at))
            err = staging_letter_erase(c, v, at);
        else if (letter_lags(v, *at, now_us) ||
                 !letter_is_to_move(v, *at, period, now_us))
            at = &(*at)->next;
        else if (staging_letter_is_overtaken(v, *at))
            err = overtaken_renew(c, v, &at);
        else if (sealing_is_left(v, *at))
            err = left_renew(c, v, &at);
        else
            err = staging_move(c, v, at); /* then *at is young, or the next */
    return err;
}

/* Write what is due to be answered, before all that the user has written and
 * however much of that waits: it tells nothing of it. */
static int
answers_stage(struct client *c, struct conversation *v, uint64_t now_us)
{
    int err = pong_stage(c, v, now_us);
    while (!err && pong_is_next(v, now_us) &&
           (err = content_stage(c, v, now_us)) > 0)
        err = 0;
    if (!err)
        err = warn_stage(c, v, now_us);
    return err ? err : ack_stage(c, v, now_us);
}

/* What one contact has no more room for is no failure for the others. */
static int
own_error(struct client *c, int err)
{
    if (err != ERR_FULL)
        return err;
    client_drop(c, err);
    return 0;
}

/* Stage letters until enough of them wait, contacts taking turns. */
static int
contents_stage(struct client *c, unsigned staged, uint64_t now_us)
{
    bool more = true;
    while (more) {
        more = false;
        for (struct conversation *v = c->conversations; v; v = v->next) {
            /* One letter each may always have ready, whatever waits for others: else
             * a store that asks for much work, or a contact who makes many of his
             * letters be put anew, would hold up whatever is said to anybody (I11). */
            if (staged >= STAGED_MAX && staged_count(v) > 0)
                continue;
            int made = own_error(c, content_stage(c, v, now_us));
            if (made < 0)
                return made;
            more |= made > 0;
            staged += made > 0;
        }
    }
    return 0;
}

/* Write to oneself, and announce that. Without the disk or memory for a letter it
 * is announced all the same. */
static int
self_stage(struct client *c)
{
    const struct out_letter head = {0};
    struct out_letter *l = NULL;
    if (!announce_self_due(c))
        return 0;
    struct conversation *v = conversation_by_id(
        c, SELF_FIRST + (uint32_t)rng_below(c->env, FRONTS_MAX));
    const uint32_t announcement = announce_self(c, v);
    int err = v ? letter_make(c, v, &head, NULL, ACKS_ALONE, &l) : 0;
    if (!l) {
        announce_left(c, announcement);
        return err;
    }
    l->answers = false;
    l->announcement = announcement;
    staging_letter_link(v, l);
    return 0;
}

void
staging_run(struct client *c)
{
    const uint64_t now_us = env_now_mono_us(c->env);
    unsigned staged = 0;
    int err = 0;
    if (!c->current || journal_error(c->journal))
        return;
    const uint32_t period = client_period(c); /* goes through stores' words */
    journal_begin(c->journal);
    for (struct conversation *v = c->conversations; v && !err; v = v->next) {
        sealing_age(v, now_us);
        err = own_error(c, messages_renew(c, v, now_us));
        if (!err)
            err = own_error(c, letters_renew(c, v, period, now_us));
        staged += staged_count(v);
    }
    for (struct conversation *v = c->conversations; v && !err; v = v->next)
        err = own_error(c, answers_stage(c, v, now_us));
    if (!err)
        err = contents_stage(c, staged, now_us);
    if (!err)
        err = self_stage(c);
    if (!err)
        err = announce_renew(c);
    if (err) /* the rest with the next tick */
        client_drop(c, err);
    (void)journal_end(c->journal);
}
