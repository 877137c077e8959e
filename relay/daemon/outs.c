/* relay/daemon/outs.c - see outs.h.
 *
 * A link's states: up; being made (link, not up); waiting (no link, until retry_us).
 * Timers: its owner's, which calls outs_upkeep(); a link that is down is tried again
 * after 0.25 s, doubled up to 30 s; at each address that the relay publishes in turn,
 * beginning with the last that worked.
 *
 * Failure modes: a relay that is slow or silent (its link is closed and made again); an
 * address of a family that this machine has not (the next one). */
#include "relay/daemon/outs.h"

#include <stdlib.h>
#include <string.h>

#include "lib/os/loop.h"
#include "lib/os/socket.h"

enum {
    RETRY_US = 250000,
    RETRY_MAX_US = 30000000,
    STALLED_US = SOCKET_SILENT_S * 1000000 /* who takes nothing so long goes */
};

struct out_link {
    struct outs *outs;
    struct out_link *next;
    uint8_t identity[SPHINX_ID_LEN];
    char address[ADDRESSES_MAX][ADDRESS_MAX]; /* all that it publishes */
    size_t n_addresses, at;                   /* at: in use, or tried next */
    struct link *link;
    bool up;
    unsigned uses;   /* views that name it */
    unsigned failed; /* tries in a row */
    uint64_t retry_us, wait_us;
};

/* ---- one link ---- */

static void
out_up(void *ctx, struct link *l, const uint8_t *peer)
{
    struct out_link *o = ctx;
    (void)l;
    (void)peer;
    o->up = true;
    o->failed = 0;
    o->wait_us = RETRY_US;
}

/* Ignore frames: nothing comes this way. */
static void
out_frames(void *ctx, struct link *l, uint8_t *frames, size_t n)
{
    struct out_link *o = ctx;
    (void)l;
    (void)frames;
    o->outs->refused[-ERR_EDGE] += n;
}

/* Turn to the next address, when this one did not work; a round of all
 * addresses without success makes the wait longer. */
static void
out_turn(struct out_link *o)
{
    if (!o->up)
        o->at = (o->at + 1) % o->n_addresses;
    if (!o->up && ++o->failed % o->n_addresses != 0)
        return;
    o->wait_us = o->wait_us * 2 < RETRY_MAX_US ? o->wait_us * 2 : RETRY_MAX_US;
}

static void
out_down(void *ctx, struct link *l, int err)
{
    struct out_link *o = ctx;
    o->outs->refused[-err]++;
    o->retry_us = loop_now_us(o->outs->loop) + o->wait_us;
    out_turn(o);
    o->up = false;
    o->link = NULL;
    link_free(&l);
}

static const struct link_ops out_ops = {out_up, out_frames, out_down};

static void
out_connect(struct out_link *o)
{
    const struct outs *l = o->outs;
    int err = ERR_FORMAT;
    /* of a family that this machine has not, no connection even begins */
    for (size_t i = 0; i < o->n_addresses; i++) {
        err = link_connect(&o->link, l->loop, l->tls, l->config,
                           o->address[o->at], o->identity, &out_ops, o);
        if (!err || err == ERR_NOMEM)
            break;
        o->at = (o->at + 1) % o->n_addresses;
    }
    if (err) {
        l->refused[-err]++;
        o->retry_us =
            loop_now_us(l->loop) + (err == ERR_NOMEM ? RETRY_US : RETRY_MAX_US);
    }
}

static int
out_order(const void *a, const void *b)
{
    return memcmp((*(struct out_link *const *)a)->identity,
                  (*(struct out_link *const *)b)->identity, SPHINX_ID_LEN);
}

/* List the links to relays that there are, sorted as a consensus's relays are.
 * The array is malloc'd; NULL: no memory. */
static struct out_link **
outs_sort(const struct outs *l, size_t *n)
{
    size_t room = 1;
    for (const struct out_link *o = l->first; o; o = o->next)
        room++;
    struct out_link **outs = calloc(room, sizeof(struct out_link *));
    *n = 0;
    for (struct out_link *o = l->first; o && outs; o = o->next)
        outs[(*n)++] = o;
    if (outs && *n > 0)
        qsort(outs, *n, sizeof *outs, out_order);
    return outs;
}

