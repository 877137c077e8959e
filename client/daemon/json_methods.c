/* client/daemon/json_methods.c - the table of all that can be called, and what
 * each does on the client's thread. doc/CALLS.md says the same to people.
 *
 * A method is called as the command is; its other name is the one that a library
 * of calls would give it. No state. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/daemon/guard.h"
#include "client/daemon/json.h"
#include "client/daemon/json_call.h"
#include "lib/version.h"

enum { API_VERSION = 1 };

static void
run_nothing(struct call *k, struct client *c)
{
    (void)k;
    (void)c;
}

static void
run_invite(struct call *k, struct client *c)
{
    k->err = client_invite(c, k->name, k->word);
    if (!k->err)
        k->err = client_invitation(c, k->name, k->word, &k->expires_s);
    k->contact = client_contact_id(c, k->name);
}

static void
run_invitation(struct call *k, struct client *c)
{
    k->err = client_invitation(c, k->name, k->word, &k->expires_s);
    k->contact = client_contact_id(c, k->name);
}

static void
run_add(struct call *k, struct client *c)
{
    k->err = client_add(c, k->name, k->text);
    k->contact = client_contact_id(c, k->name);
}

static void
run_rename(struct call *k, struct client *c)
{
    k->err = client_rename(c, k->name, k->text);
}

static void
run_mute(struct call *k, struct client *c)
{
    k->err = client_mute(c, k->name, k->flag);
}

static void
run_open(struct call *k, struct client *c)
{
    k->err = client_open(c, k->name);
}

static void
run_pings(struct call *k, struct client *c)
{
    k->err = client_pings(c, k->name, k->flag);
}

static void
run_safety(struct call *k, struct client *c)
{
    k->err = client_safety(c, k->name, k->word, &k->flag);
}

static void
run_verify(struct call *k, struct client *c)
{
    k->err = client_verify(c, k->name, k->flag);
}

static void
run_remove(struct call *k, struct client *c)
{
    k->err = client_remove(c, k->name);
}

static void
run_withdraw(struct call *k, struct client *c)
{
    k->err = client_withdraw(c, k->name);
}

static void
run_contacts(struct call *k, struct client *c)
{
    struct client_contact one;
    size_t n = 0;
    while (client_contact(c, n, &one))
        n++;
    k->contacts = calloc(n + 1, sizeof *k->contacts);
    if (!k->contacts) {
        k->err = ERR_NOMEM;
        return;
    }
    for (; k->n_contacts < n; k->n_contacts++)
        (void)client_contact(c, k->n_contacts, &k->contacts[k->n_contacts]);
}

static void
run_send(struct call *k, struct client *c)
{
    const uint8_t *data = k->text ? (const uint8_t *)k->text : k->data;
    k->err = client_send(c, k->name, k->kind, data,
                         k->text ? strlen(k->text) : k->len, &k->order);
    k->contact = client_contact_id(c, k->name);
}

static void
run_ping(struct call *k, struct client *c)
{
    k->err = client_send(c, k->name, LETTER_PING, NULL, 0, &k->order);
    k->contact = client_contact_id(c, k->name);
}

static void
run_message(struct call *k, struct client *c)
{
    k->err = client_message(c, k->name, k->order, &k->message_out);
}

static void
queued_take(void *ctx, uint32_t id, const char *name,
            const struct client_message *m)
{
    struct call *k = ctx;
    if (k->err || (k->name && id != k->contact))
        return;
    if (k->n_queued == k->queued_room) {
        const size_t room = k->queued_room ? 2 * k->queued_room : 64;
        struct call_queued *more = realloc(k->queued, room * sizeof *more);
        if (!more) {
            k->err = ERR_NOMEM;
            return;
        }
        k->queued = more;
        k->queued_room = room;
    }
    struct call_queued *q = &k->queued[k->n_queued++];
    *q = (struct call_queued){.id = id, .m = *m};
    memcpy(q->name, name, strlen(name) + 1);
}

/* All that waits, or what waits for one contact. */
static void
run_outbox(struct call *k, struct client *c)
{
    if (k->name)
        k->contact = client_contact_id(c, k->name);
    if (k->name && k->contact == 0)
        k->err = ERR_NOT_FOUND;
    else
        client_outbox(c, queued_take, k);
}

static void
run_estimate(struct call *k, struct client *c)
{
    k->err =
        client_estimate(c, k->name, k->letters, &k->letters, &k->estimate_s);
}

static void
run_cancel(struct call *k, struct client *c)
{
    k->err = client_cancel(c, k->name, k->order);
}

static void
run_status(struct call *k, struct client *c)
{
    k->locked = k->guard && guard_is_locked(k->guard);
    client_status(c, &k->status);
}

static void
run_lock(struct call *k, struct client *c)
{
    (void)c;
    if (!k->guard) {
        k->err = ERR_UNSUPPORTED;
    } else if (!k->sealed) {
        k->err = ERR_MISSING;
        k->message = "no passphrase is set, by which it could be unlocked";
    } else {
        guard_lock(k->guard, true);
    }
}

/* The passphrase is the right one, as was found out before. */
static void
run_unlock(struct call *k, struct client *c)
{
    (void)c;
    if (k->guard)
        guard_lock(k->guard, false);
    else
        k->err = ERR_UNSUPPORTED;
}

static void
run_backup(struct call *k, struct client *c)
{
    (void)c;
    k->err = k->guard ? 0 : ERR_UNSUPPORTED;
}

