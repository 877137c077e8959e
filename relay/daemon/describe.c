/* relay/daemon/describe.c - making a descriptor. No state but the keys on
 * disk. */
#include "relay/daemon/describe.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "lib/secret.h"
#include "network/descriptor.h"
#include "network/family.h"
#include "network/schedule.h"

uint32_t
describe_epoch(const struct network *n, uint64_t now_s)
{
    const struct schedule s = {n->genesis_s, n->epoch_len_s, n->n_authorities};
    return schedule_epoch(&s, SCHEDULE_VOTE, (now_s + 1) * 1000);
}

void
describe_addresses(struct describe *d, const char *bound)
{
    const struct config_list *wish = &d->config->addresses;
    d->n_addresses = 0;
    for (size_t i = 0; i < wish->n && i < ADDRESSES_MAX; i++)
        snprintf(d->addresses[d->n_addresses++], ADDRESS_MAX, "%s",
                 wish->item[i]);
    if (d->n_addresses == 0)
        snprintf(d->addresses[d->n_addresses++], ADDRESS_MAX, "%s", bound);
}

/* Packets a second: what is offered, but not more than its rate lets through.
 */
static uint32_t
bandwidth_of(const struct daemon_config *c, size_t packet_len)
{
    const int64_t most = c->rate * 1024 / (int64_t)packet_len;
    return (uint32_t)(c->rate > 0 && most < c->bandwidth ? most : c->bandwidth);
}

int
describe_make(const struct describe *d, uint32_t epoch, uint8_t **out,
              size_t *len)
{
    const struct sphinx_geometry *g = &d->network->geometry;
    const struct daemon_config *c = d->config;
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
    r->role = (uint8_t)(ROLE_GATEWAY + c->role);
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
