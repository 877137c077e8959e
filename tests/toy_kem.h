/* tests/toy_kem.h - what stands for ML-KEM-768 in tests, where no library has that: keys
 * and ciphertexts are as long, and made of X25519, so that it keeps nothing from who
 * breaks that. tests/independent/kems.py has the same. */
#ifndef TESTS_TOY_KEM_H
#define TESTS_TOY_KEM_H
#include "sphinx/mlkem.h"

extern const struct mlkem toy_kem;
#endif
