/* tests/unit/test_authority.c - authorities agree on a consensus: the rules one
 * by one. What they do among faults: tests/scenario/test_directory.c. */
#include "tests/runner.h"

#include <stdlib.h>
#include <string.h>

#include "directory/evidence.h"
#include "directory/listing.h"
#include "directory/tally.h"
#include "directory/vote.h"
#include "tests/house.h"

enum { ALL = 0xff, LEN_MS = HOUSE_LEN_S * 1000 };

static int
relay_upload(struct house *h, uint8_t number, uint8_t role, uint32_t epoch,
             uint32_t seats)
{
    const struct house_relay r = {.number = number,
                                  .role = role,
                                  .epoch = epoch,
                                  .bandwidth = 100,
                                  .seats = seats};
    return house_upload(h, &r);
}

static uint8_t
role_of(uint8_t number)
{
    return number < 2 ? ROLE_GATEWAY : number < 11 ? ROLE_MIX : ROLE_STORE;
}

/* Two gateways, nine mixes, two stores. */
static void
relays_upload(struct house *h, uint32_t epoch, uint32_t seats)
{
    for (uint8_t i = 0; i < 13; i++)
        assert_int_equal(relay_upload(h, i, role_of(i), epoch, seats), 0);
}

/* Just before an epoch begins. */
static void
run_to(struct house *h, uint32_t epoch)
{
    house_run(h, house_ms(h, epoch, SCHEDULE_VALID) - 1);
}

/* Three epochs: the schedule, the layers, what stays and what changes. */
static void
agree(size_t n)
{
    static struct house h;
    struct consensus before = {0};
    house_make(&h, n, test_seed());
    house_start_all(&h);
    for (uint32_t epoch = 1; epoch <= 3; epoch++) {
        relays_upload(&h, epoch, ALL);
        house_run(&h, house_ms(&h, epoch, SCHEDULE_SIGN) - 1);
        assert_int_equal(house_epoch(&h, 0), epoch - 1);
        house_run(&h, house_ms(&h, epoch, SCHEDULE_PUBLISH));
        const struct consensus *c = h.seat[0].newest;
        assert_non_null(c);
        assert_int_equal(c->epoch, epoch);
        assert_true(c->valid_after_s ==
                    HOUSE_GENESIS + (epoch - 1) * HOUSE_LEN_S);
        assert_int_equal(c->n_relays, 13);
        for (unsigned layer = 0; layer <= 4; layer++) {
            size_t count;
            consensus_layer(c, layer, &count);
            assert_int_equal(count, layer == 0 || layer == 4 ? 2 : 3);
        }
        for (size_t i = 1; i < n; i++)
            assert_memory_equal(c->digest, h.seat[i].newest->digest, 32);
        for (size_t i = 0; i < before.n_relays; i++) {
            assert_int_equal(c->relays[i].layer, before.relays[i].layer);
            assert_memory_equal(c->relays[i].placement,
                                before.relays[i].placement, 32);
            assert_memory_not_equal(c->relays[i].sphinx_key,
                                    before.relays[i].sphinx_key, 32);
        }
        assert_memory_not_equal(before.shared_random, c->shared_random, 32);
        free(before.relays);
        before = *c;
        before.relays = malloc(c->n_relays * sizeof *c->relays);
        assert_non_null(before.relays);
        memcpy(before.relays, c->relays, c->n_relays * sizeof *c->relays);
        house_run(&h, house_ms(&h, epoch, SCHEDULE_VALID) + 1);
    }
    free(before.relays);
    house_free(&h);
}

static void
one_agrees(void **state)
{
    (void)state;
    agree(1);
}

static void
four_agree(void **state)
{
    (void)state;
    agree(4);
}

static void
seven_agree(void **state)
{
    (void)state;
    agree(7);
}

/* Three of four are enough, two are not. */
static void
thresholds(void **state)
{
    (void)state;
    for (size_t down = 0; down <= 2; down++) {
        static struct house h;
        house_make(&h, 4, test_seed());
        for (size_t i = down; i < 4; i++)
            house_start(&h, i, 1);
        relays_upload(&h, 1, ALL);
        house_run(&h, 1);
        assert_int_equal(house_epoch(&h, 3), down <= 1 ? 1 : 0);
        house_free(&h);
    }
}

