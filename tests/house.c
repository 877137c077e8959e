/* tests/house.c - see house.h. */
#include "tests/house.h"

#include "tests/runner.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory/daemon/disk.h"
#include "directory/evidence.h"
#include "directory/vote.h"
#include "network/descriptor.h"

enum { START_MS = 1000, USUAL_DELAY_MS = 10 };
#define GENESIS_MS ((uint64_t)HOUSE_GENESIS * 1000)

enum event_kind { DOCUMENT, QUESTION, VOTE, CONSENSUS };

struct house_event {
    struct house_event *next;
    uint64_t at_ms;
    enum event_kind kind;
    enum authority_output what;
    struct house_seat *to;
    struct house_face *face; /* who asked, or gets the answer */
    size_t len;
    uint8_t bytes[];
};

/* ---- messages ---- */

static void
event_add(struct house *h, const struct house_face *from, size_t to,
          struct house_face *face, enum event_kind kind,
          enum authority_output what, const uint8_t *bytes, size_t len)
{
    uint64_t delay_ms = USUAL_DELAY_MS;
    struct house_event **at = &h->events;
    enum document_kind document =
        kind == DOCUMENT ? document_kind_of(bytes, len) : 0;
    if (h->carry && !h->carry(h->ctx, from, to, what, document, &delay_ms))
        return;
    struct house_event *e = malloc(sizeof *e + len);
    assert_non_null(e);
    *e = (struct house_event){.at_ms = h->now_ms + delay_ms,
                              .kind = kind,
                              .what = what,
                              .to = &h->seat[to],
                              .face = face,
                              .len = len};
    if (len)
        memcpy(e->bytes, bytes, len);
    while (*at && (*at)->at_ms <= e->at_ms)
        at = &(*at)->next;
    e->next = *at;
    *at = e;
    h->messages++;
}

/* Remember who has signed what; a liar's notes are all seen here. */
static void
signature_note_down(struct house *h, size_t who, const uint8_t *bytes,
                    size_t len)
{
    struct document *d = malloc(sizeof *d);
    struct signature_note s;
    char where[JSON_WHERE_LEN];
    size_t i = 0;
    assert_non_null(d);
    assert_int_equal(document_parse(d, DOCUMENT_SIGNATURE, bytes, len), 0);
    assert_int_equal(json_read_signature(&s, d->body, d->body_len, where), 0);
    while (i < h->n_signed &&
           (h->signed_[i].epoch != s.epoch ||
            memcmp(h->signed_[i].hash, s.hash, sizeof s.hash) != 0))
        i++;
    if (i == h->n_signed) {
        h->signed_ = realloc(h->signed_, ++h->n_signed * sizeof *h->signed_);
        assert_non_null(h->signed_);
        h->signed_[i].epoch = s.epoch;
        h->signed_[i].signers = 0;
        memcpy(h->signed_[i].hash, s.hash, sizeof s.hash);
    }
    h->signed_[i].signers |= 1u << who;
    free(d);
}

void
house_check_safety(const struct house *h)
{
    for (size_t i = 0; i < h->n_signed; i++)
        for (size_t k = 0; k < i; k++)
            assert_false(h->signed_[i].epoch == h->signed_[k].epoch &&
                         (size_t)__builtin_popcount(h->signed_[i].signers) >=
                             document_two_thirds(h->n) &&
                         (size_t)__builtin_popcount(h->signed_[k].signers) >=
                             document_two_thirds(h->n));
}

/* ---- memory ---- */

static void
face_arm(const struct house_face *f)
{
    if (f->seat->house->heap && f->seat->number == 0)
        heap_arm(f->seat->house->heap);
}

static void
face_disarm(const struct house_face *f)
{
    if (f->seat->house->heap)
        heap_disarm(f->seat->house->heap);
}

/* ---- a seat ---- */

