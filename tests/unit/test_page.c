/* tests/unit/test_page.c - what an authority's page says of relays. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "directory/daemon/page.h"
#include "lib/codec.h"
#include "tests/house.h"

static struct house h;

/* Each says that it loses 60 % by way of relay 4. */
static void
upload(uint8_t number, uint8_t role)
{
    const struct house_relay r = {.number = number,
                                  .role = role,
                                  .epoch = 1,
                                  .bandwidth = 100,
                                  .seats = 1,
                                  .lost_permille = 600,
                                  .lossy_first = 4,
                                  .lossy = 1};
    assert_int_equal(house_upload(&h, &r), 0);
}

static void
judge(struct admission *a, uint8_t number, const char *address)
{
    struct descriptor d = {.relay.role = ROLE_MIX};
    char why[ADMISSION_WHY_LEN];
    house_relay_id(number, d.relay.identity);
    strcpy(d.relay.addresses[0], address);
    (void)!admission_judge(a, &d, NULL, 1, HOUSE_GENESIS, why);
}

static void
decide(struct admission *a, uint8_t banned)
{
    uint8_t id[SPHINX_ID_LEN];
    char text[2048] = "", hex[65];
    size_t bad;
    for (uint8_t i = 0; i < 10; i++) {
        house_relay_id(i, id);
        codec_hex(hex, id, sizeof id);
        assert_int_equal(admission_line(text + strlen(text),
                                        sizeof text - strlen(text),
                                        i == banned ? "ban" : "approve", hex, 1,
                                        i == banned ? "<b>no</b>" : ""),
                         0);
    }
    assert_int_equal(admission_decide(a, text, &bad), 0);
    assert_int_equal(bad, 0);
}

static const struct page_relay *
find(const struct page_relay *r, size_t n, uint8_t number)
{
    uint8_t id[SPHINX_ID_LEN];
    house_relay_id(number, id);
    for (size_t i = 0; i < n; i++)
        if (memcmp(r[i].identity, id, sizeof id) == 0)
            return &r[i];
    fail();
    return NULL;
}

/* Does it lack the flag, for this reason? */
static void
lacks(const struct page_relay *r, enum page_flag f, const char *why)
{
    assert_false(r->has[f]);
    assert_non_null(r->remedy[f]);
    if (!strstr(r->why[f], why))
        fail_msg("'%s' does not say '%s'", r->why[f], why);
}

static void
each_flag_has_its_reason(void **state)
{
    (void)state;
    const struct admission_config config = {.policy = ADMISSION_MANUAL};
    struct admission *a;
    struct page_relay *relays;
    size_t n, len;
    char *text;
    house_make(&h, 1, test_seed());
    house_start_all(&h);
    upload(0, ROLE_GATEWAY);
    for (uint8_t i = 1; i < 10; i++)
        upload(i, ROLE_MIX);
    upload(10, ROLE_STORE);
    house_run(&h, 1);
    assert_int_equal(admission_new(&a, &config), 0);
    decide(a, 5);
    for (uint8_t i = 0; i < 12; i++)
        judge(a, i, i == 3 ? "[2001:db8::1]:1" : "192.0.2.7:1");
    struct authority *authority = h.seat[0].face[0].authority;
    uint8_t id[SPHINX_ID_LEN];
    house_relay_id(6, id);
    authority_forget(authority, id);
    const struct page_input in = {.network = &h.network,
                                  .authority = authority,
                                  .admission = a,
                                  .now_s = HOUSE_GENESIS};
    assert_int_equal(page_relays(&in, &relays, &n), 0);
    assert_int_equal(n, 12);
    const struct page_relay *r = find(relays, n, 1);
    for (int f = 0; f < PAGE_FLAGS; f++)
        assert_int_equal(r->has[f], f != PAGE_IPV6);
    lacks(r, PAGE_IPV6, "no IPv6");
    assert_true(r->layer >= 1 && r->layer <= 3);
    r = find(relays, n, 4);
    lacks(r, PAGE_RELIABLE, "100 % of its neighbours");
    lacks(r, PAGE_LISTED, "left out for what gets lost");
    r = find(relays, n, 5);
    lacks(r, PAGE_ADMITTED, "banned: <b>no</b>");
    assert_true(r->has[PAGE_LISTED]); /* until the next epoch */
    r = find(relays, n, 6);
    lacks(r, PAGE_DESCRIBED, "no descriptor");
    r = find(relays, n, 11);
    lacks(r, PAGE_ADMITTED, "waiting");
    lacks(r, PAGE_DESCRIBED, "not admitted");
    lacks(r, PAGE_LISTED, "more than half");
    free(relays);
    assert_int_equal(page_html(&in, &text, &len), 0);
    assert_int_equal(strlen(text), len);
    assert_non_null(strstr(text, "banned: &lt;b>no&lt;/b>"));
    assert_null(strstr(text, "<script"));
    free(text);
    assert_int_equal(page_json(&in, &text, &len), 0);
    assert_non_null(strstr(text, "\"reason\":\"100 % of its neighbours"));
    free(text);
    admission_free(&a);
    house_free(&h);
}

const struct CMUnitTest test_page[] = {
    cmocka_unit_test(each_flag_has_its_reason),
};
TEST_SUITE(test_page);
