/* tests/scenario/test_i10_revoked.c - an authority's working key is stolen.
 *
 * What is signed with it counts until a newer certificate of that authority is
 * in a consensus, and from then on nowhere: not with the other authorities, nor
 * with relays and clients, also such as come back after a long time. */
#include "tests/runner.h"

#include <stdlib.h>
#include <sodium.h>
#include <string.h>

#include "directory/tally.h"
#include "directory/vote.h"
#include "lib/pack.h"
#include "lib/wire.h"
#include "network/receive.h"
#include "tests/client_disk.h"
#include "tests/house.h"

enum { LEN_MS = HOUSE_LEN_S * 1000, ALL = 0xff, SEATS = 4 };

/* ---- authorities ---- */

static uint8_t
relay_role(uint8_t i)
{
    return i < 2 ? ROLE_GATEWAY : i < 11 ? ROLE_MIX : ROLE_STORE;
}

static void
relays_post(struct house *h)
{
    for (uint8_t i = 0; i < 13; i++) {
        const struct house_relay r = {.number = i,
                                      .role = relay_role(i),
                                      .epoch = 1,
                                      .bandwidth = 100,
                                      .seats = ALL};
        assert_int_equal(house_upload(h, &r), 0);
    }
}

/* The keys of a seat, which a thief may have a copy of. */
struct stolen {
    struct certificate cert;
    uint8_t seed[32], share_secret[32];
};

static void
keys_take(const struct house_seat *s, struct stolen *out)
{
    out->cert = s->cert;
    memcpy(out->seed, s->seed, sizeof out->seed);
    memcpy(out->share_secret, s->share_secret, sizeof out->share_secret);
}

static void
keys_give(struct house_seat *s, const struct stolen *in)
{
    s->cert = in->cert;
    memcpy(s->seed, in->seed, sizeof s->seed);
    memcpy(s->share_secret, in->share_secret, sizeof s->share_secret);
}

/* The seat works with its present keys from now on. */
static int
seat_rekey(struct house_seat *s)
{
    struct document_key key;
    const uint8_t *const share[AUTHORITY_SHARE_KEYS] = {s->share_secret};
    document_key_direct(&key, s->identity_seed);
    key.seed = s->seed;
    key.cert = &s->cert;
    return authority_rekey(s->face[0].authority, &key, share);
}

/* Other keys, by a certificate that begins so much later. */
static void
seat_renew(struct house_seat *s, uint64_t later_s)
{
    struct document_key key;
    s->seed[0] ^= 0x55;
    document_key_direct(&key, s->seed);
    s->cert.from_s += later_s;
    memcpy(s->cert.key, key.identity, 32);
    share_keypair(s->cert.share_key, s->share_secret, s->seed);
    certificate_sign(&s->cert, s->identity_seed);
    assert_int_equal(seat_rekey(s), 0);
}

/* What the others say to a document that the thief signs as seat 0. */
static int
thief_says(struct house *h, const struct stolen *t, enum document_kind kind,
           size_t to)
{
    struct authority *a = h->seat[to].face[0].authority;
    struct document *d = calloc(1, sizeof *d);
    struct document_key key;
    uint8_t *bytes, hash[DOCUMENT_HASH_LEN] = {1};
    const uint32_t epoch = authority_target(a);
    struct hello hello = {.network = "test", .epoch = epoch};
    struct claim claim = {.network = "test", .epoch = epoch, .len = 100};
    struct shares shares = {.network = "test", .epoch = epoch};
    struct signature_note note = {.network = "test", .epoch = epoch};
    struct document_signature s;
    char *body;
    size_t len;
    assert_non_null(d);
    document_key_direct(&key, h->seat[0].identity_seed);
    memcpy(claim.author, key.identity, sizeof claim.author);
    memcpy(note.hash, hash, sizeof hash);
    int err =
        kind == DOCUMENT_HELLO   ? json_write_hello(&hello, &body, &d->body_len)
        : kind == DOCUMENT_CLAIM ? json_write_claim(&claim, &body, &d->body_len)
        : kind == DOCUMENT_SHARES
            ? json_write_shares(&shares, &body, &d->body_len)
            : json_write_signature(&note, &body, &d->body_len);
    assert_int_equal(err, 0);
    d->kind = kind;
    d->body = (uint8_t *)body;
    if (kind != DOCUMENT_SIGNATURE)
        document_hash(kind, d->body, d->body_len, hash);
    key.seed = t->seed;
    key.cert = &t->cert;
    document_sign_hash(&s, hash, &key);
    assert_int_equal(document_add(d, &s), 0);
    assert_int_equal(document_write(d, &bytes, &len), 0);
    err = authority_take(a, bytes, len);
    free(bytes);
    free(body);
    free(d);
    return err;
}

