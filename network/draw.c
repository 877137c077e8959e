/* network/draw.c - drawing by the shared value. No state. */
#include "network/draw.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lib/codec.h"

void
draw_bytes(const struct consensus *c, const char *label,
           const uint8_t identity[static SPHINX_ID_LEN], uint8_t *out,
           size_t len)
{
    crypto_generichash_state h;
    uint8_t hash[32];
    crypto_generichash_init(&h, NULL, 0, sizeof hash);
    crypto_generichash_update(&h, (const uint8_t *)label, strlen(label));
    crypto_generichash_update(&h, c->shared_random, sizeof c->shared_random);
    crypto_generichash_update(&h, identity, SPHINX_ID_LEN);
    crypto_generichash_final(&h, hash, sizeof hash);
    memcpy(out, hash, len);
}

struct draw_rank
draw_rank(const struct consensus *c, const char *label, size_t relay)
{
    uint8_t value[8];
    draw_bytes(c, label, c->relays[relay].identity, value, sizeof value);
    return (struct draw_rank){codec_get64(value), relay};
}

static int
rank_order(const void *a, const void *b)
{
    const struct draw_rank *x = a, *y = b;
    return x->value != y->value  ? (x->value < y->value ? -1 : 1)
           : x->relay < y->relay ? -1
                                 : x->relay > y->relay;
}

void
draw_ranks_sort(struct draw_rank *rank, size_t n)
{
    if (n > 0)
        qsort(rank, n, sizeof *rank, rank_order);
}
