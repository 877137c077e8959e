/* sphinx/tool/main.c - brusio-sphinx: packets by hand, for tests and other
 * implementations.
 *
 * One command a run: options and the command are taken from the command line, a
 * JSON object is read where the command needs one, and a JSON object is
 * printed. Nothing is sent anywhere and nothing is kept. No timers. Failure
 * modes: exit status 1 when a packet is refused, the input is wrong or the
 * output cannot be written, 2 when the command line is wrong; errors are one
 * line on standard error. */
#include <errno.h>
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/version.h"
#include "sphinx/tool/tool.h"

enum { EXIT_USAGE = 2, OPT_VERSION = 256, OPT_SEED, OPT_SUITE, OPT_GEOMETRY };

struct options {
    const char *seed;
    const char *suite;
    unsigned long hops;
    unsigned long packet_len;
    unsigned long delay_unit_us;
};

static const struct command {
    const char *name;
    const char *second; /* of two words, or NULL */
    json_t *(*run)(struct tool *t, json_t *in);
    int reads; /* a JSON object */
    const char *help;
} commands[] = {
    {"geometry", NULL, NULL, 0, "lengths of a packet"},
    {"keygen", NULL, tool_do_keygen, 0, "a relay's key pair"},
    {"new", NULL, tool_do_new, 1, "make a request"},
    {"unwrap", NULL, tool_do_unwrap, 1, "what one hop does with a packet"},
    {"surb", "create", tool_do_surb_create, 1, "make a SURB"},
    {"surb", "use", tool_do_surb_use, 1, "answer with a SURB"},
    {"surb", "open", tool_do_surb_open, 1, "read an answer"},
    {"vectors", NULL, tool_do_vectors, 0, "print the test vectors"},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void
usage_print(FILE *to)
{
    fputs("usage: brusio-sphinx COMMAND [--seed HEX] [FILE]\n"
          "Reads a JSON object from FILE or standard input where the command "
          "needs one,\nand prints another.\n\n",
          to);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(to, "  %s%s%-*s %s%s\n", commands[i].name,
                commands[i].second ? " " : "",
                14 - (int)strlen(commands[i].name) - !!commands[i].second,
                commands[i].second ? commands[i].second : "", commands[i].help,
                commands[i].reads ? " (reads JSON)" : "");
    fputs("\n  --seed HEX          64 digits; makes the output reproducible\n"
          "  --suite NAME        of geometry, keygen and vectors: x25519 or\n"
          "                      x25519-mlkem768 (needs OpenSSL 3.5)\n"
          "  --hops N, --packet-len N, --delay-unit-us N   of geometry\n"
          "  --help, --version\n",
          to);
}

static int
failure_print(const char *why, int status)
{
    fprintf(stderr, "brusio-sphinx: %s\n", why);
    return status;
}

static int
number_parse(const char *text, unsigned long max, unsigned long *out)
{
    char *end;
    errno = 0;
    *out = strtoul(text, &end, 10);
    return errno || *end || text[0] < '0' || text[0] > '9' || *out > max
               ? ERR_RANGE
               : 0;
}

/* Returns 0 to go on, else 1 + the status to exit with. */
static int
options_parse(int argc, char **argv, struct options *o)
{
    static const struct option list[] = {
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, OPT_VERSION},
        {"seed", required_argument, NULL, OPT_SEED},
        {"suite", required_argument, NULL, OPT_SUITE},
        {"hops", required_argument, NULL, OPT_GEOMETRY},
        {"packet-len", required_argument, NULL, OPT_GEOMETRY + 1},
        {"delay-unit-us", required_argument, NULL, OPT_GEOMETRY + 2},
        {NULL, 0, NULL, 0}};
    int c, bad = 0;
    while ((c = getopt_long(argc, argv, "h", list, NULL)) != -1) {
        if (c == 'h') {
            usage_print(stdout);
            return 1 + EXIT_SUCCESS;
        } else if (c == OPT_VERSION) {
            puts("brusio-sphinx " BRUSIO_VERSION);
            return 1 + EXIT_SUCCESS;
        } else if (c == OPT_SEED) {
            o->seed = optarg;
        } else if (c == OPT_SUITE) {
            o->suite = optarg;
        } else if (c == OPT_GEOMETRY) {
            bad |= number_parse(optarg, UINT8_MAX, &o->hops);
        } else if (c == OPT_GEOMETRY + 1) {
            bad |= number_parse(optarg, UINT16_MAX, &o->packet_len);
        } else if (c == OPT_GEOMETRY + 2) {
            bad |= number_parse(optarg, UINT32_MAX, &o->delay_unit_us);
        } else {
            return 1 + EXIT_USAGE; /* getopt has said why */
        }
    }
    return bad ? 1 + failure_print("a number is out of range", EXIT_USAGE) : 0;
}

