/* tests/bench/bench_directory.c - a consensus and its 7 authorities.
 *
 * Of 1,000 relays, and (N) of as many as there may be, which were all there before,
 * and each of which tells of as many links as there is room for:
 *
 *   directory.list.N          taking descriptors that were opened already
 *   directory.vote.N          making a vote's text of those
 *   directory.read.N          reading one vote
 *   directory.tally.N         from seven votes that were read, of descriptors that
 *                             were opened when they came, to the consensus
 *   directory.consensus.N     from seven votes (JSON) to the consensus (JSON):
 *                             reading, checking dealings, opening, the tally,
 *                             with descriptors that were never seen before
 *   directory.verify.N        judging its signed document, as a client does
 *   directory.apply.N         applying a diff as below
 *   directory.draw.N          drawing 100 routes
 *   directory.diff.ratio      a diff after an epoch, in which 5 % of the relays
 *                             are replaced and all have new packet keys, to the
 *                             whole document, both as they are; .packed: both
 * as they are served, where fresh random keys weigh most
 *
 * Thread CPU time, median of ROUNDS, and in units of one crypto_scalarmult. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "directory/listing.h"
#include "directory/tally.h"
#include "lib/pack.h"
#include "lib/rng_seeded.h"
#include "network/descriptor.h"
#include "network/diff.h"
#include "network/family.h"
#include "network/receive.h"
#include "network/route.h"

enum {
    N = 7,
    FAULTS = 2,
    ROUNDS = 5,
    EPOCH = 5,
    CHURN = 50,
    ROUTES = 100,
    LINKS = 4 /* that each relay tells of: there is room for so many */
};

struct bench {
    struct env env;
    struct rng_seeded rng;
    struct params params;
    uint8_t identity_seed[N][32], ids[N][SPHINX_ID_LEN];
    uint8_t seed[N][32], share_secret[N][SHARE_LEN];
    struct certificate cert[N];
    unsigned relays;
    uint8_t relay_seed[RELAYS_MAX][32];
    struct standing known[RELAYS_MAX]; /* of all relays, sorted by identity */
    char *descriptor[RELAYS_MAX];      /* sorted by text */
    struct descriptor *said;           /* the same, opened */
    char *vote[N];
    size_t vote_len[N];
    struct vote read[N];
    char *body; /* of the consensus */
    size_t body_len;
    uint8_t *document;
    size_t document_len;
    struct listing listing;
    struct consensus *from; /* and a diff from there */
    uint8_t *diff;
    size_t diff_len;
};

static void
must(int err, const char *what)
{
    if (err) {
        fprintf(stderr, "bench_directory: %s: %s\n", what, error_text(err));
        exit(1);
    }
}

static double
cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static void
random_crypto(struct env *env, void *out, size_t len)
{
    (void)env;
    randombytes_buf(out, len);
}

static const struct env_ops ops = {.random_crypto = random_crypto,
                                   .random_traffic = random_crypto};

/* ---- what is measured on ---- */

static int
text_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static uint8_t
role_at(unsigned i)
{
    return i % 10 == 0 ? ROLE_GATEWAY : i % 10 < 8 ? ROLE_MIX : ROLE_STORE;
}

static int
id_order(const void *a, const void *b)
{
    return memcmp(a, b, 32);
}

/* Who there is, and that all were there before. */
static void
relays_draw(struct bench *b)
{
    struct document_key key;
    for (unsigned i = 0; i < b->relays; i++) {
        struct standing *k = &b->known[i];
        rng_seeded_bytes(&b->rng, b->relay_seed[i], 32);
        document_key_direct(&key, b->relay_seed[i]);
        *k = (struct standing){.since = 1, .seen = EPOCH - 1};
        memcpy(k->identity, key.identity, sizeof k->identity);
        k->layer = role_at(i) == ROLE_GATEWAY ? 0
                   : role_at(i) == ROLE_STORE
                       ? (uint8_t)(b->params.layers + 1)
                       : (uint8_t)(1 + i % b->params.layers);
        if (role_at(i) == ROLE_STORE) {
            k->counts = DAYS_COUNTS_ALL;
            rng_seeded_bytes(&b->rng, k->placement, sizeof k->placement);
        }
    }
    qsort(b->known, b->relays, sizeof *b->known, id_order);
}

