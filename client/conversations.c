/* client/conversations.c - the list of contacts: finding, making, keeping.
 *
 * conversations.h has the states. A conversation is linked once and has a chain of
 * box keys for each direction; its record is the one thing of it here that is on the
 * disk. The only timer is the change of periods, at which those that were removed
 * long ago are forgotten (conversations_expire()).
 * Failure modes: no memory, or no place in the table; then the list is as it was. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/conversations.h"
#include "client/letters/invite.h"
#include "client/disk/records.h"
#include "client/sealing.h"
#include "client/state.h"
#include "lib/secret.h"

enum { CONVERSATIONS_MAX = 2 * CLIENT_CONTACTS_MAX, DAY_S = 86400 };

struct conversation *
conversation_find(const struct client *c, const char *name)
{
    for (struct conversation *v = c->conversations; v; v = v->next)
        if (!v->removed && !v->self && strcmp(v->name, name) == 0)
            return v;
    return NULL;
}

struct conversation *
conversation_by_id(const struct client *c, uint32_t id)
{
    for (struct conversation *v = c->conversations; v; v = v->next)
        if (v->id == id)
            return v;
    return NULL;
}

/* Where sending stands is the first message, and the first file, with letters still
 * to be made. */
int
conversation_save(struct client *c, const struct conversation *v)
{
    const struct message *current[2] = {NULL, NULL};
    for (const struct message *m = v->messages; m; m = m->next) {
        const bool file = m->kind == LETTER_FILE;
        if (!current[file] && m->next_index < m->count)
            current[file] = m;
    }
    return record_contact_save(c->journal, v, current);
}

static struct conversation *
conversation_new(void)
{
    struct conversation *v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    v->secrets = secret_new(sizeof *v->secrets);
    v->messages_end = &v->messages;
    v->next_sequence = v->sure_sequence = 1;
    if (!v->secrets || acks_new(&v->acks)) {
        conversation_free(&v);
        return NULL;
    }
    v->chains = v->secrets->chains;
    v->session = &v->secrets->session;
    return v;
}

void
conversation_free(struct conversation **vp)
{
    struct conversation *v = *vp;
    *vp = NULL;
    if (!v)
        return;
    acks_free(&v->acks);
    secret_free((void **)&v->secrets);
    sealing_empty(v);
    sodium_memzero(v, sizeof *v);
    free(v);
}

void
conversation_unlink(struct client *c, struct conversation **vp)
{
    struct conversation **at = &c->conversations;
    while (*at != *vp)
        at = &(*at)->next;
    *at = (*vp)->next;
    fronts_remove(c->fronts, (*vp)->id);
    if (!(*vp)->self) {
        c->n_conversations--;
        c->status.contacts -= !(*vp)->removed;
        tokens_remove(c->tokens, (*vp)->id);
    }
    conversation_free(vp);
}

int
conversation_remove(struct client *c, struct conversation *v)
{
    const struct conversation before = *v;
    sodium_memzero(v->name, sizeof v->name);
    v->removed = true;
    v->removed_s = client_time_is_known(c) ? client_time_s(c) : 0;
    v->muted = false;
    v->checks = 0;
    if (!v->incoming) /* no message of several letters is coming */
        v->letter_us = 0;
    struct session session = sealing_copy(v);
    sodium_memzero(v->session->now.out, sizeof v->session->now.out);
    int err = conversation_save(c, v);
    if (err) {
        *v = before;
        sealing_back(v, &session);
        return err;
    }
    sodium_memzero(&session, sizeof session);
    sodium_memzero(v->chains[CHAIN_OUT].key, LETTER_CHAIN_LEN);
    acks_clear(v->acks);
    c->status.contacts--;
    return 0;
}

/* ---- keys ---- */

/* The first day whose key may be needed where this period is the last that has surely
 * begun: letters are read for letter_days, and of two periods more. */
static uint32_t
day_first(const struct client *c, uint32_t period)
{
    const struct params *p = &c->current->params;
    const uint64_t life_s = (uint64_t)p->letter_days * DAY_S;
    const uint64_t kept = (life_s + p->period_s - 1) / p->period_s + 2;
    return chain_day(period > kept ? period - (uint32_t)kept : 0, p->period_s);
}

