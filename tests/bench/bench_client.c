/* tests/bench/bench_client.c - what an idle client costs, by its contacts.
 *
 *   client.idle_N.per_packet  all that a client of the default profile with N
 *                             contacts does between two packets that it sends: its
 *                             ticks, what comes down, lists, and its share of work.
 *                             Nobody writes; a packet is on its way every 0.15 s
 *   client.work.per_hour      of which the work: for its announcements to itself,
 *                             and for the boxes of their letters
 *   client.letter.seal        one letter of 1,232 bytes of a session, full, the next of
 *   client.letter.open        its chain
 *   client.letter.seal_step   the first letter of a new key: the key itself is drawn
 *   client.letter.open_step   when one of the other's is opened
 *   client.ratchet.kem        all that a share of ML-KEM-768 computes, on both sides;
 *                             where no library has that, there is no such line
 *
 * One client in virtual time (sim/engine/world.h), counted alone: the calls by
 * which its host enters it are timed, __wrap_* by the linker. Contacts are
 * invitations of its own that count as taken up; nobody answers.
 *
 * Thread CPU time in microseconds, median, least and most of ROUNDS parts of the
 * course, and in units of one crypto_scalarmult timed beside it. usage:
 * bench_client; BENCH_ONLY; under callgrind, which counts instructions instead:
 * valgrind --tool=callgrind --instr-atstart=no --collect-atstart=no bench_client OUT
 * CONTACTS SECONDS. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/announce.h"
#include "client/client.h"
#include "client/letters/session.h"
#include "client/state.h"
#include "network/work.h"
#include "sim/engine/world.h"

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_STOP_INSTRUMENTATION
#define CALLGRIND_TOGGLE_COLLECT
#endif

enum { ROUNDS = 7, ROUND_S = 30, SETTLE_S = 90, MAX = 64, HASHES = 200000 };

/* The client that is timed; others are not. */
static struct {
    const struct client *client;
    uint64_t ns;
} timed;

static void
must(int err, const char *what)
{
    if (err) {
        fprintf(stderr, "bench_client: %s: %s\n", what, error_text(err));
        exit(1);
    }
}

static uint64_t
cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* ---- the calls that are timed ---- */

static uint64_t
timed_begin(const struct client *c)
{
    if (c != timed.client)
        return 0;
    CALLGRIND_TOGGLE_COLLECT;
    return cpu_ns();
}

static void
timed_end(const struct client *c, uint64_t start_ns)
{
    if (c != timed.client)
        return;
    timed.ns += cpu_ns() - start_ns;
    CALLGRIND_TOGGLE_COLLECT;
}

void __real_client_tick(struct client *c);
void __wrap_client_tick(struct client *c);
void __real_client_frames(struct client *c, uint8_t *frames, size_t n,
                          size_t len);
void __wrap_client_frames(struct client *c, uint8_t *frames, size_t n,
                          size_t len);

void
__wrap_client_tick(struct client *c)
{
    const uint64_t start_ns = timed_begin(c);
    __real_client_tick(c);
    timed_end(c, start_ns);
}

void
__wrap_client_frames(struct client *c, uint8_t *frames, size_t n, size_t len)
{
    const uint64_t start_ns = timed_begin(c);
    __real_client_frames(c, frames, n, len);
    timed_end(c, start_ns);
}

/* ---- a world with one client ---- */

static const uint32_t widths[] = {2, 2, 2};

