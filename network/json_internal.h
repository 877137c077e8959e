/* network/json_internal.h - what the readers and writers of bodies share. */
#ifndef NETWORK_JSON_INTERNAL_H
#define NETWORK_JSON_INTERNAL_H
#include "lib/json_table.h"
#include "network/json.h"

/* What stands in documents of several kinds. */
extern const struct json_table json_params_table;
extern const struct json_table json_entry_table; /* of a relay, with its key */
extern const struct json_table json_standing_table, json_certificate_table;
extern const struct json_table json_consensus_table;

/* The geometry of s, which says how long the packet keys are that are read or
 * made after it. */
#define F_GEOMETRY(s)                                        \
    JSON_FIELD("geometry", JSON_OTHER, JSON_AT(s, geometry), \
               .read = json_geometry_read, .make = json_geometry_make)
void json_geometry_read(struct json_reader *r, const json_t *v, void *at);
json_t *json_geometry_make(struct json_writer *w, const void *at);

/* A struct days of s, of `least` values at least. */
#define F_DAYS(s, least)                                          \
    JSON_FIELD("days", JSON_LIST, JSON_OF(s, days.value, days.n), \
               .min = (least), .max = DAYS_MAX, .element = JSON_HEX)

/* Parse len bytes of body. Returns NULL after an error. */
json_t *json_body_load(struct json_reader *r, const uint8_t *body, size_t len);

/* Note an error unless body, of len bytes, is the one way to write root. */
void json_canonical_check(struct json_reader *r, const json_t *root,
                          const uint8_t *body, size_t len);

/* Read body by t into out, which is zeroed, with packet keys of key_len bytes;
 * canonical: any other way to write the same is an error. Returns the error, and
 * its key in `where`. */
int json_body_read(const struct json_table *t, void *out, size_t key_len,
                   const uint8_t *body, size_t len, bool canonical,
                   char where[static JSON_WHERE_LEN]) CHECK_RESULT;

/* Write root to *out, which is malloc'd and the caller's, and free root.
 * Returns 0, or ERR_NOMEM, also when bad is set. */
int json_body_dump(json_t *root, int bad, char **out, size_t *len);

/* Write what t says of in, with packet keys of key_len bytes. */
int json_body_write(const struct json_table *t, const void *in, size_t key_len,
                    char **out, size_t *len) CHECK_RESULT;
#endif
