/* tests/lister.c - see listing.h. */
#include "tests/lister.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/heard/naming.h"
#include "sphinx/null.h"
#include "tests/runner.h"

enum { FIRST_EPOCH = 7, LAYERS = 1, HOPS = 5, EPOCH_S = 3600 };
#define FIRST_S 1800000000ULL

/* The seeds of identities, in their order. */
static int
seed_order(const void *a, const void *b)
{
    uint8_t key[2][SPHINX_ID_LEN], secret[crypto_sign_SECRETKEYBYTES];
    crypto_sign_seed_keypair(key[0], secret, a);
    crypto_sign_seed_keypair(key[1], secret, b);
    return memcmp(key[0], key[1], SPHINX_ID_LEN);
}

/* Relay i: a gateway, a mix, stores. */
static void
relay_fill(struct relay_entry *e, size_t i, const struct lister_plan *plan,
           const uint8_t *seed)
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    crypto_sign_seed_keypair(e->identity, secret, seed);
    e->layer = i == 0 ? 0 : i == 1 ? 1 : LAYERS + 1;
    e->role = i == 0 ? ROLE_GATEWAY : i == 1 ? ROLE_MIX : ROLE_STORE;
    e->counts = e->role == ROLE_STORE ? DAYS_COUNTS_ALL : 0;
    if (i == 0)
        memset(e->family, plan->gateway_family, FAMILY_LEN);
    else if (i > 1 && plan->family)
        memset(e->family, plan->family[i - 2], FAMILY_LEN);
}

static struct consensus *
epoch_make(struct lister *l, const struct lister_plan *plan, unsigned number)
{
    struct consensus *c = calloc(1, sizeof *c);
    assert_non_null(c);
    c->epoch = FIRST_EPOCH + number;
    c->valid_after_s = FIRST_S + number * (uint64_t)EPOCH_S;
    params_default(&c->params, EPOCH_S);
    c->params.layers = LAYERS;
    c->params.list_entries = plan->entries ? plan->entries : 40;
    c->params.boards = plan->boards ? plan->boards : BOARDS_MAX;
    if (plan->interval_ms)
        c->params.list_interval_ms = plan->interval_ms;
    assert_int_equal(sphinx_geometry_init(&c->params.geometry,
                                          SPHINX_SUITE_NULL, HOPS, 2048, 1000),
                     0);
    rng_seeded_bytes(&l->rng, c->shared_random, sizeof c->shared_random);
    rng_seeded_bytes(&l->rng, c->digest, sizeof c->digest);
    c->n_relays = plan->stores + 2;
    c->relays = calloc(c->n_relays, sizeof *c->relays);
    assert_non_null(c->relays);
    for (size_t i = 0; i < c->n_relays; i++)
        relay_fill(&c->relays[i], i, plan, l->seed[i]);
    assert_int_equal(consensus_index(c), 0);
    return c;
}

void
lister_make(struct lister *l, const struct lister_plan *plan)
{
    *l = (struct lister){0};
    sphinx_null_register();
    rng_seeded_init_u64(&l->rng, test_seed(), "lister");
    l->seed = calloc(plan->stores + 2, sizeof *l->seed);
    assert_non_null(l->seed);
    rng_seeded_bytes(&l->rng, l->seed, (plan->stores + 2) * sizeof *l->seed);
    qsort(l->seed, plan->stores + 2, sizeof *l->seed, seed_order);
    for (unsigned i = 0; i < LISTER_EPOCHS; i++)
        l->epoch[i] = epoch_make(l, plan, i);
    l->view[0] = l->epoch[0];
    l->now = (struct shown_now){.view = l->view,
                                .n = LISTER_EPOCHS,
                                .gateway = l->epoch[0]->relays[0].identity,
                                .mono_us = 1000000,
                                .unix_ms = FIRST_S * 1000 + 60000};
    assert_int_equal(shown_new(&l->shown), 0);
    shown_link_up(l->shown, l->now.mono_us);
}

void
lister_free(struct lister *l)
{
    shown_free(&l->shown);
    for (unsigned i = 0; i < LISTER_EPOCHS; i++)
        consensus_free(&l->epoch[i]);
    free(l->seed);
    l->seed = NULL;
}

void
lister_pass(struct lister *l, uint64_t ms)
{
    while (ms > 0) {
        const uint64_t step = ms < 1000 ? ms : 1000;
        l->now.mono_us += step * 1000;
        l->now.unix_ms += step;
        ms -= step;
        shown_tick(l->shown, &l->now);
    }
}

