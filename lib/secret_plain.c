/* lib/secret_plain.c - secrets in ordinary memory. State: how many calls of
 * secret_plain_begin() have not ended. */
#include "lib/secret_plain.h"

#include <stdatomic.h>

#include "lib/secret.h"

static atomic_uint users;

void
secret_plain_begin(void)
{
    atomic_fetch_add(&users, 1);
}

void
secret_plain_end(void)
{
    atomic_fetch_sub(&users, 1);
}

bool
secret_is_plain(void)
{
    return atomic_load(&users) > 0;
}
