/* client/listed.c - see listed.h. State: in each conversation what is awaited of
 * it, on disk with it; lists are not kept. Timer: the client's ticks. Failure
 * modes: no memory for tokens (it is tried again on each tick); a list is not
 * here, or not sure: its letters are found by the sweep. */
#include "client/listed.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "client/announce.h"
#include "client/conversations.h"
#include "client/sealing.h"
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

/* What is awaited of v's tokens of a period, or would be; false: it is too old. */
static bool
await_look(const struct conversation *v, uint32_t period, struct awaited *out)
{
    *out = (struct awaited){.period = period};
    for (size_t i = 0; i < TOKENS_PERIODS; i++)
        if (v->awaited[i].period == period)
            *out = v->awaited[i];
    return period >= v->awaited[TOKENS_PERIODS - 1].period;
}

/* Are v's tokens of this period awaited, so far as is known? */
static bool
is_awaited(const struct client *c, const struct conversation *v)
{
    return v->tokens_period > 0 && v->tokens_period <= c->period + 1 &&
           v->tokens_period + 1 >= c->period;
}

/* Await these tokens of v's. */
static int
tokens_await(const struct client *c, const struct conversation *v,
             const struct awaited *a)
{
    uint8_t key[LETTER_CHAIN_LEN];
    sealing_key(c, v, CHAIN_IN, a->period, key);
    const int err = tokens_set(c->tokens, v->id, key, a);
    sodium_memzero(key, sizeof key);
    return err;
}

/* Await v's tokens of this period, the one before and the next. When a period has
 * begun, only the next is new. */
static int
tokens_renew(struct client *c, struct conversation *v)
{
    struct awaited a;
    const uint32_t last = c->period + 1;
    const uint32_t oldest = c->period > 0 ? c->period - 1 : 0;
    const bool is_next = v->tokens_period > 0 && v->tokens_period == oldest;
    int err = 0;
    if (is_next)
        tokens_expire(c->tokens, v->id, oldest);
    else /* after a clock that was ahead there are later ones, too */
        tokens_remove(c->tokens, v->id);
    for (uint32_t period = is_next ? last : oldest; period <= last && !err;
         period++)
        if (await_look(v, period, &a))
            err = tokens_await(c, v, &a);
    if (!err)
        v->tokens_period = c->period;
    return err;
}

/* Renew what is awaited of LISTED_RENEWED contacts, those first of whom no token of
 * this period is. Returns whether there are no more of these: then lists may be acted
 * on. */
static bool
tokens_look(struct client *c)
{
    struct conversation *due[2][LISTED_RENEWED]; /* [0]: those */
    size_t n[2] = {0};
    bool is_all = true;
    int err = 0;
    for (struct conversation *v = c->conversations; v && is_all; v = v->next) {
        const size_t k = is_awaited(c, v);
        if (v->self || v->tokens_period == c->period)
            continue;
        if (n[k] < LISTED_RENEWED)
            due[k][n[k]++] = v;
        else
            is_all = k > 0;
    }
    for (size_t i = 0; i < n[0] && !err; i++)
        err = tokens_renew(c, due[0][i]);
    for (size_t i = 0; n[0] + i < LISTED_RENEWED && i < n[1] && !err; i++)
        err = tokens_renew(c, due[1][i]);
    if (err)
        client_drop(c, err);
    return is_all || err;
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
    if (!a || token->k == UINT32_MAX || tokens_await(c, v, a)) {
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
    const bool is_ready = tokens_look(c);
    shown_tick(c->shown, &now);
    while (is_ready && shown_next(c->shown, &list))
        list_act(c, &list);
}
