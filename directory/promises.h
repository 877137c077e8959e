/* directory/promises.h - the epochs for which an authority has voted, and those
 * for which it has signed.
 *
 * An authority does each once an epoch, and its clock may jump to any epoch,
 * and back. So all those epochs are remembered, as ranges: an authority whose
 * clock goes evenly has one range, and a jump begins another. When there are
 * too many, the two nearest ranges become one, and the epochs between them are
 * as good as done: nothing is ever forgotten, and what is given up by mistake
 * is the least there is. Pure. */
#ifndef DIRECTORY_PROMISES_H
#define DIRECTORY_PROMISES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

enum { PROMISES_MAX = 32, PROMISES_HASH_LEN = 64 };
enum promise { PROMISE_VOTE, PROMISE_SIGNATURE, PROMISE_KINDS };

/* Zeroed memory holds none. */
struct promises {
    size_t n;
    struct {
        uint32_t first, last;
        uint8_t hash[PROMISES_HASH_LEN]; /* what was signed for `last` */
    } range[PROMISES_MAX];
};

/* Tell whether p allows the deed for this epoch: a second time only with the
 * hash of the first, which is known for the last epoch of a range; hash: NULL
 * when it is not the same. */
bool promises_allow(const struct promises *p, uint32_t epoch,
                    const uint8_t *hash);
/* Note that the deed is done for this epoch; hash: NULL for none. */
void promises_add(struct promises *p, uint32_t epoch, const uint8_t *hash);

/* Write the promises of all kinds for a disk; *out is malloc'd. */
int promises_write(const struct promises p[static PROMISE_KINDS], uint8_t **out,
                   size_t *len) CHECK_RESULT;
/* Read what promises_write() wrote, len bytes. Returns 0, or ERR_FORMAT: p is
 * then as it was. */
int promises_read(struct promises p[static PROMISE_KINDS], const uint8_t *bytes,
                  size_t len) CHECK_RESULT;
#endif
