/* lib/secret.c - guarded memory, over libsodium. */
#include "lib/secret.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* Weak: lib/secret_plain.c has another one, which daemons do not contain. */
__attribute__((weak)) bool
secret_is_plain(void)
{
    return false;
}

int
secret_init(void)
{
    return sodium_init() < 0 ? ERR_CRYPTO : 0;
}

void *
secret_new(size_t len)
{
    if (secret_init())
        return NULL;
    if (secret_is_plain())
        return calloc(1, len ? len : 1);
    void *p = sodium_malloc(len);
    if (p)
        memset(p, 0, len);
    return p;
}

void
secret_free(void **p)
{
    if (secret_is_plain())
        free(*p);
    else
        sodium_free(*p);
    *p = NULL;
}

void
secret_wipe(void *p, size_t len)
{
    if (len > 0)
        sodium_memzero(p, len);
}

bool
secret_is_equal(const void *a, const void *b, size_t len)
{
    return sodium_memcmp(a, b, len) == 0;
}
