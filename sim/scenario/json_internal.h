/* sim/scenario/json_internal.h - what the files that read scenarios share. */
#ifndef SIM_SCENARIO_JSON_INTERNAL_H
#define SIM_SCENARIO_JSON_INTERNAL_H
#include <jansson.h>

#include "sim/scenario/scenario_fields.h"

enum { READER_PATH_MAX = 256 };

/* The first error stays, with the place it was at. */
struct reader {
    int err;
    struct scenario_problem *problem;
    const char *directory;
    struct params params;
    char in_case[SCENARIO_NAME_MAX + 16]; /* `case "..": `, or nothing */
    char path[READER_PATH_MAX];           /* of what is read now */
};

/* Go into the member `key`, or the element i, of what r reads. Returns the mark
 * that reader_leave() wants to be back where r was. */
size_t reader_enter(struct reader *r, const char *key);
size_t reader_enter_element(struct reader *r, size_t i);
void reader_leave(struct reader *r, size_t mark);

/* Say what is wrong at the path of r; or at `key` of what is there. */
void reader_fail(struct reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void reader_fail_at(struct reader *r, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Say that there is no memory. */
void reader_nomem(struct reader *r);
/* Say what f wants, and that v is not it: "wants a whole number from 1 to 20,
 * not 2.5". */
void reader_wants(struct reader *r, const struct field *f, const json_t *v);
/* Say that t has no such key, and which is near. */
void reader_unknown(struct reader *r, const struct field_table *t,
                    const char *key);

/* Read all members of o that t has into the structure at base, where defaults
 * are; one that neither t nor t->also has is an error. */
void object_read(struct reader *r, const struct field_table *t, json_t *o,
                 void *base);
/* Check whether v is a list of as many elements as f wants; else that is the
 * error. */
bool list_check(struct reader *r, const struct field *f, const json_t *v);
/* Make the value that f has at `at`, of which reading begins; f is a number, a
 * name, a text, a profile, or true or false. */
json_t *default_make(const struct field *f, const uint8_t *at);
/* Note the paths that a case's `set` has, in `file`. */
void set_paths_read(struct reader *r, struct scenario_file *file, json_t *set);
/* Note in s what it has at all paths of `file`, by what is written in `tree` or
 * by s itself. */
void set_values_fill(struct reader *r, const struct scenario_file *file,
                     const json_t *tree, struct scenario *s);
/* Read the numbers of a list, each in the range of f, to `out`, which has room
 * for all. */
void numbers_read(struct reader *r, const struct field *f, const json_t *list,
                  double *out);
#endif
