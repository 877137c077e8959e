/* tests/pair.c - see pair.h. */
#include "tests/pair.h"

#include <string.h>

#include "client/arrival.h"
#include "client/conversations.h"
#include "client/outgoing.h"
#include "client/sealing.h"
#include "client/taken.h"
#include "tests/day_key.h"
#include "tests/network.h"
#include "tests/runner.h"

struct sim_net pair_net;

int
pair_net_make(void **state)
{
    (void)state;
    test_network_make(&pair_net, SPHINX_SUITE_NULL, 2, 3, 1, 2);
    return 0;
}

int
pair_net_free(void **state)
{
    (void)state;
    test_network_free(&pair_net);
    return 0;
}

void
pair_find(struct pair *p)
{
    p->v[0] = conversation_find(p->c[0], "b");
    p->v[1] = conversation_find(p->c[1], "a");
    assert_true(p->v[0] && p->v[1]);
}

void
pair_make(struct pair *p, const struct sim_net *net)
{
    char line[INVITE_TEXT_LEN];
    p->net = net;
    p->ages_unknown = false;
    p->n_slots = 0;
    for (unsigned i = 0; i < 2; i++) {
        disk_init(&p->disk[i], test_seed() + i);
        p->c[i] = disk_client(&p->disk[i], net);
    }
    assert_int_equal(client_invite(p->c[0], "b", line), 0);
    assert_int_equal(client_add(p->c[1], "a", line), 0);
    pair_find(p);
}

void
pair_open(struct pair *p)
{
    static uint8_t bytes[LETTER_LEN_MAX];
    const struct letter ack = {.count = 1};
    const struct letter_place at = {client_period(p->c[1]), 0};
    struct session_step step;
    assert_int_equal(sealing_seal(p->c[1], p->v[1], &ack, at, bytes), 0);
    assert_int_equal(sealing_open(p->c[0], p->v[0], at, bytes, &step), 0);
    journal_begin(p->c[0]->journal);
    assert_int_equal(sealing_take(p->c[0], p->v[0], &step, false), 0);
    assert_int_equal(conversation_save(p->c[0], p->v[0]), 0);
    (void)journal_end(p->c[0]->journal);
    assert_true(session_is_open(p->v[0]->session));
}

void
pair_free(struct pair *p)
{
    for (unsigned i = 0; i < 2; i++) {
        client_free(&p->c[i]);
        disk_free(&p->disk[i]);
    }
}

void
pair_restart(struct pair *p, unsigned side)
{
    const uint32_t id = p->v[side]->id;
    client_free(&p->c[side]);
    p->c[side] = disk_client(&p->disk[side], p->net);
    p->v[side] = conversation_by_id(p->c[side], id);
    assert_non_null(p->v[side]);
}

void
pair_bring(struct pair *p, unsigned to, const struct out_letter *l)
{
    uint8_t bytes[LETTER_LEN_MAX];
    const struct arrival came = {
        .at = l->at,
        .rank = STORE_FIRST,
        .whom = {.place = FRONTS_SWEEP, .contact = p->v[to]->id},
        .commit_us = 0,
        .sure_us = p->ages_unknown ? 0 : p->disk[to].test.mono_us};
    struct out_letter *sent = *outgoing_find(p->v[!to], l->at);
    if (sent)
        sent->tried = true; /* it was put */
    memcpy(bytes, l->bytes, p->c[to]->letter_len);
    (void)arrival_letter(p->c[to], p->v[to], &came, bytes);
}

/* Put l into its slot. Returns false when another letter lies there. */
static bool
slot_put(struct pair *p, unsigned to, const struct out_letter *l)
{
    const size_t n = p->n_slots < PAIR_SLOTS ? p->n_slots : PAIR_SLOTS;
    for (size_t i = 0; i < n; i++)
        if (p->slot[i].to == to && p->slot[i].at.period == l->at.period &&
            p->slot[i].at.n == l->at.n)
            return memcmp(p->slot[i].mark, l->bytes, PAIR_MARK_LEN) == 0;
    struct pair_slot *s = &p->slot[p->n_slots++ % PAIR_SLOTS];
    *s = (struct pair_slot){.to = to, .at = l->at};
    memcpy(s->mark, l->bytes, PAIR_MARK_LEN);
    return true;
}

