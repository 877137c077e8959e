/* sim/scenario/metrics.c - the table of figures; see metrics.h.
 *
 * To add one: a row here, and a result_add() of its name where it is measured.
 * No state. */
#include "sim/scenario/metrics.h"

#include <string.h>

#include "lib/words.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* ---- when ---- */

#define WHEN_FN(name, expression)              \
    static bool name(const struct scenario *s) \
    {                                          \
        return expression;                     \
    }
WHEN_FN(at_packets, s->level == LEVEL_PACKETS)
WHEN_FN(at_network, s->level == LEVEL_NETWORK)
WHEN_FN(at_announce, s->level == LEVEL_ANNOUNCE)
WHEN_FN(at_links, !at_packets(s))
WHEN_FN(with_latency, at_packets(s) && s->measure.latency)
WHEN_FN(with_store, with_latency(s) && s->network.trip == TRIP_ROUND)
WHEN_FN(with_occupancy, at_packets(s) && s->measure.occupancy)
WHEN_FN(with_mix_entropy, at_packets(s) && s->measure.mix_entropy)
WHEN_FN(with_targets, at_packets(s) && s->measure.targets > 0)
WHEN_FN(with_epsilon, at_packets(s) && s->measure.epsilon)
WHEN_FN(with_watch, at_packets(s) && s->measure.watch)
WHEN_FN(with_paths, at_packets(s) && s->measure.path_messages > 0)
WHEN_FN(with_alarm, at_packets(s) && s->measure.alarm)
WHEN_FN(with_texts, at_network(s) && s->measure.texts > 0)
WHEN_FN(with_uses, at_announce(s) && s->announce.use != USE_LISTS &&
                       s->announce.use != USE_PROBE)
WHEN_FN(with_letters, with_texts(s) || with_uses(s))
WHEN_FN(with_group, at_announce(s) && (s->announce.use == USE_COPIES ||
                                       s->announce.use == USE_HOST))
WHEN_FN(with_file, at_announce(s) && s->announce.use == USE_FILE)
WHEN_FN(with_probe, at_announce(s) && s->announce.use == USE_PROBE)

static const struct {
    bool (*is)(const struct scenario *s);
    const char *text;
} whens[METRIC_WHENS] = {
    [METRIC_PACKETS] = {at_packets, "at level packets"},
    [METRIC_LATENCY] = {with_latency, "with measure.latency, at level packets"},
    [METRIC_STORE] = {with_store,
                      "with measure.latency on round trips, at level packets"},
    [METRIC_OCCUPANCY] = {with_occupancy,
                          "with measure.occupancy, at level packets"},
    [METRIC_MIX_ENTROPY] = {with_mix_entropy,
                            "with measure.mix_entropy, at level packets"},
    [METRIC_TARGETS] = {with_targets,
                        "with measure.targets above 0, at level packets"},
    [METRIC_EPSILON] = {with_epsilon, "with measure.epsilon, at level packets"},
    [METRIC_WATCH] = {with_watch, "with measure.watch, at level packets"},
    [METRIC_PATHS] = {with_paths,
                      "with measure.path_messages above 0, at level packets"},
    [METRIC_ALARM] = {with_alarm, "with measure.alarm, at level packets"},
    [METRIC_TEXTS] = {with_texts,
                      "with measure.texts above 0, at level network"},
    [METRIC_LETTERS] = {with_letters,
                        "with measure.texts above 0, at level network; at "
                        "level announce, but for the uses lists and probe"},
    [METRIC_NETWORK] = {at_network, "at level network"},
    [METRIC_LINKS] = {at_links, "at levels network and announce"},
    [METRIC_LISTS] = {at_announce, "at level announce"},
    [METRIC_USES] = {with_uses,
                     "at level announce, but for the uses lists and probe"},
    [METRIC_GROUP] = {with_group,
                      "at level announce, of the uses copies and host"},
    [METRIC_FILE] = {with_file, "at level announce, of the use file"},
    [METRIC_PROBE] = {with_probe, "at level announce, of the use probe"},
    [METRIC_PROBE_TIMES] = {with_probe, "at level announce, of the use probe, "
                                        "when anything comes back"}};

/* ---- what ---- */

