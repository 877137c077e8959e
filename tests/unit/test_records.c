/* tests/unit/test_records.c - a client's records: each comes back as it was
 * written; cut short, too long, or with a length that cannot be, it is refused.
 */
#include "tests/runner.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/disk/records.h"
#include "lib/codec.h"
#include "tests/client_disk.h"

enum {
    LEN = 1232,                                 /* of letters */
    CLIENT_FIRST_LEN = GATEWAYS_RECORD_LEN + 4, /* without the next contact */
    CLIENT_BEFORE_LEN = CLIENT_FIRST_LEN + 4,   /* without the next order */
    CLIENT_ORDER_LEN = CLIENT_BEFORE_LEN + 8,   /* without the next event */
    CONTACT_PERIODS_AT = 3 + 3 + 64 + 24 + SESSION_RECORD_LEN + 158 +
                         64 /* in the record of "bob" */
};

/* A record's kind: how to write one, and what its value must not say. */
struct kind {
    char type;
    int (*save)(struct journal *j);
    int (*read)(const struct record_key *key, const uint8_t *value, size_t len);
    struct {
        size_t at, width; /* a length or count; width 0: no more */
    } field[3];
};

/* What is written, and what the readers below must give. */
static struct chain chains[CHAIN_WAYS];
static struct session session, session_came;
static uint8_t data[3000];
static struct gateways gateways;
static struct conversation contact, contact_came;
static struct message message, current, current_file;
static const struct message *const currents[2] = {&current, &current_file};
static struct letter fragment;
static struct out_letter *letter;
static struct record_received received;

/* Fill a session with what differs from field to field. */
static void
session_fill(struct session *s)
{
    memset(s, 0, sizeof *s);
    *s = (struct session){.state = SESSION_OPEN,
                          .inviter = true,
                          .paired = true,
                          .has_before = true,
                          .generation = 1U << 31,
                          .before_generation = 77,
                          .before_day = 20000};
    memset(s->pair, 0x51, sizeof s->pair);
    memset(s->first, 0x52, sizeof s->first);
    s->has_lasting = s->rekey.peer_lacks = s->rekey.has_seed = true;
    memset(s->lasting, 0x61, sizeof s->lasting);
    memset(s->rekey.seed, 0x62, sizeof s->rekey.seed);
    memset(s->rekey.bytes, 0x63, sizeof s->rekey.bytes);
    s->rekey.next = 5;
    s->rekey.have = 0x71;
    for (unsigned i = 0; i < 2; i++) {
        struct ratchet *r = i ? &s->before : &s->now;
        r->has_share = r->hardened = !i;
        r->mixed = 0x1234567 + i;
        memset(r->share, (int)(0x65 + i), sizeof r->share);
        r->has_peer = r->can_write = true;
        r->can_read = i;
        memset(r->root, (int)(0x53 + i), sizeof r->root);
        memset(r->own_secret, (int)(0x55 + i), sizeof r->own_secret);
        crypto_scalarmult_base(r->own_key, r->own_secret);
        memset(r->peer_key, (int)(0x57 + i), sizeof r->peer_key);
        memset(r->out, (int)(0x59 + i), sizeof r->out);
        memset(r->in, (int)(0x5b + i), sizeof r->in);
        r->own_step = 5 + i;
        r->peer_step = 7 + i;
        r->n_out = 9 + i;
        r->n_in = 11 + i;
        r->n_previous = 13 + i;
    }
}

