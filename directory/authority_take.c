/* directory/authority_take.c - what comes in: from relays, from the other
 * authorities, and from an earlier life.
 *
 * Each document is opened (is it one, who signed it), judged (is it of this
 * network and epoch, is it new) and remembered; then whatever it makes possible
 * is done:
 *
 *   descriptor   -> listing; kept on disk
 *   claim        -> rounds; its vote is asked for
 *   vote         -> the claim counts: signed and passed on
 *   hello        -> how far its sender is
 *   shares,
 *   signature    -> consensus_step()
 *
 * State: of each colleague the first claim, its shares and its note of the
 * target, and its newest certificate; digests of AUTHORITY_RECENT documents, of
 * which no signature is verified a second time. Timers: none; claims_again() is
 * called with each tick.
 *
 * Failure modes: two documents that one authority may not both sign (CONFLICT,
 * with evidence); a clock that is not believed (AGAIN: what is late cannot be
 * told); no memory (the claim is passed on, or the vote asked for, again
 * later); votes or promises of an earlier life that cannot be read (the
 * authority abstains). */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "directory/authority_internal.h"
#include "directory/evidence.h"
#include "lib/codec.h"
#include "network/descriptor.h"

/* Can the descriptor serve the epoch being prepared, or, when the clock is
 * wrong or was, an epoch that soon may be? */
static int
descriptor_judge(struct authority *a, const struct descriptor *d)
{
    const uint32_t next = a->newest ? newest_epoch(a) + 1 : a->target;
    const uint32_t may_be[] = {next, clock_epoch(a), a->target};
    int err = 0;
    for (size_t i = 0; i < sizeof may_be / sizeof may_be[0]; i++) {
        err = d->epoch + d->n_keys <= may_be[i] ? ERR_STALE
              : d->epoch > may_be[i] + 1        ? ERR_FUTURE
                                                : 0;
        if (!err)
            break;
    }
    return err;
}

static int
descriptor_take(struct authority *a, const uint8_t *bytes, size_t len,
                char where[static JSON_WHERE_LEN])
{
    struct descriptor d;
    int err =
        descriptor_open(&d, &a->config.params.geometry, bytes, len, where);
    if (!err && memchr(bytes, 0, len))
        err = ERR_FORMAT;
    if (!err && strcmp(d.network, a->network.name) != 0)
        err = ERR_FOREIGN;
    if (!err)
        err = descriptor_judge(a, &d);
    if (!err && a->config.admit && !a->config.admit(a->config.ctx, &d))
        err = ERR_COMMAND;
    return err ? err
               : listing_put(&a->listing, &d, bytes, len, a->target,
                             env_now_mono_us(a->config.env) / 1000);
}

int
authority_descriptor(struct authority *a, const uint8_t *bytes, size_t len,
                     char where[static JSON_WHERE_LEN])
{
    int err = descriptor_take(a, bytes, len, where);
    const bool known = err == ERR_EXISTS;
    if (known)
        err = 0;
    else if (!err) /* else relays would have to post again after a restart */
        (void)!authority_output(a, AUTHORITY_KEEP_DESCRIPTOR, bytes, len);
    if (!err && a->next > SCHEDULE_VOTE)
        return ERR_AGAIN;
    return authority_count(a, err);
}

/* Publish evidence, if these are two documents that one authority may not both
 * sign. */
static int
evidence_make(struct authority *a, size_t who, const uint8_t *first,
              size_t first_len, const uint8_t *second, size_t second_len)
{
    struct colleague *c = &a->colleague[who];
    if (c->evident)
        return 0;
    uint8_t *both = malloc(first_len + second_len);
    if (!both)
        return ERR_NOMEM;
    memcpy(both, first, first_len);
    memcpy(both + first_len, second, second_len);
    /* the same claim may come with other signatures */
    uint8_t convicted[SPHINX_ID_LEN];
    uint32_t epoch;
    int err = evidence_check(&a->network, both, first_len + second_len,
                             convicted, &epoch);
    if (!err) {
        err = authority_output(a, AUTHORITY_EVIDENCE, both,
                               first_len + second_len);
        c->evident = !err;
    } else if (err != ERR_NOMEM)
        err = 0;
    free(both);
    return err;
}

