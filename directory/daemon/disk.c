/* directory/daemon/disk.c - an authority's files: keys and certificate, and
 * what publish() wants kept.
 *
 * A working seed gives two keys, for signing and for shares. A new working key
 * goes by three files:
 *
 *   working-new.key -install-> working.key -the next install-> working-old.key
 *
 * Each file is written beside its place and renamed, so it is there whole or
 * not at all. A crash between two renames leaves keys that do not fit the
 * certificate; `install`, or the identity's key where it is here, puts that
 * right.
 *
 * No state but the files, no timer. Failure modes: a full or broken disk (the
 * error is returned, and nothing is acted upon); a certificate for other keys
 * (PEER), or none (MISSING); a file that cannot be read (the others are given
 * all the same). */
#include "directory/daemon/disk.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directory/share.h"
#include "directory/vote.h"
#include "lib/codec.h"
#include "lib/os/files.h"
#include "lib/secret.h"

enum {
    LINE_MAX_LEN = 1024,
    NAME_LEN = 64,
    BACKDATED_S = 3600,                /* clocks differ */
    LOADED_MAX = VOTE_LEN_MAX + 65536, /* with its claim */
    EVIDENCE_MAX = 64                  /* files */
};
static const char request_head[] = "brusio-request/1";
static const char certificate_head[] = "brusio-certificate/1";
static const char heard_end[] = "-0"; /* of a vote's name: it is another's */

/* ---- keys ---- */

/* Derive the keys that follow from a working seed. */
static int
working_derive(const uint8_t seed[32], uint8_t **sign, uint8_t **share,
               uint8_t key[32], uint8_t share_key[32])
{
    static const char label[] = "brusio/1 working";
    uint8_t both[64], secret[crypto_sign_SECRETKEYBYTES];
    crypto_generichash(both, sizeof both, (const uint8_t *)label,
                       sizeof label - 1, seed, 32);
    *sign = secret_new(DOCUMENT_SIGN_SEED_LEN);
    *share = secret_new(SHARE_LEN);
    int err = *sign && *share ? 0 : ERR_NOMEM;
    if (!err) {
        memcpy(*sign, both, DOCUMENT_SIGN_SEED_LEN);
        crypto_sign_seed_keypair(key, secret, *sign);
        share_keypair(share_key, *share, both + 32);
    }
    sodium_memzero(both, sizeof both);
    sodium_memzero(secret, sizeof secret);
    return err;
}

/* Read the seed in a key file; draw one when the file is not there and may be
 * made. */
static int
seed_read(const char *dir, const char *name, bool make, uint8_t **seed)
{
    char path[FILES_PATH_MAX];
    *seed = NULL;
    int err = files_path(path, dir, name);
    if (!err && !make && access(path, F_OK))
        err = ERR_NOT_FOUND;
    return err ? err : files_key(path, seed);
}

/* Note in k why the file `name` cannot be used, and what to do. Returns err. */
static int
seed_complain(struct disk_keys *k, const char *dir, const char *name, int err)
{
    char path[FILES_PATH_MAX];
    const bool identity = strcmp(name, "authority.key") == 0;
    const bool here =
        files_path(path, dir, "authority.key") == 0 && access(path, F_OK) == 0;
    if (err && err != ERR_NOMEM)
        snprintf(k->why, sizeof k->why,
                 "%.180s/%s cannot be used: %s; restore it from a copy%s", dir,
                 name, error_text(err),
                 identity ? ", or keep it elsewhere, and get certificates from "
                            "there by 'brusio-directory request'"
                 : here   ? ", or move it away: the identity's key, which is "
                            "here, makes another"
                          : ", or move it away, and get a certificate for "
                            "another by 'brusio-directory request'");
    return err;
}

static int
file_move(const char *dir, const char *from, const char *to)
{
    char a[FILES_PATH_MAX], b[FILES_PATH_MAX];
    if (files_path(a, dir, from) || files_path(b, dir, to))
        return ERR_LONG;
    return rename(a, b) ? files_error(errno) : 0;
}

static char *
field_write(char *at, const void *data, size_t len)
{
    *at++ = ' ';
    codec_hex(at, data, len);
    return at + 2 * len;
}

