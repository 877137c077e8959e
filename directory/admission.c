/* directory/admission.c - which relays an authority knows, and judging them.
 *
 * State: one array of known relays, sorted by identity, of KNOWN_MAX at most;
 * each has a state (drawn in admission.h), the role that it was approved in,
 * and the block and family that it said last. A decision of the operator
 * replaces the state of whoever it names; all decisions are read anew beside
 * the old ones, so that a failure changes nothing.
 *
 * Timers: none. A relay that was let in or waits, and was not seen for
 * ADMISSION_EPOCHS, is forgotten when the next one is judged.
 *
 * Failure modes: too many wait (the newest are told so and not kept); too many
 * are known, or no memory (the relay may ask again, decisions stand as they
 * were); a line that is no decision (counted, and passed over). */
#include "directory/admission.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/blocks.h"
#include "lib/codec.h"
#include "lib/address.h"
#include "network/family.h"

enum { REASON_LEN = 96, KNOWN_MAX = 4 * RELAYS_MAX, HEX_LEN = 64 };

const char *const admission_state_name[] = {
    "unknown", "waiting", "let in", "approved", "rejected", "banned", NULL};
static const char *const role_name[] = {"?", "gateway", "mix", "store"};

struct known_relay {
    uint8_t identity[SPHINX_ID_LEN];
    enum admission_state state;
    uint8_t role;
    uint8_t approved; /* as what; 0: as what it asks to be next */
    bool has_block;
    uint8_t block[BLOCKS_NAME_LEN], family[FAMILY_LEN];
    char address[ADDRESS_MAX], reason[REASON_LEN];
    uint64_t since_s;
    uint32_t epoch;
};

struct admission {
    struct admission_config config;
    struct known_relay *known; /* sorted by identity */
    size_t n, room, waiting;
};

int
admission_new(struct admission **out, const struct admission_config *config)
{
    struct admission *a = calloc(1, sizeof *a);
    *out = a;
    if (!a)
        return ERR_NOMEM;
    a->config = *config;
    return 0;
}

void
admission_free(struct admission **ap)
{
    if (*ap)
        free((*ap)->known);
    free(*ap);
    *ap = NULL;
}

void
admission_configure(struct admission *a, const struct admission_config *config)
{
    a->config = *config;
}

/* Find the place of the relay with this identity, or where it would go. */
static size_t
place_of(const struct admission *a, const uint8_t *identity)
{
    size_t at = 0, end = a->n;
    while (at < end) {
        size_t middle = (at + end) / 2;
        if (memcmp(a->known[middle].identity, identity, SPHINX_ID_LEN) < 0)
            at = middle + 1;
        else
            end = middle;
    }
    return at;
}

static struct known_relay *
known_find(const struct admission *a, const uint8_t *identity)
{
    size_t at = place_of(a, identity);
    return at < a->n &&
                   memcmp(a->known[at].identity, identity, SPHINX_ID_LEN) == 0
               ? &a->known[at]
               : NULL;
}

static int
known_enter(struct admission *a, const uint8_t *identity,
            struct known_relay **out)
{
    *out = known_find(a, identity);
    if (*out)
        return 0;
    if (a->n == KNOWN_MAX)
        return ERR_FULL;
    if (a->n == a->room) {
        size_t room = a->room ? 2 * a->room : 32;
        struct known_relay *more = realloc(a->known, room * sizeof *more);
        if (!more)
            return ERR_NOMEM;
        a->known = more;
        a->room = room;
    }
    size_t at = place_of(a, identity);
    memmove(&a->known[at + 1], &a->known[at], (a->n - at) * sizeof *a->known);
    a->n++;
    a->known[at] = (struct known_relay){0};
    memcpy(a->known[at].identity, identity, SPHINX_ID_LEN);
    *out = &a->known[at];
    return 0;
}

static void
known_drop(struct admission *a, struct known_relay *k)
{
    size_t at = (size_t)(k - a->known);
    a->waiting -= k->state == ADMISSION_WAITS;
    a->n--;
    memmove(k, k + 1, (a->n - at) * sizeof *k);
}

/* Forget the relays that were let in, or wait, and are gone. Nobody has been
 * seen later than now, except by a clock that was wrong. */
