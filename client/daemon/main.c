/* client/daemon/main.c - brusio-client: the command line of a client. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/commands/cli.h"
#include "client/commands/cli_seal.h"
#include "client/daemon/daemon.h"
#include "client/commands/input.h"
#include "client/daemon/setup.h"
#include "lib/os/files.h"
#include "lib/os/host.h"
#include "lib/os/program.h"
#include "lib/secret.h"

static const char program[] = "brusio-client";

/* The help in two parts, since C promises no longer words; form.usage is both. */
static const char usage_commands[] =
    "usage: brusio-client init --network FILE [--profile NAME]\n"
    "       brusio-client run [--passphrase-file FILE] [--ready-fd N] "
    "[--parent PID]\n"
    "       brusio-client invite NAME [--qr] [--svg FILE]\n"
    "       brusio-client invitation NAME [--qr] [--svg FILE]\n"
    "       brusio-client add NAME INVITATION\n"
    "       brusio-client withdraw NAME | remove NAME | rename NAME NEW-NAME\n"
    "       brusio-client mute NAME | unmute NAME | pings NAME on|off\n"
    "       brusio-client verify NAME [yes|no] [--qr] [--svg FILE]\n"
    "       brusio-client open NAME\n"
    "       brusio-client send NAME TEXT | send NAME --file FILE [--name "
    "NAME]  [--wait]\n"
    "       brusio-client recv [NAME] [--out FILE] [--wait SECONDS] [--count "
    "N]\n"
    "                          [--reader READER]\n"
    "       brusio-client recv [NAME] --follow [--out DIRECTORY] | recv "
    "--skip\n"
    "       brusio-client history [NAME] [--count N] | show NUMBER [--out "
    "FILE]\n"
    "       brusio-client delete NUMBER | keep [DAYS|always]\n"
    "       brusio-client readers | readers add NAME [--from-now] | readers "
    "remove NAME\n"
    "       brusio-client estimate NAME FILE | outbox [NAME] | cancel NAME "
    "NUMBER\n"
    "       brusio-client ping NAME [--wait SECONDS]\n"
    "       brusio-client state NAME\n"
    "       brusio-client contacts | status | check [--passphrase-file "
    "FILE]\n"
    "       brusio-client passphrase [--passphrase-file FILE] "
    "[--new-passphrase-file FILE]\n"
    "       brusio-client lock | unlock [--passphrase-file FILE]\n"
    "       brusio-client backup FILE [--passphrase-file FILE] "
    "[--client-passphrase-file FILE]\n"
    "       brusio-client restore FILE [--passphrase-file FILE]\n"
    "       brusio-client help [COMMAND] | completion bash|zsh|fish\n"
    "\n"
    "A client of the mixnet. 'run' keeps it going; the others speak to it.\n"
    "\n"
    "  init      make the client's directory\n"
    "  run       stay connected until SIGINT or SIGTERM\n"
    "  invite    make a contact and print the line that its other side adds;\n"
    "            hand it over in private, it works once\n"
    "  invitation  show one again that nobody has used\n"
    "  add       take an invitation up\n"
    "  withdraw  an invitation that nobody has used: who takes it up later is\n"
    "            not answered\n"
    "  remove    a contact, with all messages to it and from it that wait "
    "here;\n"
    "            it is not told, and not answered any more\n"
    "  rename    a contact; the other side knows nothing of names\n"
    "  mute      throw away what a contact writes from now on; it is\n"
    "            acknowledged as ever, so that it cannot tell\n"
    "  unmute    show again what it writes\n"
    "  pings     may a contact ping? A new one may not; its pings are not\n"
    "            answered\n"
    "  verify    a contact's safety number; 'yes': it was compared\n"
    "  open      the conversation is on the screen: ask for it as often as if\n"
    "            you had written; that lasts for 5 to 20 minutes\n"
    "  send      queue a message; it is kept until it is delivered. What "
    "follows\n"
    "            NAME is the text, however it looks, unless it is an option "
    "of\n"
    "            this command as it stands below; after -- all is text, also "
    "-. "
    "Where\n"
    "            TEXT, INVITATION or FILE is - it is read from the standard\n"
    "            input, and no other user of the machine sees it\n"
    "  recv      print the next message that was not read yet, with its time "
    "and\n"
    "            number. Texts come as they were written, and overtake files. "
    "A\n"
    "            file goes into this directory by a name that is free; what\n"
    "            cannot be written is not read yet. What muted contacts wrote\n"
    "            before only when they are named\n"
    "  history   list what came last and is here; * is not read yet\n"
    "  show      print one again, by its number in 'history', after #\n"
    "  delete    one of these, for good\n"
    "  keep      for how many days after it came what was read is kept; 0: "
    "not\n"
    "            at all; always: until it is deleted, as at first\n"
    "  readers   programs that read beside 'recv', each for itself; a message "
    "is\n"
    "            read when all have had it\n";
