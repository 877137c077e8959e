/* tests/rig.h - a real brusio-relay and the small network around it, all
 * of whose other relays this process plays, over TLS on loopback.
 *
 *   as a mix       gateways (BEFORE) -> relay -> mixes (AFTER)      -> store
 *   as a gateway   mixes (BEFORE) -> relay <-> clients; relay -> mixes (AFTER)
 *
 * Whatever goes wrong here ends the program with a line that says what. */
#ifndef TESTS_RIG_H
#define TESTS_RIG_H
#include <sys/types.h>

#include "lib/os/link.h"
#include "network/consensus.h"
#include "network/os/netfile.h"
#include "sphinx/x25519/x25519.h"

enum {
    RIG_SIDE_MAX = 8,
    RIG_RELAYS_MAX = 2 * RIG_SIDE_MAX + 2,
    RIG_BIN_MAX = 4096
};

struct rig;
struct rig_peer {
    struct rig *rig;
    uint8_t seed[32], identity[32], packet_seed[32];
    char address[ADDRESS_MAX];
    struct tls *tls;
    struct listener *listener; /* of those after the relay */
    struct link *link;
    bool up;
    uint16_t index; /* in the consensus */
};

struct rig_config {
    bool gateway;     /* the relay's role; else a mix */
    unsigned side;    /* relays before it, and after it */
    int core;         /* the relay's; -1: any */
    const char *conf; /* lines added to relay.conf */
    enum x25519_isa isa;
    uint32_t client_rate;   /* packets a second of profile 0; 0: as it is */
    uint32_t delay_mean_us; /* of the packets */
    /* Frames that came out of the relay, at one of those after it. */
    void (*frames)(void *ctx, struct rig_peer *at, size_t n);
    void *ctx;
};

struct rig {
    struct rig_config config;
    char dir[64], relay_dir[128], relay_address[ADDRESS_MAX];
    struct network network;
    struct consensus *consensus;
    struct sphinx_view view;
    size_t packet_len;
    /* [0, side): before; [side, 2 side): after; the relay; a store */
    struct rig_peer peer[RIG_RELAYS_MAX];
    struct loop *loop;
    struct loop_timer *tick;
    pid_t pid;
    bool ending; /* its links may end */
    double x_us; /* one crypto_scalarmult */
};

void rig_must(int err, const char *what);
/* Where the programs are: beside this one. */
void rig_bin(char bin[static RIG_BIN_MAX]);

/* Its files are made; nothing runs. */
void rig_init(struct rig *r, const struct rig_config *config);
/* Start the program and wait until all links are up. */
void rig_start(struct rig *r, const char *bin);
/* Kill it with this signal and wait for its end; it may be started again. */
void rig_stop(struct rig *r, int signo);
/* End the program, delete its files. */
void rig_free(struct rig *r);

/* count distinct valid packets through the relay to those after it in turn; a
 * malloc()ed row of them. count: a multiple of SPHINX_ORDERS_MAX. */
uint8_t *rig_packets(struct rig *r, size_t count);

/* Another link to the relay: as the peer before it with this number, or as a
 * client (before < 0). */
struct link *rig_connect(struct rig *r, int before, const struct link_ops *ops,
                         void *ctx);

/* Turn the loop, at least every half millisecond, until done(ctx) or this many
 * seconds have passed. Returns whether it was done. */
bool rig_turn(struct rig *r, double seconds, bool (*done)(void *ctx),
              void *ctx);

/* Seconds from any fixed point. */
double rig_now_s(void);
/* The relay's processor time; its memory by a name of /proc/PID/status, KiB. */
double rig_cpu_us(const struct rig *r);
long rig_memory_kib(const struct rig *r, const char *name);
/* What is resident of the files mapped whose paths end so. */
long rig_map_kib(const struct rig *r, const char *end);
void rig_core_take(int core);
#endif
