/* lib/address.h - numeric addresses with ports as text: "192.0.2.1:7100" and
 * "[2001:db8::1]:7100". Pure. */
#ifndef LIB_ADDRESS_H
#define LIB_ADDRESS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/error.h"

enum { ADDRESS_TEXT_MAX = 64 };

/* Read text, a numeric address with its port, into *out and *len; port 0 is
 * fine for binding. Returns 0 or ERR_FORMAT. */
int address_parse(struct sockaddr_storage *out, socklen_t *len,
                  const char *text) CHECK_RESULT;

/* Tell whether text is an address (with its port) of this machine alone. */
bool address_is_loopback(const char *text);

/* Who can reach a program that listens at an address. */
enum address_kind {
    ADDRESS_PUBLIC,   /* everybody */
    ADDRESS_PRIVATE,  /* the same network: 10.x, 192.168.x, fe80::, .. */
    ADDRESS_LOOPBACK, /* this machine */
    ADDRESS_NOBODYS   /* nobody: all addresses (0.0.0.0, ::), many (multicast),
                         port 0, or no address at all */
};
/* Tell the kind of text, an address with its port. */
enum address_kind address_kind(const char *text);

/* Write the address *in, with its port, as text to out. */
void address_text(char out[static ADDRESS_TEXT_MAX],
                  const struct sockaddr_storage *in);
#endif
