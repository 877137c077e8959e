/* tests/unit/test_memory.c - the shares of a memory ceiling add up. */
#include "tests/runner.h"

#include "relay/daemon/memory.h"

static uint64_t
total(const struct memory_plan *p, uint64_t packet_len)
{
    return p->packets * packet_len + (uint64_t)p->clients * MEMORY_CLIENT_LEN +
           p->queued_len + (uint64_t)p->handshakes * MEMORY_HANDSHAKE_LEN;
}

static void
shares_stay_below_the_ceiling(void **state)
{
    (void)state;
    for (uint64_t mib = MEMORY_MIN_MIB; mib < 1 << 20; mib += mib / 3)
        for (uint32_t workers = 1; workers <= 64; workers *= 4) {
            struct memory_plan p;
            const struct memory_wish wish = {.max_mib = mib,
                                             .workers = workers,
                                             .packets = 10000000,
                                             .clients = 1000000,
                                             .packet_len = 2200};
            if (memory_deal(&p, &wish)) {
                assert_true(mib < 2 * (8 + 2 * workers));
                continue;
            }
            assert_true(total(&p, 2200) <= mib << 20);
            assert_true(p.packets >= 1000 && p.clients > 100);
            assert_true(p.handshakes >= 16);
        }
}

static void
wishes_are_kept_where_there_is_room(void **state)
{
    (void)state;
    struct memory_plan p;
    struct memory_wish wish = {.max_mib = 512,
                               .workers = 2,
                               .packets = 20000,
                               .clients = 2000,
                               .packet_len = 2200};
    assert_int_equal(memory_deal(&p, &wish), 0);
    assert_int_equal(p.packets, 20000);
    assert_int_equal(p.clients, 2000);
    wish.max_mib = 64;
    assert_int_equal(memory_deal(&p, &wish), 0);
    assert_true(p.packets < 20000 && p.clients < 2000);
    wish.max_mib = MEMORY_MIN_MIB - 1;
    assert_int_equal(memory_deal(&p, &wish), ERR_RANGE);
    wish.max_mib = 64;
    wish.workers = 64;
    assert_int_equal(memory_deal(&p, &wish), ERR_RANGE);
}

const struct CMUnitTest test_memory[] = {
    cmocka_unit_test(shares_stay_below_the_ceiling),
    cmocka_unit_test(wishes_are_kept_where_there_is_room),
};
const size_t test_memory_len = sizeof test_memory / sizeof test_memory[0];