/* Sign a claim that counts, and pass it on. */
static int
claim_pass(struct authority *a, size_t author, size_t claim)
{
    struct rounds_claim *k = &a->rounds.author[author].claim[claim];
    uint8_t *bytes = NULL, *kept;
    size_t len;
    int err = rounds_write(&a->rounds, author, claim, &a->key, &bytes, &len);
    if (err)
        return err;
    kept = malloc(4 + len + k->len);
    if (kept) {
        codec_put32(kept, (uint32_t)len);
        memcpy(kept + 4, bytes, len);
        memcpy(kept + 4 + len, k->vote, k->len);
        /* for after a crash; no rule rests on it */
        (void)!authority_output(a, AUTHORITY_KEEP_HEARD, kept,
                                4 + len + k->len);
    }
    free(kept);
    k->passed = true;
    err = authority_output(a, AUTHORITY_SEND, bytes, len);
    free(bytes);
    return err;
}

void
claims_again(struct authority *a)
{
    for (size_t i = 0; i < a->n; i++)
        for (size_t k = 0; k < a->rounds.author[i].n; k++) {
            struct rounds_claim *c = &a->rounds.author[i].claim[k];
            if (c->counted && !c->passed)
                (void)authority_count(a, claim_pass(a, i, k));
            if (c->counted || !c->missed)
                continue;
            c->missed = false;
            (void)authority_count(
                a, authority_output(a, AUTHORITY_WANT, c->digest, 32));
        }
}

/* Remember the first claim of an author, for evidence; make evidence if this is
 * another claim. */
static int
claim_remember(struct authority *a, size_t author, const uint8_t *bytes,
               size_t len)
{
    struct colleague *c = &a->colleague[author];
    if (!c->claim)
        return bytes_copy(&c->claim, &c->claim_len, bytes, len);
    return a->rounds.author[author].n > 1
               ? evidence_make(a, author, c->claim, c->claim_len, bytes, len)
               : 0;
}

static int
claim_take(struct authority *a, const uint8_t *bytes, size_t len)
{
    size_t author = a->n, claim = 0;
    int remembered = 0;
    if (!clock_look(a)) /* is it late? it is asked for when that is known */
        return ERR_AGAIN;
    int err = rounds_claim(&a->rounds, bytes, len,
                           env_now_wall_ms(a->config.env), &author, &claim);
    if ((err == 0 || err == ERR_AGAIN || err == ERR_DUPLICATE ||
         err == ERR_FULL || err == ERR_CONFLICT || err == ERR_TIMEOUT) &&
        author < a->n)
        remembered = claim_remember(a, author, bytes, len);
    if (err == 0 || err == ERR_AGAIN) {
        const uint8_t *digest = a->rounds.author[author].claim[claim].digest;
        int wanted = authority_output(a, AUTHORITY_WANT, digest, 32);
        err = err ? err : wanted;
    }
    return err ? err : remembered;
}

int
authority_take_vote(struct authority *a, const uint8_t *bytes, size_t len)
{
    size_t author, claim;
    if (!clock_look(a))
        return authority_count(a, ERR_AGAIN);
    int err = rounds_vote(&a->rounds, bytes, len,
                          env_now_wall_ms(a->config.env), &author, &claim);
    if (!err)
        err = claim_pass(a, author, claim);
    return authority_count(a, err);
}

static int
hello_take(struct authority *a, const struct document *d, size_t who)
{
    char where[JSON_WHERE_LEN];
    struct hello h;
    int err = json_read_hello(&h, d->body, d->body_len, where);
    if (!err && strcmp(h.network, a->network.name) != 0)
        err = ERR_FOREIGN;
    /* the newest, unless that was a wrong clock's */
    if (!err && (h.epoch > a->colleague[who].seen ||
                 a->colleague[who].seen > a->target + 1))
        a->colleague[who].seen = h.epoch;
    return err;
}