static int
things_make(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + 1);
    memset(chains, 0xc5, sizeof chains);
    session_fill(&session);
    memset(&gateways, 0, sizeof gateways);
    gateways.n = 2;
    gateways.current = 1;
    memset(gateways.member[1].identity, 0x17, SPHINX_ID_LEN);
    gateways.member[0].out_s = 123456789012;
    gateways.renewed_s = 77;
    contact = (struct conversation){
        .id = 9,
        .name = "bob",
        .chains = chains,
        .session = &session,
        .mark = {0x3a, 0x3b},
        .confirmed = true,
        .inviter = true,
        .muted = true,
        .pings = true,
        .born = 1,
        .front_s = 1ULL << 40,
        .at = {3, 4},
        .previous_period = 5,
        .previous_count = 6,
        .next_sequence = 7,
        .next_order = 1ULL << 50,
        .sure_sequence = 5,
        .overtaken = 6,
        .shown = {1, 2, 3, 4, 5, 6, 7, 8},
        .past_token_period = 20,
        .past_tokens_used = 200,
        .token_period = 21,
        .tokens_used = 300,
        .awaited = {{21, 500, 0x81}, {20, 77, 3}},
        .ack = 8,
        .map = {1, 2, 3},
        .cursor = {{.open = true,
                    .period = 20,
                    .base = 2,
                    .end = UINT32_MAX,
                    .held = {0xffff, 1, 2, 3, 4, 5, 6, 7}},
                   {.open = true, .period = 19, .end = 40}}};
    current = (struct message){.order = 1ULL << 45, .next_index = 3};
    current_file = (struct message){.order = 1ULL << 44, .next_index = 70};
    message = (struct message){.order = 1ULL << 33,
                               .created_s = 1ULL << 34,
                               .id = {1, 2, 3, 4, 5, 6, 7, 8},
                               .kind = LETTER_FILE,
                               .state = CLIENT_QUEUED,
                               .count = letter_count(sizeof data, LEN),
                               .len = sizeof data,
                               .data = data};
    fragment = (struct letter){
        .sequence = 1,
        .message = {0xff, 2, 3, 4, 5, 6, 7, 8},
        .kind = LETTER_TEXT,
        .index = 2,
        .count = letter_count(sizeof data, LEN),
        .total = sizeof data,
        .data_len = (uint16_t)(sizeof data - 2 * letter_data_max(LEN)),
        .data = data};
    letter = calloc(1, sizeof *letter + LEN);
    assert_non_null(letter);
    *letter = (struct out_letter){.at = {UINT32_MAX, 70000},
                                  .sequence = 5,
                                  .index = 2,
                                  .order = 1ULL << 41,
                                  .kept = true,
                                  .announced = true,
                                  .fills = true,
                                  .moved = true,
                                  .keeps = 3};
    memcpy(letter->bytes, data, LEN);
    received = (struct record_received){.order = 1ULL << 60,
                                        .contact = 9,
                                        .kind = LETTER_TEXT,
                                        .id = {1, 2, 3, 4, 5, 6, 7, 8},
                                        .after = 99,
                                        .data = data,
                                        .len = 500};
    return 0;
}

static int
things_free(void **state)
{
    (void)state;
    free(letter);
    return 0;
}

/* ---- writers, and readers that compare ---- */

static int
client_save_one(struct journal *j)
{
    const struct record_client r = {LEN, 7, 9, 11};
    return record_client_save(j, &gateways, &r);
}

static int
client_read_one(const struct record_key *key, const uint8_t *value, size_t len)
{
    struct gateways g;
    struct record_client r;
    int err = record_client_read(&g, &r, value, len);
    assert_true(key->contact == 0 && key->a == 0 && key->b == 0);
    if (err)
        return err;
    assert_int_equal(r.letter_len, LEN);
    assert_int_equal(r.next_id, len == CLIENT_FIRST_LEN ? 0 : 7);
    assert_int_equal(r.next_received, len > CLIENT_BEFORE_LEN ? 9 : 0);
    assert_int_equal(r.next_event, len > CLIENT_ORDER_LEN ? 11 : 0);
    assert_true(g.n == 2 && g.current == 1 && g.renewed_s == 77);
    assert_memory_equal(g.member, gateways.member, sizeof g.member);
    return 0;
}

static int
contact_save_one(struct journal *j)
{
    return record_contact_save(j, &contact, currents);
}

static int
contact_read_one(const struct record_key *key, const uint8_t *value, size_t len)
{
    struct chain came[CHAIN_WAYS];
    struct conversation *v = &contact_came;
    *v = (struct conversation){.chains = came, .session = &session_came};
    int err = record_contact_read(v, value, len);
    if (err)
        return err;
    assert_int_equal(key->contact, contact.id);
    for (size_t i = 0; i < 2; i++)
        assert_true(v->loaded[i].order == currents[i]->order &&
                    v->loaded[i].index == currents[i]->next_index);
    assert_memory_equal(came, chains, sizeof chains);
    assert_memory_equal(&session_came, &session, sizeof session);
    v->session = &session;
    memset(v->loaded, 0, sizeof v->loaded);
    v->chains = chains;
    v->id = contact.id;
    assert_memory_equal(v, &contact, sizeof contact);
    return 0;
}

