/* relay/operator/status.c - judging a relay's state, and printing it for a
 * person.
 *
 * The judgement goes from the outside in: does it run, does it reach the
 * authorities, is it in the consensus, does it have its links, is it well. What
 * explains the rest ends the list. */
#include "relay/operator/status.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "lib/os/clock.h"
#include "relay/alarm.h"

const char *const status_role_name[] = {"gateway", "mix", "store", NULL};

enum { SPAN_LEN = 32, STARTING_S = 3, FEW = 2 * PUBLISH_PACKETS };

/* ---- findings ---- */

void
finding_add(struct findings *f, enum finding_level level, const char *format,
            ...)
{
    va_list args;
    if (f->n >= FINDINGS_MAX)
        return;
    f->found[f->n].level = level;
    va_start(args, format);
    vsnprintf(f->found[f->n++].text, FINDING_LEN, format, args);
    va_end(args);
}

enum finding_level
findings_print(const struct findings *f, FILE *to)
{
    static const char *const name[] = {"ok", "warning", "error"};
    enum finding_level worst = FINDING_OK;
    for (size_t i = 0; i < f->n; i++) {
        const enum finding_level level = f->found[i].level;
        fprintf(to, "%s: %s\n", name[level], f->found[i].text);
        if (level > worst)
            worst = level;
    }
    return worst;
}

/* ---- times for people ---- */

static const char *
span_text(char out[static SPAN_LEN], uint64_t s)
{
    if (s < 120)
        snprintf(out, SPAN_LEN, "%" PRIu64 " s", s);
    else if (s < 7200)
        snprintf(out, SPAN_LEN, "%" PRIu64 " min", s / 60);
    else if (s < 2 * 86400)
        snprintf(out, SPAN_LEN, "%" PRIu64 " h", s / 3600);
    else
        snprintf(out, SPAN_LEN, "%" PRIu64 " days", s / 86400);
    return out;
}

static uint64_t
epoch_begins_s(const struct status *s, uint32_t epoch)
{
    return s->genesis_s + (uint64_t)(epoch - 1) * s->epoch_len_s;
}

/* ---- judging ---- */

static const char clock_todo[] =
    "set the clock with NTP (systemd-timesyncd or chrony); 'brusio-relay "
    "check' compares it";
static const char reach_todo[] =
    "see whether this machine reaches the network, whether outgoing TCP is "
    "open, and whether the network file is the current one";

static bool
process_is_well(struct findings *f, const struct status *s,
                enum status_process process, uint64_t now_s)
{
    char at[CLOCK_TEXT_LEN], span[SPAN_LEN];
    const uint64_t age_s = now_s > s->written_s ? now_s - s->written_s : 0;
    clock_text(at, s->written_s);
    if (s->left && (!s->running || process == STATUS_GONE))
        finding_add(
            f, FINDING_ERROR,
            "the relay has left the network, and is not running; it was "
            "stopped at %s; 'brusio-relay join' or 'run' brings it back",
            at);
    else if (!s->running)
        finding_add(f, FINDING_ERROR,
                    "the relay is not running; it was stopped at %s; start it "
                    "with 'brusio-relay run --dir DIR'",
                    at);
    else if (process == STATUS_GONE)
        finding_add(f, FINDING_ERROR,
                    "the relay is not running; it ended without a word after "
                    "%s; look at the end of its log, then start it again",
                    at);
    else if (s->written_s > now_s + STATUS_OLD_S)
        finding_add(f, FINDING_ERROR,
                    "the status is dated in the future, %s; %s", at,
                    clock_todo);
    else if (age_s > STATUS_OLD_S)
        finding_add(
            f, FINDING_ERROR,
            "the status is old: written %s ago; see whether the disk is full; "
            "if not, the relay hangs or is gone: start it again",
            span_text(span, age_s));
    else if (s->leaving)
        finding_add(
            f, FINDING_ERROR,
            "it is about to end: it takes no packets and lets out those it "
            "holds; wait half a minute, then start it again when you want");
    else
        return true;
    return false;
}