static struct world *
world_make(unsigned contacts, struct world_client **out)
{
    struct sim_world_plan plan;
    struct world *w;
    char name[16], text[INVITE_TEXT_LEN];
    sim_world_plan_default(&plan);
    plan.net.suite = SPHINX_SUITE_X25519;
    plan.net.gateways = 2;
    plan.net.stores = 5;
    plan.net.widths = widths;
    plan.net.params.layers = 3;
    plan.net.params.announce_bits = 0; /* counted apart */
    must(sim_world_new(&w, &plan), "the world");
    must(sim_client_add(w, "default", 0, out), "the client");
    must(sim_world_run(w, SETTLE_S), "a start");
    for (unsigned i = 0; i < contacts; i++) {
        snprintf(name, sizeof name, "c%u", i);
        must(client_invite((*out)->client, name, text), "an invitation");
    }
    for (struct conversation *v = (*out)->client->conversations; v; v = v->next)
        v->confirmed = true;
    must(sim_world_run(w, SETTLE_S), "looks at contacts");
    return w;
}

static uint64_t
packets(const struct world_client *k)
{
    struct client_status status;
    client_status(k->client, &status);
    return status.requests;
}

/* What the client does in so many seconds, for each packet sent. */
static double
round_us(struct world *w, const struct world_client *k, double seconds)
{
    const uint64_t before = packets(k);
    timed.client = k->client;
    timed.ns = 0;
    must(sim_world_run(w, seconds), "a round");
    timed.client = NULL;
    const uint64_t sent = packets(k) - before;
    must(sent > 0 ? 0 : ERR_SYSTEM, "no packet was sent");
    return (double)timed.ns * 1e-3 / (double)sent;
}

/* ---- work ---- */

static double
hash_us(void)
{
    struct work_task task = {.store = {1}};
    uint8_t nonce[WORK_NONCE_LEN] = {0};
    const uint64_t start_ns = cpu_ns();
    (void)work_search(&task, 8 * sizeof task.store, HASHES, nonce);
    return (double)(cpu_ns() - start_ns) * 1e-3 / HASHES;
}

/* Hashes in an hour of an idle client: each announcement to itself has a token, and
 * a letter, of which the first in each box has to open it. */
static double
hashes_per_hour(void)
{
    struct params p;
    params_default(&p, 3600);
    return 3600e6 / (double)ANNOUNCE_SELF_US *
           ((double)(1U << p.announce_bits) +
            (double)(1U << p.work_bits) / LETTER_SLOTS);
}

/* ---- figures ---- */

struct figures {
    double us[ROUNDS], per_x[ROUNDS];
};

static double
scalarmult_us(void)
{
    enum { TIMES = 500 };
    uint8_t out[32], n[32] = {8}, p[32];
    crypto_scalarmult_base(p, n);
    const uint64_t start_ns = cpu_ns();
    for (int i = 0; i < TIMES; i++)
        must(crypto_scalarmult(out, n, p), "crypto_scalarmult");
    return (double)(cpu_ns() - start_ns) * 1e-3 / TIMES;
}

static int
by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void
line_print(const char *name, struct figures *f)
{
    qsort(f->us, ROUNDS, sizeof f->us[0], by_size);
    qsort(f->per_x, ROUNDS, sizeof f->per_x[0], by_size);
    printf("%-28s %9.2f %9.2f %9.2f %7.3f\n", name, f->us[ROUNDS / 2], f->us[0],
           f->us[ROUNDS - 1], f->per_x[ROUNDS / 2]);
}

static bool
wanted(const char *name)
{
    const char *only = getenv("BENCH_ONLY");
    return !only || strncmp(name, only, strlen(only)) == 0;
}

static void
idle_print(unsigned contacts)
{
    struct world_client *k;
    struct figures f;
    char name[MAX];
    snprintf(name, sizeof name, "client.idle_%u.per_packet", contacts);
    if (!wanted(name))
        return;
    struct world *w = world_make(contacts, &k);
    for (int i = 0; i < ROUNDS; i++) {
        const uint64_t before = packets(k);
        const double x_us = scalarmult_us();
        f.us[i] = round_us(w, k, ROUND_S);
        const double per_hour = (double)(packets(k) - before) * 3600 / ROUND_S;
        f.us[i] += hash_us() * hashes_per_hour() / per_hour;
        f.per_x[i] = f.us[i] / x_us;
    }
    line_print(name, &f);
    sim_world_free(&w);
}

