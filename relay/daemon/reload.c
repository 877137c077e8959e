/* relay/daemon/reload.c - comparing two configurations key by key. No state. */
#include "relay/daemon/reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const at_once[] = {"log_level", "metrics", NULL};
static const char *const described[] = {"bandwidth", "family", "addresses",
                                        "assume_reachable", NULL};

static bool
is_among(const char *const *names, const char *name)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

static void
name_add(char list[static RELOAD_LIST_LEN], const char *name)
{
    size_t len = strlen(list);
    snprintf(list + len, RELOAD_LIST_LEN - len, "%s%s", len ? ", " : "", name);
}

void
reload_apply(struct reload *r, struct relay_settings *now,
             struct relay_settings *next)
{
    *r = (struct reload){0};
    for (size_t i = 0; i < relay_options_len; i++) {
        const struct config_option *o = &relay_options[i];
        if (config_same(o, now, next))
            continue;
        if (is_among(at_once, o->name))
            name_add(r->applied, o->name);
        else if (is_among(described, o->name))
            name_add(r->next, o->name);
        else {
            name_add(r->restart, o->name);
            continue;
        }
        config_swap(o, now, next);
    }
}

/* Compare two network files. Gateways are for clients; a relay does not mind
 * them. */
static int
network_compare(const struct network *a, const struct network *b, bool *alike)
{
    struct network x = *a, y = *b;
    char *s = NULL, *t = NULL;
    size_t s_len, t_len;
    x.n_gateways = y.n_gateways = 0;
    int err = json_write_network(&x, &s, &s_len);
    if (!err)
        err = json_write_network(&y, &t, &t_len);
    *alike = !err && s_len == t_len && memcmp(s, t, s_len) == 0;
    free(s);
    free(t);
    return err;
}

/* Does Landlock refuse to open this file? access() does not know that. */
static bool
is_closed(const char *dir, const char *name)
{
    char path[FILES_PATH_MAX];
    if (name[0] == '/')
        return access(name, R_OK) == 0;
    return files_path(path, dir, name) == 0 && access(path, R_OK) == 0;
}

int
reload_read(struct relay_settings *next, const char *dir,
            const struct network *running, enum reload_network *network,
            char error[static NETFILE_ERROR_LEN])
{
    char path[FILES_PATH_MAX];
    struct network n;
    _Static_assert((int)NETFILE_ERROR_LEN >= (int)CONFIG_ERROR_LEN, "a line");
    *network = RELOAD_NETWORK_SAME;
    int err = files_path(path, dir, "relay.conf");
    if (err) {
        snprintf(error, NETFILE_ERROR_LEN, "%s: %s", dir, error_text(err));
        return err;
    }
    err = config_read(relay_options, relay_options_len, path, next, error);
    if (err)
        return err;
    err = netfile_read_in(dir, next->network, &n, error);
    if ((err == ERR_ACCESS || err == ERR_KIND || err == ERR_IO) &&
        is_closed(dir, next->network)) {
        *network = RELOAD_NETWORK_CLOSED;
        return 0;
    }
    bool alike = true;
    if (!err) {
        err = network_compare(running, &n, &alike);
        if (err)
            snprintf(error, NETFILE_ERROR_LEN, "%s", error_text(err));
    }
    if (err)
        config_free(relay_options, relay_options_len, next);
    else if (!alike)
        *network = RELOAD_NETWORK_CHANGED;
    return err;
}
