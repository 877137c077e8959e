/* lib/address.c - reading, writing and judging addresses. No state. */
#include "lib/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
port_parse(const char *text, in_port_t *port)
{
    size_t n = strspn(text, "0123456789");
    if (n == 0 || n > 5 || text[n] != 0 || atoi(text) > 65535)
        return ERR_FORMAT;
    *port = htons((uint16_t)atoi(text));
    return 0;
}

int
address_parse(struct sockaddr_storage *out, socklen_t *len, const char *text)
{
    char host[ADDRESS_TEXT_MAX];
    const char *colon = strrchr(text, ':');
    in_port_t port;
    memset(out, 0, sizeof *out);
    if (!colon || (size_t)(colon - text) >= sizeof host ||
        port_parse(colon + 1, &port))
        return ERR_FORMAT;
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = 0;
    if (host[0] == '[') {
        struct sockaddr_in6 *a = (struct sockaddr_in6 *)out;
        size_t n = strlen(host);
        if (host[n - 1] != ']')
            return ERR_FORMAT;
        host[n - 1] = 0;
        a->sin6_family = AF_INET6;
        a->sin6_port = port;
        *len = sizeof *a;
        return inet_pton(AF_INET6, host + 1, &a->sin6_addr) == 1 ? 0
                                                                 : ERR_FORMAT;
    }
    struct sockaddr_in *a = (struct sockaddr_in *)out;
    a->sin_family = AF_INET;
    a->sin_port = port;
    *len = sizeof *a;
    return inet_pton(AF_INET, host, &a->sin_addr) == 1 ? 0 : ERR_FORMAT;
}

bool
address_is_loopback(const char *text)
{
    struct sockaddr_storage a;
    socklen_t len;
    if (address_parse(&a, &len, text))
        return false;
    if (a.ss_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)&a)->sin6_addr);
    return ntohl(((struct sockaddr_in *)&a)->sin_addr.s_addr) >> 24 == 127;
}

static enum address_kind
kind_of_four(uint32_t a)
{
    if (a >> 24 == 0 || a >> 28 >= 14) /* "this network", multicast, reserved */
        return ADDRESS_NOBODYS;
    if (a >> 24 == 127)
        return ADDRESS_LOOPBACK;
    const bool closed = a >> 24 == 10 || a >> 20 == 0xac1 ||
                        a >> 16 == 0xc0a8 || a >> 16 == 0xa9fe ||
                        a >> 22 == 0x64400000 >> 22;
    return closed ? ADDRESS_PRIVATE : ADDRESS_PUBLIC;
}

static enum address_kind
kind_of_six(const struct in6_addr *a)
{
    const uint8_t *b = a->s6_addr;
    if (IN6_IS_ADDR_V4MAPPED(a))
        return kind_of_four((uint32_t)b[12] << 24 | (uint32_t)b[13] << 16 |
                            (uint32_t)b[14] << 8 | b[15]);
    if (IN6_IS_ADDR_UNSPECIFIED(a) || IN6_IS_ADDR_MULTICAST(a))
        return ADDRESS_NOBODYS;
    if (IN6_IS_ADDR_LOOPBACK(a))
        return ADDRESS_LOOPBACK;
    return (b[0] & 0xfe) == 0xfc || IN6_IS_ADDR_LINKLOCAL(a) ||
                   IN6_IS_ADDR_SITELOCAL(a)
               ? ADDRESS_PRIVATE
               : ADDRESS_PUBLIC;
}

enum address_kind
address_kind(const char *text)
{
    struct sockaddr_storage a;
    socklen_t len;
    if (address_parse(&a, &len, text))
        return ADDRESS_NOBODYS;
    const struct sockaddr_in *four = (const struct sockaddr_in *)&a;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&a;
    if ((a.ss_family == AF_INET6 ? six->sin6_port : four->sin_port) == 0)
        return ADDRESS_NOBODYS;
    return a.ss_family == AF_INET6 ? kind_of_six(&six->sin6_addr)
                                   : kind_of_four(ntohl(four->sin_addr.s_addr));
}

void
address_text(char out[static ADDRESS_TEXT_MAX],
             const struct sockaddr_storage *in)
{
    char host[INET6_ADDRSTRLEN] = "?";
    if (in->ss_family == AF_INET6) {
        const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)in;
        inet_ntop(AF_INET6, &a->sin6_addr, host, sizeof host);
        snprintf(out, ADDRESS_TEXT_MAX, "[%s]:%u", host, ntohs(a->sin6_port));
    } else {
        const struct sockaddr_in *a = (const struct sockaddr_in *)in;
        inet_ntop(AF_INET, &a->sin_addr, host, sizeof host);
        snprintf(out, ADDRESS_TEXT_MAX, "%s:%u", host, ntohs(a->sin_port));
    }
}