static int
epoch_judge(const struct authority *a, const char *network, uint32_t epoch)
{
    if (strcmp(network, a->network.name) != 0)
        return ERR_FOREIGN;
    return epoch == a->target ? 0 : epoch < a->target ? ERR_STALE : ERR_FUTURE;
}

static int
shares_take(struct authority *a, const struct document *d, size_t who,
            const uint8_t *bytes, size_t len)
{
    char where[JSON_WHERE_LEN];
    struct colleague *c = &a->colleague[who];
    struct shares *s = malloc(sizeof *s);
    if (!s)
        return ERR_NOMEM;
    int err = json_read_shares(s, d->body, d->body_len, where);
    if (!err)
        err = epoch_judge(a, s->network, s->epoch);
    if (!err && c->shares)
        err = ERR_DUPLICATE;
    if (!err)
        err = bytes_copy(&c->shares_doc, &c->shares_len, bytes, len);
    if (err) {
        free(s);
        return err;
    }
    c->shares = s;
    return consensus_step(a);
}

static int
note_take(struct authority *a, const struct document *d, size_t who,
          const uint8_t *bytes, size_t len)
{
    char where[JSON_WHERE_LEN];
    struct colleague *c = &a->colleague[who];
    struct signature_note s;
    int err = json_read_signature(&s, d->body, d->body_len, where);
    if (!err)
        err = epoch_judge(a, s.network, s.epoch);
    if (!err)
        err = document_check(&d->sig[0], s.hash);
    /* whoever has stolen its old key may have been faster */
    const bool better = c->has_note && c->sig.certified &&
                        d->sig[0].certified &&
                        certificate_is_newer(&d->sig[0].cert, &c->sig.cert);
    if (!err && c->has_note) {
        err = better ? 0 : ERR_DUPLICATE;
        if (memcmp(c->note.hash, s.hash, sizeof s.hash) != 0) {
            err = evidence_make(a, who, c->note_doc, c->note_len, bytes, len);
            err = err == ERR_NOMEM ? err : better ? 0 : ERR_CONFLICT;
        }
    }
    if (!err)
        err = bytes_copy(&c->note_doc, &c->note_len, bytes, len);
    if (err)
        return err;
    c->note = s;
    c->sig = d->sig[0];
    c->has_note = true;
    return consensus_step(a);
}

/* Remember the newest certificate, unless a wrong clock made it; what is signed
 * by an older one still counts as long as that runs. */
static void
cert_note(struct authority *a, size_t who, const struct document_signature *s)
{
    struct colleague *c = &a->colleague[who];
    if (who == a->self || !s->certified ||
        (c->has_cert && c->cert.from_s >= s->cert.from_s &&
         certificate_covers(&c->cert,
                            schedule_valid_s(&a->schedule, a->target))))
        return;
    c->cert = s->cert;
    c->has_cert = true;
}

/* Open a document of a kind that one authority signs alone. The signature in a
 * note is over another hash and checked later. */
static int
single_open(struct authority *a, enum document_kind kind, struct document *d,
            const uint8_t *bytes, size_t len, size_t *who)
{
    const uint8_t(*ids)[SPHINX_ID_LEN] =
        (const uint8_t(*)[SPHINX_ID_LEN])a->ids;
    int err = kind == DOCUMENT_SIGNATURE
                  ? document_parse(d, kind, bytes, len)
                  : document_open(d, kind, bytes, len, ids, a->n, 1);
    if (!err && d->n_signers != 1)
        err = ERR_FORMAT;
    if (!err && document_signers_at(d, ids, a->n,
                                    schedule_valid_s(&a->schedule, a->target),
                                    &a->certificates) != 1)
        err = ERR_PEER;
    for (*who = 0;
         !err && memcmp(a->ids[*who], d->sig[0].signer, SPHINX_ID_LEN) != 0;)
        ++*who;
    return err;
}

/* Was the very same document here of late? If so, nothing needs to be
 * verified. */
