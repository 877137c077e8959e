/* tests/invitee.h - somebody who takes up a client's invitation and writes letters by
 * himself: he has the session of one, and no client. */
#ifndef TESTS_INVITEE_H
#define TESTS_INVITEE_H
#include "client/letters/invite.h"
#include "client/letters/session.h"
#include "client/state.h"

struct invitee {
    struct chain chain;     /* of what he writes */
    struct session session; /* with the inviter */
};

/* Take up the invitation of this line. */
void invitee_make(struct invitee *i, const char *line);

/* Bring c a letter of his for a place of v's, by the sweep, committed long ago. */
void invitee_write(struct invitee *i, struct client *c, struct conversation *v,
                   const struct letter *l, struct letter_place at);

/* Take up the invitation of this line, which c has made for a contact of this name, and
 * bring c a hello: from then on c may write to him. */
void invitee_take_up(struct client *c, const char *name, const char *line);
#endif
