/* client/status.c - what a client says of itself, its link and its messages.
 *
 * No state of its own: each answer is reckoned from the client's, at the time of the
 * call. What is said of waiting (client_waits()) is the first reason in the order in
 * which they keep a client from sending: the disk, the link, the consensus, the
 * gateway. How long a message takes is an estimate from the profile's rate and what
 * goes before it. */
#include "client/status.h"

#include <string.h>

#include "client/conversations.h"
#include "client/listed.h"
#include "client/messages.h"
#include "client/network.h"
#include "client/readers.h"

enum { PIECE_RELAY_LEN = 128 }; /* of a packed consensus, about */
enum { WITNESS_EPOCHS = 2 };    /* a word is forgotten after */

/* ---- the link ---- */

const uint8_t *
client_gateway(const struct client *c)
{
    return gateways_current(&c->gateways);
}

const struct consensus *
client_consensus(const struct client *c)
{
    return c->newest ? c->view[c->newest % VIEWS] : NULL;
}

static bool
client_is_stuck(const struct client *c)
{
    uint64_t since_us =
        c->answer_us > c->linked_us ? c->answer_us : c->linked_us;
    /* before its first consensus nothing is asked, and linked_us counts */
    return c->connected && env_now_mono_us(c->env) - since_us > CLIENT_STUCK_US;
}

uint32_t
client_named(const struct client *c)
{
    const struct consensus *n = client_consensus(c);
    return n ? witness_epoch(&c->witness, c->families,
                             WITNESS_EPOCHS * (uint64_t)n->params.epoch_len_s *
                                 1000000,
                             env_now_mono_us(c->env))
             : 0;
}

bool
client_next_is_old(const struct client *c, const struct consensus *n,
                   uint64_t over_s)
{
    return client_now_us(c) >
           (n->valid_after_s + n->params.epoch_len_s + over_s) * 1000000;
}

static bool
client_is_behind(const struct client *c)
{
    const struct consensus *n = client_consensus(c);
    if (!c->connected || !c->current || !n)
        return false;
    const struct params *p = &n->params;
    const uint64_t now_us = env_now_mono_us(c->env);
    /* the pieces of the document that is here, four times over */
    const uint64_t document_us =
        4 * p->piece_interval_us *
        (n->n_relays * PIECE_RELAY_LEN / p->geometry.packet_len + 1);
    /* everybody has the next one by the end of its window */
    return client_named(c) > n->epoch && now_us - c->linked_us > document_us &&
           client_next_is_old(c, n, p->switch_window_s);
}

enum client_leave
client_leave(const struct client *c)
{
    if (!c->connected)
        return CLIENT_STAY;
    if (memcmp(c->linked_to, client_gateway(c), SPHINX_ID_LEN) != 0)
        return CLIENT_MOVED;
    return c->broken                    ? CLIENT_BROKEN
           : client_is_behind(c)        ? CLIENT_BEHIND
           : giving_is_poor(&c->giving) ? CLIENT_LOSSY
           : client_is_stuck(c)         ? CLIENT_STUCK
           : shown_is_withheld(c->shown, env_now_mono_us(c->env))
               ? CLIENT_WITHHELD
               : CLIENT_STAY;
}

enum client_wait
client_waits(const struct client *c)
{
    return !c->connected                                ? CLIENT_NO_LINK
           : !client_consensus(c)                       ? CLIENT_NO_CONSENSUS
           : network_is_expired(c)                      ? CLIENT_OLD_CONSENSUS
           : client_is_behind(c)                        ? CLIENT_IS_BEHIND
           : !c->current || !c->controlled || !c->heard ? CLIENT_OPENING
           : c->broken                                  ? CLIENT_NO_WAY
                                                        : CLIENT_SENDS;
}

const char *
client_wait_name(enum client_wait w)
{
    static const char *const name[] = {
        [CLIENT_SENDS] = "nothing",
        [CLIENT_NO_LINK] = "a link to a gateway",
        [CLIENT_NO_CONSENSUS] = "the first consensus",
        [CLIENT_OLD_CONSENSUS] = "a consensus that is valid",
        [CLIENT_IS_BEHIND] =
            "the newest consensus, which the gateway has not shown",
        [CLIENT_OPENING] = "the gateway's first frames",
        [CLIENT_NO_WAY] = "another gateway: none of its ways can be used"};
    return name[w];
}

/* ---- messages ---- */

const char *
client_state_name(enum client_state s)
{
    static const char *const name[] = {"?", "queued", "sent", "delivered",
                                       "expired"};
    return name[s >= CLIENT_QUEUED && s <= CLIENT_EXPIRED ? s : 0];
}

/* Letters that no store keeps yet. */
static uint64_t
message_left(const struct message *m)
{
    return message_is_over(m) ? 0 : m->count - m->kept - m->acked;
}

static uint64_t
letters_left(const struct conversation *v)
{
    uint64_t n = 0;
    for (const struct message *m = v->messages; m; m = m->next)
        n += message_left(m);
    return n;
}

/* What waits: letters, and of how many contacts. */
struct waiting_letters {
    uint64_t letters, contacts;
};

static struct waiting_letters
waiting_count(const struct client *c)
{
    struct waiting_letters w = {0};
    for (const struct conversation *v = c->conversations; v; v = v->next) {
        const uint64_t left = letters_left(v);
        w.letters += left;
        w.contacts += left > 0;
    }
    return w;
}

