/* relay/daemon/reach.c - see reach.h. */
#include "relay/daemon/reach.h"

#include <string.h>

enum { WAIT_US = 5000000, WAIT_MAX_US = 300000000, DOUBTS = 2 };

void
reach_set(struct reach *r, char (*address)[ADDRESS_MAX], size_t n)
{
    const struct reach old = *r;
    *r = (struct reach){.n = n};
    for (size_t i = 0; i < n; i++) {
        memcpy(r->at[i].address, address[i], ADDRESS_MAX);
        r->at[i].wait_us = WAIT_US;
        for (size_t k = 0; k < old.n; k++)
            if (strcmp(old.at[k].address, address[i]) == 0)
                r->at[i] = old.at[k];
    }
}

int
reach_next(const struct reach *r, uint64_t now_us)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->at[i].next_us <= now_us)
            return (int)i;
    return REACH_NONE;
}

void
reach_result(struct reach *r, size_t i, int err, uint64_t now_us,
             uint64_t again_us)
{
    r->at[i].tested = true;
    r->at[i].err = err;
    if (!err) {
        r->at[i].reached = true;
        r->at[i].failures = 0;
        r->at[i].wait_us = WAIT_US;
        r->at[i].next_us = now_us + again_us;
        return;
    }
    if (++r->at[i].failures >= DOUBTS)
        r->at[i].reached = false;
    r->at[i].next_us = now_us + r->at[i].wait_us;
    if (r->at[i].wait_us < WAIT_MAX_US)
        r->at[i].wait_us = r->at[i].wait_us * 2 < WAIT_MAX_US
                               ? r->at[i].wait_us * 2
                               : WAIT_MAX_US;
}

bool
reach_is_known(const struct reach *r)
{
    bool all = true;
    for (size_t i = 0; i < r->n; i++)
        all = all && r->at[i].tested;
    return all;
}

size_t
reach_good(const struct reach *r, char (*address)[ADDRESS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        if (r->at[i].reached)
            memcpy(address[n++], r->at[i].address, ADDRESS_MAX);
    return n;
}

const char *
reach_bad(const struct reach *r, int *err)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->at[i].tested && !r->at[i].reached) {
            *err = r->at[i].err;
            return r->at[i].address;
        }
    return NULL;
}
