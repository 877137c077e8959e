/* relay/daemon/daemon.h - a relay on the real machine; shared by its edge
 * files.
 *
 *   daemon.c  life: files, storage, the environment
 *   worker.c  a data plane: loop, struct relay, links; one for each core
 *   links.c   to the relays it sends to, from relays, from clients
 *   net.c     the port, and whose a connection becomes
 *   directory.c  consensus and descriptor, over HTTP with the authorities
 *   panel.c   the operator's side: status file, metrics, SIGHUP */
#ifndef RELAY_DAEMON_DAEMON_H
#define RELAY_DAEMON_DAEMON_H
#include "lib/os/config.h"
#include "lib/os/files.h"
#include "lib/os/host.h"
#include "lib/os/http.h"
#include "lib/os/link.h"
#include "lib/os/storage.h"
#include "network/json.h"
#include "relay/daemon/keys.h"
#include "relay/daemon/memory.h"
#include "relay/daemon/quota.h"
#include "relay/daemon/store_sqlite.h"
#include "relay/daemon/worker.h"
#include "relay/relay.h"

struct daemon_config {
    int role; /* index in its names: gateway, mix, store */
    char *listen, *network, *family, *user;
    struct config_list addresses; /* to be reached at; empty: as bound */
    int64_t workers;              /* 0: one for each processor */
    int64_t memory_max;           /* MiB */
    int64_t rate, burst;          /* KiB/s, KiB; 0: no limit */
    int64_t quota_gb, quota_day;  /* a month; 0: none */
    bool assume_reachable;
    int64_t bandwidth, packets_max, clients_max, letters_max, replay_tags;
    int64_t fault_drop_permille, fault_delay_ms; /* test builds */
    int log_level;
    char *metrics; /* loopback address; "": none */
};
extern const struct config_option relay_options[];
extern const size_t relay_options_len;

/* A consensus kept, and which worker has the link to each of its relays. */
struct daemon_view {
    struct consensus *consensus; /* owned; NULL: empty */
    uint8_t *owner;              /* owned */
};

struct net;
struct directory;
struct panel;

struct daemon {
    struct host host;
    const struct daemon_config *config;
    char dir[FILES_PATH_MAX / 2];
    int ready_fd;
    struct network network;
    uint8_t authorities[AUTHORITIES_MAX][SPHINX_ID_LEN];
    uint8_t *identity_seed; /* guarded */
    uint8_t identity[SPHINX_ID_LEN];
    struct worker *worker; /* n_workers; none makes or loses any */
    uint32_t n_workers;
    struct memory_plan memory;
    struct relay *relay; /* worker 0's: loops and alarm are there */
    struct replay_file *replay;
    uint64_t accept_us; /* not before: see replay_file_open() */
    struct daemon_view view[DAEMON_VIEWS];
    uint32_t newest; /* epoch; 0: none */
    struct store_sqlite *letters;
    struct storage *storage;
    struct net *net;
    struct directory *directory;
    struct panel *panel;
    struct loop_timer *timer; /* of the directory */
    bool alarmed;             /* the operator was told */
    struct quota quota;
    uint64_t octets, quota_keep_us;
    uint64_t drain_until_us; /* 0: not leaving */
    bool drained;            /* nothing was held a turn ago */
    uint64_t refused[ERROR_COUNT];
};

/* daemon.c: is this a consensus for us (network/receive.h)? */
int daemon_receive(struct daemon *d, struct consensus **out,
                   const uint8_t *bytes, size_t len) CHECK_RESULT;
/* A verified consensus; takes it over. */
int daemon_consensus(struct daemon *d, struct consensus *c,
                     const uint8_t *bytes, size_t len) CHECK_RESULT;
const struct daemon_view *daemon_view_of(const struct daemon *d,
                                         uint32_t epoch);

/* confine.c: give up root, files and calls that it does not need. */
int daemon_confine(struct daemon *d) CHECK_RESULT;

/* net.c */
int net_new(struct net **out, struct daemon *d) CHECK_RESULT;
void net_free(struct net **n);
const char *net_address(const struct net *n);
/* Let in the relays of this consensus whatever strangers do. */
int net_favour(struct net *n, const struct consensus *c) CHECK_RESULT;
void net_status(const struct net *n, struct net_status *out);
/* Close all links and take none, or go on. */
void net_close(struct net *n, bool closed);
/* A link to an address that should be its own. */
int net_probe(struct net *n, struct link **out, const char *address,
              const struct link_ops *ops, void *ctx) CHECK_RESULT;

/* hibernate.c */
void hibernate_start(struct daemon *d);
void hibernate_step(struct daemon *d);
void hibernate_end(struct daemon *d);
/* 0: it does not, and will not soon. */
uint64_t hibernate_until_s(const struct daemon *d);

/* directory.c */
int directory_new(struct directory **out, struct daemon *d) CHECK_RESULT;
void directory_free(struct directory **u);
void directory_step(struct directory *u);
enum { DIRECTORY_TEXT_LEN = 104 };
struct directory_status {
    uint32_t reached; /* authorities that answered the last request */
    uint32_t descriptor_epoch, descriptor_taken, descriptor_first;
    const char *descriptor_refusal; /* printable, scrubbed; "": none */
    int fetch_err;                  /* why the last consensus was not used */
    const char *unreached;          /* an own address that is not; NULL: none */
    int unreached_err;
};
void directory_status(const struct directory *u, struct directory_status *out);

/* workers.c: how many there shall be; all of them. */
uint32_t workers_count(const struct daemon *d);
int workers_new(struct daemon *d,
                const struct relay_config *config) CHECK_RESULT;
int workers_start(struct daemon *d) CHECK_RESULT;
void workers_stop(struct daemon *d);
void workers_free(struct daemon *d);
/* Take up a consensus; on failure none has it. ERR_NOT_FOUND: taken up, and
 * without this relay. */
int workers_consensus(struct daemon *d, const struct daemon_view *v,
                      const uint8_t *seed) CHECK_RESULT;
int workers_document(struct daemon *d, uint32_t epoch, const uint8_t *bytes,
                     size_t len) CHECK_RESULT;
void workers_drain(struct daemon *d);
/* Which worker shall have the link to each relay of a consensus: the one that
 * has it, else the one with the fewest. Returns NULL without memory. */
uint8_t *workers_owners(const struct daemon *d, const struct consensus *c);
/* Ways to the storage thread. */
int workers_storage(struct daemon *d) CHECK_RESULT;
void workers_stats(struct daemon *d, struct relay_stats *sum);

/* Run until a signal. config changes when SIGHUP says so; freed by the caller.
 * Returns the exit status. */
int relay_run(const char *dir, struct daemon_config *config, int ready_fd);
#endif
