/* lib/os/config.h - strict configuration files.
 *
 * A file is flat: `key = value` lines and # comments, at most CONFIG_FILE_MAX
 * bytes. Values are words, "strings" with \" and \\, and lists {a, "b"}. A
 * program says in one table what it takes; whatever the table does not name, and
 * what other formats let pass in silence (sections, +=, ${VAR}, open strings, keys
 * given twice), is an error. Every problem ends in one message for people:
 *
 *     FILE:LINE: what is wrong; expected ...; did you mean 'nearest'? */
#ifndef LIB_OS_CONFIG_H
#define LIB_OS_CONFIG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/error.h"

enum {
    CONFIG_FILE_MAX = 64 << 10,
    CONFIG_ERROR_LEN = 384,
    CONFIG_OPTIONS_MAX = 64, /* in a table */
    CONFIG_LIST_MAX = 256    /* elements of a list */
};

/* What stands at an option's offset in the caller's structure. */
enum config_type {
    CONFIG_STRING = 1, /* char *, never NULL after success */
    CONFIG_INTEGER,    /* int64_t, decimal; the key's name says the unit */
    CONFIG_BOOLEAN,    /* bool; true, false, yes or no */
    CONFIG_ENUM,       /* int, index into names */
    CONFIG_LIST,       /* struct config_list */
    CONFIG_LOOPBACK    /* char *: "127.0.0.1:9100", "[::1]:9100", or "" */
};

struct config_list {
    char **item;
    size_t n;
};

/* One key. The table is static memory of the caller. */
struct config_option {
    const char *name;
    enum config_type type;
    size_t offset;
    bool required;
    const char *value; /* default, or when required an example of it: the
                        * value without quotes; of a list "a,b" or "" */
    int64_t min, max;  /* INTEGER: value; STRING: bytes; LIST: elements */
    const char *const *names; /* ENUM: all names, then NULL */
    const char *help;         /* one line */
};

/* Read a file, or len bytes of text that messages call `name`, into out. Only
 * the options' fields of out are written; what was in them is overwritten, not
 * freed. After an error they are zero and error holds the message. Returns 0,
 * ERR_IO (cannot be read), ERR_LONG (file), ERR_FORMAT, ERR_UNKNOWN (key or
 * enum), ERR_DUPLICATE (key), ERR_RANGE, ERR_MISSING (key), ERR_NOMEM, or
 * ERR_ARG (the table itself). */
int config_read(const struct config_option *table, size_t n, const char *path,
                void *out, char error[static CONFIG_ERROR_LEN]) CHECK_RESULT;
int config_read_text(const struct config_option *table, size_t n,
                     const char *name, const char *text, size_t len, void *out,
                     char error[static CONFIG_ERROR_LEN]) CHECK_RESULT;

/* Write an example file: help, what is allowed, and the default as a comment;
 * required keys stand there with their example. config_read accepts it. The
 * caller checks ferror(to). */
void config_write_example(const struct config_option *table, size_t n,
                          FILE *to);

/* Are the values of this option the same in two structures that were read? */
bool config_same(const struct config_option *o, const void *a, const void *b);
/* Exchange them. */
void config_swap(const struct config_option *o, void *a, void *b);

/* Free and zero the strings and lists that reading left in out; zeroed fields
 * are fine, and so is out == NULL. */
void config_free(const struct config_option *table, size_t n, void *out);
#endif
