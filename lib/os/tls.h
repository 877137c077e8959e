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
    TLS_RECORD_EXTRA = 22   /* a record adds so much: head 5, type 1, tag 16 */
};

/* An identity, which the links of a program share and do not change. */
struct tls;

/* Make *out from seed, which the Ed25519 identity follows from; NULL: a client,
 * which shows no identity. The caller owns *out. Returns 0, ERR_NOMEM or
 * ERR_CRYPTO. */
int tls_new(struct tls **out, const uint8_t *seed) CHECK_RESULT;

/* Free *t, which may be NULL, and set it to NULL. */
void tls_free(struct tls **t);

/* One connection through memory: ciphertext goes in and out of buffers, the
 * socket is the caller's. */
struct tls_session;

/* Make a session of t, for the side that accepted the connection (server) or
 * for the other one. The caller owns *out. Returns 0, ERR_NOMEM, or
 * ERR_ARG: a server without an identity. */
int tls_session_new(struct tls_session **out, struct tls *t,
                    bool server) CHECK_RESULT;

/* Free *s, which may be NULL, and set it to NULL. */
void tls_session_free(struct tls_session **s);

/* Give s len bytes of ciphertext from the wire. They are not copied:
 * tls_handshake() and tls_read() take of them until they return 0, and data has
 * to stay as long. */
void tls_input(struct tls_session *s, const uint8_t *data, size_t len);

/* Return how many bytes of ciphertext s has for the wire, and set *data, unless
 * data is NULL, to where they are. */
size_t tls_output(const struct tls_session *s, const uint8_t **data);

/* Note that the first len bytes of tls_output() are on their way. */
void tls_sent(struct tls_session *s, size_t len);

/* Go on with the handshake of s. Returns 1 when the handshake is finished, 0
 * when more input is needed (there may be output all the same), or ERR_TLS. */
int tls_handshake(struct tls_session *s) CHECK_RESULT;

/* Write the other side's identity to id, after the handshake. Returns false
 * when the other side showed none. */
bool tls_peer(struct tls_session *s, uint8_t id[static TLS_ID_LEN]);

/* Read at most max bytes of plaintext into out. Returns how many, 0 when there
 * are no more for now, ERR_CLOSED or ERR_TLS. */
int tls_read(struct tls_session *s, uint8_t *out, size_t max) CHECK_RESULT;

/* Write len bytes of plaintext; at most TLS_RECORD_LEN bytes become one record.
 * Returns 0 or ERR_TLS. */
int tls_write(struct tls_session *s, const uint8_t *data,
              size_t len) CHECK_RESULT;
#endif
