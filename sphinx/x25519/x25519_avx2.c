/* sphinx/x25519/x25519_avx2.c - X25519 four at a time, AVX2. */
#if defined(__x86_64__)
#define LANES 4
#include "sphinx/x25519/field25.h"

typedef uint32_t comb_word;

/* The word of each lane's own choice, of 8. */
ALWAYS vec
comb_pick(const comb_word word[8], vec which)
{
    __m256i words = _mm256_load_si256((const __m256i *)word);
    return (vec)_mm256_permutevar8x32_epi32(words, (__m256i)which) &
           vec_all(UINT32_MAX);
}

#include "sphinx/x25519/comb.h"

const struct x25519_lanes x25519_avx2 = {
    .lanes = LANES,
    .multiply = ladder_groups,
    .multiply_base = comb_groups,
};
#else
typedef int x25519_avx2_is_for_x86_64;
#endif
