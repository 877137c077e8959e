/* testnet/testnet.h - real programs as a local network. */
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

/* testnet_file.c: the file DIR/testnet, which says of what a network was made, so
 * that it can be started again. Returns 0; ERR_NOT_FOUND: there is none. Only dir
 * stays as it is. */
int testnet_recall(struct testnet_config *c) CHECK_RESULT;
int testnet_keep(const struct testnet_config *c) CHECK_RESULT;

struct child {
    char name[NAME_LEN];
    pid_t pid; /* 0: not running */
    int ready; /* where it says that it is ready; -1: it has */
};

struct testnet {
    struct testnet_config config;
    bool again;            /* it was made before */
    bool (*stopped)(void); /* has the user had enough? Asked all the time */
    int lock;              /* of the directory; -1: none */
    char bin[512];         /* directory of the programs */
    char dir[128], network_path[512];
    struct network network;
    unsigned gateways_ready;
    struct child child[CHILDREN_MAX];
    unsigned n_children;
};

/* Start everything and wait until the network is usable. Prints what it does.
 * Returns 0, or 1 and has printed why, unless it was stopped. */
int testnet_start(struct testnet *t);
/* Returns the name of a child that has ended, or NULL. */
const char *testnet_ended(struct testnet *t);
/* Say of a child what happened, and the last line of its log. */
void testnet_blame(const struct testnet *t, const char *name, const char *what);
/* Stop all that runs. */
void testnet_stop(struct testnet *t);

/* testnet_process.c: run a program of ours to its end and keep the first word
 * after `key` in what it prints (NULL: nothing). Returns its exit status. */
int process_run(struct testnet *t, const char *const *argv, const char *key,
                char value[static WORD_LEN]);
/* Start one that stays, its log in DIR/NAME/log. Returns 0 or 1. */
int process_start(struct testnet *t, const char *name, const char *program);
/* Wait for the line "key value" on the --ready-fd of the child of this name.
 * Returns 0, or 1 and has printed why. */
int process_ready(struct testnet *t, const char *name, const char *key,
                  char value[static WORD_LEN]);
#endif
