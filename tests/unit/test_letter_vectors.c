/* tests/unit/test_letter_vectors.c - letters, invitations, ratchets and sessions against
 * vectors that other code has made (tests/vectors/letters.py). */
#include "tests/runner.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "client/letters/invite.h"
#include "client/letters/session.h"
#include "lib/codec.h"
#include "tests/toy_kem.h"

enum { HELD = 32, KEPT = 64, LEN_MAX = 1232 };

/* The numbers of a letter, by their names in the vectors. */
#define LETTER_NUMBERS(X)        \
    X(ack, uint32_t)             \
    X(floor, uint32_t)           \
    X(previous_period, uint32_t) \
    X(previous_count, uint32_t)  \
    X(sequence, uint32_t)        \
    X(kind, uint8_t)             \
    X(index, uint32_t)           \
    X(total, uint32_t)           \
    X(after, uint32_t)           \
    X(announced, bool)           \
    X(tokens, uint16_t)          \
    X(lease_s, uint32_t)

static uint32_t
number(const json_t *o, const char *key)
{
    const json_t *value = json_object_get(o, key);
    assert_true(json_is_integer(value));
    return (uint32_t)json_integer_value(value);
}

static const char *
text(const json_t *o, const char *key)
{
    const char *value = json_string_value(json_object_get(o, key));
    assert_non_null(value);
    return value;
}

static void
hex(const json_t *o, const char *key, uint8_t *out, size_t len)
{
    assert_int_equal(codec_unhex(out, len, text(o, key)), 0);
}

static void
hex_look(const json_t *o, const char *key, const uint8_t *bytes, size_t len)
{
    uint8_t want[LEN_MAX];
    assert_true(len <= sizeof want);
    hex(o, key, want, len);
    assert_memory_equal(bytes, want, len);
}

static size_t
hex_len(const json_t *o, const char *key)
{
    return strlen(text(o, key)) / 2;
}

static struct letter_place
place(const json_t *o)
{
    return (struct letter_place){number(o, "period"), number(o, "n")};
}

/* Read the parts behind the data; their bytes go to bytes. */
static struct letter_part
part(const json_t *o, uint8_t bytes[static LEN_MAX])
{
    struct letter_part p = {.kind = (uint8_t)number(o, "part_kind"),
                            .exchange = number(o, "part_exchange"),
                            .first = (uint8_t)number(o, "part_first"),
                            .count = (uint8_t)number(o, "part_count"),
                            .bytes = bytes};
    assert_int_equal(hex_len(o, "part_bytes"),
                     p.count * letter_part_len(p.kind));
    hex(o, "part_bytes", bytes, hex_len(o, "part_bytes"));
    return p;
}

static void
part_look(const json_t *o, const struct letter_part *p)
{
    assert_int_equal(p->kind, number(o, "part_kind"));
    assert_int_equal(p->exchange, number(o, "part_exchange"));
    assert_int_equal(p->first, number(o, "part_first"));
    assert_int_equal(p->count, number(o, "part_count"));
    if (p->count > 0)
        hex_look(o, "part_bytes", p->bytes,
                 p->count * letter_part_len(p->kind));
}

/* Read a letter; its data goes to data. */
static struct letter
letter(const json_t *o, uint8_t data[static LEN_MAX])
{
    struct letter l = {.data = data, .data_len = (uint16_t)hex_len(o, "data")};
#define X(name, type) l.name = (type)number(o, #name);
    LETTER_NUMBERS(X)
#undef X
    assert_true(l.data_len <= LEN_MAX);
    hex(o, "data", data, l.data_len);
    hex(o, "map", l.map, sizeof l.map);
    hex(o, "message", l.message, sizeof l.message);
    return l;
}

static void
letter_look(const json_t *o, const struct letter *l)
{
#define X(name, type) assert_int_equal(l->name, number(o, #name));
    LETTER_NUMBERS(X)
#undef X
    assert_int_equal(l->data_len, hex_len(o, "data"));
    hex_look(o, "data", l->data, l->data_len);
    hex_look(o, "map", l->map, sizeof l->map);
    hex_look(o, "message", l->message, sizeof l->message);
    part_look(o, &l->part);
}

static void
ratchet_head(const json_t *o, struct ratchet_head *head)
{
    head->step = number(o, "step");
    head->n = number(o, "number");
    head->previous = number(o, "previous");
    head->mixed = (uint8_t)number(o, "mixed");
    hex(o, "key", head->key, sizeof head->key);
}

static void
ratchet_head_look(const json_t *o, const struct ratchet_head *head)
{
    assert_int_equal(head->step, number(o, "step"));
    assert_int_equal(head->n, number(o, "number"));
    assert_int_equal(head->previous, number(o, "previous"));
    assert_int_equal(head->mixed, number(o, "mixed"));
    hex_look(o, "key", head->key, sizeof head->key);
}

