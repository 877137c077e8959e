/* tests/attack.h - what strangers and bad neighbours do to the relay of a rig.
 */
#ifndef TESTS_ATTACK_H
#define TESTS_ATTACK_H
#include "tests/rig.h"

enum { ATTACK_HALF_OPEN = 500, ATTACK_SHAKING = 32, ATTACK_NOISE = 64 };

struct attack;
struct attack_stranger {
    struct attack *attack;
    struct link *link;
};
struct attack {
    struct rig *rig;
    struct tls *tls;
    uint8_t *noise; /* ATTACK_NOISE frames */
    int fd[ATTACK_HALF_OPEN];
    struct attack_stranger stranger[ATTACK_SHAKING];
    unsigned shaken; /* handshakes that were finished */
};

/* like: a packet whose version and epoch the noise gets. The rig has to outlive
 * it. */
void attack_init(struct attack *a, struct rig *rig, const uint8_t *like);
void attack_free(struct attack *a);

/* Frames of noise over this link, at most count; returns how many it took. */
size_t attack_noise(struct attack *a, struct link *over, size_t count);
/* Connections that say nothing, or half a hello, from one address. */
void attack_half_open(struct attack *a);
/* So many of those the relay has closed. */
unsigned attack_half_open_closed(const struct attack *a);
void attack_half_open_end(struct attack *a);
/* Strangers that shake hands, go, and come again: call it at every turn. */
void attack_handshakes(struct attack *a);
void attack_handshakes_end(struct attack *a);
/* This one after the relay reads no more. */
void attack_deafen(struct rig_peer *after);
void attack_deafen_end(struct rig_peer *after);
#endif
