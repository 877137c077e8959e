/* client/commands/cli.c - commands that say how things are: contacts, status, ping.
 *
 * Each is a call or two to the running client (calling.h), and prints the answer for
 * people or, with --json, as it came. No state: a command ends with its status, 0 or
 * 1. Failure modes: no client answers, the call is refused (its reason is printed),
 * or the output fails, which is a failure of the command (program_end()). */
#include "client/commands/cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/client.h"
#include "client/commands/calling.h"
#include "client/commands/qr.h"
#include "client/commands/terminal.h"
#include "lib/os/clock.h"
#include "lib/os/program.h"

static const char program[] = "brusio-client";

enum { POLL_US = 50000, PROGRESS_US = 2000000, PROGRESS_EVERY_US = 5000000 };

void
cli_progress(const char *what, int64_t done, int64_t of, uint64_t since_us)
{
    static uint64_t last_us;
    uint64_t now_us = clock_mono_us();
    if (now_us - since_us < PROGRESS_US || now_us - last_us < PROGRESS_EVERY_US)
        return;
    last_us = now_us;
    program_fail(program, "%s %" PRId64 " of %" PRId64 ", %" PRIu64 " s", what,
                 done, of, (now_us - since_us) / 1000000);
}

int
cli_call(const struct cli *c, const char *method, json_t *params,
         void (*print)(const json_t *v))
{
    json_t *r = calling_once(c->dir, method, params);
    const size_t n = json_is_array(r) ? json_array_size(r) : r && print;
    int status = r ? 0 : 1;
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_is_array(r) ? json_array_get(r, i) : r;
        if (c->json)
            status |= calling_json(v);
        else
            print(v);
    }
    json_decref(r);
    return status;
}

/* ---- simple ones ---- */

/* Write a picture of a line to a file that is not there yet, for its owner alone. */
static int
svg_write(const char *path, const char *line)
{
    const mode_t mask = umask(077);
    FILE *out = fopen(path, "wx");
    umask(mask);
    int err = out ? qr_svg(out, line) : ERR_SYSTEM;
    if (out && fclose(out) && !err)
        err = ERR_SYSTEM;
    if (err == ERR_SYSTEM)
        return program_fail(program, "%s: %s", path, strerror(errno));
    return err ? program_error(program, path, err) : 0;
}

/* Make a call, and print the line that it gives, and its pictures. */
static int
line_show(const struct cli *c, const char *method, const char *key,
          void (*more)(const json_t *v))
{
    json_t *r =
        calling_once(c->dir, method, json_pack("{ss}", "name", c->name));
    if (!r)
        return 1;
    const char *line = json_string_value(json_object_get(r, key));
    int status = 0;
    if (c->json)
        status = calling_json(r);
    else
        printf("%s\n", line);
    if (!c->json && more)
        more(r);
    if (c->qr && qr_terminal(stdout, line))
        status = program_error(program, "the picture", ERR_NOMEM);
    if (c->svg && !status)
        status = svg_write(c->svg, line);
    json_decref(r);
    return status;
}

int
cli_invite(const struct cli *c)
{
    return line_show(c, c->command, "invitation", NULL);
}

/* What the daemon's words about a contact and quantum computers mean to people. */
static const char *
quantum_text(const json_t *v)
{
    static const struct {
        const char *word, *text;
    } row[] = {
        {"yes", "post-quantum: yes"},
        {"soon", "post-quantum: not yet, some letters each way are needed"},
        {"lacking here", "post-quantum: no, since neither OpenSSL 3.5 nor "
                         "libsodium 1.0.22 is here"},
        {"lacking there", "post-quantum: no, since neither OpenSSL 3.5 nor "
                          "libsodium 1.0.22 is on the other side"},
        {"old contact", "post-quantum: no, since the invitation is older than "
                        "that: make a new one"},
    };
    const char *word = json_string_value(json_object_get(v, "post_quantum"));
    for (size_t i = 0; word && i < sizeof row / sizeof row[0]; i++)
        if (strcmp(row[i].word, word) == 0)
            return row[i].text;
    return "post-quantum: unknown";
}

/* What becomes of a contact's invitation. */
static void
pair_print(const json_t *v)
{
    const int64_t expires_s = calling_number(v, "expires");
    char when[CLOCK_TEXT_LEN];
    if (json_is_true(json_object_get(v, "refused"))) {
        fputs("invitation was used by somebody else", stdout);
    } else if (json_is_true(json_object_get(v, "confirmed"))) {
        fputs("confirmed", stdout);
    } else if (json_is_true(json_object_get(v, "invited"))) {
        fputs("invitation not used yet", stdout);
        if (expires_s > 0) {
            (void)clock_text(when, (uint64_t)expires_s);
            printf(", until %s", when);
        }
    } else {
        fputs("not yet heard", stdout);
    }
}

