/* tests/fuzz/test_parsers.c - mutated input for the parsers of lib: the
 * formats of lib/wire.h and configuration files. Every input stands in memory
 * of its own length, so that a read past its end is seen. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "lib/codec.h"
#include "lib/os/config.h"
#include "lib/wire.h"
#include "tests/mutate.h"

enum { BODY = 700, SURB = 300, FRAME = 300, MAX = 800 };

/* One parser under test. make writes a valid input and returns its length;
 * parse checks what an accepted one became. */
struct target {
    struct tally tally;
    const char *label;
    unsigned errors; /* kinds that must have occurred */
    size_t (*make)(struct rng_seeded *rng, uint8_t *out);
    /* Change fields alone, so that the input stays whole. */
    void (*field)(struct rng_seeded *rng, uint8_t *in, size_t len);
    int (*parse)(const uint8_t *in, size_t len);
};

static void
target_run(struct target *t)
{
    struct rng_seeded rng;
    uint8_t good[MAX], bytes[MAX];
    size_t good_len = 0;
    rng_seeded_init_u64(&rng, test_seed(), t->label);
    for (unsigned i = 0; i < mutate_inputs(MUTATE_WIRE); i++) {
        if (i % 16 == 0)
            good_len = t->make(&rng, good);
        size_t len = good_len;
        memcpy(bytes, good, len);
        if (i & 1)
            t->field(&rng, bytes, len);
        else
            mutate_input(&rng, bytes, &len, MAX);
        uint8_t *exact = malloc(len ? len : 1);
        assert_non_null(exact);
        memcpy(exact, bytes, len);
        tally_add(&t->tally, t->parse(exact, len), i & 1);
        assert_memory_equal(exact, bytes, len);
        free(exact);
    }
    tally_report(&t->tally, mutate_inputs(MUTATE_WIRE), t->errors);
}

/* A field's number: near its bounds more often than not. */
static uint16_t
number_draw(struct rng_seeded *rng)
{
    static const uint16_t edge[] = {0, 1, 2, 3, 7, 8, 15, 16, 17, 255, 65535};
    uint64_t u = rng_seeded_u64(rng);
    return u & 1 ? edge[(u >> 1) % (sizeof edge / sizeof edge[0])]
                 : (uint16_t)(u >> 8);
}

static size_t
request_make(struct rng_seeded *rng, uint8_t *out)
{
    rng_seeded_bytes(rng, out, BODY);
    out[0] = (uint8_t)(mutate_below(rng, WIRE_ANNOUNCE) + WIRE_PUT);
    out[1] %= WIRE_BOX_SLOTS;
    return BODY;
}

static void
head_field(struct rng_seeded *rng, uint8_t *in, size_t len)
{
    (void)len;
    in[0] = (uint8_t)mutate_below(rng, 10);
    in[1] = (uint8_t)number_draw(rng);
    codec_put16(in + 2, number_draw(rng));
}

static int
request_parse(const uint8_t *in, size_t len)
{
    struct wire_request r;
    uint8_t again[MAX];
    int err = wire_request_parse(&r, in, len, SURB);
    if (err)
        return err;
    assert_true(r.letter + wire_letter_len(len, SURB) == in + len);
    assert_true((r.kind != WIRE_PUT && r.kind != WIRE_GET) ||
                r.slot < WIRE_BOX_SLOTS);
    memcpy(again, in, len);
    assert_int_equal(wire_request_write(again, len, SURB, &r), 0);
    assert_memory_equal(again, in, len);
    return 0;
}

static size_t
answer_make(struct rng_seeded *rng, uint8_t *out)
{
    rng_seeded_bytes(rng, out, BODY);
    out[0] = (uint8_t)(mutate_below(rng, 7) + WIRE_KEPT);
    out[1] %= WIRE_BOX_SLOTS;
    return BODY;
}

static int
answer_parse(const uint8_t *in, size_t len)
{
    struct wire_answer a;
    uint8_t again[MAX];
    int err = wire_answer_parse(&a, in, len, SURB);
    if (err)
        return err;
    assert_true(a.letter + wire_letter_len(len, SURB) <= in + len);
    assert_true(a.status == WIRE_LETTER ? a.slot < WIRE_BOX_SLOTS
                                        : a.age == WIRE_AGE_UNKNOWN);
    memcpy(again, in, len);
    assert_int_equal(wire_answer_write(again, len, SURB, &a), 0);
    assert_memory_equal(again, in, len);
    return 0;
}

static size_t
control_make(struct rng_seeded *rng, uint8_t *out)
{
    rng_seeded_bytes(rng, out, FRAME);
    out[0] = WIRE_CONTROL;
    return FRAME;
}

static void
control_field(struct rng_seeded *rng, uint8_t *in, size_t len)
{
    (void)len;
    in[0] = mutate_below(rng, 4) ? WIRE_CONTROL : (uint8_t)number_draw(rng);
    in[1] = (uint8_t)number_draw(rng);
}

