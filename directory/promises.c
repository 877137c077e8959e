/* directory/promises.c - ranges of epochs. No state of its own. */
#include "directory/promises.h"

#include <stdlib.h>
#include <string.h>

#include "lib/codec.h"

static const char head[] = "brusio-promises/1\n";
enum { HEAD_LEN = sizeof head - 1, RANGE_LEN = 8 + PROMISES_HASH_LEN };

bool
promises_allow(const struct promises *p, uint32_t epoch, const uint8_t *hash)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->range[i].first <= epoch && epoch <= p->range[i].last)
            return hash && epoch == p->range[i].last &&
                   memcmp(hash, p->range[i].hash, PROMISES_HASH_LEN) == 0;
    return true;
}

/* Count the epochs from the end of range i to the beginning of its
 * successor. */
static uint32_t
gap_after(const struct promises *p, size_t i)
{
    return p->range[i + 1].first - p->range[i].last;
}

/* Make one range of the two that are nearest. */
static void
ranges_join(struct promises *p)
{
    size_t best = 0;
    for (size_t i = 1; i + 1 < p->n; i++)
        if (gap_after(p, i) < gap_after(p, best))
            best = i;
    p->range[best + 1].first = p->range[best].first;
    p->n--;
    memmove(&p->range[best], &p->range[best + 1],
            (p->n - best) * sizeof p->range[0]);
}

/* Find the range in which this epoch is, or that it would stand before. */
static size_t
range_at(const struct promises *p, uint32_t epoch)
{
    size_t at = 0;
    while (at < p->n && p->range[at].last < epoch)
        at++;
    return at;
}

void
promises_add(struct promises *p, uint32_t epoch, const uint8_t *hash)
{
    size_t at = range_at(p, epoch);
    const bool follows = at > 0 && p->range[at - 1].last + 1 == epoch;
    if (!follows && p->n == PROMISES_MAX) {
        ranges_join(p);
        at = range_at(p, epoch);
    }
    if (!promises_allow(p, epoch, NULL)) /* perhaps it lies between those two */
        return;
    if (follows) {
        at--;
    } else {
        memmove(&p->range[at + 1], &p->range[at],
                (p->n - at) * sizeof p->range[0]);
        p->range[at].first = epoch;
        p->n++;
    }
    p->range[at].last = epoch;
    memset(p->range[at].hash, 0, PROMISES_HASH_LEN);
    if (hash)
        memcpy(p->range[at].hash, hash, PROMISES_HASH_LEN);
}

int
promises_write(const struct promises p[static PROMISE_KINDS], uint8_t **out,
               size_t *len)
{
    uint8_t *at = *out =
        malloc(HEAD_LEN + PROMISE_KINDS * (1 + PROMISES_MAX * RANGE_LEN));
    if (!at)
        return ERR_NOMEM;
    memcpy(at, head, HEAD_LEN);
    at += HEAD_LEN;
    for (size_t k = 0; k < PROMISE_KINDS; k++) {
        *at++ = (uint8_t)p[k].n;
        for (size_t i = 0; i < p[k].n; i++, at += RANGE_LEN) {
            codec_put32(at, p[k].range[i].first);
            codec_put32(at + 4, p[k].range[i].last);
            memcpy(at + 8, p[k].range[i].hash, PROMISES_HASH_LEN);
        }
    }
    *len = (size_t)(at - *out);
    return 0;
}

static int
ranges_read(struct promises *p, struct codec_reader *in)
{
    const uint8_t *n = codec_read_bytes(in, 1);
    if (!n || *n > PROMISES_MAX)
        return ERR_FORMAT;
    for (p->n = 0; p->n < *n; p->n++) {
        const uint32_t first = codec_read32(in), last = codec_read32(in);
        const uint8_t *hash = codec_read_bytes(in, PROMISES_HASH_LEN);
        if (!hash || first > last ||
            (p->n > 0 && first <= p->range[p->n - 1].last))
            return ERR_FORMAT;
        p->range[p->n].first = first;
        p->range[p->n].last = last;
        memcpy(p->range[p->n].hash, hash, PROMISES_HASH_LEN);
    }
    return 0;
}

int
promises_read(struct promises p[static PROMISE_KINDS], const uint8_t *bytes,
              size_t len)
{
    struct promises read[PROMISE_KINDS] = {0};
    struct codec_reader in;
    codec_reader_init(&in, bytes, len);
    const uint8_t *begin = codec_read_bytes(&in, HEAD_LEN);
    int err = begin && memcmp(begin, head, HEAD_LEN) == 0 ? 0 : ERR_FORMAT;
    for (size_t k = 0; k < PROMISE_KINDS && !err; k++)
        err = ranges_read(&read[k], &in);
    if (!err && in.left > 0)
        err = ERR_FORMAT;
    if (!err)
        memcpy(p, read, sizeof read);
    return err;
}
