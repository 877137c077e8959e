/* sphinx/tool/tool.h - the parts of brusio-sphinx.
 *
 * Each command takes what it needs from one JSON object and makes another.
 * Byte strings are hexadecimal, lengths and numbers integers. A command that
 * fails returns NULL with the reason in tool->error, a line for people. */
#ifndef SPHINX_TOOL_TOOL_H
#define SPHINX_TOOL_TOOL_H
#include <stdbool.h>

#include "lib/json_table.h"
#include "sphinx/sphinx.h"

struct tool {
    struct sphinx_worker *worker;
    uint8_t seed[SPHINX_SEED_LEN];   /* of --seed, else random */
    struct sphinx_geometry geometry; /* of the options */
    char error[160];
};

/* A view and a path as read; pointers in hop[] go to the arrays here. */
struct tool_path {
    struct sphinx_view view;
    size_t n;
    struct sphinx_hop hop[SPHINX_HOPS_MAX];
    uint8_t public_key[SPHINX_HOPS_MAX][SPHINX_PUBLIC_MAX];
    uint8_t identity[SPHINX_HOPS_MAX][SPHINX_ID_LEN];
};

/* ---- tool_json.c: reading and writing. The readers return 0 or ERR_*, and
 * say in t->error which value is wrong. ---- */

/* Write to t->error that key is wrong, and why. Returns ERR_FORMAT. */
int tool_fail(struct tool *t, const char *key, const char *why);

/* Read the member key of in, exactly len bytes in hex, into out. */
int tool_get_bytes(struct tool *t, json_t *in, const char *key, uint8_t *out,
                   size_t len) CHECK_RESULT;

/* Read the member "body" of in into out, of len bytes; a shorter body is filled
 * up with zeros. */
int tool_get_body(struct tool *t, json_t *in, uint8_t *out,
                  size_t len) CHECK_RESULT;

/* Find the suite called name, if this process can use it; where is the option
 * or key that names it. */
int tool_suite(struct tool *t, const char *where, const char *name,
               uint8_t *suite) CHECK_RESULT;

/* Read the member "geometry" of in; without that member *g is t->geometry. */
int tool_get_geometry(struct tool *t, json_t *in,
                      struct sphinx_geometry *g) CHECK_RESULT;

/* Read the view and the path of in. */
int tool_get_path(struct tool *t, json_t *in, struct tool_path *p) CHECK_RESULT;

/* Make the object of all lengths of g. */
json_t *tool_geometry(const struct sphinx_geometry *g);

/* ---- commands ---- */

/* Do what the command of that name does with the object in. */
json_t *tool_do_keygen(struct tool *t, json_t *in);
json_t *tool_do_new(struct tool *t, json_t *in);
json_t *tool_do_unwrap(struct tool *t, json_t *in);
json_t *tool_do_surb_create(struct tool *t, json_t *in);
json_t *tool_do_surb_use(struct tool *t, json_t *in);
json_t *tool_do_surb_open(struct tool *t, json_t *in);

/* Make the contents of tests/vectors/sphinx.json; in is not read. */
json_t *tool_do_vectors(struct tool *t, json_t *in);

enum { TOOL_JSON_FLAGS = JSON_INDENT(1) };
#endif
