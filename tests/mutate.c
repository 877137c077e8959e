/* tests/mutate.c - seeded mutation of input, and the count of what came. */
#include "tests/mutate.h"

#include <stdio.h>
#include <string.h>

#include "tests/runner.h"

void
tally_add(struct tally *t, int err, bool valid)
{
    assert_true(err <= 0 && err > -ERROR_COUNT);
    if (err)
        t->refused[-err]++;
    else
        t->accepted++;
    t->valid += valid;
}

void
tally_report(const struct tally *t, unsigned long inputs, unsigned errors)
{
    unsigned long sum = t->accepted;
    unsigned kinds = 0;
    char line[512];
    size_t at = 0;
    for (int i = 1; i < ERROR_COUNT; i++) {
        sum += t->refused[i];
        kinds += t->refused[i] > 0;
        if (t->refused[i] > 0 && at < sizeof line)
            at += (size_t)snprintf(line + at, sizeof line - at, " %s %lu",
                                   error_name(-i), t->refused[i]);
    }
    printf("fuzz: %s: %lu inputs, %lu valid outside, accepted %lu;%s\n",
           t->parser, sum, t->valid, t->accepted, at ? line : "");
    assert_true(sum == inputs);
    assert_true(2 * t->valid >= sum);
    assert_true(t->accepted > 0);
    assert_true(kinds >= errors);
}

unsigned
mutate_inputs(unsigned quick)
{
    return test_proof() ? 10 * quick : quick;
}

size_t
mutate_below(struct rng_seeded *rng, size_t n)
{
    return (size_t)(rng_seeded_u64(rng) % n);
}

static void
edit(struct rng_seeded *rng, uint8_t *bytes, size_t len)
{
    static const uint8_t extreme[] = {0, 0, 0, 1, 0x7f, 0x80, 0xff, 0xff};
    uint64_t u = rng_seeded_u64(rng);
    size_t at = (u & 0xffffff) % len, from = (u >> 24 & 0xffffff) % len;
    size_t n = len - (at > from ? at : from);
    switch (u >> 48 & 3) {
    case 0:
        bytes[at] ^= (uint8_t)(1 << (u >> 50 & 7));
        break;
    case 1:
        bytes[at] = (uint8_t)(u >> 50);
        break;
    case 2:
        memmove(bytes + at, bytes + from, n < 40 ? n : 40);
        break;
    default:
        memset(bytes + at, extreme[u >> 50 & 7], n < 4 ? n : 4);
    }
}

void
mutate_bytes(struct rng_seeded *rng, uint8_t *bytes, size_t len)
{
    for (uint64_t k = rng_seeded_u64(rng) % 4 + 1; len > 0 && k > 0; k--)
        edit(rng, bytes, len);
}

void
mutate_input(struct rng_seeded *rng, uint8_t *bytes, size_t *len, size_t max)
{
    uint64_t u = rng_seeded_u64(rng);
    if ((u & 7) == 0)
        *len = (u >> 3) % (*len + 1);
    else if ((u & 7) == 1 && max > *len) {
        size_t more = (u >> 3) % (max - *len) + 1;
        memset(bytes + *len, (int)(u >> 56), more);
        *len += more;
    }
    mutate_bytes(rng, bytes, *len);
}
