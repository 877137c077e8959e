/* tests/unit/test_board_lists.c - lists of boards: every byte, who has signed them, what
 * proves a lie; and that other code comes to the same (tests/vectors/lists.py).
 *
 * Defences: network/list.c, work_announce_task(), lib/wire.c. */
#include "tests/runner.h"

#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rng_seeded.h"
#include "lib/wire.h"
#include "network/boards.h"
#include "network/downlink.h"
#include "network/list.h"
#include "network/work.h"
#include "tests/mutate.h"

enum { SEED = 32, RELAYS_MOST = 128, TEXT_MAX = 512 };

/* ---- vectors ---- */

static uint64_t
number(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    assert_true(json_is_integer(v));
    return (uint64_t)json_integer_value(v);
}

/* Read so many bytes at most of hex; returns how many there were. */
static size_t
unhex(const json_t *o, const char *key, uint8_t *out, size_t most)
{
    const char *hex = json_string_value(json_object_get(o, key));
    size_t n = 0;
    assert_non_null(hex);
    assert_int_equal(
        sodium_hex2bin(out, most, hex, strlen(hex), NULL, &n, NULL), 0);
    return n;
}

static void
relay_read(struct consensus *c, const json_t *o, uint8_t *seed)
{
    struct relay_entry *e = &c->relays[c->n_relays++];
    assert_int_equal(unhex(o, "identity", e->identity, SPHINX_ID_LEN),
                     SPHINX_ID_LEN);
    assert_int_equal(unhex(o, "family", e->family, FAMILY_LEN), FAMILY_LEN);
    assert_int_equal(unhex(o, "seed", seed, SEED), SEED);
    e->layer = (uint8_t)number(o, "layer");
    e->counts = (uint16_t)number(o, "counts");
    if (json_is_true(json_object_get(o, "out")))
        memcpy(c->left_out[c->n_left_out++].identity, e->identity,
               SPHINX_ID_LEN);
}

static struct consensus *
consensus_of(const json_t *o, uint8_t (*seed)[SEED])
{
    const json_t *relays = json_object_get(o, "relays");
    struct consensus *c = calloc(1, sizeof *c);
    assert_non_null(c);
    c->relays = calloc(json_array_size(relays), sizeof *c->relays);
    c->left_out = calloc(json_array_size(relays), sizeof *c->left_out);
    assert_true(c->relays && c->left_out);
    params_default(&c->params, (uint32_t)number(o, "epoch_len_s"));
    c->params.layers = (uint8_t)number(o, "layers");
    c->params.boards = (uint8_t)number(o, "boards_most");
    c->params.list_entries = (uint16_t)number(o, "list_entries");
    c->params.list_interval_ms = (uint32_t)number(o, "list_interval_ms");
    c->params.announce_bits = (uint8_t)number(o, "announce_bits");
    c->epoch = (uint32_t)number(o, "epoch");
    c->valid_after_s = number(o, "valid_after_s");
    unhex(o, "shared_random", c->shared_random, sizeof c->shared_random);
    unhex(o, "work_challenge", c->work_challenge, sizeof c->work_challenge);
    unhex(o, "digest", c->digest, sizeof c->digest);
    assert_true(json_array_size(relays) <= RELAYS_MOST);
    for (size_t i = 0; i < json_array_size(relays); i++)
        relay_read(c, json_array_get(relays, i), seed[i]);
    assert_int_equal(consensus_index(c), 0);
    return c;
}

static void
boards_look(const struct consensus *c, const json_t *o)
{
    const json_t *boards = json_object_get(o, "boards");
    assert_int_equal(c->boards.n, json_array_size(boards));
    for (size_t i = 0; i < c->boards.n; i++)
        assert_int_equal(c->boards.relay[i],
                         json_integer_value(json_array_get(boards, i)));
}

/* The same relays, in the same order. */
static void
ways_look(const struct consensus *c, const json_t *o)
{
    const json_t *next = json_object_get(o, "next");
    for (uint16_t i = 0; i < c->n_relays; i++) {
        const json_t *of = json_array_get(next, i);
        struct board_ways *w;
        assert_int_equal(boards_ways_new(&w, c, i), 0);
        assert_int_equal(w->n_next, json_array_size(of));
        for (size_t k = 0; k < w->n_next; k++)
            assert_int_equal(w->next[k],
                             json_integer_value(json_array_get(of, k)));
        boards_ways_free(&w);
    }
}

