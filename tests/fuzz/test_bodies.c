/* tests/fuzz/test_bodies.c - mutated JSON: the bodies of documents.
 *
 * JSON is changed as text, or as values: something in the tree is replaced,
 * renamed, removed, repeated or moved, and the whole is written canonically
 * again, so that nothing but the reader's own tables can refuse it. */
#include "tests/runner.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "network/json.h"
#include "tests/mutate.h"
#include "tests/network.h"

enum { PUBLIC = 32 };

static int
by_identity(const void *a, const void *b)
{
    return memcmp(((const struct relay_entry *)a)->identity,
                  ((const struct relay_entry *)b)->identity, SPHINX_ID_LEN);
}

static char *
consensus_make(size_t *len)
{
    struct sim_net n;
    char *body;
    test_network_make(&n, SPHINX_SUITE_X25519, 1, 1, 1, 1);
    struct consensus *c = n.consensus;
    qsort(c->relays, c->n_relays, sizeof *c->relays, by_identity);
    const uint16_t cut_a[] = {0, 1}, cut_b[] = {1, 2};
    test_network_blame(&n, cut_a, cut_b, 2, 1);
    assert_int_equal(json_write_consensus(c, &body, len), 0);
    test_network_free(&n);
    return body;
}

static char *
descriptor_make(size_t *len)
{
    struct descriptor d = {.network = "test",
                           .epoch = 5,
                           .n_keys = 2,
                           .n_links = 2,
                           .links = {{.sent = 40, .lost = 20},
                                     {.identity = {1}, .sent = 8, .lost = 8}},
                           .relay = {.role = ROLE_MIX,
                                     .protocol_min = 1,
                                     .protocol_max = 2,
                                     .bandwidth = 1000,
                                     .n_addresses = 2}};
    char *body;
    memset(d.relay.identity, 0x11, sizeof d.relay.identity);
    memset(d.keys, 0x22, sizeof d.keys);
    strcpy(d.relay.addresses[0], "192.0.2.1:7100");
    strcpy(d.relay.addresses[1], "[2001:db8::1]:7100");
    assert_int_equal(json_write_descriptor(&d, PUBLIC, &body, len), 0);
    return body;
}

/* ---- values ---- */

static json_t *
text_change(struct rng_seeded *rng, const char *text)
{
    char copy[512];
    size_t len = strlen(text), at = mutate_below(rng, len + 1);
    assert_true(len < sizeof copy - 40);
    memcpy(copy, text, len + 1);
    switch (mutate_below(rng, 4)) {
    case 0: /* longer */
        memmove(copy + at + 30, copy + at, len - at + 1);
        memset(copy + at, 'a', 30);
        break;
    case 1: /* shorter */
        copy[at] = 0;
        break;
    default: /* a digit for a digit, mostly */
        if (at < len)
            copy[at] =
                "0123456789abcdef0123456789abcdefA: .g"[mutate_below(rng, 37)];
    }
    return json_string(copy);
}

static json_t *
integer_change(struct rng_seeded *rng, json_int_t v)
{
    static const json_int_t edge[] = {
        0,    1,     -1,        255,       256,        1 << 16,
        4,    16384, 65535,     INT32_MAX, 2,          3,
        4000, 86400, INT64_MAX, INT64_MIN, UINT32_MAX, 1LL << 32};
    if (mutate_below(rng, 2) && v > INT32_MIN && v < UINT32_MAX)
        return json_integer(v + (json_int_t)mutate_below(rng, 7) - 3);
    return json_integer(edge[mutate_below(rng, sizeof edge / sizeof edge[0])]);
}

static json_t *
value_change(struct rng_seeded *rng, const json_t *v)
{
    switch (mutate_below(rng, 8)) {
    case 0:
        return json_null();
    case 1:
        return json_integer((json_int_t)mutate_below(rng, 300));
    case 2:
        return json_string("ab");
    case 3:
        return mutate_below(rng, 2) ? json_array() : json_object();
    default:
        if (json_is_string(v))
            return text_change(rng, json_string_value(v));
        if (json_is_integer(v))
            return integer_change(rng, json_integer_value(v));
        return mutate_below(rng, 2) ? json_real(1.5) : json_deep_copy(v);
    }
}

static void
object_change(struct rng_seeded *rng, json_t *o, const char *key)
{
    char name[64];
    json_t *v = json_object_get(o, key);
    switch (mutate_below(rng, 12)) {
    case 0:
        json_object_del(o, key);
        break;
    case 1: /* under another name */
        snprintf(name, sizeof name, "%s_", key);
        json_object_set(o, name, v);
        json_object_del(o, key);
        break;
    case 2:
        json_object_set(o, "other", v);
        break;
    default:
        json_object_set_new(o, key, value_change(rng, v));
    }
}