static int
fragment_save_one(struct journal *j)
{
    return record_fragment_save(j, 9, &fragment, 1ULL << 35);
}

static int
fragment_read_one(const struct record_key *key, const uint8_t *value,
                  size_t len)
{
    struct letter l;
    uint64_t progress_s;
    int err = record_fragment_read(&l, &progress_s, key, value, len, LEN);
    if (err)
        return err;
    assert_true(progress_s == 1ULL << 35 && l.kind == fragment.kind &&
                l.index == 2 && l.count == fragment.count &&
                l.total == fragment.total && l.data_len == fragment.data_len);
    assert_memory_equal(l.message, fragment.message, LETTER_ID_LEN);
    assert_memory_equal(l.data, data, l.data_len);
    return 0;
}

static int
letter_save_one(struct journal *j)
{
    return record_letter_save(j, 9, letter, 1ULL << 36, LEN);
}

static int
letter_read_one(const struct record_key *key, const uint8_t *value, size_t len)
{
    struct out_letter l;
    const uint8_t *bytes;
    int err = record_letter_read(&l, &bytes, key, value, len, LEN);
    if (err)
        return err;
    assert_true(l.at.period == UINT32_MAX && l.at.n == 70000 &&
                l.sequence == 5 && l.index == 2 && l.order == letter->order &&
                l.kept && l.tried && l.announced && l.fills && l.moved &&
                l.keeps == 3 && l.due_s == 1ULL << 36);
    assert_memory_equal(bytes, data, LEN);
    return 0;
}

static int
message_save_one(struct journal *j)
{
    return record_message_save(j, 9, &message, CLIENT_SENT);
}

static int
message_read_one(const struct record_key *key, const uint8_t *value, size_t len)
{
    struct message m;
    const uint8_t *bytes;
    int err = record_message_read(&m, &bytes, key, value, len, LEN);
    if (err)
        return err;
    assert_true(m.order == message.order && m.created_s == message.created_s &&
                m.kind == message.kind && m.state == CLIENT_SENT &&
                m.count == message.count && m.len == message.len);
    assert_memory_equal(m.id, message.id, LETTER_ID_LEN);
    assert_memory_equal(bytes, data, m.len);
    return 0;
}

static int
received_save_one(struct journal *j)
{
    return record_received_save(j, &received);
}

static int
received_read_one(const struct record_key *key, const uint8_t *value,
                  size_t len)
{
    struct record_received r;
    int err = record_received_read(&r, key, value, len);
    if (err)
        return err;
    assert_true(r.order == received.order && r.contact == 9 &&
                r.kind == LETTER_TEXT && r.after == received.after &&
                r.len == received.len);
    assert_memory_equal(r.id, received.id, LETTER_ID_LEN);
    assert_memory_equal(r.data, data, r.len);
    return 0;
}

static int
settings_save_one(struct journal *j)
{
    return record_settings_save(j, 30);
}

static int
settings_read_one(const struct record_key *key, const uint8_t *value,
                  size_t len)
{
    uint32_t days;
    const int err = record_settings_read(&days, value, len);
    assert_true(err || (days == 30 && key->a == 0));
    return err;
}

static int
reader_save_one(struct journal *j)
{
    return record_reader_save(j, 3, "app");
}

/* A name cut short is another name, but no name is none. */
static int
reader_read_one(const struct record_key *key, const uint8_t *value, size_t len)
{
    char name[CLIENT_NAME_MAX];
    const int err = record_reader_read(name, value, len);
    if (err)
        return err;
    assert_int_equal(key->a, 3);
    return strcmp(name, "app") == 0 ? 0 : ERR_FORMAT;
}

static int
seen_save_one(struct journal *j)
{
    return record_seen_save(j, 9, 3, 77);
}

static int
seen_read_one(const struct record_key *key, const uint8_t *value, size_t len)
{
    uint64_t event;
    const int err = record_seen_read(&event, value, len);
    assert_true(err || (event == 77 && key->contact == 9 && key->a == 3));
    return err;
}

static int
shown_save_one(struct journal *j)
{
    return record_shown_save(j, received.order, 78, 5);
}

static int
shown_read_one(const struct record_key *key, const uint8_t *value, size_t len)
{
    uint64_t event;
    uint32_t late_after;
    const int err = record_shown_read(&event, &late_after, value, len);
    assert_true(err ||
                (event == 78 && late_after == 5 && key->a == received.order));
    return err;
}

