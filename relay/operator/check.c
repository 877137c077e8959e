/* relay/operator/check.c - findings about the machine a relay is to run on.
 *
 * The authorities' HTTP answers carry no date of theirs on purpose; the clock
 * is compared with the epoch of their newest consensus, and the system is asked
 * whether something sets it. */
#include "relay/operator/check.h"

#include <dirent.h>
#include <errno.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/timex.h>
#endif

#include "lib/address.h"
#include "lib/os/http/http.h"
#include "lib/os/socket.h"
#include "lib/os/clock.h"
#include "lib/secret.h"
#include "network/document.h"
#include "network/family.h"
#include "network/os/netfile.h"
#include "network/receive.h"
#include "network/schedule.h"
#include "relay/daemon/describe.h"
#include "relay/daemon/keys.h"

enum { ASK_S = 5 };

/* ---- addresses ---- */

static bool
is_wildcard(const struct sockaddr_storage *a)
{
    if (a->ss_family == AF_INET6)
        return IN6_IS_ADDR_UNSPECIFIED(
            &((const struct sockaddr_in6 *)a)->sin6_addr);
    return ((const struct sockaddr_in *)a)->sin_addr.s_addr == INADDR_ANY;
}

static void
port_check(struct findings *f, const char *what, const char *address,
           bool running)
{
    char bound[ADDRESS_TEXT_MAX], why[SOCKET_WHY_LEN];
    int fd;
    int err = socket_listen(&fd, address, bound);
    if (err == ERR_FORMAT)
        finding_add(f, FINDING_ERROR,
                    "'%s' is '%s', which is not an address with its port; "
                    "write it as 192.0.2.1:7100 or [2001:db8::1]:7100",
                    what, address);
    else if (!err)
        finding_add(f, FINDING_OK, "'%s': %s is free", what, address);
    else if (errno == EADDRINUSE && running)
        finding_add(f, FINDING_OK,
                    "'%s': %s is taken, as it should be: the relay runs", what,
                    address);
    else {
        socket_listen_why(why, err);
        finding_add(f, FINDING_ERROR, "'%s': %s cannot be bound: %s", what,
                    address, why);
    }
    if (!err)
        close(fd);
}

/* Does the machine have an address of this family beyond loopback? */
static bool
family_is_here(int family)
{
    struct ifaddrs *all;
    bool is = false;
    if (getifaddrs(&all))
        return false;
    for (const struct ifaddrs *i = all; i && !is; i = i->ifa_next) {
        if (!i->ifa_addr || i->ifa_addr->sa_family != family)
            continue;
        if (family == AF_INET)
            is = ntohl(((struct sockaddr_in *)(void *)i->ifa_addr)
                           ->sin_addr.s_addr) >>
                     24 !=
                 127;
        else {
            const struct in6_addr *a =
                &((struct sockaddr_in6 *)(void *)i->ifa_addr)->sin6_addr;
            is = !IN6_IS_ADDR_LOOPBACK(a) && !IN6_IS_ADDR_LINKLOCAL(a);
        }
    }
    freeifaddrs(all);
    return is;
}

static void
ip_check(struct findings *f, const char *name, int family, bool offered)
{
    const bool here = family_is_here(family);
    if (offered)
        finding_add(f, here ? FINDING_OK : FINDING_WARNING, "%s: offered%s",
                    name,
                    here ? ""
                         : ", but this machine has no such address; see "
                           "whether that address is still yours");
    else
        finding_add(f, FINDING_WARNING, "%s: no address is offered, %s", name,
                    here ? "though this machine has one; add one to 'addresses'"
                         : "and this machine has none; ask the provider for "
                           "one, if there is one to have");
}

