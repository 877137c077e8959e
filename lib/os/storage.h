/* lib/os/storage.h - the storage thread: requests of environments carried out
 * in batches, so that many share one commit, and answered on the loop that
 * asked.
 *
 * An object that asks never waits for a disk, so what the object sends keeps
 * its times whatever the disk does (I2). */
#ifndef LIB_OS_STORAGE_H
#define LIB_OS_STORAGE_H
#include <stdint.h>

#include "lib/env.h"
#include "lib/os/loop.h"

struct storage;
struct storage_port; /* of one loop */

/* Carry out a list of requests (by req->next, in their order), and set err and
 * results of each. Runs on the storage thread. */
typedef void (*storage_run_fn)(void *ctx, struct env_store_req *list);

/* Start a storage thread, on which run(ctx) carries out requests. At most max
 * requests wait; more are answered ERR_FULL. The caller owns *out. Returns 0,
 * ERR_NOMEM or ERR_SYSTEM. */
int storage_new(struct storage **out, uint32_t max, storage_run_fn run,
                void *ctx) CHECK_RESULT;

/* Carry out the requests that wait, end the thread, free *s and set it to NULL;
 * *s may be NULL. Call before the ports are freed and when no loop runs any
 * more: the requests are answered from in here. */
void storage_free(struct storage **s);

/* Make a port, by which what runs on l asks s. The caller owns *out and frees
 * it after the storage. Returns 0 or ERR_NOMEM. */
int storage_port_new(struct storage_port **out, struct storage *s,
                     struct loop *l) CHECK_RESULT;

/* Free *p, which may be NULL, and set it to NULL. */
void storage_port_free(struct storage_port **p);

/* Ask for req, as env_ops.store does. req->done() is called on the loop's
 * thread. */
void storage_request(struct storage_port *p, struct env_store_req *req);
#endif