/* ---- letters and invitations ---- */

static void
one_letter_look(const json_t *o)
{
    const json_t *in = json_object_get(o, "letter");
    const json_t *says = json_object_get(o, "head");
    uint8_t chain[32], pair[32], data[LEN_MAX], out[LEN_MAX], parts[LEN_MAX];
    const size_t len = hex_len(o, "sealed");
    struct letter l = letter(in, data);
    struct letter_head head = {.seal = (uint8_t)number(says, "seal"),
                               .generation = number(says, "generation")};
    struct letter_head opened;
    struct letter_keys keys;
    struct letter back;
    l.part = part(in, parts);
    ratchet_head(says, &head.ratchet);
    hex(o, "chain", chain, sizeof chain);
    hex(o, "pair", pair, sizeof pair);
    letter_place_keys(chain, place(o), pair, &keys);
    if (head.seal == LETTER_BY_RATCHET)
        hex(o, "key", keys.body, sizeof keys.body);
    assert_true(len <= sizeof out);
    assert_int_equal(letter_seal(&l, &head, &keys, place(o), out, len), 0);
    hex_look(o, "sealed", out, len);

    assert_int_equal(letter_open_head(&opened, keys.head, place(o), out, len),
                     0);
    assert_int_equal(opened.seal, head.seal);
    assert_int_equal(opened.generation, head.generation);
    ratchet_head_look(says, &opened.ratchet);
    assert_int_equal(
        letter_open_body(&back, &opened, keys.body, place(o), out, len), 0);
    letter_look(in, &back);
}

static void
letters_are_those_of_the_vectors(void **state)
{
    (void)state;
    size_t i;
    json_t *one, *root = json_load_file("tests/vectors/letters.json", 0, NULL);
    const json_t *all = json_object_get(root, "letters");
    assert_true(json_array_size(all) >= 20);
    json_array_foreach(all, i, one) one_letter_look(one);
    json_decref(root);
}

static void
invitations_are_those_of_the_vectors(void **state)
{
    (void)state;
    size_t i;
    json_t *one, *root = json_load_file("tests/vectors/letters.json", 0, NULL);
    const json_t *all = json_object_get(root, "invitations");
    assert_true(json_array_size(all) >= 5);
    json_array_foreach(all, i, one)
    {
        struct invite in;
        struct chain inviter, invitee;
        char line[INVITE_TEXT_LEN];
        assert_int_equal(invite_read(&in, text(one, "text")), 0);
        hex_look(one, "network", in.network, sizeof in.network);
        hex_look(one, "seed", in.seed, sizeof in.seed);
        hex_look(one, "key", in.key, sizeof in.key);
        assert_int_equal(in.expiry_h, number(one, "expiry_h"));
        invite_write(&in, line);
        assert_string_equal(line, text(one, "text"));
        invite_chains(&in, &inviter, &invitee);
        hex_look(one, "inviter", inviter.key, sizeof inviter.key);
        hex_look(one, "invitee", invitee.key, sizeof invitee.key);
        assert_int_equal(inviter.day, number(one, "day"));
        assert_int_equal(invitee.day, number(one, "day"));
    }
    json_decref(root);
}

/* ---- a ratchet alone ---- */

static void
skipped_look(const json_t *o, const struct ratchet_step *step)
{
    const json_t *all = json_object_get(o, "skipped");
    size_t at = 0;
    for (size_t i = 0; i < 2; i++) {
        struct ratchet_gap gap = step->gap[i];
        uint8_t key[RATCHET_KEY_LEN];
        uint32_t n;
        while (ratchet_gap_next(&gap, &n, key)) {
            const json_t *want = json_array_get(all, at++);
            assert_int_equal(gap.step, number(want, "step"));
            assert_int_equal(n, number(want, "number"));
            hex_look(want, "key", key, sizeof key);
        }
    }
    assert_int_equal(at, json_array_size(all));
}

static void
ratchet_step_look(struct ratchet *r, const json_t *o)
{
    const json_t *says = json_object_get(o, "head");
    struct ratchet_head head;
    uint8_t key[RATCHET_KEY_LEN], fresh[RATCHET_KEY_LEN];
    if (strcmp(text(o, "do"), "write") == 0) {
        assert_int_equal(ratchet_write(r, &head, key), 0);
        ratchet_head_look(says, &head);
        hex_look(o, "key", key, sizeof key);
        return;
    }
    struct ratchet_step step;
    ratchet_head(says, &head);
    hex(o, "fresh", fresh, sizeof fresh);
    assert_int_equal(ratchet_read(r, &head, fresh, &step), 0);
    hex_look(o, "key", step.key, sizeof step.key);
    skipped_look(o, &step);
    *r = step.next;
}

