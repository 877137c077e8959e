/* sim/command/main.c - brusio-sim: Brusio's own objects under a virtual clock.
 *
 * It reads the command line and the scenario, opens what figures go to, which
 * takes no time and may fail, and then runs, which may take hours. The first
 * SIGINT, SIGTERM or SIGHUP ends all runs and reports what has ended; the next one
 * but SIGHUP, which terminal and shell both send, ends the program.
 *
 * State: that somebody wants it to end. Failure modes: wrong usage or a wrong
 * scenario is 2, what fails is 1, and each is told in a line. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/os/host.h"
#include "lib/os/program.h"
#include "sim/command/explain.h"
#include "sim/command/jobs.h"
#include "sim/command/output.h"
#include "sim/command/report.h"
#include "sim/scenario/metrics.h"
#include "sphinx/null.h"

static const char program[] = "brusio-sim";

static const char usage[] =
    "usage: brusio-sim run [options] FILE\n"
    "       brusio-sim explain [options] FILE\n"
    "       brusio-sim schema\n"
    "       brusio-sim metrics\n"
    "\n"
    "Run a network of Brusio's own objects in virtual time. FILE is a "
    "scenario\n"
    "in JSON; '-' reads standard input.\n"
    "\n"
    "  run      carry it out and print what was measured, with 95 % intervals\n"
    "  explain  say what it will do, how long it will take and how much "
    "memory\n"
    "  schema   print the JSON Schema of scenario files, with every default\n"
    "  metrics  print all figures: names, units, and when they are measured\n"
    "\n"
    "  --case NAME     this one of the scenario's cases only\n"
    "  --runs N        so many independent runs of each case\n"
    "  --seed N        the same seed gives the same output\n"
    "  --threads N     runs at the same time (default: one for each core)\n"
    "  --csv FILE      write the figures as CSV; '-': standard output,\n"
    "  --json FILE     as JSON, in place of the text\n"
    "  --trace FILE    write every event of the one run as CSV\n"
    "  --real-crypto   real Sphinx packets; the same course, slower\n"
    "  --memory        print the most memory that was used, on standard error\n"
    "  --quiet         no progress on standard error\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0, 1 (failed, or something expected was not met), 2 (wrong\n"
    "usage or scenario).\n";

enum { TEXT_MAX = 16 << 20 };

enum {
    CASE,
    RUNS,
    SEED,
    THREADS,
    CSV,
    JSON,
    TRACE,
    REAL_CRYPTO,
    MEMORY,
    QUIET,
    OPTIONS
};
static const char both[] = " run explain ";
static const struct args_option options[OPTIONS] = {
    {"case", false, both},     {"runs", false, both},
    {"seed", false, both},     {"threads", false, both},
    {"csv", false, " run "},   {"json", false, " run "},
    {"trace", false, " run "}, {"real-crypto", true, both},
    {"memory", true, both},    {"quiet", true, both}};
static const struct args_form form = {.options = options,
                                      .n_options = OPTIONS,
                                      .commands =
                                          " run explain schema metrics ",
                                      .rest_max = 1,
                                      .usage = usage};

struct sim_wish {
    const char *file, *only;
    uint64_t runs, seed;
    bool has_seed, memory;
    struct output csv, json, trace;
    struct jobs_config jobs;
};

static bool
wish_read(struct sim_wish *w, const struct args *a)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t threads;
    if (!args_number(a, options, RUNS, 1, 10000, 0, &w->runs) ||
        !args_number(a, options, SEED, 0, UINT64_MAX, 0, &w->seed) ||
        !args_number(a, options, THREADS, 1, 256,
                     cores > 0 ? (uint64_t)cores : 1, &threads))
        return false;
    w->file = a->rest[0];
    w->only = a->value[CASE];
    w->has_seed = a->value[SEED];
    w->memory = a->value[MEMORY];
    w->csv.name = a->value[CSV];
    w->json.name = a->value[JSON];
    w->trace.name = a->value[TRACE];
    w->jobs.threads = (uint32_t)threads;
    w->jobs.real_crypto = a->value[REAL_CRYPTO];
    w->jobs.quiet = a->value[QUIET];
    return true;
}

/* ---- the scenario ---- */

static char *
text_read(const char *file, size_t *len)
{
    FILE *f = strcmp(file, "-") == 0 ? stdin : fopen(file, "r");
    char *text = malloc(TEXT_MAX + 1);
    *len = 0;
    if (f && text)
        *len = fread(text, 1, TEXT_MAX + 1, f);
    if (!f || !text || ferror(f)) {
        program_fail(program, "cannot read %s: %s", file, strerror(errno));
        free(text);
        text = NULL;
    }
    if (f && f != stdin)
        fclose(f);
    return text;
}

