/* tests/fuzz/test_client.c - mutated letters, invitations, votes, network files
 * and records of a client: an error or something sound, never an abort.
 *
 * Letters are sealed again after the mutation, so that they reach the parser
 * behind the cipher. Deterministic from the printed seed. */
#include "tests/by_place.h"
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "client/disk/journal.h"
#include "client/disk/records.h"
#include "directory/vote.h"
#include "lib/codec.h"
#include "lib/rng_seeded.h"
#include "tests/client_disk.h"
#include "tests/invitee.h"
#include "tests/network.h"
#include "tests/sides.h"

enum { LEN = 1232, LETTERS = 60000, TEXTS = 40000, RECORDS = 20000 };
enum { DATA = LEN - LETTER_OVERHEAD - LETTER_BODY_HEAD_LEN }; /* at most */

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
    uint8_t chain[32] = {1}, data[LEN] = {0};
    uint8_t out[LEN];
    rng_seeded_init_u64(&rng, test_seed(), "letters");
    for (unsigned i = 0; i < LETTERS; i++) {
        uint32_t field[8];
        for (unsigned k = 0; k < 8; k++) {
            uint64_t u = rng_seeded_u64(&rng);
            uint32_t near[] = {0,    1,        2,          3,
                               DATA, DATA + 1, UINT32_MAX, (uint32_t)u};
            field[k] = near[u >> 61];
        }
        struct letter l = {.ack = field[0],
                           .floor = field[1],
                           .sequence = field[2],
                           .kind = (uint8_t)(field[3] % 8),
                           .index = field[4],
                           .count = field[5],
                           .total = field[6],
                           .data_len = (uint16_t)(field[7] % (DATA + 1)),
                           .data = data};
        struct letter_place at = {i, field[0]};
        if (by_place_seal(&l, chain, at, out, LEN))
            fail_msg("%u octets do not fit", l.data_len);
        if (i % 4 == 3)
            mutate(&rng, out, LEN);
        t.count[-by_place_open(&l, chain, at, out, LEN)]++;
    }
    tally_print("letters", &t, 5);
}

/* What became of a letter: read, or by which verdict it was not. */
enum { VERDICTS = SESSION_BROKEN + 1 };

/* Seal a letter whose head is what somebody makes up who has the keys of the place, and
 * pair: fields at their edges, and bytes of it changed now and then. */
static void
letter_forge(struct rng_seeded *rng, struct side *from, struct posted *p)
{
    static const uint8_t none[LETTER_KEY_LEN];
    const struct ratchet *now = &from->session.now;
    const uint64_t u = rng_seeded_u64(rng), edge = rng_seeded_u64(rng);
    const uint32_t near[] = {
        0, 1, 2, 1023, 1024, 1025, RATCHET_NUMBER_MAX, (uint32_t)u};
    const struct letter l = {
        .kind = (uint8_t)(u >> 8 & 7), .count = 1, .sequence = u >> 11 & 1};
    struct letter_head head = {.seal = (uint8_t)((u >> 16) % LETTER_SEALS)};
    struct letter_keys keys;
    uint8_t chain[LETTER_CHAIN_LEN];
    if (head.seal != LETTER_BY_PLACE) {
        head.generation = from->session.generation + (uint32_t)(u >> 24 & 1);
        memcpy(head.ratchet.key, now->own_key, RATCHET_KEY_LEN);
        if (u >> 25 & 1)
            rng_seeded_bytes(rng, head.ratchet.key, 32);
    }
    if (head.seal == LETTER_BY_RATCHET)
        head.ratchet = (struct ratchet_head){
            .step = now->own_step + (uint32_t)((u >> 26 & 3) % 3) - 1,
            .n = near[edge & 7] & RATCHET_NUMBER_MAX,
            .previous = near[edge >> 3 & 7] & RATCHET_NUMBER_MAX};
    if (edge >> 60 == 0)
        head.seal = LETTER_SEALS; /* there is none */
    p->at = (struct letter_place){SIDE_DAY, (uint32_t)(u >> 32)};
    chain_key(&from->chains[CHAIN_OUT], SIDE_DAY, chain);
    letter_place_keys(chain, p->at, u >> 28 & 1 ? from->session.pair : none,
                      &keys);
    assert_int_equal(letter_seal(&l, &head, &keys, p->at, p->bytes, LEN), 0);
}

