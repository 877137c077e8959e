/* tests/independent/peer_authorities.c - what authorities do with votes: dealings of
 * the shared value, and the tally (PROTOCOL.md 9.3, 9.4). */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "directory/share.h"
#include "directory/tally.h"
#include "directory/vote.h"
#include "lib/rng_seeded.h"
#include "network/json.h"
#include "tests/independent/peer.h"

/* Randomness from the request's "seed". */
struct source {
    struct env env;
    struct env_ops ops;
    struct rng_seeded rng;
};

static void
source_bytes(struct env *env, void *out, size_t len)
{
    rng_seeded_bytes(&((struct source *)(void *)env)->rng, out, len);
}

static struct env *
source_get(struct peer *p)
{
    struct source *s = peer_alloc(p, sizeof *s);
    s->ops = (struct env_ops){.random_traffic = source_bytes,
                              .random_crypto = source_bytes};
    s->env.ops = &s->ops;
    rng_seeded_init(&s->rng, peer_get_exact(p, "seed", 32), "peer");
    return &s->env;
}

static void
points_get(struct peer *p, const char *key, size_t n, uint8_t (*out)[SHARE_LEN])
{
    memcpy(out, peer_get_exact(p, key, n * SHARE_LEN), n * SHARE_LEN);
}

/* The holders of a dealing, and with all of it what is dealt. */
static struct share_dealing *
dealing_get(struct peer *p, int all)
{
    struct share_dealing *d = peer_alloc(p, sizeof *d);
    size_t n;
    const uint8_t *at = peer_get_bytes(p, "at", &n);
    d->n = (uint8_t)n;
    d->degree = (uint8_t)peer_get_number(p, "degree", SHARE_MAX - 1);
    memcpy(d->at, at, n);
    points_get(p, "keys", n, d->key);
    if (!all)
        return d;
    points_get(p, "commitments", d->degree + 1u, d->commitment);
    points_get(p, "shares", n, d->share);
    points_get(p, "responses", n, d->response);
    memcpy(d->challenge, peer_get_exact(p, "challenge", SHARE_LEN), SHARE_LEN);
    return d;
}

static const uint8_t *
context_get(struct peer *p)
{
    return peer_get_exact(p, "context", SHARE_CONTEXT_LEN);
}

static int
deal(struct peer *p)
{
    struct share_dealing *d = dealing_get(p, 0);
    int err = share_deal(d, source_get(p), context_get(p));
    if (err)
        return err;
    peer_say_bytes(p, "commitments", d->commitment,
                   (d->degree + 1u) * (size_t)SHARE_LEN);
    peer_say_bytes(p, "shares", d->share, d->n * (size_t)SHARE_LEN);
    peer_say_bytes(p, "responses", d->response, d->n * (size_t)SHARE_LEN);
    peer_say_bytes(p, "challenge", d->challenge, SHARE_LEN);
    return 0;
}

static int
deal_check(struct peer *p)
{
    return share_check(dealing_get(p, 1), context_get(p));
}

static int
open_one(struct peer *p)
{
    struct share_opened o;
    const struct share_dealing *d = dealing_get(p, 1);
    int err = share_open(&o, d, (size_t)peer_get_number(p, "holder", d->n - 1u),
                         peer_get_exact(p, "secret", SHARE_LEN), source_get(p),
                         context_get(p));
    if (err)
        return err;
    peer_say_bytes(p, "point", o.point, SHARE_LEN);
    peer_say_bytes(p, "challenge", o.challenge, SHARE_LEN);
    peer_say_bytes(p, "response", o.response, SHARE_LEN);
    return 0;
}

static int
open_check(struct peer *p)
{
    struct share_opened o;
    const struct share_dealing *d = dealing_get(p, 1);
    const json_t *opened = json_object_get(p->in, "opened");
    peer_unhex(opened, "point", o.point, SHARE_LEN);
    peer_unhex(opened, "challenge", o.challenge, SHARE_LEN);
    peer_unhex(opened, "response", o.response, SHARE_LEN);
    return share_open_check(
        &o, d, (size_t)peer_get_number(p, "holder", d->n - 1u), context_get(p));
}

static int
combine(struct peer *p)
{
    const struct share_dealing *d = dealing_get(p, 1);
    const json_t *places = peer_get_list(p, "places");
    uint8_t points[SHARE_MAX][SHARE_LEN], out[SHARE_LEN];
    size_t place[SHARE_MAX];
    points_get(p, "points", d->degree + 1u, points);
    for (size_t i = 0; i <= d->degree; i++)
        place[i] = (size_t)json_integer_value(json_array_get(places, i));
    int err = share_combine(out, d, place, (const uint8_t(*)[SHARE_LEN])points);
    if (!err)
        peer_say_bytes(p, "secret", out, sizeof out);
    return err;
}

/* ---- votes ---- */

static uint8_t (*ids_get(struct peer *p, size_t *n))[SPHINX_ID_LEN]
{
    uint8_t *ids = peer_get_bytes(p, "authorities", n);
    *n /= SPHINX_ID_LEN;
    return (uint8_t(*)[SPHINX_ID_LEN])(void *)ids;
}

static int
vote_get(struct vote *v, const json_t *text)
{
    char where[JSON_WHERE_LEN];
    const char *body = json_string_value(text);
    return json_read_vote(v, (const uint8_t *)body, strlen(body), where);
}

static int
dealing_judge(struct peer *p)
{
    uint8_t context[SHARE_CONTEXT_LEN];
    struct vote *v = peer_alloc(p, sizeof *v);
    size_t n;
    const uint8_t(*ids)[SPHINX_ID_LEN] =
        (const uint8_t(*)[SPHINX_ID_LEN])ids_get(p, &n);
    int err = vote_get(v, json_object_get(p->in, "vote"));
    if (!err)
        err = vote_dealing_check(
            v, ids, n, peer_get_number(p, "valid_after_s", INT64_MAX), context);
    if (!err) {
        peer_say_bytes(p, "context", context, sizeof context);
        peer_say_bytes(p, "at", v->dealing.at, v->dealing.n);
    }
    vote_free(v);
    return err;
}

static int
tally(struct peer *p)
{
    const json_t *list = peer_get_list(p, "votes");
    const size_t n_votes = json_array_size(list);
    const struct tally_opened none = {0};
    struct vote **votes = peer_alloc(p, n_votes * sizeof *votes);
    struct consensus *c = NULL;
    size_t n, len = 0;
    char *body = NULL;
    const uint8_t(*ids)[SPHINX_ID_LEN] =
        (const uint8_t(*)[SPHINX_ID_LEN])ids_get(p, &n);
    int err = 0;
    for (size_t i = 0; i < n_votes; i++) {
        votes[i] = peer_alloc(p, sizeof **votes);
        if (!err)
            err = vote_get(votes[i], json_array_get(list, i));
    }
    if (err)
        peer_fail("votes", "are none");
    err =
        tally_votes(&c, votes, n_votes, ids, n, peer_get_exact(p, "random", 32),
                    peer_get_number(p, "valid_after_s", INT64_MAX), &none);
    if (!err)
        err = json_write_consensus(c, &body, &len);
    if (!err)
        peer_say(p, "body", json_stringn(body, len));
    free(body);
    consensus_free(&c);
    for (size_t i = 0; i < n_votes; i++)
        vote_free(votes[i]);
    return err;
}

const struct peer_command peer_authorities[] = {
    {"deal", deal},       {"deal_check", deal_check},
    {"open", open_one},   {"open_check", open_check},
    {"combine", combine}, {"dealing_judge", dealing_judge},
    {"tally", tally},     {NULL, NULL},
};
