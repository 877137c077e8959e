/* client/outgoing.c - messages to letters, letters to boxes, until they are
 * acknowledged.
 *
 * A letter's states: staged (sealed for its place, waiting for the journal),
 * due (its next put may be sent), asked (due again when the answer is overdue),
 * kept (a store has it; due again much later), gone (acknowledged, or kept and
 * nothing but an acknowledgement itself). A place is journalled before its
 * first put, so that no two letters are ever sealed for one place. What was
 * staged goes out as it is, however often.
 *
 * A message's states: queued, sent (all letters kept), delivered (all
 * acknowledged), expired. Finished ones are remembered, FINISHED_MAX a contact.
 *
 * Failure modes: a full disk (nothing is staged any more, the status says so);
 * a place that is taken (the letter moves to another one; on the first letter
 * of an invitation, somebody else has used it); an endless silence (the message
 * expires, its letters are dropped and the floor tells the other side). */
#include "client/outgoing.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/conversations.h"
#include "client/state.h"
#include "lib/codec.h"
#include "lib/rng.h"

enum {
    FINISHED_MAX = 64,
    MESSAGE_HEAD_LEN = 1 + 1 + 1 + LETTER_ID_LEN + 8 + 4,
    LETTER_HEAD_LEN = 4 + 4 + 8 + 1 + 8,
    RECORD_VERSION = 1,
    DAY_S = 86400
};

/* ---- records ---- */

static void
message_save(struct client *c, const struct conversation *v,
             const struct message *m)
{
    uint8_t key[JOURNAL_KEY_MAX];
    size_t len = m->data ? m->len : 0;
    uint8_t *value = malloc(MESSAGE_HEAD_LEN + len);
    if (!value)
        return; /* the state on disk lags behind; nothing is lost */
    value[0] = RECORD_VERSION;
    value[1] = m->state;
    value[2] = m->kind;
    memcpy(value + 3, m->id, LETTER_ID_LEN);
    codec_put64(value + 3 + LETTER_ID_LEN, m->created_s);
    codec_put32(value + 11 + LETTER_ID_LEN, m->count);
    if (len > 0)
        memcpy(value + MESSAGE_HEAD_LEN, m->data, len);
    size_t key_len = record_key(key, RECORD_MESSAGE, v->id, m->order, 0);
    journal_put(c->journal, key, key_len, value, MESSAGE_HEAD_LEN + len);
    sodium_memzero(value, MESSAGE_HEAD_LEN + len);
    free(value);
}

static int
letter_save(struct client *c, const struct conversation *v,
            const struct out_letter *l)
{
    uint8_t key[JOURNAL_KEY_MAX];
    uint8_t value[LETTER_HEAD_LEN + LETTER_LEN_MAX];
    const uint64_t now_us = env_now_mono_us(c->env);
    struct codec_writer w;
    codec_writer_init(&w, value, sizeof value);
    codec_write32(&w, l->sequence);
    codec_write32(&w, l->index);
    codec_write64(&w, l->order);
    codec_write8(&w, l->kept ? l->keeps : 0);
    codec_write64(
        &w, !l->kept ? 0 : client_time_s(c) + (l->due_us - now_us) / 1000000);
    codec_write_bytes(&w, l->bytes, c->letter_len);
    size_t len = record_key(key, RECORD_LETTER, v->id, l->at.period, l->at.n);
    journal_put(c->journal, key, len, value, sizeof value - w.left);
    return 0;
}

static void
letter_delete(struct client *c, const struct conversation *v,
              struct out_letter **at)
{
    uint8_t key[JOURNAL_KEY_MAX];
    struct out_letter *l = *at;
    size_t len = record_key(key, RECORD_LETTER, v->id, l->at.period, l->at.n);
    journal_delete(c->journal, key, len);
    *at = l->next;
    sodium_memzero(l->bytes, c->letter_len);
    free(l);
}

/* ---- messages ---- */

static struct message *
message_of(const struct conversation *v, uint64_t order)
{
    struct message *m = v->messages;
    while (m && m->order != order)
        m = m->next;
    return m;
}

static bool
message_is_over(const struct message *m)
{
    return m->state == CLIENT_DELIVERED || m->state == CLIENT_EXPIRED;
}

