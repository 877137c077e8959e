/* client/listed.c - see listed.h. State: in each conversation what is awaited of
 * it, on disk with it; lists are not kept. Timer: the client's ticks. Failure
 * modes: no memory for tokens (it is tried again on each tick); a list is not
 * here, or not sure: its letters are found by the sweep. */
#include "client/listed.h"

#include <assert.h>
#include <string.h>

#include "client/conversations.h"

static struct shown_now
now_make(const struct client *c, const struct consensus **view)
{
    for (size_t i = 0; i < VIEWS; i++)
        view[i] = c->view[i];
    return (struct shown_now){.view = view,
                              .n = VIEWS,
                              .gateway = gateways_current(&c->gateways),
                              .mono_us = env_now_mono_us(c->env),
                              .unix_ms = client_now_us(c) / 1000};
}

int
listed_slice(struct client *c, const uint8_t *frame, size_t len)
{
    const struct consensus *view[VIEWS];
    struct wire_slice slice;
    if (!c->current || c->current->boards.n == 0)
        return 0;
    const size_t payload_len = c->current->params.geometry.payload_len;
    const size_t room = wire_slice_room(len, payload_len);
    const struct shown_now now = now_make(c, view);
    int err = wire_slice_parse(&slice, frame + len - room, room);
    if (err || slice.kind == WIRE_SLICE_NONE)
        return err;
    return shown_slice(c->shown, &now, &slice);
}

void
listed_named(struct client *c, const struct relay_entry *store,
             const struct wire_answer *answer)
{
    const struct consensus *view[VIEWS];
    const struct shown_now now = now_make(c, view);
    shown_named(c->shown, &now, store, answer->root);
}

void
listed_count(const struct client *c, struct client_lists *out)
{
    struct shown_counts n;
    shown_count(c->shown, &n);
    *out = (struct client_lists){.seen = n.seen,
                                 .sure = n.sure,
                                 .late = n.late,
                                 .missed = n.missed,
                                 .refused = n.refused,
                                 .forked = n.forked,
                                 .evidence = n.evidence,
                                 .left = n.left,
                                 .tokens = c->status.lists.tokens};
}

/* ---- what is awaited ---- */

void
listed_await(struct conversation *v, uint32_t period, uint32_t next)
{
    struct awaited *a = v->awaited;
    if (period > a[0].period) {
        a[1] = a[0];
        a[0] = (struct awaited){.period = period};
    }
    for (size_t i = 0; i < TOKENS_PERIODS; i++)
        if (a[i].period == period && next > a[i].next) {
            a[i].next = next;
            v->tokens_period = 0; /* others are awaited now */
        }
}

/* Tells the first token of a period that is not known to be used. */
static uint32_t
await_from(const struct conversation *v, uint32_t period)
{
    for (size_t i = 0; i < TOKENS_PERIODS; i++)
        if (v->awaited[i].period == period)
            return v->awaited[i].next;
    return 0;
}

/* Awaits v's tokens of this period and the one before. */
static int
tokens_renew(struct client *c, struct conversation *v)
{
    const uint8_t *chain = v->chains + LETTER_CHAIN_LEN;
    const uint32_t before = c->period - (c->period > 0);
    int err =
        tokens_set(c->tokens, v->id, chain, before, await_from(v, before));
    if (!err)
        err = tokens_set(c->tokens, v->id, chain, c->period,
                         await_from(v, c->period));
    if (!err)
        v->tokens_period = c->period;
    return err;
}

static void
tokens_look(struct client *c)
{
    bool is_new = false;
    int err = 0;
    for (struct conversation *v = c->conversations; v && !err; v = v->next) {
        if (v->tokens_period == c->period)
            continue;
        err = tokens_renew(c, v);
        is_new = true;
    }
    if (is_new && c->period > 0)
        tokens_expire(c->tokens, c->period - 1);
    if (err)
        client_drop(c, err);
}

/* ---- lists that are sure ---- */

/* Acts on a token of a contact's that was listed; it is awaited no more. */
static void
token_seen(struct client *c, const struct token *token)
{
    struct conversation *v = conversation_by_id(c, token->contact);
    const uint32_t contact = token->contact, period = token->period;
    const uint32_t next = token->k + 1;
    if (v) {
        c->status.lists.tokens++;
        listed_await(v, period, next);
    }
    if (!v || next == 0 ||
        tokens_set(c->tokens, contact, v->chains + LETTER_CHAIN_LEN, period,
                   next))
        tokens_remove(c->tokens, contact);
}

static void
list_act(struct client *c, const struct sure_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        const uint8_t *entry = list->entries + i * LIST_ENTRY_LEN;
        const struct token *token;
        while ((token = tokens_find(c->tokens, entry, NULL)) != NULL)
            token_seen(c, token);
    }
}

void
listed_tick(struct client *c)
{
    const struct consensus *view[VIEWS];
    struct sure_list list;
    if (!c->current || c->current->boards.n == 0)
        return;
    const struct shown_now now = now_make(c, view);
    tokens_look(c);
    shown_tick(c->shown, &now);
    while (shown_next(c->shown, &list))
        list_act(c, &list);
}
