/* relay/daemon/fault.c - lost and delayed frames of test builds. */
#include "relay/daemon/fault.h"

#ifdef BRUSIO_DEBUG
#include <stdlib.h>
#include <string.h>

#include "lib/rng.h"
#include "relay/daemon/daemon.h"

/* A frame that is delayed, like all others, by a constant time, so that order
 * is kept. */
struct delayed {
    struct delayed *next;
    uint64_t due_us;
    struct env_dest to;
    uint8_t frame[];
};

struct fault {
    struct worker *worker;
    fault_send_fn send;
    struct delayed *first, **end;
    struct loop_timer *timer;
};

static void
delayed_send(void *ctx)
{
    struct fault *f = ctx;
    uint64_t now_us = loop_now_us(f->worker->host->loop);
    while (f->first && f->first->due_us <= now_us) {
        struct delayed *x = f->first;
        f->first = x->next;
        if (!f->first)
            f->end = &f->first;
        (void)!f->send(f->worker, x->to, x->frame);
        free(x);
    }
    if (f->first)
        loop_timer_at(f->timer, f->first->due_us);
}

static int
delayed_add(struct fault *f, struct env_dest to, const uint8_t *frame)
{
    const struct relay_daemon *d = f->worker->daemon;
    const size_t len = d->network.geometry.packet_len;
    struct delayed *x = malloc(sizeof *x + len);
    if (!x)
        return ERR_NOMEM;
    *x = (struct delayed){.due_us = loop_now_us(f->worker->host->loop) +
                                    (uint64_t)d->config->fault_delay_ms * 1000,
                          .to = to};
    memcpy(x->frame, frame, len);
    if (!f->first)
        loop_timer_at(f->timer, x->due_us);
    *f->end = x;
    f->end = &x->next;
    return 0;
}

bool
fault_takes(struct fault *f, struct env_dest to, const uint8_t *frame, int *err)
{
    const struct relay_settings *c = f->worker->daemon->config;
    struct env *env = &f->worker->host->env;
    *err = 0;
    if (c->fault_drop_permille > 0 &&
        rng_below(env, 1000) < (uint64_t)c->fault_drop_permille)
        return true;
    if (c->fault_delay_ms == 0)
        return false;
    *err = delayed_add(f, to, frame);
    return true;
}

int
fault_new(struct fault **out, struct worker *w, fault_send_fn send)
{
    struct fault *f = calloc(1, sizeof *f);
    *out = f;
    if (!f)
        return ERR_NOMEM;
    f->worker = w;
    f->send = send;
    f->end = &f->first;
    int err = loop_timer_new(w->host->loop, delayed_send, f, &f->timer);
    if (err)
        fault_free(out);
    return err;
}

void
fault_free(struct fault **fp)
{
    struct fault *f = *fp;
    *fp = NULL;
    if (!f)
        return;
    loop_timer_free(&f->timer);
    while (f->first) {
        struct delayed *x = f->first;
        f->first = x->next;
        free(x);
    }
    free(f);
}
#endif
