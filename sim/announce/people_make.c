/* sim/announce/people_make.c - people and whom they know, and what their
 * clients get from outside: the virtual time, and two streams of the run's
 * seed. Failure modes: no memory. */
#include <assert.h>
#include <stdlib.h>

#include "sim/announce/people.h"

enum { FIRST_ROOM = 8 };

static uint64_t
now_mono_us(struct env *env)
{
    return ((struct people *)env)->now_us;
}

static void
random_traffic(struct env *env, void *out, size_t len)
{
    rng_seeded_bytes(&((struct people *)env)->traffic, out, len);
}

static void
random_crypto(struct env *env, void *out, size_t len)
{
    rng_seeded_bytes(&((struct people *)env)->crypto, out, len);
}

static const struct env_ops ops = {.now_mono_us = now_mono_us,
                                   .random_traffic = random_traffic,
                                   .random_crypto = random_crypto};

void
people_fail(struct people *p, int err)
{
    if (err && !p->err)
        p->err = err;
}

/* ---- making ---- */

static int
person_make(struct people *p, struct person *me)
{
    const struct scenario_announce *a = &p->scenario->announce;
    struct conversation_params f;
    fronts_params_default(&f, a->fronts);
    f.front = (uint8_t)a->front_share;
    f.lane = (uint8_t)a->lane_share;
    f.sweep = (uint8_t)a->sweep_share;
    f.ack_s = a->ack_s;
    f.ack_noise_s = a->ack_noise_s;
    traffic_init(&me->traffic, &p->profile, &p->env);
    return fronts_new(&me->fronts, &f);
}

int
people_make(struct people *p, const struct scenario *s, uint32_t n,
            uint64_t seed)
{
    *p = (struct people){
        .env = {&ops}, .scenario = s, .profile = s->clients[0].profile};
    if (s->announce.poll_mhz > 0)
        p->profile.poll_mhz = s->announce.poll_mhz;
    rng_seeded_init_u64(&p->traffic, seed, "announce: traffic");
    rng_seeded_init_u64(&p->crypto, seed, "announce: keys");
    boards_make(&p->boards, s);
    p->person = calloc(n, sizeof *p->person);
    if (!p->person)
        return ERR_NOMEM;
    int err = 0;
    for (; p->n_persons < n && !err; p->n_persons++)
        err = person_make(p, &p->person[p->n_persons]);
    return err;
}

static void
line_free(struct people_line *l)
{
    free(l->at);
}

void
people_free(struct people *p)
{
    for (uint32_t i = 0; i < p->n_persons; i++) {
        fronts_free(&p->person[i].fronts);
        line_free(&p->person[i].own);
        line_free(&p->person[i].answers);
    }
    for (uint32_t i = 0; i < p->n_ways; i++)
        free(p->way[i].note);
    free(p->person);
    free(p->way);
    free(p->get);
    events_free(&p->events);
    *p = (struct people){0};
}

static int
contact_add(struct people *p, uint32_t person, uint32_t number, uint32_t way)
{
    struct person *me = &p->person[person];
    assert(number > 0 && number <= PERSON_CONTACTS_MAX);
    me->way[number] = way;
    me->active[number] = ++p->recency;
    me->contacts += number > me->contacts ? number - me->contacts : 0;
    return fronts_add(me->fronts, &p->env, p->now_us, number);
}

int
people_idle(struct people *p, uint32_t person, uint32_t from, uint32_t n)
{
    int err = 0;
    for (uint32_t i = from; i < from + n && !err; i++)
        err = contact_add(p, person, i, 0);
    return err;
}

int
people_meet(struct people *p, uint32_t a, uint32_t b, uint32_t number,
            uint32_t *way)
{
    if (p->n_ways == p->ways_room) {
        const uint32_t room = p->ways_room ? 2 * p->ways_room : FIRST_ROOM;
        struct people_way *made = realloc(p->way, room * sizeof *made);
        if (!made)
            return ERR_NOMEM;
        p->way = made;
        p->ways_room = room;
    }
    *way = p->n_ways;
    p->way[p->n_ways++] =
        (struct people_way){.from = a, .to = b, .number = number};
    p->way[p->n_ways++] =
        (struct people_way){.from = b, .to = a, .number = number};
    int err = contact_add(p, a, number, *way + 2);
    return err ? err : contact_add(p, b, number, *way + 1);
}
