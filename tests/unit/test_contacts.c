/* tests/unit/test_contacts.c - contacts that are renamed, muted, removed, and
 * asked for pings; invitations that are withdrawn.
 *
 * What a store may see is compared with a twin: a client from the same seeds that
 * has done nothing. Both ask for the same boxes in the same order, so that no
 * statistic of any store tells them apart. */
#include "tests/runner.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "client/conversations.h"
#include "client/inbox.h"
#include "client/readers.h"
#include "client/outgoing.h"
#include "client/places.h"
#include "client/polls.h"
#include "client/disk/records.h"
#include "lib/rng.h"
#include "tests/heap.h"
#include "tests/pair.h"

enum { DAY_S = 86400 };

static uint8_t data[40000];

static int
net_make(void **state)
{
    (void)pair_net_make(state);
    /* a consensus is good for 90 days, and letters for two */
    pair_net.consensus->params.epoch_len_s = 30 * DAY_S;
    pair_net.consensus->params.letter_days = 2;
    assert_int_equal(pair_net.consensus->params.period_s, DAY_S);
    test_network_sign(&pair_net);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 13 + i / 256);
    return 0;
}

static void
say(struct pair *p, unsigned from, enum letter_kind kind, size_t len)
{
    uint64_t order;
    assert_int_equal(
        client_send(p->c[from], from == 0 ? "b" : "a", kind, data, len, &order),
        0);
}

static size_t
inbox_len(const struct client *c)
{
    struct client_status s;
    client_status(c, &s);
    return s.inbox;
}

static struct client_contact
contact_of(const struct client *c, const char *name)
{
    struct client_contact one;
    for (size_t i = 0; client_contact(c, i, &one); i++)
        if (strcmp(one.name, name) == 0)
            return one;
    fail_msg("no contact %s", name);
    return one;
}

static size_t
contacts_count(const struct client *c)
{
    struct client_contact one;
    struct client_status s;
    size_t n = 0;
    while (client_contact(c, n, &one))
        n++;
    client_status(c, &s);
    assert_int_equal(s.contacts, n);
    return n;
}

static void
invite(struct client *c, const char *name)
{
    char line[INVITE_TEXT_LEN];
    assert_int_equal(client_invite(c, name, line), 0);
}

/* ---- names and ids ---- */

static void
a_name_changes_and_the_id_stays(void **state)
{
    (void)state;
    struct pair p;
    struct client_received r;
    struct client_message m;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    invite(p.c[1], "carol");
    const uint32_t id = contact_of(p.c[1], "a").id;
    say(&p, 0, LETTER_FILE, 4000); /* under way, both ways */
    say(&p, 1, LETTER_TEXT, 2000);
    pair_bring(&p, 1, p.v[0]->letters);
    assert_int_equal(client_rename(p.c[1], "nobody", "x"), ERR_NOT_FOUND);
    assert_int_equal(client_rename(p.c[1], "a", "carol"), ERR_EXISTS);
    assert_int_equal(client_rename(p.c[1], "a", ""), ERR_ARG);
    assert_int_equal(client_rename(p.c[1], "a", "two words"), ERR_ARG);
    assert_int_equal(
        client_rename(p.c[1], "a", "123456789012345678901234567890123"),
        ERR_ARG);
    assert_int_equal(client_rename(p.c[1], "a", "a"), 0);
    assert_int_equal(client_rename(p.c[1], "a", "anna"), 0);
    for (unsigned life = 0; life < 2; life++) {
        assert_int_equal(contact_of(p.c[1], "anna").id, id);
        assert_string_equal(client_contact_name(p.c[1], id), "anna");
        assert_null(conversation_find(p.c[1], "a"));
        pair_restart(&p, 1);
    }
    pair_settle(&p);
    assert_true(client_next(p.c[1], NULL, "anna", &r) ||
                client_next(p.c[1], NULL, "anna", &r));
    assert_true(r.len == 4000 && r.id == id);
    assert_int_equal(client_message(p.c[1], "anna", 0, &m), 0);
    assert_int_equal(m.state, CLIENT_DELIVERED);
    pair_free(&p);
}

static void
a_name_is_free_again_and_an_id_never(void **state)
{
    (void)state;
    struct client_disk d;
    uint32_t last = 0;
    disk_init(&d, test_seed());
    struct client *c = disk_client(&d, &pair_net);
    invite(c, "first");
    for (unsigned i = 0; i < 5; i++) {
        invite(c, "bob");
        const uint32_t id = contact_of(c, "bob").id;
        assert_true(id > last);
        last = id;
        assert_int_equal(client_remove(c, "bob"), 0);
        assert_int_equal(client_remove(c, "bob"), ERR_NOT_FOUND);
        assert_null(client_contact_name(c, id));
        assert_int_equal(contacts_count(c), 1);
        client_free(&c);
        c = disk_client(&d, &pair_net);
        assert_int_equal(contacts_count(c), 1);
    }
    assert_int_equal(client_remove(c, ""), ERR_NOT_FOUND);
    client_free(&c);
    disk_free(&d);
}

/* ---- removing ---- */

/* A pair whose b has of a: a text in the inbox, part of a file, a text that is not
 * delivered. */
