/* lib/error.c - texts and names of the errors. */
#include "lib/error.h"

/* Every number is below ERROR_COUNT. No number stands twice: error_text() would
 * not compile with two equal cases. So none is left out, but those retired. */
#define X(name, number, text)                              \
    _Static_assert((number) > 0 && (number) < ERROR_COUNT, \
                   #name " has a number out of range");
ERROR_MAP(X)
#undef X
#define X(name, number, text) +1
_Static_assert(0 ERROR_MAP(X) == ERROR_COUNT - 1 - ERROR_RETIRED,
               "ERROR_COUNT follows the highest number");
#undef X

const char *
error_text(int err)
{
    switch (err) {
    case ERR_OK:
        return "success";
#define X(name, number, text) \
    case -(number):           \
        return text;
        ERROR_MAP(X)
#undef X
    default:
        return "unknown error";
    }
}

const char *
error_name(int err)
{
    switch (err) {
    case ERR_OK:
        return "OK";
#define X(name, number, text) \
    case -(number):           \
        return #name;
        ERROR_MAP(X)
#undef X
    default:
        return "?";
    }
}
