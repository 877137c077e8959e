/* tests/unit/test_callers.c - who asks an authority, by the address. */
#include "tests/runner.h"

#include <string.h>

#include "directory/daemon/callers.h"
#include "lib/address.h"
#include "tests/heap.h"

static enum seats_class
class_of(const struct callers *c, const char *text)
{
    struct sockaddr_storage a;
    socklen_t len;
    assert_int_equal(address_parse(&a, &len, text), 0);
    return callers_class(c, &a);
}

static struct network network = {
    .n_authorities = 4,
    .authorities = {{.identity = {1}, .address = "192.0.2.1:80"},
                    {.identity = {4}, .address = "127.0.0.1:80"},
                    {.identity = {2}, .address = "[2001:db8::2]:80"},
                    {.identity = {3}, .address = "192.0.2.3:80"}}};
static struct relay_entry relays[2] = {
    {.n_addresses = 2, .addresses = {"198.51.100.1:7", "[2001:db8::11]:7"}},
    {.n_addresses = 2, .addresses = {"192.0.2.1:7", "198.51.100.2:7"}}};

static void
each_has_its_class(void **state)
{
    (void)state;
    static const uint8_t self[SPHINX_ID_LEN] = {3};
    struct consensus consensus = {.n_relays = 2, .relays = relays};
    struct callers c = {0};
    assert_int_equal(class_of(&c, "192.0.2.1:1"), SEATS_STRANGER);
    assert_int_equal(callers_authorities(&c, &network, self), 0);
    assert_int_equal(callers_relays(&c, &consensus), 0);
    assert_int_equal(class_of(&c, "192.0.2.1:1"), SEATS_AUTHORITY);
    assert_int_equal(class_of(&c, "[::ffff:192.0.2.1]:1"), SEATS_AUTHORITY);
    assert_int_equal(class_of(&c, "[2001:db8::2]:1"), SEATS_AUTHORITY);
    assert_int_equal(class_of(&c, "192.0.2.3:1"), SEATS_STRANGER); /* itself */
    assert_int_equal(class_of(&c, "127.0.0.1:1"), SEATS_STRANGER);
    assert_int_equal(class_of(&c, "198.51.100.1:1"), SEATS_RELAY);
    assert_int_equal(class_of(&c, "[2001:db8::11]:1"), SEATS_RELAY);
    assert_int_equal(class_of(&c, "198.51.100.2:1"), SEATS_RELAY);
    assert_int_equal(class_of(&c, "198.51.100.3:1"), SEATS_STRANGER);
    /* the next consensus lists the first alone */
    consensus.n_relays = 1;
    assert_int_equal(callers_relays(&c, &consensus), 0);
    assert_int_equal(class_of(&c, "198.51.100.1:1"), SEATS_RELAY);
    assert_int_equal(class_of(&c, "198.51.100.2:1"), SEATS_STRANGER);
    /* what cannot be taken changes nothing */
    consensus.n_relays = 0;
    heap_fail(0, 0);
    int err = callers_relays(&c, &consensus);
    if (heap_stop()) {
        assert_int_equal(err, ERR_NOMEM);
        assert_int_equal(class_of(&c, "198.51.100.1:1"), SEATS_RELAY);
    }
    callers_clear(&c);
}

const struct CMUnitTest test_callers[] = {
    cmocka_unit_test(each_has_its_class),
};
TEST_SUITE(test_callers);