static void
pair_fill(struct pair *p)
{
    pair_make(p, &pair_net);
    pair_settle(p);
    say(p, 0, LETTER_TEXT, 100);
    say(p, 0, LETTER_FILE, 4000);
    for (const struct out_letter *l = p->v[0]->letters; l->next; l = l->next)
        pair_bring(p, 1, l);
    say(p, 1, LETTER_TEXT, 3000);
    for (const char *type = "FLMX"; *type; type++)
        assert_true(disk_count(&p->disk[1], *type, NULL) > 0);
}

/* b has nothing of a any more, in memory and on disk. */
static void
nothing_is_left(const struct pair *p, const uint8_t *chain_out)
{
    struct client_status s;
    struct client_received r;
    for (const char *type = "FLMX"; *type; type++)
        assert_int_equal(disk_count(&p->disk[1], *type, NULL), 0);
    assert_int_equal(disk_count(&p->disk[1], 'C', NULL), 1);
    assert_false(disk_has(&p->disk[1], chain_out, LETTER_CHAIN_LEN));
    client_status(p->c[1], &s);
    assert_true(s.inbox == 0 && s.queued == 0 && s.contacts == 0);
    assert_true(p->c[1]->queue_len == 0 && p->c[1]->gathered_len == 0 &&
                p->c[1]->inbox_held == 0);
    assert_false(client_next(p->c[1], NULL, NULL, &r));
    assert_int_equal(contacts_count(p->c[1]), 0);
}

static bool
place_is_read(const struct conversation *v, struct letter_place at)
{
    for (size_t i = 0; i < CURSORS && v->cursor[i].open; i++) {
        const struct cursor *k = &v->cursor[i];
        const uint32_t box = at.n / LETTER_SLOTS;
        if (k->period == at.period)
            return box < k->base ||
                   (k->held[box - k->base] >> at.n % LETTER_SLOTS & 1);
    }
    return false;
}

static void
i8_who_is_removed_leaves_nothing(void **state)
{
    (void)state;
    struct pair p;
    uint8_t chain_out[LETTER_CHAIN_LEN];
    uint64_t order;
    pair_fill(&p);
    memcpy(chain_out, p.v[1]->chains[CHAIN_OUT].key, sizeof chain_out);
    assert_true(disk_has(&p.disk[1], chain_out, sizeof chain_out));
    assert_int_equal(client_remove(p.c[1], "a"), 0);
    assert_int_equal(client_send(p.c[1], "a", LETTER_TEXT, data, 9, &order),
                     ERR_NOT_FOUND);
    for (unsigned life = 0; life < 2; life++) {
        nothing_is_left(&p, chain_out);
        say(&p, 0, LETTER_TEXT, 200);
        say(&p, 0, LETTER_PING, 0);
        say(&p, 0, LETTER_FILE, 3000);
        disk_client_run(&p.disk[0], p.c[0], 10);
        pair_bring_all(&p, 1); /* some for the second time */
        pair_wait(&p);
        for (const struct out_letter *l = p.v[0]->letters; l; l = l->next)
            assert_true(place_is_read(p.v[1], l->at));
        nothing_is_left(&p, chain_out);
        assert_null(p.v[1]->letters);
        pair_restart(&p, 1);
        assert_true(p.v[1]->removed);
    }
    pair_free(&p);
}

/* A line that was taken up is not taken up again after its contact was removed. */
static void
a_removed_contacts_invitation_is_used(void **state)
{
    (void)state;
    struct client_disk d[2];
    struct client *c[2];
    char line[INVITE_TEXT_LEN];
    for (unsigned i = 0; i < 2; i++) {
        disk_init(&d[i], test_seed() + i);
        c[i] = disk_client(&d[i], &pair_net);
    }
    assert_int_equal(client_invite(c[0], "b", line), 0);
    assert_int_equal(client_add(c[1], "a", line), 0);
    assert_int_equal(client_remove(c[0], "b"), 0);
    assert_int_equal(client_remove(c[1], "a"), 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(client_add(c[i], "again", line), ERR_USED);
        client_free(&c[i]);
        c[i] = disk_client(&d[i], &pair_net);
        assert_int_equal(client_add(c[i], "again", line), ERR_USED);
        client_free(&c[i]);
        disk_free(&d[i]);
    }
}

static void
who_is_removed_is_forgotten_when_letters_are_over(void **state)
{
    (void)state;
    struct client_disk d;
    disk_init(&d, test_seed());
    d.test.wall_s += DAY_S - d.test.wall_s % DAY_S; /* a period begins */
    struct client *c = disk_client(&d, &pair_net);
    disk_days_pass(&d, 0.2);
    invite(c, "anna");
    invite(c, "bob");
    const uint32_t id = contact_of(c, "bob").id;
    assert_int_equal(client_remove(c, "bob"), 0);
    for (unsigned life = 0; life < 2; life++) {
        disk_days_pass(&d, 1.3); /* at last it is 2.8 */
        conversations_expire(c);
        assert_int_equal(c->n_conversations, 2);
        client_free(&c);
        c = disk_client(&d, &pair_net);
    }
    d.full = true; /* a disk that fails loses no contact */
    disk_days_pass(&d, 0.3);
    conversations_expire(c);
    d.full = false;
    client_free(&c);
    c = disk_client(&d, &pair_net);
    assert_int_equal(c->n_conversations, 2);
    conversations_expire(c);
    assert_int_equal(c->n_conversations, 1);
    assert_int_equal(disk_count(&d, 'C', NULL), 1);
    client_free(&c);
    c = disk_client(&d, &pair_net);
    assert_int_equal(contacts_count(c), 1);
    invite(c, "bob");
    assert_true(contact_of(c, "bob").id > id);
    client_free(&c);
    disk_free(&d);
}

