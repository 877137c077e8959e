/* relay/boxes.c - putting and getting.
 *
 * A job's states (a put is given to the storage by begin, a get by read):
 *
 *   begin -> waiting --storage answers--> ready
 *                 \                          \
 *               finish: retry/empty        finish: what it said
 *                 \                          \
 *               done -> abandoned --storage--> freed   (ready: freed at once)
 *
 * A get changes nothing of what another get of its box brings (I12): which slot
 * it is served depends on what it names and on what lies there. Taking turns,
 * as the first version did, told whoever knows a box when others ask for it.
 *
 * When a letter was committed is known for four minutes, to nobody but this
 * memory.
 *
 * How long a storage takes is the wait for its commits. Gets that took longer
 * than BOXES_READ_US are followed by earlier reads, for seconds: what they took
 * counts half with each second. All gets at this worker are read alike.
 *
 * Failure modes: storage slow (retry or empty), failing (retry or empty), full
 * (WIRE_FULL, to everybody alike), or filling (WIRE_WORK: opening a box costs
 * more, for everybody alike); too many jobs (the packet is dropped and
 * counted). */
#include "relay/boxes.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "network/box.h"
#include "network/work.h"
#include "relay/ages.h"

enum { BOXES_JOBS_MAX = 16384 };

struct boxes {
    struct env *env;
    size_t letter_len, jobs;
    bool closing;
    struct ages *ages;
    uint64_t slow_us, slow_at_us; /* what gets took, and when that was noted */
};

struct boxes_job {
    struct boxes *boxes;
    struct env_store_req req;
    uint64_t asked_us;
    uint8_t kind;
    bool asked, waiting, abandoned; /* asked: given to the storage */
    uint8_t letter[];               /* letter_len */
};

int
boxes_new(struct boxes **out, struct env *env, size_t letter_len,
          const uint8_t ages_key[static 16])
{
    *out = NULL;
    if (!env->ops->store || letter_len == 0)
        return ERR_ARG;
    struct boxes *b = calloc(1, sizeof *b);
    if (!b)
        return ERR_NOMEM;
    int err = ages_new(&b->ages, ages_key);
    if (err) {
        free(b);
        return err;
    }
    b->env = env;
    b->letter_len = letter_len;
    *out = b;
    return 0;
}

void
boxes_free(struct boxes **bp)
{
    struct boxes *b = *bp;
    *bp = NULL;
    if (!b)
        return;
    b->closing = true;
    if (b->jobs == 0) {
        ages_free(&b->ages);
        sodium_memzero(b, sizeof *b);
        free(b);
    }
}

static void
job_free(struct boxes_job *job)
{
    struct boxes *b = job->boxes;
    sodium_memzero(job, sizeof *job + b->letter_len);
    free(job);
    if (--b->jobs == 0 && b->closing)
        boxes_free(&b);
}

/* Note how long the storage took for a get. */
static void
slow_note(struct boxes *b, uint64_t took_us)
{
    const uint64_t now_us = env_now_mono_us(b->env);
    const uint64_t seconds = (now_us - b->slow_at_us) / 1000000;
    b->slow_us = seconds < 32 ? b->slow_us >> seconds : 0;
    b->slow_at_us += seconds * 1000000;
    took_us += took_us / 4;
    if (took_us >= b->slow_us) {
        b->slow_us = took_us < BOXES_READ_MAX_US ? took_us : BOXES_READ_MAX_US;
        b->slow_at_us = now_us;
    }
}

uint64_t
boxes_read_us(const struct boxes *b)
{
    return b->slow_us > BOXES_READ_US ? b->slow_us : BOXES_READ_US;
}

static void
job_stored(struct env_store_req *req)
{
    struct boxes_job *job = req->owner;
    job->waiting = false;
    if (job->kind == WIRE_GET && !job->boxes->closing)
        slow_note(job->boxes, env_now_mono_us(job->boxes->env) - job->asked_us);
    if (req->op == ENV_STORE_PUT && req->err == 0 && req->is_new &&
        !job->boxes->closing)
        ages_note(job->boxes->ages, req->box, req->slot,
                  env_now_mono_us(job->boxes->env));
    if (job->abandoned)
        job_free(job);
}