void
check_addresses(struct findings *f, const struct relay_settings *c,
                bool running)
{
    struct sockaddr_storage a;
    socklen_t len;
    bool four = false, six = false;
    port_check(f, "listen", c->listen, running);
    if (c->metrics[0])
        port_check(f, "metrics", c->metrics, running);
    if (address_parse(&a, &len, c->listen))
        return;
    if (c->addresses.n == 0 && is_wildcard(&a))
        return; /* check_published() tells which one others are to use */
    if (c->addresses.n == 0 && address_is_loopback(c->listen)) {
        finding_add(f, FINDING_WARNING,
                    "'listen' is on loopback and 'addresses' is empty: only "
                    "programs of this machine reach the relay; fine for a test "
                    "network; else listen at a public address");
        return;
    }
    if (c->addresses.n == 0) {
        four = a.ss_family == AF_INET;
        six = !four;
    }
    for (size_t i = 0; i < c->addresses.n; i++) {
        if (address_parse(&a, &len, c->addresses.item[i])) {
            finding_add(f, FINDING_ERROR,
                        "'addresses': '%s' is not an address with its port; "
                        "write it as 192.0.2.1:7100 or [2001:db8::1]:7100",
                        c->addresses.item[i]);
            continue;
        }
        if (address_is_loopback(c->addresses.item[i]))
            finding_add(
                f, FINDING_WARNING,
                "'addresses': %s is loopback; fine for a test network only",
                c->addresses.item[i]);
        four |= a.ss_family == AF_INET;
        six |= a.ss_family == AF_INET6;
    }
    ip_check(f, "IPv4", AF_INET, four);
    ip_check(f, "IPv6", AF_INET6, six);
}

void
check_published(struct findings *f, const char *dir,
                const struct relay_settings *c, const struct network *n)
{
    struct describe x = {.config = c, .network = n};
    char bound[ADDRESS_TEXT_MAX], why[DESCRIBE_WHY_LEN];
    struct sockaddr_storage a;
    socklen_t len;
    if (address_parse(&a, &len, c->listen) ||
        (describe_bound(dir, c, bound) && c->addresses.n == 0))
        return; /* said already, or not known before it has run */
    describe_addresses(&x, bound);
    const int err = describe_judge(&x, why);
    if (err)
        finding_add(f, err == ERR_FORMAT ? FINDING_ERROR : FINDING_WARNING,
                    "%s", why);
    for (size_t i = 0;
         c->addresses.n == 0 && is_wildcard(&a) && !err && i < x.n_addresses;
         i++)
        finding_add(f, FINDING_OK,
                    "'addresses' is empty: published is %s, by which this "
                    "machine reaches the authorities",
                    x.addresses[i]);
}

/* ---- files ---- */

static void
mode_check(struct findings *f, const char *path, size_t *good)
{
    struct stat st;
    if (stat(path, &st))
        finding_add(f, FINDING_ERROR,
                    "%s: %s; restore it, or make a new relay with 'init'", path,
                    strerror(errno));
    else if (st.st_mode & 077)
        finding_add(f, FINDING_ERROR,
                    "%s is open to other users (mode %03o); chmod %s", path,
                    (unsigned)st.st_mode & 0777,
                    S_ISDIR(st.st_mode) ? "700" : "600");
    else if (access(path, R_OK))
        finding_add(
            f, FINDING_ERROR,
            "%s cannot be read: %s; run this as the relay's user, or chown it",
            path, strerror(errno));
    else if (st.st_uid != geteuid() && geteuid() != 0)
        finding_add(
            f, FINDING_WARNING,
            "%s belongs to another user; the relay has to run as that user",
            path);
    else
        ++*good;
}

/* Would the relay take its identity, and the memory of what it has seen? */
static void
secrets_check(struct findings *f, const char *dir)
{
    char why[KEYS_WHY_LEN], path[FILES_PATH_MAX];
    uint8_t *seed = NULL;
    if (!files_path(path, dir, "identity.key") && access(path, R_OK) == 0 &&
        keys_identity(dir, &seed, why))
        finding_add(f, FINDING_ERROR, "%s", why);
    secret_free((void **)&seed);
    const int err = replay_file_look(dir);
    if (err)
        finding_add(f, FINDING_ERROR, "%s/replay cannot be used: %s", dir,
                    replay_file_remedy(err));
}

