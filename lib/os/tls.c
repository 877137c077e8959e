/* lib/os/tls.c - OpenSSL through a BIO of our own.
 *
 * The BIO reads what the caller has just received where that lies, and writes
 * into one buffer, which is freed when all of it is sent: ten thousand idle
 * sessions keep no buffers. State: two contexts of an identity, for clients and
 * servers; the session's object of OpenSSL and its buffer. No timers: the link
 * bounds the handshake. Failure modes: no memory, and all that OpenSSL refuses
 * (ERR_TLS), after which a session is of no more use. */
#include "lib/os/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct tls {
    SSL_CTX *server, *client;
};

struct tls_session {
    SSL *ssl;
    const uint8_t *in; /* the caller's */
    size_t in_len;
    uint8_t *out;
    size_t out_at, out_len, out_room;
};

/* ---- the BIO ---- */

enum { OUT_MIN = 4096 };

static int
wire_read(BIO *b, char *out, size_t max, size_t *got)
{
    struct tls_session *s = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    *got = s->in_len < max ? s->in_len : max;
    if (*got == 0) {
        BIO_set_retry_read(b);
        return 0;
    }
    memcpy(out, s->in, *got);
    s->in += *got;
    s->in_len -= *got;
    return 1;
}

static int
wire_write(BIO *b, const char *data, size_t len, size_t *put)
{
    struct tls_session *s = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    *put = 0;
    if (s->out_room - s->out_len < len) {
        size_t room = s->out_room ? s->out_room : OUT_MIN;
        while (room - s->out_len < len)
            room *= 2;
        uint8_t *more = realloc(s->out, room);
        if (!more)
            return 0;
        s->out = more;
        s->out_room = room;
    }
    memcpy(s->out + s->out_len, data, len);
    s->out_len += len;
    *put = len;
    return 1;
}

static long
wire_ctrl(BIO *b, int command, long larg, void *parg)
{
    (void)b;
    (void)larg;
    (void)parg;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *
wire_method(int kind)
{
    BIO_METHOD *m = BIO_meth_new(kind, "brusio");
    if (m && !(BIO_meth_set_read_ex(m, wire_read) &&
               BIO_meth_set_write_ex(m, wire_write) &&
               BIO_meth_set_ctrl(m, wire_ctrl))) {
        BIO_meth_free(m);
        m = NULL;
    }
    return m;
}

/* Return the process's one kind of BIO, which the first call that has memory
 * makes. */
static BIO_METHOD *
wire_find(void)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static BIO_METHOD *wire;
    static int kind = -1; /* there are few */
    pthread_mutex_lock(&mutex);
    if (kind < 0)
        kind = BIO_get_new_index();
    if (!wire && kind >= 0)
        wire = wire_method(kind | BIO_TYPE_SOURCE_SINK);
    BIO_METHOD *found = wire;
    pthread_mutex_unlock(&mutex);
    return found;
}

static BIO *
wire_new(struct tls_session *s)
{
    BIO_METHOD *wire = wire_find();
    BIO *b = wire ? BIO_new(wire) : NULL;
    if (b) {
        BIO_set_data(b, s);
        BIO_set_init(b, 1);
    }
    return b;
}

/* ---- contexts ---- */

/* Make the certificate of key, which is the same at any time. */
static X509 *
certificate_make(EVP_PKEY *key)
{
    X509 *x = X509_new();
    X509_NAME *name = X509_NAME_new();
    bool good =
        x && name && X509_set_version(x, X509_VERSION_3) &&
        ASN1_INTEGER_set(X509_get_serialNumber(x), 1) &&
        ASN1_TIME_set_string(X509_getm_notBefore(x), "20200101000000Z") &&
        ASN1_TIME_set_string(X509_getm_notAfter(x), "21000101000000Z") &&
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                   (const unsigned char *)"brusio", -1, -1,
                                   0) &&
        X509_set_subject_name(x, name) && X509_set_issuer_name(x, name) &&
        X509_set_pubkey(x, key) && X509_sign(x, key, NULL);
    X509_NAME_free(name);
    if (!good) {
        X509_free(x);
        return NULL;
    }
    return x;
}

static int
identity_use(SSL_CTX *ctx, const uint8_t *seed)
{
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed,
                                                 TLS_SEED_LEN);
    X509 *x = key ? certificate_make(key) : NULL;
    int good = x && SSL_CTX_use_certificate(ctx, x) == 1 &&
               SSL_CTX_use_PrivateKey(ctx, key) == 1;
    X509_free(x);
    EVP_PKEY_free(key);
    return good ? 0 : ERR_CRYPTO;
}