static int
control_parse(const uint8_t *in, size_t len)
{
    struct wire_control c;
    uint8_t again[MAX];
    int err = wire_control_parse(&c, in, len);
    if (err)
        return err;
    memcpy(again, in, len);
    assert_int_equal(wire_control_write(again, len, &c), 0);
    assert_memory_equal(again, in, len);
    return 0;
}

static size_t
piece_make(struct rng_seeded *rng, uint8_t *out)
{
    struct wire_piece p = {.epoch = number_draw(rng),
                           .index = (uint16_t)mutate_below(rng, 9),
                           .count = 9,
                           .len = (uint16_t)mutate_below(rng, 280),
                           .data = NULL};
    rng_seeded_bytes(rng, out, FRAME);
    assert_int_equal(wire_piece_write(out, FRAME, &p), 0);
    return FRAME;
}

static void
piece_field(struct rng_seeded *rng, uint8_t *in, size_t len)
{
    static const uint8_t at[] = {5, 7, 9}; /* index, count, length */
    codec_put16(in + at[mutate_below(rng, 3)], number_draw(rng));
    if (mutate_below(rng, 4) == 0) /* a length about the end */
        codec_put16(in + 9, (uint16_t)(len - WIRE_PIECE_HEAD_LEN - 4 +
                                       mutate_below(rng, 8)));
}

static int
piece_parse(const uint8_t *in, size_t len)
{
    struct wire_piece p;
    uint8_t again[MAX];
    int err = wire_piece_parse(&p, in, len);
    if (err)
        return err;
    assert_true(p.data + p.len <= in + len && p.index < p.count);
    memcpy(again, in, len);
    assert_int_equal(wire_piece_write(again, len, &p), 0);
    assert_memory_equal(again, in, len);
    return 0;
}

enum { LIST = 285 };

static size_t
list_frame_make(struct rng_seeded *rng, uint8_t *out)
{
    rng_seeded_bytes(rng, out, FRAME);
    out[0] = WIRE_LIST;
    return FRAME;
}

static void
list_frame_field(struct rng_seeded *rng, uint8_t *in, size_t len)
{
    (void)len;
    in[0] = mutate_below(rng, 4) ? WIRE_LIST : (uint8_t)number_draw(rng);
}

static int
list_frame_parse(const uint8_t *in, size_t len)
{
    struct wire_list l;
    uint8_t again[MAX];
    int err = wire_list_parse(&l, in, len, LIST);
    if (err)
        return err;
    assert_true(l.list == in + 1 && l.len == LIST && LIST < len);
    memcpy(again, in, len);
    assert_int_equal(wire_list_write(again, len, &l), 0);
    assert_memory_equal(again, in, len);
    return 0;
}

static size_t
slice_make(struct rng_seeded *rng, uint8_t *out)
{
    rng_seeded_bytes(rng, out, FRAME);
    out[0] = (uint8_t)mutate_below(rng, 2);
    out[5] %= WIRE_BOARDS;
    return FRAME;
}

static void
slice_field(struct rng_seeded *rng, uint8_t *in, size_t len)
{
    (void)len;
    in[mutate_below(rng, 2) ? 0 : 5] = (uint8_t)number_draw(rng);
}

static int
slice_parse(const uint8_t *in, size_t len)
{
    struct wire_slice s;
    uint8_t again[MAX];
    int err = wire_slice_parse(&s, in, len);
    if (err)
        return err;
    assert_true(
        s.kind == WIRE_SLICE_NONE ||
        (s.board < WIRE_BOARDS && s.len > 0 && s.data + s.len == in + len));
    memcpy(again, in, len);
    assert_int_equal(wire_slice_write(again, len, &s), 0);
    assert_memory_equal(again, in, len);
    return 0;
}

static void
requests(void **state)
{
    (void)state;
    target_run(&(struct target){{.parser = "wire_request_parse"},
                                "fuzz request",
                                3,
                                request_make,
                                head_field,
                                request_parse});
}

static void
answers(void **state)
{
    (void)state;
    target_run(&(struct target){{.parser = "wire_answer_parse"},
                                "fuzz answer",
                                3,
                                answer_make,
                                head_field,
                                answer_parse});
}

static void
controls(void **state)
{
    (void)state;
    target_run(&(struct target){{.parser = "wire_control_parse"},
                                "fuzz control",
                                2,
                                control_make,
                                control_field,
                                control_parse});
}

static void
pieces(void **state)
{
    (void)state;
    target_run(&(struct target){{.parser = "wire_piece_parse"},
                                "fuzz piece",
                                3,
                                piece_make,
                                piece_field,
                                piece_parse});
}

static void
list_frames(void **state)
{
    (void)state;
    target_run(&(struct target){{.parser = "wire_list_parse"},
                                "fuzz list frame",
                                2,
                                list_frame_make,
                                list_frame_field,
                                list_frame_parse});
}

