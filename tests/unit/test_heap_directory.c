/* tests/unit/test_heap_directory.c - what is round an authority when memory runs
 * out: admission, what is served, its disk, what it tells others. */
#include "tests/runner.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directory/admission.h"
#include "directory/daemon/disk.h"
#include "directory/daemon/exchange.h"
#include "directory/daemon/served.h"
#include "directory/share.h"
#include "lib/codec.h"
#include "lib/os/files.h"
#include "lib/os/http/http.h"
#include "lib/os/http/http_server.h"
#include "lib/pack.h"
#include "lib/secret.h"
#include "network/diff.h"
#include "tests/folder.h"
#include "tests/heap.h"
#include "tests/network.h"

/* ---- admission ---- */

static struct descriptor
relay_of(uint8_t number)
{
    struct descriptor d = {.relay.role = ROLE_MIX, .relay.n_addresses = 1};
    d.relay.identity[0] = number;
    snprintf(d.relay.addresses[0], ADDRESS_MAX, "192.0.%u.1:1", number);
    return d;
}

static int
relay_judge(struct admission *a, uint8_t number)
{
    const struct descriptor d = relay_of(number);
    char why[ADMISSION_WHY_LEN];
    return admission_judge(a, &d, NULL, 5, 1800000000, why);
}

static void
text_add(char *text, size_t room, const char *verb, uint8_t number)
{
    const struct descriptor d = relay_of(number);
    const size_t n = strlen(text);
    char hex[2 * SPHINX_ID_LEN + 1];
    codec_hex(hex, d.relay.identity, SPHINX_ID_LEN);
    assert_int_equal(
        admission_line(text + n, room - n, verb, hex, 1800000000, "reason"), 0);
}

/* Whoever is banned stays out, also while new decisions have no room. */
static void
a_banned_relay_stays_out(void **state)
{
    (void)state;
    const struct admission_config config = {.policy = ADMISSION_OPEN};
    static char text[100 * 200];
    size_t bad;
    for (struct heap h = {0}; heap_next(&h);) {
        struct admission *a;
        heap_arm(&h);
        int err = admission_new(&a, &config);
        heap_disarm(&h);
        if (err)
            assert_int_equal(admission_new(&a, &config), 0);
        text[0] = 0;
        text_add(text, sizeof text, "ban", 7);
        assert_int_equal(admission_decide(a, text, &bad), 0);
        text[0] = 0;
        for (uint8_t i = 0; i < 100; i++)
            if (i != 7)
                text_add(text, sizeof text, "approve", i);
        text_add(text, sizeof text, "ban", 7);
        heap_arm(&h);
        err = admission_decide(a, text, &bad);
        heap_disarm(&h);
        assert_true(err == 0 || (h.failed && err == ERR_NOMEM));
        assert_int_equal(relay_judge(a, 7), ERR_COMMAND);
        assert_int_equal(admission_count(a), err ? 1 : 100);
        if (err)
            assert_int_equal(admission_decide(a, text, &bad), 0);
        for (uint8_t i = 0; i < 200; i++) {
            heap_arm(&h);
            err = relay_judge(a, i);
            heap_disarm(&h);
            if (err == ERR_NOMEM)
                err = relay_judge(a, i);
            assert_int_equal(err, i == 7 ? ERR_COMMAND : 0);
        }
        assert_int_equal(admission_count(a), 200);
        admission_free(&a);
    }
}

/* ---- what is served ---- */