static void
chains_step(const struct client *c, struct conversation *v, uint32_t period)
{
    const uint32_t day = day_first(c, period);
    chain_step(&v->chains[CHAIN_IN], day);
    if (v->removed) /* it has no key, and no letter is put */
        v->chains[CHAIN_OUT].day = v->chains[CHAIN_IN].day;
    else
        chain_step(&v->chains[CHAIN_OUT], day);
}

void
conversation_box(const struct client *c, const struct conversation *v,
                 enum chain_way way, struct letter_place at,
                 uint8_t box[static LETTER_BOX_LEN])
{
    uint8_t key[LETTER_CHAIN_LEN];
    sealing_key(c, v, way, at.period, key);
    letter_box(key, at, box);
    sodium_memzero(key, sizeof key);
}

void
conversation_box_seed(const struct client *c, const struct conversation *v,
                      enum chain_way way, struct letter_place at,
                      uint8_t seed[static LETTER_BOX_LEN])
{
    uint8_t key[LETTER_CHAIN_LEN];
    sealing_key(c, v, way, at.period, key);
    letter_box_seed(key, at, seed);
    sodium_memzero(key, sizeof key);
}

/* Step v's chains to where they may be in a period that has surely begun, and keep
 * that. */
static int
chains_forget(struct client *c, struct conversation *v, uint32_t period)
{
    struct chain before[CHAIN_WAYS] = {v->chains[CHAIN_OUT],
                                       v->chains[CHAIN_IN]};
    struct session session = sealing_copy(v);
    chains_step(c, v, period);
    journal_begin(c->journal);
    int err = sealing_forget(c, v, v->chains[CHAIN_IN].day);
    if (!err)
        err = conversation_save(c, v);
    err = journal_finish(c->journal, err);
    if (err) {
        memcpy(v->chains, before, sizeof before);
        sealing_back(v, &session);
    } else {
        sealing_forgotten(v, v->chains[CHAIN_IN].day);
    }
    sodium_memzero(&session, sizeof session);
    sodium_memzero(before, sizeof before);
    return err;
}

void
conversations_step(struct client *c)
{
    if (!c->settled) /* one clock alone, which may be days ahead, wipes nothing */
        return;
    const uint32_t period =
        (uint32_t)(client_sure_time_s(c) / c->current->params.period_s);
    const uint32_t day = day_first(c, period);
    if (c->stepped_day >= day)
        return;
    for (struct conversation *v = c->conversations; v; v = v->next)
        if (v->chains[CHAIN_IN].day < day) {
            const int err = chains_forget(c, v, period);
            if (err)
                client_drop(c, err);
            return;
        }
    c->stepped_day = day;
}

/* ---- removal ---- */

/* Has v been removed for so long that no invitation and no letter of before is
 * left? It goes with the period in which that is so. */
static bool
removal_is_over(const struct client *c, const struct conversation *v)
{
    const struct params *p = &c->current->params;
    const uint64_t life_s = (uint64_t)p->letter_days * DAY_S;
    return v->removed_s > 0 && client_sure_time_s(c) / p->period_s >
                                   (v->removed_s + life_s) / p->period_s;
}

/* Forget v, on disk first, but not that its id was used. */
static int
conversation_forget(struct client *c, struct conversation *v)
{
    journal_begin(c->journal);
    int err = record_contact_delete(c->journal, v->id);
    if (!err)
        err = client_save(c);
    if (journal_finish(c->journal, err) == 0)
        conversation_unlink(c, &v);
    return err;
}

/* Date a removal of a time that nobody knew: it was now. */
static int
removal_date(struct client *c, struct conversation *v)
{
    v->removed_s = client_time_s(c);
    journal_begin(c->journal);
    int err = journal_finish(c->journal, conversation_save(c, v));
    if (err)
        v->removed_s = 0;
    return err;
}

void
conversations_expire(struct client *c)
{
    int err = 0;
    if (!c->current)
        return;
    for (struct conversation *v = c->conversations, *next; v && !err;
         v = next) {
        next = v->next;
        if (!v->removed)
            continue;
        if (v->removed_s == 0 && client_time_is_known(c))
            err = removal_date(c, v);
        else if (removal_is_over(c, v))
            err = conversation_forget(c, v);
    }
    if (err) /* the rest next time */
        client_drop(c, err);
}

/* Put v into the list, selves behind people. Returns 0 or ERR_NOMEM; then it is
 * in none. */
