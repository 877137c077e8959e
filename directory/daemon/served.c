/* directory/daemon/served.c - see served.h. */
#include "directory/daemon/served.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/codec.h"
#include "lib/pack.h"
#include "network/diff.h"
#include "network/json.h"

static int
document_read(const uint8_t *document, size_t len, struct consensus **out)
{
    char where[JSON_WHERE_LEN];
    struct document *d = malloc(sizeof *d);
    *out = NULL;
    int err =
        d ? document_parse(d, DOCUMENT_CONSENSUS, document, len) : ERR_NOMEM;
    if (!err)
        err = json_read_consensus(out, d->body, d->body_len, where);
    if (!err)
        document_digest(d, (*out)->digest);
    free(d);
    return err;
}

static void
diffs_clear(struct served *s)
{
    for (size_t i = 0; i < SERVED_KEPT; i++) {
        free(s->diff[i]);
        s->diff[i] = NULL;
    }
}

int
served_put(struct served *s, const uint8_t *document, size_t len)
{
    struct consensus *c;
    uint8_t *copy = malloc(len), *packed = NULL;
    size_t packed_len;
    int err = copy ? document_read(document, len, &c) : ERR_NOMEM;
    if (!err) {
        err = pack_deflate(document, len, &packed, &packed_len);
        if (err)
            consensus_free(&c);
    }
    if (err) {
        free(copy);
        return err;
    }
    memcpy(copy, document, len);
    diffs_clear(s);
    consensus_free(&s->before[SERVED_KEPT - 1]);
    memmove(&s->before[1], &s->before[0],
            (SERVED_KEPT - 1) * sizeof s->before[0]);
    s->before[0] = s->newest;
    s->newest = c;
    free(s->document);
    free(s->packed);
    s->document = copy;
    s->document_len = len;
    s->packed = packed;
    s->packed_len = packed_len;
    char hex[2 * SPHINX_DIGEST_LEN + 1];
    codec_hex(hex, c->digest, SPHINX_DIGEST_LEN);
    snprintf(s->etag, sizeof s->etag, "\"%s\"", hex);
    return 0;
}

/* Find the diff from the i-th consensus before; make it when it is not there
 * yet. */
static const uint8_t *
diff_find(struct served *s, size_t i, size_t *len)
{
    uint8_t *plain;
    size_t plain_len;
    if (!s->diff[i] && diff_make(s->before[i], s->newest, s->document,
                                 s->document_len, &plain, &plain_len) == 0) {
        if (pack_deflate(plain, plain_len, &s->diff[i], &s->diff_len[i]))
            s->diff[i] = NULL;
        free(plain);
    }
    *len = s->diff[i] ? s->diff_len[i] : 0;
    return s->diff[i];
}

const uint8_t *
served_find(struct served *s, const char *path, size_t *len, bool *current)
{
    static const char diff[] = "/v1/diff/";
    enum { HEX = 2 * SPHINX_DIGEST_LEN, SKIP = sizeof diff - 1 };
    char hex[HEX + 1];
    uint8_t digest[SPHINX_DIGEST_LEN];
    *len = 0;
    *current = false;
    if (!s->newest)
        return NULL;
    if (strcmp(path, "/v1/consensus") == 0) {
        *len = s->document_len;
        return s->document;
    }
    if (strcmp(path, "/v1/consensus.z") == 0) {
        *len = s->packed_len;
        return s->packed;
    }
    if (strncmp(path, diff, SKIP) != 0 || strlen(path) != SKIP + HEX + 2 ||
        strcmp(path + SKIP + HEX, ".z") != 0)
        return NULL;
    memcpy(hex, path + SKIP, HEX);
    hex[HEX] = 0;
    if (codec_unhex(digest, sizeof digest, hex))
        return NULL;
    *current = memcmp(s->newest->digest, digest, sizeof digest) == 0;
    for (size_t i = 0; i < SERVED_KEPT && s->before[i]; i++)
        if (memcmp(s->before[i]->digest, digest, sizeof digest) == 0)
            return diff_find(s, i, len);
    return NULL;
}

void
served_clear(struct served *s)
{
    diffs_clear(s);
    consensus_free(&s->newest);
    for (size_t i = 0; i < SERVED_KEPT; i++)
        consensus_free(&s->before[i]);
    free(s->document);
    free(s->packed);
    *s = (struct served){0};
}