/* Takes the command's words off the arguments. NULL: no such command. */
static const struct command *
command_find(int argc, char **argv, int *at)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        const struct command *c = &commands[i];
        int words = c->second ? 2 : 1;
        if (*at + words > argc || strcmp(argv[*at], c->name) != 0)
            continue;
        if (c->second && strcmp(argv[*at + 1], c->second) != 0)
            continue;
        *at += words;
        return c;
    }
    return NULL;
}

static json_t *
input_read(const char *path)
{
    json_error_t e;
    const bool piped = !path || strcmp(path, "-") == 0;
    FILE *f = piped ? stdin : fopen(path, "r");
    if (!f) {
        fprintf(stderr, "brusio-sphinx: %s: %s\n", path, strerror(errno));
        return NULL;
    }
    json_t *in = json_loadf(f, JSON_REJECT_DUPLICATES, &e);
    if (!piped)
        fclose(f);
    if (!in)
        fprintf(stderr, "brusio-sphinx: %s:%d:%d: %s\n", piped ? "-" : path,
                e.line, e.column, e.text);
    if (in && !json_is_object(in)) {
        failure_print("the input must be one JSON object", 0);
        json_decref(in);
        in = NULL;
    }
    return in;
}

/* The geometry of the options, into t. */
static int
geometry_set(struct tool *t, const struct options *o)
{
    uint8_t suite;
    int err = tool_suite(t, "--suite", o->suite, &suite);
    if (err)
        return err;
    unsigned long len = suite == SPHINX_SUITE_X25519 ? 2048 : 16384;
    err = sphinx_geometry_init(&t->geometry, suite, (uint8_t)o->hops,
                               (uint16_t)(o->packet_len ? o->packet_len : len),
                               (uint32_t)o->delay_unit_us);
    if (err)
        tool_fail(t, "geometry", error_text(err));
    return err;
}

static int
seed_set(struct tool *t, const char *hex)
{
    size_t len = 0;
    const char *end;
    if (!hex) {
        randombytes_buf(t->seed, sizeof t->seed);
        return 0;
    }
    if (sodium_hex2bin(t->seed, sizeof t->seed, hex, strlen(hex), NULL, &len,
                       &end) != 0 ||
        *end || len != sizeof t->seed)
        return ERR_FORMAT;
    return 0;
}

static int
command_run(const struct command *c, const struct options *o, const char *path)
{
    struct tool t = {.error = ""};
    json_t *in = NULL, *out = NULL;
    int status = EXIT_FAILURE;
    if (seed_set(&t, o->seed))
        return failure_print("--seed takes 64 hexadecimal digits", EXIT_USAGE);
    if (geometry_set(&t, o))
        return failure_print(t.error, EXIT_FAILURE);
    if (c->reads && !(in = input_read(path)))
        return EXIT_FAILURE;
    int err = sphinx_worker_new(&t.worker);
    if (err) {
        failure_print(error_text(err), 0);
        goto out;
    }
    out = c->run ? c->run(&t, in) : tool_geometry(&t.geometry);
    if (!out)
        failure_print(t.error[0] ? t.error : error_text(ERR_NOMEM), 0);
    else if (json_dumpf(out, stdout, TOOL_JSON_FLAGS) != 0 ||
             putchar('\n') == EOF || fflush(stdout) != 0)
        failure_print("cannot write the output", 0);
    else
        status = EXIT_SUCCESS;
out:
    sphinx_worker_free(&t.worker);
    sodium_memzero(&t, sizeof t);
    json_decref(in);
    json_decref(out);
    return status;
}

int
main(int argc, char **argv)
{
    struct options o = {.suite = "x25519", .hops = 5, .delay_unit_us = 1000};
    if (sodium_init() < 0)
        return failure_print(error_text(ERR_CRYPTO), EXIT_FAILURE);
    int stop = options_parse(argc, argv, &o);
    if (stop)
        return stop - 1;
    int at = optind;
    const struct command *c = at < argc ? command_find(argc, argv, &at) : NULL;
    if (!c) {
        fprintf(stderr,
                "brusio-sphinx: %s%s%s; 'brusio-sphinx --help' lists what "
                "there is\n",
                at < argc ? "unknown command '" : "a command is required",
                at < argc ? argv[at] : "", at < argc ? "'" : "");
        return EXIT_USAGE;
    }
    if (argc - at > (c->reads ? 1 : 0))
        return failure_print("too many arguments", EXIT_USAGE);
    return command_run(c, &o, at < argc ? argv[at] : NULL);
}
