/* network/os/netfile.c - reading and writing the network file. No state. */
#include "network/os/netfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/os/files.h"

/* Return how many bytes at the beginning are the mark of the byte order that
 * some editors put before a text. */
static size_t
mark_len(const uint8_t *bytes, size_t len)
{
    return len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

/* Tell whether bytes are UTF-16, by their mark. */
static bool
is_utf16(const uint8_t *bytes, size_t len)
{
    return len >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 ||
                        memcmp(bytes, "\xfe\xff", 2) == 0);
}

int
netfile_read(const char *path, struct network *n,
             char error[static NETFILE_ERROR_LEN])
{
    char where[JSON_WHERE_LEN];
    uint8_t *bytes;
    size_t len;
    int err = files_read(path, 1 << 20, &bytes, &len);
    if (err) {
        snprintf(error, NETFILE_ERROR_LEN,
                 "%s: cannot be read (%s); it is the network file, which "
                 "whoever runs the network gives out",
                 path, err == ERR_IO ? strerror(errno) : error_text(err));
        return err;
    }
    const size_t skip = mark_len(bytes, len);
    err = json_read_network(n, bytes + skip, len - skip, where);
    if (err && is_utf16(bytes, len))
        snprintf(error, NETFILE_ERROR_LEN,
                 "%s: it is in UTF-16; save it in UTF-8", path);
    else if (err == ERR_SUITE)
        snprintf(error, NETFILE_ERROR_LEN,
                 "%s: the network's packets need a cryptographic suite that "
                 "is not here; x25519-mlkem768 needs OpenSSL 3.5 or newer",
                 path);
    else if (err)
        snprintf(error, NETFILE_ERROR_LEN, "%s: not a network file: '%s': %s",
                 path, where, error_text(err));
    free(bytes);
    return err;
}

int
netfile_read_in(const char *dir, const char *name, struct network *n,
                char error[static NETFILE_ERROR_LEN])
{
    char path[FILES_PATH_MAX];
    if (name[0] == '/')
        return netfile_read(name, n, error);
    int err = files_path(path, dir, name);
    if (err)
        snprintf(error, NETFILE_ERROR_LEN, "%s: %s", dir, error_text(err));
    return err ? err : netfile_read(path, n, error);
}

int
netfile_check(const char *program, const char *dir, const char *name)
{
    char error[NETFILE_ERROR_LEN];
    struct network n;
    if (netfile_read_in(dir, name, &n, error)) {
        fprintf(stderr, "%s: %s\n", program, error);
        return 1;
    }
    printf("good: network '%s', %zu authorities, epochs of %u s, packets of "
           "%u bytes (%s)\n",
           n.name, n.n_authorities, n.epoch_len_s, n.geometry.packet_len,
           sphinx_suite_name(n.geometry.suite));
    return 0;
}

enum address_kind
netfile_kind(const struct network *n)
{
    enum address_kind widest = ADDRESS_LOOPBACK;
    for (size_t i = 0; i < n->n_authorities; i++) {
        const enum address_kind kind = address_kind(n->authorities[i].address);
        widest = kind < widest ? kind : widest;
    }
    return widest;
}

int
netfile_write(const char *path, const struct network *n)
{
    char *text;
    size_t len;
    int err = json_write_network(n, &text, &len);
    if (!err)
        err = files_write(path, text, len);
    free(text);
    return err;
}
