/* client/client.c - the client's life: records, link, the one timer.
 *
 * States: loading, started. Apart from that: linked or not, and with a
 * consensus or not (network.c). Packets are sent in client_tick() alone, on
 * ticks of the clock, when it is linked, has sent its control frame and has a
 * valid consensus; other ticks pass unused.
 *
 * Timer: the earlier of the clock's next tick and the switch of consensus. */
#include "client/client.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/conversations.h"
#include "client/incoming.h"
#include "client/network.h"
#include "client/outgoing.h"
#include "client/polls.h"
#include "client/requests.h"
#include "client/state.h"
#include "lib/codec.h"
#include "lib/rng.h"
#include "lib/secret.h"

enum { EXPIRE_EVERY_US = 60000000, RECORD_KEY_LEN = 17 };
enum { PIECE_RELAY_LEN = 128 }; /* of a packed consensus, about */

static void
client_committed(void *ctx)
{
    ((struct client *)ctx)->status.changes++;
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
    c->inbox_end = &c->inbox;
    c->next_id = 1;
    c->next_received = 1;
    int err = sphinx_worker_new(&c->worker);
    if (!err)
        err = journal_new(&c->journal, c->env);
    if (err)
        client_free(&c);
    else
        journal_on_commit(c->journal, client_committed, c);
    *out = c;
    return err;
}

static void
conversations_free(struct client *c)
{
    while (c->conversations) {
        struct conversation *v = c->conversations;
        c->conversations = v->next;
        outgoing_free(v);
        incoming_free(v);
        conversation_free(&v);
    }
}

void
client_free(struct client **cp)
{
    struct client *c = *cp;
    *cp = NULL;
    if (!c)
        return;
    while (c->inbox) {
        struct received *r = c->inbox;
        c->inbox = r->next;
        sodium_memzero(r->data, r->len);
        free(r);
    }
    conversations_free(c);
    journal_free(&c->journal);
    sphinx_worker_free(&c->worker);
    fetch_reset(&c->fetch);
    free(c->document);
    for (size_t i = 0; i < VIEWS; i++)
        consensus_free(&c->view[i]);
    free(c->asked);
    free(c->frame);
    secret_free((void **)&c);
}

int
client_load(struct client *c, const uint8_t *key, size_t key_len,
            const uint8_t *value, size_t value_len)
{
    if (c->started)
        return ERR_ARG;
    if (key_len != RECORD_KEY_LEN)
        return ERR_FORMAT;
    uint32_t id = codec_get32(key + 1), b = codec_get32(key + 13);
    uint64_t a = codec_get64(key + 5);
    if (key[0] == RECORD_CONTACT)
        return conversation_load(c, id, value, value_len);
    if (key[0] == RECORD_RECEIVED)
        return incoming_load_received(c, a, value, value_len);
    if (key[0] == RECORD_CLIENT) {
        if (value_len != CLIENT_RECORD_LEN)
            return ERR_FORMAT;
        memcpy(c->gateway, value, SPHINX_ID_LEN);
        c->letter_len = codec_get32(value + SPHINX_ID_LEN);
        return c->letter_len <= LETTER_LEN_MAX ? 0 : ERR_FORMAT;
    }
    if (key[0] == RECORD_DOCUMENT) {
        c->document = malloc(value_len + 1);
        if (!c->document)
            return ERR_NOMEM;
        memcpy(c->document, value, value_len);
        c->document_len = value_len;
        return 0;
    }
    struct conversation *v = conversation_by_id(c, id);
    if (!v)
        return ERR_FORMAT;
    if (key[0] == RECORD_MESSAGE)
        return outgoing_load_message(c, v, a, value, value_len);
    if (key[0] == RECORD_LETTER)
        return outgoing_load_letter(c, v, (struct letter_place){(uint32_t)a, b},
                                    value, value_len);
    if (key[0] == RECORD_FRAGMENT && c->letter_len > 0)
        return incoming_load_fragment(c, v, key + 5, b, value, value_len);
    return ERR_VERSION;
}

int
client_start(struct client *c)
{
    if (sodium_is_zero(c->gateway, sizeof c->gateway))
        client_gateway_change(c);
    journal_begin(c->journal);
    for (struct conversation *v = c->conversations; v; v = v->next)
        outgoing_loaded(c, v);
    (void)journal_end(c->journal);
    c->started = true;
    if (c->document) {
        int err = client_set_document(c, c->document, c->document_len);
        if (err)
            client_drop(c, err); /* expired, most often */
        free(c->document);
        c->document = NULL;
    }
    return journal_error(c->journal);
}

const uint8_t *
client_gateway(const struct client *c)
{
    return c->gateway;
}

/* Any other one: of the network file before there is a consensus, of the
 * consensus afterwards. */
void
client_gateway_change(struct client *c)
{
    const uint8_t *next;
    size_t n;
    const uint16_t *relay = NULL;
    if (c->current)
        relay = consensus_layer(c->current, 0, &n);
    else
        n = c->config.n_gateways;
    for (unsigned tries = 0; n > 0 && tries < 16; tries++) {
        uint64_t i = rng_below(c->env, n);
        next = relay ? c->current->relays[relay[i]].identity
                     : c->config.gateways[i];
        if (memcmp(next, c->gateway, SPHINX_ID_LEN) != 0) {
            memcpy(c->gateway, next, SPHINX_ID_LEN);
            break;
        }
    }
    client_save(c);
}

const struct consensus *
client_consensus(const struct client *c)
{
    return c->newest ? c->view[c->newest % VIEWS] : NULL;
}

