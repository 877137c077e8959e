/* relay/gateway.c - a gateway's clients.
 *
 * A client's states: open (pieces of the consensus go down), then, from its
 * first control frame on, the downlink clock as well; closed when its link is.
 *
 * Timers: each open client has at most one entry in the relay's wheel, for the
 * earlier of its two clocks. The entry carries the client's generation, so one
 * left over from a closed client does nothing. */
#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lib/pack.h"
#include "lib/rng.h"
#include "lib/bucket.h"
#include "relay/internal.h"

enum {
    BURST_US = 10000000,
    BURST_MIN = 64,
    GRACE_US = 15000000, /* an answer takes 2 s, and a new client waits first */
    STAYS_US = 300000000, /* so far ahead answers may keep a place, */
    STAYS_MIN = 16,       /* or as long as so many do; */
    STAYS_PERCENT = 125, /* each for so much of what one of the slowest takes */
    QUEUED_PART = 2,     /* of all places answers that wait have this part, */
    QUEUED_TIMES = 16,   /* a client so many times its share of what is free */
    PER_US = 1000000000  /* rates are per 1,000 s */
};

static void
client_arm(struct relay *r, uint32_t number)
{
    struct gateway_client *c = &r->clients[number];
    uint64_t next_us = downlink_next_us(&c->down);
    if (c->waiting || next_us == UINT64_MAX)
        return;
    /* 24 bits of the client's generation share a word with the kind */
    if (wheel_add(r->due, next_us, number,
                  DUE_CLIENT | (c->generation & 0xffffff) << 8) == 0)
        c->waiting = true;
    else {
        relay_drop(r, ERR_NOMEM);
        r->unarmed = true; /* its clock must not stop: again in the next turn */
    }
}

void
gateway_again(struct relay *r)
{
    if (!r->unarmed)
        return;
    r->unarmed = false;
    for (uint32_t i = 0; i < r->clients_made; i++)
        if (r->clients[i].open)
            client_arm(r, i);
}

/* Arm a client whose clocks have changed; an entry under way is void. This
 * happens once a connection and once a document, so entries stay few. */
static void
client_rearm(struct relay *r, uint32_t number)
{
    r->clients[number].generation++;
    r->clients[number].waiting = false;
    client_arm(r, number);
}

/* Tell what the handles of a client lead to. */
static uint32_t
client_name(const struct relay *r, uint32_t number)
{
    return r->number << PLANE_WORKER_SHIFT | number;
}

int
gateway_open(struct relay *r, uint32_t *client)
{
    if (!r->newest || r->newest->layer != 0)
        return ERR_COMMAND;
    uint32_t i = 0;
    while (i < r->clients_made && r->clients[i].open)
        i++;
    if (i == r->plane->clients_max)
        return ERR_FULL;
    if (i == r->clients_made) {
        uint32_t left = r->plane->clients_max - r->clients_made;
        uint32_t more = r->clients_made ? r->clients_made : 16;
        if (more > left)
            more = left;
        size_t made = (size_t)r->clients_made + more;
        struct gateway_client *c = realloc(r->clients, made * sizeof *c);
        if (!c)
            return ERR_NOMEM;
        memset(c + r->clients_made, 0, more * sizeof *c);
        r->clients = c;
        r->clients_made += more;
    }
    if (atomic_fetch_add(&r->plane->clients, 1) >= r->plane->clients_max) {
        atomic_fetch_sub(&r->plane->clients, 1);
        return ERR_FULL;
    }
    struct gateway_client *c = &r->clients[i];
    uint32_t generation = c->generation + 1;
    *c = (struct gateway_client){
        .open = true,
        .generation = generation,
        .opened_us = env_now_mono_us(r->env),
        .lists = lists_enter(r->plane->lists, env_now_wall_ms(r->env))};
    if (r->pieces > 0)
        downlink_pieces_start(&c->down, env_now_mono_us(r->env));
    client_arm(r, i);
    *client = i;
    return 0;
}

bool
gateway_is_open(const struct relay *r, uint32_t client)
{
    return client < r->clients_made && r->clients[client].open;
}

static uint32_t
profile_mhz(const struct profile *p)
{
    return p->send_mhz + p->poll_mhz + p->loop_mhz;
}

