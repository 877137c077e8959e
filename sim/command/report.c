/* sim/command/report.c - text, CSV, JSON; expectations.
 *
 * Text is for people, a figure a line, with what was expected after it. CSV has
 * a line for each figure of each case, and JSON the same in objects, both with
 * what each case sets. An expectation is met when the figure is as near as its
 * tolerance and chance allow; one that is too vague to tell is not met. Cases
 * of which no run has ended have no figures.
 *
 * No state. Failure mode: what cannot be written is ERR_IO. */
#include "sim/command/report.h"

#include <inttypes.h>
#include <math.h>

#include "sim/stats.h"

enum { VAGUE = 5 };

struct expect_verdict
report_judge(const struct scenario_expect *e, size_t number,
             const struct sim_result *r)
{
    const struct sim_metric *m = result_find(r, e->metric);
    const double wanted = e->values[e->n_values == 1 ? 0 : number];
    struct expect_verdict v = {.value = m ? m->value : NAN, .wanted = wanted};
    double tolerance = fmax(e->tolerance, e->relative * fabs(wanted));
    /* half widths are of 95 % */
    double error = m && !isnan(m->half) ? m->half / 1.96 : 0;
    double chance = e->false_alarm > 0
                        ? error * stats_t_quantile(e->false_alarm, SIZE_MAX)
                        : 0;
    v.allowed = tolerance + chance;
    v.vague = chance > VAGUE * tolerance;
    v.good = !v.vague && fabs(v.value - wanted) <= v.allowed;
    return v;
}

static int
report_flush(FILE *f)
{
    return fflush(f) || ferror(f) ? ERR_IO : 0;
}

static void
text_value(FILE *f, double value, double half)
{
    fprintf(f, " %12.6g", value);
    if (isnan(half))
        fprintf(f, "  %11s", "");
    else
        fprintf(f, " +- %-9.2g", half);
}

static void
text_expects(FILE *f, const struct scenario_file *file, size_t number,
             const struct sim_result *r)
{
    for (size_t k = 0; k < file->n_expects && r->n > 0; k++) {
        const struct scenario_expect *e = &file->expects[k];
        struct expect_verdict v = report_judge(e, number, r);
        fprintf(f, "  %-7s %s is %.6g, expected %.6g within %.2g%s\n",
                v.good ? "ok" : "MISSED", e->metric, v.value, v.wanted,
                v.allowed,
                v.vague          ? ": too uncertain to tell, run it longer"
                : isnan(v.value) ? ": nothing was measured"
                                 : "");
    }
}

int
report_text(FILE *f, const struct scenario_file *file,
            const struct case_result *results)
{
    fprintf(f, "%s%s%s\n", file->name, file->about ? ": " : "",
            file->about ? file->about : "");
    for (size_t i = 0; i < file->n_cases; i++) {
        const struct scenario *s = results[i].scenario;
        const struct sim_result *r = &results[i].result;
        if (results[i].ended == 0) {
            fprintf(f, "\n%s: no run of it has ended\n", s->name);
            continue;
        }
        fprintf(f, "\n%s (seed %" PRIu64 "%s, course %016" PRIx64 ")\n",
                s->name, s->seed, s->runs > 1 ? " and on" : "", r->course);
        if (results[i].ended < s->runs)
            fprintf(f, "  of the %" PRIu32 " of %" PRIu32 " runs that ended\n",
                    results[i].ended, s->runs);
        for (size_t k = 0; k < r->n; k++) {
            fprintf(f, "  %-22s", r->metric[k].name);
            text_value(f, r->metric[k].value, r->metric[k].half);
            fprintf(f, " %s\n", r->metric[k].unit);
        }
        text_expects(f, file, i, r);
    }
    return report_flush(f);
}

/* In quotes, for CSV and JSON alike but for what stands for a quote. */
static void
quoted_print(FILE *f, const char *text, const char *quote)
{
    fputc('"', f);
    for (; *text; text++)
        if (*text == '"')
            fputs(quote, f);
        else if (*text == '\\' && quote[0] == '\\')
            fputs("\\\\", f);
        else if ((unsigned char)*text < 0x20)
            fputc(' ', f);
        else
            fputc(*text, f);
    fputc('"', f);
}

