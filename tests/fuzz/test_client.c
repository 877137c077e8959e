/* tests/fuzz/test_client.c - mutated letters, invitations, votes, network files
 * and records of a client: an error or something sound, never an abort.
 *
 * Letters are sealed again after the mutation, so that they reach the parser
 * behind the cipher. Deterministic from the printed seed. */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "client/journal.h"
#include "directory/vote.h"
#include "lib/codec.h"
#include "lib/rng_seeded.h"
#include "tests/network.h"

enum { LEN = 1296, LETTERS = 60000, TEXTS = 40000, RECORDS = 20000 };

struct tally {
    unsigned count[ERROR_COUNT];
};

static void
tally_print(const char *what, const struct tally *t, unsigned kinds_min)
{
    unsigned kinds = 0;
    printf("  %s:", what);
    for (int i = 0; i < ERROR_COUNT; i++)
        if (t->count[i]) {
            printf(" %s %u", i ? error_name(-i) : "taken", t->count[i]);
            kinds++;
        }
    puts("");
    assert_true(kinds >= kinds_min);
}

static void
mutate(struct rng_seeded *rng, uint8_t *bytes, size_t len)
{
    static const uint8_t odd[] = {0, 1, 0x7f, 0x80, 0xff};
    for (uint64_t k = 1 + rng_seeded_u64(rng) % 4; k > 0; k--) {
        uint64_t u = rng_seeded_u64(rng);
        bytes[u % len] =
            u >> 40 & 1 ? odd[(u >> 41) % sizeof odd] : (uint8_t)(u >> 32);
    }
}

/* Fields of a letter at their edges, sealed and opened. */
static void
letters_resealed(void **state)
{
    (void)state;
    struct rng_seeded rng;
    struct tally t = {{0}};
    uint8_t chain[32] = {1}, random[LETTER_RANDOM_LEN] = {0}, data[LEN] = {0};
    uint8_t out[LEN];
    rng_seeded_init_u64(&rng, test_seed(), "letters");
    for (unsigned i = 0; i < LETTERS; i++) {
        uint32_t field[8];
        for (unsigned k = 0; k < 8; k++) {
            uint64_t u = rng_seeded_u64(&rng);
            uint32_t near[] = {0, 1, 2, 3, 1117, 1118, UINT32_MAX, (uint32_t)u};
            field[k] = near[u >> 61];
        }
        struct letter l = {.ack = field[0],
                           .floor = field[1],
                           .sequence = field[2],
                           .kind = (uint8_t)(field[3] % 8),
                           .index = field[4],
                           .count = field[5],
                           .total = field[6],
                           .data_len = (uint16_t)(field[7] % 1118),
                           .data = data};
        struct letter_place at = {i, field[0]};
        if (letter_seal(&l, chain, at, random, out, LEN))
            fail_msg("%u octets do not fit", l.data_len);
        if (i % 4 == 3)
            mutate(&rng, out, LEN);
        t.count[-letter_open(&l, chain, at, out, LEN)]++;
    }
    tally_print("letters", &t, 5);
}

static void
invitations(void **state)
{
    (void)state;
    struct rng_seeded rng;
    struct tally t = {{0}};
    struct invite invite = {.expiry_h = 7}, back;
    char text[INVITE_TEXT_LEN];
    rng_seeded_init_u64(&rng, test_seed(), "invitations");
    for (unsigned i = 0; i < TEXTS; i++) {
        rng_seeded_bytes(&rng, invite.seed, sizeof invite.seed);
        invite_write(&invite, text);
        if (i % 8)
            mutate(&rng, (uint8_t *)text, INVITE_TEXT_LEN - 1);
        t.count[-invite_read(&back, text)]++;
    }
    tally_print("invitations", &t, 4);
}

/* A vote with everything in it. */
static void
vote_write(char **text, size_t *len)
{
    static char *one[] = {(char *)"brusio-descriptor/1 2\n{}\n"};
    static struct vote v;
    struct vote_known known[2] = {{.identity = {1}, .layer = 2},
                                  {.identity = {2}, .layer = 4}};
    struct test_env env;
    uint8_t context[SHARE_CONTEXT_LEN], secret[SHARE_LEN];
    test_env_init(&env, test_seed());
    v = (struct vote){.epoch = 4,
                      .n = 1,
                      .descriptors = one,
                      .n_known = 2,
                      .known = known,
                      .dealing = {.degree = 1, .n = 4}};
    strcpy(v.network, "test");
    params_default(&v.params, 3600);
    for (uint8_t k = 0; k < 4; k++) {
        const uint8_t seed[32] = {k};
        v.holder[k].identity[0] = (uint8_t)(k + 1);
        v.dealing.at[k] = (uint8_t)(k + 1);
        share_keypair(v.dealing.key[k], secret, seed);
        memcpy(v.holder[k].cert.share_key, v.dealing.key[k], SHARE_LEN);
    }
    vote_dealing_context(&v, context);
    assert_int_equal(share_deal(&v.dealing, &env.env, context), 0);
    assert_int_equal(json_write_vote(&v, text, len), 0);
}

