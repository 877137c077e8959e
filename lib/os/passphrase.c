/* lib/os/passphrase.c - see passphrase.h.
 *
 * The standard input is read a byte at a time, so that a second passphrase, or what
 * else a script has there, is the next line. On the terminal (/dev/tty) echo, lines
 * and signals are off while somebody types; control-C gives up. No state, no timers.
 * Failure modes: no terminal, or one that another job has; an input that ends; a line
 * that is too long, or no UTF-8. */
#include "lib/os/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "lib/os/files.h"
#include "lib/os/program.h"
#include "lib/secret.h"

enum { OPS_MAX = 16 };
#define MEM_MAX (1ULL << 30)

const struct passphrase_cost passphrase_cost = {
    .ops = crypto_pwhash_OPSLIMIT_MODERATE,
    .mem = crypto_pwhash_MEMLIMIT_MODERATE};

_Static_assert((int)PASSPHRASE_SALT_LEN == crypto_pwhash_SALTBYTES, "its");

static int
passphrase_new(struct passphrase *p)
{
    p->len = 0;
    p->text = secret_new(PASSPHRASE_MAX + 1);
    return p->text ? 0 : ERR_NOMEM;
}

void
passphrase_free(struct passphrase *p)
{
    secret_free((void **)&p->text);
    p->len = 0;
}

/* Tell whether the len bytes at s are UTF-8 without U+0000 (RFC 3629). */
static bool
is_text(const char *s, size_t len)
{
    for (size_t i = 0, more; i < len; i += 1 + more) {
        const uint8_t b = (uint8_t)s[i],
                      next = i + 1 < len ? (uint8_t)s[i + 1] : 0;
        more = b < 0x80 ? 0 : b < 0xe0 ? 1 : b < 0xf0 ? 2 : 3;
        if (b == 0 || (b > 0x7f && b < 0xc2) || b > 0xf4 || more >= len - i)
            return false;
        if ((b == 0xe0 && next < 0xa0) || (b == 0xed && next > 0x9f) ||
            (b == 0xf0 && next < 0x90) || (b == 0xf4 && next > 0x8f))
            return false;
        for (size_t k = 1; k <= more; k++)
            if (((uint8_t)s[i + k] & 0xc0) != 0x80)
                return false;
    }
    return true;
}

int
passphrase_set(struct passphrase *p, const char *text, size_t len)
{
    *p = (struct passphrase){0};
    if (len > PASSPHRASE_MAX)
        return ERR_LONG;
    if (!is_text(text, len))
        return ERR_FORMAT;
    const int err = passphrase_new(p);
    if (err)
        return err;
    memcpy(p->text, text, len);
    p->len = len;
    return 0;
}

int
passphrase_key(uint8_t key[static PASSPHRASE_KEY_LEN],
               const struct passphrase *p,
               const uint8_t salt[static PASSPHRASE_SALT_LEN],
               const struct passphrase_cost *cost)
{
    if (cost->ops < crypto_pwhash_OPSLIMIT_MIN || cost->ops > OPS_MAX ||
        cost->mem < crypto_pwhash_MEMLIMIT_MIN || cost->mem > MEM_MAX)
        return ERR_RANGE;
    return crypto_pwhash(key, PASSPHRASE_KEY_LEN, p->text, p->len, salt,
                         cost->ops, (size_t)cost->mem,
                         crypto_pwhash_ALG_ARGON2ID13)
               ? ERR_NOMEM
               : 0;
}

/* ---- files ---- */

