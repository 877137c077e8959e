/* relay/daemon/describe.c - making a descriptor. No state but the keys on
 * disk. */
#include "relay/daemon/describe.h"

#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/os/socket.h"
#include "lib/secret.h"
#include "network/descriptor.h"
#include "network/family.h"
#include "network/os/netfile.h"
#include "network/schedule.h"

uint32_t
describe_epoch(const struct network *n, uint64_t now_s)
{
    const struct schedule s = {n->genesis_s, n->epoch_len_s, n->n_authorities};
    return schedule_epoch(&s, SCHEDULE_VOTE, (now_s + 1) * 1000);
}

int
describe_bound(const char *dir, const struct relay_settings *config,
               char out[static ADDRESS_TEXT_MAX])
{
    const size_t n = strlen(config->listen);
    uint8_t *text = NULL;
    size_t len;
    snprintf(out, ADDRESS_TEXT_MAX, "%s", config->listen);
    if (n < 2 || strcmp(config->listen + n - 2, ":0") != 0)
        return 0;
    int err = files_read_in(dir, "bound", ADDRESS_TEXT_MAX - 1, &text, &len);
    if (!err)
        snprintf(out, ADDRESS_TEXT_MAX, "%s", (char *)text);
    free(text);
    return err ? ERR_NOT_FOUND : 0;
}

/* Does the relay listen at every address of the machine, and of which
 * families? */
static bool
is_everywhere(const char *bound, bool *six, uint16_t *port)
{
    struct sockaddr_storage a;
    socklen_t len;
    if (address_parse(&a, &len, bound))
        return false;
    const struct sockaddr_in *four_at = (const struct sockaddr_in *)&a;
    const struct sockaddr_in6 *six_at = (const struct sockaddr_in6 *)&a;
    *six = a.ss_family == AF_INET6;
    *port = ntohs(*six ? six_at->sin6_port : four_at->sin_port);
    return *six ? IN6_IS_ADDR_UNSPECIFIED(&six_at->sin6_addr)
                : four_at->sin_addr.s_addr == htonl(INADDR_ANY);
}

static void
address_add(struct describe *d, const char *address)
{
    for (size_t i = 0; i < d->n_addresses; i++)
        if (strcmp(d->addresses[i], address) == 0)
            return;
    if (d->n_addresses < ADDRESSES_MAX)
        snprintf(d->addresses[d->n_addresses++], ADDRESS_MAX, "%s", address);
}

void
describe_addresses(struct describe *d, const char *bound)
{
    const struct config_list *wish = &d->config->addresses;
    const struct network *n = d->network;
    char own[ADDRESS_TEXT_MAX];
    uint16_t port;
    bool six;
    d->n_addresses = 0;
    for (size_t i = 0; i < wish->n; i++)
        address_add(d, wish->item[i]);
    if (d->n_addresses > 0)
        return;
    if (!is_everywhere(bound, &six, &port)) {
        address_add(d, bound);
        return;
    }
    for (size_t i = 0; i < n->n_authorities; i++) {
        const char *there = n->authorities[i].address;
        if ((six || there[0] != '[') && !socket_towards(own, there, port))
            address_add(d, own);
    }
}

int
describe_judge(const struct describe *d, char why[static DESCRIBE_WHY_LEN])
{
    static const char *const whose[] = {
        [ADDRESS_PRIVATE] = "a private address, which others do not reach",
        [ADDRESS_LOOPBACK] = "an address of this machine alone",
        [ADDRESS_NOBODYS] = "no address with a port that others can reach"};
    const enum address_kind widest = netfile_kind(d->network);
    why[0] = 0;
    for (size_t i = 0; i < d->n_addresses; i++) {
        const enum address_kind kind = address_kind(d->addresses[i]);
        if (kind <= widest)
            continue;
        snprintf(why, DESCRIBE_WHY_LEN,
                 "%s is %s; set 'addresses' in relay.conf to those at which "
                 "others reach it, as {\"192.0.2.1:7100\"}",
                 d->addresses[i], whose[kind]);
        return ERR_FORMAT;
    }
    if (d->n_addresses > 0)
        return 0;
    snprintf(why, DESCRIBE_WHY_LEN,
             "this machine has no way to the authorities now, so none of its "
             "addresses is known; see its network, or set 'addresses' in "
             "relay.conf");
    return ERR_NOT_FOUND;
}

/* Compute the packets a second to offer, not more than the relay's rate lets
 * through. */
static uint32_t
bandwidth_of(const struct relay_settings *c, size_t packet_len)
{
    const int64_t most = c->rate * 1024 / (int64_t)packet_len;
    return (uint32_t)(c->rate > 0 && most < c->bandwidth ? most : c->bandwidth);
}

int
describe_make(const struct describe *d, uint32_t epoch, uint8_t **out,
              size_t *len)
{
    const struct sphinx_geometry *g = &d->network->geometry;
    const struct relay_settings *c = d->config;
    struct descriptor x = {.epoch = epoch,
                           .n_keys = KEYS_AHEAD,
                           .alarms = d->alarms,
                           .n_links = d->n_links,
                           .hibernates_until_s = d->hibernates_until_s};
    struct relay_entry *r = &x.relay;
    int err = 0;
    *out = NULL;
    memcpy(x.network, d->network->name, sizeof x.network);
    memcpy(x.links, d->links, d->n_links * sizeof *x.links);
    memcpy(r->identity, d->identity, sizeof r->identity);
    r->role = (uint8_t)settings_role(c);
    r->protocol_min = r->protocol_max = 1;
    r->bandwidth = bandwidth_of(c, g->packet_len);
    err = family_read(c->family, r->family, x.family_signature);
    r->n_addresses = (uint8_t)d->n_addresses;
    memcpy(r->addresses, d->addresses, sizeof r->addresses);
    for (uint32_t i = 0; i < KEYS_AHEAD && !err; i++) {
        uint8_t *seed = NULL;
        err = keys_seed(d->dir, epoch + i, &seed);
        if (!err)
            err = sphinx_keypair(g, x.keys[i], seed);
        secret_free((void **)&seed);
    }
    return err ? err
               : descriptor_sign(&x, g->public_len, d->identity_seed, out, len);
}

void
describe_answer(char out[static DIRECTORY_TEXT_LEN], const uint8_t *text,
                size_t len)
{
    char plain[DIRECTORY_TEXT_LEN];
    size_t n = 0;
    for (; n < len && n + 1 < sizeof plain && text[n] != '\n'; n++)
        plain[n] = text[n] >= ' ' && text[n] < 127 ? (char)text[n] : '?';
    plain[n] = 0;
    log_scrub(out, DIRECTORY_TEXT_LEN, n ? plain : "without a word");
}
