/* tests/unit/test_client_heap.c - a client whose memory runs out, at every
 * allocation: what it says it has is on its disk, what it refuses leaves no
 * trace, a letter is taken whole or comes again, and it goes on. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "client/conversations.h"
#include "client/outgoing.h"
#include "client/taken.h"
#include "tests/by_place.h"
#include "tests/day_key.h"
#include "tests/heap.h"
#include "tests/invitee.h"
#include "tests/pair.h"

static uint8_t data[300000];

static int
net_make(void **state)
{
    (void)pair_net_make(state);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 11 + i / 256);
    return 0;
}

/* What messages are tried: the first few, or, in a proof, all. */
static const struct {
    enum letter_kind kind;
    size_t len;
} messages[] = {{LETTER_TEXT, 10},   {LETTER_FILE, 3000}, {LETTER_PING, 0},
                {LETTER_TEXT, 0},    {LETTER_TEXT, 1192}, {LETTER_TEXT, 1193},
                {LETTER_FILE, 20000}};

static size_t
messages_tried(void)
{
    return test_proof() ? sizeof messages / sizeof messages[0] : 3;
}

/* All that can be seen of a conversation and its client. */
struct view {
    struct conversation v;
    struct client_status status;
    size_t gathered_len, inbox_held, queue_len;
    uint8_t disk[DISK_DIGEST_LEN];
};

static void
view_take(const struct pair *p, unsigned side, struct view *out)
{
    memset(out, 0, sizeof *out);
    memcpy(&out->v, p->v[side], sizeof out->v);
    client_status(p->c[side], &out->status);
    memset(out->status.dropped, 0, sizeof out->status.dropped);
    out->gathered_len = p->c[side]->gathered_len;
    out->inbox_held = p->c[side]->inbox_held;
    out->queue_len = p->c[side]->queue_len;
    disk_digest(&p->disk[side], out->disk);
}

static uint64_t
letters_failed(const struct client *c)
{
    struct client_status s;
    client_status(c, &s);
    return s.dropped[-ERR_NOMEM];
}

static bool
place_is_read(const struct conversation *v, struct letter_place at)
{
    for (size_t i = 0; i < CURSORS && v->cursor[i].open; i++) {
        const struct cursor *k = &v->cursor[i];
        uint32_t box = at.n / LETTER_SLOTS;
        if (k->period == at.period)
            return box < k->base ||
                   (k->held[box - k->base] >> at.n % LETTER_SLOTS & 1);
    }
    return false;
}

/* A letter comes while memory fails. Either it is taken, or all is as it was:
 * then its place is not read, and it comes again. */
static void
letter_arrives(struct heap *h, struct pair *p, unsigned to,
               const struct out_letter *l)
{
    struct view before, after;
    const uint64_t failed = letters_failed(p->c[to]);
    view_take(p, to, &before);
    const bool was_read = place_is_read(p->v[to], l->at);
    heap_arm(h);
    pair_bring(p, to, l);
    heap_disarm(h);
    if (letters_failed(p->c[to]) > failed) {
        assert_true(h->failed);
        view_take(p, to, &after);
        assert_memory_equal(&before, &after, sizeof before);
        assert_true(was_read == place_is_read(p->v[to], l->at));
        pair_bring(p, to, l);
        assert_int_equal(letters_failed(p->c[to]), failed + 1);
    }
    assert_true(place_is_read(p->v[to], l->at));
}

/* All letters that the other side has for this one, from the last to the first:
 * none of them waits for another. */
static void
letters_arrive(struct heap *h, struct pair *p, unsigned to)
{
    const struct out_letter *last = NULL;
    do {
        const struct out_letter *l = p->v[!to]->letters;
        if (l == last)
            break;
        while (l->next != last)
            l = l->next;
        letter_arrives(h, p, to, l);
        last = l;
    } while (last);
}

/* ---- sending ---- */

/* Is the message on the disk, whole? */
static void
message_is_on_disk(const struct client_disk *d, size_t len)
{
    const struct disk_record *r;
    assert_int_equal(disk_count(d, 'M', &r), 1);
    assert_true(r->len >= len);
    assert_memory_equal(r->value + r->len - len, data, len);
}