static const struct kind kinds[] = {
    {'A', client_save_one, client_read_one, {{GATEWAYS_RECORD_LEN, 4}}},
    {'C',
     contact_save_one,
     contact_read_one,
     {{2, 1}, {CONTACT_PERIODS_AT, 1}}},
    {'F', fragment_save_one, fragment_read_one, {{1, 4}, {5, 4}}},
    {'L', letter_save_one, letter_read_one, {{0, 0}}},
    {'M', message_save_one, message_read_one, {{19, 4}, {23, 4}}},
    {'P', settings_save_one, settings_read_one, {{0, 0}}},
    {'R', reader_save_one, reader_read_one, {{0, 0}}},
    {'S', seen_save_one, seen_read_one, {{0, 0}}},
    {'X', received_save_one, received_read_one, {{26, 4}}},
    {'Y', shown_save_one, shown_read_one, {{0, 0}}},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* ---- tests ---- */

/* Read a value that lies in memory of exactly its length. */
static int
value_read(const struct kind *k, const struct record_key *key,
           const uint8_t *value, size_t len)
{
    uint8_t *exact = malloc(len ? len : 1);
    assert_non_null(exact);
    memcpy(exact, value, len);
    int err = k->read(key, exact, len);
    free(exact);
    return err;
}

/* Write one of each kind onto a disk. */
static void
disk_fill(struct client_disk *d)
{
    struct journal *j;
    disk_init(d, test_seed());
    assert_int_equal(journal_new(&j, &d->test.env), 0);
    journal_begin(j);
    for (size_t i = 0; i < KINDS; i++)
        assert_int_equal(kinds[i].save(j), 0);
    (void)journal_end(j);
    journal_free(&j);
    assert_int_equal(d->n, KINDS);
}

/* The record of this kind, and its key. */
static const struct disk_record *
record_of(const struct client_disk *d, const struct kind *k,
          struct record_key *key)
{
    const struct disk_record *r = NULL;
    assert_int_equal(disk_count(d, k->type, &r), 1);
    assert_int_equal(record_key_read(key, r->key, r->key_len), 0);
    assert_int_equal(key->type, k->type);
    return r;
}

static void
each_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct client_disk d;
    struct record_key key;
    disk_fill(&d);
    for (size_t i = 0; i < KINDS; i++) {
        const struct disk_record *r = record_of(&d, &kinds[i], &key);
        assert_int_equal(value_read(&kinds[i], &key, r->value, r->len), 0);
    }
    disk_free(&d);
}

static void
each_is_refused_at_every_other_length(void **state)
{
    (void)state;
    struct client_disk d;
    struct record_key key;
    disk_fill(&d);
    for (size_t i = 0; i < KINDS; i++) {
        const struct disk_record *r = record_of(&d, &kinds[i], &key);
        uint8_t *longer = calloc(1, r->len + 40);
        assert_non_null(longer);
        memcpy(longer, r->value, r->len);
        for (size_t len = 0; len < r->len + 40; len++) {
            if (kinds[i].type == 'A' &&
                (len == CLIENT_FIRST_LEN || len == CLIENT_BEFORE_LEN ||
                 len == CLIENT_ORDER_LEN))
                continue; /* one of before */
            if (len != r->len && value_read(&kinds[i], &key, longer, len) == 0)
                fail_msg("%c: %zu of %zu bytes are taken", kinds[i].type, len,
                         r->len);
        }
        free(longer);
    }
    disk_free(&d);
}

static uint64_t
field_get(const uint8_t *at, size_t width)
{
    return width == 1 ? at[0] : codec_get32(at);
}

static void
field_put(uint8_t *at, size_t width, uint64_t v)
{
    if (width == 1)
        at[0] = (uint8_t)v;
    else
        codec_put32(at, (uint32_t)v);
}

