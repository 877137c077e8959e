/* lib/env.h - all that protocol code gets from outside.
 *
 * A relay, a client or an authority is a pure object, which owns no socket,
 * file, clock or thread and reaches those only through the one struct env it
 * was given. Daemons implement the environment on libevent, SQLite and the
 * system's generator; the simulator and the tests implement it under a virtual
 * clock. The implementation embeds struct env as its first member.
 *
 * Rules. Every function may be called from inside the object's own entry
 * points only. The clocks are read once per turn of the event loop and stand
 * still within it. Nothing here calls back into the object before the entry
 * point has returned: store requests answer later, from the loop. */
#ifndef LIB_ENV_H
#define LIB_ENV_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct env;

/* Where a frame goes: another relay by its number in the consensus of `epoch`,
 * a client by the number the gateway gave it, or a client's one gateway. */
enum env_dest_kind { ENV_TO_RELAY = 1, ENV_TO_CLIENT, ENV_TO_GATEWAY };
struct env_dest {
    enum env_dest_kind kind;
    uint32_t id;
    uint32_t epoch; /* ENV_TO_RELAY */
};

/* One asynchronous request to durable storage. The caller owns it and every
 * buffer in it until done() is called, exactly once. A relay puts and gets
 * letters; a client appends groups of records to its journal, each group whole
 * or not at all, in the order of the requests, and reads single records back.
 */
enum env_store_op {
    ENV_STORE_PUT = 1,
    ENV_STORE_GET,
    ENV_STORE_APPEND,
    ENV_STORE_READ
};
struct env_store_req {
    enum env_store_op op;
    uint8_t box[32];
    uint8_t slot;        /* 0-15; get: where to begin */
    uint16_t held;       /* get: bit i set = slot i is not wanted */
    uint32_t expiry_day; /* put: days since 1970 after which it is destroyed */
    uint8_t mark[8]; /* put: whose reader may let go; get: who names `held` */
    uint32_t hour;   /* since 1970, of the request */
    uint8_t work_wanted; /* put: bits that opening a box costs; 0: none */
    uint8_t work;        /* put: bits that its proof is worth */
    uint64_t ticket;     /* append: 1, 2, ..: kept after the one before, or not;
                            0: of no journal */
    uint8_t *letter;     /* put, append: in; get: out; read: the key, in */
    size_t letter_len;
    uint8_t
        *value; /* out, read: the record's value, to be freed by the caller */
    size_t value_len;
    int err;       /* out: 0; ERR_SLOT another letter is there; ERR_NOT_FOUND;
                      ERR_QUOTA; ERR_WORK; ERR_AGAIN: the one before was not
                      kept; ERR_DB, and why the disk fails */
    bool is_new;   /* out, put, 0: the letter was not there, nor ever was */
    uint8_t got;   /* out, get: the slot served */
    uint8_t steps; /* out, put, ERR_WORK: bits more that opening costs now */
    uint16_t full; /* out: bit i set = slot i is taken */
    void (*done)(struct env_store_req *req);
    void *owner;
    struct env_store_req *next; /* these two are the storage's */
    void *port;
};

struct env_ops {
    /* Return microseconds from any fixed point; they never step back. */
    uint64_t (*now_mono_us)(struct env *env);
    /* Return milliseconds since 1970 by this machine's clock, which may be
     * wrong. */
    uint64_t (*now_wall_ms)(struct env *env);
    /* Fill out with len random bytes, for times, paths and kinds (traffic) or
     * for keys and padding (crypto). The streams are two, so that a simulated
     * run takes the same course with and without cryptography. */
    void (*random_traffic)(struct env *env, void *out, size_t len);
    void (*random_crypto)(struct env *env, void *out, size_t len);
    /* Have the object's tick called at or after at_mono_us. Each call replaces
     * the one before; UINT64_MAX disarms. */
    void (*timer)(struct env *env, uint64_t at_mono_us);
    /* Hand over one frame, which is copied, for `to`. Returns 0, or ERR_CLOSED
     * (no link), ERR_FULL (the link's queue is at its bound; between a client
     * and its gateway: earlier frames are in the way, and this frame's time
     * passes). Never blocks. */
    int (*send)(struct env *env, struct env_dest to, const uint8_t *frame,
                size_t len);
    /* Queue the storage request req; NULL where there is no store. */
    void (*store)(struct env *env, struct env_store_req *req);
    /* Have the object's tick called soon. This function alone may be called
     * from other threads: one worker of a relay wakes another. NULL where there
     * are no other threads. */
    void (*wake)(struct env *env);
};

struct env {
    const struct env_ops *ops;
};

/* Call the function of the same name in e->ops. */
static inline uint64_t
env_now_mono_us(struct env *e)
{
    return e->ops->now_mono_us(e);
}
static inline uint64_t
env_now_wall_ms(struct env *e)
{
    return e->ops->now_wall_ms(e);
}
static inline uint64_t
env_now_wall_s(struct env *e)
{
    return env_now_wall_ms(e) / 1000;
}
static inline void
env_random_traffic(struct env *e, void *out, size_t len)
{
    e->ops->random_traffic(e, out, len);
}
static inline void
env_random_crypto(struct env *e, void *out, size_t len)
{
    e->ops->random_crypto(e, out, len);
}
static inline void
env_timer(struct env *e, uint64_t at_mono_us)
{
    e->ops->timer(e, at_mono_us);
}
static inline int
env_send(struct env *e, struct env_dest to, const uint8_t *frame, size_t len)
{
    return e->ops->send(e, to, frame, len);
}
static inline void
env_wake(struct env *e)
{
    e->ops->wake(e);
}
static inline void
env_store(struct env *e, struct env_store_req *req)
{
    e->ops->store(e, req);
}
#endif