/* Tell what the slowest profile sends. */
static uint32_t
slowest_mhz(const struct params *p)
{
    uint32_t mhz = UINT32_MAX;
    for (size_t i = 0; i < p->n_profiles; i++)
        if (profile_mhz(&p->profiles[i]) < mhz)
            mhz = profile_mhz(&p->profiles[i]);
    assert(mhz > 0); /* loop_mhz is 1 or more */
    return mhz;
}

/* Tell until when a client keeps its place, whoever comes. */
static uint64_t
client_until_us(const struct relay *r, const struct gateway_client *c)
{
    /* one that has no consensus is to get it first */
    const uint64_t pieces_us =
        r->newest ? (uint64_t)r->pieces *
                        r->newest->consensus->params.piece_interval_us
                  : 0;
    return c->stays_us ? c->stays_us : c->opened_us + GRACE_US + pieces_us;
}

/* Note that a client has an answer, for which a packet has gone through the
 * network. It keeps the client's place for so long that four fifths of the
 * answers of the slowest profile keep it for ever, and fewer do not, however
 * they are spread. Honest clients have more than that, and have soon saved up
 * minutes in which none need come. */
static void
client_answered(const struct relay *r, struct gateway_client *c)
{
    const uint64_t now_us = env_now_mono_us(r->env);
    const uint64_t each_us = (uint64_t)STAYS_PERCENT * PER_US / 100 /
                             slowest_mhz(&r->newest->consensus->params);
    const uint64_t most_us =
        now_us +
        (STAYS_US > STAYS_MIN * each_us ? STAYS_US : STAYS_MIN * each_us);
    const uint64_t until_us = client_until_us(r, c);
    c->stays_us = (until_us > now_us ? until_us : now_us) + each_us;
    if (c->stays_us > most_us)
        c->stays_us = most_us;
}

bool
gateway_idler(const struct relay *r, uint32_t *client)
{
    const uint64_t now_us = env_now_mono_us(r->env);
    uint64_t first_us = UINT64_MAX;
    for (uint32_t i = 0; i < r->clients_made; i++) {
        const struct gateway_client *c = &r->clients[i];
        const uint64_t until_us = client_until_us(r, c);
        if (!c->open || now_us < until_us || until_us >= first_us)
            continue;
        *client = i;
        first_us = until_us;
    }
    return first_us != UINT64_MAX;
}

void
gateway_close(struct relay *r, uint32_t number)
{
    uint32_t packet;
    if (!gateway_is_open(r, number))
        return;
    struct gateway_client *c = &r->clients[number];
    for (unsigned i = 0; i < DOWNLINK_HANDLES; i++)
        handles_remove(r->plane->handles, c->down.handle[i],
                       client_name(r, number));
    c->down.interval_us = 1;
    c->down.next_us = 1;
    while (downlink_pop(&c->down, UINT64_MAX / 2, &packet) &&
           packet != UINT32_MAX) {
        atomic_fetch_sub(&r->plane->queued, 1);
        relay_give(r, packet);
        c->down.next_us = 1;
    }
    atomic_fetch_sub(&r->plane->clients, 1);
    c->open = false;
    c->waiting = false;
    c->generation++;
    sodium_memzero(&c->down, sizeof c->down);
}

void
gateway_mark(struct relay *r, uint32_t client, const uint8_t *frame)
{
    memcpy(r->clients[client].mark, frame + WIRE_MARK_AT, WIRE_MARK_LEN);
}

uint32_t
gateway_ahead(const struct relay *r, uint32_t client)
{
    const uint32_t every_us = r->clients[client].down.interval_us;
    const uint32_t piece_us = r->newest->consensus->params.piece_interval_us;
    return params_window((every_us ? PER_US / every_us : 0) +
                         PER_US / piece_us);
}

/* A client sends what its profile says, and a quarter more for its clock; ten
 * seconds' worth may come at once, which is more than chance brings. This is
 * judged before any key exchange. Before a client has told its profile it
 * counts as the slowest; its first frame tells the profile. */
size_t
gateway_allow(struct relay *r, uint32_t client, size_t n)
{
    struct gateway_client *c = &r->clients[client];
    const struct params *p = &r->newest->consensus->params;
    const uint64_t now_us = env_now_mono_us(r->env);
    const uint32_t mhz = c->frames_mhz > 0 ? c->frames_mhz : slowest_mhz(p);
    const uint64_t each_us = 800000000ULL / mhz;
    const uint64_t burst_us =
        BURST_US > BURST_MIN * each_us ? BURST_US : BURST_MIN * each_us;
    size_t passed = 0;
    while (passed < n && bucket_take(&c->full_us, now_us, each_us, burst_us))
        passed++;
    return passed;
}

