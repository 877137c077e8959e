/* lib/os/link_internal.h - a link's state, for link.c and listen.c. */
#ifndef LIB_OS_LINK_INTERNAL_H
#define LIB_OS_LINK_INTERNAL_H
#include <stdbool.h>

#include "lib/os/link.h"

enum link_state { LINK_CONNECTING = 1, LINK_HANDSHAKE, LINK_UP, LINK_DOWN };

struct link {
    struct loop *loop;
    struct link_config config;
    struct tls_session *session;
    const struct link_ops *ops; /* NULL: nobody is told any more */
    void *ctx;
    enum link_state state;
    int fd;
    struct loop_watch *watch;
    struct loop_timer *timer;
    struct loop_hook hook;
    bool pinned, paused;
    uint8_t pin[TLS_ID_LEN];
    bool entered, freed; /* freed: release when the callback returns */
    uint8_t *in;         /* the part of a frame that has come */
    size_t in_len;
    uint8_t *queue; /* frames in plain */
    uint32_t queued, queue_room;
    uint32_t block;   /* its entry in config.blocks; of accepted links */
    uint64_t charged; /* to the budget */
    uint64_t moved_us, heard_us; /* something left; frames came */
    uint32_t ahead;              /* link_set_ahead(); 0: any number */
    uint64_t given, arrived;     /* bytes, to the kernel; at the peer's */
    struct link_stats stats;
};

/* Make a link on the socket fd, which is connected (server) or connecting.
 * Returns 0, or an error: then fd stays the caller's. */
int link_new(struct link **out, struct loop *loop, struct tls *tls,
             const struct link_config *config, int fd, bool server,
             const struct link_ops *ops, void *ctx) CHECK_RESULT;
#endif
