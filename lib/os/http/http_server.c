/* lib/os/http/http_server.c - accepting connections, reading requests, sending
 * answers.
 *
 * States of a connection: READS (until the request is whole), SENDS (the
 * answer), LINGERS (what still comes after an early answer is thrown away, so
 * that closing does not destroy the answer on its way). Timer: a look at all
 * connections, four times a second while there are any; and the end of the
 * moment for which nothing is accepted. Failure modes: no memory (that
 * connection ends), no descriptor (see server_is_short()), a peer that is slow,
 * silent or greedy (its connection gives way). */
#include "lib/os/http/http_server.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/blocks.h"
#include "lib/http_head.h"
#include "lib/os/http/http_body.h"
#include "lib/os/socket.h"

enum {
    LOOK_US = 250000,
    PAUSE_US = 100000, /* at least */
    LINGER_S = 2,
    SECOND_US = 1000000,
    PER_MINUTE = 600, /* connections of a block, or of a relay's address */
    BURST = 120,
    ENTRIES = 4096,
    RELAYS_KNOWN = 4096,
    FILES_LEFT = 192, /* descriptors for the rest of the program */
    ACCEPT_MAX = 64,  /* in one turn of the loop */
    READ_MAX = 16,
    ROOM_FIRST = 1024,
    REPLY_MAX = 512
};

enum connection_state { READS, SENDS, LINGERS };

struct connection {
    struct http_server *server;
    struct loop_watch *watch;
    struct sockaddr_storage from;
    int fd;
    uint32_t seat;
    enum seats_class class;
    enum connection_state state;
    uint64_t since_us, moved_us; /* the last byte was */
    bool headed, early;          /* answered before all was read */
    struct http_head head;
    uint8_t *in;
    size_t in_len, in_room;
    char reply[REPLY_MAX]; /* the answer's head */
    size_t reply_len, sent;
    struct http_body *body;
};

struct http_server {
    struct loop *loop;
    int fd, spare;
    struct loop_watch *watch;
    struct loop_timer *look;
    bool looks;         /* the timer is set */
    uint64_t paused_us; /* 0: it accepts */
    char address[ADDRESS_TEXT_MAX];
    size_t body_max, held[SEATS_CLASSES];
    http_handler_fn handler;
    http_classify_fn classify;
    void *ctx;
    struct seats *seats;
    struct blocks *blocks; /* of strangers, */
    struct blocks *hosts;  /* and of relays */
    struct http_body *bodies;
    struct http_counts counts;
    const struct connection *current; /* while the handler runs */
    uint32_t n;
    struct connection **at; /* by seat */
};

/* ---- one connection ---- */

static void
input_free(struct connection *c)
{
    free(c->in);
    c->server->held[c->class] -= c->in_room;
    c->in = NULL;
    c->in_len = c->in_room = 0;
}

static void
connection_close(struct connection *c)
{
    struct http_server *s = c->server;
    loop_watch_free(&c->watch);
    close(c->fd);
    input_free(c);
    http_body_give(&s->bodies, c->body);
    s->at[c->seat] = NULL;
    s->counts.open--;
    seats_leave(s->seats, c->seat);
    free(c);
}

static void
seat_clear(struct http_server *s, uint32_t seat)
{
    s->counts.gave_way++;
    connection_close(s->at[seat]);
}

/* Make the answer. Returns 0; ERR_NOMEM, ERR_LONG: then nothing is sent. */
static int
answer_put(struct connection *c, const struct http_answer *a)
{
    const bool same = a->etag && strcmp(a->etag, c->head.tag) == 0;
    const int status = same ? 304 : a->status;
    const size_t len = status == 304 || !a->body ? 0 : a->len;
    char length[48] = "";
    if (status != 304) /* which has no body, whatever its length says */
        snprintf(length, sizeof length, "Content-Length: %zu\r\n", len);
    int n = snprintf(c->reply, sizeof c->reply,
                     "HTTP/1.1 %d %s\r\nConnection: close\r\n"
                     "Content-Type: %s\r\n%s%s%s%s\r\n",
                     status, http_status_text(status),
                     a->type ? a->type : "text/plain", length,
                     a->etag ? "ETag: " : "", a->etag ? a->etag : "",
                     a->etag ? "\r\n" : "");
    if (n < 0 || n >= (int)sizeof c->reply)
        return ERR_LONG;
    c->reply_len = (size_t)n;
    if (len > 0)
        c->body = http_body_get(&c->server->bodies, a->body, len);
    return len > 0 && !c->body ? ERR_NOMEM : 0;
}

