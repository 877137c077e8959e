/* directory/authority_vote.c - the own vote, and all votes once the rounds are
 * over: which dealings are good, and the secrets in them.
 *
 * The own vote is made of the listing, of what the newest consensus says of
 * relays, and of a dealing to all authorities whose keys are known. The vote is
 * made durable, then the promise, and only then the claim is sent. The shared
 * value is a hash over the secrets of all good dealings; each secret takes the
 * openings of degree + 1 holders.
 *
 * State, in struct authority: a->counted, a vote for each author of whom
 * exactly one counts, from OPEN until the next epoch; in each the openings that
 * were looked at. Timers: none.
 *
 * Failure modes: too few keys are known (the vote has no dealing); a vote that
 * is not what its claim says, or a bad opening (counted, passed over); openings
 * are missing (AGAIN); too few votes deal (THRESHOLD); no memory (the phase is
 * tried again); no disk (no claim is sent). */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "directory/authority_internal.h"
#include "lib/codec.h"

/* Make a dealing to all whose keys are known; make none when these are too
 * few. */
static int
dealing_make(struct authority *a, struct vote *v)
{
    const uint64_t at_s = schedule_valid_s(&a->schedule, a->target);
    struct share_dealing *d = &v->dealing;
    uint8_t context[SHARE_CONTEXT_LEN];
    for (size_t i = 0; i < a->n; i++) {
        const struct colleague *c = &a->colleague[i];
        if (!c->has_cert || !certificate_covers(&c->cert, at_s))
            continue;
        struct vote_holder *h = &v->holder[d->n];
        memcpy(h->identity, a->ids[i], sizeof h->identity);
        h->cert = c->cert;
        d->at[d->n] = (uint8_t)(i + 1);
        memcpy(d->key[d->n++], c->cert.share_key, SHARE_LEN);
    }
    d->degree = (uint8_t)schedule_faults(a->n);
    if (d->n + schedule_faults(a->n) < a->n) {
        *d = (struct share_dealing){0};
        return 0;
    }
    vote_dealing_context(v, context);
    int err = share_deal(d, a->config.env, context);
    if (err == ERR_POINT) { /* somebody certified what is no key */
        *d = (struct share_dealing){0};
        err = 0;
    }
    return err;
}

static struct standing
standing_of(const struct relay_entry *e, uint32_t epoch)
{
    struct standing s = {.layer = e->layer,
                         .since = e->since,
                         .seen = epoch,
                         .counts = e->counts};
    memcpy(s.identity, e->identity, sizeof s.identity);
    memcpy(s.placement, e->placement, sizeof s.placement);
    return s;
}

/* Merge those that are in and those that are away, both sorted by identity. */
static void
known_merge(const struct consensus *c, struct vote *v)
{
    size_t i = 0, k = 0;
    while (i < c->n_relays || k < c->n_away) {
        const bool in =
            k == c->n_away ||
            (i < c->n_relays && memcmp(c->relays[i].identity,
                                       c->away[k].identity, SPHINX_ID_LEN) < 0);
        v->known[v->n_known++] =
            in ? standing_of(&c->relays[i], c->epoch) : c->away[k];
        i += in;
        k += !in;
    }
}

static int
known_make(const struct authority *a, struct vote *v)
{
    const struct consensus *c = a->newest;
    const size_t n = c ? c->n_relays + c->n_away : 0;
    v->known = calloc(n ? n : 1, sizeof *v->known);
    if (!v->known)
        return ERR_NOMEM;
    if (!c)
        return 0;
    known_merge(c, v);
    v->days = c->days;
    v->day = consensus_period(c);
    return 0;
}

static int
vote_write(struct authority *a, char **body, size_t *len)
{
    struct vote v = {.epoch = a->target, .params = a->config.params};
    memcpy(v.network, a->network.name, sizeof v.network);
    memcpy(v.author, a->ids[a->self], sizeof v.author);
    int err = known_make(a, &v);
    if (!err)
        err = dealing_make(a, &v);
    if (!err)
        err = listing_texts(&a->listing, a->target, a->newest,
                            VOTE_LEN_MAX - VOTE_HEAD_MAX -
                                VOTE_KNOWN_LEN_MAX * v.n_known,
                            &v.descriptors, &v.n);
    if (!err)
        err = json_write_vote(&v, body, len);
    free(v.known);
    free(v.descriptors); /* the texts are the listing's */
    return err;
}

/* Enter the own vote. It counts once it is kept, and not before: an authority
 * that forgets its vote casts another. */
static int
vote_enter(struct authority *a, const uint8_t *claim, size_t claim_len,
           const uint8_t *vote, size_t len)
{
    uint8_t *kept = malloc(4 + claim_len + len);
    if (!kept)
        return ERR_NOMEM;
    codec_put32(kept, (uint32_t)claim_len);
    memcpy(kept + 4, claim, claim_len);
    memcpy(kept + 4 + claim_len, vote, len);
    int err = rounds_load(&a->rounds, claim, claim_len, vote, len);
    if (!err) {
        err =
            authority_output(a, AUTHORITY_KEEP_VOTE, kept, 4 + claim_len + len);
        if (err)
            rounds_forget(&a->rounds, a->self, a->rounds.author[a->self].n - 1);
    }
    free(kept);
    return err;
}