static int
vote_read(const uint8_t *text, size_t len)
{
    char where[JSON_WHERE_LEN];
    struct vote v;
    int err = json_read_vote(&v, text, len, where);
    if (!err)
        vote_free(&v);
    return err;
}

#define READ_FLAT(name, type)                               \
    static int name##_read(const uint8_t *text, size_t len) \
    {                                                       \
        char where[JSON_WHERE_LEN];                         \
        struct type x;                                      \
        return json_read_##name(&x, text, len, where);      \
    }
READ_FLAT(network, network)
READ_FLAT(claim, claim)
READ_FLAT(shares, shares)
READ_FLAT(signature, signature_note)
READ_FLAT(hello, hello)

static const struct {
    const char *name;
    int (*read)(const uint8_t *text, size_t len);
} bodies[] = {{"votes", vote_read},           {"network files", network_read},
              {"claims", claim_read},         {"shares", shares_read},
              {"signatures", signature_read}, {"hellos", hello_read}};
enum { BODIES = sizeof bodies / sizeof bodies[0] };

static void
bodies_write(char *text[BODIES], size_t len[BODIES])
{
    struct network n = {.genesis_s = 1, .epoch_len_s = 30, .n_authorities = 1};
    struct claim c = {.network = "test", .epoch = 4, .len = 70};
    static struct shares s = {.network = "test", .epoch = 4, .n = 2};
    struct signature_note g = {.network = "test", .epoch = 4};
    struct hello h = {.network = "test", .epoch = 4};
    sphinx_geometry_default(&n.geometry);
    strcpy(n.name, "test");
    strcpy(n.authorities[0].address, "127.0.0.1:1");
    s.entry[1].dealer[0] = 1;
    vote_write(&text[0], &len[0]);
    assert_int_equal(json_write_network(&n, &text[1], &len[1]), 0);
    assert_int_equal(json_write_claim(&c, &text[2], &len[2]), 0);
    assert_int_equal(json_write_shares(&s, &text[3], &len[3]), 0);
    assert_int_equal(json_write_signature(&g, &text[4], &len[4]), 0);
    assert_int_equal(json_write_hello(&h, &text[5], &len[5]), 0);
}

/* Digits and letters for their like, so that most stay JSON. */
static void
body_mutate(struct rng_seeded *rng, uint8_t *text, size_t len)
{
    for (uint64_t m = 1 + rng_seeded_u64(rng) % 3; m > 0; m--) {
        uint64_t u = rng_seeded_u64(rng);
        uint8_t *c = &text[u % len];
        *c = *c >= '0' && *c <= '9'   ? (uint8_t)('0' + (u >> 40) % 10)
             : *c >= 'a' && *c <= 'z' ? (uint8_t)('a' + (u >> 40) % 26)
             : u >> 63                ? (uint8_t)(u >> 32)
                                      : *c;
    }
}

/* JSON whose values are changed, canonical or not. */
static void
votes_and_network_files(void **state)
{
    (void)state;
    struct rng_seeded rng;
    static struct tally count[BODIES];
    char *text[BODIES];
    size_t len[BODIES];
    memset(count, 0, sizeof count);
    bodies_write(text, len);
    rng_seeded_init_u64(&rng, test_seed(), "votes");
    for (unsigned k = 0; k < BODIES; k++) {
        for (unsigned i = 0; i < TEXTS / (k == 0 ? 8 : 2); i++) {
            uint8_t *copy = malloc(len[k]);
            assert_non_null(copy);
            memcpy(copy, text[k], len[k]);
            if (i % 16)
                body_mutate(&rng, copy, len[k]);
            count[k].count[-bodies[k].read(copy, len[k])]++;
            free(copy);
        }
        tally_print(bodies[k].name, &count[k], 3);
        free(text[k]);
    }
}

