/* lib/os/storage.h - the storage thread: requests of environments carried out
 * in batches, so that many share one commit, and answered on the loop that
 * asked.
 *
 * An object that asks never waits for a disk, so what it sends keeps its times
 * whatever the disk does (I2). */
#ifndef LIB_OS_STORAGE_H
#define LIB_OS_STORAGE_H
#include <stdint.h>

#include "lib/env.h"
#include "lib/os/loop.h"

struct storage;
struct storage_port; /* of one loop */

/* Carry out a list of requests (by req->next, in their order), set each one's
 * err and results. Runs on the thread. */
typedef void (*storage_run_fn)(void *ctx, struct env_store_req *list);

/* max: requests that wait; more are answered ERR_FULL. */
int storage_new(struct storage **out, uint32_t max, storage_run_fn run,
                void *ctx) CHECK_RESULT;

/* Carry out what waits, end the thread. Call before the ports are freed and
 * when no loop runs any more: what is done is answered from in here. */
void storage_free(struct storage **s);

/* A way for what runs on this loop to ask. The caller's; freed after the
 * storage. */
int storage_port_new(struct storage_port **out, struct storage *s,
                     struct loop *l) CHECK_RESULT;
void storage_port_free(struct storage_port **p);

/* For env_ops.store. req->done() is called on the loop's thread. */
void storage_request(struct storage_port *p, struct env_store_req *req);
#endif