void
check_keys(struct findings *f, const char *dir)
{
    char path[FILES_PATH_MAX];
    unsigned epoch;
    size_t good = 0, before = f->n;
    int end = 0;
    mode_check(f, dir, &good);
    DIR *d = opendir(dir);
    if (!files_path(path, dir, "identity.key"))
        mode_check(f, path, &good);
    for (struct dirent *e; d && (e = readdir(d));)
        if (sscanf(e->d_name, "packet-%u.key%n", &epoch, &end) == 1 &&
            end == (int)strlen(e->d_name) && !files_path(path, dir, e->d_name))
            mode_check(f, path, &good);
    if (d)
        closedir(d);
    secrets_check(f, dir);
    if (f->n == before)
        finding_add(f, FINDING_OK, "keys: %zu, readable, and closed to others",
                    good - 1);
}

void
check_disk(struct findings *f, const struct relay_settings *c,
           uint64_t free_bytes, uint64_t free_inodes)
{
    /* replay set, consensuses, keys, and what a store may keep */
    uint64_t need = (64 << 20) + 8 * (uint64_t)c->replay_tags;
    if (settings_role(c) == ROLE_STORE)
        need += (uint64_t)c->disk_max << 20;
    const uint64_t mb = 1000000;
    finding_add(f,
                free_bytes >= need      ? FINDING_OK
                : free_bytes < need / 8 ? FINDING_ERROR
                                        : FINDING_WARNING,
                "disk: %" PRIu64 " MB are free; it may need %" PRIu64 " MB%s",
                free_bytes / mb, need / mb,
                free_bytes >= need ? ""
                : settings_role(c) == ROLE_STORE
                    ? "; make room, or lower 'disk_max'"
                    : "; make room");
    if (free_inodes < 1000)
        finding_add(f, FINDING_ERROR,
                    "disk: room for only %" PRIu64
                    " more files; remove files there",
                    free_inodes);
}

void
check_files(struct findings *f, const struct relay_settings *c,
            uint64_t open_max)
{
    uint64_t need = 1000; /* relays, both ways, and the rest */
    if (settings_role(c) == ROLE_GATEWAY)
        need += (uint64_t)c->clients_max;
    if (open_max < need)
        finding_add(f, FINDING_WARNING,
                    "open files: %" PRIu64 " allowed, up to %" PRIu64
                    " wanted; raise it with 'ulimit -n %" PRIu64
                    "' or LimitNOFILE=%" PRIu64 " in the systemd unit%s",
                    open_max, need, need, need,
                    need > 1000 ? ", or lower 'clients_max'" : "");
    else
        finding_add(f, FINDING_OK,
                    "open files: %" PRIu64 " allowed, up to %" PRIu64 " wanted",
                    open_max, need);
}

void
check_memory(struct findings *f, const struct relay_settings *c, uint64_t has)
{
    const uint64_t max = (uint64_t)c->memory_max, mib = 1 << 20;
    if (max > has / mib)
        finding_add(f, FINDING_ERROR,
                    "memory: 'memory_max' is %" PRIu64
                    " MiB, but the machine has %" PRIu64
                    "; lower 'memory_max' well below that",
                    max, has / mib);
    else
        finding_add(f, FINDING_OK,
                    "memory: up to %" PRIu64 " MiB of the %" PRIu64
                    " that the machine has",
                    max, has / mib);
}

/* ---- the network ---- */

void
check_clock(struct findings *f, int err, uint64_t valid_after_s,
            uint32_t epoch_len_s, uint64_t now_s)
{
    static const char todo[] =
        "set the clock with NTP (systemd-timesyncd or chrony)";
    /* signed by some so early, by a clock that may be ahead */
    const uint64_t early_s =
        (uint64_t)epoch_len_s *
            (SCHEDULE_MARGIN_PERMILLE * 2 + SCHEDULE_ROUND_PERMILLE) / 1000 +
        1;
    if (err == ERR_FUTURE || (!err && now_s + early_s < valid_after_s))
        finding_add(f, FINDING_ERROR,
                    "clock: behind, since the authorities' newest consensus "
                    "has not begun by it; %s",
                    todo);
    else if (err == ERR_EXPIRED)
        finding_add(f, FINDING_ERROR,
                    "clock: ahead, or the network stands still: the "
                    "authorities' newest consensus has expired by it; %s",
                    todo);
    else if (!err && now_s >= valid_after_s + 2 * (uint64_t)epoch_len_s)
        finding_add(f, FINDING_WARNING,
                    "clock: perhaps ahead: the authorities' newest consensus "
                    "is more than an epoch old by it; %s",
                    todo);
    else if (!err)
        finding_add(
            f, FINDING_OK,
            "clock: agrees with the newest consensus, to an epoch (%" PRIu32
            " s); finer cannot be told, since authorities send no date",
            epoch_len_s);
    else
        finding_add(f, FINDING_WARNING,
                    "clock: cannot be compared: no consensus came and the "
                    "authorities send no date; see that NTP sets it");
}