/* A relay is in when more than half list it. */
static void
half_have_to_list(void **state)
{
    (void)state;
    static struct house h;
    house_make(&h, 4, test_seed());
    house_start_all(&h);
    relays_upload(&h, 1, ALL);
    assert_int_equal(relay_upload(&h, 50, ROLE_MIX, 1, 3), 0);
    assert_int_equal(relay_upload(&h, 51, ROLE_MIX, 1, 7), 0);
    house_run(&h, 1);
    uint8_t id[32];
    house_relay_id(50, id);
    assert_int_equal(h.seat[0].newest->n_relays, 14);
    assert_int_equal(consensus_find(h.seat[0].newest, id), -1);
    house_free(&h);
}

/* One that hibernates is left out until then, whoever lists it; its older word
 * is not listened to any more. */
static void
hibernation_is_kept(void **state)
{
    (void)state;
    for (uint64_t late = 0; late < 2; late++) {
        static struct house h;
        struct house_relay r = {.number = 50,
                                .role = ROLE_MIX,
                                .epoch = 1,
                                .bandwidth = 100,
                                .seats = ALL};
        house_make(&h, 4, test_seed());
        house_start_all(&h);
        relays_upload(&h, 1, ALL);
        assert_int_equal(house_upload(&h, &r), 0);
        r.hibernates_until_s = HOUSE_GENESIS + late;
        assert_int_equal(house_upload(&h, &r), ERR_RATE); /* so soon */
        house_run(&h, -LEN_MS + LISTING_CHANGE_MS);
        assert_int_equal(house_upload(&h, &r), 0);
        house_run(&h, 1);
        assert_int_equal(h.seat[0].newest->n_relays, late ? 13 : 14);
        house_free(&h);
    }
}

enum { BROKEN = 6, SLANDERED = 3 };

/* All say of one relay that loops get lost by way of it, and one says so of
 * another. */
static void
links_tell(struct house *h, uint16_t lost_permille)
{
    for (uint8_t i = 0; i < 13; i++) {
        const bool slanders = i == 4;
        const struct house_relay r = {.number = i,
                                      .role = role_of(i),
                                      .epoch = 1,
                                      .bandwidth = 100,
                                      .seats = ALL,
                                      .lost_permille = lost_permille,
                                      .lossy_first =
                                          slanders ? SLANDERED : BROKEN,
                                      .lossy = slanders ? 4 : 1};
        assert_int_equal(house_upload(h, &r), 0);
    }
}

/* A relay whose neighbours say that it loses loops is left out, and keeps its
 * number; what one says of others costs links at most. All authorities have the
 * same bytes. */
static void
i10_lossy_relays_are_left_out(void **state)
{
    (void)state;
    static struct house h;
    for (unsigned lossy = 0; lossy < 2; lossy++) {
        uint8_t id[32];
        house_make(&h, 4, test_seed() + lossy);
        house_start_all(&h);
        links_tell(&h, lossy ? 200 : 199);
        house_run(&h, 1);
        const struct consensus *c = h.seat[0].newest;
        house_relay_id(BROKEN, id);
        const int i = consensus_find(c, id);
        assert_true(i >= 0);
        assert_int_equal(c->n_relays, 13);
        assert_int_equal(c->n_left_out, lossy);
        assert_int_equal(c->relays[i].out, lossy);
        assert_int_equal(c->layer_start[consensus_layers(c)], 13 - lossy);
        assert_in_range(consensus_left_out(c, id), lossy * 501, lossy * 1000);
        house_relay_id(SLANDERED, id);
        assert_int_equal(consensus_left_out(c, id), 0);
        for (size_t k = 1; k < h.n; k++)
            assert_memory_equal(h.seat[k].newest->digest, c->digest,
                                sizeof c->digest);
        house_free(&h);
    }
}