bool
client_is_stuck(const struct client *c)
{
    uint64_t since_us =
        c->answer_us > c->linked_us ? c->answer_us : c->linked_us;
    /* before its first consensus nothing is asked, and linked_us counts */
    return c->connected && env_now_mono_us(c->env) - since_us > CLIENT_STUCK_US;
}

bool
client_is_behind(const struct client *c)
{
    if (!c->connected || !c->current)
        return false;
    const struct params *p = &c->current->params;
    /* the pieces of the document that is here, four times over */
    const uint64_t document_us =
        4 * p->piece_interval_us *
        (c->current->n_relays * PIECE_RELAY_LEN / p->geometry.packet_len + 1);
    const uint64_t patience_us =
        (uint64_t)p->epoch_len_s * 1000 * WITNESS_PATIENCE_PERMILLE +
        document_us;
    const uint64_t now_us = env_now_mono_us(c->env);
    return now_us - c->linked_us > patience_us &&
           witness_is_behind(&c->witness, c->newest, patience_us, now_us);
}

void
client_link_up(struct client *c)
{
    c->linked_us = env_now_mono_us(c->env);
    c->connected = true;
    c->controlled = false;
    fetch_reset(&c->fetch); /* another gateway may pack otherwise */
    if (c->current)
        polls_start(c);
    network_control(c);
}

/* The answers under way end at the old connection's handles. */
void
client_link_down(struct client *c)
{
    c->connected = c->controlled = false;
    if (c->asked)
        requests_forget(c);
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
client_frames(struct client *c, uint8_t *frames, size_t n, size_t len)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t *frame = frames + i * len;
        int err = 0;
        if (len < WIRE_PIECE_HEAD_LEN + 1u)
            err = ERR_SHORT;
        else if (frame[0] == WIRE_PIECE)
            err = client_take_piece(c, frame, len);
        else if (frame[0] == WIRE_PACKET)
            requests_answer(c, frame, len);
        else
            err = ERR_FORMAT;
        if (err)
            client_drop(c, err);
    }
}

static bool
client_is_sending(const struct client *c)
{
    return c->connected && c->controlled && c->current &&
           !consensus_is_expired(c->current, client_time_s(c));
}

static void
client_arm(struct client *c)
{
    uint64_t at_us = c->current ? c->traffic.next_us : UINT64_MAX;
    if (c->switch_s) {
        uint64_t now_s = client_time_s(c);
        uint64_t wait_s = c->switch_s > now_s ? c->switch_s - now_s : 0;
        uint64_t us = env_now_mono_us(c->env) + wait_s * 1000000;
        if (us < at_us)
            at_us = us;
    }
    env_timer(c->env, at_us);
}

void
client_tick(struct client *c)
{
    uint64_t now_us = env_now_mono_us(c->env);
    enum traffic_kind kind;
    network_switch(c);
    if (c->current && traffic_tick(&c->traffic, c->env, now_us, &kind)) {
        if (client_is_sending(c))
            requests_tick(c, kind);
        else
            c->status.skipped++;
        if (now_us >= c->expire_us) {
            c->expire_us = now_us + EXPIRE_EVERY_US;
            outgoing_expire(c);
        }
        outgoing_stage(c);
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

const char *
client_state_name(enum client_state s)
{
    static const char *const name[] = {"?", "queued", "sent", "delivered",
                                       "expired"};
    return name[s >= CLIENT_QUEUED && s <= CLIENT_EXPIRED ? s : 0];
}

int
client_send(struct client *c, const char *name, enum letter_kind kind,
            const uint8_t *data, size_t len, uint64_t *order)
{
    struct conversation *v = conversation_find(c, name);
    if (!v)
        return ERR_NOT_FOUND;
    if (kind != LETTER_TEXT && kind != LETTER_FILE && kind != LETTER_PING)
        return ERR_ARG;
    if (c->letter_len == 0)
        return ERR_AGAIN; /* the first consensus says how long letters are */
    int err = outgoing_submit(c, v, kind, NULL, data, len, order);
    if (!err)
        outgoing_stage(c);
    return err;
}

int
client_message(const struct client *c, const char *name, uint64_t order,
               struct client_message *out)
{
    const struct conversation *v = conversation_find(c, name);
    const struct message *m = v ? v->messages : NULL;
    const struct message *newest = NULL;
    for (; m && m->order != order; m = m->next)
        if (m->kind == LETTER_TEXT || m->kind == LETTER_FILE)
            newest = m;
    if (!m && order == 0)
        m = newest;
    if (!m)
        return ERR_NOT_FOUND;
    *out = (struct client_message){
        .state = (enum client_state)m->state,
        .durable = journal_is_committed(c->journal, m->ticket),
        .kind = (enum letter_kind)m->kind,
        .order = m->order,
        .created_s = m->created_s,
        .letters = m->count,
        .kept = m->kept + m->acked,
        .acked = m->acked,
        .rtt_us = m->rtt_us};
    return 0;
}

void
client_status(const struct client *c, struct client_status *out)
{
    *out = c->status;
    out->connected = c->connected;
    out->started = client_is_sending(c);
    out->storage_err = journal_error(c->journal);
    out->answer_age_us =
        c->answer_us ? env_now_mono_us(c->env) - c->answer_us : UINT64_MAX;
    out->inbox = c->n_inbox;
    if (c->current) {
        out->epoch = c->current->epoch;
        out->valid_after_s = c->current->valid_after_s;
    }
}