/* Letters of a session, forged, or of its own and changed, to one who goes on with what
 * opens: an error or a verdict, a session that can be written, and what is sound after
 * all that is read. */
static void
letters_of_sessions(void **state)
{
    (void)state;
    enum { SESSION_LETTERS = LETTERS / 3, STAYS = 20 };
    struct rng_seeded rng;
    struct tally t = {{0}};
    static struct side s[2], met[2];
    static struct session_step step;
    unsigned verdicts[VERDICTS] = {0};
    rng_seeded_init_u64(&rng, test_seed(), "sessions");
    sides_make(met);
    sides_meet(met);
    for (unsigned i = 0; i < SESSION_LETTERS; i++) {
        const unsigned from = i & 1;
        struct posted p;
        if (i % STAYS == 0)
            memcpy(s, met, sizeof s);
        if (i % 4 < 2)
            letter_forge(&rng, &s[from], &p);
        else if (session_is_open(&s[from].session))
            p = side_write(&s[from], "text");
        else
            p = side_hello(&s[from]);
        if (i % 8 > 4)
            mutate(&rng, p.bytes, LEN);
        const int err = side_open(&s[!from], &p, &step);
        t.count[-err]++;
        if (!err)
            verdicts[step.verdict]++;
        for (unsigned g = 0; g < 2; g++)
            assert_true(step.gap[g].end - step.gap[g].n <= RATCHET_SKIP_MAX);
        s[!from].n_kept = 0; /* what is late does not come */
    }
    printf("  sessions: read %u, second %u, passed %u, broken %u\n",
           verdicts[SESSION_READ], verdicts[SESSION_SECOND],
           verdicts[SESSION_PASSED], verdicts[SESSION_BROKEN]);
    for (unsigned i = 0; i < VERDICTS; i++)
        assert_true(verdicts[i] > 0);
    tally_print("letters of sessions", &t, 3);
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
    struct standing known[2] = {{.identity = {1}, .layer = 2},
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

/* Records that only a peer can bring about: a message received, and a part of
 * one. */
static void
disk_receive(struct client_disk *d)
{
    static const uint8_t text[2000];
    const struct letter l = {.kind = LETTER_FILE,
                             .count = 2,
                             .total = 2000,
                             .index = 1,
                             .data = text,
                             .data_len = 2000 - DATA};
    const struct record_received r = {
        .order = 1, .contact = 1, .kind = LETTER_TEXT, .data = text, .len = 2};
    struct journal *j;
    assert_int_equal(journal_new(&j, &d->test.env), 0);
    journal_begin(j);
    assert_int_equal(record_received_save(j, &r), 0);
    assert_int_equal(record_fragment_save(j, 2, &l, d->test.wall_s), 0);
    (void)journal_end(j);
    journal_free(&j);
}

/* A client that has contacts and messages writes its records. */
static void
disk_fill(struct client_disk *d, const struct sim_net *n)
{
    static uint8_t text[3000];
    char line[INVITE_TEXT_LEN];
    uint64_t order;
    disk_init(d, test_seed());
    struct client *c = disk_client(d, n);
    assert_int_equal(client_invite(c, "bob", line), 0);
    invitee_take_up(c, "bob", line);
    assert_int_equal(client_invite(c, "eve", line), 0);
    invitee_take_up(c, "eve", line);
    assert_int_equal(
        client_send(c, "bob", LETTER_TEXT, text, sizeof text, &order), 0);
    assert_int_equal(client_send(c, "eve", LETTER_PING, NULL, 0, &order), 0);
    assert_int_equal(client_invite(c, "gone", line), 0);
    assert_int_equal(client_remove(c, "gone"), 0);
    assert_int_equal(client_mute(c, "eve", true), 0);
    client_free(&c);
    disk_receive(d);
    assert_true(d->n >= 10);
}

/* Load what is on the disk, the record `bad` with damage. */
static int
disk_load_damaged(const struct client_disk *d, struct client *c, size_t bad,
                  uint64_t how, struct rng_seeded *rng)
{
    int err = 0;
    for (size_t k = 0; k < d->n; k++) {
        const struct disk_record *r = &d->record[k];
        uint8_t key[JOURNAL_KEY_MAX], *value = malloc(r->len + 1);
        size_t len = r->len;
        assert_non_null(value);
        memcpy(key, r->key, sizeof key);
        memcpy(value, r->value, len);
        if (k == bad && how == 0)
            len = len ? rng_seeded_u64(rng) % len : 0;
        else if (k == bad && how == 1)
            mutate(rng, key, RECORD_KEY_LEN);
        else if (k == bad && len > 0)
            mutate(rng, value, len < 64 ? len : 64);
        int one = client_load(c, key, r->key_len, value, len);
        err = err ? err : one;
        free(value);
    }
    return err;
}

/* One record of all is damaged: it is refused, or the client runs on. */
static void
records_loaded(void **state)
{
    (void)state;
    struct client_disk d;
    struct sim_net n;
    struct rng_seeded rng;
    struct tally t = {{0}};
    test_network_make(&n, SPHINX_SUITE_NULL, 2, 3, 1, 2);
    disk_fill(&d, &n);
    d.frozen = true;
    rng_seeded_init_u64(&rng, test_seed(), "records");
    for (unsigned i = 0; i < RECORDS; i++) {
        uint64_t u = rng_seeded_u64(&rng);
        struct client_received r;
        struct client *c;
        assert_int_equal(disk_client_new(&d, &n, &c), 0);
        int err = disk_load_damaged(&d, c, u % d.n, u >> 60, &rng);
        t.count[-err]++;
        if (!err && client_start(c) == 0) {
            client_link_up(c);
            for (unsigned k = 0; k < 20; k++) {
                d.test.mono_us += 300000;
                client_tick(c);
            }
            while (client_next(c, NULL, NULL, &r))
                assert_int_equal(client_release(c, NULL, r.order), 0);
        }
        client_free(&c);
    }
    tally_print("records", &t, 4);
    assert_true(t.count[0] > 0); /* what is not damaged is right */
    disk_free(&d);
    test_network_free(&n);
}

/* Five minutes of a client's life. */
static void
client_lives(struct client *c, struct client_disk *d)
{
    for (unsigned k = 0; k < 300; k++) {
        d->test.mono_us += 1000000;
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
    struct client_disk d;
    struct sim_net n;
    struct client *c;
    struct client_message m;
    struct client_contact contact;
    char line[INVITE_TEXT_LEN];
    uint64_t order;
    test_network_make(&n, SPHINX_SUITE_NULL, 2, 3, 1, 2);
    disk_init(&d, test_seed());
    assert_int_equal(disk_client_new(&d, &n, &c), 0);
    const uint64_t start_s = d.test.wall_s;
    assert_int_equal(client_start(c), 0);
    assert_int_equal(client_set_document(c, n.document, n.document_len), 0);
    assert_int_equal(client_invite(c, "bob", line), 0);
    assert_int_equal(
        client_send(c, "bob", LETTER_TEXT, (const uint8_t *)"x", 1, &order), 0);
    for (unsigned day = 0; day <= 8; day++) {
        /* the clock runs ahead by a week, by a year, and back */
        static const uint64_t ahead_s[] = {7 * 86400, 365 * 86400, 0};
        for (unsigned i = 0; i < 3; i++) {
            d.test.wall_s = start_s + day * 86400u + ahead_s[i];
            client_lives(c, &d);
            assert_int_equal(client_message(c, "bob", order, &m), 0);
            if (day != 7) /* the day itself: a matter of hours */
                assert_int_equal(m.state,
                                 day < 7 ? CLIENT_QUEUED : CLIENT_EXPIRED);
        }
        n.consensus->epoch++;
        n.consensus->valid_after_s += 86400;
        test_network_sign(&n);
        d.test.wall_s = start_s + (day + 1) * 86400u;
        assert_int_equal(client_set_document(c, n.document, n.document_len), 0);
    }
    assert_true(client_contact(c, 0, &contact));
    assert_int_equal(contact.waiting, 0);
    client_free(&c);
    disk_free(&d);
    test_network_free(&n);
}

const struct CMUnitTest test_client[] = {
    cmocka_unit_test(letters_resealed),
    cmocka_unit_test(letters_of_sessions),
    cmocka_unit_test(invitations),
    cmocka_unit_test(votes_and_network_files),
    cmocka_unit_test(records_loaded),
    cmocka_unit_test(
        i10_messages_expire_by_the_clock_within_what_a_consensus_says),
};
TEST_SUITE(test_client);