static void
descriptors_are_judged(void **state)
{
    (void)state;
    static struct house h;
    house_make(&h, 1, test_seed());
    house_start_all(&h);
    assert_int_equal(relay_upload(&h, 1, ROLE_MIX, 1, 1), 0);
    assert_int_equal(relay_upload(&h, 1, ROLE_MIX, 2, 1), 0);
    assert_int_equal(relay_upload(&h, 1, ROLE_MIX, 1, 1), 0);
    assert_int_equal(relay_upload(&h, 1, ROLE_MIX, 9, 1), ERR_FUTURE);
    strcpy(h.network.name, "other");
    house_stop(&h, 0);
    h.seat[0].lost_disk = true;
    house_start(&h, 0, 1);
    strcpy(h.network.name, "test");
    assert_int_equal(relay_upload(&h, 1, ROLE_MIX, 1, 1), ERR_FOREIGN);
    struct authority_status s;
    authority_status(h.seat[0].face[0].authority, &s);
    assert_int_equal(s.refused[-ERR_FOREIGN], 1);
    house_free(&h);
}

/* A packet key with which nobody can build a packet: no authority takes the
 * descriptor, though the key is of an epoch to come, and says what is wrong. */
static void
i2_a_key_without_secrets_is_refused(void **state)
{
    (void)state;
    static struct house h;
    struct house_relay r = {.number = 50,
                            .role = ROLE_MIX,
                            .epoch = 1,
                            .bandwidth = 100,
                            .seats = ALL,
                            .zero_key = true};
    char where[JSON_WHERE_LEN];
    uint8_t *bytes, id[32];
    size_t len;
    house_make(&h, 1, test_seed());
    house_start_all(&h);
    relays_upload(&h, 1, ALL);
    assert_int_equal(house_upload(&h, &r), ERR_POINT);
    house_descriptor(&h, &r, &bytes, &len);
    assert_int_equal(
        authority_descriptor(h.seat[0].face[0].authority, bytes, len, where),
        ERR_POINT);
    free(bytes);
    assert_string_equal(where, "sphinx_keys.2");
    house_run(&h, 1);
    house_relay_id(50, id);
    assert_int_equal(h.seat[0].newest->n_relays, 13);
    assert_int_equal(consensus_find(h.seat[0].newest, id), -1);
    house_free(&h);
}

static int
texts_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Authorities may lie and list it, all of them: whoever counts their votes
 * leaves it out, so an honest one signs no consensus with it. */
static void
i2_no_majority_lists_a_key_without_secrets(void **state)
{
    (void)state;
    enum { N = 4, RELAYS = 14 };
    static struct house h;
    const uint8_t random[32] = {5}, ids[N][SPHINX_ID_LEN] = {{0}};
    char *text[RELAYS];
    struct vote vote = {.network = "test", .epoch = 3}, *votes[N];
    struct consensus *c;
    for (unsigned zero = 0; zero < 2; zero++) {
        uint8_t id[32];
        house_make(&h, N, test_seed());
        vote.params = h.params;
        vote.params_text = (char[]){"the same"};
        for (uint8_t i = 0; i < RELAYS; i++) {
            const bool last = i + 1 == RELAYS;
            const struct house_relay r = {.number = i,
                                          .role = last ? ROLE_MIX : role_of(i),
                                          .epoch = 1,
                                          .bandwidth = 100,
                                          .zero_key = last && zero};
            uint8_t *bytes;
            size_t len;
            house_descriptor(&h, &r, &bytes, &len);
            text[i] = strndup((char *)bytes, len);
            free(bytes);
        }
        qsort(text, RELAYS, sizeof *text, texts_order);
        vote.descriptors = text;
        vote.n = RELAYS;
        for (size_t i = 0; i < N; i++)
            votes[i] = &vote;
        assert_int_equal(tally_votes(&c, votes, N, ids, N, random,
                                     HOUSE_GENESIS, &(struct tally_opened){0}),
                         0);
        house_relay_id(RELAYS - 1, id);
        assert_int_equal(c->n_relays, RELAYS - zero);
        assert_int_equal(consensus_find(c, id) < 0, zero);
        consensus_free(&c);
        for (uint8_t i = 0; i < RELAYS; i++)
            free(text[i]);
        house_free(&h);
    }
}

/* Each recipient gets what one face of seat 3 says. */
static bool
by_face(void *ctx, const struct house_face *from, size_t to,
        enum authority_output what, enum document_kind kind, uint64_t *delay_ms)
{
    (void)ctx;
    (void)what;
    (void)kind;
    *delay_ms = 10;
    return !from->seat->liar ||
           (size_t)(from - from->seat->face) == to % HOUSE_FACES;
}