/* Lengths and counts one too small, one too large, none, as large as can be. */
static void
no_length_is_believed(void **state)
{
    (void)state;
    struct client_disk d;
    struct record_key key;
    unsigned refused = 0;
    disk_fill(&d);
    for (size_t i = 0; i < KINDS; i++) {
        const struct disk_record *r = record_of(&d, &kinds[i], &key);
        for (size_t f = 0; kinds[i].field[f].width; f++) {
            const size_t at = kinds[i].field[f].at;
            const size_t width = kinds[i].field[f].width;
            const uint64_t right = field_get(r->value + at, width);
            uint64_t wrong[] = {right - 1, right + 1, 0, UINT64_MAX,
                                1ULL << (8 * width - 1)};
            for (size_t w = 0; w < 5; w++) {
                if (kinds[i].type == 'A' && w < 3)
                    continue; /* other lengths of letters, or none yet */
                field_put(r->value + at, width, wrong[w]);
                if (value_read(&kinds[i], &key, r->value, r->len) == 0)
                    fail_msg("%c: field at %zu may be %llu", kinds[i].type, at,
                             (unsigned long long)wrong[w]);
                refused++;
            }
            field_put(r->value + at, width, right);
        }
        assert_int_equal(value_read(&kinds[i], &key, r->value, r->len), 0);
    }
    assert_true(refused > 25);
    disk_free(&d);
}

/* Letters have room for data, and are as long as may be at most; before the
 * first consensus they have no length. */
static void
letters_have_a_length_that_may_be(void **state)
{
    (void)state;
    struct client_disk d;
    struct record_key key;
    struct gateways g;
    struct record_client own;
    disk_fill(&d);
    const struct disk_record *r = record_of(&d, &kinds[0], &key);
    const size_t least = LETTER_OVERHEAD + LETTER_BODY_HEAD_LEN + 1;
    for (uint32_t len = 0; len < LETTER_LEN_MAX + 10; len++) {
        codec_put32(r->value + GATEWAYS_RECORD_LEN, len);
        int err = record_client_read(&g, &own, r->value, r->len);
        const bool may = len == 0 || (len >= least && len <= LETTER_LEN_MAX);
        assert_int_equal(err, may ? 0 : ERR_RANGE);
        assert_int_equal(own.letter_len, may ? len : 0);
    }
    disk_free(&d);
}

/* A record that is right in all but its name: 1 to 32 bytes. */
static void
a_name_fits(void **state)
{
    (void)state;
    struct client_disk d;
    struct record_key key;
    uint8_t value[4096] = {0};
    struct chain came[CHAIN_WAYS];
    disk_fill(&d);
    const struct disk_record *r = record_of(&d, &kinds[1], &key);
    for (size_t len = 0; len < 256; len++) {
        memcpy(value, r->value, 2);
        value[2] = (uint8_t)len;
        memset(value + 3, 'n', len);
        memcpy(value + 3 + len, r->value + 6, r->len - 6);
        struct conversation v = {.chains = came, .session = &session_came};
        int err = record_contact_read(&v, value, r->len - 3 + len);
        assert_int_equal(err, len > 0 && len <= 32 ? 0 : ERR_RANGE);
        if (!err)
            assert_int_equal(strlen(v.name), len);
    }
    disk_free(&d);
}

static void
a_version_that_is_not_known_is_said_so(void **state)
{
    (void)state;
    struct client_disk d;
    struct record_key key;
    disk_fill(&d);
    for (size_t i = 0; i < KINDS; i++) {
        if (!strchr("CMX", kinds[i].type))
            continue;
        const struct disk_record *r = record_of(&d, &kinds[i], &key);
        const uint8_t right = r->value[0];
        for (unsigned v = 0; v < 256; v++) {
            if (kinds[i].type == 'C' && v >= 2 && v < right)
                continue; /* of before: a_contact_of_before_is_read */
            if (kinds[i].type == 'X' && v >= 1 && v < right)
                continue; /* what_came_before_is_read */
            r->value[0] = (uint8_t)v;
            assert_int_equal(value_read(&kinds[i], &key, r->value, r->len),
                             v == right ? 0 : ERR_VERSION);
        }
    }
    disk_free(&d);
}

enum { /* in the record of "bob" */
       CHAINS_END = 3 + 3 + 64,
       SESSION_AT = CHAINS_END + 4 + 4 + CHAIN_MARK_LEN,
       REMOVED_AT = SESSION_AT + SESSION_RECORD_LEN
};
enum {
    ORDER_AT = REMOVED_AT + 60,
    ORDER_LEN = 12 + 4 + 4 + 8,
    SINCE_5_LEN = HAD_MAX * LETTER_ID_LEN + 4 + 4, /* the tokens follow */
    TOKENS_LEN = 4 + 4 + 2 * 9
};

/* A record of an earlier version, in memory of exactly its length: without what a
 * session has of shares, before version 8 without a session, before version 7 without the days of chains and their mark, before version 6 without tokens of two periods, before version
 * 5 without what tells the order, before version 4 without tokens and promise, in
 * version 2 without the time of a removal, and with these flags.
 * Returns what its reader says. */
