/* tests/client_disk.h - a client alone: its environment, and a disk that keeps
 * its records and gives them back. Nothing is sent anywhere.
 *
 * What the disk allocates for itself never fails (tests/heap.h). */
#ifndef TESTS_CLIENT_DISK_H
#define TESTS_CLIENT_DISK_H
#include "client/client.h"
#include "client/disk/journal.h"
#include "tests/network.h"

struct disk_record {
    uint8_t key[JOURNAL_KEY_MAX];
    size_t key_len, len;
    uint8_t *value;
};

enum { DISK_HELD_MAX = 64 };

struct client_disk {
    struct test_env test;
    struct env_ops ops;
    struct disk_record *record; /* by key */
    size_t n, room;
    bool full;   /* nothing more is kept: every group fails, and says so when
                    disk_release() is called, or the clock ticks */
    bool frozen; /* groups count as kept, and change nothing */
    bool slow;   /* groups wait for disk_release() */
    struct env_store_req *held[DISK_HELD_MAX];
    size_t n_held;
    unsigned sent; /* packets */
    uint64_t kept; /* the last group's ticket */
};

void disk_init(struct client_disk *d, uint64_t seed);
void disk_free(struct client_disk *d);
/* Answer what has waited. */
void disk_release(struct client_disk *d);

/* How many records of this type are there? The first of them is *first. */
size_t disk_count(const struct client_disk *d, char type,
                  const struct disk_record **first);

/* Is it in any value on this disk? */
bool disk_has(const struct client_disk *d, const void *what, size_t len);

/* A hash of all that is on it. */
enum { DISK_DIGEST_LEN = 32 };
void disk_digest(const struct client_disk *d,
                 uint8_t out[static DISK_DIGEST_LEN]);

/* Make the records of `to` those of `from`: a copy, or one put back. */
void disk_copy(struct client_disk *to, const struct client_disk *from);

/* A client of network n with this disk, which has read nothing of it. Returns
 * what client_new() does. */
int disk_client_new(struct client_disk *d, const struct sim_net *n,
                    struct client **out);
/* A client of network n on this disk: new, loaded, not started. Returns what
 * client_new() or the first record that is refused says. */
int disk_client_load(struct client_disk *d, const struct sim_net *n,
                     struct client **out);
/* The same, started with n's consensus and with a link. */
struct client *disk_client(struct client_disk *d, const struct sim_net *n);
/* Let its clock tick n times. */
void disk_client_run(struct client_disk *d, struct client *c, unsigned n);
/* Both clocks, of the wall and monotonic, go on; the client does not tick. */
void disk_days_pass(struct client_disk *d, double days);
#endif
