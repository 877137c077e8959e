/* testnet/testnet.c - laying out directories, starting programs in order.
 *
 * A network that is here already starts again with what it was made of: its
 * authorities have their ports, its relays take those that they had.
 *
 * A new network gets authorities first (free ports are found before, since the
 * network file has to name them), then relays, which bind any port, then the
 * network file gets its gateways, then clients. The genesis lies so far ahead
 * that the first epoch is prepared on the ordinary schedule. */
#include "testnet/testnet.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/codec.h"
#include "lib/address.h"
#include "lib/os/program.h"
#include "lib/os/socket.h"
#include "lib/os/files.h"
#include "network/os/netfile.h"
#include "network/receive.h"
#include "network/schedule.h"

static const char program[] = "brusio-testnet";

enum { PATH_LEN = FILES_PATH_MAX, PORT_MIN = 20000, PORT_END = 32768 };

static void
path_make(const struct testnet *t, char path[static PATH_LEN], const char *name,
          const char *file)
{
    snprintf(path, PATH_LEN, "%s/%s%s%s", t->config.dir, name, file ? "/" : "",
             file ? file : "");
}

static int
testnet_complain(const struct testnet *t, const char *what)
{
    if (!t->stopped())
        program_fail(program, "%s", what);
    return ARGS_EXIT_FAILED;
}

/* Find a port that is free now, of those that the system gives nobody by itself
 * (Linux begins at 32768), so that no connection of another program gets that
 * port before the authority does. */
static int
address_free(char address[static ADDRESS_TEXT_MAX])
{
    for (unsigned tries = 0; tries < 100; tries++) {
        char wish[ADDRESS_TEXT_MAX];
        int fd;
        snprintf(wish, sizeof wish, "127.0.0.1:%u",
                 PORT_MIN + randombytes_uniform(PORT_END - PORT_MIN));
        if (socket_listen(&fd, wish, address))
            continue;
        close(fd);
        return 0;
    }
    return 1;
}

static int
text_append(const char *path, const char *text)
{
    FILE *f = fopen(path, "a");
    if (!f)
        return 1;
    fputs(text, f);
    return fclose(f) != 0;
}

static int
authorities_init(struct testnet *t)
{
    struct network *n = &t->network;
    const struct schedule schedule = {.epoch_len_s = t->config.epoch_len_s,
                                      .n = t->config.authorities};
    const uint64_t ahead_s = (uint64_t)t->config.epoch_len_s *
                             schedule_permille(&schedule, SCHEDULE_HELLO) /
                             1000;
    snprintf(n->name, sizeof n->name, "testnet");
    n->epoch_len_s = t->config.epoch_len_s;
    n->genesis_s = (uint64_t)time(NULL) + ahead_s + 3;
    if (sphinx_geometry_init(
            &n->geometry, t->config.suite, TESTNET_LAYERS + 2,
            t->config.suite == SPHINX_SUITE_X25519 ? 2048 : 16384, 1000))
        return testnet_complain(t, "no such packets");
    for (unsigned i = 0; i < t->config.authorities; i++) {
        struct network_authority *a = &n->authorities[n->n_authorities++];
        char name[NAME_LEN], conf[PATH_LEN], word[WORD_LEN], line[PATH_LEN];
        snprintf(name, sizeof name, "authority-%u", i + 1);
        path_make(t, conf, name, "directory.conf");
        if (process_run(t, "identity", word, "brusio-directory", "init", name,
                        NULL) ||
            codec_unhex(a->identity, sizeof a->identity, word) ||
            address_free(a->address))
            return testnet_complain(t, "an authority cannot be set up");
        snprintf(line, sizeof line,
                 "listen = \"%s\"\nnetwork = \"../network.json\"\n"
                 "policy = \"%s\"\nby_hand = \"none\"\n"
                 "store_trial_epochs = 0\nnewcomer_permille = 1000000\n"
                 /* half of the fronts' polls are for looks so long; here nobody
                  * has many contacts */
                 "look_s = 3\n",
                 a->address, t->config.manual ? "manual" : "open");
        if (text_append(conf, line))
            return testnet_complain(
                t, "an authority's configuration cannot be written");
    }
    return netfile_write(t->network_path, n)
               ? testnet_complain(t, "the network file cannot be written")
               : 0;
}

