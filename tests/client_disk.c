/* tests/client_disk.c - see client_disk.h. */
#include "tests/client_disk.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lib/codec.h"
#include "tests/heap.h"
#include "tests/runner.h"
#include "tests/toy_kem.h"

/* ---- records ---- */

/* Where a key is, or belongs. */
static size_t
disk_place(const struct client_disk *d, const uint8_t *key, size_t key_len,
           bool *is_there)
{
    size_t i = 0;
    int order = -1;
    for (; i < d->n && order < 0; i++) {
        const struct disk_record *r = &d->record[i];
        order =
            memcmp(r->key, key, r->key_len < key_len ? r->key_len : key_len);
        if (order == 0 && r->key_len != key_len)
            order = r->key_len < key_len ? -1 : 1;
    }
    *is_there = order == 0;
    return order < 0 ? i : i - 1;
}

static void
disk_erase(struct client_disk *d, size_t i)
{
    free(d->record[i].value);
    memmove(&d->record[i], &d->record[i + 1],
            (--d->n - i) * sizeof d->record[0]);
}

static void
disk_insert(struct client_disk *d, size_t i, const uint8_t *key, size_t key_len)
{
    if (d->n == d->room) {
        d->room = 2 * d->room + 16;
        d->record = realloc(d->record, d->room * sizeof d->record[0]);
        assert_non_null(d->record);
    }
    memmove(&d->record[i + 1], &d->record[i],
            (d->n++ - i) * sizeof d->record[0]);
    d->record[i] = (struct disk_record){.key_len = key_len};
    memcpy(d->record[i].key, key, key_len);
}

static int
disk_apply(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
           size_t value_len)
{
    struct client_disk *d = ctx;
    bool is_there;
    size_t i = disk_place(d, key, key_len, &is_there);
    if (!value) {
        if (is_there)
            disk_erase(d, i);
        return 0;
    }
    if (!is_there)
        disk_insert(d, i, key, key_len);
    struct disk_record *r = &d->record[i];
    free(r->value);
    r->value = malloc(value_len + 1);
    assert_non_null(r->value);
    memcpy(r->value, value, value_len);
    r->len = value_len;
    return 0;
}

size_t
disk_count(const struct client_disk *d, char type,
           const struct disk_record **first)
{
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++)
        if (d->record[i].key[0] == type && n++ == 0 && first)
            *first = &d->record[i];
    return n;
}

void
disk_digest(const struct client_disk *d, uint8_t out[static DISK_DIGEST_LEN])
{
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, DISK_DIGEST_LEN);
    for (size_t i = 0; i < d->n; i++) {
        const struct disk_record *r = &d->record[i];
        uint8_t lens[16];
        codec_put64(lens, r->key_len);
        codec_put64(lens + 8, r->len);
        crypto_generichash_update(&h, lens, sizeof lens);
        crypto_generichash_update(&h, r->key, r->key_len);
        crypto_generichash_update(&h, r->value, r->len);
    }
    crypto_generichash_final(&h, out, DISK_DIGEST_LEN);
}

void
disk_copy(struct client_disk *to, const struct client_disk *from)
{
    while (to->n > 0)
        disk_erase(to, to->n - 1);
    for (size_t i = 0; i < from->n; i++) {
        const struct disk_record *r = &from->record[i];
        assert_int_equal(disk_apply(to, r->key, r->key_len, r->value, r->len),
                         0);
    }
}

/* ---- environment ---- */

static void
disk_read(const struct client_disk *d, struct env_store_req *req)
{
    bool is_there;
    size_t i = disk_place(d, req->letter, req->letter_len, &is_there);
    req->err = is_there ? 0 : ERR_NOT_FOUND;
    if (!is_there)
        return;
    req->value_len = d->record[i].len;
    req->value = malloc(req->value_len + 1);
    assert_non_null(req->value);
    memcpy(req->value, d->record[i].value, req->value_len);
}