static void
number_print(FILE *f, double v, const char *none)
{
    if (isfinite(v))
        fprintf(f, "%.10g", v);
    else
        fputs(none, f);
}

/* The values of what the file's cases set; the end of a line. */
static void
csv_set(FILE *f, const struct scenario_file *file, const struct scenario *s)
{
    for (size_t k = 0; k < file->n_set; k++) {
        fputc(',', f);
        quoted_print(f, s->set[k], "\"\"");
    }
    fputc('\n', f);
}

int
report_csv(FILE *f, const struct scenario_file *file,
           const struct case_result *results)
{
    fputs("case,metric,value,half_width_95,unit", f);
    for (size_t k = 0; k < file->n_set; k++) {
        fputc(',', f);
        quoted_print(f, file->set_paths[k], "\"\"");
    }
    fputc('\n', f);
    for (size_t i = 0; i < file->n_cases; i++)
        for (size_t k = 0; k < results[i].result.n; k++) {
            const struct sim_metric *m = &results[i].result.metric[k];
            quoted_print(f, results[i].scenario->name, "\"\"");
            fprintf(f, ",%s,", m->name);
            number_print(f, m->value, "");
            fputc(',', f);
            number_print(f, m->half, "");
            fprintf(f, ",%s", m->unit);
            csv_set(f, file, results[i].scenario);
        }
    return report_flush(f);
}

static void
json_case(FILE *f, const struct scenario_file *file, size_t number_of,
          const struct case_result *c)
{
    const struct sim_result *r = &c->result;
    fputs("  {\"name\": ", f);
    quoted_print(f, c->scenario->name, "\\\"");
    fprintf(f,
            ", \"seed\": %" PRIu64 ", \"runs\": %" PRIu32
            ", \"course\": \"%016" PRIx64 "\", \"set\": {",
            c->scenario->seed, c->ended, r->course);
    for (size_t k = 0; k < file->n_set; k++) {
        fputs(k ? ", " : "", f);
        quoted_print(f, file->set_paths[k], "\\\"");
        fputs(": ", f);
        quoted_print(f, c->scenario->set[k], "\\\"");
    }
    fputs("}, \"metrics\": {", f);
    for (size_t k = 0; k < r->n; k++) {
        fprintf(f, "%s\n    \"%s\": {\"value\": ", k ? "," : "",
                r->metric[k].name);
        number_print(f, r->metric[k].value, "null");
        fputs(", \"half\": ", f);
        number_print(f, r->metric[k].half, "null");
        fprintf(f, ", \"unit\": \"%s\"}", r->metric[k].unit);
    }
    fputs("},\n   \"expected\": [", f);
    for (size_t k = 0; k < file->n_expects && r->n > 0; k++) {
        struct expect_verdict v = report_judge(&file->expects[k], number_of, r);
        fprintf(f, "%s\n    {\"metric\": ", k ? "," : "");
        quoted_print(f, file->expects[k].metric, "\\\"");
        fprintf(f, ", \"met\": %s, \"wanted\": ", v.good ? "true" : "false");
        number_print(f, v.wanted, "null");
        fputs(", \"allowed\": ", f);
        number_print(f, v.allowed, "null");
        fputc('}', f);
    }
    fputs("]}", f);
}

int
report_json(FILE *f, const struct scenario_file *file,
            const struct case_result *results)
{
    fputs("{\"name\": ", f);
    quoted_print(f, file->name, "\\\"");
    fputs(", \"cases\": [\n", f);
    for (size_t i = 0; i < file->n_cases; i++) {
        json_case(f, file, i, &results[i]);
        fputs(i + 1 < file->n_cases ? ",\n" : "\n", f);
    }
    fputs("]}\n", f);
    return report_flush(f);
}

size_t
report_missed(const struct scenario_file *file,
              const struct case_result *results)
{
    size_t missed = 0;
    for (size_t i = 0; i < file->n_cases; i++)
        for (size_t k = 0; k < file->n_expects; k++)
            missed +=
                !report_judge(&file->expects[k], i, &results[i].result).good;
    return missed;
}
