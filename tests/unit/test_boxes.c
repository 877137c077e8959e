/* tests/unit/test_boxes.c - the store's rules over the storage in memory. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "network/box.h"
#include "relay/boxes.h"
#include "relay/store_memory.h"

enum { LETTER = 64 };

struct fixture {
    struct env env;
    uint64_t now_us;
    struct store_memory *store;
    struct boxes *boxes;
};

static const uint8_t ages_key[16] = {5};
static const struct boxes_terms terms = {.expiry_day = 20000};

static void
fixture_store(struct env *env, struct env_store_req *req)
{
    store_memory_request(((struct fixture *)env)->store, req);
}

static uint64_t
fixture_mono_us(struct env *env)
{
    return ((struct fixture *)env)->now_us;
}

static const struct env_ops ops = {.now_mono_us = fixture_mono_us,
                                   .store = fixture_store};

static void
fixture_make(struct fixture *f, size_t quota)
{
    f->env.ops = &ops;
    f->now_us = 1000000;
    assert_int_equal(store_memory_new(&f->store, LETTER, quota), 0);
    assert_int_equal(boxes_new(&f->boxes, &f->env, LETTER, ages_key), 0);
}

static void
fixture_free(struct fixture *f)
{
    boxes_free(&f->boxes);
    store_memory_free(&f->store);
}

/* One request from beginning to end; the storage acts when `commit`. */
static uint8_t
ask(struct fixture *f, uint8_t kind, uint8_t box, uint8_t slot, uint16_t held,
    uint8_t fill, bool commit, struct wire_answer *out, uint8_t *letter_out)
{
    uint8_t seed[BOX_SEED_LEN], key[32], id[32], signature[WIRE_SIGNATURE_LEN];
    uint8_t letter[LETTER], rest[400] = {0};
    struct boxes_job *job;
    memset(seed, box, sizeof seed);
    memset(letter, fill, sizeof letter);
    box_sign(seed, slot, letter, sizeof letter, key, signature);
    box_id(key, id);
    struct wire_request r = {.kind = kind,
                             .slot = slot,
                             .held = held,
                             .box = kind == WIRE_PUT ? key : id,
                             .work = rest,
                             .surb = rest,
                             .signature = signature,
                             .letter = letter};
    assert_int_equal(boxes_begin(f->boxes, &r, &terms, &job), 0);
    boxes_read(job);
    if (commit)
        store_memory_run(f->store, 100);
    boxes_finish(f->boxes, job, out);
    if (letter_out && out->letter)
        *letter_out = out->letter[LETTER - 1];
    boxes_done(&job);
    assert_null(job);
    return out->status;
}

static void
put_is_kept_once(void **state)
{
    (void)state;
    struct fixture f;
    struct wire_answer a;
    uint8_t got = 0;
    fixture_make(&f, 10);
    assert_int_equal(ask(&f, WIRE_PUT, 1, 3, 0, 0xaa, true, &a, NULL),
                     WIRE_KEPT);
    assert_int_equal(a.full, 1 << 3);
    assert_int_equal(ask(&f, WIRE_PUT, 1, 3, 0, 0xaa, true, &a, NULL),
                     WIRE_KEPT); /* the same again is harmless */
    assert_int_equal(ask(&f, WIRE_PUT, 1, 3, 0, 0xbb, true, &a, NULL),
                     WIRE_TAKEN);
    assert_int_equal(ask(&f, WIRE_GET, 1, 0, 0, 0, true, &a, &got),
                     WIRE_LETTER);
    assert_int_equal(a.slot, 3);
    assert_int_equal(got, 0xaa);
    assert_int_equal(ask(&f, WIRE_GET, 1, 0, 1 << 3, 0, true, &a, NULL),
                     WIRE_EMPTY);
    assert_int_equal(ask(&f, WIRE_GET, 2, 0, 0, 0, true, &a, NULL), WIRE_EMPTY);
    assert_int_equal(ask(&f, WIRE_LOOP, 1, 0, 0, 0, true, &a, NULL),
                     WIRE_EMPTY);
    assert_int_equal(a.full, 0); /* a loop looks at nothing */
    fixture_free(&f);
}

/* I6: no "kept" before the commit; a stalled storage answers retry or empty,
 * and the letter is there once it has moved again. */
