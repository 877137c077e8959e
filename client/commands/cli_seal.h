/* client/commands/cli_seal.h - the commands about a client's state at rest: its
 * passphrase, lock, backups. Each returns the exit status and prints what is wrong. */
#ifndef CLIENT_COMMANDS_CLI_SEAL_H
#define CLIENT_COMMANDS_CLI_SEAL_H
#include "client/commands/cli.h"

/* Set, change or remove the passphrase, also while the client runs. */
int cli_passphrase(const struct cli *c);
int cli_lock(const struct cli *c);
int cli_unlock(const struct cli *c);
/* Make a backup at c->name, of a client that runs or not, whose network file is called
 * so. */
int cli_backup(const struct cli *c, const char *network);
int cli_restore(const struct cli *c);
#endif
