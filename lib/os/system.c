/* lib/os/system.c - see system.h. State: a number for each thread. */
#include "lib/os/system.h"

#include <errno.h>
#include <string.h>

static _Thread_local int noted;

int
system_error_of(int number)
{
    noted = number;
    return ERR_SYSTEM;
}

int
system_error(void)
{
    return system_error_of(errno);
}

int
system_number(void)
{
    return noted;
}

bool
system_is_short(int err)
{
    const int number = err == ERR_SYSTEM ? noted : err;
    return number == EMFILE || number == ENFILE || err == ERR_FILES;
}

const char *
system_reason(int err)
{
    const int number = err == ERR_SYSTEM ? noted : err;
    if (system_is_short(err))
        return "too many open files; raise the limit ('ulimit -n', "
               "LimitNOFILE= in the systemd unit)";
    return number > 0 ? strerror(number) : error_text(err);
}
