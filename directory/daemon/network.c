/* directory/daemon/network.c - see network.h. No state. */
#include "directory/daemon/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/address.h"
#include "lib/codec.h"
#include "lib/os/program.h"

static const char program[] = "brusio-directory";

enum { X25519_LEN = 2048, HYBRID_LEN = 16384, DELAY_UNIT_US = 1000, HOPS = 5 };

static int
network_complain(const char *what, const char *value, const char *todo)
{
    return program_misuse(program, "%s%s%s%s; %s", what, value ? " '" : "",
                          value ? value : "", value ? "'" : "", todo);
}

/* Take "ADDRESS=IDENTITY" apart. */
static int
word_read(const char *option, const char *word,
          char address[static ADDRESS_MAX],
          uint8_t identity[static SPHINX_ID_LEN])
{
    const char *equals = strrchr(word, '=');
    const size_t n = equals ? (size_t)(equals - word) : 0;
    if (!equals || n >= ADDRESS_MAX ||
        strlen(equals + 1) != 2 * SPHINX_ID_LEN ||
        codec_unhex(identity, SPHINX_ID_LEN, equals + 1))
        return network_complain(
            option, word,
            "write ADDRESS=IDENTITY, as 192.0.2.1:7000=, and then "
            "the 64 hex digits that 'init' printed");
    memcpy(address, word, n);
    address[n] = 0;
    if (address_kind(address) == ADDRESS_NOBODYS)
        return network_complain(
            option, word,
            "others do not reach that address; write it with its "
            "port, as 192.0.2.1:7000 or [2001:db8::1]:7000");
    return 0;
}

/* Complain if one of n words has the address or identity of one before it. */
static int
twice_check(const char *option, const char *const *word, size_t n)
{
    for (size_t i = 1; i < n; i++)
        for (size_t k = 0; k < i; k++) {
            const size_t a = strcspn(word[i], "="), b = strcspn(word[k], "=");
            if ((a == b && memcmp(word[i], word[k], a) == 0) ||
                strcmp(word[i] + a, word[k] + b) == 0)
                return network_complain(
                    option, word[i],
                    "its address or identity is another one's, too");
        }
    return 0;
}

static int
wish_read(struct network *n, const struct network_wish *w)
{
    int status = 0;
    if (w->n_authorities == 0)
        return network_complain(
            "no authority", NULL,
            "give --authority ADDRESS=IDENTITY for each one");
    if (w->n_authorities > AUTHORITIES_MAX ||
        w->n_gateways > NETWORK_GATEWAYS_MAX)
        return network_complain(
            "too many", NULL,
            "a network file has room for 7 authorities and 16 "
            "gateways");
    for (size_t i = 0; i < w->n_authorities && !status; i++) {
        struct network_authority *a = &n->authorities[n->n_authorities++];
        status =
            word_read("--authority", w->authority[i], a->address, a->identity);
    }
    for (size_t i = 0; i < w->n_gateways && !status; i++) {
        struct network_gateway *g = &n->gateways[n->n_gateways++];
        status = word_read("--gateway", w->gateway[i], g->address, g->identity);
    }
    if (!status)
        status = twice_check("--authority", w->authority, w->n_authorities);
    if (!status)
        status = twice_check("--gateway", w->gateway, w->n_gateways);
    return status;
}

static int
geometry_make(struct network *n, const char *name)
{
    uint8_t suite;
    if (sphinx_suite_from_name(name ? name : "x25519", &suite) ||
        suite == SPHINX_SUITE_NULL)
        return network_complain("--suite", name,
                                "it is x25519 or x25519-mlkem768");
    if (!sphinx_suite_works(suite))
        return network_complain(
            "--suite", name, "needs OpenSSL 3.5 or newer; this one is older");
    const uint16_t len = suite == SPHINX_SUITE_X25519 ? X25519_LEN : HYBRID_LEN;
    return sphinx_geometry_init(&n->geometry, suite, HOPS, len, DELAY_UNIT_US)
               ? network_complain("--suite", name,
                                  "no packets can be made with it")
               : 0;
}

int
network_print(const struct network_wish *w)
{
    struct network n = {.genesis_s = w->genesis_s,
                        .epoch_len_s = w->epoch_len_s};
    const char *name = w->name ? w->name : "brusio";
    char *text;
    size_t len;
    if (!name[0] || strlen(name) >= sizeof n.name ||
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(name))
        return network_complain(
            "--name", name, "it takes small letters, digits and -, 1 to 31");
    snprintf(n.name, sizeof n.name, "%s", name);
    int status = wish_read(&n, w);
    if (!status)
        status = geometry_make(&n, w->suite);
    if (status)
        return status;
    const int err = json_write_network(&n, &text, &len);
    if (err)
        return program_fail(program, "%s", error_text(err));
    const bool written = fwrite(text, 1, len, stdout) == len &&
                         fputc('\n', stdout) != EOF && fflush(stdout) == 0;
    free(text);
    if (n.n_gateways == 0)
        program_fail(program, "without --gateway no client can begin; 'init' "
                              "gateways first, which prints their identities");
    if (!written)
        perror("brusio-directory: standard output");
    return written ? 0 : ARGS_EXIT_FAILED;
}
