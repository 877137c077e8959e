/* client/disk/records_internal.h - what all writers and readers of records begin and end
 * with. */
#ifndef CLIENT_RECORDS_INTERNAL_H
#define CLIENT_RECORDS_INTERNAL_H
#include "client/disk/records.h"
#include "lib/codec.h"

/* Opens a record of exactly len bytes in the journal's group. Returns 0, ERR_NOMEM or
 * the journal's error. */
int record_open(struct journal *j, struct codec_writer *w,
                struct record_key key, size_t len) CHECK_RESULT;

/* Is what w has written as long as was said? Returns 0, ERR_SHORT or w's error. */
int record_close(const struct codec_writer *w) CHECK_RESULT;

/* Deletes a record, within the journal's group. */
int record_delete(struct journal *j, struct record_key key) CHECK_RESULT;

/* Has r read all there was? Returns 0, ERR_FORMAT or r's error. */
int record_read_end(const struct codec_reader *r) CHECK_RESULT;
#endif