/* A consensus is there with all its forms, or the one before is. */
static void
what_is_served_is_whole(void **state)
{
    (void)state;
    struct sim_net n;
    char path[128], hex[2 * SPHINX_DIGEST_LEN + 1];
    uint8_t *first, *plain, *document;
    size_t first_len, len, plain_len, document_len;
    bool current;
    test_network_make(&n, SPHINX_SUITE_X25519, 1, 3, 1, 1);
    first = malloc(n.document_len);
    first_len = n.document_len;
    assert_non_null(first);
    memcpy(first, n.document, first_len);
    codec_hex(hex, n.consensus->digest, SPHINX_DIGEST_LEN);
    snprintf(path, sizeof path, "/v1/diff/%s.z", hex);
    n.consensus->epoch++;
    test_network_sign(&n);
    for (struct heap h = {.most = 100}; heap_next(&h);) {
        struct served s = {0};
        assert_int_equal(served_put(&s, first, first_len), 0);
        heap_arm(&h);
        int err = served_put(&s, n.document, n.document_len);
        heap_disarm(&h);
        assert_int_equal(err, h.failed ? ERR_NOMEM : 0);
        const uint8_t *found = served_find(&s, "/v1/consensus", &len, &current);
        assert_int_equal(len, err ? first_len : n.document_len);
        assert_memory_equal(found, err ? first : n.document, len);
        if (err)
            assert_int_equal(served_put(&s, n.document, n.document_len), 0);
        heap_arm(&h);
        found = served_find(&s, path, &len, &current);
        heap_disarm(&h);
        assert_true(found || h.failed);
        if (!found)
            found = served_find(&s, path, &len, &current);
        assert_int_equal(pack_inflate(found, len, 1 << 20, &plain, &plain_len),
                         0);
        assert_int_equal(
            diff_apply(s.before[0], plain, plain_len, &document, &document_len),
            0);
        assert_int_equal(document_len, n.document_len);
        assert_memory_equal(document, n.document, document_len);
        free(plain);
        free(document);
        served_clear(&s);
    }
    free(first);
    test_network_free(&n);
}

/* ---- the disk ---- */

/* The same keys and certificate whenever they are read; none in between. */
static void
keys_are_made_once(void **state)
{
    (void)state;
    char dir[FOLDER_LEN], path[FILES_PATH_MAX];
    struct disk_keys first, k;
    uint8_t *identity;
    const uint64_t now_s = 1800000000;
    assert_int_equal(folder_make(dir), 0);
    assert_int_equal(files_path(path, dir, "authority.key"), 0);
    assert_int_equal(files_key(path, &identity), 0);
    secret_free((void **)&identity);
    assert_int_equal(disk_keys(&first, dir, now_s, DISK_WHEN_DUE), 0);
    for (struct heap h = {0}; heap_next(&h);) {
        heap_arm(&h);
        int err = disk_keys(&k, dir, now_s, DISK_WHEN_DUE);
        heap_disarm(&h);
        assert_int_equal(err, h.failed ? ERR_NOMEM : 0);
        if (!err)
            disk_keys_free(&k);
        assert_int_equal(disk_keys(&k, dir, now_s, DISK_WHEN_DUE), 0);
        assert_memory_equal(&k.cert, &first.cert, sizeof k.cert);
        assert_memory_equal(k.seed, first.seed, 32);
        assert_memory_equal(k.share_secret[0], first.share_secret[0],
                            SHARE_LEN);
        disk_keys_free(&k);
    }
    disk_keys_free(&first);
    assert_int_equal(folder_remove(dir), 0);
}

static void
keys_look(const char *dir, uint64_t now_s, enum disk_renewal renew,
          struct certificate *cert)
{
    struct disk_keys k;
    assert_int_equal(disk_keys(&k, dir, now_s, renew), 0);
    *cert = k.cert;
    disk_keys_free(&k);
}

/* After a theft: other keys at once, by a certificate that revokes those before;
 * shares dealt to these can still be opened. */
static void
i10_keys_are_renewed_when_asked(void **state)
{
    (void)state;
    char dir[FOLDER_LEN], path[FILES_PATH_MAX];
    const uint64_t now_s = 1800000000;
    struct disk_keys k;
    struct certificate first;
    struct certificates list = {0};
    uint8_t *identity;
    assert_int_equal(folder_make(dir), 0);
    assert_int_equal(files_path(path, dir, "authority.key"), 0);
    assert_int_equal(files_key(path, &identity), 0);
    secret_free((void **)&identity);
    keys_look(dir, now_s, DISK_KEEP, &first);
    assert_int_equal(disk_keys(&k, dir, now_s + 60, DISK_WHEN_DUE), 0);
    assert_memory_equal(&k.cert, &first, sizeof first);
    disk_keys_free(&k);
    assert_int_equal(disk_keys(&k, dir, now_s + 60, DISK_NOW), 0);
    assert_true(certificate_covers(&k.cert, now_s + 60));
    certificates_note(&list, k.identity, &k.cert, now_s + 60);
    assert_true(certificates_revoke(&list, k.identity, &first, now_s + 60));
    assert_non_null(k.share_secret[1]);
    disk_keys_free(&k);
    /* one made where the clock is behind would count nowhere */
    char *request, *line;
    assert_int_equal(disk_request(dir, &request), 0);
    assert_int_equal(disk_certify(dir, request, now_s + 59, 30, &line), 0);
    assert_int_equal(disk_install(dir, line, now_s + 120), ERR_STALE);
    free(line);
    assert_int_equal(disk_certify(dir, request, now_s + 61, 30, &line), 0);
    assert_int_equal(disk_install(dir, line, now_s + 120), 0);
    assert_int_equal(disk_install(dir, line, now_s + 120), 0); /* again */
    free(line);
    free(request);
    assert_int_equal(folder_remove(dir), 0);
}

