/* sim/main.c - brusio-sim: Brusio's own objects under a virtual clock. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/version.h"
#include "sim/explain.h"
#include "sim/jobs.h"
#include "sim/report.h"
#include "sphinx/null.h"

static const char usage[] =
    "usage: brusio-sim run [options] FILE\n"
    "       brusio-sim explain [options] FILE\n"
    "       brusio-sim schema\n"
    "\n"
    "Run a network of Brusio's own objects in virtual time. FILE is a "
    "scenario\n"
    "in JSON; '-' reads standard input.\n"
    "\n"
    "  run      carry it out and print what was measured, with 95 % intervals\n"
    "  explain  say what it will do, how long it will take and how much "
    "memory\n"
    "  schema   print the JSON Schema of scenario files, with every default\n"
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

struct options {
    const char *file, *only, *csv, *json, *trace;
    uint64_t runs, seed;
    bool has_seed, memory;
    struct jobs_config jobs;
};

static int
number_parse(const char *name, const char *text, uint64_t min, uint64_t max,
             uint64_t *out)
{
    char *end;
    errno = 0;
    uint64_t v = strtoull(text, &end, 10);
    if (errno || *text < '0' || *text > '9' || *end || v < min || v > max) {
        fprintf(stderr,
                "brusio-sim: --%s wants a whole number from %" PRIu64
                " to %" PRIu64 ", not '%s'\n",
                name, min, max, text);
        return 2;
    }
    *out = v;
    return 0;
}

static int
options_parse(struct options *o, int argc, char **argv)
{
    static const struct option options[] = {
        {"case", required_argument, NULL, 'C'},
        {"runs", required_argument, NULL, 'r'},
        {"seed", required_argument, NULL, 's'},
        {"threads", required_argument, NULL, 't'},
        {"csv", required_argument, NULL, 'c'},
        {"json", required_argument, NULL, 'j'},
        {"trace", required_argument, NULL, 'T'},
        {"real-crypto", no_argument, NULL, 'R'},
        {"memory", no_argument, NULL, 'm'},
        {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'H'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0}};
    uint64_t threads = 0;
    int c, bad = 0;
    while (!bad && (c = getopt_long(argc, argv, "", options, NULL)) != -1)
        switch (c) {
        case 'C':
            o->only = optarg;
            break;
        case 'c':
            o->csv = optarg;
            break;
        case 'j':
            o->json = optarg;
            break;
        case 'T':
            o->trace = optarg;
            break;
        case 'R':
            o->jobs.real_crypto = true;
            break;
        case 'm':
            o->memory = true;
            break;
        case 'q':
            o->jobs.quiet = true;
            break;
        case 'r':
            bad = number_parse("runs", optarg, 1, 10000, &o->runs);
            break;
        case 't':
            bad = number_parse("threads", optarg, 1, 256, &threads);
            break;
        case 's':
            bad = number_parse("seed", optarg, 0, UINT64_MAX, &o->seed);
            o->has_seed = true;
            break;
        case 'H':
            fputs(usage, stdout);
            exit(0);
        case 'V':
            puts("brusio-sim " BRUSIO_VERSION);
            exit(0);
        default:
            bad = 2;
            break;
        }
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    o->jobs.threads = threads     ? (uint32_t)threads
                      : cores > 0 ? (uint32_t)cores
                                  : 1;
    return bad;
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
        fprintf(stderr, "brusio-sim: cannot read %s: %s\n", file,
                strerror(errno));
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
    fprintf(stderr, "brusio-sim: no case is named '%s'; there are:\n", name);
    for (size_t i = 0; i < f->n_cases; i++)
        fprintf(stderr, "  %s\n", f->cases[i]->name);
    return 2;
}

static int
scenario_read(struct scenario_file **out, const struct options *o)
{
    struct scenario_problem problem = {""};
    char directory[SCENARIO_PATH_MAX] = "", *slash;
    size_t len;
    char *text = text_read(o->file, &len);
    *out = NULL;
    if (!text)
        return 2;
    snprintf(directory, sizeof directory, "%s", o->file);
    slash = strrchr(directory, '/');
    directory[slash ? slash - directory : 0] = '\0';
    int err = scenario_parse(out, text, len, directory, &problem);
    free(text);
    if (err) {
        fprintf(stderr, "brusio-sim: %s: %s\n", o->file,
                problem.text[0] ? problem.text : error_text(err));
        return 2;
    }
    for (size_t i = 0; i < (*out)->n_cases; i++) {
        if (o->runs)
            (*out)->cases[i]->runs = (uint32_t)o->runs;
        if (o->has_seed)
            (*out)->cases[i]->seed = o->seed;
    }
    return o->only ? case_keep(*out, o->only) : 0;
}

/* ---- output ---- */

