/* relay/operator/metrics.c - the Prometheus text. No state. */
#include "relay/operator/metrics.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/version.h"
#include "relay/alarm.h"

#define METRICS(X)                                                            \
    X(info, gauge, "Role and version, as labels.")                            \
    X(healthy, gauge, "1 when 'brusio-relay status' finds no error.")         \
    X(in_consensus, gauge, "1 when the newest consensus has this relay.")     \
    X(layer, gauge, "Layer there: 0 gateway, 1.. mixes, then stores.")        \
    X(epoch, gauge, "Epoch of the newest consensus.")                         \
    X(consensus_valid_after_seconds, gauge, "When that began, Unix time.")    \
    X(epoch_length_seconds, gauge, "Length of an epoch.")                     \
    X(key_until_seconds, gauge, "End of that epoch's packet key, Unix time.") \
    X(authorities, gauge, "Authorities of the network.")                      \
    X(authorities_reached, gauge, "Those that answered the last request.")    \
    X(descriptor_taken, gauge, "Those that have the next descriptor.")        \
    X(links_wanted, gauge, "Links to relays that there should be.")           \
    X(links_out, gauge, "Links to relays that are up.")                       \
    X(links_in, gauge, "Links from relays.")                                  \
    X(clients, gauge, "Clients connected, in steps of 50.")                   \
    X(clients_max, gauge, "Clients it may have.")                             \
    X(held_percent, gauge, "Share of the packets it may hold, steps of 10.")  \
    X(cpu_percent, gauge, "Of a processor for each worker, steps of 5.")      \
    X(quota_used_percent, gauge, "Of the month's quota, steps of 5.")         \
    X(hibernates_until_seconds, gauge, "When it comes back, Unix time; 0.")   \
    X(alarm, gauge, "Own loops stay away: 0 no, 1 perhaps, 2 alarm.")         \
    X(loops_returned_percent, gauge, "Own loops, last hour, steps of 5.")     \
    X(packets_total, counter, "Packets by what became of them, by 1000.")     \
    X(lists_total, counter, "Announcements by 1000, lists by 100.")           \
    X(equivocations_total, counter, "Boards' lists that contradict others.")  \
    X(dropped_total, counter, "Packets dropped, by reason, by 1000.")         \
    X(connections_failed_total, counter, "Links, by reason, by 100.")         \
    X(documents_refused_total, counter, "Documents, by reason, by 100.")      \
    X(published_minutes_total, counter, "Minutes since it started.")

enum relay_metric {
#define X(name, type, help) METRIC_##name,
    METRICS(X)
#undef X
};

const char *const metrics_names[] = {
#define X(name, type, help) "brusio_relay_" #name,
    METRICS(X)
#undef X
        NULL};

static const char *const heads[] = {
#define X(name, type, help)                    \
    "# HELP brusio_relay_" #name " " help "\n" \
    "# TYPE brusio_relay_" #name " " #type "\n",
    METRICS(X)
#undef X
};

static void
value_write(FILE *f, enum relay_metric m, uint64_t v)
{
    fprintf(f, "%s%s %" PRIu64 "\n", heads[m], metrics_names[m], v);
}

static void
reasons_write(FILE *f, enum relay_metric m, const uint64_t *count)
{
    bool any = false;
    for (int i = 1; i < ERROR_COUNT; i++) {
        if (count[i] == 0)
            continue;
        fprintf(f, "%s%s{reason=\"%s\"} %" PRIu64 "\n", any ? "" : heads[m],
                metrics_names[m], error_name(-i), count[i]);
        any = true;
    }
}

static void
place_write(FILE *f, const struct status *s)
{
    struct findings found;
    uint64_t bad = 0;
    status_judge(&found, s, STATUS_ALIVE, s->written_s);
    for (size_t i = 0; i < found.n; i++)
        bad |= found.found[i].level == FINDING_ERROR;
    fprintf(f, "%s%s{role=\"%s\",version=\"%s\"} 1\n", heads[METRIC_info],
            metrics_names[METRIC_info], status_role_name[s->role],
            BRUSIO_VERSION);
    value_write(f, METRIC_healthy, !bad);
    value_write(f, METRIC_in_consensus, s->layer >= 0);
    if (s->layer >= 0)
        value_write(f, METRIC_layer, (uint64_t)s->layer);
    value_write(f, METRIC_epoch, s->epoch);
    value_write(f, METRIC_consensus_valid_after_seconds, s->valid_after_s);
    value_write(f, METRIC_epoch_length_seconds, s->epoch_len_s);
    if (s->key_until_s > 0)
        value_write(f, METRIC_key_until_seconds, s->key_until_s);
    value_write(f, METRIC_authorities, s->authorities);
    value_write(f, METRIC_authorities_reached, s->reached);
    value_write(f, METRIC_descriptor_taken, s->descriptor_taken);
}

static void
counts_write(FILE *f, const struct status *s)
{
    const struct publish_out *o = &s->seen;
    value_write(f, METRIC_links_wanted, s->links_out);
    value_write(f, METRIC_links_out, s->links_out_up);
    value_write(f, METRIC_links_in, s->links_in);
    if (s->role == 0) {
        value_write(f, METRIC_clients, o->clients);
        value_write(f, METRIC_clients_max, s->clients_max);
    }
    value_write(f, METRIC_held_percent, (uint64_t)o->held_percent);
    value_write(f, METRIC_cpu_percent, (uint64_t)o->cpu_percent);
    if (s->quota_percent >= 0) {
        value_write(f, METRIC_quota_used_percent, (uint64_t)s->quota_percent);
        value_write(f, METRIC_hibernates_until_seconds, s->hibernates_until_s);
    }
    value_write(f, METRIC_alarm, (uint64_t)s->alarm);
    if (o->loops_percent >= 0)
        value_write(f, METRIC_loops_returned_percent,
                    (uint64_t)o->loops_percent);
    for (size_t i = 0; i < PUBLISH_COUNTERS; i++)
        fprintf(f, "%s%s{kind=\"%s\"} %" PRIu64 "\n",
                i ? "" : heads[METRIC_packets_total],
                metrics_names[METRIC_packets_total], publish_counter_name[i],
                o->count[i]);
    for (size_t i = 0; i < PUBLISH_LISTS; i++)
        fprintf(f, "%s%s{kind=\"%s\"} %" PRIu64 "\n",
                i ? "" : heads[METRIC_lists_total],
                metrics_names[METRIC_lists_total], publish_list_name[i],
                o->list[i]);
    value_write(f, METRIC_equivocations_total, o->equivocations);
    reasons_write(f, METRIC_dropped_total, o->dropped);
    reasons_write(f, METRIC_connections_failed_total, o->link);
    reasons_write(f, METRIC_documents_refused_total, o->refused);
    value_write(f, METRIC_published_minutes_total, o->minutes);
}

int
metrics_write(const struct status *s, char **out, size_t *len)
{
    *out = NULL;
    FILE *f = open_memstream(out, len);
    if (!f)
        return ERR_NOMEM;
    place_write(f, s);
    counts_write(f, s);
    if (fclose(f) == 0)
        return 0;
    free(*out);
    *out = NULL;
    return ERR_NOMEM;
}
