/* client/network.c - the consensus: gathering it, judging it, moving over.
 *
 * States: none (sends nothing); one in use; a newer one waiting for its time,
 * which is uniform within a window after its valid-after so that clients do
 * not move at once: then the profile's rates and the control frame follow.
 * Packets do not wait for it: within the window each draws whether it belongs
 * to the newer one (network_draw). Expired: sends nothing until a newer one
 * comes. The last VIEWS are kept for answers still under way.
 *
 * On each connection nothing is sent before the gateway has told, by a piece,
 * which consensus it has. It cannot forge a document; it can withhold one.
 * Answers of stores say which epoch they know. */
#include "client/network.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/places.h"
#include "client/disk/records.h"
#include "client/state.h"
#include "lib/pack.h"
#include "lib/rng.h"
#include "network/receive.h"

static int
document_read(struct client *c, const uint8_t *bytes, size_t len,
              struct consensus **out)
{
    const struct client_config *k = &c->config;
    const struct receive_rules rules = {
        .network = k->network,
        .geometry = k->geometry.hops ? &k->geometry : NULL,
        .authorities = k->authorities,
        .n_authorities = k->n_authorities,
        .seen = &c->certificates};
    /* what the own clock takes for the past or the future may be right by what
     * the gateway says the time is: if it lies, nobody will answer */
    int err = receive_consensus(out, &rules, bytes, len, c->newest,
                                env_now_wall_s(c->env));
    if (err == ERR_EXPIRED || err == ERR_FUTURE)
        err = receive_consensus(out, &rules, bytes, len, c->newest,
                                client_now_us(c) / 1000000);
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
    if (c->letter_len == 0) {
        c->letter_len = letter_len;
        int err = client_save(c);
        if (err) {
            c->letter_len = 0;
            return err;
        }
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
    c->reserve = calloc(1, g->packet_len);
    if (c->asked && c->frame && c->reserve)
        return 0;
    free(c->asked);
    free(c->frame);
    free(c->reserve);
    c->asked = NULL;
    c->frame = c->reserve = NULL;
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
    window_set_max(&c->window, params_window((uint64_t)p->send_mhz +
                                             p->poll_mhz + p->loop_mhz));
    places_consensus(c, n);
    if (first) {
        traffic_init(&c->traffic, p, c->env);
        places_start(c);
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
    c->families = nettime_families(n);
    if (gateways_consensus(&c->gateways, c->env, n, client_sure_time_s(c)))
        (void)client_save(c);
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
    if (c->switch_s && n && client_now_us(c) / 1000000 >= c->switch_s)
        view_use(c, n);
}

bool
network_is_expired(const struct client *c)
{
    const struct consensus *n = c->view[c->newest % VIEWS];
    return !n || (consensus_is_expired(n, client_now_us(c) / 1000000) &&
                  consensus_is_expired(n, env_now_wall_s(c->env)));
}

uint32_t
network_epoch(const struct client *c)
{
    const struct consensus *n = c->view[c->newest % VIEWS];
    const uint64_t now_s = client_now_us(c) / 1000000;
    uint64_t epochs = 0;
    if (now_s > n->valid_after_s)
        epochs = (now_s - n->valid_after_s) / n->params.epoch_len_s;
    return n->epoch +
           (uint32_t)(epochs < EPOCHS_USABLE ? epochs : EPOCHS_USABLE);
}

const struct consensus *
network_draw(struct client *c)
{
    const struct consensus *view[VIEWS];
    for (size_t i = 0; i < VIEWS; i++)
        view[i] = c->view[i];
    const struct consensus *drawn =
        consensus_draw(view, VIEWS, c->env, client_now_us(c));
    return drawn ? drawn : c->current;
}

int
network_send(struct client *c, const uint8_t *frame)
{
    if (!window_is_open(&c->window))
        return ERR_FULL;
    int err = env_send(c->env, (struct env_dest){ENV_TO_GATEWAY, 0, 0}, frame,
                       c->current->params.geometry.packet_len);
    if (!err)
        window_add(&c->window, frame);
    return err;
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
        err = network_send(c, c->frame);
    c->controlled = err == 0;
    if (err && err != ERR_FULL)
        client_drop(c, err);
}

/* The next start begins where this one is, with the consensus before it too; or,
 * when that cannot be kept, where an earlier one was. */
static void
document_save(struct client *c, const uint8_t *bytes, size_t len)
{
    journal_begin(c->journal);
    int err = record_document_save(c->journal, c->newest, bytes, len);
    if (journal_finish(c->journal, err))
        client_drop(c, err);
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
    if (err)
        return err;
    if (!c->time.has_start)
        nettime_start(&c->time, piece.time_ms, env_now_mono_us(c->env));
    if (piece.epoch <= c->newest) {
        c->heard = true; /* the gateway has nothing newer */
        return 0;
    }
    err = fetch_piece(&c->fetch, c->newest, len, &piece);
    if (err != 1)
        return err == ERR_STALE ? 0 : err; /* of one that another replaced */
    err = document_take(c);
    if (!err)
        c->heard = true;
    fetch_reset(&c->fetch);
    return err;
}
