/* lib/secret.c - guarded memory, over libsodium. */
#include "lib/secret.h"

#include <sodium.h>
#include <string.h>

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
    void *p = sodium_malloc(len);
    if (p)
        memset(p, 0, len);
    return p;
}

void
secret_free(void **p)
{
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
