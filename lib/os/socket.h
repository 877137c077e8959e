/* lib/os/socket.h - sockets on numeric addresses. */
#ifndef LIB_OS_SOCKET_H
#define LIB_OS_SOCKET_H
#include <stddef.h>
#include <stdint.h>

#include "lib/address.h"

/* Make a socket that listens at the address text, is not blocking, and is
 * closed on exec. *fd is the socket, bound the address with the port that was
 * really bound (port 0). Returns 0, ERR_FORMAT or ERR_SYSTEM
 * (system.h). */
int socket_listen(int *fd, const char *text,
                  char bound[static ADDRESS_TEXT_MAX]) CHECK_RESULT;

/* Write to out why socket_listen() failed, from err, which it returned, and
 * what to do: "Address already in use; choose
 * another port, ..". */
enum { SOCKET_WHY_LEN = 160 };
void socket_listen_why(char out[static SOCKET_WHY_LEN], int err);

/* Find the address from which this machine would send to the address there, and
 * write that with port to out; nothing is sent. Returns 0, ERR_FORMAT, or
 * ERR_SYSTEM: no route leads there. */
int socket_towards(char out[static ADDRESS_TEXT_MAX], const char *there,
                   uint16_t port) CHECK_RESULT;

/* Make a socket *fd that is connecting to the address text. Returns 0,
 * ERR_FORMAT or ERR_SYSTEM (system.h): no descriptor is left, no route leads
 * there. */
int socket_connect(int *fd, const char *text) CHECK_RESULT;

/* How long the kernel goes on with what does not arrive. */
enum { SOCKET_SILENT_S = 30 };

/* Have the kernel keep at most about len bytes that have not arrived at the
 * peer of fd, and end the connection when none of them arrives for
 * SOCKET_SILENT_S. A system that does not know one of these limits is left
 * without it. */
void socket_limit(int fd, size_t len);

/* Tell how many bytes sent into fd the peer's kernel has not acknowledged,
 * *all, and how many of these have not left this machine, *unsent. Returns 0,
 * or ERR_UNSUPPORTED where the system does not tell. */
int socket_waiting(int fd, size_t *all, size_t *unsent) CHECK_RESULT;

/* Have close() throw away what was sent into fd and has not arrived, instead of
 * sending it again. */
void socket_discard(int fd);
#endif