static int
conversation_link(struct client *c, struct conversation *v)
{
    struct conversation **at = &c->conversations;
    const uint64_t now_us = env_now_mono_us(c->env);
    int err = v->self ? fronts_add_self(c->fronts, c->env, now_us,
                                        v->id - SELF_FIRST, v->id)
                      : fronts_add(c->fronts, c->env, now_us, v->id);
    if (err)
        return err;
    v->session->mlkem = c->config.mlkem;
    if (!v->self) {
        c->n_conversations++;
        c->status.contacts += !v->removed;
        if (v->id >= c->next_id)
            c->next_id = v->id + 1;
    }
    while (*at && (v->self || !(*at)->self))
        at = &(*at)->next;
    v->next = *at;
    *at = v;
    return 0;
}

/* May a self-conversation, or a contact, have this id? */
static bool
id_is_good(uint32_t id, bool self)
{
    return self ? id >= SELF_FIRST && id < SELF_FIRST + FRONTS_MAX
                : id != FRONTS_NOBODY && id < SELF_FIRST;
}

int
conversation_load(struct client *c, uint32_t id, bool self,
                  const uint8_t *value, size_t len)
{
    if (conversation_by_id(c, id))
        return ERR_DUPLICATE;
    if (!id_is_good(id, self))
        return ERR_RANGE;
    struct conversation *v = conversation_new();
    if (!v)
        return ERR_NOMEM;
    v->id = id;
    v->self = self;
    int err = record_contact_read(v, value, len);
    if (!err)
        err = conversation_link(c, v);
    if (err)
        conversation_free(&v);
    return err;
}

bool
conversation_name_is_good(const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < len; i++)
        if ((uint8_t)name[i] <= ' ' || name[i] == 0x7f)
            return false;
    return len > 0 && len < CLIENT_NAME_MAX;
}

int
conversation_make(struct client *c, const char *name,
                  const struct invite *invite,
                  const uint8_t own_secret[static RATCHET_KEY_LEN],
                  bool inviter, uint32_t born, struct conversation **out)
{
    uint8_t fresh[MLKEM_SEED_LEN];
    int err = 0;
    if (!conversation_name_is_good(name))
        return ERR_ARG;
    if (conversation_find(c, name))
        return ERR_EXISTS;
    if (c->status.contacts >= CLIENT_CONTACTS_MAX ||
        c->n_conversations >= CONVERSATIONS_MAX || c->next_id >= SELF_FIRST)
        return ERR_FULL;
    struct conversation *v = conversation_new();
    if (!v)
        return ERR_NOMEM;
    memcpy(v->name, name, strlen(name));
    v->id = c->next_id;
    v->inviter = inviter;
    v->born = born;
    v->next_order = 1;
    invite_chains(invite, &v->chains[inviter ? CHAIN_OUT : CHAIN_IN],
                  &v->chains[inviter ? CHAIN_IN : CHAIN_OUT]);
    chain_mark(v->chains[CHAIN_IN].key, v->mark);
    chains_step(c, v, born);
    env_random_crypto(c->env, fresh, sizeof fresh);
    if (inviter)
        session_invite(v->session, invite->seed, invite->expiry_h, own_secret);
    else
        err = session_accept(v->session, invite->seed, invite->key, own_secret,
                             fresh);
    sodium_memzero(fresh, sizeof fresh);
    if (!err)
        err = conversation_link(c, v);
    if (err)
        conversation_free(&v);
    *out = v;
    return err;
}

int
conversation_self_make(struct client *c, unsigned front, uint32_t born,
                       struct conversation **out)
{
    struct conversation *v = conversation_new();
    *out = NULL;
    if (!v)
        return ERR_NOMEM;
    v->id = SELF_FIRST + front;
    v->self = v->confirmed = true; /* no invitation can be used twice */
    v->born = born;
    v->next_order = 1;
    env_random_crypto(c->env, v->chains[CHAIN_OUT].key, LETTER_CHAIN_LEN);
    v->chains[CHAIN_OUT].day = day_first(c, born);
    v->chains[CHAIN_IN] = v->chains[CHAIN_OUT];
    chain_mark(v->chains[CHAIN_IN].key, v->mark);
    int err = conversation_link(c, v);
    if (err)
        conversation_free(&v);
    *out = v;
    return err;
}
