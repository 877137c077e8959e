/* testnet/testnet_process.c - children: run, start, stop.
 *
 * A child is told this process's id and ends when this process does. Only
 * children are ever signalled, by their ids. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/os/files.h"
#include "lib/os/program.h"
#include "testnet/testnet.h"

static const char me[] = "brusio-testnet";

enum { READY_S = 30, STOP_S = 10, WORDS_MAX = 16 };

static void
program_exec(struct testnet *t, const char *const *argv)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", t->bin, argv[0]);
    execv(path, (char *const *)(uintptr_t)argv);
    program_fail(me, "%s cannot be started: %s", path, strerror(errno));
    _exit(127);
}

/* Find the word after `key` in a text of lines. */
static bool
word_find(const char *text, const char *key, char value[static WORD_LEN])
{
    size_t n = strlen(key);
    for (const char *at = text; (at = strstr(at, key)); at += n)
        if ((at == text || at[-1] == '\n') && at[n] == ' ')
            return sscanf(at + n, " %127s", value) == 1;
    return false;
}

/* Read until the end, the key, the user's word, or the time is over. */
static bool
word_read(struct testnet *t, int fd, const char *key,
          char value[static WORD_LEN], int seconds)
{
    char text[2048];
    size_t len = 0;
    time_t until = time(NULL) + seconds;
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        const int n_ready = poll(&p, 1, 200);
        if (t->stopped() || time(NULL) > until ||
            (n_ready < 0 && errno != EINTR))
            return false;
        if (!(p.revents & (POLLIN | POLLHUP)))
            continue;
        ssize_t n = read(fd, text + len, sizeof text - 1 - len);
        if (n > 0)
            len += (size_t)n;
        text[len] = 0;
        if (key && strchr(text, '\n') && word_find(text, key, value))
            return true;
        if (n <= 0 || len == sizeof text - 1)
            return !key;
    }
}

int
process_run(struct testnet *t, const char *key, char value[static WORD_LEN],
            const char *program, const char *command, const char *name, ...)
{
    char dir[FILES_PATH_MAX];
    const char *argv[WORDS_MAX + 1] = {program, command, "--dir", dir};
    int fd[2], status;
    va_list words;
    snprintf(dir, sizeof dir, "%s/%s", t->config.dir, name);
    va_start(words, name);
    for (size_t n = 4; n < WORDS_MAX && (argv[n] = va_arg(words, char *)); n++)
        ;
    va_end(words);
    if (pipe(fd))
        return 127;
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fd[1], STDOUT_FILENO);
        close(fd[0]);
        close(fd[1]);
        program_exec(t, argv);
    }
    close(fd[1]);
    bool found = pid > 0 && word_read(t, fd[0], key, value, READY_S);
    close(fd[0]);
    if (pid > 0 && t->stopped())
        kill(pid, SIGTERM);
    if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
        return 127;
    return WEXITSTATUS(status) ? WEXITSTATUS(status) : found ? 0 : 1;
}

static void
child_exec(struct testnet *t, const char *name, const char *program, int ready)
{
    char dir[600], log[700], fd_text[16], parent[16];
    snprintf(dir, sizeof dir, "%s/%s", t->config.dir, name);
    snprintf(log, sizeof log, "%s/log", dir);
    snprintf(fd_text, sizeof fd_text, "%d", ready);
    snprintf(parent, sizeof parent, "%d", (int)getppid());
    int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    int in = open("/dev/null", O_RDONLY);
    if (out >= 0) {
        dup2(out, STDOUT_FILENO);
        dup2(out, STDERR_FILENO);
    }
    dup2(in, STDIN_FILENO);
    setpgid(0, 0); /* Ctrl-C is for the launcher, which stops them in order */
    const char *const argv[] = {program, "run",      "--dir", dir, "--ready-fd",
                                fd_text, "--parent", parent,  NULL};
    program_exec(t, argv);
}

int
process_start(struct testnet *t, const char *name, const char *program)
{
    int fd[2];
    struct child *c = &t->child[t->n_children];
    if (t->n_children == CHILDREN_MAX || pipe(fd))
        return 1;
    fcntl(fd[0], F_SETFD, FD_CLOEXEC);
    snprintf(c->name, sizeof c->name, "%s", name);
    c->pid = fork();
    if (c->pid == 0)
        child_exec(t, name, program, fd[1]);
    close(fd[1]);
    if (c->pid < 0) {
        c->pid = 0;
        close(fd[0]);
        return 1;
    }
    c->ready = fd[0];
    t->n_children++;
    return 0;
}

int
process_ready(struct testnet *t, const char *name, const char *key,
              char value[static WORD_LEN])
{
    struct child *c = t->child;
    while (strcmp(c->name, name) != 0)
        c++;
    bool ready = word_read(t, c->ready, key, value, READY_S);
    close(c->ready);
    c->ready = -1;
    if (!ready)
        testnet_blame(t, name, "did not start");
    return !ready;
}

/* Return the last line of a text, without what stands before its level. */
static const char *
line_last(char *text, size_t len)
{
    while (len > 0 && text[len - 1] == '\n')
        text[--len] = 0;
    char *line = strrchr(text, '\n');
    line = line ? line + 1 : text;
    const char *level = strstr(line, "error: ");
    return level ? level : line;
}

void
testnet_blame(const struct testnet *t, const char *name, const char *what)
{
    char path[FILES_PATH_MAX], end[512] = "";
    if (t->stopped())
        return;
    snprintf(path, sizeof path, "%s/%s/log", t->config.dir, name);
    FILE *f = fopen(path, "r");
    size_t len = 0;
    if (f && (fseek(f, -(long)sizeof end + 1, SEEK_END) == 0 ||
              fseek(f, 0, SEEK_SET) == 0))
        len = fread(end, 1, sizeof end - 1, f);
    if (f)
        fclose(f);
    end[len] = 0;
    program_fail(me, "%s %s: %s; see %s", name, what, line_last(end, len),
                 path);
}

const char *
testnet_ended(struct testnet *t)
{
    int status;
    for (unsigned i = 0; i < t->n_children; i++)
        if (t->child[i].pid &&
            waitpid(t->child[i].pid, &status, WNOHANG) == t->child[i].pid) {
            t->child[i].pid = 0;
            return t->child[i].name;
        }
    return NULL;
}

void
testnet_stop(struct testnet *t)
{
    time_t until = time(NULL) + STOP_S;
    for (unsigned i = 0; i < t->n_children; i++)
        if (t->child[i].pid)
            kill(t->child[i].pid, SIGINT); /* at once; nobody is left to wait */
    for (unsigned i = 0; i < t->n_children; i++) {
        pid_t pid = t->child[i].pid;
        while (pid && waitpid(pid, NULL, WNOHANG) == 0) {
            if (time(NULL) > until)
                kill(pid, SIGKILL);
            usleep(10000);
        }
        t->child[i].pid = 0;
    }
}
