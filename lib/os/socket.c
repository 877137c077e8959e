/* lib/os/socket.c - see socket.h. No state. */
#include "lib/os/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

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
        return ERR_SYSTEM;
    setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(*fd, (struct sockaddr *)&a, len) || listen(*fd, SOMAXCONN) ||
        getsockname(*fd, (struct sockaddr *)&a, &len)) {
        int saved = errno;
        close(*fd);
        errno = saved;
        *fd = -1;
        return ERR_SYSTEM;
    }
    address_text(bound, &a);
    return 0;
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
        return ERR_SYSTEM;
    setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(*fd, (struct sockaddr *)&a, len) && errno != EINPROGRESS) {
        close(*fd);
        *fd = -1;
        return ERR_SYSTEM;
    }
    return 0;
}
