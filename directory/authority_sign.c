/* directory/authority_sign.c - opening shares; the consensus, from the tally to
 * its publication, and one that others have published.
 *
 * State, in struct authority, from SIGN on:
 *
 *   opened -> computed -> signed -> published
 *        `-> hopeless (the votes give no consensus)
 *
 *   computed   a->body: all shares that are needed are here
 *   signed     a promise was made durable and the signature sent, unless this
 *              authority has signed another one or abstains
 *   published  more than two thirds have signed what was computed here, or
 *              such a consensus came from others
 *
 * Timers: none of its own. consensus_step() goes as far as it can whenever
 * shares or signatures come, and with each tick.
 *
 * Failure modes: shares or signatures are missing (AGAIN, not counted: they may
 * come); no memory (tried again with the next step); the disk keeps no promise
 * (the signature is not sent, and not tried again); a share is for a key that
 * is gone (PEER, counted). */
#include <stdlib.h>
#include <string.h>

#include "directory/authority_internal.h"
#include "directory/tally.h"

/* ---- shares ---- */

/* Open the own share of one dealing, to *e. Returns whether there is one. */
static bool
share_find(struct authority *a, const struct counted *c, struct shares_entry *e)
{
    const struct share_dealing *d = &c->vote.dealing;
    for (size_t k = 0; c->deals && k < d->n; k++) {
        if (d->at[k] != a->self + 1)
            continue;
        memcpy(e->dealer, c->vote.author, sizeof e->dealer);
        for (size_t i = 0; i < AUTHORITY_SHARE_KEYS; i++)
            if (a->share_secret[i] &&
                share_open(&e->opened, d, k, a->share_secret[i], a->config.env,
                           c->context) == 0)
                return true;
        a->status.refused[-ERR_PEER]++; /* for a key that is gone */
    }
    return false;
}

int
shares_send(struct authority *a)
{
    struct colleague *own = &a->colleague[a->self];
    struct shares *s = calloc(1, sizeof *s);
    char *body = NULL;
    size_t len;
    uint8_t *doc;
    size_t doc_len;
    if (!s)
        return ERR_NOMEM;
    memcpy(s->network, a->network.name, sizeof s->network);
    s->epoch = a->target;
    for (size_t i = 0; i < a->n_counted; i++)
        s->n += share_find(a, &a->counted[i], &s->entry[s->n]);
    int err = json_write_shares(s, &body, &len);
    if (!err)
        err =
            authority_sign_body(a, DOCUMENT_SHARES, body, len, &doc, &doc_len);
    if (err) {
        free(s);
        return err;
    }
    free(own->shares);
    own->shares = s;
    free(own->shares_doc);
    own->shares_doc = doc;
    own->shares_len = doc_len;
    return authority_output(a, AUTHORITY_SEND, doc, doc_len);
}

/* ---- the consensus ---- */

static int
consensus_compute(struct authority *a)
{
    struct vote *votes[AUTHORITIES_MAX];
    struct consensus *c = NULL;
    struct tally_opened opened = {0};
    char **texts = NULL;
    uint8_t value[32];
    int err = votes_random(a, value);
    if (!err)
        err = listing_texts(&a->listing, a->target, a->newest, SIZE_MAX, &texts,
                            &opened.n);
    if (err)
        return err;
    opened.text = texts;
    for (size_t i = 0; i < a->n_counted; i++)
        votes[i] = &a->counted[i].vote;
    err = tally_votes(&c, votes, a->n_counted,
                      (const uint8_t(*)[SPHINX_ID_LEN])a->ids, a->n, value,
                      schedule_valid_s(&a->schedule, a->target), &opened);
    free(texts); /* themselves they are the listing's */
    if (!err)
        err = json_write_consensus(c, &a->body, &a->body_len);
    if (!err)
        document_hash(DOCUMENT_CONSENSUS, (const uint8_t *)a->body, a->body_len,
                      a->hash);
    consensus_free(&c);
    return err;
}

/* Sign the consensus, unless this authority may have signed another one. Nobody
 * gets to see the signature before it is kept. */
static int
consensus_sign(struct authority *a)
{
    struct colleague *own = &a->colleague[a->self];
    struct promises *promises = &a->promises[PROMISE_SIGNATURE];
    const struct promises before = *promises;
    struct signature_note note = {.epoch = a->target};
    struct document *d = calloc(1, sizeof *d);
    struct document_signature sig;
    uint8_t *doc = NULL;
    size_t doc_len;
    char *body = NULL;
    int err = d ? 0 : ERR_NOMEM;
    if (err || (a->abstains && a->target <= a->abstains) ||
        !promises_allow(promises, a->target, a->hash))
        goto out;
    memcpy(note.network, a->network.name, sizeof note.network);
    memcpy(note.hash, a->hash, sizeof note.hash);
    d->kind = DOCUMENT_SIGNATURE;
    err = json_write_signature(&note, &body, &d->body_len);
    if (err)
        goto out;
    d->body = (const uint8_t *)body;
    document_sign_hash(&sig, a->hash, &a->key);
    err = document_add(d, &sig);
    if (!err)
        err = document_write(d, &doc, &doc_len);
    if (err)
        goto out;
    promises_add(promises, a->target, a->hash);
    err = promises_keep(a);
    if (err) {
        *promises = before;
        goto out;
    }
    free(own->note_doc);
    own->note_doc = doc;
    own->note_len = doc_len;
    doc = NULL;
    own->sig = sig;
    own->note = note;
    own->has_note = true;
    err = authority_output(a, AUTHORITY_SEND, own->note_doc, own->note_len);
out:
    free(doc);
    free(body);
    free(d);
    return err;
}