static void
send_once(struct heap *h, enum letter_kind kind, size_t len)
{
    struct client_disk d;
    struct client_message m;
    struct client_status before, after;
    char line[INVITE_TEXT_LEN];
    uint64_t order = 0;
    disk_init(&d, test_seed());
    struct client *c = disk_client(&d, &pair_net);
    assert_int_equal(client_invite(c, "bob", line), 0);
    invitee_take_up(c, "bob", line);
    client_status(c, &before);
    heap_arm(h);
    int err = client_send(c, "bob", kind, data, len, &order);
    heap_disarm(h);
    if (err) {
        assert_true(h->failed && err == ERR_NOMEM);
        assert_int_equal(disk_count(&d, 'M', NULL), 0);
        assert_int_equal(disk_count(&d, 'L', NULL), 0);
        client_status(c, &after);
        assert_int_equal(after.queued, before.queued);
        assert_int_equal(client_message(c, "bob", 1, &m), ERR_NOT_FOUND);
        assert_int_equal(client_send(c, "bob", kind, data, len, &order), 0);
    }
    assert_int_equal(order, 1);
    assert_int_equal(client_message(c, "bob", order, &m), 0);
    assert_true(m.durable);
    message_is_on_disk(&d, len);
    disk_client_run(&d, c, 10); /* what was not staged is now */
    const size_t letters = m.letters < STAGED_MAX ? m.letters : STAGED_MAX;
    assert_int_equal(disk_count(&d, 'L', NULL), letters);
    client_free(&c);
    c = disk_client(&d, &pair_net);
    assert_int_equal(client_message(c, "bob", order, &m), 0);
    assert_int_equal(m.state, CLIENT_QUEUED);
    client_free(&c);
    disk_free(&d);
}

static void
a_message_is_kept_whole_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < messages_tried(); i++)
        for (struct heap h = {0}; heap_next(&h);)
            send_once(&h, messages[i].kind, messages[i].len);
}

/* Nothing is durable before the disk says so, and nothing when it has failed.
 */
static void
a_message_is_durable_when_the_disk_says_so(void **state)
{
    (void)state;
    for (unsigned full = 0; full < 2; full++) {
        struct client_disk d;
        struct client_message m;
        char line[INVITE_TEXT_LEN];
        uint64_t order;
        disk_init(&d, test_seed());
        struct client *c = disk_client(&d, &pair_net);
        assert_int_equal(client_invite(c, "bob", line), 0);
        d.slow = true;
        d.full = full;
        assert_int_equal(client_send(c, "bob", LETTER_TEXT, data, 9, &order),
                         0);
        assert_int_equal(client_message(c, "bob", order, &m), 0);
        assert_false(m.durable);
        disk_release(&d);
        assert_int_equal(client_message(c, "bob", order, &m),
                         full ? ERR_NOT_FOUND : 0);
        assert_int_equal(m.durable, !full);
        assert_int_equal(disk_count(&d, 'M', NULL), !full);
        /* a disk that has failed takes no more */
        assert_int_equal(client_send(c, "bob", LETTER_TEXT, data, 9, &order),
                         full ? ERR_ROOM : 0);
        disk_release(&d);
        client_free(&c);
        disk_free(&d);
    }
}

/* ---- letters out ---- */

/* Each letter of the message has its place, its number and its record. */
static void
letters_are_right(const struct pair *p, uint32_t count)
{
    const struct conversation *v = p->v[0];
    uint32_t i = 0;
    assert_int_equal(disk_count(&p->disk[0], 'L', NULL), count);
    for (const struct out_letter *l = v->letters; l; l = l->next, i++) {
        assert_int_equal(l->index, i);
        assert_int_equal(l->at.n, i);
        assert_int_equal(l->sequence, i + 1);
        assert_true(journal_is_committed(p->c[0]->journal, l->ticket));
    }
    assert_int_equal(i, count);
    assert_true(v->at.n == count && v->next_sequence == count + 1);
}

/* The message that b has is this one. */
static void
message_has_come(struct pair *p, enum letter_kind kind, size_t len)
{
    struct client_received r;
    /* the second time: what was on disk alone has been read */
    if (!client_next(p->c[1], NULL, NULL, &r))
        assert_true(client_next(p->c[1], NULL, NULL, &r));
    assert_true(r.kind == kind && r.len == len);
    assert_memory_equal(r.data, data, len);
    assert_string_equal(r.contact, "a");
}

