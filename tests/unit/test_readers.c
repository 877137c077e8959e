/* tests/unit/test_readers.c - what came stays until it is forgotten, each reader has
 * each message once and in one order, and what is forgotten is gone.
 *
 * A model beside the client: a list of what was shown, what each reader has had, and for
 * how long read ones are kept. Messages come, are read, shown again, deleted and grow old;
 * readers come and go; the client is started anew. */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/inbox.h"
#include "client/readers.h"
#include "lib/rng_seeded.h"
#include "tests/pair.h"

static uint8_t contents[4096];

static void
text_send(struct pair *p, size_t len)
{
    uint64_t order;
    assert_int_equal(
        client_send(p->c[0], "b", LETTER_TEXT, contents, len, &order), 0);
    pair_settle(p);
}

/* The next of a reader, whether it is in memory or on disk alone. */
static bool
next(struct pair *p, const char *reader, struct client_received *r)
{
    return client_next(p->c[1], reader, NULL, r) ||
           client_next(p->c[1], reader, NULL, r);
}

/* The reader takes the next; returns its length, 0: there is none. */
static size_t
take(struct pair *p, const char *reader)
{
    struct client_received r;
    if (!next(p, reader, &r))
        return 0;
    const size_t len = r.len;
    assert_memory_equal(r.data, contents, len);
    assert_int_equal(client_release(p->c[1], reader, r.order), 0);
    return len;
}

struct listed {
    struct client_received one[8];
    size_t n;
};

static void
listed_take(void *ctx, const struct client_received *one)
{
    struct listed *l = ctx;
    assert_null(one->data);
    l->one[l->n++] = *one;
}

static struct listed
history(const struct pair *p, uint64_t before, size_t count)
{
    struct listed l = {.n = 0};
    assert_int_equal(
        client_history(p->c[1], "a", before, count, listed_take, &l), 0);
    return l;
}

static void
a_message_stays_until_it_is_deleted(void **state)
{
    (void)state;
    struct pair p;
    struct client_received r;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    for (size_t len = 1; len <= 3; len++)
        text_send(&p, len);
    assert_int_equal(take(&p, NULL), 1);
    assert_int_equal(take(&p, NULL), 2);
    for (unsigned life = 0; life < 2; life++) {
        const struct listed l = history(&p, 0, 8);
        assert_int_equal(l.n, 3);
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(l.one[i].len, 3 - i);
            assert_int_equal(l.one[i].event, 3 - i);
            assert_true(l.one[i].read == (i > 0));
        }
        assert_int_equal(history(&p, 3, 1).one[0].len, 2);
        assert_int_equal(inbox_find(p.c[1], l.one[2].order)->data == NULL, 1);
        assert_int_equal(client_read(p.c[1], l.one[2].order, &r), 0);
        assert_true(r.len == 1 && r.read && r.data[0] == contents[0]);
        pair_restart(&p, 1);
    }
    const uint64_t order = history(&p, 0, 8).one[1].order;
    assert_int_equal(disk_count(&p.disk[1], 'X', NULL), 3);
    assert_int_equal(client_delete(p.c[1], order), 0);
    assert_int_equal(disk_count(&p.disk[1], 'X', NULL), 2);
    assert_int_equal(disk_count(&p.disk[1], 'Y', NULL), 2);
    assert_int_equal(client_delete(p.c[1], order), ERR_NOT_FOUND);
    assert_int_equal(client_read(p.c[1], order, &r), ERR_NOT_FOUND);
    assert_int_equal(history(&p, 0, 8).n, 2);
    assert_int_equal(take(&p, NULL), 3);
    assert_int_equal(take(&p, NULL), 0);
    assert_int_equal(client_history(p.c[1], "x", 0, 8, listed_take, NULL),
                     ERR_NOT_FOUND);
    pair_free(&p);
}

