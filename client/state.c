/* client/state.c - time, period, margin, and the client's own record. No state
 * of its own. */
#include "client/state.h"

#include <string.h>

#include "lib/codec.h"

uint64_t
client_time_s(const struct client *c)
{
    return env_now_wall_s(c->env) + (uint64_t)clock_offset_s(&c->offset);
}

uint32_t
client_period(const struct client *c)
{
    uint64_t period_s = c->current ? c->current->params.period_s : 86400;
    return (uint32_t)(client_time_s(c) / period_s);
}

uint64_t
client_margin_us(const struct client *c)
{
    if (c->late_dev_us == 0)
        return MARGIN_START_US;
    int64_t us = c->late_us + 4 * c->late_dev_us;
    return us < (int64_t)MARGIN_MIN_US   ? MARGIN_MIN_US
           : us > (int64_t)MARGIN_MAX_US ? MARGIN_MAX_US
                                         : (uint64_t)us;
}

size_t
record_key(uint8_t key[static JOURNAL_KEY_MAX], enum record type, uint32_t id,
           uint64_t a, uint32_t b)
{
    key[0] = (uint8_t)type;
    codec_put32(key + 1, id);
    codec_put64(key + 5, a);
    codec_put32(key + 13, b);
    return 17;
}

void
client_save(struct client *c)
{
    uint8_t key[JOURNAL_KEY_MAX], value[CLIENT_RECORD_LEN];
    size_t len = record_key(key, RECORD_CLIENT, 0, 0, 0);
    memcpy(value, c->gateway, SPHINX_ID_LEN);
    codec_put32(value + SPHINX_ID_LEN, (uint32_t)c->letter_len);
    journal_begin(c->journal);
    journal_put(c->journal, key, len, value, sizeof value);
    (void)journal_end(c->journal);
}