/* Memory fails while the clock ticks: no letter is lost, none is made twice. */
static void
letters_are_staged_when_memory_is_there(void **state)
{
    (void)state;
    enum { LEN = 40000 };
    for (struct heap h = {0}; heap_next(&h);) {
        struct pair p;
        struct client_message m;
        uint64_t order;
        pair_make(&p, &pair_net);
        pair_open(&p);
        assert_int_equal(
            client_send(p.c[0], "b", LETTER_FILE, data, LEN, &order), 0);
        assert_int_equal(client_message(p.c[0], "b", order, &m), 0);
        assert_true(m.letters > 2 * STAGED_MAX);
        for (unsigned round = 0; round < 4; round++) {
            for (struct out_letter *l = p.v[0]->letters; l; l = l->next)
                outgoing_asked(p.c[0], l,
                               UINT64_MAX); /* so that more are staged */
            if (round < 2)
                heap_arm(&h);
            disk_client_run(&p.disk[0], p.c[0], 3);
            heap_disarm(&h);
        }
        letters_are_right(&p, m.letters);
        for (const struct out_letter *l = p.v[0]->letters; l; l = l->next)
            pair_bring(&p, 1, l);
        message_has_come(&p, LETTER_FILE, LEN);
        pair_free(&p);
    }
}

static void
answer_give(struct pair *p, unsigned side, struct letter_place at,
            uint8_t status)
{
    if (status == WIRE_TAKEN)
        taken_answer(p->c[side], p->v[side], at, STORE_ALONE);
    else
        outgoing_answer(p->c[side], p->v[side], at, STORE_ALONE, status);
}

/* A store answers while memory fails; what could not be noted is asked again.
 */
static void
answer_arrives(struct heap *h, struct pair *p, unsigned side,
               struct letter_place at, uint8_t status)
{
    struct view before, after;
    const uint64_t failed = letters_failed(p->c[side]);
    view_take(p, side, &before);
    heap_arm(h);
    answer_give(p, side, at, status);
    heap_disarm(h);
    if (letters_failed(p->c[side]) == failed)
        return;
    assert_true(h->failed);
    view_take(p, side, &after);
    assert_memory_equal(&before, &after, sizeof before);
    const struct out_letter *l = p->v[side]->letters;
    while (l && (l->at.period != at.period || l->at.n != at.n))
        l = l->next;
    assert_non_null(l);
    assert_false(l->kept);
    assert_true(l->due_us == p->disk[side].test.mono_us + (uint64_t)RETRY_US);
    answer_give(p, side, at, status);
    assert_int_equal(letters_failed(p->c[side]), failed + 1);
}

/* What lies in the place that b checks: its own letter, rubbish, and at last one
 * of somebody else who has the invitation, while memory fails. */
static void
looks_show(struct heap *h, struct pair *p)
{
    struct conversation *v = p->v[1];
    const struct letter other = {.count = 1, .kind = LETTER_HELLO};
    const size_t len = p->c[1]->letter_len;
    const struct wire_answer answer = {.status = WIRE_LETTER,
                                       .slot = v->check_at.n % LETTER_SLOTS};
    uint8_t *bytes = calloc(1, len);
    assert_non_null(bytes);
    memcpy(bytes, v->letters->bytes, len);
    taken_look(p->c[1], v, &answer, bytes);
    assert_false(v->refused);
    memset(bytes, 7, len);
    taken_look(p->c[1], v, &answer, bytes);
    assert_false(v->refused);
    assert_int_equal(v->checks, CHECKS - 2);
    for (unsigned tries = 0; tries < 2 && !v->refused; tries++) {
        assert_int_equal(
            by_place_seal(
                &other, day_key(p->c[1], v, CHAIN_OUT, v->check_at.period).key,
                v->check_at, bytes, len),
            0);
        if (tries == 0)
            heap_arm(h);
        taken_look(p->c[1], v, &answer, bytes);
        heap_disarm(h);
    }
    assert_true(v->refused && v->checks == 0);
    free(bytes);
}