static void
known_prune(struct admission *a, uint32_t epoch)
{
    for (size_t i = a->n; i-- > 0;) {
        struct known_relay *k = &a->known[i];
        if (k->epoch > epoch)
            k->epoch = epoch;
        if ((k->state == ADMISSION_LET_IN || k->state == ADMISSION_WAITS) &&
            k->epoch + ADMISSION_EPOCHS < epoch)
            known_drop(a, k);
    }
}

/* Find the block of an address; false: the address has none. */
static bool
block_of(const char *address, uint8_t block[static BLOCKS_NAME_LEN])
{
    struct sockaddr_storage parsed;
    socklen_t len;
    return address_parse(&parsed, &len, address) == 0 &&
           blocks_name(&parsed, block);
}

/* Note what a relay's descriptor says, and the block that the relay says it
 * from. */
static void
known_describe(struct known_relay *k, const struct descriptor *d,
               const struct sockaddr_storage *from, uint32_t epoch)
{
    const struct relay_entry *r = &d->relay;
    uint8_t block[BLOCKS_NAME_LEN] = {0};
    const bool has_block =
        from ? blocks_name(from, block) : block_of(r->addresses[0], block);
    if (k->state == ADMISSION_LET_IN &&
        (has_block != k->has_block ||
         memcmp(block, k->block, sizeof block) != 0 ||
         memcmp(k->family, r->family, sizeof k->family) != 0))
        k->state = ADMISSION_UNKNOWN; /* it has moved */
    k->role = r->role;
    k->epoch = epoch;
    k->has_block = has_block;
    memcpy(k->block, block, sizeof k->block);
    memcpy(k->address, r->addresses[0], sizeof k->address);
    memcpy(k->family, r->family, sizeof k->family);
}

/* Does the relay publish an address of the block that it asks from? */
static bool
is_proven(const struct admission *a, const struct known_relay *k,
          const struct relay_entry *r)
{
    bool same = false, local = a->config.local;
    for (uint8_t i = 0; i < r->n_addresses; i++) {
        uint8_t block[BLOCKS_NAME_LEN];
        same |= k->has_block && block_of(r->addresses[i], block) &&
                memcmp(block, k->block, sizeof block) == 0;
        local &= address_is_loopback(r->addresses[i]);
    }
    return same || local;
}

/* Say why one more relay like k is too many; NULL: it is not. */
static const char *
too_many(const struct admission *a, const struct known_relay *k)
{
    uint32_t block = 0, range = 0, family = 0;
    const size_t range_len = blocks_range_len(k->block);
    for (size_t i = 0; i < a->n; i++) {
        const struct known_relay *o = &a->known[i];
        if (o == k ||
            (o->state != ADMISSION_LET_IN && o->state != ADMISSION_APPROVED))
            continue;
        const bool both = k->has_block && o->has_block;
        block += both && memcmp(k->block, o->block, sizeof k->block) == 0;
        range += both && memcmp(k->block, o->block, range_len) == 0;
        family += family_is_one(k->family, o->family);
    }
    if (a->config.block_max && block >= a->config.block_max)
        return "too many relays of its block of addresses are in already; the "
               "operator of this authority can approve it";
    if (a->config.range_max && range >= a->config.range_max)
        return "too many relays of its provider's range of addresses are in "
               "already; the operator of this authority can approve it";
    if (a->config.family_max && family >= a->config.family_max)
        return "too many relays of its family are in already; the operator of "
               "this authority can approve it";
    return NULL;
}

/* Is there room for k to wait? One block or range cannot take all of the
 * room. */
static bool
may_wait(const struct admission *a, const struct known_relay *k)
{
    const size_t range_len = blocks_range_len(k->block);
    size_t block = 0, range = 0;
    for (size_t i = 0; i < a->n && k->has_block; i++) {
        const struct known_relay *o = &a->known[i];
        const bool both = o->state == ADMISSION_WAITS && o->has_block;
        block += both && memcmp(k->block, o->block, sizeof k->block) == 0;
        range += both && memcmp(k->block, o->block, range_len) == 0;
    }
    return a->waiting < ADMISSION_WAITING_MAX &&
           block < ADMISSION_WAITING_BLOCK_MAX &&
           range < ADMISSION_WAITING_RANGE_MAX;
}

/* Say why the relay is not let in without the operator; NULL: it is let in. */
static const char *
open_judge(const struct admission *a, const struct known_relay *k,
           const struct relay_entry *r, bool kept)
{
    if (a->config.policy != ADMISSION_OPEN)
        return "it waits for the operator of this authority to approve it";
    if (a->config.by_hand >> r->role & 1)
        return "it waits for the operator of this authority to approve it: "
               "gateways or stores are not let in otherwise";
    if (!kept && !is_proven(a, k, r))
        return "it publishes no address of the block that it asks from; the "
               "operator of this authority can approve it";
    return k->state == ADMISSION_LET_IN ? NULL : too_many(a, k);
}

