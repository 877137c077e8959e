/* relay/operator/check.h - `brusio-relay check`: would this relay do well
 * here? */
#ifndef RELAY_OPERATOR_CHECK_H
#define RELAY_OPERATOR_CHECK_H
#include "relay/daemon/daemon.h"
#include "relay/operator/status.h"

/* One finding a line. Returns the exit status: 1 when there is an error. */
int check_run(const char *dir, const struct relay_settings *config);

/* Does this relay run, by its status file? */
bool check_runs(const char *dir);

/* The parts, for tests. */
void check_family(struct findings *f, const char *dir,
                  const struct relay_settings *c);
void check_addresses(struct findings *f, const struct relay_settings *c,
                     bool running);
/* What of that others would be told: may it be, in this network? */
void check_published(struct findings *f, const char *dir,
                     const struct relay_settings *c, const struct network *n);
void check_user(struct findings *f, const struct relay_settings *c, bool root);
void check_keys(struct findings *f, const char *dir);
/* free_bytes, free_inodes: of the file system. */
void check_disk(struct findings *f, const struct relay_settings *c,
                uint64_t free_bytes, uint64_t free_inodes);
void check_files(struct findings *f, const struct relay_settings *c,
                 uint64_t open_max);
/* has: the memory of the machine, in octets. */
void check_memory(struct findings *f, const struct relay_settings *c,
                  uint64_t has);
/* What the authorities' newest consensus says of this clock; err is that of
 * receive_consensus(). */
void check_clock(struct findings *f, int err, uint64_t valid_after_s,
                 uint32_t epoch_len_s, uint64_t now_s);
#endif