/* A clock that jumps by a year either way, and back: who is not sure leaves the
 * certificate alone; who is, and was wrong, has one for the present again. With
 * the identity elsewhere the one there is stays, and is used when it counts. */
static void
i10_certificates_outlive_a_wrong_clock(void **state)
{
    (void)state;
    char dir[FOLDER_LEN], path[FILES_PATH_MAX];
    const uint64_t now_s = 1800000000, year_s = 366 * 86400;
    struct certificate first, c;
    uint8_t *identity;
    assert_int_equal(folder_make(dir), 0);
    assert_int_equal(files_path(path, dir, "authority.key"), 0);
    assert_int_equal(files_key(path, &identity), 0);
    secret_free((void **)&identity);
    keys_look(dir, now_s, DISK_KEEP, &first);
    assert_true(certificate_covers(&first, now_s));
    for (unsigned i = 0; i < 2; i++) {
        const uint64_t wrong_s = i ? now_s - year_s : now_s + year_s;
        keys_look(dir, wrong_s, DISK_KEEP, &c);
        assert_memory_equal(&c, &first, sizeof c);
        keys_look(dir, wrong_s, DISK_WHEN_DUE, &c);
        assert_true(certificate_covers(&c, wrong_s));
        assert_true(disk_is_due(&c, now_s));
        keys_look(dir, now_s, DISK_WHEN_DUE, &first);
        assert_true(certificate_covers(&first, now_s));
        assert_false(disk_is_due(&first, now_s));
    }
    assert_int_equal(unlink(path), 0);
    keys_look(dir, now_s + year_s, DISK_WHEN_DUE, &c);
    assert_memory_equal(&c, &first, sizeof c);
    assert_int_equal(folder_remove(dir), 0);
}

struct loaded {
    unsigned promises, votes;
};

static void
loaded_count(void *ctx, enum authority_output what, const uint8_t *bytes,
             size_t len)
{
    struct loaded *l = ctx;
    assert_true(len == 4 && memcmp(bytes, "text", 4) == 0);
    l->promises += what == AUTHORITY_KEEP_PROMISES;
    l->votes += what == AUTHORITY_KEEP_VOTE;
}

/* What was kept is all there, or it is said that it is not. */
static void
what_was_kept_is_read_or_an_error(void **state)
{
    (void)state;
    char dir[FOLDER_LEN];
    const uint8_t text[] = "text";
    assert_int_equal(folder_make(dir), 0);
    assert_int_equal(disk_begin(dir), 0);
    assert_int_equal(disk_put(dir, AUTHORITY_KEEP_PROMISES, 3, text, 4), 0);
    assert_int_equal(disk_put(dir, AUTHORITY_KEEP_VOTE, 3, text, 4), 0);
    for (struct heap h = {0}; heap_next(&h);) {
        struct loaded l = {0};
        heap_arm(&h);
        int err = disk_each(dir, loaded_count, &l);
        heap_disarm(&h);
        assert_int_equal(err, h.failed ? ERR_NOMEM : 0);
        assert_true(err || (l.promises == 1 && l.votes == 1));
    }
    assert_int_equal(folder_remove(dir), 0);
}

static int
descriptor_keep(void *ctx)
{
    static const uint8_t text[] = "no descriptor";
    return disk_put(ctx, AUTHORITY_KEEP_DESCRIPTOR, 3, text, sizeof text);
}

static void
descriptors_are_kept_by_their_signer(void **state)
{
    (void)state;
    char dir[FOLDER_LEN];
    assert_int_equal(folder_make(dir), 0);
    assert_int_equal(disk_begin(dir), 0);
    heap_try(descriptor_keep, dir);
    assert_int_equal(folder_remove(dir), 0);
}

/* ---- what is told to others ---- */

struct town {
    struct loop *loop;
    struct http_server *server;
    struct exchange *exchange;
    struct network network;
    struct exchange_buffer documents; /* that the server has */
    unsigned posted, votes, consensuses, given;
};