/* What is removed while nobody knows the time is removed when somebody does. */
static void
a_removal_without_the_time_is_dated_later(void **state)
{
    (void)state;
    struct client_disk d;
    disk_init(&d, test_seed());
    struct client *c = disk_client(&d, &pair_net);
    invite(c, "bob");
    disk_days_pass(&d, 1000);
    assert_false(client_time_is_known(c));
    assert_int_equal(client_remove(c, "bob"), 0);
    const struct conversation *v = c->conversations;
    assert_true(v->removed && v->removed_s == 0);
    conversations_expire(c);
    assert_int_equal(v->removed_s, 0);
    d.test.wall_s -= (uint64_t)980 * DAY_S; /* the clock is set */
    conversations_expire(c);
    assert_int_equal(v->removed_s, d.test.wall_s);
    client_free(&c);
    c = disk_client(&d, &pair_net);
    assert_int_equal(c->conversations->removed_s, d.test.wall_s);
    client_free(&c);
    disk_free(&d);
}

static void
contacts_and_those_removed_are_bounded(void **state)
{
    (void)state;
    struct client_disk d;
    char line[INVITE_TEXT_LEN], name[16];
    disk_init(&d, test_seed());
    struct client *c = disk_client(&d, &pair_net);
    c->n_conversations += CLIENT_CONTACTS_MAX; /* as if they had been removed */
    for (unsigned i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "n%u", i);
        invite(c, name);
    }
    c->n_conversations += CLIENT_CONTACTS_MAX - 3;
    assert_int_equal(client_invite(c, "more", line), ERR_FULL);
    assert_int_equal(client_remove(c, "n1"), 0); /* never refused for that */
    assert_int_equal(client_invite(c, "more", line), ERR_FULL);
    c->n_conversations--;
    assert_int_equal(client_invite(c, "more", line), 0);
    client_free(&c);
    disk_free(&d);
}

/* ---- whole or not at all ---- */

enum { CHANGES = 6 };

static int
change_make(struct client *c, unsigned change)
{
    switch (change) {
    case 0:
        return client_rename(c, "a", "anna");
    case 1:
        return client_mute(c, "a", true);
    case 2:
        return client_pings(c, "a", true);
    case 3:
        return client_remove(c, "a");
    case 4:
        return client_withdraw(c, "new");
    default:
        return client_mute(c, "new", true);
    }
}

/* All that can be seen of b's contacts, and its disk. */
struct view {
    struct client_contact contact[2];
    struct client_status status;
    size_t n_conversations, gathered_len, inbox_held, queue_len;
    uint8_t disk[DISK_DIGEST_LEN];
};

static void
view_take(const struct pair *p, struct view *out)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < 2; i++)
        (void)client_contact(p->c[1], i, &out->contact[i]);
    client_status(p->c[1], &out->status);
    memset(out->status.dropped, 0, sizeof out->status.dropped);
    out->status.changes = 0;
    out->n_conversations = p->c[1]->n_conversations;
    out->gathered_len = p->c[1]->gathered_len;
    out->inbox_held = p->c[1]->inbox_held;
    out->queue_len = p->c[1]->queue_len;
    disk_digest(&p->disk[1], out->disk);
}

static void
a_change_without_memory_is_none(void **state)
{
    (void)state;
    for (unsigned change = 0; change < CHANGES; change++)
        for (struct heap h = {0}; heap_next(&h);) {
            struct pair p;
            struct view before, after;
            pair_fill(&p);
            invite(p.c[1], "new");
            view_take(&p, &before);
            heap_arm(&h);
            int err = change_make(p.c[1], change);
            heap_disarm(&h);
            view_take(&p, &after);
            if (err) {
                assert_true(h.failed && err == ERR_NOMEM);
                assert_memory_equal(&before, &after, sizeof before);
                assert_int_equal(change_make(p.c[1], change), 0);
                view_take(&p, &after);
            }
            assert_memory_not_equal(&before, &after, sizeof before);
            pair_free(&p);
        }
}

/* A kill before the disk has the group, and one after: as if it had not been
 * asked, or as if it had. Nothing between, since it is one group. */
static void
i9_a_kill_leaves_a_change_whole_or_undone(void **state)
{
    (void)state;
    for (unsigned change = 0; change < CHANGES; change++)
        for (unsigned kept = 0; kept < 2; kept++) {
            struct pair p;
            struct view before, after;
            pair_fill(&p);
            invite(p.c[1], "new");
            pair_restart(&p, 1);
            view_take(&p, &before);
            p.disk[1].slow = true;
            assert_int_equal(change_make(p.c[1], change), 0);
            assert_int_equal(p.disk[1].n_held, 1);
            p.disk[1].slow = false;
            p.disk[1].frozen = !kept;
            disk_release(&p.disk[1]);
            p.disk[1].frozen = false;
            pair_restart(&p, 1);
            view_take(&p, &after);
            assert_true((memcmp(&before, &after, sizeof before) == 0) == !kept);
            if (!kept) {
                assert_int_equal(change_make(p.c[1], change), 0);
                pair_restart(&p, 1);
            }
            pair_free(&p);
        }
}