/* Read a line from fd into p, without its end. */
static int
line_read(int fd, struct passphrase *p)
{
    for (;;) {
        char b;
        const ssize_t n = read(fd, &b, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return files_error(errno);
        if (n == 0 || b == '\n')
            break;
        if (p->len == PASSPHRASE_MAX)
            return ERR_LONG;
        p->text[p->len++] = b;
    }
    if (p->len > 0 && p->text[p->len - 1] == '\r')
        p->len--;
    p->text[p->len] = 0;
    return is_text(p->text, p->len) ? 0 : ERR_FORMAT;
}

static int
file_read(const struct passphrase_source *s, const char *path,
          struct passphrase *p)
{
    const bool in = strcmp(path, "-") == 0;
    const int fd = in ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    int err = fd < 0 ? files_error(errno) : passphrase_new(p);
    if (!err)
        err = line_read(fd, p);
    if (fd >= 0 && !in)
        close(fd);
    if (!err)
        return 0;
    passphrase_free(p);
    program_fail(s->program, "%s: %s", in ? "standard input" : path,
                 err == ERR_FORMAT ? "a passphrase is a line of UTF-8"
                                   : error_text(err));
    return err;
}

/* Write to out the path of s's credential. Returns whether there is one. */
static bool
credential_find(const struct passphrase_source *s,
                char out[static FILES_PATH_MAX])
{
    const char *dir = getenv("CREDENTIALS_DIRECTORY");
    return dir && s->credential && !files_path(out, dir, s->credential) &&
           access(out, F_OK) == 0;
}

/* ---- the terminal ---- */

/* Take the byte b, as typed, into p. Returns whether the line is over, and *err. */
static bool
key_take(struct passphrase *p, char b, int *err)
{
    enum { BREAK = 3, END = 4, BACKSPACE = 8, WIPE = 21, DELETE = 127 };
    if (b == BREAK || (b == END && p->len == 0))
        *err = ERR_CLOSED;
    if (*err || b == '\n' || b == '\r' || b == END)
        return true;
    if (b == WIPE) {
        p->len = 0;
    } else if (b == BACKSPACE || b == DELETE) {
        while (p->len > 0 && ((uint8_t)p->text[--p->len] & 0xc0) == 0x80)
            ;
    } else if (p->len == PASSPHRASE_MAX) {
        *err = ERR_LONG;
        return true;
    } else {
        p->text[p->len++] = b;
    }
    return false;
}

static int
keys_read(int fd, struct passphrase *p)
{
    int err = 0;
    for (bool over = false; !over;) {
        char b;
        const ssize_t n = read(fd, &b, 1);
        if (n <= 0)
            return n < 0 && errno != EINTR ? files_error(errno) : ERR_CLOSED;
        over = key_take(p, b, &err);
    }
    p->text[p->len] = 0;
    return err || is_text(p->text, p->len) ? err : ERR_FORMAT;
}

/* Ask a question on the terminal fd. */
static int
terminal_ask(int fd, const char *what, struct passphrase *p)
{
    struct termios was, now;
    int err = passphrase_new(p);
    if (err)
        return err;
    if (tcgetattr(fd, &was))
        return ERR_UNSUPPORTED;
    now = was;
    now.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG);
    now.c_cc[VMIN] = 1;
    now.c_cc[VTIME] = 0;
    if (tcsetattr(fd, TCSAFLUSH, &now))
        return ERR_UNSUPPORTED;
    dprintf(fd, "%s: ", what);
    err = keys_read(fd, p);
    dprintf(fd, "\n");
    (void)tcsetattr(fd, TCSAFLUSH, &was);
    return err;
}

/* Open the terminal, if this job has it. Returns it, or -1. */
static int
terminal_open(void)
{
    const int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || tcgetpgrp(fd) == getpgrp())
        return fd;
    close(fd);
    return -1;
}

static void
terminal_lacks(const struct passphrase_source *s, int err)
{
    if (err == ERR_UNSUPPORTED)
        program_fail(s->program,
                     "a passphrase is wanted, and there is no terminal to ask "
                     "for it; give it by --%s FILE%s%s",
                     s->option,
                     s->credential ? ", or by systemd's credential " : "",
                     s->credential ? s->credential : "");
    else
        program_fail(s->program, "no passphrase: %s",
                     err == ERR_CLOSED ? "given up" : error_text(err));
}

/* ---- both ---- */

int
passphrase_try(const struct passphrase_source *s,
               int (*fn)(void *ctx, const struct passphrase *p), void *ctx)
{
    char credential[FILES_PATH_MAX];
    const char *path = s->file                          ? s->file
                       : credential_find(s, credential) ? credential
                                                        : NULL;
    const int fd = path ? -1 : terminal_open();
    int err = path || fd >= 0 ? ERR_PASSPHRASE : ERR_UNSUPPORTED;
    if (err == ERR_UNSUPPORTED)
        terminal_lacks(s, err);
    for (int i = 0; i < (path ? 1 : PASSPHRASE_TRIES) && err == ERR_PASSPHRASE;
         i++) {
        struct passphrase p = {0};
        err = path ? file_read(s, path, &p) : terminal_ask(fd, s->what, &p);
        if (err && !path)
            terminal_lacks(s, err);
        if (!err) {
            err = fn(ctx, &p);
            if (err == ERR_PASSPHRASE)
                program_fail(s->program, "%s%s%s",
                             !path                    ? ""
                             : strcmp(path, "-") == 0 ? "standard input"
                                                      : path,
                             path ? ": " : "", error_text(err));
        }
        passphrase_free(&p);
    }
    if (fd >= 0)
        close(fd);
    return err;
}

int
passphrase_choose(const struct passphrase_source *s, struct passphrase *p)
{
    char again[128];
    struct passphrase second = {0};
    *p = (struct passphrase){0};
    if (s->file)
        return file_read(s, s->file, p);
    const int fd = terminal_open();
    int err = fd < 0 ? ERR_UNSUPPORTED : terminal_ask(fd, s->what, p);
    snprintf(again, sizeof again, "%s, again", s->what);
    if (!err)
        err = terminal_ask(fd, again, &second);
    if (err)
        terminal_lacks(s, err);
    if (!err && (second.len != p->len ||
                 !secret_is_equal(second.text, p->text, p->len))) {
        program_fail(s->program, "the two are not the same");
        err = ERR_PASSPHRASE;
    }
    if (fd >= 0)
        close(fd);
    passphrase_free(&second);
    if (err)
        passphrase_free(p);
    return err;
}