/* Each relay tells of some others that a third of its loops are lost. */
static void
links_make(struct bench *b, struct descriptor *d)
{
    const size_t step = b->relays / LINKS;
    size_t at = (size_t)(rng_seeded_u64(&b->rng) % step);
    for (; d->n_links < LINKS; at += step) {
        struct link_told *l = &d->links[d->n_links++];
        *l = (struct link_told){.sent = 64, .lost = 24};
        memcpy(l->identity, b->known[at].identity, sizeof l->identity);
    }
}

static void
relay_make(struct bench *b, unsigned i)
{
    struct descriptor d = {.network = "bench", .epoch = EPOCH, .n_keys = 3};
    struct relay_entry *r = &d.relay;
    const uint8_t *seed = b->relay_seed[i];
    uint8_t *bytes;
    struct document_key key;
    size_t len;
    document_key_direct(&key, seed);
    memcpy(r->identity, key.identity, sizeof r->identity);
    r->role = role_at(i);
    r->protocol_min = r->protocol_max = 1;
    r->bandwidth = 1000 + (uint32_t)(rng_seeded_u64(&b->rng) % 20000);
    const uint8_t family_seed[32] = {(uint8_t)(i / 8 + 1), (uint8_t)(i / 2048)};
    if (i % 2) /* half are of families of four */
        family_sign(family_seed, r->identity, r->family, d.family_signature);
    r->n_addresses = 2;
    snprintf(r->addresses[0], ADDRESS_MAX, "198.%u.%u.%u:7100", 18 + i % 2,
             i / 256, i % 256);
    snprintf(r->addresses[1], ADDRESS_MAX, "[2001:db8:%x:%x::1]:7100",
             i * 7 % 65536, i * 13 % 65536);
    for (size_t k = 0; k < 3; k++)
        rng_seeded_bytes(&b->rng, d.keys[k], 32);
    links_make(b, &d);
    must(descriptor_sign(&d, 32, seed, &bytes, &len), "descriptor");
    b->descriptor[i] = malloc(len + 1);
    must(b->descriptor[i] ? 0 : ERR_NOMEM, "descriptor");
    memcpy(b->descriptor[i], bytes, len);
    b->descriptor[i][len] = 0;
    free(bytes);
}

static void
authorities_make(struct bench *b)
{
    struct document_key key;
    for (size_t i = 0; i < N; i++) { /* identities in ascending order */
        rng_seeded_bytes(&b->rng, b->identity_seed[i], 32);
        document_key_direct(&key, b->identity_seed[i]);
        memcpy(b->ids[i], key.identity, 32);
    }
    for (size_t i = 0; i < N; i++)
        for (size_t k = i + 1; k < N; k++)
            if (id_order(b->ids[i], b->ids[k]) > 0) {
                uint8_t x[32];
                memcpy(x, b->ids[i], 32);
                memcpy(b->ids[i], b->ids[k], 32);
                memcpy(b->ids[k], x, 32);
                memcpy(x, b->identity_seed[i], 32);
                memcpy(b->identity_seed[i], b->identity_seed[k], 32);
                memcpy(b->identity_seed[k], x, 32);
            }
    for (size_t i = 0; i < N; i++) {
        rng_seeded_bytes(&b->rng, b->seed[i], 32);
        document_key_direct(&key, b->seed[i]);
        struct certificate *c = &b->cert[i];
        *c = (struct certificate){.until_s = 1ull << 40};
        memcpy(c->key, key.identity, 32);
        share_keypair(c->share_key, b->share_secret[i], b->seed[i]);
        certificate_sign(c, b->identity_seed[i]);
    }
}