static bool
is_repeated(const struct authority *a, const uint8_t digest[static 16])
{
    for (size_t i = 0; i < AUTHORITY_RECENT; i++)
        if (memcmp(a->recent[i], digest, sizeof a->recent[i]) == 0)
            return true;
    return false;
}

int
authority_take(struct authority *a, const uint8_t *bytes, size_t len)
{
    const enum document_kind kind = document_kind_of(bytes, len);
    size_t who;
    if (kind == DOCUMENT_CLAIM)
        return authority_count(a, claim_take(a, bytes, len));
    if (kind != DOCUMENT_HELLO && kind != DOCUMENT_SHARES &&
        kind != DOCUMENT_SIGNATURE)
        return authority_count(a, ERR_FORMAT);
    uint8_t digest[sizeof a->recent[0]];
    crypto_generichash(digest, sizeof digest, bytes, len, NULL, 0);
    if (is_repeated(a, digest))
        return authority_count(a, ERR_DUPLICATE);
    struct document *d = malloc(sizeof *d);
    int err = d ? single_open(a, kind, d, bytes, len, &who) : ERR_NOMEM;
    if (!err && who == a->self)
        err = ERR_DUPLICATE;
    if (!err)
        err = kind == DOCUMENT_HELLO    ? hello_take(a, d, who)
              : kind == DOCUMENT_SHARES ? shares_take(a, d, who, bytes, len)
                                        : note_take(a, d, who, bytes, len);
    if (!err)
        cert_note(a, who, &d->sig[0]);
    free(d);
    if (err != ERR_FUTURE && err != ERR_NOMEM) /* those are welcome again */
        memcpy(a->recent[a->next_recent++ % AUTHORITY_RECENT], digest,
               sizeof digest);
    return authority_count(a, err);
}

/* ---- what was kept ---- */

/* Abstain until the next epoch if what was voted or signed could not be
 * read. */
static int
load_doubt(struct authority *a, int err)
{
    if (err)
        a->abstains = a->target;
    return err;
}

static int
load_vote(struct authority *a, const uint8_t *bytes, size_t len)
{
    char where[JSON_WHERE_LEN];
    struct claim c;
    if (len < 4 || codec_get32(bytes) > len - 4)
        return load_doubt(a, ERR_SHORT);
    const uint8_t *claim = bytes + 4, *vote = claim + codec_get32(bytes);
    const size_t claim_len = codec_get32(bytes);
    struct document *d = malloc(sizeof *d);
    int err =
        d ? document_open(d, DOCUMENT_CLAIM, claim, claim_len,
                          (const uint8_t(*)[SPHINX_ID_LEN])a->ids, a->n, 1)
          : ERR_NOMEM;
    if (!err)
        err = json_read_claim(&c, d->body, d->body_len, where);
    if (!err && memcmp(c.author, a->ids[a->self], SPHINX_ID_LEN) == 0)
        promises_add(&a->promises[PROMISE_VOTE], c.epoch, NULL);
    free(d);
    if (err) /* ERR_THRESHOLD: nobody's of this network */
        return err == ERR_THRESHOLD ? err : load_doubt(a, err);
    return rounds_load(&a->rounds, claim, claim_len, vote, len - 4 - claim_len);
}

int
authority_load(struct authority *a, enum authority_output what,
               const uint8_t *bytes, size_t len)
{
    char where[JSON_WHERE_LEN];
    switch (what) {
    case AUTHORITY_KEEP_DESCRIPTOR:
        return descriptor_take(a, bytes, len, where);
    case AUTHORITY_KEEP_CONSENSUS:
        return consensus_adopt(a, bytes, len, UINT32_MAX);
    case AUTHORITY_KEEP_VOTE:
    case AUTHORITY_KEEP_HEARD:
        return load_vote(a, bytes, len);
    case AUTHORITY_KEEP_PROMISES:
        return load_doubt(a, promises_read(a->promises, bytes, len));
    default:
        return ERR_ARG;
    }
}
