/* lib/error.c - texts and names of the errors. */
#include "lib/error.h"

static const char *const texts[ERROR_COUNT] = {"success",
#define X(name, text) text,
                                               ERROR_MAP(X)
#undef X
};

static const char *const names[ERROR_COUNT] = {"OK",
#define X(name, text) #name,
                                               ERROR_MAP(X)
#undef X
};

const char *
error_text(int err)
{
    return err <= 0 && err > -ERROR_COUNT ? texts[-err] : "unknown error";
}

const char *
error_name(int err)
{
    return err <= 0 && err > -ERROR_COUNT ? names[-err] : "?";
}