static int
authorities_start(struct testnet *t)
{
    for (unsigned i = 0; i < t->config.authorities; i++) {
        char name[NAME_LEN], word[WORD_LEN];
        snprintf(name, sizeof name, "authority-%u", i + 1);
        if (process_start(t, name, "brusio-directory") ||
            process_ready(t, name, "http", word))
            return 1;
    }
    return 0;
}

/* Approve a relay of the network's own; others wait for the operator. */
static int
relay_approve(struct testnet *t, const char *identity)
{
    for (unsigned i = 0; i < t->config.authorities; i++) {
        char name[NAME_LEN], word[WORD_LEN];
        snprintf(name, sizeof name, "authority-%u", i + 1);
        if (process_run(t, NULL, word, "brusio-directory", "approve", name,
                        identity, NULL))
            return testnet_complain(t, "a relay cannot be approved");
    }
    return 0;
}

static int
relay_init(struct testnet *t, const char *role, const char *name)
{
    char id[WORD_LEN];
    struct network_gateway *g = &t->network.gateways[t->network.n_gateways];
    if (process_run(t, "identity", id, "brusio-relay", "init", name, "--role",
                    role, "--listen", "127.0.0.1:0", "--network",
                    "../network.json", NULL))
        return testnet_complain(t, "a relay cannot be set up");
    if (strcmp(role, "gateway") == 0) {
        t->network.n_gateways++;
        if (codec_unhex(g->identity, sizeof g->identity, id))
            return testnet_complain(t, "a gateway has no identity");
    }
    return t->config.manual ? relay_approve(t, id) : 0;
}

static int
relay_start(struct testnet *t, const char *role, const char *name)
{
    if (!t->again && relay_init(t, role, name))
        return 1;
    return process_start(t, name, "brusio-relay");
}

static int
relay_ready(struct testnet *t, const char *role, const char *name)
{
    char address[WORD_LEN];
    if (process_ready(t, name, "links", address))
        return 1;
    if (strcmp(role, "gateway") != 0)
        return 0;
    struct network_gateway *g = &t->network.gateways[t->gateways_ready++];
    snprintf(g->address, sizeof g->address, "%.*s", ADDRESS_MAX - 1, address);
    return 0;
}

/* Start all relays, then wait for them. */
static int
relays_start(struct testnet *t)
{
    const struct {
        const char *role;
        unsigned count;
    } row[] = {{"gateway", t->config.gateways},
               {"mix", t->config.mixes * TESTNET_LAYERS},
               {"store", t->config.stores}};
    for (unsigned ready = 0; ready < 2; ready++)
        for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
            for (unsigned k = 0; k < row[i].count; k++) {
                char name[NAME_LEN];
                snprintf(name, sizeof name, "%s-%u", row[i].role, k + 1);
                if (ready ? relay_ready(t, row[i].role, name)
                          : relay_start(t, row[i].role, name))
                    return 1;
            }
    return netfile_write(t->network_path, &t->network)
               ? testnet_complain(t, "the network file cannot be written")
               : 0;
}

/* Tell whether authority 1 has published a consensus with all relays. */
static bool
consensus_is_whole(struct testnet *t)
{
    char path[PATH_LEN];
    uint8_t ids[AUTHORITIES_MAX][SPHINX_ID_LEN], *bytes;
    struct consensus *c;
    size_t len, want = t->config.gateways + t->config.stores +
                       (size_t)t->config.mixes * TESTNET_LAYERS;
    path_make(t, path, "authority-1", "consensus");
    if (files_read(path, DOCUMENT_BODY_MAX * 2, &bytes, &len))
        return false;
    for (size_t i = 0; i < t->network.n_authorities; i++)
        memcpy(ids[i], t->network.authorities[i].identity, SPHINX_ID_LEN);
    const struct receive_rules rules = {
        .network = t->network.name,
        .geometry = &t->network.geometry,
        .authorities = (const uint8_t(*)[SPHINX_ID_LEN])ids,
        .n_authorities = t->network.n_authorities};
    int err =
        receive_consensus(&c, &rules, bytes, len, 0, (uint64_t)time(NULL));
    free(bytes);
    bool whole = !err && c->n_relays == want;
    if (!err && whole) {
        printf("epoch %u: consensus of %zu relays\n", c->epoch, c->n_relays);
        fflush(stdout);
    }
    consensus_free(&c);
    return whole;
}

