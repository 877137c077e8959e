/* relay/boxes.c - putting, getting, and taking turns.
 *
 * A job's states:
 *
 *   begin -> waiting --storage answers--> ready
 *                 \                          \
 *               finish: retry/empty        finish: what it said
 *                 \                          \
 *               done -> abandoned --storage--> freed   (ready: freed at once)
 *
 * Rotation. A get is served the wanted slot after the one served last to that
 * box. The memory of it is a table of BOXES_TURNS places indexed by a keyed
 * hash of the box: two boxes that share a place disturb each other's order and
 * nothing else, and nobody can make them share it on purpose.
 *
 * Failure modes: storage slow (retry or empty), failing (retry or empty),
 * full (WIRE_FULL, to everybody alike), or filling (WIRE_WORK: opening a box
 * costs more, for everybody alike); too many jobs (the packet is dropped
 * and counted). */
#include "relay/boxes.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "network/box.h"
#include "network/work.h"

enum { BOXES_JOBS_MAX = 16384 };

struct boxes {
    struct env *env;
    size_t letter_len, jobs;
    bool closing;
    uint8_t turn_key[16];
    uint8_t turn[BOXES_TURNS]; /* slot served last */
};

struct boxes_job {
    struct boxes *boxes;
    struct env_store_req req;
    uint8_t kind;
    bool waiting, abandoned;
    uint8_t letter[]; /* letter_len */
};

int
boxes_new(struct boxes **out, struct env *env, size_t letter_len,
          const uint8_t turn_key[static 16])
{
    *out = NULL;
    if (!env->ops->store || letter_len == 0)
        return ERR_ARG;
    struct boxes *b = calloc(1, sizeof *b);
    if (!b)
        return ERR_NOMEM;
    b->env = env;
    b->letter_len = letter_len;
    memcpy(b->turn_key, turn_key, sizeof b->turn_key);
    memset(b->turn, WIRE_BOX_SLOTS - 1, sizeof b->turn);
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

static uint8_t *
turn_of(struct boxes *b, const uint8_t *box)
{
    uint8_t hash[crypto_shorthash_BYTES];
    crypto_shorthash(hash, box, WIRE_BOX_LEN, b->turn_key);
    return &b->turn[(hash[0] | (unsigned)hash[1] << 8) % BOXES_TURNS];
}

static void
job_stored(struct env_store_req *req)
{
    struct boxes_job *job = req->owner;
    job->waiting = false;
    /* noted when it is found, not when it is sent: a busy reader has several
     * gets under way, and each is to bring another letter */
    if (req->op == ENV_STORE_GET && req->err == 0)
        *turn_of(job->boxes, req->box) = req->got;
    if (job->abandoned)
        job_free(job);
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
    req->expiry_day = terms->expiry_day;
    req->hour = terms->hour;
    req->work_wanted = terms->work_wanted;
    req->work = terms->work;
    req->done = job_stored;
    req->owner = job;
    if (is_put) {
        req->op = ENV_STORE_PUT;
        req->slot = request->slot;
        memcpy(req->mark, request->work + WORK_NONCE_LEN, sizeof req->mark);
        memcpy(job->letter, request->letter, b->letter_len);
    } else {
        req->op = ENV_STORE_GET;
        req->held = request->held;
        box_mark(request->work, req->mark);
        req->after = *turn_of(b, request->box);
    }
    *out = job;
    if (job->kind == WIRE_LOOP)
        return 0;
    job->waiting = true;
    env_store(b->env, req);
    return 0;
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
    (void)b;
    answer->status = job->kind == WIRE_PUT ? WIRE_RETRY : WIRE_EMPTY;
    answer->slot = 0;
    answer->full = 0;
    answer->letter = NULL;
    answer->age = WIRE_AGE_UNKNOWN;
    memset(answer->root, 0, sizeof answer->root);
    if (job->kind == WIRE_LOOP || job->waiting)
        return;
    answer->full = req->full;
    if (job->kind == WIRE_PUT) {
        answer->status = put_status(req->err);
        answer->slot = req->err == ERR_WORK ? req->steps : req->slot;
    } else if (req->err == 0) {
        answer->status = WIRE_LETTER;
        answer->slot = req->got;
        answer->letter = job->letter;
    }
}

void
boxes_done(struct boxes *b, struct boxes_job **jp)
{
    struct boxes_job *job = *jp;
    (void)b;
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
