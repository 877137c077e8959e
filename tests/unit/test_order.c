/* tests/unit/test_order.c - in which order what a contact wrote is shown, whatever
 * becomes of its letters on their way, and in which order they leave. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "client/outgoing.h"
#include "client/staging.h"
#include "lib/rng.h"
#include "tests/pair.h"

enum { MESSAGES = 40, LONG = 2500, FILE_LEN = 5000, LETTERS_MAX = 8 };

static uint8_t contents[FILE_LEN];

static struct client_status
status_of(const struct client *c)
{
    struct client_status s;
    client_status(c, &s);
    return s;
}

/* a writes a message; returns its number. */
static uint64_t
write_one(struct pair *p, enum letter_kind kind, size_t len)
{
    uint64_t order;
    assert_int_equal(client_send(p->c[0], "b", kind, contents, len, &order), 0);
    disk_client_run(&p->disk[0], p->c[0], 1);
    return order;
}

/* The letter with this index of a's message, as it lies in its box. */
static const struct out_letter *
letter_of(const struct pair *p, uint64_t order, uint32_t index)
{
    const struct out_letter *l = p->v[0]->letters;
    while (l && (l->sequence == 0 || l->order != order || l->index != index))
        l = l->next;
    assert_non_null(l);
    return l;
}

/* b takes the next message: returns its number, 0 when there is none. */
static uint32_t
take(struct pair *p, struct client_received *r)
{
    if (!client_next(p->c[1], NULL, "a", r))
        return 0;
    assert_int_equal(client_release(p->c[1], NULL, r->order), 0);
    return r->number;
}

/* What b is shown next is this; 0: nothing. */
#define SHOWN(p, want)                                    \
    do {                                                  \
        struct client_received shown;                     \
        assert_int_equal(take((p), &shown), (int)(want)); \
    } while (0)

static void
pair_begin(struct pair *p)
{
    pair_make(p, &pair_net);
    pair_settle(p);
}

/* ---- against a model ---- */

/* What was written, and how much of it b has. */
struct written {
    uint64_t number[MESSAGES];
    bool file[MESSAGES], shown[MESSAGES], here[MESSAGES][LETTERS_MAX];
    uint32_t letters[MESSAGES];
};

static bool
is_whole(const struct written *w, unsigned i)
{
    for (uint32_t k = 0; k < w->letters[i]; k++)
        if (!w->here[i][k])
            return false;
    return true;
}

/* A text is to be shown when all texts up to it are whole, a file when all is. */
static bool
is_due(const struct written *w, unsigned i)
{
    for (unsigned k = 0; k <= i; k++)
        if ((w->file[i] || !w->file[k]) && !is_whole(w, k))
            return false;
    return true;
}

/* The message with this number. */
static unsigned
written_find(const struct written *w, uint32_t number)
{
    unsigned i = 0;
    while (i < MESSAGES && w->number[i] != number)
        i++;
    assert_true(i < MESSAGES);
    return i;
}

/* b is shown what is due and was not shown before, in the order of the numbers, and
 * what comes after a later one says so; no text that is due waits. */
static void
shown_check(struct pair *p, struct written *w, uint32_t *newest)
{
    struct client_received r;
    uint32_t number, before = 0;
    assert_true(status_of(p->c[1]).inbox <= MESSAGES);
    while ((number = take(p, &r)) > 0) {
        const unsigned i = written_find(w, number);
        assert_true(is_due(w, i) && !w->shown[i] && number > before);
        assert_int_equal(r.kind, w->file[i] ? LETTER_FILE : LETTER_TEXT);
        assert_int_equal(r.late_after, *newest > number ? *newest : 0);
        assert_true(r.sent_s > 0);
        w->shown[i] = true;
        before = number;
        if (number > *newest)
            *newest = number;
    }
    for (unsigned i = 0; i < MESSAGES; i++)
        assert_true(w->file[i] || !w->number[i] || w->shown[i] ||
                    !is_due(w, i));
    assert_int_equal(status_of(p->c[1]).inbox, 0);
}

/* Bring one letter that b does not have yet, any of those under way. */
static void
any_bring(struct pair *p, struct written *w, struct rng_seeded *rng)
{
    struct out_letter *pick = NULL;
    uint32_t n = 0;
    unsigned of = 0;
    for (struct out_letter *l = p->v[0]->letters; l; l = l->next)
        for (unsigned i = 0; i < MESSAGES; i++)
            if (l->sequence > 0 && l->order == w->number[i] &&
                !w->here[i][l->index] && rng_seeded_u64(rng) % ++n == 0) {
                pick = l;
                of = i;
            }
    if (!pick)
        return;
    w->here[of][pick->index] = true;
    pick->tried = true; /* it was put */
    pair_bring(p, 1, pick);
}

/* a hears what b has. */
static void
acknowledge(struct pair *p)
{
    pair_wait(p);
    pair_bring_all(p, 0);
    pair_acks_keep(p, 1);
}

