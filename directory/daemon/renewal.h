/* directory/daemon/renewal.h - an authority's working keys, while it runs.
 *
 * The keys are looked at once a day, and as soon as their certificate is due or
 * is of another time (a clock that was wrong for long may have made it so), or
 * when a consensus names a newer one (this disk may be an older copy); but
 * never while the authority does not believe its clock. */
#ifndef DIRECTORY_DAEMON_RENEWAL_H
#define DIRECTORY_DAEMON_RENEWAL_H
#include "directory/daemon/disk.h"
#include "lib/os/host.h"

struct renewal {
    struct host *host;
    const char *dir;
    struct authority *authority;
    struct loop_timer *timer;
    uint64_t every_us;
    struct certificate cert; /* the one in use */
    bool due;                /* it was time for another when it was looked at */
    uint64_t again_us;       /* look again then, due or not */
};

/* Read the keys to begin with to *k; make them if there are none. host and dir
 * stay the caller's, and what is wrong is logged. Returns as disk_keys(). */
int renewal_read(struct renewal *r, struct host *host, const char *dir,
                 struct disk_keys *k) CHECK_RESULT;
/* Return a text for people, as long as k: why disk_keys() failed with err, and what to
 * do. */
const char *renewal_why(const struct disk_keys *k, int err);
/* Set *key to what documents are signed with; k has to live as long as key. */
void renewal_key(struct document_key *key, const struct disk_keys *k);
/* Renew the keys of this authority from now on, in a network of such epochs.
 * Returns 0 or ERR_NOMEM. */
int renewal_start(struct renewal *r, struct authority *authority,
                  uint32_t epoch_len_s) CHECK_RESULT;
void renewal_stop(struct renewal *r);
#endif