int
gateway_take_control(struct relay *r, uint32_t number, const uint8_t *frame)
{
    struct gateway_client *c = &r->clients[number];
    const struct params *p = &r->newest->consensus->params;
    struct wire_control control;
    int err = wire_control_parse(&control, frame, r->geometry.packet_len);
    if (err)
        return err;
    if (control.profile >= p->n_profiles)
        return ERR_RANGE;
    const struct profile *profile = &p->profiles[control.profile];
    /* The profile was chosen once; a client that changes it shows its use. What
     * it sends, and how many frames it gets, each consensus says anew. */
    if (c->frames_mhz > 0 &&
        strncmp(c->profile, profile->name, sizeof c->profile) != 0)
        return ERR_CONFLICT;
    memcpy(c->profile, profile->name, sizeof c->profile);
    c->frames_mhz = profile_mhz(profile);
    const bool other_pace = c->down.interval_us != profile->down_interval_us;
    /* the oldest handle makes room before the new one comes in */
    unsigned oldest = (c->down.newest_handle + 1u) % DOWNLINK_HANDLES;
    if (c->down.n_handles == DOWNLINK_HANDLES)
        handles_remove(r->plane->handles, c->down.handle[oldest],
                       client_name(r, number));
    err =
        handles_add(r->plane->handles, control.handle, client_name(r, number));
    if (err)
        return err;
    downlink_control(&c->down, control.handle, profile->down_interval_us,
                     env_now_mono_us(r->env), rng_u64(r->env));
    if (other_pace)
        client_rearm(r, number);
    return 0;
}

static uint32_t
client_find(const struct relay *r, const uint8_t handle[static 8])
{
    return r->plane->handles ? handles_find(r->plane->handles, handle)
                             : HANDLES_NONE;
}

uint32_t
gateway_owner(const struct relay *r, const uint8_t handle[static 8])
{
    uint32_t name = client_find(r, handle);
    return name == HANDLES_NONE ? r->number : name >> PLANE_WORKER_SHIFT;
}

/* May one more answer wait for this client? A client that is sent more than its
 * downlink carries fills its queue; so what one may hold falls with what all
 * hold, as a link's share does (places.h), or a few hundred clients would have
 * all places. */
static bool
queue_has_room(const struct relay *r, const struct gateway_client *c)
{
    const struct plane *p = r->plane;
    const uint32_t all = p->packets_max / QUEUED_PART;
    const uint32_t queued = atomic_load(&p->queued);
    const uint64_t free_now = queued < all ? all - queued : 0;
    const uint64_t most = QUEUED_TIMES * free_now / p->clients_max;
    return c->down.queue_count == 0 || c->down.queue_count < most;
}

/* Queue a packet for the client to whom its handle leads. */
static int
answer_queue(struct relay *r, uint32_t number)
{
    const uint32_t name = client_find(r, relay_held_at(r, number)->handle);
    const uint32_t client = name & ((1u << PLANE_WORKER_SHIFT) - 1);
    if (name == HANDLES_NONE || name >> PLANE_WORKER_SHIFT != r->number)
        return ERR_HANDLE;
    struct gateway_client *c = &r->clients[client];
    int err = queue_has_room(r, c) ? downlink_push(&c->down, number) : ERR_FULL;
    if (!err)
        atomic_fetch_add(&r->plane->queued, 1);
    return err;
}

void
gateway_deliver(struct relay *r, uint32_t number)
{
    const int err = answer_queue(r, number);
    if (err) {
        relay_drop(r, err);
        relay_give(r, number);
    }
}

/* Send the frame in r->frame. Returns ERR_FULL when the client's line is not
 * free for it: that tick is skipped. */
static int
frame_send(struct relay *r, uint32_t client)
{
    int err = env_send(r->env, (struct env_dest){ENV_TO_CLIENT, client, 0},
                       r->frame, r->geometry.packet_len);
    if (err == ERR_FULL)
        r->stats.skipped++;
    else if (err)
        relay_drop(r, err);
    return err;
}

