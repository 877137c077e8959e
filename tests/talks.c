/* tests/talks.c - see talks.h. */
#include "tests/talks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/arrival.h"
#include "client/conversations.h"
#include "client/places.h"
#include "tests/day_key.h"
#include "tests/runner.h"

enum {
    STORES = 4,
    SAY_S = 20,     /* between two texts of a running conversation, each way */
    OTHERS_S = 200, /* and of those that have no front */
    RESTART_S = 125,
    BOXES_AHEAD = 6, /* of a day */
};

/* TALKS_DAYS_MAX has room for four more. */
unsigned
talks_days(void)
{
    return test_proof() ? 30 : 3;
}

/* ---- what stores see ---- */

static uint64_t
bytes_hash(const uint8_t *p, size_t len)
{
    uint64_t h = 0xcbf29ce484222325U;
    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 0x100000001b3U;
    return h;
}

/* A get that came to a store: which of those that left was it? */
static void
get_came(struct talks *x, uint64_t packet, uint32_t store)
{
    for (size_t i = x->n; i-- > 0 && i + 500 > x->n;)
        if (x->get[i].packet == packet) {
            x->get[i].store = store;
            x->get[i].came = true;
            return;
        }
}

static void
see(void *ctx, uint64_t now_us, uint32_t from, uint32_t to,
    const uint8_t *frame, size_t len)
{
    struct talks *x = ctx;
    const struct consensus *c = x->w->net.consensus;
    const struct sphinx_geometry *g = &c->params.geometry;
    const uint8_t *body = frame + g->header_len + SPHINX_TAG_LEN;
    struct wire_request r;
    uint8_t client = 0;
    (void)len;
    while (client < TALKS_CLIENTS && x->player[client].k &&
           x->player[client].k->node != from)
        client++;
    const bool leaves = client < TALKS_CLIENTS && x->player[client].k;
    const bool comes = !leaves && from < x->w->n_relays &&
                       to < x->w->n_relays &&
                       c->relays[to].layer == c->params.layers + 1;
    /* the suite null hides nothing */
    if ((!leaves && !comes) || frame[0] != WIRE_PACKET ||
        wire_request_parse(&r, body, g->body_len, g->surb_len) != 0 ||
        r.kind != WIRE_GET)
        return;
    const uint64_t packet = bytes_hash(body, g->body_len);
    if (comes) {
        get_came(x, packet, to);
        return;
    }
    assert_true(x->n < x->room);
    struct talks_get *of = &x->get[x->n++];
    *of = (struct talks_get){.at_s = (double)now_us / 1e6,
                             .packet = packet,
                             .client = client,
                             .slot = r.slot,
                             .held = r.held};
    memcpy(of->box, r.box, TALKS_BOX_SEEN);
    memcpy(of->work, r.work, TALKS_BOX_SEEN);
}

/* ---- a course ---- */

static void
params_talks(struct params *p)
{
    p->epoch_len_s = TALKS_DAY_S / 2;
    p->period_s = TALKS_DAY_S;
    p->switch_window_s = 25;
    p->relay_loop_mhz = 1;
    p->conversations.hold_min_s = 2 * SAY_S + FRONTS_MARGIN_S;
    p->conversations.hold_max_s = 4 * SAY_S + FRONTS_MARGIN_S;
    p->conversations.lane = 8;
    p->conversations.sweep = 6; /* none waits for its turn */
    p->conversations.sweep_mean_s = 120;
    p->conversations.look_s = 20;
}

static struct conversation *
view_of(const struct client *c, unsigned of)
{
    char name[16];
    snprintf(name, sizeof name, "x%u", of);
    return of < TALKS_CONTACTS
               ? conversation_find(c, name)
               : conversation_by_id(c, SELF_FIRST + of - TALKS_CONTACTS);
}

static double
now_s(const struct talks *x)
{
    return (double)engine_now_us(x->w->engine) / 1e6;
}

uint32_t
talks_period(const struct talks *x, double at_s)
{
    return x->first_period + (uint32_t)((at_s - x->first_s) / TALKS_DAY_S);
}

/* Up to which number has all been put? */
static uint32_t
put_up_to(const struct conversation *v)
{
    uint32_t last = v->next_sequence - 1;
    for (const struct out_letter *l = v->letters; l; l = l->next)
        if (l->sequence > 0 && !l->tried && l->sequence <= last)
            last = l->sequence - 1;
    return last;
}

