/* relay/daemon/peers.c - a row of relays under a lock, looked through once for
 * each handshake. */
#include "relay/daemon/peers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct peer {
    uint8_t identity[PEERS_ID_LEN];
    struct peers_link link;
};

struct peers {
    pthread_mutex_t mutex;
    uint64_t tickets;
    uint32_t max, n;
    struct peer peer[];
};

int
peers_new(struct peers **out, uint32_t max)
{
    struct peers *p = calloc(1, sizeof *p + max * sizeof p->peer[0]);
    *out = p;
    if (!p)
        return ERR_NOMEM;
    pthread_mutex_init(&p->mutex, NULL);
    p->max = max;
    return 0;
}

void
peers_free(struct peers **p)
{
    if (!*p)
        return;
    pthread_mutex_destroy(&(*p)->mutex);
    free(*p);
    *p = NULL;
}

static struct peer *
peer_find(struct peers *p, const uint8_t identity[static PEERS_ID_LEN])
{
    for (uint32_t i = 0; i < p->n; i++)
        if (memcmp(p->peer[i].identity, identity, PEERS_ID_LEN) == 0)
            return &p->peer[i];
    return NULL;
}

int
peers_enter(struct peers *p, const uint8_t identity[static PEERS_ID_LEN],
            uint32_t worker, uint64_t *ticket, struct peers_link *old)
{
    *old = (struct peers_link){0};
    pthread_mutex_lock(&p->mutex);
    struct peer *x = peer_find(p, identity);
    if (x) {
        *old = x->link;
    } else if (p->n < p->max) {
        x = &p->peer[p->n++];
        memcpy(x->identity, identity, PEERS_ID_LEN);
    }
    if (x) {
        *ticket = ++p->tickets;
        x->link = (struct peers_link){worker, *ticket};
    }
    pthread_mutex_unlock(&p->mutex);
    return x ? 0 : ERR_FULL;
}

void
peers_leave(struct peers *p, const uint8_t identity[static PEERS_ID_LEN],
            uint64_t ticket)
{
    pthread_mutex_lock(&p->mutex);
    struct peer *x = peer_find(p, identity);
    if (x && x->link.ticket == ticket)
        *x = p->peer[--p->n];
    pthread_mutex_unlock(&p->mutex);
}