/* The certificate that a seat's newest consensus lists of seat 0. */
static const struct certificate *
listed(const struct house *h, size_t seat)
{
    const struct certificates *c = &h->seat[seat].newest->certificates;
    assert_int_equal(c->n, SEATS);
    return certificates_find(c, h->network.authorities[0].identity);
}

static void
i10_a_stolen_key_counts_at_no_authority(void **state)
{
    (void)state;
    static const enum document_kind kind[] = {
        DOCUMENT_HELLO, DOCUMENT_CLAIM, DOCUMENT_SHARES, DOCUMENT_SIGNATURE};
    static struct house h;
    struct stolen old, new;
    house_make(&h, SEATS, test_seed());
    house_start_all(&h);
    relays_post(&h);
    house_run(&h, 1);
    assert_int_equal(house_epoch(&h, 1), 1);
    keys_take(&h.seat[0], &old);
    assert_memory_equal(listed(&h, 1)->key, old.cert.key, 32);
    seat_renew(&h.seat[0], 100);
    keys_take(&h.seat[0], &new);
    /* nobody has seen the newer one */
    assert_int_equal(thief_says(&h, &old, DOCUMENT_HELLO, 1), 0);
    house_run(&h, LEN_MS + 1);
    assert_int_equal(house_epoch(&h, 1), 2);
    assert_memory_equal(listed(&h, 1)->key, new.cert.key, 32);
    for (size_t seat = 1; seat < SEATS; seat++)
        for (size_t i = 0; i < sizeof kind / sizeof kind[0]; i++)
            assert_int_equal(thief_says(&h, &old, kind[i], seat), ERR_PEER);
    /* one that starts again, and has only what it kept */
    house_stop(&h, 1);
    house_start(&h, 1, 1);
    for (size_t i = 0; i < sizeof kind / sizeof kind[0]; i++)
        assert_int_equal(thief_says(&h, &old, kind[i], 1), ERR_PEER);
    house_run(&h, 2 * LEN_MS + 1);
    for (size_t seat = 0; seat < SEATS; seat++) {
        struct authority_status s;
        authority_status(h.seat[seat].face[0].authority, &s);
        assert_int_equal(s.epoch, 3);
        assert_int_equal(s.votes, SEATS);
        assert_in_range(s.signatures, document_two_thirds(SEATS), SEATS);
        assert_int_equal(h.seat[seat].evidence, 0);
    }
    house_check_safety(&h);
    house_free(&h);
}

/* The thief is faster than whom it stole from: its note comes first, and does
 * not keep the right one out. */
static void
i10_a_thief_that_is_first_stops_nothing(void **state)
{
    (void)state;
    static struct house h;
    struct stolen old;
    house_make(&h, SEATS, test_seed());
    house_start_all(&h);
    relays_post(&h);
    house_run(&h, 1);
    keys_take(&h.seat[0], &old);
    seat_renew(&h.seat[0], 100);
    house_stop(&h, 3); /* so that all the others are needed */
    for (size_t seat = 1; seat < 3; seat++)
        assert_int_equal(thief_says(&h, &old, DOCUMENT_SIGNATURE, seat), 0);
    /* and before anybody asks the others for what they have */
    house_run(&h, house_ms(&h, 2, SCHEDULE_PUBLISH) - 100);
    for (size_t seat = 0; seat < 3; seat++)
        assert_int_equal(house_epoch(&h, seat), 2);
    house_free(&h);
}

/* An authority that comes back with an older disk works with keys that its own
 * newer certificate has revoked. It gets to know, and others help. */