static int
newcomer_judge(struct admission *a, struct known_relay *k,
               const struct relay_entry *r, bool kept, uint64_t now_s,
               char why[static ADMISSION_WHY_LEN])
{
    const char *reason = open_judge(a, k, r, kept);
    if (!reason) {
        if (k->state == ADMISSION_UNKNOWN)
            k->since_s = now_s;
        a->waiting -= k->state == ADMISSION_WAITS;
        k->state = ADMISSION_LET_IN;
        return 0;
    }
    if (k->state != ADMISSION_WAITS && !may_wait(a, k)) {
        reason = "too many relays wait to be approved; try again later";
        known_drop(a, k);
    } else if (k->state != ADMISSION_WAITS) {
        k->state = ADMISSION_WAITS;
        k->since_s = now_s;
        a->waiting++;
    }
    snprintf(why, ADMISSION_WHY_LEN, "%s", reason);
    return ERR_COMMAND;
}

/* May an approved relay be what it asks to be? A mix that is approved could
 * else become a gateway or store that nobody has looked at. */
static int
approved_judge(struct known_relay *k, char why[static ADMISSION_WHY_LEN])
{
    if (k->approved == 0)
        k->approved = k->role;
    if (k->approved == k->role)
        return 0;
    snprintf(why, ADMISSION_WHY_LEN,
             "it was approved as a %s and is a %s now; the operator of this "
             "authority can approve it again",
             role_name[k->approved], role_name[k->role]);
    return ERR_COMMAND;
}

/* Would others reach the relay at the addresses that it names? If not, why says
 * so. */
static bool
is_reachable(const struct admission *a, const struct relay_entry *r,
             char why[static ADMISSION_WHY_LEN])
{
    static const char *const whose[] = {
        [ADDRESS_PRIVATE] = "a private one, which others do not reach",
        [ADDRESS_LOOPBACK] = "its own machine's alone",
        [ADDRESS_NOBODYS] = "nobody's"};
    for (uint8_t i = 0; i < r->n_addresses; i++) {
        const enum address_kind kind = address_kind(r->addresses[i]);
        if (kind <= a->config.kind)
            continue;
        snprintf(why, ADMISSION_WHY_LEN,
                 "its address is %s; set 'addresses' in its relay.conf",
                 whose[kind]);
        return false;
    }
    return true;
}

int
admission_judge(struct admission *a, const struct descriptor *d,
                const struct sockaddr_storage *from, uint32_t epoch,
                uint64_t now_s, char why[static ADMISSION_WHY_LEN])
{
    struct known_relay *k;
    why[0] = 0;
    if (!is_reachable(a, &d->relay, why))
        return ERR_COMMAND;
    known_prune(a, epoch);
    int err = known_enter(a, d->relay.identity, &k);
    if (err)
        return err;
    known_describe(k, d, from, epoch);
    if (k->state == ADMISSION_APPROVED)
        return approved_judge(k, why);
    if (k->state != ADMISSION_REJECTED && k->state != ADMISSION_BANNED)
        return newcomer_judge(a, k, &d->relay, !from, now_s, why);
    snprintf(
        why, ADMISSION_WHY_LEN, "the operator of this authority has %s it%s%s",
        admission_state_name[k->state], k->reason[0] ? ": " : "", k->reason);
    return ERR_COMMAND;
}

/* ---- decisions ---- */