static void
job_store(struct boxes_job *job)
{
    job->waiting = job->asked = true;
    job->asked_us = env_now_mono_us(job->boxes->env);
    env_store(job->boxes->env, &job->req);
}

int
boxes_begin(struct boxes *b, const struct wire_request *request,
            const struct boxes_terms *terms, struct boxes_job **out)
{
    const bool is_put = request->kind == WIRE_PUT;
    *out = NULL;
    if (b->jobs >= BOXES_JOBS_MAX)
        return ERR_FULL;
    int err = is_put ? box_verify(request->box, request->slot, request->letter,
                                  b->letter_len, request->signature)
                     : 0;
    if (err)
        return err;
    struct boxes_job *job = calloc(1, sizeof *job + b->letter_len);
    if (!job)
        return ERR_NOMEM;
    b->jobs++;
    job->boxes = b;
    /* boxes have nothing to do with an announcement: as with a loop */
    job->kind = request->kind == WIRE_ANNOUNCE ? WIRE_LOOP : request->kind;
    struct env_store_req *req = &job->req;
    if (is_put)
        box_id(request->box, req->box);
    else
        memcpy(req->box, request->box, sizeof req->box);
    req->letter = job->letter;
    req->letter_len = b->letter_len;
    req->slot = request->slot;
    req->expiry_day = terms->expiry_day;
    req->hour = terms->hour;
    req->work_wanted = terms->work_wanted;
    req->work = terms->work;
    req->done = job_stored;
    req->owner = job;
    if (is_put) {
        req->op = ENV_STORE_PUT;
        memcpy(req->mark, request->work + WORK_NONCE_LEN, sizeof req->mark);
        memcpy(job->letter, request->letter, b->letter_len);
    } else {
        req->op = ENV_STORE_GET;
        req->held = request->held;
        box_mark(request->work, req->mark);
    }
    *out = job;
    if (is_put)
        job_store(job);
    return 0;
}

void
boxes_read(struct boxes_job *job)
{
    if (job->kind == WIRE_GET)
        job_store(job);
}

static uint8_t
put_status(int err)
{
    switch (err) {
    case 0:
        return WIRE_KEPT;
    case ERR_SLOT:
        return WIRE_TAKEN;
    case ERR_QUOTA:
        return WIRE_FULL;
    case ERR_WORK:
        return WIRE_WORK;
    default:
        return WIRE_RETRY;
    }
}

void
boxes_finish(struct boxes *b, struct boxes_job *job, struct wire_answer *answer)
{
    const struct env_store_req *req = &job->req;
    answer->status = job->kind == WIRE_PUT ? WIRE_RETRY : WIRE_EMPTY;
    answer->slot = 0;
    answer->full = 0;
    answer->letter = NULL;
    answer->age = WIRE_AGE_UNKNOWN;
    memset(answer->root, 0, sizeof answer->root);
    if (!job->asked || job->waiting)
        return;
    answer->full = req->full;
    if (job->kind == WIRE_PUT) {
        answer->status = put_status(req->err);
        answer->slot = req->err == ERR_WORK ? req->steps : req->slot;
    } else if (req->err == 0) {
        answer->status = WIRE_LETTER;
        answer->slot = req->got;
        answer->letter = job->letter;
        answer->age =
            ages_find(b->ages, req->box, req->got, env_now_mono_us(b->env));
    }
}

void
boxes_done(struct boxes_job **jp)
{
    struct boxes_job *job = *jp;
    *jp = NULL;
    if (!job)
        return;
    if (job->waiting)
        job->abandoned = true;
    else
        job_free(job);
}

size_t
boxes_count(const struct boxes *b)
{
    return b->jobs;
}