static void
ratchets_are_those_of_the_vectors(void **state)
{
    (void)state;
    json_t *one, *root = json_load_file("tests/vectors/letters.json", 0, NULL);
    const json_t *all = json_object_get(root, "ratchets");
    const json_t *secrets = json_object_get(all, "secrets");
    struct ratchet sides[2];
    uint8_t secret[2][RATCHET_KEY_LEN], first[RATCHET_KEY_LEN],
        key[RATCHET_KEY_LEN];
    size_t i;
    for (i = 0; i < 2; i++)
        assert_int_equal(
            codec_unhex(secret[i], sizeof secret[i],
                        json_string_value(json_array_get(secrets, i))),
            0);
    hex(all, "root", first, sizeof first);
    ratchet_offer(&sides[0], first, secret[0]);
    memcpy(key, sides[0].own_key, sizeof key);
    assert_int_equal(ratchet_take(&sides[1], first, key, secret[1]), 0);
    assert_true(json_array_size(json_object_get(all, "steps")) >= 20);
    json_array_foreach(json_object_get(all, "steps"), i, one)
        ratchet_step_look(&sides[number(one, "side")], one);
    json_decref(root);
}

/* ---- sessions ---- */

/* The keys of letters that are late, as client/sealing.c keeps them. */
struct kept {
    uint32_t generation, step, n, day;
    uint8_t key[LETTER_KEY_LEN];
};

struct held {
    struct session s;
    struct kept kept[KEPT];
    size_t n_kept;
};

static size_t
kept_find(const struct held *h, uint32_t generation, uint32_t step, uint32_t n)
{
    size_t i = 0;
    while (i < h->n_kept && (h->kept[i].generation != generation ||
                             h->kept[i].step != step || h->kept[i].n != n))
        i++;
    return i;
}

static bool
kept_read(void *ctx, uint32_t generation, uint32_t step, uint32_t n,
          uint8_t key[static LETTER_KEY_LEN])
{
    const struct held *h = ctx;
    const size_t i = kept_find(h, generation, step, n);
    if (i < h->n_kept)
        memcpy(key, h->kept[i].key, LETTER_KEY_LEN);
    return i < h->n_kept;
}

static void
step_take(struct held *h, const struct session_step *step, uint32_t day)
{
    struct kept k = {.generation = step->generation, .day = day};
    h->s = step->next;
    for (size_t i = 0; i < 2; i++) {
        struct ratchet_gap gap = step->gap[i];
        k.step = gap.step;
        while (ratchet_gap_next(&gap, &k.n, k.key)) {
            assert_true(h->n_kept < KEPT);
            h->kept[h->n_kept++] = k;
        }
    }
    if (step->is_kept)
        h->kept[kept_find(h, step->generation, step->head.step, step->head.n)] =
            h->kept[--h->n_kept];
}

static void
session_look(const json_t *want, const struct held *h)
{
    const struct session *s = &h->s;
    assert_int_equal(session_is_open(s), number(want, "open"));
    assert_int_equal(session_may_write(s), number(want, "may_write"));
    assert_int_equal(s->generation, number(want, "generation"));
    assert_int_equal(s->has_before, number(want, "has_before"));
    assert_int_equal(s->answered, number(want, "answered"));
    assert_int_equal(s->paired, number(want, "paired"));
    assert_int_equal(h->n_kept, number(want, "kept"));
    hex_look(want, "pair", s->pair, sizeof s->pair);
    hex_look(want, "first", s->first, sizeof s->first);
    assert_int_equal(s->now.mixed, number(want, "mixed"));
    assert_int_equal(s->has_lasting, number(want, "has_lasting"));
    assert_int_equal(session_quantum(s), number(want, "quantum"));
}

static void
seal_look(struct held *h, const json_t *o, const json_t *found)
{
    uint8_t chain[32], data[LEN_MAX], out[LEN_MAX];
    const size_t len = number(o, "len");
    const struct letter l = letter(o, data);
    hex(o, "chain", chain, sizeof chain);
    assert_true(len <= sizeof out);
    assert_int_equal(session_seal(&h->s, &l, chain, place(o), out, len), 0);
    hex_look(found, "letter", out, len);
}

