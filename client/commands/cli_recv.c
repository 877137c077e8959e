/* client/commands/cli_recv.c - reading what came.
 *
 * A message is released when it was surely written where it was to go: then, and
 * not before, it counts as read. One that cannot be written is the next one again. */
#include <stdio.h>
#include <unistd.h>

#include "client/commands/calling.h"
#include "client/commands/cli.h"
#include "client/commands/received.h"
#include "lib/os/clock.h"
#include "lib/os/program.h"

static const char program[] = "brusio-client";

enum { POLL_US = 50000, FOLLOW_US = 200000, READ_US = 10000000 };

static int
message_release(struct calling *l, const struct cli *c, const json_t *r)
{
    json_t *done =
        calling_make(l, "release",
                     json_pack("{sI ss*}", "order", calling_number(r, "order"),
                               "reader", c->reader));
    json_decref(done);
    return done ? 0 : 1;
}

/* Take the next message, if there is one: counts it. Returns the exit status. */
static int
message_next(struct calling *l, const struct cli *c, uint64_t *seen, bool *none)
{
    json_t *r = calling_make(
        l, "recv",
        json_pack("{ss* ss*}", "from", c->name, "reader", c->reader));
    *none = json_is_null(r);
    int status = r ? 0 : 1;
    if (r && !*none) {
        status = c->skip ? 0 : received_take(c->out, c->json, r);
        if (!status)
            status = message_release(l, c, r);
        *seen += status == 0;
    }
    json_decref(r);
    return status;
}

/* Is the next message on its way from the disk? Then it is there in a moment. */
static bool
message_is_read(struct calling *l)
{
    json_t *r = calling_make(l, "status", json_object());
    const bool reads = json_is_true(json_object_get(r, "reading"));
    json_decref(r);
    return reads;
}

int
cli_recv(const struct cli *c)
{
    struct calling l;
    const uint64_t since_us = clock_mono_us();
    uint64_t seen = 0;
    int status = 0;
    bool none, read = false; /* nothing was being read before the last call */
    if (c->out && (c->count > 1 || c->follow) && !received_takes_many(c->out))
        return program_misuse(
            program,
            "%s takes one message; name a directory, or '-', for several",
            c->out);
    if (calling_open(&l, c->dir))
        return 1;
    while (status == 0 && (c->follow || seen < c->count)) {
        status = message_next(&l, c, &seen, &none);
        if (status || !none)
            continue;
        const uint64_t waited_us = clock_mono_us() - since_us;
        if (!c->follow && waited_us >= c->wait_s * 1000000) {
            if (read || waited_us >= c->wait_s * 1000000 + READ_US)
                break;
            read = !message_is_read(&l);
            if (read)
                continue;
        }
        if (!c->follow)
            cli_progress("waiting; messages so far:", (int64_t)seen,
                         (int64_t)c->count, since_us);
        usleep(c->follow ? FOLLOW_US : POLL_US);
    }
    if (status == 0 && seen == 0 && c->wait_s > 0) {
        program_fail(program, "nothing came");
        status = 1;
    }
    calling_close(&l);
    return status;
}