/* Whoever votes twice is excluded, also when each of the others heard but one
 * of the votes, and there is evidence. */
static void
two_votes_exclude(void **state)
{
    (void)state;
    static struct house h;
    house_make(&h, 4, test_seed());
    h.carry = by_face;
    for (size_t i = 0; i < 4; i++)
        house_start(&h, i, i == 3 ? 2 : 1);
    relays_upload(&h, 1, ALL);
    house_run(&h, 1);
    for (size_t i = 0; i < 3; i++) {
        struct authority_status s;
        authority_status(h.seat[i].face[0].authority, &s);
        assert_int_equal(s.epoch, 1);
        assert_memory_equal(h.seat[i].newest->digest, h.seat[0].newest->digest,
                            32);
        assert_int_equal(h.seat[i].evidence, 8);
    }
    house_run(&h, 2 * LEN_MS - 1);
    house_check_safety(&h);
    house_free(&h);
}

/* Face 0 of seat 3 speaks to all; face 1 says something else, to seat 0 alone,
 * when the rounds are nearly over. */
static bool
late_to_one(void *ctx, const struct house_face *from, size_t to,
            enum authority_output what, enum document_kind kind,
            uint64_t *delay_ms)
{
    const struct house *h = ctx;
    (void)what;
    *delay_ms = 10;
    if (from != &h->seat[3].face[1])
        return true;
    if (kind == DOCUMENT_CLAIM)
        *delay_ms = (uint64_t)(house_ms(h, 1, SCHEDULE_OPEN) -
                               house_ms(h, 1, SCHEDULE_VOTE)) -
                    100;
    return to == 0;
}

/* A vote that its author alone has signed by then does not count any more: the
 * others could not learn of it in time. */
static void
a_late_vote_does_not_count(void **state)
{
    (void)state;
    static struct house h;
    house_make(&h, 4, test_seed());
    h.carry = late_to_one;
    h.ctx = &h;
    for (size_t i = 0; i < 4; i++)
        house_start(&h, i, i == 3 ? 2 : 1);
    relays_upload(&h, 1, ALL);
    house_run(&h, 1);
    for (size_t i = 0; i < 3; i++) {
        struct authority_status s;
        authority_status(h.seat[i].face[0].authority, &s);
        assert_int_equal(s.epoch, 1);
        assert_int_equal(s.votes, 4);
        assert_int_equal(h.seat[i].evidence, i == 0 ? 8 : 0);
    }
    house_free(&h);
}

/* Those whose bit is set open no shares to anybody. */
static bool
withheld(void *ctx, const struct house_face *from, size_t to,
         enum authority_output what, enum document_kind kind,
         uint64_t *delay_ms)
{
    const unsigned *who = ctx;
    (void)to;
    (void)what;
    *delay_ms = 10;
    return kind != DOCUMENT_SHARES || !(*who >> from->seat->number & 1);
}

/* The consensus of a house in which some withhold; the value in it. */
static bool
withhold(size_t n, unsigned who, uint8_t value[static 32])
{
    static struct house h;
    bool all = true;
    house_make(&h, n, test_seed());
    h.carry = withheld;
    h.ctx = &who;
    house_start_all(&h);
    for (uint8_t i = 1; i < 5; i++) /* few, to be quick */
        assert_int_equal(relay_upload(&h, i == 1 ? 0 : i,
                                      i == 1 ? ROLE_GATEWAY : ROLE_MIX, 1, ALL),
                         0);
    assert_int_equal(relay_upload(&h, 11, ROLE_STORE, 1, ALL), 0);
    house_run(&h, 1);
    for (size_t i = 0; i < n; i++)
        all = all && house_epoch(&h, i) == 1;
    if (all)
        memcpy(value, h.seat[0].newest->shared_random, 32);
    house_free(&h);
    return all;
}

/* Every pattern of withholding: the shared value is the one that it would have
 * been, as long as f + 1 open what was dealt, and there is none otherwise. Each
 * one sees what it has opened itself, so it takes one other less. */
