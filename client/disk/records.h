/* client/disk/records.h - a client's records: every byte that it keeps on disk.
 *
 * All numbers are big endian. A key says of what a record is, and for which
 * contact:
 *
 *   key = type 1 | contact 4 | a 8 | b 4
 *
 *   type         contact  a           b       value
 *   A client     0        0           0       gateways 129 | letter length 4
 *                                             | next contact 4 | next order 8
 *                                             | next event 8
 *   B self       it       0           0       of a front; see below
 *   C contact    it       0           0       see below
 *   D document   0        epoch % 2   0       epoch 4 | a consensus, signed:
 *                                             the newest and the one before
 *   F fragment   from     message id  index   kind 1 | count 4 | total 4
 *                                             | last progress 8 | data ..
 *   K kept key   from     generation n      version 1 (1) | day 4 | key 32: of a
 *                         4 step 4          letter that is late (session.h)
 *   L letter     to       period      n       sequence 4 | index 4 | order 8
 *                                             | keeps 1 | due 8
 *                                             | flags 1 (1 announced, 2 takes
 *                                             the place of one given up, 4 was
 *                                             at another place, 8 had another
 *                                             number)
 *                                             | letter ..
 *   M message    to       order       0       version 1 (2) | state 1 | kind 1
 *                                             | id 8 | created 8 | count 4
 *                                             | length 4 | data ..
 *   P settings   0        0           0       version 1 (1) | days kept 4
 *   R reader     0        number      0       version 1 (1) | its name ..; of 0,
 *                                             the client's own: it was removed
 *   S seen       from     reader      0       event 8: it has had all up to that
 *   X received   0        order       0       version 1 (3) | contact 4
 *                                             | kind 1 | id 8 | after 4
 *                                             | came 8 | length 4 | data ..
 *   Y shown      0        order       0       event 8 | late after 4: what was
 *                                             received was shown then
 *
 * In the order of their keys each record comes after those that it needs: A
 * tells how long letters are, C whom the others are about. A contact:
 *
 *   version 1 (8) | flags 1 (1 confirmed, 2 refused, 4 inviter, 8 muted,
 *     16 pings are answered, 32 removed, 64 another has used the invitation,
 *     128 a new ratchet is to be offered)
 *   | name length 1 | name .. | chains 32 out, 32 in
 *   | the days of these keys 4 out, 4 in | mark 16 | session 440 | removed 8
 *   | born 4 | until when its front is promised 8
 *   | next place: period 4, n 4
 *   | the last period with letters 4 | its letters 4
 *   | next sequence 4 | next order 8
 *   | the message that letters are made of: order 8, index of the next 4
 *   | the file that they are made of: the same
 *   | numbers below are of the only life 4 | up to there another has used them 4
 *   | the id of what was shown and written last 8
 *   | ids of what was forgotten last, the newest first, 8 x 8
 *   | tokens of the period before: its number 4, so many used 4
 *   | tokens: of period 4, so many used 4
 *   | tokens awaited of two periods, the newest first: period 4 | those from 4 on
 *     | bit i: that one minus 1 + i, too 1
 *   | acknowledged 4 | map 32
 *   | periods that are read 1 | of each, the newest first:
 *     period 4 | first box 4 | letters in it 4 | slots read of 8 boxes 8 x 2
 *
 * One that is removed has no name and zeros for its chain out, and no other record
 * is about it; when that was, in seconds since 1970, is 0 of others and while nobody
 * knows. A session is state 1 (0 none, 1 offered, 2 open) | flags 1 (1 inviter, 2 paired,
 * 4 answered, 8 with a ratchet of before, 16 verified by the user, 32 with a lasting share,
 * 64 the other side lacks ML-KEM, 128 a seed) | generation 4 | that of before 4 | left on
 * day 4 | pair 32 | first key 32 | ratchet | that of before | shares of the one 68, of the
 * other 68 | lasting share 32 | seed 32 and expiry
 * in hours since 1970 4 of an invitation that nobody has taken up | part to be sent next 1 | parts that have come 1 | seed 64
 * | key or ciphertext 1184; a ratchet flags 1 (1 has a
 * peer, 2 writes, 4 reads, 8 has a share, 16 hardened) | root 32 | own secret 32 | peer's
 * key 32 | chains 32 out, 32 in | steps 4 own, 4 peer's | next numbers 4 out, 4 in
 * | letters of the chain before 4; its shares mixed 4 | the next 32
 * | own public key 32.
 * Version 8 has nothing from the shares on (all zeros), version 7 no session (none), version 6 no days (0) and no mark,
 * version 5 neither what was released last nor tokens of the period before
 * (all are taken for used), version 4 nothing of the file, the numbers, and what was
 * released, version 3 no tokens either; in version 2 there is neither that field nor a
 * flag from 8 on, in an older A no next event, in those before it no next order, and no next contact: these
 * are read, and written anew with the next change. The promise is in seconds since 1970, 0: none; older records have a
 * small number there, which is long over. A self has no name. Of what was received
 * version 2 does not say when that was (seconds since 1970; 0: nobody knew), version 1
 * has no id (zeros) and nothing to be shown after.
 *
 * For the gateways see client/heard/gateways.h. A message that is over (delivered or
 * expired) has no data. Every length is given or follows from the others, so
 * that a record cut short is refused, as is one too long.
 *
 * Writers put a record into the journal's open group and return 0, ERR_NOMEM,
 * or why the disk keeps nothing any more; then the caller takes the group back.
 * Readers return 0, ERR_SHORT, ERR_VERSION, ERR_FORMAT or ERR_RANGE; what they
 * give points into the value. */