static int
document_posted(void *ctx, const uint8_t *bytes, size_t len)
{
    ((struct town *)ctx)->posted +=
        len == 8 && memcmp(bytes, "document", 8) == 0;
    return 0;
}

static void
town_handle(void *ctx, const char *path, const uint8_t *body, size_t len,
            struct http_answer *a)
{
    struct town *t = ctx;
    a->status = 200;
    if (body) {
        int err = exchange_each(body, len, document_posted, t);
        assert_int_equal(err, 0);
    } else if (strcmp(path, "/v1/documents") == 0) {
        a->body = t->documents.bytes;
        a->len = t->documents.len;
    } else {
        a->body = (const uint8_t *)"answer";
        a->len = 6;
    }
}

static int
document_given(void *ctx, const uint8_t *bytes, size_t len)
{
    (void)bytes;
    ((struct town *)ctx)->given += len == 8;
    return 0;
}

static void
vote_given(void *ctx, const uint8_t *bytes, size_t len)
{
    (void)bytes;
    ((struct town *)ctx)->votes += len == 6;
}

static void
consensus_given(void *ctx, const uint8_t *bytes, size_t len)
{
    (void)bytes;
    ((struct town *)ctx)->consensuses += len == 6;
}

static void
town_turns(struct town *t, unsigned turns)
{
    for (unsigned i = 0;
         i < turns && (!t->posted || !t->votes || !t->given || !t->consensuses);
         i++) {
        loop_stop(t->loop); /* so that no turn waits */
        assert_int_equal(loop_turn(t->loop), 0);
        usleep(500);
    }
}

/* Documents are posted, votes asked for and answers taken, if not at once then
 * when it is tried again. libevent's own memory is left alone. */
static void
what_is_told_arrives(void **state)
{
    (void)state;
    static struct town t;
    static const uint8_t self[SPHINX_ID_LEN];
    uint8_t digest[32];
    crypto_generichash(digest, sizeof digest, (const uint8_t *)"answer", 6,
                       NULL, 0);
    assert_int_equal(loop_new(&t.loop), 0);
    assert_int_equal(http_server_new(&t.server, t.loop, "127.0.0.1:0", 100000,
                                     town_handle, &t),
                     0);
    t.network.n_authorities = 2;
    t.network.authorities[1].identity[0] = 1;
    snprintf(t.network.authorities[1].address, ADDRESS_MAX, "%s",
             http_server_address(t.server));
    assert_int_equal(
        exchange_append(&t.documents, (const uint8_t *)"given..!", 8), 0);
    const struct exchange_config config = {.loop = t.loop,
                                           .network = &t.network,
                                           .self = self,
                                           .document = document_given,
                                           .vote = vote_given,
                                           .consensus = consensus_given,
                                           .ctx = &t};
    for (struct heap h = {.how = HEAP_OWN}; heap_next(&h);) {
        t.posted = t.votes = t.given = t.consensuses = 0;
        heap_arm(&h);
        int err = exchange_new(&t.exchange, &config);
        heap_disarm(&h);
        assert_int_equal(err, h.failed ? ERR_NOMEM : 0);
        if (err)
            assert_int_equal(exchange_new(&t.exchange, &config), 0);
        heap_arm(&h);
        err = exchange_send(t.exchange, (const uint8_t *)"document", 8);
        const int want = exchange_want(t.exchange, digest);
        exchange_ask(t.exchange);
        town_turns(&t, 20);
        heap_disarm(&h);
        if (err)
            assert_int_equal(
                exchange_send(t.exchange, (const uint8_t *)"document", 8), 0);
        assert_int_equal(want, 0);
        exchange_ask(t.exchange); /* as an authority does */
        town_turns(&t, 4000);
        assert_true(t.posted && t.votes && t.given && t.consensuses);
        exchange_free(&t.exchange);
    }
    free(t.documents.bytes);
    http_server_free(&t.server);
    loop_free(&t.loop);
}

const struct CMUnitTest test_heap_directory[] = {
    cmocka_unit_test(a_banned_relay_stays_out),
    cmocka_unit_test(what_is_served_is_whole),
    cmocka_unit_test(keys_are_made_once),
    cmocka_unit_test(i10_keys_are_renewed_when_asked),
    cmocka_unit_test(i10_certificates_outlive_a_wrong_clock),
    cmocka_unit_test(what_was_kept_is_read_or_an_error),
    cmocka_unit_test(descriptors_are_kept_by_their_signer),
    cmocka_unit_test(what_is_told_arrives),
};
TEST_SUITE(test_heap_directory);