/* Many changes, and the disk stops after each of their groups: what is there is
 * what some prefix of them makes. */
static void
changes_are_kept_in_their_order(void **state)
{
    (void)state;
    enum { STEPS = 4 };
    struct view want[STEPS + 1];
    for (unsigned stop = 0; stop <= STEPS; stop++) {
        struct pair p;
        struct view got;
        pair_fill(&p);
        invite(p.c[1], "new");
        pair_restart(&p, 1);
        p.disk[1].slow = true;
        const unsigned step[STEPS] = {1, 2, 3, 4};
        for (unsigned i = 0; i < STEPS; i++) {
            assert_int_equal(change_make(p.c[1], step[i]), 0);
            if (i + 1 == stop) {
                disk_release(&p.disk[1]);
                p.disk[1].frozen = true;
            }
        }
        p.disk[1].frozen = true;
        disk_release(&p.disk[1]);
        p.disk[1].frozen = p.disk[1].slow = false;
        pair_restart(&p, 1);
        view_take(&p, &got);
        want[stop] = got;
        for (unsigned i = 0; i < stop; i++)
            assert_memory_not_equal(&want[i], &got, sizeof got);
        assert_int_equal(contacts_count(p.c[1]), stop < 3    ? 2
                                                 : stop == 3 ? 1
                                                             : 0);
        if (stop >= 1 && stop < 3)
            assert_true(contact_of(p.c[1], "a").muted);
        if (stop < 3)
            assert_int_equal(contact_of(p.c[1], "a").pings, stop == 2);
        pair_free(&p);
    }
}

static void
a_full_disk_changes_nothing(void **state)
{
    (void)state;
    for (unsigned change = 0; change < CHANGES; change++) {
        struct pair p;
        struct view before, after;
        uint64_t order;
        pair_fill(&p);
        invite(p.c[1], "new");
        p.disk[1].full = true;
        assert_int_equal(
            client_send(p.c[1], "new", LETTER_TEXT, data, 9, &order),
            0); /* the last that is believed */
        disk_release(&p.disk[1]);
        view_take(&p, &before);
        assert_int_equal(change_make(p.c[1], change), ERR_ROOM);
        view_take(&p, &after);
        assert_memory_equal(&before, &after, sizeof before);
        pair_free(&p);
    }
}

/* ---- what stores see ---- */

enum { TWIN_CONTACTS = 7 };

/* A client with seven contacts of which all but the last two were heard. */
static struct client *
twin_make(struct client_disk *d)
{
    char name[8];
    disk_init(d, test_seed());
    struct client *c = disk_client(d, &pair_net);
    for (unsigned i = 0; i < TWIN_CONTACTS; i++) {
        snprintf(name, sizeof name, "n%u", i);
        invite(c, name);
    }
    c->settled = true;
    disk_days_pass(d, 0.01); /* every place has begun */
    return c;
}

/* The next n polls of both ask for the same. */
static void
polls_are_alike(struct client *const c[2], unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct choice one = {.spare = i % 8 == 0}, other = one;
        places_pick(c[0], &one);
        places_pick(c[1], &other);
        assert_memory_equal(one.request.box, other.request.box, WIRE_BOX_LEN);
        assert_int_equal(one.request.held, other.request.held);
        assert_int_equal(one.request.slot, other.request.slot);
        assert_int_equal(one.spare, other.spare);
        if (one.conversation && i % 3) { /* it is answered */
            polls_unasked(one.conversation, one.at, one.request.slot, one.spare,
                          one.whom.place == FRONTS_FRONT);
            polls_unasked(other.conversation, other.at, other.request.slot,
                          other.spare, other.whom.place == FRONTS_FRONT);
        }
    }
}