/* ---- records ---- */

struct record {
    uint8_t key[32];
    size_t key_len, len;
    uint8_t *value;
};

struct served {
    struct test_env test;
    struct env_ops ops;
    struct record record[64];
    size_t n;
};

static int
record_keep(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
            size_t value_len)
{
    struct served *s = ctx;
    if (!value || s->n == 64)
        return 0;
    size_t i = 0;
    while (i < s->n && (s->record[i].key_len != key_len ||
                        memcmp(s->record[i].key, key, key_len) != 0))
        i++;
    if (i == s->n)
        s->n++;
    else
        free(s->record[i].value);
    struct record *r = &s->record[i];
    memcpy(r->key, key, key_len);
    r->key_len = key_len;
    r->len = value_len;
    r->value = malloc(value_len + 1);
    assert_non_null(r->value);
    memcpy(r->value, value, value_len);
    return 0;
}

static void
record_find(const struct served *s, struct env_store_req *req)
{
    req->err = ERR_NOT_FOUND;
    for (size_t i = 0; i < s->n; i++) {
        const struct record *r = &s->record[i];
        if (r->key_len != req->letter_len ||
            memcmp(r->key, req->letter, r->key_len) != 0)
            continue;
        req->value = malloc(r->len + 1);
        assert_non_null(req->value);
        memcpy(req->value, r->value, r->len);
        req->value_len = r->len;
        req->err = 0;
    }
}

static void
served_store(struct env *env, struct env_store_req *req)
{
    struct served *s = (struct served *)env;
    req->err = 0;
    if (req->op == ENV_STORE_READ)
        record_find(s, req);
    else
        assert_int_equal(
            journal_parse(req->letter, req->letter_len, record_keep, s), 0);
    req->done(req);
}

static int
served_send(struct env *env, struct env_dest to, const uint8_t *frame,
            size_t len)
{
    (void)env;
    (void)to;
    (void)frame;
    (void)len;
    return 0;
}

static struct client *
client_make(struct served *s, const struct sim_net *n)
{
    struct client_config config = {
        .env = &s->test.env, .n_authorities = 1, .n_gateways = 1};
    struct client *c;
    strcpy(config.profile, "default");
    strcpy(config.network, "test");
    memcpy(config.authorities[0], n->authority, 32);
    memcpy(config.gateways[0], n->consensus->relays[0].identity, 32);
    assert_int_equal(client_new(&c, &config), 0);
    return c;
}

static int
by_key(const void *a, const void *b)
{
    return memcmp(((const struct record *)a)->key,
                  ((const struct record *)b)->key, 17);
}