static void
system_clock_check(struct findings *f)
{
#ifdef __linux__
    struct timex t = {.modes = 0};
    if (adjtimex(&t) < 0)
        return;
    if (t.status & STA_UNSYNC)
        finding_add(f, FINDING_WARNING,
                    "clock: nothing keeps it right, says the system; run "
                    "systemd-timesyncd or chrony; packets go astray when it is "
                    "a minute off");
    else
        finding_add(f, FINDING_OK, "clock: kept right, says the system");
#else
    (void)f;
#endif
}

struct check_question {
    struct loop *loop;
    struct http_request *request;
    bool over;
    int err, status;
    uint8_t *body;
    size_t len;
};

static void
asked_done(void *ctx, int err, int status, const uint8_t *body, size_t len)
{
    struct check_question *a = ctx;
    a->request = NULL;
    a->over = true;
    a->err = err;
    a->status = status;
    if (!err && len > 0 && (a->body = malloc(len))) {
        memcpy(a->body, body, len);
        a->len = len;
    }
    loop_stop(a->loop);
}

/* Ask one authority. Returns whether it answered. */
static bool
authority_ask(struct check_question *a, const char *address)
{
    *a = (struct check_question){0};
    if (loop_new(&a->loop))
        return false;
    int err = http_ask(&a->request, a->loop, address, "/v1/consensus", NULL, 0,
                       (size_t)DOCUMENT_BODY_MAX + 65536, asked_done, a);
    if (!err) {
        http_within(a->request, ASK_S);
        err = loop_run(a->loop);
    }
    http_cancel(&a->request);
    if (a->over) { /* the connection is let go in a turn of its own */
        loop_stop(a->loop);
        if (loop_run(a->loop))
            err = ERR_SYSTEM;
    }
    loop_free(&a->loop);
    return !err && a->over && !a->err;
}

static void
network_check(struct findings *f, const struct network *n)
{
    uint8_t id[AUTHORITIES_MAX][SPHINX_ID_LEN];
    const uint64_t now_s = clock_wall_s();
    size_t answers = 0;
    int err = ERR_NOT_FOUND;
    uint64_t valid_after_s = 0;
    for (size_t i = 0; i < n->n_authorities; i++)
        memcpy(id[i], n->authorities[i].identity, SPHINX_ID_LEN);
    const struct receive_rules rules = {.network = n->name,
                                        .geometry = &n->geometry,
                                        .authorities =
                                            (const uint8_t(*)[SPHINX_ID_LEN])id,
                                        .n_authorities = n->n_authorities};
    for (size_t i = 0; i < n->n_authorities; i++) {
        struct consensus *c = NULL;
        struct check_question a;
        answers += authority_ask(&a, n->authorities[i].address);
        if (err && a.status == 200 && a.len > 0) {
            err = receive_consensus(&c, &rules, a.body, a.len, 0, now_s);
            valid_after_s = err ? 0 : c->valid_after_s;
        }
        consensus_free(&c);
        free(a.body);
    }
    finding_add(f,
                answers == 0                 ? FINDING_ERROR
                : answers < n->n_authorities ? FINDING_WARNING
                                             : FINDING_OK,
                "authorities: %zu of %zu answer%s", answers, n->n_authorities,
                answers > 0 ? ""
                            : "; see whether outgoing TCP is open and the "
                              "network file is the current one");
    if (err && err != ERR_NOT_FOUND && err != ERR_FUTURE && err != ERR_EXPIRED)
        finding_add(
            f, FINDING_ERROR,
            "authorities: their consensus does not fit the network file: %s; "
            "ask whoever runs the network for the network file",
            error_text(err));
    check_clock(f, err, valid_after_s, n->epoch_len_s, now_s);
}