static void
twins_are_alike(int (*change)(struct client *c))
{
    struct client_disk d[2];
    struct client *c[2];
    for (unsigned i = 0; i < 2; i++)
        c[i] = twin_make(&d[i]);
    polls_are_alike(c, 3000);
    assert_int_equal(change(c[1]), 0);
    for (unsigned day = 0; day < 2; day++) { /* and over periods */
        polls_are_alike(c, 3000);
        for (unsigned i = 0; i < 2; i++) {
            disk_days_pass(&d[i], 1);
            conversations_expire(c[i]);
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        client_free(&c[i]);
        disk_free(&d[i]);
    }
}

static int
cold_remove(struct client *c)
{
    return client_remove(c, "n1");
}

static int
hot_remove(struct client *c)
{
    return client_remove(c, "n6");
}

static int
both_withdraw(struct client *c)
{
    int err = client_withdraw(c, "n0");
    return err ? err : client_withdraw(c, "n5");
}

static int
some_mute(struct client *c)
{
    int err = client_mute(c, "n5", true);
    if (!err)
        err = client_rename(c, "n4", "other");
    return err ? err : client_pings(c, "n3", true);
}

static void
i2_stores_see_no_change(void **state)
{
    (void)state;
    twins_are_alike(cold_remove);
    twins_are_alike(hot_remove);
    twins_are_alike(both_withdraw);
    twins_are_alike(some_mute);
}

/* Where gets of boxes begin in which nothing lies: at any slot, whether somebody
 * reads the box or nobody does. chi^2 has 15 degrees of freedom. */
static void
i12_gets_of_empty_boxes_begin_anywhere(void **state)
{
    (void)state;
    enum { POLLS = 16000 };
    struct client_disk d;
    disk_init(&d, test_seed());
    struct client *c = disk_client(&d, &pair_net);
    invite(c, "one");
    c->settled = true;
    disk_days_pass(&d, 0.01); /* every place has begun */
    unsigned count[2][LETTER_SLOTS] = {{0}};
    for (unsigned i = 0; i < POLLS; i++) {
        struct choice one = {.spare = i % 8 == 0};
        places_pick(c, &one);
        count[one.conversation != NULL][one.request.slot]++;
    }
    for (unsigned real = 0; real < 2; real++) {
        double sum = 0, chi2 = 0;
        for (unsigned i = 0; i < LETTER_SLOTS; i++)
            sum += count[real][i];
        const double mean = sum / LETTER_SLOTS;
        assert_true(mean > 100);
        for (unsigned i = 0; i < LETTER_SLOTS; i++)
            chi2 += pow(count[real][i] - mean, 2) / mean;
        assert_true(chi2 < 56); /* once in 10^6 */
    }
    client_free(&c);
    disk_free(&d);
}

/* Gets of a box where letters are known to lie bring different ones, drawn
 * alike. */
static void
gets_bring_different_letters(void **state)
{
    (void)state;
    enum { ROUNDS = 400, AT_STORE = 0x8316, HELD = 0x0106, LEFT = 3 };
    struct client_disk d;
    struct client *c = twin_make(&d);
    unsigned first[LETTER_SLOTS] = {0};
    struct conversation *v = c->conversations;
    v->session->state =
        SESSION_NONE; /* of an invitation the first comes first */
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct choice polls[LEFT];
        uint16_t seen = 0;
        v->cursor[0].held[0] = HELD;
        v->cursor[0].by[POLLED_OTHERS][0].full = AT_STORE;
        for (unsigned n = 0; n < LEFT; n++) {
            polls[n] = (struct choice){.spare = n == 1};
            polls_ask(c, v, 0, rng_below(c->env, POLLS_SLOT_DICE), &polls[n]);
            first[polls[n].request.slot] += n == 0;
            seen |= (uint16_t)(1u << polls[n].request.slot);
        }
        assert_int_equal(seen, AT_STORE & ~HELD);
        for (unsigned n = 0; n < LEFT; n++)
            polls_unasked(v, polls[n].at, polls[n].request.slot, polls[n].spare,
                          polls[n].whom.place == FRONTS_FRONT);
    }
    for (unsigned i = 0; i < LETTER_SLOTS; i++)
        if ((AT_STORE & ~HELD) >> i & 1) /* 133 +- 9 */
            assert_true(first[i] > 85 && first[i] < 180);
    client_free(&c);
    disk_free(&d);
}

/* Looks at a place that is said to be taken are CHECKS while none is answered: who is
 * silent to them keeps nobody from the letters of the other. */
static void
i10_looks_are_few_while_none_is_answered(void **state)
{
    (void)state;
    struct client_disk d;
    struct client *c = twin_make(&d);
    struct conversation *v = c->conversations;
    unsigned looks = 0;
    v->checks = CHECKS;
    v->looked = 0;
    v->check_at = v->at;
    for (unsigned i = 0; i < 3 * CHECKS; i++) {
        struct choice poll = {.spare = false};
        polls_ask(c, v, 0, rng_below(c->env, POLLS_SLOT_DICE), &poll);
        looks += poll.check;
    }
    assert_int_equal(looks, CHECKS);
    client_free(&c);
    disk_free(&d);
}

/* Who is removed and writes on, a file too, is asked for as before. */
static void
i2_who_writes_on_is_asked_for_as_before(void **state)
{
    (void)state;
    struct pair p[2];
    struct client *c[2];
    for (unsigned i = 0; i < 2; i++) {
        pair_make(&p[i], &pair_net);
        pair_settle(&p[i]);
        invite(p[i].c[1], "other");
        c[i] = p[i].c[1];
        c[i]->settled = true;
        p[i].disk[1].test.mono_us += 600000000;
    }
    assert_int_equal(client_remove(c[1], "a"), 0);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 2; i++) {
            say(&p[i], 0, LETTER_FILE, 40000);
            disk_client_run(&p[i].disk[0], p[i].c[0], 10);
            const struct out_letter *l = p[i].v[0]->letters;
            for (unsigned n = 0; n < 10; n++, l = l->next)
                pair_bring(&p[i], 1, l);
        }
        polls_are_alike(c, 500);
    }
    for (unsigned i = 0; i < 2; i++)
        pair_free(&p[i]);
}

/* ---- muted ---- */

/* What a sees of b: its letters, without their bytes, which nonces make differ. */
static void
same_is_seen(const struct pair *one, const struct pair *other)
{
    const struct out_letter *k = one->v[1]->letters, *l = other->v[1]->letters;
    for (; k && l; k = k->next, l = l->next)
        assert_true(k->at.n == l->at.n && k->sequence == l->sequence &&
                    k->due_us == l->due_us);
    assert_true(!k && !l);
    assert_int_equal(one->v[1]->ack, other->v[1]->ack);
    assert_int_equal(acks_count(one->v[1]->acks),
                     acks_count(other->v[1]->acks));
    assert_memory_equal(one->v[1]->map, other->v[1]->map, LETTER_MAP_LEN);
    assert_int_equal(one->v[0]->n_waiting, other->v[0]->n_waiting);
}

