/* lib/json_table.h - structures as objects of JSON and back, by tables.
 *
 * A table says which member of an object is which field of a structure, of what
 * kind, size and range. One reader goes through it, strictly: a member that is
 * missing, unknown, of another kind or out of range is an error, and the first
 * error stays. One writer goes the other way. Pure. */
#ifndef LIB_JSON_TABLE_H
#define LIB_JSON_TABLE_H
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"

/* What a field is. The first nine are read before all others. */
enum json_kind {
    JSON_WHOLE = 1, /* uint8_t to uint64_t by `size`, min to max */
    JSON_INT,       /* int, min to max */
    JSON_BOOL,      /* bool */
    JSON_HEX,       /* `size` bytes, in lower case */
    JSON_WORD,      /* char[size], printable without blanks, not empty */
    JSON_TEXT,      /* char[size], any */
    JSON_OWNED,   /* char *, any: malloc'd and the caller's, after errors too */
    JSON_COUNTS,  /* uint64_t[max], an object of numbers by `names` */
    JSON_ERRORS,  /* uint64_t[ERROR_COUNT], by error_name(), but the zeros */
    JSON_KEY,     /* in hex as many bytes as reader or writer say */
    JSON_TABLE,   /* a structure, by `of` */
    JSON_MEMBERS, /* the same, with its members among the object's own */
    JSON_LIST,    /* array of `max`, of which min at least are there */
    JSON_ROWS,    /* the same behind a pointer: malloc'd and the caller's, also
                       after an error */
    JSON_OTHER    /* by `read` and `make` */
};

struct json_reader {
    int err;
    const char *where; /* the key of that error; static memory */
    size_t key_len;    /* of each JSON_KEY */
};

struct json_writer {
    int bad; /* other than 0: no memory; one look at the end is enough */
    size_t key_len;
};

struct json_field {
    const char *name;
    enum json_kind kind;
    size_t offset, size;             /* of lists: of one element */
    int64_t min, max;                /* of lists: elements */
    size_t count_offset, count_size; /* of lists: where their length is */
    enum json_kind element;          /* of lists */
    const struct json_table *of;
    const char
        *sorted; /* of lists of tables: elements are sorted by their first
                           field, none twice; the key that errors tell then */
    const char *const *names;
    void (*read)(struct json_reader *r, const json_t *v, void *at);
    json_t *(*make)(struct json_writer *w, const void *at);
};

struct json_table {
    const struct json_field *field;
    size_t n;
    /* What is to be judged when all is read; NULL: nothing. */
    void (*check)(struct json_reader *r, const void *in);
};

/* Fields of struct s; f is also the name of the member. */
#define JSON_FIELD(...) \
    {                   \
        __VA_ARGS__     \
    }
#define JSON_AT(s, f) .offset = offsetof(struct s, f)
#define JSON_IN(s, f) JSON_AT(s, f), .size = sizeof(((struct s *)0)->f)
#define F_INT(s, f, lo, hi) \
    JSON_FIELD(#f, JSON_WHOLE, JSON_IN(s, f), .min = (lo), .max = (hi))
#define F_HEX(s, f)      JSON_FIELD(#f, JSON_HEX, JSON_IN(s, f))
#define F_WORD(s, f)     JSON_FIELD(#f, JSON_WORD, JSON_IN(s, f))
#define F_TABLE(s, f, t) JSON_FIELD(#f, JSON_TABLE, JSON_AT(s, f), .of = &(t))
/* Lists: array f of s, of lo to hi elements, of which `count` are there. */
#define JSON_OF(s, f, count)                                  \
    JSON_AT(s, f), .size = sizeof(*((struct s *)0)->f),       \
                   .count_offset = offsetof(struct s, count), \
                   .count_size = sizeof(((struct s *)0)->count)
#define F_LIST(s, f, count, lo, hi, k)                                        \
    JSON_FIELD(#f, JSON_LIST, JSON_OF(s, f, count), .min = (lo), .max = (hi), \
               .element = (k))
/* The same of structures, by the table t; behind a pointer. */
#define JSON_SORTED(t, order) \
    .element = JSON_TABLE, .of = &(t), .sorted = (order)
#define F_TABLES(s, f, count, lo, hi, t, order)                               \
    JSON_FIELD(#f, JSON_LIST, JSON_OF(s, f, count), .min = (lo), .max = (hi), \
               JSON_SORTED(t, order))
#define F_ROWS(s, f, count, hi, t, order)                        \
    JSON_FIELD(#f, JSON_ROWS, JSON_OF(s, f, count), .max = (hi), \
               JSON_SORTED(t, order))
#define JSON_FIELDS(a) .field = (a), .n = sizeof(a) / sizeof((a)[0])

/* Note err at the key `where`, unless r has an error already. */
void json_reader_fail(struct json_reader *r, int err, const char *where);

/* Read the object o by t into out, which is zeroed. */
void json_table_read(struct json_reader *r, const struct json_table *t,
                     const json_t *o, void *out);

/* Read the list f of o into the structure at base. */
void json_list_read(struct json_reader *r, const struct json_field *f,
                    const json_t *o, void *base);

/* Return the member of o called name, a list of lo to hi elements; NULL after
 * an error. */
const json_t *json_list_get(struct json_reader *r, const json_t *o,
                            const char *name, size_t lo, size_t hi);

/* Read v, called name in errors, as len bytes in hex. */
void json_hex_read(struct json_reader *r, const json_t *v, const char *name,
                   uint8_t *at, size_t len);

/* Make the object that t says of in. jansson reports lack of memory as NULL,
 * and takes NULL as a value, so w->bad is set on the way. */
json_t *json_table_make(struct json_writer *w, const struct json_table *t,
                        const void *in);

/* Give o the member name; v is taken over. */
void json_member_put(struct json_writer *w, json_t *o, const char *name,
                     json_t *v);

/* Make a string of len bytes of data in hex; NULL when out of memory. */
json_t *json_hex_make(const uint8_t *data, size_t len);

/* Load or keep an unsigned number of 1, 2, 4 or 8 bytes; any other size has no
 * number. */
uint64_t json_whole_load(const void *at, size_t size);
void json_whole_keep(void *at, size_t size, uint64_t v);
#endif
