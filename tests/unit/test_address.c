/* tests/unit/test_address.c - whom an address is for, and by which one this machine
 * sends. */
#include "tests/runner.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/address.h"
#include "lib/os/socket.h"

static void
addresses_have_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum address_kind kind;
    } row[] = {
        {"192.0.2.1:7100", ADDRESS_PUBLIC},
        {"172.15.255.255:1", ADDRESS_PUBLIC},
        {"172.32.0.0:1", ADDRESS_PUBLIC},
        {"100.63.255.255:1", ADDRESS_PUBLIC},
        {"100.128.0.0:1", ADDRESS_PUBLIC},
        {"223.255.255.255:1", ADDRESS_PUBLIC},
        {"[2001:db8::1]:1", ADDRESS_PUBLIC},
        {"[::ffff:192.0.2.1]:1", ADDRESS_PUBLIC},
        {"10.0.0.1:1", ADDRESS_PRIVATE},
        {"172.16.0.0:1", ADDRESS_PRIVATE},
        {"172.31.255.255:1", ADDRESS_PRIVATE},
        {"192.168.7.7:1", ADDRESS_PRIVATE},
        {"169.254.1.1:1", ADDRESS_PRIVATE},
        {"100.64.0.0:1", ADDRESS_PRIVATE},
        {"100.127.255.255:1", ADDRESS_PRIVATE},
        {"[fe80::1]:1", ADDRESS_PRIVATE},
        {"[fd00::1]:1", ADDRESS_PRIVATE},
        {"[::ffff:10.0.0.1]:1", ADDRESS_PRIVATE},
        {"127.0.0.1:1", ADDRESS_LOOPBACK},
        {"127.255.255.255:1", ADDRESS_LOOPBACK},
        {"[::1]:1", ADDRESS_LOOPBACK},
        {"0.0.0.0:7100", ADDRESS_NOBODYS},
        {"0.1.2.3:1", ADDRESS_NOBODYS},
        {"224.0.0.1:1", ADDRESS_NOBODYS},
        {"255.255.255.255:1", ADDRESS_NOBODYS},
        {"[::]:1", ADDRESS_NOBODYS},
        {"[::ffff:0.0.0.0]:1", ADDRESS_NOBODYS},
        {"[ff02::1]:1", ADDRESS_NOBODYS},
        {"192.0.2.1:0", ADDRESS_NOBODYS},
        {"[2001:db8::1]:0", ADDRESS_NOBODYS},
        {"example.org:1", ADDRESS_NOBODYS},
        {"", ADDRESS_NOBODYS},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        if (address_kind(row[i].text) != row[i].kind)
            fail_msg("%s is taken for %d", row[i].text,
                     (int)address_kind(row[i].text));
}

static void
the_way_out_is_found(void **state)
{
    (void)state;
    char own[ADDRESS_TEXT_MAX];
    assert_int_equal(socket_towards(own, "127.0.0.1:9", 7100), 0);
    assert_string_equal(own, "127.0.0.1:7100");
    assert_int_equal(socket_towards(own, "127.3.2.1:9", 7), 0);
    assert_int_equal(strncmp(own, "127.", 4), 0);
    assert_int_equal(socket_towards(own, "nowhere", 7), ERR_FORMAT);
}

static void
a_port_that_is_taken_is_said(void **state)
{
    (void)state;
    char bound[ADDRESS_TEXT_MAX], again[ADDRESS_TEXT_MAX], why[SOCKET_WHY_LEN];
    int fd, other;
    assert_int_equal(socket_listen(&fd, "127.0.0.1:0", bound), 0);
    int err = socket_listen(&other, bound, again);
    assert_int_equal(err, ERR_SYSTEM);
    socket_listen_why(why, err);
    assert_non_null(strstr(why, "Address already in use; choose another port"));
    close(fd);
    err = socket_listen(&other, "192.0.2.1:7100", again);
    socket_listen_why(why, err);
    assert_non_null(strstr(why, "; use an address that this machine has"));
    err = socket_listen(&other, "localhost", again);
    socket_listen_why(why, err);
    assert_non_null(strstr(why, "; write it as 192.0.2.1:7100"));
}

const struct CMUnitTest test_address[] = {
    cmocka_unit_test(addresses_have_kinds),
    cmocka_unit_test(the_way_out_is_found),
    cmocka_unit_test(a_port_that_is_taken_is_said),
};
TEST_SUITE(test_address);
