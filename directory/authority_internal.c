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

enum { EVEN_PERMILLE = 500 };

bool
clock_look(struct authority *a)
{
    struct env *env = a->config.env;
    const uint64_t wall_ms = env_now_wall_ms(env),
                   mono_ms = env_now_mono_us(env) / 1000,
                   len_ms = (uint64_t)a->network.epoch_len_s * 1000;
    const int64_t clock_ms = (int64_t)(wall_ms - mono_ms),
                  slack_ms = (int64_t)len_ms * SCHEDULE_MARGIN_PERMILLE / 1000;
    if (clock_ms > a->clock_ms + slack_ms ||
        clock_ms < a->clock_ms - slack_ms) {
        a->clock_ms = clock_ms;
        a->even_ms = mono_ms;
    }
    return !a->newest ||
           mono_ms - a->even_ms >= len_ms * EVEN_PERMILLE / 1000 ||
           consensus_judge_time(a->newest, wall_ms / 1000) == 0;
}

uint32_t
clock_epoch(const struct authority *a)
{
    return schedule_epoch(&a->schedule, SCHEDULE_VALID,
                          env_now_wall_ms(a->config.env));
}

uint32_t
newest_epoch(struct authority *a)
{
    const uint32_t epoch = a->newest ? a->newest->epoch : 0;
    return epoch <= a->target + 2 || !clock_look(a) ? epoch : 0;
}

int
promises_keep(struct authority *a)
{
    uint8_t *bytes;
    size_t len;
    int err = promises_write(a->promises, &bytes, &len);
    if (err)
        return err;
    err = authority_output(a, AUTHORITY_KEEP_PROMISES, bytes, len);
    free(bytes);
    return err;
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