static void
contact_print(const json_t *v)
{
    const char *name = json_string_value(json_object_get(v, "name"));
    enum { COLUMN = 32 };
    terminal_word(stdout, name);
    printf("%*s ", strlen(name) < COLUMN ? (int)(COLUMN - strlen(name)) : 0,
           "");
    pair_print(v);
    printf(", %" PRId64 " waiting%s%s%s; %s%s\n", calling_number(v, "waiting"),
           json_is_true(json_object_get(v, "muted")) ? ", muted" : "",
           json_is_true(json_object_get(v, "pings")) ? ", may ping" : "",
           json_is_true(json_object_get(v, "verified")) ? ", verified" : "",
           quantum_text(v),
           json_is_true(json_object_get(v, "shared"))
               ? "; somebody else has its invitation, too, and reads nothing: "
                 "make a new one when you are not sure who this is"
               : "");
}

int
cli_contacts(const struct cli *c)
{
    return cli_call(c, "contacts", json_object(), contact_print);
}

int
cli_change(const struct cli *c)
{
    static const struct {
        const char *command, *method;
        const char *key,
            *value; /* NULL: nothing goes with the name; the text */
    } row[] = {{"add", "add", "invitation", NULL},
               {"rename", "rename", "new_name", NULL},
               {"mute", "mute", "muted", "yes"},
               {"unmute", "mute", "muted", "no"},
               {"open", "open", NULL, NULL},
               {"remove", "remove", NULL, NULL},
               {"withdraw", "withdraw", NULL, NULL}};
    size_t i = 0;
    while (strcmp(row[i].command, c->command) != 0)
        i++;
    json_t *params = json_pack("{ss}", "name", c->name);
    json_t *value = row[i].value ? json_boolean(row[i].value[0] == 'y')
                    : row[i].key ? json_string(c->text)
                                 : NULL;
    if (row[i].key && json_object_set_new(params, row[i].key, value)) {
        json_decref(params);
        params = NULL;
    }
    return cli_call(c, row[i].method, params, NULL);
}

int
cli_pings(const struct cli *c)
{
    const bool allowed = strcmp(c->text, "on") == 0;
    if (!allowed && strcmp(c->text, "off") != 0)
        return program_misuse(program, "pings wants on or off");
    return cli_call(c, "pings",
                    json_pack("{ss sb}", "name", c->name, "allowed", allowed),
                    NULL);
}

static void
safety_print(const json_t *v)
{
    puts(json_is_true(json_object_get(v, "verified"))
             ? "verified"
             : "not verified: compare it with what the other side sees, in "
               "another way; if they are alike, say 'verify NAME yes'");
}

int
cli_verify(const struct cli *c)
{
    if (!c->text)
        return line_show(c, "safety", "safety", safety_print);
    if (c->qr || c->svg)
        return program_misuse(program, "a picture is of 'verify NAME' alone");
    const bool verified = strcmp(c->text, "yes") == 0;
    if (!verified && strcmp(c->text, "no") != 0)
        return program_misuse(program, "verify wants yes or no");
    return cli_call(c, "verify",
                    json_pack("{ss sb}", "name", c->name, "verified", verified),
                    NULL);
}

/* ---- ping, status ---- */

int
cli_ping(const struct cli *c)
{
    struct calling l;
    uint64_t since_us = clock_mono_us();
    if (calling_open(&l, c->dir))
        return 1;
    json_t *r = calling_make(&l, "ping", json_pack("{ss}", "to", c->name));
    int64_t order = r ? calling_number(r, "order") : -1, rtt_us = 0;
    const int64_t id = calling_number(r, "id");
    json_decref(r);
    while (order >= 0 && rtt_us == 0 &&
           clock_mono_us() - since_us < c->wait_s * 1000000) {
        r = calling_make(&l, "message",
                         json_pack("{sI sI}", "id", id, "order", order));
        if (!r)
            break;
        rtt_us = calling_number(r, "rtt_us");
        json_decref(r);
        cli_progress("waiting for the pong: answered", 0, 1, since_us);
        usleep(POLL_US);
    }
    calling_close(&l);
    if (rtt_us > 0 && c->json)
        (void)calling_print(json_pack("{sI}", "rtt_us", (json_int_t)rtt_us));
    else if (rtt_us > 0)
        printf("%s answered after %.2f s\n", c->name, (double)rtt_us / 1e6);
    else if (order >= 0)
        program_fail(program, "%s did not answer within %" PRIu64 " s", c->name,
                     c->wait_s);
    return rtt_us > 0 ? 0 : 1;
}