static void
nobody_withholds_the_value(void **state)
{
    (void)state;
    static const struct {
        size_t n;
        unsigned step;
    } row[] = {{4, 1}, {7, 9}};
    for (size_t k = 0; k < 2; k++) {
        const size_t n = row[k].n, f = schedule_faults(n);
        uint8_t right[32], value[32];
        assert_true(withhold(n, 0, right));
        for (unsigned who = 1; who < 1u << n; who += row[k].step) {
            const size_t open = n - (size_t)__builtin_popcount(who);
            const bool all = withhold(n, who, value);
            if (open >= f + 1)
                assert_true(all);
            if (open < f)
                assert_false(all);
            if (all)
                assert_memory_equal(value, right, 32);
        }
    }
}

/* Sign as authority `who` that it votes in this epoch for what digests to (mark,
 * 0, ..). *out is malloc'd. Returns its length. */
static size_t
claim_sign(const struct house *h, size_t who, uint32_t epoch, uint8_t mark,
           uint8_t **out)
{
    struct claim c = {
        .network = "test", .epoch = epoch, .len = 5, .digest = {mark}};
    static struct document d;
    const struct house_seat *s = &h->seat[who];
    struct document_key key;
    char *body;
    size_t len;
    memset(&d, 0, sizeof d);
    memcpy(c.author, h->network.authorities[who].identity, sizeof c.author);
    d.kind = DOCUMENT_CLAIM;
    assert_int_equal(json_write_claim(&c, &body, &d.body_len), 0);
    d.body = (const uint8_t *)body;
    document_key_direct(&key, s->identity_seed);
    key.seed = s->seed;
    key.cert = &s->cert;
    assert_int_equal(document_sign(&d, &key), 0);
    assert_int_equal(document_write(&d, out, &len), 0);
    free(body);
    return len;
}

/* Claims of old epochs are public, and whoever has them may send them again, as
 * often as he can: none of their signatures is verified. */
static void
i11_old_claims_cost_nothing(void **state)
{
    (void)state;
    static struct house h;
    house_make(&h, 4, test_seed());
    house_start_all(&h);
    relays_upload(&h, 1, ALL);
    run_to(&h, 1);
    house_run(&h, house_ms(&h, 1, SCHEDULE_VALID) + 1);
    struct authority *a = h.seat[0].face[0].authority;
    for (uint32_t epoch = 1; epoch <= 2; epoch++) {
        uint8_t *bytes;
        const size_t len = claim_sign(&h, 2, epoch, 7, &bytes);
        char *sig = memmem(bytes, len, "\nsig ", 5);
        assert_non_null(sig);
        sig += 5 + 64 + 1; /* the signature follows its signer */
        *sig = *sig == '0' ? '1' : '0';
        assert_int_equal(authority_take(a, bytes, len),
                         epoch == authority_target(a) ? ERR_SIGNATURE
                                                      : ERR_STALE);
        free(bytes);
    }
    assert_int_equal(authority_target(a), 2);
    house_free(&h);
}

/* Evidence convicts whom it should, and no change of it anybody. */
static void
evidence_convicts(void **state)
{
    (void)state;
    static struct house h;
    uint8_t both[8192], who[SPHINX_ID_LEN], *bytes;
    size_t len[2], total = 0;
    uint32_t epoch;
    house_make(&h, 4, test_seed());
    for (uint8_t i = 0; i < 2; i++) {
        len[i] = claim_sign(&h, 2, 3, i, &bytes);
        memcpy(both + total, bytes, len[i]);
        total += len[i];
        free(bytes);
    }
    assert_int_equal(evidence_check(&h.network, both, total, who, &epoch), 0);
    assert_memory_equal(who, h.network.authorities[2].identity, sizeof who);
    assert_int_equal(epoch, 3);
    for (size_t i = 0; i < total; i++) {
        both[i] ^= 1;
        assert_int_not_equal(
            evidence_check(&h.network, both, total, who, &epoch), 0);
        both[i] ^= 1;
    }
    assert_int_equal(evidence_check(&h.network, both, len[0], who, &epoch),
                     ERR_SHORT);
    memcpy(both + len[0], both, len[0]); /* the same twice */
    assert_int_equal(evidence_check(&h.network, both, 2 * len[0], who, &epoch),
                     ERR_CONFLICT);
    house_free(&h);
}

