/* client/disk/journal.c - building groups, and remembering how far they are kept.
 *
 * States: sound; failing (storage has not kept a group: no later one counts as
 * kept, and none is begun). A group's states: open; asked (storage has it); waiting
 * (to be handed over again); kept. It is built where it will lie until it is kept,
 * so that only putting into it needs memory: one that is ended is not lost here.
 * Requests outlive the journal when they have to.
 *
 * All that wait are handed over again at once, when storage has none of them: so
 * it has them in their order, and by their tickets it refuses whatever comes after
 * one that it failed to keep. To keep one twice changes nothing. */
#include "client/disk/journal.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lib/codec.h"

enum { GROUP_ROOM = 2048 };

enum pending_state { PENDING_WAITS, PENDING_ASKED, PENDING_KEPT };

struct pending {
    struct env_store_req req;
    struct journal *journal; /* NULL: it is gone */
    struct pending *next;
    size_t state; /* enum pending_state */
    uint8_t group[];
};

_Static_assert(offsetof(struct pending, group) == sizeof(struct pending),
               "the head is written after the group");

struct journal {
    struct env *env;
    struct pending *open; /* the group being built, with room for it */
    size_t len, room;
    unsigned depth;
    size_t mark[JOURNAL_DEPTH_MAX]; /* len at each begin */
    uint64_t given, committed;      /* tickets */
    struct pending *first, **end;   /* not committed, oldest first */
    size_t n_asked;                 /* of them */
    void (*committed_fn)(void *ctx);
    void *committed_ctx;
    void (*failure_fn)(void *ctx);
    void *failure_ctx;
    bool failing; /* since then, also while that is told */
    int err;
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
    j->end = &j->first;
    *out = j;
    return 0;
}

static void
pending_free(struct pending *p)
{
    sodium_memzero(p->group, p->req.letter_len);
    free(p);
}

void
journal_free(struct journal **jp)
{
    struct journal *j = *jp;
    *jp = NULL;
    if (!j)
        return;
    for (struct pending *p = j->first, *next; p; p = next) {
        next = p->next;
        p->journal = NULL;
        if (p->state != PENDING_ASKED)
            pending_free(p);
    }
    if (j->open)
        sodium_memzero(j->open->group, j->len);
    free(j->open);
    free(j);
}

void
journal_on_commit(struct journal *j, void (*fn)(void *ctx), void *ctx)
{
    j->committed_fn = fn;
    j->committed_ctx = ctx;
}

void
journal_on_failure(struct journal *j, void (*fn)(void *ctx), void *ctx)
{
    j->failure_fn = fn;
    j->failure_ctx = ctx;
}

void
journal_begin(struct journal *j)
{
    assert(j->depth < JOURNAL_DEPTH_MAX);
    j->mark[j->depth++] = j->len;
}

/* Make room for `more` bytes at the group's end. Messages are in it: what is
 * left behind is wiped. */
static int
group_grow(struct journal *j, size_t more, uint8_t **out)
{
    const size_t len = j->len + more;
    if (j->err)
        return j->err;
    if (!j->open || len > j->room) {
        size_t room = len + len / 2 < GROUP_ROOM ? GROUP_ROOM : len + len / 2;
        struct pending *p = malloc(sizeof *p + room);
        if (!p)
            return ERR_NOMEM;
        if (j->open) {
            memcpy(p->group, j->open->group, j->len);
            sodium_memzero(j->open->group, j->len);
        }
        free(j->open);
        j->open = p;
        j->room = room;
    }
    *out = j->open->group + j->len;
    j->len = len;
    return 0;
}

int
journal_put(struct journal *j, const uint8_t *key, size_t key_len,
            size_t value_len, uint8_t **value)
{
    uint8_t *at;
    if (key_len > JOURNAL_KEY_MAX || value_len > UINT32_MAX)
        return ERR_LONG;
    int err = group_grow(j, 2 + key_len + 4 + value_len, &at);
    if (err)
        return err;
    at[0] = JOURNAL_PUT;
    at[1] = (uint8_t)key_len;
    memcpy(at + 2, key, key_len);
    codec_put32(at + 2 + key_len, (uint32_t)value_len);
    *value = at + 6 + key_len;
    return 0;
}

int
journal_delete(struct journal *j, const uint8_t *key, size_t key_len)
{
    uint8_t *at;
    if (key_len > JOURNAL_KEY_MAX)
        return ERR_LONG;
    int err = group_grow(j, 2 + key_len, &at);
    if (err)
        return err;
    at[0] = JOURNAL_DELETE;
    at[1] = (uint8_t)key_len;
    memcpy(at + 2, key, key_len);
    return 0;
}

void
journal_cancel(struct journal *j)
{
    assert(j->depth > 0);
    const size_t mark = j->mark[--j->depth];
    if (j->len > mark)
        sodium_memzero(j->open->group + mark, j->len - mark);
    j->len = mark;
}

/* Count as committed what is kept, and nothing of which is missing before it. */
static void
journal_settle(struct journal *j)
{
    while (j->first && j->first->state == PENDING_KEPT) {
        struct pending *p = j->first;
        j->first = p->next;
        if (!j->first)
            j->end = &j->first;
        j->committed = p->req.ticket;
        pending_free(p);
    }
    if (!j->first) {
        j->err = 0;
        j->failing = false;
    }
}

static void
pending_done(struct env_store_req *req)
{
    struct pending *p = req->owner;
    struct journal *j = p->journal;
    const int err = req->err;
    p->state = err ? PENDING_WAITS : PENDING_KEPT;
    if (!j) {
        pending_free(p);
        return;
    }
    j->n_asked--;
    if (err && !j->failing) {
        assert(j->depth == 0);
        j->failing = true;
        if (j->failure_fn)
            j->failure_fn(j->failure_ctx);
        j->err = err;
    }
    journal_settle(j);
    if (j->committed_fn)
        j->committed_fn(j->committed_ctx);
}

static void
pending_ask(struct journal *j, struct pending *p)
{
    p->state = PENDING_ASKED;
    j->n_asked++;
    env_store(j->env, &p->req);
}

uint64_t
journal_end(struct journal *j)
{
    assert(j->depth > 0);
    if (--j->depth > 0)
        return j->len > 0 ? j->given + 1 : j->given;
    if (j->len == 0)
        return j->given;
    struct pending *p = j->open;
    *p = (struct pending){.req = {.op = ENV_STORE_APPEND,
                                  .ticket = ++j->given,
                                  .letter = p->group,
                                  .letter_len = j->len,
                                  .done = pending_done,
                                  .owner = p},
                          .journal = j};
    const uint64_t ticket = p->req.ticket;
    *j->end = p;
    j->end = &p->next;
    j->open = NULL;
    j->len = j->room = 0;
    pending_ask(j, p);
    return ticket;
}

int
journal_finish(struct journal *j, int err)
{
    if (err)
        journal_cancel(j);
    else
        (void)journal_end(j);
    return err;
}

bool
journal_is_committed(const struct journal *j, uint64_t ticket)
{
    return ticket <= j->committed;
}

uint64_t
journal_last(const struct journal *j)
{
    return j->given;
}

int
journal_error(const struct journal *j)
{
    return j->err;
}

bool
journal_retry(struct journal *j)
{
    if (!j->err || j->n_asked > 0)
        return false;
    for (struct pending *p = j->first, *next; p; p = next) {
        next = p->next; /* storage may answer at once */
        pending_ask(j, p);
    }
    return true;
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
