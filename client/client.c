/* client/client.c - the client's life: records, link, the one timer.
 *
 * States: loading, started. Apart from that: linked or not, and with a
 * consensus or not (network.c). Packets are sent in client_tick() alone, on
 * ticks of the clock, when it is linked, has sent its control frame, has a
 * valid consensus, and its gateway has read what went before (window.h); other
 * ticks pass unused.
 *
 * Timer: the earlier of the clock's next tick and the switch of consensus. */
#include "client/client.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/announce.h"
#include "client/arrival.h"
#include "client/asked.h"
#include "client/conversations.h"
#include "client/inbox.h"
#include "client/incoming.h"
#include "client/listed.h"
#include "client/messages.h"
#include "client/network.h"
#include "client/outgoing.h"
#include "client/places.h"
#include "client/requests.h"
#include "client/sealing.h"
#include "client/staging.h"
#include "client/readers.h"
#include "client/state.h"
#include "client/status.h"
#include "lib/rng.h"
#include "lib/secret.h"

enum { EXPIRE_EVERY_US = 60000000 };

static void
client_committed(void *ctx)
{
    struct client *c = ctx;
    c->status.changes++;
    if (c->kept_fn)
        c->kept_fn(c->kept_ctx);
}

/* Storage has begun to fail. What applications wait to be told of is taken back. */
static void
client_lost(void *ctx)
{
    struct client *c = ctx;
    c->store_us = env_now_mono_us(c->env);
    contacts_take_back(c);
    for (struct conversation *v = c->conversations; v; v = v->next)
        outgoing_take_back(c, v);
    c->status.changes++;
}

int
client_new(struct client **out, const struct client_config *config)
{
    *out = NULL;
    if (!config->env || config->n_authorities == 0 ||
        config->n_authorities > CLIENT_AUTHORITIES_MAX ||
        config->n_gateways == 0 || config->n_gateways > CLIENT_GATEWAYS_MAX)
        return ERR_ARG;
    struct client *c = secret_new(sizeof *c); /* keys of requests in it */
    if (!c)
        return ERR_NOMEM;
    c->env = config->env;
    c->config = *config;
    c->next_id = 1;
    c->next_received = c->next_event = 1;
    c->keep_days = CLIENT_KEEP_ALWAYS;
    struct conversation_params fronts;
    fronts_params_default(&fronts, FRONTS_MAX);
    int err = sphinx_worker_new(&c->worker);
    if (!err)
        err = journal_new(&c->journal, c->env);
    if (!err)
        err = proofs_new(&c->proofs, config->maker);
    if (!err)
        err = shown_new(&c->shown);
    if (!err)
        err = tokens_new(&c->tokens);
    if (!err)
        err = announce_new(&c->announce);
    if (!err)
        err = fronts_new(&c->fronts, &fronts);
    if (err) {
        client_free(&c);
    } else {
        journal_on_commit(c->journal, client_committed, c);
        journal_on_failure(c->journal, client_lost, c);
    }
    *out = c;
    return err;
}

static void
conversations_free(struct client *c)
{
    while (c->conversations) {
        struct conversation *v = c->conversations;
        c->conversations = v->next;
        messages_free(v);
        outgoing_free(c, v);
        incoming_free(c, v);
        conversation_free(&v);
    }
}

static void
documents_free(struct client *c)
{
    for (size_t i = 0; i < 2; i++) {
        free(c->document[i].bytes);
        c->document[i].bytes = NULL;
    }
}

void
client_free(struct client **cp)
{
    struct client *c = *cp;
    *cp = NULL;
    if (!c)
        return;
    readers_free(c);
    inbox_free(c);
    conversations_free(c);
    journal_free(&c->journal);
    announce_free(&c->announce);
    proofs_free(&c->proofs);
    shown_free(&c->shown);
    tokens_free(&c->tokens);
    fronts_free(&c->fronts);
    sphinx_worker_free(&c->worker);
    fetch_reset(&c->fetch);
    documents_free(c);
    for (size_t i = 0; i < VIEWS; i++)
        consensus_free(&c->view[i]);
    free(c->asked);
    free(c->frame);
    free(c->reserve);
    secret_free((void **)&c);
}