/* Identities are pinned; chains and names are not looked at. */
static int
chain_ignore(X509_STORE_CTX *store, void *ctx)
{
    (void)store;
    (void)ctx;
    return 1;
}

static SSL_CTX *
context_make(bool server, const uint8_t *seed)
{
    SSL_CTX *ctx =
        SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    if (!ctx)
        return NULL;
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, chain_ignore, NULL);
    SSL_CTX_set_num_tickets(ctx, 0);
    bool good =
        SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) &&
        SSL_CTX_set_ciphersuites(
            ctx, "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256") &&
        SSL_CTX_set1_sigalgs_list(ctx, "ed25519") &&
        /* the hybrid group where this OpenSSL has it (3.5 and later) */
        (SSL_CTX_set1_groups_list(ctx, "X25519MLKEM768:X25519") ||
         SSL_CTX_set1_groups_list(ctx, "X25519"));
    ERR_clear_error();
    if (good && seed && identity_use(ctx, seed))
        good = false;
    if (good)
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

int
tls_new(struct tls **out, const uint8_t *seed)
{
    struct tls *t = calloc(1, sizeof *t);
    *out = NULL;
    if (!t)
        return ERR_NOMEM;
    t->client = context_make(false, seed);
    t->server = seed ? context_make(true, seed) : NULL;
    if (!t->client || (seed && !t->server)) {
        tls_free(&t);
        return ERR_CRYPTO;
    }
    *out = t;
    return 0;
}

void
tls_free(struct tls **tp)
{
    struct tls *t = *tp;
    *tp = NULL;
    if (!t)
        return;
    SSL_CTX_free(t->client);
    SSL_CTX_free(t->server);
    free(t);
}

int
tls_session_new(struct tls_session **out, struct tls *t, bool server)
{
    *out = NULL;
    if (server && !t->server)
        return ERR_ARG;
    struct tls_session *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->ssl = SSL_new(server ? t->server : t->client);
    BIO *b = wire_new(s);
    if (!s->ssl || !b) {
        BIO_free(b);
        SSL_free(s->ssl);
        free(s);
        return ERR_NOMEM;
    }
    SSL_set_bio(s->ssl, b, b);
    if (server)
        SSL_set_accept_state(s->ssl);
    else
        SSL_set_connect_state(s->ssl);
    *out = s;
    return 0;
}

void
tls_session_free(struct tls_session **sp)
{
    struct tls_session *s = *sp;
    *sp = NULL;
    if (!s)
        return;
    SSL_free(s->ssl);
    free(s->out);
    free(s);
}

void
tls_input(struct tls_session *s, const uint8_t *data, size_t len)
{
    s->in = data;
    s->in_len = len;
}

size_t
tls_output(const struct tls_session *s, const uint8_t **data)
{
    if (data)
        *data = s->out + s->out_at;
    return s->out_len - s->out_at;
}

void
tls_sent(struct tls_session *s, size_t len)
{
    s->out_at += len;
    if (s->out_at < s->out_len)
        return;
    free(s->out);
    s->out = NULL;
    s->out_at = s->out_len = s->out_room = 0;
}

int
tls_handshake(struct tls_session *s)
{
    ERR_clear_error();
    int n = SSL_do_handshake(s->ssl);
    return n == 1                                            ? 1
           : SSL_get_error(s->ssl, n) == SSL_ERROR_WANT_READ ? 0
                                                             : ERR_TLS;
}

bool
tls_peer(struct tls_session *s, uint8_t id[static TLS_ID_LEN])
{
    X509 *x = SSL_get1_peer_certificate(s->ssl);
    EVP_PKEY *key = x ? X509_get0_pubkey(x) : NULL;
    size_t len = TLS_ID_LEN;
    bool found = key && EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 &&
                 EVP_PKEY_get_raw_public_key(key, id, &len) == 1 &&
                 len == TLS_ID_LEN;
    X509_free(x);
    return found;
}

int
tls_read(struct tls_session *s, uint8_t *out, size_t max)
{
    ERR_clear_error();
    int n = SSL_read(s->ssl, out, (int)max);
    if (n > 0)
        return n;
    switch (SSL_get_error(s->ssl, n)) {
    case SSL_ERROR_WANT_READ:
        return 0;
    case SSL_ERROR_ZERO_RETURN:
        return ERR_CLOSED;
    default:
        return ERR_TLS;
    }
}

int
tls_write(struct tls_session *s, const uint8_t *data, size_t len)
{
    ERR_clear_error();
    return SSL_write(s->ssl, data, (int)len) == (int)len ? 0 : ERR_TLS;
}