/* Keep one case of a file. */
static int
case_keep(struct scenario_file *f, const char *name)
{
    for (size_t i = 0; i < f->n_cases; i++) {
        if (strcmp(f->cases[i]->name, name) != 0)
            continue;
        struct scenario *first = f->cases[0];
        f->cases[0] = f->cases[i];
        f->cases[i] = first;
        for (size_t k = 0; k < f->n_expects; k++)
            if (f->expects[k].n_values > 1)
                f->expects[k].values[0] = f->expects[k].values[i];
        scenario_cases_keep(f, 1);
        return 0;
    }
    program_fail(program, "no case is named '%s'; there are:", name);
    for (size_t i = 0; i < f->n_cases; i++)
        fprintf(stderr, "  %s\n", f->cases[i]->name);
    return 2;
}

static int
scenario_read(struct scenario_file **out, const struct sim_wish *w)
{
    struct scenario_problem problem = {""};
    char directory[SCENARIO_PATH_MAX] = "", *slash;
    size_t len;
    char *text = text_read(w->file, &len);
    *out = NULL;
    if (!text)
        return 2;
    snprintf(directory, sizeof directory, "%s", w->file);
    slash = strrchr(directory, '/');
    directory[slash ? slash - directory : 0] = '\0';
    int err = scenario_parse(out, text, len, directory, &problem);
    free(text);
    if (err)
        return program_misuse(program, "%s: %s", w->file,
                              problem.text[0] ? problem.text : error_text(err));
    for (size_t i = 0; i < (*out)->n_cases; i++) {
        if (w->runs)
            (*out)->cases[i]->runs = (uint32_t)w->runs;
        if (w->has_seed)
            (*out)->cases[i]->seed = w->seed;
    }
    return w->only ? case_keep(*out, w->only) : 0;
}

/* ---- output ---- */

/* Before the run, which may take hours. */
/* Refuse outputs of which one would take another's place, or that of what is read. */
static int
outputs_differ(const struct sim_wish *w, const struct scenario_file *s)
{
    const struct output *const all[] = {&w->trace, &w->csv, &w->json};
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < i; k++)
            if (output_is_same(all[i], all[k]))
                return program_misuse(program, "%s is named for two outputs",
                                      all[i]->name);
        bool read = output_replaces(all[i], w->file);
        for (size_t k = 0; k < s->n_cases; k++) {
            const struct scenario *one = s->cases[k];
            read |= output_replaces(all[i], one->network.latency_file);
            for (uint32_t c = 0; c < one->n_clients; c++)
                read |= output_replaces(all[i], one->clients[c].trace);
        }
        if (read)
            return program_misuse(
                program, "%s is what is read; name another file for the output",
                all[i]->name);
    }
    return 0;
}

static int
outputs_open(struct sim_wish *w, const struct scenario_file *s)
{
    if (w->trace.name && (s->n_cases > 1 || s->cases[0]->runs > 1))
        return program_misuse(
            program,
            "--trace is of one run: choose one with --case NAME and --runs 1");
    int status = output_open(&w->trace);
    if (!status)
        status = output_open(&w->csv);
    if (!status)
        status = output_open(&w->json);
    w->jobs.trace = w->trace.file;
    return status ? status : outputs_differ(w, s);
}

static int
reports_write(struct sim_wish *w, const struct scenario_file *s,
              const struct case_result *r)
{
    struct output text = {.name = "-"};
    int err = 0;
    if (!output_is_stdout(&w->csv) && !output_is_stdout(&w->json))
        err = output_open(&text) ? ERR_IO : report_text(text.file, s, r);
    if (!err && w->csv.file)
        err = report_csv(w->csv.file, s, r);
    if (!err && w->json.file)
        err = report_json(w->json.file, s, r);
    if (err && err != ERR_IO)
        program_fail(program, "%s", error_text(err));
    return output_close(&text, OUTPUT_WHOLE) || err ? 1 : 0;
}

/* All files end alike. */
static int
outputs_close(struct sim_wish *w, enum output_end end)
{
    return output_close(&w->trace, end) | output_close(&w->csv, end) |
           output_close(&w->json, end);
}

static void
part_tell(const struct output *o)
{
    if (o->file && o->beside)
        program_fail(program, "what there is is in %s.part; %s is as it was",
                     o->name, o->name);
}