static int
line_write(const uint8_t *identity, const struct certificate *c, char **out)
{
    char *at = *out = malloc(LINE_MAX_LEN);
    if (!at)
        return ERR_NOMEM;
    at += sprintf(at, "%s", certificate_head);
    at = field_write(at, identity, SPHINX_ID_LEN);
    at = field_write(at, c->key, 32);
    at = field_write(at, c->share_key, 32);
    at += sprintf(at, " %" PRIu64 " %" PRIu64, c->from_s, c->until_s);
    at = field_write(at, c->signature, sizeof c->signature);
    memcpy(at, "\n", sizeof "\n");
    return 0;
}

static int
line_read(const char *line, uint8_t *identity, struct certificate *c)
{
    char head[32], id[65], key[65], share[65], signature[129];
    *c = (struct certificate){0};
    if (sscanf(line, "%31s %64s %64s %64s %" SCNu64 " %" SCNu64 " %128s", head,
               id, key, share, &c->from_s, &c->until_s, signature) != 7 ||
        strcmp(head, certificate_head) != 0 ||
        codec_unhex(identity, SPHINX_ID_LEN, id) ||
        codec_unhex(c->key, 32, key) || codec_unhex(c->share_key, 32, share) ||
        codec_unhex(c->signature, sizeof c->signature, signature))
        return ERR_FORMAT;
    return certificate_check(c, identity);
}

static int
certificate_load(const char *dir, uint8_t *identity, struct certificate *c)
{
    uint8_t *text;
    size_t len;
    int err = files_read_in(dir, "certificate", LINE_MAX_LEN, &text, &len);
    if (err)
        return err;
    err = line_read((const char *)text, identity, c);
    free(text);
    return err;
}

static int
certificate_make(const char *dir, const uint8_t *identity_seed,
                 struct certificate *c, uint64_t now_s, unsigned days)
{
    char *line = NULL;
    struct document_key identity;
    c->from_s = now_s - BACKDATED_S;
    c->until_s = now_s + (uint64_t)days * 86400;
    certificate_sign(c, identity_seed);
    document_key_direct(&identity, identity_seed);
    int err = line_write(identity.identity, c, &line);
    if (!err)
        err = files_write_in(dir, "certificate", line, strlen(line));
    free(line);
    return err;
}

/* Read the working keys in dir, or make them; a look makes none. */
static int
keys_derive(struct disk_keys *k, const char *dir, bool look, uint8_t key[32],
            uint8_t share_key[32])
{
    uint8_t *seed = NULL, *old = NULL, *unused = NULL, a[32], b[32];
    int err = seed_read(dir, "working.key", !look, &seed);
    const bool none = look && err == ERR_NOT_FOUND;
    memset(key, 0, 32);
    memset(share_key, 0, 32);
    secret_free((void **)&k->seed);
    for (size_t i = 0; i < AUTHORITY_SHARE_KEYS; i++)
        secret_free((void **)&k->share_secret[i]);
    if (none)
        return 0;
    err = seed_complain(k, dir, "working.key", err);
    if (!err)
        err =
            working_derive(seed, &k->seed, &k->share_secret[0], key, share_key);
    if (!err) {
        err = seed_read(dir, "working-old.key", false, &old);
        err = err == ERR_NOMEM ? err : 0; /* there need not be one */
    }
    if (!err && old)
        err = working_derive(old, &unused, &k->share_secret[1], a, b);
    secret_free((void **)&seed);
    secret_free((void **)&old);
    secret_free((void **)&unused);
    return err;
}

bool
disk_is_due(const struct certificate *c, uint64_t now_s)
{
    return c->until_s < now_s + DISK_RENEW_S || c->from_s > now_s;
}