/* The client's own record. What it calls used is never used again: ids of contacts,
 * orders of what came, events of what was shown. */
static int
own_load(struct client *c, const uint8_t *value, size_t len)
{
    struct record_client r;
    int err = record_client_read(&c->gateways, &r, value, len);
    c->letter_len = r.letter_len;
    if (!err && r.next_id > c->next_id)
        c->next_id = r.next_id;
    if (!err && r.next_received > c->next_received)
        c->next_received = r.next_received;
    if (!err && r.next_event > c->next_event)
        c->next_event = r.next_event;
    return err;
}

/* Consensuses of an earlier life wait for client_start(). */
static int
document_load(struct client *c, const struct record_key *key,
              const uint8_t *value, size_t value_len)
{
    uint32_t epoch;
    const uint8_t *bytes;
    size_t len;
    int err = record_document_read(&epoch, &bytes, &len, value, value_len);
    if (err)
        return err;
    if (c->document[key->a].bytes)
        return ERR_DUPLICATE;
    c->document[key->a].bytes = malloc(len + 1);
    if (!c->document[key->a].bytes)
        return ERR_NOMEM;
    memcpy(c->document[key->a].bytes, bytes, len);
    c->document[key->a].len = len;
    c->document[key->a].epoch = epoch;
    return 0;
}

/* Records that need the client's own, and the contact that they are about. */
static int
contact_load(struct client *c, const struct record_key *key,
             const uint8_t *value, size_t len)
{
    struct conversation *v = conversation_by_id(c, key->contact);
    if (!v || v->removed || c->letter_len == 0)
        return ERR_MISSING;
    if (key->type == RECORD_MESSAGE)
        return message_load(c, v, key, value, len);
    if (key->type == RECORD_LETTER)
        return outgoing_load_letter(c, v, key, value, len);
    if (key->type == RECORD_KEPT)
        return sealing_load(v, key, value, len);
    return incoming_load_fragment(c, v, key, value, len);
}

int
client_load(struct client *c, const uint8_t *key, size_t key_len,
            const uint8_t *value, size_t value_len)
{
    struct record_key k;
    if (c->started)
        return ERR_ARG;
    int err = record_key_read(&k, key, key_len);
    if (err)
        return err;
    switch (k.type) {
    case RECORD_CLIENT:
        return own_load(c, value, value_len);
    case RECORD_SELF:
    case RECORD_CONTACT:
        return conversation_load(c, k.contact, k.type == RECORD_SELF, value,
                                 value_len);
    case RECORD_DOCUMENT:
        return document_load(c, &k, value, value_len);
    case RECORD_SETTINGS:
        return readers_load_settings(c, value, value_len);
    case RECORD_READER:
        return readers_load(c, &k, value, value_len);
    case RECORD_SEEN:
        return readers_load_seen(c, &k, value, value_len);
    case RECORD_RECEIVED:
        return inbox_load(c, &k, value, value_len);
    case RECORD_SHOWN:
        return inbox_load_shown(c, &k, value, value_len);
    default:
        return contact_load(c, &k, value, value_len);
    }
}

/* Find out where the conversations of an earlier life stand. */
static int
conversations_resume(struct client *c)
{
    int err = 0;
    journal_begin(c->journal);
    incoming_resume(c);
    for (struct conversation *v = c->conversations; v && !err; v = v->next) {
        err = outgoing_loaded(c, v);
        incoming_settle(c, v);
    }
    (void)journal_end(c->journal); /* each message stands for itself */
    return err;
}

/* Take up the consensuses of an earlier life, the older one first: it may be the
 * one in force, and packets are to be drawn from both while others draw from
 * both. */
