/* directory/daemon/decide.c - see decide.h. No state. */
#include "directory/daemon/decide.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory/admission.h"
#include "lib/codec.h"
#include "lib/os/clock.h"
#include "lib/os/files.h"
#include "lib/os/program.h"

static const char program[] = "brusio-directory";

enum { PENDING_MAX = 1 << 20, DECISIONS_MAX = 16 << 20, LINE_LEN = 256 };

/* Find the whole identity of which a word may be the beginning; the relay has
 * to be pending then. */
static int
identity_complete(const char *dir, const char *word, char out[static 65])
{
    uint8_t *text;
    size_t len, n = strlen(word), found = 0;
    if (n == 64) {
        memcpy(out, word, 65);
        return 0;
    }
    if (n < 4 || n > 64)
        return ERR_FORMAT;
    int err = files_read_in(dir, "pending", PENDING_MAX, &text, &len);
    if (err)
        return err;
    for (const char *line = (const char *)text; *line;
         line += strcspn(line, "\n"), line += *line == '\n')
        if (strncmp(line, word, n) == 0 && strlen(line) > 64) {
            memcpy(out, line, 64);
            out[64] = 0;
            found++;
        }
    free(text);
    return found == 1 ? 0 : found ? ERR_DUPLICATE : ERR_NOT_FOUND;
}

static int
line_append(const char *path, const char *line)
{
    FILE *f = fopen(path, "a");
    int err = f && fputs(line, f) >= 0 ? 0 : files_error(errno);
    if (f && fclose(f) && !err)
        err = files_error(errno);
    return err;
}

static int
decide_fail(const char *dir, const char *who, int err)
{
    if (err == ERR_FORMAT || err == ERR_NOT_FOUND || err == ERR_DUPLICATE)
        return program_fail(
            program,
            "'%s': %s; an identity has 64 hex digits, of one that "
            "waits the first 4 or more do; 'brusio-directory pending "
            "--dir %s' lists those",
            who,
            err == ERR_DUPLICATE   ? "several wait that begin so"
            : err == ERR_NOT_FOUND ? "none waits that begins so"
                                   : "not an identity",
            dir);
    return program_error(program, who, err);
}

int
decide_run(const char *dir, const char *verb, const char *reason,
           const char *const *who, size_t n)
{
    char path[FILES_PATH_MAX], line[LINE_LEN], identity[65];
    int err = files_path(path, dir, "decisions");
    if (n == 0)
        return program_misuse(
            program,
            "%s whom? 'brusio-directory pending' lists those that wait", verb);
    for (size_t i = 0; i < n; i++) {
        if (!err)
            err = identity_complete(dir, who[i], identity);
        if (!err)
            err = admission_line(line, sizeof line, verb, identity,
                                 clock_wall_s(), reason ? reason : "");
        if (!err)
            err = line_append(path, line);
        if (err)
            return decide_fail(dir, who[i], err);
        printf("%s: %s\n", identity, verb);
    }
    return 0;
}

/* Read what has been decided, whether the authority has looked or not; NULL:
 * nothing, or it cannot be read. */
static struct admission *
decided_read(const char *dir)
{
    const struct admission_config config = {.policy = ADMISSION_MANUAL};
    struct admission *a = NULL;
    uint8_t *text = NULL;
    size_t len, bad;
    if (files_read_in(dir, "decisions", DECISIONS_MAX, &text, &len) ||
        admission_new(&a, &config) ||
        admission_decide(a, (const char *)text, &bad))
        admission_free(&a);
    free(text);
    return a;
}

static bool
is_decided(const struct admission *a, const char *line)
{
    char hex[2 * SPHINX_ID_LEN + 1];
    uint8_t identity[SPHINX_ID_LEN];
    struct admission_item item;
    if (!a || strlen(line) < sizeof hex)
        return false;
    memcpy(hex, line, sizeof hex - 1);
    hex[sizeof hex - 1] = 0;
    return codec_unhex(identity, sizeof identity, hex) == 0 &&
           admission_find(a, identity, &item);
}

/* Print "IDENTITY ROLE ADDRESS since DATE" for a line that ends in a Unix
 * time. */
static void
waiting_print(const char *line)
{
    char when[CLOCK_TEXT_LEN] = "?";
    const char *last = strrchr(line, ' ');
    if (last)
        clock_text(when, strtoull(last + 1, NULL, 10));
    printf("%.*s since %s\n", last ? (int)(last - line) : (int)strlen(line),
           line, when);
}

int
decide_pending(const char *dir)
{
    char path[FILES_PATH_MAX], *save = NULL;
    uint8_t *text = NULL;
    size_t len, n = 0;
    int err = files_path(path, dir, "pending");
    if (!err)
        err = files_read(path, PENDING_MAX, &text, &len);
    if (err && err != ERR_NOT_FOUND)
        return program_error(program, path, err);
    struct admission *a = decided_read(dir);
    for (char *line = text ? strtok_r((char *)text, "\n", &save) : NULL; line;
         line = strtok_r(NULL, "\n", &save))
        if (!is_decided(a, line)) {
            waiting_print(line);
            n++;
        }
    if (n == 0)
        program_fail(program, "no relay waits");
    admission_free(&a);
    free(text);
    return 0;
}
