/* lib/os/program.c - see program.h. No state. */
#include "lib/os/program.h"

#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/codec.h"
#include "lib/os/host.h"
#include "lib/os/system.h"
#include "lib/secret.h"

static void
line_print(const char *program, const char *format, va_list args)
{
    fprintf(stderr, "%s: ", program);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

int
program_fail(const char *program, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    line_print(program, format, args);
    va_end(args);
    return ARGS_EXIT_FAILED;
}

int
program_misuse(const char *program, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    line_print(program, format, args);
    va_end(args);
    return ARGS_EXIT_USAGE;
}

int
program_error(const char *program, const char *what, int err)
{
    return program_fail(program, "%s: %s", what, system_reason(err));
}

int
program_flush(const char *program, const char *meaning)
{
    if (!fflush(stdout) && !ferror(stdout))
        return 0;
    return program_fail(
        program, "standard output: %s%s",
        errno ? strerror(errno) : "not all of it could be written", meaning);
}

int
program_end(const char *program, int status)
{
    const int flushed = program_flush(program, "");
    return status ? status : flushed;
}

int
program_begin(struct args *a, int argc, char **argv,
              const struct args_form *form)
{
    const int err = host_descriptors_hold();
    return err ? program_error(argc > 0 ? argv[0] : "brusio", "/dev/null", err)
               : args_read(a, argc, argv, form);
}

bool
program_read_start(struct program_start *s, const struct args *a,
                   const struct args_option *options, size_t ready_fd,
                   size_t parent)
{
    uint64_t fd, pid;
    if (!args_number(a, options, ready_fd, 0, 1 << 20, UINT64_MAX, &fd) ||
        !args_number(a, options, parent, 1, 1 << 30, 0, &pid))
        return false;
    s->ready_fd = fd == UINT64_MAX ? -1 : (int)fd;
    s->parent = (long)pid;
    return true;
}

int
program_harden(const char *program, long parent)
{
    host_harden(parent);
    return secret_init() ? program_error(program, "libsodium", ERR_CRYPTO) : 0;
}

int
program_find_config(const struct program_folder *f, const char *dir,
                    char path[static FILES_PATH_MAX])
{
    if (files_path(path, dir, f->conf))
        return program_error(f->program, dir, ERR_LONG);
    if (access(path, F_OK) == 0)
        return 0;
    return program_fail(
        f->program, "there is no %s in %s yet; '%s init --%s %s' makes one",
        f->kind, dir, f->program, f->option, f->value ? f->value : dir);
}

int
program_read_config(const struct program_folder *f, const char *dir,
                    const struct config_option *table, size_t n, void *out)
{
    char path[FILES_PATH_MAX], error[CONFIG_ERROR_LEN];
    const int status = program_find_config(f, dir, path);
    if (status)
        return status;
    return config_read(table, n, path, out, error)
               ? program_fail(f->program, "%s", error)
               : 0;
}

void
program_print_identity(const uint8_t *seed)
{
    uint8_t id[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
    char hex[2 * sizeof id + 1];
    crypto_sign_seed_keypair(id, secret, seed);
    codec_hex(hex, id, sizeof id);
    sodium_memzero(secret, sizeof secret);
    printf("identity %s\n", hex);
}