/* Say if the relay has no consensus that is of use. */
static bool
network_is_known(struct findings *f, const struct status *s, uint64_t now_s)
{
    char at[CLOCK_TEXT_LEN], span[SPAN_LEN];
    const uint64_t stale_s =
        s->valid_after_s + (uint64_t)EPOCHS_USABLE * s->epoch_len_s;
    if (s->epoch != 0 && now_s < stale_s)
        return true;
    if (s->epoch != 0)
        finding_add(f, FINDING_ERROR,
                    "its newest consensus, of epoch %" PRIu32
                    ", has expired %s ago",
                    s->epoch, span_text(span, now_s - stale_s));
    if (s->consensus_is_mistimed)
        finding_add(f, FINDING_ERROR,
                    "the clock is off: by it, the consensus is %s; %s",
                    s->consensus_refusal, clock_todo);
    else if (s->consensus_is_foreign)
        finding_add(f, FINDING_ERROR,
                    "the authorities' consensus does not fit the network file: "
                    "%s; ask whoever runs the network for the network file",
                    s->consensus_refusal);
    else if (s->reached == 0 && s->written_s < s->started_s + STARTING_S)
        finding_add(f, FINDING_ERROR,
                    "it has just started; no authority has answered yet; wait "
                    "a few seconds");
    else if (s->reached == 0)
        finding_add(f, FINDING_ERROR,
                    "no authority answers, of %" PRIu32 "; %s", s->authorities,
                    reach_todo);
    else if (now_s < s->genesis_s)
        finding_add(
            f, FINDING_ERROR,
            "the network's first epoch has not begun; it does at %s; wait",
            clock_text(at, s->genesis_s));
    else
        finding_add(f, FINDING_ERROR,
                    "the authorities answer, but have no consensus in force; "
                    "wait for the next epoch; if it does not come, ask whoever "
                    "runs the network");
    return false;
}

static const char unreached_todo[] =
    "let the port through in firewall and router, and see 'listen' and "
    "'addresses' in relay.conf; if only this machine cannot reach itself "
    "there, set assume_reachable = true";

/* Does the relay take part this month? */
static bool
is_awake(struct findings *f, const struct status *s)
{
    char at[CLOCK_TEXT_LEN];
    if (s->left && s->layer >= 0)
        finding_add(
            f, FINDING_WARNING,
            "it leaves: it serves the consensus of epoch %" PRIu32
            ", and is in no later one once more than half of the authorities "
            "know; let it run until this says that it is out",
            s->epoch);
    else if (s->left)
        finding_add(
            f, FINDING_WARNING,
            "it has left: the consensus of epoch %" PRIu32
            " is without it; end it, an epoch later if somebody may still have "
            "the one before; 'brusio-relay join' brings it back",
            s->epoch);
    if (s->left)
        return s->layer >= 0;
    if (s->hibernates_until_s == 0)
        return true;
    finding_add(
        f, s->spent ? FINDING_ERROR : FINDING_WARNING,
        "the month's quota %s until %s; it comes back by itself; raise "
        "'quota_gb' if it may use more",
        s->spent
            ? "is used up: no links"
            : "comes to its end: out of the network from the next epochs on",
        clock_text(at, s->hibernates_until_s));
    return !s->spent && s->layer >= 0;
}

