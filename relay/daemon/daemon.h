/* relay/daemon/daemon.h - a relay on the real machine; shared by its edge
 * files.
 *
 *   daemon.c     life: files, limits, the timers
 *   worker.c     a data plane: loop, struct relay, links; one for each core
 *   links.c      to the relays it sends to, from relays, from clients
 *   net.c        the port, and whose a connection becomes
 *   views.c      the consensuses in use, and a store's letters
 *   directory.c  consensus and descriptor, over HTTP with the authorities
 *   borrow.c     a consensus from a gateway, when these do not answer
 *   monitor.c    the operator's side: status file, metrics, SIGHUP */
#ifndef RELAY_DAEMON_DAEMON_H
#define RELAY_DAEMON_DAEMON_H
#include "lib/os/files.h"
#include "lib/os/host.h"
#include "lib/os/http/http_server.h"
#include "lib/os/link.h"
#include "lib/os/storage.h"
#include "network/json.h"
#include "relay/daemon/keys.h"
#include "relay/daemon/memory.h"
#include "relay/daemon/options.h"
#include "relay/daemon/quota.h"
#include "relay/daemon/store_sqlite.h"
#include "relay/daemon/worker.h"
#include "relay/relay.h"

/* A consensus kept, and which worker has the link to each of its relays. */
struct daemon_view {
    struct consensus *consensus; /* owned; NULL: empty */
    uint8_t *owner;              /* owned */
};

struct net;
struct directory;
struct monitor;

struct relay_daemon {
    struct host host;
    const struct relay_settings *config;
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
    uint64_t start_us, accept_us; /* no packets before, while it waits */
    struct daemon_view view[DAEMON_VIEWS];
    uint32_t newest;                  /* epoch; 0: none */
    struct certificates certificates; /* of authorities, the newest seen; they
                                         come back with the consensuses */
    bool doubled; /* the newest names another key for this relay */
    bool untold;  /* the clients do not have it yet */
    struct store_sqlite *letters;
    int letters_err;          /* of destroying some */
    int letters_full;         /* why letters are not kept, in the log */
    unsigned letters_damaged; /* files, in the log */
    struct storage *storage;
    struct net *net;
    struct directory *directory;
    struct monitor *monitor;
    struct loop_timer *timer;     /* of the directory */
    bool alarmed;                 /* the operator was told */
    uint64_t starved, starved_us; /* connections for which there were no
                                     descriptors, as told; again then */
    struct quota quota;
    bool left;        /* see hibernate_left_name */
    uint64_t left_us; /* looked for again then */
    uint64_t bytes, quota_keep_us;
    uint64_t drain_until_us; /* 0: not leaving */
    bool drained;            /* nothing was held a turn ago */
    uint64_t refused[ERROR_COUNT];
};

/* views.c: find the consensus of this epoch; NULL when there is none. */
const struct daemon_view *views_find(const struct relay_daemon *d,
                                     uint32_t epoch);
/* Judge whether `bytes` are a consensus for this relay (network/receive.h), and
 * read it to *out. */
int views_receive(struct relay_daemon *d, struct consensus **out,
                  const uint8_t *bytes, size_t len) CHECK_RESULT;
/* Take over the verified consensus c, whose signed bytes these are, and put it
 * to use. Returns 0 or why the one before stays in use. */
int views_take(struct relay_daemon *d, struct consensus *c,
               const uint8_t *bytes, size_t len) CHECK_RESULT;
/* Load the consensuses that an earlier life kept, the oldest first. */
void views_load(struct relay_daemon *d);
/* Tell what time has come by the clock and by `need` of the kept consensuses
 * (consensus_past_s()). */
uint64_t views_past_s(struct relay_daemon *d, size_t need);
/* Tell the clients again what they could not be told before. */
void views_step(struct relay_daemon *d);
void views_free(struct relay_daemon *d);

/* confine.c: give up root, and the files and calls that a running relay does
 * not need. */
int daemon_confine(struct relay_daemon *d) CHECK_RESULT;