/* found: NULL where the letter's head does not open. */
static void
open_look(struct held *h, const json_t *o, const json_t *found)
{
    static const char *const verdicts[] = {"read", "second", "used", "passed",
                                           "broken"};
    uint8_t chain[32], fresh[32], share[MLKEM_SEED_LEN], bytes[LEN_MAX];
    const size_t len = hex_len(o, "letter");
    const struct session_context context = {.day = number(o, "day"),
                                            .latest = number(o, "latest"),
                                            .fresh = fresh,
                                            .fresh_share = share,
                                            .kept = kept_read,
                                            .ctx = h};
    const uint32_t generation = h->s.generation;
    struct session_step step;
    hex(o, "chain", chain, sizeof chain);
    hex(o, "fresh", fresh, sizeof fresh);
    hex(o, "fresh_share", share, sizeof share);
    assert_true(len <= sizeof bytes);
    hex(o, "letter", bytes, len);
    const int err =
        session_open(&h->s, chain, place(o), &context, bytes, len, &step);
    if (!found) {
        assert_int_equal(err, ERR_MAC);
        return;
    }
    assert_int_equal(err, 0);
    assert_string_equal(verdicts[step.verdict], text(found, "verdict"));
    if (step.verdict == SESSION_READ || step.verdict == SESSION_USED)
        letter_look(found, &step.letter);
    step_take(h, &step, context.day);
    assert_int_equal(step.unmet, number(found, "unmet"));
    assert_int_equal(h->s.generation != generation, number(found, "taken"));
}

/* Choose which ML-KEM-768 a session has; the vectors need no library. */
static void
kem_choose(struct held *h, const json_t *o)
{
    const uint32_t kem = number(o, "kem");
    assert_true(kem <= 1);
    h->s.mlkem = kem == 1 ? &toy_kem : NULL;
}

static void
restart(struct held *h, const json_t *o)
{
    uint8_t record[SESSION_RECORD_LEN];
    struct codec_writer w;
    struct codec_reader r;
    codec_writer_init(&w, record, sizeof record);
    session_encode(&w, &h->s);
    codec_reader_init(&r, record, sizeof record);
    assert_int_equal(session_decode(&r, sizeof record, &h->s), 0);
    kem_choose(h, o);
}

/* Forget the ratchet of before; no key is kept by then. */
static void
forget(struct held *h, const json_t *o)
{
    if (h->s.has_before && h->s.before_day < number(o, "day"))
        h->s.has_before = false;
}

/* Do one step of the pair's; returns the session that it was about. */
static struct held *
session_step_do(struct held *all, const json_t *o, const json_t *found)
{
    struct held *h = &all[number(o, "session")];
    const char *what = text(o, "do");
    uint8_t seed[32], key[32], secret[32], share[MLKEM_SEED_LEN];
    if (json_object_get(o, "own_secret"))
        hex(o, "own_secret", secret, sizeof secret);
    if (json_object_get(o, "seed"))
        hex(o, "seed", seed, sizeof seed);
    if (strcmp(what, "session_invite") == 0) {
        session_invite(&h->s, seed, 480000, secret);
        kem_choose(h, o);
    } else if (strcmp(what, "session_accept") == 0) {
        hex(o, "key", key, sizeof key);
        hex(o, "fresh_share", share, sizeof share);
        assert_int_equal(session_accept(&h->s, seed, key, secret, share), 0);
        kem_choose(h, o);
    } else if (strcmp(what, "session_offer") == 0) {
        session_offer(&h->s, number(o, "generation"), number(o, "day"), secret);
    } else if (strcmp(what, "session_seal") == 0) {
        seal_look(h, o, found);
    } else if (strcmp(what, "session_open") == 0) {
        open_look(h, o, found);
    } else if (strcmp(what, "session_copy") == 0) {
        all[number(o, "to")] = *h;
        h = &all[number(o, "to")];
    } else if (strcmp(what, "session_restart") == 0) {
        restart(h, o);
    } else {
        assert_string_equal(what, "session_forget");
        forget(h, o);
    }
    return h;
}

static void
steps_look(const char *course)
{
    json_t *one, *root = json_load_file("tests/vectors/letters.json", 0, NULL);
    const json_t *steps =
        json_object_get(json_object_get(root, course), "steps");
    struct held *all = calloc(HELD, sizeof *all);
    size_t i;
    assert_non_null(all);
    assert_true(json_array_size(steps) >= 40);
    json_array_foreach(steps, i, one)
    {
        const json_t *found = json_object_get(one, "found");
        const struct held *h = session_step_do(all, one, found);
        if (found)
            session_look(found, h);
    }
    free(all);
    json_decref(root);
}

static void
sessions_are_those_of_the_vectors(void **state)
{
    (void)state;
    steps_look("sessions");
}

static void
shares_are_those_of_the_vectors(void **state)
{
    (void)state;
    steps_look("shares");
}

const struct CMUnitTest test_letter_vectors[] = {
    cmocka_unit_test(letters_are_those_of_the_vectors),
    cmocka_unit_test(invitations_are_those_of_the_vectors),
    cmocka_unit_test(ratchets_are_those_of_the_vectors),
    cmocka_unit_test(sessions_are_those_of_the_vectors),
    cmocka_unit_test(shares_are_those_of_the_vectors),
};
TEST_SUITE(test_letter_vectors);
