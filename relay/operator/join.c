/* relay/operator/join.c - one descriptor, posted to all authorities at once.
 *
 * The descriptor's keys are those in the relay's folder, so it does not matter
 * whether the relay runs; a running relay goes on to keep its descriptor fresh.
 *
 * State: a request for each authority. Timer: an authority that says TOO_SOON
 * is asked once more. Failure modes: an authority does not answer, or refuses
 * (printed; the command fails unless more than half of them take the
 * descriptor). */
#include "relay/operator/join.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/os/clock.h"
#include "lib/os/database.h"
#include "lib/os/files.h"
#include "lib/os/http/http.h"
#include "lib/os/program.h"
#include "lib/os/system.h"
#include "lib/secret.h"
#include "network/document.h"
#include "network/os/netfile.h"
#include "relay/daemon/describe.h"
#include "relay/operator/check.h"

static const char program[] = "brusio-relay";

/* PROTOCOL 9.5: an authority takes a relay's changes two seconds apart. */
enum { HTTP_TOO_SOON = 429, TOO_SOON_US = 2100000, ANSWER_MAX = 4096 };

struct join;
struct ask {
    struct join *join;
    struct http_request *request;
    const char *address;
    struct loop_timer *timer;
    bool again; /* it was too soon after another change */
};

struct join {
    struct loop *loop;
    struct network network;
    uint32_t epoch;
    bool leave;
    size_t waiting, taken;
    const uint8_t *descriptor;
    size_t len;
    struct ask ask[AUTHORITIES_MAX];
};

static void
join_answered(void *ctx, int err, int status, const uint8_t *body, size_t len)
{
    struct ask *a = ctx;
    struct join *j = a->join;
    char text[DIRECTORY_TEXT_LEN];
    a->request = NULL;
    if (err)
        printf("%s does not answer (%s); see whether this machine reaches it, "
               "and whether the network file is the current one\n",
               a->address, system_reason(err));
    else if (status == 200) {
        j->taken++;
        printf("%s has taken it\n", a->address);
    } else if (status == HTTP_TOO_SOON && !a->again) {
        a->again = true;
        loop_timer_at(a->timer, loop_now_us(j->loop) + TOO_SOON_US);
        return;
    } else {
        describe_answer(text, body, len);
        printf("%s refuses it: %s\n", a->address, text);
    }
    if (--j->waiting == 0)
        loop_stop(j->loop);
}

static int
ask_send(struct ask *a)
{
    const struct join *j = a->join;
    return http_ask(&a->request, j->loop, a->address, "/v1/descriptor",
                    j->descriptor, j->len, ANSWER_MAX, join_answered, a);
}

static void
ask_again(void *ctx)
{
    struct ask *a = ctx;
    int err = ask_send(a);
    if (err)
        join_answered(a, err, 0, NULL, 0);
}

static int
join_describe(struct join *j, const char *dir,
              const struct relay_settings *config, uint8_t **out, size_t *len,
              char why[static DESCRIBE_WHY_LEN])
{
    struct document_key key;
    char bound[ADDRESS_TEXT_MAX];
    uint8_t *seed = NULL;
    struct describe d = {.dir = dir,
                         .config = config,
                         .network = &j->network,
                         .identity = key.identity,
                         .hibernates_until_s = j->leave ? HIBERNATE_LEFT_S : 0};
    int err = describe_bound(dir, config, bound);
    if (err == ERR_NOT_FOUND && config->addresses.n == 0) {
        snprintf(why, DESCRIBE_WHY_LEN,
                 "which port it gets is not known before it has run; start it, "
                 "or name a port in 'listen'");
        return err;
    }
    describe_addresses(&d, bound);
    err = describe_judge(&d, why);
    if (!err)
        err = keys_identity(dir, &seed, why);
    if (!err) {
        document_key_direct(&key, seed);
        d.identity_seed = seed;
        err = describe_make(&d, j->epoch, out, len);
    }
    secret_free((void **)&seed);
    return err;
}