static const char usage_options[] =
    "  ping      ask a contact's client for an answer and print how long it\n"
    "            took; it answers if you may ping there\n"
    "  state     of the newest message to a contact: queued, sent (stores\n"
    "            have it), delivered or expired\n"
    "  estimate  about how long a file would take\n"
    "  outbox    list what is not delivered yet, and about how long it takes\n"
    "  cancel    give a message up, of which 'send' or 'outbox' told the "
    "number\n"
    "  contacts  list them\n"
    "  status    how the client is doing\n"
    "  check     read configuration and say what is wrong\n"
    "  passphrase\n"
    "            set, change or, by an empty one, remove the passphrase "
    "without\n"
    "            which nothing in the directory can be read; 'run' asks for it "
    "then.\n"
    "            When it is forgotten nobody can read anything any more\n"
    "  lock      until 'unlock' no program reads contacts or messages, or "
    "sends;\n"
    "            the client goes on as before. There has to be a passphrase\n"
    "  unlock    let programs call again\n"
    "  backup    write all that the client has to a new file, sealed under a\n"
    "            passphrase of its own; the client may run\n"
    "  restore   make a directory of a backup: one that is not there, or "
    "empty.\n"
    "            Only one copy of a client may run\n"
    "\n"
    "  --dir DIR       the client's directory; default: ~/.brusio\n"
    "  --network FILE  the network file, from whoever runs the network\n"
    "  --profile NAME  light, default or fast: how much it sends, always\n"
    "  --wait          (send) return when it is delivered\n"
    "  --wait SECONDS  (recv, ping) wait so long at most; ping: 300\n"
    "  --file FILE     send this file, or what comes by a pipe\n"
    "  --name NAME     (send) call the file so\n"
    "  --out FILE      write the message there: a file that is not there yet, "
    "a\n"
    "                  directory, or - for the standard output\n"
    "  --count N       messages to take; default: 1, of 'history' 20\n"
    "  --follow        print what comes until it is stopped\n"
    "  --skip          the next message counts as read, unseen\n"
    "  --reader NAME   read as this one of 'readers'\n"
    "  --from-now      not what is here already\n"
    "  --json          print objects of JSON, one a line\n"
    "  --qr            show a picture of the line for a camera, too\n"
    "  --svg FILE      write that picture to a file that is not there yet\n"
    "  --passphrase-file FILE\n"
    "                  the passphrase is the first line of FILE (-: of the\n"
    "                  standard input), and is not asked for; of 'backup' and\n"
    "                  'restore': that of the backup\n"
    "  --new-passphrase-file FILE\n"
    "                  the new one, likewise\n"
    "  --client-passphrase-file FILE\n"
    "                  (backup) that of the client, likewise, where it does "
    "not\n"
    "                  run\n"
    "  --ready-fd N    write \"socket PATH\" there when it takes calls\n"
    "  --parent PID    end when the process PID ends\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0, 1 (failed), 2 (wrong usage).\n";
static char usage[sizeof usage_commands + sizeof usage_options];

enum {
    DIR_OPTION,
    NETWORK,
    PROFILE,
    WAIT_FLAG,
    WAIT,
    FILE_OPTION,
    FILE_NAME,
    OUT,
    COUNT,
    FOLLOW,
    SKIP,
    READER,
    FROM_NOW,
    JSON,
    QR,
    SVG,
    READY_FD,
    PARENT,
    PASSPHRASE,
    NEW_PASSPHRASE,
    CLIENT_PASSPHRASE,
    OPTIONS
};
static const char all[] =
    " init run invite invitation add withdraw remove rename mute "
    "unmute pings verify open send recv history show delete keep readers "
    "ping state outbox cancel estimate contacts "
    "status check passphrase lock unlock backup restore ";
