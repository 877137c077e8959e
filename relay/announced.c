/* relay/announced.c - announcements that come to this store. One that is worth
 * its work, and for a board that this relay is, waits there for the board's
 * list. Whatever becomes of an announcement, it is answered as a loop is, and
 * only counters tell. No state of its own. */
#include "network/work.h"
#include "relay/internal.h"

bool
announced_is_board(const struct relay *r)
{
    if (r->number != 0 || !r->board || r->draining || !r->plane->identity_seed)
        return false;
    for (size_t i = 0; i < VIEWS; i++)
        if (r->view[i].consensus && r->view[i].board >= 0)
            return true;
    return false;
}

/* Find the view in whose epoch now_ms lies, and the interval; NULL: there is
 * none. */
static const struct view *
view_now(const struct relay *r, uint64_t now_ms, uint32_t *interval)
{
    for (size_t i = 0; i < VIEWS; i++) {
        const struct consensus *c = r->view[i].consensus;
        *interval = c ? list_interval(&c->params, now_ms) : 0;
        if (*interval > 0 && list_is_of(c, *interval))
            return &r->view[i];
    }
    return NULL;
}

/* Tell how many bits the work of an announcement is worth, under any consensus
 * whose challenge counts: in all, not beyond that consensus' price, or work made
 * before the price was raised would stand before all that is made after. Returns
 * ERR_WORK when the work is below the price. */
static int
announcement_worth(const struct relay *r, const struct wire_request *request,
                   uint8_t *worth)
{
    struct work_task task;
    int err = ERR_WORK;
    *worth = 0;
    for (size_t i = 0; i < VIEWS; i++) {
        const struct consensus *c = r->view[i].consensus;
        if (!c || c->epoch + WORK_EPOCHS <= r->newest->consensus->epoch)
            continue;
        work_announce_task(&task, c->work_challenge, r->plane->identity,
                           request->box);
        const unsigned bits = work_bits(&task, request->work);
        if (bits < c->params.announce_bits)
            continue;
        if (bits > *worth)
            *worth = bits < UINT8_MAX ? (uint8_t)bits : UINT8_MAX;
        err = 0;
    }
    return err;
}

void
announced_take(struct relay *r, const struct wire_request *request)
{
    uint32_t interval;
    uint8_t worth;
    const struct view *v = view_now(r, env_now_wall_ms(r->env), &interval);
    int err = v && v->board >= 0 && announced_is_board(r) ? 0 : ERR_COMMAND;
    if (!err)
        err = announcement_worth(r, request, &worth);
    if (!err)
        err = board_take(r->board, v->consensus, interval, request->box, worth);
    r->stats.announced += err == 0 || err == ERR_FULL;
    r->stats.announced_bad += err && err != ERR_FULL;
    r->stats.announced_lost += err == ERR_FULL;
}
