/* testnet/testnet_file.c - of what a network was made: lines "NAME VALUE" in
 * DIR/testnet, written when all its directories are there. No state. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/os/files.h"
#include "testnet/testnet.h"

enum { TEXT_MAX = 1024 };

static const struct {
    const char *name;
    size_t offset;
} number[] = {
    {"authorities", offsetof(struct testnet_config, authorities)},
    {"gateways", offsetof(struct testnet_config, gateways)},
    {"mixes", offsetof(struct testnet_config, mixes)},
    {"stores", offsetof(struct testnet_config, stores)},
    {"clients", offsetof(struct testnet_config, clients)},
    {"epoch", offsetof(struct testnet_config, epoch_len_s)},
};
enum { NUMBERS = sizeof number / sizeof number[0] };
static const char head[] = "brusio-testnet/1";

int
testnet_keep(const struct testnet_config *c)
{
    char text[TEXT_MAX];
    int n = snprintf(text, sizeof text, "%s\n", head);
    for (size_t i = 0; i < NUMBERS; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%s %u\n",
                      number[i].name,
                      *(const unsigned *)(const void *)((const char *)c +
                                                        number[i].offset));
    n += snprintf(text + n, sizeof text - (size_t)n,
                  "profile %s\nsuite %s\npolicy %s\n",
                  c->profile[0] ? c->profile : "mixed",
                  sphinx_suite_name(c->suite), c->manual ? "manual" : "open");
    return files_write_in(c->dir, "testnet", text, (size_t)n);
}

/* Find the text after "NAME " at the beginning of a line. Returns NULL when
 * there is none. */
static const char *
value_of(const char *text, const char *name, char out[static WORD_LEN])
{
    const size_t n = strlen(name);
    for (const char *at = text; (at = strstr(at, name)); at += n)
        if ((at == text || at[-1] == '\n') && at[n] == ' ')
            return sscanf(at + n, " %127s", out) == 1 ? out : NULL;
    return NULL;
}

static int
text_take(struct testnet_config *c, const char *text)
{
    char word[WORD_LEN];
    if (strncmp(text, head, sizeof head - 1) != 0)
        return ERR_VERSION;
    for (size_t i = 0; i < NUMBERS; i++) {
        if (!value_of(text, number[i].name, word))
            return ERR_FORMAT;
        *(unsigned *)(void *)((char *)c + number[i].offset) =
            (unsigned)strtoul(word, NULL, 10);
    }
    if (!value_of(text, "profile", word) || strlen(word) >= sizeof c->profile)
        return ERR_FORMAT;
    snprintf(c->profile, sizeof c->profile, "%.15s",
             strcmp(word, "mixed") == 0 ? "" : word);
    if (!value_of(text, "suite", word) ||
        sphinx_suite_from_name(word, &c->suite) ||
        !value_of(text, "policy", word))
        return ERR_FORMAT;
    c->manual = strcmp(word, "manual") == 0;
    return 0;
}

int
testnet_recall(struct testnet_config *c)
{
    uint8_t *text = NULL;
    size_t len;
    int err = files_read_in(c->dir, "testnet", TEXT_MAX, &text, &len);
    if (!err)
        err = text_take(c, (const char *)text);
    free(text);
    return err;
}
