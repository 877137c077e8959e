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

enum { DISK_WHY_LEN = 400 };
struct disk_keys {
    char
        why[DISK_WHY_LEN]; /* of an error: which file, why, what to do; or "" */
    uint8_t identity[SPHINX_ID_LEN];
    struct certificate cert;
    uint8_t *seed;                               /* guarded */
    uint8_t *share_secret[AUTHORITY_SHARE_KEYS]; /* guarded; [1] may be NULL */
};

/* Tell whether at now_s it is time for another certificate than c, or c was
 * made by a wrong clock. */
bool disk_is_due(const struct certificate *c, uint64_t now_s);
enum disk_renewal { DISK_KEEP, DISK_WHEN_DUE, DISK_NOW, DISK_LOOK };
/* Read the keys in dir; make them, if there are none, unless it is only a look, after
 * which those that are not there may be NULL. By `renew` they are kept,
 * renewed when that is due at now_s, or renewed in any case: replaced by others
 * with a certificate that revokes those before. Whoever is not sure what time
 * it is does not renew, since nobody believes a certificate of another time.
 * Returns 0; ERR_MISSING: there is no certificate and no identity to make one;
 * ERR_PEER: the certificate is for other keys. After an error k->why may say more. */
int disk_keys(struct disk_keys *k, const char *dir, uint64_t now_s,
              enum disk_renewal renew) CHECK_RESULT;
void disk_keys_free(struct disk_keys *k);

/* Make a new working key in dir and the line, malloc'd, that asks for its
 * certificate. */
int disk_request(const char *dir, char **line) CHECK_RESULT;
/* Make the certificate, a line, malloc'd, that `request` asks for, with the
 * identity's seed in `dir`, for so many days from now_s on. */
int disk_certify(const char *dir, const char *request, uint64_t now_s,
                 unsigned days, char **line) CHECK_RESULT;
/* Install a certificate in dir, for the next start. Returns also ERR_STALE, for
 * one that the present one revokes at now_s. */
int disk_install(const char *dir, const char *certificate,
                 uint64_t now_s) CHECK_RESULT;

/* Make the marker which says that nothing in dir is lost. */
int disk_begin(const char *dir) CHECK_RESULT;
/* Tell whether that marker is there. */
bool disk_is_whole(const char *dir);

/* Keep `what`, an AUTHORITY_KEEP_* or AUTHORITY_EVIDENCE, of this epoch. What
 * was kept is durable when 0 is returned. */
int disk_put(const char *dir, enum authority_output what, uint32_t epoch,
             const uint8_t *bytes, size_t len) CHECK_RESULT;
/* Call each() with ctx for all that was kept in dir, in the order in which it
 * is to be loaded. Returns 0 or the first error of reading; what can be read is
 * given all the same. */
int disk_each(const char *dir,
              void (*each)(void *ctx, enum authority_output what,
                           const uint8_t *bytes, size_t len),
              void *ctx) CHECK_RESULT;
/* What people are told of an error of disk_each(): the directory, and error_text(). */
#define DISK_KEPT_TEXT                                                      \
    "cannot read what was kept in %s (consensus, promises, descriptors, "   \
    "votes): %s; put a copy of the directory back, without 'state', which " \
    "says that nothing is lost"
/* Do the same for the votes of one epoch alone. */
int disk_votes(const char *dir, uint32_t epoch,
               void (*each)(void *ctx, enum authority_output what,
                            const uint8_t *bytes, size_t len),
               void *ctx) CHECK_RESULT;
/* Remove votes of epochs before `floor` (authority_floor()); other authorities'
 * votes unless they are of the target, since each may have 32 MiB; and
 * descriptors of more than KEYS_AHEAD epochs before the floor, or after the
 * target. */
void disk_prune(const char *dir, uint32_t floor, uint32_t target);
#endif