/* A letter of a contact's that acknowledges all, or one of the client's to itself. */
static void
letter_lies(struct talks *x, uint8_t client, uint8_t of)
{
    struct talks_client *p = &x->player[client];
    struct conversation *v = view_of(p->k->client, of);
    const bool self = of >= TALKS_CONTACTS;
    struct adversary_contact *a =
        self ? &p->self[of - TALKS_CONTACTS] : &p->contact[of];
    struct letter l = {.kind = LETTER_TEXT,
                       .count = 1,
                       .total = 2,
                       .data_len = 2,
                       .data = (const uint8_t *)"\1x"};
    if (!v)
        return;
    const uint32_t today = talks_period(x, now_s(x));
    if (a->at.period != today)
        a->at = (struct letter_place){today, 0};
    if (self && v->at.period == today && v->at.n > a->at.n)
        a->at.n = v->at.n; /* it has written there itself */
    l.ack = self ? 0 : put_up_to(v);
    rng_seeded_bytes(&a->rng, l.message, sizeof l.message);
    adversary_contact_write(a, &l);
    if (self)
        v->at = a->at;
    assert_true(x->n_puts < x->puts_room);
    x->put[x->n_puts++] =
        (struct talks_put){now_s(x), client, of, {a->at.period, a->at.n - 1}};
}

/* Note in whose boxes of today letters of the client's own lie: those are few, and of
 * no talk. */
static void
writes_note(struct talks *x, struct talks_client *p)
{
    const uint32_t today = client_period(p->k->client);
    for (unsigned i = 0; i < FRONTS_MAX; i++) {
        const struct conversation *v =
            view_of(p->k->client, TALKS_CONTACTS + i);
        const struct letter_place at = p->self[i].at;
        if (v->at.period == today && v->at.n > (at.period == today ? at.n : 0))
            p->writes[i][today - x->first_period + 1] = true;
    }
}

/* What a user and his contacts do in this second. */
static void
second_pass(struct talks *x, uint8_t client, unsigned s)
{
    struct talks_client *p = &x->player[client];
    char name[8];
    for (unsigned i = 0; i < TALKS_CONTACTS && p->k->client; i++) {
        const unsigned every = i < (x->ten ? 2 : 1) ? SAY_S
                               : x->ten             ? OTHERS_S
                                                    : 0;
        snprintf(name, sizeof name, "x%u", i);
        if (every == 0 || (s + 7 * i + 3 * client) % every != 0)
            continue;
        letter_lies(x, client, (uint8_t)i);
        (void)world_say(p->k, name, "what I say");
        if (every == OTHERS_S)
            places_announced(p->k->client,
                             client_contact_id(p->k->client, name),
                             client_period(p->k->client));
    }
    if (!p->k->client)
        return;
    (void)world_take(p->k, NULL);
    const int front =
        fronts_of(p->k->client->fronts, env_now_mono_us(p->k->env),
                  client_contact_id(p->k->client, "x0"));
    p->front[s] = (int8_t)front;
    writes_note(x, p);
    if (x->ten || front < 0)
        return;
    if ((s + 5) % SAY_S == 0) /* to the self whose front is free */
        letter_lies(x, client, (uint8_t)(TALKS_CONTACTS + 1 - front));
}

/* A contact has taken up its invitation, and its client has read that. */
static void
hello_comes(struct talks *x, struct talks_client *p, uint8_t of)
{
    static uint8_t bytes[LETTER_LEN_MAX];
    struct adversary_contact *a = &p->contact[of];
    struct conversation *v = view_of(p->k->client, of);
    const struct arrival came = {
        .at = {client_period(p->k->client), 0},
        .rank = STORE_FIRST,
        .whom = {.place = FRONTS_SWEEP, .contact = v->id}};
    const struct letter l = {
        .kind = LETTER_HELLO, .count = 1, .sequence = ++a->sequence};
    const struct day_key key =
        day_key_of(&a->chain, &x->w->net.consensus->params, came.at.period);
    assert_int_equal(
        session_seal(&a->session, &l, key.key, came.at, bytes, a->letter_len),
        0);
    (void)arrival_letter(p->k->client, v, &came, bytes);
    assert_true(v->confirmed);
    a->at = (struct letter_place){came.at.period, 1};
}