#ifndef CLIENT_RECORDS_H
#define CLIENT_RECORDS_H
#include "client/state.h"

enum record_type {
    RECORD_CLIENT = 'A',
    RECORD_SELF = 'B',
    RECORD_CONTACT = 'C',
    RECORD_DOCUMENT = 'D',
    RECORD_FRAGMENT = 'F',
    RECORD_KEPT = 'K',
    RECORD_LETTER = 'L',
    RECORD_MESSAGE = 'M',
    RECORD_SETTINGS = 'P',
    RECORD_READER = 'R',
    RECORD_SEEN = 'S',
    RECORD_RECEIVED = 'X',
    RECORD_SHOWN = 'Y'
};
enum { RECORD_KEY_LEN = 17 };

struct record_key {
    uint8_t type; /* enum record_type */
    uint32_t contact;
    uint64_t a;
    uint32_t b;
};

/* Writes a key; returns RECORD_KEY_LEN. */
size_t record_key_write(uint8_t out[static RECORD_KEY_LEN],
                        struct record_key key);

/* Reads a key. Returns also ERR_VERSION for a type that is not known. */
int record_key_read(struct record_key *key, const uint8_t *bytes,
                    size_t len) CHECK_RESULT;

/* What the client itself goes on with: the length of letters (0 before the first
 * consensus), the least id that no contact has had, the least order that nothing received
 * has had, and the least event that nothing shown has had (0 each: in a record of
 * before). */
struct record_client {
    size_t letter_len;
    uint32_t next_id;
    uint64_t next_received, next_event;
};
int record_client_save(struct journal *j, const struct gateways *gateways,
                       const struct record_client *r) CHECK_RESULT;
int record_client_read(struct gateways *gateways, struct record_client *r,
                       const uint8_t *value, size_t len) CHECK_RESULT;

/* A contact, or a self. current: the message that its letters are made of, and the
 * file, NULL: none. The reader leaves id, self and lists as they are, needs v->chains,
 * and puts the places of both into loaded. */
int record_contact_save(struct journal *j, const struct conversation *v,
                        const struct message *const current[2]) CHECK_RESULT;
int record_contact_read(struct conversation *v, const uint8_t *value,
                        size_t len) CHECK_RESULT;
int record_contact_delete(struct journal *j, uint32_t contact) CHECK_RESULT;

/* A consensus: the newest, or the one before. What is read is judged like one
 * that has just come; its epoch tells which of two is older. */
int record_document_save(struct journal *j, uint32_t epoch,
                         const uint8_t *document, size_t len) CHECK_RESULT;
int record_document_read(uint32_t *epoch, const uint8_t **document,
                         size_t *document_len, const uint8_t *value,
                         size_t len) CHECK_RESULT;

