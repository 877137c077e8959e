/* lib/error.h - the one list of errors.
 *
 * Functions return 0 or a negative ERR_*; the text of each is for people and
 * carries no address, key or tag. Counters of refused input are indexed by
 * -err, so every way of dropping something has a name and a number (I7).
 *
 * The numbers never change: callers of the client's socket and users of
 * libbrusio-sphinx (SPHINX_ERR_*) have them in their programs. A new error
 * takes the number ERROR_COUNT has now, and ERROR_COUNT grows by one. The
 * number of an error that is given up is never used again: ERROR_RETIRED counts
 * those. */
#ifndef LIB_ERROR_H
#define LIB_ERROR_H

#define ERROR_MAP(X)                                                  \
    X(ARG, 1, "invalid argument")                                     \
    X(NOMEM, 2, "out of memory")                                      \
    X(SHORT, 3, "input ends too early")                               \
    X(LONG, 4, "input is longer than allowed")                        \
    X(FORMAT, 5, "malformed input")                                   \
    X(VERSION, 6, "unknown version")                                  \
    X(SUITE, 7, "unknown or unavailable cryptographic suite")         \
    X(POINT, 8, "low-order public key")                               \
    X(MAC, 9, "message authentication failed")                        \
    X(TAG, 10, "payload was tampered with")                           \
    X(EPOCH, 11, "packet for an epoch without a key")                 \
    X(REPLAY, 12, "packet seen before")                               \
    X(DEADLINE_PAST, 13, "deadline has passed")                       \
    X(DEADLINE_FAR, 14, "deadline lies too far ahead")                \
    X(COMMAND, 15, "command not allowed here")                        \
    X(RELAY, 16, "no such relay")                                     \
    X(EDGE, 17, "no such edge in the layering")                       \
    X(HANDLE, 18, "no client with this handle")                       \
    X(FULL, 19, "at capacity")                                        \
    X(RATE, 20, "too fast")                                           \
    X(SLOT, 21, "slot is taken")                                      \
    X(QUOTA, 22, "quota is used up")                                  \
    X(WORK, 23, "proof of work missing or wrong")                     \
    X(SIGNATURE, 24, "signature is wrong")                            \
    X(PROOF, 25, "proof is wrong")                                    \
    X(THRESHOLD, 26, "too few signatures")                            \
    X(STALE, 27, "older than what is known")                          \
    X(FUTURE, 28, "dated in the future")                              \
    X(FOREIGN, 29, "belongs to another network")                      \
    X(CONFLICT, 30, "contradicts an earlier document")                \
    X(DUPLICATE, 31, "given twice")                                   \
    X(RANGE, 32, "value out of range")                                \
    X(MISSING, 33, "required value is missing")                       \
    X(UNKNOWN, 34, "unknown name")                                    \
    X(NOT_FOUND, 35, "not found")                                     \
    X(EXISTS, 36, "exists already")                                   \
    X(EXPIRED, 37, "expired")                                         \
    X(USED, 38, "used already")                                       \
    X(AGAIN, 39, "not now, try again")                                \
    X(CLOSED, 40, "closed")                                           \
    X(TIMEOUT, 41, "timed out")                                       \
    X(PEER, 42, "peer is not who it should be")                       \
    X(TLS, 43, "TLS failure")                                         \
    X(DB, 44, "database failure")                                     \
    X(IO, 45, "the disk failed to read or write")                     \
    X(SYSTEM, 46, "system call failed")                               \
    X(CRYPTO, 47, "cryptographic library failure")                    \
    X(UNSUPPORTED, 48, "not supported here")                          \
    X(DELAY, 49, "asks for a longer delay than allowed")              \
    X(SHARE, 50, "its link holds more than its share")                \
    X(ROOM, 51, "no space left on the disk, or the quota is used up") \
    X(READONLY, 52, "the disk is read-only")                          \
    X(ACCESS, 53, "permission denied")                                \
    X(KIND, 54, "a directory, link or device, no ordinary file")      \
    X(FOLDER, 55, "its directory, or the file in it, is gone")        \
    X(NAME, 56, "the name is too long for a file")                    \
    X(FILES, 57, "too many open files")                               \
    X(DAMAGED, 58, "damaged, or not what its name says")              \
    X(LOCKED, 59, "locked")                                           \
    X(PASSPHRASE, 60, "wrong passphrase")                             \
    X(SEAL, 61, "the file of the key to all records (-seal) is gone")

enum {
    ERROR_COUNT = 62, /* above all numbers: counter[ERROR_COUNT] has room */
    ERROR_RETIRED = 0
};

enum error {
    ERR_OK = 0,
#define X(name, number, text) ERR_##name = -(number),
    ERROR_MAP(X)
#undef X
};

/* Return the text of err, an ERR_* (static); "unknown error" for any other
 * number. libbrusio-sphinx shows it as sphinx_error_text(). */
const char *error_text(int err);

/* Return the name of err, e.g. "DEADLINE_PAST" (static); "?" for any other
 * number. */
const char *error_name(int err);

#define CHECK_RESULT __attribute__((warn_unused_result))
#endif