static void
kept_put(struct house_seat *s, enum authority_output what, uint32_t epoch,
         uint32_t floor, const uint8_t *bytes, size_t len)
{
    size_t i = 0;
    /* promises and one consensus; what is of no use any more goes */
    while (i < s->n_kept &&
           !(s->kept[i].what == what &&
             ((what != AUTHORITY_KEEP_VOTE && what != AUTHORITY_KEEP_HEARD &&
               what != AUTHORITY_KEEP_DESCRIPTOR) ||
              (what == AUTHORITY_KEEP_HEARD && s->kept[i].epoch != epoch) ||
              s->kept[i].epoch +
                      (what == AUTHORITY_KEEP_DESCRIPTOR ? KEYS_AHEAD : 0) <
                  floor)))
        i++;
    if (i == s->n_kept) {
        assert_true(s->n_kept < HOUSE_KEPT_MAX);
        s->kept[s->n_kept++] = (struct house_bytes){0};
    }
    struct house_bytes *k = &s->kept[i];
    free(k->bytes);
    *k = (struct house_bytes){malloc(len), len, what, epoch};
    assert_non_null(k->bytes);
    memcpy(k->bytes, bytes, len);
}

static void
consensus_note(struct house_seat *s, const uint8_t *bytes, size_t len)
{
    const struct house *h = s->house;
    uint8_t ids[HOUSE_MAX][32];
    char where[JSON_WHERE_LEN];
    struct document *d = malloc(sizeof *d);
    assert_non_null(d);
    for (size_t i = 0; i < h->n; i++)
        memcpy(ids[i], h->network.authorities[i].identity, 32);
    assert_int_equal(document_open(d, DOCUMENT_CONSENSUS, bytes, len,
                                   (const uint8_t(*)[32])ids, h->n,
                                   document_two_thirds(h->n)),
                     0);
    consensus_free(&s->newest);
    assert_int_equal(
        json_read_consensus(&s->newest, d->body, d->body_len, where), 0);
    document_digest(d, s->newest->digest);
    free(d);
}

/* The sorted place of an identity is what documents speak of. */
static size_t
seat_of(const struct house *h, const uint8_t *identity)
{
    for (size_t i = 0; i < h->n; i++)
        if (memcmp(h->network.authorities[i].identity, identity, 32) == 0)
            return i;
    fail();
    return 0;
}

static int
face_publish(struct house_face *f, enum authority_output what, uint32_t epoch,
             const uint8_t *bytes, size_t len)
{
    struct house_seat *s = f->seat;
    struct house *h = s->house;
    uint8_t accused[SPHINX_ID_LEN];
    uint32_t against;
    switch (what) {
    case AUTHORITY_KEEP_CONSENSUS:
        consensus_note(s, bytes, len);
        break;
    case AUTHORITY_EVIDENCE:
        assert_int_equal(
            evidence_check(&h->network, bytes, len, accused, &against), 0);
        assert_int_equal(against, epoch);
        s->evidence |= 1u << seat_of(h, accused);
        return 0;
    case AUTHORITY_SEND:
        if (document_kind_of(bytes, len) == DOCUMENT_SIGNATURE)
            signature_note_down(h, s->number, bytes, len);
        for (size_t to = 0; to < h->n; to++)
            if (to != s->number)
                event_add(h, f, to, NULL, DOCUMENT, what, bytes, len);
        return 0;
    case AUTHORITY_WANT:
    case AUTHORITY_ASK:
        for (size_t to = 0; to < h->n; to++)
            if (to != s->number)
                event_add(h, f, to, f, QUESTION, what, bytes, len);
        return 0;
    default:
        break;
    }
    if (s->full_disk)
        return ERR_IO;
    if (!s->liar)
        kept_put(s, what, epoch, authority_floor(f->authority), bytes, len);
    return 0;
}

/* What arrives there is memory of the others. */
static int
publish(void *ctx, enum authority_output what, uint32_t epoch,
        const uint8_t *bytes, size_t len)
{
    const bool armed = heap_pause();
    int err = face_publish(ctx, what, epoch, bytes, len);
    heap_resume(armed);
    return err;
}

/* Load what the seat's disk has of this kind, of this epoch, 0: all. */
static int
kept_load(struct house_face *f, enum authority_output what, uint32_t epoch)
{
    const struct house_seat *s = f->seat;
    int first = 0;
    for (size_t k = 0; k < s->n_kept; k++) {
        if (s->kept[k].what != what || (epoch && s->kept[k].epoch != epoch))
            continue;
        int err = authority_load(f->authority, what, s->kept[k].bytes,
                                 s->kept[k].len);
        /* PEER: signed while a certificate was not of that epoch; EXISTS: taken
         * again after a jump */
        assert_true(err == 0 || err == ERR_STALE || err == ERR_FUTURE ||
                    err == ERR_PEER || err == ERR_EXISTS ||
                    (err == ERR_NOMEM && s->house->heap));
        first = first ? first : err;
    }
    return first;
}

