/* lib/json_text.h - JSON as text and back, safe when memory lacks.
 *
 * jansson goes on when an allocation fails in the middle of a key that it
 * writes (its issue 655) or of a word that it reads: what comes out is another
 * text, or another value, or memory overwritten, when it is a string's last
 * quote that had no room. So what it writes is not used if one of its
 * allocations has failed, and what it reads never sees one fail. */
#ifndef LIB_JSON_TEXT_H
#define LIB_JSON_TEXT_H
#include <jansson.h>
#include <stddef.h>

#include "lib/error.h"

/* Write root with jansson's flags. *out is malloc'd, *len (which may be NULL)
 * without the final 0; NULL and 0 after an error. root may be NULL: there was
 * no room for what it should have been. Returns 0 or ERR_NOMEM. */
int json_to_text(const json_t *root, size_t flags, char **out,
                 size_t *len) CHECK_RESULT;

/* Read len bytes with jansson's flags. *e, which may be NULL, says what is
 * wrong after ERR_FORMAT. Returns also ERR_NOMEM. */
int json_from_text(json_t **out, const char *text, size_t len, size_t flags,
                   json_error_t *e) CHECK_RESULT;
#endif