static void
disk_answer(struct client_disk *d, struct env_store_req *req)
{
    bool armed = heap_pause();
    req->err = ERR_ROOM;
    if (req->op == ENV_STORE_READ)
        disk_read(d, req);
    else if (d->frozen)
        req->err = 0;
    else if (!d->full && req->ticket != d->kept + 1)
        req->err = ERR_AGAIN;
    else if (!d->full)
        req->err = journal_parse(req->letter, req->letter_len, disk_apply, d);
    if (req->op == ENV_STORE_APPEND && !req->err)
        d->kept = req->ticket;
    heap_resume(armed);
    req->done(req);
}

static void
disk_store(struct env *env, struct env_store_req *req)
{
    struct client_disk *d = (struct client_disk *)env;
    if (!d->slow && (!d->full || req->op == ENV_STORE_READ)) {
        disk_answer(d, req);
        return;
    }
    assert_true(d->n_held < DISK_HELD_MAX);
    d->held[d->n_held++] = req;
}

void
disk_release(struct client_disk *d)
{
    for (size_t i = 0; i < d->n_held; i++)
        disk_answer(d, d->held[i]);
    d->n_held = 0;
}

static int
disk_send(struct env *env, struct env_dest to, const uint8_t *frame, size_t len)
{
    (void)to;
    (void)frame;
    (void)len;
    ((struct client_disk *)env)->sent++;
    return 0;
}

void
disk_init(struct client_disk *d, uint64_t seed)
{
    *d = (struct client_disk){0};
    test_env_init(&d->test, seed);
    d->ops = *d->test.env.ops;
    d->ops.store = disk_store;
    d->ops.send = disk_send;
    d->test.env.ops = &d->ops;
}

void
disk_free(struct client_disk *d)
{
    disk_release(d);
    for (size_t i = 0; i < d->n; i++)
        free(d->record[i].value);
    free(d->record);
}

bool
disk_has(const struct client_disk *d, const void *what, size_t len)
{
    for (size_t i = 0; i < d->n; i++)
        for (size_t at = 0; at + len <= d->record[i].len; at++)
            if (memcmp(d->record[i].value + at, what, len) == 0)
                return true;
    return false;
}

/* ---- clients ---- */

int
disk_client_new(struct client_disk *d, const struct sim_net *n,
                struct client **out)
{
    struct client_config config = {.env = &d->test.env,
                                   .mlkem = &toy_kem,
                                   .n_authorities = 1,
                                   .n_gateways = 1};
    strcpy(config.profile, "default");
    strcpy(config.network, "test");
    memcpy(config.authorities[0], n->authority, SPHINX_ID_LEN);
    memcpy(config.gateways[0], n->consensus->relays[0].identity, SPHINX_ID_LEN);
    return client_new(out, &config);
}

int
disk_client_load(struct client_disk *d, const struct sim_net *n,
                 struct client **out)
{
    int err = disk_client_new(d, n, out);
    d->kept = 0;
    for (size_t i = 0; i < d->n && !err; i++) {
        const struct disk_record *r = &d->record[i];
        err = client_load(*out, r->key, r->key_len, r->value, r->len);
    }
    if (err)
        client_free(out);
    return err;
}

struct client *
disk_client(struct client_disk *d, const struct sim_net *n)
{
    struct client *c;
    assert_int_equal(disk_client_load(d, n, &c), 0);
    assert_int_equal(client_start(c), 0);
    if (!client_consensus(c))
        assert_int_equal(client_set_document(c, n->document, n->document_len),
                         0);
    client_link_up(c);
    return c;
}

void
disk_client_run(struct client_disk *d, struct client *c, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (d->test.timer_us > d->test.mono_us)
            d->test.mono_us = d->test.timer_us;
        if (!d->slow)
            disk_release(d);
        client_tick(c);
    }
}

void
disk_days_pass(struct client_disk *d, double days)
{
    const double s = 86400 * days;
    d->test.wall_s += (uint64_t)s;
    d->test.mono_us += (uint64_t)s * 1000000;
}
