/* client/messages.c - see messages.h.
 *
 * A message's states: queued, sent (all letters kept), delivered (all
 * acknowledged), expired. Finished ones are remembered, FINISHED_MAX a contact.
 * Two kinds are written without anybody's asking (messages_renew()): a hello that offers
 * a new ratchet, and the word that a second one has used an invitation.
 * Bounds: CLIENT_MESSAGES_MAX of one contact, CLIENT_QUEUE_MAX bytes of all. */
#include "client/messages.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/conversations.h"
#include "client/sealing.h"

enum {
    FINISHED_MAX = 64,
    DAY_S = 86400,
    SPARE_MESSAGES = 16,
    NUMBERS_LEFT = 1 << 16 /* of a chain: another ratchet is offered */
};
#define RENEW_US 60000000ULL /* an offer is made so long after the last */

struct message *
message_find(const struct conversation *v, uint64_t order)
{
    struct message *m = v->messages;
    while (m && m->order != order)
        m = m->next;
    return m;
}

/* A copy of m that has its own data. */
static struct message *
message_new(const struct message *m, const uint8_t *data)
{
    struct message *copy = malloc(sizeof *copy);
    uint8_t *bytes = malloc(m->len + 1);
    if (!copy || !bytes) {
        free(copy);
        free(bytes);
        return NULL;
    }
    if (data)
        memcpy(bytes, data, m->len);
    *copy = *m;
    copy->data = bytes;
    return copy;
}

