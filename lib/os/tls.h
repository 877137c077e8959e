/* lib/os/tls.h - TLS 1.3 between pinned Ed25519 keys, for lib/os/link.c.
 *
 * A certificate is a container for the Ed25519 identity: self-signed, without
 * names, with constant dates, so that it says nothing else. No names or chains
 * are looked at; the caller compares the identity with the one it expects. */
#ifndef LIB_OS_TLS_H
#define LIB_OS_TLS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

enum {
    TLS_ID_LEN = 32,
    TLS_SEED_LEN = 32,
    TLS_RECORD_LEN = 16384, /* plaintext of one record, at most */
    TLS_RECORD_EXTRA = 22   /* what it adds to that: head 5, type 1, tag 16 */
};

/* Shared by the links of a program; not changed by them. */
struct tls;

/* seed: of the Ed25519 identity, or NULL: a client that shows none. */
int tls_new(struct tls **out, const uint8_t *seed) CHECK_RESULT;
void tls_free(struct tls **t);

/* One connection through memory: ciphertext goes in and out of buffers, the
 * socket is the caller's. */
struct tls_session;
int tls_session_new(struct tls_session **out, struct tls *t,
                    bool server) CHECK_RESULT;
void tls_session_free(struct tls_session **s);

/* Ciphertext from the wire. It is not copied: tls_handshake() and tls_read()
 * take it until they return 0, and it has to stay as long. */
void tls_input(struct tls_session *s, const uint8_t *data, size_t len);
/* Ciphertext for the wire: how much there is and, unless data is NULL, where.
 * tls_sent() when so much of it is on its way. */
size_t tls_output(const struct tls_session *s, const uint8_t **data);
void tls_sent(struct tls_session *s, size_t len);

/* Go on with the handshake. Returns 1 when it is finished, 0 when more input
 * is needed (there may be output all the same), ERR_TLS. */
int tls_handshake(struct tls_session *s) CHECK_RESULT;
/* The other side's identity; false when it showed none. After the handshake.
 */
bool tls_peer(struct tls_session *s, uint8_t id[static TLS_ID_LEN]);

/* Plaintext. read: octets read, 0 when there is no more, ERR_CLOSED, ERR_TLS.
 * write: all of it (at most TLS_RECORD_LEN become one record), 0 or ERR_TLS. */
int tls_read(struct tls_session *s, uint8_t *out, size_t max) CHECK_RESULT;
int tls_write(struct tls_session *s, const uint8_t *data,
              size_t len) CHECK_RESULT;
#endif
