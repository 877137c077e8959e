/* relay/operator/check.h - `brusio-relay check`: would this relay do well
 * here? */
#ifndef RELAY_OPERATOR_CHECK_H
#define RELAY_OPERATOR_CHECK_H
#include "relay/daemon/daemon.h"
#include "relay/operator/status.h"

/* Check the relay of the folder dir by this config and print one finding a
 * line. Returns the exit status: 1 when there is an error. */
int check_run(const char *dir, const struct relay_settings *config);

/* Tell whether the relay of dir runs, by its status file. */
bool check_runs(const char *dir);

/* The parts, for tests: each adds what it finds to *f, by the configuration
 * c. */

/* Check the addresses to listen at; running: the relay has them already. */
void check_addresses(struct findings *f, const struct relay_settings *c,
                     bool running);
/* Check whether the addresses that others would be told may be published in the
 * network n. */
void check_published(struct findings *f, const char *dir,
                     const struct relay_settings *c, const struct network *n);
/* Check the user that the relay becomes; root: it is started by root. */
void check_user(struct findings *f, const struct relay_settings *c, bool root);
/* Check that the key files in dir are readable, and closed to others. */
void check_keys(struct findings *f, const char *dir);
/* Check the disk: free_bytes and free_inodes are the file system's. */
void check_disk(struct findings *f, const struct relay_settings *c,
                uint64_t free_bytes, uint64_t free_inodes);
/* Check the limit of open files, open_max. */
void check_files(struct findings *f, const struct relay_settings *c,
                 uint64_t open_max);
/* Check the memory; has: the machine's, in bytes. */
void check_memory(struct findings *f, const struct relay_settings *c,
                  uint64_t has);
/* Check the clock, which says now_s, by the authorities' newest consensus: err
 * is that of receive_consensus(), valid_after_s and epoch_len_s the
 * consensus's. */
void check_clock(struct findings *f, int err, uint64_t valid_after_s,
                 uint32_t epoch_len_s, uint64_t now_s);
#endif