static const struct metric metrics[] = {
    {"packets.sent", "1/s", METRIC_PACKETS, "Packets that clients send"},
    {"packets.out", "1/s", METRIC_PACKETS,
     "Packets that come out of the network, or back"},
    {"packets.hops", "1/s", METRIC_PACKETS, "Packets that leave a mix"},
    {"packets.lost", "share", METRIC_PACKETS,
     "Of the packets that end, those that get lost"},
    {"packets.inside", "packets", METRIC_PACKETS, "Packets under way, sampled"},
    {"clients.online", "clients", METRIC_PACKETS, "Clients that are there"},
    {"bandwidth.client", "bytes/s", METRIC_PACKETS,
     "What a client that is there sends"},
    {"bandwidth.relay", "bytes/s", METRIC_PACKETS,
     "What a relay sends, mean over all"},
    {"latency.mean", "s", METRIC_LATENCY,
     "From the client until the packet is out, or back"},
    {"latency.sd", "s", METRIC_LATENCY, "Its standard deviation"},
    {"latency.p50", "s", METRIC_LATENCY, "Its median"},
    {"latency.p90", "s", METRIC_LATENCY, "Its 90th percentile"},
    {"latency.p99", "s", METRIC_LATENCY, "Its 99th percentile"},
    {"latency.store.mean", "s", METRIC_STORE,
     "From the client until the packet is at the store"},
    {"latency.store.p50", "s", METRIC_STORE, "Its median"},
    {"latency.store.p99", "s", METRIC_STORE, "Its 99th percentile"},
    {"occupancy.mean", "packets", METRIC_OCCUPANCY,
     "Packets in a mix, sampled"},
    {"occupancy.variance", "packets^2", METRIC_OCCUPANCY, "Its variance"},
    {"mix_entropy", "bits", METRIC_MIX_ENTROPY,
     "Which of those that came to a mix is the one that leaves (Loopix, "
     "appendix A)"},
    {"entropy.shannon", "bits", METRIC_TARGETS,
     "Of a tagged packet, over the places where it may have come out"},
    {"entropy.min", "bits", METRIC_TARGETS, "Its min-entropy"},
    {"entropy.effective_set", "packets", METRIC_TARGETS,
     "2 to the power of its Shannon entropy"},
    {"entropy.degree", "share", METRIC_TARGETS,
     "Its Shannon entropy, of the most for as many places"},
    {"entropy.guess", "share", METRIC_TARGETS,
     "Probability of the likeliest place"},
    {"entropy.truth", "share", METRIC_TARGETS,
     "Probability that the observer gave to the right place"},
    {"entropy.collision", "share", METRIC_TARGETS,
     "Sum of the squares of all: what the truth is when he is right"},
    {"entropy.linked", "share", METRIC_TARGETS, "Targets that were certain"},
    {"entropy.next", "share", METRIC_TARGETS,
     "Chance that the next packet to leave a relay is the target"},
    {"entropy.targets", "packets", METRIC_TARGETS,
     "Targets that were followed"},
    {"epsilon.mean", "nats", METRIC_EPSILON,
     "|ln p0/p1| of two challengers, over packets that leave honest relays"},
    {"epsilon.infinite", "share", METRIC_EPSILON,
     "Of those, the ones that can be from one challenger alone"},
    {"epsilon.own.mean", "nats", METRIC_EPSILON,
     "The same of the challengers' own packets"},
    {"epsilon.own.infinite", "share", METRIC_EPSILON,
     "Of those, the ones that can be from one alone"},
    {"epsilon.own.delta_at_0.5", "share", METRIC_EPSILON,
     "What of them is left beyond epsilon = 0.5"},
    {"epsilon.own.delta_at_1", "share", METRIC_EPSILON, "The same beyond 1"},
    {"epsilon.own.delta_at_2", "share", METRIC_EPSILON, "The same beyond 2"},
    {"watch.send", "nats", METRIC_WATCH,
     "What a put tells a store that watches clients' links"},
    {"watch.poll", "nats", METRIC_WATCH, "What a get tells it"},
    {"paths.corrupt", "share", METRIC_PATHS,
     "Ways through the adversary's mixes alone"},
    {"paths.caught", "share", METRIC_PATHS,
     "Users with such a way within measure.path_messages packets"},
    {"paths.median", "packets", METRIC_PATHS,
     "After how many packets half of all users have had one"},
    {"alarm.windows", "windows", METRIC_ALARM, "Times that relays looked"},
    {"alarm.bad", "share", METRIC_ALARM, "Of these, when loops were missing"},
    {"alarm.raised", "alarms", METRIC_ALARM, "Alarms"},
    {"run.warmup", "s", METRIC_PACKETS, "Virtual time before measuring"},
    {"run.length", "s", METRIC_PACKETS, "Virtual time measured"},
    {"run.inside_most", "packets", METRIC_PACKETS, "Most packets under way"},

    {"text.sent", "texts", METRIC_TEXTS, "Texts that were written"},
    {"text.arrived", "texts", METRIC_TEXTS, "Texts that were shown"},
    {"text.lost", "texts", METRIC_TEXTS, "Texts that were given up"},
    {"text.twice", "texts", METRIC_TEXTS, "Texts that were shown twice"},
    {"text.latency.mean", "s", METRIC_LETTERS,
     "From a text's being written until it is shown; of a service until its "
     "answer is; of a file each part"},
    {"text.latency.p50", "s", METRIC_LETTERS, "Its median"},
    {"text.latency.p90", "s", METRIC_LETTERS, "Its 90th percentile"},
    {"text.latency.p99", "s", METRIC_LETTERS, "Its 99th percentile"},
    {"group.latency.mean", "s", METRIC_GROUP,
     "The same of the last of each group"},
    {"group.latency.p50", "s", METRIC_GROUP, "Its median"},
    {"group.latency.p90", "s", METRIC_GROUP, "Its 90th percentile"},
    {"group.latency.p99", "s", METRIC_GROUP, "Its 99th percentile"},
    {"link.up.packets", "packets/s", METRIC_NETWORK,
     "Of a client that is there, sent"},
    {"link.up.bytes", "bytes/s", METRIC_LINKS,
     "The same in bytes, without TLS"},
    {"link.down.packets", "packets/s", METRIC_NETWORK,
     "Of a client that is there, received"},
    {"link.down.bytes", "bytes/s", METRIC_LINKS,
     "The same in bytes, without TLS"},
    {"packets.dropped", "packets", METRIC_NETWORK,
     "Packets that relays refused"},
    {"relay.held.mean", "packets", METRIC_NETWORK, "Packets in a relay"},
    {"loops.lost", "share", METRIC_NETWORK, "Relays' own loops that got lost"},
    {"events", "events", METRIC_NETWORK, "Events of the engine, in all"},

    {"lists.entries", "tokens", METRIC_LISTS, "Room in a list"},
    {"lists.used", "tokens", METRIC_LISTS, "Of that in use, on average"},
    {"lists.bytes", "bytes/s", METRIC_LISTS,
     "What lists take of a client's downlink"},
    {"lists.of_spare", "share", METRIC_LISTS,
     "Of the bytes that its frames have left"},
    {"lists.stream", "s", METRIC_LISTS,
     "Until a client has all parts of a list"},
    {"letters", "letters", METRIC_USES, "Letters that were shown and counted"},
    {"announcements", "an hour", METRIC_USES, "Announcements of all"},
    {"file.rate", "letters/s", METRIC_FILE, "Parts that came"},
    {"file.of_sends", "share", METRIC_FILE,
     "Parts that came, of the ticks of sending"},
    {"probe.advantage", "share", METRIC_PROBE,
     "By how much more often than by guessing a contact who probes once is "
     "right of whether the user talks with others"},
    {"probe.advantage_50", "share", METRIC_PROBE, "The same of 50 probes"},
    {"probe.alone.mean", "s", METRIC_PROBE_TIMES,
     "When he was answered, while the user talked with nobody"},
    {"probe.alone.p50", "s", METRIC_PROBE_TIMES, "Its median"},
    {"probe.alone.p90", "s", METRIC_PROBE_TIMES, "Its 90th percentile"},
    {"probe.alone.p99", "s", METRIC_PROBE_TIMES, "Its 99th percentile"},
    {"probe.busy.mean", "s", METRIC_PROBE_TIMES,
     "The same, while he talked with others"},
    {"probe.busy.p50", "s", METRIC_PROBE_TIMES, "Its median"},
    {"probe.busy.p90", "s", METRIC_PROBE_TIMES, "Its 90th percentile"},
    {"probe.busy.p99", "s", METRIC_PROBE_TIMES, "Its 99th percentile"}};

const struct metric *
metrics_all(size_t *n)
{
    *n = LEN(metrics);
    return metrics;
}

const struct metric *
metric_find(const char *name)
{
    for (size_t i = 0; i < LEN(metrics); i++)
        if (strcmp(metrics[i].name, name) == 0)
            return &metrics[i];
    return NULL;
}

const char *
metric_near(const char *name)
{
    const char *near = NULL;
    unsigned nearest = UINT32_MAX;
    for (size_t i = 0; i < LEN(metrics); i++) {
        const unsigned d = words_distance(name, metrics[i].name);
        if (d < nearest && words_are_near(name, d)) {
            nearest = d;
            near = metrics[i].name;
        }
    }
    return near;
}

bool
metric_is_measured(const struct metric *m, const struct scenario *s)
{
    return whens[m->when].is(s);
}

const char *
metric_when_text(const struct metric *m)
{
    return whens[m->when].text;
}