static int
contact_read_before(const struct disk_record *r, uint8_t version, uint8_t flags,
                    struct conversation *v)
{
    const size_t from = REMOVED_AT + (version == 2 ? 8 : 0),
                 at = ORDER_AT + (version < 5 ? 0 : ORDER_LEN),
                 to = at + (version < 6 ? SINCE_5_LEN : 0) +
                      (version < 5 ? ORDER_LEN : 0) +
                      (version < 4 ? TOKENS_LEN : 0),
                 head = version < 7   ? CHAINS_END
                        : version < 8 ? SESSION_AT
                                      : SESSION_AT + SESSION_RECORD_FIRST_LEN,
                 len = head + (at - from) + (r->len - to);
    uint8_t *value = malloc(len);
    assert_non_null(value);
    memcpy(value, r->value, head);
    memcpy(value + head, r->value + from, at - from);
    memcpy(value + head + at - from, r->value + to, r->len - to);
    value[0] = version;
    value[1] = flags;
    if (version == 8) { /* there were no such flags */
        value[SESSION_AT + 1] &= 31;
        value[SESSION_AT + 2 + 3 * 4 + 2 * 32] &= 7;
    }
    int err = record_contact_read(v, value, len);
    free(value);
    return err;
}

static void
a_contact_of_before_is_read(void **state)
{
    (void)state;
    struct client_disk d;
    struct record_key key;
    uint8_t mark[CHAIN_MARK_LEN];
    struct chain came[CHAIN_WAYS];
    disk_fill(&d);
    const struct disk_record *r = record_of(&d, &kinds[1], &key);
    chain_mark(chains[CHAIN_IN].key, mark);
    for (uint8_t version = 2; version < 9; version++) {
        struct conversation v = {.chains = came, .session = &session_came};
        memset(came, 0, sizeof came);
        session_fill(&session_came);
        assert_int_equal(contact_read_before(r, version, 5, &v), 0);
        if (version == 8) {
            struct session want = session;
            want.has_lasting = false;
            want.now.has_share = want.now.hardened = false;
            memset(want.lasting, 0, sizeof want.lasting);
            memset(&want.rekey, 0, sizeof want.rekey);
            want.now.mixed = want.before.mixed = 0;
            memset(want.now.share, 0, sizeof want.now.share);
            memset(want.before.share, 0, sizeof want.before.share);
            assert_memory_equal(&session_came, &want, sizeof want);
            continue;
        }
        assert_int_equal(session_came.state, SESSION_NONE);
        if (version == 7) {
            assert_memory_equal(came, chains, sizeof came);
            continue;
        }
        for (size_t i = 0; i < CHAIN_WAYS; i++) {
            assert_int_equal(came[i].day, 0);
            assert_memory_equal(came[i].key, chains[i].key, LETTER_CHAIN_LEN);
        }
        assert_memory_equal(v.mark, mark, sizeof mark);
        if (version == 6)
            continue;
        assert_true(v.had[0][0] == 0);
        if (version >= 4) { /* none of the period before is taken for new */
            assert_true(v.token_period == contact.token_period &&
                        v.tokens_used == contact.tokens_used);
            assert_true(v.past_token_period == contact.token_period - 1 &&
                        v.past_tokens_used == LETTER_TOKENS_MAX);
        }
        if (version == 5) {
            assert_true(v.sure_sequence == contact.sure_sequence &&
                        v.overtaken == contact.overtaken);
            assert_memory_equal(v.shown, contact.shown, LETTER_ID_LEN);
            continue;
        }
        assert_true(v.confirmed && v.inviter && !v.refused);
        assert_true(!v.muted && !v.pings && !v.removed && v.removed_s == 0);
        assert_true(v.sure_sequence == contact.next_sequence);
        assert_true(v.overtaken == 0 && v.shown[3] == 0);
        for (size_t i = 0; i < 2; i++)
            assert_true(v.loaded[i].order == current.order &&
                        v.loaded[i].index == current.next_index);
        if (version == 4)
            continue;
        assert_true(v.tokens_used == 0 && v.token_period == 0);
        assert_true(v.awaited[0].period == 0 && v.awaited[1].next == 0);
        assert_string_equal(v.name, "bob");
        assert_true(v.born == contact.born && v.ack == contact.ack);
        assert_memory_equal(v.cursor, contact.cursor, sizeof v.cursor);
    }
    for (unsigned flag = 8; flag < 256; flag *= 2) {
        struct conversation v = {.chains = came, .session = &session_came};
        assert_int_equal(contact_read_before(r, 2, (uint8_t)flag, &v),
                         ERR_FORMAT);
    }
    disk_free(&d);
}