/* Have stores call taken what is not the letter in its place. */
static void
takens_answer(struct pair *p, unsigned to)
{
    struct out_letter *l = p->v[!to]->letters;
    for (unsigned taken = 0; l && taken < LETTER_WINDOW;) {
        if (slot_put(p, to, l)) {
            l = l->next;
            continue;
        }
        const struct letter_place at = l->at;
        l->tried = true;
        taken_answer(p->c[!to], p->v[!to], at, STORE_FIRST);
        if (*outgoing_find(p->v[!to], at))
            taken_answer(p->c[!to], p->v[!to], at, STORE_SECOND);
        l = p->v[!to]->letters;
        taken++;
    }
}

void
pair_bring_all(struct pair *p, unsigned to)
{
    takens_answer(p, to);
    for (struct out_letter *l = p->v[!to]->letters; l; l = l->next) {
        if (l->renumbered && !l->kept) /* a store has it */
            outgoing_answer(p->c[!to], p->v[!to], l->at, STORE_FIRST,
                            WIRE_KEPT);
        pair_bring(p, to, l);
    }
}

void
pair_wait(struct pair *p)
{
    for (unsigned i = 0; i < 2; i++) {
        p->disk[i].test.mono_us += PAIR_WAIT_US;
        p->disk[i].test.wall_s += PAIR_WAIT_US / 1000000;
        disk_client_run(&p->disk[i], p->c[i], 3);
    }
}

void
pair_acks_keep(struct pair *p, unsigned side)
{
    for (struct out_letter *l = p->v[side]->letters, *next; l; l = next) {
        next = l->next;
        if (l->sequence == 0)
            outgoing_answer(p->c[side], p->v[side], l->at, STORE_ALONE,
                            WIRE_KEPT);
    }
}

void
pair_settle(struct pair *p)
{
    for (unsigned round = 0; round < 12; round++) {
        pair_wait(p);
        for (unsigned i = 0; i < 2; i++)
            pair_bring_all(p, i);
        for (unsigned i = 0; i < 2; i++)
            pair_acks_keep(p, i);
    }
    assert_int_equal(p->v[0]->n_waiting + p->v[1]->n_waiting, 0);
}

int
pair_net_long_make(void **state)
{
    enum { DAY_S = 86400 };
    (void)pair_net_make(state);
    pair_net.consensus->params.epoch_len_s = 30 * DAY_S;
    test_network_sign(&pair_net);
    return 0;
}

uint64_t
pair_text(struct pair *p, unsigned from)
{
    uint64_t order;
    assert_int_equal(client_send(p->c[from], from ? "a" : "b", LETTER_TEXT,
                                 (const uint8_t *)"text", 4, &order),
                     0);
    return order;
}

void
pair_forge(struct pair *p, unsigned to, uint32_t n, const struct letter *letter)
{
    static uint8_t bytes[LETTER_LEN_MAX];
    struct client *c = p->c[to];
    const uint64_t now_us = p->disk[to].test.mono_us;
    const struct letter_place at = {client_period(c), n};
    const struct day_key key =
        day_key(p->c[!to], p->v[!to], CHAIN_OUT, at.period);
    assert_int_equal(session_seal(p->v[!to]->session, letter, key.key, at,
                                  bytes, c->letter_len),
                     0);
    const struct arrival came = {
        .at = at,
        .rank = STORE_FIRST,
        .whom = {.place = FRONTS_SWEEP, .contact = p->v[to]->id},
        .commit_us = now_us,
        .sure_us = now_us};
    (void)arrival_letter(c, p->v[to], &came, bytes);
}