/* What cannot be loaded makes it abstain without being told. */
static int
recall(void *ctx, uint32_t epoch)
{
    (void)kept_load(ctx, AUTHORITY_KEEP_VOTE, epoch);
    (void)kept_load(ctx, AUTHORITY_KEEP_HEARD, epoch);
    return 0;
}

static void
face_time(struct house_face *f)
{
    const struct house *h = f->seat->house;
    const uint64_t wall_ms = GENESIS_MS + h->now_ms +
                             (uint64_t)f->seat->ahead_ms -
                             (uint64_t)HOUSE_LEN_S * 1000;
    f->env.mono_us = h->now_ms * 1000;
    f->env.wall_s = wall_ms / 1000;
    f->env.wall_ms = wall_ms % 1000;
}

void
house_start(struct house *h, size_t seat, size_t faces)
{
    struct house_seat *s = &h->seat[seat];
    s->liar = faces > 1;
    for (; s->lost_disk && s->n_kept > 0; s->n_kept--)
        free(s->kept[s->n_kept - 1].bytes);
    for (size_t i = 0; i < faces; i++) {
        struct house_face *f = &s->face[i];
        struct authority_config config = {.env = &f->env.env,
                                          .network = &h->network,
                                          .params = h->params,
                                          .abstain = s->lost_disk,
                                          .publish = publish,
                                          .recall = recall,
                                          .ctx = f};
        document_key_direct(&config.key, s->identity_seed);
        config.key.seed = s->seed;
        config.key.cert = &s->cert;
        config.share_secret[0] = s->share_secret;
        assert_null(f->authority);
        f->seat = s;
        test_env_init(&f->env, rng_seeded_u64(&h->rng));
        face_time(f);
        face_arm(f);
        int err = authority_new(&f->authority, &config);
        face_disarm(f);
        if (err == ERR_NOMEM && h->heap)
            err = authority_new(&f->authority, &config);
        assert_int_equal(err, 0);
        static const enum authority_output order[] = {
            AUTHORITY_KEEP_CONSENSUS, AUTHORITY_KEEP_PROMISES,
            AUTHORITY_KEEP_DESCRIPTOR, AUTHORITY_KEEP_VOTE,
            AUTHORITY_KEEP_HEARD};
        for (size_t k = 0; k < sizeof order / sizeof order[0]; k++) {
            face_arm(f);
            (void)kept_load(f, order[k], 0);
            face_disarm(f);
        }
    }
    s->lost_disk = false;
}

void
house_start_all(struct house *h)
{
    for (size_t i = 0; i < h->n; i++)
        house_start(h, i, 1);
}

void
house_stop(struct house *h, size_t seat)
{
    for (size_t i = 0; i < HOUSE_FACES; i++)
        authority_free(&h->seat[seat].face[i].authority);
}

static void
seat_make(struct house *h, size_t i)
{
    struct house_seat *s = &h->seat[i];
    struct document_key identity, key;
    s->house = h;
    s->number = i;
    memset(s->identity_seed, (int)(i + 1), sizeof s->identity_seed);
    memset(s->seed, (int)(i + 101), sizeof s->seed);
    document_key_direct(&identity, s->identity_seed);
    document_key_direct(&key, s->seed);
    memcpy(h->network.authorities[i].identity, identity.identity, 32);
    s->cert = (struct certificate){.from_s = HOUSE_GENESIS - 86400,
                                   .until_s = HOUSE_GENESIS + 86400u * 99};
    memcpy(s->cert.key, key.identity, 32);
    share_keypair(s->cert.share_key, s->share_secret, s->seed);
    certificate_sign(&s->cert, s->identity_seed);
}