static void
array_change(struct rng_seeded *rng, json_t *list, size_t at)
{
    json_t *v = json_array_get(list, at);
    switch (mutate_below(rng, 6)) {
    case 0:
        json_array_remove(list, at);
        break;
    case 1: /* the same one again, once or very often */
        for (size_t n = mutate_below(rng, 2) ? 1 : 40; n > 0; n--)
            json_array_insert_new(list, at, json_deep_copy(v));
        break;
    case 2: /* in another place */
        json_array_append_new(list, json_deep_copy(v));
        json_array_remove(list, at);
        break;
    default:
        json_array_set_new(list, at, value_change(rng, v));
    }
}

/* Go down from the root by chance and change where the way ends. */
static void
tree_change(struct rng_seeded *rng, json_t *v)
{
    for (;;) {
        json_t *child = NULL;
        const char *key = NULL;
        size_t n = json_is_object(v) ? json_object_size(v) : json_array_size(v);
        size_t at = n > 0 ? mutate_below(rng, n) : 0;
        if (n == 0)
            return;
        if (json_is_object(v)) {
            void *it = json_object_iter(v);
            for (size_t i = 0; i < at; i++)
                it = json_object_iter_next(v, it);
            key = json_object_iter_key(it);
            child = json_object_iter_value(it);
        } else
            child = json_array_get(v, at);
        bool deeper = json_is_object(child) || json_is_array(child);
        if (deeper && mutate_below(rng, 8) > 0)
            v = child;
        else if (key) {
            object_change(rng, v, key);
            return;
        } else {
            array_change(rng, v, at);
            return;
        }
    }
}

/* A mutated body, malloc'd; canonical when `valid`. */
static char *
body_change(struct rng_seeded *rng, const json_t *root, const char *good,
            bool valid, size_t *len)
{
    char *body;
    if (valid) {
        json_t *tree = json_deep_copy(root);
        tree_change(rng, tree);
        body = json_dumps(tree, JSON_SORT_KEYS | JSON_COMPACT);
        json_decref(tree);
        assert_non_null(body);
        *len = strlen(body);
        return body;
    }
    *len = strlen(good);
    size_t max = *len + 32;
    body = malloc(max);
    assert_non_null(body);
    memcpy(body, good, *len);
    static const char set[] = "0123456789abcdef{}[]\",:-.eE \\u";
    if (mutate_below(rng, 2))
        mutate_input(rng, (uint8_t *)body, len, max);
    else
        for (size_t k = mutate_below(rng, 3) + 1; k > 0; k--)
            body[mutate_below(rng, *len)] =
                set[mutate_below(rng, sizeof set - 1)];
    return body;
}

/* Read a body; an accepted one has to be written the same again. */
static int
consensus_check(const char *body, size_t len)
{
    struct consensus *c;
    char where[JSON_WHERE_LEN], *again;
    size_t again_len;
    int err = json_read_consensus(&c, (const uint8_t *)body, len, where);
    assert_true((err == 0) == (where[0] == 0) && (err == 0) == (c != NULL));
    if (err)
        return err;
    assert_int_equal(json_write_consensus(c, &again, &again_len), 0);
    assert_int_equal(again_len, len);
    assert_memory_equal(again, body, len);
    free(again);
    consensus_free(&c);
    return 0;
}

static int
descriptor_check(const char *body, size_t len)
{
    struct descriptor d;
    char where[JSON_WHERE_LEN], *again;
    size_t again_len;
    int err =
        json_read_descriptor(&d, PUBLIC, (const uint8_t *)body, len, where);
    assert_true((err == 0) == (where[0] == 0));
    if (err)
        return err;
    assert_int_equal(json_write_descriptor(&d, PUBLIC, &again, &again_len), 0);
    assert_int_equal(again_len, len);
    assert_memory_equal(again, body, len);
    free(again);
    return 0;
}

static void
bodies_run(const char *label, char *good, unsigned inputs,
           int (*check)(const char *, size_t), unsigned errors)
{
    struct tally t = {.parser = label};
    struct rng_seeded rng;
    json_t *root = json_loads(good, 0, NULL);
    assert_non_null(root);
    rng_seeded_init_u64(&rng, test_seed(), label);
    for (unsigned i = 0; i < inputs; i++) {
        size_t len;
        bool valid = i & 1;
        char *body = body_change(&rng, root, good, valid, &len);
        tally_add(&t, check(body, len), valid);
        free(body);
    }
    tally_report(&t, inputs, errors);
    json_decref(root);
    free(good);
}

static void
consensuses(void **state)
{
    (void)state;
    size_t len;
    bodies_run("json_read_consensus", consensus_make(&len),
               mutate_inputs(MUTATE_CONSENSUS), consensus_check, 6);
}

static void
descriptors(void **state)
{
    (void)state;
    size_t len;
    bodies_run("json_read_descriptor", descriptor_make(&len),
               mutate_inputs(MUTATE_DESCRIPTORS), descriptor_check, 5);
}

const struct CMUnitTest test_bodies[] = {
    cmocka_unit_test(consensuses),
    cmocka_unit_test(descriptors),
};
TEST_SUITE(test_bodies);