/* net.c: open the port of a relay. */
int net_new(struct net **out, struct relay_daemon *d) CHECK_RESULT;
void net_free(struct net **n);
/* Tell the address that the port is bound to. */
const char *net_address(const struct net *n);
/* Let in the relays of the consensus c whatever strangers do. */
int net_favour(struct net *n, const struct consensus *c) CHECK_RESULT;
/* Sum up the links of all workers in *out. */
void net_status(const struct net *n, struct net_status *out);
/* Count the connections that were refused since there was no descriptor for
 * them. */
uint64_t net_starved(const struct net *n);
/* Close all links and take no new ones (closed), or go on. */
void net_close(struct net *n, bool closed);
/* Make a link to an address that should be this relay's own; ops are called
 * with ctx. */
int net_probe(struct net *n, struct link **out, const char *address,
              const struct link_ops *ops, void *ctx) CHECK_RESULT;

/* hibernate.c: start to count the month's bytes; step several times a second;
 * keep the count at the end. */
int hibernate_start(struct relay_daemon *d) CHECK_RESULT;
void hibernate_step(struct relay_daemon *d);
void hibernate_end(struct relay_daemon *d);
/* Tell until when the relay hibernates. 0: not now and not soon.
 * HIBERNATE_LEFT_S: the relay leaves the network. */
uint64_t hibernate_until_s(const struct relay_daemon *d);
/* The file DIR/left says that the operator has taken it out. */
#define HIBERNATE_LEFT_S (1ull << 40) /* for ever */
extern const char hibernate_left_name[];

/* directory.c: make what speaks with the authorities; step several times a
 * second. */
int directory_new(struct directory **out, struct relay_daemon *d) CHECK_RESULT;
void directory_free(struct directory **u);
void directory_step(struct directory *u);
enum { DIRECTORY_TEXT_LEN = 104, DIRECTORY_ALL_LEN = 480 };
struct directory_status {
    uint32_t reached; /* authorities that answered the last request */
    uint32_t descriptor_epoch, descriptor_taken, descriptor_first;
    char descriptor_refusal[DIRECTORY_ALL_LEN]; /* of all that refuse it,
                                                   printable, scrubbed; "":
                                                   none */
    int fetch_err;         /* why the last consensus was not used */
    const char *unreached; /* an own address that is not; NULL: none */
    int unreached_err;
};
void directory_status(const struct directory *u, struct directory_status *out);

/* workers.c: tell how many workers there shall be. */
uint32_t workers_count(const struct relay_daemon *d);
/* Make all workers, whose relays have this config; start, stop, free them. */
int workers_new(struct relay_daemon *d,
                const struct relay_config *config) CHECK_RESULT;
int workers_start(struct relay_daemon *d) CHECK_RESULT;
void workers_stop(struct relay_daemon *d);
void workers_free(struct relay_daemon *d);
/* Let all workers take up the consensus of v, with the seed of the packet key;
 * on failure no worker has it. ERR_NOT_FOUND: it was taken up, and is without
 * this relay. */
int workers_consensus(struct relay_daemon *d, const struct daemon_view *v,
                      const uint8_t *seed) CHECK_RESULT;
/* Let all workers give their clients the consensus of this epoch as signed
 * bytes. */
int workers_document(struct relay_daemon *d, uint32_t epoch,
                     const uint8_t *bytes, size_t len) CHECK_RESULT;
/* Let all workers prepare to leave, as relay_drain() says. */
void workers_drain(struct relay_daemon *d);
/* Choose which worker shall have the link to each relay of c: the one that has
 * the link under the view before (NULL: none), else the one with the fewest.
 * Returns an array that the caller frees, or NULL without memory. */
uint8_t *workers_owners(const struct relay_daemon *d,
                        const struct daemon_view *before,
                        const struct consensus *c);
/* Open each worker's way to the storage thread. */
int workers_storage(struct relay_daemon *d) CHECK_RESULT;
/* Sum up the counts of all workers in *sum. */
void workers_stats(struct relay_daemon *d, struct relay_stats *sum);

/* Run the relay of the folder dir until a signal; write its address to ready_fd
 * when it accepts links (negative: do not). config changes when SIGHUP says so,
 * and is freed by the caller. Returns the exit status. */
int relay_run(const char *dir, struct relay_settings *config, int ready_fd);
#endif