static void
vote_make(struct bench *b, size_t i)
{
    static struct vote v;
    uint8_t context[SHARE_CONTEXT_LEN];
    v = (struct vote){.network = "bench",
                      .epoch = EPOCH,
                      .params = b->params,
                      .n = b->relays,
                      .descriptors = b->descriptor,
                      .days = {.n = 9},
                      .n_known = b->relays,
                      .known = b->known,
                      .dealing = {.degree = FAULTS, .n = N}};
    memcpy(v.author, b->ids[i], sizeof v.author);
    for (size_t k = 0; k < N; k++) {
        memcpy(v.holder[k].identity, b->ids[k], SPHINX_ID_LEN);
        v.holder[k].cert = b->cert[k];
        v.dealing.at[k] = (uint8_t)(k + 1);
        memcpy(v.dealing.key[k], b->cert[k].share_key, SHARE_LEN);
    }
    vote_dealing_context(&v, context);
    must(share_deal(&v.dealing, &b->env, context), "dealing");
    must(json_write_vote(&v, &b->vote[i], &b->vote_len[i]), "vote");
}

/* ---- what is measured ---- */

/* Opened by the first holders, checked and put together, as an authority
 * does. */
static void
secret_open(struct bench *b, const struct vote *v, const uint8_t *context,
            crypto_generichash_state *h)
{
    size_t place[FAULTS + 1];
    uint8_t point[FAULTS + 1][SHARE_LEN], secret[SHARE_LEN];
    for (size_t k = 0; k <= FAULTS; k++) {
        struct share_opened o;
        must(share_open(&o, &v->dealing, k, b->share_secret[k], &b->env,
                        context),
             "opening");
        must(share_open_check(&o, &v->dealing, k, context), "opening");
        memcpy(point[k], o.point, SHARE_LEN);
        place[k] = k;
    }
    must(share_combine(secret, &v->dealing, place,
                       (const uint8_t(*)[SHARE_LEN])point),
         "secret");
    crypto_generichash_update(h, secret, sizeof secret);
}

static void
do_read(struct bench *b)
{
    static struct vote v;
    char where[JSON_WHERE_LEN];
    must(json_read_vote(&v, (uint8_t *)b->vote[0], b->vote_len[0], where),
         "vote");
    vote_free(&v);
}

static void
do_tally(struct bench *b)
{
    struct vote *votes[N];
    struct consensus *c;
    for (size_t i = 0; i < N; i++)
        votes[i] = &b->read[i];
    must(tally_votes(&c, votes, N, (const uint8_t(*)[32])b->ids, N, b->seed[0],
                     1800000000,
                     &(struct tally_opened){b->descriptor, b->relays}),
         "tally");
    consensus_free(&c);
}

static void
votes_read(struct bench *b)
{
    char where[JSON_WHERE_LEN];
    for (size_t i = 0; i < N; i++)
        must(json_read_vote(&b->read[i], (uint8_t *)b->vote[i], b->vote_len[i],
                            where),
             "vote");
}

static void
do_consensus(struct bench *b)
{
    static struct vote v[N];
    struct vote *votes[N];
    struct consensus *c;
    char where[JSON_WHERE_LEN];
    uint8_t context[SHARE_CONTEXT_LEN], value[32];
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, sizeof value);
    for (size_t i = 0; i < N; i++) {
        must(
            json_read_vote(&v[i], (uint8_t *)b->vote[i], b->vote_len[i], where),
            "vote");
        must(vote_dealing_check(&v[i], (const uint8_t(*)[SPHINX_ID_LEN])b->ids,
                                N, 1, context),
             "dealing");
        secret_open(b, &v[i], context, &h);
        votes[i] = &v[i];
    }
    crypto_generichash_final(&h, value, sizeof value);
    must(tally_votes(&c, votes, N, (const uint8_t(*)[32])b->ids, N, value,
                     1800000000, &(struct tally_opened){0}),
         "tally");
    free(b->body);
    must(json_write_consensus(c, &b->body, &b->body_len), "consensus");
    consensus_free(&c);
    for (size_t i = 0; i < N; i++)
        vote_free(&v[i]);
}

