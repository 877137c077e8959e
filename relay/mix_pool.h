/* relay/mix_pool.h - the pool strategies of mix.h, for mix.c. */
#ifndef RELAY_MIX_POOL_H
#define RELAY_MIX_POOL_H
#include "relay/mix.h"

struct mix_pool;
int mix_pool_new(struct mix_pool **out, const struct mix_params *params,
                 size_t capacity, struct env *env) CHECK_RESULT;
void mix_pool_free(struct mix_pool **p);
int mix_pool_push(struct mix_pool *p, struct mix_out x,
                  uint64_t now_us) CHECK_RESULT;
size_t mix_pool_pop(struct mix_pool *p, uint64_t now_us, struct mix_out *out,
                    size_t max);
uint64_t mix_pool_next_due(const struct mix_pool *p);
size_t mix_pool_count(const struct mix_pool *p);
#endif