static void
i9_an_authority_with_an_older_disk_learns_it(void **state)
{
    (void)state;
    static struct house h;
    struct stolen old;
    house_make(&h, SEATS, test_seed());
    house_start_all(&h);
    relays_post(&h);
    house_run(&h, 1);
    keys_take(&h.seat[0], &old);
    seat_renew(&h.seat[0], 100);
    house_run(&h, LEN_MS + 1);
    assert_false(authority_is_revoked(h.seat[0].face[0].authority));
    keys_give(&h.seat[0], &old);
    house_stop(&h, 0);
    house_start(&h, 0, 1);
    assert_true(authority_is_revoked(h.seat[0].face[0].authority));
    seat_renew(&h.seat[0], 200);
    assert_false(authority_is_revoked(h.seat[0].face[0].authority));
    house_run(&h, 2 * LEN_MS + 1);
    for (size_t seat = 0; seat < SEATS; seat++)
        assert_int_equal(house_epoch(&h, seat), 3);
    assert_memory_equal(listed(&h, 1)->key, h.seat[0].cert.key, 32);
    house_free(&h);
}

static int
texts_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What the identity has not signed, is of another time, or is no authority's, is
 * not listed, also when all votes say so; of what one vote has alone, the newest
 * is. */
static void
nobody_invents_a_certificate(void **state)
{
    (void)state;
    enum { N = 2, RELAYS = 13 };
    static struct house h;
    static struct vote vote[N];
    struct vote *votes[N] = {&vote[0], &vote[1]};
    uint8_t ids[N][SPHINX_ID_LEN];
    const uint8_t random[32] = {5};
    char *text[RELAYS], same[] = "the same";
    struct consensus *c;
    house_make(&h, SEATS, test_seed());
    for (uint8_t i = 0; i < RELAYS; i++) {
        const struct house_relay r = {
            .number = i, .role = relay_role(i), .epoch = 1, .bandwidth = 100};
        uint8_t *bytes;
        size_t len;
        house_descriptor(&h, &r, &bytes, &len);
        text[i] = strndup((char *)bytes, len);
        free(bytes);
    }
    qsort(text, RELAYS, sizeof *text, texts_order);
    for (size_t i = 0; i < N; i++) {
        memcpy(ids[i], h.network.authorities[i].identity, sizeof ids[i]);
        vote[i] = (struct vote){.network = "test",
                                .epoch = 1,
                                .params = h.params,
                                .params_text = same,
                                .n = RELAYS,
                                .descriptors = text,
                                .dealing.n = SEATS};
        for (size_t k = 0; k < SEATS; k++) {
            struct vote_holder *holder = &vote[i].holder[k];
            memcpy(holder->identity, h.network.authorities[k].identity,
                   sizeof holder->identity);
            holder->cert = h.seat[k].cert;
        }
    }
    vote[0].holder[0].cert.from_s += 10; /* not what was signed */
    vote[1].holder[1].cert.from_s += 10;
    certificate_sign(&vote[1].holder[1].cert, h.seat[1].identity_seed);
    const struct certificate newest = vote[1].holder[1].cert;
    vote[0].holder[1].cert.until_s = HOUSE_GENESIS - 1; /* over */
    vote[0].holder[1].cert.from_s += 20;
    certificate_sign(&vote[0].holder[1].cert, h.seat[1].identity_seed);
    assert_int_equal(tally_votes(&c, votes, N, (const uint8_t(*)[32])ids, N,
                                 random, HOUSE_GENESIS,
                                 &(struct tally_opened){0}),
                     0);
    assert_int_equal(c->certificates.n, N); /* two hold, and are none */
    assert_memory_equal(certificates_find(&c->certificates, ids[0]),
                        &h.seat[0].cert, sizeof newest);
    assert_memory_equal(certificates_find(&c->certificates, ids[1]), &newest,
                        sizeof newest);
    consensus_free(&c);
    for (uint8_t i = 0; i < RELAYS; i++)
        free(text[i]);
    house_free(&h);
}

/* ---- the order ---- */

