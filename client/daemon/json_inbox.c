/* client/daemon/json_inbox.c - calls about what came: reading it, again too, who has
 * read what, and what is kept. doc/CALLS.md says the same to people. No state. */
#include <stdlib.h>
#include <string.h>

#include "client/daemon/json_call.h"

enum { HISTORY = 20 };

/* Have a copy of a message that came, for the thread of calls. */
static void
received_take(struct call *k, const struct client_received *r)
{
    k->received = *r;
    k->received.contact = NULL;
    k->received.data = NULL;
    memcpy(k->word, r->contact, strlen(r->contact) + 1);
    k->data = malloc(r->len + 1);
    if (!k->data) {
        k->err = ERR_NOMEM;
        return;
    }
    k->len = r->data ? r->len : 0;
    if (k->len > 0)
        memcpy(k->data, r->data, k->len);
}

/* Is the reader there that the call names, if it names one? */
static bool
reader_is_there(struct call *k, const struct client *c)
{
    if (client_reader_is(c, k->reader))
        return true;
    k->err = ERR_NOT_FOUND;
    k->where = "reader";
    return false;
}

void
call_run_recv(struct call *k, struct client *c)
{
    struct client_received r;
    if (k->name && client_contact_id(c, k->name) == 0)
        k->err = ERR_NOT_FOUND;
    if (k->err || !reader_is_there(k, c))
        return;
    k->none = !client_next(c, k->reader, k->name, &r);
    if (!k->none)
        received_take(k, &r);
}

void
call_run_release(struct call *k, struct client *c)
{
    if (reader_is_there(k, c))
        k->err = client_release(c, k->reader, k->order);
}

void
call_run_show(struct call *k, struct client *c)
{
    struct client_received r;
    k->err = client_read(c, k->order, &r);
    k->none = k->err == ERR_AGAIN;
    if (k->none)
        k->err = 0;
    else if (!k->err)
        received_take(k, &r);
}

static void
history_take(void *ctx, const struct client_received *r)
{
    struct call *k = ctx;
    struct call_received *one = &k->history[k->n_history++];
    one->r = *r;
    one->r.contact = NULL;
    memcpy(one->name, r->contact, strlen(r->contact) + 1);
}

void
call_run_history(struct call *k, struct client *c)
{
    const size_t count = k->count == 0 ? HISTORY : (size_t)k->count;
    k->history = calloc(count, sizeof *k->history);
    k->err = k->history
                 ? client_history(c, k->name, k->before, count, history_take, k)
                 : ERR_NOMEM;
}

void
call_run_delete(struct call *k, struct client *c)
{
    k->err = client_delete(c, k->order);
}

void
call_run_keep(struct call *k, struct client *c)
{
    if (k->sets_days)
        k->err = client_keep(c, k->days);
    if (k->err == ERR_RANGE)
        k->where = "days";
    client_status(c, &k->status);
}

void
call_run_readers(struct call *k, struct client *c)
{
    while (client_reader(c, k->n_readers, k->readers[k->n_readers].name,
                         &k->readers[k->n_readers].waiting))
        k->n_readers++;
}

void
call_run_reader_add(struct call *k, struct client *c)
{
    k->err = client_reader_add(c, k->name, k->flag);
    if (k->err == ERR_ARG)
        k->where = "name";
}

void
call_run_reader_remove(struct call *k, struct client *c)
{
    k->err = client_reader_remove(c, k->name);
}

/* ---- results ---- */

/* What is told of a message that came, whose contact is called name. */
static json_t *
received_make(const struct client_received *r, const char *name)
{
    return json_pack("{ss sI sI sI ss sI sI sI}", "from", name, "from_id",
                     (json_int_t)r->id, "order", (json_int_t)r->order, "event",
                     (json_int_t)r->event, "kind",
                     r->kind == LETTER_TEXT ? "text" : "file", "number",
                     (json_int_t)r->number, "sent_s", (json_int_t)r->sent_s,
                     "late_after", (json_int_t)r->late_after);
}

json_t *
call_result_recv(struct call *k)
{
    if (k->none)
        return json_null();
    json_t *o = received_make(&k->received, k->word);
    if (o &&
        (k->received.damaged ? json_object_set_new(o, "damaged", json_true())
                             : call_put_contents(o, k, k->received.kind))) {
        json_decref(o);
        o = NULL;
    }
    return o;
}

json_t *
call_result_history(struct call *k)
{
    json_t *list = json_array();
    int bad = list ? 0 : -1;
    for (size_t i = 0; i < k->n_history && !bad; i++) {
        const struct call_received *one = &k->history[i];
        json_t *o = received_make(&one->r, one->name);
        bad = o ? json_object_set_new(o, "bytes",
                                      json_integer((json_int_t)one->r.len))
                : -1;
        if (!bad)
            bad = json_object_set_new(o, "read", json_boolean(one->r.read));
        if (json_array_append_new(list, o))
            bad = -1;
    }
    if (bad) {
        json_decref(list);
        list = NULL;
    }
    return list;
}

json_t *
call_result_keep(struct call *k)
{
    return k->status.keep_days == CLIENT_KEEP_ALWAYS
               ? json_pack("{sn sI}", "days", "kept",
                           (json_int_t)k->status.kept)
               : json_pack("{sI sI}", "days", (json_int_t)k->status.keep_days,
                           "kept", (json_int_t)k->status.kept);
}

json_t *
call_result_readers(struct call *k)
{
    json_t *list = json_array();
    int bad = list ? 0 : -1;
    for (size_t i = 0; i < k->n_readers && !bad; i++)
        bad = json_array_append_new(
            list, json_pack("{ss sI}", "name", k->readers[i].name, "waiting",
                            (json_int_t)k->readers[i].waiting));
    if (bad) {
        json_decref(list);
        list = NULL;
    }
    return list;
}
