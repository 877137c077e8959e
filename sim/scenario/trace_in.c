/* sim/scenario/trace_in.c - numbers from lines of a file.
 *
 * A line is read at a time, its numbers checked one by one, and what is wrong
 * named with the file and the line. A schedule is sorted by time when it is
 * there, and then taken send by send.
 *
 * State of a schedule: all its sends, and which is next. Failure modes: a file
 * that cannot be opened or read (ERR_IO, with the system's reason), a line that
 * is none (ERR_FORMAT), no memory. */
#include "sim/scenario/trace_in.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_LEN = 1 << 20, SENDS_MAX = 200000000 };

struct send {
    uint64_t at_us;
    uint32_t client, line;
};

struct trace_in {
    struct send *send;
    size_t n, next, room;
};

static int
problem_line(struct scenario_problem *problem, const char *file, size_t line,
             const char *wants)
{
    snprintf(problem->text, sizeof problem->text, "%s, line %zu: wants %s",
             file, line, wants);
    return ERR_FORMAT;
}

static int
file_open(FILE **f, trace_in_open_fn open, const char *file,
          struct scenario_problem *problem)
{
    *f = open ? open(file) : NULL;
    if (*f)
        return 0;
    snprintf(problem->text, sizeof problem->text, "cannot read %s: %s", file,
             open ? strerror(errno) : "no files are read here");
    return ERR_IO;
}

/* A number from 0 to most, and the character behind it. */
static bool
number_read(const char **at, double most, double *out)
{
    char *end;
    errno = 0;
    *out = strtod(*at, &end);
    if (end == *at || errno || !(*out >= 0 && *out <= most))
        return false;
    while (*end == ' ' || *end == '\t' || *end == '\r')
        end++;
    *at = end;
    return true;
}

static bool
send_read(const char *line, uint32_t clients, struct send *s)
{
    double at_s, client;
    if (!number_read(&line, 1e9, &at_s) || *line++ != ',' ||
        !number_read(&line, clients - 1.0, &client) ||
        (*line != '\n' && *line != '\0') || client != floor(client))
        return false;
    s->at_us = (uint64_t)(at_s * 1e6 + 0.5);
    s->client = (uint32_t)client;
    return true;
}

static int
send_add(struct trace_in *t, struct send s)
{
    if (t->n == SENDS_MAX)
        return ERR_LONG;
    if (t->n == t->room) {
        size_t room = t->room ? 2 * t->room : 1024;
        struct send *more = realloc(t->send, room * sizeof *more);
        if (!more)
            return ERR_NOMEM;
        t->send = more;
        t->room = room;
    }
    t->send[t->n++] = s;
    return 0;
}

static int
send_order(const void *a, const void *b)
{
    const struct send *x = a, *y = b;
    if (x->at_us != y->at_us)
        return x->at_us < y->at_us ? -1 : 1;
    return (x->line > y->line) - (x->line < y->line);
}

int
trace_in_read(struct trace_in **out, trace_in_open_fn open, const char *file,
              uint32_t clients, struct scenario_problem *problem)
{
    char line[256], wants[128];
    FILE *f;
    *out = NULL;
    int err = file_open(&f, open, file, problem);
    if (err)
        return err;
    struct trace_in *t = calloc(1, sizeof *t);
    if (!t)
        err = ERR_NOMEM;
    for (uint32_t n = 1; !err && fgets(line, sizeof line, f); n++) {
        struct send s = {.line = n};
        if (send_read(line, clients, &s)) {
            err = send_add(t, s);
        } else if (n > 1 || strchr("0123456789.-+", line[0])) {
            snprintf(wants, sizeof wants,
                     "\"time_s,client\", the client from 0 to %u, its group's "
                     "count less 1",
                     clients - 1);
            err = problem_line(problem, file, n, wants);
        }
    }
    if (!err && t->n == 0)
        err = problem_line(problem, file, 1, "at least one send");
    if (!err)
        qsort(t->send, t->n, sizeof *t->send, send_order);
    else
        trace_in_free(&t);
    fclose(f);
    *out = t;
    return err;
}

void
trace_in_free(struct trace_in **t)
{
    if (*t)
        free((*t)->send);
    free(*t);
    *t = NULL;
}

uint64_t
trace_in_at_us(const struct trace_in *t)
{
    return t->next < t->n ? t->send[t->next].at_us : UINT64_MAX;
}

uint32_t
trace_in_next(struct trace_in *t)
{
    return t->send[t->next++].client;
}

bool
trace_in_is_over(const struct trace_in *t)
{
    return t->next == t->n;
}

static bool
row_read(const char *line, uint32_t n, uint32_t *row)
{
    for (uint32_t i = 0; i < n; i++) {
        double ms;
        if (!number_read(&line, 1e6, &ms))
            return false;
        row[i] = (uint32_t)(ms * 1000 + 0.5);
        if (i + 1 < n && *line++ != ',')
            return false;
    }
    return *line == '\n' || *line == '\0';
}

int
matrix_read(uint32_t **out, trace_in_open_fn open, const char *file, uint32_t n,
            struct scenario_problem *problem)
{
    char *line = malloc(LINE_MAX_LEN), wants[80];
    uint32_t *m = calloc((size_t)n * n, sizeof *m), rows = 0;
    bool good = true;
    FILE *f = NULL;
    *out = NULL;
    int err = line && m ? file_open(&f, open, file, problem) : ERR_NOMEM;
    while (!err && good && fgets(line, LINE_MAX_LEN, f)) {
        good = rows < n && row_read(line, n, m + (size_t)n * rows);
        rows++;
    }
    if (!err && (!good || rows < n)) {
        snprintf(wants, sizeof wants,
                 "%u lines of %u numbers of milliseconds, with commas", n, n);
        err = problem_line(problem, file, good ? rows + 1 : rows, wants);
    }
    if (f)
        fclose(f);
    free(line);
    if (err)
        free(m);
    else
        *out = m;
    return err;
}