static void
list_look(const struct consensus *c, const json_t *o, uint8_t (*seed)[SEED])
{
    uint8_t want[TEXT_MAX], made[TEXT_MAX], entries[TEXT_MAX];
    uint8_t before[LIST_ROOT_LEN], root[LIST_ROOT_LEN], own[LIST_ROOT_LEN];
    const size_t len = unhex(o, "list", want, sizeof want);
    struct board_list l = {.interval = (uint32_t)number(o, "interval"),
                           .board = (uint8_t)number(o, "board"),
                           .before = before,
                           .entries = entries};
    unhex(o, "before", before, sizeof before);
    unhex(o, "root", root, sizeof root);
    unhex(o, "entries", entries, sizeof entries);
    assert_int_equal(len, list_len(&c->params));
    list_write(made, &c->params, &l);
    list_sign(made, len, c, seed[c->boards.relay[l.board]]);
    assert_memory_equal(made, want, len);
    list_root(made, len, own);
    assert_memory_equal(own, root, sizeof own);
    assert_int_equal(list_verify(c, made, len), 0);
    assert_int_equal(list_parse(&l, &c->params, made, len), 0);
    assert_memory_equal(l.before, before, sizeof before);
}

/* With the vector's own random bytes where nothing is said. */
static void
announcement_look(const struct consensus *c, const json_t *o)
{
    enum { SURB = 37, BODY = SURB + 116 + 60 };
    uint8_t body[BODY], want[BODY], surb[SURB], token[LIST_TOKEN_LEN];
    uint8_t nonce[WORK_NONCE_LEN];
    struct work_task task;
    assert_int_equal(unhex(o, "random", body, BODY), BODY);
    assert_int_equal(unhex(o, "request", want, BODY), BODY);
    unhex(o, "surb", surb, SURB);
    unhex(o, "token", token, sizeof token);
    unhex(o, "nonce", nonce, sizeof nonce);
    work_announce_task(&task, c->work_challenge,
                       c->relays[c->boards.relay[0]].identity, token);
    assert_int_equal(work_bits(&task, nonce), number(o, "bits"));
    assert_true(work_bits(&task, nonce) >= c->params.announce_bits);
    const struct wire_request r = {
        .kind = WIRE_ANNOUNCE, .box = token, .work = nonce, .surb = surb};
    assert_int_equal(wire_request_write(body, BODY, SURB, &r), 0);
    assert_memory_equal(body, want, BODY);
}

static void
answer_look(const json_t *o, const json_t *lists)
{
    enum { SURB = 37, LETTER = 60, BODY = SURB + 116 + LETTER };
    uint8_t body[BODY], want[BODY], letter[LETTER], digest[32];
    uint8_t root[BOARDS_MAX][LIST_ROOT_LEN];
    struct wire_answer a = {.status = (uint8_t)number(o, "status"),
                            .slot = (uint8_t)number(o, "slot"),
                            .full = (uint16_t)number(o, "full"),
                            .epoch = (uint32_t)number(o, "epoch"),
                            .digest = digest,
                            .arrived_ms = number(o, "arrived_ms"),
                            .age = (uint8_t)number(o, "age"),
                            .letter = letter};
    const json_t *boards = json_object_get(o, "boards");
    const json_t *back = json_object_get(o, "back");
    assert_int_equal(unhex(o, "random", body, BODY), BODY);
    assert_int_equal(unhex(o, "answer", want, BODY), BODY);
    unhex(o, "digest", digest, sizeof digest);
    unhex(o, "letter", letter, sizeof letter);
    for (size_t i = 0; i < json_array_size(boards); i++) {
        const size_t b = (size_t)json_integer_value(json_array_get(boards, i));
        for (size_t k = 0; k < json_array_size(lists); k++) {
            const json_t *l = json_array_get(lists, k);
            if (number(l, "board") != b)
                continue;
            unhex(l, "root", root[b], LIST_ROOT_LEN);
            a.root[b] = (struct wire_root){
                (uint32_t)number(l, "interval"), root[b],
                (uint16_t)json_integer_value(json_array_get(back, i))};
        }
    }
    assert_int_equal(wire_answer_write(body, BODY, SURB, &a), 0);
    assert_memory_equal(body, want, BODY);
}