static void
readers_have_names(void **state)
{
    (void)state;
    struct pair p;
    char name[CLIENT_NAME_MAX];
    size_t waiting;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    text_send(&p, 1);
    assert_int_equal(client_reader_add(p.c[1], "", false), ERR_ARG);
    assert_int_equal(client_reader_add(p.c[1], "a b", false), ERR_ARG);
    for (unsigned i = 1; i < CLIENT_READERS_MAX; i++) {
        snprintf(name, sizeof name, "r%u", i);
        assert_int_equal(client_reader_add(p.c[1], name, i % 2), 0);
        assert_int_equal(client_reader_add(p.c[1], name, false), ERR_EXISTS);
    }
    assert_int_equal(client_reader_add(p.c[1], "more", false), ERR_FULL);
    pair_restart(&p, 1);
    for (unsigned i = 0; i < CLIENT_READERS_MAX; i++) {
        assert_true(client_reader(p.c[1], i, name, &waiting));
        assert_int_equal(waiting, i % 2 == 0); /* the others began after it */
    }
    assert_false(client_reader(p.c[1], CLIENT_READERS_MAX, name, &waiting));
    assert_int_equal(client_reader_remove(p.c[1], "nobody"), ERR_NOT_FOUND);
    assert_int_equal(client_reader_remove(p.c[1], "r3"), 0);
    assert_int_equal(disk_count(&p.disk[1], 'R', NULL), CLIENT_READERS_MAX - 2);
    assert_int_equal(client_reader_add(p.c[1], "r3", false), 0);
    assert_int_equal(take(&p, "r3"), 1); /* it has had nothing */
    struct client_received r;
    assert_false(next(&p, "nobody", &r));
    assert_int_equal(client_release(p.c[1], "nobody", 1), ERR_NOT_FOUND);
    pair_free(&p);
}

/* An application that reads alone: the client's own reader is removed, and stops nothing
 * from being forgotten; it can come back. */
static void
the_own_reader_can_be_left_out(void **state)
{
    (void)state;
    struct pair p;
    struct client_received r;
    char name[CLIENT_NAME_MAX];
    size_t waiting;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    assert_int_equal(client_reader_add(p.c[1], "app", false), 0);
    assert_int_equal(client_reader_add(p.c[1], "recv", false), ERR_EXISTS);
    assert_int_equal(client_keep(p.c[1], 0), 0);
    text_send(&p, 1);
    assert_int_equal(take(&p, "app"), 1);
    assert_int_equal(disk_count(&p.disk[1], 'X', NULL), 1);
    assert_int_equal(client_reader_remove(p.c[1], "recv"), 0);
    assert_int_equal(disk_count(&p.disk[1], 'X', NULL), 0);
    assert_int_equal(client_reader_remove(p.c[1], NULL), ERR_NOT_FOUND);
    pair_restart(&p, 1);
    text_send(&p, 2);
    assert_false(next(&p, NULL, &r));
    assert_true(client_reader(p.c[1], 0, name, &waiting));
    assert_string_equal(name, "app");
    assert_false(client_reader(p.c[1], 1, name, &waiting));
    assert_int_equal(client_reader_add(p.c[1], "recv", true), 0);
    text_send(&p, 3);
    pair_restart(&p, 1);
    assert_int_equal(take(&p, NULL), 3);
    assert_int_equal(take(&p, "app"), 2);
    assert_int_equal(take(&p, "app"), 3);
    assert_int_equal(disk_count(&p.disk[1], 'X', NULL), 0);
    pair_free(&p);
}

/* What was read is kept for so many days, and what was not for ever. */
static void
what_was_read_grows_old(void **state)
{
    (void)state;
    struct pair p;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    assert_int_equal(client_keep(p.c[1], 40000), ERR_RANGE);
    text_send(&p, 1);
    text_send(&p, 2);
    assert_int_equal(take(&p, NULL), 1);
    assert_int_equal(client_keep(p.c[1], 3), 0);
    pair_restart(&p, 1); /* the days are remembered */
    for (unsigned day = 0; day < 5; day++) {
        readers_expire(p.c[1]);
        assert_int_equal(history(&p, 0, 8).n, day < 3 ? 2 : 1);
        disk_days_pass(&p.disk[1], 1.01);
    }
    assert_int_equal(disk_count(&p.disk[1], 'X', NULL), 1);
    assert_int_equal(take(&p, NULL), 2); /* it is older than that */
    assert_int_equal(history(&p, 0, 8).n, 0);
    assert_int_equal(disk_count(&p.disk[1], 'X', NULL), 0);
    assert_int_equal(disk_count(&p.disk[1], 'Y', NULL), 0);
    pair_free(&p);
}

