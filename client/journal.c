/* client/journal.c - building groups, and remembering how far they are kept.
 *
 * States: sound; failed (a group was lost: no later one counts as kept). The
 * requests are allocated apart and outlive the journal when they have to. */
#include "client/journal.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lib/codec.h"

struct journal {
    struct env *env;
    uint8_t *group;
    size_t len, room;
    unsigned depth;
    uint64_t given, committed; /* tickets */
    struct pending *pending;   /* newest first */
    void (*fn)(void *ctx);
    void *ctx;
    int err;
};

struct pending {
    struct env_store_req req;
    struct journal *journal; /* NULL: it is gone */
    struct pending *next;
    uint64_t ticket;
    uint8_t group[];
};

int
journal_new(struct journal **out, struct env *env)
{
    *out = NULL;
    if (!env->ops->store)
        return ERR_ARG;
    struct journal *j = calloc(1, sizeof *j);
    if (!j)
        return ERR_NOMEM;
    j->env = env;
    *out = j;
    return 0;
}

void
journal_free(struct journal **jp)
{
    struct journal *j = *jp;
    *jp = NULL;
    if (!j)
        return;
    for (struct pending *p = j->pending; p; p = p->next)
        p->journal = NULL;
    if (j->group)
        sodium_memzero(j->group, j->room);
    free(j->group);
    free(j);
}

void
journal_on_commit(struct journal *j, void (*fn)(void *ctx), void *ctx)
{
    j->fn = fn;
    j->ctx = ctx;
}

void
journal_begin(struct journal *j)
{
    j->depth++;
}

static uint8_t *
group_grow(struct journal *j, size_t more)
{
    if (j->len + more > j->room) {
        size_t room = 2 * (j->len + more);
        uint8_t *g = realloc(j->group, room);
        if (!g) {
            j->err = ERR_NOMEM;
            return NULL;
        }
        j->group = g;
        j->room = room;
    }
    j->len += more;
    return j->group + j->len - more;
}

void
journal_put(struct journal *j, const uint8_t *key, size_t key_len,
            const uint8_t *value, size_t value_len)
{
    uint8_t *at = group_grow(j, 2 + key_len + 4 + value_len);
    if (!at)
        return;
    at[0] = JOURNAL_PUT;
    at[1] = (uint8_t)key_len;
    memcpy(at + 2, key, key_len);
    codec_put32(at + 2 + key_len, (uint32_t)value_len);
    if (value_len > 0)
        memcpy(at + 6 + key_len, value, value_len);
}

void
journal_delete(struct journal *j, const uint8_t *key, size_t key_len)
{
    uint8_t *at = group_grow(j, 2 + key_len);
    if (!at)
        return;
    at[0] = JOURNAL_DELETE;
    at[1] = (uint8_t)key_len;
    memcpy(at + 2, key, key_len);
}

static void
pending_unlink(struct journal *j, const struct pending *p)
{
    struct pending **at = &j->pending;
    while (*at && *at != p)
        at = &(*at)->next;
    if (*at)
        *at = p->next;
}

static void
pending_done(struct env_store_req *req)
{
    struct pending *p = req->owner;
    struct journal *j = p->journal;
    int err = req->err;
    uint64_t ticket = p->ticket;
    if (j)
        pending_unlink(j, p);
    sodium_memzero(p->group, req->letter_len);
    free(p);
    if (!j)
        return;
    if (err && !j->err)
        j->err = err;
    if (!j->err && ticket > j->committed)
        j->committed = ticket;
    if (j->fn)
        j->fn(j->ctx);
}

uint64_t
journal_end(struct journal *j)
{
    if (--j->depth > 0)
        return j->len > 0 ? j->given + 1 : j->given;
    if (j->len == 0)
        return j->given;
    uint64_t ticket = ++j->given;
    struct pending *p = j->err ? NULL : malloc(sizeof *p + j->len);
    if (p) {
        *p = (struct pending){.req = {.op = ENV_STORE_APPEND,
                                      .letter = p->group,
                                      .letter_len = j->len,
                                      .done = pending_done,
                                      .owner = p},
                              .journal = j,
                              .next = j->pending,
                              .ticket = ticket};
        memcpy(p->group, j->group, j->len);
        j->pending = p;
        env_store(j->env, &p->req);
    } else if (!j->err) {
        j->err = ERR_NOMEM;
    }
    sodium_memzero(j->group, j->len);
    j->len = 0;
    return ticket;
}

bool
journal_is_committed(const struct journal *j, uint64_t ticket)
{
    return ticket <= j->committed;
}

int
journal_error(const struct journal *j)
{
    return j->err;
}

int
journal_parse(const uint8_t *group, size_t len, journal_record_fn fn, void *ctx)
{
    struct codec_reader r;
    codec_reader_init(&r, group, len);
    while (r.left > 0 && !r.err) {
        uint8_t op = codec_read8(&r), key_len = codec_read8(&r);
        const uint8_t *key = codec_read_bytes(&r, key_len), *value = NULL;
        uint32_t value_len = 0;
        if (op == JOURNAL_PUT) {
            value_len = codec_read32(&r);
            value = codec_read_bytes(&r, value_len);
        } else if (op != JOURNAL_DELETE) {
            return ERR_FORMAT;
        }
        if (r.err)
            break;
        int err = fn(ctx, key, key_len, value, value_len);
        if (err)
            return err;
    }
    return r.err;
}