static void
document_sign_all(struct bench *b, char *body, size_t body_len, uint8_t **out,
                  size_t *len)
{
    struct document *d = calloc(1, sizeof *d);
    must(d ? 0 : ERR_NOMEM, "document");
    d->kind = DOCUMENT_CONSENSUS;
    d->body = (const uint8_t *)body;
    d->body_len = body_len;
    for (size_t i = 0; i < N; i++) {
        struct document_key key = {.seed = b->seed[i], .cert = &b->cert[i]};
        memcpy(key.identity, b->ids[i], sizeof key.identity);
        must(document_sign(d, &key), "signature");
    }
    must(document_write(d, out, len), "document");
    free(d);
}

static struct consensus *
judged(struct bench *b, const uint8_t *document, size_t len)
{
    const struct receive_rules rules = {.network = "bench",
                                        .geometry = &b->params.geometry,
                                        .authorities =
                                            (const uint8_t(*)[32])b->ids,
                                        .n_authorities = N};
    struct consensus *c;
    must(receive_consensus(&c, &rules, document, len, 0, 1800000000),
         "judging");
    return c;
}

static void
do_verify(struct bench *b)
{
    struct consensus *c = judged(b, b->document, b->document_len);
    consensus_free(&c);
}

static void
do_list(struct bench *b)
{
    listing_free(&b->listing);
    for (unsigned i = 0; i < b->relays; i++)
        must(listing_put(&b->listing, &b->said[i],
                         (const uint8_t *)b->descriptor[i],
                         strlen(b->descriptor[i]), EPOCH, 1),
             "listing");
}

static void
do_vote(struct bench *b)
{
    static struct vote v;
    char *text;
    size_t len;
    v = (struct vote){.network = "bench", .epoch = EPOCH, .params = b->params};
    must(listing_texts(&b->listing, EPOCH, NULL, VOTE_LEN_MAX, &v.descriptors,
                       &v.n),
         "listing");
    must(json_write_vote(&v, &text, &len), "vote");
    free(v.descriptors);
    free(text);
}

static void
do_apply(struct bench *b)
{
    uint8_t *document;
    size_t len;
    must(diff_apply(b->from, b->diff, b->diff_len, &document, &len), "diff");
    free(document);
}

static void
do_draw(struct bench *b)
{
    const struct consensus *c = b->from;
    size_t n, n_gateways;
    const uint16_t *gateway = consensus_layer(c, 0, &n_gateways);
    const uint16_t *store = consensus_layer(c, c->params.layers + 1u, &n);
    for (unsigned i = 0; i < ROUTES; i++) {
        struct route r;
        must(route_draw(&r, c, &b->env, gateway[i % n_gateways], store[i % n],
                        true, ROUTE_POLL),
             "route");
    }
}