/* Where a contact's room is used up what was read gives way, the oldest first; what
 * was not stays, and the letter is not acknowledged. */
static void
i11_the_oldest_that_was_read_gives_way(void **state)
{
    (void)state;
    struct pair p;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    text_send(&p, 1);
    text_send(&p, 2);
    text_send(&p, 3);
    assert_int_equal(take(&p, NULL), 1);
    assert_int_equal(take(&p, NULL), 2);
    const uint32_t stand_in = INBOX_CONTACT_MAX - 3;
    p.v[1]->n_received += stand_in; /* as if there were so many */
    text_send(&p, 4);
    struct listed l = history(&p, 0, 8);
    assert_int_equal(l.n, 3);
    assert_int_equal(l.one[2].len, 2);
    text_send(&p, 5);
    l = history(&p, 0, 8);
    assert_int_equal(l.n, 3);
    assert_int_equal(l.one[2].len, 3);
    uint64_t order;
    assert_int_equal(client_send(p.c[0], "b", LETTER_TEXT, contents, 6, &order),
                     0);
    for (unsigned i = 0; i < 3; i++) {
        pair_wait(&p);
        pair_bring_all(&p, 1);
    }
    assert_int_equal(history(&p, 0, 8).n, 3); /* none of which was read */
    assert_int_equal(take(&p, NULL), 3);
    pair_settle(&p);
    assert_int_equal(history(&p, 0, 8).one[0].len, 6);
    p.v[1]->n_received -= stand_in;
    pair_free(&p);
}

/* A client that has been one of before: what waits there is shown. */
static void
records_of_before_are_shown(void **state)
{
    (void)state;
    struct pair p;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    for (size_t len = 1; len <= 3; len++)
        text_send(&p, len);
    struct client_disk *d = &p.disk[1];
    for (size_t i = d->n; i-- > 0;)
        if (d->record[i].key[0] == 'Y') {
            free(d->record[i].value);
            memmove(&d->record[i], &d->record[i + 1],
                    (--d->n - i) * sizeof *d->record);
        }
    pair_restart(&p, 1);
    assert_int_equal(disk_count(d, 'Y', NULL), 3);
    for (size_t len = 1; len <= 3; len++)
        assert_int_equal(take(&p, NULL), len);
    pair_free(&p);
}

/* A contact that is removed leaves nothing, of who has read it neither. */
static void
a_removed_contact_leaves_nothing(void **state)
{
    (void)state;
    struct pair p;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    assert_int_equal(client_reader_add(p.c[1], "app", false), 0);
    text_send(&p, 1);
    text_send(&p, 2);
    assert_int_equal(take(&p, "app"), 1);
    assert_int_equal(disk_count(&p.disk[1], 'S', NULL), 1);
    assert_int_equal(client_remove(p.c[1], "a"), 0);
    for (const char *type = "SXY"; *type; type++)
        assert_int_equal(disk_count(&p.disk[1], *type, NULL), 0);
    pair_restart(&p, 1);
    pair_free(&p);
}

/* ---- what was met by an attack ---- */

/* Take all of b's messages out of memory. */
static void
memory_empty(struct pair *p)
{
    for (struct received *r = p->v[1]->received; r; r = r->next)
        inbox_data_drop(p->c[1], r);
}

/* The disk fails to read a message once: none that was shown later is given before it, since
 * it would be taken for read with that one, and forgotten. */
static void
i6_what_cannot_be_read_now_is_not_passed_over(void **state)
{
    (void)state;
    struct pair p;
    struct client_received r;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    assert_int_equal(client_keep(p.c[1], 0), 0);
    for (size_t len = 1; len <= 3; len++)
        text_send(&p, len);
    memory_empty(&p);
    p.v[1]->received->again_us = p.disk[1].test.mono_us + 1000;
    assert_false(next(&p, NULL, &r));
    p.disk[1].test.mono_us += 1000;
    for (size_t len = 1; len <= 3; len++)
        assert_int_equal(take(&p, NULL), len);
    pair_free(&p);
}