static int
join_ask(struct join *j)
{
    int err = loop_new(&j->loop);
    for (size_t i = 0; i < j->network.n_authorities && !err; i++) {
        struct ask *a = &j->ask[i];
        a->join = j;
        a->address = j->network.authorities[i].address;
        err = loop_timer_new(j->loop, ask_again, a, &a->timer);
        if (!err)
            err = ask_send(a);
        j->waiting += !err;
    }
    if (!err && j->waiting > 0)
        err = loop_run(j->loop);
    for (size_t i = 0; i < AUTHORITIES_MAX; i++) {
        http_cancel(&j->ask[i].request);
        loop_timer_free(&j->ask[i].timer);
    }
    loop_free(&j->loop);
    return err;
}

/* Make the replay set before there is any packet key, so that the relay's first
 * start finds both and has nothing to wait for; a relay that runs has its own
 * set. Returns 0, or an error, which why explains. */
static int
set_make(const char *dir, const struct relay_settings *config,
         char why[static DESCRIBE_WHY_LEN])
{
    struct replay_file *set;
    bool wait;
    int err = replay_file_open(&set, dir, (size_t)config->replay_tags, &wait);
    replay_file_close(&set);
    if (err == ERR_AGAIN)
        return 0;
    if (err)
        snprintf(why, DESCRIBE_WHY_LEN, "%.100s/replay cannot be used: %s", dir,
                 database_remedy(err));
    return err;
}

/* Write down what 'status' is to say, and what a relay that runs is to do. */
static int
left_write(const char *dir, bool leave)
{
    char path[FILES_PATH_MAX];
    int err = files_path(path, dir, hibernate_left_name);
    if (!err && leave)
        err = files_write(path, "", 0);
    else if (!err && unlink(path) && errno != ENOENT)
        err = files_error(errno);
    return err;
}

int
join_run(const char *dir, const struct relay_settings *config, bool leave)
{
    const bool runs = check_runs(dir);
    struct join *j = calloc(1, sizeof *j);
    char error[NETFILE_ERROR_LEN];
    uint8_t *descriptor = NULL;
    size_t len = 0;
    int err = j ? 0 : ERR_NOMEM;
    error[0] = 0;
    if (!err)
        err = netfile_read_in(dir, config->network, &j->network, error);
    if (!err) {
        j->leave = leave;
        j->epoch = describe_epoch(&j->network, clock_wall_s());
        err = set_make(dir, config, error);
        if (leave) { /* who leaves needs none */
            err = 0;
            error[0] = 0;
        }
    }
    if (!err)
        err = join_describe(j, dir, config, &descriptor, &len, error);
    if (!err)
        err = left_write(dir, leave);
    if (!err) {
        j->descriptor = descriptor;
        j->len = len;
        err = join_ask(j);
    }
    if (err)
        program_fail(program, "%s%s%s", error[0] ? "" : dir,
                     error[0] ? "" : ": ",
                     error[0] ? error : system_reason(err));
    const size_t n = j ? j->network.n_authorities : 0;
    const bool in = !err && 2 * j->taken > n;
    if (!err && leave)
        printf(
            "%zu of %zu authorities know that it leaves%s\n", j->taken, n,
            !in ? "; more than half have to"
            : runs
                ? "; it is out from the next epoch on, and serves the present "
                  "one: end it when 'status' says that it is out"
                : "; it is out from the next epoch on, until 'join' or 'run' "
                  "brings it back");
    else if (!err)
        printf("%zu of %zu authorities have the descriptor for epoch %u; %s\n",
               j->taken, n, j->epoch,
               in ? "'brusio-relay run' keeps it fresh, 'status' says when the "
                    "relay is in"
                  : "more than half have to");
    free(descriptor);
    free(j);
    return in ? 0 : 1;
}