int
disk_keys(struct disk_keys *k, const char *dir, uint64_t now_s,
          enum disk_renewal renew)
{
    uint8_t *identity_seed = NULL, key[32], share_key[32];
    struct document_key identity;
    *k = (struct disk_keys){0};
    int have = certificate_load(dir, k->identity, &k->cert);
    const bool look = renew == DISK_LOOK;
    int err =
        have == ERR_NOMEM ? have : keys_derive(k, dir, look, key, share_key);
    if (!err) {
        err = seed_read(dir, "authority.key", false, &identity_seed);
        err = err == ERR_NOT_FOUND
                  ? 0
                  : seed_complain(k, dir, "authority.key", err);
    }
    if (!err && have == ERR_KIND) /* no other can take its place */
        err = seed_complain(k, dir, "certificate", have);
    const bool fits = !have && !err && memcmp(k->cert.key, key, 32) == 0 &&
                      memcmp(k->cert.share_key, share_key, 32) == 0;
    const bool due = renew == DISK_NOW || (fits && renew == DISK_WHEN_DUE &&
                                           disk_is_due(&k->cert, now_s));
    if (!err && identity_seed) {
        document_key_direct(&identity, identity_seed);
        memcpy(k->identity, identity.identity, sizeof k->identity);
        if (due) {
            err = file_move(dir, "working.key", "working-old.key");
            if (!err)
                err = keys_derive(k, dir, false, key, share_key);
        }
        if (!err && !look && (!fits || due)) {
            memcpy(k->cert.key, key, 32);
            memcpy(k->cert.share_key, share_key, 32);
            err = certificate_make(dir, identity_seed, &k->cert, now_s,
                                   CERTIFICATE_DAYS);
        }
    } else if (!err) {
        err = have ? ERR_MISSING : !fits ? ERR_PEER : 0;
    }
    secret_free((void **)&identity_seed);
    if (err)
        disk_keys_free(k);
    return err;
}

void
disk_keys_free(struct disk_keys *k)
{
    secret_free((void **)&k->seed);
    for (size_t i = 0; i < AUTHORITY_SHARE_KEYS; i++)
        secret_free((void **)&k->share_secret[i]);
}

int
disk_request(const char *dir, char **line)
{
    uint8_t *seed = NULL, *sign = NULL, *share = NULL, key[32], share_key[32];
    int err = seed_read(dir, "working-new.key", true, &seed);
    *line = NULL;
    if (!err)
        err = working_derive(seed, &sign, &share, key, share_key);
    if (!err && !(*line = malloc(LINE_MAX_LEN)))
        err = ERR_NOMEM;
    if (!err) {
        char *at = *line + sprintf(*line, "%s", request_head);
        at = field_write(at, key, 32);
        at = field_write(at, share_key, 32);
        memcpy(at, "\n", sizeof "\n");
    }
    secret_free((void **)&seed);
    secret_free((void **)&sign);
    secret_free((void **)&share);
    return err;
}

int
disk_certify(const char *dir, const char *request, uint64_t now_s,
             unsigned days, char **line)
{
    char head[32], key[65], share[65];
    struct certificate c = {.from_s = now_s - BACKDATED_S,
                            .until_s = now_s + (uint64_t)days * 86400};
    struct document_key identity;
    uint8_t *seed = NULL;
    *line = NULL;
    if (sscanf(request, "%31s %64s %64s", head, key, share) != 3 ||
        strcmp(head, request_head) != 0 || codec_unhex(c.key, 32, key) ||
        codec_unhex(c.share_key, 32, share))
        return ERR_FORMAT;
    int err = seed_read(dir, "authority.key", false, &seed);
    if (err)
        return err;
    document_key_direct(&identity, seed);
    certificate_sign(&c, seed);
    err = line_write(identity.identity, &c, line);
    secret_free((void **)&seed);
    return err;
}

/* Does this key file belong to the certificate? */
static int
working_fits(const char *dir, const char *name, const struct certificate *c)
{
    uint8_t *seed = NULL, *sign = NULL, *share = NULL, key[32], share_key[32];
    int err = seed_read(dir, name, false, &seed);
    if (!err)
        err = working_derive(seed, &sign, &share, key, share_key);
    if (!err && (memcmp(key, c->key, 32) != 0 ||
                 memcmp(share_key, c->share_key, 32) != 0))
        err = ERR_PEER;
    secret_free((void **)&seed);
    secret_free((void **)&sign);
    secret_free((void **)&share);
    return err;
}

/* Put the new working key in the place of the one before, if there is one. */
static int
working_take(const char *dir, bool before, const struct certificate *c)
{
    int err = working_fits(dir, "working-new.key", c);
    if (!err && before)
        err = file_move(dir, "working.key", "working-old.key");
    return err ? err : file_move(dir, "working-new.key", "working.key");
}

