/* client/conversations.c - the list of contacts: finding, making, keeping.
 * See conversations.h. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/conversations.h"
#include "client/invite.h"
#include "client/records.h"
#include "client/state.h"
#include "lib/secret.h"

struct conversation *
conversation_find(const struct client *c, const char *name)
{
    for (struct conversation *v = c->conversations; v; v = v->next)
        if (strcmp(v->name, name) == 0)
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

void
conversation_touch(struct client *c, struct conversation *v)
{
    v->active = ++c->recency;
}

/* Where sending stands: the first message with letters still to be made. */
static const struct message *
message_current(const struct conversation *v)
{
    const struct message *m = v->messages;
    while (m && m->next_index == m->count)
        m = m->next;
    return m;
}

int
conversation_save(struct client *c, const struct conversation *v)
{
    return record_contact_save(c->journal, v, message_current(v));
}

static struct conversation *
conversation_new(void)
{
    struct conversation *v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    v->chains = secret_new((size_t)2 * LETTER_CHAIN_LEN);
    v->messages_end = &v->messages;
    v->next_sequence = 1;
    if (!v->chains) {
        free(v);
        return NULL;
    }
    return v;
}

void
conversation_free(struct conversation **vp)
{
    struct conversation *v = *vp;
    *vp = NULL;
    if (!v)
        return;
    secret_free((void **)&v->chains);
    sodium_memzero(v, sizeof *v);
    free(v);
}

void
conversation_remove(struct client *c, struct conversation **vp)
{
    struct conversation **at = &c->conversations;
    while (*at != *vp)
        at = &(*at)->next;
    *at = (*vp)->next;
    c->status.contacts--;
    conversation_free(vp);
}

static void
conversation_link(struct client *c, struct conversation *v)
{
    struct conversation **at = &c->conversations;
    while (*at)
        at = &(*at)->next;
    *at = v;
    c->status.contacts++;
    if (v->id >= c->next_id)
        c->next_id = v->id + 1;
    if (v->active > c->recency)
        c->recency = v->active;
}

int
conversation_load(struct client *c, uint32_t id, const uint8_t *value,
                  size_t len)
{
    if (conversation_by_id(c, id))
        return ERR_DUPLICATE;
    struct conversation *v = conversation_new();
    if (!v)
        return ERR_NOMEM;
    v->id = id;
    int err = record_contact_read(v, value, len);
    if (err)
        conversation_free(&v);
    else
        conversation_link(c, v);
    return err;
}

/* 1..32 printable octets, no blanks; UTF-8 passes. */
static bool
name_is_good(const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < len; i++)
        if ((uint8_t)name[i] <= ' ' || name[i] == 0x7f)
            return false;
    return len > 0 && len < CLIENT_NAME_MAX;
}

int
conversation_make(struct client *c, const char *name, const uint8_t *seed,
                  bool inviter, uint32_t born, struct conversation **out)
{
    if (!name_is_good(name))
        return ERR_ARG;
    if (conversation_find(c, name))
        return ERR_EXISTS;
    if (c->status.contacts >= CLIENT_CONTACTS_MAX)
        return ERR_FULL;
    struct conversation *v = conversation_new();
    if (!v)
        return ERR_NOMEM;
    memcpy(v->name, name, strlen(name));
    v->id = c->next_id;
    v->inviter = inviter;
    v->born = born;
    v->next_order = 1;
    if (inviter)
        invite_chains(seed, v->chains, v->chains + LETTER_CHAIN_LEN);
    else
        invite_chains(seed, v->chains + LETTER_CHAIN_LEN, v->chains);
    conversation_link(c, v);
    conversation_touch(c, v);
    *out = v;
    return 0;
}