/* I9: an authority that dies at any time comes back with what it kept and the
 * epoch is not missed, though it is the only one. */
static void
i9_a_restart_misses_nothing(void **state)
{
    (void)state;
    static const enum schedule_phase phases[] = {SCHEDULE_HELLO, SCHEDULE_VOTE,
                                                 SCHEDULE_OPEN, SCHEDULE_SIGN,
                                                 SCHEDULE_PUBLISH};
    static struct house h;
    house_make(&h, 1, test_seed());
    house_start_all(&h);
    for (uint32_t epoch = 1; epoch <= 5; epoch++) {
        relays_upload(&h, epoch, ALL);
        house_run(&h, house_ms(&h, epoch, phases[epoch - 1]) + 100);
        house_stop(&h, 0);
        house_start(&h, 0, 1);
        if (epoch == 1) /* descriptors come again by themselves */
            relays_upload(&h, epoch, ALL);
        run_to(&h, epoch);
        assert_int_equal(house_epoch(&h, 0), epoch);
        assert_int_equal(h.seat[0].newest->n_relays, 13);
        house_run(&h, house_ms(&h, epoch, SCHEDULE_VALID) + 1);
    }
    house_check_safety(&h);
    house_free(&h);
}

/* Without its disk it must not vote in an epoch in which it may have voted. */
static void
a_lost_disk_abstains(void **state)
{
    (void)state;
    static struct house h;
    house_make(&h, 4, test_seed());
    house_start_all(&h);
    relays_upload(&h, 1, ALL);
    house_run(&h, house_ms(&h, 1, SCHEDULE_VOTE) - 100);
    house_stop(&h, 2);
    h.seat[2].lost_disk = true;
    house_start(&h, 2, 1);
    run_to(&h, 1);
    struct authority_status s;
    authority_status(h.seat[0].face[0].authority, &s);
    assert_int_equal(s.epoch, 1);
    assert_int_equal(s.votes, 3);
    assert_int_equal(h.signed_[0].signers, 11);
    assert_int_equal(house_epoch(&h, 2), 1); /* it has the others' */
    house_run(&h, 1);
    relays_upload(&h, 2, ALL);
    run_to(&h, 2);
    authority_status(h.seat[0].face[0].authority, &s);
    assert_int_equal(s.votes, 4);
    house_free(&h);
}

/* Started by a clock that is years off, it has its consensus and the relays that
 * came before, which do not come again; when the clock is right no epoch is
 * missed, and everybody is where he was. */
static void
i10_a_start_by_a_wrong_clock_loses_nothing(void **state)
{
    (void)state;
    for (unsigned back = 0; back < 2; back++) {
        static struct house h;
        uint8_t layer[13];
        house_make(&h, 1, test_seed());
        house_start_all(&h);
        for (uint32_t epoch = 1; epoch <= 2; epoch++) {
            relays_upload(&h, epoch, ALL);
            house_run(&h, house_ms(&h, epoch, SCHEDULE_VALID) + 1);
        }
        for (size_t i = 0; i < 13; i++)
            layer[i] = h.seat[0].newest->relays[i].layer;
        relays_upload(&h, 3, ALL);
        house_stop(&h, 0);
        h.seat[0].ahead_ms = (back ? -30000LL : 30000LL) * LEN_MS;
        house_start(&h, 0, 1);
        house_run(&h, house_ms(&h, 2, SCHEDULE_VALID) + 2000);
        const struct consensus *c =
            authority_newest(h.seat[0].face[0].authority);
        assert_non_null(c);
        assert_int_equal(c->epoch, 2);
        h.seat[0].ahead_ms = 0;
        run_to(&h, 3);
        assert_int_equal(house_epoch(&h, 0), 3);
        assert_int_equal(h.seat[0].newest->n_relays, 13);
        for (size_t i = 0; i < 13; i++)
            assert_int_equal(h.seat[0].newest->relays[i].layer, layer[i]);
        house_free(&h);
    }
}

/* All that happens before a consensus happens by a clock that is a day ahead, and
 * relays' are too: it is over before the clock is believed, so that epoch is not
 * used up, and the one under way is not missed. */