/* What has ended before somebody had enough counts. */
static int
interrupted_report(struct sim_wish *w, const struct scenario_file *s,
                   const struct case_result *r)
{
    uint32_t ended = 0, runs = 0;
    for (size_t i = 0; i < s->n_cases; i++) {
        ended += r[i].ended;
        runs += r[i].scenario->runs;
    }
    program_fail(program,
                 "%s: interrupted; of %" PRIu32 " runs %" PRIu32 " had ended",
                 w->file, runs, ended);
    part_tell(&w->trace);
    if (ended == 0) {
        (void)(output_close(&w->csv, OUTPUT_NONE) |
               output_close(&w->json, OUTPUT_NONE));
    } else {
        part_tell(&w->csv);
        part_tell(&w->json);
        (void)reports_write(w, s, r);
    }
    (void)outputs_close(w, OUTPUT_PART);
    return 1;
}

/* Set by the first signal; the next one ends the program at once. */
static atomic_bool stop;

static void
stop_on_signal(int number)
{
    (void)number;
    atomic_store(&stop, true);
}

static void
signals_take(void)
{
    const struct sigaction act = {.sa_handler = stop_on_signal,
                                  .sa_flags = (int)SA_RESETHAND},
                           hangup = {.sa_handler = stop_on_signal};
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    if (!host_hangup_is_ignored())
        sigaction(SIGHUP, &hangup, NULL);
}

static int
run(struct sim_wish *w, const struct scenario_file *s)
{
    struct scenario_problem problem = {""};
    struct case_result *r = calloc(s->n_cases, sizeof *r);
    signals_take();
    w->jobs.stop = &stop;
    int status = r ? outputs_open(w, s) : 1;
    if (status)
        goto out;
    const int err = jobs_run(s, &w->jobs, r, &problem);
    if (err == ERR_CLOSED) {
        status = interrupted_report(w, s, r);
    } else if (err) {
        program_fail(program, "%s: %s%s", w->file,
                     problem.text[0] ? problem.text : error_text(err),
                     err == ERR_NOMEM ? "; 'explain' says how much it takes"
                                      : "");
        status = jobs_exit_status(err);
    } else {
        status = reports_write(w, s, r);
        if (outputs_close(w, status ? OUTPUT_NONE : OUTPUT_WHOLE) && !status)
            status = 1;
        if (!status && report_missed(s, r) > 0)
            status = 1;
    }
out:
    (void)outputs_close(w, OUTPUT_NONE);
    free(r);
    return status;
}

static void
memory_print(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    fprintf(stderr, "memory %ld MiB at most\n", use.ru_maxrss / 1024);
}

static int
schema_print(void)
{
    char *schema = scenario_schema();
    if (!schema)
        return 1;
    puts(schema);
    free(schema);
    return 0;
}

static int
metrics_print(void)
{
    size_t n;
    const struct metric *m = metrics_all(&n);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || m[i].when != m[i - 1].when)
            printf("%s%s:\n", i ? "\n" : "", metric_when_text(&m[i]));
        printf("  %-25s %-10s %s\n", m[i].name, m[i].unit, m[i].help);
    }
    return fflush(stdout) ? ARGS_EXIT_FAILED : 0;
}

static int
arguments_obey(int argc, char **argv)
{
    struct args a;
    struct sim_wish w = {0};
    struct scenario_file *s = NULL;
    int status = program_begin(&a, argc, argv, &form);
    if (status >= 0)
        return status;
    sphinx_null_register();
    const bool schema = strcmp(a.command, "schema") == 0;
    const bool metrics = strcmp(a.command, "metrics") == 0;
    if ((schema || metrics) && a.n_rest > 0)
        return program_misuse(program, "%s reads no file", a.command);
    if (schema || metrics)
        return schema ? schema_print() : metrics_print();
    if (a.n_rest == 0)
        return program_misuse(
            program,
            "which scenario? %s FILE; '-' reads it from standard input",
            a.command);
    if (!wish_read(&w, &a))
        return ARGS_EXIT_USAGE;
    status = scenario_read(&s, &w);
    if (!status)
        status = strcmp(a.command, "run") == 0 ? run(&w, s)
                                               : explain(s, w.file, &w.jobs);
    if (w.memory)
        memory_print();
    scenario_free(&s);
    return status;
}

int
main(int argc, char **argv)
{
    return program_end(program, arguments_obey(argc, argv));
}
