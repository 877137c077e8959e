/* tests/unit/test_guard.c - a client that is locked: what it still answers, and that it
 * goes on as before; the passphrase, and backups, by calls. */
#include "tests/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/daemon/backup.h"
#include "client/daemon/guard.h"
#include "client/daemon/json.h"
#include "client/daemon/master.h"
#include "client/daemon/outbox_sqlite.h"
#include "lib/os/files.h"
#include "tests/folder.h"
#include "tests/pair.h"

static const struct passphrase_cost cheap = {.ops = 1, .mem = 8192};

/* A pair, of which a has a guard, with files in the folder. */
struct guarded {
    struct pair p;
    struct master *m;
    struct outbox_sqlite *o;
    struct guard *g;
    char path[FILES_PATH_MAX];
};

static void
phrase_write(struct guarded *d, const char *text)
{
    struct passphrase p;
    assert_int_equal(passphrase_set(&p, text, strlen(text)), 0);
    assert_int_equal(master_write(d->m, &p, &cheap), 0);
    passphrase_free(&p);
}

static void
setup(struct guarded *d)
{
    char conf[FILES_PATH_MAX];
    pair_make(&d->p, &pair_net);
    pair_settle(&d->p);
    snprintf(conf, sizeof conf, "%s/client.conf", folder_path);
    snprintf(d->path, sizeof d->path, "%s/client.db", folder_path);
    assert_int_equal(files_write(conf, "", 0), 0);
    assert_int_equal(master_read(&d->m, d->path, false), 0);
    assert_int_equal(master_make(d->m), 0);
    assert_int_equal(outbox_sqlite_new(&d->o, d->path, d->m), 0);
    assert_int_equal(guard_new(&d->g, folder_path, "network.json", d->m, d->o),
                     0);
}

static void
teardown(struct guarded *d)
{
    guard_free(&d->g);
    outbox_sqlite_free(&d->o);
    master_free(&d->m);
    pair_free(&d->p);
}

/* Carry out a line; returns its answer, for the caller to free, or NULL. */
static char *
answer_of(struct guarded *d, const char *line)
{
    char *answer;
    size_t len;
    struct json_call *k = json_call_parse(line, strlen(line));
    assert_non_null(k);
    json_call_guard(k, d->g);
    while (json_call_run(k, d->p.c[0]))
        ;
    assert_int_equal(json_call_answer(&k, &answer, &len), 0);
    return answer;
}

static void
line_make(char out[static 512], const char *method, const char *params)
{
    snprintf(out, 512,
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}",
             method, params);
}

/* Make a call whose answer has this in it, and not that, if that is not NULL. */
static void
call(struct guarded *d, const char *method, const char *params,
     const char *want, const char * not )
{
    char line[512];
    line_make(line, method, params);
    char *answer = answer_of(d, line);
    assert_non_null(answer);
    if (!strstr(answer, want) || (not &&strstr(answer, not )))
        fail_msg("%s %s: %s", method, params, answer);
    free(answer);
}

#define LOCKED "\"name\":\"LOCKED\""

static int
both_make(void **state)
{
    return pair_net_make(state) || folder_setup(state) ? -1 : 0;
}

static int
both_free(void **state)
{
    return folder_teardown(state) | pair_net_free(state);
}

/* Locked, it answers nothing that tells of contacts or messages, and changes nothing,
 * by whatever a contact is named, in a batch and as a notification, too. */
static void
i10_a_locked_client_tells_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *method, *params;
    } row[] = {{"contacts", "{}"},
               {"contacts.list", "{}"},
               {"outbox", "{}"},
               {"recv", "{}"},
               {"recv", "{\"from\":\"b\"}"},
               {"message", "{\"to\":\"b\"}"},
               {"message", "{\"id\":1}"},
               {"message", "{\"id\":99}"},
               {"message", "{\"to\":\"nobody\"}"},
               {"estimate", "{\"to\":\"b\",\"bytes\":1}"},
               {"send", "{\"to\":\"b\",\"text\":\"x\"}"},
               {"ping", "{\"to\":\"b\"}"},
               {"pings", "{\"name\":\"b\",\"allowed\":true}"},
               {"invite", "{\"name\":\"c\"}"},
               {"add", "{\"name\":\"c\",\"invitation\":\"x\"}"},
               {"rename", "{\"name\":\"b\",\"new_name\":\"c\"}"},
               {"mute", "{\"name\":\"b\",\"muted\":true}"},
               {"open", "{\"name\":\"b\"}"},
               {"remove", "{\"name\":\"b\"}"},
               {"withdraw", "{\"name\":\"b\"}"},
               {"cancel", "{\"to\":\"b\",\"order\":1}"},
               {"release", "{\"order\":1}"},
               {"backup", "{\"passphrase\":\"x\"}"}};
    struct guarded d;
    setup(&d);
    phrase_write(&d, "one");
    call(&d, "status", "{}", "\"contacts\":1", "\"locked\":true");
    call(&d, "status", "{}", "\"passphrase\":true", NULL);
    call(&d, "lock", "{}", "\"result\"", NULL);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        call(&d, row[i].method, row[i].params, LOCKED, "result");
    call(&d, "status", "{}", "\"locked\":true", "contacts");
    call(&d, "status", "{}", "\"connected\"", "queued");
    call(&d, "status", "{}", "\"answers\"", "inbox");
    call(&d, "api", "{}", "\"backup\"", NULL);
    char *answer =
        answer_of(&d, "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"contacts\"},"
                      "{\"jsonrpc\":\"2.0\",\"method\":\"remove\",\"params\":"
                      "{\"name\":\"b\"}}]");
    assert_non_null(strstr(answer, LOCKED));
    assert_null(strstr(answer, "result"));
    free(answer);
    guard_lock(d.g, false);
    call(&d, "contacts", "{}", "\"name\":\"b\"", NULL);
    teardown(&d);
}