/* Send an answer, or a dummy that only the client can tell from one, and beside
 * either the next slice of the lists. What found the line blocked waits on. */
static void
answer_send(struct relay *r, uint32_t number, uint32_t packet)
{
    const struct sphinx_geometry *g = &r->geometry;
    struct gateway_client *c = &r->clients[number];
    uint8_t *frame = r->frame;
    env_random_crypto(r->env, frame, g->packet_len);
    frame[0] = WIRE_PACKET;
    memcpy(frame + WIRE_DOWN_MARK_AT, c->mark, sizeof c->mark);
    if (packet != UINT32_MAX) {
        const struct held *h = relay_held_at(r, packet);
        memcpy(frame + 1, h->surb_id, sizeof h->surb_id);
        memcpy(frame + WIRE_DOWN_HEAD_LEN, h->packet + g->header_len,
               g->payload_len);
    }
    const size_t rest = WIRE_DOWN_HEAD_LEN + (size_t)g->payload_len;
    const struct lists_place then = lists_slice(
        r->plane->lists, c->lists, frame + rest, g->packet_len - rest);
    int err = frame_send(r, number);
    if (err == ERR_FULL) {
        downlink_again(&c->down, packet);
        return;
    }
    if (packet != UINT32_MAX) {
        atomic_fetch_sub(&r->plane->queued, 1);
        relay_give(r, packet);
    }
    if (err)
        return;
    c->lists = then;
    if (packet != UINT32_MAX)
        client_answered(r, c);
    *(packet != UINT32_MAX ? &r->stats.delivered : &r->stats.dummies) += 1;
}

static int
piece_send(struct relay *r, uint32_t client, uint16_t index)
{
    size_t len = r->geometry.packet_len;
    size_t room = len - WIRE_PIECE_HEAD_LEN, at = index * room;
    size_t n = r->document_len - at < room ? r->document_len - at : room;
    struct wire_piece piece = {.time_ms = env_now_wall_ms(r->env),
                               .epoch = r->document_epoch,
                               .index = index,
                               .count = r->pieces,
                               .len = (uint16_t)n,
                               .data = r->document + at};
    env_random_crypto(r->env, r->frame, len);
    int err = wire_piece_write(r->frame, len, &piece);
    if (err) {
        relay_drop(r, err);
        return err;
    }
    err = frame_send(r, client);
    r->stats.pieces += err == 0;
    return err;
}

void
gateway_due(struct relay *r, uint32_t number, uint32_t generation,
            uint64_t now_us)
{
    uint32_t packet;
    uint16_t piece;
    if (number >= r->clients_made)
        return;
    struct gateway_client *c = &r->clients[number];
    if (!c->open || (c->generation & 0xffffff) != generation)
        return;
    c->waiting = false;
    if (downlink_pop(&c->down, now_us, &packet))
        answer_send(r, number, packet);
    uint32_t every_us = r->newest->consensus->params.piece_interval_us;
    if (downlink_piece_pop(&c->down, now_us, r->pieces, every_us, &piece) &&
        piece_send(r, number, piece) == ERR_FULL)
        downlink_piece_again(&c->down, now_us, every_us);
    client_arm(r, number);
}

int
gateway_set_document(struct relay *r, uint32_t epoch, const uint8_t *bytes,
                     size_t len)
{
    const size_t room = (size_t)r->geometry.packet_len - WIRE_PIECE_HEAD_LEN;
    uint8_t *packed;
    size_t packed_len;
    if (!r->newest)
        return ERR_AGAIN;
    int err = pack_deflate(bytes, len, &packed, &packed_len);
    if (err)
        return err;
    const size_t pieces = (packed_len + room - 1) / room;
    if (len == 0 || pieces > UINT16_MAX) {
        free(packed);
        return ERR_RANGE;
    }
    free(r->document);
    r->document = packed;
    r->document_len = packed_len;
    r->document_epoch = epoch;
    r->pieces = (uint16_t)pieces;
    for (uint32_t i = 0; i < r->clients_made; i++)
        if (r->clients[i].open) {
            downlink_pieces_start(&r->clients[i].down, env_now_mono_us(r->env));
            client_arm(r, i);
        }
    return 0;
}

void
gateway_free(struct relay *r)
{
    for (uint32_t i = 0; i < r->clients_made; i++)
        gateway_close(r, i);
    free(r->clients);
    free(r->document);
}