/* b's application takes what there is. */
static void
inbox_take(struct client *c, const char *name)
{
    struct client_received r;
    while (client_next(c, NULL, name, &r) || client_next(c, NULL, name, &r))
        assert_int_equal(client_release(c, NULL, r.order), 0);
}

/* Everything a contact can try, with b muting it or not: texts, files, files that
 * are never whole and more of them than are taken, pings. */
static void
i2_a_contact_cannot_tell_that_it_is_muted(void **state)
{
    (void)state;
    struct pair p[2];
    for (unsigned i = 0; i < 2; i++) {
        pair_make(&p[i], &pair_net);
        pair_settle(&p[i]);
        assert_int_equal(client_mute(p[i].c[1], "a", i == 1), 0);
    }
    for (unsigned round = 0; round < 60; round++) {
        for (unsigned i = 0; i < 2; i++) {
            say(&p[i], 0, round % 3 ? LETTER_FILE : LETTER_TEXT,
                round % 3 ? 2000 : 20);
            if (round % 10 == 0)
                say(&p[i], 0, LETTER_PING, 0);
            disk_client_run(&p[i].disk[0], p[i].c[0], 3);
            for (const struct out_letter *l = p[i].v[0]->letters; l;
                 l = l->next)
                if (round % 2 ||
                    l->index == 0) /* ends come later, some never */
                    pair_bring(&p[i], 1, l);
            inbox_take(p[i].c[1], "a");
            pair_wait(&p[i]);
            if (round % 4 == 0)
                pair_bring_all(&p[i], 0);
        }
        same_is_seen(&p[0], &p[1]);
    }
    assert_int_equal(inbox_len(p[1].c[1]), 0);
    for (unsigned i = 0; i < 2; i++)
        pair_free(&p[i]);
}

static void
what_a_muted_contact_writes_is_not_shown(void **state)
{
    (void)state;
    struct pair p;
    struct client_received r;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    say(&p, 0, LETTER_TEXT, 10); /* before */
    pair_settle(&p);
    assert_int_equal(client_mute(p.c[1], "nobody", true), ERR_NOT_FOUND);
    assert_int_equal(client_mute(p.c[1], "a", true), 0);
    assert_int_equal(inbox_len(p.c[1]), 1);
    for (unsigned life = 0; life < 2; life++) {
        assert_true(contact_of(p.c[1], "a").muted);
        assert_false(client_next(p.c[1], NULL, NULL, &r));
        assert_true(client_next(p.c[1], NULL, "a", &r) ||
                    client_next(p.c[1], NULL, "a", &r));
        say(&p, 0, LETTER_TEXT, 20);
        say(&p, 0, LETTER_FILE, 5000);
        pair_settle(&p); /* all is acknowledged */
        assert_int_equal(inbox_len(p.c[1]), 1);
        assert_int_equal(disk_count(&p.disk[1], 'X', NULL), 1);
        assert_int_equal(disk_count(&p.disk[1], 'F', NULL), 0);
        pair_restart(&p, 1);
    }
    assert_int_equal(client_mute(p.c[1], "a", false), 0);
    say(&p, 0, LETTER_TEXT, 30);
    pair_settle(&p);
    assert_int_equal(inbox_len(p.c[1]), 2);
    assert_true(client_next(p.c[1], NULL, NULL, &r) ||
                client_next(p.c[1], NULL, NULL, &r));
    pair_free(&p);
}

/* As much is in the inbox as there may be of one contact, in messages or in bytes:
 * then nothing more is taken in of it, but of others; while it is muted all of it is,
 * as if the application had released what is there. */
static void
i11_a_full_inbox_takes_no_more_unless_it_is_muted(void **state)
{
    (void)state;
    for (unsigned bytes = 0; bytes < 2; bytes++) {
        struct pair p;
        pair_make(&p, &pair_net);
        pair_settle(&p);
        if (bytes)
            p.v[1]->received_len = INBOX_CONTACT_LEN_MAX - 10;
        else
            p.v[1]->n_received = INBOX_CONTACT_MAX;
        say(&p, 0, LETTER_TEXT, 20);
        say(&p, 0, LETTER_FILE, 5000);
        for (unsigned i = 0; i < 3; i++) {
            pair_wait(&p);
            pair_bring_all(&p, 1);
        }
        assert_true(p.v[1]->ack == 0 && inbox_len(p.c[1]) == 0);
        const struct conversation other = {0};
        assert_true(readers_have_room(p.c[1], &other, LETTER_MESSAGE_MAX));
        assert_int_equal(client_mute(p.c[1], "a", true), 0);
        pair_settle(&p);
        assert_int_equal(inbox_len(p.c[1]), 0);
        pair_free(&p);
    }
}

/* ---- pings ---- */

/* Has b anything on its way to a? */
static size_t
letters_to_a(struct pair *p)
{
    pair_wait(p);
    return disk_count(&p->disk[1], 'L', NULL);
}