/* It is opened by the passphrase alone, of the file as it is now, and by no other file
 * that somebody puts there; a line may try one. */
static void
i10_a_lock_is_opened_by_its_passphrase(void **state)
{
    (void)state;
    struct guarded d;
    struct master *other;
    char path[FILES_PATH_MAX + 8];
    setup(&d);
    call(&d, "lock", "{}", "\"name\":\"MISSING\"", "result");
    call(&d, "contacts", "{}", "\"name\":\"b\"", NULL);
    phrase_write(&d, "one");
    call(&d, "lock", "{}", "result", NULL);
    call(&d, "unlock", "{}", "\"name\":\"MISSING\"", "result");
    call(&d, "unlock", "{\"passphrase\":\"\"}", "\"name\":\"PASSPHRASE\"",
         "result");
    call(&d, "unlock", "{\"passphrase\":\"two\"}", "\"name\":\"PASSPHRASE\"",
         "result");
    call(&d, "contacts", "{}", LOCKED, "result");
    char *answer = answer_of(
        &d, "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"unlock\",\"params\":"
            "{\"passphrase\":\"two\"}},"
            "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"unlock\",\"params\":"
            "{\"passphrase\":\"one\"}}]");
    assert_non_null(strstr(answer, "PASSPHRASE"));
    assert_non_null(strstr(answer, "RATE"));
    free(answer);
    call(&d, "contacts", "{}", LOCKED, "result");
    call(&d, "unlock", "{\"passphrase\":\"one\"}", "\"result\"", NULL);
    call(&d, "contacts", "{}", "\"name\":\"b\"", NULL);
    call(&d, "lock", "{}", "result", NULL);
    phrase_write(&d, "three");
    call(&d, "unlock", "{\"passphrase\":\"one\"}", "\"name\":\"PASSPHRASE\"",
         "result");
    call(&d, "unlock", "{\"passphrase\":\"three\"}", "\"result\"", NULL);
    call(&d, "lock", "{}", "result", NULL);
    snprintf(path, sizeof path, "%s-seal", d.path);
    assert_int_equal(unlink(path), 0);
    call(&d, "unlock", "{\"passphrase\":\"three\"}", "\"name\":\"SEAL\"",
         "result");
    assert_int_equal(master_read(&other, d.path, false), 0);
    assert_int_equal(master_make(other), 0); /* without a passphrase */
    call(&d, "unlock", "{\"passphrase\":\"\"}", "\"name\":\"PASSPHRASE\"",
         "result");
    call(&d, "contacts", "{}", LOCKED, "result");
    master_free(&other);
    teardown(&d);
}

/* What comes while it is locked is kept and acknowledged, what was queued goes out. */
static void
a_locked_client_goes_on(void **state)
{
    (void)state;
    struct guarded d;
    uint64_t order, mine;
    struct client_message m;
    setup(&d);
    phrase_write(&d, "one");
    assert_int_equal(client_send(d.p.c[0], "b", LETTER_TEXT,
                                 (const uint8_t *)"out", 3, &mine),
                     0);
    call(&d, "lock", "{}", "result", NULL);
    assert_int_equal(client_send(d.p.c[1], "a", LETTER_TEXT,
                                 (const uint8_t *)"in", 2, &order),
                     0);
    pair_settle(&d.p);
    assert_int_equal(client_message(d.p.c[1], "a", order, &m), 0);
    assert_int_equal(m.state, CLIENT_DELIVERED);
    assert_int_equal(client_message(d.p.c[0], "b", mine, &m), 0);
    assert_int_equal(m.state, CLIENT_DELIVERED);
    call(&d, "recv", "{}", LOCKED, "\"in\"");
    call(&d, "unlock", "{\"passphrase\":\"one\"}", "\"result\"", NULL);
    call(&d, "recv", "{}", "\"text\":\"in\"", NULL);
    teardown(&d);
}

/* A call makes a backup in the client's directory, which opens. */
static void
a_running_client_makes_a_backup(void **state)
{
    (void)state;
    struct guarded d;
    struct passphrase p;
    struct backup *b;
    char path[FILES_PATH_MAX], name[64] = {0};
    setup(&d);
    call(&d, "backup", "{\"passphrase\":\"\"}", "\"name\":\"ARG\"", "result");
    char *answer = answer_of(
        &d, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"backup\",\"params\":"
            "{\"passphrase\":\"one\"}}");
    const char *at = strstr(answer, BACKUP_PART);
    assert_non_null(at);
    memcpy(name, at, strcspn(at, "\""));
    snprintf(path, sizeof path, "%s/%s", folder_path, name);
    free(answer);
    assert_int_equal(backup_open(&b, path), 0);
    assert_int_equal(passphrase_set(&p, "one", 3), 0);
    assert_int_equal(backup_unlock(b, &p), 0);
    passphrase_free(&p);
    backup_free(&b);
    teardown(&d);
}

#define GUARD_TEST(f) cmocka_unit_test_setup_teardown(f, both_make, both_free)
const struct CMUnitTest test_guard[] = {
    GUARD_TEST(i10_a_locked_client_tells_nothing),
    GUARD_TEST(i10_a_lock_is_opened_by_its_passphrase),
    GUARD_TEST(a_locked_client_goes_on),
    GUARD_TEST(a_running_client_makes_a_backup),
};
TEST_SUITE(test_guard);
