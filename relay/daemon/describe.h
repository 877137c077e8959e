/* relay/daemon/describe.h - what a relay says of itself to the authorities: its
 * descriptor, as made by a running relay and by `brusio-relay join`. */
#ifndef RELAY_DAEMON_DESCRIBE_H
#define RELAY_DAEMON_DESCRIBE_H
#include "relay/daemon/daemon.h"

struct describe {
    const char *dir; /* with the packet keys; missing ones are made */
    const struct relay_settings *config;
    const struct network *network;
    const uint8_t *identity, *identity_seed;
    char addresses[ADDRESSES_MAX][ADDRESS_MAX];
    size_t n_addresses;
    uint32_t alarms;
    uint8_t n_links;
    struct link_told links[LINKS_TOLD_MAX];
    uint64_t hibernates_until_s; /* 0: it does not */
};

/* Tell the first epoch of the network n whose votes are still to come at
 * now_s. */
uint32_t describe_epoch(const struct network *n, uint64_t now_s);

/* Find where the relay of the folder dir listens by this config, or did when it
 * last ran. Returns 0; ERR_NOT_FOUND: the port is not known before the relay
 * has run. */
int describe_bound(const char *dir, const struct relay_settings *config,
                   char out[static ADDRESS_TEXT_MAX]) CHECK_RESULT;
/* Set the addresses at which the relay would be reached: the configured ones,
 * else the one that is bound; where that is every address of the machine, those
 * that lead to the authorities. */
void describe_addresses(struct describe *d, const char *bound);
/* Judge whether the addresses of d may be published in its network. Returns 0;
 * ERR_FORMAT: one may not; ERR_NOT_FOUND: there is none now; why says which,
 * and what to do. */
enum { DESCRIBE_WHY_LEN = 240 };
int describe_judge(const struct describe *d,
                   char why[static DESCRIBE_WHY_LEN]) CHECK_RESULT;

/* Write the descriptor of d for this epoch, signed; *out is malloc'd. */
int describe_make(const struct describe *d, uint32_t epoch, uint8_t **out,
                  size_t *len) CHECK_RESULT;

/* Copy what an authority said, `text` of len bytes, without anything that a
 * terminal would obey or that tells a machine apart. */
void describe_answer(char out[static DIRECTORY_TEXT_LEN], const uint8_t *text,
                     size_t len);
#endif