static int
documents_resume(struct client *c)
{
    const size_t first = c->document[0].epoch > c->document[1].epoch;
    for (size_t i = 0; i < 2; i++) {
        const size_t k = first ^ i;
        int err = 0;
        if (c->document[k].bytes)
            err = client_set_document(c, c->document[k].bytes,
                                      c->document[k].len);
        if (err == ERR_NOMEM)
            return err;
        if (err)
            client_drop(c, err); /* expired, most often */
    }
    documents_free(c);
    return 0;
}

int
client_start(struct client *c)
{
    if (c->started)
        return ERR_ARG;
    if (c->gateways.n == 0) {
        gateways_begin(&c->gateways, c->env, c->config.gateways,
                       c->config.n_gateways);
        (void)client_save(c);
    }
    int err = conversations_resume(c);
    if (err)
        return err;
    err = documents_resume(c);
    if (err)
        return err;
    err = tokens_reserve(c->tokens, (TOKENS_PERIODS + 1) *
                                        (TOKENS_WINDOW + TOKENS_BEHIND) *
                                        c->n_conversations);
    if (err)
        return err;
    places_restore(c);
    c->slot_us = env_now_mono_us(c->env);
    c->started = true;
    return journal_error(c->journal);
}

static void
gateway_failed(struct client *c)
{
    gateways_next(&c->gateways, c->env, client_consensus(c),
                  client_sure_time_s(c));
    (void)client_save(c);
}

void
client_link_up(struct client *c)
{
    const uint64_t now_us = env_now_mono_us(c->env);
    /* what stores said of the time brought no answers: begin anew */
    if (now_us - c->answer_us > CLIENT_STUCK_US)
        c->time = (struct nettime){0};
    c->linked_us = now_us;
    if (memcmp(c->linked_to, client_gateway(c), SPHINX_ID_LEN) != 0)
        giving_begin(&c->giving, false);
    memcpy(c->linked_to, client_gateway(c), SPHINX_ID_LEN);
    c->connected = true;
    c->controlled = c->heard = c->settled = c->broken = false;
    c->time.has_start = false; /* this gateway has its own word */
    window_reset(&c->window);
    shown_link_up(c->shown, now_us);
    c->reserve_us = 0;      /* its way begins at another gateway */
    fetch_reset(&c->fetch); /* another gateway may pack otherwise */
    if (c->current)
        places_start(c);
    network_control(c);
}

/* The answers under way end at the old connection's handles. */
void
client_link_down(struct client *c)
{
    const enum client_leave leave = client_leave(c);
    if (c->connected && leave != CLIENT_MOVED &&
        (c->answer_us <= c->linked_us || leave == CLIENT_BEHIND ||
         leave == CLIENT_WITHHELD || leave == CLIENT_LOSSY))
        gateway_failed(c);
    if (c->connected && leave == CLIENT_LOSSY)
        giving_begin(&c->giving, true);
    if (c->connected && leave == CLIENT_WITHHELD)
        shown_leave(c->shown);
    shown_link_down(c->shown);
    c->connected = c->controlled = false;
    if (c->asked)
        asked_forget(c);
}

static int
client_take_piece(struct client *c, const uint8_t *frame, size_t len)
{
    uint32_t before = c->newest;
    int err = network_take_piece(c, frame, len);
    if (c->newest != before)
        client_tick(c);
    return err;
}

void
client_link_failed(struct client *c)
{
    gateway_failed(c);
}

void
client_frames(struct client *c, uint8_t *frames, size_t n, size_t len)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t *frame = frames + i * len;
        int err = 0;
        if (len < WIRE_PIECE_HEAD_LEN + 1u)
            err = ERR_SHORT;
        else if (frame[0] == WIRE_PIECE)
            err = client_take_piece(c, frame, len);
        else if (frame[0] == WIRE_PACKET) {
            window_take(&c->window, frame + WIRE_DOWN_MARK_AT);
            err = listed_slice(c, frame, len);
            requests_answer(c, frame, len);
        } else
            err = ERR_FORMAT;
        if (err)
            client_drop(c, err);
    }
}

uint32_t
client_ahead(const struct client *c)
{
    return c->window.max;
}

/* Requests may be real ones when enough stores have answered, so that deadlines
 * show no more of this client's clock than of any other's, and name what is
 * here as the newest consensus: one that has begun without this client would
 * make its packets stand out, even while its window lasts. */
