/* client/disk/journal.h - groups of records on their way to durable storage.
 *
 * A group is whole or not at all, and groups are kept in their order, so that
 * whatever is sent after group n is committed can rely on all before it:
 * letters wait for their own group, and with it for everything they
 * acknowledge (I6).
 *
 * When storage fails to keep one, that and all after it wait here, and no other is
 * begun; they are handed over again, all and in their order, until they are kept.
 * What is done by then is as if nothing had been. Bytes of a group:
 *
 *   ( 1 put | key length 1 | key | value length 4 | value )
 *   ( 2 delete | key length 1 | key ) */
#ifndef CLIENT_JOURNAL_H
#define CLIENT_JOURNAL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/env.h"
#include "lib/error.h"

enum {
    JOURNAL_PUT = 1,
    JOURNAL_DELETE = 2,
    JOURNAL_KEY_MAX = 32,
    JOURNAL_DEPTH_MAX = 8
};

struct journal;

int journal_new(struct journal **out, struct env *env) CHECK_RESULT;
/* Groups that storage still holds are carried out, and told to nobody; those that
 * it has failed to keep are gone. */
void journal_free(struct journal **j);

/* Called on every commit, from the loop. */
void journal_on_commit(struct journal *j, void (*fn)(void *ctx), void *ctx);

/* Called when storage begins to fail, before journal_error() tells of it: what was
 * promised to nobody yet can be taken back, by groups that are kept after those
 * that wait. Like all of env.h's answers it comes from the loop. */
void journal_on_failure(struct journal *j, void (*fn)(void *ctx), void *ctx);

/* Begins a group, or a part of the one that is open, JOURNAL_DEPTH_MAX deep. */
void journal_begin(struct journal *j);

/* Puts a record into the open group; the caller writes its value, of value_len
 * bytes, to *value at once. Deletes a record. Return 0, ERR_NOMEM, ERR_LONG
 * (the key), or journal_error(): then this part of the group is to be taken
 * back. */
int journal_put(struct journal *j, const uint8_t *key, size_t key_len,
                size_t value_len, uint8_t **value) CHECK_RESULT;
int journal_delete(struct journal *j, const uint8_t *key,
                   size_t key_len) CHECK_RESULT;

/* Ends what was begun last; at the outermost the group is handed over, which
 * cannot fail. Returns its ticket, within a group the ticket that the whole
 * will have, and the last one's when there is nothing. */
uint64_t journal_end(struct journal *j);

/* Ends what was begun last and takes back all that was put since. */
void journal_cancel(struct journal *j);

/* Ends what was begun last if err is 0, else takes it back. Returns err. */
int journal_finish(struct journal *j, int err);

/* Is the group with this ticket, and all before it, durable? */
bool journal_is_committed(const struct journal *j, uint64_t ticket);

/* The last ticket given. */
uint64_t journal_last(const struct journal *j);

/* 0, or why storage does not keep what it was given (ERR_ROOM, ..), until it has
 * kept all of it. */
int journal_error(const struct journal *j);

/* Hands what waits over again, unless storage still has some of it. Returns whether
 * it did. */
bool journal_retry(struct journal *j);

/* Go through a group, for whoever stores it: fn is called for each record,
 * value NULL for a deletion. Returns 0, what fn returned, ERR_FORMAT or
 * ERR_SHORT. */
typedef int (*journal_record_fn)(void *ctx, const uint8_t *key, size_t key_len,
                                 const uint8_t *value, size_t value_len);
int journal_parse(const uint8_t *group, size_t len, journal_record_fn fn,
                  void *ctx) CHECK_RESULT;
#endif
