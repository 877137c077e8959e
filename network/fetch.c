/* network/fetch.c - gathering pieces.
 *
 * States: empty; gathering one epoch's document. A piece of a newer epoch than
 * the one being gathered starts anew; a piece of an older epoch is ignored. */
#include "network/fetch.h"

#include <stdlib.h>
#include <string.h>

#include "network/document.h"

enum { FETCH_MAX = DOCUMENT_BODY_MAX + 65536 /* signatures */ };

void
fetch_reset(struct fetch *f)
{
    free(f->bytes);
    free(f->seen);
    *f = (struct fetch){0};
}

static int
fetch_begin(struct fetch *f, size_t room, const struct wire_piece *piece)
{
    fetch_reset(f);
    if (piece->count == 0 || piece->count * room > FETCH_MAX)
        return ERR_RANGE;
    f->bytes = malloc(piece->count * room);
    f->seen = calloc(1, piece->count / 8u + 1u);
    if (!f->bytes || !f->seen) {
        fetch_reset(f);
        return ERR_NOMEM;
    }
    f->epoch = piece->epoch;
    f->count = piece->count;
    f->room = room;
    return 0;
}

int
fetch_piece(struct fetch *f, uint32_t known, size_t packet_len,
            const struct wire_piece *piece)
{
    size_t room = packet_len - WIRE_PIECE_HEAD_LEN;
    if (piece->epoch <= known || (f->epoch && piece->epoch < f->epoch))
        return ERR_STALE;
    if (f->epoch != piece->epoch) {
        int err = fetch_begin(f, room, piece);
        if (err)
            return err;
    }
    bool last = piece->index + 1 == f->count;
    if (piece->count != f->count)
        return ERR_CONFLICT;
    if (piece->index >= f->count || piece->len == 0 || piece->len > room ||
        (!last && piece->len != room))
        return ERR_RANGE;
    uint8_t *seen = &f->seen[piece->index / 8];
    uint8_t bit = (uint8_t)(1u << piece->index % 8);
    memcpy(f->bytes + piece->index * room, piece->data, piece->len);
    if (last)
        f->len = piece->index * room + piece->len;
    if (!(*seen & bit)) {
        *seen |= bit;
        f->have++;
    }
    return f->have == f->count;
}