static void
i2_a_ping_without_leave_is_like_one_to_nobody(void **state)
{
    (void)state;
    struct pair p;
    struct client_message m;
    uint64_t order;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    assert_false(contact_of(p.c[1], "a").pings);
    p.disk[1].test.mono_us += 3600000000; /* the front of hello is free */
    p.disk[1].test.wall_s += 3600;
    assert_int_equal(
        fronts_of(p.c[1]->fronts, p.disk[1].test.mono_us, p.v[1]->id), -1);
    assert_int_equal(/* a ping has nothing in it */
                     client_send(p.c[0], "b", LETTER_PING, &(uint8_t){1}, 1,
                                 &order),
                     ERR_ARG);
    assert_int_equal(client_send(p.c[0], "b", LETTER_PING, NULL, 0, &order), 0);
    for (unsigned i = 0; i < 4; i++) { /* put again and again */
        pair_bring_all(&p, 1);
        assert_int_equal(letters_to_a(&p), 0);
        if (i == 2)
            pair_restart(&p, 1);
    }
    assert_int_equal(
        fronts_of(p.c[1]->fronts, p.disk[1].test.mono_us, p.v[1]->id), -1);
    say(&p, 0, LETTER_TEXT, 10); /* that is answered, and with it the ping */
    pair_bring_all(&p, 1);
    assert_int_equal(letters_to_a(&p), 1);
    pair_bring_all(&p, 0);
    assert_int_equal(client_message(p.c[0], "b", order, &m), 0);
    assert_true(m.state == CLIENT_DELIVERED && m.rtt_us == 0);
    pair_free(&p);
}

static void
pings_are_answered_with_leave(void **state)
{
    (void)state;
    struct pair p;
    struct client_message m;
    uint64_t order;
    pair_make(&p, &pair_net);
    pair_settle(&p);
    assert_int_equal(client_pings(p.c[1], "nobody", true), ERR_NOT_FOUND);
    assert_int_equal(client_pings(p.c[1], "a", true), 0);
    for (unsigned life = 0; life < 2; life++) {
        assert_true(contact_of(p.c[1], "a").pings);
        assert_int_equal(client_send(p.c[0], "b", LETTER_PING, NULL, 0, &order),
                         0);
        pair_settle(&p);
        assert_int_equal(client_message(p.c[0], "b", order, &m), 0);
        assert_true(m.rtt_us > 0);
        pair_restart(&p, 1);
    }
    assert_int_equal(client_pings(p.c[1], "a", false), 0);
    assert_int_equal(client_send(p.c[0], "b", LETTER_PING, NULL, 0, &order), 0);
    pair_bring_all(&p, 1);
    assert_int_equal(letters_to_a(&p), 0);
    pair_free(&p);
}

/* ---- withdrawing ---- */

static void
i2_a_withdrawn_invitation_is_not_answered(void **state)
{
    (void)state;
    struct pair p;
    pair_make(&p, &pair_net);
    assert_true(contact_of(p.c[0], "b").invited);
    assert_false(contact_of(p.c[1], "a").invited);
    assert_int_equal(client_withdraw(p.c[1], "nobody"), ERR_NOT_FOUND);
    assert_int_equal(client_withdraw(p.c[1], "a"), ERR_USED); /* not ours */
    assert_int_equal(client_withdraw(p.c[0], "b"), 0);
    for (unsigned i = 0; i < 4; i++) { /* it is taken up, and nobody answers */
        pair_bring_all(&p, 0);
        pair_wait(&p);
        assert_int_equal(disk_count(&p.disk[0], 'L', NULL), 0);
        pair_restart(&p, 0);
    }
    const struct client_contact other = contact_of(p.c[1], "a");
    assert_true(!other.confirmed && !other.refused && other.waiting == 1);
    assert_int_equal(contacts_count(p.c[0]), 0);
    pair_free(&p);
    pair_make(&p, &pair_net);
    pair_settle(&p);
    assert_false(contact_of(p.c[0], "b").invited);
    assert_int_equal(client_withdraw(p.c[0], "b"), ERR_USED);
    pair_free(&p);
}

/* An invitation is shown again until it is used or over, also by a client that was
 * started anew; then nothing is left of what it was made of. */
static void
i8_an_invitation_is_shown_again_until_it_is_used(void **state)
{
    (void)state;
    struct pair p;
    struct invite invite;
    char line[INVITE_TEXT_LEN], again[INVITE_TEXT_LEN];
    uint64_t expires_s = 0;
    pair_make(&p, &pair_net);
    assert_int_equal(client_invite(p.c[0], "carol", line), 0);
    assert_int_equal(invite_read(&invite, line), 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(client_invitation(p.c[0], "carol", again, &expires_s),
                         0);
        assert_string_equal(again, line);
        assert_true(expires_s == (uint64_t)invite.expiry_h * 3600);
        pair_restart(&p, 0);
    }
    assert_int_equal(client_invitation(p.c[0], "dora", again, &expires_s),
                     ERR_NOT_FOUND);
    assert_int_equal(client_invitation(p.c[1], "a", again, &expires_s),
                     ERR_USED);
    assert_int_equal(client_invitation(p.c[0], "b", again, &expires_s), 0);
    assert_int_equal(invite_read(&invite, again), 0);
    assert_true(disk_has(&p.disk[0], invite.seed, sizeof invite.seed));
    pair_settle(&p);
    assert_int_equal(client_invitation(p.c[0], "b", again, &expires_s),
                     ERR_USED);
    assert_false(disk_has(&p.disk[0], invite.seed, sizeof invite.seed));
    assert_false(disk_has(&p.disk[1], invite.seed, sizeof invite.seed));
    p.disk[0].test.wall_s += 30 * 86400;
    assert_int_equal(client_invitation(p.c[0], "carol", again, &expires_s),
                     ERR_EXPIRED);
    pair_free(&p);
}