int
vote_make(struct authority *a)
{
    struct claim c = {.epoch = a->target};
    char *vote = NULL, *body = NULL;
    uint8_t *claim = NULL;
    size_t len = 0, body_len, claim_len;
    int err = vote_write(a, &vote, &len);
    if (!err && len > VOTE_LEN_MAX)
        err = ERR_LONG;
    if (!err) {
        memcpy(c.network, a->network.name, sizeof c.network);
        memcpy(c.author, a->ids[a->self], sizeof c.author);
        crypto_generichash(c.digest, sizeof c.digest, (uint8_t *)vote, len,
                           NULL, 0);
        c.len = (uint32_t)len;
        err = json_write_claim(&c, &body, &body_len);
    }
    if (!err)
        err = authority_sign_body(a, DOCUMENT_CLAIM, body, body_len, &claim,
                                  &claim_len);
    if (!err)
        err = vote_enter(a, claim, claim_len, (uint8_t *)vote, len);
    if (!err) {
        promises_add(&a->promises[PROMISE_VOTE], a->target, NULL);
        /* the vote that was kept binds too, as long as it is there */
        (void)!promises_keep(a);
        err = authority_output(a, AUTHORITY_SEND, claim, claim_len);
    }
    free(claim);
    free(vote);
    return err;
}

int
vote_repeat(struct authority *a)
{
    int err = 0;
    for (size_t k = 0; k < a->rounds.author[a->self].n && !err; k++) {
        uint8_t *claim;
        size_t len;
        if (!a->rounds.author[a->self].claim[k].counted)
            continue;
        err = rounds_write(&a->rounds, a->self, k, NULL, &claim, &len);
        if (err)
            break;
        err = authority_output(a, AUTHORITY_SEND, claim, len);
        free(claim);
    }
    return err;
}

/* ---- all votes ---- */

void
votes_clear(struct authority *a)
{
    for (size_t i = 0; i < a->n_counted; i++)
        vote_free(&a->counted[i].vote);
    free(a->counted);
    a->counted = NULL;
    a->n_counted = 0;
    a->opened = false;
}

/* Read an author's vote, if it is what its claim says. */
static int
vote_read(const struct authority *a, size_t author, struct vote *v)
{
    char where[JSON_WHERE_LEN];
    size_t len;
    const char *text = rounds_result(&a->rounds, author, &len);
    if (!text)
        return ERR_NOT_FOUND;
    int err = json_read_vote(v, (const uint8_t *)text, len, where);
    if (err)
        return err;
    if (strcmp(v->network, a->network.name) != 0 || v->epoch != a->target ||
        memcmp(v->author, a->ids[author], SPHINX_ID_LEN) != 0) {
        vote_free(v);
        return ERR_FOREIGN;
    }
    return 0;
}

int
votes_open(struct authority *a)
{
    const uint64_t at_s = schedule_valid_s(&a->schedule, a->target);
    votes_clear(a);
    a->counted = calloc(a->n, sizeof *a->counted);
    if (!a->counted)
        return ERR_NOMEM;
    a->status.votes = a->status.dealings = 0;
    for (size_t i = 0; i < a->n; i++) {
        struct counted *c = &a->counted[a->n_counted];
        int err = vote_read(a, i, &c->vote);
        if (err == ERR_NOMEM)
            return err;
        if (err) {
            if (err != ERR_NOT_FOUND)
                a->status.refused[-err]++;
            continue;
        }
        c->author = i;
        c->deals = vote_dealing_check(&c->vote,
                                      (const uint8_t(*)[SPHINX_ID_LEN])a->ids,
                                      a->n, at_s, c->context) == 0;
        a->status.dealings += c->deals;
        a->n_counted++;
    }
    a->status.votes = a->n_counted;
    a->opened = true;
    return 0;
}

/* Find what a holder has opened of this dealing. */
static const struct share_opened *
opened_find(const struct authority *a, const struct counted *c, size_t k)
{
    const struct shares *s = a->colleague[c->vote.dealing.at[k] - 1].shares;
    for (size_t i = 0; s && i < s->n; i++)
        if (memcmp(s->entry[i].dealer, c->vote.author, SPHINX_ID_LEN) == 0)
            return &s->entry[i].opened;
    return NULL;
}

/* Look at holders' openings until there are enough for the secret. */
static int
secret_find(struct authority *a, struct counted *c, uint8_t out[static 32])
{
    const struct share_dealing *d = &c->vote.dealing;
    for (size_t k = 0; k < d->n && c->n_opened <= d->degree; k++) {
        const struct share_opened *o =
            c->tried >> k & 1 ? NULL : opened_find(a, c, k);
        if (!o)
            continue;
        c->tried |= 1u << k;
        int err = share_open_check(o, d, k, c->context);
        if (err) {
            a->status.refused[-err]++;
            continue;
        }
        memcpy(c->point[c->n_opened], o->point, SHARE_LEN);
        c->place[c->n_opened++] = k;
    }
    if (c->n_opened <= d->degree)
        return ERR_AGAIN;
    return share_combine(out, d, c->place,
                         (const uint8_t(*)[SHARE_LEN])c->point);
}

int
votes_random(struct authority *a, uint8_t out[static 32])
{
    static const char label[] = "brusio/1 random";
    crypto_generichash_state h;
    uint8_t epoch[4], secret[SHARE_LEN];
    size_t n = 0;
    codec_put32(epoch, a->target);
    crypto_generichash_init(&h, NULL, 0, 32);
    crypto_generichash_update(&h, (const uint8_t *)label, sizeof label - 1);
    crypto_generichash_update(&h, epoch, sizeof epoch);
    for (size_t i = 0; i < a->n_counted; i++) {
        if (!a->counted[i].deals)
            continue;
        int err = secret_find(a, &a->counted[i], secret);
        if (err)
            return err;
        crypto_generichash_update(&h, secret, sizeof secret);
        n++;
    }
    crypto_generichash_final(&h, out, 32);
    /* one of them at least is an honest one's */
    return n > schedule_faults(a->n) ? 0 : ERR_THRESHOLD;
}
