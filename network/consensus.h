/* network/consensus.h - the network as everybody agrees on it for one epoch.
 *
 * The structures in memory. Their canonical JSON is in network/document.h.
 * Relays are numbered by their place in the consensus: that number is the
 * "next relay" of a packet's block. */
#ifndef NETWORK_CONSENSUS_H
#define NETWORK_CONSENSUS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/env.h"
#include "lib/error.h"
#include "lib/wire.h"
#include "network/certificate.h"
#include "network/days.h"
#include "sphinx/sphinx.h"

enum {
    NETWORK_NAME_MAX = 32, /* with the final 0 */
    PROFILE_NAME_MAX = 16,
    PROFILES_MAX = 8,
    LAYERS_MAX = 6,    /* mix layers */
    ADDRESSES_MAX = 4, /* of one relay */
    ADDRESS_MAX = 64,  /* "192.0.2.1:7100", "[2001:db8::1]:7100" */
    AUTHORITIES_MAX = 16,
    RELAYS_MAX = 16384,
    KEYS_AHEAD = 3,    /* epochs whose keys a descriptor carries */
    EPOCHS_USABLE = 3, /* a consensus stays usable for */
    PLACEMENT_LEN = 32,
    CUT_MAX = 8192, /* links that a consensus takes away */
    BOARDS_MAX = WIRE_BOARDS,
    FAMILY_LEN = 32 /* all zero: no family */
};

_Static_assert((int)CERTIFICATES_MAX == AUTHORITIES_MAX,
               "a certificate of each");

enum relay_role { ROLE_GATEWAY = 1, ROLE_MIX = 2, ROLE_STORE = 3 };

/* Rates of one kind of client, in packets per 1,000 s. Clients send at these
 * rates whatever the load is (I2). */
struct profile {
    char name[PROFILE_NAME_MAX];
    uint32_t send_mhz;
    uint32_t poll_mhz;
    uint32_t loop_mhz;
    uint32_t down_interval_us; /* of the gateway's downlink clock */
};

/* For whom polls are, the same for all clients; client/pace/fronts.h explains
 * each field. */
struct conversation_params {
    uint8_t fronts;             /* 1 or 2 */
    uint8_t front, lane, sweep; /* of 64 polls; `front` is each front's */
    uint8_t spare_of;           /* one poll of so many: a box's second store */
    uint8_t older_of;           /* one of a front's: yesterday's period */
    uint32_t hold_min_s, hold_max_s; /* after the user's last letter */
    uint32_t sweep_mean_s;           /* between two turns of one contact */
    uint32_t script_every_s;         /* one script more, of 6, each so long */
    uint32_t look_s; /* after connecting half the fronts' polls are looks */
    uint32_t ack_s, ack_noise_s; /* from the commit; mean of what is added */
};

/* All that is the same for the whole network. The names of times say their
 * unit. */
struct params {
    uint32_t epoch_len_s;
    uint8_t layers; /* mix layers L */
    struct sphinx_geometry geometry;
    uint8_t mix_strategy; /* enum mix_strategy; relay/mix.h */
    uint32_t mix_interval_us;
    uint32_t mix_threshold, mix_keep;
    uint16_t mix_permille;
    uint32_t delay_mean_us;      /* at the gateway and at each mix */
    uint32_t poll_delay_mean_us; /* outward, over all mixes together */
    uint32_t store_delay_fixed_us;
    uint32_t store_delay_mean_us;
    uint32_t deadline_unit_s;    /* 1 */
    uint32_t deadline_slack_s;   /* 20: a packet may be late by, at least */
    uint32_t deadline_spread_s;  /* 60: and by a random time up to this more */
    uint32_t deadline_back_s;    /* 5: an answer may be late by, at a mix */
    uint32_t delay_max_us;       /* 16,000,000: of a hop; refused when longer */
    uint32_t store_delay_max_us; /* 3,000,000 */
    uint32_t deadline_ahead_s;   /* 100: refused when further ahead */
    uint32_t key_grace_s;        /* 100: a key lives until e+3 plus this */
    uint32_t switch_window_s;    /* clients move over within this */
    uint32_t piece_interval_us;  /* of documents on client links */
    uint32_t relay_loop_mhz;     /* a relay's own loops, per 1,000 s */
    uint32_t period_s;           /* of box ids; 86,400 */
    uint16_t letter_days;        /* letters expire after */
    uint16_t store_trial_epochs; /* a new store may count after; 24 */
    uint32_t newcomer_permille;  /* of a role, in a period; 100 */
    uint8_t work_bits;         /* of opening a box (network/work.h); 0: none */
    uint8_t boards;            /* at most so many; 0: none announces anything */
    uint32_t list_interval_ms; /* each board lists once in */
    uint16_t list_entries;     /* of each list, whatever came */
    uint8_t announce_bits;     /* of work, of an announcement; 0: none */
    struct conversation_params conversations;
    uint8_t n_profiles;
    struct profile profiles[PROFILES_MAX];
};

