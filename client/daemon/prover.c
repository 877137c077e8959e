/* client/daemon/prover.c - one thread, one task.
 *
 * State, under the lock: the task, its number, whether its nonce is found. The
 * thread copies the task, tries SLICE nonces without the lock, and looks again:
 * a task that was replaced meanwhile, by its number, is dropped. Failure modes:
 * no thread can be had (prover_new() says so, and the client makes its proofs
 * itself, slowly). */
#include "client/daemon/prover.h"
#include "lib/os/system.h"

#include <pthread.h>
#include <sched.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { SLICE = 1 << 14 }; /* nonces: some milliseconds */

struct prover {
    struct work_maker maker;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct work_task task;
    unsigned bits;
    uint64_t number; /* of the task; 0: there was none yet */
    bool is_found, ends;
    uint8_t nonce[WORK_NONCE_LEN];
};

static struct prover *
prover_of(struct work_maker *maker)
{
    return (struct prover *)maker; /* its first member */
}

static void
task_start(struct work_maker *maker, const struct work_task *task,
           unsigned bits, const uint8_t from[static WORK_NONCE_LEN])
{
    struct prover *p = prover_of(maker);
    pthread_mutex_lock(&p->lock);
    p->task = *task;
    p->bits = bits;
    p->number++;
    p->is_found = false;
    memcpy(p->nonce, from, sizeof p->nonce);
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->lock);
}

static bool
task_found(struct work_maker *maker, uint8_t nonce[static WORK_NONCE_LEN])
{
    struct prover *p = prover_of(maker);
    pthread_mutex_lock(&p->lock);
    const bool is_found = p->is_found;
    memcpy(nonce, p->nonce, sizeof p->nonce);
    pthread_mutex_unlock(&p->lock);
    return is_found;
}

static bool
has_nothing(const struct prover *p)
{
    return p->number == 0 || p->is_found;
}

static void *
prover_run(void *ctx)
{
    struct prover *p = ctx;
    struct work_task task;
    uint8_t nonce[WORK_NONCE_LEN];
#ifdef SCHED_IDLE
    /* what it cannot have it does without */
    (void)pthread_setschedparam(pthread_self(), SCHED_IDLE,
                                &(struct sched_param){0});
#endif
    pthread_mutex_lock(&p->lock);
    while (!p->ends) {
        if (has_nothing(p)) {
            pthread_cond_wait(&p->wake, &p->lock);
            continue;
        }
        const uint64_t number = p->number;
        const unsigned bits = p->bits;
        task = p->task;
        memcpy(nonce, p->nonce, sizeof nonce);
        pthread_mutex_unlock(&p->lock);
        const bool is_found = work_search(&task, bits, SLICE, nonce);
        pthread_mutex_lock(&p->lock);
        if (number != p->number)
            continue;
        p->is_found = is_found;
        memcpy(p->nonce, nonce, sizeof p->nonce);
    }
    pthread_mutex_unlock(&p->lock);
    sodium_memzero(&task, sizeof task);
    return NULL;
}

int
prover_new(struct prover **out)
{
    struct prover *p = calloc(1, sizeof *p);
    *out = NULL;
    if (!p)
        return ERR_NOMEM;
    p->maker = (struct work_maker){task_start, task_found};
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    const int failed = pthread_create(&p->thread, NULL, prover_run, p);
    if (failed) {
        pthread_cond_destroy(&p->wake);
        pthread_mutex_destroy(&p->lock);
        free(p);
        return system_error_of(failed);
    }
    *out = p;
    return 0;
}

void
prover_free(struct prover **pp)
{
    struct prover *p = *pp;
    *pp = NULL;
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->ends = true;
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    sodium_memzero(p, sizeof *p);
    free(p);
}

struct work_maker *
prover_maker(struct prover *p)
{
    return p ? &p->maker : NULL;
}