/* Carry out what takes long of k, and wipe the passphrase. */
static int
slow_run(struct call *k, struct guard *g)
{
    const size_t len = strlen(k->text);
    int err = ERR_LOCKED;
    if (k->method->run == run_unlock)
        err = guard_try(g, k->text, len);
    else if (!guard_is_locked(g))
        err = guard_backup(g, k->text, len, k->word);
    sodium_memzero((char *)k->text, len); /* in the line, which is ours */
    return err;
}

void
call_prepare(struct call *k, struct guard *g, bool *slow)
{
    k->guard = g;
    if (k->method->run == run_lock || k->method->run == run_status)
        k->sealed = guard_is_sealed(g);
    if (k->method->run != run_unlock && k->method->run != run_backup)
        return;
    k->err = *slow ? ERR_RATE : slow_run(k, g);
    *slow = true;
}

static json_t *result_api(struct call *k);

static const struct method methods[] = {
    {"add", "contacts.add", "name invitation", "", true, false, run_add,
     call_result_id},
    {"api", NULL, "", "", false, true, run_nothing, result_api},
    {"backup", NULL, "passphrase", "", false, false, run_backup,
     call_result_backup},
    {"cancel", "messages.cancel", "to id order", "", true, false, run_cancel,
     call_result_nothing},
    {"contacts", "contacts.list", "", "", false, false, run_contacts,
     call_result_contacts},
    {"delete", "messages.delete", "order", "", true, false, call_run_delete,
     call_result_nothing},
    {"estimate", NULL, "to id bytes", "", false, false, run_estimate,
     call_result_estimate},
    {"history", "messages.history", "from id before count", "from before count",
     false, false, call_run_history, call_result_history},
    {"invitation", "contacts.invitation", "name id", "", false, false,
     run_invitation, call_result_invite},
    {"invite", "contacts.invite", "name", "", true, false, run_invite,
     call_result_invite},
    {"keep", "messages.keep", "days", "days", true, false, call_run_keep,
     call_result_keep},
    {"lock", NULL, "", "", false, true, run_lock, call_result_nothing},
    {"message", "messages.state", "to id order", "order", false, false,
     run_message, call_result_message},
    {"mute", "contacts.mute", "name id muted", "", true, false, run_mute,
     call_result_nothing},
    {"open", "contacts.open", "name id", "", false, false, run_open,
     call_result_nothing},
    {"outbox", "messages.list", "to id", "to", false, false, run_outbox,
     call_result_outbox},
    {"ping", "contacts.ping", "to id", "", true, false, run_ping,
     call_result_order},
    {"pings", "contacts.pings", "name id allowed", "", true, false, run_pings,
     call_result_nothing},
    {"readers", "readers.list", "", "", false, false, call_run_readers,
     call_result_readers},
    {"readers.add", NULL, "name from_now", "from_now", true, false,
     call_run_reader_add, call_result_nothing},
    {"readers.remove", NULL, "name", "", true, false, call_run_reader_remove,
     call_result_nothing},
    {"recv", "messages.next", "from id reader", "from reader", false, false,
     call_run_recv, call_result_recv},
    {"release", "messages.release", "order reader", "reader", true, false,
     call_run_release, call_result_nothing},
    {"remove", "contacts.remove", "name id", "", true, false, run_remove,
     call_result_nothing},
    {"rename", "contacts.rename", "name id new_name", "", true, false,
     run_rename, call_result_nothing},
    {"safety", "contacts.safety", "name id", "", false, false, run_safety,
     call_result_safety},
    {"send", "messages.send", "to id text file_name data", "", true, false,
     run_send, call_result_order},
    {"show", "messages.get", "order", "", false, false, call_run_show,
     call_result_recv},
    {"status", NULL, "", "", false, true, run_status, call_result_status},
    {"unlock", NULL, "passphrase", "", false, true, run_unlock,
     call_result_nothing},
    {"verify", "contacts.verify", "name id verified", "", true, false,
     run_verify, call_result_nothing},
    {"withdraw", "contacts.withdraw", "name id", "", true, false, run_withdraw,
     call_result_nothing}};

enum { METHODS = sizeof methods / sizeof methods[0] };

const struct method *
call_find_method(const char *name)
{
    for (size_t i = 0; i < METHODS; i++)
        if (strcmp(methods[i].name, name) == 0 ||
            (methods[i].also && strcmp(methods[i].also, name) == 0))
            return &methods[i];
    return NULL;
}

static json_t *
method_describe(const struct method *m)
{
    json_t *params = json_array(),
           *o = json_pack("{ss so}", "name", m->name, "params", params);
    int bad = o ? 0 : -1;
    for (const char *at = m->params; *at && !bad;) {
        const size_t len = strcspn(at, " ");
        bad = json_array_append_new(params, json_stringn(at, len));
        at += len + (at[len] == ' ');
    }
    if (!bad && m->also)
        bad = json_object_set_new(o, "also", json_string(m->also));
    if (bad) {
        json_decref(o);
        return NULL;
    }
    return o;
}

/* What this client can do. */
static json_t *
result_api(struct call *k)
{
    json_t *list = json_array();
    int bad = 0;
    (void)k;
    for (size_t i = 0; i < METHODS && !bad; i++)
        bad = json_array_append_new(list, method_describe(&methods[i]));
    if (bad) {
        json_decref(list);
        return NULL;
    }
    return json_pack("{si ss ss so si si si}", "api", API_VERSION, "program",
                     "brusio-client", "version", BRUSIO_VERSION, "methods",
                     list, "line_max", JSON_LINE_MAX, "batch_max",
                     JSON_BATCH_MAX, "message_max", LETTER_MESSAGE_MAX);
}