static void
message_unlink(struct conversation *v, struct message **at)
{
    struct message *m = *at;
    *at = m->next;
    if (v->messages_end == &m->next)
        v->messages_end = at;
    v->n_messages--;
    if (m->data)
        sodium_memzero(m->data, m->len);
    free(m->data);
    free(m);
}

/* Remember finished messages, but not all of them. */
static void
messages_prune(struct client *c, struct conversation *v)
{
    uint8_t key[JOURNAL_KEY_MAX];
    uint32_t over = 0;
    for (const struct message *m = v->messages; m; m = m->next)
        over += message_is_over(m);
    for (struct message **at = &v->messages; *at && over > FINISHED_MAX;) {
        if (!message_is_over(*at)) {
            at = &(*at)->next;
            continue;
        }
        size_t len = record_key(key, RECORD_MESSAGE, v->id, (*at)->order, 0);
        journal_delete(c->journal, key, len);
        message_unlink(v, at);
        over--;
    }
}

static void
message_finish(struct client *c, struct conversation *v, struct message *m,
               enum client_state state)
{
    m->state = (uint8_t)state;
    m->next_index = m->count;
    c->queue_len -= m->len;
    v->n_waiting--;
    c->status.queued--;
    if (m->data)
        sodium_memzero(m->data, m->len);
    free(m->data);
    m->data = NULL;
    message_save(c, v, m);
    c->status.changes++;
}

static void
message_link(struct client *c, struct conversation *v, struct message *m)
{
    *v->messages_end = m;
    v->messages_end = &m->next;
    v->n_messages++;
    if (!message_is_over(m)) {
        v->n_waiting++;
        c->status.queued++;
        c->queue_len += m->len;
    }
}

int
outgoing_submit(struct client *c, struct conversation *v, enum letter_kind kind,
                const uint8_t *id, const uint8_t *data, size_t len,
                uint64_t *order)
{
    if (v->refused)
        return ERR_USED;
    if (len > LETTER_MESSAGE_MAX)
        return ERR_LONG;
    if (c->queue_len + len > CLIENT_QUEUE_MAX ||
        v->n_waiting >= CLIENT_MESSAGES_MAX)
        return ERR_FULL;
    struct message *m = calloc(1, sizeof *m);
    uint8_t *copy = malloc(len + 1);
    if (!m || !copy) {
        free(m);
        free(copy);
        return ERR_NOMEM;
    }
    if (len > 0)
        memcpy(copy, data, len);
    *m = (struct message){.order = v->next_order++,
                          .created_s = client_time_s(c),
                          .started_us = env_now_mono_us(c->env),
                          .kind = (uint8_t)kind,
                          .state = CLIENT_QUEUED,
                          .count = letter_count(len, c->letter_len),
                          .len = len,
                          .data = copy};
    if (id)
        memcpy(m->id, id, LETTER_ID_LEN);
    else
        env_random_crypto(c->env, m->id, LETTER_ID_LEN);
    message_link(c, v, m);
    conversation_touch(c, v);
    *order = m->order;
    journal_begin(c->journal);
    message_save(c, v, m);
    conversation_save(c, v);
    m->ticket = journal_end(c->journal);
    return 0;
}

/* ---- staging ---- */