static void
slices_look(const json_t *o, const json_t *listed)
{
    const size_t room = number(o, "room");
    const json_t *parts = json_object_get(o, "parts");
    const size_t each = wire_slice_data_len(room);
    uint8_t list[TEXT_MAX], rest[TEXT_MAX], want[TEXT_MAX];
    const size_t len = unhex(listed, "list", list, sizeof list);
    assert_int_equal(json_array_size(parts), wire_slice_parts(len, room));
    for (size_t i = 0; i < json_array_size(parts); i++) {
        const json_t *part = json_array_get(parts, i);
        const size_t at = i * each, left = len - at;
        const struct wire_slice s = {.kind = WIRE_SLICE_PART,
                                     .interval =
                                         (uint32_t)number(listed, "interval"),
                                     .board = (uint8_t)number(listed, "board"),
                                     .part = (uint8_t)i,
                                     .data = list + at,
                                     .len = left < each ? left : each};
        unhex(part, "random", rest, room);
        assert_int_equal(unhex(part, "slice", want, room), room);
        assert_int_equal(wire_slice_write(rest, room, &s), 0);
        assert_memory_equal(rest, want, room);
    }
}

static void
vectors_are_met(void **state)
{
    (void)state;
    static uint8_t seed[RELAYS_MOST][SEED];
    json_t *root = json_load_file("tests/vectors/lists.json", 0, NULL);
    const json_t *networks = json_object_get(root, "networks");
    const json_t *first = json_object_get(json_array_get(networks, 0), "lists");
    unsigned lists_seen = 0;
    assert_true(json_array_size(networks) >= 3);
    for (size_t i = 0; i < json_array_size(networks); i++) {
        const json_t *o = json_array_get(networks, i);
        const json_t *lists = json_object_get(o, "lists");
        struct consensus *c = consensus_of(o, seed);
        boards_look(c, o);
        ways_look(c, o);
        for (size_t k = 0; k < json_array_size(lists); k++, lists_seen++)
            list_look(c, json_array_get(lists, k), seed);
        if (i == 0)
            announcement_look(c, json_object_get(root, "announcement"));
        consensus_free(&c);
    }
    assert_true(lists_seen > 20);
    answer_look(json_object_get(root, "answer"), first);
    slices_look(json_object_get(root, "slices"), json_array_get(first, 0));
    json_decref(root);
}

/* ---- one board among others ---- */

/* A network of two boards whose epoch begins in the middle of an interval. */
struct fixture {
    struct consensus *c;
    uint8_t seed[4][SEED];
    struct rng_seeded rng;
};

enum { INTERVAL_MS = 700, ENTRIES = 9, FIRST_S = 1800000001, EPOCH_S = 3600 };
#define LEN (LIST_HEAD_LEN + ENTRIES * LIST_ENTRY_LEN + LIST_SIGNATURE_LEN)

static void
fixture_make(struct fixture *f)
{
    struct consensus *c = f->c = calloc(1, sizeof *c);
    assert_non_null(c);
    rng_seeded_init_u64(&f->rng, test_seed(), "lists");
    params_default(&c->params, EPOCH_S);
    c->params.layers = 1;
    c->params.list_entries = ENTRIES;
    c->params.list_interval_ms = INTERVAL_MS;
    c->valid_after_s = FIRST_S;
    rng_seeded_bytes(&f->rng, c->digest, sizeof c->digest);
    c->n_relays = 4;
    c->relays = calloc(c->n_relays, sizeof *c->relays);
    assert_non_null(c->relays);
    for (size_t i = 0; i < c->n_relays; i++) {
        uint8_t secret[crypto_sign_SECRETKEYBYTES];
        struct relay_entry *e = &c->relays[i];
        rng_seeded_bytes(&f->rng, f->seed[i], SEED);
        crypto_sign_seed_keypair(e->identity, secret, f->seed[i]);
        e->layer = i < 2 ? (uint8_t)i : 2;
        e->counts = 1;
    }
    assert_int_equal(consensus_index(c), 0); /* their order does not matter */
    assert_int_equal(c->boards.n, 2);
}

static void
fixture_free(struct fixture *f)
{
    consensus_free(&f->c);
}

static uint32_t
first_interval(const struct consensus *c)
{
    return list_interval(&c->params, FIRST_S * 1000ull) + 1;
}