static int
consensus_wait(struct testnet *t)
{
    const time_t epochs = t->again ? 5 : 3; /* who comes back may be unsure */
    time_t until = time(NULL) + 10 + epochs * (time_t)t->config.epoch_len_s;
    while (!consensus_is_whole(t)) {
        const char *ended = testnet_ended(t);
        if (t->stopped())
            return 1;
        if (ended) {
            testnet_blame(t, ended, "has ended");
            return 1;
        }
        if (time(NULL) > until)
            return testnet_complain(t,
                                    "no consensus with all relays came about");
        usleep(50000);
    }
    return 0;
}

static const char *
client_profile(const struct testnet *t, unsigned i)
{
    if (t->config.profile[0])
        return t->config.profile;
    return i < (t->config.clients + 1) / 2 ? "default" : "fast";
}

/* Make client i, unless it is there with its contacts. */
static int
client_init(struct testnet *t, unsigned i, const char *name)
{
    char conf[PATH_LEN], word[WORD_LEN];
    path_make(t, conf, name, "client.conf");
    if (access(conf, F_OK) &&
        process_run(t, NULL, word, "brusio-client", "init", name, "--network",
                    t->network_path, "--profile", client_profile(t, i), NULL))
        return testnet_complain(t, "a client cannot be set up");
    return 0;
}

static int
clients_start(struct testnet *t)
{
    for (unsigned i = 0; i < t->config.clients; i++) {
        char name[NAME_LEN], word[WORD_LEN];
        snprintf(name, sizeof name, "client-%u", i + 1);
        if (client_init(t, i, name))
            return 1;
        if (process_start(t, name, "brusio-client") ||
            process_ready(t, name, "socket", word))
            return 1;
    }
    return 0;
}

/* Wait until each client's status says that it sends. */
static int
clients_wait(struct testnet *t)
{
    for (unsigned i = 0; i < t->config.clients; i++) {
        char name[NAME_LEN], word[WORD_LEN];
        snprintf(name, sizeof name, "client-%u", i + 1);
        for (unsigned k = 0;; k++) {
            if (process_run(t, "connected,", word, "brusio-client", "status",
                            name, NULL) == 0 &&
                strncmp(word, "sending", 7) == 0)
                break;
            if (t->stopped())
                return 1;
            if (k > 300)
                return testnet_complain(t,
                                        "a client does not reach the network");
            usleep(100000);
        }
    }
    return 0;
}

/* Find the directory's real path, and take the directory for this process. */
static int
directory_take(struct testnet *t)
{
    if (mkdir(t->config.dir, 0700) && errno != EEXIST)
        return program_fail(program, "%s cannot be made: %s", t->config.dir,
                            strerror(errno));
    char *real = realpath(t->config.dir, NULL);
    if (!real || strlen(real) > 80) {
        free(real);
        return testnet_complain(
            t, "the directory's path has to be 80 letters at most, "
               "since sockets lie in it; take another one");
    }
    snprintf(t->dir, sizeof t->dir, "%s", real);
    t->config.dir = t->dir;
    free(real);
    const int err = files_lock(t->dir, &t->lock);
    if (err)
        program_fail(program, "%s: %s", t->dir,
                     err == ERR_AGAIN
                         ? "a test network runs in it; end that first, or take "
                           "another directory"
                         : "cannot be opened; see whose it is");
    return err != 0;
}

/* Prepare a new network; one that is there already starts again, as it is. */
static int
network_prepare(struct testnet *t)
{
    char error[NETFILE_ERROR_LEN];
    path_make(t, t->network_path, "network.json", NULL);
    if (t->again) {
        if (netfile_read(t->network_path, &t->network, error) == 0)
            return 0;
        return program_fail(program, "%s", error);
    }
    if (access(t->network_path, F_OK) == 0)
        return testnet_complain(
            t, "what is in this directory is a network that was "
               "stopped before it was whole, or another one's; "
               "remove it, or take another directory");
    return authorities_init(t);
}

int
testnet_start(struct testnet *t)
{
    if (directory_take(t) || network_prepare(t) || authorities_start(t) ||
        relays_start(t))
        return 1;
    if (!t->again && testnet_keep(&t->config))
        return testnet_complain(t, "the file 'testnet' cannot be written");
    printf("started %u programs; waiting for %s consensus\n", t->n_children,
           t->again ? "a" : "the first");
    fflush(stdout);
    if (consensus_wait(t) || clients_start(t) || clients_wait(t))
        return 1;
    return 0;
}
