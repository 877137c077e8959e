/* tests/unit/test_client_heap.c - a client that memory fails: what it says it
 * has is on its disk, what it refuses leaves no trace, and it goes on. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "tests/client_disk.h"
#include "tests/heap.h"

static struct sim_net net;

static int
net_make(void **state)
{
    (void)state;
    test_network_make(&net, SPHINX_SUITE_NULL, 2, 3, 1, 2);
    return 0;
}

static int
net_free(void **state)
{
    (void)state;
    test_network_free(&net);
    return 0;
}

static void
contact_make(struct client *c, const char *name)
{
    char line[INVITE_TEXT_LEN];
    assert_int_equal(client_invite(c, name, line), 0);
}

/* Is the message on the disk whole? */
static void
message_is_on_disk(const struct client_disk *d, const uint8_t *data, size_t len)
{
    const struct disk_record *r;
    assert_int_equal(disk_count(d, 'M', &r), 1);
    assert_true(r->len >= len);
    assert_memory_equal(r->value + r->len - len, data, len);
}

static void
send_once(struct heap *h, enum letter_kind kind, const uint8_t *data,
          size_t len)
{
    struct client_disk d;
    struct client_message m;
    struct client_status before, after;
    uint64_t order = 0;
    disk_init(&d, test_seed());
    struct client *c = disk_client(&d, &net);
    contact_make(c, "bob");
    client_status(c, &before);
    heap_arm(h);
    int err = client_send(c, "bob", kind, data, len, &order);
    heap_disarm(h);
    if (err) {
        assert_true(h->failed && err == ERR_NOMEM);
        assert_int_equal(disk_count(&d, 'M', NULL), 0);
        client_status(c, &after);
        assert_int_equal(after.queued, before.queued);
        assert_int_equal(client_message(c, "bob", 0, &m), ERR_NOT_FOUND);
        assert_int_equal(client_send(c, "bob", kind, data, len, &order), 0);
    }
    assert_int_equal(client_message(c, "bob", order, &m), 0);
    assert_true(m.durable);
    message_is_on_disk(&d, data, len);
    disk_client_run(&d, c, 10); /* what was not staged is now */
    size_t letters = m.letters < 16 ? m.letters : 16;
    assert_int_equal(disk_count(&d, 'L', NULL), letters);
    client_free(&c);
    c = disk_client(&d, &net);
    assert_int_equal(client_message(c, "bob", order, &m), 0);
    assert_int_equal(m.state, CLIENT_QUEUED);
    client_free(&c);
    disk_free(&d);
}

static void
a_message_is_kept_whole_or_refused(void **state)
{
    (void)state;
    static const size_t lens[] = {10, 3000, 0, 1, 1192, 1193, 30000};
    static uint8_t data[30000];
    memset(data, 'x', sizeof data);
    for (size_t i = 0; i < (test_proof() ? 7 : 2); i++) {
        for (struct heap h = {0}; heap_next(&h);)
            send_once(&h, LETTER_TEXT, data, lens[i]);
    }
}

const struct CMUnitTest test_client_heap[] = {
    cmocka_unit_test_setup_teardown(a_message_is_kept_whole_or_refused,
                                    net_make, net_free),
};
TEST_SUITE(test_client_heap);
