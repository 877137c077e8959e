/* sim/scenario/scenario_fields.h - which key of a scenario file is which field,
 * of what type and range, and what it is for.
 *
 * The reader (json.c) and the schema (json_schema.c) go through these tables
 * and nothing else, so they cannot differ. Defaults are not in them: reading
 * begins with a structure full of defaults, and the schema shows what is in
 * that. */
#ifndef SIM_SCENARIO_SCENARIO_FIELDS_H
#define SIM_SCENARIO_SCENARIO_FIELDS_H
#include "sim/scenario/scenario.h"

enum {
    FIELD_NAMES_MAX = 8,
    SCENARIO_ABOUT_MAX = 4096,
    SCENARIO_RATES_MAX = 100000, /* of all groups together */
    SCENARIO_CLIENTS_MAX = 20000000
};

enum field_kind {
    FIELD_BOOL = 1,
    FIELD_WHOLE,       /* uint32_t or uint64_t by size; size 0: not kept */
    FIELD_NUMBER,      /* double */
    FIELD_THOUSANDTHS, /* uint32_t or uint64_t, 1000 times what is written:
                          ms to us, a rate to mhz, a share to permille */
    FIELD_NAME,        /* one of `names`, an enum counted from 1 */
    FIELD_PROFILE,     /* struct profile, by its name in the parameters */
    FIELD_TEXT,        /* char[size] */
    FIELD_PATH,        /* char[size], joined to the file's directory */
    FIELD_LONG_TEXT,   /* char *, owned */
    FIELD_RATES,       /* numbers to uint32_t *, owned, and uint32_t count */
    FIELD_VALUES,      /* numbers to double *, owned, and size_t count */
    FIELD_VALUE,       /* the same, written as one number */
    FIELD_WEIGHTS,     /* lists of numbers; read with what is beside them */
    FIELD_OBJECT,      /* a structure, by `of` */
    FIELD_OBJECTS,     /* list of structures of `size`, and uint32_t or size_t
                          count */
    FIELD_CASES,       /* list of struct scenario_set, by `of`, not kept */
    FIELD_SET          /* object as it is, const void * */
};

enum {
    FIELD_REQUIRED = 1,
    FIELD_BARE = 2 /* has no default: something else is meant without it */
};

struct field {
    const char *key;
    enum field_kind kind;
    unsigned flags;
    size_t offset, size;
    double min, max;                 /* of numbers as they are written */
    size_t count_offset, count_size; /* of lists: where their length is, */
    size_t elements;                 /* and how many they may have */
    const char *const *names;
    const struct field_table *of;
    const char *help;
};

struct field_table {
    const struct field *fields;
    size_t n;
    /* Keys that the same object may have and that are read elsewhere. */
    const struct field_table *also;
};

/* One of the cases, as it is written. */
struct scenario_set {
    char name[SCENARIO_NAME_MAX];
    const void *set;
};

extern const struct field_table scenario_table;      /* struct scenario */
extern const struct field_table scenario_file_table; /* .. scenario_file */

/* Find the field of t with this key, or NULL; t->also is not looked into. */
const struct field *field_find(const struct field_table *t, const char *key);

/* List what f may be, if it is a FIELD_NAME or, by p, a FIELD_PROFILE, NULL
 * after the last. Returns how many, 0 for others. p outlives the names. */
size_t field_names(const struct field *f, const struct params *p,
                   const char *names[static FIELD_NAMES_MAX + 1]);

/* Fill s with everything that a scenario says nothing of, for this level and
 * trip (0: the level's). All groups of clients are filled, n_clients is 0. */
void scenario_defaults(struct scenario *s, enum scenario_level level,
                       enum scenario_trip trip);
/* Fill f with what a file says nothing of. */
void scenario_file_defaults(struct scenario_file *f);
#endif
