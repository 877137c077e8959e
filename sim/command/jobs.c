/* sim/command/jobs.c - threads that take one job after the other; see jobs.h.
 *
 * State: the number of the next job, and of each how far it is, and whether it
 * has ended. The main thread waits, and tells how far all are. Failure modes:
 * after an error no further job is begun; when all are stopped, what has ended
 * counts. */
#include "sim/command/jobs.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/os/clock.h"
#include "lib/secret_plain.h"
#include "sim/announce/announce.h"
#include "sim/network_level/network_level.h"
#include "sim/packets/packets.h"
#include "sim/stats.h"

enum { TELL_S = 1, TELL_LOG_S = 10, TELL_FIRST_S = 3 };

struct job {
    struct jobs *all;
    const struct scenario *scenario;
    uint64_t seed;
    struct sim_result result;
    struct scenario_problem problem;
    int err;
    bool ended;   /* with figures */
    double share; /* under the lock */
};

struct jobs {
    pthread_mutex_t lock;
    pthread_cond_t over;
    const struct jobs_config *config;
    struct job *job;
    size_t n, next, n_over;
    bool failed;
};

static FILE *
job_file_open(const char *file)
{
    return fopen(file, "r");
}

int
job_run(const struct scenario *s, const struct sim_options *o,
        struct sim_result *r, struct scenario_problem *problem)
{
    static int (*const run[])(const struct scenario *,
                              const struct sim_options *, struct sim_result *,
                              struct scenario_problem *) = {
        [LEVEL_PACKETS] = packets_run,
        [LEVEL_NETWORK] = whole_run,
        [LEVEL_ANNOUNCE] = announce_run};
    struct sim_options options = *o;
    options.open = job_file_open;
    /* one kind of memory for all runs that go on at the same time */
    secret_plain_begin();
    int err = run[s->level](s, &options, r, problem);
    secret_plain_end();
    return err;
}

static bool
jobs_are_stopped(const struct jobs *all)
{
    return all->config->stop && atomic_load(all->config->stop);
}

static void
job_progress(void *ctx, double share)
{
    struct job *j = ctx;
    pthread_mutex_lock(&j->all->lock);
    j->share = share;
    pthread_mutex_unlock(&j->all->lock);
}

static void
job_do(struct job *j)
{
    struct scenario s = *j->scenario; /* arrays stay the original's */
    const struct sim_options o = {.real_crypto = j->all->config->real_crypto,
                                  .trace = j->all->config->trace,
                                  .progress = job_progress,
                                  .ctx = j,
                                  .stop = j->all->config->stop};
    s.seed = j->seed;
    j->err = job_run(&s, &o, &j->result, &j->problem);
    j->ended = !j->err;
}

static void *
jobs_work(void *arg)
{
    struct jobs *all = arg;
    pthread_mutex_lock(&all->lock);
    while (all->next < all->n && !all->failed && !jobs_are_stopped(all)) {
        struct job *j = &all->job[all->next++];
        pthread_mutex_unlock(&all->lock);
        job_do(j);
        pthread_mutex_lock(&all->lock);
        j->share = 1;
        all->failed = all->failed || j->err;
    }
    all->n_over++;
    pthread_cond_signal(&all->over);
    pthread_mutex_unlock(&all->lock);
    return NULL;
}

static double
clock_s(void)
{
    return (double)clock_mono_us() / 1e6;
}

static void
progress_tell(const struct jobs *all, double took_s, bool terminal)
{
    double done = 0;
    for (size_t i = 0; i < all->n; i++)
        done += all->job[i].share;
    double left_s = done > 0 ? took_s * ((double)all->n - done) / done : 0;
    fprintf(stderr, "%s%3.0f %% of %zu run%s, about %.0f s left%s",
            terminal ? "\r" : "", 100 * done / (double)all->n, all->n,
            all->n == 1 ? "" : "s", left_s, terminal ? "   " : "\n");
    fflush(stderr);
}