/* A record that is damaged is told of, and stops nothing; it can be deleted. */
static void
what_is_damaged_is_told_of(void **state)
{
    (void)state;
    struct pair p;
    struct client_received r;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    text_send(&p, 1);
    text_send(&p, 2);
    memory_empty(&p);
    struct client_disk *d = &p.disk[1];
    size_t first = 0;
    while (d->record[first].key[0] != 'X')
        first++;
    d->record[first].value[0] = 99;
    assert_true(next(&p, NULL, &r) && r.damaged && !r.data);
    const uint64_t order = r.order;
    assert_int_equal(client_read(p.c[1], order, &r), 0);
    assert_true(r.damaged);
    assert_int_equal(client_release(p.c[1], NULL, order), 0);
    assert_int_equal(take(&p, NULL), 2);
    assert_int_equal(client_delete(p.c[1], order), 0);
    pair_free(&p);
}

/* Two who read long messages from the disk by turns each get theirs. */
static void
two_who_read_long_ones_get_them(void **state)
{
    (void)state;
    enum { LONG = 700000 };
    struct pair p;
    struct client_received r;
    uint64_t order;
    uint8_t *data = calloc(1, LONG);
    unsigned got[2] = {0};
    assert_non_null(data);
    pair_make(&p, &pair_net);
    pair_settle(&p);
    struct client *c = p.c[1];
    for (unsigned i = 0; i < 2; i++) {
        struct received *m;
        struct letter l = {.kind = LETTER_FILE};
        letter_id(l.message, 7 + i, 1700000000);
        journal_begin(c->journal);
        assert_int_equal(inbox_make(c, p.v[1], &l, data, LONG, &m), 0);
        (void)journal_end(c->journal);
        inbox_link(c, m);
        assert_int_equal(inbox_show(c, m), 0);
    }
    assert_int_equal(client_reader_add(c, "app", false), 0);
    order = p.v[1]->received->order;
    assert_int_equal(client_release(c, NULL, order), 0);
    memory_empty(&p);
    p.disk[1].slow = true;
    for (unsigned i = 0; i < 20; i++) {
        got[i % 2] += client_next(c, i % 2 ? "app" : NULL, NULL, &r);
        disk_release(&p.disk[1]);
    }
    assert_true(got[0] > 0 && got[1] > 0);
    free(data);
    pair_free(&p);
}

/* What a removed contact wrote had numbers that nothing else gets. */
static void
orders_outlive_a_removal(void **state)
{
    (void)state;
    struct pair p;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    text_send(&p, 1);
    text_send(&p, 2);
    const uint64_t order = p.c[1]->next_received, event = p.c[1]->next_event;
    assert_int_equal(client_remove(p.c[1], "a"), 0);
    pair_restart(&p, 1);
    assert_true(p.c[1]->next_received == order && p.c[1]->next_event == event);
    pair_free(&p);
}

/* What came while nobody knew the time, or before that was kept, grows old, too. */
static void
what_has_no_date_grows_old(void **state)
{
    (void)state;
    struct pair p;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    text_send(&p, 1);
    p.v[1]->received->came_s = 0;
    assert_int_equal(take(&p, NULL), 1);
    assert_int_equal(client_keep(p.c[1], 3), 0);
    disk_days_pass(&p.disk[1], 3.1);
    readers_expire(p.c[1]);
    assert_int_equal(history(&p, 0, 8).n, 0);
    pair_free(&p);
}

/* ---- against a model ---- */

enum { MODEL_MAX = 200, MODEL_READERS = 3 };

struct model {
    struct pair p;
    struct rng_seeded rng;
    size_t len[MODEL_MAX]; /* by event, from 1 on; 0: forgotten */
    size_t n;
    bool there[MODEL_READERS];
    size_t had[MODEL_READERS];
    bool keeps;
};

static const char *const names[MODEL_READERS] = {NULL, "app", "bot"};

static void
model_forget(struct model *m)
{
    for (size_t i = 1; i <= m->n && !m->keeps; i++) {
        bool all = true;
        for (unsigned r = 0; r < MODEL_READERS; r++)
            all = all && (!m->there[r] || i <= m->had[r]);
        if (all)
            m->len[i] = 0;
    }
}

