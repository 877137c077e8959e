/* client/daemon/rpc.h - local calls: JSON-RPC 2.0, a line each, on a Unix
 * socket (doc/CALLS.md).
 *
 * The socket is for the user alone (0600 in a directory of 0700). Lines and
 * connections are bounded; no call waits but for the disk that is to keep what it
 * has changed: who wants to wait asks again. They are served by a thread of their
 * own; client and its loop are touched in short steps posted to that loop. */
#ifndef CLIENT_DAEMON_RPC_H
#define CLIENT_DAEMON_RPC_H
#include "client/client.h"
#include "lib/os/loop.h"

enum { RPC_CONNECTIONS_MAX = 64 };

struct rpc;
struct guard;
/* Tell whether a socket can have this path. Returns 0 or ERR_LONG. */
int rpc_path_check(const char *path) CHECK_RESULT;
/* Return a text (static) for people: why rpc_new() failed with err, and what to do. */
const char *rpc_why(int err);
/* Listen at path, for a client on this loop, which is the caller's too. Whoever
 * connects waits until it starts. */
int rpc_new(struct rpc **out, struct loop *client_loop,
            const char *path) CHECK_RESULT;
/* Have calls looked at by g, which is there longer than r; before r starts. */
void rpc_set_guard(struct rpc *r, struct guard *g);
/* Make the thread that serves calls to c. */
int rpc_start(struct rpc *r, struct client *c) CHECK_RESULT;
/* Count the callers that found no descriptor left, so far. Any thread may ask. */
uint64_t rpc_starved(const struct rpc *r);
void rpc_free(struct rpc **r);
#endif