static void
i6_messages_are_shown_as_they_were_written(void **state)
{
    (void)state;
    struct rng_seeded rng;
    rng_seeded_init_u64(&rng, test_seed(), "order");
    for (unsigned round = 0; round < (test_proof() ? 200u : 6u); round++) {
        struct pair p;
        struct written w = {0};
        uint32_t newest = 0;
        unsigned n = 0, shown = 0;
        pair_begin(&p);
        for (unsigned step = 0; step < 400; step++) {
            if (n < MESSAGES && rng_seeded_u64(&rng) % 3 == 0) {
                const uint64_t kind = rng_seeded_u64(&rng) % 4;
                const size_t len = kind == 0   ? FILE_LEN
                                   : kind == 1 ? LONG
                                               : kind;
                w.file[n] = kind == 0;
                w.letters[n] = letter_count(len, p.c[0]->letter_len);
                w.number[n] =
                    write_one(&p, w.file[n] ? LETTER_FILE : LETTER_TEXT, len);
                n++;
            }
            any_bring(&p, &w, &rng);
            shown_check(&p, &w, &newest);
            if (step % 40 == 20)
                pair_restart(&p, step / 40 % 2);
            if (step % 16 == 0)
                acknowledge(&p);
        }
        for (unsigned k = 0; k < 800; k++) {
            if (k % 8 == 0)
                acknowledge(&p);
            any_bring(&p, &w, &rng);
            shown_check(&p, &w, &newest);
        }
        for (unsigned i = 0; i < n; i++)
            shown += w.shown[i];
        assert_int_equal(shown, n);
        pair_free(&p);
    }
}

/* ---- one by one ---- */

/* A text that comes before its forerunner waits for that, also through a restart,
 * and for as long is not said to be there. */
static void
i6_a_text_waits_for_the_one_before(void **state)
{
    (void)state;
    struct pair p;
    pair_begin(&p);
    const uint64_t first = write_one(&p, LETTER_TEXT, 1);
    const uint64_t second = write_one(&p, LETTER_TEXT, 2);
    pair_bring(&p, 1, letter_of(&p, second, 0));
    SHOWN(&p, 0);
    pair_restart(&p, 1);
    SHOWN(&p, 0);
    assert_int_equal(status_of(p.c[1]).inbox, 0);
    p.disk[1].slow = true; /* it waits for the other's being on disk, too */
    pair_bring(&p, 1, letter_of(&p, first, 0));
    SHOWN(&p, 0);
    disk_release(&p.disk[1]);
    p.disk[1].slow = false;
    SHOWN(&p, first);
    SHOWN(&p, second);
    pair_free(&p);
}

/* What never comes holds up what was written after it for an hour, not for ever; when
 * it comes all the same, it says that it is late. */
static void
i6_a_lost_text_is_not_waited_for_without_end(void **state)
{
    (void)state;
    struct pair p;
    struct client_received r;
    pair_begin(&p);
    const uint64_t first = write_one(&p, LETTER_TEXT, 1);
    const uint64_t second = write_one(&p, LETTER_TEXT, 2);
    pair_bring(&p, 1, letter_of(&p, second, 0));
    for (unsigned i = 0; i < 59; i++) {
        p.disk[1].test.mono_us += 60000000;
        disk_client_run(&p.disk[1], p.c[1], 2);
        SHOWN(&p, 0);
    }
    for (unsigned i = 0; i < 3; i++) {
        p.disk[1].test.mono_us += 60000000;
        disk_client_run(&p.disk[1], p.c[1], 2);
    }
    assert_int_equal(take(&p, &r), second);
    assert_int_equal(r.late_after, 0);
    pair_bring(&p, 1, letter_of(&p, first, 0));
    assert_int_equal(take(&p, &r), first);
    assert_int_equal(r.late_after, second);
    pair_free(&p);
}

/* What its sender gives up before a store has it holds up nothing. */
static void
i6_what_is_given_up_holds_up_nothing(void **state)
{
    (void)state;
    for (unsigned put = 0; put < 2; put++) {
        struct pair p;
        pair_begin(&p);
        const uint64_t first = write_one(&p, LETTER_TEXT, 1);
        const uint64_t second = write_one(&p, LETTER_TEXT, 2);
        pair_bring(&p, 1, letter_of(&p, second, 0));
        letter_of(&p, first, 0);
        for (struct out_letter *l = p.v[0]->letters; l; l = l->next)
            l->tried = put;
        assert_int_equal(client_cancel(p.c[0], "b", first), 0);
        SHOWN(&p, 0);
        pair_bring_all(&p, 1);
        SHOWN(&p, put ? first : second); /* it was on its way */
        SHOWN(&p, put ? second : 0);
        pair_free(&p);
    }
}

/* A file fills the window, its letters being due for long: a text is made and leaves
 * before all that is left of it, and is shown before it. */
