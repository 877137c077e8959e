/* tests/unit/test_lives_store.c - the same as test_lives.c through a store that loses
 * nothing, with a reader who polls: are all texts shown in the end? */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "client/conversations.h"
#include "client/outgoing.h"
#include "client/polls.h"
#include "client/staging.h"
#include "lib/rng.h"
#include "tests/pair.h"

static uint8_t contents[100000];

static uint64_t
write_one(struct pair *p, enum letter_kind kind, size_t len)
{
    uint64_t order;
    assert_int_equal(client_send(p->c[0], "b", kind, contents, len, &order), 0);
    disk_client_run(&p->disk[0], p->c[0], 1);
    return order;
}

static uint32_t
take(struct pair *p, const char *from, struct client_received *r)
{
    if (!client_next(p->c[1], NULL, from, r))
        return 0;
    assert_int_equal(client_release(p->c[1], NULL, r->order), 0);
    return r->number;
}

/* ---- a copy of another day ---- */

enum { STORE_ROOM = 512 };

/* A store that both ask, and that loses nothing. */
static struct {
    struct letter_place at;
    uint8_t bytes[LETTER_LEN_MAX];
} * store;
static unsigned stored;

static void
store_put_all(struct pair *p)
{
    for (struct out_letter *l = p->v[0]->letters, *next; l; l = next) {
        next = l->next;
        if (l->kept || l->due_us > p->disk[0].test.mono_us)
            continue;
        unsigned i = 0;
        while (i < stored &&
               (store[i].at.period != l->at.period || store[i].at.n != l->at.n))
            i++;
        if (i == stored) {
            assert_true(stored < STORE_ROOM);
            store[stored].at = l->at;
            memcpy(store[stored++].bytes, l->bytes, p->c[0]->letter_len);
        }
        outgoing_asked(p->c[0], l, p->disk[0].test.mono_us + 5000000);
        outgoing_answer(p->c[0], p->v[0], l->at, STORE_FIRST, WIRE_KEPT);
    }
}

static unsigned in_flight = 1; /* polls under way at a time */

/* The answer to a poll of b's. */
static void
poll_answer(struct pair *p, const struct choice *ask)
{
    struct conversation *v = p->v[1];
    int slot[LETTER_SLOTS], got = -1;
    struct wire_answer answer = {.status = WIRE_EMPTY};
    memset(slot, 0xff, sizeof slot);
    for (unsigned i = 0; i < stored; i++)
        if (store[i].at.period == ask->at.period &&
            store[i].at.n / LETTER_SLOTS == ask->at.n / LETTER_SLOTS) {
            slot[store[i].at.n % LETTER_SLOTS] = (int)i;
            answer.full |= (uint16_t)(1u << store[i].at.n % LETTER_SLOTS);
        }
    for (unsigned i = 0; i < LETTER_SLOTS && got < 0; i++) {
        const unsigned s = (ask->request.slot + i) % LETTER_SLOTS;
        if (slot[s] >= 0 && !(ask->request.held >> s & 1)) {
            got = slot[s];
            answer.status = WIRE_LETTER;
            answer.slot = (uint8_t)s;
        }
    }
    polls_unasked(v, ask->at, ask->request.slot, ask->spare, false);
    if (polls_answer(v, ask->at, ask->request.held, STORE_FIRST, false,
                     &answer) ||
        got < 0)
        return;
    struct out_letter *copy = calloc(1, sizeof *copy + LETTER_LEN_MAX);
    copy->at = store[got].at;
    memcpy(copy->bytes, store[got].bytes, p->c[1]->letter_len);
    pair_bring(p, 1, copy);
    free(copy);
}

/* b polls; returns how many texts it was shown. */
static unsigned
store_poll(struct pair *p, unsigned polls)
{
    enum { FLIGHT = 16 };
    unsigned shown = 0;
    struct client_received r;
    struct rng_seeded rng;
    static struct choice ask[FLIGHT];
    rng_seeded_init_u64(&rng, test_seed(), "polls");
    for (unsigned k = 0; k < polls + in_flight; k++) {
        struct conversation *v = p->v[1];
        if (k >= in_flight)
            poll_answer(p, &ask[(k - in_flight) % FLIGHT]);
        if (k < polls) {
            struct choice *a = &ask[k % FLIGHT];
            *a = (struct choice){.whom = {.place = FRONTS_SWEEP,
                                          .contact = v->id,
                                          .older = k % 4 == 0}};
            polls_ask(p->c[1], v, rng_seeded_u64(&rng) >> 32,
                      rng_seeded_u64(&rng) >> 8, a);
        }
        while (take(p, "a", &r))
            shown += r.kind == LETTER_TEXT;
    }
    return shown;
}

