/* client/contacts.c - what an application does with contacts: invite, add, withdraw,
 * remove, rename, mute, allow pings, list.
 *
 * No state of its own: each call changes a conversation (conversations.h has its
 * states) and journals that as one group, before it returns.
 * Failure modes: a name that is taken or none, too many contacts, an invitation of
 * another network or that is over, and a journal that is full or fails: then nothing
 * has changed, in memory or on the disk. */
#include <sodium.h>
#include <string.h>

#include "client/conversations.h"
#include "client/inbox.h"
#include "client/incoming.h"
#include "client/messages.h"
#include "client/outgoing.h"
#include "client/places.h"
#include "client/polls.h"
#include "client/disk/records.h"
#include "client/sealing.h"
#include "client/staging.h"
#include "client/state.h"
#include "lib/secret.h"

static void
network_id(const struct client *c, uint8_t id[static INVITE_NETWORK_LEN])
{
    invite_network(id, c->config.network, c->config.authorities,
                   c->config.n_authorities);
}

/* Periods that an invitation's letters can lie in, before it is taken up. */
static uint32_t
invite_hours(const struct client *c)
{
    return c->current ? c->current->params.letter_days * 24u : 24;
}

/* Keep a new contact, or forget it when it cannot be kept. */
static int
contact_save(struct client *c, struct conversation **v)
{
    polls_period(c, *v);
    journal_begin(c->journal);
    int err = journal_finish(c->journal, conversation_save(c, *v));
    if (err)
        conversation_unlink(c, v);
    else
        (*v)->ticket = journal_last(c->journal);
    return err;
}

int
client_invite(struct client *c, const char *name,
              char text[static INVITE_TEXT_LEN])
{
    struct invite invite;
    struct conversation *v;
    uint8_t own_secret[RATCHET_KEY_LEN];
    client_store_again(c, true);
    if (!c->current || !client_time_is_known(c))
        return ERR_AGAIN;
    network_id(c, invite.network);
    invite.expiry_h = (uint32_t)(client_time_s(c) / 3600) + invite_hours(c);
    env_random_crypto(c->env, invite.seed, sizeof invite.seed);
    env_random_crypto(c->env, own_secret, sizeof own_secret);
    crypto_scalarmult_base(invite.key, own_secret);
    int err = conversation_make(c, name, &invite, own_secret, true,
                                client_period(c), &v);
    if (!err)
        err = contact_save(c, &v);
    if (!err) {
        places_took(c, v);
        invite_write(&invite, text);
    }
    sodium_memzero(&invite, sizeof invite);
    sodium_memzero(own_secret, sizeof own_secret);
    return err;
}

int
client_invitation(const struct client *c, const char *name,
                  char text[static INVITE_TEXT_LEN], uint64_t *expires_s)
{
    const struct conversation *v = conversation_find(c, name);
    struct invite invite;
    if (!c->current || !client_time_is_known(c))
        return ERR_AGAIN;
    if (!v)
        return ERR_NOT_FOUND;
    if (!v->inviter || v->confirmed)
        return ERR_USED;
    /* the seed goes with the invitation's last day, and is not in older records */
    *expires_s = (uint64_t)v->session->expiry_h * 3600;
    if (*expires_s <= client_time_s(c))
        return ERR_EXPIRED;
    network_id(c, invite.network);
    invite.expiry_h = v->session->expiry_h;
    memcpy(invite.seed, v->session->seed, sizeof invite.seed);
    memcpy(invite.key, v->session->now.own_key, sizeof invite.key);
    invite_write(&invite, text);
    sodium_memzero(&invite, sizeof invite);
    return 0;
}

/* Does an invitation make a pair that is there already, or was? The mark of
 * the chain that is read tells, which those that are removed have, too. */
static bool
invite_is_known(const struct client *c, const struct invite *invite)
{
    struct chain inviter, invitee;
    uint8_t mark[2][CHAIN_MARK_LEN];
    bool known = false;
    invite_chains(invite, &inviter, &invitee);
    chain_mark(inviter.key, mark[false]);
    chain_mark(invitee.key, mark[true]);
    for (const struct conversation *v = c->conversations; v; v = v->next)
        known |= secret_is_equal(v->mark, mark[v->inviter], CHAIN_MARK_LEN);
    sodium_memzero(&inviter, sizeof inviter);
    sodium_memzero(&invitee, sizeof invitee);
    return known;
}

