/* lib/os/socket.h - sockets on numeric addresses. */
#ifndef LIB_OS_SOCKET_H
#define LIB_OS_SOCKET_H
#include "lib/address.h"

/* A listening socket, not blocking, closed on exec. *fd and what was really
 * bound (port 0) come out. Returns 0, ERR_FORMAT or ERR_SYSTEM (see errno). */
int socket_listen(int *fd, const char *text,
                  char bound[static ADDRESS_TEXT_MAX]) CHECK_RESULT;

/* A socket on its way to an address. Returns 0, ERR_FORMAT or ERR_SYSTEM. */
int socket_connect(int *fd, const char *text) CHECK_RESULT;
#endif
