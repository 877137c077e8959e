/* lib/address.h - "192.0.2.1:7100" and "[2001:db8::1]:7100". Pure. */
#ifndef LIB_ADDRESS_H
#define LIB_ADDRESS_H
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
#endif
