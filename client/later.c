/* client/later.c - see later.h. State: a list of each conversation's. */
#include "client/later.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

int
later_keep(struct conversation *v, const struct later *head,
           const uint8_t *bytes)
{
    struct later **at = &v->later;
    for (; *at; at = &(*at)->next)
        if ((*at)->at.period == head->at.period && (*at)->at.n == head->at.n)
            return ERR_DUPLICATE;
    if (v->n_later >= LATER_MAX)
        return ERR_FULL;
    struct later *l = calloc(1, sizeof *l + head->len);
    if (!l)
        return ERR_NOMEM;
    *l = *head;
    l->next = NULL;
    memcpy(l->bytes, bytes, head->len);
    *at = l;
    v->n_later++;
    return 0;
}

struct later *
later_take(struct conversation *v, uint64_t now_us)
{
    for (struct later **at = &v->later; *at; at = &(*at)->next) {
        struct later *l = *at;
        if (l->shown_us > now_us)
            continue;
        *at = l->next;
        v->n_later--;
        return l;
    }
    return NULL;
}

void
later_announced(struct conversation *v, uint64_t now_us)
{
    for (struct later *l = v->later; l; l = l->next)
        if (l->shown_us > now_us)
            l->shown_us = now_us;
}

void
later_drop(struct conversation *v, struct letter_place at)
{
    struct later **to = &v->later;
    while (*to && ((*to)->at.period != at.period || (*to)->at.n != at.n))
        to = &(*to)->next;
    if (!*to)
        return;
    struct later *l = *to;
    *to = l->next;
    v->n_later--;
    later_delete(&l);
}

void
later_delete(struct later **lp)
{
    struct later *l = *lp;
    *lp = NULL;
    if (!l)
        return;
    sodium_memzero(l->bytes, l->len);
    free(l);
}

void
later_free(struct conversation *v)
{
    while (v->later) {
        struct later *l = v->later;
        v->later = l->next;
        later_delete(&l);
    }
    v->n_later = 0;
}