static int
report_to(const char *file,
          int (*report)(FILE *, const struct scenario_file *,
                        const struct case_result *),
          const struct scenario_file *s, const struct case_result *r)
{
    FILE *f = strcmp(file, "-") == 0 ? stdout : fopen(file, "w");
    int err = f ? report(f, s, r) : ERR_IO;
    if (err)
        fprintf(stderr, "brusio-sim: cannot write %s: %s\n", file,
                strerror(errno));
    if (f && f != stdout)
        fclose(f);
    return err;
}

static int
reports_write(const struct options *o, const struct scenario_file *s,
              const struct case_result *r)
{
    const bool taken = (o->csv && strcmp(o->csv, "-") == 0) ||
                       (o->json && strcmp(o->json, "-") == 0);
    int err = taken ? 0 : report_to("-", report_text, s, r);
    if (!err && o->csv)
        err = report_to(o->csv, report_csv, s, r);
    if (!err && o->json)
        err = report_to(o->json, report_json, s, r);
    return err ? 1 : 0;
}

static int
trace_open(struct options *o, const struct scenario_file *s)
{
    if (!o->trace)
        return 0;
    if (s->n_cases > 1 || s->cases[0]->runs > 1) {
        fputs("brusio-sim: --trace is of one run: choose one with --case NAME "
              "and --runs 1\n",
              stderr);
        return 2;
    }
    o->jobs.trace = strcmp(o->trace, "-") == 0 ? stdout : fopen(o->trace, "w");
    if (o->jobs.trace)
        return 0;
    fprintf(stderr, "brusio-sim: cannot write %s: %s\n", o->trace,
            strerror(errno));
    return 1;
}

static int
run(struct options *o, const struct scenario_file *s)
{
    struct scenario_problem problem;
    struct case_result *r = calloc(s->n_cases, sizeof *r);
    int status = trace_open(o, s), err;
    if (!r || status)
        goto out;
    err = jobs_run(s, &o->jobs, r, &problem);
    status = 1;
    if (err)
        fprintf(stderr, "brusio-sim: %s: %s\n", s->name,
                problem.text[0] ? problem.text : error_text(err));
    else
        status = reports_write(o, s, r);
    if (!status && report_missed(s, r) > 0)
        status = 1;
    if (o->jobs.trace && o->jobs.trace != stdout && fclose(o->jobs.trace)) {
        fprintf(stderr, "brusio-sim: cannot write %s: %s\n", o->trace,
                strerror(errno));
        status = 1;
    }
out:
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

int
main(int argc, char **argv)
{
    struct options o = {0};
    struct scenario_file *s = NULL;
    int status = options_parse(&o, argc, argv);
    const char *command = argc > optind ? argv[optind] : "";
    const bool runs = strcmp(command, "run") == 0,
               explains = strcmp(command, "explain") == 0;
    sphinx_null_register();
    if (!status && strcmp(command, "schema") == 0 && argc == optind + 1)
        return schema_print();
    if (status || !(runs || explains) || argc != optind + 2) {
        fputs(usage, stderr);
        return 2;
    }
    o.file = argv[optind + 1];
    status = scenario_read(&s, &o);
    if (!status)
        status = runs ? run(&o, s) : explain(s, &o.jobs);
    if (o.memory)
        memory_print();
    scenario_free(&s);
    return status;
}
