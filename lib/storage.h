/* lib/storage.h - the storage thread: requests of an environment carried out
 * in batches, so that many share one commit, and answered on the loop.
 *
 * An object that asks never waits for a disk, so what it sends keeps its times
 * whatever the disk does (I2). */
#ifndef LIB_STORAGE_H
#define LIB_STORAGE_H
#include <stdint.h>

#include "lib/env.h"
#include "lib/loop.h"

struct storage;

/* Carry out a list of requests (by req->next, in their order), set each one's
 * err and results. Runs on the thread. */
typedef void (*storage_run_fn)(void *ctx, struct env_store_req *list);

/* max: requests that wait; more are answered ERR_FULL. */
int storage_new(struct storage **out, struct loop *l, uint32_t max,
                storage_run_fn run, void *ctx) CHECK_RESULT;

/* For env_ops.store. req->done() is called on the loop's thread. */
void storage_request(struct storage *s, struct env_store_req *req);

/* Carry out what waits, answer everything, end the thread. */
void storage_free(struct storage **s);
#endif