static void
players_make(struct talks *x)
{
    char name[8], text[INVITE_TEXT_LEN];
    for (unsigned i = 0; i < TALKS_CLIENTS; i++)
        x->player[i].k = world_client_add(x->w, "default", i);
    world_run_s(x->w, 30);
    for (unsigned i = 0; i < TALKS_CLIENTS; i++) {
        struct talks_client *p = &x->player[i];
        for (unsigned of = 0; of < TALKS_CONTACTS; of++) {
            snprintf(name, sizeof name, "x%u", of);
            assert_int_equal(client_invite(p->k->client, name, text), 0);
            adversary_contact_make(&p->contact[of], x->w, text,
                                   100 * i + of + test_seed());
            hello_comes(x, p, (uint8_t)of);
        }
        const size_t seconds =
            TALKS_BEGIN_S + (size_t)talks_days() * TALKS_DAY_S;
        p->front = calloc(seconds, sizeof *p->front);
        assert_non_null(p->front);
        memset(p->front, -1, seconds);
        for (unsigned of = 0; of < FRONTS_MAX; of++) {
            p->self[of] = p->contact[0];
            p->self[of].session = (struct session){0}; /* sealed by place */
            rng_seeded_init_u64(&p->self[of].rng, 100 * i + of, "self");
            p->self[of].chain =
                view_of(p->k->client, TALKS_CONTACTS + of)->chains[CHAIN_OUT];
        }
    }
}

void
talks_run(struct talks *x, bool ten, uint64_t seed)
{
    const struct world_config config = {.suite = SPHINX_SUITE_NULL,
                                        .gateways = 2,
                                        .layers = 3,
                                        .mixes = 1,
                                        .stores = STORES,
                                        .params = params_talks,
                                        .seed = test_seed() + seed};
    const unsigned seconds = TALKS_BEGIN_S + talks_days() * TALKS_DAY_S;
    *x = (struct talks){.ten = ten,
                        .room = (size_t)seconds * 12,
                        .puts_room = (size_t)seconds * 2};
    x->get = calloc(x->room, sizeof *x->get);
    x->put = calloc(x->puts_room, sizeof *x->put);
    assert_true(x->get && x->put);
    x->w = world_new(&config);
    players_make(x);
    x->first_s = now_s(x);
    const uint64_t wall_s = env_now_wall_s(x->w->relay[0].env);
    x->first_period = (uint32_t)(wall_s / TALKS_DAY_S);
    x->first_s -= (double)(wall_s % TALKS_DAY_S);
    for (unsigned s = 0; s < seconds; s++) {
        for (uint8_t i = 0; i < TALKS_CLIENTS; i++) {
            struct talks_client *p = &x->player[i];
            const unsigned phase = (s + RESTART_S - 50 * i) % RESTART_S;
            second_pass(x, i, s);
            if (s > TALKS_BEGIN_S && phase == 70)
                world_client_stop(p->k);
            if (s > TALKS_BEGIN_S && phase == 72) {
                world_client_start(p->k);
                assert_true(p->starts < 256);
                p->started_s[p->starts++] = now_s(x);
            }
        }
        if (s == TALKS_BEGIN_S)
            x->seen_s = now_s(x);
        if (s == TALKS_BEGIN_S)
            engine_tap(x->w->engine, see, x);
        world_run_s(x->w, 1);
        world_epoch_due(x->w);
    }
    engine_tap(x->w->engine, NULL, NULL);
}

void
talks_free(struct talks *x)
{
    world_free(&x->w);
    for (unsigned i = 0; i < TALKS_CLIENTS; i++)
        free(x->player[i].front);
    free(x->get);
    free(x->put);
}

/* ---- whose boxes they are, which no store knows ---- */

static void
box_name(struct talks *x, uint8_t client, uint8_t of, struct letter_place at)
{
    const struct conversation *v = view_of(x->player[client].k->client, of);
    uint8_t box[LETTER_BOX_LEN];
    const struct talks_get *last[64] = {NULL}; /* at each relay */
    conversation_box(x->player[client].k->client, v, CHAIN_IN, at, box);
    for (size_t i = 0; i < x->n; i++) {
        struct talks_get *g = &x->get[i];
        if (g->known || memcmp(g->box, box, TALKS_BOX_SEEN) != 0)
            continue;
        g->known = true;
        g->of = of;
        g->period = at.period;
        g->n = at.n / LETTER_SLOTS;
        /* of one store a box's token is always the same */
        const struct talks_get *before = last[g->store % 64];
        g->shows = before && memcmp(before->work, g->work, TALKS_BOX_SEEN) == 0;
        last[g->store % 64] = g;
    }
}

void
talks_name(struct talks *x)
{
    const uint32_t from = x->first_period - 1;
    for (uint8_t client = 0; client < TALKS_CLIENTS; client++)
        for (uint8_t of = 0; of < TALKS_VIEWS_MAX; of++)
            for (uint32_t day = 0; day < talks_days() + 4; day++)
                for (uint32_t n = 0; n < BOXES_AHEAD; n++)
                    box_name(
                        x, client, of,
                        (struct letter_place){from + day, n * LETTER_SLOTS});
}