static void
model_take(struct model *m, unsigned r)
{
    size_t i = m->had[r] + 1;
    while (i <= m->n && m->len[i] == 0)
        i++;
    const size_t want = m->there[r] && i <= m->n ? m->len[i] : 0;
    assert_int_equal(take(&m->p, names[r]), want);
    if (want)
        m->had[r] = i;
    model_forget(m);
}

static void
model_reader(struct model *m, unsigned r, bool now)
{
    if (m->there[r]) {
        assert_int_equal(client_reader_remove(m->p.c[1], names[r]), 0);
    } else {
        assert_int_equal(client_reader_add(m->p.c[1], names[r], now), 0);
        m->had[r] = now ? m->n : 0;
    }
    m->there[r] = !m->there[r];
    model_forget(m);
}

static void
model_delete(struct model *m)
{
    const struct listed l = history(&m->p, 0, 1);
    if (l.n == 0)
        return;
    assert_int_equal(client_delete(m->p.c[1], l.one[0].order), 0);
    m->len[l.one[0].event] = 0;
}

static void
model_step(struct model *m)
{
    const unsigned what = (unsigned)(rng_seeded_u64(&m->rng) % 32);
    const unsigned r = (unsigned)(rng_seeded_u64(&m->rng) % MODEL_READERS);
    if (what < 8 && m->n + 1 < MODEL_MAX) {
        m->len[++m->n] = 1 + rng_seeded_u64(&m->rng) % 100;
        text_send(&m->p, m->len[m->n]);
        assert_int_equal(history(&m->p, 0, 1).one[0].event, m->n);
    } else if (what < 24) {
        model_take(m, r);
    } else if (what < 26) {
        pair_restart(&m->p, 1);
    } else if (what < 28 && r > 0) {
        model_reader(m, r, what % 2);
    } else if (what == 28) {
        model_delete(m);
    } else if (what == 29) {
        m->keeps = !m->keeps;
        assert_int_equal(
            client_keep(m->p.c[1], m->keeps ? CLIENT_KEEP_ALWAYS : 0), 0);
        model_forget(m);
    }
    size_t kept = 0;
    for (size_t i = 1; i <= m->n; i++)
        kept += m->len[i] > 0;
    assert_int_equal(disk_count(&m->p.disk[1], 'X', NULL), kept);
    assert_int_equal(disk_count(&m->p.disk[1], 'Y', NULL), kept);
}

static void
readers_do_as_the_model(void **state)
{
    (void)state;
    const unsigned courses = test_proof() ? 300 : 20;
    for (unsigned i = 0; i < courses; i++) {
        struct model m = {.there = {true}, .keeps = true};
        rng_seeded_init_u64(&m.rng, test_seed() * 1000 + i, "readers");
        pair_make(&m.p, &pair_net);
        pair_settle(&m.p);
        for (unsigned step = 0; step < 200; step++)
            model_step(&m);
        pair_free(&m.p);
    }
}

static int
contents_make(void **state)
{
    for (size_t i = 0; i < sizeof contents; i++)
        contents[i] = (uint8_t)('a' + i % 26);
    return pair_net_long_make(state);
}

#define READERS_TEST(f) \
    cmocka_unit_test_setup_teardown(f, contents_make, pair_net_free)
const struct CMUnitTest test_readers[] = {
    READERS_TEST(a_message_stays_until_it_is_deleted),
    READERS_TEST(readers_have_names),
    READERS_TEST(the_own_reader_can_be_left_out),
    READERS_TEST(what_was_read_grows_old),
    READERS_TEST(i11_the_oldest_that_was_read_gives_way),
    READERS_TEST(records_of_before_are_shown),
    READERS_TEST(a_removed_contact_leaves_nothing),
    READERS_TEST(i6_what_cannot_be_read_now_is_not_passed_over),
    READERS_TEST(what_is_damaged_is_told_of),
    READERS_TEST(two_who_read_long_ones_get_them),
    READERS_TEST(orders_outlive_a_removal),
    READERS_TEST(what_has_no_date_grows_old),
    READERS_TEST(readers_do_as_the_model),
};
TEST_SUITE(test_readers);
