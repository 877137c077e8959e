/* lib/blocks.h - how much each block of addresses takes of a listener.
 *
 * A block is a /24 of IPv4 or a /48 of IPv6: what one subscriber or one rented
 * machine has at hand. Each block has two limits: links at once, and
 * handshakes, which cost a signature, by a token bucket. The table has a fixed
 * size and a secret hash; when the table is full of blocks that hold links or
 * have used their tokens, all further blocks share one entry, so that many
 * blocks gain nothing by being many. Loopback is no block: a connection from
 * there is this machine's own.
 *
 * All handshakes together have a limit too, so that however many blocks take
 * part, their handshakes cost no more than a share of a processor. Addresses
 * that the owner favours (of the relays of a consensus) are not counted there:
 * a flood keeps strangers out, not neighbours.
 *
 * Pure: time comes in as an argument. Threads may share a table. */
#ifndef LIB_BLOCKS_H
#define LIB_BLOCKS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/error.h"

struct blocks_config {
    uint32_t links_max;            /* at once */
    uint32_t per_minute;           /* handshakes begun, on average */
    uint32_t burst;                /* and at once */
    uint32_t entries;              /* blocks known at once */
    uint32_t all_per_s, all_burst; /* handshakes of all; 0: no limit */
    bool by_host;                  /* each address is a block of its own */
    const uint8_t *hash_key;       /* 16 fresh random bytes */
};

struct blocks;

/* Make an empty table with the limits of config, which is copied, hash_key too.
 * The caller owns *out. Returns 0, ERR_ARG or ERR_NOMEM. */
int blocks_new(struct blocks **out,
               const struct blocks_config *config) CHECK_RESULT;

/* Free *b, which may be NULL, and set it to NULL. */
void blocks_free(struct blocks **b);

/* Favour the n addresses at `address`, whatever their port, and no others any
 * more. Returns 0 or ERR_NOMEM: then nothing has changed. */
int blocks_favour(struct blocks *b, const struct sockaddr_storage *address,
                  size_t n) CHECK_RESULT;

/* Write the address of from, without its port, to host as one of IPv6; IPv4 is
 * mapped into IPv6. Returns false when from is neither. */
enum { BLOCKS_HOST_LEN = 16 };
bool blocks_host(const struct sockaddr_storage *from,
                 uint8_t host[static BLOCKS_HOST_LEN]);

/* Write the name of the block of from to name: two addresses of one block have
 * one name. Returns false when from is loopback, or neither IPv4 nor IPv6. */
enum { BLOCKS_NAME_LEN = 7 };
bool blocks_name(const struct sockaddr_storage *from,
                 uint8_t name[static BLOCKS_NAME_LEN]);

/* Tell how many leading bytes of name stand for the range of the block: a /16
 * of IPv4, a /32 of IPv6, which is what one provider has. */
size_t blocks_range_len(const uint8_t name[static BLOCKS_NAME_LEN]);

#define BLOCKS_NONE UINT32_MAX

/* Count a connection from this address at now_us. Returns 0 and the block's
 * entry in *entry (BLOCKS_NONE: not limited), to be given back once; or
 * ERR_FULL (too many links), ERR_RATE (too many handshakes). */
int blocks_take(struct blocks *b, const struct sockaddr_storage *from,
                uint64_t now_us, uint32_t *entry) CHECK_RESULT;

/* Give back entry, which blocks_take() returned, when the link is over. */
void blocks_give(struct blocks *b, uint32_t entry);
#endif