static void
there_is_one_order(void **state)
{
    (void)state;
    struct certificates list = {0};
    struct certificate c[4] = {{.from_s = 10}, {.from_s = 10}, {.from_s = 20}};
    const uint8_t id[3][32] = {{1}, {2}, {3}};
    c[0].key[0] = 1;
    c[1].key[0] = 2;
    c[2].key[0] = 1;
    c[3] = c[2];
    c[3].from_s = 5000; /* by a wrong clock */
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < 4; k++) /* of two others one is newer */
            assert_int_equal(certificate_is_newer(&c[i], &c[k]), i > k);
    for (size_t i = 3; i-- > 0;)
        certificates_note(&list, id[i], &c[0], 100);
    assert_int_equal(list.n, 3);
    for (size_t i = 0; i < 3; i++)
        assert_memory_equal(list.of[i].identity, id[i], 32);
    certificates_note(&list, id[1], &c[1], 100);
    certificates_note(&list, id[1], &c[0], 100); /* no way back */
    assert_memory_equal(certificates_find(&list, id[1]), &c[1], sizeof c[1]);
    assert_true(certificates_revoke(&list, id[1], &c[0], 10));
    assert_false(certificates_revoke(&list, id[1], &c[0], 9));
    assert_false(certificates_revoke(&list, id[1], &c[1], 10));
    assert_false(certificates_revoke(&list, id[0], &c[0], 10));
    /* the same key certified again is the same key */
    certificates_note(&list, id[0], &c[2], 100);
    assert_false(certificates_revoke(&list, id[0], &c[0], 100));
    certificates_note(&list, id[1], &c[3], 100);
    assert_memory_equal(certificates_find(&list, id[1]), &c[1], sizeof c[1]);
    certificates_note(&list, id[1], &c[3], 6000);
    assert_false(certificates_revoke(&list, id[1], &c[1], 100));
    certificates_note(&list, id[1], &c[1], 100); /* the clock is right again */
    assert_memory_equal(certificates_find(&list, id[1]), &c[1], sizeof c[1]);
    /* no more than there can be */
    for (uint8_t i = 0; i < 2 * CERTIFICATES_MAX; i++)
        certificates_note(&list, (uint8_t[32]){i, 9}, &c[0], 100);
    assert_int_equal(list.n, CERTIFICATES_MAX);
}

/* Whoever has the working keys of more than two thirds for an hour can sign a
 * consensus that lists anything. Nothing of that stays but what the identities
 * themselves have signed, and there is room for these. */
static void
i10_a_false_list_leaves_nothing(void **state)
{
    (void)state;
    struct certificates list = {0}, said = {0};
    uint8_t of[1][32], seed[32] = {0xa5}, secret[64];
    struct certificate c = {.from_s = 10, .until_s = 99};
    crypto_sign_seed_keypair(of[0], secret, seed);
    for (uint8_t i = 0; i < CERTIFICATES_MAX; i++)
        certificates_note(&said, (uint8_t[32]){i, 9}, &c, 100);
    list = said; /* of authorities that are none any more, too */
    certificates_merge(&list, &said, (const uint8_t(*)[32])of, 1, 100);
    assert_int_equal(list.n, 0);
    said.n = 0;
    certificates_note(&said, of[0], &c, 100);
    certificates_merge(&list, &said, (const uint8_t(*)[32])of, 1, 100);
    assert_int_equal(list.n, 0); /* its identity has not signed it */
    certificate_sign(&c, seed);
    said.of[0].cert = c;
    certificates_merge(&list, &said, (const uint8_t(*)[32])of, 1, 100);
    assert_memory_equal(certificates_find(&list, of[0]), &c, sizeof c);
}

/* ---- clients ---- */

/* A network of one authority, whose working key is seed. */
struct keyed {
    struct sim_net n;
    struct certificate old, new;
    uint8_t old_seed[32], new_seed[32];
};

static const uint8_t identity_seed[32] = {0xa1}; /* of sim/engine/net.c */