/* Set the address at which the relay is reached now; a link to an address where
 * the relay is no more ends. */
static void
out_address(struct out_link *o, const struct relay_entry *e)
{
    size_t at = 0;
    while (at < e->n_addresses && o->n_addresses > 0 &&
           strcmp(e->addresses[at], o->address[o->at]) != 0)
        at++;
    const bool moved = o->n_addresses == 0 || at == e->n_addresses;
    o->at = moved ? 0 : at;
    o->n_addresses = e->n_addresses;
    memcpy(o->address, e->addresses, sizeof o->address);
    if (!moved)
        return;
    link_free(&o->link);
    o->up = false;
    o->failed = 0;
    o->retry_us = 0;
}

/* Take the link `o` to this relay, or make one when it is NULL. */
static struct out_link *
out_get(struct outs *l, const struct relay_entry *e, struct out_link *o)
{
    if (!o) {
        o = calloc(1, sizeof *o);
        if (!o)
            return NULL;
        o->outs = l;
        o->wait_us = RETRY_US;
        memcpy(o->identity, e->identity, SPHINX_ID_LEN);
        o->next = l->first;
        l->first = o;
    }
    out_address(o, e);
    return o;
}

/* ---- all of them ---- */

int
outs_view(struct outs *l, const struct consensus *c,
          const struct outs_part *part, struct out_link ***out)
{
    size_t n, at = 0;
    struct out_link **had = outs_sort(l, &n);
    *out = calloc(c->n_relays + 1, sizeof **out);
    int err = had && *out ? 0 : ERR_NOMEM;
    for (size_t i = 0; part->self >= 0 && i < c->n_relays && !err; i++) {
        const struct relay_entry *e = &c->relays[i];
        if (part->owner[i] != part->worker ||
            !consensus_has_edge(c, c->relays[part->self].layer, e->layer))
            continue;
        while (at < n &&
               memcmp(had[at]->identity, e->identity, SPHINX_ID_LEN) < 0)
            at++;
        const bool known = at < n && memcmp(had[at]->identity, e->identity,
                                            SPHINX_ID_LEN) == 0;
        (*out)[i] = out_get(l, e, known ? had[at] : NULL);
        err = (*out)[i] ? 0 : ERR_NOMEM;
        if (!err)
            (*out)[i]->uses++;
    }
    free(had);
    return err;
}

void
outs_view_drop(struct out_link **out, size_t n)
{
    for (size_t i = 0; out && i < n; i++)
        if (out[i])
            out[i]->uses--;
    free(out);
}

int
outs_send(struct out_link *o, const uint8_t *frame)
{
    return o->up ? link_send(o->link, frame) : ERR_CLOSED;
}

void
outs_look(struct outs *l, uint64_t now_us)
{
    for (struct out_link *o = l->first; o; o = o->next)
        if (o->up && link_stalled_us(o->link, now_us) >= STALLED_US)
            out_down(o, o->link, ERR_TIMEOUT);
}

void
outs_upkeep(struct outs *l, bool connects)
{
    const uint64_t now_us = loop_now_us(l->loop);
    for (struct out_link **at = &l->first; *at;) {
        struct out_link *o = *at;
        if (o->uses == 0) {
            *at = o->next;
            link_free(&o->link);
            free(o);
            continue;
        }
        if (!o->link && connects && now_us >= o->retry_us)
            out_connect(o);
        at = &o->next;
    }
}

void
outs_close(struct outs *l)
{
    for (struct out_link *o = l->first; o; o = o->next) {
        link_free(&o->link);
        o->up = false;
        o->retry_us = 0;
    }
}

void
outs_count(const struct outs *l, size_t *all, size_t *up)
{
    for (const struct out_link *o = l->first; o; o = o->next) {
        ++*all;
        *up += o->up;
    }
}

void
outs_free(struct outs *l)
{
    while (l->first) {
        struct out_link *o = l->first;
        l->first = o->next;
        link_free(&o->link);
        free(o);
    }
}
