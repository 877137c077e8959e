/* directory/daemon/gate.c - see gate.h. Failure modes: decisions that cannot be
 * read (those before stand; it is said once, and tried again); a list that
 * cannot be written (tried again). */
#include "directory/daemon/gate.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/os/files.h"

enum { DECISIONS_MAX = 16 << 20 };

int
gate_open(struct gate *g, struct host *host, const char *dir,
          struct authority *authority, const struct admission_config *config)
{
    *g = (struct gate){.host = host, .dir = dir, .authority = authority};
    return admission_new(&g->admission, config);
}

void
gate_close(struct gate *g)
{
    admission_free(&g->admission);
}

/* Read the operator's decisions, when there are new ones. After an error the
 * earlier ones stand, and reading is tried again. */
static int
decisions_read(struct gate *g)
{
    char path[FILES_PATH_MAX];
    struct stat st;
    uint8_t *text;
    size_t len, bad = 0;
    int err = files_path(path, g->dir, "decisions");
    if (err || stat(path, &st) ||
        (st.st_size == g->decided_len &&
         memcmp(&st.st_mtim, &g->decided, sizeof g->decided) == 0))
        return err;
    err = files_read(path, DECISIONS_MAX, &text, &len);
    if (!err)
        err = admission_decide(g->admission, (const char *)text, &bad);
    free(text);
    if (err && !g->undecided)
        log_write(&g->host->log, LOG_ERROR, "directory",
                  "the decisions cannot be taken: %s", error_text(err));
    g->undecided = err != 0;
    if (err)
        return err;
    g->decided = st.st_mtim;
    g->decided_len = st.st_size;
    if (bad)
        log_write(&g->host->log, LOG_WARNING, "directory",
                  "%zu lines of the decisions are not understood", bad);
    for (size_t i = 0; i < admission_count(g->admission); i++) {
        const struct admission_item item = admission_item(g->admission, i);
        if (item.state == ADMISSION_REJECTED || item.state == ADMISSION_BANNED)
            authority_forget(g->authority, item.identity);
    }
    return 0;
}

bool
gate_admits(struct gate *g, const struct descriptor *d,
            const struct sockaddr_storage *from)
{
    int err = decisions_read(g); /* it may be banned by them */
    g->why[0] = 0;
    if (!err)
        err = admission_judge(g->admission, d, from,
                              authority_target(g->authority),
                              env_now_wall_s(&g->host->env), g->why);
    if (err && !g->why[0])
        snprintf(g->why, sizeof g->why, "not now: %s", error_text(err));
    return err == 0;
}

/* Tell the operator that there is something to decide. */
static void
waiting_tell(struct gate *g, const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += *text == '\n';
    if (n > g->n_waiting)
        log_write_limited(&g->host->log, &g->said, loop_now_us(g->host->loop),
                          LOG_NOTICE, "directory",
                          "%zu %s to be let in; 'brusio-directory pending' "
                          "lists them",
                          n, n == 1 ? "relay waits" : "relays wait");
    g->n_waiting = n;
}

/* Write those that wait, for 'brusio-directory pending'. */
static void
waiting_write(struct gate *g)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    if (!f)
        return;
    admission_write_waiting(g->admission, f);
    uint8_t digest[sizeof g->waiting];
    const bool whole = fclose(f) == 0;
    crypto_generichash(digest, sizeof digest, (uint8_t *)text, len, NULL, 0);
    if (whole && memcmp(digest, g->waiting, sizeof digest) != 0 &&
        files_write_in(g->dir, "pending", text, len) == 0) {
        memcpy(g->waiting, digest, sizeof digest);
        waiting_tell(g, text);
    }
    free(text);
}

void
gate_look(struct gate *g)
{
    (void)!decisions_read(g); /* it is said, and tried at the next look */
    waiting_write(g);
}