/* ---- all ---- */

static void
check_family(struct findings *f, const char *dir,
             const struct relay_settings *c)
{
    uint8_t family[FAMILY_LEN], signature[FAMILY_SIGNATURE_LEN];
    uint8_t *seed = NULL;
    char path[FILES_PATH_MAX];
    struct document_key key;
    if (!c->family[0] || files_path(path, dir, "identity.key") ||
        access(path, R_OK) || files_key(path, &seed))
        return;
    document_key_direct(&key, seed);
    secret_free((void **)&seed);
    if (family_read(c->family, family, signature) ||
        family_check(family, key.identity, signature))
        finding_add(
            f, FINDING_ERROR,
            "'family' is not what 'brusio-relay family' printed for this "
            "relay; authorities will refuse it; run 'brusio-relay family' "
            "where the family's key is, with this relay's identity");
    else
        finding_add(f, FINDING_OK, "family: signed for this relay");
}

void
check_user(struct findings *f, const struct relay_settings *c, bool root)
{
    if (c->user[0] && !getpwnam(c->user))
        finding_add(f, FINDING_ERROR,
                    "'user': there is no user '%s' on this machine; make it "
                    "with adduser --system, or name another",
                    c->user);
    else if (root && !c->user[0])
        finding_add(f, FINDING_WARNING,
                    "started by this user, the relay runs as root; set 'user' "
                    "to an ordinary one, or let systemd choose one");
}

/* A relay of this folder may be the one that has the port. */
bool
check_runs(const char *dir)
{
    uint8_t *text;
    size_t len;
    struct status s;
    if (files_read_in(dir, "status.json", STATUS_FILE_MAX, &text, &len))
        return false;
    int err = status_read_json(&s, text, len);
    free(text);
    return !err && s.running && s.pid > 0 &&
           (kill((pid_t)s.pid, 0) == 0 || errno == EPERM);
}

int
check_run(const char *dir, const struct relay_settings *config)
{
    char error[NETFILE_ERROR_LEN];
    struct network network;
    struct rlimit files;
    struct statvfs fs;
    struct findings f = {0};
    finding_add(&f, FINDING_OK, "configuration: %s/relay.conf", dir);
    int err = netfile_read_in(dir, config->network, &network, error);
    if (err)
        finding_add(&f, FINDING_ERROR, "%s", error);
    else
        finding_add(&f, FINDING_OK,
                    "network: '%s', %zu authorities, epochs of %" PRIu32
                    " s, packets of %" PRIu32 " bytes (%s)",
                    network.name, network.n_authorities, network.epoch_len_s,
                    (uint32_t)network.geometry.packet_len,
                    sphinx_suite_name(network.geometry.suite));
    check_user(&f, config, geteuid() == 0);
    check_keys(&f, dir);
    check_addresses(&f, config, check_runs(dir));
    if (!err)
        check_published(&f, dir, config, &network);
    check_family(&f, dir, config);
    if (access(dir, W_OK))
        finding_add(&f, FINDING_ERROR,
                    "disk: %s cannot be written: %s; mount its disk for "
                    "writing, and let the relay's user write there",
                    dir, strerror(errno));
    if (statvfs(dir, &fs) == 0)
        check_disk(&f, config, (uint64_t)fs.f_bavail * fs.f_frsize,
                   fs.f_files ? (uint64_t)fs.f_favail : UINT64_MAX);
    check_memory(&f, config,
                 (uint64_t)sysconf(_SC_PHYS_PAGES) *
                     (uint64_t)sysconf(_SC_PAGESIZE));
    if (getrlimit(RLIMIT_NOFILE, &files) == 0)
        check_files(&f, config, (uint64_t)files.rlim_max);
    system_clock_check(&f);
    if (!err)
        network_check(&f, &network);
    return findings_print(&f, stdout) == FINDING_ERROR;
}