static void
i6_slow_storage_is_not_kept(void **state)
{
    (void)state;
    struct fixture f;
    struct wire_answer a;
    fixture_make(&f, 10);
    assert_int_equal(ask(&f, WIRE_PUT, 1, 0, 0, 0xaa, false, &a, NULL),
                     WIRE_RETRY);
    assert_int_equal(ask(&f, WIRE_GET, 1, 0, 0, 0, false, &a, NULL),
                     WIRE_EMPTY);
    assert_int_equal(boxes_count(f.boxes), 2); /* the storage holds them */
    assert_int_equal(store_memory_run(f.store, 100), 2);
    assert_int_equal(boxes_count(f.boxes), 0);
    assert_int_equal(ask(&f, WIRE_GET, 1, 0, 0, 0, true, &a, NULL),
                     WIRE_LETTER);
    /* closing while the storage still works frees everything in the end */
    ask(&f, WIRE_GET, 1, 0, 0, 0, false, &a, NULL);
    boxes_free(&f.boxes);
    store_memory_run(f.store, 100);
    store_memory_free(&f.store);
}

/* A get brings the first wanted letter from where it begins, going round, however
 * often others have asked. */
static void
i12_gets_begin_where_they_say(void **state)
{
    (void)state;
    struct fixture f;
    struct wire_answer a;
    fixture_make(&f, 100);
    for (uint8_t slot = 2; slot < 16; slot += 4)
        ask(&f, WIRE_PUT, 1, slot, 0, slot, true, &a, NULL);
    for (uint8_t i = 0; i < 3 * 16; i++) {
        const uint8_t slot = i % 16, wanted = (uint8_t)((slot + 1) / 4 * 4 + 2);
        assert_int_equal(ask(&f, WIRE_GET, 1, slot, 0, 0, true, &a, NULL),
                         WIRE_LETTER);
        assert_int_equal(a.slot, wanted % 16);
    }
    for (uint8_t i = 0; i < 4; i++) { /* of the wanted ones alone */
        ask(&f, WIRE_GET, 1, 3, 1 << 6, 0, true, &a, NULL);
        assert_int_equal(a.slot, 10);
        ask(&f, WIRE_GET, 1, 11, 1 << 14 | 1 << 2, 0, true, &a, NULL);
        assert_int_equal(a.slot, 6);
    }
    fixture_free(&f);
}

/* Gets are read BOXES_READ_US before their answers leave; sooner while the storage
 * is slow. */
static void
slow_storage_is_asked_sooner(void **state)
{
    (void)state;
    enum { SLOW_US = 200000, QUICK_US = 1000 };
    static const uint8_t rest[400];
    struct fixture f;
    struct boxes_job *job;
    const struct wire_request get = {.kind = WIRE_GET,
                                     .box = rest,
                                     .work = rest,
                                     .surb = rest,
                                     .signature = rest,
                                     .letter = rest};
    fixture_make(&f, 10);
    for (unsigned i = 0; i < 10; i++) {
        const bool slow = i < 3;
        assert_int_equal(boxes_begin(f.boxes, &get, &terms, &job), 0);
        boxes_read(job);
        f.now_us += slow ? SLOW_US : QUICK_US;
        store_memory_run(f.store, 1);
        boxes_done(&job);
        if (slow)
            assert_int_equal(boxes_read_us(f.boxes), SLOW_US * 5 / 4);
        else if (i == 3) /* not forgotten at once */
            assert_int_equal(boxes_read_us(f.boxes), SLOW_US * 5 / 8);
        f.now_us += 1000000;
    }
    assert_int_equal(boxes_read_us(f.boxes), BOXES_READ_US);
    fixture_free(&f);
}

/* An answer has its letter's age since the first put of it, that of a letter that
 * the storage has had for longer than this memory is not known. */
static void
letters_have_an_age(void **state)
{
    (void)state;
    struct fixture f;
    struct wire_answer a;
    fixture_make(&f, 100);
    f.now_us = 5000000;
    ask(&f, WIRE_PUT, 1, 3, 0, 7, true, &a, NULL);
    assert_int_equal(a.age, WIRE_AGE_UNKNOWN);
    f.now_us += 7900000;
    ask(&f, WIRE_PUT, 1, 3, 0, 7, true, &a, NULL); /* again */
    ask(&f, WIRE_PUT, 1, 3, 0, 8, true, &a, NULL);
    assert_int_equal(a.status, WIRE_TAKEN);
    ask(&f, WIRE_GET, 1, 0, 0, 0, true, &a, NULL);
    assert_int_equal(a.age, 7);
    f.now_us += 240000000;
    ask(&f, WIRE_GET, 1, 0, 0, 0, true, &a, NULL);
    assert_int_equal(a.age, WIRE_AGE_UNKNOWN);
    ask(&f, WIRE_PUT, 1, 3, 0, 7, true, &a, NULL); /* is no younger by that */
    ask(&f, WIRE_GET, 1, 0, 0, 0, true, &a, NULL);
    assert_int_equal(a.status, WIRE_LETTER);
    assert_int_equal(a.age, WIRE_AGE_UNKNOWN);
    ask(&f, WIRE_LOOP, 1, 0, 0, 0, true, &a, NULL);
    assert_int_equal(a.age, WIRE_AGE_UNKNOWN);
    /* nor is one that was there before this memory was */
    boxes_free(&f.boxes);
    assert_int_equal(boxes_new(&f.boxes, &f.env, LETTER, ages_key), 0);
    ask(&f, WIRE_PUT, 1, 3, 0, 7, true, &a, NULL);
    assert_int_equal(a.status, WIRE_KEPT);
    ask(&f, WIRE_GET, 1, 0, 0, 0, true, &a, NULL);
    assert_int_equal(a.age, WIRE_AGE_UNKNOWN);
    fixture_free(&f);
}

