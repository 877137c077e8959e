/* directory/daemon/disk.h - what an authority has on disk.
 *
 *   authority.key   the identity's seed; may be kept offline
 *   working.key     the seed of the keys that it works with; working-old.key
 *                   the one before, to open shares that were dealt for it
 *   certificate     the identity's word about working.key
 *   state           here since `init`: without it the rest may be lost, too
 *   votes/          votes of the epoch being prepared, and others of use
 *   descriptors/    what relays have posted of late
 *   promises, consensus, evidence-EPOCH-DIGEST
 *
 * While the identity's seed is here, working keys and certificate are renewed
 * when a quarter of a certificate's time is left, or when it has not begun. */
#ifndef DIRECTORY_DAEMON_DISK_H
#define DIRECTORY_DAEMON_DISK_H
#include "directory/authority.h"

enum { DISK_RENEW_S = CERTIFICATE_DAYS * 86400 / 4 };

struct disk_keys {
    uint8_t identity[SPHINX_ID_LEN];
    struct certificate cert;
    uint8_t *seed;                               /* guarded */
    uint8_t *share_secret[AUTHORITY_SHARE_KEYS]; /* guarded; [1] may be NULL */
};

/* Is it time for another certificate, or was it made by a wrong clock? */
bool disk_is_due(const struct certificate *c, uint64_t now_s);
enum disk_renewal { DISK_KEEP, DISK_WHEN_DUE, DISK_NOW };
/* The keys: made, if there are none, and renewed when that is due at this time,
 * or in any case: others with a certificate that revokes those before. Whoever is not sure what time it is does not renew, since nobody
 * believes a certificate of another time. Returns 0; ERR_MISSING: there is no
 * certificate and no identity to make one; ERR_PEER: it is for other keys. */
int disk_keys(struct disk_keys *k, const char *dir, uint64_t now_s,
              enum disk_renewal renew) CHECK_RESULT;
void disk_keys_free(struct disk_keys *k);

/* The line that asks for a certificate of a new working key, and the
 * certificate made of it by whoever has the identity's seed in `dir`, for so
 * many days; both malloc'd. install: take it into use at the next start; returns
 * ERR_STALE for one that the present one revokes. */
int disk_request(const char *dir, char **line) CHECK_RESULT;
int disk_certify(const char *dir, const char *request, uint64_t now_s,
                 unsigned days, char **line) CHECK_RESULT;
int disk_install(const char *dir, const char *certificate,
                 uint64_t now_s) CHECK_RESULT;

/* Make the marker that nothing is lost; is it here? */
int disk_begin(const char *dir) CHECK_RESULT;
bool disk_is_whole(const char *dir);

/* Durable when it returns 0. `what` is an AUTHORITY_KEEP_* or
 * AUTHORITY_EVIDENCE. */
int disk_put(const char *dir, enum authority_output what, uint32_t epoch,
             const uint8_t *bytes, size_t len) CHECK_RESULT;
/* All that was kept, in the order in which it is to be loaded. Returns 0 or the
 * first error of reading; what can be read is there all the same. */
int disk_each(const char *dir,
              void (*each)(void *ctx, enum authority_output what,
                           const uint8_t *bytes, size_t len),
              void *ctx) CHECK_RESULT;
/* The votes of one epoch alone. */
int disk_votes(const char *dir, uint32_t epoch,
               void (*each)(void *ctx, enum authority_output what,
                            const uint8_t *bytes, size_t len),
               void *ctx) CHECK_RESULT;
/* Votes of epochs before `floor` go (authority_floor()), those of others unless
 * they are of the target, since each may have 32 MiB; and descriptors taken
 * more than KEYS_AHEAD epochs before it, or as long after the target. */
void disk_prune(const char *dir, uint32_t floor, uint32_t target);
#endif
