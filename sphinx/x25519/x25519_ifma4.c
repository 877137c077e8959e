/* sphinx/x25519/x25519_ifma4.c - X25519 four at a time, AVX-512 IFMA. Where a
 * processor has only 256-bit units, these take half the time of eight. */
#if defined(__x86_64__)
#define LANES 4
#include "sphinx/x25519/field51.h"

typedef uint64_t comb_word;

/* The word of each lane's own choice, of 8. */
ALWAYS vec
comb_pick(const comb_word word[8], vec which)
{
    return (vec)_mm256_permutex2var_epi64(
        _mm256_load_si256((const __m256i *)word), (__m256i)which,
        _mm256_load_si256((const __m256i *)(word + 4)));
}

#include "sphinx/x25519/comb.h"

const struct x25519_lanes x25519_ifma4 = {
    .lanes = LANES,
    .multiply = ladder_groups,
    .multiply_base = comb_groups,
};
#else
typedef int x25519_ifma4_is_for_x86_64;
#endif