static void
client_settle(struct client *c, uint64_t now_us)
{
    int64_t base_us = 0;
    const struct consensus *n = client_consensus(c);
    const uint32_t named = client_named(c);
    if (!n || c->families == 0)
        return;
    if (named > n->epoch && client_next_is_old(c, n, 0))
        c->settled = false;
    else if (!c->settled)
        c->settled = nettime_agreed(&c->time, c->families,
                                    client_own_base_us(c), now_us, &base_us) &&
                     named > 0;
}

static void
client_arm(struct client *c)
{
    uint64_t at_us = c->current ? c->traffic.next_us : UINT64_MAX;
    if (c->switch_s) {
        uint64_t now_s = client_now_us(c) / 1000000;
        uint64_t wait_s = c->switch_s > now_s ? c->switch_s - now_s : 0;
        uint64_t us = env_now_mono_us(c->env) + wait_s * 1000000;
        if (us < at_us)
            at_us = us;
    }
    env_timer(c->env, at_us);
}

/* A tick of the clock: one frame, or none when the slot cannot be used. Then
 * nothing was chosen and nothing is made up for. A control frame that found
 * the way blocked takes the next slot. */
static void
client_use_slot(struct client *c, enum traffic_kind kind)
{
    const bool is_open = window_is_open(&c->window);
    if (kind == TRAFFIC_LOOP && client_is_sending(c))
        giving_tick(&c->giving, env_now_mono_us(c->env));
    if (is_open && c->connected && !c->controlled)
        network_control(c);
    else if (is_open && client_is_sending(c))
        requests_tick(c, kind);
    else
        c->status.skipped++;
}

/* A period has begun, and with it new boxes: the time to forget contacts. */
static void
period_look(struct client *c)
{
    const uint32_t period = client_period(c);
    if (period == c->period)
        return;
    c->period = period;
    conversations_expire(c);
}

void
client_tick(struct client *c)
{
    uint64_t now_us = env_now_mono_us(c->env);
    enum traffic_kind kind;
    client_store_again(c, false);
    network_switch(c);
    if (c->current && traffic_tick(&c->traffic, c->env, now_us, &kind)) {
        client_settle(c, now_us);
        period_look(c);
        conversations_step(c);
        listed_tick(c);
        client_use_slot(c, kind);
        readers_expire(c);
        if (now_us >= c->expire_us) {
            c->expire_us = now_us + EXPIRE_EVERY_US;
            outgoing_expire(c);
            incoming_expire(c);
            if (c->unsaved)
                (void)client_save(c);
        }
        staging_run(c);
        requests_prepare(c);
    }
    client_arm(c);
}

int
client_set_document(struct client *c, const uint8_t *bytes, size_t len)
{
    int err = network_take_document(c, bytes, len);
    if (!err)
        client_tick(c);
    return err;
}

/* ---- messages ---- */

int
client_send(struct client *c, const char *name, enum letter_kind kind,
            const uint8_t *data, size_t len, uint64_t *order)
{
    struct conversation *v = conversation_find(c, name);
    if (!v)
        return ERR_NOT_FOUND;
    if (kind != LETTER_TEXT && kind != LETTER_FILE && kind != LETTER_PING)
        return ERR_ARG;
    if (len > 0 && kind == LETTER_PING)
        return ERR_ARG;
    client_store_again(c, true);
    if (c->letter_len == 0)
        return ERR_AGAIN; /* the first consensus says how long letters are */
    /* with its first letters, in one group: it is kept as a whole or taken back */
    journal_begin(c->journal);
    int err = message_submit(c, v, kind, NULL, data, len, order);
    if (!err) {
        places_took(c, v);
        staging_run(c);
    }
    (void)journal_end(c->journal);
    return err;
}

int
client_open(struct client *c, const char *name)
{
    struct conversation *v = conversation_find(c, name);
    if (!v)
        return ERR_NOT_FOUND;
    places_took(c, v);
    return 0;
}
