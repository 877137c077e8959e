/* lib/os/socket.c - making sockets, and asking the kernel about them. No state.
 */
#include "lib/os/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/sockios.h>
#elif defined __FreeBSD__ || defined __NetBSD__
#include <sys/filio.h>
#endif

#include "lib/os/system.h"

int
socket_listen(int *fd, const char *text, char bound[static ADDRESS_TEXT_MAX])
{
    struct sockaddr_storage a;
    socklen_t len;
    int one = 1, err = address_parse(&a, &len, text);
    if (err)
        return err;
    *fd = socket(a.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0)
        return system_error();
    setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(*fd, (struct sockaddr *)&a, len) || listen(*fd, SOMAXCONN) ||
        getsockname(*fd, (struct sockaddr *)&a, &len)) {
        err = system_error();
        close(*fd);
        *fd = -1;
        return err;
    }
    address_text(bound, &a);
    return 0;
}

void
socket_listen_why(char out[static SOCKET_WHY_LEN], int err)
{
    const int why = system_number();
    const char *todo = why == EADDRINUSE
                           ? "choose another port, or stop what has it ('ss "
                             "-ltnp' shows it)"
                       : why == EACCES ? "take a port above 1023, or give the "
                                         "program CAP_NET_BIND_SERVICE"
                       : why == EMFILE || why == ENFILE
                           ? "raise the limit of open files ('ulimit -n')"
                           : "use an address that this machine has";
    if (err == ERR_FORMAT)
        snprintf(out, SOCKET_WHY_LEN,
                 "not an address with its port; write it as 192.0.2.1:7100 or "
                 "[2001:db8::1]:7100");
    else if (err == ERR_SYSTEM)
        snprintf(out, SOCKET_WHY_LEN, "%s; %s", strerror(why), todo);
    else
        snprintf(out, SOCKET_WHY_LEN, "%s", error_text(err));
}

int
socket_towards(char out[static ADDRESS_TEXT_MAX], const char *there,
               uint16_t port)
{
    struct sockaddr_storage a;
    socklen_t len;
    int err = address_parse(&a, &len, there);
    if (err)
        return err;
    const int fd = socket(a.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return system_error();
    if (connect(fd, (struct sockaddr *)&a, len) ||
        getsockname(fd, (struct sockaddr *)&a, &len))
        err = system_error();
    close(fd);
    if (a.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)&a)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)&a)->sin_port = htons(port);
    if (!err)
        address_text(out, &a);
    return err;
}

int
socket_connect(int *fd, const char *text)
{
    struct sockaddr_storage a;
    socklen_t len;
    int one = 1, err = address_parse(&a, &len, text);
    if (err)
        return err;
    *fd = socket(a.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0)
        return system_error();
    setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(*fd, (struct sockaddr *)&a, len) && errno != EINPROGRESS) {
        err = system_error();
        close(*fd);
        *fd = -1;
        return err;
    }
    return 0;
}

void
socket_limit(int fd, size_t len)
{
    int room = len < 1 << 30 ? (int)len : 1 << 30;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
#ifdef TCP_USER_TIMEOUT
    unsigned silent_ms = SOCKET_SILENT_S * 1000;
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silent_ms, sizeof silent_ms);
#endif
}

#if defined SIOCOUTQ || defined FIONWRITE
static size_t
queue_len(int fd, unsigned long which)
{
    int len = 0;
    return ioctl(fd, which, &len) == 0 && len > 0 ? (size_t)len : 0;
}
#endif

int
socket_waiting(int fd, size_t *all, size_t *unsent)
{
    *all = *unsent = 0;
#if defined SIOCOUTQ && defined SIOCOUTQNSD
    *all = queue_len(fd, SIOCOUTQ);
    if (*all > 0) /* most of the time there is nothing, and one call does */
        *unsent = queue_len(fd, SIOCOUTQNSD);
    return 0;
#elif defined FIONWRITE
    *all = queue_len(fd, FIONWRITE); /* which part has left is not told */
    return 0;
#else
    (void)fd;
    return ERR_UNSUPPORTED;
#endif
}

void
socket_discard(int fd)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}