static void
keyed_make(struct keyed *k)
{
    struct document_key key;
    test_network_make(&k->n, SPHINX_SUITE_NULL, 2, 3, 2, 2);
    const uint64_t now_s = k->n.consensus->valid_after_s;
    memset(k->old_seed, 7, sizeof k->old_seed);
    memset(k->new_seed, 8, sizeof k->new_seed);
    k->old = (struct certificate){.from_s = now_s - 9000,
                                  .until_s = now_s + 30 * 86400};
    k->new = (struct certificate){.from_s = now_s - 100,
                                  .until_s = now_s + 60 * 86400};
    document_key_direct(&key, k->old_seed);
    memcpy(k->old.key, key.identity, 32);
    document_key_direct(&key, k->new_seed);
    memcpy(k->new.key, key.identity, 32);
    certificate_sign(&k->old, identity_seed);
    certificate_sign(&k->new, identity_seed);
}

/* The next consensus but `skip`, signed with one of both keys, and listing that
 * one. malloc'd. */
static uint8_t *
keyed_next(struct keyed *k, uint32_t skip, bool new, size_t *len)
{
    struct consensus *c = k->n.consensus;
    struct document *d = calloc(1, sizeof *d);
    struct document_key key;
    uint8_t *bytes;
    char *body;
    assert_non_null(d);
    c->epoch += 1 + skip;
    c->valid_after_s += (uint64_t)(1 + skip) * c->params.epoch_len_s;
    document_key_direct(&key, identity_seed);
    key.seed = new ? k->new_seed : k->old_seed;
    key.cert = new ? &k->new : &k->old;
    c->certificates = (struct certificates){0};
    certificates_note(&c->certificates, key.identity, key.cert, UINT64_MAX);
    assert_int_equal(json_write_consensus(c, &body, &d->body_len), 0);
    d->kind = DOCUMENT_CONSENSUS;
    d->body = (uint8_t *)body;
    assert_int_equal(document_sign(d, &key), 0);
    assert_int_equal(document_write(d, &bytes, len), 0);
    free(body);
    free(d);
    return bytes;
}

/* The client gets it from its gateway, and keeps it. */
static void
pieces_give(struct client *c, const struct keyed *k, const uint8_t *bytes,
            size_t len)
{
    const size_t frame_len = k->n.consensus->params.geometry.packet_len,
                 room = frame_len - WIRE_PIECE_HEAD_LEN;
    uint8_t *packed, *frame = calloc(1, frame_len);
    size_t packed_len;
    assert_non_null(frame);
    assert_int_equal(pack_deflate(bytes, len, &packed, &packed_len), 0);
    struct wire_piece p = {.epoch = k->n.consensus->epoch};
    p.count = (uint16_t)((packed_len + room - 1) / room);
    p.time_ms = k->n.consensus->valid_after_s * 1000;
    for (; p.index < p.count; p.index++) {
        p.data = packed + p.index * room;
        p.len = (uint16_t)(p.index + 1 < p.count ? room
                                                 : packed_len - p.index * room);
        assert_int_equal(wire_piece_write(frame, frame_len, &p), 0);
        client_frames(c, frame, 1, frame_len);
    }
    free(packed);
    free(frame);
}

/* Set the clock of the client to when the newest consensus begins. */
static void
clock_follow(struct client_disk *d, const struct keyed *k)
{
    d->test.wall_s = k->n.consensus->valid_after_s;
}

static void
i10_a_stolen_key_counts_at_no_client(void **state)
{
    (void)state;
    static struct keyed k;
    struct client_disk d;
    struct client *c;
    uint8_t *bytes;
    size_t len;
    keyed_make(&k);
    disk_init(&d, 1);
    clock_follow(&d, &k);
    c = disk_client(&d, &k.n);
    /* before the newer certificate is seen, the old key counts */
    bytes = keyed_next(&k, 0, false, &len);
    clock_follow(&d, &k);
    assert_int_equal(client_set_document(c, bytes, len), 0);
    free(bytes);
    bytes = keyed_next(&k, 0, true, &len);
    clock_follow(&d, &k);
    pieces_give(c, &k, bytes, len);
    free(bytes);
    assert_int_equal(client_consensus(c)->epoch, k.n.consensus->epoch);
    bytes = keyed_next(&k, 0, false, &len);
    clock_follow(&d, &k);
    assert_int_equal(client_set_document(c, bytes, len), ERR_THRESHOLD);
    free(bytes);
    client_free(&c);
    /* away for a week: what it has is over, and says all the same that the old
     * key counts no more */
    bytes = keyed_next(&k, 7 * 24, false, &len);
    clock_follow(&d, &k);
    assert_int_equal(disk_client_load(&d, &k.n, &c), 0);
    assert_int_equal(client_start(c), 0);
    assert_null(client_consensus(c));
    assert_int_equal(client_set_document(c, bytes, len), ERR_THRESHOLD);
    uint8_t *honest = keyed_next(&k, 0, true, &len);
    clock_follow(&d, &k);
    assert_int_equal(client_set_document(c, honest, len), 0);
    free(honest);
    free(bytes);
    client_free(&c);
    disk_free(&d);
    test_network_free(&k.n);
}

