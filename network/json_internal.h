/* network/json_internal.h - what the readers and writers of bodies share. */
#ifndef NETWORK_JSON_INTERNAL_H
#define NETWORK_JSON_INTERNAL_H
#include <jansson.h>

#include "network/json.h"

enum type { T_INT, T_HEX, T_TEXT };

/* A field: T_INT of `size` bytes in min..max; T_HEX of `size` bytes; T_TEXT of
 * min to size - 1 printable characters. */
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

/* Reading: a reader keeps the first error, with the key at which that error
 * occurred. */
struct json_reader {
    int err;
    char *where;
};

/* Note err at the key where, unless r has an error already. */
void json_reader_fail(struct json_reader *r, int err, const char *where);

/* Parse len bytes of body. Returns NULL after an error. */
json_t *json_body_load(struct json_reader *r, const uint8_t *body, size_t len);

/* Note an error unless body, of len bytes, is the one way to write root. */
void json_canonical_check(struct json_reader *r, const json_t *root,
                          const uint8_t *body, size_t len);

/* Read the n fields f of o into out. o has these and `others` more keys, which
 * the caller reads. */
void json_object_read(struct json_reader *r, const json_t *o,
                      const struct json_field *f, size_t n, size_t others,
                      void *out);

/* Return the member of o called name, a list of lo to hi elements; NULL after
 * an error. */
const json_t *json_list_get(struct json_reader *r, const json_t *o,
                            const char *name, size_t lo, size_t hi);

/* Read v, called name in errors, as len bytes in hex. */
void json_hex_read(struct json_reader *r, const json_t *v, const char *name,
                   uint8_t *at, size_t len);

/* Read v, called name in errors, as a text of 1 to size - 1 characters. */
void json_text_read(struct json_reader *r, const json_t *v, const char *name,
                    char *at, size_t size);

/* Read the member "geometry" of o. */
void json_geometry_read(struct json_reader *r, const json_t *o,
                        struct sphinx_geometry *g);

/* Read the member "params" of o. */
void json_params_read(struct json_reader *r, const json_t *o, struct params *p);

/* Writing: jansson reports lack of memory as -1 and NULL, and takes NULL as a
 * value, so *bad is set on the way and one check at the end is enough. */

/* Make a string of len bytes of data in hex; NULL when out of memory. */
json_t *json_hex_make(const uint8_t *data, size_t len);

/* Add the n fields f of in to o. Returns 0, or other than 0 when out of memory.
 */
int json_object_write(json_t *o, const struct json_field *f, size_t n,
                      const void *in);

/* Make the object of g, or of p. */
json_t *json_geometry_make(const struct sphinx_geometry *g, int *bad);
json_t *json_params_make(const struct params *p, int *bad);

/* Read the member "days" of o, of `least` values at least. */
void json_days_read(struct json_reader *r, const json_t *o, size_t least,
                    struct days *d);

/* Make the list of d. */
json_t *json_days_make(const struct days *d, int *bad);

/* Read the member of o called name, a list of at most `most` standings. *out is
 * malloc'd and the caller's, also after an error. */
void json_standings_read(struct json_reader *r, const json_t *o,
                         const char *name, size_t most, struct standing **out,
                         size_t *n);

/* Make the list of the n standings s. */
json_t *json_standings_make(const struct standing *s, size_t n, int *bad);

/* Read or make the entry of a relay, with its packet key of key_len bytes. */
void json_entry_read(struct json_reader *r, const json_t *o,
                     struct relay_entry *e, size_t key_len);
json_t *json_entry_make(const struct relay_entry *e, size_t key_len, int *bad);

/* Read or write a certificate as members of o; when reading, o has `others`
 * more keys, which the caller reads. */
void json_certificate_read(struct json_reader *r, const json_t *o,
                           size_t others, struct certificate *c);
int json_certificate_write(json_t *o, const struct certificate *c);

/* Read or make a whole consensus. Reading makes neither index nor digest. */
void json_consensus_read(struct json_reader *r, const json_t *o,
                         struct consensus *c);
json_t *json_consensus_make(const struct consensus *c, int *bad);

/* Write root to *out, which is malloc'd and the caller's, and free root.
 * Returns 0, or ERR_NOMEM, also when bad is set. */
int json_body_dump(json_t *root, int bad, char **out, size_t *len);
#endif