static int
double_order(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double
x_us(void)
{
    uint8_t out[32], scalar[32], point[32];
    randombytes_buf(scalar, sizeof scalar);
    crypto_scalarmult_base(point, scalar);
    const double start = cpu_us();
    for (int i = 0; i < 200; i++)
        if (crypto_scalarmult(out, scalar, point))
            exit(1);
    return (cpu_us() - start) / 200;
}

static void
time_it(struct bench *b, const char *what_name, void (*what)(struct bench *b))
{
    char name[64];
    snprintf(name, sizeof name, "directory.%s.%u", what_name, b->relays);
    double us[ROUNDS], per_x[ROUNDS];
    for (size_t i = 0; i < ROUNDS; i++) {
        const double x = x_us(), start = cpu_us();
        what(b);
        us[i] = cpu_us() - start;
        per_x[i] = us[i] / x;
    }
    qsort(us, ROUNDS, sizeof *us, double_order);
    qsort(per_x, ROUNDS, sizeof *per_x, double_order);
    printf("%-25s %12.0f %9.0f %9.0f %9.0f\n", name, us[ROUNDS / 2], us[0],
           us[ROUNDS - 1], per_x[ROUNDS / 2]);
    fflush(stdout);
}

/* ---- the diff ---- */

static int
entry_order(const void *a, const void *b)
{
    return memcmp(((const struct relay_entry *)a)->identity,
                  ((const struct relay_entry *)b)->identity, SPHINX_ID_LEN);
}

static double
packed_len(const uint8_t *bytes, size_t len)
{
    uint8_t *packed;
    size_t n;
    must(pack_deflate(bytes, len, &packed, &n), "packing");
    free(packed);
    return (double)n;
}

static void
diff_ratio(struct bench *b)
{
    struct consensus *from = judged(b, b->document, b->document_len);
    struct consensus *to = judged(b, b->document, b->document_len);
    uint8_t *document, *diff;
    size_t len, diff_len;
    char *body;
    for (size_t i = 0; i < b->relays; i++) {
        rng_seeded_bytes(&b->rng, to->relays[i].sphinx_key, 32);
        if (i % (b->relays / CHURN) == 0)
            rng_seeded_bytes(&b->rng, to->relays[i].identity, 32);
    }
    qsort(to->relays, b->relays, sizeof *to->relays, entry_order);
    to->epoch++;
    size_t body_len;
    must(json_write_consensus(to, &body, &body_len), "consensus");
    document_sign_all(b, body, body_len, &document, &len);
    must(diff_make(from, to, document, len, &diff, &diff_len), "diff");
    if (b->relays < RELAYS_MAX) {
        printf("%-25s %12.3f ratio (%zu of %zu octets)\n",
               "directory.diff.ratio", (double)diff_len / (double)len, diff_len,
               len);
        const double a = packed_len(diff, diff_len),
                     c = packed_len(document, len);
        printf("%-25s %12.3f ratio (%.0f of %.0f octets)\n",
               "directory.diff.packed", a / c, a, c);
    }
    free(body);
    free(document);
    consensus_free(&to);
    b->from = from;
    b->diff = diff;
    b->diff_len = diff_len;
}

static void
descriptors_open(struct bench *b)
{
    char where[JSON_WHERE_LEN];
    b->said = calloc(b->relays, sizeof *b->said);
    must(b->said ? 0 : ERR_NOMEM, "descriptors");
    for (unsigned i = 0; i < b->relays; i++)
        must(descriptor_open(&b->said[i], &b->params.geometry,
                             (uint8_t *)b->descriptor[i],
                             strlen(b->descriptor[i]), where),
             "descriptor");
}

static void
bench_run(struct bench *b, unsigned relays)
{
    b->relays = relays;
    relays_draw(b);
    for (unsigned i = 0; i < relays; i++)
        relay_make(b, i);
    qsort(b->descriptor, relays, sizeof *b->descriptor, text_order);
    for (size_t i = 0; i < N; i++)
        vote_make(b, i);
    descriptors_open(b);
    time_it(b, "list", do_list);
    time_it(b, "vote", do_vote);
    votes_read(b);
    time_it(b, "read", do_read);
    time_it(b, "tally", do_tally);
    for (size_t i = 0; i < N; i++)
        vote_free(&b->read[i]);
    time_it(b, "consensus", do_consensus);
    document_sign_all(b, b->body, b->body_len, &b->document, &b->document_len);
    time_it(b, "verify", do_verify);
    diff_ratio(b);
    time_it(b, "apply", do_apply);
    time_it(b, "draw", do_draw);
    for (size_t i = 0; i < relays; i++)
        free(b->descriptor[i]);
    for (size_t i = 0; i < N; i++)
        free(b->vote[i]);
    free(b->said);
    listing_free(&b->listing);
    consensus_free(&b->from);
    free(b->diff);
    free(b->body);
    free(b->document);
    b->body = NULL;
}

int
main(void)
{
    static struct bench b = {.env = {&ops}};
    const char *only = getenv("BENCH_ONLY");
    if (only && strncmp("directory", only, strlen(only)) != 0 &&
        strncmp(only, "directory", 9) != 0)
        return 0;
    if (sodium_init() < 0)
        return 1;
    rng_seeded_init_u64(&b.rng, 1, "bench directory");
    params_default(&b.params, 3600);
    authorities_make(&b);
    bench_run(&b, 1000);
    bench_run(&b, RELAYS_MAX);
    return 0;
}