static void
full_store_says_so_to_everybody(void **state)
{
    (void)state;
    struct fixture f;
    struct wire_answer a;
    fixture_make(&f, 2);
    ask(&f, WIRE_PUT, 1, 0, 0, 1, true, &a, NULL);
    ask(&f, WIRE_PUT, 1, 1, 0, 1, true, &a, NULL);
    assert_int_equal(ask(&f, WIRE_PUT, 1, 2, 0, 1, true, &a, NULL), WIRE_FULL);
    assert_int_equal(ask(&f, WIRE_PUT, 9, 2, 0, 1, true, &a, NULL), WIRE_FULL);
    assert_int_equal(ask(&f, WIRE_PUT, 1, 1, 0, 1, true, &a, NULL), WIRE_KEPT);
    assert_int_equal(store_memory_expire(f.store, 20000), 0);
    assert_int_equal(store_memory_expire(f.store, 20001), 2);
    assert_int_equal(ask(&f, WIRE_PUT, 9, 2, 0, 1, true, &a, NULL), WIRE_KEPT);
    fixture_free(&f);
}

/* Who knows a box by its id, as those know it who read it or keep it, puts
 * nothing into it; nor does a put stand for another slot or letter. */
static void
i10_the_key_alone_puts(void **state)
{
    (void)state;
    struct fixture f;
    uint8_t seed[BOX_SEED_LEN] = {1}, other[BOX_SEED_LEN] = {2};
    uint8_t key[32], id[32], signature[WIRE_SIGNATURE_LEN], rest[400] = {0};
    uint8_t letter[LETTER] = {3}, unused[32];
    struct boxes_job *job;
    fixture_make(&f, 100);
    box_sign(seed, 4, letter, sizeof letter, key, signature);
    box_id(key, id);
    const struct wire_request good = {.kind = WIRE_PUT,
                                      .slot = 4,
                                      .box = key,
                                      .work = rest,
                                      .surb = rest,
                                      .signature = signature,
                                      .letter = letter};
    struct wire_request bad = good;
    bad.box = id;
    assert_int_equal(boxes_begin(f.boxes, &bad, &terms, &job), ERR_SIGNATURE);
    bad = good;
    bad.slot = 5;
    assert_int_equal(boxes_begin(f.boxes, &bad, &terms, &job), ERR_SIGNATURE);
    bad = good;
    letter[LETTER - 1] ^= 1;
    assert_int_equal(boxes_begin(f.boxes, &bad, &terms, &job), ERR_SIGNATURE);
    letter[LETTER - 1] ^= 1;
    box_sign(other, 4, letter, sizeof letter, unused, signature);
    assert_int_equal(boxes_begin(f.boxes, &bad, &terms, &job), ERR_SIGNATURE);
    for (size_t i = 0; i < sizeof signature; i++) {
        box_sign(seed, 4, letter, sizeof letter, key, signature);
        signature[i] ^= 0x40;
        assert_int_equal(boxes_begin(f.boxes, &good, &terms, &job),
                         ERR_SIGNATURE);
    }
    assert_int_equal(store_memory_count(f.store), 0);
    box_sign(seed, 4, letter, sizeof letter, key, signature);
    assert_int_equal(boxes_begin(f.boxes, &good, &terms, &job), 0);
    store_memory_run(f.store, 100);
    assert_int_equal(store_memory_count(f.store), 1);
    boxes_done(&job);
    fixture_free(&f);
}

