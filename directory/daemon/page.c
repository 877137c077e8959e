/* directory/daemon/page.c - which relay has which flag, and why not. No
 * state. */
#include "directory/daemon/page.h"

#include <stdlib.h>
#include <string.h>

#include "directory/tally.h"

const char *const page_flag_name[PAGE_FLAGS] = {"admitted", "described",
                                                "listed", "reliable", "IPv6"};

static int
relay_order(const void *a, const void *b)
{
    return memcmp(((const struct page_relay *)a)->identity,
                  ((const struct page_relay *)b)->identity, SPHINX_ID_LEN);
}

static void
relay_lacks(struct page_relay *r, enum page_flag f, const char *why,
            const char *remedy)
{
    snprintf(r->why[f], sizeof r->why[f], "%s", why);
    r->remedy[f] = remedy;
}

static void
admitted_judge(struct page_relay *r, const struct admission_item *item)
{
    char why[ADMISSION_WHY_LEN];
    r->has[PAGE_ADMITTED] =
        item->state == ADMISSION_APPROVED || item->state == ADMISSION_LET_IN;
    if (r->has[PAGE_ADMITTED])
        return;
    snprintf(why, sizeof why, "this authority has it as %s%s%s",
             admission_state_name[item->state], item->reason[0] ? ": " : "",
             item->reason);
    relay_lacks(r, PAGE_ADMITTED, why,
                item->state == ADMISSION_WAITS ||
                        item->state == ADMISSION_UNKNOWN
                    ? "ask this authority's operator to approve it"
                    : "ask this authority's operator");
}

static void
reliable_judge(struct page_relay *r, const struct consensus *c)
{
    const uint16_t cut = c ? consensus_left_out(c, r->identity) : 0;
    char why[ADMISSION_WHY_LEN];
    r->has[PAGE_RELIABLE] = cut == 0;
    if (cut == 0)
        return;
    snprintf(why, sizeof why,
             "%u %% of its neighbours lose what they send by way of it, or it "
             "says so of them",
             cut / 10u);
    relay_lacks(
        r, PAGE_RELIABLE, why,
        "see 'brusio-relay status' for load and links that are down; it is "
        "tested all the time, and listed again within two epochs");
}

static void
described_judge(struct page_relay *r, const struct page_input *in)
{
    r->has[PAGE_DESCRIBED] = authority_lists(in->authority, r->identity);
    if (!r->has[PAGE_DESCRIBED])
        relay_lacks(r, PAGE_DESCRIBED,
                    r->has[PAGE_ADMITTED]
                        ? "no descriptor of it for the next epoch has come here"
                        : "it is not admitted here",
                    r->has[PAGE_ADMITTED]
                        ? "see whether it runs and reaches this authority; "
                          "'brusio-relay join' prints what it answers"
                        : "first it has to be admitted");
}

static void
listed_judge(struct page_relay *r, const struct consensus *c)
{
    const int i = c ? consensus_find(c, r->identity) : -1;
    r->has[PAGE_LISTED] = i >= 0 && !c->relays[i].out;
    r->layer = i >= 0 ? c->relays[i].layer : -1;
    if (i >= 0)
        r->bandwidth = c->relays[i].bandwidth;
    if (i >= 0 && c->relays[i].out)
        relay_lacks(r, PAGE_LISTED,
                    "it is left out for what gets lost on its links",
                    "see 'reliable'");
    else if (i >= 0)
        return;
    else if (!r->has[PAGE_ADMITTED] || !r->has[PAGE_DESCRIBED])
        relay_lacks(
            r, PAGE_LISTED,
            "more than half of the authorities have to list it, and this one "
            "does not",
            r->has[PAGE_ADMITTED] ? "see 'described'" : "see 'admitted'");
    else
        relay_lacks(
            r, PAGE_LISTED,
            "it is new, and of each role few come in a day; or it hibernates, "
            "or fewer than half of the authorities have its descriptor",
            "wait for the next epochs; then see the pages of the other "
            "authorities");
}

static void
ipv6_judge(struct page_relay *r, const struct consensus *c)
{
    const int i = c ? consensus_find(c, r->identity) : -1;
    bool four = r->address[0] != '[', six = r->address[0] == '[';
    for (size_t k = 0; i >= 0 && k < c->relays[i].n_addresses; k++) {
        four |= c->relays[i].addresses[k][0] != '[';
        six |= c->relays[i].addresses[k][0] == '[';
    }
    r->has[PAGE_IPV6] = four && six;
    if (!r->has[PAGE_IPV6])
        relay_lacks(r, PAGE_IPV6,
                    six ? "it offers no IPv4 address"
                        : "it offers no IPv6 address",
                    "add one to 'addresses' if the machine has it");
}

static void
relay_judge(struct page_relay *r, const struct page_input *in,
            const struct admission_item *item)
{
    const struct consensus *c = authority_newest(in->authority);
    memcpy(r->identity, item->identity, sizeof r->identity);
    memcpy(r->address, item->address, sizeof r->address);
    r->role = item->role;
    admitted_judge(r, item);
    reliable_judge(r, c);
    described_judge(r, in);
    listed_judge(r, c);
    ipv6_judge(r, c);
}

int
page_relays(const struct page_input *in, struct page_relay **out, size_t *n)
{
    const struct consensus *c = authority_newest(in->authority);
    const size_t known = admission_count(in->admission);
    struct admission_item item;
    *n = 0;
    *out = calloc(known + (c ? c->n_relays : 0) + 1, sizeof **out);
    if (!*out)
        return ERR_NOMEM;
    for (size_t i = 0; i < known; i++) {
        item = admission_item(in->admission, i);
        if (item.address[0]) /* else only decided about */
            relay_judge(&(*out)[(*n)++], in, &item);
    }
    for (size_t i = 0; c && i < c->n_relays; i++) {
        const struct relay_entry *e = &c->relays[i];
        if (admission_find(in->admission, e->identity, &item) &&
            item.address[0])
            continue;
        item = (struct admission_item){.role = e->role, .reason = ""};
        memcpy(item.identity, e->identity, sizeof item.identity);
        memcpy(item.address, e->addresses[0], sizeof item.address);
        relay_judge(&(*out)[(*n)++], in, &item);
    }
    qsort(*out, *n, sizeof **out, relay_order);
    return 0;
}
