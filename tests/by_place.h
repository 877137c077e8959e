/* tests/by_place.h - letters that are sealed by their place alone, as those to oneself
 * are, for tests of the format. */
#ifndef TESTS_BY_PLACE_H
#define TESTS_BY_PLACE_H
#include "client/letters/letter.h"

static inline int
by_place_seal(const struct letter *l, const uint8_t *chain,
              struct letter_place at, uint8_t *out, size_t letter_len)
{
    static const uint8_t nobody[LETTER_KEY_LEN];
    const struct letter_head head = {.seal = LETTER_BY_PLACE};
    struct letter_keys keys;
    letter_place_keys(chain, at, nobody, &keys);
    return letter_seal(l, &head, &keys, at, out, letter_len);
}

static inline int
by_place_open(struct letter *l, const uint8_t *chain, struct letter_place at,
              uint8_t *bytes, size_t letter_len)
{
    static const uint8_t nobody[LETTER_KEY_LEN];
    struct letter_head head;
    struct letter_keys keys;
    letter_place_keys(chain, at, nobody, &keys);
    const int err = letter_open_head(&head, keys.head, at, bytes, letter_len);
    return err ? err
               : letter_open_body(l, &head, keys.body, at, bytes, letter_len);
}
#endif
