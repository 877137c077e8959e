/* network/json_params.c - the parameters of a network, in consensuses, votes
 * and network files. No state. */
#include "network/json_internal.h"
#include "network/list.h"
#include "network/work.h"

enum { DAY_S = 86400, MINUTE_US = 60000000 };

static const struct json_field conversation_fields[] = {
    F_INT(conversation_params, fronts, 1, 2),
    F_INT(conversation_params, front, 1, 62),
    F_INT(conversation_params, lane, 1, 62),
    F_INT(conversation_params, sweep, 1, 62),
    F_INT(conversation_params, spare_of, 1, 255),
    F_INT(conversation_params, older_of, 1, 255),
    F_INT(conversation_params, hold_min_s, 1, DAY_S),
    F_INT(conversation_params, hold_max_s, 1, DAY_S),
    F_INT(conversation_params, sweep_mean_s, 1, 7 * DAY_S),
    F_INT(conversation_params, script_every_s, 1, DAY_S),
    F_INT(conversation_params, look_s, 0, 3600),
    F_INT(conversation_params, ack_s, 0, 3600),
    F_INT(conversation_params, ack_noise_s, 0, 3600)};

static const struct json_table conversation_table = {
    JSON_FIELDS(conversation_fields)};

static const struct json_field profile_fields[] = {
    F_WORD(profile, name), F_INT(profile, send_mhz, 0, 100000000),
    F_INT(profile, poll_mhz, 0, 100000000),
    F_INT(profile, loop_mhz, 1, 100000000),
    F_INT(profile, down_interval_us, 10, MINUTE_US)};

static const struct json_table profile_table = {JSON_FIELDS(profile_fields)};

static const struct json_field geometry_fields[] = {
    F_INT(sphinx_geometry, suite, 0, 255), F_INT(sphinx_geometry, hops, 1, 255),
    F_INT(sphinx_geometry, packet_len, 1, UINT16_MAX),
    F_INT(sphinx_geometry, delay_unit_us, 1, 1000000)};

static const struct json_table geometry_table = {JSON_FIELDS(geometry_fields)};

void
json_geometry_read(struct json_reader *r, const json_t *v, void *at)
{
    struct sphinx_geometry in = {0}, *g = at;
    json_table_read(r, &geometry_table, v, &in);
    if (r->err)
        return;
    int err = sphinx_geometry_init(g, in.suite, in.hops, in.packet_len,
                                   in.delay_unit_us);
    if (err)
        json_reader_fail(r, err, "geometry");
    r->key_len = g->public_len;
}

json_t *
json_geometry_make(struct json_writer *w, const void *at)
{
    w->key_len = ((const struct sphinx_geometry *)at)->public_len;
    return json_table_make(w, &geometry_table, at);
}

static void
values_check(struct json_reader *r, const void *in)
{
    const char *where;
    if (params_check(in, &where))
        json_reader_fail(r, ERR_RANGE, where);
}

static const struct json_field params_fields[] = {
    F_INT(params, epoch_len_s, 1, 30 * DAY_S),
    F_INT(params, layers, 1, LAYERS_MAX),
    F_INT(params, mix_strategy, 1, 4),
    F_INT(params, mix_interval_us, 1000, MINUTE_US),
    F_INT(params, mix_threshold, 1, 1000000),
    F_INT(params, mix_keep, 0, 1000000),
    F_INT(params, mix_permille, 1, 1000),
    F_INT(params, delay_mean_us, 0, MINUTE_US),
    F_INT(params, poll_delay_mean_us, 0, MINUTE_US),
    F_INT(params, store_delay_fixed_us, 0, MINUTE_US),
    F_INT(params, store_delay_mean_us, 0, MINUTE_US),
    F_INT(params, delay_max_us, 1000, MINUTE_US),
    F_INT(params, store_delay_max_us, 1000, MINUTE_US),
    F_INT(params, deadline_unit_s, 1, 3600),
    F_INT(params, deadline_slack_s, 1, 3600),
    F_INT(params, deadline_spread_s, 1, 3600),
    F_INT(params, deadline_ahead_s, 1, 4000),
    F_INT(params, deadline_back_s, 1, 3600),
    F_INT(params, key_grace_s, 0, DAY_S),
    F_INT(params, switch_window_s, 0, DAY_S),
    F_INT(params, piece_interval_us, 1000, MINUTE_US),
    F_INT(params, relay_loop_mhz, 1, 100000000),
    F_INT(params, period_s, 60, 366 * DAY_S),
    F_INT(params, letter_days, 1, 366),
    F_INT(params, store_trial_epochs, 0, 10000),
    F_INT(params, newcomer_permille, 1, 1000000),
    F_INT(params, work_bits, 0, WORK_BITS_MAX),
    F_INT(params, boards, 0, BOARDS_MAX),
    F_INT(params, list_interval_ms, 500, 60000),
    F_INT(params, list_entries, 1, LIST_ENTRIES_MAX),
    F_INT(params, announce_bits, 0, WORK_BITS_MAX),
    F_GEOMETRY(params),
    F_TABLE(params, conversations, conversation_table),
    F_TABLES(params, profiles, n_profiles, 1, PROFILES_MAX, profile_table,
             NULL)};
const struct json_table json_params_table = {JSON_FIELDS(params_fields),
                                             values_check};
