/* testnet/testnet.h - a local network of real programs: what it is made of, and
 * its processes. */
#ifndef TESTNET_TESTNET_H
#define TESTNET_TESTNET_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "network/json.h"

enum {
    TESTNET_LAYERS = 3,
    TESTNET_PROFILE_LEN = 16,
    CHILDREN_MAX = 512,
    NAME_LEN = 32,
    WORD_LEN = 128
};

struct testnet_config {
    const char *dir;
    unsigned authorities, gateways, mixes, stores, clients; /* mixes: a layer */
    unsigned epoch_len_s;
    char profile[TESTNET_PROFILE_LEN]; /* of all clients; "": half default, half
                                          fast */
    uint8_t suite;                     /* enum sphinx_suite */
    bool manual; /* authorities let in nobody else's relays by themselves */
};

/* Read into *c, all but dir, of what the network in c->dir was made, from the
 * file DIR/testnet (testnet_file.c), so that the network can be started again.
 * Returns 0, ERR_NOT_FOUND when there is no such file, or what else is wrong.
 */
int testnet_recall(struct testnet_config *c) CHECK_RESULT;

/* Write the file DIR/testnet for c. Returns 0 or an error of files_write(). */
int testnet_keep(const struct testnet_config *c) CHECK_RESULT;

struct child {
    char name[NAME_LEN];
    pid_t pid; /* 0: not running */
    int ready; /* where the child says that it is ready; -1: it has said so */
};

struct testnet {
    struct testnet_config config;
    bool again;            /* the network was made before */
    bool (*stopped)(void); /* tells whether the user wants to stop */
    int lock;              /* of the directory; -1: none */
    char bin[512];         /* directory of the programs */
    char dir[128], network_path[512];
    struct network network;
    unsigned gateways_ready;
    struct child child[CHILDREN_MAX];
    unsigned n_children;
};

/* Start all programs of t and wait until the network is usable; print each
 * step. Returns 0, or 1 and has printed why, unless the user stopped it. */
int testnet_start(struct testnet *t);

/* Return the name of a child that has ended, or NULL. */
const char *testnet_ended(struct testnet *t);

/* Print what happened to the child called name, and the last line of its log.
 */
void testnet_blame(const struct testnet *t, const char *name, const char *what);

/* Stop all programs that run. */
void testnet_stop(struct testnet *t);

/* Run command of program on the directory of the child called name, with the
 * words that follow and a NULL, to its end (testnet_process.c), and write to
 * value the first word that the program prints after key (NULL: none). Returns
 * its exit status. */
int process_run(struct testnet *t, const char *key, char value[static WORD_LEN],
                const char *program, const char *command, const char *name, ...)
    __attribute__((sentinel));

/* Start program as the child called name, which goes on running; its log is
 * DIR/NAME/log. Returns 0 or 1. */
int process_start(struct testnet *t, const char *name, const char *program);

/* Wait for the line "key value" on the --ready-fd of the child called name.
 * Returns 0, or 1 and has printed why. */
int process_ready(struct testnet *t, const char *name, const char *key,
                  char value[static WORD_LEN]);
#endif