/* Say if the relay has a consensus, and is not in it. */
static bool
is_in_consensus(struct findings *f, const struct status *s, uint64_t now_s)
{
    char at[CLOCK_TEXT_LEN], wait[SPAN_LEN];
    const uint64_t begin_s = epoch_begins_s(s, s->descriptor_first);
    if (s->layer >= 0)
        return true;
    if (s->descriptor_refusal[0] && 2 * s->descriptor_taken <= s->authorities)
        finding_add(f, FINDING_ERROR,
                    "not in the consensus: the authorities refuse the "
                    "descriptor: %s; put right what it says; when it speaks of "
                    "admission, send this relay's identity ('brusio-relay "
                    "init' prints it) to whoever runs the authorities",
                    s->descriptor_refusal);
    else if (s->left_out_permille > 0)
        finding_add(f, FINDING_ERROR,
                    "left out of the consensus: %" PRIu32
                    " %% of its neighbours lose what they send by way of it, "
                    "or it says so of them; see whether it has too much to do "
                    "or its links are bad; it is tested all the time, and "
                    "taken in again within two epochs of its repair",
                    s->left_out_permille / 10);
    else if (s->reached == 0)
        finding_add(f, FINDING_ERROR,
                    "not in the consensus: no authority answers, of %" PRIu32
                    "; %s",
                    s->authorities, reach_todo);
    else if (s->descriptor_epoch == 0 && s->unreached[0])
        finding_add(
            f, FINDING_ERROR,
            "not in the consensus: it does not reach itself at %s: %s; %s",
            s->unreached, s->unreached_why, unreached_todo);
    else if (s->descriptor_first == 0)
        finding_add(f, FINDING_ERROR,
                    "not in the consensus: no authority has taken the "
                    "descriptor yet; wait a minute and look again");
    else if (s->epoch < s->descriptor_first && now_s < begin_s + s->epoch_len_s)
        finding_add(f, FINDING_ERROR,
                    "not in the consensus yet: the descriptor is taken for "
                    "epoch %" PRIu32 "; wait: that begins at %s, in %s",
                    s->descriptor_first, clock_text(at, begin_s),
                    span_text(wait, begin_s > now_s ? begin_s - now_s : 0));
    else
        finding_add(f, FINDING_ERROR,
                    "not in the consensus, though %" PRIu32 " of %" PRIu32
                    " authorities have taken a descriptor since epoch %" PRIu32
                    "; ask whoever runs the network whether this identity is "
                    "admitted and the address reachable",
                    s->descriptor_taken, s->authorities, s->descriptor_first);
    return false;
}

static void
authorities_judge(struct findings *f, const struct status *s, uint64_t now_s)
{
    const uint64_t end_s = s->valid_after_s + s->epoch_len_s;
    if (s->reached == 0)
        finding_add(f, FINDING_ERROR,
                    "no authority answers, of %" PRIu32
                    "; the relay will fall out of the consensus; %s",
                    s->authorities, reach_todo);
    else if (s->reached < s->authorities)
        finding_add(f, FINDING_WARNING,
                    "%" PRIu32 " of %" PRIu32 " authorities do not answer",
                    s->authorities - s->reached, s->authorities);
    if (s->descriptor_refusal[0])
        finding_add(
            f, FINDING_WARNING,
            "an authority refuses the descriptor: %s; put right what it says",
            s->descriptor_refusal);
    if (now_s > end_s + s->epoch_len_s / 4)
        finding_add(f, FINDING_WARNING,
                    "the consensus of epoch %" PRIu32
                    " is the newest, though a newer one is due; it is usable "
                    "for three epochs; if others have a newer one, see whether "
                    "this machine reaches the authorities",
                    s->epoch);
}

static void
links_judge(struct findings *f, const struct status *s, uint64_t now_s)
{
    const bool settled = now_s > s->started_s + 60;
    if (s->links_out > 0 && s->links_out_up == 0)
        finding_add(f, FINDING_ERROR,
                    "no link to any of %" PRIu32
                    " relays is up; see whether outgoing TCP is open in "
                    "firewall and router",
                    s->links_out);
    else if (2 * s->links_out_up < s->links_out)
        finding_add(f, FINDING_WARNING,
                    "only %" PRIu32 " of %" PRIu32
                    " links to relays are up; single relays may be down; if it "
                    "stays so, see whether outgoing TCP is open",
                    s->links_out_up, s->links_out);
    const uint64_t end_s = s->valid_after_s + s->epoch_len_s;
    if (now_s > end_s + s->epoch_len_s / 4)
        return; /* others forget this one for lack of a consensus */
    if (s->links_in == 0 && settled)
        finding_add(f, FINDING_ERROR,
                    "no relay has a link to this one; see from outside whether "
                    "its address is reachable: firewall, router, 'listen' and "
                    "'addresses' in relay.conf");
}