static void
i10_a_look_uses_up_no_epoch(void **state)
{
    (void)state;
    enum { FAR = 26 };
    static struct house h;
    struct authority_status s;
    house_make(&h, 1, test_seed());
    house_start_all(&h);
    relays_upload(&h, 1, ALL);
    house_run(&h, 1);
    relays_upload(&h, 2, ALL);
    const int64_t at_ms = LEN_MS / 8;
    house_run(&h, at_ms);
    const size_t n_signed = h.n_signed;
    h.seat[0].ahead_ms = house_ms(&h, FAR, SCHEDULE_HELLO) - at_ms - 100;
    relays_upload(&h, FAR, ALL);
    house_run(&h, at_ms + house_ms(&h, FAR, SCHEDULE_PUBLISH) -
                      house_ms(&h, FAR, SCHEDULE_HELLO) + 1000);
    authority_status(h.seat[0].face[0].authority, &s);
    assert_int_equal(s.target, 2);
    assert_int_equal(h.n_signed, n_signed);
    assert_int_equal(house_epoch(&h, 0), 1);
    h.seat[0].ahead_ms = 0;
    run_to(&h, 2);
    assert_int_equal(house_epoch(&h, 0), 2);
    assert_int_equal(h.seat[0].newest->n_relays, 13);
    house_free(&h);
}

/* A clock that is an epoch ahead for a second has one of four cast its vote when
 * nobody listens: in its time the vote is said again, and counts. */
static void
i10_an_early_vote_is_said_again(void **state)
{
    (void)state;
    static struct house h;
    struct authority_status s;
    house_make(&h, 4, test_seed());
    house_start_all(&h);
    relays_upload(&h, 1, ALL);
    house_run(&h, 1);
    relays_upload(&h, 2, ALL);
    house_run(&h, house_ms(&h, 2, SCHEDULE_HELLO) - 2000);
    h.seat[3].ahead_ms =
        house_ms(&h, 3, SCHEDULE_VOTE) - house_ms(&h, 2, SCHEDULE_HELLO) + 2000;
    house_run(&h, house_ms(&h, 2, SCHEDULE_HELLO) - 500);
    authority_status(h.seat[3].face[0].authority, &s);
    assert_int_equal(s.target, 3);
    h.seat[3].ahead_ms = 0;
    run_to(&h, 2);
    house_run(&h, house_ms(&h, 2, SCHEDULE_VALID));
    relays_upload(&h, 3, ALL);
    run_to(&h, 3);
    for (size_t i = 0; i < 4; i++) {
        authority_status(h.seat[i].face[0].authority, &s);
        assert_int_equal(s.epoch, 3);
        assert_int_equal(s.votes, 4);
        assert_int_equal(h.seat[i].evidence, 0);
    }
    house_free(&h);
}

/* What a relay says of its bandwidth counts up to four medians of its role. */
static void
nobody_draws_a_layer(void **state)
{
    (void)state;
    /* gateways, mixes, stores; then what comes of them */
    static const uint32_t says[13] = {10,  100000000, 5,        7,   90,
                                      100, 100,       120,      400, 403,
                                      404, 0,         100000000},
                          counts[13] = {10,  43,  5,   7,   90, 100, 100,
                                        120, 400, 403, 403, 0,  3};
    static struct house h;
    house_make(&h, 1, test_seed());
    house_start_all(&h);
    for (uint8_t i = 0; i < 13; i++) {
        const struct house_relay r = {.number = i,
                                      .role = role_of(i),
                                      .epoch = 1,
                                      .bandwidth = says[i],
                                      .seats = ALL};
        assert_int_equal(house_upload(&h, &r), 0);
    }
    house_run(&h, 1);
    const struct consensus *c = h.seat[0].newest;
    assert_int_equal(c->n_relays, 13);
    for (uint8_t i = 0; i < 13; i++) {
        uint8_t id[32];
        house_relay_id(i, id);
        assert_int_equal(c->relays[consensus_find(c, id)].bandwidth, counts[i]);
    }
    house_free(&h);
}