static void
what_stores_answer_is_noted_or_asked_again(void **state)
{
    (void)state;
    for (struct heap h = {0}; heap_next(&h);) {
        struct pair p;
        struct client_message m;
        uint64_t order;
        pair_make(&p, &pair_net);
        pair_open(&p);
        assert_int_equal(
            client_send(p.c[0], "b", LETTER_TEXT, data, 2000, &order), 0);
        struct out_letter *first = p.v[0]->letters, *second = first->next;
        assert_true(second && !second->next);
        first->tried = second->tried = true;
        p.v[0]->in_step = true;
        answer_arrives(&h, &p, 0, first->at, WIRE_KEPT);
        answer_arrives(&h, &p, 0, second->at, WIRE_TAKEN);
        first = p.v[0]->letters;
        second = first->next;
        assert_true(first->kept && !second->kept && second->at.n == 2);
        assert_int_equal(disk_count(&p.disk[0], 'L', NULL), 2);
        answer_arrives(&h, &p, 0, second->at, WIRE_KEPT);
        assert_int_equal(client_message(p.c[0], "b", order, &m), 0);
        assert_int_equal(m.state, CLIENT_SENT);
        /* the place of the first letter is said to be taken: is that true? */
        answer_arrives(&h, &p, 1, p.v[1]->letters->at, WIRE_TAKEN);
        assert_true(p.v[1]->checks == CHECKS && !p.v[1]->refused);
        looks_show(&h, &p);
        client_free(&p.c[1]);
        p.c[1] = disk_client(&p.disk[1], &pair_net);
        pair_find(&p);
        assert_true(p.v[1]->refused);
        pair_free(&p);
    }
}

/* ---- letters in ---- */

/* b has the message and a knows. It outlives both. */
static void
message_is_settled(struct pair *p, enum letter_kind kind, size_t len,
                   uint64_t order)
{
    struct client_message m;
    struct client_status s;
    for (unsigned life = 0; life < 2; life++) {
        assert_int_equal(client_message(p->c[0], "b", order, &m), 0);
        assert_int_equal(m.state, CLIENT_DELIVERED);
        client_status(p->c[1], &s);
        assert_int_equal(s.inbox, kind != LETTER_PING);
        if (kind != LETTER_PING)
            message_has_come(p, kind, len);
        assert_int_equal(disk_count(&p->disk[1], 'F', NULL), 0);
        for (unsigned i = 0; i < 2; i++) {
            client_free(&p->c[i]);
            p->c[i] = disk_client(&p->disk[i], &pair_net);
        }
        pair_find(p);
    }
}

/* The application takes it while memory fails: it has it, or has it again. */
static void
message_is_released(struct heap *h, struct pair *p)
{
    struct client_received r, again;
    assert_true(client_next(p->c[1], NULL, NULL, &r) ||
                client_next(p->c[1], NULL, NULL, &r));
    const bool kept = r.kind == LETTER_FILE;
    again = r;
    assert_int_equal(client_keep(p->c[1], kept ? CLIENT_KEEP_ALWAYS : 0), 0);
    heap_arm(h);
    int err = client_release(p->c[1], NULL, r.order);
    heap_disarm(h);
    if (err) {
        assert_true(h->failed && err == ERR_NOMEM);
        assert_int_equal(disk_count(&p->disk[1], 'X', NULL), 1);
        assert_true(client_next(p->c[1], NULL, NULL, &again));
        assert_int_equal(again.order, r.order);
        assert_int_equal(client_release(p->c[1], NULL, r.order), 0);
    }
    assert_int_equal(disk_count(&p->disk[1], 'X', NULL), kept);
    assert_false(client_next(p->c[1], NULL, NULL, &r));
    if (!kept)
        return;
    heap_arm(h);
    err = client_delete(p->c[1], again.order);
    heap_disarm(h);
    if (err) {
        assert_true(h->failed && err == ERR_NOMEM);
        assert_int_equal(disk_count(&p->disk[1], 'X', NULL), 1);
        assert_int_equal(client_delete(p->c[1], again.order), 0);
    }
    assert_int_equal(disk_count(&p->disk[1], 'X', NULL), 0);
}

