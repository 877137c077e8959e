/* directory/daemon/callers.c - see callers.h. */
#include "directory/daemon/callers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/address.h"

static int
host_order(const void *a, const void *b)
{
    return memcmp(a, b, BLOCKS_HOST_LEN);
}

static int
list_new(struct callers_list *l, size_t most)
{
    *l = (struct callers_list){.host = calloc(most + 1, BLOCKS_HOST_LEN)};
    return l->host ? 0 : ERR_NOMEM;
}

/* Add the host of an address to a list; a text that is no address adds
 * nobody. */
static void
list_add(struct callers_list *l, const char *text)
{
    struct sockaddr_storage a;
    socklen_t len;
    if (address_parse(&a, &len, text) == 0 && blocks_host(&a, l->host[l->n]))
        l->n++;
}

static void
list_replace(struct callers_list *old, const struct callers_list *new)
{
    free(old->host);
    *old = *new;
    qsort(old->host, old->n, BLOCKS_HOST_LEN, host_order);
}

static bool
list_has(const struct callers_list *l, const uint8_t *host)
{
    return l->n > 0 &&
           bsearch(host, l->host, l->n, BLOCKS_HOST_LEN, host_order);
}

int
callers_authorities(struct callers *c, const struct network *network,
                    const uint8_t *self)
{
    struct callers_list l;
    int err = list_new(&l, network->n_authorities);
    if (err)
        return err;
    for (size_t i = 0; i < network->n_authorities; i++)
        if (memcmp(network->authorities[i].identity, self, SPHINX_ID_LEN) != 0)
            list_add(&l, network->authorities[i].address);
    list_replace(&c->authorities, &l);
    return 0;
}

int
callers_relays(struct callers *c, const struct consensus *consensus)
{
    struct callers_list l;
    size_t most = 0;
    for (size_t i = 0; i < consensus->n_relays; i++)
        most += consensus->relays[i].n_addresses;
    int err = list_new(&l, most);
    if (err)
        return err;
    for (size_t i = 0; i < consensus->n_relays; i++)
        for (size_t j = 0; j < consensus->relays[i].n_addresses; j++)
            list_add(&l, consensus->relays[i].addresses[j]);
    list_replace(&c->relays, &l);
    return 0;
}

enum seats_class
callers_class(const struct callers *c, const struct sockaddr_storage *from)
{
    uint8_t host[BLOCKS_HOST_LEN], block[BLOCKS_NAME_LEN];
    if (!blocks_name(from, block) || !blocks_host(from, host))
        return SEATS_STRANGER;
    return list_has(&c->authorities, host) ? SEATS_AUTHORITY
           : list_has(&c->relays, host)    ? SEATS_RELAY
                                           : SEATS_STRANGER;
}

void
callers_clear(struct callers *c)
{
    free(c->authorities.host);
    free(c->relays.host);
    *c = (struct callers){0};
}

int
callers_status(const struct http_server *http, char *out, size_t room)
{
    struct http_counts n;
    http_server_counts(http, &n);
    return snprintf(out, room,
                    "connections %u\nconnections refused %llu\n"
                    "connections expired %llu\nconnections gave way %llu\n",
                    n.open, (unsigned long long)n.refused,
                    (unsigned long long)n.expired,
                    (unsigned long long)n.gave_way);
}
