/* relay/daemon/hibernate.c - the month's quota (relay/daemon/quota.h) on the
 * real machine: counting what the links carry, keeping it in the file `quota`,
 * telling the operator, closing the links when all of it is used.
 *
 * The file is written once a minute, when the state changes and at the end. A
 * relay that is killed forgets a minute at most: to be safe it counts what that
 * minute could have been, by its rate of late. Failure mode: the file cannot be
 * written (logged; after a restart the month looks less used than it is). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lib/os/database.h"
#include "relay/daemon/daemon.h"

enum {
    LEFT_US = 1000000,
    KEEP_US = 60000000,
    KEEP_S = 60,
    /* on the wire a frame is so much longer, in thousandths: TLS, TCP, IP */
    WIRE_PERMILLE = 1040,
    GB = 1000000000
};

static void
quota_keep(struct relay_daemon *d, bool clean)
{
    const struct quota *q = &d->quota;
    char text[96];
    if (q->limit == 0)
        return;
    int len = snprintf(text, sizeof text, "%" PRIu64 " %" PRIu64 "\n",
                       q->begin_s, q->used + (clean ? 0 : q->rate * KEEP_S));
    const int err = files_write_in(d->dir, "quota", text, (size_t)len);
    if (err)
        log_write(&d->host.log, LOG_WARNING, "relay",
                  "%s/quota cannot be kept: %s", d->dir, database_remedy(err));
    d->quota_keep_us = loop_now_us(d->host.loop) + KEEP_US;
}

int
hibernate_start(struct relay_daemon *d)
{
    char path[FILES_PATH_MAX];
    uint8_t *text = NULL;
    size_t len;
    uint64_t begin_s = 0, used = 0;
    int err = files_path(path, d->dir, hibernate_left_name);
    if (!err) /* who starts it wants it in */
        (void)unlink(path);
    if (!err)
        err = files_path(path, d->dir, "quota");
    if (!err)
        err = files_read(path, 96, &text, &len);
    if (err && err != ERR_NOT_FOUND) { /* rather none than too much */
        log_write(&d->host.log, LOG_ERROR, "relay", "%s cannot be read: %s",
                  path, database_remedy(err));
        return err;
    }
    if (!err &&
        sscanf((char *)text, "%" SCNu64 " %" SCNu64, &begin_s, &used) != 2) {
        log_write(&d->host.log, LOG_WARNING, "relay",
                  "%s cannot be understood: the month counts from now", path);
        begin_s = used = 0;
    }
    free(text);
    quota_init(&d->quota, (uint64_t)d->config->quota_gb * GB,
               (unsigned)d->config->quota_day, begin_s, used,
               loop_now_us(d->host.loop) / 1000000);
    d->quota_keep_us = loop_now_us(d->host.loop) + KEEP_US;
    return 0;
}

static void
state_tell(struct relay_daemon *d)
{
    char when[32];
    time_t end = (time_t)d->quota.end_s;
    struct tm tm;
    gmtime_r(&end, &tm);
    strftime(when, sizeof when, "%Y-%m-%d", &tm);
    if (d->quota.state == QUOTA_OPEN)
        log_write(&d->host.log, LOG_NOTICE, "relay",
                  "a new month: %" PRId64 " GB may be used",
                  d->config->quota_gb);
    else if (d->quota.state == QUOTA_LEAVING)
        log_write(&d->host.log, LOG_NOTICE, "relay",
                  "the month's quota comes to its end: leaves the network "
                  "until %s, after the epochs it is announced for",
                  when);
    else
        log_write(&d->host.log, LOG_WARNING, "relay",
                  "the month's quota is used up: no links until %s", when);
}

const char hibernate_left_name[] = "left";

/* Look for the file by which 'brusio-relay leave' and 'join' speak to a relay
 * that runs. */
static void
left_look(struct relay_daemon *d)
{
    char path[FILES_PATH_MAX];
    if (loop_now_us(d->host.loop) < d->left_us ||
        files_path(path, d->dir, hibernate_left_name))
        return;
    d->left_us = loop_now_us(d->host.loop) + LEFT_US;
    const bool left = access(path, F_OK) == 0;
    if (left != d->left)
        log_write(&d->host.log, LOG_NOTICE, "relay",
                  left
                      ? "leaves the network, as 'brusio-relay leave' has said; "
                        "'status' says when it is out"
                      : "joins the network again");
    d->left = left;
}

void
hibernate_step(struct relay_daemon *d)
{
    struct net_status s;
    left_look(d);
    if (d->quota.limit == 0)
        return;
    net_status(d->net, &s);
    const uint64_t bytes =
        s.frames * d->network.geometry.packet_len / 1000 * WIRE_PERMILLE;
    const uint64_t serve_s =
        (uint64_t)(EPOCHS_USABLE + 2) * d->network.epoch_len_s;
    /* one consensus is enough: the first that lists it again opens the links */
    const bool changed =
        quota_step(&d->quota, bytes - d->bytes, views_past_s(d, 1),
                   loop_now_us(d->host.loop) / 1000000, serve_s);
    d->bytes = bytes;
    if (changed) {
        state_tell(d);
        net_close(d->net, d->quota.state == QUOTA_SPENT);
    }
    if (changed || loop_now_us(d->host.loop) >= d->quota_keep_us)
        quota_keep(d, false);
}

uint64_t
hibernate_until_s(const struct relay_daemon *d)
{
    if (d->left)
        return HIBERNATE_LEFT_S;
    return d->quota.limit > 0 && d->quota.state != QUOTA_OPEN ? d->quota.end_s
                                                              : 0;
}

void
hibernate_end(struct relay_daemon *d)
{
    if (d->quota.begin_s > 0)
        quota_keep(d, true);
}