void
house_make(struct house *h, size_t n, uint64_t seed)
{
    memset(h, 0, sizeof *h);
    rng_seeded_init_u64(&h->rng, seed, "house");
    h->n = n;
    strcpy(h->network.name, "test");
    h->network.genesis_s = HOUSE_GENESIS;
    h->network.epoch_len_s = HOUSE_LEN_S;
    h->network.n_authorities = n;
    params_default(&h->params, HOUSE_LEN_S);
    h->network.geometry = h->params.geometry;
    for (size_t i = 0; i < n; i++)
        seat_make(h, i);
}

void
house_free(struct house *h)
{
    for (size_t i = 0; i < h->n; i++) {
        house_stop(h, i);
        for (size_t k = 0; k < h->seat[i].n_kept; k++)
            free(h->seat[i].kept[k].bytes);
        consensus_free(&h->seat[i].newest);
    }
    while (h->events) {
        struct house_event *e = h->events;
        h->events = e->next;
        free(e);
    }
    free(h->signed_);
}

/* ---- time ---- */

struct answer {
    struct house *house;
    struct house_face *from, *face;
};

static void
document_each(void *ctx, const uint8_t *bytes, size_t len)
{
    const struct answer *a = ctx;
    const bool armed = heap_pause();
    event_add(a->house, a->from, a->face->seat->number, a->face, DOCUMENT,
              AUTHORITY_ASK, bytes, len);
    heap_resume(armed);
}

/* Somebody asks this face. */
static void
question_answer(struct house *h, struct house_face *f,
                const struct house_event *e)
{
    struct answer a = {h, f, e->face};
    const size_t to = e->face->seat->number;
    uint32_t epoch;
    size_t len;
    const uint8_t *bytes;
    if (e->what == AUTHORITY_WANT) {
        bytes = authority_vote(f->authority, e->bytes, &len);
        if (bytes)
            event_add(h, f, to, e->face, VOTE, e->what, bytes, len);
        return;
    }
    bytes = authority_consensus(f->authority, &epoch, &len);
    if (bytes)
        event_add(h, f, to, e->face, CONSENSUS, e->what, bytes, len);
    face_arm(f);
    authority_documents(f->authority, document_each, &a);
    face_disarm(f);
}

static void
event_happen(struct house *h, struct house_event *e)
{
    for (size_t i = 0; i < HOUSE_FACES; i++) {
        struct house_face *f = &e->to->face[i];
        const bool answer = e->kind != QUESTION && e->face;
        if (!f->authority || (answer && e->face != f))
            continue;
        face_time(f);
        if (e->kind == QUESTION) {
            question_answer(h, f, e);
            continue;
        }
        face_arm(f);
        if (e->kind == DOCUMENT)
            (void)!authority_take(f->authority, e->bytes, e->len);
        else if (e->kind == VOTE)
            (void)!authority_take_vote(f->authority, e->bytes, e->len);
        else
            (void)!authority_take_consensus(f->authority, e->bytes, e->len);
        face_disarm(f);
    }
}

/* A certificate for the time that it is, as its daemon makes it. */
static void
face_renew(struct house_face *f)
{
    struct house_seat *s = f->seat;
    const uint64_t now_s = env_now_wall_s(&f->env.env);
    struct document_key key;
    const uint8_t *const share_secret[AUTHORITY_SHARE_KEYS] = {s->share_secret};
    if (!disk_is_due(&s->cert, now_s) || !authority_is_sure(f->authority))
        return;
    s->cert.from_s = now_s - 3600;
    s->cert.until_s = now_s + CERTIFICATE_DAYS * 86400;
    certificate_sign(&s->cert, s->identity_seed);
    document_key_direct(&key, s->identity_seed);
    key.seed = s->seed;
    key.cert = &s->cert;
    assert_int_equal(authority_rekey(f->authority, &key, share_secret), 0);
}

/* The next timer, UINT64_MAX when there is none. */
static struct house_face *
face_next(struct house *h, uint64_t *at_ms)
{
    struct house_face *best = NULL;
    *at_ms = UINT64_MAX;
    for (size_t i = 0; i < h->n * HOUSE_FACES; i++) {
        struct house_face *f = &h->seat[i / HOUSE_FACES].face[i % HOUSE_FACES];
        uint64_t due_ms = (f->env.timer_us + 999) / 1000;
        if (f->authority && due_ms < *at_ms) {
            *at_ms = due_ms;
            best = f;
        }
    }
    return best;
}