/* Learn the certificates that the newest consensus lists, also those of
 * authorities that are away when this one starts again: its votes deal to their
 * newest keys, and so the next consensus lists them too. */
static void
certificates_learn(struct authority *a)
{
    const struct certificates *list = &a->newest->certificates;
    certificates_merge(&a->certificates, list,
                       (const uint8_t(*)[SPHINX_ID_LEN])a->ids, a->n,
                       env_now_wall_s(a->config.env));
    for (size_t i = 0; i < a->n; i++) {
        struct colleague *c = &a->colleague[i];
        const struct certificate *cert =
            certificates_find(&a->certificates, a->ids[i]);
        if (!cert || i == a->self ||
            (c->has_cert && !certificate_is_newer(cert, &c->cert)))
            continue;
        c->cert = *cert;
        c->has_cert = true;
    }
}

int
consensus_adopt(struct authority *a, const uint8_t *bytes, size_t len,
                uint32_t last)
{
    char where[JSON_WHERE_LEN];
    struct consensus *c = NULL;
    struct document *d = malloc(sizeof *d);
    const uint8_t(*ids)[SPHINX_ID_LEN] =
        (const uint8_t(*)[SPHINX_ID_LEN])a->ids;
    if (!d)
        return ERR_NOMEM;
    int err = document_open(d, DOCUMENT_CONSENSUS, bytes, len, ids, a->n,
                            document_two_thirds(a->n));
    if (!err)
        err = json_read_consensus(&c, d->body, d->body_len, where);
    struct certificates newest = a->certificates;
    if (!err)
        certificates_merge(&newest, &c->certificates, ids, a->n,
                           c->valid_after_s);
    if (!err && document_signers_at(d, ids, a->n, c->valid_after_s, &newest) <
                    document_two_thirds(a->n))
        err = ERR_THRESHOLD;
    if (!err && strcmp(c->network, a->network.name) != 0)
        err = ERR_FOREIGN;
    /* an older one than a wrong clock's has to be of the present */
    if (!err && a->newest && c->epoch <= a->newest->epoch &&
        (c->epoch <= newest_epoch(a) ||
         consensus_judge_time(c, env_now_wall_s(a->config.env))))
        err = ERR_STALE;
    if (!err && c->epoch > last)
        err = ERR_FUTURE;
    if (!err) {
        document_digest(d, c->digest);
        err = bytes_copy(&a->published, &a->published_len, bytes, len);
    }
    free(d);
    if (err) {
        consensus_free(&c);
        return err;
    }
    consensus_free(&a->newest);
    a->newest = c;
    certificates_learn(a);
    a->status.epoch = c->epoch;
    return 0;
}

int
authority_take_consensus(struct authority *a, const uint8_t *bytes, size_t len)
{
    const uint32_t now = clock_epoch(a);
    int err = consensus_adopt(a, bytes, len, now > a->target ? now : a->target);
    return err ? err
               : authority_output(a, AUTHORITY_KEEP_CONSENSUS, bytes, len);
}

/* Gather all good signatures of what was computed here, and publish if they are
 * enough. */
static int
consensus_publish(struct authority *a)
{
    struct document *d = calloc(1, sizeof *d);
    uint8_t *bytes = NULL;
    size_t len;
    int err = d ? 0 : ERR_NOMEM;
    if (err)
        return err;
    d->kind = DOCUMENT_CONSENSUS;
    d->body = (const uint8_t *)a->body;
    d->body_len = a->body_len;
    for (size_t i = 0; i < a->n && !err; i++) {
        const struct colleague *c = &a->colleague[i];
        if (c->has_note && memcmp(c->note.hash, a->hash, sizeof a->hash) == 0)
            err = document_add(d, &c->sig);
    }
    a->status.signatures = d->n_signers;
    if (!err && d->n_signers < document_two_thirds(a->n))
        err = ERR_AGAIN;
    if (!err)
        err = document_write(d, &bytes, &len);
    if (!err)
        err = authority_take_consensus(a, bytes, len);
    free(bytes);
    free(d);
    return err;
}

int
consensus_step(struct authority *a)
{
    if (!a->opened || a->hopeless || a->next < SCHEDULE_PUBLISH ||
        newest_epoch(a) >= a->target || !clock_look(a))
        return 0;
    int err = 0;
    if (!a->body) {
        err = consensus_compute(a);
        a->hopeless = err && err != ERR_AGAIN && err != ERR_NOMEM;
        if (!err || a->hopeless)
            a->status.unmade = err;
        a->to_sign = !err;
    }
    if (!err && a->to_sign) {
        err = consensus_sign(a);
        a->to_sign = err == ERR_NOMEM;
    }
    if (!err)
        err = consensus_publish(a);
    return err == ERR_AGAIN ? 0 : err;
}