/* A signed list of random entries, in order. */
static void
list_make(struct fixture *f, uint32_t interval, uint8_t board,
          uint8_t out[static LEN])
{
    uint8_t entries[ENTRIES * LIST_ENTRY_LEN], before[LIST_ROOT_LEN];
    rng_seeded_bytes(&f->rng, entries, sizeof entries);
    rng_seeded_bytes(&f->rng, before, sizeof before);
    for (uint8_t i = 0; i < ENTRIES; i++)
        entries[i * LIST_ENTRY_LEN] = i;
    const struct board_list l = {.interval = interval,
                                 .board = board,
                                 .before = before,
                                 .entries = entries};
    list_write(out, &f->c->params, &l);
    list_sign(out, LEN, f->c, f->seed[f->c->boards.relay[board]]);
}

/* Whichever byte is another, no list is good, and the root another unless the
 * byte is of the signature. */
static void
i10_every_changed_byte_is_noticed(void **state)
{
    (void)state;
    struct fixture f;
    uint8_t list[LEN], root[LIST_ROOT_LEN], other[LIST_ROOT_LEN];
    fixture_make(&f);
    list_make(&f, first_interval(f.c) + 3, 1, list);
    assert_int_equal(list_verify(f.c, list, LEN), 0);
    list_root(list, LEN, root);
    for (size_t i = 0; i < LEN; i++)
        for (unsigned flip = 1; flip < 256; flip++) {
            list[i] ^= (uint8_t)flip;
            assert_true(list_verify(f.c, list, LEN) != 0);
            list_root(list, LEN, other);
            assert_int_equal(memcmp(root, other, sizeof root) == 0,
                             i >= LEN - LIST_SIGNATURE_LEN);
            list[i] ^= (uint8_t)flip;
        }
    assert_int_equal(list_verify(f.c, list, LEN), 0);
    fixture_free(&f);
}

/* A list is good under its own consensus, of its own board, and nowhere else. */
static void
i10_a_list_belongs_to_one_epoch_and_board(void **state)
{
    (void)state;
    struct fixture f;
    uint8_t list[LEN];
    fixture_make(&f);
    const uint32_t at = first_interval(f.c);
    list_make(&f, at, 0, list);
    assert_int_equal(list_verify(f.c, list, LEN), 0);
    f.c->digest[31] ^= 1; /* another consensus of this epoch */
    assert_int_equal(list_verify(f.c, list, LEN), ERR_SIGNATURE);
    f.c->digest[31] ^= 1;
    list[4] = 1; /* another board */
    assert_int_equal(list_verify(f.c, list, LEN), ERR_SIGNATURE);
    list[4] = 2;
    assert_int_equal(list_verify(f.c, list, LEN), ERR_NOT_FOUND);
    list[4] = BOARDS_MAX;
    assert_int_equal(list_verify(f.c, list, LEN), ERR_RANGE);
    list[4] = 0;
    f.c->valid_after_s += EPOCH_S;
    assert_int_equal(list_verify(f.c, list, LEN), ERR_EPOCH);
    f.c->valid_after_s -= 2 * EPOCH_S;
    assert_int_equal(list_verify(f.c, list, LEN), ERR_EPOCH);
    f.c->valid_after_s += EPOCH_S;
    /* not signed by a store that is a board, but by another relay */
    list_sign(list, LEN, f.c, f.seed[1]);
    assert_int_equal(list_verify(f.c, list, LEN), ERR_SIGNATURE);
    fixture_free(&f);
}

/* Each interval is of the epoch in which it begins, and of no other. */
static void
intervals_are_of_one_epoch(void **state)
{
    (void)state;
    struct fixture f;
    fixture_make(&f);
    const struct params *p = &f.c->params;
    const uint32_t first = first_interval(f.c);
    const uint32_t end =
        list_interval(p, (FIRST_S + EPOCH_S) * 1000ull); /* its last */
    assert_true(list_interval_start_ms(p, first) >= FIRST_S * 1000ull);
    assert_true(list_interval_start_ms(p, first - 1) < FIRST_S * 1000ull);
    assert_false(list_is_of(f.c, first - 1));
    assert_true(list_is_of(f.c, first));
    assert_true(list_is_of(f.c, end));
    assert_false(list_is_of(f.c, end + 1));
    for (uint32_t i = first - 5; i < end + 5; i++) {
        struct consensus next = *f.c;
        next.valid_after_s += EPOCH_S;
        const bool own = list_is_of(f.c, i), other = list_is_of(&next, i);
        assert_int_equal(own, i >= first && i <= end);
        assert_int_equal(other, i > end);
        assert_int_equal(list_interval(p, list_interval_start_ms(p, i)), i);
        assert_int_equal(list_interval(p, list_interval_start_ms(p, i) + 699),
                         i);
    }
    assert_int_equal(list_interval(p, 699), 0);
    assert_int_equal(list_interval(p, 700ull << 32), 0); /* no wrap */
    assert_int_equal(list_interval(p, (700ull << 32) - 1), UINT32_MAX);
    assert_false(list_is_of(f.c, 0));
    fixture_free(&f);
}

