/* sim/json_check.c - do the parts of a scenario fit together? No state. */
#include "sim/json_read.h"

enum { CLIENTS_MAX = 20000000, WHOLE_CLIENTS_MAX = 10000 };

static int
network_check(struct reader *r, const struct scenario *s)
{
    const struct scenario_network *n = &s->network;
    const bool round = n->trip == TRIP_ROUND;
    uint32_t mixes = 0;
    for (uint32_t i = 0; i < n->layers; i++)
        mixes += n->widths[i];
    if (n->topology == TOPOLOGY_FREE_ROUTE)
        mixes = n->widths[0];
    if (round && (n->gateways == 0 || n->stores == 0))
        return reader_fail(r, "network",
                           ": a round trip needs gateways and stores");
    if (round && n->topology != TOPOLOGY_STRATIFIED)
        return reader_fail(r, "network.topology",
                           ": a round trip is through layers: stratified");
    if (round && n->layers > LAYERS_MAX)
        return reader_fail(r, "network.layers", ": at most %d in a round trip",
                           LAYERS_MAX);
    if (n->topology == TOPOLOGY_FREE_ROUTE && n->layers > 1 &&
        (n->widths[0] < 2 || (n->weights && n->layers > 1)))
        return reader_fail(r, "network.width",
                           ": a free route needs two relays or more, without "
                           "weights");
    for (uint32_t i = 1; n->topology == TOPOLOGY_CASCADE && i < n->layers; i++)
        if (n->widths[i] != n->widths[0])
            return reader_fail(r, "network.weights",
                               ": the layers of a cascade are equally wide");
    if (n->corrupt > mixes)
        return reader_fail(r, "network.corrupt", ": there are %u mixes in all",
                           mixes);
    if (n->latency_law == LATENCY_MATRIX && n->latency_file[0] == '\0')
        return reader_fail(r, "network.latency", ": a matrix needs a file");
    return 0;
}

static int
clients_check(struct reader *r, const struct scenario *s)
{
    uint64_t count = 0, challengers = 0;
    for (uint32_t i = 0; i < s->n_clients; i++) {
        const struct scenario_clients *g = &s->clients[i];
        count += g->count;
        challengers += g->challenger ? g->count : 0;
        if ((g->stay_mean_s > 0) != (g->away_mean_s > 0))
            return reader_fail(r, "clients",
                               ": stay_mean_s and away_mean_s go together");
        if (g->stay_mean_s > 0 && g->send == SEND_TRACE)
            return reader_fail(r, "clients",
                               ": a trace says itself who is there");
    }
    if (count > CLIENTS_MAX)
        return reader_fail(r, "clients", ": at most %d in all", CLIENTS_MAX);
    if (s->measure.epsilon && challengers != 2)
        return reader_fail(r, "measure.epsilon",
                           ": wants exactly two clients that are challengers");
    return 0;
}

static int
attack_check(struct reader *r, const struct scenario *s)
{
    const struct scenario_attack *a = &s->attack;
    if (s->measure.alarm && s->mix.loop_mhz == 0)
        return reader_fail(r, "measure.alarm", ": needs a mix.loop_rate");
    if (a->kind == ATTACK_NONE)
        return 0;
    if (a->relay >= scenario_relays(s))
        return reader_fail(r, "attack.relay", ": there are %u relays",
                           scenario_relays(s));
    if (a->kind == ATTACK_FLUSH && s->measure.targets == 0)
        return reader_fail(r, "attack", ": a flush needs measure.targets");
    return 0;
}

static int
whole_check(struct reader *r, const struct scenario *s)
{
    const struct scenario_measure *m = &s->measure;
    uint64_t count = 0;
    if (s->network.trip != TRIP_ROUND || s->network.weights ||
        s->network.corrupt > 0 || s->network.corrupt_of_layer > 0)
        return reader_fail(r, "network",
                           ": the level \"network\" has round trips through "
                           "layers, all relays alike and honest");
    if (m->targets > 0 || m->epsilon || m->mix_entropy || m->alarm ||
        m->path_messages > 0 || s->attack.kind != ATTACK_NONE)
        return reader_fail(r, "measure",
                           ": targets, epsilon, mix_entropy, alarm, "
                           "path_messages and attacks are of the level "
                           "\"packets\"");
    for (uint32_t i = 0; i < s->n_clients; i++) {
        const struct scenario_clients *g = &s->clients[i];
        count += g->count;
        if (g->send != SEND_POISSON || g->rates_mhz || g->stay_mean_s > 0 ||
            g->profile.poll_mhz == 0)
            return reader_fail(r, "clients",
                               ": at the level \"network\" each group has a "
                               "profile, and all are always there");
    }
    if (count > WHOLE_CLIENTS_MAX || (m->texts > 0 && count % 2 != 0))
        return reader_fail(r, "clients",
                           ": an even number, at most %d, at the level "
                           "\"network\"",
                           WHOLE_CLIENTS_MAX);
    return 0;
}

int
scenario_check(struct reader *r, const struct scenario *s)
{
    if (network_check(r, s) || clients_check(r, s) || attack_check(r, s))
        return r->err;
    if (s->level == LEVEL_NETWORK)
        return whole_check(r, s);
    if (s->measure.texts > 0)
        return reader_fail(r, "measure.texts",
                           ": texts are of the level \"network\"");
    return 0;
}