static void
connection_end(struct connection *c)
{
    if (!c->early || shutdown(c->fd, SHUT_WR)) {
        connection_close(c);
        return;
    }
    c->state = LINGERS;
    c->since_us = loop_now_us(c->server->loop);
    loop_watch_set(c->watch, LOOP_READ);
}

static void
connection_send(struct connection *c)
{
    const size_t body_len = c->body ? c->body->len : 0;
    while (c->sent < c->reply_len + body_len) {
        struct iovec part[2];
        int n = 0;
        size_t skip = c->sent;
        if (skip < c->reply_len) {
            part[n++] = (struct iovec){c->reply + skip, c->reply_len - skip};
            skip = 0;
        } else
            skip -= c->reply_len;
        if (body_len > 0)
            part[n++] = (struct iovec){c->body->bytes + skip, body_len - skip};
        const ssize_t sent = writev(c->fd, part, n);
        if (sent <= 0) {
            if (sent < 0 && (errno == EAGAIN || errno == EINTR))
                loop_watch_set(c->watch, LOOP_WRITE);
            else
                connection_close(c);
            return;
        }
        c->sent += (size_t)sent;
        c->moved_us = loop_now_us(c->server->loop);
    }
    connection_end(c);
}

static void
connection_answer(struct connection *c, const struct http_answer *a)
{
    int err = answer_put(c, a);
    input_free(c);
    if (err) {
        connection_close(c);
        return;
    }
    c->state = SENDS;
    connection_send(c);
}

static void
connection_handle(struct connection *c)
{
    struct http_server *s = c->server;
    struct http_answer a = {.status = 404};
    s->current = c;
    s->handler(s->ctx, c->head.path, c->head.post ? c->in + c->head.len : NULL,
               c->head.body_len, &a);
    s->current = NULL;
    connection_answer(c, &a);
}

/* Judge what has come of a request. Returns 0 when that is whole; ERR_AGAIN:
 * more has to come; ERR_CLOSED: it was refused, and the connection may be gone.
 */
static int
connection_judge(struct connection *c)
{
    if (!c->headed) {
        int err =
            http_head_read(&c->head, c->in, c->in_len, c->server->body_max);
        if (err == ERR_SHORT)
            return ERR_AGAIN;
        if (err) {
            const struct http_answer a = {.status = err == ERR_LONG      ? 413
                                                    : err == ERR_COMMAND ? 501
                                                                         : 400};
            c->early = true;
            connection_answer(c, &a);
            return ERR_CLOSED;
        }
        c->headed = true;
    }
    return c->in_len - c->head.len < c->head.body_len ? ERR_AGAIN : 0;
}

/* Make room for what comes next. Other connections of the class give way when
 * the requests of that class that are not whole take too much together. Returns
 * 0 or ERR_NOMEM. */
static int
input_grow(struct connection *c)
{
    struct http_server *s = c->server;
    const size_t most =
        c->headed ? c->head.len + c->head.body_len : HTTP_HEAD_MAX;
    size_t room = c->in_room ? 2 * c->in_room : ROOM_FIRST;
    room = room < most ? room : most;
    if (c->in_len < c->in_room)
        return 0;
    while (s->held[c->class] - c->in_room + room > HTTP_HELD_MAX) {
        const uint32_t first = seats_first_to_go(s->seats, c->class);
        if (first == SEATS_NONE || first == c->seat)
            return ERR_NOMEM;
        seat_clear(s, first);
    }
    uint8_t *more = realloc(c->in, room);
    if (!more)
        return ERR_NOMEM;
    s->held[c->class] += room - c->in_room;
    c->in = more;
    c->in_room = room;
    return 0;
}

static void
connection_read(struct connection *c)
{
    for (unsigned i = 0; i < READ_MAX; i++) {
        if (input_grow(c)) {
            connection_close(c);
            return;
        }
        const ssize_t n =
            recv(c->fd, c->in + c->in_len, c->in_room - c->in_len, 0);
        if (n <= 0) {
            if (n == 0 || (errno != EAGAIN && errno != EINTR))
                connection_close(c);
            return;
        }
        c->in_len += (size_t)n;
        c->moved_us = loop_now_us(c->server->loop);
        int err = connection_judge(c);
        if (!err)
            connection_handle(c);
        if (err != ERR_AGAIN)
            return;
    }
}