int
client_add(struct client *c, const char *name, const char *text)
{
    struct invite invite;
    struct conversation *v;
    uint8_t network[INVITE_NETWORK_LEN], own_secret[RATCHET_KEY_LEN];
    uint64_t order;
    client_store_again(c, true);
    if (!c->current)
        return ERR_AGAIN;
    int err = invite_read(&invite, text);
    network_id(c, network);
    if (!err && memcmp(network, invite.network, sizeof network) != 0)
        err = ERR_FOREIGN;
    if (!err && (uint64_t)invite.expiry_h * 3600 < client_time_s(c))
        err = ERR_EXPIRED;
    if (!err && invite.expiry_h / 24 > client_time_s(c) / 86400 + INVITE_DAYS)
        err = ERR_FUTURE; /* its chains begin when its day comes */
    if (!err && invite_is_known(c, &invite))
        err = ERR_USED;
    if (!err) {
        /* the inviter may have written since he made it */
        uint32_t lived_h = invite_hours(c), now_h;
        now_h = (uint32_t)(client_time_s(c) / 3600);
        uint64_t made_h =
            invite.expiry_h > lived_h ? invite.expiry_h - lived_h : 0;
        if (made_h > now_h)
            made_h = now_h;
        env_random_crypto(c->env, own_secret, sizeof own_secret);
        err = conversation_make(
            c, name, &invite, own_secret, false,
            (uint32_t)(made_h * 3600 / c->current->params.period_s), &v);
        sodium_memzero(own_secret, sizeof own_secret);
    }
    sodium_memzero(&invite, sizeof invite);
    if (err)
        return err;
    polls_period(c, v);
    journal_begin(c->journal); /* as a whole, or it is taken back */
    err = message_submit(c, v, LETTER_HELLO, NULL, NULL, 0, &order);
    if (err) {
        conversation_unlink(c, &v);
    } else {
        places_took(c, v);
        staging_run(c);
    }
    const uint64_t ticket = journal_end(c->journal);
    if (!err)
        v->ticket = ticket;
    return err;
}

bool
client_contact(const struct client *c, size_t i, struct client_contact *out)
{
    const struct conversation *v = c->conversations;
    while (v && !v->self && (v->removed || i-- > 0))
        v = v->next;
    if (!v || v->self)
        return false;
    *out = (struct client_contact){.id = v->id,
                                   .confirmed = v->confirmed,
                                   .refused = v->refused,
                                   .invited = v->inviter && !v->confirmed,
                                   .muted = v->muted,
                                   .pings = v->pings,
                                   .shared = v->shared,
                                   .verified = v->session->verified,
                                   .quantum = session_quantum(v->session),
                                   .waiting = v->n_waiting,
                                   .expires_s =
                                       (uint64_t)v->session->expiry_h * 3600};
    memcpy(out->name, v->name, sizeof out->name);
    return true;
}

const char *
client_contact_name(const struct client *c, uint32_t id)
{
    const struct conversation *v = conversation_by_id(c, id);
    return v && !v->removed ? v->name : NULL;
}

uint32_t
client_contact_id(const struct client *c, const char *name)
{
    const struct conversation *v = conversation_find(c, name);
    return v ? v->id : 0;
}

/* ---- changing ---- */

/* Keep v as it has been changed, or make it again what it was before. */
static int
contact_change(struct client *c, struct conversation *v,
               const struct conversation *before)
{
    client_store_again(c, true);
    journal_begin(c->journal);
    int err = journal_finish(c->journal, conversation_save(c, v));
    if (err)
        *v = *before;
    return err;
}

int
client_rename(struct client *c, const char *name, const char *new_name)
{
    struct conversation *v = conversation_find(c, name);
    const struct conversation *other = conversation_find(c, new_name);
    if (!v)
        return ERR_NOT_FOUND;
    if (!conversation_name_is_good(new_name))
        return ERR_ARG;
    if (other)
        return other == v ? 0 : ERR_EXISTS;
    const struct conversation before = *v;
    memset(v->name, 0, sizeof v->name);
    memcpy(v->name, new_name, strlen(new_name));
    return contact_change(c, v, &before);
}