struct relay_entry {
    uint8_t identity[SPHINX_ID_LEN]; /* Ed25519; also the TLS pin */
    uint8_t role;                    /* enum relay_role */
    uint8_t layer; /* 0 gateway, 1..L mix, L+1 store: the edges follow */
    uint8_t n_addresses;
    uint16_t protocol_min, protocol_max;
    uint32_t bandwidth; /* packets per second it offers */
    uint32_t since;     /* the epoch it came in; 0: with the first consensus */
    uint16_t counts;    /* stores: for which days, as days_counts() has it */
    uint8_t family[FAMILY_LEN];
    uint8_t placement[PLACEMENT_LEN]; /* stores: drawn by the authorities */
    uint8_t sphinx_key[SPHINX_PUBLIC_MAX]; /* geometry.public_len used */
    char addresses[ADDRESSES_MAX][ADDRESS_MAX];
    bool out; /* left out; consensus_index() says so */
};

/* Where a relay stands, or, of a relay that is away, where it stood. */
struct standing {
    uint8_t identity[SPHINX_ID_LEN];
    uint8_t layer;
    uint8_t placement[PLACEMENT_LEN]; /* stores; else zeros */
    uint32_t since;                   /* as in its entry */
    uint16_t counts;
    uint32_t seen; /* the last epoch in which it was in */
};

/* A relay that no client's packet goes to, since the relay disagrees with so
 * many of its neighbours. The relay keeps its number, its key and its links:
 * others send loops by way of it, and so find out when it can be used again. */
struct left_out {
    uint8_t identity[SPHINX_ID_LEN];
    uint16_t cut_permille; /* of its neighbours */
};

/* A link that is not used, since its two relays disagree about what goes over
 * it; the numbers of these relays, a < b. */
struct cut_link {
    uint16_t a, b;
};

/* The stores that list what has been announced: numbers of relays, by their
 * index. */
struct board_set {
    uint8_t n;
    uint16_t relay[BOARDS_MAX];
};

struct consensus {
    char network[NETWORK_NAME_MAX];
    uint32_t epoch;
    uint64_t valid_after_s;
    uint8_t shared_random[32];
    uint8_t work_challenge[16];
    struct days days; /* its newest is of consensus_period() */
    struct params params;
    size_t n_relays;
    struct relay_entry *relays;       /* owned; sorted by identity */
    struct certificates certificates; /* the newest of its authorities */
    size_t n_left_out;
    struct left_out *left_out; /* owned; sorted by identity */
    size_t n_cut;
    struct cut_link *cut; /* owned; sorted, none twice */
    size_t n_away;
    struct standing *away; /* were in, of late; owned; sorted by identity */
    uint16_t *by_layer;    /* owned; numbers of relays that are not left out,
                              sorted by layer */
    size_t layer_start[LAYERS_MAX + 3]; /* into by_layer */
    struct board_set boards;            /* consensus_index() draws them */
    uint8_t digest[SPHINX_DIGEST_LEN];  /* BLAKE2b-256 of the signed body */
};

/* Fill *p with the defaults (doc/PARAMETERS.md) for epochs of epoch_len_s;
 * deadlines and windows are scaled down when an epoch is shorter than an hour.
 */
void params_default(struct params *p, uint32_t epoch_len_s);

/* Judge whether the values of p go together, which no range of one value tells:
 * hops for all layers, polls that sum up to 64, times in their order, room for
 * lists in frames and slices. Returns 0, or ERR_RANGE with the name of a value
 * that does not fit in *where. */
int params_check(const struct params *p, const char **where) CHECK_RESULT;

/* Return the profile called name, or NULL. */
const struct profile *params_profile(const struct params *p, const char *name);

enum { PARAMS_WINDOW_MAX = 64 };

/* Tell how many frames of a client's link, which has frames_mhz frames per
 * 1,000 s, may be under way at once: two, and those that come in a quarter of a
 * second, which a round trip seldom exceeds. */
uint32_t params_window(uint64_t frames_mhz);