static void
connection_linger(struct connection *c)
{
    uint8_t waste[4096];
    const ssize_t n = recv(c->fd, waste, sizeof waste, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        connection_close(c);
}

static void
connection_ready(void *ctx, unsigned ready)
{
    struct connection *c = ctx;
    (void)ready;
    if (c->state == READS)
        connection_read(c);
    else if (c->state == SENDS)
        connection_send(c);
    else
        connection_linger(c);
}

static bool
connection_is_late(const struct connection *c, uint64_t now_us)
{
    const uint64_t age_s = (now_us - c->since_us) / SECOND_US;
    if (c->state == LINGERS)
        return age_s >= LINGER_S;
    return (now_us - c->moved_us) / SECOND_US >= HTTP_IDLE_S ||
           age_s >= HTTP_AGE_S ||
           (c->state == READS &&
            age_s >= (c->headed ? HTTP_REQUEST_S : HTTP_HEAD_S));
}

/* ---- accepting ---- */

/* Count a connection against its rate. Strangers are counted by their block,
 * relays each by its address, so that no relay suffers from a neighbour.
 * Authorities are few, have to be heard, and are not counted. */
static int
rate_take(struct http_server *s, enum seats_class class,
          const struct sockaddr_storage *from, uint64_t now_us)
{
    struct blocks *b = class == SEATS_STRANGER ? s->blocks
                       : class == SEATS_RELAY  ? s->hosts
                                               : NULL;
    uint32_t entry;
    int err = b ? blocks_take(b, from, now_us, &entry) : 0;
    if (b && !err)
        blocks_give(b, entry);
    return err;
}

/* Seat a new connection. Returns 0; or an error: then fd stays the caller's. */
static int
connection_new(struct http_server *s, int fd,
               const struct sockaddr_storage *from)
{
    uint8_t name[SEATS_NAME_LEN] = {0};
    const uint64_t now_us = loop_now_us(s->loop);
    const enum seats_class class =
        s->classify ? s->classify(s->ctx, from) : SEATS_STRANGER;
    const bool named = blocks_name(from, name); /* loopback has none */
    int err = rate_take(s, class, from, now_us);
    if (err)
        return err;
    if (class != SEATS_STRANGER && named)
        (void)blocks_host(from, name);
    struct connection *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    *c = (struct connection){.server = s,
                             .fd = fd,
                             .from = *from,
                             .since_us = now_us,
                             .moved_us = now_us};
    err = loop_watch_new(s->loop, fd, connection_ready, c, &c->watch);
    if (err) {
        free(c);
        return err;
    }
    const uint32_t gone = seats_gone_for(s->seats, class, named ? name : NULL);
    if (gone != SEATS_NONE)
        seat_clear(s, gone);
    c->seat = seats_take(s->seats, class, named ? name : NULL);
    c->class = seats_class_at(s->seats, c->seat);
    s->at[c->seat] = c;
    s->counts.open++;
    loop_watch_set(c->watch, LOOP_READ);
    return 0;
}

/* Set the time of the next look; newcomers do not put off a look that is set.
 */
static void
look_set(struct http_server *s)
{
    if (!s->looks)
        loop_timer_at(s->look, loop_now_us(s->loop) + LOOK_US);
    s->looks = true;
}

static void
server_pause(struct http_server *s)
{
    s->paused_us = loop_now_us(s->loop) + PAUSE_US;
    loop_watch_set(s->watch, 0);
    look_set(s);
}

/* Find a descriptor for a connection that waits to be accepted: a stranger
 * gives way. When there is no stranger, the spare descriptor serves to accept
 * and close that connection, and nothing is accepted for a moment: else the
 * loop would be told without end that a connection waits. Returns whether to go
 * on. */
static bool
server_is_short(struct http_server *s)
{
    const uint32_t first = seats_first_to_go(s->seats, SEATS_STRANGER);
    if (first != SEATS_NONE) {
        seat_clear(s, first);
        return true;
    }
    s->counts.refused++;
    s->counts.starved++;
    if (s->spare >= 0) {
        close(s->spare);
        const int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            close(fd);
        s->spare = -1;
    }
    server_pause(s);
    return false;
}

static void
server_accept(void *ctx, unsigned ready)
{
    struct http_server *s = ctx;
    (void)ready;
    for (unsigned i = 0; i < ACCEPT_MAX; i++) {
        struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
        socklen_t len = sizeof from;
        const int fd = accept4(s->fd, (struct sockaddr *)&from, &len,
                               SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EAGAIN || errno == EWOULDBLOCK)
                break;
            if (errno == EINTR || errno == ECONNABORTED)
                continue;
            if (!server_is_short(s))
                return;
            continue;
        }
        if (connection_new(s, fd, &from)) {
            s->counts.refused++;
            close(fd);
        }
    }
    if (s->counts.open > 0)
        look_set(s);
}