/* What was received before it had a number. */
static void
what_came_before_is_read(void **state)
{
    (void)state;
    enum { NEW_AT = 6, NEW_LEN = LETTER_ID_LEN + 4 + 8 };
    struct client_disk d;
    struct record_key key;
    struct record_received r;
    disk_fill(&d);
    const struct disk_record *record = record_of(&d, &kinds[KINDS - 2], &key);
    const size_t len = record->len - NEW_LEN;
    uint8_t *value = malloc(len);
    assert_non_null(value);
    memcpy(value, record->value, NEW_AT);
    memcpy(value + NEW_AT, record->value + NEW_AT + NEW_LEN, len - NEW_AT);
    value[0] = 1;
    assert_int_equal(record_received_read(&r, &key, value, len), 0);
    assert_true(r.contact == 9 && r.kind == LETTER_TEXT && r.after == 0 &&
                letter_number(r.id) == 0 && letter_sent_s(r.id) == 0);
    assert_int_equal(r.len, received.len);
    assert_memory_equal(r.data, data, r.len);
    free(value);
    disk_free(&d);
}

/* The record of a contact that is removed: no name, nothing to write with. */
static void
who_is_removed_keeps_nothing_to_write_with(void **state)
{
    (void)state;
    static const uint8_t zeros[32];
    struct client_disk d;
    struct journal *j;
    struct record_key key;
    struct chain came[CHAIN_WAYS];
    const struct message *const nothing[2] = {NULL, NULL};
    struct conversation gone = contact,
                        v = {.chains = came, .session = &session_came};
    memset(gone.name, 0, sizeof gone.name);
    gone.removed = true;
    gone.removed_s = 1ULL << 33;
    disk_init(&d, test_seed());
    assert_int_equal(journal_new(&j, &d.test.env), 0);
    journal_begin(j);
    assert_int_equal(record_contact_save(j, &gone, nothing), 0);
    (void)journal_end(j);
    journal_free(&j);
    const struct disk_record *r = record_of(&d, &kinds[1], &key);
    assert_int_equal(record_contact_read(&v, r->value, r->len), 0);
    assert_true(v.removed && v.removed_s == gone.removed_s && !v.name[0]);
    assert_true(came[CHAIN_OUT].day == chains[CHAIN_OUT].day);
    assert_memory_equal(came[CHAIN_OUT].key, zeros, 32);
    assert_memory_equal(&came[CHAIN_IN], &chains[CHAIN_IN], sizeof came[0]);
    assert_memory_equal(v.mark, contact.mark, sizeof v.mark);
    for (size_t i = 0; i + 3 <= r->len; i++)
        assert_true(memcmp(r->value + i, "bob", 3) != 0);
    r->value[1] = 4; /* it is there, but has no name */
    assert_int_equal(record_contact_read(&v, r->value, r->len), ERR_RANGE);
    disk_free(&d);
    disk_fill(&d);
    r = record_of(&d, &kinds[1], &key);
    r->value[1] |= 32; /* it is removed, and has one */
    assert_int_equal(record_contact_read(&v, r->value, r->len), ERR_RANGE);
    r->value[1] &= (uint8_t)~32;
    r->value[REMOVED_AT] = 1; /* was removed then, and is there */
    assert_int_equal(record_contact_read(&v, r->value, r->len), ERR_FORMAT);
    disk_free(&d);
}

