/* lib/secret.h - secrets in guarded, locked memory, wiped on every way out. */
#ifndef LIB_SECRET_H
#define LIB_SECRET_H
#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"
#ifdef BRUSIO_CT
#include <valgrind/memcheck.h>
#endif

/* Make the crypto library ready. The call is cheap, and safe to make again and
 * from several threads. Returns 0 or ERR_CRYPTO. */
int secret_init(void) CHECK_RESULT;

/* Allocate len zero bytes between guard pages, locked and left out of core
 * dumps where the system allows that. Returns NULL when out of memory. The
 * caller frees them with secret_free(). */
void *secret_new(size_t len) CHECK_RESULT;

/* Wipe and free *p (from secret_new()), and set it to NULL. *p may be NULL. */
void secret_free(void **p);

/* Wipe len bytes at p in a way that the compiler keeps. */
void secret_wipe(void *p, size_t len);

/* Tell whether secrets lie in ordinary memory: never, except in a program that
 * contains lib/secret_plain.h, a simulator. */
bool secret_is_plain(void);

/* Tell whether the len bytes at a and at b are equal, in a time that depends on
 * len alone. */
bool secret_is_equal(const void *a, const void *b, size_t len);

/* Declare the len bytes at p public. They follow from a secret but are public
 * by their nature, such as a verdict that shows in what we do: code may branch
 * on them. Only the constant-time test (`make ct`) takes notice. */
static inline void
secret_declassify(const void *p, size_t len)
{
#ifdef BRUSIO_CT
    (void)VALGRIND_MAKE_MEM_DEFINED(p, len);
#else
    (void)p;
    (void)len;
#endif
}
#endif
