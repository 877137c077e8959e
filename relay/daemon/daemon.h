/* relay/daemon/daemon.h - a relay on the real machine; shared by its edge
 * files.
 *
 *   daemon.c  life: files, limits, the timers
 *   worker.c  a data plane: loop, struct relay, links; one for each core
 *   links.c   to the relays it sends to, from relays, from clients
 *   net.c     the port, and whose a connection becomes
 *   views.c   the consensuses in use, and a store's letters
 *   directory.c  consensus and descriptor, over HTTP with the authorities
 *   borrow.c  a consensus from a gateway, when these do not answer
 *   panel.c   the operator's side: status file, metrics, SIGHUP */
#ifndef RELAY_DAEMON_DAEMON_H
#define RELAY_DAEMON_DAEMON_H
#include "lib/os/files.h"
#include "lib/os/host.h"
#include "lib/os/http_server.h"
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
struct panel;

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
    struct panel *panel;
    struct loop_timer *timer;     /* of the directory */
    bool alarmed;                 /* the operator was told */
    uint64_t starved, starved_us; /* connections for which there were no
                                     descriptors, as told; again then */
    struct quota quota;
    bool left;        /* see hibernate_left_name */
    uint64_t left_us; /* looked for again then */
    uint64_t octets, quota_keep_us;
    uint64_t drain_until_us; /* 0: not leaving */
    bool drained;            /* nothing was held a turn ago */
    uint64_t refused[ERROR_COUNT];
};

/* views.c: the consensus of this epoch; NULL when there is none. */
const struct daemon_view *views_find(const struct relay_daemon *d,
                                     uint32_t epoch);
/* Is this a consensus for us (network/receive.h)? */
int views_receive(struct relay_daemon *d, struct consensus **out,
                  const uint8_t *bytes, size_t len) CHECK_RESULT;
/* A verified consensus, as signed bytes too; takes it over. */
int views_take(struct relay_daemon *d, struct consensus *c,
               const uint8_t *bytes, size_t len) CHECK_RESULT;
/* What an earlier life had, oldest first. */
void views_load(struct relay_daemon *d);
/* What time has come by the clock and by `need` of them (consensus_past_s()).
 */
uint64_t views_past_s(struct relay_daemon *d, size_t need);
/* Tell again what could not be told before. */
void views_step(struct relay_daemon *d);
void views_free(struct relay_daemon *d);

/* confine.c: give up root, files and calls that it does not need. */
int daemon_confine(struct relay_daemon *d) CHECK_RESULT;

/* net.c */
int net_new(struct net **out, struct relay_daemon *d) CHECK_RESULT;
void net_free(struct net **n);
const char *net_address(const struct net *n);
/* Let in the relays of this consensus whatever strangers do. */
int net_favour(struct net *n, const struct consensus *c) CHECK_RESULT;
void net_status(const struct net *n, struct net_status *out);
/* Connections that were refused since there was no descriptor for them. */
uint64_t net_starved(const struct net *n);
/* Close all links and take none, or go on. */
void net_close(struct net *n, bool closed);
/* A link to an address that should be its own. */
int net_probe(struct net *n, struct link **out, const char *address,
              const struct link_ops *ops, void *ctx) CHECK_RESULT;

/* hibernate.c */
int hibernate_start(struct relay_daemon *d) CHECK_RESULT;
void hibernate_step(struct relay_daemon *d);
void hibernate_end(struct relay_daemon *d);
/* 0: it does not, and will not soon. HIBERNATE_LEFT_S: it leaves the network. */
uint64_t hibernate_until_s(const struct relay_daemon *d);
/* The file DIR/left says that the operator has taken it out. */
#define HIBERNATE_LEFT_S (1ull << 40) /* for ever */
extern const char hibernate_left_name[];

/* directory.c */
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

/* workers.c: how many there shall be; all of them. */
uint32_t workers_count(const struct relay_daemon *d);
int workers_new(struct relay_daemon *d,
                const struct relay_config *config) CHECK_RESULT;
int workers_start(struct relay_daemon *d) CHECK_RESULT;
void workers_stop(struct relay_daemon *d);
void workers_free(struct relay_daemon *d);
/* Take up a consensus; on failure none has it. ERR_NOT_FOUND: taken up, and
 * without this relay. */
int workers_consensus(struct relay_daemon *d, const struct daemon_view *v,
                      const uint8_t *seed) CHECK_RESULT;
int workers_document(struct relay_daemon *d, uint32_t epoch,
                     const uint8_t *bytes, size_t len) CHECK_RESULT;
void workers_drain(struct relay_daemon *d);
/* Which worker shall have the link to each relay of a consensus: the one that
 * has it under the view before (NULL: none), else the one with the fewest.
 * Returns NULL without memory. */
uint8_t *workers_owners(const struct relay_daemon *d,
                        const struct daemon_view *before,
                        const struct consensus *c);
/* Ways to the storage thread. */
int workers_storage(struct relay_daemon *d) CHECK_RESULT;
void workers_stats(struct relay_daemon *d, struct relay_stats *sum);

/* Run until a signal. config changes when SIGHUP says so; freed by the caller.
 * Returns the exit status. */
int relay_run(const char *dir, struct relay_settings *config, int ready_fd);
#endif