/* Any other length is refused, and entries that do not ascend. */
static void
what_is_no_list_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct board_list l;
    uint8_t list[LEN + 1] = {0}, entry[LIST_ENTRY_LEN];
    fixture_make(&f);
    list_make(&f, first_interval(f.c), 0, list);
    for (size_t len = 0; len < LEN; len++)
        assert_int_equal(list_parse(&l, &f.c->params, list, len), ERR_SHORT);
    assert_int_equal(list_parse(&l, &f.c->params, list, LEN + 1), ERR_LONG);
    assert_int_equal(list_parse(&l, &f.c->params, list, LEN), 0);
    uint8_t *at = list + LIST_HEAD_LEN;
    for (unsigned i = 0; i + 1 < ENTRIES; i++, at += LIST_ENTRY_LEN) {
        memcpy(entry, at, sizeof entry);
        memcpy(at, at + LIST_ENTRY_LEN, sizeof entry); /* twice the same */
        assert_int_equal(list_parse(&l, &f.c->params, list, LEN), ERR_FORMAT);
        at[LIST_ENTRY_LEN - 1]++; /* just above the one after */
        assert_true(at[LIST_ENTRY_LEN - 1] != 0);
        assert_int_equal(list_parse(&l, &f.c->params, list, LEN), ERR_FORMAT);
        memcpy(at, entry, sizeof entry);
    }
    memset(list, 0, 4); /* the interval that says "none" */
    assert_int_equal(list_parse(&l, &f.c->params, list, LEN), ERR_RANGE);
    fixture_free(&f);
}

/* Two good lists of one board and interval prove a lie; nothing else does. */
static void
i10_two_lists_of_an_interval_are_evidence(void **state)
{
    (void)state;
    struct fixture f;
    uint8_t a[LEN], b[LEN];
    fixture_make(&f);
    const uint32_t at = first_interval(f.c);
    list_make(&f, at, 0, a);
    list_make(&f, at, 0, b);
    assert_int_equal(list_judge_pair(f.c, a, b), 0);
    assert_int_equal(list_judge_pair(f.c, b, a), 0);
    assert_int_equal(list_judge_pair(f.c, a, a), ERR_ARG);
    b[LEN - 1] ^= 1;
    assert_int_equal(list_judge_pair(f.c, a, b), ERR_SIGNATURE);
    assert_int_equal(list_judge_pair(f.c, b, a), ERR_SIGNATURE);
    list_make(&f, at, 1, b);
    assert_int_equal(list_judge_pair(f.c, a, b), ERR_ARG);
    list_make(&f, at + 1, 0, b);
    assert_int_equal(list_judge_pair(f.c, a, b), ERR_ARG);
    /* another root before alone is another list */
    memcpy(b, a, LEN);
    b[LIST_HEAD_LEN - 1] ^= 1;
    list_sign(b, LEN, f.c, f.seed[f.c->boards.relay[0]]);
    assert_int_equal(list_judge_pair(f.c, a, b), 0);
    f.c->valid_after_s += EPOCH_S; /* who asks has another consensus */
    assert_int_equal(list_judge_pair(f.c, a, b), ERR_EPOCH);
    fixture_free(&f);
}

/* ---- parameters ---- */