static const struct args_option options[OPTIONS] = {
    {"dir", false, all},
    {"network", false, " init "},
    {"profile", false, " init "},
    {"wait", true, " send "},
    {"wait", false, " recv ping "},
    {"file", false, " send "},
    {"name", false, " send "},
    {"out", false, " recv show "},
    {"count", false, " recv history "},
    {"follow", true, " recv "},
    {"skip", true, " recv "},
    {"reader", false, " recv "},
    {"from-now", true, " readers "},
    {"json", true,
     " invite invitation verify send recv history show keep readers ping state "
     "outbox estimate contacts status "},
    {"qr", true, " invite invitation verify "},
    {"svg", false, " invite invitation verify "},
    {"ready-fd", false, " run "},
    {"parent", false, " run "},
    {"passphrase-file", false, " run check passphrase unlock backup restore "},
    {"new-passphrase-file", false, " passphrase "},
    {"client-passphrase-file", false, " backup "}};

static const struct args_form form = {.options = options,
                                      .n_options = OPTIONS,
                                      .commands = all,
                                      .texts = " send ",
                                      .rest_max = 2,
                                      .usage = usage};

static const struct program_folder folder = {.program = program,
                                             .kind = "client",
                                             .conf = "client.conf",
                                             .option = "network",
                                             .value = "FILE"};

static int
usage_fail(const char *what)
{
    return program_misuse(program, "%s; 'brusio-client --help' shows how",
                          what);
}

static int
init(const struct args *a, const char *dir)
{
    const char *profile = a->value[PROFILE] ? a->value[PROFILE] : "default";
    if (!a->value[NETWORK])
        return usage_fail("--network is missing");
    if (strcmp(profile, "light") != 0 && strcmp(profile, "default") != 0 &&
        strcmp(profile, "fast") != 0)
        return usage_fail("--profile wants light, default or fast");
    return setup_init(dir, a->value[NETWORK], profile);
}

/* Do what wants the configuration but no client that runs. */
static int
rest_run(const struct args *a, const struct cli *c,
         const struct daemon_config *config)
{
    host_harden(0);
    if (secret_init())
        return program_error(program, "libsodium", ERR_CRYPTO);
    return strcmp(a->command, "backup") == 0 ? cli_backup(c, config->network)
                                             : cli_passphrase(c);
}

static int
run(const struct args *a, const struct cli *c)
{
    const char *dir = c->dir;
    struct daemon_config config = {0};
    struct program_start start;
    if (!program_read_start(&start, a, options, READY_FD, PARENT))
        return ARGS_EXIT_USAGE;
    int status = program_read_config(&folder, dir, client_options,
                                     client_options_len, &config);
    if (status)
        return status;
    config.passphrase_file = c->passphrase_file;
    if (strcmp(a->command, "check") == 0) {
        status = setup_check(dir, &config);
    } else if (strcmp(a->command, "run") != 0) {
        status = rest_run(a, c, &config);
    } else {
        host_harden(start.parent);
        status = setup_profile(dir, config.profile, true);
        if (!status && secret_init())
            status = program_error(program, "libsodium", ERR_CRYPTO);
        if (!status)
            status = client_run(dir, &config, start.ready_fd);
    }
    config_free(client_options, client_options_len, &config);
    return status;
}

/* The commands that take a fixed number of words and no options. */
static const struct {
    const char *name;
    size_t words;
    int (*run)(const struct cli *c);
} plain[] = {{"contacts", 0, cli_contacts}, {"status", 0, cli_status},
             {"invite", 1, cli_invite},     {"invitation", 1, cli_invite},
             {"withdraw", 1, cli_change},   {"remove", 1, cli_change},
             {"mute", 1, cli_change},       {"open", 1, cli_change},
             {"unmute", 1, cli_change},     {"ping", 1, cli_ping},
             {"state", 1, cli_state},       {"outbox", 0, cli_outbox},
             {"outbox", 1, cli_outbox},     {"lock", 0, cli_lock},
             {"unlock", 0, cli_unlock},     {"restore", 1, cli_restore},
             {"cancel", 2, cli_cancel},     {"estimate", 2, cli_estimate},
             {"rename", 2, cli_change},     {"pings", 2, cli_pings},
             {"verify", 1, cli_verify},     {"verify", 2, cli_verify},
             {"history", 0, cli_history},   {"history", 1, cli_history},
             {"show", 1, cli_show},         {"delete", 1, cli_delete},
             {"keep", 0, cli_keep},         {"keep", 1, cli_keep},
             {"readers", 0, cli_readers},   {"readers", 2, cli_readers}};