static void
older_copy_of_another_day(bool put_first)
{
    enum { SINCE = 5, TEXTS = 40 };
    struct pair p;
    struct sim_net month;
    struct client_disk old;
    uint64_t order;
    stored = 0;
    store = calloc(STORE_ROOM, sizeof *store);
    test_network_month(&month);
    pair_make(&p, &month);
    pair_settle(&p);
    disk_init(&old, test_seed());
    disk_copy(&old, &p.disk[0]);
    for (unsigned i = 0; i < SINCE; i++) {
        (void)write_one(&p, LETTER_TEXT, 1);
        pair_settle(&p);
    }
    struct client_received r;
    while (take(&p, "a", &r))
        continue;
    for (unsigned i = 0; i < 2; i++) { /* the next day */
        p.disk[i].test.mono_us += 86400000000ULL;
        p.disk[i].test.wall_s += 86400;
    }
    pair_restart(&p, 1);
    disk_copy(&p.disk[0], &old);
    pair_restart(&p, 0);
    (void)write_one(&p, LETTER_TEXT, 1);
    (void)write_one(&p, LETTER_TEXT, 2);
    if (put_first)
        store_put_all(&p);
    /* before they leave, b is heard */
    assert_int_equal(client_send(p.c[1], "a", LETTER_TEXT, contents, 1, &order),
                     0);
    disk_client_run(&p.disk[1], p.c[1], 2);
    pair_bring_all(&p, 0);
    disk_client_run(&p.disk[0], p.c[0], 2);
    unsigned shown = 0;
    for (unsigned i = 0; i < TEXTS - 2; i++) {
        (void)write_one(&p, LETTER_TEXT, 1);
        store_put_all(&p);
        shown += store_poll(&p, 20);
        pair_wait(&p);
        pair_bring_all(&p, 0); /* a hears b all the time */
        pair_acks_keep(&p, 1);
    }
    for (unsigned i = 0; i < 40; i++) { /* 20 minutes and 20,000 polls */
        store_put_all(&p);
        shown += store_poll(&p, 500);
        pair_wait(&p);
        pair_bring_all(&p, 0);
        pair_acks_keep(&p, 1);
    }
    assert_int_equal(shown, TEXTS);
    pair_free(&p);
    disk_free(&old);
    test_network_free(&month);
    free(store);
}

static void
i6_an_older_copy_of_another_day(void **state)
{
    (void)state;
    older_copy_of_another_day(true); /* as it should be */
    older_copy_of_another_day(false);
}

/* ---- what is refused for want of room, and the texts behind it ---- */

static void
texts_behind_what_has_no_room(unsigned flight)
{
    in_flight = flight;
    enum { TEXTS = 200 };
    struct pair p;
    struct sim_net month;
    stored = 0;
    store = calloc(STORE_ROOM, sizeof *store);
    test_network_month(&month);
    pair_make(&p, &month);
    pair_settle(&p);
    for (unsigned i = 0; i < 32;
         i++) { /* files given up after their first letter */
        const uint64_t file =
            write_one(&p, LETTER_FILE, 1500); /* two letters */
        for (struct out_letter *l = p.v[0]->letters; l; l = l->next)
            if (l->order == file && l->index == 1)
                l->due_us += 1000000;
        store_put_all(&p);
        (void)store_poll(&p, 60);
        assert_int_equal(client_cancel(p.c[0], "b", file), 0);
        for (unsigned k = 0; k < 3; k++) {
            pair_wait(&p);
            store_put_all(&p);
            (void)store_poll(&p, 60);
            pair_bring_all(&p, 0);
            pair_acks_keep(&p, 1);
        }
    }
    unsigned parts = 0, shown = 0;
    for (const struct incoming *in = p.v[1]->incoming; in; in = in->next)
        parts++;
    (void)write_one(&p, LETTER_FILE, 1500); /* it has no room at b */
    for (unsigned i = 0; i < TEXTS; i++) {
        (void)write_one(&p, LETTER_TEXT, 1);
        store_put_all(&p);
        shown += store_poll(&p, 30);
        pair_wait(&p);
        pair_bring_all(&p, 0);
        pair_acks_keep(&p, 1);
    }
    for (unsigned i = 0; i < 300; i++) { /* two and a half hours more */
        store_put_all(&p);
        shown += store_poll(&p, 100);
        pair_wait(&p);
        pair_bring_all(&p, 0);
        pair_acks_keep(&p, 1);
    }
    pair_free(&p);
    test_network_free(&month);
    free(store);
    in_flight = 1;
    assert_int_equal(shown, TEXTS);
}

static void
i11_texts_come_behind_what_has_no_room(void **state)
{
    (void)state;
    texts_behind_what_has_no_room(1);
}

static void
i11_texts_come_behind_what_has_no_room_at_a_front(void **state)
{
    (void)state;
    texts_behind_what_has_no_room(8);
}

const struct CMUnitTest test_lives_store[] = {
    cmocka_unit_test(i6_an_older_copy_of_another_day),
    cmocka_unit_test(i11_texts_come_behind_what_has_no_room),
    cmocka_unit_test(i11_texts_come_behind_what_has_no_room_at_a_front),
};
TEST_SUITE(test_lives_store);
