/* network/json_body.c - bodies of documents as canonical text, and back.
 *
 * A body that was read is written again and has to give the same bytes. No
 * state. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json_text.h"
#include "network/json_internal.h"

enum { CANONICAL = JSON_SORT_KEYS | JSON_COMPACT };

/* Values take up to a hundred times as much memory as their text: {}, for one.
 * So a longer body, signed or not, may have no more values than relays have in
 * as many bytes: a table has 64 bytes at least, any value 16. */
enum { TABLES_MIN = 1024, TABLE_LEN = 64, VALUES_MIN = 32768, VALUE_LEN = 16 };

static bool
body_is_sparse(const uint8_t *body, size_t len)
{
    const size_t most_tables = TABLES_MIN + len / TABLE_LEN;
    const size_t most_values = VALUES_MIN + len / VALUE_LEN;
    size_t tables = 0, values = 0;
    bool text = false;
    for (size_t i = 0; i < len; i++) {
        const uint8_t ch = body[i];
        if (text && ch == '\\')
            i++;
        else if (ch == '"')
            text = !text;
        else if (!text) {
            tables += ch == '{' || ch == '[';
            values += ch == ',';
        }
    }
    return tables <= most_tables && values <= most_values;
}

json_t *
json_body_load(struct json_reader *r, const uint8_t *body, size_t len)
{
    json_t *root = NULL;
    int err = body_is_sparse(body, len)
                  ? json_from_text(&root, (const char *)body, len,
                                   JSON_REJECT_DUPLICATES, NULL)
                  : ERR_RANGE;
    if (err)
        json_reader_fail(r, err, "JSON");
    return root;
}

void
json_canonical_check(struct json_reader *r, const json_t *root,
                     const uint8_t *body, size_t len)
{
    if (r->err)
        return;
    char *text;
    size_t text_len;
    int err = json_to_text(root, CANONICAL, &text, &text_len);
    if (err)
        json_reader_fail(r, err, "JSON");
    else if (text_len != len || memcmp(text, body, len) != 0)
        json_reader_fail(r, ERR_FORMAT, "not canonical");
    free(text);
}

int
json_body_read(const struct json_table *t, void *out, size_t key_len,
               const uint8_t *body, size_t len, bool canonical,
               char where[static JSON_WHERE_LEN])
{
    struct json_reader r = {.key_len = key_len, .where = ""};
    json_t *root = json_body_load(&r, body, len);
    if (root)
        json_table_read(&r, t, root, out);
    if (canonical)
        json_canonical_check(&r, root, body, len);
    json_decref(root);
    snprintf(where, JSON_WHERE_LEN, "%s", r.where);
    return r.err;
}

int
json_body_dump(json_t *root, int bad, char **out, size_t *len)
{
    const int err = json_to_text(bad ? NULL : root, CANONICAL, out, len);
    json_decref(root);
    return err;
}

int
json_body_write(const struct json_table *t, const void *in, size_t key_len,
                char **out, size_t *len)
{
    struct json_writer w = {.key_len = key_len};
    json_t *root = json_table_make(&w, t, in);
    return json_body_dump(root, w.bad, out, len);
}