static void
slices(void **state)
{
    (void)state;
    target_run(&(struct target){{.parser = "wire_slice_parse"},
                                "fuzz slice",
                                3,
                                slice_make,
                                slice_field,
                                slice_parse});
}

/* ---- configuration files ---- */

struct settings {
    char *name;
    int64_t port;
    bool quiet;
    int level;
    struct config_list peers;
};

static const char *const levels[] = {"error", "warning", "notice", NULL};

static const struct config_option table[] = {
    {"name", CONFIG_STRING, offsetof(struct settings, name), true, "n", 1, 12,
     NULL, "Name."},
    {"port", CONFIG_INTEGER, offsetof(struct settings, port), false, "9", 1,
     65535, NULL, "Port."},
    {"quiet", CONFIG_BOOLEAN, offsetof(struct settings, quiet), false, "no", 0,
     0, NULL, "Quiet."},
    {"level", CONFIG_ENUM, offsetof(struct settings, level), false, "notice", 0,
     0, levels, "Level."},
    {"peers", CONFIG_LIST, offsetof(struct settings, peers), false, "", 0, 3,
     NULL, "Peers."},
};
enum { OPTIONS = sizeof table / sizeof table[0] };

/* The first, which is a good one, half of the time. */
static const char *
pick(struct rng_seeded *rng, const char *const *from, size_t n)
{
    return from[mutate_below(rng, 2) ? 0 : mutate_below(rng, n)];
}
#define PICK(rng, ...)                            \
    pick(rng, (const char *const[]){__VA_ARGS__}, \
         sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* A file of whole lines, mostly good ones. */
static size_t
config_make(struct rng_seeded *rng, char *out, size_t size)
{
    const char *name = PICK(rng, "a", "\"a b\"", "\"\\\"\"", "\"\\\\\"", "x/y",
                            "\"0123456789abc\"", "\"#=\"", "\"\"", "n", "m");
    const char *port = PICK(rng, "1", "65535", "7100", "0", "65536", "2", "3",
                            "-1", "08", "99999999999999999999", "4", "5");
    const char *quiet = PICK(rng, "true", "false", "yes", "no", "1", "\"no\"");
    const char *level = PICK(rng, "error", "warning", "notice", "\"error\"",
                             "eror", "elephant", "notice # and so on");
    const char *peers = PICK(rng, "{}", "{a}", "{a, \"b\"}", "{\n a,\n b #\n}",
                             "{a,b,c}", "{a,b,c,d}", "{a,}", "{1:2}");
    const char *more = PICK(rng, "", "\n", "# ${x}", "\t#\n#\n", "port = 1",
                            "prot = 1", "x = 1", "", "", "");
    int n = mutate_below(rng, 10)
                ? snprintf(out, size,
                           "name = %s\n%s\nport=%s\nquiet\t= %s\n"
                           "peers = %s\nlevel = %s",
                           name, more, port, quiet, peers, level)
                : snprintf(out, size, "level = %s\n%s\n", level, more);
    assert_true(n > 0 && (size_t)n < size);
    return (size_t)n;
}

static void
config_files(void **state)
{
    (void)state;
    static const char noise[] = "\"\\'#${}()=+, \n\t\r/*0az";
    struct tally t = {.parser = "config_read_text"};
    struct rng_seeded rng;
    struct settings s;
    char text[MAX], error[CONFIG_ERROR_LEN];
    rng_seeded_init_u64(&rng, test_seed(), "fuzz config");
    for (unsigned i = 0; i < mutate_inputs(MUTATE_CONFIG); i++) {
        size_t len = config_make(&rng, text, sizeof text / 2);
        if (i % 4 == 0)
            mutate_input(&rng, (uint8_t *)text, &len, sizeof text);
        else if (i % 4 == 2)
            text[mutate_below(&rng, len)] =
                noise[mutate_below(&rng, sizeof noise - 1)];
        char *exact = malloc(len ? len : 1);
        assert_non_null(exact);
        memcpy(exact, text, len);
        int err = config_read_text(table, OPTIONS, "f", exact, len, &s, error);
        assert_true((err == 0) == (error[0] == 0));
        assert_true((err == 0) == (s.name != NULL));
        assert_true(err || (s.port >= 1 && s.port <= 65535 && s.level >= 0 &&
                            s.level < 3 && s.peers.n <= 3));
        config_free(table, OPTIONS, &s);
        free(exact);
        tally_add(&t, err, i & 1);
    }
    tally_report(&t, mutate_inputs(MUTATE_CONFIG), 5);
}

const struct CMUnitTest test_parsers[] = {
    cmocka_unit_test(requests),     cmocka_unit_test(answers),
    cmocka_unit_test(controls),     cmocka_unit_test(pieces),
    cmocka_unit_test(list_frames),  cmocka_unit_test(slices),
    cmocka_unit_test(config_files),
};
TEST_SUITE(test_parsers);
