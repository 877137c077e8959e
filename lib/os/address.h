/* lib/os/address.h - "192.0.2.1:7100" and "[2001:db8::1]:7100", for edges. */
#ifndef LIB_OS_ADDRESS_H
#define LIB_OS_ADDRESS_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "lib/error.h"

enum { ADDRESS_TEXT_MAX = 64 };

/* A numeric address with its port; port 0 is fine for binding. Returns 0 or
 * ERR_FORMAT. */
int address_parse(struct sockaddr_storage *out, socklen_t *len,
                  const char *text) CHECK_RESULT;

/* Is this text an address (with its port) of this machine alone? */
bool address_is_loopback(const char *text);

/* The text of an address. */
void address_text(char out[static ADDRESS_TEXT_MAX],
                  const struct sockaddr_storage *in);

/* A listening socket, not blocking, closed on exec. *fd and what was really
 * bound (port 0) come out. Returns 0, ERR_FORMAT or ERR_SYSTEM (see errno). */
int address_listen(int *fd, const char *text,
                   char bound[static ADDRESS_TEXT_MAX]) CHECK_RESULT;

/* A socket on its way to an address. Returns 0, ERR_FORMAT or ERR_SYSTEM. */
int address_connect(int *fd, const char *text) CHECK_RESULT;
#endif
