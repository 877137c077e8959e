/* tests/independent/peer_letters.h - places, letters and their heads, as requests and
 * answers have them. */
#ifndef INDEPENDENT_PEER_LETTERS_H
#define INDEPENDENT_PEER_LETTERS_H
#include "client/letters/letter.h"
#include "tests/independent/peer.h"

/* Read "period" and "n". */
struct letter_place peer_get_place(struct peer *p);

/* Read the fields of a letter; its data is freed after the command. */
struct letter peer_get_letter(struct peer *p);

/* Answer with the fields of a letter. */
void peer_say_letter(struct peer *p, const struct letter *l);

/* Read "head", an object; answer with it. */
void peer_get_head(struct peer *p, struct letter_head *head);
void peer_say_head(struct peer *p, const struct letter_head *head);
#endif