static void
work_print(void)
{
    struct figures f;
    if (!wanted("client.work.per_hour"))
        return;
    for (int i = 0; i < ROUNDS; i++) {
        const double x_us = scalarmult_us();
        f.us[i] = hash_us() * hashes_per_hour();
        f.per_x[i] = f.us[i] / x_us;
    }
    line_print("client.work.per_hour", &f);
}

/* ---- letters ---- */

enum { LETTERS = 400, LETTER_BYTES = 1232 };
enum { SEAL, OPEN, SEAL_STEP, OPEN_STEP, LETTER_FIGURES };
static const char *const letter_names[LETTER_FIGURES] = {
    "client.letter.seal", "client.letter.open", "client.letter.seal_step",
    "client.letter.open_step"};

static bool
no_key(void *ctx, uint32_t generation, uint32_t step, uint32_t n,
       uint8_t key[static LETTER_KEY_LEN])
{
    (void)ctx;
    (void)generation;
    (void)step;
    (void)n;
    (void)key;
    return false;
}

static const uint8_t letter_chain[LETTER_CHAIN_LEN] = {1};

static void
letter_seal_full(struct session *s, uint32_t n, uint8_t *out)
{
    static const uint8_t data[LETTER_BYTES];
    struct letter l = {.kind = LETTER_TEXT, .sequence = 1, .count = 1};
    l.data = data;
    l.total = (uint32_t)letter_data_max(LETTER_BYTES);
    l.data_len = (uint16_t)l.total;
    must(session_seal(s, &l, letter_chain, (struct letter_place){1, n}, out,
                      LETTER_BYTES),
         "session_seal");
}

/* Open a letter, with a fresh secret as the client draws it. */
static void
letter_open_full(struct session *s, uint32_t n, uint8_t *letter)
{
    struct session_step step;
    uint8_t fresh[RATCHET_KEY_LEN], fresh_share[MLKEM_SEED_LEN];
    const struct session_context context = {.latest = UINT32_MAX,
                                            .fresh = fresh,
                                            .fresh_share = fresh_share,
                                            .kept = no_key};
    randombytes_buf(fresh, sizeof fresh);
    randombytes_buf(fresh_share, sizeof fresh_share);
    must(session_open(s, letter_chain, (struct letter_place){1, n}, &context,
                      letter, LETTER_BYTES, &step),
         "session_open");
    must(step.verdict == SESSION_READ ? 0 : ERR_MAC, "a letter");
    *s = step.next;
}

/* A pair in which both have read a letter. */
static void
pair_begin(struct session s[2])
{
    uint8_t seed[32], own[2][32], key[32], out[LETTER_BYTES];
    uint8_t share[MLKEM_SEED_LEN];
    randombytes_buf(seed, sizeof seed);
    randombytes_buf(own, sizeof own);
    randombytes_buf(share, sizeof share);
    crypto_scalarmult_base(key, own[0]);
    session_invite(&s[0], seed, 1, own[0]);
    must(session_accept(&s[1], seed, key, own[1], share), "session_accept");
    for (unsigned i = 0; i < 2; i++) {
        letter_seal_full(&s[!i], i, out);
        letter_open_full(&s[i], i, out);
    }
}

