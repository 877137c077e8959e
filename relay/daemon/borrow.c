/* relay/daemon/borrow.c - see borrow.h.
 *
 * State: one link at a time, and what was gathered over it. Failure modes: a
 * gateway that is away, full, silent (SILENT_US) or slow (WHOLE_US); one that
 * sends what is no document, which is for the caller to see. */
#include "relay/daemon/borrow.h"

#include <stdlib.h>

#include "lib/os/link.h"
#include "lib/pack.h"
#include "network/fetch.h"

enum { SILENT_US = 30000000, WHOLE_US = 600000000, QUEUE = 1 };

struct borrow {
    struct loop *loop;
    size_t frame_len;
    borrow_done_fn done;
    void *ctx;
    struct tls *tls;
    struct link *link;
    uint32_t known;
    uint64_t start_us, piece_us; /* the last one came then */
    struct fetch fetch;
};

static void
borrow_clear(struct borrow *b)
{
    link_free(&b->link);
    fetch_reset(&b->fetch);
}

static void
borrow_over(struct borrow *b, int err)
{
    borrow_clear(b);
    b->done(b->ctx, err, NULL, 0);
}

/* Give the document to the caller: all pieces are there. */
static void
document_give(struct borrow *b)
{
    uint8_t *bytes;
    size_t len;
    int err = pack_inflate(b->fetch.bytes, b->fetch.len, FETCH_DOCUMENT_MAX,
                           &bytes, &len);
    borrow_clear(b);
    b->done(b->ctx, err, err ? NULL : bytes, err ? 0 : len);
    if (!err)
        free(bytes);
}

static void
gateway_up(void *ctx, struct link *l, const uint8_t *peer)
{
    struct borrow *b = ctx;
    (void)l;
    (void)peer;
    b->piece_us = loop_now_us(b->loop);
}

/* Take frames of the gateway. A frame that is no piece is what a client would
 * be sent besides. */
static void
gateway_frames(void *ctx, struct link *l, uint8_t *frames, size_t n)
{
    struct borrow *b = ctx;
    (void)l;
    for (size_t i = 0; i < n; i++) {
        struct wire_piece piece;
        if (wire_piece_parse(&piece, frames + i * b->frame_len, b->frame_len))
            continue;
        if (piece.epoch <= b->known) {
            borrow_over(b, ERR_STALE);
            return;
        }
        b->piece_us = loop_now_us(b->loop);
        const int got = fetch_piece(&b->fetch, b->known, b->frame_len, &piece);
        if (got == 1)
            document_give(b);
        else if (got < 0 && got != ERR_STALE)
            borrow_over(b, got);
        if (!b->link)
            return;
    }
}

static void
gateway_down(void *ctx, struct link *l, int err)
{
    (void)l;
    borrow_over(ctx, err ? err : ERR_CLOSED);
}

int
borrow_start(struct borrow *b, const char *address,
             const uint8_t identity[static SPHINX_ID_LEN], uint32_t known)
{
    static const struct link_ops ops = {gateway_up, gateway_frames,
                                        gateway_down};
    const struct link_config config = {.frame_len = b->frame_len,
                                       .queue_max = QUEUE};
    borrow_clear(b);
    b->known = known;
    b->start_us = b->piece_us = loop_now_us(b->loop);
    return link_connect(&b->link, b->loop, b->tls, &config, address, identity,
                        &ops, b);
}

bool
borrow_is_under_way(const struct borrow *b)
{
    return b->link != NULL;
}

void
borrow_step(struct borrow *b)
{
    const uint64_t now_us = loop_now_us(b->loop);
    if (b->link &&
        (now_us > b->piece_us + SILENT_US || now_us > b->start_us + WHOLE_US))
        borrow_over(b, ERR_TIMEOUT);
}

int
borrow_new(struct borrow **out, struct loop *loop, size_t frame_len,
           borrow_done_fn done, void *ctx)
{
    struct borrow *b = calloc(1, sizeof *b);
    *out = b;
    if (!b)
        return ERR_NOMEM;
    b->loop = loop;
    b->frame_len = frame_len;
    b->done = done;
    b->ctx = ctx;
    int err = tls_new(&b->tls, NULL);
    if (err)
        borrow_free(out);
    return err;
}

void
borrow_free(struct borrow **bp)
{
    struct borrow *b = *bp;
    *bp = NULL;
    if (!b)
        return;
    borrow_clear(b);
    tls_free(&b->tls);
    free(b);
}