static void
server_look(void *ctx)
{
    struct http_server *s = ctx;
    const uint64_t now_us = loop_now_us(s->loop);
    for (uint32_t i = 0; i < s->n; i++)
        if (s->at[i] && connection_is_late(s->at[i], now_us)) {
            s->counts.expired += s->at[i]->state != LINGERS;
            connection_close(s->at[i]);
        }
    if (s->paused_us && s->paused_us <= now_us) {
        s->paused_us = 0;
        loop_watch_set(s->watch, LOOP_READ);
    }
    if (s->spare < 0)
        s->spare = fcntl(s->fd, F_DUPFD_CLOEXEC, 0);
    s->looks = false;
    if (s->counts.open > 0 || s->paused_us || s->spare < 0)
        look_set(s);
}

/* ---- life ---- */

static uint32_t
seats_wanted(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur == RLIM_INFINITY)
        return HTTP_SEATS_MAX;
    const rlim_t room = files.rlim_cur >= 2 * FILES_LEFT
                            ? files.rlim_cur - FILES_LEFT
                            : files.rlim_cur / 2;
    return room < 8                ? 8
           : room < HTTP_SEATS_MAX ? (uint32_t)room
                                   : HTTP_SEATS_MAX;
}

static int
server_seat(struct http_server *s)
{
    uint8_t key[16];
    s->n = seats_wanted();
    const struct seats_config seats = {
        .count = s->n,
        .relays = s->n / 2,
        .authorities = s->n / 4,
        .each = {[SEATS_STRANGER] = HTTP_SEATS_BLOCK,
                 [SEATS_RELAY] = HTTP_SEATS_RELAY,
                 [SEATS_AUTHORITY] = s->n / 8}};
    struct blocks_config blocks = {.links_max = UINT32_MAX,
                                   .per_minute = PER_MINUTE,
                                   .burst = BURST,
                                   .entries = ENTRIES,
                                   .hash_key = key};
    randombytes_buf(key, sizeof key);
    s->at = calloc(s->n, sizeof *s->at);
    int err = s->at ? seats_new(&s->seats, &seats) : ERR_NOMEM;
    if (!err)
        err = blocks_new(&s->blocks, &blocks);
    blocks.by_host = true;
    blocks.entries = RELAYS_KNOWN;
    return err ? err : blocks_new(&s->hosts, &blocks);
}

int
http_server_new(struct http_server **out, struct loop *l, const char *address,
                size_t body_max, http_handler_fn handler, void *ctx)
{
    struct http_server *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return ERR_NOMEM;
    s->loop = l;
    s->body_max = body_max;
    s->handler = handler;
    s->ctx = ctx;
    s->fd = s->spare = -1;
    int err = socket_listen(&s->fd, address, s->address);
    if (!err)
        err = server_seat(s);
    if (!err)
        err = loop_timer_new(l, server_look, s, &s->look);
    if (!err)
        err = loop_watch_new(l, s->fd, server_accept, s, &s->watch);
    if (err) {
        const int why = errno; /* for socket_listen_why() */
        http_server_free(&s);
        errno = why;
        return err;
    }
    s->spare = fcntl(s->fd, F_DUPFD_CLOEXEC, 0);
    loop_watch_set(s->watch, LOOP_READ);
    *out = s;
    return 0;
}

void
http_server_free(struct http_server **sp)
{
    struct http_server *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    for (uint32_t i = 0; i < s->n && s->at; i++)
        if (s->at[i])
            connection_close(s->at[i]);
    loop_watch_free(&s->watch);
    loop_timer_free(&s->look);
    if (s->fd >= 0)
        close(s->fd);
    if (s->spare >= 0)
        close(s->spare);
    seats_free(&s->seats);
    blocks_free(&s->blocks);
    blocks_free(&s->hosts);
    free(s->at);
    free(s);
}

void
http_server_classify(struct http_server *s, http_classify_fn classify)
{
    s->classify = classify;
}

void
http_server_counts(const struct http_server *s, struct http_counts *out)
{
    *out = s->counts;
}

uint32_t
http_server_seats(const struct http_server *s)
{
    return s->n;
}

bool
http_server_peer(const struct http_server *s, struct sockaddr_storage *from)
{
    if (!s->current)
        return false;
    *from = s->current->from;
    return true;
}

const char *
http_server_address(const struct http_server *s)
{
    return s->address;
}
