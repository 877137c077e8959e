/* client/commands/cli.h - the commands that call a running client. */
#ifndef CLIENT_COMMANDS_CLI_H
#define CLIENT_COMMANDS_CLI_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a command was given. */
struct cli {
    const char *dir, *command;
    const char *name, *text, *file, *file_name, *out;
    const char *svg; /* invite, invitation, verify: a picture goes there */
    bool qr;         /* and one to the terminal */
    /* files that have passphrases, or NULL: the one that is wanted, a new one, and
     * (backup) that of the client */
    const char *passphrase_file, *new_passphrase_file, *client_passphrase_file;
    bool wait;          /* send: until delivered */
    bool json;          /* one object a line */
    bool follow;        /* recv: for ever */
    bool skip;          /* recv: only release it */
    const char *reader; /* recv: who reads; NULL: the client's own */
    bool from_now;      /* readers: not what is here already */
    uint64_t wait_s;    /* recv, ping: at most */
    uint64_t count;     /* recv: messages */
};

/* Tells every few seconds how far a command is that waits since since_us. */
void cli_progress(const char *what, int64_t done, int64_t of,
                  uint64_t since_us);

/* Make one call. Prints the result, or of a list each element, by print, or as
 * JSON; print NULL: nothing. Takes params over, which are NULL if a word of the
 * user's is no text. Returns the exit status. */
int cli_call(const struct cli *c, const char *method, json_t *params,
             void (*print)(const json_t *v));

/* Each returns the exit status and prints what is wrong. The first makes an
 * invitation, or shows it again. */
int cli_invite(const struct cli *c);
/* What changes a contact, and of which nothing is told. */
int cli_change(const struct cli *c);
int cli_contacts(const struct cli *c);
int cli_verify(const struct cli *c);
int cli_pings(const struct cli *c);
int cli_send(const struct cli *c);
int cli_recv(const struct cli *c);
int cli_history(const struct cli *c);
int cli_show(const struct cli *c);
int cli_delete(const struct cli *c);
int cli_keep(const struct cli *c);
int cli_readers(const struct cli *c);
int cli_ping(const struct cli *c);
int cli_state(const struct cli *c);
int cli_status(const struct cli *c);
int cli_outbox(const struct cli *c);
int cli_cancel(const struct cli *c);
int cli_estimate(const struct cli *c);
#endif
