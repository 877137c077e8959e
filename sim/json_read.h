/* sim/json_read.h - the reader of scenario files, shared by its own files. */
#ifndef SIM_JSON_READ_H
#define SIM_JSON_READ_H
#include <jansson.h>

#include "sim/json_internal.h"

struct reader {
    int err;
    struct scenario_problem *problem;
    const char *directory, *in_case;
};

/* Note the first thing that is wrong: where, then what. Returns ERR_FORMAT. */
int reader_fail(struct reader *r, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int reader_number(struct reader *r, const char *where, const json_t *v,
                  double min, double max, double *out);
int reader_object(struct reader *r, const struct scenario_table *t,
                  const char *where, const json_t *object, void *base);

/* json_parts.c: what no table reads. */
int reader_weights(struct reader *r, const json_t *root, struct scenario *s);
int reader_corrupt(struct reader *r, const json_t *root, struct scenario *s);
int reader_clients(struct reader *r, const json_t *root, struct scenario *s);
int reader_expects(struct reader *r, const json_t *root,
                   struct scenario_file *f);
/* json_check.c: do the parts fit together? */
int scenario_check(struct reader *r, const struct scenario *s);
#endif