static void
letters_round(double us[static LETTER_FIGURES])
{
    static uint8_t out[LETTERS][LETTER_BYTES];
    struct session s[2];
    uint64_t ns[LETTER_FIGURES] = {0}, start_ns;
    pair_begin(s);
    start_ns = cpu_ns();
    for (uint32_t i = 0; i < LETTERS; i++)
        letter_seal_full(&s[0], i, out[i]);
    ns[SEAL] = cpu_ns() - start_ns;
    start_ns = cpu_ns();
    for (uint32_t i = 0; i < LETTERS; i++)
        letter_open_full(&s[1], i, out[i]);
    ns[OPEN] = cpu_ns() - start_ns;
    for (uint32_t i = 0; i < LETTERS; i++) { /* each answers the one before */
        start_ns = cpu_ns();
        letter_seal_full(&s[i % 2 == 0], i, out[0]);
        ns[SEAL_STEP] += cpu_ns() - start_ns;
        start_ns = cpu_ns();
        letter_open_full(&s[i % 2], i, out[0]);
        ns[OPEN_STEP] += cpu_ns() - start_ns;
    }
    for (unsigned k = 0; k < LETTER_FIGURES; k++)
        us[k] = (double)ns[k] * 1e-3 / LETTERS;
}

static void
letters_print(void)
{
    struct figures f[LETTER_FIGURES];
    bool any = false;
    for (unsigned k = 0; k < LETTER_FIGURES; k++)
        any = any || wanted(letter_names[k]);
    for (int i = 0; any && i < ROUNDS; i++) {
        double us[LETTER_FIGURES];
        const double x_us = scalarmult_us();
        letters_round(us);
        for (unsigned k = 0; k < LETTER_FIGURES; k++) {
            f[k].us[i] = us[k];
            f[k].per_x[i] = us[k] / x_us;
        }
    }
    for (unsigned k = 0; k < LETTER_FIGURES; k++)
        if (wanted(letter_names[k]))
            line_print(letter_names[k], &f[k]);
}

/* A key, its public half, a ciphertext for it, and the share of that. */
static void
share_make(const struct mlkem *kem, const uint8_t seed[static MLKEM_SEED_LEN])
{
    uint8_t key[MLKEM_PUBLIC_LEN], ciphertext[MLKEM_CIPHERTEXT_LEN];
    uint8_t share[MLKEM_SHARE_LEN];
    void *pair;
    must(kem->key_new(&pair, seed), "a key");
    must(kem->key_public(pair, key), "a key");
    must(kem->encapsulate(key, seed, ciphertext, share), "a ciphertext");
    must(kem->decapsulate(pair, ciphertext, share), "a share");
    kem->key_free(pair);
}

static void
shares_print(void)
{
    static const char name[] = "client.ratchet.kem";
    enum { SHARES = 50 };
    const struct mlkem *kem = mlkem_find();
    struct figures f;
    if (!kem || !wanted(name))
        return;
    for (int i = 0; i < ROUNDS; i++) {
        uint8_t seed[MLKEM_SEED_LEN];
        const double x_us = scalarmult_us();
        randombytes_buf(seed, sizeof seed);
        const uint64_t start_ns = cpu_ns();
        for (unsigned k = 0; k < SHARES; k++)
            share_make(kem, seed);
        f.us[i] = (double)(cpu_ns() - start_ns) * 1e-3 / SHARES;
        f.per_x[i] = f.us[i] / x_us;
    }
    line_print(name, &f);
}

/* For callgrind: a course of so many seconds, and how many packets were sent. */
static void
course(unsigned contacts, double seconds)
{
    struct world_client *k;
    struct world *w = world_make(contacts, &k);
    const uint64_t before = packets(k);
    timed.client = k->client;
    CALLGRIND_START_INSTRUMENTATION;
    must(sim_world_run(w, seconds), "a course");
    CALLGRIND_STOP_INSTRUMENTATION;
    timed.client = NULL;
    printf("packets %llu of %llu\n", (unsigned long long)(packets(k) - before),
           (unsigned long long)packets(k));
    sim_world_free(&w);
}

int
main(int argc, char **argv)
{
    must(sodium_init() >= 0 ? 0 : ERR_SYSTEM, "sodium_init");
    if (argc == 4) {
        course((unsigned)strtoul(argv[2], NULL, 10), strtod(argv[3], NULL));
        return 0;
    }
    idle_print(1);
    idle_print(50);
    idle_print(500);
    work_print();
    letters_print();
    shares_print();
    return 0;
}