/* Is there a certificate in dir that revokes c? */
static int
certificate_compare(const char *dir, const struct certificate *c,
                    uint64_t now_s)
{
    uint8_t identity[SPHINX_ID_LEN];
    struct certificates list = {0};
    struct certificate present;
    int err = certificate_load(dir, identity, &present);
    if (err)
        return err == ERR_NOMEM ? err : 0; /* there need not be a good one */
    certificates_note(&list, identity, &present, now_s);
    return certificates_revoke(&list, identity, c, now_s) ? ERR_STALE : 0;
}

int
disk_install(const char *dir, const char *certificate, uint64_t now_s)
{
    uint8_t identity[SPHINX_ID_LEN];
    struct certificate c;
    int err = line_read(certificate, identity, &c);
    if (!err)
        err = certificate_compare(dir, &c, now_s);
    /* a crash in between leaves the key moved; then this is done again */
    if (!err) {
        err = working_fits(dir, "working.key", &c);
        if (err && err != ERR_NOMEM)
            err = working_take(dir, err != ERR_NOT_FOUND, &c);
    }
    return err ? err
               : files_write_in(dir, "certificate", certificate,
                                strlen(certificate));
}

/* ---- the rest ---- */

static int
folders_make(const char *dir)
{
    static const char *const folder[] = {"votes", "descriptors"};
    char path[FILES_PATH_MAX];
    int err = 0;
    for (size_t i = 0; i < 2 && !err; i++) {
        err = files_path(path, dir, folder[i]);
        if (!err)
            err = files_mkdir(path);
    }
    return err;
}

int
disk_begin(const char *dir)
{
    static const char text[] = "brusio-directory-state/1\n";
    const int err = folders_make(dir);
    return err ? err : files_write_in(dir, "state", text, sizeof text - 1);
}

bool
disk_is_whole(const char *dir)
{
    char path[FILES_PATH_MAX];
    return files_path(path, dir, "state") == 0 && access(path, F_OK) == 0;
}

/* Find the beginning of the signer's identity, if `bytes` are a document. */
static int
signer_read(const uint8_t *bytes, size_t len, uint8_t out[static 16])
{
    struct document *d = malloc(sizeof *d);
    if (!d)
        return ERR_NOMEM;
    if (document_parse(d, DOCUMENT_DESCRIPTOR, bytes, len) == 0 &&
        d->n_signers == 1)
        memcpy(out, d->sig[0].signer, 16);
    free(d);
    return 0;
}

int
disk_put(const char *dir, enum authority_output what, uint32_t epoch,
         const uint8_t *bytes, size_t len)
{
    char name[NAME_LEN], hex[17];
    uint8_t digest[16];
    int err = 0;
    crypto_generichash(digest, sizeof digest, bytes, len, NULL, 0);
    if (what == AUTHORITY_KEEP_DESCRIPTOR) /* a relay's next replaces it */
        err = signer_read(bytes, len, digest);
    if (err)
        return err;
    codec_hex(hex, digest, 8);
    snprintf(name, sizeof name, "%s",
             what == AUTHORITY_KEEP_PROMISES ? "promises" : "consensus");
    if (what == AUTHORITY_KEEP_VOTE || what == AUTHORITY_KEEP_HEARD)
        snprintf(name, sizeof name, "votes/%" PRIu32 "-%s%s", epoch, hex,
                 what == AUTHORITY_KEEP_HEARD ? heard_end : "");
    else if (what == AUTHORITY_KEEP_DESCRIPTOR)
        snprintf(name, sizeof name, "descriptors/%" PRIu32 "-%s", epoch, hex);
    else if (what == AUTHORITY_EVIDENCE)
        snprintf(name, sizeof name, "evidence-%" PRIu32 "-%s", epoch, hex);
    return files_write_in(dir, name, bytes, len);
}

static int
file_each(const char *dir, const char *name, enum authority_output what,
          void (*each)(void *ctx, enum authority_output what,
                       const uint8_t *bytes, size_t len),
          void *ctx)
{
    uint8_t *bytes;
    size_t len;
    int err = files_read_in(dir, name, LOADED_MAX, &bytes, &len);
    if (err)
        return err == ERR_NOT_FOUND ? 0 : err;
    each(ctx, what, bytes, len);
    free(bytes);
    return 0;
}