/* The other side's letters arrive, and then what they are answered with. */
static void
arrive_once(struct heap *h, enum letter_kind kind, size_t len)
{
    struct pair p;
    struct client_message m;
    uint64_t order;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    assert_int_equal(client_pings(p.c[1], "a", true), 0);
    assert_int_equal(client_send(p.c[0], "b", kind, data, len, &order), 0);
    for (unsigned i = 0; i < 2; i++) /* 16 letters at a time */
        do {
            for (struct out_letter *l = p.v[0]->letters; l; l = l->next)
                outgoing_asked(p.c[0], l, UINT64_MAX);
            disk_client_run(&p.disk[0], p.c[0], 1);
            assert_int_equal(client_message(p.c[0], "b", order, &m), 0);
        } while (disk_count(&p.disk[0], 'L', NULL) < m.letters);
    letters_arrive(h, &p, 1);
    p.disk[1].test.mono_us += PAIR_WAIT_US;
    disk_client_run(&p.disk[1], p.c[1], 2); /* acknowledges, or a pong does */
    letters_arrive(h, &p, 0);
    assert_int_equal(client_message(p.c[0], "b", order, &m), 0);
    assert_int_equal(m.state, CLIENT_DELIVERED);
    if (kind == LETTER_PING)
        assert_true(m.rtt_us > 0);
    message_is_settled(&p, kind, len, order);
    if (kind != LETTER_PING)
        message_is_released(h, &p);
    pair_free(&p);
}

static void
a_letter_is_taken_whole_or_comes_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < messages_tried(); i++)
        for (struct heap h = {0}; heap_next(&h);)
            arrive_once(&h, messages[i].kind, messages[i].len);
}

/* ---- contacts ---- */

static void
a_contact_is_kept_or_never_was(void **state)
{
    (void)state;
    for (struct heap h = {0}; heap_next(&h);) {
        struct client_disk d[2];
        struct client *c[2];
        char line[INVITE_TEXT_LEN] = "";
        struct client_contact contact;
        for (unsigned i = 0; i < 2; i++) {
            disk_init(&d[i], test_seed() + i);
            c[i] = disk_client(&d[i], &pair_net);
        }
        for (unsigned i = 0; i < 2; i++) {
            heap_arm(&h);
            int err = i == 0 ? client_invite(c[0], "b", line)
                             : client_add(c[1], "a", line);
            heap_disarm(&h);
            if (err) {
                assert_true(h.failed && err == ERR_NOMEM);
                assert_int_equal(disk_count(&d[i], 'C', NULL), 0);
                assert_int_equal(disk_count(&d[i], 'M', NULL), 0);
                assert_false(client_contact(c[i], 0, &contact));
                err = i == 0 ? client_invite(c[0], "b", line)
                             : client_add(c[1], "a", line);
            }
            assert_int_equal(err, 0);
            assert_true(client_contact(c[i], 0, &contact));
            assert_int_equal(disk_count(&d[i], 'C', NULL), 1);
            assert_int_equal(disk_count(&d[i], 'M', NULL), i);
        }
        for (unsigned i = 0; i < 2; i++) {
            client_free(&c[i]);
            disk_free(&d[i]);
        }
    }
}

/* Has each letter of v's a record, and no record another letter? */
static bool
letters_are_on_disk(const struct client_disk *d, const struct conversation *v)
{
    size_t n = 0, found = 0;
    for (const struct out_letter *l = v->letters; l; l = l->next, n++)
        for (size_t i = 0; i < d->n; i++) {
            struct record_key k;
            found += d->record[i].key[0] == 'L' &&
                     record_key_read(&k, d->record[i].key,
                                     d->record[i].key_len) == 0 &&
                     k.contact == v->id && k.a == l->at.period &&
                     k.b == l->at.n;
        }
    return found == n && disk_count(d, 'L', NULL) == n;
}

/* Memory fails while an invitee leaves a burnt box with three letters: what has moved in
 * memory has moved on the disk, so that no place is filled twice after a kill. */
static void
i6_a_burnt_box_is_left_letter_by_letter(void **state)
{
    (void)state;
    for (struct heap h = {0}; heap_next(&h);) {
        struct pair p;
        uint64_t order;
        pair_make(&p, &pair_net);
        for (unsigned i = 0; i < 3; i++)
            assert_int_equal(
                client_send(p.c[1], "a", LETTER_TEXT, data, 5, &order), 0);
        disk_client_run(&p.disk[1], p.c[1], 5);
        struct conversation *v = p.v[1];
        for (struct out_letter *l = v->letters; l; l = l->next)
            l->tried = true;
        const struct letter_place at = v->letters->at;
        taken_answer(p.c[1], v, at, STORE_FIRST);
        taken_answer(p.c[1], v, at, STORE_SECOND);
        assert_int_equal(v->checks, CHECKS);
        for (unsigned i = 1; i < CHECKS; i++)
            taken_unseen(p.c[1], v);
        assert_int_equal(v->letters->at.n, 0);
        heap_arm(&h);
        taken_unseen(p.c[1], v);
        heap_disarm(&h);
        assert_true(letters_are_on_disk(&p.disk[1], v));
        unsigned moved = 0, n = 0;
        for (const struct out_letter *l = v->letters; l; l = l->next, n++)
            moved += l->at.n >= LETTER_SLOTS;
        assert_true(n > 3 && (h.failed || moved == n));
        pair_free(&p);
    }
}

