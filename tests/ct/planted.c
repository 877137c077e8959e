/* tests/ct/planted.c - what registers.py must find, built like the files it
 * checks: a look-up and a branch that depend on data. Linked into nothing. */
#if defined(__x86_64__)
#define LANES 8
#include "sphinx/x25519/field51.h"

uint64_t planted_address(const uint64_t table[8], const uint8_t (*scalar)[32]);
void planted_jump(const uint8_t (*scalar)[32], void (*one)(void),
                  void (*other)(void));

uint64_t
planted_address(const uint64_t table[8], const uint8_t (*scalar)[32])
{
    vec w[4];
    scalars_load(w, scalar);
    return table[w[1][0] & 7];
}

void
planted_jump(const uint8_t (*scalar)[32], void (*one)(void),
             void (*other)(void))
{
    vec w[4];
    scalars_load(w, scalar);
    if (w[1][0] & 1)
        one();
    other();
}
#else
typedef int planted_is_for_x86_64;
#endif
