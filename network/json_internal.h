/* network/json_internal.h - what the readers and writers of bodies share. */
#ifndef NETWORK_JSON_INTERNAL_H
#define NETWORK_JSON_INTERNAL_H
#include <jansson.h>

#include "network/json.h"

enum type { T_INT, T_HEX, T_TEXT };

/* A field: T_INT of `size` octets in min..max; T_HEX of `size` octets; T_TEXT
 * of at most size - 1 printable characters, at least min. */
struct json_field {
    const char *name;
    enum type type;
    size_t offset, size;
    uint64_t min, max;
};

#define F_INT(s, f, lo, hi)                                                  \
    {                                                                        \
#f, T_INT, offsetof(struct s, f), sizeof(((struct s *)0)->f), lo, hi \
    }
#define F_HEX(s, f)                                                        \
    {                                                                      \
#f, T_HEX, offsetof(struct s, f), sizeof(((struct s *)0)->f), 0, 0 \
    }
#define F_TEXT(s, f)                                                        \
    {                                                                       \
#f, T_TEXT, offsetof(struct s, f), sizeof(((struct s *)0)->f), 1, 0 \
    }
#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Reading: the first error stays, with the key it was at. */
struct json_reader {
    int err;
    char *where;
};
void json_reader_fail(struct json_reader *r, int err, const char *where);
json_t *json_body_load(struct json_reader *r, const uint8_t *body, size_t len);
/* Is this the one way to write it? */
void json_canonical_check(struct json_reader *r, const json_t *root,
                          const uint8_t *body, size_t len);
/* All fields of a table, and `others` keys that the caller reads. */
void json_object_read(struct json_reader *r, const json_t *o,
                      const struct json_field *f, size_t n, size_t others,
                      void *out);
/* A list of lo..hi elements, or NULL after an error. */
const json_t *json_list_get(struct json_reader *r, const json_t *o,
                            const char *name, size_t lo, size_t hi);
void json_hex_read(struct json_reader *r, const json_t *v, const char *name,
                   uint8_t *at, size_t len);
void json_text_read(struct json_reader *r, const json_t *v, const char *name,
                    char *at, size_t size);
/* The member "geometry" of o. */
void json_geometry_read(struct json_reader *r, const json_t *o,
                        struct sphinx_geometry *g);
void json_params_read(struct json_reader *r, const json_t *o, struct params *p);

/* Writing; jansson reports lack of memory through -1 and NULL, which the
 * json_*_new calls take as values, so one check at the end is enough. */
json_t *json_hex_make(const uint8_t *data, size_t len);
int json_object_write(json_t *o, const struct json_field *f, size_t n,
                      const void *in);
json_t *json_geometry_make(const struct sphinx_geometry *g, int *bad);
json_t *json_params_make(const struct params *p, int *bad);
/* The member "days" of o, of `least` values at least. */
void json_days_read(struct json_reader *r, const json_t *o, size_t least,
                    struct days *d);
json_t *json_days_make(const struct days *d, int *bad);
/* A list of standings, which is malloc'd also after an error; `name` is what it
 * is called. */
void json_standings_read(struct json_reader *r, const json_t *o,
                         const char *name, size_t most, struct standing **out,
                         size_t *n);
json_t *json_standings_make(const struct standing *s, size_t n, int *bad);
/* An entry of a consensus, packet key included; a whole consensus. Reading a
 * consensus makes neither index nor digest. */
void json_entry_read(struct json_reader *r, const json_t *o,
                     struct relay_entry *e, size_t key_len);
json_t *json_entry_make(const struct relay_entry *e, size_t key_len, int *bad);
/* A certificate as members of o, beside `others` that the caller reads. */
void json_certificate_read(struct json_reader *r, const json_t *o,
                           size_t others, struct certificate *c);
int json_certificate_write(json_t *o, const struct certificate *c);
void json_consensus_read(struct json_reader *r, const json_t *o,
                         struct consensus *c);
json_t *json_consensus_make(const struct consensus *c, int *bad);
/* Takes root over. */
int json_body_dump(json_t *root, int bad, char **out, size_t *len);
#endif
