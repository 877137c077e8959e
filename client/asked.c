/* client/asked.c - see asked.h. No state but the client's table, and the last
 * RECENT answers. */
#include "client/asked.h"

#include <string.h>

#include "client/conversations.h"
#include "client/places.h"
#include "client/polls.h"
#include "client/taken.h"

void
asked_release(struct client *c, const struct asked *a)
{
    if (a->kind == WIRE_GET && !a->overdue && !a->check &&
        a->conversation != UINT32_MAX) {
        struct conversation *v = conversation_by_id(c, a->conversation);
        if (v)
            polls_unasked(v, a->at, a->slot, a->spare,
                          a->whom.place == FRONTS_FRONT);
    }
}

void
asked_miss(struct client *c, struct conversation *v, const struct asked *a)
{
    if (places_may_show(c, v, &a->whom, a->at_store_us))
        polls_missed(c, v, a->at, a->whom.place == FRONTS_FRONT);
}

/* No answer is waited for any more. */
static void
asked_unanswered(struct client *c, const struct asked *a)
{
    struct conversation *v =
        a->kind == WIRE_GET && a->conversation != UINT32_MAX
            ? conversation_by_id(c, a->conversation)
            : NULL;
    asked_release(c, a);
    if (v && a->check)
        taken_unseen(c, v);
    else if (v)
        asked_miss(c, v, a);
}

/* Are answers of other stores late as well? Then it is the line, or its queue
 * at the gateway, that is slow. Of a line that is not, one answer in eighty is
 * late; a queue that grows at the gateway makes several late that follow each
 * other, most of the store that is asked most. */
static bool
line_is_slow(const struct client *c, uint16_t store)
{
    unsigned others = 0, late = 0;
    for (size_t i = 0; i < RECENT; i++) {
        others += c->recent[i].store != store;
        late += c->recent[i].store != store && c->recent[i].late;
    }
    return others > 0 && 8 * late >= others;
}

void
asked_judge(struct client *c, const struct asked *a, bool late)
{
    c->recent[c->n_recent++ % RECENT] = (struct recent){a->store, late};
    struct conversation *v = a->conversation == UINT32_MAX
                                 ? NULL
                                 : conversation_by_id(c, a->conversation);
    c->status.late += late;
    if (!v || a->spare || a->check)
        return;
    struct quality *q = &v->quality[a->kind == WIRE_GET];
    q->late += late;
    if (++q->asked < QUALITY_ASKED)
        return;
    if (2 * q->late >= q->asked && !line_is_slow(c, a->store))
        q->bad_until_us = env_now_mono_us(c->env) + QUALITY_US;
    q->asked = q->late = 0;
}

static void
asked_drop(struct client *c, struct asked *a)
{
    if (a->number == 0)
        return;
    if (!a->overdue) {
        asked_unanswered(c, a);
        c->status.lost++;
    }
    a->number = 0;
}

void
asked_sweep(struct client *c, uint64_t now_us)
{
    for (; c->oldest < c->traffic.request; c->oldest++) {
        struct asked *a = &c->asked[c->oldest & (c->asked_len - 1)];
        if (a->number != c->oldest + 1 || a->overdue)
            continue;
        if (a->expected_us + LATE_US > now_us)
            break;
        asked_unanswered(c, a);
        /* while nothing comes at all, it is the line that is bad */
        if (c->answer_us > a->expected_us)
            asked_judge(c, a, true);
        a->overdue = true;
        c->status.lost++;
    }
}

void
asked_forget(struct client *c)
{
    for (uint64_t i = 0; i < c->asked_len; i++)
        asked_drop(c, &c->asked[i]);
    c->oldest = c->traffic.request;
}

bool
asked_avoids_first(const struct client *c, const struct choice *choice)
{
    struct conversation *v = choice->conversation;
    if (!v || choice->check || (choice->letter && choice->letter->answered))
        return false;
    if (choice->request.kind == WIRE_GET &&
        polls_avoids_first(v, choice->at, choice->whom.place == FRONTS_FRONT))
        return true;
    return v->quality[choice->request.kind == WIRE_GET].bad_until_us >
           env_now_mono_us(c->env);
}

void
asked_note(struct client *c, const struct consensus *view,
           const struct choice *choice, const struct route *route,
           uint64_t number, bool cover)
{
    const uint64_t now_us = env_now_mono_us(c->env);
    struct asked *a = &c->asked[number & (c->asked_len - 1)];
    asked_drop(c, a);
    *a = (struct asked){.number = number + 1,
                        .expected_us = now_us + route->answer_us,
                        .at_store_us = now_us + route->at_store_us,
                        .epoch = view->epoch,
                        .conversation = choice->conversation
                                            ? choice->conversation->id
                                            : UINT32_MAX,
                        .at = choice->at,
                        .kind = choice->request.kind,
                        .spare = choice->spare,
                        .check = choice->check,
                        .cover = cover,
                        .rank = choice->rank,
                        .steps = choice->steps,
                        .held = choice->request.held,
                        .slot = choice->request.slot,
                        .whom = choice->whom,
                        .store = route->out[route->n_out - 1],
                        .n_back = route->n_back};
    memcpy(a->back, route->back, sizeof a->back);
}

struct asked *
asked_find(struct client *c, const uint8_t *id)
{
    uint64_t number = traffic_surb_number(&c->traffic, id);
    struct asked *a = &c->asked[number & (c->asked_len - 1)];
    return a->number == number + 1 && number < c->traffic.request ? a : NULL;
}