/* How long it takes until n letters of one contact have left, beside what waits:
 * contacts take turns, and two ticks of three bring a letter on, the others tell and
 * repeat. The look of its reader comes on top. */
static uint64_t
letters_take_s(const struct client *c, uint64_t n, struct waiting_letters w)
{
    enum { LOOK_S = 5, TICKS = 3, LETTERS = 2 };
    if (!c->current)
        return 0;
    const uint64_t mhz = c->current->params.profiles[c->profile].send_mhz;
    const uint64_t fair = n * (w.contacts > 0 ? w.contacts : 1);
    const uint64_t all = fair < w.letters ? fair : w.letters;
    return mhz ? LOOK_S + all * TICKS * 1000 / (LETTERS * mhz) : 0;
}

/* What is told of m of v; left: letters of v up to the end of m. */
static struct client_message
message_tell(const struct client *c, const struct message *m, uint64_t left,
             struct waiting_letters w)
{
    return (struct client_message){
        .state = (enum client_state)m->state,
        .durable = journal_is_committed(c->journal, m->ticket),
        .kind = (enum letter_kind)m->kind,
        .order = m->order,
        .created_s = m->created_s,
        .letters = m->count,
        .kept = m->kept + m->acked,
        .acked = m->acked,
        .len = m->len,
        .rtt_us = m->rtt_us,
        .estimate_s = message_is_over(m) ? 0 : letters_take_s(c, left, w)};
}

int
client_message(const struct client *c, const char *name, uint64_t order,
               struct client_message *out)
{
    const struct conversation *v = conversation_find(c, name);
    const struct message *found = NULL;
    uint64_t left = 0, found_left = 0;
    for (const struct message *m = v ? v->messages : NULL; m; m = m->next) {
        left += message_left(m);
        if (order > 0 ? m->order == order : letter_is_content(m->kind)) {
            found = m;
            found_left = left;
        }
    }
    if (!found)
        return ERR_NOT_FOUND;
    *out = message_tell(c, found, found_left, waiting_count(c));
    return 0;
}

void
client_outbox(const struct client *c, client_outbox_fn fn, void *ctx)
{
    const struct waiting_letters w = waiting_count(c);
    for (const struct conversation *v = c->conversations; v; v = v->next) {
        uint64_t left = 0;
        for (const struct message *m = v->messages; m; m = m->next) {
            left += message_left(m);
            if (message_is_over(m) || !letter_is_content(m->kind))
                continue;
            const struct client_message told = message_tell(c, m, left, w);
            fn(ctx, v->id, v->name, &told);
        }
    }
}

int
client_estimate(const struct client *c, const char *name, uint64_t len,
                uint64_t *letters, uint64_t *estimate_s)
{
    const struct conversation *v = conversation_find(c, name);
    struct waiting_letters w = waiting_count(c);
    *letters = *estimate_s = 0;
    if (!v)
        return ERR_NOT_FOUND;
    if (c->letter_len == 0 || !c->current)
        return ERR_AGAIN;
    const uint64_t left = letters_left(v);
    *letters = letter_count(len, c->letter_len);
    w.letters += *letters;
    w.contacts += left == 0;
    *estimate_s = letters_take_s(c, left + *letters, w);
    return 0;
}

void
client_on_kept(struct client *c, void (*fn)(void *ctx), void *ctx)
{
    c->kept_fn = fn;
    c->kept_ctx = ctx;
}

/* ---- status ---- */

/* How far the own clock is ahead of the network's time, as far as that is known. */
static int64_t
clock_off_us(const struct client *c)
{
    const int64_t own_us = client_own_base_us(c);
    return own_us - nettime_base_us(&c->time, c->families, own_us,
                                    env_now_mono_us(c->env));
}

/* What the profile costs: its packets, each way, whatever is said (I2). */
static void
volume_of(const struct client *c, struct client_status *out)
{
    enum { DAY_S = 86400 };
    const struct params *params = &c->current->params;
    const struct profile *p = &params->profiles[c->profile];
    if (p->down_interval_us == 0)
        return;
    const uint64_t up_mhz = (uint64_t)p->send_mhz + p->poll_mhz + p->loop_mhz;
    const uint64_t len = params->geometry.packet_len;
    out->up_bytes_day = up_mhz * len * DAY_S / 1000;
    out->down_bytes_day = 1000000ULL * DAY_S / p->down_interval_us * len;
}

void
client_status(const struct client *c, struct client_status *out)
{
    *out = c->status;
    out->connected = c->connected;
    out->waits = client_waits(c);
    out->started = out->waits == CLIENT_SENDS;
    out->clock_off_us = clock_off_us(c);
    out->storage_err = journal_error(c->journal);
    out->answer_age_us =
        c->answer_us ? env_now_mono_us(c->env) - c->answer_us : UINT64_MAX;
    out->inbox = readers_waiting(c, 0);
    out->kept = c->n_shown;
    out->keep_days = c->keep_days;
    out->reading = c->inbox_read != NULL;
    listed_count(c, &out->lists);
    if (c->current) {
        out->epoch = c->current->epoch;
        out->valid_after_s = c->current->valid_after_s;
        volume_of(c, out);
    }
}
