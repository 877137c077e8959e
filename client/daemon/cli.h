/* client/daemon/cli.h - the commands that call a running client. */
#ifndef CLIENT_DAEMON_CLI_H
#define CLIENT_DAEMON_CLI_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a command was given. */
struct cli {
    const char *dir;
    const char *name, *text, *file, *file_name, *out;
    bool wait;       /* send: until delivered */
    bool json;       /* one object a line */
    bool follow;     /* recv: for ever */
    bool skip;       /* recv: only release it */
    uint64_t wait_s; /* recv, ping: at most */
    uint64_t count;  /* recv: messages */
};

/* Tells every few seconds how far a command is that waits since since_us. */
void cli_progress(const char *what, int64_t done, int64_t of,
                  uint64_t since_us);

/* Sees that all that was printed is out. Returns 0, or 1 and has said why not, and
 * what that means. */
int cli_flush(const char *meaning);

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
int cli_outbox(const struct cli *c);
int cli_cancel(const struct cli *c);
int cli_estimate(const struct cli *c);
#endif