static bool
verb_read(const char *verb, enum admission_state *state)
{
    static const struct {
        const char *verb;
        enum admission_state state;
    } row[] = {{"approve", ADMISSION_APPROVED},
               {"reject", ADMISSION_REJECTED},
               {"ban", ADMISSION_BANNED},
               {"forget", ADMISSION_UNKNOWN}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        if (strcmp(verb, row[i].verb) == 0) {
            *state = row[i].state;
            return true;
        }
    return false;
}

/* Find the role in which a decision of that time approves a relay; an earlier
 * reading of the decisions may know. */
static uint8_t
approved_role(const struct admission *before, const uint8_t *identity,
              uint64_t at_s)
{
    const struct known_relay *k = known_find(before, identity);
    if (!k)
        return 0;
    return k->state == ADMISSION_APPROVED && k->since_s == at_s ? k->approved
                                                                : k->role;
}

static int
line_take(struct admission *a, const struct admission *before, const char *line)
{
    char verb[16], hex[HEX_LEN + 1];
    uint8_t identity[SPHINX_ID_LEN];
    enum admission_state state;
    uint64_t at_s;
    struct known_relay *k;
    int used = 0;
    if (sscanf(line, "%15s %64s %" SCNu64 " %n", verb, hex, &at_s, &used) < 3 ||
        !verb_read(verb, &state) || strlen(hex) != HEX_LEN ||
        codec_unhex(identity, sizeof identity, hex))
        return ERR_FORMAT;
    int err = known_enter(a, identity, &k);
    if (err)
        return err;
    a->waiting -= k->state == ADMISSION_WAITS;
    k->state = state;
    k->since_s = at_s;
    k->approved = approved_role(before, identity, at_s);
    snprintf(k->reason, sizeof k->reason, "%s", used ? line + used : "");
    if (state == ADMISSION_UNKNOWN)
        known_drop(a, k);
    return 0;
}

static int
decisions_take(struct admission *a, const struct admission *before,
               const char *text, size_t *bad)
{
    char line[256];
    for (size_t i = a->n; i-- > 0;)
        if (a->known[i].state > ADMISSION_LET_IN)
            known_drop(a, &a->known[i]);
    while (*text) {
        size_t n = strcspn(text, "\n");
        int err = ERR_FORMAT;
        if (n < sizeof line) {
            memcpy(line, text, n);
            line[n] = 0;
            err = n ? line_take(a, before, line) : 0;
        }
        if (err == ERR_NOMEM || err == ERR_FULL)
            return err;
        *bad += err != 0;
        text += n + (text[n] == '\n');
    }
    return 0;
}

/* The decisions are taken beside what is known, so that nobody is let in for
 * lack of memory whom the operator has banned. */
int
admission_decide(struct admission *a, const char *text, size_t *bad)
{
    struct admission next = *a;
    *bad = 0;
    next.known = calloc(a->room ? a->room : 1, sizeof *next.known);
    if (!next.known)
        return ERR_NOMEM;
    if (a->n > 0)
        memcpy(next.known, a->known, a->n * sizeof *next.known);
    int err = decisions_take(&next, a, text, bad);
    free(err ? next.known : a->known);
    if (!err)
        *a = next;
    return err;
}

int
admission_line(char *out, size_t room, const char *verb, const char *identity,
               uint64_t now_s, const char *reason)
{
    uint8_t id[SPHINX_ID_LEN];
    enum admission_state state;
    if (!verb_read(verb, &state) || strlen(identity) != HEX_LEN ||
        codec_unhex(id, sizeof id, identity) || strpbrk(reason, "\r\n"))
        return ERR_FORMAT;
    int n = snprintf(out, room, "%s %s %" PRIu64 " %s\n", verb, identity, now_s,
                     reason);
    return n > 0 && (size_t)n < room ? 0 : ERR_LONG;
}

/* ---- for people ---- */

size_t
admission_count(const struct admission *a)
{
    return a->n;
}

struct admission_item
admission_item(const struct admission *a, size_t i)
{
    const struct known_relay *k = &a->known[i];
    struct admission_item item = {.state = k->state,
                                  .role = k->role,
                                  .since_s = k->since_s,
                                  .epoch = k->epoch,
                                  .reason = k->reason};
    memcpy(item.identity, k->identity, sizeof item.identity);
    memcpy(item.address, k->address, sizeof item.address);
    return item;
}

bool
admission_find(const struct admission *a,
               const uint8_t identity[static SPHINX_ID_LEN],
               struct admission_item *out)
{
    const struct known_relay *k = known_find(a, identity);
    if (k)
        *out = admission_item(a, (size_t)(k - a->known));
    return k != NULL;
}

void
admission_write_waiting(const struct admission *a, FILE *to)
{
    for (size_t i = 0; i < a->n; i++) {
        const struct known_relay *k = &a->known[i];
        char hex[HEX_LEN + 1];
        if (k->state != ADMISSION_WAITS)
            continue;
        codec_hex(hex, k->identity, sizeof k->identity);
        fprintf(to, "%s %s %s %" PRIu64 "\n", hex,
                role_name[k->role <= ROLE_STORE ? k->role : 0], k->address,
                k->since_s);
    }
}
