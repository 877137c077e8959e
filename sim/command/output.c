/* sim/command/output.c - see output.h. State: the open file. Failure modes:
 * each is said once, with the name that the user gave and the system's reason.
 */
#include "sim/command/output.h"
#include "lib/os/program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char program[] = "brusio-sim";

enum { MODE = 0666 };
_Static_assert((int)OUTPUT_PATH_MAX >= PATH_MAX + 6, "a path and its ending");

bool
output_is_stdout(const struct output *o)
{
    return o->name && strcmp(o->name, "-") == 0;
}

static int
output_fail(const struct output *o)
{
    return program_fail(program, "cannot write %s: %s", o->name,
                        strerror(errno));
}

/* Where a file of this name really is, or will be: not at a link to it. */
static bool
path_find(struct output *o)
{
    char real[PATH_MAX];
    const char *path = realpath(o->name, real) ? real : o->name;
    if (strlen(path) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    snprintf(o->path, sizeof o->path, "%s", path);
    snprintf(o->part, sizeof o->part, "%s.part", path);
    return true;
}

/* Who may not write a file is not to replace it. */
static FILE *
part_open(struct output *o)
{
    struct stat s;
    const bool there = stat(o->path, &s) == 0;
    o->beside = !there || S_ISREG(s.st_mode);
    if (!o->beside)
        return fopen(o->path, "w");
    if (there && access(o->path, W_OK))
        return NULL;
    const int fd =
        open(o->part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
             there ? s.st_mode & MODE : (mode_t)MODE);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    if (fd >= 0 && !f)
        close(fd);
    return f;
}

int
output_open(struct output *o)
{
    if (!o->name)
        return 0;
    o->beside = false;
    if (output_is_stdout(o))
        o->file = stdout;
    else if (path_find(o))
        o->file = part_open(o);
    return o->file ? 0 : output_fail(o);
}

bool
output_is_same(const struct output *o, const struct output *other)
{
    return o->file && other->file &&
           (o->file == other->file ||
            (o->beside && other->beside && strcmp(o->path, other->path) == 0));
}

bool
output_replaces(const struct output *o, const char *path)
{
    char real[PATH_MAX];
    return o->file && o->beside && realpath(path, real) &&
           strcmp(real, o->path) == 0;
}

int
output_close(struct output *o, enum output_end end)
{
    FILE *f = o->file;
    o->file = NULL;
    if (!f)
        return 0;
    bool bad = fflush(f) || ferror(f);
    if (f != stdout)
        bad |= fclose(f) != 0;
    if (bad)
        (void)output_fail(o);
    if (!o->beside)
        return bad;
    if (bad || end == OUTPUT_NONE)
        unlink(o->part);
    else if (end == OUTPUT_WHOLE && rename(o->part, o->path))
        return output_fail(o);
    return bad;
}
