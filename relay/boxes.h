/* relay/boxes.h - a store's answer to a request.
 *
 * A parsed request goes in, one storage request comes out, and at the time that
 * the sender chose the answer's body is written from whatever the storage has
 * said by then. All answers have one size and one time, whatever was asked and
 * found. A put goes to the storage when the request comes; what a get asks for
 * is read shortly before the answer leaves, so that the answer brings what has
 * come meanwhile. Pure. */
#ifndef RELAY_BOXES_H
#define RELAY_BOXES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/env.h"
#include "lib/error.h"
#include "lib/wire.h"

enum {
    BOXES_READ_US = 50000, /* before its answer leaves a get is read; */
    BOXES_READ_MAX_US =
        2000000, /* sooner where the storage is slower, at most */
};

struct boxes;

/* Make the answering side of a store. letter_len: wire_letter_len() of the
 * network; ages_key: 16 random bytes. Returns 0, ERR_ARG (env has no store) or
 * ERR_NOMEM. */
int boxes_new(struct boxes **out, struct env *env, size_t letter_len,
              const uint8_t ages_key[static 16]) CHECK_RESULT;
/* Free *b; requests that the storage still holds keep what they need alive. */
void boxes_free(struct boxes **b);

/* One request being answered. Opaque but for embedding. */
struct boxes_job;

/* What a put is judged by. */
struct boxes_terms {
    uint32_t expiry_day; /* when a letter put now is destroyed */
    uint32_t hour;       /* since 1970 */
    uint8_t work_wanted; /* bits that opening a box costs; 0: none */
    uint8_t work;        /* bits that this request's proof is worth */
};

/* Begin to answer a request, of which all that is needed is copied; give a put
 * to the storage, judged by *terms. Returns 0 or ERR_NOMEM, ERR_FULL (too many
 * at once), ERR_SIGNATURE (a put by somebody who lacks the box's key). */
int boxes_begin(struct boxes *b, const struct wire_request *request,
                const struct boxes_terms *terms,
                struct boxes_job **out) CHECK_RESULT;

/* Tell how long before its answer leaves a get is to be read: BOXES_READ_US, or
 * as long as the storage took lately and a quarter more. */
uint64_t boxes_read_us(const struct boxes *b);

/* Give the get of this job to the storage, once; do nothing for other kinds. */
void boxes_read(struct boxes_job *job);

/* Finish a job: fill status, slot, full, age and letter of *answer (the letter
 * points into the job, or is NULL: send random bytes). The answer is to be
 * written out before boxes_done(). */
void boxes_finish(struct boxes *b, struct boxes_job *job,
                  struct wire_answer *answer);

/* Give up *job, which is cleared; a job that the storage still holds is freed
 * when the storage lets go. */
void boxes_done(struct boxes_job **job);

/* Count the requests that are being answered or held by the storage. */
size_t boxes_count(const struct boxes *b);
#endif