/* Read a text from the standard input, without the line's end; NULL, and has said
 * why. What stands in the command line all users of a machine can read, and a
 * shell keeps it. */
static char *
text_read(void)
{
    uint8_t *data;
    size_t n;
    if (input_read("-", &data, &n))
        return NULL;
    n -= n > 0 && data[n - 1] == '\n';
    data[n] = 0;
    if (strlen((char *)data) == n)
        return (char *)data;
    program_fail(program, "standard input: it has a zero byte, and so is no "
                          "text; 'send NAME --file -' sends any bytes");
    free(data);
    return NULL;
}

static int
text_run(const struct args *a, struct cli *c, int (*call)(const struct cli *c))
{
    char *text = NULL;
    if (a->n_before == 2 && strcmp(c->text, "-") == 0 && !(text = text_read()))
        return ARGS_EXIT_FAILED;
    if (text)
        c->text = text;
    int status = call(c);
    if (text)
        sodium_memzero(text, strlen(text));
    free(text);
    return status;
}

static int
command_run(const struct args *a, struct cli *c)
{
    const char *name = a->command;
    size_t n = a->n_rest;
    c->command = name;
    c->name = n > 0 ? a->rest[0] : NULL;
    c->text = n > 1 ? a->rest[1] : NULL;
    if (strcmp(name, "add") == 0 && n == 2)
        return text_run(a, c, cli_change);
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        if (strcmp(name, plain[i].name) == 0 && n == plain[i].words)
            return plain[i].run(c);
    if (strcmp(name, "recv") == 0 && n <= 1)
        return cli_recv(c);
    if (strcmp(name, "send") == 0 && (c->file ? n == 1 : n == 2))
        return text_run(a, c, cli_send);
    return usage_fail("wrong number of words after the command");
}

static int
arguments_obey(int argc, char **argv)
{
    struct args a;
    struct cli c = {0};
    char home[FILES_PATH_MAX];
    int status = program_begin(&a, argc, argv, &form);
    if (status >= 0)
        return status;
    c.dir = a.value[DIR_OPTION];
    if (!c.dir) {
        const char *h = getenv("HOME");
        if (!h || *h != '/' || files_path(home, h, ".brusio"))
            return usage_fail("--dir is missing, and HOME names no directory");
        c.dir = home;
    }
    const bool ping = strcmp(a.command, "ping") == 0;
    const bool history = strcmp(a.command, "history") == 0;
    if (!args_number(&a, options, WAIT, 0, 1000000, ping ? 300 : 0,
                     &c.wait_s) ||
        !args_number(&a, options, COUNT, 1, history ? 1000 : 1000000,
                     history ? 20 : 1, &c.count))
        return ARGS_EXIT_USAGE;
    c.wait = a.value[WAIT_FLAG] != NULL;
    c.file = a.value[FILE_OPTION];
    c.file_name = a.value[FILE_NAME];
    c.out = a.value[OUT];
    c.follow = a.value[FOLLOW] != NULL;
    c.skip = a.value[SKIP] != NULL;
    c.reader = a.value[READER];
    c.from_now = a.value[FROM_NOW] != NULL;
    c.json = a.value[JSON] != NULL;
    c.qr = a.value[QR] != NULL;
    c.svg = a.value[SVG];
    if (strcmp(a.command, "init") == 0)
        return a.n_rest ? usage_fail("init takes no words") : init(&a, c.dir);
    c.passphrase_file = a.value[PASSPHRASE];
    c.new_passphrase_file = a.value[NEW_PASSPHRASE];
    c.client_passphrase_file = a.value[CLIENT_PASSPHRASE];
    c.name = a.n_rest > 0 ? a.rest[0] : NULL;
    if (args_is_among(" run check passphrase ", a.command))
        return a.n_rest ? usage_fail("run, check and passphrase take no words")
                        : run(&a, &c);
    if (strcmp(a.command, "backup") == 0)
        return a.n_rest == 1 ? run(&a, &c)
                             : usage_fail("backup takes the name of a file");
    status = command_run(&a, &c);
    return status;
}

int
main(int argc, char **argv)
{
    snprintf(usage, sizeof usage, "%s%s", usage_commands, usage_options);
    return program_end(program, arguments_obey(argc, argv));
}