static void
load_judge(struct findings *f, const struct status *s)
{
    const struct publish_out *o = &s->seen;
    const uint64_t received = o->count[PUBLISH_RECEIVED];
    const uint64_t past = o->dropped[-ERR_DEADLINE_PAST];
    const uint64_t far = o->dropped[-ERR_DEADLINE_FAR];
    /* single steps may be chance */
    if (past + far > FEW && 10 * (past + far) >= received)
        finding_add(f, FINDING_ERROR,
                    "many packets come too %s: the clock is %s, or the machine "
                    "too slow; %s",
                    past > far ? "late" : "early",
                    past > far ? "ahead" : "behind", clock_todo);
    if (o->held_percent >= 90)
        finding_add(f, FINDING_ERROR,
                    "%d %% of the packets it may hold are held; offer less "
                    "'bandwidth', or raise 'packets_max' if there is memory (2 "
                    "KiB each)",
                    o->held_percent);
    if (o->dropped[-ERR_FULL] > FEW && 100 * o->dropped[-ERR_FULL] >= received)
        finding_add(f, FINDING_WARNING,
                    "packets were dropped because it was full; offer less "
                    "'bandwidth', or raise 'packets_max'");
    if (s->role == 0 && s->clients_max > 0 &&
        10 * o->clients >= 9 * (uint64_t)s->clients_max)
        finding_add(f, FINDING_WARNING,
                    "about %" PRIu64 " clients of %" PRIu32
                    " are connected; raise 'clients_max' if it can",
                    o->clients, s->clients_max);
    if (o->equivocations > 0)
        finding_add(f, FINDING_WARNING,
                    "boards have signed %" PRIu64
                    " lists that contradict others; clients are told and do "
                    "not believe it; tell whoever runs the network",
                    o->equivocations);
    if (s->alarm == ALARM_RAISED)
        finding_add(f, FINDING_ERROR,
                    "the relay's own loops stay away; look at the links and "
                    "the load; if both are well, somebody may withhold packets "
                    "(an n-1 attack): tell whoever runs the network");
    else if (o->loops_percent >= 0 && o->loops_percent < 80)
        finding_add(f, FINDING_WARNING,
                    "only %d %% of the relay's own loops return; look at links "
                    "and load, here and at the neighbours",
                    o->loops_percent);
}

void
status_judge(struct findings *f, const struct status *s,
             enum status_process process, uint64_t now_s)
{
    char span[SPAN_LEN];
    f->n = 0;
    if (!process_is_well(f, s, process, now_s) ||
        !network_is_known(f, s, now_s) || !is_awake(f, s) ||
        !is_in_consensus(f, s, now_s))
        return;
    if (s->unreached[0])
        finding_add(f, FINDING_WARNING,
                    "it does not reach itself at %s: %s; %s", s->unreached,
                    s->unreached_why, unreached_todo);
    if (s->waits_s > 0)
        finding_add(f, FINDING_ERROR,
                    "takes no packets yet, since replays could pass after a "
                    "restart of the machine; wait %s",
                    span_text(span, s->waits_s));
    if (s->doubled)
        finding_add(
            f, FINDING_ERROR,
            "the consensus of epoch %" PRIu32
            " names another packet key: another machine runs with this relay's "
            "identity, or its folder is an older copy; let one machine alone "
            "run with it, and 'init' each relay in a directory of its own; "
            "after an older copy it is well again with the next epochs",
            s->epoch);
    authorities_judge(f, s, now_s);
    links_judge(f, s, now_s);
    load_judge(f, s);
}

/* ---- printing ---- */

static void
reasons_print(FILE *to, const char *name, const uint64_t *count)
{
    bool first = true;
    for (int i = 1; i < ERROR_COUNT; i++) {
        if (count[i] == 0)
            continue;
        fprintf(to, "%-12s%" PRIu64 " %s\n", first ? name : "", count[i],
                error_text(-i));
        first = false;
    }
}

static void
place_print(FILE *to, const struct status *s)
{
    fprintf(to, "%-12s%s", "relay", status_role_name[s->role]);
    if (s->layer >= 0 && s->role == ROLE_MIX - ROLE_GATEWAY)
        fprintf(to, ", layer %d of %d", s->layer, s->layers);
    fprintf(to, ", links at %s\n", s->listen);
    if (s->epoch == 0)
        fprintf(to, "%-12snone yet\n", "consensus");
    else
        fprintf(
            to, "%-12s%s the one of epoch %" PRIu32 ", %" PRIu32 " relays\n",
            "consensus", s->layer >= 0 ? "in" : "not in", s->epoch, s->relays);
    fprintf(to,
            "%-12s%" PRIu32 " of %" PRIu32 " answer, %" PRIu32
            " have the descriptor for epoch %" PRIu32 "\n",
            "authorities", s->reached, s->authorities, s->descriptor_taken,
            s->descriptor_epoch);
}

