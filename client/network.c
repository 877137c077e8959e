/* client/network.c - the consensus: gathering it, judging it, moving over.
 *
 * States: none (sends nothing); one in use; a newer one waiting for its time,
 * which is uniform within a window after its valid-after so that clients do
 * not move at once; expired (sends nothing until a newer one comes). The last
 * VIEWS are kept for answers still under way.
 *
 * A gateway cannot forge a document; it can withhold one. Answers of stores
 * say which epoch they know. */
#include "client/network.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/polls.h"
#include "client/state.h"
#include "lib/pack.h"
#include "lib/rng.h"
#include "network/receive.h"

static int
document_read(const struct client *c, const uint8_t *bytes, size_t len,
              struct consensus **out)
{
    const struct client_config *k = &c->config;
    const struct receive_rules rules = {
        .network = k->network,
        .geometry = k->geometry.hops ? &k->geometry : NULL,
        .authorities = k->authorities,
        .n_authorities = k->n_authorities};
    int err =
        receive_consensus(out, &rules, bytes, len, c->newest, client_time_s(c));
    if (!err && !params_profile(&(*out)->params, c->config.profile)) {
        consensus_free(out);
        err = ERR_UNKNOWN;
    }
    return err;
}

/* Memory that depends on the network, once. */
static int
client_equip(struct client *c, const struct consensus *n)
{
    const struct sphinx_geometry *g = &n->params.geometry;
    size_t letter_len = wire_letter_len(g->body_len, g->surb_len);
    if (letter_data_max(letter_len) == 0 || letter_len > LETTER_LEN_MAX)
        return ERR_UNSUPPORTED;
    if (c->letter_len && c->letter_len != letter_len)
        return ERR_FOREIGN;
    if (c->letter_len != letter_len) {
        c->letter_len = letter_len;
        client_save(c);
    }
    if (c->asked)
        return 0;
    const struct profile *p = params_profile(&n->params, c->config.profile);
    uint64_t per_12s =
        12 * ((uint64_t)p->send_mhz + p->poll_mhz + p->loop_mhz) / 1000;
    c->asked_len = 64;
    while (c->asked_len < per_12s && c->asked_len < 65536)
        c->asked_len *= 2;
    c->asked = calloc(c->asked_len, sizeof *c->asked);
    c->frame = calloc(1, g->packet_len);
    if (c->asked && c->frame)
        return 0;
    free(c->asked);
    free(c->frame);
    c->asked = NULL;
    c->frame = NULL;
    return ERR_NOMEM;
}

static void
view_use(struct client *c, struct consensus *n)
{
    bool first = !c->current;
    const struct profile *p = params_profile(&n->params, c->config.profile);
    c->current = n;
    c->switch_s = 0;
    c->profile = (uint8_t)(p - n->params.profiles);
    if (first) {
        traffic_init(&c->traffic, p, c->env);
        polls_start(c);
    } else {
        traffic_rates(&c->traffic, p);
    }
    network_control(c);
}

int
network_take_document(struct client *c, const uint8_t *bytes, size_t len)
{
    struct consensus *n;
    int err = document_read(c, bytes, len, &n);
    if (!err)
        err = client_equip(c, n);
    if (err) {
        consensus_free(&n);
        return err;
    }
    struct consensus **place = &c->view[n->epoch % VIEWS];
    bool replaced = *place && *place == c->current;
    consensus_free(place);
    *place = n;
    c->newest = n->epoch;
    if (replaced)
        c->current = NULL;
    uint64_t window_s = c->current ? n->params.switch_window_s : 0;
    c->switch_s = n->valid_after_s + rng_below(c->env, window_s + 1);
    return 0;
}

void
network_switch(struct client *c)
{
    struct consensus *n = c->view[c->newest % VIEWS];
    if (c->switch_s && n && client_time_s(c) >= c->switch_s)
        view_use(c, n);
}

void
network_control(struct client *c)
{
    if (!c->current || !c->connected)
        return;
    size_t len = c->current->params.geometry.packet_len;
    struct wire_control control = {.profile = c->profile};
    env_random_crypto(c->env, c->handle, sizeof c->handle);
    memcpy(control.handle, c->handle, sizeof control.handle);
    env_random_crypto(c->env, c->frame, len);
    int err = wire_control_write(c->frame, len, &control);
    if (!err)
        err = env_send(c->env, (struct env_dest){ENV_TO_GATEWAY, 0, 0},
                       c->frame, len);
    c->controlled = err == 0;
    if (err)
        client_drop(c, err);
}

/* The next start begins where this one is. */
static void
document_save(struct client *c, const uint8_t *bytes, size_t len)
{
    uint8_t key[JOURNAL_KEY_MAX];
    size_t key_len = record_key(key, RECORD_DOCUMENT, 0, 0, 0);
    journal_begin(c->journal);
    journal_put(c->journal, key, key_len, bytes, len);
    (void)journal_end(c->journal);
}

/* All pieces are there. */
static int
document_take(struct client *c)
{
    uint8_t *bytes;
    size_t len;
    int err = pack_inflate(c->fetch.bytes, c->fetch.len, FETCH_DOCUMENT_MAX,
                           &bytes, &len);
    if (err)
        return err;
    err = network_take_document(c, bytes, len);
    if (!err) {
        document_save(c, bytes, len);
        c->status.changes++;
    }
    free(bytes);
    return err;
}

int
network_take_piece(struct client *c, const uint8_t *frame, size_t len)
{
    struct wire_piece piece;
    int err = wire_piece_parse(&piece, frame, len);
    if (!err)
        err = fetch_piece(&c->fetch, c->newest, len, &piece);
    if (err != 1)
        return err == ERR_STALE ? 0 : err; /* the rest of a known one */
    err = document_take(c);
    fetch_reset(&c->fetch);
    return err;
}