/* From tests/vectors/work.py. */
static void
tokens_are_the_published_hashes(void **state)
{
    (void)state;
    static const uint8_t token[BOX_TOKEN_LEN] = {
        0x9d, 0x32, 0xed, 0xf7, 0x3c, 0x59, 0x82, 0x15,
        0xf9, 0xaf, 0x6b, 0x77, 0xe8, 0x4c, 0xe8, 0x4f};
    static const uint8_t mark[BOX_MARK_LEN] = {0xa2, 0xd9, 0x49, 0xe4,
                                               0x61, 0x6b, 0xc2, 0xfc};
    uint8_t seed[BOX_SEED_LEN], store[32], out[BOX_TOKEN_LEN];
    for (uint8_t i = 0; i < 32; i++) {
        seed[i] = i;
        store[i] = (uint8_t)(100 + i);
    }
    box_token(seed, store, out);
    assert_memory_equal(out, token, sizeof token);
    box_mark(token, out);
    assert_memory_equal(out, mark, sizeof mark);
}

/* Ask for a box as one who shows this token, at an hour. */
static uint8_t
get_as(struct fixture *f, const uint8_t *id, const uint8_t *token,
       uint16_t held, uint32_t hour, struct wire_answer *a)
{
    static const uint8_t rest[400];
    const struct boxes_terms at = {.expiry_day = 20000, .hour = hour};
    const struct wire_request r = {.kind = WIRE_GET,
                                   .held = held,
                                   .box = id,
                                   .work = token,
                                   .surb = rest,
                                   .signature = rest,
                                   .letter = rest};
    struct boxes_job *job;
    assert_int_equal(boxes_begin(f->boxes, &r, &at, &job), 0);
    boxes_read(job);
    store_memory_run(f->store, 100);
    boxes_finish(f->boxes, job, a);
    boxes_done(&job);
    return a->status;
}

/* Who knows the id of a box alone, or the token of its other store, names all
 * letters as held, and nothing goes; its reader's word lets them go. */
static void
i11_the_reader_alone_lets_letters_go(void **state)
{
    (void)state;
    static const uint8_t here[32] = {1}, there[32] = {2};
    const uint8_t seed[BOX_SEED_LEN] = {7};
    uint8_t key[32], id[32], signature[WIRE_SIGNATURE_LEN], work[WIRE_WORK_LEN];
    uint8_t token[BOX_TOKEN_LEN], other[BOX_TOKEN_LEN], rest[400] = {0};
    uint8_t letter[LETTER] = {3};
    const struct boxes_terms at = {.expiry_day = 20000, .hour = 100};
    struct fixture f;
    struct wire_answer a;
    struct boxes_job *job;
    fixture_make(&f, 2);
    memset(work, 0, sizeof work);
    box_token(seed, here, token);
    box_token(seed, there, other);
    box_mark(token, work + WIRE_WORK_LEN - BOX_MARK_LEN);
    box_sign(seed, 4, letter, sizeof letter, key, signature);
    box_id(key, id);
    const struct wire_request put = {.kind = WIRE_PUT,
                                     .slot = 4,
                                     .box = key,
                                     .work = work,
                                     .surb = rest,
                                     .signature = signature,
                                     .letter = letter};
    assert_int_equal(boxes_begin(f.boxes, &put, &at, &job), 0);
    store_memory_run(f.store, 100);
    boxes_done(&job);
    for (uint32_t hour = 100; hour < 110; hour++) {
        (void)get_as(&f, id, work, 0xffff, hour, &a); /* the mark is no token */
        (void)get_as(&f, id, other, 0xffff, hour, &a);
    }
    assert_int_equal(get_as(&f, id, other, 0, 110, &a), WIRE_LETTER);
    assert_int_equal(get_as(&f, id, token, 0, 110, &a), WIRE_LETTER);
    assert_int_equal(get_as(&f, id, token, 1 << 5, 112, &a), WIRE_LETTER);
    assert_int_equal(get_as(&f, id, token, 1 << 4, 113, &a), WIRE_EMPTY);
    assert_int_equal(get_as(&f, id, token, 0, 114, &a), WIRE_LETTER);
    (void)get_as(&f, id, other, 0, 115, &a); /* more than an hour later */
    assert_int_equal(get_as(&f, id, token, 0, 115, &a), WIRE_EMPTY);
    assert_int_equal(a.full, 0);
    assert_int_equal(store_memory_count(f.store), 0);
    fixture_free(&f);
}

const struct CMUnitTest test_boxes[] = {
    cmocka_unit_test(put_is_kept_once),
    cmocka_unit_test(i6_slow_storage_is_not_kept),
    cmocka_unit_test(i12_gets_begin_where_they_say),
    cmocka_unit_test(slow_storage_is_asked_sooner),
    cmocka_unit_test(letters_have_an_age),
    cmocka_unit_test(full_store_says_so_to_everybody),
    cmocka_unit_test(i10_the_key_alone_puts),
    cmocka_unit_test(tokens_are_the_published_hashes),
    cmocka_unit_test(i11_the_reader_alone_lets_letters_go),
};
TEST_SUITE(test_boxes);