/* Return the number of layers, gateways and stores included: L + 2. */
static inline unsigned
consensus_layers(const struct consensus *c)
{
    return c->params.layers + 2u;
}

/* Return the relays of layer that are not left out: a pointer into c->by_layer,
 * their count in *n. */
const uint16_t *consensus_layer(const struct consensus *c, unsigned layer,
                                size_t *n);

/* Return the number of the relay with this identity, or -1. */
int consensus_find(const struct consensus *c,
                   const uint8_t identity[static SPHINX_ID_LEN]);

/* Return the share of its links, in permille, for which the relay with this
 * identity was left out; 0 when it was not. */
uint16_t consensus_left_out(const struct consensus *c,
                            const uint8_t identity[static SPHINX_ID_LEN]);

/* Tell whether a relay of layer `from` may send to a relay of layer `to`:
 * gateway -> 1 -> .. -> L -> store, store -> 1, L -> gateway. */
bool consensus_has_edge(const struct consensus *c, unsigned from, unsigned to);

/* Tell whether the link between relays a and b, in either direction, is cut. */
bool consensus_is_cut(const struct consensus *c, uint16_t a, uint16_t b);

/* Build by_layer, layer_start and boards of c from its relays, cut, left_out
 * and shared_random; whoever fills a consensus calls this. Returns 0; ERR_RANGE
 * (a relay's layer; too many relays or cut links; a cut link that is none or
 * out of order; a relay left out that is not there), ERR_NOMEM: by_layer is
 * then as it was. */
int consensus_index(struct consensus *c) CHECK_RESULT;

/* Fill *view with what making packets under c takes. */
void consensus_view(const struct consensus *c, struct sphinx_view *view);

/* Return for how many epochs at most a relay that is away keeps its standing:
 * as long as letters live that the relay may have. */
uint32_t consensus_away_max(const struct params *p);

/* Return the period in which c begins. */
uint32_t consensus_period(const struct consensus *c);

/* Find the stores of box in `period`. The order is that of network/placement.h
 * by the value of the period before: first the stores that count for that
 * period, then all others. The first store is *primary, the second *fallback
 * (UINT16_MAX when there is only one). Returns 0, or ERR_NOT_FOUND when c has
 * no store. */
int consensus_store_of(const struct consensus *c, uint32_t period,
                       const uint8_t box[static 32], uint16_t *primary,
                       uint16_t *fallback) CHECK_RESULT;

/* Tell whether a and b are one relay, or of one family. */
bool consensus_are_related(const struct consensus *c, uint16_t a, uint16_t b);

/* Tell whether c has ended by now_s (EPOCHS_USABLE epochs after valid-after).
 */
bool consensus_is_expired(const struct consensus *c, uint64_t now_s);

/* Judge whether the time can be now_s while c is the newest consensus. Returns
 * 0, ERR_EXPIRED, or ERR_FUTURE when c begins more than two epochs after now_s.
 */
int consensus_judge_time(const struct consensus *c,
                         uint64_t now_s) CHECK_RESULT;

/* Return now_s as far as c bears that time out: not before c begins, nor after
 * c ends. */
uint64_t consensus_bound_time(const struct consensus *c, uint64_t now_s);

/* Find the newest of n consensuses (NULL: none there; in any order) that is in
 * force at now_us, microseconds since 1970: begun and not expired. Sets
 * *before, unless NULL, to the next older one in force. Each is NULL when there
 * is none. */
const struct consensus *consensus_in_force(const struct consensus *const *c,
                                           size_t n, uint64_t now_us,
                                           const struct consensus **before);

/* Draw the consensus of a packet that is sent at now_us, microseconds since
 * 1970, from the n of c, as consensus_in_force() has them: the newest in force,
 * or within its params.switch_window_s the one before, with odds that fall with
 * the time elapsed. Every sender draws so for every packet, so that no moment
 * at which a sender changes ties its packets together. NULL when none is in
 * force. */
const struct consensus *consensus_draw(const struct consensus *const *c,
                                       size_t n, struct env *env,
                                       uint64_t now_us);

/* Return the time that has come beyond doubt, for what cannot be undone: by the
 * clock, which says now_s, and by `need` (1 or 2) consensuses of different
 * epochs among the n of c, some of which may be NULL. Returns 0 when there are
 * fewer. */
uint64_t consensus_past_s(const struct consensus *const *c, size_t n,
                          size_t need, uint64_t now_s);

/* Free *c, which may be NULL, with all that it owns, and set it to NULL. */
void consensus_free(struct consensus **c);
#endif
