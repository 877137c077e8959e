/* sim/json_internal.h - tables that say what a scenario file may contain. */
#ifndef SIM_JSON_INTERNAL_H
#define SIM_JSON_INTERNAL_H
#include <stdbool.h>
#include <stddef.h>

#include "sim/scenario.h"

/* How a value is kept. A number of the file is multiplied by scale. */
enum key_kind {
    KEY_U32,
    KEY_U64,
    KEY_INTERVAL, /* uint64_t, of a number that may be broken */
    KEY_U16,
    KEY_DOUBLE,
    KEY_BOOL,
    KEY_TEXT, /* char[size] */
    KEY_FILE, /* the same, joined to the scenario's directory */
    KEY_ENUM, /* int-sized enum, 1, 2, .. in the order of names */
    KEY_OTHER /* read by code of its own */
};

struct scenario_key {
    const char *name;
    enum key_kind kind;
    size_t offset, size;
    double scale, min, max;
    const char *names; /* enum: "poisson|constant", */
    const char *help;
};

struct scenario_table {
    const char *name; /* of the key whose object it is; "" the file itself */
    const struct scenario_key *keys;
    size_t n;
    size_t offset; /* of the object's structure in struct scenario */
};

extern const struct scenario_table scenario_tables[];
extern const size_t scenario_tables_len;
const struct scenario_table *scenario_table(const char *name);

/* What a scenario is that says nothing. */
void scenario_defaults(struct scenario *s, enum scenario_level level,
                       enum scenario_trip trip);
void scenario_group_defaults(struct scenario_clients *g);

/* Number `number`, from 1, of names; NULL: there are fewer. *len: its length.
 */
const char *scenario_enum_name(const char *names, int number, size_t *len);
#endif
