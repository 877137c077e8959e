/* tests/unit/test_peers.c - the newest link of a relay is the one. */
#include "tests/runner.h"

#include "relay/daemon/peers.h"

static void
the_newest_link_stays(void **state)
{
    (void)state;
    struct peers *p;
    struct peers_link old;
    uint64_t a, b, c;
    uint8_t one[PEERS_ID_LEN] = {1}, two[PEERS_ID_LEN] = {2},
            three[PEERS_ID_LEN] = {3};
    assert_int_equal(peers_new(&p, 2), 0);
    assert_int_equal(peers_enter(p, one, 0, &a, &old), 0);
    assert_int_equal(old.ticket, 0);
    assert_int_equal(peers_enter(p, two, 1, &b, &old), 0);
    assert_int_equal(old.ticket, 0);
    assert_int_equal(peers_enter(p, three, 1, &c, &old), ERR_FULL);
    assert_int_equal(peers_enter(p, one, 1, &c, &old), 0);
    assert_int_equal(old.ticket, a);
    assert_int_equal(old.worker, 0);
    assert_true(a != b && b != c && a != c);
    peers_leave(p, one, a); /* the old one's end changes nothing */
    assert_int_equal(peers_enter(p, one, 0, &a, &old), 0);
    assert_int_equal(old.ticket, c);
    peers_leave(p, one, a);
    assert_int_equal(peers_enter(p, three, 0, &c, &old), 0); /* room again */
    assert_int_equal(old.ticket, 0);
    peers_free(&p);
    peers_free(&p);
}

const struct CMUnitTest test_peers[] = {
    cmocka_unit_test(the_newest_link_stays),
};
const size_t test_peers_len = sizeof test_peers / sizeof test_peers[0];