uint32_t
lister_interval(const struct lister *l)
{
    return list_interval(&l->epoch[0]->params, l->now.unix_ms);
}

static int
entry_order(const void *a, const void *b)
{
    return memcmp(a, b, LIST_ENTRY_LEN);
}

void
lister_list(struct lister *l, const struct consensus *c, uint8_t board,
            uint32_t interval, const struct listed *before,
            const uint8_t *entry, struct listed *out)
{
    uint8_t entries[LIST_ENTRIES_MAX][LIST_ENTRY_LEN];
    const uint16_t n = c->params.list_entries;
    rng_seeded_bytes(&l->rng, entries, n * (size_t)LIST_ENTRY_LEN);
    if (entry)
        memcpy(entries[0], entry, LIST_ENTRY_LEN);
    qsort(entries, n, LIST_ENTRY_LEN, entry_order);
    const struct board_list list = {.interval = interval,
                                    .board = board,
                                    .before = before ? before->root : NULL,
                                    .entries = entries[0]};
    *out = (struct listed){
        .interval = interval, .board = board, .len = list_len(&c->params)};
    list_write(out->bytes, &c->params, &list);
    list_sign(out->bytes, out->len, c, l->seed[c->boards.relay[board]]);
    list_root(out->bytes, out->len, out->root);
}

static size_t
slice_room(const struct lister *l)
{
    const struct sphinx_geometry *g = &l->epoch[0]->params.geometry;
    return wire_slice_room(g->packet_len, g->payload_len);
}

uint8_t
lister_parts(const struct lister *l, const struct listed *list)
{
    return (uint8_t)wire_slice_parts(list->len, slice_room(l));
}

int
lister_part(struct lister *l, const struct listed *list, uint8_t part)
{
    uint8_t rest[2048];
    const size_t room = slice_room(l), each = wire_slice_data_len(room);
    const size_t at = part * each;
    struct wire_slice slice = {.kind = WIRE_SLICE_PART,
                               .interval = list->interval,
                               .board = list->board,
                               .part = part,
                               .data = list->bytes + at,
                               .len = list->len - at < each ? list->len - at
                                                            : each};
    rng_seeded_bytes(&l->rng, rest, room);
    assert_int_equal(wire_slice_write(rest, room, &slice), 0);
    assert_int_equal(wire_slice_parse(&slice, rest, room), 0);
    return shown_slice(l->shown, &l->now, &slice);
}

int
lister_show(struct lister *l, const struct listed *list)
{
    int err = 0;
    for (uint8_t part = 0; part < lister_parts(l, list); part++)
        err = lister_part(l, list, part);
    return err;
}

const struct relay_entry *
lister_store(const struct lister *l, const struct consensus *c, uint8_t board,
             unsigned k)
{
    const struct relay_entry *of = &c->relays[c->boards.relay[board]];
    const struct relay_entry *found[LISTER_STORES_MAX];
    unsigned n = 0;
    (void)l;
    for (size_t i = 0; i < c->n_relays; i++) {
        const struct relay_entry *s = &c->relays[i];
        bool is_new = s->role == ROLE_STORE && !naming_are_related(s, of);
        for (unsigned m = 0; m < n && is_new; m++)
            is_new = !naming_are_related(s, found[m]);
        if (is_new)
            found[n++] = s;
    }
    assert_true(k < n);
    return found[k];
}

void
lister_name(struct lister *l, const struct relay_entry *store,
            const struct listed *list)
{
    lister_name_back(l, store, list, WIRE_BACK_MOST);
}

void
lister_name_back(struct lister *l, const struct relay_entry *store,
                 const struct listed *list, uint16_t back)
{
    struct wire_root root[BOARDS_MAX] = {{0}};
    root[list->board] = (struct wire_root){list->interval, list->root, back};
    shown_named(l->shown, &l->now, store, root);
}

unsigned
lister_given(struct lister *l, uint32_t *first, uint32_t *last)
{
    struct sure_list sure;
    unsigned n = 0;
    *first = *last = 0;
    while (shown_next(l->shown, &sure)) {
        *first = n ? *first : sure.interval;
        *last = sure.interval;
        n++;
    }
    return n;
}

struct shown_counts
lister_counts(const struct lister *l)
{
    struct shown_counts counts;
    shown_count(l->shown, &counts);
    return counts;
}
