/* tests/attack.c - see attack.h. */
#include "tests/attack.h"

#include <errno.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/os/link_internal.h"

/* Addresses of two blocks. */
enum { SILENT = 0x7f000102, SHAKING = 0x7f000202 };

void
attack_init(struct attack *a, struct rig *rig, const uint8_t *like)
{
    const size_t len = rig->packet_len;
    *a = (struct attack){.rig = rig};
    rig_must(tls_new(&a->tls, NULL), "TLS");
    a->noise = malloc(ATTACK_NOISE * len);
    rig_must(a->noise ? 0 : ERR_NOMEM, "noise");
    randombytes_buf(a->noise, ATTACK_NOISE * len);
    for (size_t i = 0; i < ATTACK_NOISE; i++)
        memcpy(a->noise + i * len, like, 2);
    for (size_t i = 0; i < ATTACK_HALF_OPEN; i++)
        a->fd[i] = -1;
}

void
attack_free(struct attack *a)
{
    attack_handshakes_end(a);
    attack_half_open_end(a);
    tls_free(&a->tls);
    free(a->noise);
    *a = (struct attack){0};
}

size_t
attack_noise(struct attack *a, struct link *over, size_t count)
{
    size_t n = 0;
    while (n < count && link_send(over, a->noise + n % ATTACK_NOISE *
                                                       a->rig->packet_len) == 0)
        n++;
    return n;
}

static int
stranger_connect(const struct attack *a, uint32_t from_address)
{
    struct sockaddr_storage to;
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(from_address)};
    socklen_t len;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    rig_must(fd < 0 ? ERR_SYSTEM : 0, "socket");
    rig_must(address_parse(&to, &len, a->rig->relay_address), "address");
    rig_must(bind(fd, (struct sockaddr *)&from, sizeof from) ? ERR_SYSTEM : 0,
             "bind");
    (void)!connect(fd, (struct sockaddr *)&to, len);
    return fd;
}

void
attack_half_open(struct attack *a)
{
    /* a TLS record that promises 512 octets of a hello, and a few of them */
    static const uint8_t hello[] = {22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3, 7, 7};
    for (size_t i = 0; i < ATTACK_HALF_OPEN; i++)
        a->fd[i] = stranger_connect(a, SILENT);
    (void)rig_turn(a->rig, 0.2, NULL, NULL);
    for (size_t i = 0; i < ATTACK_HALF_OPEN; i += 2)
        (void)!send(a->fd[i], hello, sizeof hello, MSG_NOSIGNAL);
}

void
attack_half_open_end(struct attack *a)
{
    for (size_t i = 0; i < ATTACK_HALF_OPEN; i++) {
        if (a->fd[i] >= 0)
            close(a->fd[i]);
        a->fd[i] = -1;
    }
}

unsigned
attack_half_open_closed(const struct attack *a)
{
    unsigned n = 0;
    uint8_t octet;
    for (size_t i = 0; i < ATTACK_HALF_OPEN; i++) {
        ssize_t got =
            recv(a->fd[i], &octet, sizeof octet, MSG_DONTWAIT | MSG_PEEK);
        n += got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
    }
    return n;
}

static void
stranger_up(void *ctx, struct link *link, const uint8_t *peer)
{
    struct attack_stranger *s = ctx;
    (void)link;
    (void)peer;
    s->attack->shaken++;
    link_free(&s->link);
}

static void
stranger_frames(void *ctx, struct link *link, uint8_t *frames, size_t n)
{
    (void)ctx;
    (void)link;
    (void)frames;
    (void)n;
}

static void
stranger_down(void *ctx, struct link *link, int err)
{
    (void)link;
    (void)err;
    link_free(&((struct attack_stranger *)ctx)->link);
}

static const struct link_ops stranger_ops = {stranger_up, stranger_frames,
                                             stranger_down};

void
attack_handshakes(struct attack *a)
{
    const struct link_config config = {.frame_len = a->rig->packet_len,
                                       .queue_max = 1};
    for (size_t i = 0; i < ATTACK_SHAKING; i++) {
        struct attack_stranger *s = &a->stranger[i];
        s->attack = a;
        if (!s->link)
            rig_must(link_new(&s->link, a->rig->loop, a->tls, &config,
                              stranger_connect(a, SHAKING), false,
                              &stranger_ops, s),
                     "stranger");
    }
}

void
attack_handshakes_end(struct attack *a)
{
    for (size_t i = 0; i < ATTACK_SHAKING; i++)
        link_free(&a->stranger[i].link);
}

void
attack_deafen(struct rig_peer *after)
{
    loop_watch_set(after->link->watch, 0);
}

void
attack_deafen_end(struct rig_peer *after)
{
    loop_watch_set(after->link->watch, LOOP_READ);
}
