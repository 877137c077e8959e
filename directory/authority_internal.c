/* directory/authority_internal.c - what all files of an authority call; it
 * calls none of them. */
#include "directory/authority_internal.h"

#include <stdlib.h>
#include <string.h>

int
authority_output(struct authority *a, enum authority_output what,
                 const uint8_t *bytes, size_t len)
{
    return a->config.publish(a->config.ctx, what, a->target, bytes, len);
}

int
authority_count(struct authority *a, int err)
{
    if (err)
        a->status.refused[-err]++;
    return err;
}

int
authority_sign_body(struct authority *a, enum document_kind kind, char *body,
                    size_t body_len, uint8_t **out, size_t *len)
{
    struct document *d = calloc(1, sizeof *d);
    int err = d ? 0 : ERR_NOMEM;
    if (!err) {
        d->kind = kind;
        d->body = (const uint8_t *)body;
        d->body_len = body_len;
        err = document_sign(d, &a->key);
    }
    if (!err)
        err = document_write(d, out, len);
    free(body);
    free(d);
    return err;
}

int
bytes_copy(uint8_t **to, size_t *to_len, const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len + 1);
    if (!copy)
        return ERR_NOMEM;
    memcpy(copy, bytes, len);
    copy[len] = 0;
    free(*to);
    *to = copy;
    *to_len = len;
    return 0;
}