/* The lowest sequence number that is still kept here. */
static uint32_t
floor_of(const struct conversation *v)
{
    uint32_t lowest = v->next_sequence;
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
                            .floor = floor_of(v),
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

/* Give l a place, seal it, and journal both. */
static void
letter_stage(struct client *c, struct conversation *v, struct out_letter *l,
             const struct message *m)
{
    l->at = place_take(c, v);
    l->tried = l->kept = false;
    l->due_us = env_now_mono_us(c->env);
    v->ack_owed_us = 0;
    if (letter_fill(c, v, l, m)) /* cannot happen: lengths were checked */
        client_drop(c, ERR_LONG);
    journal_begin(c->journal);
    (void)letter_save(c, v, l);
    conversation_save(c, v);
    l->ticket = journal_end(c->journal);
}

static struct out_letter *
letter_new(struct client *c, struct conversation *v)
{
    struct out_letter *l = calloc(1, sizeof *l + c->letter_len);
    if (!l) {
        client_drop(c, ERR_NOMEM);
        return NULL;
    }
    struct out_letter **end = &v->letters;
    while (*end)
        end = &(*end)->next;
    *end = l;
    return l;
}

/* Letters that wait for their first put, of one contact or of all. */
static unsigned
staged_count(const struct conversation *v)
{
    unsigned n = 0;
    for (const struct out_letter *l = v->letters; l; l = l->next)
        n += !l->tried;
    return n;
}

static bool
content_stage(struct client *c, struct conversation *v)
{
    struct message *m = v->messages;
    while (m && (m->next_index == m->count || message_is_over(m)))
        m = m->next;
    if (!m || v->refused || v->next_sequence - floor_of(v) >= LETTER_WINDOW)
        return false;
    struct out_letter *l = letter_new(c, v);
    if (!l)
        return false;
    l->sequence = v->next_sequence++;
    l->order = m->order;
    l->index = m->next_index++;
    letter_stage(c, v, l, m);
    return true;
}

static void
ack_stage(struct client *c, struct conversation *v)
{
    uint64_t now_us = env_now_mono_us(c->env);
    if (v->ack_owed_us == 0 || now_us - v->ack_owed_us < ACK_WAIT_US)
        return;
    struct out_letter *l = letter_new(c, v);
    if (l)
        letter_stage(c, v, l, NULL);
}

/* Letters that grew old before a store kept them get a place of today: their
 * reader looks at today's and yesterday's only. */
static void
letters_renew(struct client *c, struct conversation *v)
{
    uint32_t period = client_period(c);
    for (struct out_letter **at = &v->letters; *at;) {
        struct out_letter *l = *at;
        if (l->kept || l->at.period + 1 >= period) {
            at = &l->next;
            continue;
        }
        const struct message *m = message_of(v, l->order);
        if (l->sequence == 0 || !m || !m->data) {
            letter_delete(c, v, at);
        } else {
            uint8_t key[JOURNAL_KEY_MAX];
            size_t len =
                record_key(key, RECORD_LETTER, v->id, l->at.period, l->at.n);
            journal_delete(c->journal, key, len);
            letter_stage(c, v, l, m);
            at = &l->next;
        }
    }
}

void
outgoing_stage(struct client *c)
{
    unsigned staged = 0;
    bool more = true;
    if (!c->current || journal_error(c->journal))
        return;
    journal_begin(c->journal);
    for (struct conversation *v = c->conversations; v; v = v->next) {
        letters_renew(c, v);
        staged += staged_count(v);
    }
    while (more && staged < STAGED_MAX) {
        more = false;
        for (struct conversation *v = c->conversations;
             v && staged < STAGED_MAX; v = v->next)
            if (content_stage(c, v)) {
                more = true;
                staged++;
            }
    }
    for (struct conversation *v = c->conversations; v; v = v->next)
        ack_stage(c, v);
    (void)journal_end(c->journal);
}

/* ---- puts ---- */

struct out_letter *
outgoing_pick(struct client *c, bool spare, struct conversation **of)
{
    uint64_t now_us = env_now_mono_us(c->env);
    struct out_letter *best = NULL;
    for (struct conversation *v = c->conversations; v; v = v->next)
        for (struct out_letter *l = v->letters; l && !v->refused; l = l->next) {
            if (l->due_us > now_us || (spare && (!l->tried || l->kept)) ||
                !journal_is_committed(c->journal, l->ticket))
                continue;
            if (!best || l->due_us < best->due_us) {
                best = l;
                *of = v;
            }
        }
    return best;
}

void
outgoing_asked(struct client *c, struct out_letter *l, uint64_t due_us)
{
    (void)c;
    l->tried = true;
    l->due_us = due_us;
}

static void
letter_kept(struct client *c, struct conversation *v, struct out_letter **at)
{
    struct out_letter *l = *at;
    uint64_t wait_us = KEPT_US << (l->keeps < 6 ? l->keeps : 6);
    struct message *m = message_of(v, l->order);
    if (l->sequence == 0) {
        letter_delete(c, v, at);
        return;
    }
    l->due_us = env_now_mono_us(c->env) +
                (wait_us < KEPT_MAX_US ? wait_us : KEPT_MAX_US);
    if (l->keeps < UINT8_MAX)
        l->keeps++;
    const bool again = l->kept;
    l->kept = true;
    (void)letter_save(c, v, l); /* a restart repeats it no earlier */
    if (again)
        return;
    if (m && ++m->kept + m->acked >= m->count && m->state == CLIENT_QUEUED) {
        m->state = CLIENT_SENT;
        c->status.changes++;
    }
}

/* Somebody else's letter lies there. */
static void
letter_taken(struct client *c, struct conversation *v, struct out_letter **at)
{
    struct out_letter *l = *at;
    const struct message *m = message_of(v, l->order);
    uint8_t key[JOURNAL_KEY_MAX];
    if (!v->confirmed && !v->inviter) {
        v->refused = true;
        c->status.changes++;
        conversation_save(c, v);
        return;
    }
    if (!m || !m->data) {
        letter_delete(c, v, at);
        return;
    }
    size_t len = record_key(key, RECORD_LETTER, v->id, l->at.period, l->at.n);
    journal_delete(c->journal, key, len);
    letter_stage(c, v, l, m);
}

void
outgoing_answer(struct client *c, struct conversation *v,
                struct letter_place place, uint8_t status)
{
    uint64_t now_us = env_now_mono_us(c->env);
    struct out_letter **at = &v->letters;
    while (*at && ((*at)->at.period != place.period || (*at)->at.n != place.n))
        at = &(*at)->next;
    if (!*at)
        return; /* acknowledged meanwhile */
    journal_begin(c->journal);
    switch (status) {
    case WIRE_KEPT:
        letter_kept(c, v, at);
        break;
    case WIRE_TAKEN:
        letter_taken(c, v, at);
        break;
    case WIRE_RETRY:
        (*at)->due_us = now_us + RETRY_US;
        break;
    default: /* full, or a work we cannot do */
        (*at)->due_us = now_us + FULL_US;
        break;
    }
    (void)journal_end(c->journal);
}

/* ---- acknowledgements ---- */

static bool
is_acknowledged(const struct letter *l, uint32_t sequence)
{
    if (sequence <= l->ack)
        return true;
    uint32_t i = sequence - l->ack - 1;
    return i < LETTER_WINDOW && (l->map[i / 8] >> i % 8 & 1);
}

void
outgoing_acknowledged(struct client *c, struct conversation *v,
                      const struct letter *letter)
{
    bool finished = false;
    if (letter->ack >= v->next_sequence) {
        client_drop(c, ERR_RANGE); /* of what was never sent */
        return;
    }
    for (struct out_letter **at = &v->letters; *at;) {
        struct out_letter *l = *at;
        if (l->sequence == 0 || !is_acknowledged(letter, l->sequence)) {
            at = &l->next;
            continue;
        }
        struct message *m = message_of(v, l->order);
        if (m && !message_is_over(m)) {
            m->kept -= l->kept;
            if (++m->acked == m->count) {
                message_finish(c, v, m, CLIENT_DELIVERED);
                finished = true;
            }
        }
        letter_delete(c, v, at);
    }
    if (finished)
        messages_prune(c, v);
}

void
outgoing_expire(struct client *c)
{
    uint64_t now_s = client_sure_time_s(c);
    if (!c->current)
        return;
    uint64_t life_s = (uint64_t)c->current->params.letter_days * DAY_S;
    journal_begin(c->journal);
    for (struct conversation *v = c->conversations; v; v = v->next)
        for (struct message *m = v->messages; m; m = m->next) {
            if (message_is_over(m) || m->created_s + life_s > now_s)
                continue;
            message_finish(c, v, m, CLIENT_EXPIRED);
            for (struct out_letter **at = &v->letters; *at;)
                if ((*at)->sequence > 0 && (*at)->order == m->order)
                    letter_delete(c, v, at);
                else
                    at = &(*at)->next;
        }
    (void)journal_end(c->journal);
}

/* ---- loading ---- */

int
outgoing_load_letter(struct client *c, struct conversation *v,
                     struct letter_place at, const uint8_t *value, size_t len)
{
    if (len <= LETTER_HEAD_LEN || len - LETTER_HEAD_LEN > LETTER_LEN_MAX)
        return ERR_FORMAT;
    if (c->letter_len == 0)
        c->letter_len = len - LETTER_HEAD_LEN;
    if (len - LETTER_HEAD_LEN != c->letter_len)
        return ERR_FOREIGN;
    struct out_letter *l = letter_new(c, v);
    if (!l)
        return ERR_NOMEM;
    l->at = at;
    l->sequence = codec_get32(value);
    l->index = codec_get32(value + 4);
    l->order = codec_get64(value + 8);
    l->keeps = value[16];
    l->kept = l->tried = l->keeps > 0;
    l->due_s = codec_get64(value + 17);
    memcpy(l->bytes, value + LETTER_HEAD_LEN, c->letter_len);
    return 0;
}

int
outgoing_load_message(struct client *c, struct conversation *v, uint64_t order,
                      const uint8_t *value, size_t len)
{
    if (len < MESSAGE_HEAD_LEN || len - MESSAGE_HEAD_LEN > LETTER_MESSAGE_MAX)
        return ERR_FORMAT;
    if (value[0] != RECORD_VERSION)
        return ERR_VERSION;
    if (value[1] < CLIENT_QUEUED || value[1] > CLIENT_EXPIRED ||
        value[2] >= LETTER_KINDS)
        return ERR_FORMAT;
    struct message *m = calloc(1, sizeof *m);
    uint8_t *data = malloc(len - MESSAGE_HEAD_LEN + 1);
    if (!m || !data) {
        free(m);
        free(data);
        return ERR_NOMEM;
    }
    m->order = order;
    m->state = value[1];
    m->kind = value[2];
    memcpy(m->id, value + 3, LETTER_ID_LEN);
    m->created_s = codec_get64(value + 3 + LETTER_ID_LEN);
    m->count = codec_get32(value + 11 + LETTER_ID_LEN);
    m->len = len - MESSAGE_HEAD_LEN;
    memcpy(data, value + MESSAGE_HEAD_LEN, m->len);
    m->data = data;
    m->started_us = env_now_mono_us(c->env);
    if (message_is_over(m)) {
        free(data);
        m->data = NULL;
        m->next_index = m->kept = m->acked = m->count;
    }
    message_link(c, v, m);
    return 0;
}

/* Set when the letters of an earlier life are due: kept ones when they would
 * have been, the others after a time that this conversation draws for itself.
 * Were all of them due at once, a store could tell by the burst after a start
 * which boxes are one client's. */
static void
letters_loaded(struct client *c, struct conversation *v)
{
    const uint64_t now_us = env_now_mono_us(c->env);
    const uint64_t now_s = client_time_s(c);
    const uint64_t wait_us = rng_exp_us(c->env, LOADED_WAIT_US);
    for (struct out_letter *l = v->letters; l; l = l->next) {
        uint64_t left_us = 0;
        if (l->kept && l->due_s > now_s)
            left_us = (l->due_s - now_s) * 1000000;
        if (left_us > KEPT_MAX_US) /* a clock that was ahead */
            left_us = KEPT_MAX_US;
        l->due_us = now_us + (left_us > wait_us ? left_us : wait_us);
    }
}

/* All records are there: how far had each message come? What is neither to be
 * sent nor on its way was acknowledged. */
void
outgoing_loaded(struct client *c, struct conversation *v)
{
    letters_loaded(c, v);
    for (struct message *m = v->messages; m; m = m->next) {
        uint32_t under_way = 0, kept = 0;
        if (message_is_over(m))
            continue;
        m->next_index = m->order < v->loaded_order    ? m->count
                        : m->order == v->loaded_order ? v->loaded_index
                                                      : 0;
        for (const struct out_letter *l = v->letters; l; l = l->next)
            if (l->sequence > 0 && l->order == m->order) {
                under_way++;
                kept += l->kept;
            }
        m->acked = m->next_index - under_way;
        m->kept = kept;
        m->state = m->kept + m->acked >= m->count ? CLIENT_SENT : CLIENT_QUEUED;
        if (m->acked == m->count)
            message_finish(c, v, m, CLIENT_DELIVERED);
    }
}

void
outgoing_free(struct conversation *v)
{
    while (v->letters) {
        struct out_letter *l = v->letters;
        v->letters = l->next;
        free(l);
    }
    while (v->messages)
        message_unlink(v, &v->messages);
}