/* A fragment of a message from `contact` that is not yet whole: of l message,
 * kind, index, count, total and data. */
int record_fragment_save(struct journal *j, uint32_t contact,
                         const struct letter *l,
                         uint64_t progress_s) CHECK_RESULT;
int record_fragment_read(struct letter *l, uint64_t *progress_s,
                         const struct record_key *key, const uint8_t *value,
                         size_t len, size_t letter_len) CHECK_RESULT;
int record_fragment_delete(struct journal *j, uint32_t contact,
                           const uint8_t id[static LETTER_ID_LEN],
                           uint32_t index) CHECK_RESULT;

/* The key of a letter of `contact` that is late. */
int record_kept_save(struct journal *j, uint32_t contact,
                     const struct kept_key *k) CHECK_RESULT;
int record_kept_read(struct kept_key *k, const struct record_key *key,
                     const uint8_t *value, size_t len) CHECK_RESULT;
int record_kept_delete(struct journal *j, uint32_t contact,
                       const struct kept_key *k) CHECK_RESULT;

/* A letter that waits in or for a box. due_s: when a kept one is put again. */
int record_letter_save(struct journal *j, uint32_t contact,
                       const struct out_letter *l, uint64_t due_s,
                       size_t letter_len) CHECK_RESULT;
int record_letter_read(struct out_letter *l, const uint8_t **bytes,
                       const struct record_key *key, const uint8_t *value,
                       size_t len, size_t letter_len) CHECK_RESULT;
int record_letter_delete(struct journal *j, uint32_t contact,
                         struct letter_place at) CHECK_RESULT;

/* A message to `contact`, as it is once it is in this state. The reader gives
 * its data apart. */
int record_message_save(struct journal *j, uint32_t contact,
                        const struct message *m,
                        enum client_state state) CHECK_RESULT;
int record_message_read(struct message *m, const uint8_t **data,
                        const struct record_key *key, const uint8_t *value,
                        size_t len, size_t letter_len) CHECK_RESULT;
int record_message_delete(struct journal *j, uint32_t contact,
                          uint64_t order) CHECK_RESULT;

/* For how many days what was read is kept (client_keep()). */
int record_settings_save(struct journal *j, uint32_t keep_days) CHECK_RESULT;
int record_settings_read(uint32_t *keep_days, const uint8_t *value,
                         size_t len) CHECK_RESULT;

/* A reader of this number, and up to which event of a contact it has had all. name has
 * CLIENT_NAME_MAX characters with its zero. */
int record_reader_save(struct journal *j, uint32_t number,
                       const char *name) CHECK_RESULT;
int record_reader_read(char *name, const uint8_t *value,
                       size_t len) CHECK_RESULT;
int record_reader_delete(struct journal *j, uint32_t number) CHECK_RESULT;
int record_seen_save(struct journal *j, uint32_t contact, uint32_t reader,
                     uint64_t event) CHECK_RESULT;
int record_seen_read(uint64_t *event, const uint8_t *value,
                     size_t len) CHECK_RESULT;
int record_seen_delete(struct journal *j, uint32_t contact,
                       uint32_t reader) CHECK_RESULT;

/* A whole message. */
struct record_received {
    uint64_t order;
    uint32_t contact;
    uint8_t kind; /* LETTER_TEXT or LETTER_FILE */
    uint8_t id[LETTER_ID_LEN];
    uint32_t after;  /* as of its letters */
    uint64_t came_s; /* by the network's time; 0: nobody knew it */
    const uint8_t *data;
    uint32_t len;
};
int record_received_save(struct journal *j,
                         const struct record_received *r) CHECK_RESULT;
int record_received_read(struct record_received *r,
                         const struct record_key *key, const uint8_t *value,
                         size_t len) CHECK_RESULT;
/* With the record of its having been shown. */
int record_received_delete(struct journal *j, uint64_t order) CHECK_RESULT;
int record_shown_save(struct journal *j, uint64_t order, uint64_t event,
                      uint32_t late_after) CHECK_RESULT;
int record_shown_read(uint64_t *event, uint32_t *late_after,
                      const uint8_t *value, size_t len) CHECK_RESULT;
#endif