/* ---- a start ---- */

/* A client with everything: contacts, messages out and in, some not yet whole.
 */
static void
pair_fill(struct pair *p)
{
    uint64_t order;
    pair_make(p, &pair_net);
    pair_settle(p);
    assert_int_equal(client_send(p->c[1], "a", LETTER_TEXT, data, 2000, &order),
                     0);
    assert_int_equal(client_send(p->c[0], "b", LETTER_TEXT, data, 100, &order),
                     0);
    assert_int_equal(client_send(p->c[0], "b", LETTER_FILE, data, 4000, &order),
                     0);
    /* all but the last fragment */
    for (const struct out_letter *l = p->v[0]->letters; l->next; l = l->next)
        pair_bring(p, 1, l);
    struct journal *j = p->c[1]->journal;
    journal_begin(j);
    assert_int_equal(record_document_save(j, pair_net.consensus->epoch,
                                          pair_net.document,
                                          pair_net.document_len),
                     0);
    (void)journal_end(j);
    for (const char *type = "ACDFLMX"; *type; type++)
        assert_true(disk_count(&p->disk[1], *type, NULL) > 0);
}

static void
a_start_fails_or_is_whole(void **state)
{
    (void)state;
    for (struct heap h = {.how = test_proof() ? 0 : HEAP_OWN}; heap_next(&h);) {
        struct pair p;
        struct client_disk *d = &p.disk[1];
        struct client *c;
        struct client_received r;
        struct client_status s;
        uint8_t before[DISK_DIGEST_LEN], after[DISK_DIGEST_LEN];
        pair_fill(&p);
        client_free(&p.c[1]);
        disk_digest(d, before);
        heap_arm(&h);
        int err = disk_client_load(d, &pair_net, &c);
        bool is_loaded = err == 0;
        if (!err)
            err = client_start(c);
        heap_disarm(&h);
        disk_digest(d, after);
        assert_memory_equal(before, after, sizeof before);
        if (err) { /* a cipher that libcrypto cannot make is ERR_CRYPTO */
            assert_true(h.failed && (err == ERR_NOMEM || err == ERR_CRYPTO));
            if (!is_loaded)
                assert_int_equal(disk_client_load(d, &pair_net, &c), 0);
            assert_int_equal(client_start(c), 0);
        }
        client_status(c, &s);
        assert_true(s.inbox == 1 && s.queued == 1 && s.contacts == 1);
        const struct conversation *v = conversation_find(c, "a");
        assert_non_null(v);
        assert_true(v->incoming && v->incoming->have == v->incoming->count - 1);
        assert_true(client_next(c, NULL, "a", &r) ||
                    client_next(c, NULL, "a", &r));
        assert_int_equal(r.len, 100);
        p.c[1] = c;
        pair_free(&p);
    }
}

#define HEAP_TEST(f) cmocka_unit_test_setup_teardown(f, net_make, pair_net_free)
const struct CMUnitTest test_client_heap[] = {
    HEAP_TEST(a_message_is_kept_whole_or_refused),
    HEAP_TEST(a_message_is_durable_when_the_disk_says_so),
    HEAP_TEST(letters_are_staged_when_memory_is_there),
    HEAP_TEST(what_stores_answer_is_noted_or_asked_again),
    HEAP_TEST(a_letter_is_taken_whole_or_comes_again),
    HEAP_TEST(i6_a_burnt_box_is_left_letter_by_letter),
    HEAP_TEST(a_contact_is_kept_or_never_was),
    HEAP_TEST(a_start_fails_or_is_whole),
};
TEST_SUITE(test_client_heap);