/* How the clock is, when it is far from the network's. */
static void
clock_print(int64_t off_us)
{
    const int64_t off_s = off_us / 1000000;
    if (!client_clock_is_far(off_us))
        return;
    printf("clock: %" PRId64
           " s %s the network's; packets go by the network's time, but set "
           "this clock with NTP (timedatectl set-ntp true)\n",
           off_s < 0 ? -off_s : off_s, off_s < 0 ? "behind" : "ahead of");
}

/* How the line is: one line for each fact. */
static void
line_print(const json_t *r)
{
    const int64_t age_us = calling_number(r, "answer_age_us");
    const int64_t up = calling_number(r, "up_bytes_day");
    const int64_t down = calling_number(r, "down_bytes_day");
    const char *waits = json_string_value(json_object_get(r, "waits_for"));
    printf("%s, %s",
           json_is_true(json_object_get(r, "connected")) ? "connected"
                                                         : "not connected",
           json_is_true(json_object_get(r, "sending")) ? "sending"
                                                       : "not sending");
    if (waits)
        printf(": it waits for %s", waits);
    printf(", epoch %" PRId64 "\n", calling_number(r, "epoch"));
    if (age_us < 0)
        puts("last answer: none yet");
    else
        printf("last answer: %.1f s ago\n", (double)age_us / 1e6);
    clock_print(calling_number(r, "clock_off_us"));
    if (up > 0)
        printf("a day: %.0f MB up and %.0f MB down, whatever is said\n",
               (double)up / 1e6, (double)down / 1e6);
}

/* What it means that something was refused for this, or "". */
static const char *
dropped_hint(const char *name)
{
    static const struct {
        const char *name, *hint;
    } row[] = {
        {"DUPLICATE", ": letters that came twice, as they may"},
        {"FOREIGN", ": of another network; is network.json the right file?"},
        {"THRESHOLD", ": not signed by enough of the authorities in "
                      "network.json; is that the right file?"},
        {"FULL", ": more than a contact may keep here; read what came"},
        {"MAC", ": of somebody else's making, or damaged"}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        if (strcmp(name, row[i].name) == 0)
            return row[i].hint;
    return "";
}

static void
counts_print(const char *what, const json_t *of)
{
    const bool dropped = strcmp(what, "dropped") == 0;
    const char *name;
    json_t *v;
    json_object_foreach((json_t *)of, name, v)
        printf("%s %s %" JSON_INTEGER_FORMAT "%s\n", what, name,
               json_integer_value(v), dropped ? dropped_hint(name) : "");
}

static void
status_print(const json_t *r)
{
    static const char *const counts[] = {
        "requests", "answers", "late",     "lost",   "puts", "gets",
        "loops",    "skipped", "contacts", "queued", "inbox"};
    line_print(r);
    printf("passphrase: %s%s\n",
           json_is_true(json_object_get(r, "passphrase"))
               ? "set"
               : "none; the key is in client.db-seal, which only this user may "
                 "read, and nothing else keeps a thief from it",
           json_is_true(json_object_get(r, "locked"))
               ? "; locked, 'brusio-client unlock' opens it"
               : "");
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        if (json_object_get(r, counts[i])) /* while locked some are not told */
            printf("%s %" PRId64 "\n", counts[i], calling_number(r, counts[i]));
    if (json_is_string(json_object_get(r, "storage")))
        printf("storage: %s; until it is mended nothing new is sent or taken "
               "in. It is tried every half minute; the log names the file\n",
               json_string_value(json_object_get(r, "storage")));
    if (calling_number(r, "overtaken") > 0)
        printf("old records: %" PRId64 " contacts have had more of this client "
               "than its records know: an older copy of them was put back, or "
               "is used on another machine, which has to stop. What is written "
               "goes on behind that\n",
               calling_number(r, "overtaken"));
    counts_print("dropped", json_object_get(r, "dropped"));
    counts_print("lists", json_object_get(r, "lists"));
}

int
cli_status(const struct cli *c)
{
    return cli_call(c, "status", json_object(), status_print);
}