static void
i6_a_text_waits_for_no_file(void **state)
{
    (void)state;
    enum { LEN = 400000 };
    struct pair p;
    struct conversation *of;
    bool spare = false;
    uint64_t file, text;
    uint8_t *data = calloc(1, LEN);
    pair_begin(&p);
    assert_int_equal(client_send(p.c[0], "b", LETTER_FILE, data, LEN, &file),
                     0);
    for (unsigned i = 0; i < 40; i++) {
        for (struct out_letter *l = p.v[0]->letters; l; l = l->next)
            l->tried = true; /* no store answers */
        p.disk[0].test.mono_us += 5000000;
        disk_client_run(&p.disk[0], p.c[0], 1);
    }
    assert_int_equal(client_send(p.c[0], "b", LETTER_TEXT, contents, 3, &text),
                     0);
    disk_client_run(&p.disk[0], p.c[0], 1);
    const struct out_letter *l = letter_of(&p, text, 0);
    if (!l->tried) {
        p.disk[0].test.mono_us += 1;
        const struct out_letter *next =
            outgoing_pick(p.c[0], true, &spare, &of);
        assert_ptr_equal(next, l);
    }
    pair_bring(&p, 1, letter_of(&p, file, 0));
    pair_bring(&p, 1, l);
    SHOWN(&p, text);
    free(data);
    pair_free(&p);
}

/* Half of a file is made into letters, then a text: after a restart neither is made
 * anew, and nothing of them is missing. */
static void
i6_a_restart_goes_on_in_both(void **state)
{
    (void)state;
    enum { LEN = 60000 };
    struct pair p;
    uint64_t file, text;
    uint8_t *data = calloc(1, LEN);
    struct client_received r;
    memset(data, 'x', LEN);
    data[0] = 0;
    pair_begin(&p);
    assert_int_equal(client_send(p.c[0], "b", LETTER_FILE, data, LEN, &file),
                     0);
    disk_client_run(&p.disk[0], p.c[0], 1);
    assert_int_equal(client_send(p.c[0], "b", LETTER_TEXT, contents, 3, &text),
                     0);
    for (struct out_letter *l = p.v[0]->letters; l; l = l->next)
        l->tried = true;
    disk_client_run(&p.disk[0], p.c[0], 1);
    letter_of(&p, text, 0);
    const uint32_t next = p.v[0]->next_sequence;
    pair_restart(&p, 0);
    pair_settle(&p);
    const uint32_t letters = letter_count(LEN, p.c[0]->letter_len);
    assert_true(next < letters); /* it was in the middle */
    SHOWN(&p, text);             /* it has overtaken the file */
    assert_true(client_next(p.c[1], NULL, "a", &r));
    assert_int_equal(r.len, LEN);
    assert_memory_equal(r.data, data, LEN);
    assert_int_equal(r.late_after, text);
    SHOWN(&p, file);
    SHOWN(&p, 0);
    free(data);
    pair_free(&p);
}

/* A letter that was moved to another place, and is acknowledged before its first put
 * there, leaves a letter without content: else its reader would find that place free
 * for ever. One that was not moved lies where it was read, also when a restart has
 * forgotten that it was put: nothing else is put there. */
static void
i6_a_place_of_what_is_acknowledged_is_filled(void **state)
{
    (void)state;
    for (unsigned moved = 0; moved < 2; moved++) {
        struct pair p;
        pair_begin(&p);
        const uint64_t text = write_one(&p, LETTER_TEXT, 1);
        struct letter_place at = letter_of(&p, text, 0)->at;
        pair_bring(&p, 1, letter_of(&p, text, 0));
        if (moved) {
            struct out_letter **l = outgoing_find(p.v[0], at);
            journal_begin(p.c[0]->journal);
            assert_int_equal(staging_move(p.c[0], p.v[0], l), 0);
            (void)journal_end(p.c[0]->journal);
            at = (*l)->at;
        }
        pair_restart(&p, 0);
        pair_wait(&p);
        pair_wait(&p);
        struct out_letter *l = *outgoing_find(p.v[0], at);
        assert_non_null(l);
        l->tried = false;
        pair_bring_all(&p, 0);
        assert_int_equal(status_of(p.c[0]).queued, 0);
        pair_restart(&p, 0);
        l = *outgoing_find(p.v[0], at);
        assert_int_equal(l != NULL, moved);
        assert_true(!l || (l->fills && l->sequence == 0 && !l->answers));
        pair_free(&p);
    }
}

#define ORDER_TEST(name) \
    cmocka_unit_test_setup_teardown(name, pair_net_make, pair_net_free)

const struct CMUnitTest test_order[] = {
    ORDER_TEST(i6_messages_are_shown_as_they_were_written),
    ORDER_TEST(i6_a_text_waits_for_the_one_before),
    ORDER_TEST(i6_a_lost_text_is_not_waited_for_without_end),
    ORDER_TEST(i6_what_is_given_up_holds_up_nothing),
    ORDER_TEST(i6_a_text_waits_for_no_file),
    ORDER_TEST(i6_a_restart_goes_on_in_both),
    ORDER_TEST(i6_a_place_of_what_is_acknowledged_is_filled),
};
TEST_SUITE(test_order);
