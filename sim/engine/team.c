/* sim/engine/team.c - workers side by side in one thread of virtual time.
 *
 * State: the workers, when each wants its tick (the node's one timer is the
 * earliest of them), and of each worker which node its clients are. */
#include "sim/engine/team.h"

#include <assert.h>
#include <stdlib.h>

enum { LINK_SHIFT = 8 }; /* link: client << LINK_SHIFT | worker */

struct team_member {
    struct env env; /* first */
    struct env_ops ops;
    struct team *team;
    uint32_t number;
    uint64_t at_us;
    struct relay *relay;
    uint32_t *client_node; /* by the worker's number for the client */
    uint32_t client_room;
};

struct team {
    struct env *env;
    uint32_t n;
    uint8_t *owner;
    struct team_member member[];
};

static struct env *
node_of(struct env *env)
{
    return ((struct team_member *)env)->team->env;
}

static void
team_arm(struct team *t)
{
    uint64_t at_us = UINT64_MAX;
    for (uint32_t i = 0; i < t->n; i++)
        if (t->member[i].at_us < at_us)
            at_us = t->member[i].at_us;
    env_timer(t->env, at_us);
}

/* ---- a worker's environment ---- */

static uint64_t
now_mono_us(struct env *env)
{
    return env_now_mono_us(node_of(env));
}
static uint64_t
now_wall_ms(struct env *env)
{
    return env_now_wall_ms(node_of(env));
}
static void
random_traffic(struct env *env, void *out, size_t len)
{
    env_random_traffic(node_of(env), out, len);
}
static void
random_crypto(struct env *env, void *out, size_t len)
{
    env_random_crypto(node_of(env), out, len);
}
static void
team_timer(struct env *env, uint64_t at_us)
{
    struct team_member *m = (struct team_member *)env;
    m->at_us = at_us;
    team_arm(m->team);
}
static void
team_wake(struct env *env)
{
    team_timer(env, now_mono_us(env));
}
static int
send_frame(struct env *env, struct env_dest to, const uint8_t *frame,
           size_t len)
{
    const struct team_member *m = (const struct team_member *)env;
    if (to.kind == ENV_TO_CLIENT)
        to.id = m->client_node[to.id];
    else /* nobody sends over another's link */
        assert(m->team->owner[to.id] == m->number);
    return env_send(node_of(env), to, frame, len);
}
static void
team_store(struct env *env, struct env_store_req *req)
{
    env_store(node_of(env), req);
}

/* ---- life ---- */

static int
member_new(struct team *t, uint32_t number, const struct relay_config *config)
{
    struct team_member *m = &t->member[number];
    struct relay_config own = *config;
    m->ops =
        (struct env_ops){.now_mono_us = now_mono_us,
                         .now_wall_ms = now_wall_ms,
                         .random_traffic = random_traffic,
                         .random_crypto = random_crypto,
                         .timer = team_timer,
                         .send = send_frame,
                         .store = config->env->ops->store ? team_store : NULL,
                         .wake = team_wake};
    m->env.ops = &m->ops;
    m->team = t;
    m->number = number;
    own.env = &m->env;
    return number == 0
               ? relay_new(&m->relay, &own)
               : relay_worker(&m->relay, t->member[0].relay, number, &m->env);
}

int
team_new(struct team **out, const struct relay_config *config)
{
    uint32_t n = config->workers ? config->workers : 1;
    struct team *t = calloc(1, sizeof *t + n * sizeof t->member[0]);
    int err = 0;
    *out = NULL;
    if (!t)
        return ERR_NOMEM;
    t->env = config->env;
    t->n = n;
    for (uint32_t i = 0; i < n; i++)
        t->member[i].at_us = UINT64_MAX;
    for (uint32_t i = 0; i < n && !err; i++)
        err = member_new(t, i, config);
    if (err)
        team_free(&t);
    *out = t;
    return err;
}

void
team_free(struct team **tp)
{
    struct team *t = *tp;
    *tp = NULL;
    if (!t)
        return;
    for (uint32_t i = 0; i < t->n; i++) {
        relay_free(&t->member[i].relay);
        free(t->member[i].client_node);
    }
    free(t->owner);
    free(t);
}

void
team_tick(struct team *t)
{
    uint64_t now_us = env_now_mono_us(t->env);
    for (uint32_t i = 0; i < t->n; i++)
        if (t->member[i].at_us <= now_us) {
            t->member[i].at_us = UINT64_MAX;
            relay_tick(t->member[i].relay);
        }
    team_arm(t);
}

struct relay *
team_worker(struct team *t, uint32_t number)
{
    return t->member[number].relay;
}

void
team_stats(const struct team *t, struct relay_stats *sum)
{
    *sum = (struct relay_stats){0};
    for (uint32_t i = 0; i < t->n; i++)
        relay_stats_add(sum, relay_stats(t->member[i].relay));
}

int
team_set_consensus(struct team *t, const struct consensus *c,
                   const uint8_t *seed)
{
    int err = 0;
    if (!t->owner) { /* of the same relays: only the epoch ever changes */
        t->owner = malloc(c->n_relays);
        if (!t->owner)
            return ERR_NOMEM;
        for (size_t i = 0; i < c->n_relays; i++)
            t->owner[i] = (uint8_t)(i % t->n);
    }
    for (uint32_t i = 0; i < t->n && !err; i++)
        err = relay_set_consensus(t->member[i].relay, c, seed, t->owner);
    return err;
}

void
team_forget(struct team *t, uint32_t epoch)
{
    for (uint32_t i = 0; i < t->n; i++)
        relay_forget(t->member[i].relay, epoch);
}

int
team_set_document(struct team *t, uint32_t epoch, const uint8_t *bytes,
                  size_t len)
{
    int err = 0;
    for (uint32_t i = 0; i < t->n && !err; i++)
        err = relay_set_document(t->member[i].relay, epoch, bytes, len);
    return err;
}

void
team_frame(struct team *t, uint32_t from, struct relay_peer *peer,
           const uint8_t *frame)
{
    /* not the one that the link to this relay belongs to */
    relay_frames(t->member[(from + 1) % t->n].relay, peer, frame, 1);
}

int
team_client_open(struct team *t, uint32_t n, uint32_t node, uint32_t *link)
{
    struct team_member *m = &t->member[n % t->n];
    uint32_t client;
    int err = relay_client_open(m->relay, &client);
    if (err)
        return err;
    if (client >= m->client_room) {
        uint32_t room = 2 * client + 16;
        uint32_t *made = realloc(m->client_node, room * sizeof *made);
        if (!made) {
            relay_client_close(m->relay, client);
            return ERR_NOMEM;
        }
        m->client_node = made;
        m->client_room = room;
    }
    m->client_node[client] = node;
    *link = client << LINK_SHIFT | m->number;
    return 0;
}

void
team_client_close(struct team *t, uint32_t link)
{
    relay_client_close(t->member[link & ((1u << LINK_SHIFT) - 1)].relay,
                       link >> LINK_SHIFT);
}

void
team_client_frame(struct team *t, uint32_t link, const uint8_t *frame)
{
    relay_client_frames(t->member[link & ((1u << LINK_SHIFT) - 1)].relay,
                        link >> LINK_SHIFT, frame, 1);
}
