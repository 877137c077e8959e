/* relay/plane.c - keys, the common tables, and the inboxes. Each inbox has a
 * lock of its own, held for the copying of a batch. */
#include "relay/plane.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "relay/downlink.h"

int
plane_new(struct plane **out, const struct relay_config *config)
{
    uint32_t n = config->workers ? config->workers : 1;
    *out = NULL;
    if (n > RELAY_WORKERS_MAX || config->packets_max == 0 ||
        config->clients_max >= 1u << PLANE_WORKER_SHIFT)
        return ERR_ARG;
    struct plane *p = calloc(1, sizeof *p + n * sizeof p->worker[0]);
    if (!p)
        return ERR_NOMEM;
    p->n_workers = n;
    p->replay = config->replay;
    p->packets_max = config->packets_max;
    p->clients_max = config->clients_max;
    memcpy(p->identity, config->identity, sizeof p->identity);
    p->identity_seed = config->identity_seed;
    env_random_crypto(config->env, p->handles_key, sizeof p->handles_key);
    env_random_crypto(config->env, p->boxes_key, sizeof p->boxes_key);
    env_random_crypto(config->env, p->ages_key, sizeof p->ages_key);
    env_random_crypto(config->env, p->loop_handle, sizeof p->loop_handle);
    for (uint32_t i = 0; i < n; i++)
        pthread_mutex_init(&p->worker[i].inbox.mutex, NULL);
    uint8_t key[16];
    env_random_crypto(config->env, key, sizeof key);
    int err = places_new(&p->places, p->packets_max, n * p->clients_max, key);
    if (!err)
        err = lists_new(&p->lists);
    if (!err && config->clients_max > 0)
        err = handles_new(&p->handles,
                          (size_t)DOWNLINK_HANDLES * config->clients_max,
                          p->handles_key);
    sodium_memzero(key, sizeof key);
    if (err) {
        plane_free(&p);
        return err;
    }
    *out = p;
    return 0;
}

void
plane_free(struct plane **pp)
{
    struct plane *p = *pp;
    *pp = NULL;
    if (!p)
        return;
    for (uint32_t i = 0; i < p->n_workers; i++)
        pthread_mutex_destroy(&p->worker[i].inbox.mutex);
    handles_free(&p->handles);
    places_free(&p->places);
    lists_free(&p->lists);
    sodium_memzero(p, sizeof *p);
    free(p);
}

uint32_t
plane_put(struct plane *p, uint32_t worker, const uint32_t *number, uint32_t n,
          uint64_t until_us)
{
    struct plane_inbox *in = &p->worker[worker].inbox;
    pthread_mutex_lock(&in->mutex);
    if (n > INBOX_MAX - in->n)
        n = INBOX_MAX - in->n;
    for (uint32_t i = 0; i < n; i++)
        in->number[(in->head + in->n++) % INBOX_MAX] = number[i];
    pthread_mutex_unlock(&in->mutex);
    /* either this sees until when it sleeps, or plane_arm() sees the inbox */
    if (atomic_load(&p->worker[worker].armed_us) > until_us)
        env_wake(p->worker[worker].env);
    return n;
}

bool
plane_arm(struct plane *p, uint32_t worker, uint64_t at_us)
{
    struct plane_inbox *in = &p->worker[worker].inbox;
    atomic_store(&p->worker[worker].armed_us, at_us);
    pthread_mutex_lock(&in->mutex);
    bool some = in->n > 0;
    pthread_mutex_unlock(&in->mutex);
    return some;
}

uint32_t
plane_take(struct plane *p, uint32_t worker, uint32_t *number, uint32_t max)
{
    struct plane_inbox *in = &p->worker[worker].inbox;
    pthread_mutex_lock(&in->mutex);
    uint32_t n = in->n < max ? in->n : max;
    for (uint32_t i = 0; i < n; i++)
        number[i] = in->number[(in->head + i) % INBOX_MAX];
    in->head = (in->head + n) % INBOX_MAX;
    in->n -= n;
    pthread_mutex_unlock(&in->mutex);
    return n;
}