static void
message_data_free(struct message *m)
{
    if (m->data)
        sodium_memzero(m->data, m->len);
    free(m->data);
    m->data = NULL;
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

static void
message_unlink(struct conversation *v, struct message **at)
{
    struct message *m = *at;
    *at = m->next;
    if (v->messages_end == &m->next)
        v->messages_end = at;
    v->n_messages--;
    message_data_free(m);
    free(m);
}

/* It waits no more. */
static void
message_uncount(struct client *c, struct conversation *v,
                const struct message *m)
{
    c->queue_len -= m->len;
    c->status.queued--;
    v->n_waiting--;
}

/* Journal the newest message, and the contact's record with it. */
static int
message_keep(struct client *c, struct conversation *v, struct message *m)
{
    journal_begin(c->journal);
    int err = record_message_save(c->journal, v->id, m, CLIENT_QUEUED);
    if (!err)
        err = conversation_save(c, v);
    if (err)
        journal_cancel(c->journal);
    else
        m->ticket = journal_end(c->journal);
    return err;
}

void
message_forget(struct client *c, struct conversation *v,
               const struct message *m)
{
    struct message **at = &v->messages;
    while (*at != m) {
        assert(*at); /* it is in v's list */
        at = &(*at)->next;
    }
    if (!message_is_over(m))
        message_uncount(c, v, m);
    message_unlink(v, at);
}

int
message_submit(struct client *c, struct conversation *v, enum letter_kind kind,
               const uint8_t *id, const uint8_t *data, size_t len,
               uint64_t *order)
{
    struct message head = {.order = v->next_order,
                           .created_s =
                               client_time_is_known(c) ? client_time_s(c) : 0,
                           .started_us = env_now_mono_us(c->env),
                           .kind = (uint8_t)kind,
                           .state = CLIENT_QUEUED,
                           .len = len};
    if (v->refused)
        return ERR_USED;
    if (len > LETTER_MESSAGE_MAX)
        return ERR_LONG;
    /* what nobody has asked for has room of its own */
    const unsigned spare =
        letter_is_content((uint8_t)kind) ? 0 : SPARE_MESSAGES;
    if (c->queue_len + len > CLIENT_QUEUE_MAX ||
        v->n_waiting >= CLIENT_MESSAGES_MAX + spare)
        return ERR_FULL;
    head.count = letter_count(len, c->letter_len);
    if (id)
        memcpy(head.id, id, LETTER_ID_LEN);
    else if (letter_is_content((uint8_t)kind))
        letter_id(head.id, (uint32_t)head.order, (uint32_t)head.created_s);
    else
        env_random_crypto(c->env, head.id, LETTER_ID_LEN);
    struct message *m = message_new(&head, data);
    if (!m)
        return ERR_NOMEM;
    v->next_order++;
    message_link(c, v, m);
    *order = head.order;
    int err = message_keep(c, v, m);
    if (err) { /* it never was */
        message_forget(c, v, m);
        v->next_order--;
    }
    return err;
}

void
message_finish(struct client *c, struct conversation *v, struct message *m,
               enum client_state state)
{
    m->state = (uint8_t)state;
    m->next_index = m->count;
    message_uncount(c, v, m);
    message_data_free(m);
    c->status.changes++;
}

void
messages_prune(struct client *c, struct conversation *v)
{
    uint32_t over = 0;
    for (const struct message *m = v->messages; m; m = m->next)
        over += message_is_over(m);
    for (struct message **at = &v->messages; *at && over > FINISHED_MAX;) {
        if (!message_is_over(*at)) {
            at = &(*at)->next;
            continue;
        }
        if (record_message_delete(c->journal, v->id, (*at)->order))
            return; /* with the next one that finishes */
        message_unlink(v, at);
        over--;
    }
}

int
message_load(struct client *c, struct conversation *v,
             const struct record_key *key, const uint8_t *value, size_t len)
{
    struct message head;
    const uint8_t *data;
    int err = record_message_read(&head, &data, key, value, len, c->letter_len);
    if (err)
        return err;
    head.started_us = env_now_mono_us(c->env);
    struct message *m = message_new(&head, data);
    if (!m)
        return ERR_NOMEM;
    if (message_is_over(m)) {
        message_data_free(m);
        m->next_index = m->kept = m->acked = m->count;
    }
    message_link(c, v, m);
    return 0;
}

int
messages_erase(struct client *c, const struct conversation *v)
{
    int err = 0;
    for (const struct message *m = v->messages; m && !err; m = m->next)
        err = record_message_delete(c->journal, v->id, m->order);
    return err;
}

void
messages_forget(struct client *c, struct conversation *v)
{
    for (const struct message *m = v->messages; m; m = m->next)
        if (!message_is_over(m))
            message_uncount(c, v, m);
    messages_free(v);
}

void
messages_free(struct conversation *v)
{
    while (v->messages)
        message_unlink(v, &v->messages);
}

/* ---- what nobody has asked for ---- */

bool
messages_wait(const struct conversation *v, enum letter_kind kind)
{
    const struct message *m = v->messages;
    while (m && (m->kind != kind || message_is_over(m)))
        m = m->next;
    return m != NULL;
}

/* The highest generation that either side is known to have. */
static uint32_t
generation_known(const struct conversation *v)
{
    const uint32_t own = v->session->generation;
    return v->told_generation > own ? v->told_generation : own;
}

/* Write a letter without content, and offer in it if that is to be. */
static int
hello_make(struct client *c, struct conversation *v, bool offer)
{
    struct session copy = sealing_copy(v);
    uint8_t fresh[RATCHET_KEY_LEN];
    uint64_t order, generation = client_time_s(c);
    if (generation <= generation_known(v))
        generation = (uint64_t)generation_known(v) + 1;
    if (offer) {
        env_random_crypto(c->env, fresh, sizeof fresh);
        session_offer(v->session, (uint32_t)generation,
                      (uint32_t)(client_time_s(c) / DAY_S), fresh);
        sodium_memzero(fresh, sizeof fresh);
        v->offer_us = env_now_mono_us(c->env);
        v->offer_tries = 0;
    }
    const int err = message_submit(c, v, LETTER_HELLO, NULL, NULL, 0, &order);
    if (err)
        sealing_back(v, &copy);
    sodium_memzero(&copy, sizeof copy);
    return err;
}

/* Offer, or see that what was offered is on its way. */
static int
offer_renew(struct client *c, struct conversation *v, uint64_t now_us)
{
    const struct session *s = v->session;
    int err = 0;
    /* an offer below what the other has is not taken: another is made */
    if (s->state == SESSION_OFFERED && v->told_generation < s->generation) {
        v->renew_us = 0;
        return messages_wait(v, LETTER_HELLO) || now_us < v->hello_us
                   ? 0
                   : hello_make(c, v, false);
    }
    if (v->renew_us == 0 || now_us < v->renew_us ||
        (v->renewed_us > 0 && now_us < v->renewed_us + RENEW_US))
        return 0;
    if (s->answered && generation_known(v) < UINT32_MAX)
        err = hello_make(c, v, true);
    if (!err)
        v->renew_us = 0;
    v->renewed_us = now_us;
    return err;
}

int
messages_renew(struct client *c, struct conversation *v, uint64_t now_us)
{
    const struct session *s = v->session;
    if (s->state == SESSION_OPEN && v->renew_us == 0 &&
        s->now.n_out > RATCHET_NUMBER_MAX - NUMBERS_LEFT)
        v->renew_us = now_us; /* its reader never answers by a key of his own */
    if ((v->renew_us == 0 && session_is_open(s)) || !session_may_write(s) ||
        v->removed || v->refused || !client_time_is_known(c))
        return 0;
    return offer_renew(c, v, now_us);
}
