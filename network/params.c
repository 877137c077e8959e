/* network/params.c - what a network sets when nobody says otherwise, and what
 * goes together. No state. */
#include <string.h>

#include "network/consensus.h"
#include "network/downlink.h"
#include "network/list.h"

enum { POLLS_ODDS = 64 }; /* the places of polls are drawn of so many */

/* Make a profile of these rates per 1,000 s. The downlink runs 1.5 times as
 * fast as the clock of the client, so that the gateway's queue stays short, or
 * as fast as lists need. */
static struct profile
profile_make(const char *name, uint32_t send_mhz, uint32_t poll_mhz,
             uint32_t loop_mhz)
{
    struct profile p = {
        .send_mhz = send_mhz, .poll_mhz = poll_mhz, .loop_mhz = loop_mhz};
    uint64_t sum_mhz = (uint64_t)send_mhz + poll_mhz + loop_mhz;
    p.down_interval_us = (uint32_t)(2000000000ULL / 3 / sum_mhz);
    strncpy(p.name, name, sizeof p.name - 1);
    return p;
}

static uint32_t
at_least(uint32_t value, uint32_t least)
{
    return value > least ? value : least;
}

void
params_default(struct params *p, uint32_t epoch_len_s)
{
    *p = (struct params){
        .epoch_len_s = epoch_len_s,
        .layers = 3,
        .mix_strategy = 1,
        .mix_interval_us = 1000000,
        .mix_threshold = 100,
        .mix_keep = 100,
        .mix_permille = 600,
        .delay_mean_us = 100000,
        .poll_delay_mean_us = 2000000,
        .store_delay_fixed_us = 200000,
        .store_delay_mean_us = 100000,
        .deadline_unit_s = 1,
        .deadline_slack_s = 20,
        .deadline_spread_s = 60,
        .deadline_back_s = 5,
        .deadline_ahead_s = 100,
        .delay_max_us = 16000000,
        .store_delay_max_us = 3000000,
        .key_grace_s = 100,
        .switch_window_s = 300,
        .piece_interval_us = 50000,
        .relay_loop_mhz = 500,
        .period_s = 86400,
        .letter_days = 7,
        .store_trial_epochs = 24,
        .newcomer_permille = 100,
        .work_bits = 20,
        .boards = BOARDS_MAX,
        .list_interval_ms = 2000,
        .list_entries = 40,
        .announce_bits = 16,
        .conversations = {.fronts = 2,
                          .front = 25,
                          .lane = 11,
                          .sweep = 3,
                          .spare_of = 16,
                          .older_of = 16,
                          .hold_min_s = 300,
                          .hold_max_s = 1200,
                          .sweep_mean_s = 3600,
                          .script_every_s = 100,
                          .look_s = 60,
                          .ack_s = 20,
                          .ack_noise_s = 20},
        .n_profiles = 3,
    };
    sphinx_geometry_default(&p->geometry);
    p->profiles[0] = profile_make("default", 2000, 4000, 500);
    p->profiles[1] = profile_make("light", 500, 750, 125);
    p->profiles[2] = profile_make("fast", 20000, 25000, 500);
    downlink_fit(p);
    if (epoch_len_s < 3600) {
        /* Short epochs: the slack still has to cover what a slow machine adds
         * to a poll's way, whose delays the deadline counts already. */
        p->deadline_slack_s = at_least(epoch_len_s / 180, 12);
        p->deadline_spread_s = at_least(epoch_len_s / 60, 12);
        p->deadline_back_s = 12;
        p->deadline_ahead_s = p->deadline_slack_s + p->deadline_spread_s +
                              at_least(epoch_len_s / 180, 20);
        p->key_grace_s = p->deadline_ahead_s;
        p->switch_window_s = at_least(epoch_len_s / 12, 1);
        p->work_bits = 12;
        p->announce_bits = 8;
    }
}

uint32_t
params_window(uint64_t frames_mhz)
{
    const uint64_t quarter = (frames_mhz + 3999) / 4000;
    return quarter < PARAMS_WINDOW_MAX - 2 ? (uint32_t)quarter + 2
                                           : PARAMS_WINDOW_MAX;
}

const struct profile *
params_profile(const struct params *p, const char *name)
{
    for (size_t i = 0; i < p->n_profiles; i++)
        if (strcmp(p->profiles[i].name, name) == 0)
            return &p->profiles[i];
    return NULL;
}

/* Tell whether a list has room in a frame between relays, and its parts have
 * room in the slices of a client's frames; the number of a part has one byte.
 */
static bool
lists_fit(const struct params *p)
{
    const size_t len = list_len(p);
    const size_t parts = wire_slice_parts(
        len, wire_slice_room(p->geometry.packet_len, p->geometry.payload_len));
    return p->boards == 0 ||
           (len + WIRE_LIST_HEAD_LEN <= p->geometry.packet_len && parts > 0 &&
            parts <= UINT8_MAX + 1);
}

int
params_check(const struct params *p, const char **where)
{
    const struct conversation_params *c = &p->conversations;
    *where = p->geometry.hops < p->layers + 2u ? "geometry"
             : !lists_fit(p)                   ? "list_entries"
             : c->fronts * c->front + c->lane + c->sweep != POLLS_ODDS ? "front"
             : c->hold_max_s < c->hold_min_s ? "hold_max_s"
                                             : NULL;
    return *where ? ERR_RANGE : 0;
}
