/* sphinx/x25519/x25519_ifma8.c - X25519 eight at a time, AVX-512 IFMA. */
#if defined(__x86_64__)
#define LANES 8
#include "sphinx/x25519/field51.h"

typedef uint64_t comb_word;

/* The word of each lane's own choice, of 8. */
ALWAYS vec
comb_pick(const comb_word word[8], vec which)
{
    return (vec)_mm512_permutexvar_epi64((__m512i)which,
                                         _mm512_load_si512(word));
}

#include "sphinx/x25519/comb.h"

const struct x25519_lanes x25519_ifma8 = {
    .lanes = LANES,
    .multiply = ladder_groups,
    .multiply_base = comb_groups,
};
#else
typedef int x25519_ifma8_is_for_x86_64;
#endif
