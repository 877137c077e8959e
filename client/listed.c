/* client/listed.c - see listed.h. State: in each conversation what is awaited of
 * it, on disk with it; lists are not kept. Timer: the client's ticks. Failure
 * modes: no memory for tokens (it is tried again on each tick); a list is not
 * here, or not sure: its letters are found by the sweep. */
#include "client/listed.h"

#include <assert.h>
#include <string.h>

#include "client/announce.h"
#include "client/conversations.h"
#include "client/places.h"

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

/* What is awaited of v's tokens of a period; NULL: it is too old. */
static struct awaited *
await_find(struct conversation *v, uint32_t period)
{
    struct awaited *a = v->awaited;
    if (period > a[0].period) {
        a[1] = a[0];
        a[0] = (struct awaited){.period = period};
    }
    if (period > a[1].period && period < a[0].period)
        a[1] = (struct awaited){.period = period};
    for (size_t i = 0; i < TOKENS_PERIODS; i++)
        if (a[i].period == period)
            return &a[i];
    return NULL;
}

void
listed_letter(struct conversation *v, uint32_t period, const struct letter *l)
{
    struct awaited *a = await_find(v, period);
    if (!a || l->tokens == 0 || (!l->announced && l->tokens <= a->next))
        return;
    awaited_note(a, l->tokens - 1u);
    if (!l->announced) /* that one is another letter's */
        a->behind |= 1;
    v->tokens_period = 0; /* others are awaited now */
}

/* Awaits v's tokens of this period and the one before. */
static int
tokens_renew(struct client *c, struct conversation *v)
{
    int err = 0;
    for (uint32_t i = c->period > 0; i <= 1 && !err; i--) {
        const struct awaited *a = await_find(v, c->period - i);
        if (a)
            err = tokens_set(c->tokens, v->id, v->chains + LETTER_CHAIN_LEN, a);
    }
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
        if (v->self || v->tokens_period == c->period)
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
    struct awaited *a = v ? await_find(v, period) : NULL;
    if (a)
        awaited_note(a, token->k);
    if (!a || token->k == UINT32_MAX ||
        tokens_set(c->tokens, contact, v->chains + LETTER_CHAIN_LEN, a)) {
        tokens_remove(c->tokens, contact);
        if (v) /* until the next look */
            v->tokens_period = 0;
    }
    if (!v)
        return;
    c->status.lists.tokens++;
    places_announced(c, contact, period);
}

static void
list_act(struct client *c, const struct sure_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        const uint8_t *entry = list->entries + i * LIST_ENTRY_LEN;
        const struct token *token;
        (void)announce_listed(c, entry);
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
