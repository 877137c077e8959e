/* client/daemon/cli.h - the commands that call a running client. */
#ifndef CLIENT_DAEMON_CLI_H
#define CLIENT_DAEMON_CLI_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cli {
    const char *dir;
    const char *name, *text, *file, *out;
    bool wait;       /* send: until delivered */
    uint64_t wait_s; /* recv, ping: at most */
    uint64_t count;  /* recv: messages; bench: texts */
};

/* Each returns the exit status and prints what is wrong. */
int cli_invite(const struct cli *c);
int cli_add(const struct cli *c);
int cli_contacts(const struct cli *c);
int cli_rename(const struct cli *c);
int cli_mute(const struct cli *c);
int cli_unmute(const struct cli *c);
int cli_pings(const struct cli *c);
int cli_open(const struct cli *c);
int cli_remove(const struct cli *c);
int cli_withdraw(const struct cli *c);
int cli_send(const struct cli *c);
int cli_recv(const struct cli *c);
int cli_ping(const struct cli *c);
int cli_state(const struct cli *c);
int cli_status(const struct cli *c);
#endif
