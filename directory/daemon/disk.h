/* directory/daemon/disk.h - what an authority has on disk.
 *
 *   authority.key   the identity's seed; may be kept offline
 *   working.key     the seed of the keys that it works with; working-old.key
 *                   the one before, to open shares that were dealt for it
 *   certificate     the identity's word about working.key
 *   state           here since `init`: without it the rest may be lost, too
 *   votes/          votes of the epoch being prepared
 *   descriptors/    what relays have posted of late
 *   signature, consensus, evidence-EPOCH-DIGEST
 *
 * While the identity's seed is here, working keys and certificate are renewed
 * when a quarter of a certificate's time is left. */
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

/* The keys at this time, made or renewed if need be. Returns 0; ERR_MISSING:
 * there is no certificate and no identity to make one; ERR_EXPIRED: there is
 * one but it has run out; ERR_PEER: it is for other keys. */
int disk_keys(struct disk_keys *k, const char *dir,
              uint64_t now_s) CHECK_RESULT;
void disk_keys_free(struct disk_keys *k);

/* The line that asks for a certificate of a new working key, and the
 * certificate made of it by whoever has the identity's seed in `dir`, for so
 * many days; both malloc'd. install: take it into use at the next start. */
int disk_request(const char *dir, char **line) CHECK_RESULT;
int disk_certify(const char *dir, const char *request, uint64_t now_s,
                 unsigned days, char **line) CHECK_RESULT;
int disk_install(const char *dir, const char *certificate) CHECK_RESULT;

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
/* Votes of epochs before this one go, and descriptors taken KEYS_AHEAD epochs
 * before. */
void disk_prune(const char *dir, uint32_t epoch);
#endif
