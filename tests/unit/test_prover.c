/* tests/unit/test_prover.c - the thread that makes a client's proofs. */
#include "tests/runner.h"

#include <string.h>
#include <time.h>

#include "client/daemon/prover.h"
#include "client/proofs.h"
#include "tests/heap.h"

enum { BITS = 14 };

static const uint8_t zero[WORK_NONCE_LEN];

static void
pause_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* Wait for what is searched for; a minute at most. */
static bool
found(struct work_maker *m, uint8_t nonce[static WORK_NONCE_LEN])
{
    for (unsigned i = 0; i < 60000; i++, pause_ms(1))
        if (m->found(m, nonce))
            return true;
    return false;
}

static void
proofs_are_made_beside(void **state)
{
    (void)state;
    struct prover *p;
    struct work_task t = {{1}, {2}, {3}};
    uint8_t nonce[WORK_NONCE_LEN];
    assert_int_equal(prover_new(&p), 0);
    struct work_maker *m = prover_maker(p);
    assert_false(m->found(m, nonce));
    for (uint8_t i = 0; i < 20; i++) {
        t.box[1] = i;
        m->start(m, &t, BITS, zero);
        assert_true(found(m, nonce));
        assert_true(work_bits(&t, nonce) >= BITS);
        assert_true(m->found(m, nonce)); /* until the next one begins */
        uint8_t again[WORK_NONCE_LEN];
        m->start(m, &t, BITS, nonce); /* from there on, it is there at once */
        assert_true(found(m, again));
        assert_memory_equal(again, nonce, sizeof nonce);
    }
    prover_free(&p);
    prover_free(&p);
    assert_null(prover_maker(p));
}

/* A task replaces the one under way, whether that is found or not, and what is
 * then found is the new one's. */
static void
a_task_replaces_another(void **state)
{
    (void)state;
    struct prover *p;
    struct work_task t = {{1}, {2}, {3}};
    uint8_t nonce[WORK_NONCE_LEN];
    assert_int_equal(prover_new(&p), 0);
    struct work_maker *m = prover_maker(p);
    for (uint8_t i = 0; i < 50; i++) {
        t.box[2] = i;
        m->start(m, &t, i % 3 ? 200 : 6, zero); /* nobody finds one of 200 */
        if (i % 2)
            pause_ms(1);
        t.box[2] ^= 0x80;
        m->start(m, &t, BITS - 4, zero);
        assert_true(found(m, nonce));
        assert_true(work_bits(&t, nonce) >= BITS - 4);
    }
    m->start(m, &t, 256, zero);
    pause_ms(2);
    const time_t before = time(NULL);
    prover_free(&p); /* in the middle of a search */
    assert_true(time(NULL) - before <= 5);
}

/* The client's table with the thread: as many proofs as are asked for come. */
static void
a_client_is_served(void **state)
{
    (void)state;
    enum { BOXES = 30 };
    struct prover *p;
    struct proofs *proofs;
    struct consensus c = {.epoch = 3, .params = {.work_bits = 10}};
    uint8_t box[32] = {0}, store[32] = {9}, nonce[WORK_NONCE_LEN], steps;
    assert_int_equal(prover_new(&p), 0);
    assert_int_equal(proofs_new(&proofs, prover_maker(p)), 0);
    proofs_consensus(proofs, &c, 3);
    unsigned ready = 0;
    for (unsigned turn = 0; ready < BOXES && turn < 60000; turn++) {
        ready = 0;
        for (int i = 0; i < BOXES; i++) {
            struct work_task t = {.box = {(uint8_t)i}, .store = {9}};
            box[0] = (uint8_t)i;
            if (proofs_take(proofs, (struct proof_place){box, store}, nonce,
                            &steps))
                continue;
            assert_true(work_bits(&t, nonce) >= 10);
            ready++;
        }
        proofs_step(proofs);
        pause_ms(1);
    }
    assert_int_equal(ready, BOXES);
    proofs_free(&proofs);
    prover_free(&p);
    for (struct heap h = {.how = HEAP_OWN}; heap_next(&h);) {
        heap_arm(&h);
        int err = prover_new(&p);
        heap_disarm(&h);
        assert_int_equal(err, h.failed ? ERR_NOMEM : 0);
        prover_free(&p);
    }
}

const struct CMUnitTest test_prover[] = {
    cmocka_unit_test(proofs_are_made_beside),
    cmocka_unit_test(a_task_replaces_another),
    cmocka_unit_test(a_client_is_served),
};
TEST_SUITE(test_prover);