/* A client that has contacts and messages writes its records to the shelf. */
static void
served_fill(struct served *s, const struct sim_net *n)
{
    static uint8_t text[3000];
    char line[INVITE_TEXT_LEN];
    uint64_t order;
    test_env_init(&s->test, test_seed());
    s->ops = *s->test.env.ops;
    s->ops.store = served_store;
    s->ops.send = served_send;
    s->test.env.ops = &s->ops;
    struct client *c = client_make(s, n);
    assert_int_equal(client_start(c), 0);
    assert_int_equal(client_set_document(c, n->document, n->document_len), 0);
    assert_int_equal(client_invite(c, "bob", line), 0);
    assert_int_equal(client_invite(c, "eve", line), 0);
    assert_int_equal(
        client_send(c, "bob", LETTER_TEXT, text, sizeof text, &order), 0);
    assert_int_equal(client_send(c, "eve", LETTER_PING, NULL, 0, &order), 0);
    client_free(&c);
    /* and one received, which only a peer could make */
    static const uint8_t key[17] = {'X', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    static const uint8_t value[] = {1, 0, 0, 0, 1,   LETTER_TEXT,
                                    0, 0, 0, 2, 'h', 'i'};
    assert_int_equal(record_keep(s, key, sizeof key, value, sizeof value), 0);
    qsort(s->record, s->n, sizeof s->record[0], by_key);
    assert_true(s->n >= 8);
}

/* One record of all is damaged: it is refused, or the client runs on. */
static void
records_loaded(void **state)
{
    (void)state;
    static struct served s;
    struct sim_net n;
    struct rng_seeded rng;
    struct tally t = {{0}};
    test_network_make(&n, SPHINX_SUITE_NULL, 2, 3, 1, 2);
    served_fill(&s, &n);
    size_t records = s.n;
    rng_seeded_init_u64(&rng, test_seed(), "records");
    s.ops.store = NULL;
    for (unsigned i = 0; i < RECORDS; i++) {
        uint64_t u = rng_seeded_u64(&rng);
        size_t bad = u % records;
        struct client_received r;
        int err = 0;
        s.ops.store = served_store;
        s.n = 64; /* nothing more is kept */
        struct client *c = client_make(&s, &n);
        for (size_t k = 0; k < records; k++) {
            struct record *rec = &s.record[k];
            uint8_t key[32], *value = malloc(rec->len + 1);
            size_t len = rec->len;
            assert_non_null(value);
            memcpy(key, rec->key, sizeof key);
            memcpy(value, rec->value, len);
            if (k == bad && u >> 60 == 0)
                len = len ? rng_seeded_u64(&rng) % len : 0;
            else if (k == bad && u >> 60 == 1)
                mutate(&rng, key, 17);
            else if (k == bad && len > 0)
                mutate(&rng, value, len < 64 ? len : 64);
            int one = client_load(c, key, 17, value, len);
            if (one && !err)
                err = one;
            free(value);
        }
        t.count[-err]++;
        if (!err && client_start(c) == 0) {
            client_link_up(c);
            for (unsigned k = 0; k < 20; k++) {
                s.test.mono_us += 300000;
                client_tick(c);
            }
            while (client_next(c, NULL, &r))
                assert_int_equal(client_release(c, r.order), 0);
        }
        client_free(&c);
        s.n = records;
    }
    tally_print("records", &t, 4);
    for (size_t k = 0; k < records; k++)
        free(s.record[k].value);
    test_network_free(&n);
}

/* Five minutes of a client's life. */
static void
client_lives(struct client *c, struct served *s)
{
    for (unsigned k = 0; k < 300; k++) {
        s->test.mono_us += 1000000;
        client_tick(c);
    }
}

/* After a letter's days a message is given up; its place among those that
 * wait is free again. The own clock alone gives up nothing: more than two thirds
 * of the authorities bound it by the consensus (I10). */
static void
i10_messages_expire_by_the_clock_within_what_a_consensus_says(void **state)
{
    (void)state;
    static struct served s;
    struct sim_net n;
    struct client_message m;
    struct client_contact contact;
    char line[INVITE_TEXT_LEN];
    uint64_t order;
    test_network_make(&n, SPHINX_SUITE_NULL, 2, 3, 1, 2);
    memset(&s, 0, sizeof s);
    served_fill(&s, &n);
    struct client *c = client_make(&s, &n);
    const uint64_t start_s = s.test.wall_s;
    assert_int_equal(client_start(c), 0);
    assert_int_equal(client_set_document(c, n.document, n.document_len), 0);
    assert_int_equal(client_invite(c, "bob", line), 0);
    assert_int_equal(
        client_send(c, "bob", LETTER_TEXT, (const uint8_t *)"x", 1, &order), 0);
    for (unsigned day = 0; day <= 8; day++) {
        /* the clock runs ahead by a week, by a year, and back */
        static const uint64_t ahead_s[] = {7 * 86400, 365 * 86400, 0};
        for (unsigned i = 0; i < 3; i++) {
            s.test.wall_s = start_s + day * 86400u + ahead_s[i];
            client_lives(c, &s);
            assert_int_equal(client_message(c, "bob", order, &m), 0);
            if (day != 7) /* the day itself: a matter of hours */
                assert_int_equal(m.state,
                                 day < 7 ? CLIENT_QUEUED : CLIENT_EXPIRED);
        }
        n.consensus->epoch++;
        n.consensus->valid_after_s += 86400;
        test_network_sign(&n);
        s.test.wall_s = start_s + (day + 1) * 86400u;
        assert_int_equal(client_set_document(c, n.document, n.document_len), 0);
    }
    assert_true(client_contact(c, 0, &contact));
    assert_int_equal(contact.waiting, 0);
    client_free(&c);
    for (size_t k = 0; k < s.n; k++)
        free(s.record[k].value);
    test_network_free(&n);
}

const struct CMUnitTest test_client[] = {
    cmocka_unit_test(letters_resealed),
    cmocka_unit_test(invitations),
    cmocka_unit_test(votes_and_network_files),
    cmocka_unit_test(records_loaded),
    cmocka_unit_test(
        i10_messages_expire_by_the_clock_within_what_a_consensus_says),
};
TEST_SUITE(test_client);
