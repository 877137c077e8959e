/* lib/json_text.h - JSON as text and back, safe when memory lacks.
 *
 * jansson goes on when an allocation fails in the middle of a key that is being
 * written (jansson's issue 655) or of a word that is being read. The outcome is
 * another text, or another value, or memory overwritten, when a string's last
 * quote had no room. So a written text is not used if an allocation has failed,
 * and a text is read from memory that cannot fail. */
#ifndef LIB_JSON_TEXT_H
#define LIB_JSON_TEXT_H
#include <jansson.h>
#include <stddef.h>

#include "lib/error.h"

/* Write root with jansson's flags. *out is malloc'd and the caller's, *len (len
 * may be NULL) is its length without the final 0; NULL and 0 after an error.
 * root may be NULL, as jansson returns when there was no memory for a value.
 * Returns 0 or ERR_NOMEM. */
int json_to_text(const json_t *root, size_t flags, char **out,
                 size_t *len) CHECK_RESULT;

/* Read len bytes of text with jansson's flags into *out, which is the caller's.
 * Returns 0, ERR_NOMEM, or ERR_FORMAT: then *e says what is wrong, unless e is
 * NULL. */
int json_from_text(json_t **out, const char *text, size_t len, size_t flags,
                   json_error_t *e) CHECK_RESULT;
#endif