/* Call one() for every file in a folder, with its epoch. Returns the first
 * error. */
static int
folder_walk(const char *dir, const char *folder,
            int (*one)(const char *dir, const char *name, uint32_t epoch,
                       void *ctx),
            void *ctx)
{
    char path[FILES_PATH_MAX], name[NAME_LEN];
    int err = files_path(path, dir, folder);
    DIR *d = err ? NULL : opendir(path);
    if (!err && !d && errno != ENOENT)
        err = files_error(errno);
    for (struct dirent *e; d && (e = readdir(d));) {
        unsigned long epoch = strtoul(e->d_name, NULL, 10);
        if (epoch > 0 && strlen(e->d_name) < NAME_LEN / 2 &&
            strspn(e->d_name, "0123456789abcdef-") == strlen(e->d_name)) {
            snprintf(name, sizeof name, "%.15s/%.40s", folder, e->d_name);
            int bad = one(dir, name, (uint32_t)epoch, ctx);
            err = err ? err : bad;
        }
    }
    if (d)
        closedir(d);
    return err;
}

struct each {
    enum authority_output what;
    void (*fn)(void *ctx, enum authority_output what, const uint8_t *bytes,
               size_t len);
    void *ctx;
    uint32_t epoch; /* alone; 0: all */
};

static int
one_each(const char *dir, const char *name, uint32_t epoch, void *ctx)
{
    const struct each *e = ctx;
    if (e->epoch && e->epoch != epoch)
        return 0;
    return file_each(dir, name, e->what, e->fn, e->ctx);
}

int
disk_each(const char *dir,
          void (*each)(void *ctx, enum authority_output what,
                       const uint8_t *bytes, size_t len),
          void *ctx)
{
    struct each votes = {AUTHORITY_KEEP_VOTE, each, ctx, 0};
    struct each descriptors = {AUTHORITY_KEEP_DESCRIPTOR, each, ctx, 0};
    const int err[] = {
        file_each(dir, "consensus", AUTHORITY_KEEP_CONSENSUS, each, ctx),
        file_each(dir, "promises", AUTHORITY_KEEP_PROMISES, each, ctx),
        folder_walk(dir, "descriptors", one_each, &descriptors),
        folder_walk(dir, "votes", one_each, &votes)};
    for (size_t i = 0; i < sizeof err / sizeof err[0]; i++)
        if (err[i])
            return err[i];
    return 0;
}

int
disk_votes(const char *dir, uint32_t epoch,
           void (*each)(void *ctx, enum authority_output what,
                        const uint8_t *bytes, size_t len),
           void *ctx)
{
    struct each votes = {AUTHORITY_KEEP_VOTE, each, ctx, epoch};
    return folder_walk(dir, "votes", one_each, &votes);
}

struct epochs_kept {
    uint32_t first, last;
    uint32_t heard; /* of this epoch alone the votes of others; 0: of any */
};

static bool
is_heard(const char *name)
{
    const size_t len = strlen(name), end = sizeof heard_end - 1;
    return len >= end && strcmp(name + len - end, heard_end) == 0;
}

static int
one_prune(const char *dir, const char *name, uint32_t epoch, void *ctx)
{
    const struct epochs_kept *stays = ctx;
    char path[FILES_PATH_MAX];
    const bool goes = epoch < stays->first || epoch > stays->last ||
                      (stays->heard && epoch != stays->heard && is_heard(name));
    if (goes && !files_path(path, dir, name))
        (void)unlink(path);
    return 0;
}

void
disk_prune(const char *dir, uint32_t floor, uint32_t target)
{
    struct epochs_kept votes = {floor, UINT32_MAX, target};
    struct epochs_kept descriptors = {
        floor > KEYS_AHEAD ? floor - KEYS_AHEAD : 0, target + KEYS_AHEAD, 0};
    /* what stays goes with the next epoch */
    (void)folder_walk(dir, "votes", one_prune, &votes);
    (void)folder_walk(dir, "descriptors", one_prune, &descriptors);
}
