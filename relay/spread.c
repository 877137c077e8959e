/* relay/spread.c - lists between relays: a board makes them of the tokens that
 * it took (announced.c), every relay passes them on to those that the shared
 * value names (network/boards.h).
 *
 * State: struct lists, of all workers; of each view who passes lists to whom;
 * the board, worker 0's. Which intervals were listed is kept with the replay set,
 * so that a board that starts again by a clock that is behind lists none anew;
 * one whose clock was ahead leaves out those that it listed then, and no other.
 *
 * Timers: one, worker 0's, while a view has this relay as a board: an interval
 * is over by the wall clock. One frame goes to each carrier then, whatever
 * came; an interval that was slept through is not listed.
 *
 * Failure modes: a list that is refused is counted by reason; a link that is
 * down gets none, and its relay has it of two others. */
#include <string.h>

#include "lib/codec.h"
#include "relay/internal.h"

/* Find the view whose epoch has this interval; NULL: none that is kept. */
static const struct view *
view_of_interval(const struct relay *r, uint32_t interval)
{
    for (size_t i = 0; i < VIEWS; i++)
        if (r->view[i].consensus && list_is_of(r->view[i].consensus, interval))
            return &r->view[i];
    return NULL;
}

/* Pass a list on, in a frame whose other bytes are new. */
static void
list_pass(struct relay *r, const struct view *v, const uint8_t *list)
{
    const struct wire_list l = {list, list_len(&v->consensus->params)};
    env_random_crypto(r->env, r->frame, r->geometry.packet_len);
    int err = wire_list_write(r->frame, r->geometry.packet_len, &l);
    for (size_t i = 0; i < v->ways->n_next; i++) {
        if (!err)
            err = dispatch_send(r, v->ways->next[i], v->consensus->epoch,
                                r->frame);
        if (err)
            relay_drop(r, err);
        else
            r->stats.lists_passed++;
        err = 0;
    }
}

/* May this peer pass on this list, of v's epoch? A board that brings its own when
 * that is nearly too old, or too far ahead, would choose by the moment which relays
 * have it: so relays beyond its carriers allow for more. Returns 0, ERR_EDGE,
 * ERR_STALE or ERR_FUTURE. */
static int
peer_judge(const struct relay *r, const struct relay_peer *peer,
           const struct view *v, const uint8_t *list)
{
    const struct consensus *c = v->consensus;
    const int from = consensus_find(c, peer->identity);
    if (from < 0 || !boards_ways_takes(v->ways, (uint16_t)from))
        return ERR_EDGE;
    const bool is_own = boards_find(c, (uint16_t)from) == list[4];
    return lists_judge_time(&c->params, codec_get32(list),
                            env_now_wall_ms(r->env),
                            is_own ? 0 : LISTS_PASSING_MS);
}

/* Take the list in a frame. Returns 0 when it was kept and passed on, or as
 * lists_take() does. */
static int
frame_take(struct relay *r, struct relay_peer *peer, uint32_t link,
           const uint8_t *frame)
{
    const struct view *v =
        view_of_interval(r, codec_get32(frame + WIRE_LIST_HEAD_LEN));
    uint8_t list[LIST_LEN_MAX];
    struct wire_list l;
    if (!v)
        return ERR_EPOCH;
    int err = peer_judge(r, peer, v, frame + WIRE_LIST_HEAD_LEN);
    if (!err)
        err = wire_list_parse(&l, frame, r->geometry.packet_len,
                              list_len(&v->consensus->params));
    if (err)
        return err;
    memcpy(list, l.list, l.len); /* the frame's place is for what is sent */
    err = lists_take(r->plane->lists, v->consensus, list, link,
                     env_now_wall_ms(r->env), env_now_mono_us(r->env));
    if (!err || err == ERR_CONFLICT)
        list_pass(r, v, list);
    return err;
}

void
spread_take(struct relay *r, struct relay_peer *peer, uint32_t link,
            const uint8_t *frame)
{
    const int err = frame_take(r, peer, link, frame);
    r->stats.lists_taken += err == 0;
    r->stats.equivocations += err == ERR_CONFLICT;
    if (err && err != ERR_EXISTS && err != ERR_CONFLICT) {
        r->stats.lists_refused++;
        relay_drop(r, err);
    }
}

/* ---- a board ---- */

/* List this interval, which is over. */
static void
interval_list(struct relay *r, const struct view *v, uint32_t interval)
{
    uint8_t list[LIST_LEN_MAX];
    struct board_closed closed;
    board_close(r->board, v->consensus, (uint8_t)v->board, interval,
                r->plane->identity_seed, list, &closed);
    r->stats.announced_lost += closed.lost;
    if (closed.short_of_memory)
        relay_drop(r, ERR_NOMEM);
    int err = lists_take(r->plane->lists, v->consensus, list, LISTS_OWN,
                         env_now_wall_ms(r->env), env_now_mono_us(r->env));
    if (err) {
        relay_drop(r, err);
        return;
    }
    r->stats.lists_made++;
    list_pass(r, v, list);
}

void
spread_step(struct relay *r)
{
    struct replay *lives = r->plane->replay;
    if (!announced_is_board(r) || replay_is_in_doubt(lives))
        return;
    const uint64_t now_ms = env_now_wall_ms(r->env);
    /* what is over may belong to the epoch before, when this one has only just
     * begun, and that may have counted intervals by another measure */
    for (size_t i = 0; i < VIEWS; i++) {
        const struct view *v = &r->view[i];
        if (!v->consensus || v->board < 0)
            continue;
        const struct params *p = &v->consensus->params;
        const uint32_t over = list_interval(p, now_ms);
        if (over > 1 && list_is_of(v->consensus, over - 1) &&
            board_may_list(r->board, p, over - 1) &&
            replay_note_moment(lives, list_interval_start_ms(p, over - 1),
                               BOARD_NEAR * p->list_interval_ms))
            interval_list(r, v, over - 1);
    }
}

uint64_t
spread_next_us(const struct relay *r)
{
    uint64_t next_ms = UINT64_MAX;
    if (!announced_is_board(r))
        return UINT64_MAX;
    const uint64_t now_ms = env_now_wall_ms(r->env);
    for (size_t i = 0; i < VIEWS; i++) {
        const struct view *v = &r->view[i];
        if (!v->consensus || v->board < 0)
            continue;
        const uint64_t each_ms = v->consensus->params.list_interval_ms;
        const uint64_t at_ms = (now_ms / each_ms + 1) * each_ms;
        next_ms = at_ms < next_ms ? at_ms : next_ms;
    }
    return env_now_mono_us(r->env) + (next_ms - now_ms) * 1000;
}