/* Whatever parameters pass have room for lists. */
static void
lists_fit_frames_and_slices(void **state)
{
    (void)state;
    struct params p;
    const char *where;
    params_default(&p, EPOCH_S);
    assert_int_equal(params_check(&p, &where), 0);
    assert_int_equal(list_len(&p), 285);
    assert_int_equal(
        wire_slice_parts(list_len(&p), wire_slice_room(p.geometry.packet_len,
                                                       p.geometry.payload_len)),
        1);
    p.list_entries = LIST_ENTRIES_MAX;
    assert_int_equal(list_len(&p), LIST_LEN_MAX);
    assert_int_equal(params_check(&p, &where), 0);
    p.geometry.packet_len = LIST_LEN_MAX + 1;
    assert_int_equal(params_check(&p, &where), 0);
    p.geometry.packet_len = LIST_LEN_MAX;
    assert_int_equal(params_check(&p, &where), ERR_RANGE);
    assert_string_equal(where, "list_entries");
    p.boards = 0; /* there are no lists */
    assert_int_equal(params_check(&p, &where), 0);
    params_default(&p, EPOCH_S);
    p.list_entries = 256; /* 1,365 bytes: 273 parts of 5, 228 of 6 */
    p.geometry.payload_len = p.geometry.packet_len - WIRE_DOWN_HEAD_LEN - 7 - 5;
    assert_int_equal(params_check(&p, &where), ERR_RANGE);
    p.geometry.payload_len--;
    assert_int_equal(params_check(&p, &where), 0);
}

/* Whatever lists there are, each profile has a quarter more frames for them, and those
 * that have more already stay as they are. */
static void
i11_each_profile_has_frames_for_lists(void **state)
{
    (void)state;
    static const uint16_t entries[] = {40, 217, LIST_ENTRIES_MAX};
    for (size_t t = 0; t < sizeof entries / sizeof entries[0]; t++) {
        struct params p;
        params_default(&p, EPOCH_S);
        const uint32_t fast_us = p.profiles[2].down_interval_us;
        p.list_entries = entries[t];
        downlink_fit(&p);
        const size_t parts =
            p.boards *
            wire_slice_parts(
                list_len(&p),
                wire_slice_room(p.geometry.packet_len, p.geometry.payload_len));
        for (size_t i = 0; i < p.n_profiles; i++)
            assert_true(parts * p.profiles[i].down_interval_us * 5 <=
                        p.list_interval_ms * 4000ULL);
        assert_int_equal(p.profiles[0].down_interval_us,
                         t == 0 ? 102564 : p.list_interval_ms * 800 / parts);
        assert_int_equal(p.profiles[1].down_interval_us,
                         p.list_interval_ms * 800 / parts);
        assert_int_equal(p.profiles[2].down_interval_us, fast_us);
    }
}

/* ---- mutations ---- */

/* What list_verify() takes is what was signed; in memory of its own length, so
 * that a read past the end is seen. */
static void
mutations_never_verify(void **state)
{
    (void)state;
    struct fixture f;
    struct tally t = {.parser = "list_parse"};
    uint8_t good[LEN], bytes[2 * LEN];
    fixture_make(&f);
    for (unsigned i = 0; i < mutate_inputs(MUTATE_LISTS); i++) {
        struct board_list l;
        size_t len = LEN;
        if (i % 16 == 0)
            list_make(&f, first_interval(f.c) + i % 999, i / 16 % 2, good);
        memcpy(bytes, good, LEN);
        if (i & 1) /* the entries alone, so that the rest stays whole */
            mutate_bytes(&f.rng, bytes + LIST_HEAD_LEN,
                         ENTRIES * LIST_ENTRY_LEN);
        else
            mutate_input(&f.rng, bytes, &len, sizeof bytes);
        uint8_t *exact = malloc(len ? len : 1);
        assert_non_null(exact);
        memcpy(exact, bytes, len);
        int err = list_parse(&l, &f.c->params, exact, len);
        tally_add(&t, err, i & 1);
        assert_true(err || l.signature + LIST_SIGNATURE_LEN == exact + len);
        assert_int_equal(list_verify(f.c, exact, len) == 0,
                         len == LEN && memcmp(exact, good, LEN) == 0);
        free(exact);
    }
    tally_report(&t, mutate_inputs(MUTATE_LISTS), 3);
    fixture_free(&f);
}

const struct CMUnitTest test_board_lists[] = {
    cmocka_unit_test(vectors_are_met),
    cmocka_unit_test(i10_every_changed_byte_is_noticed),
    cmocka_unit_test(i10_a_list_belongs_to_one_epoch_and_board),
    cmocka_unit_test(intervals_are_of_one_epoch),
    cmocka_unit_test(what_is_no_list_is_refused),
    cmocka_unit_test(i10_two_lists_of_an_interval_are_evidence),
    cmocka_unit_test(lists_fit_frames_and_slices),
    cmocka_unit_test(i11_each_profile_has_frames_for_lists),
    cmocka_unit_test(mutations_never_verify),
};
TEST_SUITE(test_board_lists);