/* ---- a disk of before ---- */

/* Take len bytes at this place out of a record. */
static void
record_cut(struct disk_record *r, size_t at, size_t len)
{
    r->len -= len;
    memmove(r->value + at, r->value + at + len, r->len - at);
}

/* Make a disk's records what they were in version 2. */
static void
disk_age(struct client_disk *d)
{
    enum {
        DAYS_LEN = 4 + 4 + CHAIN_MARK_LEN,
        ORDER_LEN = 12 + 4 + 4 + 8 + 64,
        TOKENS_LEN = 8 + 8 + 2 * 9
    };
    for (size_t i = 0; i < d->n; i++) {
        struct disk_record *r = &d->record[i];
        const size_t days_at = 3 + (size_t)r->value[2] + 64;
        if (r->key[0] == RECORD_CLIENT)
            r->len -= 4 + 8 + 8;
        if (r->key[0] == RECORD_RECEIVED) {
            r->value[0] = 1;
            record_cut(r, 6, LETTER_ID_LEN + 4 + 8);
        }
        if (r->key[0] != RECORD_CONTACT)
            continue;
        r->value[0] = 2;
        r->value[1] &= 7;
        record_cut(r, days_at, DAYS_LEN + SESSION_RECORD_LEN + 8);
        record_cut(r, days_at + 52, ORDER_LEN + TOKENS_LEN);
    }
}

/* Two whose disks are of before go on: their chains are of the first day of all. */
static void
a_disk_of_before_is_taken_up(void **state)
{
    (void)state;
    struct pair p;
    struct client_received r;
    pair_fill(&p);
    pair_settle(&p);
    for (unsigned side = 0; side < 2; side++) {
        disk_age(&p.disk[side]);
        pair_restart(&p, side);
        assert_int_equal(p.v[side]->chains[CHAIN_IN].day, 0);
    }
    assert_true(contact_of(p.c[1], "a").confirmed);
    assert_false(contact_of(p.c[1], "a").pings);
    assert_int_equal(inbox_len(p.c[1]), 2);
    say(&p, 0, LETTER_TEXT, 100);
    pair_settle(&p);
    assert_int_equal(inbox_len(p.c[1]), 3);
    assert_true(client_next(p.c[1], NULL, "a", &r) ||
                client_next(p.c[1], NULL, "a", &r));
    pair_restart(&p, 1);
    const struct disk_record *record = NULL;
    assert_int_equal(disk_count(&p.disk[1], 'C', &record), 1);
    assert_int_equal(record->value[0], 9);
    pair_free(&p);
}

#define CONTACTS_TEST(f) \
    cmocka_unit_test_setup_teardown(f, net_make, pair_net_free)
const struct CMUnitTest test_contacts[] = {
    CONTACTS_TEST(a_name_changes_and_the_id_stays),
    CONTACTS_TEST(i8_an_invitation_is_shown_again_until_it_is_used),
    CONTACTS_TEST(a_name_is_free_again_and_an_id_never),
    CONTACTS_TEST(i8_who_is_removed_leaves_nothing),
    CONTACTS_TEST(a_removed_contacts_invitation_is_used),
    CONTACTS_TEST(who_is_removed_is_forgotten_when_letters_are_over),
    CONTACTS_TEST(a_removal_without_the_time_is_dated_later),
    CONTACTS_TEST(contacts_and_those_removed_are_bounded),
    CONTACTS_TEST(a_change_without_memory_is_none),
    CONTACTS_TEST(i9_a_kill_leaves_a_change_whole_or_undone),
    CONTACTS_TEST(changes_are_kept_in_their_order),
    CONTACTS_TEST(a_full_disk_changes_nothing),
    CONTACTS_TEST(i2_stores_see_no_change),
    CONTACTS_TEST(i12_gets_of_empty_boxes_begin_anywhere),
    CONTACTS_TEST(gets_bring_different_letters),
    CONTACTS_TEST(i10_looks_are_few_while_none_is_answered),
    CONTACTS_TEST(i2_who_writes_on_is_asked_for_as_before),
    CONTACTS_TEST(i2_a_contact_cannot_tell_that_it_is_muted),
    CONTACTS_TEST(what_a_muted_contact_writes_is_not_shown),
    CONTACTS_TEST(i11_a_full_inbox_takes_no_more_unless_it_is_muted),
    CONTACTS_TEST(i2_a_ping_without_leave_is_like_one_to_nobody),
    CONTACTS_TEST(pings_are_answered_with_leave),
    CONTACTS_TEST(i2_a_withdrawn_invitation_is_not_answered),
    CONTACTS_TEST(a_disk_of_before_is_taken_up),
};
TEST_SUITE(test_contacts);
