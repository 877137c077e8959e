/* tests/invitee.c - see invitee.h. */
#include "tests/invitee.h"

#include <sodium.h>
#include <string.h>

#include "client/arrival.h"
#include "client/conversations.h"
#include "tests/day_key.h"
#include "tests/runner.h"

void
invitee_make(struct invitee *i, const char *line)
{
    struct invite invite;
    struct chain inviter;
    uint8_t secret[RATCHET_KEY_LEN] = {9};
    static const uint8_t share[MLKEM_SEED_LEN] = {7};
    assert_int_equal(invite_read(&invite, line), 0);
    invite_chains(&invite, &inviter, &i->chain);
    memcpy(secret + 1, invite.seed, sizeof secret - 1);
    assert_int_equal(
        session_accept(&i->session, invite.seed, invite.key, secret, share), 0);
}

void
invitee_write(struct invitee *i, struct client *c, struct conversation *v,
              const struct letter *l, struct letter_place at)
{
    static uint8_t bytes[LETTER_LEN_MAX];
    const struct arrival came = {
        .at = at,
        .rank = STORE_FIRST,
        .whom = {.place = FRONTS_SWEEP, .contact = v->id}};
    const struct day_key key =
        day_key_of(&i->chain, &c->current->params, at.period);
    assert_int_equal(
        session_seal(&i->session, l, key.key, at, bytes, c->letter_len), 0);
    (void)arrival_letter(c, v, &came, bytes);
}

void
invitee_take_up(struct client *c, const char *name, const char *line)
{
    struct invitee i;
    struct conversation *v = conversation_find(c, name);
    const struct letter hello = {
        .kind = LETTER_HELLO, .count = 1, .sequence = 1, .floor = 1};
    assert_non_null(v);
    invitee_make(&i, line);
    invitee_write(&i, c, v, &hello, (struct letter_place){client_period(c), 0});
    assert_true(v->confirmed);
}