/* From whom the newer certificate is withheld, as from one that has just come,
 * the old key counts as long as its certificate runs. */
static void
i10_a_withheld_certificate_is_bounded(void **state)
{
    (void)state;
    static struct keyed k;
    keyed_make(&k);
    const struct receive_rules rules = {
        .network = "test",
        .authorities = (const uint8_t(*)[DOCUMENT_ID_LEN])k.n.authority,
        .n_authorities = 1};
    for (uint32_t day = 1; day < 40; day++) {
        struct consensus *c;
        size_t len;
        uint8_t *bytes = keyed_next(&k, 23, false, &len);
        const int err = receive_consensus(&c, &rules, bytes, len, 0,
                                          k.n.consensus->valid_after_s);
        assert_int_equal(err, day <= 30 ? 0 : ERR_THRESHOLD);
        consensus_free(&c);
        free(bytes);
    }
    test_network_free(&k.n);
}

/* A list is learnt from what counts alone: not from what is not signed, nor from
 * what begins in the future; and from what has expired. */
static void
i10_only_what_counts_is_learnt(void **state)
{
    (void)state;
    static struct keyed k;
    struct certificates seen = {0};
    struct consensus *c;
    size_t len;
    keyed_make(&k);
    const struct receive_rules rules = {
        .network = "test",
        .authorities = (const uint8_t(*)[DOCUMENT_ID_LEN])k.n.authority,
        .n_authorities = 1,
        .seen = &seen};
    const uint64_t len_s = k.n.consensus->params.epoch_len_s;
    uint8_t *bytes = keyed_next(&k, 0, true, &len);
    const uint64_t at_s = k.n.consensus->valid_after_s;
    bytes[len - 2] ^= 1; /* a digit of the certificate's signature */
    assert_int_not_equal(receive_consensus(&c, &rules, bytes, len, 0, at_s), 0);
    assert_int_equal(seen.n, 0);
    bytes[len - 2] ^= 1;
    assert_int_equal(
        receive_consensus(&c, &rules, bytes, len, 0, at_s - 3 * len_s),
        ERR_FUTURE);
    assert_int_equal(seen.n, 0);
    assert_int_equal(
        receive_consensus(&c, &rules, bytes, len, 0, at_s + 30 * len_s),
        ERR_EXPIRED);
    assert_int_equal(seen.n, 1);
    assert_memory_equal(&seen.of[0].cert, &k.new, sizeof k.new);
    free(bytes);
    test_network_free(&k.n);
}

const struct CMUnitTest test_i10_revoked[] = {
    cmocka_unit_test(i10_a_stolen_key_counts_at_no_authority),
    cmocka_unit_test(i10_a_thief_that_is_first_stops_nothing),
    cmocka_unit_test(i9_an_authority_with_an_older_disk_learns_it),
    cmocka_unit_test(nobody_invents_a_certificate),
    cmocka_unit_test(there_is_one_order),
    cmocka_unit_test(i10_a_false_list_leaves_nothing),
    cmocka_unit_test(i10_a_stolen_key_counts_at_no_client),
    cmocka_unit_test(i10_a_withheld_certificate_is_bounded),
    cmocka_unit_test(i10_only_what_counts_is_learnt),
};
TEST_SUITE(test_i10_revoked);
