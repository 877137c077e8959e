/* client/arrival.c - see arrival.h. No state of its own.
 *
 * A letter tells four things: what its sender has read (outgoing), how many
 * letters he wrote before (polls), a fragment (incoming), and that its place is
 * read (polls). A ping is answered at once. */
#include "client/arrival.h"

#include <sodium.h>

#include "client/conversations.h"
#include "client/incoming.h"
#include "client/outgoing.h"
#include "client/polls.h"

static int
letter_take(struct client *c, struct conversation *v, const struct letter *l)
{
    uint64_t order;
    bool is_ping;
    int err = incoming_take(c, v, l, &is_ping);
    if (!err && is_ping)
        err = outgoing_submit(c, v, LETTER_PONG, l->message, NULL, 0, &order);
    if (!err)
        incoming_taken(c, v, l);
    return err;
}

void
arrival_letter(struct client *c, struct conversation *v, struct letter_place at,
               uint8_t *bytes)
{
    struct letter l;
    int err =
        letter_open(&l, v->chains + LETTER_CHAIN_LEN, at, bytes, c->letter_len);
    if (err) {
        client_drop(c, err);
        polls_bad(v, at);
        return;
    }
    journal_begin(c->journal);
    if (!v->confirmed) {
        v->confirmed = true;
        c->status.changes++;
    }
    polls_previous(v, at.period, l.previous_period, l.previous_count);
    outgoing_acknowledged(c, v, &l);
    err = letter_take(c, v, &l);
    if (err)
        client_drop(c, err);
    /* what there was no room for stays in its box */
    if (err != ERR_FULL && err != ERR_NOMEM)
        polls_hold(v, at);
    conversation_save(c, v);
    (void)journal_end(c->journal);
    sodium_memzero(bytes, c->letter_len);
}
