/* relay/boxes.h - a store's answer to a request (design section 7).
 *
 * Pure: a parsed request goes in, one storage request comes out of it, and at
 * the time the sender chose the answer body is written from whatever the
 * storage has said by then. All answers have one size and one time, whatever
 * was asked and found. A put is given to the storage when it comes; what a get
 * asks for is read shortly before its answer leaves, so that it brings what has
 * come meanwhile. */
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

/* letter_len: wire_letter_len() of the network. ages_key: 16 random bytes. The
 * environment has to have a store. */
int boxes_new(struct boxes **out, struct env *env, size_t letter_len,
              const uint8_t ages_key[static 16]) CHECK_RESULT;
/* Requests that the storage still holds keep what they need alive. */
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

/* Begin: copies what it needs of the request; gives a put to the storage.
 * Returns 0 or ERR_NOMEM, ERR_FULL (too many at once), ERR_SIGNATURE (a put by
 * somebody who lacks the box's key). */
int boxes_begin(struct boxes *b, const struct wire_request *request,
                const struct boxes_terms *terms,
                struct boxes_job **out) CHECK_RESULT;

/* Tell how long before an answer leaves a get is to be read: BOXES_READ_US, or as
 * long as the storage took lately and a quarter more. */
uint64_t boxes_read_us(const struct boxes *b);

/* Give a get to the storage; once. Does nothing for other kinds. */
void boxes_read(struct boxes *b, struct boxes_job *job);

/* End: fill status, slot, full, age and letter of *answer (the letter points into
 * the job, or is NULL: send random bytes). The answer is to be written out
 * before boxes_done(). */
void boxes_finish(struct boxes *b, struct boxes_job *job,
                  struct wire_answer *answer);

/* Give the job up; one that the storage still holds is freed when it lets go.
 * Clears *job. */
void boxes_done(struct boxes *b, struct boxes_job **job);

/* Requests being answered or held by the storage. */
size_t boxes_count(const struct boxes *b);
#endif