static void
lists_print(FILE *to, const struct status *s)
{
    const uint64_t *n = s->seen.list;
    fprintf(to,
            "%-12s%" PRIu64 " taken, %" PRIu64 " refused, passed on %" PRIu64
            " times\n",
            "lists", n[PUBLISH_LISTS_TAKEN], n[PUBLISH_LISTS_REFUSED],
            n[PUBLISH_LISTS_PASSED]);
    if (s->role == ROLE_STORE - ROLE_GATEWAY)
        fprintf(to,
                "%-12s%" PRIu64 " lists made, %" PRIu64
                " announcements taken, %" PRIu64 " refused, %" PRIu64
                " given up\n",
                "board", n[PUBLISH_LISTS_MADE], n[PUBLISH_ANNOUNCED],
                n[PUBLISH_ANNOUNCED_BAD], n[PUBLISH_ANNOUNCED_LOST]);
}

static void
counts_print(FILE *to, const struct status *s)
{
    const struct publish_out *o = &s->seen;
    if (o->minutes == 0) {
        fprintf(to, "%-12sfrom the first full minute on\n", "packets");
        return;
    }
    fprintf(to,
            "%-12sabout %" PRIu64 " packets a second, %d %% of %" PRIu32
            " held, processor %d %%\n",
            "load", o->rate, o->held_percent, s->packets_max, o->cpu_percent);
    fprintf(to, "%-12s", "packets");
    for (size_t i = 0; i < PUBLISH_COUNTERS; i++)
        fprintf(to, "%s%" PRIu64 " %s", i ? ", " : "", o->count[i],
                publish_counter_name[i]);
    fprintf(to, "\n");
    lists_print(to, s);
    reasons_print(to, "dropped", o->dropped);
    reasons_print(to, "connections", o->link);
    reasons_print(to, "documents", o->refused);
}

int
status_print(const struct status *s, enum status_process process,
             uint64_t now_s, FILE *to)
{
    static const char *const alarm_name[] = {"", ", fewer than expected lately",
                                             ", alarm"};
    char at[CLOCK_TEXT_LEN], span[SPAN_LEN];
    struct findings f;
    status_judge(&f, s, process, now_s);
    bool bad = false;
    for (size_t i = 0; i < f.n; i++)
        bad |= f.found[i].level == FINDING_ERROR;
    fprintf(to, "%-12s%s\n", "state",
            !bad ? f.n ? "healthy, with warnings" : "healthy" : "not well");
    place_print(to, s);
    if (s->running && process != STATUS_GONE) {
        fprintf(
            to, "%-12s%s ago, at %s\n", "started",
            span_text(span, now_s > s->started_s ? now_s - s->started_s : 0),
            clock_text(at, s->started_s));
        fprintf(to,
                "%-12s%" PRIu32 " of %" PRIu32 " to relays, %" PRIu32
                " from relays",
                "links", s->links_out_up, s->links_out, s->links_in);
        if (s->role == 0 && s->seen.clients == 0)
            fprintf(to, ", fewer than %d clients", 2 * PUBLISH_CLIENTS);
        else if (s->role == 0)
            fprintf(to, ", about %" PRIu64 " clients of %" PRIu32,
                    s->seen.clients, s->clients_max);
        fprintf(to, "\n");
    }
    if (s->seen.loops_percent >= 0)
        fprintf(to, "%-12s%d %% of its own return%s\n", "loops",
                s->seen.loops_percent, alarm_name[s->alarm]);
    else
        fprintf(to, "%-12stoo few as yet%s\n", "loops", alarm_name[s->alarm]);
    if (s->quota_percent >= 0)
        fprintf(to, "%-12sabout %d %% of the month's is used\n", "quota",
                s->quota_percent);
    if (s->key_until_s > 0) {
        const uint64_t left =
            s->key_until_s > now_s ? s->key_until_s - now_s : 0;
        fprintf(to, "%-12sof epoch %" PRIu32 " in use until %s, in %s\n", "key",
                s->epoch, clock_text(at, s->key_until_s),
                span_text(span, left));
    }
    counts_print(to, s);
    findings_print(&f, to);
    return bad;
}
