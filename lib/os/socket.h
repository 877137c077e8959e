/* lib/os/socket.h - sockets on numeric addresses. */
#ifndef LIB_OS_SOCKET_H
#define LIB_OS_SOCKET_H
#include <stddef.h>
#include <stdint.h>

#include "lib/address.h"

/* A listening socket, not blocking, closed on exec. *fd and what was really
 * bound (port 0) come out. Returns 0, ERR_FORMAT or ERR_SYSTEM (see errno). */
int socket_listen(int *fd, const char *text,
                  char bound[static ADDRESS_TEXT_MAX]) CHECK_RESULT;

/* Say why it failed, from what it returned and errno as it left that, and what to
 * do: "Address already in use; choose another port, ..". */
enum { SOCKET_WHY_LEN = 160 };
void socket_listen_why(char out[static SOCKET_WHY_LEN], int err);

/* The address, without its port, by which this machine would send to another
 * one; nothing is sent. out gets it with this port. Returns 0, ERR_FORMAT, or
 * ERR_SYSTEM: there is no way there. */
int socket_towards(char out[static ADDRESS_TEXT_MAX], const char *there,
                   uint16_t port) CHECK_RESULT;

/* A socket on its way to an address. Returns 0, ERR_FORMAT or ERR_SYSTEM. */
int socket_connect(int *fd, const char *text) CHECK_RESULT;

/* How long the kernel goes on with what does not arrive. */
enum { SOCKET_SILENT_S = 30 };

/* Have the kernel keep about len bytes of what has not arrived at the peer, and
 * end the connection when for SOCKET_SILENT_S nothing of them does. What a
 * system does not know of this it leaves out. */
void socket_limit(int fd, size_t len);

/* Tell how many bytes sent into a socket its peer's kernel has not
 * acknowledged, *all, and how many of these have not left this machine,
 * *unsent. Returns 0, or ERR_UNSUPPORTED where the system does not tell. */
int socket_waiting(int fd, size_t *all, size_t *unsent) CHECK_RESULT;

/* Have close() throw away what has not arrived, instead of trying on. */
void socket_discard(int fd);
#endif
