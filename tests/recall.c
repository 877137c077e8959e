/* tests/recall.c - see recall.h: stands between whoever seals and letter_seal(), by the
 * linker. */
#include "tests/recall.h"

#include <sodium.h>
#include <string.h>

#include "tests/runner.h"

enum {
    MARK_LEN = 24, /* the nonce, which follows from all that is sealed */
    SEALED_HEAD = 48 + 16
};

/* A key with a nonce, and what was sealed with them, as hashes. */
struct use {
    uint8_t key_nonce[16], contents[16];
};

static struct {
    uint8_t mark[MARK_LEN];
    struct letter letter;
    struct use head, body;
} known[RECALL_MAX];
static size_t sealed;

int __real_letter_seal(const struct letter *l, const struct letter_head *head,
                       const struct letter_keys *keys, struct letter_place at,
                       uint8_t *out, size_t letter_len);
int __wrap_letter_seal(const struct letter *l, const struct letter_head *head,
                       const struct letter_keys *keys, struct letter_place at,
                       uint8_t *out, size_t letter_len);

/* Note what a key was used for. The same ciphertext under a key and nonce is the same
 * contents. */
static void
use_note(struct use *u, const uint8_t key[static LETTER_KEY_LEN],
         const uint8_t nonce[static MARK_LEN], const uint8_t *text, size_t len)
{
    uint8_t in[LETTER_KEY_LEN + MARK_LEN];
    memcpy(in, key, LETTER_KEY_LEN);
    memcpy(in + LETTER_KEY_LEN, nonce, MARK_LEN);
    crypto_generichash(u->key_nonce, sizeof u->key_nonce, in, sizeof in, NULL,
                       0);
    crypto_generichash(u->contents, sizeof u->contents, text, len, NULL, 0);
}

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
        use_note(&known[i].head, keys->head, out, out + MARK_LEN, SEALED_HEAD);
        use_note(&known[i].body, keys->body, out, out + MARK_LEN + SEALED_HEAD,
                 letter_len - MARK_LEN - SEALED_HEAD);
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

static bool
uses_clash(const struct use *a, const struct use *b)
{
    return memcmp(a->key_nonce, b->key_nonce, sizeof a->key_nonce) == 0 &&
           memcmp(a->contents, b->contents, sizeof a->contents) != 0;
}

size_t
recall_clashes(void)
{
    const size_t n = sealed < RECALL_MAX ? sealed : RECALL_MAX;
    size_t clashes = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            if (uses_clash(&known[i].head, &known[k].head) ||
                uses_clash(&known[i].body, &known[k].body) ||
                uses_clash(&known[i].head, &known[k].body) ||
                uses_clash(&known[i].body, &known[k].head))
                clashes++;
    return clashes;
}
