/* network/json_params.c - the parameters of a network, in consensuses, votes
 * and network files. No state. */
#include "network/json_internal.h"
#include "network/list.h"
#include "network/work.h"

enum { DAY_S = 86400, MINUTE_US = 60000000 };

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
    F_INT(params, announce_bits, 0, WORK_BITS_MAX)};

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

static const struct json_field profile_fields[] = {
    F_TEXT(profile, name), F_INT(profile, send_mhz, 0, 100000000),
    F_INT(profile, poll_mhz, 0, 100000000),
    F_INT(profile, loop_mhz, 1, 100000000),
    F_INT(profile, down_interval_us, 10, MINUTE_US)};

static const struct json_field geometry_fields[] = {
    F_INT(sphinx_geometry, suite, 0, 255), F_INT(sphinx_geometry, hops, 1, 255),
    F_INT(sphinx_geometry, packet_len, 1, UINT16_MAX),
    F_INT(sphinx_geometry, delay_unit_us, 1, 1000000)};

void
json_geometry_read(struct json_reader *r, const json_t *o,
                   struct sphinx_geometry *g)
{
    struct sphinx_geometry in = {0};
    json_object_read(r, json_object_get(o, "geometry"), geometry_fields,
                     LEN(geometry_fields), 0, &in);
    if (r->err)
        return;
    int err = sphinx_geometry_init(g, in.suite, in.hops, in.packet_len,
                                   in.delay_unit_us);
    if (err)
        json_reader_fail(r, err, "geometry");
}

void
json_params_read(struct json_reader *r, const json_t *o, struct params *p)
{
    json_object_read(r, o, params_fields, LEN(params_fields), 3, p);
    json_geometry_read(r, o, &p->geometry);
    if (!r->err)
        json_object_read(r, json_object_get(o, "conversations"),
                         conversation_fields, LEN(conversation_fields), 0,
                         &p->conversations);
    const json_t *list = json_list_get(r, o, "profiles", 1, PROFILES_MAX);
    for (size_t i = 0; list && i < json_array_size(list); i++) {
        json_object_read(r, json_array_get(list, i), profile_fields,
                         LEN(profile_fields), 0, &p->profiles[i]);
        p->n_profiles = (uint8_t)(i + 1);
    }
    const char *where;
    if (!r->err && params_check(p, &where))
        json_reader_fail(r, ERR_RANGE, where);
}

json_t *
json_geometry_make(const struct sphinx_geometry *g, int *bad)
{
    json_t *o = json_object();
    *bad |= json_object_write(o, geometry_fields, LEN(geometry_fields), g);
    return o;
}

json_t *
json_params_make(const struct params *p, int *bad)
{
    json_t *o = json_object(), *list = json_array();
    *bad |= json_object_write(o, params_fields, LEN(params_fields), p);
    *bad |= json_object_set_new(o, "geometry",
                                json_geometry_make(&p->geometry, bad));
    json_t *c = json_object();
    *bad |= json_object_write(c, conversation_fields, LEN(conversation_fields),
                              &p->conversations);
    *bad |= json_object_set_new(o, "conversations", c);
    for (size_t i = 0; i < p->n_profiles; i++) {
        json_t *v = json_object();
        *bad |= json_object_write(v, profile_fields, LEN(profile_fields),
                                  &p->profiles[i]);
        *bad |= json_array_append_new(list, v);
    }
    *bad |= json_object_set_new(o, "profiles", list);
    return o;
}