/* What the fields of one record say of each other. */
static void
contradictions_are_refused(void **state)
{
    (void)state;
    struct client_disk d;
    struct record_key key;
    disk_fill(&d);
    const struct disk_record *r = record_of(&d, &kinds[2], &key);
    for (uint32_t index = 0; index < 5; index++) {
        key.b = index; /* it is the last of three, which is shorter */
        struct letter l;
        uint64_t progress_s;
        assert_int_equal(
            record_fragment_read(&l, &progress_s, &key, r->value, r->len, LEN),
            index < 2    ? ERR_FORMAT
            : index == 2 ? 0
                         : ERR_RANGE);
    }
    r = record_of(&d, &kinds[4], &key);
    static const uint8_t states[] = {0, CLIENT_DELIVERED, CLIENT_EXPIRED, 5};
    for (size_t i = 0; i < sizeof states; i++) {
        r->value[1] = states[i]; /* over, and yet with data */
        assert_int_not_equal(message_read_one(&key, r->value, r->len), 0);
    }
    r->value[1] = CLIENT_SENT;
    r->value[2] = LETTER_KINDS;
    assert_int_not_equal(message_read_one(&key, r->value, r->len), 0);
    r = record_of(&d, &kinds[5], &key);
    r->value[5] = LETTER_PING;
    assert_int_not_equal(received_read_one(&key, r->value, r->len), 0);
    disk_free(&d);
}

/* A message that is over is remembered without its data. */
static void
what_is_over_keeps_no_data(void **state)
{
    (void)state;
    struct client_disk d;
    struct journal *j;
    struct record_key key;
    struct message m;
    const uint8_t *bytes;
    disk_init(&d, test_seed());
    assert_int_equal(journal_new(&j, &d.test.env), 0);
    journal_begin(j);
    assert_int_equal(record_message_save(j, 9, &message, CLIENT_EXPIRED), 0);
    (void)journal_end(j);
    journal_free(&j);
    const struct disk_record *r = record_of(&d, &kinds[4], &key);
    assert_int_equal(r->len, 27);
    assert_int_equal(
        record_message_read(&m, &bytes, &key, r->value, r->len, LEN), 0);
    assert_true(m.state == CLIENT_EXPIRED && m.len == 0 &&
                m.count == message.count);
    disk_free(&d);
}

static void
a_thing_has_one_key(void **state)
{
    (void)state;
    struct record_key key;
    uint8_t bytes[RECORD_KEY_LEN + 1] = {0};
    for (unsigned type = 0; type < 256; type++) {
        const bool known = type && strchr("ABCDFKLMPRSXY", (int)type);
        for (unsigned set = 0; set < 8; set++) {
            const struct record_key made = {(uint8_t)type, set & 1,
                                            set >> 1 & 1, set >> 2};
            assert_int_equal(record_key_write(bytes, made), RECORD_KEY_LEN);
            const char *uses = type == 'B' || type == 'C'  ? "\1"
                               : !known                    ? ""
                               : strchr("DRXY", (int)type) ? "\2"
                               : strchr("MS", (int)type)   ? "\3"
                               : strchr("FKL", (int)type)  ? "\7"
                                                           : "";
            const bool unused = set & ~(unsigned)(uint8_t)uses[0];
            assert_int_equal(record_key_read(&key, bytes, RECORD_KEY_LEN),
                             !known   ? ERR_VERSION
                             : unused ? ERR_FORMAT
                                      : 0);
        }
    }
    record_key_write(bytes, (struct record_key){'L', 1, 2, 3});
    for (size_t len = 0; len < RECORD_KEY_LEN; len++)
        assert_int_equal(record_key_read(&key, bytes, len), ERR_SHORT);
    assert_int_equal(record_key_read(&key, bytes, RECORD_KEY_LEN + 1),
                     ERR_FORMAT);
    assert_int_equal(record_key_read(&key, bytes, RECORD_KEY_LEN), 0);
    assert_true(key.contact == 1 && key.a == 2 && key.b == 3);
}

#define RECORDS_TEST(f) \
    cmocka_unit_test_setup_teardown(f, things_make, things_free)
const struct CMUnitTest test_records[] = {
    RECORDS_TEST(each_is_read_as_it_was_written),
    RECORDS_TEST(each_is_refused_at_every_other_length),
    RECORDS_TEST(no_length_is_believed),
    RECORDS_TEST(letters_have_a_length_that_may_be),
    RECORDS_TEST(a_name_fits),
    RECORDS_TEST(a_version_that_is_not_known_is_said_so),
    RECORDS_TEST(what_came_before_is_read),
    RECORDS_TEST(a_contact_of_before_is_read),
    RECORDS_TEST(who_is_removed_keeps_nothing_to_write_with),
    RECORDS_TEST(contradictions_are_refused),
    RECORDS_TEST(what_is_over_keeps_no_data),
    RECORDS_TEST(a_thing_has_one_key),
};
TEST_SUITE(test_records);