int
client_mute(struct client *c, const char *name, bool muted)
{
    struct conversation *v = conversation_find(c, name);
    if (!v)
        return ERR_NOT_FOUND;
    const struct conversation before = *v;
    v->muted = muted;
    int err = contact_change(c, v, &before);
    c->status.changes += err == 0;
    return err;
}

int
client_pings(struct client *c, const char *name, bool allowed)
{
    struct conversation *v = conversation_find(c, name);
    if (!v)
        return ERR_NOT_FOUND;
    const struct conversation before = *v;
    v->pings = allowed;
    return contact_change(c, v, &before);
}

/* Find a contact who has been heard, so that there is a safety number. */
static int
contact_heard(const struct client *c, const char *name,
              struct conversation **out)
{
    *out = conversation_find(c, name);
    if (!*out)
        return ERR_NOT_FOUND;
    const struct session *s = (*out)->session;
    return s->paired && s->answered ? 0 : ERR_AGAIN;
}

int
client_safety(const struct client *c, const char *name,
              char text[static CLIENT_SAFETY_LEN], bool *verified)
{
    struct conversation *v;
    const int err = contact_heard(c, name, &v);
    if (err)
        return err;
    session_safety(v->session, text);
    *verified = v->session->verified;
    return 0;
}

int
client_verify(struct client *c, const char *name, bool verified)
{
    struct conversation *v;
    int err = contact_heard(c, name, &v);
    if (err)
        return err;
    const struct conversation before = *v;
    const bool was = v->session->verified;
    v->session->verified = verified;
    err = contact_change(c, v, &before);
    if (err)
        v->session->verified = was;
    return err;
}

/* Erase all that there is of v but its own record. */
static int
contact_erase(struct client *c, const struct conversation *v)
{
    int err = messages_erase(c, v);
    if (!err)
        err = outgoing_erase(c, v);
    if (!err)
        err = incoming_erase(c, v);
    if (!err)
        err = sealing_erase(c, v);
    if (!err)
        err = inbox_erase(c, v);
    return err;
}

/* Forget all of that. */
static void
contact_empty(struct client *c, struct conversation *v)
{
    messages_forget(c, v);
    outgoing_free(c, v);
    incoming_free(c, v);
    sealing_empty(v);
    inbox_forget(c, v);
    c->status.changes++;
}

/* Erase all that there is of v, and save that it is removed, in one group. */
static int
contact_remove(struct client *c, struct conversation *v)
{
    client_store_again(c, true);
    journal_begin(c->journal);
    int err = contact_erase(c, v);
    if (!err)
        err = conversation_remove(c, v);
    if (!err) /* so that no life gives orders of what it wrote to another */
        err = client_save(c);
    if (journal_finish(c->journal, err) == 0)
        contact_empty(c, v);
    return err;
}

/* Nobody has been told of v, nor will be: it never was. */
static int
contact_take_back(struct client *c, struct conversation *v)
{
    journal_begin(c->journal);
    int err = contact_erase(c, v);
    if (!err)
        err = record_contact_delete(c->journal, v->id);
    if (journal_finish(c->journal, err))
        return err;
    contact_empty(c, v);
    conversation_unlink(c, &v);
    return 0;
}

void
contacts_take_back(struct client *c)
{
    int err = 0;
    for (struct conversation *v = c->conversations, *next; v && !err;
         v = next) {
        next = v->next;
        if (!v->self && !v->removed &&
            !journal_is_committed(c->journal, v->ticket))
            err = contact_take_back(c, v);
    }
    if (err)
        client_drop(c, err);
}

int
client_remove(struct client *c, const char *name)
{
    struct conversation *v = conversation_find(c, name);
    return v ? contact_remove(c, v) : ERR_NOT_FOUND;
}

int
client_withdraw(struct client *c, const char *name)
{
    struct conversation *v = conversation_find(c, name);
    if (!v)
        return ERR_NOT_FOUND;
    return v->inviter && !v->confirmed ? contact_remove(c, v) : ERR_USED;
}