/* New mixes go where bandwidth is least; a layer left behind gets relays. */
static void
layers_stay_even(void **state)
{
    (void)state;
    static struct house h;
    house_make(&h, 1, test_seed());
    house_start_all(&h);
    relays_upload(&h, 1, ALL);
    house_run(&h, 1);
    const struct consensus *c = h.seat[0].newest;
    /* all mixes of layer 1 leave: they upload no more, and keys run out */
    uint8_t gone[3], n = 0;
    for (uint8_t k = 2; k < 11; k++) {
        uint8_t id[32];
        house_relay_id(k, id);
        if (c->relays[consensus_find(c, id)].layer == 1)
            gone[n++] = k;
    }
    assert_int_equal(n, 3);
    for (uint32_t epoch = 2; epoch <= 5; epoch++) {
        for (uint8_t k = 0; k < 13; k++)
            if (k != gone[0] && k != gone[1] && k != gone[2])
                assert_int_equal(relay_upload(&h, k, role_of(k), epoch, ALL),
                                 0);
        house_run(&h, (epoch - 1) * LEN_MS + 1);
        assert_int_equal(house_epoch(&h, 0), epoch);
    }
    c = h.seat[0].newest;
    assert_int_equal(c->n_relays, 10);
    for (unsigned layer = 1; layer <= 3; layer++) {
        size_t count;
        consensus_layer(c, layer, &count);
        assert_in_range(count, 1, 3);
    }
    house_free(&h);
}

static void
network_files_go_round(void **state)
{
    (void)state;
    struct network n = {.genesis_s = 5, .epoch_len_s = 30, .n_authorities = 2};
    struct network back;
    char *text, where[JSON_WHERE_LEN];
    size_t len;
    sphinx_geometry_default(&n.geometry);
    strcpy(n.name, "here");
    n.authorities[1].identity[0] = 9;
    strcpy(n.authorities[0].address, "127.0.0.1:7000");
    strcpy(n.authorities[1].address, "127.0.0.1:7001");
    n.n_gateways = 1;
    strcpy(n.gateways[0].address, "[::1]:7100");
    assert_int_equal(json_write_network(&n, &text, &len), 0);
    assert_int_equal(json_read_network(&back, (uint8_t *)text, len, where), 0);
    assert_memory_equal(&n, &back, sizeof n);
    free(text);
    n.authorities[1].identity[0] = 0;
    assert_int_equal(json_write_network(&n, &text, &len), 0);
    assert_int_equal(json_read_network(&back, (uint8_t *)text, len, where),
                     ERR_DUPLICATE);
    assert_string_equal(where, "authorities");
    free(text);
    n.authorities[1].identity[0] = 9;
    n.geometry.suite = 9;
    assert_int_equal(json_write_network(&n, &text, &len), 0);
    assert_int_equal(json_read_network(&back, (uint8_t *)text, len, where),
                     ERR_SUITE);
    assert_string_equal(where, "geometry");
    free(text);
}

const struct CMUnitTest test_authority[] = {
    cmocka_unit_test(one_agrees),
    cmocka_unit_test(four_agree),
    cmocka_unit_test(seven_agree),
    cmocka_unit_test(thresholds),
    cmocka_unit_test(half_have_to_list),
    cmocka_unit_test(hibernation_is_kept),
    cmocka_unit_test(i10_lossy_relays_are_left_out),
    cmocka_unit_test(descriptors_are_judged),
    cmocka_unit_test(i2_a_key_without_secrets_is_refused),
    cmocka_unit_test(i2_no_majority_lists_a_key_without_secrets),
    cmocka_unit_test(two_votes_exclude),
    cmocka_unit_test(a_late_vote_does_not_count),
    cmocka_unit_test(nobody_withholds_the_value),
    cmocka_unit_test(i11_old_claims_cost_nothing),
    cmocka_unit_test(evidence_convicts),
    cmocka_unit_test(i9_a_restart_misses_nothing),
    cmocka_unit_test(a_lost_disk_abstains),
    cmocka_unit_test(i10_a_start_by_a_wrong_clock_loses_nothing),
    cmocka_unit_test(i10_a_look_uses_up_no_epoch),
    cmocka_unit_test(i10_an_early_vote_is_said_again),
    cmocka_unit_test(nobody_draws_a_layer),
    cmocka_unit_test(layers_stay_even),
    cmocka_unit_test(network_files_go_round),
};
TEST_SUITE(test_authority);
