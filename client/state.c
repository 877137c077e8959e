/* client/state.c - times, period, and the client's own record. No state
 * of its own. */
#include "client/state.h"

#include "client/disk/records.h"

int64_t
client_own_base_us(const struct client *c)
{
    return (int64_t)(1000 * env_now_wall_ms(c->env)) -
           (int64_t)env_now_mono_us(c->env);
}

uint64_t
client_now_us(const struct client *c)
{
    const uint64_t now_us = env_now_mono_us(c->env);
    int64_t us =
        (int64_t)now_us +
        nettime_base_us(&c->time, c->families, client_own_base_us(c), now_us);
    return us > 0 ? (uint64_t)us : 0;
}

/* A consensus is made at most an epoch before it is valid, and is of use for
 * EPOCHS_USABLE: whatever a clock says, it is not earlier or later than that.
 */
static uint64_t
time_bound(const struct client *c, uint64_t now_s)
{
    const struct consensus *n = c->newest ? c->view[c->newest % VIEWS] : NULL;
    if (!n)
        return now_s;
    uint64_t len_s = n->params.epoch_len_s;
    uint64_t first_s = n->valid_after_s > len_s ? n->valid_after_s - len_s : 0;
    uint64_t last_s = n->valid_after_s + EPOCHS_USABLE * len_s;
    return now_s < first_s ? first_s : now_s > last_s ? last_s : now_s;
}

/* What stores agree on, else the own clock. */
static uint64_t
time_agreed_s(const struct client *c)
{
    const uint64_t now_us = env_now_mono_us(c->env);
    int64_t base_us = client_own_base_us(c);
    (void)nettime_agreed(&c->time, c->families, base_us, now_us, &base_us);
    int64_t us = (int64_t)now_us + base_us;
    return us > 0 ? (uint64_t)us / 1000000 : 0;
}

uint64_t
client_time_s(const struct client *c)
{
    return time_bound(c, time_agreed_s(c));
}

bool
client_time_is_known(const struct client *c)
{
    return c->newest > 0 && client_time_s(c) == time_agreed_s(c);
}

uint64_t
client_sure_time_s(const struct client *c)
{
    uint64_t agreed_s = client_time_s(c);
    uint64_t own_s = time_bound(c, env_now_wall_s(c->env));
    return agreed_s < own_s ? agreed_s : own_s;
}

uint32_t
client_period(const struct client *c)
{
    uint64_t period_s = c->current ? c->current->params.period_s : 86400;
    return (uint32_t)(client_time_s(c) / period_s);
}

void
client_store_again(struct client *c, bool asked)
{
    const uint64_t now_us = env_now_mono_us(c->env);
    const uint64_t wait_us = asked ? STORE_ASKED_US : STORE_AGAIN_US;
    if (journal_error(c->journal) && now_us >= c->store_us + wait_us &&
        journal_retry(c->journal))
        c->store_us = now_us;
}

uint64_t
client_mark(const struct client *c)
{
    return journal_last(c->journal);
}

int
client_kept(const struct client *c, uint64_t mark)
{
    if (journal_is_committed(c->journal, mark))
        return 0;
    const int err = journal_error(c->journal);
    return err == ERR_AGAIN ? ERR_DB : err ? err : ERR_AGAIN;
}

int
client_save(struct client *c)
{
    journal_begin(c->journal);
    const struct record_client r = {.letter_len = c->letter_len,
                                    .next_id = c->next_id,
                                    .next_received = c->next_received,
                                    .next_event = c->next_event};
    int err = record_client_save(c->journal, &c->gateways, &r);
    c->unsaved = err != 0;
    if (err == ERR_NOMEM)
        client_drop(c, err);
    return journal_finish(c->journal, err);
}
