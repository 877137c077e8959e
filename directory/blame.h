/* directory/blame.h - which links and relays a consensus leaves out, for what
 * relays say of the links between them.
 *
 * When a link loses packets, nobody else can tell which of its two ends is to
 * blame, or whether one of them lies. So nobody is believed, and what is taken
 * away is the link (Miranda: Leibowitz et al., USENIX Security 2019): every lie
 * about another relay costs the liar as much as that relay. A relay that
 * disagrees with more than half of its neighbours is left out, the one that
 * does so with most first; what that relay said, and what was said of it, is
 * void for those that follow.
 *
 *   said       a link is said to be bad when either end tells that it lost
 *              BLAME_PERMILLE of BLAME_SENT loops of its own
 *   neighbour  relays of one family and layer are one neighbour: what a family
 *              says counts by the share of it that says so. Half is the mean
 *              over the layers that a relay has links with, so that many of a
 *              kind that is cheap to run are not many
 *   left out   of no layer more than a quarter, rounded; no gateway: only its
 *              clients can tell what it does. So what it says costs it nothing,
 *              and counts for links alone
 *   cut        links said to be bad between two that are in: the worst first, a
 *              quarter at most of those between two layers, and none of fewer
 *              than BLAME_LINKS, so that there is always a way; links of a
 *              family with itself do not count, since no way uses them; CUT_MAX
 *              in all; of those that a relay has with a layer half at most, and
 *              for a mix half by its own word and half by others' */
#ifndef DIRECTORY_BLAME_H
#define DIRECTORY_BLAME_H
#include "network/consensus.h"
#include "network/json.h"

enum { BLAME_PERMILLE = 200, BLAME_SENT = 8, BLAME_LINKS = 6 };

/* What one relay says of its links. */
struct blame_word {
    size_t n;
    const struct link_told *links;
};

/* Set cut and left_out of c, which has none, from what its relays say: word[i]
 * is the word of c->relays[i], and all relays have their layers. Returns 0,
 * ERR_NOMEM. */
int blame_judge(struct consensus *c,
                const struct blame_word *word) CHECK_RESULT;
#endif