void
house_run(struct house *h, int64_t until_ms)
{
    const uint64_t end_ms = (uint64_t)(until_ms + HOUSE_LEN_S * 1000);
    for (;;) {
        uint64_t at_ms;
        struct house_face *f = face_next(h, &at_ms);
        struct house_event *e = h->events;
        if (e && e->at_ms <= at_ms)
            at_ms = e->at_ms;
        if (at_ms > end_ms)
            break;
        if (at_ms > h->now_ms)
            h->now_ms = at_ms;
        if (e && e->at_ms <= h->now_ms) {
            h->events = e->next;
            event_happen(h, e);
            free(e);
        } else {
            face_time(f);
            face_arm(f);
            authority_tick(f->authority);
            face_disarm(f);
            face_renew(f);
        }
    }
    h->now_ms = end_ms;
}

int64_t
house_ms(const struct house *h, uint32_t epoch, enum schedule_phase p)
{
    const struct schedule s = {HOUSE_GENESIS, HOUSE_LEN_S, h->n};
    return (int64_t)(schedule_ms(&s, epoch, p) - GENESIS_MS);
}

uint32_t
house_epoch(const struct house *h, size_t seat)
{
    return h->seat[seat].newest ? h->seat[seat].newest->epoch : 0;
}

/* ---- relays ---- */

void
house_relay_id(uint8_t number, uint8_t id[static SPHINX_ID_LEN])
{
    uint8_t seed[32] = {0xee, number}, secret[64];
    crypto_sign_seed_keypair(id, secret, seed);
}

static int
told_order(const void *a, const void *b)
{
    return memcmp(((const struct link_told *)a)->identity,
                  ((const struct link_told *)b)->identity, SPHINX_ID_LEN);
}

static void
links_say(struct descriptor *d, const struct house_relay *r)
{
    for (uint8_t i = 0; i < r->lossy; i++) {
        const uint8_t other = (uint8_t)(r->lossy_first + i);
        if (other == r->number)
            continue;
        struct link_told *l = &d->links[d->n_links++];
        house_relay_id(other, l->identity);
        l->sent = 1000;
        l->lost = r->lost_permille;
    }
    qsort(d->links, d->n_links, sizeof *d->links, told_order);
}

void
house_descriptor(const struct house *h, const struct house_relay *r,
                 uint8_t **bytes, size_t *len)
{
    struct descriptor d = {.epoch = r->epoch,
                           .n_keys = KEYS_AHEAD,
                           .hibernates_until_s = r->hibernates_until_s};
    uint8_t seed[32] = {0xee, r->number};
    memcpy(d.network, h->network.name, sizeof d.network);
    house_relay_id(r->number, d.relay.identity);
    links_say(&d, r);
    d.relay.role = r->role;
    d.relay.protocol_min = d.relay.protocol_max = 1;
    d.relay.bandwidth = r->bandwidth;
    d.relay.n_addresses = 1;
    snprintf(d.relay.addresses[0], ADDRESS_MAX, "127.0.0.1:%u",
             9000u + r->number);
    for (uint8_t i = 0; i < KEYS_AHEAD; i++) {
        uint8_t key_seed[32] = {r->number, (uint8_t)(r->epoch + i)};
        assert_int_equal(
            sphinx_keypair(&h->params.geometry, d.keys[i], key_seed), 0);
    }
    if (r->zero_key)
        memset(d.keys[KEYS_AHEAD - 1], 0, sizeof d.keys[0]);
    assert_int_equal(
        descriptor_sign(&d, h->params.geometry.public_len, seed, bytes, len),
        0);
}

int
house_upload(struct house *h, const struct house_relay *r)
{
    char where[JSON_WHERE_LEN];
    uint8_t *bytes;
    size_t len;
    int err = 0;
    house_descriptor(h, r, &bytes, &len);
    for (size_t i = h->n * HOUSE_FACES; i-- > 0;) {
        struct house_face *f = &h->seat[i / HOUSE_FACES].face[i % HOUSE_FACES];
        if (f->authority && r->seats >> (i / HOUSE_FACES) & 1) {
            face_time(f);
            face_arm(f);
            err = authority_descriptor(f->authority, bytes, len, where);
            face_disarm(f);
        }
    }
    free(bytes);
    return err;
}
