/* tests/recall.c - see recall.h: stands between whoever seals and letter_seal(), by the
 * linker. */
#include "tests/recall.h"

#include <string.h>

#include "tests/runner.h"

enum { MARK_LEN = 24 }; /* the nonce, which follows from all that is sealed */

static struct {
    uint8_t mark[MARK_LEN];
    struct letter letter;
} known[RECALL_MAX];
static size_t sealed;

int __real_letter_seal(const struct letter *l, const struct letter_head *head,
                       const struct letter_keys *keys, struct letter_place at,
                       uint8_t *out, size_t letter_len);
int __wrap_letter_seal(const struct letter *l, const struct letter_head *head,
                       const struct letter_keys *keys, struct letter_place at,
                       uint8_t *out, size_t letter_len);

int
__wrap_letter_seal(const struct letter *l, const struct letter_head *head,
                   const struct letter_keys *keys, struct letter_place at,
                   uint8_t *out, size_t letter_len)
{
    const int err = __real_letter_seal(l, head, keys, at, out, letter_len);
    if (err == 0) {
        const size_t i =
            __atomic_fetch_add(&sealed, 1, __ATOMIC_RELAXED) % RECALL_MAX;
        memcpy(known[i].mark, out, MARK_LEN);
        known[i].letter = *l;
        known[i].letter.data = NULL;
    }
    return err;
}

struct letter
recall_letter(const uint8_t *bytes)
{
    const size_t n = sealed < RECALL_MAX ? sealed : RECALL_MAX;
    for (size_t i = 0; i < n; i++)
        if (memcmp(known[i].mark, bytes, MARK_LEN) == 0)
            return known[i].letter;
    fail_msg("a letter that nobody has sealed, or long ago");
    return (struct letter){0};
}