/* Wait for all threads; called with the lock held. */
static void
wait_over(struct jobs *all, size_t threads)
{
    const bool terminal = isatty(STDERR_FILENO);
    const double start_s = clock_s();
    double told_s = start_s + TELL_FIRST_S;
    bool told = false;
    while (all->n_over < threads) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += TELL_S;
        pthread_cond_timedwait(&all->over, &all->lock, &until);
        if (all->config->quiet || all->n_over == threads || clock_s() < told_s)
            continue;
        progress_tell(all, clock_s() - start_s, terminal);
        told_s = clock_s() + (terminal ? TELL_S : TELL_LOG_S) - 0.1;
        told = true;
    }
    if (told && terminal)
        fputs("\r                                             \r", stderr);
}

static int
threads_run(struct jobs *all)
{
    size_t wanted =
               all->config->threads < all->n ? all->config->threads : all->n,
           made = 0;
    pthread_t *thread = calloc(wanted, sizeof *thread);
    if (!thread)
        return ERR_NOMEM;
    pthread_mutex_lock(&all->lock);
    while (made < wanted &&
           pthread_create(&thread[made], NULL, jobs_work, all) == 0)
        made++;
    if (made > 0)
        wait_over(all, made);
    pthread_mutex_unlock(&all->lock);
    for (size_t i = 0; i < made; i++)
        pthread_join(thread[i], NULL);
    free(thread);
    return made > 0 ? 0 : ERR_NOMEM;
}

/* Of several runs: each figure's mean, and its spread between them. */
static int
runs_merge(const struct job *job, uint32_t runs, struct case_result *c)
{
    double *x = malloc(runs * sizeof *x);
    struct sim_result *r = &c->result;
    if (!x)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < runs; i++) {
        if (job[i].ended && c->ended++ == 0)
            *r = job[i].result;
        else if (job[i].ended)
            r->course = (r->course ^ job[i].result.course) * 0x100000001b3ULL;
    }
    for (size_t k = 0; c->ended > 1 && k < r->n; k++) {
        size_t n = 0;
        for (uint32_t i = 0; i < runs; i++) {
            const struct sim_metric *m =
                job[i].ended ? result_find(&job[i].result, r->metric[k].name)
                             : NULL;
            if (m && !isnan(m->value))
                x[n++] = m->value;
        }
        struct estimate e = stats_mean(x, n);
        r->metric[k].value = e.value;
        r->metric[k].half = e.half;
    }
    free(x);
    return 0;
}

static int
jobs_collect(const struct scenario_file *file, const struct jobs *all,
             struct case_result *results, struct scenario_problem *problem)
{
    const struct job *j = all->job;
    bool stopped = false;
    for (size_t i = 0; i < all->n; i++) {
        stopped = stopped || !j[i].ended;
        if (j[i].err && !(j[i].err == ERR_CLOSED && jobs_are_stopped(all))) {
            *problem = j[i].problem;
            return j[i].err;
        }
    }
    for (size_t i = 0; i < file->n_cases; i++) {
        results[i] = (struct case_result){.scenario = file->cases[i]};
        int err = runs_merge(j, file->cases[i]->runs, &results[i]);
        if (err)
            return err;
        j += file->cases[i]->runs;
    }
    return stopped ? ERR_CLOSED : 0;
}

int
jobs_exit_status(int err)
{
    return !err ? 0
           : err == ERR_FORMAT || err == ERR_RANGE || err == ERR_UNSUPPORTED
               ? 2
               : 1;
}

int
jobs_run(const struct scenario_file *file, const struct jobs_config *config,
         struct case_result *results, struct scenario_problem *problem)
{
    struct jobs all = {.config = config};
    pthread_mutex_init(&all.lock, NULL);
    pthread_cond_init(&all.over, NULL);
    for (size_t i = 0; i < file->n_cases; i++)
        all.n += file->cases[i]->runs;
    problem->text[0] = '\0';
    all.job = calloc(all.n, sizeof *all.job);
    int err = all.job ? 0 : ERR_NOMEM;
    for (size_t i = 0, k = 0; i < file->n_cases && !err; i++)
        for (uint32_t run = 0; run < file->cases[i]->runs; run++)
            all.job[k++] = (struct job){
                .all = &all,
                .scenario = file->cases[i],
                /* any two runs of any two cases have other streams */
                .seed = file->cases[i]->seed + 0x9e3779b97f4a7c15ULL * run};
    if (!err)
        err = threads_run(&all);
    if (!err)
        err = jobs_collect(file, &all, results, problem);
    free(all.job);
    pthread_cond_destroy(&all.over);
    pthread_mutex_destroy(&all.lock);
    return err;
}
